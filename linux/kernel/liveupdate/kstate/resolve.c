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
#include <linux/bsearch.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "resolve.h"

/* Integers */

/* The names that the reader has, in order, and all their bits */
struct names {
	const struct kstate_schema_hint **hints;
	u32 nr;
	u64 bits;
};

static int names_order(const void *a, const void *b)
{
	const struct kstate_schema_hint *const *one = a, *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

static struct names reader_names(struct build *b, const struct pair *p)
{
	const struct kstate_schema_hint *h;
	struct names names = {};
	u32 pos;

	for (pos = 0; kstate_schema_name(p->rs, p->r, &pos); names.nr++)
		;
	names.hints = kstate_build_alloc(b, names.nr * sizeof(*names.hints));
	if (!names.hints)
		return names;
	for (pos = 0, names.nr = 0; (h = kstate_schema_name(p->rs, p->r, &pos)); names.nr++) {
		names.hints[names.nr] = h;
		names.bits |= h->value;
	}
	sort(names.hints, names.nr, sizeof(*names.hints), names_order, NULL);
	return names;
}

/* Wide names first: a narrow one may be a part of them */
static int names_width(const void *a, const void *b)
{
	const struct kstate_name_map *one = a, *other = b;

	return (int)hweight64(other->from) - (int)hweight64(one->from);
}

/* Values go by their names: translate those that have other values here */
static bool map_names(struct build *b, const struct pair *p, struct kstate_op *op)
{
	const struct kstate_schema_hint *h, *here, **found;
	struct kstate_name_map *names;
	struct names known;
	u64 unnamed = kstate_possible_bits(p->w);
	bool moved = false, other;
	u32 pos = 0, nr = 0;

	if (!p->w->names || !p->r->names || p->w == p->r)
		return false;
	for (; (h = kstate_schema_name(p->ws, p->w, &pos)); nr++)
		unnamed &= ~h->value;
	names = kstate_build_alloc(b, nr * sizeof(*names));
	known = reader_names(b, p);
	if (!names || !known.hints)
		return false;
	for (pos = 0, nr = 0; (h = kstate_schema_name(p->ws, p->w, &pos));) {
		found = bsearch(&h, known.hints, known.nr, sizeof(*known.hints), names_order);
		here = found ? *found : NULL;
		/* One of several values is not made of bits, nor the other way round */
		other = here && p->w->enumerated != p->r->enumerated && here->value != h->value;
		if (other)
			here = NULL;
		/* Bits that have no other name here are what they are */
		if (!here && !other && !p->r->enumerated && !(h->value & known.bits))
			continue;
		names[nr++] = (struct kstate_name_map){
			.name = h->name, .from = h->value, .to = here ? here->value : 0,
			.known = here,
		};
		if (!here)
			REPORT(b, p, EXACT, VALUE, NAME_GONE, .name = h->name);
		moved |= !here || here->value != h->value;
		/* A value without a name may mean anything there, and so may a part of one */
		if (here && here->value != h->value &&
		    (p->r->enumerated || (unnamed & here->value) || hweight64(h->value) > 1))
			REPORT(b, p, CONVERTED, VALUE, NAMES, .name = h->name);
		else if (here && here->value != h->value)
			REPORT(b, p, CONVERTED, NOT, NAMES, .name = h->name);
	}
	if (!moved)
		return false;
	sort(names, nr, sizeof(*names), names_width, NULL);
	op->code = KSTATE_OP_NAMES;
	op->names = names;
	op->nr_names = nr;
	return true;
}

static bool is_within(const struct kstate_schema_field *r, u64 val)
{
	bool is_signed = kstate_is_signed(r->type);
	struct kstate_bound bound = { val, is_signed };
	struct kstate_bound min = { r->min, is_signed }, max = { r->max, is_signed };

	if ((r->flags & KSTATE_FIELD_MASK) && (val & ~r->mask))
		return false;
	return !(r->flags & KSTATE_FIELD_RANGE) || (kstate_bound_compare(bound, min) >= 0 &&
						    kstate_bound_compare(bound, max) <= 0);
}

/* Limits are those of the value that a name has here */
static void report_named_limits(struct build *b, const struct pair *p, const struct kstate_op *op)
{
	u64 possible = kstate_possible_bits(p->w), all = possible;
	const struct kstate_name_map *name;
	bool within = true;

	for (name = op->names; name < op->names + op->nr_names; name++) {
		if (!name->known || (name->from & possible) != name->from)
			continue;
		all = (all & ~name->from) | name->to;
		within &= !p->r->enumerated || is_within(p->r, name->to);
	}
	/* Any of the bits may be there, or none */
	if (!p->r->enumerated)
		within = is_within(p->r, all) && is_within(p->r, 0);
	if (!within && (p->r->flags & KSTATE_FIELD_MASK))
		REPORT(b, p, EXACT, VALUE, MASK);
	else if (!within)
		REPORT(b, p, EXACT, VALUE, RANGE);
	if ((p->r->flags & KSTATE_FIELD_EQUAL) && !(p->w->flags & KSTATE_FIELD_EQUAL))
		REPORT(b, p, EXACT, OBJECT, EQUAL);
}

/* @op.count integers, with the reader's constraints */
static bool map_ints(struct build *b, const struct pair *p, struct kstate_op op)
{
	enum fit fit = kstate_int_fit(op.src, op.dst);
	u32 size = kstate_size(op.src);
	struct kstate_bound min, max;

	if (fit == FIT_NEVER)
		return false;
	kstate_bounds(p->r, false, &min, &max);
	if (fit == FIT_NARROWER && !kstate_all_within(p->w, min, max))
		REPORT(b, p, CONVERTED, VALUE, NARROWED);
	else if (fit == FIT_NARROWER)
		REPORT(b, p, CONVERTED, NOT, NARROWED);
	else if (op.src != op.dst)
		REPORT(b, p, CONVERTED, NOT, TYPE);
	if (map_names(b, p, &op)) {
		report_named_limits(b, p, &op);
		kstate_add_op(b, op);
		return true;
	}
	kstate_report_limits(b, p);

	op.code = KSTATE_OP_INT;
	op.narrow = fit == FIT_NARROWER;
	if (fit == FIT_EXACT && (size == 1 || !IS_ENABLED(CONFIG_CPU_BIG_ENDIAN)))
		kstate_add_copy(b, op.wire, op.mem, op.count * size);
	else
		kstate_add_op(b, op);
	/* Its own default has been checked with the description */
	if (b->defaults && p->w == p->r)
		return true;
	op.code = KSTATE_OP_BOOL;
	if (op.src == KS_BOOL)
		kstate_add_op(b, op);
	op.code = KSTATE_OP_LIMIT;
	if (p->r->flags & (KSTATE_FIELD_RANGE | KSTATE_FIELD_MASK | KSTATE_FIELD_EQUAL))
		kstate_add_op(b, op);
	if (p->r->flags & KSTATE_FIELD_EQUAL)
		kstate_last_first(b);
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
	struct build nested = kstate_build_nested(b, &frame);

	nested.root = r;
	resolve_struct(&nested, inner(w, r, 0, 0, 0,
				      name ? kstate_add_path(&nested, NULL, name, false) : NULL));
	return kstate_build_finish(b, &nested, w->size);
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
	if (b->defaults) {
		op.from = NULL;
	} else if (b->nr && is_scalar(p->w) && b->ops[b->nr - 1].code == KSTATE_OP_NAMES &&
		   b->ops[b->nr - 1].to == p->r) {
		op.names = b->ops[b->nr - 1].names;
		op.nr_names = b->ops[b->nr - 1].nr_names;
	}
	if (b->remote) {
		/* Which member it is, if not where */
		op.schema = p->rs;
		op.mem = p->rwire;
		op.dst = op.owner ? op.owner->type : KS_U64;
		if (p->r->length)
			kstate_add_op(to, op);
	} else if (p->r->bind->length.type) {
		op.mem = p->mem + p->r->bind->length.offset;
		op.dst = p->r->bind->length.type;
		kstate_add_op(to, op);
	} else if (p->r->length) {
		kstate_add_op(to, op);
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
		if (!op.sub || !kstate_add_each_copy(b, &op))
			kstate_add_op(b, op);
		return true;
	case KS_T_LINEAR:
	case KS_T_VMEMMAP:
		op.code = KSTATE_OP_ADDRESS;
		break;
	default:
		op.code = KSTATE_OP_EDGE;
	}
	kstate_add_op(b, op);
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
		kstate_block(b, p, KSTATE_BLOCKED, KSTATE_CHANGE_GREW,
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
		kstate_add_op(b, op);
	}
	return true;
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
	u8 *bytes = kstate_build_alloc(b, ALIGN(schema->size, 8));

	if (bytes)
		fill_defaults(schema, bytes);
	return bytes;
}

static void map_arm(struct build *b, const struct pair *p, const struct kstate_schema_field *w,
		    struct kstate_arm_plan *arm)
{
	const struct kstate_schema_field *r = kstate_find_arm(p->r, w->name);
	struct pair at = *p;
	struct build nested;

	arm->name = w->name;
	if (!r) {
		REPORT(b, p, CONVERTED, VALUE, ARM_GONE, .name = w->name);
		return;
	}
	arm->tag = r->dflt;
	if (!w->ref != !r->ref) {
		at.path = kstate_add_path(b, p->path, w->name, false);
		kstate_block(b, &at, KSTATE_BLOCKED, KSTATE_CHANGE_ARM_DATA,
			     r->ref ? "an arm with a struct" : "an arm without a struct",
			     w->ref ? "one with a struct" : "one without");
		return;
	}
	if (w->ref) {
		/* Which arm it is would tell the tag */
		arm->plan = map_struct(b, p, w->ref, r->ref,
				       p->path && p->path->secret ? "(secret)" : w->name);
		if (b->defaults)
			arm->bytes = defaults_of(b, w->ref);
		return;
	}
	nested = kstate_build_nested(b, b->where.frame);
	kstate_add_op(&nested, (struct kstate_op){
		.code = KSTATE_OP_ZERO, .path = p->path,
		.count = p->r->bind ? p->r->bind->size : 0 });
	arm->plan = kstate_build_finish(b, &nested, 0);
}

static bool map_union(struct build *b, const struct pair *p)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_UNION);
	const struct kstate_schema_field *w;

	/* Of a default, only the first arm matters */
	op.count = 0;
	for (w = p->w + 1; w->type == KS_T_ARM && !(b->defaults && op.count); w++)
		op.count++;
	op.arms = kstate_build_alloc(b, max(op.count, 1U) * sizeof(*op.arms));
	if (!op.arms)
		return true;
	for (w = p->w + 1; w <= p->w + op.count; w++)
		map_arm(b, p, w, &op.arms[w - p->w - 1]);
	if (op.count && p->r[1].type == KS_T_ARM && strcmp(p->w[1].name, p->r[1].name))
		REPORT(b, p, EXACT, NOT, FIRST_ARM, .name = p->r[1].name);
	kstate_add_op(b, op);
	set_length(b, p, op.arms);
	return true;
}

