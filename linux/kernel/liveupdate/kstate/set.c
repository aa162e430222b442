// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets: the streams of one jump, the schemas that they share, and memory that
 * is between two owners.
 */

#include <linux/elf.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/rhashtable.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>
#include "store.h"

#define CREATE_TRACE_POINTS
#include <trace/events/kstate.h>

static u32 set_name_hash(const void *name, u32 len, u32 seed)
{
	return jhash(name, strlen(name), seed);
}

static u32 set_stream_hash(const void *data, u32 len, u32 seed)
{
	const struct kstate_stream *stream = data;

	return set_name_hash(stream->name, len, seed);
}

static int set_stream_cmp(struct rhashtable_compare_arg *arg, const void *data)
{
	const struct kstate_stream *stream = data;

	return strcmp(arg->key, stream->name);
}

static const struct rhashtable_params stream_names = {
	.head_offset = offsetof(struct kstate_stream, node),
	.hashfn = set_name_hash,
	.obj_hashfn = set_stream_hash,
	.obj_cmpfn = set_stream_cmp,
	.automatic_shrinking = true,
};

static u32 known_name_hash(const void *data, u32 len, u32 seed)
{
	const struct kstate_known *known = data;

	return set_name_hash(known->schema->name, len, seed);
}

static int known_name_cmp(struct rhashtable_compare_arg *arg, const void *data)
{
	const struct kstate_known *known = data;

	return strcmp(arg->key, known->schema->name);
}

/* The first schema of each name */
static const struct rhashtable_params known_names = {
	.head_offset = offsetof(struct kstate_known, by_name),
	.hashfn = set_name_hash,
	.obj_hashfn = known_name_hash,
	.obj_cmpfn = known_name_cmp,
};

static u32 set_schema_hash(const void *data, u32 len, u32 seed)
{
	const struct kstate_schema *schema = data;

	return jhash_2words(schema->hash, schema->hash >> 32, seed);
}

static u32 known_schema_hash(const void *data, u32 len, u32 seed)
{
	const struct kstate_known *known = data;

	return set_schema_hash(known->schema, len, seed);
}

/**
 * kstate_set_ref() - a schema of a set by its number
 * @set: the set
 * @id: the number; any
 *
 * Return: the schema, or NULL if there is none, or a damaged one.
 */
struct kstate_schema *kstate_set_ref(const struct kstate_set *set, u32 id)
{
	return id < set->nr_known ? kstate_known(set, id)->schema : NULL;
}

/* With the same limits, where they matter */
static bool same_limits(const struct kstate_schema *a, const struct kstate_schema *b)
{
	u32 i;

	for (i = 0; i < a->nr_fields; i++) {
		const struct kstate_schema_field *f = &a->fields[i], *g = &b->fields[i];

		if (kstate_has_data(f) && (f->room != g->room || f->length != g->length ||
					   f->text != g->text || f->group != g->group))
			return false;
		if (f->ref && !same_limits(f->ref, g->ref))
			return false;
	}
	return true;
}

static int known_schema_cmp(struct rhashtable_compare_arg *arg, const void *data)
{
	const struct kstate_set *set = container_of(arg->ht, struct kstate_set, schemas);
	const struct kstate_known *known = data;

	return !kstate_schema_same(known->schema, arg->key) ||
	       (set->limits && !same_limits(known->schema, arg->key));
}

static const struct rhashtable_params known_schemas = {
	.head_offset = offsetof(struct kstate_known, by_schema),
	.hashfn = set_schema_hash,
	.obj_hashfn = known_schema_hash,
	.obj_cmpfn = known_schema_cmp,
};

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
	set->arch = ELF_ARCH;
	set->page_size = PAGE_SIZE;
	init_rwsem(&set->use);
	mutex_init(&set->lock);
	INIT_LIST_HEAD(&set->streams);
	INIT_LIST_HEAD(&set->states);
	xa_init(&set->stream_ids);
	xa_init(&set->preserved);
	xa_init(&set->areas);
	xa_init(&set->parked);
	if (rhashtable_init(&set->stream_names, &stream_names))
		goto free_set;
	if (rhashtable_init(&set->names, &known_names))
		goto free_stream_names;
	if (rhashtable_init(&set->schemas, &known_schemas))
		goto free_names;
	return set;
