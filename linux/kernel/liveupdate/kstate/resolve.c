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
 * A schema resolved against itself gives the plan by which it is saved.
 */

#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/string.h>
#include "internal.h"

/* Head of everything that a resolution allocates */
struct chunk {
	struct list_head list;
	u64 data[];
};

/* A plan while it is made; without the reader's object it only checks values */
struct build {
	struct kstate_resolution *res;
	bool remote;
	struct kstate_where where;
	kstate_report_fn report;
	void *arg;
	struct kstate_op *ops;
	u32 nr;
	u32 room;
	u32 last_copy;		/* index of the last copy, plus 1 */
	int code;		/* first error */
};

static void *build_alloc(struct build *b, size_t size)
{
	struct chunk *chunk = kstate_zalloc(sizeof(*chunk) + size);

	if (!chunk) {
		b->code = kstate_fail(&b->where, NULL, KSTATE_NO_MEMORY, -ENOMEM,
				      "memory for a plan\nnone");
		return NULL;
	}
	list_add(&chunk->list, &b->res->memory);
	return chunk->data;
}

/* Start a plan inside of @b's, whose elements are found at @frame */
static struct build build_nested(struct build *b, const struct kstate_frame *frame)
{
	struct build nested = {
		.res = b->res, .remote = b->remote, .where = b->where, .report = b->report,
		.arg = b->arg, .code = b->code,
	};

	nested.where.frame = frame;
	return nested;
}

/* Lengths and tags go last, so that no member that is also a field overrides them */
static void lengths_last(struct build *b)
{
	struct kstate_op op;
	u32 i, j, nr = b->nr;

	for (i = 0, j = 0; i < nr; i++) {
		if (b->ops[j].code != KSTATE_OP_LENGTH) {
			j++;
			continue;
		}
		op = b->ops[j];
		memmove(&b->ops[j], &b->ops[j + 1], (b->nr - j - 1) * sizeof(op));
		b->ops[b->nr - 1] = op;
	}
}

static struct kstate_plan *build_finish(struct build *b, u32 size)
{
	struct kstate_plan *plan = NULL;

	lengths_last(b);
	if (!b->code)
		plan = build_alloc(b, struct_size(plan, ops, b->nr));
	if (plan) {
		plan->nr = b->nr;
		if (b->nr)
			memcpy(plan->ops, b->ops, b->nr * sizeof(*b->ops));
		if (b->nr == 1 && b->ops->code == KSTATE_OP_COPY && !b->ops->wire &&
		    !b->ops->mem && b->ops->count == size)
			plan->bytes = size;
	}
	kstate_free(b->ops);
	return plan;
}

/* Whether a step can refuse a value, or has to go past it, without an object */
static bool is_remote(const struct kstate_op *op)
{
	switch (op->code) {
	case KSTATE_OP_COPY:
	case KSTATE_OP_FILL:
	case KSTATE_OP_ADDRESS:
	case KSTATE_OP_EDGE:
	case KSTATE_OP_ABSENT:
		return false;
	case KSTATE_OP_EACH:
		return op->sub && op->sub->nr;
	}
	return true;
}

static struct kstate_op *add_op(struct build *b, struct kstate_op op)
{
	if (b->code || (b->remote && !is_remote(&op)))
		return NULL;
	if (b->nr == b->room) {
		u32 room = b->room ? 2 * b->room : 8;
		struct kstate_op *ops = kstate_zalloc(room * sizeof(*ops));

		if (!ops) {
			b->code = kstate_fail(&b->where, op.path, KSTATE_NO_MEMORY, -ENOMEM,
					      "memory for a plan\nnone");
			return NULL;
		}
		if (b->nr)
			memcpy(ops, b->ops, b->nr * sizeof(*ops));
		kstate_free(b->ops);
		b->ops = ops;
		b->room = room;
	}
	b->ops[b->nr] = op;
	return &b->ops[b->nr++];
}

/* Copies do not depend on other steps: extend the last one where possible */
static void add_copy(struct build *b, u32 wire, u32 mem, u32 bytes)
{
	struct kstate_op *last = b->last_copy ? &b->ops[b->last_copy - 1] : NULL;
	struct kstate_op op = { .code = KSTATE_OP_COPY };

	if (last && last->wire + last->count == wire && last->mem + last->count == mem) {
		last->count += bytes;
		return;
	}
	op.wire = wire;
	op.mem = mem;
	op.count = bytes;
	if (add_op(b, op))
		b->last_copy = b->nr;
}

