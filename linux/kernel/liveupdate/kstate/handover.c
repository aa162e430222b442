// SPDX-License-Identifier: GPL-2.0-only
/*
 * All streams of a set put together for the next kernel, and taken apart by it.
 */

/**
 * DOC: handing over
 *
 * Publishing writes one segment more, the root: the schemas, and for each
 * stream where its segments are; and a header, which says where the root is.
 * Opening reads them and makes the index of each stream. Every record has its
 * own checksums: damage is contained to what it hits.
 *
 * What nobody has restored is handed on at the next jump, or, once
 * kstate_finish() has been called, freed; only optional states that this
 * kernel does not know are kept aside and handed on even then.
 */

#define pr_fmt(fmt) "kstate: " fmt

#include <linux/align.h>
#include <linux/crc32c.h>
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include "store.h"

static u32 header_crc(const struct kstate_header *header, u32 size)
{
	struct kstate_header copy = *header;
	u32 crc;

	copy.crc = 0;
	crc = crc32c(~0, &copy, sizeof(copy));
	return ~crc32c(crc, header + 1, size - sizeof(copy));
}

static u32 stream_record_bytes(const struct kstate_stream *stream)
{
	return ALIGN(strlen(stream->name), 8) +
	       list_count_nodes((struct list_head *)&stream->segments) *
	       sizeof(struct kstate_segment_ref);
}

static size_t root_bytes(const struct kstate_set *set)
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
		bytes += sizeof(struct kstate_record) + stream_record_bytes(stream);
	return bytes;
}

/* Bytes on their way into a file, or into the root segment alone */
struct layout {
	u8 *root;
	size_t used;
	u64 end;		/* of the last segment in a file */
	bool file;
};

static struct kstate_record *add_record(struct layout *l, u32 kind, u64 key, u32 size)
{
	struct kstate_record *record = (void *)(l->root + l->used);

	record->schema = cpu_to_le32(kind);
	record->key = cpu_to_le64(key);
	record->size = cpu_to_le32(size);
	return record;
}

static void seal_record(struct layout *l, struct kstate_record *record)
{
	kstate_record_seal(record, l->used);
	l->used += sizeof(*record) + le32_to_cpu(record->size);
}

/* Where a segment is: where it lives, or where it comes to be in the file */
static struct kstate_segment_ref segment_ref(struct layout *l, const struct kstate_edge *edge,
					     u64 used)
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
static void lay_out(const struct kstate_set *set, struct layout *l, struct kstate_header *header,
		    const struct kstate_edge *root)
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
	header->page_size = cpu_to_le32(PAGE_SIZE);
	header->arch = cpu_to_le32(set->writer[0] ? set->arch : ELF_ARCH);
	strscpy((char *)header->release, set->writer[0] ? set->writer : init_utsname()->release,
		sizeof(header->release));
	l->end = sizeof(*header);
	header->root = segment_ref(l, root, root_bytes(set));

	for (i = 0; i < set->nr_known; i++) {
		record = add_record(l, KSTATE_RECORD_SCHEMA, i, kstate_known(set, i)->size);
		memcpy(record + 1, kstate_known(set, i)->bytes, kstate_known(set, i)->size);
		seal_record(l, record);
	}
	list_for_each_entry(state, &set->states, list) {
		record = add_record(l, KSTATE_RECORD_STATE, state->schema, state->size);
		memcpy(record + 1, state->bytes, state->size);
		seal_record(l, record);
	}
	list_for_each_entry(stream, &set->streams, list) {
		record = add_record(l, KSTATE_RECORD_STREAM, stream->id,
				    stream_record_bytes(stream));
		record->key_len = cpu_to_le16(strlen(stream->name));
		memcpy(record + 1, stream->name, strlen(stream->name));
		refs = (void *)kstate_record_payload(record);
		i = 0;
		list_for_each_entry(segment, &stream->segments, list) {
			refs[i++] = segment_ref(l, &segment->edge, segment->used);
			records += segment->records;
		}
		seal_record(l, record);
	}
	header->records = cpu_to_le64(records);
	header->total_size = cpu_to_le64(l->end);
	header->crc = cpu_to_le32(header_crc(header, sizeof(*header)));
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
	struct layout l = {};
	struct kstate_stream *stream;
	struct kstate_edge edge;

	/* Whoever saves from now on is refused: wait for those who are at it */
	set->published = true;
	list_for_each_entry(stream, &set->streams, list) {
		mutex_lock(&stream->lock);
		mutex_unlock(&stream->lock);
	}

	set->root.size = max(PAGE_ALIGN(root_bytes(set)), PAGE_SIZE);
	set->root.data = set->transport->alloc(set->root.size, &set->root.edge);
	if (set->root.data)
		set->header = set->transport->alloc(PAGE_SIZE, &edge);
	if (!set->header)
		return kstate_fail(&where, NULL, KSTATE_NO_MEMORY, -ENOMEM,
				   "%zu bytes of memory\nnone", set->root.size);
	l.root = set->root.data;
	lay_out(set, &l, set->header, &set->root.edge);
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
	set->published = false;
}

