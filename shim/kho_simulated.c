// SPDX-License-Identifier: GPL-2.0-only
/*
 * KHO, simulated: the pages of the simulated memory remember which blocks are
 * kept for the next kernel and which the previous one kept. As in the kernel, a
 * block is kept or not, whatever the number of calls: keeping it twice succeeds,
 * and letting go of it once loses it. What the kernel would only warn about ends
 * the program.
 */
#include <linux/bug.h>
#include <linux/kexec_handover.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "mm_simulated.h"

bool kho_is_enabled(void)
{
	return true;
}

bool is_kho_boot(void)
{
	return shim_machine->kho_boot;
}

/* Blocks */

static int keep(struct page *page, unsigned int order)
{
	if (shim_may_fail())
		return -ENOMEM;
	if (page->is_free)
		shim_bug(__FILE__, __LINE__, "preserving free memory");
	page->out |= 1U << order;
	return 0;
}

static void unkeep(struct page *page, unsigned int order)
{
	if (!(page->out & 1U << order))
		shim_bug(__FILE__, __LINE__, "unpreserving what is not preserved so");
	page->out &= ~(1U << order);
}

/* Order of the largest aligned block at @pfn that ends by @end */
static unsigned int block_order(unsigned long pfn, unsigned long end)
{
	return min(__ffs(pfn), (unsigned long)ilog2(end - pfn));
}

int kho_preserve_folio(struct folio *folio)
{
	shim_atomic();
	return keep(&folio->page, folio_order(folio));
}

void kho_unpreserve_folio(struct folio *folio)
{
	shim_atomic();
	unkeep(&folio->page, folio_order(folio));
}

int kho_preserve_each_page(const unsigned long *pfns, unsigned long nr)
{
	unsigned long i;
	int ret = 0;

	shim_atomic();
	for (i = 0; i < nr && !ret; i++)
		ret = keep(pfn_to_page(pfns[i]), 0);
	/* Not the one that failed */
	for (i = ret ? i - 1 : 0; i; i--)
		unkeep(pfn_to_page(pfns[i - 1]), 0);
	return ret;
}

