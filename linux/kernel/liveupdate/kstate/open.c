// SPDX-License-Identifier: GPL-2.0-only
/*
 * What another kernel published, taken apart: schemas, streams, and which records
 * there are.
 */

/**
 * DOC: opening
 *
 * Opening reads header and root, and makes the index of each stream. Every record
 * has its own checksums: damage is contained to what it hits, and only a header or
 * root that cannot be read makes opening fail.
 */

#include <linux/align.h>
#include <linux/crc32c.h>
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <trace/events/kstate.h>
#include "store.h"

/* A kernel needs to know the first damage only; a tool hears of all of it */
static void open_note_damage(struct kstate_set *set, const void *at, size_t size,
			     const struct kstate_error *err)
{
	if (!set->damage.code)
		set->damage = *err;
	if (set->transport->damaged)
		set->transport->damaged(set->transport, at, size, err);
}

static void open_damage(struct kstate_set *set, const char *where, u64 key, const void *at,
			size_t size, const char *expected)
{
	struct kstate_error err = {};
	struct kstate_where w = {
		.state = where, .key = KSTATE_ID(key), .has_key = true,
		.writer = set->writer, .err = &err,
	};

	kstate_fail(&w, NULL, KSTATE_DAMAGED, -EBADMSG, "%s\nother bytes", expected);
	open_note_damage(set, at, size, &err);
}

static void open_damaged(struct kstate_set *set, const char *where, u64 key,
			 const struct kstate_record *record, const char *expected)
{
	open_damage(set, where, key, record, kstate_record_bytes(record), expected);
}

static int open_segment(struct kstate_set *set, const struct kstate_segment_ref *ref,
			struct kstate_segment *segment)
{
	u64 addr = le64_to_cpu(ref->edge.addr), size = le64_to_cpu(ref->edge.size);
	u64 used = le64_to_cpu(ref->used);
	void *data;

	if (used > size || used % 8)
		return -EBADMSG;
	if (set->transport->lean && addr < set->blob_size && size > set->blob_size - addr) {
		size = set->blob_size - addr;
		used = min(used, ALIGN_DOWN(size, 8));
	}
	/* Segments do not overlap: together they are not larger than the file */
	set->opened += used;
	if (set->transport->file) {
		if (set->opened > set->blob_size)
			return -EBADMSG;
		if (ref->edge.kind != KSTATE_EDGE_FILE)
			return -EBADMSG;
		if (addr % 8 || addr > set->blob_size || size > set->blob_size - addr)
			return -EBADMSG;
		data = set->blob + addr;
	} else {
		data = set->transport->map(&ref->edge);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}
	segment->data = data;
	segment->size = size;
	segment->used = used;
	segment->edge = ref->edge;
	return 0;
}

#define RECORD_FLAGS	(KSTATE_RECORD_OPTIONAL | KSTATE_RECORD_DROPPED)

/**
 * kstate_record_good() - whether the header of a record stands somewhere
 * @segment: the segment
 * @at: where in it
 *
 * Return: true if so: then it ends within the segment.
 */
bool kstate_record_good(const struct kstate_segment *segment, size_t at)
{
	const struct kstate_record *record = (void *)(segment->data + at);
	u32 crc, size;

	if (segment->used < sizeof(*record) || at > segment->used - sizeof(*record))
		return false;
	crc = ~crc32c(~0, &record->pcrc, sizeof(*record) - sizeof(record->hcrc));
	size = le32_to_cpu(record->size);
	return crc == le32_to_cpu(record->hcrc) && le32_to_cpu(record->place) == at / 8 &&
	       size % 8 == 0 && size <= segment->used - at - sizeof(*record) &&
	       size <= KSTATE_MAX_RECORD;
}

/**
 * kstate_record_understood() - whether a record has nothing that is not known
 * @record: the record, whose header is good
 *
 * A later writer may set other flags: then the record is skipped as a whole.
 *
 * Return: true if so: then its key ends within the payload.
 */
bool kstate_record_understood(const struct kstate_record *record)
{
	return !(le16_to_cpu(record->flags) & ~RECORD_FLAGS) &&
	       le16_to_cpu(record->key_len) <= KSTATE_MAX_NAME &&
	       kstate_key_bytes(record) <= le32_to_cpu(record->size);
}

