// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate diff: two streams, field by field.
 *
 * Records are matched by stream, state and key, values by their paths; the schemas of
 * the two may differ. Records with the same bytes are not looked into.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include "dump.h"

/* Elements of an array that are shown unless all are */
#define SHORT_ELEMENTS	16

#define MAX_LEVELS	(4 * KSTATE_MAX_DEPTH + KSTATE_MAX_GROUPS + 4)

/* A record of one of the files */
struct saved {
	const char *stream;
	struct seen seen;
	u64 hash;
	bool matched;
};

/* One of the two files, and its records by what they are matched by */
struct side {
	struct stream_file file;
	const struct dump_options *opt;
	struct saved *entries;
	u32 nr;
	u32 room;
	u32 *table;		/* numbers of entries plus 1, open addressing */
	u32 size;
	bool no_memory;
};

/* A value of a record */
struct value {
	size_t path;		/* where it is in @paths */
	struct node node;
	u64 hash;
	bool matched;
};

/* All values of a record */
struct values {
	struct value *list;
	u32 nr;
	u32 room;
	struct out paths;
	struct out path;	/* of the groups that are open */
	size_t ends[MAX_LEVELS];
	u32 depth;
	u32 *table;
	u32 size;
	bool no_memory;
};

/* Schemas that have been compared, by their numbers */
struct pair {
	u64 from;
	u64 to;
};

struct diff {
	struct side from;
	struct side to;
	struct dump_options opt;
	struct values a;
	struct values b;
	struct out out;
	void *schemas;		/* a tree of &struct pair */
	const char *stream;	/* that was named last */
	bool named;		/* the record has been named */
	u64 same;
	u64 different;
	bool changed;		/* anything at all */
	json_t *fields;		/* of this record or state */
	bool more;		/* something stands in the array of JSON already */
	bool no_memory;
};

static u64 fnv1a(u64 hash, const void *data, size_t size)
{
	const u8 *p = data;

	while (size--)
		hash = (hash ^ *p++) * 0x100000001b3ULL;
	return hash;
}

#define FNV1A	0xcbf29ce484222325ULL

static const char *state_of(const struct seen *seen)
{
	return seen->schema ? seen->schema->name : "";
}

static u32 key_len(const struct seen *seen)
{
	return seen->payload ? le16_to_cpu(seen->record->key_len) : 0;
}

static bool same_identity(const struct saved *e, const struct saved *f)
{
	const struct kstate_record *r = e->seen.record, *q = f->seen.record;

	return e->hash == f->hash && !strcmp(e->stream, f->stream) &&
	       !strcmp(state_of(&e->seen), state_of(&f->seen)) &&
	       (e->seen.schema || r->schema == q->schema) && r->key == q->key &&
	       key_len(&e->seen) == key_len(&f->seen) && !memcmp(r + 1, q + 1, key_len(&e->seen));
}

static bool collect(const struct kstate_stream *stream, struct kstate_record *record, void *arg)
{
	struct side *side = arg;
	struct saved *e, *more;
	struct seen seen;

	dump_look(&side->file, record, &seen);
	if (seen.dropped || !dump_wanted(side->opt, stream, &seen))
		return true;
	if (side->nr == side->room) {
		more = realloc(side->entries, (2 * side->room + 64) * sizeof(*more));
		if (!more) {
			side->no_memory = true;
			return false;
		}
		side->entries = more;
		side->room = 2 * side->room + 64;
	}
	e = &side->entries[side->nr++];
	*e = (struct saved){ .stream = stream ? stream->name : "", .seen = seen };
	e->hash = fnv1a(FNV1A, e->stream, strlen(e->stream) + 1);
	e->hash = fnv1a(e->hash, state_of(&seen), strlen(state_of(&seen)));
	e->hash = fnv1a(e->hash, &record->key, sizeof(record->key));
	return true;
}

static bool nothing(const struct kstate_stream *stream, void *arg)
{
	return true;
}

static const struct stream_visitor collector = {
	.begin = nothing, .record = collect, .end = nothing,
};

static u32 table_size(u32 nr)
{
	u32 size = 16;

	while (size < 2 * nr)
		size *= 2;
	return size;
}

