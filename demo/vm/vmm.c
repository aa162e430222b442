// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A small VMM, whose VM outlives the host's kernel, and whose devices go on meanwhile.
 *
 * All is in one session of live update: the guest's memory, a memfd with a KSTATE stream
 * of what the VMM knows, and the devices. After a kexec, the VMM finds the session, and
 * does what it did at first, but for setting up what is there.
 *
 * Words of the kernel's command line:
 *	run=HEX		16 bytes by which the harness finds the guest's memory
 *	run_ms=N	how long the guest runs in each kernel; in the last one, until the
 *			harness has seen enough
 *	carry=memory	leave the devices out of the session
 *	gate=yes	arm the gate, which has to refuse
 *	blocks=N	blocks of the nvme disk
 * and for tests:
 *	map=HOW		map the memory otherwise (device.h)
 *	probe=yes	try what must be refused, and see that it is
 *	interrupts=on	first try to jump with interrupts on, which must be refused
 *	order=device	preserve the devices before the memory
 *	abandon=yes	leave the devices in the session, and see that they are stopped
 *	at.MOMENT=...	what else somebody does then (attack.h)
 *	boot=N		this is the kernel after N jumps, also if no VMM ran in one of them
 * /lines/N is the command line of the kernel after N jumps, with the path of its image as
 * the first word. Without it, the VMM is done.
 */
#include "liveupdate.h"
#include "e1000e.h"
#include "nvme.h"
#include "command.h"
#include "attack.h"
#include <linux/memfd.h>
#include <poll.h>
#include <sys/wait.h>

#define SESSION		"vm"
#define TOKEN_MEMORY	1
#define TOKEN_STATE	2
#define TOKEN_DEVICE	3		/* and the next ones */

#define STATE_BYTES	(256 << 10)

/* The stream in its memfd */
struct state_file {
	uint64_t size;
	uint8_t stream[STATE_BYTES - 8];
};

static struct vmm_state state;
static struct device devices[MAX_DEVICES];
static struct {
	int session, memory, state_fd, iommufd, kvm, vm, vcpu;
	uint32_t ioas;
	uint8_t *ram;
	struct guest_header *header;
	struct state_file *file;
	struct kvm_run *run;
	uint32_t selected[MAX_RINGS];
	bool interrupt;			/* is to be injected */
	bool carry;			/* devices are in the session */
	bool back;			/* this is not the first kernel */
	unsigned int late;		/* times that frames were there, and no interrupt */
} vmm;

static const uint32_t msrs[] = {
	0x10 /* TSC */, 0x174, 0x175, 0x176 /* SYSENTER */, 0x277 /* PAT */,
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084 /* SYSCALL */, 0xc0000102 /* KERNEL_GS_BASE */,
};

static int leave(bool listen);

static struct attack attacker = {
	.session = &vmm.session, .memory = &vmm.memory, .state = &vmm.state_fd, .iommufd = &vmm.iommufd,
	.ioas = &vmm.ioas, .leave = leave, .devices = devices, .vmm = &state, .ram = &vmm.ram, .other = -1, .extra = -1,
};

static void at(const char *moment)
{
	attack(&attacker, moment);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void vcpu_call(unsigned long request, void *arg, const char *what)
{
	if (ioctl(vmm.vcpu, request, arg) < 0)
		guest_fail("%s: %s", what, strerror(errno));
}

#define VCPU(_request, _arg)	vcpu_call(_request, _arg, #_request)

/* Memory that is kept: as large as it will be, and all of it there */
static int kept_memfd(const char *name, size_t size)
{
	int fd = memfd_create(name, MFD_ALLOW_SEALING | MFD_CLOEXEC);

	guest_check(fd >= 0 && !fallocate(fd, 0, 0, size));
	guest_check(!fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_GROW | F_SEAL_SHRINK));
	return fd;
}

static void *map_memfd(int fd, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

	guest_check(memory != MAP_FAILED);
	return memory;
}

