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

static int restore(struct kstate_set *set, struct kstate_description *desc, void *obj)
{
	return stream_restore(kstate_stream_find(set, "test"), desc, obj, KSTATE_ID(1));
}

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
	assert_int_equal(restore(set, &holder_desc, &to), -EBUSY);
	assert_memory_equal(&to, &before, sizeof(to));
	holder_takes = true;
	assert_fits(restore(set, &holder_desc, &to));
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
		ret = failing(n, kstate_stream_restore(stream, &forest_desc, &to, KSTATE_ID(1),
						       &err));
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
	assert_int_equal(restore(set, &shelf_desc, &to), -ENOSPC);
	assert_memory_equal(&to, &before, sizeof(to));
	shelf_counts = 3;
	assert_fits(restore(set, &shelf_desc, &to));
	assert_int_equal(to.boxes[2], 3);
	kstate_set_destroy(set);
}

struct rack {
	struct shelf shelves[3];
};

KSTATE_DESCRIBE_STATIC(rack_desc, "rack", 1,
	KSTATE_STRUCT_ARRAY(shelves, struct rack, &more_desc));

/* The error says which array, wherever it is */
static void count_in_an_array(void **state)
{
	struct rack from = { }, to = { };
	struct kstate_set *set;

	shelf_counts = 0;
	set = saved(&rack_desc, &from);
	shelf_counts = 5;
	assert_error(restore(set, &rack_desc, &to), KSTATE_NO_ROOM, -ENOSPC,
		     "rack[1].shelves[0].more", "0 elements, as the record has them",
		     "5 by the function of the field");
	shelf_counts = 0;
	assert_fits(restore(set, &rack_desc, &to));
	kstate_set_destroy(set);
}

