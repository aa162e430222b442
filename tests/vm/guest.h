/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For programs that run as init in a VM (scripts/initramfs, scripts/vm): call
 * guest_start() first, say PASS or FAIL with guest_pass() or guest_fail().
 *
 * Functions that can fail return a negative errno.
 */
#ifndef KSTATE_TESTS_VM_GUEST_H
#define KSTATE_TESTS_VM_GUEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static inline void power_off(void)
{
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/*
 * One line on the console, through the kernel's log: it gets a time stamp and
 * is never torn by the kernel's own lines, as a plain printf() may be.
 */
static inline void guest_vsay(const char *prefix, const char *format, va_list args)
{
	char line[900];
	int fd, len;

	len = snprintf(line, sizeof(line), "<1>%s", prefix);
	vsnprintf(line + len, sizeof(line) - len, format, args);
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		printf("\n%s\n", line + 3);
	if (fd >= 0)
		close(fd);
}

__attribute__((format(printf, 1, 2)))
static inline void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	guest_vsay("", format, args);
	va_end(args);
}

static inline void guest_pass(void)
{
	say("KSTATE-VM: PASS");
	power_off();
}

__attribute__((format(printf, 1, 2), noreturn))
static inline void guest_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	guest_vsay("KSTATE-VM: FAIL ", format, args);
	va_end(args);
	power_off();
	__builtin_unreachable();
}

/* Fail with the place and the words of the condition. */
#define guest_check(condition)							\
	do {									\
		if (!(condition))						\
			guest_fail("%s:%d: %s", __FILE__, __LINE__, #condition);	\
	} while (0)

/* Fail with the errno that a function returned. */
#define guest_ok(call)								\
	do {									\
		long ret_ = (call);						\
										\
		if (ret_ < 0)							\
			guest_fail("%s:%d: %s: %s", __FILE__, __LINE__, #call,	\
				   strerror(-ret_));				\
	} while (0)

static inline int write_file(const char *path, const char *text)
{
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* The file as a string; returns its length. What does not fit is an error. */
static inline ssize_t read_file(const char *path, char *buf, size_t size)
{
	ssize_t n = 0;
	size_t len = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < size && (n = read(fd, buf + len, size - len)) > 0)
		len += n;
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	if (len == size)
		return -EFBIG;
	buf[len] = '\0';
	return len;
}

/* A value from /proc/meminfo ("MemFree"), in KiB. */
static inline long meminfo(const char *name)
{
	char text[8192], *line;
	size_t len = strlen(name);
	ssize_t err;

	err = read_file("/proc/meminfo", text, sizeof(text));
	if (err < 0)
		return err;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strncmp(line, name, len) && line[len] == ':')
			return atol(line + len + 1);
	}
	return -ENOENT;
}

/* Free memory, in KiB, without what caches hold and what KASAN keeps of freed objects: up to 1/32 of all memory */
static inline long settled_memory(void)
{
	char path[300];
	struct dirent *entry;
	DIR *caches = opendir("/sys/kernel/slab");

	guest_ok(write_file("/proc/sys/vm/drop_caches", "3"));
	guest_check(caches);
	while ((entry = readdir(caches))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", entry->d_name);
		guest_ok(write_file(path, "1"));
	}
	closedir(caches);
	return meminfo("MemFree");
}

/* The value of name=value on the kernel's command line, the last one; NULL when there is none. The next call overwrites it. */
static inline const char *cmdline_value(const char *name)
{
	static char text[4096];
	const char *value = NULL;
	size_t len = strlen(name);
	char *word;

	if (read_file("/proc/cmdline", text, sizeof(text)) < 0)
		return NULL;
	for (word = strtok(text, " \n"); word; word = strtok(NULL, " \n")) {
		if (!strncmp(word, name, len) && word[len] == '=')
			value = word + len + 1;
	}
	return value;
}

static inline long cmdline_number(const char *name, long otherwise)
{
	const char *value = cmdline_value(name);

	return value ? strtol(value, NULL, 0) : otherwise;
}

/* Is there such text in the kernel's log? Only what is still in its buffer counts. */
static inline bool kmsg_has(const char *text)
{
	int size = klogctl(10 /* SYSLOG_ACTION_SIZE_BUFFER */, NULL, 0);
	char *log = malloc(size + 1);
	bool found;
	int len;

	len = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, log, size);
	log[len > 0 ? len : 0] = '\0';
	found = strstr(log, text);
	free(log);
	return found;
}

