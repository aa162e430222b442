// SPDX-License-Identifier: GPL-2.0-only
/* Every reason for which something is refused, and what exactly is said then. */
#include <linux/crc32c.h>
#include "all.h"

/* Descriptions that make no sense */

struct thing {
	u32 a;
	u32 b;
	u32 *p;
	char s[8];
	u64 custom;
	struct list_head list;
	union { u32 x; } u;
};

#define A	KSTATE_BASE_TYPE(a, struct thing, u32)
#define END	KSTATE_END_OF_LIST()
#define FIELDS(...)	((const struct kstate_field[]) { __VA_ARGS__ })
#define RAW(...)	{ .name = "f", .num = 1, __VA_ARGS__ }
#define DESCRIPTION(...)	{ .name = "d", .fields = FIELDS(__VA_ARGS__) }
#define INT		.kind = KS_BASE_TYPE, .type = KS_U32, .size = 4

static const KSTATE_DESCRIBE(good_desc, "good", 1, A);
static const KSTATE_DESCRIBE(empty_desc, "empty", 1, END);
static const KSTATE_DESCRIBE(skip_desc, "skip", 1, KSTATE_SKIP(a, struct thing, "test"));
static const KSTATE_DESCRIBE(bad_desc, "bad", 1, RAW(.kind = 99));
static const KSTATE_DESCRIBE(self_desc, "self", 1,
	{ .name = "f", .kind = KS_STRUCT, .num = 1, .size = 8,
	  .modifiers = KS_POINTER, .ksd = &self_desc });

static const struct kstate_arm same_name[] = { { "x", 1, &good_desc }, { "x", 2, &good_desc }, {} };
static const struct kstate_arm same_tag[] = { { "x", 1, &good_desc }, { "y", 1, &good_desc }, {} };

static int count(const void *obj)
{
	return 0;
}

static bool needed(const void *obj)
{
	return true;
}

static int call(struct kstate_stream *stream, void *obj, const struct kstate_field *field)
{
	return 0;
}

static int absent(void *member, const struct kstate_field *field)
{
	return 0;
}

#define LONG_111	"a2345678901234567890123456789012345678901234567890"		\
		"1234567890123456789012345678901234567890123456789012345678901"
#define LONG_127	LONG_111 "2345678901234567"
#define LONG_128	LONG_127 "8"

