// SPDX-License-Identifier: GPL-2.0-only
/*
 * protobuf-c, as CRIU uses it: an image is a row of messages, each with its
 * size before it; members are copied to a message, packed, and back.
 */
#include "bench.h"
#include "bench.pb-c.h"

/* One message after the other in room[] */
struct image {
	u8 *pos;
};

static void put(struct image *image, const ProtobufCMessage *message)
{
	u32 size = protobuf_c_message_get_packed_size(message);

	memcpy(image->pos, &size, sizeof(size));
	if (protobuf_c_message_pack(message, image->pos + sizeof(size)) != size)
		fail("a message has another size");
	image->pos += sizeof(size) + size;
}

static void *get(struct image *image, const ProtobufCMessageDescriptor *type)
{
	void *message;
	u32 size;

	memcpy(&size, image->pos, sizeof(size));
	message = protobuf_c_message_unpack(type, NULL, size, image->pos + sizeof(size));
	if (!message)
		fail("a message cannot be unpacked");
	image->pos += sizeof(size) + size;
	return message;
}

#define PUT(_type, _name)	e._name = p->_name;
#define GET(_type, _name)	p->_name = e->_name;

static size_t save_flat(void)
{
	struct image image = { room };

	for (u32 i = 0; i < NR_FLAT; i++) {
		const struct flat *p = &flat_from[i];
		FlatEntry e = FLAT_ENTRY__INIT;

		e.key = i;
		FLAT_FIELDS(PUT)
		put(&image, &e.base);
	}
	return image.pos - room;
}

static void restore_flat(void)
{
	struct image image = { room };

	for (u32 i = 0; i < NR_FLAT; i++) {
		FlatEntry *e = get(&image, &flat_entry__descriptor);
		struct flat *p = &flat_to[e->key];

		FLAT_FIELDS(GET)
		flat_entry__free_unpacked(e, NULL);
	}
}

static size_t save_nested(void)
{
	struct image image = { room };

	for (u32 i = 0; i < NR_NESTED; i++) {
		NestedEntry n = NESTED_ENTRY__INIT;
		ElemEntry elems[NR_ELEMS], *ptrs[NR_ELEMS];

		for (u32 j = 0; j < NR_ELEMS; j++) {
			const struct elem *p = &nested_from[i].elems[j];
			ElemEntry e = ELEM_ENTRY__INIT;

			ELEM_FIELDS(PUT)
			elems[j] = e;
			ptrs[j] = &elems[j];
		}
		n.key = i;
		n.n_elems = NR_ELEMS;
		n.elems = ptrs;
		put(&image, &n.base);
	}
	return image.pos - room;
}

static void restore_nested(void)
{
	struct image image = { room };

	for (u32 i = 0; i < NR_NESTED; i++) {
		NestedEntry *n = get(&image, &nested_entry__descriptor);

		for (u32 j = 0; j < n->n_elems && j < NR_ELEMS; j++) {
			const ElemEntry *e = n->elems[j];
			struct elem *p = &nested_to[n->key].elems[j];

			ELEM_FIELDS(GET)
		}
		nested_entry__free_unpacked(n, NULL);
	}
}

static size_t save_array(void)
{
	struct image image = { room };

	for (u32 i = 0; i < NR_ARRAY; i++) {
		ArrayEntry e = ARRAY_ENTRY__INIT;

		e.key = i;
		e.data.len = ARRAY_BYTES;
		e.data.data = array_from[i].data;
		put(&image, &e.base);
	}
	return image.pos - room;
}

static void restore_array(void)
{
	struct image image = { room };

	for (u32 i = 0; i < NR_ARRAY; i++) {
		ArrayEntry *e = get(&image, &array_entry__descriptor);

		if (e->data.len != ARRAY_BYTES)
			fail("an array has another size");
		memcpy(array_to[e->key].data, e->data.data, ARRAY_BYTES);
		array_entry__free_unpacked(e, NULL);
	}
}

static size_t save_list(void)
{
	struct image image = { room };
	const struct entry *p;

	list_for_each_entry(p, &list_from, list) {
		ListEntry e = LIST_ENTRY__INIT;

		ENTRY_FIELDS(PUT)
		put(&image, &e.base);
	}
	return image.pos - room;
}

static void restore_list(void)
{
	struct image image = { room };

	for (u32 i = 0; i < NR_ENTRIES; i++) {
		ListEntry *e = get(&image, &list_entry__descriptor);
		struct entry *p = add_entry();

		ENTRY_FIELDS(GET)
		list_entry__free_unpacked(e, NULL);
	}
}

const struct impl impl_protobuf = {
	.name = "protobuf-c",
	.save = { save_flat, save_nested, save_array, save_list },
	.restore = { restore_flat, restore_nested, restore_array, restore_list },
};
