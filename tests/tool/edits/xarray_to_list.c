// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An xarray becomes a list.
 *
 * forward: blocked thing.entries
 * back: blocked thing.entries
 */
#include "edit.h"

#ifndef AFTER

struct entry {
	struct list_head link;
	u64 mac;
};

static KSTATE_DESCRIBE(entry_state, "entry", 1,
	KSTATE_BASE_TYPE(mac, struct entry, u64));

struct thing {
	struct xarray entries;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_XARRAY(entries, struct thing, struct entry, &entry_state));
USE(thing);

#else

struct entry {
	struct list_head link;
	u64 mac;
};

static KSTATE_DESCRIBE(entry_state, "entry", 1,
	KSTATE_BASE_TYPE(mac, struct entry, u64));

struct thing {
	struct list_head entries;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_LIST(entries, struct thing, struct entry, link, &entry_state));
USE(thing);

#endif
