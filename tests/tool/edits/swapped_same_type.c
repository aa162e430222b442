// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two members swap their names. Nobody can tell: a field is its name.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 left;
	u32 right;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(left, struct thing, u32),
	KSTATE_BASE_TYPE(right, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 right;
	u32 left;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(right, struct thing, u32),
	KSTATE_BASE_TYPE(left, struct thing, u32));
USE(thing);

#endif
