// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A field with functions of its own is added. Older kernels take what has written nothing.
 *
 * forward: defaulted thing.hist
 * back: value thing.hist
 */
#include "edit.h"

#ifndef AFTER

struct thing {
	u32 size;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_BASE_TYPE(size, struct thing, u32));
USE(thing);

#else

struct thing {
	u32 size;
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
	KSTATE_BASE_TYPE(size, struct thing, u32),
	KSTATE_CUSTOM(hist, struct thing, hist_save, hist_restore, KSTATE_DEFAULT(0)));
USE(thing);

#endif
