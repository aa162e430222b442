/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit suites of KSTATE share: state goes through memory. It is
 * saved, exported as a file, opened again as the next kernel would, restored.
 */
#ifndef _KSTATE_KUNIT_H
#define _KSTATE_KUNIT_H

#include <kunit/test.h>
#include "../../kernel/liveupdate/kstate/gate.h"

#define DECLARE_VERSION(_desc, _version, _min, ...)			\
	static struct kstate_description _desc = {			\
		.name = "kunit",					\
		.version_id = (_version),				\
		.min_version_id = (_min),				\
		.fields = (const struct kstate_field[]) {		\
			__VA_ARGS__,					\
			KSTATE_END_OF_LIST()				\
		},							\
	}

/* All descriptions are of one state: any two can be writer and reader */
#define DECLARE(_desc, ...) DECLARE_VERSION(_desc, 1, 1, __VA_ARGS__)

/* A set that goes away with the test, and the error that calls left last */
struct fixture {
	struct kstate_set *out;
	struct kstate_set *in;
	struct kstate_stream *stream;
	struct kstate_error err;
};

KUNIT_DEFINE_ACTION_WRAPPER(destroy_set, kstate_set_destroy, struct kstate_set *);

static int start(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->out = kstate_memory_create();
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(f->out));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, destroy_set, f->out));
	f->stream = kstate_stream_create(f->out, "kunit", &f->err);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(f->stream));
	return 0;
}

static int save(struct kunit *test, struct kstate_description *desc, const void *obj, u64 id)
{
	struct fixture *f = test->priv;

	return kstate_stream_save(f->stream, desc, obj, KSTATE_ID(id), &f->err);
}

/* Open bytes as the next kernel would, or NULL */
static struct kstate_set *open_set(struct kunit *test, const void *blob, size_t size)
{
	struct fixture *f = test->priv;
	struct kstate_set *set = kstate_memory_open(blob, size, &f->err);

	return IS_ERR(set) ? NULL : set;
}

/* From here on, f->stream is what was saved, as the next kernel finds it */
static void jump(struct kunit *test)
{
	struct fixture *f = test->priv;
	size_t size;
	void *blob;

	KUNIT_ASSERT_EQ(test, 0, kstate_set_export(f->out, &blob, &size));
	f->in = open_set(test, blob, size);
	kvfree(blob);
	KUNIT_ASSERT_NOT_NULL(test, f->in);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, destroy_set, f->in));
	KUNIT_ASSERT_EQ(test, 0, f->in->damage.code);
	f->stream = kstate_stream_find(f->in, "kunit");
	KUNIT_ASSERT_NOT_NULL(test, f->stream);
}

static int restore(struct kunit *test, struct kstate_description *desc, void *obj, u64 id)
{
	struct fixture *f = test->priv;

	return kstate_stream_restore(f->stream, desc, obj, KSTATE_ID(id), &f->err);
}

/* Save @from, jump, restore to @to: what most tests do */
static int carry(struct kunit *test, struct kstate_description *writer, const void *from,
		 struct kstate_description *reader, void *to)
{
	KUNIT_ASSERT_EQ(test, 0, save(test, writer, from, 1));
	jump(test);
	return restore(test, reader, to, 1);
}

#define EXPECT_REASON(_test, _reason, _path) do {			\
	struct kunit *_t = (_test);					\
	struct fixture *_f = _t->priv;					\
									\
	KUNIT_EXPECT_EQ(_t, _f->err.reason, _reason);			\
	KUNIT_EXPECT_NOT_NULL_MSG(_t, strstr(_f->err.path, _path),	\
				  "path is %s", _f->err.path);		\
} while (0)

struct point {
	u16 x;
	s32 y;
};

DECLARE(point_state,
	KSTATE_BASE_TYPE(x, struct point, u16),
	KSTATE_BASE_TYPE(y, struct point, s32));

#endif /* _KSTATE_KUNIT_H */
