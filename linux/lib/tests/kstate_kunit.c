// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of KSTATE: every kind of field there and back, callbacks, keys,
 * registering. The same code is tested in userspace more widely; here it is
 * the kernel around it that counts.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#include "kstate_kunit.h"

/* The example of the slides, as printed there */

#define KSTATE_TEST_ID 1

struct a {
	int i;
	unsigned long *p_ulong;
	char s[10];
	struct folio *folio;
};

static struct kstate_description a_state = {
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

static struct folio *new_folio(struct kunit *test, unsigned int order, u8 fill)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, order);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	memset(folio_address(folio), fill, folio_size(folio));
	return folio;
}

static bool filled_with(const void *mem, u8 fill, size_t size)
{
	return !memchr_inv(mem, fill, size);
}

static void slides(struct kunit *test)
{
	unsigned long from = 0x123456789, to = 0;
	struct a a = { .i = -7, .p_ulong = &from, .s = "nine byte", };
	struct a b = { .p_ulong = &to };

	a.folio = new_folio(test, 2, 0x5a);
	KUNIT_EXPECT_EQ(test, 0, carry(test, &a_state, &a, &a_state, &b));

	KUNIT_EXPECT_EQ(test, b.i, -7);
	KUNIT_EXPECT_STREQ(test, b.s, "nine byte");
	KUNIT_EXPECT_PTR_EQ(test, b.p_ulong, &to);
	KUNIT_EXPECT_EQ(test, to, 0x123456789);
	/* It is the same folio, and b's from now on. */
	KUNIT_ASSERT_PTR_EQ(test, b.folio, a.folio);
	KUNIT_EXPECT_TRUE(test, filled_with(folio_address(b.folio), 0x5a, 4 * PAGE_SIZE));
	folio_put(b.folio);
}

/* Integers */

struct scalars {
	u8 a;
	s8 b;
	u16 c;
	s16 d;
	u32 e;
	s32 f;
	u64 g;
	s64 h;
	bool i;
	char j;
	unsigned long k;
	s16 array[5];
	u8 matrix[2][3];
};

DECLARE(scalars_state,
	KSTATE_BASE_TYPE(a, struct scalars, u8),
	KSTATE_BASE_TYPE(b, struct scalars, s8),
	KSTATE_BASE_TYPE(c, struct scalars, u16),
	KSTATE_BASE_TYPE(d, struct scalars, s16),
	KSTATE_BASE_TYPE(e, struct scalars, u32),
	KSTATE_BASE_TYPE(f, struct scalars, s32),
	KSTATE_BASE_TYPE(g, struct scalars, u64),
	KSTATE_BASE_TYPE(h, struct scalars, s64),
	KSTATE_BASE_TYPE(i, struct scalars, bool),
	KSTATE_BASE_TYPE(j, struct scalars, char),
	KSTATE_BASE_TYPE(k, struct scalars, unsigned long),
	KSTATE_BASE_TYPE(array, struct scalars, s16 [5]),
	KSTATE_ARRAY(matrix, struct scalars, u8));

static void scalars(struct kunit *test)
{
	struct scalars w = {
		.a = U8_MAX, .b = S8_MIN, .c = U16_MAX, .d = S16_MIN, .e = U32_MAX, .f = S32_MIN,
		.g = U64_MAX, .h = S64_MIN, .i = true, .j = 'x', .k = ULONG_MAX - 1,
		.array = { 1, -2, 3, -4, 5 }, .matrix = { { 1, 2, 3 }, { 4, 5, 6 } },
	};
	struct scalars r = {};

	KUNIT_EXPECT_EQ(test, 0, carry(test, &scalars_state, &w, &scalars_state, &r));
	KUNIT_EXPECT_EQ(test, w.a, r.a);
	KUNIT_EXPECT_EQ(test, w.b, r.b);
	KUNIT_EXPECT_EQ(test, w.c, r.c);
	KUNIT_EXPECT_EQ(test, w.d, r.d);
	KUNIT_EXPECT_EQ(test, w.e, r.e);
	KUNIT_EXPECT_EQ(test, w.f, r.f);
	KUNIT_EXPECT_EQ(test, w.g, r.g);
	KUNIT_EXPECT_EQ(test, w.h, r.h);
	KUNIT_EXPECT_EQ(test, w.i, r.i);
	KUNIT_EXPECT_EQ(test, w.j, r.j);
	KUNIT_EXPECT_EQ(test, w.k, r.k);
	KUNIT_EXPECT_MEMEQ(test, w.array, r.array, sizeof(w.array));
	KUNIT_EXPECT_MEMEQ(test, w.matrix, r.matrix, sizeof(w.matrix));
}

