// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the payload of a record to an object: check all of it, and log what to do.
 */

/**
 * DOC: restoring
 *
 * Checking walks the record along the plan. It checks bounds, values,
 * constraints and what the object holds; it allocates, calls the functions of
 * the description with copies of their members, and takes over memory that was
 * handed over in place. It writes to nothing that was there before: every write
 * and every acquisition becomes an entry of a log. Only memory that this restore
 * has allocated is written to at once, and places in an xarray are reserved, so
 * that storing into them cannot fail. An object that is restored alone and only
 * takes copies needs no log: nothing can fail any more once it is checked.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "log.h"

static int restore_plan(struct kstate_restore_ctx *w, const struct kstate_plan *plan, u8 *fixed,
			void *obj);

/* Failing */

int kstate_damaged(struct kstate_restore_ctx *w, const struct kstate_op *op,
		   const char *expected, u64 found)
{
	return kstate_fail(&w->where, op->path, KSTATE_DAMAGED, -EBADMSG, "%s\n%llu",
			   expected, found);
}

int kstate_occupied(struct kstate_restore_ctx *w, const struct kstate_op *op, s64 index,
		    const char *expected, const char *found)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = index };
	int ret;

	w->where.frame = &frame;
	ret = kstate_fail(&w->where, NULL, KSTATE_NO_ROOM, -ENOSPC, "%s\n%s", expected, found);
	w->where.frame = frame.up;
	return ret;
}

/* A value is refused: that ends the check, unless all such values are wanted */
int kstate_refuse_value(struct kstate_restore_ctx *w, int ret)
{
	if (!ret || !w->remote || !w->refused)
		return ret;
	w->nr_refused++;
	w->refused(w->where.err, w->arg);
	w->where.err->code = 0;
	w->where.err->reason = KSTATE_OK;
	return 0;
}

static int too_many(struct kstate_restore_ctx *w, const struct kstate_op *op, u64 n)
{
	return kstate_fail(&w->where, op->path, KSTATE_NO_ROOM, -ENOSPC,
			   "at most %llu elements\n%llu", op->to->room, n);
}

/* Integers */

/*
 * The bits that any of them has; of a negative one those that its sign does not have, where @sign
 * has all bits set. Inlined, so that there is a short loop where type and step are known.
 */
static __always_inline u64 bits_of_all(const u8 *wire, u8 type, u32 step, u32 count, u64 sign)
{
	u64 all = 0, val;
	u32 i;

	for (i = 0; i < count; i++, wire += step) {
		val = kstate_int_load(wire, type);
		all |= val ^ ((u64)((s64)val >> 63) & sign);
	}
	return all;
}

static int restore_ints(struct kstate_restore_ctx *w, const struct kstate_op *op, const u8 *wire,
			void *mem)
{
	u64 sign = kstate_is_signed(op->src) && kstate_is_signed(op->dst) ? ~0ULL : 0;
	char expected[32];
	u64 all = 0, val;
	u32 i;
	int ret;

	/* Limits are one less than powers of two: all values are as one that has all their bits */
	if (op->narrow && kstate_size(op->src) == 8 && op->wsize == 8)
		all = bits_of_all(wire, KS_U64, 8, op->count, sign);
	else if (op->narrow)
		all = bits_of_all(wire, op->src, op->wsize, op->count, sign);
	for (i = kstate_int_fits(all, op->src, op->dst) ? op->count : 0; i < op->count; i++) {
		val = kstate_int_load(wire + (size_t)i * op->wsize, op->src);
		if (likely(kstate_int_fits(val, op->src, op->dst)))
			continue;
		snprintf(expected, sizeof(expected), "a value of at most %u bits",
			 op->dst == KS_BOOL ? 1 : 8 * kstate_size(op->dst));
		ret = kstate_refuse_value(w, kstate_fail_int(&w->where, op, i, expected, val,
							     op->src));
		if (ret)
			return ret;
	}
	if (w->remote)
		return 0;
	return kstate_log_write(w, (struct kstate_log_entry){
		.what = LOG_INTS, .dst = mem, .src = (void *)wire, .size = op->count * op->msize,
		.val = op->count, .op = op });
}

static int restore_limits(struct kstate_restore_ctx *w, const struct kstate_op *op,
			  const u8 *wire, const void *mem)
{
	u64 held = 0;
	u32 i;
	int ret = 0;

	for (i = 0; i < op->count && !ret; i++, wire += op->wsize) {
		if (!w->remote && !w->blank)
			held = kstate_mem_load(mem + (size_t)i * op->msize, op->dst);
		ret = kstate_check_limit(&w->where, op, op->to, i, kstate_int_load(wire, op->src),
					 w->remote ? NULL : &held);
		ret = kstate_refuse_value(w, ret);
	}
	return ret;
}

