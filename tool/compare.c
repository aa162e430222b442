// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a kernel would do with the state of another: each description of the one
 * against that of the same name in the other, by the kernel's own resolver.
 */
#include <stdlib.h>
#include <string.h>
#include "compare.h"

/* A hostile catalogue has differences without end; nobody reads more than these */
#define MAX_DIFFERENCES	4096

const char *const outcome_names[OUTCOMES] = {
	[EXACT] = "exact", [CONVERTED] = "converted", [DEFAULTED] = "defaulted",
	[ASIDE] = "aside", [LOSSY] = "lossy", [SOME] = "value", [BLOCKED] = "blocked",
};

const char *const outcome_meanings[OUTCOMES] = {
	[EXACT] = "taken as it is, perhaps under another name",
	[CONVERTED] = "taken in another form, such as a wider integer",
	[DEFAULTED] = "one side gets, or drops, a default",
	[ASIDE] = "optional and not known there: kept, and handed on at the next jump",
	[LOSSY] = "dropped, as its author allows",
	[SOME] = "some values are refused: a stream or --live tells whether there are any",
	[BLOCKED] = "refused, whatever the values are",
};

enum colour outcome_colour(enum outcome outcome)
{
	return outcome == BLOCKED ? RED : outcome >= ASIDE ? YELLOW : GREEN;
}

enum status outcome_status(enum outcome outcome)
{
	switch (outcome) {
	case BLOCKED:
		return STATUS_BLOCKED;
	case SOME:
		return STATUS_VALUE;
	case LOSSY:
	case ASIDE:
		return STATUS_LOSSY;
	default:
		return STATUS_OK;
	}
}

static enum status no_memory(struct trouble *t)
{
	return trouble(t, STATUS_SYSTEM, "no memory");
}

