// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec handover as the transport: the streams of this kernel and of the one
 * before it.
 */

/**
 * DOC: kexec handover
 *
 * The header page of a set is a subtree of KHO, which preserves all memory
 * that the set is made of or hands over.
 *
 * The incoming set opens before the first initcall, as soon as there is a memory
 * allocator; if KSTATE is a module, when that is loaded. The outgoing set begins
 * when KHO is ready, at fs_initcall_sync. Objects can be registered before: the
 * jump saves them.
 *
 * At a kexec, live update freezes its files; then the registered objects are
 * saved, the set is published, the gate judges what has been saved, and KHO gets
 * the subtree. If any of these steps fails, those before it are undone in reverse
 * order, kexec returns the error, and the machine runs on as if nothing had been.
 */

#define pr_fmt(fmt) "kstate: " fmt

#include <linux/err.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched/clock.h>
#include <linux/vmalloc.h>
#include "../legacy/hooks.h"
#include "gate.h"

#define KHO_SUBTREE	"kstate"

/* Beyond this, physically contiguous memory is hard to get */
#define CONTIGUOUS_MAX	(PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER)

static void kho_edge_from_vmalloc(struct kstate_edge *edge, const struct kho_vmalloc *v)
{
	edge->kind = KSTATE_EDGE_VMALLOC;
	edge->addr = cpu_to_le64(v->first.phys);
	edge->size = cpu_to_le64((u64)v->total_pages << PAGE_SHIFT);
	edge->pages = cpu_to_le32(v->total_pages);
	edge->order = v->order;
	edge->flags = cpu_to_le16(v->flags);
}

static struct kho_vmalloc kho_vmalloc_from_edge(const struct kstate_edge *edge)
{
	return (struct kho_vmalloc){
		.first.phys = le64_to_cpu(edge->addr),
		.total_pages = le32_to_cpu(edge->pages),
		.order = edge->order,
		.flags = le16_to_cpu(edge->flags),
	};
}

static int kho_edge_preserve_vmalloc(void *area, struct kstate_edge *edge)
{
	struct kho_vmalloc v = {};
	int ret = kho_preserve_vmalloc(area, &v);

	if (!ret)
		kho_edge_from_vmalloc(edge, &v);
	return ret;
}

static void kho_edge_unpreserve_vmalloc(const struct kstate_edge *edge)
{
	struct kho_vmalloc v = kho_vmalloc_from_edge(edge);

	kho_unpreserve_vmalloc(&v);
}

static void *kho_transport_alloc(size_t size, struct kstate_edge *edge)
{
	void *mem;

	*edge = (struct kstate_edge){};
	if (size <= CONTIGUOUS_MAX) {
		mem = kho_alloc_preserve(size);
		if (IS_ERR(mem))
			return NULL;
		edge->kind = KSTATE_EDGE_FOLIO;
		edge->addr = cpu_to_le64(virt_to_phys(mem));
		edge->order = get_order(size);
		edge->size = cpu_to_le64(PAGE_SIZE << get_order(size));
		return mem;
	}
	mem = vzalloc(size);
	if (mem && kho_edge_preserve_vmalloc(mem, edge)) {
		vfree(mem);
		mem = NULL;
	}
	return mem;
}

static void kho_transport_free(void *mem, const struct kstate_edge *edge)
{
	if (edge->kind == KSTATE_EDGE_FOLIO) {
		kho_unpreserve_free(mem);
		return;
	}
	kho_edge_unpreserve_vmalloc(edge);
	vfree(mem);
}

/* At once, or each page for itself, as kernels without KSTATE restore those of files */
static size_t kho_pages_at_once(size_t nr)
{
	return kstate_legacy_writes() ? 1 : nr;
}

static void kho_edge_unpreserve_pages(struct page *page, size_t nr)
{
	size_t step = kho_pages_at_once(nr), i;

	for (i = 0; i < nr; i += step)
		kho_unpreserve_pages(page + i, step);
}

