// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An enum without negative constants is a u32.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

enum mode { MODE_OFF, MODE_ON };

#ifndef AFTER

struct thing {
	enum mode mode;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mode, struct thing, enum mode));
USE(thing);

#else

struct thing {
	u32 mode;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mode, struct thing, u32));
USE(thing);

#endif
