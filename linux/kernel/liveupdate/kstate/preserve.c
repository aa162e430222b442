// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is handed over in place: preserved for the next kernel, taken over
 * from the one before, or between two owners.
 */

/**
 * DOC: memory that is handed over in place
 *
 * KHO preserves a page or does not: a second call for the same page succeeds,
 * and undoing one of the two undoes both. Each set therefore notes which pages
 * it preserves, and refuses to preserve one of them again: its owner could not
 * take back the one record without losing the memory of the other, and the next
 * kernel could restore only one of the two.
 */

#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#include "store.h"

/* Pages whose bits are in one chunk: 128 MiB of them if they have 4 KiB */
#define CHUNK_PAGES	(PAGE_SIZE * BITS_PER_BYTE)

/* The bits of a chunk stay until the set goes: most will be needed again */
static struct kstate_chunk *preserve_chunk(struct kstate_set *set, unsigned long pfn)
{
	unsigned long index = pfn / CHUNK_PAGES;
	struct kstate_chunk *chunk = &set->chunks[index % ARRAY_SIZE(set->chunks)];

	if (!chunk->bits || chunk->index != index) {
		chunk->bits = xa_load(&set->preserved, index);
		chunk->index = index;
	}
	return chunk;
}

/* Calls for a run of pages; @at is for preserve_find() */
typedef int (*preserve_run_fn)(struct kstate_set *set, unsigned long pfn, unsigned long nr,
			       unsigned long *at);

/* -EEXIST if one of the pages is preserved: @at is set to the first one */
static int preserve_find(struct kstate_set *set, unsigned long pfn, unsigned long nr,
			 unsigned long *at)
{
	const unsigned long *bits = preserve_chunk(set, pfn)->bits;
	unsigned long first = pfn % CHUNK_PAGES, found;

	found = bits ? find_next_bit(bits, first + nr, first) : first + nr;
	*at = pfn + found - first;
	return found < first + nr ? -EEXIST : 0;
}

static int preserve_mark(struct kstate_set *set, unsigned long pfn, unsigned long nr,
			 unsigned long *at)
{
	struct kstate_chunk *chunk = preserve_chunk(set, pfn);
	unsigned long *bits = chunk->bits;
	int ret;

	if (!bits) {
		bits = kvzalloc(PAGE_SIZE, GFP_KERNEL);
		if (!bits)
			return -ENOMEM;
		ret = xa_err(xa_store(&set->preserved, pfn / CHUNK_PAGES, bits, GFP_KERNEL));
		if (ret) {
			kvfree(bits);
			return ret;
		}
		chunk->bits = bits;
	}
	bitmap_set(bits, pfn % CHUNK_PAGES, nr);
	return 0;
}

static int preserve_clear(struct kstate_set *set, unsigned long pfn, unsigned long nr,
			  unsigned long *at)
{
	unsigned long *bits = preserve_chunk(set, pfn)->bits;

	if (bits)
		bitmap_clear(bits, pfn % CHUNK_PAGES, nr);
	return 0;
}

/* No run that @fn is called for has pages of two chunks */
static int preserve_pages(struct kstate_set *set, unsigned long pfn, unsigned long nr,
			  preserve_run_fn fn, unsigned long *at)
{
	unsigned long run;
	int ret;

	if (!nr || nr > ULONG_MAX - pfn || !pfn_valid(pfn) || !pfn_valid(pfn + nr - 1))
		return -EINVAL;
	for (; nr; nr -= run, pfn += run) {
		run = min(nr, CHUNK_PAGES - pfn % CHUNK_PAGES);
		ret = fn(set, pfn, run, at);
		if (ret)
			return ret;
	}
	return 0;
}

/* A module cannot ask how large an area is */
static struct page *area_page(const void *ptr)
{
	return is_vmalloc_addr(ptr) ? vmalloc_to_page(ptr) : NULL;
}

