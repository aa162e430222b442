// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Renamed without an alias, but the older kernel has learned of the new name.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 rate;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(rate, struct thing, u32, KSTATE_ALIAS("mbit")));
USE(thing);

#else

struct thing {
	u32 mbit;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mbit, struct thing, u32));
USE(thing);

#endif
