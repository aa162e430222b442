// SPDX-License-Identifier: GPL-2.0-only
/*
 * KSTATE: the files of the kernel, and a transport that does to the bytes what
 * KHO does: segments stay where they are, and are read where they are. So
 * saving is kstate_stream_save() of each object and publishing, restoring is
 * opening and kstate_stream_restore() of each object, with nothing in between.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kstate.h>
#include <linux/mm.h>
#include "store.h"
#include "describe.h"

/* Transport */

static size_t room_used;

static void *room_alloc(size_t size, struct kstate_edge *edge)
{
	void *mem = room + room_used;

	room_used += PAGE_ALIGN(size);
	if (room_used > ROOM)
		return NULL;
	edge->kind = KSTATE_EDGE_FOLIO;
	edge->addr = cpu_to_le64((unsigned long)mem);
	edge->size = cpu_to_le64(size);
	return memset(mem, 0, size);
}

static void room_free(void *mem, const struct kstate_edge *edge)
{
}

static void *room_map(const struct kstate_edge *edge)
{
	return (void *)(unsigned long)le64_to_cpu(edge->addr);
}

static const struct kstate_transport transport = {
	.name = "bench",
	.alloc = room_alloc,
	.free = room_free,
	.map = room_map,
	.unmap = room_free,
};

/* Descriptions of a later kernel */

/* Each in another order, with a member wider, one new and one gone */

#define FLAT2_FIELDS(X)							\
	X(u64, cookie) X(u32, epoch) X(u32, weight) X(u64, tx)		\
	X(u64, rx) X(bool, ready) X(u8, mode) X(s8, level)		\
	X(s16, trim) X(u16, port) X(s64, delta) X(u64, mask)		\
	X(u64, irq) X(bool, enabled) X(u8, revision) X(u16, device)	\
	X(u16, vendor) X(s32, node) X(u32, flags) X(u64, size)		\
	X(u64, start)

struct flat2 {
	FLAT2_FIELDS(MEMBER)
	u32 quota;
};

#define FLAT2_FIELD(_type, _name)	KSTATE_FIELD(struct flat2, _name),
static KSTATE_DESCRIBE(flat2_desc, "bench-flat", 1,
	FLAT2_FIELDS(FLAT2_FIELD)
	KSTATE_FIELD(struct flat2, quota, KSTATE_DEFAULT(7)),
	KSTATE_REMOVED("errors"));

#define ELEM2_FIELDS(X)	X(u64, addr) X(u64, count) X(u32, first)

struct elem2 {
	ELEM2_FIELDS(MEMBER)
	u32 quota;
};

struct nested2 {
	struct elem2 elems[NR_ELEMS];
};

#define ELEM2_FIELD(_type, _name)	KSTATE_FIELD(struct elem2, _name),
static KSTATE_DESCRIBE(elem2_desc, "bench-elem", 1,
	ELEM2_FIELDS(ELEM2_FIELD)
	KSTATE_FIELD(struct elem2, quota, KSTATE_DEFAULT(7)),
	KSTATE_REMOVED("flags"));
static KSTATE_DESCRIBE(nested2_desc, "bench-nested", 1,
	KSTATE_STRUCT_ARRAY(elems, struct nested2, &elem2_desc));

/* Of an array alone there is only the width to change */
struct array2 {
	u16 data[ARRAY_BYTES];
};

static KSTATE_DESCRIBE(array2_desc, "bench-array", 1,
	KSTATE_ARRAY(data, struct array2, u16));

#define ENTRY2_FIELDS(X)	X(u64, end) X(u64, prot) X(u64, start)

struct entry2 {
	ENTRY2_FIELDS(MEMBER)
	u32 quota;
	struct list_head list;
};

#define ENTRY2_FIELD(_type, _name)	KSTATE_FIELD(struct entry2, _name),
static KSTATE_DESCRIBE(entry2_desc, "bench-entry", 1,
	ENTRY2_FIELDS(ENTRY2_FIELD)
	KSTATE_FIELD(struct entry2, quota, KSTATE_DEFAULT(7)),
	KSTATE_REMOVED("flags"));
static KSTATE_DESCRIBE(list2_desc, "bench-list", 1,
	KSTATE_LIST(list, struct owner, struct entry2, list, &entry2_desc));

/* Sets */

static struct kstate_error err;
static struct kstate_set *out, *in;
static struct kstate_stream *stream;
static u64 opened;

static void must(bool ok)
{
	char text[sizeof(err) + 128];

	if (ok)
		return;
	kstate_error_text(&err, text, sizeof(text));
	fail(text);
}

static void begin(void)
{
	room_used = 0;
	out = kstate_set_create(&transport);
	must(out);
	stream = kstate_stream_create(out, "bench", &err);
	must(!IS_ERR(stream));
}

static void save(struct kstate_description *desc, const void *obj, u64 key)
{
	must(!kstate_stream_save(stream, desc, obj, KSTATE_ID(key), &err));
}

static size_t end(void)
{
	down_write(&out->use);
	must(!kstate_set_publish(out, &err));
	up_write(&out->use);
	return le64_to_cpu(out->header->total_size);
}

static void open(void)
{
	u64 start = now();

	in = kstate_set_open(&transport, out->header, PAGE_SIZE, NULL, &err);
	must(!IS_ERR(in) && !in->damage.code);
	stream = kstate_stream_find(in, "bench");
	opened = now() - start;
}

static void restore(struct kstate_description *desc, void *obj, u64 key)
{
	must(!kstate_stream_restore(stream, desc, obj, KSTATE_ID(key), &err));
}

