// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Renamed without an alias: one required field is gone, another one is new.
 *
 * forward: blocked thing.rate, blocked thing.mbit
 * back: blocked thing.rate, blocked thing.mbit
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 rate;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(rate, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 mbit;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mbit, struct thing, u32));
USE(thing);

#endif