static int kho_edge_preserve_pages(struct page *page, size_t nr)
{
	size_t step = kho_pages_at_once(nr), i;
	int ret;

	for (i = 0; i < nr; i += step) {
		ret = kho_preserve_pages(page + i, step);
		if (ret) {
			kho_edge_unpreserve_pages(page, i);
			return ret;
		}
	}
	return 0;
}

static int kho_transport_preserve(u8 kind, void *ptr, size_t nr, struct kstate_edge *edge)
{
	int ret;

	switch (kind) {
	case KSTATE_EDGE_FOLIO:
		ret = kho_preserve_folio(ptr);
		edge->addr = cpu_to_le64(PFN_PHYS(folio_pfn(ptr)));
		edge->size = cpu_to_le64(folio_size(ptr));
		edge->order = folio_order(ptr);
		return ret;
	case KSTATE_EDGE_PAGES:
		ret = kho_edge_preserve_pages(ptr, nr);
		edge->addr = cpu_to_le64(page_to_phys((struct page *)ptr));
		edge->size = cpu_to_le64((u64)nr << PAGE_SHIFT);
		return ret;
	case KSTATE_EDGE_VMALLOC:
		return kho_edge_preserve_vmalloc(ptr, edge);
	}
	return -EINVAL;
}

static void kho_transport_unpreserve(const struct kstate_edge *edge)
{
	u64 addr = le64_to_cpu(edge->addr);

	switch (edge->kind) {
	case KSTATE_EDGE_FOLIO:
		kho_unpreserve_folio(page_folio(pfn_to_page(PHYS_PFN(addr))));
		break;
	case KSTATE_EDGE_PAGES:
		kho_edge_unpreserve_pages(pfn_to_page(PHYS_PFN(addr)),
					  le64_to_cpu(edge->size) >> PAGE_SHIFT);
		break;
	case KSTATE_EDGE_VMALLOC:
		kho_edge_unpreserve_vmalloc(edge);
		break;
	}
}

/* Whatever blocks the writer has preserved them as, together they have to be the pages */
static int kho_check_pages(u64 addr, u64 size)
{
	unsigned long pfn = PHYS_PFN(addr), end = pfn + (size >> PAGE_SHIFT);
	int order;

	if (addr % PAGE_SIZE || size % PAGE_SIZE || !size || end < pfn)
		return -EINVAL;
	for (; pfn < end; pfn += 1UL << order) {
		order = kho_preserved_order(PFN_PHYS(pfn));
		if (order < 0 || end - pfn < 1UL << order)
			return -ENOENT;
	}
	return 0;
}

/* Those that have been checked */
static struct page *kho_take_pages(u64 addr, u64 size)
{
	unsigned long pfn = PHYS_PFN(addr), end = pfn + (size >> PAGE_SHIFT), nr;

	for (; pfn < end; pfn += nr) {
		nr = 1UL << kho_preserved_order(PFN_PHYS(pfn));
		if (!kho_restore_pages(PFN_PHYS(pfn), nr))
			return NULL;
	}
	return pfn_to_page(PHYS_PFN(addr));
}

static int kho_check_vmalloc(const struct kstate_edge *edge)
{
	u32 pages = le32_to_cpu(edge->pages), per = 1U << min_t(u8, edge->order, 31), seen = 0;
	u64 next = le64_to_cpu(edge->addr);
	const struct kho_vmalloc_chunk *chunk;
	int i;

	if (!pages || (u64)pages << PAGE_SHIFT != le64_to_cpu(edge->size) ||
	    edge->order > MAX_PAGE_ORDER || le16_to_cpu(edge->flags) > 3)
		return -EINVAL;
	for (; next; next = chunk->hdr.next.phys) {
		/* As many pages as there can be end every cycle */
		if (seen >= pages || kho_preserved_order(next) != 0)
			return -ENOENT;
		chunk = phys_to_virt(next);
		for (i = 0; i < ARRAY_SIZE(chunk->phys) && chunk->phys[i]; i++, seen += per)
			if (seen >= pages ||
			    kho_check_pages(chunk->phys[i], (u64)per << PAGE_SHIFT))
				return -ENOENT;
		if (!i)
			break;
	}
	return seen == pages ? 0 : -ENOENT;
}

