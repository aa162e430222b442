// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a pointer points to is widened.
 *
 * forward: converted thing.limit
 * back: value thing.limit
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 *limit;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_POINTER(limit, struct thing, KSTATE_ALLOC));
USE(thing);

#else

struct thing {
	u64 *limit;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_POINTER(limit, struct thing, KSTATE_ALLOC));
USE(thing);

#endif