/* Pointers, arrays whose length is a member, structs inside structs */

struct places {
	u32 *alloc;
	u32 *null;
	u8 *some[3];
	struct point in;
	struct point two[2];
	struct point *out;
	struct point *any[2];
	u8 nr_in;
	u16 in_place[4];
	u32 nr_out;
	u64 *elsewhere;
	int nr_points;
	struct point *points;
	s64 *counted;
};

static int counted(const void *obj)
{
	return ((const struct places *)obj)->nr_in + 1;
}

DECLARE(places_state,
	KSTATE_POINTER(alloc, struct places, KSTATE_ALLOC),
	KSTATE_POINTER(null, struct places, KSTATE_ALLOC),
	KSTATE_ARRAY_OF_POINTER(some, struct places, KSTATE_ALLOC),
	KSTATE_STRUCT(in, struct places, &point_state),
	KSTATE_STRUCT_ARRAY(two, struct places, &point_state),
	KSTATE_STRUCT_POINTER(out, struct places, &point_state, KSTATE_ALLOC),
	KSTATE_ARRAY_OF_STRUCT_POINTER(any, struct places, &point_state, KSTATE_ALLOC),
	KSTATE_VARRAY(in_place, struct places, nr_in),
	KSTATE_VARRAY(elsewhere, struct places, nr_out, KSTATE_ALLOC),
	KSTATE_STRUCT_VARRAY(points, struct places, nr_points, &point_state, KSTATE_ALLOC),
	KSTATE_VARRAY_FN(counted, struct places, counted, KSTATE_ALLOC));

static void places(struct kunit *test)
{
	u8 first = 11, last = 33;
	u32 number = 5;
	u64 four[4] = { 1, 2, 3, U64_MAX };
	s64 three[3] = { -1, 0, 1 };
	struct point p = { 6, -6 }, q[2] = { { 7, -7 }, { 8, -8 } };
	struct places w = {
		.alloc = &number, .some = { &first, NULL, &last },
		.in = { 1, -1 }, .two = { { 2, -2 }, { 3, -3 } }, .out = &p, .any = { NULL, &p },
		.nr_in = 2, .in_place = { 100, 200 }, .nr_out = 4, .elsewhere = four,
		.nr_points = 2, .points = q, .counted = three,
	};
	struct places r = {};

	KUNIT_ASSERT_EQ(test, 0, carry(test, &places_state, &w, &places_state, &r));
	KUNIT_EXPECT_EQ(test, *r.alloc, 5);
	KUNIT_EXPECT_NULL(test, r.null);
	KUNIT_EXPECT_EQ(test, *r.some[0], 11);
	KUNIT_EXPECT_NULL(test, r.some[1]);
	KUNIT_EXPECT_EQ(test, *r.some[2], 33);
	KUNIT_EXPECT_EQ(test, r.in.y, -1);
	KUNIT_EXPECT_EQ(test, r.two[1].x, 3);
	KUNIT_EXPECT_EQ(test, r.out->y, -6);
	KUNIT_EXPECT_NULL(test, r.any[0]);
	KUNIT_EXPECT_EQ(test, r.any[1]->x, 6);
	KUNIT_EXPECT_EQ(test, r.nr_in, 2);
	KUNIT_EXPECT_EQ(test, r.in_place[1], 200);
	KUNIT_EXPECT_EQ(test, r.nr_out, 4);
	KUNIT_EXPECT_MEMEQ(test, r.elsewhere, four, sizeof(four));
	KUNIT_EXPECT_EQ(test, r.nr_points, 2);
	KUNIT_EXPECT_EQ(test, r.points[1].y, -8);
	KUNIT_EXPECT_MEMEQ(test, r.counted, three, sizeof(three));

	kvfree(r.alloc);
	kvfree(r.some[0]);
	kvfree(r.some[2]);
	kvfree(r.out);
	kvfree(r.any[1]);
	kvfree(r.elsewhere);
	kvfree(r.points);
	kvfree(r.counted);
}

