// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A flag is added to those that a mask allows.
 *
 * forward: exact
 * back: value thing.flags
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 flags;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(flags, struct thing, u32, KSTATE_MASK(0x3)));
USE(thing);

#else

struct thing {
	u32 flags;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(flags, struct thing, u32, KSTATE_MASK(0x7)));
USE(thing);

#endif
