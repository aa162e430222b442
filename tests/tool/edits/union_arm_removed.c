// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An arm of a union goes: objects that use it are refused.
 *
 * forward: value thing.u
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct file {
	u64 inode;
};

static KSTATE_DESCRIBE(file_state, "file", 1,
	KSTATE_BASE_TYPE(inode, struct file, u64));

struct net {
	u16 port;
};

static KSTATE_DESCRIBE(net_state, "net", 1,
	KSTATE_BASE_TYPE(port, struct net, u16));

struct thing {
	u32 type;
	union {
		struct net net;
		struct file file;
	} u;
};

static const struct kstate_arm arms[] = {
	{ "net", 1, &net_state },
	{ "file", 2, &file_state },
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
	{ "net", 1, &net_state },
	{ }
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_UNION(u, struct thing, type, arms));
USE(thing);

#endif
