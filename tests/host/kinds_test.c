// SPDX-License-Identifier: GPL-2.0-only
/* Every kind of field: what is saved is what is restored, wherever it stands. */
#include "all.h"

#define SEEDS	200

static void alone(void **state)
{
	struct all from, to;

	for (int seed = 1; seed <= SEEDS; seed++) {
		all_fill(&from, seed);
		all_init(&to);
		carry_ok(&all_desc, &from, &all_desc, &to, KSTATE_EXACT);
		assert_true(all_equal(&from, &to));
		all_free(&from);
		all_free(&to);
	}
}

/* Where an object may stand in another one */
struct place {
	u32 before;
	struct all one;
	struct all array[3];
	struct all *pointer;
	struct all *null;
	u8 nr;
	struct all *varray;
	u8 nr_fixed;
	struct all fixed[2];
	struct all *pointers[3];
	struct list_head list;
	struct xarray xarray;
	int tag;
	union {
		struct all arm;
		u8 other;
	} u;
	u32 after;
};

struct byte_arm {
	u8 other;
};

static KSTATE_DESCRIBE(other_desc, "other", 1, KSTATE_BASE_TYPE(other, struct byte_arm, u8));

static const struct kstate_arm place_arms[] = {
	{ "other", 0, &other_desc },
	{ "arm", 1, &all_desc },
	{ },
};

static KSTATE_DESCRIBE(place_desc, "place", 1,
	KSTATE_BASE_TYPE(before, struct place, u32),
	KSTATE_STRUCT(one, struct place, &all_desc),
	KSTATE_STRUCT_ARRAY(array, struct place, &all_desc),
	KSTATE_STRUCT_POINTER(pointer, struct place, &all_desc, KSTATE_ALLOC),
	KSTATE_STRUCT_POINTER(null, struct place, &all_desc),
	KSTATE_STRUCT_VARRAY(varray, struct place, nr, &all_desc, KSTATE_ALLOC),
	KSTATE_STRUCT_VARRAY(fixed, struct place, nr_fixed, &all_desc),
	KSTATE_ARRAY_OF_STRUCT_POINTER(pointers, struct place, &all_desc, KSTATE_ALLOC),
	KSTATE_LIST(list, struct place, struct all, link, &all_desc),
	KSTATE_XARRAY(xarray, struct place, struct all, &all_desc),
	KSTATE_UNION(u, struct place, tag, place_arms),
	KSTATE_BASE_TYPE(after, struct place, u32));

static struct all *all_new(unsigned int seed)
{
	struct all *a = kvzalloc(sizeof(*a), GFP_KERNEL);

	all_fill(a, seed);
	return a;
}

static void all_delete(struct all *a)
{
	if (a)
		all_free(a);
	kvfree(a);
}

static void place_init(struct place *p)
{
	memset(p, 0, sizeof(*p));
	INIT_LIST_HEAD(&p->list);
	xa_init(&p->xarray);
	all_init(&p->one);
	for (int i = 0; i < 3; i++)
		all_init(&p->array[i]);
	for (int i = 0; i < 2; i++)
		all_init(&p->fixed[i]);
}

static void place_fill(struct place *p, unsigned int seed)
{
	place_init(p);
	p->before = seed;
	p->after = ~seed;
	all_fill(&p->one, seed);
	for (int i = 0; i < 3; i++)
		all_fill(&p->array[i], seed + 10 + i);
	p->pointer = all_new(seed + 20);
	p->nr = 2;
	p->varray = kvcalloc(2, sizeof(*p->varray), GFP_KERNEL);
	p->nr_fixed = 1;
	all_fill(&p->fixed[0], seed + 35);
	for (int i = 0; i < 2; i++) {
		all_fill(&p->varray[i], seed + 30 + i);
		p->pointers[2 * i] = all_new(seed + 40 + i);
		list_add_tail(&all_new(seed + 50 + i)->link, &p->list);
		xa_store(&p->xarray, 1UL << (40 * i), all_new(seed + 60 + i), GFP_KERNEL);
	}
	p->tag = 1;
	all_fill(&p->u.arm, seed + 70);
}

