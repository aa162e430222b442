// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of this kernel: registered objects, and the two sets that they are
 * saved to and restored from.
 */

#define pr_fmt(fmt) "kstate: " fmt

#include <linux/crc32c.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "gate.h"

/* An object to save at the jump */
struct registration {
	struct list_head list;
	struct rhash_head by_obj;
	struct rhash_head by_key;
	struct kstate_description *desc;
	void *obj;
	struct kstate_key key;
	bool numbered;		/* by kstate_register() */
	bool restored;
	bool pending;		/* being restored: nothing to save yet */
};

static u32 registration_obj_hash(const void *data, u32 len, u32 seed)
{
	const struct registration *r = data;

	return crc32c(seed, &r->obj, sizeof(r->obj));
}

static int registration_obj_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct registration *a = arg->key, *b = obj;

	return a->obj != b->obj || a->desc != b->desc;
}

static const struct rhashtable_params by_obj_params = {
	.head_offset = offsetof(struct registration, by_obj),
	.hashfn = registration_obj_hash,
	.obj_hashfn = registration_obj_hash,
	.obj_cmpfn = registration_obj_cmp,
	.automatic_shrinking = true,
};

static u32 registration_key_hash(const void *data, u32 len, u32 seed)
{
	const struct registration *r = data;
	u32 hash = crc32c(seed, r->desc->name, strlen(r->desc->name));

	return r->key.name ? crc32c(hash, r->key.name, strlen(r->key.name)) :
			     crc32c(hash, &r->key.id, sizeof(r->key.id));
}

static int registration_key_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct registration *a = arg->key, *b = obj;

	if (strcmp(a->desc->name, b->desc->name) || !a->key.name != !b->key.name)
		return 1;
	return a->key.name ? strcmp(a->key.name, b->key.name) : a->key.id != b->key.id;
}

static const struct rhashtable_params by_key_params = {
	.head_offset = offsetof(struct registration, by_key),
	.hashfn = registration_key_hash,
	.obj_hashfn = registration_key_hash,
	.obj_cmpfn = registration_key_cmp,
	.automatic_shrinking = true,
};

/*
 * Protects the registrations and the preparing of jumps; taken before any
 * other lock, and not held while an object is restored.
 */
static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(registrations);
static struct rhashtable by_obj;
static struct rhashtable by_key;
static bool finished;
static bool begun;
static struct kstate_set *outgoing;
static struct kstate_stream *kernel_stream;	/* of the outgoing set */
static struct kstate_set *incoming;
static bool prepared;

/* Why nothing can be restored or saved: not yet, or not at all; 0 once it can */
static int not_open = -EPROBE_DEFER;
static int not_writable = -EPROBE_DEFER;

/* Why what the kernel before wrote cannot be read at all, until that has been finished with */
static struct kstate_error unreadable;

/**
 * kstate_outgoing() - the set that the next kernel will get
 *
 * Return: the set, or NULL if this kernel cannot hand anything over, or not yet
 * (before fs_initcall_sync).
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
 * kstate_incoming_error() - why there is no incoming set although there should be
 *
 * Return: the error; its code is 0 if there is none, or if somebody has finished with it.
 */
const struct kstate_error *kstate_incoming_error(void)
{
	return &unreadable;
}

/* A restored object mends what was refused of it before */
static void registry_clear_error(const struct kstate_where *where)
{
	char path[sizeof(incoming->last_error.path)];
	int len = kstate_where_text(where, NULL, path, sizeof(path));

	guard(mutex)(&incoming->lock);
	if (!strncmp(incoming->last_error.path, path, len))
		incoming->last_error.code = 0;
}

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
 * open, which is before the first initcall, or when its module is loaded;
 * another negative error code. The object is as it was unless 0 is returned.
 */
