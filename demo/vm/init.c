// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Init of the host: starts the VMM of the generation that the command line names.
 * watch=yes: when the VMM has died, another process does what at.again says (attack.h).
 * pressure=PERCENT writes that much of memory first: what was not preserved is lost.
 */
#include "guest.h"
#include <sys/wait.h>

static void press(long percent)
{
	long bytes = meminfo("MemTotal") * 1024 / 100 * percent;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	guest_check(memory != MAP_FAILED);
	memset(memory, 0xa5, bytes);
	munmap(memory, bytes);
	say("init: wrote %ld MiB", bytes >> 20);
}

int main(void)
{
	char path[32];

	guest_start();
	say("init: started");
	if (cmdline_value("pressure"))
		press(cmdline_number("pressure", 0));
	snprintf(path, sizeof(path), "/bin/vmm-%ld", cmdline_number("vmm", 1));
	if (cmdline_value("watch")) {
		int status;
		pid_t vmm = fork();

		if (vmm) {
			waitpid(vmm, &status, 0);
			say("init: the VMM has died: %#x", status);
			execl(path, path, "again", NULL);
		}
	}
	execl(path, path, NULL);
	guest_fail("%s: %s", path, strerror(errno));
}
