// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate dump: a stream as a tree of named values.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/minmax.h>
#include "dump.h"

/**
 * dump_look() - see what can be made of a record
 * @s: the file; damage is noted
 * @record: a record with a good header
 * @seen: set to what was found
 */
void dump_look(struct stream_file *s, struct kstate_record *record, struct seen *seen)
{
	u32 id = le32_to_cpu(record->schema), size = le32_to_cpu(record->size);
	const char *problem = "";

	*seen = (struct seen){
		.record = record,
		.bytes = stream_record_bytes(s, record),
		.dropped = le16_to_cpu(record->flags) & KSTATE_RECORD_DROPPED,
	};
	if (seen->dropped)
		return;
	if (!kstate_record_understood(record)) {
		snprintf(seen->problem, sizeof(seen->problem),
			 "flags %#x or a key of %u bytes, which this program does not know",
			 le16_to_cpu(record->flags), le16_to_cpu(record->key_len));
	} else if (kstate_key_bytes(record) > seen->bytes) {
		snprintf(seen->problem, sizeof(seen->problem), "cut in its key");
	} else {
		seen->schema = stream_schema(s, id);
		seen->payload = kstate_record_payload(record);
		seen->size = seen->bytes - kstate_key_bytes(record);
		if (!seen->schema)
			problem = id < s->set->nr_known ? "its schema is damaged" :
							  "its schema is not there";
		if (seen->bytes < size)
			snprintf(seen->problem, sizeof(seen->problem),
				 "cut: %u of its %u bytes are there, whose checksum is not known",
				 seen->bytes, size);
		else if (!stream_record_whole(s, record))
			problem = seen->schema ?
				  "the checksum is wrong: any of its values may be too" :
				  "the checksum is wrong, and the schema not known";
		else if (record->key_len &&
			 kstate_string_key((char *)(record + 1), le16_to_cpu(record->key_len)) !=
			 le64_to_cpu(record->key))
			problem = "the checksum of its key is wrong";
		if (problem[0] && !seen->problem[0])
			snprintf(seen->problem, sizeof(seen->problem), "%s", problem);
	}
	if (seen->problem[0])
		stream_damage(s, record, sizeof(*record) + seen->bytes, "record: %s",
			      seen->problem);
}

static bool key_matches(const struct seen *seen, const char *key)
{
	const struct kstate_record *record = seen->record;
	u32 len = seen->payload ? le16_to_cpu(record->key_len) : 0;
	char *end;
	u64 id;

	if (len)
		return strlen(key) == len && !memcmp(record + 1, key, len);
	id = strtoull(key, &end, 0);
	return *key && !*end && id == le64_to_cpu(record->key);
}

/**
 * dump_wanted() - whether a record is to be shown
 * @opt: what is to be shown
 * @stream: its stream, NULL if none refers to it
 * @seen: the record
 */
bool dump_wanted(const struct dump_options *opt, const struct kstate_stream *stream,
		 const struct seen *seen)
{
	if (opt->stream && (!stream || strcmp(stream->name, opt->stream)))
		return false;
	if (opt->state && (!seen->schema || strcmp(seen->schema->name, opt->state)))
		return false;
	return !opt->key || (!seen->dropped && key_matches(seen, opt->key));
}

/**
 * dump_status() - how showing a file ended
 * @s: the file
 * @opt: what was to be shown
 * @shown: records that were
 * @t: where the sentence goes if it is damaged, or nothing was shown
 */
enum status dump_status(const struct stream_file *s, const struct dump_options *opt, u64 shown,
			struct trouble *t)
{
	if (!shown && (opt->stream || opt->state || opt->key) && !s->damaged)
		return trouble(t, STATUS_INPUT,
			       "%s: no record of stream %s, state %s, key %s: see kstate dump without them",
			       s->name, opt->stream ?: "(any)", opt->state ?: "(any)",
			       opt->key ?: "(any)");
	return stream_status(s, t);
}

/* Text */

/* How a field begins: "name: type = ", and whether its integer has no hints */
struct intro {
	char *text;
	u32 len;
	bool plain;
};

