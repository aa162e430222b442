// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A state is added. Nobody will claim it in the older kernel.
 *
 * forward: exact
 * back: blocked extra
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 count;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(count, struct thing, u32));
USE(thing);

struct extra {
	u32 a;
};

static KSTATE_DESCRIBE(extra_state, "extra", 1,
	KSTATE_BASE_TYPE(a, struct extra, u32));
USE(extra);

#endif
