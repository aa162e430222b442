// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an object to the payload of a record, by the plan of its description.
 */

/**
 * DOC: saving
 *
 * An object is walked once. Its fixed part has a size that is known beforehand,
 * its tail grows as the walk goes on: the record is the last one of its stream
 * until it is complete, and moves when there is no more room behind it. So
 * nothing holds a pointer into it; places are offsets.
 *
 * Memory that is handed over in place is preserved while it is written. If
 * anything fails, the record, in which everything else is zero, tells what has
 * to be undone.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "engine.h"

/* The elements of @op's field are saved with @plan */
int kstate_save_at(struct kstate_save_ctx *w, const struct kstate_op *op, s64 index,
		   const struct kstate_plan *plan, u32 fixed, const void *obj)
{
	struct kstate_frame frame;
	u32 done;
	int ret;

	done = kstate_save_copies(plan, w->rec + fixed, obj);
	if (done == plan->nr)
		return 0;
	frame = (struct kstate_frame){ .up = w->where.frame, .path = op->path, .index = index };
	w->where.frame = &frame;
	ret = kstate_save_steps(w, plan, done, fixed, obj);
	w->where.frame = frame.up;
	return ret;
}

/* Room for @bytes in all; false without memory: then the record is where it was */
static bool make_room(struct kstate_save_ctx *w, size_t bytes)
{
	u8 *rec = kstate_stream_reserve(w->stream, w->rec, w->used, bytes);

	if (rec) {
		w->rec = rec;
		w->room = kstate_stream_room(w->stream, rec);
	}
	return rec;
}

/**
 * kstate_save_reserve() - get room in the tail
 * @w: the object on its way
 * @bytes: how many
 *
 * Return: offset of the room, which is zero, in the record; or a negative error
 * code.
 */
s64 kstate_save_reserve(struct kstate_save_ctx *w, u64 bytes)
{
	u64 at = w->used, need;

	if (bytes > KSTATE_MAX_RECORD || at + ALIGN(bytes, 8) > KSTATE_MAX_RECORD)
		return kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE,
				   "at most %u bytes\nmore", KSTATE_MAX_RECORD);
	need = at + ALIGN(bytes, 8);
	if (need > w->room && !make_room(w, need))
		return kstate_no_memory(&w->where, NULL);
	w->used = need;
	return at;
}

static int save_limits(struct kstate_save_ctx *w, const struct kstate_op *op, const void *p)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < op->count && !ret; i++, p += op->msize)
		ret = kstate_check_limit(&w->where, op, op->to, i, kstate_mem_load(p, op->dst),
					 NULL);
	return ret;
}

static int save_address(struct kstate_save_ctx *w, const struct kstate_op *op, u32 at,
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
	put_unaligned_le64(val, w->rec + at);
	return 0;
}

/* More than any machine has, and what an edge and the page allocator can count */
#define MAX_PAGES	BIT_ULL(31)

/**
 * kstate_save_edge() - preserve memory and write its edge
 * @w: the object on its way
 * @path: of the field, or NULL
 * @type: %KS_T_FOLIO, %KS_T_PAGES or %KS_T_VMALLOC
 * @ptr: the memory, or NULL
 * @nr: number of pages
 * @at: offset of the edge in the record
 *
 * Return: 0, or a negative error code.
 */
int kstate_save_edge(struct kstate_save_ctx *w, const struct kstate_path *path, u8 type,
		     void *ptr, s64 nr, u32 at)
{
	struct kstate_edge made = {};
	int ret;

	if (!ptr)
		return 0;
	if (type == KS_T_PAGES && (nr < 1 || nr > MAX_PAGES ||
				   !pfn_valid(page_to_pfn((struct page *)ptr) + nr - 1)))
		return kstate_fail(&w->where, path, KSTATE_VALUE, -ERANGE,
				   "a number of pages that there are\n%lld", nr);
	made.kind = type & 0xf;
	ret = kstate_stream_preserve(w->stream, &w->where, path, made.kind, ptr, nr, &made);
	if (!ret)
		memcpy(w->rec + at, &made, sizeof(made));
	return ret;
}

