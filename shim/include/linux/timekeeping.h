/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_TIMEKEEPING_H
#define _SHIM_LINUX_TIMEKEEPING_H

#include <linux/ktime.h>

u64 ktime_get_real_ns(void);

#endif