char *printable(const char *name)
{
	char *copy = strdup(name);

	for (char *p = copy; p && *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return copy;
}

json_t *json_printable(const char *name)
{
	char *copy = printable(name);
	json_t *value = json_string(copy);

	free(copy);
	return value;
}

/* Where the resolver's reports go */
struct report {
	struct compared *c;
	enum voice voice;
	bool no_memory;
};

enum outcome outcome_of(enum kstate_verdict verdict, enum kstate_depends depends)
{
	static const enum outcome outcomes[] = {
		[KSTATE_EXACT] = EXACT, [KSTATE_CONVERTED] = CONVERTED,
		[KSTATE_DEFAULTED] = DEFAULTED, [KSTATE_LOSSY] = LOSSY,
		[KSTATE_REFUSED] = BLOCKED,
	};

	if (verdict != KSTATE_REFUSED &&
	    (depends == KSTATE_DEPENDS_VALUE || depends == KSTATE_DEPENDS_OBJECT))
		return SOME;
	return outcomes[verdict];
}

static void add_difference(struct report *r, enum outcome outcome, u32 change,
			   const struct kstate_difference *diff)
{
	struct compared *c = r->c;
	struct difference *d;

	c->worst = max(c->worst, outcome);
	if (c->nr == MAX_DIFFERENCES) {
		c->more++;
		return;
	}
	/* The room doubles each time that a power of two is full */
	if (!(c->nr & (c->nr - 1))) {
		d = reallocarray(c->differences, c->nr ? 2 * c->nr : 1, sizeof(*d));
		if (!d) {
			r->no_memory = true;
			return;
		}
		c->differences = d;
	}
	d = &c->differences[c->nr++];
	*d = (struct difference){
		.outcome = outcome, .depends = diff->depends, .change = change,
		.verdict = outcome == ASIDE ? ASIDE : outcome_of(diff->verdict, KSTATE_DEPENDS_NOT),
		.path = printable(diff->path), .text = explain(VOICE_CHECK, change, diff),
	};
	if (r->voice != VOICE_CHECK)
		d->sentence = explain(r->voice, change, diff);
	r->no_memory |= !d->path || !d->text || (r->voice != VOICE_CHECK && !d->sentence);
}

static void note(const struct kstate_difference *diff, void *arg)
{
	add_difference(arg, outcome_of(diff->verdict, diff->depends), change_of(diff), diff);
}

static void compare_pair(const struct state_info *w, const struct state_info *r, struct report *to)
{
	struct kstate_error err = {};
	struct kstate_where where = { .state = w->schema->name, .err = &err };
	struct kstate_resolution res;

	to->c->writer = w;
	to->c->reader = r;
	if ((w->flags ^ r->flags) & KSTATE_STATE_STRING_KEY) {
		struct kstate_difference diff = {
			.verdict = KSTATE_REFUSED, .path = w->schema->name,
		};

		add_difference(to, BLOCKED, r->flags & KSTATE_STATE_STRING_KEY ?
			       CHANGE_STRING_KEYS : CHANGE_NUMBER_KEYS, &diff);
	}
	if (kstate_resolve(w->schema, r->schema, &res, &where, note, to) == -ENOMEM)
		to->no_memory = true;
	else
		kstate_resolution_free(&res);
}

static void not_known(const struct state_info *w, struct report *to)
{
	bool optional = w->schema->flags & KSTATE_SCHEMA_OPTIONAL;
	struct kstate_difference diff = {
		.verdict = optional ? KSTATE_LOSSY : KSTATE_REFUSED, .path = w->schema->name,
	};

	to->c->writer = w;
	add_difference(to, optional ? ASIDE : BLOCKED, optional ? CHANGE_ASIDE : CHANGE_NO_STATE,
		       &diff);
}

void compared_free(struct compared *c)
{
	for (size_t i = 0; i < c->nr; i++) {
		free(c->differences[i].path);
		free(c->differences[i].text);
		free(c->differences[i].sentence);
	}
	free(c->differences);
	*c = (struct compared){};
}

enum status compare_state(const struct state_info *writer, const struct state_info *readers,
			  size_t nr, enum voice voice, struct compared *c, struct trouble *t)
{
	struct report report = { .c = c, .voice = voice };

	*c = (struct compared){};
	if (!nr)
		not_known(writer, &report);
	for (size_t i = 0; i < nr && !report.no_memory; i++) {
		struct compared other = {};

		report.c = &other;
		compare_pair(writer, &readers[i], &report);
		if (c->reader && c->worst <= other.worst) {
			compared_free(&other);
		} else {
			compared_free(c);
			*c = other;
		}
	}
	return report.no_memory ? no_memory(t) : STATUS_OK;
}

static int worst_first(const void *a, const void *b)
{
	const struct compared *x = a, *y = b;

	return (int)y->worst - (int)x->worst ?:
	       strcmp(x->writer->schema->name, y->writer->schema->name) ?:
	       strcmp(x->writer->image, y->writer->image);
}

enum status compare(const struct side *from, const struct side *to, struct comparison *c,
		    struct trouble *t)
{
	enum status status = STATUS_OK;

	*c = (struct comparison){};
	c->states = calloc(from->nr ?: 1, sizeof(*c->states));
	if (!c->states)
		return no_memory(t);
	for (; c->nr < from->nr && !status; c->nr++) {
		const struct state_info *w = &from->states[c->nr], *readers;
		struct compared *state = &c->states[c->nr];
		size_t nr;

		readers = side_find(to, w->schema->name, &nr);
		status = compare_state(w, readers, nr, VOICE_CHECK, state, t);
		c->counts[state->worst]++;
		c->worst = max(c->worst, state->worst);
	}
	if (!status)
		qsort(c->states, c->nr, sizeof(*c->states), worst_first);
	return status;
}

void comparison_free(struct comparison *c)
{
	for (size_t i = 0; i < c->nr; i++)
		compared_free(&c->states[i]);
	free(c->states);
	*c = (struct comparison){};
}
