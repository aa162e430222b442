/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was found about objects: the same about many is one line.
 */
#ifndef _FINDINGS_H
#define _FINDINGS_H

#include "compare.h"

/**
 * struct findings - what was found about objects
 * @groups: findings that are the same but for the key of the object, each an object with
 *	its outcome, the first object and what is said of it, how many there are more, and
 *	the first other keys
 * @by_name: the same, to be found by what they have in common
 */
struct findings {
	json_t *groups;
	json_t *by_name;
};

/**
 * findings_add() - note what was found about an object
 * @f: the findings, zeroed before the first
 * @object: as in the JSON of kstate check: its name, an error or several
 * @outcome: what becomes of it
 * @allowed: by the policy
 */
void findings_add(struct findings *f, const json_t *object, enum outcome outcome, bool allowed);
void findings_free(struct findings *f);

/**
 * findings_line() - one of the lines
 * @f: the findings
 * @i: number of the line
 * @outcome: set to what becomes of these objects
 * @allowed: set to whether the policy allows it
 *
 * Return: the line, for free(); NULL after the last, or without memory.
 */
char *findings_line(const struct findings *f, size_t i, enum outcome *outcome, bool *allowed);

/**
 * findings_print() - print the lines
 * @f: the findings
 */
void findings_print(const struct findings *f);

#endif /* _FINDINGS_H */
