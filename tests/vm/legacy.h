/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a kernel without KSTATE to one with it, and back; and what the first one handed over,
 * damaged.
 */
#ifndef KSTATE_TESTS_VM_LEGACY_H
#define KSTATE_TESTS_VM_LEGACY_H

#include <sys/wait.h>
#include "luo_next.h"
#include "memfd.h"
#include "reserve.h"

#define KHO_OUT		"/sys/kernel/debug/kho/out/"
#define KEPT		"reserve_mem=2M:4096:kept "
#define WAY_OUT		"liveupdate_legacy=on "

static bool is_stock(void)
{
	return !strcmp(variant(), "stock");
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* A property of 8 bytes of a node of a device tree blob in a file, by its place among those */
static uint64_t fdt_u64(const char *path, const char *node, int place)
{
	static unsigned char blob[65536];
	size_t len = strlen(node) + 1, at, has;
	FILE *file = fopen(path, "re");
	uint64_t value;

	guest_check(file);
	has = fread(blob, 1, sizeof(blob), file);
	fclose(file);
	for (at = 4; at + len <= has; at += 4)
		if (be32(blob + at - 4) == 1 && !memcmp(blob + at, node, len))
			break;
	at += (len + 3) & ~3UL;
	while (at + 20 <= has && be32(blob + at) == 3) {
		if (be32(blob + at + 4) == 8 && !place--) {
			memcpy(&value, blob + at + 12, 8);
			return value;
		}
		at += 12 + ((be32(blob + at + 4) + 3) & ~3U);
	}
	guest_fail("%s has no %s", path, node);
}

/* Physical memory */
static void *memory(uint64_t phys, size_t size)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, phys);

	if (mem == MAP_FAILED)
		guest_fail("/dev/mem at %#llx: %s", (unsigned long long)phys, strerror(errno));
	close(fd);
	return mem;
}

static unsigned long long kept_address(void)
{
	return is_stock() ? fdt_u64(KHO_OUT "sub_fdts/memblock", "kept", 0) : reserve_get("kept").start;
}

/* Where it is and what is in it; the kernels write to it in turn */
static unsigned long long kept_check(long boot)
{
	unsigned long long start = kept_address();
	unsigned int *words = memory(start, 2 << 20);

	say("boot %ld: kept is at %#llx", boot, start);
	if (boot && start != strtoull(cmdline_value("kept"), NULL, 0))
		guest_fail("kept was at %s", cmdline_value("kept"));
	for (int i = 0; i < (2 << 20) / 4; i++) {
		if (boot)
			guest_check(words[i] == (unsigned int)(boot + i * 7));
		words[i] = boot + 1 + i * 7;
	}
	munmap(words, 2 << 20);
	return start;
}

static bool legacy_file(int token)
{
	/* That one seals itself when a kernel without KSTATE retrieves it */
	return token != LATE && token != NOEXEC;
}

/* Such a kernel fills the holes; what can be read is the same */
static void legacy_check(int fd, int token)
{
	const struct memfd_case *c = &memfds[token];
	struct stat st;

	guest_check(!fstat(fd, &st) && st.st_size == c->size);
	for (long page = 0; page * PAGE < c->size; page++)
		memfd_check_page(fd, token, c->size, page, c->has(page) && !c->zero);
	if (fcntl(fd, F_GET_SEALS) != c->seals)
		guest_fail("%s: seals %#x", c->name, fcntl(fd, F_GET_SEALS));
}

/* A session of all files: made, or those of the last kernel again */
static int legacy_preserve(int *fds, bool make)
{
	int session = luo_session(LUO_CREATE_SESSION, "vm");

	for (int i = 0; i < MEMFDS; i++) {
		if (!legacy_file(i) && (i != LATE || is_stock()))
			continue;
		memfd_large(i == HUGE);
		if (make || i == LATE)
			fds[i] = memfd_make(i);
		luo_preserve_fd(session, fds[i], i);
	}
	memfd_large(false);
	guest_check(lseek(fds[SCATTERED], 777, SEEK_SET) == 777);
	return session;
}

