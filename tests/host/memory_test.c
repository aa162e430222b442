// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults by which memory would be written, lost or given away twice: descriptions,
 * objects and records that have to be refused, in every place where a struct can be.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/kexec.h>
#include "fault.h"

#define ANY	KSTATE_OK

struct small {
	u32 a;
	u32 b;
};

struct big {
	u64 a[4];
	char *text;
};

struct link {
	u32 a;
	struct list_head link;
};

KSTATE_DESCRIBE_STATIC(small_desc, "small", 1, KSTATE_BASE_TYPE(a, struct small, u32));
KSTATE_DESCRIBE_STATIC(big_desc, "big", 1,
	KSTATE_ARRAY(a, struct big, u64),
	KSTATE_STRING(text, struct big));
KSTATE_DESCRIBE_STATIC(link_desc, "link", 1, KSTATE_BASE_TYPE(a, struct link, u32));

/* Members that overlap */

struct overlap {
	union { u32 *pointer; u32 *pointer2; char *text; struct folio *folio; void *area; };
	union { struct list_head list; struct list_head list2; };
	union { struct xarray xarray; struct xarray xarray2; };
	union { u64 array[2]; u64 array2[2]; struct { u32 skip; u32 high; }; };
	union { u64 nr; u32 nr_low; u16 nr_lower; };
	union { struct small s; struct small s2; } nested;
	DECLARE_BITMAP(bits, 64);
	u16 *varray;
	u32 tag;
	u8 fixed[8];
};

static bool needed(const void *obj)
{
	return true;
}

static int put_nothing(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	return 0;
}

/* A member that is described twice is refused, with the name of the second field */
#define overlaps(_path, ...) do {					\
	KSTATE_DESCRIBE_STATIC(__desc, "overlap", 1, __VA_ARGS__);				\
	bad_description(&__desc, sizeof(struct overlap), _path);	\
} while (0)

#define O	struct overlap

static void pointer_twice(void **state)
{
	overlaps("pointer2", KSTATE_POINTER(pointer, O, KSTATE_ALLOC),
		 KSTATE_POINTER(pointer2, O, KSTATE_ALLOC));
	overlaps("text", KSTATE_POINTER(pointer, O, KSTATE_ALLOC), KSTATE_STRING(text, O));
	overlaps("folio", KSTATE_STRING(text, O), KSTATE_FOLIO(folio, O));
	overlaps("area", KSTATE_FOLIO(folio, O), KSTATE_VMALLOC(area, O));
	overlaps("area", KSTATE_POINTER(pointer, O),
		 KSTATE_ADDRESS(area, O, KS_LINEAR_ADDR));
}

static void container_twice(void **state)
{
	overlaps("list2", KSTATE_LIST(list, O, struct link, link, &link_desc),
		 KSTATE_LIST(list2, O, struct link, link, &link_desc));
	overlaps("xarray2", KSTATE_XARRAY(xarray, O, struct small, &small_desc),
		 KSTATE_XARRAY(xarray2, O, struct small, &small_desc));
}

static void array_twice(void **state)
{
	overlaps("array2", KSTATE_ARRAY(array, O, u64), KSTATE_ARRAY(array2, O, u64));
	overlaps("high", KSTATE_ARRAY(array, O, u64), KSTATE_BASE_TYPE(high, O, u32));
	overlaps("array", KSTATE_BASE_TYPE(high, O, u32), KSTATE_ARRAY(array, O, u64));
	overlaps("array2", KSTATE_CUSTOM(array, O, put_nothing, put_nothing),
		 KSTATE_ARRAY(array2, O, u64));
	overlaps("bits[0]", KSTATE_BITMAP(bits, O, 64),
		 KSTATE_BASE_TYPE(bits[0], O, unsigned long));
}

static void struct_twice(void **state)
{
	overlaps("nested.s2", KSTATE_STRUCT(nested.s, O, &small_desc),
		 KSTATE_STRUCT(nested.s2, O, &small_desc));
	overlaps("nested.s.a", KSTATE_STRUCT(nested.s, O, &small_desc),
		 KSTATE_BASE_TYPE(nested.s.a, O, u32));
	overlaps("nested.s2", KSTATE_BASE_TYPE(nested.s.a, O, u32),
		 KSTATE_STRUCT(nested.s2, O, &small_desc));
}

