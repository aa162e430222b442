/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_SORT_H
#define _SHIM_LINUX_SORT_H

#include <stdlib.h>
#include <linux/types.h>

/* The last argument is a function that swaps; NULL everywhere here */
#define sort(base, n, size, cmp, swap)		qsort(base, n, size, cmp)

#endif
