// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams: records in segments, found by state and key.
 */

/**
 * DOC: streams
 *
 * A stream is a list of segments, each a run of records. Segments are small
 * enough for the page allocator, unless a single record needs more; they never
 * move, so that a stream grows without copying. Which record holds an object
 * is found by hashing; the index is not part of the stream, it is made again
 * by whoever reads it.
 */

#include <linux/align.h>
#include <linux/crc32c.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "internal.h"

/* Segments grow from one page to what the page allocator gives readily */
#define SEGMENT_MAX	(PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER)

/* Whoever prepares a jump holds the set for writing all the time */
static void use_begin(struct kstate_set *set)
{
	if (set->jumper != current)
		down_read(&set->use);
}

static void use_end(struct kstate_set *set)
{
	if (set->jumper != current)
		up_read(&set->use);
}

static u32 crc(const void *data, size_t size)
{
	return ~crc32c(~0, data, size);
}

/**
 * kstate_record_seal() - compute the checksums of a record
 * @record: the record, otherwise complete
 * @place: its offset in the segment
 */
void kstate_record_seal(struct kstate_record *record, u32 place)
{
	record->place = cpu_to_le32(place / 8);
	record->pcrc = cpu_to_le32(crc(record + 1, le32_to_cpu(record->size)));
	record->hcrc = cpu_to_le32(crc(&record->pcrc, sizeof(*record) - sizeof(record->hcrc)));
}

/**
 * kstate_record_whole() - whether the payload is what was written
 * @record: the record, whose header is known to be good
 *
 * Return: true if so.
 */
bool kstate_record_whole(const struct kstate_record *record)
{
	return crc(record + 1, le32_to_cpu(record->size)) == le32_to_cpu(record->pcrc);
}

/**
 * kstate_record_text() - say which record it is
 * @stream: its stream
 * @record: the record
 * @buf: where to: state["key"]
 * @size: of @buf
 */
void kstate_record_text(const struct kstate_stream *stream, const struct kstate_record *record,
			char *buf, size_t size)
{
	const struct kstate_schema *schema =
		kstate_known(stream->set, le32_to_cpu(record->schema))->schema;
	const char *state = schema ? schema->name : "(damaged schema)";
	int len = le16_to_cpu(record->key_len);

	if (len)
		scnprintf(buf, size, "%s[\"%.*s\"]", state, len, (const char *)(record + 1));
	else
		scnprintf(buf, size, "%s[%llu]", state, le64_to_cpu(record->key));
}

static u64 string_key(const char *s, u32 len)
{
	return crc(s, len);
}

static u32 slot_hash(u32 name, u64 key)
{
	/* Multiplication by the golden ratio (Knuth, TAOCP 6.4) */
	return ((key ^ ((u64)name << 48)) * 0x9e3779b97f4a7c15ULL) >> 32;
}

static u32 record_name(const struct kstate_stream *stream, const struct kstate_record *record)
{
	return kstate_known(stream->set, le32_to_cpu(record->schema))->name;
}

static bool record_matches(const struct kstate_stream *stream, const struct kstate_record *record,
			   u32 name, u64 key, const char *string, u32 len)
{
	return le64_to_cpu(record->key) == key && le16_to_cpu(record->key_len) == len &&
	       record_name(stream, record) == name && (!len || !memcmp(record + 1, string, len));
}

static int index_grow(struct kstate_index *index)
{
	u32 size = max(2 * roundup_pow_of_two(index->nr + 1), 16UL);
	u32 *table = kvcalloc(size, sizeof(*table), GFP_KERNEL);

	if (!table)
		return -ENOMEM;
	kvfree(index->table);
	index->table = table;
	index->size = size;
	index->hashed = 0;
	return 0;
}

