// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two states break, each in its own way, and a third one does not.
 *
 * forward: value first.count, blocked second.delta
 * back: converted first.count, blocked second.delta
 */
#include "edit.h"

#ifndef AFTER

struct first {
	u64 count;
};

static KSTATE_DESCRIBE(first_state, "first", 1,
	KSTATE_BASE_TYPE(count, struct first, u64));
USE(first);

struct second {
	s32 delta;
};

static KSTATE_DESCRIBE(second_state, "second", 1,
	KSTATE_BASE_TYPE(delta, struct second, s32));
USE(second);

struct third {
	u16 mtu;
};

static KSTATE_DESCRIBE(third_state, "third", 1,
	KSTATE_BASE_TYPE(mtu, struct third, u16));
USE(third);

#else

struct first {
	u32 count;
};

static KSTATE_DESCRIBE(first_state, "first", 1,
	KSTATE_BASE_TYPE(count, struct first, u32));
USE(first);

struct second {
	u32 delta;
};

static KSTATE_DESCRIBE(second_state, "second", 1,
	KSTATE_BASE_TYPE(delta, struct second, u32));
USE(second);

struct third {
	u16 mtu;
};

static KSTATE_DESCRIBE(third_state, "third", 1,
	KSTATE_BASE_TYPE(mtu, struct third, u16));
USE(third);

#endif