static int preserve_each(struct kstate_set *set, u8 kind, void *ptr, size_t nr,
			 preserve_run_fn fn, unsigned long *at)
{
	struct page *page;
	int ret = -EINVAL;

	switch (kind) {
	case KSTATE_EDGE_FOLIO:
		return preserve_pages(set, folio_pfn(ptr), folio_nr_pages(ptr), fn, at);
	case KSTATE_EDGE_PAGES:
		return preserve_pages(set, page_to_pfn((struct page *)ptr), nr, fn, at);
	case KSTATE_EDGE_VMALLOC:
		/* It ends where nothing is mapped: an area has a guard page behind it */
		for (page = area_page(ptr); page; ptr += PAGE_SIZE, page = area_page(ptr)) {
			ret = preserve_pages(set, page_to_pfn(page), 1, fn, at);
			if (ret)
				break;
		}
	}
	return ret;
}

static void preserve_undo(struct kstate_set *set, u8 kind, void *ptr, size_t nr)
{
	unsigned long at;

	guard(mutex)(&set->lock);
	preserve_each(set, kind, ptr, nr, preserve_clear, &at);
}

/* The memory of an edge of an outgoing set, as it was given to preserve it */
static void *preserve_memory(struct kstate_set *set, const struct kstate_edge *edge)
{
	struct page *page = pfn_to_page(PHYS_PFN(le64_to_cpu(edge->addr)));

	if (edge->kind == KSTATE_EDGE_VMALLOC)
		return xa_load(&set->areas, PHYS_PFN(le64_to_cpu(edge->addr)));
	return edge->kind == KSTATE_EDGE_FOLIO ? (void *)page_folio(page) : page;
}

/* Which record has a page? Only asked for when saving another one is refused */
struct preserve_search {
	struct kstate_set *set;
	unsigned long pfn;
};

static int preserve_overlaps(struct kstate_set *set, unsigned long pfn, unsigned long nr,
			     unsigned long *at)
{
	return *at >= pfn && *at < pfn + nr;
}

static int preserve_search_edge(struct kstate_edge *edge, u8 type, void *arg)
{
	struct preserve_search *s = arg;
	void *ptr = preserve_memory(s->set, edge);

	return ptr && preserve_each(s->set, edge->kind, ptr, le64_to_cpu(edge->size) >> PAGE_SHIFT,
				    preserve_overlaps, &s->pfn) > 0;
}

static bool preserve_search_record(struct preserve_search *s, struct kstate_stream *stream,
				   struct kstate_record *record, char *buf, size_t size)
{
	const struct kstate_schema *schema =
		kstate_known(s->set, le32_to_cpu(record->schema))->schema;
	struct kstate_visit visit = { .edge = preserve_search_edge, .arg = s };
	struct kstate_cursor tail = {
		.pos = kstate_record_payload(record),
		.end = (u8 *)(record + 1) + le32_to_cpu(record->size),
	};
	u8 *fixed = schema && schema->edges ? kstate_cursor_take(&tail, schema->size) : NULL;
	u32 i;
	int ret;

	if (!fixed)
		return false;
	for (i = 0; i < schema->nr_fields; i++) {
		const struct kstate_schema_field *f = &schema->fields[i];

		if (!kstate_has_data(f))
			continue;
		ret = kstate_wire_walk(schema, f, fixed, 0, f->count, &tail, &visit);
		if (ret > 0) {
			kstate_record_text(stream, record, buf, size);
			scnprintf(buf + strlen(buf), size - strlen(buf), ".%s", f->name);
		}
		if (ret)
			return ret > 0;
	}
	return false;
}

static bool preserve_search_stream(struct preserve_search *s, struct kstate_stream *stream,
				   char *buf, size_t size)
{
	struct kstate_record *record;
	u32 i;

	for (i = 0; i < stream->index.nr; i++)
		if (stream->index.slots[i].state == KSTATE_SLOT_FREE &&
		    preserve_search_record(s, stream, stream->index.slots[i].record, buf, size))
			return true;
	/* The other one may be of the very record that is being saved */
	record = stream->user == current ? kstate_stream_unfinished(stream) : NULL;
	return record && preserve_search_record(s, stream, record, buf, size);
}

