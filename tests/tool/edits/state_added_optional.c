// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An optional state is added: the older kernel keeps it aside and hands it on.
 *
 * forward: exact
 * back: aside extra
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

static KSTATE_DESCRIBE_OPTS(extra_state, "extra",
	(.version_id = 1, .min_version_id = 1, .optional = true),
	KSTATE_BASE_TYPE(a, struct extra, u32));
USE(extra);

#endif
