/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The command kstate in a guest: tests/vm/run puts it into /bin.
 */
#ifndef KSTATE_TESTS_VM_COMMAND_H
#define KSTATE_TESTS_VM_COMMAND_H

#include <signal.h>
#include <sys/wait.h>
#include "steps.h"

/* What it printed last, errors included */
static char output[1 << 20];

#define OUTPUT		"/tmp/output"

/* What to wait for in the gate, and then to tell the command to stop; or NULL */
static const char *stop_when;

static inline void stop_then(pid_t pid)
{
	do {
		guest_ok(read_file(KSTATE_SYS "gate", output, sizeof(output)));
	} while (!strstr(output, stop_when));
	guest_check(!kill(pid, SIGTERM));
}

/* Run /bin/kstate; returns its exit status */
static inline int run_kstate(const char *const *args)
{
	pid_t pid = fork();
	int fd, status;

	if (!pid) {
		fd = open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		dup2(fd, 1);
		dup2(fd, 2);
		execv("/bin/kstate", (char **)args);
		_exit(127);
	}
	if (pid > 0 && stop_when)
		stop_then(pid);
	guest_check(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	guest_ok(read_file(OUTPUT, output, sizeof(output)));
	return WEXITSTATUS(status);
}

/* As an expression: the exit status of kstate with these arguments */
#define kstate(...)	run_kstate((const char *const []){ "kstate", __VA_ARGS__, NULL })

/* Line by line, because a line on the console has no more than 900 bytes */
static inline void say_output(void)
{
	char *rest = strdup(output), *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			say("| %s", line);
}

/* kstate has to exit with this status, and to print these words */
#define kstate_says(_status, _words, ...) do {					\
	int is_ = kstate(__VA_ARGS__);						\
										\
	if (is_ != (_status) || !strstr(output, _words)) {			\
		say_output();							\
		guest_fail("%s:%d: status %d, expected %d and \"%s\"", __FILE__, __LINE__, is_, \
			   _status, _words);					\
	}									\
} while (0)

/* The image of a kernel with one of its modules, as an argument */
static inline const char *image(const char *variant, const char *module)
{
	static char path[200];

	snprintf(path, sizeof(path), "/kernels/%s,/modules/%s/%s.ko", variant, variant, module);
	return path;
}

static inline void new_file(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	guest_check(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
}

/* A copy of a file of any size; sysfs gives a page at a time */
static inline void copy_file(const char *from, const char *to)
{
	static char data[1 << 20];
	ssize_t size = read_file(from, data, sizeof(data));
	int fd;

	guest_ok(size);
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	guest_check(fd >= 0 && write(fd, data, size) == size);
	close(fd);
}

#endif
