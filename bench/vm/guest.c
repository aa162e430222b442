// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Init of the VMs that bench/vm/run starts, with patched and with unpatched kernels: each kernel prepares
 * one case and leaves, the next takes it over and prepares the one after it. What is measured goes to the
 * console as "bench: CASE OP N NS". The processor's clock counts nanoseconds and goes on over a kexec.
 */
#include "liveupdate.h"
#include <sys/resource.h>
#include <x86intrin.h>

#define PAGE		4096
#define SESSIONS	100
#define FILES		10000
#define PAGES		100000
#define FILES_EACH	(FILES / SESSIONS)

struct bench {
	const char *name;
	int sessions, files_each, pages_each;
	void (*fill)(int fd, int pages);
};

static unsigned long long clock_ns(void)
{
	_mm_lfence();
	return __rdtsc();
}

/* Each page of a file begins with its number, from 1. */
static void write_page(int fd, unsigned int page)
{
	static unsigned int data[PAGE / sizeof(int)];

	data[0] = page + 1;
	guest_check(pwrite(fd, data, PAGE, (off_t)page * PAGE) == PAGE);
}

static void check_page(int fd, unsigned int page)
{
	unsigned int number;

	guest_check(pread(fd, &number, sizeof(number), (off_t)page * PAGE) == sizeof(number));
	guest_check(number == page + 1);
}

static void contiguous(int fd, int pages)
{
	for (int i = 0; i < pages; i++)
		write_page(fd, i);
}

/*
 * No page is beside its neighbour. The memory as a whole has no gaps: 100,000 of those take any
 * kernel a minute to reserve as it boots, because memblock looks at all regions each time.
 */
static void scattered(int fd, int pages)
{
	for (int i = 0; i < pages; i++)
		write_page(fd, (i * 7919LL) % pages);
}

static const struct bench benches[] = {
	{ "nothing", 0, 0, 0, NULL },
	{ "10,000 files", SESSIONS, FILES_EACH, 1, contiguous },
	{ "100,000 contiguous pages", 1, 1, PAGES, contiguous },
	{ "100,000 scattered pages", 1, 1, PAGES, scattered },
};

static int nr(const struct bench *bench)
{
	return bench->files_each > 1 ? bench->sessions * bench->files_each : bench->pages_each;
}

static void found(const struct bench *bench, const char *op, long long ns)
{
	say("bench: %s|%s|%d|%lld", bench->name, op, nr(bench), ns);
}

static const char *session_name(int i)
{
	static char name[64];

	snprintf(name, sizeof(name), "session-%d", i);
	return name;
}

/* Neighbours in the file that are neighbours in memory, too */
static int runs(int fd, int pages)
{
	unsigned long long entry, last = 0;
	char *map = mmap(NULL, (size_t)pages * PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), runs = 0;

	guest_check(map != MAP_FAILED && pagemap >= 0);
	for (int i = 0; i < pages; i++) {
		off_t at = ((unsigned long)map / PAGE + i) * sizeof(entry);

		guest_check(pread(pagemap, &entry, sizeof(entry), at) == sizeof(entry));
		entry &= (1ULL << 55) - 1;
		runs += !i || entry != last + 1;
		last = entry;
	}
	close(pagemap);
	munmap(map, (size_t)pages * PAGE);
	return runs;
}

static void prepare(const struct bench *bench, long boot)
{
	int fds[FILES], luo = open(LIVEUPDATE, O_RDWR | O_CLOEXEC);
	unsigned long long at;
	char line[200];

	guest_check(luo >= 0);
	for (int i = 0; i < bench->sessions * bench->files_each; i++) {
		fds[i] = memfd_create("bench", MFD_CLOEXEC);
		guest_check(fds[i] >= 0);
		bench->fill(fds[i], bench->pages_each);
	}
	if (bench->pages_each > 1)
		say("%s: %d runs", bench->name, runs(fds[0], bench->pages_each));
	snprintf(line, sizeof(line), "boot=%ld", boot + 1);
	guest_ok(kexec_into("/kernel", NULL, line));
	sync();

	at = clock_ns();
	for (int i = 0; i < bench->sessions; i++) {
		int session = luo_try_session(luo, LUO_CREATE_SESSION, session_name(i));

		guest_ok(session);
		for (int j = 0; j < bench->files_each; j++)
			guest_ok(luo_try_preserve(session, fds[i * bench->files_each + j], j));
	}
	found(bench, "preserve", clock_ns() - at);
	/* The line carries the kernel's time beside that of the processor. */
	at = clock_ns();
	say("bench: now %llu, leaves %llu", at, at + 50000000);
	while (clock_ns() < at + 50000000)
		;
	guest_ok(jump());
}

static void take_over(const struct bench *bench, unsigned long long start)
{
	int sessions[SESSIONS], fds[FILES];
	unsigned long long at;
	int luo;

	say("bench: arrives %llu, MemFree %ld", start, meminfo("MemFree"));
	at = clock_ns();
	luo = open(LIVEUPDATE, O_RDWR | O_CLOEXEC);
	found(bench, "first open", clock_ns() - at);
	guest_check(luo >= 0);

	at = clock_ns();
	for (int i = 0; i < bench->sessions; i++) {
		sessions[i] = luo_try_session(luo, LUO_RETRIEVE_SESSION, session_name(i));
		guest_ok(sessions[i]);
		for (int j = 0; j < bench->files_each; j++) {
			int fd = luo_try_retrieve(sessions[i], j);

			guest_ok(fd);
			fds[i * bench->files_each + j] = fd;
		}
	}
	found(bench, "retrieve", clock_ns() - at);

	at = clock_ns();
	for (int i = 0; i < bench->sessions; i++)
		guest_ok(luo_try_finish(sessions[i]));
	found(bench, "finish", clock_ns() - at);

	for (int i = 0; i < bench->sessions * bench->files_each; i++) {
		for (int j = 0; j < bench->pages_each; j++)
			check_page(fds[i], j);
		close(fds[i]);
	}
	for (int i = 0; i < bench->sessions; i++)
		close(sessions[i]);
	close(luo);
}

int main(void)
{
	const struct rlimit files = { 2 * FILES, 2 * FILES };
	unsigned long long start = clock_ns();
	size_t boot;

	guest_start();
	guest_check(!setrlimit(RLIMIT_NOFILE, &files));
	boot = cmdline_number("boot", 0);
	if (boot)
		take_over(&benches[boot - 1], start);
	if (boot == ARRAY_LENGTH(benches))
		guest_pass();
	prepare(&benches[boot], boot);
}
