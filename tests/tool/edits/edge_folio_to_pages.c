// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Memory that is handed over changes from a folio to pages.
 *
 * forward: blocked thing.ring
 * back: blocked thing.ring
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	struct folio *ring;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_FOLIO(ring, struct thing));
USE(thing);

#else

struct thing {
	u32 nr;
	struct page *ring;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_PAGES(ring, struct thing, nr));
USE(thing);

#endif
