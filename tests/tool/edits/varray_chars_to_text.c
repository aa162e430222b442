// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bytes whose length varies become text, which ends with its only NUL.
 *
 * forward: value thing.name
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 nr;
	char name[16];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VARRAY(name, struct thing, nr));
USE(thing);

#else

struct thing {
	char name[16];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRING(name, struct thing));
USE(thing);

#endif
