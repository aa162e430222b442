// SPDX-License-Identifier: GPL-2.0-only
/* See linux/mm.h here. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bug.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "mm_simulated.h"

struct page *shim_memmap;
char *shim_memory;
struct shim_machine *shim_machine;
static int memory_fd;
static struct vm_struct *areas;

static void *map(size_t size, int fd)
{
	int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, fd, 0);

	if (p == MAP_FAILED) {
#ifdef SHIM_FAST
		/* The command, under a limit */
		perror("kstate: cannot reserve memory");
		exit(71);
#endif
		perror("shim: mmap");
		abort();
	}
	return p;
}

__attribute__((constructor))
static void power_on(void)
{
	memory_fd = memfd_create("simulated memory", MFD_CLOEXEC);
	if (memory_fd < 0 || ftruncate(memory_fd, SHIM_MEMORY)) {
		perror("shim: memfd");
		abort();
	}
	shim_memory = map(SHIM_MEMORY, memory_fd);
	shim_memmap = map(SHIM_PAGES * sizeof(struct page), -1);
	shim_machine = map(sizeof(*shim_machine), -1);
	shim_machine->next_pfn = 1;
}

long shim_live_pages(void)
{
	return shim_machine->live_pages;
}

void shim_page_make_free(struct page *page, unsigned int order)
{
	page->is_free = 1;
	page->order = order;
	page->refcount = 0;
	page->next_free = shim_machine->free[order];
	shim_machine->free[order] = page_to_pfn(page);
}

static struct page *take_free(unsigned int order)
{
	unsigned int from = order;
	struct page *page;

	while (!shim_machine->free[from])
		if (++from > MAX_PAGE_ORDER)
			return NULL;
	page = pfn_to_page(shim_machine->free[from]);
	shim_machine->free[from] = page->next_free;
	while (from-- > order)
		shim_page_make_free(page + (1UL << from), from);
	return page;
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page;
	unsigned long pfn;

	shim_atomic();
	if (order > MAX_PAGE_ORDER || shim_may_fail())
		return NULL;
	page = take_free(order);
	if (!page) {
		/* What alignment skips is lost: there is plenty */
		pfn = ALIGN(shim_machine->next_pfn, 1UL << order);
		if (pfn + (1UL << order) > SHIM_PAGES)
			return NULL;
		shim_machine->next_pfn = pfn + (1UL << order);
		page = pfn_to_page(pfn);
	}
	*page = (struct page){ .refcount = 1, .order = order };
	shim_machine->live_pages += 1L << order;
	memset(page_address(page), gfp & __GFP_ZERO ? 0 : 0xa5, PAGE_SIZE << order);
	return page;
}

void __free_pages(struct page *page, unsigned int order)
{
	shim_atomic();
	if (!page)
		return;
	if (page->is_free || page->refcount <= 0 || page->order != order)
		shim_bug(__FILE__, __LINE__, "freeing pages that are not allocated so");
	if (--page->refcount)
		return;
	for (unsigned long i = 0; i < 1UL << order; i++)
		if (page[i].out)
			shim_bug(__FILE__, __LINE__, "freeing pages that are preserved");
	shim_machine->live_pages -= 1L << order;
	memset(page_address(page), 0x6b, PAGE_SIZE << order);
	shim_page_make_free(page, order);
}

void folio_put(struct folio *folio)
{
	__free_pages(&folio->page, folio_order(folio));
}

void folio_get(struct folio *folio)
{
	shim_atomic();
	folio->page.refcount++;
}

void split_page(struct page *page, unsigned int order)
{
	shim_atomic();
	for (unsigned long i = 0; i < 1UL << order; i++)
		page[i] = (struct page){ .refcount = 1 };
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	unsigned int order = get_order(size);
	struct page *page = alloc_pages(gfp, order);

	if (!page)
		return NULL;
	split_page(page, order);
	for (unsigned long i = PFN_UP(size); i < 1UL << order; i++)
		__free_page(page + i);
	return page_address(page);
}

void free_pages_exact(void *mem, size_t size)
{
	for (unsigned long i = 0; i < PFN_UP(size); i++)
		__free_page(virt_to_page(mem) + i);
}

/* Areas: every page is mapped by itself */

static struct vm_struct *find_area(const void *addr)
{
	struct vm_struct *vm;

	for (vm = areas; vm; vm = vm->next)
		if ((char *)addr >= (char *)vm->addr && (char *)addr < (char *)vm->addr + vm->size)
			return vm;
	return NULL;
}

struct vm_struct *find_vm_area(const void *area)
{
	struct vm_struct *vm = find_area(area);

	return vm && vm->addr == area ? vm : NULL;
}

bool is_vmalloc_addr(const void *p)
{
	return find_area(p) != NULL;
}

struct page *vmalloc_to_page(const void *addr)
{
	struct vm_struct *vm = find_area(addr);

	return vm ? vm->pages[((char *)addr - (char *)vm->addr) >> PAGE_SHIFT] : NULL;
}

void *shim_map_area(struct page **pages, unsigned int nr, unsigned long flags)
{
	struct vm_struct *vm = kvzalloc(sizeof(*vm), GFP_KERNEL);
	unsigned long size = nr * PAGE_SIZE;

	if (!vm)
		return NULL;
	/* A guard page is behind each area, as in Linux */
	vm->addr = mmap(NULL, size + PAGE_SIZE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vm->addr == MAP_FAILED)
		goto fail;
	for (unsigned int i = 0; i < nr; i++)
		if (mmap((char *)vm->addr + i * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, memory_fd, page_to_phys(pages[i])) == MAP_FAILED)
			goto fail;
	vm->size = size;
	vm->flags = flags;
	vm->pages = pages;
	vm->nr_pages = nr;
	vm->next = areas;
	areas = vm;
	return vm->addr;
fail:
	if (vm->addr != MAP_FAILED)
		munmap(vm->addr, size + PAGE_SIZE);
	kvfree(vm);
	return NULL;
}

void *vmalloc(unsigned long size)
{
	unsigned int nr = PFN_UP(size), got = 0;
	struct page **pages;
	void *area;

	if (!nr)
		return NULL;
	pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (; got < nr; got++) {
		pages[got] = alloc_pages(0, 0);
		if (!pages[got])
			goto fail;
	}
	area = shim_map_area(pages, nr, VM_ALLOC);
	if (area)
		return area;
fail:
	while (got)
		__free_page(pages[--got]);
	kvfree(pages);
	return NULL;
}

void *vzalloc(unsigned long size)
{
	void *area = vmalloc(size);

	return area ? memset(area, 0, PAGE_ALIGN(size)) : NULL;
}

void vfree(const void *area)
{
	struct vm_struct *vm, **link = &areas;

	if (!area)
		return;
	while (*link && (*link)->addr != area)
		link = &(*link)->next;
	vm = *link;
	if (!vm)
		shim_bug(__FILE__, __LINE__, "vfree of what is no area");
	*link = vm->next;
	munmap(vm->addr, vm->size + PAGE_SIZE);
	for (unsigned int i = 0; i < vm->nr_pages; i++)
		__free_page(vm->pages[i]);
	kvfree(vm->pages);
	kvfree(vm);
}
