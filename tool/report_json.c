// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kstate check has found, as JSON.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/array_size.h>
#include "report.h"

/* What else decides, by name */
static const char *depends_name(enum kstate_depends depends)
{
	static const char *const names[] = {
		[KSTATE_DEPENDS_VALUE] = "value", [KSTATE_DEPENDS_LOSS] = "value",
		[KSTATE_DEPENDS_OBJECT] = "object", [KSTATE_DEPENDS_FUNCTION] = "function",
	};

	return names[depends];
}

static json_t *json_difference(const struct difference *d)
{
	json_t *value = json_pack("{s:s,s:s,s:s}", "verdict", outcome_names[d->outcome],
				  "path", d->path, "text", d->text);

	if (value && d->depends)
		json_object_set_new(value, "depends", json_string(depends_name(d->depends)));
	if (value && d->verdict != d->outcome)
		json_object_set_new(value, "otherwise", json_string(outcome_names[d->verdict]));
	return value;
}

static json_t *json_state(const struct report *r, const struct compared *state)
{
	json_t *differences = json_array();

	for (size_t i = 0; i < state->nr; i++)
		if (report_is_shown(&state->differences[i], r->all))
			json_array_append_new(differences, json_difference(&state->differences[i]));
	return json_pack("{s:o,s:o,s:o,s:s,s:o,s:I}",
			 "state", json_printable(state->writer->schema->name),
			 "type", json_printable(state->writer->type),
			 "image", json_printable(state->writer->image),
			 "worst", outcome_names[state->worst], "differences", differences,
			 "more", (json_int_t)state->more);
}

static json_t *json_states(const struct report *r, const struct comparison *c)
{
	json_t *states = json_array();

	for (size_t i = 0; i < c->nr; i++)
		if (report_state_is_shown(&c->states[i], r->all))
			json_array_append_new(states, json_state(r, &c->states[i]));
	return states;
}

static json_t *json_groups(const struct report *r, const struct comparison *c)
{
	size_t nr;
	struct group *groups = report_groups(c, r->all, &nr);
	json_t *list = json_array();

	for (size_t i = 0; groups && i < nr; i++) {
		const struct group *g = &groups[i];
		json_t *paths = json_array();

		for (size_t j = 0; j < min(g->nr, ARRAY_SIZE(g->paths)); j++)
			json_array_append_new(paths, json_string(g->paths[j]));
		json_array_append_new(list, json_pack("{s:s,s:s,s:I,s:I,s:o}", "verdict",
						      outcome_names[g->outcome], "text", g->text,
						      "count", (json_int_t)g->nr, "states",
						      (json_int_t)g->nr_states, "paths", paths));
	}
	free(groups);
	return list;
}

static json_t *json_counts(const size_t *counts)
{
	json_t *value = json_object();

	for (int i = 0; i < OUTCOMES; i++)
		json_object_set_new(value, outcome_names[i], json_integer(counts[i]));
	return value;
}

static json_t *json_checked(const struct report *r, const struct checked *checked)
{
	json_t *value = json_pack("{s:i,s:i,s:s,s:s,s:o}", "from", checked->from, "to",
				  checked->to, "direction", report_direction(checked), "worst",
				  outcome_names[checked->c.worst], "summary",
				  json_counts(checked->c.counts));

	if (!value)
		return NULL;
	if (checked->stream) {
		json_object_set(value, "objects", checked->objects);
	} else {
		json_object_set_new(value, "groups", json_groups(r, &checked->c));
		json_object_set_new(value, "states", json_states(r, &checked->c));
	}
	return value;
}

static json_t *json_kernel(const struct kernel *kernel)
{
	const struct kstate_set *set = kernel->source.set;
	char buf[32];

	return json_pack("{s:o,s:o,s:s,s:I}", "name", json_printable(kernel->name),
			 "release", json_printable(set->writer),
			 "arch", source_arch(set->arch, buf, sizeof(buf)),
			 "states", (json_int_t)kernel->side.nr);
}

enum status report_json(const struct report *r, struct trouble *t)
{
	json_t *sources = json_array(), *checks = json_array();

	for (int i = 0; i < r->nr_kernels; i++)
		json_array_append_new(sources, json_kernel(&r->kernels[i]));
	for (int i = 0; i < r->nr; i++)
		json_array_append_new(checks, json_checked(r, &r->list[i]));
	return print_json(json_pack("{s:o,s:s,s:o}", "sources", sources, "worst",
				    outcome_names[r->worst], "checks", checks), t);
}

static json_t *json_error(const struct kstate_error *err)
{
	return json_pack("{s:s,s:i,s:o,s:o,s:o}", "reason", kstate_reason_name(err->reason),
			 "code", err->code, "path", json_printable(err->path),
			 "expected", json_printable(err->expected),
			 "found", json_printable(err->found));
}

json_t *report_object(const struct kstate_finding *finding, enum outcome outcome)
{
	char name[2 * KSTATE_MAX_NAME + 8];
	json_t *value, *errors;

	kstate_record_text(finding->stream, finding->record, name, sizeof(name));
	value = json_pack("{s:o,s:o,s:s}", "stream", json_printable(finding->stream->name),
			  "object", json_printable(name), "verdict", outcome_names[outcome]);
	if (value && finding->nr_err)
		json_object_set_new(value, "error", json_error(finding->err));
	if (!value || finding->nr_err < 2)
		return value;
	errors = json_array();
	for (u32 i = 0; i < finding->nr_err; i++)
		json_array_append_new(errors, json_error(&finding->err[i]));
	json_object_set_new(value, "errors", errors);
	return value;
}