static void unkeep_run(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		unsigned int order = block_order(pfn, end);

		unkeep(pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
}

int kho_preserve_pages(struct page *page, unsigned long nr)
{
	unsigned long first = page_to_pfn(page), pfn = first, end = first + nr;

	shim_atomic();
	while (pfn < end) {
		unsigned int order = block_order(pfn, end);
		int ret = keep(pfn_to_page(pfn), order);

		if (ret) {
			unkeep_run(first, pfn);
			return ret;
		}
		pfn += 1UL << order;
	}
	return 0;
}

void kho_unpreserve_pages(struct page *page, unsigned long nr)
{
	shim_atomic();
	unkeep_run(page_to_pfn(page), page_to_pfn(page) + nr);
}

int kho_preserved_order(phys_addr_t phys)
{
	if ((phys & ~PAGE_MASK) || !pfn_valid(PHYS_PFN(phys)) || !phys_to_page(phys)->in)
		return -ENOENT;
	return phys_to_page(phys)->in - 1;
}

static bool take(phys_addr_t phys, unsigned int order)
{
	if (kho_preserved_order(phys) != (int)order)
		return false;
	phys_to_page(phys)->in = 0;
	shim_machine->live_pages += 1L << order;
	return true;
}

struct folio *kho_restore_folio(phys_addr_t phys)
{
	int order = kho_preserved_order(phys);
	struct page *page = phys_to_page(phys);

	shim_atomic();
	if (order < 0 || !take(phys, order))
		return NULL;
	*page = (struct page){ .refcount = 1, .order = order };
	return page_folio(page);
}

struct page *kho_restore_pages(phys_addr_t phys, unsigned long nr)
{
	unsigned long pfn = PHYS_PFN(phys), end = pfn + nr;

	shim_atomic();
	while (pfn < end) {
		unsigned int order = block_order(pfn, end);

		if (!take(PFN_PHYS(pfn), order))
			return NULL;
		split_page(pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
	return phys_to_page(phys);
}

/* Areas */

static struct kho_vmalloc_chunk *new_chunk(struct kho_vmalloc_chunk *after)
{
	struct kho_vmalloc_chunk *chunk = (void *)get_zeroed_page(GFP_KERNEL);

	if (!chunk)
		return NULL;
	if (kho_preserve_pages(virt_to_page(chunk), 1)) {
		free_page((unsigned long)chunk);
		return NULL;
	}
	if (after)
		KHOSER_STORE_PTR(after->hdr.next, chunk);
	return chunk;
}

int kho_preserve_vmalloc(void *area, struct kho_vmalloc *k)
{
	struct vm_struct *vm = find_vm_area(area);
	struct kho_vmalloc_chunk *chunk;
	unsigned int at = 0;
	int ret;

	shim_atomic();
	if (!vm)
		return -EINVAL;
	chunk = new_chunk(NULL);
	if (!chunk)
		return -ENOMEM;
	memset(k, 0, sizeof(*k));
	KHOSER_STORE_PTR(k->first, chunk);
	for (unsigned int i = 0; i < vm->nr_pages; i++) {
		if (at == KHO_VMALLOC_SIZE) {
			chunk = new_chunk(chunk);
			ret = chunk ? 0 : -ENOMEM;
			if (ret)
				goto fail;
			at = 0;
		}
		ret = kho_preserve_pages(vm->pages[i], 1);
		if (ret)
			goto fail;
		chunk->phys[at++] = page_to_phys(vm->pages[i]);
	}
	k->total_pages = vm->nr_pages;
	k->flags = KHO_VMALLOC_ALLOC;
	return 0;
fail:
	kho_unpreserve_vmalloc(k);
	return ret;
}

void kho_unpreserve_vmalloc(struct kho_vmalloc *k)
{
	struct kho_vmalloc_chunk *chunk = KHOSER_LOAD_PTR(k->first), *next;

	shim_atomic();
	for (; chunk; chunk = next) {
		for (unsigned int i = 0; i < KHO_VMALLOC_SIZE && chunk->phys[i]; i++)
			kho_unpreserve_pages(phys_to_page(chunk->phys[i]), 1);
		next = KHOSER_LOAD_PTR(chunk->hdr.next);
		kho_unpreserve_pages(virt_to_page(chunk), 1);
		free_page((unsigned long)chunk);
	}
}

/*
 * Kinder than the kernel, where an area is lost if there is no memory to map
 * it: here, nothing is taken unless all can be.
 */
void *kho_restore_vmalloc(const struct kho_vmalloc *k)
{
	struct kho_vmalloc_chunk *chunk = KHOSER_LOAD_PTR(k->first), *next;
	struct page **pages;
	unsigned int nr = 0;
	void *area;

	if (!k->total_pages || k->flags != KHO_VMALLOC_ALLOC || k->order)
		return NULL;
	pages = kvcalloc(k->total_pages, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (; chunk; chunk = KHOSER_LOAD_PTR(chunk->hdr.next)) {
		for (unsigned int i = 0; i < KHO_VMALLOC_SIZE && chunk->phys[i]; i++) {
			if (nr == k->total_pages || kho_preserved_order(chunk->phys[i]))
				goto fail;
			pages[nr++] = phys_to_page(chunk->phys[i]);
		}
	}
	if (nr != k->total_pages)
		goto fail;
	area = shim_map_area(pages, nr, VM_ALLOC);
	if (!area)
		goto fail;
	while (nr)
		kho_restore_pages(page_to_phys(pages[--nr]), 1);
	for (chunk = KHOSER_LOAD_PTR(k->first); chunk; chunk = next) {
		next = KHOSER_LOAD_PTR(chunk->hdr.next);
		if (!kho_restore_pages(virt_to_phys(chunk), 1))
			shim_bug(__FILE__, __LINE__, "restoring what was not preserved");
		free_page((unsigned long)chunk);
	}
	return area;
fail:
	kvfree(pages);
	return NULL;
}

/* Memory for the caller's own bytes */

void *kho_alloc_preserve(size_t size)
{
	struct folio *folio;
	int ret;

	if (!size)
		return ERR_PTR(-EINVAL);
	if (get_order(size) > MAX_PAGE_ORDER)
		return ERR_PTR(-E2BIG);
	folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, get_order(size));
	if (!folio)
		return ERR_PTR(-ENOMEM);
	ret = kho_preserve_folio(folio);
	if (ret) {
		folio_put(folio);
		return ERR_PTR(ret);
	}
	return folio_address(folio);
}

void kho_unpreserve_free(void *mem)
{
	if (!mem)
		return;
	kho_unpreserve_folio(virt_to_folio(mem));
	folio_put(virt_to_folio(mem));
}

void kho_restore_free(void *mem)
{
	struct folio *folio;

	if (!mem)
		return;
	folio = kho_restore_folio(virt_to_phys(mem));
	if (!folio)
		shim_bug(__FILE__, __LINE__, "restoring what was not preserved");
	folio_put(folio);
}

/* What the next kernel finds by name */

int kho_add_subtree(const char *name, void *blob, size_t size)
{
	struct shim_subtree *free = NULL;

	if (shim_may_fail())
		return -ENOMEM;
	for (int i = 0; i < SHIM_SUBTREES; i++) {
		struct shim_subtree *s = &shim_machine->out[i];

		if (s->size && !strcmp(s->name, name))
			return -EEXIST;
		if (!s->size)
			free = s;
	}
	if (!free || !size)
		return -EINVAL;
	strscpy(free->name, name);
	free->phys = virt_to_phys(blob);
	free->size = size;
	return 0;
}

void kho_remove_subtree(void *blob)
{
	for (int i = 0; i < SHIM_SUBTREES; i++)
		if (shim_machine->out[i].size && shim_machine->out[i].phys == virt_to_phys(blob))
			shim_machine->out[i].size = 0;
}

int kho_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size)
{
	for (int i = 0; i < SHIM_SUBTREES; i++) {
		struct shim_subtree *s = &shim_machine->in[i];

		if (!s->size || strcmp(s->name, name))
			continue;
		*phys = s->phys;
		if (size)
			*size = s->size;
		return 0;
	}
	return -ENOENT;
}

/* For tests */

static long count(bool out)
{
	long nr = 0;

	for (unsigned long pfn = 1; pfn < shim_machine->next_pfn; pfn++)
		nr += out ? hweight32(shim_memmap[pfn].out) : !!shim_memmap[pfn].in;
	return nr;
}

long shim_kho_preserved(void)
{
	return count(true);
}

long shim_kho_unclaimed(void)
{
	return count(false);
}

void shim_kho_jump(void)
{
	unsigned long pfn = 1, end = shim_machine->next_pfn, kept = 0;

	memset(shim_machine->free, 0, sizeof(shim_machine->free));
	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);
		unsigned int order;

		if (page->out || pfn < kept) {
			u32 out = page->out;

			/* Of blocks that overlap, the kernel takes the smaller ones */
			memset(page, 0, sizeof(*page));
			if (out) {
				page->in = __ffs(out) + 1;
				kept = max(kept, pfn + (1UL << __fls(out)));
			}
			order = 0;
		} else {
			unsigned long next = pfn + 1;

			while (next < end && !pfn_to_page(next)->out)
				next++;
			order = min(block_order(pfn, next), MAX_PAGE_ORDER);
			memset(page, 0, sizeof(*page) << order);
			memset(page_address(page), 0x5c, PAGE_SIZE << order);
			shim_page_make_free(page, order);
		}
		pfn += 1UL << order;
	}
	shim_machine->live_pages = 0;
	shim_machine->kho_boot = true;
	memcpy(shim_machine->in, shim_machine->out, sizeof(shim_machine->in));
	memset(shim_machine->out, 0, sizeof(shim_machine->out));
}

void shim_kho_reset(void)
{
	memset(shim_memmap, 0, SHIM_PAGES * sizeof(*shim_memmap));
	memset(shim_machine, 0, sizeof(*shim_machine));
	shim_machine->next_pfn = 1;
}
