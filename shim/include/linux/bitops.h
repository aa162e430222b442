/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_BITOPS_H
#define _SHIM_LINUX_BITOPS_H

#include <linux/bits.h>

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline unsigned long __ffs(unsigned long x)
{
	return __builtin_ctzl(x);
}

static inline unsigned long __fls(unsigned long x)
{
	return BITS_PER_LONG - 1 - __builtin_clzl(x);
}

#define hweight8(x)	((unsigned int)__builtin_popcount((u8)(x)))
#define hweight32(x)	((unsigned int)__builtin_popcount(x))
#define hweight64(x)	((unsigned long)__builtin_popcountll(x))
#define hweight_long(x)	((unsigned long)__builtin_popcountl(x))

static inline void __set_bit(unsigned long nr, unsigned long *p)
{
	p[BIT_WORD(nr)] |= BIT_MASK(nr);
}

static inline void __clear_bit(unsigned long nr, unsigned long *p)
{
	p[BIT_WORD(nr)] &= ~BIT_MASK(nr);
}

static inline bool test_bit(unsigned long nr, const unsigned long *p)
{
	return p[BIT_WORD(nr)] & BIT_MASK(nr);
}

static inline bool __test_and_set_bit(unsigned long nr, unsigned long *p)
{
	bool old = test_bit(nr, p);

	__set_bit(nr, p);
	return old;
}

#define set_bit(nr, p)			__set_bit(nr, p)
#define clear_bit(nr, p)		__clear_bit(nr, p)
#define test_and_set_bit(nr, p)		__test_and_set_bit(nr, p)

static inline unsigned long find_next_bit(const unsigned long *p, unsigned long bits,
					  unsigned long from)
{
	while (from < bits && !test_bit(from, p))
		from++;
	return from < bits ? from : bits;
}

static inline unsigned long find_next_zero_bit(const unsigned long *p, unsigned long bits,
					       unsigned long from)
{
	while (from < bits && test_bit(from, p))
		from++;
	return from < bits ? from : bits;
}

#define find_first_bit(p, bits)		find_next_bit(p, bits, 0)
#define find_first_zero_bit(p, bits)	find_next_zero_bit(p, bits, 0)

#define for_each_set_bit(bit, p, bits)					\
	for ((bit) = find_first_bit(p, bits); (bit) < (bits);		\
	     (bit) = find_next_bit(p, bits, (bit) + 1))

#endif
