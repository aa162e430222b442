// SPDX-License-Identifier: GPL-2.0-only
#include "all.h"

const struct kstate_description leaf_desc = {
	.name = "leaf",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(small, struct leaf, u8, KSTATE_DEFAULT(0)),
		KSTATE_BASE_TYPE(big, struct leaf, u64, KSTATE_HEX, KSTATE_DEFAULT(0)),
		KSTATE_STRING(name, struct leaf, KSTATE_DEFAULT(0)),
		KSTATE_SKIP(link, struct leaf, "the list that it is on"),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_description arm_a_desc = {
	.name = "arm_a",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(x, struct arm_a, u32),
		KSTATE_BASE_TYPE(y, struct arm_a, u16),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_description arm_b_desc = {
	.name = "arm_b",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(bytes, struct arm_b, u8 [24]),
		KSTATE_STRING(text, struct arm_b),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_arm arms[] = {
	{ "a", ARM_A, &arm_a_desc },
	{ "b", ARM_B, &arm_b_desc },
	{ },
};

static const struct kstate_description group_desc = {
	.name = "group",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(group_a, struct all, u32, KSTATE_DEFAULT(77)),
		KSTATE_STRING(group_b, struct all, KSTATE_DEFAULT(0)),
		KSTATE_END_OF_LIST()
	},
};

static bool group_needed(const void *obj)
{
	return ((const struct all *)obj)->group_needed;
}

static int count_by_fn(const void *obj)
{
	return ((const struct all *)obj)->nr_by_fn;
}

static int custom_save(struct kstate_stream *stream, void *member,
		       const struct kstate_field *field)
{
	u64 *custom = member;
	int ret;

	ret = kstate_put_u64(stream, "first", custom[0]);
	return ret ?: kstate_put_data(stream, "second", &custom[1], sizeof(custom[1]));
}

static int custom_restore(struct kstate_stream *stream, void *member,
			  const struct kstate_field *field)
{
	u64 *custom = member;
	int ret;

	ret = kstate_get_u64(stream, "first", &custom[0]);
	return ret ?: kstate_get_data(stream, "second", &custom[1], sizeof(custom[1]));
}

static const struct kstate_flag_name flag_names[] = {
	{ 1, "one" }, { 2, "two" }, { },
};

struct kstate_description all_desc = {
	.name = "all",
	.version_id = 3,
	.min_version_id = 2,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(b8, struct all, u8),
		KSTATE_BASE_TYPE(b16, struct all, u16),
		KSTATE_BASE_TYPE(b32, struct all, u32, KSTATE_FLAG_NAMES(flag_names)),
		KSTATE_BASE_TYPE(b64, struct all, u64, KSTATE_HEX, KSTATE_SECRET),
		KSTATE_BASE_TYPE(i8, struct all, s8),
		KSTATE_BASE_TYPE(i16, struct all, s16),
		KSTATE_BASE_TYPE(i32, struct all, s32, KSTATE_RANGE(-1000000, 1000000)),
		KSTATE_BASE_TYPE(i64, struct all, s64),
		KSTATE_BASE_TYPE(flag, struct all, bool),
		KSTATE_BASE_TYPE(letter, struct all, char),
		KSTATE_BASE_TYPE(word, struct all, unsigned long, KSTATE_MASK(~0xf0UL)),
		KSTATE_BASE_TYPE(sword, struct all, long),
		KSTATE_BASE_TYPE(ints, struct all, u16 [5]),
		KSTATE_BASE_TYPE(text, struct all, char [10]),
		KSTATE_ARRAY(matrix, struct all, u8),
		KSTATE_BASE_TYPE(flags, struct all, bool [3]),
		KSTATE_POINTER(pointer, struct all, KSTATE_ALLOC),
		KSTATE_POINTER(null_pointer, struct all),
		KSTATE_VARRAY(fixed, struct all, nr_fixed),
		KSTATE_VARRAY(varray, struct all, nr_varray, KSTATE_ALLOC),
		KSTATE_VARRAY_FN(by_fn, struct all, count_by_fn),
		KSTATE_BASE_TYPE(nr_by_fn, struct all, u16),
		KSTATE_ARRAY_OF_POINTER(pointers, struct all, KSTATE_ALLOC),
		KSTATE_STRUCT(leaf, struct all, &leaf_desc),
		KSTATE_STRUCT_ARRAY(leaves, struct all, &leaf_desc),
		KSTATE_STRUCT_POINTER(leaf_pointer, struct all, &leaf_desc, KSTATE_ALLOC),
		KSTATE_STRUCT_VARRAY(leaf_varray, struct all, nr_leaf_varray, &leaf_desc,
				     KSTATE_ALLOC),
		KSTATE_ARRAY_OF_STRUCT_POINTER(leaf_pointers, struct all, &leaf_desc,
					       KSTATE_ALLOC),
		KSTATE_CUSTOM(custom, struct all, custom_save, custom_restore),
		KSTATE_ADDRESS(linear, struct all, KS_LINEAR_ADDR),
		KSTATE_ADDRESS(vmemmap, struct all, KS_VMEMMAP_ADDR),
		KSTATE_ADDRESS(null_address, struct all, KS_LINEAR_ADDR),
		KSTATE_STRING(string, struct all),
		KSTATE_STRING(string_pointer, struct all),
		KSTATE_STRING(null_string, struct all),
		KSTATE_BITMAP(bitmap, struct all, 130),
		KSTATE_LIST(list, struct all, struct leaf, link, &leaf_desc),
		KSTATE_XARRAY(xarray, struct all, struct leaf, &leaf_desc),
		KSTATE_UNION(u, struct all, tag, arms),
		KSTATE_BASE_TYPE(group_needed, struct all, bool),
		KSTATE_GROUP(group, &group_desc, group_needed),
		KSTATE_REMOVED("once"),
		KSTATE_SKIP(link, struct all, "the list that it is on"),
		KSTATE_END_OF_LIST()
	},
};

static unsigned int random_state;

static u64 next_random(void)
{
	u64 r = 0;

	for (int i = 0; i < 4; i++) {
		random_state = random_state * 1103515245 + 12345;
		r = r << 16 | (random_state >> 16 & 0xffff);
	}
	return r;
}

static char *random_name(void)
{
	char name[32];

	if (next_random() % 4 == 0)
		return NULL;
	snprintf(name, 1 + next_random() % sizeof(name), "name-%llx", next_random());
	return kstrdup(name, GFP_KERNEL);
}

static void leaf_fill(struct leaf *leaf)
{
	leaf->small = next_random();
	leaf->big = next_random();
	leaf->name = random_name();
}

static bool string_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool leaf_equal(const struct leaf *a, const struct leaf *b)
{
	if (!a || !b)
		return a == b;
	return a->small == b->small && a->big == b->big && string_equal(a->name, b->name);
}

static void leaf_free(struct leaf *leaf)
{
	if (leaf)
		kvfree(leaf->name);
	kvfree(leaf);
}

static struct leaf *leaf_new(void)
{
	struct leaf *leaf = kvzalloc(sizeof(*leaf), GFP_KERNEL);

	leaf_fill(leaf);
	return leaf;
}

void all_init(struct all *a)
{
	memset(a, 0, sizeof(*a));
	INIT_LIST_HEAD(&a->list);
	xa_init(&a->xarray);
}

static void random_bytes(void *p, size_t size)
{
	for (u8 *s = p; size; size--)
		*s++ = next_random();
}

void all_fill(struct all *a, unsigned int seed)
{
	random_state = seed;
	all_init(a);
	random_bytes(&a->b8, offsetof(struct all, flag));
	a->i32 %= 1000000;
	a->flag = next_random() & 1;
	a->letter = 'x';
	a->word = next_random() & ~0xf0UL;
	a->sword = next_random();
	random_bytes(a->ints, sizeof(a->ints));
	strscpy(a->text, "slides");
	random_bytes(a->matrix, sizeof(a->matrix));
	a->flags[next_random() % 3] = true;
	a->pointer = kvzalloc(sizeof(*a->pointer), GFP_KERNEL);
	*a->pointer = next_random();
	a->nr_fixed = next_random() % 7;
	random_bytes(a->fixed, a->nr_fixed * sizeof(a->fixed[0]));
	a->nr_varray = 1 + next_random() % 9;
	a->varray = kvzalloc(a->nr_varray * sizeof(*a->varray), GFP_KERNEL);
	random_bytes(a->varray, a->nr_varray * sizeof(*a->varray));
	a->nr_by_fn = next_random() % 9;
	random_bytes(a->by_fn, a->nr_by_fn * sizeof(a->by_fn[0]));
	for (int i = 0; i < 4; i++) {
		if (next_random() % 3 == 0)
			continue;
		a->pointers[i] = kvzalloc(sizeof(s16), GFP_KERNEL);
		*a->pointers[i] = next_random();
	}

	leaf_fill(&a->leaf);
	for (int i = 0; i < 3; i++) {
		leaf_fill(&a->leaves[i]);
		if (next_random() % 3)
			a->leaf_pointers[i] = leaf_new();
	}
	a->leaf_pointer = leaf_new();
	a->nr_leaf_varray = 1 + next_random() % 4;
	a->leaf_varray = kvzalloc(a->nr_leaf_varray * sizeof(*a->leaf_varray), GFP_KERNEL);
	for (int i = 0; i < a->nr_leaf_varray; i++)
		leaf_fill(&a->leaf_varray[i]);

	random_bytes(a->custom, sizeof(a->custom));
	a->linear = shim_memory + 12345;
	a->vmemmap = pfn_to_page(321);
	snprintf(a->string, sizeof(a->string), "string %u", seed % 10000);
	a->string_pointer = kstrdup("a string that was allocated", GFP_KERNEL);
	random_bytes(a->bitmap, sizeof(a->bitmap));
	a->bitmap[2] &= 3;
	for (int i = next_random() % 4; i; i--)
		list_add_tail(&leaf_new()->link, &a->list);
	for (int i = next_random() % 4; i; i--)
		leaf_free(xa_store(&a->xarray, next_random() >> (next_random() % 64), leaf_new(),
				   GFP_KERNEL));
	if (next_random() & 1) {
		a->tag = ARM_A;
		a->u.a.x = next_random();
		a->u.a.y = next_random();
	} else {
		a->tag = ARM_B;
		random_bytes(a->u.b.bytes, sizeof(a->u.b.bytes));
		a->u.b.text = random_name();
	}
	a->group_needed = next_random() & 1;
	a->group_a = a->group_needed ? next_random() : 77;
	a->group_b = a->group_needed ? random_name() : NULL;
}

#define SAME(member)	(!memcmp(&a->member, &b->member, sizeof(a->member)))

bool all_equal(struct all *a, struct all *b)
{
	struct list_head *x, *y;
	unsigned long index, other = 0;
	struct leaf *leaf;
	unsigned int nr = 0;

	if (!a || !b)
		return a == b;
	if (!SAME(b8) || !SAME(b16) || !SAME(b32) || !SAME(b64) || !SAME(i8) || !SAME(i16) ||
	    !SAME(i32) || !SAME(i64) || !SAME(flag) || !SAME(letter) || !SAME(word) ||
	    !SAME(sword) || !SAME(ints) || !SAME(text) || !SAME(matrix) || !SAME(flags) ||
	    !SAME(nr_fixed) || !SAME(nr_varray) || !SAME(nr_by_fn) || !SAME(custom) ||
	    !SAME(linear) || !SAME(vmemmap) || a->null_address || b->null_address ||
	    !SAME(bitmap) || !SAME(tag) || !SAME(group_needed) || !SAME(group_a) ||
	    a->null_pointer || b->null_pointer || a->null_string || b->null_string ||
	    !SAME(nr_leaf_varray))
		return false;
	if (*a->pointer != *b->pointer ||
	    memcmp(a->fixed, b->fixed, a->nr_fixed * sizeof(a->fixed[0])) ||
	    memcmp(a->varray, b->varray, a->nr_varray * sizeof(a->varray[0])) ||
	    memcmp(a->by_fn, b->by_fn, a->nr_by_fn * sizeof(a->by_fn[0])))
		return false;
	for (int i = 0; i < 4; i++)
		if (!a->pointers[i] != !b->pointers[i] ||
		    (a->pointers[i] && *a->pointers[i] != *b->pointers[i]))
			return false;
	if (!leaf_equal(&a->leaf, &b->leaf) || !leaf_equal(a->leaf_pointer, b->leaf_pointer))
		return false;
	for (int i = 0; i < 3; i++)
		if (!leaf_equal(&a->leaves[i], &b->leaves[i]) ||
		    !leaf_equal(a->leaf_pointers[i], b->leaf_pointers[i]))
			return false;
	for (int i = 0; i < a->nr_leaf_varray; i++)
		if (!leaf_equal(&a->leaf_varray[i], &b->leaf_varray[i]))
			return false;
	if (strcmp(a->string, b->string) || !string_equal(a->string_pointer, b->string_pointer) ||
	    !string_equal(a->group_b, b->group_b))
		return false;

	for (x = a->list.next, y = b->list.next; x != &a->list && y != &b->list;
	     x = x->next, y = y->next)
		if (!leaf_equal(list_entry(x, struct leaf, link), list_entry(y, struct leaf, link)))
			return false;
	if (x != &a->list || y != &b->list)
		return false;
	xa_for_each(&a->xarray, index, leaf) {
		if (!leaf_equal(leaf, xa_load(&b->xarray, index)))
			return false;
		nr++;
	}
	xa_for_each(&b->xarray, other, leaf)
		nr--;
	if (nr)
		return false;
	if (a->tag == ARM_A)
		return SAME(u.a.x) && SAME(u.a.y);
	return a->tag != ARM_B || (SAME(u.b.bytes) && string_equal(a->u.b.text, b->u.b.text));
}

void all_free(struct all *a)
{
	struct leaf *leaf, *next;
	unsigned long index;

	kvfree(a->pointer);
	kvfree(a->varray);
	for (int i = 0; i < 4; i++)
		kvfree(a->pointers[i]);
	kvfree(a->leaf.name);
	for (int i = 0; i < 3; i++) {
		kvfree(a->leaves[i].name);
		leaf_free(a->leaf_pointers[i]);
	}
	leaf_free(a->leaf_pointer);
	for (int i = 0; a->leaf_varray && i < a->nr_leaf_varray; i++)
		kvfree(a->leaf_varray[i].name);
	kvfree(a->leaf_varray);
	kvfree(a->string_pointer);
	if (a->list.next)
		list_for_each_entry_safe(leaf, next, &a->list, link)
			leaf_free(leaf);
	xa_for_each(&a->xarray, index, leaf)
		leaf_free(leaf);
	xa_destroy(&a->xarray);
	if (a->tag == ARM_B)
		kvfree(a->u.b.text);
	kvfree(a->group_b);
	all_init(a);
}
