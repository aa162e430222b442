// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The same elements in another number of dimensions.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u8 matrix[4][4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(matrix, struct thing, u8));
USE(thing);

#else

struct thing {
	u8 matrix[16];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(matrix, struct thing, u8));
USE(thing);

#endif
