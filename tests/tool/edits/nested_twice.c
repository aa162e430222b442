// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A description that is used in two places changes: both places are named.
 *
 * forward: value thing.rx.count, value thing.tx.count
 * back: converted thing.rx.count, converted thing.tx.count
 */
#include "edit.h"

#ifndef AFTER

struct inner {
	u64 count;
};

static KSTATE_DESCRIBE(inner_state, "inner", 1,
	KSTATE_BASE_TYPE(count, struct inner, u64));

struct thing {
	struct inner rx;
	struct inner tx;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(rx, struct thing, &inner_state),
	KSTATE_STRUCT(tx, struct thing, &inner_state));
USE(thing);

#else

struct inner {
	u32 count;
};

static KSTATE_DESCRIBE(inner_state, "inner", 1,
	KSTATE_BASE_TYPE(count, struct inner, u32));

struct thing {
	struct inner rx;
	struct inner tx;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(rx, struct thing, &inner_state),
	KSTATE_STRUCT(tx, struct thing, &inner_state));
USE(thing);

#endif
