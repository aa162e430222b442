// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the payload of a record to an object: check all of it, then apply.
 */

/**
 * DOC: restoring
 *
 * The same walk runs twice. The first time it checks: bounds, values,
 * constraints, what the object holds; it allocates, calls the functions of the
 * description with copies of their members, and takes over memory that was
 * handed over in place. It notes what it acquired and writes to nothing that
 * was there before. If anything is wrong, all of that is undone, the object is
 * as it was, and so is the record. The second time it writes, taking up what
 * was acquired in the same order; nothing can fail any more.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/xarray.h>
#include "internal.h"

static int run_plan(struct kstate_walk *w, const struct kstate_plan *plan, u8 *fixed,
		    void *obj);

static int run_at(struct kstate_walk *w, const struct kstate_op *op, s64 index,
		  const struct kstate_plan *plan, u8 *fixed, void *obj)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = index };
	int ret;

	w->where.frame = &frame;
	ret = run_plan(w, plan, fixed, obj);
	w->where.frame = frame.up;
	return ret;
}

static int damaged(struct kstate_walk *w, const struct kstate_op *op, const char *expected,
		   u64 found)
{
	return kstate_fail(&w->where, op->path, KSTATE_DAMAGED, -EBADMSG, "%s\n%llu",
			   expected, found);
}

static int occupied(struct kstate_walk *w, const struct kstate_op *op, s64 index,
		    const char *expected, const char *found)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = index };
	int ret;

	w->where.frame = &frame;
	ret = kstate_fail(&w->where, NULL, KSTATE_NO_ROOM, -ENOSPC, "%s\n%s", expected, found);
	w->where.frame = frame.up;
	return ret;
}

static int no_memory(struct kstate_walk *w, const struct kstate_op *op)
{
	return kstate_fail(&w->where, op ? op->path : NULL, KSTATE_NO_MEMORY, -ENOMEM,
			   "memory\nnone");
}

/**
 * kstate_restore_take() - note that something is about to be acquired
 * @w: the walk
 *
 * Return: a zeroed entry, to be filled at once; NULL without memory.
 */
struct kstate_taken *kstate_restore_take(struct kstate_walk *w)
{
	if (w->nr_taken == w->room_taken) {
		u32 room = w->room_taken ? 2 * w->room_taken : 16;
		struct kstate_taken *taken = kvmalloc_array(room, sizeof(*taken), GFP_KERNEL);

		if (!taken)
			return NULL;
		if (w->nr_taken)
			memcpy(taken, w->taken, w->nr_taken * sizeof(*taken));
		kvfree(w->taken);
		w->taken = taken;
		w->room_taken = room;
	}
	w->taken[w->nr_taken] = (struct kstate_taken){};
	return &w->taken[w->nr_taken++];
}

static void *take_memory(struct kstate_walk *w, const struct kstate_op *op, u64 size)
{
	struct kstate_taken *t;
	void *ptr;

	if (w->apply)
		return w->taken[w->next_taken++].ptr;

	ptr = size <= KSTATE_MAX_RECORD ? kvzalloc(size, GFP_KERNEL) : NULL;
	t = ptr ? kstate_restore_take(w) : NULL;
	if (!t) {
		kvfree(ptr);
		no_memory(w, op);
		return NULL;
	}
	t->ptr = ptr;
	return ptr;
}

/* As take_memory(), for elements that may have to be initialized */
static void *take_elements(struct kstate_walk *w, const struct kstate_op *op, u32 n)
{
	const struct kstate_schema *ref = op->to->ref;
	void *elems = take_memory(w, op, (u64)n * op->msize);
	u32 i;

	for (i = 0; elems && !w->apply && ref && ref->desc->init && i < n; i++)
		ref->desc->init(elems + (size_t)i * op->msize);
	return elems;
}

/**
 * kstate_restore_undo() - give back what checking acquired
 * @w: the walk
 *
 * Memory that was taken over is parked: the next attempt finds it.
 */