int kstate_restore_key(struct kstate_description *desc, void *obj, struct kstate_key key)
{
	struct kstate_where where = { .state = desc->name, .key = key, .has_key = true };
	struct kstate_stream *stream = kstate_stream_find(incoming, KSTATE_STREAM);
	int ret;

	if (not_open)
		return not_open;
	/* If what is damaged may have been the stream, absence is not known */
	if (!stream)
		return incoming && incoming->damage.code ? -EBADMSG : -ENOENT;
	ret = kstate_stream_restore(stream, desc, obj, key, NULL);
	if (!ret && READ_ONCE(incoming->last_error.code))
		registry_clear_error(&where);
	return ret;
}
EXPORT_SYMBOL_GPL(kstate_restore_key);

/**
 * kstate_walk_keys() - find out which instances of a state can be restored
 * @desc: the description
 * @fn: see kstate_stream_walk_keys(); it may call kstate_restore() and
 *	kstate_register_key()
 * @arg: for @fn
 *
 * Context: may sleep; not from a function of a description.
 * Return: 0; what @fn returned; -EPROBE_DEFER before KSTATE is initialized;
 * -EBADMSG after the last call if there may have been more, in bytes that cannot be
 * read; another negative error code.
 */
int kstate_walk_keys(struct kstate_description *desc, kstate_key_fn fn, void *arg)
{
	struct kstate_stream *stream = kstate_stream_find(incoming, KSTATE_STREAM);

	if (not_open)
		return not_open;
	if (stream)
		return kstate_stream_walk_keys(stream, desc, fn, arg);
	return incoming && incoming->damage.code ? -EBADMSG : 0;
}
EXPORT_SYMBOL_GPL(kstate_walk_keys);

/**
 * kstate_save_state_key() - save an object now
 * @desc: its description
 * @obj: the object; the caller keeps it from changing
 * @key: which instance it is
 *
 * kstate_save_state() is the same with a plain number or string as the key.
 * Errors are logged.
 *
 * Context: may sleep.
 * Return: 0; -EPROBE_DEFER as long as nothing can be saved (before
 * fs_initcall_sync); -EOPNOTSUPP if this kernel cannot hand anything over;
 * another negative error code.
 */
int kstate_save_state_key(struct kstate_description *desc, const void *obj, struct kstate_key key)
{
	/* Then kernel_stream is there: see kstate_registry_init() */
	int ret = smp_load_acquire(&not_writable);

	return ret ?: kstate_stream_save(kernel_stream, desc, obj, key, NULL);
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

static int registry_add(struct registration *r)
{
	int ret;

	guard(mutex)(&registry_lock);
	ret = rhashtable_lookup_insert_key(&by_key, r, &r->by_key, by_key_params);
	if (ret)
		return ret;
	ret = rhashtable_insert_fast(&by_obj, &r->by_obj, by_obj_params);
	if (ret)
		rhashtable_remove_fast(&by_key, &r->by_key, by_key_params);
	else
		list_add_tail(&r->list, &registrations);
	return ret;
}

static void registry_remove(struct registration *r)
{
	list_del(&r->list);
	rhashtable_remove_fast(&by_key, &r->by_key, by_key_params);
	rhashtable_remove_fast(&by_obj, &r->by_obj, by_obj_params);
	kfree(r);
}

/* Free a record that its object does not take, so that it does not stand in for it */
static int registry_forget(struct kstate_description *desc, struct kstate_key key)
{
	struct kstate_stream *stream = kstate_stream_find(incoming, KSTATE_STREAM);

	if (stream)
		kstate_stream_drop(stream, desc, key);
	return -ENOENT;
}

enum registry_how {
	REGISTRY_NUMBERED,	/* by kstate_register() */
	REGISTRY_KEYED,		/* by kstate_register_key() */
	REGISTRY_ANEW,		/* by kstate_register_anew() */
};

static int registry_register(struct kstate_description *desc, void *obj, struct kstate_key key,
			     enum registry_how how, bool *restored)
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
	r->numbered = how == REGISTRY_NUMBERED;
	r->pending = true;
	ret = registry_add(r);
	if (ret) {
		kfree(r);
		if (ret == -EEXIST)
			pr_err("register: %s: this key is registered already\n", desc->name);
		return ret;
	}

	ret = how == REGISTRY_ANEW ? registry_forget(desc, key) :
				     kstate_restore_key(desc, obj, key);
	guard(mutex)(&registry_lock);
	/* An object that was restored and unregistered begins anew, if it has to */
	if (ret && ret != -ENOENT && ret != -EALREADY) {
		registry_remove(r);
		return ret;
	}
	if (restored)
		*restored = !ret;
	r->restored = !ret;
	r->pending = false;
	return 0;
}

