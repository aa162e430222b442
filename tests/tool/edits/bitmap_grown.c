// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A bitmap grown: the rest is filled up with zeros. (Whether that is exact or a
 * default, evolving.rst does not say; nobody is refused.)
 *
 * forward: defaulted|exact thing.used
 * back: value thing.used
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	unsigned long used[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BITMAP(used, struct thing, 64));
USE(thing);

#else

struct thing {
	unsigned long used[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BITMAP(used, struct thing, 200));
USE(thing);

#endif
