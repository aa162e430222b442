// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The values of the tag, its type and the order of the arms change; their names do not.
 *
 * forward: exact
 * back: exact
 * lock: forward thing.u
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

struct net {
	u16 port;
};

static KSTATE_DESCRIBE(net_state, "net", 1,
	KSTATE_BASE_TYPE(port, struct net, u16));

struct thing {
	u8 type;
	union {
		struct net net;
	} u;
};

static const struct kstate_arm arms[] = {
	{ "net", 100, &net_state },
	{ "none", 7, NULL },
	{ }
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_UNION(u, struct thing, type, arms));
USE(thing);

#endif
