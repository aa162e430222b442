// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults by which a value would silently become another one: lengths that are fields,
 * defaults, names that are used again, flags and enumerations, secrets.
 */
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>
#include <linux/kexec.h>
#include "fault.h"

#define ANY	KSTATE_OK

/* Members of a newer struct have the names of the older one's */
#pragma GCC diagnostic ignored "-Woverride-init"

/* A member that is a field and a length */

struct seq {
	u32 nr;
	u16 *p;
	u16 *q;
	u32 nr2;
	u16 fixed[8];
};

#define SEQ(_name, ...)	KSTATE_DESCRIBE_STATIC(_name, "seq", 1, __VA_ARGS__)
#define NR(...)		KSTATE_BASE_TYPE(nr, struct seq, u32, ##__VA_ARGS__)
#define P(_nr, ...)	KSTATE_VARRAY(p, struct seq, _nr, KSTATE_ALLOC, ##__VA_ARGS__)
#define Q(_nr, ...)	KSTATE_VARRAY(q, struct seq, _nr, KSTATE_ALLOC, ##__VA_ARGS__)

SEQ(seq, NR(), P(nr));
SEQ(seq_alone, P(nr));
SEQ(seq_fixed, KSTATE_VARRAY(fixed, struct seq, nr));
SEQ(seq_range, NR(KSTATE_RANGE(0, 2)), P(nr));
SEQ(seq_range_behind, P(nr), NR(KSTATE_RANGE(0, 2)));
SEQ(seq_mask, NR(KSTATE_MASK(0x4)), P(nr));
SEQ(seq_equal, NR(KSTATE_EQUAL), KSTATE_VARRAY(fixed, struct seq, nr));
SEQ(seq_default, NR(KSTATE_DEFAULT(1)), P(nr));
SEQ(nr_only, NR());
SEQ(seq_added, NR(), P(nr, KSTATE_DEFAULT(0)));
SEQ(seq_two, P(nr), Q(nr, KSTATE_DEFAULT(0)));
SEQ(seq_two_lengths, P(nr), Q(nr2));
SEQ(seq_one_length, P(nr), Q(nr));

