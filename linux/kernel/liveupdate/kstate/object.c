// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects into records and out of them: the calls of the API.
 */

#include <linux/align.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/string.h>
#include "internal.h"

/* A call on one record: what is known of it */
struct call {
	struct kstate_stream *stream;
	struct kstate_schema *schema;
	u64 key;
	u32 len;
	u32 id;
	u32 name;
	struct kstate_walk walk;
};

/* Field by field: clearing all of it would take longer than a small object does */
static int call_begin(struct call *call, struct kstate_stream *stream,
		      struct kstate_description *desc, struct kstate_key key,
		      struct kstate_error *err)
{
	struct kstate_walk *w = &call->walk;

	w->where = (struct kstate_where){
		.state = desc->name, .key = key, .has_key = true, .err = err,
		.writer = stream->set->incoming ? stream->set->writer : NULL,
	};
	w->stream = stream;
	w->measuring = false;
	w->apply = false;
	w->remote = false;
	w->need = 0;
	w->taken = NULL;
	w->nr_taken = 0;
	w->room_taken = 0;
	w->next_taken = 0;
	w->nr_groups = 0;

	call->stream = stream;
	call->key = key.id;
	call->len = 0;
	call->id = KSTATE_NO_REF;
	if (key.name) {
		call->len = strnlen(key.name, KSTATE_MAX_NAME + 1);
		call->key = kstate_string_key(key.name, call->len);
	}
	call->schema = kstate_describe(desc, err);
	if (IS_ERR(call->schema))
		return PTR_ERR(call->schema);
	if (desc->string_key != !!key.name ||
	    (key.name && (!call->len || call->len > KSTATE_MAX_NAME)))
		return kstate_fail(&w->where, NULL, KSTATE_BAD_CALL, -EINVAL,
				   "%s as the key\n%s",
				   desc->string_key ? "a short string" : "a number",
				   key.name ? "a string" : "a number");
	return 0;
}

static void call_end(struct call *call, const char *doing)
{
	kstate_set_error(call->stream->set, call->walk.where.err, doing);
}

/* Functions of a description come back here only for other streams */
static int call_lock(struct call *call)
{
	struct kstate_stream *stream = call->stream;

	if (READ_ONCE(stream->user) == current)
		return kstate_fail(&call->walk.where, NULL, KSTATE_BAD_CALL, -EDEADLK,
				   "a stream that is not in use\na function of a description");
	mutex_lock(&stream->lock);
	WRITE_ONCE(stream->user, current);
	stream->walk = &call->walk;
	return 0;
}

static void call_unlock(struct call *call)
{
	struct kstate_stream *stream = call->stream;

	stream->walk = NULL;
	WRITE_ONCE(stream->user, NULL);
	mutex_unlock(&stream->lock);
}

/*
 * Reading the clock takes as long as a small object does. Those of a fixed size
 * are all alike: time one of sixteen, and let it speak for the others.
 */
static u64 call_clock(const struct call *call, u32 nr)
{
	return call->schema->tails || !(nr % 16) ? local_clock() : 0;
}

static void call_time(struct call *call, u64 start, struct kstate_slot *slot)
{
	if (start)
		call->stream->last_ns = min(local_clock() - start, U32_MAX);
	slot->ns = call->stream->last_ns;
	call->stream->ns += slot->ns;
}

/* The number of the schema (outgoing) and its name; one of a stream is like the one before */
static int call_schema(struct call *call)
{
	struct kstate_stream *stream = call->stream;
	int ret;

	if (stream->last != call->schema->serial) {
		if (stream->set->incoming) {
			call->name = kstate_set_name(stream->set, call->schema->name);
		} else {
			ret = kstate_set_schema(stream->set, call->schema, &call->id,
						call->walk.where.err);
			if (ret)
				return ret;
			call->name = kstate_known(stream->set, call->id)->name;
		}
		stream->last = call->schema->serial;
		stream->last_id = call->id;
		stream->last_name = call->name;
	}
	call->id = stream->last_id;
	call->name = stream->last_name;
	return 0;
}