struct dump {
	struct stream_file *s;
	const struct dump_options *opt;
	struct out out;
	struct intro **intros;	/* by the serial of the schema and the field */
	u32 depth;
	u64 shown;
	bool stream_shown;
};

static const char spaces[] = "                                                            ";

static void begin_line(struct dump *d, const void *at)
{
	u32 indent = min(2 * d->depth, (u32)sizeof(spaces) - 1);

	if (d->opt->offsets)
		out_printf(&d->out, "%s%08llx%s  ", colour(DIM), stream_offset(d->s, at),
			   colour(PLAIN));
	out_bytes(&d->out, spaces, indent);
}

/* Damage that has been found since this was called last */
static void show_damage(struct dump *d)
{
	struct stream_file *s = d->s;

	for (size_t i = 0; i < s->nr_damage; i++) {
		out_text(&d->out, colour(RED));
		out_printf(&d->out, "damaged at offset %#llx", s->damage[i].at);
		if (s->damage[i].size)
			out_printf(&d->out, ", %llu bytes", s->damage[i].size);
		out_text(&d->out, ": ");
		out_escaped(&d->out, s->damage[i].what, strlen(s->damage[i].what));
		out_text(&d->out, colour(PLAIN));
		out_char(&d->out, '\n');
	}
	stream_forget_damage(s);
}

static const char *plural(u64 n)
{
	return n == 1 ? "" : "s";
}

static void show_header(struct dump *d)
{
	const struct kstate_header *h = (void *)d->s->data;
	u32 arch = le32_to_cpu(h->arch);
	u64 streams = list_count_nodes(&d->s->set->streams);
	struct out *o = &d->out;

	out_printf(o, "%sKSTATE stream%s, format %u, written by ", colour(BOLD), colour(PLAIN),
		   le32_to_cpu(h->format));
	out_escaped(o, h->release, strnlen((char *)h->release, sizeof(h->release)));
	if (arch_name(arch))
		out_printf(o, " on %s", arch_name(arch));
	else
		out_printf(o, " on architecture %u", arch);
	out_printf(o, ", pages of %u bytes\n", le32_to_cpu(h->page_size));
	out_printf(o, "%llu bytes, %llu record%s, %llu stream%s, %u schema%s%s\n",
		   le64_to_cpu(h->total_size), le64_to_cpu(h->records),
		   plural(le64_to_cpu(h->records)), streams, plural(streams),
		   d->s->set->nr_known, plural(d->s->set->nr_known),
		   d->s->good_header ? "" : ", if the damaged header is to be believed");
	if (!list_empty(&d->s->set->states))
		out_printf(o, "a catalogue of %zu descriptions: see kstate catalog\n",
			   (size_t)list_count_nodes(&d->s->set->states));
}

/* Schemas */

static void show_constraints(struct out *o, const struct kstate_schema_field *f)
{
	bool sign = kstate_is_signed(f->type);

	if (f->flags & KSTATE_FIELD_DEFAULT && kstate_is_int(f->type))
		out_printf(o, sign ? ", default %lld" : ", default %llu", f->dflt);
	else if (f->flags & KSTATE_FIELD_DEFAULT)
		out_text(o, ", default");
	if (f->flags & KSTATE_FIELD_HOOK)
		out_text(o, ", a function decides if absent");
	if (f->flags & KSTATE_FIELD_IGNORABLE)
		out_text(o, ", ignorable");
	if (f->flags & KSTATE_FIELD_CONVERT)
		out_text(o, ", converted by a function");
	if (f->flags & KSTATE_FIELD_RANGE)
		out_printf(o, sign ? ", from %lld to %lld" : ", from %llu to %llu", f->min, f->max);
	if (f->flags & KSTATE_FIELD_MASK)
		out_printf(o, ", bits of %#llx", f->mask);
	if (f->flags & KSTATE_FIELD_EQUAL)
		out_text(o, ", must equal");
}