static int kho_transport_check(const struct kstate_edge *edge)
{
	u64 addr = le64_to_cpu(edge->addr), size = le64_to_cpu(edge->size);

	switch (edge->kind) {
	case KSTATE_EDGE_FOLIO:
		if (edge->order >= 64 - PAGE_SHIFT || size != PAGE_SIZE << edge->order)
			return -EINVAL;
		return kho_preserved_order(addr) == edge->order ? 0 : -ENOENT;
	case KSTATE_EDGE_PAGES:
		return kho_check_pages(addr, size);
	case KSTATE_EDGE_VMALLOC:
		return kho_check_vmalloc(edge);
	}
	return -EINVAL;
}

static int kho_transport_take(const struct kstate_edge *edge, void **ptr)
{
	u64 addr = le64_to_cpu(edge->addr);
	struct kho_vmalloc v;

	switch (edge->kind) {
	case KSTATE_EDGE_FOLIO:
		*ptr = kho_restore_folio(addr);
		break;
	case KSTATE_EDGE_PAGES:
		*ptr = kho_take_pages(addr, le64_to_cpu(edge->size));
		break;
	default:
		v = kho_vmalloc_from_edge(edge);
		*ptr = kho_restore_vmalloc(&v);
		return *ptr ? 0 : -ENOMEM;
	}
	return *ptr ? 0 : -ENOENT;
}

static void *kho_transport_map(const struct kstate_edge *edge)
{
	int ret = kho_transport_check(edge);
	void *mem;

	if (!ret && edge->kind == KSTATE_EDGE_PAGES)
		ret = -EINVAL;
	/* Taken at once, so that nothing else in the set can name it */
	if (!ret)
		ret = kho_transport_take(edge, &mem);
	if (ret)
		return ERR_PTR(ret);
	return edge->kind == KSTATE_EDGE_FOLIO ? folio_address(mem) : mem;
}

static void kho_transport_unmap(void *mem, const struct kstate_edge *edge)
{
	if (edge->kind == KSTATE_EDGE_FOLIO)
		folio_put(virt_to_folio(mem));
	else
		vfree(mem);
}

static const struct kstate_transport kho_transport = {
	.name = "KHO",
	.alloc = kho_transport_alloc,
	.free = kho_transport_free,
	.map = kho_transport_map,
	.unmap = kho_transport_unmap,
	.preserve = kho_transport_preserve,
	.preserve_each = kho_preserve_each_page,
	.unpreserve = kho_transport_unpreserve,
	.check = kho_transport_check,
	.take = kho_transport_take,
	.release = kstate_release_memory,
};

static int kho_prepare_kexec(const struct kimage *image)
{
	struct kstate_loaded loaded = {
		.release = image->file_mode ? image->kernel_release : NULL,
		.crc = image->kernel_crc,
		.page_size = image->kernel_page_size,
	};
	struct kstate_error err = {};
	struct kstate_header *header;
	u64 start = local_clock();
	int ret;

	if (!kstate_outgoing())
		return -ENOMEM;
	ret = kstate_prepare(&loaded, &err);
	if (ret)
		return ret;
	header = kstate_outgoing()->header;
	ret = kho_add_subtree(KHO_SUBTREE, header, le32_to_cpu(header->header_size));
	if (ret) {
		pr_err("kexec: KHO has no room for a subtree: %d\n", ret);
	} else {
		ret = kstate_legacy_write(kstate_outgoing());
		if (ret)
			kho_remove_subtree(header);
	}
	if (ret) {
		kstate_abort();
		return ret;
	}
	pr_info("kexec: saved records=%llu bytes=%llu ns=%llu\n", le64_to_cpu(header->records),
		le64_to_cpu(header->total_size), local_clock() - start);
	return 0;
}

