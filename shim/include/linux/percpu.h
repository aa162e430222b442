/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_PERCPU_H
#define _LINUX_PERCPU_H

#include <stdlib.h>

#define SHIM_MAX_CPUS	8

/* How many there are */
static int shim_cpus __attribute__((unused)) = SHIM_MAX_CPUS;

#define __percpu
#define alloc_percpu(_type)		((_type *)calloc(SHIM_MAX_CPUS, sizeof(_type)))
#define free_percpu(_p)			free(_p)
#define per_cpu_ptr(_p, _cpu)		(&(_p)[_cpu])
#define for_each_possible_cpu(_cpu)	for ((_cpu) = 0; (_cpu) < shim_cpus; (_cpu)++)

#endif /* _LINUX_PERCPU_H */
