// SPDX-License-Identifier: GPL-2.0-only
/*
 * FILTER= is a pattern for the tests of a program that are to run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static void __attribute__((constructor)) set_filter(void)
{
	const char *filter = getenv("FILTER");

	if (filter)
		cmocka_set_test_filter(filter);
}