/* Text, bits, lists, xarrays, unions, groups, addresses */

struct entry {
	struct list_head node;
	u32 value;
	char *text;
};

DECLARE(entry_state,
	KSTATE_BASE_TYPE(value, struct entry, u32),
	KSTATE_STRING(text, struct entry));

struct circle {
	u32 radius;
};

struct box {
	u16 width;
	u16 height;
};

struct kinds {
	char here[8];
	char *there;
	char *nowhere;
	DECLARE_BITMAP(bits, 70);
	struct list_head list;
	struct xarray xa;
	u8 shape;
	union {
		struct circle circle;
		struct box box;
	} u;
	bool extra;
	u32 boost;
	void *linear;
	struct page *page;
};

DECLARE(circle_state, KSTATE_BASE_TYPE(radius, struct circle, u32));
DECLARE(box_state,
	KSTATE_BASE_TYPE(width, struct box, u16),
	KSTATE_BASE_TYPE(height, struct box, u16));
DECLARE(boost_state, KSTATE_BASE_TYPE(boost, struct kinds, u32, KSTATE_DEFAULT(0)));

static const struct kstate_arm shapes[] = {
	{ "circle", 1, &circle_state },
	{ "box", 2, &box_state },
	{}
};

static bool extra_needed(const void *obj)
{
	return ((const struct kinds *)obj)->extra;
}

DECLARE(kinds_state,
	KSTATE_STRING(here, struct kinds),
	KSTATE_STRING(there, struct kinds),
	KSTATE_STRING(nowhere, struct kinds),
	KSTATE_BITMAP(bits, struct kinds, 70),
	KSTATE_LIST(list, struct kinds, struct entry, node, &entry_state),
	KSTATE_XARRAY(xa, struct kinds, struct entry, &entry_state),
	KSTATE_UNION(u, struct kinds, shape, shapes),
	KSTATE_BASE_TYPE(extra, struct kinds, bool),
	KSTATE_GROUP(boost, &boost_state, extra_needed),
	KSTATE_ADDRESS(linear, struct kinds, KS_LINEAR_ADDR),
	KSTATE_ADDRESS(page, struct kinds, KS_VMEMMAP_ADDR));

static void free_kinds(struct kinds *k)
{
	struct entry *e, *next;
	unsigned long index;

	list_for_each_entry_safe(e, next, &k->list, node) {
		kvfree(e->text);
		kvfree(e);
	}
	xa_for_each(&k->xa, index, e) {
		kvfree(e->text);
		kvfree(e);
	}
	xa_destroy(&k->xa);
	kvfree(k->there);
}

static void kinds(struct kunit *test)
{
	char one[] = "one", two[] = "two", there[] = "a longer text";
	struct entry first = { .value = 1, .text = one }, second = { .value = 2, .text = two };
	struct kinds w = {
		.here = "seven b", .there = there, .shape = 2, .u.box = { 640, 480 },
		.extra = true, .boost = 42, .linear = test->priv,
		.page = virt_to_page(test->priv),
	};
	struct kinds r = {};
	struct entry *e;

	__set_bit(0, w.bits);
	__set_bit(69, w.bits);
	INIT_LIST_HEAD(&w.list);
	list_add_tail(&first.node, &w.list);
	list_add_tail(&second.node, &w.list);
	xa_init(&w.xa);
	KUNIT_ASSERT_EQ(test, 0, xa_err(xa_store(&w.xa, 1000000, &second, GFP_KERNEL)));
	INIT_LIST_HEAD(&r.list);
	xa_init(&r.xa);

	KUNIT_EXPECT_EQ(test, 0, carry(test, &kinds_state, &w, &kinds_state, &r));
	xa_destroy(&w.xa);

	KUNIT_EXPECT_STREQ(test, r.here, "seven b");
	KUNIT_EXPECT_STREQ(test, r.there, "a longer text");
	KUNIT_EXPECT_NULL(test, r.nowhere);
	KUNIT_EXPECT_MEMEQ(test, w.bits, r.bits, sizeof(w.bits));
	KUNIT_EXPECT_EQ(test, list_count_nodes(&r.list), 2);
	e = list_last_entry(&r.list, struct entry, node);
	KUNIT_EXPECT_EQ(test, e->value, 2);
	KUNIT_EXPECT_STREQ(test, e->text, "two");
	e = xa_load(&r.xa, 1000000);
	KUNIT_ASSERT_NOT_NULL(test, e);
	KUNIT_EXPECT_STREQ(test, e->text, "two");
	KUNIT_EXPECT_EQ(test, r.shape, 2);
	KUNIT_EXPECT_EQ(test, r.u.box.height, 480);
	KUNIT_EXPECT_EQ(test, r.boost, 42);
	KUNIT_EXPECT_PTR_EQ(test, r.linear, w.linear);
	KUNIT_EXPECT_PTR_EQ(test, r.page, w.page);
	free_kinds(&r);
}

