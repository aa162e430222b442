// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets that stay in this kernel or come from a file: for tests and tools.
 *
 * Memory that is handed over in place stays where it is; an edge holds its
 * physical address, or the address of an area, and only what has been preserved
 * can be taken.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#include "store.h"

/* What is preserved, by its address */
static DEFINE_XARRAY(preserved);

/* Also for other sets of this kernel: segments that nobody hands over */
void *kstate_memory_alloc(size_t size, struct kstate_edge *edge)
{
	return kvzalloc(size, GFP_KERNEL);
}

void kstate_memory_free(void *mem, const struct kstate_edge *edge)
{
	kvfree(mem);
}

/* The segments of a file are inside of its bytes */
void kstate_memory_unmap(void *mem, const struct kstate_edge *edge)
{
}

/* Where memory is; it is not preserved */
int kstate_memory_edge(u8 kind, void *ptr, size_t nr, struct kstate_edge *edge)
{
	u64 addr = (unsigned long)ptr, size = nr << PAGE_SHIFT;

	switch (kind) {
	case KSTATE_EDGE_FOLIO:
		addr = PFN_PHYS(folio_pfn(ptr));
		size = folio_size(ptr);
		edge->order = folio_order(ptr);
		break;
	case KSTATE_EDGE_PAGES:
		addr = page_to_phys((struct page *)ptr);
		break;
	}
	edge->addr = cpu_to_le64(addr);
	edge->size = cpu_to_le64(size);
	return 0;
}

static int memory_preserve(u8 kind, void *ptr, size_t nr, struct kstate_edge *edge)
{
	kstate_memory_edge(kind, ptr, nr, edge);
	return xa_insert(&preserved, le64_to_cpu(edge->addr), ptr, GFP_KERNEL);
}

static void memory_unpreserve(const struct kstate_edge *edge)
{
	xa_erase(&preserved, le64_to_cpu(edge->addr));
}

static int memory_check(const struct kstate_edge *edge)
{
	return xa_load(&preserved, le64_to_cpu(edge->addr)) ? 0 : -ENOENT;
}

static int memory_take(const struct kstate_edge *edge, void **ptr)
{
	*ptr = xa_erase(&preserved, le64_to_cpu(edge->addr));
	return *ptr ? 0 : -ENOENT;
}

static const struct kstate_transport memory_transport = {
	.name = "memory",
	.alloc = kstate_memory_alloc,
	.free = kstate_memory_free,
	.unmap = kstate_memory_unmap,
	.preserve = memory_preserve,
	.unpreserve = memory_unpreserve,
	.check = memory_check,
	.take = memory_take,
	.release = kstate_release_memory,
	.file = true,
};

static void scratch_unpreserve(const struct kstate_edge *edge)
{
}

static const struct kstate_transport scratch_transport = {
	.name = "scratch",
	.alloc = kstate_memory_alloc,
	.free = kstate_memory_free,
	.preserve = kstate_memory_edge,
	.unpreserve = scratch_unpreserve,
	.file = true,
};

/**
 * kstate_scratch_create() - make a set that goes nowhere
 *
 * It can be looked at, but memory that its records hand over is not preserved.
 * Memory that the outgoing set has preserved, or that a record handed over which
 * has been in this set, is refused all the same.
 *
 * Return: the set, for kstate_set_destroy(), or NULL.
 */
struct kstate_set *kstate_scratch_create(void)
{
	struct kstate_set *set = kstate_set_create(&scratch_transport);

	if (set) {
		set->limits = true;
		set->beside = kstate_outgoing();
	}
	return set;
}

/**
 * kstate_memory_create() - make a set that stays in this kernel
 *
 * Return: the set, for kstate_set_destroy(), or NULL.
 */
struct kstate_set *kstate_memory_create(void)
{
	return kstate_set_create(&memory_transport);
}
EXPORT_SYMBOL_GPL(kstate_memory_create);

/**
 * kstate_memory_open() - open what kstate_set_export() gave
 * @blob: the bytes, which are copied
 * @size: how many
 * @err: what went wrong, or NULL
 *
 * Return: the set, for kstate_set_destroy(), or an ERR_PTR().
 */
struct kstate_set *kstate_memory_open(const void *blob, size_t size, struct kstate_error *err)
{
	void *copy = kvmalloc(max(size, sizeof(struct kstate_header)), GFP_KERNEL);
	struct kstate_where where = { .state = "handover" };
	struct kstate_error local;
	struct kstate_set *set;

	where.err = kstate_error_begin(err, &local);
	if (!copy) {
		kstate_no_memory(&where, NULL);
		return ERR_PTR(-ENOMEM);
	}
	memcpy(copy, blob, size);
	set = kstate_set_open(&memory_transport, copy, size, copy, where.err);
	if (IS_ERR(set))
		kvfree(copy);
	return set;
}
EXPORT_SYMBOL_GPL(kstate_memory_open);