static const struct kstate_name_map *find_name(const struct kstate_op *op, u64 val)
{
	u32 i;

	for (i = 0; i < op->nr_names; i++)
		if (op->names[i].from == val)
			return &op->names[i];
	return NULL;
}

/* Bits as kstate_int_load() gives them, unless @type has no room for them */
static u64 extend_bits(u64 bits, u8 type)
{
	return bits >> 1 >> (8 * kstate_size(type) - 1) ? bits : kstate_extend(bits, type);
}

/*
 * Bits of the writer as those of the reader with the same names. Those without a
 * name are what they are, but must not be what another one has become, nor a part
 * of what a name has lost.
 */
static bool translate_flags(const struct kstate_op *op, u64 *val, const char **unknown)
{
	u64 width = kstate_is_signed(op->src) ? ~0ULL >> (64 - 8 * kstate_size(op->src)) : ~0ULL;
	u64 out = 0, rest = *val & width, moved = 0, from;
	const struct kstate_name_map *name, *end = op->names + op->nr_names;

	for (name = op->names; name < end; name++) {
		from = name->from & width;
		if (!name->known || name->to != name->from)
			moved |= name->to | from;
		if (!from || (rest & from) != from)
			continue;
		*unknown = name->name;
		if (!name->known)
			return false;
		rest &= ~from;
		out |= name->to;
	}
	*unknown = "";
	*val = extend_bits(out, op->dst) | kstate_extend(rest, op->src);
	return !(rest & moved);
}

/**
 * kstate_translate() - a value of the writer as one of the reader's with the same names
 * @op: a step with names
 * @val: the value
 * @unknown: set to the name that the reader does not have, or to ""
 *
 * Return: whether there is such a value.
 */
bool kstate_translate(const struct kstate_op *op, u64 *val, const char **unknown)
{
	const struct kstate_name_map *name;

	if (!op->to->enumerated)
		return translate_flags(op, val, unknown);
	name = find_name(op, *val);
	if (name && name->known)
		*val = name->to;
	*unknown = name ? name->name : "";
	return name && name->known;
}

static int restore_names(struct kstate_restore_ctx *w, const struct kstate_op *op, const u8 *wire,
			 void *mem)
{
	bool secret = kstate_is_secret(&w->where, op->path);
	const char *unknown;
	char expected[112];
	u64 val, was, held = 0;
	u32 i;
	int ret = 0;

	for (i = 0; i < op->count && !ret; i++, wire += op->wsize) {
		was = kstate_int_load(wire, op->src);
		val = was;
		if (!w->remote && !w->blank)
			held = kstate_mem_load(mem + (size_t)i * op->msize, op->dst);
		if (!kstate_translate(op, &val, &unknown)) {
			snprintf(expected, sizeof(expected), "a value that has a name here%s%s",
				 secret || !*unknown ? "" : ", not ", secret ? "" : unknown);
			ret = kstate_fail_int(&w->where, op, i, expected, was, op->src);
		} else if (!kstate_int_fits(val, kstate_is_signed(op->dst) ? KS_S64 : KS_U64,
					    op->dst)) {
			snprintf(expected, sizeof(expected), "a value of at most %u bits",
				 8 * kstate_size(op->dst));
			ret = kstate_fail_int(&w->where, op, i, expected, val, op->src);
		} else {
			ret = kstate_check_limit(&w->where, op, op->to, i, val,
						 w->remote ? NULL : &held);
		}
		ret = kstate_refuse_value(w, ret);
		if (!ret && !w->remote)
			ret = kstate_restore_store(w, mem + (size_t)i * op->msize, val,
						   kstate_size(op->dst));
	}
	return ret;
}

/* Addresses and memory that is handed over */

static int restore_address(struct kstate_restore_ctx *w, const struct kstate_op *op,
			   const u8 *wire, void *mem)
{
	u64 val = get_unaligned_le64(wire);
	bool linear = op->dst == KS_T_LINEAR;
	void *ptr = NULL;

	if (val != ~0ULL && !pfn_valid(linear ? PHYS_PFN(val) : val))
		return kstate_fail(&w->where, op->path, KSTATE_EDGE, -EFAULT,
				   "an address of memory\n%#llx", val);
	if (val != ~0ULL)
		ptr = linear ? phys_to_virt(val) : (void *)pfn_to_page(val);
	return kstate_restore_store(w, mem, (unsigned long)ptr, sizeof(ptr));
}

