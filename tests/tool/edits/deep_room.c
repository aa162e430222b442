// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two levels down, in an array of structs, an array has less room.
 *
 * forward: value thing.ports.queue.pending
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct queue {
	u8 nr;
	u32 pending[16];
};

static KSTATE_DESCRIBE(queue_state, "queue", 1,
	KSTATE_VARRAY(pending, struct queue, nr));

struct port {
	struct queue queue;
};

static KSTATE_DESCRIBE(port_state, "port", 1,
	KSTATE_STRUCT(queue, struct port, &queue_state));

struct thing {
	struct port ports[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_ARRAY(ports, struct thing, &port_state));
USE(thing);

#else

struct queue {
	u8 nr;
	u32 pending[8];
};

static KSTATE_DESCRIBE(queue_state, "queue", 1,
	KSTATE_VARRAY(pending, struct queue, nr));

struct port {
	struct queue queue;
};

static KSTATE_DESCRIBE(port_state, "port", 1,
	KSTATE_STRUCT(queue, struct port, &queue_state));

struct thing {
	struct port ports[4];
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_ARRAY(ports, struct thing, &port_state));
USE(thing);

#endif
