// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An array of pointers gets shorter: entries without room have to be NULL.
 *
 * forward: value thing.quota
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 *quota[8];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY_OF_POINTER(quota, struct thing, KSTATE_ALLOC));
USE(thing);

#else

struct thing {
	u32 *quota[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY_OF_POINTER(quota, struct thing, KSTATE_ALLOC));
USE(thing);

#endif