/* What a group describes is described */
static void group_twice(void **state)
{
	KSTATE_DESCRIBE_STATIC(pointer_group, "group", 1,
	     KSTATE_POINTER(pointer2, O, KSTATE_ALLOC, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(list_group, "group", 1,
	     KSTATE_LIST(list2, O, struct link, link, &link_desc, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(array_group, "group", 1,
		KSTATE_BASE_TYPE(high, O, u32, KSTATE_DEFAULT(0)));

	overlaps("g.pointer2", KSTATE_POINTER(pointer, O, KSTATE_ALLOC),
		 KSTATE_GROUP(g, &pointer_group, needed));
	overlaps("pointer", KSTATE_GROUP(g, &pointer_group, needed),
		 KSTATE_POINTER(pointer, O, KSTATE_ALLOC));
	overlaps("h.pointer2", KSTATE_GROUP(g, &pointer_group, needed),
		 KSTATE_GROUP(h, &pointer_group, needed));
	overlaps("g.list2", KSTATE_LIST(list, O, struct link, link, &link_desc),
		 KSTATE_GROUP(g, &list_group, needed));
	overlaps("g.high", KSTATE_ARRAY(array, O, u64), KSTATE_GROUP(g, &array_group, needed));
	overlaps("pointer2", KSTATE_GROUP(g, &list_group, needed),
		 KSTATE_POINTER(pointer, O), KSTATE_POINTER(pointer2, O));
}

static const struct kstate_arm small_arms[] = {
	{ "none", 0, NULL }, { "small", 1, &small_desc }, { }
};

static void union_twice(void **state)
{
	overlaps("nested.s", KSTATE_UNION(nested, O, tag, small_arms),
		 KSTATE_STRUCT(nested.s, O, &small_desc));
	overlaps("nested", KSTATE_BASE_TYPE(nested.s.b, O, u32),
		 KSTATE_UNION(nested, O, tag, small_arms));
	/* A tag in the union that it selects */
	overlaps("nested", KSTATE_UNION(nested, O, nested.s.a, small_arms));
	overlaps("nested", KSTATE_UNION(nested, O, nested.s.b, small_arms));
}

/* A length is a field's very member, or no field's */
static void length_in_another_member(void **state)
{
	overlaps("varray", KSTATE_BASE_TYPE(nr, O, u64), KSTATE_VARRAY(varray, O, nr_low));
	overlaps("varray", KSTATE_BASE_TYPE(nr_low, O, u32), KSTATE_VARRAY(varray, O, nr_lower));
	overlaps("fixed", KSTATE_VARRAY(varray, O, nr), KSTATE_VARRAY(fixed, O, nr_low));
	overlaps("varray", KSTATE_ARRAY(array, O, u64), KSTATE_VARRAY(varray, O, high));
	overlaps("fixed", KSTATE_VARRAY(fixed, O, fixed[7]));
	overlaps("nested", KSTATE_STRUCT(nested.s, O, &small_desc),
		 KSTATE_UNION(nested, O, tag, small_arms));
}

static void no_overlap(void **state)
{
	KSTATE_DESCRIBE_STATIC(group, "group", 1,
		KSTATE_BASE_TYPE(nr_low, O, u32, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(all_good, "overlap", 1,
	     KSTATE_POINTER(pointer, O, KSTATE_ALLOC),
	     KSTATE_LIST(list, O, struct link, link, &link_desc),
	     KSTATE_XARRAY(xarray, O, struct small, &small_desc),
	     KSTATE_BASE_TYPE(skip, O, u32), KSTATE_BASE_TYPE(high, O, u32),
	     KSTATE_BASE_TYPE(nr, O, u64), KSTATE_VARRAY(varray, O, nr, KSTATE_ALLOC),
	     KSTATE_VARRAY(fixed, O, nr),
	     KSTATE_BASE_TYPE(tag, O, u32), KSTATE_UNION(nested, O, tag, small_arms),
	     KSTATE_BITMAP(bits, O, 64));

	good_description(&all_good, sizeof(O));
	/* But what one member is has to be said in one description */
	overlaps("g.nr_low", KSTATE_VARRAY(varray, O, nr_low, KSTATE_ALLOC),
		 KSTATE_GROUP(g, &group, needed));
}

#undef O

/* Descriptions of more than there is */

struct holder {
	struct small one;
	struct small array[2];
	struct small *pointer;
	struct small *varray;
	struct small *pointers[2];
	u32 nr;
	struct list_head list;
	struct xarray xarray;
	union { struct small s; u64 b; } u;
};

static const struct kstate_arm big_arms[] = {
	{ "small", 0, &small_desc }, { "big", 1, &big_desc }, { }
};

#define too_large(_path, ...) do {					\
	KSTATE_DESCRIBE_STATIC(__desc, "holder", 1, __VA_ARGS__);				\
	bad_description(&__desc, sizeof(struct holder), _path);		\
} while (0)

static void larger_than_its_place(void **state)
{
	too_large("one", KSTATE_STRUCT(one, struct holder, &big_desc));
	too_large("array", KSTATE_STRUCT_ARRAY(array, struct holder, &big_desc));
	too_large("pointer", KSTATE_STRUCT_POINTER(pointer, struct holder, &big_desc,
						   KSTATE_ALLOC));
	too_large("varray", KSTATE_STRUCT_VARRAY(varray, struct holder, nr, &big_desc,
						 KSTATE_ALLOC));
	too_large("pointers", KSTATE_ARRAY_OF_STRUCT_POINTER(pointers, struct holder, &big_desc,
							     KSTATE_ALLOC));
	too_large("list", KSTATE_LIST(list, struct holder, struct link, link, &big_desc));
	too_large("xarray", KSTATE_XARRAY(xarray, struct holder, struct small, &big_desc));
	too_large("u", KSTATE_UNION(u, struct holder, nr, big_arms));
}

/* By one byte, in a member of a member, through a group or a length */
static void larger_by_little(void **state)
{
	struct tight { u8 bytes[9]; };
	struct seven { u8 bytes[7]; u8 nr; };
	struct mid { struct small s; };
	KSTATE_DESCRIBE_STATIC(nine, "nine", 1, KSTATE_ARRAY(bytes, struct tight, u8));
	KSTATE_DESCRIBE_STATIC(mid, "mid", 1, KSTATE_STRUCT(s, struct mid, &big_desc));
	KSTATE_DESCRIBE_STATIC(group, "group", 1,
		KSTATE_BASE_TYPE(a[2], struct big, u64, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(grouping, "grouping", 1,
	     KSTATE_BASE_TYPE(a[0], struct big, u64),
	     KSTATE_GROUP(g, &group, needed));
	KSTATE_DESCRIBE_STATIC(length, "length", 1, KSTATE_VARRAY(bytes, struct seven, nr));
	struct outer7 { struct { u8 bytes[7]; } s; u8 next; };

	too_large("one", KSTATE_STRUCT(one, struct holder, &nine));
	too_large("one.s", KSTATE_STRUCT(one, struct holder, &mid));
	too_large("one", KSTATE_STRUCT(one, struct holder, &grouping));
	{
		KSTATE_DESCRIBE_STATIC(desc, "outer7", 1, KSTATE_STRUCT(s, struct outer7, &length));

		bad_description(&desc, sizeof(struct outer7), "s");
	}
}

static void link_outside_of_the_entry(void **state)
{
	static const struct kstate_field fields[] = {
		{ .name = "list", .kind = KS_LIST, .offset = offsetof(struct holder, list),
		  .size = sizeof(struct small), .link = sizeof(struct small), .ksd = &small_desc },
		KSTATE_END_OF_LIST()
	};
	struct kstate_description desc = { .name = "holder", .fields = fields };

	bad_description(&desc, sizeof(struct holder), "list");
}

static void link_that_is_described(void **state)
{
	struct entry { u64 a; union { struct list_head link; u64 b; }; };
	KSTATE_DESCRIBE_STATIC(entry, "entry", 1, KSTATE_BASE_TYPE(b, struct entry, u64));
	KSTATE_DESCRIBE_STATIC(desc, "holder", 1,
		KSTATE_LIST(list, struct holder, struct entry, link, &entry));

	bad_description(&desc, sizeof(struct holder), "list");
}

/* As large as its place, and no larger */
static void as_large_as_its_place(void **state)
{
	KSTATE_DESCRIBE_STATIC(full, "full", 1, KSTATE_BASE_TYPE(a, struct small, u32),
	     KSTATE_BASE_TYPE(b, struct small, u32));
	static const struct kstate_arm arms[] = { { "full", 1, &full }, { } };
	KSTATE_DESCRIBE_STATIC(desc, "holder", 1,
	     KSTATE_STRUCT(one, struct holder, &full),
	     KSTATE_STRUCT_ARRAY(array, struct holder, &full),
	     KSTATE_STRUCT_POINTER(pointer, struct holder, &full),
	     KSTATE_XARRAY(xarray, struct holder, struct small, &full),
	     KSTATE_UNION(u, struct holder, nr, arms));

	good_description(&desc, sizeof(struct holder));
}

/* Tags that their member cannot hold */

struct tags {
	u8 b;
	s8 i;
	bool flag;
	u16 w;
	union { struct small s; } u;
	union { struct small s; } v;
};

#define TAGS(_name, _tag) \
	static const struct kstate_arm _name[] = { { "x", 1, &small_desc }, \
						   { "y", _tag, &small_desc }, { } }

static void tag_too_large(void **state)
{
	TAGS(arms256, 256);
	TAGS(arms65536, 65536);
	TAGS(arms200, 200);
	TAGS(arms2, 2);
	TAGS(arms_minus, (u64)-1);
	TAGS(arms_minus129, (u64)-129);
#define bad_tag(_tag, _arms) do {					\
	KSTATE_DESCRIBE_STATIC(__desc, "tags", 1, KSTATE_UNION(u, struct tags, _tag, _arms));	\
	bad_description(&__desc, sizeof(struct tags), "u");		\
} while (0)
	bad_tag(b, arms256);
	bad_tag(b, arms_minus);
	bad_tag(w, arms65536);
	bad_tag(i, arms200);
	bad_tag(i, arms_minus129);
	bad_tag(flag, arms2);
	{
		KSTATE_DESCRIBE_STATIC(desc, "tags", 1, KSTATE_UNION(u, struct tags, i, arms_minus),
		     KSTATE_UNION(v, struct tags, b, arms200));

		good_description(&desc, sizeof(struct tags));
	}
}

/* Lists that do not end */

struct heads {
	struct list_head list;
	struct hlist_head hlist;
};

struct hentry {
	u32 a;
	struct hlist_node link;
};

KSTATE_DESCRIBE_STATIC(hentry_desc, "hentry", 1, KSTATE_BASE_TYPE(a, struct hentry, u32));
KSTATE_DESCRIBE_STATIC(list_desc, "heads", 1,
	KSTATE_LIST(list, struct heads, struct link, link, &link_desc));
KSTATE_DESCRIBE_STATIC(hlist_desc, "heads", 1,
	KSTATE_HLIST(hlist, struct heads, struct hentry, link, &hentry_desc));

static struct link entries[3];
static struct hentry hentries[3];

static void fill_cycle(void *obj)
{
	struct heads *h = obj;

	INIT_LIST_HEAD(&h->list);
	for (int i = 0; i < 3; i++)
		list_add_tail(&entries[i].link, &h->list);
	/* The last one leads to the second one */
	entries[2].link.next = &entries[1].link;
}

static void fill_self(void *obj)
{
	fill_cycle(obj);
	entries[1].link.next = &entries[1].link;
}

/* An entry that has been moved to another list */
static void fill_foreign(void *obj)
{
	static LIST_HEAD(other);

	fill_cycle(obj);
	INIT_LIST_HEAD(&other);
	entries[2].link.next = &other;
	other.next = &entries[2].link;
}

static void fill_null(void *obj)
{
	fill_cycle(obj);
	entries[1].link.next = NULL;
}

static void fill_hcycle(void *obj)
{
	struct heads *h = obj;

	INIT_HLIST_HEAD(&h->hlist);
	for (int i = 0; i < 3; i++)
		hlist_add_head(&hentries[i].link, &h->hlist);
	hentries[0].link.next = &hentries[1].link;
}

static void list_without_end(void **state)
{
	bad_object(&list_desc, sizeof(struct heads), fill_cycle, NULL, KSTATE_VALUE, "list", NULL);
	bad_object(&list_desc, sizeof(struct heads), fill_self, NULL, KSTATE_VALUE, "list", NULL);
	bad_object(&list_desc, sizeof(struct heads), fill_foreign, NULL, KSTATE_VALUE, "list",
		   NULL);
}

static void list_that_breaks_off(void **state)
{
	bad_object(&list_desc, sizeof(struct heads), fill_null, NULL, KSTATE_VALUE, "list", NULL);
}

static void hlist_without_end(void **state)
{
	bad_object(&hlist_desc, sizeof(struct heads), fill_hcycle, NULL, KSTATE_VALUE, "hlist",
		   NULL);
}

/* What an xarray can hold and a record cannot */

struct maps {
	struct xarray xarray;
};

KSTATE_DESCRIBE_STATIC(maps_desc, "maps", 1,
	KSTATE_XARRAY(xarray, struct maps, struct small, &small_desc));

static struct small smalls[2] = { { 1, 2 }, { 3, 4 } };

static void fill_map(void *obj)
{
	struct maps *m = obj;

	xa_init(&m->xarray);
	xa_store(&m->xarray, 3, &smalls[0], GFP_KERNEL);
}

static void fill_value(void *obj)
{
	fill_map(obj);
	xa_store(&((struct maps *)obj)->xarray, 7, xa_mk_value(5), GFP_KERNEL);
}

/* Looks like a pointer to one byte behind the entry */
static void fill_tagged(void *obj)
{
	fill_map(obj);
	xa_store(&((struct maps *)obj)->xarray, 7, (char *)&smalls[1] + 1, GFP_KERNEL);
}

static void fill_mark(void *obj)
{
	fill_map(obj);
	xa_set_mark(&((struct maps *)obj)->xarray, 3, XA_MARK_1);
}

static void fill_mark_0(void *obj)
{
	fill_map(obj);
	xa_set_mark(&((struct maps *)obj)->xarray, 3, XA_MARK_0);
}

static void fill_range(void *obj)
{
	fill_map(obj);
	xa_store_range(&((struct maps *)obj)->xarray, 16, 19, &smalls[1], GFP_KERNEL);
}

/* Three indices, which no order tells */
static void fill_odd_range(void *obj)
{
	fill_map(obj);
	xa_store_range(&((struct maps *)obj)->xarray, 16, 18, &smalls[1], GFP_KERNEL);
}

static void empty_map(void *obj)
{
	xa_destroy(&((struct maps *)obj)->xarray);
}

#define bad_map(_fill) \
	bad_object(&maps_desc, sizeof(struct maps), _fill, empty_map, KSTATE_VALUE, "xarray", NULL)

static void xarray_values(void **state)
{
	bad_map(fill_value);
	bad_map(fill_tagged);
}

static void xarray_marks(void **state)
{
	bad_map(fill_mark);
	bad_map(fill_mark_0);
}

static void xarray_ranges(void **state)
{
	bad_map(fill_range);
	bad_map(fill_odd_range);
}

/* An xarray that allocates indices has marks of its own; reserved places are empty */
static void xarray_of_ids(void **state)
{
	struct maps from, to;
	u32 id;

	xa_init_flags(&from.xarray, XA_FLAGS_ALLOC);
	xa_init_flags(&to.xarray, XA_FLAGS_ALLOC);
	assert_false(xa_alloc(&from.xarray, &id, &smalls[0], xa_limit_32b, GFP_KERNEL));
	assert_false(xa_alloc(&from.xarray, &id, &smalls[1], xa_limit_32b, GFP_KERNEL));
	carry_ok(&maps_desc, &from, &maps_desc, &to, KSTATE_EXACT);
	for (int i = 0; i < 2; i++) {
		struct small *s = xa_load(&to.xarray, i);

		assert_int_equal(s->a, smalls[i].a);
		kvfree(s);
	}
	xa_destroy(&from.xarray);
	xa_destroy(&to.xarray);
}

/* An index of which nothing is known when reading the path */
static void paths_of_elements_when_saving(void **state)
{
	struct flags { bool on; };
	KSTATE_DESCRIBE_STATIC(flag, "flag", 1, KSTATE_BASE_TYPE(on, struct flags, bool));
	KSTATE_DESCRIBE_STATIC(pointers, "maps", 1,
		KSTATE_XARRAY(xarray, struct maps, struct flags, &flag));
	static u8 wrong = 2;
	struct maps m;

	xa_init(&m.xarray);
	xa_store(&m.xarray, 11, &wrong, GFP_KERNEL);
	save_refused(&pointers, &m, KSTATE_VALUE, "maps[1].xarray[11].on", "2");
	xa_destroy(&m.xarray);
}

/* A union of the object holds another arm than the record */

struct arm_ints {
	u64 x;
	u64 y;
};

struct arm_pointers {
	u32 *p;
	char *text;
};

struct arm_list {
	struct list_head list;
};

struct shape {
	u8 tag;
	union {
		struct arm_ints ints;
		struct arm_pointers pointers;
		struct arm_list list;
	} u;
};

KSTATE_DESCRIBE_STATIC(ints_desc, "ints", 1, KSTATE_BASE_TYPE(x, struct arm_ints, u64),
     KSTATE_BASE_TYPE(y, struct arm_ints, u64));
KSTATE_DESCRIBE_STATIC(pointers_desc, "pointers", 1,
	KSTATE_POINTER(p, struct arm_pointers, KSTATE_ALLOC),
     KSTATE_STRING(text, struct arm_pointers));
KSTATE_DESCRIBE_STATIC(arm_list_desc, "list", 1,
	KSTATE_LIST(list, struct arm_list, struct link, link, &link_desc));

enum { NONE, INTS, POINTER_ARM, LIST_ARM };

static const struct kstate_arm shape_arms[] = {
	{ "none", NONE, NULL }, { "ints", INTS, &ints_desc },
	{ "pointers", POINTER_ARM, &pointers_desc }, { "list", LIST_ARM, &arm_list_desc }, { }
};
KSTATE_DESCRIBE_STATIC(shape_desc, "shape", 1,
	KSTATE_UNION(u, struct shape, tag, shape_arms, KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(no_shape_desc, "shape", 1,
	KSTATE_BASE_TYPE(tag, struct shape, u8, KSTATE_IGNORABLE));

static u32 seven = 7;

static void fill_ints(void *obj)
{
	*(struct shape *)obj = (struct shape){ INTS, { .ints = { 0x1234, 0x5678 } } };
}

static void fill_none(void *obj)
{
	*(struct shape *)obj = (struct shape){ .tag = NONE };
}

static void fill_pointers(void *obj)
{
	*(struct shape *)obj = (struct shape){
		POINTER_ARM, { .pointers = { &seven, "seven" } }
	};
}

static void fill_zero_pointers(void *obj)
{
	*(struct shape *)obj = (struct shape){ .tag = POINTER_ARM };
}

static void fill_list(void *obj)
{
	static unsigned int next;
	struct shape *s = obj;

	/* An array has two of them */
	*s = (struct shape){ .tag = LIST_ARM };
	INIT_LIST_HEAD(&s->u.list.list);
	list_add(&entries[next++ % 2].link, &s->u.list.list);
}

static bool ints_there(void *obj)
{
	struct shape *s = obj;

	return s->tag == INTS && s->u.ints.x == 0x1234 && s->u.ints.y == 0x5678;
}

static bool none_there(void *obj)
{
	struct shape *s = obj;

	return s->tag == NONE && !memchr_inv(&s->u, 0, sizeof(s->u));
}

static bool pointers_there(void *obj)
{
	struct shape *s = obj;

	return s->tag == POINTER_ARM && s->u.pointers.p != &seven && *s->u.pointers.p == 7 &&
	       !strcmp(s->u.pointers.text, "seven");
}

static bool list_there(void *obj)
{
	struct shape *s = obj;

	return s->tag == LIST_ARM && list_is_singular(&s->u.list.list);
}

static void free_pointers(void *obj)
{
	kvfree(((struct shape *)obj)->u.pointers.p);
	kvfree(((struct shape *)obj)->u.pointers.text);
}

static void free_list(void *obj)
{
	kvfree(list_first_entry(&((struct shape *)obj)->u.list.list, struct link, link));
}

#define SHAPE(...)	bad_record((struct bad_record){			\
	.writer = &shape_desc, .reader = &shape_desc,			\
	.writer_size = sizeof(struct shape), .reader_size = sizeof(struct shape), \
	.reason = KSTATE_NO_ROOM, .path = "u", __VA_ARGS__ })

/* The object's pointers would be lost */
static void other_arm_with_pointers(void **state)
{
	SHAPE(.fill = fill_ints, .bad = fill_pointers, .good = fill_zero_pointers,
	      .same = ints_there);
	SHAPE(.fill = fill_none, .bad = fill_pointers, .good = fill_zero_pointers,
	      .same = none_there);
	SHAPE(.fill = fill_ints, .bad = fill_list, .good = fill_none, .same = ints_there);
	SHAPE(.fill = fill_list, .bad = fill_pointers, .good = fill_none, .same = list_there,
	      .empty = free_list);
}

/* An absent union becomes its first arm, by whatever way it is absent */
static void other_arm_by_default(void **state)
{
	struct kstate_set *set;
	struct shape from = {}, to;

	set = saved(&no_shape_desc, &from);
	fill_pointers(&to);
	assert_int_not_equal(check_and_restore(set, &shape_desc, &to), 0);
	error_is(KSTATE_NO_ROOM, "shape[1].u", NULL);
	assert_ptr_equal(to.u.pointers.p, &seven);
	assert_int_equal(to.tag, POINTER_ARM);
	fill_ints(&to);
	assert_int_equal(check_and_restore(set, &shape_desc, &to), KSTATE_OK);
	assert_true(none_there(&to));
	kstate_set_destroy(set);
}

/* The object's integers would be taken for pointers */
static void other_arm_with_integers(void **state)
{
	void (*const fills[])(void *) = { fill_pointers, fill_list, fill_none };
	bool (*const there[])(void *) = { pointers_there, list_there, none_there };
	struct shape from, to;

	for (int i = 0; i < ARRAY_SIZE(fills); i++) {
		fills[i](&from);
		fill_ints(&to);
		carry_ok(&shape_desc, &from, &shape_desc, &to, KSTATE_EXACT);
		assert_true(there[i](&to));
		if (i == 0)
			free_pointers(&to);
		if (i == 1)
			free_list(&to);
	}
}

/* With the same arm, what it points to is written to */
static void same_arm(void **state)
{
	KSTATE_DESCRIBE_STATIC(plain, "pointers", 1, KSTATE_POINTER(p, struct arm_pointers));
	static const struct kstate_arm arms[] = { { "p", POINTER_ARM, &plain }, { } };
	KSTATE_DESCRIBE_STATIC(desc, "shape", 1, KSTATE_UNION(u, struct shape, tag, arms));
	struct shape from, to = { .tag = POINTER_ARM };
	u32 there = 0;

	fill_pointers(&from);
	to.u.pointers.p = &there;
	carry_ok(&desc, &from, &desc, &to, KSTATE_EXACT);
	assert_ptr_equal(to.u.pointers.p, &there);
	assert_int_equal(there, 7);
}

/* A tag that no arm has tells nothing of what the bytes are */
static void no_arm_in_the_object(void **state)
{
	struct shape from, to = { 99, { .ints = { 0xdead, 0xbeef } } };
	struct kstate_set *set;

	fill_pointers(&from);
	set = saved(&shape_desc, &from);
	if (check_and_restore(set, &shape_desc, &to)) {
		assert_int_equal(err.reason, KSTATE_NO_ROOM);
		assert_int_equal(to.u.ints.x, 0xdead);
	} else {
		assert_true(pointers_there(&to));
		free_pointers(&to);
	}
	kstate_set_destroy(set);
}

/* Pages: how many */

struct paged {
	s32 nr;
	u64 nr64;
	struct page *pages;
	struct page *more;
	u32 nr_more;
};

KSTATE_DESCRIBE_STATIC(paged_desc, "paged", 1, KSTATE_PAGES(pages, struct paged, nr));
KSTATE_DESCRIBE_STATIC(paged64_desc, "paged", 1, KSTATE_PAGES(pages, struct paged, nr64));

static void fill_negative(void *obj)
{
	*(struct paged *)obj = (struct paged){ .nr = -1, .pages = pfn_to_page(1) };
}

static void fill_lowest(void *obj)
{
	*(struct paged *)obj = (struct paged){ .nr = S32_MIN, .pages = pfn_to_page(1) };
}

static void fill_no_pages(void *obj)
{
	*(struct paged *)obj = (struct paged){ .nr = 0, .pages = pfn_to_page(1) };
}

static void fill_number_alone(void *obj)
{
	*(struct paged *)obj = (struct paged){ .nr = 5 };
}

static u64 pages64;

static void fill_pages64(void *obj)
{
	*(struct paged *)obj = (struct paged){ .nr64 = pages64, .pages = pfn_to_page(1) };
}

static void pages_of_no_number(void **state)
{
	static const u64 many[] = {
		U64_MAX, 1ULL << 63, 1ULL << 52, (1ULL << 52) + 1, 1ULL << 40, S64_MAX,
	};

	bad_object(&paged_desc, sizeof(struct paged), fill_negative, NULL, KSTATE_VALUE, "pages",
		   "-1");
	bad_object(&paged_desc, sizeof(struct paged), fill_lowest, NULL, KSTATE_VALUE, "pages",
		   "-2147483648");
	bad_object(&paged_desc, sizeof(struct paged), fill_no_pages, NULL, KSTATE_VALUE, "pages",
		   NULL);
	/* The record would have no pages, and another number in a field for it */
	bad_object(&paged_desc, sizeof(struct paged), fill_number_alone, NULL, KSTATE_VALUE,
		   "pages", "NULL");
	for (int i = 0; i < ARRAY_SIZE(many); i++) {
		pages64 = many[i];
		bad_object(&paged64_desc, sizeof(struct paged), fill_pages64, NULL, KSTATE_VALUE,
			   "pages", NULL);
	}
}

/* Custom fields: calls where they do not belong */

struct custom {
	u64 a;
	void *member;
};

static int (*call_save)(struct kstate_stream *s);
static int (*call_restore)(struct kstate_stream *s);
static int called;

static int custom_save(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	if (call_save) {
		called = call_save(s);
		return called;
	}
	return kstate_put_u64(s, "a", *(u64 *)member);
}

static int custom_restore(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	if (call_restore) {
		called = call_restore(s);
		return called;
	}
	return kstate_get_u64(s, "a", member);
}

KSTATE_DESCRIBE_STATIC(custom_desc, "custom", 1,
	KSTATE_CUSTOM(a, struct custom, custom_save, custom_restore));

static u64 sink;
static size_t sink_size;

#define CALL(_fn, ...)							\
static int call_##_fn(struct kstate_stream *s)				\
{									\
	return kstate_##_fn(s, ##__VA_ARGS__);				\
}

CALL(put_u64, "a", 1)
CALL(put_s64, "a", -1)
CALL(put_data, "a", &sink, 8)
CALL(put_string, "a", "x")
CALL(put_folio, "a", NULL)
CALL(put_pages, "a", NULL, 1)
CALL(put_vmalloc, "a", NULL)
CALL(put_begin, "a")
CALL(put_end)
CALL(get_u64, "a", &sink)
CALL(get_s64, "a", (s64 *)&sink)
CALL(get_data, "a", &sink, 8)
CALL(get_folio, "a", (void *)&sink)
CALL(get_pages, "a", (void *)&sink, &sink_size)
CALL(get_vmalloc, "a", (void *)&sink)
CALL(get_begin, "a")
CALL(get_end)
CALL(get_skip)

static int call_get_string(struct kstate_stream *s)
{
	const char *text = kstate_get_string(s, "a");

	return IS_ERR(text) ? PTR_ERR(text) : 0;
}

static int (*const put_calls[])(struct kstate_stream *) = {
	call_put_u64, call_put_s64, call_put_data, call_put_string, call_put_folio, call_put_pages,
	call_put_vmalloc, call_put_begin, call_put_end,
};

static int (*const get_calls[])(struct kstate_stream *) = {
	call_get_u64, call_get_s64, call_get_data, call_get_string, call_get_folio, call_get_pages,
	call_get_vmalloc, call_get_begin, call_get_end, call_get_skip,
};

static void get_while_saving(void **state)
{
	struct custom from = { .a = 5 };

	for (int i = 0; i < ARRAY_SIZE(get_calls); i++) {
		call_save = get_calls[i];
		save_refused(&custom_desc, &from, KSTATE_BAD_CALL, "custom[1].a", NULL);
		assert_int_equal(called, -EINVAL);
	}
}

/* The record is what it was: the next attempt finds it */
static void put_while_restoring(void **state)
{
	struct custom from = { .a = 0x1122334455667788 }, to = {};
	struct kstate_set *set = saved(&custom_desc, &from);

	for (int i = 0; i < ARRAY_SIZE(put_calls); i++) {
		call_restore = put_calls[i];
		if (!check_and_restore(set, &custom_desc, &to))
			fail_msg("%d: not refused", i);
		error_is(KSTATE_BAD_CALL, "custom[1].a", NULL);
		assert_int_equal(called, -EINVAL);
		assert_int_equal(to.a, 0);
	}
	call_restore = NULL;
	assert_int_equal(check_and_restore(set, &custom_desc, &to), 0);
	assert_int_equal(to.a, from.a);
	kstate_set_destroy(set);
}

/* A function that does not look at what a wrong call returned */
static int ignoring(struct kstate_stream *s)
{
	int ret = kstate_get_u64(s, "a", &sink);

	kstate_put_u64(s, "b", 3);
	return ret;
}

static int ignoring_save(struct kstate_stream *s)
{
	kstate_get_u64(s, "a", &sink);
	return kstate_put_u64(s, "a", 1);
}

static void wrong_call_that_is_ignored(void **state)
{
	struct custom from = { .a = 5 }, to = {};
	struct kstate_set *set = saved(&custom_desc, &from);

	call_restore = ignoring;
	assert_int_not_equal(check_and_restore(set, &custom_desc, &to), 0);
	error_is(KSTATE_BAD_CALL, "custom[1].a", NULL);
	call_restore = NULL;
	assert_int_equal(check_and_restore(set, &custom_desc, &to), 0);
	kstate_set_destroy(set);
	call_save = ignoring_save;
	save_refused(&custom_desc, &from, KSTATE_BAD_CALL, "custom[1].a", NULL);
}

/* It is seen by those who do not ask what was wrong, too */
static void wrong_call_without_an_error(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", NULL);
	struct custom from = { .a = 5 }, to = {};

	use(&custom_desc);
	call_save = ignoring_save;
	assert_int_equal(kstate_stream_save(stream, &custom_desc, &from, KSTATE_ID(1), NULL),
			 -EINVAL);
	call_save = NULL;
	assert_false(kstate_stream_save(stream, &custom_desc, &from, KSTATE_ID(1), NULL));
	set = set_jump(set);
	stream = kstate_stream_find(set, "test");
	call_restore = ignoring;
	assert_int_equal(kstate_stream_restore(stream, &custom_desc, &to, KSTATE_ID(1), NULL),
			 -EINVAL);
	assert_int_equal(to.a, 0);
	call_restore = NULL;
	assert_false(kstate_stream_restore(stream, &custom_desc, &to, KSTATE_ID(1), NULL));
	assert_int_equal(to.a, 5);
	kstate_set_destroy(set);
}

static void calls_outside(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct custom from = { .a = 5 }, to = {};

	stream_save(stream, &custom_desc, &from, KSTATE_ID(1));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < ARRAY_SIZE(put_calls); i++)
			assert_int_equal(put_calls[i](stream), -EINVAL);
		for (int i = 0; i < ARRAY_SIZE(get_calls); i++)
			assert_int_equal(get_calls[i](stream), -EINVAL);
		if (round)
			break;
		set = set_jump(set);
		stream = kstate_stream_find(set, "test");
	}
	assert_false(stream_restore(stream, &custom_desc, &to, KSTATE_ID(1)));
	assert_int_equal(to.a, 5);
	kstate_set_destroy(set);
}

/* In functions that have no stream of their own */
static struct kstate_stream *this_stream;

static bool needed_puts(const void *obj)
{
	called = kstate_put_u64(this_stream, "a", 1);
	return true;
}

static int count_gets(const void *obj)
{
	called = kstate_get_u64(this_stream, "a", &sink);
	return 1;
}

static int absent_puts(void *member, const struct kstate_field *field)
{
	called = kstate_put_u64(this_stream, "a", 1);
	return 0;
}

static void calls_in_other_functions(void **state)
{
	struct three { u32 a; u32 *p; u32 b; } from = { 1, &seven, 2 }, to = {};
	KSTATE_DESCRIBE_STATIC(group, "group", 1,
		KSTATE_BASE_TYPE(a, struct three, u32, KSTATE_DEFAULT(0)));
	KSTATE_DESCRIBE_STATIC(grouping, "three", 1, KSTATE_GROUP(g, &group, needed_puts));
	KSTATE_DESCRIBE_STATIC(counting, "three", 1,
		KSTATE_VARRAY_FN(p, struct three, count_gets, KSTATE_ALLOC));
	KSTATE_DESCRIBE_STATIC(absent, "three", 1, KSTATE_GROUP(g, &group, needed),
	     KSTATE_BASE_TYPE(b, struct three, u32, KSTATE_ABSENT(absent_puts)));
	struct kstate_set *set = set_create();

	this_stream = kstate_stream_create(set, "test", &err);
	stream_save(this_stream, &grouping, &from, KSTATE_ID(1));
	assert_int_equal(called, -EINVAL);
	kstate_stream_drop(this_stream, &grouping, KSTATE_ID(1));
	called = 0;
	stream_save(this_stream, &counting, &from, KSTATE_ID(1));
	assert_int_equal(called, -EINVAL);
	kstate_set_destroy(set);

	set = set_create();
	this_stream = kstate_stream_create(set, "test", &err);
	stream_save(this_stream, &grouping, &from, KSTATE_ID(1));
	set = set_jump(set);
	this_stream = kstate_stream_find(set, "test");
	called = 0;
	if (stream_restore(this_stream, &absent, &to, KSTATE_ID(1)))
		error_is(KSTATE_BAD_CALL, err.path, NULL);
	else
		assert_int_equal(to.a, 1);
	assert_int_equal(called, -EINVAL);
	assert_int_equal(to.b, 0);
	kstate_set_destroy(set);
}

/* Sizes that overflow */

static size_t put_size;

static int call_put_size(struct kstate_stream *s)
{
	return kstate_put_data(s, "a", &sink, put_size);
}

static int call_put_size_of_pages(struct kstate_stream *s)
{
	return kstate_put_pages(s, "a", pfn_to_page(1), put_size);
}

static void put_too_much(void **state)
{
	static const size_t sizes[] = {
		SIZE_MAX, SIZE_MAX - 7, SIZE_MAX - 8, SIZE_MAX / 2, (size_t)1 << 32,
		((size_t)1 << 32) + 8, (size_t)KSTATE_MAX_RECORD + 1, (size_t)U32_MAX - 3,
	};
	static const size_t pages[] = { 0, SIZE_MAX, (size_t)1 << 52, (size_t)1 << 40 };
	struct custom from = { .a = 5 };

	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		call_save = call_put_size;
		put_size = sizes[i];
		save_refused(&custom_desc, &from, ANY, "custom[1].a", NULL);
	}
	for (int i = 0; i < ARRAY_SIZE(pages); i++) {
		call_save = call_put_size_of_pages;
		put_size = pages[i];
		save_refused(&custom_desc, &from, ANY, "custom[1].a", NULL);
	}
}

/* Functions that count */

struct counted {
	u32 order;
	u16 *table;
	u32 after;
};

static int count_order(const void *obj)
{
	return ((const struct counted *)obj)->order;
}

static int count_twice(const void *obj)
{
	return 2 * ((const struct counted *)obj)->order;
}

static int count_less(const void *obj)
{
	return (int)((const struct counted *)obj)->order - 1;
}

static int count_negative(const void *obj)
{
	return -1;
}

#define COUNTED(_name, _fn, ...) \
	KSTATE_DESCRIBE_STATIC(_name, "counted", 1, \
	     KSTATE_VARRAY_FN(table, struct counted, _fn, KSTATE_ALLOC), \
	     KSTATE_BASE_TYPE(order, struct counted, u32, ##__VA_ARGS__))

COUNTED(counted_desc, count_order);
COUNTED(count_twice_desc, count_twice);
COUNTED(count_less_desc, count_less);
COUNTED(count_negative_desc, count_negative);

static u16 table3[3] = { 1, 2, 3 };

static void fill_counted(void *obj)
{
	*(struct counted *)obj = (struct counted){ .order = 3, .table = table3 };
}

static bool counted_there(void *obj)
{
	struct counted *c = obj;

	return c->order == 3 && !memcmp(c->table, table3, sizeof(table3));
}

static void free_counted(void *obj)
{
	kvfree(((struct counted *)obj)->table);
}

/* Allocated is what the function says afterwards, or nothing */
static void count_disagrees(void **state)
{
	struct kstate_description *bad[] = {
		&count_twice_desc, &count_less_desc, &count_negative_desc,
	};
	struct counted from, to;

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kstate_set *set;

		fill_counted(&from);
		set = saved(&counted_desc, &from);
		to = (struct counted){ .order = 9 };
		/* What functions say of the restored object, no check can know */
		use(bad[i]);
		if (!stream_restore(kstate_stream_find(set, "test"), bad[i], &to, KSTATE_ID(1)))
			fail_msg("%d: not refused", i);
		error_is(ANY, "counted[1].table", NULL);
		assert_int_equal(to.order, 9);
		assert_null(to.table);
		assert_int_equal(check_and_restore(set, &counted_desc, &to), 0);
		assert_true(counted_there(&to));
		free_counted(&to);
		kstate_set_destroy(set);
	}
}

static void count_agrees(void **state)
{
	struct counted from, to;

	/* Whatever the object held before */
	for (u32 order = 0; order < 5; order++) {
		fill_counted(&from);
		to = (struct counted){ .order = order };
		carry_ok(&counted_desc, &from, &counted_desc, &to, KSTATE_EXACT);
		assert_true(counted_there(&to));
		free_counted(&to);
	}
}

struct wide {
	u64 width;
	u16 *table;
};

KSTATE_DESCRIBE_STATIC(wide_desc, "counted", 1,
     KSTATE_BASE_TYPE(width, struct wide, u64, KSTATE_ALIAS("order")),
     KSTATE_VARRAY(table, struct wide, width));

/* The function looks at what is absent, renamed or of another type in the record */
static void count_of_other_fields(void **state)
{
	struct wide wide = { 3, table3 };
	struct none { u16 nr; u16 *table; } none = { 3, table3 };
	KSTATE_DESCRIBE_STATIC(none_desc, "counted", 1, KSTATE_VARRAY(table, struct none, nr));
	COUNTED(default3, count_order, KSTATE_DEFAULT(3));
	COUNTED(default4, count_order, KSTATE_DEFAULT(4));
	struct counted to = { .order = 3 };
	struct kstate_set *set;

	carry_ok(&wide_desc, &wide, &counted_desc, &to, KSTATE_CONVERTED);
	assert_true(counted_there(&to));
	free_counted(&to);
	to = (struct counted){ .order = 77 };
	set = saved(&none_desc, &none);
	assert_int_not_equal(stream_restore(kstate_stream_find(set, "test"), &default4, &to,
					    KSTATE_ID(1)), 0);
	error_is(ANY, "counted[1].table", NULL);
	assert_int_equal(to.order, 77);
	assert_null(to.table);
	assert_int_equal(check_and_restore(set, &default3, &to), 0);
	assert_true(counted_there(&to));
	free_counted(&to);
	kstate_set_destroy(set);
}

static void fill_two(void *obj)
{
	static u16 two[2] = { 8, 9 };

	*(struct counted *)obj = (struct counted){ .order = 2, .table = two };
}

/* In all places, and into memory that is there */
static void count_in_nested(void **state)
{
	bad_record((struct bad_record){
		.writer = &counted_desc, .reader = &counted_desc, .fill = fill_counted,
		.writer_size = sizeof(struct counted), .reader_size = sizeof(struct counted),
		.bad = fill_two,
		.same = counted_there, .empty = free_counted,
		.reason = KSTATE_NO_ROOM, .path = "table" });
}

static int calls;

static int count_changes(const void *obj)
{
	return 1 + calls++ % 3;
}

static void count_changes_while_saving(void **state)
{
	KSTATE_DESCRIBE_STATIC(changing, "counted", 1,
	     KSTATE_VARRAY_FN(table, struct counted, count_changes, KSTATE_ALLOC),
	     KSTATE_BASE_TYPE(order, struct counted, u32));
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct counted from;

	fill_counted(&from);
	use(&changing);
	for (int i = 0; i < 6; i++) {
		calls = i;
		if (!kstate_stream_save(stream, &changing, &from, KSTATE_ID(i), &err))
			continue;
		error_is(KSTATE_CHANGED, err.path, NULL);
	}
	kstate_set_destroy(set);
}

/* Limits are the same on both sides */

/* Much memory of which little is read: zeros that take no room */
static void *plenty(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

#define MIB	(1UL << 20)

struct huge {
	u8 first;
	u8 rest[MIB - 1];
};

KSTATE_DESCRIBE_STATIC(huge_desc, "huge", 1, KSTATE_BASE_TYPE(first, struct huge, u8));

struct huges {
	u32 nr;
	struct huge *huge;
	struct huge *one;
	struct huge *two[2];
	u32 nr_bytes;
	u8 *bytes;
};

KSTATE_DESCRIBE_STATIC(huges_desc, "huges", 1,
	KSTATE_STRUCT_VARRAY(huge, struct huges, nr, &huge_desc, KSTATE_ALLOC));

static void too_much_to_allocate(void **state)
{
	struct huges from = { .huge = plenty(1030 * MIB) };

	from.nr = 1025;
	save_refused(&huges_desc, &from, KSTATE_VALUE, "huges[1].huge", NULL);
	from.nr = U32_MAX;
	save_refused(&huges_desc, &from, KSTATE_VALUE, "huges[1].huge", NULL);
}

/* As much as may be allocated is saved and restored */
static void as_much_as_can_be_allocated(void **state)
{
	struct huges to = {}, from = { .huge = plenty(1030 * MIB), .nr = 1024 };

	carry_ok(&huges_desc, &from, &huges_desc, &to, KSTATE_EXACT);
	assert_int_equal(to.nr, 1024);
	kvfree(to.huge);
}

/* What it needs in the other kernel decides there, and trying again is of no use */
static void too_much_after_conversion(void **state)
{
	struct wide { u32 nr; u64 *bytes; } to = {};
	struct huges from = { .nr_bytes = 129 * MIB, .bytes = plenty(130 * MIB) };
	KSTATE_DESCRIBE_STATIC(bytes, "bytes", 1,
		KSTATE_VARRAY(bytes, struct huges, nr_bytes, KSTATE_ALLOC));
	KSTATE_DESCRIBE_STATIC(words, "bytes", 1,
		KSTATE_VARRAY(bytes, struct wide, nr, KSTATE_ALLOC));

	struct kstate_set *set = saved(&bytes, &from);

	assert_int_not_equal(check_and_restore(set, &words, &to), 0);
	error_is(ANY, "bytes[1].bytes", NULL);
	assert_int_not_equal(err.reason, KSTATE_NO_MEMORY);
	assert_null(to.bytes);
	kstate_set_destroy(set);
}

#define MAX_COUNT	3

struct many {
	struct list_head list;
	struct hlist_head hlist;
	struct xarray xarray;
	u32 nr;
	u16 *varray;
};

#define MANY(_what, _macro, ...)					\
	KSTATE_DESCRIBE_STATIC(_what##_free, "many", 1, _macro(_what, struct many, __VA_ARGS__)); \
	KSTATE_DESCRIBE_STATIC(_what##_max, "many", 1, _macro(_what, struct many, __VA_ARGS__,	\
					 KSTATE_MAX_COUNT(MAX_COUNT)))

MANY(list, KSTATE_LIST, struct link, link, &link_desc);
MANY(hlist, KSTATE_HLIST, struct hentry, link, &hentry_desc);
MANY(xarray, KSTATE_XARRAY, struct small, &small_desc);
MANY(varray, KSTATE_VARRAY, nr, KSTATE_ALLOC);

static void many_init(struct many *m)
{
	memset(m, 0, sizeof(*m));
	INIT_LIST_HEAD(&m->list);
	xa_init(&m->xarray);
}

static void many_fill(struct many *m, int nr)
{
	static struct link links[MAX_COUNT + 1];
	static struct hentry hlinks[MAX_COUNT + 1];
	static u16 values[MAX_COUNT + 1];

	many_init(m);
	m->nr = nr;
	m->varray = values;
	for (int i = 0; i < nr; i++) {
		list_add_tail(&links[i].link, &m->list);
		hlist_add_head(&hlinks[i].link, &m->hlist);
		xa_store(&m->xarray, 5 * i, &smalls[0], GFP_KERNEL);
	}
}

static void many_free(struct many *m)
{
	struct link *l, *next;
	struct hentry *h;
	struct hlist_node *n;
	struct small *s;
	unsigned long index;

	list_for_each_entry_safe(l, next, &m->list, link)
		kvfree(l);
	hlist_for_each_entry_safe(h, n, &m->hlist, link)
		kvfree(h);
	xa_for_each(&m->xarray, index, s)
		kvfree(s);
	xa_destroy(&m->xarray);
	kvfree(m->varray);
}

static void max_count(struct kstate_description *free, struct kstate_description *max,
		      const char *path)
{
	struct kstate_set *set;
	struct many from, to;

	for (int nr = 0; nr <= MAX_COUNT; nr++) {
		many_fill(&from, nr);
		many_init(&to);
		carry_ok(max, &from, max, &to, KSTATE_EXACT);
		many_free(&to);
		xa_destroy(&from.xarray);
	}
	many_fill(&from, MAX_COUNT + 1);
	save_refused(max, &from, KSTATE_VALUE, path, "4");
	set = saved(free, &from);
	many_init(&to);
	assert_int_not_equal(check_and_restore(set, max, &to), 0);
	error_is(ANY, path, "4");
	assert_true(list_empty(&to.list));
	assert_true(hlist_empty(&to.hlist));
	assert_true(xa_empty(&to.xarray));
	assert_null(to.varray);
	assert_int_equal(check_and_restore(set, free, &to), 0);
	many_free(&to);
	xa_destroy(&from.xarray);
	kstate_set_destroy(set);
}

static void max_of_a_list(void **state)
{
	max_count(&list_free, &list_max, "many[1].list");
}

static void max_of_an_hlist(void **state)
{
	max_count(&hlist_free, &hlist_max, "many[1].hlist");
}

static void max_of_an_xarray(void **state)
{
	max_count(&xarray_free, &xarray_max, "many[1].xarray");
}

static void max_of_an_array(void **state)
{
	max_count(&varray_free, &varray_max, "many[1].varray");
}

static void max_where_it_means_nothing(void **state)
{
	KSTATE_DESCRIBE_STATIC(integer, "small", 1,
		KSTATE_BASE_TYPE(a, struct small, u32, KSTATE_MAX_COUNT(3)));
	KSTATE_DESCRIBE_STATIC(structs, "holder", 1, KSTATE_STRUCT(one, struct holder, &small_desc,
					      KSTATE_MAX_COUNT(3)));

	bad_description(&integer, sizeof(struct small), "a");
	bad_description(&structs, sizeof(struct holder), "one");
}

/* The same memory twice in a set */

struct buffers {
	struct folio *folio;
	struct folio *other;
	struct page *pages;
	u32 nr;
	void *area;
	struct folio *array[3];
	struct folio *in_custom;
	u32 nr_entries;
	struct kstate_folio_entry *entries;
};

static int buffers_save(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	return kstate_put_folio(s, "folio", *(struct folio **)member);
}

static int buffers_restore(struct kstate_stream *s, void *member,
			   const struct kstate_field *field)
{
	return kstate_get_folio(s, "folio", member);
}

#define BUFFERS								\
	KSTATE_FOLIO(folio, struct buffers),				\
	KSTATE_FOLIO(other, struct buffers),				\
	KSTATE_PAGES(pages, struct buffers, nr),			\
	KSTATE_VMALLOC(area, struct buffers),				\
	KSTATE_CUSTOM(in_custom, struct buffers, buffers_save, buffers_restore)

KSTATE_DESCRIBE_STATIC(buffers_desc, "buffers", 1, BUFFERS);
KSTATE_DESCRIBE_STATIC(arrays_desc, "buffers", 1, BUFFERS,
     KSTATE_FOLIO_ARRAY(array, struct buffers),
     KSTATE_FOLIOS(entries, struct buffers, nr_entries));

#define FIRST	"buffers[1].folio"

/* A second time, by whatever field: the error names both */
static void twice(struct kstate_description *desc, const struct buffers *b, const char *path,
		  const char *first)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);

	use(desc);
	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_stream_save(stream, desc, b, KSTATE_ID(1), &err), -EEXIST);
	error_is(KSTATE_EDGE, path, first);
	kstate_set_destroy(set);
	assert_false(shim_kho_preserved());
}

static void same_memory_in_one_record(void **state)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 2);
	void *exact = alloc_pages_exact(4 * PAGE_SIZE, GFP_KERNEL);
	struct page *pages = virt_to_page(exact);
	void *area = vmalloc(3 * PAGE_SIZE);

	twice(&buffers_desc, &(struct buffers){ .folio = folio, .other = folio },
	      "buffers[1].other", FIRST);
	twice(&buffers_desc, &(struct buffers){ .folio = folio, .in_custom = folio },
	      "buffers[1].in_custom", FIRST);
	twice(&buffers_desc, &(struct buffers){ .folio = page_folio(pages + 2), .pages = pages,
						.nr = 4 },
	      "buffers[1].pages", FIRST);
	twice(&buffers_desc, &(struct buffers){ .pages = vmalloc_to_page(area + PAGE_SIZE),
						.nr = 1, .area = area },
	      "buffers[1].area", "buffers[1].pages");
	folio_put(folio);
	free_pages_exact(exact, 4 * PAGE_SIZE);
	vfree(area);
}

