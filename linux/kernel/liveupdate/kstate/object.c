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
#include <linux/slab.h>
#include <trace/events/kstate.h>
#include "store.h"

/* A call on one record. A string key has @len bytes, and where->key.id is its checksum */
struct call {
	struct kstate_where *where;
	struct kstate_stream *stream;
	struct kstate_schema *schema;
	s32 len;
};

/* The length of a string key, or an error */
static noinline int call_string(struct kstate_where *where, bool wanted)
{
	const char *name = where->key.name;
	u32 len = name ? strnlen(name, KSTATE_MAX_NAME + 1) : 0;

	if (!wanted || !len || len > KSTATE_MAX_NAME)
		return kstate_fail(where, NULL, KSTATE_BAD_CALL, -EINVAL, "%s as the key\n%s",
				   wanted ? "a short string" : "a number",
				   name ? "a string" : "a number");
	where->key.id = kstate_string_key(name, len);
	return len;
}

/* Field by field: clearing what messages need would take longer than a small object does */
static __always_inline int call_begin(struct call *call, struct kstate_where *where,
				      struct kstate_stream *stream,
				      struct kstate_description *desc, struct kstate_key key,
				      struct kstate_error *err)
{
	where->state = desc->name;
	where->key = key;
	where->has_key = true;
	where->writer = stream->set->writer;
	where->stream = stream->name;
	where->frame = NULL;
	where->err = err;
	call->where = where;
	call->stream = stream;
	call->len = 0;
	call->schema = kstate_describe(desc, err);
	if (IS_ERR(call->schema))
		return PTR_ERR(call->schema);
	if (unlikely(key.name || desc->string_key))
		call->len = call_string(where, desc->string_key);
	return min(call->len, 0);
}

static __always_inline void user_lock(struct kstate_stream *stream)
{
	mutex_lock(&stream->lock);
	WRITE_ONCE(stream->user, current);
}

static __always_inline void user_unlock(struct kstate_stream *stream)
{
	WRITE_ONCE(stream->user, NULL);
	mutex_unlock(&stream->lock);
}

/* Functions of a description come back here only for other streams */
static __always_inline int call_lock(struct call *call)
{
	if (READ_ONCE(call->stream->user) == current)
		return kstate_fail(call->where, NULL, KSTATE_BAD_CALL, -EDEADLK,
				   "a stream that is not in use\na function of a description");
	user_lock(call->stream);
	return 0;
}

static void call_unlock(struct call *call)
{
	user_unlock(call->stream);
}

/* What functions of a description, and memory that is preserved, belong to */

struct kstate_save_ctx *kstate_stream_saving(struct kstate_stream *stream)
{
	return READ_ONCE(stream->user) == current ? stream->saving : NULL;
}

struct kstate_restore_ctx *kstate_stream_restoring(struct kstate_stream *stream)
{
	return READ_ONCE(stream->user) == current ? stream->restoring : NULL;
}

/* A record that is being saved, with its size so far */
static struct kstate_record *record_so_far(const struct kstate_save_ctx *w)
{
	struct kstate_record *record = (void *)w->rec;

	record->size = cpu_to_le32(w->used - sizeof(*record));
	return record;
}

int kstate_stream_preserve(struct kstate_stream *stream, const struct kstate_where *where,
			   const struct kstate_path *path, u8 kind, void *ptr, size_t nr,
			   struct kstate_edge *edge)
{
	record_so_far(stream->saving);
	return kstate_set_preserve(stream->set, where, path, kind, ptr, nr, edge);
}

int kstate_stream_take(struct kstate_stream *stream, const struct kstate_edge *edge, void **ptr)
{
	return kstate_set_take(stream->set, edge, ptr);
}

void kstate_stream_park(struct kstate_stream *stream, const struct kstate_edge *edge, void *ptr)
{
	kstate_set_park(stream->set, edge, ptr);
}

void kstate_stream_discard(struct kstate_stream *stream, struct kstate_edge *edge)
{
	kstate_set_discard_edge(stream->set, edge);
}