/**
 * kstate_segment_next() - go on to the next record
 * @set: the set
 * @segment: one of its segments
 * @name: of the stream, for messages
 * @at: where to look, 0 to begin with; moved behind the record
 *
 * Where a header is damaged, the next one is looked for: no good record is lost
 * with a bad one. The header of the record is good, the rest of it need not be.
 *
 * Return: the record, or NULL at the end.
 */
struct kstate_record *kstate_segment_next(struct kstate_set *set,
					  const struct kstate_segment *segment,
					  const char *name, size_t *at)
{
	struct kstate_record *record = NULL;
	size_t here = *at;

	while (here < segment->used && !kstate_record_good(segment, here))
		here += 8;
	if (here > *at)
		open_damage(set, name, *at, segment->data + *at, here - *at,
			    "the header of a record");
	*at = here;
	if (here < segment->used) {
		record = (void *)(segment->data + here);
		*at += kstate_record_bytes(record);
	}
	return record;
}

/* The next record that is understood, or NULL */
static struct kstate_record *open_next(struct kstate_set *set, struct kstate_segment *segment,
				       const char *name, size_t *at)
{
	struct kstate_record *record;

	while ((record = kstate_segment_next(set, segment, name, at))) {
		if (kstate_record_understood(record))
			return record;
		open_damaged(set, name, (u8 *)record - segment->data, record,
			     "the header of a record");
	}
	return NULL;
}

static int open_schema(struct kstate_set *set, struct kstate_record *record)
{
	struct kstate_error err = {};
	struct kstate_where where = {
		.state = "schema", .key = KSTATE_ID(le64_to_cpu(record->key)), .has_key = true,
		.writer = set->writer, .err = &err,
	};
	struct kstate_schema *schema = NULL;
	u32 size = le32_to_cpu(record->size);
	int ret = 0;

	/* Numbers whose records were damaged are known, but not what they mean */
	while (!ret && set->nr_known < where.key.id && where.key.id < KSTATE_MAX_SCHEMAS)
		ret = kstate_set_know(set, NULL, NULL, 0);
	if (ret)
		return ret;
	if (where.key.id != set->nr_known) {
		open_damaged(set, "schema", where.key.id, record, "numbers that ascend");
		return 0;
	}

	if (kstate_record_whole(record))
		schema = kstate_schema_decode((u8 *)(record + 1), size, set, &where);
	else
		open_damaged(set, "schema", where.key.id, record, "the checksum of a schema");
	if (PTR_ERR_OR_ZERO(schema) == -ENOMEM)
		return -ENOMEM;
	if (IS_ERR(schema)) {
		open_note_damage(set, record, sizeof(*record) + size, &err);
		schema = NULL;
	}
	ret = kstate_set_know(set, schema, (u8 *)(record + 1), size);
	if (ret)
		kstate_schema_free(schema);
	return ret;
}

static int open_state(struct kstate_set *set, struct kstate_record *record)
{
	const struct kstate_schema *schema;
	const char *expected = NULL;
	u64 id = le64_to_cpu(record->key);
	u32 size = le32_to_cpu(record->size);

	schema = id < set->nr_known ? kstate_known(set, id)->schema : NULL;
	if (!schema)
		expected = "a state with a schema";
	else if (!kstate_record_whole(record))
		expected = "the checksum of a state";
	else if (!kstate_state_valid((u8 *)(record + 1), size, schema))
		expected = "counts and offsets of a state";
	if (!expected)
		return kstate_set_add_state(set, id, (u8 *)(record + 1), size);
	open_damaged(set, "state", id, record, expected);
	return 0;
}

static int open_index(struct kstate_stream *stream, struct kstate_segment *segment)
{
	struct kstate_set *set = stream->set;
	struct kstate_record *record;
	size_t at = 0;

	while ((record = open_next(set, segment, stream->name, &at))) {
		if (le16_to_cpu(record->flags) & KSTATE_RECORD_DROPPED) {
			segment->records++;
			continue;
		}
		if (le32_to_cpu(record->schema) >= set->nr_known) {
			open_damaged(set, stream->name, at, record, "a record with a schema");
			continue;
		}
		segment->records++;
		stream->bytes += kstate_record_bytes(record);
		if (!kstate_stream_add_slot(stream, segment, record))
			return -ENOMEM;
	}
	return 0;
}

