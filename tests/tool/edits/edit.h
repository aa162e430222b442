/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each edit is written with, beside KSTATE_DESCRIBE(): USE() for the descriptions of
 * which there are records.
 *
 * The comment at the head of an edit says what has to come of it, after evolving.rst:
 * for the update (forward) and the rollback (back) the outcome of each difference and
 * the path of the field, separated by commas, or "exact". Outcomes are the verdicts
 * (blocked for refused), and
 *   value     some values of the writer are refused
 *   object    refused unless the reader's object holds the same
 *   function  a function of the reader decides
 *   aside     an unknown state that is kept aside and handed on
 * What is none of value, object and blocked, but breaks a lock file, has a direction and
 * a path after "lock:".
 * Two with a | between them where evolving.rst leaves a choice that refuses nobody.
 */
#ifndef _EDIT_H
#define _EDIT_H

#include <linux/kstate.h>
#include <linux/limits.h>
#include <linux/xarray.h>

/* Code that refers to NAME_state, so that there may be records of it */
#define USE(_name)							\
	int use_##_name(void *obj);					\
	int use_##_name(void *obj)					\
	{								\
		return kstate_register(&_name##_state, obj);		\
	}

#endif /* _EDIT_H */
