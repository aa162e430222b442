// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of what restoring writes and acquires: filled, applied, undone.
 */

/**
 * DOC: the log
 *
 * Checking a record (restore.c) adds entries. Memory that this restore has allocated
 * is written to at once and needs none. The first chunk of a log is in its context,
 * because most objects need a few entries.
 *
 * Applying executes the log, entry by entry. It decides nothing, so that what is
 * applied is what was checked. Undoing goes through the log from its end: it
 * puts back the bytes that were overwritten, if it was applied, frees what was
 * allocated, and parks the memory that was taken over for the next attempt.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "log.h"

#define LOG_CHUNK	((PAGE_SIZE - 16) / sizeof(struct kstate_log_entry))
#define LOG_FIRST	((sizeof_field(struct kstate_restore_ctx, first) - 16) / \
			 sizeof(struct kstate_log_entry))

struct kstate_log_chunk {
	struct kstate_log_chunk *before;
	u32 nr;
	struct kstate_log_entry entries[];
};

/* Room for one more entry, or NULL without memory. Most objects need a few */
static struct kstate_log_entry *log_add(struct kstate_restore_ctx *w)
{
	struct kstate_log_chunk *chunk = w->log;

	if (!chunk || chunk->nr == (chunk->before ? LOG_CHUNK : LOG_FIRST)) {
		chunk = chunk ? kmalloc(struct_size(chunk, entries, LOG_CHUNK), GFP_KERNEL) :
				(void *)w->first;
		if (!chunk)
			return NULL;
		if (!w->log) {
			w->old = NULL;
			w->old_size = 0;
			w->applied = false;
			w->calls = false;
		}
		chunk->before = w->log;
		chunk->nr = 0;
		w->log = chunk;
	}
	return &chunk->entries[chunk->nr++];
}

/* The frames are on the stack now, and will not be when the function of @entry is called */
static int log_frames(struct kstate_restore_ctx *w, struct kstate_log_entry *entry)
{
	const struct kstate_frame *frame = w->where.frame, **copy = &entry->at;
	struct kstate_log_entry *e;

	for (; frame; frame = frame->up) {
		e = log_add(w);
		if (!e)
			return no_memory(w, entry->op);
		*e = (struct kstate_log_entry){ .what = LOG_FRAME, .frame = *frame };
		*copy = &e->frame;
		copy = &e->frame.up;
	}
	return 0;
}

int kstate_log_put(struct kstate_restore_ctx *w, struct kstate_log_entry entry)
{
	struct kstate_log_entry *e;

	if (entry.what >= LOG_COUNT && w->where.frame && log_frames(w, &entry))
		return -ENOMEM;
	e = log_add(w);
	if (!e)
		return no_memory(w, entry.what == LOG_EDGE || entry.what == LOG_PLAN ? NULL :
								entry.op);
	*e = entry;
	if (entry.what <= LOG_HEAD)
		w->old_size += ALIGN(entry.size, 8);
	w->calls |= entry.what >= LOG_COUNT;
	return 0;
}

/* Nodes of both kinds of lists begin with the pointer to the next one */
static_assert(!offsetof(struct list_head, next) && !offsetof(struct hlist_node, next));

static void *next_link(const struct kstate_log_entry *e, void **link)
{
	return link == e->last ? NULL : *link;
}

static void log_link(const struct kstate_log_entry *e)
{
	void *link, *next, *before = NULL;

	for (link = e->first; link; before = link, link = next) {
		next = next_link(e, link);
		if (e->op->to->bind->kind == KS_LIST)
			list_add_tail(link, e->dst);
		else if (before)
			hlist_add_behind(link, before);
		else
			hlist_add_head(link, e->dst);
	}
}