/*
 * Reading the clock takes as long as a small object does. Those of a fixed size
 * are all alike: time one of sixteen, and let it speak for the others.
 */
static u64 call_clock(const struct call *call, u32 nr, bool traced)
{
	return call->schema->tails || !(nr % 16) || traced ? local_clock() : 0;
}

static void call_time(struct call *call, u64 start, struct kstate_slot *slot)
{
	if (start)
		call->stream->last_ns = min(local_clock() - start, U32_MAX);
	slot->ns = call->stream->last_ns;
	call->stream->ns += slot->ns;
}

static noinline int call_new_schema(struct kstate_stream *stream,
				    const struct kstate_schema *schema, struct kstate_error *err)
{
	struct kstate_used *used;
	u32 i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(stream->used); i++) {
		if (stream->used[i].serial == schema->serial) {
			stream->last = &stream->used[i];
			return 0;
		}
	}
	used = stream->used + (stream->last - stream->used + 1) % ARRAY_SIZE(stream->used);
	stream->last = used;
	*used = (struct kstate_used){ .id = KSTATE_NO_REF, .name = KSTATE_NO_REF };
	if (stream->set->incoming) {
		used->name = kstate_set_name(stream->set, schema->name);
	} else {
		ret = kstate_set_schema(stream->set, schema, &used->id, err);
		if (ret)
			return ret;
		used->name = kstate_known(stream->set, used->id)->name;
	}
	used->serial = schema->serial;
	return 0;
}

/* The numbers of the schema and of its name; most are like those of the call before */
static __always_inline int call_schema(struct call *call)
{
	return likely(call->stream->last->serial == call->schema->serial) ? 0 :
	       call_new_schema(call->stream, call->schema, call->where->err);
}

/* Keys that ascend cannot be duplicates: only the others need the index */
static int check_duplicate(struct call *call)
{
	struct kstate_stream *stream = call->stream;
	u32 name = stream->last->name;
	u64 *max_key = kstate_stream_max_key(stream, name);
	const struct kstate_key *key = &call->where->key;
	struct kstate_slot *slot;

	if (!max_key)
		return -ENOMEM;
	if (!call->len && key->id + 1 > *max_key) {
		*max_key = key->id + 1;
		return 0;
	}
	slot = kstate_stream_lookup(stream, name, key->id, key->name, call->len);
	if (IS_ERR(slot))
		return -ENOMEM;
	return slot ? -EEXIST : 0;
}

/* The header, the key and the fixed part, which is zero */
static __always_inline struct kstate_record *begin_record(const struct call *call)
{
	u32 size = ALIGN(call->len, 8) + call->schema->resolution->fixed;
	struct kstate_record *record = (void *)kstate_stream_begin(call->stream,
								   sizeof(*record) + size);

	if (!record)
		return NULL;
	record->key = cpu_to_le64(call->where->key.id);
	record->size = cpu_to_le32(size);
	record->schema = cpu_to_le32(call->stream->last->id);
	record->key_len = cpu_to_le16(call->len);
	record->flags = cpu_to_le16(call->schema->flags & KSTATE_SCHEMA_OPTIONAL ?
				    KSTATE_RECORD_OPTIONAL : 0);
	if (unlikely(call->len))
		memcpy(record + 1, call->where->key.name, call->len);
	return record;
}

/* What is not copied may have a tail: the record grows, and may move */
static noinline int save_steps(struct kstate_stream *stream, const struct kstate_plan *plan,
			       u32 done, struct kstate_save_ctx *w,
			       struct kstate_record **record, const void *obj)
{
	int ret;

	w->stream = stream;
	w->in_callback = false;
	w->rec = (u8 *)*record;
	w->used = kstate_record_bytes(*record);
	/* If there is more, kstate_save_reserve() finds out */
	w->room = w->used;
	stream->saving = w;
	ret = kstate_save_steps(w, plan, done, kstate_record_payload(*record) - w->rec, obj);
	stream->saving = NULL;
	*record = record_so_far(w);
	return ret;
}

