// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A range is removed.
 *
 * forward: exact
 * back: value thing.lanes
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u8 lanes;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(lanes, struct thing, u8, KSTATE_RANGE(1, 16)));
USE(thing);

#else

struct thing {
	u8 lanes;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(lanes, struct thing, u8));
USE(thing);

#endif
