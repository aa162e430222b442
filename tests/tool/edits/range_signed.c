// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A range with negative values is tightened; as unsigned numbers the ends would lie the
 * other way round.
 *
 * forward: value thing.temp
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	s32 temp;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(temp, struct thing, s32, KSTATE_RANGE(-5, 5)));
USE(thing);

#else

struct thing {
	s32 temp;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(temp, struct thing, s32, KSTATE_RANGE(-1, 5)));
USE(thing);

#endif
