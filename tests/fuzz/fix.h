/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting right, in a stream of arbitrary bytes, what follows from other bytes: sizes,
 * checksums and hashes. Mutations would get nowhere without it.
 */
#ifndef _FIX_H
#define _FIX_H

#include <linux/crc32c.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "store.h"

static u32 crc(const void *data, size_t size)
{
	return ~crc32c(~0, data, size);
}

static void seal(struct kstate_record *record, u32 place, u32 room)
{
	u32 size = le32_to_cpu(record->size) & ~7U;

	if (size > room)
		size = room;
	record->size = cpu_to_le32(size);
	if ((le16_to_cpu(record->key_len) + 7U) / 8 * 8 > size)
		record->key_len = 0;
	record->key_len = cpu_to_le16(le16_to_cpu(record->key_len) % 64);
	record->flags &= cpu_to_le16(KSTATE_RECORD_OPTIONAL | KSTATE_RECORD_DROPPED);
	if (record->key_len)
		record->key = cpu_to_le64(crc(record + 1, le16_to_cpu(record->key_len)));
	kstate_record_seal(record, place);
}

static const char *fix_string(char *strings, u32 size, __le32 *at)
{
	u32 pos = le32_to_cpu(*at) % size;

	*at = cpu_to_le32(pos);
	if (strnlen(strings + pos, size - pos) > KSTATE_MAX_NAME)
		strings[pos + KSTATE_MAX_NAME] = 0;
	return strings + pos;
}

#define MAX_FUZZ_SCHEMAS	64
#define MAX_FUZZ_RECORDS	256

static struct kstate_schema *made[MAX_FUZZ_SCHEMAS];
static u32 nr_made;

static void forget_schemas(void)
{
	while (nr_made)
		kstate_schema_free(made[--nr_made]);
}

/* Give a schema the size and the hash that follow from its fields */
static void fix_schema(struct kstate_record *record)
{
	struct kstate_wire_schema *ws = (void *)(record + 1);
	struct kstate_wire_field *wf = (void *)(ws + 1);
	struct kstate_wire_hint *wh;
	u32 size = le32_to_cpu(record->size), nr, hints, i, strings;
	struct kstate_schema *s;
	char *text;

	if (size < sizeof(*ws) + 8 || nr_made == MAX_FUZZ_SCHEMAS)
		return;
	record->key = cpu_to_le64(nr_made);
	record->key_len = 0;
	size -= sizeof(*ws);
	nr = min(le32_to_cpu(ws->nr_fields), (size - 8) / (u32)sizeof(*wf));
	size -= nr * sizeof(*wf);
	hints = min3(le32_to_cpu(ws->nr_hints), (size - 8) / (u32)sizeof(*wh),
		     (u32)KSTATE_MAX_HINTS);
	size -= hints * sizeof(*wh);
	ws->nr_fields = cpu_to_le32(nr);
	ws->nr_hints = cpu_to_le32(hints);
	strings = size;
	ws->strings = cpu_to_le32(size);
	wh = (void *)(wf + nr);
	text = (void *)(wh + hints);
	text[strings - 1] = 0;

	s = kvzalloc(sizeof(*s), GFP_KERNEL);
	s->fields = kvzalloc((nr + 1) * sizeof(*s->fields), GFP_KERNEL);
	s->nr_fields = nr;
	s->name = fix_string(text, strings, &ws->name);
	s->version = le32_to_cpu(ws->version);
	s->min_version = le32_to_cpu(ws->min_version);
	s->flags = le32_to_cpu(ws->flags) & KSTATE_SCHEMA_OPTIONAL;
	ws->flags = cpu_to_le32(s->flags);
	for (i = 0; i < hints; i++) {
		fix_string(text, strings, &wh[i].name);
		wh[i].field = cpu_to_le16(nr ? le16_to_cpu(wh[i].field) % nr : 0);
		if (wh[i].kind == cpu_to_le16(KSTATE_HINT_LENGTH))
			wh[i].value = cpu_to_le64(le64_to_cpu(wh[i].value) %
						  (le16_to_cpu(wh[i].field) + 1));
	}
	for (i = 0; i < nr; i++, wf++) {
		struct kstate_schema_field *f = &s->fields[i];

		f->name = fix_string(text, strings, &wf->name);
		f->type = wf->type;
		wf->container %= KS_C_MAP + 1;
		if (wf->type >= KS_T_BITMAP)
			wf->container = KS_C_ONE;
		f->container = wf->container;
		wf->flags &= cpu_to_le16(KSTATE_FIELD_FLAGS);
		f->flags = le16_to_cpu(wf->flags);
		if (wf->container != KS_C_ARRAY)
			wf->count = cpu_to_le32(1);
		f->count = le32_to_cpu(wf->count);
		f->dflt = le64_to_cpu(wf->dflt);
		f->min = le64_to_cpu(wf->min);
		if (f->type == KS_T_REMOVED && (f->min >> 8 > KS_C_ARRAY || !f->min ||
						!kstate_is_int(f->min) ||
						!kstate_type_name(f->min)))
			wf->min = f->min = 0;
		f->max = le64_to_cpu(wf->max);
		f->mask = le64_to_cpu(wf->mask);
		if (f->type != KS_T_STRUCT && f->type != KS_T_ARM)
			wf->ref = cpu_to_le32(KSTATE_NO_REF);
		if (wf->ref != cpu_to_le32(KSTATE_NO_REF) && nr_made) {
			wf->ref = cpu_to_le32(le32_to_cpu(wf->ref) % nr_made);
			f->ref = made[le32_to_cpu(wf->ref)];
		}
		if (f->type == KS_T_STRUCT && !f->ref)
			f->type = wf->type = KS_U8;
	}
	if (kstate_schema_layout(s)) {
		ws->size = cpu_to_le32(s->size);
		kstate_schema_hash(s);
		ws->hash = cpu_to_le64(s->hash);
	}
	made[nr_made++] = s;
}

