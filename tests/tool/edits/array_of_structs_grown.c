// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An array of structs grown, with a default for the rest.
 *
 * forward: defaulted thing.ports
 * back: value thing.ports
 */
#include "edit.h"

#ifndef AFTER

struct port {
	u32 speed;
};

static KSTATE_DESCRIBE(port_state, "port", 1,
	KSTATE_BASE_TYPE(speed, struct port, u32));

struct thing {
	struct port ports[2];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_ARRAY(ports, struct thing, &port_state, KSTATE_DEFAULT(0)));
USE(thing);

#else

struct port {
	u32 speed;
};

static KSTATE_DESCRIBE(port_state, "port", 1,
	KSTATE_BASE_TYPE(speed, struct port, u32));

struct thing {
	struct port ports[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_ARRAY(ports, struct thing, &port_state, KSTATE_DEFAULT(0)));
USE(thing);

#endif
