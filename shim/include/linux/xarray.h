/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A simulated xarray: a tree of nodes with 64 slots, as the kernel's. It keeps what
 * users can see of that: that a store into a new place may fail, that one into a
 * reserved place cannot, that reserved places load as NULL.
 */
#ifndef _SHIM_LINUX_XARRAY_H
#define _SHIM_LINUX_XARRAY_H

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/types.h>

struct xa_simulated_node;

/* @height: levels of nodes: there is room for indices below 64 to the power of it */
struct xarray {
	struct xa_simulated_node *root;
	unsigned int height;
};

struct xa_limit {
	u32 max;
	u32 min;
};

#define XA_FLAGS_ALLOC		1u
#define XA_FLAGS_ALLOC1		2u
#define XARRAY_INIT(name, flags)	{ NULL, 0 }
#define DEFINE_XARRAY(name)	struct xarray name = { NULL, 0 }
#define DEFINE_XARRAY_ALLOC(name)	DEFINE_XARRAY(name)
#define xa_limit_32b		((struct xa_limit){ 0xffffffffu, 0 })

void *xa_load(struct xarray *xa, unsigned long index);
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp);
int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp);
void xa_release(struct xarray *xa, unsigned long index);
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, unsigned int filter);
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    unsigned int filter);
void xa_destroy(struct xarray *xa);

#define XA_PRESENT		8u

static inline void xa_init(struct xarray *xa)
{
	xa->root = NULL;
	xa->height = 0;
}

static inline void xa_init_flags(struct xarray *xa, gfp_t flags)
{
	xa_init(xa);
}

static inline bool xa_empty(const struct xarray *xa)
{
	return !xa->root;
}

static inline bool xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}

static inline void *xa_mk_value(unsigned long v)
{
	return (void *)(v << 1 | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

static inline bool xa_is_err(const void *entry)
{
	return IS_ERR(entry);
}

static inline int xa_err(void *entry)
{
	return IS_ERR(entry) ? PTR_ERR(entry) : 0;
}

#define xa_lock(xa)		do { } while (0)
#define xa_unlock(xa)		do { } while (0)

#define xa_for_each(xa, index, entry)					\
	for (index = 0, entry = xa_find(xa, &index, ~0UL, XA_PRESENT);	\
	     entry;							\
	     entry = xa_find_after(xa, &index, ~0UL, XA_PRESENT))

#endif
