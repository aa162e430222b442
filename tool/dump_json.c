// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream file as JSON, one record at a time. kstate-dump(1) describes the shape.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include <linux/unaligned.h>
#include "dump.h"

/* Groups of values inside each other: structs, the lists, unions and groups in them */
#define MAX_LEVELS	(4 * KSTATE_MAX_DEPTH + KSTATE_MAX_GROUPS + 4)

/**
 * json_u64() - an integer
 * @val: the integer
 *
 * Return: a JSON integer; a string of its digits above 2^63 - 1.
 */
json_t *json_u64(u64 val)
{
	char text[24];

	if (val <= INT64_MAX)
		return json_integer(val);
	snprintf(text, sizeof(text), "%llu", val);
	return json_string(text);
}

json_t *json_hex(const u8 *data, u64 size)
{
	char *text = malloc(2 * size + 1);
	json_t *value;

	if (!text)
		return NULL;
	for (u64 i = 0; i < size; i++) {
		text[2 * i] = "0123456789abcdef"[data[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[data[i] & 0xf];
	}
	value = json_stringn_nocheck(text, 2 * size);
	free(text);
	return value;
}

/**
 * json_text() - text that may be anything
 * @text: the text
 * @len: its bytes
 *
 * Return: a string, or an object with its bytes if it is not UTF-8.
 */
json_t *json_text(const void *text, size_t len)
{
	json_t *value = json_stringn(text, len);

	return value ?: json_pack("{s:o}", "hex", json_hex(text, len));
}

/* A name as a program can use it: what is not UTF-8 is escaped */
static char *safe_name(const void *name, size_t len, size_t *safe_len)
{
	char *safe = malloc(4 * len + 1), *q = safe;
	const u8 *p = name, *end = p + len;
	size_t n;
	u32 code;

	for (; safe && p < end; p += n ?: 1) {
		n = utf8_bytes(p, end - p, &code);
		if (n)
			q = mempcpy(q, p, n);
		else
			q += sprintf(q, "\\x%02x", *p);
	}
	*safe_len = q - safe;
	return safe;
}

json_t *json_name(const void *name, size_t len)
{
	size_t safe_len;
	char *safe = safe_name(name, len, &safe_len);
	json_t *value = safe ? json_stringn(safe, safe_len) : NULL;

	free(safe);
	return value;
}

json_t *json_key(const struct seen *seen)
{
	u32 len = seen->payload ? le16_to_cpu(seen->record->key_len) : 0;

	return len ? json_name(seen->record + 1, len) : json_u64(le64_to_cpu(seen->record->key));
}

json_t *json_int(u8 type, const u8 *at)
{
	u64 val = kstate_int_load(at, type);

	if (type == KS_T_LINEAR || type == KS_T_VMEMMAP)
		return val == ~0ULL ? json_null() : json_u64(val);
	if (type == KS_CHAR)
		return json_text(at, 1);
	if (type == KS_BOOL && val <= 1)
		return json_boolean(val);
	return kstate_is_signed(type) ? json_integer(val) : json_u64(val);
}

static json_t *json_edge(const struct kstate_edge *edge)
{
	static const char *const kinds[] = { "none", "folio", "pages", "vmalloc" };

	if (edge->kind == KSTATE_EDGE_NONE)
		return json_null();
	return json_pack("{s:s,s:o,s:o,s:I,s:i,s:i}", "kind", kinds[edge->kind],
			 "addr", json_u64(le64_to_cpu(edge->addr)),
			 "size", json_u64(le64_to_cpu(edge->size)),
			 "pages", (json_int_t)le32_to_cpu(edge->pages), "order", edge->order,
			 "flags", le16_to_cpu(edge->flags));
}

static json_t *json_run(const struct kstate_folio_run *run)
{
	if (!run->place)
		return json_null();
	return json_pack("{s:o,s:I,s:i,s:o,s:i}", "pfn", json_u64(kstate_run_pfn(run)),
			 "count", (json_int_t)kstate_run_count(run),
			 "order", kstate_run_order(run), "index", json_u64(kstate_run_index(run)),
			 "flags", kstate_run_flags(run));
}

/**
 * json_leaf() - the value of a leaf
 * @n: the leaf
 */
json_t *json_leaf(const struct node *n)
{
	u32 size = kstate_size(n->type);
	char address[TEXT_ADDRESS];
	json_t *value, *set;

	switch (n->kind) {
	case NODE_INTS:
		if (text_address(n, address))
			return json_string(address);
		if (n->one)
			return json_int(n->type, n->at);
		value = json_array();
		for (u64 i = 0; i < n->count; i++)
			json_array_append_new(value, json_int(n->type, n->at + i * size));
		return value;
	case NODE_TEXT:
		/* Of an item, the zero byte is not part of the text */
		return json_text(n->at, n->bytes - (n->item && n->bytes && !n->at[n->bytes - 1]));
	case NODE_BITS:
		set = json_array();
		for (u64 i = 0; i < n->count; i++)
			if (n->at[i / 8] >> i % 8 & 1)
				json_array_append_new(set, json_integer(i));
		return json_pack("{s:o,s:o}", "bits", json_u64(n->count), "set", set);
	case NODE_EDGE:
		return json_edge((const void *)n->at);
	case NODE_RUN:
		return json_run((const void *)n->at);
	case NODE_BYTES:
		return json_hex(n->at, n->bytes);
	case NODE_SECRET:
		return json_string("(secret)");
	}
	return json_null();
}

/* Values on their way into a tree: the groups that are open */
struct tree {
	json_t *open[MAX_LEVELS];
	u8 kinds[MAX_LEVELS];
	bool maps[MAX_LEVELS];
	u32 depth;
};

/* A field of the same name, which only hostile schemas have, hides nothing */
static void set_member(json_t *object, const struct node *n, json_t *value)
{
	size_t len;
	char *name = safe_name(n->name, n->name_len, &len), *more;

	while (name && json_object_getn(object, name, len)) {
		more = realloc(name, len + 2);
		if (!more)
			break;
		name = more;
		name[len++] = '\'';
	}
	if (name)
		json_object_setn_new(object, name, len, value);
	else
		json_decref(value);
	free(name);
}

static const char *item_type(const struct node *n)
{
	switch (n->kind) {
	case NODE_ITEMS:
		return "group";
	case NODE_TEXT:
		return "text";
	case NODE_BYTES:
		return "bytes";
	}
	return kstate_type_name(n->type);
}

static void add_value(struct tree *tree, const struct node *n, json_t *value)
{
	json_t *parent = tree->open[tree->depth - 1];

	switch (tree->kinds[tree->depth - 1]) {
	case NODE_LIST:
		if (tree->maps[tree->depth - 1])
			value = json_pack("[o,o]", json_u64(n->index), value);
		json_array_append_new(parent, value);
		break;
	case NODE_UNION:
		json_object_set_new(parent, "value", value);
		break;
	case NODE_ITEMS:
		json_array_append_new(parent, json_pack("{s:o,s:s,s:o}", "name",
							json_name(n->name, n->name_len),
							"type", item_type(n), "value", value));
		break;
	default:
		set_member(parent, n, value);
	}
}

static void tree_open(void *arg, const struct node *n)
{
	struct tree *tree = arg;
	json_t *value;

	if (n->kind == NODE_UNION)
		value = json_pack("{s:o,s:{}}", "arm", json_name(n->arm, strlen(n->arm)), "value");
	else
		value = n->kind == NODE_STRUCT ? json_object() : json_array();
	add_value(tree, n, value);
	tree->open[tree->depth] = value;
	tree->kinds[tree->depth] = n->kind;
	tree->maps[tree->depth++] = n->map;
}

static void tree_leaf(void *arg, const struct node *n)
{
	add_value(arg, n, json_leaf(n));
}

static void tree_close(void *arg, const struct node *n)
{
	((struct tree *)arg)->depth--;
}

static const struct walker tree_walker = {
	.open = tree_open, .leaf = tree_leaf, .close = tree_close,
};

/* Schemas and header */

static const char *const containers[] = {
	"one", "array", "optional", "sequence", "pointers", "map",
};

/* By the type of the field; a tag is an integer that may be negative */
static json_t *constraint(const struct kstate_schema_field *f, u64 val)
{
	return kstate_is_signed(f->type) ? json_integer(val) : json_u64(val);
}

static json_t *json_field(const struct kstate_schema_field *f)
{
	json_t *field = json_pack("{s:o,s:s,s:s,s:i,s:I,s:o,s:o,s:o,s:o}",
				  "name", json_name(f->name, strlen(f->name)),
				  "type", kstate_type_name(f->type), "container", containers[f->container],
				  "flags", f->flags, "count", (json_int_t)f->count,
				  "dflt", constraint(f, f->dflt), "min", constraint(f, f->min),
				  "max", constraint(f, f->max), "mask", json_u64(f->mask));

	if (field && f->ref)
		json_object_set_new(field, "ref", json_integer(f->ref->serial));
	if (field && f->type == KS_T_REMOVED && kstate_was_type(f))
		json_object_set_new(field, "was", json_pack("[s,s]",
				    kstate_type_name(kstate_was_type(f)),
				    containers[f->min >> 8 == KS_C_ARRAY ? KS_C_ARRAY : KS_C_ONE]));
	return field;
}

static json_t *json_hint(const struct kstate_schema *schema, const struct kstate_schema_hint *h)
{
	static const char *const kinds[] = {
		[KSTATE_HINT_HEX] = "hex", [KSTATE_HINT_SECRET] = "secret",
		[KSTATE_HINT_FLAG] = "flag", [KSTATE_HINT_ROOM] = "room",
		[KSTATE_HINT_LENGTH] = "length", [KSTATE_HINT_TEXT] = "text",
		[KSTATE_HINT_ENUM] = "enum", [KSTATE_HINT_GROUP] = "group",
		[KSTATE_HINT_MAC] = "mac", [KSTATE_HINT_UUID] = "uuid",
	};
	json_t *kind = h->kind && h->kind < ARRAY_SIZE(kinds) ? json_string(kinds[h->kind]) :
								 json_integer(h->kind);

	return json_pack("{s:i,s:o,s:o,s:o}", "field", h->field, "kind", kind,
			 "name", json_name(h->name, strlen(h->name)),
			 "value", h->kind == KSTATE_HINT_ENUM ?
				  constraint(&schema->fields[h->field], h->value) :
				  json_u64(h->value));
}

/**
 * json_schema() - a schema of a file
 * @s: the file
 * @id: its number
 *
 * Return: null if it is damaged.
 */
json_t *json_schema(const struct stream_file *s, u32 id)
{
	const struct kstate_schema *schema = stream_schema(s, id);
	json_t *fields = json_array(), *hints = json_array();
	char hash[20];

	if (!schema) {
		json_decref(fields);
		json_decref(hints);
		return json_null();
	}
	snprintf(hash, sizeof(hash), "%016llx", schema->hash);
	for (u32 i = 0; i < schema->nr_fields; i++)
		json_array_append_new(fields, json_field(&schema->fields[i]));
	for (u32 i = 0; i < schema->nr_hints; i++)
		json_array_append_new(hints, json_hint(schema, &schema->hints[i]));
	return json_pack("{s:I,s:o,s:s,s:I,s:I,s:b,s:I,s:o,s:o}", "number", (json_int_t)id,
			 "name", json_name(schema->name, strlen(schema->name)), "hash", hash,
			 "version", (json_int_t)schema->version,
			 "min_version", (json_int_t)schema->min_version,
			 "optional", schema->flags & KSTATE_SCHEMA_OPTIONAL,
			 "size", (json_int_t)schema->size, "fields", fields, "hints", hints);
}

/**
 * json_header() - the header of a file, as it stands there
 * @s: the file
 */
json_t *json_header(const struct stream_file *s)
{
	const struct kstate_header *h = (void *)s->data;
	const char *release = (const char *)h->release;

	return json_pack("{s:I,s:I,s:o,s:o,s:I,s:I,s:o}",
			 "format", (json_int_t)le32_to_cpu(h->format),
			 "header_size", (json_int_t)le32_to_cpu(h->header_size),
			 "total_size", json_u64(le64_to_cpu(h->total_size)),
			 "records", json_u64(le64_to_cpu(h->records)),
			 "page_size", (json_int_t)le32_to_cpu(h->page_size),
			 "arch", (json_int_t)le32_to_cpu(h->arch),
			 "release", json_name(release, strnlen(release, sizeof(h->release))));
}

/* The file */

struct dump {
	struct stream_file *s;
	const struct dump_options *opt;
	FILE *file;
	bool more_streams;
	bool more_records;
	u64 dropped;
	u64 shown;
	bool failed;
};

static void put(struct dump *d, json_t *value)
{
	if (!value || json_dumpf(value, d->file, JSON_COMPACT | JSON_ENCODE_ANY))
		d->failed = true;
	json_decref(value);
}

static bool begin_stream(const struct kstate_stream *stream, void *arg)
{
	struct dump *d = arg;

	fputs(d->more_streams ? ",\n{\"name\":" : "\n{\"name\":", d->file);
	put(d, stream ? json_name(stream->name, strlen(stream->name)) : json_null());
	fputs(",\"number\":", d->file);
	put(d, stream ? json_u64(stream->id) : json_null());
	fputs(",\"records\":[", d->file);
	d->more_streams = true;
	d->more_records = false;
	d->dropped = 0;
	return !d->failed;
}

static void add_values(struct dump *d, json_t *value, struct seen *seen)
{
	json_t *values = json_object();
	struct tree tree = { .open = { values }, .kinds = { NODE_STRUCT }, .depth = 1 };
	struct walk w = {
		.walker = &tree_walker, .arg = &tree, .limit = U64_MAX, .secrets = d->opt->secrets,
	};
	bool good = walk_payload(&w, seen->schema, seen->payload, seen->size);

	json_object_set_new(value, "values", values);
	if (good)
		return;
	if (!seen->problem[0]) {
		snprintf(seen->problem, sizeof(seen->problem), "%s", w.what);
		stream_damage(d->s, w.bad, seen->payload + seen->size - w.bad, "%s: %s",
			      seen->schema->name, w.what);
	}
	json_object_set_new(value, "rest_offset", json_u64(stream_offset(d->s, w.bad)));
	json_object_set_new(value, "rest", w.secrets || !has_secrets(d->s, seen->schema) ?
			    json_hex(w.bad, seen->payload + seen->size - w.bad) :
			    json_string("(secret)"));
}

static bool show_record(const struct kstate_stream *stream, struct kstate_record *record,
			void *arg)
{
	struct dump *d = arg;
	struct seen seen;
	json_t *value;

	dump_look(d->s, record, &seen);
	if (!dump_wanted(d->opt, stream, &seen))
		return true;
	d->shown++;
	if (seen.dropped) {
		d->dropped++;
		return true;
	}
	value = json_pack("{s:o?,s:I,s:o,s:b,s:o,s:I}",
			  "state", seen.schema ? json_name(seen.schema->name,
							   strlen(seen.schema->name)) : NULL,
			  "schema", (json_int_t)le32_to_cpu(record->schema),
			  "key", json_key(&seen),
			  "optional", le16_to_cpu(record->flags) & KSTATE_RECORD_OPTIONAL,
			  "offset", json_u64(stream_offset(d->s, record)),
			  "size", (json_int_t)(sizeof(*record) + le32_to_cpu(record->size)));
	if (!seen.schema)
		json_object_set_new(value, "bytes", json_hex((u8 *)(record + 1), seen.bytes));
	else
		add_values(d, value, &seen);
	if (seen.problem[0])
		json_object_set_new(value, "damaged", json_name(seen.problem,
								strlen(seen.problem)));
	fputs(d->more_records ? ",\n " : "\n ", d->file);
	d->more_records = true;
	put(d, value);
	return !d->failed;
}

static bool end_stream(const struct kstate_stream *stream, void *arg)
{
	struct dump *d = arg;

	fprintf(d->file, "%s],\"dropped\":%llu}", d->more_records ? "\n" : "", d->dropped);
	return true;
}

static const struct stream_visitor visitor = {
	.begin = begin_stream, .record = show_record, .end = end_stream,
};

/**
 * dump_json() - a stream file as JSON
 * @s: the file
 * @opt: what to show
 * @file: where to
 * @t: what went wrong
 */
enum status dump_json(struct stream_file *s, const struct dump_options *opt, FILE *file,
		      struct trouble *t)
{
	struct dump d = { .s = s, .opt = opt, .file = file };

	fputs("{\"header\":", file);
	put(&d, json_header(s));
	fputs(",\n\"schemas\":[", file);
	for (u32 i = 0; i < s->set->nr_known; i++) {
		fputs(i ? ",\n " : "\n ", file);
		put(&d, json_schema(s, i));
	}
	fputs("],\n\"streams\":[", file);
	stream_walk(s, &visitor, &d);
	fputs("],\n\"damage\":[", file);
	for (size_t i = 0; i < s->nr_damage; i++) {
		fputs(i ? ",\n " : "\n ", file);
		put(&d, json_pack("{s:o,s:o,s:o}", "offset", json_u64(s->damage[i].at),
				  "size", json_u64(s->damage[i].size),
				  "what", json_name(s->damage[i].what,
						    strlen(s->damage[i].what))));
	}
	fputs("]}\n", file);
	if (d.failed)
		return trouble(t, STATUS_SYSTEM,
			       "cannot make JSON: no memory");
	return dump_status(s, opt, d.shown, t);
}
