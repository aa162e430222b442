// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Init for a program that reports in TAP: /bin/test has to pass in full, which
 * what it skips does not.
 */
#include <sys/wait.h>
#include "guest.h"

int main(void)
{
	int passed = 0, failed = 0, pipes[2], status;
	char line[800];
	FILE *tap;
	pid_t pid;

	guest_start();
	guest_check(!pipe(pipes));
	pid = fork();
	if (!pid) {
		dup2(pipes[1], 1);
		dup2(pipes[1], 2);
		execl("/bin/test", "test", NULL);
		_exit(127);
	}
	close(pipes[1]);
	tap = fdopen(pipes[0], "r");
	guest_check(pid > 0 && tap);
	while (fgets(line, sizeof(line), tap)) {
		line[strcspn(line, "\n")] = '\0';
		say("%s", line);
		if (!strncmp(line, "ok ", 3) && !strstr(line, "# SKIP"))
			passed++;
		else if (!strncmp(line, "ok ", 3) || !strncmp(line, "not ok ", 7))
			failed++;
	}
	guest_check(waitpid(pid, &status, 0) == pid);
	if (status || failed || !passed)
		guest_fail("status %#x, %d passed, %d failed or skipped", status, passed, failed);
	say("tap: %d passed", passed);
	guest_pass();
}
