/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_CRC32_H
#define _SHIM_LINUX_CRC32_H

#include <linux/types.h>

/* As in the kernel: the caller inverts before and after, or does not */
u32 crc32c(u32 crc, const void *p, size_t len);

#endif
