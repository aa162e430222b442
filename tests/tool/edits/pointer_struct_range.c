// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A range is tightened in a struct behind a pointer.
 *
 * forward: value thing.stats.level
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct stats {
	u32 level;
};

static KSTATE_DESCRIBE(stats_state, "stats", 1,
	KSTATE_BASE_TYPE(level, struct stats, u32, KSTATE_RANGE(0, 100)));

struct thing {
	struct stats *stats;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_POINTER(stats, struct thing, &stats_state, KSTATE_ALLOC));
USE(thing);

#else

struct stats {
	u32 level;
};

static KSTATE_DESCRIBE(stats_state, "stats", 1,
	KSTATE_BASE_TYPE(level, struct stats, u32, KSTATE_RANGE(0, 50)));

struct thing {
	struct stats *stats;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_POINTER(stats, struct thing, &stats_state, KSTATE_ALLOC));
USE(thing);

#endif
