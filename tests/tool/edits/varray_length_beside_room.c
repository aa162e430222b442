// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The member that holds the length is narrowed, but still holds as many as there is room
 * for: nothing changes.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 nr;
	u16 recent[32];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(recent, struct thing, nr));
USE(thing);

#else

struct thing {
	u8 nr;
	u16 recent[32];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(recent, struct thing, nr));
USE(thing);

#endif
