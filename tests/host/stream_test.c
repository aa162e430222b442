// SPDX-License-Identifier: GPL-2.0-only
/* Streams: keys, many of them, records that are taken back, handed on or left over. */
#include <time.h>
#include <linux/crc32c.h>
#include <linux/sched.h>
#include "all.h"

struct thing {
	u64 value;
	u32 more;
};

KSTATE_DESCRIBE_STATIC(thing, "thing", 1,
	KSTATE_BASE_TYPE(value, struct thing, u64),
	KSTATE_BASE_TYPE(more, struct thing, u32));
KSTATE_DESCRIBE_STATIC(other, "other", 1, KSTATE_BASE_TYPE(value, struct thing, u64));

static const struct kstate_field named_fields[] = {
	KSTATE_BASE_TYPE(value, struct thing, u64),
	KSTATE_END_OF_LIST()
};

static struct kstate_description named = {
	.name = "named", .string_key = true, .fields = named_fields,
};

static struct kstate_stream *stream_create(struct kstate_set *set, const char *name)
{
	struct kstate_stream *stream = kstate_stream_create(set, name, &err);

	assert_false(IS_ERR_OR_NULL(stream));
	return stream;
}

static void number_keys(void **state)
{
	const u64 keys[] = { 7, 0, U64_MAX, 1ULL << 63, 6, 5, 1, U64_MAX - 1 };
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {}, got;

	for (int i = 0; i < ARRAY_SIZE(keys); i++) {
		t.value = i;
		stream_save(stream, &thing, &t, KSTATE_ID(keys[i]));
		t.value = 100 + i;
		stream_save(stream, &other, &t, KSTATE_ID(keys[i]));
	}
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (int i = ARRAY_SIZE(keys) - 1; i >= 0; i--) {
		assert_fits(stream_restore(stream, &other, &got, KSTATE_ID(keys[i])));
		assert_int_equal(got.value, 100 + i);
		assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(keys[i])));
		assert_int_equal(got.value, i);
	}
	assert_int_equal(stream_restore(stream, &thing, &got, KSTATE_ID(8)), -ENOENT);
	assert_int_equal(err.reason, KSTATE_NO_RECORD);
	kstate_set_destroy(set);
}

static void string_keys(void **state)
{
	char longest[KSTATE_MAX_NAME + 2];
	const char *keys[] = { "vm1", "vm", "VM1", "a \"quoted\" one", longest };
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {}, got;

	memset(longest, 'x', sizeof(longest));
	longest[KSTATE_MAX_NAME] = 0;
	for (int i = 0; i < ARRAY_SIZE(keys); i++) {
		t.value = i;
		stream_save(stream, &named, &t, KSTATE_NAME(keys[i]));
	}
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (int i = ARRAY_SIZE(keys) - 1; i >= 0; i--) {
		assert_fits(stream_restore(stream, &named, &got, KSTATE_NAME(keys[i])));
		assert_int_equal(got.value, i);
	}
	assert_int_equal(stream_restore(stream, &named, &got, KSTATE_NAME("vm2")), -ENOENT);
	assert_int_equal(stream_restore(stream, &named, &got, KSTATE_NAME("vm1 ")), -ENOENT);
	kstate_set_destroy(set);
}

/* At the limit, names come through, and an error still says the field */
static void longest_names(void **state)
{
	static char name[KSTATE_MAX_NAME + 2];
	static const struct kstate_field fields[] = {
		KSTATE_FIELD(struct thing, value, KSTATE_RANGE(1, 1)),
		KSTATE_END_OF_LIST()
	};
	static struct kstate_description desc = {
		.name = name, .string_key = true, .fields = fields,
	};
	struct kstate_set *set = set_create();
	struct kstate_stream *stream;
	char path[2 * KSTATE_MAX_NAME + 16];
	struct thing t = { .value = 2 }, got = {};

	assert_int_equal(KSTATE_MAX_NAME, 127);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	stream = kstate_stream_create(set, name, &err);
	assert_int_equal(PTR_ERR_OR_ZERO(stream), -EINVAL);
	name[KSTATE_MAX_NAME] = 0;
	stream = stream_create(set, name);
	snprintf(path, sizeof(path), "%s[\"%s\"].value", name, name);
	assert_error(kstate_stream_save(stream, &desc, &t, KSTATE_NAME(name), &err), KSTATE_VALUE,
		     -ERANGE, path, "1 to 1", "2");
	t.value = 1;
	stream_save(stream, &desc, &t, KSTATE_NAME(name));
	set = set_jump(set);
	stream = kstate_stream_find(set, name);
	assert_fits(stream_restore(stream, &desc, &got, KSTATE_NAME(name)));
	assert_int_equal(got.value, 1);
	kstate_set_destroy(set);
}

struct sum {
	u32 crc;
	u32 number;
};

static int by_crc(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	return x->crc < y->crc ? -1 : x->crc > y->crc;
}

