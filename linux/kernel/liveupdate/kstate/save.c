// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an object to the payload of a record, by the plan of its description.
 */

/**
 * DOC: saving
 *
 * An object whose description has only a fixed part has a size that is known
 * beforehand. Others are walked twice: first to add up what their tail needs,
 * then, when there is room for all of the record, to write it. So a record
 * never moves, and nothing is allocated while it is written.
 *
 * Memory that is handed over in place is preserved while it is written. If
 * anything fails, the record, which was zero before, tells what has to be
 * undone.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/xarray.h>
#include "internal.h"

static int save_plan(struct kstate_walk *w, const struct kstate_plan *plan, u8 *fixed,
		     const void *obj);

static int save_at(struct kstate_walk *w, const struct kstate_op *op, s64 index,
		   const struct kstate_plan *plan, u8 *fixed, const void *obj)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = index };
	int ret;

	w->where.frame = &frame;
	ret = save_plan(w, plan, fixed, obj);
	w->where.frame = frame.up;
	return ret;
}

/**
 * kstate_save_take() - get room in the tail
 * @w: the walk
 * @bytes: how many
 *
 * Return: the room; an ERR_PTR() if there is less than was measured; NULL
 * while measuring.
 */
u8 *kstate_save_take(struct kstate_walk *w, u64 bytes)
{
	u8 *p;

	if (w->measuring) {
		w->need += ALIGN(bytes, 8);
		if (w->need > KSTATE_MAX_RECORD)
			return ERR_PTR(kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE,
						   "at most %u bytes\nmore", KSTATE_MAX_RECORD));
		return NULL;
	}
	p = kstate_cursor_take(&w->tail, bytes);
	if (!p)
		return ERR_PTR(kstate_fail(&w->where, NULL, KSTATE_CHANGED, -EAGAIN,
					   "an object that does not change\none that grew"));
	return p;
}

static int save_limit(struct kstate_walk *w, const struct kstate_op *op, const void *p)
{
	u32 i;
	int ret;

	for (i = 0; i < op->count; i++, p += op->msize) {
		ret = kstate_check_limit(w, op, i, kstate_mem_load(p, op->dst), NULL);
		if (ret)
			return ret;
	}
	return 0;
}

static int save_address(struct kstate_walk *w, const struct kstate_op *op, u8 *wire,
			const void *ptr)
{
	u64 val = ~0ULL;

	if (ptr && op->dst == KS_T_LINEAR) {
		if (!virt_addr_valid(ptr))
			return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
					   "an address in the linear map\nanother");
		val = virt_to_phys((void *)ptr);
	} else if (ptr) {
		val = page_to_pfn((struct page *)ptr);
	}
	put_unaligned_le64(val, wire);
	return 0;
}

/**
 * kstate_save_edge() - preserve memory and write its edge
 * @w: the walk
 * @path: of the field, or NULL
 * @type: %KS_T_FOLIO, %KS_T_PAGES or %KS_T_VMALLOC
 * @ptr: the memory, or NULL
 * @nr: number of pages
 * @edge: where to write the edge
 *
 * Return: 0, or a negative error code.
 */
int kstate_save_edge(struct kstate_walk *w, const struct kstate_path *path, u8 type, void *ptr,
		     size_t nr, struct kstate_edge *edge)
{
	if (!ptr)
		return 0;
	if (type == KS_T_PAGES && !nr)
		return kstate_fail(&w->where, path, KSTATE_VALUE, -ERANGE,
				   "at least one page\nnone");
	return kstate_set_preserve(w->stream->set, &w->where, path, type & 0xf, ptr, nr, edge);
}

