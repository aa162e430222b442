// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field moves into a group: inside and outside it is not the same field.
 *
 * forward: value thing.boost, defaulted thing.turbo
 * back: value thing.turbo, defaulted thing.boost
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 speed;
	u32 boost;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(speed, struct thing, u32),
	KSTATE_BASE_TYPE(boost, struct thing, u32, KSTATE_DEFAULT(0)));
USE(thing);

#else

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

#endif
