// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The elements of an array widened.
 *
 * forward: converted thing.map
 * back: value thing.map
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u16 map[8];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(map, struct thing, u16));
USE(thing);

#else

struct thing {
	u32 map[8];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(map, struct thing, u32));
USE(thing);

#endif
