// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A struct is added; its members have defaults or become zero.
 *
 * forward: defaulted thing.extra
 * back: value thing.extra
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

struct extra {
	u32 a;
	u32 b;
};

static KSTATE_DESCRIBE(extra_state, "extra", 1,
	KSTATE_BASE_TYPE(a, struct extra, u32, KSTATE_DEFAULT(7)),
	KSTATE_BASE_TYPE(b, struct extra, u32));

struct thing {
	u32 peer;
	struct extra extra;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(peer, struct thing, u32),
	KSTATE_STRUCT(extra, struct thing, &extra_state, KSTATE_DEFAULT(0)));
USE(thing);

#endif