static const struct bad {
	struct kstate_description desc;
	const char *path;
	const char *expected;
	const char *found;
} bad[] = {
	{ { .name = "d" }, "d", "fields", "none" },
	{ { .name = "", .fields = FIELDS(A, END) }, "", "a name of 1 to 127 bytes", "" },
	{ { .name = LONG_128, .fields = FIELDS(A, END) }, LONG_128, "a name of 1 to 127 bytes",
	  LONG_111 },
	{ { .name = "d", .version_id = 1, .min_version_id = 2, .fields = FIELDS(A, END) }, "d",
	  "min_version_id of at most version_id", "2 of 1" },
	{ DESCRIPTION(RAW(.kind = 99), END), "d",
	  "a known kind, or KSTATE_END_OF_LIST()", "kind 0x63 in field 0" },
	{ DESCRIPTION(A, { .name = NULL }), "d",
	  "a known kind, or KSTATE_END_OF_LIST()", "kind 0 in field 1" },
	{ DESCRIPTION(A, A, END), "d.a", "names that are unique", "a twice" },
	{ DESCRIPTION(A, KSTATE_BASE_TYPE(b, struct thing, u32,
		      KSTATE_ALIAS("a")), END),
	  "d.b", "names that are unique", "a twice" },
	{ DESCRIPTION(KSTATE_BASE_TYPE(b, struct thing, u32,
		      KSTATE_ALIAS("x", "x")), END),
	  "d.b", "names that are unique", "x twice" },
	{ DESCRIPTION(A, KSTATE_REMOVED("a"), END), "d.a",
	  "names that are unique", "a twice" },
	{ DESCRIPTION({ INT }, END), "d", "a name of 1 to 127 bytes", "none" },
	{ DESCRIPTION({ INT, .name = "" }, END), "d",
	  "a name of 1 to 127 bytes", "" },
	{ DESCRIPTION({ INT, .name = LONG_128 }, END), "d",
	  "a name of 1 to 127 bytes", LONG_111 },
	{ DESCRIPTION(RAW(INT, KSTATE_ALIAS(LONG_128)), END), "d",
	  "a name of 1 to 127 bytes", LONG_111 },
	{ DESCRIPTION(RAW(INT, .modifiers = KS_ARRAY | KS_POINTER), END),
	  "d.f", "modifiers that go together", "0x3" },
	{ DESCRIPTION(RAW(.kind = KS_LIST, .ksd = &good_desc,
		      .modifiers = KS_ARRAY), END),
	  "d.f", "modifiers that go together", "0x2" },
	{ DESCRIPTION(RAW(.kind = KS_BASE_TYPE, .type = 0x55, .size = 5), END),
	  "d.f", "an integer type and its size", "0x55 of 5 bytes" },
	{ DESCRIPTION(RAW(.kind = KS_BASE_TYPE, .type = KS_U32, .size = 8),
		      END),
	  "d.f", "an integer type and its size", "0x4 of 8 bytes" },
	{ DESCRIPTION(RAW(.kind = KS_STRING, .type = KS_U32, .size = 4), END),
	  "d.f", "an array of or pointer to char", "0x4" },
	{ DESCRIPTION(RAW(.kind = KS_STRUCT, .size = 4), END),
	  "d.f", "a description of the struct", "none" },
	{ DESCRIPTION(RAW(.kind = KS_LIST, .size = 4), END),
	  "d.f", "a description of the struct", "none" },
	{ DESCRIPTION(RAW(.kind = KS_XARRAY, .size = 4), END),
	  "d.f", "a description of the struct", "none" },
	{ DESCRIPTION(KSTATE_CUSTOM(custom, struct thing, call, NULL), END),
	  "d.custom", "functions to save and to restore", "none" },
	{ DESCRIPTION(KSTATE_CUSTOM(custom, struct thing, NULL, call), END),
	  "d.custom", "functions to save and to restore", "none" },
	{ DESCRIPTION(KSTATE_GROUP(g, &good_desc, NULL), END),
	  "d.g", "a function that says whether it is needed", "none" },
	{ DESCRIPTION(KSTATE_GROUP(g, &good_desc, needed), END),
	  "d.g.a", "a default, as all fields of a group have", "none" },
	{ DESCRIPTION(RAW(.kind = KS_UNION, .size = 4,
		      .length = { 0, KS_U32 }), END),
	  "d.f", "arms and the member that selects one", "none" },
	{ DESCRIPTION(RAW(.kind = KS_UNION, .size = 4, .arms = same_tag), END),
	  "d.f", "arms and the member that selects one", "none" },
	{ DESCRIPTION(KSTATE_UNION(u, struct thing, a, same_name), END),
	  "d.u", "names that are unique", "x twice" },
	{ DESCRIPTION(KSTATE_UNION(u, struct thing, a, same_tag), END),
	  "d.u", "tags that are unique", "1 twice" },
	{ DESCRIPTION(RAW(.kind = KS_PAGES, .size = 8), END),
	  "d.f", "the member that holds the number of pages", "none" },
	{ DESCRIPTION(RAW(INT, .modifiers = KS_VARRAY), END),
	  "d.f", "a member or a function for the length", "none" },
	{ DESCRIPTION(RAW(INT, .modifiers = KS_VARRAY, .count = count,
		      .length = { 0, KS_U32 }), END),
	  "d.f", "a member or a function for the length", "both" },
	{ DESCRIPTION(RAW(INT, .modifiers = KS_VARRAY, .count = count,
		      .length = { 0, KS_T_STRUCT }), END),
	  "d.f", "an integer for the length", "0x40" },
	{ DESCRIPTION({ INT, .name = "f", .modifiers = KS_ARRAY }, END),
	  "d.f", "room for at least one element", "0" },
	{ DESCRIPTION({ .name = "f", .kind = KS_BITMAP, .size = 8 }, END),
	  "d.f", "room for at least one element", "0" },
	{ DESCRIPTION(KSTATE_BASE_TYPE(a, struct thing, u32, KSTATE_DEFAULT(1),
		      KSTATE_ABSENT(absent)), END),
	  "d.a", "a default or a function for when it is absent", "both" },
	{ DESCRIPTION(KSTATE_LIST(list, struct thing, struct thing, list,
		      &good_desc, KSTATE_ABSENT(absent)), END),
	  "d.list", "a kind that can be copied, for its function", "another" },
	{ DESCRIPTION(KSTATE_STRING(s, struct thing, KSTATE_RANGE(1, 2)), END),
	  "d.s", "constraints on integers", "another kind" },
	{ DESCRIPTION(KSTATE_STRUCT(u, struct thing, &good_desc,
		      KSTATE_MASK(1)), END),
	  "d.u", "constraints on integers", "another kind" },
	{ DESCRIPTION(KSTATE_POINTER(p, struct thing, KSTATE_EQUAL), END),
	  "d.p", "KSTATE_EQUAL on an integer in the object", "another kind" },
	{ DESCRIPTION(KSTATE_BASE_TYPE(a, struct thing, u32,
		      KSTATE_RANGE(5, 4)), END),
	  "d.a", "a range that is not empty", "5 to 4" },
	{ DESCRIPTION(KSTATE_BASE_TYPE(a, struct thing, u32, KSTATE_MAC), END),
	  "d.a", "KSTATE_MAC on an array of 6 u8", "another kind" },
	{ DESCRIPTION({ .name = "f", .kind = KS_BASE_TYPE, .type = KS_U8, .size = 1, .num = 6,
			.modifiers = KS_ARRAY, KSTATE_UUID }, END),
	  "d.f", "KSTATE_UUID on an array of 16 u8", "another kind" },
	{ DESCRIPTION(KSTATE_BASE_TYPE(a, struct thing, u32, KSTATE_ALLOC),
		      END),
	  "d.a", "KSTATE_ALLOC on a pointer", "another kind" },
	{ DESCRIPTION(RAW(.kind = KS_BASE_TYPE, .type = KS_U8, .size = 1,
		      KSTATE_DEFAULT(256)), END),
	  "d.f", "a default that fits", "256" },
	{ DESCRIPTION(KSTATE_BASE_TYPE(a, struct thing, u32, KSTATE_DEFAULT(3),
		      KSTATE_RANGE(4, 5)), END),
	  "d.a", "a default that meets the constraints", "3" },
	{ DESCRIPTION(KSTATE_BASE_TYPE(a, struct thing, u32, KSTATE_DEFAULT(3),
		      KSTATE_MASK(1)), END),
	  "d.a", "a default that meets the constraints", "3" },
	{ DESCRIPTION(KSTATE_STRING(s, struct thing, KSTATE_DEFAULT(3)), END),
	  "d.s", "0 as the default of what is not an integer", "3" },
	{ DESCRIPTION(KSTATE_STRUCT(u, struct thing, &empty_desc), END),
	  "d.u", "a struct with data", "one without" },
	{ DESCRIPTION(KSTATE_STRUCT(u, struct thing, &skip_desc), END),
	  "d.u", "a struct with data", "one without" },
	{ DESCRIPTION(KSTATE_STRUCT(u, struct thing, &bad_desc), END),
	  "d.u", "a known kind, or KSTATE_END_OF_LIST()", "kind 0x63 in field 0" },
};

