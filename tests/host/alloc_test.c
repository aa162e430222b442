// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation fails once, in every step: nothing is lost or left behind,
 * nothing half done is to be seen, and the next attempt succeeds.
 */
#include "all.h"

static void assert_no_memory(long n, int ret)
{
	if (ret != (failed ? -ENOMEM : 0) || (ret && err.reason != KSTATE_NO_MEMORY))
		fail_msg("step %ld %s: %d, %s", n, failed ? "failed" : "was not reached", ret,
			 text_of(&err));
}

static struct kstate_stream *stream_create(struct kstate_set *set)
{
	struct kstate_stream *stream = kstate_stream_create(set, "s", &err);

	assert_false(IS_ERR_OR_NULL(stream));
	return stream;
}

static void describing(void **state)
{
	long before = shim_live();

	for_each_step(n) {
		memset(&err, 0, sizeof(err));
		assert_no_memory(n, failing(n, kstate_check_description(&all_desc, &err)));
		if (failed)
			assert_int_equal(shim_live(), before);
	}
	kstate_forget(&all_desc);
	assert_int_equal(shim_live(), before);
}

static void creating(void **state)
{
	for_each_step(n) {
		struct kstate_set *set = failing(n, kstate_memory_create());

		assert_true(!set == failed);
		kstate_set_destroy(set);
	}
	for_each_step(n) {
		struct kstate_set *set = set_create();
		struct kstate_stream *stream = failing(n, kstate_stream_create(set, "s", NULL));

		assert_int_equal(PTR_ERR_OR_ZERO(stream), failed ? -ENOMEM : 0);
		if (failed)
			stream_create(set);
		kstate_set_destroy(set);
	}
}

/* Everything that was saved is in the next kernel */
static void assert_saved(struct kstate_set *set, struct all *from, const u64 *ids, int nr)
{
	struct kstate_stream *stream;
	struct all to;

	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (int i = 0; i < nr; i++) {
		all_init(&to);
		assert_fits(stream_restore(stream, &all_desc, &to, KSTATE_ID(ids[i])));
		assert_true(all_equal(from, &to));
		all_free(&to);
	}
	kstate_set_destroy(set);
}

static void saving(void **state)
{
	const u64 ids[] = { 5, 3, 4 };
	struct all from;

	all_fill(&from, 7);
	for_each_step(n) {
		struct kstate_set *set = set_create();
		struct kstate_stream *stream = stream_create(set);
		bool was;

		stream_save(stream, &all_desc, &from, KSTATE_ID(5));
		memset(&err, 0, sizeof(err));
		/* Not in order, so that the index is needed, too */
		assert_no_memory(n, failing(n, kstate_stream_save(stream, &all_desc, &from,
								  KSTATE_ID(3), &err)));
		was = failed;
		if (was)
			stream_save(stream, &all_desc, &from, KSTATE_ID(3));
		stream_save(stream, &all_desc, &from, KSTATE_ID(4));
		assert_saved(set, &from, ids, 3);
		failed = was;
	}
	/* The first of a set, whose schemas it needs */
	for_each_step(n) {
		struct kstate_set *set = set_create();
		struct kstate_stream *stream = stream_create(set);
		bool was;

		memset(&err, 0, sizeof(err));
		assert_no_memory(n, failing(n, kstate_stream_save(stream, &all_desc, &from,
								  KSTATE_ID(3), &err)));
		was = failed;
		if (was)
			stream_save(stream, &all_desc, &from, KSTATE_ID(3));
		assert_saved(set, &from, ids + 1, 1);
		failed = was;
	}
	all_free(&from);
}

/* What undoes must not fail: a record is found without memory for the table, too */
static void dropping(void **state)
{
	struct all from;

	all_fill(&from, 7);
	for_each_step(n) {
		struct kstate_set *set = set_create();
		struct kstate_stream *stream = stream_create(set);

		for (int i = 0; i < 20; i++)
			stream_save(stream, &all_desc, &from, KSTATE_ID(i));
		assert_int_equal(failing(n, kstate_stream_drop(stream, &all_desc, KSTATE_ID(3))), 0);
		assert_int_equal(kstate_stream_drop(stream, &all_desc, KSTATE_ID(3)), -ENOENT);
		stream_save(stream, &all_desc, &from, KSTATE_ID(3));
		kstate_set_destroy(set);
	}
	all_free(&from);
}

