/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_MM_TYPES_H
#define _SHIM_LINUX_MM_TYPES_H

#include <linux/types.h>
#include <asm/page.h>

#define MAX_PAGE_ORDER	10
#define PAGE_ALLOC_COSTLY_ORDER	3
#define NR_PAGE_ORDERS	(MAX_PAGE_ORDER + 1)
#define SHIM_MEMORY	(1UL << 30)
#define SHIM_PAGES	(SHIM_MEMORY >> PAGE_SHIFT)

/**
 * struct page - a page of the simulated memory
 * @refcount: users of this page or of the block that it starts
 * @order: of the block that it starts
 * @in: order, plus 1, of a block that starts here, which the previous kernel kept and
 *	nobody has taken yet
 * @out: orders of the blocks that start here and are kept for the next kernel: a bit each
 * @next_free: the next free block of the same order
 * @private: for anybody
 */
struct page {
	int refcount;
	u8 order;
	u8 in;
	u16 out;
	u8 is_free;
	u32 next_free;
	unsigned long private;
};

struct folio {
	struct page page;
};

extern struct page *shim_memmap;
extern char *shim_memory;

#endif