static void same_memory_in_arrays(void **state)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 0), *second = folio_alloc(GFP_KERNEL, 0);
	struct kstate_folio_entry entries[] = { { second, 5, 0 }, { folio, 9, 0 } };
	struct kstate_folio_entry same[] = { { second, 5, 0 }, { folio, 9, 0 }, { folio, 11, 0 } };

	twice(&arrays_desc, &(struct buffers){ .folio = folio, .array = { NULL, second, folio } },
	      "buffers[1].array[2]", FIRST);
	twice(&arrays_desc, &(struct buffers){ .array = { folio, second, folio } },
	      "buffers[1].array[2]", "buffers[1].array");
	twice(&arrays_desc, &(struct buffers){ .folio = folio, .nr_entries = 2,
					       .entries = entries },
	      "buffers[1].entries[1]", FIRST);
	twice(&arrays_desc, &(struct buffers){ .nr_entries = 3, .entries = same },
	      "buffers[1].entries[2]", "buffers[1].entries");
	folio_put(folio);
	folio_put(second);
}

/* Neighbours are not the same memory */
static void other_memory(void **state)
{
	void *exact = alloc_pages_exact(8 * PAGE_SIZE, GFP_KERNEL);
	struct page *pages = virt_to_page(exact);
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct buffers b = {
		.folio = page_folio(pages), .pages = pages + 1, .nr = 6,
		.other = page_folio(pages + 7),
	};

	stream_save(stream, &buffers_desc, &b, KSTATE_ID(1));
	kstate_set_destroy(set);
	free_pages_exact(exact, 8 * PAGE_SIZE);
}

