// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lock files: the schemas of released kernels, as text that people review.
 *
 *   file    = "kstate-lock" "1" ";" { part }
 *   part    = ("state" | "struct") STRING CHECKSUM "{" { line } "}"
 *   line    = "releases" STRING { "," STRING } ";" | "type" STRING ";"
 *           | "version" NUMBER "min" NUMBER ";" | "optional" ";" | "keys" "string" ";"
 *           | "removed" NAME [ "was" type [ "[" "]" ] [ "default" NUMBER ] ] ";" | field
 *   field   = type [ "*" ] NAME [ "[" [ NUMBER ] "]" | "{" "}" ] { option } ";"
 *           | "union" NAME "{" { NAME NUMBER [ struct ] ";" } "}" { option } ";"
 *   type    = what kstate_type_name() calls it | struct
 *   struct  = "struct" STRING "@" CHECKSUM
 *   option  = "default" NUMBER | "hook" | "ignorable" | "convert" | "equal" | "text" | "group"
 *           | "range" NUMBER ".." NUMBER | "mask" NUMBER | "room" NUMBER
 *           | "length" [ "of" NAME ] | "alias" NAME
 *           | ("bits" | "values") "{" { NAME NUMBER ";" } "}"
 *
 * A checksum is that of the part's text as it is written here, without "releases":
 * so comments, white space and releases may be changed by hand, and no schema. Parts
 * refer to each other by name and checksum: which of two structs of one name is
 * meant never depends on anything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/array_size.h>
#include <linux/crc32c.h>
#include <linux/minmax.h>
#include "compare.h"
#include "lockfile.h"

#define MAX_FILE	(64 << 20)
#define MAX_RELEASES	256
#define MAX_RELEASE	79
#define MAX_STRING	255

/* Memory */

struct lock_memory {
	struct lock_memory *next;
	u64 data[];
};

static enum status no_memory(struct trouble *t)
{
	return trouble(t, STATUS_SYSTEM, "no memory");
}

static void *alloc(struct lockfile *lock, size_t nr, size_t size)
{
	struct lock_memory *memory;
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(*memory), &bytes))
		return NULL;
	memory = calloc(1, bytes);
	if (!memory)
		return NULL;
	memory->next = lock->memory;
	lock->memory = memory;
	return memory->data;
}

static char *copy_text(struct lockfile *lock, const char *text, size_t len)
{
	char *copy = alloc(lock, len + 1, 1);

	return copy ? memcpy(copy, text, len) : NULL;
}

/* Room for one more entry after @nr: it doubles when a power of two is full */
static void *grow(struct lockfile *lock, void *entries, u32 nr, size_t size)
{
	void *more;

	if (nr & (nr - 1))
		return entries;
	more = alloc(lock, nr ? 2 * nr : 1, size);
	if (more && nr)
		memcpy(more, entries, nr * size);
	return more;
}

void lock_free(struct lockfile *lock)
{
	struct lock_memory *memory, *next;

	for (memory = lock->memory; memory; memory = next) {
		next = memory->next;
		free(memory);
	}
	*lock = (struct lockfile){};
}

/* Releases */

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* The pointer by which the release @name is known; if it is not, @add it or find NULL */
static enum status find_release(struct lockfile *lock, const char *name, bool add,
				const char **release, struct trouble *t)
{
	for (u32 i = 0; i < lock->nr_releases; i++) {
		*release = lock->releases[i];
		if (!strcmp(*release, name))
			return STATUS_OK;
	}
	*release = NULL;
	if (!add)
		return STATUS_OK;
	if (lock->nr_releases == MAX_RELEASES)
		return trouble(t, STATUS_DAMAGED, "%s: has more than %d releases: drop some",
			       lock->name, MAX_RELEASES);
	lock->releases = grow(lock, lock->releases, lock->nr_releases, sizeof(*lock->releases));
	*release = copy_text(lock, name, strlen(name));
	if (!lock->releases || !*release)
		return no_memory(t);
	lock->releases[lock->nr_releases++] = *release;
	qsort(lock->releases, lock->nr_releases, sizeof(*lock->releases), by_version);
	return STATUS_OK;
}

bool lock_has(const struct lock_part *part, const char *release)
{
	for (u32 i = 0; i < part->nr_releases; i++)
		if (part->releases[i] == release)
			return true;
	return false;
}

static enum status add_release(struct lockfile *lock, struct lock_part *part,
			       const char *release, struct trouble *t)
{
	if (lock_has(part, release))
		return STATUS_OK;
	part->releases = grow(lock, part->releases, part->nr_releases, sizeof(*part->releases));
	if (!part->releases)
		return no_memory(t);
	part->releases[part->nr_releases++] = release;
	return STATUS_OK;
}

/* Writing */

static const struct flag {
	const char *name;
	u16 flag;
} flags[] = {
	{ "hook", KSTATE_FIELD_HOOK }, { "ignorable", KSTATE_FIELD_IGNORABLE },
	{ "convert", KSTATE_FIELD_CONVERT }, { "equal", KSTATE_FIELD_EQUAL },
};

static bool starts_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool in_word(char c)
{
	return starts_word(c) || is_digit(c) || c == '.';
}

