// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate catalog: what an image reads and writes.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/array_size.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include "source.h"
#include "text.h"

/* One line: a description, or a schema of a stream */
struct row {
	struct state_info info;
	bool string_key;
};

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->info.schema->name, y->info.schema->name) ?:
	       strcmp(x->info.image, y->info.image);
}

static void mark_nested(const struct kstate_set *set, struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct kstate_schema *schema = rows[i].info.schema;

		for (u32 f = 0; f < schema->nr_fields; f++)
			for (size_t j = 0; schema->fields[f].ref && j < nr; j++)
				if (rows[j].info.schema == schema->fields[f].ref)
					rows[j].info.flags |= KSTATE_STATE_NESTED;
	}
}

static void mark_used(struct kstate_set *set, struct row *rows, const size_t *row_of)
{
	struct kstate_stream *stream;

	list_for_each_entry(stream, &set->streams, list) {
		for (u32 i = 0; i < stream->index.nr; i++) {
			const struct kstate_record *record = stream->index.slots[i].record;
			u32 id = le32_to_cpu(record->schema);

			if (!kstate_known(set, id)->schema)
				continue;
			rows[row_of[id]].info.flags |= KSTATE_STATE_USED;
			rows[row_of[id]].string_key |= !!record->key_len;
		}
	}
}

/* Streams do not say what is registered, but what there are records of */
static size_t stream_rows(struct kstate_set *set, struct row *rows, size_t *row_of)
{
	size_t nr = 0;

	for (u32 i = 0; i < set->nr_known; i++) {
		const struct kstate_schema *schema = kstate_known(set, i)->schema;

		if (!schema)
			continue;
		row_of[i] = nr;
		rows[nr++] = (struct row){ .info = { .schema = schema, .image = "", .type = "" } };
	}
	mark_nested(set, rows, nr);
	mark_used(set, rows, row_of);
	return nr;
}

static size_t catalogue_rows(struct kstate_set *set, struct row *rows)
{
	const struct kstate_state *state;
	size_t nr = 0;

	list_for_each_entry(state, &set->states, list) {
		if (!source_state(set, state, &rows[nr].info))
			continue;
		rows[nr].string_key = rows[nr].info.flags & KSTATE_STATE_STRING_KEY;
		nr++;
	}
	return nr;
}

static struct row *make_rows(const struct source *s, size_t *nr, struct trouble *t)
{
	size_t room = s->set->nr_known + list_count_nodes(&s->set->states) + 1;
	struct row *rows = calloc(room, sizeof(*rows));
	size_t *row_of = calloc(room, sizeof(*row_of));

	if (!rows || !row_of) {
		trouble(t, STATUS_SYSTEM, "no memory");
		free(rows);
		free(row_of);
		return NULL;
	}
	*nr = s->stream ? stream_rows(s->set, rows, row_of) : catalogue_rows(s->set, rows);
	free(row_of);
	qsort(rows, *nr, sizeof(*rows), compare_rows);
	return rows;
}

static const char *use_of(const struct row *row)
{
	static const char *const uses[] = {
		[0] = "none", [KSTATE_STATE_USED] = "saved", [KSTATE_STATE_NESTED] = "nested",
		[KSTATE_STATE_USED | KSTATE_STATE_NESTED] = "both",
	};

	return uses[row->info.flags & (KSTATE_STATE_USED | KSTATE_STATE_NESTED)];
}

static u32 count_fields(const struct kstate_schema *schema)
{
	u32 nr = 0;

	for (u32 i = 0; i < schema->nr_fields; i++)
		nr += kstate_has_data(&schema->fields[i]);
	return nr;
}

/* Text */

/* Names come from files: they must not reach the terminal as they are */
static size_t out_name(struct out *o, const char *name)
{
	struct out text = {};
	size_t len;

	out_escaped(&text, name, strlen(name));
	len = text.len;
	out_bytes(o, text.data, len);
	free(text.data);
	return len;
}

static void out_spaces(struct out *o, size_t nr)
{
	while (nr--)
		out_char(o, ' ');
}

#define COLUMNS	6

