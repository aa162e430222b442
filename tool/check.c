// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate check: whether one kernel takes the state of another, and back.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/err.h>
#include "compare.h"
#include "gate.h"
#include "live.h"

enum { FORWARD = 1, BACK = 2 };

struct args {
	char **names;
	int nr;
	int directions;
	bool all;
	bool live;
	struct live running;
};

/* One of the arguments */
struct input {
	struct source source;
	struct side side;
};

static struct kstate_set *set_of(const struct input *in)
{
	return in->source.set;
}

enum { OPTION_FORWARD = 0x300, OPTION_BACK, OPTION_LIVE };

static const struct argp_option check_options[] = {
	{ "forward", OPTION_FORWARD, NULL, 0, "Only whether the later takes what the earlier writes", 0 },
	{ "back", OPTION_BACK, NULL, 0, "Only the other way", 0 },
	{ "live", OPTION_LIVE, NULL, 0, "Whether TO takes the running kernel's state as it is now; "
	  "without TO, the target that it has been told", 0 },
	{ "all", 'a', NULL, 0, "Show what is exact, too", 0 },
	{}
};

static error_t parse_check(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->running;
		return 0;
	case OPTION_LIVE:
		a->live = true;
		return 0;
	case OPTION_FORWARD:
		a->directions |= FORWARD;
		return 0;
	case OPTION_BACK:
		a->directions |= BACK;
		return 0;
	case 'a':
		a->all = true;
		return 0;
	case ARGP_KEY_ARGS:
		a->names = state->argv + state->next;
		a->nr = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (a->live && a->directions)
			argp_error(state, "--live looks at what the running kernel would leave");
		if (a->nr < 2 && !a->live)
			argp_error(state, "needs FROM and TO");
		if (!a->directions)
			a->directions = FORWARD | BACK;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp check_argp = {
	.options = check_options, .parser = parse_check, .children = target_options,
	.args_doc = "FROM TO [...]\n--live [TO...]",
	.doc = "Tell whether the kernel TO takes the state of the kernel FROM, and FROM that of TO, with every difference.\vFROM and TO are images, directories of modules, catalogues, several of these with commas between, or 'running'. FROM may be a stream: then its values count. With more than two, each is checked against each.\nExit status: 0 taken, 1 something is lost or kept aside, 2 some values are refused, 3 blocked.",
};

static enum status check_arch(const struct args *a, const struct input *in, struct trouble *t)
{
	char one[32], other[32];
	u32 first = set_of(&in[0])->arch;

	for (int i = 1; i < a->nr; i++)
		if (set_of(&in[i])->arch != first)
			return trouble(t, STATUS_ARCH,
				       "%s is for %s and %s for %s: state stays on its architecture",
				       a->names[0], source_arch(first, one, sizeof(one)), a->names[i],
				       source_arch(set_of(&in[i])->arch, other, sizeof(other)));
	return STATUS_OK;
}

/* Text */

static int width(int have, const char *text)
{
	int len = strlen(text);

	return max(have, len);
}

static const char *show_outcome(const struct difference *d)
{
	return d->outcome == SOME && d->depends == KSTATE_DEPENDS_OBJECT ? "object" :
		outcome_names[d->outcome];
}

static void print_row(enum outcome outcome, const char *word, const char *path, int path_width,
		      const char *text)
{
	/* An empty text must not leave spaces at the end of the line */
	printf("  %s%-9s%s  %-*s%s%s\n", colour(outcome_colour(outcome)), word, colour(PLAIN),
	       text[0] ? path_width : 0, path, text[0] ? "  " : "", text);
}

static bool is_shown(enum outcome outcome, bool all)
{
	return outcome != EXACT || all;
}

static void print_states(const struct comparison *c, bool all)
{
	int w = 0;

	for (size_t i = 0; i < c->nr; i++)
		for (size_t j = 0; j < c->states[i].nr; j++)
			if (is_shown(c->states[i].differences[j].outcome, all))
				w = width(w, c->states[i].differences[j].path);
	for (size_t i = 0; i < c->nr; i++) {
		const struct compared *state = &c->states[i];
		char *name = printable(state->writer->schema->name);

		for (size_t j = 0; j < state->nr; j++) {
			const struct difference *d = &state->differences[j];

			if (is_shown(d->outcome, all))
				print_row(d->outcome, show_outcome(d), d->path, w, d->text);
		}
		if (state->more)
			printf("  and %zu more in %s\n", state->more, name);
		if (all && !state->nr)
			print_row(EXACT, "exact", name, w, "");
		free(name);
	}
}

static void print_summary(const size_t *counts, size_t nr, const char *what)
{
	printf("  %zu %s%s", nr, what, nr == 1 ? "" : "s");
	for (int i = OUTCOMES - 1; i >= 0; i--)
		if (counts[i])
			printf(", %s%zu %s%s", colour(outcome_colour(i)), counts[i],
			       outcome_names[i], colour(PLAIN));
	putchar('\n');
}

static void print_heading(const struct args *a, const struct input *in, int from, int to)
{
	char *writer = printable(set_of(&in[from])->writer);
	char *reader = printable(set_of(&in[to])->writer);

	printf("%s%s: what %s (%s) writes, %s (%s) reads%s\n", colour(BOLD),
	       from < to ? "forward" : "back", a->names[from], writer, a->names[to], reader,
	       colour(PLAIN));
	free(writer);
	free(reader);
}

/* JSON */

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
	json_t *value = json_pack("{s:s,s:s,s:s}", "verdict", outcome_names[d->verdict],
				  "path", d->path, "text", d->text);

	if (value && d->depends)
		json_object_set_new(value, "depends", json_string(depends_name(d->depends)));
	return value;
}