static int save_edges(struct kstate_save_ctx *w, const struct kstate_op *op, u32 at,
		      void *const *mem)
{
	const struct kstate_field *field = op->to->bind;
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path };
	s64 nr = 0;
	u32 i;
	int ret = 0;

	if (field->kind == KS_PAGES)
		nr = kstate_mem_load((const void *)mem - field->offset + field->length.offset,
				     field->length.type);
	if (nr && !*mem)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE, "%lld pages\nNULL",
				   nr);
	w->where.frame = &frame;
	for (i = 0; i < op->count && !ret; i++, at += op->wsize) {
		frame.index = op->count > 1 ? (s64)i : -1;
		ret = kstate_save_edge(w, NULL, op->dst, mem[i], nr, at);
	}
	w->where.frame = frame.up;
	return ret;
}

static int bad_folio(struct kstate_save_ctx *w, const struct kstate_op *op, u64 i,
		     const char *expected, u64 found)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = i };
	int ret;

	w->where.frame = &frame;
	ret = kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE, "%s\n%llu", expected, found);
	w->where.frame = frame.up;
	return ret;
}

static __always_inline struct kstate_folio_run make_run(const struct kstate_folio_entry *e, u32 n,
							unsigned long pfn, u32 order)
{
	return (struct kstate_folio_run){
		.place = cpu_to_le64(pfn | (u64)order << KSTATE_RUN_BITS |
				     (u64)e->flags << (64 - KSTATE_RUN_FLAGS)),
		.index = cpu_to_le64(e->index | (u64)(n - 1) << KSTATE_RUN_BITS),
	};
}

/* Preserve the @n folios of a run, and note how far that came */
static int save_run(struct kstate_save_ctx *w, const struct kstate_op *op,
		    const struct kstate_folio_entry *e, u64 first, u32 n,
		    struct kstate_folio_run *run)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path };
	u32 order = folio_order(e->folio), i;
	bool pages = !order && n > 1;
	struct kstate_edge edge;
	int ret;

	for (i = 0; i < (order ? n : 1); i++) {
		edge = (struct kstate_edge){};
		edge.kind = pages ? KSTATE_EDGE_PAGES : KSTATE_EDGE_FOLIO;
		frame.index = first + i;
		w->where.frame = &frame;
		ret = kstate_stream_preserve(w->stream, &w->where, NULL, edge.kind,
					     pages ? (void *)folio_page(e->folio, 0) : e[i].folio,
					     n, &edge);
		w->where.frame = frame.up;
		if (ret)
			return ret;
		*run = make_run(e, order ? i + 1 : n, folio_pfn(e->folio), order);
	}
	return 0;
}

static int bad_entry(struct kstate_save_ctx *w, const struct kstate_op *op,
		     const struct kstate_folio_entry *e, u64 i)
{
	if (!e->folio)
		return bad_folio(w, op, i, "a folio", 0);
	if (e->flags >> KSTATE_RUN_FLAGS)
		return bad_folio(w, op, i, "flags of 14 bits", e->flags);
	return bad_folio(w, op, i, "an index of 44 bits", e->index);
}

/*
 * What is left is likely to be like what has been: the record is not to move too often. It
 * grows to eight times at most, in case that it is not.
 */
static void expect_runs(struct kstate_save_ctx *w, u64 runs, u64 entries, u64 left)
{
	u64 more = div64_u64(left * runs, entries) * sizeof(struct kstate_folio_run);

	/* Without that much memory, a little may do */
	make_room(w, w->used + min_t(u64, more, 7 * w->used));
}

/*
 * Make runs of the entries at @e, of which there are @left. How many; @folios is set to how many
 * folios they have. -ERANGE if the first entry cannot be in any.
 */
