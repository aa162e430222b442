// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Fuzzing: arbitrary bytes as the file that "kstate catalog" shows, and as the object
 * from which "kstate collect" makes a catalogue. Where a catalogue can be seen in them,
 * they are given once more with its checksums put right, so that mutations get past them.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image.h"
#include "repair.h"

static int input = -1;
static int output = -1;
static char input_path[32];
static char output_path[32];

static void begin(void)
{
	input = memfd_create("input", 0);
	output = memfd_create("output", 0);
	if (input < 0 || output < 0 || !freopen("/dev/null", "w", stdout))
		abort();
	snprintf(input_path, sizeof(input_path), "/proc/self/fd/%d", input);
	snprintf(output_path, sizeof(output_path), "/proc/self/fd/%d", output);
	image_limit = 1 << 19;
}

static enum status run(command_fn *command, char **argv)
{
	struct trouble t = {};
	enum status status;
	int argc = 0;

	while (argv[argc])
		argc++;
	status = command(argc, argv, &t);
	/* Whoever fails says why, and nobody else */
	if (!status != !t.text[0])
		abort();
	return status;
}

static void run_all(const uint8_t *data, size_t size)
{
	char *table[] = { "kstate catalog", input_path, NULL };
	char *fields[] = { "kstate catalog", "-v", input_path, NULL };
	char *json[] = { "kstate catalog", "--json", input_path, NULL };
	char *collect[] = { "kstate collect", "-o", output_path, input_path, NULL };

	if (ftruncate(input, 0) || pwrite(input, data, size, 0) != (ssize_t)size)
		abort();
	if (!run(command_catalog, table)) {
		run(command_catalog, fields);
		run(command_catalog, json);
	}
	run(command_collect, collect);
}

/* The limit holds for what is unpacked, whatever it is packed with */
static void check_limit(const uint8_t *data, size_t size)
{
	struct image image = {};
	struct trouble t = {};

	image_read(&image, data, size, "input", &t);
	if (image.memory && image.size > image_limit)
		abort();
	image_close(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (input < 0)
		begin();
	check_limit(data, size);
	run_all(data, size);

	copy = repair_copy(data, size);
	if (copy)
		run_all(copy, size);
	free(copy);
	return 0;
}