static json_t *json_counts(const size_t *counts)
{
	json_t *value = json_object();

	for (int i = 0; i < OUTCOMES; i++)
		json_object_set_new(value, outcome_names[i], json_integer(counts[i]));
	return value;
}

static json_t *json_state(const struct compared *state, bool all)
{
	json_t *differences = json_array();

	for (size_t i = 0; i < state->nr; i++)
		if (is_shown(state->differences[i].outcome, all))
			json_array_append_new(differences, json_difference(&state->differences[i]));
	return json_pack("{s:o,s:o,s:o,s:s,s:o,s:I}",
			 "state", json_printable(state->writer->schema->name),
			 "type", json_printable(state->writer->type),
			 "image", json_printable(state->writer->image),
			 "worst", outcome_names[state->worst], "differences", differences,
			 "more", (json_int_t)state->more);
}

static json_t *json_states(const struct comparison *c, bool all)
{
	json_t *states = json_array();

	for (size_t i = 0; i < c->nr; i++)
		if (is_shown(c->states[i].worst, all))
			json_array_append_new(states, json_state(&c->states[i], all));
	return states;
}

static json_t *json_check(int from, int to, enum outcome worst, const size_t *counts,
			  const char *what, json_t *list)
{
	return json_pack("{s:i,s:i,s:s,s:s,s:o,s:o}", "from", from, "to", to, "direction",
			 from < to ? "forward" : "back", "worst", outcome_names[worst],
			 "summary", json_counts(counts), what, list);
}

static json_t *json_inputs(const struct args *a, const struct input *in)
{
	json_t *list = json_array();
	char buf[32];

	for (int i = 0; i < a->nr; i++) {
		const struct kstate_set *set = set_of(&in[i]);
		json_t *value = json_pack("{s:o,s:o,s:s,s:I}",
					  "name", json_printable(a->names[i]),
					  "release", json_printable(set->writer),
					  "arch", source_arch(set->arch, buf, sizeof(buf)),
					  "states", (json_int_t)in[i].side.nr);

		json_array_append_new(list, value);
	}
	return list;
}

/* A stream: its records, with their values */

struct objects {
	size_t counts[OUTCOMES];
	size_t nr;
	enum outcome worst;
	json_t *list;
	bool all;
	struct kstate_error damage;	/* the first */
};

static enum outcome object_outcome(const struct kstate_finding *finding)
{
	/* What is lossy with an error is not known, and kept aside */
	if (finding->verdict == KSTATE_LOSSY && finding->nr_err)
		return ASIDE;
	return outcome_of(finding->verdict, KSTATE_DEPENDS_NOT);
}

