// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two breaks in one struct that have nothing to do with each other: both are reported.
 *
 * forward: value thing.count, blocked thing.cookie
 * back: converted thing.count, blocked thing.cookie
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u64 count;
	u32 peer;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u64),
	KSTATE_BASE_TYPE(peer, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 count;
	u32 peer;
	u64 cookie;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32),
	KSTATE_BASE_TYPE(peer, struct thing, u32),
	KSTATE_BASE_TYPE(cookie, struct thing, u64));
USE(thing);

#endif