static void read_side(struct side *side)
{
	u64 i;

	stream_walk(&side->file, &collector, side);
	side->size = table_size(side->nr);
	side->table = calloc(side->size, sizeof(*side->table));
	if (!side->table)
		side->no_memory = true;
	for (u32 n = 0; side->table && n < side->nr; n++) {
		for (i = side->entries[n].hash; side->table[i & (side->size - 1)]; i++)
			;
		side->table[i & (side->size - 1)] = n + 1;
	}
}

static struct saved *find_entry(const struct side *side, const struct saved *e)
{
	struct saved *f;
	u32 n;

	for (u64 i = e->hash; (n = side->table[i & (side->size - 1)]); i++) {
		f = &side->entries[n - 1];
		if (!f->matched && same_identity(e, f))
			return f;
	}
	return NULL;
}

/* The values of a record, with their paths */

static void add_value(struct values *v, const struct node *n)
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
	};
	out_bytes(&v->paths, v->path.data, len + 1);
	v->path.len = len;
}

static size_t enter(struct values *v, const struct node *n)
{
	size_t len = v->path.len;

	if (n->element) {
		out_printf(&v->path, "[%llu]", n->index);
	} else {
		if (len)
			out_char(&v->path, '.');
		out_escaped(&v->path, n->name, n->name_len);
	}
	return len;
}

static void value_open(void *arg, const struct node *n)
{
	struct values *v = arg;

	v->ends[v->depth++] = enter(v, n);
	/* What there is of a struct is told by its fields, unless it need not be there */
	if (n->kind == NODE_LIST || n->kind == NODE_UNION || (n->kind == NODE_STRUCT && n->slot))
		add_value(v, n);
}

static void value_leaf(void *arg, const struct node *n)
{
	struct values *v = arg;
	size_t len = enter(v, n);

	add_value(v, n);
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

static void read_values(struct side *side, struct saved *e, struct values *v)
{
	struct walk w = {
		.walker = &value_walker, .arg = v, .limit = U64_MAX, .secrets = side->opt->secrets,
	};
	struct seen *seen = &e->seen;
	struct node rest = { .kind = NODE_BYTES, .name = "(the rest)", .name_len = 10,
			     .item = true };

	v->nr = 0;
	v->paths.len = 0;
	v->path.len = 0;
	v->depth = 0;
	if (!seen->schema) {
		rest.at = (u8 *)(seen->record + 1);
		rest.bytes = seen->bytes;
		value_leaf(v, &rest);
		return;
	}
	if (walk_payload(&w, seen->schema, seen->payload, seen->size))
		return;
	if (!seen->problem[0])
		stream_damage(&side->file, w.bad, seen->payload + seen->size - w.bad, "%s: %s",
			      seen->schema->name, w.what);
	v->path.len = 0;
	rest.at = w.bad;
	rest.bytes = seen->payload + seen->size - w.bad;
	if (!w.secrets && has_secrets(&side->file, seen->schema))
		rest.kind = NODE_SECRET;
	value_leaf(v, &rest);
}

static const char *path_of(const struct values *v, const struct value *value)
{
	return v->paths.data + value->path;
}

static bool make_table(struct values *v)
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

static struct value *find_value(const struct values *v, const struct values *in,
				const struct value *value)
{
	u32 n;

	for (u64 i = value->hash; (n = v->table[i & (v->size - 1)]); i++) {
		struct value *other = &v->list[n - 1];

		if (!other->matched && other->hash == value->hash &&
		    !strcmp(path_of(v, other), path_of(in, value)))
			return other;
	}
	return NULL;
}

static bool same_int(const struct node *a, const struct node *b, u64 i)
{
	u64 x = kstate_int_load(a->at + i * kstate_size(a->type), a->type);
	u64 y = kstate_int_load(b->at + i * kstate_size(b->type), b->type);

	return x == y && (kstate_is_signed(a->type) == kstate_is_signed(b->type) || !(x >> 63));
}

static bool same_text(const struct node *a, const struct node *b)
{
	u64 n = a->bytes, m = b->bytes;

	/* NULL is not the empty string, but an array may have more room than it had */
	if (!n != !m)
		return false;
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

static bool same_value(const struct node *a, const struct node *b)
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
			if (!same_int(a, b, i))
				return false;
		return true;
	case NODE_TEXT:
		return same_text(a, b);
	case NODE_BITS:
		return a->count == b->count && same_bytes(a->at, a->bytes, b->at, b->bytes);
	case NODE_SECRET:
		return same_bytes(a->at, a->bytes, b->at, b->bytes) &&
		       same_bytes(a->tail, a->tail_bytes, b->tail, b->tail_bytes);
	}
	return same_bytes(a->at, a->bytes, b->at, b->bytes);
}

