// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From now on the field has to have the value that the object holds.
 *
 * forward: object thing.order
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 order;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(order, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 order;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(order, struct thing, u32, KSTATE_EQUAL));
USE(thing);

#endif
