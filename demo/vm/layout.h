/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where things are in the guest's memory: the VMM, the guest and the harness
 * (tests/device/observer.py, which finds the first page by its magic number) agree on it.
 */
#ifndef DEMO_VM_LAYOUT_H
#define DEMO_VM_LAYOUT_H

#define GUEST_BYTES		0x2000000
#define GUEST_MAP		0x1000		/* where each page is in the host's memory */
#define GUEST_CODE		0x20000		/* and the stack below it */
#define GUEST_NONCES		0x30000		/* what the device's multicast table holds */
#define GUEST_RINGS		0x100000
#define GUEST_BUFFERS		0x800000
#define GUEST_NVME		0x1800000

#define MAX_RINGS		2
#define RING_ENTRIES		32768
#define RING_BYTES		(RING_ENTRIES * 16)
#define BUFFER_BYTES		256
#define FRAME_BYTES		128
#define FRAME_SEQ		16
#define FRAME_PATTERN		32
#define PATTERN_FACTOR		0x9e3779b1
#define NONCE_WORDS		128

/* The first page */
#define HEADER_RUN		0x08
#define HEADER_RINGS		0x18		/* how many */
#define HEADER_INTERRUPTS	0x1c		/* that the guest got */
#define HEADER_LOST		0x20		/* times that a register was not what it was */
#define HEADER_BACK		0x24		/* times that the time-stamp counter went back */
#define HEADER_SUM		0x28		/* of all numbers of frames, kept in %xmm7 */
#define HEADER_TSC		0x30
#define HEADER_STOP		0x38		/* whoever looks from outside has seen enough */
#define HEADER_KERNELS		0x3c
#define HEADER_NVME		0x40
#define HEADER_BY		0x60		/* how far, the last time */
#define HEADER_RING		0x80
#define HEADER_MAP		0x100		/* where the pages of GUEST_MAP are */

/* Of each ring, there */
#define RING_DESCRIPTORS	0x00
#define RING_BUFFERS		0x04
#define RING_HEAD		0x08		/* the next one to look at */
#define RING_SEEN		0x0c		/* the number that the next frame has */
#define RING_GAPS		0x10
#define RING_BAD		0x14		/* frames with other bytes */
#define RING_RESETS		0x18		/* times that the device was not as it was left */
#define RING_CHECKS		0x1c
#define RING_PORT		0x20
#define RING_NONCE		0x24
#define RING_SIZE		0x40

/* Ports of the VMM, which reads and writes the device's registers for the guest */
#define PORT_RINGS		0x100
#define PORT_SELECT		0
#define PORT_READ		4
#define PORT_TAIL		8
#define PORT_SIZE		0x10

#define INTERRUPT_VECTOR	32

#define E1000E_RDBAL		0x2800
#define E1000E_RDLEN		0x2808
#define E1000E_RDH		0x2810
#define E1000E_RDT		0x2818
#define E1000E_MTA		0x5200

#ifndef __ASSEMBLER__
#include <stdint.h>

struct guest_ring {
	uint32_t descriptors, buffers, head, seen, gaps, bad, resets, checks, port, nonce;
	uint32_t unused[6];
};

struct guest_nvme {
	uint32_t submitted, completed, failed, wrong;
	uint32_t queue, entries, buffers, blocks;
};

struct guest_header {
	char magic[8];
	uint8_t run[16];
	uint32_t rings, interrupts, lost, back;
	uint64_t sum, tsc;
	uint32_t stop, kernels;	/* kernels that the guest has run under */
	struct guest_nvme nvme;
	int64_t back_by;
	uint64_t unused[3];
	struct guest_ring ring[MAX_RINGS];
	uint64_t map[GUEST_BYTES / 4096 * 8 / 4096];
};

_Static_assert(sizeof(struct guest_ring) == RING_SIZE, "as the guest has it");
_Static_assert(__builtin_offsetof(struct guest_header, ring) == HEADER_RING, "as the guest has it");
_Static_assert(__builtin_offsetof(struct guest_header, map) == HEADER_MAP, "as observers have it");
#endif

#endif
