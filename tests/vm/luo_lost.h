/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What sessions promise when something goes wrong, or comes together: nothing is lost that
 * could not be retrieved, and nothing stays that nobody can free.
 */
#ifndef KSTATE_TESTS_VM_LUO_LOST_H
#define KSTATE_TESTS_VM_LUO_LOST_H

#include "luo_edges.h"

/* What @call gives while there may be no more open files; a negative errno or 0 */
#define without_files(call) ({							\
	int status_;								\
	pid_t pid_;								\
										\
	guest_ok(write_file("/proc/sys/fs/file-max", "0"));			\
	pid_ = fork();								\
	if (!pid_) {								\
		long ret_ = setuid(1000) ? -EPERM : (call);			\
										\
		_exit(ret_ < 0 ? -ret_ : 0);					\
	}									\
	guest_check(waitpid(pid_, &status_, 0) == pid_ && WIFEXITED(status_));	\
	guest_ok(write_file("/proc/sys/fs/file-max", "100000"));		\
	-WEXITSTATUS(status_);							\
})

/* A file that could not be retrieved for want of something is there after closing */
static void luo_lost_file(long boot)
{
	int session;

	if (!boot) {
		guest_ok(edge_make("vm", 1));
		leave_for("a", "");
	}
	session = luo_session(LUO_RETRIEVE_SESSION, "vm");
	guest_check(without_files(luo_try_retrieve(session, 1)) == -ENFILE);
	guest_check(luo_try_retrieve(session, 1) == -ENFILE);
	close(session);
	session = luo_session(LUO_RETRIEVE_SESSION, "vm");
	if (edge_content(session, 1, 1))
		guest_fail("the file is lost: %s", strerror(-luo_try_retrieve(session, 1)));
	guest_pass();
}

/* A session that could not be retrieved is handed on */
static void luo_lost_session(long boot)
{
	int luo, session;

	if (!boot) {
		guest_ok(edge_make("vm", 1));
		leave_for("a", "");
	}
	if (boot == 1) {
		luo = open(LIVEUPDATE, O_RDWR | O_CLOEXEC);
		guest_check(without_files(luo_try_session(luo, LUO_RETRIEVE_SESSION, "vm")) == -ENFILE);
		leave_for("a", "");
	}
	session = luo_open_session(LUO_RETRIEVE_SESSION, "vm");
	if (session < 0)
		guest_fail("the session is lost: %s", strerror(-session));
	guest_check(!edge_content(session, 1, 1));
	guest_pass();
}

#define ROOM_BYTES	(64L << 20)

static void room_preserve(int session, unsigned long long token)
{
	int fd = memfd_create("room", MFD_CLOEXEC);

	guest_check(!ftruncate(fd, ROOM_BYTES) && !fallocate(fd, 0, 0, ROOM_BYTES));
	luo_preserve_fd(session, fd, token);
}

/* Closing frees what nobody asked for, even if another file stays */
static void luo_lost_room(long boot)
{
	long free = meminfo("MemFree");
	int session;

	if (!boot) {
		session = luo_session(LUO_CREATE_SESSION, "vm");
		luo_preserve(session, 1);
		room_preserve(session, 2);
		leave_for("a", "");
	}
	session = luo_session(LUO_RETRIEVE_SESSION, "vm");
	guest_check(without_files(luo_try_retrieve(session, 1)) == -ENFILE);
	close(session);
	say("%ld KiB freed", meminfo("MemFree") - free);
	guest_check(meminfo("MemFree") - free > ROOM_BYTES / 1024 / 2);
	guest_pass();
}

/* A session that is open at the jump comes over with the files that have not been retrieved */
static void luo_half(long boot)
{
	int session;

	if (!boot) {
		session = luo_session(LUO_CREATE_SESSION, "half");
		luo_preserve(session, 1);
		room_preserve(session, 2);
		leave_for("a", "");
	}
	if (boot == 1) {
		session = luo_session(LUO_RETRIEVE_SESSION, "half");
		luo_retrieve(session, 1, LUO_BYTES);
		leave_for("a", "");
	}
	/* What was retrieved was the process's; what was not has been handed on */
	session = luo_session(LUO_RETRIEVE_SESSION, "half");
	guest_check(luo_try_retrieve(session, 1) == -ENOENT);
	close(luo_retrieve_fd(session, 2));
	luo_finish(session);
	guest_ok(read_file(KSTATE_SYS "records", text, sizeof(text)));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, " luo/half "))
			guest_fail("the session is gone, but nobody can free %s", line);
	guest_pass();
}

