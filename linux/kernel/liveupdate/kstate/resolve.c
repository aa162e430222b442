// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writer's schema against the reader's: a plan, or the reason why not.
 */

/**
 * DOC: resolving
 *
 * The same function decides in the kernel that restores, in the kernel that
 * checks before the jump and in tools. It goes through the fields of the
 * writer in their order, because that is the order of the tail, finds for each
 * the field of the reader by name or alias, and adds steps to the plan;
 * fields that only the reader has come last. Structs inside of structs are
 * flattened, so that a run of equal fields becomes one copy.
 *
 * A field that the writer lacks is read as if it had been written with its
 * default: the plan restores it from a record of the reader's defaults.
 *
 * A schema resolved against itself gives the plan by which it is saved.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/slab.h>
#include "engine.h"

/* Head of everything that a resolution allocates */
struct chunk {
	struct list_head list;
	u64 data[];
};

/**
 * struct build - a plan while it is made
 * @res: what it belongs to
 * @remote: without the reader's object, it only checks values
 * @defaults: what is read is a record of the reader's defaults
 * @root: the reader's schema that the plan begins with
 * @bytes: the record of its defaults, once it is needed
 * @where: for messages
 * @report: called for each difference, or NULL
 * @arg: for @report
 * @ops: the steps
 * @nr: how many
 * @room: how many there is room for
 * @last_copy: index of the last copy, plus 1
 * @lengths: the plan that has the steps for lengths
 * @code: first error
 */
struct build {
	struct kstate_resolution *res;
	bool remote;
	bool defaults;
	const struct kstate_schema *root;
	u8 *bytes;
	struct kstate_where where;
	kstate_report_fn report;
	void *arg;
	struct kstate_op *ops;
	u32 nr;
	u32 room;
	u32 last_copy;
	struct build *lengths;
	int code;
};

/* A pair of fields: @w in a struct at @wire, @r in one at @mem, and at @rwire by default */
struct pair {
	const struct kstate_schema *ws;
	const struct kstate_schema *rs;
	const struct kstate_schema_field *w;
	const struct kstate_schema_field *r;
	u32 wire;
	u32 rwire;
	u32 mem;
	const struct kstate_path *path;
};

static void *build_alloc(struct build *b, size_t size)
{
	struct chunk *chunk = kvzalloc(sizeof(*chunk) + size, GFP_KERNEL);

	if (!chunk) {
		b->code = kstate_no_memory(&b->where, NULL);
		return NULL;
	}
	list_add(&chunk->list, &b->res->memory);
	return chunk->data;
}

/* Start a plan for the elements of what @b is at, which are found at @frame */
static struct build build_nested(struct build *b, const struct kstate_frame *frame)
{
	struct build nested = {
		.res = b->res, .remote = b->remote, .defaults = b->defaults, .where = b->where,
		.report = b->report, .arg = b->arg, .code = b->code,
	};

	nested.where.frame = frame;
	return nested;
}

/* Lengths and tags go last: then all that a member is to be is known */
static int op_rank(const struct kstate_op *op)
{
	return op->code == KSTATE_OP_COPY ? 0 : op->code == KSTATE_OP_LENGTH ? 2 : 1;
}

/* If saving can copy what is between the copies, too, and clear it then: see save_copies() */
static void set_solid(struct kstate_plan *plan)
{
	struct kstate_op *first = plan->ops, *end = first + plan->copies, *op;
	const struct kstate_op *other;
	u32 from;

	for (op = first + 1; op < end; op++) {
		from = op[-1].wire + op[-1].count;
		if (op->wire - from >= 8 || op->wire - op->mem != first->wire - first->mem)
			return;
		for (other = end; other < first + plan->nr; other++)
			if (other->wire >= from && other->wire < op->wire)
				return;
		op->wsize = max(op->wire, 8U) - 8;
		op->keep = ~0ULL;
		memset((u8 *)&op->keep + from - op->wsize, 0, op->wire - from);
	}
	if (end[-1].wire + end[-1].count >= 8)
		plan->solid = end[-1].wire + end[-1].count - first->wire;
}

/* The plan of @nested, for elements of @size bytes in the record */
static struct kstate_plan *build_finish(struct build *b, struct build *nested, u32 size)
{
	struct kstate_plan *plan = NULL;
	const struct kstate_op *op;
	int rank;

	if (!nested->code)
		plan = build_alloc(nested, struct_size(plan, ops, nested->nr));
	for (rank = 0; plan && rank < 3; rank++) {
		for (op = nested->ops; op < nested->ops + nested->nr; op++) {
			if (op_rank(op) != rank)
				continue;
			plan->ops[plan->nr++] = *op;
			plan->copies += !rank;
			plan->copied += rank ? 0 : op->count;
		}
	}
	if (plan && plan->copies)
		set_solid(plan);
	if (plan && plan->nr == 1 && plan->copied == size && !plan->ops->wire && !plan->ops->mem)
		plan->bytes = size;
	kvfree(nested->ops);
	b->code = nested->code;
	return plan;
}

/* Whether a step can refuse a value, or has to go past it, without an object */
static bool is_remote(const struct kstate_op *op)
{
	switch (op->code) {
	case KSTATE_OP_COPY:
	case KSTATE_OP_ADDRESS:
	case KSTATE_OP_EDGE:
	case KSTATE_OP_DEFAULT:
	case KSTATE_OP_ZERO:
	case KSTATE_OP_ABSENT:
	case KSTATE_OP_RESTORED:
		return false;
	case KSTATE_OP_INT:
		return op->narrow;
	case KSTATE_OP_EACH:
		return op->sub && op->sub->nr;
	}
	return true;
}

static void add_op(struct build *b, struct kstate_op op)
{
	u32 room = b->room ? 2 * b->room : 8;
	struct kstate_op *ops;

	if (b->code || (b->remote && !is_remote(&op)))
		return;
	if (b->nr == b->room) {
		ops = kvcalloc(room, sizeof(*ops), GFP_KERNEL);
		if (!ops) {
			b->code = kstate_no_memory(&b->where, op.path);
			return;
		}
		if (b->nr)
			memcpy(ops, b->ops, b->nr * sizeof(*ops));
		kvfree(b->ops);
		b->ops = ops;
		b->room = room;
	}
	b->ops[b->nr++] = op;
}

