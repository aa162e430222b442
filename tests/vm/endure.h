/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Live update over and over, and with allocations that fail: nothing is lost, and nothing is left behind.
 */
#ifndef KSTATE_TESTS_VM_ENDURE_H
#define KSTATE_TESTS_VM_ENDURE_H

#include "luo.h"

#define JUMPS		100
#define ENDURE_SESSIONS	4
#define ENDURE_FILES	3

static unsigned long long endure_random(unsigned long long *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

static unsigned long long endure_seed(long boot, int session, int file)
{
	return boot * 1000003ULL + session * 101 + file;
}

/* A name that no session had before, nor will have again */
static const char *endure_name(long boot, int session)
{
	static char name[64];

	snprintf(name, sizeof(name), "session-%ld-%d", boot, session);
	return name;
}

/* Write pages at random places, up to 1 MiB; what was never written is a hole. Then change the size. */
static void endure_write(int fd, unsigned long long seed)
{
	static unsigned int page[1024];
	int pages = endure_random(&seed) % 256;

	for (int i = 0; i < pages; i++) {
		off_t at = endure_random(&seed) % 256 * sizeof(page);

		for (size_t j = 0; j < ARRAY_LENGTH(page); j++)
			page[j] = endure_random(&seed);
		guest_check(pwrite(fd, page, sizeof(page), at) == sizeof(page));
	}
	guest_check(!ftruncate(fd, endure_random(&seed) % (256 * sizeof(page))));
	guest_check(lseek(fd, endure_random(&seed) % 10000, SEEK_SET) >= 0);
}

/* Of its position, its content and its size */
static unsigned int endure_checksum(unsigned int sum, int fd)
{
	static unsigned int page[1024];
	off_t at = 0, position = lseek(fd, 0, SEEK_CUR);
	ssize_t n;

	guest_check(position >= 0);
	sum = (sum ^ position) * 16777619u;

	do {
		memset(page, 0, sizeof(page));
		n = pread(fd, page, sizeof(page), at);
		guest_check(n >= 0);
		for (size_t i = 0; i < ARRAY_LENGTH(page); i++)
			sum = (sum ^ page[i]) * 16777619u;
		at += n;
	} while (n);
	return (sum ^ at) * 16777619u;
}

/* The lines of /sys/kernel/kstate/streams of sessions: "in" for those that came, "out" for those that go */
static int streams_of_sessions(const char *direction)
{
	char start[20];
	int nr = 0;

	snprintf(start, sizeof(start), "%s luo/", direction);
	guest_ok(read_file(KSTATE_SYS "streams", text, sizeof(text)));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		nr += !strncmp(line, start, strlen(start));
	return nr;
}

/* KiB of scripts/vm's 1 GiB that are not free, what was preserved and not taken included, without memfds */
static long endure_used(void)
{
	return (1 << 20) - meminfo("MemFree") - meminfo("Shmem");
}

static unsigned int endure_take_over(long boot, int fds[ENDURE_SESSIONS][ENDURE_FILES])
{
	unsigned int sum = 0;

	for (int i = 0; i < ENDURE_SESSIONS; i++) {
		int session = luo_session(LUO_RETRIEVE_SESSION, endure_name(boot - 1, i));

		for (int j = 0; j < ENDURE_FILES; j++) {
			fds[i][j] = luo_try_retrieve(session, j);
			guest_ok(fds[i][j]);
			sum = endure_checksum(sum, fds[i][j]);
		}
		/* Closing it finishes it, too */
		if (boot % 2)
			luo_finish(session);
		else
			close(session);
	}
	guest_check(!streams_of_sessions("in"));
	return sum;
}

/* An armed gate refuses, and the sessions go on. */
static void endure_refused(const char *next)
{
	load_stress("objects=20 folios=5");
	kstate_says(3, "20 blocked", "arm", image(next, "kstate_demo"));
	load_kernel(next, "");
	for (int i = 0; i < 2; i++) {
		int err = jump();

		if (err != -EPROTO)
			guest_fail("the jump failed with %s", strerror(-err));
	}
	guest_ok(write_file(KSTATE_SYS "armed", "off"));
	guest_ok(rmmod("kstate_stress"));
}

/*
 * Every kernel writes into the files that it was given, replaces every third, and hands all on. MemTotal
 * lacks what the previous kernel has preserved and nobody has taken, to the page: it may not go down from the
 * tenth jump to the last. What is in use varies by some MiB, because the places of kernel and initramfs are
 * random, and less on the average of ten jumps.
 */
static void endurance(long boot)
{
	static const char *const kernels[] = { "a", "b" };
	long first = cmdline_number("first", 0), last = cmdline_number("last", 0), used;
	long tenth = cmdline_number("tenth", 0), total;
	int fds[ENDURE_SESSIONS][ENDURE_FILES], sessions[ENDURE_SESSIONS], other;
	const char *next = kernels[(boot + 1) % 2];
	unsigned int sum = 0, was = strtoul(cmdline_value("sum") ?: "0", NULL, 0);

	if (boot) {
		sum = endure_take_over(boot, fds);
		if (sum != was)
			guest_fail("the checksum was %#x, and is %#x", was, sum);
	}
	finish();
	total = meminfo("MemTotal");
	used = endure_used();
	if (boot == 10)
		tenth = total;
	if (boot > 10 && boot <= 20)
		first += used;
	if (boot > JUMPS - 10)
		last += used;
	say("boot %ld: MemTotal %ld KiB, %ld KiB in use, Slab %ld KiB", boot, total, used, meminfo("Slab"));
	if (boot == JUMPS) {
		say("in use on average: %ld KiB after jumps 11 to 20, %ld KiB after the last ten",
		    first / 10, last / 10);
		say("MemTotal: %ld KiB after jump 10, %ld KiB after jump %d", tenth, total, JUMPS);
		guest_check(tenth - total < 64);
		guest_check((last - first) / 10 < 2048);
		guest_pass();
	}

	for (int i = 0; i < ENDURE_SESSIONS; i++) {
		sessions[i] = luo_session(LUO_CREATE_SESSION, endure_name(boot, i));
		for (int j = 0; j < ENDURE_FILES; j++) {
			if (!boot || (boot + i + j) % 3 == 0) {
				if (boot)
					close(fds[i][j]);
				fds[i][j] = memfd_create("endure", MFD_CLOEXEC);
				guest_check(fds[i][j] >= 0);
			}
			endure_write(fds[i][j], endure_seed(boot, i, j));
			guest_ok(luo_try_preserve(sessions[i], fds[i][j], j));
		}
	}
	/* One that nobody needs after all */
	other = luo_session(LUO_CREATE_SESSION, "other");
	luo_preserve(other, 1);
	if (boot % 10 == 5)
		endure_refused(next);
	close(other);
	guest_check(streams_of_sessions("out") == ENDURE_SESSIONS);

	sum = 0;
	for (int i = 0; i < ENDURE_SESSIONS; i++)
		for (int j = 0; j < ENDURE_FILES; j++)
			sum = endure_checksum(sum, fds[i][j]);
	leave_for(next, "sum=%u tenth=%ld first=%ld last=%ld", sum, tenth, first, last);
}

/* A call with its nth allocation failing: its result, and whether there was an nth. */
#define with_fault(_nth, _failed, _call)					\
({										\
	set_fault(_nth);							\
	long ret_ = (_call);							\
										\
	_failed = had_fault();							\
	ret_;									\
})

/* More than retrieving or finishing has allocations */
#define FAULT_FILES	60
#define FAULT_PAGES	256

static int fail_nth = -1;

static void set_fault(int nth)
{
	char number[20];

	snprintf(number, sizeof(number), "%d", nth);
	guest_check(pwrite(fail_nth, number, strlen(number), 0) == (ssize_t)strlen(number));
}

/* The kernel counts down to 0 */
static bool had_fault(void)
{
	char left[20] = "";

	guest_check(pread(fail_nth, left, sizeof(left) - 1, 0) > 0);
	set_fault(0);
	return !atoi(left);
}

static void prepare_faults(void)
{
	static const char *const allocators[] = { "failslab", "fail_page_alloc" };
	char path[100];

	/* Those that may sleep, too; and the log has something else to tell */
	for (size_t i = 0; i < ARRAY_LENGTH(allocators); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/ignore-gfp-wait", allocators[i]);
		guest_ok(write_file(path, "N"));
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", allocators[i]);
		guest_ok(write_file(path, "0"));
	}
	guest_ok(write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0"));
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	guest_check(fail_nth >= 0);
}

/* A mebibyte, so that what is left of one is seen */
static int large_memfd(int token)
{
	static unsigned int page[1024];
	int fd = memfd_create("large", MFD_CLOEXEC);

	guest_check(fd >= 0);
	for (int i = 0; i < FAULT_PAGES; i++) {
		page[0] = page[1023] = token * FAULT_PAGES + i;
		guest_check(write(fd, page, sizeof(page)) == sizeof(page));
	}
	return fd;
}

static void check_large(int fd, int token)
{
	static unsigned int page[1024];

	guest_check(lseek(fd, 0, SEEK_END) == FAULT_PAGES * (off_t)sizeof(page));
	for (unsigned int i = 0; i < FAULT_PAGES; i++) {
		guest_check(pread(fd, page, sizeof(page), i * sizeof(page)) == sizeof(page));
		guest_check(page[0] == token * FAULT_PAGES + i && page[1023] == page[0]);
	}
}

/* A file that is preserved keeps its size, any other need not */
static void check_frozen(int fd, bool frozen)
{
	off_t size = FAULT_PAGES * 4096;
	bool grows = !ftruncate(fd, size + 4096);

	guest_check(grows == !frozen);
	guest_check(!grows || !ftruncate(fd, size));
}

static const char *fault_session(const char *what, int i)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s-%d", what, i);
	return name;
}

static void create_with_faults(int luo)
{
	bool failed = true;
	int nth = 0;

	while (failed) {
		int session = with_fault(++nth, failed, luo_try_session(luo, LUO_CREATE_SESSION, "new"));

		guest_check(failed || session >= 0);
		if (session < 0)
			session = luo_try_session(luo, LUO_CREATE_SESSION, "new");
		guest_ok(session);
		luo_preserve(session, 1);
		close(session);
		guest_check(!streams_of_sessions("out"));
	}
	say("faults: create: %d allocations", nth - 1);
}

static void preserve_with_faults(int luo)
{
	long before = 0, lost;
	bool failed = true;
	int nth = 0;

	while (failed) {
		int session = luo_try_session(luo, LUO_CREATE_SESSION, "new"), fd = large_memfd(++nth), err;
		int other;

		/* The first is there to fill the caches */
		if (nth == 2)
			before = meminfo("MemFree");
		guest_ok(session);
		other = luo_preserve(session, 1);
		err = with_fault(nth, failed, luo_try_preserve(session, fd, 2));
		guest_check(failed || !err);
		check_frozen(fd, !err);
		if (err)
			guest_ok(luo_try_preserve(session, fd, 2));
		check_frozen(fd, true);
		close(session);
		check_frozen(fd, false);
		check_large(fd, nth);
		close(fd);
		close(other);
		guest_check(!streams_of_sessions("out"));
	}
	lost = before - meminfo("MemFree");
	say("faults: preserve: %d allocations, %ld KiB less free", nth - 1, lost);
	guest_check(lost < nth * 512L);
}

static void freeze_with_faults(int luo)
{
	int session = luo_try_session(luo, LUO_CREATE_SESSION, "kept"), fd = large_memfd(1), nth = 0, err;
	int hole = memfd_create("hole", MFD_CLOEXEC);
	bool failed = true;

	guest_ok(session);
	guest_check(hole >= 0 && !ftruncate(hole, 1 << 30));
	guest_ok(luo_try_preserve(session, fd, 1));
	guest_ok(luo_try_preserve(session, hole, 2));
	load_stress("objects=5 folios=2");
	kstate_says(3, "5 blocked", "arm", image(variant(), "kstate_demo"));
	load_kernel(variant(), "");
	while (failed) {
		int other = luo_try_session(luo, LUO_CREATE_SESSION, "other"), more;

		guest_ok(other);
		more = luo_preserve(other, 1);
		err = with_fault(++nth, failed, jump_now());
		if (!failed && err != -EPROTO)
			guest_fail("the jump failed with %s", strerror(-err));
		close(luo_preserve(other, 2));
		close(other);
		close(more);
		check_frozen(fd, true);
		/* Who fills a hole waits no longer, and next time there is one page more to save */
		guest_check(pwrite(hole, &nth, sizeof(nth), nth * 8192L) == sizeof(nth));
		guest_check(streams_of_sessions("out") == 1);
	}
	say("faults: freeze: %d allocations", nth - 1);
	guest_ok(write_file(KSTATE_SYS "armed", "off"));
	guest_ok(rmmod("kstate_stress"));
	close(session);
	check_frozen(fd, false);
	check_large(fd, 1);
	close(fd);
	close(hole);
	guest_check(!streams_of_sessions("out"));
}

/* What with_faults() is to take over */
static void preserve_for_faults(int luo)
{
	static const char *const what[] = { "open", "end" };
	int session, fd;

	for (size_t i = 0; i < ARRAY_LENGTH(what); i++) {
		for (int j = 0; j < FAULT_FILES; j++) {
			session = luo_try_session(luo, LUO_CREATE_SESSION, fault_session(what[i], j));
			guest_ok(session);
			close(luo_preserve(session, 1));
			close(luo_preserve(session, 2));
		}
	}
	session = luo_try_session(luo, LUO_CREATE_SESSION, "files");
	guest_ok(session);
	for (int i = 0; i < FAULT_FILES; i++) {
		fd = large_memfd(i);
		guest_ok(luo_try_preserve(session, fd, i));
		close(fd);
	}
}

/* A session is there with all its files, now or when it is asked for again. */
static void open_with_faults(int luo)
{
	bool failed = true;
	int nth = 0;

	for (int i = 0; i < FAULT_FILES; i++) {
		const char *name = fault_session("open", i);
		int session;

		if (failed)
			session = with_fault(++nth, failed, luo_try_session(luo, LUO_RETRIEVE_SESSION, name));
		else
			session = luo_try_session(luo, LUO_RETRIEVE_SESSION, name);
		guest_check(failed || session >= 0);
		if (session < 0)
			session = luo_try_session(luo, LUO_RETRIEVE_SESSION, name);
		guest_ok(session);
		luo_retrieve(session, 1, LUO_BYTES);
		luo_retrieve(session, 2, LUO_BYTES);
		luo_finish(session);
	}
	say("faults: retrieve a session: %d allocations", nth - 1);
	guest_check(!failed);
}

/* A file comes, now or when it is asked for again, or it is lost with an error; the others come. */
static void retrieve_with_faults(int luo)
{
	int session = luo_try_session(luo, LUO_RETRIEVE_SESSION, "files"), nth = 0, lost = 0;
	bool failed = true;

	guest_ok(session);
	for (int i = 0; i < FAULT_FILES; i++) {
		int fd;

		if (failed)
			fd = with_fault(++nth, failed, luo_try_retrieve(session, i));
		else
			fd = luo_try_retrieve(session, i);
		guest_check(failed || fd >= 0);
		if (fd < 0)
			fd = luo_try_retrieve(session, i);
		if (fd < 0) {
			lost++;
			continue;
		}
		check_large(fd, i);
		close(fd);
	}
	say("faults: retrieve a file: %d allocations, %d files lost", nth - 1, lost);
	guest_check(!failed);
	luo_finish(session);
}

/* One file has been retrieved and the other has not */
static void finish_with_faults(int luo)
{
	bool failed = true;
	int nth = 0;

	for (int i = 0; i < FAULT_FILES; i++) {
		int session = luo_try_session(luo, LUO_RETRIEVE_SESSION, fault_session("end", i)), err;

		guest_ok(session);
		luo_retrieve(session, 1, LUO_BYTES);
		if (failed)
			err = with_fault(++nth, failed, luo_try_finish(session));
		else
			err = luo_try_finish(session);
		guest_check(failed || !err);
		if (err)
			guest_ok(luo_try_finish(session));
		close(session);
	}
	say("faults: finish: %d allocations", nth - 1);
	guest_check(!failed);
}

/*
 * Each allocation of each call of live update fails once. What is left behind is seen in the memory that is
 * free, in what the next kernel finds preserved, and by kmemleak.
 */
static void luo_faults(long boot)
{
	long total = meminfo("MemTotal"), before = settled_memory(), after;
	int luo = open(LIVEUPDATE, O_RDWR | O_CLOEXEC);

	guest_check(luo >= 0);
	if (boot) {
		prepare_faults();
		open_with_faults(luo);
		retrieve_with_faults(luo);
		finish_with_faults(luo);
		guest_check(!streams_of_sessions("in"));
		finish();
		after = settled_memory();
		say("faults: %ld KiB more free than before what came was taken", after - before);
		guest_check(after - before > FAULT_FILES * FAULT_PAGES * 4);
		check_kmemleak();
	}
	if (boot == 2) {
		/* This time, there had been faults before */
		say("faults: MemTotal was %ld, is %ld", cmdline_number("total", 0), total);
		guest_check(cmdline_number("total", 0) - total < 64);
		guest_pass();
	}
	if (boot) {
		create_with_faults(luo);
		preserve_with_faults(luo);
		freeze_with_faults(luo);
		check_kmemleak();
	}
	preserve_for_faults(luo);
	leave_for(variant(), "total=%ld", total);
}

#endif