static void exporting_and_opening(void **state)
{
	const u64 id = 1;
	struct kstate_stream *stream;
	struct kstate_set *set;
	struct all from, to;
	size_t size;
	void *blob;
	int ret;

	all_fill(&from, 8);
	set = set_create();
	stream_save(stream_create(set), &all_desc, &from, KSTATE_ID(id));
	for_each_step(n) {
		ret = failing(n, kstate_set_export(set, &blob, &size));
		assert_int_equal(ret, failed ? -ENOMEM : 0);
	}
	kstate_set_destroy(set);
	for_each_step(n) {
		memset(&err, 0, sizeof(err));
		set = failing(n, kstate_memory_open(blob, size, &err));
		assert_no_memory(n, PTR_ERR_OR_ZERO(set));
	}
	kvfree(blob);
	all_init(&to);
	stream = kstate_stream_find(set, "s");
	assert_fits(stream_restore(stream, &all_desc, &to, KSTATE_ID(id)));
	assert_true(all_equal(&from, &to));
	all_free(&from);
	all_free(&to);
	kstate_set_destroy(set);
}

static void restoring(void **state)
{
	struct all from, to, before;
	struct kstate_stream *stream;
	struct kstate_set *set;
	long live;

	all_fill(&from, 9);
	/* Once with an index and a plan to make, once with those there already */
	for (int again = 0; again < 2; again++) {
		set = saved(&all_desc, &from);
		stream = kstate_stream_find(set, "test");
		all_init(&to);
		/* The first is found without an index */
		for (int i = 0; again && i < 2; i++)
			assert_int_equal(kstate_stream_check(stream, &all_desc, &to, KSTATE_ID(1),
							     &err), 0);
		before = to;
		for_each_step(n) {
			live = shim_live();
			memset(&err, 0, sizeof(err));
			assert_no_memory(n, failing(n, kstate_stream_restore(stream, &all_desc, &to,
									     KSTATE_ID(1), &err)));
			if (failed) {
				assert_memory_equal(&to, &before, sizeof(to));
				if (again)
					assert_int_equal(shim_live(), live);
			}
		}
		assert_true(all_equal(&from, &to));
		all_free(&to);
		kstate_set_destroy(set);
	}
	all_free(&from);
}

/* Into another schema: the resolver allocates more */
struct older {
	u8 b8;
	u32 ints[3];
	char text[4];
};

struct newer {
	u64 b8;
	u64 ints[5];
	char text[12];
	u32 added;
};

static KSTATE_DESCRIBE(older, "evolved", 1,
	KSTATE_BASE_TYPE(b8, struct older, u8),
	KSTATE_BASE_TYPE(ints, struct older, u32 [3]),
	KSTATE_STRING(text, struct older));
static KSTATE_DESCRIBE(newer, "evolved", 1,
	KSTATE_BASE_TYPE(b8, struct newer, u64),
	KSTATE_BASE_TYPE(added, struct newer, u32, KSTATE_DEFAULT(5)),
	KSTATE_BASE_TYPE(ints, struct newer, u64 [5], KSTATE_DEFAULT(1)),
	KSTATE_STRING(text, struct newer));

static void resolving(void **state)
{
	struct older from = { 1, { 2, 3, 4 }, "abc" };
	struct newer to = {}, before = to;
	struct kstate_set *set = saved(&older, &from);
	struct kstate_stream *stream = kstate_stream_find(set, "test");

	use(&newer);
	for_each_step(n) {
		memset(&err, 0, sizeof(err));
		assert_no_memory(n, failing(n, kstate_stream_restore(stream, &newer, &to,
								     KSTATE_ID(1), &err)));
		if (failed)
			assert_memory_equal(&to, &before, sizeof(to));
	}
	assert_int_equal(to.ints[2], 4);
	assert_int_equal(to.ints[4], 1);
	kstate_set_destroy(set);
}

/* A record must not get lost on its way through a kernel that is short of memory */
static void handing_on(void **state)
{
	const u64 ids[] = { 1, 2, 3 };
	struct kstate_set *set;
	struct all from;
	bool was;

	all_fill(&from, 10);
	for_each_step(n) {
		struct kstate_set *out = set_create();
		struct kstate_stream *stream = stream_create(out);
		int ret;

		for (int i = 0; i < 3; i++)
			stream_save(stream, &all_desc, &from, KSTATE_ID(ids[i]));
		set = set_jump(out);
		out = set_create();
		memset(&err, 0, sizeof(err));
		ret = failing(n, kstate_set_hand_on(set, out, &err));
		was = failed;
		if (!!ret != was)
			fail_msg("step %ld: %d, %s", n, ret, text_of(&err));
		if (ret) {
			/* As kstate_abort() would */
			kstate_set_destroy(out);
			out = set_create();
			assert_fits(kstate_set_hand_on(set, out, &err));
		}
		assert_saved(out, &from, ids, 3);
		kstate_set_destroy(set);
		failed = was;
	}
	all_free(&from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(describing),
		TEST(creating),
		TEST(saving),
		TEST(dropping),
		TEST(exporting_and_opening),
		TEST(restoring),
		TEST(resolving),
		TEST(handing_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