static int make_runs(const struct kstate_folio_entry *e, u64 left, struct kstate_folio_run *runs,
		     u64 *folios, bool *large)
{
	u64 all = left, pfn, next_pfn = U64_MAX, next_index = 0;
	u32 nr = 0, len = 0, flags = 0, order = 0;

	for (; left; left--, e++) {
		if (unlikely(!e->folio || e->index >> KSTATE_RUN_BITS))
			break;
		pfn = folio_pfn(e->folio);
		/* Folios are looked at last: they are not in a cache */
		if (pfn == next_pfn && e->index == next_index && e->flags == flags &&
		    len < KSTATE_RUN_MAX && folio_order(e->folio) == order) {
			len++;
			le64_add_cpu(&runs[nr - 1].index, BIT_ULL(KSTATE_RUN_BITS));
		} else {
			flags = e->flags;
			if (nr == KSTATE_RUNS_AT_ONCE || unlikely(flags >> KSTATE_RUN_FLAGS))
				break;
			order = folio_order(e->folio);
			*large |= order;
			len = 1;
			runs[nr++] = make_run(e, 1, pfn, order);
			next_pfn = pfn;
			next_index = e->index;
		}
		next_pfn += 1UL << order;
		next_index += 1UL << order;
	}
	*folios = all - left;
	return nr ?: -ERANGE;
}

/* Some runs of the entries from @i on; @at is where their number is. The entry after them */
static s64 save_runs(struct kstate_save_ctx *w, const struct kstate_op *op,
		     const struct kstate_folio_entry *entries, u64 i, u64 n, u32 at)
{
	struct kstate_folio_run runs[KSTATE_RUNS_AT_ONCE] __uninitialized, *run;
	const struct kstate_folio_entry *e = entries + i, *end;
	bool large = false;
	u32 done, len;
	u64 all, folios;
	s64 to;
	int nr, ret;

	nr = make_runs(e, n - i, runs, &folios, &large);
	e += folios;
	if (nr < 0)
		return bad_entry(w, op, e, e - entries);
	all = get_unaligned_le64(w->rec + at) + nr;
	if (w->room - w->used < nr * sizeof(*runs))
		expect_runs(w, all, e - entries, n - i);
	to = kstate_save_reserve(w, nr * sizeof(*runs));
	if (to < 0)
		return to;
	put_unaligned_le64(all, w->rec + at);
	run = (void *)(w->rec + to);
	done = large ? 0 : kstate_stream_preserve_runs(w->stream, runs, nr);
	memcpy(run, runs, done * sizeof(*runs));
	if (done == nr)
		return e - entries;
	/* Which one is in the way? What is not preserved is not in the record */
	for (end = e, e = entries + i, nr = 0; e < end; nr++, e += len) {
		len = kstate_run_count(&runs[nr]);
		ret = nr < done ? 0 : save_run(w, op, e, e - entries, len, &run[nr]);
		if (ret)
			return ret;
	}
	return e - entries;
}

static int save_folios(struct kstate_save_ctx *w, const struct kstate_op *op, u32 slot,
		       const void *mem)
{
	const struct kstate_field *field = op->to->bind;
	const struct kstate_folio_entry *e = *(void *const *)mem;
	s64 n = kstate_mem_load(mem - field->offset + field->length.offset, field->length.type);
	u64 most = min_t(u64, op->to->room, KSTATE_MAX_FOLIOS);
	s64 at, i = 0;

	if (n < 0 || n > most)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "at most %llu folios\n%lld", most, n);
	if (n && !e)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "%lld folios\nNULL", n);
	if (!n)
		return 0;
	at = kstate_save_reserve(w, sizeof(u64));
	if (at < 0)
		return at;
	put_unaligned_le32(n, w->rec + slot);
	while (i >= 0 && i < n)
		i = save_runs(w, op, e, i, n, at);
	return min(i, 0);
}

static int changed(struct kstate_save_ctx *w, const struct kstate_op *op)
{
	return kstate_fail(&w->where, op->path, KSTATE_CHANGED, -EAGAIN,
			   "an object that does not change\nanother number of elements");
}

/* Which of the @n pointers are not NULL; returns how many */
static s64 save_presence(struct kstate_save_ctx *w, void *const *pointers, u32 n)
{
	s64 at = kstate_save_reserve(w, n);
	u32 i, nr = 0;

	for (i = 0; at >= 0 && i < n; i++) {
		nr += !!pointers[i];
		w->rec[at + i] = !!pointers[i];
	}
	return at < 0 ? at : nr;
}

/* What the element that @e is at is called in messages */
static s64 element_index(const struct kstate_op *op, const struct kstate_elements *e, u32 i)
{
	switch (op->to->container) {
	case KS_C_OPTIONAL:
		return -1;
	case KS_C_POINTERS:
		return e->i - 1;
	case KS_C_MAP:
		return e->index;
	default:
		return i;
	}
}