/* Two records, in one stream or two; and what was dropped can be saved again */
static void same_memory_in_two_records(void **state)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 1), *own = folio_alloc(GFP_KERNEL, 0);
	struct buffers a = { .folio = folio }, b = { .folio = own, .other = folio };
	struct kstate_set *set = set_create();
	struct kstate_stream *streams[2];

	streams[0] = kstate_stream_create(set, "test", &err);
	streams[1] = kstate_stream_create(set, "other", &err);
	use(&buffers_desc);
	for (int i = 0; i < 2; i++) {
		stream_save(streams[0], &buffers_desc, &a, KSTATE_ID(1));
		for (int again = 0; again < 2; again++) {
			assert_int_equal(kstate_stream_save(streams[i], &buffers_desc, &b,
							    KSTATE_ID(2), &err), -EEXIST);
			error_is(KSTATE_EDGE, "buffers[2].other", FIRST);
		}
		assert_false(kstate_stream_drop(streams[0], &buffers_desc, KSTATE_ID(1)));
		stream_save(streams[i], &buffers_desc, &b, KSTATE_ID(2));
		assert_false(kstate_stream_drop(streams[i], &buffers_desc, KSTATE_ID(2)));
	}
	/* A stream that goes gives free what it had */
	stream_save(streams[1], &buffers_desc, &a, KSTATE_ID(1));
	kstate_stream_destroy(streams[1]);
	stream_save(streams[0], &buffers_desc, &b, KSTATE_ID(2));
	kstate_set_destroy(set);
	folio_put(folio);
	folio_put(own);
}

