// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kstate check has found, as a page for people: no scripts, nothing from elsewhere.
 */
#include <stdlib.h>
#include <linux/array_size.h>
#include "report.h"

/* The page; it is written by one call at a time */
static FILE *out;

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

static void put_line(const char *html)
{
	fprintf(out, "%s\n", html);
}

/* Text in HTML: names may come from a hostile file */
static void put(const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text < ' ' && *text > 0 ? '?' : *text, out);
		}
	}
}

static void put_outcome(enum outcome outcome)
{
	fprintf(out, "<span class=\"v %s\">%s</span>", outcome_names[outcome], outcome_names[outcome]);
}

static void put_counts(const size_t *counts)
{
	const char *between = "";

	for (int i = OUTCOMES - 1; i >= 0; i--) {
		if (!counts[i])
			continue;
		fprintf(out, "%s%zu ", between, counts[i]);
		put_outcome(i);
		between = ", ";
	}
}

static void put_row(enum outcome outcome, const char *path, const char *text)
{
	fputs("<tr><td>", out);
	put_outcome(outcome);
	fputs("<td><code>", out);
	put(path);
	fputs("</code><td>", out);
	put(text);
	fputc('\n', out);
}

static void put_kernels(const struct report *r)
{
	char buf[32];

	put_line("<table><tr><th>kernel<th>release<th>architecture<th>states");
	for (int i = 0; i < r->nr_kernels; i++) {
		const struct kernel *kernel = &r->kernels[i];

		fputs("<tr><td>", out);
		put(kernel->name);
		fputs("<td>", out);
		put(kernel->source.set->writer);
		fprintf(out, "<td>%s<td>%zu\n", source_arch(kernel->source.set->arch, buf, sizeof(buf)),
		       kernel->side.nr);
	}
	put_line("</table>");
}

static void put_matrix(const struct report *r)
{
	put_line("<h2>Who takes what of whom</h2>\n<table><tr><th>writes \\ reads");
	for (int to = 0; to < r->nr_kernels; to++) {
		fputs("<th>", out);
		put(r->kernels[to].name);
	}
	for (int from = 0; from < r->nr_kernels; from++) {
		fputs("\n<tr><th>", out);
		put(r->kernels[from].name);
		for (int to = 0; to < r->nr_kernels; to++) {
			const struct checked *checked = report_find(r, from, to);

			if (checked)
				fprintf(out, "<td><a href=\"#c%d-%d\">", from, to);
			else
				fputs("<td>-", out);
			if (checked)
				put_outcome(checked->c.worst);
			fputs(checked ? "</a>" : "", out);
		}
	}
	put_line("</table>");
}

static void put_groups(const struct report *r, const struct comparison *c)
{
	size_t nr;
	struct group *groups = report_groups(c, r->all, &nr);

	if (groups && nr)
		put_line("<h3>By kind of difference</h3>\n<table><tr><th>verdict<th>times<th>what");
	for (size_t i = 0; groups && i < nr; i++) {
		const struct group *g = &groups[i];

		fputs("<tr><td>", out);
		put_outcome(g->outcome);
		fprintf(out, "<td>%zu<td>", g->nr);
		put(g->text);
		fputs("<br><code>", out);
		for (size_t j = 0; j < min(g->nr, ARRAY_SIZE(g->paths)); j++) {
			fputs(j ? ", " : "", out);
			put(g->paths[j]);
		}
		put_line(g->nr > ARRAY_SIZE(g->paths) ? ", ...</code>" : "</code>");
	}
	if (groups && nr)
		put_line("</table>");
	free(groups);
}

static void put_state(const struct report *r, const struct compared *state, bool open)
{
	fprintf(out, "<details%s><summary>", open ? " open" : "");
	put_outcome(state->worst);
	fputs(" <code>", out);
	put(state->writer->schema->name);
	fputs("</code> ", out);
	put(state->writer->type);
	if (state->writer->image[0])
		fputs(", in ", out);
	put(state->writer->image);
	put_line("</summary>\n<table>");
	for (size_t i = 0; i < state->nr; i++) {
		const struct difference *d = &state->differences[i];

		if (report_is_shown(r, d->outcome))
			put_row(d->outcome, d->path, d->text);
	}
	if (state->more)
		fprintf(out, "<tr><td><td><td>and %zu more\n", state->more);
	put_line("</table></details>");
}

static void put_states(const struct report *r, const struct comparison *c)
{
	size_t shown = 0;

	for (size_t i = 0; i < c->nr; i++) {
		if (!report_is_shown(r, c->states[i].worst))
			continue;
		if (!shown)
			put_line("<h3>By state</h3>");
		/* A few are read at once */
		put_state(r, &c->states[i], shown++ < 5);
	}
}

static void put_findings(const struct findings *findings)
{
	enum outcome outcome;
	bool allowed;
	char *line;

	put_line("<table>");
	for (size_t i = 0; (line = findings_line(findings, i, &outcome, &allowed)); i++) {
		put_row(outcome, line, "");
		free(line);
	}
	put_line("</table>");
}

static void put_checked(const struct report *r, const struct checked *checked)
{
	fprintf(out, "<h2 id=\"c%d-%d\">%s: ", checked->from, checked->to, report_direction(checked));
	put(r->kernels[checked->from].name);
	fputs(" writes, ", out);
	put(r->kernels[checked->to].name);
	fprintf(out, " reads</h2>\n<p>%zu %s%s: ", checked->nr, checked->stream ? "object" : "state",
	       checked->nr == 1 ? "" : "s");
	put_counts(checked->c.counts);
	put_line("</p>");
	if (checked->stream)
		put_findings(&checked->findings);
	else
		put_groups(r, &checked->c);
	put_states(r, &checked->c);
}

static void put_verdicts(void)
{
	put_line("<h2>What the verdicts mean</h2>\n<table>");
	for (int o = OUTCOMES - 1; o >= 0; o--) {
		fputs("<tr><td>", out);
		put_outcome(o);
		fprintf(out, "<td>%s\n", outcome_meanings[o]);
	}
	put_line("</table>\n</html>");
}

void report_html(const struct report *r, FILE *file)
{
	out = file;
	fputs(head, out);
	fputs("<p>The worst verdict: ", out);
	put_outcome(r->worst);
	put_line("</p>");
	put_kernels(r);
	if (r->nr_kernels > 2)
		put_matrix(r);
	for (int i = 0; i < r->nr; i++)
		put_checked(r, &r->list[i]);
	put_verdicts();
}