/**
 * kstate_register_key() - restore an object, and save it at the jump
 * @desc: its description
 * @obj: the object, initialized; until kstate_unregister() it may be saved at
 *	any time, so that the functions of @desc lock what they need
 * @key: which instance it is; a string stays the caller's
 * @restored: set to whether there was something to restore, or NULL
 *
 * This can be called before anything can be saved (fs_initcall_sync): the jump
 * is what saves.
 *
 * If this fails, the record stays, and the next call restores it. What becomes of an
 * object that is unregistered and comes back, kstate_unregister() says.
 *
 * Context: may sleep.
 * Return: 0, or a negative error code: then the object is not registered, and
 * is as it was.
 */
int kstate_register_key(struct kstate_description *desc, void *obj, struct kstate_key key,
			bool *restored)
{
	return not_open ?: registry_register(desc, obj, key, REGISTRY_KEYED, restored);
}
EXPORT_SYMBOL_GPL(kstate_register_key);

/**
 * kstate_register_anew() - save an object at the jump, without restoring it
 * @desc: its description
 * @obj: the object; see kstate_register_key()
 * @key: which instance it is; a string stays the caller's
 *
 * For an object that kstate_register_key() could not restore, and that is of use
 * without what it had before. Its record is freed, with the memory that it hands over.
 *
 * Context: may sleep.
 * Return: 0; -EPROBE_DEFER before KSTATE is open; another negative error code.
 */
int kstate_register_anew(struct kstate_description *desc, void *obj, struct kstate_key key)
{
	/* If nothing could be read, there is no record in the way either */
	if (not_open == -EPROBE_DEFER)
		return not_open;
	return registry_register(desc, obj, key, REGISTRY_ANEW, NULL);
}
EXPORT_SYMBOL_GPL(kstate_register_anew);

/**
 * kstate_register() - restore an object, and save it at the jump
 * @desc: its description
 * @obj: the object; see kstate_register_key()
 *
 * Its key is a number that counts the calls for this description, so both
 * kernels must register the objects in the same order. A number is never given
 * to another object, not even after a failure or kstate_unregister(). If that
 * leaves a gap, a jump is refused: the next kernel would count otherwise.
 * Objects that come and go need kstate_register_key().
 *
 * Context: may sleep.
 * Return: 0, or a negative error code.
 */
int kstate_register(struct kstate_description *desc, void *obj)
{
	if (not_open)
		return not_open;
	return registry_register(desc, obj, KSTATE_ID(atomic_inc_return(&desc->instance_id)),
				 REGISTRY_NUMBERED, NULL);
}
EXPORT_SYMBOL_GPL(kstate_register);

/**
 * kstate_unregister() - no longer save an object at the jump
 * @desc: its description
 * @obj: the object
 *
 * Until kstate_finish(), an object that is registered again with the same key, as
 * after a probe that was deferred, is restored again. If it had been handed memory
 * over, that is gone with the first object, and it begins anew: such objects are
 * restored in a transaction (kstate_transaction_begin()), which can be taken back.
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT if it is not registered.
 */
