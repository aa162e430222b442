// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a difference between writer and reader means: each rule where it holds
 * and where it refuses, for a struct by itself and in every place where a
 * struct can be.
 */
#include "fault.h"

/* The writer's object, in memory that is not allocated */
static void wrap_fill(struct outer *w, enum place place, const void *obj, size_t size)
{
	static u64 elements[2][ROOM / 8];
	static struct element list[2];

	memset(w, 0, sizeof(*w));
	INIT_LIST_HEAD(&w->list);
	w->head = 0x1122334455667788;
	strscpy(w->end, "end");
	w->needed = 1;
	for (int i = 0; i < 2; i++) {
		memset(elements[i], 0, ROOM);
		memcpy(elements[i], obj, size);
		memcpy(w->array[i], obj, size);
		memcpy(list[i].bytes, obj, size);
	}
	memcpy(w->one, obj, size);
	memcpy(w->u, obj, size);
	w->tag = 5;
	w->pointer = elements[0];
	w->varray = elements;
	w->nr = 2;
	w->pointers[1] = elements[0];
	if (place == LIST) {
		list_add_tail(&list[0].link, &w->list);
		list_add_tail(&list[1].link, &w->list);
	}
	if (place == XARRAY)
		xa_store(&w->xarray, 9, elements, GFP_KERNEL);
}

/* The reader's object before it is restored */
static void wrap_init(struct outer *w, const void *obj, size_t size)
{
	memset(w, 0, sizeof(*w));
	INIT_LIST_HEAD(&w->list);
	memcpy(w->one, obj, size);
	memcpy(w->array[0], obj, size);
	memcpy(w->array[1], obj, size);
	memcpy(w->u, obj, size);
}

static void *wrap_find(struct outer *w, enum place place)
{
	switch (place) {
	case ARRAY:
		return w->array[0];
	case POINTER:
		return w->pointer;
	case VARRAY:
		assert_int_equal(w->nr, 2);
		return w->varray;
	case POINTERS:
		assert_null(w->pointers[0]);
		return w->pointers[1];
	case LIST:
		assert_int_equal(list_count_nodes(&w->list), 2);
		return list_first_entry(&w->list, struct element, link);
	case XARRAY:
		return xa_load(&w->xarray, 9);
	case UNION:
		assert_int_equal(w->tag, 5);
		return w->u;
	default:
		return w->one;
	}
}

static void no_cleanup(void *obj)
{
}

static void wrap_free(struct outer *w, enum place place, void (*cleanup)(void *obj))
{
	struct element *element, *next;

	switch (place) {
	case ARRAY:
		cleanup(w->array[0]);
		cleanup(w->array[1]);
		break;
	case VARRAY:
		cleanup(w->varray + ROOM);
		fallthrough;
	case POINTER:
	case POINTERS:
		cleanup(wrap_find(w, place));
		break;
	case LIST:
		list_for_each_entry_safe(element, next, &w->list, link) {
			cleanup(element);
			kvfree(element);
		}
		break;
	case XARRAY:
		cleanup(wrap_find(w, place));
		kvfree(wrap_find(w, place));
		xa_destroy(&w->xarray);
		break;
	default:
		cleanup(wrap_find(w, place));
	}
	kvfree(w->pointer);
	kvfree(w->varray);
	kvfree(w->pointers[1]);
}

struct trial {
	struct kstate_description *writer;
	struct kstate_description *reader;
	const void *from;
	size_t from_size;
	const void *before;	/* what the reader's object holds: zeros if NULL */
	const void *after;	/* what it has to hold, or NULL if it is refused */
	size_t to_size;
	int verdict;
	enum kstate_reason reason;
	const char *path;
	void (*verify)(void *obj);
	void (*cleanup)(void *obj);
};

static bool by_value(const struct trial *t)
{
	return t->reason != KSTATE_BLOCKED && t->reason != KSTATE_VERSION;
}

static void try_in(const struct trial *t, enum place place)
{
	static const char zeros[ROOM];
	struct placing ww, rw;
	struct kstate_description *writer = &ww.desc, *reader = &rw.desc;
	struct outer from, to, before;
	char path[128];

	describe_in(&ww, place, t->writer, t->from_size);
	describe_in(&rw, place, t->reader, t->to_size);
	wrap_fill(&from, place, t->from, t->from_size);
	wrap_init(&to, t->before ?: zeros, t->before ? t->to_size : ROOM);
	before = to;
	/* What BARE restores is a struct by itself, not in a struct outer */
	if (place == BARE) {
		writer = t->writer;
		reader = t->reader;
		if (!carry(writer, from.one, reader, to.one) != !!t->after)
			fail_msg("place %d: %s", place, text_of(&err));
	} else if (!carry(writer, &from, reader, &to) != !!t->after) {
		fail_msg("place %d: %s", place, text_of(&err));
	}

	if (t->after) {
		assert_int_equal(verdict, t->verdict);
		if (place != BARE) {
			assert_int_equal(to.head, from.head);
			assert_string_equal(to.end, "end");
		}
		if (t->verify)
			t->verify(wrap_find(&to, place));
		else
			assert_memory_equal(wrap_find(&to, place), t->after, t->to_size);
		wrap_free(&to, place, t->cleanup ?: no_cleanup);
	} else {
		/* A list_head that is empty points to itself: to has not moved */
		assert_memory_equal(&to, &before, sizeof(to));
		snprintf(path, sizeof(path), "%s[1]%s%s%s",
			 place == BARE ? t->writer->name : "outer",
			 by_value(t) ? place_paths[place].value : place_paths[place].described,
			 t->path[0] && t->path[0] != '[' ? "." : "", t->path);
		if (err.reason != t->reason || strcmp(err.path, path))
			fail_msg("expected %s at %s: %s", kstate_reason_name(t->reason), path,
				 text_of(&err));
	}
	if (place == XARRAY)
		xa_destroy(&from.xarray);
	kstate_forget(writer);
	kstate_forget(reader);
}

static void try(struct trial t)
{
	for (int place = BARE; place < NR_PLACES; place++)
		try_in(&t, place);
}

