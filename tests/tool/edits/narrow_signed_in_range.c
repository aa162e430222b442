// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A signed integer narrowed to a type that has room for the range, negative values
 * included.
 *
 * forward: converted thing.temp
 * back: value thing.temp
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	s32 temp;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(temp, struct thing, s32, KSTATE_RANGE(-40, 120)));
USE(thing);

#else

struct thing {
	s8 temp;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(temp, struct thing, s8));
USE(thing);

#endif
