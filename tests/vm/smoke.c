// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Init: jump through jumps= kernels (default 1) with KHO, the even ones
 * /kernels/a and the odd ones /kernels/b, then check that each took over from
 * the last.
 */
#include "guest.h"

int main(void)
{
	char line[100], expected[100], uptime[100];
	struct timespec start, now;
	long jumps, boot;

	guest_start();
	jumps = cmdline_number("jumps", 1);
	boot = cmdline_number("boot", 0);

	guest_ok(read_file("/proc/uptime", uptime, sizeof(uptime)));
	say("boot %ld: %s, init after %.4s s, %ld KiB free", boot, kernel_release(), uptime,
	    meminfo("MemFree"));
	snprintf(expected, sizeof(expected), "(count %ld)", boot);
	if (boot)
		guest_check(kmsg_has("KHO: exec from: ") && kmsg_has(expected));
	if (boot == jumps)
		guest_pass();

	snprintf(line, sizeof(line), "jumps=%ld boot=%ld", jumps, boot + 1);
	clock_gettime(CLOCK_MONOTONIC, &start);
	guest_ok(kexec_into(boot % 2 ? "/kernels/a" : "/kernels/b", NULL, line));
	clock_gettime(CLOCK_MONOTONIC, &now);
	say("boot %ld: next kernel loaded in %ld ms", boot, (now.tv_sec - start.tv_sec) * 1000 +
	    (now.tv_nsec - start.tv_nsec) / 1000000);
	guest_ok(jump());
	return 1;
}