static void place_free(struct place *p)
{
	struct all *a, *next;
	unsigned long index;

	all_free(&p->one);
	for (int i = 0; i < 3; i++) {
		all_free(&p->array[i]);
		all_delete(p->pointers[i]);
	}
	all_delete(p->pointer);
	for (int i = 0; i < p->nr; i++)
		all_free(&p->varray[i]);
	kvfree(p->varray);
	for (int i = 0; i < p->nr_fixed; i++)
		all_free(&p->fixed[i]);
	list_for_each_entry_safe(a, next, &p->list, link)
		all_delete(a);
	xa_for_each(&p->xarray, index, a)
		all_delete(a);
	xa_destroy(&p->xarray);
	if (p->tag == 1)
		all_free(&p->u.arm);
}

static void assert_same_place(struct place *a, struct place *b)
{
	struct list_head *x, *y = b->list.next;
	unsigned long index;
	struct all *one;

	assert_int_equal(a->before, b->before);
	assert_int_equal(a->after, b->after);
	assert_true(all_equal(&a->one, &b->one));
	for (int i = 0; i < 3; i++) {
		assert_true(all_equal(&a->array[i], &b->array[i]));
		assert_true(all_equal(a->pointers[i], b->pointers[i]));
	}
	assert_true(all_equal(a->pointer, b->pointer));
	assert_null(b->null);
	assert_int_equal(a->nr, b->nr);
	for (int i = 0; i < a->nr; i++)
		assert_true(all_equal(&a->varray[i], &b->varray[i]));
	assert_int_equal(a->nr_fixed, b->nr_fixed);
	assert_true(all_equal(&a->fixed[0], &b->fixed[0]));
	list_for_each(x, &a->list) {
		assert_ptr_not_equal(y, &b->list);
		assert_true(all_equal(list_entry(x, struct all, link),
				      list_entry(y, struct all, link)));
		y = y->next;
	}
	assert_ptr_equal(y, &b->list);
	xa_for_each(&a->xarray, index, one)
		assert_true(all_equal(one, xa_load(&b->xarray, index)));
	assert_int_equal(a->tag, b->tag);
	assert_true(all_equal(&a->u.arm, &b->u.arm));
}

static void everywhere(void **state)
{
	static struct place from, to;

	for (int seed = 1; seed <= SEEDS / 4; seed++) {
		place_fill(&from, seed);
		place_init(&to);
		carry_ok(&place_desc, &from, &place_desc, &to, KSTATE_EXACT);
		assert_same_place(&from, &to);
		place_free(&from);
		place_free(&to);
	}
}

/* Integers at their limits */
struct limits {
	u8 b8[2];
	s8 i8[3];
	u16 b16[2];
	s16 i16[3];
	u32 b32[2];
	s32 i32[3];
	u64 b64[2];
	s64 i64[3];
	bool flag[2];
	char letter[3];
};

static KSTATE_DESCRIBE(limits_desc, "limits", 1,
	KSTATE_BASE_TYPE(b8, struct limits, u8 [2]),
	KSTATE_BASE_TYPE(i8, struct limits, s8 [3]),
	KSTATE_BASE_TYPE(b16, struct limits, u16 [2]),
	KSTATE_BASE_TYPE(i16, struct limits, s16 [3]),
	KSTATE_BASE_TYPE(b32, struct limits, u32 [2]),
	KSTATE_BASE_TYPE(i32, struct limits, s32 [3]),
	KSTATE_BASE_TYPE(b64, struct limits, u64 [2]),
	KSTATE_BASE_TYPE(i64, struct limits, s64 [3]),
	KSTATE_BASE_TYPE(flag, struct limits, bool [2]),
	KSTATE_BASE_TYPE(letter, struct limits, char [3]));

static void limits(void **state)
{
	static struct limits to, from = {
		{ 0, U8_MAX }, { S8_MIN, -1, S8_MAX }, { 0, U16_MAX }, { S16_MIN, -1, S16_MAX },
		{ 0, U32_MAX }, { S32_MIN, -1, S32_MAX }, { 0, U64_MAX }, { S64_MIN, -1, S64_MAX },
		{ false, true }, { 0, 127, -128 },
	};

	carry_ok(&limits_desc, &from, &limits_desc, &to, KSTATE_EXACT);
	assert_memory_equal(&from, &to, sizeof(to));
}

