// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write the golden streams: NAME.kstate, and as NAME.json what a reader has to
 * find in it, which comes from the values below and not from any decoder. Or
 * tell what the core makes of files.
 * usage: golden DIRECTORY
 *        golden --open FILE...
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kstate.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#include <shim.h>
#include "store.h"

#define RELEASE		"7.3.0-golden"

static const char *directory, *topic, *release = RELEASE;
static u32 arch = 62;
static struct kstate_error err;

__printf(1, 2)
static void die(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "golden: %s: ", topic ?: "start");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static FILE *create(const char *suffix)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.%s", directory, topic, suffix);
	file = fopen(path, "wb");
	if (!file)
		die("%s: %s", path, strerror(errno));
	return file;
}

/* JSON: each value has a name, or NULL in an array */

static FILE *json;
static int depth;
static bool first = true;

static void put(const char *name)
{
	if (depth)
		fprintf(json, "%s\n%*s", first ? "" : ",", depth, "");
	first = false;
	if (name)
		fprintf(json, "\"%s\": ", name);
}

static void begin(const char *name, char bracket)
{
	put(name);
	fputc(bracket, json);
	depth++;
	first = true;
}

static void end(char bracket)
{
	depth--;
	if (!first)
		fprintf(json, "\n%*s", depth, "");
	fputc(bracket, json);
	first = false;
}

static void put_s(const char *name, s64 val)
{
	put(name);
	fprintf(json, "%lld", (long long)val);
}

static void put_u(const char *name, u64 val)
{
	put(name);
	fprintf(json, "%llu", (unsigned long long)val);
}

static void put_bool(const char *name, bool val)
{
	put(name);
	fputs(val ? "true" : "false", json);
}

static void put_null(const char *name)
{
	put(name);
	fputs("null", json);
}

static void put_bytes(const char *name, const void *data, size_t size)
{
	put(name);
	fputc('"', json);
	for (const u8 *p = data; size--; p++)
		fprintf(json, *p < 0x20 || *p == '"' || *p == '\\' ? "\\u%04x" : "%c", *p);
	fputc('"', json);
}

static void put_text(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

/* A string as a stream holds it: with its zero byte, or nothing for NULL */
static void put_string(const char *name, const char *text)
{
	put_bytes(name, text, text ? strlen(text) + 1 : 0);
}

/* Members by their names: S() signed, U() unsigned, B() bool; arrays of them */
#define S(_o, _m)	put_s(#_m, (_o)->_m)
#define U(_o, _m)	put_u(#_m, (_o)->_m)
#define B(_o, _m)	put_bool(#_m, (_o)->_m)
#define ARRAY_OF(_put, _o, _m, _n) do {					\
	begin(#_m, '[');						\
	for (size_t _i = 0; _i < (_n); _i++)				\
		_put(NULL, (_o)->_m[_i]);				\
	end(']');							\
} while (0)

/* Sets, streams, records */

static struct kstate_set *set;
static struct kstate_stream *stream;

static void begin_json(const char *name)
{
	topic = name;
	json = create("json");
	begin(NULL, '{');
	begin("header", '{');
	put_u("format", KSTATE_FORMAT);
	put_u("header_size", sizeof(struct kstate_header));
	put_u("page_size", PAGE_SIZE);
	put_u("arch", arch);
	put_text("release", release);
	end('}');
	begin("streams", '[');
}

static void begin_set(const char *name)
{
	begin_json(name);
	set = kstate_memory_create();
	if (!set)
		die("no set");
}

/* What else is known of the set may follow */
static void end_streams(void)
{
	void *blob;
	size_t size;
	FILE *file;

	end(']');
	if (kstate_set_export(set, &blob, &size))
		die("export");
	file = create("kstate");
	fwrite(blob, size, 1, file);
	if (fclose(file))
		die("write");
	kvfree(blob);
}

static void end_json(void)
{
	end('}');
	fputc('\n', json);
	if (fclose(json))
		die("write");
	first = true;
}

static void end_set(void)
{
	end_streams();
	end_json();
	kstate_set_destroy(set);
}

static void begin_stream(const char *name)
{
	stream = kstate_stream_create(set, name, &err);
	if (IS_ERR_OR_NULL(stream))
		die("stream %s: %s", name, err.expected);
	begin(NULL, '{');
	put_text("name", name);
	begin("records", '[');
}

static void end_stream(unsigned int dropped)
{
	end(']');
	put_u("dropped", dropped);
	end('}');
}

static void save(struct kstate_description *desc, const void *obj, struct kstate_key key)
{
	if (kstate_stream_save(stream, desc, obj, key, &err))
		die("%s: %s, not %s", err.path, err.expected, err.found);
}

static void begin_record(struct kstate_description *desc, const void *obj, struct kstate_key key)
{
	save(desc, obj, key);
	begin(NULL, '{');
	put_text("state", desc->name);
	if (key.name)
		put_text("key", key.name);
	else
		put_u("key", key.id);
	put_bool("optional", desc->optional);
	begin("values", '{');
}

static void end_record(void)
{
	end('}');
	end('}');
}

/* A set of one stream; most topics need no more */
static void begin_topic(const char *name)
{
	begin_set(name);
	begin_stream("golden");
}

static void end_topic(void)
{
	end_stream(0);
	end_set();
}

/* The topics */

static void scalars(void)
{
	struct object {
		u8 b8;
		u64 b64;
		u16 b16;
		u32 b32;
		s8 i8;
		s64 i64;
		s16 i16;
		s32 i32;
		bool yes, no;
		char letter;
	} objects[] = {
		{ .yes = true, .letter = 'k', .b8 = 0xfe, .b16 = 0xfedc, .b32 = 0xfedcba98,
		  .b64 = 0xfedcba9876543210, .i8 = -2, .i16 = -300, .i32 = -70000,
		  .i64 = -5000000000 },
		{ .b8 = U8_MAX, .b16 = U16_MAX, .b32 = U32_MAX, .b64 = U64_MAX, .i8 = S8_MIN,
		  .i16 = S16_MIN, .i32 = S32_MIN, .i64 = S64_MIN, .letter = '"' },
		{ .i8 = S8_MAX, .i16 = S16_MAX, .i32 = S32_MAX, .i64 = S64_MAX },
	};

	KSTATE_DESCRIBE_STATIC(desc, "scalars", 1,
		KSTATE_BASE_TYPE(b8, struct object, u8),
		KSTATE_BASE_TYPE(b64, struct object, u64),
		KSTATE_BASE_TYPE(b16, struct object, u16),
		KSTATE_BASE_TYPE(b32, struct object, u32),
		KSTATE_BASE_TYPE(i8, struct object, s8),
		KSTATE_BASE_TYPE(i64, struct object, s64),
		KSTATE_BASE_TYPE(i16, struct object, s16),
		KSTATE_BASE_TYPE(i32, struct object, s32),
		KSTATE_BASE_TYPE(yes, struct object, bool),
		KSTATE_BASE_TYPE(no, struct object, bool),
		KSTATE_BASE_TYPE(letter, struct object, char));

	begin_topic("scalars");
	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++) {
		struct object *o = &objects[i];

		begin_record(&desc, o, KSTATE_ID(i));
		U(o, b8);
		U(o, b64);
		U(o, b16);
		U(o, b32);
		S(o, i8);
		S(o, i64);
		S(o, i16);
		S(o, i32);
		B(o, yes);
		B(o, no);
		put_bytes("letter", &o->letter, 1);
		end_record();
	}
	end_topic();
}

static void arrays(void)
{
	struct object {
		u16 five[5];
		char text[10];
		u8 matrix[2][3];
		s64 one[1];
		bool flags[3];
		s16 negative[3];
	} object = {
		.five = { 1, 2, 3, 4, 65535 }, .text = "slides",
		.matrix = { { 1, 2, 3 }, { 4, 5, 6 } }, .one = { -1 },
		.flags = { true, false, true }, .negative = { -1, 0, S16_MIN },
	};
	struct object *o = &object;

	KSTATE_DESCRIBE_STATIC(desc, "arrays", 1,
		KSTATE_BASE_TYPE(five, struct object, u16 [5]),
		KSTATE_BASE_TYPE(text, struct object, char [10]),
		KSTATE_ARRAY(matrix, struct object, u8),
		KSTATE_BASE_TYPE(one, struct object, s64 [1]),
		KSTATE_BASE_TYPE(flags, struct object, bool [3]),
		KSTATE_BASE_TYPE(negative, struct object, s16 [3]));

	begin_topic("arrays");
	begin_record(&desc, o, KSTATE_ID(1));
	ARRAY_OF(put_u, o, five, 5);
	put_bytes("text", o->text, sizeof(o->text));
	begin("matrix", '[');
	for (int i = 0; i < 6; i++)
		put_u(NULL, o->matrix[i / 3][i % 3]);
	end(']');
	ARRAY_OF(put_s, o, one, 1);
	ARRAY_OF(put_bool, o, flags, 3);
	ARRAY_OF(put_s, o, negative, 3);
	end_record();
	end_topic();
}

/* A struct that has a tail, for the topics below */

struct leaf {
	u8 small;
	u64 big;
	const char *name;
	struct list_head link;
};

static struct kstate_description leaf_desc = {
	.name = "leaf",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(small, struct leaf, u8),
		KSTATE_BASE_TYPE(big, struct leaf, u64),
		KSTATE_STRING(name, struct leaf),
		KSTATE_SKIP(link, struct leaf, "the list that it is on"),
		KSTATE_END_OF_LIST()
	},
};

