// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The member that holds the number of pages is narrowed.
 *
 * forward: value thing.ring
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 nr;
	struct page *ring;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_PAGES(ring, struct thing, nr));
USE(thing);

#else

struct thing {
	u8 nr;
	struct page *ring;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_PAGES(ring, struct thing, nr));
USE(thing);

#endif