/* What an object holds has to be looked at before anything is written to it */
static void last_first(struct build *b)
{
	struct kstate_op op;

	if (b->code || b->remote)
		return;
	op = b->ops[b->nr - 1];
	memmove(&b->ops[1], &b->ops[0], (b->nr - 1) * sizeof(op));
	b->ops[0] = op;
	b->last_copy += !!b->last_copy;
}

/* Copies do not depend on other steps: extend the last one where possible */
static void add_copy(struct build *b, u32 wire, u32 mem, u32 bytes)
{
	struct kstate_op *last = b->last_copy ? &b->ops[b->last_copy - 1] : NULL;

	if (last && last->wire + last->count == wire && last->mem + last->count == mem) {
		last->count += bytes;
		return;
	}
	add_op(b, (struct kstate_op){
		.code = KSTATE_OP_COPY, .wire = wire, .mem = mem, .count = bytes });
	if (!b->code && !b->remote)
		b->last_copy = b->nr;
}

/* A small array of structs that are only copied goes the same way; false if it is not one */
static bool add_each_copy(struct build *b, const struct kstate_op *op)
{
	const struct kstate_plan *sub = op->sub;
	u32 i, j;

	if (sub->nr != sub->copies)
		return false;
	if (sub->bytes && sub->bytes == op->msize && op->msize == op->wsize) {
		add_copy(b, op->wire, op->mem, op->count * op->msize);
		return true;
	}
	if ((u64)op->count * sub->nr > 32)
		return false;
	for (i = 0; i < op->count; i++)
		for (j = 0; j < sub->nr; j++)
			add_copy(b, op->wire + i * op->wsize + sub->ops[j].wire,
				 op->mem + i * op->msize + sub->ops[j].mem, sub->ops[j].count);
	return true;
}

static const struct kstate_path *add_path(struct build *b, const struct kstate_path *up,
					  const char *name)
{
	struct kstate_path *path = build_alloc(b, sizeof(*path));

	if (path)
		*path = (struct kstate_path){ .up = up, .name = name };
	return path;
}

/* Reporting; buffers must not be on the stack of the functions that recurse */

static noinline_for_stack void report(struct build *b, const struct pair *p,
				      struct kstate_difference diff)
{
	const struct kstate_path *path = p->path;
	char where[sizeof(b->where.err->path)];
	enum kstate_verdict verdict = diff.verdict;

	/* Whether something is lost is seen when the value is */
	if (diff.depends == KSTATE_DEPENDS_LOSS)
		verdict = KSTATE_DEFAULTED;
	b->res->verdict = max(b->res->verdict, verdict);
	b->res->by_value |= diff.depends == KSTATE_DEPENDS_VALUE ||
			    diff.depends == KSTATE_DEPENDS_LOSS;
	if (!b->report)
		return;
	kstate_where_text(&b->where, path, where, sizeof(where));
	diff.path = where;
	diff.w = p->w;
	diff.r = p->r;
	b->report(&diff, b->arg);
}

