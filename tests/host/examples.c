// SPDX-License-Identifier: GPL-2.0-only
/* The examples of one document, EXAMPLE, and the descriptions in it, LIST. */
#include <linux/bitmap.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include "host.h"

#define KSTATE_TEST_ID	1

#include EXAMPLE

#define CHECK(_desc)								\
	use((struct kstate_description *)&(_desc));				\
	assert_fits(kstate_check_description((struct kstate_description *)&(_desc), &err));

void FUNCTION(void **state);

void FUNCTION(void **state)
{
#include LIST
}