/* Keys that ascend cannot be duplicates: only the others need the index */
static int check_duplicate(struct call *call)
{
	struct kstate_stream *stream = call->stream;
	u64 *max_key = kstate_stream_max_key(stream, call->name);
	struct kstate_slot *slot;

	if (!max_key)
		return -ENOMEM;
	if (!call->len && call->key >= *max_key && call->key != U64_MAX) {
		*max_key = call->key + 1;
		return 0;
	}
	slot = kstate_stream_lookup(stream, call->name, call->key, call->walk.where.key.name,
				    call->len);
	if (IS_ERR(slot))
		return -ENOMEM;
	return slot ? -EEXIST : 0;
}

static int save_record(struct call *call, const void *obj, struct kstate_slot **slot)
{
	struct kstate_stream *stream = call->stream;
	struct kstate_schema *schema = call->schema;
	struct kstate_walk *w = &call->walk;
	u32 key_bytes = ALIGN(call->len, 8), fixed_bytes = ALIGN(schema->size, 8), size;
	struct kstate_record *record;
	u8 *fixed;
	int ret;

	/* What is saved now would not be in what the next kernel reads */
	if (stream->set->published)
		return kstate_fail(&w->where, NULL, KSTATE_BAD_CALL, -EBUSY,
				   "a call before the jump begins\none after");
	ret = call_schema(call);
	if (ret)
		return ret;
	ret = check_duplicate(call);
	if (ret == -EEXIST)
		return kstate_fail(&w->where, NULL, KSTATE_DUPLICATE, ret,
				   "a key that is not in use\nthe same key");
	if (ret)
		return kstate_fail(&w->where, NULL, KSTATE_NO_MEMORY, ret, "memory\nnone");
	ret = kstate_save_measure(w, schema, obj);
	if (ret)
		return ret;
	if (key_bytes + fixed_bytes + w->need > KSTATE_MAX_RECORD)
		return kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE,
				   "at most %u bytes\nmore", KSTATE_MAX_RECORD);
	size = key_bytes + fixed_bytes + w->need;
	ret = kstate_stream_append(stream, size, &record, w->where.err);
	if (ret)
		return ret;

	record->key = cpu_to_le64(call->key);
	record->size = cpu_to_le32(size);
	record->schema = cpu_to_le32(call->id);
	record->key_len = cpu_to_le16(call->len);
	record->flags = cpu_to_le16(schema->flags & KSTATE_SCHEMA_OPTIONAL ?
				    KSTATE_RECORD_OPTIONAL : 0);
	if (call->len)
		memcpy(record + 1, w->where.key.name, call->len);
	fixed = (u8 *)(record + 1) + key_bytes;
	w->tail.pos = fixed + fixed_bytes;
	w->tail.end = w->tail.pos + w->need;

	ret = kstate_save_write(w, schema, fixed, obj);
	*slot = ret ? NULL : kstate_stream_commit(stream, record);
	if (!ret && !*slot)
		ret = kstate_fail(&w->where, NULL, KSTATE_NO_MEMORY, -ENOMEM, "memory\nnone");
	if (ret) {
		kstate_record_release(stream, record);
		kstate_stream_cancel(stream, record, size);
	}
	return ret;
}

/**
 * kstate_stream_save() - save an object
 * @stream: a stream that is not incoming
 * @desc: its description
 * @obj: the object; the caller keeps it from changing
 * @key: which instance it is
 * @err: what went wrong, or NULL; it is logged in any case
 *
 * Memory that the object hands over in place is preserved; it stays the
 * object's, and must not be freed, until the jump or kstate_stream_drop().
 *
 * Context: may sleep.
 * Return: 0, or a negative error code: then nothing has been saved.
 */