void kstate_restore_undo(struct kstate_walk *w)
{
	while (w->nr_taken) {
		struct kstate_taken *t = &w->taken[--w->nr_taken];

		switch (t->what) {
		case KSTATE_TAKEN_MEM:
			kvfree(t->ptr);
			break;
		case KSTATE_TAKEN_COPY:
			if (t->field->discard)
				t->field->discard(t->ptr, t->field);
			kvfree(t->ptr);
			break;
		case KSTATE_TAKEN_INDEX:
			xa_release(t->ptr, t->index);
			break;
		case KSTATE_TAKEN_EDGE:
			kstate_set_park(w->stream->set, &t->edge, t->ptr);
			break;
		}
	}
	kvfree(w->taken);
	w->taken = NULL;
}

static void show_int(u64 val, u8 type, char *buf, size_t size)
{
	if (kstate_is_signed(type))
		snprintf(buf, size, "%lld", (s64)val);
	else
		snprintf(buf, size, "%llu", val);
}

/* A value in a message, unless it is not to be seen */
static void show_value(const struct kstate_op *op, u64 val, u8 type, char *buf, size_t size)
{
	if ((op->to ?: op->from)->secret)
		strscpy(buf, "a secret value", size);
	else
		show_int(val, type, buf, size);
}

static int fail_int(struct kstate_walk *w, const struct kstate_op *op, u32 index,
		    const char *expected, u64 val, u8 type)
{
	struct kstate_frame frame = {
		.up = w->where.frame, .path = op->path, .index = op->count > 1 ? (s64)index : -1,
	};
	char found[24];
	int ret;

	show_value(op, val, type, found, sizeof(found));
	w->where.frame = &frame;
	ret = kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE, "%s\n%s", expected, found);
	w->where.frame = frame.up;
	return ret;
}

/**
 * kstate_check_bools() - check that bytes can be bools
 * @w: the walk
 * @op: the step
 * @p: the bytes
 *
 * Return: 0 or -ERANGE.
 */
int kstate_check_bools(struct kstate_walk *w, const struct kstate_op *op, const u8 *p)
{
	u32 i;

	for (i = 0; i < op->count; i++)
		if (unlikely(p[i] > 1))
			return fail_int(w, op, i, "0 or 1", p[i], KS_U8);
	return 0;
}

/**
 * kstate_check_limit() - check a value against the constraints of its field
 * @w: the walk
 * @op: the step
 * @index: of the value in the field
 * @val: the value
 * @held: the value's counterpart in the object, for KSTATE_EQUAL; or NULL
 *
 * Return: 0 or -ERANGE.
 */
int kstate_check_limit(struct kstate_walk *w, const struct kstate_op *op, u32 index, u64 val,
		       const void *held)
{
	const struct kstate_schema_field *f = op->to;
	char expected[64], min[24], max[24];

	if (f->flags & KSTATE_FIELD_RANGE) {
		bool bad = kstate_is_signed(f->type) ?
			(s64)val < (s64)f->min || (s64)val > (s64)f->max :
			val < f->min || val > f->max;

		if (bad) {
			show_int(f->min, f->type, min, sizeof(min));
			show_int(f->max, f->type, max, sizeof(max));
			snprintf(expected, sizeof(expected), "%s to %s", min, max);
			return fail_int(w, op, index, expected, val, f->type);
		}
	}
	if ((f->flags & KSTATE_FIELD_MASK) && (val & ~f->mask)) {
		snprintf(expected, sizeof(expected), "bits of %#llx", f->mask);
		return fail_int(w, op, index, expected, val, f->type);
	}
	if ((f->flags & KSTATE_FIELD_EQUAL) && held && kstate_mem_load(held, op->dst) != val) {
		show_value(op, kstate_mem_load(held, op->dst), f->type, min, sizeof(min));
		snprintf(expected, sizeof(expected), "%s, as the object has it", min);
		return fail_int(w, op, index, expected, val, f->type);
	}
	return 0;
}

static int run_ints(struct kstate_walk *w, const struct kstate_op *op, const u8 *wire, void *mem)
{
	char expected[32];
	u32 i;
	int ret;

	for (i = 0; i < op->count; i++, wire += op->wsize, mem += op->msize) {
		u64 val = kstate_int_load(wire, op->src);

		if (w->apply) {
			kstate_mem_store(mem, op->dst, val);
			continue;
		}
		if (op->code == KSTATE_OP_LIMIT) {
			ret = kstate_check_limit(w, op, i, val, w->remote ? NULL : mem);
			if (ret)
				return ret;
		} else if (!kstate_int_fits(val, op->src, op->dst)) {
			snprintf(expected, sizeof(expected), "a value of at most %u bits",
				 op->dst == KS_BOOL ? 1 : 8 * __kstate_size(op->dst));
			return fail_int(w, op, i, expected, val, op->src);
		}
	}
	return 0;
}

