// SPDX-License-Identifier: GPL-2.0-only
/*
 * Features that meet: unions in groups that are absent, functions and hooks of what is
 * restored in steps, arrays that shrink in defaults.
 */
#include <unistd.h>
#include <linux/mm.h>
#include "fault.h"

/* Members of a newer struct have the names of the older one's */
#pragma GCC diagnostic ignored "-Woverride-init"

/* A hook that uses the stream that it is called for */

struct one {
	u32 x;
};

static struct kstate_stream *hook_stream;
static int hook_said;

static int one_restored(void *obj);

static struct kstate_description one_desc = {
	.name = "one", .restored = one_restored, .fields = (const struct kstate_field[]) {
		KSTATE_FIELD(struct one, x), KSTATE_END_OF_LIST() },
};

static int one_restored(void *obj)
{
	struct one other = {};

	hook_said = kstate_stream_check(hook_stream, &one_desc, &other, KSTATE_ID(1), NULL);
	return 0;
}

static void hook_that_calls_back(void **state)
{
	struct one one = { 7 }, to = {};
	struct kstate_set *set = saved(&one_desc, &one);
	struct kstate_transaction *t;

	alarm(20);
	hook_stream = kstate_stream_find(set, "test");
	t = kstate_transaction_begin(hook_stream);
	assert_fits(kstate_transaction_add(t, &one_desc, &to, KSTATE_ID(1), &err));
	assert_fits(kstate_transaction_apply(t, &err));
	assert_int_equal(hook_said, -EDEADLK);
	kstate_transaction_cancel(t);
	assert_int_equal(to.x, 0);
	assert_fits(stream_restore(hook_stream, &one_desc, &to, KSTATE_ID(1)));
	assert_int_equal(hook_said, -EDEADLK);
	kstate_set_destroy(set);
	alarm(0);
}

/* An arm that has to be initialized */

struct tree {
	u32 magic;
	struct xarray xa;
	u32 size;
};

struct holder {
	u8 kind;
	union {
		u64 number;
		struct tree tree;
	};
	u32 last;
};

struct number {
	u64 number;
};

static void tree_init(void *obj)
{
	struct tree *tree = obj;

	tree->magic = 0x7ee;
	xa_init(&tree->xa);
}

KSTATE_DESCRIBE_STATIC(number_desc, "number", 1, KSTATE_FIELD(struct number, number));
static const struct kstate_field tree_fields[] = {
	KSTATE_XARRAY(xa, struct tree, struct one, &one_desc),
	KSTATE_FIELD(struct tree, size),
	KSTATE_END_OF_LIST()
};
static const struct kstate_field small_fields[] = {
	KSTATE_FIELD(struct tree, size),
	KSTATE_END_OF_LIST()
};
static struct kstate_description tree_desc = {
	.name = "tree", .fields = tree_fields, .init = tree_init,
};
static struct kstate_description small_desc = {
	.name = "tree", .fields = small_fields, .init = tree_init,
};
static const struct kstate_arm tree_arms[] = {
	{ "number", 0, &number_desc }, { "tree", 1, &tree_desc }, { }
};
static const struct kstate_arm small_arms[] = {
	{ "number", 0, &number_desc }, { "tree", 1, &small_desc }, { }
};
#define HOLDER(_arms, _restored) {						\
	.name = "holder", .restored = (_restored),				\
	.fields = (const struct kstate_field[]) {				\
		{ .name = "u", .kind = KS_UNION, .num = 1,			\
		  .offset = offsetof(struct holder, tree),			\
		  .size = sizeof(struct tree), .arms = (_arms),			\
		  .length = { offsetof(struct holder, kind), KS_U8 } },		\
		KSTATE_FIELD(struct holder, last),				\
		KSTATE_END_OF_LIST() },						\
}

static bool holder_takes;

static int holder_restored(void *obj)
{
	return holder_takes ? 0 : -EBUSY;
}

static struct kstate_description holder_desc = HOLDER(small_arms, holder_restored);
static struct kstate_description forest_desc = HOLDER(tree_arms, NULL);

/* What .init has written is taken back as well */
static void init_is_undone(void **state)
{
	struct holder from = { .kind = 1, .tree = { .size = 5 } }, to, before;
	struct kstate_set *set = saved(&holder_desc, &from);

	memset(&to, 0, sizeof(to));
	before = to;
	holder_takes = false;
	assert_int_equal(stream_restore(kstate_stream_find(set, "test"), &holder_desc, &to,
					KSTATE_ID(1)), -EBUSY);
	assert_memory_equal(&to, &before, sizeof(to));
	holder_takes = true;
	assert_fits(stream_restore(kstate_stream_find(set, "test"), &holder_desc, &to,
				   KSTATE_ID(1)));
	assert_int_equal(to.tree.magic, 0x7ee);
	assert_int_equal(to.tree.size, 5);
	kstate_set_destroy(set);
}