static __always_inline int save_record(struct call *call, struct kstate_save_ctx *w,
				       const void *obj, struct kstate_slot **slot)
{
	const struct kstate_plan *plan = call->schema->resolution->plan;
	struct kstate_stream *stream = call->stream;
	struct kstate_record *record;
	u8 *fixed;
	int ret;
	u32 done;

	ret = check_duplicate(call);
	if (ret == -EEXIST)
		return kstate_fail(call->where, NULL, KSTATE_DUPLICATE, ret,
				   "a key that is not in use\nthe same key");
	record = ret ? NULL : begin_record(call);
	if (!record)
		return kstate_no_memory(call->where, NULL);
	fixed = (u8 *)(record + 1) + ALIGN(call->len, 8);
	done = kstate_save_copies(plan, fixed, obj);
	if (done < plan->nr)
		ret = save_steps(stream, plan, done, w, &record, obj);
	*slot = ret ? NULL : kstate_stream_commit(stream, record);
	if (*slot)
		return 0;
	if (!ret)
		ret = kstate_no_memory(call->where, NULL);
	kstate_record_release(stream, record);
	kstate_stream_cancel(stream, record, le32_to_cpu(record->size));
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
	struct kstate_save_ctx w __uninitialized;
	struct kstate_error local __uninitialized;
	struct kstate_slot *slot = NULL;
	struct call call;
	u64 start;
	int ret;

	ret = call_begin(&call, &w.where, stream, desc, key, kstate_error_begin(err, &local));
	if (!ret)
		ret = call_lock(&call);
	if (!ret) {
		/* The next kernel would not read what is saved now */
		if (stream->set->incoming)
			ret = kstate_fail(call.where, NULL, KSTATE_BAD_CALL, -EINVAL,
					  "a stream to write to\nan incoming one");
		else if (kstate_set_published(stream->set))
			ret = kstate_fail(call.where, NULL, KSTATE_BAD_CALL, -EBUSY,
					  "a call before the jump begins\none after");
		/* The first object with a schema does not speak for the others */
		ret = ret ?: call_schema(&call);
		start = call_clock(&call, stream->index.nr, trace_kstate_save_enabled());
		ret = ret ?: save_record(&call, &w, obj, &slot);
		if (!ret) {
			call_time(&call, start, slot);
			trace_kstate_save(desc->name, &key, le32_to_cpu(slot->record->size),
					  slot->ns);
		}
		call_unlock(&call);
	}
	if (ret)
		kstate_report_error(stream->set, w.where.err, "save");
	return ret;
}
EXPORT_SYMBOL_GPL(kstate_stream_save);

/* The record of the call, or an ERR_PTR() */
static __always_inline struct kstate_slot *find_record(struct call *call)
{
	const struct kstate_key *key = &call->where->key;
	struct kstate_stream *stream = call->stream;
	struct kstate_slot *slot = NULL;
	int ret = call_schema(call);
	u32 name = stream->last->name;

	if (ret)
		return ERR_PTR(ret);
	if (!call->len)
		slot = kstate_stream_next(stream, key->id);
	if (!slot && name != KSTATE_NO_REF)
		slot = kstate_stream_lookup(stream, name, key->id, key->name, call->len);
	if (IS_ERR(slot))
		kstate_no_memory(call->where, NULL);
	if (slot)
		return slot;
	/* The record may be among those that cannot be read: nobody knows that it is absent */
	if (stream->set->damage.code)
		return ERR_PTR(kstate_fail(call->where, NULL, KSTATE_DAMAGED, -EBADMSG,
					   "a record\nnone, and bytes that cannot be read"));
	return ERR_PTR(kstate_fail(call->where, NULL, KSTATE_NO_RECORD, -ENOENT,
				   "a record in stream %s\nnone", stream->name));
}

/**
 * kstate_stream_drop() - take back what was saved, or free what nobody has restored
 * @stream: a stream
 * @desc: the description
 * @key: which instance
 *
 * Of an incoming stream, a record that has been restored is left alone.
 *
 * Context: may sleep. Does not fail for lack of memory.
 * Return: 0, or a negative error code.
 */
