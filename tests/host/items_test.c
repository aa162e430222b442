// SPDX-License-Identifier: GPL-2.0-only
/* The low-level API: values put one by one, groups, and what callers do wrong. */
#include "host.h"

/* What the two functions of the one field do is up to each test */
struct object {
	u64 member[8];
};

static int (*saving)(struct kstate_stream *stream);
static int (*restoring)(struct kstate_stream *stream, struct object *object);
static int discarded;

static int save(struct kstate_stream *stream, void *obj, const struct kstate_field *field)
{
	return saving(stream);
}

static int restore(struct kstate_stream *stream, void *member, const struct kstate_field *field)
{
	return restoring(stream, member);
}

static void discard(void *member, const struct kstate_field *field)
{
	discarded++;
}

struct holder {
	u32 before;
	struct object object;
	char after[8];
};

static KSTATE_DESCRIBE(holder, "holder", 1,
	KSTATE_BASE_TYPE(before, struct holder, u32),
	KSTATE_CUSTOM(object, struct holder, save, restore, KSTATE_DISCARD(discard)),
	KSTATE_STRING(after, struct holder));

#define try(_saving, _restoring, _to) ({				\
	struct holder __from = { .before = 1, .after = "after" };	\
	saving = _saving;						\
	restoring = _restoring;						\
	discarded = 0;							\
	carry(&holder, &__from, &holder, _to); })

static int put_all(struct kstate_stream *s)
{
	int ret = kstate_put_u64(s, "u64", U64_MAX);

	ret = ret ?: kstate_put_s64(s, "s64", S64_MIN);
	ret = ret ?: kstate_put_u64(s, "small", 5);
	ret = ret ?: kstate_put_s64(s, "small", 6);
	ret = ret ?: kstate_put_data(s, "data", "12345", 5);
	ret = ret ?: kstate_put_data(s, "empty", "", 0);
	ret = ret ?: kstate_put_string(s, "text", "hello");
	ret = ret ?: kstate_put_string(s, "none", "");
	ret = ret ?: kstate_put_folio(s, "folio", NULL);
	ret = ret ?: kstate_put_pages(s, "pages", NULL, 0);
	return ret ?: kstate_put_vmalloc(s, "area", NULL);
}

static int get_all(struct kstate_stream *s, struct object *o)
{
	struct folio *folio = (void *)1;
	struct page *page = (void *)1;
	void *area = (void *)1;
	const char *text;
	char data[5];
	size_t nr = 5;
	s64 val;

	assert_int_equal(kstate_get_u64(s, "u64", &o->member[0]), 0);
	assert_int_equal(kstate_get_s64(s, "s64", &val), 0);
	assert_int_equal(val, S64_MIN);
	/* Signs do not matter where the value fits */
	assert_int_equal(kstate_get_s64(s, "small", &val), 0);
	assert_int_equal(val, 5);
	assert_int_equal(kstate_get_u64(s, "small", &o->member[1]), 0);
	assert_int_equal(o->member[1], 6);
	assert_int_equal(kstate_get_data(s, "data", data, 5), 0);
	assert_memory_equal(data, "12345", 5);
	assert_int_equal(kstate_get_data(s, "empty", data, 0), 0);
	text = kstate_get_string(s, "text");
	assert_false(IS_ERR(text));
	assert_string_equal(text, "hello");
	assert_string_equal(kstate_get_string(s, "none"), "");
	assert_int_equal(kstate_get_folio(s, "folio", &folio), 0);
	assert_null(folio);
	assert_int_equal(kstate_get_pages(s, "pages", &page, &nr), 0);
	assert_null(page);
	assert_int_equal(kstate_get_vmalloc(s, "area", &area), 0);
	assert_null(area);
	assert_int_equal(kstate_get_u64(s, "more", &o->member[2]), -ENOENT);
	return 0;
}

static void values(void **state)
{
	struct holder to = {};

	assert_int_equal(try(put_all, get_all, &to), 0);
	assert_int_equal(to.before, 1);
	assert_int_equal(to.object.member[0], U64_MAX);
	assert_string_equal(to.after, "after");
}

static int put_nothing(struct kstate_stream *s)
{
	return 0;
}

static int get_nothing(struct kstate_stream *s, struct object *o)
{
	assert_int_equal(kstate_get_skip(s), -ENOENT);
	return 0;
}

static void none(void **state)
{
	struct holder to = { .object.member = { 1 } };

	assert_int_equal(try(put_nothing, get_nothing, &to), 0);
	assert_int_equal(to.object.member[0], 0);
}