/* .init must not lose what is reserved in an xarray: the caller has to go first */
static void init_of_an_xarray(void **state)
{
	struct one *one = kvzalloc(sizeof(*one), GFP_KERNEL);
	struct holder from = { .kind = 1 }, to, before;
	struct kstate_stream *stream;
	struct kstate_set *set;
	int ret;

	xa_init(&from.tree.xa);
	from.tree.size = 6;
	one->x = 3;
	assert_null(xa_store(&from.tree.xa, 100, one, GFP_KERNEL));
	one_desc.restored = NULL;
	set = saved(&forest_desc, &from);
	stream = kstate_stream_find(set, "test");
	for_each_step(n) {
		memset(&to, 0, sizeof(to));
		before = to;
		ret = failing(n, kstate_stream_restore(stream, &forest_desc, &to, KSTATE_ID(1), &err));
		assert_int_equal(ret, failed ? -ENOMEM : -ENOSPC);
		assert_memory_equal(&to, &before, sizeof(to));
	}
	assert_string_equal(err.path, "holder[1].u.tree.xa");
	to.kind = 1;
	tree_init(&to.tree);
	assert_fits(stream_restore(stream, &forest_desc, &to, KSTATE_ID(1)));
	assert_int_equal(to.tree.magic, 0x7ee);
	assert_int_equal(to.tree.size, 6);
	assert_int_equal(((struct one *)xa_load(&to.tree.xa, 100))->x, 3);
	kvfree(xa_load(&to.tree.xa, 100));
	xa_destroy(&to.tree.xa);
	kstate_set_destroy(set);
	kvfree(one);
	xa_destroy(&from.tree.xa);
	one_desc.restored = one_restored;
}

/* A function that counts otherwise than what was restored */

struct shelf {
	u16 boxes[8];
	u16 *more;
	u16 *each[4];
};

static int shelf_counts;

static int shelf_count(const void *obj)
{
	return shelf_counts;
}

KSTATE_DESCRIBE_STATIC(shelf_desc, "shelf", 1,
	KSTATE_VARRAY_FN(boxes, struct shelf, shelf_count));
KSTATE_DESCRIBE_STATIC(more_desc, "shelf", 1,
	KSTATE_VARRAY_FN(more, struct shelf, shelf_count, KSTATE_ALLOC));

KSTATE_DESCRIBE_STATIC(each_desc, "shelf", 1,
	KSTATE_ARRAY_OF_POINTER(each, struct shelf, KSTATE_ALLOC, .count = shelf_count));

static void count_of_an_array(void **state)
{
	struct shelf from = { .boxes = { 1, 2, 3 } }, to = { .boxes = { 9, 9, 9, 9, 9 } };
	struct shelf before = to;
	struct kstate_set *set;

	shelf_counts = 3;
	set = saved(&shelf_desc, &from);
	shelf_counts = 5;
	assert_int_equal(stream_restore(kstate_stream_find(set, "test"), &shelf_desc, &to,
					KSTATE_ID(1)), -ENOSPC);
	assert_memory_equal(&to, &before, sizeof(to));
	shelf_counts = 3;
	assert_fits(stream_restore(kstate_stream_find(set, "test"), &shelf_desc, &to,
				   KSTATE_ID(1)));
	assert_int_equal(to.boxes[2], 3);
	kstate_set_destroy(set);
}

static void count_of_nothing(void **state)
{
	struct shelf from = { }, to = { };
	struct kstate_set *set;

	shelf_counts = 0;
	set = saved(&more_desc, &from);
	shelf_counts = 5;
	assert_int_equal(stream_restore(kstate_stream_find(set, "test"), &more_desc, &to,
					KSTATE_ID(1)), -ENOSPC);
	shelf_counts = 0;
	assert_fits(stream_restore(kstate_stream_find(set, "test"), &more_desc, &to,
				   KSTATE_ID(1)));
	kstate_set_destroy(set);
}

/* Pointers that the function does not count would not be saved again */
static void count_of_pointers(void **state)
{
	u16 values[2] = { 1, 2 };
	struct shelf from = { .each = { &values[0], NULL, &values[1] } }, to = { }, zero = { };
	struct kstate_set *set;

	shelf_counts = 4;
	set = saved(&each_desc, &from);
	for (shelf_counts = 0; shelf_counts < 3; shelf_counts++) {
		assert_int_equal(stream_restore(kstate_stream_find(set, "test"), &each_desc, &to,
						KSTATE_ID(1)), -ENOSPC);
		assert_memory_equal(&to, &zero, sizeof(to));
	}
	assert_fits(stream_restore(kstate_stream_find(set, "test"), &each_desc, &to,
				   KSTATE_ID(1)));
	assert_int_equal(*to.each[2], 2);
	kvfree(to.each[0]);
	kvfree(to.each[2]);
	kstate_set_destroy(set);
}