/* Put all slots into the table; it is at most half full */
static int index_update(struct kstate_stream *stream)
{
	struct kstate_index *index = &stream->index;
	const struct kstate_record *record;
	const struct kstate_slot *other;
	u32 name, i;

	if (index->table && index->hashed == index->nr)
		return 0;
	if ((!index->table || 2 * (u64)index->nr > index->size) && index_grow(index))
		return -ENOMEM;
	for (; index->hashed < index->nr; index->hashed++) {
		record = index->slots[index->hashed].record;
		name = record_name(stream, record);
		i = slot_hash(name, le64_to_cpu(record->key));
		for (; index->table[i & (index->size - 1)]; i++) {
			other = &index->slots[index->table[i & (index->size - 1)] - 1];
			if (other->state != KSTATE_SLOT_DROPPED &&
			    record_matches(stream, other->record, name, le64_to_cpu(record->key),
					   (const char *)(record + 1),
					   le16_to_cpu(record->key_len)))
				break;
		}
		/* Of two with one key, which no writer makes, the first is found */
		if (!index->table[i & (index->size - 1)])
			index->table[i & (index->size - 1)] = index->hashed + 1;
	}
	return 0;
}

/**
 * kstate_stream_lookup() - find a record
 * @stream: the stream
 * @name: number of the name of the state in the set
 * @key: the key, or the checksum of the string
 * @string: the string key, or NULL
 * @len: its length, or 0
 *
 * Context: kstate_stream.lock is held. Allocates if records have been added.
 * Return: the slot, NULL if there is none, or ERR_PTR(-ENOMEM).
 */
struct kstate_slot *kstate_stream_lookup(struct kstate_stream *stream, u32 name,
					 u64 key, const char *string, u32 len)
{
	struct kstate_index *index = &stream->index;
	struct kstate_slot *slot;
	u32 i;

	if (index_update(stream))
		return ERR_PTR(-ENOMEM);
	for (i = slot_hash(name, key); index->table[i & (index->size - 1)]; i++) {
		slot = &index->slots[index->table[i & (index->size - 1)] - 1];
		if (slot->state != KSTATE_SLOT_DROPPED &&
		    record_matches(stream, slot->record, name, key, string, len))
			return slot;
	}
	return NULL;
}

/**
 * kstate_stream_add_slot() - make a record known to the index
 * @stream: the stream
 * @record: the record
 * @ns: how long it took
 *
 * Context: kstate_stream.lock is held.
 * Return: 0 or -ENOMEM.
 */
int kstate_stream_add_slot(struct kstate_stream *stream, struct kstate_record *record, u32 ns)
{
	struct kstate_index *index = &stream->index;

	if (index->nr == index->room) {
		u32 room = index->room ? 2 * index->room : 8;
		struct kstate_slot *slots = kvmalloc_array(room, sizeof(*slots), GFP_KERNEL);

		if (!slots)
			return -ENOMEM;
		if (index->nr)
			memcpy(slots, index->slots, index->nr * sizeof(*slots));
		kvfree(index->slots);
		index->slots = slots;
		index->room = room;
	}
	index->slots[index->nr++] = (struct kstate_slot){
		.record = record, .ns = ns, .jump = stream->set->jumper == current,
	};
	return 0;
}

/**
 * kstate_stream_create() - begin a stream
 * @set: kstate_outgoing(), or another set that is not incoming
 * @name: its name, different from those of the other streams of @set
 * @err: what went wrong, or NULL
 *
 * Context: may sleep.
 * Return: the stream, for kstate_stream_destroy(), or an ERR_PTR().
 */
struct kstate_stream *kstate_stream_create(struct kstate_set *set, const char *name,
					   struct kstate_error *err)
{
	struct kstate_error local;
	struct kstate_where where = { .state = name, .err = kstate_error_begin(err, &local) };
	struct kstate_stream *stream, *other;
	int ret = 0;

	if (!set || set->incoming || !name[0] ||
	    strnlen(name, KSTATE_MAX_NAME + 1) > KSTATE_MAX_NAME) {
		ret = kstate_fail(&where, NULL, KSTATE_BAD_CALL, -EINVAL,
				  "a set that can be written to and a short name\n%s", name);
		goto fail;
	}
	stream = kzalloc_obj(*stream);
	if (!stream) {
		ret = kstate_fail(&where, NULL, KSTATE_NO_MEMORY, -ENOMEM, "memory\nnone");
		goto fail;
	}
	stream->set = set;
	stream->transient = set->jumper == current;
	strscpy(stream->name, name, sizeof(stream->name));
	mutex_init(&stream->lock);
	INIT_LIST_HEAD(&stream->segments);

