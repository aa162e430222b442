// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An array grown, with a default for the rest.
 *
 * forward: defaulted thing.map
 * back: value thing.map
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u8 map[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(map, struct thing, u8, KSTATE_DEFAULT(0xff)));
USE(thing);

#else

struct thing {
	u8 map[6];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(map, struct thing, u8, KSTATE_DEFAULT(0xff)));
USE(thing);

#endif