int kstate_stream_save(struct kstate_stream *stream, struct kstate_description *desc,
		       const void *obj, struct kstate_key key, struct kstate_error *err)
{
	struct kstate_error local;
	struct kstate_slot *slot = NULL;
	struct call call;
	u64 start;
	int ret;

	ret = call_begin(&call, stream, desc, key, kstate_error_begin(err, &local));
	if (!ret && stream->set->incoming)
		ret = kstate_fail(&call.walk.where, NULL, KSTATE_BAD_CALL, -EINVAL,
				  "a stream to write to\nan incoming one");
	if (!ret)
		ret = call_lock(&call);
	if (!ret) {
		/* The first object with a schema does not speak for the others */
		ret = stream->set->published ? 0 : call_schema(&call);
		start = call_clock(&call, stream->index.nr);
		ret = ret ?: save_record(&call, obj, &slot);
		if (!ret)
			call_time(&call, start, slot);
		call_unlock(&call);
	}
	if (ret)
		call_end(&call, "save");
	return ret;
}
EXPORT_SYMBOL_GPL(kstate_stream_save);

/* The record of the call, or an ERR_PTR() */
static struct kstate_slot *find_record(struct call *call)
{
	struct kstate_where *where = &call->walk.where;
	struct kstate_slot *slot = NULL;
	int ret = call_schema(call);

	if (ret)
		return ERR_PTR(ret);
	if (call->name != KSTATE_NO_REF)
		slot = kstate_stream_lookup(call->stream, call->name, call->key,
					    where->key.name, call->len);
	if (IS_ERR(slot))
		kstate_fail(where, NULL, KSTATE_NO_MEMORY, -ENOMEM, "memory\nnone");
	if (slot)
		return slot;
	/* What cannot be read may be what is asked for: absence is not known */
	if (call->stream->set->damage.code)
		return ERR_PTR(kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG,
					   "a record\nnone, and bytes that cannot be read"));
	return ERR_PTR(kstate_fail(where, NULL, KSTATE_NO_RECORD, -ENOENT,
				   "a record in stream %s\nnone", call->stream->name));
}

/**
 * kstate_stream_drop() - take back what was saved
 * @stream: a stream that is not incoming
 * @desc: the description
 * @key: which instance
 *
 * Context: may sleep.
 * Return: 0, or a negative error code.
 */
int kstate_stream_drop(struct kstate_stream *stream, struct kstate_description *desc,
		       struct kstate_key key)
{
	struct kstate_error local;
	struct kstate_slot *slot;
	struct call call;
	int ret;

	ret = call_begin(&call, stream, desc, key, kstate_error_begin(NULL, &local));
	if (!ret && stream->set->incoming)
		ret = -EINVAL;
	if (!ret)
		ret = call_lock(&call);
	if (ret)
		return ret;
	slot = stream->set->published ? ERR_PTR(-EBUSY) : find_record(&call);
	if (!IS_ERR(slot))
		kstate_slot_drop(stream, slot);
	call_unlock(&call);
	return PTR_ERR_OR_ZERO(slot);
}
EXPORT_SYMBOL_GPL(kstate_stream_drop);

static int restore_record(struct call *call, struct kstate_slot *slot, void *obj, bool apply)
{
	struct kstate_record *record = slot->record;
	struct kstate_set *set = call->stream->set;
	struct kstate_walk *w = &call->walk;
	u32 id = le32_to_cpu(record->schema), key_bytes = kstate_key_bytes(record);
	u32 size = le32_to_cpu(record->size), fixed_bytes;
	struct kstate_resolution *res;
	struct kstate_cursor tail;
	u8 *fixed;
	int ret;

	if (slot->state == KSTATE_SLOT_CLAIMED)
		return kstate_fail(&w->where, NULL, KSTATE_CLAIMED, -EALREADY,
				   "a record that has not been restored\none that has");
	if (!kstate_record_whole(record))
		return kstate_fail(&w->where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "checksum %#010x\nanother", le32_to_cpu(record->pcrc));
	res = call->stream->last_res;
	if (!res || call->stream->last_res_id != id ||
	    call->stream->last_res_reader != call->schema->serial) {
		ret = kstate_set_resolve(set, id, call->schema, &w->where, &res);
		if (ret)
			return ret;
		call->stream->last_res = res;
		call->stream->last_res_id = id;
		call->stream->last_res_reader = call->schema->serial;
	}

	fixed_bytes = ALIGN(kstate_known(set, id)->schema->size, 8);
	if (size < key_bytes + fixed_bytes)
		return kstate_fail(&w->where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "at least %u bytes\n%u", key_bytes + fixed_bytes, size);
	fixed = kstate_record_payload(record);
	tail.pos = fixed + fixed_bytes;
	tail.end = (u8 *)(record + 1) + size;

	w->tail = tail;
	ret = kstate_restore_check(w, res->plan, fixed, obj);
	if (ret || !apply) {
		kstate_restore_undo(w);
		return ret ?: res->verdict;
	}
	w->tail = tail;
	kstate_restore_apply(w, res->plan, fixed, obj);
	slot->state = KSTATE_SLOT_CLAIMED;
	return 0;
}