/* Telling */

static void name_record(struct diff *d, const struct saved *e, const char *sign)
{
	struct out *o = &d->out;

	if (options.json)
		return;
	if (!d->stream || strcmp(d->stream, e->stream)) {
		out_printf(o, "%sstream \"", colour(BOLD));
		out_escaped(o, e->stream, strlen(e->stream));
		out_printf(o, "\"%s\n", colour(PLAIN));
		d->stream = e->stream;
	}
	out_printf(o, "%s%s ", sign[0] == '-' ? colour(RED) : sign[0] == '+' ? colour(GREEN) : "",
		   sign);
	text_record(o, e->seen.schema, e->seen.record, e->seen.payload);
	out_text(o, colour(PLAIN));
	if (e->seen.problem[0]) {
		out_text(o, ", ");
		out_text(o, e->seen.problem);
	}
	out_char(o, '\n');
}

static void one_side(struct out *o, const struct node *n)
{
	switch (n->kind) {
	case NODE_LIST:
		out_printf(o, "%llu element%s", n->count, n->count == 1 ? "" : "s");
		return;
	case NODE_UNION:
		out_escaped(o, n->arm, strlen(n->arm));
		return;
	case NODE_STRUCT:
		out_text(o, "there");
		return;
	}
	text_value(o, n, false);
}

static json_t *one_side_json(const struct node *n)
{
	if (!n)
		return NULL;
	switch (n->kind) {
	case NODE_LIST:
		return json_pack("{s:o}", "elements", json_u64(n->count));
	case NODE_UNION:
		return json_pack("{s:o}", "arm", json_name(n->arm, strlen(n->arm)));
	case NODE_STRUCT:
		return json_object();
	}
	return json_leaf(n);
}

/* A value that was, or is, or both, but then another one */
static void tell(struct diff *d, const struct saved *e, const char *path, const struct node *from,
		 const struct node *to)
{
	struct out *o = &d->out;

	if (!d->named)
		name_record(d, e, " ");
	d->named = true;
	if (options.json) {
		json_array_append_new(d->fields, json_pack("{s:s,s:o*,s:o*}", "path", path,
							   "from", one_side_json(from),
							   "to", one_side_json(to)));
		return;
	}
	out_text(o, !from ? colour(GREEN) : !to ? colour(RED) : "");
	out_printf(o, "  %c ", !from ? '+' : !to ? '-' : ' ');
	out_text(o, path);
	out_text(o, ": ");
	if (from)
		one_side(o, from);
	if (from && to)
		out_printf(o, " %s->%s ", colour(YELLOW), colour(PLAIN));
	if (to && !(from && from->kind == NODE_SECRET && to->kind == NODE_SECRET))
		one_side(o, to);
	else if (to)
		out_text(o, "another");
	out_text(o, colour(PLAIN));
	out_char(o, '\n');
}

/* Of arrays of integers, only the elements that differ */
static void tell_ints(struct diff *d, const struct saved *e, const char *path,
		      const struct node *a, const struct node *b)
{
	u64 told = 0, left = 0, i;
	char *longer;

	if (a->count != b->count) {
		struct node from = { .kind = NODE_LIST, .count = a->count };
		struct node to = { .kind = NODE_LIST, .count = b->count };

		tell(d, e, path, &from, &to);
	}
	for (i = 0; i < max(a->count, b->count); i++) {
		struct node x = *a, y = *b;

		if (i < a->count && i < b->count && same_int(a, b, i))
			continue;
		if (!d->opt.all && told == SHORT_ELEMENTS && !options.json) {
			left++;
			continue;
		}
		x.at += i * kstate_size(x.type);
		y.at += i * kstate_size(y.type);
		x.one = true;
		y.one = true;
		x.count = 1;
		y.count = 1;
		if (asprintf(&longer, "%s[%llu]", path, i) < 0) {
			d->no_memory = true;
			return;
		}
		tell(d, e, longer, i < a->count ? &x : NULL, i < b->count ? &y : NULL);
		free(longer);
		told++;
	}
	if (left)
		out_printf(&d->out, "    %s: %llu more elements differ; --all shows them\n", path,
			   left);
}

