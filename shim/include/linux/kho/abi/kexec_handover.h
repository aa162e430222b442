/* SPDX-License-Identifier: GPL-2.0-only */
/* The shape of what KHO keeps of a vmalloc area; see shim/kho_simulated.c */
#ifndef _SHIM_LINUX_KHO_ABI_KEXEC_HANDOVER_H
#define _SHIM_LINUX_KHO_ABI_KEXEC_HANDOVER_H

#include <asm/page.h>
#include <linux/types.h>

#define DECLARE_KHOSER_PTR(name, type)	union { u64 phys; type ptr; } name
#define KHOSER_STORE_PTR(dest, val)	((dest).phys = virt_to_phys(val))
#define KHOSER_LOAD_PTR(src) \
	((typeof((src).ptr))((src).phys ? phys_to_virt((src).phys) : NULL))

struct kho_vmalloc_chunk;

struct kho_vmalloc_hdr {
	DECLARE_KHOSER_PTR(next, struct kho_vmalloc_chunk *);
};

#define KHO_VMALLOC_SIZE	((PAGE_SIZE - sizeof(struct kho_vmalloc_hdr)) / sizeof(u64))

struct kho_vmalloc_chunk {
	struct kho_vmalloc_hdr hdr;
	u64 phys[KHO_VMALLOC_SIZE];
};

struct kho_vmalloc {
	DECLARE_KHOSER_PTR(first, struct kho_vmalloc_chunk *);
	unsigned int total_pages;
	unsigned short flags;
	unsigned short order;
};

#define KHO_VMALLOC_ALLOC	0x1
#define KHO_VMALLOC_HUGE_VMAP	0x2

#endif
