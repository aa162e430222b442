// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An arm that had nothing to save gets a description: refused, in use or not.
 *
 * forward: blocked thing.u.none
 * back: blocked thing.u.none
 */
#include "edit.h"

#ifndef AFTER

struct net {
	u16 port;
};

static KSTATE_DESCRIBE(net_state, "net", 1,
	KSTATE_BASE_TYPE(port, struct net, u16));

struct thing {
	u32 type;
	union {
		struct net net;
	} u;
};

static const struct kstate_arm arms[] = {
	{ "none", 0, NULL },
	{ "net", 1, &net_state },
	{ }
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_UNION(u, struct thing, type, arms));
USE(thing);

#else

struct none {
	u64 since;
};

static KSTATE_DESCRIBE(none_state, "none", 1,
	KSTATE_BASE_TYPE(since, struct none, u64));

struct net {
	u16 port;
};

static KSTATE_DESCRIBE(net_state, "net", 1,
	KSTATE_BASE_TYPE(port, struct net, u16));

struct thing {
	u32 type;
	union {
		struct net net;
		struct none none;
	} u;
};

static const struct kstate_arm arms[] = {
	{ "none", 0, &none_state },
	{ "net", 1, &net_state },
	{ }
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_UNION(u, struct thing, type, arms));
USE(thing);

#endif
