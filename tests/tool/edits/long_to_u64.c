// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * unsigned long is u64 on these machines.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	unsigned long jiffies;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(jiffies, struct thing, unsigned long));
USE(thing);

#else

struct thing {
	u64 jiffies;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(jiffies, struct thing, u64));
USE(thing);

#endif
