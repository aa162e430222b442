// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A mask is added.
 *
 * forward: value thing.flags
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 flags;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(flags, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 flags;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(flags, struct thing, u32, KSTATE_MASK(0xff)));
USE(thing);

#endif
