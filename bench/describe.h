/* SPDX-License-Identifier: GPL-2.0-only */
/* What is carried, as KSTATE describes it. */
#ifndef _BENCH_DESCRIBE_H
#define _BENCH_DESCRIBE_H

#include <linux/kstate.h>
#include "bench.h"

#define FLAT_FIELD(_type, _name)	KSTATE_FIELD(struct flat, _name),
static __maybe_unused KSTATE_DESCRIBE(flat_desc, "bench-flat", 1,
	FLAT_FIELDS(FLAT_FIELD) KSTATE_END_OF_LIST());

#define ELEM_FIELD(_type, _name)	KSTATE_FIELD(struct elem, _name),
static __maybe_unused KSTATE_DESCRIBE(elem_desc, "bench-elem", 1,
	ELEM_FIELDS(ELEM_FIELD) KSTATE_END_OF_LIST());
static __maybe_unused KSTATE_DESCRIBE(nested_desc, "bench-nested", 1,
	KSTATE_STRUCT_ARRAY(elems, struct nested, &elem_desc));

static __maybe_unused KSTATE_DESCRIBE(array_desc, "bench-array", 1,
	KSTATE_ARRAY(data, struct array, u8));

struct owner {
	struct list_head list;
};

#define ENTRY_FIELD(_type, _name)	KSTATE_FIELD(struct entry, _name),
static __maybe_unused KSTATE_DESCRIBE(entry_desc, "bench-entry", 1,
	ENTRY_FIELDS(ENTRY_FIELD) KSTATE_END_OF_LIST());
static __maybe_unused KSTATE_DESCRIBE(list_desc, "bench-list", 1,
	KSTATE_LIST(list, struct owner, struct entry, list, &entry_desc));

#define SMALL_FIELD(_type, _name)	KSTATE_FIELD(struct small, _name),
static __maybe_unused KSTATE_DESCRIBE(small_desc, "bench-small", 1,
	SMALL_FIELDS(SMALL_FIELD) KSTATE_END_OF_LIST());

/* Entries that hand a folio over */
struct held {
	struct list_head list;
	struct folio *folio;
};

static __maybe_unused KSTATE_DESCRIBE(held_desc, "bench-held", 1, KSTATE_FOLIO(folio, struct held));
static __maybe_unused KSTATE_DESCRIBE(holder_desc, "bench-holder", 1,
	KSTATE_LIST(list, struct owner, struct held, list, &held_desc));

#endif