static int put_groups(struct kstate_stream *s)
{
	int ret = kstate_put_begin(s, "outer");

	for (u64 i = 0; i < 3; i++) {
		ret = ret ?: kstate_put_begin(s, "inner");
		ret = ret ?: kstate_put_u64(s, "i", i);
		ret = ret ?: kstate_put_end(s);
	}
	ret = ret ?: kstate_put_begin(s, "empty");
	ret = ret ?: kstate_put_end(s);
	ret = ret ?: kstate_put_end(s);
	return ret ?: kstate_put_u64(s, "after", 9);
}

static int get_groups(struct kstate_stream *s, struct object *o)
{
	u64 val;

	assert_int_equal(kstate_get_begin(s, "inner"), -ENOENT);
	assert_int_equal(kstate_get_begin(s, "outer"), 0);
	for (u64 i = 0; !kstate_get_begin(s, "inner"); i++) {
		assert_int_equal(kstate_get_u64(s, "i", &val), 0);
		assert_int_equal(val, i);
		/* The end of a group is an end: what comes after it is not seen */
		assert_int_equal(kstate_get_u64(s, "i", &val), -ENOENT);
		assert_int_equal(kstate_get_skip(s), -ENOENT);
		assert_int_equal(kstate_get_end(s), 0);
		o->member[0]++;
	}
	assert_int_equal(kstate_get_begin(s, "empty"), 0);
	assert_int_equal(kstate_get_end(s), 0);
	assert_int_equal(kstate_get_end(s), 0);
	return kstate_get_u64(s, "after", &o->member[1]);
}

static void groups(void **state)
{
	struct holder to = {};

	assert_int_equal(try(put_groups, get_groups, &to), 0);
	assert_int_equal(to.object.member[0], 3);
	assert_int_equal(to.object.member[1], 9);
}

static int put_two(struct kstate_stream *s)
{
	return kstate_put_u64(s, "new", 1) ?: kstate_put_u64(s, "old", 2);
}

/* What has another name can be skipped, or asked for differently */
static int get_old(struct kstate_stream *s, struct object *o)
{
	assert_int_equal(kstate_get_u64(s, "old", &o->member[0]), -ENOENT);
	assert_int_equal(kstate_get_skip(s), 0);
	return kstate_get_u64(s, "old", &o->member[0]);
}

static int get_one(struct kstate_stream *s, struct object *o)
{
	return kstate_get_u64(s, "new", &o->member[0]);
}

static void skipped(void **state)
{
	struct holder to = {}, before = to;

	assert_int_equal(try(put_two, get_old, &to), 0);
	assert_int_equal(to.object.member[0], 2);
	to = before;
	assert_true(try(put_two, get_one, &to) < 0);
	assert_string_equal(err.path, "holder[1].object");
	assert_memory_equal(&to, &before, sizeof(to));
	/* Once for the check, once for the restore: the function itself succeeded */
	assert_int_equal(discarded, 2);
}

static int get_wrong_type(struct kstate_stream *s, struct object *o)
{
	int ret = PTR_ERR_OR_ZERO(kstate_get_string(s, "new"));

	return ret;
}

static int get_wrong_size(struct kstate_stream *s, struct object *o)
{
	assert_int_equal(kstate_get_skip(s), 0);
	return kstate_get_data(s, "data", o, 4);
}

static int put_one_and_data(struct kstate_stream *s)
{
	return kstate_put_u64(s, "new", 1) ?: kstate_put_data(s, "data", "12345", 5);
}

static int put_negative(struct kstate_stream *s)
{
	return kstate_put_s64(s, "new", -1);
}

static int put_large(struct kstate_stream *s)
{
	return kstate_put_u64(s, "new", 1ULL << 63);
}

static int get_signed(struct kstate_stream *s, struct object *o)
{
	return kstate_get_s64(s, "new", (s64 *)&o->member[0]);
}

static int get_fails(struct kstate_stream *s, struct object *o)
{
	kstate_get_skip(s);
	return -ENXIO;
}

static int get_open_group(struct kstate_stream *s, struct object *o)
{
	return kstate_get_begin(s, "outer");
}

static int get_group_early(struct kstate_stream *s, struct object *o)
{
	return kstate_get_begin(s, "outer") ?: kstate_get_end(s);
}

static int get_end_only(struct kstate_stream *s, struct object *o)
{
	return kstate_get_end(s);
}

static int get_skip_group(struct kstate_stream *s, struct object *o)
{
	return kstate_get_skip(s);
}