/* The text of a column, in a string of its own */
static void out_cell(struct out *o, const struct row *row, int column)
{
	const struct kstate_schema *schema = row->info.schema;

	switch (column) {
	case 0:
		out_name(o, schema->name);
		break;
	case 1:
		out_printf(o, "%u", schema->version);
		if (schema->min_version != schema->version)
			out_printf(o, " from %u", schema->min_version);
		break;
	case 2:
		out_printf(o, "%u", count_fields(schema));
		break;
	case 3:
		out_text(o, use_of(row));
		if (schema->flags & KSTATE_SCHEMA_OPTIONAL)
			out_text(o, ", optional");
		break;
	case 4:
		out_name(o, row->info.image);
		break;
	case 5:
		out_name(o, row->info.type);
		break;
	}
}

static size_t cell_width(const struct row *row, int column)
{
	struct out text = {};
	size_t len;

	out_cell(&text, row, column);
	len = text.len;
	free(text.data);
	return len;
}

static void show_table(struct out *o, const struct row *rows, size_t nr)
{
	static const char *const heads[COLUMNS] = {
		"state", "version", "fields", "use", "image", "type",
	};
	size_t widths[COLUMNS];

	for (int column = 0; column < COLUMNS; column++) {
		widths[column] = strlen(heads[column]);
		for (size_t i = 0; i < nr; i++)
			widths[column] = max(widths[column], cell_width(&rows[i], column));
		out_printf(o, "%s%s%s", colour(BOLD), heads[column], colour(PLAIN));
		if (column < COLUMNS - 1)
			out_spaces(o, widths[column] - strlen(heads[column]) + 2);
	}
	out_char(o, '\n');
	for (size_t i = 0; i < nr; i++) {
		for (int column = 0; column < COLUMNS; column++) {
			out_cell(o, &rows[i], column);
			if (column < COLUMNS - 1)
				out_spaces(o, widths[column] - cell_width(&rows[i], column) + 2);
		}
		out_char(o, '\n');
	}
}

static void out_value(struct out *o, const struct kstate_schema_field *f, u64 val)
{
	if (f->type == KS_BOOL && val <= 1)
		out_text(o, val ? "true" : "false");
	else
		text_constant(o, f->type, val);
}

/* The default of anything else is that there is nothing */
static bool has_value(const struct kstate_schema_field *f)
{
	return kstate_is_int(f->type) && f->container <= KS_C_ARRAY;
}

static void out_default(struct out *o, const struct kstate_schema_field *f)
{
	if (!(f->flags & KSTATE_FIELD_DEFAULT))
		return;
	out_text(o, has_value(f) ? " = " : ", may be absent");
	if (has_value(f))
		out_value(o, f, f->dflt);
}

static void out_constraints(struct out *o, const struct kstate_schema_field *f)
{
	out_default(o, f);
	if (f->flags & KSTATE_FIELD_RANGE) {
		out_text(o, ", ");
		out_value(o, f, f->min);
		out_text(o, " to ");
		out_value(o, f, f->max);
	}
	if (f->flags & KSTATE_FIELD_MASK) {
		out_text(o, ", bits of ");
		out_hex(o, f->mask);
	}
	if (f->room != KSTATE_ANY_ROOM)
		out_printf(o, ", at most %llu", f->room);
	if (f->flags & KSTATE_FIELD_EQUAL)
		out_text(o, ", must be equal");
	if (f->flags & KSTATE_FIELD_HOOK)
		out_text(o, ", a function decides if absent");
	if (f->flags & KSTATE_FIELD_CONVERT)
		out_text(o, ", a function converts");
	if (f->flags & KSTATE_FIELD_IGNORABLE)
		out_text(o, ", ignorable");
	if (f->secret)
		out_text(o, ", secret");
	if (f->text)
		out_text(o, ", text");
}

/* What stands behind a field: the names of its values, its aliases, its arms */
static void show_facts(struct out *o, const struct kstate_schema *schema,
		       const struct kstate_schema_field *f)
{
	const struct kstate_schema_hint *h;
	u32 pos = 0;

	while ((h = kstate_schema_name(schema, f, &pos))) {
		out_text(o, "\n        ");
		out_name(o, h->name);
		out_text(o, " = ");
		if (f->enumerated)
			text_constant(o, f->type, h->value);
		else
			out_hex(o, h->value);
	}
	for (f++; f->type == KS_T_ALIAS || f->type == KS_T_ARM; f++) {
		if (f->type == KS_T_ALIAS) {
			out_text(o, ", was ");
			out_name(o, f->name);
			continue;
		}
		out_printf(o, "\n        arm %llu ", f->dflt);
		out_name(o, f->name);
		if (f->ref) {
			out_text(o, ": ");
			out_name(o, f->ref->name);
		}
	}
}

