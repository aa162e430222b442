// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * char counts as u8: the same bytes. (evolving.rst does not say whether that is
 * exact or converted; nobody is refused.)
 *
 * forward: exact|converted thing.tag
 * back: exact|converted thing.tag
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	char tag[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(tag, struct thing, char [4]));
USE(thing);

#else

struct thing {
	u8 tag[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(tag, struct thing, u8 [4]));
USE(thing);

#endif
