// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One element becomes an array, without a function that converts.
 *
 * forward: blocked thing.ip
 * back: blocked thing.ip
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 ip;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(ip, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 ip[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(ip, struct thing, u32));
USE(thing);

#endif
