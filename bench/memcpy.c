// SPDX-License-Identifier: GPL-2.0-only
/* The least that can be done: copy. No keys, no names, no checks. */
#include "bench.h"

static size_t save_flat(void)
{
	for (u32 i = 0; i < NR_FLAT; i++)
		memcpy(room + i * sizeof(*flat_from), &flat_from[i], sizeof(*flat_from));
	return NR_FLAT * sizeof(*flat_from);
}

static void restore_flat(void)
{
	for (u32 i = 0; i < NR_FLAT; i++)
		memcpy(&flat_to[i], room + i * sizeof(*flat_to), sizeof(*flat_to));
}

static size_t save_nested(void)
{
	for (u32 i = 0; i < NR_NESTED; i++)
		memcpy(room + i * sizeof(*nested_from), &nested_from[i], sizeof(*nested_from));
	return NR_NESTED * sizeof(*nested_from);
}

static void restore_nested(void)
{
	for (u32 i = 0; i < NR_NESTED; i++)
		memcpy(&nested_to[i], room + i * sizeof(*nested_to), sizeof(*nested_to));
}

static size_t save_array(void)
{
	for (u32 i = 0; i < NR_ARRAY; i++)
		memcpy(room + i * sizeof(*array_from), &array_from[i], sizeof(*array_from));
	return NR_ARRAY * sizeof(*array_from);
}

static void restore_array(void)
{
	for (u32 i = 0; i < NR_ARRAY; i++)
		memcpy(&array_to[i], room + i * sizeof(*array_to), sizeof(*array_to));
}

#define ENTRY(_e)	((u8 *)(_e) + offsetof(struct entry, start))

static size_t save_list(void)
{
	const struct entry *entry;
	u8 *p = room;

	list_for_each_entry(entry, &list_from, list) {
		memcpy(p, ENTRY(entry), ENTRY_BYTES);
		p += ENTRY_BYTES;
	}
	return p - room;
}

static void restore_list(void)
{
	for (u32 i = 0; i < NR_ENTRIES; i++)
		memcpy(ENTRY(add_entry()), room + i * ENTRY_BYTES, ENTRY_BYTES);
}

const struct impl impl_memcpy = {
	.name = "memcpy",
	.save = { save_flat, save_nested, save_array, save_list },
	.restore = { restore_flat, restore_nested, restore_array, restore_list },
};

void lookup_memcpy(u32 nr, const struct small *from, struct small *to, const u32 *order,
		   u64 ns[3], size_t *bytes)
{
	struct small *copy = (void *)room;
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
