// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field of the entries of an xarray is renamed, with an alias.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct port {
	u32 rate;
};

static KSTATE_DESCRIBE(port_state, "port", 1,
	KSTATE_BASE_TYPE(rate, struct port, u32));

struct thing {
	struct xarray ports;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_XARRAY(ports, struct thing, struct port, &port_state));
USE(thing);

#else

struct port {
	u32 mbit;
};

static KSTATE_DESCRIBE(port_state, "port", 1,
	KSTATE_BASE_TYPE(mbit, struct port, u32, KSTATE_ALIAS("rate")));

struct thing {
	struct xarray ports;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_XARRAY(ports, struct thing, struct port, &port_state));
USE(thing);

#endif