static void log_execute(const struct kstate_log_entry *e)
{
	switch (e->what) {
	case LOG_WRITE:
	case LOG_COPY:
		kstate_copy(e->dst, e->src, e->size);
		break;
	case LOG_PLAN:
		kstate_restore_copies(e->plan, e->src, e->dst);
		break;
	case LOG_STORE:
		kstate_mem_store(e->dst, e->size, e->val);
		break;
	case LOG_ZERO:
		memset(e->dst, 0, e->size);
		break;
	case LOG_INTS:
		kstate_convert_ints(e->dst, e->op->dst, e->op->msize, e->src, e->op->src,
				    e->op->wsize, e->val);
		break;
	case LOG_HEAD:
		if (e->val)
			INIT_LIST_HEAD(e->dst);
		break;
	case LOG_LIST:
		log_link(e);
		break;
	case LOG_INDEX:
		/* It was reserved: this cannot fail */
		xa_store(e->dst, e->val, e->src, GFP_KERNEL);
		break;
	case LOG_INIT:
		e->op->to[e->val].ref->desc->init(e->dst);
		break;
	}
}

/* A write: at once, if this restore has allocated the memory */
int kstate_log_write(struct kstate_restore_ctx *w, struct kstate_log_entry entry)
{
	if (!w->fresh)
		return kstate_log_put(w, entry);
	log_execute(&entry);
	return 0;
}

int kstate_restore_write(struct kstate_restore_ctx *w, void *dst, const void *src, u32 size)
{
	return kstate_log_write(w, (struct kstate_log_entry){
		.what = LOG_WRITE, .dst = dst, .src = (void *)src, .size = size });
}

int kstate_restore_store(struct kstate_restore_ctx *w, void *dst, u64 val, u32 size)
{
	return kstate_log_write(w, (struct kstate_log_entry){
		.what = LOG_STORE, .dst = dst, .val = val, .size = size });
}

int kstate_restore_zero(struct kstate_restore_ctx *w, void *dst, u32 size)
{
	return kstate_log_write(w, (struct kstate_log_entry){
		.what = LOG_ZERO, .dst = dst, .size = size });
}

/* The head of a list, before entries are added; it may be zero */
int kstate_restore_head(struct kstate_restore_ctx *w, void *head, u32 size)
{
	return kstate_log_write(w, (struct kstate_log_entry){
		.what = LOG_HEAD, .dst = head, .size = size,
		.val = size == sizeof(struct list_head) && !kstate_held(w, head) });
}

/* Entries for the list @head, or NULL without memory */
struct kstate_log_entry *kstate_restore_list(struct kstate_restore_ctx *w,
					     const struct kstate_op *op, void *head)
{
	struct kstate_log_entry entry = { .what = LOG_LIST, .dst = head, .op = op };

	return kstate_log_put(w, entry) ? NULL : &w->log->entries[w->log->nr - 1];
}

/* @elem, which is the log's from now on, becomes the last of them */
void kstate_restore_link(struct kstate_log_entry *e, void *elem)
{
	void **link = elem + e->op->to->bind->link;

	if (e->last)
		*e->last = link;
	else
		e->first = link;
	e->last = link;
}

/* @elem, which is the log's from now on, becomes an entry of an xarray */
int kstate_restore_reserve(struct kstate_restore_ctx *w, const struct kstate_op *op, void *xa,
			   unsigned long index, void *elem)
{
	struct kstate_log_entry entry = {
		.what = LOG_INDEX, .dst = xa, .src = elem, .val = index, .op = op,
	};

	if (xa_reserve(xa, index, GFP_KERNEL)) {
		kvfree(elem);
		return no_memory(w, op);
	}
	if (kstate_log_put(w, entry)) {
		xa_release(xa, index);
		kvfree(elem);
		return -ENOMEM;
	}
	return 0;
}

/* Once all is written, the function of the field has to count @n elements as well */
int kstate_restore_count(struct kstate_restore_ctx *w, const struct kstate_op *op, void *member,
			 u32 n)
{
	return kstate_log_put(w, (struct kstate_log_entry){
		.what = LOG_COUNT, .dst = member, .val = n, .op = op });
}

