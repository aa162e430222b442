/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory that reserve_mem= reserves by name, there and back, with an initramfs of
 * another size each time.
 */
#ifndef KSTATE_TESTS_VM_RESERVE_H
#define KSTATE_TESTS_VM_RESERVE_H

#include "steps.h"

#define RESERVE		"/sys/module/kstate_reserve/parameters/"

struct reservation {
	unsigned long long start, size;
	unsigned int sum;
	unsigned long reserved;
};

static bool reserve_find(const char *name, struct reservation *r)
{
	guest_ok(write_file(RESERVE "name", name));
	guest_ok(read_file(RESERVE "found", text, sizeof(text)));
	say("boot %ld: %s is %s", cmdline_number("boot", 0), name, text);
	if (sscanf(text, "%llx %llx %x %lu", &r->start, &r->size, &r->sum, &r->reserved) != 4)
		return false;
	/* However it came about, it is memory that the page allocator does not know */
	guest_check(r->reserved == r->size >> 12);
	return true;
}

static struct reservation reserve_get(const char *name)
{
	struct reservation r;

	if (!reserve_find(name, &r))
		guest_fail("%s is not reserved", name);
	return r;
}

/* Give it content, and tell the next kernel its address and checksum */
static void reserve_fill(const char *name, char *words, size_t size)
{
	static unsigned int seed;
	struct reservation r;
	size_t len = strlen(words);
	char number[20];

	reserve_get(name);
	snprintf(number, sizeof(number), "%u", ++seed + (unsigned int)time(NULL));
	guest_ok(write_file(RESERVE "fill", number));
	r = reserve_get(name);
	snprintf(words + len, size - len, " %s=%#llx,%#x", name, r.start, r.sum);
}

/* As the kernel before left it */
static void reserve_check(const char *name)
{
	struct reservation r = reserve_get(name);
	unsigned long long start;
	unsigned int sum;

	guest_check(sscanf(cmdline_value(name), "%llx,%x", &start, &sum) == 2);
	if (r.start != start || r.sum != sum)
		guest_fail("%s was at %#llx with checksum %#x, and is not any more", name, start, sum);
	snprintf(text, sizeof(text), "Revived memory reservation '%s' from KHO", name);
	guest_check(kmsg_has(text));
}

/* Reserved as if the machine had just been switched on */
static struct reservation reserve_check_new(const char *name, unsigned long long size)
{
	struct reservation r = reserve_get(name);

	guest_check(r.size == size);
	snprintf(text, sizeof(text), "Revived memory reservation '%s'", name);
	guest_check(!kmsg_has(text));
	return r;
}

static int reserve_lines(const char *words)
{
	int size = klogctl(10, NULL, 0), len, lines = 0;
	char *log = malloc(size + 1);

	len = klogctl(3, log, size);
	log[len > 0 ? len : 0] = '\0';
	for (const char *p = log; (p = strstr(p, words)); p++)
		lines++;
	free(log);
	return lines;
}

/* What is released is the page allocator's, all of it; processors' lists have some of what is free */
static void reserve_release(const char *name)
{
	struct reservation r = reserve_get(name);
	long total = meminfo("MemTotal"), free = meminfo("MemFree");

	guest_ok(write_file(RESERVE "release", "1"));
	guest_check(meminfo("MemTotal") - total == (long)(r.size >> 10));
	guest_check(meminfo("MemFree") - free > (long)(r.size >> 11));
	guest_check(!reserve_find(name, &r));
}

/* Something that makes the next initramfs larger than this one, or nothing */
static void reserve_keep(size_t bytes)
{
	FILE *keep;

	unlink(GUEST_KEEP);
	if (!bytes)
		return;
	keep = fopen(GUEST_KEEP, "we");
	guest_check(keep);
	while (bytes--)
		fputc(rand(), keep);
	guest_check(!fclose(keep));
}

#define RESERVE_BOTH	"reserve_mem=2M:4096:first reserve_mem=24M:2M:large "

