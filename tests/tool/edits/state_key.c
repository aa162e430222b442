// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The objects of a state go by strings and no longer by numbers: nobody asks for the
 * records that are there. (evolving.rst does not say so.)
 *
 * forward: blocked thing
 * back: blocked thing
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

static KSTATE_DESCRIBE_OPTS(thing_state, "thing",
	(.version_id = 1, .min_version_id = 1, .string_key = true),
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

#endif