	use_begin(set);
	mutex_lock(&set->lock);
	list_for_each_entry(other, &set->streams, list)
		if (!strcmp(other->name, name))
			ret = kstate_fail(&where, NULL, KSTATE_DUPLICATE, -EEXIST,
					  "a name that is not in use\n%s", name);
	if (!ret) {
		stream->id = ++set->next_id;
		list_add_tail(&stream->list, &set->streams);
	}
	mutex_unlock(&set->lock);
	use_end(set);
	if (!ret)
		return stream;
	kfree(stream);
fail:
	kstate_set_error(set, where.err, "create stream");
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(kstate_stream_create);

/**
 * kstate_stream_find() - find a stream by its name
 * @set: the set, or NULL
 * @name: the name
 *
 * Return: the stream, or NULL.
 */
struct kstate_stream *kstate_stream_find(struct kstate_set *set, const char *name)
{
	struct kstate_stream *stream;

	if (!set)
		return NULL;
	guard(mutex)(&set->lock);
	list_for_each_entry(stream, &set->streams, list)
		if (!strcmp(stream->name, name))
			return stream;
	return NULL;
}
EXPORT_SYMBOL_GPL(kstate_stream_find);

/**
 * kstate_stream_by_id() - find a stream by its number
 * @set: the set, or NULL
 * @id: what kstate_stream_id() told the writer
 *
 * Return: the stream, or NULL.
 */
struct kstate_stream *kstate_stream_by_id(struct kstate_set *set, u64 id)
{
	struct kstate_stream *stream;

