// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kstate check has found, as a page for people: no scripts, nothing from elsewhere.
 */
#include <stdlib.h>
#include <linux/array_size.h>
#include "report.h"
#include "text.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n<title>kstate check</title>\n"
	"<style>\n"
	":root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif }\n"
	"body { max-width: 70em; margin: 0 auto; padding: 1em; overflow-wrap: anywhere }\n"
	"table { border-collapse: collapse; width: 100% }\n"
	"th { overflow-wrap: normal }\n"
	"th, td { text-align: left; vertical-align: top; padding: .2em .6em .2em 0;\n"
	"  border-bottom: 1px solid #8884 }\n"
	"code { font-size: 95% }\n"
	"summary { cursor: pointer; padding: .3em 0 }\n"
	"details > table { margin: 0 0 .5em 1em; width: calc(100% - 1em) }\n"
	".v { font-weight: 600; white-space: nowrap; padding: 0 .4em; border-radius: .3em;\n"
	"  color: #000; background: #9d9 }\n"
	".blocked { background: #f99 }\n.value, .lossy, .aside { background: #fd7 }\n"
	"</style>\n<h1>kstate check</h1>\n";

/* Text in HTML: names may come from a hostile file */
static void put(struct out *o, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			out_text(o, "&lt;");
			break;
		case '>':
			out_text(o, "&gt;");
			break;
		case '&':
			out_text(o, "&amp;");
			break;
		case '"':
			out_text(o, "&quot;");
			break;
		default:
			out_char(o, *text < ' ' && *text > 0 ? '?' : *text);
		}
	}
}

static void put_outcome(struct out *o, enum outcome outcome)
{
	out_printf(o, "<span class=\"v %s\">%s</span>", outcome_names[outcome],
		   outcome_names[outcome]);
}

static void put_counts(struct out *o, const size_t *counts)
{
	const char *between = "";

	for (int i = OUTCOMES - 1; i >= 0; i--) {
		if (!counts[i])
			continue;
		out_printf(o, "%s%zu ", between, counts[i]);
		put_outcome(o, i);
		between = ", ";
	}
}

static void put_row(struct out *o, enum outcome outcome, const char *path, const char *text)
{
	out_text(o, "<tr><td>");
	put_outcome(o, outcome);
	out_text(o, "<td><code>");
	put(o, path);
	out_text(o, "</code><td>");
	put(o, text);
	out_char(o, '\n');
}

static void put_kernels(struct out *o, const struct report *r)
{
	char buf[32];

	out_text(o, "<table><tr><th>kernel<th>release<th>architecture<th>states\n");
	for (int i = 0; i < r->nr_kernels; i++) {
		const struct kernel *kernel = &r->kernels[i];

		out_text(o, "<tr><td>");
		put(o, kernel->name);
		out_text(o, "<td>");
		put(o, kernel->source.set->writer);
		out_printf(o, "<td>%s<td>%zu\n",
			   source_arch(kernel->source.set->arch, buf, sizeof(buf)), kernel->side.nr);
	}
	out_text(o, "</table>\n");
}

static void put_matrix(struct out *o, const struct report *r)
{
	out_text(o, "<h2>Who takes what of whom</h2>\n<table><tr><th>writes \\ reads\n");
	for (int to = 0; to < r->nr_kernels; to++) {
		out_text(o, "<th>");
		put(o, r->kernels[to].name);
	}
	for (int from = 0; from < r->nr_kernels; from++) {
		out_text(o, "\n<tr><th>");
		put(o, r->kernels[from].name);
		for (int to = 0; to < r->nr_kernels; to++) {
			const struct checked *checked = report_find(r, from, to);

			if (checked)
				out_printf(o, "<td><a href=\"#c%d-%d\">", from, to);
			else
				out_text(o, "<td>-");
			if (checked)
				put_outcome(o, checked->c.worst);
			out_text(o, checked ? "</a>" : "");
		}
	}
	out_text(o, "</table>\n");
}