static void show_skipped(struct out *o, const struct state_info *info)
{
	for (u32 i = 0; i < info->nr_members; i++) {
		const struct kstate_wire_member *m = &info->members[i];

		if (m->kind != (KS_SKIP & 0xff))
			continue;
		out_text(o, "    skipped ");
		out_name(o, source_string(info, m->name));
		out_text(o, ": ");
		out_name(o, source_string(info, m->reason));
		out_char(o, '\n');
	}
}

static void show_fields(struct out *o, const struct row *row)
{
	const struct kstate_schema *schema = row->info.schema;

	out_text(o, colour(BOLD));
	out_name(o, schema->name);
	out_printf(o, "%s version ", colour(PLAIN));
	out_cell(o, row, 1);
	out_printf(o, ", %s%s%s", use_of(row),
		   schema->flags & KSTATE_SCHEMA_OPTIONAL ? ", optional" : "",
		   row->string_key ? ", string keys" : "");
	if (row->info.image[0]) {
		out_text(o, ", in ");
		out_name(o, row->info.image);
	}
	if (row->info.type[0]) {
		out_text(o, ", ");
		out_name(o, row->info.type);
	}
	out_char(o, '\n');
	for (u32 i = 0; i < schema->nr_fields; i++) {
		const struct kstate_schema_field *f = &schema->fields[i];

		if (!kstate_has_data(f) && f->type != KS_T_REMOVED)
			continue;
		out_text(o, "    ");
		text_field_type(o, f);
		out_char(o, ' ');
		out_name(o, f->name);
		if (f->type != KS_T_REMOVED)
			out_constraints(o, f);
		else
			text_was(o, f);
		show_facts(o, schema, f);
		out_char(o, '\n');
	}
	show_skipped(o, &row->info);
}

static void show(const struct source *s, const struct row *rows, size_t nr, bool fields)
{
	struct out o = { .file = stdout };
	char buf[32];

	out_name(&o, s->set->writer);
	out_printf(&o, ", %s, %s of %zu state%s\n", source_arch(s->set->arch, buf, sizeof(buf)),
		   s->stream ? "stream" : "catalogue", nr, nr == 1 ? "" : "s");
	if (nr)
		out_char(&o, '\n');
	if (!fields && nr)
		show_table(&o, rows, nr);
	for (size_t i = 0; fields && i < nr; i++) {
		if (i)
			out_char(&o, '\n');
		show_fields(&o, &rows[i]);
	}
	out_free(&o);
}

/* JSON */

static json_t *json_text(const char *text)
{
	json_t *json = json_string(text);
	struct out o = {};

	/* What is not UTF-8 is escaped as for people */
	if (!json) {
		out_escaped(&o, text, strlen(text));
		json = json_stringn(o.data, o.len);
		free(o.data);
	}
	return json;
}

static json_t *json_value(const struct kstate_schema_field *f, u64 val)
{
	if (f->type == KS_BOOL && val <= 1)
		return json_boolean(val);
	/* JSON's integers are signed here: larger ones are strings */
	if (!kstate_is_signed(f->type) && val > INT64_MAX) {
		char text[24];

		snprintf(text, sizeof(text), "%llu", (unsigned long long)val);
		return json_string(text);
	}
	return json_integer(val);
}

static void set_flag(json_t *object, const char *name, bool flag)
{
	if (flag)
		json_object_set_new(object, name, json_true());
}