static void refused(void **state)
{
	static const struct {
		int (*saving)(struct kstate_stream *stream);
		int (*restoring)(struct kstate_stream *stream, struct object *object);
		int code;
		enum kstate_reason reason;
	} cases[] = {
		{ put_two, get_wrong_type, -ERANGE, KSTATE_VALUE },
		{ put_one_and_data, get_wrong_size, -ERANGE, KSTATE_VALUE },
		{ put_negative, get_one, -ERANGE, KSTATE_VALUE },
		{ put_large, get_signed, -ERANGE, KSTATE_VALUE },
		{ put_two, get_fails, -ENXIO, KSTATE_CALLBACK },
		{ put_groups, get_open_group, -ERANGE, KSTATE_VALUE },
		{ put_groups, get_group_early, -ERANGE, KSTATE_VALUE },
		{ put_two, get_end_only, -EINVAL, KSTATE_BAD_CALL },
		{ put_groups, get_skip_group, -EINVAL, KSTATE_BAD_CALL },
	};
	struct holder to = {}, before = to;

	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret = try(cases[i].saving, cases[i].restoring, &to);

		if (ret != cases[i].code || err.reason != cases[i].reason ||
		    strcmp(err.path, "holder[1].object"))
			fail_msg("case %d: %d, %s", i, ret, text_of(&err));
		assert_memory_equal(&to, &before, sizeof(to));
	}
}

/* What functions that save do wrong */

static int put_long_name(struct kstate_stream *s)
{
	char name[KSTATE_MAX_NAME + 2] = {};

	memset(name, 'x', sizeof(name) - 1);
	return kstate_put_u64(s, name, 1);
}

static int put_open_group(struct kstate_stream *s)
{
	return kstate_put_begin(s, "open");
}

static int put_end_only(struct kstate_stream *s)
{
	return kstate_put_end(s);
}

static int put_deep(struct kstate_stream *s)
{
	int ret = 0;

	for (int i = 0; i < 100 && !ret; i++)
		ret = kstate_put_begin(s, "deeper");
	for (int i = 0; i < 100 && !ret; i++)
		ret = kstate_put_end(s);
	return ret;
}

static int put_fails(struct kstate_stream *s)
{
	return kstate_put_u64(s, "x", 1) ?: -EIO;
}


static void bad_savers(void **state)
{
	static const struct {
		int (*saving)(struct kstate_stream *stream);
		int code;
		enum kstate_reason reason;
	} cases[] = {
		{ put_long_name, -EINVAL, KSTATE_BAD_CALL },
		{ put_open_group, -EINVAL, KSTATE_CALLBACK },
		{ put_end_only, -EINVAL, KSTATE_BAD_CALL },
		{ put_deep, -EINVAL, KSTATE_BAD_CALL },
		{ put_fails, -EIO, KSTATE_CALLBACK },
	};
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "s", &err);
	struct holder from = { .after = "x" };

	use(&holder);
	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret;

		saving = cases[i].saving;
		memset(&err, 0, sizeof(err));
		ret = kstate_stream_save(stream, &holder, &from, KSTATE_ID(1), &err);
		if (ret != cases[i].code || err.reason != cases[i].reason)
			fail_msg("case %d: %d, %s", i, ret, text_of(&err));
	}
	/* After all that, the stream is still good, and the key still free */
	saving = put_two;
	restoring = get_old;
	stream_save(stream, &holder, &from, KSTATE_ID(1));
	set = set_jump(set);
	assert_fits(stream_restore(kstate_stream_find(set, "s"), &holder, &from, KSTATE_ID(1)));
	kstate_set_destroy(set);
}

/* Functions are given the member, wherever it is */
struct outer {
	struct holder holders[3];
};

static KSTATE_DESCRIBE(outer, "outer", 1, KSTATE_STRUCT_ARRAY(holders, struct outer, &holder));

static void nested(void **state)
{
	struct outer from = {}, to = {};

	saving = put_two;
	restoring = get_old;
	carry_ok(&outer, &from, &outer, &to, KSTATE_EXACT);
	for (int i = 0; i < 3; i++)
		assert_int_equal(to.holders[i].object.member[0], 2);
	restoring = get_fails;
	carry_refused(&outer, &from, &outer, &to, KSTATE_CALLBACK, "outer[1].holders[0].object");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values),
		TEST(none),
		TEST(groups),
		TEST(skipped),
		TEST(refused),
		TEST(bad_savers),
		TEST(nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