static const char *const int_names[] = {
	[KS_U8] = "u8", [KS_U16] = "u16", [KS_U32] = "u32", [KS_U64] = "u64",
	[KS_S8] = "s8", [KS_S16] = "s16", [KS_S32] = "s32", [KS_S64] = "s64",
	[KS_BOOL] = "bool", [KS_CHAR] = "char",
};

static const char *type_name(u8 type)
{
	switch (type) {
	case KS_T_STRUCT:
		return "struct";
	case KS_T_LINEAR:
		return "linear address";
	case KS_T_VMEMMAP:
		return "page address";
	case KS_T_FOLIO:
		return "folio";
	case KS_T_PAGES:
		return "pages";
	case KS_T_VMALLOC:
		return "vmalloc area";
	case KS_T_BITMAP:
		return "bitmap";
	case KS_T_UNION:
		return "union";
	case KS_T_ITEMS:
		return "items";
	default:
		return int_names[type];
	}
}

/* What a field is, in words: "u32[4]", "pointer to struct" */
static const char *field_name(const struct kstate_schema_field *f, char *buf, size_t size)
{
	static const char *const containers[] = {
		[KS_C_ONE] = "", [KS_C_ARRAY] = "", [KS_C_OPTIONAL] = "pointer to ",
		[KS_C_SEQUENCE] = "sequence of ", [KS_C_POINTERS] = "array of pointers to ",
		[KS_C_MAP] = "xarray of ",
	};

	if (f->container == KS_C_ARRAY)
		snprintf(buf, size, "%s[%u]", type_name(f->type), f->count);
	else
		snprintf(buf, size, "%s%s", containers[f->container], type_name(f->type));
	return buf;
}

/* Buffers must not be on the stack of those who go down into structs */
__printf(5, 6)
static noinline_for_stack void report(struct build *b, enum kstate_verdict verdict,
				      enum kstate_depends depends, const struct kstate_path *path,
				      const char *fmt, ...)
{
	char where[sizeof(b->where.err->path)], text[224];
	struct kstate_difference diff = {
		.verdict = verdict, .depends = depends, .path = where, .text = text,
	};
	va_list args;

	b->res->verdict = max(b->res->verdict, verdict);
	b->res->by_value |= depends == KSTATE_DEPENDS_VALUE;
	if (!b->report)
		return;
	kstate_where_text(&b->where, path, where, sizeof(where));
	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	b->report(&diff, b->arg);
}

/* No way: but go on, so that all differences are found */
static noinline_for_stack void block(struct build *b, const struct kstate_path *path,
				     enum kstate_reason reason, const char *expected,
				     const char *found)
{
	kstate_fail(&b->where, path, reason, -EPROTO, "%s\n%s", expected, found);
	report(b, KSTATE_REFUSED, KSTATE_DEPENDS_NOT, path, "expected %s, found %s", expected,
	       found);
}

static const struct kstate_path *add_path(struct build *b, const struct kstate_path *up,
					  const char *name)
{
	struct kstate_path *path = build_alloc(b, sizeof(*path));

	if (path)
		*path = (struct kstate_path){ .up = up, .name = name };
	return path;
}

static u32 mem_offset(const struct kstate_schema_field *f)
{
	return f->bind ? f->bind->offset : 0;
}

static u32 mem_size(const struct kstate_schema_field *f)
{
	return f->bind ? f->bind->size : 0;
}

/* Bytes of the member itself */
static u32 member_bytes(const struct kstate_schema_field *f)
{
	const struct kstate_field *field = f->bind;

	if (!field)
		return 0;
	if (field->modifiers & KS_POINTER)
		return sizeof(void *);
	if (field->modifiers & KS_ARRAY_OF_POINTER)
		return field->num * sizeof(void *);
	if (field->kind == KS_BITMAP)
		return DIV_ROUND_UP(field->num, 8 * sizeof(long)) * sizeof(long);
	return field->num * field->size;
}

/* Where a pair of fields is: @w and @r in structs that begin at @wire and @mem */
struct pair {
	const struct kstate_schema *writer;
	const struct kstate_schema_field *w;
	const struct kstate_schema_field *r;
	u32 wire;
	u32 mem;
	const struct kstate_path *path;
};

