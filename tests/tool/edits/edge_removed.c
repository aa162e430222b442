// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Memory that the older kernel requires is not handed over any more.
 *
 * forward: lossy thing.log
 * back: blocked thing.log
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 size;
	void *log;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(size, struct thing, u32),
	KSTATE_VMALLOC(log, struct thing));
USE(thing);

#else

struct thing {
	u32 size;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(size, struct thing, u32),
	KSTATE_REMOVED("log"));
USE(thing);

#endif
