// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two arrays get one length: records whose lengths differ are refused. (describing.rst)
 *
 * forward: value thing.right
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 nr_left;
	u32 nr_right;
	u32 *left;
	u32 *right;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(left, struct thing, nr_left, KSTATE_ALLOC),
	KSTATE_VARRAY(right, struct thing, nr_right, KSTATE_ALLOC));
USE(thing);

#else

struct thing {
	u32 nr;
	u32 *left;
	u32 *right;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(left, struct thing, nr, KSTATE_ALLOC),
	KSTATE_VARRAY(right, struct thing, nr, KSTATE_ALLOC));
USE(thing);

#endif
