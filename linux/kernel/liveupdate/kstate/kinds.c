// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kinds of fields: a row for each, with what is particular to it.
 */

/**
 * DOC: kinds
 *
 * On the wire there are few types and containers; a list is a sequence of
 * structs like an array. A kind says how the elements of a sequence are found in
 * an object, and how they are put there. To add one: a value of &enum kstate_kind
 * and a macro, a row here, a test, and a section in describing.rst.
 *
 * Restoring only reads the object: what is to be written goes to the log, but
 * for memory that was allocated by this restore.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/poison.h>
#include <linux/xarray.h>
#include "engine.h"

/* Saving: how many elements the object has */

static int too_many(struct kstate_save_ctx *w, const struct kstate_op *op, u64 most, s64 n)
{
	return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
			   "at most %llu elements\n%lld", most, n);
}

/* Most entries of what restoring allocates one by one */
static u64 most_entries(const struct kstate_op *op)
{
	return min_t(u64, op->to->room, KSTATE_MAX_ELEMENTS);
}

static s64 array_count(struct kstate_save_ctx *w, const struct kstate_op *op, const void *member)
{
	const struct kstate_field *field = op->to->bind;
	const void *obj = member - field->offset, *ptr = member;
	u64 most = min_t(u64, op->to->room, KSTATE_MAX_RECORD);
	s64 n = field->num;

	if (field->modifiers & KS_POINTER)
		ptr = *(void *const *)member;
	if (op->to->container == KS_C_OPTIONAL)
		return !!ptr;
	if (field->length.type)
		n = kstate_mem_load(obj + field->length.offset, field->length.type);
	else if (field->count)
		n = field->count(obj);
	if (ptr != member || (field->modifiers & KS_FLEX))
		most = min(most, (u64)KSTATE_MAX_ALLOC / field->size);
	if (n < 0 || (u64)n > most)
		return too_many(w, op, most, n);
	if (n && !ptr)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "%lld elements\nNULL", n);
	return n;
}

static s64 string_count(struct kstate_save_ctx *w, const struct kstate_op *op, const void *member)
{
	const struct kstate_field *field = op->to->bind;
	const char *text = field->modifiers & KS_POINTER ? *(char *const *)member : member;
	size_t most = text == member ? field->num : KSTATE_MAX_RECORD, n;

	if (!text)
		return 0;
	n = strnlen(text, most) + 1;
	if (n > most)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "text that ends with a NUL\nno NUL");
	/* Empty text in the object is its default; only a pointer may be NULL */
	return text == member && n == 1 ? 0 : n;
}

static int broken_list(struct kstate_save_ctx *w, const struct kstate_op *op)
{
	return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
			   "a list that comes back to its head\na broken one");
}

static s64 list_count(struct kstate_save_ctx *w, const struct kstate_op *op, const void *member)
{
	const struct list_head *head = member, *entry = head->next, *prev = head;
	u64 most = most_entries(op), n = 0;

	/* Zero is an empty list; one that does not come back goes to an entry twice */
	for (; entry != head && (entry || n); prev = entry, entry = entry->next) {
		if (!entry || entry == LIST_POISON1 || entry->prev != prev)
			return broken_list(w, op);
		if (++n > most)
			return too_many(w, op, most, n);
	}
	return n;
}

static s64 hlist_count(struct kstate_save_ctx *w, const struct kstate_op *op, const void *member)
{
	const struct hlist_node *entry = ((const struct hlist_head *)member)->first;
	u64 most = most_entries(op), n = 0;

	for (; entry; entry = entry->next) {
		if (entry == (void *)LIST_POISON1 || *entry->pprev != entry)
			return broken_list(w, op);
		if (++n > most)
			return too_many(w, op, most, n);
	}
	return n;
}

static int bad_entry(struct kstate_save_ctx *w, const struct kstate_op *op, s64 index,
		     const char *found)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = index };
	int ret;

	w->where.frame = &frame;
	ret = kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE,
			  "entries that are pointers to structs, each at one index\n%s", found);
	w->where.frame = frame.up;
	return ret;
}

