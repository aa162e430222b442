// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kstate check has found, as a page for people: no scripts, nothing from elsewhere.
 */
#include <stdlib.h>
#include <linux/array_size.h>
#include "report.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n<title>kstate check</title>\n"
	"<style>\n"
	":root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif }\n"
	"body { max-width: 70em; margin: 0 auto; padding: 1em; overflow-wrap: anywhere }\n"
	"table { border-collapse: collapse; width: 100% }\n"
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
static void put(const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", stdout);
			break;
		case '>':
			fputs("&gt;", stdout);
			break;
		case '&':
			fputs("&amp;", stdout);
			break;
		case '"':
			fputs("&quot;", stdout);
			break;
		default:
			putchar(*text < ' ' && *text > 0 ? '?' : *text);
		}
	}
}

static void put_outcome(enum outcome outcome)
{
	printf("<span class=\"v %s\">%s</span>", outcome_names[outcome], outcome_names[outcome]);
}

static void put_counts(const size_t *counts)
{
	const char *between = "";

	for (int i = OUTCOMES - 1; i >= 0; i--) {
		if (!counts[i])
			continue;
		printf("%s%zu ", between, counts[i]);
		put_outcome(i);
		between = ", ";
	}
}

static void put_row(enum outcome outcome, const char *path, const char *text)
{
	fputs("<tr><td>", stdout);
	put_outcome(outcome);
	fputs("<td><code>", stdout);
	put(path);
	fputs("</code><td>", stdout);
	put(text);
	putchar('\n');
}

static void put_kernels(const struct report *r)
{
	char buf[32];

	puts("<table><tr><th>kernel<th>release<th>architecture<th>states");
	for (int i = 0; i < r->nr_kernels; i++) {
		const struct kernel *kernel = &r->kernels[i];

		fputs("<tr><td>", stdout);
		put(kernel->name);
		fputs("<td>", stdout);
		put(kernel->source.set->writer);
		printf("<td>%s<td>%zu\n", source_arch(kernel->source.set->arch, buf, sizeof(buf)),
		       kernel->side.nr);
	}
	puts("</table>");
}

static void put_matrix(const struct report *r)
{
	puts("<h2>Who takes what of whom</h2>\n<table><tr><th>writes \\ reads");
	for (int to = 0; to < r->nr_kernels; to++) {
		fputs("<th>", stdout);
		put(r->kernels[to].name);
	}
	for (int from = 0; from < r->nr_kernels; from++) {
		fputs("\n<tr><th>", stdout);
		put(r->kernels[from].name);
		for (int to = 0; to < r->nr_kernels; to++) {
			const struct checked *checked = report_find(r, from, to);

			if (checked)
				printf("<td><a href=\"#c%d-%d\">", from, to);
			else
				fputs("<td>-", stdout);
			if (checked)
				put_outcome(checked->c.worst);
			fputs(checked ? "</a>" : "", stdout);
		}
	}
	puts("</table>");
}

static void put_groups(const struct report *r, const struct comparison *c)
{
	size_t nr;
	struct group *groups = report_groups(c, r->all, &nr);

	if (groups && nr)
		puts("<h3>By kind of difference</h3>\n<table><tr><th>verdict<th>times<th>what");
	for (size_t i = 0; groups && i < nr; i++) {
		const struct group *g = &groups[i];

		fputs("<tr><td>", stdout);
		put_outcome(g->outcome);
		printf("<td>%zu<td>", g->nr);
		put(g->text);
		fputs("<br><code>", stdout);
		for (size_t j = 0; j < min(g->nr, ARRAY_SIZE(g->paths)); j++) {
			fputs(j ? ", " : "", stdout);
			put(g->paths[j]);
		}
		puts(g->nr > ARRAY_SIZE(g->paths) ? ", ...</code>" : "</code>");
	}
	if (groups && nr)
		puts("</table>");
	free(groups);
}

static void put_state(const struct report *r, const struct compared *state, bool open)
{
	printf("<details%s><summary>", open ? " open" : "");
	put_outcome(state->worst);
	fputs(" <code>", stdout);
	put(state->writer->schema->name);
	fputs("</code> ", stdout);
	put(state->writer->type);
	if (state->writer->image[0])
		fputs(", in ", stdout);
	put(state->writer->image);
	puts("</summary>\n<table>");
	for (size_t i = 0; i < state->nr; i++) {
		const struct difference *d = &state->differences[i];

		if (report_is_shown(r, d->outcome))
			put_row(d->outcome, d->path, d->text);
	}
	if (state->more)
		printf("<tr><td><td><td>and %zu more\n", state->more);
	puts("</table></details>");
}

static void put_states(const struct report *r, const struct comparison *c)
{
	size_t shown = 0;

	for (size_t i = 0; i < c->nr; i++) {
		if (!report_is_shown(r, c->states[i].worst))
			continue;
		if (!shown)
			puts("<h3>By state</h3>");
		/* A few are read at once */
		put_state(r, &c->states[i], shown++ < 5);
	}
}

static void put_findings(const struct findings *findings)
{
	enum outcome outcome;
	bool allowed;
	char *line;

	puts("<table>");
	for (size_t i = 0; (line = findings_line(findings, i, &outcome, &allowed)); i++) {
		put_row(outcome, line, "");
		free(line);
	}
	puts("</table>");
}

static void put_checked(const struct report *r, const struct checked *checked)
{
	printf("<h2 id=\"c%d-%d\">%s: ", checked->from, checked->to, report_direction(checked));
	put(r->kernels[checked->from].name);
	fputs(" writes, ", stdout);
	put(r->kernels[checked->to].name);
	printf(" reads</h2>\n<p>%zu %s%s: ", checked->nr, checked->stream ? "object" : "state",
	       checked->nr == 1 ? "" : "s");
	put_counts(checked->c.counts);
	puts("</p>");
	if (checked->stream)
		put_findings(&checked->findings);
	else
		put_groups(r, &checked->c);
	put_states(r, &checked->c);
}

static void put_verdicts(void)
{
	puts("<h2>What the verdicts mean</h2>\n<table>");
	for (int o = OUTCOMES - 1; o >= 0; o--) {
		fputs("<tr><td>", stdout);
		put_outcome(o);
		printf("<td>%s\n", outcome_meanings[o]);
	}
	puts("</table>\n</html>");
}

enum status report_html(const struct report *r, struct trouble *t)
{
	fputs(head, stdout);
	fputs("<p>The worst verdict: ", stdout);
	put_outcome(r->worst);
	puts("</p>");
	put_kernels(r);
	if (r->nr_kernels > 2)
		put_matrix(r);
	for (int i = 0; i < r->nr; i++)
		put_checked(r, &r->list[i]);
	put_verdicts();
	return STATUS_OK;
}