/* How many elements the object has; they are counted, not looked at */
static s64 count_elements(struct kstate_walk *w, const struct kstate_op *op, const void *member)
{
	const struct kstate_field *field = op->to->bind;
	const void *obj = member - field->offset;
	const struct list_head *head = member, *entry;
	const void *ptr = field->modifiers & KS_POINTER ? *(void *const *)member : member;
	unsigned long index;
	s64 n = field->num;
	void *elem;

	switch (field->kind) {
	case KS_GROUP:
		return field->needed(member);
	case KS_LIST:
		n = 0;
		if (head->next)
			list_for_each(entry, head)
				n++;
		return n;
	case KS_XARRAY:
		n = 0;
		xa_for_each((struct xarray *)member, index, elem)
			n++;
		return n;
	case KS_STRING:
		if (!ptr)
			return 0;
		n = strnlen(ptr, ptr == member ? field->num : KSTATE_MAX_RECORD) + 1;
		if (ptr == member && n > field->num)
			return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
					   "text that ends with a NUL\nno NUL");
		/* Empty text in the object is its default; only a pointer may be NULL */
		return ptr == member && n == 1 ? 0 : n;
	default:
		break;
	}

	if (op->to->container == KS_C_OPTIONAL)
		return !!ptr;
	if (field->length.type)
		n = kstate_mem_load(obj + field->length.offset, field->length.type);
	else if (field->count)
		n = field->count(obj);
	if (n < 0 || n > KSTATE_MAX_RECORD)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "a number of elements\n%lld", n);
	if (ptr == member && n > field->num)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "at most %u elements\n%lld", field->num, n);
	if (n && !ptr)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "%lld elements\nNULL", n);
	return n;
}

/* One element of a field after the other; NULL pointers are left out */
struct elements {
	const struct kstate_field *field;
	const void *base;
	const struct list_head *entry;
	unsigned long index;
	u32 i;
	u32 n;
};

static const void *next_element(struct elements *e)
{
	const struct kstate_field *field = e->field;
	const void *elem;

	if (e->i == e->n)
		return NULL;
	if (field->kind == KS_LIST) {
		e->entry = e->entry->next;
		e->i++;
		return e->entry == e->base ? NULL : (const void *)e->entry - field->link;
	}
	if (field->kind == KS_XARRAY) {
		e->i++;
		return e->i == 1 ?
			xa_find((struct xarray *)e->base, &e->index, ULONG_MAX, XA_PRESENT) :
			xa_find_after((struct xarray *)e->base, &e->index, ULONG_MAX, XA_PRESENT);
	}
	if (!(field->modifiers & KS_ARRAY_OF_POINTER))
		return e->base + (size_t)e->i++ * field->size;
	do {
		elem = ((void *const *)e->base)[e->i++];
	} while (!elem && e->i < e->n);
	return elem;
}

static int changed(struct kstate_walk *w, const struct kstate_op *op)
{
	return kstate_fail(&w->where, op->path, KSTATE_CHANGED, -EAGAIN,
			   "an object that does not change\nanother number of elements");
}

/* Which of the @n pointers are not NULL; returns how many */
static s64 save_presence(struct kstate_walk *w, void *const *pointers, u32 n)
{
	u8 *present = kstate_save_take(w, n);
	u32 i, nr = 0;

	if (IS_ERR(present))
		return PTR_ERR(present);
	for (i = 0; i < n; i++) {
		nr += !!pointers[i];
		if (present)
			present[i] = !!pointers[i];
	}
	return nr;
}