static s64 xarray_count(struct kstate_save_ctx *w, const struct kstate_op *op, const void *member)
{
	struct xarray *xa = (struct xarray *)member;
	u64 most = most_entries(op), n = 0;
	unsigned long index;
	void *elem;

	/* An xarray that gives out indices uses the first mark for itself */
	if ((xa_marked(xa, XA_MARK_0) && !(xa->xa_flags & XA_FLAGS_TRACK_FREE)) ||
	    xa_marked(xa, XA_MARK_1) || xa_marked(xa, XA_MARK_2))
		return bad_entry(w, op, -1, "marks");
	xa_for_each(xa, index, elem) {
		if (xa_is_value(elem))
			return bad_entry(w, op, index, "a value");
		if (xa_get_order(xa, index))
			return bad_entry(w, op, index, "an entry at several indices");
		if (++n > most)
			return too_many(w, op, most, n);
	}
	return n;
}

/* Saving: one element after the other; NULL pointers are left out */

const void *kstate_array_next(struct kstate_elements *e)
{
	const void *elem;

	if (!(e->field->modifiers & KS_ARRAY_OF_POINTER))
		return e->i < e->n ? e->base + (size_t)e->i++ * e->field->size : NULL;
	do {
		if (e->i == e->n)
			return NULL;
		elem = ((void *const *)e->base)[e->i++];
	} while (!elem);
	return elem;
}

static const void *list_next(struct kstate_elements *e)
{
	const struct list_head *entry = e->at ?: e->base;

	e->at = entry->next;
	return e->at == e->base ? NULL : e->at - e->field->link;
}

static const void *hlist_next(struct kstate_elements *e)
{
	const struct hlist_head *head = e->base;

	e->at = e->at ? ((const struct hlist_node *)e->at)->next : head->first;
	return e->at ? e->at - e->field->link : NULL;
}

static const void *xarray_next(struct kstate_elements *e)
{
	struct xarray *xa = (struct xarray *)e->base;

	return e->i++ ? xa_find_after(xa, &e->index, ULONG_MAX, XA_PRESENT) :
			xa_find(xa, &e->index, ULONG_MAX, XA_PRESENT);
}

/* Restoring */

/* The element behind the pointer @pp, if the record has one */
static int restore_pointer(struct kstate_restore_ctx *w, const struct kstate_op *op, s64 index,
			   bool present, u8 *chunk, void **pp)
{
	void *elem = kstate_held(w, pp);
	int ret;

	if (!present)
		return elem ? kstate_occupied(w, op, index, "NULL in the object", "a pointer") : 0;
	if (elem)
		return kstate_restore_at(w, op, index, chunk, elem, false);
	if (!op->to->bind->alloc)
		return kstate_occupied(w, op, index, "a pointer in the object, or KSTATE_ALLOC",
				       "NULL");
	elem = kstate_restore_alloc(w, op, 1, true);
	if (!elem)
		return -ENOMEM;
	ret = kstate_restore_at(w, op, index, chunk, elem, true);
	return ret ?: kstate_restore_store(w, pp, (unsigned long)elem, sizeof(elem));
}

/* The function of the field, if it has one, must agree about @n elements */
static int restore_counted(struct kstate_restore_ctx *w, const struct kstate_op *op, void *member,
			   u32 n)
{
	return op->to->bind->count ? kstate_restore_count(w, op, member, n) : 0;
}

static int restore_pointers(struct kstate_restore_ctx *w, const struct kstate_op *op,
			    const struct kstate_span *span, void **pp)
{
	const struct kstate_field *field = op->to->bind;
	u8 *chunk = span->chunk;
	u32 i, used = 0;
	int ret;

	for (i = 0; i < max(span->n, field->num); i++) {
		bool there = i < span->n && span->before[i];

		if (i >= field->num) {
			/* A length that counts them must not count more than there can be */
			if (there || field->length.type)
				return kstate_occupied(w, op, i, "room for all elements",
						       "too little");
			continue;
		}
		ret = restore_pointer(w, op, i, there, chunk, &pp[i]);
		if (ret)
			return ret;
		if (there) {
			chunk += op->wsize;
			used = i + 1;
		}
	}
	return restore_counted(w, op, pp, used);
}

/* How many elements there is room for in the object, or where it points to */
static s64 array_room(struct kstate_restore_ctx *w, const struct kstate_field *field,
		      const void *member)
{
	const void *obj = member - field->offset;

	if (!(field->modifiers & (KS_POINTER | KS_FLEX)))
		return field->num;
	/* Restoring has allocated it without any */
	if (w->fresh)
		return 0;
	if (field->length.type)
		return kstate_mem_load(obj + field->length.offset, field->length.type);
	return field->count(obj);
}