static struct kstate_op pair_op(const struct pair *p, u8 code)
{
	return (struct kstate_op){
		.code = code, .schema = p->writer, .from = p->w, .to = p->r, .path = p->path,
		.wire = p->w ? p->wire + p->w->offset : 0,
		.mem = p->r ? p->mem + mem_offset(p->r) : 0,
		.wsize = p->w ? p->w->size : 0,
		.msize = p->r ? mem_size(p->r) : 0,
		.src = p->w ? p->w->type : 0,
		.dst = p->r ? p->r->type : 0,
		.count = 1,
	};
}

static void resolve_struct(struct build *b, const struct kstate_schema *w,
			   const struct kstate_schema *r, u32 wire, u32 mem,
			   const struct kstate_path *path);
static void default_struct(struct build *b, const struct kstate_schema *r, u32 mem,
			   const struct kstate_path *path);

enum fit { FIT_EXACT, FIT_WIDER, FIT_NARROWER, FIT_NEVER };

/* The rules for integers: signs have room, sizes depend on the value */
static enum fit int_fit(u8 src, u8 dst)
{
	u8 ssize = __kstate_size(src), dsize = __kstate_size(dst);

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

/* The order of integers, each signed or not */
static int compare(u64 a, bool a_signed, u64 b, bool b_signed)
{
	bool a_negative = a_signed && (s64)a < 0, b_negative = b_signed && (s64)b < 0;

	if (a_negative != b_negative)
		return a_negative ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* An integer and its sign */
struct bound {
	u64 val;
	bool is_signed;
};

static struct bound higher(struct bound a, struct bound b)
{
	return compare(a.val, a.is_signed, b.val, b.is_signed) < 0 ? b : a;
}

static struct bound lower(struct bound a, struct bound b)
{
	return compare(a.val, a.is_signed, b.val, b.is_signed) < 0 ? a : b;
}

static bool same_bound(struct bound a, struct bound b)
{
	return !compare(a.val, a.is_signed, b.val, b.is_signed);
}

static struct bound lowest(u8 type)
{
	bool is_signed = kstate_is_signed(type);

	return (struct bound){
		.val = is_signed ? ~0ULL << (8 * __kstate_size(type) - 1) : 0,
		.is_signed = is_signed,
	};
}

static struct bound highest(u8 type)
{
	bool is_signed = kstate_is_signed(type);
	u64 val = ~0ULL >> (64 - 8 * __kstate_size(type) + is_signed);

	return (struct bound){ .val = type == KS_BOOL ? 1 : val, .is_signed = is_signed };
}

/* What the values of a field lie between: saving sees to it */
static void bounds(const struct kstate_schema_field *f, struct bound *min, struct bound *max)
{
	bool is_signed = kstate_is_signed(f->type);
	struct bound mask = { .val = f->mask };

	*min = lowest(f->type);
	*max = highest(f->type);
	if (f->flags & KSTATE_FIELD_RANGE) {
		*min = (struct bound){ .val = f->min, .is_signed = is_signed };
		*max = (struct bound){ .val = f->max, .is_signed = is_signed };
	}
	if ((f->flags & KSTATE_FIELD_MASK) && !is_signed)
		*max = lower(*max, mask);
}

static const char *bound_text(struct bound b, char *buf, size_t size)
{
	if (b.is_signed)
		snprintf(buf, size, "%lld", (s64)b.val);
	else
		snprintf(buf, size, "%llu", b.val);
	return buf;
}

static noinline_for_stack void report_narrowing(struct build *b, const struct pair *p)
{
	const char *src = type_name(p->w->type), *dst = type_name(p->r->type);
	struct bound min, max, low = lowest(p->r->type), high = highest(p->r->type);
	char least[24], most[24];

	bounds(p->w, &min, &max);
	bound_text(low, least, sizeof(least));
	bound_text(high, most, sizeof(most));
	if (same_bound(higher(min, low), min) && same_bound(lower(max, high), max))
		report(b, KSTATE_CONVERTED, KSTATE_DEPENDS_NOT, p->path,
		       "narrowed from %s to %s: the range of the writer fits", src, dst);
	else if (same_bound(higher(min, low), min))
		report(b, KSTATE_CONVERTED, KSTATE_DEPENDS_VALUE, p->path,
		       "narrowed from %s to %s: values above %s are refused", src, dst, most);
	else
		report(b, KSTATE_CONVERTED, KSTATE_DEPENDS_VALUE, p->path,
		       "narrowed from %s to %s: values below %s or above %s are refused", src, dst,
		       least, most);
}

/* Bits that a field may have set */
static u64 possible_bits(const struct kstate_schema_field *f)
{
	struct bound min, max;
	u64 bits;

	bounds(f, &min, &max);
	if (min.is_signed && (s64)min.val < 0)
		return ~0ULL;
	bits = max.val ? ~0ULL >> __builtin_clzll(max.val) : 0;
	return f->flags & KSTATE_FIELD_MASK ? bits & f->mask : bits;
}

/* The reader may accept less than the writer has */
static noinline_for_stack void report_limits(struct build *b, const struct pair *p)
{
	struct bound min, max, rmin, rmax;
	char least[24], most[24];

	if (p->r->flags & KSTATE_FIELD_RANGE) {
		bounds(p->w, &min, &max);
		/* What the type of the reader has no room for is another difference */
		min = higher(min, lowest(p->r->type));
		max = lower(max, highest(p->r->type));
		rmin = (struct bound){ p->r->min, kstate_is_signed(p->r->type) };
		rmax = (struct bound){ p->r->max, kstate_is_signed(p->r->type) };
		if (!same_bound(higher(min, rmin), min) || !same_bound(lower(max, rmax), max))
			report(b, KSTATE_EXACT, KSTATE_DEPENDS_VALUE, p->path,
			       "limited to %s to %s: other values are refused",
			       bound_text(rmin, least, sizeof(least)),
			       bound_text(rmax, most, sizeof(most)));
	}
	if ((p->r->flags & KSTATE_FIELD_MASK) && (possible_bits(p->w) & ~p->r->mask))
		report(b, KSTATE_EXACT, KSTATE_DEPENDS_VALUE, p->path,
		       "limited to the bits %#llx: others are refused", p->r->mask);
	if ((p->r->flags & KSTATE_FIELD_EQUAL) && !(p->w->flags & KSTATE_FIELD_EQUAL))
		report(b, KSTATE_EXACT, KSTATE_DEPENDS_OBJECT, p->path,
		       "must now equal what the object holds");
}

/* Room that the reader's struct has for elements or bits, and what they make up */
static noinline_for_stack void report_room(struct build *b, const struct pair *p)
{
	if (p->r->room < p->w->room && p->w->room == KSTATE_ANY_ROOM)
		report(b, KSTATE_EXACT, KSTATE_DEPENDS_VALUE, p->path,
		       "has room for %llu: more are refused", p->r->room);
	else if (p->r->room < p->w->room)
		report(b, KSTATE_EXACT, KSTATE_DEPENDS_VALUE, p->path,
		       "room shrank from %llu to %llu: more are refused", p->w->room, p->r->room);
	if (p->r->text && !p->w->text)
		report(b, KSTATE_EXACT, KSTATE_DEPENDS_VALUE, p->path,
		       "must be text that ends with a NUL");
}

/* @count integers at @op's places, with the reader's constraints */
static void take_ints(struct build *b, struct kstate_op op, enum fit fit)
{
	const struct kstate_schema_field *r = op.to;
	u32 size = __kstate_size(op.src);

	if (b->remote && fit != FIT_NARROWER) {
		/* There is nowhere to put them, and they fit */
	} else if (fit == FIT_EXACT && (size == 1 || !IS_ENABLED(CONFIG_CPU_BIG_ENDIAN))) {
		add_copy(b, op.wire, op.mem, op.count * size);
	} else {
		op.code = KSTATE_OP_INT;
		add_op(b, op);
	}
	if (op.src == KS_BOOL) {
		op.code = KSTATE_OP_BOOL;
		add_op(b, op);
	}
	if (r->flags & (KSTATE_FIELD_RANGE | KSTATE_FIELD_MASK | KSTATE_FIELD_EQUAL)) {
		op.code = KSTATE_OP_LIMIT;
		add_op(b, op);
	}
}

static bool ints_fit(struct build *b, const struct pair *p, enum fit *fit)
{
	*fit = int_fit(p->w->type, p->r->type);
	if (*fit == FIT_NEVER)
		return false;
	if (*fit == FIT_NARROWER)
		report_narrowing(b, p);
	else if (p->w->type != p->r->type)
		report(b, KSTATE_CONVERTED, KSTATE_DEPENDS_NOT, p->path, "changed from %s to %s",
		       type_name(p->w->type), type_name(p->r->type));
	report_limits(b, p);
	return true;
}

/* Both are there, @op.count times, without tails around them */
static bool take_elements(struct build *b, const struct pair *p, struct kstate_op op)
{
	struct kstate_frame frame = { .up = b->where.frame, .path = p->path, .index = -1 };
	struct build nested;
	enum fit fit;

	if (kstate_is_int(p->w->type)) {
		if (!kstate_is_int(p->r->type) || !ints_fit(b, p, &fit))
			return false;
		take_ints(b, op, fit);
		return true;
	}
	if (p->w->type != p->r->type)
		return false;

	switch (p->w->type) {
	case KS_T_STRUCT:
		if (p->w->container == KS_C_ONE) {
			resolve_struct(b, p->w->ref, p->r->ref, op.wire, op.mem, p->path);
			break;
		}
		nested = build_nested(b, &frame);
		resolve_struct(&nested, p->w->ref, p->r->ref, 0, 0, NULL);
		op.sub = build_finish(&nested, p->w->ref->size);
		b->code = nested.code;
		op.code = KSTATE_OP_EACH;
		if (op.sub && op.sub->bytes && op.sub->bytes == op.msize &&
		    op.msize == op.wsize)
			add_copy(b, op.wire, op.mem, op.count * op.msize);
		else
			add_op(b, op);
		break;
	case KS_T_LINEAR:
	case KS_T_VMEMMAP:
		op.code = KSTATE_OP_ADDRESS;
		add_op(b, op);
		break;
	default:
		op.code = KSTATE_OP_EDGE;
		add_op(b, op);
	}
	return true;
}

/* Defaults for @count elements of the reader's field @p->r from the @first on */
static noinline_for_stack void default_elements(struct build *b, const struct pair *p,
						u32 first, u32 count)
{
	struct kstate_frame frame = { .up = b->where.frame, .path = p->path, .index = -1 };
	struct kstate_op op = pair_op(p, KSTATE_OP_FILL);
	struct build nested;

	op.from = NULL;
	op.wsize = 0;
	op.mem += first * op.msize;
	op.count = count;
	if (p->r->type == KS_T_STRUCT) {
		nested = build_nested(b, &frame);
		default_struct(&nested, p->r->ref, 0, NULL);
		op.sub = build_finish(&nested, 0);
		b->code = nested.code;
		op.code = KSTATE_OP_EACH;
	} else if (kstate_is_edge(p->r->type)) {
		op.code = KSTATE_OP_EDGE;
	} else if (!kstate_is_int(p->r->type)) {
		/* Addresses, which are NULL, are as large as unsigned long */
		op.dst = sizeof(long) == 8 ? KS_U64 : KS_U32;
	}
	add_op(b, op);
}

static noinline_for_stack void zero_member(struct build *b, const struct pair *p, u32 mem)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_FILL);