/* Say which record has a page that @set preserves, as far as that is known */
static void preserve_owner(struct kstate_set *set, unsigned long pfn, char *buf, size_t size)
{
	struct preserve_search s = { .set = set, .pfn = pfn };
	struct kstate_stream *stream;
	bool found = false;

	guard(mutex)(&set->lock);
	list_for_each_entry(stream, &set->streams, list) {
		bool own = READ_ONCE(stream->user) == current;

		/* One that is busy keeps its secret: waiting for it might be waiting for us */
		if (!own && !mutex_trylock(&stream->lock))
			continue;
		found = preserve_search_stream(&s, stream, buf, size);
		if (!own)
			mutex_unlock(&stream->lock);
		if (found)
			return;
	}
	strscpy(buf, "another record", size);
}

/*
 * The short way if no set is beside: whether the pages, which there are, are noted now, and were
 * not before
 */
static __always_inline bool preserve_quick(struct kstate_set *set, unsigned long pfn,
					   unsigned long nr)
{
	unsigned long first = pfn % CHUNK_PAGES, end = first + nr, *bits;

	bits = preserve_chunk(set, pfn)->bits;
	if (!bits)
		return false;
	if (nr == 1)
		return !__test_and_set_bit(first, bits);
	if (nr > CHUNK_PAGES - first || find_next_bit(bits, end, first) < end)
		return false;
	bitmap_set(bits, first, nr);
	return true;
}

/* Note that @set preserves the memory, unless it or the one beside it does already */
static noinline int preserve_note(struct kstate_set *set, const struct kstate_where *where,
				  const struct kstate_path *path, u8 kind, void *ptr, size_t nr)
{
	struct kstate_set *owner = set->beside;
	char first[3 * KSTATE_MAX_NAME];
	unsigned long at;
	int ret = 0;

	if (owner) {
		guard(mutex)(&owner->lock);
		ret = preserve_each(owner, kind, ptr, nr, preserve_find, &at);
	}
	if (!ret) {
		owner = set;
		guard(mutex)(&set->lock);
		ret = preserve_each(set, kind, ptr, nr, preserve_find, &at);
		if (!ret)
			ret = preserve_each(set, kind, ptr, nr, preserve_mark, &at);
		if (ret == -ENOMEM)
			preserve_each(set, kind, ptr, nr, preserve_clear, &at);
	}
	if (ret == -EEXIST) {
		preserve_owner(owner, at, first, sizeof(first));
		kstate_fail(where, path, KSTATE_EDGE, ret,
			    "memory that nothing else hands over\n%s", first);
	}
	return ret;
}

/**
 * kstate_set_preserve() - preserve memory for the next kernel
 * @set: an outgoing set
 * @where: for messages
 * @path: of the field, or NULL
 * @kind: &enum kstate_edge_kind
 * @ptr: a folio, the first of some pages, or an area
 * @nr: number of pages
 * @edge: set to how the next kernel finds it; it has to be in the record, also in one
 *	that is not complete, before the next call
 *
 * Context: takes kstate_set.lock; allocates.
 * Return: 0; -EEXIST if a record of the set has some of the memory already; another
 * negative error code.
 */
int kstate_set_preserve(struct kstate_set *set, const struct kstate_where *where,
			const struct kstate_path *path, u8 kind, void *ptr, size_t nr,
			struct kstate_edge *edge)
{
	struct kstate_edge made = { .kind = kind };
	int ret = -EAGAIN;

