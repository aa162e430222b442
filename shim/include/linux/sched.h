/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_SCHED_H
#define _SHIM_LINUX_SCHED_H

#include <linux/sched/clock.h>

#define cond_resched()		do { } while (0)

/* There is one task */
struct task_struct;
#ifdef SHIM_THREADS
extern __thread char shim_task;
#define current			((struct task_struct *)&shim_task)
#else
#define current			((struct task_struct *)1)
#endif

#endif
