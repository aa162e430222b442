// SPDX-License-Identifier: GPL-2.0-only
/* See linux/xarray.h here. */
#include <string.h>
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/xarray.h>

/* What a reserved place holds */
#define RESERVED ((void *)2)

#define NODE_BITS	6
#define NODE_SLOTS	(1UL << NODE_BITS)

struct xa_simulated_node {
	unsigned int nr;
	void *slots[NODE_SLOTS];
};

static bool has_room(const struct xarray *xa, unsigned long index)
{
	unsigned int bits = xa->height * NODE_BITS;

	return bits >= BITS_PER_LONG || !(index >> bits);
}

static unsigned int slot_of(unsigned long index, unsigned int level)
{
	return index >> level * NODE_BITS & (NODE_SLOTS - 1);
}

/* Where the entry of @index is, or NULL */
static void **find(const struct xarray *xa, unsigned long index)
{
	struct xa_simulated_node *node = has_room(xa, index) ? xa->root : NULL;

	for (unsigned int level = xa->height; node && --level;)
		node = node->slots[slot_of(index, level)];
	return node && node->slots[slot_of(index, 0)] ? &node->slots[slot_of(index, 0)] : NULL;
}

static void *seen(void *entry)
{
	return entry == RESERVED ? NULL : entry;
}

/* Take out what is at @index, if anything is, and nodes that are empty then */
static void *remove_below(struct xa_simulated_node **link, unsigned int level, unsigned long index)
{
	struct xa_simulated_node *node = *link;
	void **slot, *old;

	if (!node)
		return NULL;
	slot = &node->slots[slot_of(index, level)];
	if (level) {
		old = remove_below((struct xa_simulated_node **)slot, level - 1, index);
	} else {
		old = *slot;
		*slot = NULL;
	}
	node->nr = 0;
	for (unsigned int i = 0; i < NODE_SLOTS && !node->nr; i++)
		node->nr += !!node->slots[i];
	if (!node->nr) {
		kvfree(node);
		*link = NULL;
	}
	return old;
}

/* As in the kernel, an xarray without entries holds no memory */
static void *remove(struct xarray *xa, unsigned long index)
{
	void *old = xa->height ? remove_below(&xa->root, xa->height - 1, index) : NULL;

	if (!xa->root)
		xa->height = 0;
	return seen(old);
}

/* @index has no entry yet */
static int insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct xa_simulated_node *node, **link = &xa->root;

	if (!(gfp & __GFP_NOFAIL) && shim_may_fail())
		return -ENOMEM;
	while (!xa->height || !has_room(xa, index)) {
		if (xa->root) {
			node = kvzalloc(sizeof(*node), gfp);
			if (!node)
				goto fail;
			node->slots[0] = xa->root;
			xa->root = node;
		}
		xa->height++;
	}
	for (unsigned int level = xa->height; level--;) {
		if (!*link)
			*link = kvzalloc(sizeof(*node), gfp);
		if (!*link)
			goto fail;
		link = (struct xa_simulated_node **)&(*link)->slots[slot_of(index, level)];
	}
	*link = (void *)entry;
	return 0;
fail:
	remove(xa, index);
	return -ENOMEM;
}

/* What is known of the entry at @index besides its pointer, or NULL */
static struct xa_simulated_range **find_range(struct xarray *xa, unsigned long index)
{
	struct xa_simulated_range **r = &xa->ranges;

	while (*r && (index < (*r)->first || index > (*r)->last))
		r = &(*r)->next;
	return r;
}

static unsigned long first_of(struct xarray *xa, unsigned long index)
{
	struct xa_simulated_range *r = *find_range(xa, index);

	return r ? r->first : index;
}

static struct xa_simulated_range *add_range(struct xarray *xa, unsigned long first,
					    unsigned long last)
{
	struct xa_simulated_range *r = kvzalloc(sizeof(*r), GFP_KERNEL | __GFP_NOFAIL);

	*r = (struct xa_simulated_range){ .next = xa->ranges, .first = first, .last = last };
	xa->ranges = r;
	return r;
}

static void remark(struct xarray *xa)
{
	struct xa_simulated_range *r;

	xa->xa_flags &= ~(XA_FLAGS_MARK(XA_MARK_0) | XA_FLAGS_MARK(XA_MARK_1) |
			  XA_FLAGS_MARK(XA_MARK_2));
	for (r = xa->ranges; r; r = r->next)
		for (unsigned int mark = 0; mark < 3; mark++)
			if (r->marks & (1u << mark))
				xa->xa_flags |= XA_FLAGS_MARK(mark);
}

