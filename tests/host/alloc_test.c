// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation fails once, in every step: nothing is lost or left behind,
 * nothing half done is to be seen, and the next attempt succeeds.
 */
#include "all.h"

/* Run @_what for @_n = 1, 2, ... with the n-th step failing, until none is reached */
#define for_each_failure(_n)	for (long _n = 1; _n; _n = shim_failed() ? _n + 1 : 0)

static struct kstate_stream *stream_create(struct kstate_set *set)
{
	struct kstate_stream *stream = kstate_stream_create(set, "s", &err);

	assert_false(IS_ERR_OR_NULL(stream));
	return stream;
}

static void describing(void **state)
{
	long before = shim_live();

	for_each_failure(n) {
		int ret;

		memset(&err, 0, sizeof(err));
		shim_fail_at(n);
		ret = kstate_check_description(&all_desc, &err);
		assert_int_equal(ret, shim_failed() ? -ENOMEM : 0);
		if (ret) {
			assert_int_equal(err.reason, KSTATE_NO_MEMORY);
			assert_int_equal(shim_live(), before);
		}
	}
	shim_fail_at(0);
	kstate_forget(&all_desc);
	assert_int_equal(shim_live(), before);
}

static void creating(void **state)
{
	for_each_failure(n) {
		struct kstate_set *set;
		struct kstate_stream *stream = NULL;

		shim_fail_at(n);
		set = kstate_memory_create();
		if (set)
			stream = kstate_stream_create(set, "s", NULL);
		assert_true(!IS_ERR_OR_NULL(stream) == !shim_failed());
		kstate_set_destroy(set);
	}
	shim_fail_at(0);
}

static void saving(void **state)
{
	struct all from, to;
	long saves = 0;

	all_fill(&from, 7);
	for_each_failure(n) {
		struct kstate_set *set = set_create();
		struct kstate_stream *stream = stream_create(set);
		int ret;

		use(&all_desc);
		assert_fits(kstate_check_description(&all_desc, &err));
		stream_save(stream, &all_desc, &from, KSTATE_ID(5));
		memset(&err, 0, sizeof(err));
		shim_fail_at(n);
		/* Not in order, so that the index is needed too */
		ret = kstate_stream_save(stream, &all_desc, &from, KSTATE_ID(3), &err);
		if (ret != (shim_failed() ? -ENOMEM : 0))
			fail_msg("step %ld: %s", n, text_of(&err));
		saves += !ret;
		n += shim_failed() ? 0 : 0;
		if (ret) {
			assert_int_equal(err.reason, KSTATE_NO_MEMORY);
			shim_fail_at(0);
			stream_save(stream, &all_desc, &from, KSTATE_ID(3));
			shim_fail_at(n);
			/* Remember that it was reached */
			kvfree(kvmalloc(1, GFP_KERNEL));
			for (long i = 1; i < n; i++)
				kvfree(kvmalloc(1, GFP_KERNEL));
		}

		bool failed = shim_failed();

		shim_fail_at(0);
		set = set_jump(set);
		stream = kstate_stream_find(set, "s");
		for (u64 id = 3; id <= 5; id += 2) {
			all_init(&to);
			assert_fits(stream_restore(stream, &all_desc, &to, KSTATE_ID(id)));
			assert_true(all_equal(&from, &to));
			all_free(&to);
		}
		kstate_set_destroy(set);
		kstate_forget(&all_desc);
		if (!failed)
			break;
		shim_fail_at(1);
		kvfree(kvmalloc(1, GFP_KERNEL));
	}
	shim_fail_at(0);
	assert_int_equal(saves, 1);
	all_free(&from);
}
