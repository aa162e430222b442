// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A signed integer widened.
 *
 * forward: converted thing.temp
 * back: value thing.temp
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	s16 temp;
};

DESCRIBE(thing, 1, 1,
	 KSTATE_BASE_TYPE(temp, struct thing, s16));
USE(thing);

#else

struct thing {
	s32 temp;
};

DESCRIBE(thing, 1, 1,
	 KSTATE_BASE_TYPE(temp, struct thing, s32));
USE(thing);

#endif
