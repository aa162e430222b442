// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kstate check has found: in groups, as text, and as annotations.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/array_size.h>
#include "report.h"

/* Groups */

/* A difference and whose it is */
struct row {
	const struct difference *d;
	const struct compared *state;
};

static int by_what_is_said(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	/* In the order of the states within a group: they lie in one array */
	return (int)y->d->outcome - (int)x->d->outcome ?: strcmp(x->d->text, y->d->text) ?:
	       (x->state > y->state) - (x->state < y->state) ?: (x->d > y->d) - (x->d < y->d);
}

static int by_weight(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return (int)y->outcome - (int)x->outcome ?: (y->nr > x->nr) - (y->nr < x->nr) ?:
	       strcmp(x->text, y->text);
}

static size_t count_rows(const struct comparison *c, bool all)
{
	size_t nr = 0;

	for (size_t i = 0; i < c->nr; i++)
		for (size_t j = 0; j < c->states[i].nr; j++)
			nr += report_is_shown(&c->states[i].differences[j], all);
	return nr;
}

static void list_rows(const struct comparison *c, bool all, struct row *rows)
{
	for (size_t i = 0; i < c->nr; i++)
		for (size_t j = 0; j < c->states[i].nr; j++)
			if (report_is_shown(&c->states[i].differences[j], all))
				*rows++ = (struct row){ &c->states[i].differences[j],
							&c->states[i] };
}

struct group *report_groups(const struct comparison *c, bool all, size_t *nr)
{
	size_t nr_rows = count_rows(c, all);
	struct row *rows = calloc(nr_rows ?: 1, sizeof(*rows));
	struct group *groups = calloc(nr_rows ?: 1, sizeof(*groups)), *g = groups - 1;

	*nr = 0;
	if (!rows || !groups) {
		free(rows);
		free(groups);
		return NULL;
	}
	list_rows(c, all, rows);
	qsort(rows, nr_rows, sizeof(*rows), by_what_is_said);
	for (size_t i = 0; i < nr_rows; i++) {
		const struct row *row = &rows[i];

		if (!i || row->d->outcome != g->outcome || strcmp(row->d->text, g->text)) {
			g = &groups[(*nr)++];
			g->outcome = row->d->outcome;
			g->text = row->d->text;
		}
		g->nr_states += !g->nr || row->state != row[-1].state;
		if (g->nr < ARRAY_SIZE(g->paths))
			g->paths[g->nr] = row->d->path;
		g->nr++;
	}
	free(rows);
	qsort(groups, *nr, sizeof(*groups), by_weight);
	return groups;
}

const struct checked *report_find(const struct report *r, int from, int to)
{
	for (int i = 0; i < r->nr; i++)
		if (r->list[i].from == from && r->list[i].to == to)
			return &r->list[i];
	return NULL;
}

/* Text */

static void print_row(enum outcome outcome, const char *path, int path_width, const char *text)
{
	/* An empty text must not leave spaces at the end of the line */
	printf("  %s%-9s%s  %-*s%s%s\n", colour(outcome_colour(outcome)), outcome_names[outcome],
	       colour(PLAIN), text[0] ? path_width : 0, path, text[0] ? "  " : "", text);
}

static void print_states(const struct report *r, const struct comparison *c)
{
	int w = 0;

	for (size_t i = 0; i < c->nr; i++)
		for (size_t j = 0; j < c->states[i].nr; j++)
			if (report_is_shown(&c->states[i].differences[j], r->all))
				w = text_width(w, c->states[i].differences[j].path);
	for (size_t i = 0; i < c->nr; i++) {
		const struct compared *state = &c->states[i];
		char *name = printable(state->writer->schema->name);

		for (size_t j = 0; j < state->nr; j++) {
			const struct difference *d = &state->differences[j];

			if (report_is_shown(d, r->all))
				print_row(d->outcome, d->path, w, d->text);
		}
		if (state->more)
			printf("  and %zu more in %s\n", state->more, name);
		if (r->all && !state->nr)
			print_row(EXACT, name, w, "");
		free(name);
	}
}

static void print_group(const struct group *g)
{
	if (g->nr == 1) {
		print_row(g->outcome, g->paths[0], 0, g->text);
		return;
	}
	printf("  %s%-9s%s  %zu times in %zu state%s: %s\n             ",
	       colour(outcome_colour(g->outcome)), outcome_names[g->outcome], colour(PLAIN), g->nr,
	       g->nr_states, g->nr_states == 1 ? "" : "s", g->text);
	for (size_t i = 0; i < min(g->nr, ARRAY_SIZE(g->paths)); i++)
		printf("%s%s", i ? ", " : "", g->paths[i]);
	puts(g->nr > ARRAY_SIZE(g->paths) ? ", ..." : "");
}

/* The worst states, each with how much there is of what */
#define STATES_SHOWN	10

