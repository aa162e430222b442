// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An array grown, without a default for the rest. Back, the rest may be cut off if it is
 * zero.
 *
 * forward: blocked thing.map
 * back: value thing.map
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u8 map[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(map, struct thing, u8));
USE(thing);

#else

struct thing {
	u8 map[6];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(map, struct thing, u8));
USE(thing);

#endif
