/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Steps that scenarios have in common.
 */
#ifndef KSTATE_TESTS_VM_STEPS_H
#define KSTATE_TESTS_VM_STEPS_H

#include "modules.h"

#define STRESS		"/sys/module/kstate_stress/parameters/"

static char text[65536];

static inline long number_in(const char *path)
{
	guest_ok(read_file(path, text, sizeof(text)));
	return strtol(text, NULL, 0);
}

static inline void check_stress(long restored, long refused)
{
	long is_restored = number_in(STRESS "restored");
	long is_refused = number_in(STRESS "refused");
	long is_wrong = number_in(STRESS "wrong");

	if (is_restored != restored || is_refused != refused || is_wrong)
		guest_fail("%ld restored, %ld refused, %ld wrong; expected are %ld, %ld, 0",
			   is_restored, is_refused, is_wrong, restored, refused);
}

#define leave_for(kernel, ...)				\
	do {						\
		load_kernel(kernel, __VA_ARGS__);	\
		guest_ok(jump());			\
	} while (0)

__attribute__((format(printf, 1, 2)))
static inline void load_stress(const char *format, ...)
{
	char parameters[200];
	va_list args;
	int len;

	len = snprintf(parameters, sizeof(parameters), "round=%ld ", cmdline_number("boot", 0));
	va_start(args, format);
	vsnprintf(parameters + len, sizeof(parameters) - len, format, args);
	va_end(args);
	guest_ok(load("kstate_stress", parameters));
}

static inline void finish(void)
{
	guest_ok(write_file(KSTATE_SYS "finish", "1"));
}

static inline void check_error(const char *words)
{
	guest_ok(read_file(KSTATE_SYS "last_error", text, sizeof(text)));
	if (!strstr(text, words))
		guest_fail("last_error is \"%s\", without \"%s\"", text, words);
	say("last_error: %s", text);
}

/* The sample driver's values as one number, so that they fit on a command line */
static unsigned int demo_values(void)
{
	unsigned int hash = 2166136261u;

	guest_ok(read_file(DEMO_VALUES, text, sizeof(text)));
	for (char *p = text; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	return hash;
}

static inline void check_demo(void)
{
	guest_check(demo_values() == strtoul(cmdline_value("demo"), NULL, 0));
}

static inline void check_kmemleak(void)
{
	static const char file[] = "/sys/kernel/debug/kmemleak";

	if (access(file, F_OK))
		return;
	/* It reports what two scans found unreferenced. */
	guest_ok(write_file(file, "scan"));
	guest_ok(write_file(file, "scan"));
	guest_ok(read_file(file, text, sizeof(text)));
	if (text[0])
		guest_fail("kmemleak: %s", text);
}

/* Bytes of the stream that registered objects came in */
static inline long incoming_bytes(void)
{
	const char *line, *bytes;

	guest_ok(read_file(KSTATE_SYS "streams", text, sizeof(text)));
	line = strstr(text, "in kernel ");
	bytes = line ? strstr(line, "bytes=") : NULL;
	guest_check(bytes);
	return strtol(bytes + strlen("bytes="), NULL, 10);
}

#endif