/* A group that the writer left out has the writer's defaults, by their names */

struct mode {
	u32 mode;
	u32 flags;
};

static bool never(const void *obj)
{
	return false;
}

static const struct kstate_flag_name old_modes[] = { { 0, "half" }, { 1, "full" }, { } };
static const struct kstate_flag_name new_modes[] = {
	{ 0, "auto" }, { 1, "half" }, { 2, "full" }, { } };
static const struct kstate_flag_name old_flags[] = { { 1, "a" }, { 2, "b" }, { } };
static const struct kstate_flag_name new_flags[] = { { 1, "b" }, { 2, "a" }, { } };
KSTATE_DESCRIBE_STATIC(old_mode_group, "g", 1,
	KSTATE_FIELD(struct mode, mode, KSTATE_DEFAULT(1), KSTATE_ENUM_NAMES(old_modes)),
	KSTATE_FIELD(struct mode, flags, KSTATE_DEFAULT(1), KSTATE_FLAG_NAMES(old_flags)));
KSTATE_DESCRIBE_STATIC(new_mode_group, "g", 1,
	KSTATE_FIELD(struct mode, mode, KSTATE_DEFAULT(2), KSTATE_ENUM_NAMES(new_modes)),
	KSTATE_FIELD(struct mode, flags, KSTATE_DEFAULT(2), KSTATE_FLAG_NAMES(new_flags)));
KSTATE_DESCRIBE_STATIC(old_mode, "m", 1, KSTATE_GROUP(g, &old_mode_group, never));
KSTATE_DESCRIBE_STATIC(new_mode, "m", 1, KSTATE_GROUP(g, &new_mode_group, never));

static void names_in_an_absent_group(void **state)
{
	struct mode from = { 1, 1 }, to = { 77, 77 };

	both_fit(&old_mode, &from, &new_mode, &to, KSTATE_CONVERTED);
	assert_int_equal(to.mode, 2);
	assert_int_equal(to.flags, 2);
	from = (struct mode){ 0, 2 };
	both_fit(&old_mode, &from, &new_mode, &to, KSTATE_CONVERTED);
	assert_int_equal(to.mode, 1);
	assert_int_equal(to.flags, 1);
}

/* Unions in arrays that shrink, in a group that was left out */

struct cell {
	u8 kind;
	union {
		u64 number;
		u64 bytes[2];
	};
};

struct cells {
	struct cell cells[4];
	u32 nr;
	u16 *tail;
};

struct fewer_cells {
	struct cell cells[2];
	u32 nr;
	u16 *tail;
};

static const struct kstate_arm cell_arms[] = { { "number", 0, &number_desc }, { } };
KSTATE_DESCRIBE_STATIC(cell_desc, "cell", 1,
	{ .name = "u", .kind = KS_UNION, .num = 1, .offset = offsetof(struct cell, number),
	  .size = 16, .arms = cell_arms, .has_default = 1,
	  .length = { offsetof(struct cell, kind), KS_U8 } });
