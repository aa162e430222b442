// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A state is renamed: states have no aliases.
 *
 * forward: blocked thing
 * back: blocked entity
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

struct entity {
	u32 count;
};

static KSTATE_DESCRIBE(entity_state, "entity", 1,
	KSTATE_BASE_TYPE(count, struct entity, u32));
USE(entity);

#endif
