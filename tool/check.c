// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate check: whether one kernel takes the state of another, and back.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/err.h>
#include "live.h"
#include "report.h"

enum { FORWARD = 1, BACK = 2 };

struct args {
	char **names;
	int nr;
	int directions;
	bool all;
	bool each;
	bool github;
	const char *html;
	bool live;
	struct live running;
};

enum { OPTION_FORWARD = 0x300, OPTION_BACK, OPTION_LIVE, OPTION_EACH, OPTION_GITHUB, OPTION_HTML };

static const struct argp_option check_options[] = {
	{ "forward", OPTION_FORWARD, NULL, 0, "Only whether the later takes what the earlier writes", 0 },
	{ "back", OPTION_BACK, NULL, 0, "Only the other way", 0 },
	{ "live", OPTION_LIVE, NULL, 0, "Whether TO takes the running kernel's state as it is now; "
	  "without TO, the target that it has been told", 0 },
	{ "all", 'a', NULL, 0, "Show what is exact, too", 0 },
	{ "each", OPTION_EACH, NULL, 0, "Show each difference, however many there are", 0 },
	{ "github", OPTION_GITHUB, NULL, 0, "Print annotations for GitHub Actions", -1 },
	{ "html", OPTION_HTML, "FILE", 0, "Write a page for people; to standard output if it is -", -1 },
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
	case OPTION_EACH:
		a->each = true;
		return 0;
	case OPTION_GITHUB:
		a->github = true;
		return 0;
	case OPTION_HTML:
		a->html = arg;
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
		if (options.json + a->github + !!a->html > 1 || (a->live && (a->github || a->html)))
			argp_error(state, "takes one of --json, --github and --html; --live only the first");
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

static enum status check_machines(const struct kernel *kernels, int nr, struct trouble *t)
{
	enum status status = STATUS_OK;

	for (int i = 1; !status && i < nr; i++)
		status = source_same_machine(kernels[0].name, kernels[0].source.set,
					     kernels[i].name, kernels[i].source.set, t);
	return status;
}

/* A stream: its records, with their values */

struct objects {
	struct checked *checked;
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

static int note_object(const struct kstate_finding *finding, void *arg)
{
	enum outcome outcome = object_outcome(finding);
	struct objects *o = arg;
	struct comparison *c = &o->checked->c;
	json_t *object;

	c->counts[outcome]++;
	o->checked->nr++;
	c->worst = max(c->worst, outcome);
	if (finding->nr_err && finding->err->reason == KSTATE_DAMAGED && !o->damage.code)
		o->damage = *finding->err;
	if (outcome == EXACT && !o->all)
		return 0;
	object = report_object(finding, outcome);
	if (options.json)
		json_array_append(o->checked->objects, object);
	else
		findings_add(&o->checked->findings, object, outcome, false);
	json_decref(object);
	return 0;
}

static enum status check_stream(struct report *r, struct kstate_error *damage, struct trouble *t)
{
	struct kstate_set *set = r->kernels[0].source.set;
	struct checked *checked = &r->list[r->nr++];
	struct objects o = { .checked = checked, .all = r->all, .damage = set->damage };

	*checked = (struct checked){ .to = 1, .stream = true, .objects = json_array() };
	if (kstate_check_set(set, r->kernels[1].source.set, note_object, &o))
		return trouble(t, STATUS_SYSTEM, "no memory");
	*damage = o.damage;
	r->worst = checked->c.worst;
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

static enum status check_pairs(struct report *r, int directions, struct trouble *t)
{
	enum status status = STATUS_OK;
	int nr = r->nr_kernels;

	for (int i = 0; i < nr * nr && !status; i++) {
		/* All of a row, and then the next */
		struct checked *checked = &r->list[r->nr];
		int from = i / nr, to = i % nr;

		if (from == to || !(directions & (from < to ? FORWARD : BACK)))
			continue;
		progress("checking", i, nr * nr);
		*checked = (struct checked){ .from = from, .to = to };
		status = compare(&r->kernels[from].side, &r->kernels[to].side, &checked->c, t);
		checked->nr = checked->c.nr;
		r->worst = max(r->worst, checked->c.worst);
		r->nr++;
	}
	progress_end();
	return status;
}

static enum status open_kernels(const struct args *a, struct kernel *kernels, struct trouble *t)
{
	enum status status = STATUS_OK;

	for (int i = 0; i < a->nr && !status; i++) {
		struct kernel *kernel = &kernels[i];

		kernel->name = a->names[i];
		status = source_open(&kernel->source, kernel->name, t);
		if (status)
			break;
		if (kernel->source.stream && (i || a->nr > 2 || !(a->directions & FORWARD)))
			return trouble(t, STATUS_USAGE,
				       "%s is a stream: it can only be checked as FROM, against one TO",
				       kernel->name);
		status = side_init(&kernel->side, kernel->source.set, t);
	}
	return status;
}

static enum status tell(const struct args *a, const struct report *r, struct trouble *t)
{
	struct page_file page;
	enum status status;

	if (options.json)
		return report_json(r, t);
	if (a->html) {
		status = page_begin(&page, a->html, t);
		if (status)
			return status;
		report_html(r, page.file);
		return page_end(&page, STATUS_OK, t);
	}
	if (a->github)
		report_github(r);
	else
		report_text(r);
	return STATUS_OK;
}

static enum status check(const struct args *a, struct kernel *kernels, struct report *r,
			 struct trouble *t)
{
	enum status status = open_kernels(a, kernels, t);
	struct kstate_error damage = {};

	status = status ?: check_machines(kernels, a->nr, t);
	if (!status && kernels[0].source.stream)
		status = check_stream(r, &damage, t);
	else if (!status)
		status = check_pairs(r, a->directions, t);
	status = status ?: tell(a, r, t);
	return status ?: stream_damage(a->names[0], &damage, t);
}

enum status command_check(int argc, char **argv, struct trouble *t)
{
	struct kernel *kernels;
	struct report r = {};
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
	kernels = calloc(a.nr, sizeof(*kernels));
	r = (struct report){
		.kernels = kernels, .nr_kernels = a.nr, .all = a.all, .each = a.each,
		.list = calloc((size_t)a.nr * a.nr, sizeof(*r.list)),
	};
	status = kernels && r.list ? check(&a, kernels, &r, t) :
				     trouble(t, STATUS_SYSTEM, "no memory");
	for (int i = 0; i < r.nr; i++) {
		comparison_free(&r.list[i].c);
		findings_free(&r.list[i].findings);
		json_decref(r.list[i].objects);
	}
	for (int i = 0; kernels && i < a.nr; i++) {
		side_free(&kernels[i].side);
		source_close(&kernels[i].source);
	}
	free(r.list);
	free(kernels);
	return status ?: outcome_status(r.worst);
}