/* Two strings with the same checksum are two keys */
static void string_keys_collide(void **state)
{
	const u32 nr = 400000;
	struct sum *sums = kvmalloc_array(nr, sizeof(*sums), GFP_KERNEL);
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {}, got;
	char key[40];
	u32 found = 0;

	for (u32 i = 0; i < nr; i++) {
		/* Different lengths: strings of one that differ in few bits never collide */
		int len = snprintf(key, sizeof(key), "%x-%llu", i, i * 0x9e3779b97f4a7c15ULL);

		sums[i] = (struct sum){ ~crc32c(~0, key, len), i };
	}
	qsort(sums, nr, sizeof(*sums), by_crc);
	for (u32 i = 1; i < nr; i++) {
		if (sums[i].crc != sums[i - 1].crc)
			continue;
		for (int j = 0; j < 2; j++) {
			t.value = sums[i - j].number;
			snprintf(key, sizeof(key), "%llx-%llu", t.value,
				 t.value * 0x9e3779b97f4a7c15ULL);
			stream_save(stream, &named, &t, KSTATE_NAME(key));
		}
		found++;
	}
	assert_true(found > 0);
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (u32 i = 1; i < nr; i++) {
		if (sums[i].crc != sums[i - 1].crc)
			continue;
		for (int j = 0; j < 2; j++) {
			t.value = sums[i - j].number;
			snprintf(key, sizeof(key), "%llx-%llu", t.value,
				 t.value * 0x9e3779b97f4a7c15ULL);
			assert_fits(stream_restore(stream, &named, &got, KSTATE_NAME(key)));
			assert_int_equal(got.value, t.value);
		}
	}
	kstate_set_destroy(set);
	kvfree(sums);
}

/* Names of a kind of key that the description does not have */
static void wrong_keys(void **state)
{
	char too_long[KSTATE_MAX_NAME + 2];
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {};

	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = 0;
	use(&thing);
	use(&named);
	assert_error(kstate_stream_save(stream, &thing, &t, KSTATE_NAME("x"), &err),
		     KSTATE_BAD_CALL, -EINVAL, "thing[\"x\"]", "a number as the key", "a string");
	assert_error(kstate_stream_save(stream, &named, &t, KSTATE_ID(5), &err),
		     KSTATE_BAD_CALL, -EINVAL, "named[5]", "a short string as the key", "a number");
	assert_int_equal(kstate_stream_save(stream, &named, &t, KSTATE_NAME(""), NULL), -EINVAL);
	assert_int_equal(kstate_stream_save(stream, &named, &t, KSTATE_NAME(too_long), NULL),
			 -EINVAL);
	kstate_set_destroy(set);
}

static void duplicates(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s"), *second = stream_create(set, "t");
	struct thing t = { 1, 2 }, got;

	for (u64 key = 10; key > 0; key -= 2)
		stream_save(stream, &thing, &t, KSTATE_ID(key));
	for (u64 key = 10; key > 0; key -= 2) {
		assert_int_equal(kstate_stream_save(stream, &thing, &t, KSTATE_ID(key), NULL),
				 -EEXIST);
		stream_save(stream, &thing, &t, KSTATE_ID(key - 1));
	}
	stream_save(second, &thing, &t, KSTATE_ID(10));
	stream_save(stream, &other, &t, KSTATE_ID(10));
	stream_save(stream, &named, &t, KSTATE_NAME("ten"));
	assert_int_equal(kstate_stream_save(stream, &named, &t, KSTATE_NAME("ten"), NULL), -EEXIST);
	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_stream_save(stream, &thing, &t, KSTATE_ID(4), &err), -EEXIST);
	assert_int_equal(err.reason, KSTATE_DUPLICATE);
	assert_string_equal(err.path, "thing[4]");

	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (u64 key = 1; key <= 10; key++)
		assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(key)));
	kstate_set_destroy(set);
}

static void dropped(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = { 1, 2 }, got;

	stream_save(stream, &thing, &t, KSTATE_ID(1));
	stream_save(stream, &thing, &t, KSTATE_ID(2));
	assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(3)), -ENOENT);
	assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(1)), 0);
	assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(1)), -ENOENT);
	t.value = 5;
	stream_save(stream, &thing, &t, KSTATE_ID(1));
	assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(2)), 0);

	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	assert_int_equal(stream_restore(stream, &thing, &got, KSTATE_ID(2)), -ENOENT);
	assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(1)));
	assert_int_equal(got.value, 5);
	kstate_set_destroy(set);
}

static void nothing(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {};

	use(&thing);
	assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(3)), -ENOENT);
	stream_save(stream, &thing, &t, KSTATE_ID(1));
	stream_create(set, "empty");
	set = set_jump(set);
	assert_int_equal(stream_restore(kstate_stream_find(set, "empty"), &thing, &t, KSTATE_ID(1)),
			 -ENOENT);
	assert_null(kstate_stream_find(set, "none"));
	assert_null(kstate_stream_find(NULL, "none"));
	assert_null(kstate_stream_by_id(set, 99));
	kstate_set_destroy(set);

	set = set_jump(set_create());
	assert_null(kstate_stream_find(set, "s"));
	kstate_set_destroy(set);
}

static void many_streams(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream;
	struct thing t = {}, got;
	u64 ids[300];
	char name[32];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "stream %d", i);
		stream = stream_create(set, name);
		ids[i] = kstate_stream_id(stream);
		assert_true(ids[i] != 0);
		t.value = i;
		stream_save(stream, &thing, &t, KSTATE_ID(1));
	}
	assert_true(IS_ERR(kstate_stream_create(set, "stream 7", NULL)));
	memset(name, 'x', sizeof(name));
	kstate_stream_destroy(kstate_stream_find(set, "stream 8"));

	set = set_jump(set);
	for (int i = 299; i >= 0; i--) {
		snprintf(name, sizeof(name), "stream %d", i);
		stream = kstate_stream_find(set, name);
		assert_ptr_equal(stream, kstate_stream_by_id(set, ids[i]));
		if (i == 8) {
			assert_null(stream);
			continue;
		}
		assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(1)));
		assert_int_equal(got.value, i);
	}
	assert_true(IS_ERR(kstate_stream_create(set, "new", NULL)));
	kstate_set_destroy(set);
}

