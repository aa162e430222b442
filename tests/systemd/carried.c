// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A service that systemd carries from kernel to kernel: carried.service.
 *
 * Its store has two entries, each with a memfd whose content depends on seed= and
 * boot= of the kernel's command line:
 *   content   the memfd itself, always the same one, rewritten after each jump
 *   session   a session of live update of the service's own, which preserves the memfd
 */
#include "liveupdate.h"
#include <sys/socket.h>
#include <sys/un.h>

#define TOKEN	1

/* Not whole pages, another size each time, and longer than the text in front */
static size_t size_at(long boot)
{
	return (3 - boot) * 1048576 + 123;
}

/* What a memfd has after @boot boots; @what makes the two differ */
static void fill(unsigned char *data, const char *what, long boot)
{
	unsigned long x = cmdline_number("seed", 0) * 1000003 + boot * 101 + what[0] + 1;

	for (size_t i = 0; i < size_at(boot); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = x;
	}
}

static unsigned int checksum(const unsigned char *data, size_t size)
{
	unsigned int hash = 2166136261u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 16777619u;
	return hash;
}

static void rewrite(int fd, const char *what, long boot)
{
	size_t size = size_at(boot);
	unsigned char *data = malloc(size);

	fill(data, what, boot);
	guest_check(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size);
	say("systemd: boot %ld: wrote %s: %zu bytes, checksum %08x", boot, what, size, checksum(data, size));
	free(data);
}

static void check(int fd, const char *what, long boot)
{
	size_t size = size_at(boot), room = size + 1;
	unsigned char *data = malloc(room), *expected = malloc(size);
	ssize_t found = pread(fd, data, room, 0);

	fill(expected, what, boot);
	if (found != (ssize_t)size || memcmp(data, expected, size))
		guest_fail("%s has %zd bytes, checksum %08x; expected are %zu bytes, checksum %08x", what, found,
			   checksum(data, found < 0 ? 0 : found), size, checksum(expected, size));
	say("systemd: ok boot %ld: %s has what boot %ld wrote: %zu bytes, checksum %08x", boot + 1, what, boot,
	    size, checksum(data, size));
	free(expected);
	free(data);
}

/* Tell systemd, and give it @fd if that is not negative */
static void notify(const char *text, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(fd))];
	} control = {
		.head = {
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(fd)),
		},
	};
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct iovec iov = { .iov_base = (char *)text, .iov_len = strlen(text) };
	struct msghdr message = { .msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1 };
	const char *path = getenv("NOTIFY_SOCKET");
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	guest_check(path && s >= 0 && strlen(path) < sizeof(to.sun_path));
	strcpy(to.sun_path, path);
	message.msg_namelen = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	guest_check(sendmsg(s, &message, 0) == (ssize_t)strlen(text));
	close(s);
}

/* Take the name of the next descriptor off $LISTEN_FDNAMES */
static const char *next_name(void)
{
	static char *names;

	if (!names)
		names = strdup(getenv("LISTEN_FDNAMES") ?: "");
	return strsep(&names, ":") ?: "";
}

int main(void)
{
	long boot = cmdline_number("boot", 0);
	int given = atoi(getenv("LISTEN_FDS") ?: "0");
	int content = -1, session = -1;
	int luo = open(LIVEUPDATE, O_RDWR | O_CLOEXEC);
	int file;
	char name[32];

	for (int fd = 3; fd < 3 + given; fd++) {
		const char *is = next_name();

		if (!strcmp(is, "content") && content < 0)
			content = fd;
		else if (!strcmp(is, "session") && session < 0)
			session = fd;
		else
			guest_fail("systemd gave descriptor %d, \"%s\"", fd, is);
	}
	if (given != (boot ? 2 : 0))
		guest_fail("systemd gave %d descriptors", given);
	say("systemd: ok boot %ld: the service was given %d descriptors (%s)", boot, given,
	    getenv("LISTEN_FDNAMES") ?: "");

	if (boot) {
		check(content, "content", boot - 1);
		guest_ok(file = luo_try_retrieve(session, TOKEN));
		check(file, "session", boot - 1);
		close(file);
		guest_ok(luo_try_finish(session));
		notify("FDSTOREREMOVE=1\nFDNAME=session", -1);
	} else {
		content = memfd_create("content", MFD_CLOEXEC);
		notify("FDSTORE=1\nFDNAME=content", content);
	}
	rewrite(content, "content", boot);

	/* The old session is finished, but systemd has it until it has read the above */
	snprintf(name, sizeof(name), "carried-%ld", boot);
	guest_ok(session = luo_try_session(luo, LUO_CREATE_SESSION, name));
	file = memfd_create("session", MFD_CLOEXEC);
	rewrite(file, "session", boot);
	guest_ok(luo_try_preserve(session, file, TOKEN));
	notify("FDSTORE=1\nFDNAME=session", session);

	/* systemd reads in order: it has both descriptors when it has read this */
	notify("READY=1", -1);
	for (;;)
		pause();
}
