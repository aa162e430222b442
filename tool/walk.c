// SPDX-License-Identifier: GPL-2.0-only
/*
 * The values of a record, in the order of its fields, with nothing but its schema.
 *
 * The tails of fields stand in the order of the fields, so that one walk with one
 * cursor visits everything, whatever the size of the record, without memory.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <linux/align.h>
#include <linux/unaligned.h>
#include "walk.h"

static bool walk_struct(struct walk *w, const struct kstate_schema *schema, const u8 *fixed);

/* Remember where and why the walk ends */
__printf(3, 4)
static bool bad(struct walk *w, const u8 *at, const char *fmt, ...)
{
	va_list args;

	w->bad = at;
	va_start(args, fmt);
	vsnprintf(w->what, sizeof(w->what), fmt, args);
	va_end(args);
	return false;
}

static void leaf(struct walk *w, const struct node *n)
{
	if (!w->muted)
		w->walker->leaf(w->arg, n);
}

static void open(struct walk *w, const struct node *n)
{
	if (!w->muted)
		w->walker->open(w->arg, n);
}

static void close(struct walk *w, const struct node *n)
{
	if (!w->muted)
		w->walker->close(w->arg, n);
}

static bool walk_ref(struct walk *w, struct node *n, const struct kstate_schema *ref, const u8 *at)
{
	bool good;

	n->kind = NODE_STRUCT;
	n->ref = ref;
	n->at = at;
	n->bytes = ref->size;
	open(w, n);
	good = walk_struct(w, ref, at);
	close(w, n);
	return good;
}

static bool walk_edge(struct walk *w, struct node *n, const u8 *at)
{
	const struct kstate_edge *edge = (const void *)at;

	n->kind = NODE_EDGE;
	n->at = at;
	n->bytes = sizeof(*edge);
	if (edge->kind != KSTATE_EDGE_NONE && edge->kind != (n->type & 0xf))
		return bad(w, at, "%.*s: an edge of kind %u where kind %u belongs", n->name_len,
			   n->name ?: "", edge->kind, n->type & 0xf);
	leaf(w, n);
	return true;
}

/* One element, in the fixed part or in a tail */
static bool walk_element(struct walk *w, struct node *n, const u8 *at)
{
	if (n->type == KS_T_STRUCT)
		return walk_ref(w, n, n->f->ref, at);
	if (kstate_is_edge(n->type))
		return walk_edge(w, n, at);
	n->kind = NODE_INTS;
	n->one = true;
	n->count = 1;
	n->at = at;
	n->bytes = n->f->size;
	leaf(w, n);
	return true;
}

/* @n->count elements, those that are present one after another at @at */
static bool walk_list(struct walk *w, struct node *n, const u8 *at, const u8 *present,
		      const u8 *indices)
{
	bool good = true, all = true;
	u64 i;

	n->kind = NODE_LIST;
	n->at = at;
	open(w, n);
	for (i = 0; good && i < n->count; i++) {
		struct node e = {
			.kind = NODE_NULL, .type = n->type, .element = true, .f = n->f,
			.schema = n->schema, .name = n->name, .name_len = n->name_len,
			.index = indices ? get_unaligned_le64(indices + 8 * i) : i,
		};

		if (i == w->limit && !w->muted) {
			e.kind = NODE_MORE;
			e.count = n->count - i;
			e.at = at;
			leaf(w, &e);
			all = false;
			/* Their tails come before those that follow */
			if (!n->f->ref || !n->f->ref->tails)
				break;
			w->muted++;
		}
		if (present && !present[i]) {
			e.at = present + i;
			e.bytes = 1;
			leaf(w, &e);
			continue;
		}
		good = walk_element(w, &e, at);
		at += n->f->size;
	}
	if (!all && n->f->ref && n->f->ref->tails)
		w->muted--;
	close(w, n);
	return good;
}

static bool walk_items(struct walk *w, const u8 *pos, const u8 *end, u32 groups);

