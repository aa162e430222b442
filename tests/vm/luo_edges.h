/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sessions as userspace may use them: odd names and tokens, files of odd sizes, sessions of one
 * name in two kernels, processes that go, and sessions that nobody asks for in three kernels.
 */
#ifndef KSTATE_TESTS_VM_LUO_EDGES_H
#define KSTATE_TESTS_VM_LUO_EDGES_H

#include <limits.h>
#include <sys/resource.h>
#include "luo_next.h"

static int edges_wrong;

/* Go on, so that one run shows all that is wrong */
#define edge(condition, ...) do {						\
	if (!(condition)) {							\
		edges_wrong++;							\
		say("EDGE WRONG %d: " #condition, __LINE__);			\
		say("  " __VA_ARGS__);						\
	}									\
} while (0)

/* As an expression: what was called, which is said if it was not expected */
#define edge_is(call, expected) do {						\
	long is_ = (call);							\
										\
	if (is_ != (expected)) {						\
		edges_wrong++;							\
		say("EDGE WRONG %d: " #call " is %ld, expected %ld", __LINE__, is_,	\
		    (long)(expected));						\
	}									\
} while (0)

/* Whether the file @token is there with the content that @content has */
static int edge_content(int session, unsigned long long token, unsigned long long content)
{
	int fd = luo_try_retrieve(session, token), wrong;

	if (fd < 0)
		return fd;
	wrong = !luo_has(fd, content);
	close(fd);
	return wrong;
}

/* A session of its own with a file whose token tells its content */
static int edge_make(const char *name, unsigned long long token)
{
	int session = luo_open_session(LUO_CREATE_SESSION, name), err;

	if (session < 0)
		return session;
	err = luo_try_preserve(session, luo_memfd(token, 0), token);
	return err ?: session;
}

/* There is such a session, with nothing but this file */
static int edge_take(const char *name, unsigned long long token)
{
	int session = luo_open_session(LUO_RETRIEVE_SESSION, name), err;

	if (session < 0)
		return session;
	err = edge_content(session, token, token);
	if (!err)
		err = luo_try_finish(session);
	close(session);
	return err;
}

static const char *const edge_names[] = {
	"a23456789b23456789c23456789d23456789e23456789f23456789g2345678x",
	"a/b//c/", "luo/", "luo/x", "luo", "..", " ", "a b", "\xff\xfe\x01", "%s%n%p",
	"\"q\\", "kernel",
};

static void edges_limits(void)
{
	struct rlimit limit = { 20000, 20000 };

	guest_check(!setrlimit(RLIMIT_NOFILE, &limit));
}

static const struct edge_size {
	long long size, at[2];	/* bytes at these places, -1: none */
} edge_sizes[] = {
	{ 0, { -1, -1 } }, { 1, { 0, -1 } }, { 4095, { 4094, -1 } }, { 4096, { 0, 4095 } },
	{ 4097, { 4096, -1 } }, { 10 << 20, { -1, -1 } }, { 1LL << 40, { 0, (1LL << 40) - 1 } },
	{ LLONG_MAX, { -1, -1 } }, { LLONG_MAX, { 5, -1 } },
	{ (1 << 20) + 7, { 12345, 1 << 20 } },
};

static void edges_make_sizes(void)
{
	int session = luo_open_session(LUO_CREATE_SESSION, "sizes");

	for (size_t i = 0; i < ARRAY_LENGTH(edge_sizes); i++) {
		const struct edge_size *s = &edge_sizes[i];
		int fd = memfd_create("size", MFD_CLOEXEC);

		guest_check(!ftruncate(fd, s->size));
		for (int j = 0; j < 2; j++)
			if (s->at[j] >= 0)
				edge_is(pwrite(fd, "x", 1, s->at[j]), 1);
		say("size %zu", i);
		edge_is(luo_try_preserve(session, fd, i), 0);
		edge(pwrite(fd, "xy", 2, s->size - 1) <= 1, "grown by writing");
		edge(ftruncate(fd, s->size ^ 1) == -1 && errno == EPERM, "size can be changed");
		edge(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == -1,
		     "hole punched");
	}
}

static void edges_take_sizes(void)
{
	int session = luo_open_session(LUO_RETRIEVE_SESSION, "sizes");

	for (size_t i = 0; i < ARRAY_LENGTH(edge_sizes); i++) {
		const struct edge_size *s = &edge_sizes[i];
		int fd = luo_try_retrieve(session, i);
		struct stat st;
		char byte;

		edge(fd >= 0, "size %zu: %s", i, strerror(-fd));
		if (fd < 0)
			continue;
		guest_check(!fstat(fd, &st));
		edge(st.st_size == s->size, "size %zu: %lld", i, (long long)st.st_size);
		for (int j = 0; j < 2; j++)
			edge(s->at[j] < 0 || (pread(fd, &byte, 1, s->at[j]) == 1 && byte == 'x'),
			     "size %zu, byte %d", i, j);
		edge(!ftruncate(fd, 100) && !ftruncate(fd, 1 << 20), "size %zu", i);
		close(fd);
	}
	edge_is(luo_try_finish(session), 0);
	close(session);
}

