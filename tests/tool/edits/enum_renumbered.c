// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A value is put between others, so that they move: translated, but for values that had
 * no name
 *
 * forward: value thing.features
 * back: value thing.features
 * lock: forward thing.features
 */
#include "edit.h"

#ifndef AFTER

static const struct kstate_flag_name names[] = { { 0, "off" }, { 1, "slow" }, { 2, "fast" }, { } };
struct thing {
	u32 features;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(features, struct thing, u32, KSTATE_ENUM_NAMES(names)));
USE(thing);

#else

static const struct kstate_flag_name names[] = { { 0, "off" }, { 1, "idle" }, { 2, "slow" }, { 3, "fast" }, { } };
struct thing {
	u32 features;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(features, struct thing, u32, KSTATE_ENUM_NAMES(names)));
USE(thing);

#endif