free_names:
	rhashtable_destroy(&set->names);
free_stream_names:
	rhashtable_destroy(&set->stream_names);
free_set:
	kfree(set);
	return NULL;
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
		kvfree(known->bytes);
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
	u32 i;

	if (!set)
		return;
	kstate_set_unpublish(set);
	while (!list_empty(&set->streams))
		kstate_stream_destroy(list_first_entry(&set->streams, struct kstate_stream, list));
	kstate_set_forget_memory(set);
	list_for_each_entry_safe(state, next_state, &set->states, list) {
		if (!set->incoming)
			kvfree(state->bytes);
		kfree(state);
	}
	/* A worker may be resizing a table: before the entries, the tables */
	rhashtable_destroy(&set->schemas);
	rhashtable_destroy(&set->names);
	rhashtable_destroy(&set->stream_names);
	for (i = 0; i < set->nr_known; i++)
		free_known(set, kstate_known(set, i));
	for (i = 0; i < ARRAY_SIZE(set->known); i++)
		kvfree(set->known[i]);
	xa_destroy(&set->stream_ids);
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
 * kstate_set_add_stream() - make a stream known to its set
 * @set: the set
 * @stream: the stream, with its name; its number is unlike that of any other
 *
 * Context: kstate_set.lock is held, or no other task uses the set.
 * Return: 0; -EEXIST if the name or the number is in use; -ENOMEM.
 */
int kstate_set_add_stream(struct kstate_set *set, struct kstate_stream *stream)
{
	int ret;

	if (rhashtable_lookup_fast(&set->stream_names, stream->name, stream_names))
		return -EEXIST;
	ret = xa_insert(&set->stream_ids, stream->id, stream, GFP_KERNEL);
	if (ret)
		return ret == -EBUSY ? -EEXIST : ret;
	if (rhashtable_insert_fast(&set->stream_names, &stream->node, stream_names)) {
		xa_erase(&set->stream_ids, stream->id);
		return -ENOMEM;
	}
	list_add_tail(&stream->list, &set->streams);
	return 0;
}

/**
 * kstate_set_remove_stream() - undo kstate_set_add_stream()
 * @set: the set
 * @stream: the stream
 *
 * Context: kstate_set.lock is held, or no other task uses the set.
 */
void kstate_set_remove_stream(struct kstate_set *set, struct kstate_stream *stream)
{
	list_del(&stream->list);
	/* A damaged set may have two with one name or number: only the first is found */
	rhashtable_remove_fast(&set->stream_names, &stream->node, stream_names);
	if (xa_load(&set->stream_ids, stream->id) == stream)
		xa_erase(&set->stream_ids, stream->id);
}

/**
 * kstate_set_renumber_stream() - give a stream the number that it had in another set
 * @set: the set
 * @stream: the stream
 * @id: the number; if another stream has it, @stream keeps its own
 *
 * Context: takes kstate_set.lock.
 * Return: 0 or -ENOMEM.
 */
int kstate_set_renumber_stream(struct kstate_set *set, struct kstate_stream *stream, u64 id)
{
	int ret;

	guard(mutex)(&set->lock);
	ret = xa_insert(&set->stream_ids, id, stream, GFP_KERNEL);
	if (ret)
		return ret == -EBUSY ? 0 : ret;
	xa_erase(&set->stream_ids, stream->id);
	stream->id = id;
	return 0;
}

/**
 * kstate_stream_find() - find a stream by its name
 * @set: the set, or NULL
 * @name: the name
 *
 * Return: the stream, or NULL.
 */
struct kstate_stream *kstate_stream_find(struct kstate_set *set, const char *name)
{
	if (!set)
		return NULL;
	guard(mutex)(&set->lock);
	return rhashtable_lookup_fast(&set->stream_names, name, stream_names);
}
EXPORT_SYMBOL_GPL(kstate_stream_find);

/**
 * kstate_stream_by_id() - find a stream by its number
 * @set: the set, or NULL
 * @id: what kstate_stream_id() told the writer
 *
 * Return: the stream, or NULL.
 */
