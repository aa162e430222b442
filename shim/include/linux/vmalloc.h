/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_VMALLOC_H
#define _SHIM_LINUX_VMALLOC_H

#include <linux/mm.h>

#define VM_ALLOC		0x2
#define VM_ALLOW_HUGE_VMAP	0x400

struct vm_struct {
	struct vm_struct *next;
	void *addr;
	unsigned long size;
	unsigned long flags;
	struct page **pages;
	unsigned int nr_pages;
};

void *vmalloc(unsigned long size);
void *vzalloc(unsigned long size);
void vfree(const void *area);
struct vm_struct *find_vm_area(const void *area);
struct page *vmalloc_to_page(const void *addr);

#endif