static void empty_kinds(struct kunit *test)
{
	struct kinds w = {}, r = { .boost = 1, .shape = 0 };

	INIT_LIST_HEAD(&w.list);
	xa_init(&w.xa);
	INIT_LIST_HEAD(&r.list);
	xa_init(&r.xa);
	w.shape = 1;
	KUNIT_EXPECT_EQ(test, 0, carry(test, &kinds_state, &w, &kinds_state, &r));
	KUNIT_EXPECT_STREQ(test, r.here, "");
	KUNIT_EXPECT_NULL(test, r.there);
	KUNIT_EXPECT_TRUE(test, list_empty(&r.list));
	KUNIT_EXPECT_TRUE(test, xa_empty(&r.xa));
	KUNIT_EXPECT_EQ(test, r.shape, 1);
	/* The group was not needed: its default, not what happened to be there. */
	KUNIT_EXPECT_EQ(test, r.boost, 0);
	KUNIT_EXPECT_NULL(test, r.linear);
	KUNIT_EXPECT_NULL(test, r.page);
}

/* Memory handed over in place: it stays where it is, and belongs to whom it is restored */

struct edges {
	struct folio *folio;
	u32 nr;
	struct page *pages;
	void *area;
	u16 last;
};

DECLARE(edges_state,
	KSTATE_FOLIO(folio, struct edges),
	KSTATE_PAGES(pages, struct edges, nr),
	KSTATE_VMALLOC(area, struct edges),
	KSTATE_BASE_TYPE(last, struct edges, u16));

#define EDGE_PAGES	3
#define EDGE_AREA	(5 * PAGE_SIZE)

static void free_edges(struct edges *e)
{
	if (e->folio)
		folio_put(e->folio);
	for (u32 i = 0; e->pages && i < e->nr; i++)
		__free_page(e->pages + i);
	vfree(e->area);
}

static void make_edges(struct kunit *test, struct edges *e)
{
	void *mem = alloc_pages_exact(EDGE_PAGES * PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	memset(mem, 0x22, EDGE_PAGES * PAGE_SIZE);
	e->nr = EDGE_PAGES;
	e->pages = virt_to_page(mem);
	e->folio = new_folio(test, 1, 0x11);
	e->area = vmalloc(EDGE_AREA);
	KUNIT_ASSERT_NOT_NULL(test, e->area);
	memset(e->area, 0x33, EDGE_AREA);
	e->last = 1000;
}

static void expect_edges(struct kunit *test, const struct edges *e)
{
	KUNIT_ASSERT_NOT_NULL(test, e->folio);
	KUNIT_EXPECT_EQ(test, folio_order(e->folio), 1);
	KUNIT_EXPECT_TRUE(test, filled_with(folio_address(e->folio), 0x11, 2 * PAGE_SIZE));
	KUNIT_ASSERT_NOT_NULL(test, e->pages);
	KUNIT_EXPECT_EQ(test, e->nr, EDGE_PAGES);
	KUNIT_EXPECT_TRUE(test, filled_with(page_address(e->pages), 0x22, EDGE_PAGES * PAGE_SIZE));
	KUNIT_ASSERT_NOT_NULL(test, e->area);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(e->area));
	KUNIT_EXPECT_TRUE(test, filled_with(e->area, 0x33, EDGE_AREA));
}

static void edges(struct kunit *test)
{
	struct edges w = {}, r = {};

	make_edges(test, &w);
	KUNIT_EXPECT_EQ(test, 0, carry(test, &edges_state, &w, &edges_state, &r));
	expect_edges(test, &r);
	free_edges(&r);
}

