// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field that may be ignored is removed.
 *
 * forward: lossy thing.last_seen
 * back: defaulted thing.last_seen
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 peer;
	u64 last_seen;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(peer, struct thing, u32),
	KSTATE_BASE_TYPE(last_seen, struct thing, u64, KSTATE_DEFAULT(0), KSTATE_IGNORABLE));
USE(thing);

#else

struct thing {
	u32 peer;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(peer, struct thing, u32));
USE(thing);

#endif
