// SPDX-License-Identifier: GPL-2.0-only
/*
 * A flattened device tree, as clients of KHO write and read it: a node for
 * each object, a property for each member, in the byte order of the machine.
 */
#include <libfdt.h>
#include "bench.h"

#define PAGE	4096

static void must(int ret)
{
	if (ret < 0)
		fail(fdt_strerror(ret));
}

/* fdt_create() clears all the room it is given: it gets no more than is needed */
static void begin(size_t size)
{
	must(fdt_create(room, PAGE + size));
	must(fdt_finish_reservemap(room));
	must(fdt_begin_node(room, ""));
	must(fdt_property_string(room, "compatible", "bench-v1"));
}

static size_t end(void)
{
	must(fdt_end_node(room));
	must(fdt_finish(room));
	return fdt_totalsize(room);
}

static void begin_numbered(u32 i)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", i);
	must(fdt_begin_node(room, name));
}

static void open(void)
{
	must(fdt_check_header(room));
	must(fdt_node_check_compatible(room, 0, "bench-v1"));
}

static void get(int node, const char *name, void *to, int size)
{
	int len;
	const void *from = fdt_getprop(room, node, name, &len);

	if (!from || len != size)
		fail("a property is not there");
	memcpy(to, from, size);
}

#define PUT(_type, _name)	must(fdt_property(room, #_name, &p->_name, sizeof(p->_name)));
#define GET(_type, _name)	get(node, #_name, &p->_name, sizeof(p->_name));

static size_t save_flat(void)
{
	begin(NR_FLAT * 400);
	for (u32 i = 0; i < NR_FLAT; i++) {
		const struct flat *p = &flat_from[i];

		begin_numbered(i);
		FLAT_FIELDS(PUT)
		must(fdt_end_node(room));
	}
	return end();
}

static void restore_flat(void)
{
	u32 i = 0;
	int node;

	open();
	fdt_for_each_subnode(node, room, 0) {
		struct flat *p = &flat_to[i++];

		FLAT_FIELDS(GET)
	}
}

static size_t save_nested(void)
{
	begin(NR_NESTED * NR_ELEMS * 84);
	for (u32 i = 0; i < NR_NESTED; i++) {
		begin_numbered(i);
		for (u32 j = 0; j < NR_ELEMS; j++) {
			const struct elem *p = &nested_from[i].elems[j];

			begin_numbered(j);
			ELEM_FIELDS(PUT)
			must(fdt_end_node(room));
		}
		must(fdt_end_node(room));
	}
	return end();
}

static void restore_nested(void)
{
	int outer, node;
	u32 i = 0, j;

	open();
	fdt_for_each_subnode(outer, room, 0) {
		j = 0;
		fdt_for_each_subnode(node, room, outer) {
			struct elem *p = &nested_to[i].elems[j++];

			ELEM_FIELDS(GET)
		}
		i++;
	}
}

static size_t save_array(void)
{
	begin(NR_ARRAY * (ARRAY_BYTES + 40));
	for (u32 i = 0; i < NR_ARRAY; i++) {
		const struct array *p = &array_from[i];

		begin_numbered(i);
		PUT(u8, data)
		must(fdt_end_node(room));
	}
	return end();
}

static void restore_array(void)
{
	u32 i = 0;
	int node;

	open();
	fdt_for_each_subnode(node, room, 0) {
		struct array *p = &array_to[i++];

		GET(u8, data)
	}
}

static size_t save_list(void)
{
	const struct entry *p;
	u32 i = 0;

	begin(NR_ENTRIES * 88);
	list_for_each_entry(p, &list_from, list) {
		begin_numbered(i++);
		ENTRY_FIELDS(PUT)
		must(fdt_end_node(room));
	}
	return end();
}

static void restore_list(void)
{
	int node;

	open();
	fdt_for_each_subnode(node, room, 0) {
		struct entry *p = add_entry();

		ENTRY_FIELDS(GET)
	}
}

const struct impl impl_fdt = {
	.name = "libfdt",
	.save = { save_flat, save_nested, save_array, save_list },
	.restore = { restore_flat, restore_nested, restore_array, restore_list },
};

/* By the name of the node; only the first @tries of @order */
void lookup_fdt(u32 nr, u32 tries, const struct small *from, struct small *to, const u32 *order,
		u64 ns[3], size_t *bytes)
{
	u64 start = now();
	char name[16];

	begin(nr * 72);
	for (u32 i = 0; i < nr; i++) {
		const struct small *p = &from[i];

		begin_numbered(i);
		SMALL_FIELDS(PUT)
		must(fdt_end_node(room));
	}
	*bytes = end();
	ns[0] = now() - start;
	start = now();
	open();
	ns[1] = now() - start;
	for (u32 i = 0; i < tries; i++) {
		struct small *p = &to[order[i]];
		int node;

		snprintf(name, sizeof(name), "%u", order[i]);
		node = fdt_subnode_offset(room, 0, name);
		SMALL_FIELDS(GET)
	}
	ns[2] = now() - start;
}