/* A key that another record has: only one of them could be found */
static int open_duplicates(struct kstate_stream *stream)
{
	struct kstate_slot *slot = stream->index.slots;
	int ret = kstate_index_update(stream);

	for (; slot < stream->index.slots + stream->index.nr; slot++)
		if (slot->state == KSTATE_SLOT_DROPPED)
			open_damaged(stream->set, stream->name,
				     (u8 *)slot->record - slot->segment->data, slot->record,
				     "a key that no record before has");
	return ret;
}

static int open_stream(struct kstate_set *set, struct kstate_record *record)
{
	const struct kstate_segment_ref *ref = (void *)kstate_record_payload(record);
	u32 len = le16_to_cpu(record->key_len), size;
	struct kstate_segment *segment;
	struct kstate_stream *stream;
	int ret;

	if (!len || !kstate_record_whole(record)) {
		open_damaged(set, "stream", le64_to_cpu(record->key), record,
			     "the checksum of a stream");
		return 0;
	}
	stream = kzalloc_obj(*stream);
	if (!stream)
		return -ENOMEM;
	stream->set = set;
	stream->id = le64_to_cpu(record->key);
	stream->last = stream->used;
	memcpy(stream->name, record + 1, len);
	mutex_init(&stream->lock);
	lockdep_set_subclass(&stream->lock, SINGLE_DEPTH_NESTING);
	INIT_LIST_HEAD(&stream->segments);
	xa_init(&stream->holes);
	ret = kstate_set_add_stream(set, stream);
	if (ret == -ENOMEM) {
		kfree(stream);
		return ret;
	}
	/* Another one has its name or number: it cannot be found, but its memory is freed */
	if (ret)
		list_add_tail(&stream->list, &set->streams);

	size = le32_to_cpu(record->size) - kstate_key_bytes(record);
	for (; size >= sizeof(*ref); size -= sizeof(*ref), ref++) {
		segment = kzalloc_obj(*segment);
		if (!segment)
			return -ENOMEM;
		INIT_LIST_HEAD(&segment->holes);
		ret = open_segment(set, ref, segment);
		if (ret) {
			kfree(segment);
			if (ret == -ENOMEM)
				return ret;
			open_damage(set, stream->name, le64_to_cpu(ref->edge.addr), ref,
				    sizeof(*ref), "a segment");
			continue;
		}
		list_add_tail(&segment->list, &stream->segments);
		ret = set->transport->lean ? 0 : open_index(stream, segment);
		if (ret)
			return ret;
	}
	return set->transport->lean ? 0 : open_duplicates(stream);
}

static int open_root(struct kstate_set *set, const struct kstate_header *header,
		     const struct kstate_where *where)
{
	struct kstate_record *record;
	size_t at = 0;
	int ret;

	ret = open_segment(set, &header->root, &set->root);
	if (ret)
		return kstate_fail(where, NULL, KSTATE_DAMAGED, ret,
				   "a root segment\nerror %d", ret);
	/* Schemas come first */
	while (!ret && (record = open_next(set, &set->root, "root", &at))) {
		bool is_stream = le32_to_cpu(record->schema) == KSTATE_RECORD_STREAM;

		if (record->flags || (record->key_len && !is_stream))
			open_damaged(set, "root", at, record, "no flags and no key");
		else if (le32_to_cpu(record->schema) == KSTATE_RECORD_SCHEMA)
			ret = open_schema(set, record);
		else if (is_stream)
			ret = open_stream(set, record);
		else if (le32_to_cpu(record->schema) == KSTATE_RECORD_STATE)
			ret = open_state(set, record);
		else
			open_damaged(set, "root", at, record, "a schema, a state or a stream");
	}
	if (ret)
		return kstate_no_memory(where, NULL);
	return 0;
}

