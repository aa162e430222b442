/* SPDX-License-Identifier: GPL-2.0-only */
/* What is carried, as KSTATE describes it. */
#ifndef _BENCH_DESCRIBE_H
#define _BENCH_DESCRIBE_H

#include <linux/kstate.h>
#include "bench.h"

#define FIELDS(_name, ...) \
	static const struct kstate_field _name[] __maybe_unused = { __VA_ARGS__ KSTATE_END_OF_LIST() }
#define DESC(_var, _name, _fields) \
	static struct kstate_description _var __maybe_unused = { \
		.name = _name, .version_id = 1, .min_version_id = 1, .fields = _fields }

#define FLAT_FIELD(_type, _name)	KSTATE_BASE_TYPE(_name, struct flat, _type),
FIELDS(flat_fields, FLAT_FIELDS(FLAT_FIELD));
DESC(flat_desc, "bench-flat", flat_fields);

#define ELEM_FIELD(_type, _name)	KSTATE_BASE_TYPE(_name, struct elem, _type),
FIELDS(elem_fields, ELEM_FIELDS(ELEM_FIELD));
DESC(elem_desc, "bench-elem", elem_fields);
FIELDS(nested_fields, KSTATE_STRUCT_ARRAY(elems, struct nested, &elem_desc),);
DESC(nested_desc, "bench-nested", nested_fields);

FIELDS(array_fields, KSTATE_ARRAY(data, struct array, u8),);
DESC(array_desc, "bench-array", array_fields);

struct owner {
	struct list_head list;
};

#define ENTRY_FIELD(_type, _name)	KSTATE_BASE_TYPE(_name, struct entry, _type),
FIELDS(entry_fields, ENTRY_FIELDS(ENTRY_FIELD));
DESC(entry_desc, "bench-entry", entry_fields);
FIELDS(list_fields, KSTATE_LIST(list, struct owner, struct entry, list, &entry_desc),);
DESC(list_desc, "bench-list", list_fields);

#define SMALL_FIELD(_type, _name)	KSTATE_BASE_TYPE(_name, struct small, _type),
FIELDS(small_fields, SMALL_FIELDS(SMALL_FIELD));
DESC(small_desc, "bench-small", small_fields);

/* Entries that hand a folio over */
struct held {
	struct list_head list;
	struct folio *folio;
};

FIELDS(held_fields, KSTATE_FOLIO(folio, struct held),);
DESC(held_desc, "bench-held", held_fields);
FIELDS(holder_fields, KSTATE_LIST(list, struct owner, struct held, list, &held_desc),);
DESC(holder_desc, "bench-holder", holder_fields);

#endif
