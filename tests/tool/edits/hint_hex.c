// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field is shown in hexadecimal from now on.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 flags;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(flags, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 flags;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(flags, struct thing, u32, KSTATE_HEX));
USE(thing);

#endif