static bool empty_edge_lies(const struct kstate_edge *edge)
{
	return edge->kind == KSTATE_EDGE_NONE && memchr_inv(edge, 0, sizeof(*edge));
}

static int take_edge(struct kstate_restore_ctx *w, const struct kstate_path *path,
		     const struct kstate_edge *edge, void **ptr)
{
	int ret = kstate_stream_take(w->stream, edge, ptr);

	return ret ? kstate_fail(&w->where, path,
				 ret == -ENOMEM ? KSTATE_NO_MEMORY : KSTATE_EDGE, ret,
				 "memory that was preserved\nerror %d at %#llx", ret,
				 le64_to_cpu(edge->addr)) : 0;
}

/**
 * kstate_restore_edge() - take over memory
 * @w: the record on its way
 * @path: of the field, or NULL
 * @type: %KS_T_FOLIO, %KS_T_PAGES or %KS_T_VMALLOC
 * @edge: the memory
 * @ptr: set to it, or to NULL
 *
 * Return: 0, or a negative error code.
 */
int kstate_restore_edge(struct kstate_restore_ctx *w, const struct kstate_path *path, u8 type,
			const struct kstate_edge *edge, void **ptr)
{
	struct kstate_log_entry entry = { .what = LOG_EDGE, .edge = *edge };
	int ret;

	*ptr = NULL;
	if (edge->kind == KSTATE_EDGE_NONE && !empty_edge_lies(edge))
		return 0;
	if (edge->kind != (type & 0xf))
		return kstate_fail(&w->where, path, KSTATE_DAMAGED, -EBADMSG,
				   "memory of kind %u\n%u", type & 0xf, edge->kind);
	ret = take_edge(w, path, edge, ptr);
	if (ret)
		return ret;
	entry.memory = *ptr;
	ret = kstate_log_put(w, entry);
	if (ret)
		kstate_stream_park(w->stream, edge, *ptr);
	return ret;
}

static int restore_edges(struct kstate_restore_ctx *w, const struct kstate_op *op, u8 *wire,
			 void **mem)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path };
	u32 i;
	int ret = 0;

	for (i = 0; i < op->count && !ret; i++, wire += op->wsize, mem++) {
		const struct kstate_edge *edge = (void *)wire;
		void *ptr;

		if (empty_edge_lies(edge))
			return kstate_damaged(w, op, "no size of no memory",
					      le64_to_cpu(edge->size));
		if (kstate_held(w, mem))
			return kstate_occupied(w, op, op->count > 1 ? (s64)i : -1,
					       "NULL in the object", "a pointer");
		if (edge->kind == KSTATE_EDGE_NONE)
			continue;
		frame.index = op->count > 1 ? (s64)i : -1;
		w->where.frame = &frame;
		ret = kstate_restore_edge(w, NULL, op->dst, edge, &ptr);
		w->where.frame = frame.up;
		if (!ret)
			ret = kstate_restore_store(w, mem, (unsigned long)ptr, sizeof(ptr));
	}
	return ret;
}

/* The entries of one run; what it hands over is one range, or as many folios */
static int restore_run(struct kstate_restore_ctx *w, const struct kstate_op *op,
		       const struct kstate_folio_run *run, struct kstate_folio_entry *entry)
{
	u32 order = kstate_run_order(run), n = kstate_run_count(run), i;
	struct kstate_edge edge;
	void *ptr = NULL;
	int ret = 0;

	for (i = 0; i < n; i++, entry++) {
		if (order || !i) {
			kstate_run_edge(run, i, &edge);
			ret = take_edge(w, op->path, &edge, &ptr);
		}
		if (ret)
			break;
		entry->folio = order ? ptr : page_folio((struct page *)ptr + i);
		entry->index = kstate_run_index(run) + ((u64)i << order);
		entry->flags = kstate_run_flags(run);
	}
	return ret;
}

static int restore_folios(struct kstate_restore_ctx *w, const struct kstate_op *op,
			  const struct kstate_span *span, void **mem)
{
	const struct kstate_folio_run *run = (void *)span->chunk;
	struct kstate_folio_entry *entries;
	u64 n = 0;
	u32 i;
	int ret;

	for (i = 0; i < span->present; n += kstate_run_count(&run[i++]))
		if (!run[i].place)
			return kstate_damaged(w, op, "a run of folios", i);
	if (n != span->n)
		return kstate_damaged(w, op, "runs of as many folios", n);
	if (n > op->to->room)
		return kstate_refuse_value(w, too_many(w, op, n));
	if (w->remote)
		return 0;
	if (kstate_held(w, mem))
		return kstate_occupied(w, op, -1, "NULL in the object", "a pointer");
	if (!n)
		return 0;
	entries = kstate_restore_alloc(w, op, n, true);
	if (!entries)
		return -ENOMEM;
	ret = kstate_restore_store(w, mem, (unsigned long)entries, sizeof(entries));
	if (!ret)
		ret = kstate_log_put(w, (struct kstate_log_entry){
			.what = LOG_FOLIOS, .dst = entries, .op = op, .src = span->chunk,
			.val = span->present });
	for (i = 0; i < span->present && !ret; entries += kstate_run_count(&run[i++]))
		ret = restore_run(w, op, &run[i], entries);
	return ret;
}

