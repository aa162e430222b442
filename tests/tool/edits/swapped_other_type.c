// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two members of different types swap their names.
 *
 * forward: converted thing.left, value thing.right
 * back: value thing.left, converted thing.right
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 left;
	u64 right;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(left, struct thing, u32),
	KSTATE_BASE_TYPE(right, struct thing, u64));
USE(thing);

#else

struct thing {
	u32 right;
	u64 left;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(right, struct thing, u32),
	KSTATE_BASE_TYPE(left, struct thing, u64));
USE(thing);

#endif
