// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Flags narrowed to a type that has room for the bits that the writer may set.
 *
 * forward: converted thing.flags
 * back: converted thing.flags
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u64 flags;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(flags, struct thing, u64, KSTATE_MASK(0x1f)));
USE(thing);

#else

struct thing {
	u8 flags;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(flags, struct thing, u8, KSTATE_MASK(0x1f)));
USE(thing);

#endif
