// SPDX-License-Identifier: GPL-2.0-only
/*
 * What values a field takes, the same when saving and when restoring; and values
 * of one integer type as those of another.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include "engine.h"

/**
 * kstate_int_text() - an integer for a message
 * @val: the value
 * @type: its type
 * @buf: where to
 * @size: of @buf
 */
void kstate_int_text(u64 val, u8 type, char *buf, size_t size)
{
	if (kstate_is_signed(type))
		snprintf(buf, size, "%lld", (s64)val);
	else
		snprintf(buf, size, "%llu", val);
}

/**
 * kstate_fail_int() - refuse a value
 * @where: for messages
 * @op: the step
 * @index: of the value in the field
 * @expected: what was expected
 * @val: the value
 * @type: its type
 *
 * Return: -ERANGE.
 */
int kstate_fail_int(struct kstate_where *where, const struct kstate_op *op, u32 index,
		    const char *expected, u64 val, u8 type)
{
	struct kstate_frame frame = {
		.up = where->frame, .path = op->path, .index = op->count > 1 ? (s64)index : -1,
	};
	char found[24];
	int ret;

	kstate_int_text(val, type, found, sizeof(found));
	where->frame = &frame;
	ret = kstate_fail(where, NULL, KSTATE_VALUE, -ERANGE, "%s\n%s", expected, found);
	where->frame = frame.up;
	return ret;
}

/**
 * kstate_check_bools() - check that bytes can be bools
 * @where: for messages
 * @op: the step
 * @p: the bytes
 *
 * Return: 0 or -ERANGE.
 */
int kstate_check_bools(struct kstate_where *where, const struct kstate_op *op, const u8 *p)
{
	u32 i;

	for (i = 0; i < op->count; i++)
		if (unlikely(p[i] > 1))
			return kstate_fail_int(where, op, i, "0 or 1", p[i], KS_U8);
	return 0;
}

static void add_name(char *names, int *len, const char *name, u64 bits, u64 *unnamed)
{
	if (!bits || (bits & *unnamed) != bits)
		return;
	*len += scnprintf(names + *len, 64 - *len, "%s%s", *len ? "|" : ": ", name);
	*unnamed &= ~bits;
}

/* The bits that are too many, in hexadecimal, with the reader's or the writer's names */
static noinline_for_stack int fail_mask(struct kstate_where *where, const struct kstate_op *op,
					const struct kstate_schema_field *f, u32 index, u64 val)
{
	struct kstate_frame frame = {
		.up = where->frame, .path = op->path, .index = op->count > 1 ? (s64)index : -1,
	};
	const struct kstate_flag_name *name = f->bind && !f->enumerated ? f->bind->flag_names :
									  NULL;
	const struct kstate_schema_hint *h;
	u64 more = val & ~f->mask, unnamed = more;
	char names[64] = "";
	int len = 0, ret;
	u32 pos = 0;

	for (; name && name->name; name++)
		add_name(names, &len, name->name, name->bits, &unnamed);
	while (op->from && !op->from->enumerated &&
	       (h = kstate_schema_name(op->schema, op->from, &pos)))
		add_name(names, &len, h->name, h->value, &unnamed);
	where->frame = &frame;
	ret = kstate_fail(where, NULL, KSTATE_VALUE, -ERANGE,
			  "bits of %#llx\n%#llx (%#llx too many%s)", f->mask, val, more, names);
	where->frame = frame.up;
	return ret;
}

/**
 * kstate_check_limit() - check a value against the constraints of its field
 * @where: for messages
 * @op: the step
 * @f: the field with the constraints
 * @index: of the value in the field
 * @val: the value
 * @held: the value that the object has, for KSTATE_EQUAL; or NULL
 *
 * Return: 0 or -ERANGE.
 */
