/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_KTIME_H
#define _SHIM_LINUX_KTIME_H

#include <linux/sched/clock.h>

#define NSEC_PER_SEC		1000000000L
#define ktime_get_ns()		local_clock()
#define ktime_get_mono_fast_ns() local_clock()

#endif