/* The same over KHO, where the wrong unpreserving would lose memory at the jump */

static struct folio *marked_folio(unsigned int order, u8 byte)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, order);

	memset(folio_address(folio), byte, folio_size(folio));
	return folio;
}

static bool is_marked(struct folio *folio, u8 byte)
{
	return folio && !memchr_inv(folio_address(folio), byte, folio_size(folio));
}

static void save_shared(void)
{
	static struct buffers a, b, c;
	struct folio *shared = marked_folio(1, 0x11);
	long preserved, one;

	a.folio = shared;
	b.folio = marked_folio(0, 0x22);
	b.other = shared;
	c.pages = folio_page(shared, 1);
	c.nr = 1;
	check(!kstate_save_state(&buffers_desc, &a, 1));
	check(!kstate_drop_key(&buffers_desc, KSTATE_ID(1)));
	preserved = shim_kho_preserved();
	check(!kstate_save_state(&buffers_desc, &a, 1));
	one = shim_kho_preserved();
	check(one > preserved);
	for (int i = 0; i < 3; i++) {
		check(kstate_save_state(&buffers_desc, &b, 2) == -EEXIST);
		check(shim_kho_preserved() == one);
		check(kstate_save_state(&buffers_desc, &c, 3) == -EEXIST);
		check(shim_kho_preserved() == one);
		check(kstate_drop_key(&buffers_desc, KSTATE_ID(2)) == -ENOENT);
		check(shim_kho_preserved() == one);
	}
	/* The other order, too: b has it, a may not have it, and b keeps it */
	check(!kstate_drop_key(&buffers_desc, KSTATE_ID(1)));
	check(shim_kho_preserved() == preserved);
	check(!kstate_save_state(&buffers_desc, &b, 2));
	check(kstate_save_state(&buffers_desc, &a, 1) == -EEXIST);
	check(!shim_kexec_prepare());
}

