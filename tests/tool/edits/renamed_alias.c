// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Renamed, with the old name as the alias.
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
	KSTATE_BASE_TYPE(rate, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 mbit;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mbit, struct thing, u32, KSTATE_ALIAS("rate")));
USE(thing);

#endif