/* Reading and writing are not the same */
static void wrong_direction(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {};

	stream_save(stream, &thing, &t, KSTATE_ID(1));
	assert_int_equal(stream_restore(stream, &thing, &t, KSTATE_ID(1)), -EINVAL);
	assert_int_equal(err.reason, KSTATE_BAD_CALL);
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_stream_save(stream, &thing, &t, KSTATE_ID(2), &err), -EINVAL);
	assert_int_equal(err.reason, KSTATE_BAD_CALL);
	assert_fits(stream_restore(stream, &thing, &t, KSTATE_ID(1)));
	kstate_set_destroy(set);
}

/* What has been restored is the object's; what has not is freed, and gone */
static void dropped_before_restoring(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {};

	stream_save(stream, &thing, &t, KSTATE_ID(1));
	stream_save(stream, &thing, &t, KSTATE_ID(2));
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	assert_fits(stream_restore(stream, &thing, &t, KSTATE_ID(1)));
	assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(1)), 0);
	assert_int_equal(stream_restore(stream, &thing, &t, KSTATE_ID(1)), -EALREADY);
	assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(2)), 0);
	assert_int_equal(stream_restore(stream, &thing, &t, KSTATE_ID(2)), -ENOENT);
	assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(3)), -ENOENT);
	kstate_set_destroy(set);
}

static void shuffle(u32 *order, u32 nr)
{
	u64 r = 12345;

	for (u32 i = 0; i < nr; i++)
		order[i] = i;
	for (u32 i = nr - 1; i; i--) {
		r = r * 6364136223846793005ULL + 1442695040888963407ULL;
		swap(order[i], order[(r >> 33) % (i + 1)]);
	}
}

static void many_objects(void **state)
{
	const u32 nr = 100000;
	u32 *order = kvmalloc_array(nr, sizeof(*order), GFP_KERNEL);
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t, got;
	char key[40];
	u64 start = local_clock();

	shuffle(order, nr);
	for (u32 i = 0; i < nr; i++) {
		t = (struct thing){ order[i], ~order[i] };
		snprintf(key, sizeof(key), "key %u", order[i]);
		assert_false(kstate_stream_save(stream, &thing, &t, KSTATE_ID(3 * order[i]), NULL));
		assert_false(kstate_stream_save(stream, &named, &t, KSTATE_NAME(key), NULL));
	}
	use(&thing);
	use(&named);
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (u32 i = 0; i < nr; i++) {
		snprintf(key, sizeof(key), "key %u", i);
		assert_false(kstate_stream_restore(stream, &thing, &got, KSTATE_ID(3 * i), NULL));
		assert_int_equal(got.value, i);
		assert_int_equal(got.more, ~i);
		assert_false(kstate_stream_restore(stream, &named, &got, KSTATE_NAME(key), NULL));
		assert_int_equal(got.value, i);
	}
	/* Linear: the sanitizers' factor included, far from what a search would take */
	assert_true(local_clock() - start < 60000000000ULL);
	kstate_set_destroy(set);
	kvfree(order);
}

/* Records that this kernel does not know */

static const struct kstate_field all_kinds_fields[] = {
	KSTATE_BASE_TYPE(value, struct thing, u64),
	KSTATE_END_OF_LIST()
};

static struct kstate_description optional = {
	.name = "optional", .optional = true, .fields = all_kinds_fields,
};

static struct kstate_description optional_named = {
	.name = "optional,named", .optional = true, .string_key = true, .fields = all_kinds_fields,
};

/*
 * Export and open while the old set lives: what it preserved is taken by the new
 * one, whose kernel owns it from then on.
 */
static struct kstate_set *set_jump_with_memory(struct kstate_set *set)
{
	struct kstate_stream *stream;
	struct kstate_set *in;
	size_t size;
	void *blob;

	assert_int_equal(kstate_set_export(set, &blob, &size), 0);
	in = kstate_memory_open(blob, size, &err);
	kvfree(blob);
	if (IS_ERR_OR_NULL(in))
		fail_msg("open: %s", text_of(&err));
	list_for_each_entry(stream, &set->streams, list)
		stream->index.nr = 0;
	kstate_set_destroy(set);
	return in;
}

/* Incoming set to outgoing set, then to the next incoming one */
static struct kstate_set *set_hand_on(struct kstate_set *in, bool finish)
{
	struct kstate_set *out = set_create();

	if (finish)
		kstate_set_finish(in, true);
	memset(&err, 0, sizeof(err));
	if (kstate_set_hand_on(in, out, &err))
		fail_msg("hand on: %s", text_of(&err));
	kstate_set_destroy(in);
	return set_jump(out);
}

static struct kstate_set *set_hand_on_with_memory(struct kstate_set *in)
{
	struct kstate_set *out = set_create();
	struct kstate_stream *stream;
	struct kstate_parked *parked;
	unsigned long index;