int kstate_unregister(struct kstate_description *desc, void *obj)
{
	struct registration this = { .desc = desc, .obj = obj }, *r;
	struct kstate_stream *stream;

	guard(mutex)(&registry_lock);
	/* Before that, there is no table to look into */
	if (not_open == -EPROBE_DEFER)
		return -ENOENT;
	r = rhashtable_lookup_fast(&by_obj, &this, by_obj_params);
	if (!r)
		return -ENOENT;
	stream = kstate_stream_find(incoming, KSTATE_STREAM);
	if (r->restored && !finished && stream)
		kstate_stream_unclaim(stream, desc, r->key);
	registry_remove(r);
	return 0;
}
EXPORT_SYMBOL_GPL(kstate_unregister);

/* Whether an object can be saved as the next kernel will ask for it */
static int registry_check(const struct registration *r, struct kstate_error *err)
{
	struct kstate_where where = {
		.state = r->desc->name, .key = r->key, .has_key = true, .err = err,
	};
	struct registration before = { .desc = r->desc, .key = KSTATE_ID(r->key.id - 1) };

	if (r->pending)
		return kstate_fail(&where, NULL, KSTATE_CHANGED, -EAGAIN,
				   "an object that is not being restored\none that is");
	if (r->numbered && r->key.id > 1 &&
	    !rhashtable_lookup_fast(&by_key, &before, by_key_params))
		return kstate_fail(&where, NULL, KSTATE_BAD_CALL, -EINVAL,
				   "numbers without a gap; objects that come and go need keys, see kstate_register_key()\nno number %llu",
				   before.key.id);
	return 0;
}

static int registry_prepare(struct kstate_error *err)
{
	struct registration *r;
	int ret;

	ret = kstate_set_hand_on(incoming, outgoing, err);
	if (ret)
		return ret;
	list_for_each_entry(r, &registrations, list) {
		ret = registry_check(r, err) ?:
		      kstate_stream_save(kernel_stream, r->desc, r->obj, r->key, err);
		if (ret)
			return ret;
	}
	return kstate_set_publish(outgoing, err);
}

static void registry_undo(void)
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
	WRITE_ONCE(outgoing->jumper, NULL);
	prepared = false;
}

/* Memory is handed over in pages, and KHO has no word for their size */
static int registry_check_pages(const struct kstate_loaded *loaded, struct kstate_error *err)
{
	struct kstate_where where = { .state = "handover", .err = err };

	if (!loaded || !loaded->page_size || loaded->page_size == PAGE_SIZE)
		return 0;
	return kstate_fail(&where, NULL, KSTATE_FOREIGN, -ENOEXEC,
			   "a kernel with pages of %lu bytes to be loaded\nof %u bytes",
			   PAGE_SIZE, loaded->page_size);
}

/**
 * kstate_prepare() - save all registered objects, and publish the outgoing set
 * @loaded: what kexec has loaded, or NULL if that is not known
 * @err: what went wrong
 *
 * The gate judges last, when all has been saved: what others save for this
 * jump, such as files that live update has frozen, is in the set by now.
 *
 * Context: the kexec lock is held; allocates.
 * Return: 0, or a negative error code: then everything has been undone.
 */
int kstate_prepare(const struct kstate_loaded *loaded, struct kstate_error *err)
{
	int ret;

	guard(mutex)(&registry_lock);
	guard(rwsem_write)(&outgoing->use);
	WRITE_ONCE(outgoing->jumper, current);
	ret = registry_check_pages(loaded, err);
	if (!ret)
		ret = registry_prepare(err) ?: kstate_gate_jump(outgoing, loaded, err);
	kstate_report_error(outgoing, err, "prepare");
	if (ret)
		registry_undo();
	WRITE_ONCE(outgoing->jumper, NULL);
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
	WRITE_ONCE(outgoing->jumper, current);
	if (prepared)
		registry_undo();
	WRITE_ONCE(outgoing->jumper, NULL);
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
 * @fn: called for each, with the error that keeps it from being saved, or NULL.
 *	What it returns other than 0 ends that
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
		struct kstate_error err = {};

		ret = registry_check(r, &err);
		ret = fn(r->desc, r->obj, r->key, ret ? &err : NULL, arg);
		if (ret)
			return ret;
	}
	return 0;
}

