// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two descriptions become one: what one of them did not have is new there.
 *
 * forward: defaulted thing.tx.drops
 * back: value thing.tx.drops
 */
#include "edit.h"

#ifndef AFTER

struct in_rx {
	u64 count;
	u64 drops;
};

static KSTATE_DESCRIBE(in_rx_state, "in_rx", 1,
	KSTATE_BASE_TYPE(count, struct in_rx, u64),
	KSTATE_BASE_TYPE(drops, struct in_rx, u64, KSTATE_DEFAULT(0)));

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

#else

struct inner {
	u64 count;
	u64 drops;
};

static KSTATE_DESCRIBE(inner_state, "inner", 1,
	KSTATE_BASE_TYPE(count, struct inner, u64),
	KSTATE_BASE_TYPE(drops, struct inner, u64, KSTATE_DEFAULT(0)));

struct thing {
	struct inner rx;
	struct inner tx;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT(rx, struct thing, &inner_state),
	KSTATE_STRUCT(tx, struct thing, &inner_state));
USE(thing);

#endif
