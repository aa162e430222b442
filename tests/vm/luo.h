/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sessions of live update, which freeze before KSTATE and its gate, and go on when
 * one of them refuses the kexec.
 */
#ifndef KSTATE_TESTS_VM_LUO_H
#define KSTATE_TESTS_VM_LUO_H

#include <sys/ioctl.h>
#include "command.h"

/* <linux/liveupdate.h> is younger than the headers that hosts have */

struct luo_session_name {
	unsigned int size;
	int fd;
	char name[64];
};

struct luo_session_fd {
	unsigned int size;
	int fd;
	unsigned long long token;
};

struct luo_session_end {
	unsigned int size;
	unsigned int reserved;
};

#define LUO_CREATE_SESSION	_IO(0xBA, 0x00)
#define LUO_RETRIEVE_SESSION	_IO(0xBA, 0x01)
#define LUO_PRESERVE_FD		_IO(0xBA, 0x40)
#define LUO_RETRIEVE_FD		_IO(0xBA, 0x41)
#define LUO_FINISH		_IO(0xBA, 0x42)

static int luo_session(unsigned long request, const char *name)
{
	struct luo_session_name arg = { .size = sizeof(arg) };
	int fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC), err;

	if (fd < 0)
		guest_fail("/dev/liveupdate: %s", strerror(errno));
	strcpy(arg.name, name);
	err = ioctl(fd, request, &arg) ? errno : 0;
	close(fd);
	if (err)
		guest_fail("session %s: %s", name, strerror(err));
	return arg.fd;
}

#define LUO_BYTES	(3 * 4096 + 100)

static unsigned char luo_byte(int token, int i)
{
	return i * 7 + token * 31 + i / 251;
}

/* A memfd with content of its own, preserved as @token; its position is where writing ended */
static int luo_preserve(int session, int token)
{
	struct luo_session_fd arg = { .size = sizeof(arg), .token = token };
	unsigned char data[LUO_BYTES];

	arg.fd = memfd_create("luo", MFD_CLOEXEC);
	for (int i = 0; i < LUO_BYTES; i++)
		data[i] = luo_byte(token, i);
	guest_check(arg.fd >= 0 && write(arg.fd, data, LUO_BYTES) == LUO_BYTES);
	if (ioctl(session, LUO_PRESERVE_FD, &arg))
		guest_fail("preserve %d: %s", token, strerror(errno));
	return arg.fd;
}

static void luo_retrieve(int session, int token, off_t position)
{
	struct luo_session_fd arg = { .size = sizeof(arg), .token = token };
	unsigned char data[LUO_BYTES + 1];

	if (ioctl(session, LUO_RETRIEVE_FD, &arg))
		guest_fail("retrieve %d: %s", token, strerror(errno));
	guest_check(lseek(arg.fd, 0, SEEK_CUR) == position);
	guest_check(pread(arg.fd, data, sizeof(data), 0) == LUO_BYTES);
	for (int i = 0; i < LUO_BYTES; i++)
		guest_check(data[i] == luo_byte(token, i));
	close(arg.fd);
}

static void luo_finish(int session)
{
	struct luo_session_end arg = { .size = sizeof(arg) };

	if (ioctl(session, LUO_FINISH, &arg))
		guest_fail("finish: %s", strerror(errno));
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
	kstate_says(0, "20 objects, 20 exact", "arm", image("a", "kstate_stress"));
	guest_ok(jump());
}

#endif
