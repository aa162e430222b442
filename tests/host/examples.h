/* SPDX-License-Identifier: GPL-2.0-only */
/* A test for each file of examples; see examples.c */
#ifndef _TESTS_EXAMPLES_H
#define _TESTS_EXAMPLES_H

void describing_example(void **state);
void describing_idioms(void **state);
void evolving_after(void **state);
void evolving_before(void **state);
void overview_example(void **state);

#endif
