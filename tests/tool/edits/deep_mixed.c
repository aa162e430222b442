// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * In the entries of a list in an arm of a union, a field is removed without a word.
 *
 * forward: blocked thing.u.net.peers.weight
 * back: blocked thing.u.net.peers.weight
 */
#include "edit.h"

#ifndef AFTER

struct peer {
	struct list_head link;
	u32 addr;
	u32 weight;
};

static KSTATE_DESCRIBE(peer_state, "peer", 1,
	KSTATE_BASE_TYPE(addr, struct peer, u32),
	KSTATE_BASE_TYPE(weight, struct peer, u32));

struct net {
	struct list_head peers;
};

static KSTATE_DESCRIBE(net_state, "net", 1,
	KSTATE_LIST(peers, struct net, struct peer, link, &peer_state));

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

struct peer {
	struct list_head link;
	u32 addr;
};

static KSTATE_DESCRIBE(peer_state, "peer", 1,
	KSTATE_BASE_TYPE(addr, struct peer, u32));

struct net {
	struct list_head peers;
};

static KSTATE_DESCRIBE(net_state, "net", 1,
	KSTATE_LIST(peers, struct net, struct peer, link, &peer_state));

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