/* Sequences: room, NULL, and what is already there */
struct rooms {
	u8 nr;
	u16 *values;
	u16 nr_fixed;
	u8 fixed[4];
	u32 *one;
	char *text;
	char small[4];
	s16 *pointers[3];
};

static KSTATE_DESCRIBE(rooms_alloc, "rooms", 1,
	KSTATE_VARRAY(values, struct rooms, nr, KSTATE_ALLOC),
	KSTATE_VARRAY(fixed, struct rooms, nr_fixed),
	KSTATE_POINTER(one, struct rooms, KSTATE_ALLOC),
	KSTATE_STRING(text, struct rooms),
	KSTATE_STRING(small, struct rooms),
	KSTATE_ARRAY_OF_POINTER(pointers, struct rooms, KSTATE_ALLOC));

static KSTATE_DESCRIBE(rooms_plain, "rooms", 1,
	KSTATE_VARRAY(values, struct rooms, nr),
	KSTATE_VARRAY(fixed, struct rooms, nr_fixed),
	KSTATE_POINTER(one, struct rooms),
	KSTATE_STRING(text, struct rooms),
	KSTATE_STRING(small, struct rooms),
	KSTATE_ARRAY_OF_POINTER(pointers, struct rooms));

static void empty(void **state)
{
	struct rooms from = {}, to = {};

	carry_ok(&rooms_alloc, &from, &rooms_alloc, &to, KSTATE_EXACT);
	assert_memory_equal(&from, &to, sizeof(to));
	carry_ok(&rooms_plain, &from, &rooms_plain, &to, KSTATE_EXACT);
	assert_memory_equal(&from, &to, sizeof(to));
}

static void existing_memory(void **state)
{
	u16 a[3] = { 1, 2, 3 }, b[5] = { 9, 9, 9, 9, 9 };
	u32 x = 42, y = 0;
	s16 p = -5, q = 5;
	struct rooms from = { .nr = 3, .values = a, .one = &x, .pointers = { NULL, &p } };
	struct rooms to = { .nr = 5, .values = b, .one = &y, .pointers = { NULL, &q } };

	carry_ok(&rooms_plain, &from, &rooms_plain, &to, KSTATE_EXACT);
	assert_ptr_equal(to.values, b);
	assert_int_equal(to.nr, 3);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(b[3], 9);
	assert_ptr_equal(to.one, &y);
	assert_int_equal(y, 42);
	assert_int_equal(q, -5);
}

static void no_room(void **state)
{
	u16 a[3] = { 1, 2, 3 }, b[2] = { 7, 8 };
	u32 x = 42, y = 0;
	s16 p = -5;
	struct rooms from = { .nr = 3, .values = a }, to = { .nr = 2, .values = b };
	char text[] = "hello";

	carry_refused(&rooms_alloc, &from, &rooms_alloc, &to, KSTATE_NO_ROOM, "rooms[1].values");
	assert_int_equal(b[0], 7);
	to = (struct rooms){};
	carry_refused(&rooms_plain, &from, &rooms_plain, &to, KSTATE_NO_ROOM, "rooms[1].values");

	from = (struct rooms){ .one = &x };
	carry_refused(&rooms_plain, &from, &rooms_plain, &to, KSTATE_NO_ROOM, "rooms[1].one");
	from.one = NULL;
	to.one = &y;
	carry_refused(&rooms_plain, &from, &rooms_plain, &to, KSTATE_NO_ROOM, "rooms[1].one");

	from = (struct rooms){ .text = text };
	to = (struct rooms){ .text = text };
	carry_refused(&rooms_plain, &from, &rooms_plain, &to, KSTATE_NO_ROOM, "rooms[1].text");

	from = (struct rooms){ .pointers = { NULL, NULL, &p } };
	to = (struct rooms){};
	carry_refused(&rooms_plain, &from, &rooms_plain, &to, KSTATE_NO_ROOM,
		      "rooms[1].pointers[2]");
}

