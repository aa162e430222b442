// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An array is added whose length another array has, too: its default, no elements, only
 * goes with records in which the other one is empty.
 *
 * forward: value thing.right
 * back: value thing.right
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 nr;
	u32 *left;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(left, struct thing, nr, KSTATE_ALLOC));
USE(thing);

#else

struct thing {
	u32 nr;
	u32 *left;
	u32 *right;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(left, struct thing, nr, KSTATE_ALLOC),
	KSTATE_VARRAY(right, struct thing, nr, KSTATE_ALLOC, KSTATE_DEFAULT(0)));
USE(thing);

#endif