static int save_elements(struct kstate_save_ctx *w, const struct kstate_op *op,
			 struct kstate_elements *e, s64 indices, u32 nr, u32 chunk)
{
	const struct kstate_kind_row *kind = kstate_kind_of(e->field);
	const void *elem;
	u32 i;
	int ret;

	for (i = 0; i < nr; i++) {
		elem = kind->next(e);
		if (!elem)
			return changed(w, op);
		if (indices)
			put_unaligned_le64(e->index, w->rec + indices + 8 * i);
		ret = kstate_save_at(w, op, element_index(op, e, i), op->sub, chunk + i * op->wsize,
				     elem);
		if (ret)
			return ret;
	}
	return kind->next(e) ? changed(w, op) : 0;
}

static int save_tail(struct kstate_save_ctx *w, const struct kstate_op *op, u32 slot,
		     const void *member)
{
	const struct kstate_field *field = op->to->bind;
	struct kstate_elements e = { .field = field, .base = member };
	s64 n = kstate_kind_of(field)->count(w, op, member), nr = n, indices = 0, chunk;

	if (n <= 0)
		return n;
	put_unaligned_le32(n, w->rec + slot);
	e.n = n;
	if (field->modifiers & KS_POINTER)
		e.base = *(void *const *)member;
	if (op->to->container == KS_C_POINTERS)
		nr = save_presence(w, member, n);
	if (op->to->container == KS_C_MAP)
		indices = kstate_save_reserve(w, 8 * n);
	if (nr < 0 || indices < 0)
		return nr < 0 ? nr : indices;
	chunk = kstate_save_reserve(w, nr * op->wsize);
	if (chunk < 0)
		return chunk;
	if (op->sub->bytes && op->sub->bytes == op->msize && op->msize == op->wsize &&
	    op->to->container == KS_C_SEQUENCE &&
	    kstate_kind_of(field)->next == kstate_array_next) {
		memcpy(w->rec + chunk, e.base, nr * op->msize);
		return 0;
	}
	return save_elements(w, op, &e, indices, nr, chunk);
}

/* A group goes if it is needed, or if anything in it is not its default */
static int save_group(struct kstate_save_ctx *w, const struct kstate_op *op, u32 slot,
		      const void *obj)
{
	struct kstate_visit visit = { .is_default = true };
	struct kstate_cursor tail;
	s64 chunk = kstate_save_reserve(w, op->wsize);
	size_t end;
	int ret;

	if (chunk < 0)
		return chunk;
	put_unaligned_le32(1, w->rec + slot);
	ret = kstate_save_at(w, op, -1, op->sub, chunk, obj);
	if (ret || op->to->bind->needed(obj))
		return ret;
	end = w->used;
	tail = (struct kstate_cursor){ .pos = w->rec + chunk + ALIGN(op->wsize, 8),
				       .end = w->rec + end };
	if (kstate_wire_struct(op->to->ref, w->rec + chunk, &tail, &visit) || !visit.is_default)
		return 0;
	put_unaligned_le32(0, w->rec + slot);
	memset(w->rec + chunk, 0, end - chunk);
	w->used = chunk;
	return 0;
}

static int save_bitmap(struct kstate_save_ctx *w, const struct kstate_op *op, u32 slot,
		       const unsigned long *member)
{
	u32 bits = op->to->bind->num, per_long = 8 * sizeof(long), i;
	s64 chunk = kstate_save_reserve(w, BITS_TO_WIRE(bits));

	if (chunk < 0)
		return chunk;
	put_unaligned_le32(bits, w->rec + slot);
	for (i = 0; i * per_long < bits; i++) {
		unsigned long word = member[i];

		/* Bits beyond the last one are not part of the state */
		if (bits - i * per_long < per_long)
			word &= (1UL << (bits - i * per_long)) - 1;
		kstate_int_store(w->rec + chunk + i * sizeof(long), sizeof(long), word);
	}
	return 0;
}

