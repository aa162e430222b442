/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/types.h>
#include <shim.h>

/* kmalloc() and kvmalloc() alike: malloc(), counted, and able to fail */
void *kvmalloc(size_t size, gfp_t gfp);
void *kvrealloc(const void *p, size_t size, gfp_t gfp);
void kvfree(const void *p);

#define KMALLOC_MAX_SIZE		(4UL << 20)

#define ZERO_SIZE_PTR			((void *)16)
#define ZERO_OR_NULL_PTR(p)		((unsigned long)(p) <= (unsigned long)ZERO_SIZE_PTR)

#define kvzalloc(size, gfp)		kvmalloc(size, (gfp) | __GFP_ZERO)
#define kvmalloc_array(n, size, gfp)	kvmalloc(size_mul(n, size), gfp)
#define kvcalloc(n, size, gfp)		kvmalloc(size_mul(n, size), (gfp) | __GFP_ZERO)
#define kmalloc(size, gfp)		kvmalloc(size, gfp)
#define kzalloc(size, gfp)		kvzalloc(size, gfp)
#define kmalloc_array(n, size, gfp)	kvmalloc_array(n, size, gfp)
#define kcalloc(n, size, gfp)		kvcalloc(n, size, gfp)
#define krealloc(p, size, gfp)		kvrealloc(p, size, gfp)
#define krealloc_array(p, n, size, gfp)	kvrealloc(p, size_mul(n, size), gfp)
#define kfree(p)			kvfree(p)
#define kfree_sensitive(p)		kvfree(p)
#define kvfree_sensitive(p, size)	kvfree(p)

#define __shim_gfp(_first, gfp, ...)	(gfp)
#define default_gfp(...)		__shim_gfp(0, ##__VA_ARGS__, GFP_KERNEL)
#define kvmalloc_obj(t, ...)		((typeof(t) *)kvmalloc(sizeof(t), default_gfp(__VA_ARGS__)))
#define kvzalloc_obj(t, ...)		((typeof(t) *)kvzalloc(sizeof(t), default_gfp(__VA_ARGS__)))
#define kvmalloc_objs(t, n, ...) \
	((typeof(t) *)kvmalloc_array(n, sizeof(t), default_gfp(__VA_ARGS__)))
#define kvzalloc_objs(t, n, ...) \
	((typeof(t) *)kvcalloc(n, sizeof(t), default_gfp(__VA_ARGS__)))
#define kvmalloc_flex(t, member, n, ...) \
	((typeof(t) *)kvmalloc(struct_size_t(typeof(t), member, n), default_gfp(__VA_ARGS__)))
#define kvzalloc_flex(t, member, n, ...) \
	((typeof(t) *)kvzalloc(struct_size_t(typeof(t), member, n), default_gfp(__VA_ARGS__)))
#define kmalloc_obj(...)		kvmalloc_obj(__VA_ARGS__)
#define kzalloc_obj(...)		kvzalloc_obj(__VA_ARGS__)
#define kmalloc_objs(...)		kvmalloc_objs(__VA_ARGS__)
#define kzalloc_objs(...)		kvzalloc_objs(__VA_ARGS__)
#define kmalloc_flex(...)		kvmalloc_flex(__VA_ARGS__)
#define kzalloc_flex(...)		kvzalloc_flex(__VA_ARGS__)

static inline bool slab_is_available(void)
{
	return true;
}

DEFINE_FREE(kfree, void *, if (!IS_ERR_OR_NULL(_T)) kvfree(_T))
DEFINE_FREE(kvfree, void *, if (!IS_ERR_OR_NULL(_T)) kvfree(_T))

#endif
