// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A member that does not cross moves the others.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u16 queues;
	u32 mtu;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(queues, struct thing, u16),
	KSTATE_BASE_TYPE(mtu, struct thing, u32));
USE(thing);

#else

struct thing {
	u16 queues;
	void *priv;
	u32 mtu;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(queues, struct thing, u16),
	KSTATE_SKIP(priv, struct thing, "set by probe"),
	KSTATE_BASE_TYPE(mtu, struct thing, u32));
USE(thing);

#endif
