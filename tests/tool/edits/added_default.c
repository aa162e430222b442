// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field is added with a default: older kernels take it as long as it has that.
 *
 * forward: defaulted thing.scale
 * back: value thing.scale
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 peer;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(peer, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 peer;
	u32 scale;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(peer, struct thing, u32),
	KSTATE_BASE_TYPE(scale, struct thing, u32, KSTATE_DEFAULT(0)));
USE(thing);

#endif