static void bad_descriptions(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct thing thing = {};

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kstate_description desc = bad[i].desc;
		int ret;

		memset(&err, 0, sizeof(err));
		ret = kstate_check_description(&desc, &err);
		if (!ret)
			fail_msg("%d: accepted; expected %s", i, bad[i].expected);
		check_error(KSTATE_BAD_DESCRIPTION, -EINVAL, bad[i].path, bad[i].expected,
			    bad[i].found, __FILE__, __LINE__);
		assert_ptr_equal(desc.schema, NULL);

		/* Nothing else lets it pass, either */
		memset(&err, 0, sizeof(err));
		assert_int_equal(kstate_stream_save(stream, &desc, &thing, KSTATE_ID(1), &err),
				 -EINVAL);
		assert_int_equal(err.reason, KSTATE_BAD_DESCRIPTION);
	}
	kstate_set_destroy(set);
}

static void recursion(void **state)
{
	struct kstate_description desc = self_desc;

	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_check_description(&desc, &err), -EINVAL);
	assert_int_equal(err.reason, KSTATE_BAD_DESCRIPTION);
	assert_string_equal(err.expected, "at most 8 structs inside each other");
	assert_string_equal(err.found, "more, or a cycle");
	assert_ptr_equal(strstr(err.path, "self.f.f.f"), err.path);
}

