// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Memory that is handed over changes from a vmalloc area to a folio.
 *
 * forward: blocked thing.log
 * back: blocked thing.log
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	void *log;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_VMALLOC(log, struct thing));
USE(thing);

#else

struct thing {
	struct folio *log;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_FOLIO(log, struct thing));
USE(thing);

#endif