static inline const char *kernel_release(void)
{
	static struct utsname name;

	uname(&name);
	return name.release;
}

static inline int insmod(const char *path, const char *parameters)
{
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, parameters, 0))
		err = -errno;
	close(fd);
	return err;
}

static inline int rmmod(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* One member of a cpio archive in the newc format, and the padding behind it. */
static inline void cpio_member(FILE *out, const char *name, const char *data, size_t size)
{
	size_t head = 110 + strlen(name) + 1;

	fprintf(out, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s%c",
		1, S_IFREG | 0600, 0, 0, 1, 0, size, 0, 0, 0, 0, strlen(name) + 1, 0, name, '\0');
	fwrite("\0\0\0", 1, -head & 3, out);
	fwrite(data, 1, size, out);
	fwrite("\0\0\0", 1, -size & 3, out);
}

#define GUEST_INITRD "/tmp/initrd"
#define GUEST_KEEP "/tmp/keep"

/* A file that the next kernel is to find as /keep */
static inline void keep_member(FILE *out)
{
	static char data[1 << 20];
	ssize_t size = read_file(GUEST_KEEP, data, sizeof(data));

	if (size >= 0)
		cpio_member(out, "keep", data, size);
}

/*
 * Write the initramfs this guest was booted with to GUEST_INITRD: it is the
 * file /initrd, and behind it an archive that holds just that file, so that the
 * next kernel can do the same, and GUEST_KEEP if there is one.
 */
static inline int initrd_again(void)
{
	void *data = MAP_FAILED;
	struct stat st;
	FILE *out;
	int fd;

	fd = open("/initrd", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st))
		data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return -errno;

	out = fopen(GUEST_INITRD, "we");
	if (!out)
		return -errno;
	fwrite(data, 1, st.st_size, out);
	cpio_member(out, "initrd", data, st.st_size);
	keep_member(out);
	cpio_member(out, "TRAILER!!!", "", 0);
	munmap(data, st.st_size);
	return fclose(out) ? -errno : 0;
}

/* Emulated timers of x86 may be too late for the kernel's taste */
#ifdef __aarch64__
#define GUEST_CONSOLE	"console=ttyAMA0"
#else
#define GUEST_CONSOLE	"console=ttyS0 no_timer_check"
#endif

/*
 * Load the next kernel, with initrd, or with this guest's own when it is NULL.
 * What scripts/vm puts on the command line is there already; cmdline is added.
 */
static inline int kexec_into(const char *kernel, const char *initrd, const char *cmdline)
{
	char line[2048];
	int kernel_fd, initrd_fd, len, err = 0;

	len = snprintf(line, sizeof(line), GUEST_CONSOLE " kho=on liveupdate=on panic=-1 %s", cmdline);
	if (len >= (int)sizeof(line))
		return -E2BIG;
	if (!initrd) {
		err = initrd_again();
		if (err)
			return err;
	}
	kernel_fd = open(kernel, O_RDONLY | O_CLOEXEC);
	initrd_fd = open(initrd ? initrd : GUEST_INITRD, O_RDONLY | O_CLOEXEC);
	if (kernel_fd < 0 || initrd_fd < 0 ||
	    syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, len + 1L, line, 0UL))
		err = -errno;
	close(kernel_fd);
	close(initrd_fd);
	unlink(GUEST_INITRD);
	return err;
}

/* Leave for the loaded kernel, and nothing else. Returns only when this kernel refuses. */
static inline int jump_now(void)
{
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	return -errno;
}

static inline int jump(void)
{
	sync();
	return jump_now();
}

static inline void guest_start(void)
{
	static const struct {
		const char *type, *where;
	} mounts[] = {
		{ "devtmpfs", "/dev" },
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "debugfs", "/sys/kernel/debug" },
		{ "tmpfs", "/tmp" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(mounts); i++) {
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL))
			guest_fail("mount %s: %s", mounts[i].where, strerror(errno));
	}
	/* Else the kernel drops lines when there are more than ten in five seconds. */
	write_file("/proc/sys/kernel/printk_devkmsg", "on\n");
	setvbuf(stdout, NULL, _IOLBF, 0);
}

#endif