static void put_leaf(const char *name, const struct leaf *leaf)
{
	if (!leaf) {
		put_null(name);
		return;
	}
	begin(name, '{');
	U(leaf, small);
	U(leaf, big);
	put_string("name", leaf->name);
	end('}');
}

static void put_leaves(const char *name, const struct leaf *leaves, unsigned int nr)
{
	begin(name, '[');
	while (nr--)
		put_leaf(NULL, leaves++);
	end(']');
}

static struct leaf leaves[] = {
	{ .small = 1, .big = 0x1122334455667788, .name = "one" },
	{ .small = 2, .big = 22 },
	{ .small = 3, .big = 333, .name = "" },
	{ .small = 4, .name = "a name of more than eight bytes" },
};

static void nested(void)
{
	struct point {
		s16 x, y;
	};
	struct inner {
		u8 pad;
		struct point points[3];
		const char *label;
		struct leaf leaf;
	};
	struct object {
		bool flag;
		struct inner inner[2];
		struct leaf leaf;
		struct point point;
		const char *last;
	} object = {
		.flag = true,
		.inner = {
			{ 7, { { 1, -1 }, { 2, -2 }, { 3, -3 } }, "first" },
			{ 8, { { S16_MAX, S16_MIN } }, NULL },
		},
		.point = { 100, 200 }, .last = "last",
	};
	struct object *o = &object;

	KSTATE_DESCRIBE_STATIC(point_desc, "point", 1,
		KSTATE_BASE_TYPE(x, struct point, s16),
		KSTATE_BASE_TYPE(y, struct point, s16));
	KSTATE_DESCRIBE_STATIC(inner_desc, "inner", 1,
		KSTATE_BASE_TYPE(pad, struct inner, u8),
		KSTATE_STRUCT_ARRAY(points, struct inner, &point_desc),
		KSTATE_STRING(label, struct inner),
		KSTATE_STRUCT(leaf, struct inner, &leaf_desc));
	KSTATE_DESCRIBE_STATIC(desc, "nested", 1,
		KSTATE_BASE_TYPE(flag, struct object, bool),
		KSTATE_STRUCT_ARRAY(inner, struct object, &inner_desc),
		KSTATE_STRUCT(leaf, struct object, &leaf_desc),
		KSTATE_STRUCT(point, struct object, &point_desc),
		KSTATE_STRING(last, struct object));

	o->inner[0].leaf = leaves[0];
	o->inner[1].leaf = leaves[2];
	o->leaf = leaves[3];
	begin_topic("nested");
	begin_record(&desc, o, KSTATE_ID(1));
	B(o, flag);
	begin("inner", '[');
	for (int i = 0; i < 2; i++) {
		struct inner *inner = &o->inner[i];

		begin(NULL, '{');
		U(inner, pad);
		begin("points", '[');
		for (int j = 0; j < 3; j++) {
			begin(NULL, '{');
			S(&inner->points[j], x);
			S(&inner->points[j], y);
			end('}');
		}
		end(']');
		put_string("label", inner->label);
		put_leaf("leaf", &inner->leaf);
		end('}');
	}
	end(']');
	put_leaf("leaf", &o->leaf);
	begin("point", '{');
	S(&o->point, x);
	S(&o->point, y);
	end('}');
	put_string("last", o->last);
	end_record();
	end_topic();
}

static void pointers(void)
{
	struct object {
		u32 *one;
		u64 *null;
		s16 *several[4];
		bool *flags[2];
		struct leaf *leaf;
		struct leaf *no_leaf;
		struct leaf *leaves[3];
		struct leaf *no_leaves[2];
	};
	u32 one = 111111;
	s16 a = -7, b = 7;
	bool flag = true;
	struct object object = {
		.one = &one, .several = { &a, NULL, &b, NULL }, .flags = { NULL, &flag },
		.leaf = &leaves[0], .leaves = { NULL, &leaves[1], &leaves[3] },
	};
	struct object *o = &object;

	KSTATE_DESCRIBE_STATIC(desc, "pointers", 1,
		KSTATE_POINTER(one, struct object, KSTATE_ALLOC),
		KSTATE_POINTER(null, struct object),
		KSTATE_ARRAY_OF_POINTER(several, struct object),
		KSTATE_ARRAY_OF_POINTER(flags, struct object),
		KSTATE_STRUCT_POINTER(leaf, struct object, &leaf_desc),
		KSTATE_STRUCT_POINTER(no_leaf, struct object, &leaf_desc),
		KSTATE_ARRAY_OF_STRUCT_POINTER(leaves, struct object, &leaf_desc),
		KSTATE_ARRAY_OF_STRUCT_POINTER(no_leaves, struct object, &leaf_desc));

	begin_topic("pointers");
	begin_record(&desc, o, KSTATE_ID(1));
	put_u("one", *o->one);
	put_null("null");
	begin("several", '[');
	for (int i = 0; i < 4; i++)
		o->several[i] ? put_s(NULL, *o->several[i]) : put_null(NULL);
	end(']');
	begin("flags", '[');
	for (int i = 0; i < 2; i++)
		o->flags[i] ? put_bool(NULL, *o->flags[i]) : put_null(NULL);
	end(']');
	put_leaf("leaf", o->leaf);
	put_leaf("no_leaf", o->no_leaf);
	ARRAY_OF(put_leaf, o, leaves, 3);
	ARRAY_OF(put_leaf, o, no_leaves, 2);
	end_record();
	end_topic();
}

struct sequences {
	u8 nr_fixed;
	u16 fixed[6];
	u32 nr_varray;
	u64 *varray;
	u32 nr_none;
	u64 *none;
	s32 by_fn[8];
	u16 nr_leaves;
	struct leaf *leaves;
	char string[16];
	char empty[4];
	const char *pointer;
	const char *utf8;
	const char *null;
	struct list_head list;
	struct list_head empty_list;
};

static int count_by_fn(const void *obj)
{
	return 3;
}

static void sequences(void)
{
	u64 varray[] = { 1, U64_MAX };
	struct sequences object = {
		.nr_fixed = 5, .fixed = { 10, 20, 30, 40, 50 },
		.nr_varray = ARRAY_SIZE(varray), .varray = varray,
		.by_fn = { -1, 2, -3 }, .nr_leaves = ARRAY_SIZE(leaves), .leaves = leaves,
		.string = "in the object", .pointer = "outside of it",
		.utf8 = "gr\xc3\xbc\xc3\x9f\x65, \"\\",
	};
	struct sequences *o = &object;
	struct leaf entries[3] = { leaves[3], leaves[1], leaves[0] };

	KSTATE_DESCRIBE_STATIC(desc, "sequences", 1,
		KSTATE_VARRAY(fixed, struct sequences, nr_fixed),
		KSTATE_VARRAY(varray, struct sequences, nr_varray),
		KSTATE_VARRAY(none, struct sequences, nr_none),
		KSTATE_VARRAY_FN(by_fn, struct sequences, count_by_fn),
		KSTATE_STRUCT_VARRAY(leaves, struct sequences, nr_leaves, &leaf_desc),
		KSTATE_STRING(string, struct sequences),
		KSTATE_STRING(empty, struct sequences),
		KSTATE_STRING(pointer, struct sequences),
		KSTATE_STRING(utf8, struct sequences),
		KSTATE_STRING(null, struct sequences),
		KSTATE_LIST(list, struct sequences, struct leaf, link, &leaf_desc),
		KSTATE_LIST(empty_list, struct sequences, struct leaf, link, &leaf_desc));

	INIT_LIST_HEAD(&o->list);
	INIT_LIST_HEAD(&o->empty_list);
	for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++)
		list_add_tail(&entries[i].link, &o->list);

	begin_topic("sequences");
	begin_record(&desc, o, KSTATE_ID(1));
	ARRAY_OF(put_u, o, fixed, o->nr_fixed);
	ARRAY_OF(put_u, o, varray, o->nr_varray);
	ARRAY_OF(put_u, o, none, o->nr_none);
	ARRAY_OF(put_s, o, by_fn, 3);
	put_leaves("leaves", o->leaves, o->nr_leaves);
	put_string("string", o->string);
	put_string("empty", NULL);	/* room for it is in the object: 0 stands for it */
	put_string("pointer", o->pointer);
	put_string("utf8", o->utf8);
	put_string("null", o->null);
	put_leaves("list", entries, ARRAY_SIZE(entries));
	put_leaves("empty_list", NULL, 0);
	end_record();
	end_topic();
}

static void map(void)
{
	static const unsigned long indices[] = { 0, 5, 1UL << 40 };
	struct object {
		struct xarray map;
		struct xarray empty;
	} object;
	struct object *o = &object;

	KSTATE_DESCRIBE_STATIC(desc, "map", 1,
		KSTATE_XARRAY(map, struct object, struct leaf, &leaf_desc),
		KSTATE_XARRAY(empty, struct object, struct leaf, &leaf_desc));

	xa_init(&o->map);
	xa_init(&o->empty);
	for (unsigned int i = 0; i < ARRAY_SIZE(indices); i++)
		xa_store(&o->map, indices[i], &leaves[i], GFP_KERNEL);

	begin_topic("map");
	begin_record(&desc, o, KSTATE_ID(1));
	begin("map", '[');
	for (unsigned int i = 0; i < ARRAY_SIZE(indices); i++) {
		begin(NULL, '[');
		put_u(NULL, indices[i]);
		put_leaf(NULL, &leaves[i]);
		end(']');
	}
	end(']');
	begin("empty", '[');
	end(']');
	end_record();
	end_topic();
	xa_destroy(&o->map);
}