	if (kind != KSTATE_EDGE_VMALLOC && !set->beside) {
		guard(mutex)(&set->lock);
		if (preserve_quick(set, page_to_pfn((struct page *)ptr),
				   kind == KSTATE_EDGE_FOLIO ? folio_nr_pages(ptr) : nr))
			ret = 0;
	}
	if (ret)
		ret = preserve_note(set, where, path, kind, ptr, nr);
	if (ret == -EEXIST)
		return ret;
	if (!ret) {
		ret = set->transport->preserve(kind, ptr, nr, &made);
		if (!ret && kind == KSTATE_EDGE_VMALLOC) {
			ret = xa_err(xa_store(&set->areas, PHYS_PFN(le64_to_cpu(made.addr)), ptr,
					      GFP_KERNEL));
			if (ret)
				set->transport->unpreserve(&made);
		}
		if (ret)
			preserve_undo(set, kind, ptr, nr);
	}
	if (ret == -ENOSPC)
		return kstate_fail(where, path, KSTATE_EDGE, ret, "room in %s\nnone left",
				   set->transport->name);
	if (ret)
		return kstate_fail(where, path, ret == -ENOMEM ? KSTATE_NO_MEMORY : KSTATE_EDGE,
				   ret, "memory that %s can preserve\nerror %d",
				   set->transport->name, ret);
	*edge = made;
	return 0;
}

/* Preserve the first runs: single pages at once, if the transport can. How many; 0 if it fails */
static u32 preserve_first_runs(const struct kstate_transport *t,
			       const struct kstate_folio_run *runs, const unsigned long *pfns,
			       u32 nr)
{
	u32 count = kstate_run_count(runs), n = 0;
	struct kstate_edge edge;

	while (t->preserve_each && n < nr && kstate_run_count(&runs[n]) == 1)
		n++;
	if (n)
		return t->preserve_each(pfns, n) ? 0 : n;
	return !t->preserve(count == 1 ? KSTATE_EDGE_FOLIO : KSTATE_EDGE_PAGES,
			    pfn_to_page(pfns[0]), count, &edge);
}

/**
 * kstate_stream_preserve_runs() - preserve many pages at once, as long as nothing is in the way
 * @stream: a stream of an outgoing set
 * @runs: runs of folios of order 0
 * @nr: how many, at most %KSTATE_RUNS_AT_ONCE
 *
 * Context: takes kstate_set.lock; allocates.
 * Return: how many have been preserved; what is in the way of the next one,
 * kstate_stream_preserve() finds out.
 */
u32 kstate_stream_preserve_runs(struct kstate_stream *stream, const struct kstate_folio_run *runs,
				u32 nr)
{
	unsigned long pfns[KSTATE_RUNS_AT_ONCE] __uninitialized;
	struct kstate_set *set = stream->set;
	u32 noted, done = 0, n = 1, i;

	scoped_guard(mutex, &set->lock) {
		for (noted = 0; noted < nr && !set->beside; noted++) {
			pfns[noted] = kstate_run_pfn(&runs[noted]);
			if (!preserve_quick(set, pfns[noted], kstate_run_count(&runs[noted])))
				break;
		}
	}
	for (; done < noted && n; done += n)
		n = preserve_first_runs(set->transport, runs + done, pfns + done, noted - done);
	for (i = done; i < noted; i++)
		preserve_undo(set, KSTATE_EDGE_PAGES, pfn_to_page(pfns[i]),
			      kstate_run_count(&runs[i]));
	return done;
}

/**
 * kstate_set_unpreserve() - undo kstate_set_preserve()
 * @set: the outgoing set
 * @edge: what kstate_set_preserve() made
 *
 * Context: takes kstate_set.lock.
 */
void kstate_set_unpreserve(struct kstate_set *set, const struct kstate_edge *edge)
{
	void *ptr = preserve_memory(set, edge);

	if (edge->kind == KSTATE_EDGE_VMALLOC)
		xa_erase(&set->areas, PHYS_PFN(le64_to_cpu(edge->addr)));
	set->transport->unpreserve(edge);
	if (ptr)
		preserve_undo(set, edge->kind, ptr, le64_to_cpu(edge->size) >> PAGE_SHIFT);
}