static const struct edge_seal {
	unsigned int flags;
	int seals;
	bool late;	/* sealed after it was preserved */
} edge_seals[] = {
	{ MFD_ALLOW_SEALING, 0 },
	{ MFD_ALLOW_SEALING, F_SEAL_WRITE },
	{ MFD_ALLOW_SEALING, F_SEAL_SHRINK | F_SEAL_SEAL },
	{ MFD_ALLOW_SEALING, F_SEAL_FUTURE_WRITE },
	{ MFD_ALLOW_SEALING, F_SEAL_EXEC },
	{ MFD_ALLOW_SEALING, F_SEAL_SHRINK | F_SEAL_GROW, true },
	{ MFD_NOEXEC_SEAL, 0 },
	{ MFD_NOEXEC_SEAL, F_SEAL_SEAL, true },
};

static void edges_make_seals(char *line, size_t size)
{
	int session = luo_open_session(LUO_CREATE_SESSION, "seals"), len = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(edge_seals); i++) {
		const struct edge_seal *s = &edge_seals[i];
		int fd = luo_memfd(i, s->flags);
		struct stat st;

		if (!s->late)
			guest_check(!fcntl(fd, F_ADD_SEALS, s->seals));
		edge_is(luo_try_preserve(session, fd, i), 0);
		if (s->late)
			guest_check(!fcntl(fd, F_ADD_SEALS, s->seals));
		guest_check(!fstat(fd, &st));
		len += snprintf(line + len, size - len, "%#x:%#o,", fcntl(fd, F_GET_SEALS),
				st.st_mode & 0777);
	}
}

static void edges_take_seals(const char *expected)
{
	int session = luo_open_session(LUO_RETRIEVE_SESSION, "seals"), len = 0;
	char line[500];

	for (size_t i = 0; i < ARRAY_LENGTH(edge_seals); i++) {
		int fd = luo_try_retrieve(session, i);
		struct stat st;

		guest_ok(fd);
		guest_check(!fstat(fd, &st));
		len += snprintf(line + len, sizeof(line) - len, "%#x:%#o,", fcntl(fd, F_GET_SEALS),
				st.st_mode & 0777);
		close(fd);
	}
	edge(!strcmp(line, expected), "seals:mode are %s, were %s", line, expected);
	edge_is(luo_try_finish(session), 0);
	close(session);
}

static void edges_wrong_calls(void)
{
	int session = luo_open_session(LUO_CREATE_SESSION, "wrong"), other, fd, pipes[2];
	struct luo_session_name name = { .size = sizeof(name) };
	int luo = open(LIVEUPDATE, O_RDWR | O_CLOEXEC);

	memset(name.name, 'x', sizeof(name.name));
	edge(ioctl(luo, LUO_CREATE_SESSION, &name) == -1 && errno == EINVAL, "not terminated");
	edge(ioctl(luo, LUO_RETRIEVE_SESSION, &name) == -1 && errno == ENOENT, "not terminated");
	edge_is(luo_try_session(luo, LUO_CREATE_SESSION, ""), -EINVAL);
	edge_is(luo_try_session(luo, LUO_CREATE_SESSION, "wrong"), -EEXIST);
	edge(open(LIVEUPDATE, O_RDWR) == -1 && errno == EBUSY, "opened twice");
	close(luo);
	guest_check(!pipe(pipes));
	fd = luo_memfd(1, 0);
	edge_is(luo_try_preserve(session, 9999, 1), -EBADF);
	edge_is(luo_try_preserve(session, pipes[0], 1), -ENOENT);
	edge_is(luo_try_preserve(session, session, 1), -ENOENT);
	edge_is(luo_try_preserve(session, fd, 1), 0);
	edge_is(luo_try_preserve(session, fd, 1), -EEXIST);
	edge_is(luo_try_preserve(session, fd, 2), -EBUSY);
	edge_is(luo_try_preserve(session, dup(fd), 2), -EBUSY);
	other = luo_open_session(LUO_CREATE_SESSION, "wrong too");
	edge_is(luo_try_preserve(other, fd, 1), -EBUSY);
	edge_is(luo_try_retrieve(session, 1), -EINVAL);
	edge_is(luo_try_finish(session), -EINVAL);
	close(session);
	edge_is(luo_try_preserve(other, fd, 1), 0);
	close(other);
	edge_is(ftruncate(fd, 1), 0);
	/* Both names can be had again */
	close(luo_open_session(LUO_CREATE_SESSION, "wrong"));
	close(luo_open_session(LUO_CREATE_SESSION, "wrong too"));
}