static void null_edges(struct kunit *test)
{
	struct edges w = {}, r = {};

	KUNIT_EXPECT_EQ(test, 0, carry(test, &edges_state, &w, &edges_state, &r));
	KUNIT_EXPECT_NULL(test, r.folio);
	KUNIT_EXPECT_NULL(test, r.pages);
	KUNIT_EXPECT_NULL(test, r.area);
}

struct narrow_edges {
	struct folio *folio;
	u32 nr;
	struct page *pages;
	void *area;
	u8 last;
};

DECLARE(narrow_edges_state,
	KSTATE_FOLIO(folio, struct narrow_edges),
	KSTATE_PAGES(pages, struct narrow_edges, nr),
	KSTATE_VMALLOC(area, struct narrow_edges),
	KSTATE_BASE_TYPE(last, struct narrow_edges, u8));

/* The last field is refused after memory was taken: another try gets it all */
static void edges_of_a_refused_record(struct kunit *test)
{
	struct edges w = {}, r = {};
	struct narrow_edges n = {}, zero = {};

	make_edges(test, &w);
	KUNIT_EXPECT_EQ(test, -ERANGE, carry(test, &edges_state, &w, &narrow_edges_state, &n));
	EXPECT_REASON(test, KSTATE_VALUE, "last");
	KUNIT_EXPECT_MEMEQ(test, &n, &zero, sizeof(n));

	KUNIT_EXPECT_EQ(test, 0, restore(test, &edges_state, &r, 1));
	expect_edges(test, &r);
	free_edges(&r);
}

/* Nobody restores: the memory goes with the set */
static void edges_nobody_wants(struct kunit *test)
{
	struct edges w = {};

	make_edges(test, &w);
	/* What is still there when the test ends has leaked */
	folio_get(w.folio);
	KUNIT_EXPECT_EQ(test, 0, save(test, &edges_state, &w, 1));
	jump(test);
	kunit_release_action(test, destroy_set, ((struct fixture *)test->priv)->in);
	KUNIT_EXPECT_EQ(test, folio_ref_count(w.folio), 1);
	folio_put(w.folio);
}

/* Callbacks */

struct custom {
	u32 value;
	u32 before;
};

static int save_error, restore_error;

static int custom_save(struct kstate_stream *stream, void *obj, const struct kstate_field *field)
{
	struct custom *c = container_of((u32 *)obj, struct custom, value);
	int ret;

	ret = kstate_put_u64(stream, "value", c->value);
	if (!ret)
		ret = kstate_put_begin(stream, "group");
	if (!ret)
		ret = kstate_put_s64(stream, "minus", -(s64)c->value);
	if (!ret)
		ret = kstate_put_string(stream, "text", "some text");
	if (!ret)
		ret = kstate_put_data(stream, "data", "\1\2\3", 3);
	if (!ret)
		ret = kstate_put_end(stream);
	return ret ?: save_error;
}

static int custom_restore(struct kstate_stream *stream, void *member,
			  const struct kstate_field *field)
{
	const char *text;
	u8 data[3];
	u64 value;
	s64 minus;
	int ret;

	ret = kstate_get_u64(stream, "value", &value);
	if (!ret)
		ret = kstate_get_begin(stream, "group");
	if (!ret)
		ret = kstate_get_s64(stream, "minus", &minus);
	if (ret)
		return ret;
	text = kstate_get_string(stream, "text");
	if (IS_ERR_OR_NULL(text) || strcmp(text, "some text"))
		return -EINVAL;
	ret = kstate_get_data(stream, "data", data, sizeof(data));
	if (!ret)
		ret = kstate_get_end(stream);
	if (ret || minus != -(s64)value || memcmp(data, "\1\2\3", 3))
		return ret ?: -EINVAL;
	*(u32 *)member = value;
	return restore_error;
}

DECLARE(custom_state,
	KSTATE_BASE_TYPE(before, struct custom, u32),
	KSTATE_CUSTOM(value, struct custom, custom_save, custom_restore));

