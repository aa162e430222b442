// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The name of a field that was removed is that of another one now: dropped there.
 *
 * forward: defaulted thing.mode
 * back: lossy thing.mode
 * lock: back thing.mode
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32),
	KSTATE_REMOVED("mode", KSTATE_WAS(u32), KSTATE_DEFAULT(0)));
USE(thing);

#else

struct thing {
	u32 count;
	u32 mode;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32),
	KSTATE_BASE_TYPE(mode, struct thing, u32, KSTATE_DEFAULT(0)));
USE(thing);

#endif
