// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The default of a field of a struct that may be absent changes.
 *
 * forward: exact
 * back: exact
 * lock: forward thing.part.speed
 */
#include "edit.h"

#ifndef AFTER

struct part {
	u32 speed;
};

struct thing {
	u32 count;
	struct part part;
};

static KSTATE_DESCRIBE(part_state, "part", 1,
	KSTATE_BASE_TYPE(speed, struct part, u32, KSTATE_DEFAULT(1)));
static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32),
	KSTATE_STRUCT(part, struct thing, &part_state, KSTATE_DEFAULT(0)));
USE(thing);

#else

struct part {
	u32 speed;
};

struct thing {
	u32 count;
	struct part part;
};

static KSTATE_DESCRIBE(part_state, "part", 1,
	KSTATE_BASE_TYPE(speed, struct part, u32, KSTATE_DEFAULT(2)));
static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32),
	KSTATE_STRUCT(part, struct thing, &part_state, KSTATE_DEFAULT(0)));
USE(thing);

#endif