	memset(&err, 0, sizeof(err));
	if (kstate_set_hand_on(in, out, &err))
		fail_msg("hand on: %s", text_of(&err));
	/* What it has parked is on its way, not to be freed */
	xa_for_each(&in->parked, index, parked)
		kvfree(parked);
	xa_destroy(&in->parked);
	list_for_each_entry(stream, &in->streams, list)
		stream->index.nr = 0;
	kstate_set_destroy(in);
	return set_jump_with_memory(out);
}

static void handed_on(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = { 5, 6 }, got = {};
	u64 id = kstate_stream_id(stream);

	stream_save(stream, &optional, &t, KSTATE_ID(1));
	stream_save(stream, &thing, &t, KSTATE_ID(1));
	t.value = 9;
	stream_save(stream, &optional_named, &t, KSTATE_NAME("nine"));
	set = set_jump(set);
	kstate_forget(&optional);
	kstate_forget(&optional_named);

	/* Two kernels that know neither of the optional ones; one claims the other */
	stream = kstate_stream_find(set, "s");
	assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(1)));
	set = set_hand_on(set, true);
	set = set_hand_on(set, true);

	stream = kstate_stream_find(set, "s");
	assert_non_null(stream);
	assert_ptr_equal(stream, kstate_stream_by_id(set, id));
	assert_int_equal(stream_restore(stream, &thing, &got, KSTATE_ID(1)), -ENOENT);
	assert_fits(stream_restore(stream, &optional, &got, KSTATE_ID(1)));
	assert_int_equal(got.value, 5);
	assert_fits(stream_restore(stream, &optional_named, &got, KSTATE_NAME("nine")));
	assert_int_equal(got.value, 9);
	kstate_set_destroy(set);
}

/* Without finish, all that nobody claimed goes on */
static void handed_on_unfinished(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = { 5, 6 }, got = {};
	struct all from, to;

	all_fill(&from, 3);
	all_init(&to);
	stream_save(stream, &thing, &t, KSTATE_ID(1));
	stream_save(stream, &thing, &t, KSTATE_ID(2));
	stream_save(stream, &all_desc, &from, KSTATE_ID(1));
	set = set_jump(set);
	assert_fits(stream_restore(kstate_stream_find(set, "s"), &thing, &got, KSTATE_ID(1)));
	set = set_hand_on(set, false);
	stream = kstate_stream_find(set, "s");
	assert_int_equal(stream_restore(stream, &thing, &got, KSTATE_ID(1)), -ENOENT);
	assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(2)));
	assert_fits(stream_restore(stream, &all_desc, &to, KSTATE_ID(1)));
	assert_true(all_equal(&from, &to));
	all_free(&from);
	all_free(&to);
	kstate_set_destroy(set);
}

/* Finish reports what nobody claimed, and that is the end of it */
static void finished(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = { 5, 6 }, got = {};

	stream_save(stream, &thing, &t, KSTATE_ID(1));
	stream_save(stream, &thing, &t, KSTATE_ID(2));
	stream_save(stream, &optional, &t, KSTATE_ID(3));
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(1)));
	shim_log_clear();
	assert_int_equal(kstate_set_finish(set, true), 2);
	assert_non_null(strstr(shim_log(), "thing[2]"));
	assert_null(strstr(shim_log(), "thing[1]"));
	/* The stream is still there for who knows it, but empty */
	assert_ptr_equal(kstate_stream_find(set, "s"), stream);
	assert_int_equal(stream_restore(stream, &thing, &got, KSTATE_ID(2)), -ENOENT);
	/* Known here, so it is not kept for a kernel that knows it */
	assert_non_null(strstr(shim_log(), "optional[3]"));
	kstate_set_destroy(set);
}

/* A description that changed: another schema under the same name in one set */
static void two_schemas_of_a_name(void **state)
{
	KSTATE_DESCRIBE_STATIC(first, "same", 1, KSTATE_BASE_TYPE(value, struct thing, u64));
	KSTATE_DESCRIBE_STATIC(second, "same", 1,
		   KSTATE_BASE_TYPE(value, struct thing, u64),
		   KSTATE_BASE_TYPE(more, struct thing, u32, KSTATE_DEFAULT(3)));
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = { 1, 2 }, got = {};

	stream_save(stream, &first, &t, KSTATE_ID(1));
	stream_save(stream, &second, &t, KSTATE_ID(2));
	use(&second);
	assert_int_equal(kstate_stream_save(stream, &second, &t, KSTATE_ID(1), NULL), -EEXIST);
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	assert_fits(stream_restore(stream, &second, &got, KSTATE_ID(1)));
	assert_int_equal(got.more, 3);
	assert_fits(stream_restore(stream, &second, &got, KSTATE_ID(2)));
	assert_int_equal(got.more, 2);
	kstate_set_destroy(set);
}

/* Records larger than a segment, and segments that are exactly full */
static void sizes(void **state)
{
	struct blob { u32 nr; u8 *bytes; } b = {}, got = {};
	KSTATE_DESCRIBE_STATIC(blob, "blob", 1,
		KSTATE_VARRAY(bytes, struct blob, nr, KSTATE_ALLOC));
	const u32 sizes[] = { 1, 4000, 4048, 4049, 4096, 65536, 3, 1 << 20, 5 << 20, 7 };
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");

	b.bytes = kvmalloc(5 << 20, GFP_KERNEL);
	for (u32 i = 0; i < 5 << 20; i++)
		b.bytes[i] = i * 7 + i / 251;
	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		b.nr = sizes[i];
		stream_save(stream, &blob, &b, KSTATE_ID(i));
	}
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		got = (struct blob){};
		assert_fits(stream_restore(stream, &blob, &got, KSTATE_ID(i)));
		assert_int_equal(got.nr, sizes[i]);
		assert_memory_equal(got.bytes, b.bytes, sizes[i]);
		kvfree(got.bytes);
	}
	kvfree(b.bytes);
	kstate_set_destroy(set);
}

