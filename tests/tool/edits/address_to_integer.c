// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An address becomes a number, which no kernel translates.
 *
 * forward: blocked thing.ring
 * back: blocked thing.ring
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	void *ring;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ADDRESS(ring, struct thing, KS_LINEAR_ADDR));
USE(thing);

#else

struct thing {
	u64 ring;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(ring, struct thing, u64));
USE(thing);

#endif