/* The tail */

int kstate_restore_at(struct kstate_restore_ctx *w, const struct kstate_op *op, s64 index,
		      u8 *fixed, void *obj, bool fresh)
{
	bool was_fresh = w->fresh, was_blank = w->blank;
	struct kstate_frame frame;
	int ret;

	if (fresh && op->sub->nr == op->sub->copies) {
		kstate_restore_copies(op->sub, fixed, obj);
		return 0;
	}
	frame = (struct kstate_frame){ .up = w->where.frame, .path = op->path, .index = index };
	w->where.frame = &frame;
	w->fresh = fresh;
	w->blank &= !fresh;
	ret = restore_plan(w, op->sub, fixed, obj);
	w->fresh = was_fresh;
	w->blank = was_blank;
	w->where.frame = frame.up;
	return ret;
}

/* The writer's integers may be of any size, as long as they make a text */
static int check_text(struct kstate_restore_ctx *w, const struct kstate_op *op, const u8 *chunk,
		      u32 n)
{
	u32 i = 0;

	while (i < n && kstate_int_load(chunk + (size_t)i * op->wsize, op->src))
		i++;
	if (!n || i == n - 1)
		return 0;
	return kstate_refuse_value(w, kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
			"text of %u bytes that ends with a NUL\nanother", n - 1));
}

/* Without an object, what it would have room for is known, and the values */
static int restore_remote(struct kstate_restore_ctx *w, const struct kstate_op *op,
			  const struct kstate_span *span)
{
	bool map = op->to->container == KS_C_MAP, pointers = op->to->container == KS_C_POINTERS;
	u64 index, last = 0, room = op->to->room;
	u8 *chunk = span->chunk;
	u32 i;
	int ret;

	if (span->n > room && (!pointers || op->to->length)) {
		ret = kstate_refuse_value(w, too_many(w, op, span->n));
		if (ret)
			return ret;
		room = KSTATE_ANY_ROOM;
	}
	for (i = 0; i < span->n && (map || pointers || op->sub->nr); i++, last = index) {
		index = map ? get_unaligned_le64(span->before + 8 * (size_t)i) : i;
		if (map && i && index <= last)
			return kstate_damaged(w, op, "indices that ascend", index);
		if (pointers && !span->before[i])
			continue;
		if (i >= room)
			return too_many(w, op, span->n);
		ret = kstate_restore_at(w, op, op->to->container == KS_C_OPTIONAL ? -1 : (s64)index,
					chunk, NULL, false);
		if (ret)
			return ret;
		chunk += op->wsize;
	}
	return 0;
}

/* A group that the writer left out has the writer's defaults */
static int restore_no_group(struct kstate_restore_ctx *w, const struct kstate_op *op, void *obj)
{
	bool was = w->defaults;
	int ret;

	w->defaults = true;
	ret = restore_plan(w, op->none->plan, op->none->bytes, obj);
	w->defaults = was;
	return ret;
}

static int restore_tail(struct kstate_restore_ctx *w, const struct kstate_op *op,
			const struct kstate_span *span, void *mem)
{
	const struct kstate_field *field = op->to->bind;
	int ret;

	if (op->to->text) {
		ret = check_text(w, op, span->chunk, span->n);
		if (ret)
			return ret;
	}
	if (op->to->group && !span->n)
		return restore_no_group(w, op, mem);
	if (w->remote)
		return restore_remote(w, op, span);
	if (op->to->group)
		return kstate_restore_at(w, op, -1, span->chunk, mem, w->fresh);
	if (field->max_count && span->n > op->to->room)
		return too_many(w, op, span->n);
	return kstate_kind_of(field)->restore(w, op, span, mem);
}

static int restore_words(struct kstate_restore_ctx *w, unsigned long *mem, const u8 *chunk, u32 nr)
{
	u32 i;
	int ret = 0;

	if (!nr)
		return 0;
	if (!IS_ENABLED(CONFIG_CPU_BIG_ENDIAN))
		return kstate_restore_write(w, mem, chunk, nr * sizeof(long));
	for (i = 0; i < nr && !ret; i++)
		ret = kstate_restore_store(w, mem + i, kstate_int_load(chunk + i * sizeof(long),
								       sizeof(long)), sizeof(long));
	return ret;
}