	op.mem = mem;
	op.dst = KS_U8;
	op.msize = 1;
	op.count = member_bytes(p->r);
	add_op(b, op);
}

static noinline_for_stack void set_length(struct build *b, const struct pair *p,
					  struct kstate_arm_plan *arms)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_LENGTH);

	if (p->r->bind && p->r->bind->length.type) {
		op.mem = p->mem + p->r->bind->length.offset;
		op.dst = p->r->bind->length.type;
		op.arms = arms;
		add_op(b, op);
	} else if (b->remote && p->r->length) {
		/* Which member it is, if not where */
		op.mem = p->wire;
		op.dst = KS_U64;
		add_op(b, op);
	}
}

/* The first arm, with its defaults */
static void default_union(struct build *b, const struct pair *p)
{
	struct kstate_arm_plan *arm = build_alloc(b, sizeof(*arm));

	if (!arm)
		return;
	arm->tag = p->r[1].dflt;
	if (p->r[1].ref)
		default_struct(b, p->r[1].ref, p->mem + mem_offset(p->r), p->path);
	set_length(b, p, arm);
}

/* The reader's field gets its default */
static void default_field(struct build *b, const struct pair *p)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_FILL);

	if (p->r->flags & KSTATE_FIELD_HOOK) {
		op.code = KSTATE_OP_ABSENT;
		op.count = member_bytes(p->r);
		add_op(b, op);
		return;
	}
	if (p->r->bind && p->r->bind->kind == KS_GROUP) {
		default_struct(b, p->r->ref, p->mem, p->path);
		return;
	}
	if (p->r->type == KS_T_STRUCT && p->r->container == KS_C_ONE) {
		default_struct(b, p->r->ref, op.mem, p->path);
		return;
	}
	if (p->r->container >= KS_C_OPTIONAL) {
		op.code = KSTATE_OP_TAIL;
		add_op(b, op);
		set_length(b, p, NULL);
	} else if (p->r->type >= KS_T_BITMAP) {
		zero_member(b, p, op.mem);
		if (p->r->type == KS_T_UNION)
			default_union(b, p);
	} else {
		default_elements(b, p, 0, p->r->count);
		set_length(b, p, NULL);
	}
}