#define fits(_writer, _from, _reader, _after, _verdict, ...) do {	\
	__auto_type __f = (_from);					\
	__auto_type __a = (_after);					\
	char __b[ROOM];							\
									\
	memset(__b, 0xee, ROOM);					\
	try((struct trial){						\
		.writer = &(_writer), .reader = &(_reader),		\
		.from = &__f, .from_size = sizeof(__f), .before = __b,	\
		.after = &__a, .to_size = sizeof(__a), .verdict = _verdict, ##__VA_ARGS__ }); \
} while (0)

#define refused(_writer, _from, _reader, _type, _reason, _path, ...) do { \
	__auto_type __f = (_from);					\
	char __b[ROOM];							\
									\
	memset(__b, 0xee, ROOM);					\
	try((struct trial){						\
		.writer = &(_writer), .reader = &(_reader),		\
		.from = &__f, .from_size = sizeof(__f), .before = __b,	\
		.to_size = sizeof(_type), .reason = _reason, .path = _path, ##__VA_ARGS__ }); \
} while (0)

/* Same name, same type, other place */

struct abc {
	u32 a;
	u16 b;
	u16 c;
};

struct cba {
	u16 c;
	u16 b;
	u32 a;
};

static KSTATE_DESCRIBE(abc, "s", 1,
	KSTATE_BASE_TYPE(a, struct abc, u32),
	KSTATE_BASE_TYPE(b, struct abc, u16),
	KSTATE_BASE_TYPE(c, struct abc, u16));
static KSTATE_DESCRIBE(cba, "s", 1,
	KSTATE_BASE_TYPE(c, struct cba, u16),
	KSTATE_BASE_TYPE(b, struct cba, u16),
	KSTATE_BASE_TYPE(a, struct cba, u32));
static KSTATE_DESCRIBE(abc_renamed, "other", 1,
	KSTATE_BASE_TYPE(c, struct abc, u16),
	KSTATE_BASE_TYPE(a, struct abc, u32),
	KSTATE_BASE_TYPE(b, struct abc, u16));

static void moved(void **state)
{
	fits(abc, ((struct abc){ 1, 2, 3 }), cba, ((struct cba){ 3, 2, 1 }), KSTATE_EXACT);
	fits(cba, ((struct cba){ 3, 2, 1 }), abc, ((struct abc){ 1, 2, 3 }), KSTATE_EXACT);
	fits(abc, ((struct abc){ 1, 2, 3 }), abc, ((struct abc){ 1, 2, 3 }), KSTATE_EXACT);
}

/* The names of nested descriptions do not matter, only their fields */
static void nested_names(void **state)
{
	struct abc from = { 1, 2, 3 }, to = {};
	struct trial t = {
		.writer = &abc, .reader = &abc_renamed, .from = &from, .from_size = sizeof(from),
		.before = &to, .after = &from, .to_size = sizeof(to), .verdict = KSTATE_EXACT,
	};

	for (int place = STRUCT; place < NR_PLACES; place++)
		try_in(&t, place);
}

/* Integers: every type to every other, with values at all limits */

static const u8 types[] = {
	KS_U8, KS_U16, KS_U32, KS_U64, KS_S8, KS_S16, KS_S32, KS_S64, KS_BOOL, KS_CHAR,
};

static bool is_signed(u8 type)
{
	return type == KS_S8 || type == KS_S16 || type == KS_S32 || type == KS_S64;
}

static unsigned int size_of(u8 type)
{
	return type & 0xf;
}

/* Smallest and largest value; u64 is the only type whose do not fit into s64 */
static s64 lowest(u8 type)
{
	return is_signed(type) ? (s64)(~0ULL << (8 * size_of(type) - 1)) : 0;
}

static u64 highest(u8 type)
{
	return type == KS_BOOL ? 1 : ~0ULL >> (64 - 8 * size_of(type) + is_signed(type));
}

enum fit { NEVER, ALWAYS, BY_VALUE };

/* Independent of the core: the rules as they are written down */
static enum fit fit(u8 w, u8 r)
{
	if (w == r)
		return ALWAYS;
	if (w == KS_BOOL)
		return ALWAYS;
	if (is_signed(w))
		return is_signed(r) ? (size_of(r) > size_of(w) ? ALWAYS : BY_VALUE) : NEVER;
	if (r == KS_BOOL)
		return BY_VALUE;
	if (is_signed(r))
		return size_of(r) > size_of(w) ? ALWAYS : NEVER;
	return size_of(r) >= size_of(w) ? ALWAYS : BY_VALUE;
}

static void int_desc(struct kstate_description *desc, struct kstate_field *fields, u8 type)
{
	fields[0] = (struct kstate_field){ .name = "v", .kind = KS_BASE_TYPE, .num = 1,
		.size = size_of(type), .type = type };
	fields[1] = (struct kstate_field){ .kind = KS_END };
	*desc = (struct kstate_description){ .name = "s", .fields = fields };
}

static void integers(void **state)
{
	struct kstate_description writer, reader;
	struct kstate_field wf[2], rf[2];

	for (int i = 0; i < ARRAY_SIZE(types) * ARRAY_SIZE(types); i++) {
		u8 w = types[i / ARRAY_SIZE(types)], r = types[i % ARRAY_SIZE(types)];
		const u64 values[] = {
			0, 1, lowest(w), highest(w), highest(w) - 1,
			lowest(r), highest(r), (u64)lowest(r) - 1, highest(r) + 1, -1ULL,
		};

		int_desc(&writer, wf, w);
		int_desc(&reader, rf, r);
		for (int v = 0; v < ARRAY_SIZE(values); v++) {
			bool in_w = is_signed(w) ?
				(s64)values[v] >= lowest(w) && (s64)values[v] <= (s64)highest(w) :
				values[v] <= highest(w);
			/* Signs do not get lost where types fit at all */
			bool in_r = is_signed(r) ?
				(s64)values[v] >= lowest(r) && (s64)values[v] <= (s64)highest(r) :
				values[v] <= highest(r);
			enum fit f = fit(w, r);
			struct trial t = {
				.writer = &writer, .reader = &reader, .from = &values[v],
				.from_size = size_of(w), .after = &values[v], .to_size = size_of(r),
				.verdict = w == r ? KSTATE_EXACT : KSTATE_CONVERTED, .path = "v",
			};

			if (!in_w)
				continue;
			if (f == ALWAYS)
				assert_true(in_r);
			if (f == NEVER || !in_r) {
				t.reason = f == NEVER ? KSTATE_BLOCKED : KSTATE_VALUE;
				t.after = NULL;
			}
			try(t);
		}
	}
}

/* Integers in arrays and outside of the struct follow the same rules */

struct ints8 {
	u8 array[4];
	u8 *pointer;
	u8 *varray;
	u8 nr;
	u8 *pointers[2];
};

struct ints64 {
	s64 array[4];
	s64 *pointer;
	s64 *varray;
	u16 nr;
	s64 *pointers[2];
};

#define INTS(_type)							\
	KSTATE_ARRAY(array, struct _type, typeof(((struct _type *)0)->array[0])), \
	KSTATE_POINTER(pointer, struct _type, KSTATE_ALLOC),		\
	KSTATE_VARRAY(varray, struct _type, nr, KSTATE_ALLOC),		\
	KSTATE_ARRAY_OF_POINTER(pointers, struct _type, KSTATE_ALLOC)

static KSTATE_DESCRIBE(ints8, "ints", 1, INTS(ints8));
static KSTATE_DESCRIBE(ints64, "ints", 1, INTS(ints64));

static void integers_elsewhere(void **state)
{
	u8 v[4] = { 1, 200, 255, 0 };
	struct ints8 small = { { 9, 8, 255, 6 }, &v[1], v, 4, { NULL, &v[2] } }, small_to = {};
	s64 l[4] = { 1, 2, 3, 4 };
	struct ints64 large = { { 1, 2, 3, 127 }, &l[1], l, 4, { NULL, &l[2] } }, large_to = {};

	carry_ok(&ints8, &small, &ints64, &large_to, KSTATE_CONVERTED);
	assert_int_equal(large_to.array[2], 255);
	assert_int_equal(*large_to.pointer, 200);
	assert_int_equal(large_to.nr, 4);
	assert_int_equal(large_to.varray[2], 255);
	assert_null(large_to.pointers[0]);
	assert_int_equal(*large_to.pointers[1], 255);
	kvfree(large_to.pointer);
	kvfree(large_to.varray);
	kvfree(large_to.pointers[1]);

	carry_refused(&ints64, &large, &ints8, &small_to, KSTATE_BLOCKED, "ints[1].array");
}

struct ints16 {
	u16 array[4];
	u16 *pointer;
	u16 *varray;
	u8 nr;
	u16 *pointers[2];
};

static KSTATE_DESCRIBE(ints16, "ints", 1, INTS(ints16));

static void integers_elsewhere_narrowed(void **state)
{
	u16 v[4] = { 1, 2, 3, 4 };
	struct ints16 from = { { 1, 2, 3, 4 }, &v[0], v, 4, { NULL, &v[0] } };
	struct ints8 to = {};

	carry_ok(&ints16, &from, &ints8, &to, KSTATE_CONVERTED);
	assert_int_equal(to.varray[3], 4);
	kvfree(to.pointer);
	kvfree(to.varray);
	kvfree(to.pointers[1]);
	to = (struct ints8){};

	from.array[3] = 256;
	carry_refused(&ints16, &from, &ints8, &to, KSTATE_VALUE, "ints[1].array[3]");
	from.array[3] = 0;
	v[3] = 256;
	carry_refused(&ints16, &from, &ints8, &to, KSTATE_VALUE, "ints[1].varray[3]");
	from.pointers[1] = &v[3];
	from.nr = 2;
	carry_refused(&ints16, &from, &ints8, &to, KSTATE_VALUE, "ints[1].pointers[1]");
	from.pointers[1] = NULL;
	from.pointer = &v[3];
	carry_refused(&ints16, &from, &ints8, &to, KSTATE_VALUE, "ints[1].pointer");
}

/* The member that holds a length can be too small for it */
static void length_that_does_not_fit(void **state)
{
	struct w { u16 nr; u8 v[300]; } from = { .nr = 256 }, same = {};
	struct r { u8 nr; u8 v[300]; } to = {};
	KSTATE_DESCRIBE_STATIC(wd, "s", 1, KSTATE_VARRAY(v, struct w, nr));
	KSTATE_DESCRIBE_STATIC(rd, "s", 1, KSTATE_VARRAY(v, struct r, nr));

	carry_ok(&wd, &from, &wd, &same, KSTATE_EXACT);
	carry_refused(&wd, &from, &rd, &to, KSTATE_VALUE, "s[1].v");
	from.nr = 255;
	carry_ok(&wd, &from, &rd, &to, KSTATE_EXACT);
	assert_int_equal(to.nr, 255);
}

/* The reader has a field that the stream has not */

struct a {
	u32 a;
};

struct ab {
	u32 a;
	s32 b;
};

static int answer(void *member, const struct kstate_field *field)
{
	*(s32 *)member = 42;
	return 0;
}

static int no_answer(void *member, const struct kstate_field *field)
{
	return -EIO;
}

static KSTATE_DESCRIBE(just_a, "s", 1, KSTATE_BASE_TYPE(a, struct a, u32));
static KSTATE_DESCRIBE(b_required, "s", 1,
	KSTATE_BASE_TYPE(a, struct ab, u32), KSTATE_BASE_TYPE(b, struct ab, s32));
static KSTATE_DESCRIBE(b_default, "s", 1,
	KSTATE_BASE_TYPE(a, struct ab, u32),
	KSTATE_BASE_TYPE(b, struct ab, s32, KSTATE_DEFAULT(-9)));
static KSTATE_DESCRIBE(b_hook, "s", 1,
	KSTATE_BASE_TYPE(a, struct ab, u32),
	KSTATE_BASE_TYPE(b, struct ab, s32, KSTATE_ABSENT(answer)));
static KSTATE_DESCRIBE(b_bad_hook, "s", 1,
	KSTATE_BASE_TYPE(a, struct ab, u32),
	KSTATE_BASE_TYPE(b, struct ab, s32, KSTATE_ABSENT(no_answer)));

static void absent(void **state)
{
	struct a from = { 1 };

	refused(just_a, from, b_required, struct ab, KSTATE_BLOCKED, "b");
	fits(just_a, from, b_default, ((struct ab){ 1, -9 }), KSTATE_DEFAULTED);
	fits(just_a, from, b_hook, ((struct ab){ 1, 42 }), KSTATE_DEFAULTED);
	refused(just_a, from, b_bad_hook, struct ab, KSTATE_CALLBACK, "b");
	assert_int_equal(err.code, -EIO);
}

/* Defaults of every kind: nothing stays as it happened to be */

union any {
	u32 x;
	u64 y;
};

struct every {
	u32 a;
	u16 ints[3];
	struct ab inner;
	u32 *pointer;
	u8 nr;
	u16 values[4];
	u8 nr_varray;
	u32 *varray;
	u32 *pointers[2];
	char text[4];
	char *string;
	unsigned long bits[2];
	struct list_head list;
	struct xarray xarray;
	void *address;
	struct folio *folio;
	struct page *pages;
	u32 nr_pages;
	void *area;
	u64 custom;
	u32 group_a;
	u32 tag;
	union any u;
};

static bool never(const void *obj)
{
	return false;
}

static int no_put(struct kstate_stream *stream, void *obj, const struct kstate_field *field)
{
	return 0;
}

static KSTATE_DESCRIBE(b_only, "inner", 1,
	KSTATE_BASE_TYPE(b, struct ab, s32, KSTATE_DEFAULT(5)),
	KSTATE_BASE_TYPE(a, struct ab, u32));
static KSTATE_DESCRIBE(group_a, "group", 1,
	KSTATE_BASE_TYPE(group_a, struct every, u32, KSTATE_DEFAULT(8)));
static KSTATE_DESCRIBE(every_writer, "s", 1, KSTATE_BASE_TYPE(a, struct every, u32));
static KSTATE_DESCRIBE(every_reader, "s", 1,
	KSTATE_BASE_TYPE(a, struct every, u32),
	KSTATE_BASE_TYPE(ints, struct every, u16 [3], KSTATE_DEFAULT(7)),
	KSTATE_STRUCT(inner, struct every, &b_only, KSTATE_DEFAULT(0)),
	KSTATE_POINTER(pointer, struct every, KSTATE_DEFAULT(0)),
	KSTATE_VARRAY(values, struct every, nr, KSTATE_DEFAULT(0)),
	KSTATE_VARRAY(varray, struct every, nr_varray, KSTATE_DEFAULT(0), KSTATE_ALLOC),
	KSTATE_ARRAY_OF_POINTER(pointers, struct every, KSTATE_DEFAULT(0)),
	KSTATE_STRING(text, struct every, KSTATE_DEFAULT(0)),
	KSTATE_STRING(string, struct every, KSTATE_DEFAULT(0)),
	KSTATE_BITMAP(bits, struct every, 100, KSTATE_DEFAULT(0)),
	KSTATE_LIST(list, struct every, struct element, link, &just_a, KSTATE_DEFAULT(0)),
	KSTATE_XARRAY(xarray, struct every, struct element, &just_a, KSTATE_DEFAULT(0)),
	KSTATE_ADDRESS(address, struct every, KS_LINEAR_ADDR, KSTATE_DEFAULT(0)),
	KSTATE_FOLIO(folio, struct every, KSTATE_DEFAULT(0)),
	KSTATE_PAGES(pages, struct every, nr_pages, KSTATE_DEFAULT(0)),
	KSTATE_VMALLOC(area, struct every, KSTATE_DEFAULT(0)),
	KSTATE_CUSTOM(custom, struct every, no_put, no_put, KSTATE_DEFAULT(0)),
	KSTATE_GROUP(group, &group_a, never));

static void defaults_of_every_kind(void **state)
{
	struct every from = { .a = 3 }, to = {
		.a = 1, .ints = { 1, 2, 3 }, .inner = { 1, 2 }, .nr = 4, .values = { 1, 2, 3, 4 },
		.nr_varray = 0, .text = "xyz", .bits = { 1, 2 }, .address = &from, .nr_pages = 3,
		.custom = 9, .group_a = 1,
	};

	INIT_LIST_HEAD(&to.list);
	carry_ok(&every_writer, &from, &every_reader, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.a, 3);
	assert_int_equal(to.ints[0], 7);
	assert_int_equal(to.ints[2], 7);
	assert_int_equal(to.inner.a, 0);
	assert_int_equal(to.inner.b, 5);
	assert_int_equal(to.nr, 0);
	assert_null(to.varray);
	assert_string_equal(to.text, "");
	assert_null(to.string);
	assert_int_equal(to.bits[0] | (to.bits[1] & 0xfffffffff), 0);
	assert_true(list_empty(&to.list));
	assert_null(to.address);
	assert_int_equal(to.nr_pages, 0);
	assert_int_equal(to.custom, 0);
	assert_int_equal(to.group_a, 8);
}

/* What an object holds already is not forgotten, either */
static void defaults_over_something(void **state)
{
	struct every from = { .a = 3 }, to;
	u32 there = 5;

	memset(&to, 0, sizeof(to));
	INIT_LIST_HEAD(&to.list);
	to.pointer = &there;
	carry_refused(&every_writer, &from, &every_reader, &to, KSTATE_NO_ROOM, "s[1].pointer");
	to.pointer = NULL;
	to.pointers[1] = &there;
	carry_refused(&every_writer, &from, &every_reader, &to, KSTATE_NO_ROOM, "s[1].pointers[1]");
	to.pointers[1] = NULL;
	to.string = "text";
	carry_refused(&every_writer, &from, &every_reader, &to, KSTATE_NO_ROOM, "s[1].string");
	to.string = NULL;
	to.folio = (void *)&there;
	carry_refused(&every_writer, &from, &every_reader, &to, KSTATE_NO_ROOM, "s[1].folio");
}

/* The stream has a field that the reader does not know */

static KSTATE_DESCRIBE(b_ignorable, "s", 1,
	KSTATE_BASE_TYPE(b, struct ab, s32, KSTATE_IGNORABLE), KSTATE_BASE_TYPE(a, struct ab, u32));
static KSTATE_DESCRIBE(a_b_removed, "s", 1,
	KSTATE_REMOVED("b"), KSTATE_BASE_TYPE(a, struct a, u32));

static void unknown(void **state)
{
	struct ab from = { 1, 2 };

	refused(b_required, from, just_a, struct a, KSTATE_BLOCKED, "b");
	refused(b_hook, from, just_a, struct a, KSTATE_BLOCKED, "b");
	refused(b_default, from, just_a, struct a, KSTATE_VALUE, "b");
	fits(b_ignorable, from, just_a, ((struct a){ 1 }), KSTATE_LOSSY);
	fits(b_required, from, a_b_removed, ((struct a){ 1 }), KSTATE_LOSSY);
	from.b = -9;
	fits(b_default, from, just_a, ((struct a){ 1 }), KSTATE_DEFAULTED);
	from.b = 0;
	refused(b_default, from, just_a, struct a, KSTATE_VALUE, "b");
}

/* Unknown fields of every kind: default, then something else */
static void unknown_of_every_kind(void **state)
{
	u32 value = 0;
	struct element element = {};
	struct every from, none = { .a = 3 }, to;
	struct every zero = { .a = 3, .ints = { 7, 7, 7 }, .inner = { 0, 5 }, .group_a = 8 };

	for (int i = 0; i < 14; i++) {
		from = zero;
		INIT_LIST_HEAD(&from.list);
		memset(&to, 0xee, sizeof(to));
		switch (i) {
		case 0:
			from.ints[2] = 0;
			break;
		case 1:
			from.inner.a = 1;
			break;
		case 2:
			from.inner.b = 0;
			break;
		case 3:
			from.pointer = &value;
			break;
		case 4:
			from.nr = 1;
			break;
		case 5:
			from.varray = &value;
			from.nr_varray = 1;
			break;
		case 6:
			from.pointers[1] = &value;
			break;
		case 7:
			from.text[0] = 'x';
			break;
		case 8:
			from.string = "x";
			break;
		case 9:
			from.bits[1] = 1ULL << 35;
			break;
		case 10:
			list_add(&element.link, &from.list);
			break;
		case 11:
			xa_store(&from.xarray, 4, &element, GFP_KERNEL);
			break;
		case 12:
			from.address = shim_memory;
			break;
		case 13:
			carry_ok(&every_reader, &from, &every_writer, &to, KSTATE_DEFAULTED);
			assert_int_equal(to.a, 3);
			continue;
		}
		if (!carry(&every_reader, &from, &every_writer, &to))
			fail_msg("case %d is not refused", i);
		if (err.reason != KSTATE_VALUE)
			fail_msg("case %d: %s", i, text_of(&err));
		xa_destroy(&from.xarray);
	}
	to = none;
	INIT_LIST_HEAD(&to.list);
	carry_ok(&every_writer, &none, &every_reader, &to, KSTATE_DEFAULTED);
}

/* Renamed */

struct new_a {
	u32 fresh;
};

static KSTATE_DESCRIBE(alias_a, "s", 1,
	KSTATE_BASE_TYPE(fresh, struct new_a, u32, KSTATE_ALIAS("older", "a")));
static KSTATE_DESCRIBE(no_alias, "s", 1, KSTATE_BASE_TYPE(fresh, struct new_a, u32));
static KSTATE_DESCRIBE(both_names, "s", 1,
	{ .name = "fresh", .kind = KS_BASE_TYPE, .type = KS_U32, .size = 4, .num = 1, .offset = 0 },
	{ .name = "a", .kind = KS_BASE_TYPE, .type = KS_U32, .size = 4, .num = 1, .offset = 4 });
static KSTATE_DESCRIBE(two_aliases, "s", 1,
	{ .name = "x", .kind = KS_BASE_TYPE, .type = KS_U32, .size = 4, .num = 1, .offset = 0,
	  KSTATE_ALIAS("a") },
	{ .name = "y", .kind = KS_BASE_TYPE, .type = KS_U32, .size = 4, .num = 1, .offset = 4,
	  KSTATE_ALIAS("fresh") });
static KSTATE_DESCRIBE(swapped, "s", 1,
	{ .name = "a", .kind = KS_BASE_TYPE, .type = KS_U32, .size = 4, .num = 1, .offset = 0,
	  KSTATE_ALIAS("b") },
	{ .name = "c", .kind = KS_BASE_TYPE, .type = KS_S32, .size = 4, .num = 1, .offset = 4,
	  KSTATE_DEFAULT(0) });

static void renamed(void **state)
{
	fits(just_a, ((struct a){ 6 }), alias_a, ((struct new_a){ 6 }), KSTATE_EXACT);
	fits(no_alias, ((struct new_a){ 6 }), alias_a, ((struct new_a){ 6 }), KSTATE_EXACT);
	refused(just_a, ((struct a){ 6 }), no_alias, struct new_a, KSTATE_BLOCKED, "a");
	/* An alias counts only if the name itself is not there */
	refused(both_names, ((struct ab){ 6, 7 }), alias_a, struct new_a, KSTATE_BLOCKED, "a");
	fits(both_names, ((struct ab){ 6, 7 }), two_aliases, ((struct ab){ 7, 6 }), KSTATE_EXACT);
	/* The writer has "a" and "b": "b" is not taken for an old "a" */
	refused(b_required, ((struct ab){ 1, 2 }), swapped, struct ab, KSTATE_BLOCKED, "b");
}

/* Arrays of other lengths */

struct three {
	u16 v[3];
	u16 after;
};

struct five {
	u16 v[5];
	u16 after;
};

static KSTATE_DESCRIBE(three, "s", 1,
	KSTATE_BASE_TYPE(v, struct three, u16 [3]),
	KSTATE_BASE_TYPE(after, struct three, u16));
static KSTATE_DESCRIBE(five, "s", 1,
	KSTATE_BASE_TYPE(v, struct five, u16 [5]),
	KSTATE_BASE_TYPE(after, struct five, u16));
static KSTATE_DESCRIBE(five_default, "s", 1,
	KSTATE_BASE_TYPE(v, struct five, u16 [5], KSTATE_DEFAULT(9)),
	KSTATE_BASE_TYPE(after, struct five, u16));

struct wide5 {
	s32 v[5];
	s32 after;
};

static KSTATE_DESCRIBE(wide5, "s", 1,
	KSTATE_BASE_TYPE(v, struct wide5, s32 [5], KSTATE_DEFAULT(-1)),
	KSTATE_BASE_TYPE(after, struct wide5, s32));

static void array_lengths(void **state)
{
	fits(three, ((struct three){ { 1, 2, 3 }, 4 }), five_default,
	     ((struct five){ { 1, 2, 3, 9, 9 }, 4 }), KSTATE_DEFAULTED);
	refused(three, ((struct three){ { 1, 2, 3 }, 4 }), five, struct five, KSTATE_BLOCKED, "v");
	fits(five, ((struct five){ { 1, 2, 3, 0, 0 }, 4 }), three,
	     ((struct three){ { 1, 2, 3 }, 4 }), KSTATE_DEFAULTED);
	refused(five, ((struct five){ { 1, 2, 3, 0, 5 }, 4 }), three, struct three,
		KSTATE_VALUE, "v");
	/* The default of the writer is what counts */
	fits(five_default, ((struct five){ { 1, 2, 3, 9, 9 }, 4 }), three,
	     ((struct three){ { 1, 2, 3 }, 4 }), KSTATE_DEFAULTED);
	refused(five_default, ((struct five){ { 1, 2, 3, 9, 0 }, 4 }), three, struct three,
		KSTATE_VALUE, "v");
	/* Longer and wider at once */
	fits(three, ((struct three){ { 1, 2, 65535 }, 4 }), wide5,
	     ((struct wide5){ { 1, 2, 65535, -1, -1 }, 4 }), KSTATE_DEFAULTED);
}

/* Arrays of structs and of pointers, bitmaps */

struct structs2 {
	struct ab v[2];
};

struct structs3 {
	struct ab v[3];
};

static KSTATE_DESCRIBE(structs2, "s", 1, KSTATE_STRUCT_ARRAY(v, struct structs2, &b_default));
static KSTATE_DESCRIBE(structs3, "s", 1, KSTATE_STRUCT_ARRAY(v, struct structs3, &b_default));
static KSTATE_DESCRIBE(structs3_default, "s", 1,
	KSTATE_STRUCT_ARRAY(v, struct structs3, &b_default, KSTATE_DEFAULT(0)));

static void arrays_of_structs(void **state)
{
	fits(structs2, ((struct structs2){ { { 1, 2 }, { 3, 4 } } }), structs3_default,
	     ((struct structs3){ { { 1, 2 }, { 3, 4 }, { 0, -9 } } }), KSTATE_DEFAULTED);
	refused(structs2, ((struct structs2){ { { 1, 2 }, { 3, 4 } } }), structs3,
		struct structs3, KSTATE_BLOCKED, "v");
	fits(structs3_default, ((struct structs3){ { { 1, 2 }, { 3, 4 }, { 0, -9 } } }), structs2,
	     ((struct structs2){ { { 1, 2 }, { 3, 4 } } }), KSTATE_DEFAULTED);
	refused(structs3_default, ((struct structs3){ { { 1, 2 }, { 3, 4 }, { 0, 0 } } }), structs2,
		struct structs2, KSTATE_VALUE, "v");
}

struct bits40 {
	unsigned long v[1];
};

struct bits100 {
	unsigned long v[2];
};

static KSTATE_DESCRIBE(bits40, "s", 1, KSTATE_BITMAP(v, struct bits40, 40));
static KSTATE_DESCRIBE(bits100, "s", 1, KSTATE_BITMAP(v, struct bits100, 100));

static void bitmap_lengths(void **state)
{
	fits(bits40, ((struct bits40){ { 0x8000000001 } }), bits100,
	     ((struct bits100){ { 0x8000000001, 0 } }), KSTATE_EXACT);
	fits(bits100, ((struct bits100){ { 0x8000000001, 0 } }), bits40,
	     ((struct bits40){ { 0x8000000001 } }), KSTATE_EXACT);
	refused(bits100, ((struct bits100){ { 1, 1 } }), bits40, struct bits40, KSTATE_VALUE, "v");
	refused(bits100, ((struct bits100){ { 1ULL << 40, 0 } }), bits40, struct bits40,
		KSTATE_VALUE, "v");
}

static void pointer_arrays(void **state)
{
	struct p2 { u8 *v[2]; } two = {}, two_to = {};
	struct p3 { u8 *v[3]; } three = {}, three_to = {};
	KSTATE_DESCRIBE_STATIC(d2, "s", 1, KSTATE_ARRAY_OF_POINTER(v, struct p2, KSTATE_ALLOC));
	KSTATE_DESCRIBE_STATIC(d3, "s", 1, KSTATE_ARRAY_OF_POINTER(v, struct p3, KSTATE_ALLOC));
	u8 x = 5;

	two.v[1] = &x;
	carry_ok(&d2, &two, &d3, &three_to, KSTATE_EXACT);
	assert_int_equal(*three_to.v[1], 5);
	assert_null(three_to.v[2]);
	kvfree(three_to.v[1]);
	carry_ok(&d3, &three, &d2, &two_to, KSTATE_EXACT);
	three.v[2] = &x;
	carry_refused(&d3, &three, &d2, &two_to, KSTATE_NO_ROOM, "s[1].v[2]");
}

/* Another kind */

struct inner_v {
	struct a v;
};

struct array_v {
	u32 v[2];
};

struct pointer_v {
	struct a *v;
};

struct text_v {
	char v[12];
};

struct int_v {
	u32 v;
};

static KSTATE_DESCRIBE(inner_v, "s", 1, KSTATE_STRUCT(v, struct inner_v, &just_a));
static KSTATE_DESCRIBE(array_v, "s", 1, KSTATE_BASE_TYPE(v, struct array_v, u32 [2]));
static KSTATE_DESCRIBE(pointer_v, "s", 1,
	KSTATE_STRUCT_POINTER(v, struct pointer_v, &just_a, KSTATE_ALLOC));
static KSTATE_DESCRIBE(text_v, "s", 1, KSTATE_STRING(v, struct text_v));
static KSTATE_DESCRIBE(int_v, "s", 1, KSTATE_BASE_TYPE(v, struct int_v, u32));

static int from_text(void *member, const struct kstate_value *from,
		     const struct kstate_field *field)
{
	u32 len, val = 0;
	const char *text = kstate_value_text(from, &len);

	if (!text)
		return -EINVAL;
	for (u32 i = 0; i < len && text[i]; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EDOM;
		val = 10 * val + text[i] - '0';
	}
	*(u32 *)member = val;
	return 0;
}

static int sum(void *member, const struct kstate_value *from, const struct kstate_field *field)
{
	u64 val;

	*(u32 *)member = 0;
	if (kstate_value_type(from) != KS_U32)
		return -EINVAL;
	for (u32 i = 0; i < kstate_value_count(from); i++) {
		if (kstate_value_u64(from, i, &val))
			return -EINVAL;
		*(u32 *)member += val;
	}
	return 0;
}

static int sign(void *member, const struct kstate_value *from, const struct kstate_field *field)
{
	s64 val;
	int ret = kstate_value_s64(from, 0, &val);

	if (ret || val < 0)
		return ret ?: -EDOM;
	*(u32 *)member = val;
	return 0;
}

static KSTATE_DESCRIBE(int_from_text, "s", 1,
	KSTATE_BASE_TYPE(v, struct int_v, u32, KSTATE_CONVERT(from_text)));
static KSTATE_DESCRIBE(int_from_sum, "s", 1,
	KSTATE_BASE_TYPE(v, struct int_v, u32, KSTATE_CONVERT(sum)));
static KSTATE_DESCRIBE(int_from_signed, "s", 1,
	KSTATE_BASE_TYPE(v, struct int_v, u32, KSTATE_CONVERT(sign)));
static KSTATE_DESCRIBE(signed_v, "s", 1,
	{ .name = "v", .kind = KS_BASE_TYPE, .type = KS_S32, .size = 4, .num = 1 });

static void other_kinds(void **state)
{
	struct a one = { 5 };

	refused(inner_v, ((struct inner_v){ { 1 } }), pointer_v, struct pointer_v, KSTATE_BLOCKED,
		"v");
	refused(pointer_v, ((struct pointer_v){ &one }), inner_v, struct inner_v, KSTATE_BLOCKED,
		"v");
	refused(int_v, ((struct int_v){ 1 }), inner_v, struct inner_v, KSTATE_BLOCKED, "v");
	refused(inner_v, ((struct inner_v){ { 1 } }), int_v, struct int_v, KSTATE_BLOCKED, "v");
	refused(int_v, ((struct int_v){ 1 }), array_v, struct array_v, KSTATE_BLOCKED, "v");
	refused(array_v, ((struct array_v){ { 1, 2 } }), int_v, struct int_v, KSTATE_BLOCKED, "v");
	refused(text_v, ((struct text_v){ "12" }), int_v, struct int_v, KSTATE_BLOCKED, "v");
	refused(int_v, ((struct int_v){ 1 }), text_v, struct text_v, KSTATE_BLOCKED, "v");
}

static void converted(void **state)
{
	fits(text_v, ((struct text_v){ "1234" }), int_from_text, ((struct int_v){ 1234 }),
	     KSTATE_CONVERTED);
	refused(text_v, ((struct text_v){ "12x4" }), int_from_text, struct int_v, KSTATE_CALLBACK,
		"v");
	assert_int_equal(err.code, -EDOM);
	fits(array_v, ((struct array_v){ { 40, 2 } }), int_from_sum, ((struct int_v){ 42 }),
	     KSTATE_CONVERTED);
	fits(signed_v, ((struct int_v){ 7 }), int_from_signed, ((struct int_v){ 7 }),
	     KSTATE_CONVERTED);
	refused(signed_v, ((struct int_v){ -7 }), int_from_signed, struct int_v, KSTATE_CALLBACK,
		"v");
	/* Where types fit, the function is not asked */
	fits(int_v, ((struct int_v){ 7 }), int_from_text, ((struct int_v){ 7 }), KSTATE_EXACT);
}

/* Text is a sequence of chars, and an array of integers can be one, too */

struct codes {
	u8 nr;
	u16 v[8];
};

static KSTATE_DESCRIBE(codes, "s", 1, KSTATE_VARRAY(v, struct codes, nr));

static void text_from_integers(void **state)
{
	fits(codes, ((struct codes){ 4, { 'a', 'b', 'c', 0 } }), text_v,
	     ((struct text_v){ "abc" }), KSTATE_CONVERTED);
	fits(codes, ((struct codes){ 0 }), text_v, ((struct text_v){ "" }), KSTATE_CONVERTED);
	refused(codes, ((struct codes){ 3, { 'a', 'b', 'c' } }), text_v, struct text_v,
		KSTATE_VALUE, "v");
	refused(codes, ((struct codes){ 3, { 'a', 0, 0 } }), text_v, struct text_v,
		KSTATE_VALUE, "v");
	refused(codes, ((struct codes){ 2, { 256, 0 } }), text_v, struct text_v, KSTATE_VALUE,
		"v[0]");
}

/* Lists and arrays of variable length are both sequences */
static void list_or_varray(void **state)
{
	struct l { struct list_head v; } list, list_to;
	struct v { u32 nr; struct a *v; } varray = {}, varray_to = {};
	KSTATE_DESCRIBE_STATIC(list_desc, "s", 1,
		KSTATE_LIST(v, struct l, struct element, link, &just_a));
	KSTATE_DESCRIBE_STATIC(varray_desc, "s", 1,
		KSTATE_STRUCT_VARRAY(v, struct v, nr, &just_a, KSTATE_ALLOC));
	struct element elements[2] = {}, *e, *next;
	u32 expected = 10;

	INIT_LIST_HEAD(&list.v);
	INIT_LIST_HEAD(&list_to.v);
	for (int i = 0; i < 2; i++) {
		*(u32 *)elements[i].bytes = 10 + i;
		list_add_tail(&elements[i].link, &list.v);
	}
	carry_ok(&list_desc, &list, &varray_desc, &varray_to, KSTATE_EXACT);
	assert_int_equal(varray_to.nr, 2);
	assert_int_equal(varray_to.v[0].a, 10);
	assert_int_equal(varray_to.v[1].a, 11);

	varray = varray_to;
	carry_ok(&varray_desc, &varray, &list_desc, &list_to, KSTATE_EXACT);
	list_for_each_entry_safe(e, next, &list_to.v, link) {
		assert_int_equal(*(u32 *)e->bytes, expected++);
		kvfree(e);
	}
	assert_int_equal(expected, 12);
	kvfree(varray.v);
}

/* Versions, at every depth */

static KSTATE_DESCRIBE_OPTS(version_1, "s", (.version_id = 1, .min_version_id = 1),
	KSTATE_BASE_TYPE(a, struct a, u32));
static KSTATE_DESCRIBE_OPTS(version_2, "s", (.version_id = 2, .min_version_id = 2),
	KSTATE_BASE_TYPE(a, struct a, u32));
static KSTATE_DESCRIBE_OPTS(version_2_from_1, "s", (.version_id = 2, .min_version_id = 1),
	KSTATE_BASE_TYPE(a, struct a, u32));
static KSTATE_DESCRIBE_OPTS(version_3_from_2, "s", (.version_id = 3, .min_version_id = 2),
	KSTATE_BASE_TYPE(a, struct a, u32));

/* Without .min_version_id, no other version fits */
static KSTATE_DESCRIBE_OPTS(version_2_alone, "s", (.version_id = 2), KSTATE_BASE_TYPE(a, struct a, u32));

static void versions(void **state)
{
	struct a a = { 4 };

	fits(version_1, a, version_1, a, KSTATE_EXACT);
	fits(version_1, a, version_2_from_1, a, KSTATE_EXACT);
	fits(version_2_from_1, a, version_1, a, KSTATE_EXACT);
	fits(version_2_from_1, a, version_3_from_2, a, KSTATE_EXACT);
	refused(version_1, a, version_2, struct a, KSTATE_VERSION, "");
	refused(version_2, a, version_1, struct a, KSTATE_VERSION, "");
	refused(version_1, a, version_2_alone, struct a, KSTATE_VERSION, "");
	refused(version_2_alone, a, version_1, struct a, KSTATE_VERSION, "");
	fits(version_2, a, version_2_alone, a, KSTATE_EXACT);
	refused(version_1, a, version_3_from_2, struct a, KSTATE_VERSION, "");
	refused(version_3_from_2, a, version_1, struct a, KSTATE_VERSION, "");
}

/* Arms of a union: known by name */

struct tagged {
	u32 tag;
	union any u;
};

static KSTATE_DESCRIBE(arm_x, "x", 1, KSTATE_BASE_TYPE(x, union any, u32));
static KSTATE_DESCRIBE(arm_y, "y", 1, KSTATE_BASE_TYPE(y, union any, u64));
static KSTATE_DESCRIBE(arm_x_as_y, "x", 1,
	{ .name = "x", .kind = KS_BASE_TYPE, .type = KS_U64, .size = 8, .num = 1 });

static const struct kstate_arm arms_xy[] = { { "x", 1, &arm_x }, { "y", 2, &arm_y }, {} };
static const struct kstate_arm arms_yx[] = { { "y", 7, &arm_y }, { "x", 8, &arm_x }, {} };
static const struct kstate_arm arms_x[] = { { "x", 1, &arm_x }, {} };
static const struct kstate_arm arms_none[] = { { "y", 0, NULL }, { "x", 8, &arm_x }, {} };
static const struct kstate_arm arms_wide[] = { { "x", 3, &arm_x_as_y }, { "y", 4, &arm_y }, {} };

static KSTATE_DESCRIBE(union_xy, "s", 1, KSTATE_UNION(u, struct tagged, tag, arms_xy));
static KSTATE_DESCRIBE(union_yx, "s", 1, KSTATE_UNION(u, struct tagged, tag, arms_yx));
static KSTATE_DESCRIBE(union_x, "s", 1, KSTATE_UNION(u, struct tagged, tag, arms_x));
static KSTATE_DESCRIBE(union_none, "s", 1, KSTATE_UNION(u, struct tagged, tag, arms_none));
static KSTATE_DESCRIBE(union_wide, "s", 1, KSTATE_UNION(u, struct tagged, tag, arms_wide));

static void check_x(void *obj)
{
	struct tagged *t = obj;

	assert_int_equal(t->tag, 8);
	assert_int_equal(t->u.x, 50);
}

static void check_wide(void *obj)
{
	struct tagged *t = obj;

	assert_int_equal(t->tag, 3);
	assert_int_equal(t->u.y, 50);
}

static void check_none(void *obj)
{
	struct tagged *t = obj;

	assert_int_equal(t->tag, 0);
	assert_int_equal(t->u.y, 0);
}

static void check_x1(void *obj)
{
	struct tagged *t = obj;

	assert_int_equal(t->tag, 1);
	assert_int_equal(t->u.x, 50);
}

static void arms(void **state)
{
	struct tagged x = { .tag = 1, .u.x = 50 }, y = { .tag = 2, .u.y = 60 }, to = {};

	fits(union_xy, x, union_yx, to, KSTATE_EXACT, .verify = check_x);
	fits(union_xy, x, union_wide, to, KSTATE_CONVERTED, .verify = check_wide);
	fits(union_xy, x, union_x, to, KSTATE_CONVERTED, .verify = check_x1);
	refused(union_xy, y, union_x, struct tagged, KSTATE_VALUE, "u");
	fits(union_x, x, union_xy, to, KSTATE_EXACT, .verify = check_x1);

	/* Arms without data */
	fits(union_none, ((struct tagged){}), union_none, to, KSTATE_EXACT, .verify = check_none);
	fits(union_x, x, union_none, to, KSTATE_EXACT, .verify = check_x);
	refused(union_xy, y, union_none, struct tagged, KSTATE_BLOCKED, "u.y");
	refused(union_none, ((struct tagged){}), union_xy, struct tagged, KSTATE_BLOCKED, "u.y");
}

struct maybe_tagged {
	u32 a;
	u32 tag;
	union any u;
};

static KSTATE_DESCRIBE(before_union, "s", 1, KSTATE_BASE_TYPE(a, struct maybe_tagged, u32));
static KSTATE_DESCRIBE(with_union, "s", 1, KSTATE_BASE_TYPE(a, struct maybe_tagged, u32),
	KSTATE_UNION(u, struct maybe_tagged, tag, arms_yx, KSTATE_DEFAULT(0)));

static void check_first_arm(void *obj)
{
	struct maybe_tagged *t = obj;

	assert_int_equal(t->tag, 7);
	assert_int_equal(t->u.y, 0);
}

static void check_just_a(void *obj)
{
	assert_int_equal(((struct maybe_tagged *)obj)->a, 1);
}

/* By default a union is its first arm, so that it can be saved again */
static void default_arm(void **state)
{
	struct maybe_tagged from = { .a = 1 }, to = {};

	fits(before_union, from, with_union, to, KSTATE_DEFAULTED, .verify = check_first_arm);
	/* And an older kernel may drop it while it is that, and no longer */
	from.tag = 7;
	fits(with_union, from, before_union, to, KSTATE_DEFAULTED, .verify = check_just_a);
	from.u.y = 1;
	refused(with_union, from, before_union, struct maybe_tagged, KSTATE_VALUE, "u");
	from.tag = 8;
	refused(with_union, from, before_union, struct maybe_tagged, KSTATE_VALUE, "u");
}

/* Groups: a reader without one takes what does not use it */

struct grouped {
	u32 a;
	u32 b;
	u32 c;
	u32 on;
};

static bool group_on(const void *obj)
{
	return ((const struct grouped *)obj)->on;
}

static KSTATE_DESCRIBE(bc, "bc", 1,
	KSTATE_BASE_TYPE(b, struct grouped, u32, KSTATE_DEFAULT(5)),
	KSTATE_BASE_TYPE(c, struct grouped, u32, KSTATE_DEFAULT(6)));
static KSTATE_DESCRIBE(only_b, "bc", 1,
	KSTATE_BASE_TYPE(b, struct grouped, u32, KSTATE_DEFAULT(5)));
static KSTATE_DESCRIBE(with_group, "s", 1,
	KSTATE_BASE_TYPE(a, struct grouped, u32),
	KSTATE_GROUP(bc, &bc, group_on));
static KSTATE_DESCRIBE(with_less, "s", 1,
	KSTATE_BASE_TYPE(a, struct grouped, u32),
	KSTATE_GROUP(bc, &only_b, group_on));
static KSTATE_DESCRIBE(without_group, "s", 1, KSTATE_BASE_TYPE(a, struct grouped, u32));

static void groups(void **state)
{
	struct grouped on = { 1, 2, 3, 1 }, off = { 1, 5, 6, 0 }, to = { 9, 9, 9, 9 };
	struct grouped lost = { 1, 5, 3, 0 };

	carry_ok(&with_group, &on, &with_group, &to, KSTATE_EXACT);
	assert_int_equal(to.b, 2);
	assert_int_equal(to.c, 3);
	to = (struct grouped){ 9, 9, 9, 9 };
	carry_ok(&with_group, &off, &with_group, &to, KSTATE_EXACT);
	assert_int_equal(to.b, 5);
	assert_int_equal(to.c, 6);

	to = (struct grouped){ 9, 9, 9, 9 };
	carry_ok(&with_group, &off, &without_group, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.b, 9);
	/* Not needed, and yet not what would come back without it: it goes */
	carry_ok(&with_group, &lost, &with_group, &to, KSTATE_EXACT);
	assert_int_equal(to.b, 5);
	assert_int_equal(to.c, 3);
	to = (struct grouped){ 9, 9, 9, 9 };
	carry_refused(&with_group, &on, &without_group, &to, KSTATE_VALUE, "s[1].bc");
	carry_ok(&without_group, &on, &with_group, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.b, 5);

	carry_refused(&with_group, &on, &with_less, &to, KSTATE_VALUE, "s[1].bc.c");
	on.c = 6;
	carry_ok(&with_group, &on, &with_less, &to, KSTATE_DEFAULTED);
	to = (struct grouped){ 9, 9, 9, 9 };
	carry_ok(&with_less, &on, &with_group, &to, KSTATE_DEFAULTED);
	assert_int_equal(to.b, 2);
	assert_int_equal(to.c, 6);
}

/* Edits together: moved, renamed, widened, added, removed, and back again */

struct gen1 {
	u32 a;
	u16 b;
	u16 gone;
	char name[8];
	u16 v[3];
	u16 pad;
};

struct gen2 {
	s64 added;
	u64 a;
	char name[20];
	u32 c;
	u16 v[3];
	u16 pad;
};

static KSTATE_DESCRIBE(gen1, "s", 1,
	KSTATE_BASE_TYPE(a, struct gen1, u32),
	KSTATE_BASE_TYPE(b, struct gen1, u16),
	KSTATE_BASE_TYPE(gone, struct gen1, u16, KSTATE_DEFAULT(1)),
	KSTATE_STRING(name, struct gen1),
	KSTATE_BASE_TYPE(v, struct gen1, u16 [3]),
	KSTATE_BASE_TYPE(pad, struct gen1, u16));
static KSTATE_DESCRIBE(gen2, "s", 1,
	KSTATE_STRING(name, struct gen2),
	KSTATE_BASE_TYPE(added, struct gen2, s64, KSTATE_DEFAULT(-1)),
	KSTATE_BASE_TYPE(c, struct gen2, u32, KSTATE_ALIAS("b")),
	KSTATE_REMOVED("gone"),
	KSTATE_BASE_TYPE(a, struct gen2, u64),
	KSTATE_BASE_TYPE(pad, struct gen2, u16),
	KSTATE_BASE_TYPE(v, struct gen2, u16 [3]));
static KSTATE_DESCRIBE(gen1_aware, "s", 1,
	KSTATE_BASE_TYPE(a, struct gen1, u32),
	KSTATE_BASE_TYPE(b, struct gen1, u16, KSTATE_ALIAS("c")),
	KSTATE_BASE_TYPE(gone, struct gen1, u16, KSTATE_DEFAULT(1)),
	KSTATE_STRING(name, struct gen1),
	KSTATE_BASE_TYPE(v, struct gen1, u16 [3]),
	KSTATE_BASE_TYPE(pad, struct gen1, u16));

static void generations(void **state)
{
	struct gen1 one = { 1, 2, 3, "name", { 4, 5, 6 }, 7 };
	struct gen2 two = { -1, 1, "name", 2, { 4, 5, 6 }, 7 };
	struct gen1 back = { 1, 2, 1, "name", { 4, 5, 6 }, 7 };

	fits(gen1, one, gen2, two, KSTATE_LOSSY);
	fits(gen2, two, gen1_aware, back, KSTATE_DEFAULTED);
	two.added = 0;
	refused(gen2, two, gen1_aware, struct gen1, KSTATE_VALUE, "added");
	two.added = -1;
	two.a = 1ULL << 32;
	refused(gen2, two, gen1_aware, struct gen1, KSTATE_VALUE, "a");
	two.a = 1;
	strscpy(two.name, "longer than 8");
	refused(gen2, two, gen1_aware, struct gen1, KSTATE_NO_ROOM, "name");
}

/* Fields that share the member with their length must agree on it */

struct two {
	u32 n;
	u32 *a;
	u32 *b;
	u32 na;
	u32 nb;
};

static KSTATE_DESCRIBE(two_a, "two", 1, KSTATE_VARRAY(a, struct two, n, KSTATE_ALLOC));
static KSTATE_DESCRIBE(two_shared, "two", 1, KSTATE_VARRAY(a, struct two, n, KSTATE_ALLOC),
	KSTATE_VARRAY(b, struct two, n, KSTATE_ALLOC, KSTATE_DEFAULT(0)));
static KSTATE_DESCRIBE(two_apart, "two", 1, KSTATE_VARRAY(a, struct two, na, KSTATE_ALLOC),
	KSTATE_VARRAY(b, struct two, nb, KSTATE_ALLOC));

static void shared_length(void **state)
{
	u32 v[50] = { 1, 2, 3, 4, 5 };
	struct two from = { .n = 5, .na = 1, .nb = 50, .a = v, .b = v }, to = {};

	carry_refused(&two_a, &from, &two_shared, &to, KSTATE_VALUE, "two[1].b");
	carry_refused(&two_apart, &from, &two_shared, &to, KSTATE_VALUE, "two[1].b");
	from.n = 0;
	carry_ok(&two_a, &from, &two_shared, &to, KSTATE_DEFAULTED);
	from.na = 2;
	from.nb = 2;
	carry_ok(&two_apart, &from, &two_shared, &to, KSTATE_EXACT);
	assert_int_equal(to.n, 2);
	kvfree(to.a);
	kvfree(to.b);
}

/* A length must not count more pointers than there is room for, NULL or not */

struct pointers {
	u32 n;
	u8 *few[4];
	u8 *many[1000];
};

static KSTATE_DESCRIBE(many_pointers, "p", 1,
	KSTATE_ARRAY_OF_POINTER(many, struct pointers, KSTATE_ALIAS("few"),
						 .length = { offsetof(struct pointers, n), KS_U32 }));
static KSTATE_DESCRIBE(few_pointers, "p", 1,
	KSTATE_ARRAY_OF_POINTER(few, struct pointers, KSTATE_ALLOC,
						.length = { offsetof(struct pointers, n), KS_U32 }));

static void length_of_pointers(void **state)
{
	struct pointers from = { .n = 1000 }, to = {};

	carry_refused(&many_pointers, &from, &few_pointers, &to, KSTATE_NO_ROOM, "p[1].few[4]");
	from.n = 4;
	carry_ok(&many_pointers, &from, &few_pointers, &to, KSTATE_EXACT);
	assert_int_equal(to.n, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(moved),
		TEST(nested_names),
		TEST(integers),
		TEST(integers_elsewhere),
		TEST(integers_elsewhere_narrowed),
		TEST(length_that_does_not_fit),
		TEST(absent),
		TEST(defaults_of_every_kind),
		TEST(defaults_over_something),
		TEST(unknown),
		TEST(unknown_of_every_kind),
		TEST(renamed),
		TEST(array_lengths),
		TEST(arrays_of_structs),
		TEST(bitmap_lengths),
		TEST(pointer_arrays),
		TEST(other_kinds),
		TEST(converted),
		TEST(text_from_integers),
		TEST(list_or_varray),
		TEST(versions),
		TEST(arms),
		TEST(default_arm),
		TEST(shared_length),
		TEST(length_of_pointers),
		TEST(groups),
		TEST(generations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