static int registry_finish(bool all)
{
	/* If nothing could be read, nothing is waited for any more */
	if (not_open != -EPROBE_DEFER)
		not_open = 0;
	unreadable.code = 0;
	finished = true;
	return incoming ? kstate_set_finish(incoming, all) : 0;
}

/**
 * kstate_finish() - all objects that are wanted have been restored
 *
 * Records that kstate_register() and kstate_restore() have not claimed are reported and freed,
 * but for optional states that this kernel does not know: those are handed on at the
 * next jump. Streams of others, such as sessions of live update that nobody has
 * retrieved yet, stay as they are: they are their owners', and handed on.
 *
 * Context: may sleep.
 * Return: number of records that were freed.
 */
int kstate_finish(void)
{
	return registry_finish(false);
}
EXPORT_SYMBOL_GPL(kstate_finish);

/**
 * kstate_finish_all() - as kstate_finish(), for all streams
 *
 * Context: may sleep.
 * Return: number of records that were freed.
 */
int kstate_finish_all(void)
{
	return registry_finish(true);
}

/**
 * kstate_registry_begin() - begin; nothing can be restored or saved yet
 *
 * Return: 0 or -ENOMEM.
 */
int kstate_registry_begin(void)
{
	int ret = rhashtable_init(&by_obj, &by_obj_params);

	if (ret)
		return ret;
	ret = rhashtable_init(&by_key, &by_key_params);
	if (ret)
		rhashtable_destroy(&by_obj);
	begun = !ret;
	return ret;
}

/**
 * kstate_registry_open() - have something to restore from
 * @in: set that the kernel before this one wrote; NULL if it wrote none, an
 *	ERR_PTR() if it cannot be read: then registering fails until
 *	kstate_finish(), because it is not known what there is to restore
 * @err: why it cannot be read
 */
void kstate_registry_open(struct kstate_set *in, const struct kstate_error *err)
{
	if (IS_ERR(in) && err->code) {
		kstate_error_log(err, "open");
		unreadable = *err;
	}
	incoming = IS_ERR(in) ? NULL : in;
	not_open = PTR_ERR_OR_ZERO(in);
}

/**
 * kstate_registry_init() - have something to save to
 * @out: set that the next kernel will get, or NULL if it gets nothing
 *
 * Context: after kstate_registry_open().
 * Return: 0, or a negative error code.
 */
int kstate_registry_init(struct kstate_set *out)
{
	struct kstate_stream *stream;
	int ret;

	if (!out) {
		not_writable = -EOPNOTSUPP;
		return 0;
	}
	kernel_stream = kstate_stream_create(out, KSTATE_STREAM, NULL);
	if (IS_ERR(kernel_stream))
		return PTR_ERR(kernel_stream);
	/* Streams that are handed on keep their numbers: new ones take others */
	if (incoming)
		list_for_each_entry(stream, &incoming->streams, list)
			out->next_id = max(out->next_id, stream->id);
	ret = kstate_modules_begin();
	if (!ret) {
		guard(mutex)(&registry_lock);
		outgoing = out;
		/* For kstate_save_state_key(), which takes no lock */
		smp_store_release(&not_writable, 0);
	}
	return ret;
}

/**
 * kstate_registry_exit() - end; nothing is registered any more
 */
void kstate_registry_exit(void)
{
	if (outgoing) {
		kstate_abort();
		kstate_modules_end();
	}
	kstate_gate_exit();
	/* Said, if it is lost with this */
	if (incoming && !finished)
		kstate_set_finish(incoming, true);
	kstate_set_destroy(outgoing);
	kstate_set_destroy(incoming);
	outgoing = NULL;
	incoming = NULL;
	not_open = -EPROBE_DEFER;
	not_writable = -EPROBE_DEFER;
	if (begun) {
		rhashtable_destroy(&by_key);
		rhashtable_destroy(&by_obj);
	}
	begun = false;
	finished = false;
	unreadable.code = 0;
}
