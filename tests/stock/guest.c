// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Init of a VM that goes from one of Debian's kernels to another and back, by
 * "kstate jump", with the sample driver in another generation on each. It says what the
 * driver holds before and after, for demo/table.
 */
#include <ctype.h>
#include "../../demo/said.h"

#define PROC		"/proc/kstate/"

/* Kernels, in order: from the first to the other and back, then without a jump, and with a wrong one */
enum { FIRST, OTHER, BACK, PLAIN, WRONG };

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

/*
 * In the order in which they depend on each other; the last one only, without parameters for
 * kstate.ko. What loading that returned.
 */
static int load_modules(const char *parameters)
{
	char path[300], text[4096], *rest = text, *line;
	int ret = 0;

	snprintf(path, sizeof(path), "/modules/%s/order", kernel_release());
	guest_ok(read_file(path, text, sizeof(text)));
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		snprintf(path, sizeof(path), "/modules/%s/%s", kernel_release(), line);
		ret = insmod(path, parameters && !strcmp(line, "kstate.ko") ? parameters : "");
		if (ret && parameters && *rest)
			guest_fail("%s: %s", line, strerror(-ret));
	}
	return ret;
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

	/* The next kernel must leave the range alone, and know of it */
	kstate_says(64, "needs kstate.range=32M$0x30000000", "jump", "--append", "kstate.range=16M$0x30000000",
		    "--initrd", GUEST_INITRD, target(other_release()));
	kstate_says(64, "would use the memory", "jump", "--command-line",
		    "console=ttyS0 kstate.range=32M$0x30000000", "--initrd", GUEST_INITRD, target(other_release()));
	kstate_says(67, "not a kernel that kexec can load", "jump", "--no-initrd", "/init");
	guest_check(write_file(PROC "jump", "no token!") == -EINVAL);
	guest_ok(read_file(PROC "jump", line, sizeof(line)));
	guest_check(strstr(line, "\"jump\":\"\""));
	/* Everything but the jump, and it is taken back */
	kstate_says(1, "rehearsed", "jump", "--stay", "--initrd", GUEST_INITRD,
		    target(other_release()));
	demo_said();
	guest_check(!kstate("disarm"));
	guest_check(jump() == -EINVAL);
	guest_ok(read_file(PROC "jump", line, sizeof(line)));
	guest_check(strstr(line, "\"jump\":\"\""));
}

/* The older driver has no MTU: another one than its default cannot go back */
static void refuse_value(void)
{
	guest_ok(write_file("/sys/kernel/debug/kstate_demo/mtu", "9000"));
	kstate_says(3, "found 9000", "jump", "--initrd", GUEST_INITRD, target(other_release()));
	demo_said();
	/* Nothing was loaded, and nothing is armed */
	guest_check(jump() == -EINVAL);
	guest_ok(write_file("/sys/kernel/debug/kstate_demo/mtu", "1500"));
}

/* To the same kernel, as anybody would who does not know of KSTATE */
static void kexec_plainly(const char *more)
{
	char kernel[120], line[400];
	const char *range = cmdline_value("kstate.range");

	snprintf(line, sizeof(line), "memmap=%s kstate.range=%s %s", range, range, more);
	snprintf(kernel, sizeof(kernel), "/kernels/%s", kernel_release());
	guest_ok(kexec_into(kernel, NULL, line));
	guest_ok(jump());
}

static void go_on(long boot)
{
	char append[32];

	demo_say("before", DEMO_VALUES);
	snprintf(append, sizeof(append), "boot=%ld", boot + 1);
	say("demo: said $ kstate jump --initrd /tmp/initrd --append %s %s", append,
	    target(other_release()));
	say("demo: leave");
	/* It prints, and does not come back */
	kstate("jump", "--initrd", GUEST_INITRD, "--append", append, target(other_release()));
	demo_said();
	guest_fail("the jump did not come");
}

/* What was to be there is not: nothing is registered before somebody has said that this is known */
static void miss(void)
{
	guest_check(load_modules(module_parameters()) == -ENODATA);
	guest_check(kmsg_has("range: damaged (-61): expected what jump wrong wrote, found nothing"));
	kstate_says(0, "what the last kernel wrote cannot be read", "status");
	kstate_says(0, "expected what jump wrong wrote, found nothing", "status");
	guest_ok(write_file(PROC "finish", "1"));
	kstate_says(0, "no jump is prepared", "status");
	guest_ok(load_modules(NULL));
	guest_pass();
}

/* A range that is beyond all memory: firmware does not know of it, and it keeps nothing */
static void nowhere(void)
{
	guest_ok(load_modules(module_parameters()));
	kstate_says(64, "is not all RAM", "jump", "--initrd", GUEST_INITRD, target(other_release()));
	guest_check(write_file(PROC "jump", "token") == -EIO);
	guest_ok(read_file(PROC "last_error", output, sizeof(output)));
	guest_check(strstr(output, "expected memory that keeps what is written"));
	guest_pass();
}

int main(void)
{
	long boot;

	guest_start();
	boot = cmdline_number("boot", FIRST);
	guest_ok(initrd_again());
	if (cmdline_value("nowhere"))
		nowhere();
	if (boot == WRONG)
		miss();
	guest_ok(load_modules(module_parameters()));
	if (boot == PLAIN) {
		guest_check(kmsg_has("generation 1, first start"));
		kexec_plainly("boot=4 kstate.from=wrong");
	}
	say("demo: kernel %s", kernel_release());
	if (boot) {
		demo_say("after", DEMO_VALUES);
		demo_say("stats", PROC "streams");
		guest_ok(write_file(PROC "finish", "1"));
		guest_ok(write_file(DEMO_VALUES, "1"));
	}
	if (boot == BACK) {
		say("demo: end");
		kexec_plainly("boot=3");
	}
	if (boot == FIRST)
		refuse();
	else
		refuse_value();
	go_on(boot);
	return 1;
}
