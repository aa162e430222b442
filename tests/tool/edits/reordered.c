// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The members and the fields stand in another order.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u16 queues;
	u32 mtu;
	bool up;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(queues, struct thing, u16),
	KSTATE_BASE_TYPE(mtu, struct thing, u32),
	KSTATE_BASE_TYPE(up, struct thing, bool));
USE(thing);

#else

struct thing {
	bool up;
	u32 mtu;
	u16 queues;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(up, struct thing, bool),
	KSTATE_BASE_TYPE(mtu, struct thing, u32),
	KSTATE_BASE_TYPE(queues, struct thing, u16));
USE(thing);

#endif