static void fill_ints(const struct kstate_op *op, void *mem)
{
	u64 val = kstate_is_int(op->to->type) ? op->to->dflt : 0;
	u32 i;

	for (i = 0; i < op->count; i++, mem += op->msize)
		kstate_mem_store(mem, op->dst, val);
}

static int run_address(struct kstate_walk *w, const struct kstate_op *op, const u8 *wire,
		       void **mem)
{
	u64 val = get_unaligned_le64(wire);
	bool linear = op->dst == KS_T_LINEAR;

	if (w->apply)
		*mem = val == ~0ULL ? NULL : linear ? phys_to_virt(val) : (void *)pfn_to_page(val);
	else if (val != ~0ULL && !pfn_valid(linear ? PHYS_PFN(val) : val))
		return kstate_fail(&w->where, op->path, KSTATE_EDGE, -EFAULT,
				   "an address of memory\n%#llx", val);
	return 0;
}

static bool empty_edge_lies(const struct kstate_edge *edge)
{
	return edge->kind == KSTATE_EDGE_NONE && memchr_inv(edge, 0, sizeof(*edge));
}

/**
 * kstate_restore_edge() - take over memory, while checking
 * @w: the walk
 * @path: of the field, or NULL
 * @type: %KS_T_FOLIO, %KS_T_PAGES or %KS_T_VMALLOC
 * @edge: the memory
 * @ptr: set to it, or to NULL
 *
 * Return: 0, or a negative error code.
 */
int kstate_restore_edge(struct kstate_walk *w, const struct kstate_path *path, u8 type,
			const struct kstate_edge *edge, void **ptr)
{
	struct kstate_taken *taken;
	int ret;

	*ptr = NULL;
	if (edge->kind == KSTATE_EDGE_NONE && !empty_edge_lies(edge))
		return 0;
	if (edge->kind != (type & 0xf))
		return kstate_fail(&w->where, path, KSTATE_DAMAGED, -EBADMSG,
				   "memory of kind %u\n%u", type & 0xf, edge->kind);
	taken = kstate_restore_take(w);
	if (!taken)
		return kstate_fail(&w->where, path, KSTATE_NO_MEMORY, -ENOMEM, "memory\nnone");
	ret = kstate_set_take(w->stream->set, edge, ptr);
	if (ret) {
		w->nr_taken--;
		return kstate_fail(&w->where, path, ret == -ENOMEM ? KSTATE_NO_MEMORY : KSTATE_EDGE,
				   ret, "memory that was preserved\nerror %d at %#llx", ret,
				   le64_to_cpu(edge->addr));
	}
	taken->what = KSTATE_TAKEN_EDGE;
	taken->ptr = *ptr;
	taken->edge = *edge;
	return 0;
}

static int run_edge(struct kstate_walk *w, const struct kstate_op *op, u8 *wire, void **mem)
{
	const struct kstate_edge *edge = (void *)wire;
	void *ptr;

	if (op->from && !w->apply && empty_edge_lies(edge))
		return damaged(w, op, "no size of no memory", le64_to_cpu(edge->size));
	if (!op->from || edge->kind == KSTATE_EDGE_NONE) {
		if (!w->apply && *mem)
			return occupied(w, op, -1, "NULL in the object", "a pointer");
		return 0;
	}
	if (w->apply) {
		*mem = w->taken[w->next_taken++].ptr;
		return 0;
	}
	if (*mem)
		return occupied(w, op, -1, "NULL in the object", "a pointer");
	return kstate_restore_edge(w, op->path, op->dst, edge, &ptr);
}