static void depth(void **state)
{
	struct kstate_description descs[KSTATE_MAX_DEPTH + 1];
	struct kstate_field fields[KSTATE_MAX_DEPTH + 1][2];

	for (int i = 0; i <= KSTATE_MAX_DEPTH; i++) {
		fields[i][0] = (struct kstate_field){ .name = "f", .num = 1, INT };
		fields[i][1] = (struct kstate_field){ .kind = KS_END };
		if (i) {
			fields[i][0].kind = KS_STRUCT;
			fields[i][0].type = 0;
			fields[i][0].ksd = &descs[i - 1];
		}
		descs[i] = (struct kstate_description){ .name = "deep", .fields = fields[i] };
	}
	assert_fits(kstate_check_description(&descs[KSTATE_MAX_DEPTH - 1], &err));
	kstate_forget(&descs[KSTATE_MAX_DEPTH - 1]);
	assert_int_equal(kstate_check_description(&descs[KSTATE_MAX_DEPTH], NULL), -EINVAL);
}

static void too_many_fields(void **state)
{
	static struct kstate_field fields[KSTATE_MAX_FIELDS + 2];
	static char names[KSTATE_MAX_FIELDS + 1][16];
	struct kstate_description desc = { .name = "d", .fields = fields };

	for (int i = 0; i <= KSTATE_MAX_FIELDS; i++) {
		snprintf(names[i], sizeof(names[i]), "f%d", i);
		fields[i] = (struct kstate_field){ .name = names[i], .num = 1, INT, .offset = 4 * i };
	}
	fields[KSTATE_MAX_FIELDS + 1].kind = KS_END;
	assert_error(kstate_check_description(&desc, &err), KSTATE_BAD_DESCRIPTION, -EINVAL, "d",
		     "at most 1024 fields", "more");
	fields[KSTATE_MAX_FIELDS].kind = KS_END;
	assert_fits(kstate_check_description(&desc, &err));
	kstate_forget(&desc);
}

static void too_large(void **state)
{
	struct kstate_field fields[] = {
		{ .name = "f", INT, .modifiers = KS_ARRAY, .num = KSTATE_MAX_FIXED / 4 + 1 },
		{ .kind = KS_END },
	};
	struct kstate_description desc = { .name = "d", .fields = fields };

	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_check_description(&desc, &err), -EINVAL);
	assert_int_equal(err.reason, KSTATE_BAD_DESCRIPTION);
	fields[0].num = 0x40000001;
	assert_int_equal(kstate_check_description(&desc, NULL), -EINVAL);
	fields[0].num--;
	assert_int_equal(kstate_check_description(&desc, NULL), -EINVAL);
	fields[0].num = KSTATE_MAX_FIXED / 4;
	assert_fits(kstate_check_description(&desc, &err));
	kstate_forget(&desc);
}

/* A name as long as it may be, an alias that no field has */
static void good_descriptions(void **state)
{
	struct kstate_description longest = {
		.name = LONG_127, .fields = FIELDS(RAW(INT, KSTATE_ALIAS("x", LONG_127)), END)
	};
	struct kstate_description nothing = { .name = "nothing", .fields = FIELDS(END) };

	assert_fits(kstate_check_description(&longest, &err));
	kstate_forget(&longest);
	assert_fits(kstate_check_description(&nothing, &err));
	kstate_forget(&nothing);
}

/* The reasons, one by one, with all that they say */

struct object {
	u32 a;
	s16 list[3];
	u32 *pointer;
	u64 custom;
};

static int fails;

static int custom_put(struct kstate_stream *stream, void *obj, const struct kstate_field *field)
{
	return fails ? -EIO : kstate_put_u64(stream, "x", 1);
}

static int custom_get(struct kstate_stream *stream, void *member, const struct kstate_field *field)
{
	return fails ? -ENXIO : kstate_get_u64(stream, "x", member);
}

static KSTATE_DESCRIBE(object, "object", 1,
	KSTATE_BASE_TYPE(a, struct object, u32),
	KSTATE_BASE_TYPE(list, struct object, s16 [3]),
	KSTATE_POINTER(pointer, struct object, KSTATE_ALLOC),
	KSTATE_CUSTOM(custom, struct object, custom_put, custom_get));