static void kho_abort_kexec(void)
{
	struct kstate_header *header = kstate_outgoing() ? kstate_outgoing()->header : NULL;

	if (!header)
		return;
	kstate_legacy_undo();
	kho_remove_subtree(header);
	kstate_abort();
}

static int kho_kexec_event(struct notifier_block *nb, unsigned long event, void *image)
{
	switch (event) {
	case KEXEC_PREPARE:
		return notifier_from_errno(kho_prepare_kexec(image));
	case KEXEC_ABORT:
		kho_abort_kexec();
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block kexec_nb = { .notifier_call = kho_kexec_event };

/* The set of the kernel before this one; NULL if it wrote none, or an ERR_PTR() */
static struct kstate_set * __init kho_find_incoming(struct kstate_error *err)
{
	struct kstate_set *set;
	phys_addr_t phys;
	size_t size;

	if (!kho_is_enabled())
		return NULL;
	if (kho_retrieve_subtree(KHO_SUBTREE, &phys, &size))
		return kstate_legacy_open(&kho_transport);
	/* A module that is loaded a second time finds what it freed the first time */
	if (kho_preserved_order(phys) != 0)
		return NULL;
	set = kstate_set_open(&kho_transport, phys_to_virt(phys), min(size, PAGE_SIZE), NULL, err);
	if (IS_ERR(set))
		return set;
	kho_restore_free(phys_to_virt(phys));
	kstate_legacy_discard(&kho_transport);
	return set;
}

/* Opening comes last: what has been opened must not be thrown away by a failure */
static int __init kho_open_incoming(void)
{
	struct kstate_error err = {};
	int ret = kstate_registry_begin();

	if (!ret)
		kstate_registry_open(kho_find_incoming(&err), &err);
	return ret;
}

#ifndef MODULE
/**
 * kstate_open_incoming() - open what the kernel before this one handed over
 *
 * Context: called once, when the memory allocator and RCU are up. Interrupts may
 * still be off.
 */
void __init kstate_open_incoming(void)
{
	if (kho_open_incoming())
		pr_err("open: no memory: nothing is restored\n");
}
#endif

static int __init kho_begin_outgoing(void)
{
	struct kstate_set *out;
	int ret;

	if (!kho_is_enabled()) {
		pr_info("KHO is disabled: nothing is handed over\n");
		return kstate_registry_init(NULL);
	}
	/* From now on, what is registered is saved, or there is no kexec */
	ret = register_kexec_notifier(&kexec_nb);
	if (ret)
		return ret;
	out = kstate_set_create(&kho_transport);
	ret = out ? kstate_registry_init(out) : -ENOMEM;
	if (ret) {
		kstate_set_destroy(out);
		/* Nobody needs to wait for that */
		kstate_registry_init(NULL);
	}
	return ret;
}

static void kho_exit(void)
{
	unregister_kexec_notifier(&kexec_nb);
	kstate_registry_exit();
}

static int __init kstate_init(void)
{
	int ret;

#ifdef MODULE
	ret = kho_open_incoming();
	if (ret)
		return ret;
#endif
	ret = kho_begin_outgoing();
	if (!ret && kho_is_enabled())
		ret = kstate_directory_init();
#ifdef MODULE
	if (ret)
		kho_exit();
#endif
	return ret;
}

/* After KHO (fs_initcall), before the drivers that restore their state */
fs_initcall_sync(kstate_init);

static void __exit kstate_exit(void)
{
	kstate_directory_exit();
	kho_exit();
}
module_exit(kstate_exit);

MODULE_DESCRIPTION("Describe kernel state and carry it across kexec");
MODULE_LICENSE("GPL");
