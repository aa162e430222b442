// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate diff: two streams, field by field.
 *
 * Records are matched by stream, state and key, values by their paths; the schemas of
 * the two may differ. Records with the same bytes are not looked into.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include "values.h"

/* Elements of an array that are shown unless all are */
#define SHORT_ELEMENTS	16

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

struct diff {
	struct side from;
	struct side to;
	struct dump_options opt;
	struct values a;
	struct values b;
	struct out out;
	struct matches matches;
	const char *stream;	/* that was named last */
	bool named;		/* the record has been named */
	u64 same;
	u64 different;
	bool changed;		/* anything at all */
	json_t *fields;		/* of this record or state */
	bool more;		/* something stands in the array of JSON already */
	bool no_memory;
};

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

		if (i < a->count && i < b->count && values_same_int(a, b, i))
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

static bool bit(const struct node *n, u64 i)
{
	return i < n->count && n->at[i / 8] >> i % 8 & 1;
}

/* The bits that are in @a, but not in @b, as a list of ranges */
static void bits_only_in(struct out *o, const struct node *a, const struct node *b)
{
	const char *between = "";
	u64 i, end;

	for (i = 0; i < a->count; i = end + 1) {
		for (end = i; bit(a, end) && !bit(b, end); end++)
			;
		if (end == i)
			continue;
		out_printf(o, "%s%llu", between, i);
		if (end > i + 1)
			out_printf(o, "-%llu", end - 1);
		between = ",";
	}
}

static void tell_bits(struct diff *d, const struct saved *e, const char *path,
		      const struct node *a, const struct node *b)
{
	struct out set = {}, cleared = {};

	bits_only_in(&set, b, a);
	bits_only_in(&cleared, a, b);
	if (options.json) {
		d->named = true;
		json_array_append_new(d->fields,
				      json_pack("{s:s,s:o,s:o,s:s%,s:s%}", "path", path,
						"from", json_leaf(a), "to", json_leaf(b),
						"set", set.data ?: "", set.len,
						"cleared", cleared.data ?: "", cleared.len));
	} else {
		if (!d->named)
			name_record(d, e, " ");
		d->named = true;
		out_printf(&d->out, "    %s:", path);
		if (cleared.len)
			out_printf(&d->out, " cleared %.*s", (int)cleared.len, cleared.data);
		if (cleared.len && set.len)
			out_char(&d->out, ',');
		if (set.len)
			out_printf(&d->out, " set %.*s", (int)set.len, set.data);
		out_char(&d->out, '\n');
	}
	out_free(&set);
	out_free(&cleared);
}

/* Of which only the elements that differ are told */
static bool is_array(const struct node *n)
{
	char address[TEXT_ADDRESS];

	return n->kind == NODE_INTS && !n->one && !text_address(n, address);
}

static void compare_values(struct diff *d, const struct saved *e)
{
	struct values *a = &d->a, *b = &d->b;

	if (!values_index(b)) {
		d->no_memory = true;
		return;
	}
	for (u32 i = 0; i < a->nr; i++) {
		struct value *x = &a->list[i], *y = values_find(b, a, x);
		const char *path = values_path(a, x);

		if (!y) {
			if (!values_mean_nothing(x))
				tell(d, e, path, &x->node, NULL);
			continue;
		}
		y->matched = true;
		if (values_same(&x->node, &y->node))
			continue;
		if (is_array(&x->node) && is_array(&y->node))
			tell_ints(d, e, path, &x->node, &y->node);
		else if (x->node.kind == NODE_BITS && y->node.kind == NODE_BITS)
			tell_bits(d, e, path, &x->node, &y->node);
		else
			tell(d, e, path, &x->node, &y->node);
	}
	for (u32 i = 0; i < b->nr; i++)
		if (!b->list[i].matched && !values_mean_nothing(&b->list[i]))
			tell(d, e, values_path(b, &b->list[i]), NULL, &b->list[i].node);
}

/* Schemas */

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

static bool same_type(const struct kstate_schema_field *f, const struct kstate_schema_field *g)
{
	return f->type == g->type && f->container == g->container && f->count == g->count &&
	       (!f->ref || !strcmp(f->ref->name, g->ref->name));
}