static int restore_bitmap(struct kstate_restore_ctx *w, const struct kstate_op *op,
			  const struct kstate_span *span, unsigned long *mem)
{
	u32 n = span->n, bits = min_t(u64, op->to->room, U32_MAX), per_long = 8 * sizeof(long);
	u32 longs = DIV_ROUND_UP(bits, per_long), there = min(longs, DIV_ROUND_UP(n, per_long));
	u64 i;
	int ret;

	for (i = min(bits, n); i < 8 * span->bytes; i++) {
		if (!(span->chunk[i / 8] & (1 << (i % 8))))
			continue;
		ret = kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				  "no bit after the first %u\nbit %llu", min(bits, n), i);
		return kstate_refuse_value(w, ret);
	}
	if (w->remote)
		return 0;
	ret = restore_words(w, mem, span->chunk, there);
	if (ret || longs == there)
		return ret;
	return kstate_restore_zero(w, mem + there, (longs - there) * sizeof(long));
}

/* The arm that the object has now, or NULL if its tag is none */
static const struct kstate_schema_field *held_arm(const struct kstate_op *op, const void *mem)
{
	const struct kstate_field *field = op->to->bind;
	u64 tag = kstate_mem_load(mem - field->offset + field->length.offset, field->length.type);
	const struct kstate_schema_field *arm = op->to + 1;

	while (arm->type == KS_T_ARM && arm->dflt != tag)
		arm++;
	return arm->type == KS_T_ARM ? arm : NULL;
}

/*
 * The object may hold another arm, whose bytes must not be taken for this one's: it is
 * zero from then on, and read as if it were, unless it may have pointers.
 */
static int change_arm(struct kstate_restore_ctx *w, const struct kstate_op *op,
		      const struct kstate_schema_field *to, void *mem)
{
	const struct kstate_schema_field *held = w->blank ? NULL : held_arm(op, mem);
	bool init = to->ref && to->ref->desc->init;
	u32 size = op->to->bind->size;
	int ret;

	if (held == to || w->fresh)
		return 0;
	if (memchr_inv(mem, 0, size)) {
		if (held && held->ref && held->ref->pointers)
			return kstate_occupied(w, op, -1,
					       "zeros in the object, or the arm of the record",
					       held->name);
	} else if (!init) {
		return 0;
	}
	/* Zeros, too, if only to have them back when what .init writes is undone */
	ret = kstate_restore_zero(w, mem, size);
	if (ret)
		return ret;
	w->blank = true;
	if (!init)
		return 0;
	return kstate_log_put(w, (struct kstate_log_entry){
		.what = LOG_INIT, .dst = mem, .val = to - op->to, .op = op });
}

static int restore_union(struct kstate_restore_ctx *w, const struct kstate_op *op,
			 const struct kstate_span *span, void *mem)
{
	const struct kstate_arm_plan *arm = &op->arms[span->n - 1];
	struct kstate_op at = { .path = op->path, .sub = arm->plan };
	const struct kstate_schema_field *to = op->to + 1;
	bool was_blank = w->blank;
	int ret = 0;

	if (!arm->plan) {
		ret = kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
				  "an arm that the reader has\n%s", arm->name);
		return ret;
	}
	if (!w->remote) {
		while (to->dflt != arm->tag)
			to++;
		ret = change_arm(w, op, to, mem);
	}
	ret = ret ?: kstate_restore_at(w, &at, -1, span->chunk, mem, w->fresh);
	w->blank = was_blank;
	return ret;
}

/* Functions of the description */

typedef int (*fill_fn)(struct kstate_restore_ctx *w, const struct kstate_op *op, void *copy,
		       void *arg);

/* Give a function of the description a zeroed copy of its member to fill */
static int fill_copy(struct kstate_restore_ctx *w, const struct kstate_op *op, u32 size, void *mem,
		     fill_fn fill, void *arg)
{
	struct kstate_frame frame = { .up = w->where.frame, .path = op->path, .index = -1 };
	const struct kstate_field *field = op->to->bind;
	struct kstate_error *err = w->where.err;
	void *copy;
	int ret;

	copy = kvzalloc(size, GFP_KERNEL);
	if (!copy)
		return no_memory(w, op);
	w->where.frame = &frame;
	ret = min(fill(w, op, copy, arg), 0);
	if (ret)
		kstate_fail(&w->where, NULL, KSTATE_CALLBACK, ret,
			    "a value from the function of the field\nerror %d", ret);
	else if (err && err->code && err->reason == KSTATE_BAD_CALL)
		ret = err->code;
	else if (err)
		/* What the function has coped with is not an error */
		err->code = 0;
	w->where.frame = frame.up;
	if (!ret) {
		struct kstate_log_entry entry = { .what = LOG_COPY, .dst = mem, .src = copy,
					   .size = size, .op = op };

		ret = kstate_log_put(w, entry);
		if (!ret)
			return 0;
		if (field->discard)
			field->discard(copy, field);
	}
	kvfree(copy);
	return ret;
}