/* What is on a list or in an xarray already must not be lost */
static void occupied(void **state)
{
	struct both {
		struct list_head list;
		struct xarray xarray;
	} from, to;
	KSTATE_DESCRIBE_STATIC(leafy, "leafy", 1, KSTATE_BASE_TYPE(small, struct leaf, u8));
	KSTATE_DESCRIBE_STATIC(list_desc, "lists", 1,
		   KSTATE_LIST(list, struct both, struct leaf, link, &leafy));
	KSTATE_DESCRIBE_STATIC(xarray_desc, "xarrays", 1,
		   KSTATE_XARRAY(xarray, struct both, struct leaf, &leafy));
	struct leaf a = { .small = 1 }, b = { .small = 2 };

	INIT_LIST_HEAD(&from.list);
	INIT_LIST_HEAD(&to.list);
	xa_init(&from.xarray);
	xa_init(&to.xarray);
	list_add(&a.link, &from.list);
	list_add(&b.link, &to.list);
	xa_store(&from.xarray, 5, &a, GFP_KERNEL);
	xa_store(&to.xarray, 6, &b, GFP_KERNEL);
	carry_refused(&list_desc, &from, &list_desc, &to, KSTATE_NO_ROOM, "lists[1].list");
	carry_refused(&xarray_desc, &from, &xarray_desc, &to, KSTATE_NO_ROOM, "xarrays[1].xarray");
	xa_destroy(&from.xarray);
	xa_destroy(&to.xarray);
}

/* Constraints hold when saving and when restoring */
struct limited {
	s32 range;
	u32 mask;
	u64 equal;
	u16 array[3];
};

static KSTATE_DESCRIBE(limited_desc, "limited", 1,
	KSTATE_BASE_TYPE(range, struct limited, s32, KSTATE_RANGE(-5, 5)),
	KSTATE_BASE_TYPE(mask, struct limited, u32, KSTATE_MASK(0xff00)),
	KSTATE_BASE_TYPE(equal, struct limited, u64, KSTATE_EQUAL),
	KSTATE_BASE_TYPE(array, struct limited, u16 [3], KSTATE_RANGE(1, 9)));

static KSTATE_DESCRIBE(unlimited_desc, "limited", 1,
	KSTATE_BASE_TYPE(range, struct limited, s32),
	KSTATE_BASE_TYPE(mask, struct limited, u32),
	KSTATE_BASE_TYPE(equal, struct limited, u64),
	KSTATE_BASE_TYPE(array, struct limited, u16 [3]));

#define LIMITED	{ -5, 0x1200, 77, { 1, 5, 9 } }

static void constraints_kept(void **state)
{
	struct limited from = LIMITED, to = { .equal = 77 };

	carry_ok(&limited_desc, &from, &limited_desc, &to, KSTATE_EXACT);
	assert_memory_equal(&from, &to, sizeof(to));
	to.equal = 78;
	carry_refused(&limited_desc, &from, &limited_desc, &to, KSTATE_VALUE, "limited[1].equal");
	assert_int_equal(err.code, -ERANGE);
}

static void constraints_of_the_reader(void **state)
{
	struct limited from = LIMITED, to = { .equal = 77 };

	from.range = 6;
	carry_refused(&unlimited_desc, &from, &limited_desc, &to, KSTATE_VALUE, "limited[1].range");
	from.range = -6;
	carry_refused(&unlimited_desc, &from, &limited_desc, &to, KSTATE_VALUE, "limited[1].range");
	from.range = 0;
	from.mask = 0x10000;
	carry_refused(&unlimited_desc, &from, &limited_desc, &to, KSTATE_VALUE, "limited[1].mask");
	from.mask = 0;
	from.array[1] = 10;
	carry_refused(&unlimited_desc, &from, &limited_desc, &to, KSTATE_VALUE,
		      "limited[1].array[1]");
}

static void constraints_of_the_writer(void **state)
{
	struct limited bad = LIMITED;
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);

	use(&limited_desc);
	bad.array[2] = 0;
	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_stream_save(stream, &limited_desc, &bad, KSTATE_ID(1), &err),
			 -ERANGE);
	assert_int_equal(err.reason, KSTATE_VALUE);
	assert_string_equal(err.path, "limited[1].array[2]");
	bad.array[2] = 9;
	stream_save(stream, &limited_desc, &bad, KSTATE_ID(1));
	kstate_set_destroy(set);
}

