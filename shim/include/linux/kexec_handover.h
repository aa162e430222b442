/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_KEXEC_HANDOVER_H
#define _SHIM_LINUX_KEXEC_HANDOVER_H

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/kho/abi/kexec_handover.h>

bool kho_is_enabled(void);
bool is_kho_boot(void);
int kho_preserve_folio(struct folio *folio);
int kho_preserve_each_page(const unsigned long *pfns, unsigned long nr);
void kho_unpreserve_folio(struct folio *folio);
int kho_preserve_pages(struct page *page, unsigned long nr);
void kho_unpreserve_pages(struct page *page, unsigned long nr);
int kho_preserve_vmalloc(void *area, struct kho_vmalloc *keep);
void kho_unpreserve_vmalloc(struct kho_vmalloc *keep);
void *kho_alloc_preserve(size_t size);
void kho_unpreserve_free(void *mem);
void kho_restore_free(void *mem);
struct folio *kho_restore_folio(phys_addr_t phys);
struct page *kho_restore_pages(phys_addr_t phys, unsigned long nr);
void *kho_restore_vmalloc(const struct kho_vmalloc *keep);
int kho_add_subtree(const char *name, void *blob, size_t size);
void kho_remove_subtree(void *blob);
int kho_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size);
int kho_preserved_order(phys_addr_t phys);

/*
 * For tests. Kernels are processes that share the simulated memory: fork one
 * for each, and let the parent jump in between.
 */

/** shim_kho_preserved() - blocks that are kept for the next kernel */
long shim_kho_preserved(void);

/** shim_kho_unclaimed() - blocks that the last kernel kept and nobody took */
long shim_kho_unclaimed(void);

/** shim_kho_jump() - the next kernel: only what was kept survives */
void shim_kho_jump(void);

/** shim_kho_reset() - as after power on */
void shim_kho_reset(void);

#endif
