// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of KSTATE: streams that are not as the reader would have written
 * them. Another kernel has another description, or bytes are damaged.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "kstate_kunit.h"

/* What a difference between writer and reader means: a state, and a year later */

struct old {
	u16 number;
	s16 minus;
	u16 swap_a;
	u32 swap_b;
	u8 array[4];
	u32 gone;
	u32 before;
	s32 sign;
	u32 one;
	struct point in;
};

struct new {
	u64 number;
	s32 minus;
	u32 swap_b;
	u16 swap_a;
	u8 array[6];
	u32 fresh;
	u32 after;
	u32 sign;
	u32 one[1];
	char text[12];
	struct new_point {
		u32 x;
		s32 y;
		u8 z;
	} in;
};

DECLARE(old_number, KSTATE_BASE_TYPE(number, struct old, u16));
DECLARE(new_number, KSTATE_BASE_TYPE(number, struct new, u64));
DECLARE(old_minus, KSTATE_BASE_TYPE(minus, struct old, s16));
DECLARE(new_minus, KSTATE_BASE_TYPE(minus, struct new, s32));
DECLARE(old_order, KSTATE_BASE_TYPE(swap_a, struct old, u16),
	KSTATE_BASE_TYPE(swap_b, struct old, u32));
DECLARE(new_order, KSTATE_BASE_TYPE(swap_b, struct new, u32),
	KSTATE_BASE_TYPE(swap_a, struct new, u16));
DECLARE(old_array, KSTATE_BASE_TYPE(array, struct old, u8 [4]));
DECLARE(new_array, KSTATE_BASE_TYPE(array, struct new, u8 [6], KSTATE_DEFAULT(9)));
DECLARE(old_sign, KSTATE_BASE_TYPE(sign, struct old, s32));
DECLARE(new_sign, KSTATE_BASE_TYPE(sign, struct new, u32));
DECLARE(old_one, KSTATE_BASE_TYPE(one, struct old, u32));
DECLARE(new_one, KSTATE_BASE_TYPE(one, struct new, u32 [1]));

static void order_changed(struct kunit *test)
{
	struct old w = { .swap_a = 1, .swap_b = 2 };
	struct new r = {};

	KUNIT_EXPECT_EQ(test, 0, carry(test, &old_order, &w, &new_order, &r));
	KUNIT_EXPECT_EQ(test, r.swap_a, 1);
	KUNIT_EXPECT_EQ(test, r.swap_b, 2);
}

static void widened(struct kunit *test)
{
	struct old w = { .number = U16_MAX, .minus = -3 };
	struct new r = {};

	KUNIT_ASSERT_EQ(test, 0, save(test, &old_minus, &w, 2));
	KUNIT_EXPECT_EQ(test, 0, carry(test, &old_number, &w, &new_number, &r));
	KUNIT_EXPECT_EQ(test, 0, restore(test, &new_minus, &r, 2));
	KUNIT_EXPECT_EQ(test, r.number, U16_MAX);
	KUNIT_EXPECT_EQ(test, r.minus, -3);
}

static void narrowed(struct kunit *test)
{
	struct new w = { .number = U16_MAX, .minus = S16_MIN }, big = { .number = U16_MAX + 1 };
	struct old r = {};

	KUNIT_ASSERT_EQ(test, 0, save(test, &new_minus, &w, 2));
	KUNIT_ASSERT_EQ(test, 0, save(test, &new_number, &big, 3));
	KUNIT_EXPECT_EQ(test, 0, carry(test, &new_number, &w, &old_number, &r));
	KUNIT_EXPECT_EQ(test, 0, restore(test, &old_minus, &r, 2));
	KUNIT_EXPECT_EQ(test, r.minus, S16_MIN);
	KUNIT_EXPECT_EQ(test, -ERANGE, restore(test, &old_number, &r, 3));
	EXPECT_REASON(test, KSTATE_VALUE, "number");
	KUNIT_EXPECT_EQ(test, r.number, U16_MAX);
}

static void sign_changed(struct kunit *test)
{
	struct old w = { .sign = 1 };
	struct new r = {};

	KUNIT_EXPECT_EQ(test, -EPROTO, carry(test, &old_sign, &w, &new_sign, &r));
	EXPECT_REASON(test, KSTATE_BLOCKED, "sign");
}

static int absent(void *member, const struct kstate_field *field)
{
	*(u32 *)member = 1234;
	return 0;
}

DECLARE(new_required, KSTATE_BASE_TYPE(number, struct new, u64),
	KSTATE_BASE_TYPE(fresh, struct new, u32));
DECLARE(new_default, KSTATE_BASE_TYPE(number, struct new, u64),
	KSTATE_BASE_TYPE(fresh, struct new, u32, KSTATE_DEFAULT(7)));