static void bitmap(void)
{
	struct object {
		unsigned long one[1];
		unsigned long word[1];
		unsigned long many[3];
		unsigned long none[2];
	} object = {
		.one = { 1 }, .word = { 1UL << 63 | 1 }, .many = { 6, 1UL << 36, 2 },
	};
	struct object *o = &object;
	static const struct {
		const char *name;
		size_t member;
		u32 bits;
	} bitmaps[] = {
		{ "one", offsetof(struct object, one), 1 },
		{ "word", offsetof(struct object, word), 64 },
		{ "many", offsetof(struct object, many), 130 },
		{ "none", offsetof(struct object, none), 65 },
	};

	KSTATE_DESCRIBE_STATIC(desc, "bitmap", 1,
		KSTATE_BITMAP(one, struct object, 1),
		KSTATE_BITMAP(word, struct object, 64),
		KSTATE_BITMAP(many, struct object, 130),
		KSTATE_BITMAP(none, struct object, 65));

	begin_topic("bitmap");
	begin_record(&desc, o, KSTATE_ID(1));
	for (unsigned int i = 0; i < ARRAY_SIZE(bitmaps); i++) {
		const unsigned long *words = (void *)o + bitmaps[i].member;

		begin(bitmaps[i].name, '{');
		put_u("bits", bitmaps[i].bits);
		begin("set", '[');
		for (u32 bit = 0; bit < bitmaps[i].bits; bit++)
			if (words[bit / 64] >> bit % 64 & 1)
				put_u(NULL, bit);
		end(']');
		end('}');
	}
	end_record();
	end_topic();
}

static void unions(void)
{
	enum { PLAIN = 7, TAILED = 9, NOTHING = 0 };
	struct plain {
		u32 x;
		u16 y;
	};
	struct object {
		u8 tag;
		union {
			struct plain plain;
			struct leaf tailed;
		} u;
		u16 after;
	} objects[3] = {
		{ PLAIN, { .plain = { 100000, 200 } }, 1 },
		{ TAILED, { .tailed = leaves[0] }, 2 },
		{ NOTHING, { }, 3 },
	};
	static const char *const names[] = { "plain", "tailed", "nothing" };

	KSTATE_DESCRIBE_STATIC(plain_desc, "plain", 1,
		KSTATE_BASE_TYPE(x, struct plain, u32),
		KSTATE_BASE_TYPE(y, struct plain, u16));
	static const struct kstate_arm arms[] = {
		{ "plain", PLAIN, &plain_desc },
		{ "tailed", TAILED, &leaf_desc },
		{ .name = "nothing", .tag = NOTHING },
		{ },
	};
	KSTATE_DESCRIBE_STATIC(desc, "union", 1,
		KSTATE_UNION(u, struct object, tag, arms),
		KSTATE_BASE_TYPE(after, struct object, u16));

	begin_topic("union");
	for (int i = 0; i < 3; i++) {
		struct object *o = &objects[i];

		begin_record(&desc, o, KSTATE_ID(i));
		begin("u", '{');
		put_text("arm", names[i]);
		if (o->tag == TAILED) {
			put_leaf("value", &o->u.tailed);
		} else {
			begin("value", '{');
			if (o->tag == PLAIN) {
				U(&o->u.plain, x);
				U(&o->u.plain, y);
			}
			end('}');
		}
		end('}');
		U(o, after);
		end_record();
	}
	end_topic();
}

struct grouped {
	bool active;
	u32 level;
	const char *reason;
	u8 after;
};

static bool group_needed(const void *obj)
{
	return ((const struct grouped *)obj)->active;
}