static void legacy_retrieve(int *fds, bool late)
{
	int session = luo_session(LUO_RETRIEVE_SESSION, "vm");

	for (int i = 0; i < MEMFDS; i++) {
		if (!legacy_file(i) && (i != LATE || !late))
			continue;
		fds[i] = luo_retrieve_fd(session, i);
		legacy_check(fds[i], i);
	}
	guest_check(lseek(fds[SCATTERED], 0, SEEK_CUR) == 777);
	guest_check(pwrite(fds[SEALED], "x", 1, 0) == -1 && errno == EPERM);
	luo_finish(session);
	for (int i = 0; i < MEMFDS; i++)
		if (legacy_file(i) || (i == LATE && late))
			legacy_check(fds[i], i);
}

static void legacy_retrieve_others(void)
{
	int session = luo_session(LUO_RETRIEVE_SESSION, "later");

	luo_retrieve(session, 3, LUO_BYTES);
	luo_finish(session);
	luo_finish(luo_session(LUO_RETRIEVE_SESSION, "empty"));
}

static void legacy_preserve_others(void)
{
	luo_preserve(luo_session(LUO_CREATE_SESSION, "later"), 3);
	luo_session(LUO_CREATE_SESSION, "empty");
}

/*
 * Kernels: without KSTATE, with it, without, with, with. The second one does not ask for the
 * other sessions, and hands them on. What the last but one writes both can read.
 */
static void legacy(long boot)
{
	unsigned long long kept = kept_check(boot);
	const char *next = boot == 0 || boot == 2 || boot == 3 ? "legacy" : "stock";
	int fds[MEMFDS];

	if (boot) {
		snprintf(text, sizeof(text), "exec from: %.40s", kernel_release());
		strcpy(strrchr(text, '-') + 1, boot == 1 || boot == 3 ? "stock" : "legacy");
		snprintf(text + strlen(text), 30, " (count %ld)", boot);
		guest_check(kmsg_has(text));
		snprintf(text, sizeof(text), "liveupdate number: %ld", boot);
		guest_check(kmsg_has(text));
		guest_check(kmsg_has("Revived memory reservation 'kept' from KHO"));
		legacy_retrieve(fds, boot == 2 || boot == 4);
		if (boot != 1)
			legacy_retrieve_others();
		guest_check(!kmsg_has("kstate: open: "));
	}
	/*
	 * All of what was written came back, also of what this kernel did not read: MemTotal is
	 * without it otherwise. It differs by a page with the places of kernel and initramfs.
	 */
	if (boot == 4) {
		say("MemTotal was %ld, is %ld", cmdline_number("total", 0), meminfo("MemTotal"));
		guest_check(cmdline_number("total", 0) - meminfo("MemTotal") <= 8);
		guest_pass();
	}
	legacy_preserve(fds, !boot);
	if (boot != 1)
		legacy_preserve_others();
	load_kernel(next, KEPT "%skept=%#llx total=%ld", boot == 0 || boot == 2 ? WAY_OUT : "", kept,
		    meminfo("MemTotal"));
	for (long page = 0; page < 256 && !is_stock(); page++) {
		if (page % 4 == 1)
			memfd_write(fds[LATE], LATE, memfds[LATE].size, page);
		else if (page % 4 == 2)
			memfd_touch(fds[LATE], LATE, page);
	}
	guest_ok(jump());
}

/* Files of one session, each with its size to be known by, and what is done to them */
enum { GOOD, FLAGS, SEALS, TOO_MANY, PFN, FOLIO_FLAGS, AREA_FLAGS, DAMAGES };
#define DAMAGE_SIZE(i)	(3 * 4096 + 1000 + (i))

static const char *const damages[DAMAGES] = {
	[FLAGS] = "flags", [SEALS] = "seals", [TOO_MANY] = "nr_folios", [PFN] = "folios.pfn",
	[FOLIO_FLAGS] = "folios.flags", [AREA_FLAGS] = "area_flags",
};