static void restore_shared(void)
{
	struct buffers b = {}, a = {};

	check(kstate_restore(&buffers_desc, &a, 1) == -ENOENT);
	check(!kstate_restore(&buffers_desc, &b, 2));
	check(is_marked(b.folio, 0x22));
	check(is_marked(b.other, 0x11));
	folio_put(b.folio);
	folio_put(b.other);
	shim_shutdown();
	check(!shim_kho_unclaimed());
}

static void same_memory_over_kho(void **state)
{
	shim_kho_reset();
	in_kernel(save_shared);
	shim_kho_jump();
	in_kernel(restore_shared);
	shim_kho_reset();
}

/* Registered objects are saved at the jump, which then fails */
static void register_shared(void)
{
	static struct buffers a, b;
	struct folio *shared = marked_folio(1, 0x11);
	long preserved;

	a.folio = shared;
	b.folio = marked_folio(0, 0x22);
	b.other = shared;
	check(!kstate_register_key(&buffers_desc, &a, KSTATE_ID(1), NULL));
	check(!shim_kexec_prepare());
	shim_kexec_abort();
	preserved = shim_kho_preserved();
	check(!kstate_register_key(&buffers_desc, &b, KSTATE_ID(2), NULL));
	for (int i = 0; i < 3; i++) {
		check(shim_kexec_prepare());
		check(shim_kho_preserved() == preserved);
		check(strstr(shim_log(), "buffers[1].folio"));
		check(strstr(shim_log(), "buffers[2].other"));
		shim_log_clear();
	}
	check(!kstate_unregister(&buffers_desc, &a));
	check(!shim_kexec_prepare());
}

