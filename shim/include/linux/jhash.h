/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_JHASH_H
#define _SHIM_LINUX_JHASH_H

#include <linux/hash.h>

static inline u32 jhash(const void *key, u32 length, u32 seed)
{
	const u8 *p = key;
	u64 h = seed;

	/* FNV-1a */
	for (h ^= 0xcbf29ce484222325ULL; length; length--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return hash_64(h, 32);
}

static inline u32 jhash_2words(u32 a, u32 b, u32 seed)
{
	return hash_64((a ^ seed) | (u64)b << 32, 32);
}

#endif