	if (!set)
		return NULL;
	guard(mutex)(&set->lock);
	list_for_each_entry(stream, &set->streams, list)
		if (stream->id == id)
			return stream;
	return NULL;
}
EXPORT_SYMBOL_GPL(kstate_stream_by_id);

/**
 * kstate_stream_id() - number by which the next kernel finds a stream
 * @stream: the stream
 *
 * Return: the number; never 0.
 */
u64 kstate_stream_id(const struct kstate_stream *stream)
{
	return stream->id;
}
EXPORT_SYMBOL_GPL(kstate_stream_id);

static int unpreserve_edge(struct kstate_edge *edge, u8 type, void *arg)
{
	struct kstate_stream *stream = arg;

	stream->set->transport->unpreserve(edge);
	*edge = (struct kstate_edge){};
	return 0;
}

static int discard_edge(struct kstate_edge *edge, u8 type, void *arg)
{
	struct kstate_stream *stream = arg;

	kstate_set_discard_edge(stream->set, edge);
	return 0;
}

/**
 * kstate_record_release() - undo or free what a record hands over
 * @stream: the stream
 * @record: the record; what saving has not reached is zero
 */
void kstate_record_release(struct kstate_stream *stream, struct kstate_record *record)
{
	u32 id = le32_to_cpu(record->schema);
	struct kstate_schema *schema = kstate_known(stream->set, id)->schema;

	if (schema)
		kstate_wire_edges(schema, kstate_record_payload(record),
				  le32_to_cpu(record->size) - kstate_key_bytes(record),
				  stream->set->incoming ? discard_edge : unpreserve_edge, stream);
}

/**
 * kstate_slot_drop() - take a record back, or free what nobody claimed
 * @stream: the stream
 * @slot: the record
 *
 * Context: kstate_stream.lock is held.
 */
void kstate_slot_drop(struct kstate_stream *stream, struct kstate_slot *slot)
{
	struct kstate_record *record = slot->record;

	if (slot->state != KSTATE_SLOT_FREE)
		return;
	slot->state = KSTATE_SLOT_DROPPED;
	if (stream->set->incoming) {
		/* Damaged edges are not to be trusted: leave that memory alone */
		if (kstate_record_whole(record))
			kstate_record_release(stream, record);
		return;
	}
	kstate_record_release(stream, record);
	record->flags |= cpu_to_le16(KSTATE_RECORD_DROPPED);
	kstate_record_seal(record, 8 * le32_to_cpu(record->place));
}

static void free_segment(struct kstate_stream *stream, struct kstate_segment *segment)
{
	const struct kstate_transport *t = stream->set->transport;

	if (stream->set->incoming)
		t->unmap(segment->data, &segment->edge);
	else
		t->free(segment->data, &segment->edge);
	list_del(&segment->list);
	kfree(segment);
}

/**
 * kstate_stream_empty() - free all records of a stream
 * @stream: the stream; what its records hand over is unpreserved or freed
 *
 * Context: kstate_stream.lock is held, or nobody else uses the stream.
 */
void kstate_stream_empty(struct kstate_stream *stream)
{
	struct kstate_segment *segment, *next;
	u32 i;

	for (i = 0; i < stream->index.nr; i++)
		kstate_slot_drop(stream, &stream->index.slots[i]);
	list_for_each_entry_safe(segment, next, &stream->segments, list)
		free_segment(stream, segment);
	kvfree(stream->index.slots);
	kvfree(stream->index.table);
	kvfree(stream->max_key);
	stream->index = (struct kstate_index){};
	stream->max_key = NULL;
	stream->nr_max_key = 0;
}

/**
 * kstate_stream_destroy() - take back all records of a stream, and the stream
 * @stream: the stream, or NULL
 *
 * Context: nobody else uses the stream; may sleep.
 */
void kstate_stream_destroy(struct kstate_stream *stream)
{
	struct kstate_set *set;

	if (!stream)
		return;
	set = stream->set;
	use_begin(set);
	if (set->published) {
		/* The next kernel will look for it, unless the jump is called off */
		stream->transient = true;
	} else {
		mutex_lock(&set->lock);
		list_del(&stream->list);
		mutex_unlock(&set->lock);
		kstate_stream_empty(stream);
		kfree(stream);
	}
	use_end(set);
}
EXPORT_SYMBOL_GPL(kstate_stream_destroy);

static struct kstate_segment *last_segment(struct kstate_stream *stream)
{
	return list_empty(&stream->segments) ? NULL :
		list_last_entry(&stream->segments, struct kstate_segment, list);
}

static struct kstate_segment *add_segment(struct kstate_stream *stream, size_t need)
{
	struct kstate_segment *last = last_segment(stream), *segment;
	size_t size = last ? min(2 * last->size, SEGMENT_MAX) : PAGE_SIZE;

	segment = kzalloc_obj(*segment);
	if (!segment)
		return NULL;
	segment->size = PAGE_ALIGN(max(size, need));
	segment->data = stream->set->transport->alloc(segment->size, &segment->edge);
	if (!segment->data) {
		kfree(segment);
		return NULL;
	}
	list_add_tail(&segment->list, &stream->segments);
	return segment;
}

/**
 * kstate_stream_append() - get room for a record
 * @stream: the stream
 * @size: bytes of payload, a multiple of 8
 * @record: set to the zeroed record; kstate_stream_commit() makes it part of
 *	the stream. Until then it must be made zero again if it is not used
 * @err: what went wrong
 *
 * Context: kstate_stream.lock is held.
 * Return: 0 or -ENOMEM.
 */
int kstate_stream_append(struct kstate_stream *stream, u32 size, struct kstate_record **record,
			 struct kstate_error *err)
{
	struct kstate_segment *segment = last_segment(stream);
	struct kstate_where where = { .state = stream->name, .err = err };
	size_t need = sizeof(**record) + size;