KSTATE_DESCRIBE_STATIC(cells_group, "g", 1,
	KSTATE_STRUCT_ARRAY(cells, struct cells, &cell_desc, KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(fewer_group, "g", 1,
	KSTATE_STRUCT_ARRAY(cells, struct fewer_cells, &cell_desc, KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(cells_desc, "cells", 1,
	KSTATE_GROUP(g, &cells_group, never),
	KSTATE_VARRAY(tail, struct cells, nr, KSTATE_ALLOC));
KSTATE_DESCRIBE_STATIC(fewer_desc, "cells", 1,
	KSTATE_GROUP(g, &fewer_group, never),
	KSTATE_VARRAY(tail, struct fewer_cells, nr, KSTATE_ALLOC));

static void unions_in_an_absent_group(void **state)
{
	u16 tail[20] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };
	struct cells from = { .nr = 20, .tail = tail }, back = {};
	struct fewer_cells to = {};

	both_fit(&cells_desc, &from, &fewer_desc, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.nr, 20);
	assert_memory_equal(to.tail, tail, sizeof(tail));
	both_fit(&fewer_desc, &to, &cells_desc, &back, KSTATE_DEFAULTED);
	assert_memory_equal(back.tail, tail, sizeof(tail));
	kvfree(back.tail);
	kvfree(to.tail);
}

struct converted {
	u32 u;
	u32 nr;
	u16 *tail;
};

static int convert_union(void *member, const struct kstate_value *from,
			 const struct kstate_field *field)
{
	*(u32 *)member = 42;
	return 0;
}

KSTATE_DESCRIBE_STATIC(union_group, "g", 1,
	{ .name = "u", .kind = KS_UNION, .num = 1, .offset = offsetof(struct cells, cells[0].number),
	  .size = 16, .arms = cell_arms, .has_default = 1,
	  .length = { offsetof(struct cells, cells[0].kind), KS_U8 } });
KSTATE_DESCRIBE_STATIC(converted_group, "g", 1,
	KSTATE_FIELD(struct converted, u, KSTATE_DEFAULT(0), KSTATE_CONVERT(convert_union)));
KSTATE_DESCRIBE_STATIC(union_desc, "cells", 1,
	KSTATE_GROUP(g, &union_group, never),
	KSTATE_VARRAY(tail, struct cells, nr, KSTATE_ALLOC));
KSTATE_DESCRIBE_STATIC(converted_desc, "cells", 1,
	KSTATE_GROUP(g, &converted_group, never),
	KSTATE_VARRAY(tail, struct converted, nr, KSTATE_ALLOC));

static void converted_in_an_absent_group(void **state)
{
	u16 tail[20] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };
	struct cells from = { .nr = 20, .tail = tail };
	struct converted to = {};

	both_fit(&union_desc, &from, &converted_desc, &to, KSTATE_CONVERTED);
	assert_memory_equal(to.tail, tail, sizeof(tail));
	assert_int_equal(to.u, 42);
	kvfree(to.tail);
}

/* Indices of a run that end where there is no room for them */

struct cache {
	u32 nr;
	struct kstate_folio_entry *folios;
};

KSTATE_DESCRIBE_STATIC(cache_desc, "cache", 1, KSTATE_FOLIOS(folios, struct cache, nr));

static void run_past_the_last_index(void **state)
{
	struct page *pages = virt_to_page(alloc_pages_exact(4 * PAGE_SIZE, GFP_KERNEL));
	struct kstate_folio_entry entries[4];
	struct cache from = { 4, entries };
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);

	use(&cache_desc);
	for (int i = 0; i < 4; i++)
		entries[i] = (struct kstate_folio_entry){ .folio = page_folio(pages + i),
							  .index = (1ULL << 44) - 2 + i };
	assert_int_equal(kstate_stream_save(stream, &cache_desc, &from, KSTATE_ID(1), &err), -ERANGE);
	assert_string_equal(err.path, "cache[1].folios[2]");
	kstate_set_destroy(set);
	for (int i = 0; i < 4; i++)
		folio_put(entries[i].folio);
}

/* Flags at the top of a signed integer; bits without names where others go */

struct bits {
	s32 s;
	u32 u;
};

static const struct kstate_flag_name high_names[] = { { 0x80000000, "high" }, { 1, "low" }, { } };
static const struct kstate_flag_name low_names[] = { { 1, "high" }, { 0x80000000, "low" }, { } };
static const struct kstate_flag_name csum_1[] = { { 1, "csum" }, { } };
static const struct kstate_flag_name csum_2[] = { { 2, "csum" }, { } };
KSTATE_DESCRIBE_STATIC(high_bits, "bits", 1,
	KSTATE_FIELD(struct bits, s, KSTATE_FLAG_NAMES(high_names)));
KSTATE_DESCRIBE_STATIC(low_bits, "bits", 1,
	KSTATE_FIELD(struct bits, s, KSTATE_FLAG_NAMES(low_names)));
KSTATE_DESCRIBE_STATIC(bits_1, "bits", 1,
	KSTATE_FIELD(struct bits, u, KSTATE_FLAG_NAMES(csum_1)));
KSTATE_DESCRIBE_STATIC(bits_2, "bits", 1,
	KSTATE_FIELD(struct bits, u, KSTATE_FLAG_NAMES(csum_2)));

static void flags_at_the_sign(void **state)
{
	struct bits from = { .s = (s32)0x80000000 }, to = {};

	both_fit(&high_bits, &from, &low_bits, &to, KSTATE_CONVERTED);
	assert_int_equal(to.s, 1);
	from.s = 1;
	both_fit(&high_bits, &from, &low_bits, &to, KSTATE_CONVERTED);
	assert_int_equal(to.s, (s32)0x80000000);
}

static void flags_that_collide(void **state)
{
	struct bits from = { .u = 3 }, to = {};

	both_refuse(&bits_1, &from, &bits_2, &to, KSTATE_VALUE, "bits[1].u");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(hook_that_calls_back), ALONE(init_is_undone), ALONE(init_of_an_xarray),
		ALONE(count_of_an_array), ALONE(count_of_nothing), ALONE(count_of_pointers),
		ALONE(names_in_an_absent_group),
		ALONE(unions_in_an_absent_group), ALONE(converted_in_an_absent_group),
		ALONE(run_past_the_last_index), ALONE(flags_at_the_sign), ALONE(flags_that_collide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