static json_t *json_error(const struct kstate_error *err)
{
	return json_pack("{s:s,s:o,s:o,s:o}", "reason", kstate_reason_name(err->reason),
			 "path", json_printable(err->path),
			 "expected", json_printable(err->expected),
			 "found", json_printable(err->found));
}

static json_t *json_errors(const struct kstate_finding *finding)
{
	json_t *list = json_array();

	for (u32 i = 0; i < finding->nr_err; i++)
		json_array_append_new(list, json_error(&finding->err[i]));
	return list;
}

static void print_object(enum outcome outcome, const char *text)
{
	char *line = printable(text);

	print_row(outcome, outcome_names[outcome], line, 0, "");
	free(line);
}

static int note_object(const struct kstate_finding *finding, void *arg)
{
	enum outcome outcome = object_outcome(finding);
	struct objects *o = arg;
	char name[2 * KSTATE_MAX_NAME + 8], text[512];

	o->counts[outcome]++;
	o->nr++;
	o->worst = max(o->worst, outcome);
	if (finding->nr_err && finding->err->reason == KSTATE_DAMAGED && !o->damage.code)
		o->damage = *finding->err;
	if (!is_shown(outcome, o->all))
		return 0;
	kstate_record_text(finding->stream, finding->record, name, sizeof(name));
	if (options.json) {
		json_t *value = json_pack("{s:o,s:o,s:s}",
					  "stream", json_printable(finding->stream->name),
					  "object", json_printable(name),
					  "verdict", outcome_names[outcome]);

		if (value && finding->nr_err)
			json_object_set_new(value, "error", json_error(finding->err));
		if (value && finding->nr_err > 1)
			json_object_set_new(value, "errors", json_errors(finding));
		json_array_append_new(o->list, value);
		return 0;
	}
	for (u32 i = 0; i < finding->nr_err; i++) {
		kstate_error_text(&finding->err[i], text, sizeof(text));
		print_object(outcome, text);
	}
	if (!finding->nr_err)
		print_object(outcome, name);
	return 0;
}

static enum status check_stream(const struct args *a, struct input *in, struct objects *o,
				json_t *checks, struct trouble *t)
{
	struct kstate_set *set = set_of(&in[0]);

	o->all = a->all;
	o->damage = set->damage;
	o->list = json_array();
	if (!options.json)
		print_heading(a, in, 0, 1);
	if (kstate_check_set(set, set_of(&in[1]), note_object, o)) {
		json_decref(o->list);
		return trouble(t, STATUS_SYSTEM, "no memory");
	}
	if (options.json) {
		json_array_append_new(checks, json_check(0, 1, o->worst, o->counts, "objects",
							 o->list));
		return STATUS_OK;
	}
	print_summary(o->counts, o->nr, "object");
	json_decref(o->list);
	return STATUS_OK;
}

/* What could be read has been checked, but that is not all there was */
static enum status stream_damage(const char *name, const struct kstate_error *damage,
				 struct trouble *t)
{
	char text[512], *line;

	if (!damage->code)
		return STATUS_OK;
	kstate_error_text(damage, text, sizeof(text));
	line = printable(text);
	trouble(t, STATUS_DAMAGED, "%s is damaged: %s", name, line ?: "");
	free(line);
	return STATUS_DAMAGED;
}

/* Each against each */

static bool is_wanted(const struct args *a, int from, int to)
{
	return from != to && (a->directions & (from < to ? FORWARD : BACK));
}

static void print_matrix(const struct args *a, const struct input *in, const enum outcome *cells)
{
	int w = strlen("writes \\ reads");

	for (int i = 0; i < a->nr; i++)
		w = width(w, a->names[i]);
	printf("%s%-*s", colour(BOLD), w, "writes \\ reads");
	for (int to = 0; to < a->nr; to++)
		printf("  %-*s", width(9, a->names[to]), a->names[to]);
	printf("%s\n", colour(PLAIN));
	for (int from = 0; from < a->nr; from++) {
		printf("%-*s", w, a->names[from]);
		for (int to = 0; to < a->nr; to++) {
			enum outcome o = cells[from * a->nr + to];
			bool wanted = is_wanted(a, from, to);

			printf("  %s%-*s%s", wanted ? colour(outcome_colour(o)) : "",
			       width(9, a->names[to]), wanted ? outcome_names[o] : "-",
			       wanted ? colour(PLAIN) : "");
		}
		putchar('\n');
	}
}

