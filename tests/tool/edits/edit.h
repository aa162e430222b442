/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each edit is written with: one description per DESCRIBE(), and USE() for those
 * of which there are records.
 *
 * The comment at the head of an edit says what has to come of it, after evolving.rst:
 * for the update (forward) and the rollback (back) the outcome of each difference and
 * the path of the field, separated by commas, or "exact". Outcomes are the verdicts
 * (blocked for refused), and
 *   value     some values of the writer are refused
 *   object    refused unless the reader's object holds the same
 *   function  a function of the reader decides
 *   aside     an unknown state that is kept aside and handed on
 * Two with a | between them where evolving.rst leaves a choice that refuses nobody.
 */
#ifndef _EDIT_H
#define _EDIT_H

#include <linux/kstate.h>
#include <linux/limits.h>
#include <linux/xarray.h>

#define FIELDS(...)							\
	.fields = (const struct kstate_field[]) { __VA_ARGS__, KSTATE_END_OF_LIST() }

#define DESCRIBE(_name, _version, _min_version, ...)			\
	static struct kstate_description _name##_state = {		\
		.name = #_name,						\
		.version_id = (_version),				\
		.min_version_id = (_min_version),			\
		FIELDS(__VA_ARGS__),					\
	}

/* With something special, in parentheses */
#define DESCRIBE_AS(_name, _special, ...)				\
	static struct kstate_description _name##_state = {		\
		.name = #_name,						\
		.version_id = 1,					\
		.min_version_id = 1,					\
		SPECIAL _special,					\
		FIELDS(__VA_ARGS__),					\
	}

#define SPECIAL(...)	__VA_ARGS__

/* Code that refers to the description, so that there may be records of it */
#define USE(_name)							\
	int use_##_name(void *obj);					\
	int use_##_name(void *obj)					\
	{								\
		return kstate_register(&_name##_state, obj);		\
	}

#endif /* _EDIT_H */