static void print_worst_states(const struct comparison *c)
{
	size_t shown = min(c->nr, STATES_SHOWN), counts[OUTCOMES];

	while (shown && c->states[shown - 1].worst == EXACT)
		shown--;
	puts("  the worst states:");
	for (size_t i = 0; i < shown; i++) {
		const struct compared *state = &c->states[i];
		char *name = printable(state->writer->schema->name);

		memset(counts, 0, sizeof(counts));
		for (size_t j = 0; j < state->nr; j++)
			counts[state->differences[j].outcome]++;
		printf("    %s:", name);
		for (int o = OUTCOMES - 1; o > EXACT; o--)
			if (counts[o])
				printf(" %zu %s", counts[o], outcome_names[o]);
		putchar('\n');
		free(name);
	}
}

static void print_groups(const struct report *r, const struct comparison *c)
{
	size_t nr;
	struct group *groups = report_groups(c, r->all, &nr);

	for (size_t i = 0; groups && i < nr; i++)
		print_group(&groups[i]);
	free(groups);
	print_worst_states(c);
	puts("  --each shows each difference");
}

static void print_summary(const struct checked *checked)
{
	const struct comparison *c = &checked->c;

	printf("  %zu %s%s", checked->nr, checked->stream ? "object" : "state",
	       checked->nr == 1 ? "" : "s");
	for (int i = OUTCOMES - 1; i >= 0; i--)
		if (c->counts[i])
			printf(", %s%zu %s%s", colour(outcome_colour(i)), c->counts[i],
			       outcome_names[i], colour(PLAIN));
	putchar('\n');
}

static void print_checked(const struct report *r, const struct checked *checked)
{
	const struct kernel *from = &r->kernels[checked->from], *to = &r->kernels[checked->to];
	char *writer = printable(from->source.set->writer);
	char *reader = printable(to->source.set->writer);

	printf("%s%s: what %s (%s) writes, %s (%s) reads%s\n", colour(BOLD),
	       report_direction(checked), from->name, writer, to->name, reader, colour(PLAIN));
	free(writer);
	free(reader);
	if (checked->stream)
		findings_print(&checked->findings);
	else if (r->each || count_rows(&checked->c, r->all) <= ROWS_SHOWN)
		print_states(r, &checked->c);
	else
		print_groups(r, &checked->c);
	print_summary(checked);
}

static void print_matrix(const struct report *r)
{
	int w = strlen("writes \\ reads");

	for (int i = 0; i < r->nr_kernels; i++)
		w = text_width(w, r->kernels[i].name);
	printf("%s%-*s", colour(BOLD), w, "writes \\ reads");
	for (int to = 0; to < r->nr_kernels; to++)
		printf("  %-*s", text_width(9, r->kernels[to].name), r->kernels[to].name);
	printf("%s\n", colour(PLAIN));
	for (int from = 0; from < r->nr_kernels; from++) {
		printf("%-*s", w, r->kernels[from].name);
		for (int to = 0; to < r->nr_kernels; to++) {
			const struct checked *checked = report_find(r, from, to);
			enum outcome o = checked ? checked->c.worst : EXACT;

			printf("  %s%-*s%s", checked ? colour(outcome_colour(o)) : "",
			       text_width(9, r->kernels[to].name), checked ? outcome_names[o] : "-",
			       checked ? colour(PLAIN) : "");
		}
		putchar('\n');
	}
}

void report_text(const struct report *r)
{
	if (r->nr_kernels > 2) {
		print_matrix(r);
		return;
	}
	for (int i = 0; i < r->nr; i++)
		print_checked(r, &r->list[i]);
}

/* Annotations: what is worth one, and how grave it is */

static void annotate(const struct report *r, const struct checked *checked, enum outcome outcome,
		     const char *text)
{
	char title[256];

	if (outcome < ASIDE)
		return;
	snprintf(title, sizeof(title), "%s, %s from %s to %s", outcome_names[outcome],
		 report_direction(checked), r->kernels[checked->from].name,
		 r->kernels[checked->to].name);
	print_annotation(outcome == BLOCKED ? "error" : outcome == ASIDE ? "notice" : "warning",
			 NULL, 0, title, text);
}

static void annotate_states(const struct report *r, const struct checked *checked)
{
	char text[1024];
	size_t nr;
	struct group *groups = report_groups(&checked->c, false, &nr);

	for (size_t i = 0; groups && i < nr; i++) {
		snprintf(text, sizeof(text), "%s: %s", groups[i].paths[0], groups[i].text);
		if (groups[i].nr > 1)
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
				 "; and the same %zu times more, in %zu state%s in all",
				 groups[i].nr - 1, groups[i].nr_states,
				 groups[i].nr_states == 1 ? "" : "s");
		annotate(r, checked, groups[i].outcome, text);
	}
	free(groups);
}

void report_github(const struct report *r)
{
	for (int i = 0; i < r->nr; i++) {
		const struct checked *checked = &r->list[i];
		enum outcome outcome;
		bool allowed;
		char *line;

		if (!checked->stream)
			annotate_states(r, checked);
		for (size_t j = 0;
		     (line = findings_line(&checked->findings, j, &outcome, &allowed)); j++) {
			annotate(r, checked, outcome, line);
			free(line);
		}
	}
}