static int export_locked(struct kstate_set *set, void **blob, size_t *size)
{
	struct kstate_segment *segment;
	struct kstate_stream *stream;
	struct layout l = { .file = true };
	u64 end;
	u8 *p;

	end = sizeof(struct kstate_header) + root_bytes(set);
	list_for_each_entry(stream, &set->streams, list)
		list_for_each_entry(segment, &stream->segments, list)
			end += segment->used;
	p = kvzalloc(end, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	*blob = p;
	*size = end;

	l.root = p + sizeof(struct kstate_header);
	lay_out(set, &l, (void *)p, &set->root.edge);
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
	ret = export_locked(set, blob, size);
	list_for_each_entry(stream, &set->streams, list)
		mutex_unlock(&stream->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(kstate_set_export);

/* Opening */

/* Whoever takes part in the jump needs to know the first damage only */
static void note_damage(struct kstate_set *set, const void *at, size_t size,
			const struct kstate_error *err)
{
	if (!set->damage.code)
		set->damage = *err;
	if (set->transport->damaged)
		set->transport->damaged(set->transport, at, size, err);
}

static void damage(struct kstate_set *set, const char *where, u64 key, const void *at, size_t size,
		   const char *expected)
{
	struct kstate_error err = {};
	struct kstate_where w = {
		.state = where, .key = KSTATE_ID(key), .has_key = true,
		.writer = set->writer, .err = &err,
	};

	kstate_fail(&w, NULL, KSTATE_DAMAGED, -EBADMSG, "%s\nother bytes", expected);
	note_damage(set, at, size, &err);
}

static void damaged_record(struct kstate_set *set, const char *where, u64 key,
			   const struct kstate_record *record, const char *expected)
{
	damage(set, where, key, record, sizeof(*record) + le32_to_cpu(record->size), expected);
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
		damage(set, name, *at, segment->data + *at, here - *at, "the header of a record");
	*at = here;
	if (here < segment->used) {
		record = (void *)(segment->data + here);
		*at += sizeof(*record) + le32_to_cpu(record->size);
	}
	return record;
}

/* The next record that is understood, or NULL */
static struct kstate_record *next_record(struct kstate_set *set, struct kstate_segment *segment,
					 const char *name, size_t *at)
{
	struct kstate_record *record;

	while ((record = kstate_segment_next(set, segment, name, at))) {
		if (kstate_record_understood(record))
			return record;
		damaged_record(set, name, (u8 *)record - segment->data, record,
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
		damaged_record(set, "schema", where.key.id, record, "numbers that ascend");
		return 0;
	}

	if (kstate_record_whole(record))
		schema = kstate_schema_decode((u8 *)(record + 1), size, set, &where);
	else
		damaged_record(set, "schema", where.key.id, record, "the checksum of a schema");
	if (PTR_ERR_OR_ZERO(schema) == -ENOMEM)
		return -ENOMEM;
	if (IS_ERR(schema)) {
		note_damage(set, record, sizeof(*record) + size, &err);
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
	damaged_record(set, "state", id, record, expected);
	return 0;
}

static int index_segment(struct kstate_stream *stream, struct kstate_segment *segment)
{
	struct kstate_set *set = stream->set;
	struct kstate_record *record;
	size_t at = 0;

	while ((record = next_record(set, segment, stream->name, &at))) {
		if (le16_to_cpu(record->flags) & KSTATE_RECORD_DROPPED) {
			segment->records++;
			continue;
		}
		if (le32_to_cpu(record->schema) >= set->nr_known) {
			damaged_record(set, stream->name, at, record, "a record with a schema");
			continue;
		}
		segment->records++;
		stream->bytes += sizeof(*record) + le32_to_cpu(record->size);
		if (!kstate_stream_add_slot(stream, segment, record))
			return -ENOMEM;
	}
	return 0;
}

static int open_stream(struct kstate_set *set, struct kstate_record *record)
{
	const struct kstate_segment_ref *ref = (void *)kstate_record_payload(record);
	u32 len = le16_to_cpu(record->key_len), size;
	struct kstate_segment *segment;
	struct kstate_stream *stream;
	int ret;

	if (!len || !kstate_record_whole(record)) {
		damaged_record(set, "stream", le64_to_cpu(record->key), record,
			       "the checksum of a stream");
		return 0;
	}
	stream = kzalloc_obj(*stream);
	if (!stream)
		return -ENOMEM;
	stream->set = set;
	stream->id = le64_to_cpu(record->key);
	memcpy(stream->name, record + 1, len);
	mutex_init(&stream->lock);
	lockdep_set_subclass(&stream->lock, SINGLE_DEPTH_NESTING);
	INIT_LIST_HEAD(&stream->segments);
	xa_init(&stream->holes);
	ret = kstate_set_add_stream(set, stream);
	if (ret == -EEXIST)
		list_add_tail(&stream->list, &set->streams);
	else if (ret) {
		kfree(stream);
		return ret;
	}

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
			damage(set, stream->name, le64_to_cpu(ref->edge.addr), ref, sizeof(*ref),
			       "a segment");
			continue;
		}
		list_add_tail(&segment->list, &stream->segments);
		ret = set->transport->lean ? 0 : index_segment(stream, segment);
		if (ret)
			return ret;
	}
	return 0;
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
	while (!ret && (record = next_record(set, &set->root, "root", &at))) {
		bool is_stream = le32_to_cpu(record->schema) == KSTATE_RECORD_STREAM;

		if (record->flags || (record->key_len && !is_stream))
			damaged_record(set, "root", at, record, "no flags and no key");
		else if (le32_to_cpu(record->schema) == KSTATE_RECORD_SCHEMA)
			ret = open_schema(set, record);
		else if (is_stream)
			ret = open_stream(set, record);
		else if (le32_to_cpu(record->schema) == KSTATE_RECORD_STATE)
			ret = open_state(set, record);
		else
			damaged_record(set, "root", at, record, "a schema, a state or a stream");
	}
	if (ret)
		return kstate_fail(where, NULL, KSTATE_NO_MEMORY, ret, "memory\nnone");
	return 0;
}

static int check_header(const struct kstate_header *header, size_t size,
			const struct kstate_transport *transport, const struct kstate_where *where)
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
	if (header_crc(header, header_size) != le32_to_cpu(header->crc))
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
				   "pages of %lu bytes of architecture %u\n%u of %u", PAGE_SIZE,
				   ELF_ARCH, le32_to_cpu(header->page_size),
				   le32_to_cpu(header->arch));
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

	ret = check_header(h, size, transport, &where);
	if (ret)
		return ERR_PTR(ret);
	set = kstate_set_create(transport);
	if (!set) {
		kstate_fail(&where, NULL, KSTATE_NO_MEMORY, -ENOMEM, "memory\nnone");
		return ERR_PTR(-ENOMEM);
	}
	set->incoming = true;
	/* Handing on holds both sets: always the outgoing one first */
	lockdep_set_subclass(&set->use, SINGLE_DEPTH_NESTING);
	set->blob = blob;
	set->blob_size = size;
	strscpy(set->writer, (char *)h->release, min(sizeof(set->writer), sizeof(h->release)));
	set->arch = le32_to_cpu(h->arch);
	where.writer = set->writer;

	ret = open_root(set, h, &where);
	if (ret && transport->file) {
		set->blob = NULL;
		kstate_set_abandon(set);
		return ERR_PTR(ret);
	}
	/* What KHO has given it does not give again: keep what there is */
	if (ret)
		set->damage = *where.err;
	if (set->damage.code)
		kstate_set_error(set, &set->damage, "open");
	return set;
}

/* Handing on */

static int take_and_park(struct kstate_edge *edge, u8 type, void *arg)
{
	struct kstate_set *from = arg;
	void *ptr;
	int ret;

	if (kstate_set_parked(from, edge, false))
		return 0;
	ret = kstate_set_take(from, edge, &ptr);

	if (!ret)
		kstate_set_park(from, edge, ptr);
	return ret;
}

struct preserve_again {
	struct kstate_set *from;
	struct kstate_set *to;
	const struct kstate_where *where;
	int ret;
};

/* Once one fails, all that follow become empty, so that undoing ends there */
static int preserve_again(struct kstate_edge *edge, u8 type, void *arg)
{
	struct preserve_again *p = arg;
	struct kstate_edge made = {};

	if (!p->ret)
		p->ret = kstate_set_preserve(p->to, p->where, NULL, edge->kind,
					     kstate_set_parked(p->from, edge, false),
					     le64_to_cpu(edge->size) >> PAGE_SHIFT, &made);
	*edge = made;
	return 0;
}

static void left_behind(const struct kstate_stream *stream, const struct kstate_slot *slot,
			const char *why)
{
	char name[2 * KSTATE_MAX_NAME + 8];

	kstate_record_text(stream, slot->record, name, sizeof(name));
	pr_warn("hand on: stream %s: %s is left behind: it is %s\n", stream->name, name, why);
}

static int hand_on_record(struct kstate_stream *from, struct kstate_slot *slot,
			  struct kstate_stream *to, struct kstate_error *err)
{
	struct kstate_record *old = slot->record, *record;
	struct kstate_known *known = kstate_known(from->set, le32_to_cpu(old->schema));
	u32 size = le32_to_cpu(old->size), key_bytes = kstate_key_bytes(old), id;
	struct kstate_where where = { .err = err };
	struct preserve_again again = { .from = from->set, .to = to->set, .where = &where };
	struct kstate_slot *anew;
	u64 *max_key;
	int ret;

	if (!known->schema || !kstate_record_whole(old)) {
		left_behind(from, slot, "damaged");
		return 0;
	}
	where.state = known->schema->name;
	ret = kstate_set_schema(to->set, known->schema, &id, err);
	if (ret)
		return ret;
	anew = kstate_stream_lookup(to, kstate_known(to->set, id)->name, le64_to_cpu(old->key),
				    (char *)(old + 1), le16_to_cpu(old->key_len));
	if (IS_ERR(anew))
		return kstate_no_memory(&where, NULL);
	if (anew) {
		left_behind(from, slot, "saved anew");
		return 0;
	}

	ret = kstate_wire_edges(known->schema, kstate_record_payload(old), size - key_bytes,
				take_and_park, from->set);
	if (ret && ret != -ENOMEM) {
		/* That will not change: it must not stand in the way of all jumps */
		left_behind(from, slot, "without its memory");
		return 0;
	}
	if (ret)
		return kstate_no_memory(&where, NULL);
	max_key = kstate_stream_max_key(to, kstate_known(to->set, id)->name);
	if (!max_key)
		return kstate_no_memory(&where, NULL);
	*max_key = U64_MAX;
	ret = kstate_stream_append(to, size, &record, err);
	if (ret)
		return ret;
	memcpy(record, old, sizeof(*record) + size);
	record->schema = cpu_to_le32(id);
	kstate_wire_edges(known->schema, kstate_record_payload(record), size - key_bytes,
			  preserve_again, &again);
	ret = again.ret;
	if (!ret && !kstate_stream_commit(to, record))
		ret = kstate_no_memory(&where, NULL);
	if (ret) {
		kstate_record_release(to, record);
		kstate_stream_cancel(to, record, size);
		if (ret != -EEXIST)
			return ret;
		*err = (struct kstate_error){};
		left_behind(from, slot, "without memory of its own");
	}
	return 0;
}

static int hand_on_stream(struct kstate_stream *stream, struct kstate_set *to,
			  struct kstate_error *err)
{
	struct kstate_where where = { .state = stream->name, .err = err };
	struct kstate_stream *target = kstate_stream_find(to, stream->name);
	int ret = 0;
	u32 i;

	guard(mutex)(&stream->lock);
	for (i = 0; i < stream->index.nr && !ret; i++) {
		struct kstate_slot *slot = &stream->index.slots[i];

		if (slot->state != KSTATE_SLOT_FREE)
			continue;
		if (!target) {
			target = kstate_stream_create(to, stream->name, err);
			if (IS_ERR(target))
				return PTR_ERR(target);
			/* The next kernel finds it by the number that this one was told */
			if (kstate_set_renumber_stream(to, target, stream->id))
				return kstate_no_memory(&where, NULL);
		}
		guard(mutex)(&target->lock);
		ret = hand_on_record(stream, slot, target, err);
	}
	return ret;
}

/**
 * kstate_set_hand_on() - save what nobody claimed for the kernel after this one
 * @from: the incoming set, or NULL
 * @to: the outgoing set; its streams remember how much was theirs before
 * @err: what went wrong
 *
 * Context: allocates.
 * Return: 0, or a negative error code; kstate_abort() undoes what was done.
 */
int kstate_set_hand_on(struct kstate_set *from, struct kstate_set *to, struct kstate_error *err)
{
	struct kstate_stream *stream;
	int ret;

	if (!from)
		return 0;
	guard(rwsem_write)(&from->use);
	list_for_each_entry(stream, &from->streams, list) {
		ret = hand_on_stream(stream, to, err);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * kstate_set_finish() - free what nobody claimed
 * @set: the incoming set
 *
 * Context: may sleep.
 * Return: how many records were lost to this kernel.
 */
u32 kstate_set_finish(struct kstate_set *set)
{
	char name[2 * KSTATE_MAX_NAME + 8];
	struct kstate_stream *stream;
	u32 lost = 0, kept, i;

	guard(rwsem_write)(&set->use);
	set->damage.code = 0;
	list_for_each_entry(stream, &set->streams, list) {
		guard(mutex)(&stream->lock);
		for (i = 0, kept = 0; i < stream->index.nr; i++) {
			struct kstate_slot *slot = &stream->index.slots[i];
			struct kstate_schema *schema =
				kstate_known(set, le32_to_cpu(slot->record->schema))->schema;

			if (slot->state != KSTATE_SLOT_FREE)
				continue;
			if (schema && !kstate_known_state(schema->name) &&
			    (le16_to_cpu(slot->record->flags) & KSTATE_RECORD_OPTIONAL)) {
				kept++;
				continue;
			}
			kstate_record_text(stream, slot->record, name, sizeof(name));
			pr_warn_ratelimited("finish: stream %s: nobody claimed %s: its %u bytes are freed\n",
					    stream->name, name, le32_to_cpu(slot->record->size));
			kstate_slot_drop(stream, slot);
			lost++;
		}
		if (!kept)
			kstate_stream_empty(stream);
	}
	if (lost)
		pr_warn("finish: nobody claimed %u records: they are freed\n", lost);
	return lost;
}
