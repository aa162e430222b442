// SPDX-License-Identifier: GPL-2.0-only
/*
 * The values of two records, matched: by path, by the names that fields had, by what they
 * mean.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include "values.h"

u64 fnv1a(u64 hash, const void *data, size_t size)
{
	const u8 *p = data;

	while (size--)
		hash = (hash ^ *p++) * 0x100000001b3ULL;
	return hash;
}

u32 table_size(u32 nr)
{
	u32 size = 16;

	while (size < 2 * nr)
		size *= 2;
	return size;
}

/* Schemas */

static int compare_matches(const void *a, const void *b)
{
	const struct match *x = a, *y = b;

	return (x->from->serial > y->from->serial) - (x->from->serial < y->from->serial) ?:
	       (x->to->serial > y->to->serial) - (x->to->serial < y->to->serial);
}

const struct match *matches_get(struct matches *m, const struct kstate_schema *from,
				const struct kstate_schema *to, bool *is_new)
{
	struct match key = { .from = from, .to = to }, *match;
	void *there = tfind(&key, &m->tree, compare_matches);

	if (is_new)
		*is_new = !there;
	if (there)
		return *(struct match **)there;
	match = malloc(sizeof(*match));
	key.fields = calloc(from->nr_fields + 1, sizeof(*key.fields));
	if (match)
		*match = key;
	if (!match || !key.fields || !tsearch(match, &m->tree, compare_matches)) {
		m->no_memory = true;
		free(key.fields);
		free(match);
		return NULL;
	}
	kstate_match_fields(from, to, match->fields);
	return match;
}

static void free_match(void *p)
{
	struct match *match = p;

	free(match->fields);
	free(match);
}

void matches_free(struct matches *m)
{
	tdestroy(m->tree, free_match);
	m->tree = NULL;
}

/* The field of &match.from for one of &match.to */
static const struct kstate_schema_field *field_before(const struct match *match,
						      const struct kstate_schema_field *f)
{
	for (u32 i = 0; i < match->from->nr_fields; i++)
		if (match->fields[i] == f)
			return &match->from->fields[i];
	return NULL;
}

const struct kstate_schema_field *matches_field(const struct match *match,
						const struct kstate_schema_field *f, bool back)
{
	const struct kstate_schema_field *field = f;

	if (!match)
		return NULL;
	while (field->type == KS_T_ARM)
		field--;
	field = back ? field_before(match, field) : match->fields[field - match->from->fields];
	if (!field || f->type != KS_T_ARM)
		return field;
	return field->type == KS_T_UNION ? kstate_find_arm(field, f->name) : NULL;
}

/* The values of a record, with their paths */

static void add_value(struct values *v, const struct node *n, bool alone)
{
	struct value *more;
	size_t len;

	if (v->nr == v->room) {
		more = realloc(v->list, (2 * v->room + 64) * sizeof(*more));
		if (!more) {
			v->no_memory = true;
			return;
		}
		v->list = more;
		v->room = 2 * v->room + 64;
	}
	len = v->path.len;
	out_char(&v->path, 0);
	v->list[v->nr++] = (struct value){
		.path = v->paths.len, .node = *n, .hash = fnv1a(FNV1A, v->path.data, len),
		.alone = alone,
	};
	out_bytes(&v->paths, v->path.data, len + 1);
	v->path.len = len;
}

static const struct match *level_of(const struct values *v)
{
	return v->levels[v->depth];
}

/* The same field in the other record: its name is used, and it may be missing there */
static const struct kstate_schema_field *other_field(const struct values *v, const struct node *n)
{
	return n->f && !n->item ? matches_field(level_of(v), n->f, v->back) : NULL;
}

/* Whether the other record has no such field; of damaged schemas, nobody knows */
static bool is_alone(const struct values *v, const struct node *n,
		     const struct kstate_schema_field *other)
{
	return v->levels[0] && !n->item && !other;
}