static u16 values[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static u32 seq_length;

static void fill_seq(void *obj)
{
	*(struct seq *)obj = (struct seq){ .nr = seq_length, .p = values };
	memcpy(((struct seq *)obj)->fixed, values, sizeof(values));
}

static bool seq_there(void *obj)
{
	struct seq *s = obj;

	return s->nr == seq_length && (!s->nr || !memcmp(s->p, values, 2 * s->nr));
}

static void free_seq(void *obj)
{
	kvfree(((struct seq *)obj)->p);
	kvfree(((struct seq *)obj)->q);
}

static void length_limits_when_saving(void **state)
{
	seq_length = 3;
	bad_object(&seq_range, sizeof(struct seq), fill_seq, NULL, KSTATE_VALUE, "nr", "3");
	bad_object(&seq_range_behind, sizeof(struct seq), fill_seq, NULL, KSTATE_VALUE, "nr", "3");
	bad_object(&seq_mask, sizeof(struct seq), fill_seq, NULL, KSTATE_VALUE, "nr", NULL);
	/* Only where nothing makes 0 of it by default */
	SEQ(at_least_one, P(nr), NR(KSTATE_RANGE(1, 2)));
	save_refused(&at_least_one, &(struct seq){}, KSTATE_VALUE, "seq[1].nr", "0");
}

/* The record has the length as a field, or only as a length */
static void length_limits_when_restoring(void **state)
{
	struct kstate_description *writers[] = { &seq, &seq_alone };

	for (int i = 0; i < 2; i++) {
		struct seq from, to = {};

		for (seq_length = 0; seq_length < 8; seq_length++) {
			bool in_range = seq_length <= 2;
			bool in_mask = !(seq_length & ~4);

			fill_seq(&from);
			if (in_range) {
				both_fit(writers[i], &from, &seq_range, &to, LOSSLESS);
				assert_true(seq_there(&to));
				free_seq(&to);
				to = (struct seq){};
				both_fit(writers[i], &from, &seq_range_behind, &to, LOSSLESS);
				free_seq(&to);
			} else {
				both_refuse(writers[i], &from, &seq_range, &to, KSTATE_VALUE,
					    "seq[1].nr");
				both_refuse(writers[i], &from, &seq_range_behind, &to,
					    KSTATE_VALUE, "seq[1].nr");
			}
			to = (struct seq){};
			if (in_mask) {
				both_fit(writers[i], &from, &seq_mask, &to, LOSSLESS);
				assert_true(seq_there(&to));
				free_seq(&to);
			} else {
				both_refuse(writers[i], &from, &seq_mask, &to, KSTATE_VALUE,
					    "seq[1].nr");
			}
			to = (struct seq){};
		}
	}
}

/* The same in every place where a struct can be */
static void length_limits_deeper(void **state)
{
	struct bad_record t = {
		.writer_size = sizeof(struct seq), .reader_size = sizeof(struct seq),
		.fill = fill_seq, .fits = &seq, .same = seq_there, .empty = free_seq,
		.reason = KSTATE_VALUE, .path = "nr",
	};
	const struct kstate_description *writers[] = { &seq, &seq_alone };
	const struct kstate_description *readers[] = { &seq_range, &seq_range_behind, &seq_mask };

	seq_length = 3;
	for (int i = 0; i < 6; i++) {
		t.writer = writers[i / 3];
		t.reader = readers[i % 3];
		bad_record(t);
	}
}

static void conflicts_deeper(void **state)
{
	seq_length = 3;
	bad_record((struct bad_record){
		.writer = &nr_only, .reader = &seq_added, .fits = &nr_only,
		.writer_size = sizeof(struct seq), .reader_size = sizeof(struct seq),
		.fill = fill_seq, .reason = KSTATE_VALUE, .path = "p" });
	bad_record((struct bad_record){
		.writer = &seq_alone, .reader = &seq_two, .fits = &seq_alone,
		.writer_size = sizeof(struct seq), .reader_size = sizeof(struct seq),
		.fill = fill_seq, .same = seq_there, .empty = free_seq,
		.reason = KSTATE_VALUE, .path = "q" });
}

static void length_that_is_equal(void **state)
{
	struct seq from, to = { .nr = 5 };
	struct kstate_set *set;

	seq_length = 3;
	fill_seq(&from);
	set = saved(&seq_fixed, &from);
	assert_int_not_equal(check_and_restore(set, &seq_equal, &to), 0);
	error_is(KSTATE_VALUE, "seq[1].nr", NULL);
	assert_int_equal(to.nr, 5);
	assert_int_equal(to.fixed[0], 0);
	to.nr = 3;
	assert_int_equal(check_and_restore(set, &seq_equal, &to), 0);
	assert_memory_equal(to.fixed, values, 6);
	kstate_set_destroy(set);
}

/* A field that the record does not have takes the length, not its default */
static void absent_field_takes_the_length(void **state)
{
	struct seq from, to = {};

	for (seq_length = 0; seq_length < 4; seq_length++) {
		fill_seq(&from);
		both_fit(&seq_alone, &from, &seq_default, &to, LOSSLESS);
		assert_true(seq_there(&to));
		free_seq(&to);
		to = (struct seq){};
	}
}

/* Adding an array beside a number that is there */
static void array_added_beside_a_number(void **state)
{
	struct seq from = {}, to = { .nr = 9 };

	both_fit(&nr_only, &from, &seq_added, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.nr, 0);
	from.nr = 3;
	to.nr = 9;
	both_refuse(&nr_only, &from, &seq_added, &to, KSTATE_VALUE, "seq[1].p");
}

static void array_added_beside_an_array(void **state)
{
	struct seq from, to = { .nr = 9 };

	seq_length = 0;
	fill_seq(&from);
	both_fit(&seq_alone, &from, &seq_two, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.nr, 0);
	seq_length = 3;
	fill_seq(&from);
	to = (struct seq){ .nr = 9 };
	both_refuse(&seq_alone, &from, &seq_two, &to, KSTATE_VALUE, "seq[1].q");
}

static void two_lengths_become_one(void **state)
{
	struct seq from = { .nr = 3, .p = values, .nr2 = 3, .q = values }, to = {};

	both_fit(&seq_two_lengths, &from, &seq_one_length, &to, KSTATE_EXACT);
	assert_int_equal(to.nr, 3);
	free_seq(&to);
	to = (struct seq){};
	from.nr2 = 2;
	both_refuse(&seq_two_lengths, &from, &seq_one_length, &to, KSTATE_VALUE, "seq[1].q");
	from.nr2 = 0;
	both_refuse(&seq_two_lengths, &from, &seq_one_length, &to, KSTATE_VALUE, "seq[1].q");
}

/* An integer that the writer does not have hides nothing, wherever it is described */
static void integer_added_before_lengths(void **state)
{
	SEQ(first, NR(KSTATE_DEFAULT(0)), P(nr), Q(nr));
	SEQ(last, P(nr), Q(nr), NR(KSTATE_DEFAULT(0)));
	SEQ(added_first, NR(KSTATE_DEFAULT(0)), P(nr), Q(nr, KSTATE_DEFAULT(0)));
	SEQ(added_last, P(nr), Q(nr, KSTATE_DEFAULT(0)), NR(KSTATE_DEFAULT(0)));
	struct kstate_description *both[] = { &first, &last };
	struct kstate_description *added[] = { &added_first, &added_last };
	struct seq from, to = {};

	for (int i = 0; i < 2; i++) {
		from = (struct seq){ .nr = 3, .p = values, .nr2 = 3, .q = values };
		both_fit(&seq_two_lengths, &from, both[i], &to, KSTATE_EXACT);
		assert_int_equal(to.nr, 3);
		free_seq(&to);
		to = (struct seq){};
		for (from.nr2 = 0; from.nr2 < 3; from.nr2++)
			both_refuse(&seq_two_lengths, &from, both[i], &to, KSTATE_VALUE,
				    "seq[1].q");
		seq_length = 0;
		fill_seq(&from);
		both_fit(&seq_alone, &from, added[i], &to, KSTATE_DEFAULTED);
		seq_length = 3;
		fill_seq(&from);
		to = (struct seq){};
		both_refuse(&seq_alone, &from, added[i], &to, KSTATE_VALUE, "seq[1].q");
	}
}

/* A field and a length of the writer that are one member of the reader */
static void field_and_length_become_one(void **state)
{
	SEQ(apart, NR(), P(nr2));
	struct seq from = { .nr = 2, .nr2 = 2, .p = values }, to = {};

	both_fit(&apart, &from, &seq, &to, KSTATE_EXACT);
	assert_int_equal(to.nr, 2);
	free_seq(&to);
	to = (struct seq){};
	from.nr = 3;
	both_refuse(&apart, &from, &seq, &to, KSTATE_VALUE, "seq[1].p");
	from.nr = 0;
	both_refuse(&apart, &from, &seq, &to, KSTATE_VALUE, "seq[1].p");
}

/* Tags */

struct tagged {
	u32 tag;
	u32 tag2;
	union { u32 x; u64 y; } u;
	union { u32 x; u64 y; } v;
};

struct arm {
	u32 x;
};

KSTATE_DESCRIBE_STATIC(arm_desc, "arm", 1, KSTATE_BASE_TYPE(x, struct arm, u32));
static const struct kstate_arm arms[] = {
	{ "zero", 0, &arm_desc }, { "one", 1, &arm_desc }, { "two", 2, &arm_desc }, { }
};

#define TAG(...)	KSTATE_BASE_TYPE(tag, struct tagged, u32, ##__VA_ARGS__)
#define U(_tag, ...)	KSTATE_UNION(u, struct tagged, _tag, arms, ##__VA_ARGS__)
#define V(_tag, ...)	KSTATE_UNION(v, struct tagged, _tag, arms, ##__VA_ARGS__)

KSTATE_DESCRIBE_STATIC(tag_only, "tagged", 1, TAG());
KSTATE_DESCRIBE_STATIC(tag_added, "tagged", 1, TAG(), U(tag, KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(u_only, "tagged", 1, U(tag));
KSTATE_DESCRIBE_STATIC(tag_range, "tagged", 1, TAG(KSTATE_RANGE(1, 2)), U(tag));
KSTATE_DESCRIBE_STATIC(v_added, "tagged", 1, U(tag), V(tag, KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(two_tags, "tagged", 1, U(tag), V(tag2));
KSTATE_DESCRIBE_STATIC(one_tag, "tagged", 1, U(tag), V(tag));

static void union_added_beside_a_tag(void **state)
{
	struct tagged from = {}, to = { .tag = 2 };

	both_fit(&tag_only, &from, &tag_added, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.tag, 0);
	from.tag = 2;
	to = (struct tagged){ .tag = 1 };
	both_refuse(&tag_only, &from, &tag_added, &to, KSTATE_VALUE, "tagged[1].u");
	from.tag = 77;
	both_refuse(&tag_only, &from, &tag_added, &to, KSTATE_VALUE, "tagged[1].u");
}

static void tag_with_limits(void **state)
{
	struct tagged from = { .tag = 0, .u.x = 5 }, to = {};

	save_refused(&tag_range, &from, KSTATE_VALUE, "tagged[1].tag", "0");
	both_refuse(&u_only, &from, &tag_range, &to, KSTATE_VALUE, "tagged[1].tag");
	from.tag = 2;
	both_fit(&u_only, &from, &tag_range, &to, LOSSLESS);
	assert_int_equal(to.tag, 2);
	assert_int_equal(to.u.x, 5);
}

static void two_unions_with_one_tag(void **state)
{
	struct tagged from = { .tag = 1, .tag2 = 1, .u.x = 5, .v.x = 6 }, to = {};

	both_fit(&two_tags, &from, &one_tag, &to, KSTATE_EXACT);
	assert_int_equal(to.tag, 1);
	to = (struct tagged){};
	from.tag2 = 2;
	both_refuse(&two_tags, &from, &one_tag, &to, KSTATE_VALUE, "tagged[1].v");
	both_refuse(&u_only, &from, &v_added, &to, KSTATE_VALUE, "tagged[1].v");
	from.tag = 0;
	both_fit(&u_only, &from, &v_added, &to, KSTATE_DEFAULTED);
}

static void integer_added_before_tags(void **state)
{
	struct tagged from = { .tag = 1, .tag2 = 1, .u.x = 5, .v.x = 6 }, to = {};
	KSTATE_DESCRIBE_STATIC(first, "tagged", 1, TAG(KSTATE_DEFAULT(0)), U(tag), V(tag));

	both_fit(&two_tags, &from, &first, &to, KSTATE_EXACT);
	assert_int_equal(to.tag, 1);
	to = (struct tagged){};
	from.tag2 = 2;
	both_refuse(&two_tags, &from, &first, &to, KSTATE_VALUE, "tagged[1].v");
}

/* A tag with names is translated wherever it is */

static const struct kstate_flag_name kinds_old[] = {
	{ 0, "zero" }, { 1, "one" }, { 2, "two" }, { }
};
static const struct kstate_flag_name kinds_new[] = {
	{ 0, "zero" }, { 2, "one" }, { 1, "two" }, { }
};
static const struct kstate_arm arms_new[] = {
	{ "zero", 0, &arm_desc }, { "one", 2, &arm_desc }, { "two", 1, &arm_desc }, { }
};

static void tag_with_names(void **state)
{
	KSTATE_DESCRIBE_STATIC(old, "tagged", 1, TAG(KSTATE_ENUM_NAMES(kinds_old)), U(tag));
	KSTATE_DESCRIBE_STATIC(new, "tagged", 1, TAG(KSTATE_ENUM_NAMES(kinds_new)),
		KSTATE_UNION(u, struct tagged, tag, arms_new));
	KSTATE_DESCRIBE_STATIC(behind, "tagged", 1, KSTATE_UNION(u, struct tagged, tag, arms_new),
		TAG(KSTATE_ENUM_NAMES(kinds_new)));
	/* The names have other numbers, the arms do not: what is which cannot be known */
	KSTATE_DESCRIBE_STATIC(torn, "tagged", 1, TAG(KSTATE_ENUM_NAMES(kinds_new)), U(tag));

	for (u32 tag = 0; tag < 3; tag++) {
		struct tagged from = { .tag = tag, .u.x = 7 }, to = {};

		both_fit(&old, &from, &new, &to, KSTATE_CONVERTED);
		assert_int_equal(to.tag, tag ? 3 - tag : 0);
		assert_int_equal(to.u.x, 7);
		to = (struct tagged){};
		both_fit(&old, &from, &behind, &to, KSTATE_CONVERTED);
		assert_int_equal(to.tag, tag ? 3 - tag : 0);
		to = (struct tagged){};
		if (tag)
			both_refuse(&old, &from, &torn, &to, KSTATE_VALUE, "tagged[1].u");
		else
			both_fit(&old, &from, &torn, &to, KSTATE_CONVERTED);
	}
}

/* The number of pages */

struct paged {
	u32 nr;
	struct page *pages;
};

KSTATE_DESCRIBE_STATIC(pages_nr, "paged", 1, KSTATE_BASE_TYPE(nr, struct paged, u32));
KSTATE_DESCRIBE_STATIC(pages_added, "paged", 1, KSTATE_BASE_TYPE(nr, struct paged, u32),
     KSTATE_PAGES(pages, struct paged, nr, KSTATE_DEFAULT(0)));

static void pages_added_beside_a_number(void **state)
{
	struct paged from = {}, to = { .nr = 4 };

	both_fit(&pages_nr, &from, &pages_added, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.nr, 0);
	from.nr = 3;
	both_refuse(&pages_nr, &from, &pages_added, &to, KSTATE_VALUE, "paged[1].pages");
}

/* Lengths that the object holds beside what is absent */
static void stale_lengths(void **state)
{
	SEQ(nothing, KSTATE_BASE_TYPE(fixed[0], struct seq, u16, KSTATE_IGNORABLE));
	SEQ(defaulted, P(nr, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(no_pages, "paged", 1,
		KSTATE_PAGES(pages, struct paged, nr, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(nothing2, "paged", 1,
		KSTATE_BASE_TYPE(nr, struct paged, u32, KSTATE_IGNORABLE,
						 .name = "other"));
	struct seq from = {}, to = { .nr = 5 };
	struct paged pfrom = {}, pto = { .nr = 5 };

	if (carry(&nothing, &from, &defaulted, &to))
		fail_msg("%s", text_of(&err));
	assert_int_equal(to.nr, 0);
	/* Memory that is there stays, and has no elements */
	to = (struct seq){ .nr = 5, .p = values };
	if (carry(&nothing, &from, &defaulted, &to))
		fail_msg("%s", text_of(&err));
	assert_int_equal(to.nr, 0);
	assert_ptr_equal(to.p, values);
	if (carry(&nothing2, &pfrom, &no_pages, &pto))
		fail_msg("%s", text_of(&err));
	assert_int_equal(pto.nr, 0);
}

/* Defaults are the writer's where the writer left something out */

struct engine {
	u32 speed;
	bool turbo;
	u32 boost;
	u16 curve[4];
	char name[8];
	char *label;
	u32 *limit;
	struct list_head list;
	struct arm inner;
	DECLARE_BITMAP(bits, 64);
	u32 tag;
	union { u32 x; } u;
	u64 custom;
};

struct entry {
	u32 x;
	struct list_head link;
};

KSTATE_DESCRIBE_STATIC(entry_desc, "entry", 1, KSTATE_BASE_TYPE(x, struct entry, u32));

static bool turbo(const void *obj)
{
	return ((const struct engine *)obj)->turbo;
}

static int engine_custom_save(struct kstate_stream *s, void *member,
			      const struct kstate_field *field)
{
	return *(u64 *)member ? kstate_put_u64(s, "x", *(u64 *)member) : 0;
}

static int engine_custom_restore(struct kstate_stream *s, void *member,
				 const struct kstate_field *field)
{
	int ret = kstate_get_u64(s, "x", member);

	return ret == -ENOENT ? 0 : ret;
}

#define SPEED	KSTATE_BASE_TYPE(speed, struct engine, u32)
#define BOOST(_dflt) KSTATE_BASE_TYPE(boost, struct engine, u32, KSTATE_DEFAULT(_dflt))
#define CURVE(_dflt) KSTATE_ARRAY(curve, struct engine, u16, KSTATE_DEFAULT(_dflt))

KSTATE_DESCRIBE_STATIC(turbo7, "turbo", 1, BOOST(7), CURVE(17));
KSTATE_DESCRIBE_STATIC(turbo9, "turbo", 1, BOOST(9), CURVE(19));
KSTATE_DESCRIBE_STATIC(engine7, "engine", 1, SPEED, KSTATE_GROUP(turbo, &turbo7, turbo));
KSTATE_DESCRIBE_STATIC(engine9, "engine", 1, SPEED, KSTATE_GROUP(turbo, &turbo9, turbo));
KSTATE_DESCRIBE_STATIC(engine, "engine", 1, SPEED);

static void fill_engine(void *obj)
{
	struct engine *e = obj;

	*e = (struct engine){ .speed = 3, .boost = 7 };
	INIT_LIST_HEAD(&e->list);
	for (int i = 0; i < 4; i++)
		e->curve[i] = 17;
}

static void absent_group_gets_the_defaults_of_the_writer(void **state)
{
	struct engine from, to = {};

	fill_engine(&from);
	if (carry(&engine7, &from, &engine9, &to))
		fail_msg("%s", text_of(&err));
	assert_int_equal(to.boost, 7);
	for (int i = 0; i < 4; i++)
		assert_int_equal(to.curve[i], 17);
	/* With no group at all, they are the reader's */
	to = (struct engine){};
	both_fit(&engine, &from, &engine9, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.boost, 9);
	assert_int_equal(to.curve[3], 19);
	/* Not needed and at its defaults, it is no obstacle to those who do not know it */
	to = (struct engine){};
	if (carry(&engine7, &from, &engine, &to))
		fail_msg("%s", text_of(&err));
}

static const struct kstate_arm arms_backwards[] = {
	{ "two", 2, &arm_desc }, { "one", 1, &arm_desc }, { "zero", 0, &arm_desc }, { }
};

/* The first arm is a default as well */
static void absent_group_with_another_first_arm(void **state)
{
	KSTATE_DESCRIBE_STATIC(group, "g", 1,
		KSTATE_UNION(u, struct engine, tag, arms, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(group2, "g", 1,
		KSTATE_UNION(u, struct engine, tag, arms_backwards, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(writer, "engine", 1, SPEED, KSTATE_GROUP(g, &group, turbo));
	KSTATE_DESCRIBE_STATIC(reader, "engine", 1, SPEED, KSTATE_GROUP(g, &group2, turbo));
	struct engine from, to = { .tag = 1 };

	fill_engine(&from);
	if (carry(&writer, &from, &reader, &to))
		fail_msg("%s", text_of(&err));
	assert_int_equal(to.tag, 0);
}

/* A group that is not needed, although there is something in it, is saved */

static u32 three = 3;
static struct entry one_entry;

enum { IN_INT, IN_ARRAY, IN_TEXT, IN_LABEL, IN_POINTER, IN_LIST, IN_STRUCT, IN_BITMAP, IN_UNION,
       IN_UNION_ARM, IN_CUSTOM, NR_IN };

static void not_needed_but_used(void **state)
{
	KSTATE_DESCRIBE_STATIC(group, "turbo", 1, BOOST(7), CURVE(17),
	     KSTATE_STRING(name, struct engine, KSTATE_DEFAULT(0)),
	     KSTATE_STRING(label, struct engine, KSTATE_DEFAULT(0)),
	     KSTATE_POINTER(limit, struct engine, KSTATE_ALLOC, KSTATE_DEFAULT(0)),
	     KSTATE_LIST(list, struct engine, struct entry, link, &entry_desc, KSTATE_DEFAULT(0)),
	     KSTATE_STRUCT(inner, struct engine, &arm_desc, KSTATE_DEFAULT(0)),
	     KSTATE_BITMAP(bits, struct engine, 64, KSTATE_DEFAULT(0)),
	     KSTATE_UNION(u, struct engine, tag, arms, KSTATE_DEFAULT(0)),
	     KSTATE_CUSTOM(custom, struct engine, engine_custom_save, engine_custom_restore,
			   KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(outer_group, "outer", 1, KSTATE_GROUP(turbo, &group, turbo));
	KSTATE_DESCRIBE_STATIC(desc, "engine", 1, SPEED, KSTATE_GROUP(turbo, &group, turbo));
	KSTATE_DESCRIBE_STATIC(nested, "engine", 1, SPEED, KSTATE_GROUP(g, &outer_group, turbo));
	struct kstate_description *descs[] = { &desc, &nested };

	for (int d = 0; d < 2; d++) {
		for (int in = 0; in < NR_IN; in++) {
			struct engine from, to = {}, plain = {};
			struct kstate_set *set;

			fill_engine(&from);
			if (in == IN_INT)
				from.boost = 8;
			if (in == IN_ARRAY)
				from.curve[3] = 0;
			if (in == IN_TEXT)
				strscpy(from.name, "name");
			if (in == IN_LABEL)
				from.label = "label";
			if (in == IN_POINTER)
				from.limit = &three;
			if (in == IN_LIST)
				list_add(&one_entry.link, &from.list);
			if (in == IN_STRUCT)
				from.inner.x = 1;
			if (in == IN_BITMAP)
				from.bits[0] = 1UL << 63;
			if (in == IN_UNION)
				from.tag = 1;
			if (in == IN_UNION_ARM)
				from.u.x = 1;
			if (in == IN_CUSTOM)
				from.custom = 5;
			INIT_LIST_HEAD(&to.list);
			if (carry(descs[d], &from, descs[d], &to))
				fail_msg("%d: %s", in, text_of(&err));
			if (to.boost != from.boost || memcmp(to.curve, from.curve, 8) ||
			    strcmp(to.name, from.name) || !to.label != !from.label ||
			    !to.limit != !from.limit || (to.limit && *to.limit != 3) ||
			    list_empty(&to.list) != list_empty(&from.list) ||
			    to.inner.x != from.inner.x || to.bits[0] != from.bits[0] ||
			    to.tag != from.tag || to.u.x != from.u.x || to.custom != from.custom)
				fail_msg("%d: lost", in);
			kvfree(to.label);
			kvfree(to.limit);
			if (!list_empty(&to.list))
				kvfree(list_first_entry(&to.list, struct entry, link));

			/* Who does not know the group refuses it */
			set = saved(descs[d], &from);
			if (!check_and_restore(set, &engine, &plain))
				fail_msg("%d: dropped", in);
			assert_int_equal(err.reason, KSTATE_VALUE);
			kstate_set_destroy(set);
		}
	}
}

/* A group inside of an absent group that the writer does not have */
static void absent_group_with_a_new_group(void **state)
{
	KSTATE_DESCRIBE_STATIC(curve, "curve", 1, CURVE(19));
	KSTATE_DESCRIBE_STATIC(group, "turbo", 1, BOOST(9), KSTATE_GROUP(curve, &curve, turbo));
	KSTATE_DESCRIBE_STATIC(reader, "engine", 1, SPEED, KSTATE_GROUP(turbo, &group, turbo));
	KSTATE_DESCRIBE_STATIC(boost, "turbo", 1, BOOST(7));
	KSTATE_DESCRIBE_STATIC(writer, "engine", 1, SPEED, KSTATE_GROUP(turbo, &boost, turbo));
	struct engine from, to = {};

	fill_engine(&from);
	if (carry(&writer, &from, &reader, &to))
		fail_msg("%s", text_of(&err));
	assert_int_equal(to.boost, 7);
	assert_int_equal(to.curve[0], 19);
	assert_int_equal(to.curve[3], 19);
}

/* A pointer in a group where the other kernel has a group in it: no fit, and no crash */
static void pointer_that_becomes_a_group(void **state)
{
	KSTATE_DESCRIBE_STATIC(curve, "curve", 1, CURVE(19));
	KSTATE_DESCRIBE_STATIC(group, "turbo", 1, KSTATE_GROUP(x, &curve, turbo));
	KSTATE_DESCRIBE_STATIC(reader, "engine", 1, SPEED, KSTATE_GROUP(turbo, &group, turbo));
	KSTATE_DESCRIBE_STATIC(pointer, "turbo", 1,
		KSTATE_POINTER(limit, struct engine, KSTATE_DEFAULT(0), .name = "x"));
	KSTATE_DESCRIBE_STATIC(writer, "engine", 1, SPEED, KSTATE_GROUP(turbo, &pointer, turbo));
	struct engine from, to = {};

	fill_engine(&from);
	if (!carry(&writer, &from, &reader, &to))
		fail_msg("not refused");
	error_is(KSTATE_BLOCKED, "engine[1].turbo.x", NULL);
}

/* Integers of another type, alone in structs that are allocated at once */
static void one_integer_in_a_struct(void **state)
{
	struct narrow { u64 skip; s8 x[2]; };
	struct wide { u32 skip; s16 x[2]; };
	struct narrows { u32 nr; struct narrow *a; };
	struct wides { struct wide *a; u32 nr; };
	KSTATE_DESCRIBE_STATIC(narrow, "n", 1, KSTATE_ARRAY(x, struct narrow, s8));
	KSTATE_DESCRIBE_STATIC(wide, "n", 1, KSTATE_ARRAY(x, struct wide, s16));
	KSTATE_DESCRIBE_STATIC(writer, "ns", 1,
		KSTATE_STRUCT_VARRAY(a, struct narrows, nr, &narrow));
	KSTATE_DESCRIBE_STATIC(reader, "ns", 1,
		KSTATE_STRUCT_VARRAY(a, struct wides, nr, &wide, KSTATE_ALLOC));
	struct narrow a[3] = { { 9, { 1, -2 } }, { 9, { 3, -4 } }, { 9, { 5, -6 } } };
	struct narrows from = { 3, a };
	struct wides to = {};

	both_fit(&writer, &from, &reader, &to, KSTATE_CONVERTED);
	assert_int_equal(to.nr, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(to.a[i].skip, 0);
		assert_int_equal(to.a[i].x[0], a[i].x[0]);
		assert_int_equal(to.a[i].x[1], a[i].x[1]);
	}
	kvfree(to.a);
}

/* Names that are used again */

struct disk {
	u64 sectors;
	u32 cyl;
	u64 cyl64;
	s16 cyl16;
	u32 cyls[2];
	char text[8];
	u32 *pointer;
};

#define SECTORS	KSTATE_BASE_TYPE(sectors, struct disk, u64)
#define X(_f, _type, ...) \
	KSTATE_BASE_TYPE(_f, struct disk, _type, .name = "x", ##__VA_ARGS__)

KSTATE_DESCRIBE_STATIC(disk_x, "disk", 1, SECTORS, X(cyl, u32, KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(disk_required, "disk", 1, SECTORS, X(cyl, u32));
KSTATE_DESCRIBE_STATIC(disk_x16, "disk", 1, SECTORS, X(cyl16, s16, KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(disk_x64, "disk", 1, SECTORS, X(cyl64, u64, KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(disk_xs, "disk", 1, SECTORS, X(cyls, u32 [2]));
KSTATE_DESCRIBE_STATIC(disk_text, "disk", 1,
	SECTORS, KSTATE_STRING(text, struct disk, .name = "x"));
KSTATE_DESCRIBE_STATIC(disk_pointer, "disk", 1,
	SECTORS, KSTATE_POINTER(pointer, struct disk, .name = "x"));
KSTATE_DESCRIBE_STATIC(removed, "disk", 1, SECTORS, KSTATE_REMOVED("x"));
KSTATE_DESCRIBE_STATIC(removed_u32, "disk", 1,
	SECTORS, KSTATE_REMOVED("x", KSTATE_WAS(u32), KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(removed_u32s, "disk", 1,
	SECTORS, KSTATE_REMOVED("x", KSTATE_WAS(u32 [2]), KSTATE_DEFAULT(0)));

static void removed_field_at_its_default(void **state)
{
	struct disk from = { .sectors = 9 }, to = {};

	both_fit(&disk_x, &from, &removed, &to, KSTATE_DEFAULTED);
	both_fit(&disk_x, &from, &removed_u32, &to, KSTATE_DEFAULTED);
	both_fit(&disk_required, &from, &removed_u32, &to, KSTATE_DEFAULTED);
	both_fit(&disk_xs, &from, &removed_u32s, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.sectors, 9);
}

static void removed_field_in_use(void **state)
{
	struct disk from = { .sectors = 9, .cyl = 5, .cyls = { 0, 5 } }, to = {};

	both_fit(&disk_x, &from, &removed, &to, KSTATE_LOSSY);
	both_fit(&disk_x, &from, &removed_u32, &to, KSTATE_LOSSY);
	both_fit(&disk_required, &from, &removed_u32, &to, KSTATE_LOSSY);
	both_fit(&disk_xs, &from, &removed_u32s, &to, KSTATE_LOSSY);
	assert_int_equal(to.sectors, 9);
}

/* Another type under the name is not what was removed, whatever its value */
static void removed_name_used_again(void **state)
{
	u32 there = 3;
	struct disk from = { .sectors = 9, .cyl16 = 5, .text = "new", .pointer = &there }, to = {};
	struct kstate_description *writers[] = {
		&disk_x16, &disk_x64, &disk_xs, &disk_text, &disk_pointer,
	};

	for (int i = 0; i < ARRAY_SIZE(writers); i++) {
		both_refuse(writers[i], &from, &removed_u32, &to, KSTATE_BLOCKED, "disk[1].x");
		if (writers[i] != &disk_xs)
			both_refuse(writers[i], &from, &removed_u32s, &to, KSTATE_BLOCKED,
				    "disk[1].x");
	}
	both_refuse(&disk_x, &from, &removed_u32s, &to, KSTATE_BLOCKED, "disk[1].x");
	from = (struct disk){ .sectors = 9 };
	both_refuse(&disk_x16, &from, &removed_u32, &to, KSTATE_BLOCKED, "disk[1].x");
}

/* In a struct and in a list */
static void removed_deeper(void **state)
{
	struct tower { struct disk disk; struct list_head list; } from, to;
	struct node { struct disk disk; struct list_head link; } node = { .disk.cyl = 5 };
	KSTATE_DESCRIBE_STATIC(node_x, "node", 1, KSTATE_STRUCT(disk, struct node, &disk_x));
	KSTATE_DESCRIBE_STATIC(node_x16, "node", 1, KSTATE_STRUCT(disk, struct node, &disk_x16));
	KSTATE_DESCRIBE_STATIC(node_removed, "node", 1,
		KSTATE_STRUCT(disk, struct node, &removed_u32));
	KSTATE_DESCRIBE_STATIC(list_x, "tower", 1,
		KSTATE_LIST(list, struct tower, struct node, link, &node_x));
	KSTATE_DESCRIBE_STATIC(list_x16, "tower", 1,
		KSTATE_LIST(list, struct tower, struct node, link, &node_x16));
	KSTATE_DESCRIBE_STATIC(list_removed, "tower", 1,
	     KSTATE_LIST(list, struct tower, struct node, link, &node_removed));
	KSTATE_DESCRIBE_STATIC(one_x, "tower", 1, KSTATE_STRUCT(disk, struct tower, &disk_x));
	KSTATE_DESCRIBE_STATIC(one_removed, "tower", 1,
		KSTATE_STRUCT(disk, struct tower, &removed_u32));

	memset(&from, 0, sizeof(from));
	memset(&to, 0, sizeof(to));
	INIT_LIST_HEAD(&from.list);
	INIT_LIST_HEAD(&to.list);
	both_fit(&one_x, &from, &one_removed, &to, KSTATE_DEFAULTED);
	from.disk.cyl = 1;
	both_fit(&one_x, &from, &one_removed, &to, KSTATE_LOSSY);
	list_add(&node.link, &from.list);
	both_fit(&list_x, &from, &list_removed, &to, KSTATE_LOSSY);
	kvfree(list_first_entry(&to.list, struct node, link));
	INIT_LIST_HEAD(&to.list);
	if (!carry(&list_x16, &from, &list_removed, &to))
		fail_msg("not refused");
	error_is(KSTATE_BLOCKED, "tower[1].list.disk.x", NULL);
}

static void ignorable_field(void **state)
{
	KSTATE_DESCRIBE_STATIC(ignorable, "disk", 1,
		SECTORS, X(cyl, u32, KSTATE_DEFAULT(4), KSTATE_IGNORABLE));
	KSTATE_DESCRIBE_STATIC(no_default, "disk", 1, SECTORS, X(cyl, u32, KSTATE_IGNORABLE));
	KSTATE_DESCRIBE_STATIC(reader, "disk", 1, SECTORS);
	struct disk from = { .sectors = 9, .cyl = 4 }, to = {};

	both_fit(&ignorable, &from, &reader, &to, KSTATE_DEFAULTED);
	from.cyl = 0;
	both_fit(&ignorable, &from, &reader, &to, KSTATE_LOSSY);
	from.cyl = 5;
	both_fit(&ignorable, &from, &reader, &to, KSTATE_LOSSY);
	both_fit(&no_default, &from, &reader, &to, KSTATE_LOSSY);
}

static void was_of_no_removed_field(void **state)
{
	KSTATE_DESCRIBE_STATIC(max, "disk", 1,
		SECTORS, KSTATE_REMOVED("x", KSTATE_WAS(u8), KSTATE_DEFAULT(0), .dflt = 256));

	description_refused(&max, "disk.x");
}

/* Flags and enumerations by name */

struct caps {
	u32 flags;
	u16 more[3];
	u8 mode;
	s32 level;
	u16 *varray;
	u8 nr;
};

static const struct kstate_flag_name csum_gso[] = {
	{ 1, "csum" }, { 2, "gso" }, { 0x100, "tso" }, { }
};
static const struct kstate_flag_name gso_csum[] = {
	{ 1, "gso" }, { 2, "csum" }, { 0x200, "tso" }, { }
};
static const struct kstate_flag_name no_tso[] = {
	{ 1, "csum" }, { 2, "gso" }, { 0x100, "lro" }, { }
};

#define FLAGS(_table, ...)						\
	KSTATE_BASE_TYPE(flags, struct caps, u32, KSTATE_FLAG_NAMES(_table), ##__VA_ARGS__), \
	KSTATE_ARRAY(more, struct caps, u16, KSTATE_FLAG_NAMES(_table)), \
	KSTATE_VARRAY(varray, struct caps, nr, KSTATE_ALLOC, KSTATE_FLAG_NAMES(_table))

KSTATE_DESCRIBE_STATIC(caps_old, "caps", 1, FLAGS(csum_gso));
KSTATE_DESCRIBE_STATIC(caps_new, "caps", 1, FLAGS(gso_csum));
KSTATE_DESCRIBE_STATIC(caps_plain, "caps", 1,
     KSTATE_BASE_TYPE(flags, struct caps, u32), KSTATE_ARRAY(more, struct caps, u16),
     KSTATE_VARRAY(varray, struct caps, nr, KSTATE_ALLOC));
KSTATE_DESCRIBE_STATIC(caps_lro, "caps", 1, FLAGS(no_tso));
KSTATE_DESCRIBE_STATIC(caps_masked, "caps", 1, FLAGS(gso_csum, KSTATE_MASK(0x201)));

static void flags_of_other_numbers(void **state)
{
	static const u32 pairs[][2] = {
		{ 0, 0 }, { 1, 2 }, { 2, 1 }, { 3, 3 }, { 0x100, 0x200 }, { 0x101, 0x202 },
		/* Bits without a name are what they are */
		{ 0x8000, 0x8000 }, { 0x8001, 0x8002 },
	};

	for (int i = 0; i < ARRAY_SIZE(pairs); i++) {
		for (int way = 0; way < 2; way++) {
			u32 a = pairs[i][way], b = pairs[i][!way];
			u16 array[2] = { 0, a };
			struct caps to = {}, from = {
				.flags = a, .more = { a, 0, a }, .varray = array, .nr = 2,
			};

			both_fit(way ? &caps_new : &caps_old, &from, way ? &caps_old : &caps_new,
				 &to, KSTATE_CONVERTED);
			assert_int_equal(to.flags, b);
			assert_int_equal(to.more[0], b);
			assert_int_equal(to.more[1], 0);
			assert_int_equal(to.more[2], b);
			assert_int_equal(to.varray[1], b);
			kvfree(to.varray);
		}
	}
}

/* What the same bit means is not the same */
static void flag_of_another_name(void **state)
{
	struct caps from = { .flags = 3 }, to = {};

	if (carry(&caps_old, &from, &caps_lro, &to))
		fail_msg("%s", text_of(&err));
	assert_int_equal(to.flags, 3);
	to = (struct caps){};
	from.flags = 0x100;
	both_refuse(&caps_old, &from, &caps_lro, &to, KSTATE_VALUE, "caps[1].flags");
	from.flags = 0;
	from.more[1] = 0x100;
	both_refuse(&caps_old, &from, &caps_lro, &to, KSTATE_VALUE, "caps[1].more[1]");
}

/* Limits are those of the reader, of the reader's numbers */
static void flags_are_limited_as_translated(void **state)
{
	struct caps from = { .flags = 0x102 }, to = {};

	both_fit(&caps_old, &from, &caps_masked, &to, KSTATE_CONVERTED);
	assert_int_equal(to.flags, 0x201);
	to = (struct caps){};
	from.flags = 0x1;
	both_refuse(&caps_old, &from, &caps_masked, &to, KSTATE_VALUE, "caps[1].flags");
}

/* Names on one side, or the same on both, change nothing */
static void flags_that_need_no_translation(void **state)
{
	struct caps from = { .flags = 0x103 }, to = {};

	both_fit(&caps_old, &from, &caps_old, &to, KSTATE_EXACT);
	both_fit(&caps_old, &from, &caps_plain, &to, KSTATE_EXACT);
	both_fit(&caps_plain, &from, &caps_old, &to, KSTATE_EXACT);
	assert_int_equal(to.flags, 0x103);
}

static const struct kstate_flag_name modes_old[] = {
	{ 0, "off" }, { 1, "on" }, { 2, "auto" }, { (u64)-1, "broken" }, { }
};
static const struct kstate_flag_name modes_new[] = {
	{ 0, "auto" }, { 1, "off" }, { 7, "on" }, { (u64)-2, "broken" }, { }
};
static const struct kstate_flag_name modes_fewer[] = { { 0, "off" }, { 1, "on" }, { } };

#define LEVEL(_table, ...) \
	KSTATE_BASE_TYPE(level, struct caps, s32, KSTATE_ENUM_NAMES(_table), ##__VA_ARGS__)

KSTATE_DESCRIBE_STATIC(level_old, "caps", 1, LEVEL(modes_old));
KSTATE_DESCRIBE_STATIC(level_new, "caps", 1, LEVEL(modes_new));
KSTATE_DESCRIBE_STATIC(level_fewer, "caps", 1, LEVEL(modes_fewer));
KSTATE_DESCRIBE_STATIC(level_limited, "caps", 1, LEVEL(modes_new, KSTATE_RANGE(0, 1)));

static void enum_of_other_numbers(void **state)
{
	static const s32 pairs[][2] = { { 0, 1 }, { 1, 7 }, { 2, 0 }, { -1, -2 } };

	for (int i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct caps from = { .level = pairs[i][0] }, to = { .level = 99 };

		both_fit(&level_old, &from, &level_new, &to, KSTATE_CONVERTED);
		assert_int_equal(to.level, pairs[i][1]);
		from.level = pairs[i][1];
		both_fit(&level_new, &from, &level_old, &to, KSTATE_CONVERTED);
		assert_int_equal(to.level, pairs[i][0]);
	}
}

static void enum_without_a_name_here(void **state)
{
	struct caps from = { .level = 2 }, to = { .level = 99 };

	both_refuse(&level_old, &from, &level_fewer, &to, KSTATE_VALUE, "caps[1].level");
	from.level = 1;
	if (carry(&level_old, &from, &level_fewer, &to))
		fail_msg("%s", text_of(&err));
	assert_int_equal(to.level, 1);
	/* A number of which the writer does not know what it means, either */
	from.level = 55;
	both_refuse(&level_old, &from, &level_new, &to, KSTATE_VALUE, "caps[1].level");
	from.level = 1;
	both_refuse(&level_old, &from, &level_limited, &to, KSTATE_VALUE, "caps[1].level");
}

/* Another size and other numbers at once, deeper than at the top */
static void enum_of_another_type(void **state)
{
	struct wide { u8 level; };
	KSTATE_DESCRIBE_STATIC(narrow, "caps", 1,
	     KSTATE_BASE_TYPE(level, struct wide, u8, KSTATE_ENUM_NAMES(modes_fewer)));
	static const struct kstate_flag_name shifted[] = { { 300, "on" }, { 301, "off" }, { } };
	struct tower { struct wide w[2]; } from = { { { 1 }, { 0 } } };
	struct tower_caps { struct caps w[2]; } to = {};
	KSTATE_DESCRIBE_STATIC(wide, "caps", 1,
	     KSTATE_BASE_TYPE(level, struct caps, s32, KSTATE_ENUM_NAMES(shifted)));
	KSTATE_DESCRIBE_STATIC(towers, "tower", 1, KSTATE_STRUCT_ARRAY(w, struct tower, &narrow));
	KSTATE_DESCRIBE_STATIC(tower_of_caps, "tower", 1,
		KSTATE_STRUCT_ARRAY(w, struct tower_caps, &wide));

	both_fit(&towers, &from, &tower_of_caps, &to, KSTATE_CONVERTED);
	assert_int_equal(to.w[0].level, 300);
	assert_int_equal(to.w[1].level, 301);
}

/* A bit that leaves the mask, or comes into it, by its name */
static void named_bits_and_limits(void **state)
{
	static const struct kstate_flag_name ab[] = { { 1, "a" }, { 2, "b" }, { } };
	static const struct kstate_flag_name moved[] = { { 1, "a" }, { 4, "b" }, { } };
#define MASKED(_desc, _table, ...)						\
	KSTATE_DESCRIBE_STATIC(_desc, "caps", 1, KSTATE_BASE_TYPE(flags, struct caps, u32,	\
		KSTATE_FLAG_NAMES(_table), __VA_ARGS__))
	MASKED(old, ab, KSTATE_MASK(3));
	MASKED(leaves, moved, KSTATE_MASK(3));
	MASKED(comes, moved, KSTATE_MASK(5));
	MASKED(range, moved, KSTATE_RANGE(0, 4));
	MASKED(wide, moved, KSTATE_RANGE(0, 5));

	for (u32 flags = 0; flags < 4; flags++) {
		struct caps from = { .flags = flags }, to = {};
		u32 there = (flags & 1) | (flags & 2) << 1;

		both_fit(&old, &from, &comes, &to, KSTATE_CONVERTED);
		assert_int_equal(to.flags, there);
		both_fit(&old, &from, &wide, &to, KSTATE_CONVERTED);
		assert_int_equal(to.flags, there);
		to = (struct caps){};
		if (flags & 2)
			both_refuse(&old, &from, &leaves, &to, KSTATE_VALUE, "caps[1].flags");
		else
			both_fit(&old, &from, &leaves, &to, KSTATE_CONVERTED);
		to = (struct caps){};
		if (there > 4)
			both_refuse(&old, &from, &range, &to, KSTATE_VALUE, "caps[1].flags");
		else
			both_fit(&old, &from, &range, &to, KSTATE_CONVERTED);
	}
}

/* A name of several bits moves as a whole, a wide one before what is a part of it */
static void names_of_several_bits(void **state)
{
	static const struct kstate_flag_name low[] = { { 0xf, "mode" }, { 0x10, "x" }, { } };
	static const struct kstate_flag_name high[] = { { 0xf0, "mode" }, { 0x1, "x" }, { } };
	static const struct kstate_flag_name part[] = { { 1, "a" }, { 3, "ab" }, { } };
	static const struct kstate_flag_name part_moved[] = { { 4, "a" }, { 3, "ab" }, { } };
	MASKED(mode_low, low);
	MASKED(mode_high, high);
	MASKED(parts, part);
	MASKED(parts_moved, part_moved);
	static const u32 pairs[][2] = { { 0, 0 }, { 1, 4 }, { 2, 2 }, { 3, 3 } };
	struct caps from, to;

	for (u32 flags = 0; flags < 32; flags++) {
		from = (struct caps){ .flags = flags };
		to = (struct caps){};
		if (flags % 16 == 0 || flags % 16 == 15) {
			both_fit(&mode_low, &from, &mode_high, &to, KSTATE_CONVERTED);
			assert_int_equal(to.flags, (flags & 0xf) << 4 | flags >> 4);
		} else {
			both_refuse(&mode_low, &from, &mode_high, &to, KSTATE_VALUE,
				    "caps[1].flags");
		}
	}
	for (int i = 0; i < ARRAY_SIZE(pairs); i++) {
		from = (struct caps){ .flags = pairs[i][0] };
		to = (struct caps){};
		both_fit(&parts, &from, &parts_moved, &to, KSTATE_CONVERTED);
		assert_int_equal(to.flags, pairs[i][1]);
	}
}

/* One of several values is not made of bits: only where the numbers are the same, it means the same */
static void values_become_bits(void **state)
{
	static const struct kstate_flag_name ab[] = { { 1, "a" }, { 2, "b" }, { } };
	static const struct kstate_flag_name ba[] = { { 2, "a" }, { 1, "b" }, { } };
	KSTATE_DESCRIBE_STATIC(value, "caps", 1, LEVEL(ab));
	KSTATE_DESCRIBE_STATIC(same, "caps", 1,
		KSTATE_BASE_TYPE(level, struct caps, s32, KSTATE_FLAG_NAMES(ab)));
	KSTATE_DESCRIBE_STATIC(other, "caps", 1,
		KSTATE_BASE_TYPE(level, struct caps, s32, KSTATE_FLAG_NAMES(ba)));

	for (s32 level = 1; level < 3; level++) {
		struct caps from = { .level = level }, to = {};

		both_fit(&value, &from, &same, &to, KSTATE_EXACT);
		both_fit(&same, &from, &value, &to, KSTATE_EXACT);
		assert_int_equal(to.level, level);
		to = (struct caps){};
		both_refuse(&value, &from, &other, &to, KSTATE_VALUE, "caps[1].level");
		both_refuse(&other, &from, &value, &to, KSTATE_VALUE, "caps[1].level");
	}
}

static void names_that_make_no_sense(void **state)
{
	static const struct kstate_flag_name names[] = { { 1, "a" }, { 2, "a" }, { } };
	/* Two names for one value are two names for the same */
	static const struct kstate_flag_name same[] = { { 1, "a" }, { 1, "b" }, { } };
	KSTATE_DESCRIBE_STATIC(name_twice, "caps", 1, LEVEL(names));
	KSTATE_DESCRIBE_STATIC(value_twice, "caps", 1, LEVEL(same));

	bad_description(&name_twice, sizeof(struct caps), "level");
	good_description(&value_twice, sizeof(struct caps));
}

/* Functions, and what the object's pointers hold */

struct hooked {
	u32 *p;
	char *text;
	struct arm *arm;
	u32 *pointers[2];
	u16 nr;
	u16 *varray;
	u16 fixed[4];
	u32 tag;
	union { u32 x; } u;
	u32 nr_pages;
	struct page *pages;
	u32 plain;
};

static int null_absent(void *member, const struct kstate_field *field)
{
	return 0;
}

static int null_convert(void *member, const struct kstate_value *from,
			const struct kstate_field *field)
{
	return 0;
}

static int none(const void *obj)
{
	return 0;
}

#define H	struct hooked
KSTATE_DESCRIBE_STATIC(no_hooked, "hooked", 1, KSTATE_BASE_TYPE(plain, H, u32));

#define HOOKED(_name, ...) \
	KSTATE_DESCRIBE_STATIC(_name, "hooked", 1, KSTATE_BASE_TYPE(plain, H, u32), __VA_ARGS__)

static void function_beside_a_length(void **state)
{
#define no_function(_path, ...) do {					\
	KSTATE_DESCRIBE_STATIC(__desc, "hooked", 1, __VA_ARGS__);				\
	bad_description(&__desc, sizeof(H), _path);			\
} while (0)
	no_function("varray", KSTATE_VARRAY(varray, H, nr, KSTATE_ABSENT(null_absent)));
	no_function("varray", KSTATE_VARRAY(varray, H, nr, KSTATE_CONVERT(null_convert)));
	no_function("fixed", KSTATE_VARRAY(fixed, H, nr, KSTATE_ABSENT(null_absent)));
	no_function("fixed", KSTATE_VARRAY(fixed, H, nr, KSTATE_CONVERT(null_convert)));
	no_function("u", KSTATE_UNION(u, H, tag, arms, KSTATE_ABSENT(null_absent)));
	no_function("u", KSTATE_UNION(u, H, tag, arms, KSTATE_CONVERT(null_convert)));
	no_function("pages", KSTATE_PAGES(pages, H, nr_pages, KSTATE_ABSENT(null_absent)));
	no_function("pages", KSTATE_PAGES(pages, H, nr_pages, KSTATE_CONVERT(null_convert)));
	no_function("pointers", KSTATE_ARRAY_OF_POINTER(pointers, H, KSTATE_ABSENT(null_absent),
			.length = { offsetof(H, nr), KS_U16 }));
	{
		HOOKED(good, KSTATE_VARRAY_FN(varray, H, none, KSTATE_ABSENT(null_absent)),
		       KSTATE_POINTER(p, H, KSTATE_ABSENT(null_absent),
				      KSTATE_CONVERT(null_convert)));

		good_description(&good, sizeof(H));
	}
}

static struct arm an_arm = { 5 };

/* What the object's pointer leads to would be lost */
static void function_on_a_pointer(void **state)
{
	HOOKED(absent_p, KSTATE_POINTER(p, H, KSTATE_ABSENT(null_absent)));
	HOOKED(absent_text, KSTATE_STRING(text, H, KSTATE_ABSENT(null_absent)));
	HOOKED(absent_arm, KSTATE_STRUCT_POINTER(arm, H, &arm_desc, KSTATE_ABSENT(null_absent)));
	HOOKED(absent_ps, KSTATE_ARRAY_OF_POINTER(pointers, H, KSTATE_ABSENT(null_absent)));
	HOOKED(absent_fn, KSTATE_VARRAY_FN(varray, H, none, KSTATE_ABSENT(null_absent)));
	HOOKED(other_p, KSTATE_STRING(text, H, .name = "p"));
	HOOKED(convert_p, KSTATE_POINTER(p, H, KSTATE_CONVERT(null_convert)));
	HOOKED(other_text, KSTATE_POINTER(p, H, .name = "text"));
	HOOKED(convert_text, KSTATE_STRING(text, H, KSTATE_CONVERT(null_convert)));
	const struct {
		struct kstate_description *writer, *reader;
		H to;
		const char *path;
	} trials[] = {
		{ &no_hooked, &absent_p, { .p = &three }, "hooked[1].p" },
		{ &no_hooked, &absent_text, { .text = "x" }, "hooked[1].text" },
		{ &no_hooked, &absent_arm, { .arm = &an_arm }, "hooked[1].arm" },
		{ &no_hooked, &absent_ps, { .pointers = { NULL, &three } }, "hooked[1].pointers" },
		{ &no_hooked, &absent_fn, { .varray = values }, "hooked[1].varray" },
		{ &other_p, &convert_p, { .p = &three }, "hooked[1].p" },
		{ &other_text, &convert_text, { .text = "x" }, "hooked[1].text" },
	};

	for (int i = 0; i < ARRAY_SIZE(trials); i++) {
		H from = { .plain = 8 }, to = trials[i].to;
		struct kstate_set *set = saved(trials[i].writer, &from);

		if (!check_and_restore(set, trials[i].reader, &to))
			fail_msg("%s: not refused", trials[i].path);
		error_is(KSTATE_NO_ROOM, trials[i].path, NULL);
		assert_memory_equal(&to, &trials[i].to, sizeof(to));
		to = (H){};
		if (check_and_restore(set, trials[i].reader, &to))
			fail_msg("%s", text_of(&err));
		assert_int_equal(to.plain, 8);
		kstate_set_destroy(set);
	}
}

/* KSTATE_EQUAL in what restoring allocates */

struct owner {
	struct list_head list;
	struct xarray xarray;
	struct arm *pointer;
	struct arm *varray;
	struct arm *pointers[2];
	u32 nr;
	struct arm inner;
};

KSTATE_DESCRIBE_STATIC(equal_desc, "equal", 1, KSTATE_BASE_TYPE(x, struct arm, u32, KSTATE_EQUAL));
KSTATE_DESCRIBE_STATIC(equal_entry_desc, "equal", 1,
	KSTATE_BASE_TYPE(x, struct entry, u32, KSTATE_EQUAL));

static void equal_init(void *obj)
{
	((struct arm *)obj)->x = 5;
}

static bool always(const void *obj)
{
	return true;
}

static void equal_in_what_is_allocated(void **state)
{
	struct inside { struct arm arm; };
	KSTATE_DESCRIBE_STATIC(inside, "inside", 1, KSTATE_STRUCT(arm, struct inside, &equal_desc));
	KSTATE_DESCRIBE_STATIC(group, "group", 1,
	     KSTATE_BASE_TYPE(x, struct arm, u32, KSTATE_EQUAL, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(grouping, "grouping", 1, KSTATE_GROUP(g, &group, always));

#define no_equal(_path, ...) do {					\
	KSTATE_DESCRIBE_STATIC(__desc, "owner", 1, __VA_ARGS__);				\
	description_refused(&__desc, "owner." _path);			\
} while (0)
	no_equal("list", KSTATE_LIST(list, struct owner, struct entry, link, &equal_entry_desc));
	no_equal("xarray", KSTATE_XARRAY(xarray, struct owner, struct arm, &equal_desc));
	no_equal("pointer", KSTATE_STRUCT_POINTER(pointer, struct owner, &equal_desc,
						  KSTATE_ALLOC));
	no_equal("varray", KSTATE_STRUCT_VARRAY(varray, struct owner, nr, &equal_desc,
						KSTATE_ALLOC));
	no_equal("pointers", KSTATE_ARRAY_OF_STRUCT_POINTER(pointers, struct owner, &equal_desc,
							    KSTATE_ALLOC));
	no_equal("pointer", KSTATE_STRUCT_POINTER(pointer, struct owner, &inside, KSTATE_ALLOC));
	no_equal("pointer", KSTATE_STRUCT_POINTER(pointer, struct owner, &grouping, KSTATE_ALLOC));
}

static void equal_where_the_object_has_it(void **state)
{
	static struct kstate_description with_init = {
		.name = "equal", .fields = equal_desc_fields, .init = equal_init,
	};
	KSTATE_DESCRIBE_STATIC(good, "owner", 1,
	     KSTATE_STRUCT(inner, struct owner, &equal_desc),
	     KSTATE_STRUCT_POINTER(pointer, struct owner, &equal_desc),
	     KSTATE_STRUCT_VARRAY(varray, struct owner, nr, &equal_desc));
	KSTATE_DESCRIBE_STATIC(init, "owner", 1,
		KSTATE_STRUCT_POINTER(pointer, struct owner, &with_init,
						  KSTATE_ALLOC));
	struct arm five = { 5 }, six = { 6 };
	struct owner from = { .pointer = &five }, to = {};

	good_description(&init, sizeof(struct owner));
	assert_fits(kstate_check_description(&good, &err));
	kstate_forget(&good);
	carry_ok(&init, &from, &init, &to, KSTATE_EXACT);
	assert_int_equal(to.pointer->x, 5);
	kvfree(to.pointer);
	from.pointer = &six;
	to.pointer = NULL;
	carry_refused(&init, &from, &init, &to, KSTATE_VALUE, "owner[1].pointer.x");
}

/* Secrets, of whichever side */

struct secret {
	u32 key;
	u16 key16;
	u32 keys[2];
	bool flag;
};

#define KEY	0x5eC2e7	/* 6210279 */
#define K(...)	KSTATE_BASE_TYPE(key, struct secret, u32, ##__VA_ARGS__)

KSTATE_DESCRIBE_STATIC(writers_secret, "secret", 1, K(KSTATE_SECRET));
KSTATE_DESCRIBE_STATIC(no_secret, "secret", 1, K());

static void tells_nothing(struct kstate_set *set, struct kstate_description *reader,
			  struct secret *to)
{
	char json[1024];
	u32 held = to->key;
	const char *texts[4] = { text_of(&err), json, shim_log() };

	if (!check_and_restore(set, reader, to))
		fail_msg("not refused");
	assert_int_equal(to->key, held);
	kstate_error_json(&err, json, sizeof(json));
	texts[0] = text_of(&err);
	for (int i = 0; i < 3; i++)
		if (strstr(texts[i], "6210279") || strcasestr(texts[i], "5ec2e7") ||
		    strcasestr(texts[i], "c2e7"))
			fail_msg("told: %s", texts[i]);
}

static void secrets(void **state)
{
	struct narrow { u16 key; };
	struct boolean { bool key; };
	static const struct kstate_flag_name names[] = { { 1, "one" }, { } };
	KSTATE_DESCRIBE_STATIC(range, "secret", 1, K(KSTATE_RANGE(0, 9)));
	KSTATE_DESCRIBE_STATIC(range_hex, "secret", 1, K(KSTATE_RANGE(0, 9), KSTATE_HEX));
	KSTATE_DESCRIBE_STATIC(mask, "secret", 1, K(KSTATE_MASK(0x1)));
	KSTATE_DESCRIBE_STATIC(mask_names, "secret", 1,
		K(KSTATE_MASK(0x1), KSTATE_FLAG_NAMES(names)));
	KSTATE_DESCRIBE_STATIC(equal, "secret", 1, K(KSTATE_EQUAL));
	KSTATE_DESCRIBE_STATIC(narrow, "secret", 1, KSTATE_BASE_TYPE(key, struct narrow, u16));
	KSTATE_DESCRIBE_STATIC(boolean, "secret", 1, KSTATE_BASE_TYPE(key, struct boolean, bool));
	KSTATE_DESCRIBE_STATIC(enumerated, "secret", 1, K(KSTATE_ENUM_NAMES(names)));
	KSTATE_DESCRIBE_STATIC(absent, "secret", 1,
		KSTATE_BASE_TYPE(key16, struct secret, u16, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(readers_range, "secret", 1, K(KSTATE_RANGE(0, 9), KSTATE_SECRET));
	KSTATE_DESCRIBE_STATIC(readers_mask, "secret", 1, K(KSTATE_MASK(0x1), KSTATE_SECRET));
	KSTATE_DESCRIBE_STATIC(default_secret, "secret", 1, K(KSTATE_SECRET, KSTATE_DEFAULT(0)));
	struct kstate_description *readers[] = {
		&range, &range_hex, &mask, &mask_names, &equal, &narrow, &boolean, &enumerated,
		&readers_range, &readers_mask,
	};
	struct secret from = { .key = KEY }, to = { .key = 1 };
	struct kstate_set *set;

	for (int i = 0; i < ARRAY_SIZE(readers); i++) {
		bool ours = readers[i] == &readers_range || readers[i] == &readers_mask;

		/* An enumeration here against numbers there changes nothing */
		if (readers[i] == &enumerated)
			continue;
		set = saved(ours ? &no_secret : &writers_secret, &from);
		tells_nothing(set, readers[i], &to);
		kstate_set_destroy(set);
	}
	/* Dropped by who does not know it */
	set = saved(&default_secret, &from);
	tells_nothing(set, &absent, &to);
	kstate_set_destroy(set);
	/* The object's value is the secret */
	set = saved(&writers_secret, &(struct secret){ .key = 3 });
	to.key = KEY;
	tells_nothing(set, &equal, &to);
	kstate_set_destroy(set);
}

static void secrets_when_saving(void **state)
{
	KSTATE_DESCRIBE_STATIC(range, "secret", 1, K(KSTATE_RANGE(0, 9), KSTATE_SECRET));
	KSTATE_DESCRIBE_STATIC(mask, "secret", 1, K(KSTATE_MASK(0x1), KSTATE_SECRET));
	struct secret from = { .key = KEY };
	struct kstate_description *descs[] = { &range, &mask };

	for (int i = 0; i < 2; i++) {
		save_refused(descs[i], &from, KSTATE_VALUE, "secret[1].key", NULL);
		if (strstr(text_of(&err), "6210279") || strcasestr(text_of(&err), "5ec2e7"))
			fail_msg("told: %s", text_of(&err));
	}
}

/* What is in a secret is secret, in whatever it is */

struct vault_item {
	struct list_head link;
	u32 word;
};

struct vault_narrow {
	struct list_head link;
	u8 word;
};

#define VAULT(_name, _item)							\
struct _name {									\
	struct _item one, many[2], *pointer, *counted;				\
	u32 nr, tag;								\
	struct list_head list;							\
	struct xarray map;							\
	union { struct _item item; } arm;					\
	unsigned long bits[2];							\
}

VAULT(vault, vault_item);
VAULT(vault_small, vault_narrow);

static KSTATE_DESCRIBE(vault_item_state, "item", 1, KSTATE_FIELD(struct vault_item, word));
static KSTATE_DESCRIBE(vault_narrow_state, "item", 1, KSTATE_FIELD(struct vault_narrow, word));
static KSTATE_DESCRIBE(vault_range_state, "item", 1,
	KSTATE_FIELD(struct vault_item, word, KSTATE_RANGE(0, 9)));

static const struct kstate_arm vault_arms[] = { { "hidden_arm", KEY, &vault_item_state }, { } };
static const struct kstate_arm narrow_arms[] = { { "hidden_arm", KEY, &vault_narrow_state }, { } };
static const struct kstate_arm range_arms[] = { { "hidden_arm", KEY, &vault_range_state }, { } };
static const struct kstate_arm no_arms[] = { { "another", 0, NULL }, { } };

#define IN_VAULT(...)	{ .name = "vault", .version_id = 1, .min_version_id = 1,	\
		  .fields = (const struct kstate_field[]) { __VA_ARGS__, KSTATE_END_OF_LIST() } }

/* Each kind that has something inside, and a bitmap */
#define VAULTS(_vault, _item, _state, _arms, _bits) {					\
	IN_VAULT(KSTATE_STRUCT(one, struct _vault, &_state, KSTATE_SECRET)),			\
	IN_VAULT(KSTATE_STRUCT_ARRAY(many, struct _vault, &_state, KSTATE_SECRET)),		\
	IN_VAULT(KSTATE_STRUCT_POINTER(pointer, struct _vault, &_state, KSTATE_ALLOC, KSTATE_SECRET)), \
	IN_VAULT(KSTATE_STRUCT_VARRAY(counted, struct _vault, nr, &_state, KSTATE_ALLOC,	\
			       KSTATE_SECRET)),						\
	IN_VAULT(KSTATE_LIST(list, struct _vault, struct _item, link, &_state, KSTATE_SECRET)), \
	IN_VAULT(KSTATE_XARRAY(map, struct _vault, struct _item, &_state, KSTATE_SECRET)),	\
	IN_VAULT(KSTATE_UNION(arm, struct _vault, tag, _arms, KSTATE_SECRET)),			\
	IN_VAULT(KSTATE_BITMAP(bits, struct _vault, _bits, KSTATE_SECRET)),			\
}

static struct kstate_description vaults[] =
	VAULTS(vault, vault_item, vault_item_state, vault_arms, 128);
static struct kstate_description small_vaults[] =
	VAULTS(vault_small, vault_narrow, vault_narrow_state, narrow_arms, 4);
static struct kstate_description range_vaults[] =
	VAULTS(vault, vault_item, vault_range_state, range_arms, 128);

static struct kstate_description no_arm =
	IN_VAULT(KSTATE_UNION(arm, struct vault, tag, no_arms, KSTATE_SECRET));

static void told_nothing(int kind, const char *doing)
{
	char json[1024];
	const char *texts[] = { text_of(&err), json, shim_log() };

	kstate_error_json(&err, json, sizeof(json));
	for (int i = 0; i < ARRAY_SIZE(texts); i++)
		if (strstr(texts[i], "6210279") || strcasestr(texts[i], "5ec2e7") ||
		    strstr(texts[i], "hidden_arm") || strstr(texts[i], "77"))
			fail_msg("kind %d, %s: told: %s", kind, doing, texts[i]);
}

static void secrets_inside(void **state)
{
	struct vault_item item = { .word = KEY }, second = { .word = KEY };
	struct vault from = {
		.one = item, .many = { item, item }, .pointer = &item, .counted = &item, .nr = 1,
		.tag = KEY, .arm = { .item = item },
	};
	struct kstate_stream *stream;
	struct kstate_set *set;

	INIT_LIST_HEAD(&from.list);
	list_add(&second.link, &from.list);
	xa_init(&from.map);
	xa_store(&from.map, KEY, &item, GFP_KERNEL);
	__set_bit(77, from.bits);
	for (int i = 0; i < ARRAY_SIZE(vaults); i++) {
		struct vault_small to = {};

		INIT_LIST_HEAD(&to.list);
		xa_init(&to.map);
		set = saved(&vaults[i], &from);
		if (!check_and_restore(set, &small_vaults[i], &to))
			fail_msg("kind %d: not refused", i);
		told_nothing(i, "restoring");
		/* The last one has no values with a range */
		if (i < ARRAY_SIZE(vaults) - 1) {
			stream = kstate_stream_find(set, "test");
			use(&range_vaults[i]);
			if (!kstate_stream_save(stream, &range_vaults[i], &from, KSTATE_ID(2), &err))
				fail_msg("kind %d: saved", i);
			told_nothing(i, "saving");
		}
		kstate_set_destroy(set);
	}
	/* Which arm there is, and which tag */
	set = saved(&vaults[6], &from);
	if (!check_and_restore(set, &no_arm, &(struct vault){}))
		fail_msg("not refused");
	told_nothing(6, "without an arm");
	kstate_set_destroy(set);
	from.tag = 77;
	set = set_create();
	stream = kstate_stream_create(set, "test", &err);
	if (!kstate_stream_save(stream, &vaults[6], &from, KSTATE_ID(1), &err))
		fail_msg("saved without an arm");
	told_nothing(6, "saving an unknown tag");
	kstate_set_destroy(set);
	xa_destroy(&from.map);
}

static void secret_length(void **state)
{
	SEQ(writer, NR(KSTATE_SECRET), P(nr2));
	struct seq from = { .nr = KEY, .nr2 = 2, .p = values }, to = {};
	struct kstate_set *set = saved(&writer, &from);

	if (!check_and_restore(set, &seq, &to))
		fail_msg("not refused");
	if (strstr(text_of(&err), "6210279") || strcasestr(text_of(&err), "5ec2e7"))
		fail_msg("told: %s", text_of(&err));
	kstate_set_destroy(set);
}

/* Bits are shown as bits, by the names that somebody has for them */
static void masks(void **state)
{
	KSTATE_DESCRIBE_STATIC(names, "caps", 1,
		KSTATE_BASE_TYPE(flags, struct caps, u32, KSTATE_MASK(0x3),
					     KSTATE_FLAG_NAMES(csum_gso)));
	KSTATE_DESCRIBE_STATIC(plain, "caps", 1,
		KSTATE_BASE_TYPE(flags, struct caps, u32, KSTATE_MASK(0x3)));
	KSTATE_DESCRIBE_STATIC(free, "caps", 1, KSTATE_BASE_TYPE(flags, struct caps, u32));
	KSTATE_DESCRIBE_STATIC(free_names, "caps", 1, KSTATE_BASE_TYPE(flags, struct caps, u32,
						  KSTATE_FLAG_NAMES(csum_gso)));
	struct caps from = { .flags = 0x101 }, to = {};

	save_refused(&plain, &from, KSTATE_VALUE, "caps[1].flags", "0x1");
	assert_non_null(strstr(err.expected, "0x3"));
	save_refused(&names, &from, KSTATE_VALUE, "caps[1].flags", "tso");
	assert_non_null(strstr(err.found, "0x1"));
	carry_refused(&free, &from, &plain, &to, KSTATE_VALUE, "caps[1].flags");
	assert_non_null(strstr(err.found, "0x1"));
	/* The reader's names, and the writer's where the reader has none */
	carry_refused(&free, &from, &names, &to, KSTATE_VALUE, "caps[1].flags");
	assert_non_null(strstr(err.found, "tso"));
	carry_refused(&free_names, &from, &plain, &to, KSTATE_VALUE, "caps[1].flags");
	assert_non_null(strstr(err.found, "tso"));
}

/* Running numbers */

struct dev {
	u32 serial;
};

KSTATE_DESCRIBE_STATIC(dev_desc, "dev", 1, KSTATE_BASE_TYPE(serial, struct dev, u32));

static struct dev devs[4] = { { 100 }, { 101 }, { 102 }, { 103 } };

static void register_three(void)
{
	for (int i = 0; i < 3; i++)
		check(!kstate_register(&dev_desc, &devs[i]));
	check(!shim_kexec_prepare());
}

/* The second one is unplugged: who comes third would become the second */
static void a_gap(void)
{
	for (int i = 0; i < 3; i++)
		check(!kstate_register(&dev_desc, &devs[i]));
	check(!kstate_unregister(&dev_desc, &devs[1]));
	check(shim_kexec_prepare() == -EINVAL);
	check(strstr(shim_log(), "dev"));
	/* Nor is the number given to another one */
	check(!kstate_register(&dev_desc, &devs[3]));
	check(shim_kexec_prepare() == -EINVAL);
}

static void no_gap(void)
{
	check(!kstate_register(&dev_desc, &devs[0]));
	check(!kstate_register(&dev_desc, &devs[1]));
	check(!kstate_unregister(&dev_desc, &devs[1]));
	check(!shim_kexec_prepare());
}

/* The first one fails: the second one must not get its state */
static void first_fails(void)
{
	struct dev first = {}, second = {};
	int ret;

	/* Not for want of memory for the schema */
	check(!kstate_check_description(&dev_desc, NULL));
	shim_fail_at(1);
	ret = kstate_register(&dev_desc, &first);
	shim_fail_at(0);
	check(ret == -ENOMEM);
	check(first.serial == 0);
	check(!kstate_register(&dev_desc, &second));
	check(second.serial == 101);
}

/* Unregistered without having been claimed finally: there again */
static void register_again(void)
{
	struct dev a = {}, b = {};

	check(!kstate_register_key(&dev_desc, &a, KSTATE_ID(1), NULL));
	check(a.serial == 100);
	check(!kstate_unregister(&dev_desc, &a));
	check(!kstate_register_key(&dev_desc, &b, KSTATE_ID(1), NULL));
	check(b.serial == 100);
}

static void numbers_with_a_gap(void **state)
{
	shim_kho_reset();
	in_kernel(a_gap);
	shim_kho_reset();
	in_kernel(no_gap);
	shim_kho_reset();
}

static void numbers_after_a_failure(void **state)
{
	shim_kho_reset();
	in_kernel(register_three);
	shim_kho_jump();
	in_kernel(first_fails);
	shim_kho_reset();
}

static void registered_again(void **state)
{
	shim_kho_reset();
	in_kernel(register_three);
	shim_kho_jump();
	in_kernel(register_again);
	shim_kho_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(length_limits_when_saving),
		ALONE(length_limits_when_restoring),
		ALONE(length_limits_deeper),
		ALONE(conflicts_deeper),
		ALONE(length_that_is_equal),
		ALONE(absent_field_takes_the_length),
		ALONE(array_added_beside_a_number),
		ALONE(array_added_beside_an_array),
		ALONE(two_lengths_become_one),
		ALONE(integer_added_before_lengths),
		ALONE(field_and_length_become_one),
		ALONE(union_added_beside_a_tag),
		ALONE(tag_with_limits),
		ALONE(two_unions_with_one_tag),
		ALONE(integer_added_before_tags),
		ALONE(tag_with_names),
		ALONE(pages_added_beside_a_number),
		ALONE(stale_lengths),
		ALONE(absent_group_gets_the_defaults_of_the_writer),
		ALONE(absent_group_with_another_first_arm),
		ALONE(absent_group_with_a_new_group),
		ALONE(pointer_that_becomes_a_group),
		ALONE(one_integer_in_a_struct),
		ALONE(not_needed_but_used),
		ALONE(removed_field_at_its_default),
		ALONE(removed_field_in_use),
		ALONE(removed_name_used_again),
		ALONE(removed_deeper),
		ALONE(ignorable_field),
		ALONE(was_of_no_removed_field),
		ALONE(flags_of_other_numbers),
		ALONE(flag_of_another_name),
		ALONE(flags_are_limited_as_translated),
		ALONE(flags_that_need_no_translation),
		ALONE(enum_of_other_numbers),
		ALONE(enum_without_a_name_here),
		ALONE(enum_of_another_type),
		ALONE(named_bits_and_limits),
		ALONE(names_of_several_bits),
		ALONE(values_become_bits),
		ALONE(names_that_make_no_sense),
		ALONE(function_beside_a_length),
		ALONE(function_on_a_pointer),
		ALONE(equal_in_what_is_allocated),
		ALONE(equal_where_the_object_has_it),
		ALONE(secrets),
		ALONE(secrets_when_saving),
		ALONE(secrets_inside),
		ALONE(secret_length),
		ALONE(masks),
		ALONE(numbers_with_a_gap),
		ALONE(numbers_after_a_failure),
		ALONE(registered_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