/* A save that fails in a segment of its own leaves none behind: undoing a jump counts on it */

struct large {
	u32 x;
	u8 bytes[3000];
	struct folio *folio;
};

KSTATE_DESCRIBE_STATIC(large, "large", 1, KSTATE_BASE_TYPE(x, struct large, u32),
	KSTATE_BASE_TYPE(bytes, struct large, u8[3000]), KSTATE_FOLIO(folio, struct large));

static void undone_after_failing(void **state)
{
	static struct large from = { .x = 1 };
	struct kstate_set *set = set_create();
	struct kstate_stream *other = kstate_stream_create(set, "other", &err);
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct folio *folio = page_folio(alloc_pages(GFP_KERNEL, 0));

	use(&large);
	from.folio = folio;
	stream_save(other, &large, &from, KSTATE_ID(1));
	from.folio = NULL;
	set->jumper = current;
	for (u32 i = 1; i < 4; i++)
		stream_save(stream, &large, &from, KSTATE_ID(i));
	/* What is preserved once cannot be preserved again */
	from.folio = folio;
	assert_int_equal(kstate_stream_save(stream, &large, &from, KSTATE_ID(4), &err), -EEXIST);
	assert_int_equal(err.reason, KSTATE_EDGE);
	kstate_stream_undo(stream);
	set->jumper = NULL;
	assert_true(list_empty(&stream->segments));
	assert_int_equal(stream->bytes, 0);

	from.folio = NULL;
	for (u32 i = 1; i < 9; i++)
		stream_save(stream, &large, &from, KSTATE_ID(i));
	kstate_set_destroy(set);
	folio_put(folio);
}

/* Records that are saved again and again: the stream does not grow */

struct sized {
	u32 nr;
	u8 *bytes;
};

KSTATE_DESCRIBE_STATIC(sized, "sized", 1, KSTATE_VARRAY(bytes, struct sized, nr, KSTATE_ALLOC));

static size_t stream_size(const struct kstate_stream *stream)
{
	const struct kstate_segment *segment;
	size_t size = 0;

	list_for_each_entry(segment, &stream->segments, list)
		size += segment->size;
	return size;
}

static void saved_again(void **state)
{
	static u8 bytes[5000];
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	const u32 live = 40, rounds = 20000;
	struct thing t = {}, got;
	struct sized b = { .bytes = bytes }, back;
	u64 bytes_before;
	u32 nr = 0;

	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7;
	/* The only record; then the last one, one in the middle, and the first one */
	for (u32 i = 0; i < 1000; i++) {
		stream_save(stream, &thing, &t, KSTATE_ID(1));
		assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(1)), 0);
		assert_true(list_empty(&stream->segments));
		assert_int_equal(stream->bytes, 0);
	}
	for (u32 i = 0; i < 3; i++)
		stream_save(stream, &thing, &t, KSTATE_ID(i));
	bytes_before = stream->bytes;
	for (u32 i = 0; i < rounds; i++) {
		t.value = i;
		assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(i * 7 % 3)), 0);
		stream_save(stream, &thing, &t, KSTATE_ID(i * 7 % 3));
	}
	assert_int_equal(stream->bytes, bytes_before);
	assert_int_equal(stream_size(stream), PAGE_SIZE);
	assert_true(stream->index.room <= 8);
	assert_true(stream->index.size <= 64);

	/* The oldest of some, of all sizes, beside those that stay */
	for (u32 i = 0; i < rounds; i++) {
		b.nr = i * 2654435761U % sizeof(bytes);
		stream_save(stream, &sized, &b, KSTATE_ID(i));
		if (i >= live)
			assert_int_equal(kstate_stream_drop(stream, &sized, KSTATE_ID(i - live)),
					 0);
	}
	assert_true(stream_size(stream) < 64 * (PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER));
	assert_true(stream->index.room <= 128);

	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (u32 i = 0; i < 3; i++) {
		assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(i)));
		assert_true(got.value >= rounds - 3 && got.value * 7 % 3 == i);
	}
	for (u32 i = rounds - live; i < rounds; i++) {
		back = (struct sized){};
		assert_fits(stream_restore(stream, &sized, &back, KSTATE_ID(i)));
		assert_int_equal(back.nr, i * 2654435761U % sizeof(bytes));
		assert_memory_equal(back.bytes, bytes, back.nr);
		kvfree(back.bytes);
	}
	for (u32 i = 0; i < stream->index.nr; i++)
		nr += stream->index.slots[i].state == KSTATE_SLOT_FREE;
	assert_int_equal(nr, 0);
	kstate_set_destroy(set);
}

/* Dropping without memory for the hole is dropping all the same */
static void dropped_without_memory(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {}, got;
	u32 id = 0;

	for (u32 i = 0; i < 10; i++)
		stream_save(stream, &thing, &t, KSTATE_ID(i));
	for_each_step(n) {
		/* Finding it may fail, but nothing after that */
		id += !failing(n, kstate_stream_drop(stream, &thing, KSTATE_ID(id)));
		assert_true(id < 9);
	}
	assert_true(id > 2);
	for (u32 i = 0; i < id; i++)
		stream_save(stream, &thing, &t, KSTATE_ID(i));
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (u32 i = 0; i < 10; i++)
		assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(i)));
	kstate_set_destroy(set);
}