static void compare_values(struct diff *d, const struct saved *e)
{
	struct values *a = &d->a, *b = &d->b;

	if (!make_table(b)) {
		d->no_memory = true;
		return;
	}
	for (u32 i = 0; i < a->nr; i++) {
		struct value *x = &a->list[i], *y = find_value(b, a, x);
		const char *path = path_of(a, x);

		if (!y) {
			tell(d, e, path, &x->node, NULL);
			continue;
		}
		y->matched = true;
		if (same_value(&x->node, &y->node))
			continue;
		if (x->node.kind == NODE_INTS && y->node.kind == NODE_INTS && !x->node.one &&
		    !y->node.one)
			tell_ints(d, e, path, &x->node, &y->node);
		else
			tell(d, e, path, &x->node, &y->node);
	}
	for (u32 i = 0; i < b->nr; i++)
		if (!b->list[i].matched)
			tell(d, e, path_of(b, &b->list[i]), NULL, &b->list[i].node);
}

/* Schemas */

static const struct kstate_schema_field *find_field(const struct kstate_schema *schema,
						    const char *name)
{
	for (u32 i = 0; i < schema->nr_fields; i++)
		if (kstate_has_data(&schema->fields[i]) && !strcmp(schema->fields[i].name, name))
			return &schema->fields[i];
	return NULL;
}

static json_t *type_json(struct diff *d, const struct kstate_schema_field *f)
{
	struct out type = {};
	json_t *value;

	if (!f)
		return NULL;
	text_field_type(&type, f);
	value = json_stringn(type.data ?: "", type.len);
	out_free(&type);
	return value;
}

static void tell_type(struct diff *d, const char *path, const struct kstate_schema_field *from,
		      const struct kstate_schema_field *to)
{
	struct out *o = &d->out;

	if (options.json) {
		json_array_append_new(d->fields, json_pack("{s:s,s:o*,s:o*}", "path", path,
							   "from", type_json(d, from),
							   "to", type_json(d, to)));
		return;
	}
	out_printf(o, "%s  %c %s: ", !from ? colour(GREEN) : !to ? colour(RED) : "",
		   !from ? '+' : !to ? '-' : ' ', path);
	if (from)
		text_field_type(o, from);
	if (from && to)
		out_printf(o, " %s->%s ", colour(YELLOW), colour(PLAIN));
	if (to)
		text_field_type(o, to);
	out_printf(o, "%s\n", colour(PLAIN));
}

static bool same_type(const struct kstate_schema_field *f, const struct kstate_schema_field *g)
{
	return f->type == g->type && f->container == g->container && f->count == g->count &&
	       (!f->ref || !strcmp(f->ref->name, g->ref->name));
}

static void compare_fields(struct diff *d, struct out *path, const struct kstate_schema *a,
			   const struct kstate_schema *b)
{
	size_t len = path->len;

	for (u32 i = 0; i < a->nr_fields; i++) {
		const struct kstate_schema_field *f = &a->fields[i], *g;

		if (!kstate_has_data(f))
			continue;
		g = find_field(b, f->name);
		out_text(path, len ? "." : "");
		out_escaped(path, f->name, strlen(f->name));
		out_char(path, 0);
		path->len--;
		if (!g || !same_type(f, g))
			tell_type(d, path->data, f, g);
		if (g && f->ref && g->ref && !kstate_schema_equal(f->ref, g->ref))
			compare_fields(d, path, f->ref, g->ref);
		path->len = len;
	}
	for (u32 i = 0; i < b->nr_fields; i++) {
		const struct kstate_schema_field *g = &b->fields[i];

		if (!kstate_has_data(g) || find_field(a, g->name))
			continue;
		out_text(path, len ? "." : "");
		out_escaped(path, g->name, strlen(g->name));
		out_char(path, 0);
		tell_type(d, path->data, NULL, g);
		path->len = len;
	}
}

static void next_json(struct diff *d, json_t *value)
{
	fputs(d->more ? ",\n " : "\n ", stdout);
	d->more = true;
	if (!value || json_dumpf(value, stdout, JSON_COMPACT))
		d->no_memory = true;
	json_decref(value);
}

static int compare_pairs(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pair));
}

