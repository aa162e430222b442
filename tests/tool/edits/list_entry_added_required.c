// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The entries of a list get a required field.
 *
 * forward: blocked thing.routes.metric
 * back: blocked thing.routes.metric
 */
#include "edit.h"

#ifndef AFTER

struct route {
	struct list_head link;
	u32 dest;
};

static KSTATE_DESCRIBE(route_state, "route", 1,
	KSTATE_BASE_TYPE(dest, struct route, u32));

struct thing {
	struct list_head routes;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_LIST(routes, struct thing, struct route, link, &route_state));
USE(thing);

#else

struct route {
	struct list_head link;
	u32 dest;
	u32 metric;
};

static KSTATE_DESCRIBE(route_state, "route", 1,
	KSTATE_BASE_TYPE(dest, struct route, u32),
	KSTATE_BASE_TYPE(metric, struct route, u32));

struct thing {
	struct list_head routes;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_LIST(routes, struct thing, struct route, link, &route_state));
USE(thing);

#endif
