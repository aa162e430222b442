/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kernel would do with the state of another, as far as their descriptions tell.
 */
#ifndef _COMPARE_H
#define _COMPARE_H

#include <string.h>
#include <linux/minmax.h>
#include "explain.h"
#include "source.h"

/**
 * enum outcome - what becomes of a difference, of a state, of all of them
 * @EXACT: taken as it is
 * @CONVERTED: taken in another form
 * @DEFAULTED: the reader uses or drops a default
 * @ASIDE: an optional state that the reader does not know: kept, and handed on
 * @LOSSY: dropped, as the writer allowed
 * @SOME: refused for some values, or if the reader's object does not hold the same
 * @BLOCKED: refused whatever the value
 * @OUTCOMES: how many there are
 */
enum outcome { EXACT, CONVERTED, DEFAULTED, ASIDE, LOSSY, SOME, BLOCKED, OUTCOMES };

extern const char *const outcome_names[OUTCOMES], *const outcome_meanings[OUTCOMES];

/**
 * outcome_of() - what becomes of a difference
 * @verdict: what restoring does with it
 * @depends: what else decides
 */
enum outcome outcome_of(enum kstate_verdict verdict, enum kstate_depends depends);

/**
 * outcome_colour() - how to show an outcome
 * @outcome: the outcome
 */
enum colour outcome_colour(enum outcome outcome);

/**
 * outcome_status() - exit status for an outcome
 * @outcome: the worst one
 */
enum status outcome_status(enum outcome outcome);

/**
 * printable() - a name as it can go to a terminal and into JSON
 * @name: from a catalogue, which may be hostile
 *
 * Return: a copy for free(), with a question mark for every other byte than those of
 * ASCII that can be seen; NULL without memory.
 */
char *printable(const char *name);

/* How wide a column has to be that is as wide as @have and takes @text, too */
static inline int text_width(int have, const char *text)
{
	int len = strlen(text);

	return max(have, len);
}

/** json_printable() - printable() as a JSON string */
json_t *json_printable(const char *name);

/**
 * struct difference - one place in which two schemas differ
 * @outcome: what becomes of it
 * @verdict: what becomes of it where that depends on something, and is well
 * @depends: &enum kstate_depends
 * @change: see change_of()
 * @path: where, beginning with the name of the state
 * @text: a sentence about it
 * @sentence: what kstate lock says of it, or NULL
 */
struct difference {
	enum outcome outcome;
	enum outcome verdict;
	enum kstate_depends depends;
	u32 change;
	char *path;
	char *text;
	char *sentence;
};

/**
 * struct compared - what becomes of one state
 * @writer: the description in the kernel that writes
 * @reader: that in the kernel that reads, or NULL
 * @worst: of the differences
 * @differences: in the order of the fields
 * @nr: how many
 * @more: differences that are not among them, because they are too many
 */
struct compared {
	const struct state_info *writer;
	const struct state_info *reader;
	enum outcome worst;
	struct difference *differences;
	size_t nr;
	size_t more;
};

/**
 * struct comparison - what becomes of all states of a kernel
 * @states: the states, the worst first
 * @nr: how many
 * @counts: how many there are by outcome
 * @worst: of the states
 */
struct comparison {
	struct compared *states;
	size_t nr;
	size_t counts[OUTCOMES];
	enum outcome worst;
};

/**
 * compare_state() - what a kernel would do with the records of one state
 * @writer: the description of who wrote them
 * @readers: the descriptions with this name in the kernel that reads
 * @nr: how many; if several, the best one is taken
 * @voice: who speaks of it
 * @c: what to fill, for compared_free()
 * @t: what went wrong
 */
enum status compare_state(const struct state_info *writer, const struct state_info *readers,
			  size_t nr, enum voice voice, struct compared *c, struct trouble *t);
void compared_free(struct compared *c);

/**
 * compare() - what a kernel would do with the state of another
 * @from: who writes
 * @to: who reads
 * @c: what to fill, for comparison_free()
 * @t: what went wrong
 */
enum status compare(const struct side *from, const struct side *to, struct comparison *c,
		    struct trouble *t);
void comparison_free(struct comparison *c);

#endif /* _COMPARE_H */
