// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two versions later, the oldest one understood has risen past what the other kernel has.
 *
 * forward: blocked thing
 * back: blocked thing
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE_OPTS(thing_state, "thing", (.version_id = 3, .min_version_id = 1),
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE_OPTS(thing_state, "thing", (.version_id = 5, .min_version_id = 4),
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

#endif
