// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A range is added that has all values of the type that the field had.
 *
 * forward: converted thing.count
 * back: converted thing.count
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u8 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u8));
USE(thing);

#else

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32, KSTATE_RANGE(0, 255)));
USE(thing);

#endif