int kstate_stream_drop(struct kstate_stream *stream, struct kstate_description *desc,
		       struct kstate_key key)
{
	struct kstate_error local __uninitialized;
	struct kstate_where where;
	struct kstate_slot *slot;
	struct call call;
	int ret;

	ret = call_begin(&call, &where, stream, desc, key, kstate_error_begin(NULL, &local));
	if (!ret)
		ret = call_lock(&call);
	if (ret)
		return ret;
	slot = kstate_set_published(stream->set) ? ERR_PTR(-EBUSY) : find_record(&call);
	/* Undoing must not fail */
	if (slot == ERR_PTR(-ENOMEM))
		slot = kstate_stream_search(stream, stream->last->name, where.key.id,
					    where.key.name, call.len) ?: ERR_PTR(-ENOENT);
	if (!IS_ERR(slot))
		kstate_slot_drop(stream, slot);
	call_unlock(&call);
	return PTR_ERR_OR_ZERO(slot);
}
EXPORT_SYMBOL_GPL(kstate_stream_drop);

static int update_record(struct call *call, struct kstate_record *record, const void *obj)
{
	u32 fixed = sizeof(*record) + kstate_key_bytes(record), size = call->schema->size;
	struct kstate_save_ctx w = { .where = *call->where, .stream = call->stream,
				     .rec = (u8 *)record };
	void *before;
	int ret;

	/* Its checksum would be right again, and hide what has happened to it */
	if (!kstate_record_whole(record))
		return kstate_fail(call->where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "what was saved\nother bytes");
	if (le32_to_cpu(record->schema) != call->stream->last->id)
		return kstate_fail(call->where, NULL, KSTATE_BAD_CALL, -EINVAL,
				   "the description that it was saved with\nanother");
	before = kvmalloc(size, GFP_KERNEL);
	if (!before)
		return kstate_no_memory(call->where, NULL);
	memcpy(before, w.rec + fixed, size);
	ret = kstate_save_again(&w, call->schema, fixed, obj);
	if (ret)
		memcpy(w.rec + fixed, before, size);
	else
		kstate_record_seal(record, 8 * le32_to_cpu(record->place));
	kvfree(before);
	return ret;
}

/**
 * kstate_stream_update() - save those values of an object again that may change
 * @stream: a stream that is not incoming
 * @desc: its description
 * @obj: the object; it has been saved before
 * @key: which instance it is
 * @err: what went wrong, or NULL; it is logged in any case
 *
 * Integers, bools and addresses in the object and in structs inside of it are
 * saved again. What is behind pointers, in lists, unions and groups, what functions
 * save, and memory that is handed over stays as it was saved, and is not looked
 * at. So the large part of an object can be saved early. A group that was not needed
 * then must still not be (%KSTATE_CHANGED): there is no room for it in the record.
 *
 * Context: may sleep.
 * Return: 0, or a negative error code: then the record is as it was.
 */
int kstate_stream_update(struct kstate_stream *stream, struct kstate_description *desc,
			 const void *obj, struct kstate_key key, struct kstate_error *err)
{
	struct kstate_error local __uninitialized;
	struct kstate_where where;
	struct kstate_slot *slot;
	struct call call;
	int ret;

	ret = call_begin(&call, &where, stream, desc, key, kstate_error_begin(err, &local));
	if (!ret)
		ret = call_lock(&call);
	if (!ret) {
		if (stream->set->incoming || kstate_set_published(stream->set))
			ret = kstate_fail(call.where, NULL, KSTATE_BAD_CALL, -EBUSY,
					  "a stream to write to\nan incoming one, or a jump that has begun");
		slot = ret ? ERR_PTR(ret) : find_record(&call);
		ret = IS_ERR(slot) ? PTR_ERR(slot) : update_record(&call, slot->record, obj);
		call_unlock(&call);
	}
	if (ret)
		kstate_report_error(stream->set, where.err, "update");
	return ret;
}
EXPORT_SYMBOL_GPL(kstate_stream_update);

