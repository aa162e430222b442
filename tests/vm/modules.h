/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Guests with several kernels: /kernels/VARIANT is the image, /modules/VARIANT/
 * holds its modules. boot= on the command line counts the kernels so far.
 */
#ifndef KSTATE_TESTS_VM_MODULES_H
#define KSTATE_TESTS_VM_MODULES_H

#include "guest.h"

#define KSTATE_SYS	"/sys/kernel/kstate/"
#define DEMO_VALUES	"/sys/kernel/debug/kstate_demo/values"

/*
 * The variant of this kernel is the end of its release: 7.3.4-a. If there are
 * kernels of several versions, that of another has it in its name: a@7.2.
 */
static inline const char *variant(void)
{
	const char *dash = strrchr(kernel_release(), '-');
	static char versioned[100];
	char path[120];
	int major, minor;

	if (!dash || sscanf(kernel_release(), "%d.%d", &major, &minor) != 2)
		return "";
	snprintf(versioned, sizeof(versioned), "%s@%d.%d", dash + 1, major, minor);
	snprintf(path, sizeof(path), "/kernels/%s", versioned);
	return access(path, F_OK) ? dash + 1 : versioned;
}

static inline int load(const char *module, const char *parameters)
{
	char path[200];

	snprintf(path, sizeof(path), "/modules/%s/%s.ko", variant(), module);
	return insmod(path, parameters);
}

/* No words is a good format, too. */
#pragma GCC diagnostic ignored "-Wformat-zero-length"

/* Load another kernel, with the words of format on its command line besides test= and boot= */
__attribute__((format(printf, 2, 3)))
static inline void load_kernel(const char *kernel, const char *format, ...)
{
	char path[200], words[800], line[1000];
	const char *test;
	va_list args;
	long boot;

	/* Before cmdline_value() is called again: it may be one of the arguments. */
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	boot = cmdline_number("boot", 0);
	test = cmdline_value("test");
	snprintf(line, sizeof(line), "test=%s boot=%ld %s", test ?: "", boot + 1, words);
	snprintf(path, sizeof(path), "/kernels/%s", kernel);
	guest_ok(kexec_into(path, NULL, line));
}

#endif
