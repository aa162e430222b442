/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The calls of live update. <linux/liveupdate.h> is younger than the headers that hosts have.
 * Functions return a file descriptor or a negative errno.
 */
#ifndef KSTATE_TESTS_VM_LIVEUPDATE_H
#define KSTATE_TESTS_VM_LIVEUPDATE_H

#include "guest.h"
#include <sys/ioctl.h>

#define LIVEUPDATE	"/dev/liveupdate"

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

static inline int luo_try_session(int luo, unsigned long request, const char *name)
{
	struct luo_session_name arg = { .size = sizeof(arg) };

	snprintf(arg.name, sizeof(arg.name), "%s", name);
	return ioctl(luo, request, &arg) ? -errno : arg.fd;
}

/* The same by itself: the device is not kept open */
static inline int luo_open_session(unsigned long request, const char *name)
{
	int luo = open(LIVEUPDATE, O_RDWR | O_CLOEXEC), session;

	if (luo < 0)
		return -errno;
	session = luo_try_session(luo, request, name);
	close(luo);
	return session;
}

static inline int luo_try_preserve(int session, int fd, unsigned long long token)
{
	struct luo_session_fd arg = { .size = sizeof(arg), .fd = fd, .token = token };

	return ioctl(session, LUO_PRESERVE_FD, &arg) ? -errno : 0;
}

static inline int luo_try_retrieve(int session, unsigned long long token)
{
	struct luo_session_fd arg = { .size = sizeof(arg), .token = token };

	return ioctl(session, LUO_RETRIEVE_FD, &arg) ? -errno : arg.fd;
}

static inline int luo_try_finish(int session)
{
	struct luo_session_end arg = { .size = sizeof(arg) };

	return ioctl(session, LUO_FINISH, &arg) ? -errno : 0;
}

#endif
