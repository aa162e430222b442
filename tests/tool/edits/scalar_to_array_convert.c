// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One element becomes an array, with a function that converts.
 *
 * forward: function thing.ip
 * back: blocked thing.ip
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 ip;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(ip, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 ip[4];
};

static int ip_convert(void *member, const struct kstate_value *from,
		      const struct kstate_field *field)
{
	u64 old;
	int ret = kstate_value_u64(from, 0, &old);

	*(u32 *)member = old;
	return ret;
}

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(ip, struct thing, u32, KSTATE_CONVERT(ip_convert)));
USE(thing);

#endif
