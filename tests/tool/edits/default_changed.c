// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The default of a field changes: it is for streams that do not have the field.
 *
 * forward: exact
 * back: exact
 * lock: forward thing.mtu
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
	KSTATE_BASE_TYPE(mtu, struct thing, u16, KSTATE_DEFAULT(9000)));
USE(thing);

#endif
