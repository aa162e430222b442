// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The names of flags are added.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 flags;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(flags, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 flags;
};

static const struct kstate_flag_name names[] = {
	{ BIT(0), "jumbo" },
	{ BIT(1), "pause" },
	{ }
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(flags, struct thing, u32, KSTATE_FLAG_NAMES(names)));
USE(thing);

#endif
