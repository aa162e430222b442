// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Statistics are added.
 *
 * forward: defaulted thing.drops
 * back: lossy thing.drops
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
	u64 drops;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(peer, struct thing, u32),
	KSTATE_BASE_TYPE(drops, struct thing, u64, KSTATE_DEFAULT(0), KSTATE_IGNORABLE));
USE(thing);

#endif
