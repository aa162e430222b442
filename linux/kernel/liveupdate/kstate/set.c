// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets: the streams of one jump, the schemas that they share, and memory that
 * is between two owners.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "internal.h"

/**
 * kstate_set_create() - make an empty set
 * @transport: where its bytes are to live
 *
 * Return: the set, for kstate_set_destroy(), or NULL.
 */
struct kstate_set *kstate_set_create(const struct kstate_transport *transport)
{
	struct kstate_set *set = kzalloc_obj(*set);

	if (!set)
		return NULL;
	set->transport = transport;
	init_rwsem(&set->use);
	mutex_init(&set->lock);
	INIT_LIST_HEAD(&set->streams);
	INIT_LIST_HEAD(&set->states);
	INIT_LIST_HEAD(&set->parked);
	return set;
}

static void free_known(struct kstate_set *set, struct kstate_known *known)
{
	struct kstate_resolved *resolved, *next;

	list_for_each_entry_safe(resolved, next, &known->resolved, list) {
		kstate_resolution_free(&resolved->own);
		kfree(resolved);
	}
	kstate_schema_free(known->schema);
	/* Those of an incoming set are in its root segment */
	if (!set->incoming)
		kstate_free(known->bytes);
	kfree(known);
}

/**
 * kstate_set_destroy() - free a set
 * @set: the set, or NULL. Of an outgoing one everything is unpreserved; of an
 *	incoming one everything is freed that has not been restored
 */
void kstate_set_destroy(struct kstate_set *set)
{
	struct kstate_state *state, *next_state;
	struct kstate_parked *parked, *next;
	u32 i;

	if (!set)
		return;
	kstate_set_unpublish(set);
	while (!list_empty(&set->streams))
		kstate_stream_destroy(list_first_entry(&set->streams, struct kstate_stream, list));
	list_for_each_entry_safe(parked, next, &set->parked, list) {
		set->transport->release(&parked->edge, parked->ptr);
		kfree(parked);
	}
	list_for_each_entry_safe(state, next_state, &set->states, list) {
		if (!set->incoming)
			kstate_free(state->bytes);
		kfree(state);
	}
	for (i = 0; i < set->nr_known; i++)
		free_known(set, kstate_known(set, i));
	for (i = 0; i < ARRAY_SIZE(set->known); i++)
		kvfree(set->known[i]);
	if (set->incoming && set->root.data)
		set->transport->unmap(set->root.data, &set->root.edge);
	kvfree(set->blob);
	kfree(set);
}
EXPORT_SYMBOL_GPL(kstate_set_destroy);

/**
 * kstate_set_abandon() - free a set that could not be opened to its end
 * @set: the set, from a file; what its records hand over is left alone
 */
void kstate_set_abandon(struct kstate_set *set)
{
	struct kstate_segment *segment, *next;
	struct kstate_stream *stream;

	list_for_each_entry(stream, &set->streams, list) {
		stream->index.nr = 0;
		list_for_each_entry_safe(segment, next, &stream->segments, list) {
			list_del(&segment->list);
			kfree(segment);
		}
	}
	set->root.data = NULL;
	kstate_set_destroy(set);
}

/**
 * kstate_set_error() - report an error of a call
 * @set: the set, or NULL
 * @err: the error; without one, the last error of the same kind of call is over
 * @doing: what failed, a literal
 */
void kstate_set_error(struct kstate_set *set, const struct kstate_error *err, const char *doing)
{
	/* That there is nothing to restore, or no more, is an answer */
	if (err->reason == KSTATE_NO_RECORD || err->reason == KSTATE_CLAIMED)
		return;
	if (err->code)
		kstate_error_log(err, doing);
	if (!set)
		return;
	guard(mutex)(&set->lock);
	if (err->code) {
		set->last_error = *err;
		set->last_error_doing = doing;
		set->last_error_time = local_clock();
	} else if (set->last_error.code && !strcmp(set->last_error_doing, doing)) {
		set->last_error.code = 0;
	}
}

/**
 * kstate_set_name() - number of the name of a state
 * @set: the set
 * @name: the name
 *
 * Context: kstate_set.lock is held, or the set does not change.
 * Return: the number, or %KSTATE_NO_REF if the set does not have it.
 */
u32 kstate_set_name(struct kstate_set *set, const char *name)
{
	u32 i;

	for (i = 0; i < set->nr_known; i++) {
		const struct kstate_schema *schema = kstate_known(set, i)->schema;

		if (schema && !strcmp(schema->name, name))
			return i;
	}
	return KSTATE_NO_REF;
}