static void json_constraints(json_t *json, const struct kstate_schema_field *f)
{
	if (f->flags & KSTATE_FIELD_DEFAULT)
		json_object_set_new(json, "default",
				    has_value(f) ? json_value(f, f->dflt) : json_null());
	if (f->flags & KSTATE_FIELD_RANGE) {
		json_object_set_new(json, "min", json_value(f, f->min));
		json_object_set_new(json, "max", json_value(f, f->max));
	}
	if (f->flags & KSTATE_FIELD_MASK)
		json_object_set_new(json, "mask", json_sprintf("%#llx", f->mask));
	if (f->room != KSTATE_ANY_ROOM)
		json_object_set_new(json, "room", json_integer(f->room));
	set_flag(json, "equal", f->flags & KSTATE_FIELD_EQUAL);
	set_flag(json, "absent_function", f->flags & KSTATE_FIELD_HOOK);
	set_flag(json, "convert_function", f->flags & KSTATE_FIELD_CONVERT);
	set_flag(json, "ignorable", f->flags & KSTATE_FIELD_IGNORABLE);
	set_flag(json, "secret", f->secret);
	set_flag(json, "text", f->text);
}

static void json_facts(json_t *json, const struct kstate_schema_field *f)
{
	json_t *aliases = json_array(), *arms = json_array(), *arm;

	for (f++; f->type == KS_T_ALIAS || f->type == KS_T_ARM; f++) {
		if (f->type == KS_T_ALIAS) {
			json_array_append_new(aliases, json_text(f->name));
			continue;
		}
		arm = json_pack("{s:o,s:o}", "name", json_text(f->name), "tag",
				json_value(f, f->dflt));
		if (f->ref)
			json_object_set_new(arm, "state", json_text(f->ref->name));
		json_array_append_new(arms, arm);
	}
	if (json_array_size(aliases))
		json_object_set(json, "aliases", aliases);
	if (json_array_size(arms))
		json_object_set(json, "arms", arms);
	json_decref(aliases);
	json_decref(arms);
}

static void json_names(json_t *json, const struct kstate_schema *schema,
		       const struct kstate_schema_field *f)
{
	json_t *names = json_array();
	const struct kstate_schema_hint *h;
	u32 pos = 0;

	while ((h = kstate_schema_name(schema, f, &pos)))
		json_array_append_new(names, json_pack("{s:o,s:o}", "name", json_text(h->name),
						       "value", json_value(f, h->value)));
	if (json_array_size(names))
		json_object_set(json, f->enumerated ? "values" : "bits", names);
	json_decref(names);
}

/* What a removed field was, if that is told */
static json_t *json_removed(const struct kstate_schema_field *f)
{
	json_t *json = json_pack("{s:o}", "name", json_text(f->name));
	struct kstate_schema_field was = { .type = kstate_was_type(f) };

	if (!was.type)
		return json;
	json_object_set_new(json, "type", json_sprintf("%s%s", kstate_type_name(was.type),
						       f->min >> 8 == KS_C_ONE ? "" : "[]"));
	if (f->flags & KSTATE_FIELD_DEFAULT)
		json_object_set_new(json, "default", json_value(&was, f->dflt));
	return json;
}

static json_t *json_field(const struct kstate_schema *schema, const struct kstate_schema_field *f)
{
	struct out type = {};
	json_t *json;

	text_field_type(&type, f);
	json = json_pack("{s:o,s:s%}", "name", json_text(f->name), "type", type.data, type.len);
	free(type.data);
	if (f->ref)
		json_object_set_new(json, "state", json_text(f->ref->name));
	json_constraints(json, f);
	json_names(json, schema, f);
	json_facts(json, f);
	return json;
}

static json_t *json_skipped(const struct state_info *info)
{
	json_t *skipped = json_array();

	for (u32 i = 0; i < info->nr_members; i++) {
		const struct kstate_wire_member *m = &info->members[i];

		if (m->kind != (KS_SKIP & 0xff))
			continue;
		json_array_append_new(skipped,
				      json_pack("{s:o,s:o}", "name",
						json_text(source_string(info, m->name)), "reason",
						json_text(source_string(info, m->reason))));
	}
	return skipped;
}

