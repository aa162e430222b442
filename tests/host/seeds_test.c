// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the first proposals of KSTATE show: the example of the slides as it is
 * printed there, and the macros and calls of the header of version 2.
 */
#include "host.h"

enum { KSTATE_TEST_ID = 1 };

/* From here on as on the slides */

struct a {
	int i;
	unsigned long *p_ulong;
	char s[10];
	struct folio *folio;
};

static struct a a_data;

struct kstate_description a_state = {
	.name = "a_struct",
	.version_id = 1,
	.min_version_id = 1,
	.id = KSTATE_TEST_ID,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(i, struct a, int),
		KSTATE_BASE_TYPE(s, struct a, char [10]),
		KSTATE_POINTER(p_ulong, struct a),
		KSTATE_FOLIO(folio, struct a),
		KSTATE_END_OF_LIST()
	},
};

/* Up to here */

static void slides(void **state)
{
	unsigned long there = 5, here = 0;
	struct a to = { .p_ulong = &here };

	a_data = (struct a){ .i = -7, .p_ulong = &there, .s = "slide" };
	carry_ok(&a_state, &a_data, &a_state, &to, KSTATE_EXACT);
	assert_int_equal(to.i, -7);
	assert_string_equal(to.s, "slide");
	assert_ptr_equal(to.p_ulong, &here);
	assert_int_equal(here, 5);
	assert_null(to.folio);
}

/* The test of version 2: an array of pointers, a struct, a custom field, addresses */

struct inner {
	u8 x;
	u64 y;
};

struct v2 {
	int i;
	unsigned long *p_ulong;
	char s[10];
	struct inner inner;
	u16 *array[3];
	struct page *page;
	void *linear;
	unsigned long custom;
};

static struct kstate_description inner_state = {
	.name = "inner",
	.version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(x, struct inner, u8),
		KSTATE_BASE_TYPE(y, struct inner, u64),
		KSTATE_END_OF_LIST()
	},
};

static int save_custom(struct kstate_stream *stream, void *member,
		       const struct kstate_field *field)
{
	return kstate_put_u64(stream, "custom", *(unsigned long *)member);
}

static int restore_custom(struct kstate_stream *stream, void *member,
			  const struct kstate_field *field)
{
	u64 val;
	int ret = kstate_get_u64(stream, "custom", &val);

	*(unsigned long *)member = val;
	return ret;
}

static int count(const void *obj)
{
	return 2;
}

static struct kstate_description v2_state = {
	.name = "v2",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(i, struct v2, int),
		KSTATE_BASE_TYPE(s, struct v2, char [10]),
		KSTATE_POINTER(p_ulong, struct v2),
		KSTATE_ADDRESS(page, struct v2, KS_VMEMMAP_ADDR),
		KSTATE_ADDRESS(linear, struct v2, KS_LINEAR_ADDR),
		KSTATE_STRUCT(inner, struct v2, &inner_state),
		KSTATE_ARRAY_OF_POINTER(array, struct v2, .count = count),
		KSTATE_CUSTOM(custom, struct v2, save_custom, restore_custom),
		KSTATE_END_OF_LIST()
	},
};

static void version_2(void **state)
{
	u16 one[2] = { 1, 2 }, two[2] = {};
	unsigned long there = 9, here = 0;
	struct v2 to = { .p_ulong = &here, .array = { &two[0], &two[1], NULL } };
	struct v2 from = {
		.i = 3, .p_ulong = &there, .s = "123456789", .inner = { 4, 5 },
		.array = { &one[0], &one[1], (u16 *)1 }, .page = pfn_to_page(6),
		.linear = shim_memory + 7, .custom = 8,
	};

	carry_ok(&v2_state, &from, &v2_state, &to, KSTATE_EXACT);
	assert_int_equal(to.i, 3);
	assert_string_equal(to.s, from.s);
	assert_int_equal(here, 9);
	assert_int_equal(to.inner.x, 4);
	assert_int_equal(to.inner.y, 5);
	assert_memory_equal(one, two, sizeof(one));
	assert_ptr_equal(to.page, from.page);
	assert_ptr_equal(to.linear, from.linear);
	assert_int_equal(to.custom, 8);
}

/* An enum kstate_kind and its modifiers: each name means one thing */
static void kinds_are_an_enum(void **state)
{
	const struct kstate_field *f = v2_state.fields;

	assert_int_equal(f[0].kind, KS_BASE_TYPE);
	assert_int_equal(f[0].modifiers, 0);
	assert_int_equal(f[1].modifiers, KS_ARRAY);
	assert_int_equal(f[2].modifiers, KS_POINTER);
	assert_int_equal(f[3].kind, KS_ADDRESS);
	assert_int_equal(f[5].kind, KS_STRUCT);
	assert_int_equal(f[6].modifiers, KS_ARRAY_OF_POINTER);
	assert_int_equal(f[7].kind, KS_CUSTOM);
	assert_int_equal(f[8].kind, KS_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(slides),
		TEST(version_2),
		TEST(kinds_are_an_enum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
