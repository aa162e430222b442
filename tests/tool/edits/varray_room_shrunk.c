// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An array in the object, whose length varies, has less room. What is longer is refused.
 *
 * forward: value thing.recent
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
	u32 nr;
	u16 recent[16];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(recent, struct thing, nr));
USE(thing);

#endif