static enum status check_pair(const struct args *a, const struct input *in, int from, int to,
			      enum outcome *worst, json_t *checks, struct trouble *t)
{
	struct comparison c;
	enum status status = compare(&in[from].side, &in[to].side, &c, t);

	if (!status && options.json) {
		json_array_append_new(checks, json_check(from, to, c.worst, c.counts, "states",
							 json_states(&c, a->all)));
	} else if (!status && a->nr == 2) {
		print_heading(a, in, from, to);
		print_states(&c, a->all);
		print_summary(c.counts, c.nr, "state");
	}
	*worst = c.worst;
	comparison_free(&c);
	return status;
}

static enum status check_pairs(const struct args *a, const struct input *in, enum outcome *worst,
			       json_t *checks, struct trouble *t)
{
	enum outcome *cells = calloc((size_t)a->nr * a->nr, sizeof(*cells));
	enum status status = STATUS_OK;
	int from, to;

	if (!cells)
		return trouble(t, STATUS_SYSTEM, "no memory");
	for (int i = 0; i < a->nr * a->nr && !status; i++) {
		/* All forward ones of a row, then what leads back to it */
		from = i / a->nr;
		to = i % a->nr;
		if (!is_wanted(a, from, to))
			continue;
		progress("checking", i, a->nr * a->nr);
		status = check_pair(a, in, from, to, &cells[i], checks, t);
		*worst = max(*worst, cells[i]);
	}
	progress_end();
	if (!status && a->nr > 2 && !options.json)
		print_matrix(a, in, cells);
	free(cells);
	return status;
}

static enum status open_inputs(const struct args *a, struct input *in, struct trouble *t)
{
	enum status status = STATUS_OK;

	for (int i = 0; i < a->nr && !status; i++) {
		status = source_open(&in[i].source, a->names[i], t);
		if (status)
			break;
		if (in[i].source.stream && (i || a->nr > 2 || !(a->directions & FORWARD)))
			return trouble(t, STATUS_USAGE,
				       "%s is a stream: it can only be checked as FROM, against one TO",
				       a->names[i]);
		status = side_init(&in[i].side, set_of(&in[i]), t);
	}
	return status;
}

enum status command_check(int argc, char **argv, struct trouble *t)
{
	enum outcome worst = EXACT;
	struct objects objects = {};
	json_t *checks;
	struct input *in;
	enum status status;
	struct args a = {};

	if (argp_parse(&check_argp, argc, argv, 0, NULL, &a))
		return STATUS_USAGE;
	if (a.live) {
		a.running.names = a.names;
		a.running.nr = a.nr;
		a.running.all = a.all;
		return check_live(&a.running, t);
	}
	in = calloc(a.nr, sizeof(*in));
	if (!in)
		return trouble(t, STATUS_SYSTEM, "no memory");
	checks = json_array();
	status = open_inputs(&a, in, t);
	if (!status)
		status = check_arch(&a, in, t);
	if (!status && in[0].source.stream)
		status = check_stream(&a, in, &objects, checks, t);
	else if (!status)
		status = check_pairs(&a, in, &worst, checks, t);
	worst = max(worst, objects.worst);
	if (!status && options.json)
		status = print_json(json_pack("{s:o,s:s,s:O}", "sources", json_inputs(&a, in),
					      "worst", outcome_names[worst], "checks", checks), t);
	json_decref(checks);
	status = status ?: stream_damage(a.names[0], &objects.damage, t);
	for (int i = 0; i < a.nr; i++) {
		side_free(&in[i].side);
		source_close(&in[i].source);
	}
	free(in);
	return status ?: outcome_status(worst);
}
