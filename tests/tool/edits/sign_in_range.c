// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Signed becomes unsigned. That no value is negative makes no difference: a change
 * of the sign is nearly always one of the meaning.
 *
 * forward: blocked thing.delta
 * back: blocked thing.delta
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	s64 delta;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(delta, struct thing, s64, KSTATE_RANGE(0, 100)));
USE(thing);

#else

struct thing {
	u64 delta;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(delta, struct thing, u64));
USE(thing);

#endif