/**
 * kstate_set_forget_memory() - free what a set knows of its memory
 * @set: the set; memory that is between two owners is freed, too
 */
void kstate_set_forget_memory(struct kstate_set *set)
{
	struct kstate_parked *parked;
	unsigned long index;
	void *bits;

	xa_for_each(&set->parked, index, parked) {
		set->transport->release(&parked->edge, parked->ptr);
		kfree(parked);
	}
	xa_for_each(&set->preserved, index, bits)
		kvfree(bits);
	xa_destroy(&set->parked);
	xa_destroy(&set->preserved);
	xa_destroy(&set->areas);
}

/**
 * kstate_set_park() - keep memory that was taken over for the next attempt
 * @set: the set
 * @edge: how the record names it
 * @ptr: the memory
 *
 * Context: takes kstate_set.lock.
 */
void kstate_set_park(struct kstate_set *set, const struct kstate_edge *edge, void *ptr)
{
	struct kstate_parked *parked = kmalloc_obj(*parked, GFP_KERNEL | __GFP_NOFAIL);

	parked->edge = *edge;
	parked->ptr = ptr;
	guard(mutex)(&set->lock);
	WARN_ON_ONCE(xa_store(&set->parked, PHYS_PFN(le64_to_cpu(edge->addr)), parked,
			      GFP_KERNEL | __GFP_NOFAIL));
}

/**
 * kstate_set_parked() - memory that was taken over before
 * @set: the set
 * @edge: how the record names it
 * @take: whether it is now the caller's
 *
 * Context: takes kstate_set.lock.
 * Return: the memory, or NULL if it has not been taken over.
 */
void *kstate_set_parked(struct kstate_set *set, const struct kstate_edge *edge, bool take)
{
	unsigned long index = PHYS_PFN(le64_to_cpu(edge->addr));
	struct kstate_parked *parked;
	void *ptr;

	guard(mutex)(&set->lock);
	parked = xa_load(&set->parked, index);
	if (!parked || memcmp(&parked->edge, edge, sizeof(*edge)))
		return NULL;
	ptr = parked->ptr;
	if (take) {
		xa_erase(&set->parked, index);
		kfree(parked);
	}
	return ptr;
}

/**
 * kstate_set_take() - take over memory that the kernel before this one preserved
 * @set: an incoming set
 * @edge: the memory
 * @ptr: set to it
 *
 * Context: takes kstate_set.lock; may allocate.
 * Return: 0, or a negative error code.
 */
int kstate_set_take(struct kstate_set *set, const struct kstate_edge *edge, void **ptr)
{
	*ptr = xa_empty(&set->parked) ? NULL : kstate_set_parked(set, edge, true);
	if (*ptr)
		return 0;
	return set->transport->check(edge) ?: set->transport->take(edge, ptr);
}

/**
 * kstate_set_discard_edge() - free memory that has no owner
 * @set: the set
 * @edge: the memory
 */
void kstate_set_discard_edge(struct kstate_set *set, struct kstate_edge *edge)
{
	void *ptr;

	if (!kstate_set_take(set, edge, &ptr))
		set->transport->release(edge, ptr);
}

/**
 * kstate_release_memory() - free memory of this kernel that an edge was for
 * @edge: what kind of memory and how much
 * @ptr: a folio, a page or an area
 */
void kstate_release_memory(const struct kstate_edge *edge, void *ptr)
{
	struct page *page = ptr;
	u64 nr;

	switch (edge->kind) {
	case KSTATE_EDGE_FOLIO:
		folio_put(ptr);
		break;
	case KSTATE_EDGE_PAGES:
		for (nr = le64_to_cpu(edge->size) >> PAGE_SHIFT; nr; nr--)
			__free_page(page++);
		break;
	case KSTATE_EDGE_VMALLOC:
		vfree(ptr);
		break;
	}
}