/* Room for a record whose size is not known yet */

static bool is_zero(const u8 *p, size_t size)
{
	return !memchr_inv(p, 0, size);
}

static void room_that_grows(void **state)
{
	const size_t header = sizeof(struct kstate_record);
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = { 1, 2 }, got;
	struct kstate_record *record;
	u8 *at, *more;

	/* In a stream without records: a segment of its own, which goes again */
	at = kstate_stream_reserve(stream, NULL, 0, header + 8);
	assert_non_null(at);
	assert_true(kstate_stream_room(stream, at) >= header + 8);
	assert_true(is_zero(at, kstate_stream_room(stream, at)));
	kstate_stream_cancel(stream, (void *)at, 8);
	assert_true(list_empty(&stream->segments));

	stream_save(stream, &thing, &t, KSTATE_ID(1));
	record = stream->index.slots[0].record;
	at = kstate_stream_reserve(stream, NULL, 0, header);
	assert_ptr_equal(at, (u8 *)(record + 1) + le32_to_cpu(record->size));
	memset(at, 'a', 100);
	/* It stays where it is while there is room */
	assert_ptr_equal(kstate_stream_reserve(stream, at, 100, kstate_stream_room(stream, at)), at);
	/* Without memory it is as it was */
	assert_null(failing(1, kstate_stream_reserve(stream, at, 100, PAGE_SIZE)));
	assert_null(failing(2, kstate_stream_reserve(stream, at, 100, PAGE_SIZE)));
	assert_null(kstate_stream_reserve(stream, at, 100, header + KSTATE_MAX_RECORD + 1));
	assert_int_equal(at[99], 'a');
	assert_int_equal(list_count_nodes(&stream->segments), 1);

	more = kstate_stream_reserve(stream, at, 100, PAGE_SIZE);
	assert_non_null(more);
	assert_true(more != at && is_zero(at, 100));
	assert_true(more[0] == 'a' && more[99] == 'a');
	assert_true(is_zero(more + 100, kstate_stream_room(stream, more) - 100));
	assert_int_equal(list_count_nodes(&stream->segments), 2);
	/* A segment that it alone was in goes; it at least doubles */
	memset(more, 'b', kstate_stream_room(stream, more));
	at = more;
	for (u32 i = 0; i < 8; i++) {
		size_t used = kstate_stream_room(stream, at);

		at = kstate_stream_reserve(stream, at, used, used + 8);
		assert_non_null(at);
		assert_true(kstate_stream_room(stream, at) >= 2 * used);
		assert_true(at[0] == 'b' && at[used - 1] == 'b');
		assert_true(is_zero(at + used, kstate_stream_room(stream, at) - used));
		memset(at, 'b', kstate_stream_room(stream, at));
		assert_int_equal(list_count_nodes(&stream->segments), 2);
	}
	kstate_stream_cancel(stream, (void *)at, kstate_stream_room(stream, at) - header);
	assert_int_equal(list_count_nodes(&stream->segments), 1);
	stream_save(stream, &thing, &t, KSTATE_ID(2));
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(1)));
	assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(2)));
	kstate_set_destroy(set);
}

/* Which instances there are, for those who do not know */

struct seen {
	struct kstate_stream *stream;
	u32 nr;
	u64 sum;
	u32 stop_after;
	u32 strings;
};

static int see_key(struct kstate_key key, void *arg)
{
	struct seen *seen = arg;

	seen->nr++;
	if (key.name) {
		seen->strings += strlen(key.name);
		assert_true(!strcmp(key.name, "one") || !strcmp(key.name, "three"));
	} else {
		seen->sum += key.id;
	}
	return seen->nr == seen->stop_after ? -EINTR : 0;
}

static int restore_key(struct kstate_key key, void *arg)
{
	struct seen *seen = arg;
	struct thing got;

	seen->nr++;
	assert_fits(stream_restore(seen->stream, &thing, &got, key));
	assert_int_equal(got.value, 100 + key.id);
	return 0;
}

