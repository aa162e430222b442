// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The type and the range are widened.
 *
 * forward: converted thing.count
 * back: value thing.count
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32, KSTATE_RANGE(0, 100)));
USE(thing);

#else

struct thing {
	u64 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u64, KSTATE_RANGE(0, 1000)));
USE(thing);

#endif