/* Memory for @n elements, initialized; with @keep it is the log's */
void *kstate_restore_alloc(struct kstate_restore_ctx *w, const struct kstate_op *op, u32 n,
			   bool keep)
{
	const struct kstate_schema *ref = op->to->ref;
	u64 size = (u64)n * op->msize;
	void *elems = size <= KSTATE_MAX_ALLOC ? kvzalloc(size, GFP_KERNEL) : NULL;
	struct kstate_log_entry entry = { .what = LOG_MEMORY };
	u32 i;

	if (!elems) {
		no_memory(w, op);
		return NULL;
	}
	for (i = 0; ref && ref->desc->init && i < n; i++)
		ref->desc->init(elems + (size_t)i * op->msize);
	entry.src = elems;
	if (keep && kstate_log_put(w, entry)) {
		kvfree(elems);
		return NULL;
	}
	return elems;
}

/* Chunks are linked from the last one: the other way round for a while */
static struct kstate_log_chunk *log_reverse(struct kstate_log_chunk *chunk)
{
	struct kstate_log_chunk *reversed = NULL, *before;

	for (; chunk; chunk = before) {
		before = chunk->before;
		chunk->before = reversed;
		reversed = chunk;
	}
	return reversed;
}

/* Keep the bytes that a write is about to overwrite at @old, or put them @back */
static void log_keep(const struct kstate_log_entry *e, u8 *old, bool back)
{
	const struct kstate_op whole = { .count = e->size }, *op = &whole, *end = op + 1;

	if (e->what == LOG_PLAN) {
		op = e->plan->ops;
		end = op + e->plan->copies;
	}
	for (; op < end; old += op->count, op++)
		memcpy(back ? e->dst + op->mem : old, back ? old : e->dst + op->mem, op->count);
}

static int log_call(struct kstate_restore_ctx *w, const struct kstate_log_entry *e)
{
	const struct kstate_field *field;
	int n, ret;

	w->where.frame = e->at;
	if (e->what == LOG_RESTORED) {
		ret = min(e->op->desc->restored(e->dst), 0);
		return ret ? kstate_fail(&w->where, e->op->path, KSTATE_CALLBACK, ret,
					 "an object that its description takes\nerror %d", ret) : 0;
	}
	field = e->op->to->bind;
	n = field->count(e->dst - field->offset);
	/* Of pointers, those behind the last one that is not NULL do not matter */
	if (n == e->val || (n > (s64)e->val && e->op->to->container == KS_C_POINTERS))
		return 0;
	return kstate_fail(&w->where, e->op->path, KSTATE_NO_ROOM, -ENOSPC,
			   "%llu elements, as the record has them\n%d by the function of the field",
			   e->val, n);
}

/**
 * kstate_restore_apply() - restore what has been checked
 * @w: what kstate_restore_check() left
 *
 * Context: w->keep decides whether kstate_restore_undo() can take it back, which
 * it can in any case if the description has functions that may refuse.
 * Return: 0; otherwise kstate_restore_undo() has to be called: -ENOMEM before
 * anything was written, or what a function of the description returned.
 */
int kstate_restore_apply(struct kstate_restore_ctx *w)
{
	struct kstate_log_chunk *first, *chunk;
	u64 at = 0;
	u32 i;
	int ret = 0;

	if ((w->keep || w->calls) && w->old_size) {
		w->old = kvmalloc(w->old_size, GFP_KERNEL);
		if (!w->old)
			return no_memory(w, NULL);
	}
	first = log_reverse(w->log);
	for (chunk = first; chunk; chunk = chunk->before) {
		for (i = 0; i < chunk->nr; i++) {
			struct kstate_log_entry *e = &chunk->entries[i];

			if (w->old && e->what <= LOG_HEAD) {
				log_keep(e, w->old + at, false);
				at += ALIGN(e->size, 8);
			}
			log_execute(e);
		}
	}
	for (chunk = first; w->calls && chunk && !ret; chunk = chunk->before)
		for (i = 0; i < chunk->nr && !ret; i++)
			if (chunk->entries[i].what >= LOG_COUNT)
				ret = log_call(w, &chunk->entries[i]);
	w->log = log_reverse(first);
	w->applied = true;
	return ret;
}

