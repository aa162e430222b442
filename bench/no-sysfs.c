// SPDX-License-Identifier: GPL-2.0-only
/* What the core calls of sysfs.c, which needs a kernel around it. */
#include "store.h"

int kstate_sysfs_init(void)
{
	return 0;
}

void kstate_sysfs_exit(void)
{
}
