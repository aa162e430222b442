// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A bit gets another number, which the mask does not have: it is refused when it is set.
 *
 * forward: value thing.features
 * back: value thing.features
 * lock: forward thing.features
 */
#include "edit.h"

#ifndef AFTER

static const struct kstate_flag_name names[] = { { 1, "csum" }, { 2, "gso" }, { } };
struct thing {
	u32 features;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(features, struct thing, u32, KSTATE_FLAG_NAMES(names),
			 KSTATE_MASK(3)));
USE(thing);

#else

static const struct kstate_flag_name names[] = { { 1, "csum" }, { 4, "gso" }, { } };
struct thing {
	u32 features;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(features, struct thing, u32, KSTATE_FLAG_NAMES(names),
			 KSTATE_MASK(3)));
USE(thing);

#endif
