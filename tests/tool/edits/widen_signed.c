// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A signed integer widened.
 *
 * forward: converted thing.temp
 * back: value thing.temp
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	s16 temp;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(temp, struct thing, s16));
USE(thing);

#else

struct thing {
	s32 temp;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(temp, struct thing, s32));
USE(thing);

#endif