static void drop_range(struct xarray *xa, unsigned long index)
{
	struct xa_simulated_range **r = find_range(xa, index), *gone = *r;

	if (!gone)
		return;
	*r = gone->next;
	kvfree(gone);
	remark(xa);
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	void **at = find(xa, first_of(xa, index));

	return at ? seen(*at) : NULL;
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void **at, *old;
	int ret;

	if (!entry)
		return xa_erase(xa, index);
	index = first_of(xa, index);
	at = find(xa, index);
	WARN_ON(IS_ERR(entry) || ((unsigned long)entry & 3) == 2);
	if (!at) {
		ret = insert(xa, index, entry, gfp);
		return ret ? ERR_PTR(ret) : NULL;
	}
	old = seen(*at);
	*at = entry;
	return old;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	unsigned long first = first_of(xa, index);

	drop_range(xa, index);
	return find(xa, first) ? remove(xa, first) : NULL;
}

int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	return find(xa, first_of(xa, index)) ? -EBUSY : insert(xa, index, entry ?: RESERVED, gfp);
}

int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp)
{
	for (u64 index = limit.min; index <= limit.max; index++) {
		if (!find(xa, index)) {
			*id = index;
			return insert(xa, index, entry ?: RESERVED, gfp);
		}
	}
	return -EBUSY;
}

int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp)
{
	return find(xa, first_of(xa, index)) ? 0 : insert(xa, index, RESERVED, gfp);
}

void xa_release(struct xarray *xa, unsigned long index)
{
	void **at = find(xa, index);

	if (at && *at == RESERVED)
		remove(xa, index);
}

/* The first entry from @index on; @index is below what @node is for */
static void *find_below(const struct xa_simulated_node *node, unsigned int level,
			unsigned long *index)
{
	unsigned long at = *index;
	void *entry;

	for (unsigned int i = slot_of(at, level); i < NODE_SLOTS; i++) {
		entry = node->slots[i];
		if (entry && level)
			entry = find_below(entry, level - 1, &at);
		if (seen(entry)) {
			*index = at;
			return entry;
		}
		/* The start of the next slot, unless there is none */
		at = ((at >> level * NODE_BITS) + 1) << level * NODE_BITS;
	}
	return NULL;
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter)
{
	unsigned long at = first_of(xa, *index);
	void *entry;

	for (;; at++) {
		if (!xa->root || !has_room(xa, at))
			return NULL;
		entry = find_below(xa->root, xa->height - 1, &at);
		if (!entry || at > max)
			return NULL;
		if (filter == XA_PRESENT || xa_get_mark(xa, at, filter))
			break;
		if (at == ULONG_MAX)
			return NULL;
	}
	if (at > *index)
		*index = at;
	return entry;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    xa_mark_t filter)
{
	struct xa_simulated_range *r = *find_range(xa, *index);
	unsigned long next = (r ? r->last : *index) + 1;
	void *entry;

	if (!next)
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
		for (at = first; xa_find(xa, &at, end, XA_PRESENT);)
			xa_erase(xa, at);
		ret = entry ? insert(xa, first, entry, gfp) : 0;
		if (!ret && entry && end > first)
			add_range(xa, first, end);
		if (ret || end == last)
			return ERR_PTR(ret);
	}
}

int xa_get_order(struct xarray *xa, unsigned long index)
{
	struct xa_simulated_range *r = *find_range(xa, index);

	return r ? ilog2(r->last - r->first + 1) : 0;
}

bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_simulated_range *r = *find_range(xa, index);

	return r && r->marks & (1u << mark);
}

/* As in the kernel, only entries have marks */
void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_simulated_range *r = *find_range(xa, index);

	if (!r && !xa_load(xa, index))
		return;
	if (!r)
		r = add_range(xa, index, index);
	r->marks |= 1u << mark;
	remark(xa);
}

void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_simulated_range *r = *find_range(xa, index);

	if (r)
		r->marks &= ~(1u << mark);
	remark(xa);
}

static void destroy_below(struct xa_simulated_node *node, unsigned int level)
{
	for (unsigned int i = 0; level && i < NODE_SLOTS; i++)
		if (node->slots[i])
			destroy_below(node->slots[i], level - 1);
	kvfree(node);
}

void xa_destroy(struct xarray *xa)
{
	if (xa->root)
		destroy_below(xa->root, xa->height - 1);
	while (xa->ranges)
		drop_range(xa, xa->ranges->first);
	xa_init_flags(xa, xa->xa_flags);
}