/* The element behind the pointer @pp, if the record has one */
static int run_pointer(struct kstate_walk *w, const struct kstate_op *op, s64 index,
		       bool present, u8 *chunk, void **pp)
{
	void *elem = *pp;

	if (!present)
		return elem && !w->apply ? occupied(w, op, index, "NULL in the object",
						    "a pointer") : 0;
	if (!elem) {
		if (!op->to->bind->alloc)
			return occupied(w, op, index, "a pointer in the object, or KSTATE_ALLOC",
					"NULL");
		elem = take_elements(w, op, 1);
		if (!elem)
			return -ENOMEM;
		if (w->apply)
			*pp = elem;
	}
	return run_at(w, op, index, op->sub, chunk, elem);
}

static int run_pointers(struct kstate_walk *w, const struct kstate_op *op, const u8 *present,
			u32 n, u8 *chunk, void **pp)
{
	const struct kstate_field *field = op->to->bind;
	u32 i;
	int ret;

	for (i = 0; i < max(n, field->num); i++) {
		bool there = i < n && present[i];

		if (i >= field->num) {
			/* A length that counts them must not count more than there can be */
			if (there || field->length.type)
				return occupied(w, op, i, "room for all elements", "too little");
			continue;
		}
		ret = run_pointer(w, op, i, there, chunk, &pp[i]);
		if (ret)
			return ret;
		if (there)
			chunk += op->wsize;
	}
	return 0;
}

/* The writer's integers may be of any size, as long as they make a text */
static int check_text(struct kstate_walk *w, const struct kstate_op *op, const u8 *chunk, u32 n)
{
	u32 i = 0;

	while (i < n && kstate_int_load(chunk + (size_t)i * op->wsize, op->src))
		i++;
	if (n && i != n - 1)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "text of %u bytes that ends with a NUL\nanother", n - 1);
	return 0;
}

/* @n elements one after the other, in the object or where it points to */
static int run_array(struct kstate_walk *w, const struct kstate_op *op, u32 n, u8 *chunk,
		     void *member)
{
	const struct kstate_field *field = op->to->bind;
	bool pointer = field->modifiers & KS_POINTER, text = field->kind == KS_STRING;
	void *elems = pointer ? *(void **)member : member;
	s64 room = field->num;
	u32 i;
	int ret;

	if (!w->apply && text) {
		ret = check_text(w, op, chunk, n);
		if (ret)
			return ret;
	}
	if (pointer && !elems) {
		if (!n)
			return 0;
		if (!field->alloc && !text)
			return occupied(w, op, -1, "a pointer in the object, or KSTATE_ALLOC",
					"NULL");
		elems = take_elements(w, op, n);
		if (!elems)
			return -ENOMEM;
		if (w->apply)
			*(void **)member = elems;
	} else if (!w->apply) {
		if (pointer && text)
			return occupied(w, op, -1, "NULL in the object", "a pointer");
		if (pointer && field->length.type)
			room = kstate_mem_load(member - field->offset + field->length.offset,
					       field->length.type);
		else if (pointer)
			room = field->count(member - field->offset);
		if (n > room)
			return kstate_fail(&w->where, op->path, KSTATE_NO_ROOM, -ENOSPC,
					   "at most %lld elements\n%u", room, n);
	}

	if (op->sub && op->sub->bytes && op->sub->bytes == op->msize && op->msize == op->wsize) {
		if (w->apply)
			memcpy(elems, chunk, (size_t)n * op->msize);
	} else {
		for (i = 0; i < n; i++) {
			ret = run_at(w, op, i, op->sub, chunk + (size_t)i * op->wsize,
				     elems + (size_t)i * op->msize);
			if (ret)
				return ret;
		}
	}
	if (w->apply && text && !pointer)
		memset(elems + n, 0, field->num - n);
	return 0;
}

static int run_list(struct kstate_walk *w, const struct kstate_op *op, u32 n, u8 *chunk,
		    struct list_head *head)
{
	void *elem;
	u32 i;
	int ret;

	if (!w->apply && head->next && !list_empty(head))
		return occupied(w, op, -1, "an empty list in the object", "entries");
	if (w->apply && !head->next)
		INIT_LIST_HEAD(head);
	for (i = 0; i < n; i++) {
		elem = take_elements(w, op, 1);
		if (!elem)
			return -ENOMEM;
		ret = run_at(w, op, i, op->sub, chunk + (size_t)i * op->wsize, elem);
		if (ret)
			return ret;
		if (w->apply)
			list_add_tail(elem + op->to->bind->link, head);
	}
	return 0;
}