#define REPORT(_b, _pair, _verdict, _on, _change, ...)				\
	report(_b, _pair, (struct kstate_difference){				\
		.verdict = KSTATE_##_verdict, .depends = KSTATE_DEPENDS_##_on,	\
		.what = KSTATE_CHANGE_##_change, ##__VA_ARGS__ })

/* No way: but go on, so that all differences are found */
static noinline_for_stack void block(struct build *b, const struct pair *p,
				     enum kstate_reason reason, enum kstate_change what,
				     const char *expected, const char *found)
{
	kstate_fail(&b->where, p->path, reason, -EPROTO, "%s\n%s", expected, found);
	report(b, p, (struct kstate_difference){
		.verdict = KSTATE_REFUSED, .what = what, .expected = expected, .found = found });
}

/* Integers */

enum fit { FIT_EXACT, FIT_WIDER, FIT_NARROWER, FIT_NEVER };

static bool is_scalar(const struct kstate_schema_field *f)
{
	return kstate_is_int(f->type) && f->container == KS_C_ONE;
}

/* The rules for integers: signs have room, sizes depend on the value */
static enum fit int_fit(u8 src, u8 dst)
{
	u8 ssize = kstate_size(src), dsize = kstate_size(dst);

	if (src == dst)
		return FIT_EXACT;
	if (src == KS_BOOL)
		return FIT_WIDER;
	if (kstate_is_signed(src))
		return !kstate_is_signed(dst) ? FIT_NEVER :
			dsize > ssize ? FIT_WIDER : FIT_NARROWER;
	if (dst == KS_BOOL)
		return FIT_NARROWER;
	if (kstate_is_signed(dst))
		return dsize > ssize ? FIT_WIDER : FIT_NEVER;
	return dsize > ssize ? FIT_WIDER : dsize < ssize ? FIT_NARROWER : FIT_EXACT;
}

/**
 * kstate_bound_compare() - the order of two integers, each signed or not
 * @a: one
 * @b: the other
 *
 * Return: negative, 0 or positive.
 */
int kstate_bound_compare(struct kstate_bound a, struct kstate_bound b)
{
	bool a_negative = a.is_signed && (s64)a.val < 0, b_negative = b.is_signed && (s64)b.val < 0;

	if (a_negative != b_negative)
		return a_negative ? -1 : 1;
	return a.val < b.val ? -1 : a.val > b.val;
}

static struct kstate_bound lower(struct kstate_bound a, struct kstate_bound b)
{
	return kstate_bound_compare(a, b) < 0 ? a : b;
}

/**
 * kstate_bounds() - what the values of an integer field lie between
 * @f: the field
 * @constraints: with its range and mask, which saving sees to; otherwise its type
 *	alone
 * @min: set to the smallest
 * @max: set to the largest
 */
void kstate_bounds(const struct kstate_schema_field *f, bool constraints,
		   struct kstate_bound *min, struct kstate_bound *max)
{
	bool is_signed = kstate_is_signed(f->type);
	u64 highest = ~0ULL >> (64 - 8 * kstate_size(f->type) + is_signed);

	*min = (struct kstate_bound){
		.val = is_signed ? ~0ULL << (8 * kstate_size(f->type) - 1) : 0,
		.is_signed = is_signed,
	};
	*max = (struct kstate_bound){
		.val = f->type == KS_BOOL ? 1 : highest, .is_signed = is_signed,
	};
	if (!constraints)
		return;
	if (f->flags & KSTATE_FIELD_RANGE) {
		min->val = f->min;
		max->val = f->max;
	}
	if ((f->flags & KSTATE_FIELD_MASK) && !is_signed)
		*max = lower(*max, (struct kstate_bound){ .val = f->mask });
}

/* Whether all values that @w writes lie between @min and @max */
static bool all_within(const struct kstate_schema_field *w, struct kstate_bound min,
		       struct kstate_bound max)
{
	struct kstate_bound wmin, wmax;

	kstate_bounds(w, true, &wmin, &wmax);
	return kstate_bound_compare(wmin, min) >= 0 && kstate_bound_compare(wmax, max) <= 0;
}

/* Bits that a field may have set */
static u64 possible_bits(const struct kstate_schema_field *f)
{
	struct kstate_bound min, max;
	u64 bits;

	kstate_bounds(f, true, &min, &max);
	if (min.is_signed && (s64)min.val < 0)
		return ~0ULL;
	bits = max.val ? ~0ULL >> __builtin_clzll(max.val) : 0;
	return f->flags & KSTATE_FIELD_MASK ? bits & f->mask : bits;
}

/* The reader may accept less than the writer has */
static void report_limits(struct build *b, const struct pair *p)
{
	struct kstate_bound min, max, rmin, rmax, tmin, tmax;

	if (p->r->flags & KSTATE_FIELD_RANGE) {
		kstate_bounds(p->w, true, &min, &max);
		kstate_bounds(p->r, false, &tmin, &tmax);
		rmin = (struct kstate_bound){ p->r->min, kstate_is_signed(p->r->type) };
		rmax = (struct kstate_bound){ p->r->max, kstate_is_signed(p->r->type) };
		/* What the type of the reader has no room for is another difference */
		if (kstate_bound_compare(min, tmin) < 0)
			min = tmin;
		if (kstate_bound_compare(lower(max, tmax), rmax) > 0 ||
		    kstate_bound_compare(min, rmin) < 0)
			REPORT(b, p, EXACT, VALUE, RANGE);
	}
	if ((p->r->flags & KSTATE_FIELD_MASK) && (possible_bits(p->w) & ~p->r->mask))
		REPORT(b, p, EXACT, VALUE, MASK);
	if ((p->r->flags & KSTATE_FIELD_EQUAL) && !(p->w->flags & KSTATE_FIELD_EQUAL))
		REPORT(b, p, EXACT, OBJECT, EQUAL);
}

/* The value of the same name here */
static const struct kstate_schema_hint *same_name(const struct pair *p, const char *name)
{
	const struct kstate_schema_hint *h;
	u32 pos = 0;

	while ((h = kstate_schema_name(p->rs, p->r, &pos)))
		if (!strcmp(h->name, name))
			break;
	return h;
}

/* Whether a value or bits of the writer have another name here */
static bool is_other_name(const struct pair *p, u64 value)
{
	const struct kstate_schema_hint *h;
	u32 pos = 0;

	if (p->r->enumerated)
		return true;
	while ((h = kstate_schema_name(p->rs, p->r, &pos)))
		if (h->value & value)
			return true;
	return false;
}

/* Values go by their names: translate those that have other values here */
static bool map_names(struct build *b, const struct pair *p, struct kstate_op *op)
{
	const struct kstate_schema_hint *h, *here;
	struct kstate_name_map *names;
	u64 unnamed = possible_bits(p->w);
	bool moved = false;
	u32 pos = 0, nr = 0;

	if (!p->w->names || !p->r->names || p->w->enumerated != p->r->enumerated ||
	    p->w == p->r)
		return false;
	for (; (h = kstate_schema_name(p->ws, p->w, &pos)); nr++)
		unnamed &= ~h->value;
	names = build_alloc(b, nr * sizeof(*names));
	if (!names)
		return false;
	for (pos = 0, nr = 0; (h = kstate_schema_name(p->ws, p->w, &pos));) {
		here = same_name(p, h->name);
		if (!here && !is_other_name(p, h->value))
			continue;
		names[nr++] = (struct kstate_name_map){
			.name = h->name, .from = h->value, .to = here ? here->value : 0,
			.known = here,
		};
		if (!here)
			REPORT(b, p, EXACT, VALUE, NAME_GONE, .name = h->name);
		moved |= !here || here->value != h->value;
		/* What has no name there may mean anything */
		if (here && here->value != h->value &&
		    (p->r->enumerated || (unnamed & here->value)))
			REPORT(b, p, CONVERTED, VALUE, NAMES, .name = h->name);
		else if (here && here->value != h->value)
			REPORT(b, p, CONVERTED, NOT, NAMES, .name = h->name);
	}
	op->code = KSTATE_OP_NAMES;
	op->names = names;
	op->nr_names = nr;
	return moved;
}

/* @op.count integers, with the reader's constraints */
static bool map_ints(struct build *b, const struct pair *p, struct kstate_op op)
{
	enum fit fit = int_fit(op.src, op.dst);
	u32 size = kstate_size(op.src);
	struct kstate_bound min, max;

	if (fit == FIT_NEVER)
		return false;
	kstate_bounds(p->r, false, &min, &max);
	if (fit == FIT_NARROWER && !all_within(p->w, min, max))
		REPORT(b, p, CONVERTED, VALUE, NARROWED);
	else if (fit == FIT_NARROWER)
		REPORT(b, p, CONVERTED, NOT, NARROWED);
	else if (op.src != op.dst)
		REPORT(b, p, CONVERTED, NOT, TYPE);
	report_limits(b, p);
	if (map_names(b, p, &op)) {
		add_op(b, op);
		return true;
	}

	op.code = KSTATE_OP_INT;
	op.narrow = fit == FIT_NARROWER;
	if (fit == FIT_EXACT && (size == 1 || !IS_ENABLED(CONFIG_CPU_BIG_ENDIAN)))
		add_copy(b, op.wire, op.mem, op.count * size);
	else
		add_op(b, op);
	/* Its own default has been checked with the description */
	if (b->defaults && p->w == p->r)
		return true;
	op.code = KSTATE_OP_BOOL;
	if (op.src == KS_BOOL)
		add_op(b, op);
	op.code = KSTATE_OP_LIMIT;
	if (p->r->flags & (KSTATE_FIELD_RANGE | KSTATE_FIELD_MASK | KSTATE_FIELD_EQUAL))
		add_op(b, op);
	if (p->r->flags & KSTATE_FIELD_EQUAL)
		last_first(b);
	return true;
}

/* Fields that both have */

static struct kstate_op pair_op(const struct pair *p, u8 code)
{
	return (struct kstate_op){
		.code = code, .schema = p->ws, .from = p->w, .to = p->r, .path = p->path,
		.wire = p->w ? p->wire + p->w->offset : 0,
		.mem = p->mem + (p->r && p->r->bind ? p->r->bind->offset : 0),
		.wsize = p->w ? p->w->size : 0,
		.msize = p->r && p->r->bind ? p->r->bind->size : 0,
		.src = p->w ? p->w->type : 0,
		.dst = p->r ? p->r->type : 0,
		.count = 1,
	};
}

static void resolve_struct(struct build *b, struct pair outer);
static void map_default(struct build *b, struct pair p);

/* Fields of a struct that is a pair itself, at @wire and @mem */
static struct pair inner(const struct kstate_schema *w, const struct kstate_schema *r, u32 wire,
			 u32 rwire, u32 mem, const struct kstate_path *path)
{
	return (struct pair){ .ws = w, .rs = r, .wire = wire, .rwire = rwire, .mem = mem,
			      .path = path };
}

/* A plan for the structs @w and @r, which begin where their elements do */
static struct kstate_plan *map_struct(struct build *b, const struct pair *p,
				      const struct kstate_schema *w, const struct kstate_schema *r,
				      const char *name)
{
	struct kstate_frame frame = { .up = b->where.frame, .path = p->path, .index = -1 };
	struct build nested = build_nested(b, &frame);

	nested.root = r;
	resolve_struct(&nested, inner(w, r, 0, 0, 0, name ? add_path(&nested, NULL, name) : NULL));
	return build_finish(b, &nested, w->size);
}

static noinline_for_stack void set_length(struct build *b, const struct pair *p,
					  struct kstate_arm_plan *arms)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_LENGTH);
	const struct kstate_schema_field *first = &p->rs->fields[p->r->length - 1], *f;
	struct build *to = b->lengths ?: b;

	op.owner = NULL;
	for (f = first; p->r->length && f < p->rs->fields + p->rs->nr_fields; f++)
		if (f->length == p->r->length && is_scalar(f) && !op.owner)
			op.owner = f;
	op.arms = arms;
	if (b->defaults)
		op.from = NULL;
	if (b->remote) {
		/* Which member it is, if not where */
		op.schema = p->rs;
		op.mem = p->rwire;
		op.dst = op.owner ? op.owner->type : KS_U64;
		if (p->r->length)
			add_op(to, op);
	} else if (p->r->bind->length.type) {
		op.mem = p->mem + p->r->bind->length.offset;
		op.dst = p->r->bind->length.type;
		add_op(to, op);
	} else if (p->r->length) {
		add_op(to, op);
	}
}

