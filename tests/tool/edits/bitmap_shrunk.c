// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A bitmap shrunk: bits that are cut off must not be set. (For the way back, see
 * bitmap_grown.)
 *
 * forward: value thing.used
 * back: defaulted|exact thing.used
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	unsigned long used[2];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BITMAP(used, struct thing, 100));
USE(thing);

#else

struct thing {
	unsigned long used[2];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BITMAP(used, struct thing, 99));
USE(thing);

#endif
