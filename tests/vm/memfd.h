/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memfds in sessions of live update: content, holes, sizes, seals and positions.
 */
#ifndef KSTATE_TESTS_VM_MEMFD_H
#define KSTATE_TESTS_VM_MEMFD_H

#include "luo.h"

#define PAGE		4096L

/* Younger than the headers that hosts have */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC	0x0020
#endif

static bool all_pages(long page)
{
	return true;
}

static bool odd_pages(long page)
{
	return page % 2;
}

static bool few_pages(long page)
{
	return page == 0 || page == 7 || page == 1000 || page == 16384;
}

/* Of each four: one from the beginning, one written, one touched, and a hole */
static bool late_pages(long page)
{
	return page % 4 != 3;
}

/* Files by their tokens. Of one that is @zero, all pages are allocated and none is written */
enum { EMPTY, SPARSE, SCATTERED, CONTIGUOUS, LATE, SEALED, NOEXEC, ALLOCATED, HUGE, MEMFDS };

static const struct memfd_case {
	const char *name;
	long size;
	bool (*has)(long page);
	int seals;
	bool zero;
} memfds[MEMFDS] = {
	[EMPTY]		= { "empty", 0, all_pages, F_SEAL_SEAL },
	[SPARSE]	= { "sparse", (64 << 20) + 100, few_pages, F_SEAL_SEAL },
	[SCATTERED]	= { "scattered", 512 * PAGE, odd_pages, F_SEAL_SEAL },
	[CONTIGUOUS]	= { "contiguous", 8 << 20, all_pages, F_SEAL_SEAL },
	[LATE]		= { "late", 256 * PAGE, late_pages, F_SEAL_SEAL },
	[SEALED]	= { "sealed", 3 * PAGE + 1, all_pages,
			    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE },
	[NOEXEC]	= { "noexec", 3 * PAGE, odd_pages, F_SEAL_EXEC | F_SEAL_GROW },
	[ALLOCATED]	= { "allocated", 5 * PAGE, all_pages, F_SEAL_SEAL, .zero = true },
	[HUGE]		= { "huge", 6 << 20, all_pages, F_SEAL_SEAL },
};

/* Never retrieved */
#define FORGOTTEN	MEMFDS
#define FORGOTTEN_BYTES	(32L << 20)

static const unsigned char *memfd_page(int token, long page)
{
	static unsigned char data[PAGE];

	for (int i = 0; i < PAGE; i++)
		data[i] = 1 + (token * 31 + page * 7 + i + i / 256) % 255;
	return data;
}

static long memfd_bytes(long size, long page)
{
	return size - page * PAGE < PAGE ? size - page * PAGE : PAGE;
}

static void memfd_write(int fd, int token, long size, long page)
{
	long bytes = memfd_bytes(size, page);

	guest_check(pwrite(fd, memfd_page(token, page), bytes, page * PAGE) == bytes);
}

static void memfd_touch(int fd, int token, long page)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, page * PAGE);

	guest_check(p != MAP_FAILED);
	memcpy(p, memfd_page(token, page), PAGE);
	munmap(p, PAGE);
}

static void memfd_check_page(int fd, int token, long size, long page, bool has)
{
	static const unsigned char zero[PAGE];
	unsigned char data[PAGE];
	long bytes = memfd_bytes(size, page);

	guest_check(pread(fd, data, PAGE, page * PAGE) == bytes);
	if (memcmp(data, has ? memfd_page(token, page) : zero, bytes))
		guest_fail("memfd %d: page %ld has another content", token, page);
}

/* What a file is after it has been written in full, before and after each jump */
static void memfd_check(int fd, int token)
{
	const struct memfd_case *c = &memfds[token];
	long page, pages = 0;
	struct stat st;

	for (page = 0; page * PAGE < c->size; page++) {
		memfd_check_page(fd, token, c->size, page, c->has(page) && !c->zero);
		pages += c->has(page);
	}
	guest_check(!fstat(fd, &st));
	if (st.st_size != c->size || st.st_blocks != pages * (PAGE / 512))
		guest_fail("%s: %ld bytes in %ld blocks, expected are %ld in %ld", c->name,
			   (long)st.st_size, (long)st.st_blocks, c->size, pages * (PAGE / 512));
	if (fcntl(fd, F_GET_SEALS) != c->seals)
		guest_fail("%s: seals %#x", c->name, fcntl(fd, F_GET_SEALS));
}

