/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What else a VMM or an operator may do on the way over: words at.MOMENT=STEP+STEP...
 * on the command line. A step is NAME[:ARGUMENT], and has to succeed; with !NAME it has to
 * fail with that errno, and with ~ it is only told what happened. A VMM may be killed
 * and another one started (init.c): at.again is what that one does.
 */
#ifndef KSTATE_TESTS_DEVICE_ATTACK_H
#define KSTATE_TESTS_DEVICE_ATTACK_H

#include "device.h"
#include "command.h"
#include "liveupdate.h"
#include <sys/time.h>
#include <sys/wait.h>

#define UNMAP		_IO(';', 0x86)
#define DETACH		_IO(VFIO_TYPE, VFIO_BASE + 20)
#define RESET		_IO(VFIO_TYPE, VFIO_BASE + 11)
#define MAP_ANY		_IO(';', 0x85)

struct ioas_unmap {
	uint32_t size, ioas_id;
	uint64_t iova, length;
};

struct ioas_map {
	uint32_t size, flags, ioas_id, reserved;
	uint64_t user_va, length, iova;
};

/* What the steps of this process have at hand */
struct attack {
	int *session, *memory, *state, *iommufd;
	uint32_t *ioas, id[4], hwpt;
	struct device *devices;
	struct vmm_state *vmm;
	uint8_t **ram;
	int (*leave)(bool interrupts);
	int other, extra;	/* another session; file retrieved or made */
	long free;
};

static inline int attack_errno(const char *name)
{
	static const struct { const char *name; int number; } errnos[] = {
		{ "EBUSY", EBUSY }, { "EPROTO", EPROTO }, { "EINVAL", EINVAL }, { "ENOENT", ENOENT },
		{ "ENODEV", ENODEV }, { "EPERM", EPERM }, { "EEXIST", EEXIST }, { "EBADF", EBADF },
		{ "EOPNOTSUPP", EOPNOTSUPP }, { "ENOEXEC", ENOEXEC }, { "EBADMSG", EBADMSG },
		{ "ENOTTY", ENOTTY }, { "EIO", EIO }, { "EADDRINUSE", EADDRINUSE }, { "EACCES", EACCES },
		{ "EALREADY", EALREADY }, { "EFBIG", EFBIG }, { "ENXIO", ENXIO }, { "EADDRNOTAVAIL", EADDRNOTAVAIL },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(errnos); i++)
		if (!strcmp(errnos[i].name, name))
			return errnos[i].number;
	guest_fail("no errno %s", name);
}

static inline int attack_address(struct attack *a, int i, char *address)
{
	static struct vmm_state found;

	if (a->vmm->nr_devices) {
		strcpy(address, a->vmm->devices[i].address);
		return 0;
	}
	if (!found.nr_devices)
		device_list(&found);
	strcpy(address, found.nr_devices ? found.devices[i].address : i ? "0000:00:05.0" : "0000:00:04.0");
	return 0;
}

static inline int attack_command(struct attack *a, const char *arg)
{
	char path[100], address[16];
	uint16_t command = 0;
	int fd;

	if (arg && strchr(arg, ':'))
		snprintf(address, sizeof(address), "%s", arg);
	else
		attack_address(a, arg ? atoi(arg) : 0, address);
	snprintf(path, sizeof(path), PCI_DEVICES "%s/config", address);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	pread(fd, &command, 2, 4);
	close(fd);
	return command;
}

/* Frames that have landed */
static inline long attack_landed(struct attack *a)
{
	struct guest_header *h = (void *)*a->ram;
	uint8_t *descriptors = *a->ram + h->ring[0].descriptors;
	uint32_t at = h->ring[0].head, n = 0;

	while (n < RING_ENTRIES && descriptors[(at + n) % RING_ENTRIES * 16 + 12] & 1)
		n++;
	return h->ring[0].seen + n;
}

static inline int attack_write(char *arg)
{
	char *value = strchr(arg, '='), line[64];

	guest_check(value);
	*value++ = '\0';
	snprintf(line, sizeof(line), "%s\n", value);
	return write_file(arg, line);
}

static inline int attack_press(long percent)
{
	long bytes = meminfo("MemFree") / 100 * percent * 1024;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long wrong = 0;

	if (memory == MAP_FAILED)
		return -errno;
	memset(memory, 0xa5, bytes);
	usleep(300000);
	for (long i = 0; i < bytes; i += 8)
		wrong += *(uint64_t *)(memory + i) != 0xa5a5a5a5a5a5a5a5;
	munmap(memory, bytes);
	if (wrong)
		say("attack: FOREIGN DMA: %ld words of pressed memory were written to", wrong);
	return wrong ? -EIO : 0;
}