static int save_union(struct kstate_save_ctx *w, const struct kstate_op *op, u32 slot,
		      const void *member)
{
	const struct kstate_field *field = op->to->bind;
	u64 tag = kstate_mem_load(member - field->offset + field->length.offset,
				  field->length.type);
	s64 chunk;
	u32 i;

	for (i = 0; i < op->count && op->arms[i].tag != tag; i++)
		;
	if (i == op->count)
		return kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				   "the tag of an arm\n%lld", tag);
	chunk = kstate_save_reserve(w, op->from[i + 1].ref ? op->from[i + 1].ref->size : 0);
	if (chunk < 0)
		return chunk;
	put_unaligned_le32(i + 1, w->rec + slot);
	return kstate_save_at(w, op, -1, op->arms[i].plan, chunk, member);
}

static int save_items(struct kstate_save_ctx *w, const struct kstate_op *op, u32 slot,
		      void *member)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = -1 };
	const struct kstate_field *field = op->to->bind;
	struct kstate_error *err = w->where.err;
	size_t start = w->used;
	int ret;

	w->where.frame = &frame;
	w->nr_groups = 0;
	w->in_callback = true;
	ret = min(field->save(w->stream, member, field), 0);
	w->in_callback = false;
	/* Even if the function failed: what has been put is what has to be undone */
	put_unaligned_le32(w->used - start, w->rec + slot);
	if (ret)
		kstate_fail(&w->where, NULL, KSTATE_CALLBACK, ret,
			    "a value from the function that saves\nerror %d", ret);
	else if (err && err->code && err->reason == KSTATE_BAD_CALL)
		ret = err->code;
	else if (w->nr_groups)
		ret = kstate_fail(&w->where, NULL, KSTATE_CALLBACK, -EINVAL,
				  "kstate_put_end() for each kstate_put_begin()\n%u open",
				  w->nr_groups);
	else if (err)
		/* What the function has coped with is not an error */
		err->code = 0;
	w->where.frame = frame.up;
	return ret;
}

static int save_each(struct kstate_save_ctx *w, const struct kstate_op *op, u32 at,
		     const void *mem)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < op->count && !ret; i++)
		ret = kstate_save_at(w, op, i, op->sub, at + i * op->wsize, mem + i * op->msize);
	return ret;
}

/* What has no tail, and can be written again */
static int save_scalar(struct kstate_save_ctx *w, const struct kstate_op *op, u32 fixed,
		       const void *obj)
{
	const void *mem = obj + op->mem;
	u8 *wire = w->rec + fixed + op->wire;
	u32 i;

	switch (op->code) {
	case KSTATE_OP_INT:
		for (i = 0; i < op->count; i++)
			kstate_int_store(wire + i * op->wsize, op->src,
					 kstate_mem_load(mem + i * op->msize, op->dst));
		return 0;
	case KSTATE_OP_BOOL:
		return kstate_check_bools(&w->where, op, mem);
	case KSTATE_OP_LIMIT:
		return save_limits(w, op, mem);
	case KSTATE_OP_ADDRESS:
		return save_address(w, op, fixed + op->wire, *(void *const *)mem);
	default:
		return 0;
	}
}

static int save_op(struct kstate_save_ctx *w, const struct kstate_op *op, u32 fixed,
		   const void *obj)
{
	u32 at = fixed + op->wire;
	const void *mem = obj + op->mem;

	switch (op->code) {
	case KSTATE_OP_EDGE:
		return save_edges(w, op, at, mem);
	case KSTATE_OP_EACH:
		return save_each(w, op, at, mem);
	case KSTATE_OP_TAIL:
		return op->to->bind->kind == KS_GROUP ? save_group(w, op, at, mem) :
							save_tail(w, op, at, mem);
	case KSTATE_OP_BITMAP:
		return save_bitmap(w, op, at, mem);
	case KSTATE_OP_UNION:
		return save_union(w, op, at, mem);
	case KSTATE_OP_ITEMS:
		return save_items(w, op, at, (void *)mem);
	case KSTATE_OP_FOLIOS:
		return save_folios(w, op, at, mem);
	default:
		return save_scalar(w, op, fixed, obj);
	}
}

/**
 * kstate_save_steps() - write what of an object is left
 * @w: the object on its way; its record has a zeroed fixed part
 * @plan: the plan
 * @done: steps that are done with kstate_save_copies()
 * @fixed: offset of the fixed part in the record
 * @obj: the object
 *
 * Return: 0, or a negative error code; then the edges in the record have to be
 * undone.
 */