/* What means that there is nothing to restore must not mean anything else */
static int own_code(struct call *call, int ret)
{
	struct kstate_error *err = call->walk.where.err;

	if ((ret == -ENOENT && err->reason != KSTATE_NO_RECORD) ||
	    (ret == -EALREADY && err->reason != KSTATE_CLAIMED))
		err->code = -EIO;
	return err->code ?: ret;
}

static int restore_call(struct kstate_stream *stream, struct kstate_description *desc, void *obj,
			struct kstate_key key, struct kstate_error *err, bool apply)
{
	struct kstate_error local;
	struct kstate_slot *slot;
	struct call call;
	u64 start;
	int ret;

	ret = call_begin(&call, stream, desc, key, kstate_error_begin(err, &local));
	if (!ret && !stream->set->incoming)
		ret = kstate_fail(&call.walk.where, NULL, KSTATE_BAD_CALL, -EINVAL,
				  "an incoming stream\none to write to");
	if (!ret)
		ret = call_lock(&call);
	if (!ret) {
		start = call_clock(&call, stream->restored);
		slot = find_record(&call);
		ret = IS_ERR(slot) ? PTR_ERR(slot) : restore_record(&call, slot, obj, apply);
		if (!ret && apply) {
			call_time(&call, start, slot);
			stream->restored++;
		}
		call_unlock(&call);
	}
	if (ret < 0) {
		ret = own_code(&call, ret);
		call_end(&call, apply ? "restore" : "check");
	}
	return ret;
}

/**
 * kstate_stream_restore() - restore an object
 * @stream: a stream of kstate_incoming(), or of another incoming set
 * @desc: its description
 * @obj: the object, initialized, as its description wants it
 * @key: which instance it is
 * @err: what went wrong, or NULL; it is logged in any case
 *
 * Context: may sleep.
 * Return: 0, or a negative error code: then neither the object nor the record
 * has changed, and the call can be tried again. -ENOENT if there is no record.
 */
int kstate_stream_restore(struct kstate_stream *stream, struct kstate_description *desc,
			  void *obj, struct kstate_key key, struct kstate_error *err)
{
	return restore_call(stream, desc, obj, key, err, true);
}
EXPORT_SYMBOL_GPL(kstate_stream_restore);

/**
 * kstate_stream_check() - find out whether restoring would work
 * @stream: as for kstate_stream_restore()
 * @desc: as for kstate_stream_restore()
 * @obj: as for kstate_stream_restore(); it is only read
 * @key: as for kstate_stream_restore()
 * @err: as for kstate_stream_restore()
 *
 * Context: may sleep.
 * Return: &enum kstate_verdict, or a negative error code.
 */
int kstate_stream_check(struct kstate_stream *stream, struct kstate_description *desc,
			const void *obj, struct kstate_key key, struct kstate_error *err)
{
	return restore_call(stream, desc, (void *)obj, key, err, false);
}
EXPORT_SYMBOL_GPL(kstate_stream_check);