static void default_struct(struct build *b, const struct kstate_schema *r, u32 mem,
			   const struct kstate_path *path)
{
	u32 i;

	for (i = 0; i < r->nr_fields; i++) {
		struct pair p = { .r = &r->fields[i], .mem = mem };

		if (!kstate_has_data(p.r))
			continue;
		p.path = add_path(b, path, p.r->name);
		default_field(b, &p);
	}
}

static noinline_for_stack bool take_array(struct build *b, const struct pair *p)
{
	struct kstate_op op = pair_op(p, 0);
	u32 wn = p->w->count, rn = p->r->count;

	op.count = min(wn, rn);
	if (!take_elements(b, p, op))
		return false;
	if (wn < rn && !(p->r->flags & KSTATE_FIELD_DEFAULT)) {
		block(b, p->path, KSTATE_BLOCKED, "a default for elements that the writer lacks",
		      "none");
	} else if (wn < rn) {
		report(b, KSTATE_DEFAULTED, KSTATE_DEPENDS_NOT, p->path,
		       "grew from %u to %u elements: the rest gets the default", wn, rn);
		default_elements(b, p, wn, rn - wn);
	} else if (wn > rn) {
		report(b, KSTATE_DEFAULTED, KSTATE_DEPENDS_VALUE, p->path,
		       "shrank from %u to %u elements: refused unless the rest is the default",
		       wn, rn);
		op.code = KSTATE_OP_DROP;
		op.strict = true;
		op.wire = p->wire;
		op.mem = rn;
		op.count = wn - rn;
		add_op(b, op);
	}
	return true;
}

