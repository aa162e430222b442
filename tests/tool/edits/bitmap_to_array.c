// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A bitmap becomes an array of its words.
 *
 * forward: blocked thing.used
 * back: blocked thing.used
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	unsigned long used[2];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BITMAP(used, struct thing, 128));
USE(thing);

#else

struct thing {
	u64 used[2];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(used, struct thing, u64));
USE(thing);

#endif