struct memfd_ser {
	uint64_t pos, size;
	uint32_t seals, flags;
	uint64_t nr_folios, folios;
	uint32_t pages;
	uint16_t folios_flags, order;
};

static void damage_memfd(struct memfd_ser *ser, int how)
{
	uint64_t *chunk, *entries;

	switch (how) {
	case FLAGS:
		ser->flags |= 1 << 4;
		break;
	case SEALS:
		ser->seals |= 1 << 14;
		break;
	case TOO_MANY:
		ser->nr_folios = 1000;
		break;
	case PFN:
	case FOLIO_FLAGS:
		chunk = memory(ser->folios, PAGE);
		entries = memory(chunk[1], PAGE);
		/* The second one: its number, 52 bits, or its flags */
		entries[2] ^= how == PFN ? 1ULL << 40 : 1ULL << 60;
		munmap(entries, PAGE);
		munmap(chunk, PAGE);
		break;
	case AREA_FLAGS:
		ser->folios_flags |= 1 << 4;
	}
}

/* Each of these has a page of its own; how many there are */
static int damage_memfds(void)
{
	enum { WINDOW = 1 << 20 };
	uint64_t end = ((uint64_t)meminfo("MemTotal") << 10) + (128 << 20);
	int found = 0;

	for (uint64_t at = WINDOW; at < end; at += WINDOW) {
		unsigned char *window = memory(at, WINDOW);

		for (int i = 0; i < WINDOW; i += PAGE) {
			struct memfd_ser *ser = (void *)(window + i);
			uint64_t how = ser->size - DAMAGE_SIZE(0);

			if (how >= DAMAGES || ser->pos != ser->size || ser->nr_folios != 4 ||
			    ser->pages != 1)
				continue;
			damage_memfd(ser, how);
			found++;
		}
		munmap(window, WINDOW);
	}
	return found;
}

/* What is written when the sessions are frozen: damaged before the machine is left */

struct ser_block {
	uint64_t next, count;
};

struct session_ser {
	char name[64];
	uint64_t files, count;
};

struct file_ser {
	char compatible[48];
	uint64_t data, token;
};

static void damage_session(struct session_ser *session)
{
	struct ser_block *block;
	struct file_ser *file;

	if (!strcmp(session->name, "long")) {
		memset(session->name, 'x', sizeof(session->name));
		return;
	}
	if (!session->files)
		return;
	block = memory(session->files, PAGE);
	file = (void *)(block + 1);
	if (!strcmp(session->name, "text"))
		memset(file->compatible, 'y', sizeof(file->compatible));
	else if (!strcmp(session->name, "count"))
		block->count = 64;
	else if (!strcmp(session->name, "cycle"))
		block->next = session->files;
	else if (!strcmp(session->name, "address"))
		file->data += PAGE / 2;
	munmap(block, PAGE);
}

static void damage_at_the_jump(void)
{
	volatile uint64_t *luo = memory(fdt_u64(KHO_OUT "fdt", "LUO", 1), PAGE);
	struct ser_block *block;
	struct session_ser *session;

	/* Its members: a string of 8 bytes, a number, the sessions */
	guest_check(!memcmp((char *)luo, "luo-v5", 7) && !luo[2]);
	if (fork())
		return;
	while (!luo[2])
		;
	block = memory(luo[2], PAGE);
	session = (void *)(block + 1);
	for (uint64_t i = 0; i < block->count; i++)
		damage_session(&session[i]);
	say("damaged %d sessions", (int)block->count);
	_exit(0);
}