struct kstate_stream *kstate_stream_by_id(struct kstate_set *set, u64 id)
{
	if (!set)
		return NULL;
	guard(mutex)(&set->lock);
	return xa_load(&set->stream_ids, id);
}
EXPORT_SYMBOL_GPL(kstate_stream_by_id);

/**
 * kstate_report_error() - report an error where those of KSTATE are reported
 * @set: the set that it is about, or NULL
 * @err: the error; without one, the last error of the same kind of call is over
 * @doing: what failed, a literal
 */
void kstate_report_error(struct kstate_set *set, const struct kstate_error *err, const char *doing)
{
	/* That there is nothing to restore, or no more, is an answer */
	if (err->reason == KSTATE_NO_RECORD || err->reason == KSTATE_CLAIMED)
		return;
	if (err->code) {
		kstate_error_log(err, doing);
		trace_kstate_refuse(doing, err);
	}
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
EXPORT_SYMBOL_GPL(kstate_report_error);

/**
 * kstate_refuse() - report what a user of KSTATE refuses by itself
 * @set: the set that it is about, or NULL
 * @doing: what failed, a literal
 * @code: negative error code
 * @path: where, as in &struct kstate_error
 * @expected: what was expected there
 * @found: what was found
 *
 * Return: @code.
 */
int kstate_refuse(struct kstate_set *set, const char *doing, int code, const char *path,
		  const char *expected, const char *found)
{
	struct kstate_error err = { .code = code, .reason = KSTATE_BLOCKED };

	strscpy(err.path, path);
	strscpy(err.expected, expected);
	strscpy(err.found, found);
	kstate_report_error(set, &err, doing);
	return code;
}
EXPORT_SYMBOL_GPL(kstate_refuse);

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
	const struct kstate_known *known = rhashtable_lookup_fast(&set->names, name, known_names);

	return known ? known->id : KSTATE_NO_REF;
}

static u32 known_id(const struct kstate_schema *schema, void *arg)
{
	struct kstate_set *set = arg;
	const struct kstate_known *known =
		rhashtable_lookup_fast(&set->schemas, schema, known_schemas);

	return known ? known->id : KSTATE_NO_REF;
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
	int ret = 0;

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
	known->id = nr;
	known->name = schema ? min(kstate_set_name(set, schema->name), nr) : nr;
	INIT_LIST_HEAD(&known->resolved);
	if (schema && known->name == nr)
		ret = rhashtable_insert_fast(&set->names, &known->by_name, known_names);
	if (!ret && schema && known_id(schema, set) == KSTATE_NO_REF) {
		ret = rhashtable_insert_fast(&set->schemas, &known->by_schema, known_schemas);
		if (ret && known->name == nr)
			rhashtable_remove_fast(&set->names, &known->by_name, known_names);
	}
	if (ret) {
		kfree(known);
		return -ENOMEM;
	}
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
 * Context: kstate_set.lock is held, or no other task uses the set.
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
	bytes = kvzalloc(size, GFP_KERNEL);
	if (!bytes)
		return kstate_fail(where, NULL, KSTATE_NO_MEMORY, -ENOMEM,
				   "memory for a schema\nnone");
	kstate_schema_encode(schema, set->limits, bytes, known_id, set);
	copy = kstate_schema_decode(bytes, size, set, where);
	ret = IS_ERR(copy) ? PTR_ERR(copy) : kstate_set_know(set, copy, bytes, size);
	if (ret) {
		if (!IS_ERR(copy))
			kstate_schema_free(copy);
		kvfree(bytes);
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
 * Context: takes kstate_set.lock of @to; no other task uses @from.
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
		bytes = kvzalloc(state->size, GFP_KERNEL);
		if (bytes)
			memcpy(bytes, state->bytes, state->size);
		ret = bytes ? kstate_set_add_state(to, id, bytes, state->size) : -ENOMEM;
		if (ret) {
			kvfree(bytes);
			return kstate_no_memory(&where, NULL);
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
	if (kstate_schema_same(known->schema, reader)) {
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