static void group(void)
{
	struct grouped objects[] = {
		{ true, 12, "because", 1 },
		{ false, 77, NULL, 2 },
	};

	KSTATE_DESCRIBE_STATIC(members, "members", 1,
		KSTATE_BASE_TYPE(level, struct grouped, u32, KSTATE_DEFAULT(77)),
		KSTATE_STRING(reason, struct grouped, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(desc, "group", 1,
		KSTATE_BASE_TYPE(active, struct grouped, bool),
		KSTATE_GROUP(details, &members, group_needed),
		KSTATE_BASE_TYPE(after, struct grouped, u8));

	begin_topic("group");
	for (int i = 0; i < 2; i++) {
		struct grouped *o = &objects[i];

		begin_record(&desc, o, KSTATE_ID(i));
		B(o, active);
		if (o->active) {
			begin("details", '{');
			U(o, level);
			put_string("reason", o->reason);
			end('}');
		} else {
			put_null("details");
		}
		U(o, after);
		end_record();
	}
	end_topic();
}

/* Kept though it is not needed, as long as something is not its default */
static void group_kept(void)
{
	struct object {
		struct grouped g;
		s16 counts[2];
		u32 *pointer;
		u8 tag;
		union {
			u16 id;
			struct leaf leaf;
		} u;
	} objects[] = {
		{ .g = { false, 77, NULL, 1 }, .counts = { -1, -1 } },
		{ .g = { false, 78, NULL, 2 }, .counts = { -1, -1 } },
		{ .g = { false, 77, "", 3 }, .counts = { -1, -1 } },
		{ .g = { false, 77, NULL, 4 }, .counts = { -1, 0 } },
		{ .g = { false, 77, NULL, 5 }, .counts = { -1, -1 }, .tag = 1 },
		{ .g = { true, 77, NULL, 6 }, .counts = { -1, -1 } },
	};
	struct word {
		u16 id;
	};

	KSTATE_DESCRIBE_STATIC(word, "word", 1,
		KSTATE_BASE_TYPE(id, struct word, u16, KSTATE_DEFAULT(0)));
	static const struct kstate_arm arms[] = {
		{ "word", 0, &word }, { .name = "none", .tag = 1 }, { },
	};

	KSTATE_DESCRIBE_STATIC(members, "members", 1,
		KSTATE_BASE_TYPE(g.level, struct object, u32, KSTATE_DEFAULT(77)),
		KSTATE_STRING(g.reason, struct object, KSTATE_DEFAULT(0)),
		KSTATE_BASE_TYPE(counts, struct object, s16 [2], KSTATE_DEFAULT(-1)),
		KSTATE_POINTER(pointer, struct object, KSTATE_DEFAULT(0)),
		KSTATE_UNION(u, struct object, tag, arms, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(desc, "group_kept", 1,
		KSTATE_BASE_TYPE(g.active, struct object, bool),
		KSTATE_GROUP(details, &members, group_needed),
		KSTATE_BASE_TYPE(g.after, struct object, u8));

	begin_topic("group_kept");
	for (int i = 0; i < ARRAY_SIZE(objects); i++) {
		struct object *o = &objects[i];

		begin_record(&desc, o, KSTATE_ID(i));
		put_bool("g.active", o->g.active);
		if (i) {
			begin("details", '{');
			put_u("g.level", o->g.level);
			put_string("g.reason", o->g.reason);
			ARRAY_OF(put_s, o, counts, 2);
			put_null("pointer");
			begin("u", '{');
			put_text("arm", o->tag ? "none" : "word");
			end('}');
			end('}');
		} else {
			put_null("details");
		}
		put_u("g.after", o->g.after);
		end_record();
	}
	end_topic();
}

static const u8 data[] = { 0xde, 0xad, 0xbe, 0xef, 0x01 };

static int items_save(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	return kstate_put_u64(s, "unsigned", U64_MAX) ?:
	       kstate_put_s64(s, "signed", -42) ?:
	       kstate_put_data(s, "five bytes", data, 5) ?:
	       kstate_put_data(s, "eight!!!", "12345678", 8) ?:
	       kstate_put_data(s, "no bytes", data, 0) ?:
	       kstate_put_string(s, "text", "some text") ?:
	       kstate_put_string(s, "empty text", "") ?:
	       kstate_put_begin(s, "outer") ?:
	       kstate_put_begin(s, "inner") ?:
	       kstate_put_u64(s, "deep", 3) ?:
	       kstate_put_end(s) ?:
	       kstate_put_begin(s, "empty") ?:
	       kstate_put_end(s) ?:
	       kstate_put_folio(s, "no folio", NULL) ?:
	       kstate_put_end(s) ?:
	       kstate_put_u64(s, "last", 0);
}

static int nothing_save(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	return 0;
}

static int nothing_restore(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	return 0;
}

/* An item up to its value */
static void begin_item(const char *name, const char *type)
{
	begin(NULL, '{');
	put_text("name", name);
	put_text("type", type);
}

#define ITEM(_name, _type, _put, ...) do {				\
	begin_item(_name, _type);					\
	_put("value", ##__VA_ARGS__);					\
	end('}');							\
} while (0)

static void items(void)
{
	struct object {
		u8 before;
		u32 items;
		u32 nothing;
		u8 after;
	} object = { .before = 1, .after = 2 };
	struct object *o = &object;

	KSTATE_DESCRIBE_STATIC(desc, "items", 1,
		KSTATE_BASE_TYPE(before, struct object, u8),
		KSTATE_CUSTOM(items, struct object, items_save, nothing_restore),
		KSTATE_CUSTOM(nothing, struct object, nothing_save, nothing_restore),
		KSTATE_BASE_TYPE(after, struct object, u8));

	begin_topic("items");
	begin_record(&desc, o, KSTATE_ID(1));
	U(o, before);
	begin("items", '[');
	ITEM("unsigned", "U64", put_u, U64_MAX);
	ITEM("signed", "S64", put_s, -42);
	ITEM("five bytes", "BYTES", put_text, "deadbeef01");
	ITEM("eight!!!", "BYTES", put_text, "3132333435363738");
	ITEM("no bytes", "BYTES", put_text, "");
	ITEM("text", "TEXT", put_text, "some text");
	ITEM("empty text", "TEXT", put_text, "");
	begin_item("outer", "GROUP");
	begin("value", '[');
	begin_item("inner", "GROUP");
	begin("value", '[');
	ITEM("deep", "U64", put_u, 3);
	end(']');
	end('}');
	begin_item("empty", "GROUP");
	begin("value", '[');
	end(']');
	end('}');
	ITEM("no folio", "FOLIO", put_null);
	end(']');
	end('}');
	ITEM("last", "U64", put_u, 0);
	end(']');
	begin("nothing", '[');
	end(']');
	U(o, after);
	end_record();
	end_topic();
}

static void keys(void)
{
	struct object {
		u32 val;
	} object;
	struct object *o = &object;
	/* The last one is as long as a key may be, the number the CRC-32C of "A" */
	static const char *const names[] = {
		"A", "eight by", "gr\xc3\xbc\xc3\x9f\x65",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
	};
	static const u64 numbers[] = { 0, 0xe16dcdee, U64_MAX };

	KSTATE_DESCRIBE_STATIC(by_name, "by name", 1,
		KSTATE_BASE_TYPE(val, struct object, u32));
	KSTATE_DESCRIBE_STATIC(by_number, "by number", 1,
		KSTATE_BASE_TYPE(val, struct object, u32));

	by_name.string_key = true;
	by_number.optional = true;
	begin_set("keys");
	begin_stream("names");
	for (o->val = 0; o->val < ARRAY_SIZE(names); o->val++) {
		begin_record(&by_name, o, KSTATE_NAME(names[o->val]));
		U(o, val);
		end_record();
	}
	end_stream(0);
	begin_stream("nothing in it");
	end_stream(0);
	begin_stream("both");
	for (o->val = 0; o->val < ARRAY_SIZE(numbers); o->val++) {
		begin_record(&by_number, o, KSTATE_ID(numbers[o->val]));
		U(o, val);
		end_record();
	}
	begin_record(&by_name, o, KSTATE_NAME(names[0]));
	U(o, val);
	end_record();
	end_stream(0);
	end_set();
}

/* More records than one segment holds */
static void segments(void)
{
	struct object {
		char text[100];
	} object;
	struct object *o = &object;

	KSTATE_DESCRIBE_STATIC(desc, "segments", 1,
		KSTATE_BASE_TYPE(text, struct object, char [100]));

	begin_topic("segments");
	for (unsigned int i = 0; i < 48; i++) {
		memset(o->text, 'A' + i, sizeof(o->text));
		begin_record(&desc, o, KSTATE_ID(i));
		put_bytes("text", o->text, sizeof(o->text));
		end_record();
	}
	end_topic();
}

/* Schemas, up to what is in the fields, and after it */

static void begin_schema(u32 number, const struct kstate_description *desc)
{
	begin(NULL, '{');
	put_u("number", number);
	put_text("name", desc->name);
	put_u("version", desc->version_id);
	put_u("min_version", desc->min_version_id);
	put_bool("optional", desc->optional);
}

static void begin_hints(void)
{
	end(']');
	begin("hints", '[');
}

static void end_schema(void)
{
	end(']');
	end('}');
}

/* One field of a schema */
static void put_field(const char *name, const char *type, u16 flags, u64 dflt, u64 min, u64 max,
		      u64 mask)
{
	begin(NULL, '{');
	put_text("name", name);
	put_text("type", type);
	put_text("container", "ONE");
	put_u("flags", flags);
	put_u("count", 1);
	put_u("dflt", dflt);
	put_u("min", min);
	put_u("max", max);
	put_u("mask", mask);
	end('}');
}

static void put_hint(u16 field, const char *kind, const char *name, u64 value)
{
	begin(NULL, '{');
	put_u("field", field);
	put_text("kind", kind);
	put_text("name", name);
	put_u("value", value);
	end('}');
}

/* A field that was removed, with what it was */
static void put_was(const char *name, u16 flags, u64 dflt, u64 min, const char *type,
		    const char *container)
{
	begin(NULL, '{');
	put_text("name", name);
	put_text("type", "REMOVED");
	put_u("flags", flags);
	put_u("dflt", dflt);
	put_u("min", min);
	put_u("max", 0);
	begin("was", '[');
	put_text(NULL, type);
	put_text(NULL, container);
	end(']');
	end('}');
}

static int no_absent(void *member, const struct kstate_field *field)
{
	return 0;
}

static int no_convert(void *member, const struct kstate_value *from,
		      const struct kstate_field *field)
{
	return 0;
}

struct evolved {
	u32 renamed;
	s16 bounded;
	u8 bits;
	u64 key;
	bool hooked;
	u16 equal;
	char letter;
};

static const struct kstate_flag_name flag_names[] = {
	{ 1, "ready" }, { 0x30, "mode" }, { },
};

static struct kstate_description evolved_desc = {
	.name = "golden,schema",
	.version_id = 5,
	.min_version_id = 3,
	.optional = true,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(renamed, struct evolved, u32, KSTATE_DEFAULT(9),
				 KSTATE_ALIAS("old_name", "older_name")),
		KSTATE_REMOVED("gone"),
		KSTATE_BASE_TYPE(bounded, struct evolved, s16, KSTATE_DEFAULT(-1),
				 KSTATE_RANGE(-5, 5)),
		KSTATE_BASE_TYPE(bits, struct evolved, u8, KSTATE_MASK(0x3f), KSTATE_HEX,
				 KSTATE_FLAG_NAMES(flag_names)),
		KSTATE_BASE_TYPE(key, struct evolved, u64, KSTATE_SECRET, KSTATE_IGNORABLE),
		KSTATE_BASE_TYPE(hooked, struct evolved, bool, KSTATE_ABSENT(no_absent),
				 KSTATE_CONVERT(no_convert)),
		KSTATE_BASE_TYPE(equal, struct evolved, u16, KSTATE_EQUAL),
		KSTATE_BASE_TYPE(letter, struct evolved, char),
		KSTATE_END_OF_LIST()
	},
};

static void schema(void)
{
	struct evolved object = {
		.renamed = 1, .bounded = -5, .bits = 0x21, .key = 0x5ec3e7, .hooked = true,
		.equal = 1000, .letter = 'z',
	};
	struct evolved *o = &object;

	begin_topic("schema");
	begin_record(&evolved_desc, o, KSTATE_ID(1));
	U(o, renamed);
	S(o, bounded);
	U(o, bits);
	put_text("key", "(secret)");
	B(o, hooked);
	U(o, equal);
	put_bytes("letter", &o->letter, 1);
	end_record();
	end_stream(0);
	end_streams();

	begin("schemas", '[');
	begin_schema(0, &evolved_desc);
	put_u("size", 24);
	begin("fields", '[');
	put_field("renamed", "U32", KSTATE_FIELD_DEFAULT, 9, 0, 0, 0);
	put_field("old_name", "ALIAS", 0, 0, 0, 0, 0);
	put_field("older_name", "ALIAS", 0, 0, 0, 0, 0);
	put_field("gone", "REMOVED", 0, 0, 0, 0, 0);
	put_field("bounded", "S16", KSTATE_FIELD_DEFAULT | KSTATE_FIELD_RANGE, -1, -5, 5, 0);
	put_field("bits", "U8", KSTATE_FIELD_MASK, 0, 0, 0, 0x3f);
	put_field("key", "U64", KSTATE_FIELD_IGNORABLE, 0, 0, 0, 0);
	put_field("hooked", "BOOL", KSTATE_FIELD_HOOK | KSTATE_FIELD_CONVERT, 0, 0, 0, 0);
	put_field("equal", "U16", KSTATE_FIELD_EQUAL, 0, 0, 0, 0);
	put_field("letter", "CHAR", 0, 0, 0, 0, 0);
	begin_hints();
	put_hint(5, "HEX", "", 0);
	put_hint(5, "FLAG", "ready", 1);
	put_hint(5, "FLAG", "mode", 0x30);
	put_hint(6, "SECRET", "", 0);
	end_schema();
	end(']');
	end_json();
	kstate_set_destroy(set);
}

/* Names of values, and what fields were that there are no more */
static void named(void)
{
	struct object {
		s8 level;
		u64 mode;
		u16 codes[2];
	} object = { -2, U64_MAX, { 7, 8 } };
	struct object *o = &object;
	static const struct kstate_flag_name levels[] = {
		{ 0, "low" }, { 5, "high" }, { -2, "broken" }, { },
	};
	static const struct kstate_flag_name modes[] = { { U64_MAX, "any" }, { } };

	KSTATE_DESCRIBE_STATIC(desc, "named", 1,
		KSTATE_BASE_TYPE(level, struct object, s8, KSTATE_ENUM_NAMES(levels)),
		KSTATE_REMOVED("told", KSTATE_WAS(s16), KSTATE_DEFAULT(-9)),
		KSTATE_BASE_TYPE(mode, struct object, u64, KSTATE_ENUM_NAMES(modes)),
		KSTATE_REMOVED("text", KSTATE_WAS(char [8])),
		KSTATE_REMOVED("untold"),
		KSTATE_BASE_TYPE(codes, struct object, u16 [2], KSTATE_FLAG_NAMES(flag_names)));

	begin_topic("named");
	begin_record(&desc, o, KSTATE_ID(1));
	S(o, level);
	U(o, mode);
	ARRAY_OF(put_u, o, codes, 2);
	end_record();
	end_stream(0);
	end_streams();

	begin("schemas", '[');
	begin_schema(0, &desc);
	begin("fields", '[');
	put_field("level", "S8", 0, 0, 0, 0, 0);
	put_was("told", KSTATE_FIELD_DEFAULT, -9, KS_S16, "S16", "ONE");
	put_field("mode", "U64", 0, 0, 0, 0, 0);
	put_was("text", 0, 0, KS_CHAR | KS_C_ARRAY << 8, "CHAR", "ARRAY");
	put_field("untold", "REMOVED", 0, 0, 0, 0, 0);
	begin(NULL, '{');
	put_text("name", "codes");
	end('}');
	begin_hints();
	put_hint(0, "ENUM", "low", 0);
	put_hint(0, "ENUM", "high", 5);
	put_hint(0, "ENUM", "broken", -2);
	put_hint(2, "ENUM", "any", U64_MAX);
	put_hint(5, "FLAG", "ready", 1);
	put_hint(5, "FLAG", "mode", 0x30);
	end_schema();
	end(']');
	end_json();
	kstate_set_destroy(set);
}

/* Bytes that are shown as what they are */
static void addresses(void)
{
	struct object {
		u8 mac[6];
		u8 uuid[16];
	} object = {
		{ 0x52, 0x54, 0x00, 0x12, 0x34, 0xfe },
		{ 0xf8, 0x1d, 0x4f, 0xae, 0x7d, 0xec, 0x11, 0xd0, 0xa7, 0x65, 0x00, 0xa0, 0xc9, 0x1e,
		  0x6b, 0xf6 },
	};
	struct object *o = &object;

	KSTATE_DESCRIBE_STATIC(desc, "addresses", 1,
		KSTATE_FIELD(struct object, mac, KSTATE_MAC),
		KSTATE_FIELD(struct object, uuid, KSTATE_UUID));

	begin_topic("addresses");
	begin_record(&desc, o, KSTATE_ID(1));
	put_text("mac", "52:54:00:12:34:fe");
	put_text("uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
	end_record();
	end_stream(0);
	end_streams();

	begin("schemas", '[');
	begin_schema(0, &desc);
	begin("fields", '[');
	for (int i = 0; i < 2; i++) {
		begin(NULL, '{');
		put_text("name", i ? "uuid" : "mac");
		put_text("container", "ARRAY");
		end('}');
	}
	begin_hints();
	put_hint(0, "MAC", "", 0);
	put_hint(1, "UUID", "", 0);
	end_schema();
	end(']');
	end_json();
	kstate_set_destroy(set);
}

/* Catalogues: what descriptions say, and no records */

struct entry {
	u16 id;
	u8 nr;
	s8 vals[3];
};

union payload {
	struct entry entry;
	u32 word;
};

struct queue {
	s16 nr_shared;
	u16 ids[8];
	u32 *weights;
	struct entry entries[300];
	u8 nr_entries;
	u64 nr_pages;
	struct page *pages;
	struct page *more_pages;
	char name[16];
	char *label;
	unsigned long mask[2];
	s32 *slots[4];
	u8 tag;
	union payload payload;
	struct list_head leaves;
	void *waiter;
	u64 cookie;
};

static struct kstate_description entry_desc = {
	.name = "golden,entry",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(id, struct entry, u16),
		KSTATE_VARRAY(vals, struct entry, nr),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_arm payload_arms[] = {
	{ "entry", 3, &entry_desc }, { .name = "nothing" }, { },
};

static struct kstate_description queue_desc = {
	.name = "golden,queue",
	.version_id = 2,
	.min_version_id = 1,
	.string_key = true,
	.optional = true,
	.fields = (const struct kstate_field[]) {
		KSTATE_VARRAY(ids, struct queue, nr_shared, KSTATE_ALIAS("numbers"), KSTATE_HEX),
		KSTATE_REMOVED("gone"),
		KSTATE_VARRAY(weights, struct queue, nr_shared),
		KSTATE_STRUCT_VARRAY(entries, struct queue, nr_entries, &entry_desc),
		KSTATE_PAGES(pages, struct queue, nr_pages),
		KSTATE_PAGES(more_pages, struct queue, nr_pages),
		KSTATE_STRING(name, struct queue, KSTATE_SECRET),
		KSTATE_STRING(label, struct queue),
		KSTATE_BITMAP(mask, struct queue, 100),
		KSTATE_ARRAY_OF_POINTER(slots, struct queue),
		KSTATE_UNION(payload, struct queue, tag, payload_arms),
		KSTATE_LIST(leaves, struct queue, struct leaf, link, &leaf_desc),
		KSTATE_SKIP(waiter, struct queue, "nobody waits after the jump"),
		KSTATE_BASE_TYPE(cookie, struct queue, u64, KSTATE_DEFAULT(1)),
		KSTATE_END_OF_LIST()
	},
};

/* Two that differ in their room only */
struct narrow {
	u32 nr;
	u32 vals[4];
};

struct wide {
	u32 nr;
	u32 vals[8];
};

static struct kstate_description narrow_desc = {
	.name = "golden,room",
	.fields = (const struct kstate_field[]) {
		KSTATE_VARRAY(vals, struct narrow, nr),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description wide_desc = {
	.name = "golden,room",
	.fields = (const struct kstate_field[]) {
		KSTATE_VARRAY(vals, struct wide, nr),
		KSTATE_END_OF_LIST()
	},
};

/* An entry of struct kstate_wire_member, and how a reader calls its kind and type */
struct member {
	const char *name;
	u32 offset, size, num, field;
	enum kstate_kind kind;
	const char *kind_name;
	enum kstate_type type;
	const char *type_name;
	u16 modifiers;
	const char *reason;
};

#define MEMBER(_struct, _m, _size, _num, _field, _kind, ...) {		\
	.name = #_m, .offset = offsetof(_struct, _m), .size = _size, .num = _num, \
	.field = _field, .kind = KS_##_kind, .kind_name = #_kind, ##__VA_ARGS__ }
#define OF(_type)	.type = KS_##_type, .type_name = #_type
#define MODIFIED(_bits)	.modifiers = _bits
/* The length or the tag of the member before */
#define LENGTH(_struct, _m, _type) {					\
	.name = "", .offset = offsetof(_struct, _m),			\
	.size = sizeof(((_struct *)0)->_m), .num = 1, .field = KSTATE_NO_REF, OF(_type) }

/* What later kinds are, by their catalogue */

struct twig {
	struct hlist_node link;
	u16 id;
};

struct node {
	u16 nr_links;
	u32 links[];
};

struct tree {
	u8 shape;
	union payload payload;
	bool busy;
	u32 since;
	struct hlist_head nodes;
	u32 nr_buffers;
	struct kstate_folio_entry *buffers;
	struct folio *fixed[2];
	u8 nr_spare;
	struct folio **spare;
	s16 colour;
	s16 nr_half;
	u8 half[4];
	struct list_head leaves;
};

static bool tree_busy(const void *obj)
{
	return ((const struct tree *)obj)->busy;
}

static const struct kstate_flag_name colours[] = {
	{ 0, "green" }, { -3, "brown" }, { },
};

static struct kstate_description twig_desc = {
	.name = "golden,twig",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(id, struct twig, u16),
		KSTATE_SKIP(link, struct twig, "the list that it is on"),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description node_desc = {
	.name = "golden,node",
	.fields = (const struct kstate_field[]) {
		KSTATE_FLEX_ARRAY(links, struct node, nr_links),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description busy_desc = {
	.name = "golden,busy",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(since, struct tree, u32, KSTATE_DEFAULT(5)),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description tree_desc = {
	.name = "golden,tree",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(busy, struct tree, bool),
		KSTATE_UNION(payload, struct tree, shape, payload_arms),
		KSTATE_BASE_TYPE(shape, struct tree, u8),
		KSTATE_GROUP(work, &busy_desc, tree_busy),
		KSTATE_HLIST(nodes, struct tree, struct twig, link, &twig_desc),
		KSTATE_FOLIOS(buffers, struct tree, nr_buffers, KSTATE_MAX_COUNT(1000)),
		KSTATE_FOLIO_ARRAY(fixed, struct tree),
		KSTATE_FOLIO_VARRAY(spare, struct tree, nr_spare, KSTATE_ALLOC),
		KSTATE_BASE_TYPE(colour, struct tree, s16, KSTATE_ENUM_NAMES(colours)),
		KSTATE_BASE_TYPE(nr_half, struct tree, s16, KSTATE_RANGE(0, 4)),
		KSTATE_VARRAY(half, struct tree, nr_half),
		KSTATE_LIST(leaves, struct tree, struct leaf, link, &leaf_desc,
			    KSTATE_MAX_COUNT(7)),
		KSTATE_REMOVED("height", KSTATE_WAS(u16), KSTATE_DEFAULT(12)),
		KSTATE_END_OF_LIST()
	},
};

/* Two that differ in that the struct is the object's own only */
struct beside {
	bool busy;
	u32 since;
};

struct behind {
	struct beside *work;
};

static bool beside_busy(const void *obj)
{
	return ((const struct beside *)obj)->busy;
}

static const struct kstate_description since_desc = {
	.name = "golden,busy",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(since, struct beside, u32, KSTATE_DEFAULT(5)),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description beside_desc = {
	.name = "golden,work",
	.fields = (const struct kstate_field[]) {
		KSTATE_GROUP(work, &since_desc, beside_busy),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description behind_desc = {
	.name = "golden,work",
	.fields = (const struct kstate_field[]) {
		KSTATE_STRUCT_POINTER(work, struct behind, &since_desc, KSTATE_DEFAULT(0)),
		KSTATE_END_OF_LIST()
	},
};

static const struct member queue_members[] = {
	MEMBER(struct queue, ids, 2, 8, 0, BASE_TYPE, OF(U16), MODIFIED(KS_VARRAY)),
	LENGTH(struct queue, nr_shared, S16),
	MEMBER(struct queue, weights, 4, 1, 3, BASE_TYPE, OF(U32),
	       MODIFIED(KS_VARRAY | KS_POINTER)),
	LENGTH(struct queue, nr_shared, S16),
	MEMBER(struct queue, entries, sizeof(struct entry), 300, 4, STRUCT, MODIFIED(KS_VARRAY)),
	LENGTH(struct queue, nr_entries, U8),
	MEMBER(struct queue, pages, 8, 1, 5, PAGES),
	LENGTH(struct queue, nr_pages, U64),
	MEMBER(struct queue, more_pages, 8, 1, 6, PAGES),
	LENGTH(struct queue, nr_pages, U64),
	MEMBER(struct queue, name, 1, 16, 7, STRING, OF(CHAR)),
	MEMBER(struct queue, label, 1, 1, 8, STRING, OF(CHAR), MODIFIED(KS_POINTER)),
	MEMBER(struct queue, mask, 8, 100, 9, BITMAP),
	MEMBER(struct queue, slots, 4, 4, 10, BASE_TYPE, OF(S32), MODIFIED(KS_ARRAY_OF_POINTER)),
	MEMBER(struct queue, payload, sizeof(union payload), 1, 11, UNION),
	LENGTH(struct queue, tag, U8),
	MEMBER(struct queue, leaves, sizeof(struct leaf), 1, 14, LIST),
	MEMBER(struct queue, waiter, 0, 1, KSTATE_NO_REF, SKIP,
	       .reason = "nobody waits after the jump"),
	MEMBER(struct queue, cookie, 8, 1, 15, BASE_TYPE, OF(U64)),
};

static const struct member entry_members[] = {
	MEMBER(struct entry, id, 2, 1, 0, BASE_TYPE, OF(U16)),
	MEMBER(struct entry, vals, 1, 3, 1, BASE_TYPE, OF(S8), MODIFIED(KS_VARRAY)),
	LENGTH(struct entry, nr, U8),
};

static const struct member tree_members[] = {
	MEMBER(struct tree, busy, 1, 1, 0, BASE_TYPE, OF(BOOL)),
	MEMBER(struct tree, payload, sizeof(union payload), 1, 1, UNION),
	LENGTH(struct tree, shape, U8),
	MEMBER(struct tree, shape, 1, 1, 4, BASE_TYPE, OF(U8)),
	{ .name = "work", .num = 1, .field = 5, .kind = KS_GROUP, .kind_name = "GROUP" },
	MEMBER(struct tree, nodes, sizeof(struct twig), 1, 6, HLIST),
	MEMBER(struct tree, buffers, sizeof(struct kstate_folio_entry), 1, 7, FOLIOS,
	       MODIFIED(KS_VARRAY | KS_POINTER)),
	LENGTH(struct tree, nr_buffers, U32),
	MEMBER(struct tree, fixed, 8, 2, 8, FOLIO, MODIFIED(KS_ARRAY)),
	MEMBER(struct tree, spare, 8, 1, 9, FOLIO, MODIFIED(KS_VARRAY | KS_POINTER)),
	LENGTH(struct tree, nr_spare, U8),
	MEMBER(struct tree, colour, 2, 1, 10, BASE_TYPE, OF(S16)),
	MEMBER(struct tree, nr_half, 2, 1, 11, BASE_TYPE, OF(S16)),
	MEMBER(struct tree, half, 1, 4, 12, BASE_TYPE, OF(U8), MODIFIED(KS_VARRAY)),
	LENGTH(struct tree, nr_half, S16),
	MEMBER(struct tree, leaves, sizeof(struct leaf), 1, 13, LIST),
};

static const struct member node_members[] = {
	MEMBER(struct node, links, 4, 1, 0, BASE_TYPE, OF(U32), MODIFIED(KS_VARRAY | KS_FLEX)),
	LENGTH(struct node, nr_links, U16),
};

#define MEMBERS(_members)	.members = _members, .nr_members = ARRAY_SIZE(_members)

static const struct state {
	struct kstate_description *desc;
	u32 schema, flags;
	const char *image, *type;
	const struct member *members;
	size_t nr_members;
} states[] = {
	{ .desc = &queue_desc, .schema = 2, .flags = KSTATE_STATE_USED | KSTATE_STATE_STRING_KEY,
	  .image = "vmlinux", .type = "struct queue", MEMBERS(queue_members) },
	{ .desc = &entry_desc, .schema = 0, .flags = KSTATE_STATE_NESTED,
	  .image = "vmlinux", .type = "struct entry", MEMBERS(entry_members) },
	{ .desc = &leaf_desc, .schema = 1, .flags = KSTATE_STATE_USED | KSTATE_STATE_NESTED,
	  .image = "vmlinux", .type = "struct leaf" },
	/* As another image has it: the same schema */
	{ .desc = &entry_desc, .schema = 0, .flags = KSTATE_STATE_USED,
	  .image = "golden_module", .type = "struct entry", MEMBERS(entry_members) },
	{ .desc = &narrow_desc, .schema = 3, .image = "golden_module", .type = "struct narrow" },
	{ .desc = &wide_desc, .schema = 4, .flags = KSTATE_STATE_USED, .image = "", .type = "" },
};

static const struct state later_states[] = {
	{ .desc = &tree_desc, .schema = 4, .flags = KSTATE_STATE_USED,
	  .image = "vmlinux", .type = "struct tree", MEMBERS(tree_members) },
	{ .desc = &node_desc, .schema = 5, .flags = KSTATE_STATE_USED,
	  .image = "vmlinux", .type = "struct node", MEMBERS(node_members) },
	{ .desc = &beside_desc, .schema = 6, .flags = KSTATE_STATE_USED,
	  .image = "one_module", .type = "struct beside" },
	{ .desc = &behind_desc, .schema = 7, .flags = KSTATE_STATE_USED,
	  .image = "another_module", .type = "struct behind" },
};

static __le32 add_string(char *strings, u32 *used, const char *text)
{
	u32 at = *used, size = strlen(text) + 1;

	memcpy(strings + at, text, size);
	*used += size;
	return cpu_to_le32(at);
}

static void add_state(const struct state *s)
{
	struct kstate_schema *schema = kstate_describe(s->desc, &err);
	struct kstate_wire_state *ws = kvzalloc(4096, GFP_KERNEL);
	struct kstate_wire_member *wm = (void *)(ws + 1);
	char *strings = (char *)(wm + s->nr_members);
	u32 used = 0, id;

	if (IS_ERR(schema) || kstate_set_schema(set, schema, &id, &err))
		die("%s: %s, not %s", err.path, err.expected, err.found);
	if (id != s->schema)
		die("%s has number %u", schema->name, id);
	ws->flags = cpu_to_le32(s->flags);
	ws->image = add_string(strings, &used, s->image);
	ws->type = add_string(strings, &used, s->type);
	for (size_t i = 0; i < s->nr_members; i++) {
		const struct member *m = &s->members[i];

		wm[i] = (struct kstate_wire_member){
			.name = add_string(strings, &used, m->name),
			.reason = add_string(strings, &used, m->reason ?: ""),
			.offset = cpu_to_le32(m->offset),
			.size = cpu_to_le32(m->size),
			.num = cpu_to_le32(m->num),
			.field = cpu_to_le32(m->field),
			.kind = m->kind & 0xff,
			.type = m->type,
			.modifiers = cpu_to_le16(m->modifiers),
		};
	}
	ws->nr_members = cpu_to_le32(s->nr_members);
	ws->strings = cpu_to_le32(used);
	if (kstate_set_add_state(set, id, (u8 *)ws,
				 ALIGN((u8 *)strings + used - (u8 *)ws, 8)))
		die("state %s", schema->name);
}

/* Text, or null if there is none */
static void put_text_or_null(const char *name, const char *text)
{
	if (text)
		put_text(name, text);
	else
		put_null(name);
}

static void put_state(const struct state *s)
{
	begin(NULL, '{');
	put_u("schema", s->schema);
	put_bool("used", s->flags & KSTATE_STATE_USED);
	put_bool("nested", s->flags & KSTATE_STATE_NESTED);
	put_bool("string_key", s->flags & KSTATE_STATE_STRING_KEY);
	put_text("image", s->image);
	put_text("type", s->type);
	begin("members", '[');
	for (size_t i = 0; i < s->nr_members; i++) {
		const struct member *m = &s->members[i];

		begin(NULL, '{');
		put_text("name", m->name);
		put_text("reason", m->reason ?: "");
		put_u("offset", m->offset);
		put_u("size", m->size);
		put_u("num", m->num);
		if (m->field == KSTATE_NO_REF)
			put_null("field");
		else
			put_u("field", m->field);
		put_text_or_null("kind", m->kind_name);
		put_text_or_null("type", m->type_name);
		put_u("modifiers", m->modifiers);
		end('}');
	}
	end(']');
	end('}');
}

/* A field as far as the hints are about it */
static void put_type(const char *name, const char *type, const char *container)
{
	begin(NULL, '{');
	put_text("name", name);
	put_text("type", type);
	put_text("container", container);
	end('}');
}

static void put_schemas_of_states(void)
{
	begin_schema(0, &entry_desc);
	begin("fields", '[');
	put_type("id", "U16", "ONE");
	put_type("vals", "S8", "SEQUENCE");
	begin_hints();
	put_hint(1, "ROOM", "", 3);
	put_hint(1, "LENGTH", "", 1);
	end_schema();

	begin_schema(1, &leaf_desc);
	begin("fields", '[');
	put_type("small", "U8", "ONE");
	put_type("big", "U64", "ONE");
	put_type("name", "CHAR", "SEQUENCE");
	begin_hints();
	put_hint(2, "TEXT", "", 0);
	end_schema();

	begin_schema(2, &queue_desc);
	begin("fields", '[');
	put_type("ids", "U16", "SEQUENCE");
	put_type("numbers", "ALIAS", "ONE");
	put_type("gone", "REMOVED", "ONE");
	put_type("weights", "U32", "SEQUENCE");
	put_type("entries", "STRUCT", "SEQUENCE");
	put_type("pages", "PAGES", "ONE");
	put_type("more_pages", "PAGES", "ONE");
	put_type("name", "CHAR", "SEQUENCE");
	put_type("label", "CHAR", "SEQUENCE");
	put_type("mask", "BITMAP", "ONE");
	put_type("slots", "S32", "POINTERS");
	put_type("payload", "UNION", "ONE");
	put_type("entry", "ARM", "ONE");
	put_type("nothing", "ARM", "ONE");
	put_type("leaves", "STRUCT", "SEQUENCE");
	put_type("cookie", "U64", "ONE");
	begin_hints();
	put_hint(0, "ROOM", "", 8);
	put_hint(0, "LENGTH", "", 0);
	put_hint(0, "HEX", "", 0);
	put_hint(3, "ROOM", "", S16_MAX);
	put_hint(3, "LENGTH", "", 0);
	put_hint(4, "ROOM", "", U8_MAX);
	put_hint(4, "LENGTH", "", 4);
	put_hint(5, "LENGTH", "", 5);
	put_hint(6, "LENGTH", "", 5);
	put_hint(7, "ROOM", "", 16);
	put_hint(7, "TEXT", "", 0);
	put_hint(7, "SECRET", "", 0);
	put_hint(8, "TEXT", "", 0);
	put_hint(9, "ROOM", "", 100);
	put_hint(10, "ROOM", "", 4);
	end_schema();

	begin_schema(3, &narrow_desc);
	begin("fields", '[');
	put_type("vals", "U32", "SEQUENCE");
	begin_hints();
	put_hint(0, "ROOM", "", 4);
	put_hint(0, "LENGTH", "", 0);
	end_schema();

	begin_schema(4, &wide_desc);
	begin("fields", '[');
	put_type("vals", "U32", "SEQUENCE");
	begin_hints();
	put_hint(0, "ROOM", "", 8);
	put_hint(0, "LENGTH", "", 0);
	end_schema();
}

/* What is special about the later kinds; the schemas inside are as above */
static void put_schemas_of_later_states(void)
{
	begin_schema(0, &entry_desc);
	end('}');
	begin_schema(1, &busy_desc);
	end('}');
	begin_schema(2, &twig_desc);
	end('}');
	begin_schema(3, &leaf_desc);
	end('}');

	begin_schema(4, &tree_desc);
	begin("fields", '[');
	put_type("busy", "BOOL", "ONE");
	put_type("payload", "UNION", "ONE");
	put_type("entry", "ARM", "ONE");
	put_type("nothing", "ARM", "ONE");
	put_type("shape", "U8", "ONE");
	put_type("work", "STRUCT", "OPTIONAL");
	put_type("nodes", "STRUCT", "SEQUENCE");
	put_type("buffers", "FOLIOS", "ONE");
	put_type("fixed", "FOLIO", "ARRAY");
	put_type("spare", "FOLIO", "SEQUENCE");
	put_type("colour", "S16", "ONE");
	put_type("nr_half", "S16", "ONE");
	put_type("half", "U8", "SEQUENCE");
	put_type("leaves", "STRUCT", "SEQUENCE");
	put_was("height", KSTATE_FIELD_DEFAULT, 12, KS_U16, "U16", "ONE");
	begin_hints();
	put_hint(1, "LENGTH", "", 1);
	put_hint(4, "LENGTH", "", 1);
	put_hint(5, "GROUP", "", 0);
	put_hint(7, "ROOM", "", 1000);
	put_hint(7, "LENGTH", "", 7);
	put_hint(9, "ROOM", "", U8_MAX);
	put_hint(9, "LENGTH", "", 9);
	put_hint(10, "ENUM", "green", 0);
	put_hint(10, "ENUM", "brown", -3);
	put_hint(11, "LENGTH", "", 11);
	put_hint(12, "ROOM", "", 4);
	put_hint(12, "LENGTH", "", 11);
	put_hint(13, "ROOM", "", 7);
	end_schema();

	begin_schema(5, &node_desc);
	begin("fields", '[');
	put_type("links", "U32", "SEQUENCE");
	begin_hints();
	put_hint(0, "ROOM", "", U16_MAX);
	put_hint(0, "LENGTH", "", 0);
	end_schema();

	begin_schema(6, &beside_desc);
	begin("fields", '[');
	put_type("work", "STRUCT", "OPTIONAL");
	begin_hints();
	put_hint(0, "GROUP", "", 0);
	end_schema();

	begin_schema(7, &behind_desc);
	begin("fields", '[');
	put_type("work", "STRUCT", "OPTIONAL");
	begin_hints();
	end_schema();
}

static void catalog_of(const char *name, const struct state *s, size_t nr,
		       void (*put_schemas)(void))
{
	/* Those of the image, not of who collects */
	release = "7.4.0-image";
	arch = 183;
	begin_set(name);
	set->limits = true;
	strscpy(set->writer, release);
	set->arch = arch;
	for (size_t i = 0; i < nr; i++)
		add_state(&s[i]);
	end_streams();

	begin("states", '[');
	for (size_t i = 0; i < nr; i++)
		put_state(&s[i]);
	end(']');
	begin("schemas", '[');
	put_schemas();
	end(']');
	end_json();
	kstate_set_destroy(set);
	release = RELEASE;
	arch = 62;
}

static void catalog(void)
{
	catalog_of("catalog", states, ARRAY_SIZE(states), put_schemas_of_states);
}

static void catalog_later(void)
{
	catalog_of("catalog_later", later_states, ARRAY_SIZE(later_states),
		   put_schemas_of_later_states);
}

static void dropped(void)
{
	KSTATE_DESCRIBE_STATIC(desc, "dropped", 1,
		KSTATE_BASE_TYPE(small, struct leaf, u8),
		KSTATE_STRING(name, struct leaf));

	begin_topic("dropped");
	save(&desc, &leaves[0], KSTATE_ID(1));
	begin_record(&desc, &leaves[1], KSTATE_ID(2));
	U(&leaves[1], small);
	put_string("name", leaves[1].name);
	end_record();
	save(&desc, &leaves[2], KSTATE_ID(3));
	if (kstate_stream_drop(stream, &desc, KSTATE_ID(1)))
		die("drop");
	begin_record(&desc, &leaves[3], KSTATE_ID(1));
	U(&leaves[3], small);
	put_string("name", leaves[3].name);
	end_record();
	/* The last one would leave nothing to skip */
	if (kstate_stream_drop(stream, &desc, KSTATE_ID(3)))
		die("drop");
	end_stream(2);
	end_set();
}

/* Room of records that were dropped, with others in it */
static void refilled(void)
{
	static const struct leaf same_size[] = {
		{ .small = 10, .name = "0" }, { .small = 11, .name = "1" },
		{ .small = 12, .name = "2" }, { .small = 13, .name = "3" },
		{ .small = 14, .name = "4" }, { .small = 15, .name = "5" },
	};
	/* Where they are in the end */
	static const int order[] = { 0, 4, 5, 3 };

	KSTATE_DESCRIBE_STATIC(desc, "refilled", 1,
		KSTATE_BASE_TYPE(small, struct leaf, u8),
		KSTATE_STRING(name, struct leaf));

	begin_topic("refilled");
	for (int i = 0; i < 4; i++)
		save(&desc, &same_size[i], KSTATE_ID(i));
	if (kstate_stream_drop(stream, &desc, KSTATE_ID(1)))
		die("drop");
	save(&desc, &same_size[4], KSTATE_ID(4));
	if (kstate_stream_drop(stream, &desc, KSTATE_ID(2)))
		die("drop");
	save(&desc, &same_size[5], KSTATE_ID(5));
	/* At the end it leaves no room behind */
	save(&desc, &leaves[3], KSTATE_ID(6));
	if (kstate_stream_drop(stream, &desc, KSTATE_ID(6)))
		die("drop");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const struct leaf *leaf = &same_size[order[i]];

		begin(NULL, '{');
		put_u("key", order[i]);
		begin("values", '{');
		U(leaf, small);
		put_string("name", leaf->name);
		end('}');
		end('}');
	}
	end_topic();
}

static void empty(void)
{
	begin_set("empty");
	end_set();
}

static void put_edge(const char *name, const char *kind, u64 addr, u64 size, u32 pages, u8 order,
		     u16 flags)
{
	begin(name, '{');
	put_text("kind", kind);
	put_u("addr", addr);
	put_u("size", size);
	put_u("pages", pages);
	put_u("order", order);
	put_u("flags", flags);
	end('}');
}

/* Memory that is handed over: only with KHO do edges have physical addresses */
static void edges(void)
{
	struct object {
		struct folio *folio;
		struct folio *no_folio;
		struct page *pages;
		u32 nr_pages;
		void *no_area;
		void *linear;
		void *no_linear;
		struct page *vmemmap;
	} object = {
		.nr_pages = 3, .linear = shim_memory + 12345, .vmemmap = pfn_to_page(321),
	};
	struct object *o = &object;

	KSTATE_DESCRIBE_STATIC(desc, "edges", 1,
		KSTATE_FOLIO(folio, struct object),
		KSTATE_FOLIO(no_folio, struct object),
		KSTATE_PAGES(pages, struct object, nr_pages),
		KSTATE_VMALLOC(no_area, struct object),
		KSTATE_ADDRESS(linear, struct object, KS_LINEAR_ADDR),
		KSTATE_ADDRESS(no_linear, struct object, KS_LINEAR_ADDR),
		KSTATE_ADDRESS(vmemmap, struct object, KS_VMEMMAP_ADDR));

	/* Before anything else, so that the addresses depend on the shim alone */
	o->folio = folio_alloc(GFP_KERNEL, 2);
	o->pages = virt_to_page(alloc_pages_exact(o->nr_pages * PAGE_SIZE, GFP_KERNEL));
	topic = "edges";
	if (shim_boot())
		die("boot");
	set = kstate_outgoing();
	begin_json(topic);
	/* Registered states have a stream that is always there */
	begin(NULL, '{');
	put_text("name", KSTATE_STREAM);
	begin("records", '[');
	end_stream(0);
	begin_stream("golden");
	begin_record(&desc, o, KSTATE_ID(1));
	put_edge("folio", "FOLIO", PFN_PHYS(folio_pfn(o->folio)), PAGE_SIZE << 2, 0, 2, 0);
	put_null("no_folio");
	put_edge("pages", "PAGES", page_to_phys(o->pages), o->nr_pages * PAGE_SIZE, 0, 0, 0);
	put_null("no_area");
	put_u("linear", virt_to_phys(o->linear));
	put_null("no_linear");
	put_u("vmemmap", page_to_pfn(o->vmemmap));
	end_record();
	end_stream(0);
	end_streams();
	end_json();
	kstate_stream_destroy(stream);
	shim_shutdown();
}

static void put_run(struct folio *folio, u32 order, u32 flags, u64 index, u32 count)
{
	begin(NULL, '{');
	put_u("pfn", folio_pfn(folio));
	put_u("order", order);
	put_u("flags", flags);
	put_u("index", index);
	put_u("count", count);
	end('}');
}

static void put_folio(const char *name, struct folio *folio)
{
	if (folio)
		put_edge(name, "FOLIO", PFN_PHYS(folio_pfn(folio)), PAGE_SIZE, 0, 0, 0);
	else
		put_null(name);
}

/* Folios in runs and in arrays; the second object has none */
static void folios(void)
{
	struct page *page = virt_to_page(alloc_pages_exact(9 * PAGE_SIZE, GFP_KERNEL));
	struct folio *big[] = {
		folio_alloc(GFP_KERNEL, 2), folio_alloc(GFP_KERNEL, 2), folio_alloc(GFP_KERNEL, 2),
	};
	struct kstate_folio_entry entries[] = {
		{ page_folio(page), 10, 0 },
		{ page_folio(page + 1), 11, 0 },
		{ page_folio(page + 2), 12, 0 },
		{ page_folio(page + 3), 13, 1 },		/* other flags */
		{ page_folio(page + 5), 14, 1 },		/* not the next one */
		{ page_folio(page + 4), 0, 0x3fff },		/* the one before */
		{ big[0], 100, 0 },
		{ big[1], 104, 0 },
		{ big[2], (1ULL << 44) - 4, 0 },		/* not the next index */
	};
	struct object {
		u32 nr;
		struct kstate_folio_entry *entries;
		struct folio *array[3];
		u8 nr_more;
		struct folio **more;
		u8 last;
	} objects[] = {
		{ .nr = ARRAY_SIZE(entries), .entries = entries,
		  .array = { page_folio(page + 6), NULL, page_folio(page + 7) },
		  .nr_more = 2, .more = (struct folio *[]){ page_folio(page + 8), NULL },
		  .last = 1 },
		{ .last = 2 },
	};

	KSTATE_DESCRIBE_STATIC(desc, "folios", 1,
		KSTATE_FOLIOS(entries, struct object, nr),
		KSTATE_FOLIO_ARRAY(array, struct object),
		KSTATE_FOLIO_VARRAY(more, struct object, nr_more, KSTATE_ALLOC),
		KSTATE_BASE_TYPE(last, struct object, u8));

	begin_topic("folios");
	if (folio_pfn(big[1]) != folio_pfn(big[0]) + 4 ||
	    folio_pfn(big[2]) != folio_pfn(big[0]) + 8)
		die("the simulated memory is not as expected");
	for (int i = 0; i < ARRAY_SIZE(objects); i++) {
		struct object *o = &objects[i];

		begin_record(&desc, o, KSTATE_ID(i));
		begin("entries", '[');
		if (o->nr) {
			put_run(page_folio(page), 0, 0, 10, 3);
			put_run(page_folio(page + 3), 0, 1, 13, 1);
			put_run(page_folio(page + 5), 0, 1, 14, 1);
			put_run(page_folio(page + 4), 0, 0x3fff, 0, 1);
			put_run(big[0], 2, 0, 100, 2);
			put_run(big[2], 2, 0, (1ULL << 44) - 4, 1);
		}
		end(']');
		ARRAY_OF(put_folio, o, array, 3);
		ARRAY_OF(put_folio, o, more, o->nr_more);
		U(o, last);
		end_record();
	}
	end_topic();
	for (int i = 0; i < ARRAY_SIZE(big); i++)
		folio_put(big[i]);
	free_pages_exact(page_address(page), 9 * PAGE_SIZE);
}

/* The worked example of the specification */

struct point {
	s16 x;
	s16 y;
};

struct shape {
	u8 color;
	u32 nr;
	struct point *points;
	char *name;
	struct point origin;
	bool filled;
};

static struct kstate_description point_state = {
	.name = "point",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(x, struct point, s16),
		KSTATE_BASE_TYPE(y, struct point, s16),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description shape_state = {
	.name = "acme,shape",
	.version_id = 3,
	.min_version_id = 2,
	.string_key = true,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(color, struct shape, u8, KSTATE_DEFAULT(1), KSTATE_RANGE(0, 15),
				 KSTATE_HEX),
		KSTATE_STRUCT_VARRAY(points, struct shape, nr, &point_state, KSTATE_ALLOC),
		KSTATE_STRING(name, struct shape),
		KSTATE_STRUCT(origin, struct shape, &point_state, KSTATE_ALIAS("centre")),
		KSTATE_BASE_TYPE(filled, struct shape, bool),
		KSTATE_END_OF_LIST()
	},
};

static void put_point(const char *name, const struct point *p)
{
	begin(name, '{');
	S(p, x);
	S(p, y);
	end('}');
}

static void example(void)
{
	struct point points[] = { { 1, 2 }, { -1, 300 }, { 0, 0 } };
	struct shape object = {
		.color = 12, .nr = ARRAY_SIZE(points), .points = points, .name = "tri",
		.origin = { 10, -10 }, .filled = true,
	};
	struct shape *o = &object;

	release = "7.3.4";
	shim_set_release(release);
	begin_set("example");
	begin_stream("shapes");
	begin_record(&shape_state, o, KSTATE_NAME("A"));
	U(o, color);
	begin("points", '[');
	for (u32 i = 0; i < o->nr; i++)
		put_point(NULL, &o->points[i]);
	end(']');
	put_string("name", o->name);
	put_point("origin", &o->origin);
	B(o, filled);
	end_record();
	end_topic();
	release = RELEASE;
	shim_set_release(release);
}

/* directory.c is not part of this program */

int kstate_directory_init(void)
{
	return 0;
}

void kstate_directory_exit(void)
{
}

/* Whether there is damage in a file, and how many states can be used */
static void open_file(const char *path)
{
	static char bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	struct kstate_set *opened;
	size_t size;

	if (!file)
		die("%s: %s", path, strerror(errno));
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	opened = kstate_memory_open(bytes, size, &err);
	if (IS_ERR(opened)) {
		puts("refused");
		return;
	}
	printf("%s %zu\n", opened->damage.code ? "damaged" : "good",
	       (size_t)list_count_nodes(&opened->states));
	kstate_set_destroy(opened);
}

int main(int argc, char **argv)
{
	static void (*const topics[])(void) = {
		edges, folios, scalars, arrays, nested, pointers, sequences, map, bitmap, unions,
		group, group_kept, items, keys, segments, schema, named, addresses, catalog, catalog_later,
		dropped, refilled, empty, example,
	};

	if (argc > 2 && !strcmp(argv[1], "--open")) {
		for (int i = 2; i < argc; i++)
			open_file(argv[i]);
		return 0;
	}
	if (argc != 2) {
		fprintf(stderr, "usage: golden DIRECTORY\n       golden --open FILE...\n");
		return 2;
	}
	directory = argv[1];
	shim_set_release(release);
	for (unsigned int i = 0; i < ARRAY_SIZE(topics); i++)
		topics[i]();
	return 0;
}
