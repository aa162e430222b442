// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An enum gets its first negative constant, and so becomes signed.
 *
 * forward: blocked thing.mode
 * back: blocked thing.mode
 */
#include "edit.h"

#ifndef AFTER

enum mode { MODE_OFF, MODE_ON };

struct thing {
	enum mode mode;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mode, struct thing, enum mode));
USE(thing);

#else

enum mode { MODE_BROKEN = -1, MODE_OFF, MODE_ON };

struct thing {
	enum mode mode;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mode, struct thing, enum mode));
USE(thing);

#endif
