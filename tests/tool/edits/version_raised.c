// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The version is raised, the oldest one that is understood is not.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE_OPTS(thing_state, "thing", (.version_id = 2, .min_version_id = 1),
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

#endif
