/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Integers in records, which are little-endian, and in objects.
 */
#ifndef _KSTATE_VALUE_H
#define _KSTATE_VALUE_H

#include <linux/kstate_format.h>
#include <linux/string.h>
#include <linux/unaligned.h>

static inline bool kstate_is_int(u8 type)
{
	return type && type < KS_T_STRUCT;
}

static inline bool kstate_is_edge(u8 type)
{
	return type > KS_T_EDGE && type <= KS_T_VMALLOC;
}

static inline bool kstate_is_signed(u8 type)
{
	return (type & 0xf0) == 0x10;
}

static inline u8 kstate_size(u8 type)
{
	return type & 0xf;
}

/* Integers of both kinds go through u64; signed ones are extended to it */
static inline u64 kstate_extend(u64 val, u8 type)
{
	unsigned int shift = 64 - 8 * kstate_size(type);

	return kstate_is_signed(type) ? (u64)((s64)(val << shift) >> shift) : val;
}

/* An integer of a record */
static inline u64 kstate_int_load(const void *p, u8 type)
{
	switch (kstate_size(type)) {
	case 1:
		return kstate_extend(*(const u8 *)p, type);
	case 2:
		return kstate_extend(get_unaligned_le16(p), type);
	case 4:
		return kstate_extend(get_unaligned_le32(p), type);
	default:
		return get_unaligned_le64(p);
	}
}

static inline void kstate_int_store(void *p, u8 type, u64 val)
{
	switch (kstate_size(type)) {
	case 1:
		*(u8 *)p = val;
		break;
	case 2:
		put_unaligned_le16(val, p);
		break;
	case 4:
		put_unaligned_le32(val, p);
		break;
	default:
		put_unaligned_le64(val, p);
	}
}

/* An integer of an object */
static inline u64 kstate_mem_load(const void *p, u8 type)
{
	switch (kstate_size(type)) {
	case 1:
		return kstate_extend(*(const u8 *)p, type);
	case 2:
		return kstate_extend(get_unaligned((const u16 *)p), type);
	case 4:
		return kstate_extend(get_unaligned((const u32 *)p), type);
	default:
		return get_unaligned((const u64 *)p);
	}
}

static inline void kstate_mem_store(void *p, u8 type, u64 val)
{
	switch (kstate_size(type)) {
	case 1:
		*(u8 *)p = val;
		break;
	case 2:
		put_unaligned(val, (u16 *)p);
		break;
	case 4:
		put_unaligned(val, (u32 *)p);
		break;
	default:
		put_unaligned(val, (u64 *)p);
	}
}

/* Whether @val, as kstate_int_load() gave it for type @src, has room in type @dst */
static inline bool kstate_int_fits(u64 val, u8 src, u8 dst)
{
	unsigned int bits = 8 * kstate_size(dst);

	if (dst == KS_BOOL)
		return val <= 1;
	if (kstate_is_signed(dst)) {
		s64 max = (s64)(~0ULL >> (65 - bits));

		if (!kstate_is_signed(src))
			return val <= (u64)max;
		return (s64)val <= max && (s64)val >= -max - 1;
	}
	if (kstate_is_signed(src) && (s64)val < 0)
		return false;
	return val <= ~0ULL >> (64 - bits);
}

static inline bool kstate_within(u64 val, u64 min, u64 max, u8 type)
{
	if (kstate_is_signed(type))
		return (s64)val >= (s64)min && (s64)val <= (s64)max;
	return val >= min && val <= max;
}

/* Many runs of equal fields are short: do without a call for them */
static inline void kstate_copy(void *to, const void *from, u32 bytes)
{
	if (bytes > 8) {
		memcpy(to, from, bytes);
		return;
	}
	switch (bytes) {
	case 1:
		*(u8 *)to = *(const u8 *)from;
		break;
	case 2:
		put_unaligned(get_unaligned((const u16 *)from), (u16 *)to);
		break;
	case 4:
		put_unaligned(get_unaligned((const u32 *)from), (u32 *)to);
		break;
	case 8:
		put_unaligned(get_unaligned((const u64 *)from), (u64 *)to);
		break;
	default:
		memcpy(to, from, bytes);
	}
}

void kstate_convert_ints(void *to, u8 dst, u32 msize, const void *from, u8 src, u32 wsize,
			 u32 count);

#endif /* _KSTATE_VALUE_H */
