// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Unsigned becomes a larger signed type, which has room; the way back has none.
 *
 * forward: converted thing.pos
 * back: blocked thing.pos
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 pos;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(pos, struct thing, u32));
USE(thing);

#else

struct thing {
	s64 pos;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(pos, struct thing, s64));
USE(thing);

#endif