DECLARE(new_hook, KSTATE_BASE_TYPE(number, struct new, u64),
	KSTATE_BASE_TYPE(fresh, struct new, u32, KSTATE_ABSENT(absent)));

static void field_added(struct kunit *test)
{
	struct old w = { .number = 1 };
	struct new r = { .fresh = 99 }, h = {};

	KUNIT_ASSERT_EQ(test, 0, save(test, &old_number, &w, 2));
	KUNIT_EXPECT_EQ(test, -EPROTO, carry(test, &old_number, &w, &new_required, &r));
	EXPECT_REASON(test, KSTATE_BLOCKED, "fresh");
	KUNIT_EXPECT_EQ(test, r.fresh, 99);
	KUNIT_EXPECT_EQ(test, 0, restore(test, &new_default, &r, 1));
	KUNIT_EXPECT_EQ(test, r.fresh, 7);
	KUNIT_EXPECT_EQ(test, 0, restore(test, &new_hook, &h, 2));
	KUNIT_EXPECT_EQ(test, h.fresh, 1234);
}

DECLARE(old_gone, KSTATE_BASE_TYPE(number, struct old, u16),
	KSTATE_BASE_TYPE(gone, struct old, u32));
DECLARE(old_gone_default, KSTATE_BASE_TYPE(number, struct old, u16),
	KSTATE_BASE_TYPE(gone, struct old, u32, KSTATE_DEFAULT(5)));
DECLARE(old_gone_ignorable, KSTATE_BASE_TYPE(number, struct old, u16),
	KSTATE_BASE_TYPE(gone, struct old, u32, KSTATE_IGNORABLE));
DECLARE(new_removed, KSTATE_BASE_TYPE(number, struct new, u64), KSTATE_REMOVED("gone"));

static void field_removed(struct kunit *test)
{
	struct old w = { .number = 8, .gone = 5 }, used = { .number = 8, .gone = 6 };
	struct new r = {};

	KUNIT_ASSERT_EQ(test, 0, save(test, &old_gone_default, &w, 2));
	KUNIT_ASSERT_EQ(test, 0, save(test, &old_gone_default, &used, 3));
	KUNIT_ASSERT_EQ(test, 0, save(test, &old_gone_ignorable, &used, 4));
	/* Said neither here nor there what it is good for */
	KUNIT_EXPECT_EQ(test, -EPROTO, carry(test, &old_gone, &w, &new_number, &r));
	EXPECT_REASON(test, KSTATE_BLOCKED, "gone");
	/* The reader knows */
	KUNIT_EXPECT_EQ(test, 0, restore(test, &new_removed, &r, 1));
	KUNIT_EXPECT_EQ(test, r.number, 8);
	/* The writer says what it is when it is not used */
	KUNIT_EXPECT_EQ(test, 0, restore(test, &new_number, &r, 2));
	KUNIT_EXPECT_EQ(test, -ERANGE, restore(test, &new_number, &r, 3));
	EXPECT_REASON(test, KSTATE_VALUE, "gone");
	/* The writer does not mind */
	KUNIT_EXPECT_EQ(test, 0, restore(test, &new_number, &r, 4));
}

DECLARE(old_before, KSTATE_BASE_TYPE(before, struct old, u32));
DECLARE(new_after, KSTATE_BASE_TYPE(after, struct new, u32, KSTATE_ALIAS("ancient", "before")));

static void field_renamed(struct kunit *test)
{
	struct old w = { .before = 31 };
	struct new r = {};

	KUNIT_EXPECT_EQ(test, 0, carry(test, &old_before, &w, &new_after, &r));
	KUNIT_EXPECT_EQ(test, r.after, 31);
}

static void array_grown_and_cut(struct kunit *test)
{
	struct old w = { .array = { 1, 2, 3, 4 } }, back = {};
	struct new r = {}, tail = { .array = { 4, 3, 2, 1, 9, 9 } };

	KUNIT_ASSERT_EQ(test, 0, save(test, &new_array, &tail, 2));
	tail.array[5] = 0;
	KUNIT_ASSERT_EQ(test, 0, save(test, &new_array, &tail, 3));

	KUNIT_EXPECT_EQ(test, 0, carry(test, &old_array, &w, &new_array, &r));
	KUNIT_EXPECT_MEMEQ(test, r.array, "\1\2\3\4\11\11", 6);
	KUNIT_EXPECT_EQ(test, 0, restore(test, &old_array, &back, 2));
	KUNIT_EXPECT_MEMEQ(test, back.array, "\4\3\2\1", 4);
	KUNIT_EXPECT_EQ(test, -ERANGE, restore(test, &old_array, &back, 3));
	EXPECT_REASON(test, KSTATE_VALUE, "array");
}

static int to_text(void *member, const struct kstate_value *from, const struct kstate_field *field)
{
	u64 value;
	int ret = kstate_value_u64(from, 0, &value);

	if (!ret)
		snprintf(member, field->num * field->size, "%llu", value);
	return ret;
}

