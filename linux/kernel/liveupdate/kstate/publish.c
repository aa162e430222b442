// SPDX-License-Identifier: GPL-2.0-only
/*
 * All streams of a set put together for the next kernel, or into a file.
 */

/**
 * DOC: publishing
 *
 * Publishing writes one segment more, the root: the schemas, and for each
 * stream where its segments are; and a header, which says where the root is.
 * A file has the same, with all segments behind the root.
 */

#include <linux/align.h>
#include <linux/crc32c.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include <trace/events/kstate.h>
#include "store.h"

/**
 * kstate_header_crc() - checksum of a header
 * @header: the header
 * @size: all of its bytes, which a later version may have more of
 *
 * Return: the checksum, with kstate_header.crc taken as zero.
 */
u32 kstate_header_crc(const struct kstate_header *header, u32 size)
{
	struct kstate_header copy = *header;
	u32 crc;

	copy.crc = 0;
	crc = crc32c(~0, &copy, sizeof(copy));
	return ~crc32c(crc, header + 1, size - sizeof(copy));
}

static u32 publish_stream_bytes(const struct kstate_stream *stream)
{
	return ALIGN(strlen(stream->name), 8) +
	       list_count_nodes((struct list_head *)&stream->segments) *
	       sizeof(struct kstate_segment_ref);
}

static size_t publish_root_bytes(const struct kstate_set *set)
{
	const struct kstate_stream *stream;
	const struct kstate_state *state;
	size_t bytes = 0;
	u32 i;

	for (i = 0; i < set->nr_known; i++)
		bytes += sizeof(struct kstate_record) + kstate_known(set, i)->size;
	list_for_each_entry(state, &set->states, list)
		bytes += sizeof(struct kstate_record) + state->size;
	list_for_each_entry(stream, &set->streams, list)
		bytes += sizeof(struct kstate_record) + publish_stream_bytes(stream);
	return bytes;
}

/* Bytes on their way into a file, or into the root segment alone */
struct publish_layout {
	u8 *root;
	size_t used;
	u64 end;		/* of the last segment in a file */
	bool file;
};

static struct kstate_record *publish_add_record(struct publish_layout *l, u32 kind, u64 key,
						u32 size)
{
	struct kstate_record *record = (void *)(l->root + l->used);

	record->schema = cpu_to_le32(kind);
	record->key = cpu_to_le64(key);
	record->size = cpu_to_le32(size);
	return record;
}

static void publish_seal(struct publish_layout *l, struct kstate_record *record)
{
	kstate_record_seal(record, l->used);
	l->used += kstate_record_bytes(record);
}

/* Where a segment is: where it lives, or where it comes to be in the file */
static struct kstate_segment_ref publish_segment(struct publish_layout *l,
						 const struct kstate_edge *edge, u64 used)
{
	struct kstate_segment_ref ref = { .edge = *edge, .used = cpu_to_le64(used) };

	if (l->file)
		ref.edge = (struct kstate_edge){
			.kind = KSTATE_EDGE_FILE, .addr = cpu_to_le64(l->end),
			.size = cpu_to_le64(used),
		};
	l->end += used;
	return ref;
}

/* Fill the root segment and the header; in a file the segments follow in order */
static void publish_lay_out(const struct kstate_set *set, struct publish_layout *l,
			    struct kstate_header *header, const struct kstate_edge *root)
{
	const struct kstate_segment *segment;
	const struct kstate_stream *stream;
	const struct kstate_state *state;
	struct kstate_segment_ref *refs;
	struct kstate_record *record;
	u64 records = 0;
	u32 i;

	memcpy(header->magic, KSTATE_MAGIC, KSTATE_MAGIC_LEN);
	header->header_size = cpu_to_le32(sizeof(*header));
	header->format = cpu_to_le32(KSTATE_FORMAT);
	header->flags = cpu_to_le32(l->file ? KSTATE_HEADER_FILE : 0);
	header->page_size = cpu_to_le32(set->page_size);
	header->arch = cpu_to_le32(set->arch);
	strscpy((char *)header->release, set->writer[0] ? set->writer : init_utsname()->release,
		sizeof(header->release));
	l->end = sizeof(*header);
	header->root = publish_segment(l, root, publish_root_bytes(set));

