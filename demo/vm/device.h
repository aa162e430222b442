/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Devices that the VM has: VFIO and iommufd. The headers of hosts are older than
 * iommufd and than VFIO's devices without groups.
 */
#ifndef DEMO_VM_DEVICE_H
#define DEMO_VM_DEVICE_H

#include "guest.h"
#include "state.h"
#include <dirent.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

struct bind_iommufd {
	uint32_t argsz, flags;
	int32_t iommufd;
	uint32_t out_devid;
};

struct attach_iommufd_pt {
	uint32_t argsz, flags, pt_id;
};

struct ioas_alloc {
	uint32_t size, flags, out_ioas_id;
};

struct ioas_map_file {
	uint32_t size, flags, ioas_id;
	int32_t fd;
	uint64_t start, length, iova;
};

struct hwpt_alloc {
	uint32_t size, flags, dev_id, pt_id, out_hwpt_id, reserved, data_type, data_len;
	uint64_t data;
};

#define BIND_IOMMUFD		_IO(VFIO_TYPE, VFIO_BASE + 18)
#define ATTACH_IOMMUFD_PT	_IO(VFIO_TYPE, VFIO_BASE + 19)
#define IOAS_ALLOC		_IO(';', 0x81)
#define IOAS_MAP_FILE		_IO(';', 0x8f)
#define HWPT_ALLOC		_IO(';', 0x89)
#define MAP_FIXED_READ_WRITE	(1 | 2 | 4)

#define CLASS_ETHERNET		0x020000
#define CLASS_NVME		0x010802

#define PCI_DEVICES		"/sys/bus/pci/devices/"

struct device {
	struct device_state *state;
	uint32_t class;
	int fd;
	int interrupt;			/* an eventfd */
	off_t config;
	volatile uint8_t *bar;
	struct guest_ring *ring;	/* of a network card */
	struct guest_nvme *nvme;
};

static inline uint32_t device_read(const struct device *dev, uint32_t reg)
{
	return *(volatile uint32_t *)(dev->bar + reg);
}

static inline void device_write(const struct device *dev, uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(dev->bar + reg) = value;
}

static inline void device_write64(const struct device *dev, uint32_t reg, uint64_t value)
{
	device_write(dev, reg, value);
	device_write(dev, reg + 4, value >> 32);
}

/* The PCI addresses of what vfio-pci has, in order */
static inline int device_list(struct vmm_state *state)
{
	struct dirent **names;
	int n = scandir("/sys/bus/pci/drivers/vfio-pci", &names, NULL, alphasort);

	for (int i = 0; i < n && state->nr_devices < MAX_DEVICES; i++)
		if (strchr(names[i]->d_name, ':'))
			snprintf(state->devices[state->nr_devices++].address,
				 sizeof(state->devices[0].address), "%.15s", names[i]->d_name);
	return n < 0 ? -errno : 0;
}

static inline int device_open(const char *address)
{
	char path[300];
	struct dirent **names;
	int n;

	snprintf(path, sizeof(path), PCI_DEVICES "%s/vfio-dev", address);
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (strncmp(names[i]->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", names[i]->d_name);
		n = open(path, O_RDWR | O_CLOEXEC);
		return n < 0 ? -errno : n;
	}
	return -ENODEV;
}

static inline uint16_t device_command(const struct device *dev)
{
	uint16_t command = 0;

	pread(dev->fd, &command, sizeof(command), dev->config + PCI_COMMAND);
	return command;
}

/* Interrupts of the device come to dev->interrupt, or, with on = false, not at all */
static inline int device_interrupts(struct device *dev, bool on)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} arg = {
		.set = {
			.argsz = on ? sizeof(arg) : sizeof(arg.set),
			.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
				 (on ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE),
			.index = VFIO_PCI_MSIX_IRQ_INDEX,
			.count = on,
		},
		.fd = dev->interrupt,
	};

	return ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, &arg) ? -errno : 0;
}

static inline uint64_t device_region(const struct device *dev, uint32_t index, uint64_t *size)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	guest_check(!ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info));
	*size = info.size;
	return info.offset;
}

/* From here on the device may be looked at */
static inline int device_bind(struct device *dev, int iommufd, uint32_t *id)
{
	struct bind_iommufd arg = { .argsz = sizeof(arg), .iommufd = iommufd };
	uint64_t size, offset;

	if (ioctl(dev->fd, BIND_IOMMUFD, &arg))
		return -errno;
	*id = arg.out_devid;
	dev->config = device_region(dev, VFIO_PCI_CONFIG_REGION_INDEX, &size);
	pread(dev->fd, &dev->class, sizeof(dev->class), dev->config + PCI_CLASS_REVISION);
	dev->class >>= 8;
	offset = device_region(dev, VFIO_PCI_BAR0_REGION_INDEX, &size);
	dev->bar = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, offset);
	if (dev->bar == MAP_FAILED)
		return -errno;
	dev->interrupt = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return dev->interrupt < 0 ? -errno : 0;
}

static inline int device_attach(const struct device *dev, uint32_t hwpt)
{
	struct attach_iommufd_pt arg = { .argsz = sizeof(arg), .pt_id = hwpt };

	return ioctl(dev->fd, ATTACH_IOMMUFD_PT, &arg) ? -errno : 0;
}

static inline int device_enable(const struct device *dev)
{
	uint16_t command = device_command(dev) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	ssize_t n = pwrite(dev->fd, &command, sizeof(command), dev->config + PCI_COMMAND);

	return n == sizeof(command) ? 0 : -EIO;
}

static inline int iommu_map_part(int iommufd, uint32_t ioas, int memory, uint64_t iova, uint64_t start,
				 uint64_t length)
{
	struct ioas_map_file map = {
		.size = sizeof(map), .flags = MAP_FIXED_READ_WRITE, .ioas_id = ioas, .fd = memory,
		.start = start, .length = length, .iova = iova,
	};

	return ioctl(iommufd, IOAS_MAP_FILE, &map) ? -errno : 0;
}

/*
 * The guest's memory as the devices see it: at the guest's own addresses. For tests, @how
 * leaves something out, or has it elsewhere.
 */
static inline int iommu_map(int iommufd, int memory, const char *how, uint32_t *ioas)
{
	struct ioas_alloc alloc = { .size = sizeof(alloc) };
	uint64_t half = GUEST_BYTES / 2;
	int err;

	if (ioctl(iommufd, IOAS_ALLOC, &alloc))
		return -errno;
	*ioas = alloc.out_ioas_id;
	if (how && !strcmp(how, "less"))
		return iommu_map_part(iommufd, *ioas, memory, 0, 0, GUEST_BYTES - 4096);
	if (how && !strcmp(how, "swapped")) {
		err = iommu_map_part(iommufd, *ioas, memory, 0, half, half);
		return err ? err : iommu_map_part(iommufd, *ioas, memory, half, 0, half);
	}
	return iommu_map_part(iommufd, *ioas, memory, 0, 0, GUEST_BYTES);
}

/* Tables that are full before a device has them */
static inline int iommu_tables(int iommufd, uint32_t ioas, uint32_t device, uint32_t *hwpt)
{
	struct hwpt_alloc alloc = { .size = sizeof(alloc), .dev_id = device, .pt_id = ioas };

	if (ioctl(iommufd, HWPT_ALLOC, &alloc))
		return -errno;
	*hwpt = alloc.out_hwpt_id;
	return 0;
}

#endif
