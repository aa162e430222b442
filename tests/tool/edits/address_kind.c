// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An address in the linear map becomes one of a struct page.
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
	struct page *ring;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ADDRESS(ring, struct thing, KS_VMEMMAP_ADDR));
USE(thing);

#endif