/* Both are there, @op.count times, without tails around them */
static bool map_elements(struct build *b, const struct pair *p, struct kstate_op op)
{
	if (kstate_is_int(p->w->type))
		return kstate_is_int(p->r->type) && map_ints(b, p, op);
	if (p->w->type != p->r->type)
		return false;

	switch (p->w->type) {
	case KS_T_STRUCT:
		if (p->w->container == KS_C_ONE) {
			resolve_struct(b, inner(p->w->ref, p->r->ref, op.wire,
						p->rwire + p->r->offset, op.mem, p->path));
			return true;
		}
		op.sub = map_struct(b, p, p->w->ref, p->r->ref, NULL);
		op.code = KSTATE_OP_EACH;
		if (!op.sub || !add_each_copy(b, &op))
			add_op(b, op);
		return true;
	case KS_T_LINEAR:
	case KS_T_VMEMMAP:
		op.code = KSTATE_OP_ADDRESS;
		break;
	default:
		op.code = KSTATE_OP_EDGE;
	}
	add_op(b, op);
	return true;
}

static bool map_array(struct build *b, const struct pair *p)
{
	struct kstate_op op = pair_op(p, 0);
	u32 wn = p->w->count, rn = p->r->count;

	op.count = min(wn, rn);
	if (!map_elements(b, p, op))
		return false;
	if (wn < rn && !(p->r->flags & KSTATE_FIELD_DEFAULT)) {
		block(b, p, KSTATE_BLOCKED, KSTATE_CHANGE_GREW,
		      "a default for elements that the writer lacks", "none");
	} else if (wn < rn) {
		REPORT(b, p, DEFAULTED, NOT, GREW);
	} else if (wn > rn) {
		REPORT(b, p, DEFAULTED, VALUE, SHRANK);
		op.code = KSTATE_OP_DROP;
		op.narrow = KSTATE_DROP_STRICT;
		op.wire = p->wire;
		op.mem = rn;
		op.count = wn - rn;
		add_op(b, op);
	}
	return true;
}

