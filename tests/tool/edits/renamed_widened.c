// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Renamed with an alias, and widened. The field is called as the reader calls it.
 *
 * forward: converted thing.mbit
 * back: value thing.rate
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
	u64 mbit;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mbit, struct thing, u64, KSTATE_ALIAS("rate")));
USE(thing);

#endif
