// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An integer that is 0 or 1 by its range becomes a bool.
 *
 * forward: converted thing.on
 * back: converted thing.on
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u8 on;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(on, struct thing, u8, KSTATE_RANGE(0, 1)));
USE(thing);

#else

struct thing {
	bool on;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(on, struct thing, bool));
USE(thing);

#endif