static noinline_for_stack bool take_union(struct build *b, const struct pair *p)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_UNION);
	const struct kstate_schema_field *w, *r;
	u32 nr = 0;

	for (w = p->w + 1; w->type == KS_T_ARM; w++)
		nr++;
	op.count = nr;
	op.arms = build_alloc(b, max(nr, 1U) * sizeof(*op.arms));
	if (!op.arms)
		return true;

	for (w = p->w + 1; w <= p->w + nr; w++) {
		struct kstate_arm_plan *arm = &op.arms[w - p->w - 1];
		struct kstate_frame frame = { .up = b->where.frame, .path = p->path, .index = -1 };
		struct build nested;

		arm->name = w->name;
		for (r = p->r + 1; r->type == KS_T_ARM && strcmp(r->name, w->name); r++)
			;
		if (r->type != KS_T_ARM) {
			report(b, KSTATE_CONVERTED, KSTATE_DEPENDS_VALUE, p->path,
			       "has no arm %s any more: refused when it is in use", w->name);
			continue;
		}
		arm->tag = r->dflt;
		if (!w->ref != !r->ref) {
			block(b, add_path(b, p->path, w->name), KSTATE_BLOCKED,
			      r->ref ? "an arm with a struct" : "an arm without a struct",
			      w->ref ? "one with a struct" : "one without");
			continue;
		}
		nested = build_nested(b, &frame);
		if (!w->ref)
			zero_member(&nested, p, 0);
		else
			resolve_struct(&nested, w->ref, r->ref, 0, 0,
				       add_path(&nested, NULL, w->name));
		arm->plan = build_finish(&nested, 0);
		b->code = nested.code;
	}
	add_op(b, op);
	set_length(b, p, op.arms);
	return true;
}

