// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A struct in the object becomes one behind a pointer, and a function takes it over.
 *
 * forward: function thing.stats
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
	struct stats stats;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(stats, struct thing, &stats_state));
USE(thing);

#else

struct stats {
	u64 packets;
};

static KSTATE_DESCRIBE(stats_state, "stats", 1,
	KSTATE_BASE_TYPE(packets, struct stats, u64));

struct thing {
	struct stats *stats;
};

static int stats_convert(void *member, const struct kstate_value *from,
			 const struct kstate_field *field)
{
	return -EPROTO;
}

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_POINTER(stats, struct thing, &stats_state, KSTATE_ALLOC,
			      KSTATE_CONVERT(stats_convert)));
USE(thing);

#endif
