// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of this kernel: registered objects, and the two sets that they are
 * saved to and restored from.
 */

#define pr_fmt(fmt) "kstate: " fmt

#include <linux/crc32c.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/hashtable.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "gate.h"

/* An object to save at the jump */
struct registration {
	struct list_head list;
	struct hlist_node by_obj;
	struct hlist_node by_key;
	struct kstate_description *desc;
	void *obj;
	struct kstate_key key;
	bool pending;		/* being restored: nothing to save yet */
};

/*
 * Protects the registrations and the preparing of jumps; taken before any
 * other lock, and not held while an object is restored.
 */
static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(registrations);
static DEFINE_HASHTABLE(by_obj, 12);
static DEFINE_HASHTABLE(by_key, 12);
static struct kstate_set *outgoing;
static struct kstate_stream *kernel_stream;	/* of the outgoing set */
static struct kstate_set *incoming;
static bool prepared;

/* Why nothing can be restored: not yet, or not at all; 0 once it can */
static int not_open = -EPROBE_DEFER;

/**
 * kstate_outgoing() - the set that the next kernel will get
 *
 * Return: the set, or NULL if this kernel cannot hand anything over.
 */
struct kstate_set *kstate_outgoing(void)
{
	return outgoing;
}
EXPORT_SYMBOL_GPL(kstate_outgoing);

/**
 * kstate_incoming() - the set that the kernel before this one wrote
 *
 * Return: the set, or NULL if there is none.
 */
struct kstate_set *kstate_incoming(void)
{
	return incoming;
}
EXPORT_SYMBOL_GPL(kstate_incoming);

/**
 * kstate_restore_key() - restore an object that was saved or registered
 * @desc: its description
 * @obj: the object, initialized, as its description wants it
 * @key: which instance it is
 *
 * kstate_restore() is the same with a plain number or string as the key. What
 * goes wrong is logged.
 *
 * Context: may sleep.
 * Return: 0; -ENOENT if there is no record; -EPROBE_DEFER before KSTATE is
 * initialized (fs_initcall_sync); another negative error code. The object is
 * as it was unless 0 is returned.
 */
int kstate_restore_key(struct kstate_description *desc, void *obj, struct kstate_key key)
{
	struct kstate_stream *stream = kstate_stream_find(incoming, KSTATE_STREAM);

	if (not_open)
		return not_open;
	if (stream)
		return kstate_stream_restore(stream, desc, obj, key, NULL);
	/* If what is damaged may have been the stream, absence is not known */
	return incoming && incoming->damage.code ? -EBADMSG : -ENOENT;
}
EXPORT_SYMBOL_GPL(kstate_restore_key);

/**
 * kstate_for_each_key() - find out which instances of a state can be restored
 * @desc: the description
 * @fn: see kstate_stream_for_each_key(); it may call kstate_restore() and
 *	kstate_register_key()
 * @arg: for @fn
 *
 * Context: may sleep; not from a function of a description.
 * Return: 0; what @fn returned; -EPROBE_DEFER before KSTATE is initialized;
 * -EBADMSG after the last call if there may have been more, in bytes that cannot be
 * read; another negative error code.
 */
int kstate_for_each_key(struct kstate_description *desc,
			int (*fn)(struct kstate_key key, void *arg), void *arg)
{
	struct kstate_stream *stream = kstate_stream_find(incoming, KSTATE_STREAM);

	if (not_open)
		return not_open;
	if (stream)
		return kstate_stream_for_each_key(stream, desc, fn, arg);
	return incoming && incoming->damage.code ? -EBADMSG : 0;
}
EXPORT_SYMBOL_GPL(kstate_for_each_key);

/**
 * kstate_save_state_key() - save an object now
 * @desc: its description
 * @obj: the object; the caller keeps it from changing
 * @key: which instance it is
 *
 * kstate_save_state() is the same with a plain number or string as the key.
 * What goes wrong is logged.
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP if this kernel cannot hand anything over; another
 * negative error code.
 */
