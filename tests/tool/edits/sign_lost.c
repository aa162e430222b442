// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Signed becomes unsigned: refused whatever the value.
 *
 * forward: blocked thing.delta
 * back: blocked thing.delta
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	s32 delta;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(delta, struct thing, s32));
USE(thing);

#else

struct thing {
	u32 delta;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(delta, struct thing, u32));
USE(thing);

#endif