static void show_hints(struct out *o, const struct kstate_schema *schema, u32 field)
{
	for (u32 i = 0; i < schema->nr_hints; i++) {
		const struct kstate_schema_hint *h = &schema->hints[i];

		if (h->field != field)
			continue;
		switch (h->kind) {
		case KSTATE_HINT_HEX:
			out_text(o, ", hex");
			break;
		case KSTATE_HINT_MAC:
			out_text(o, ", MAC address");
			break;
		case KSTATE_HINT_UUID:
			out_text(o, ", UUID");
			break;
		case KSTATE_HINT_SECRET:
			out_text(o, ", secret");
			break;
		case KSTATE_HINT_FLAG:
		case KSTATE_HINT_ENUM:
			out_text(o, ", ");
			out_escaped(o, h->name, strlen(h->name));
			out_char(o, '=');
			if (h->kind == KSTATE_HINT_FLAG)
				out_hex(o, h->value);
			else
				text_constant(o, schema->fields[field].type, h->value);
			break;
		case KSTATE_HINT_ROOM:
			out_printf(o, ", room for %llu", h->value);
			break;
		}
	}
}

static void show_schema_field(struct dump *d, const struct kstate_schema *schema, u32 i)
{
	const struct kstate_schema_field *f = &schema->fields[i];
	struct out *o = &d->out;

	out_text(o, kstate_has_data(f) || f->type == KS_T_REMOVED ? "  " : "    ");
	switch (f->type) {
	case KS_T_ALIAS:
		out_text(o, "once called ");
		break;
	case KS_T_REMOVED:
		out_text(o, "removed: ");
		break;
	case KS_T_ARM:
		out_printf(o, "arm %lld: ", f->dflt);
		break;
	}
	out_escaped(o, f->name, strlen(f->name));
	if (kstate_has_data(f)) {
		out_text(o, ": ");
		text_field_type(o, f);
		show_constraints(o, f);
		show_hints(o, schema, i);
	} else if (f->ref) {
		out_text(o, ": ");
		out_escaped(o, f->ref->name, strlen(f->ref->name));
	}
	if (f->type == KS_T_REMOVED)
		text_was(o, f);
	out_char(o, '\n');
}

static void show_schemas(struct dump *d)
{
	struct out *o = &d->out;

	for (u32 id = 0; id < d->s->set->nr_known; id++) {
		const struct kstate_schema *schema = stream_schema(d->s, id);

		out_printf(o, "\n%sschema %u%s: ", colour(BOLD), id, colour(PLAIN));
		if (!schema) {
			out_text(o, "damaged\n");
			continue;
		}
		out_escaped(o, schema->name, strlen(schema->name));
		out_printf(o, ", version %u", schema->version);
		if (schema->min_version != schema->version)
			out_printf(o, " (from %u)", schema->min_version);
		out_printf(o, ", %u bytes%s, hash %016llx\n", schema->size,
			   schema->flags & KSTATE_SCHEMA_OPTIONAL ? ", optional" : "",
			   schema->hash);
		for (u32 i = 0; i < schema->nr_fields; i++)
			show_schema_field(d, schema, i);
	}
}

/* Values */

static bool is_plain(const struct kstate_schema *schema, const struct kstate_schema_field *f)
{
	if (f->container != KS_C_ONE || (f->type & 0xe0))
		return false;
	for (u32 i = 0; i < schema->nr_hints; i++)
		if (schema->hints[i].field == f - schema->fields)
			return false;
	return true;
}

/* Whose type does not depend on the record */
static bool type_is_fixed(const struct kstate_schema_field *f)
{
	return f->container <= KS_C_OPTIONAL && f->type != KS_T_BITMAP &&
	       f->type != KS_T_FOLIOS;
}

static void make_intro(struct intro *intro, const struct kstate_schema *schema,
		       const struct kstate_schema_field *f)
{
	struct out o = {};

	out_escaped(&o, f->name, strlen(f->name));
	out_text(&o, ": ");
	out_text(&o, colour(DIM));
	if (type_is_fixed(f)) {
		text_field_type(&o, f);
		out_text(&o, colour(PLAIN));
	}
	intro->text = o.data;
	intro->len = o.len;
	intro->plain = is_plain(schema, f);
}