static bool walk_item(struct walk *w, struct node *n, const u8 *end, u32 groups)
{
	bool good;

	switch (n->type) {
	case KS_T_STRUCT:
		if (groups == KSTATE_MAX_GROUPS)
			return bad(w, n->at, "groups of items that are nested too deep");
		n->kind = NODE_ITEMS;
		open(w, n);
		good = walk_items(w, n->at, n->at + n->bytes, groups + 1);
		close(w, n);
		return good;
	case KS_CHAR:
		n->kind = NODE_TEXT;
		leaf(w, n);
		return true;
	case KS_T_FOLIO:
	case KS_T_PAGES:
	case KS_T_VMALLOC:
		if (n->bytes == sizeof(struct kstate_edge))
			return walk_edge(w, n, n->at);
		break;
	case KS_U8:
		if (n->bytes != 1) {
			n->kind = NODE_BYTES;
			leaf(w, n);
			return true;
		}
		fallthrough;
	case KS_U16: case KS_U32: case KS_U64:
	case KS_S8: case KS_S16: case KS_S32: case KS_S64:
	case KS_BOOL:
		if (n->bytes != kstate_size(n->type))
			break;
		n->kind = NODE_INTS;
		n->one = true;
		n->count = 1;
		leaf(w, n);
		return true;
	}
	return bad(w, n->at, "an item of type %#x with %llu bytes", n->type, n->bytes);
}

static bool walk_items(struct walk *w, const u8 *pos, const u8 *end, u32 groups)
{
	while (pos < end) {
		const struct kstate_item *item = (const void *)pos;
		struct node n = { .item = true };
		u64 value, bytes;

		if (end - pos < sizeof(*item))
			return bad(w, pos, "no room for an item");
		value = sizeof(*item) + ALIGN((u64)item->name_len, 8);
		bytes = le32_to_cpu(item->size);
		if (value + ALIGN(bytes, 8) > end - pos)
			return bad(w, pos, "an item of %llu bytes, %llu are left", value + bytes,
				   (u64)(end - pos));
		n.type = item->type;
		n.name = (const char *)(item + 1);
		n.name_len = item->name_len;
		n.at = pos + value;
		n.bytes = bytes;
		/* Its header and its name */
		n.tail = pos;
		n.tail_bytes = value;
		if (!walk_item(w, &n, end, groups))
			return false;
		pos += value + ALIGN(bytes, 8);
	}
	return true;
}

static bool walk_union(struct walk *w, struct node *n, const struct kstate_span *span)
{
	const struct kstate_schema_field *arm = span->arm;
	bool good = true;
	struct node e = {};

	n->kind = NODE_UNION;
	n->arm = arm->name;
	open(w, n);
	if (arm->ref) {
		e.name = arm->name;
		e.name_len = strlen(arm->name);
		e.f = arm;
		e.schema = n->schema;
		good = walk_ref(w, &e, arm->ref, n->at);
	}
	close(w, n);
	return good;
}

static bool walk_runs(struct walk *w, struct node *n, const struct kstate_span *span)
{
	n->kind = NODE_LIST;
	open(w, n);
	for (u64 i = 0; i < span->present; i++) {
		struct node e = {
			.kind = NODE_RUN, .type = n->type, .element = true, .f = n->f,
			.schema = n->schema, .name = n->name, .name_len = n->name_len, .index = i,
			.at = n->at + i * sizeof(struct kstate_folio_run),
			.bytes = sizeof(struct kstate_folio_run),
		};

		if (i == w->limit && !w->muted) {
			e.kind = NODE_MORE;
			e.count = span->present - i;
			leaf(w, &e);
			break;
		}
		leaf(w, &e);
	}
	close(w, n);
	return true;
}