struct as_text {
	char number[12];
};

DECLARE(number_as_text,
	KSTATE_STRING(number, struct as_text, KSTATE_CONVERT(to_text)));

static void kind_changed(struct kunit *test)
{
	struct old w = { .one = 1, .number = 4711 };
	struct as_text text = {};
	struct new r = {};

	KUNIT_ASSERT_EQ(test, 0, save(test, &old_number, &w, 2));
	KUNIT_EXPECT_EQ(test, -EPROTO, carry(test, &old_one, &w, &new_one, &r));
	EXPECT_REASON(test, KSTATE_BLOCKED, "one");
	KUNIT_EXPECT_EQ(test, 0, restore(test, &number_as_text, &text, 2));
	KUNIT_EXPECT_STREQ(test, text.number, "4711");
}

DECLARE(new_point_state,
	KSTATE_BASE_TYPE(z, struct new_point, u8, KSTATE_DEFAULT(1)),
	KSTATE_BASE_TYPE(y, struct new_point, s32),
	KSTATE_BASE_TYPE(x, struct new_point, u32));
DECLARE_VERSION(later_point_state, 3, 2,
		KSTATE_BASE_TYPE(x, struct new_point, u32),
		KSTATE_BASE_TYPE(y, struct new_point, s32));
DECLARE(old_in, KSTATE_STRUCT(in, struct old, &point_state));
DECLARE(new_in, KSTATE_STRUCT(in, struct new, &new_point_state));
DECLARE(later_in, KSTATE_STRUCT(in, struct new, &later_point_state));

static void nested(struct kunit *test)
{
	struct old w = { .in = { 3, -4 } };
	struct new r = {};

	KUNIT_EXPECT_EQ(test, -EPROTO, carry(test, &old_in, &w, &later_in, &r));
	EXPECT_REASON(test, KSTATE_VERSION, "in");
	KUNIT_EXPECT_EQ(test, 0, restore(test, &new_in, &r, 1));
	KUNIT_EXPECT_EQ(test, r.in.x, 3);
	KUNIT_EXPECT_EQ(test, r.in.y, -4);
	KUNIT_EXPECT_EQ(test, r.in.z, 1);
}

DECLARE_VERSION(version_2, 2, 1, KSTATE_BASE_TYPE(number, struct old, u16));
DECLARE_VERSION(version_3, 3, 3, KSTATE_BASE_TYPE(number, struct old, u16));

static void versions(struct kunit *test)
{
	struct old w = { .number = 6 }, r = {};

	KUNIT_EXPECT_EQ(test, -EPROTO, carry(test, &version_2, &w, &version_3, &r));
	EXPECT_REASON(test, KSTATE_VERSION, "kunit");
	KUNIT_EXPECT_EQ(test, 0, restore(test, &old_number, &r, 1));
	KUNIT_EXPECT_EQ(test, r.number, 6);
}

struct limited {
	s32 range;
	u32 flags;
	u16 same;
};

DECLARE(limited_state,
	KSTATE_BASE_TYPE(range, struct limited, s32, KSTATE_RANGE(-5, 5)),
	KSTATE_BASE_TYPE(flags, struct limited, u32, KSTATE_MASK(0xf0)),
	KSTATE_BASE_TYPE(same, struct limited, u16, KSTATE_EQUAL));
DECLARE(unlimited_state,
	KSTATE_BASE_TYPE(range, struct limited, s32),
	KSTATE_BASE_TYPE(flags, struct limited, u32),
	KSTATE_BASE_TYPE(same, struct limited, u16));

static void constraints(struct kunit *test)
{
	struct limited low = { .range = -6, .same = 1 };
	struct limited flag = { .flags = 1, .same = 1 };
	struct limited good = { .range = -5, .flags = 0xf0, .same = 1 };
	struct limited r = { .same = 1 }, other = { .same = 2 };

	KUNIT_EXPECT_EQ(test, -ERANGE, save(test, &limited_state, &low, 1));
	EXPECT_REASON(test, KSTATE_VALUE, "range");
	KUNIT_EXPECT_EQ(test, -ERANGE, save(test, &limited_state, &flag, 1));
	EXPECT_REASON(test, KSTATE_VALUE, "flags");
	KUNIT_ASSERT_EQ(test, 0, save(test, &unlimited_state, &flag, 2));
	KUNIT_ASSERT_EQ(test, 0, save(test, &limited_state, &good, 3));

	KUNIT_EXPECT_EQ(test, -ERANGE, carry(test, &unlimited_state, &low, &limited_state, &r));
	EXPECT_REASON(test, KSTATE_VALUE, "range");
	KUNIT_EXPECT_EQ(test, -ERANGE, restore(test, &limited_state, &r, 2));
	EXPECT_REASON(test, KSTATE_VALUE, "flags");
	KUNIT_EXPECT_EQ(test, -ERANGE, restore(test, &limited_state, &other, 3));
	EXPECT_REASON(test, KSTATE_VALUE, "same");
	KUNIT_EXPECT_EQ(test, 0, restore(test, &limited_state, &r, 3));
	KUNIT_EXPECT_EQ(test, r.range, -5);
}

