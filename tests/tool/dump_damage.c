// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate dump of damaged streams, under sanitizers: every bit flipped, cut at every
 * length. Nothing may crash, damage must be noticed, and what is not damaged must be
 * shown as it was.
 * usage: dump_damage FILE...      prints "ok NAME" or "not ok NAME why"
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/minmax.h>
#include "dump.h"

/* What must be there: where it was, and how it was shown */
struct line {
	u64 offset;
	u64 size;
	char *text;
	char *place;		/* "offset":N, */
	u32 schema;
};

struct golden {
	u8 *data;
	size_t size;
	u64 root;
	u64 directory;		/* offset of the first stream record */
	struct line *lines;
	u32 nr_lines;
	u64 schemas[64];	/* where their records are */
	u32 nr_schemas;
	char *text;
	char *json;
};

static bool failed;

__printf(2, 3)
static void fail(const char *name, const char *fmt, ...)
{
	va_list args;

	if (!failed)
		printf("not ok %s ", name);
	va_start(args, fmt);
	if (!failed)
		vprintf(fmt, args);
	va_end(args);
	failed = true;
}

typedef enum status show_fn(struct stream_file *s, const struct dump_options *opt, FILE *file,
			    struct trouble *t);

/* What the command would print, and how it would end */
static enum status show(show_fn *fn, const u8 *data, size_t size, char **text)
{
	static const struct dump_options opt = { .offsets = true };
	struct stream_file s = { .name = "test" };
	struct trouble t = {};
	enum status status;
	/* To the byte, so that reading beyond the end is noticed */
	void *copy = malloc(size);
	size_t len;
	FILE *file = open_memstream(text, &len);

	memcpy(copy, data, size);
	status = stream_open_bytes(&s, copy, size, &t);
	if (!status)
		status = fn(&s, &opt, file, &t);
	stream_close(&s);
	fclose(file);
	free(copy);
	if (status && (!t.text[0] || t.status != status))
		status = -1;
	return status;
}

static bool read_file(const char *path, struct golden *g)
{
	FILE *file = fopen(path, "rb");

	g->data = malloc(1 << 20);
	g->size = file ? fread(g->data, 1, 1 << 20, file) : 0;
	if (file)
		fclose(file);
	return g->size;
}

/* Each record is on a line of its own */
static bool read_lines(struct golden *g)
{
	const struct kstate_record *record;
	char *line, *next;
	u64 at;

	line = strstr(g->json, "\"streams\":[");
	for (; line; line = next) {
		struct line *l;
		const char *offset;

		next = strchr(line, '\n');
		if (!next)
			break;
		next++;
		offset = strstr(line, "\"offset\":");
		if (!offset || offset > next || strncmp(line, " {\"state\":", 10))
			continue;
		g->lines = realloc(g->lines, (g->nr_lines + 1) * sizeof(*l));
		l = &g->lines[g->nr_lines++];
		l->offset = strtoull(offset + 9, NULL, 10);
		l->size = strtoull(strstr(offset, "\"size\":") + 7, NULL, 10);
		l->schema = strtoul(strstr(line, "\"schema\":") + 9, NULL, 10);
		l->text = strndup(line, strcspn(line, "\n"));
		if (asprintf(&l->place, "\"offset\":%llu,", l->offset) < 0)
			return false;
		/* Another record need not follow */
		l->text[strlen(l->text) - (next[-2] == ',')] = 0;
	}
	g->root = sizeof(struct kstate_header);
	for (at = g->root; at < g->size; at += sizeof(*record) + le32_to_cpu(record->size)) {
		record = (void *)(g->data + at);
		if (le32_to_cpu(record->schema) != KSTATE_RECORD_SCHEMA)
			break;
		g->schemas[g->nr_schemas++] = at;
	}
	g->directory = at;
	return true;
}

