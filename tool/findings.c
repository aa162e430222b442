// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was found about objects: the same about many is one line.
 */
#include <stdlib.h>
#include <string.h>
#include "findings.h"

/* Keys of the objects of which the same is found, as text */
#define KEYS_SHOWN	4

/* What a finding says, after the name of its object: @object, or @len bytes of it, its state */
static char *reason_text(const json_t *err, const char *object, size_t len, bool allowed)
{
	char *path = printable(json_member(err, "path")), *expected = printable(json_member(err, "expected"));
	char *found = printable(json_member(err, "found")), *text = NULL;
	const char *field = path;

	if (path && !strncmp(path, object, strlen(object)))
		field = path + strlen(object);
	else if (path && !strncmp(path, object, len) && !path[len])
		field = "";
	if (!path || !expected || !found ||
	    asprintf(&text, "%s%s: %s (%lld): expected %s, found %s%s", field == path ? ": " : "",
		     field, json_member(err, "reason"), json_number(err, "code"), expected, found,
		     allowed ? "; the policy allows that" : "") < 0)
		text = NULL;
	free(path);
	free(expected);
	free(found);
	return text;
}

static void add(struct findings *f, const json_t *line, const json_t *err, enum outcome outcome,
		bool allowed)
{
	char *object = printable(json_member(line, "object")), *reason = NULL, *name = NULL;
	size_t state = object ? strcspn(object, "[") : 0;
	json_t *group, *keys;

	if (object)
		reason = err ? reason_text(err, object, state, allowed) :
			       strdup(allowed ? "; the policy allows that" : "");
	if (!reason || asprintf(&name, "%d%.*s%s", outcome, (int)state, object, reason) < 0)
		name = NULL;
	group = name ? json_object_get(f->by_name, name) : NULL;
	if (name && !group) {
		group = json_pack("{s:i, s:b, s:s, s:s, s:i, s:[]}", "outcome", outcome, "allowed",
				  allowed, "object", object, "reason", reason, "more", 0, "keys");
		json_array_append_new(f->groups, group);
		json_object_set(f->by_name, name, group);
	} else if (group) {
		keys = json_object_get(group, "keys");
		json_object_set_new(group, "more", json_integer(json_number(group, "more") + 1));
		if (json_array_size(keys) < KEYS_SHOWN)
			json_array_append_new(keys, json_string(object + state));
	}
	free(name);
	free(reason);
	free(object);
}

void findings_add(struct findings *f, const json_t *object, enum outcome outcome, bool allowed)
{
	const json_t *err, *all = json_object_get(object, "errors");
	size_t i;

	if (!f->groups) {
		f->groups = json_array();
		f->by_name = json_object();
	}
	json_array_foreach(all, i, err)
		add(f, object, err, outcome, allowed);
	if (!all)
		add(f, object, json_object_get(object, "error"), outcome, allowed);
}

void findings_free(struct findings *f)
{
	json_decref(f->groups);
	json_decref(f->by_name);
	*f = (struct findings){};
}

char *findings_line(const struct findings *f, size_t i, enum outcome *outcome, bool *allowed)
{
	const json_t *group = json_array_get(f->groups, i), *keys, *key;
	char *line = NULL;
	long long more;
	size_t size;
	FILE *out;

	if (!group)
		return NULL;
	out = open_memstream(&line, &size);
	if (!out)
		return NULL;
	*outcome = json_number(group, "outcome");
	*allowed = json_is_true(json_object_get(group, "allowed"));
	fprintf(out, "%s%s", json_member(group, "object"), json_member(group, "reason"));
	more = json_number(group, "more");
	keys = json_object_get(group, "keys");
	if (more)
		fprintf(out, "; and the same of %lld more:", more);
	json_array_foreach(keys, i, key)
		fprintf(out, " %s", json_string_value(key));
	fputs(more > (long long)json_array_size(keys) ? " ..." : "", out);
	if (!fclose(out))
		return line;
	free(line);
	return NULL;
}

void findings_print(const struct findings *f)
{
	enum outcome outcome;
	bool allowed;
	char *line;

	for (size_t i = 0; (line = findings_line(f, i, &outcome, &allowed)); i++) {
		printf("  %s%-9s%s  %s\n", colour(allowed ? YELLOW : outcome_colour(outcome)),
		       outcome_names[outcome], colour(PLAIN), line);
		free(line);
	}
}