static const struct kstate_schema_field *find_arm(const struct kstate_schema_field *f,
						  const char *name)
{
	for (f++; f->type == KS_T_ARM; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

/* The record that an absent struct stands for: each field has its default */
static void fill_defaults(const struct kstate_schema *schema, u8 *bytes)
{
	const struct kstate_schema_field *f;
	u32 i;

	for (f = schema->fields; f < schema->fields + schema->nr_fields; f++) {
		u8 *p = bytes + f->offset;

		if (!kstate_has_data(f))
			continue;
		if (f->type == KS_T_UNION)
			put_unaligned_le32(1, p);
		if (kstate_has_slot(f))
			continue;
		for (i = 0; i < f->count; i++, p += f->size) {
			if (f->type == KS_T_STRUCT)
				fill_defaults(f->ref, p);
			else if (kstate_is_int(f->type))
				kstate_int_store(p, f->type, f->dflt);
			else if (!kstate_is_edge(f->type))
				put_unaligned_le64(~0ULL, p);
		}
	}
}

static u8 *defaults_of(struct build *b, const struct kstate_schema *schema)
{
	u8 *bytes = build_alloc(b, ALIGN(schema->size, 8));

	if (bytes)
		fill_defaults(schema, bytes);
	return bytes;
}

static void map_arm(struct build *b, const struct pair *p, const struct kstate_schema_field *w,
		    struct kstate_arm_plan *arm)
{
	const struct kstate_schema_field *r = find_arm(p->r, w->name);
	struct pair at = *p;
	struct build nested;

	arm->name = w->name;
	if (!r) {
		REPORT(b, p, CONVERTED, VALUE, ARM_GONE, .name = w->name);
		return;
	}
	arm->tag = r->dflt;
	if (!w->ref != !r->ref) {
		at.path = add_path(b, p->path, w->name);
		block(b, &at, KSTATE_BLOCKED, KSTATE_CHANGE_ARM_DATA,
		      r->ref ? "an arm with a struct" : "an arm without a struct",
		      w->ref ? "one with a struct" : "one without");
		return;
	}
	if (w->ref) {
		arm->plan = map_struct(b, p, w->ref, r->ref, w->name);
		if (b->defaults)
			arm->bytes = defaults_of(b, w->ref);
		return;
	}
	nested = build_nested(b, b->where.frame);
	add_op(&nested, (struct kstate_op){
		.code = KSTATE_OP_ZERO, .path = p->path,
		.count = p->r->bind ? p->r->bind->size : 0 });
	arm->plan = build_finish(b, &nested, 0);
}

static bool map_union(struct build *b, const struct pair *p)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_UNION);
	const struct kstate_schema_field *w;

	/* Of a default, only the first arm matters */
	op.count = 0;
	for (w = p->w + 1; w->type == KS_T_ARM && !(b->defaults && op.count); w++)
		op.count++;
	op.arms = build_alloc(b, max(op.count, 1U) * sizeof(*op.arms));
	if (!op.arms)
		return true;
	for (w = p->w + 1; w <= p->w + op.count; w++)
		map_arm(b, p, w, &op.arms[w - p->w - 1]);
	if (op.count && p->r[1].type == KS_T_ARM && strcmp(p->w[1].name, p->r[1].name))
		REPORT(b, p, EXACT, NOT, FIRST_ARM, .name = p->r[1].name);
	add_op(b, op);
	set_length(b, p, op.arms);
	return true;
}

/* Room that the reader's struct has for elements or bits, and what they make up */
static void report_room(struct build *b, const struct pair *p)
{
	if (p->r->room < p->w->room)
		REPORT(b, p, EXACT, VALUE, ROOM);
	if (p->r->text && !p->w->text)
		REPORT(b, p, EXACT, VALUE, TEXT);
}

/* What to do with the reader's fields of a group that the writer left out */
static struct kstate_default *map_no_group(struct build *b, const struct pair *p)
{
	struct kstate_default *none = build_alloc(b, sizeof(*none));
	struct kstate_frame frame = { .up = b->where.frame, .path = p->path, .index = -1 };
	struct build nested = build_nested(b, &frame);

	if (!none)
		return NULL;
	nested.defaults = true;
	/* What differs has been said when the group was mapped as it is when it is there */
	nested.report = NULL;
	nested.where.err = NULL;
	nested.root = p->r->ref;
	resolve_struct(&nested, inner(p->w->ref, p->r->ref, 0, 0, 0, NULL));
	none->plan = build_finish(b, &nested, 0);
	if (b->code)
		kstate_no_memory(&b->where, p->path);
	none->bytes = defaults_of(b, p->w->ref);
	return none;
}

/* Elements are in the tail: @op.sub is for one of them */
static bool map_tail(struct build *b, const struct pair *p)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_TAIL);
	struct kstate_frame frame = { .up = b->where.frame, .path = p->path, .index = -1 };
	struct pair element = *p;
	struct kstate_op one = op;
	struct build nested;
	bool fits = true;

	if (!p->w->ref != !p->r->ref)
		return false;
	if (b->defaults) {
		/* There are none */
	} else if (p->w->ref) {
		op.sub = map_struct(b, p, p->w->ref, p->r->ref, NULL);
	} else {
		nested = build_nested(b, &frame);
		element.path = NULL;
		one.wire = 0;
		one.mem = 0;
		one.path = NULL;
		fits = map_elements(&nested, &element, one);
		op.sub = build_finish(b, &nested, p->w->size);
	}
	if (!fits)
		return false;
	if (p->r->group) {
		op.mem = p->mem;
		op.none = map_no_group(b, p);
	}
	report_room(b, p);
	add_op(b, op);
	set_length(b, p, NULL);
	return true;
}

static void report_default(struct build *b, const struct pair *p)
{
	if ((p->w->flags & p->r->flags & KSTATE_FIELD_DEFAULT) && p->w->dflt != p->r->dflt)
		REPORT(b, p, EXACT, NOT, DEFAULT);
}

