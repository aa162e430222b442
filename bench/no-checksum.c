// SPDX-License-Identifier: GPL-2.0-only
/* A checksum that costs nothing, to see what the real one does. */
#include <linux/crc32.h>

u32 crc32c(u32 crc, const void *p, size_t len)
{
	return 0;
}