/* In a process of its own */
static inline int attack_other_open(struct attack *a, int i)
{
	struct device dev = { 0 };
	char address[16];
	int status, err;
	uint32_t id;
	pid_t pid = fork();

	if (!pid) {
		attack_address(a, i, address);
		dev.fd = device_open(address);
		err = dev.fd < 0 ? dev.fd : device_bind(&dev, open("/dev/iommu", O_RDWR), &id);
		_exit(-err);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static inline int attack_map(struct attack *a, const char *how)
{
	struct ioas_alloc alloc = { .size = sizeof(alloc) };
	uint64_t half = GUEST_BYTES / 2;
	int err, fd;

	if (!*a->ioas || strncmp(how, "more", 4)) {
		if (ioctl(*a->iommufd, IOAS_ALLOC, &alloc))
			return -errno;
		*a->ioas = alloc.out_ioas_id;
	}
	if (!strcmp(how, "less"))
		return iommu_map_part(*a->iommufd, *a->ioas, *a->memory, 0, 0, GUEST_BYTES - 4096);
	if (!strcmp(how, "hole")) {
		err = iommu_map_part(*a->iommufd, *a->ioas, *a->memory, 0, 0, half);
		return err ?: iommu_map_part(*a->iommufd, *a->ioas, *a->memory, half + 4096, half + 4096, half - 4096);
	}
	if (!strcmp(how, "swapped")) {
		err = iommu_map_part(*a->iommufd, *a->ioas, *a->memory, 0, half, half);
		return err ?: iommu_map_part(*a->iommufd, *a->ioas, *a->memory, half, 0, half);
	}
	if (!strcmp(how, "two")) {
		err = iommu_map_part(*a->iommufd, *a->ioas, *a->memory, 0, 0, half);
		return err ?: iommu_map_part(*a->iommufd, *a->ioas, *a->memory, half, half, half);
	}
	if (!strcmp(how, "pages")) {
		for (uint64_t at = 0; at < GUEST_BYTES; at += 4096) {
			err = iommu_map_part(*a->iommufd, *a->ioas, *a->memory, at, at, 4096);
			if (err)
				return err;
		}
		return 0;
	}
	if (!strcmp(how, "elsewhere"))
		return iommu_map_part(*a->iommufd, *a->ioas, *a->memory, 1ULL << 32, 0, GUEST_BYTES);
	if (!strcmp(how, "double")) {
		err = iommu_map_part(*a->iommufd, *a->ioas, *a->memory, 0, 0, GUEST_BYTES);
		return err ?: iommu_map_part(*a->iommufd, *a->ioas, *a->memory, 1ULL << 32, 0, GUEST_BYTES);
	}
	if (!strcmp(how, "va")) {
		struct ioas_map map = { .size = sizeof(map), .flags = 7, .ioas_id = *a->ioas,
					.user_va = (uintptr_t)*a->ram, .length = GUEST_BYTES };

		return ioctl(*a->iommufd, MAP_ANY, &map) ? -errno : 0;
	}
	if (!strcmp(how, "readonly")) {
		struct ioas_map_file map = { .size = sizeof(map), .flags = 1 | 4, .ioas_id = *a->ioas, .fd = *a->memory,
					     .length = GUEST_BYTES };

		return ioctl(*a->iommufd, IOAS_MAP_FILE, &map) ? -errno : 0;
	}
	if (!strcmp(how, "other")) {
		fd = memfd_create("other", MFD_CLOEXEC);
		guest_check(!fallocate(fd, 0, 0, GUEST_BYTES));
		return iommu_map_part(*a->iommufd, *a->ioas, fd, 0, 0, GUEST_BYTES);
	}
	if (!strcmp(how, "stateful"))	/* the rest, and the other file of the session beside it */
		return iommu_map_part(*a->iommufd, *a->ioas, *a->memory, 0, 0, GUEST_BYTES) ?:
		       iommu_map_part(*a->iommufd, *a->ioas, *a->state, 1ULL << 32, 0, 4096);
	if (!strcmp(how, "more"))
		return iommu_map_part(*a->iommufd, *a->ioas, *a->memory, 1ULL << 33, 0, 4096);
	return iommu_map_part(*a->iommufd, *a->ioas, *a->memory, 0, 0, GUEST_BYTES);
}

static inline int attack_load(const char *arg, bool arm, bool force)
{
	static char line[2048];
	char path[32], *words;
	ssize_t err;

	snprintf(path, sizeof(path), "/lines/%s", arg);
	err = read_file(path, line, sizeof(line));
	if (err < 0)
		return err;
	line[strcspn(line, "\n")] = '\0';
	words = strchr(line, ' ');
	*words++ = '\0';
	err = kexec_into(line, NULL, words);
	if (err || !arm)
		return err;
	err = force ? kstate("arm", "--force", line) : kstate("arm", line);
	say_output();
	say("attack: arm: status %zd", err);
	return 0;
}

static inline int attack_one(struct attack *a, char *step)
{
	char *arg = strchr(step, ':'), buf[2048], address[16];
	int n;

	if (arg)
		*arg++ = '\0';
	n = arg ? atoi(arg) : 0;
#define IS(_name) !strcmp(step, _name)
#define CALL(_x) ((_x) ? -errno : 0)
	if (IS("session"))
		return *a->session = luo_open_session(LUO_RETRIEVE_SESSION, arg ?: "vm");
	if (IS("create"))
		return *a->session = luo_open_session(LUO_CREATE_SESSION, arg ?: "vm");
	if (IS("other"))
		return a->other = luo_open_session(LUO_CREATE_SESSION, arg ?: "other");
	if (IS("swap_sessions")) {
		n = a->other, a->other = *a->session, *a->session = n;
		return 0;
	}
	if (IS("memory")) {
		n = luo_try_retrieve(*a->session, 1);
		if (n >= 0) {
			*a->memory = n;
			*a->ram = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, n, 0);
		}
		return n;
	}
	if (IS("state"))
		return *a->state = luo_try_retrieve(*a->session, 2);
	if (IS("device")) {
		int fd = luo_try_retrieve(*a->session, 3 + n);

		if (fd >= 0)
			a->devices[n].fd = fd;
		return fd;
	}
	if (IS("retrieve"))
		return a->extra = luo_try_retrieve(*a->session, n);
	if (IS("open")) {
		attack_address(a, n, address);
		return a->devices[n].fd = device_open(address);
	}
	if (IS("other_open"))
		return attack_other_open(a, n);
	if (IS("iommu"))
		return *a->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (IS("map"))
		return attack_map(a, arg ?: "");
	if (IS("bind"))
		return device_bind(&a->devices[n], *a->iommufd, &a->id[n]);
	if (IS("hwpt"))
		return iommu_tables(*a->iommufd, *a->ioas, a->id[n], &a->hwpt);
	if (IS("attach"))
		return device_attach(&a->devices[n], a->hwpt);
	if (IS("attach_ioas"))
		return device_attach(&a->devices[n], *a->ioas);
	if (IS("detach"))
		return CALL(ioctl(a->devices[n].fd, DETACH, &(struct { uint32_t size, flags; }){ 8, 0 }));
	if (IS("reset"))
		return CALL(ioctl(a->devices[n].fd, RESET));
	if (IS("irqs"))
		return device_interrupts(&a->devices[0], n);
	if (IS("command"))
		return device_enable(&a->devices[n]);
	if (IS("unmap")) {
		struct ioas_unmap un = { sizeof(un), *a->ioas, 0, arg ? ~0ULL : GUEST_BYTES };

		return CALL(ioctl(*a->iommufd, UNMAP, &un));
	}
	if (IS("preserve")) {
		int fd = n == 1 ? *a->memory : n == 2 ? *a->state : n < 10 ? a->devices[n - 3].fd : a->devices[0].fd;

		return luo_try_preserve(*a->session, fd, n);
	}
	if (IS("finish"))
		return luo_try_finish(*a->session);
	if (IS("kfinish"))
		return write_file("/sys/kernel/kstate/finish", arg ?: "1");
	if (IS("close")) {
		int *fd = !strcmp(arg, "session") ? a->session : !strcmp(arg, "other") ? &a->other :
			  !strcmp(arg, "memory") ? a->memory : !strcmp(arg, "iommu") ? a->iommufd :
			  !strcmp(arg, "extra") ? &a->extra :
			  !strcmp(arg, "state") ? a->state : &a->devices[0].fd;

		if (fd == a->memory && *a->ram) {
			munmap(*a->ram, GUEST_BYTES);
			*a->ram = NULL;
		}
		if (fd == &a->devices[0].fd && a->devices[0].bar && a->devices[0].bar != MAP_FAILED)
			munmap((void *)a->devices[0].bar, 0x20000);
		n = close(*fd);
		*fd = -1;
		return n;
	}
	if (IS("punch"))
		return CALL(fallocate(*a->memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, GUEST_BUFFERS,
			      RING_ENTRIES * BUFFER_BYTES));
	if (IS("punch_page"))
		return CALL(fallocate(*a->memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, n, 4096));
	if (IS("truncate"))
		return CALL(ftruncate(*a->memory, n));
	if (IS("write"))
		return attack_write(arg);
	if (IS("sysfs")) {	/* sysfs:FILE of the first device, its address written to it */
		attack_address(a, 0, address);
		snprintf(buf, sizeof(buf), PCI_DEVICES "%s/%s", address, arg);
		return write_file(buf, address);
	}
	if (IS("bindto")) {
		attack_address(a, 0, address);
		snprintf(buf, sizeof(buf), "/sys/bus/pci/drivers/%s/bind", arg);
		return write_file(buf, address);
	}
	if (IS("override")) {
		attack_address(a, 0, address);
		snprintf(buf, sizeof(buf), PCI_DEVICES "%s/driver_override", address);
		return write_file(buf, arg ?: "\n");
	}
	if (IS("poke")) {	/* poke:FILE=VALUE of the first device */
		char *value = strchr(arg, '=');

		*value++ = '\0';
		attack_address(a, 0, address);
		snprintf(buf, sizeof(buf), PCI_DEVICES "%s/%s", address, arg);
		return write_file(buf, value);
	}
	if (IS("remove")) {
		attack_address(a, 0, address);
		snprintf(buf, sizeof(buf), PCI_DEVICES "%s/remove", address);
		return write_file(buf, "1");
	}
	if (IS("rescan"))
		return write_file("/sys/bus/pci/rescan", "1");
	if (IS("driver")) {
		char path[100];

		attack_address(a, n, address);
		snprintf(path, sizeof(path), PCI_DEVICES "%s/driver", address);
		n = readlink(path, buf, sizeof(buf) - 1);
		buf[n < 0 ? 0 : n] = '\0';
		say("attack: driver of %s: %s", address, buf);
		return 0;
	}
	if (IS("press"))
		return attack_press(n);
	if (IS("master")) {
		n = attack_command(a, arg);
		return n < 0 ? n : n & PCI_COMMAND_MASTER ? 0 : -ENODEV;
	}
	if (IS("stopped")) {
		n = attack_command(a, arg);
		return n < 0 ? n : n & PCI_COMMAND_MASTER ? -EBUSY : 0;
	}
	if (IS("landing")) {
		long before;

		if (!*a->ram)
			return -EBADF;
		before = attack_landed(a);
		usleep(300000);
		n = attack_landed(a) - before;
		say("attack: %d frames landed in 300 ms", n);
		return n ? 0 : -ENODEV;
	}
	if (IS("load"))
		return attack_load(arg, true, false);
	if (IS("load_forced"))
		return attack_load(arg, true, true);
	if (IS("load_only"))
		return attack_load(arg, false, false);
	if (IS("disarm"))
		return kstate("disarm");
	if (IS("leave"))
		return a->leave(n);
	if (IS("jump")) {
		klogctl(8, NULL, 7);
		say("vmm: jump");
		return jump_now();
	}
	if (IS("last")) {
		buf[0] = '\0';
		n = read_file("/sys/kernel/kstate/last_error", buf, sizeof(buf));
		buf[strcspn(buf, "\n")] = '\0';
		say("attack: last_error: %s", buf);
		return 0;
	}
	if (IS("streams") || IS("records") || IS("gate")) {
		snprintf(buf, sizeof(buf), "/sys/kernel/kstate/%s", step);
		if (read_file(buf, output, sizeof(output)) >= 0)
			say_output();
		return 0;
	}
	if (IS("free")) {
		write_file("/proc/sys/vm/drop_caches", "3");
		usleep(200000);
		say("attack: MemFree %ld KiB, Unevictable %ld, Shmem %ld", meminfo("MemFree"), meminfo("Unevictable"),
		    meminfo("Shmem"));
		return 0;
	}
	if (IS("wait"))
		return usleep(n * 1000);
	if (IS("pass"))
		guest_pass();
	if (IS("die"))
		kill(getpid(), SIGKILL);
	if (IS("alarm")) {	/* die after so many microseconds */
		struct itimerval timer = { .it_value = { 0, n } };

		return CALL(setitimer(ITIMER_REAL, &timer, NULL));
	}
	if (IS("exit"))
		_exit(0);
	guest_fail("no step %s", step);
#undef IS
#undef CALL
}

static inline void attack(struct attack *a, const char *moment)
{
	char name[32], *steps, *step, *end;
	const char *value;
	int is, want;

	snprintf(name, sizeof(name), "at.%s", moment);
	value = cmdline_value(name);
	if (!value)
		return;
	steps = strdup(value);
	say("attack: %s", moment);
	while ((step = strsep(&steps, "+"))) {
		char *how = strpbrk(step, "!~"), words[100], mode = how ? *how : '\0';

		want = mode == '!' ? -attack_errno(how + 1) : 0;
		if (how)
			*how = '\0';
		snprintf(words, sizeof(words), "%s", step);
		is = attack_one(a, step);
		end = is < 0 ? strerror(-is) : "ok";
		say("attack: %s: %s", words, end);
		if (mode != '~' && (want ? is != want : is < 0))
			guest_fail("attack: %s at %s: %s, not %s", words, moment, end, want ? strerror(-want) : "ok");
	}
}

#endif
