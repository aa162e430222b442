// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A struct of one member becomes that member.
 *
 * forward: blocked thing.when
 * back: blocked thing.when
 */
#include "edit.h"

#ifndef AFTER

struct when {
	u64 ns;
};

static KSTATE_DESCRIBE(when_state, "when", 1,
	KSTATE_BASE_TYPE(ns, struct when, u64));

struct thing {
	struct when when;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(when, struct thing, &when_state));
USE(thing);

#else

struct thing {
	u64 when;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(when, struct thing, u64));
USE(thing);

#endif
