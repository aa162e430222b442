// SPDX-License-Identifier: GPL-2.0-only
/* What the core calls of directory.c, which needs a kernel around it. */
#include "store.h"

int kstate_directory_init(void)
{
	return 0;
}

void kstate_directory_exit(void)
{
}