/* A bool is 0 or 1, whatever the writer said */
static void bools(void **state)
{
	struct x { u8 v; } from = { 2 };
	struct y { bool v; } to = { true };
	KSTATE_DESCRIBE_STATIC(u8_desc, "x", 1, KSTATE_BASE_TYPE(v, struct x, u8));
	KSTATE_DESCRIBE_STATIC(bool_desc, "x", 1, KSTATE_BASE_TYPE(v, struct y, bool));

	carry_refused(&u8_desc, &from, &bool_desc, &to, KSTATE_VALUE, "x[1].v");
	from.v = 0;
	carry_ok(&u8_desc, &from, &bool_desc, &to, KSTATE_CONVERTED);
	assert_false(to.v);
}

/* Bools in the first and in the last bytes of words, and padding before and behind them */
struct switches {
	bool a;			/* 0 */
	u8 x[7];
	bool b;			/* 8 */
	u8 y;
	u16 z;
	u32 w;
	u8 p;			/* 16, padding behind it */
	u32 q;
	bool c;			/* 24, padding behind it */
	u64 r;
	u8 s;
	bool d;			/* 41: the last byte of all */
};

static KSTATE_DESCRIBE(switches_desc, "switches", 1,
	KSTATE_FIELD(struct switches, a), KSTATE_FIELD(struct switches, x),
	KSTATE_FIELD(struct switches, b), KSTATE_FIELD(struct switches, y),
	KSTATE_FIELD(struct switches, z), KSTATE_FIELD(struct switches, w),
	KSTATE_FIELD(struct switches, p), KSTATE_FIELD(struct switches, q),
	KSTATE_FIELD(struct switches, c), KSTATE_FIELD(struct switches, r),
	KSTATE_FIELD(struct switches, s), KSTATE_FIELD(struct switches, d));

static const struct { u32 at; const char *path; } switches[] = {
	{ offsetof(struct switches, a), "switches[1].a" },
	{ offsetof(struct switches, b), "switches[1].b" },
	{ offsetof(struct switches, c), "switches[1].c" },
	{ offsetof(struct switches, d), "switches[1].d" },
};

static void no_bool_is_saved(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct switches from;
	char found[4];

	use(&switches_desc);
	memset(&from, 0xff, sizeof(from));
	from.a = from.b = from.c = from.d = true;
	for (int i = 0; i < ARRAY_SIZE(switches); i++) {
		u8 *byte = (u8 *)&from + switches[i].at;

		for (*byte = 2; *byte; ++*byte) {
			snprintf(found, sizeof(found), "%u", *byte);
			assert_error(kstate_stream_save(stream, &switches_desc, &from,
							KSTATE_ID(1), &err),
				     KSTATE_VALUE, -ERANGE, switches[i].path, "0 or 1", found);
		}
		*byte = i & 1;
	}
	stream_save(stream, &switches_desc, &from, KSTATE_ID(1));
	kstate_set_destroy(set);
}

static void no_bool_is_restored(void **state)
{
	struct switches from = {}, to, before;
	char found[4];

	for (int i = 0; i < ARRAY_SIZE(switches); i++) {
		for (u32 val = 0; val < 256; val++) {
			struct kstate_set *set = saved(&switches_desc, &from);
			struct kstate_stream *stream = kstate_stream_find(set, "test");
			struct kstate_record *record = stream->index.slots[0].record;

			kstate_record_payload(record)[switches[i].at] = val;
			kstate_record_seal(record, 0);
			memset(&to, 1, sizeof(to));
			before = to;
			snprintf(found, sizeof(found), "%u", val);
			if (val > 1) {
				assert_error(stream_restore(stream, &switches_desc, &to,
							    KSTATE_ID(1)),
					     KSTATE_VALUE, -ERANGE, switches[i].path, "0 or 1",
					     found);
				assert_memory_equal(&to, &before, sizeof(to));
			} else {
				assert_int_equal(stream_restore(stream, &switches_desc, &to,
								KSTATE_ID(1)), 0);
				assert_int_equal(((u8 *)&to)[switches[i].at], val);
			}
			kstate_set_destroy(set);
		}
	}
}

