// SPDX-License-Identifier: GPL-2.0-only
/*
 * The payload of a record, read with its schema alone: integers, defaults and
 * edges of fields that no description of this kernel knows.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "internal.h"

/* Integers of both kinds go through u64; signed ones are extended to it */
static u64 extend(u64 val, u8 type)
{
	unsigned int shift = 64 - 8 * __kstate_size(type);

	return kstate_is_signed(type) ? (u64)((s64)(val << shift) >> shift) : val;
}

/**
 * kstate_int_load() - read an integer of a record
 * @p: where it is
 * @type: its type
 *
 * Return: its value; a negative one is extended.
 */
u64 kstate_int_load(const void *p, u8 type)
{
	switch (__kstate_size(type)) {
	case 1:
		return extend(*(const u8 *)p, type);
	case 2:
		return extend(get_unaligned_le16(p), type);
	case 4:
		return extend(get_unaligned_le32(p), type);
	default:
		return get_unaligned_le64(p);
	}
}

/**
 * kstate_int_store() - write an integer of a record
 * @p: where to
 * @type: its type
 * @val: its value
 */
void kstate_int_store(void *p, u8 type, u64 val)
{
	switch (__kstate_size(type)) {
	case 1:
		*(u8 *)p = val;
		break;
	case 2:
		put_unaligned_le16(val, p);
		break;
	case 4:
		put_unaligned_le32(val, p);
		break;
	default:
		put_unaligned_le64(val, p);
	}
}

/**
 * kstate_mem_load() - read an integer of an object
 * @p: where it is
 * @type: its type
 *
 * Return: its value; a negative one is extended.
 */
u64 kstate_mem_load(const void *p, u8 type)
{
	switch (__kstate_size(type)) {
	case 1:
		return extend(*(const u8 *)p, type);
	case 2:
		return extend(get_unaligned((const u16 *)p), type);
	case 4:
		return extend(get_unaligned((const u32 *)p), type);
	default:
		return get_unaligned((const u64 *)p);
	}
}

/**
 * kstate_mem_store() - write an integer of an object
 * @p: where to
 * @type: its type
 * @val: its value
 */
void kstate_mem_store(void *p, u8 type, u64 val)
{
	switch (__kstate_size(type)) {
	case 1:
		*(u8 *)p = val;
		break;
	case 2:
		put_unaligned(val, (u16 *)p);
		break;
	case 4:
		put_unaligned(val, (u32 *)p);
		break;
	default:
		put_unaligned(val, (u64 *)p);
	}
}

/**
 * kstate_int_fits() - whether a value of one type has room in another
 * @val: the value, as kstate_int_load() gave it
 * @src: type it has
 * @dst: type it is to have
 *
 * Return: true if so.
 */
bool kstate_int_fits(u64 val, u8 src, u8 dst)
{
	unsigned int bits = 8 * __kstate_size(dst);

	if (dst == KS_BOOL)
		return val <= 1;
	if (kstate_is_signed(dst)) {
		s64 max = (s64)(~0ULL >> (65 - bits));

		if (!kstate_is_signed(src))
			return val <= (u64)max;
		return (s64)val <= max && (s64)val >= -max - 1;
	}
	if (kstate_is_signed(src) && (s64)val < 0)
		return false;
	return val <= ~0ULL >> (64 - bits);
}

static int walk_schema(const struct kstate_schema *schema, u8 *fixed,
		       struct kstate_cursor *tail, struct kstate_visit *visit);

static int visit_edge(struct kstate_edge *edge, u8 type, struct kstate_visit *visit)
{
	if (edge->kind == KSTATE_EDGE_NONE)
		return 0;
	visit->is_default = false;
	return visit->edge ? visit->edge(edge, type, visit->arg) : 0;
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
			ret = walk_schema(f->ref, p, tail, visit);
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

static int walk_tail(const struct kstate_schema_field *f, u32 n,
		     struct kstate_cursor *tail, struct kstate_visit *visit)
{
	const struct kstate_schema_field *end = f + 1 + n;
	u32 present = n, i;
	u8 *chunk;

	if (!n)
		return 0;
	switch (f->type) {
	case KS_T_BITMAP:
		chunk = kstate_cursor_take(tail, BITS_TO_WIRE(n));
		if (!chunk)
			return -EBADMSG;
		if (memchr_inv(chunk, 0, BITS_TO_WIRE(n)))
			visit->is_default = false;
		return 0;
	case KS_T_ITEMS:
		visit->is_default = false;
		chunk = kstate_cursor_take(tail, n);
		return chunk ? walk_items(chunk, chunk + n, visit) : -EBADMSG;
	case KS_T_UNION:
		/* The default of a union is its first arm with the defaults of that */
		if (n != 1)
			visit->is_default = false;
		for (f++; f < end; f++)
			if (f->type != KS_T_ARM)
				return -EBADMSG;
		f--;
		if (!f->ref)
			return 0;
		chunk = kstate_cursor_take(tail, f->ref->size);
		return chunk ? walk_schema(f->ref, chunk, tail, visit) : -EBADMSG;
	}

	if (f->container == KS_C_OPTIONAL && n > 1)
		return -EBADMSG;
	if (f->container == KS_C_POINTERS) {
		chunk = kstate_cursor_take(tail, n);
		if (!chunk)
			return -EBADMSG;
		for (i = 0; i < n; i++) {
			if (chunk[i] > 1)
				return -EBADMSG;
			present -= !chunk[i];
		}
	} else if (f->container == KS_C_MAP && !kstate_cursor_take(tail, 8ULL * n)) {
		return -EBADMSG;
	}
	if (present)
		visit->is_default = false;
	chunk = kstate_cursor_take(tail, (u64)present * f->size);
	return chunk ? walk_elements(f, chunk, present, tail, visit) : -EBADMSG;
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
	u32 n;

	if (!kstate_has_slot(f))
		return walk_elements(f, p + (size_t)first * f->size, count, tail, visit);
	n = get_unaligned_le32(p);
	if (f->type == KS_T_UNION && n > schema->nr_fields - (f - schema->fields) - 1)
		return -EBADMSG;
	return walk_tail(f, n, tail, visit);
}

static int walk_schema(const struct kstate_schema *schema, u8 *fixed,
		       struct kstate_cursor *tail, struct kstate_visit *visit)
{
	u32 i;

	for (i = 0; i < schema->nr_fields; i++) {
		const struct kstate_schema_field *f = &schema->fields[i];
		int ret;

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
	return walk_schema(schema, payload, &tail, &visit);
}
