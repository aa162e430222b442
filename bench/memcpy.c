// SPDX-License-Identifier: GPL-2.0-only
/* The least that can be done: copy. No keys, no names, no checks. */
#include "bench.h"

/*
 * Half a page away from where the objects are: copying to the same place in
 * another page is slow, because the processor takes loads for dependent on
 * stores whose addresses have the same low bits.
 */
#define COPY	(room + 2048)

static size_t save_flat(void)
{
	for (u32 i = 0; i < NR_FLAT; i++)
		memcpy(COPY + i * sizeof(*flat_from), &flat_from[i], sizeof(*flat_from));
	return NR_FLAT * sizeof(*flat_from);
}

static void restore_flat(void)
{
	for (u32 i = 0; i < NR_FLAT; i++)
		memcpy(&flat_to[i], COPY + i * sizeof(*flat_to), sizeof(*flat_to));
}

static size_t save_nested(void)
{
	for (u32 i = 0; i < NR_NESTED; i++)
		memcpy(COPY + i * sizeof(*nested_from), &nested_from[i], sizeof(*nested_from));
	return NR_NESTED * sizeof(*nested_from);
}

static void restore_nested(void)
{
	for (u32 i = 0; i < NR_NESTED; i++)
		memcpy(&nested_to[i], COPY + i * sizeof(*nested_to), sizeof(*nested_to));
}

static size_t save_array(void)
{
	for (u32 i = 0; i < NR_ARRAY; i++)
		memcpy(COPY + i * sizeof(*array_from), &array_from[i], sizeof(*array_from));
	return NR_ARRAY * sizeof(*array_from);
}

static void restore_array(void)
{
	for (u32 i = 0; i < NR_ARRAY; i++)
		memcpy(&array_to[i], COPY + i * sizeof(*array_to), sizeof(*array_to));
}

#define ENTRY(_e)	((u8 *)(_e) + offsetof(struct entry, start))

static size_t save_list(void)
{
	const struct entry *entry;
	u8 *p = COPY;

	list_for_each_entry(entry, &list_from, list) {
		memcpy(p, ENTRY(entry), ENTRY_BYTES);
		p += ENTRY_BYTES;
	}
	return p - COPY;
}

static void restore_list(void)
{
	for (u32 i = 0; i < NR_ENTRIES; i++)
		memcpy(ENTRY(add_entry()), COPY + i * ENTRY_BYTES, ENTRY_BYTES);
}

const struct impl impl_memcpy = {
	.name = "memcpy",
	.save = { save_flat, save_nested, save_array, save_list },
	.restore = { restore_flat, restore_nested, restore_array, restore_list },
};

void lookup_memcpy(u32 nr, const struct small *from, struct small *to, const u32 *order,
		   u64 ns[3], size_t *bytes)
{
	struct small *copy = (void *)COPY;
	u64 start = now();

	for (u32 i = 0; i < nr; i++)
		copy[i] = from[i];
	ns[0] = now() - start;
	ns[1] = 0;
	start = now();
	for (u32 i = 0; i < nr; i++)
		to[order[i]] = copy[order[i]];
	ns[2] = now() - start;
	*bytes = nr * sizeof(*copy);
}