static int fill_items(struct kstate_restore_ctx *w, const struct kstate_op *op, void *copy,
		      void *arg)
{
	const struct kstate_field *field = op->to->bind;
	int ret;

	w->nr_groups = 0;
	w->in_callback = true;
	ret = field->restore(w->stream, copy, field);
	w->in_callback = false;
	if (!ret && (w->items.pos != w->items.end || w->nr_groups)) {
		if (field->discard)
			field->discard(copy, field);
		ret = kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE,
				  "a function that takes all items\n%zu bytes left",
				  (size_t)(w->items.end - w->items.pos));
	}
	return ret;
}

static int restore_items(struct kstate_restore_ctx *w, const struct kstate_op *op,
			 const struct kstate_span *span, void *mem)
{
	if (w->remote)
		return 0;
	w->items = (struct kstate_cursor){ .pos = span->chunk, .end = span->chunk + span->n };
	return fill_copy(w, op, op->to->bind->size, mem, fill_items, NULL);
}

/* The function's value would take the place of a pointer that the object has */
static int check_free(struct kstate_restore_ctx *w, const struct kstate_op *op, void *mem)
{
	bool pointers = op->to->container >= KS_C_OPTIONAL || op->to->type > KS_BOOL;

	if (op->to->type == KS_CHAR || op->to->type == KS_T_BITMAP)
		pointers = op->to->bind->modifiers & KS_POINTER;
	if (op->to->type == KS_T_STRUCT && op->to->container <= KS_C_ARRAY)
		pointers = op->to->ref->pointers;
	if (op->to->container == KS_C_SEQUENCE && !(op->to->bind->modifiers & KS_POINTER))
		pointers = op->to->ref && op->to->ref->pointers;
	if (w->fresh || w->blank || !pointers || !memchr_inv(mem, 0, op->count))
		return 0;
	return kstate_occupied(w, op, -1, "NULL in the object", "a pointer");
}

static int fill_absent(struct kstate_restore_ctx *w, const struct kstate_op *op, void *copy,
		       void *arg)
{
	return op->to->bind->absent(copy, op->to->bind);
}

static int restore_absent(struct kstate_restore_ctx *w, const struct kstate_op *op, void *mem)
{
	return check_free(w, op, mem) ?: fill_copy(w, op, op->count, mem, fill_absent, NULL);
}

static int fill_converted(struct kstate_restore_ctx *w, const struct kstate_op *op, void *copy,
			  void *arg)
{
	return op->to->bind->convert(copy, arg, op->to->bind);
}

/* Go past the writer's field; once all is done, what it hands over is freed */
static int restore_drop(struct kstate_restore_ctx *w, const struct kstate_op *op, u8 *wire,
			u32 first, enum kstate_drop how)
{
	struct kstate_visit visit = { .is_default = true };
	struct kstate_log_entry entry = {
		.what = LOG_DROP, .src = wire, .dst = w->tail.pos, .val = first, .op = op,
	};
	char found[24] = "another value";

	/* A record of defaults has no tail, and nothing else to drop */
	if (w->defaults)
		return 0;
	if (kstate_wire_walk(op->schema, op->from, wire, first, first ? left_of(op) :
			     op->from->count, &w->tail, &visit))
		return kstate_damaged(w, op, "a field in the record", 0);
	if (how == KSTATE_DROP_LOSSY && !visit.is_default)
		w->verdict = max(w->verdict, KSTATE_LOSSY);
	if (how != KSTATE_DROP_STRICT || visit.is_default)
		return visit.is_default || w->remote ? 0 : kstate_log_put(w, entry);
	if (kstate_is_int(op->from->type) && op->from->container == KS_C_ONE)
		kstate_int_text(kstate_int_load(wire + op->from->offset, op->from->type),
				op->from->type, found, sizeof(found));
	return kstate_refuse_value(w, kstate_fail(&w->where, op->path, KSTATE_VALUE, -ERANGE,
			"the default in what the reader does not have\n%s", found));
}