/* What a slot announces */
static bool walk_tail(struct walk *w, struct node *n)
{
	const struct kstate_schema_field *f = n->f;
	struct kstate_span span;
	u64 left;
	bool good;

	if (!kstate_span_of(n->schema, f, get_unaligned_le32(n->slot), &w->tail, &span)) {
		left = w->tail.end - w->tail.pos;
		return span.bytes > left ?
			bad(w, w->tail.pos, "%s needs %llu bytes, %llu are left", n->name,
			    span.bytes, left) :
			bad(w, n->slot, "%s: expected %s, found %llu", n->name, span.bad,
			    span.found);
	}
	n->count = span.n;
	n->bytes = span.bytes;
	n->at = span.chunk;
	if (span.before) {
		n->tail = span.before;
		n->tail_bytes = f->type == KS_T_FOLIOS ? sizeof(u64) :
				f->container == KS_C_MAP ? 8ULL * span.n : span.n;
	}
	switch (f->type) {
	case KS_T_BITMAP:
		n->kind = NODE_BITS;
		leaf(w, n);
		return true;
	case KS_T_ITEMS:
		n->kind = NODE_ITEMS;
		open(w, n);
		good = walk_items(w, n->at, n->at + n->bytes, 0);
		close(w, n);
		return good;
	case KS_T_UNION:
		return walk_union(w, n, &span);
	case KS_T_FOLIOS:
		return walk_runs(w, n, &span);
	}
	if (f->container == KS_C_OPTIONAL) {
		if (span.n)
			return walk_element(w, n, n->at);
		n->kind = NODE_NULL;
		leaf(w, n);
		return true;
	}
	if (f->container == KS_C_SEQUENCE && kstate_is_int(f->type)) {
		n->kind = f->type == KS_CHAR ? NODE_TEXT : NODE_INTS;
		leaf(w, n);
		return true;
	}
	n->map = f->container == KS_C_MAP;
	return walk_list(w, n, n->at, f->container == KS_C_POINTERS ? span.before : NULL,
			 n->map ? span.before : NULL);
}

static bool walk_fixed(struct walk *w, struct node *n, const u8 *at)
{
	const struct kstate_schema_field *f = n->f;

	if (f->container == KS_C_ONE)
		return walk_element(w, n, at);
	n->count = f->count;
	n->bytes = (u64)f->count * f->size;
	n->at = at;
	if (f->type == KS_T_STRUCT || kstate_is_edge(f->type))
		return walk_list(w, n, at, NULL, NULL);
	n->kind = f->type == KS_CHAR ? NODE_TEXT : NODE_INTS;
	leaf(w, n);
	return true;
}

static bool walk_field(struct walk *w, const struct kstate_schema *schema,
		       const struct kstate_schema_field *f, const u8 *fixed)
{
	struct node n = {
		.type = f->type, .name = f->name, .name_len = strlen(f->name), .f = f,
		.schema = schema,
	};

	if (kstate_has_slot(f)) {
		n.slot = fixed + f->offset;
		return walk_tail(w, &n);
	}
	return walk_fixed(w, &n, fixed + f->offset);
}

static bool walk_secret(struct walk *w, const struct kstate_schema *schema,
			const struct kstate_schema_field *f, const u8 *fixed)
{
	const u8 *tail = w->tail.pos;
	struct node n = {
		.kind = NODE_SECRET, .type = f->type, .name = f->name,
		.name_len = strlen(f->name), .f = f, .schema = schema,
		.at = fixed + f->offset, .tail = tail,
	};
	bool good;

	n.bytes = kstate_has_slot(f) ? sizeof(u32) : (u64)f->count * f->size;
	w->muted++;
	good = walk_field(w, schema, f, fixed);
	w->muted--;
	n.tail_bytes = w->tail.pos - tail;
	leaf(w, &n);
	return good;
}

static bool walk_struct(struct walk *w, const struct kstate_schema *schema, const u8 *fixed)
{
	for (u32 i = 0; i < schema->nr_fields; i++) {
		const struct kstate_schema_field *f = &schema->fields[i];

		if (!kstate_has_data(f))
			continue;
		if (f->secret && !w->secrets ? !walk_secret(w, schema, f, fixed) :
		    !walk_field(w, schema, f, fixed))
			return false;
	}
	return true;
}

/**
 * walk_payload() - tell of all values of a record
 * @w: the walk; walker, arg, limit and secrets are set
 * @schema: the schema of the record
 * @payload: its payload after the key
 * @size: of @payload
 *
 * Return: false if the bytes cannot be those of such a record: see @w->bad.
 */
bool walk_payload(struct walk *w, const struct kstate_schema *schema, const u8 *payload, u32 size)
{
	w->tail = (struct kstate_cursor){ (u8 *)payload, (u8 *)payload + size };
	w->muted = 0;
	w->bad = NULL;
	if (!kstate_cursor_take(&w->tail, schema->size))
		return bad(w, payload, "%s has %u bytes, %u are there", schema->name,
			   schema->size, size);
	if (!walk_struct(w, schema, payload))
		return false;
	if (w->tail.pos != w->tail.end)
		return bad(w, w->tail.pos, "%llu bytes are left over",
			   (u64)(w->tail.end - w->tail.pos));
	return true;
}
