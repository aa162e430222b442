/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/sched/clock.h>
#define ktime_get_ns()		local_clock()
#define ktime_get_mono_fast_ns() local_clock()