/* A process that is killed with a session, and one that has inherited one */
static void edges_processes(void)
{
	int fd = luo_memfd(1, 0), session, status;
	pid_t pid = fork();

	if (!pid) {
		session = luo_open_session(LUO_CREATE_SESSION, "killed");
		if (luo_try_preserve(session, fd, 1) || ftruncate(fd, 1) != -1)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	guest_check(waitpid(pid, &status, 0) == pid);
	edge(WIFSIGNALED(status), "the child could not preserve");
	edge_is(ftruncate(fd, 1), 0);
	session = edge_make("killed", 77);
	edge(session >= 0, "%s", strerror(-session));
	session = luo_open_session(LUO_CREATE_SESSION, "inherited");
	if (!fork()) {
		guest_check(!luo_try_preserve(session, luo_memfd(5, 0), 5));
		pause();
	}
	close(session);
	sleep(1);
	edge_is(luo_open_session(LUO_CREATE_SESSION, "inherited"), -EEXIST);
}

#define EDGE_MANY	2000

static void edges_make_many(void)
{
	int luo = open(LIVEUPDATE, O_RDWR | O_CLOEXEC);
	char name[64];

	for (int i = 0; i < EDGE_MANY; i++) {
		int fd = luo_memfd(i, 0), session;

		snprintf(name, sizeof(name), "many/%d", i);
		session = luo_try_session(luo, LUO_CREATE_SESSION, name);
		guest_ok(session);
		luo_preserve_fd(session, fd, i);
		close(fd);
	}
	close(luo);
}

/* Two processes that create sessions, preserve files, and close some until the jump */
static void edges_make_loop(void)
{
	for (int child = 0; child < 2; child++) {
		if (fork())
			continue;
		for (int i = 0;; i++) {
			char name[64];
			int session;

			snprintf(name, sizeof(name), "loop/%d/%d", child, i);
			do
				session = luo_open_session(LUO_CREATE_SESSION, name);
			while (session == -EBUSY);
			if (session < 0)
				_exit(0);
			for (int j = 0; j < 3; j++) {
				int fd = luo_memfd(i * 3 + j, 0);

				if (luo_try_preserve(session, fd, i * 3 + j))
					guest_fail("in the loop");
				close(fd);
			}
			if (i % 3)
				close(session);
		}
	}
}

static void edges_take_loop(void)
{
	int luo = open(LIVEUPDATE, O_RDWR | O_CLOEXEC), files = 0, sessions = 0;
	char name[64];

	for (int child = 0; child < 2; child++) {
		for (int i = 0; i < 20000; i++) {
			int session, n = 0, err;

			snprintf(name, sizeof(name), "loop/%d/%d", child, i);
			session = luo_try_session(luo, LUO_RETRIEVE_SESSION, name);
			if (session == -ENOENT)
				continue;
			guest_ok(session);
			sessions++;
			for (int j = 0; j < 3; j++) {
				err = edge_content(session, i * 3 + j, i * 3 + j);
				edge(!err || err == -ENOENT, "%s, %d: %d", name, j, err);
				n += !err;
			}
			files += n;
			edge_is(luo_try_finish(session), 0);
			close(session);
		}
	}
	close(luo);
	say("%d sessions of the loop with %d files came over", sessions, files);
	edge(sessions > 0, "none");
}

static long edge_used(void)
{
	return meminfo("MemTotal") - meminfo("MemFree") - meminfo("Cached");
}

static void edges_command(void)
{
	edge_is(kstate("check", "running", "/kernels/a"), 0);
	say_output();
	edge_is(kstate("status"), 0);
	edge_is(kstate("dump", "/sys/kernel/kstate/outgoing"), 0);
	edge(strstr(output, "luo/"), "no sessions in the dump");
	edge_is(kstate("check", "--live", "/kernels/a"), 0);
}

static void edges_end(void)
{
	if (edges_wrong)
		guest_fail("%d edges are wrong", edges_wrong);
	guest_pass();
}

static void luo_edges(long boot)
{
	char seals[500], name[64];
	int session, fd, luo;
	static char records[4 << 20];

	edges_limits();
	say("boot %ld: %ld KiB used", boot, edge_used());
	if (!boot) {
		edges_wrong_calls();
		for (size_t i = 0; i < ARRAY_LENGTH(edge_names); i++)
			edge(edge_make(edge_names[i], i) >= 0, "name %zu", i);
		session = luo_open_session(LUO_CREATE_SESSION, "tokens");
		for (int i = 0; i < 64; i++)
			edge_is(luo_try_preserve(session, luo_memfd(i, 0), ~0ULL << i), 0);
		edge_is(luo_try_preserve(session, luo_memfd(64, 0), 0), 0);
		edges_make_sizes();
		edges_make_seals(seals, sizeof(seals));
		edges_processes();
		edges_make_many();
		session = luo_open_session(LUO_CREATE_SESSION, "same");
		guest_ok(luo_try_preserve(session, luo_memfd(11, 0), 1));
		guest_ok(luo_try_preserve(session, luo_memfd(12, 0), 2));
		edges_command();
		guest_ok(read_file(KSTATE_SYS "streams", records, sizeof(records)));
		guest_ok(read_file(KSTATE_SYS "records", records, sizeof(records)));
		load_kernel("a", "seals=%s wrong=%d", seals, edges_wrong);
		edges_make_loop();
		sleep(2);
		guest_ok(jump());
	}
	edges_wrong = cmdline_number("wrong", 0);
	if (boot == 1) {
		/* Sessions are not KSTATE's to finish */
		finish();
		for (size_t i = 0; i < ARRAY_LENGTH(edge_names); i++)
			edge_is(edge_take(edge_names[i], i), 0);
		session = luo_open_session(LUO_RETRIEVE_SESSION, "tokens");
		for (int i = 0; i < 64; i++)
			edge_is(edge_content(session, ~0ULL << i, i), 0);
		edge_is(edge_content(session, 0, 64), 0);
		edge_is(luo_try_preserve(session, luo_memfd(1, 0), 100), -EINVAL);
		edge_is(luo_open_session(LUO_RETRIEVE_SESSION, "tokens"), -EINVAL);
		edge_is(edge_content(session, 0, 64), 0);
		/* It is preserved again once it has been finished */
		fd = luo_try_retrieve(session, 0);
		luo = luo_open_session(LUO_CREATE_SESSION, "again");
		edge_is(luo_try_preserve(luo, fd, 64), -EBUSY);
		edge_is(luo_try_finish(session), 0);
		edge_is(luo_try_preserve(luo, fd, 64), 0);
		edge_is(luo_try_finish(session), 0);
		edge_is(luo_try_retrieve(session, 0), -ENOENT);
		edge_is(luo_open_session(LUO_RETRIEVE_SESSION, "tokens"), -ENOENT);
		close(session);
		edge_is(luo_open_session(LUO_RETRIEVE_SESSION, "tokens"), -ENOENT);
		edges_take_sizes();
		edges_take_seals(cmdline_value("seals"));
		edge_is(edge_take("killed", 77), 0);
		edge_is(edge_take("inherited", 5), 0);
		edges_take_loop();
		edges_command();
		/* Sessions of the same name from both kernels */
		session = luo_open_session(LUO_CREATE_SESSION, "same");
		edge(session >= 0, "%s", strerror(-session));
		if (session >= 0) {
			guest_ok(luo_try_preserve(session, luo_memfd(31, 0), 1));
			guest_ok(luo_try_preserve(session, luo_memfd(33, 0), 3));
		}
		leave_for("a", "wrong=%d used=%ld", edges_wrong, edge_used());
	}
	if (boot == 2) {
		session = luo_open_session(LUO_RETRIEVE_SESSION, "same");
		/* What has been saved anew goes first */
		edge_is(edge_content(session, 1, 31), 0);
		edge_is(edge_content(session, 2, 12), 0);
		edge_is(edge_content(session, 3, 33), 0);
		edge_is(luo_try_finish(session), 0);
		close(session);
		edge_is(edge_take("again", 64), 0);
		leave_for("a", "wrong=%d", edges_wrong);
	}
	luo = open(LIVEUPDATE, O_RDWR | O_CLOEXEC);
	for (int i = 0; i < EDGE_MANY; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		session = luo_try_session(luo, LUO_RETRIEVE_SESSION, name);
		edge(session >= 0, "%s: %s", name, strerror(-session));
		edge_is(edge_content(session, i, i), 0);
		edge_is(luo_try_finish(session), 0);
		close(session);
	}
	close(luo);
	guest_ok(read_file(KSTATE_SYS "streams", records, sizeof(records)));
	edge(!strstr(records, "in luo/"), "streams are left: %.700s", strstr(records, "in luo/"));
	say("at the end: %ld KiB used", edge_used());
	edges_end();
}
#endif