static void put_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s < ' ' || *s > '~')
			fprintf(out, "\\x%02x", (u8)*s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

/* Names of fields are words, unless a description has a strange one */
static void put_name(FILE *out, const char *name)
{
	const char *p = name;

	if (starts_word(*p))
		while (in_word(*p))
			p++;
	if (*p)
		put_string(out, name);
	else
		fputs(name, out);
}

static void put_ref(FILE *out, const struct kstate_schema *ref)
{
	const struct lock_part *part = container_of(ref, struct lock_part, schema);

	fputs("struct ", out);
	put_string(out, ref->name);
	fprintf(out, "@%08x", part->checksum);
}

static void put_number(FILE *out, u64 val, u8 type)
{
	if (kstate_is_int(type) && kstate_is_signed(type))
		fprintf(out, "%lld", (long long)val);
	else
		fprintf(out, "%llu", (unsigned long long)val);
}

/* What values or bits are called */
static void put_names(FILE *out, const struct kstate_schema *schema,
		      const struct kstate_schema_field *f)
{
	const struct kstate_schema_hint *h;
	u32 pos = 0;

	if (!f->names)
		return;
	fputs(f->enumerated ? " values {\n" : " bits {\n", out);
	while ((h = kstate_schema_name(schema, f, &pos))) {
		fputs("\t\t", out);
		put_name(out, h->name);
		if (f->enumerated) {
			fputc(' ', out);
			put_number(out, h->value, f->type);
		} else {
			fprintf(out, " %#llx", (unsigned long long)h->value);
		}
		fputs(";\n", out);
	}
	fputs("\t}", out);
}

static void put_options(FILE *out, const struct kstate_schema *schema,
			const struct kstate_schema_field *f)
{
	if (f->flags & KSTATE_FIELD_DEFAULT) {
		fputs(" default ", out);
		put_number(out, f->dflt, f->type);
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (f->flags & flags[i].flag)
			fprintf(out, " %s", flags[i].name);
	if (f->flags & KSTATE_FIELD_RANGE) {
		fputs(" range ", out);
		put_number(out, f->min, f->type);
		fputs("..", out);
		put_number(out, f->max, f->type);
	}
	if (f->flags & KSTATE_FIELD_MASK)
		fprintf(out, " mask %#llx", (unsigned long long)f->mask);
	if (f->room != KSTATE_ANY_ROOM)
		fprintf(out, " room %llu", (unsigned long long)f->room);
	if (f->text)
		fputs(" text", out);
	if (f->group)
		fputs(" group", out);
	if (f->length)
		fputs(" length", out);
	if (f->length && f->length != f - schema->fields + 1) {
		fputs(" of ", out);
		put_name(out, schema->fields[f->length - 1].name);
	}
	put_names(out, schema, f);
}

static void put_declarator(FILE *out, const struct kstate_schema_field *f)
{
	bool pointer = f->container == KS_C_OPTIONAL || f->container == KS_C_POINTERS;

	fputs(pointer ? " *" : " ", out);
	put_name(out, f->name);
	if (f->container == KS_C_ARRAY)
		fprintf(out, "[%u]", f->count);
	else if (f->container == KS_C_SEQUENCE || f->container == KS_C_POINTERS)
		fputs("[]", out);
	else if (f->container == KS_C_MAP)
		fputs("{}", out);
}

static void put_removed(FILE *out, const struct kstate_schema_field *f)
{
	u8 was = kstate_was_type(f);

	fputs("removed ", out);
	put_name(out, f->name);
	if (was)
		fprintf(out, " was %s%s", kstate_type_name(was), f->min >> 8 ? "[]" : "");
	if (was && f->flags & KSTATE_FIELD_DEFAULT) {
		fputs(" default ", out);
		put_number(out, f->dflt, was);
	}
}

/* A field with its arms and aliases; returns the entry after them */
static const struct kstate_schema_field *put_field(FILE *out, const struct kstate_schema *schema,
						   const struct kstate_schema_field *f)
{
	const struct kstate_schema_field *end = schema->fields + schema->nr_fields, *next = f + 1;

	fputc('\t', out);
	if (f->type == KS_T_REMOVED) {
		put_removed(out, f);
	} else if (f->type == KS_T_STRUCT) {
		put_ref(out, f->ref);
		put_declarator(out, f);
	} else {
		fputs(kstate_type_name(f->type), out);
		put_declarator(out, f);
	}
	if (f->type == KS_T_UNION) {
		fputs(" {\n", out);
		for (; next < end && next->type == KS_T_ARM; next++) {
			fputs("\t\t", out);
			put_name(out, next->name);
			fprintf(out, " %llu", (unsigned long long)next->dflt);
			if (next->ref) {
				fputc(' ', out);
				put_ref(out, next->ref);
			}
			fputs(";\n", out);
		}
		fputs("\t}", out);
	}
	if (f->type != KS_T_REMOVED)
		put_options(out, schema, f);
	for (; next < end && next->type == KS_T_ALIAS; next++) {
		fputs(" alias ", out);
		put_name(out, next->name);
	}
	fputs(";\n", out);
	return next;
}

/* What the checksum is of */
static void put_body(FILE *out, const struct lock_part *part)
{
	const struct kstate_schema *s = &part->schema;
	const struct kstate_schema_field *f = s->fields;

	if (part->type[0]) {
		fputs("\ttype ", out);
		put_string(out, part->type);
		fputs(";\n", out);
	}
	fprintf(out, "\tversion %u min %u;\n", s->version, s->min_version);
	if (s->flags & KSTATE_SCHEMA_OPTIONAL)
		fputs("\toptional;\n", out);
	if (part->string_key)
		fputs("\tkeys string;\n", out);
	while (f < s->fields + s->nr_fields)
		f = put_field(out, s, f);
}

static enum status part_checksum(const struct lock_part *part, u32 *checksum, struct trouble *t)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return no_memory(t);
	fputs(part->state ? "state " : "struct ", out);
	put_string(out, part->schema.name);
	put_body(out, part);
	if (fclose(out)) {
		free(text);
		return no_memory(t);
	}
	*checksum = ~crc32c(~0, text, size);
	free(text);
	return STATUS_OK;
}

static void put_part(FILE *out, const struct lockfile *lock, const struct lock_part *part)
{
	const char *between = " ";

	fputs(part->state ? "\nstate " : "\nstruct ", out);
	put_string(out, part->schema.name);
	fprintf(out, " %08x {\n\treleases", part->checksum);
	for (u32 i = 0; i < lock->nr_releases; i++) {
		if (!lock_has(part, lock->releases[i]))
			continue;
		fputs(between, out);
		put_string(out, lock->releases[i]);
		between = ", ";
	}
	fputs(";\n", out);
	put_body(out, part);
	fputs("}\n", out);
}

enum status lock_text(const struct lockfile *lock, char **text, size_t *size, struct trouble *t)
{
	const struct lock_part *part;
	FILE *out = open_memstream(text, size);

	if (!out)
		return no_memory(t);
	fputs("# What released kernels write and read: see kstate-lock(1). Made by kstate lock;\n"
	      "# what is changed by hand is found by the checksums.\n"
	      "kstate-lock 1;\n", out);
	for (part = lock->parts; part; part = part->next)
		put_part(out, lock, part);
	if (!fclose(out))
		return STATUS_OK;
	free(*text);
	return no_memory(t);
}

/* Reading: tokens */

enum token { END, WORD, STRING, NUMBER, SIGN };

struct reader {
	struct lockfile *lock;
	struct trouble *t;
	const char *begin;
	const char *pos;
	const char *end;
	u32 line;
	const char *line_begin;
	/* The next token */
	enum token token;
	const char *at;		/* where it begins */
	u32 at_line;
	u32 at_column;
	size_t len;		/* in the file */
	char *string;		/* what a string says */
};

static enum status refuse(const struct reader *r, const char *expected)
{
	char found[48];
	size_t len = min(r->len, sizeof(found) - 1);

	for (size_t i = 0; i < len; i++)
		found[i] = r->at[i] < ' ' || r->at[i] > '~' ? '?' : r->at[i];
	found[len] = 0;
	return trouble(r->t, STATUS_DAMAGED, "%s:%u:%u: expected %s, found %s", r->lock->name,
		       r->at_line, r->at_column, expected, len ? found : "the end of the file");
}

static void skip_space(struct reader *r)
{
	for (; r->pos < r->end; r->pos++) {
		if (*r->pos == '#') {
			while (r->pos < r->end && *r->pos != '\n')
				r->pos++;
			if (r->pos == r->end)
				return;
		}
		if (*r->pos == '\n') {
			r->line++;
			r->line_begin = r->pos + 1;
		} else if (*r->pos != ' ' && *r->pos != '\t' && *r->pos != '\r') {
			return;
		}
	}
}

static int hex_digit(char c)
{
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that an escape stands for, or 0 */
static char unescape(const char **pos, const char *end)
{
	const char *p = *pos;

	if (p < end && (*p == '"' || *p == '\\')) {
		*pos += 1;
		return *p;
	}
	if (end - p < 3 || *p != 'x' || hex_digit(p[1]) < 0 || hex_digit(p[2]) < 0)
		return 0;
	*pos += 3;
	return 16 * hex_digit(p[1]) + hex_digit(p[2]);
}

static enum status read_string(struct reader *r)
{
	const char *p = r->pos + 1;
	char text[MAX_STRING];
	size_t len = 0;

	while (p < r->end && *p != '"' && *p != '\n' && *p && len < sizeof(text)) {
		text[len] = *p++;
		if (text[len] == '\\')
			text[len] = unescape(&p, r->end);
		if (!text[len++])
			break;
	}
	r->len = p - r->pos;
	if (p == r->end || *p != '"' || (len && !text[len - 1]))
		return refuse(r, "a string of at most 255 bytes that ends in its line");
	r->pos = p + 1;
	r->token = STRING;
	r->string = copy_text(r->lock, text, len);
	return r->string ? STATUS_OK : no_memory(r->t);
}

static enum status advance(struct reader *r)
{
	skip_space(r);
	r->at = r->pos;
	r->at_line = r->line;
	r->at_column = r->pos - r->line_begin + 1;
	r->len = 0;
	r->token = END;
	if (r->pos == r->end)
		return STATUS_OK;
	if (*r->pos == '"')
		return read_string(r);
	if (starts_word(*r->pos)) {
		r->token = WORD;
		while (r->pos < r->end && in_word(*r->pos))
			r->pos++;
	} else if (is_digit(*r->pos) || *r->pos == '-') {
		/* Checksums and numbers with 0x have letters in them */
		r->token = NUMBER;
		r->pos++;
		while (r->pos < r->end && (is_digit(*r->pos) || starts_word(*r->pos)))
			r->pos++;
	} else {
		r->token = SIGN;
		r->pos += r->end - r->pos > 1 && !strncmp(r->pos, "..", 2) ? 2 : 1;
	}
	r->len = r->pos - r->at;
	return STATUS_OK;
}

static bool is(const struct reader *r, const char *text)
{
	return (r->token == WORD || r->token == SIGN) && r->len == strlen(text) &&
	       !memcmp(r->at, text, r->len);
}

/* Go past @text, if it is next */
static bool take(struct reader *r, const char *text)
{
	return is(r, text) && !advance(r);
}

static enum status expect(struct reader *r, const char *text)
{
	char expected[32];

	if (is(r, text))
		return advance(r);
	snprintf(expected, sizeof(expected), "'%s'", text);
	return refuse(r, expected);
}

static enum status read_number(struct reader *r, bool is_signed, u64 max, u64 *val)
{
	char text[32], *end;

	if (r->token != NUMBER || r->len >= sizeof(text) || (*r->at == '-' && !is_signed))
		return refuse(r, is_signed ? "a number" : "a number that is not negative");
	memcpy(text, r->at, r->len);
	text[r->len] = 0;
	errno = 0;
	*val = is_signed ? (u64)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	if (*end || errno || (!is_signed && *val > max))
		return refuse(r, "a number that fits");
	return advance(r);
}

static enum status read_u32(struct reader *r, u32 max, u32 *val)
{
	u64 wide = 0;
	enum status status = read_number(r, false, max, &wide);

	*val = wide;
	return status;
}

static enum status read_checksum(struct reader *r, u32 *checksum)
{
	int digit;

	*checksum = 0;
	for (size_t i = 0; i < r->len; i++) {
		digit = hex_digit(r->at[i]);
		if (digit < 0)
			break;
		*checksum = *checksum << 4 | digit;
		if (i == 7 && r->len == 8)
			return advance(r);
	}
	return refuse(r, "a checksum of 8 digits");
}

static enum status read_text(struct reader *r, size_t max, const char *what, const char **text)
{
	if (r->token != STRING || !r->string[0] || strlen(r->string) > max)
		return refuse(r, what);
	*text = r->string;
	return advance(r);
}

static enum status read_name(struct reader *r, const char **name)
{
	if (r->token == STRING)
		return read_text(r, KSTATE_MAX_NAME, "a name of 1 to 127 bytes", name);
	if (r->token != WORD || r->len > KSTATE_MAX_NAME)
		return refuse(r, "a name of 1 to 127 bytes");
	*name = copy_text(r->lock, r->at, r->len);
	return *name ? advance(r) : no_memory(r->t);
}

/* Reading: parts */

/* What a field refers to, by name and checksum */
struct lock_ref {
	struct lock_ref *next;
	u32 field;
	const char *name;
	u32 checksum;
	u32 line;
};

static enum status add_entry(struct reader *r, struct lock_part *part,
			     struct kstate_schema_field f)
{
	struct kstate_schema *s = &part->schema;

	if (s->nr_fields == KSTATE_MAX_FIELDS)
		return refuse(r, "at most 1024 fields, arms and aliases");
	/* There is always one more, which ends the arms of a union */
	s->fields = grow(r->lock, s->fields, s->nr_fields + 1, sizeof(f));
	if (!s->fields)
		return no_memory(r->t);
	s->fields[s->nr_fields++] = f;
	s->fields[s->nr_fields] = (struct kstate_schema_field){};
	return STATUS_OK;
}

/* After "struct" */
static enum status read_ref(struct reader *r, struct lock_part *part, u32 field)
{
	struct lock_ref *ref = alloc(r->lock, 1, sizeof(*ref));
	enum status status;

	if (!ref)
		return no_memory(r->t);
	ref->line = r->at_line;
	ref->field = field;
	status = read_text(r, KSTATE_MAX_NAME, "the name of a struct", &ref->name);
	status = status ?: expect(r, "@");
	status = status ?: read_checksum(r, &ref->checksum);
	ref->next = part->refs;
	part->refs = ref;
	return status;
}

static enum status read_length(struct reader *r, struct lock_part *part, u32 field)
{
	struct kstate_schema_field *fields = part->schema.fields;
	const char *name = "";
	enum status status;

	fields[field].length = field + 1;
	if (!take(r, "of"))
		return STATUS_OK;
	status = read_name(r, &name);
	for (u32 i = 0; !status && i < field; i++) {
		if (kstate_has_data(&fields[i]) && !strcmp(fields[i].name, name)) {
			fields[field].length = i + 1;
			return STATUS_OK;
		}
	}
	return status ?: refuse(r, "the name of a field before, in front of this");
}

static enum status read_flag(struct reader *r, struct kstate_schema_field *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (take(r, flags[i].name)) {
			f->flags |= flags[i].flag;
			return STATUS_OK;
		}
	}
	return refuse(r, "an option of a field, or ';'");
}

static u8 read_type(struct reader *r)
{
	for (unsigned int type = 1; type < KS_T_ALIAS; type++)
		if (kstate_type_name(type) && take(r, kstate_type_name(type)))
			return type;
	return 0;
}

static enum status add_name(struct reader *r, struct lock_part *part,
			    struct kstate_schema_hint hint)
{
	struct kstate_schema *s = &part->schema;

	if (s->nr_hints == KSTATE_MAX_HINTS)
		return refuse(r, "at most 4096 names");
	s->hints = grow(r->lock, s->hints, s->nr_hints, sizeof(hint));
	if (!s->hints)
		return no_memory(r->t);
	s->hints[s->nr_hints++] = hint;
	return STATUS_OK;
}

/* After "bits" or "values" */
static enum status read_names(struct reader *r, struct lock_part *part, u32 field, u16 kind)
{
	struct kstate_schema_field *f = &part->schema.fields[field];
	bool is_signed = kind == KSTATE_HINT_ENUM && kstate_is_signed(f->type);
	enum status status;

	if (!kstate_is_int(f->type) || f->names)
		return refuse(r, "names once, and of a field that is an integer");
	f->names = true;
	f->enumerated = kind == KSTATE_HINT_ENUM;
	status = expect(r, "{");
	while (!status && !take(r, "}")) {
		struct kstate_schema_hint hint = { .field = field, .kind = kind };

		status = read_name(r, &hint.name);
		status = status ?: read_number(r, is_signed, U64_MAX, &hint.value);
		status = status ?: expect(r, ";");
		status = status ?: add_name(r, part, hint);
	}
	return status;
}

/* What a removed field was */
static enum status read_was(struct reader *r, struct kstate_schema_field *f)
{
	enum status status = STATUS_OK;
	u8 type = read_type(r);

	if (!kstate_is_int(type))
		return refuse(r, "the type of an integer");
	f->min = type;
	if (take(r, "[")) {
		f->min |= KS_C_ARRAY << 8;
		status = expect(r, "]");
	}
	if (!status && take(r, "default")) {
		f->flags |= KSTATE_FIELD_DEFAULT;
		status = read_number(r, kstate_is_signed(type), U64_MAX, &f->dflt);
	}
	return status;
}

static enum status read_option(struct reader *r, struct lock_part *part, u32 field)
{
	struct kstate_schema_field *f = &part->schema.fields[field];
	bool is_signed = kstate_is_int(f->type) && kstate_is_signed(f->type);
	struct kstate_schema_field alias = {
		.type = KS_T_ALIAS, .count = 1, .room = KSTATE_ANY_ROOM,
	};
	enum status status;

	if (take(r, "default")) {
		f->flags |= KSTATE_FIELD_DEFAULT;
		return read_number(r, is_signed, U64_MAX, &f->dflt);
	}
	if (take(r, "range")) {
		f->flags |= KSTATE_FIELD_RANGE;
		status = read_number(r, is_signed, U64_MAX, &f->min);
		status = status ?: expect(r, "..");
		return status ?: read_number(r, is_signed, U64_MAX, &f->max);
	}
	if (take(r, "mask")) {
		f->flags |= KSTATE_FIELD_MASK;
		return read_number(r, false, U64_MAX, &f->mask);
	}
	if (take(r, "room"))
		return read_number(r, false, U64_MAX, &f->room);
	if (take(r, "text")) {
		f->text = true;
		return STATUS_OK;
	}
	if (take(r, "group")) {
		f->group = true;
		return STATUS_OK;
	}
	if (take(r, "length"))
		return read_length(r, part, field);
	if (take(r, "bits"))
		return read_names(r, part, field, KSTATE_HINT_FLAG);
	if (take(r, "values"))
		return read_names(r, part, field, KSTATE_HINT_ENUM);
	if (take(r, "alias")) {
		status = read_name(r, &alias.name);
		return status ?: add_entry(r, part, alias);
	}
	return read_flag(r, f);
}

static enum status read_arms(struct reader *r, struct lock_part *part)
{
	enum status status = expect(r, "{");

	while (!status && !take(r, "}")) {
		struct kstate_schema_field arm = {
			.type = KS_T_ARM, .count = 1, .room = KSTATE_ANY_ROOM,
		};

		status = read_name(r, &arm.name);
		status = status ?: read_number(r, false, U64_MAX, &arm.dflt);
		status = status ?: add_entry(r, part, arm);
		if (!status && take(r, "struct"))
			status = read_ref(r, part, part->schema.nr_fields - 1);
		status = status ?: expect(r, ";");
	}
	return status;
}

/* What follows the name: how many there are */
static enum status read_container(struct reader *r, struct kstate_schema_field *f, bool pointer)
{
	enum status status;

	f->count = 1;
	f->container = pointer ? KS_C_OPTIONAL : KS_C_ONE;
	if (f->type >= KS_T_BITMAP)
		return pointer ? refuse(r, "a kind that can be pointed to") : STATUS_OK;
	if (!pointer && take(r, "{")) {
		f->container = KS_C_MAP;
		return expect(r, "}");
	}
	if (!take(r, "["))
		return STATUS_OK;
	f->container = pointer ? KS_C_POINTERS : KS_C_SEQUENCE;
	if (take(r, "]"))
		return STATUS_OK;
	if (pointer)
		return refuse(r, "']'");
	f->container = KS_C_ARRAY;
	status = read_u32(r, KSTATE_MAX_FIXED, &f->count);
	if (!status && !f->count)
		return refuse(r, "more than 0 elements, in front of this");
	return status ?: expect(r, "]");
}

static enum status read_field(struct reader *r, struct lock_part *part)
{
	struct kstate_schema_field f = { .room = KSTATE_ANY_ROOM };
	u32 index = part->schema.nr_fields;
	enum status status = STATUS_OK;

	f.type = read_type(r);
	if (!f.type)
		return refuse(r, "a type, or another line of this part");
	if (f.type == KS_T_STRUCT)
		status = read_ref(r, part, index);
	if (!status) {
		bool pointer = take(r, "*");

		status = read_name(r, &f.name);
		status = status ?: read_container(r, &f, pointer);
	}
	status = status ?: add_entry(r, part, f);
	if (!status && f.type == KS_T_UNION)
		status = read_arms(r, part);
	while (!status && !take(r, ";"))
		status = read_option(r, part, index);
	return status;
}

static enum status read_releases(struct reader *r, struct lock_part *part)
{
	enum status status;
	const char *name = "", *release;

	do {
		status = read_text(r, MAX_RELEASE, "a release of 1 to 79 bytes", &name);
		status = status ?: find_release(r->lock, name, true, &release, r->t);
		status = status ?: add_release(r->lock, part, release, r->t);
	} while (!status && take(r, ","));
	return status ?: expect(r, ";");
}

static enum status read_line(struct reader *r, struct lock_part *part)
{
	struct kstate_schema *s = &part->schema;
	struct kstate_schema_field removed = {
		.type = KS_T_REMOVED, .count = 1, .room = KSTATE_ANY_ROOM,
	};
	enum status status;

	if (take(r, "releases"))
		return read_releases(r, part);
	if (take(r, "type")) {
		status = read_text(r, MAX_STRING, "a type in C", &part->type);
	} else if (take(r, "version")) {
		status = read_u32(r, U32_MAX, &s->version);
		status = status ?: expect(r, "min");
		status = status ?: read_u32(r, U32_MAX, &s->min_version);
	} else if (take(r, "optional")) {
		s->flags |= KSTATE_SCHEMA_OPTIONAL;
		status = STATUS_OK;
	} else if (take(r, "keys")) {
		part->string_key = true;
		status = expect(r, "string");
	} else if (take(r, "removed")) {
		status = read_name(r, &removed.name);
		if (!status && take(r, "was"))
			status = read_was(r, &removed);
		status = status ?: add_entry(r, part, removed);
	} else {
		return read_field(r, part);
	}
	return status ?: expect(r, ";");
}

/* Where @part belongs, or the part with the same name and checksum */
static struct lock_part **find_place(struct lockfile *lock, const struct lock_part *part)
{
	struct lock_part **p = &lock->parts;
	int order;

	for (; *p; p = &(*p)->next) {
		order = strcmp((*p)->schema.name, part->schema.name) ?:
			(int)part->state - (int)(*p)->state;
		if (order > 0 || (!order && (*p)->checksum == part->checksum))
			break;
	}
	return p;
}

static bool is_same(const struct lock_part *a, const struct lock_part *b)
{
	return a && a->state == b->state && a->checksum == b->checksum &&
	       !strcmp(a->schema.name, b->schema.name);
}

static void insert(struct lock_part **place, struct lock_part *part)
{
	part->next = *place;
	*place = part;
}

static struct lock_part *new_part(struct lockfile *lock)
{
	struct lock_part *part = alloc(lock, 1, sizeof(*part));

	if (!part)
		return NULL;
	part->type = "";
	part->schema.fields = grow(lock, NULL, 0, sizeof(*part->schema.fields));
	return part->schema.fields ? part : NULL;
}

static enum status read_part(struct reader *r, struct lock_part ***last)
{
	struct lock_part *part = new_part(r->lock);
	enum status status;

	if (!part)
		return no_memory(r->t);
	part->line = r->at_line;
	part->state = is(r, "state");
	if (!part->state && !is(r, "struct"))
		return refuse(r, "'state' or 'struct'");
	status = advance(r);
	status = status ?: read_text(r, KSTATE_MAX_NAME, "a name of 1 to 127 bytes",
				     &part->schema.name);
	status = status ?: read_checksum(r, &part->checksum);
	status = status ?: expect(r, "{");
	while (!status && !take(r, "}"))
		status = read_line(r, part);
	if (!status && !part->nr_releases)
		return trouble(r->t, STATUS_DAMAGED, "%s:%u: \"%s\" has no line 'releases'",
			       r->lock->name, part->line, part->schema.name);
	**last = part;
	*last = &part->next;
	return status;
}

/* Finding what parts refer to, and whether they are as they were written */

static enum status part_trouble(const struct lockfile *lock, const struct lock_part *part,
				u32 line, struct trouble *t, const char *what)
{
	char *name = printable(part->schema.name);

	if (line)
		trouble(t, STATUS_DAMAGED, "%s:%u: \"%s\" %s", lock->name, line, name, what);
	else
		trouble(t, STATUS_DAMAGED, "%s: \"%s\" %s", lock->name, name, what);
	free(name);
	return STATUS_DAMAGED;
}

/* The parts of a file, to be found by name */
struct table {
	struct lock_part **parts;
	size_t nr;
};

static int part_order(const struct lock_part *part, const char *name, u32 checksum)
{
	return strcmp(part->schema.name, name) ?:
	       (part->checksum > checksum) - (part->checksum < checksum);
}

static int by_name(const void *a, const void *b)
{
	const struct lock_part *x = *(struct lock_part *const *)a;
	const struct lock_part *y = *(struct lock_part *const *)b;

	/* What is referred to comes first */
	return part_order(x, y->schema.name, y->checksum) ?: (int)x->state - (int)y->state;
}

static struct lock_part *find_struct(const struct table *table, const char *name, u32 checksum)
{
	size_t low = 0, high = table->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (part_order(table->parts[middle], name, checksum) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == table->nr || table->parts[low]->state ||
	    part_order(table->parts[low], name, checksum))
		return NULL;
	return table->parts[low];
}

bool lock_any_checksum;

static enum status find_refs(const struct lockfile *lock, const struct table *table,
			     struct lock_part *part, u32 depth, struct trouble *t)
{
	enum status status = STATUS_OK;
	struct lock_ref *ref;
	u32 checksum;

	if (part->step == PART_FOUND)
		return STATUS_OK;
	if (part->step == PART_FINDING || depth > KSTATE_MAX_DEPTH)
		return part_trouble(lock, part, part->line, t, "is a struct in itself, or too deep");
	part->step = PART_FINDING;
	for (ref = part->refs; ref && !status; ref = ref->next) {
		struct lock_part *other = find_struct(table, ref->name, ref->checksum);

		if (!other)
			return part_trouble(lock, part, ref->line, t,
					    "refers to a struct that is not here: undo what was done by hand");
		status = find_refs(lock, table, other, depth + 1, t);
		if (!status && !other->schema.size)
			return part_trouble(lock, other, other->line, t,
					    "has no data, but others refer to it");
		part->schema.fields[ref->field].ref = &other->schema;
	}
	if (!status && !kstate_schema_layout(&part->schema))
		return part_trouble(lock, part, part->line, t, "is larger than KSTATE allows");
	kstate_schema_hash(&part->schema);
	part->step = PART_FOUND;
	status = status ?: part_checksum(part, &checksum, t);
	if (!status && checksum != part->checksum && !lock_any_checksum)
		return part_trouble(lock, part, part->line, t,
				    "is not what its checksum is of: undo what was done by hand");
	return status;
}

static enum status find_all_refs(struct lockfile *lock, struct trouble *t)
{
	enum status status = STATUS_OK;
	struct table table = {};
	struct lock_part *part;

	for (part = lock->parts; part; part = part->next)
		table.nr++;
	table.parts = calloc(table.nr ?: 1, sizeof(*table.parts));
	if (!table.parts)
		return no_memory(t);
	table.nr = 0;
	for (part = lock->parts; part; part = part->next)
		table.parts[table.nr++] = part;
	qsort(table.parts, table.nr, sizeof(*table.parts), by_name);
	for (size_t i = 1; i < table.nr && !status; i++)
		if (!by_name(&table.parts[i - 1], &table.parts[i]))
			status = part_trouble(lock, table.parts[i], table.parts[i]->line, t,
					      "is here twice: take one of them out");
	for (size_t i = 0; i < table.nr && !status; i++)
		status = find_refs(lock, &table, table.parts[i], 1, t);
	free(table.parts);
	return status;
}

enum status lock_parse(struct lockfile *lock, const char *name, const char *text, size_t size,
		       struct trouble *t)
{
	struct reader r = {
		.lock = lock, .t = t, .begin = text, .pos = text, .end = text + size,
		.line = 1, .line_begin = text,
	};
	struct lock_part **last = &lock->parts;
	enum status status;
	u32 version;

	*lock = (struct lockfile){ .name = name };
	if (!size)
		return trouble(t, STATUS_FOREIGN, "%s: is empty: get it again, or remove it", name);
	status = advance(&r);
	if (!status && (r.len != 6 || memcmp(r.at, "kstate", 6) || size - (r.at - text) < 11 ||
			memcmp(r.at, "kstate-lock", 11)))
		return trouble(t, STATUS_FOREIGN, "%s: is not a lock file of kstate lock", name);
	/* '-' is no sign of the grammar */
	if (!status)
		r.pos += strlen("-lock");
	status = status ?: advance(&r);
	status = status ?: read_u32(&r, U32_MAX, &version);
	if (!status && version != 1)
		return trouble(t, STATUS_NEWER, "%s: is of format %u: get a newer kstate", name,
			       version);
	status = status ?: expect(&r, ";");
	while (!status && r.token != END)
		status = read_part(&r, &last);
	return status ?: find_all_refs(lock, t);
}

enum status lock_read(struct lockfile *lock, const char *name, bool may_be_missing,
		      struct trouble *t)
{
	FILE *in = fopen(name, "r");
	enum status status;
	struct stat st;
	size_t size;
	char *text;

	*lock = (struct lockfile){ .name = name };
	if (!in && errno == ENOENT && may_be_missing)
		return STATUS_OK;
	if (!in || fstat(fileno(in), &st) || !S_ISREG(st.st_mode) || st.st_size > MAX_FILE) {
		status = trouble(t, STATUS_INPUT, "%s: %s", name,
				 in ? "is not a file of at most 64 MiB" : strerror(errno));
		if (in)
			fclose(in);
		return status;
	}
	text = malloc(st.st_size + 1);
	size = text ? fread(text, 1, st.st_size, in) : 0;
	if (!text)
		status = no_memory(t);
	else if (ferror(in))
		status = trouble(t, STATUS_INPUT, "%s: %s", name, strerror(errno));
	else
		status = lock_parse(lock, name, text, size, t);
	fclose(in);
	free(text);
	return status;
}

/* Writing it out */

static bool same_schema(const struct kstate_schema *a, const struct kstate_schema *b)
{
	if (!kstate_schema_equal(a, b))
		return false;
	for (u32 i = 0; i < a->nr_fields; i++)
		if (a->fields[i].room != b->fields[i].room ||
		    a->fields[i].length != b->fields[i].length ||
		    a->fields[i].text != b->fields[i].text ||
		    a->fields[i].group != b->fields[i].group)
			return false;
	return true;
}

/* Nothing is locked that would not be found again */
static enum status check_text(const struct lockfile *lock, const char *text, size_t size,
			      struct trouble *t)
{
	const struct lock_part *part, *other;
	struct lockfile again;
	enum status status = lock_parse(&again, lock->name, text, size, t);

	other = again.parts;
	for (part = lock->parts; part && !status; part = part->next, other = other->next)
		if (!other || !is_same(part, other) || !same_schema(&part->schema, &other->schema))
			status = part_trouble(lock, part, 0, t,
					      "has what no description can have, and cannot be locked");
	lock_free(&again);
	return status;
}

enum status lock_write(const struct lockfile *lock, struct trouble *t)
{
	enum status status;
	size_t size;
	char *text;

	status = lock_text(lock, &text, &size, t);
	if (status)
		return status;
	status = check_text(lock, text, size, t);
	status = status ?: write_file(lock->name, text, size, t);
	free(text);
	return status;
}

/* Adding and dropping */

static enum status add_part(struct lockfile *lock, const struct kstate_schema *schema,
			    const struct state_info *info, const char *release,
			    struct lock_part **added, struct trouble *t);

static enum status copy_names(struct lockfile *lock, struct kstate_schema *s,
			      const struct kstate_schema *schema, struct trouble *t)
{
	const struct kstate_schema_hint *h;

	s->hints = alloc(lock, schema->nr_hints + 1, sizeof(*s->hints));
	if (!s->hints)
		return no_memory(t);
	for (u32 i = 0; i < schema->nr_fields; i++) {
		u32 pos = 0;

		while ((h = kstate_schema_name(schema, &schema->fields[i], &pos))) {
			s->hints[s->nr_hints] = *h;
			s->hints[s->nr_hints].name = copy_text(lock, h->name, strlen(h->name));
			if (!s->hints[s->nr_hints++].name)
				return no_memory(t);
		}
	}
	return STATUS_OK;
}

static enum status copy_schema(struct lockfile *lock, struct lock_part *part,
			       const struct kstate_schema *schema, const char *release,
			       struct trouble *t)
{
	struct kstate_schema *s = &part->schema;
	enum status status = STATUS_OK;

	s->name = copy_text(lock, schema->name, strlen(schema->name));
	s->version = schema->version;
	s->min_version = schema->min_version;
	s->flags = schema->flags;
	s->fields = alloc(lock, schema->nr_fields + 1, sizeof(*s->fields));
	if (!s->name || !s->fields)
		return no_memory(t);
	for (; s->nr_fields < schema->nr_fields && !status; s->nr_fields++) {
		struct kstate_schema_field *f = &s->fields[s->nr_fields];
		struct lock_part *ref;

		*f = schema->fields[s->nr_fields];
		f->bind = NULL;
		f->name = copy_text(lock, f->name, strlen(f->name));
		if (!f->name)
			return no_memory(t);
		if (!f->ref)
			continue;
		status = add_part(lock, f->ref, NULL, release, &ref, t);
		f->ref = status ? NULL : &ref->schema;
	}
	return status ?: copy_names(lock, s, schema, t);
}

static enum status add_part(struct lockfile *lock, const struct kstate_schema *schema,
			    const struct state_info *info, const char *release,
			    struct lock_part **added, struct trouble *t)
{
	struct lock_part *part = new_part(lock), **place;
	enum status status;

	if (!part)
		return no_memory(t);
	if (info) {
		part->state = true;
		part->string_key = info->flags & KSTATE_STATE_STRING_KEY;
		part->type = copy_text(lock, info->type, strnlen(info->type, MAX_STRING));
		if (!part->type)
			return no_memory(t);
	}
	status = copy_schema(lock, part, schema, release, t);
	if (!status && !kstate_schema_layout(&part->schema))
		return part_trouble(lock, part, 0, t, "is larger than KSTATE allows");
	kstate_schema_hash(&part->schema);
	status = status ?: part_checksum(part, &part->checksum, t);
	if (status)
		return status;
	place = find_place(lock, part);
	if (!is_same(*place, part))
		insert(place, part);
	*added = *place;
	return add_release(lock, *added, release, t);
}

enum status lock_add(struct lockfile *lock, const struct state_info *info, const char *release,
		     struct trouble *t)
{
	struct lock_part *part;
	enum status status;
	const char *name;

	if (!release[0] || strlen(release) > MAX_RELEASE)
		return trouble(t, STATUS_USAGE, "a release has 1 to %d bytes", MAX_RELEASE);
	status = find_release(lock, release, true, &name, t);
	return status ?: add_part(lock, info->schema, info, name, &part, t);
}

enum status lock_drop(struct lockfile *lock, const char *release, struct trouble *t)
{
	struct lock_part **p = &lock->parts;
	const char *known;
	u32 i;

	find_release(lock, release, false, &known, t);
	if (!known)
		return trouble(t, STATUS_INPUT, "%s: has no release \"%s\"", lock->name, release);
	while (*p) {
		struct lock_part *part = *p;

		for (i = 0; i < part->nr_releases && part->releases[i] != known; i++)
			;
		if (i < part->nr_releases)
			part->releases[i] = part->releases[--part->nr_releases];
		if (part->nr_releases)
			p = &part->next;
		else
			*p = part->next;
	}
	return STATUS_OK;
}
