// SPDX-License-Identifier: GPL-2.0-only
/*
 * The payload of a record, read with its schema alone: what belongs to a field,
 * defaults, and edges of fields that no description of this kernel knows.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include "engine.h"

static bool bad_span(struct kstate_span *span, const char *expected, u64 found)
{
	span->bad = expected;
	span->found = found;
	return false;
}

static bool span_union(const struct kstate_schema *schema, const struct kstate_schema_field *f,
		       struct kstate_cursor *tail, struct kstate_span *span)
{
	u32 left = schema->nr_fields - (f - schema->fields) - 1, i;

	/* Arms stand directly after their union */
	for (i = 1; i <= span->n && i <= left && f[i].type == KS_T_ARM; i++)
		;
	if (!span->n || i <= span->n)
		return bad_span(span, "an arm", span->n);
	span->arm = f + span->n;
	span->bytes = span->arm->ref ? span->arm->ref->size : 0;
	span->chunk = kstate_cursor_take(tail, span->bytes);
	return span->chunk ? true : bad_span(span, "an arm in the record", span->n);
}

/**
 * kstate_span_of() - find the part of the tail that belongs to a field
 * @schema: schema of the struct that holds the field
 * @f: the field; it has a slot
 * @n: what its slot says
 * @tail: where its tail begins; moved to where it ends, but for what the
 *	elements themselves have there
 * @span: set to what was found
 *
 * Return: false if the bytes cannot be those of such a field: see
 * kstate_span.bad.
 */
bool kstate_span_of(const struct kstate_schema *schema, const struct kstate_schema_field *f, u32 n,
		    struct kstate_cursor *tail, struct kstate_span *span)
{
	u32 i;

	*span = (struct kstate_span){ .n = n, .present = n };
	switch (f->type) {
	case KS_T_UNION:
		return span_union(schema, f, tail, span);
	case KS_T_BITMAP:
		span->bytes = BITS_TO_WIRE(n);
		span->chunk = kstate_cursor_take(tail, span->bytes);
		return span->chunk ? true : bad_span(span, "bits in the record", n);
	case KS_T_ITEMS:
		span->bytes = n;
		span->chunk = n % 8 ? NULL : kstate_cursor_take(tail, n);
		return span->chunk ? true : bad_span(span, "items in the record", n);
	case KS_T_FOLIOS:
		if (!n)
			return true;
		span->before = kstate_cursor_take(tail, sizeof(u64));
		if (n > KSTATE_MAX_FOLIOS || !span->before ||
		    get_unaligned_le64(span->before) > n)
			return bad_span(span, "folios in the record", n);
		span->present = get_unaligned_le64(span->before);
		span->bytes = (u64)span->present * sizeof(struct kstate_folio_run);
		span->chunk = kstate_cursor_take(tail, span->bytes);
		return span->chunk ? true : bad_span(span, "folios in the record", n);
	}

	if (f->container == KS_C_OPTIONAL && n > 1)
		return bad_span(span, "0 or 1 elements", n);
	if (f->container >= KS_C_POINTERS) {
		span->before = kstate_cursor_take(tail, f->container == KS_C_MAP ? 8ULL * n : n);
		if (!span->before)
			return bad_span(span, "elements in the record", n);
	}
	for (i = 0; f->container == KS_C_POINTERS && i < n; i++) {
		if (span->before[i] > 1)
			return bad_span(span, "0 or 1 for each pointer", span->before[i]);
		span->present -= !span->before[i];
	}
	span->bytes = (u64)span->present * f->size;
	span->chunk = kstate_cursor_take(tail, span->bytes);
	return span->chunk ? true : bad_span(span, "elements in the record", n);
}

static int visit_edge(struct kstate_edge *edge, u8 type, struct kstate_visit *visit)
{
	if (edge->kind == KSTATE_EDGE_NONE)
		return 0;
	visit->is_default = false;
	return visit->edge ? visit->edge(edge, type, visit->arg) : 0;
}

