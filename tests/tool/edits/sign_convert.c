// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A change of the sign with a function that takes it over.
 *
 * forward: function thing.pos
 * back: blocked thing.pos
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 pos;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(pos, struct thing, u32));
USE(thing);

#else

struct thing {
	s32 pos;
};

static int pos_convert(void *member, const struct kstate_value *from,
		       const struct kstate_field *field)
{
	u64 old;
	int ret = kstate_value_u64(from, 0, &old);

	*(s32 *)member = old;
	return ret;
}

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(pos, struct thing, s32, KSTATE_CONVERT(pos_convert)));
USE(thing);

#endif