/* @span->n elements one after the other */
static int restore_elements(struct kstate_restore_ctx *w, const struct kstate_op *op,
			    const struct kstate_span *span, void *elems, bool fresh)
{
	const struct kstate_plan *sub = op->sub;
	bool was_fresh = w->fresh, integers = kstate_is_int(op->to->type) && sub &&
		sub->nr == 1 && sub->ops->code == KSTATE_OP_INT && !sub->ops->narrow;
	u32 i, bytes = span->n * op->msize;
	int ret = 0;

	if (!span->n)
		return 0;
	w->fresh = fresh;
	if (sub && sub->bytes && sub->bytes == op->msize && op->msize == op->wsize)
		ret = kstate_restore_write(w, elems, span->chunk, bytes);
	else if (integers && fresh)
		kstate_convert_ints(elems, sub->ops->dst, op->msize, span->chunk, sub->ops->src,
				    op->wsize, span->n);
	else
		for (i = 0; i < span->n && !ret; i++)
			ret = kstate_restore_at(w, op, i, span->chunk + (size_t)i * op->wsize,
						elems + (size_t)i * op->msize, fresh);
	w->fresh = was_fresh;
	return ret;
}

static int restore_array(struct kstate_restore_ctx *w, const struct kstate_op *op,
			 const struct kstate_span *span, void *member)
{
	const struct kstate_field *field = op->to->bind;
	bool pointer = field->modifiers & KS_POINTER, text = field->kind == KS_STRING;
	void *elems = pointer ? kstate_held(w, member) : member;
	u32 n = span->n, rest;
	s64 room;
	int ret;

	if ((u64)n * op->msize > KSTATE_MAX_ALLOC)
		return kstate_fail(&w->where, op->path, KSTATE_NO_ROOM, -ENOSPC,
				   "at most %u bytes\n%llu", KSTATE_MAX_ALLOC, (u64)n * op->msize);
	if (!pointer || elems) {
		if (pointer && text)
			return kstate_occupied(w, op, -1, "NULL in the object", "a pointer");
		room = array_room(w, field, member);
		if (n > room)
			return kstate_fail(&w->where, op->path, KSTATE_NO_ROOM, -ENOSPC,
					   "at most %lld elements\n%u", room, n);
		ret = restore_elements(w, op, span, elems, w->fresh && !pointer);
		rest = text ? field->num - n : 0;
		if (!ret && rest)
			ret = kstate_restore_zero(w, elems + n, rest);
		return ret ?: restore_counted(w, op, member, n);
	}
	if (!n)
		return restore_counted(w, op, member, 0);
	if (!field->alloc && !text)
		return kstate_occupied(w, op, -1, "a pointer in the object, or KSTATE_ALLOC",
				       "NULL");
	elems = kstate_restore_alloc(w, op, n, true);
	if (!elems)
		return -ENOMEM;
	ret = restore_elements(w, op, span, elems, true);
	if (!ret)
		ret = kstate_restore_store(w, member, (unsigned long)elems, sizeof(elems));
	return ret ?: restore_counted(w, op, member, n);
}

/* What the modifiers say is where */
static int array_restore(struct kstate_restore_ctx *w, const struct kstate_op *op,
			 const struct kstate_span *span, void *member)
{
	switch (op->to->container) {
	case KS_C_OPTIONAL:
		return restore_pointer(w, op, -1, span->n, span->chunk, member);
	case KS_C_POINTERS:
		return restore_pointers(w, op, span, member);
	default:
		return restore_array(w, op, span, member);
	}
}

/* As many as can be saved */
static int restore_entries_check(struct kstate_restore_ctx *w, const struct kstate_op *op, u32 n)
{
	return n <= KSTATE_MAX_ELEMENTS ? 0 :
	       kstate_fail(&w->where, op->path, KSTATE_NO_ROOM, -ENOSPC,
			   "at most %u elements\n%u", KSTATE_MAX_ELEMENTS, n);
}

/* Entries belong to the log from when they are linked: the plan is run afterwards */
static int restore_entries(struct kstate_restore_ctx *w, const struct kstate_op *op,
			   const struct kstate_span *span, void *head)
{
	struct kstate_log_entry *list;
	void *elem;
	u32 i;
	int ret = restore_entries_check(w, op, span->n);

	if (ret || !span->n)
		return ret;
	list = kstate_restore_list(w, op, head);
	for (i = 0; list && i < span->n && !ret; i++) {
		elem = kstate_restore_alloc(w, op, 1, false);
		if (!elem)
			return -ENOMEM;
		kstate_restore_link(list, elem);
		ret = kstate_restore_at(w, op, i, span->chunk + (size_t)i * op->wsize, elem, true);
	}
	return list ? ret : -ENOMEM;
}

