// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams: records in segments, with a life of their own.
 */

/**
 * DOC: streams
 *
 * A stream is a list of segments, each a run of records. Segments are small
 * enough for the page allocator, unless a single record needs more; they never
 * move, so that a stream grows without copying.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
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
	struct kstate_stream *stream;
	int ret;

	if (!set || set->incoming || !name[0] ||
	    strnlen(name, KSTATE_MAX_NAME + 1) > KSTATE_MAX_NAME) {
		ret = kstate_fail(&where, NULL, KSTATE_BAD_CALL, -EINVAL,
				  "a set that can be written to and a short name\n%s", name);
		goto fail;
	}
	stream = kzalloc_obj(*stream);
	if (!stream) {
		ret = kstate_no_memory(&where);
		goto fail;
	}
	stream->set = set;
	stream->transient = set->jumper == current;
	strscpy(stream->name, name, sizeof(stream->name));
	mutex_init(&stream->lock);
	INIT_LIST_HEAD(&stream->segments);

	use_begin(set);
	mutex_lock(&set->lock);
	stream->id = ++set->next_id;
	ret = kstate_set_add_stream(set, stream);
	mutex_unlock(&set->lock);
	use_end(set);
	if (!ret)
		return stream;
	kfree(stream);
	ret = ret == -ENOMEM ? kstate_no_memory(&where) :
	      kstate_fail(&where, NULL, KSTATE_DUPLICATE, ret, "a name that is not in use\n%s",
			  name);
fail:
	kstate_set_error(set, where.err, "create stream");
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(kstate_stream_create);

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

	kstate_set_unpreserve(stream->set, edge);
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
		kstate_set_remove_stream(set, stream);
		mutex_unlock(&set->lock);
		kstate_stream_empty(stream);
		kfree(stream);
	}
	use_end(set);
}
EXPORT_SYMBOL_GPL(kstate_stream_destroy);

static struct kstate_segment *last_segment(const struct kstate_stream *stream)
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
 * kstate_stream_unfinished() - the record that is being saved
 * @stream: an outgoing stream
 *
 * Context: kstate_stream.lock is held.
 * Return: what kstate_stream_append() gave and kstate_stream_commit() has not seen yet,
 * or NULL. What has not been written is zero.
 */
struct kstate_record *kstate_stream_unfinished(const struct kstate_stream *stream)
{
	struct kstate_segment *segment = last_segment(stream);
	struct kstate_record *record;

	if (!segment || segment->size - segment->used < sizeof(*record))
		return NULL;
	record = (void *)(segment->data + segment->used);
	return le32_to_cpu(record->schema) < stream->set->nr_known &&
	       kstate_key_bytes(record) <= le32_to_cpu(record->size) &&
	       le32_to_cpu(record->size) <= segment->size - segment->used - sizeof(*record) ?
	       record : NULL;
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