static void put_groups(struct out *o, const struct report *r, const struct comparison *c)
{
	size_t nr;
	struct group *groups = report_groups(c, r->all, &nr);

	if (groups && nr)
		out_text(o, "<h3>By kind of difference</h3>\n"
			    "<table><tr><th>verdict<th>times<th>what\n");
	for (size_t i = 0; groups && i < nr; i++) {
		const struct group *g = &groups[i];

		out_text(o, "<tr><td>");
		put_outcome(o, g->outcome);
		out_printf(o, "<td>%zu<td>", g->nr);
		put(o, g->text);
		out_text(o, "<br><code>");
		for (size_t j = 0; j < min(g->nr, ARRAY_SIZE(g->paths)); j++) {
			out_text(o, j ? ", " : "");
			put(o, g->paths[j]);
		}
		out_text(o, g->nr > ARRAY_SIZE(g->paths) ? ", ...</code>\n" : "</code>\n");
	}
	if (groups && nr)
		out_text(o, "</table>\n");
	free(groups);
}

static void put_state(struct out *o, const struct report *r, const struct compared *state,
		      bool open)
{
	out_printf(o, "<details%s><summary>", open ? " open" : "");
	put_outcome(o, state->worst);
	out_text(o, " <code>");
	put(o, state->writer->schema->name);
	out_text(o, "</code> ");
	put(o, state->writer->type);
	if (state->writer->image[0])
		out_text(o, ", in ");
	put(o, state->writer->image);
	out_text(o, "</summary>\n<table>\n");
	for (size_t i = 0; i < state->nr; i++) {
		const struct difference *d = &state->differences[i];

		if (report_is_shown(d, r->all))
			put_row(o, d->outcome, d->path, d->text);
	}
	if (state->more)
		out_printf(o, "<tr><td><td><td>and %zu more\n", state->more);
	out_text(o, "</table></details>\n");
}

static void put_states(struct out *o, const struct report *r, const struct comparison *c)
{
	size_t shown = 0;

	for (size_t i = 0; i < c->nr; i++) {
		if (!report_state_is_shown(&c->states[i], r->all))
			continue;
		if (!shown)
			out_text(o, "<h3>By state</h3>\n");
		/* A few are read at once */
		put_state(o, r, &c->states[i], shown++ < 5);
	}
}

static void put_findings(struct out *o, const struct findings *findings)
{
	enum outcome outcome;
	bool allowed;
	char *line;

	out_text(o, "<table>\n");
	for (size_t i = 0; (line = findings_line(findings, i, &outcome, &allowed)); i++) {
		put_row(o, outcome, line, "");
		free(line);
	}
	out_text(o, "</table>\n");
}

static void put_checked(struct out *o, const struct report *r, const struct checked *checked)
{
	out_printf(o, "<h2 id=\"c%d-%d\">%s: ", checked->from, checked->to,
		   report_direction(checked));
	put(o, r->kernels[checked->from].name);
	out_text(o, " writes, ");
	put(o, r->kernels[checked->to].name);
	out_printf(o, " reads</h2>\n<p>%zu %s%s: ", checked->nr,
		   checked->stream ? "object" : "state", checked->nr == 1 ? "" : "s");
	put_counts(o, checked->c.counts);
	out_text(o, "</p>\n");
	if (checked->stream)
		put_findings(o, &checked->findings);
	else
		put_groups(o, r, &checked->c);
	put_states(o, r, &checked->c);
}

static void put_verdicts(struct out *o)
{
	out_text(o, "<h2>What the verdicts mean</h2>\n<table>\n");
	for (int i = OUTCOMES - 1; i >= 0; i--) {
		out_text(o, "<tr><td>");
		put_outcome(o, i);
		out_printf(o, "<td>%s\n", outcome_meanings[i]);
	}
	out_text(o, "</table>\n</html>\n");
}

void report_html(const struct report *r, FILE *file)
{
	struct out page = { .file = file }, *o = &page;

	out_text(o, head);
	out_text(o, "<p>The worst verdict: ");
	put_outcome(o, r->worst);
	out_text(o, "</p>\n");
	put_kernels(o, r);
	if (r->nr_kernels > 2)
		put_matrix(o, r);
	for (int i = 0; i < r->nr; i++)
		put_checked(o, r, &r->list[i]);
	put_verdicts(o);
	out_free(o);
}
