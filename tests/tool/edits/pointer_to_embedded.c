// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A struct behind a pointer becomes one in the object.
 *
 * forward: blocked thing.stats
 * back: blocked thing.stats
 */
#include "edit.h"

#ifndef AFTER

struct stats {
	u64 packets;
};

static KSTATE_DESCRIBE(stats_state, "stats", 1,
	KSTATE_BASE_TYPE(packets, struct stats, u64));

struct thing {
	struct stats *stats;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_POINTER(stats, struct thing, &stats_state, KSTATE_ALLOC));
USE(thing);

#else

struct stats {
	u64 packets;
};

static KSTATE_DESCRIBE(stats_state, "stats", 1,
	KSTATE_BASE_TYPE(packets, struct stats, u64));

struct thing {
	struct stats stats;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(stats, struct thing, &stats_state));
USE(thing);

#endif