static int run_xarray(struct kstate_walk *w, const struct kstate_op *op, const u8 *indices,
		      u32 n, u8 *chunk, struct xarray *xa)
{
	struct kstate_taken *t;
	u64 index, last = 0;
	void *elem;
	u32 i;
	int ret;

	if (!w->apply && !xa_empty(xa))
		return occupied(w, op, -1, "an empty xarray in the object", "entries");
	for (i = 0; i < n; i++, last = index) {
		index = get_unaligned_le64(indices + 8 * (size_t)i);
		elem = take_elements(w, op, 1);
		if (!elem)
			return -ENOMEM;
		if (w->apply) {
			/* It was reserved: this cannot fail */
			xa_store(xa, index, elem, GFP_KERNEL);
			w->next_taken++;
		} else {
			if (index != (unsigned long)index || (i && index <= last))
				return damaged(w, op, "indices that ascend", index);
			t = kstate_restore_take(w);
			if (!t || xa_reserve(xa, index, GFP_KERNEL)) {
				w->nr_taken -= !!t;
				return no_memory(w, op);
			}
			t->what = KSTATE_TAKEN_INDEX;
			t->ptr = xa;
			t->index = index;
		}
		ret = run_at(w, op, index, op->sub, chunk + (size_t)i * op->wsize, elem);
		if (ret)
			return ret;
	}
	return 0;
}

static int too_many(struct kstate_walk *w, const struct kstate_op *op, u32 n)
{
	return kstate_fail(&w->where, op->path, KSTATE_NO_ROOM, -ENOSPC,
			   "at most %llu elements\n%u", op->to->room, n);
}

/* Without an object, what it would have room for is known, and the values */
static int run_remote(struct kstate_walk *w, const struct kstate_op *op, const u8 *before,
		      u32 n, u8 *chunk)
{
	bool map = op->to->container == KS_C_MAP, pointers = op->to->container == KS_C_POINTERS;
	u64 index, last = 0;
	u32 i;
	int ret;

	if (n > op->to->room && (!pointers || op->to->length))
		return too_many(w, op, n);
	if (op->to->text) {
		ret = check_text(w, op, chunk, n);
		if (ret)
			return ret;
	}
	for (i = 0; i < n && (map || pointers || op->sub->nr); i++, last = index) {
		index = map ? get_unaligned_le64(before + 8 * (size_t)i) : i;
		if (map && i && index <= last)
			return damaged(w, op, "indices that ascend", index);
		if (pointers && !before[i])
			continue;
		if (i >= op->to->room)
			return too_many(w, op, n);
		ret = run_at(w, op, op->to->container == KS_C_OPTIONAL ? -1 : (s64)index, op->sub,
			     chunk, NULL);
		if (ret)
			return ret;
		chunk += op->wsize;
	}
	return 0;
}

static int run_tail(struct kstate_walk *w, const struct kstate_op *op, u8 *wire, void *mem)
{
	const struct kstate_field *field = op->to->bind;
	u32 n = op->from ? get_unaligned_le32(wire) : 0, present = n, i;
	u8 *before = NULL, *chunk;

	if (op->to->container == KS_C_OPTIONAL && n > 1)
		return damaged(w, op, "0 or 1 elements", n);
	if (n && op->to->container >= KS_C_POINTERS) {
		before = kstate_cursor_take(&w->tail, op->to->container == KS_C_MAP ? 8ULL * n : n);
		if (!before)
			return damaged(w, op, "elements in the record", n);
	}
	if (op->to->container == KS_C_POINTERS) {
		for (i = 0; i < n; i++) {
			if (before[i] > 1)
				return damaged(w, op, "0 or 1 for each pointer", before[i]);
			present -= !before[i];
		}
	}
	chunk = kstate_cursor_take(&w->tail, (u64)present * op->wsize);
	if (!chunk)
		return damaged(w, op, "elements in the record", n);

	if (w->remote)
		return run_remote(w, op, before, n, chunk);
	switch (field->kind) {
	case KS_GROUP:
		return n ? run_at(w, op, -1, op->sub, chunk, mem) :
			   run_at(w, op, -1, op->none, NULL, mem);
	case KS_LIST:
		return run_list(w, op, n, chunk, mem);
	case KS_XARRAY:
		return run_xarray(w, op, before, n, chunk, mem);
	default:
		break;
	}
	if (op->to->container == KS_C_OPTIONAL)
		return run_pointer(w, op, -1, n, chunk, mem);
	if (op->to->container == KS_C_POINTERS)
		return run_pointers(w, op, before, n, chunk, mem);
	return run_array(w, op, n, chunk, mem);
}