static int memfd_make(int token)
{
	const struct memfd_case *c = &memfds[token];
	unsigned int flags = c->seals & F_SEAL_EXEC ? MFD_NOEXEC_SEAL :
			     c->seals == F_SEAL_SEAL ? 0 : MFD_ALLOW_SEALING;
	int fd = memfd_create(c->name, MFD_CLOEXEC | flags);

	guest_check(fd >= 0 && !ftruncate(fd, c->size));
	if (c->zero)
		guest_check(!fallocate(fd, 0, 0, c->size));
	for (long page = 0; page * PAGE < c->size && !c->zero; page++)
		if (token == LATE ? page % 4 == 0 : c->has(page))
			memfd_write(fd, token, c->size, page);
	if (flags == MFD_ALLOW_SEALING)
		guest_check(!fcntl(fd, F_ADD_SEALS, c->seals));
	return fd;
}

/* Large folios, where there are any, for the files that are made now */
static void memfd_large(bool on)
{
	write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", on ? "always" : "never");
}

/* Bytes of a record; 0 if there is none */
static long record_bytes(const char *name)
{
	const char *line;

	guest_ok(read_file(KSTATE_SYS "records", text, sizeof(text)));
	line = strstr(text, name);
	return line ? strtol(strstr(line, "bytes=") + strlen("bytes="), NULL, 10) : 0;
}

/* In how many pieces of memory a file without holes is */
static long memfd_runs(int fd, long pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned long long pfn, next = 0;
	long runs = 0;

	guest_check(p != MAP_FAILED && pagemap >= 0);
	for (long page = 0; page < pages; page++, next = pfn + 1) {
		guest_check(pread(pagemap, &pfn, 8, (long)(p + page * PAGE) / PAGE * 8) == 8);
		pfn &= (1ULL << 55) - 1;
		runs += pfn != next;
	}
	munmap(p, pages * PAGE);
	close(pagemap);
	return runs;
}

static const char *name_of_record(int token)
{
	static char name[20];

	snprintf(name, sizeof(name), " memfd[%d]", token);
	return name;
}

static void memfd_begin(int *fds)
{
	int session = luo_session(LUO_CREATE_SESSION, "memfd"), fd;
	long bytes, runs;

	for (int i = 0; i < MEMFDS; i++) {
		memfd_large(i == HUGE);
		fds[i] = memfd_make(i);
		luo_preserve_fd(session, fds[i], i);
	}
	fd = memfd_create("forgotten", MFD_CLOEXEC);
	for (long page = 0; page * PAGE < FORGOTTEN_BYTES; page++)
		memfd_write(fd, FORGOTTEN, FORGOTTEN_BYTES, page);
	luo_preserve_fd(session, fd, FORGOTTEN);

	/* A run of folios takes 16 bytes, however long it is */
	bytes = -record_bytes(name_of_record(EMPTY));
	bytes += record_bytes(name_of_record(CONTIGUOUS));
	runs = memfd_runs(fds[CONTIGUOUS], 2048);
	say("the record of 2048 folios in %ld runs has %ld bytes more than that of none", runs,
	    bytes);
	guest_check(bytes > 0 && bytes <= 16 * (runs + 1));
}

/* What can be done to files that are preserved, and cannot */
static void memfd_use(const int *fds)
{
	guest_check(ftruncate(fds[SPARSE], 1) && errno == EPERM);
	guest_check(ftruncate(fds[EMPTY], 1) && errno == EPERM);
	guest_check(fallocate(fds[SPARSE], 0, 0, PAGE) && errno == EPERM);
	guest_check(pwrite(fds[EMPTY], "x", 1, 0) == -1 && errno == EPERM);
	for (long page = 0; page < 128; page++) {
		if (page % 4 == 1)
			memfd_write(fds[LATE], LATE, memfds[LATE].size, page);
		if (page % 4 == 2)
			memfd_touch(fds[LATE], LATE, page);
	}
	guest_check(lseek(fds[SCATTERED], 777, SEEK_SET) == 777);
	guest_check(!fcntl(fds[NOEXEC], F_ADD_SEALS, F_SEAL_GROW));

	/* The files are frozen, then an object of KSTATE fails */
	guest_ok(write_file(STRESS "fail", "7"));
	for (int i = 0; i < 3; i++)
		guest_check(jump() == -EIO);
	guest_ok(write_file(STRESS "fail", "-1"));
	guest_check(!record_bytes(" memfd_folios["));

	for (long page = 128; page < 256; page++) {
		if (page % 4 == 1)
			memfd_write(fds[LATE], LATE, memfds[LATE].size, page);
		if (page % 4 == 2)
			memfd_touch(fds[LATE], LATE, page);
	}
	guest_check(lseek(fds[SCATTERED], 888, SEEK_SET) == 888);
	for (int i = 0; i < MEMFDS; i++)
		memfd_check(fds[i], i);
}

