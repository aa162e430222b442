// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field is renamed to a name that another field had, which goes: names go before
 * aliases, so that the new kernel would take the wrong one, and the right one is left.
 *
 * forward: blocked thing.a
 * back: blocked thing.a
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 a;
	u32 b;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(a, struct thing, u32),
	KSTATE_BASE_TYPE(b, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 b;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(b, struct thing, u32, KSTATE_ALIAS("a")));
USE(thing);

#endif