static bool map_field(struct build *b, const struct pair *p)
{
	if (p->w->container != p->r->container)
		return false;
	if (p->w->container >= KS_C_OPTIONAL)
		return map_tail(b, p);
	if (p->w->container == KS_C_ARRAY && p->w->type < KS_T_BITMAP && p->r->type < KS_T_BITMAP)
		return map_array(b, p);
	if (p->w->type < KS_T_BITMAP && p->r->type < KS_T_BITMAP) {
		if (!map_elements(b, p, pair_op(p, 0)))
			return false;
		if (p->w->type == KS_T_PAGES)
			report_room(b, p);
		if (is_scalar(p->r) ? p->r->length : p->r->type == KS_T_PAGES)
			set_length(b, p, NULL);
		return true;
	}
	if (p->w->type != p->r->type)
		return false;
	if (p->w->type == KS_T_UNION)
		return map_union(b, p);
	report_room(b, p);
	if (p->w->type == KS_T_ITEMS && b->defaults)
		add_op(b, (struct kstate_op){
			.code = KSTATE_OP_ZERO, .path = p->path, .to = p->r,
			.mem = p->mem + (p->r->bind ? p->r->bind->offset : 0),
			.count = p->r->bind ? p->r->bind->size : 0 });
	else
		add_op(b, pair_op(p, p->w->type == KS_T_BITMAP ? KSTATE_OP_BITMAP :
				     p->w->type == KS_T_FOLIOS ? KSTATE_OP_FOLIOS :
								 KSTATE_OP_ITEMS));
	if (p->w->type == KS_T_FOLIOS)
		set_length(b, p, NULL);
	return true;
}

/* Fields that only the writer has */

/* The reader's word that a field once was; not that another one has its name now */
static const struct kstate_schema_field *find_removed(const struct pair *p)
{
	const struct kstate_schema_field *r = p->rs->fields;

	for (; r < p->rs->fields + p->rs->nr_fields; r++)
		if (r->type == KS_T_REMOVED && !strcmp(r->name, p->w->name))
			return r;
	return NULL;
}

static bool is_what_was(const struct kstate_schema_field *w, const struct kstate_schema_field *r)
{
	u8 type = kstate_was_type(r), container = r->min >> 8;

	if (!type)
		return true;
	if (w->container != container || !kstate_is_int(w->type))
		return false;
	/* It may have been narrower in its time */
	return int_fit(w->type, type) <= FIT_WIDER;
}

static void map_unknown(struct build *b, const struct pair *p)
{
	const struct kstate_schema_field *removed = find_removed(p);
	struct kstate_op op = pair_op(p, KSTATE_OP_DROP);
	char expected[48], found[48];

	op.wire = p->wire;
	op.mem = 0;
	op.count = p->w->count;
	op.narrow = KSTATE_DROP_LOSSY;
	if (removed && !is_what_was(p->w, removed)) {
		snprintf(expected, sizeof(expected), "the %s that was removed",
			 kstate_type_name(kstate_was_type(removed)));
		block(b, p, KSTATE_BLOCKED, KSTATE_CHANGE_REMOVED_REUSED, expected,
		      kstate_field_text(p->w, found, sizeof(found)));
	} else if (removed) {
		REPORT(b, p, LOSSY, LOSS, REMOVED);
	} else if (p->w->flags & KSTATE_FIELD_IGNORABLE) {
		REPORT(b, p, LOSSY, LOSS, IGNORED);
	} else if (p->w->flags & KSTATE_FIELD_DEFAULT) {
		REPORT(b, p, DEFAULTED, VALUE, UNKNOWN);
		op.narrow = KSTATE_DROP_STRICT;
	} else {
		block(b, p, KSTATE_BLOCKED, KSTATE_CHANGE_UNKNOWN,
		      "only fields that the reader knows", "one without a default");
	}
	add_op(b, op);
}

/* Fields that only the reader has, and the rest of arrays that grew */

static void map_hook(struct build *b, const struct pair *p)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_ABSENT);

	op.from = NULL;
	op.count = p->r->bind ? kstate_member_bytes(p->r->bind) : 0;
	add_op(b, op);
}

/* The fields of a group that is not there */
static void map_group_default(struct build *b, const struct pair *p)
{
	struct kstate_default *none = map_no_group(b, p);

	if (none)
		add_op(b, (struct kstate_op){
			.code = KSTATE_OP_DEFAULT, .mem = p->mem, .sub = none->plan,
			.bytes = none->bytes, .path = p->path });
}

/* Restore a field from the record of defaults */
static void map_default(struct build *b, struct pair p)
{
	p.ws = p.rs;
	p.w = p.r;
	p.wire = p.rwire;
	if (p.r->flags & KSTATE_FIELD_HOOK)
		map_hook(b, &p);
	else if (p.r->group)
		map_group_default(b, &p);
	else
		map_field(b, &p);
}

/* The rest of an array, from the record of defaults */
static void map_rest(struct build *b, struct pair p, u32 first)
{
	struct kstate_op op;

	p.ws = p.rs;
	p.w = p.r;
	p.wire = p.rwire;
	op = pair_op(&p, 0);
	op.wire += first * op.wsize;
	op.mem += first * op.msize;
	op.count = p.r->count - first;
	map_elements(b, &p, op);
}

/* Whether another field that the writer has gives the reader's member @r its value */
static const struct kstate_schema_field *length_from(const struct pair *p,
						     const struct kstate_schema_field **match)
{
	u32 i;

	for (i = 0; p->r->length && i < p->ws->nr_fields; i++)
		if (match[i] && match[i] != p->r && match[i]->length == p->r->length &&
		    !is_scalar(match[i]))
			return match[i];
	return NULL;
}

