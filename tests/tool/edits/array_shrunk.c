// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An array shrunk. Back, the longer one has no default.
 *
 * forward: value thing.map
 * back: blocked thing.map
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
	u16 map[6];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(map, struct thing, u16));
USE(thing);

#endif