/* Elements are in the tail: @op.sub is for one of them */
static noinline_for_stack bool take_tail(struct build *b, const struct pair *p)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_TAIL);
	struct kstate_frame frame = { .up = b->where.frame, .path = p->path, .index = -1 };
	struct build nested = build_nested(b, &frame);
	bool group = p->r->bind && p->r->bind->kind == KS_GROUP, fits = true;

	if (p->w->type == KS_T_STRUCT && p->r->type == KS_T_STRUCT) {
		resolve_struct(&nested, p->w->ref, p->r->ref, 0, 0, NULL);
	} else {
		struct pair element = *p;
		struct kstate_op one = pair_op(p, 0);

		element.path = NULL;
		one.wire = 0;
		one.mem = 0;
		one.path = NULL;
		fits = take_elements(&nested, &element, one);
	}
	op.sub = build_finish(&nested, p->w->size);
	b->code = nested.code;
	if (!fits)
		return false;
	if (group) {
		nested = build_nested(b, &frame);
		default_struct(&nested, p->r->ref, 0, NULL);
		op.none = build_finish(&nested, 0);
		b->code = nested.code;
		op.mem = p->mem;
	}
	report_room(b, p);
	add_op(b, op);
	set_length(b, p, NULL);
	return true;
}

static bool take(struct build *b, const struct pair *p)
{
	if (p->w->container != p->r->container)
		return false;
	if (p->w->container >= KS_C_OPTIONAL)
		return take_tail(b, p);
	if (p->w->type >= KS_T_BITMAP || p->r->type >= KS_T_BITMAP) {
		if (p->w->type != p->r->type)
			return false;
		if (p->w->type == KS_T_UNION)
			return take_union(b, p);
		report_room(b, p);
		add_op(b, pair_op(p, p->w->type == KS_T_BITMAP ? KSTATE_OP_BITMAP :
							      KSTATE_OP_ITEMS));
		return true;
	}
	if (p->w->container == KS_C_ARRAY)
		return take_array(b, p);
	if (!take_elements(b, p, pair_op(p, 0)))
		return false;
	if (p->w->type == KS_T_PAGES) {
		report_room(b, p);
		set_length(b, p, NULL);
	}
	return true;
}

/* The writer has a field that the reader does not know */
static noinline_for_stack void not_known(struct build *b, const struct pair *p,
					 const struct kstate_schema *reader)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_DROP);
	u32 i;

	op.wire = p->wire;
	op.mem = 0;
	op.count = p->w->count;

	for (i = 0; i < reader->nr_fields; i++)
		if (reader->fields[i].type == KS_T_REMOVED &&
		    !strcmp(reader->fields[i].name, p->w->name))
			break;

	if (i < reader->nr_fields) {
		report(b, KSTATE_DEFAULTED, KSTATE_DEPENDS_NOT, p->path, "removed: dropped");
	} else if (p->w->flags & KSTATE_FIELD_IGNORABLE) {
		report(b, KSTATE_LOSSY, KSTATE_DEPENDS_NOT, p->path,
		       "not known here, and may be ignored: dropped");
	} else if (p->w->flags & KSTATE_FIELD_DEFAULT) {
		report(b, KSTATE_DEFAULTED, KSTATE_DEPENDS_VALUE, p->path,
		       "not known here: refused unless it is the default");
		op.strict = true;
	} else {
		block(b, p->path, KSTATE_BLOCKED, "only fields that the reader knows",
		      "one without a default");
	}
	add_op(b, op);
}

static noinline_for_stack void take_default(struct build *b, const struct pair *p)
{
	if (!(p->r->flags & (KSTATE_FIELD_DEFAULT | KSTATE_FIELD_HOOK))) {
		block(b, p->path, KSTATE_BLOCKED, "a field that is required", "none");
		return;
	}
	if (p->r->flags & KSTATE_FIELD_HOOK)
		report(b, KSTATE_DEFAULTED, KSTATE_DEPENDS_FUNCTION, p->path,
		       "absent: a function decides");
	else
		report(b, KSTATE_DEFAULTED, KSTATE_DEPENDS_NOT, p->path,
		       "absent: gets its default");
	default_field(b, p);
}