static KSTATE_DESCRIBE(object_limited, "object", 1,
	KSTATE_BASE_TYPE(a, struct object, u32, KSTATE_MASK(0xf)),
	KSTATE_BASE_TYPE(list, struct object, s16 [3], KSTATE_RANGE(-5, 5)),
	KSTATE_POINTER(pointer, struct object),
	KSTATE_CUSTOM(custom, struct object, custom_put, custom_get));
static KSTATE_DESCRIBE(object_blocked, "object", 1,
	KSTATE_BASE_TYPE(a, struct object, u32),
	KSTATE_POINTER(pointer, struct object),
	KSTATE_CUSTOM(custom, struct object, custom_put, custom_get));
static KSTATE_DESCRIBE_OPTS(object_newer, "object", (.version_id = 7, .min_version_id = 6),
	KSTATE_BASE_TYPE(a, struct object, u32));

static void reasons_when_saving(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct object o = { .a = 16 };

	use(&object);
	use(&object_limited);
	assert_error(kstate_stream_save(stream, &object_limited, &o, KSTATE_ID(3), &err),
		     KSTATE_VALUE, -ERANGE, "object[3].a", "bits of 0xf", "0x10 (0x10 too many)");
	o.a = 0;
	o.list[2] = -6;
	assert_error(kstate_stream_save(stream, &object_limited, &o, KSTATE_ID(3), &err),
		     KSTATE_VALUE, -ERANGE, "object[3].list[2]", "-5 to 5", "-6");
	o.list[2] = 5;
	fails = 1;
	assert_error(kstate_stream_save(stream, &object, &o, KSTATE_ID(3), &err),
		     KSTATE_CALLBACK, -EIO, "object[3].custom",
		     "a value from the function that saves", "error -5");
	fails = 0;
	assert_fits(kstate_stream_save(stream, &object, &o, KSTATE_ID(3), &err));
	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_stream_save(stream, &object, &o, KSTATE_ID(3), &err), -EEXIST);
	assert_int_equal(err.reason, KSTATE_DUPLICATE);
	assert_string_equal(err.path, "object[3]");
	assert_string_equal(err.writer, "");
	assert_true(IS_ERR(kstate_stream_create(set, "test", &err)));
	assert_true(IS_ERR(kstate_stream_create(NULL, "other", NULL)));
	kstate_set_destroy(set);
}

static void reasons_when_restoring(void **state)
{
	u32 there = 3;
	struct object o = { .a = 16, .list = { 1, 2, 3 }, .pointer = &there }, to = {};
	struct kstate_set *set = saved(&object, &o);
	struct kstate_stream *stream = kstate_stream_find(set, "test");

	use(&object_limited);
	use(&object_blocked);
	use(&object_newer);
	assert_error(kstate_stream_restore(stream, &object, &to, KSTATE_ID(2), &err),
		     KSTATE_NO_RECORD, -ENOENT, "object[2]", "a record in stream test", "none");
	assert_error(kstate_stream_restore(stream, &object_limited, &to, KSTATE_ID(1), &err),
		     KSTATE_VALUE, -ERANGE, "object[1].a", "bits of 0xf", "0x10 (0x10 too many)");
	assert_string_equal(err.writer, RELEASE);
	assert_error(kstate_stream_restore(stream, &object_blocked, &to, KSTATE_ID(1), &err),
		     KSTATE_BLOCKED, -EPROTO, "object[1].list", "only fields that the reader knows",
		     "one without a default");
	assert_error(kstate_stream_restore(stream, &object_newer, &to, KSTATE_ID(1), &err),
		     KSTATE_VERSION, -EPROTO, "object[1]", "version 6 to 7", "version 1 to 1");
	assert_error(kstate_stream_restore(stream, &object_limited, &to, KSTATE_NAME("x"), &err),
		     KSTATE_BAD_CALL, -EINVAL, "object[\"x\"]", "a number as the key", "a string");
	fails = 1;
	assert_error(kstate_stream_restore(stream, &object, &to, KSTATE_ID(1), &err),
		     KSTATE_CALLBACK, -ENXIO, "object[1].custom",
		     "a value from the function of the field", "error -6");
	fails = 0;
	shim_fail_at(1);
	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_stream_restore(stream, &object, &to, KSTATE_ID(1), &err), -ENOMEM);
	assert_int_equal(err.reason, KSTATE_NO_MEMORY);
	shim_fail_at(0);
	assert_null(to.pointer);
	assert_fits(kstate_stream_restore(stream, &object, &to, KSTATE_ID(1), &err));
	assert_int_equal(*to.pointer, 3);
	assert_error(kstate_stream_restore(stream, &object, &to, KSTATE_ID(1), &err),
		     KSTATE_CLAIMED, -EALREADY, "object[1]", "a record that has not been restored",
		     "one that has");
	kvfree(to.pointer);
	kstate_set_destroy(set);
}

