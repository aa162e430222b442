// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzing: arbitrary bytes are opened as a set, and everything is done with it
 * that a kernel would do. All checksums, hashes and sizes that follow from other
 * bytes are put right before, so that mutations get past them.
 *
 * With libFuzzer this is its target; with -DREPLAY it is a program that runs
 * the files that it is given; with the argument "seeds DIRECTORY" it writes
 * files to begin with.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kstate.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#include <shim.h>
#include "fix.h"
#include "gate.h"

#define MAX_BYTES	65536
#define MAX_RECORDS	64

/* What is described: a field of every kind, in two generations */

struct leaf {
	u8 small;
	u64 big;
	char *name;
	struct list_head link;
};

struct twig {
	struct hlist_node link;
	u16 id;
};

struct arm_a {
	u32 x;
	u16 y;
};

struct arm_b {
	u8 bytes[24];
	char *text;
	struct folio *folio;
};

struct inner {
	u16 pair[2];
	u32 nr;
	struct leaf *leaves;
};

struct thing {
	u8 b8;
	u16 b16;
	u32 b32;
	u64 b64;
	s8 i8;
	s32 i32;
	s64 i64;
	bool flag;
	char text[12];
	u16 ints[5];
	u32 *pointer;
	u8 nr_fixed;
	u32 fixed[6];
	u32 nr_varray;
	u64 *varray;
	u16 nr_pair;
	u32 *left;
	u32 *right;
	u32 nr_pointers;
	s16 *pointers[4];
	struct leaf leaf;
	struct leaf leaves[3];
	struct leaf *leaf_pointer;
	u16 nr_leaf_varray;
	struct leaf *leaf_varray;
	struct leaf *leaf_pointers[3];
	struct inner inner;
	u64 custom[4];
	struct folio *custom_folio;
	void *linear;
	struct page *vmemmap;
	char *string;
	unsigned long bitmap[3];
	struct list_head list;
	struct xarray xarray;
	u8 tag;
	union {
		struct arm_a a;
		struct arm_b b;
	} u;
	bool group_needed;
	u32 group_a;
	char *group_b;
	struct leaf group_leaf;
	struct hlist_head hlist;
	atomic_t count;
	u16 nr_entries;
	struct kstate_folio_entry *entries;
	struct folio *two[2];
	u8 nr_more;
	struct folio **more;
	struct folio *folio;
	u32 nr_pages;
	struct page *pages;
	void *area;
	u64 converted;
	u32 hooked;
	u16 nr_flex;
	u32 flex[6];
};

