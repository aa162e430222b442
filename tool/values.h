/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The values of two records, matched: by path, by the names that fields had, by what they
 * mean.
 */
#ifndef _VALUES_H
#define _VALUES_H

#include "dump.h"

#define MAX_LEVELS	(4 * KSTATE_MAX_DEPTH + KSTATE_MAX_GROUPS + 4)

/**
 * struct match - which field of one schema is which of another
 * @from: the one
 * @to: the other
 * @fields: the field of @to for each of @from, NULL for those that it lacks
 */
struct match {
	const struct kstate_schema *from;
	const struct kstate_schema *to;
	const struct kstate_schema_field **fields;
};

/**
 * struct matches - those that have been needed so far
 * @tree: of &struct match
 * @no_memory: one is missing
 */
struct matches {
	void *tree;
	bool no_memory;
};

/**
 * matches_get() - match the fields of two schemas, once
 * @m: where to look and where to keep it
 * @from: the one
 * @to: the other
 * @is_new: set if it has not been asked for before; or NULL
 *
 * The first is the writer for kstate_match_fields(), whichever way one looks.
 * Return: NULL without memory.
 */
const struct match *matches_get(struct matches *m, const struct kstate_schema *from,
				const struct kstate_schema *to, bool *is_new);
void matches_free(struct matches *m);

/**
 * matches_field() - the same field in the other schema
 * @match: the two schemas, or NULL
 * @f: a field or an arm of &match.from; with @back, of &match.to
 * @back: look for it in &match.from
 *
 * Return: NULL if it lacks it.
 */
const struct kstate_schema_field *matches_field(const struct match *match,
						const struct kstate_schema_field *f, bool back);

/**
 * struct value - a value of a record
 * @path: where it is in &values.paths: by the names of the record that it is matched with
 * @node: the value
 * @hash: of the path
 * @alone: the other record has no such field
 * @matched: it has been found in the other record
 */
struct value {
	size_t path;
	struct node node;
	u64 hash;
	bool alone;
	bool matched;
};

/**
 * struct values - all values of a record
 * @list: the values
 * @nr: how many
 * @room: for how many there is room
 * @paths: their paths
 * @path: of the groups that are open
 * @ends: where it ended before each
 * @levels: the schemas of each, matched; NULL for what the other record lacks
 * @depth: how many are open
 * @table: numbers of values plus 1 by their hashes, for values_find()
 * @size: of @table
 * @matches: where @levels come from
 * @back: this is the record whose names are used
 * @no_memory: not all are there
 */
struct values {
	struct value *list;
	u32 nr;
	u32 room;
	struct out paths;
	struct out path;
	size_t ends[MAX_LEVELS];
	const struct match *levels[MAX_LEVELS];
	u32 depth;
	u32 *table;
	u32 size;
	struct matches *matches;
	bool back;
	bool no_memory;
};

/**
 * values_read() - the values of a record
 * @v: filled; what it had is gone
 * @file: the file of the record
 * @seen: the record
 * @match: its schema and that of the other record
 * @secrets: secrets are shown
 */
void values_read(struct values *v, struct stream_file *file, struct seen *seen,
		 const struct match *match, bool secrets);
void values_free(struct values *v);

/**
 * values_index() - prepare for values_find()
 * @v: the values
 *
 * Return: false without memory.
 */
bool values_index(struct values *v);

/**
 * values_find() - find a value by its path
 * @v: the values, after values_index()
 * @in: other values
 * @value: one of those
 *
 * Return: the first of this path that is not matched, or NULL.
 */
struct value *values_find(const struct values *v, const struct values *in,
			  const struct value *value);

static inline const char *values_path(const struct values *v, const struct value *value)
{
	return v->paths.data + value->path;
}

/**
 * values_mean_nothing() - whether a value may be left out
 * @value: a value
 *
 * Return: true if the other record has no such field and it is its default.
 */
bool values_mean_nothing(const struct value *value);

/* Whether two values are the same, or two elements of arrays of integers */
bool values_same(const struct node *a, const struct node *b);
bool values_same_int(const struct node *a, const struct node *b, u64 i);

/* For tables with open addressing */
u32 table_size(u32 nr);
u64 fnv1a(u64 hash, const void *data, size_t size);

#define FNV1A	0xcbf29ce484222325ULL

#endif /* _VALUES_H */