static void same_memory_when_registered(void **state)
{
	shim_kho_reset();
	in_kernel(register_shared);
	shim_kho_jump();
	in_kernel(restore_shared);
	shim_kho_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(pointer_twice),
		ALONE(container_twice),
		ALONE(array_twice),
		ALONE(struct_twice),
		ALONE(group_twice),
		ALONE(union_twice),
		ALONE(length_in_another_member),
		ALONE(no_overlap),
		ALONE(larger_than_its_place),
		ALONE(larger_by_little),
		ALONE(link_outside_of_the_entry),
		ALONE(link_that_is_described),
		ALONE(as_large_as_its_place),
		ALONE(tag_too_large),
		ALONE(list_without_end),
		ALONE(list_that_breaks_off),
		ALONE(hlist_without_end),
		ALONE(xarray_values),
		ALONE(xarray_marks),
		ALONE(xarray_ranges),
		ALONE(xarray_of_ids),
		ALONE(paths_of_elements_when_saving),
		ALONE(other_arm_with_pointers),
		ALONE(other_arm_by_default),
		ALONE(other_arm_with_integers),
		ALONE(same_arm),
		ALONE(no_arm_in_the_object),
		ALONE(pages_of_no_number),
		ALONE(get_while_saving),
		ALONE(put_while_restoring),
		ALONE(wrong_call_that_is_ignored),
		ALONE(wrong_call_without_an_error),
		ALONE(calls_outside),
		ALONE(calls_in_other_functions),
		ALONE(put_too_much),
		ALONE(count_disagrees),
		ALONE(count_agrees),
		ALONE(count_of_other_fields),
		ALONE(count_in_nested),
		ALONE(count_changes_while_saving),
		ALONE(too_much_to_allocate),
		ALONE(as_much_as_can_be_allocated),
		ALONE(too_much_after_conversion),
		ALONE(max_of_a_list),
		ALONE(max_of_an_hlist),
		ALONE(max_of_an_xarray),
		ALONE(max_of_an_array),
		ALONE(max_where_it_means_nothing),
		ALONE(same_memory_in_one_record),
		ALONE(same_memory_in_arrays),
		ALONE(other_memory),
		ALONE(same_memory_in_two_records),
		ALONE(same_memory_over_kho),
		ALONE(same_memory_when_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
