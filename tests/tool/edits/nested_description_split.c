// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two places that shared a description get one each.
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
	struct inner rx;
	struct inner tx;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(rx, struct thing, &inner_state),
	KSTATE_STRUCT(tx, struct thing, &inner_state));
USE(thing);

#else

struct in_rx {
	u64 count;
};

static KSTATE_DESCRIBE(in_rx_state, "in_rx", 1,
	KSTATE_BASE_TYPE(count, struct in_rx, u64));

struct in_tx {
	u64 count;
};

static KSTATE_DESCRIBE(in_tx_state, "in_tx", 1,
	KSTATE_BASE_TYPE(count, struct in_tx, u64));

struct thing {
	struct in_rx rx;
	struct in_tx tx;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(rx, struct thing, &in_rx_state),
	KSTATE_STRUCT(tx, struct thing, &in_tx_state));
USE(thing);

#endif
