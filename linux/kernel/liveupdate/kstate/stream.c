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
 *
 * A record that is dropped leaves a hole, which a record of the same size fills;
 * at the end of the stream it leaves none. A segment without records goes. So a
 * stream does not grow when its records are saved again and again.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>
#include "store.h"

/* Segments grow from one page to what the page allocator gives readily */
#define SEGMENT_MAX	(PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER)

/* The task that prepares a jump holds the set for writing all the time */
static void use_begin(struct kstate_set *set)
{
	if (!kstate_set_jumping(set))
		down_read(&set->use);
}

static void use_end(struct kstate_set *set)
{
	if (!kstate_set_jumping(set))
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
		ret = kstate_no_memory(&where, NULL);
		goto fail;
	}
	stream->set = set;
	stream->last = stream->used;
	stream->transient = kstate_set_jumping(set);
	strscpy(stream->name, name, sizeof(stream->name));
	mutex_init(&stream->lock);
	INIT_LIST_HEAD(&stream->segments);
	xa_init(&stream->holes);

	use_begin(set);
	mutex_lock(&set->lock);
	stream->id = ++set->next_id;
	ret = kstate_set_add_stream(set, stream);
	mutex_unlock(&set->lock);
	use_end(set);
	if (!ret)
		return stream;
	kfree(stream);
	ret = ret == -ENOMEM ? kstate_no_memory(&where, NULL) :
	      kstate_fail(&where, NULL, KSTATE_DUPLICATE, ret, "a name that is not in use\n%s",
			  name);
fail:
	kstate_report_error(set, where.err, "create stream");
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

/**
 * kstate_stream_name() - what a stream is called
 * @stream: the stream
 *
 * Return: the name, which lives as long as the stream.
 */
const char *kstate_stream_name(const struct kstate_stream *stream)
{
	return stream->name;
}
EXPORT_SYMBOL_GPL(kstate_stream_name);

/**
 * kstate_stream_hold() - somebody still uses the memory that a stream hands over
 * @stream: a stream of the incoming set
 * @hold: once more, or once less
 *
 * For memory that a device writes to while nobody has restored it yet. As long as the
 * stream is held, kstate_finish_all() leaves it alone, and its owner must not destroy it.
 *
 * Context: may sleep.
 */
void kstate_stream_hold(struct kstate_stream *stream, bool hold)
{
	guard(mutex)(&stream->lock);
	stream->held += hold ? 1 : -1;
}
EXPORT_SYMBOL_GPL(kstate_stream_hold);

/**
 * kstate_stream_held() - does somebody use the memory that a stream hands over?
 * @stream: the stream, or NULL
 *
 * Return: how many do, by kstate_stream_hold().
 */
u32 kstate_stream_held(struct kstate_stream *stream)
{
	return stream ? READ_ONCE(stream->held) : 0;
}
EXPORT_SYMBOL_GPL(kstate_stream_held);

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
 * kstate_record_edges() - call a function for each edge of a record
 * @stream: its stream
 * @record: the record; what saving has not reached is zero
 * @fn: see kstate_wire_edges()
 * @arg: for @fn
 *
 * Return: 0, also if the schema is damaged; -EBADMSG, or what @fn returned.
 */
int kstate_record_edges(struct kstate_stream *stream, struct kstate_record *record,
			kstate_edge_fn fn, void *arg)
{
	u32 id = le32_to_cpu(record->schema);
	struct kstate_schema *schema = kstate_known(stream->set, id)->schema;

	return schema ? kstate_wire_edges(schema, kstate_record_payload(record),
					  le32_to_cpu(record->size) - kstate_key_bytes(record),
					  fn, arg) : 0;
}

/**
 * kstate_record_release() - undo or free what a record hands over
 * @stream: the stream
 * @record: the record; what saving has not reached is zero
 */
void kstate_record_release(struct kstate_stream *stream, struct kstate_record *record)
{
	kstate_record_edges(stream, record,
			    stream->set->incoming ? discard_edge : unpreserve_edge, stream);
}

/* Holes: the room of records that were dropped */

static unsigned long hole_index(const struct kstate_record *record)
{
	return (kstate_record_bytes(record)) / 8;
}

/* Without memory for it, the room is lost until its segment goes */
static void stream_add_hole(struct kstate_stream *stream, struct kstate_segment *segment,
			    struct kstate_record *record)
{
	struct kstate_hole *hole = kmalloc_obj(*hole), *first;