/* Every record that [from, to) does not touch is there */
static void check_lines(const char *name, const struct golden *g, const char *json, u64 from,
			u64 to, const char *what)
{
	/* Without its schema, or one that is in it, a record is shown as bytes */
	bool schema = from < g->directory && to > g->root;

	for (u32 i = 0; i < g->nr_lines; i++) {
		const struct line *l = &g->lines[i];
		bool touched = l->offset < to && from < l->offset + l->size;

		if (!touched && !strstr(json, schema ? l->place : l->text))
			fail(name, "%s: the record at %#llx is not shown\n", what, l->offset);
	}
}

/* What means nothing may be anything: then all is shown as it was */
static void check_status(const char *name, enum status status, const char *shown,
			 const char *before, const char *what)
{
	if ((status < STATUS_DAMAGED || status > STATUS_NEWER) &&
	    (status != STATUS_OK || strcmp(shown, before)))
		fail(name, "%s: status %d\n", what, status);
}

static void flip(const char *name, struct golden *g)
{
	char what[64], *text, *json;
	enum status status;
	u64 step = g->size > 2000 ? 7 : 1;

	for (u64 bit = 0; bit < 8 * g->size; bit += step) {
		u64 at = bit / 8;

		snprintf(what, sizeof(what), "bit %llu of byte %#llx", bit % 8, at);
		g->data[at] ^= 1 << bit % 8;
		status = show(dump_text, g->data, g->size, &text);
		check_status(name, status, text, g->text, what);
		free(text);
		status = show(dump_json, g->data, g->size, &json);
		check_status(name, status, json, g->json, what);
		check_lines(name, g, json, at, at + 1, what);
		free(json);
		g->data[at] ^= 1 << bit % 8;
	}
	printf(failed ? "" : "ok %s every bit flipped\n", name);
	failed = false;
}

static void cut(const char *name, struct golden *g)
{
	char what[64], *text, *json;
	enum status status;

	for (u64 size = 0; size < g->size; size += g->size > 2000 ? 5 : 1) {
		snprintf(what, sizeof(what), "cut to %llu bytes", size);
		status = show(dump_text, g->data, size, &text);
		check_status(name, status, text, g->text, what);
		free(text);
		status = show(dump_json, g->data, size, &json);
		check_status(name, status, json, g->json, what);
		if (size >= g->directory)
			check_lines(name, g, json, size, g->size, what);
		free(json);
	}
	printf(failed ? "" : "ok %s cut at every length\n", name);
	failed = false;
}

/* Runs of zeros and of ones, as long as a sector: the header, the directory, both */
static void wipe(const char *name, struct golden *g)
{
	u8 *copy = malloc(g->size);
	char what[64], *json, *text;
	enum status status;

	for (u64 from = 0; from < g->size; from += 40) {
		for (u64 len = 40; len <= 640; len *= 4) {
			u64 to = min(from + len, (u64)g->size);

			memcpy(copy, g->data, g->size);
			memset(copy + from, len & 64 ? 0xff : 0, to - from);
			snprintf(what, sizeof(what), "%#llx to %#llx wiped", from, to);
			status = show(dump_text, copy, g->size, &text);
			check_status(name, status, text, g->text, what);
			free(text);
			status = show(dump_json, copy, g->size, &json);
			check_status(name, status, json, g->json, what);
			/* Without any schema nothing says that this was a stream */
			if (from >= 8 || to < g->root)
				check_lines(name, g, json, from, to, what);
			free(json);
		}
	}
	free(copy);
	printf(failed ? "" : "ok %s stretches wiped\n", name);
	failed = false;
}

static void check_file(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct golden g = {};

	alarm(600);
	if (!read_file(path, &g) || show(dump_text, g.data, g.size, &g.text) ||
	    show(dump_json, g.data, g.size, &g.json) || !read_lines(&g)) {
		printf("not ok %s cannot be read as it is\n", name);
		return;
	}
	flip(name, &g);
	cut(name, &g);
	wipe(name, &g);
	for (u32 i = 0; i < g.nr_lines; i++) {
		free(g.lines[i].text);
		free(g.lines[i].place);
	}
	free(g.lines);
	free(g.text);
	free(g.json);
	free(g.data);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		check_file(argv[i]);
	return 0;
}