static int list_restore(struct kstate_restore_ctx *w, const struct kstate_op *op,
			const struct kstate_span *span, void *member)
{
	struct list_head *head = member;

	if (kstate_held(w, head) && !list_empty(head))
		return kstate_occupied(w, op, -1, "an empty list in the object", "entries");
	return kstate_restore_head(w, head, sizeof(*head)) ?:
	       restore_entries(w, op, span, head);
}

static int hlist_restore(struct kstate_restore_ctx *w, const struct kstate_op *op,
			 const struct kstate_span *span, void *member)
{
	struct hlist_head *head = member;

	if (kstate_held(w, head))
		return kstate_occupied(w, op, -1, "an empty list in the object", "entries");
	return kstate_restore_head(w, head, sizeof(*head)) ?:
	       restore_entries(w, op, span, head);
}

static int xarray_restore(struct kstate_restore_ctx *w, const struct kstate_op *op,
			  const struct kstate_span *span, void *member)
{
	struct xarray *xa = member;
	u64 index, last = 0;
	void *elem;
	u32 i;
	int ret;

	/* Reserving needs an xarray that is one already */
	if (w->blank || !xa_empty(xa))
		return kstate_occupied(w, op, -1, "an empty xarray in the object",
				       w->blank ? "another arm of a union" : "entries");
	ret = restore_entries_check(w, op, span->n);
	if (ret)
		return ret;
	for (i = 0; i < span->n; i++, last = index) {
		index = get_unaligned_le64(span->before + 8 * (size_t)i);
		if (index != (unsigned long)index || (i && index <= last))
			return kstate_damaged(w, op, "indices that ascend", index);
		elem = kstate_restore_alloc(w, op, 1, false);
		if (!elem)
			return -ENOMEM;
		ret = kstate_restore_reserve(w, op, xa, index, elem) ?:
		      kstate_restore_at(w, op, index, span->chunk + (size_t)i * op->wsize, elem,
					true);
		if (ret)
			return ret;
	}
	return 0;
}

#define SHAPE(_modifiers)	BIT(_modifiers)
#define VALUE_SHAPES		(SHAPE(0) | SHAPE(KS_ARRAY) | SHAPE(KS_POINTER) |	\
				 ARRAY_SHAPES | SHAPE(KS_ARRAY_OF_POINTER))
#define ARRAY_SHAPES		(SHAPE(KS_VARRAY) | SHAPE(KS_VARRAY | KS_POINTER) |	\
				 SHAPE(KS_VARRAY | KS_FLEX))

