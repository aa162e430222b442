// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A group goes, and KSTATE_REMOVED() says so.
 *
 * forward: lossy thing.turbo
 * back: defaulted thing.turbo
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 boost;
	u32 speed;
};

static bool turbo_needed(const void *obj)
{
	return ((const struct thing *)obj)->boost;
}

static KSTATE_DESCRIBE(turbo_state, "turbo", 1,
	KSTATE_BASE_TYPE(boost, struct thing, u32, KSTATE_DEFAULT(0)));

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_GROUP(turbo, &turbo_state, turbo_needed),
	KSTATE_BASE_TYPE(speed, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 speed;
	u32 boost;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(speed, struct thing, u32),
	KSTATE_REMOVED("turbo"));
USE(thing);

#endif