/* The intros of a schema are made when it is first used */
static struct intro *intro_of(struct dump *d, const struct kstate_schema *schema,
			      const struct kstate_schema_field *f)
{
	struct intro **intros = &d->intros[schema->serial];

	if (!*intros) {
		*intros = calloc(schema->nr_fields, sizeof(**intros));
		if (!*intros)
			return NULL;
	}
	if (!(*intros)[f - schema->fields].text)
		make_intro(&(*intros)[f - schema->fields], schema, f);
	return &(*intros)[f - schema->fields];
}

static void begin_node(struct dump *d, const struct node *n)
{
	struct intro *intro;

	begin_line(d, n->slot && !n->bytes ? n->slot : n->at);
	if (n->element) {
		out_char(&d->out, '[');
		out_u64(&d->out, n->index);
		out_char(&d->out, ']');
		return;
	}
	if (n->item || !kstate_has_data(n->f)) {
		out_escaped(&d->out, n->name, n->name_len);
		if (!n->item)
			return;
		out_text(&d->out, ": ");
		out_text(&d->out, colour(DIM));
		text_type(&d->out, n);
		out_text(&d->out, colour(PLAIN));
		return;
	}
	intro = intro_of(d, n->schema, n->f);
	if (!intro)
		return;
	out_bytes(&d->out, intro->text, intro->len);
	if (!type_is_fixed(n->f)) {
		text_type(&d->out, n);
		out_text(&d->out, colour(PLAIN));
	}
}

static void text_open(void *arg, const struct node *n)
{
	struct dump *d = arg;

	/* The arm of a union is on the line of the union */
	if (n->f && n->f->type == KS_T_ARM && !n->element)
		return;
	begin_node(d, n);
	if (n->kind == NODE_UNION) {
		out_text(&d->out, " = ");
		out_escaped(&d->out, n->arm, strlen(n->arm));
	}
	if (n->kind == NODE_ITEMS && !n->bytes)
		out_text(&d->out, " = none");
	out_char(&d->out, '\n');
	d->depth++;
}

static void text_close(void *arg, const struct node *n)
{
	struct dump *d = arg;

	if (!(n->f && n->f->type == KS_T_ARM && !n->element))
		d->depth--;
}

static void plain_int(struct out *o, const struct node *n)
{
	u64 val = kstate_int_load(n->at, n->type);

	if (kstate_is_signed(n->type) && (s64)val < 0) {
		out_char(o, '-');
		val = -val;
	}
	out_u64(o, val);
}

static void text_leaf(void *arg, const struct node *n)
{
	struct dump *d = arg;
	struct intro *intro;

	if (n->kind == NODE_MORE) {
		begin_line(d, n->at);
		text_value(&d->out, n, d->opt->all);
		out_text(&d->out, "; --all shows them\n");
		return;
	}
	if (n->one && !n->element && !n->item && !d->opt->offsets) {
		/* Most values: do without looking at everything that there could be */
		intro = intro_of(d, n->schema, n->f);
		if (intro && intro->plain) {
			out_bytes(&d->out, spaces, min(2 * d->depth, (u32)sizeof(spaces) - 1));
			out_bytes(&d->out, intro->text, intro->len);
			out_bytes(&d->out, " = ", 3);
			plain_int(&d->out, n);
			out_char(&d->out, '\n');
			return;
		}
	}
	begin_node(d, n);
	out_text(&d->out, " = ");
	text_value(&d->out, n, d->opt->all);
	out_char(&d->out, '\n');
}

static const struct walker text_walker = {
	.open = text_open, .leaf = text_leaf, .close = text_close,
};

static void show_hex(struct dump *d, const struct kstate_schema *schema, const u8 *data, u64 size)
{
	u64 shown = d->opt->all ? size : min(size, 4096ULL);

	if (schema && !d->opt->secrets && has_secrets(d->s, schema)) {
		begin_line(d, data);
		out_printf(&d->out, "%llu bytes with secrets in them; --secrets shows them\n",
			   size);
		return;
	}
	out_hexdump(&d->out, data, shown, stream_offset(d->s, data), 2 * d->depth);
	if (shown < size) {
		begin_line(d, data + shown);
		out_printf(&d->out, "... %llu more bytes; --all shows them\n", size - shown);
	}
}

