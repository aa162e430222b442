// SPDX-License-Identifier: GPL-2.0-only
/* The descriptions in the examples of the documents make sense; see examples.c. */
#include "host.h"

void describing_example(void **state);
void describing_idioms(void **state);
void evolving_after(void **state);
void evolving_before(void **state);
void overview_example(void **state);

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
