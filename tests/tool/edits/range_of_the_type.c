// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A range is added that has all values of the type: it constrains nothing.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32, KSTATE_RANGE(0, U32_MAX)));
USE(thing);

#endif