/* Once for each two schemas that records were made with */
static void compare_schemas(struct diff *d, const struct kstate_schema *a,
			    const struct kstate_schema *b)
{
	struct out path = {};
	struct pair *pair, **there;

	if (!a || !b || kstate_schema_equal(a, b))
		return;
	pair = malloc(sizeof(*pair));
	if (pair)
		*pair = (struct pair){ a->serial, b->serial };
	there = pair ? tsearch(pair, &d->schemas, compare_pairs) : NULL;
	if (!there) {
		d->no_memory = true;
		free(pair);
		return;
	}
	if (*there != pair) {
		free(pair);
		return;
	}
	d->changed = true;

	d->fields = options.json ? json_array() : NULL;
	if (!options.json) {
		out_printf(&d->out, "%sstate ", colour(BOLD));
		out_escaped(&d->out, a->name, strlen(a->name));
		out_printf(&d->out, "%s: another schema", colour(PLAIN));
		if (a->version != b->version)
			out_printf(&d->out, ", version %u -> %u", a->version, b->version);
		out_char(&d->out, '\n');
	}
	compare_fields(d, &path, a, b);
	out_free(&path);
	if (options.json)
		next_json(d, json_pack("{s:o,s:[I,I],s:o}", "state",
				       json_name(a->name, strlen(a->name)), "versions",
				       (json_int_t)a->version, (json_int_t)b->version, "fields",
				       d->fields));
	d->fields = NULL;
}

/* Records */

static void record_json(struct diff *d, const struct saved *e, const char *difference)
{
	json_t *value = json_pack("{s:o,s:o?,s:o,s:s}", "stream",
				  json_name(e->stream, strlen(e->stream)), "state",
				  e->seen.schema ? json_name(state_of(&e->seen),
							     strlen(state_of(&e->seen))) : NULL,
				  "key", json_key(&e->seen), "difference", difference);

	if (value && d->fields)
		json_object_set_new(value, "fields", d->fields);
	d->fields = NULL;
	next_json(d, value);
}

static void only_in_one(struct diff *d, const struct saved *e, bool from)
{
	d->different++;
	d->changed = true;
	if (options.json)
		record_json(d, e, from ? "only-from" : "only-to");
	else
		name_record(d, e, from ? "-" : "+");
}

static bool same_record(const struct saved *e, const struct saved *f)
{
	return e->seen.schema && f->seen.schema &&
	       kstate_schema_equal(e->seen.schema, f->seen.schema) &&
	       same_bytes(e->seen.payload, e->seen.size, f->seen.payload, f->seen.size);
}

static void compare_records(struct diff *d, struct saved *e, struct saved *f)
{
	f->matched = true;
	if (same_record(e, f)) {
		d->same++;
		return;
	}
	read_values(&d->from, e, &d->a);
	read_values(&d->to, f, &d->b);
	/* It is named once, with what is wrong with either */
	if (!e->seen.problem[0])
		strscpy(e->seen.problem, f->seen.problem, sizeof(e->seen.problem));
	d->named = false;
	d->fields = options.json ? json_array() : NULL;
	compare_values(d, e);
	if (options.json && d->named)
		record_json(d, e, "changed");
	json_decref(d->fields);
	d->fields = NULL;
	d->same += !d->named;
	d->different += d->named;
	d->changed |= d->named;
}

static void compare_all(struct diff *d)
{
	struct saved *e, *f;

	if (options.json)
		fputs("\"states\":[", stdout);
	for (e = d->from.entries; e < d->from.entries + d->from.nr; e++) {
		f = find_entry(&d->to, e);
		if (f)
			compare_schemas(d, e->seen.schema, f->seen.schema);
	}
	if (options.json)
		fputs("],\n\"records\":[", stdout);
	d->more = false;
	for (e = d->from.entries; e < d->from.entries + d->from.nr; e++) {
		f = find_entry(&d->to, e);
		if (f)
			compare_records(d, e, f);
		else
			only_in_one(d, e, true);
	}
	for (e = d->to.entries; e < d->to.entries + d->to.nr; e++)
		if (!e->matched)
			only_in_one(d, e, false);
}