/**
 * kstate_run_edges() - how many edges a run of folios stands for
 * @run: the run
 *
 * Pages of order 0 are handed over as one range.
 *
 * Return: their number.
 */
u32 kstate_run_edges(const struct kstate_folio_run *run)
{
	if (!run->place)
		return 0;
	return kstate_run_order(run) ? kstate_run_count(run) : 1;
}

/**
 * kstate_run_edge() - one of the edges of a run
 * @run: the run
 * @i: which
 * @edge: set to it
 */
void kstate_run_edge(const struct kstate_folio_run *run, u32 i, struct kstate_edge *edge)
{
	u32 order = kstate_run_order(run);
	u64 pfn = kstate_run_pfn(run) + ((u64)i << order);
	u64 pages = order ? 1ULL << order : kstate_run_count(run);

	*edge = (struct kstate_edge){
		.kind = order || pages == 1 ? KSTATE_EDGE_FOLIO : KSTATE_EDGE_PAGES, .order = order,
		.addr = cpu_to_le64(pfn << PAGE_SHIFT), .size = cpu_to_le64(pages << PAGE_SHIFT),
	};
}

static int visit_run(struct kstate_folio_run *run, struct kstate_visit *visit)
{
	u32 nr = visit->edge ? kstate_run_edges(run) : 0, kept = 0, i;
	struct kstate_edge edge;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		kstate_run_edge(run, i, &edge);
		ret = visit_edge(&edge, KS_T_EDGE | edge.kind, visit);
		kept += edge.kind != KSTATE_EDGE_NONE;
	}
	if (ret || kept == nr)
		return ret;
	/* Bytes are taken away from the end, or all of them */
	if (kept)
		run->index = cpu_to_le64(kstate_run_index(run) |
					 (u64)(kept - 1) << KSTATE_RUN_BITS);
	else
		*run = (struct kstate_folio_run){};
	return 0;
}

/* Runs of more folios than the slot says are no runs, and would take forever */
static int walk_runs(const struct kstate_span *span, struct kstate_visit *visit)
{
	struct kstate_folio_run *run = (void *)span->chunk;
	u64 n = 0;
	u32 i;
	int ret = 0;

	for (i = 0; i < span->present && !ret; i++, run++) {
		n += run->place ? kstate_run_count(run) : 0;
		ret = n > span->n ? -EBADMSG : visit_run(run, visit);
	}
	return ret;
}

static int walk_items(u8 *pos, u8 *end, struct kstate_visit *visit)
{
	int ret;

	/*
	 * Groups hold items like those around them: no need to count levels.
	 * What saving has not reached is zero, which looks like empty items.
	 */
	while (pos < end) {
		struct kstate_item *item = (void *)pos;
		u64 value = sizeof(*item) + ALIGN(item->name_len, 8);
		u64 bytes = value + ALIGN((u64)le32_to_cpu(item->size), 8);

		if (item->type == KS_T_STRUCT)
			bytes = value;
		if (end - pos < sizeof(*item) || bytes > (u64)(end - pos))
			return -EBADMSG;
		if (kstate_is_edge(item->type)) {
			if (le32_to_cpu(item->size) != sizeof(struct kstate_edge))
				return -EBADMSG;
			ret = visit_edge((void *)(pos + value), item->type, visit);
			if (ret)
				return ret;
		}
		pos += bytes;
	}
	return 0;
}

/* @nr elements at @p, and what they have in the tail */
static int walk_elements(const struct kstate_schema_field *f, u8 *p, u32 nr,
			 struct kstate_cursor *tail, struct kstate_visit *visit)
{
	u32 i;
	int ret;

