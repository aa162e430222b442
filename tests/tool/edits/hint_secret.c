// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field is not shown any more.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u64 key;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(key, struct thing, u64));
USE(thing);

#else

struct thing {
	u64 key;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(key, struct thing, u64, KSTATE_SECRET));
USE(thing);

#endif