static void map_absent(struct build *b, struct build *defaults, const struct pair *p,
		       const struct kstate_schema_field **match)
{
	const struct kstate_schema_field *from = NULL;

	if (is_scalar(p->r))
		from = length_from(p, match);
	if (from) {
		/* The member is set with the length or the tag, within these constraints */
		if (p->r->flags & (KSTATE_FIELD_RANGE | KSTATE_FIELD_MASK))
			REPORT(b, p, EXACT, VALUE, FROM_LENGTH, .name = from->name);
		else
			REPORT(b, p, EXACT, NOT, FROM_LENGTH, .name = from->name);
		return;
	}
	if (!(p->r->flags & (KSTATE_FIELD_DEFAULT | KSTATE_FIELD_HOOK))) {
		block(b, p, KSTATE_BLOCKED, KSTATE_CHANGE_REQUIRED, "a field that is required",
		      "none");
		return;
	}
	if (p->r->flags & KSTATE_FIELD_HOOK)
		REPORT(b, p, DEFAULTED, FUNCTION, ABSENT_HOOK);
	else
		REPORT(b, p, DEFAULTED, NOT, ABSENT);
	map_default(defaults, *p);
}

static void map_convert(struct build *b, const struct pair *p)
{
	char expected[48], found[48];
	struct kstate_op op = pair_op(p, KSTATE_OP_CONVERT);

	kstate_field_text(p->r, expected, sizeof(expected));
	kstate_field_text(p->w, found, sizeof(found));
	if (!(p->r->flags & KSTATE_FIELD_CONVERT)) {
		block(b, p, KSTATE_BLOCKED, KSTATE_CHANGE_NO_WAY, expected, found);
		return;
	}
	REPORT(b, p, CONVERTED, FUNCTION, CONVERT);
	op.count = p->r->bind ? kstate_member_bytes(p->r->bind) : 0;
	op.wire = p->wire;
	add_op(b, op);
}

/* Matching */

static const struct kstate_schema_field *find(const struct kstate_schema *schema,
					      const char *name)
{
	u32 i;

	for (i = 0; i < schema->nr_fields; i++)
		if (kstate_has_data(&schema->fields[i]) && !strcmp(schema->fields[i].name, name))
			return &schema->fields[i];
	return NULL;
}

static bool is_matched(const struct kstate_schema_field *r,
		       const struct kstate_schema_field **match, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (match[i] == r)
			return true;
	return false;
}

/*
 * Fill @match, the reader's field for each of the writer's: names go before the
 * reader's aliases, these before the writer's, and a field is taken only once.
 */
static void match_fields(const struct kstate_schema *w, const struct kstate_schema *r,
			 const struct kstate_schema_field **match)
{
	const struct kstate_schema_field *f, *field = NULL;
	u32 i;

	for (i = 0; i < r->nr_fields; i++) {
		if (!kstate_has_data(&r->fields[i]))
			continue;
		f = find(w, r->fields[i].name);
		if (f)
			match[f - w->fields] = &r->fields[i];
	}
	for (i = 0; i < r->nr_fields; i++) {
		if (kstate_has_data(&r->fields[i]))
			field = find(w, r->fields[i].name) ? NULL : &r->fields[i];
		if (r->fields[i].type != KS_T_ALIAS || !field)
			continue;
		f = find(w, r->fields[i].name);
		if (f && !match[f - w->fields]) {
			match[f - w->fields] = field;
			field = NULL;
		}
	}
	/* The writer may have renamed what the reader knows by its old name */
	for (i = 0; i < w->nr_fields; i++) {
		if (kstate_has_data(&w->fields[i]))
			field = match[i] ? NULL : &w->fields[i];
		if (w->fields[i].type != KS_T_ALIAS || !field)
			continue;
		f = find(r, w->fields[i].name);
		if (f && !is_matched(f, match, w->nr_fields)) {
			match[field - w->fields] = f;
			field = NULL;
		}
	}
}

/* The writer's field that @r was matched with, or NULL */
static const struct kstate_schema_field *match_of(const struct pair *p,
						  const struct kstate_schema_field **match,
						  const struct kstate_schema_field *r)
{
	u32 i;

	for (i = 0; i < p->ws->nr_fields; i++)
		if (match[i] == r)
			return &p->ws->fields[i];
	return NULL;
}

/* The tag of the reader for a tag of the writer; false if the arm is in one only */
static bool same_tag(const struct kstate_schema_field *w, const struct kstate_schema_field *r,
		     u64 *tag)
{
	const struct kstate_schema_field *arm;

	if (w->type != KS_T_UNION)
		return true;
	for (w++; w->type == KS_T_ARM; w++) {
		if (w->dflt != *tag)
			continue;
		arm = find_arm(r, w->name);
		if (arm)
			*tag = arm->dflt;
		return arm;
	}
	return false;
}

/* Two fields with one tag agree about each arm of the first union among them */
static bool tags_agree(const struct kstate_schema_field *w, const struct kstate_schema_field *r,
		       const struct kstate_schema_field *wother,
		       const struct kstate_schema_field *rother)
{
	const struct kstate_schema_field *arm;
	u64 tag, other;

	if (w->type != KS_T_UNION) {
		swap(w, wother);
		swap(r, rother);
	}
	for (arm = w + 1; w->type == KS_T_UNION && arm->type == KS_T_ARM; arm++) {
		tag = arm->dflt;
		other = arm->dflt;
		if (same_tag(w, r, &tag) && same_tag(wother, rother, &other) && tag != other)
			return false;
	}
	return true;
}

/* Fields of the reader with the same member for their lengths or tags must agree */
static void report_lengths(struct build *b, const struct pair *outer,
			   const struct kstate_schema_field **match)
{
	const struct kstate_schema_field *r = outer->rs->fields, *first, *w, *wfirst;
	struct pair p = *outer;

	for (; r < outer->rs->fields + outer->rs->nr_fields; r++) {
		if (!r->length || r == &outer->rs->fields[r->length - 1])
			continue;
		first = &outer->rs->fields[r->length - 1];
		w = match_of(outer, match, r);
		wfirst = match_of(outer, match, first);
		/* What the writer lacks is empty, but an integer has the length of the others */
		if ((!w && !wfirst) || (!w && is_scalar(r)) || (!wfirst && is_scalar(first)))
			continue;
		if (w && wfirst && w->length && w->length == wfirst->length &&
		    tags_agree(wfirst, first, w, r))
			continue;
		p.path = add_path(b, outer->path, r->name);
		p.r = r;
		p.w = w;
		REPORT(b, &p, EXACT, VALUE, LENGTH, .name = first->name);
	}
}

