/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A network card that receives into a ring for half a minute without anybody. */
#ifndef DEMO_VM_E1000E_H
#define DEMO_VM_E1000E_H

#include "device.h"
#include <sys/random.h>

#define E1000E_CTRL		0x0000
#define E1000E_CTRL_SLU		0x40
#define E1000E_IMS		0x00d0
#define E1000E_IMC		0x00d8
#define E1000E_EIAC		0x00dc
#define E1000E_IVAR		0x00e4
#define E1000E_RXQ0		(1 << 20)
#define E1000E_RCTL		0x0100
/* On; all addresses; buffers of 256 bytes; without the frame's checksum */
#define E1000E_RCTL_VALUE	(1 << 1 | 3 << 3 | 1 << 15 | 3 << 16 | 1 << 26)
#define E1000E_RDBAH		0x2804

static inline void e1000e_start(struct device *dev, uint8_t *ram, int index)
{
	struct guest_ring *ring = dev->ring;
	uint32_t *nonce = dev->state->nonce;
	struct {
		uint64_t address, rest;
	} *descriptors;

	*ring = (struct guest_ring) {
		.descriptors = GUEST_RINGS + index * RING_BYTES,
		.buffers = GUEST_BUFFERS + index * RING_ENTRIES * BUFFER_BYTES,
		.port = PORT_RINGS + index * PORT_SIZE,
		.nonce = GUEST_NONCES + index * sizeof(dev->state->nonce),
	};
	descriptors = (void *)(ram + ring->descriptors);
	for (int i = 0; i < RING_ENTRIES; i++)
		descriptors[i].address = ring->buffers + i * BUFFER_BYTES;

	guest_check(getrandom(nonce, sizeof(dev->state->nonce), GRND_INSECURE) ==
		    sizeof(dev->state->nonce));
	memcpy(ram + ring->nonce, nonce, sizeof(dev->state->nonce));
	for (int i = 0; i < NONCE_WORDS; i++)
		device_write(dev, E1000E_MTA + 4 * i, nonce[i]);

	device_write(dev, E1000E_CTRL, device_read(dev, E1000E_CTRL) | E1000E_CTRL_SLU);
	device_write(dev, E1000E_RDBAL, ring->descriptors);
	device_write(dev, E1000E_RDBAH, 0);
	device_write(dev, E1000E_RDLEN, RING_BYTES);
	device_write(dev, E1000E_RDH, 0);
	device_write(dev, E1000E_RDT, RING_ENTRIES - 1);
	device_write(dev, E1000E_IVAR, 1 << 3);
	device_write(dev, E1000E_EIAC, E1000E_RXQ0);
}

/* The device masks an interrupt that it sends */
static inline void e1000e_unmask(const struct device *dev)
{
	device_write(dev, E1000E_IMS, E1000E_RXQ0);
}

static inline void e1000e_go(const struct device *dev)
{
	device_write(dev, E1000E_RCTL, E1000E_RCTL_VALUE);
}

static inline void e1000e_mask(const struct device *dev)
{
	device_write(dev, E1000E_IMC, E1000E_RXQ0);
}

/* What is not as it was left; NULL when all is */
static inline const char *e1000e_changed(const struct device *dev)
{
	uint32_t ahead = device_read(dev, E1000E_RDH) - dev->ring->head;

	for (int i = 0; i < NONCE_WORDS; i++)
		if (device_read(dev, E1000E_MTA + 4 * i) != dev->state->nonce[i])
			return "nonce";
	if (device_read(dev, E1000E_RDBAL) != dev->ring->descriptors)
		return "RDBA";
	if (device_read(dev, E1000E_RDLEN) != RING_BYTES)
		return "RDLEN";
	if (device_read(dev, E1000E_RCTL) != E1000E_RCTL_VALUE)
		return "RCTL";
	if (ahead % RING_ENTRIES > RING_ENTRIES - 256)
		return "RDH";
	return NULL;
}

#endif
