// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A nested description gets another name, as does its struct: the name does not matter.
 *
 * forward: exact
 * back: exact
 */
#include "edit.h"

#ifndef AFTER

struct inner {
	u64 count;
};

static KSTATE_DESCRIBE(inner_state, "inner", 1,
	KSTATE_BASE_TYPE(count, struct inner, u64));

struct thing {
	struct inner in;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(in, struct thing, &inner_state));
USE(thing);

#else

struct counter {
	u64 count;
};

static KSTATE_DESCRIBE(counter_state, "counter", 1,
	KSTATE_BASE_TYPE(count, struct counter, u64));

struct thing {
	struct counter in;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(in, struct thing, &counter_state));
USE(thing);

#endif
