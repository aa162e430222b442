// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Init of a VM that goes from one of Debian's kernels to another and back, by
 * "kstate jump", with the sample driver in another generation on each. It says what the
 * driver holds before and after, for demo/table.
 */
#include <ctype.h>
#include "command.h"

#define VALUES		"/sys/kernel/debug/kstate_demo/values"
#define PROC		"/proc/kstate/"
#define LAST_BOOT	2

/* The other kernel: /modules has a directory for each */
static const char *other_release(void)
{
	static char name[100];
	DIR *dir = opendir("/modules");
	struct dirent *entry;

	guest_check(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, kernel_release()))
			snprintf(name, sizeof(name), "%.99s", entry->d_name);
	closedir(dir);
	return name;
}

/* In the order in which they depend on each other; a name alone is a module that may be built in */
static void load_modules(const char *parameters)
{
	char path[300], text[4096], *rest = text, *line;

	snprintf(path, sizeof(path), "/modules/%s/order", kernel_release());
	guest_ok(read_file(path, text, sizeof(text)));
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		snprintf(path, sizeof(path), "/modules/%s/%s", kernel_release(), line);
		guest_ok(insmod(path, !strcmp(line, "kstate.ko") ? parameters : ""));
	}
}

/* What modprobe makes of kstate.NAME=VALUE on the command line */
static const char *module_parameters(void)
{
	static char text[300];
	const char *value = cmdline_value("kstate.range");
	int len = snprintf(text, sizeof(text), "range=%s", value ? value : "");

	value = cmdline_value("kstate.from");
	if (value)
		snprintf(text + len, sizeof(text) - len, " from=%s", value);
	return text;
}

static void say_file(const char *what, const char *path)
{
	static char text[65536];
	char *line;

	guest_ok(read_file(path, text, sizeof(text)));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		say("demo: %s %s", what, line);
}

static void say_lines(void)
{
	char *rest = output, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			say("demo: said %s", line);
}

/* One argument for the target: its image and its modules */
static const char *target(const char *release)
{
	static char text[600];

	snprintf(text, sizeof(text), "/kernels/%s,/modules/%s", release, release);
	return text;
}

static void refuse(void)
{
	char line[100];

	/* The next kernel must leave the range alone */
	kstate_says(64, "would use the memory", "jump", "--command-line", "console=ttyS0", "--initrd",
		    GUEST_INITRD, target(other_release()));
	/* A kernel that does not jump hands nothing over, and a token is needed */
	guest_check(write_file(PROC "jump", "no token!") == -EINVAL);
	guest_ok(read_file(PROC "jump", line, sizeof(line)));
	guest_check(strstr(line, "\"jump\":\"\""));
	/* Everything but the jump, and it is taken back */
	kstate_says(1, "rehearsed", "jump", "--stay", "--initrd", GUEST_INITRD,
		    target(other_release()));
	guest_ok(write_file(PROC "jump", "\n"));
	guest_check(!kstate("disarm"));
}

int main(void)
{
	char append[32];
	long boot;

	guest_start();
	boot = cmdline_number("boot", 0);
	guest_ok(initrd_again());
	load_modules(module_parameters());
	say("demo: kernel %s", kernel_release());
	if (boot) {
		say_file("after", VALUES);
		say_file("stats", PROC "streams");
		guest_ok(write_file(PROC "finish", "1"));
		guest_ok(write_file(VALUES, "1"));
	}
	if (boot == LAST_BOOT)
		guest_pass();
	if (!boot)
		refuse();
	say_file("before", VALUES);
	snprintf(append, sizeof(append), "boot=%ld", boot + 1);
	say("demo: said $ kstate jump --initrd /tmp/initrd --append %s %s", append,
	    target(other_release()));
	/* It prints, and does not come back */
	kstate("jump", "--initrd", GUEST_INITRD, "--append", append, target(other_release()));
	say_lines();
	guest_fail("the jump did not come");
}
