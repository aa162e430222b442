// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Text has less room.
 *
 * forward: value thing.name
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	char name[32];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRING(name, struct thing));
USE(thing);

#else

struct thing {
	char name[16];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRING(name, struct thing));
USE(thing);

#endif