/* As luo_half(), of files that nobody handles in the kernel in between */
static void luo_held(long boot)
{
	int session;

	if (!boot) {
		guest_ok(edge_make("vm", 1));
		leave_for("nomemfd", "");
	}
	session = luo_session(LUO_RETRIEVE_SESSION, "vm");
	if (boot == 1) {
		guest_check(luo_try_retrieve(session, 1) == -EOPNOTSUPP);
		/* The session is still open */
		leave_for("a", "");
	}
	guest_check(!edge_content(session, 1, 1));
	guest_pass();
}

/* A page behind 64 PiB is too far out for what is handed over: refused, and the session goes on */
static void luo_last_byte(long boot)
{
	int session, fd;

	if (!boot) {
		session = luo_session(LUO_CREATE_SESSION, "vm");
		fd = memfd_create("last", MFD_CLOEXEC);
		guest_check(pwrite(fd, "x", 1, LLONG_MAX - 1) == 1);
		guest_check(luo_try_preserve(session, fd, 1) == -ERANGE);
		check_error("folios");
		luo_preserve(session, 1);
		leave_for("a", "");
	}
	session = luo_session(LUO_RETRIEVE_SESSION, "vm");
	luo_retrieve(session, 1, LUO_BYTES);
	luo_finish(session);
	guest_pass();
}

/* A file that is not executable, and sealed against that and against writing */
static void luo_noexec(long boot)
{
	int session, fd;
	struct stat st;

	if (!boot) {
		session = luo_session(LUO_CREATE_SESSION, "vm");
		fd = luo_memfd(1, MFD_NOEXEC_SEAL);
		guest_check(!fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
		luo_preserve_fd(session, fd, 1);
		leave_for("a", "");
	}
	fd = luo_retrieve_fd(luo_session(LUO_RETRIEVE_SESSION, "vm"), 1);
	guest_check(!fstat(fd, &st));
	if (fcntl(fd, F_GET_SEALS) != (F_SEAL_EXEC | F_SEAL_WRITE) || (st.st_mode & 0111))
		guest_fail("seals %#x, mode %#o", fcntl(fd, F_GET_SEALS), st.st_mode);
	guest_pass();
}

/* Names that userspace may give, shown by the command */
static void luo_names(long boot)
{
	static const char *const names[] = { "a b", "\xff\xfe\x01", "\"q\\", "x\ny" };
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		int session = luo_session(LUO_CREATE_SESSION, names[i]), status[5];

		luo_preserve(session, 1);
		kstate("arm", "/kernels/a");
		status[0] = kstate("status");
		status[1] = kstate("status", "--json");
		status[2] = kstate("dump", "/sys/kernel/kstate/outgoing");
		status[3] = kstate("dump", "--json", "/sys/kernel/kstate/outgoing");
		status[4] = kstate("check", "--live", "--json");
		for (int j = 0; j < 5; j++)
			wrong += !!status[j];
		say("name %zu: status %d, --json %d, dump %d, --json %d, check %d", i, status[0],
		    status[1], status[2], status[3], status[4]);
		close(session);
	}
	if (wrong)
		guest_fail("%d calls of the command failed", wrong);
	guest_pass();
}

/* Jumps that are refused after incoming sessions were handed on, one of them into a new one */
static void luo_back(long boot)
{
	int session, other;

	load_stress("objects=20 folios=5");
	if (boot < 2) {
		kstate_says(3, "20 blocked", "arm", image("a", "kstate_demo"));
		load_kernel("a", "");
	}
	if (!boot) {
		session = luo_session(LUO_CREATE_SESSION, "x");
		luo_preserve_fd(session, luo_memfd(1, 0), 1);
		luo_preserve_fd(session, luo_memfd(2, 0), 2);
		guest_ok(edge_make("y", 3));
		guest_ok(edge_make("z", 4));
	} else if (boot == 1) {
		other = luo_session(LUO_CREATE_SESSION, "x");
		luo_preserve_fd(other, luo_memfd(11, 0), 1);
		for (int i = 0; i < 3; i++)
			guest_check(jump() == -EPROTO);
		guest_ok(edge_take("y", 3));
		guest_check(jump() == -EPROTO);
		session = luo_session(LUO_RETRIEVE_SESSION, "x");
		guest_ok(edge_content(session, 1, 1));
		guest_check(jump() == -EPROTO);
		guest_ok(edge_content(session, 2, 2));
		guest_ok(edge_content(session, 1, 1));
		luo_finish(session);
		guest_check(jump() == -EPROTO);
		luo_preserve_fd(other, luo_memfd(12, 0), 2);
	} else {
		session = luo_session(LUO_RETRIEVE_SESSION, "x");
		guest_ok(edge_content(session, 1, 11));
		guest_ok(edge_content(session, 2, 12));
		luo_finish(session);
		guest_ok(edge_take("z", 4));
		guest_pass();
	}
	kstate_says(0, " exact; checked", "arm", image("a", "kstate_stress"));
	guest_ok(jump());
}