static int restore_convert(struct kstate_restore_ctx *w, const struct kstate_op *op, u8 *wire,
			   void *mem)
{
	struct kstate_value value = { .field = op->from, .fixed = wire, .tail = w->tail };
	int ret = restore_drop(w, op, wire, 0, KSTATE_DROP_ANY);

	value.tail.end = w->tail.pos;
	if (w->remote)
		return ret;
	return ret ?: check_free(w, op, mem) ?:
	       fill_copy(w, op, op->count, mem, fill_converted, &value);
}

/* Lengths and tags */

/* What a record has for the member of a %KSTATE_OP_LENGTH */
u64 kstate_length_of(const struct kstate_op *op, const u8 *fixed)
{
	const u8 *wire = fixed + op->wire;
	const struct kstate_schema_field *from = op->from;
	const char *unknown;
	u64 val;

	/* One that has no name has been refused */
	if (op->nr_names) {
		val = kstate_int_load(wire, from->type);
		kstate_translate(op, &val, &unknown);
		return val;
	}
	if (!from)
		return op->arms ? op->arms->tag : op->to->dflt;
	if (op->arms)
		return op->arms[get_unaligned_le32(wire) - 1].tag;
	if (from->type == KS_T_PAGES)
		return le64_to_cpu(((const struct kstate_edge *)wire)->size) >> PAGE_SHIFT;
	if (!kstate_has_slot(from))
		return kstate_int_load(wire, from->type);
	return get_unaligned_le32(wire);
}

/* Without an object, a member is known by the struct of the writer and its first field */
static bool same_member(const struct kstate_restore_ctx *w, const struct kstate_op *a,
			const struct kstate_op *b)
{
	if (w->remote && (a->schema != b->schema || a->to->length != b->to->length))
		return false;
	return a->mem == b->mem;
}

static int check_length(struct kstate_restore_ctx *w, const struct kstate_op *op, u64 n,
			const void *mem)
{
	u64 held = w->remote || w->blank ? 0 : kstate_mem_load(mem, op->dst);
	struct kstate_op at = *op;
	struct kstate_path path;

	/* Its own constraints have been checked */
	if (op->owner == op->to)
		return 0;
	if (op->from && !op->arms && w->remote && n > op->to->room)
		return too_many(w, op, n);
	if (!op->arms && !kstate_int_fits(n, KS_U64, op->dst))
		return kstate_fail_int(&w->where, op, 0, "a length that its member can hold", n,
				       KS_U64);
	if (!op->owner)
		return 0;
	path = (struct kstate_path){
		.up = op->path->up, .name = op->owner->name,
		.secret = op->path->secret || op->owner->secret,
	};
	at.path = &path;
	return kstate_check_limit(&w->where, &at, op->owner, 0, n, w->remote ? NULL : &held);
}

/* One member has one value; these steps are the last ones of a plan */
static int restore_lengths(struct kstate_restore_ctx *w, const struct kstate_op *op,
			   const struct kstate_op *end, u8 *fixed, void *obj)
{
	const struct kstate_op *first = op, *other;
	u64 n;
	u8 type;
	int ret = 0;

	for (; op < end && op->code == KSTATE_OP_LENGTH && !ret; op++) {
		n = kstate_length_of(op, fixed);
		type = kstate_is_signed(op->dst) ? KS_S64 : KS_U64;
		ret = check_length(w, op, n, w->remote ? NULL : obj + op->mem);
		for (other = first; other < op && !ret; other++)
			if (same_member(w, op, other) && n != kstate_length_of(other, fixed))
				ret = kstate_fail_int(&w->where, op, 0,
						      "the value of the other field with this member",
						      n, type);
		ret = kstate_refuse_value(w, ret);
		if (!ret && !w->remote)
			ret = kstate_restore_store(w, obj + op->mem, n, kstate_size(op->dst));
	}
	return ret;
}

/* The walk */

static int restore_slot(struct kstate_restore_ctx *w, const struct kstate_op *op, u8 *wire,
			void *mem)
{
	struct kstate_span span = { };
	u32 n = get_unaligned_le32(wire);

	if (!w->defaults) {
		if (!kstate_span_of(op->schema, op->from, n, &w->tail, &span))
			return kstate_damaged(w, op, span.bad, span.found);
	} else if (op->code == KSTATE_OP_UNION) {
		span.n = 1;
		span.chunk = op->arms->bytes;
	}
	switch (op->code) {
	case KSTATE_OP_TAIL:
		return restore_tail(w, op, &span, mem);
	case KSTATE_OP_BITMAP:
		return restore_bitmap(w, op, &span, mem);
	case KSTATE_OP_UNION:
		return restore_union(w, op, &span, mem);
	case KSTATE_OP_FOLIOS:
		return restore_folios(w, op, &span, mem);
	default:
		return restore_items(w, op, &span, mem);
	}
}