static int drop_edge(struct kstate_edge *edge, u8 type, void *arg)
{
	struct kstate_restore_ctx *w = arg;

	kstate_stream_discard(w->stream, edge);
	return 0;
}

/* A field that the reader lacks may hand over memory, which then has no owner */
static void log_drop(struct kstate_restore_ctx *w, const struct kstate_log_entry *e)
{
	struct kstate_visit visit = { .edge = drop_edge, .arg = w };
	struct kstate_cursor tail = { .pos = e->dst, .end = w->tail.end };
	u32 first = e->val;

	kstate_wire_walk(e->op->schema, e->op->from, e->src, first,
			 first ? left_of(e->op) : e->op->from->count, &tail, &visit);
}

static void log_free(struct kstate_restore_ctx *w)
{
	struct kstate_log_chunk *chunk;

	if (w->log)
		kvfree(w->old);
	while ((chunk = w->log)) {
		w->log = chunk->before;
		if (w->log)
			kfree(chunk);
	}
}

/**
 * kstate_restore_done() - what has been applied is final
 * @w: the record; its tail ends where the record does
 */
void kstate_restore_done(struct kstate_restore_ctx *w)
{
	struct kstate_log_chunk *chunk;
	u32 i;

	for (chunk = w->log; chunk; chunk = chunk->before) {
		for (i = 0; i < chunk->nr; i++) {
			if (chunk->entries[i].what == LOG_COPY)
				kvfree(chunk->entries[i].src);
			else if (chunk->entries[i].what == LOG_DROP)
				log_drop(w, &chunk->entries[i]);
		}
	}
	log_free(w);
}

static void log_undo_folios(struct kstate_restore_ctx *w, const struct kstate_log_entry *e)
{
	const struct kstate_folio_run *run = e->src, *end = run + e->val;
	const struct kstate_folio_entry *entry = e->dst;
	struct kstate_edge edge;
	u32 i;

	for (; run < end; entry += kstate_run_count(run++)) {
		for (i = 0; i < kstate_run_edges(run) && entry[i].folio; i++) {
			kstate_run_edge(run, i, &edge);
			kstate_stream_park(w->stream, &edge, entry[i].folio);
		}
	}
}

static void log_undo(struct kstate_restore_ctx *w, struct kstate_log_entry *e, u64 *at)
{
	const struct kstate_field *field;
	void **link, **next;

	if (w->applied && e->what <= LOG_HEAD) {
		*at -= ALIGN(e->size, 8);
		log_keep(e, w->old + *at, true);
	}
	switch (e->what) {
	case LOG_COPY:
		field = e->op->to->bind;
		if (field->discard)
			field->discard(e->src, field);
		fallthrough;
	case LOG_MEMORY:
		kvfree(e->src);
		break;
	case LOG_LIST:
		for (link = e->first; link; link = next) {
			next = next_link(e, link);
			kvfree((void *)link - e->op->to->bind->link);
		}
		break;
	case LOG_INDEX:
		if (w->applied)
			xa_erase(e->dst, e->val);
		else
			xa_release(e->dst, e->val);
		kvfree(e->src);
		break;
	case LOG_EDGE:
		kstate_stream_park(w->stream, &e->edge, e->memory);
		break;
	case LOG_FOLIOS:
		log_undo_folios(w, e);
		break;
	}
}

/**
 * kstate_restore_undo() - give back what checking acquired, and take back what
 *	was applied
 * @w: the record on its way
 *
 * Memory that was taken over is parked: the next attempt finds it.
 */
void kstate_restore_undo(struct kstate_restore_ctx *w)
{
	struct kstate_log_chunk *chunk;
	u64 at = w->old_size;
	u32 i;

	for (chunk = w->log; chunk; chunk = chunk->before)
		for (i = chunk->nr; i; i--)
			log_undo(w, &chunk->entries[i - 1], &at);
	log_free(w);
}
