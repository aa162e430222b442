// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An integer narrowed.
 *
 * forward: value thing.count
 * back: converted thing.count
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u64 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u64));
USE(thing);

#else

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

#endif
