// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A break among changes that are all right: those stay what they are.
 *
 * forward: converted thing.rx, defaulted thing.scale, blocked thing.delta
 * back: value thing.rx, value thing.scale, blocked thing.delta
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 rx;
	s64 delta;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(rx, struct thing, u32),
	KSTATE_BASE_TYPE(delta, struct thing, s64));
USE(thing);

#else

struct thing {
	u64 rx;
	u8 scale;
	u64 delta;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(rx, struct thing, u64),
	KSTATE_BASE_TYPE(scale, struct thing, u8, KSTATE_DEFAULT(0)),
	KSTATE_BASE_TYPE(delta, struct thing, u64));
USE(thing);

#endif