static void show_values(struct dump *d, struct seen *seen)
{
	struct walk w = {
		.walker = &text_walker, .arg = d, .limit = d->opt->all ? U64_MAX : 16,
		.secrets = d->opt->secrets,
	};

	d->depth = 2;
	if (walk_payload(&w, seen->schema, seen->payload, seen->size))
		return;
	d->depth = 2;
	if (!seen->problem[0])
		stream_damage(d->s, w.bad, seen->payload + seen->size - w.bad, "%s: %s",
			      seen->schema->name, w.what);
	begin_line(d, w.bad);
	out_text(&d->out, "the rest cannot be read: ");
	out_escaped(&d->out, w.what, strlen(w.what));
	out_char(&d->out, '\n');
	show_hex(d, seen->schema, w.bad, seen->payload + seen->size - w.bad);
}

static void show_stream(struct dump *d, const struct kstate_stream *stream)
{
	const struct kstate_segment *segment;
	u64 bytes = 0, segments = 0;

	out_text(&d->out, "\n");
	if (!stream) {
		out_printf(&d->out, "%sno stream%s refers to what follows\n", colour(BOLD),
			   colour(PLAIN));
		return;
	}
	list_for_each_entry(segment, &stream->segments, list) {
		bytes += segment->used;
		segments++;
	}
	out_printf(&d->out, "%sstream \"", colour(BOLD));
	out_escaped(&d->out, stream->name, strlen(stream->name));
	out_printf(&d->out, "\"%s, number %llu: %llu bytes in %llu segment%s\n", colour(PLAIN),
		   stream->id, bytes, segments, plural(segments));
}

static bool show_record(const struct kstate_stream *stream, struct kstate_record *record,
			void *arg)
{
	struct dump *d = arg;
	struct seen seen;

	dump_look(d->s, record, &seen);
	if (!dump_wanted(d->opt, stream, &seen)) {
		show_damage(d);
		return true;
	}
	if (!d->stream_shown)
		show_stream(d, stream);
	d->stream_shown = true;
	d->shown++;
	d->depth = 0;
	show_damage(d);
	d->depth = 1;
	begin_line(d, record);
	if (seen.dropped) {
		out_printf(&d->out, "(%u bytes that the writer took back)\n",
			   (u32)sizeof(*record) + le32_to_cpu(record->size));
		return !ferror(d->out.file);
	}
	out_text(&d->out, colour(BOLD));
	text_record(&d->out, seen.schema, record, seen.payload);
	out_text(&d->out, colour(PLAIN));
	if (le16_to_cpu(record->flags) & KSTATE_RECORD_OPTIONAL)
		out_text(&d->out, ", optional");
	if (seen.problem[0]) {
		out_printf(&d->out, ", %s", colour(RED));
		out_text(&d->out, seen.problem);
		out_text(&d->out, colour(PLAIN));
	}
	out_char(&d->out, '\n');
	d->depth = 2;
	if (seen.schema)
		show_values(d, &seen);
	else
		show_hex(d, NULL, (u8 *)(record + 1), seen.bytes);
	show_damage(d);
	return !ferror(d->out.file);
}

static bool begin_stream(const struct kstate_stream *stream, void *arg)
{
	struct dump *d = arg;

	d->stream_shown = false;
	if (!d->opt->stream && !d->opt->state && !d->opt->key) {
		show_stream(d, stream);
		d->stream_shown = true;
	}
	return true;
}

static bool end_stream(const struct kstate_stream *stream, void *arg)
{
	show_damage(arg);
	return true;
}

static const struct stream_visitor text_visitor = {
	.begin = begin_stream, .record = show_record, .end = end_stream,
};

/**
 * dump_text() - a stream file as text, in constant memory
 * @s: the file
 * @opt: what to show
 * @file: where to
 * @t: what went wrong
 */
enum status dump_text(struct stream_file *s, const struct dump_options *opt, FILE *file,
		      struct trouble *t)
{
	struct dump d = { .s = s, .opt = opt, .out = { .file = file } };
	const struct kstate_schema *schema;

