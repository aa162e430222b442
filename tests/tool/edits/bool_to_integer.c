// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A bool becomes an integer; back, only 0 and 1 fit.
 *
 * forward: converted thing.on
 * back: value thing.on
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	bool on;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(on, struct thing, bool));
USE(thing);

#else

struct thing {
	u8 on;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(on, struct thing, u8));
USE(thing);

#endif