static noinline int check_steps(struct kstate_stream *stream, const struct kstate_plan *plan,
				u8 *fixed, struct kstate_restore_ctx *w, void *obj)
{
	int ret;

	/* Field by field: clearing the log would take longer than a small object does */
	w->stream = stream;
	w->remote = false;
	w->fresh = false;
	w->blank = false;
	w->defaults = false;
	w->keep = false;
	w->in_callback = false;
	w->verdict = KSTATE_EXACT;
	stream->restoring = w;
	ret = kstate_restore_check(w, plan, fixed, obj);
	stream->restoring = NULL;
	return ret ?: w->verdict;
}

/*
 * Check a record against an object; what that acquired is in @w. The verdict, or an
 * error. What only takes copies needs no log: with @at_once, it is restored.
 */
static __always_inline int check_record(struct call *call, struct kstate_slot *slot, void *obj,
					struct kstate_restore_ctx *w, bool at_once)
{
	struct kstate_stream *stream = call->stream;
	struct kstate_used *used = stream->last;
	struct kstate_record *record = slot->record;
	u32 id = le32_to_cpu(record->schema), size = le32_to_cpu(record->size);
	u8 *fixed = kstate_record_payload(record);
	const struct kstate_resolution *res;
	int ret = KSTATE_EXACT;

	w->log = NULL;
	if (slot->state == KSTATE_SLOT_CLAIMED)
		return kstate_fail(&w->where, NULL, KSTATE_CLAIMED, -EALREADY,
				   "a record that has not been restored\none that has");
	if (!kstate_record_whole(record))
		return kstate_fail(&w->where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "checksum %#010x\nanother", le32_to_cpu(record->pcrc));
	if (unlikely(used->id != id)) {
		ret = kstate_set_resolve(stream->set, id, call->schema, &w->where, &used->res);
		if (ret)
			return ret;
		used->id = id;
	}
	res = used->res;
	w->tail.pos = fixed + res->fixed;
	w->tail.end = (u8 *)(record + 1) + size;
	if (w->tail.pos > w->tail.end)
		return kstate_fail(&w->where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "at least %u bytes\n%u",
				   kstate_key_bytes(record) + res->fixed, size);
	if (at_once && w->tail.pos == w->tail.end &&
	    kstate_plan_quick(res->plan, fixed) == res->plan->nr)
		kstate_restore_copies(res->plan, fixed, obj);
	else
		ret = check_steps(stream, res->plan, fixed, w, obj);
	return ret < 0 ? ret : max(res->verdict, ret);
}

static int restore_record(struct call *call, struct kstate_slot *slot, void *obj,
			  struct kstate_restore_ctx *w, bool apply)
{
	int ret = check_record(call, slot, obj, w, apply);

	if (w->log && ret >= 0 && apply)
		ret = kstate_restore_apply(w);
	if (ret < 0 || !apply) {
		kstate_restore_undo(w);
		return ret;
	}
	if (w->log)
		kstate_restore_done(w);
	slot->state = KSTATE_SLOT_CLAIMED;
	return 0;
}

/* This error means that there is no record: no other failure may return it */
static int own_code(struct kstate_error *err, int ret)
{
	if ((ret == -ENOENT && err->reason != KSTATE_NO_RECORD) ||
	    (ret == -EALREADY && err->reason != KSTATE_CLAIMED))
		err->code = -EIO;
	return err->code ?: ret;
}

static int restore_call(struct kstate_stream *stream, struct kstate_description *desc, void *obj,
			struct kstate_key key, struct kstate_error *err, bool apply)
{
	struct kstate_restore_ctx w __uninitialized;
	struct kstate_error local __uninitialized;
	struct kstate_slot *slot;
	struct call call;
	u64 start;
	int ret;