/* Whether anything is said about bytes that are not those that were written */
static bool damage_is_found(struct kunit *test, const void *blob, size_t size)
{
	struct fixture *f = test->priv;
	struct kstate_set *set = open_set(test, blob, size);
	struct kstate_stream *stream;
	struct point r = {};
	bool found = true;

	if (!set)
		return true;
	if (!set->damage.code) {
		stream = kstate_stream_find(set, "kunit");
		found = !stream || kstate_stream_restore(stream, &point_state, &r,
							 KSTATE_ID(1), &f->err);
	}
	kstate_set_destroy(set);
	return found;
}

static void damage(struct kunit *test)
{
	struct point w = { .x = 0x1234, .y = -1 };
	struct fixture *f = test->priv;
	size_t size, missed = 0;
	u8 *blob;

	KUNIT_ASSERT_EQ(test, 0, save(test, &point_state, &w, 1));
	KUNIT_ASSERT_EQ(test, 0, kstate_set_export(f->out, (void **)&blob, &size));

	KUNIT_EXPECT_FALSE(test, damage_is_found(test, blob, size));
	for (size_t bit = 0; bit < 8 * size; bit++) {
		blob[bit / 8] ^= 1 << bit % 8;
		missed += !damage_is_found(test, blob, size);
		blob[bit / 8] ^= 1 << bit % 8;
		cond_resched();
	}
	KUNIT_EXPECT_EQ_MSG(test, missed, 0, "flipped bits of %zu", 8 * size);
	missed = 0;
	for (size_t cut = 0; cut < size; cut++)
		missed += !damage_is_found(test, blob, cut);
	KUNIT_EXPECT_EQ_MSG(test, missed, 0, "lengths of %zu", size);
	kvfree(blob);
}

/* One damaged record does not take the others along */
static void damage_is_contained(struct kunit *test)
{
	struct point w[3] = { { 0x1111, 1 }, { 0x2222, 2 }, { 0x3333, 3 } }, r = {};
	struct fixture *f = test->priv;
	size_t size;
	u8 *blob, *at = NULL;

	for (int i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, 0, save(test, &point_state, &w[i], i));
	KUNIT_ASSERT_EQ(test, 0, kstate_set_export(f->out, (void **)&blob, &size));
	for (size_t i = 0; !at && i + 2 < size; i++)
		if (blob[i] == 0x22 && blob[i + 1] == 0x22 && blob[i + 4] == 2)
			at = blob + i;
	KUNIT_ASSERT_NOT_NULL(test, at);
	*at ^= 0x80;
	f->in = open_set(test, blob, size);
	kvfree(blob);
	KUNIT_ASSERT_NOT_NULL(test, f->in);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, destroy_set, f->in));
	f->stream = kstate_stream_find(f->in, "kunit");
	KUNIT_ASSERT_NOT_NULL(test, f->stream);

	KUNIT_EXPECT_EQ(test, 0, restore(test, &point_state, &r, 0));
	KUNIT_EXPECT_EQ(test, -EBADMSG, restore(test, &point_state, &r, 1));
	EXPECT_REASON(test, KSTATE_DAMAGED, "kunit");
	KUNIT_EXPECT_EQ(test, r.x, 0x1111);
	KUNIT_EXPECT_EQ(test, 0, restore(test, &point_state, &r, 2));
	KUNIT_EXPECT_EQ(test, r.x, 0x3333);
}

static struct kunit_case kstate_foreign_cases[] = {
	KUNIT_CASE(order_changed),
	KUNIT_CASE(widened),
	KUNIT_CASE(narrowed),
	KUNIT_CASE(sign_changed),
	KUNIT_CASE(field_added),
	KUNIT_CASE(field_removed),
	KUNIT_CASE(field_renamed),
	KUNIT_CASE(array_grown_and_cut),
	KUNIT_CASE(kind_changed),
	KUNIT_CASE(nested),
	KUNIT_CASE(versions),
	KUNIT_CASE(constraints),
	KUNIT_CASE_SLOW(damage),
	KUNIT_CASE(damage_is_contained),
	{}
};

static struct kunit_suite kstate_foreign_suite = {
	.name = "kstate_foreign",
	.init = start,
	.test_cases = kstate_foreign_cases,
};

kunit_test_suite(kstate_foreign_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of KSTATE with foreign streams");
MODULE_LICENSE("GPL");