int kstate_check_limit(struct kstate_where *where, const struct kstate_op *op,
		       const struct kstate_schema_field *f, u32 index, u64 val, const u64 *held)
{
	char expected[64], min[24], max[24];

	if ((f->flags & KSTATE_FIELD_RANGE) && !kstate_within(val, f->min, f->max, f->type)) {
		kstate_int_text(f->min, f->type, min, sizeof(min));
		kstate_int_text(f->max, f->type, max, sizeof(max));
		snprintf(expected, sizeof(expected), "%s to %s", min, max);
		return kstate_fail_int(where, op, index, expected, val, f->type);
	}
	if ((f->flags & KSTATE_FIELD_MASK) && (val & ~f->mask))
		return fail_mask(where, op, f, index, val);
	if ((f->flags & KSTATE_FIELD_EQUAL) && held && *held != val) {
		kstate_int_text(*held, f->type, min, sizeof(min));
		snprintf(expected, sizeof(expected), "%s, as the object has it",
			 kstate_is_secret(where, op->path) ? KSTATE_SECRET_TEXT : min);
		return kstate_fail_int(where, op, index, expected, val, f->type);
	}
	return 0;
}

/* A loop of its own for each pair of sizes, so that the compiler can unroll it */
#define CONVERT(_to, _from, _load)						\
	for (; i < count; i++)							\
		put_unaligned((_to)_load(from + i * sizeof(_from)),		\
			      (_to *)(to + i * sizeof(_to)))
#define CONVERT_FROM(_from, _load)						\
	do {									\
		switch (kstate_size(dst)) {					\
		case 1:								\
			CONVERT(u8, _from, _load);				\
			break;							\
		case 2:								\
			CONVERT(u16, _from, _load);				\
			break;							\
		case 4:								\
			CONVERT(u32, _from, _load);				\
			break;							\
		default:							\
			CONVERT(u64, _from, _load);				\
		}								\
	} while (0)

static inline u8 load_u8(const void *p) { return *(const u8 *)p; }
static inline s8 load_s8(const void *p) { return *(const s8 *)p; }
static inline u16 load_u16(const void *p) { return get_unaligned_le16(p); }
static inline s16 load_s16(const void *p) { return get_unaligned_le16(p); }
static inline u32 load_u32(const void *p) { return get_unaligned_le32(p); }
static inline s32 load_s32(const void *p) { return get_unaligned_le32(p); }
static inline u64 load_u64(const void *p) { return get_unaligned_le64(p); }

static __always_inline u64 spread(u64 x, u32 size)
{
	x = (x | x << 16) & 0x0000ffff0000ffffULL;
	return size == 1 ? (x | x << 8) & 0x00ff00ff00ff00ffULL : x;
}

/* Unsigned integers of 8 or 16 bits to twice that, eight bytes at a time; returns how many */
static __always_inline size_t convert_doubled(void *to, const void *from, u32 size, size_t count)
{
	size_t i;
	u64 x;

	for (i = 0; i + 8 <= count * size; i += 8) {
		x = get_unaligned_le64(from + i);
		put_unaligned(spread((u32)x, size), (u64 *)(to + 2 * i));
		put_unaligned(spread(x >> 32, size), (u64 *)(to + 2 * i + 8));
	}
	return i / size;
}

/**
 * kstate_convert_ints() - integers of a record as those of an object
 * @to: where to
 * @dst: their type there; all values are known to fit
 * @msize: bytes from one to the next there
 * @from: the integers of the record
 * @src: their type
 * @wsize: bytes from one to the next in the record
 * @count: how many
 */
void kstate_convert_ints(void *to, u8 dst, u32 msize, const void *from, u8 src, u32 wsize,
			 u32 count)
{
	size_t i = 0;

	if (msize != kstate_size(dst) || wsize != kstate_size(src)) {
		for (; i < count; i++)
			kstate_mem_store(to + i * msize, dst,
					 kstate_int_load(from + i * wsize, src));
		return;
	}
	if (msize == 2 * wsize && !kstate_is_signed(src) && !IS_ENABLED(CONFIG_CPU_BIG_ENDIAN))
		i = wsize == 1 ? convert_doubled(to, from, 1, count) :
		    wsize == 2 ? convert_doubled(to, from, 2, count) : 0;
	switch (src) {
	case KS_S8:
		CONVERT_FROM(s8, load_s8);
		break;
	case KS_S16:
		CONVERT_FROM(s16, load_s16);
		break;
	case KS_S32:
		CONVERT_FROM(s32, load_s32);
		break;
	case KS_U16:
		CONVERT_FROM(u16, load_u16);
		break;
	case KS_U32:
		CONVERT_FROM(u32, load_u32);
		break;
	case KS_U64:
	case KS_S64:
		CONVERT_FROM(u64, load_u64);
		break;
	default:
		CONVERT_FROM(u8, load_u8);
	}
}
