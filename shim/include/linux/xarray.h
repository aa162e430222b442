/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A simulated xarray: a tree of nodes with 64 slots, as the kernel's. It keeps what
 * users can see of that: a store into a new place may fail, one into a reserved
 * place cannot, reserved places load as NULL; there are values, marks and entries
 * of several indices.
 */
#ifndef _SHIM_LINUX_XARRAY_H
#define _SHIM_LINUX_XARRAY_H

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/types.h>

typedef unsigned int xa_mark_t;

#define XA_MARK_0		0u
#define XA_MARK_1		1u
#define XA_MARK_2		2u
#define XA_MARK_MAX		XA_MARK_2
#define XA_PRESENT		8u
#define XA_FREE_MARK		XA_MARK_0
#define XA_FLAGS_TRACK_FREE	4u
#define XA_FLAGS_MARK(mark)	(1u << (27 + (mark)))
#define XA_FLAGS_ALLOC		(XA_FLAGS_TRACK_FREE | XA_FLAGS_MARK(XA_FREE_MARK))
#define XA_FLAGS_ALLOC1		(XA_FLAGS_TRACK_FREE | 16u)
#define XA_CHUNK_SHIFT		6
#define XA_CHUNK_MASK		((1UL << XA_CHUNK_SHIFT) - 1)

struct xa_simulated_node;

/* An entry of several indices, or one with marks; its pointer is at @first */
struct xa_simulated_range {
	struct xa_simulated_range *next;
	unsigned long first;
	unsigned long last;
	unsigned int marks;
};

/* @height: levels of nodes: there is room for indices below 64 to the power of it */
struct xarray {
	gfp_t xa_flags;		/* as in the kernel, with the marks that any entry has */
	struct xa_simulated_node *root;
	unsigned int height;
	struct xa_simulated_range *ranges;
};

struct xa_limit {
	u32 max;
	u32 min;
};

#define XARRAY_INIT(name, flags)	{ .xa_flags = (flags) }
#define DEFINE_XARRAY_FLAGS(name, flags)	struct xarray name = XARRAY_INIT(name, flags)
#define DEFINE_XARRAY(name)	DEFINE_XARRAY_FLAGS(name, 0)
#define DEFINE_XARRAY_ALLOC(name)	DEFINE_XARRAY_FLAGS(name, XA_FLAGS_ALLOC)
#define xa_limit_32b		((struct xa_limit){ 0xffffffffu, 0 })

void *xa_load(struct xarray *xa, unsigned long index);
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp);
int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp);
void xa_release(struct xarray *xa, unsigned long index);
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter);
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    xa_mark_t filter);
void *xa_store_range(struct xarray *xa, unsigned long first, unsigned long last, void *entry,
		     gfp_t gfp);
int xa_get_order(struct xarray *xa, unsigned long index);
bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void xa_destroy(struct xarray *xa);

static inline void xa_init_flags(struct xarray *xa, gfp_t flags)
{
	*xa = (struct xarray){ .xa_flags = flags };
}

static inline void xa_init(struct xarray *xa)
{
	xa_init_flags(xa, 0);
}

static inline bool xa_marked(const struct xarray *xa, xa_mark_t mark)
{
	return xa->xa_flags & XA_FLAGS_MARK(mark);
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

/* Pointers that the kernel's xarray takes for its own nodes */
static inline bool xa_is_internal(const void *entry)
{
	return ((unsigned long)entry & 3) == 2;
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

#define xa_for_each_marked(xa, index, entry, filter)			\
	for (index = 0, entry = xa_find(xa, &index, ~0UL, filter);	\
	     entry;							\
	     entry = xa_find_after(xa, &index, ~0UL, filter))

#endif