	d.intros = calloc(s->set->nr_known + 1, sizeof(*d.intros));
	if (!d.intros)
		return trouble(t, STATUS_SYSTEM, "no memory");
	show_header(&d);
	show_damage(&d);
	if (opt->schemas)
		show_schemas(&d);
	stream_walk(s, &text_visitor, &d);
	show_damage(&d);
	for (u32 i = 0; i < s->set->nr_known; i++) {
		schema = stream_schema(s, i);
		for (u32 j = 0; d.intros[i] && j < schema->nr_fields; j++)
			free(d.intros[i][j].text);
		free(d.intros[i]);
	}
	free(d.intros);
	out_free(&d.out);
	if (ferror(file))
		return trouble(t, STATUS_SYSTEM, "cannot write: %s", strerror(errno));
	return dump_status(s, opt, d.shown, t);
}

/* The command */

enum {
	OPTION_STREAM = 0x200, OPTION_STATE, OPTION_KEY, OPTION_SCHEMAS, OPTION_SECRETS,
	OPTION_OFFSETS, OPTION_HTML, OPTION_LIVE,
};

static const struct argp_option option_list[] = {
	{ "live", OPTION_LIVE, NULL, 0, "What the running kernel would save now; as STREAM: live", 0 },
	{ "stream", OPTION_STREAM, "NAME", 0, "Only this stream", 0 },
	{ "state", OPTION_STATE, "NAME", 0, "Only records of this state", 0 },
	{ "key", OPTION_KEY, "KEY", 0, "Only records with this key: a number or a string", 0 },
	{ "all", 'a', NULL, 0, "Show long arrays and texts as a whole", 1 },
	{ "offsets", OPTION_OFFSETS, NULL, 0, "Show where in the file things are", 1 },
	{ "schemas", OPTION_SCHEMAS, NULL, 0, "Show the schemas too", 1 },
	{ "secrets", OPTION_SECRETS, NULL, 0, "Show what is secret", 1 },
	{ "html", OPTION_HTML, "FILE", 0, "Write a page: a map of the bytes beside the tree", 2 },
	{}
};

struct arguments {
	struct dump_options opt;
	const char *path;
	const char *html;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'a':
		a->opt.all = true;
		return 0;
	case OPTION_STREAM:
		a->opt.stream = arg;
		return 0;
	case OPTION_STATE:
		a->opt.state = arg;
		return 0;
	case OPTION_KEY:
		a->opt.key = arg;
		return 0;
	case OPTION_SCHEMAS:
		a->opt.schemas = true;
		return 0;
	case OPTION_SECRETS:
		a->opt.secrets = true;
		return 0;
	case OPTION_OFFSETS:
		a->opt.offsets = true;
		return 0;
	case OPTION_HTML:
		a->html = arg;
		return 0;
	case OPTION_LIVE:
		arg = "live";
		fallthrough;
	case ARGP_KEY_ARG:
		if (a->path)
			argp_error(state, "one stream only");
		a->path = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.args_doc = "[STREAM]",
	.doc = "Show a stream as a tree of named, typed values.\v"
	       "STREAM is a file, - for standard input, or what the running kernel got (incoming), "
	       "has saved (outgoing) or would save now (live); incoming if it is not given. "
	       "kstate-dump(1) has more.",
	.children = common_options,
};

static enum status write_page(struct stream_file *s, const struct arguments *a, struct trouble *t)
{
	struct page_file page;
	enum status status = page_begin(&page, a->html, t);

	return status ?: page_end(&page, dump_html(s, &a->opt, page.file, t), t);
}

enum status command_dump(int argc, char **argv, struct trouble *t)
{
	struct arguments a = {};
	struct stream_file s = {};
	enum status status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return STATUS_USAGE;
	status = stream_open(&s, a.path ?: "incoming", t);
	if (!status)
		status = a.html ? write_page(&s, &a, t) :
			 options.json ? dump_json(&s, &a.opt, stdout, t) :
					dump_text(&s, &a.opt, stdout, t);
	stream_close(&s);
	return status;
}
