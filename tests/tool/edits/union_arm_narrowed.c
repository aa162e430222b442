// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field in an arm of a union is narrowed.
 *
 * forward: value thing.u.net.port
 * back: converted thing.u.net.port
 */
#include "edit.h"

#ifndef AFTER

struct net {
	u32 port;
};

static KSTATE_DESCRIBE(net_state, "net", 1,
	KSTATE_BASE_TYPE(port, struct net, u32));

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

#endif
