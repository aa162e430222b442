/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lint.c and members.c share: descriptions, and what is found about them.
 */
#ifndef _TOOL_LINT_H
#define _TOOL_LINT_H

#include "ctypes.h"
#include "source.h"

/**
 * struct finding - something about a description
 * @kind: one word, for programs; kstate-lint(1) has the list
 * @blocked: state may be wrong in the next kernel, or memory overwritten
 * @member: name of the member, or an empty string
 * @ctype: its type, or an empty string
 * @offset: of the member, in bytes, -1 without one
 * @text: the sentence
 */
struct finding {
	const char *kind;
	bool blocked;
	char member[160];
	char ctype[112];
	s64 offset;
	char text[640];
};

/**
 * struct findings - what was found
 * @list: it
 * @nr: how many
 * @no_memory: there were more
 */
struct findings {
	struct finding *list;
	size_t nr;
	bool no_memory;
};

/**
 * struct described - a description, and what is known of it
 * @d: what the catalogue says
 * @types: types of its image, or NULL
 * @group: it describes members of the struct of another one
 * @findings: what was found
 */
struct described {
	struct state_info d;
	const struct ctypes *types;
	bool group;
	struct findings findings;
};

/**
 * struct catalogue - all descriptions of a source
 * @list: they, those of one image after each other
 * @nr: how many
 */
struct catalogue {
	struct described *list;
	size_t nr;
};

/** add_finding() - another entry with its kind and grade, and without text; or NULL */
struct finding *add_finding(struct findings *findings, const char *kind, bool blocked);

/**
 * next_of_schema() - who has a schema that a field refers to
 * @c: all descriptions
 * @from: the description whose field it is: one image has both
 * @schema: the schema
 * @last: the one that was returned before, or NULL
 *
 * There may be several, of different structs: schemas have no offsets and no C types.
 *
 * Return: the next one, or NULL.
 */
struct described *next_of_schema(const struct catalogue *c, const struct described *from,
				 const struct kstate_schema *schema, struct described *last);

/**
 * group_of() - the next description of the same struct that a group refers to
 * @c: all descriptions
 * @from: the description with the group
 * @m: its member of kind %KS_GROUP
 * @last: the one that was returned before, or NULL
 */
struct described *group_of(const struct catalogue *c, const struct described *from,
			   const struct kstate_wire_member *m, struct described *last);

/** wire_kind() - &enum kstate_kind of a member, or 0 for a length or tag */
static inline u32 wire_kind(const struct kstate_wire_member *m)
{
	return m->kind ? KSTATE_TABLES | m->kind : 0;
}

/**
 * check_members() - compare a description with the struct that it describes
 * @c: all descriptions
 * @which: the description, with types
 */
void check_members(const struct catalogue *c, struct described *which);

#endif /* _TOOL_LINT_H */
