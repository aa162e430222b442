// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live state: the registered objects as they would be saved now.
 */

/**
 * DOC: live state
 *
 * To look at an object without a jump, it is saved as for one, to a set that goes
 * nowhere: what it hands over in place is not touched, but its functions are
 * called. Objects that cannot be saved now are told with the reason.
 */

#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "gate.h"

/**
 * kstate_live_open() - make room for live state
 * @live: what to fill, for kstate_live_close()
 *
 * Context: may sleep.
 * Return: 0, or a negative error code.
 */
int kstate_live_open(struct kstate_live *live)
{
	live->set = kstate_scratch_create();
	if (!live->set)
		return -ENOMEM;
	live->stream = kstate_stream_create(live->set, KSTATE_STREAM, NULL);
	if (!IS_ERR(live->stream))
		return 0;
	kstate_set_destroy(live->set);
	return PTR_ERR(live->stream);
}

/**
 * kstate_live_close() - free it
 * @live: what kstate_live_open() filled
 */
void kstate_live_close(struct kstate_live *live)
{
	kstate_live_forget(live);
	kstate_set_destroy(live->set);
}

/**
 * kstate_live_forget() - free the records that have been made
 * @live: where they are
 */
void kstate_live_forget(struct kstate_live *live)
{
	live->stream->ns = 0;
	live->stream->bytes = 0;
	/* Nothing has been preserved, so there is nothing to take back */
	live->stream->index.nr = 0;
	kstate_stream_empty(live->stream);
}

/**
 * kstate_live_is_saved() - whether a stream of the outgoing set has a record
 * @name: of the stream
 * @state: name of the state
 * @key: its key, for strings by kstate_string_key()
 * @string: the string, or NULL
 * @len: its length, or 0
 *
 * Context: kstate_registry_lock() is held.
 * Return: 1, 0 or -ENOMEM.
 */
int kstate_live_is_saved(const char *name, const char *state, u64 key, const char *string, u32 len)
{
	struct kstate_stream *stream = kstate_stream_find(kstate_outgoing(), name);
	struct kstate_slot *slot;
	u32 id;

	if (!stream)
		return 0;
	guard(mutex)(&stream->lock);
	if (!stream->index.nr)
		return 0;
	scoped_guard(mutex, &stream->set->lock)
		id = kstate_set_name(stream->set, state);
	if (id == KSTATE_NO_REF)
		return 0;
	slot = kstate_stream_lookup(stream, id, key, string, len);
	return IS_ERR(slot) ? PTR_ERR(slot) : !!slot;
}

/**
 * kstate_live_save() - save an object as for a jump
 * @live: where to
 * @desc: its description
 * @obj: the object
 * @key: its key
 * @refused: the error that keeps it from being saved, or NULL
 * @err: filled if it cannot be saved, that is: could not at a jump either
 *
 * Context: kstate_registry_lock() is held; may sleep.
 * Return: 0, also if @err is filled; -ENOMEM.
 */
int kstate_live_save(struct kstate_live *live, struct kstate_description *desc, const void *obj,
		     struct kstate_key key, const struct kstate_error *refused,
		     struct kstate_error *err)
{
	struct kstate_where where = { .state = desc->name, .key = key, .has_key = true,
				      .err = err };
	u32 len = key.name ? strlen(key.name) : 0;
	int ret;

	err->code = 0;
	if (refused) {
		*err = *refused;
		return 0;
	}
	ret = kstate_live_is_saved(KSTATE_STREAM, desc->name,
				   len ? kstate_string_key(key.name, len) : key.id, key.name, len);
	if (ret < 0)
		return ret;
	if (ret)
		kstate_fail(&where, NULL, KSTATE_DUPLICATE, -EEXIST,
			    "a key that is not in use\nthe same key");
	else
		kstate_stream_save(live->stream, desc, obj, key, err);
	return err->reason == KSTATE_NO_MEMORY && err->code ? -ENOMEM : 0;
}

/* One object after the other */

struct walk {
	struct kstate_live live;
	kstate_live_fn fn;
	void *arg;
};

static int live_tell(struct kstate_description *desc, const void *obj, struct kstate_key key,
		     const struct kstate_error *refused, void *arg)
{
	struct walk *walk = arg;
	const struct kstate_slot *slot = NULL;
	struct kstate_error err;
	int ret = kstate_live_save(&walk->live, desc, obj, key, refused, &err);

	if (ret)
		return ret;
	if (!err.code)
		slot = &walk->live.stream->index.slots[walk->live.stream->index.nr - 1];
	ret = walk->fn(desc, key, slot, &err, walk->arg);
	kstate_live_forget(&walk->live);
	return ret;
}

/**
 * kstate_live_walk() - go through the registered objects as they would be saved now
 * @fn: called for each; what it returns other than 0 ends that
 * @arg: for @fn
 *
 * Context: takes kstate_registry_lock(); may sleep long.
 * Return: 0, -ENOMEM, or what @fn returned.
 */
int kstate_live_walk(kstate_live_fn fn, void *arg)
{
	struct walk walk = { .fn = fn, .arg = arg };
	int ret = kstate_live_open(&walk.live);

	if (ret)
		return ret;
	scoped_guard(registry)
		ret = kstate_walk_objects(live_tell, &walk);
	kstate_live_close(&walk.live);
	return ret;
}

static int live_keep(struct kstate_description *desc, const void *obj, struct kstate_key key,
		     const struct kstate_error *refused, void *arg)
{
	struct kstate_error err;

	/* Objects that cannot be saved are left out: kstate_live_walk() tells */
	return kstate_live_save(arg, desc, obj, key, refused, &err);
}

/**
 * kstate_live_export() - the registered objects as a stream
 * @blob: set to its bytes, for kvfree()
 * @size: set to how many
 *
 * Context: takes kstate_registry_lock(); may sleep long.
 * Return: 0, or a negative error code.
 */
int kstate_live_export(void **blob, size_t *size)
{
	struct kstate_live live;
	int ret = kstate_live_open(&live);

	if (ret)
		return ret;
	scoped_guard(registry)
		ret = kstate_walk_objects(live_keep, &live);
	ret = ret ?: kstate_set_export(live.set, blob, size);
	kstate_live_close(&live);
	return ret;
}
