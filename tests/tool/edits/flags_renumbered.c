// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Names of bits change places: what the writer means is translated.
 *
 * forward: converted thing.features
 * back: converted thing.features
 * lock: forward thing.features
 */
#include "edit.h"

#ifndef AFTER

static const struct kstate_flag_name names[] = { { 1, "csum" }, { 2, "gso" }, { } };
struct thing {
	u32 features;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(features, struct thing, u32, KSTATE_FLAG_NAMES(names)));
USE(thing);

#else

static const struct kstate_flag_name names[] = { { 1, "gso" }, { 2, "csum" }, { } };
struct thing {
	u32 features;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(features, struct thing, u32, KSTATE_FLAG_NAMES(names)));
USE(thing);

#endif