	if (!segment || segment->size - segment->used < need) {
		segment = add_segment(stream, need);
		if (!segment)
			return kstate_fail(&where, NULL, KSTATE_NO_MEMORY, -ENOMEM,
					   "%zu bytes of memory\nnone", need);
	}
	*record = (void *)(segment->data + segment->used);
	return 0;
}

/**
 * kstate_stream_cancel() - give back the room for a record
 * @stream: the stream
 * @record: what kstate_stream_append() gave
 * @size: bytes of payload
 */
void kstate_stream_cancel(struct kstate_stream *stream, struct kstate_record *record, u32 size)
{
	struct kstate_segment *segment = last_segment(stream);

	memset(record, 0, sizeof(*record) + size);
	if (!segment->used)
		free_segment(stream, segment);
}

/**
 * kstate_stream_commit() - make a record part of the stream
 * @stream: the stream
 * @record: what kstate_stream_append() gave, filled
 */
void kstate_stream_commit(struct kstate_stream *stream, struct kstate_record *record)
{
	struct kstate_segment *segment = last_segment(stream);
	u32 bytes = sizeof(*record) + le32_to_cpu(record->size);

	kstate_record_seal(record, segment->used);
	segment->used += bytes;
	stream->bytes += bytes;
}

/**
 * kstate_stream_undo() - take back what was saved for a jump
 * @stream: an outgoing stream
 *
 * Context: kstate_stream.lock is held.
 */
void kstate_stream_undo(struct kstate_stream *stream)
{
	struct kstate_index *index = &stream->index;
	struct kstate_segment *segment;
	u32 bytes, i;

	/* As a rule these are the last ones, whose memory can be had again */
	while (index->nr && index->slots[index->nr - 1].jump) {
		struct kstate_slot *slot = &index->slots[--index->nr];

		kstate_slot_drop(stream, slot);
		bytes = sizeof(*slot->record) + le32_to_cpu(slot->record->size);
		memset(slot->record, 0, bytes);
		segment = last_segment(stream);
		segment->used -= bytes;
		stream->bytes -= bytes;
		if (!segment->used)
			free_segment(stream, segment);
	}
	for (i = 0; i < index->nr; i++)
		if (index->slots[i].jump)
			kstate_slot_drop(stream, &index->slots[i]);
	/* The table and the largest keys may be of records that are gone */
	kvfree(index->table);
	index->table = NULL;
	index->size = 0;
	index->hashed = 0;
	if (stream->nr_max_key)
		memset(stream->max_key, 0xff, stream->nr_max_key * sizeof(*stream->max_key));
}

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
	w->need = 0;
	w->taken = NULL;
	w->nr_taken = 0;
	w->room_taken = 0;
	w->next_taken = 0;
	w->nr_groups = 0;

	call->stream = stream;
	call->key = key.id;
	call->len = 0;
	if (key.name) {
		call->len = strnlen(key.name, KSTATE_MAX_NAME + 1);
		call->key = string_key(key.name, call->len);
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
				   "a stream that is not in use\na call from a function of a description");
	use_begin(stream->set);
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
	use_end(stream->set);
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

/**
 * kstate_stream_max_key() - largest number that is a key, plus 1
 * @stream: the stream
 * @name: number of the name of the state
 *
 * Context: kstate_stream.lock is held.
 * Return: where it is kept, or NULL without memory.
 */
u64 *kstate_stream_max_key(struct kstate_stream *stream, u32 name)
{
	u32 nr = roundup_pow_of_two(name + 1);
	u64 *more;

	if (name < stream->nr_max_key)
		return &stream->max_key[name];
	more = kvcalloc(nr, sizeof(*more), GFP_KERNEL);
	if (!more)
		return NULL;
	if (stream->nr_max_key)
		memcpy(more, stream->max_key, stream->nr_max_key * sizeof(*more));
	kvfree(stream->max_key);
	stream->max_key = more;
	stream->nr_max_key = nr;
	return &stream->max_key[name];
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

static int save_record(struct call *call, const void *obj)
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
	if (!ret && kstate_stream_add_slot(stream, record, 0))
		ret = kstate_fail(&w->where, NULL, KSTATE_NO_MEMORY, -ENOMEM, "memory\nnone");
	if (ret) {
		kstate_record_release(stream, record);
		kstate_stream_cancel(stream, record, size);
		return ret;
	}
	kstate_stream_commit(stream, record);
	return 0;
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
		start = call_clock(&call, stream->index.nr);
		ret = save_record(&call, obj);
		if (!ret)
			call_time(&call, start, &stream->index.slots[stream->index.nr - 1]);
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
