// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Renamed without an alias, with defaults: taken for one that went and one that came.
 *
 * forward: value thing.rate, defaulted thing.mbit
 * back: value thing.mbit, defaulted thing.rate
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 rate;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(rate, struct thing, u32, KSTATE_DEFAULT(0)));
USE(thing);

#else

struct thing {
	u32 mbit;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mbit, struct thing, u32, KSTATE_DEFAULT(0)));
USE(thing);

#endif
