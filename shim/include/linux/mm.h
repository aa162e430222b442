/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Simulated memory: a file of 1 GiB is the physical memory, mapped once as the
 * linear map and page by page for vmalloc areas, so that an address, a page
 * and a physical address are different things, as they are in the kernel.
 */
#ifndef _SHIM_LINUX_MM_H
#define _SHIM_LINUX_MM_H

#include <linux/align.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm_types.h>
#include <linux/slab.h>

/* pages that are neither free nor only kept for the next kernel */
long shim_live_pages(void);

struct page *alloc_pages(gfp_t gfp, unsigned int order);
void __free_pages(struct page *page, unsigned int order);
void *alloc_pages_exact(size_t size, gfp_t gfp);
void free_pages_exact(void *mem, size_t size);
void folio_put(struct folio *folio);
void folio_get(struct folio *folio);

#define page_to_pfn(page)	((unsigned long)((page) - shim_memmap))
#define pfn_to_page(pfn)	(shim_memmap + (pfn))
#define pfn_valid(pfn)		((unsigned long)(pfn) < SHIM_PAGES)
#define PFN_PHYS(pfn)		((phys_addr_t)(pfn) << PAGE_SHIFT)
#define PHYS_PFN(phys)		((unsigned long)((phys) >> PAGE_SHIFT))
#define PFN_UP(x)		(((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x)		((x) >> PAGE_SHIFT)
#define page_to_phys(page)	PFN_PHYS(page_to_pfn(page))
#define phys_to_page(phys)	pfn_to_page(PHYS_PFN(phys))

/* Also right, there and back, for addresses that malloc() gave */
#define virt_to_phys(p)		((phys_addr_t)((unsigned long)(p) - (unsigned long)shim_memory))
#define phys_to_virt(phys)	((void *)((unsigned long)shim_memory + (unsigned long)(phys)))
#define __pa(p)			virt_to_phys(p)
#define __va(phys)		phys_to_virt(phys)
#define virt_to_pfn(p)		PHYS_PFN(virt_to_phys(p))
#define virt_to_page(p)		pfn_to_page(virt_to_pfn(p))
#define virt_addr_valid(p)	(virt_to_phys(p) < SHIM_MEMORY)
#define page_address(page)	phys_to_virt(page_to_phys(page))
#define page_to_virt(page)	page_address(page)
#define offset_in_page(p)	((unsigned long)(p) & (PAGE_SIZE - 1))
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)

static inline struct folio *page_folio(const struct page *page)
{
	return (struct folio *)page;
}

static inline struct page *folio_page(struct folio *folio, size_t n)
{
	return &folio->page + n;
}

static inline unsigned long folio_pfn(const struct folio *folio)
{
	return page_to_pfn(&folio->page);
}

static inline void *folio_address(const struct folio *folio)
{
	return page_address(&folio->page);
}

static inline unsigned int folio_order(const struct folio *folio)
{
	return folio->page.order;
}

static inline long folio_nr_pages(const struct folio *folio)
{
	return 1L << folio_order(folio);
}

static inline size_t folio_size(const struct folio *folio)
{
	return PAGE_SIZE << folio_order(folio);
}

static inline int folio_ref_count(const struct folio *folio)
{
	return folio->page.refcount;
}

static inline int page_ref_count(const struct page *page)
{
	return page->refcount;
}

#define virt_to_folio(p)	page_folio(virt_to_page(p))
#define pfn_folio(pfn)		page_folio(pfn_to_page(pfn))
#define get_page(page)		folio_get(page_folio(page))
#define put_page(page)		folio_put(page_folio(page))

#define alloc_page(gfp)		alloc_pages(gfp, 0)
#define __free_page(page)	__free_pages(page, 0)
#define folio_alloc(gfp, order)	page_folio(alloc_pages((gfp) | __GFP_COMP, order))

static inline unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}

#define __get_free_page(gfp)	__get_free_pages(gfp, 0)
#define get_zeroed_page(gfp)	__get_free_pages((gfp) | __GFP_ZERO, 0)
#define free_pages(addr, order)	__free_pages(virt_to_page(addr), order)
#define free_page(addr)		free_pages(addr, 0)

static inline int get_order(unsigned long size)
{
	return size > PAGE_SIZE ? order_base_2((size + PAGE_SIZE - 1) >> PAGE_SHIFT) : 0;
}

void split_page(struct page *page, unsigned int order);
bool is_vmalloc_addr(const void *p);

#endif