static void callbacks(struct kunit *test)
{
	struct custom w = { .value = 99, .before = 1 }, r = { .value = 5, .before = 6 };

	save_error = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, save(test, &custom_state, &w, 1));
	EXPECT_REASON(test, KSTATE_CALLBACK, "value");
	save_error = 0;
	KUNIT_EXPECT_EQ(test, 0, save(test, &custom_state, &w, 1));
	jump(test);

	restore_error = -EBUSY;
	KUNIT_EXPECT_EQ(test, -EBUSY, restore(test, &custom_state, &r, 1));
	EXPECT_REASON(test, KSTATE_CALLBACK, "value");
	KUNIT_EXPECT_EQ(test, r.value, 5);
	KUNIT_EXPECT_EQ(test, r.before, 6);
	restore_error = 0;
	KUNIT_EXPECT_EQ(test, 0, restore(test, &custom_state, &r, 1));
	KUNIT_EXPECT_EQ(test, r.value, 99);
	KUNIT_EXPECT_EQ(test, r.before, 1);
}

static void keys(struct kunit *test)
{
	struct point w = { 1, 2 }, r = {};
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, 0, save(test, &point_state, &w, 1));
	KUNIT_EXPECT_EQ(test, -EEXIST, save(test, &point_state, &w, 1));
	EXPECT_REASON(test, KSTATE_DUPLICATE, "kunit");
	KUNIT_EXPECT_EQ(test, 0, save(test, &point_state, &w, U64_MAX));
	KUNIT_EXPECT_EQ(test, 0, kstate_stream_drop(f->stream, &point_state, KSTATE_ID(1)));
	w.x = 10;
	KUNIT_EXPECT_EQ(test, 0, save(test, &point_state, &w, 1));
	jump(test);

	KUNIT_EXPECT_EQ(test, -ENOENT, restore(test, &point_state, &r, 2));
	KUNIT_EXPECT_EQ(test, 0, restore(test, &point_state, &r, 1));
	KUNIT_EXPECT_EQ(test, r.x, 10);
	KUNIT_EXPECT_EQ(test, 0, restore(test, &point_state, &r, U64_MAX));
	KUNIT_EXPECT_EQ(test, r.x, 1);
	KUNIT_EXPECT_EQ(test, -EALREADY, restore(test, &point_state, &r, 1));
	EXPECT_REASON(test, KSTATE_CLAIMED, "kunit");
}

static struct kstate_description named_state = {
	.name = "kunit,named",
	.version_id = 1,
	.min_version_id = 1,
	.string_key = true,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(x, struct point, u16),
		KSTATE_END_OF_LIST()
	},
};

static void string_keys(struct kunit *test)
{
	struct point w = { .x = 1 }, v = { .x = 2 }, r = {};
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, 0, kstate_stream_save(f->stream, &named_state, &w,
						    KSTATE_NAME("vm1"), &f->err));
	KUNIT_EXPECT_EQ(test, 0, kstate_stream_save(f->stream, &named_state, &v,
						    KSTATE_NAME("vm2"), &f->err));
	jump(test);
	KUNIT_EXPECT_EQ(test, -ENOENT, kstate_stream_restore(f->stream, &named_state, &r,
							     KSTATE_NAME("vm"), &f->err));
	KUNIT_EXPECT_EQ(test, 0, kstate_stream_restore(f->stream, &named_state, &r,
						       KSTATE_NAME("vm2"), &f->err));
	KUNIT_EXPECT_EQ(test, r.x, 2);
}

/* The object has no place for what comes, or has something there already */
static void no_room(struct kunit *test)
{
	char text[] = "text";
	struct kinds k = { .there = text }, full = { .there = text };
	struct a a = { .p_ulong = (unsigned long []){ 1 } }, b = {};

	INIT_LIST_HEAD(&k.list);
	xa_init(&k.xa);
	INIT_LIST_HEAD(&full.list);
	xa_init(&full.xa);
	k.shape = 1;

	KUNIT_ASSERT_EQ(test, 0, save(test, &a_state, &a, 1));
	KUNIT_EXPECT_EQ(test, -ENOSPC, carry(test, &kinds_state, &k, &kinds_state, &full));
	EXPECT_REASON(test, KSTATE_NO_ROOM, "there");
	KUNIT_EXPECT_EQ(test, -ENOSPC, restore(test, &a_state, &b, 1));
	EXPECT_REASON(test, KSTATE_NO_ROOM, "p_ulong");
}

DECLARE(twice_state, KSTATE_BASE_TYPE(x, struct point, u16),
	KSTATE_BASE_TYPE(x, struct point, u16));