	for (i = 0; i < nr; i++, p += f->size) {
		if (f->type == KS_T_STRUCT) {
			ret = kstate_wire_struct(f->ref, p, tail, visit);
			if (ret)
				return ret;
		} else if (kstate_is_edge(f->type)) {
			ret = visit_edge((void *)p, f->type, visit);
			if (ret)
				return ret;
		} else if (kstate_int_load(p, f->type) !=
			   (f->type >= KS_T_LINEAR ? ~0ULL : f->dflt)) {
			visit->is_default = false;
		}
	}
	return 0;
}

static int walk_tail(const struct kstate_schema *schema, const struct kstate_schema_field *f,
		     u32 n, struct kstate_cursor *tail, struct kstate_visit *visit)
{
	struct kstate_span span;

	if (!n)
		return 0;
	if (!kstate_span_of(schema, f, n, tail, &span))
		return -EBADMSG;
	switch (f->type) {
	case KS_T_BITMAP:
		if (memchr_inv(span.chunk, 0, span.bytes))
			visit->is_default = false;
		return 0;
	case KS_T_ITEMS:
		visit->is_default = false;
		return walk_items(span.chunk, span.chunk + n, visit);
	case KS_T_FOLIOS:
		visit->is_default = false;
		return walk_runs(&span, visit);
	case KS_T_UNION:
		/* The default of a union is its first arm with the defaults of that */
		if (n != 1)
			visit->is_default = false;
		return span.arm->ref ? kstate_wire_struct(span.arm->ref, span.chunk, tail, visit) :
				       0;
	}
	if (span.present)
		visit->is_default = false;
	return walk_elements(f, span.chunk, span.present, tail, visit);
}

/**
 * kstate_wire_walk() - walk a field of a record
 * @schema: the schema of the struct that holds the field
 * @f: the field
 * @fixed: fixed part of the struct
 * @first: first element of an array to walk; otherwise 0
 * @count: elements to walk; 1 for what is no array
 * @tail: where the tail of the field begins; it is moved to where it ends
 * @visit: what to find out
 *
 * Return: 0, -EBADMSG if the bytes cannot be those of such a field, or what
 * @visit's function returned.
 */
int kstate_wire_walk(const struct kstate_schema *schema, const struct kstate_schema_field *f,
		     u8 *fixed, u32 first, u32 count, struct kstate_cursor *tail,
		     struct kstate_visit *visit)
{
	u8 *p = fixed + f->offset;

	if (kstate_has_slot(f))
		return walk_tail(schema, f, get_unaligned_le32(p), tail, visit);
	return walk_elements(f, p + (size_t)first * f->size, count, tail, visit);
}

/**
 * kstate_wire_struct() - walk all fields of a struct
 * @schema: its schema
 * @fixed: its fixed part
 * @tail: where its tail begins; it is moved to where it ends
 * @visit: what to find out
 *
 * Return: as kstate_wire_walk().
 */
int kstate_wire_struct(const struct kstate_schema *schema, u8 *fixed,
		       struct kstate_cursor *tail, struct kstate_visit *visit)
{
	const struct kstate_schema_field *f, *end = schema->fields + schema->nr_fields;
	int ret;

	for (f = schema->fields; f < end; f++) {
		if (!kstate_has_data(f))
			continue;
		ret = kstate_wire_walk(schema, f, fixed, 0, f->count, tail, visit);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * kstate_wire_edges() - call a function for each edge of a record
 * @schema: its schema
 * @payload: its payload after the key; what saving has not reached is zero
 * @size: of @payload
 * @fn: the function; it may change the edge; an error ends the walk
 * @arg: for @fn
 *
 * Return: 0, -EBADMSG, or what @fn returned.
 */
int kstate_wire_edges(const struct kstate_schema *schema, u8 *payload, u32 size,
		      kstate_edge_fn fn, void *arg)
{
	struct kstate_visit visit = { .edge = fn, .arg = arg };
	struct kstate_cursor tail = { .pos = payload, .end = payload + size };

	if (!schema->edges)
		return 0;
	if (!kstate_cursor_take(&tail, schema->size))
		return -EBADMSG;
	return kstate_wire_struct(schema, payload, &tail, &visit);
}