static int restore_each(struct kstate_restore_ctx *w, const struct kstate_op *op, u8 *wire,
			void *mem)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < op->count && !ret; i++)
		ret = kstate_restore_at(w, op, i, wire + (size_t)i * op->wsize,
					mem + (size_t)i * op->msize, w->fresh);
	return ret;
}

static int restore_default(struct kstate_restore_ctx *w, const struct kstate_op *op, void *obj)
{
	bool was = w->defaults;
	int ret;

	w->defaults = true;
	ret = restore_plan(w, op->sub, op->bytes, obj);
	w->defaults = was;
	return ret;
}

static int restore_op(struct kstate_restore_ctx *w, const struct kstate_op *op, u8 *fixed,
		      void *obj)
{
	u8 *wire = fixed + op->wire;
	void *mem = w->remote ? NULL : obj + op->mem;

	switch (op->code) {
	case KSTATE_OP_BOOL:
		return kstate_refuse_value(w, kstate_check_bools(&w->where, op, wire));
	case KSTATE_OP_LIMIT:
		return restore_limits(w, op, wire, mem);
	case KSTATE_OP_INT:
		return restore_ints(w, op, wire, mem);
	case KSTATE_OP_NAMES:
		return restore_names(w, op, wire, mem);
	case KSTATE_OP_ADDRESS:
		return restore_address(w, op, wire, mem);
	case KSTATE_OP_EDGE:
		return restore_edges(w, op, wire, mem);
	case KSTATE_OP_EACH:
		return restore_each(w, op, wire, mem);
	case KSTATE_OP_DEFAULT:
		return restore_default(w, op, mem);
	case KSTATE_OP_ZERO:
		return kstate_restore_zero(w, mem, op->count);
	case KSTATE_OP_ABSENT:
		return restore_absent(w, op, mem);
	case KSTATE_OP_CONVERT:
		return restore_convert(w, op, wire, mem);
	case KSTATE_OP_DROP:
		return restore_drop(w, op, wire, op->mem, op->narrow);
	case KSTATE_OP_RESTORED:
		return kstate_log_put(w, (struct kstate_log_entry){
			.what = LOG_RESTORED, .dst = mem, .op = op });
	default:
		return restore_slot(w, op, wire, mem);
	}
}

/* All steps but the copies, which cannot fail */
static int restore_steps(struct kstate_restore_ctx *w, const struct kstate_plan *plan, u8 *fixed,
			 void *obj)
{
	const struct kstate_op *op = plan->ops + kstate_plan_quick(plan, fixed);
	const struct kstate_op *end = plan->ops + plan->nr;
	int ret = 0;

	for (; op < end && !ret; op++) {
		if (op->code == KSTATE_OP_LENGTH)
			return restore_lengths(w, op, end, fixed, obj);
		ret = restore_op(w, op, fixed, obj);
	}
	return ret;
}

static int log_copies(struct kstate_restore_ctx *w, const struct kstate_plan *plan, u8 *fixed,
		      void *obj)
{
	if (!plan->copies)
		return 0;
	return kstate_log_write(w, (struct kstate_log_entry){
		.what = LOG_PLAN, .dst = obj, .src = fixed, .size = plan->copied, .plan = plan });
}

static int restore_plan(struct kstate_restore_ctx *w, const struct kstate_plan *plan, u8 *fixed,
			void *obj)
{
	return restore_steps(w, plan, fixed, obj) ?: log_copies(w, plan, fixed, obj);
}

/**
 * kstate_restore_check() - find out whether a record can be restored
 * @w: the record on its way; its tail is what follows the fixed part. Afterwards
 *	kstate_restore_apply() can be called, or kstate_restore_undo()
 * @plan: the plan
 * @fixed: fixed part of the record
 * @obj: the object; it is only read. NULL if @w is remote
 *
 * Return: 0, or a negative error code.
 */
int kstate_restore_check(struct kstate_restore_ctx *w, const struct kstate_plan *plan, u8 *fixed,
			 void *obj)
{
	int ret = restore_steps(w, plan, fixed, obj);

	if (unlikely(ret))
		return ret;
	if (w->tail.pos != w->tail.end)
		return kstate_fail(&w->where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "the end of the record\n%zu more bytes",
				   (size_t)(w->tail.end - w->tail.pos));
	return log_copies(w, plan, fixed, obj);
}