static void map_all(void)
{
	vmm.ram = map_memfd(vmm.memory, GUEST_BYTES);
	vmm.header = (void *)vmm.ram;
	vmm.file = map_memfd(vmm.state_fd, STATE_BYTES);
}

/* KVM */

static void vm_create(void)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_BYTES, .userspace_addr = (uintptr_t)vmm.ram,
	};

	vmm.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	guest_check(vmm.kvm >= 0);
	vmm.vm = ioctl(vmm.kvm, KVM_CREATE_VM, 0);
	guest_check(vmm.vm >= 0);
	guest_check(!ioctl(vmm.vm, KVM_SET_USER_MEMORY_REGION, &region));
	vmm.vcpu = ioctl(vmm.vm, KVM_CREATE_VCPU, 0);
	guest_check(vmm.vcpu >= 0);
	vmm.run = mmap(NULL, ioctl(vmm.kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		       MAP_SHARED, vmm.vcpu, 0);
	guest_check(vmm.run != MAP_FAILED);
}

static union {
	struct kvm_msrs list;
	uint8_t room[sizeof(struct kvm_msrs) + MAX_MSRS * sizeof(struct kvm_msr_entry)];
} msr_buffer;

static union {
	struct kvm_cpuid2 list;
	uint8_t room[sizeof(struct kvm_cpuid2) + MAX_CPUID * sizeof(struct kvm_cpuid_entry2)];
} cpuid_buffer;

static void vcpu_set_cpuid(struct vcpu *v)
{
	cpuid_buffer.list.nent = v->nr_cpuid;
	memcpy(cpuid_buffer.list.entries, v->cpuid, v->nr_cpuid * sizeof(v->cpuid[0]));
	VCPU(KVM_SET_CPUID2, &cpuid_buffer);
}

/* 32 bits without paging, as the guest expects it */
static void vcpu_start(struct vcpu *v)
{
	struct kvm_segment data = {
		.limit = ~0U, .selector = 0x10, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1,
	};

	cpuid_buffer.list.nent = MAX_CPUID;
	guest_check(!ioctl(vmm.kvm, KVM_GET_SUPPORTED_CPUID, &cpuid_buffer));
	v->nr_cpuid = cpuid_buffer.list.nent;
	memcpy(v->cpuid, cpuid_buffer.list.entries, v->nr_cpuid * sizeof(v->cpuid[0]));
	vcpu_set_cpuid(v);

	VCPU(KVM_GET_SREGS, &v->sregs);
	v->sregs.ds = v->sregs.es = v->sregs.fs = v->sregs.gs = v->sregs.ss = data;
	data.type = 11;
	data.selector = 8;
	v->sregs.cs = data;
	v->sregs.cr0 |= 1;		/* PE */
	v->sregs.cr4 |= 1 << 9;		/* OSFXSR */
	VCPU(KVM_SET_SREGS, &v->sregs);
	v->regs = (struct kvm_regs) { .rip = GUEST_CODE, .rflags = 2 };
	VCPU(KVM_SET_REGS, &v->regs);
}

static void vcpu_save(struct vcpu *v)
{
	VCPU(KVM_GET_REGS, &v->regs);
	VCPU(KVM_GET_SREGS, &v->sregs);
	VCPU(KVM_GET_XCRS, &v->xcrs);
	VCPU(KVM_GET_XSAVE, &v->xsave);
	VCPU(KVM_GET_VCPU_EVENTS, &v->events);
	VCPU(KVM_GET_MP_STATE, &v->mp_state);
	VCPU(KVM_GET_DEBUGREGS, &v->debugregs);
	v->nr_msrs = msr_buffer.list.nmsrs = ARRAY_LENGTH(msrs);
	for (size_t i = 0; i < ARRAY_LENGTH(msrs); i++)
		msr_buffer.list.entries[i].index = msrs[i];
	VCPU(KVM_GET_MSRS, &msr_buffer);
	memcpy(v->msrs, msr_buffer.list.entries, sizeof(v->msrs));
}