static int open_check_header(const struct kstate_header *header, size_t size,
			     const struct kstate_transport *transport,
			     const struct kstate_where *where)
{
	u32 header_size;

	if (size < sizeof(*header) || memcmp(header->magic, KSTATE_MAGIC, KSTATE_MAGIC_LEN))
		return kstate_fail(where, NULL, KSTATE_FOREIGN, -EPROTONOSUPPORT,
				   "a KSTATE header\nsomething else");
	header_size = le32_to_cpu(header->header_size);
	if (header_size < sizeof(*header) || header_size > size || header_size > KSTATE_MAX_HEADER)
		return kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "a header of %zu to %zu bytes\n%u", sizeof(*header), size,
				   header_size);
	if (kstate_header_crc(header, header_size) != le32_to_cpu(header->crc))
		return kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "checksum %#010x of the header\nanother",
				   le32_to_cpu(header->crc));
	if (le32_to_cpu(header->format) != KSTATE_FORMAT)
		return kstate_fail(where, NULL, KSTATE_FOREIGN, -EPROTONOSUPPORT,
				   "format %u\n%u", KSTATE_FORMAT, le32_to_cpu(header->format));
	if (le32_to_cpu(header->flags) != (transport->file ? KSTATE_HEADER_FILE : 0))
		return kstate_fail(where, NULL, KSTATE_FOREIGN, -EPROTONOSUPPORT,
				   "flags %u\n%u", transport->file ? KSTATE_HEADER_FILE : 0,
				   le32_to_cpu(header->flags));
	if (!transport->file && (le32_to_cpu(header->page_size) != PAGE_SIZE ||
				 le32_to_cpu(header->arch) != ELF_ARCH))
		return kstate_fail(where, NULL, KSTATE_FOREIGN, -EPROTONOSUPPORT,
				   KSTATE_MACHINE "\n" KSTATE_MACHINE, ELF_ARCH, (u32)PAGE_SIZE,
				   le32_to_cpu(header->arch), le32_to_cpu(header->page_size));
	if (transport->file && le64_to_cpu(header->total_size) != size)
		return kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG, "%llu bytes\n%zu",
				   le64_to_cpu(header->total_size), size);
	return 0;
}

/**
 * kstate_set_open() - open what another kernel wrote
 * @transport: where it is
 * @header: the header
 * @size: bytes that can be read at @header
 * @blob: of a file: all bytes, which the set takes over on success
 * @err: what went wrong
 *
 * Damage to what is found from the header does not make this fail: see
 * kstate_set.damage.
 *
 * Context: allocates.
 * Return: the set, for kstate_set_destroy(), or an ERR_PTR().
 */
struct kstate_set *kstate_set_open(const struct kstate_transport *transport, void *header,
				   size_t size, void *blob, struct kstate_error *err)
{
	struct kstate_where where = { .state = "handover", .err = err };
	struct kstate_header *h = header;
	struct kstate_set *set;
	int ret;

	ret = open_check_header(h, size, transport, &where);
	if (ret)
		return ERR_PTR(ret);
	set = kstate_set_create(transport);
	if (!set) {
		kstate_no_memory(&where, NULL);
		return ERR_PTR(-ENOMEM);
	}
	set->incoming = true;
	/* Handing on holds both sets: always the outgoing one first */
	lockdep_set_subclass(&set->use, SINGLE_DEPTH_NESTING);
	set->blob = blob;
	set->blob_size = size;
	strscpy(set->writer, (char *)h->release, min(sizeof(set->writer), sizeof(h->release)));
	set->arch = le32_to_cpu(h->arch);
	set->page_size = le32_to_cpu(h->page_size);
	where.writer = set->writer;

	ret = open_root(set, h, &where);
	if (ret && transport->file) {
		set->blob = NULL;
		kstate_set_abandon(set);
		return ERR_PTR(ret);
	}
	/* KHO does not give memory twice: keep it */
	if (ret)
		set->damage = *where.err;
	trace_kstate_open(set->writer, le64_to_cpu(h->records), le64_to_cpu(h->total_size),
			  set->damage.code);
	if (set->damage.code)
		kstate_report_error(set, &set->damage, "open");
	return set;
}
