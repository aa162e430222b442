// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * KSTATE_ALLOC goes. Whether the pointer leads somewhere is up to the code that prepares
 * the object; it is not in the schema.
 *
 * forward: exact
 * back: exact
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
	u32 *limit;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_POINTER(limit, struct thing));
USE(thing);

#endif
