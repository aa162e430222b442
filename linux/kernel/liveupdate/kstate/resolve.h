/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the resolver: compare.c finds the differences of two schemas, plan.c
 * collects the steps, resolve.c decides on them.
 */
#ifndef _KSTATE_RESOLVE_H
#define _KSTATE_RESOLVE_H

#include "engine.h"

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
	bool secret;
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

/* A plan: plan.c */

void *kstate_build_alloc(struct build *b, size_t size);
struct build kstate_build_nested(struct build *b, const struct kstate_frame *frame);
struct kstate_plan *kstate_build_finish(struct build *b, struct build *nested, u32 size);
void kstate_add_op(struct build *b, struct kstate_op op);
void kstate_add_copy(struct build *b, u32 wire, u32 mem, u32 bytes);
bool kstate_add_each_copy(struct build *b, const struct kstate_op *op);
const struct kstate_path *kstate_add_path(struct build *b, const struct kstate_path *up,
					  const char *name, bool secret);
void kstate_last_first(struct build *b);

/* How a pair of fields or structs differs: compare.c */

void kstate_report(struct build *b, const struct pair *p, struct kstate_difference diff);
void kstate_block(struct build *b, const struct pair *p, enum kstate_reason reason,
		  enum kstate_change what, const char *expected, const char *found);

#define REPORT(_b, _pair, _verdict, _on, _change, ...)				\
	kstate_report(_b, _pair, (struct kstate_difference){				\
		.verdict = KSTATE_##_verdict, .depends = KSTATE_DEPENDS_##_on,	\
		.what = KSTATE_CHANGE_##_change, ##__VA_ARGS__ })

enum fit { FIT_EXACT, FIT_WIDER, FIT_NARROWER, FIT_NEVER };

static inline bool is_scalar(const struct kstate_schema_field *f)
{
	return kstate_is_int(f->type) && f->container == KS_C_ONE;
}

enum fit kstate_int_fit(u8 src, u8 dst);
bool kstate_all_within(const struct kstate_schema_field *w, struct kstate_bound min,
		       struct kstate_bound max);
u64 kstate_possible_bits(const struct kstate_schema_field *f);
void kstate_report_limits(struct build *b, const struct pair *p);
void kstate_report_room(struct build *b, const struct pair *p);
void kstate_report_default(struct build *b, const struct pair *p);
void kstate_report_lengths(struct build *b, const struct pair *outer,
			   const struct kstate_schema_field **match);
void kstate_report_versions(struct build *b, const struct pair *p);

/* Which field is which: compare.c */

bool kstate_is_matched(const struct kstate_schema_field *r,
		       const struct kstate_schema_field **match, u32 nr);
const struct kstate_schema_field *kstate_find_removed(const struct pair *p);
bool kstate_is_what_was(const struct kstate_schema_field *w, const struct kstate_schema_field *r);
const struct kstate_schema_field *kstate_length_from(const struct pair *p,
						     const struct kstate_schema_field **match);

#endif /* _KSTATE_RESOLVE_H */