static noinline_for_stack void check_versions(struct build *b, const struct pair *p)
{
	const struct kstate_schema *w = p->ws, *r = p->rs;
	char expected[48], found[48];

	if (w->version >= r->min_version && r->version >= w->min_version)
		return;
	snprintf(expected, sizeof(expected), "version %u to %u", r->min_version, r->version);
	snprintf(found, sizeof(found), "version %u to %u", w->min_version, w->version);
	block(b, p, KSTATE_VERSION, KSTATE_CHANGE_VERSION, expected, found);
}

/* A record of defaults has what a function of the reader decides about, too */
static void map_writers(struct build *b, const struct pair *p)
{
	if (!p->r) {
		if (!b->defaults)
			map_unknown(b, p);
		return;
	}
	if (b->defaults && (p->r->flags & KSTATE_FIELD_HOOK)) {
		map_hook(b, p);
		return;
	}
	if (strcmp(p->w->name, p->r->name))
		REPORT(b, p, EXACT, NOT, RENAMED);
	report_default(b, p);
	if (b->defaults && p->r->group && p->w->container == KS_C_OPTIONAL && p->w->ref) {
		map_group_default(b, p);
		return;
	}
	if (!map_field(b, p))
		map_convert(b, p);
}

/* All fields of a struct; @outer has the schemas and places, and the path */
static void resolve_struct(struct build *b, struct pair outer)
{
	const struct kstate_schema *w = outer.ws, *r = outer.rs;
	const struct kstate_schema_field **match;
	struct build defaults = build_nested(b, b->where.frame);
	struct pair p = outer;
	struct kstate_plan *plan;
	u32 i;

	check_versions(b, &outer);
	match = build_alloc(b, max(w->nr_fields, 1U) * sizeof(*match));
	if (!match)
		return;
	match_fields(w, r, match);
	/* What a function of the writer decides about is not in its record of defaults */
	for (i = 0; b->defaults && w != r && i < w->nr_fields; i++)
		if (match[i] && (w->fields[i].flags & KSTATE_FIELD_HOOK) &&
		    !(match[i]->flags & KSTATE_FIELD_HOOK))
			match[i] = NULL;

	defaults.defaults = true;
	defaults.lengths = b->lengths ?: b;
	for (i = 0; i < w->nr_fields && !b->code; i++) {
		p.w = &w->fields[i];
		p.r = match[i];
		if (!kstate_has_data(p.w))
			continue;
		p.path = add_path(b, outer.path, p.r ? p.r->name : p.w->name);
		map_writers(b, &p);
		if (p.r && p.w->container == KS_C_ARRAY && p.r->container == KS_C_ARRAY &&
		    p.w->count < p.r->count && (p.r->flags & KSTATE_FIELD_DEFAULT))
			map_rest(&defaults, p, p.w->count);
	}
	p.w = NULL;
	for (i = 0; i < r->nr_fields && !b->code; i++) {
		p.r = &r->fields[i];
		if (!kstate_has_data(p.r) || is_matched(p.r, match, w->nr_fields))
			continue;
		p.path = add_path(b, outer.path, p.r->name);
		map_absent(b, &defaults, &p, match);
	}
	b->code = b->code ?: defaults.code;
	if (!b->code)
		report_lengths(b, &outer, match);
	if (defaults.nr && !b->code) {
		b->bytes = b->bytes ?: defaults_of(b, b->root);
		plan = build_finish(b, &defaults, 0);
		add_op(b, (struct kstate_op){
			.code = KSTATE_OP_DEFAULT, .sub = plan, .bytes = b->bytes,
			.path = outer.path });
	} else {
		kvfree(defaults.ops);
	}
	if (!b->remote && r->desc->restored)
		add_op(b, (struct kstate_op){
			.code = KSTATE_OP_RESTORED, .mem = outer.mem, .desc = r->desc,
			.path = outer.path, .to = NULL });
}

/**
 * kstate_resolve() - find out how to restore what another kernel wrote
 * @writer: schema of the writer
 * @reader: schema of the reader; unless it comes from a description, the plan
 *	only serves kstate_restore_check() without an object
 * @res: the plan and the verdict; for kstate_resolution_free()
 * @where: for messages
 * @report: called for each difference, or NULL
 * @arg: for @report
 *
 * Context: allocates.
 * Return: 0, -EPROTO if something is refused whatever its value, -ENOMEM.
 */
int kstate_resolve(const struct kstate_schema *writer, const struct kstate_schema *reader,
		   struct kstate_resolution *res, const struct kstate_where *where,
		   kstate_report_fn report, void *arg)
{
	struct build b = {
		.res = res, .where = *where, .report = report, .arg = arg,
		.remote = !reader->desc, .root = reader,
	};

	*res = (struct kstate_resolution){ .fixed = ALIGN(writer->size, 8) };
	INIT_LIST_HEAD(&res->memory);
	resolve_struct(&b, (struct pair){ .ws = writer, .rs = reader });
	res->plan = build_finish(&b, &b, writer->size);
	if (b.code || res->verdict == KSTATE_REFUSED) {
		kstate_resolution_free(res);
		return b.code ?: -EPROTO;
	}
	return 0;
}

/**
 * kstate_resolution_free() - free a resolution
 * @res: the resolution; may be zero or freed before
 */
void kstate_resolution_free(struct kstate_resolution *res)
{
	struct chunk *chunk, *next;

	if (!res->memory.next)
		return;
	list_for_each_entry_safe(chunk, next, &res->memory, list)
		kvfree(chunk);
	INIT_LIST_HEAD(&res->memory);
	res->plan = NULL;
}
