// SPDX-License-Identifier: GPL-2.0-only
/* The examples of one document, EXAMPLE, and the descriptions in it, LIST. */
#include <linux/bitmap.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include "examples.h"
#include "host.h"

#define KSTATE_TEST_ID	1

#include EXAMPLE

#define CHECK(_desc) do {						\
	void *__desc = (void *)&(_desc);				\
									\
	use(__desc);							\
	assert_fits(kstate_check_description(__desc, &err));		\
} while (0)

void FUNCTION(void **state)
{
#include LIST
}
