// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field that had a default is required from now on; both kernels write it.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u16 mtu;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mtu, struct thing, u16, KSTATE_DEFAULT(1500)));
USE(thing);

#else

struct thing {
	u16 mtu;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(mtu, struct thing, u16));
USE(thing);

#endif