static int save_tail(struct kstate_walk *w, const struct kstate_op *op, u8 *slot,
		     const void *member)
{
	const struct kstate_field *field = op->to->bind;
	struct elements e = { .field = field, .base = member, .entry = member };
	s64 n = count_elements(w, op, member), nr = n;
	u8 *chunk, *indices = NULL;
	const void *elem;
	s64 i;
	int ret;

	if (n < 0)
		return n;
	if (slot)
		put_unaligned_le32(n, slot);
	if (!n)
		return 0;

	e.n = n;
	if (field->modifiers & KS_POINTER)
		e.base = *(void *const *)member;
	if (op->to->container == KS_C_POINTERS) {
		nr = save_presence(w, member, n);
		if (nr < 0)
			return nr;
	}
	if (op->to->container == KS_C_MAP) {
		indices = kstate_save_take(w, 8 * n);
		if (IS_ERR(indices))
			return PTR_ERR(indices);
	}
	chunk = kstate_save_take(w, nr * op->wsize);
	if (IS_ERR(chunk))
		return PTR_ERR(chunk);

	/* Measuring is done, unless the elements have tails of their own */
	if (!chunk && !(op->from->ref && op->from->ref->tails))
		return 0;
	if (chunk && op->sub->bytes && op->sub->bytes == op->msize && op->msize == op->wsize &&
	    field->kind != KS_LIST && field->kind != KS_XARRAY &&
	    op->to->container == KS_C_SEQUENCE) {
		memcpy(chunk, e.base, nr * op->msize);
		return 0;
	}

	for (i = 0; i < nr; i++) {
		elem = next_element(&e);
		if (!elem)
			return changed(w, op);
		if (indices)
			put_unaligned_le64(e.index, indices + 8 * i);
		ret = save_at(w, op, op->to->container == KS_C_OPTIONAL ? -1 : i, op->sub,
			      chunk ? chunk + i * op->wsize : NULL, elem);
		if (ret)
			return ret;
	}
	if (field->kind == KS_LIST && e.entry->next != member)
		return changed(w, op);
	return 0;
}

static int save_bitmap(struct kstate_walk *w, const struct kstate_op *op, u8 *slot,
		       const unsigned long *member)
{
	u32 bits = op->to->bind->num, per_long = 8 * sizeof(long), i;
	u8 *chunk = kstate_save_take(w, BITS_TO_WIRE(bits));

	if (IS_ERR_OR_NULL(chunk))
		return PTR_ERR_OR_ZERO(chunk);
	put_unaligned_le32(bits, slot);
	for (i = 0; i * per_long < bits; i++) {
		unsigned long word = member[i];

		/* What lies beyond the last bit is not part of the state */
		if (bits - i * per_long < per_long)
			word &= (1UL << (bits - i * per_long)) - 1;
		kstate_int_store(chunk + i * sizeof(long), sizeof(long), word);
	}
	return 0;
}

static int save_union(struct kstate_walk *w, const struct kstate_op *op, u8 *slot,
		      const void *member)
{
	const struct kstate_field *field = op->to->bind;
	u64 tag = kstate_mem_load(member - field->offset + field->length.offset,
				  field->length.type);
	u8 *chunk;
	u32 i;

	for (i = 0; i < op->count && op->arms[i].tag != tag; i++)
		;
	if (i == op->count)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "the tag of an arm\n%llu", tag);
	if (slot)
		put_unaligned_le32(i + 1, slot);
	chunk = kstate_save_take(w, op->from[i + 1].ref ? op->from[i + 1].ref->size : 0);
	if (IS_ERR(chunk))
		return PTR_ERR(chunk);
	return save_at(w, op, -1, op->arms[i].plan, chunk, member);
}

static int save_items(struct kstate_walk *w, const struct kstate_op *op, u8 *slot, void *member)
{
	const struct kstate_field *field = op->to->bind;
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = -1 };
	u8 *start = w->tail.pos;
	u64 need = w->need, bytes;
	int ret;

	w->where.frame = &frame;
	ret = min(field->save(w->stream, member, field), 0);
	if (!ret && w->where.err)
		/* What the function has coped with is not an error */
		w->where.err->code = 0;
	if (ret)
		kstate_fail(&w->where, NULL, KSTATE_CALLBACK, ret,
			    "a value from the function that saves\nerror %d", ret);
	else if (w->nr_groups)
		ret = kstate_fail(&w->where, NULL, KSTATE_CALLBACK, -EINVAL,
				  "kstate_put_end() for each kstate_put_begin()\n%u open",
				  w->nr_groups);
	w->where.frame = frame.up;
	w->nr_groups = 0;
	bytes = w->measuring ? w->need - need : w->tail.pos - start;
	if (slot)
		put_unaligned_le32(bytes, slot);
	return ret;
}

