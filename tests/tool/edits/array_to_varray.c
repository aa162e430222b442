// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A fixed array becomes one of a length that varies.
 *
 * forward: blocked thing.quota
 * back: blocked thing.quota
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 quota[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(quota, struct thing, u32));
USE(thing);

#else

struct thing {
	u8 nr;
	u32 quota[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(quota, struct thing, nr));
USE(thing);

#endif
