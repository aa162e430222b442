/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_UNALIGNED_H
#define _SHIM_LINUX_UNALIGNED_H

#include <asm/byteorder.h>

#define get_unaligned(p) ({						\
	const struct { typeof(*(p)) x; } __packed * __u = (const void *)(p); \
	__u->x; })
#define put_unaligned(v, p) do {					\
	struct { typeof(*(p)) x; } __packed * __u = (void *)(p);	\
	__u->x = (v); } while (0)

#define get_unaligned_le16(p)	le16_to_cpu(get_unaligned((const __le16 *)(p)))
#define get_unaligned_le32(p)	le32_to_cpu(get_unaligned((const __le32 *)(p)))
#define get_unaligned_le64(p)	le64_to_cpu(get_unaligned((const __le64 *)(p)))
#define put_unaligned_le16(v, p) put_unaligned(cpu_to_le16(v), (__le16 *)(p))
#define put_unaligned_le32(v, p) put_unaligned(cpu_to_le32(v), (__le32 *)(p))
#define put_unaligned_le64(v, p) put_unaligned(cpu_to_le64(v), (__le64 *)(p))

#endif
