// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Fields move into a struct of their own: other fields than before.
 *
 * forward: blocked thing.rx, blocked thing.tx, blocked thing.stats
 * back: blocked thing.rx, blocked thing.tx, blocked thing.stats
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u64 rx;
	u64 tx;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(rx, struct thing, u64),
	KSTATE_BASE_TYPE(tx, struct thing, u64));
USE(thing);

#else

struct stats {
	u64 rx;
	u64 tx;
};

static KSTATE_DESCRIBE(stats_state, "stats", 1,
	KSTATE_BASE_TYPE(rx, struct stats, u64),
	KSTATE_BASE_TYPE(tx, struct stats, u64));

struct thing {
	struct stats stats;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(stats, struct thing, &stats_state));
USE(thing);

#endif