static int damage_file(int i)
{
	int fd = memfd_create("damage", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	for (long page = 0; page < 4; page++)
		memfd_write(fd, i, DAMAGE_SIZE(i), page);
	guest_check(lseek(fd, DAMAGE_SIZE(i), SEEK_SET) == DAMAGE_SIZE(i));
	return fd;
}

/* Without AREA_FLAGS, which tests/vm/holes.h has: no more than ten errors are printed within five seconds */
static void legacy_damage(long boot)
{
	static const char *const sessions[] = { "text", "count", "cycle", "address", "long" };
	int session, fd;
	long free = 0;

	if (!boot) {
		session = luo_session(LUO_CREATE_SESSION, "files");
		for (int i = 0; i < AREA_FLAGS; i++)
			luo_preserve_fd(session, damage_file(i), i);
		guest_check(damage_memfds() == AREA_FLAGS);
		for (size_t i = 0; i < ARRAY_LENGTH(sessions); i++) {
			session = luo_session(LUO_CREATE_SESSION, sessions[i]);
			luo_preserve(session, 1);
			luo_preserve(session, 2);
		}
		load_kernel("legacy", WAY_OUT);
		/* Devices tell when they are shut down: that takes its time */
		guest_ok(write_file("/sys/module/kernel/parameters/initcall_debug", "1"));
		damage_at_the_jump();
		guest_ok(jump());
	}
	if (boot == 2) {
		session = luo_session(LUO_RETRIEVE_SESSION, "more");
		luo_retrieve(session, 1, LUO_BYTES);
		luo_finish(session);
		guest_pass();
	}
	session = luo_session(LUO_RETRIEVE_SESSION, "files");
	fd = luo_retrieve_fd(session, GOOD);
	for (long page = 0; page < 4; page++)
		memfd_check_page(fd, GOOD, DAMAGE_SIZE(GOOD), page, true);
	for (int i = GOOD + 1; i < AREA_FLAGS; i++) {
		if (luo_try_retrieve(session, i) != -EOPNOTSUPP)
			guest_fail("%s: retrieve does not say so", damages[i]);
		snprintf(text, sizeof(text), "memfd-v2 with bad %s", damages[i]);
		check_error(strdup(text));
		check_error("stream luo/files");
		snprintf(text, sizeof(text), "memfd[%d].%s: ", i, damages[i]);
		guest_check(kmsg_has(text));
	}
	/* Closing keeps what could not be retrieved: the way out cannot express that */
	close(session);

	session = luo_session(LUO_RETRIEVE_SESSION, "text");
	guest_check(luo_try_retrieve(session, 1) == -EOPNOTSUPP);
	luo_retrieve(session, 2, LUO_BYTES);
	luo_finish(session);
	session = luo_session(LUO_RETRIEVE_SESSION, "count");
	guest_check(luo_try_retrieve(session, 1) == -ENOENT && luo_try_retrieve(session, 2) == -ENOENT);
	guest_check(kmsg_has("expected 1 to 63 entries in a block, found 64"));
	luo_finish(session);
	session = luo_session(LUO_RETRIEVE_SESSION, "cycle");
	luo_retrieve(session, 1, LUO_BYTES);
	luo_retrieve(session, 2, LUO_BYTES);
	guest_check(kmsg_has("expected a block that is preserved"));
	luo_finish(session);
	session = luo_session(LUO_RETRIEVE_SESSION, "address");
	guest_check(luo_try_retrieve(session, 1) == -EOPNOTSUPP);
	luo_retrieve(session, 2, LUO_BYTES);
	luo_finish(session);
	guest_check(luo_open_session(LUO_RETRIEVE_SESSION, "long") == -ENOENT);
	guest_check(kmsg_has("luo_session.name"));

	luo_preserve(luo_session(LUO_CREATE_SESSION, "more"), 1);
	load_kernel("stock", "");
	/* What had been written for the other session by then is freed each time */
	for (int i = 0; i < 60; i++) {
		if (i == 10)
			free = meminfo("MemFree");
		guest_check(jump() == -EOPNOTSUPP);
	}
	free -= meminfo("MemFree");
	say("50 jumps took %ld KiB", free);
	guest_check(free < 400);
	check_error("what a kernel without KSTATE has");
	luo_finish(luo_session(LUO_RETRIEVE_SESSION, "files"));
	guest_ok(jump());
}

#endif
