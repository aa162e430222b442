/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MM_SIMULATED_H
#define _MM_SIMULATED_H

#include <linux/mm.h>

#define SHIM_SUBTREES	8

struct shim_subtree {
	char name[32];
	phys_addr_t phys;
	size_t size;
};

/* What survives a jump and what all simulated kernels see */
struct shim_machine {
	u32 next_pfn;
	u32 free[NR_PAGE_ORDERS];
	long live_pages;
	bool kho_boot;
	struct shim_subtree out[SHIM_SUBTREES];
	struct shim_subtree in[SHIM_SUBTREES];
};

extern struct shim_machine *shim_machine;

void shim_page_make_free(struct page *page, unsigned int order);
void *shim_map_area(struct page **pages, unsigned int nr, unsigned long flags);

#endif