/* Three processes retrieve and finish with one session, and close it */
static void busy_share(int session)
{
	pid_t pids[3];

	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (int n = 0; n < 20; n++) {
			for (int token = 0; token < 4; token++) {
				int fd = luo_try_retrieve(session, token);

				if (fd >= 0)
					close(fd);
				else if (fd != -ENOENT)
					guest_fail("shared: %s", strerror(-fd));
			}
			if (n == 10 && i)
				luo_try_finish(session);
		}
		_exit(0);
	}
	close(session);
	for (int i = 0; i < 3; i++)
		waitpid(pids[i], NULL, 0);
}

static void busy_read(const char *path)
{
	static char data[1 << 20];

	for (;;)
		read_file(path, data, sizeof(data));
}

/*
 * The FLBs of LUO's own tests belong to all files: they come over with a file that nobody has
 * asked for, and are finished with the last one, not before.
 */
static void luo_flb_left(long boot)
{
	static const char found[] = "liveupdate-test-flb-v0: found flb data from the previous boot";
	static const char finished[] = "liveupdate-test-flb-v0: finish was triggered";

	if (!boot) {
		guest_ok(edge_make("x", 1));
		guest_ok(edge_make("y", 2));
		leave_for("a", "");
	}
	guest_check(kmsg_has(found) || boot == 2);
	if (boot == 1) {
		guest_ok(edge_take("x", 1));
		guest_check(!kmsg_has(finished));
		guest_ok(edge_make("anew", 3));
		leave_for("a", "");
	}
	say("the FLB %s", kmsg_has(found) ? "is there" : "is not there");
	guest_ok(edge_take("anew", 3));
	if (kmsg_has(finished))
		guest_fail("the FLB is finished, but there is a file that has it");
	guest_ok(edge_take("y", 2));
	guest_check(kmsg_has(found) && kmsg_has(finished));
	guest_pass();
}

/* Sessions of both kernels come and go while everything that shows them is read */
static void luo_busy(long boot)
{
	static const char *const files[] = { "streams", "records", "incoming", "outgoing", "check" };
	pid_t pids[ARRAY_LENGTH(files) + 1];
	char name[64], path[100];

	edges_limits();
	if (!boot) {
		for (int i = 0; i < 60; i++) {
			snprintf(name, sizeof(name), "s%d", i);
			guest_ok(edge_make(name, i));
		}
		for (int i = 0; i < 10; i++) {
			int session;

			snprintf(name, sizeof(name), "shared%d", i);
			session = luo_session(LUO_CREATE_SESSION, name);
			for (int token = 0; token < 4; token++)
				luo_preserve(session, token);
		}
		leave_for("debug", "");
	}
	kstate("arm", "/kernels/debug");
	for (size_t i = 0; i <= ARRAY_LENGTH(files); i++) {
		snprintf(path, sizeof(path), KSTATE_SYS "%s", files[i % ARRAY_LENGTH(files)]);
		pids[i] = fork();
		if (pids[i])
			continue;
		if (i < ARRAY_LENGTH(files))
			busy_read(path);
		for (int n = 0;; n++) {
			int fd = luo_memfd(n, 0), session;

			do
				session = luo_open_session(LUO_CREATE_SESSION, "mine");
			while (session == -EBUSY);
			guest_ok(luo_try_preserve(session, fd, n));
			close(session);
			close(fd);
		}
	}
	sleep(2);
	for (int i = 0; i < 10; i++) {
		int session;

		snprintf(name, sizeof(name), "shared%d", i);
		do
			session = luo_open_session(LUO_RETRIEVE_SESSION, name);
		while (session == -EBUSY);
		guest_ok(session);
		busy_share(session);
	}
	for (int i = 0; i < 60; i++) {
		int session;

		snprintf(name, sizeof(name), "s%d", i);
		do
			session = luo_open_session(LUO_RETRIEVE_SESSION, name);
		while (session == -EBUSY);
		/* What nobody has asked for until then is freed by "all" */
		if (i > 40) {
			guest_check(session == -ENOENT);
			continue;
		}
		guest_ok(session);
		if (i == 40)
			guest_ok(write_file(KSTATE_SYS "finish", "all"));
		if (i < 40)
			guest_check(!edge_content(session, i, i));
		else
			guest_check(luo_try_retrieve(session, i) < 0);
		if (i % 2)
			guest_ok(luo_try_finish(session));
		close(session);
	}
	for (size_t i = 0; i <= ARRAY_LENGTH(files); i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	guest_check(!kmsg_has("BUG: ") && !kmsg_has("WARNING: "));
	check_kmemleak();
	guest_pass();
}

#endif