static int run_bitmap(struct kstate_walk *w, const struct kstate_op *op, const u8 *wire,
		      unsigned long *mem)
{
	u32 n = get_unaligned_le32(wire), per_long = 8 * sizeof(long);
	u32 bits = min(op->to->room, U32_MAX);
	const u8 *chunk = kstate_cursor_take(&w->tail, BITS_TO_WIRE(n));
	u64 i;

	if (!chunk)
		return damaged(w, op, "bits in the record", n);
	for (i = min(bits, n); !w->apply && i < 8 * BITS_TO_WIRE(n); i++)
		if (chunk[i / 8] & (1 << (i % 8)))
			return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
					   "no bit after the first %u\nbit %llu", min(bits, n), i);
	for (i = 0; w->apply && i * per_long < bits; i++)
		mem[i] = i * per_long < n ?
			kstate_int_load(chunk + i * sizeof(long), sizeof(long)) : 0;
	return 0;
}

static int run_union(struct kstate_walk *w, const struct kstate_op *op, const u8 *wire, void *mem)
{
	u32 n = get_unaligned_le32(wire);
	const struct kstate_arm_plan *arm;
	u8 *chunk;

	if (!n || n > op->count)
		return damaged(w, op, "an arm", n);
	arm = &op->arms[n - 1];
	if (!arm->plan)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "an arm that the reader has\n%s", arm->name);
	chunk = kstate_cursor_take(&w->tail, op->from[n].ref ? op->from[n].ref->size : 0);
	if (!chunk)
		return damaged(w, op, "an arm in the record", n);
	return run_at(w, op, -1, arm->plan, chunk, mem);
}

/* Give a function of the description a zeroed copy of its member to fill */
static int fill_copy(struct kstate_walk *w, const struct kstate_op *op, u32 size, void *mem,
		     int (*fill)(struct kstate_walk *w, const struct kstate_op *op, void *copy,
				 void *arg), void *arg)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = -1 };
	struct kstate_taken *t;
	void *copy;
	int ret;

	if (w->apply) {
		/* Memory that the function has taken over comes before its copy */
		while (w->taken[w->next_taken].what != KSTATE_TAKEN_COPY)
			w->next_taken++;
		t = &w->taken[w->next_taken++];
		memcpy(mem, t->ptr, size);
		kvfree(t->ptr);
		return 0;
	}

	copy = kvzalloc(size, GFP_KERNEL);
	if (!copy)
		return no_memory(w, op);
	w->where.frame = &frame;
	ret = min(fill(w, op, copy, arg), 0);
	if (ret)
		kstate_fail(&w->where, NULL, KSTATE_CALLBACK, ret,
			    "a value from the function of the field\nerror %d", ret);
	else if (w->where.err)
		/* What the function has coped with is not an error */
		w->where.err->code = 0;
	w->where.frame = frame.up;
	t = ret ? NULL : kstate_restore_take(w);
	if (!t) {
		if (!ret && op->to->bind->discard)
			op->to->bind->discard(copy, op->to->bind);
		kvfree(copy);
		return ret ?: no_memory(w, op);
	}
	t->what = KSTATE_TAKEN_COPY;
	t->ptr = copy;
	t->field = op->to->bind;
	return 0;
}

static int fill_items(struct kstate_walk *w, const struct kstate_op *op, void *copy, void *arg)
{
	int ret = op->to->bind->restore(w->stream, copy, op->to->bind);

	if (!ret && (w->items.pos != w->items.end || w->nr_groups)) {
		if (op->to->bind->discard)
			op->to->bind->discard(copy, op->to->bind);
		ret = kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE,
				  "a function that takes all items\n%zu bytes left",
				  (size_t)(w->items.end - w->items.pos));
	}
	w->nr_groups = 0;
	return ret;
}