/**
 * kstate_set_know() - add a schema to a set
 * @set: the set
 * @schema: the schema, which the set takes over on success; NULL if damaged
 * @bytes: payload of its record; an outgoing set takes it over on success
 * @size: of @bytes
 *
 * Context: kstate_set.lock is held.
 * Return: 0, -ENOMEM or -ENOSPC.
 */
int kstate_set_know(struct kstate_set *set, struct kstate_schema *schema, u8 *bytes, u32 size)
{
	u32 nr = set->nr_known, chunk = ilog2(nr + 1);
	struct kstate_known *known;

	if (nr == KSTATE_MAX_SCHEMAS)
		return -ENOSPC;
	if (!set->known[chunk])
		set->known[chunk] = kvmalloc_objs(*set->known[chunk], 1U << chunk);
	if (!set->known[chunk])
		return -ENOMEM;
	known = kzalloc_obj(*known);
	if (!known)
		return -ENOMEM;
	known->schema = schema;
	known->bytes = bytes;
	known->size = size;
	/* Nobody looks for the records of a lean set: do without comparing all names */
	known->name = nr;
	if (schema && !set->transport->lean)
		known->name = min(kstate_set_name(set, schema->name), nr);
	INIT_LIST_HEAD(&known->resolved);
	set->known[chunk][nr + 1 - (1U << chunk)] = known;
	set->nr_known++;
	return 0;
}

/**
 * kstate_set_add_state() - add a description to a catalogue
 * @set: the catalogue
 * @schema: number of its schema
 * @bytes: payload of its record; unless @set is incoming, it takes it over on
 *	success
 * @size: of @bytes
 *
 * Context: kstate_set.lock is held, or nobody else uses the set.
 * Return: 0 or -ENOMEM.
 */
int kstate_set_add_state(struct kstate_set *set, u32 schema, u8 *bytes, u32 size)
{
	struct kstate_state *state = kzalloc_obj(*state);

	if (!state)
		return -ENOMEM;
	state->schema = schema;
	state->bytes = bytes;
	state->size = size;
	list_add_tail(&state->list, &set->states);
	return 0;
}

/* With the same limits, where they matter */
static bool same_limits(const struct kstate_schema *a, const struct kstate_schema *b)
{
	u32 i;

	for (i = 0; i < a->nr_fields; i++) {
		const struct kstate_schema_field *f = &a->fields[i], *g = &b->fields[i];

		if (kstate_has_data(f) && (f->room != g->room || f->length != g->length ||
					   f->text != g->text))
			return false;
		if (f->ref && !same_limits(f->ref, g->ref))
			return false;
	}
	return true;
}

static u32 known_id(const struct kstate_schema *schema, void *arg)
{
	struct kstate_set *set = arg;
	u32 i;

	for (i = 0; i < set->nr_known; i++) {
		const struct kstate_schema *known = kstate_known(set, i)->schema;

		if (known && kstate_schema_equal(known, schema) &&
		    (!set->limits || same_limits(known, schema)))
			return i;
	}
	return KSTATE_NO_REF;
}

static int add_schema(struct kstate_set *set, const struct kstate_schema *schema,
		      const struct kstate_where *where)
{
	u32 size = kstate_schema_bytes(schema, set->limits), i;
	struct kstate_schema *copy;
	u8 *bytes;
	int ret;

	if (known_id(schema, set) != KSTATE_NO_REF)
		return 0;
	for (i = 0; i < schema->nr_fields; i++) {
		ret = schema->fields[i].ref ? add_schema(set, schema->fields[i].ref, where) : 0;
		if (ret)
			return ret;
	}

	/* A copy of its own: the description may go before the records do */
	bytes = kstate_zalloc(size);
	if (!bytes)
		return kstate_fail(where, NULL, KSTATE_NO_MEMORY, -ENOMEM,
				   "memory for a schema\nnone");
	kstate_schema_encode(schema, set->limits, bytes, known_id, set);
	copy = kstate_schema_decode(bytes, size, set, where);
	ret = IS_ERR(copy) ? PTR_ERR(copy) : kstate_set_know(set, copy, bytes, size);
	if (ret) {
		if (!IS_ERR(copy))
			kstate_schema_free(copy);
		kstate_free(bytes);
		kstate_fail(where, NULL, KSTATE_NO_MEMORY, ret, "room for a schema\nnone");
	}
	return ret;
}