static void reasons_when_opening(void **state)
{
	struct object o = {};
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct kstate_header *header;
	size_t size;
	u8 *blob;

	stream_save(stream, &object, &o, KSTATE_ID(1));
	blob = set_bytes(set, &size);
	header = (void *)blob;

	blob[0] ^= 1;
	assert_error(PTR_ERR(kstate_memory_open(blob, size, &err)),
		     KSTATE_FOREIGN, -EPROTONOSUPPORT, "handover", "a KSTATE header",
		     "something else");
	blob[0] ^= 1;
	assert_error(PTR_ERR(kstate_memory_open(blob, 7, &err)), KSTATE_FOREIGN, -EPROTONOSUPPORT,
		     "handover", "a KSTATE header", "something else");
	blob[40] ^= 1;
	memset(&err, 0, sizeof(err));
	assert_int_equal(PTR_ERR(kstate_memory_open(blob, size, &err)), -EBADMSG);
	assert_int_equal(err.reason, KSTATE_DAMAGED);
	blob[40] ^= 1;
	assert_int_equal(PTR_ERR(kstate_memory_open(blob, size - 8, NULL)), -EBADMSG);

	header->format = cpu_to_le32(99);
	header->crc = 0;
	header->crc = cpu_to_le32(~crc32c(~0, header, sizeof(*header)));
	assert_error(PTR_ERR(kstate_memory_open(blob, size, &err)),
		     KSTATE_FOREIGN, -EPROTONOSUPPORT, "handover", "format 1", "99");
	kvfree(blob);
}

/* A record whose bytes are not those that were written */
static void damaged(void **state)
{
	struct object o = { .a = 0x12345678 };
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	size_t size;
	u8 *blob;

	stream_save(stream, &object, &o, KSTATE_ID(1));
	stream_save(stream, &object, &o, KSTATE_ID(2));
	blob = set_bytes(set, &size);
	for (size_t i = 0; i < size - 4; i++) {
		if (memcmp(blob + i, &o.a, 4))
			continue;
		blob[i] ^= 0x80;
		break;
	}
	set = kstate_memory_open(blob, size, &err);
	assert_false(IS_ERR(set));
	stream = kstate_stream_find(set, "test");
	o.a = 0;
	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_stream_restore(stream, &object, &o, KSTATE_ID(1), &err), -EBADMSG);
	assert_int_equal(err.reason, KSTATE_DAMAGED);
	assert_string_equal(err.path, "object[1]");
	assert_string_equal(err.writer, RELEASE);
	assert_int_equal(o.a, 0);
	assert_fits(kstate_stream_restore(stream, &object, &o, KSTATE_ID(2), &err));
	assert_int_equal(o.a, 0x12345678);
	kvfree(blob);
	kstate_set_destroy(set);
}

/* Errors as text, as JSON, in the log */

