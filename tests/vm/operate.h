/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A page of the documentation, word by word: what follows "# " is a command, and what it has
 * to print comes after it. Commands after "$ " are not for a host; see tests/pages.
 */
#ifndef KSTATE_TESTS_VM_OPERATE_H
#define KSTATE_TESTS_VM_OPERATE_H

#include "command.h"

#define PAGE_FILE	"/page.rst"
#define INDENT		"    "

/* Numbers, of which dots are a part, differ from run to run */
static void without_numbers(char *to, const char *from)
{
	size_t digits;

	while (*from) {
		digits = *from == '.' ? 0 : strspn(from, "0123456789.");
		*to++ = digits ? '9' : *from;
		from += digits ?: 1;
	}
	*to = 0;
}

static bool same_line(const char *want, const char *have)
{
	char a[1000], b[1000];

	guest_check(strlen(want) < sizeof(a) && strlen(have) < sizeof(b));
	without_numbers(a, want);
	without_numbers(b, have);
	return !strcmp(a, b);
}

/* @want has a line each; "..." stands for any lines */
static void compare_output(const char *command, char *want, char *have)
{
	char *line = strsep(&have, "\n"), *expected;
	bool any = false;

	while ((expected = strsep(&want, "\n"))) {
		if (!*expected)
			continue;
		if (!strcmp(expected + strspn(expected, " "), "...")) {
			any = true;
			continue;
		}
		while (any && line && !same_line(expected, line))
			line = strsep(&have, "\n");
		if (!line || !same_line(expected, line))
			guest_fail("%s: expected '%s', found '%s'", command, expected, line ?: "the end");
		line = strsep(&have, "\n");
		any = false;
	}
	if (!any && line && *line)
		guest_fail("%s: the page does not have '%s'", command, line);
}

static void operate_kstate(char *words)
{
	const char *args[20];
	int nr = 0;

	while (nr < 19 && (args[nr] = strsep(&words, " ")))
		nr++;
	args[nr] = NULL;
	run_kstate(args);
}

/* Do it, and leave in output what it prints. A kexec that works does not return. */
static void operate_command(char *command)
{
	char path[200], value[100];
	int err;

	output[0] = 0;
	say("# %s", command);
	if (!strncmp(command, "kstate ", 7)) {
		operate_kstate(command);
	} else if (sscanf(command, "kexec -s -l /kernels/%99s --reuse-cmdline", value) == 1) {
		load_kernel(value, "");
	} else if (!strcmp(command, "kexec -e")) {
		snprintf(output, sizeof(output), "kexec failed: %s\n", strerror(-jump()));
	} else if (sscanf(command, "insmod %199s", path) == 1) {
		err = insmod(path, "");
		if (err)
			snprintf(output, sizeof(output),
				 "insmod: ERROR: could not insert module %s: %s\n", path, strerror(-err));
	} else if (sscanf(command, "cat %199s", path) == 1) {
		guest_ok(read_file(path, output, sizeof(output)));
	} else if (sscanf(command, "echo %99s > %199s", value, path) == 2) {
		guest_ok(write_file(path, value));
	} else {
		guest_fail("the page has a command that this test does not know: %s", command);
	}
}

/* The commands between two kexecs that work, which print nothing, are those of one kernel */
static void operate(long boot)
{
	static char page[65536], want[8192];
	char *rest = page, *line, *next, command[400];
	long kernel = 0;

	guest_ok(read_file(PAGE_FILE, page, sizeof(page)));
	line = strsep(&rest, "\n");
	while (line) {
		next = strsep(&rest, "\n");
		if (strncmp(line, INDENT "# ", 6)) {
			line = next;
			continue;
		}
		snprintf(command, sizeof(command), "%s", line + 6);
		want[0] = 0;
		for (; next && !strncmp(next, INDENT, 4) && strncmp(next, INDENT "# ", 6) &&
		     strncmp(next, INDENT "$ ", 6);
		     next = strsep(&rest, "\n")) {
			guest_check(strlen(want) + strlen(next) < sizeof(want) - 1);
			strcat(strcat(want, next + 4), "\n");
		}
		line = next;
		if (kernel == boot) {
			char before[400];

			snprintf(before, sizeof(before), "%s", command);
			operate_command(command);
			compare_output(before, want, output);
		}
		kernel += !strcmp(command, "kexec -e") && !want[0];
	}
	/* Each kexec that prints nothing has led to another kernel; this one is the last */
	guest_check(boot && kernel == boot);
	guest_pass();
}

#endif