	if (!hole)
		return;
	hole->record = record;
	hole->segment = segment;
	first = xa_load(&stream->holes, hole_index(record));
	if (first) {
		list_add(&hole->same, &first->same);
	} else {
		INIT_LIST_HEAD(&hole->same);
		if (xa_err(xa_store(&stream->holes, hole_index(record), hole, GFP_KERNEL))) {
			kfree(hole);
			return;
		}
	}
	list_add(&hole->list, &segment->holes);
}

static void stream_remove_hole(struct kstate_stream *stream, struct kstate_hole *hole)
{
	unsigned long index = hole_index(hole->record);

	if (list_empty(&hole->same))
		xa_erase(&stream->holes, index);
	else if (xa_load(&stream->holes, index) == hole)
		xa_store(&stream->holes, index, list_next_entry(hole, same), GFP_KERNEL);
	list_del(&hole->same);
	list_del(&hole->list);
	kfree(hole);
}

static void stream_free_segment(struct kstate_stream *stream, struct kstate_segment *segment)
{
	const struct kstate_transport *t = stream->set->transport;

	while (!list_empty(&segment->holes))
		stream_remove_hole(stream, list_first_entry(&segment->holes, struct kstate_hole,
							    list));
	if (stream->set->incoming)
		t->unmap(segment->data, &segment->edge);
	else
		t->free(segment->data, &segment->edge);
	list_del(&segment->list);
	stream->last_segment = list_empty(&stream->segments) ? NULL :
		list_last_entry(&stream->segments, struct kstate_segment, list);
	kfree(segment);
}

/* Make room of an outgoing record, which hands nothing over any more */
static void stream_remove_record(struct kstate_stream *stream, struct kstate_segment *segment,
				 struct kstate_record *record)
{
	u32 bytes = kstate_record_bytes(record);

	stream->bytes -= bytes;
	if (!--segment->live) {
		stream_free_segment(stream, segment);
	} else if (segment == stream->last_segment &&
		   (u8 *)record + bytes == segment->data + segment->used) {
		memset(record, 0, bytes);
		segment->used -= bytes;
		segment->records--;
	} else {
		record->flags |= cpu_to_le16(KSTATE_RECORD_DROPPED);
		kstate_record_seal(record, 8 * le32_to_cpu(record->place));
		stream_add_hole(stream, segment, record);
	}
}

/**
 * kstate_slot_drop() - take a record back, or free an unclaimed one
 * @stream: the stream
 * @slot: the record; of an outgoing stream, the slot is free afterwards
 *
 * Context: kstate_stream.lock is held.
 */
void kstate_slot_drop(struct kstate_stream *stream, struct kstate_slot *slot)
{
	struct kstate_record *record = slot->record;

	if (slot->state != KSTATE_SLOT_FREE)
		return;
	slot->state = KSTATE_SLOT_DROPPED;
	if (!stream->set->incoming) {
		kstate_record_release(stream, record);
		stream_remove_record(stream, slot->segment, record);
		kstate_stream_free_slot(stream, slot);
	} else if (kstate_record_whole(record)) {
		/* Damaged edges are not to be trusted: leave that memory alone */
		kstate_record_release(stream, record);
	}
}

/**
 * kstate_stream_empty() - free all records of a stream
 * @stream: the stream; what its records hand over is unpreserved or freed
 *
 * Context: kstate_stream.lock is held, or no other task uses the stream.
 */
void kstate_stream_empty(struct kstate_stream *stream)
{
	struct kstate_segment *segment, *next;
	u32 i;

	/* From the last one on, so that few leave a hole */
	for (i = stream->index.nr; i-- > 0;)
		kstate_slot_drop(stream, &stream->index.slots[i]);
	list_for_each_entry_safe(segment, next, &stream->segments, list)
		stream_free_segment(stream, segment);
	kvfree(stream->index.slots);
	kvfree(stream->index.table);
	xa_destroy(&stream->holes);
	kvfree(stream->max_key);
	stream->index = (struct kstate_index){};
	stream->max_key = NULL;
	stream->nr_max_key = 0;
}