int kstate_save_steps(struct kstate_save_ctx *w, const struct kstate_plan *plan, u32 done,
		      u32 fixed, const void *obj)
{
	int ret = 0;

	for (; done < plan->nr && !ret; done++)
		ret = save_op(w, &plan->ops[done], fixed, obj);
	return ret;
}

/* Elements stay as they were saved: so has a field that is their length, or their tag */
static int check_again(struct kstate_save_ctx *w, const struct kstate_op *op, const u8 *fixed)
{
	struct kstate_op at = *op;
	u64 val;

	if (op->code != KSTATE_OP_LENGTH || !op->owner || op->owner == op->to)
		return 0;
	at.from = op->owner;
	at.to = op->owner;
	val = kstate_int_load(fixed + op->wire - op->from->offset + op->owner->offset,
			      op->owner->type);
	if (val == kstate_length_of(op, fixed))
		return 0;
	return kstate_fail_int(&w->where, &at, 0, "the length or the tag that was saved", val,
			       op->owner->type);
}

static int save_again(struct kstate_save_ctx *w, const struct kstate_plan *plan, u32 fixed,
		      const void *obj);

static int each_again(struct kstate_save_ctx *w, const struct kstate_op *op, u32 at,
		      const void *mem)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path };
	int ret = 0;

	w->where.frame = &frame;
	for (; frame.index < op->count && !ret; frame.index++)
		ret = save_again(w, op->sub, at + frame.index * op->wsize,
				 mem + frame.index * op->msize);
	w->where.frame = frame.up;
	return ret;
}

/* A group that was left out has no place in the record: its fields must still be defaults */
static int check_no_group(struct kstate_save_ctx *w, const struct kstate_op *op, const void *obj)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = -1 };
	struct kstate_save_ctx group = { .where = w->where, .stream = w->stream };
	int ret;

	group.where.frame = &frame;
	group.rec = kvmalloc(op->wsize, GFP_KERNEL);
	if (!group.rec)
		return kstate_no_memory(&w->where, op->path);
	memcpy(group.rec, op->none->bytes, op->wsize);
	ret = save_again(&group, op->sub, 0, obj);
	if (!ret && (op->to->bind->needed(obj) || memcmp(group.rec, op->none->bytes, op->wsize)))
		ret = kstate_fail(&w->where, op->path, KSTATE_CHANGED, -EAGAIN,
				  "a group that is not needed, as when it was saved\none that is: save the object anew");
	kvfree(group.rec);
	return ret;
}

static int save_again(struct kstate_save_ctx *w, const struct kstate_plan *plan, u32 fixed,
		      const void *obj)
{
	const struct kstate_op *op;
	u32 at;
	int ret = 0;

	for (op = plan->ops + plan->copies; op < plan->ops + plan->nr && !ret; op++) {
		at = fixed + op->wire;
		if (op->code == KSTATE_OP_EACH)
			ret = each_again(w, op, at, obj + op->mem);
		else if (op->code != KSTATE_OP_TAIL || op->to->bind->kind != KS_GROUP)
			ret = save_scalar(w, op, fixed, obj);
		else if (!get_unaligned_le32(w->rec + at))
			ret = check_no_group(w, op, obj + op->mem);
	}
	if (ret)
		return ret;
	kstate_save_copies(plan, w->rec + fixed, obj);
	for (op = plan->ops + plan->copies; op < plan->ops + plan->nr && !ret; op++)
		ret = check_again(w, op, w->rec + fixed);
	return ret;
}

/**
 * kstate_save_again() - write those values of an object again that need no tail
 * @w: the record; it is not to move
 * @schema: schema and plan of the object's description
 * @fixed: offset of the fixed part in the record
 * @obj: the object
 *
 * Integers, bools and addresses of the object itself and of structs in it: what
 * is behind pointers and in lists, and memory that is handed over, stays as it
 * was saved.
 *
 * Return: 0, or a negative error code; then some values have been written.
 */
int kstate_save_again(struct kstate_save_ctx *w, const struct kstate_schema *schema, u32 fixed,
		      const void *obj)
{
	return save_again(w, schema->resolution->plan, fixed, obj);
}
