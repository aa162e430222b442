/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kstate check has found, and how it is told: as text, as JSON, as annotations, as a
 * page.
 */
#ifndef _REPORT_H
#define _REPORT_H

#include "findings.h"
#include "gate.h"

/**
 * struct kernel - one of the arguments
 * @name: the argument
 * @source: what it names
 * @side: its states
 */
struct kernel {
	const char *name;
	struct source source;
	struct side side;
};

/**
 * struct checked - what one kernel makes of what another one writes
 * @from: number of the kernel that writes
 * @to: number of the kernel that reads
 * @nr: how many states there are, or objects in a stream
 * @c: the states; of a stream, its counts are of objects and there are no states
 * @stream: what is written is known, so that there are findings about objects
 * @findings: about objects
 * @objects: the same as JSON, all of them
 */
struct checked {
	int from;
	int to;
	size_t nr;
	struct comparison c;
	bool stream;
	struct findings findings;
	json_t *objects;
};

/**
 * struct report - all that has been found
 * @kernels: the arguments
 * @nr_kernels: how many
 * @list: who reads what of whom: first the rows of the matrix
 * @nr: how many
 * @worst: of all
 * @all: tell what is exact, too
 * @each: tell each difference, however many there are
 */
struct report {
	const struct kernel *kernels;
	int nr_kernels;
	struct checked *list;
	int nr;
	enum outcome worst;
	bool all;
	bool each;
};

/* Differences that are told one by one, unless all are wanted: more are told in groups */
#define ROWS_SHOWN	40

/**
 * struct group - differences of which the same is said
 * @outcome: what becomes of them
 * @text: what is said
 * @nr: how many
 * @nr_states: in how many states
 * @paths: the first of them
 */
struct group {
	enum outcome outcome;
	const char *text;
	size_t nr;
	size_t nr_states;
	const char *paths[4];
};

/**
 * report_groups() - put differences together of which the same is said
 * @c: the comparison that they belong to, and that must stay as long as the groups
 * @all: also of what changes nothing
 * @nr: set to how many groups there are
 *
 * Return: the groups, the worst and then the largest first, for free(); NULL without memory.
 */
struct group *report_groups(const struct comparison *c, bool all, size_t *nr);

/**
 * report_is_shown() - whether a difference is told
 * @d: the difference
 * @all: also if it changes nothing
 *
 * Another default does: what is there goes as it is, but what is left out is another value.
 */
static inline bool report_is_shown(const struct difference *d, bool all)
{
	return all || d->outcome != EXACT || d->change == KSTATE_CHANGE_DEFAULT ||
	       d->change == KSTATE_CHANGE_FIRST_ARM;
}

/**
 * report_state_is_shown() - whether a state is told
 * @state: the state
 * @all: also if nothing of it is
 */
static inline bool report_state_is_shown(const struct compared *state, bool all)
{
	bool shown = all || state->worst != EXACT;

	for (size_t i = 0; i < state->nr && !shown; i++)
		shown = report_is_shown(&state->differences[i], all);
	return shown;
}

/**
 * report_find() - what one kernel makes of what another one writes
 * @r: the report
 * @from: number of the kernel that writes
 * @to: number of the kernel that reads
 *
 * Return: NULL if that was not asked for.
 */
const struct checked *report_find(const struct report *r, int from, int to);

/**
 * report_direction() - forward or back
 * @checked: who reads what of whom
 */
static inline const char *report_direction(const struct checked *checked)
{
	return checked->from < checked->to ? "forward" : "back";
}

void report_text(const struct report *r);
void report_github(const struct report *r);
enum status report_json(const struct report *r, struct trouble *t);
void report_html(const struct report *r, FILE *file);

/* The JSON of an object and its errors, for findings_add(), too */
json_t *report_object(const struct kstate_finding *finding, enum outcome outcome);

#endif /* _REPORT_H */