DECLARE(range_state, KSTATE_BASE_TYPE(x, struct point, u16, KSTATE_RANGE(2, 1)));
/* Written by hand: the compiler refuses KSTATE_DEFAULT(70000) */
DECLARE(default_state,
	KSTATE_BASE_TYPE(x, struct point, u16, .has_default = 1, .dflt = 70000));
static struct kstate_description recursive_state;
DECLARE(inner_state, KSTATE_STRUCT(in, struct places, &recursive_state));
static struct kstate_description recursive_state = {
	.name = "kunit",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_STRUCT(in, struct places, &inner_state),
		KSTATE_END_OF_LIST()
	},
};

static void bad_descriptions(struct kunit *test)
{
	struct kstate_description *const bad[] = {
		&twice_state, &range_state, &default_state, &recursive_state,
	};
	struct fixture *f = test->priv;
	struct places w = {};

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, -EINVAL, kstate_check_description(bad[i], &f->err));
		EXPECT_REASON(test, KSTATE_BAD_DESCRIPTION, i < 3 ? "x" : "in");
		KUNIT_EXPECT_EQ(test, -EINVAL, save(test, bad[i], &w, 1));
	}
}

/* Several segments, any order */
static void many_records(struct kunit *test)
{
	const u32 nr = 20000;
	struct point p = {};
	u32 wrong = 0;

	for (u32 i = 0; i < nr; i++) {
		p = (struct point){ .x = i, .y = -i };
		wrong += !!save(test, &point_state, &p, i * 3ULL);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	jump(test);
	for (u32 i = 0; i < nr; i++) {
		u32 j = i * 7919ULL % nr;

		wrong += restore(test, &point_state, &p, j * 3ULL) || p.y != -j;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* This kernel's own sets: memory is preserved by KHO, and no longer when it is dropped */
static void outgoing(struct kunit *test)
{
	unsigned long number = 1;
	struct a a = { .p_ulong = &number };

	if (!kstate_outgoing())
		kunit_skip(test, "this kernel hands nothing over");
	a.folio = new_folio(test, 0, 0x77);
	KUNIT_EXPECT_EQ(test, 0, kstate_save_state(&a_state, &a, 1));
	KUNIT_EXPECT_EQ(test, -EEXIST, kstate_save_state(&a_state, &a, 1));
	KUNIT_EXPECT_EQ(test, 0, kstate_drop_key(&a_state, kstate_key(1)));
	KUNIT_EXPECT_EQ(test, 0, kstate_save_state(&a_state, &a, 1));
	KUNIT_EXPECT_EQ(test, 0, kstate_drop_key(&a_state, kstate_key(1)));
	folio_put(a.folio);
}

static void registering(struct kunit *test)
{
	struct point p = { 1, 2 };
	bool restored = true;

	KUNIT_EXPECT_EQ(test, -EINVAL, kstate_register(&twice_state, &p));
	KUNIT_EXPECT_EQ(test, 0, kstate_register_key(&point_state, &p, KSTATE_ID(5), &restored));
	KUNIT_EXPECT_FALSE(test, restored);
	KUNIT_EXPECT_EQ(test, 0, kstate_unregister(&point_state, &p));
	KUNIT_EXPECT_EQ(test, 0, kstate_register(&point_state, &p));
	KUNIT_EXPECT_EQ(test, 0, kstate_unregister(&point_state, &p));
}

static struct kunit_case kstate_cases[] = {
	KUNIT_CASE(slides),
	KUNIT_CASE(scalars),
	KUNIT_CASE(places),
	KUNIT_CASE(kinds),
	KUNIT_CASE(empty_kinds),
	KUNIT_CASE(edges),
	KUNIT_CASE(null_edges),
	KUNIT_CASE(edges_of_a_refused_record),
	KUNIT_CASE(edges_nobody_wants),
	KUNIT_CASE(callbacks),
	KUNIT_CASE(keys),
	KUNIT_CASE(string_keys),
	KUNIT_CASE(no_room),
	KUNIT_CASE(bad_descriptions),
	KUNIT_CASE(many_records),
	KUNIT_CASE(outgoing),
	KUNIT_CASE(registering),
	{}
};

static struct kunit_suite kstate_suite = {
	.name = "kstate",
	.init = start,
	.test_cases = kstate_cases,
};

kunit_test_suite(kstate_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of KSTATE");
MODULE_LICENSE("GPL");