static void vcpu_restore(struct vcpu *v)
{
	vcpu_set_cpuid(v);
	VCPU(KVM_SET_SREGS, &v->sregs);
	VCPU(KVM_SET_REGS, &v->regs);
	VCPU(KVM_SET_XCRS, &v->xcrs);
	VCPU(KVM_SET_XSAVE, &v->xsave);
	msr_buffer.list.nmsrs = v->nr_msrs;
	memcpy(msr_buffer.list.entries, v->msrs, sizeof(v->msrs));
	VCPU(KVM_SET_MSRS, &msr_buffer);
	VCPU(KVM_SET_DEBUGREGS, &v->debugregs);
	VCPU(KVM_SET_VCPU_EVENTS, &v->events);
	VCPU(KVM_SET_MP_STATE, &v->mp_state);
}

/* Devices */

/* Which one is what for the guest; tells of the others */
static void devices_assign(void)
{
	int rings = 0;

	for (unsigned int i = 0; i < state.nr_devices; i++) {
		struct device *dev = &devices[i];

		if (dev->class == CLASS_NVME)
			dev->nvme = &vmm.header->nvme;
		else if (dev->class == CLASS_ETHERNET && rings < MAX_RINGS)
			dev->ring = &vmm.header->ring[rings++];
		else
			guest_fail("no use for device %s of class %#x", dev->state->address, dev->class);
	}
	vmm.header->rings = rings;
}

static void devices_start(void)
{
	for (unsigned int i = 0; i < state.nr_devices; i++) {
		struct device *dev = &devices[i];

		guest_ok(device_enable(dev));
		if (dev->ring)
			e1000e_start(dev, vmm.ram, dev->ring - vmm.header->ring);
		else
			nvme_start(dev, vmm.ram, cmdline_number("blocks", 0));
	}
}

static const char *device_changed(const struct device *dev)
{
	if (!(device_command(dev) & PCI_COMMAND_MASTER))
		return "bus mastering";
	return dev->ring ? e1000e_changed(dev) : nvme_changed(dev);
}

static void devices_compare(void)
{
	for (unsigned int i = 0; i < state.nr_devices; i++) {
		const char *changed = device_changed(&devices[i]);

		say("vmm: device %s %s%s", devices[i].state->address,
		    changed ? "CHANGED " : "as it was left", changed ? changed : "");
		if (changed)
			guest_ok(device_enable(&devices[i]));
	}
}

/* A device has its tables before the VMM looks at it, and is looked at before the guest does */
static void devices_attach(void)
{
	uint32_t hwpt = 0, id = 0;
	int err;

	vmm.iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	guest_check(vmm.iommufd >= 0);
	guest_ok(iommu_map(vmm.iommufd, vmm.memory, cmdline_value("map"), &vmm.ioas));
	for (unsigned int i = 0; i < state.nr_devices; i++) {
		guest_ok(device_bind(&devices[i], vmm.iommufd, &id));
		attacker.id[i] = id;
		at("bound");
		if (!hwpt)
			guest_ok(iommu_tables(vmm.iommufd, vmm.ioas, id, &hwpt));
		attacker.hwpt = hwpt;
		at("tables");
		err = device_attach(&devices[i], hwpt);
		if (err)
			guest_fail("attach device %s: %s", devices[i].state->address, strerror(-err));
	}
	say("vmm: attached");
	at("attached");
	devices_assign();
}

static void devices_listen(bool on)
{
	for (unsigned int i = 0; i < state.nr_devices; i++)
		if (devices[i].ring)
			guest_ok(device_interrupts(&devices[i], on));
}

static void devices_mask(void (*mask)(const struct device *dev))
{
	for (unsigned int i = 0; i < state.nr_devices; i++)
		if (devices[i].ring)
			mask(&devices[i]);
}

/* Whether an interrupt came, waiting at most so long */
static bool devices_wait(int timeout)
{
	struct pollfd polls[MAX_DEVICES];
	bool came = false;
	uint64_t count;

	for (unsigned int i = 0; i < state.nr_devices; i++)
		polls[i] = (struct pollfd) { .fd = devices[i].interrupt, .events = POLLIN };
	poll(polls, state.nr_devices, timeout);
	for (unsigned int i = 0; i < state.nr_devices; i++) {
		if (polls[i].revents & POLLIN && read(polls[i].fd, &count, sizeof(count)) > 0) {
			state.interrupts += count;
			came = true;
		}
	}
	return came;
}

