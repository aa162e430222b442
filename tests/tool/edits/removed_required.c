// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A required field is removed. KSTATE_REMOVED() helps the update only.
 *
 * forward: lossy thing.cylinders
 * back: blocked thing.cylinders
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u64 sectors;
	u32 cylinders;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(sectors, struct thing, u64),
	KSTATE_BASE_TYPE(cylinders, struct thing, u32));
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