/* What to do with the reader's fields of a group that the writer left out */
static struct kstate_default *map_no_group(struct build *b, const struct pair *p)
{
	struct kstate_default *none = kstate_build_alloc(b, sizeof(*none));
	struct kstate_frame frame = { .up = b->where.frame, .path = p->path, .index = -1 };
	struct build nested = kstate_build_nested(b, &frame);

	if (!none)
		return NULL;
	nested.defaults = true;
	/* Differences were reported when the group was mapped as present */
	nested.report = NULL;
	nested.where.err = NULL;
	nested.root = p->r->ref;
	resolve_struct(&nested, inner(p->w->ref, p->r->ref, 0, 0, 0, NULL));
	none->plan = kstate_build_finish(b, &nested, 0);
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
		nested = kstate_build_nested(b, &frame);
		element.path = NULL;
		one.wire = 0;
		one.mem = 0;
		one.path = NULL;
		fits = map_elements(&nested, &element, one);
		op.sub = kstate_build_finish(b, &nested, p->w->size);
	}
	if (!fits)
		return false;
	if (p->r->group) {
		op.mem = p->mem;
		op.none = map_no_group(b, p);
	}
	kstate_report_room(b, p);
	kstate_add_op(b, op);
	set_length(b, p, NULL);
	return true;
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
			kstate_report_room(b, p);
		if (is_scalar(p->r) ? p->r->length : p->r->type == KS_T_PAGES)
			set_length(b, p, NULL);
		return true;
	}
	if (p->w->type != p->r->type)
		return false;
	if (p->w->type == KS_T_UNION)
		return map_union(b, p);
	kstate_report_room(b, p);
	if (p->w->type == KS_T_ITEMS && b->defaults)
		kstate_add_op(b, (struct kstate_op){
			.code = KSTATE_OP_ZERO, .path = p->path, .to = p->r,
			.mem = p->mem + (p->r->bind ? p->r->bind->offset : 0),
			.count = p->r->bind ? p->r->bind->size : 0 });
	else
		kstate_add_op(b, pair_op(p, p->w->type == KS_T_BITMAP ? KSTATE_OP_BITMAP :
				     p->w->type == KS_T_FOLIOS ? KSTATE_OP_FOLIOS :
								 KSTATE_OP_ITEMS));
	if (p->w->type == KS_T_FOLIOS)
		set_length(b, p, NULL);
	return true;
}

