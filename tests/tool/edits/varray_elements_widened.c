// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The elements of an array whose length varies are widened.
 *
 * forward: converted thing.recent
 * back: value thing.recent
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
	u32 nr;
	u32 recent[32];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(recent, struct thing, nr));
USE(thing);

#endif