static void clean(void)
{
	kstate_set_destroy(in);
	kstate_set_destroy(out);
}

static size_t save_flat(void)
{
	begin();
	for (u32 i = 0; i < NR_FLAT; i++)
		save(&flat_desc, &flat_from[i], i);
	return end();
}

static void restore_flat(void)
{
	open();
	for (u32 i = 0; i < NR_FLAT; i++)
		restore(&flat_desc, &flat_to[i], i);
}

static size_t save_nested(void)
{
	begin();
	for (u32 i = 0; i < NR_NESTED; i++)
		save(&nested_desc, &nested_from[i], i);
	return end();
}

static void restore_nested(void)
{
	open();
	for (u32 i = 0; i < NR_NESTED; i++)
		restore(&nested_desc, &nested_to[i], i);
}

static size_t save_array(void)
{
	begin();
	for (u32 i = 0; i < NR_ARRAY; i++)
		save(&array_desc, &array_from[i], i);
	return end();
}

static void restore_array(void)
{
	open();
	for (u32 i = 0; i < NR_ARRAY; i++)
		restore(&array_desc, &array_to[i], i);
}

/* The list heads are where the descriptions look for them */
static size_t save_list(void)
{
	begin();
	save(&list_desc, &list_from, 1);
	return end();
}

static void restore_list(void)
{
	open();
	restore(&list_desc, &list_to, 1);
}

const struct impl impl_kstate = {
	.name = "kstate",
	.save = { save_flat, save_nested, save_array, save_list },
	.restore = { restore_flat, restore_nested, restore_array, restore_list },
	.open = &opened,
	.clean = clean,
};

/* The same bytes, restored by the descriptions of a later kernel */

static struct flat2 *flat2_to;
static struct nested2 *nested2_to;
static struct array2 *array2_to;
static struct list_head list2_to;

/* Touched in the run that warms up */
static void *objects(void *mem, size_t size)
{
	if (!mem)
		mem = malloc(size);
	return memset(mem, 0x5a, size);
}

static size_t save_flat2(void)
{
	flat2_to = objects(flat2_to, NR_FLAT * sizeof(*flat2_to));
	return save_flat();
}

static void restore_flat2(void)
{
	open();
	for (u32 i = 0; i < NR_FLAT; i++)
		restore(&flat2_desc, &flat2_to[i], i);
}

#define SAME(_type, _name)	&& a->_name == b->_name

static bool check_flat2(void)
{
	for (u32 i = 0; i < NR_FLAT; i++) {
		const struct flat *a = &flat_from[i];
		const struct flat2 *b = &flat2_to[i];

		if (!(b->quota == 7 FLAT2_FIELDS(SAME)))
			return false;
	}
	return true;
}

static size_t save_nested2(void)
{
	nested2_to = objects(nested2_to, NR_NESTED * sizeof(*nested2_to));
	return save_nested();
}

static void restore_nested2(void)
{
	open();
	for (u32 i = 0; i < NR_NESTED; i++)
		restore(&nested2_desc, &nested2_to[i], i);
}

static bool check_nested2(void)
{
	for (u32 i = 0; i < NR_NESTED * NR_ELEMS; i++) {
		const struct elem *a = &nested_from[i / NR_ELEMS].elems[i % NR_ELEMS];
		const struct elem2 *b = &nested2_to[i / NR_ELEMS].elems[i % NR_ELEMS];

		if (!(b->quota == 7 ELEM2_FIELDS(SAME)))
			return false;
	}
	return true;
}

static size_t save_array2(void)
{
	array2_to = objects(array2_to, NR_ARRAY * sizeof(*array2_to));
	return save_array();
}

static void restore_array2(void)
{
	open();
	for (u32 i = 0; i < NR_ARRAY; i++)
		restore(&array2_desc, &array2_to[i], i);
}

static bool check_array2(void)
{
	for (u32 i = 0; i < NR_ARRAY; i++)
		for (u32 j = 0; j < ARRAY_BYTES; j++)
			if (array2_to[i].data[j] != array_from[i].data[j])
				return false;
	return true;
}

static void restore_list2(void)
{
	INIT_LIST_HEAD(&list2_to);
	open();
	restore(&list2_desc, &list2_to, 1);
}

static bool check_list2(void)
{
	struct list_head *at = list_from.next;
	struct entry2 *b, *next;
	bool same = true;

	list_for_each_entry_safe(b, next, &list2_to, list) {
		const struct entry *a = list_entry(at, struct entry, list);

		same = same && at != &list_from && b->quota == 7 ENTRY2_FIELDS(SAME);
		at = at->next;
		free(b);
	}
	return same && at == &list_from;
}

const struct impl impl_converted = {
	.name = "kstate-converted",
	.again = true,
	.save = { save_flat2, save_nested2, save_array2, save_list },
	.restore = { restore_flat2, restore_nested2, restore_array2, restore_list2 },
	.check = { check_flat2, check_nested2, check_array2, check_list2 },
	.open = &opened,
	.clean = clean,
};

/* Restoring includes opening, as for all */
void lookup_kstate(u32 nr, const struct small *from, struct small *to, const u32 *order,
		   bool ascending, u64 ns[3], size_t *bytes)
{
	u64 start = now();

	begin();
	for (u32 i = 0; i < nr; i++)
		save(&small_desc, &from[i], lookup_key(i, ascending));
	*bytes = end();
	ns[0] = now() - start;
	start = now();
	open();
	ns[1] = opened;
	for (u32 i = 0; i < nr; i++)
		restore(&small_desc, &to[order[i]], lookup_key(order[i], ascending));
	ns[2] = now() - start;
	clean();
}
