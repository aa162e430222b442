// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Fuzzing: arbitrary bytes as the image whose descriptions "kstate lint" compares with
 * its C types; once more with the checksums of its catalogue put right.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image.h"
#include "repair.h"

static int input = -1;
static char input_path[32];

static void begin(void)
{
	input = memfd_create("input", 0);
	if (input < 0 || !freopen("/dev/null", "w", stdout))
		abort();
	snprintf(input_path, sizeof(input_path), "/proc/self/fd/%d", input);
	image_limit = 1 << 19;
}

static void run(char **argv, int argc)
{
	struct trouble t = {};
	enum status status = command_lint(argc, argv, &t);

	/* Findings are no trouble; whatever else there is says why */
	if (status > STATUS_BLOCKED && !t.text[0])
		abort();
}

static void run_all(const uint8_t *data, size_t size)
{
	char *text[] = { "kstate lint", input_path, NULL };
	char *json[] = { "kstate lint", "--json", input_path, NULL };

	if (ftruncate(input, 0) || pwrite(input, data, size, 0) != (ssize_t)size)
		abort();
	run(text, 2);
	run(json, 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (input < 0)
		begin();
	run_all(data, size);
	copy = repair_copy(data, size);
	if (copy)
		run_all(copy, size);
	free(copy);
	return 0;
}
