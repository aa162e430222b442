// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field of the structs in an array is widened.
 *
 * forward: converted thing.ports.speed
 * back: value thing.ports.speed
 */
#include "edit.h"

#ifndef AFTER

struct port {
	u32 speed;
};

static KSTATE_DESCRIBE(port_state, "port", 1,
	KSTATE_BASE_TYPE(speed, struct port, u32));

struct thing {
	struct port ports[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_ARRAY(ports, struct thing, &port_state));
USE(thing);

#else

struct port {
	u64 speed;
};

static KSTATE_DESCRIBE(port_state, "port", 1,
	KSTATE_BASE_TYPE(speed, struct port, u64));

struct thing {
	struct port ports[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_ARRAY(ports, struct thing, &port_state));
USE(thing);

#endif
