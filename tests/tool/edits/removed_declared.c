// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field with a default is removed, and KSTATE_REMOVED() says so.
 *
 * forward: lossy thing.cylinders
 * back: defaulted thing.cylinders
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u64 sectors;
	u32 cylinders;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(sectors, struct thing, u64),
	KSTATE_BASE_TYPE(cylinders, struct thing, u32, KSTATE_DEFAULT(0)));
USE(thing);

#else

struct thing {
	u64 sectors;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(sectors, struct thing, u64),
	KSTATE_REMOVED("cylinders"));
USE(thing);

#endif
