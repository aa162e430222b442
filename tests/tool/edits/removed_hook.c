// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field is removed; the older kernel has a function for when it is not there.
 *
 * forward: lossy thing.size
 * back: function thing.size
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 peer;
	u32 size;
};

static int size_absent(void *member, const struct kstate_field *field)
{
	*(u32 *)member = 64;
	return 0;
}

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(peer, struct thing, u32),
	KSTATE_BASE_TYPE(size, struct thing, u32, KSTATE_ABSENT(size_absent)));
USE(thing);

#else

struct thing {
	u32 peer;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(peer, struct thing, u32),
	KSTATE_REMOVED("size"));
USE(thing);

#endif