	for (i = 0; i < set->nr_known; i++) {
		record = publish_add_record(l, KSTATE_RECORD_SCHEMA, i, kstate_known(set, i)->size);
		memcpy(record + 1, kstate_known(set, i)->bytes, kstate_known(set, i)->size);
		publish_seal(l, record);
	}
	list_for_each_entry(state, &set->states, list) {
		record = publish_add_record(l, KSTATE_RECORD_STATE, state->schema, state->size);
		memcpy(record + 1, state->bytes, state->size);
		publish_seal(l, record);
	}
	list_for_each_entry(stream, &set->streams, list) {
		record = publish_add_record(l, KSTATE_RECORD_STREAM, stream->id,
					    publish_stream_bytes(stream));
		record->key_len = cpu_to_le16(strlen(stream->name));
		memcpy(record + 1, stream->name, strlen(stream->name));
		refs = (void *)kstate_record_payload(record);
		i = 0;
		list_for_each_entry(segment, &stream->segments, list) {
			refs[i++] = publish_segment(l, &segment->edge, segment->used);
			records += segment->records;
		}
		publish_seal(l, record);
	}
	header->records = cpu_to_le64(records);
	header->total_size = cpu_to_le64(l->end);
	header->crc = cpu_to_le32(kstate_header_crc(header, sizeof(*header)));
}

/**
 * kstate_set_publish() - make the header by which the next kernel finds a set
 * @set: the set; its streams do not change until kstate_set_unpublish()
 * @err: what went wrong
 *
 * Context: kstate_set.use is held for writing; allocates.
 * Return: 0 or -ENOMEM.
 */
int kstate_set_publish(struct kstate_set *set, struct kstate_error *err)
{
	struct kstate_where where = { .state = "handover", .err = err };
	struct publish_layout l = {};
	struct kstate_stream *stream;
	struct kstate_edge edge;

	/* Saving is refused from now on: wait for those who are at it */
	WRITE_ONCE(set->published, true);
	list_for_each_entry(stream, &set->streams, list) {
		mutex_lock(&stream->lock);
		mutex_unlock(&stream->lock);
	}

	set->root.size = max(PAGE_ALIGN(publish_root_bytes(set)), PAGE_SIZE);
	set->root.data = set->transport->alloc(set->root.size, &set->root.edge);
	if (set->root.data)
		set->header = set->transport->alloc(PAGE_SIZE, &edge);
	if (!set->header)
		return kstate_fail(&where, NULL, KSTATE_NO_MEMORY, -ENOMEM,
				   "%zu bytes of memory\nnone", set->root.size);
	l.root = set->root.data;
	publish_lay_out(set, &l, set->header, &set->root.edge);
	trace_kstate_publish((char *)set->header->release, le64_to_cpu(set->header->records),
			     l.end, 0);
	return 0;
}

/**
 * kstate_set_unpublish() - undo kstate_set_publish()
 * @set: the set; published, half published or not at all
 */
void kstate_set_unpublish(struct kstate_set *set)
{
	struct kstate_edge edge = { .kind = KSTATE_EDGE_FOLIO };

	if (set->incoming)
		return;
	if (set->root.data)
		set->transport->free(set->root.data, &set->root.edge);
	if (set->header)
		set->transport->free(set->header, &edge);
	set->root.data = NULL;
	set->header = NULL;
	/* Only now may streams change again: see kstate_set_published() */
	smp_store_release(&set->published, false);
}

static int publish_export(struct kstate_set *set, void **blob, size_t *size)
{
	struct kstate_segment *segment;
	struct kstate_stream *stream;
	struct publish_layout l = { .file = true };
	u64 end;
	u8 *p;

	end = sizeof(struct kstate_header) + publish_root_bytes(set);
	list_for_each_entry(stream, &set->streams, list)
		list_for_each_entry(segment, &stream->segments, list)
			end += segment->used;
	p = kvzalloc(end, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	*blob = p;
	*size = end;

	l.root = p + sizeof(struct kstate_header);
	publish_lay_out(set, &l, (void *)p, &set->root.edge);
	p = l.root + l.used;
	list_for_each_entry(stream, &set->streams, list) {
		list_for_each_entry(segment, &stream->segments, list) {
			memcpy(p, segment->data, segment->used);
			p += segment->used;
		}
	}
	return 0;
}

/**
 * kstate_set_export() - all of a set as one run of bytes
 * @set: the set
 * @blob: set to the bytes, for kvfree()
 * @size: set to how many
 *
 * Context: allocates.
 * Return: 0 or -ENOMEM.
 */
int kstate_set_export(struct kstate_set *set, void **blob, size_t *size)
{
	struct kstate_stream *stream;
	int ret;

	guard(rwsem_write)(&set->use);
	list_for_each_entry(stream, &set->streams, list)
		mutex_lock_nest_lock(&stream->lock, &set->use);
	ret = publish_export(set, blob, size);
	list_for_each_entry(stream, &set->streams, list)
		mutex_unlock(&stream->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(kstate_set_export);