static void count_of_nothing(void **state)
{
	struct shelf from = { }, to = { };
	struct kstate_set *set;

	shelf_counts = 0;
	set = saved(&more_desc, &from);
	shelf_counts = 5;
	assert_int_equal(restore(set, &more_desc, &to), -ENOSPC);
	shelf_counts = 0;
	assert_fits(restore(set, &more_desc, &to));
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
		assert_int_equal(restore(set, &each_desc, &to), -ENOSPC);
		assert_memory_equal(&to, &zero, sizeof(to));
	}
	assert_fits(restore(set, &each_desc, &to));
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
	{ .name = "u", .kind = KS_UNION, .num = 1,
	  .offset = offsetof(struct cells, cells[0].number), .size = 16,
	  .arms = cell_arms, .has_default = 1,
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
	assert_int_equal(kstate_stream_save(stream, &cache_desc, &from, KSTATE_ID(1), &err),
			 -ERANGE);
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

/* A catalogue that lies about what is text */

struct dot {
	struct list_head link;
	u8 x;
};

struct dots {
	struct list_head all;
};

KSTATE_DESCRIBE_STATIC(dot_desc, "dot", 1, KSTATE_FIELD(struct dot, x));
KSTATE_DESCRIBE_STATIC(dots_desc, "dots", 1,
	KSTATE_LIST(all, struct dots, struct dot, link, &dot_desc));

static void text_of_structs(void **state)
{
	struct kstate_set *target = kstate_memory_create();
	struct kstate_schema *schema;
	u32 id;

	use(&dots_desc);
	assert_fits(kstate_check_description(&dots_desc, &err));
	/* There is room for one more */
	schema = dots_desc.schema;
	schema->hints[schema->nr_hints++] =
		(struct kstate_schema_hint){ .kind = KSTATE_HINT_TEXT, .name = "" };
	target->limits = true;
	assert_int_equal(kstate_set_schema(target, schema, &id, &err), -EBADMSG);
	assert_string_equal(err.expected, "a sequence of chars as text");
	kstate_set_destroy(target);
}

/* Names without end: matching them would take as long as it likes */

static struct kstate_flag_name many_names[2][KSTATE_MAX_HINTS + 2];

static struct kstate_description many_desc[2] = {
	{ .name = "one", .fields = (const struct kstate_field[]) {
		KSTATE_FIELD(struct one, x, KSTATE_ENUM_NAMES(many_names[0])),
		KSTATE_END_OF_LIST() } },
	{ .name = "one", .fields = (const struct kstate_field[]) {
		KSTATE_FIELD(struct one, x, KSTATE_ENUM_NAMES(many_names[1])),
		KSTATE_END_OF_LIST() } },
};

static void names_without_end(void **state)
{
	enum { MANY = 200000 };
	static char names[KSTATE_MAX_HINTS + 1][16];
	struct one from = { 4000 }, to = { 0 };
	struct kstate_schema_hint *hints, *own;
	struct kstate_set *set = kstate_memory_create();
	struct kstate_schema *schema;
	u32 id;

	/* One too many; then as many as there may be, in the other order */
	for (int i = 0; i <= KSTATE_MAX_HINTS; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", i);
		many_names[0][i] = (struct kstate_flag_name){ i, names[i] };
		many_names[1][KSTATE_MAX_HINTS - i] = (struct kstate_flag_name){ i + 1, names[i] };
	}
	assert_error(kstate_check_description(&many_desc[0], &err), KSTATE_BAD_DESCRIPTION,
		     -EINVAL, "one", "at most 4096 hints, names of values and bits included",
		     "4097");
	many_names[0][KSTATE_MAX_HINTS].name = NULL;
	many_names[1][KSTATE_MAX_HINTS].name = NULL;
	both_fit(&many_desc[0], &from, &many_desc[1], &to, KSTATE_CONVERTED);
	assert_int_equal(to.x, 4001);

	schema = many_desc[0].schema;
	own = schema->hints;
	hints = calloc(MANY, sizeof(*hints));
	for (int i = 0; i < MANY; i++)
		hints[i] = (struct kstate_schema_hint){ .kind = KSTATE_HINT_ENUM, .name = "same",
							.value = i };
	schema->hints = hints;
	schema->nr_hints = MANY;
	assert_int_equal(kstate_set_schema(set, schema, &id, &err), -EBADMSG);
	assert_string_equal(err.expected, "hints within their limit");
	schema->hints = own;
	free(hints);
	kstate_set_destroy(set);
}

/* What only the writer calls a secret, where nothing else differs */

KSTATE_DESCRIBE_STATIC(secret_desc, "one", 1,
	KSTATE_FIELD(struct one, x, KSTATE_EQUAL, KSTATE_SECRET));
KSTATE_DESCRIBE_STATIC(open_desc, "one", 1, KSTATE_FIELD(struct one, x, KSTATE_EQUAL));

static void secret_of_the_writer(void **state)
{
	struct one from = { 31415 }, to = { 1 };
	struct kstate_set *set = saved(&secret_desc, &from);

	assert_int_equal(restore(set, &open_desc, &to), -ERANGE);
	assert_null(strstr(text_of(&err), "31415"));
	kstate_set_destroy(set);
}

/* Hooks that refuse at each depth */

struct leaf {
	struct list_head link;
	struct hlist_node node;
	struct folio *folio;
	u32 x;
};

struct branch {
	struct hlist_head leaves;
	struct xarray xa;
	u32 y;
};

struct trunk {
	struct branch branches[2];
	struct list_head leaves;
	struct leaf *leaf;
	u8 kind;
	union {
		struct leaf arm;
		u64 number;
	};
	struct leaf own;
	u64 z;
};

static long refuse_at;
static int refusing(void *obj)
{
	return --refuse_at ? 0 : -EBUSY;
}

static struct kstate_description leaf_desc = {
	.name = "leaf", .restored = refusing, .fields = (const struct kstate_field[]) {
		KSTATE_FOLIO(folio, struct leaf), KSTATE_FIELD(struct leaf, x),
		KSTATE_END_OF_LIST() },
};
static struct kstate_description branch_desc = {
	.name = "branch", .restored = refusing, .fields = (const struct kstate_field[]) {
		KSTATE_HLIST(leaves, struct branch, struct leaf, node, &leaf_desc),
		KSTATE_XARRAY(xa, struct branch, struct leaf, &leaf_desc),
		KSTATE_FIELD(struct branch, y),
		KSTATE_END_OF_LIST() },
};
static const struct kstate_arm trunk_arms[] = {
	{ "number", 0, &number_desc }, { "leaf", 1, &leaf_desc }, { } };
static struct kstate_description trunk_desc = {
	.name = "trunk", .restored = refusing, .fields = (const struct kstate_field[]) {
		KSTATE_STRUCT_ARRAY(branches, struct trunk, &branch_desc),
		KSTATE_LIST(leaves, struct trunk, struct leaf, link, &leaf_desc),
		KSTATE_STRUCT_POINTER(leaf, struct trunk, &leaf_desc, KSTATE_ALLOC),
		{ .name = "u", .kind = KS_UNION, .num = 1, .offset = offsetof(struct trunk, arm),
		  .size = sizeof(struct leaf), .arms = trunk_arms,
		  .length = { offsetof(struct trunk, kind), KS_U8 } },
		KSTATE_STRUCT(own, struct trunk, &leaf_desc),
		KSTATE_FIELD(struct trunk, z),
		KSTATE_END_OF_LIST() },
};

static struct leaf *leaf_new(u32 x)
{
	struct leaf *leaf = kvzalloc(sizeof(*leaf), GFP_KERNEL);

	leaf->x = x;
	leaf->folio = page_folio(alloc_pages(GFP_KERNEL, x % 3));
	return leaf;
}

static void trunk_fill(struct trunk *t)
{
	memset(t, 0, sizeof(*t));
	INIT_LIST_HEAD(&t->leaves);
	for (int i = 0; i < 2; i++) {
		t->branches[i].y = i;
		for (int j = 0; j < 2; j++) {
			hlist_add_head(&leaf_new(10 * i + j)->node, &t->branches[i].leaves);
			xa_store(&t->branches[i].xa, 1000 * j, leaf_new(20 * i + j), GFP_KERNEL);
			list_add(&leaf_new(30 + i + j)->link, &t->leaves);
		}
	}
	t->leaf = leaf_new(50);
	t->kind = 1;
	t->arm.folio = page_folio(alloc_pages(GFP_KERNEL, 1));
	t->own.folio = page_folio(alloc_pages(GFP_KERNEL, 2));
	t->z = 99;
}

static u32 trunk_free(struct trunk *t, bool folios)
{
	struct leaf *leaf, *next;
	unsigned long index;
	u32 nr = 2;

	for (int i = 0; i < 2; i++) {
		while (t->branches[i].leaves.first) {
			leaf = container_of(t->branches[i].leaves.first, struct leaf, node);
			t->branches[i].leaves.first = leaf->node.next;
			if (folios)
				folio_put(leaf->folio);
			kvfree(leaf);
			nr++;
		}
		xa_for_each(&t->branches[i].xa, index, leaf) {
			if (folios)
				folio_put(leaf->folio);
			kvfree(leaf);
			nr++;
		}
		xa_destroy(&t->branches[i].xa);
	}
	list_for_each_entry_safe(leaf, next, &t->leaves, link) {
		if (folios)
			folio_put(leaf->folio);
		kvfree(leaf);
		nr++;
	}
	if (folios) {
		folio_put(t->leaf->folio);
		folio_put(t->arm.folio);
		folio_put(t->own.folio);
	}
	kvfree(t->leaf);
	return nr + 1;
}

static void hooks_at_each_depth(void **state)
{
	static const char *const hooks[] = {
		"trunk[1].branches[0].leaves[0]", "trunk[1].branches[0].leaves[1]",
		"trunk[1].branches[0].xa[0]", "trunk[1].branches[0].xa[1000]",
		"trunk[1].branches[0]",
		"trunk[1].branches[1].leaves[0]", "trunk[1].branches[1].leaves[1]",
		"trunk[1].branches[1].xa[0]", "trunk[1].branches[1].xa[1000]",
		"trunk[1].branches[1]",
		"trunk[1].leaves[0]", "trunk[1].leaves[1]", "trunk[1].leaves[2]",
		"trunk[1].leaves[3]", "trunk[1].leaf", "trunk[1].u.leaf", "trunk[1].own",
		"trunk[1]",
	};
	struct kstate_set *set = set_create(), *reader;
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct kstate_transaction *t;
	struct trunk from, to, before;
	size_t size;
	void *blob;
	long n;
	int ret;

	trunk_fill(&from);
	stream_save(stream, &trunk_desc, &from, KSTATE_ID(1));
	assert_int_equal(kstate_set_export(set, &blob, &size), 0);
	reader = kstate_memory_open(blob, size, &err);
	kvfree(blob);
	stream = kstate_stream_find(reader, "test");
	memset(&to, 0x5a, sizeof(to));
	INIT_LIST_HEAD(&to.leaves);
	memset(to.branches, 0, sizeof(to.branches));
	to.leaf = NULL;
	to.own.folio = NULL;
	to.kind = 0;
	before = to;
	for (n = 1, ret = -EBUSY; ret; n++) {
		refuse_at = n;
		ret = kstate_stream_restore(stream, &trunk_desc, &to, KSTATE_ID(1), &err);
		if (ret) {
			assert_int_equal(ret, -EBUSY);
			assert_memory_equal(&to, &before, sizeof(to));
			assert_string_equal(err.path, hooks[n - 1]);
		}
		if (n == 4) {
			/* And without memory */
			for_each_step(m) {
				refuse_at = n;
				t = kstate_transaction_begin(stream);
				ret = failing(m, kstate_transaction_add(t, &trunk_desc, &to,
									KSTATE_ID(1), &err) ?:
					      kstate_transaction_apply(t, &err));
				assert_int_equal(ret, failed ? -ENOMEM : -EBUSY);
				kstate_transaction_cancel(t);
				assert_memory_equal(&to, &before, sizeof(to));
			}
		}
	}
	/* 15 leaves, 2 branches and the trunk; the last round is the one that restores */
	assert_int_equal(n, 15 + 2 + 1 + 2);
	assert_int_equal(to.z, 99);
	assert_int_equal(trunk_free(&to, true), 3 + 4 + 4 + 4);
	trunk_free(&from, false);
	kstate_set_destroy(reader);
	kstate_set_destroy(set);
}

/* Arrays that grow, of structs whose parts have defaults */

struct old_part {
	u16 a[2];
	u8 kind;
	u64 number;
};

struct new_part {
	u16 a[3];
	u8 kind;
	union {
		u64 number;
		u64 pair[2];
	};
	u32 extra;
	u32 b;
};

struct old_parts {
	struct old_part parts[2];
	u32 last;
};

struct new_parts {
	struct new_part parts[4];
	u32 last;
};

KSTATE_DESCRIBE_STATIC(number5_desc, "number", 1,
	KSTATE_FIELD(struct number, number, KSTATE_DEFAULT(5)));
static const struct kstate_arm part_arms[] = {
	{ "number", 3, &number5_desc }, { "no", 4, NULL }, { } };
KSTATE_DESCRIBE_STATIC(part_group, "part_group", 1,
	KSTATE_FIELD(struct new_part, b, KSTATE_DEFAULT(9)));
KSTATE_DESCRIBE_STATIC(old_part_desc, "part", 1,
	KSTATE_FIELD(struct old_part, a, KSTATE_DEFAULT(7)));
KSTATE_DESCRIBE_STATIC(new_part_desc, "part", 1,
	KSTATE_FIELD(struct new_part, a, KSTATE_DEFAULT(7)),
	{ .name = "u", .kind = KS_UNION, .num = 1, .offset = offsetof(struct new_part, number),
	  .size = 16, .arms = part_arms, .has_default = 1,
	  .length = { offsetof(struct new_part, kind), KS_U8 } },
	KSTATE_GROUP(g, &part_group, never),
	KSTATE_FIELD(struct new_part, extra, KSTATE_DEFAULT(11)));
KSTATE_DESCRIBE_STATIC(old_parts_desc, "parts", 1,
	KSTATE_STRUCT_ARRAY(parts, struct old_parts, &old_part_desc, KSTATE_DEFAULT(0)),
	KSTATE_FIELD(struct old_parts, last));
KSTATE_DESCRIBE_STATIC(new_parts_desc, "parts", 1,
	KSTATE_STRUCT_ARRAY(parts, struct new_parts, &new_part_desc, KSTATE_DEFAULT(0)),
	KSTATE_FIELD(struct new_parts, last));

static void arrays_in_arrays_that_grow(void **state)
{
	struct old_parts from = { .parts = { { .a = { 1, 2 } }, { .a = { 3, 4 } } }, .last = 77 };
	struct old_parts back = {};
	struct new_parts to;

	memset(&to, 0x5a, sizeof(to));
	both_fit(&old_parts_desc, &from, &new_parts_desc, &to, KSTATE_DEFAULTED);
	for (int i = 0; i < 4; i++) {
		for (int j = 0; j < 3; j++)
			assert_int_equal(to.parts[i].a[j], i < 2 && j < 2 ? 2 * i + j + 1 : 7);
		assert_int_equal(to.parts[i].kind, 3);
		assert_int_equal(to.parts[i].number, 5);
		assert_int_equal(to.parts[i].b, 9);
		assert_int_equal(to.parts[i].extra, 11);
	}
	assert_int_equal(to.last, 77);
	both_fit(&new_parts_desc, &to, &old_parts_desc, &back, KSTATE_DEFAULTED);
	assert_memory_equal(&back, &from, sizeof(back));
	to.parts[3].number = 6;
	both_refuse(&new_parts_desc, &to, &old_parts_desc, &back, KSTATE_VALUE, "parts[1].parts");
	to.parts[3].number = 5;
	to.parts[3].kind = 4;
	both_refuse(&new_parts_desc, &to, &old_parts_desc, &back, KSTATE_VALUE, "parts[1].parts");
	to.parts[3].kind = 3;
	to.parts[1].b = 6;
	both_refuse(&new_parts_desc, &to, &old_parts_desc, &back, KSTATE_VALUE,
		    "parts[1].parts[1].g");
}

/* Three arrays and a field with one length */

struct shared {
	u8 nr;
	u16 *p;
	u32 *q;
	u8 r[6];
	u8 old[6];
	u8 nr_old;
};

#define SHARED(_name, ...)	KSTATE_DESCRIBE_STATIC(_name, "shared", 1, __VA_ARGS__)
SHARED(shared_desc, KSTATE_FIELD(struct shared, nr, KSTATE_EQUAL),
       KSTATE_VARRAY(p, struct shared, nr, KSTATE_ALLOC),
       KSTATE_VARRAY(q, struct shared, nr, KSTATE_ALLOC),
       KSTATE_VARRAY(r, struct shared, nr));
SHARED(unshared_desc, KSTATE_VARRAY(p, struct shared, nr, KSTATE_ALLOC),
       KSTATE_VARRAY(q, struct shared, nr, KSTATE_ALLOC),
       KSTATE_VARRAY(r, struct shared, nr_old));

static void lengths_of_three(void **state)
{
	u16 p[4] = { 1, 2, 3, 4 };
	u32 q[4] = { 5, 6, 7, 8 };
	struct shared from = { .nr = 4, .p = p, .q = q, .r = { 9, 8, 7, 6 } }, to = { };

	carry_refused(&shared_desc, &from, &shared_desc, &to, KSTATE_VALUE, "shared[1].nr");
	to.nr = 4;
	carry_ok(&shared_desc, &from, &shared_desc, &to, KSTATE_EXACT);
	assert_memory_equal(to.q, q, sizeof(q));
	kvfree(to.p);
	kvfree(to.q);
	to = (struct shared){ .nr = 4 };
	from.nr_old = 3;
	carry_refused(&unshared_desc, &from, &shared_desc, &to, KSTATE_VALUE, "shared[1].nr");
	from.nr_old = 4;
	carry_ok(&unshared_desc, &from, &shared_desc, &to, KSTATE_EXACT);
	assert_int_equal(to.nr, 4);
	assert_memory_equal(to.r, from.r, 4);
	kvfree(to.p);
	kvfree(to.q);
}

/* Folios of several orders, handed on while each step fails */

static void folios_handed_on(void **state)
{
	struct kstate_set *first = set_create(), *second, *third = NULL, *set;
	struct kstate_stream *stream = kstate_stream_create(first, "test", &err);
	struct kstate_folio_entry entries[12];
	struct cache from = { 12, entries }, to = {};
	struct kstate_error e;
	size_t size;
	void *blob;
	int ret;

	/* Twice three of order 1, twice two single ones */
	for (int i = 0; i < 12; i++) {
		u32 order = i % 6 < 3 ? 1 : i % 6 < 5 ? 0 : 2;

		entries[i] = (struct kstate_folio_entry){
			.folio = page_folio(alloc_pages(GFP_KERNEL, order)),
			.index = 4 * i, .flags = i,
		};
	}
	for (int i = 0; i < 12; i++)
		if (i && folio_order(entries[i].folio) == folio_order(entries[i - 1].folio)) {
			entries[i].index = entries[i - 1].index +
					   (1 << folio_order(entries[i].folio));
			entries[i].flags = entries[i - 1].flags;
		}
	stream_save(stream, &cache_desc, &from, KSTATE_ID(1));
	assert_int_equal(kstate_set_export(first, &blob, &size), 0);
	second = kstate_memory_open(blob, size, &err);
	kvfree(blob);
	for_each_step(n) {
		third = set_create();
		memset(&e, 0, sizeof(e));
		ret = failing(n, kstate_set_hand_on(second, third, &e));
		if (ret) {
			assert_true(failed);
			assert_int_equal(ret, -ENOMEM);
			kstate_set_destroy(third);
		} else if (failed) {
			kstate_set_destroy(third);
		}
	}
	assert_int_equal(kstate_set_export(third, &blob, &size), 0);
	set = kstate_memory_open(blob, size, &err);
	kvfree(blob);
	assert_fits(restore(set, &cache_desc, &to));
	assert_int_equal(to.nr, 12);
	for (int i = 0; i < 12; i++) {
		assert_ptr_equal(to.folios[i].folio, entries[i].folio);
		assert_int_equal(to.folios[i].index, entries[i].index);
		assert_int_equal(to.folios[i].flags, entries[i].flags);
	}
	kvfree(to.folios);
	kstate_set_destroy(set);
	kstate_set_destroy(third);
	/* It has kept them, for want of another kernel */
	kstate_set_destroy(second);
	kstate_set_destroy(first);
}

/* Memory that the reader drops goes when that is final, and not before */

KSTATE_DESCRIBE_STATIC(no_cache_desc, "cache", 1, KSTATE_REMOVED("folios"));

static void dropped_in_a_transaction(void **state)
{
	struct kstate_set *set = set_create(), *reader;
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct kstate_folio_entry entries[4];
	struct cache from = { 4, entries }, to = {};
	struct kstate_transaction *t;
	long pages;
	size_t size;
	void *blob;

	for (int i = 0; i < 4; i++)
		entries[i] = (struct kstate_folio_entry){
			.folio = page_folio(alloc_pages(GFP_KERNEL, i / 2)), .index = 8 * i };
	pages = shim_live_pages();
	stream_save(stream, &cache_desc, &from, KSTATE_ID(1));
	assert_int_equal(kstate_set_export(set, &blob, &size), 0);
	reader = kstate_memory_open(blob, size, &err);
	kvfree(blob);
	stream = kstate_stream_find(reader, "test");
	use(&no_cache_desc);
	for (int round = 0; round < 3; round++) {
		t = kstate_transaction_begin(stream);
		assert_fits(kstate_transaction_add(t, &no_cache_desc, &to, KSTATE_ID(1), &err));
		assert_fits(kstate_transaction_apply(t, &err));
		assert_int_equal(shim_live_pages(), pages);
		if (round < 2)
			kstate_transaction_cancel(t);
		else
			kstate_transaction_commit(t);
	}
	assert_int_equal(shim_live_pages(), pages - 6);
	kstate_set_destroy(reader);
	kstate_set_destroy(set);
}

/* What is on its way when all others are freed */
static void finished_in_a_transaction(void **state)
{
	struct one one = { 7 }, to = {};
	struct kstate_transaction *t;
	struct kstate_stream *stream;
	struct kstate_set *set;

	one_desc.restored = NULL;
	set = saved(&one_desc, &one);
	stream = kstate_stream_find(set, "test");
	t = kstate_transaction_begin(stream);
	assert_fits(kstate_transaction_add(t, &one_desc, &to, KSTATE_ID(1), &err));
	assert_int_equal(kstate_set_finish(set, true), 0);
	assert_fits(kstate_transaction_apply(t, &err));
	assert_int_equal(to.x, 7);
	shim_log_clear();
	kstate_transaction_cancel(t);
	assert_int_equal(to.x, 0);
	/* What nobody claims any more goes at once, and does not wait for the jump */
	assert_non_null(strstr(shim_log(), "nobody claimed one[1]"));
	assert_true(list_empty(&stream->segments));
	assert_int_equal(stream_restore(stream, &one_desc, &to, KSTATE_ID(1)), -ENOENT);
	kstate_set_destroy(set);
	one_desc.restored = one_restored;
}

/* What is in an object but not described never gets into a stream: it may be anything */

struct gaps {
	u8 a;
	u32 b;
	u16 c;
	u64 d;
	bool e;
	s16 f[3];
	u32 not_described;
	u8 g;
	char text[13];
	unsigned long bits[1];
	struct gap {
		u8 w;
		u64 x;
		u16 y;
		u32 z;
	} in_a_row[3], one;
	u32 last;
	u8 end;
};

KSTATE_DESCRIBE_STATIC(gap_desc, "gap", 1,
	KSTATE_FIELD(struct gap, w), KSTATE_FIELD(struct gap, x), KSTATE_FIELD(struct gap, y),
	KSTATE_FIELD(struct gap, z));
KSTATE_DESCRIBE_STATIC(gaps_desc, "gaps", 1,
	KSTATE_FIELD(struct gaps, a), KSTATE_FIELD(struct gaps, b, KSTATE_RANGE(0, 9)),
	KSTATE_FIELD(struct gaps, c), KSTATE_FIELD(struct gaps, d), KSTATE_FIELD(struct gaps, e),
	KSTATE_FIELD(struct gaps, f), KSTATE_FIELD(struct gaps, g),
	KSTATE_STRING(text, struct gaps), KSTATE_BITMAP(bits, struct gaps, 11),
	KSTATE_STRUCT_ARRAY(in_a_row, struct gaps, &gap_desc),
	KSTATE_STRUCT(one, struct gaps, &gap_desc),
	KSTATE_FIELD(struct gaps, last), KSTATE_FIELD(struct gaps, end));

static void gaps_fill(struct gaps *gaps, u8 between)
{
	memset(gaps, between, sizeof(*gaps));
	gaps->a = 1;
	gaps->b = 2;
	gaps->c = 3;
	gaps->d = 4;
	gaps->e = true;
	for (int i = 0; i < 3; i++) {
		gaps->f[i] = i;
		gaps->in_a_row[i].w = i;
		gaps->in_a_row[i].x = i;
		gaps->in_a_row[i].y = i;
		gaps->in_a_row[i].z = i;
	}
	gaps->g = 5;
	strscpy(gaps->text, "short", sizeof(gaps->text));
	memset(gaps->text + 6, between, sizeof(gaps->text) - 6);
	gaps->bits[0] &= ~0x7ffUL;
	gaps->one.w = 5;
	gaps->one.x = 6;
	gaps->one.y = 7;
	gaps->one.z = 8;
	gaps->last = 9;
	gaps->end = 10;
}

static void gaps_of_zeros(void *obj)
{
	gaps_fill(obj, 0);
}

static void gaps_of_secrets(void *obj)
{
	gaps_fill(obj, 0xa5);
}

static void gap_of_zeros(void *obj)
{
	memset(obj, 0, sizeof(struct gap));
}

static void gap_of_secrets(void *obj)
{
	struct gap *gap = obj;

	memset(gap, 0xa5, sizeof(*gap));
	gap->w = 0;
	gap->x = 0;
	gap->y = 0;
	gap->z = 0;
}

static void what_is_not_described(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	void *zeros, *secrets;
	struct gaps gaps;
	size_t size;

	same_bytes(&gaps_desc, sizeof(struct gaps), gaps_of_zeros, gaps_of_secrets);
	same_bytes(&gap_desc, sizeof(struct gap), gap_of_zeros, gap_of_secrets);
	kstate_forget(&gaps_desc);

	/* And when its values are saved again */
	gaps_of_zeros(&gaps);
	stream_save(stream, &gaps_desc, &gaps, KSTATE_ID(1));
	assert_int_equal(kstate_set_export(set, &zeros, &size), 0);
	gaps_of_secrets(&gaps);
	assert_fits(kstate_stream_update(stream, &gaps_desc, &gaps, KSTATE_ID(1), &err));
	secrets = set_bytes(set, &size);
	assert_memory_equal(zeros, secrets, size);
	kvfree(zeros);
	kvfree(secrets);
}

/* Of two records with one key, which no writer makes, the second is never found */

struct keys_seen {
	int nr;
};

static int count_key(struct kstate_key key, void *arg)
{
	((struct keys_seen *)arg)->nr++;
	return 0;
}

static void two_with_one_key(void **state)
{
	struct kstate_set *set = set_create(), *out = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct kstate_record *second;
	struct keys_seen seen = {};
	struct one one = { 7 }, to = {};
	size_t size;
	void *blob;

	one_desc.restored = NULL;
	for (int i = 1; i <= 3; i++, one.x++)
		stream_save(stream, &one_desc, &one, KSTATE_ID(i));
	second = stream->index.slots[2].record;
	second->key = cpu_to_le64(1);
	kstate_record_seal(second, 8 * le32_to_cpu(second->place));
	blob = set_bytes(set, &size);
	set = kstate_memory_open(blob, size, &err);
	kvfree(blob);
	assert_int_equal(set->damage.code, -EBADMSG);
	assert_string_equal(set->damage.expected, "a key that no record before has");
	stream = kstate_stream_find(set, "test");
	assert_int_equal(kstate_stream_walk_keys(stream, &one_desc, count_key, &seen), -EBADMSG);
	assert_int_equal(seen.nr, 2);
	assert_int_equal(kstate_set_hand_on(set, out, &err), 0);
	assert_int_equal(kstate_stream_find(out, "test")->index.nr, 2);
	assert_fits(stream_restore(stream, &one_desc, &to, KSTATE_ID(1)));
	assert_int_equal(to.x, 7);
	assert_int_equal(stream_restore(stream, &one_desc, &to, KSTATE_ID(1)), -EALREADY);
	assert_fits(stream_restore(stream, &one_desc, &to, KSTATE_ID(2)));
	assert_int_equal(stream_restore(stream, &one_desc, &to, KSTATE_ID(1)), -EALREADY);
	kstate_set_destroy(set);
	kstate_set_destroy(out);
	one_desc.restored = one_restored;
}

/* Streams and keys against a model, while steps fail */

struct thing {
	u32 nr;
	u16 *p;
	u64 value;
};

KSTATE_DESCRIBE_STATIC(thing_desc, "thing", 1,
	KSTATE_FIELD(struct thing, value),
	KSTATE_VARRAY(p, struct thing, nr, KSTATE_ALLOC));
static struct kstate_description named_desc = {
	.name = "named", .string_key = true, .fields = (const struct kstate_field[]) {
		KSTATE_FIELD(struct thing, value),
		KSTATE_VARRAY(p, struct thing, nr, KSTATE_ALLOC), KSTATE_END_OF_LIST() } };

static void streams_against_a_model(void **state)
{
	enum { STREAMS = 3, KEYS = 12 };
	static u16 bytes[4000];
	struct { bool there; u32 nr; u64 value; } model[STREAMS][2][KEYS] = {};
	struct kstate_stream *streams[STREAMS];
	struct kstate_set *set = set_create(), *reader;
	char names[KEYS][64];
	u32 seed = 12345;
	size_t size;
	void *blob;

	for (int i = 0; i < KEYS; i++)
		snprintf(names[i], sizeof(names[i]), "%0*d", i * 5 + 1, i);
	for (int i = 0; i < 4000; i++)
		bytes[i] = i * 7;
	for (int i = 0; i < STREAMS; i++)
		streams[i] = kstate_stream_create(set, names[i], &err);
	use(&thing_desc);
	use(&named_desc);
#define RND(_n) ((seed = seed * 1103515245 + 12345) >> 8) % (_n)
	for (int step = 0; step < 6000; step++) {
		int s = RND(STREAMS), d = RND(2), k = RND(KEYS), what = RND(10), fail = RND(4), ret;
		struct kstate_description *desc = d ? &named_desc : &thing_desc;
		struct kstate_key key = d ? KSTATE_NAME(names[k]) :
			KSTATE_ID(k < 6 ? (u64)k : U64_MAX - (k - 6));
		struct thing thing = {
			.nr = RND(8) ? RND(9) : RND(4000), .p = bytes, .value = step };
		typeof(&model[0][0][0]) m = &model[s][d][k];

		if (fail == 0)
			shim_fail_at(1 + RND(6));
		if (what < 5) {
			ret = kstate_stream_save(streams[s], desc, &thing, key, &err);
			if (ret != -ENOMEM) {
				assert_int_equal(ret, m->there ? -EEXIST : 0);
				if (!m->there)
					*m = (typeof(*m)){ true, thing.nr, step };
			}
		} else if (what < 7) {
			ret = kstate_stream_drop(streams[s], desc, key);
			if (ret != -ENOMEM) {
				assert_int_equal(ret, m->there ? 0 : -ENOENT);
				m->there = false;
			}
		} else if (what < 9) {
			thing.p = NULL;
			ret = kstate_stream_update(streams[s], desc, &thing, key, &err);
			if (ret != -ENOMEM) {
				assert_int_equal(ret, m->there ? 0 : -ENOENT);
				m->value = step;
			}
		} else {
			ret = 0;
		}
		shim_fail_at(0);
		if (ret == -ENOMEM)
			assert_int_equal(fail, 0);
		if (step % 500 != 499)
			continue;
		assert_int_equal(kstate_set_export(set, &blob, &size), 0);
		reader = kstate_memory_open(blob, size, &err);
		assert_false(IS_ERR(reader));
		assert_int_equal(reader->damage.code, 0);
		kvfree(blob);
		for (int i = 0; i < STREAMS * 2 * KEYS; i++) {
			struct kstate_stream *stream;
			struct thing to = {};

			stream = kstate_stream_find(reader, names[i % STREAMS]);
			d = i / STREAMS % 2;
			k = i / STREAMS / 2;
			m = &model[i % STREAMS][d][k];
			key = d ? KSTATE_NAME(names[k]) :
				KSTATE_ID(k < 6 ? (u64)k : U64_MAX - (k - 6));
			ret = kstate_stream_restore(stream, d ? &named_desc : &thing_desc, &to, key,
						    &err);
			assert_int_equal(ret, m->there ? 0 : -ENOENT);
			if (ret)
				continue;
			assert_int_equal(to.value, m->value);
			assert_int_equal(to.nr, m->nr);
			assert_memory_equal(to.p ?: bytes, bytes, 2 * to.nr);
			kvfree(to.p);
		}
		kstate_set_destroy(reader);
	}
	kstate_set_destroy(set);
}

/* Integers at their limits, from each type to each other one */

struct integer {
	u64 lead;
	u64 x[2];
	u32 nr;
	void *p;
};

static const u8 int_types[] = {
	KS_U8, KS_S8, KS_U16, KS_S16, KS_U32, KS_S32, KS_U64, KS_S64, KS_BOOL, KS_CHAR };

static struct kstate_description *int_desc(int nr, int shape)
{
	static struct kstate_description descs[ARRAY_SIZE(int_types)][3];
	static struct kstate_field fields[ARRAY_SIZE(int_types)][3][2];
	struct kstate_description *desc = &descs[nr][shape];
	struct kstate_field *f = fields[nr][shape];
	u8 type = int_types[nr];

	if (desc->name)
		return desc;
	*desc = (struct kstate_description){ .name = "integer", .fields = f };
	f[0] = (struct kstate_field){ .name = "x", .kind = KS_BASE_TYPE, .type = type,
		.size = kstate_size(type), .num = 1, .offset = offsetof(struct integer, x) };
	if (shape == 1) {
		f[0].num = 2;
		f[0].modifiers = KS_ARRAY;
	} else if (shape == 2) {
		f[0].modifiers = KS_VARRAY | KS_POINTER;
		f[0].alloc = 1;
		f[0].offset = offsetof(struct integer, p);
		f[0].length = (struct kstate_member){ offsetof(struct integer, nr), KS_U32 };
	}
	f[1].kind = KS_END;
	return desc;
}

static __int128 value_of(const void *p, u8 type)
{
	u64 v = kstate_mem_load(p, type);

	return kstate_is_signed(type) ? (__int128)(s64)v : (__int128)v;
}

static bool has_room(__int128 v, u8 type)
{
	int bits = 8 * kstate_size(type);

	if (type == KS_BOOL)
		return v == 0 || v == 1;
	if (kstate_is_signed(type))
		return v >= -((__int128)1 << (bits - 1)) && v < (__int128)1 << (bits - 1);
	return v >= 0 && v < (__int128)1 << bits;
}

static void integers_at_their_limits(void **state)
{
	static const u64 values[] = {
		0, 1, 2, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0xffff,
		0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
		0x8000000000000000, ~0ULL, -2ULL, -128ULL, -129ULL, -32768ULL, -32769ULL,
		-0x80000000ULL, -0x80000001ULL };

	for (int n = 0; n < 3 * ARRAY_SIZE(int_types) * ARRAY_SIZE(int_types); n++) {
		int shape = n % 3, i = n / 3 % ARRAY_SIZE(int_types);
		int j = n / 3 / ARRAY_SIZE(int_types);
		u8 src = int_types[i], dst = int_types[j];
		struct kstate_description *w = int_desc(i, shape), *r = int_desc(j, shape);

		for (int k = 0; k < ARRAY_SIZE(values); k++) {
			struct integer from = { .lead = 1 }, to = { .lead = 2 };
			bool second = shape > 0;
			void *p = from.x, *q;
			__int128 v;
			int ret;

			/* Each value in one of the shapes, or this would take too long */
			if ((src == KS_BOOL && values[k] > 1) || k % 3 != (i + j + shape) % 3)
				continue;
			if (shape == 2) {
				p = calloc(2, 8);
				from.p = p;
				from.nr = 2;
			}
			kstate_mem_store(p + (second ? kstate_size(src) : 0), src, values[k]);
			v = value_of(p + (second ? kstate_size(src) : 0), src);
			memset(to.x, 0x5a, sizeof(to.x));
			ret = carry(w, &from, r, &to);
			q = shape == 2 ? to.p : to.x;
			if (err.reason == KSTATE_BLOCKED && ret) {
				assert_int_equal(ret, -EPROTO);
				assert_true(kstate_is_signed(src) != kstate_is_signed(dst));
			} else if (ret) {
				assert_int_equal(ret, -ERANGE);
				assert_false(has_room(v, dst));
			} else {
				assert_true(has_room(v, dst));
				q += second ? kstate_size(dst) : 0;
				assert_true(value_of(q, dst) == v);
				assert_int_equal(to.lead, 2);
				if (shape == 0)
					assert_memory_equal((u8 *)to.x + kstate_size(dst),
						"ZZZZZZZZZZZZZZZZ", 16 - kstate_size(dst));
			}
			kvfree(to.p);
			if (shape == 2)
				free(p);
		}
	}
}

/* Names, sizes, limits and lengths of an array change at once */

struct old_modes {
	u32 modes[3];
};

struct new_modes {
	u8 modes[5];
};

KSTATE_DESCRIBE_STATIC(old_modes_desc, "modes", 1,
	KSTATE_FIELD(struct old_modes, modes, KSTATE_DEFAULT(1), KSTATE_ENUM_NAMES(old_modes)));
KSTATE_DESCRIBE_STATIC(new_modes_desc, "modes", 1,
	KSTATE_FIELD(struct new_modes, modes, KSTATE_DEFAULT(2), KSTATE_RANGE(1, 2),
		     KSTATE_ENUM_NAMES(new_modes)));

static void names_in_an_array_that_grows(void **state)
{
	struct old_modes from = { { 0, 1, 0 } }, back = { };
	struct new_modes to = { };

	both_fit(&old_modes_desc, &from, &new_modes_desc, &to, KSTATE_DEFAULTED);
	assert_memory_equal(to.modes, ((u8[]){ 1, 2, 1, 2, 2 }), 5);
	both_fit(&new_modes_desc, &to, &old_modes_desc, &back, KSTATE_DEFAULTED);
	assert_memory_equal(&from, &back, sizeof(back));
	to.modes[4] = 1;
	both_refuse(&new_modes_desc, &to, &old_modes_desc, &back, KSTATE_VALUE, "modes[1].modes");
	from.modes[1] = 2;
	both_refuse(&old_modes_desc, &from, &new_modes_desc, &to, KSTATE_VALUE,
		    "modes[1].modes[1]");
}

/* A list of structs with a union whose arms have other tags, in a group */

struct choice {
	struct list_head link;
	u8 kind;
	union {
		u64 number;
		struct one one;
	};
};

struct choices {
	struct list_head all;
	u32 end;
};

static struct kstate_description plain_one = {
	.name = "one", .fields = (const struct kstate_field[]) {
		KSTATE_FIELD(struct one, x), KSTATE_END_OF_LIST() } };
static const struct kstate_arm old_choices[] = {
	{ "none", 0, NULL }, { "number", 1, &number_desc }, { "one", 2, &plain_one }, { } };
static const struct kstate_arm new_choices[] = {
	{ "one", 0, &plain_one }, { "more", 1, &plain_one }, { "none", 7, NULL },
	{ "number", 200, &number_desc }, { } };

#define CHOICE(_name, _arms) \
	KSTATE_DESCRIBE_STATIC(_name, "choice", 1, \
		{ .name = "u", .kind = KS_UNION, .num = 1, \
		  .offset = offsetof(struct choice, number), .size = 8, \
		  .arms = (_arms), .length = { offsetof(struct choice, kind), KS_U8 } })
#define CHOICES(_name, _choice) \
	KSTATE_DESCRIBE_STATIC(_name##_group, "g", 1, \
		KSTATE_LIST(all, struct choices, struct choice, link, &(_choice), \
			    KSTATE_DEFAULT(0))); \
	KSTATE_DESCRIBE_STATIC(_name, "choices", 1, KSTATE_GROUP(g, &_name##_group, never), \
		KSTATE_FIELD(struct choices, end))
CHOICE(old_choice, old_choices);
CHOICE(new_choice, new_choices);
CHOICES(old_list, old_choice);
CHOICES(new_list, new_choice);

static void choices_check(struct choices *c, const u8 *kinds, u32 nr)
{
	struct choice *choice, *next;
	u32 i = 0;

	list_for_each_entry_safe(choice, next, &c->all, link) {
		assert_true(i < nr);
		assert_int_equal(choice->kind, kinds[i]);
		assert_int_equal(choice->number, i % 3 == 0 ? 0 : i % 3 == 1 ? ~0ULL - i : i);
		kvfree(choice);
		i++;
	}
	assert_int_equal(i, nr);
	assert_int_equal(c->end, 5);
}

static void unions_in_a_list_in_a_group(void **state)
{
	static const u8 kinds[2][6] = { { 0, 1, 2, 0, 1, 2 }, { 7, 200, 0, 7, 200, 0 } };
	struct choice choices[6] = { };
	struct choices from, to = { };

	for (int way = 0; way < 2; way++) {
		for (int nr = 0; nr <= 6; nr++) {
			INIT_LIST_HEAD(&from.all);
			INIT_LIST_HEAD(&to.all);
			from.end = 5;
			for (int i = 0; i < nr; i++) {
				choices[i].kind = kinds[way][i];
				choices[i].number = i % 3 == 0 ? 0 : i % 3 == 1 ? ~0ULL - i : i;
				list_add_tail(&choices[i].link, &from.all);
			}
			both_fit(way ? &new_list : &old_list, &from,
				 way ? &old_list : &new_list, &to, LOSSLESS);
			choices_check(&to, kinds[!way], nr);
		}
	}
	choices[5].kind = 1;
	INIT_LIST_HEAD(&to.all);
	both_refuse(&new_list, &from, &old_list, &to, KSTATE_VALUE, "choices[1].g.all[5].u");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(hook_that_calls_back), ALONE(init_is_undone), ALONE(init_of_an_xarray),
		ALONE(count_of_an_array), ALONE(count_in_an_array),
		ALONE(count_of_nothing), ALONE(count_of_pointers),
		ALONE(names_in_an_absent_group),
		ALONE(unions_in_an_absent_group), ALONE(converted_in_an_absent_group),
		ALONE(run_past_the_last_index), ALONE(flags_at_the_sign), ALONE(flags_that_collide),
		ALONE(text_of_structs),
		ALONE(names_without_end), ALONE(secret_of_the_writer), ALONE(hooks_at_each_depth),
		ALONE(arrays_in_arrays_that_grow), ALONE(lengths_of_three),
		ALONE(folios_handed_on), ALONE(dropped_in_a_transaction),
		ALONE(streams_against_a_model),
		ALONE(integers_at_their_limits), ALONE(finished_in_a_transaction),
		ALONE(two_with_one_key), ALONE(what_is_not_described),
		ALONE(names_in_an_array_that_grows), ALONE(unions_in_a_list_in_a_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