static void texts(void **state)
{
	struct kstate_error e = {
		.code = -ERANGE, .reason = KSTATE_VALUE, .path = "luo[\"vm1\"].file[3].size",
		.expected = "0 to 9", .found = "10 \\", .writer = "7.3.0",
	}, none = {};
	char buf[2048], small[12];

	kstate_error_text(&e, buf, sizeof(buf));
	assert_string_equal(buf, "luo[\"vm1\"].file[3].size: value (-34): expected 0 to 9, "
				 "found 10 \\ (written by 7.3.0)");
	kstate_error_json(&e, buf, sizeof(buf));
	assert_string_equal(buf, "{\"code\":-34,\"reason\":\"value\","
				 "\"path\":\"luo[\\\"vm1\\\"].file[3].size\","
				 "\"expected\":\"0 to 9\","
				 "\"found\":\"10 \\\\\",\"writer\":\"7.3.0\"}");
	assert_int_equal(kstate_error_text(&none, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	assert_true(kstate_error_text(&e, small, sizeof(small)) < (int)sizeof(small));
	assert_int_equal(strlen(small), sizeof(small) - 1);
	kstate_error_json(&e, small, sizeof(small));
	assert_int_equal(strlen(small), sizeof(small) - 1);
	memset(e.path, '"', sizeof(e.path) - 1);
	memset(e.found, 1, sizeof(e.found) - 1);
	kstate_error_json(&e, buf, sizeof(buf));
}

static void reason_names(void **state)
{
	for (int i = KSTATE_OK; i <= KSTATE_CHANGED; i++) {
		assert_non_null(kstate_reason_name(i));
		assert_string_not_equal(kstate_reason_name(i), "unknown");
		for (int j = 0; j < i; j++)
			assert_string_not_equal(kstate_reason_name(i), kstate_reason_name(j));
	}
	assert_string_equal(kstate_reason_name(KSTATE_CHANGED + 1), "unknown");
}

static void logged(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct object o = { .a = 16 };

	use(&object_limited);
	shim_log_clear();
	assert_int_equal(kstate_stream_save(stream, &object_limited, &o, KSTATE_ID(3), NULL),
			 -ERANGE);
	assert_string_equal(shim_log(), "<3>kstate: save: object[3].a: value (-34): "
					"expected bits of 0xf, found 0x10 (0x10 too many) "
					"(stream test)\n");
	assert_int_equal(set->last_error.reason, KSTATE_VALUE);
	kstate_set_destroy(set);
}

/* A path that is too long for its buffer is cut, not spilled */
static void long_paths(void **state)
{
	struct kstate_description descs[8];
	struct kstate_field fields[8][2];
	struct { u32 v; } obj = { 1 };
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);

	for (int i = 0; i < 8; i++) {
		fields[i][0] = (struct kstate_field){ .name = LONG_127, .num = 1, INT,
		      .masked = !i };
		fields[i][1] = (struct kstate_field){ .kind = KS_END };
		if (i) {
			fields[i][0].kind = KS_STRUCT;
			fields[i][0].type = 0;
			fields[i][0].ksd = &descs[i - 1];
		}
		descs[i] = (struct kstate_description){ .name = LONG_127, .fields = fields[i] };
	}
	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_stream_save(stream, &descs[7], &obj, KSTATE_ID(1), &err), -ERANGE);
	assert_int_equal(strlen(err.path), sizeof(err.path) - 1);
	kstate_forget(&descs[7]);
	kstate_set_destroy(set);
}

struct hidden {
	u32 key;
};

static int absent_enoent(void *member, const struct kstate_field *field)
{
	return -ENOENT;
}

static KSTATE_DESCRIBE(hidden, "hidden", 1, KSTATE_BASE_TYPE(key, struct hidden, u32));
static KSTATE_DESCRIBE(hidden_limited, "hidden", 1,
	KSTATE_BASE_TYPE(key, struct hidden, u32, KSTATE_SECRET, KSTATE_RANGE(0, 9)));
static KSTATE_DESCRIBE(hidden_enoent, "hidden", 1,
	KSTATE_REMOVED("key"),
	{ .name = "other", .kind = KS_BASE_TYPE, .type = KS_U32, .size = 4, .num = 1,
	  .absent = absent_enoent });

/* Messages do not show secrets; no other reason has the code of "no record" */
static void secrets_and_codes(void **state)
{
	struct hidden h = { 1234 }, to = {};
	struct kstate_set *set = saved(&hidden, &h);
	struct kstate_stream *stream = kstate_stream_find(set, "test");

	use(&hidden_limited);
	use(&hidden_enoent);
	assert_error(kstate_stream_restore(stream, &hidden_limited, &to, KSTATE_ID(1), &err),
		     KSTATE_VALUE, -ERANGE, "hidden[1].key", "0 to 9", "a secret value");
	assert_error(kstate_stream_restore(stream, &hidden_enoent, &to, KSTATE_ID(1), &err),
		     KSTATE_CALLBACK, -EIO, "hidden[1].other",
		     "a value from the function of the field", "error -2");
	kstate_set_destroy(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(secrets_and_codes),
		TEST(bad_descriptions),
		TEST(recursion),
		TEST(depth),
		TEST(too_many_fields),
		TEST(too_large),
		TEST(good_descriptions),
		TEST(reasons_when_saving),
		TEST(reasons_when_restoring),
		TEST(reasons_when_opening),
		TEST(damaged),
		TEST(texts),
		TEST(reason_names),
		TEST(logged),
		TEST(long_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
