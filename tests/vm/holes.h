/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Numbers that Linux's own live update believes: one of them is wrong in what a kernel without
 * KSTATE hands over. Each costs what it belongs to, and nothing else.
 */
#ifndef KSTATE_TESTS_VM_HOLES_H
#define KSTATE_TESTS_VM_HOLES_H

#include "legacy.h"

#define FLB_DATA	0xfeedf00dcafebee0ULL
#define MANY		2048

struct flb_ser {
	char name[48];
	uint64_t data, count;
};

/* When the first FLB has been written: it is one that nobody knows, and of very many */
static void damage_flbs_at_the_jump(void)
{
	uint64_t *luo = memory(fdt_u64(KHO_OUT "fdt", "LUO", 1), PAGE);
	volatile uint64_t *flbs;
	struct flb_ser *first;

	/* Its members: a string of 8 bytes, a number, the sessions, the FLBs, which are a size, their number, and they */
	guest_check(!memcmp((char *)luo, "luo-v5", 7) && luo[3]);
	flbs = memory(luo[3], PAGE);
	guest_check(!flbs[1]);
	if (fork())
		return;
	while (!flbs[1])
		;
	first = (void *)(flbs + 2);
	if (first->data != FLB_DATA)
		guest_fail("the first FLB is %.48s", first->name);
	memset(first->name, 'x', 20);
	flbs[1] = 1 << 30;
	_exit(0);
}

static int hole_of(const char *name)
{
	for (int i = GOOD + 1; i < DAMAGES; i++)
		if (damages[i] && !strcmp(damages[i], name))
			return i;
	return GOOD;
}

static void hole_make(int session, int how)
{
	luo_preserve_fd(session, damage_file(GOOD), GOOD);
	for (int i = 1; how != GOOD && i <= MANY; i++) {
		int fd = damage_file(how);

		luo_preserve_fd(session, fd, i);
		close(fd);
	}
	guest_check(damage_memfds() == (how == GOOD ? 1 : MANY + 1));
}

static void hole(long boot)
{
	const char *name = cmdline_value("hole"), *to;
	long free = settled_memory();
	int how, session, fd;

	name = strdup(name);
	how = hole_of(name);
	if (!boot) {
		hole_make(luo_session(LUO_CREATE_SESSION, "files"), how);
		to = strdup(cmdline_value("to"));
		load_kernel(to, "hole=%s free=%ld", name, free);
		if (how == GOOD) {
			/* Devices tell when they are shut down: that takes its time */
			guest_ok(write_file("/sys/module/kernel/parameters/initcall_debug", "1"));
			damage_flbs_at_the_jump();
		}
		guest_ok(jump());
	}
	session = luo_session(LUO_RETRIEVE_SESSION, "files");
	for (int i = 1; how != GOOD && i <= MANY; i++)
		if (luo_try_retrieve(session, i) >= 0)
			guest_fail("%s: the file came as if nothing were wrong", name);
	fd = luo_retrieve_fd(session, GOOD);
	for (long page = 0; page < 4; page++)
		memfd_check_page(fd, GOOD, DAMAGE_SIZE(GOOD), page, true);
	luo_finish(session);
	free = cmdline_number("free", 0) - settled_memory();
	say("%s: %ld KiB less are free", name, free);
	/* What can be told from what is damaged is free again: kernels differ by 4 MiB */
	if ((how == FLAGS || how == SEALS) && free > MANY * 4 * 4 / 2)
		guest_fail("%s: memory is lost", name);
	guest_pass();
}

#endif