/**
 * kstate_stream_destroy() - take back all records of a stream, and the stream
 * @stream: the stream, or NULL
 *
 * Context: no other task uses the stream; may sleep.
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

#define RECORD_MAX	(sizeof(struct kstate_record) + KSTATE_MAX_RECORD)

static struct kstate_segment *stream_add_segment(struct kstate_stream *stream, size_t need)
{
	struct kstate_segment *last = stream->last_segment, *segment;
	size_t size = last ? min(2 * last->size, SEGMENT_MAX) : PAGE_SIZE;

	segment = need <= RECORD_MAX ? kzalloc_obj(*segment) : NULL;
	if (!segment)
		return NULL;
	INIT_LIST_HEAD(&segment->holes);
	segment->size = PAGE_ALIGN(max(size, need));
	segment->data = stream->set->transport->alloc(segment->size, &segment->edge);
	if (!segment->data) {
		kfree(segment);
		return NULL;
	}
	list_add_tail(&segment->list, &stream->segments);
	stream->last_segment = segment;
	return segment;
}

/**
 * kstate_stream_room() - bytes that a record under construction can have
 * @stream: an outgoing stream
 * @at: what kstate_stream_reserve() gave
 *
 * Context: kstate_stream.lock is held.
 * Return: how many bytes there are from @at on.
 */
size_t kstate_stream_room(const struct kstate_stream *stream, const u8 *at)
{
	const struct kstate_segment *segment = stream->last_segment;

	return segment->data + segment->size - at;
}

/**
 * kstate_stream_reserve() - get room for a record, or more room
 * @stream: an outgoing stream
 * @at: NULL, or what this function gave for the record
 * @used: bytes at @at that have been written
 * @need: bytes that the record needs, header included, as far as that is known
 *
 * Bytes that are not written are zero; those that are move if there is not enough
 * room behind it. kstate_stream_commit() makes it a record of the stream,
 * kstate_stream_cancel() gives the room back.
 *
 * Context: kstate_stream.lock is held; allocates.
 * Return: where the record is now, or NULL without memory, or if @need is more than a
 * record can have: then it is where it was.
 */
u8 *kstate_stream_reserve(struct kstate_stream *stream, u8 *at, size_t used, size_t need)
{
	struct kstate_segment *segment = stream->last_segment, *more;

	if (segment && need <= segment->size - segment->used)
		return segment->data + segment->used;
	more = stream_add_segment(stream, max(need, min(2 * used, RECORD_MAX)));
	if (!more)
		return NULL;
	if (at) {
		memcpy(more->data, at, used);
		memset(at, 0, used);
		if (!segment->used)
			stream_free_segment(stream, segment);
	}
	return more->data;
}

/**
 * kstate_stream_unfinished() - the record that is being saved
 * @stream: an outgoing stream
 *
 * Context: kstate_stream.lock is held.
 * Return: what kstate_stream_reserve() gave and kstate_stream_commit() has not seen yet,
 * or NULL. What has not been written is zero.
 */
struct kstate_record *kstate_stream_unfinished(const struct kstate_stream *stream)
{
	struct kstate_segment *segment = stream->last_segment;
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
 * kstate_stream_cancel() - give back the room for a record
 * @stream: the stream
 * @record: what kstate_stream_reserve() gave
 * @size: bytes of payload
 */
void kstate_stream_cancel(struct kstate_stream *stream, struct kstate_record *record, u32 size)
{
	struct kstate_segment *segment = stream->last_segment;

	memset(record, 0, sizeof(*record) + size);
	if (!segment->used)
		stream_free_segment(stream, segment);
}

/* Put a record that is complete to where a dropped one was; false if there is no such room */
bool kstate_stream_fill_hole(struct kstate_stream *stream, struct kstate_slot *slot)
{
	struct kstate_hole *hole = xa_load(&stream->holes, hole_index(slot->record));
	struct kstate_segment *segment = slot->segment;
	u32 bytes = kstate_record_bytes(slot->record);

	if (!hole)
		return false;
	slot->record = memcpy(hole->record, slot->record, bytes);
	slot->segment = hole->segment;
	slot->segment->live++;
	memset(segment->data + segment->used, 0, bytes);
	if (!segment->used)
		stream_free_segment(stream, segment);
	stream_remove_hole(stream, hole);
	kstate_record_seal(slot->record, (u8 *)slot->record - slot->segment->data);
	return true;
}

/**
 * kstate_stream_undo() - take back what was saved for a jump
 * @stream: an outgoing stream
 *
 * Context: kstate_stream.lock is held.
 */
void kstate_stream_undo(struct kstate_stream *stream)
{
	u32 i;

	/* From the last one on, whose memory can be had again */
	for (i = stream->index.nr; i-- > 0;)
		if (stream->index.slots[i].jump)
			kstate_slot_drop(stream, &stream->index.slots[i]);
	kstate_index_forget(&stream->index);
	if (list_empty(&stream->segments) && stream->nr_max_key)
		memset(stream->max_key, 0, stream->nr_max_key * sizeof(*stream->max_key));
}