static bool frames_wait(void)
{
	for (uint32_t i = 0; i < vmm.header->rings; i++) {
		struct guest_ring *ring = &vmm.header->ring[i];

		if (vmm.ram[ring->descriptors + 16 * ring->head + 12] & 1)
			return true;
	}
	return false;
}

/* The guest */

static void guest_port(void)
{
	uint32_t *value = (void *)((uint8_t *)vmm.run + vmm.run->io.data_offset);
	uint32_t port = vmm.run->io.port - PORT_RINGS, ring = port / PORT_SIZE;
	struct device *dev = NULL;

#if GENERATION >= 2
	state.port_exits++;
#endif
	for (unsigned int i = 0; i < state.nr_devices && ring < MAX_RINGS; i++)
		if (devices[i].ring == &vmm.header->ring[ring])
			dev = &devices[i];
	guest_check(dev && vmm.run->io.size == 4 && vmm.run->io.count == 1);
	switch (port % PORT_SIZE) {
	case PORT_SELECT:
		vmm.selected[ring] = *value;
		break;
	case PORT_READ:
		*value = device_read(dev, vmm.selected[ring]);
		break;
	case PORT_TAIL:
		device_write(dev, E1000E_RDT, *value);
		break;
	default:
		guest_fail("the guest uses port %#x", vmm.run->io.port);
	}
}

/* Until the guest waits for an interrupt */
static void guest_run(void)
{
	do {
		if (vmm.interrupt && vmm.run->ready_for_interrupt_injection) {
			VCPU(KVM_INTERRUPT, &(struct kvm_interrupt) { .irq = INTERRUPT_VECTOR });
			vmm.interrupt = false;
			state.injected++;
		}
		vmm.run->request_interrupt_window = vmm.interrupt;
		if (ioctl(vmm.vcpu, KVM_RUN, 0))
			guest_check(errno == EINTR);
		else if (vmm.run->exit_reason == KVM_EXIT_IO)
			guest_port();
		else if (vmm.run->exit_reason != KVM_EXIT_HLT &&
			 vmm.run->exit_reason != KVM_EXIT_IRQ_WINDOW_OPEN)
			guest_fail("the guest ended: %u", vmm.run->exit_reason);
	} while (vmm.run->exit_reason != KVM_EXIT_HLT);
}

/* Run until that time; it waits for an interrupt then */
static void guest_run_until(long end)
{
	long heard = now_ms(), now = heard;

	while (now < end) {
		for (unsigned int i = 0; i < state.nr_devices; i++)
			if (devices[i].nvme)
				nvme_poll(&devices[i], vmm.ram);
		if (!vmm.interrupt)
			vmm.interrupt = devices_wait(10);
		now = now_ms();
		if (vmm.interrupt) {
			heard = now;
			guest_run();
			/* Not one interrupt for each frame */
			usleep(4000);
			devices_mask(e1000e_unmask);
		} else if (now - heard > 1000) {
			if (frames_wait()) {
				vmm.late++;
				vmm.interrupt = true;
			}
			heard = now;
		}
	}
}

/* Where the guest's pages are in the host's memory, for who looks at it from outside */
static void guest_write_map(void)
{
	uint64_t *map = (void *)(vmm.ram + GUEST_MAP);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t bytes = GUEST_BYTES / 4096 * 8;

	guest_check(fd >= 0);
	guest_check(pread(fd, map, bytes, (uintptr_t)vmm.ram / 4096 * 8) == (ssize_t)bytes);
	close(fd);
	for (size_t i = 0; i < GUEST_BYTES / 4096; i++)
		map[i] = (map[i] & ((1ULL << 55) - 1)) << 12;
	memcpy(vmm.header->map, map + GUEST_MAP / 4096, sizeof(vmm.header->map));
}