static noinline_for_stack void convert(struct build *b, const struct pair *p)
{
	char expected[48], found[48];
	struct kstate_op op;

	field_name(p->r, expected, sizeof(expected));
	field_name(p->w, found, sizeof(found));
	if (!(p->r->flags & KSTATE_FIELD_CONVERT)) {
		block(b, p->path, KSTATE_BLOCKED, expected, found);
		return;
	}
	report(b, KSTATE_CONVERTED, KSTATE_DEPENDS_FUNCTION, p->path,
	       "changed from %s to %s: a function converts", found, expected);
	op = pair_op(p, KSTATE_OP_CONVERT);
	op.count = member_bytes(p->r);
	op.wire = p->wire;
	add_op(b, op);
}

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

/* Fields of the reader with the same member for their lengths must agree */
static noinline_for_stack void report_lengths(struct build *b, const struct kstate_schema *w,
					      const struct kstate_schema *r,
					      const struct kstate_schema_field **match,
					      const struct kstate_path *up)
{
	const struct kstate_schema_field *f, *first, *wf, *wfirst;
	u32 i, j;

	for (i = 0; i < r->nr_fields; i++) {
		f = &r->fields[i];
		if (!f->length || f->length == i + 1)
			continue;
		first = &r->fields[f->length - 1];
		for (j = 0, wf = NULL, wfirst = NULL; j < w->nr_fields; j++) {
			if (match[j] == f)
				wf = &w->fields[j];
			if (match[j] == first)
				wfirst = &w->fields[j];
		}
		if ((!wf && !wfirst) || (wf && wfirst && wf->length &&
					 wf->length == wfirst->length))
			continue;
		report(b, KSTATE_EXACT, KSTATE_DEPENDS_VALUE, add_path(b, up, f->name),
		       "has the length of %s: another is refused", first->name);
	}
}

static noinline_for_stack void check_versions(struct build *b, const struct kstate_schema *w,
					      const struct kstate_schema *r,
					      const struct kstate_path *path)
{
	char expected[48], found[48];

	if (w->version >= r->min_version && r->version >= w->min_version)
		return;
	snprintf(expected, sizeof(expected), "version %u to %u", r->min_version, r->version);
	snprintf(found, sizeof(found), "version %u to %u", w->min_version, w->version);
	block(b, path, KSTATE_VERSION, expected, found);
}

static void resolve_struct(struct build *b, const struct kstate_schema *w,
			   const struct kstate_schema *r, u32 wire, u32 mem,
			   const struct kstate_path *path)
{
	const struct kstate_schema_field **match;
	struct pair p = { .writer = w, .wire = wire, .mem = mem };
	u32 i;

	check_versions(b, w, r, path);
	match = build_alloc(b, max(w->nr_fields, 1U) * sizeof(*match));
	if (!match)
		return;
	match_fields(w, r, match);

	for (i = 0; i < w->nr_fields && !b->code; i++) {
		p.w = &w->fields[i];
		p.r = match[i];
		if (!kstate_has_data(p.w))
			continue;
		p.path = add_path(b, path, p.r ? p.r->name : p.w->name);
		if (!p.r) {
			not_known(b, &p, r);
			continue;
		}
		if (strcmp(p.w->name, p.r->name))
			report(b, KSTATE_EXACT, KSTATE_DEPENDS_NOT, p.path, "renamed from %s",
			       p.w->name);
		if (!take(b, &p))
			convert(b, &p);
	}
	p.w = NULL;
	for (i = 0; i < r->nr_fields && !b->code; i++) {
		p.r = &r->fields[i];
		if (!kstate_has_data(p.r))
			continue;
		if (is_matched(p.r, match, w->nr_fields))
			continue;
		p.path = add_path(b, path, p.r->name);
		take_default(b, &p);
	}
	if (!b->code)
		report_lengths(b, w, r, match, path);
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
	struct build b = { .res = res, .where = *where, .report = report, .arg = arg };

	b.remote = !reader->desc;
	*res = (struct kstate_resolution){};
	INIT_LIST_HEAD(&res->memory);
	resolve_struct(&b, writer, reader, 0, 0, NULL);
	res->plan = build_finish(&b, writer->size);
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
		kstate_free(chunk);
	INIT_LIST_HEAD(&res->memory);
	res->plan = NULL;
}
