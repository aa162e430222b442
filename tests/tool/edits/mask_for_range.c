// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A range becomes a mask that allows the same values.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u8 queue;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(queue, struct thing, u8, KSTATE_RANGE(0, 7)));
USE(thing);

#else

struct thing {
	u8 queue;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(queue, struct thing, u8, KSTATE_MASK(0x7)));
USE(thing);

#endif