static void tell_type(struct diff *d, const char *path, const struct kstate_schema_field *from,
		      const struct kstate_schema_field *to)
{
	bool renamed = from && to && strcmp(from->name, to->name);
	bool changed = !from || !to || !same_type(from, to);
	struct out *o = &d->out;

	if (options.json) {
		json_t *was = renamed ? json_name(from->name, strlen(from->name)) : NULL;

		json_array_append_new(d->fields, json_pack("{s:s,s:o*,s:o*,s:o*}", "path", path,
							   "was", was,
							   "from", type_json(d, from),
							   "to", type_json(d, to)));
		return;
	}
	out_printf(o, "%s  %c %s", !from ? colour(GREEN) : !to ? colour(RED) : "",
		   !from ? '+' : !to ? '-' : ' ', path);
	if (renamed) {
		out_text(o, ", was ");
		out_escaped(o, from->name, strlen(from->name));
	}
	out_text(o, ": ");
	if (from)
		text_field_type(o, from);
	if (from && to && changed)
		out_printf(o, " %s->%s ", colour(YELLOW), colour(PLAIN));
	if (to && changed)
		text_field_type(o, to);
	out_printf(o, "%s\n", colour(PLAIN));
}

static size_t enter_field(struct out *path, const struct kstate_schema_field *f)
{
	size_t len = path->len;

	out_text(path, len ? "." : "");
	out_escaped(path, f->name, strlen(f->name));
	out_char(path, 0);
	path->len--;
	return len;
}

static void compare_fields(struct diff *d, struct out *path, const struct match *match)
{
	const struct kstate_schema *a = match->from, *b = match->to;
	const struct kstate_schema_field *f, *g;
	const struct match *inner;
	size_t len;

	for (f = a->fields; f < a->fields + a->nr_fields; f++) {
		if (!kstate_has_data(f))
			continue;
		g = matches_field(match, f, false);
		len = enter_field(path, g ?: f);
		if (!g || !same_type(f, g) || strcmp(f->name, g->name))
			tell_type(d, path->data, f, g);
		inner = g && f->ref && g->ref && !kstate_schema_equal(f->ref, g->ref) ?
			matches_get(&d->matches, f->ref, g->ref, NULL) : NULL;
		if (inner)
			compare_fields(d, path, inner);
		path->len = len;
	}
	for (g = b->fields; g < b->fields + b->nr_fields; g++) {
		if (!kstate_has_data(g) || matches_field(match, g, true))
			continue;
		len = enter_field(path, g);
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

/* Once for each two schemas that records were made with */
static void compare_schemas(struct diff *d, const struct kstate_schema *a,
			    const struct kstate_schema *b)
{
	const struct match *match;
	struct out path = {};
	bool is_new;

	if (!a || !b || kstate_schema_equal(a, b))
		return;
	match = matches_get(&d->matches, a, b, &is_new);
	if (!match || !is_new)
		return;
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
	compare_fields(d, &path, match);
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
	       e->seen.size == f->seen.size &&
	       !memcmp(e->seen.payload, f->seen.payload, e->seen.size);
}

static void compare_records(struct diff *d, struct saved *e, struct saved *f)
{
	const struct match *match;

	f->matched = true;
	if (same_record(e, f)) {
		d->same++;
		return;
	}
	match = e->seen.schema && f->seen.schema ?
		matches_get(&d->matches, e->seen.schema, f->seen.schema, NULL) : NULL;
	values_read(&d->a, &d->from.file, &e->seen, match, d->opt.secrets);
	values_read(&d->b, &d->to.file, &f->seen, match, d->opt.secrets);
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

static enum status compare_files(struct diff *d, struct trouble *t)
{
	enum status status;

	for (int i = 0; i < 2; i++) {
		const struct stream_file *file = i ? &d->to.file : &d->from.file;

		if (list_empty(&file->set->streams) && !list_empty(&file->set->states))
			return trouble(t, STATUS_FOREIGN,
				       "%s: is a catalogue, which has no records: kstate check compares those",
				       file->name);
	}
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
	if (d->no_memory || d->matches.no_memory || d->a.no_memory || d->b.no_memory)
		return trouble(t, STATUS_SYSTEM, "no memory");
	status = stream_status(&d->from.file, t);
	if (!status)
		status = stream_status(&d->to.file, t);
	if (!status && !d->from.nr && !d->to.nr &&
	    (d->opt.stream || d->opt.state || d->opt.key))
		return trouble(t, STATUS_INPUT,
			       "no record of stream %s, state %s, key %s in either: see kstate diff without them",
			       d->opt.stream ?: "(any)", d->opt.state ?: "(any)",
			       d->opt.key ?: "(any)");
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
	d.a.matches = &d.matches;
	d.b.matches = &d.matches;
	d.b.back = true;
	status = stream_open(&d.from.file, a.paths[0], t);
	if (!status)
		status = stream_open(&d.to.file, a.paths[1], t);
	if (!status)
		status = compare_files(&d, t);
	out_free(&d.out);
	values_free(&d.a);
	values_free(&d.b);
	matches_free(&d.matches);
	free_side(&d.from);
	free_side(&d.to);
	return status;
}
