// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writer's fields beside the reader's: which belong together, and how they differ.
 */

/**
 * DOC: comparing
 *
 * Fields of two schemas are matched by name, then by the reader's aliases, then by
 * the writer's. A difference of a pair is reported with what restoring does about it,
 * and with what that depends on: ranges and masks of the writer tell whether there
 * are values that the reader refuses. The worst verdict is that of the resolution.
 * Nothing here knows what a plan looks like.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include "resolve.h"

/* Reporting; buffers must not be on the stack of the functions that recurse */

noinline_for_stack void kstate_report(struct build *b, const struct pair *p,
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

/* No way: but go on, so that all differences are found */
noinline_for_stack void kstate_block(struct build *b, const struct pair *p,
				     enum kstate_reason reason, enum kstate_change what,
				     const char *expected, const char *found)
{
	kstate_fail(&b->where, p->path, reason, -EPROTO, "%s\n%s", expected, found);
	kstate_report(b, p, (struct kstate_difference){
		.verdict = KSTATE_REFUSED, .what = what, .expected = expected, .found = found });
}

/* Integers */

/* The rules for integers: signs have room, sizes depend on the value */
enum fit kstate_int_fit(u8 src, u8 dst)
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
bool kstate_all_within(const struct kstate_schema_field *w, struct kstate_bound min,
		       struct kstate_bound max)
{
	struct kstate_bound wmin, wmax;

	kstate_bounds(w, true, &wmin, &wmax);
	return kstate_bound_compare(wmin, min) >= 0 && kstate_bound_compare(wmax, max) <= 0;
}

/* Bits that a field may have set */
u64 kstate_possible_bits(const struct kstate_schema_field *f)
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
void kstate_report_limits(struct build *b, const struct pair *p)
{
	struct kstate_bound min, max, rmin, rmax, tmin, tmax;

	if (p->r->flags & KSTATE_FIELD_RANGE) {
		kstate_bounds(p->w, true, &min, &max);
		kstate_bounds(p->r, false, &tmin, &tmax);
		rmin = (struct kstate_bound){ p->r->min, kstate_is_signed(p->r->type) };
		rmax = (struct kstate_bound){ p->r->max, kstate_is_signed(p->r->type) };
		/* Values that the reader's type cannot hold are another difference */
		if (kstate_bound_compare(min, tmin) < 0)
			min = tmin;
		if (kstate_bound_compare(lower(max, tmax), rmax) > 0 ||
		    kstate_bound_compare(min, rmin) < 0)
			REPORT(b, p, EXACT, VALUE, RANGE);
	}
	if ((p->r->flags & KSTATE_FIELD_MASK) && (kstate_possible_bits(p->w) & ~p->r->mask))
		REPORT(b, p, EXACT, VALUE, MASK);
	if ((p->r->flags & KSTATE_FIELD_EQUAL) && !(p->w->flags & KSTATE_FIELD_EQUAL))
		REPORT(b, p, EXACT, OBJECT, EQUAL);
}

/* Lengths, room and defaults */

/* Room that the reader's struct has for elements or bits, and what they make up */
void kstate_report_room(struct build *b, const struct pair *p)
{
	if (p->r->room < p->w->room)
		REPORT(b, p, EXACT, VALUE, ROOM);
	if (p->r->text && !p->w->text)
		REPORT(b, p, EXACT, VALUE, TEXT);
}

void kstate_report_default(struct build *b, const struct pair *p)
{
	if ((p->w->flags & p->r->flags & KSTATE_FIELD_DEFAULT) && p->w->dflt != p->r->dflt)
		REPORT(b, p, EXACT, NOT, DEFAULT);
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

bool kstate_is_matched(const struct kstate_schema_field *r,
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
void kstate_match_fields(const struct kstate_schema *w, const struct kstate_schema *r,
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
		if (f && !kstate_is_matched(f, match, w->nr_fields)) {
			match[field - w->fields] = f;
			field = NULL;
		}
	}
}

/* Arms, and what was removed */

const struct kstate_schema_field *kstate_find_arm(const struct kstate_schema_field *f,
						  const char *name)
{
	for (f++; f->type == KS_T_ARM; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

/* The reader's word that a field once was; not that another one has its name now */
const struct kstate_schema_field *kstate_find_removed(const struct pair *p)
{
	const struct kstate_schema_field *r = p->rs->fields;

	for (; r < p->rs->fields + p->rs->nr_fields; r++)
		if (r->type == KS_T_REMOVED && !strcmp(r->name, p->w->name))
			return r;
	return NULL;
}

bool kstate_is_what_was(const struct kstate_schema_field *w, const struct kstate_schema_field *r)
{
	u8 type = kstate_was_type(r), container = r->min >> 8;

	if (!type)
		return true;
	if (w->container != container || !kstate_is_int(w->type))
		return false;
	/* It may have been narrower in its time */
	return kstate_int_fit(w->type, type) <= FIT_WIDER;
}

/* Members with a length or a tag */

/* Whether another field that the writer has gives the reader's member @r its value */
const struct kstate_schema_field *kstate_length_from(const struct pair *p,
						     const struct kstate_schema_field **match)
{
	u32 i;

	for (i = 0; p->r->length && i < p->ws->nr_fields; i++)
		if (match[i] && match[i] != p->r && match[i]->length == p->r->length &&
		    !is_scalar(match[i]))
			return match[i];
	return NULL;
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

/* The step by which the reader's member @r has one value, if names translate it; or NULL */
static const struct kstate_op *names_of(const struct build *b, const struct kstate_schema_field *r)
{
	const struct kstate_op *op;

	for (op = b->ops; op < b->ops + b->nr; op++)
		if (op->code == KSTATE_OP_LENGTH && op->to == r && op->nr_names)
			return op;
	return NULL;
}

/* The tag of the reader for a tag of the writer; false if the arm, or the name, is in one only */
static bool same_tag(const struct build *b, const struct kstate_schema_field *w,
		     const struct kstate_schema_field *r, u64 *tag)
{
	const struct kstate_schema_field *arm;
	const struct kstate_op *names;
	const char *unknown;

	if (w->type != KS_T_UNION) {
		names = names_of(b, r);
		return !names || kstate_translate(names, tag, &unknown);
	}
	for (w++; w->type == KS_T_ARM; w++) {
		if (w->dflt != *tag)
			continue;
		arm = kstate_find_arm(r, w->name);
		if (arm)
			*tag = arm->dflt;
		return arm;
	}
	return false;
}

/* Two fields with one tag agree about each arm of the first union among them */
static bool tags_agree(const struct build *b, const struct kstate_schema_field *w,
		       const struct kstate_schema_field *r,
		       const struct kstate_schema_field *wother,
		       const struct kstate_schema_field *rother)
{
	const struct kstate_schema_field *arm;
	u64 tag, other;

	if (w->type != KS_T_UNION) {
		swap(w, wother);
		swap(r, rother);
	}
	if (w->type != KS_T_UNION)
		return !names_of(b, r) && !names_of(b, rother);
	for (arm = w + 1; arm->type == KS_T_ARM; arm++) {
		tag = arm->dflt;
		other = arm->dflt;
		if (same_tag(b, w, r, &tag) && same_tag(b, wother, rother, &other) && tag != other)
			return false;
	}
	return true;
}

/*
 * The first field of the same member as @r, but for an integer that the writer lacks, which has
 * the length of the others
 */
static const struct kstate_schema_field *first_of(const struct pair *p,
						  const struct kstate_schema_field **match,
						  const struct kstate_schema_field *r)
{
	const struct kstate_schema_field *first = &p->rs->fields[r->length - 1];

	while (first < r && (first->length != r->length ||
			     (is_scalar(first) && !match_of(p, match, first))))
		first++;
	return first;
}

/* Fields of the reader with the same member for their lengths or tags must agree */
void kstate_report_lengths(struct build *b, const struct pair *outer,
			   const struct kstate_schema_field **match)
{
	const struct kstate_schema_field *r = outer->rs->fields, *first, *w, *wfirst;
	struct pair p = *outer;

	for (; r < outer->rs->fields + outer->rs->nr_fields; r++) {
		first = r->length ? first_of(outer, match, r) : r;
		if (first == r)
			continue;
		w = match_of(outer, match, r);
		wfirst = match_of(outer, match, first);
		/* Fields that the writer lacks are empty */
		if (!w && (!wfirst || is_scalar(r)))
			continue;
		if (w && wfirst && w->length && w->length == wfirst->length &&
		    tags_agree(b, wfirst, first, w, r))
			continue;
		p.path = kstate_add_path(b, outer->path, r->name, r->secret);
		p.r = r;
		p.w = w;
		REPORT(b, &p, EXACT, VALUE, LENGTH, .name = first->name);
	}
}

noinline_for_stack void kstate_report_versions(struct build *b, const struct pair *p)
{
	const struct kstate_schema *w = p->ws, *r = p->rs;
	char expected[48], found[48];

	if (w->version >= r->min_version && r->version >= w->min_version)
		return;
	snprintf(expected, sizeof(expected), "version %u to %u", r->min_version, r->version);
	snprintf(found, sizeof(found), "version %u to %u", w->min_version, w->version);
	kstate_block(b, p, KSTATE_VERSION, KSTATE_CHANGE_VERSION, expected, found);
}
