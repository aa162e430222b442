// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An array of char becomes text: a fixed array and a sequence.
 *
 * forward: blocked thing.name
 * back: blocked thing.name
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	char name[16];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(name, struct thing, char [16]));
USE(thing);

#else

struct thing {
	char name[16];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRING(name, struct thing));
USE(thing);

#endif