	ret = call_begin(&call, &w.where, stream, desc, key, kstate_error_begin(err, &local));
	if (!ret && !stream->set->incoming)
		ret = kstate_fail(call.where, NULL, KSTATE_BAD_CALL, -EINVAL,
				  "an incoming stream\none to write to");
	if (!ret)
		ret = call_lock(&call);
	if (!ret) {
		start = call_clock(&call, stream->restored, trace_kstate_restore_enabled());
		slot = find_record(&call);
		ret = IS_ERR(slot) ? PTR_ERR(slot) : restore_record(&call, slot, obj, &w, apply);
		if (!ret && apply) {
			call_time(&call, start, slot);
			stream->restored++;
			trace_kstate_restore(desc->name, &key, le32_to_cpu(slot->record->size),
					     slot->ns);
		}
		call_unlock(&call);
	}
	if (ret < 0) {
		ret = own_code(w.where.err, ret);
		kstate_report_error(stream->set, w.where.err, apply ? "restore" : "check");
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

static int has_edge(struct kstate_edge *edge, u8 type, void *arg)
{
	return 1;
}

/**
 * kstate_stream_unclaim() - a record that has been restored may be restored again
 * @stream: an incoming stream
 * @desc: its description
 * @key: which instance it is
 *
 * For an object that goes, and may come back, or that was only read: its record is
 * handed on at the next jump like any other. Not if it has handed over memory: that
 * is the object's.
 *
 * Context: may sleep.
 */
void kstate_stream_unclaim(struct kstate_stream *stream, struct kstate_description *desc,
			   struct kstate_key key)
{
	struct kstate_error local __uninitialized;
	struct kstate_where where;
	struct kstate_slot *slot;
	struct call call;

	if (call_begin(&call, &where, stream, desc, key, kstate_error_begin(NULL, &local)) ||
	    call_lock(&call))
		return;
	slot = find_record(&call);
	if (!IS_ERR(slot) && slot->state == KSTATE_SLOT_CLAIMED &&
	    !kstate_record_edges(stream, slot->record, has_edge, NULL))
		slot->state = KSTATE_SLOT_FREE;
	call_unlock(&call);
}
EXPORT_SYMBOL_GPL(kstate_stream_unclaim);

/* Restoring several objects of one stream, or none of them */

struct transaction_entry {
	struct list_head list;
	struct kstate_slot *slot;
	struct kstate_restore_ctx ctx;
};

struct kstate_transaction {
	struct kstate_stream *stream;
	struct list_head entries;
};

/**
 * kstate_transaction_begin() - begin to restore objects that belong together
 * @stream: an incoming stream
 *
 * kstate_transaction_add() checks one object after the other against its record,
 * kstate_transaction_apply() writes to all of them, kstate_transaction_commit()
 * makes that final. Until then kstate_transaction_cancel() takes everything back:
 * objects are byte for byte as they were, memory that they were given is the
 * stream's again, and so are the records. Meanwhile the records count as restored
 * for everybody else, also for kstate_finish(), and neither stream nor descriptions
 * may go.
 *
 * Context: may sleep.
 * Return: a transaction, which ends with commit or cancel, or NULL without memory.
 */
struct kstate_transaction *kstate_transaction_begin(struct kstate_stream *stream)
{
	struct kstate_transaction *t = kzalloc_obj(*t);

	if (t) {
		t->stream = stream;
		INIT_LIST_HEAD(&t->entries);
	}
	return t;
}
EXPORT_SYMBOL_GPL(kstate_transaction_begin);

/**
 * kstate_transaction_add() - check an object, which is to be restored with others
 * @t: the transaction
 * @desc: its description
 * @obj: the object; it is only read, and must not change until it is restored
 * @key: which instance it is; a string stays the caller's
 * @err: what went wrong, or NULL; it is logged in any case
 *
 * Context: may sleep.
 * Return: 0, or a negative error code: then the object is not part of @t, which
 * can go on without it.
 */
int kstate_transaction_add(struct kstate_transaction *t, struct kstate_description *desc,
			   void *obj, struct kstate_key key, struct kstate_error *err)
{
	struct transaction_entry *entry = kvzalloc(sizeof(*entry), GFP_KERNEL);
	struct kstate_error local __uninitialized;
	struct kstate_where where;
	struct kstate_slot *slot;
	struct call call;
	int ret;

	ret = call_begin(&call, entry ? &entry->ctx.where : &where, t->stream, desc, key,
			 kstate_error_begin(err, &local));
	if (!ret && !t->stream->set->incoming)
		ret = kstate_fail(call.where, NULL, KSTATE_BAD_CALL, -EINVAL,
				  "an incoming stream\none to write to");
	if (!ret && !entry)
		ret = kstate_no_memory(call.where, NULL);
	if (!ret)
		ret = call_lock(&call);
	if (!ret) {
		slot = find_record(&call);
		ret = IS_ERR(slot) ? PTR_ERR(slot) :
				     check_record(&call, slot, obj, &entry->ctx, false);
		if (ret < 0 && !IS_ERR(slot))
			kstate_restore_undo(&entry->ctx);
		if (ret >= 0) {
			entry->slot = slot;
			entry->ctx.keep = true;
			slot->state = KSTATE_SLOT_CLAIMED;
			t->stream->in_transactions++;
			list_add_tail(&entry->list, &t->entries);
		}
		call_unlock(&call);
	}
	if (ret >= 0)
		return 0;
	ret = own_code(call.where->err, ret);
	kstate_report_error(t->stream->set, call.where->err, "restore");
	kvfree(entry);
	return ret;
}
EXPORT_SYMBOL_GPL(kstate_transaction_add);

/**
 * kstate_transaction_apply() - restore all objects of a transaction
 * @t: the transaction
 * @err: what went wrong, or NULL; it is logged in any case
 *
 * Context: may sleep; once for each transaction.
 * Return: 0, or a negative error code: then kstate_transaction_cancel() is what is
 * left to do.
 */
int kstate_transaction_apply(struct kstate_transaction *t, struct kstate_error *err)
{
	struct transaction_entry *entry;
	struct kstate_error local __uninitialized;
	int ret = 0;

	err = kstate_error_begin(err, &local);
	user_lock(t->stream);
	list_for_each_entry(entry, &t->entries, list) {
		entry->ctx.where.err = err;
		ret = kstate_restore_apply(&entry->ctx);
		if (ret)
			break;
	}
	user_unlock(t->stream);
	if (ret) {
		ret = own_code(err, ret);
		kstate_report_error(t->stream->set, err, "restore");
	}
	return ret;
}
EXPORT_SYMBOL_GPL(kstate_transaction_apply);

static void transaction_end(struct kstate_transaction *t, bool commit)
{
	struct transaction_entry *entry, *next;

	user_lock(t->stream);
	list_for_each_entry_safe_reverse(entry, next, &t->entries, list) {
		if (commit) {
			kstate_restore_done(&entry->ctx);
		} else {
			kstate_restore_undo(&entry->ctx);
			entry->slot->state = KSTATE_SLOT_FREE;
		}
		t->stream->in_transactions--;
		kvfree(entry);
	}
	if (t->stream->finished && !t->stream->in_transactions)
		kstate_stream_finish(t->stream);
	user_unlock(t->stream);
	kfree(t);
}

/**
 * kstate_transaction_commit() - what has been restored is final
 * @t: the transaction, applied; it is freed
 *
 * Context: may sleep.
 */
void kstate_transaction_commit(struct kstate_transaction *t)
{
	transaction_end(t, true);
}
EXPORT_SYMBOL_GPL(kstate_transaction_commit);

/**
 * kstate_transaction_cancel() - take back what has been checked or restored
 * @t: the transaction, or NULL; it is freed. The objects still hold what they were
 *	given: nothing of it has been freed or handed to others
 *
 * Once kstate_finish() has been called, the records are freed with the last transaction
 * of their stream.
 *
 * Context: may sleep.
 */
void kstate_transaction_cancel(struct kstate_transaction *t)
{
	if (t)
		transaction_end(t, false);
}
EXPORT_SYMBOL_GPL(kstate_transaction_cancel);
