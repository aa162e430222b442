// SPDX-License-Identifier: GPL-2.0-only
/* The descriptions in the examples of the documents make sense; see examples.c. */
#include "host.h"
#include "examples.h"

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(describing_example),
		TEST(describing_idioms),
		TEST(evolving_after),
		TEST(evolving_before),
		TEST(overview_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
