/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A disk with many reads in flight. Each block of 4 KiB of it begins and ends with its
 * own number.
 */
#ifndef DEMO_VM_NVME_H
#define DEMO_VM_NVME_H

#include "device.h"

#define NVME_CC			0x14
#define NVME_CC_VALUE		(1 | 6 << 16 | 4 << 20)
#define NVME_CSTS		0x1c
#define NVME_AQA		0x24
#define NVME_ASQ		0x28
#define NVME_ACQ		0x30
#define NVME_DOORBELL(q)	(0x1000 + 4 * (q))	/* 2n: submission, 2n + 1: completion */

#define NVME_ADMIN_ENTRIES	64
#define NVME_ENTRIES		1024
#define NVME_FLIGHT		512
#define NVME_BLOCK		4096

#define NVME_ADMIN		GUEST_NVME
#define NVME_ADMIN_DONE		(GUEST_NVME + 0x1000)
#define NVME_DONE		(GUEST_NVME + 0x2000)
#define NVME_QUEUE		(GUEST_NVME + 0x8000)
#define NVME_EXPECTED		(GUEST_NVME + 0x20000)	/* the block that each buffer is to get */
#define NVME_BUFFERS		(GUEST_NVME + 0x100000)

struct nvme_command {
	uint8_t opcode, flags;
	uint16_t id;
	uint32_t namespace;
	uint64_t unused[2];
	uint64_t memory[2];
	uint32_t arg[6];
};

struct nvme_completion {
	uint32_t result, unused;
	uint16_t head, queue, id, status;	/* the lowest bit turns with each round */
};

static inline void nvme_admin(const struct device *dev, uint8_t *ram, int n, struct nvme_command command)
{
	volatile struct nvme_completion *done = (void *)(ram + NVME_ADMIN_DONE);

	((struct nvme_command *)(ram + NVME_ADMIN))[n] = command;
	device_write(dev, NVME_DOORBELL(0), n + 1);
	for (int i = 0; !(done[n].status & 1); i++) {
		guest_check(i < 10000);
		usleep(1000);
	}
	guest_check(done[n].status == 1);
	device_write(dev, NVME_DOORBELL(1), n + 1);
}

static inline void nvme_wait_ready(const struct device *dev, uint32_t ready)
{
	for (int i = 0; (device_read(dev, NVME_CSTS) & 1) != ready; i++) {
		guest_check(i < 10000);
		usleep(1000);
	}
}

static inline void nvme_submit(struct device *dev, uint8_t *ram, uint16_t id)
{
	uint32_t block = dev->nvme->submitted++ % dev->nvme->blocks;
	uint64_t *buffer = (void *)(ram + NVME_BUFFERS + id * NVME_BLOCK);

	buffer[0] = buffer[NVME_BLOCK / 8 - 1] = ~0ULL;
	((uint32_t *)(ram + NVME_EXPECTED))[id] = block;
	((struct nvme_command *)(ram + NVME_QUEUE))[dev->state->tail] = (struct nvme_command) {
		.opcode = 2, .id = id, .namespace = 1,
		.memory = { NVME_BUFFERS + id * NVME_BLOCK },
		.arg = { block * (NVME_BLOCK / 512), 0, NVME_BLOCK / 512 - 1 },
	};
	dev->state->tail = (dev->state->tail + 1) % NVME_ENTRIES;
	device_write(dev, NVME_DOORBELL(2), dev->state->tail);
}

static inline void nvme_start(struct device *dev, uint8_t *ram, uint32_t blocks)
{
	guest_check(blocks >= NVME_FLIGHT);
	device_write(dev, NVME_CC, 0);
	nvme_wait_ready(dev, 0);
	device_write(dev, NVME_AQA, (NVME_ADMIN_ENTRIES - 1) << 16 | (NVME_ADMIN_ENTRIES - 1));
	device_write64(dev, NVME_ASQ, NVME_ADMIN);
	device_write64(dev, NVME_ACQ, NVME_ADMIN_DONE);
	device_write(dev, NVME_CC, NVME_CC_VALUE);
	nvme_wait_ready(dev, 1);
	nvme_admin(dev, ram, 0, (struct nvme_command) {
		.opcode = 5, .id = 1, .memory = { NVME_DONE },
		.arg = { (NVME_ENTRIES - 1) << 16 | 1, 1 },
	});
	nvme_admin(dev, ram, 1, (struct nvme_command) {
		.opcode = 1, .id = 2, .memory = { NVME_QUEUE },
		.arg = { (NVME_ENTRIES - 1) << 16 | 1, 1 << 16 | 1 },
	});
	*dev->nvme = (struct guest_nvme) {
		.queue = NVME_DONE, .entries = NVME_ENTRIES, .buffers = NVME_BUFFERS,
		.blocks = blocks,
	};
	for (int id = 0; id < NVME_FLIGHT; id++)
		nvme_submit(dev, ram, id);
}

/* Take what is done, and ask for as much again */
static inline void nvme_poll(struct device *dev, uint8_t *ram)
{
	volatile struct nvme_completion *queue = (void *)(ram + NVME_DONE);
	uint32_t head = dev->state->head, first = head;
	struct guest_nvme *nvme = dev->nvme;

	for (;; head++) {
		volatile struct nvme_completion *done = &queue[head % NVME_ENTRIES];
		uint64_t *buffer, block;

		if ((done->status & 1) == (head / NVME_ENTRIES & 1))
			break;
		nvme->failed += done->status > 1;
		guest_check(done->id < NVME_FLIGHT);
		buffer = (void *)(ram + NVME_BUFFERS + done->id * NVME_BLOCK);
		block = ((uint32_t *)(ram + NVME_EXPECTED))[done->id];
		nvme->wrong += buffer[0] != block || buffer[NVME_BLOCK / 8 - 1] != block;
		nvme->completed++;
		nvme_submit(dev, ram, done->id);
	}
	dev->state->head = head;
	if (head != first)
		device_write(dev, NVME_DOORBELL(3), head % NVME_ENTRIES);
}

static inline const char *nvme_changed(const struct device *dev)
{
	if (device_read(dev, NVME_CC) != NVME_CC_VALUE)
		return "CC";
	if ((device_read(dev, NVME_CSTS) & 3) != 1)
		return "CSTS";
	if (device_read(dev, NVME_ASQ) != NVME_ADMIN)
		return "ASQ";
	return NULL;
}

#endif
