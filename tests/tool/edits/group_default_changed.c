// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The default of a field in a group changes.
 *
 * forward: exact
 * back: exact
 * lock: forward thing.turbo.boost
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 count;
	u32 boost;
};

static bool needed(const void *obj)
{
	return ((const struct thing *)obj)->boost;
}

static KSTATE_DESCRIBE(turbo_state, "turbo", 1,
	KSTATE_BASE_TYPE(boost, struct thing, u32, KSTATE_DEFAULT(1)));
static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32),
	KSTATE_GROUP(turbo, &turbo_state, needed));
USE(thing);

#else

struct thing {
	u32 count;
	u32 boost;
};

static bool needed(const void *obj)
{
	return ((const struct thing *)obj)->boost;
}

static KSTATE_DESCRIBE(turbo_state, "turbo", 1,
	KSTATE_BASE_TYPE(boost, struct thing, u32, KSTATE_DEFAULT(2)));
static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32),
	KSTATE_GROUP(turbo, &turbo_state, needed));
USE(thing);

#endif