static void tell_files(struct diff *d)
{
	const struct side *sides[] = { &d->from, &d->to };

	for (int i = 0; i < 2 && options.json; i++) {
		const char *name = sides[i]->file.name;
		json_t *value = json_pack("{s:o,s:o}", "file", json_name(name, strlen(name)),
					  "header", json_header(&sides[i]->file));

		fputs(i ? ",\n\"to\":" : "{\"from\":", stdout);
		if (!value || json_dumpf(value, stdout, JSON_COMPACT))
			d->no_memory = true;
		json_decref(value);
	}
	for (int i = 0; i < 2 && !options.json; i++) {
		const struct kstate_header *h = (void *)sides[i]->file.data;

		out_printf(&d->out, "%s%s %s, written by ", i ? colour(GREEN) : colour(RED),
			   i ? "+++" : "---", sides[i]->file.name);
		out_escaped(&d->out, h->release, strnlen((char *)h->release, sizeof(h->release)));
		out_printf(&d->out, "%s\n", colour(PLAIN));
	}
	if (options.json)
		fputs(",\n", stdout);
}

static void free_side(struct side *side)
{
	free(side->entries);
	free(side->table);
	stream_close(&side->file);
}

static void free_values(struct values *v)
{
	free(v->list);
	free(v->table);
	out_free(&v->paths);
	out_free(&v->path);
}

static enum status compare_files(struct diff *d, struct trouble *t)
{
	enum status status;

	read_side(&d->from);
	read_side(&d->to);
	if (d->from.no_memory || d->to.no_memory)
		return trouble(t, STATUS_SYSTEM, "no memory");
	tell_files(d);
	compare_all(d);
	if (options.json)
		printf("],\n\"same\":%llu,\"different\":%llu}\n", d->same, d->different);
	else
		out_printf(&d->out, "%llu record%s differ%s, %llu %s the same\n", d->different,
			   d->different == 1 ? "" : "s", d->different == 1 ? "s" : "", d->same,
			   d->same == 1 ? "is" : "are");
	if (d->no_memory || d->a.no_memory || d->b.no_memory)
		return trouble(t, STATUS_SYSTEM, "no memory");
	status = stream_status(&d->from.file, t);
	if (!status)
		status = stream_status(&d->to.file, t);
	return status ?: d->changed ? STATUS_LOSSY : STATUS_OK;
}

/* The command */

enum { OPTION_STREAM = 0x200, OPTION_STATE, OPTION_KEY, OPTION_SECRETS };

static const struct argp_option option_list[] = {
	{ "stream", OPTION_STREAM, "NAME", 0, "Only this stream", 0 },
	{ "state", OPTION_STATE, "NAME", 0, "Only records of this state", 0 },
	{ "key", OPTION_KEY, "KEY", 0, "Only records with this key: a number or a string", 0 },
	{ "all", 'a', NULL, 0, "Show all elements of arrays that differ", 1 },
	{ "secrets", OPTION_SECRETS, NULL, 0, "Show what is secret", 1 },
	{}
};

struct arguments {
	struct dump_options *opt;
	const char *paths[2];
	int nr;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'a':
		a->opt->all = true;
		return 0;
	case OPTION_STREAM:
		a->opt->stream = arg;
		return 0;
	case OPTION_STATE:
		a->opt->state = arg;
		return 0;
	case OPTION_KEY:
		a->opt->key = arg;
		return 0;
	case OPTION_SECRETS:
		a->opt->secrets = true;
		return 0;
	case ARGP_KEY_ARG:
		if (a->nr == 2)
			argp_error(state, "two streams only");
		a->paths[a->nr++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (a->nr < 2)
			argp_error(state, "two streams to compare");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.args_doc = "A B",
	.doc = "Compare two streams, field by field.\v"
	       "A and B are files, incoming, outgoing, or - for standard input. Exit status 0: "
	       "the same, 1: different. kstate-diff(1) has more.",
	.children = common_options,
};

enum status command_diff(int argc, char **argv, struct trouble *t)
{
	struct diff d = { .out = { .file = stdout } };
	struct arguments a = { .opt = &d.opt };
	enum status status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return STATUS_USAGE;
	d.from.opt = &d.opt;
	d.to.opt = &d.opt;
	status = stream_open(&d.from.file, a.paths[0], t);
	if (!status)
		status = stream_open(&d.to.file, a.paths[1], t);
	if (!status)
		status = compare_files(&d, t);
	out_free(&d.out);
	free_values(&d.a);
	free_values(&d.b);
	tdestroy(d.schemas, free);
	free_side(&d.from);
	free_side(&d.to);
	return status;
}
