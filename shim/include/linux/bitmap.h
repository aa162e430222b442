/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_BITMAP_H
#define _SHIM_LINUX_BITMAP_H

#include <linux/bitops.h>
#include <linux/slab.h>
#include <linux/string.h>

#define BITMAP_FIRST_WORD_MASK(n)	(~0UL << ((n) & (BITS_PER_LONG - 1)))
#define BITMAP_LAST_WORD_MASK(n)	(~0UL >> (-(n) & (BITS_PER_LONG - 1)))

static inline void bitmap_zero(unsigned long *p, unsigned int bits)
{
	memset(p, 0, BITS_TO_LONGS(bits) * sizeof(long));
}

static inline void bitmap_fill(unsigned long *p, unsigned int bits)
{
	memset(p, 0xff, BITS_TO_LONGS(bits) * sizeof(long));
}

static inline void bitmap_copy(unsigned long *to, const unsigned long *from, unsigned int bits)
{
	memcpy(to, from, BITS_TO_LONGS(bits) * sizeof(long));
}

static inline void bitmap_set(unsigned long *p, unsigned int start, unsigned int nbits)
{
	for (; nbits; nbits--)
		__set_bit(start++, p);
}

static inline void bitmap_clear(unsigned long *p, unsigned int start, unsigned int nbits)
{
	for (; nbits; nbits--)
		__clear_bit(start++, p);
}

static inline bool bitmap_empty(const unsigned long *p, unsigned int bits)
{
	return find_first_bit(p, bits) == bits;
}

static inline bool bitmap_full(const unsigned long *p, unsigned int bits)
{
	return find_first_zero_bit(p, bits) == bits;
}

static inline unsigned int bitmap_weight(const unsigned long *p, unsigned int bits)
{
	unsigned int bit, weight = 0;

	for_each_set_bit(bit, p, bits)
		weight++;
	return weight;
}

static inline bool bitmap_equal(const unsigned long *a, const unsigned long *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if (test_bit(i, a) != test_bit(i, b))
			return false;
	return true;
}

static inline void bitmap_to_arr64(u64 *to, const unsigned long *from, unsigned int bits)
{
	memset(to, 0, BITS_TO_U64(bits) * 8);
	for (unsigned int i = 0; i < bits; i++)
		to[i / 64] |= (u64)test_bit(i, from) << (i % 64);
}

static inline void bitmap_from_arr64(unsigned long *to, const u64 *from, unsigned int bits)
{
	bitmap_zero(to, bits);
	for (unsigned int i = 0; i < bits; i++)
		if (from[i / 64] >> (i % 64) & 1)
			__set_bit(i, to);
}

#define bitmap_zalloc(bits, gfp)	((unsigned long *)kcalloc(BITS_TO_LONGS(bits), \
								  sizeof(long), gfp))
#define bitmap_free(p)			kfree(p)

#endif