static void guest_write(void)
{
	extern const uint8_t guest_code[], guest_code_end[];
	const char *run = cmdline_value("run");

	memcpy(vmm.ram + GUEST_CODE, guest_code, guest_code_end - guest_code);
	guest_write_map();
	for (int i = 0; run && i < 16; i++)
		sscanf(run + 2 * i, "%2hhx", &vmm.header->run[i]);
}

/* With the magic number, all of it is there */
static void guest_show(void)
{
	memcpy(vmm.header->magic, "KSTATEVM", 8);
}

/* The way over */

/* Nobody else gets a device that waits for its session */
static void probe_open(const char *address)
{
	struct device dev = { .fd = device_open(address) };
	int iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	uint32_t id;

	if (dev.fd >= 0 && !device_bind(&dev, iommufd, &id))
		guest_fail("device %s: somebody else could open it", address);
	close(dev.fd);
	close(iommufd);
}

/* A session that ends without its devices has stopped them */
static void abandon(void)
{
	uint32_t id;

	guest_ok(luo_try_finish(vmm.session));
	vmm.iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	for (unsigned int i = 0; i < state.nr_devices; i++) {
		devices[i].fd = device_open(state.devices[i].address);
		guest_ok(devices[i].fd);
		guest_ok(device_bind(&devices[i], vmm.iommufd, &id));
		if (device_command(&devices[i]) & PCI_COMMAND_MASTER)
			guest_fail("device %s goes on", state.devices[i].address);
	}
	guest_pass();
}

/* What restoring took, in all: it is gone when the session is finished */
static void say_kstate_time(void)
{
	static char text[1 << 16];
	unsigned long long ns, sum = 0;
	char *line, *at;

	guest_ok(read_file("/sys/kernel/kstate/streams", text, sizeof(text)));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		at = strstr(line, " ns=");
		if (!strncmp(line, "in ", 3) && at && sscanf(at, " ns=%llu", &ns) == 1)
			sum += ns;
	}
	say("vmm: KSTATE restored in ns=%llu", sum);
}

static void resume(void)
{
	long size;

	at("session");
	vmm.memory = luo_try_retrieve(vmm.session, TOKEN_MEMORY);
	guest_ok(vmm.memory);
	vmm.state_fd = luo_try_retrieve(vmm.session, TOKEN_STATE);
	guest_ok(vmm.state_fd);
	map_all();
	guest_check(vmm.file->size <= sizeof(vmm.file->stream));
	size = state_restore(&state, vmm.file->stream, vmm.file->size);
	guest_ok(size);
	if (cmdline_value("boot"))
		state.jumps = cmdline_number("boot", 0);
	at("memory");
	if (cmdline_value("abandon"))
		abandon();
	for (unsigned int i = 0; i < state.nr_devices; i++) {
		devices[i].state = &state.devices[i];
		if (cmdline_value("probe"))
			probe_open(state.devices[i].address);
		devices[i].fd = vmm.carry ? luo_try_retrieve(vmm.session, TOKEN_DEVICE + i) :
					    device_open(state.devices[i].address);
		if (devices[i].fd < 0)
			guest_fail("device %s: %s", state.devices[i].address, strerror(-devices[i].fd));
	}
	say("vmm: retrieved, %ld bytes of state", size);
	at("retrieved");
	devices_attach();
	devices_compare();
	vm_create();
	vcpu_restore(&state.vcpu);
}

static void begin(void)
{
	vmm.memory = kept_memfd("memory", GUEST_BYTES);
	vmm.state_fd = kept_memfd("state", STATE_BYTES);
	map_all();
	guest_ok(device_list(&state));
	guest_check(state.nr_devices);
	for (unsigned int i = 0; i < state.nr_devices; i++) {
		devices[i].state = &state.devices[i];
		devices[i].fd = device_open(state.devices[i].address);
		guest_ok(devices[i].fd);
	}
	devices_attach();
	guest_write();
	devices_start();
	vm_create();
	vcpu_start(&state.vcpu);
}