/* One that is built with everything that finds bugs goes to itself */
static const char *memfd_next(const char *kernel)
{
	return strcmp(variant(), "debug") ? kernel : "debug";
}

/* Three kernels with the same files */
static void memfd(long boot)
{
	int session, fds[MEMFDS];
	long free;

	load_stress("objects=20 folios=5");
	if (!boot) {
		memfd_begin(fds);
		load_kernel(memfd_next("b"), "huge=%ld", meminfo("ShmemHugePages"));
		memfd_use(fds);
		guest_ok(jump());
	}
	check_stress(20, 0);
	session = luo_session(LUO_RETRIEVE_SESSION, "memfd");
	for (int i = 0; i < MEMFDS; i++) {
		fds[i] = luo_retrieve_fd(session, i);
		memfd_check(fds[i], i);
	}
	guest_check(lseek(fds[SCATTERED], 0, SEEK_CUR) == 888);
	guest_check(meminfo("ShmemHugePages") == cmdline_number("huge", 0));
	guest_check(pwrite(fds[SEALED], "x", 1, 0) == -1 && errno == EPERM);
	memfd_write(fds[NOEXEC], NOEXEC, memfds[NOEXEC].size, 1);

	free = meminfo("MemFree");
	luo_finish(session);
	free = meminfo("MemFree") - free;
	say("boot %ld: %ld KiB freed", boot, free);
	guest_check(!record_bytes(" memfd[") && !record_bytes(" memfd_folios["));
	for (int i = 0; i < MEMFDS; i++)
		memfd_check(fds[i], i);
	if (boot == 2) {
		check_kmemleak();
		guest_pass();
	}
	/* Other memory comes and goes meanwhile: some MiB of it where KASAN keeps what is freed */
	guest_check(free > FORGOTTEN_BYTES / 1024 / 2);
	session = luo_session(LUO_CREATE_SESSION, "memfd");
	for (int i = 0; i < MEMFDS; i++)
		luo_preserve_fd(session, fds[i], i);
	leave_for(memfd_next("a"), "huge=%ld", meminfo("ShmemHugePages"));
}

#define FILL_PAGES	65536L
enum { FILLED = 1, PROGRESS };

/* Fills holes for ever, and says in memory that has been there before how many it has filled */
static void fill_holes(int fd, volatile long *progress)
{
	for (long page = 1; page < FILL_PAGES; page++) {
		if (page % 2)
			memfd_touch(fd, FILLED, page);
		else
			memfd_write(fd, FILLED, FILL_PAGES * PAGE, page);
		*progress = page + 1;
		usleep(10);
	}
	pause();
}

/*
 * Holes are filled all the time, while the jump is refused and while it goes through:
 * nothing that was filled is lost, and who had to wait goes on.
 */
static void memfd_race(long boot)
{
	int session, fd, fd2, status;
	volatile long *progress;
	pid_t pid;

	load_stress("objects=200 folios=5");
	session = luo_session(boot ? LUO_RETRIEVE_SESSION : LUO_CREATE_SESSION, "race");
	fd = boot ? luo_retrieve_fd(session, FILLED) : memfd_create("filled", 0);
	fd2 = boot ? luo_retrieve_fd(session, PROGRESS) : memfd_create("progress", 0);
	guest_check(fd >= 0 && fd2 >= 0 && (boot || !ftruncate(fd2, PAGE)));
	progress = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd2, 0);
	guest_check(progress != MAP_FAILED);
	if (boot) {
		long is = *progress;

		say("%ld pages were filled", is);
		guest_check(is > 1 && is < FILL_PAGES);
		for (long page = 1; page < is; page++)
			memfd_check_page(fd, FILLED, FILL_PAGES * PAGE, page, true);
		luo_finish(session);
		guest_pass();
	}
	*progress = 1;
	guest_check(!ftruncate(fd, FILL_PAGES * PAGE));
	luo_preserve_fd(session, fd, FILLED);
	luo_preserve_fd(session, fd2, PROGRESS);
	kstate_says(3, "200 blocked", "arm", image("a", "kstate_demo"));
	load_kernel("a", "");
	pid = fork();
	if (!pid)
		fill_holes(fd, progress);
	for (int i = 0; i < 5; i++) {
		long was = *progress;
		int err = jump();

		if (err != -EPROTO)
			guest_fail("the jump failed with %s", strerror(-err));
		say("%ld pages are filled, before it were %ld", *progress, was);
		for (was = *progress; *progress < was + 5;)
			usleep(1000);
	}
	kstate_says(0, " exact; checked", "arm", image("a", "kstate_stress"));
	guest_check(!waitpid(pid, &status, WNOHANG));
	guest_ok(jump());
}

#endif
