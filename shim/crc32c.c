// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRC-32C without a kernel: by the processor's instruction if built for one
 * that has it, otherwise by a table; if built with KSTATE_ISAL (link with
 * -lisal), by ISA-L, but for what is so short that the instruction is faster.
 */
#include <string.h>
#include <linux/crc32.h>
#include <linux/unaligned.h>

#if defined(KSTATE_ISAL)

unsigned int crc32_iscsi(unsigned char *buf, int len, unsigned int crc);

static noinline u32 crc32c_isal(u32 crc, const void *p, size_t len)
{
	while (len) {
		int part = len > 1 << 30 ? 1 << 30 : (int)len;

		crc = crc32_iscsi((unsigned char *)p, part, crc);
		p = (const u8 *)p + part;
		len -= part;
	}
	return crc;
}

#endif

#if defined(__SSE4_2__)

u32 crc32c(u32 crc, const void *p, size_t len)
{
	const u8 *s = p;
	u64 c = crc;
	size_t words;

#if defined(KSTATE_ISAL)
	/* Where the kernel, too, goes on to vectors */
	if (len >= 512)
		return crc32c_isal(crc, p, len);
#endif
	/* The instructions that crc32c_arch() in lib/crc/x86/crc32.h consists of */
	for (words = len / 8; words; words--, s += 8)
		c = __builtin_ia32_crc32di(c, get_unaligned((const u64 *)s));
	if (len & 4) {
		c = __builtin_ia32_crc32si(c, get_unaligned((const u32 *)s));
		s += 4;
	}
	if (len & 2) {
		c = __builtin_ia32_crc32hi(c, get_unaligned((const u16 *)s));
		s += 2;
	}
	if (len & 1)
		c = __builtin_ia32_crc32qi(c, *s);
	return c;
}

#elif defined(KSTATE_ISAL)

u32 crc32c(u32 crc, const void *p, size_t len)
{
	return crc32c_isal(crc, p, len);
}

#else

static u32 table[8][256];

__attribute__((constructor))
static void make_table(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78 : 0);
		table[0][i] = c;
	}
	for (int n = 1; n < 8; n++)
		for (u32 i = 0; i < 256; i++)
			table[n][i] = table[n - 1][i] >> 8 ^ table[0][table[n - 1][i] & 0xff];
}

u32 crc32c(u32 crc, const void *p, size_t len)
{
	const u8 *s = p;

	for (; len >= 8; s += 8, len -= 8) {
		crc ^= s[0] | s[1] << 8 | s[2] << 16 | (u32)s[3] << 24;
		crc = table[7][crc & 0xff] ^ table[6][crc >> 8 & 0xff] ^
		      table[5][crc >> 16 & 0xff] ^ table[4][crc >> 24] ^
		      table[3][s[4]] ^ table[2][s[5]] ^ table[1][s[6]] ^ table[0][s[7]];
	}
	for (; len; s++, len--)
		crc = crc >> 8 ^ table[0][(crc ^ *s) & 0xff];
	return crc;
}

#endif
