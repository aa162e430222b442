// SPDX-License-Identifier: GPL-2.0-only
/* See linux/xarray.h here. */
#include <string.h>
#include <linux/bug.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/xarray.h>

/* What a reserved place holds */
#define RESERVED ((void *)2)

/* The first entry that is at @index or behind it */
static unsigned long find(const struct xarray *xa, unsigned long index)
{
	unsigned long low = 0, high = xa->nr;

	/* Most callers go through indices from the smallest on */
	if (high && xa->entries[high - 1].last < index)
		return high;
	while (low < high) {
		unsigned long mid = (low + high) / 2;

		if (xa->entries[mid].last < index)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool holds(const struct xarray *xa, unsigned long at, unsigned long index)
{
	return at < xa->nr && xa->entries[at].index <= index;
}

static void *seen(void *entry)
{
	return entry == RESERVED ? NULL : entry;
}

static int insert_range(struct xarray *xa, unsigned long at, unsigned long index,
			unsigned long last, void *entry)
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
	xa->entries[at] = (struct xa_simulated_entry){
		.index = index, .last = last, .ptr = entry,
	};
	xa->nr++;
	return 0;
}

static int insert(struct xarray *xa, unsigned long at, unsigned long index, void *entry)
{
	return insert_range(xa, at, index, index, entry);
}

static void update_marks(struct xarray *xa)
{
	bool track_free = xa->xa_flags & XA_FLAGS_TRACK_FREE;
	unsigned int marks = 0;

	for (unsigned long at = 0; at < xa->nr; at++)
		marks |= xa->entries[at].marks;
	for (xa_mark_t mark = XA_MARK_0; mark <= XA_MARK_2; mark++) {
		if (track_free && mark == XA_FREE_MARK)
			continue;
		xa->xa_flags &= ~XA_FLAGS_MARK(mark);
		if (marks & (1u << mark))
			xa->xa_flags |= XA_FLAGS_MARK(mark);
	}
}

/* As in the kernel, an xarray without entries holds no memory */
static void *remove(struct xarray *xa, unsigned long at)
{
	void *old = xa->entries[at].ptr;
	bool marked = xa->entries[at].marks;

	xa->nr--;
	memmove(xa->entries + at, xa->entries + at + 1, (xa->nr - at) * sizeof(*xa->entries));
	if (!xa->nr)
		xa_destroy(xa);
	else if (marked)
		update_marks(xa);
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
	WARN_ON(xa_is_internal(entry));
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

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter)
{
	for (unsigned long at = find(xa, *index); at < xa->nr; at++) {
		const struct xa_simulated_entry *e = &xa->entries[at];

		if (e->index > max)
			break;
		if (!seen(e->ptr) || (filter != XA_PRESENT && !(e->marks & (1u << filter))))
			continue;
		if (*index < e->index)
			*index = e->index;
		return e->ptr;
	}
	return NULL;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    xa_mark_t filter)
{
	unsigned long at = find(xa, *index), next = *index;
	void *entry;

	/* Not the other indices of the same entry */
	if (holds(xa, at, *index))
		next = xa->entries[at].last;
	if (!++next)
		return NULL;
	entry = xa_find(xa, &next, max, filter);
	if (entry)
		*index = next;
	return entry;
}

/* How much of a range one entry can take: some neighbouring slots of a node */
static unsigned long range_last(unsigned long first, unsigned long last)
{
	unsigned long at = first, size;
	unsigned int shift = 0;

	while (!(at & XA_CHUNK_MASK) && shift + XA_CHUNK_SHIFT < BITS_PER_LONG &&
	       last - first >= (1UL << (shift + XA_CHUNK_SHIFT)) - 1) {
		shift += XA_CHUNK_SHIFT;
		at >>= XA_CHUNK_SHIFT;
	}
	/* All indices there are cannot be counted */
	size = last - first == ULONG_MAX ? 1UL << (BITS_PER_LONG - shift) :
					   (last - first + 1) >> shift;
	size = min(size, XA_CHUNK_MASK + 1 - (at & XA_CHUNK_MASK));
	return first + (size << shift) - 1;
}

/* As in the kernel, a range that no single entry can take is several ones */
void *xa_store_range(struct xarray *xa, unsigned long first, unsigned long last, void *entry,
		     gfp_t gfp)
{
	unsigned long at, end;
	int ret;

	if (last < first)
		return ERR_PTR(-EINVAL);
	for (;; first = end + 1) {
		end = range_last(first, last);
		at = find(xa, first);
		while (at < xa->nr && xa->entries[at].index <= end)
			remove(xa, at);
		ret = entry ? insert_range(xa, at, first, end, entry) : 0;
		if (ret || end == last)
			return ERR_PTR(ret);
	}
}

int xa_get_order(struct xarray *xa, unsigned long index)
{
	unsigned long at = find(xa, index);

	return holds(xa, at, index) ?
		ilog2(xa->entries[at].last - xa->entries[at].index + 1) : 0;
}

bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	unsigned long at = find(xa, index);

	return holds(xa, at, index) && xa->entries[at].marks & (1u << mark);
}

/* As in the kernel, only entries have marks */
void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	unsigned long at = find(xa, index);

	if (holds(xa, at, index))
		xa->entries[at].marks |= 1u << mark;
	update_marks(xa);
}

void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	unsigned long at = find(xa, index);

	if (holds(xa, at, index))
		xa->entries[at].marks &= ~(1u << mark);
	update_marks(xa);
}

void xa_destroy(struct xarray *xa)
{
	kvfree(xa->entries);
	xa_init_flags(xa, xa->xa_flags);
	update_marks(xa);
}
