// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The version of a nested description is raised for good.
 *
 * forward: blocked thing.in
 * back: blocked thing.in
 */
#include "edit.h"

#ifndef AFTER

struct inner {
	u32 count;
};

static KSTATE_DESCRIBE(inner_state, "inner", 1,
	KSTATE_BASE_TYPE(count, struct inner, u32));

struct thing {
	struct inner in;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(in, struct thing, &inner_state));
USE(thing);

#else

struct inner {
	u32 count;
};

static KSTATE_DESCRIBE(inner_state, "inner", 2,
	KSTATE_BASE_TYPE(count, struct inner, u32));

struct thing {
	struct inner in;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(in, struct thing, &inner_state));
USE(thing);

#endif
