/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_MINMAX_H
#define _SHIM_LINUX_MINMAX_H

#define __shim_pick(x, op, y) ({		\
	__auto_type __x = (x);			\
	__auto_type __y = (y);			\
	__x op __y ? __x : __y; })

#define min(x, y)		__shim_pick(x, <, y)
#define max(x, y)		__shim_pick(x, >, y)
#define umin(x, y)		__shim_pick((u64)(x), <, (u64)(y))
#define umax(x, y)		__shim_pick((u64)(x), >, (u64)(y))
#define min_t(type, x, y)	__shim_pick((type)(x), <, (type)(y))
#define max_t(type, x, y)	__shim_pick((type)(x), >, (type)(y))
#define min3(x, y, z)		min(min(x, y), z)
#define max3(x, y, z)		max(max(x, y), z)
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define clamp_t(t, v, lo, hi)	min_t(t, max_t(t, v, lo), hi)
#undef MIN
#undef MAX
#define MIN(x, y)		((x) < (y) ? (x) : (y))
#define MAX(x, y)		((x) > (y) ? (x) : (y))
#define swap(a, b)		do { typeof(a) __t = (a); (a) = (b); (b) = __t; } while (0)

#endif
