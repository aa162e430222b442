/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sessions of live update, which freeze before KSTATE and its gate, and go on when
 * one of them refuses the kexec.
 */
#ifndef KSTATE_TESTS_VM_LUO_H
#define KSTATE_TESTS_VM_LUO_H

#include "command.h"
#include "liveupdate.h"

static int luo_session(unsigned long request, const char *name)
{
	int session = luo_open_session(request, name);

	if (session < 0)
		guest_fail("session %s: %s", name, strerror(-session));
	return session;
}

static void luo_preserve_fd(int session, int fd, unsigned long long token)
{
	int err = luo_try_preserve(session, fd, token);

	if (err)
		guest_fail("preserve %llu: %s", token, strerror(-err));
}

static int luo_retrieve_fd(int session, unsigned long long token)
{
	int fd = luo_try_retrieve(session, token);

	if (fd < 0)
		guest_fail("retrieve %llu: %s", token, strerror(-fd));
	return fd;
}

#define LUO_BYTES	(3 * 4096 + 100)

static unsigned char luo_byte(unsigned long long token, int i)
{
	return i * 7 + token * 31 + i / 251;
}

/* A memfd with content that @token tells; its position is where writing ended */
static int luo_memfd(unsigned long long token, unsigned int flags)
{
	int fd = memfd_create("luo", MFD_CLOEXEC | flags);
	unsigned char data[LUO_BYTES];

	for (int i = 0; i < LUO_BYTES; i++)
		data[i] = luo_byte(token, i);
	guest_check(fd >= 0 && write(fd, data, LUO_BYTES) == LUO_BYTES);
	return fd;
}

/* Whether that is what a file has */
static bool luo_has(int fd, unsigned long long token)
{
	unsigned char data[LUO_BYTES + 1];

	if (pread(fd, data, sizeof(data), 0) != LUO_BYTES)
		return false;
	for (int i = 0; i < LUO_BYTES; i++)
		if (data[i] != luo_byte(token, i))
			return false;
	return true;
}

static int luo_preserve(int session, unsigned long long token)
{
	int fd = luo_memfd(token, 0);

	luo_preserve_fd(session, fd, token);
	return fd;
}

static void luo_retrieve(int session, unsigned long long token, off_t position)
{
	int fd = luo_retrieve_fd(session, token);

	guest_check(lseek(fd, 0, SEEK_CUR) == position);
	guest_check(luo_has(fd, token));
	close(fd);
}

static void luo_finish(int session)
{
	int err = luo_try_finish(session);

	if (err)
		guest_fail("finish: %s", strerror(-err));
	close(session);
}

/* Refused by the last step, the gate, over and over; the sessions go on each time */
static void luo(long boot)
{
	int session, other, first;

	if (boot) {
		load_stress("objects=20 folios=5");
		check_stress(20, 0);
		session = luo_session(LUO_RETRIEVE_SESSION, "kept");
		luo_retrieve(session, 1, 123);
		for (int i = 10; i < 13; i++)
			luo_retrieve(session, i, LUO_BYTES);
		luo_finish(session);
		session = luo_session(LUO_RETRIEVE_SESSION, "late");
		luo_retrieve(session, 1, LUO_BYTES);
		luo_finish(session);
		guest_pass();
	}
	load_stress("objects=20 folios=5");
	session = luo_session(LUO_CREATE_SESSION, "kept");
	other = luo_session(LUO_CREATE_SESSION, "closed");
	first = luo_preserve(session, 1);
	luo_preserve(other, 1);
	kstate_says(3, "20 blocked", "arm", image("a", "kstate_demo"));
	load_kernel("a", "");
	for (int i = 0; i < 3; i++) {
		int err = jump();

		if (err != -EPROTO)
			guest_fail("the jump failed with %s", strerror(-err));
		/* More is preserved in a session that was frozen; what changes until the next freeze counts */
		luo_preserve(session, 10 + i);
		guest_check(lseek(first, 100 + i, SEEK_SET) == 100 + i);
	}
	/* Frozen files can be given up, too, and there may be new sessions */
	close(other);
	other = luo_session(LUO_CREATE_SESSION, "late");
	luo_preserve(other, 1);
	guest_check(jump() == -EPROTO);
	guest_check(lseek(first, 123, SEEK_SET) == 123);
	/* An object of KSTATE fails, before the gate */
	guest_ok(write_file(STRESS "fail", "7"));
	guest_check(jump() == -EIO);
	guest_ok(write_file(STRESS "fail", "-1"));
	kstate_says(0, " exact; checked", "arm", image("a", "kstate_stress"));
	guest_ok(jump());
}

#endif