/* What is free, in KiB, with what is on the lists of processors: that is not in MemFree */
static long reserve_free(void)
{
	long pages = 0;

	guest_ok(read_file("/proc/zoneinfo", text, sizeof(text)));
	for (const char *p = text; (p = strstr(p, " count:")); p++)
		pages += atol(p + strlen(" count:"));
	return meminfo("MemFree") + pages * (sysconf(_SC_PAGESIZE) >> 10);
}

static void reserve_mem(long boot)
{
	char words[600] = RESERVE_BOTH;
	struct reservation r;
	long free;

	if (boot == 0) {
		/* tests/vm/run has the command line of this one */
		reserve_fill("first", words, sizeof(words));
		reserve_fill("large", words, sizeof(words));
		reserve_fill("kept", words, sizeof(words));
		r = reserve_get("odd");
		guest_check(r.size == 3 << 12);
		reserve_fill("sized", words, sizeof(words));
		reserve_release("released");
		r = reserve_get("aligned");
		/* One that its address has not */
		snprintf(words + strlen(words), sizeof(words) - strlen(words),
			 " reserve_mem=2M:%#llx:sized reserve_mem=1M:%#llx:aligned"
			 " reserve_mem=10M:64K:released reserve_mem=8M:4096:fresh align=%#llx",
			 1ULL << 16, 2 * (r.start & -r.start), 2 * (r.start & -r.start));
		reserve_keep(900000);
		leave_for("b", "%s", words);
	}
	snprintf(text, sizeof(text), "-%s (count %ld)", boot % 2 ? "a" : "b", boot);
	guest_check(kmsg_has("KHO: exec from: ") && kmsg_has(text));
	reserve_check("first");
	if (boot == 3) {
		reserve_check_new("large", 24 << 20);
		guest_check(reserve_lines("reserve_mem[") == 0);
		guest_pass();
	}
	reserve_check("large");
	if (boot == 1) {
		reserve_check_new("released", 10 << 20);
		reserve_check_new("fresh", 8 << 20);
		guest_check(reserve_lines("reserve_mem[\"fresh\"]") == 0);
		guest_check(reserve_lines("reserve_mem[\"released\"]") == 0);

		/* What does not fit is said once, and is there all the same */
		reserve_check_new("sized", 2 << 20);
		guest_check(reserve_lines("reserve_mem[\"sized\"]") == 1);
		guest_check(kmsg_has("reserve_mem[\"sized\"].nr_pages: value (-34): expected 512, as the object has it, found 256"));
		r = reserve_check_new("aligned", 1 << 20);
		guest_check(r.start % cmdline_number("align", 0) == 0);
		guest_check(reserve_lines("reserve_mem[\"aligned\"]") == 1);

		/* Refilled, because they are as good as what came over */
		snprintf(words + strlen(words), sizeof(words) - strlen(words),
			 "reserve_mem=2M:64K:sized reserve_mem=8M:4096:fresh reserve_mem=1M:4096:kept kept=%s",
			 cmdline_value("kept"));
		reserve_fill("first", words, sizeof(words));
		reserve_fill("large", words, sizeof(words));
		reserve_fill("sized", words, sizeof(words));
		reserve_fill("fresh", words, sizeof(words));
		reserve_keep(0);
		leave_for("a", "%s", words);
	}
	reserve_check("sized");
	reserve_check("fresh");
	/* Kernel b was not asked for it, and handed it on */
	reserve_check("kept");
	/* Nor is this kernel for "odd", "aligned" and "released" */
	free = reserve_free();
	finish();
	guest_check(kmsg_has("nobody claimed 3 records"));
	free = reserve_free() - free;
	say("%ld KiB freed", free);
	/* Of 11 MiB */
	guest_check(free > 9 << 10);
	reserve_release("large");
	reserve_keep(500000);
	leave_for("b", RESERVE_BOTH "first=%s", cmdline_value("first"));
}

#endif