/* Fields that only the writer has */

static void map_unknown(struct build *b, const struct pair *p)
{
	const struct kstate_schema_field *removed = kstate_find_removed(p);
	struct kstate_op op = pair_op(p, KSTATE_OP_DROP);
	char expected[48], found[48];

	op.wire = p->wire;
	op.mem = 0;
	op.count = p->w->count;
	op.narrow = KSTATE_DROP_LOSSY;
	if (removed && !kstate_is_what_was(p->w, removed)) {
		snprintf(expected, sizeof(expected), "the %s that was removed",
			 kstate_type_name(kstate_was_type(removed)));
		kstate_block(b, p, KSTATE_BLOCKED, KSTATE_CHANGE_REMOVED_REUSED, expected,
			     kstate_field_text(p->w, found, sizeof(found)));
	} else if (removed) {
		REPORT(b, p, LOSSY, LOSS, REMOVED);
	} else if (p->w->flags & KSTATE_FIELD_IGNORABLE) {
		REPORT(b, p, LOSSY, LOSS, IGNORED);
	} else if (p->w->flags & KSTATE_FIELD_DEFAULT) {
		REPORT(b, p, DEFAULTED, VALUE, UNKNOWN);
		op.narrow = KSTATE_DROP_STRICT;
	} else {
		kstate_block(b, p, KSTATE_BLOCKED, KSTATE_CHANGE_UNKNOWN,
			     "only fields that the reader knows", "one without a default");
	}
	kstate_add_op(b, op);
}