/* The next kernel's command line and image; NULL when there is none */
static char *next_line(void)
{
	static char line[2048];
	char path[32];
	ssize_t err;

	snprintf(path, sizeof(path), "/lines/%u", (unsigned int)state.jumps + 1);
	err = read_file(path, line, sizeof(line));
	if (err == -ENOENT)
		return NULL;
	guest_ok(err);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* No device is left to a kernel of which nothing is known */
static int load_and_arm(const char *image, const char *words)
{
	int err = kexec_into(image, NULL, words);

	if (err)
		guest_fail("kexec_file_load of %s: %s", image, strerror(-err));
	err = kstate("arm", image);
	if (err >= 3) {
		say_output();
		guest_fail("kstate arm %s: status %d", image, err);
	}
	return 0;
}

/* Load the next kernel while the guest runs */
static void load_next(char *line)
{
	char *words = strchr(line, ' ');
	int status;
	pid_t child;

	guest_check(words);
	*words = '\0';
	child = fork();
	guest_check(child >= 0);
	if (!child)
		_exit(load_and_arm(line, words + 1));
	while (!waitpid(child, &status, WNOHANG))
		guest_run_until(now_ms() + 20);
	guest_check(!status);
}

static void preserve_devices(void)
{
	for (unsigned int i = 0; vmm.carry && i < state.nr_devices; i++) {
		int err = luo_try_preserve(vmm.session, devices[i].fd, TOKEN_DEVICE + i);

		if (err)
			guest_fail("preserve device %s: %s", state.devices[i].address, strerror(-err));
	}
}

static void preserve(void)
{
	vmm.session = luo_open_session(LUO_CREATE_SESSION, SESSION);
	guest_ok(vmm.session);
	at("created");
	if (cmdline_value("order"))
		preserve_devices();
	guest_ok(luo_try_preserve(vmm.session, vmm.memory, TOKEN_MEMORY));
	guest_ok(luo_try_preserve(vmm.session, vmm.state_fd, TOKEN_STATE));
	at("half");
	preserve_devices();
	if (cmdline_value("probe"))
		guest_check(iommu_map_part(vmm.iommufd, vmm.ioas, vmm.memory, GUEST_BYTES, 0, 4096) == -EBUSY);
	say("vmm: preserved");
	at("preserved");
}

/*
 * Counts as they are while the guest waits. That its time goes back is no fault of ours: KVM
 * does that when the host takes its own time-stamp counter for unstable, as emulated ones may be.
 */
static bool report(const char *when)
{
	struct guest_header *h = vmm.header;
	uint64_t sum = 0;
	bool good = !h->lost && !vmm.late && h->interrupts == state.injected;

	for (uint32_t i = 0; i < h->rings; i++) {
		struct guest_ring *r = &h->ring[i];

		say("vmm: %s: ring %u seen %u gaps %u bad %u resets %u checks %u", when, i, r->seen,
		    r->gaps, r->bad, r->resets, r->checks);
		sum += r->seen * (r->seen - 1ULL) / 2;
		good = good && !r->gaps && !r->bad && !r->resets;
	}
	if (h->nvme.entries) {
		say("vmm: %s: nvme completed %u failed %u wrong %u", when, h->nvme.completed,
		    h->nvme.failed, h->nvme.wrong);
		good = good && !h->nvme.failed && !h->nvme.wrong;
	}
	say("vmm: %s: interrupts %u injected %llu from devices %llu late %u lost %u sum %s back %u %lld", when,
	    h->interrupts, (unsigned long long)state.injected, (unsigned long long)state.interrupts,
	    vmm.late, h->lost, h->sum == sum ? "right" : "WRONG", h->back, (long long)h->back_by);
	return good && h->sum == sum;
}

/* Returns only if the kernel refuses */
static int leave(bool listen)
{
	long size;
	int err;

	say("vmm: freeze");
	devices_mask(e1000e_mask);
	vcpu_save(&state.vcpu);
	/* Until the device's timer has run out: QEMU (7.2) ends if MSI-X is off by then */
	usleep(1000);
	devices_listen(listen);
	state.jumps++;
	size = state_save(&state, vmm.file->stream, sizeof(vmm.file->stream));
	guest_ok(size);
	vmm.file->size = size;
	/* So that the kernel says on the console what saving took */
	klogctl(8 /* SYSLOG_ACTION_CONSOLE_LEVEL */, NULL, 7);
	say("vmm: jump");
	err = jump_now();
	state.jumps--;
	return err;
}

/* What was handed over is this kernel's, or has been freed */
static void check_nothing_left(void)
{
	static const char *const states[] = { "memfd", "iommufd", "vfio_pci", "vtd_", "pci_dev" };
	static char records[1 << 16];

	guest_ok(read_file(KSTATE_SYS "records", records, sizeof(records)));
	for (char *line = strtok(records, "\n"); line; line = strtok(NULL, "\n"))
		for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
			if (strstr(line, states[i]) && !strstr(line, " claimed "))
				guest_fail("there is a record left: %s", line);
}

/* The target cannot take all of this: neither live, nor at the jump; and the guest goes on */
static void gate_refuses(const char *image)
{
	guest_check(kstate("arm", image) == 3);
	say_output();
	guest_check(leave(false) == -EPROTO);
	say("vmm: the jump was refused, as it should be");
	devices_listen(true);
	devices_mask(e1000e_unmask);
	vmm.interrupt = true;
}

int main(int argc, char **argv)
{
	const char *carry = cmdline_value("carry");
	long start, run_ms = cmdline_number("run_ms", 3000);
	bool good;
	char *line;

	if (argc > 1) {
		at(argv[1]);
		guest_pass();
	}
	at("start");
	vmm.carry = !carry || strcmp(carry, "memory");
	vmm.session = luo_open_session(LUO_RETRIEVE_SESSION, SESSION);
	vmm.back = vmm.session >= 0;
	if (vmm.back)
		resume();
	else if (vmm.session == -ENOENT)
		begin();
	else
		guest_ok(vmm.session);
	devices_listen(true);
	devices_mask(e1000e_unmask);
	/* One that came in between is not lost, one too many does no harm */
	vmm.interrupt = true;
	guest_run();
	start = now_ms();
	vmm.header->kernels = state.jumps + 1;
	if (vmm.back) {
		say("vmm: resumed, generation %d", GENERATION);
		say_kstate_time();
		at("resumed");
		guest_ok(luo_try_finish(vmm.session));
		close(vmm.session);
		say("vmm: finished, %ld KiB in use", meminfo("MemTotal") - meminfo("MemFree"));
		check_nothing_left();
		at("finished");
	} else {
		for (unsigned int i = 0; i < state.nr_devices; i++)
			if (devices[i].ring)
				e1000e_go(&devices[i]);
		guest_show();
		say("vmm: running, generation %d", GENERATION);
	}

	guest_run_until(start + run_ms);
	line = next_line();
	if (line) {
		load_next(line);
		at("loaded");
		preserve();
		guest_run_until(now_ms() + 100);
		if (cmdline_value("interrupts")) {
			guest_check(leave(true) == -EBUSY);
			say("vmm: refused as it should be");
			devices_mask(e1000e_unmask);
			guest_run_until(now_ms() + 500);
		}
		if (cmdline_value("gate")) {
			gate_refuses(line);
			guest_run_until(now_ms() + 1000);
			if (report("refused"))
				guest_pass();
		}
		if (cmdline_value("at.refused")) {
			say("vmm: kexec: %s", strerror(-leave(false)));
			at("refused");
			devices_listen(true);
			devices_mask(e1000e_unmask);
			vmm.interrupt = true;
			guest_run_until(now_ms() + 1000);
		}
		guest_fail("the jump was refused: %s", strerror(-leave(false)));
	}
	for (int i = 0; i < 1000 && !vmm.header->stop; i++)
		guest_run_until(now_ms() + 100);
	good = report("end");
	if (good)
		guest_pass();
	guest_fail("the guest saw something wrong");
}
