/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The values of a record, in the order of its fields, with nothing but its schema.
 */
#ifndef _WALK_H
#define _WALK_H

#include "engine.h"

enum node_kind {
	/* These are opened, contain others, and are closed: */
	NODE_STRUCT,	/* fields of @ref; of a union's arm too */
	NODE_LIST,	/* @count elements */
	NODE_UNION,	/* the struct of @arm, if it has one */
	NODE_ITEMS,	/* items of a callback */
	/* These are leaves: */
	NODE_INTS,	/* @count integers or addresses of type @type at @at */
	NODE_TEXT,	/* @bytes of text */
	NODE_BITS,	/* @count bits */
	NODE_EDGE,	/* memory handed over, NULL if @at is */
	NODE_RUN,	/* folios at addresses and indices that follow each other */
	NODE_BYTES,	/* @bytes of no type */
	NODE_NULL,	/* a pointer that is NULL, a group that is not there */
	NODE_SECRET,	/* not to be shown: @bytes, and @tail_bytes at @tail */
	NODE_MORE,	/* @count elements that are left out */
};

/**
 * struct node - a value, or a group of values
 * @kind: &enum node_kind
 * @type: &enum kstate_type of an element
 * @element: an element of a list: it has an @index and no name
 * @one: of %NODE_INTS: not an array, but a single one
 * @map: of %NODE_LIST: the indices are keys
 * @item: an item of a callback: @f is NULL
 * @name: name of the field or item
 * @name_len: its length
 * @f: the field
 * @schema: the schema that it is in
 * @ref: the schema of a struct
 * @arm: the arm of a union
 * @index: of an element
 * @count: see &enum node_kind
 * @at: the bytes of the value
 * @bytes: how many
 * @slot: the four bytes that say how much is in the tail, or NULL
 * @tail: what else belongs to it: indices, presence, number of runs, or NULL
 * @tail_bytes: bytes at @tail
 */
struct node {
	u8 kind;
	u8 type;
	bool element;
	bool one;
	bool map;
	bool item;
	const char *name;
	u32 name_len;
	const struct kstate_schema_field *f;
	const struct kstate_schema *schema;
	const struct kstate_schema *ref;
	const char *arm;
	u64 index;
	u64 count;
	const u8 *at;
	u64 bytes;
	const u8 *slot;
	const u8 *tail;
	u64 tail_bytes;
};

struct walker {
	void (*open)(void *arg, const struct node *n);
	void (*leaf)(void *arg, const struct node *n);
	void (*close)(void *arg, const struct node *n);
};

/**
 * struct walk - a walk over the payload of a record
 * @walker: who hears of the values
 * @arg: for @walker
 * @limit: elements of a list that are shown
 * @secrets: secrets are shown
 * @tail: what has not been read of the tail
 * @muted: more than 0: only find out where things end
 * @bad: where the walk had to end, NULL if it did not
 * @what: why
 */
struct walk {
	const struct walker *walker;
	void *arg;
	u64 limit;
	bool secrets;
	struct kstate_cursor tail;
	u32 muted;
	const u8 *bad;
	char what[160];
};

bool walk_payload(struct walk *w, const struct kstate_schema *schema, const u8 *payload, u32 size);

static inline bool node_is_group(const struct node *n)
{
	return n->kind < NODE_INTS;
}

#endif /* _WALK_H */
