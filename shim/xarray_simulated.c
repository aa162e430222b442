// SPDX-License-Identifier: GPL-2.0-only
/* See linux/xarray.h here. */
#include <string.h>
#include <linux/bug.h>
#include <linux/slab.h>
#include <linux/xarray.h>

/* What a reserved place holds */
#define RESERVED ((void *)2)

static unsigned long find(const struct xarray *xa, unsigned long index)
{
	unsigned long low = 0, high = xa->nr;

	/* Most callers go through indices from the smallest on */
	if (high && xa->entries[high - 1].index < index)
		return high;
	while (low < high) {
		unsigned long mid = (low + high) / 2;

		if (xa->entries[mid].index < index)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool holds(const struct xarray *xa, unsigned long at, unsigned long index)
{
	return at < xa->nr && xa->entries[at].index == index;
}

static void *seen(void *entry)
{
	return entry == RESERVED ? NULL : entry;
}

static int insert(struct xarray *xa, unsigned long at, unsigned long index, void *entry)
{
	if (shim_may_fail())
		return -ENOMEM;
	if (xa->nr == xa->room) {
		unsigned long room = xa->room ? 2 * xa->room : 4;
		void *entries = kvrealloc(xa->entries, room * sizeof(*xa->entries), GFP_KERNEL);

		if (!entries)
			return -ENOMEM;
		xa->entries = entries;
		xa->room = room;
	}
	memmove(xa->entries + at + 1, xa->entries + at, (xa->nr - at) * sizeof(*xa->entries));
	xa->entries[at] = (struct xa_simulated_entry){ index, entry };
	xa->nr++;
	return 0;
}

/* As in the kernel, an xarray without entries holds no memory */
static void *remove(struct xarray *xa, unsigned long at)
{
	void *old = xa->entries[at].ptr;

	xa->nr--;
	memmove(xa->entries + at, xa->entries + at + 1, (xa->nr - at) * sizeof(*xa->entries));
	if (!xa->nr)
		xa_destroy(xa);
	return seen(old);
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	unsigned long at = find(xa, index);

	return holds(xa, at, index) ? seen(xa->entries[at].ptr) : NULL;
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	unsigned long at = find(xa, index);
	void *old;
	int ret;

	if (!entry)
		return xa_erase(xa, index);
	WARN_ON(IS_ERR(entry) || ((unsigned long)entry & 3) == 2);
	if (!holds(xa, at, index)) {
		ret = insert(xa, at, index, entry);
		return ret ? ERR_PTR(ret) : NULL;
	}
	old = seen(xa->entries[at].ptr);
	xa->entries[at].ptr = entry;
	return old;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	unsigned long at = find(xa, index);

	return holds(xa, at, index) ? remove(xa, at) : NULL;
}

int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	unsigned long at = find(xa, index);

	if (holds(xa, at, index))
		return -EBUSY;
	return insert(xa, at, index, entry ?: RESERVED);
}

int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp)
{
	for (u64 index = limit.min; index <= limit.max; index++) {
		unsigned long at = find(xa, index);

		if (!holds(xa, at, index)) {
			*id = index;
			return insert(xa, at, index, entry ?: RESERVED);
		}
	}
	return -EBUSY;
}

int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp)
{
	unsigned long at = find(xa, index);

	return holds(xa, at, index) ? 0 : insert(xa, at, index, RESERVED);
}

void xa_release(struct xarray *xa, unsigned long index)
{
	unsigned long at = find(xa, index);

	if (holds(xa, at, index) && xa->entries[at].ptr == RESERVED)
		remove(xa, at);
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, unsigned int filter)
{
	for (unsigned long at = find(xa, *index); at < xa->nr; at++) {
		if (xa->entries[at].index > max)
			break;
		if (!seen(xa->entries[at].ptr))
			continue;
		*index = xa->entries[at].index;
		return xa->entries[at].ptr;
	}
	return NULL;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    unsigned int filter)
{
	unsigned long next = *index + 1;
	void *entry;

	if (!next)
		return NULL;
	entry = xa_find(xa, &next, max, filter);
	if (entry)
		*index = next;
	return entry;
}

void xa_destroy(struct xarray *xa)
{
	kvfree(xa->entries);
	xa_init(xa);
}