static size_t enter(struct values *v, const struct node *n,
		    const struct kstate_schema_field *other)
{
	size_t len = v->path.len;

	if (n->element) {
		out_printf(&v->path, "[%llu]", n->index);
	} else {
		if (len)
			out_char(&v->path, '.');
		if (other && !v->back)
			out_escaped(&v->path, other->name, strlen(other->name));
		else
			out_escaped(&v->path, n->name, n->name_len);
	}
	return len;
}

/* The schemas of what is in @n; lists and unions have their fields where they are themselves */
static const struct match *level_in(struct values *v, const struct node *n,
				    const struct kstate_schema_field *other)
{
	if (n->kind != NODE_STRUCT)
		return n->kind == NODE_ITEMS ? NULL : level_of(v);
	if (!other || !other->ref || !n->ref)
		return NULL;
	return v->back ? matches_get(v->matches, other->ref, n->ref, NULL) :
			 matches_get(v->matches, n->ref, other->ref, NULL);
}

static void value_open(void *arg, const struct node *n)
{
	struct values *v = arg;
	const struct kstate_schema_field *other = other_field(v, n);

	v->ends[v->depth] = enter(v, n, other);
	/* What there is of a struct is told by its fields, unless it need not be there */
	if (n->kind == NODE_LIST || n->kind == NODE_UNION || (n->kind == NODE_STRUCT && n->slot))
		add_value(v, n, is_alone(v, n, other));
	v->levels[v->depth + 1] = level_in(v, n, other);
	v->depth++;
}

static void value_leaf(void *arg, const struct node *n)
{
	struct values *v = arg;
	const struct kstate_schema_field *other = other_field(v, n);
	size_t len = enter(v, n, other);

	add_value(v, n, is_alone(v, n, other));
	v->path.len = len;
}

static void value_close(void *arg, const struct node *n)
{
	struct values *v = arg;

	v->path.len = v->ends[--v->depth];
}

static const struct walker value_walker = {
	.open = value_open, .leaf = value_leaf, .close = value_close,
};

void values_read(struct values *v, struct stream_file *file, struct seen *seen,
		 const struct match *match, bool secrets)
{
	struct walk w = {
		.walker = &value_walker, .arg = v, .limit = U64_MAX, .secrets = secrets,
	};
	struct node rest = { .kind = NODE_BYTES, .name = "(the rest)", .name_len = 10,
			     .item = true };

	v->nr = 0;
	v->paths.len = 0;
	v->path.len = 0;
	v->depth = 0;
	v->levels[0] = match;
	if (!seen->schema) {
		rest.at = (u8 *)(seen->record + 1);
		rest.bytes = seen->bytes;
		value_leaf(v, &rest);
		return;
	}
	if (walk_payload(&w, seen->schema, seen->payload, seen->size))
		return;
	if (!seen->problem[0])
		stream_damage(file, w.bad, seen->payload + seen->size - w.bad, "%s: %s",
			      seen->schema->name, w.what);
	v->path.len = 0;
	rest.at = w.bad;
	rest.bytes = seen->payload + seen->size - w.bad;
	if (!w.secrets && has_secrets(file, seen->schema))
		rest.kind = NODE_SECRET;
	value_leaf(v, &rest);
}

bool values_index(struct values *v)
{
	u32 size = table_size(v->nr);
	u32 *more;
	u64 i;

	if (size > v->size) {
		more = realloc(v->table, size * sizeof(*more));
		if (!more)
			return false;
		v->table = more;
		v->size = size;
	}
	memset(v->table, 0, v->size * sizeof(*v->table));
	for (u32 n = 0; n < v->nr; n++) {
		for (i = v->list[n].hash; v->table[i & (v->size - 1)]; i++)
			;
		v->table[i & (v->size - 1)] = n + 1;
	}
	return true;
}

