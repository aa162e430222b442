// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Fuzzing: arbitrary bytes as the stream that "kstate dump" shows, as text, JSON and a
 * page, and that "kstate diff" compares. They are given once as they are, and once more
 * with their checksums, hashes and sizes put right, so that mutations get past them.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dump.h"
#include "fix.h"

static int inputs[2] = { -1, -1 };
static char paths[2][32];

static void begin(void)
{
	for (int i = 0; i < 2; i++) {
		inputs[i] = memfd_create("input", 0);
		if (inputs[i] < 0)
			abort();
		snprintf(paths[i], sizeof(paths[i]), "/proc/self/fd/%d", inputs[i]);
	}
	if (!freopen("/dev/null", "w", stdout))
		abort();
}

static enum status run(command_fn *command, char **argv)
{
	struct trouble t = {};
	enum status status;
	int argc = 0;

	while (argv[argc])
		argc++;
	status = command(argc, argv, &t);
	/* Whoever fails says why, and nobody else; a difference is no failure */
	if ((status > STATUS_BLOCKED) != !!t.text[0])
		abort();
	return status;
}

static void put(int input, const u8 *data, size_t size)
{
	if (ftruncate(input, 0) || pwrite(input, data, size, 0) != (ssize_t)size)
		abort();
}

static void run_all(const u8 *data, size_t size)
{
	char *text[] = { "kstate dump", "--schemas", "--offsets", "--all", paths[0], NULL };
	char *some[] = { "kstate dump", "--key", "1", "--secrets", paths[0], NULL };
	char *json[] = { "kstate dump", "--json", paths[0], NULL };
	char *html[] = { "kstate dump", "--html", "/dev/null", paths[0], NULL };
	char *diff[] = { "kstate diff", paths[0], paths[1], NULL };
	char *diff_json[] = { "kstate diff", "--json", paths[1], paths[0], NULL };
	enum status status, page;

	put(inputs[0], data, size);
	status = run(command_dump, text);
	/* All ways to show it agree on whether it is damaged, but for a page that is too large */
	if (run(command_dump, json) != status)
		abort();
	run(command_dump, some);
	page = run(command_dump, html);
	if (page != status && page != STATUS_USAGE)
		abort();
	run(command_diff, diff);
	run(command_diff, diff_json);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (inputs[0] < 0)
		begin();
	put(inputs[1], data, size);
	run_all(data, size);
	if (size < sizeof(struct kstate_header) + 64)
		return 0;

	file_size = size & ~7UL;
	file = kvmalloc(file_size, GFP_KERNEL);
	memcpy(file, data, file_size);
	fix_file();
	run_all(file, file_size);
	kvfree(file);
	return 0;
}
