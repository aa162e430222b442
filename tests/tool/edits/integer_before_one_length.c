// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two arrays get one length, which is a field now, and is described first: they must be as long.
 *
 * forward: value thing.right
 * back: lossy thing.nr
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 nr_left, nr_right;
	u16 *left, *right;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(left, struct thing, nr_left, KSTATE_ALLOC),
	KSTATE_VARRAY(right, struct thing, nr_right, KSTATE_ALLOC));
USE(thing);

#else

struct thing {
	u32 nr;
	u16 *left, *right;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(nr, struct thing, u32, KSTATE_IGNORABLE, KSTATE_DEFAULT(0)),
	KSTATE_VARRAY(left, struct thing, nr, KSTATE_ALLOC),
	KSTATE_VARRAY(right, struct thing, nr, KSTATE_ALLOC));
USE(thing);

#endif
