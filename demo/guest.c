// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Init of the demo: from kernel a to b and back, saying what the sample driver
 * holds before and after each jump. demo/table reads it from the console.
 */
#include "modules.h"
#include "command.h"

/* Each line of a file, with what it is in front */
static void say_file(const char *what, const char *path)
{
	static char text[65536];
	char *line;

	guest_ok(read_file(path, text, sizeof(text)));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		say("demo: %s %s", what, line);
}

/* The kernel is to refuse the jump if the next one would refuse the state */
static void arm(const char *variant)
{
	char *rest, *line;

	guest_check(kstate("arm", image(variant, "kstate_demo")) < 3);
	say("demo: said $ kstate arm %s", image(variant, "kstate_demo"));
	for (rest = output; (line = strsep(&rest, "\n"));)
		if (*line)
			say("demo: said %s", line);
}

int main(void)
{
	long boot;

	guest_start();
	boot = cmdline_number("boot", 0);
	guest_ok(load("kstate_demo", ""));
	say("demo: kernel %s", kernel_release());
	if (boot) {
		say_file("after", DEMO_VALUES);
		say_file("stats", KSTATE_SYS "streams");
		guest_ok(write_file(KSTATE_SYS "finish", "1"));
		/* What crosses next time is what this kernel made of it. */
		guest_ok(write_file(DEMO_VALUES, "1"));
	}
	if (boot == 2)
		guest_pass();
	say_file("before", DEMO_VALUES);
	arm(boot ? "a" : "b");
	load_kernel(boot ? "a" : "b", "");
	say("demo: leave");
	guest_ok(jump());
	return 1;
}