static int run_items(struct kstate_walk *w, const struct kstate_op *op, u8 *wire, void *mem)
{
	u32 n = get_unaligned_le32(wire);
	u8 *chunk = kstate_cursor_take(&w->tail, n);

	if (!chunk || n % 8)
		return damaged(w, op, "items in the record", n);
	if (w->remote)
		return 0;
	w->items = (struct kstate_cursor){ .pos = chunk, .end = chunk + n };
	return fill_copy(w, op, op->to->bind->size, mem, fill_items, NULL);
}

static int fill_absent(struct kstate_walk *w, const struct kstate_op *op, void *copy, void *arg)
{
	return op->to->bind->absent(copy, op->to->bind);
}

static int fill_converted(struct kstate_walk *w, const struct kstate_op *op, void *copy,
			  void *arg)
{
	return op->to->bind->convert(copy, arg, op->to->bind);
}

static int drop_edge(struct kstate_edge *edge, u8 type, void *arg)
{
	struct kstate_walk *w = arg;

	kstate_set_discard_edge(w->stream->set, edge);
	return 0;
}

/* Go past the writer's field; when applying, free what it handed over */
static int run_drop(struct kstate_walk *w, const struct kstate_op *op, u8 *wire, u32 first,
		    bool strict)
{
	struct kstate_visit visit = {
		.edge = w->apply ? drop_edge : NULL, .arg = w, .is_default = true,
	};
	char found[24] = "another value";

	if (kstate_wire_walk(op->schema, op->from, wire, first, op->from->count > 1 ?
			     op->from->count - first : 1, &w->tail, &visit))
		return damaged(w, op, "a field in the record", 0);
	if (!strict || visit.is_default || w->apply)
		return 0;
	if (kstate_is_int(op->from->type) && op->from->container == KS_C_ONE)
		show_value(op, kstate_int_load(wire + op->from->offset, op->from->type),
			   op->from->type, found, sizeof(found));
	return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
			   "the default in what the reader does not have\n%s", found);
}

static int run_convert(struct kstate_walk *w, const struct kstate_op *op, u8 *wire, void *mem)
{
	struct kstate_value value = { .field = op->from, .fixed = wire, .tail = w->tail };
	int ret = run_drop(w, op, wire, 0, false);

	value.tail.end = w->tail.pos;
	if (w->remote)
		return ret;
	return ret ?: fill_copy(w, op, op->count, mem, fill_converted, &value);
}

static void length_of(const struct kstate_op *op, const u8 *fixed, u64 *val)
{
	const u8 *wire = fixed + op->wire;
	u64 n = 0;

	if (op->from && op->src == KS_T_PAGES)
		n = le64_to_cpu(((const struct kstate_edge *)wire)->size) >> PAGE_SHIFT;
	else if (op->from)
		n = get_unaligned_le32(wire);
	if (op->arms)
		n = op->arms[op->from ? n - 1 : 0].tag;
	*val = n;
}

/* Without an object, a member is known by the struct of the writer and its first field */
static bool same_member(const struct kstate_walk *w, const struct kstate_op *a,
			const struct kstate_op *b)
{
	if (w->remote && (a->schema != b->schema || a->to->length != b->to->length))
		return false;
	return a->mem == b->mem;
}

/* Members that hold a length or a tag; these steps are the last ones of a plan */
static int run_lengths(struct kstate_walk *w, const struct kstate_op *op,
		       const struct kstate_op *end, u8 *fixed, void *obj)
{
	const struct kstate_op *first = op, *other;
	u64 n, m;

	for (; op < end; op++) {
		length_of(op, fixed, &n);
		if (w->remote && n > op->to->room)
			return too_many(w, op, n);
		if (w->apply) {
			kstate_mem_store(obj + op->mem, op->dst, n);
			continue;
		}
		if (!op->arms && !kstate_int_fits(n, KS_U64, op->dst))
			return fail_int(w, op, 0, "a length that its member can hold", n, KS_U64);
		for (other = first; other < op; other++) {
			length_of(other, fixed, &m);
			if (same_member(w, op, other) && n != m)
				return fail_int(w, op, 0,
						"the length of the other field with this member",
						n, KS_U64);
		}
	}
	return 0;
}