static void each_key(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct seen seen = {};
	struct thing t = {}, got;

	for (u64 i = 0; i < 50; i++) {
		t.value = 100 + i;
		stream_save(stream, &thing, &t, KSTATE_ID(i));
		stream_save(stream, &other, &t, KSTATE_ID(i));
	}
	stream_save(stream, &named, &t, KSTATE_NAME("one"));
	stream_save(stream, &named, &t, KSTATE_NAME("two"));
	stream_save(stream, &named, &t, KSTATE_NAME("three"));
	assert_int_equal(kstate_stream_drop(stream, &named, KSTATE_NAME("two")), 0);
	assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(7)), 0);
	assert_int_equal(kstate_stream_walk_keys(stream, &thing, see_key, &seen), -EINVAL);
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");

	/* Without what the writer took back, and what has been restored */
	assert_fits(stream_restore(stream, &thing, &got, KSTATE_ID(9)));
	assert_int_equal(kstate_stream_walk_keys(stream, &thing, see_key, &seen), 0);
	assert_int_equal(seen.nr, 48);
	assert_int_equal(seen.sum, 49 * 50 / 2 - 7 - 9);
	seen = (struct seen){};
	assert_int_equal(kstate_stream_walk_keys(stream, &named, see_key, &seen), 0);
	assert_int_equal(seen.nr, 2);
	assert_int_equal(seen.strings, strlen("one") + strlen("three"));
	seen = (struct seen){ .stop_after = 5 };
	assert_int_equal(kstate_stream_walk_keys(stream, &other, see_key, &seen), -EINTR);
	assert_int_equal(seen.nr, 5);
	seen = (struct seen){};
	assert_int_equal(kstate_stream_walk_keys(stream, &sized, see_key, &seen), 0);
	assert_int_equal(seen.nr, 0);

	/* Each may be restored as it comes */
	seen = (struct seen){ .stream = stream };
	assert_int_equal(kstate_stream_walk_keys(stream, &thing, restore_key, &seen), 0);
	assert_int_equal(seen.nr, 48);
	seen = (struct seen){};
	assert_int_equal(kstate_stream_walk_keys(stream, &thing, see_key, &seen), 0);
	assert_int_equal(seen.nr, 0);
	/* If something cannot be read, there may be more */
	set->damage.code = -EBADMSG;
	assert_int_equal(kstate_stream_walk_keys(stream, &named, see_key, &seen), -EBADMSG);
	assert_int_equal(seen.nr, 2);
	kstate_set_finish(set, true);
	seen = (struct seen){};
	assert_int_equal(kstate_stream_walk_keys(stream, &named, see_key, &seen), 0);
	assert_int_equal(seen.nr, 0);
	kstate_set_destroy(set);
}

/* A record that names one page twice, as no kernel writes it, does not stop the next jump */

struct twice {
	struct folio *first;
	struct folio *second;
};

static KSTATE_DESCRIBE(twice, "twice", 1,
	KSTATE_FOLIO(first, struct twice), KSTATE_FOLIO(second, struct twice));

static int repeat_edge(struct kstate_edge *edge, u8 type, void *arg)
{
	struct kstate_edge *edges = arg;

	if (!edges[0].kind) {
		edges[0] = *edge;
	} else {
		edges[1] = *edge;
		*edge = edges[0];
	}
	return 0;
}

static void handed_on_with_a_page_twice(void **state)
{
	struct kstate_set *in, *out = set_create(), *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct twice t = { folio_alloc(GFP_KERNEL, 0), folio_alloc(GFP_KERNEL, 0) }, got = {};
	struct kstate_edge edges[2] = {};
	struct kstate_record *record;

	stream_save(stream, &twice, &t, KSTATE_ID(1));
	record = stream->index.slots[0].record;
	kstate_wire_edges(kstate_known(set, 0)->schema, kstate_record_payload(record),
			  le32_to_cpu(record->size), repeat_edge, edges);
	kstate_set_unpreserve(set, &edges[1]);
	kstate_record_seal(record, 8 * le32_to_cpu(record->place));
	in = set_jump_with_memory(set);
	stream = kstate_stream_find(in, "s");
	assert_int_equal(stream_restore(stream, &twice, &got, KSTATE_ID(1)), -EIO);
	assert_int_equal(err.reason, KSTATE_EDGE);

	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_set_hand_on(in, out, &err), 0);
	assert_int_equal(err.code, 0);
	assert_non_null(strstr(shim_log(), "twice[1] is left behind"));
	assert_int_equal(kstate_stream_find(out, "s")->bytes, 0);
	assert_true(list_empty(&kstate_stream_find(out, "s")->segments));
	kstate_set_destroy(out);
	/* It is still there for this kernel, and freed once */
	assert_int_equal(kstate_set_finish(in, true), 1);
	kstate_set_destroy(in);
	folio_put(t.second);
}

/* Nothing is quadratic: ten times as many take about ten times as long on the processor */

#ifndef SCALE
#define SCALE 2000
#endif

struct folio_item {
	struct folio *folio;
	struct list_head link;
};

struct folio_list {
	struct list_head list;
};

static KSTATE_DESCRIBE(folio_item, "folio_item", 1, KSTATE_FOLIO(folio, struct folio_item));
static KSTATE_DESCRIBE(folio_list, "folio_list", 1,
	KSTATE_LIST(list, struct folio_list, struct folio_item, link, &folio_item));

/* Memory of a record that is checked, handed on, and restored at last */
static void scale_parked(u32 nr)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct folio_list from, to;
	struct folio_item *item, *next;

	INIT_LIST_HEAD(&from.list);
	INIT_LIST_HEAD(&to.list);
	for (u32 i = 0; i < nr; i++) {
		item = kvzalloc(sizeof(*item), GFP_KERNEL);
		item->folio = folio_alloc(GFP_KERNEL, 0);
		list_add_tail(&item->link, &from.list);
	}
	stream_save(stream, &folio_list, &from, KSTATE_ID(1));
	set = set_jump_with_memory(set);
	stream = kstate_stream_find(set, "s");
	use(&folio_list);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(kstate_stream_check(stream, &folio_list, &to, KSTATE_ID(1), &err),
				 0);
	set = set_hand_on_with_memory(set);
	stream = kstate_stream_find(set, "s");
	assert_fits(stream_restore(stream, &folio_list, &to, KSTATE_ID(1)));
	kstate_set_destroy(set);
	list_for_each_entry_safe(item, next, &to.list, link) {
		folio_put(item->folio);
		kvfree(item);
	}
	list_for_each_entry_safe(item, next, &from.list, link)
		kvfree(item);
}