int kstate_save_state_key(struct kstate_description *desc, const void *obj, struct kstate_key key)
{
	return outgoing ? kstate_stream_save(kernel_stream, desc, obj, key, NULL) : -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(kstate_save_state_key);

/**
 * kstate_drop_key() - take back what kstate_save_state() saved
 * @desc: the description
 * @key: which instance
 *
 * Context: may sleep.
 * Return: 0 or a negative error code.
 */
int kstate_drop_key(struct kstate_description *desc, struct kstate_key key)
{
	return outgoing ? kstate_stream_drop(kernel_stream, desc, key) : -ENOENT;
}
EXPORT_SYMBOL_GPL(kstate_drop_key);

static bool same_key(const struct registration *r, const struct kstate_description *desc,
		     struct kstate_key key)
{
	if (strcmp(r->desc->name, desc->name) || !r->key.name != !key.name)
		return false;
	return key.name ? !strcmp(r->key.name, key.name) : r->key.id == key.id;
}

static u64 key_hash(struct kstate_key key)
{
	return key.name ? crc32c(0, key.name, strlen(key.name)) : key.id;
}

static bool add_registration(struct registration *r)
{
	struct registration *other;
	u64 hash = key_hash(r->key);

	guard(mutex)(&registry_lock);
	hash_for_each_possible(by_key, other, by_key, hash)
		if (same_key(other, r->desc, r->key))
			return false;
	list_add_tail(&r->list, &registrations);
	hash_add(by_key, &r->by_key, hash);
	hash_add(by_obj, &r->by_obj, (unsigned long)r->obj);
	return true;
}

static void remove_registration(struct registration *r)
{
	list_del(&r->list);
	hash_del(&r->by_key);
	hash_del(&r->by_obj);
	kfree(r);
}

/**
 * kstate_register_key() - restore an object, and save it at the jump
 * @desc: its description
 * @obj: the object, initialized; until kstate_unregister() it may be saved at
 *	any time, so that the functions of @desc lock what they need
 * @key: which instance it is; a string stays the caller's
 * @restored: set to whether there was something to restore, or NULL
 *
 * Context: may sleep.
 * Return: 0, or a negative error code: then the object is not registered, and
 * is as it was.
 */
int kstate_register_key(struct kstate_description *desc, void *obj, struct kstate_key key,
			bool *restored)
{
	struct registration *r;
	int ret;

	ret = kstate_check_description(desc, NULL);
	if (ret)
		return ret;
	r = kzalloc_obj(*r);
	if (!r)
		return -ENOMEM;
	r->desc = desc;
	r->obj = obj;
	r->key = key;
	r->pending = true;
	if (!add_registration(r)) {
		kfree(r);
		pr_err("register: %s: this key is registered already\n", desc->name);
		return -EEXIST;
	}

	ret = kstate_restore_key(desc, obj, key);
	guard(mutex)(&registry_lock);
	/* An object that was restored and unregistered begins anew */
	if (ret && ret != -ENOENT && ret != -EALREADY) {
		remove_registration(r);
		return ret;
	}
	if (restored)
		*restored = !ret;
	r->pending = false;
	return 0;
}
EXPORT_SYMBOL_GPL(kstate_register_key);

/**
 * kstate_register() - restore an object, and save it at the jump
 * @desc: its description
 * @obj: the object; see kstate_register_key()
 *
 * Its key is a number that counts the calls for this description, so both
 * kernels must register the objects in the same order.
 *
 * Context: may sleep.
 * Return: 0, or a negative error code.
 */
int kstate_register(struct kstate_description *desc, void *obj)
{
	int id = atomic_inc_return(&desc->instance_id);
	int ret = kstate_register_key(desc, obj, KSTATE_ID(id), NULL);

	/* The next attempt is for the same record */
	if (ret)
		atomic_cmpxchg(&desc->instance_id, id, id - 1);
	return ret;
}
EXPORT_SYMBOL_GPL(kstate_register);

/**
 * kstate_unregister() - no longer save an object at the jump
 * @desc: its description
 * @obj: the object
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT if it is not registered.
 */
int kstate_unregister(struct kstate_description *desc, void *obj)
{
	struct registration *r;

	guard(mutex)(&registry_lock);
	hash_for_each_possible(by_obj, r, by_obj, (unsigned long)obj) {
		if (r->desc != desc || r->obj != obj)
			continue;
		remove_registration(r);
		return 0;
	}
	return -ENOENT;
}
EXPORT_SYMBOL_GPL(kstate_unregister);

static int prepare(struct kstate_error *err)
{
	struct registration *r;
	int ret;

	ret = kstate_set_hand_on(incoming, outgoing, err);
	if (ret)
		return ret;
	list_for_each_entry(r, &registrations, list) {
		struct kstate_where where = {
			.state = r->desc->name, .key = r->key, .has_key = true, .err = err,
		};

		if (r->pending)
			return kstate_fail(&where, NULL, KSTATE_CHANGED, -EAGAIN,
					   "an object that is not being restored\none that is");
		ret = kstate_stream_save(kernel_stream, r->desc, r->obj, r->key, err);
		if (ret)
			return ret;
	}
	return kstate_set_publish(outgoing, err);
}

static void undo(void)
{
	struct kstate_stream *stream, *next;

	kstate_set_unpublish(outgoing);
	list_for_each_entry_safe(stream, next, &outgoing->streams, list) {
		if (stream->transient) {
			kstate_stream_destroy(stream);
			continue;
		}
		guard(mutex)(&stream->lock);
		kstate_stream_undo(stream);
	}
	outgoing->jumper = NULL;
	prepared = false;
}

/**
 * kstate_prepare() - save all registered objects, and publish the outgoing set
 * @err: what went wrong
 *
 * Context: the kexec lock is held; allocates.
 * Return: 0, or a negative error code: then everything has been undone.
 */
int kstate_prepare(struct kstate_error *err)
{
	int ret;

	guard(mutex)(&registry_lock);
	guard(rwsem_write)(&outgoing->use);
	outgoing->jumper = current;
	ret = prepare(err) ?: kstate_gate_jump(outgoing, err);
	if (ret) {
		kstate_set_error(outgoing, err, "prepare");
		undo();
	}
	outgoing->jumper = NULL;
	prepared = !ret;
	return ret;
}

/**
 * kstate_abort() - undo kstate_prepare()
 *
 * Context: may sleep.
 */
void kstate_abort(void)
{
	guard(mutex)(&registry_lock);
	guard(rwsem_write)(&outgoing->use);
	outgoing->jumper = current;
	if (prepared)
		undo();
	outgoing->jumper = NULL;
}

/**
 * kstate_registry_lock() - keep everything that could be saved as it is
 *
 * Objects may change, but none comes or goes. Use guard(registry).
 */
void kstate_registry_lock(void)
{
	mutex_lock(&registry_lock);
	if (outgoing)
		down_write(&outgoing->use);
	if (incoming)
		down_write(&incoming->use);
}

/**
 * kstate_registry_unlock() - undo kstate_registry_lock()
 */
void kstate_registry_unlock(void)
{
	if (incoming)
		up_write(&incoming->use);
	if (outgoing)
		up_write(&outgoing->use);
	mutex_unlock(&registry_lock);
}

/**
 * kstate_walk_objects() - go through the registered objects
 * @fn: called for each; without the object while it is being restored. What it
 *	returns other than 0 ends that
 * @arg: for @fn
 *
 * Context: kstate_registry_lock() is held.
 * Return: 0, or what @fn returned.
 */
int kstate_walk_objects(kstate_object_fn fn, void *arg)
{
	struct registration *r;
	int ret;

	list_for_each_entry(r, &registrations, list) {
		ret = fn(r->desc, r->pending ? NULL : r->obj, r->key, arg);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * kstate_finish() - everything that is wanted has been restored
 *
 * Whatever nobody has claimed is reported and freed, but for optional states
 * that this kernel does not know: those are handed on at the next jump.
 *
 * Context: may sleep.
 * Return: number of records that were freed.
 */
int kstate_finish(void)
{
	/* If nothing could be read, nothing is waited for any more */
	if (not_open != -EPROBE_DEFER)
		not_open = 0;
	return incoming ? kstate_set_finish(incoming) : 0;
}
EXPORT_SYMBOL_GPL(kstate_finish);

#ifdef CONFIG_MODULES
/* The catalogue of a module, and what is kept for its descriptions, come and go with it */
static int module_event(struct notifier_block *nb, unsigned long event, void *mod)
{
	switch (event) {
	case MODULE_STATE_COMING:
		return notifier_from_errno(kstate_catalog_add_module(mod));
	case MODULE_STATE_GOING:
		kstate_catalog_remove_module(mod);
		kstate_forget_module(mod);
	}
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_event };
#endif

/**
 * kstate_registry_init() - begin
 * @out: set that the next kernel will get
 *
 * Return: 0, or a negative error code.
 */
int kstate_registry_init(struct kstate_set *out)
{
	outgoing = out;
	kernel_stream = kstate_stream_create(out, KSTATE_STREAM, NULL);
	if (IS_ERR(kernel_stream))
		return PTR_ERR(kernel_stream);
#ifdef CONFIG_MODULES
	return register_module_notifier(&module_nb);
#else
	return 0;
#endif
}

/**
 * kstate_registry_open() - have something to restore from
 * @in: set that the kernel before this one wrote; NULL if it wrote none, an
 *	ERR_PTR() if it cannot be read: then registering fails until
 *	kstate_finish(), because nobody knows whether there is something to restore
 */
void kstate_registry_open(struct kstate_set *in)
{
	struct kstate_stream *stream;

	not_open = PTR_ERR_OR_ZERO(in);
	if (IS_ERR(in))
		return;

	/* Streams that are handed on keep their numbers: new ones take others */
	if (in)
		list_for_each_entry(stream, &in->streams, list)
			outgoing->next_id = max(outgoing->next_id, stream->id);
	incoming = in;
}

/**
 * kstate_registry_exit() - end; nothing is registered any more
 */
void kstate_registry_exit(void)
{
	kstate_abort();
#ifdef CONFIG_MODULES
	unregister_module_notifier(&module_nb);
#endif
	kstate_gate_exit();
	kstate_set_destroy(outgoing);
	kstate_set_destroy(incoming);
	outgoing = NULL;
	incoming = NULL;
	not_open = -EPROBE_DEFER;
}