/* What is between the members does not leave the kernel, and is not overwritten by the next one */
static void padding(void **state)
{
	struct switches from, to;
	struct kstate_set *set;
	u8 *payload;

	memset(&from, 0xff, sizeof(from));
	from.a = from.b = from.c = from.d = true;
	set = saved(&switches_desc, &from);
	payload = kstate_record_payload(kstate_stream_find(set, "test")->index.slots[0].record);
	for (u32 i = 0; i < sizeof(from); i++) {
		bool is_bool = !i || i == 8 || i == 24 || i == 41;
		bool none = (i > 16 && i < 20) || (i > 24 && i < 32) || i > 41;

		assert_int_equal(payload[i], none ? 0 : is_bool ? 1 : 0xff);
	}
	memset(&to, 0x5a, sizeof(to));
	assert_int_equal(stream_restore(kstate_stream_find(set, "test"), &switches_desc, &to,
					KSTATE_ID(1)), 0);
	assert_memory_equal((u8 *)&to + 17, "\x5a\x5a\x5a", 3);
	assert_memory_equal((u8 *)&to + 25, "\x5a\x5a\x5a\x5a\x5a\x5a\x5a", 7);
	kstate_set_destroy(set);
}

/* A union whose tag is none of its arms' cannot be saved */
static void no_arm(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct all from;

	all_fill(&from, 11);
	if (from.tag == ARM_B)
		kvfree(from.u.b.text);
	memset(&from.u, 0, sizeof(from.u));
	from.tag = 3;
	use(&all_desc);
	assert_error(kstate_stream_save(stream, &all_desc, &from, KSTATE_ID(1), &err),
		     KSTATE_VALUE, -ERANGE, "all[1].u", "the tag of an arm", "3");
	all_free(&from);
	kstate_set_destroy(set);
}

/* What is not saved is not touched */
static void skipped(void **state)
{
	struct s { u32 a, b; } from = { 1, 2 }, to = { 3, 4 };
	KSTATE_DESCRIBE_STATIC(desc, "s", 1,
		   KSTATE_BASE_TYPE(a, struct s, u32),
		   KSTATE_SKIP(b, struct s, "a test"));

	carry_ok(&desc, &from, &desc, &to, KSTATE_EXACT);
	assert_int_equal(to.a, 1);
	assert_int_equal(to.b, 4);
}

/* The address of something outside of the object is the same afterwards */
static void addresses(void **state)
{
	struct s { void *p; struct page *page; } to = {}, from = {
		.p = shim_memory + 4097, .page = pfn_to_page(77),
	};
	KSTATE_DESCRIBE_STATIC(desc, "s", 1,
		   KSTATE_ADDRESS(p, struct s, KS_LINEAR_ADDR),
		   KSTATE_ADDRESS(page, struct s, KS_VMEMMAP_ADDR));

	carry_ok(&desc, &from, &desc, &to, KSTATE_EXACT);
	assert_memory_equal(&from, &to, sizeof(to));
	memset(&from, 0, sizeof(from));
	carry_ok(&desc, &from, &desc, &to, KSTATE_EXACT);
	assert_null(to.p);
	assert_null(to.page);
}

/* Bits that the bitmap does not have are neither saved nor changed to garbage */
static void bitmaps(void **state)
{
	struct s { DECLARE_BITMAP(bits, 70); } from = { { 5, ~0UL } }, to = {};
	KSTATE_DESCRIBE_STATIC(desc, "s", 1, KSTATE_BITMAP(bits, struct s, 70));

	carry_ok(&desc, &from, &desc, &to, KSTATE_EXACT);
	assert_int_equal(to.bits[0], 5);
	assert_int_equal(to.bits[1] & 0x3f, 0x3f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(alone),
		TEST(everywhere),
		TEST(limits),
		TEST(empty),
		TEST(existing_memory),
		TEST(no_room),
		TEST(occupied),
		TEST(constraints_kept),
		TEST(constraints_of_the_reader),
		TEST(constraints_of_the_writer),
		TEST(bools), TEST(no_bool_is_saved), TEST(no_bool_is_restored), TEST(padding),
		TEST(no_arm),
		TEST(skipped),
		TEST(addresses),
		TEST(bitmaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