/* Fields that only the reader has, and the rest of arrays that grew */

static void map_hook(struct build *b, const struct pair *p)
{
	struct kstate_op op = pair_op(p, KSTATE_OP_ABSENT);

	op.from = NULL;
	op.count = p->r->bind ? kstate_member_bytes(p->r->bind) : 0;
	kstate_add_op(b, op);
}

/* The fields of a group that is not there */
static void map_group_default(struct build *b, const struct pair *p)
{
	struct kstate_default *none = map_no_group(b, p);

	if (none)
		kstate_add_op(b, (struct kstate_op){
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

static void map_absent(struct build *b, struct build *defaults, const struct pair *p,
		       const struct kstate_schema_field **match)
{
	const struct kstate_schema_field *from = NULL;

	if (is_scalar(p->r))
		from = kstate_length_from(p, match);
	if (from) {
		/* The member is set with the length or the tag, within these constraints */
		if (p->r->flags & (KSTATE_FIELD_RANGE | KSTATE_FIELD_MASK))
			REPORT(b, p, EXACT, VALUE, FROM_LENGTH, .name = from->name);
		else
			REPORT(b, p, EXACT, NOT, FROM_LENGTH, .name = from->name);
		return;
	}
	if (!(p->r->flags & (KSTATE_FIELD_DEFAULT | KSTATE_FIELD_HOOK))) {
		kstate_block(b, p, KSTATE_BLOCKED, KSTATE_CHANGE_REQUIRED,
			     "a field that is required", "none");
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
		kstate_block(b, p, KSTATE_BLOCKED, KSTATE_CHANGE_NO_WAY, expected, found);
		return;
	}
	REPORT(b, p, CONVERTED, FUNCTION, CONVERT);
	op.count = p->r->bind ? kstate_member_bytes(p->r->bind) : 0;
	op.wire = p->wire;
	kstate_add_op(b, op);
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
	kstate_report_default(b, p);
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
	struct build defaults = kstate_build_nested(b, b->where.frame);
	struct pair p = outer;
	struct kstate_plan *plan;
	u32 i;

	kstate_report_versions(b, &outer);
	match = kstate_build_alloc(b, max(w->nr_fields, 1U) * sizeof(*match));
	if (!match)
		return;
	kstate_match_fields(w, r, match);
	/* The record of defaults lacks fields that a function of the writer decides about */
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
		p.path = kstate_add_path(b, outer.path, p.r ? p.r->name : p.w->name,
					 p.w->secret || (p.r && p.r->secret));
		map_writers(b, &p);
		if (p.r && p.w->container == KS_C_ARRAY && p.r->container == KS_C_ARRAY &&
		    p.w->count < p.r->count && (p.r->flags & KSTATE_FIELD_DEFAULT))
			map_rest(&defaults, p, p.w->count);
	}
	p.w = NULL;
	for (i = 0; i < r->nr_fields && !b->code; i++) {
		p.r = &r->fields[i];
		if (!kstate_has_data(p.r) || kstate_is_matched(p.r, match, w->nr_fields))
			continue;
		p.path = kstate_add_path(b, outer.path, p.r->name, p.r->secret);
		map_absent(b, &defaults, &p, match);
	}
	b->code = b->code ?: defaults.code;
	if (!b->code)
		kstate_report_lengths(b, &outer, match);
	if (defaults.nr && !b->code) {
		b->bytes = b->bytes ?: defaults_of(b, b->root);
		plan = kstate_build_finish(b, &defaults, 0);
		kstate_add_op(b, (struct kstate_op){
			.code = KSTATE_OP_DEFAULT, .sub = plan, .bytes = b->bytes,
			.path = outer.path });
	} else {
		kvfree(defaults.ops);
	}
	if (!b->remote && r->desc->restored)
		kstate_add_op(b, (struct kstate_op){
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
	res->plan = kstate_build_finish(&b, &b, writer->size);
	if (b.code || res->verdict == KSTATE_REFUSED) {
		kstate_resolution_free(res);
		return b.code ?: -EPROTO;
	}
	return 0;
}