static void scale_streams(u32 nr)
{
	struct kstate_set *set = set_create();
	char name[32];

	for (u32 i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "stream %u", i);
		stream_create(set, name);
	}
	for (u32 i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "stream %u", i * 7 % nr);
		assert_ptr_equal(kstate_stream_find(set, name),
				 kstate_stream_by_id(set, i * 7 % nr + 1));
	}
	kstate_set_destroy(set);
}

static void scale_stream_by_stream(u32 nr)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream;
	struct thing t = {};
	char name[32];

	for (u32 i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "stream %u", i);
		stream = stream_create(set, name);
		stream_save(stream, &optional, &t, KSTATE_ID(1));
	}
	set = set_jump(set);
	set = set_hand_on(set, false);
	assert_non_null(kstate_stream_find(set, name));
	kstate_set_destroy(set);
}

static void scale_schemas(u32 nr)
{
	static const struct kstate_field fields[] = {
		KSTATE_BASE_TYPE(value, struct thing, u64), KSTATE_END_OF_LIST()
	};
	struct kstate_description *descs = kvcalloc(nr, sizeof(*descs), GFP_KERNEL);
	char (*names)[32] = kvcalloc(nr, sizeof(*names), GFP_KERNEL);
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {};

	nr = min(nr, KSTATE_MAX_SCHEMAS);
	for (u32 i = 0; i < nr; i++) {
		snprintf(names[i], sizeof(names[i]), "state %u", i);
		descs[i].name = names[i];
		descs[i].version_id = 1;
		descs[i].min_version_id = 1;
		descs[i].fields = fields;
	}
	for (u32 key = 0; key < 2; key++)
		for (u32 i = 0; i < nr; i++)
			assert_int_equal(kstate_stream_save(stream, &descs[i], &t, KSTATE_ID(key),
							    &err), 0);
	assert_int_equal(set->nr_known, nr);
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (u32 i = 0; i < nr; i++)
		assert_int_equal(kstate_stream_restore(stream, &descs[i], &t, KSTATE_ID(1), &err),
				 0);
	kstate_set_destroy(set);
	for (u32 i = 0; i < nr; i++)
		kstate_forget(&descs[i]);
	kvfree(names);
	kvfree(descs);
}

static void scale_high_bits(u32 nr)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {};

	/* From the largest on: those that ascend need no looking up */
	for (u64 i = nr; i-- > 0;)
		stream_save(stream, &thing, &t, KSTATE_ID(i << 48 | i >> 16));
	set = set_jump(set);
	stream = kstate_stream_find(set, "s");
	for (u64 i = nr; i-- > 0;)
		assert_fits(stream_restore(stream, &thing, &t, KSTATE_ID(i << 48 | i >> 16)));
	kstate_set_destroy(set);
}

static void scale_dropped(u32 nr)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = stream_create(set, "s");
	struct thing t = {};

	for (u32 i = 0; i < nr; i++)
		stream_save(stream, &thing, &t, KSTATE_ID(i));
	/* One of two, so that all segments stay */
	for (u32 round = 0; round < 2; round++) {
		for (u32 i = 0; i < nr; i += 2)
			assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(i)), 0);
		for (u32 i = 0; i < nr; i += 2)
			stream_save(stream, &thing, &t, KSTATE_ID(i));
	}
	for (u32 i = 0; i < nr; i += 2)
		assert_int_equal(kstate_stream_drop(stream, &thing, KSTATE_ID(i)), 0);
	kstate_set_destroy(set);
}

static void nothing_quadratic(void **state)
{
	static const struct {
		const char *name;
		void (*fn)(u32 nr);
	} cases[] = {
		{ "memory parked, handed on, taken", scale_parked },
		{ "streams by name and number", scale_streams },
		{ "streams handed on", scale_stream_by_stream },
		{ "schemas and names", scale_schemas },
		{ "keys that differ in high bits", scale_high_bits },
		{ "dropped and saved again", scale_dropped },
	};
	u64 few, many, start;

	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		cases[i].fn(SCALE);
		start = clock();
		cases[i].fn(SCALE);
		few = clock() - start;
		start = clock();
		cases[i].fn(10 * SCALE);
		many = clock() - start;
		print_message("%-32s %7u: %6llu us, %7u: %7llu us, %llu times\n", cases[i].name,
			      SCALE, few, 10 * SCALE, many, many / max(few, 1ULL));
		/* A hundred times if it were; the rest is for a busy machine */
		assert_true(many < 40 * few + 200000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(number_keys),
		TEST(string_keys),
		TEST(longest_names),
		TEST(string_keys_collide),
		TEST(wrong_keys),
		TEST(duplicates),
		TEST(dropped),
		TEST(nothing),
		TEST(many_streams),
		TEST(wrong_direction),
		TEST(dropped_before_restoring),
		TEST(many_objects),
		TEST(handed_on),
		TEST(handed_on_unfinished),
		TEST(finished),
		TEST(two_schemas_of_a_name),
		TEST(undone_after_failing),
		TEST(sizes),
		TEST(saved_again),
		TEST(dropped_without_memory),
		TEST(room_that_grows),
		TEST(each_key),
		TEST(handed_on_with_a_page_twice),
		TEST(nothing_quadratic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