static int save_op(struct kstate_walk *w, const struct kstate_op *op, u8 *fixed,
		   const void *obj)
{
	u8 *wire = fixed ? fixed + op->wire : NULL;
	const void *mem = obj + op->mem;
	const struct kstate_field *field;
	size_t nr = 0;
	u32 i;
	int ret;

	switch (op->code) {
	case KSTATE_OP_INT:
		for (i = 0; wire && i < op->count; i++)
			kstate_int_store(wire + i * op->wsize, op->src,
					 kstate_mem_load(mem + i * op->msize, op->dst));
		return 0;
	case KSTATE_OP_LIMIT:
		return wire ? save_limit(w, op, mem) : 0;
	case KSTATE_OP_ADDRESS:
		return wire ? save_address(w, op, wire, *(void *const *)mem) : 0;
	case KSTATE_OP_EDGE:
		field = op->to->bind;
		if (field->kind == KS_PAGES)
			nr = kstate_mem_load(mem - field->offset + field->length.offset,
					     field->length.type);
		return wire ? kstate_save_edge(w, op->path, op->dst, *(void *const *)mem, nr,
					       (void *)wire) : 0;
	case KSTATE_OP_EACH:
		for (i = 0; (wire || op->from->ref->tails) && i < op->count; i++) {
			ret = save_at(w, op, i, op->sub, wire ? wire + i * op->wsize : NULL,
				      mem + i * op->msize);
			if (ret)
				return ret;
		}
		return 0;
	case KSTATE_OP_TAIL:
		return save_tail(w, op, wire, mem);
	case KSTATE_OP_BITMAP:
		return save_bitmap(w, op, wire, mem);
	case KSTATE_OP_UNION:
		return save_union(w, op, wire, mem);
	case KSTATE_OP_ITEMS:
		return save_items(w, op, wire, (void *)mem);
	default:
		return 0;
	}
}

static int save_plan(struct kstate_walk *w, const struct kstate_plan *plan, u8 *fixed,
		     const void *obj)
{
	const struct kstate_op *op, *end = plan->ops + plan->nr;
	int ret;

	for (op = plan->ops; op < end; op++) {
		if (likely(op->code == KSTATE_OP_COPY)) {
			if (fixed)
				kstate_copy(fixed + op->wire, obj + op->mem, op->count);
			continue;
		}
		ret = op->code == KSTATE_OP_BOOL ? kstate_check_bools(w, op, obj + op->mem) :
						   save_op(w, op, fixed, obj);
		if (unlikely(ret))
			return ret;
	}
	return 0;
}

/**
 * kstate_save_measure() - find out how much room the tail of an object needs
 * @w: the walk; its need is set
 * @schema: schema and plan of the object's description
 * @obj: the object
 *
 * Return: 0, or a negative error code.
 */
int kstate_save_measure(struct kstate_walk *w, const struct kstate_schema *schema,
			const void *obj)
{
	int ret;

	w->need = 0;
	if (!schema->tails)
		return 0;
	w->measuring = true;
	ret = save_plan(w, schema->resolution->plan, NULL, obj);
	w->measuring = false;
	return ret;
}

/**
 * kstate_save_write() - write an object
 * @w: the walk; its tail is what was measured
 * @schema: schema and plan of the object's description
 * @fixed: zeroed fixed part of the record, followed by the tail
 * @obj: the object
 *
 * Return: 0, or a negative error code; then the edges in the record have to be
 * undone.
 */
int kstate_save_write(struct kstate_walk *w, const struct kstate_schema *schema, u8 *fixed,
		      const void *obj)
{
	int ret = save_plan(w, schema->resolution->plan, fixed, obj);

	if (!ret && w->tail.pos != w->tail.end)
		ret = kstate_fail(&w->where, NULL, KSTATE_CHANGED, -EAGAIN,
				  "an object that does not change\none that shrank");
	return ret;
}
