// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The member that holds the length is narrowed: it cannot hold every length.
 *
 * forward: value thing.all
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 nr;
	u64 *all;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(all, struct thing, nr, KSTATE_ALLOC));
USE(thing);

#else

struct thing {
	u8 nr;
	u64 *all;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(all, struct thing, nr, KSTATE_ALLOC));
USE(thing);

#endif
