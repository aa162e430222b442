/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is carried, and by whom. Each implementation saves all objects of a
 * case to memory that has been touched before, and restores them from there.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/list.h>
#include <linux/types.h>

/* 22 scalars: 97 bytes of data, and 7 of holes */
#define FLAT_FIELDS(X)							\
	X(u64, start) X(u64, size) X(u32, flags) X(s32, node)		\
	X(u16, vendor) X(u16, device) X(u8, revision) X(bool, enabled)	\
	X(u32, irq) X(u64, mask) X(s64, delta) X(u16, port)		\
	X(s16, trim) X(s8, level) X(u8, mode) X(bool, ready)		\
	X(u64, rx) X(u64, tx) X(u64, errors) X(u32, weight)		\
	X(u32, epoch) X(u64, cookie)

#define FLAT_BYTES	97

#define MEMBER(_type, _name)	_type _name;

struct flat {
	FLAT_FIELDS(MEMBER)
};

/* 20 bytes of data and a hole of 4, in each of 16 elements */
#define ELEM_FIELDS(X)	X(u32, first) X(u32, count) X(u32, flags) X(u64, addr)
#define NR_ELEMS	16
#define ELEM_BYTES	20

struct elem {
	ELEM_FIELDS(MEMBER)
};

struct nested {
	struct elem elems[NR_ELEMS];
};

#define ARRAY_BYTES	(1 << 20)

struct array {
	u8 data[ARRAY_BYTES];
};

#define ENTRY_FIELDS(X)	X(u64, start) X(u64, end) X(u32, prot) X(u32, flags)
#define ENTRY_BYTES	24

struct entry {
	struct list_head list;
	ENTRY_FIELDS(MEMBER)
};

/* Looked up one by one */
#define SMALL_FIELDS(X)	X(u64, addr) X(u32, len) X(u32, flags)
#define SMALL_BYTES	16

struct small {
	SMALL_FIELDS(MEMBER)
};

enum { FLAT, NESTED, ARRAY, LIST, NR_CASES };

#define NR_FLAT		10000
#define NR_NESTED	10000
#define NR_ARRAY	4
#define NR_ENTRIES	10000

extern struct flat *flat_from, *flat_to;
extern struct nested *nested_from, *nested_to;
extern struct array *array_from, *array_to;
extern struct list_head list_from, list_to;

/**
 * struct impl - a way to carry objects
 * @name: its name
 * @again: it restores what another one saves: do not report its saving
 * @save: by case: all objects to bytes; returns how many bytes
 * @restore: by case: all objects from the bytes that were saved
 * @open: nanoseconds of the last @restore that went by before its first object
 * @check: by case: whether what was restored is right; NULL for the same objects
 * @clean: free what saving and restoring left, objects apart
 */
struct impl {
	const char *name;
	bool again;
	size_t (*save[NR_CASES])(void);
	void (*restore[NR_CASES])(void);
	u64 *open;
	bool (*check[NR_CASES])(void);
	void (*clean)(void);
};

extern const struct impl impl_memcpy, impl_fdt, impl_protobuf, impl_kstate, impl_converted;

u64 now(void);
void fail(const char *what);

/* Memory for bytes: touched, not zeroed, the same for each implementation */
#define ROOM	(192UL << 20)
extern u8 *room;

/* An entry at the end of list_to */
static inline struct entry *add_entry(void)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		fail("no memory");
	list_add_tail(&entry->list, &list_to);
	return entry;
}

/* Instances in random order: order[] has each number below @nr once */
void lookup_kstate(u32 nr, const struct small *from, struct small *to, const u32 *order,
		   bool ascending, u64 ns[3], size_t *bytes);
void lookup_memcpy(u32 nr, const struct small *from, struct small *to, const u32 *order,
		   u64 ns[3], size_t *bytes);
void lookup_fdt(u32 nr, u32 tries, const struct small *from, struct small *to, const u32 *order,
		u64 ns[3], size_t *bytes);
u64 lookup_key(u32 i, bool ascending);

#endif