static const struct kstate_kind_row kinds[] = {
	[KS_BASE_TYPE & 0xff] = {
		.shapes = VALUE_SHAPES,
		.count = array_count, .next = kstate_array_next, .restore = array_restore,
	},
	[KS_STRUCT & 0xff] = {
		.type = KS_T_STRUCT, .shapes = VALUE_SHAPES, .needs = KSTATE_NEEDS_KSD,
		.count = array_count, .next = kstate_array_next, .restore = array_restore,
	},
	[KS_CUSTOM & 0xff] = { .type = KS_T_ITEMS, .shapes = SHAPE(0) },
	[KS_ADDRESS & 0xff] = { .type = KS_T_LINEAR, .shapes = SHAPE(0) },
	[KS_FOLIO & 0xff] = {
		.type = KS_T_FOLIO, .shapes = SHAPE(0) | SHAPE(KS_ARRAY) | ARRAY_SHAPES,
		.count = array_count, .next = kstate_array_next, .restore = array_restore,
	},
	[KS_PAGES & 0xff] = {
		.type = KS_T_PAGES, .shapes = SHAPE(0), .needs = KSTATE_NEEDS_LENGTH,
	},
	[KS_VMALLOC & 0xff] = { .type = KS_T_VMALLOC, .shapes = SHAPE(0) },
	[KS_STRING & 0xff] = {
		.type = KS_CHAR, .shapes = SHAPE(0) | SHAPE(KS_POINTER),
		.fixed = true, .container = KS_C_SEQUENCE,
		.count = string_count, .next = kstate_array_next, .restore = array_restore,
	},
	[KS_BITMAP & 0xff] = { .type = KS_T_BITMAP, .shapes = SHAPE(0) },
	[KS_LIST & 0xff] = {
		.type = KS_T_STRUCT, .shapes = SHAPE(0), .needs = KSTATE_NEEDS_KSD,
		.fixed = true, .container = KS_C_SEQUENCE, .member = sizeof(struct list_head),
		.count = list_count, .next = list_next, .restore = list_restore,
	},
	[KS_HLIST & 0xff] = {
		.type = KS_T_STRUCT, .shapes = SHAPE(0), .needs = KSTATE_NEEDS_KSD,
		.fixed = true, .container = KS_C_SEQUENCE, .member = sizeof(struct hlist_head),
		.count = hlist_count, .next = hlist_next, .restore = hlist_restore,
	},
	[KS_XARRAY & 0xff] = {
		.type = KS_T_STRUCT, .shapes = SHAPE(0), .needs = KSTATE_NEEDS_KSD,
		.fixed = true, .container = KS_C_MAP, .member = sizeof(struct xarray),
		.count = xarray_count, .next = xarray_next, .restore = xarray_restore,
	},
	[KS_UNION & 0xff] = {
		.type = KS_T_UNION, .shapes = SHAPE(0), .needs = KSTATE_NEEDS_LENGTH,
	},
	[KS_GROUP & 0xff] = {
		.type = KS_T_STRUCT, .shapes = SHAPE(0), .needs = KSTATE_NEEDS_KSD,
		.fixed = true, .container = KS_C_OPTIONAL,
	},
	[KS_REMOVED & 0xff] = { .type = KS_T_REMOVED, .shapes = SHAPE(0) },
	[KS_SKIP & 0xff] = { .shapes = 0 },
	[KS_FOLIOS & 0xff] = {
		.type = KS_T_FOLIOS, .shapes = SHAPE(KS_VARRAY | KS_POINTER),
		.needs = KSTATE_NEEDS_LENGTH, .fixed = true, .container = KS_C_ONE,
	},
};

/**
 * kstate_kind_of() - what is particular to the kind of a field
 * @field: the field
 *
 * Return: its row, or NULL if there is no such kind.
 */
const struct kstate_kind_row *kstate_kind_of(const struct kstate_field *field)
{
	u32 kind = field->kind - KSTATE_TABLES;

	return kind < ARRAY_SIZE(kinds) && kinds[kind].shapes ? &kinds[kind] : NULL;
}

/**
 * kstate_kind_type() - type of the elements of a field
 * @field: the field, of a known kind
 *
 * Return: &enum kstate_type.
 */
u8 kstate_kind_type(const struct kstate_field *field)
{
	if (field->kind == KS_ADDRESS && field->addr_type == KS_VMEMMAP_ADDR)
		return KS_T_VMEMMAP;
	return kstate_kind_of(field)->type ?: field->type;
}

/**
 * kstate_kind_container() - how many elements a field has, and where
 * @field: the field, of a known kind
 *
 * Return: &enum kstate_container, or -EINVAL if its modifiers do not go together.
 */
int kstate_kind_container(const struct kstate_field *field)
{
	const struct kstate_kind_row *kind = kstate_kind_of(field);

	if (field->modifiers >= 32 || !(kind->shapes & SHAPE(field->modifiers)))
		return -EINVAL;
	if (kind->fixed)
		return kind->container;
	if (field->modifiers & KS_ARRAY_OF_POINTER)
		return KS_C_POINTERS;
	if (field->modifiers & KS_VARRAY)
		return KS_C_SEQUENCE;
	if (field->modifiers & KS_POINTER)
		return KS_C_OPTIONAL;
	return field->modifiers & KS_ARRAY ? KS_C_ARRAY : KS_C_ONE;
}

/**
 * kstate_member_bytes() - bytes of the member of a field
 * @field: the field, of a known kind
 *
 * Return: bytes in the object; 0 for what is no member.
 */
u32 kstate_member_bytes(const struct kstate_field *field)
{
	const struct kstate_kind_row *kind = kstate_kind_of(field);

	if (field->kind == KS_GROUP || field->kind == KS_REMOVED)
		return 0;
	if (kind->member)
		return kind->member;
	if (field->modifiers & KS_POINTER)
		return sizeof(void *);
	if (field->modifiers & KS_ARRAY_OF_POINTER)
		return field->num * sizeof(void *);
	if (field->kind == KS_BITMAP)
		return BITS_TO_LONGS(field->num) * sizeof(long);
	return field->num * field->size;
}