/**
 * kstate_set_schema() - number of a schema in an outgoing set
 * @set: the set
 * @schema: the schema; it and those it refers to are added where need be
 * @id: set to the number
 * @err: what went wrong
 *
 * Context: takes kstate_set.lock.
 * Return: 0, or a negative error code.
 */
int kstate_set_schema(struct kstate_set *set, const struct kstate_schema *schema, u32 *id,
		      struct kstate_error *err)
{
	struct kstate_where where = { .state = schema->name, .err = err };
	int ret;

	guard(mutex)(&set->lock);
	ret = add_schema(set, schema, &where);
	if (!ret)
		*id = known_id(schema, set);
	return ret;
}

/**
 * kstate_set_merge() - add all descriptions of a catalogue to another
 * @to: the catalogue to add to, not incoming
 * @from: the other one, incoming
 * @err: what went wrong
 *
 * Context: takes kstate_set.lock of @to; nobody else uses @from.
 * Return: 0, or a negative error code.
 */
int kstate_set_merge(struct kstate_set *to, struct kstate_set *from, struct kstate_error *err)
{
	struct kstate_where where = { .state = "catalogue", .err = err };
	const struct kstate_state *state;
	const struct kstate_schema *schema;
	u8 *bytes;
	u32 id;
	int ret;

	list_for_each_entry(state, &from->states, list) {
		schema = kstate_known(from, state->schema)->schema;
		/* Damaged: it is known by its number only */
		if (!schema)
			continue;
		ret = kstate_set_schema(to, schema, &id, err);
		if (ret)
			return ret;
		bytes = kstate_zalloc(state->size);
		if (bytes)
			memcpy(bytes, state->bytes, state->size);
		ret = bytes ? kstate_set_add_state(to, id, bytes, state->size) : -ENOMEM;
		if (ret) {
			kstate_free(bytes);
			return kstate_fail(&where, NULL, KSTATE_NO_MEMORY, ret, "memory\nnone");
		}
	}
	return 0;
}

/**
 * kstate_set_resolve() - how to restore from a schema of an incoming set
 * @set: the set
 * @id: number of the schema
 * @reader: schema of this kernel's description
 * @where: for messages
 * @res: set to the resolution, which stays with the set or the description
 *
 * Context: takes kstate_set.lock.
 * Return: 0, or a negative error code.
 */
int kstate_set_resolve(struct kstate_set *set, u32 id, struct kstate_schema *reader,
		       const struct kstate_where *where, struct kstate_resolution **res)
{
	struct kstate_known *known = kstate_known(set, id);
	struct kstate_resolved *resolved;
	int ret;

	guard(mutex)(&set->lock);
	list_for_each_entry(resolved, &known->resolved, list) {
		if (resolved->reader == reader->serial) {
			*res = resolved->resolution;
			return 0;
		}
	}

	resolved = kzalloc_obj(*resolved);
	if (!resolved)
		return kstate_fail(where, NULL, KSTATE_NO_MEMORY, -ENOMEM,
				   "memory for a plan\nnone");
	if (kstate_schema_equal(known->schema, reader)) {
		resolved->resolution = reader->resolution;
	} else {
		ret = kstate_resolve(known->schema, reader, &resolved->own, where, NULL, NULL);
		if (ret) {
			kfree(resolved);
			return ret;
		}
		resolved->resolution = &resolved->own;
	}
	resolved->reader = reader->serial;
	list_add(&resolved->list, &known->resolved);
	*res = resolved->resolution;
	return 0;
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
	list_add(&parked->list, &set->parked);
}

/**
 * kstate_set_unpark() - get memory that was taken over before
 * @set: the set
 * @edge: how the record names it
 *
 * Context: takes kstate_set.lock.
 * Return: the memory, or NULL if it has not been taken over.
 */
void *kstate_set_unpark(struct kstate_set *set, const struct kstate_edge *edge)
{
	struct kstate_parked *parked;
	void *ptr;

	if (list_empty(&set->parked))
		return NULL;
	guard(mutex)(&set->lock);
	list_for_each_entry(parked, &set->parked, list) {
		if (memcmp(&parked->edge, edge, sizeof(*edge)))
			continue;
		ptr = parked->ptr;
		list_del(&parked->list);
		kfree(parked);
		return ptr;
	}
	return NULL;
}

/**
 * kstate_set_discard_edge() - free memory that nobody wants
 * @set: the set
 * @edge: the memory
 */
void kstate_set_discard_edge(struct kstate_set *set, struct kstate_edge *edge)
{
	void *ptr = kstate_set_unpark(set, edge);

	if (!ptr && (set->transport->check(edge) || set->transport->take(edge, &ptr)))
		return;
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
