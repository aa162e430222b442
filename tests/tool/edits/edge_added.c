// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Memory is handed over from now on; NULL is the default.
 *
 * forward: defaulted thing.log
 * back: value thing.log
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 size;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(size, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 size;
	void *log;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(size, struct thing, u32),
	KSTATE_VMALLOC(log, struct thing, KSTATE_DEFAULT(0)));
USE(thing);

#endif
