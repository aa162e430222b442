// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A list becomes an array whose length a byte holds.
 *
 * forward: value thing.entries
 * back: exact
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
	struct list_head entries;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_LIST(entries, struct thing, struct entry, link, &entry_state));
USE(thing);

#else

struct entry {
	u64 mac;
};

static KSTATE_DESCRIBE(entry_state, "entry", 1,
	KSTATE_BASE_TYPE(mac, struct entry, u64));

struct thing {
	u8 nr;
	struct entry *entries;
};

static KSTATE_DESCRIBE(thing_state, "thing", 1,
	KSTATE_STRUCT_VARRAY(entries, struct thing, nr, &entry_state, KSTATE_ALLOC));
USE(thing);

#endif
