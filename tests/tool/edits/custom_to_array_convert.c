// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What two functions wrote becomes an array, and a third one converts.
 *
 * forward: function thing.hist
 * back: blocked thing.hist
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u64 hist[4];
};

static int hist_save(struct kstate_stream *stream, void *member,
		     const struct kstate_field *field)
{
	return 0;
}

static int hist_restore(struct kstate_stream *stream, void *member,
			const struct kstate_field *field)
{
	return 0;
}

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_CUSTOM(hist, struct thing, hist_save, hist_restore));
USE(thing);

#else

struct thing {
	u64 hist[4];
};

static int hist_convert(void *member, const struct kstate_value *from,
			const struct kstate_field *field)
{
	return 0;
}

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_ARRAY(hist, struct thing, u64, KSTATE_CONVERT(hist_convert)));
USE(thing);

#endif