struct value *values_find(const struct values *v, const struct values *in,
			  const struct value *value)
{
	u32 n;

	for (u64 i = value->hash; (n = v->table[i & (v->size - 1)]); i++) {
		struct value *other = &v->list[n - 1];

		if (!other->matched && other->hash == value->hash &&
		    !strcmp(values_path(v, other), values_path(in, value)))
			return other;
	}
	return NULL;
}

/* Values */

static const struct kstate_schema_hint *name_of(const struct node *n, const char *name)
{
	const struct kstate_schema_hint *h;
	u32 pos = 0;

	while ((h = kstate_schema_name(n->schema, n->f, &pos)) && strcmp(h->name, name))
		;
	return h;
}

/* A value of @a as it is in @b: names that both have may have other numbers there */
static u64 by_names(const struct node *a, const struct node *b, u64 val)
{
	const struct kstate_schema_hint *h, *other;
	u64 rest = val, moved = 0;
	u32 pos = 0;

	if (!a->f || !b->f || !a->f->names || !b->f->names ||
	    a->f->enumerated != b->f->enumerated)
		return val;
	while ((h = kstate_schema_name(a->schema, a->f, &pos))) {
		other = name_of(b, h->name);
		if (a->f->enumerated && h->value == val)
			return other ? other->value : val;
		if (a->f->enumerated || !other || !h->value || !other->value)
			continue;
		moved |= (rest & h->value) >> __builtin_ctzll(h->value) <<
			 __builtin_ctzll(other->value);
		rest &= ~h->value;
	}
	return moved | rest;
}

bool values_same_int(const struct node *a, const struct node *b, u64 i)
{
	u64 x = kstate_int_load(a->at + i * kstate_size(a->type), a->type);
	u64 y = kstate_int_load(b->at + i * kstate_size(b->type), b->type);

	if (kstate_is_signed(a->type) != kstate_is_signed(b->type) && x >> 63)
		return false;
	return by_names(a, b, x) == y;
}

bool values_mean_nothing(const struct value *value)
{
	const struct node *n = &value->node;

	if (!value->alone || n->kind != NODE_INTS || !n->f || !(n->f->flags & KSTATE_FIELD_DEFAULT))
		return false;
	for (u64 i = 0; i < n->count; i++)
		if (kstate_int_load(n->at + i * kstate_size(n->type), n->type) != n->f->dflt)
			return false;
	return true;
}

/* An array may have more room than it had */
static bool same_but_for_zeros(const struct node *a, const struct node *b)
{
	u64 n = a->bytes, m = b->bytes;

	while (n && !a->at[n - 1])
		n--;
	while (m && !b->at[m - 1])
		m--;
	return n == m && !memcmp(a->at, b->at, n);
}

static bool same_bytes(const u8 *a, u64 n, const u8 *b, u64 m)
{
	return n == m && (!n || !memcmp(a, b, n));
}

bool values_same(const struct node *a, const struct node *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case NODE_STRUCT:
	case NODE_NULL:
		return true;
	case NODE_LIST:
		return a->count == b->count;
	case NODE_UNION:
		return !strcmp(a->arm, b->arm);
	case NODE_INTS:
		if (a->count != b->count || a->one != b->one)
			return false;
		for (u64 i = 0; i < a->count; i++)
			if (!values_same_int(a, b, i))
				return false;
		return true;
	case NODE_TEXT:
		/* NULL is not the empty string */
		return !a->bytes == !b->bytes && same_but_for_zeros(a, b);
	case NODE_BITS:
		/* Bits that are not there are not set */
		return same_but_for_zeros(a, b);
	case NODE_SECRET:
		return same_bytes(a->at, a->bytes, b->at, b->bytes) &&
		       same_bytes(a->tail, a->tail_bytes, b->tail, b->tail_bytes);
	}
	return same_bytes(a->at, a->bytes, b->at, b->bytes);
}

void values_free(struct values *v)
{
	free(v->list);
	free(v->table);
	out_free(&v->paths);
	out_free(&v->path);
}
