// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The version is raised, and no other one is understood.
 *
 * forward: blocked thing
 * back: blocked thing
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 2,
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

#endif
