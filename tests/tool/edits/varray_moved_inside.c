// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An allocated array becomes one in the object, with room for so many only.
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
	u32 nr;
	u64 all[64];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(all, struct thing, nr));
USE(thing);

#endif