static json_t *json_row(const struct row *row)
{
	const struct kstate_schema *schema = row->info.schema;
	json_t *fields = json_array(), *removed = json_array();

	for (u32 i = 0; i < schema->nr_fields; i++) {
		const struct kstate_schema_field *f = &schema->fields[i];

		if (kstate_has_data(f))
			json_array_append_new(fields, json_field(schema, f));
		else if (f->type == KS_T_REMOVED)
			json_array_append_new(removed, json_removed(f));
	}
	return json_pack("{s:o,s:I,s:I,s:b,s:b,s:b,s:b,s:o,s:o,s:o,s:o,s:o,s:o}",
			 "name", json_text(schema->name),
			 "version", (json_int_t)schema->version,
			 "min_version", (json_int_t)schema->min_version,
			 "optional", schema->flags & KSTATE_SCHEMA_OPTIONAL,
			 "string_keys", row->string_key,
			 "saved", row->info.flags & KSTATE_STATE_USED,
			 "nested", row->info.flags & KSTATE_STATE_NESTED,
			 "image", json_text(row->info.image), "type", json_text(row->info.type),
			 "hash", json_sprintf("%016llx", schema->hash),
			 "fields", fields, "removed", removed,
			 "skipped", json_skipped(&row->info));
}

/* One state at a time: there may be many */
static enum status print_rows(const struct source *s, const struct row *rows, size_t nr,
			      struct trouble *t)
{
	char buf[32];
	json_t *head = json_pack("{s:o,s:s,s:s}", "release", json_text(s->set->writer),
				 "arch", source_arch(s->set->arch, buf, sizeof(buf)),
				 "kind", s->stream ? "stream" : "catalogue");
	int ret;

	putchar('{');
	ret = head ? json_dumpf(head, stdout, JSON_EMBED | JSON_PRESERVE_ORDER) : -1;
	json_decref(head);
	fputs(", \"states\": [", stdout);
	for (size_t i = 0; !ret && i < nr; i++) {
		json_t *row = json_row(&rows[i]);

		fputs(i ? ",\n  " : "\n  ", stdout);
		ret = row ? json_dumpf(row, stdout, JSON_PRESERVE_ORDER) : -1;
		json_decref(row);
	}
	fputs("\n]}\n", stdout);
	return ret ? trouble(t, STATUS_SYSTEM, "cannot make JSON: no memory") :
		     STATUS_OK;
}

/* The command */

static const struct argp_option catalog_options[] = {
	{ "fields", 'v', NULL, 0, "Show the fields of each state, not only a line", 0 },
	{ "verbose", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "output", 'o', "FILE", 0,
	  "Write what is found to FILE as one catalogue, instead of showing it", 0 },
	{}
};

struct catalog_arguments {
	bool fields;
	const char *output;
	char **names;
	int nr;
};

static error_t parse_catalog(int key, char *arg, struct argp_state *state)
{
	struct catalog_arguments *a = state->input;

	switch (key) {
	case 'v':
		a->fields = true;
		return 0;
	case 'o':
		a->output = arg;
		return 0;
	case ARGP_KEY_ARGS:
		a->names = state->argv + state->next;
		a->nr = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "needs an image, a directory or a file");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp catalog_argp = {
	.options = catalog_options,
	.parser = parse_catalog,
	.args_doc = "SOURCE...",
	.doc = "Show what an image reads and writes: the states that its code describes.\vSOURCE is a kernel image (vmlinux, bzImage), a module, packed or not, a file with a catalogue or a stream, a directory with a kernel and its modules, or \"running\". Several are taken for parts of one kernel.",
	.children = source_options,
};

static enum status show_or_write(const struct catalog_arguments *a, struct source *s,
				 struct trouble *t)
{
	enum status status = STATUS_OK;
	struct row *rows;
	size_t nr;

	progress_end();
	if (a->output && s->stream)
		return trouble(t, STATUS_USAGE, "%s: is a stream, of which -o makes no catalogue",
			       s->name);
	if (a->output)
		return source_write(s->set, a->output, t);
	rows = make_rows(s, &nr, t);
	if (!rows)
		return STATUS_SYSTEM;
	if (options.json)
		status = print_rows(s, rows, nr, t);
	else
		show(s, rows, nr, a->fields);
	free(rows);
	return status;
}

enum status command_catalog(int argc, char **argv, struct trouble *t)
{
	struct catalog_arguments a = {};
	struct source s = {};
	enum status status;
	char *names;

	if (argp_parse(&catalog_argp, argc, argv, 0, NULL, &a))
		return STATUS_USAGE;
	names = source_join(a.names, a.nr);
	status = names ? source_open(&s, names, t) : trouble(t, STATUS_SYSTEM, "no memory");
	status = status ?: show_or_write(&a, &s, t);
	source_close(&s);
	free(names);
	return status;
}