static const struct kstate_description leaf_desc = {
	.name = "leaf",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(small, struct leaf, u8, KSTATE_DEFAULT(0)),
		KSTATE_BASE_TYPE(big, struct leaf, u64, KSTATE_DEFAULT(0)),
		KSTATE_STRING(name, struct leaf, KSTATE_DEFAULT(0)),
		KSTATE_SKIP(link, struct leaf, "the list that it is on"),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_description twig_desc = {
	.name = "twig",
	.fields = (const struct kstate_field[]) {
		KSTATE_FIELD(struct twig, id),
		KSTATE_SKIP(link, struct twig, "the list that it is on"),
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
		KSTATE_FOLIO(folio, struct arm_b),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_arm arms[] = {
	{ "a", 7, &arm_a_desc }, { "b", 9, &arm_b_desc }, { "none", 0, NULL }, { },
};

static const struct kstate_description inner_desc = {
	.name = "inner",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(pair, struct inner, u16 [2], KSTATE_DEFAULT(0)),
		KSTATE_STRUCT_VARRAY(leaves, struct inner, nr, &leaf_desc, KSTATE_ALLOC,
				     KSTATE_DEFAULT(0)),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_description group_desc = {
	.name = "group",
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(group_a, struct thing, u32, KSTATE_DEFAULT(77)),
		KSTATE_STRING(group_b, struct thing, KSTATE_DEFAULT(0)),
		KSTATE_STRUCT(group_leaf, struct thing, &leaf_desc, KSTATE_DEFAULT(0)),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_flag_name values_a[] = {
	{ 0, "none" }, { 1, "one" }, { 2, "two" }, { 5, "five" }, { },
};

/* Two have changed places, one is gone */
static const struct kstate_flag_name values_b[] = {
	{ 0, "none" }, { 2, "one" }, { 1, "two" }, { 300, "many" }, { },
};

static bool group_needed(const void *obj)
{
	return ((const struct thing *)obj)->group_needed;
}

static int custom_save(struct kstate_stream *stream, void *member, const struct kstate_field *field)
{
	u64 *custom = member;
	struct folio **folio = (void *)&custom[4];
	int ret;

	ret = kstate_put_u64(stream, "first", custom[0]);
	ret = ret ?: kstate_put_begin(stream, "group");
	ret = ret ?: kstate_put_data(stream, "second", &custom[1], sizeof(custom[1]));
	ret = ret ?: kstate_put_string(stream, "text", custom[2] ? "some text" : "");
	ret = ret ?: kstate_put_end(stream);
	ret = ret ?: kstate_put_s64(stream, "skipped", -1);
	return ret ?: kstate_put_folio(stream, "folio", *folio);
}

static int custom_restore(struct kstate_stream *stream, void *member,
			  const struct kstate_field *field)
{
	u64 *custom = member;
	struct folio **folio = (void *)&custom[4];
	const char *text;
	int ret;

	ret = kstate_get_u64(stream, "first", &custom[0]);
	if (ret == -ENOENT)
		ret = kstate_get_skip(stream);
	if (!ret)
		ret = kstate_get_begin(stream, "group");
	if (ret)
		return ret;
	ret = kstate_get_data(stream, "second", &custom[1], sizeof(custom[1]));
	if (ret && ret != -ENOENT)
		return ret;
	text = kstate_get_string(stream, "text");
	if (!IS_ERR(text))
		custom[2] = strlen(text);
	ret = kstate_get_end(stream);
	ret = ret ?: kstate_get_skip(stream);
	return ret ?: kstate_get_folio(stream, "folio", folio);
}

static int convert(void *member, const struct kstate_value *from, const struct kstate_field *field)
{
	u64 *converted = member, val;
	const char *text;
	u32 i, len = 0;
	s64 sval;

	for (i = 0; i < min(kstate_value_count(from), 100000U); i++) {
		if (!kstate_value_u64(from, i, &val))
			*converted += val;
		if (!kstate_value_s64(from, i, &sval))
			*converted += sval;
	}
	text = kstate_value_text(from, &len);
	for (i = 0; text && i < len; i++)
		*converted += text[i];
	return *converted == 13 ? -EINVAL : 0;
}

static int absent(void *member, const struct kstate_field *field)
{
	*(u32 *)member = 5;
	return 0;
}

static int restored(void *obj)
{
	return ((struct thing *)obj)->converted == 14 ? -EINVAL : 0;
}

#define COMMON(_num)							\
	KSTATE_BASE_TYPE(flag, struct thing, bool),			\
	KSTATE_BASE_TYPE(text, struct thing, char [12], KSTATE_DEFAULT(0)), \
	KSTATE_POINTER(pointer, struct thing, KSTATE_ALLOC, KSTATE_DEFAULT(0)), \
	KSTATE_VARRAY(fixed, struct thing, nr_fixed, KSTATE_DEFAULT(0)), \
	KSTATE_VARRAY(varray, struct thing, nr_varray, KSTATE_ALLOC, KSTATE_DEFAULT(0)), \
	KSTATE_VARRAY(left, struct thing, nr_pair, KSTATE_ALLOC, KSTATE_DEFAULT(0)), \
	KSTATE_VARRAY(right, struct thing, nr_pair, KSTATE_ALLOC, KSTATE_DEFAULT(0)), \
	KSTATE_ARRAY_OF_POINTER(pointers, struct thing, KSTATE_ALLOC,	\
		.length = { offsetof(struct thing, nr_pointers), KS_U32 }), \
	KSTATE_STRUCT(leaf, struct thing, &leaf_desc, KSTATE_DEFAULT(0)), \
	KSTATE_STRUCT_ARRAY(leaves, struct thing, &leaf_desc, .num = _num, KSTATE_DEFAULT(0)), \
	KSTATE_STRUCT_POINTER(leaf_pointer, struct thing, &leaf_desc, KSTATE_ALLOC), \
	KSTATE_STRUCT_VARRAY(leaf_varray, struct thing, nr_leaf_varray, &leaf_desc, KSTATE_ALLOC), \
	KSTATE_ARRAY_OF_STRUCT_POINTER(leaf_pointers, struct thing, &leaf_desc, KSTATE_ALLOC), \
	KSTATE_STRUCT(inner, struct thing, &inner_desc),		\
	KSTATE_CUSTOM(custom, struct thing, custom_save, custom_restore, \
		.size = offsetofend(struct thing, custom_folio) - offsetof(struct thing, custom)), \
	KSTATE_ADDRESS(linear, struct thing, KS_LINEAR_ADDR, KSTATE_DEFAULT(0)), \
	KSTATE_ADDRESS(vmemmap, struct thing, KS_VMEMMAP_ADDR, KSTATE_DEFAULT(0)), \
	KSTATE_STRING(string, struct thing, KSTATE_DEFAULT(0)),		\
	KSTATE_BITMAP(bitmap, struct thing, 130, KSTATE_DEFAULT(0)),	\
	KSTATE_LIST(list, struct thing, struct leaf, link, &leaf_desc),	\
	KSTATE_XARRAY(xarray, struct thing, struct leaf, &leaf_desc),	\
	KSTATE_UNION(u, struct thing, tag, arms),			\
	KSTATE_GROUP(group, &group_desc, group_needed),			\
	KSTATE_FOLIO(folio, struct thing, KSTATE_DEFAULT(0)),		\
	KSTATE_PAGES(pages, struct thing, nr_pages, KSTATE_DEFAULT(0)),	\
	KSTATE_VMALLOC(area, struct thing, KSTATE_DEFAULT(0)),		\
	KSTATE_HLIST(hlist, struct thing, struct twig, link, &twig_desc,	\
		     KSTATE_MAX_COUNT(5), KSTATE_DEFAULT(0)),		\
	KSTATE_FIELD(struct thing, count, KSTATE_DEFAULT(0)),		\
	KSTATE_FOLIOS(entries, struct thing, nr_entries, KSTATE_DEFAULT(0)), \
	KSTATE_FOLIO_ARRAY(two, struct thing, KSTATE_DEFAULT(0)),	\
	KSTATE_FOLIO_VARRAY(more, struct thing, nr_more, KSTATE_ALLOC, KSTATE_DEFAULT(0)), \
	KSTATE_VARRAY(flex, struct thing, nr_flex, .modifiers = KS_VARRAY | KS_FLEX, \
		      KSTATE_DEFAULT(0))

static struct kstate_description desc_a = {
	.name = "thing",
	.version_id = 2,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(b8, struct thing, u8),
		KSTATE_BASE_TYPE(b16, struct thing, u16, KSTATE_IGNORABLE),
		KSTATE_BASE_TYPE(b32, struct thing, u32, KSTATE_ENUM_NAMES(values_a)),
		KSTATE_BASE_TYPE(b64, struct thing, u64, KSTATE_HEX, KSTATE_FLAG_NAMES(values_a)),
		KSTATE_BASE_TYPE(tag, struct thing, u8),
		KSTATE_BASE_TYPE(nr_pair, struct thing, u16, KSTATE_RANGE(0, 100)),
		KSTATE_BASE_TYPE(i8, struct thing, s8),
		KSTATE_BASE_TYPE(i32, struct thing, s32, KSTATE_RANGE(-1000, 1000)),
		KSTATE_BASE_TYPE(ints, struct thing, u16 [5], KSTATE_DEFAULT(3)),
		COMMON(3),
		KSTATE_END_OF_LIST()
	},
};

/* The same object for a kernel with other fields */
static struct kstate_description desc_b = {
	.name = "thing",
	.version_id = 3,
	.min_version_id = 2,
	.restored = restored,
	.fields = (const struct kstate_field[]) {
		COMMON(2),
		KSTATE_BASE_TYPE(i64, struct thing, s64, KSTATE_ALIAS("i8", "i16")),
		KSTATE_BASE_TYPE(b64, struct thing, u64, KSTATE_ALIAS("b16"), KSTATE_MASK(0xff),
				 KSTATE_FLAG_NAMES(values_b)),
		KSTATE_BASE_TYPE(converted, struct thing, u64, KSTATE_ALIAS("ints", "b8"),
				 KSTATE_CONVERT(convert), KSTATE_DEFAULT(1)),
		KSTATE_BASE_TYPE(hooked, struct thing, u32, KSTATE_ABSENT(absent)),
		KSTATE_BASE_TYPE(b32, struct thing, u32, KSTATE_DEFAULT(9),
				 KSTATE_ENUM_NAMES(values_b)),
		KSTATE_BASE_TYPE(nr_entries, struct thing, u16, KSTATE_DEFAULT(0)),
		KSTATE_REMOVED("i32", KSTATE_WAS(s32), KSTATE_DEFAULT(-5)),
		KSTATE_REMOVED("tag"),
		KSTATE_REMOVED("nr_pair", KSTATE_WAS(u16)),
		KSTATE_END_OF_LIST()
	},
};

/* Next to nothing is known here: all else is walked with the writer's schema */
static struct kstate_description desc_c = {
	.name = "thing",
	.version_id = 2,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(b8, struct thing, u8, KSTATE_DEFAULT(0)),
		KSTATE_REMOVED("b16"), KSTATE_REMOVED("b32"), KSTATE_REMOVED("b64"),
		KSTATE_REMOVED("i8"), KSTATE_REMOVED("i32"), KSTATE_REMOVED("ints"),
		KSTATE_REMOVED("flag"), KSTATE_REMOVED("text"), KSTATE_REMOVED("pointer"),
		KSTATE_REMOVED("fixed"), KSTATE_REMOVED("varray"), KSTATE_REMOVED("pointers"),
		KSTATE_REMOVED("left"), KSTATE_REMOVED("right"),
		KSTATE_REMOVED("leaf"), KSTATE_REMOVED("leaves"), KSTATE_REMOVED("leaf_pointer"),
		KSTATE_REMOVED("leaf_varray"), KSTATE_REMOVED("leaf_pointers"),
		KSTATE_REMOVED("inner"), KSTATE_REMOVED("custom"), KSTATE_REMOVED("linear"),
		KSTATE_REMOVED("vmemmap"), KSTATE_REMOVED("string"), KSTATE_REMOVED("bitmap"),
		KSTATE_REMOVED("list"), KSTATE_REMOVED("xarray"), KSTATE_REMOVED("u"),
		KSTATE_REMOVED("group"), KSTATE_REMOVED("folio"), KSTATE_REMOVED("pages"),
		KSTATE_REMOVED("area"), KSTATE_REMOVED("i64"), KSTATE_REMOVED("hooked"),
		KSTATE_REMOVED("converted"), KSTATE_REMOVED("hlist"), KSTATE_REMOVED("count"),
		KSTATE_REMOVED("entries"), KSTATE_REMOVED("two"), KSTATE_REMOVED("more"),
		KSTATE_REMOVED("flex"), KSTATE_REMOVED("tag"), KSTATE_REMOVED("nr_pair"),
		KSTATE_REMOVED("nr_entries"),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description desc_optional = {
	.name = "optional",
	.optional = true,
	.string_key = true,
	.fields = (const struct kstate_field[]) {
		KSTATE_STRUCT(leaf, struct thing, &leaf_desc),
		KSTATE_STRING(string, struct thing),
		KSTATE_UNION(u, struct thing, tag, arms),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description *const descs[] = { &desc_a, &desc_b, &desc_c, &desc_optional };

/* Memory that edges can be about; whoever restores one owns it */

#define NR_PAGES	3

static struct folio *new_folio(void)
{
	return page_folio(alloc_pages(GFP_KERNEL | __GFP_ZERO, 0));
}

static void thing_init(struct thing *t)
{
	memset(t, 0, sizeof(*t));
	INIT_LIST_HEAD(&t->list);
	xa_init(&t->xarray);
	/* What was allocated for it */
	t->nr_flex = ARRAY_SIZE(t->flex);
}

/* Text ends with a NUL, or it would not have been restored */
static void read_text(const char *text)
{
	static volatile size_t sum;

	if (text)
		sum += strlen(text);
	(void)sum;
}

static void leaf_free(struct leaf *leaf)
{
	read_text(leaf->name);
	kvfree(leaf->name);
}

static void leaves_free(struct leaf *leaves, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		leaf_free(&leaves[i]);
	kvfree(leaves);
}

static void thing_free(struct thing *t, bool all)
{
	struct leaf *leaf, *next;
	struct hlist_node *after;
	struct twig *twig;
	unsigned long index;
	u32 nr = 0;

	kvfree(t->pointer);
	for (u32 i = 0; i < t->nr_varray; i++)
		t->varray[i]++;
	kvfree(t->varray);
	/* A length that two arrays share is that of both */
	for (u32 i = 0; i < t->nr_pair; i++)
		t->left[i] += t->right[i]++;
	kvfree(t->left);
	kvfree(t->right);
	for (int i = 0; i < ARRAY_SIZE(t->pointers); i++)
		kvfree(t->pointers[i]);
	/* Lengths must be those of what they tell the length of */
	if (t->nr_fixed > ARRAY_SIZE(t->fixed) || t->nr_pointers > ARRAY_SIZE(t->pointers) ||
	    t->nr_flex > ARRAY_SIZE(t->flex))
		shim_bug(__FILE__, __LINE__, "a length beyond the array");
	leaf_free(&t->leaf);
	for (int i = 0; i < ARRAY_SIZE(t->leaves); i++)
		leaf_free(&t->leaves[i]);
	leaves_free(t->leaf_pointer, !!t->leaf_pointer);
	leaves_free(t->leaf_varray, t->nr_leaf_varray);
	for (int i = 0; i < ARRAY_SIZE(t->leaf_pointers); i++)
		leaves_free(t->leaf_pointers[i], !!t->leaf_pointers[i]);
	leaves_free(t->inner.leaves, t->inner.nr);
	read_text(t->string);
	read_text(t->group_b);
	kvfree(t->string);
	kvfree(t->group_b);
	leaf_free(&t->group_leaf);
	hlist_for_each_entry_safe(twig, after, &t->hlist, link) {
		kvfree(twig);
		if (++nr > 5)
			shim_bug(__FILE__, __LINE__, "more entries than are accepted");
	}
	list_for_each_entry_safe(leaf, next, &t->list, link)
		leaves_free(leaf, 1);
	xa_for_each(&t->xarray, index, leaf) {
		xa_erase(&t->xarray, index);
		leaves_free(leaf, 1);
	}
	xa_destroy(&t->xarray);
	if (t->tag == 9) {
		kvfree(t->u.b.text);
		if (t->u.b.folio)
			folio_put(t->u.b.folio);
	}
	for (u32 i = 0; i < t->nr_entries; i++)
		folio_put(t->entries[i].folio);
	kvfree(t->entries);
	for (u32 i = 0; i < ARRAY_SIZE(t->two); i++)
		if (t->two[i])
			folio_put(t->two[i]);
	for (u32 i = 0; i < t->nr_more; i++)
		if (t->more[i])
			folio_put(t->more[i]);
	kvfree(t->more);
	if (t->custom_folio)
		folio_put(t->custom_folio);
	if (t->folio)
		folio_put(t->folio);
	/* A NULL pointer with a length is a lie too */
	if (!t->pages && t->nr_pages)
		shim_bug(__FILE__, __LINE__, "no pages, but a number of them");
	for (u32 i = 0; t->pages && i < t->nr_pages; i++)
		__free_page(t->pages + i);
	vfree(t->area);
}

/* What files hold instead of addresses: an edge of @kind gets fresh memory */

static struct kstate_set *scratch;

/* The edges of a record, and how many of them may get memory */
struct fix {
	u8 *pos;
	u8 *end;
	u32 left;
};

/* The first @nr of four pages, the others are free */
static struct page *new_pages(u32 nr)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	if (page)
		split_page(page, 2);
	for (u32 i = nr; page && i < 4; i++)
		__free_page(page + i);
	return page;
}

static int fix_edge(struct kstate_edge *edge, u8 type, void *arg)
{
	struct kstate_edge made = { .kind = edge->kind };
	struct fix *fix = arg;
	struct page *page;
	void *ptr;
	int ret;

	/* Those of runs are nowhere: see below */
	if ((u8 *)edge < fix->pos || (u8 *)edge >= fix->end)
		return 0;
	/* Some lie: their memory is not preserved, or that of another */
	if (edge->kind != (type & 0xf) || (le16_to_cpu(edge->flags) & 0x80) || !fix->left)
		return 0;
	fix->left--;
	switch (edge->kind) {
	case KSTATE_EDGE_FOLIO:
		ptr = new_folio();
		if (!ptr)
			return 0;
		ret = scratch->transport->preserve(edge->kind, ptr, 1, &made);
		if (ret)
			folio_put(ptr);
		break;
	case KSTATE_EDGE_PAGES:
		page = new_pages(NR_PAGES);
		if (!page)
			return 0;
		ret = scratch->transport->preserve(edge->kind, page, NR_PAGES, &made);
		for (int i = 0; ret && i < NR_PAGES; i++)
			__free_page(page + i);
		break;
	default:
		ptr = vmalloc(2 * PAGE_SIZE);
		if (!ptr)
			return 0;
		ret = scratch->transport->preserve(edge->kind, ptr, 2, &made);
		if (ret)
			vfree(ptr);
	}
	if (!ret)
		*edge = made;
	return 0;
}

/* A run gets memory, too, unless it lies about where it is; returns its folios */
static u32 fix_run(struct kstate_folio_run *run, struct fix *fix)
{
	u32 order = kstate_run_order(run), n = kstate_run_count(run), flags = kstate_run_flags(run);
	struct kstate_edge made = {};
	struct page *page;

	if (flags & 1 || order > 3 || !fix->left) {
		run->place |= cpu_to_le64(1ULL << (KSTATE_RUN_BITS - 1));
		return n;
	}
	fix->left--;
	n = order ? 1 : n > NR_PAGES ? 1 + n % NR_PAGES : n;
	page = order ? alloc_pages(GFP_KERNEL, order) : new_pages(n);
	if (!page)
		return n;
	scratch->transport->preserve(order ? KSTATE_EDGE_FOLIO : KSTATE_EDGE_PAGES, page, n, &made);
	run->place = cpu_to_le64(page_to_pfn(page) | (u64)order << KSTATE_RUN_BITS |
				 (u64)flags << (64 - KSTATE_RUN_FLAGS));
	run->index = cpu_to_le64(kstate_run_index(run) | (u64)(n - 1) << KSTATE_RUN_BITS);
	return n;
}

/* Those of the record's own struct; their number is then what its slot says */
static void fix_runs(const struct kstate_schema *schema, struct fix *fix)
{
	struct kstate_cursor tail = { .pos = fix->pos, .end = fix->end }, at;
	const struct kstate_schema_field *f = schema->fields;
	u8 *fixed = kstate_cursor_take(&tail, schema->size);
	struct kstate_visit visit = {};
	struct kstate_span span;

	for (; fixed && f < schema->fields + schema->nr_fields; f++) {
		u8 *slot = fixed + f->offset;
		u32 n = 0;

		if (!kstate_has_data(f))
			continue;
		at = tail;
		if (f->type == KS_T_FOLIOS &&
		    kstate_span_of(schema, f, get_unaligned_le32(slot), &at, &span)) {
			for (u32 i = 0; i < span.present; i++)
				n += fix_run((struct kstate_folio_run *)span.chunk + i, fix);
			if (n <= KSTATE_MAX_FOLIOS)
				put_unaligned_le32(n, slot);
		}
		if (kstate_wire_walk(schema, f, fixed, 0, f->count, &tail, &visit))
			return;
	}
}

/* What a kernel would do with it */

/* Nothing of what is taken back stays */
static void try_transaction(struct kstate_stream *stream, struct kstate_description *desc,
			    struct thing *t, struct kstate_key key)
{
	struct kstate_transaction *tr = kstate_transaction_begin(stream);
	struct kstate_error err = {};
	struct thing before;

	memcpy(&before, t, sizeof(before));
	if (!kstate_transaction_add(tr, desc, t, key, &err))
		kstate_transaction_apply(tr, &err);
	kstate_transaction_cancel(tr);
	if (memcmp(&before, t, offsetof(struct thing, list)))
		shim_bug(__FILE__, __LINE__, "what was taken back is there");
}

static void try_record(struct kstate_set *set, struct kstate_stream *stream, u32 i)
{
	struct kstate_record *record = stream->index.slots[i].record;
	struct kstate_schema *schema = kstate_known(set, le32_to_cpu(record->schema))->schema;
	char name[KSTATE_MAX_NAME + 1] = "";
	struct kstate_key key = { .id = le64_to_cpu(record->key) };
	struct kstate_error err = {};
	struct fix fix = { .left = 16 };
	struct thing t, before;
	int d, ret, verdict;

	if (!schema)
		return;
	fix.pos = kstate_record_payload(record);
	fix.end = (u8 *)(record + 1) + le32_to_cpu(record->size);
	fix_runs(schema, &fix);
	kstate_wire_edges(schema, fix.pos, fix.end - fix.pos, fix_edge, &fix);
	kstate_record_seal(record, 8 * le32_to_cpu(record->place));

	if (record->key_len) {
		memcpy(name, record + 1, le16_to_cpu(record->key_len));
		key.name = name;
	}
	for (d = 0; d < ARRAY_SIZE(descs); d++) {
		if (strcmp(schema->name, descs[d]->name) || !key.name == descs[d]->string_key)
			continue;
		thing_init(&t);
		memcpy(&before, &t, sizeof(t));
		verdict = kstate_stream_check(stream, descs[d], &t, key, &err);
		/* Reserving entries makes nodes, and no more than that */
		if (memcmp(&before, &t, offsetof(struct thing, list)))
			shim_bug(__FILE__, __LINE__, "checking changed the object");
		if (i % 2)
			try_transaction(stream, descs[d], &t, key);
		memset(&err, 0, sizeof(err));
		ret = kstate_stream_restore(stream, descs[d], &t, key, &err);
		/* Functions that look at the whole object are called when that is restored */
		if (err.reason != KSTATE_CALLBACK && (ret ? ret != verdict : verdict < 0))
			shim_bug(__FILE__, __LINE__, "check and restore disagree");
		if (ret && (!err.code || !err.path[0] || !err.expected[0]))
			shim_bug(__FILE__, __LINE__, "an error that says nothing");
		if (ret && memcmp(&before, &t, offsetof(struct thing, list)))
			shim_bug(__FILE__, __LINE__, "a failed restore changed the object");
		thing_free(&t, !ret);
		if (!ret)
			break;
	}
}

/* What another kernel would do says something about each record */
static int look(const struct kstate_finding *finding, void *arg)
{
	if (finding->verdict > KSTATE_REFUSED ||
	    (finding->verdict == KSTATE_REFUSED && (!finding->nr_err || !finding->err[0].path[0])))
		shim_bug(__FILE__, __LINE__, "a finding that says nothing");
	return 0;
}

static int count_key(struct kstate_key key, void *arg)
{
	return ++*(u32 *)arg == MAX_RECORDS;
}

static void use_set(struct kstate_set *set)
{
	u32 keys = 0;
	struct kstate_set *out = kstate_memory_create(), *again;
	struct kstate_error err = {};
	struct kstate_stream *stream;
	u32 done = 0, i;
	void *blob;
	size_t size;
	int ret;

	/* Its records and its descriptions may be those of two kernels */
	kstate_check_set(set, set, look, NULL);
	list_for_each_entry(stream, &set->streams, list) {
		kstate_stream_walk_keys(stream, &desc_a, count_key, &keys);
		for (i = 0; i < stream->index.nr && done < MAX_RECORDS; i++, done++)
			/* Every third one is left for what comes next */
			if (i % 3 != 2)
				try_record(set, stream, i);
	}

	ret = kstate_set_hand_on(set, out, &err);
	if (ret && !err.code)
		shim_bug(__FILE__, __LINE__, "an error that says nothing");
	if (!kstate_set_export(out, &blob, &size)) {
		memset(&err, 0, sizeof(err));
		again = kstate_memory_open(blob, size, &err);
		if (IS_ERR(again))
			shim_bug(__FILE__, __LINE__, "what was handed on cannot be opened");
		if (again->damage.code)
			shim_bug(__FILE__, __LINE__, "what was handed on is damaged");
		/* Its edges are those of @out */
		list_for_each_entry(stream, &again->streams, list)
			stream->index.nr = 0;
		kstate_set_destroy(again);
		kvfree(blob);
	}
	kstate_set_destroy(out);
	if (!kstate_set_export(set, &blob, &size))
		kvfree(blob);
	kstate_set_finish(set, true);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct kstate_error err = {};
	long live;
	struct kstate_set *set;
	int i;

	if (size < sizeof(struct kstate_header) + 64 || size > MAX_BYTES)
		return -1;
	if (!scratch)
		scratch = kstate_memory_create();
	shim_log_clear();
	live = shim_live();

	file_size = size & ~7UL;
	file = kvmalloc(file_size, GFP_KERNEL);
	memcpy(file, data, file_size);
	fix_file();
	set = kstate_memory_open(file, file_size, &err);
	kvfree(file);
	if (IS_ERR(set))
		return 0;
	use_set(set);
	kstate_set_destroy(set);
	for (i = 0; i < ARRAY_SIZE(descs); i++)
		kstate_forget(descs[i]);
	/* Areas of edges that nobody could take stay: more may live than before */
	if (shim_live() < live)
		shim_bug(__FILE__, __LINE__, "freed more than was allocated");
	return 0;
}

/* Files to begin with */

static void thing_fill(struct thing *t, u32 n)
{
	struct page *page;

	thing_init(t);
	t->b8 = n;
	t->b16 = 300 * n;
	t->b32 = n;
	t->b64 = n;
	t->i8 = -n;
	t->i32 = -5;
	t->flag = n & 1;
	strcpy(t->text, "text");
	for (int i = 0; i < 5; i++)
		t->ints[i] = 3;
	if (!n)
		return;
	t->pointer = kvzalloc(4, GFP_KERNEL);
	t->nr_fixed = 4;
	t->nr_varray = 3;
	t->varray = kvzalloc(24, GFP_KERNEL);
	t->nr_pair = 5;
	t->left = kvzalloc(20, GFP_KERNEL);
	t->right = kvzalloc(20, GFP_KERNEL);
	t->nr_pointers = 4;
	t->pointers[1] = kvzalloc(2, GFP_KERNEL);
	t->leaf.name = kstrdup("leaf", GFP_KERNEL);
	t->leaves[1].name = kstrdup("leaves", GFP_KERNEL);
	t->leaf_pointer = kvzalloc(sizeof(struct leaf), GFP_KERNEL);
	t->nr_leaf_varray = 2;
	t->leaf_varray = kvzalloc(2 * sizeof(struct leaf), GFP_KERNEL);
	t->leaf_varray[1].name = kstrdup("varray", GFP_KERNEL);
	t->leaf_pointers[2] = kvzalloc(sizeof(struct leaf), GFP_KERNEL);
	t->inner.nr = 1;
	t->inner.leaves = kvzalloc(sizeof(struct leaf), GFP_KERNEL);
	t->custom[2] = 1;
	t->custom_folio = new_folio();
	t->linear = shim_memory + 4096;
	t->vmemmap = pfn_to_page(2);
	t->string = kstrdup("string", GFP_KERNEL);
	t->bitmap[1] = 0x55;
	for (int i = 0; i < 3; i++) {
		struct leaf *leaf = kvzalloc(sizeof(*leaf), GFP_KERNEL);

		leaf->small = i;
		if (i == 2)
			xa_store(&t->xarray, 1 + i * 1000, leaf, GFP_KERNEL);
		else
			list_add_tail(&leaf->link, &t->list);
	}
	t->tag = n & 1 ? 7 : 9;
	if (t->tag == 9) {
		t->u.b.text = kstrdup("arm", GFP_KERNEL);
		t->u.b.folio = new_folio();
	}
	t->group_needed = n > 1;
	t->group_a = n;
	for (int i = 0; i < 2; i++) {
		struct twig *twig = kvzalloc(sizeof(*twig), GFP_KERNEL);

		twig->id = i;
		hlist_add_head(&twig->link, &t->hlist);
	}
	t->count.counter = n;
	t->nr_entries = 4;
	t->entries = kvzalloc(4 * sizeof(*t->entries), GFP_KERNEL);
	page = new_pages(3);
	for (int i = 0; i < 4; i++)
		t->entries[i] = (struct kstate_folio_entry){
			.folio = i < 3 ? page_folio(page + i) : folio_alloc(GFP_KERNEL, 1),
			.index = 10 * (i / 2) + i, .flags = 2 };
	t->two[1] = new_folio();
	t->nr_more = 2;
	t->more = kvzalloc(2 * sizeof(*t->more), GFP_KERNEL);
	t->more[0] = new_folio();
	t->nr_flex = 4;
	t->folio = new_folio();
	t->pages = alloc_pages(GFP_KERNEL, 0);
	t->nr_pages = 1;
	t->area = vmalloc(PAGE_SIZE);
}

/* What a catalogue says of a description */
static void add_state(struct kstate_set *set, struct kstate_description *desc)
{
	struct kstate_wire_state *ws = kvzalloc(sizeof(*ws) + 8, GFP_KERNEL);
	u32 id;

	kstate_set_schema(set, kstate_describe(desc, NULL), &id, NULL);
	ws->flags = cpu_to_le32(KSTATE_STATE_USED);
	ws->strings = cpu_to_le32(1);
	kstate_set_add_state(set, id, (u8 *)ws, sizeof(*ws) + 8);
}

static int write_seeds(const char *directory)
{
	char path[4096];
	u32 which, n;

	shim_set_release("7.3.0-fuzz");
	for (which = 0; which < 9; which++) {
		struct kstate_set *set = kstate_memory_create();
		struct kstate_stream *stream = kstate_stream_create(set, "kernel", NULL);
		struct thing things[3];
		size_t size;
		void *blob;
		FILE *out;

		set->limits = which > 6;
		for (n = 0; n < 3; n++) {
			thing_fill(&things[n], n);
			if (which < 6 ? n != which % 3 : false)
				continue;
			if (which < 3 || which == 6 || which == 7)
				kstate_stream_save(stream, &desc_a, &things[n], KSTATE_ID(n), NULL);
			else
				kstate_stream_save(stream, &desc_b, &things[n], KSTATE_ID(n), NULL);
			if (n)
				kstate_stream_save(stream, &desc_optional, &things[n],
						   KSTATE_NAME("vm1"), NULL);
		}
		if (which > 6)
			add_state(set, which == 7 ? &desc_b : &desc_a);
		if (kstate_set_export(set, &blob, &size))
			return 1;
		snprintf(path, sizeof(path), "%s/seed-%u", directory, which);
		out = fopen(path, "wb");
		if (!out || fwrite(blob, 1, size, out) != size || fclose(out))
			return 1;
		kvfree(blob);
		kstate_set_destroy(set);
		for (n = 0; n < 3; n++)
			thing_free(&things[n], true);
		kstate_forget(&desc_a);
		kstate_forget(&desc_b);
		kstate_forget(&desc_optional);
	}
	return 0;
}

#ifdef REPLAY

/* One file in a process of its own each: what fails is counted, not fatal */
int main(int argc, char **argv)
{
	static u8 data[MAX_BYTES];
	FILE *in;
	size_t size;

	if (argc == 3 && !strcmp(argv[1], "seeds"))
		return write_seeds(argv[2]);
	for (int i = 1; i < argc; i++) {
		in = fopen(argv[i], "rb");
		if (!in) {
			perror(argv[i]);
			return 1;
		}
		size = fread(data, 1, sizeof(data), in);
		fclose(in);
		alarm(5);
		LLVMFuzzerTestOneInput(data, size);
	}
	return 0;
}

#else

/* Keep the compiler quiet: only replaying writes seeds */
int (*const fuzz_write_seeds)(const char *directory) = write_seeds;

#endif
