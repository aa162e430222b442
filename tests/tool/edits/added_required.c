// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A required field is added.
 *
 * forward: blocked thing.cookie
 * back: blocked thing.cookie
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 peer;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(peer, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 peer;
	u64 cookie;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(peer, struct thing, u32),
	KSTATE_BASE_TYPE(cookie, struct thing, u64));
USE(thing);

#endif