static int run_op(struct kstate_walk *w, const struct kstate_op *op, u8 *fixed, void *obj)
{
	/* What the record does not have is not looked for in it */
	u8 *wire = fixed ? fixed + op->wire : NULL;
	void *mem = w->remote ? NULL : obj + op->mem;
	u32 i;
	int ret;

	switch (op->code) {
	case KSTATE_OP_BOOL:
		return w->apply ? 0 : kstate_check_bools(w, op, wire);
	case KSTATE_OP_LIMIT:
		return w->apply ? 0 : run_ints(w, op, wire, mem);
	case KSTATE_OP_INT:
		return run_ints(w, op, wire, mem);
	case KSTATE_OP_FILL:
		if (w->apply)
			fill_ints(op, mem);
		return 0;
	case KSTATE_OP_ADDRESS:
		return run_address(w, op, wire, mem);
	case KSTATE_OP_EDGE:
		return run_edge(w, op, wire, mem);
	case KSTATE_OP_EACH:
		for (i = 0; i < op->count; i++) {
			ret = run_at(w, op, i, op->sub, wire + i * op->wsize, mem + i * op->msize);
			if (ret)
				return ret;
		}
		return 0;
	case KSTATE_OP_TAIL:
		return run_tail(w, op, wire, mem);
	case KSTATE_OP_BITMAP:
		return run_bitmap(w, op, wire, mem);
	case KSTATE_OP_UNION:
		return run_union(w, op, wire, mem);
	case KSTATE_OP_ITEMS:
		return run_items(w, op, wire, mem);
	case KSTATE_OP_ABSENT:
		return fill_copy(w, op, op->count, mem, fill_absent, NULL);
	case KSTATE_OP_CONVERT:
		return run_convert(w, op, wire, mem);
	case KSTATE_OP_DROP:
		return run_drop(w, op, wire, op->mem, op->strict);
	}
	return -EINVAL;
}

static int run_plan(struct kstate_walk *w, const struct kstate_plan *plan, u8 *fixed, void *obj)
{
	const struct kstate_op *op, *end = plan->ops + plan->nr;
	int ret;

	for (op = plan->ops; op < end; op++) {
		if (likely(op->code == KSTATE_OP_COPY)) {
			if (w->apply)
				kstate_copy(obj + op->mem, fixed + op->wire, op->count);
			continue;
		}
		if (op->code == KSTATE_OP_LENGTH)
			return run_lengths(w, op, end, fixed, obj);
		ret = run_op(w, op, fixed, obj);
		if (unlikely(ret))
			return ret;
	}
	return 0;
}

/**
 * kstate_restore_check() - find out whether a record can be restored
 * @w: the walk; its tail is what follows the fixed part. Afterwards either
 *	kstate_restore_apply() or kstate_restore_undo() has to be called
 * @plan: the plan
 * @fixed: fixed part of the record
 * @obj: the object; it is only read. NULL if @w is remote
 *
 * Return: 0, or a negative error code.
 */
int kstate_restore_check(struct kstate_walk *w, const struct kstate_plan *plan, u8 *fixed,
			 void *obj)
{
	int ret = run_plan(w, plan, fixed, obj);

	if (!ret && w->tail.pos != w->tail.end)
		ret = kstate_fail(&w->where, NULL, KSTATE_DAMAGED, -EBADMSG,
				  "the end of the record\n%zu more bytes",
				  (size_t)(w->tail.end - w->tail.pos));
	return ret;
}

/**
 * kstate_restore_apply() - restore what has been checked
 * @w: the walk, with the tail as it was before checking
 * @plan: the plan
 * @fixed: fixed part of the record
 * @obj: the object
 */
void kstate_restore_apply(struct kstate_walk *w, const struct kstate_plan *plan, u8 *fixed,
			  void *obj)
{
	w->apply = true;
	run_plan(w, plan, fixed, obj);
	kvfree(w->taken);
	w->taken = NULL;
}