static u32 fix_segment(u8 *data, u32 used, u32 *budget, void (*also)(struct kstate_record *))
{
	struct kstate_record *record;
	u32 at = 0;

	while (at + sizeof(*record) <= used && *budget) {
		record = (void *)(data + at);
		seal(record, at, used - at - sizeof(*record));
		if (also) {
			also(record);
			kstate_record_seal(record, at);
		}
		at += sizeof(*record) + le32_to_cpu(record->size);
		--*budget;
	}
	return at;
}

static u8 *file;
static size_t file_size;
static u32 budget;

static void fix_ref(struct kstate_segment_ref *ref)
{
	u64 room = file_size & ~7ULL;
	u64 addr = le64_to_cpu(ref->edge.addr), used = le64_to_cpu(ref->used);

	addr = addr % room & ~7ULL;
	used = min(used, room - addr) & ~7ULL;
	ref->edge.addr = cpu_to_le64(addr);
	ref->edge.size = cpu_to_le64(used);
	ref->edge.kind = KSTATE_EDGE_FILE;
	ref->used = cpu_to_le64(used);
}

static void fix_state(struct kstate_record *record)
{
	struct kstate_wire_state *ws = (void *)(record + 1);
	u32 size = le32_to_cpu(record->size), strings = size - sizeof(*ws);

	record->key_len = 0;
	if (!nr_made || size < sizeof(*ws) + 8)
		return;
	record->key = cpu_to_le64(le64_to_cpu(record->key) % nr_made);
	ws->flags &= cpu_to_le32(KSTATE_STATE_FLAGS);
	ws->nr_members = 0;
	ws->reserved = 0;
	ws->strings = cpu_to_le32(strings);
	ws->image = cpu_to_le32(le32_to_cpu(ws->image) % strings);
	ws->type = cpu_to_le32(le32_to_cpu(ws->type) % strings);
	((u8 *)(ws + 1))[strings - 1] = 0;
}

static void fix_root_record(struct kstate_record *record)
{
	struct kstate_segment_ref *ref;
	u32 size;

	record->flags = 0;
	if (le32_to_cpu(record->schema) == KSTATE_RECORD_SCHEMA) {
		fix_schema(record);
		return;
	}
	if (le32_to_cpu(record->schema) == KSTATE_RECORD_STATE) {
		fix_state(record);
		return;
	}
	record->schema = cpu_to_le32(KSTATE_RECORD_STREAM);
	ref = (void *)kstate_record_payload(record);
	size = le32_to_cpu(record->size) - kstate_key_bytes(record);
	for (; size >= sizeof(*ref); size -= sizeof(*ref), ref++) {
		fix_ref(ref);
		/* Never the root and the header, which are right already */
		if (le64_to_cpu(ref->edge.addr) >= sizeof(struct kstate_header) +
		    le64_to_cpu(((struct kstate_header *)file)->root.used))
			fix_segment(file + le64_to_cpu(ref->edge.addr), le64_to_cpu(ref->used),
				    &budget, NULL);
	}
}

static void fix_file(void)
{
	struct kstate_header *h = (void *)file;

	memcpy(h->magic, KSTATE_MAGIC, KSTATE_MAGIC_LEN);
	h->header_size = cpu_to_le32(sizeof(*h));
	h->format = cpu_to_le32(KSTATE_FORMAT);
	h->flags = cpu_to_le32(KSTATE_HEADER_FILE);
	h->total_size = cpu_to_le64(file_size);
	h->root.edge.addr = cpu_to_le64(sizeof(*h));
	fix_ref(&h->root);
	budget = MAX_FUZZ_RECORDS;
	fix_segment(file + sizeof(*h), le64_to_cpu(h->root.used), &budget, fix_root_record);
	forget_schemas();
	h->crc = 0;
	h->crc = cpu_to_le32(crc(h, sizeof(*h)));
}

#endif /* _FIX_H */
