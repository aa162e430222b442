// SPDX-License-Identifier: GPL-2.0-only
/*
 * Saving and restoring in steps: records that are updated, objects that are
 * restored together or not at all, hooks that refuse, and what is taken back.
 */
#include <linux/mm.h>
#include "host.h"

struct entry {
	struct list_head link;
	struct hlist_node node;
	u32 value;
};

KSTATE_DESCRIBE_STATIC(entry_desc, "entry", 1, KSTATE_BASE_TYPE(value, struct entry, u32));

struct ring {
	u32 read;
	u32 size;
	u8 *bytes;
	struct list_head list;
	struct hlist_head hlist;
	struct xarray xarray;
	struct folio *folio;
	u64 position;
};

static int ring_restored(void *obj)
{
	struct ring *ring = obj;

	return ring->read < ring->size ? 0 : -EDOM;
}

static const struct kstate_field ring_fields[] = {
	KSTATE_BASE_TYPE(read, struct ring, u32),
	KSTATE_VARRAY(bytes, struct ring, size, KSTATE_ALLOC),
	KSTATE_LIST(list, struct ring, struct entry, link, &entry_desc),
	KSTATE_HLIST(hlist, struct ring, struct entry, node, &entry_desc),
	KSTATE_XARRAY(xarray, struct ring, struct entry, &entry_desc),
	KSTATE_FOLIO(folio, struct ring),
	KSTATE_BASE_TYPE(position, struct ring, u64),
	KSTATE_END_OF_LIST()
};

static struct kstate_description ring_desc = {
	.name = "ring", .fields = ring_fields, .restored = ring_restored,
};

static void ring_fill(struct ring *r, u32 read)
{
	memset(r, 0, sizeof(*r));
	r->read = read;
	r->size = 5;
	r->bytes = kvzalloc(5, GFP_KERNEL);
	memcpy(r->bytes, "abcde", 5);
	INIT_LIST_HEAD(&r->list);
	for (int i = 3; i; i--) {
		struct entry *e = kvzalloc(sizeof(*e), GFP_KERNEL), *f, *g;

		f = kvzalloc(sizeof(*f), GFP_KERNEL);
		g = kvzalloc(sizeof(*g), GFP_KERNEL);
		e->value = f->value = g->value = i;
		list_add(&e->link, &r->list);
		hlist_add_head(&f->node, &r->hlist);
		assert_null(xa_store(&r->xarray, 10 * i, g, GFP_KERNEL));
	}
	r->folio = page_folio(alloc_pages(GFP_KERNEL, 0));
	r->position = 77;
}

static void ring_check(struct ring *r, u32 read)
{
	struct entry *e;
	struct hlist_node *node = r->hlist.first;
	int i = 0;

	assert_int_equal(r->read, read);
	assert_int_equal(r->size, 5);
	assert_memory_equal(r->bytes, "abcde", 5);
	list_for_each_entry(e, &r->list, link)
		assert_int_equal(e->value, ++i);
	assert_int_equal(i, 3);
	for (; node; node = node->next)
		assert_int_equal(container_of(node, struct entry, node)->value, 4 - i--);
	assert_int_equal(i, 0);
	for (i = 1; i <= 3; i++)
		assert_int_equal(((struct entry *)xa_load(&r->xarray, 10 * i))->value, i);
	assert_non_null(r->folio);
}

static void ring_free(struct ring *r, bool folio)
{
	struct entry *e, *next;
	struct hlist_node *node;
	unsigned long index;

	kvfree(r->bytes);
	list_for_each_entry_safe(e, next, &r->list, link)
		kvfree(e);
	while ((node = r->hlist.first)) {
		r->hlist.first = node->next;
		kvfree(container_of(node, struct entry, node));
	}
	xa_for_each(&r->xarray, index, e)
		kvfree(e);
	xa_destroy(&r->xarray);
	if (folio && r->folio)
		folio_put(r->folio);
}

/* What @writer has, read from its bytes while its memory is still preserved */
static struct kstate_set *reader_of(struct kstate_set *writer)
{
	struct kstate_set *set;
	size_t size;
	void *blob;

	assert_int_equal(kstate_set_export(writer, &blob, &size), 0);
	set = kstate_memory_open(blob, size, &err);
	kvfree(blob);
	assert_false(IS_ERR_OR_NULL(set));
	return set;
}

/* Two rings in a stream: one that restoring takes, and one with @read */
struct two_rings {
	struct kstate_set *writer;
	struct kstate_set *reader;
	struct kstate_stream *stream;
	struct ring from[2];
	struct ring to[2];
	struct ring before[2];
};

static void two_begin(struct two_rings *t, u32 read)
{
	struct kstate_stream *stream;

	use(&ring_desc);
	t->writer = set_create();
	stream = kstate_stream_create(t->writer, "test", &err);
	ring_fill(&t->from[0], 1);
	ring_fill(&t->from[1], read);
	for (int i = 0; i < 2; i++)
		stream_save(stream, &ring_desc, &t->from[i], KSTATE_ID(i));
	t->reader = reader_of(t->writer);
	t->stream = kstate_stream_find(t->reader, "test");
	for (int i = 0; i < 2; i++) {
		memset(&t->to[i], 0, sizeof(t->to[i]));
		t->to[i].read = 1000 + i;
		t->to[i].position = 5;
		INIT_LIST_HEAD(&t->to[i].list);
		t->before[i] = t->to[i];
	}
}

static void two_end(struct two_rings *t)
{
	kstate_set_destroy(t->reader);
	kstate_set_destroy(t->writer);
	for (int i = 0; i < 2; i++)
		ring_free(&t->from[i], false);
}

static void two_unchanged(struct two_rings *t)
{
	assert_memory_equal(t->to, t->before, sizeof(t->to));
}

/* A hook that refuses undoes all that was written, and nothing is lost by it */
static void hook_refuses(void **state)
{
	struct two_rings t;

	two_begin(&t, 9);
	assert_error(kstate_stream_restore(t.stream, &ring_desc, &t.to[1], KSTATE_ID(1), &err),
		     KSTATE_CALLBACK, -EDOM, "ring[1]", "an object that its description takes",
		     "error -33");
	two_unchanged(&t);
	assert_error(kstate_stream_restore(t.stream, &ring_desc, &t.to[1], KSTATE_ID(1), &err),
		     KSTATE_CALLBACK, -EDOM, "ring[1]", "an object that its description takes",
		     "error -33");
	two_unchanged(&t);
	assert_fits(kstate_stream_restore(t.stream, &ring_desc, &t.to[0], KSTATE_ID(0), &err));
	ring_check(&t.to[0], 1);
	ring_free(&t.to[0], true);
	two_end(&t);
}

static void together(void **state)
{
	struct kstate_transaction *tr;
	struct two_rings t;

	two_begin(&t, 2);
	tr = kstate_transaction_begin(t.stream);
	for (int i = 0; i < 2; i++) {
		assert_fits(kstate_transaction_add(tr, &ring_desc, &t.to[i], KSTATE_ID(i), &err));
		assert_int_equal(kstate_stream_restore(t.stream, &ring_desc, &t.to[i],
						       KSTATE_ID(i), NULL), -EALREADY);
		assert_int_equal(t.to[i].read, 1000 + i);
	}
	assert_fits(kstate_transaction_apply(tr, &err));
	kstate_transaction_commit(tr);
	for (int i = 0; i < 2; i++) {
		ring_check(&t.to[i], i + 1);
		ring_free(&t.to[i], true);
	}
	two_end(&t);
}

/* One that refuses stops all of them; the first can be restored afterwards */
static void together_or_not(void **state)
{
	struct kstate_transaction *tr;
	struct two_rings t;

	two_begin(&t, 9);
	for (int round = 0; round < 2; round++) {
		tr = kstate_transaction_begin(t.stream);
		for (int i = 0; i < 2; i++)
			assert_fits(kstate_transaction_add(tr, &ring_desc, &t.to[i], KSTATE_ID(i),
							   &err));
		assert_int_equal(kstate_transaction_apply(tr, &err), -EDOM);
		assert_string_equal(err.path, "ring[1]");
		kstate_transaction_cancel(tr);
		two_unchanged(&t);
	}
	assert_fits(kstate_stream_restore(t.stream, &ring_desc, &t.to[0], KSTATE_ID(0), &err));
	ring_check(&t.to[0], 1);
	ring_free(&t.to[0], true);
	two_end(&t);
}

/* A probe that fails after its state was restored gives it back */
static void taken_back(void **state)
{
	struct kstate_transaction *tr;
	struct two_rings t;

	two_begin(&t, 2);
	for (int round = 0; round < 3; round++) {
		tr = kstate_transaction_begin(t.stream);
		assert_fits(kstate_transaction_add(tr, &ring_desc, &t.to[1], KSTATE_ID(1), &err));
		if (round)
			assert_fits(kstate_transaction_apply(tr, &err));
		if (round)
			ring_check(&t.to[1], 2);
		kstate_transaction_cancel(tr);
		two_unchanged(&t);
	}
	tr = kstate_transaction_begin(t.stream);
	assert_int_equal(kstate_transaction_add(tr, &ring_desc, &t.to[1], KSTATE_ID(7), NULL),
			 -ENOENT);
	kstate_transaction_cancel(tr);
	two_end(&t);
}

/* Each allocation that fails leaves everything as it was */
static void steps_without_memory(void **state)
{
	struct two_rings t;
	int ret;

	two_begin(&t, 2);
	for_each_step(n) {
		struct kstate_transaction *tr = kstate_transaction_begin(t.stream);

		assert_non_null(tr);
		ret = failing(n, kstate_transaction_add(tr, &ring_desc, &t.to[1], KSTATE_ID(1),
							&err) ?:
			      kstate_transaction_apply(tr, &err));
		assert_int_equal(ret, failed ? -ENOMEM : 0);
		kstate_transaction_cancel(tr);
		two_unchanged(&t);
	}
	two_end(&t);
}

/* What changes late is saved again; what is large is not */
static void update(void **state)
{
	struct kstate_set *set = set_create(), *reader;
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct ring from, to = {};

	ring_fill(&from, 1);
	assert_int_equal(kstate_stream_update(stream, &ring_desc, &from, KSTATE_ID(1), NULL),
			 -ENOENT);
	stream_save(stream, &ring_desc, &from, KSTATE_ID(1));
	from.read = 3;
	from.position = 99;
	from.bytes[0] = 'z';
	assert_fits(kstate_stream_update(stream, &ring_desc, &from, KSTATE_ID(1), &err));
	reader = reader_of(set);
	INIT_LIST_HEAD(&to.list);
	assert_fits(stream_restore(kstate_stream_find(reader, "test"), &ring_desc, &to,
				   KSTATE_ID(1)));
	ring_check(&to, 3);
	assert_int_equal(to.position, 99);
	assert_int_equal(kstate_stream_update(kstate_stream_find(reader, "test"), &ring_desc,
					      &from, KSTATE_ID(1), NULL), -EBUSY);
	ring_free(&to, true);
	ring_free(&from, false);
	kstate_set_destroy(reader);
	kstate_set_destroy(set);
}

struct limited {
	u32 a;
	u16 b;
};

KSTATE_DESCRIBE_STATIC(limited_desc, "limited", 1,
	KSTATE_BASE_TYPE(a, struct limited, u32),
	KSTATE_BASE_TYPE(b, struct limited, u16, KSTATE_RANGE(1, 9)));

static void update_refused(void **state)
{
	struct limited from = { 1, 2 }, to = {};
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);

	stream_save(stream, &limited_desc, &from, KSTATE_ID(1));
	from = (struct limited){ 3, 10 };
	assert_int_equal(kstate_stream_update(stream, &limited_desc, &from, KSTATE_ID(1), &err),
			 -ERANGE);
	set = set_jump(set);
	assert_fits(stream_restore(kstate_stream_find(set, "test"), &limited_desc, &to,
				   KSTATE_ID(1)));
	assert_int_equal(to.a, 1);
	assert_int_equal(to.b, 2);
	kstate_set_destroy(set);
}

struct counted {
	u32 nr;
	u32 *p;
	u32 pos;
};

KSTATE_DESCRIBE_STATIC(counted_desc, "counted", 1,
	KSTATE_FIELD(struct counted, nr),
	KSTATE_VARRAY(p, struct counted, nr, KSTATE_ALLOC),
	KSTATE_FIELD(struct counted, pos));

/* The elements are not saved again: a record with another number could not be restored */
static void update_of_a_length(void **state)
{
	u32 values[3] = { 1, 2, 3 };
	struct counted from = { 2, values, 1 }, to = {};
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);

	stream_save(stream, &counted_desc, &from, KSTATE_ID(1));
	from.pos = 2;
	assert_fits(kstate_stream_update(stream, &counted_desc, &from, KSTATE_ID(1), &err));
	from.nr = 3;
	from.pos = 3;
	assert_error(kstate_stream_update(stream, &counted_desc, &from, KSTATE_ID(1), &err),
		     KSTATE_VALUE, -ERANGE, "counted[1].p", "the length or the tag that was saved",
		     "3");
	set = set_jump(set);
	assert_fits(stream_restore(kstate_stream_find(set, "test"), &counted_desc, &to,
				   KSTATE_ID(1)));
	assert_int_equal(to.nr, 2);
	assert_int_equal(to.p[1], 2);
	assert_int_equal(to.pos, 2);
	kvfree(to.p);
	kstate_set_destroy(set);
}

/* What was left out has no place in the record */

struct extra {
	u32 a;
	u32 x;
	u16 y;
	bool on;
	struct {
		struct list_head list;
		u32 pos;
	} each[2];
};

static bool extra_needed(const void *obj)
{
	return ((const struct extra *)obj)->on;
}

KSTATE_DESCRIBE_STATIC(extra_group, "extra_group", 1,
	KSTATE_FIELD(struct extra, x, KSTATE_DEFAULT(5)),
	KSTATE_FIELD(struct extra, y, KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(each_desc, "each", 1,
	KSTATE_LIST(list, typeof(((struct extra *)0)->each[0]), struct entry, link, &entry_desc),
	KSTATE_FIELD(typeof(((struct extra *)0)->each[0]), pos));
KSTATE_DESCRIBE_STATIC(extra_desc, "extra", 1,
	KSTATE_FIELD(struct extra, a),
	KSTATE_STRUCT_ARRAY(each, struct extra, &each_desc),
	KSTATE_GROUP(extra, &extra_group, extra_needed));

static void update_of_a_group(void **state)
{
	struct extra from = { .a = 1, .x = 5 }, to = { .x = 1 };
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	int ret;

	for (int i = 0; i < 2; i++) {
		INIT_LIST_HEAD(&from.each[i].list);
		INIT_LIST_HEAD(&to.each[i].list);
	}
	stream_save(stream, &extra_desc, &from, KSTATE_ID(1));
	for_each_step(n) {
		from.a = 2;
		from.each[1].pos = 3;
		ret = failing(n, kstate_stream_update(stream, &extra_desc, &from, KSTATE_ID(1),
						      &err));
		assert_int_equal(ret, failed ? -ENOMEM : 0);
	}
	from.on = true;
	assert_error(kstate_stream_update(stream, &extra_desc, &from, KSTATE_ID(1), &err),
		     KSTATE_CHANGED, -EAGAIN, "extra[1].extra",
		     "a group that is not needed, as when it was saved",
		     "one that is: save the object anew");
	from.on = false;
	from.x = 6;
	assert_error(kstate_stream_update(stream, &extra_desc, &from, KSTATE_ID(1), &err),
		     KSTATE_CHANGED, -EAGAIN, "extra[1].extra",
		     "a group that is not needed, as when it was saved",
		     "one that is: save the object anew");
	/* As it was after the last update that succeeded */
	set = set_jump(set);
	assert_fits(stream_restore(kstate_stream_find(set, "test"), &extra_desc, &to,
				   KSTATE_ID(1)));
	assert_int_equal(to.a, 2);
	assert_int_equal(to.x, 5);
	assert_int_equal(to.each[1].pos, 3);
	kstate_set_destroy(set);
}

/* Very many folios */

struct cache {
	u32 nr;
	struct kstate_folio_entry *folios;
};

KSTATE_DESCRIBE_STATIC(cache_desc, "cache", 1,
	KSTATE_FOLIOS(folios, struct cache, nr, KSTATE_DEFAULT(0)));
KSTATE_DESCRIBE_STATIC(no_cache, "cache", 1, KSTATE_REMOVED("folios"));

static void cache_free(struct cache *c, bool folios)
{
	for (u32 i = 0; folios && i < c->nr; i++)
		folio_put(c->folios[i].folio);
	kvfree(c->folios);
	*c = (struct cache){};
}

/* @stride 1: one run of contiguous pages; 2: every other page; orders as given */
static void cache_fill(struct cache *c, u32 nr, u32 stride, u32 order)
{
	struct page *page;

	*c = (struct cache){ .nr = nr, .folios = kvzalloc(nr * sizeof(*c->folios), GFP_KERNEL) };
	for (u32 i = 0; i < nr; i++) {
		page = alloc_pages(GFP_KERNEL, order);
		c->folios[i] = (struct kstate_folio_entry){
			.folio = page_folio(page), .index = (u64)i * stride << order, .flags = 3,
		};
	}
}

static u64 cache_carry(struct cache *from, struct cache *to)
{
	struct kstate_set *set = set_create(), *reader;
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	u64 bytes;

	stream_save(stream, &cache_desc, from, KSTATE_ID(1));
	bytes = stream->bytes;
	reader = reader_of(set);
	assert_fits(stream_restore(kstate_stream_find(reader, "test"), &cache_desc, to,
				   KSTATE_ID(1)));
	kstate_set_destroy(reader);
	kstate_set_destroy(set);
	return bytes;
}

static void folios(void **state)
{
	static const struct { u32 nr, stride, order; } cases[] = {
		{ 0, 1, 0 }, { 1, 1, 0 }, { 100, 1, 0 }, { 100, 2, 0 }, { 7, 1, 3 }, { 7, 2, 2 },
	};

	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cache from, to = {};
		u64 bytes;

		cache_fill(&from, cases[i].nr, cases[i].stride, cases[i].order);
		bytes = cache_carry(&from, &to);
		assert_int_equal(to.nr, cases[i].nr);
		assert_true(bytes <= 32 + 8 + 8 + 16 * (u64)cases[i].nr);
		for (u32 j = 0; j < to.nr; j++) {
			assert_ptr_equal(to.folios[j].folio, from.folios[j].folio);
			assert_int_equal(to.folios[j].index, from.folios[j].index);
			assert_int_equal(to.folios[j].flags, 3);
			assert_int_equal(folio_order(to.folios[j].folio), cases[i].order);
		}
		cache_free(&to, true);
		cache_free(&from, false);
	}
}

/* Contiguous pages cost one run, whatever their number */
static void one_run(void **state)
{
	struct page *pages = virt_to_page(alloc_pages_exact(1000 * PAGE_SIZE, GFP_KERNEL));
	struct cache to = {}, from = {
		.nr = 1000, .folios = kvzalloc(1000 * sizeof(*from.folios), GFP_KERNEL),
	};

	for (u32 i = 0; i < 1000; i++)
		from.folios[i] = (struct kstate_folio_entry){
			.folio = page_folio(pages + i), .index = 5000 + i };
	assert_int_equal(cache_carry(&from, &to), 32 + 8 + 8 + 16);
	for (u32 i = 0; i < 1000; i++)
		assert_ptr_equal(to.folios[i].folio, from.folios[i].folio);
	cache_free(&to, true);
	cache_free(&from, false);
}

/* What follows in memory and in the file, and is alike, is one run */
static void run_count(void **state)
{
	for (u32 seed = 1; seed <= 100; seed++) {
		struct cache from, to = {};
		u32 runs = 0, order = 0;
		u64 random = seed, next = 0, index = 0;

		cache_fill(&from, 150, 1, 0);
		for (u32 i = 0; i < from.nr; i++) {
			struct kstate_folio_entry *e = &from.folios[i];

			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			if (!(random >> 60))
				order = random >> 40 & 3;
			folio_put(e->folio);
			e->folio = page_folio(alloc_pages(GFP_KERNEL, order));
			index += !(random >> 32 & 7);
			e->index = index;
			e->flags = !(random >> 50 & 7);
			runs += !i || folio_pfn(e->folio) != next || e->index != e[-1].index +
				folio_nr_pages(e[-1].folio) || e->flags != e[-1].flags ||
				folio_order(e->folio) != folio_order(e[-1].folio);
			next = folio_pfn(e->folio) + (1 << order);
			index += 1 << order;
		}
		assert_int_equal(cache_carry(&from, &to), 32 + 8 + 8 + 16 * runs);
		for (u32 i = 0; i < to.nr; i++) {
			assert_ptr_equal(to.folios[i].folio, from.folios[i].folio);
			assert_int_equal(to.folios[i].index, from.folios[i].index);
			assert_int_equal(to.folios[i].flags, from.folios[i].flags);
		}
		cache_free(&to, true);
		cache_free(&from, false);
	}
}

static void folios_refused(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct cache from;

	use(&cache_desc);
	cache_fill(&from, 4, 2, 0);
	from.folios[2].flags = 1 << 14;
	assert_error(kstate_stream_save(stream, &cache_desc, &from, KSTATE_ID(1), &err),
		     KSTATE_VALUE, -ERANGE, "cache[1].folios[2]", "flags of 14 bits", "16384");
	from.folios[2].flags = 0;
	from.folios[3].index = 1ULL << 44;
	assert_error(kstate_stream_save(stream, &cache_desc, &from, KSTATE_ID(1), &err),
		     KSTATE_VALUE, -ERANGE, "cache[1].folios[3]", "an index of 44 bits",
		     "17592186044416");
	from.folios[3].index = 6;
	/* Twice the same: what was preserved for the first is undone */
	swap(from.folios[3].folio, from.folios[0].folio);
	{
		struct folio *own = from.folios[1].folio;

		from.folios[1].folio = from.folios[0].folio;
		assert_int_equal(kstate_stream_save(stream, &cache_desc, &from, KSTATE_ID(1),
						    &err), -EEXIST);
		from.folios[1].folio = own;
	}
	assert_fits(kstate_stream_save(stream, &cache_desc, &from, KSTATE_ID(1), &err));
	kstate_stream_drop(stream, &cache_desc, KSTATE_ID(1));
	kstate_set_destroy(set);
	cache_free(&from, true);
}

/* Of several orders, and more than are preserved at once: the last ones are wrong, and all is undone */
static void folios_far(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct cache from, to = {};
	struct folio *own;

	use(&cache_desc);
	cache_fill(&from, 200, 5, 0);
	for (u32 i = 40; i < 200; i += 50) {
		folio_put(from.folios[i].folio);
		from.folios[i].folio = page_folio(alloc_pages(GFP_KERNEL, 2));
	}
	from.folios[199].index = 1ULL << 44;
	assert_error(kstate_stream_save(stream, &cache_desc, &from, KSTATE_ID(1), &err),
		     KSTATE_VALUE, -ERANGE, "cache[1].folios[199]", "an index of 44 bits",
		     "17592186044416");
	from.folios[199].index = 5 * 199;
	for (u32 i = 0; i < 200; i += 40) {
		own = from.folios[198].folio;
		from.folios[198].folio = from.folios[i].folio;
		assert_int_equal(kstate_stream_save(stream, &cache_desc, &from, KSTATE_ID(1),
						    &err), -EEXIST);
		assert_string_equal(err.path, "cache[1].folios[198]");
		from.folios[198].folio = own;
	}
	kstate_set_destroy(set);
	assert_true(cache_carry(&from, &to) <= 32 + 8 + 8 + 16 * 200);
	for (u32 i = 0; i < 200; i++) {
		assert_ptr_equal(to.folios[i].folio, from.folios[i].folio);
		assert_int_equal(to.folios[i].index, from.folios[i].index);
	}
	cache_free(&to, true);
	cache_free(&from, false);
}

/* Runs that cannot be: the record is damaged, and nothing is taken over */
static void folios_forged(void **state)
{
	/* Slot; number of runs; whether the first is none, or how many more folios it has */
	static const struct { u32 slot; u64 runs; bool none; u64 more; } cases[] = {
		{ 3, 4, false, 0 }, { 5, 4, false, 0 }, { 4, 5, false, 0 }, { 4, 3, false, 0 },
		{ 4, 4, true, 0 }, { 4, 4, false, 1 }, { 4, 4, false, KSTATE_RUN_MAX - 1 },
		{ KSTATE_MAX_FOLIOS + 1, 4, false, 0 }, { U32_MAX, 1ULL << 32, false, 0 },
		{ 4, U64_MAX, false, 0 },
	};
	struct kstate_set *set = set_create(), *reader;
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct cache from, to = {};

	cache_fill(&from, 4, 2, 0);
	stream_save(stream, &cache_desc, &from, KSTATE_ID(1));
	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kstate_record *record;
		struct kstate_folio_run *run;
		u8 *payload;

		reader = reader_of(set);
		stream = kstate_stream_find(reader, "test");
		record = stream->index.slots[0].record;
		payload = kstate_record_payload(record);
		run = (void *)(payload + 16);
		put_unaligned_le32(cases[i].slot, payload);
		put_unaligned_le64(cases[i].runs, payload + 8);
		if (cases[i].none)
			run->place = 0;
		run->index |= cpu_to_le64(cases[i].more << KSTATE_RUN_BITS);
		kstate_record_seal(record, 0);
		assert_int_equal(stream_restore(stream, &cache_desc, &to, KSTATE_ID(1)), -EBADMSG);
		assert_int_equal(err.reason, KSTATE_DAMAGED);
		assert_null(to.folios);
		assert_int_equal(to.nr, 0);
		/* Of this kernel, they are still those of the object */
		stream->index.nr = 0;
		kstate_set_destroy(reader);
	}
	kstate_set_destroy(set);
	cache_free(&from, true);
}

/* More entries than any kernel can have saved as a list */

struct dot {
	u8 x;
};

struct dots {
	u32 nr;
	struct dot *all;
};

struct dot_entry {
	u8 x;
	struct list_head link;
	struct hlist_node node;
};

struct dot_list {
	struct list_head all;
};

struct dot_hlist {
	struct hlist_head all;
};

KSTATE_DESCRIBE_STATIC(dot_desc, "dot", 1, KSTATE_BASE_TYPE(x, struct dot, u8));
KSTATE_DESCRIBE_STATIC(dot_entry_desc, "dot", 1, KSTATE_BASE_TYPE(x, struct dot_entry, u8));
KSTATE_DESCRIBE_STATIC(dots_desc, "dots", 1,
	KSTATE_STRUCT_VARRAY(all, struct dots, nr, &dot_desc, KSTATE_ALLOC));
KSTATE_DESCRIBE_STATIC(dot_list_desc, "dots", 1,
	KSTATE_LIST(all, struct dot_list, struct dot_entry, link, &dot_entry_desc));
KSTATE_DESCRIBE_STATIC(dot_hlist_desc, "dots", 1,
	KSTATE_HLIST(all, struct dot_hlist, struct dot_entry, node, &dot_entry_desc));

static void too_many_entries(void **state)
{
	struct dots from = { .nr = KSTATE_MAX_ELEMENTS + 1 };
	struct dot_hlist hlist = {};
	struct dot_list list;

	INIT_LIST_HEAD(&list.all);
	from.all = kvzalloc(from.nr, GFP_KERNEL);
	carry_refused(&dots_desc, &from, &dot_list_desc, &list, KSTATE_NO_ROOM, "dots[1].all");
	assert_string_equal(err.found, "16777217");
	carry_refused(&dots_desc, &from, &dot_hlist_desc, &hlist, KSTATE_NO_ROOM, "dots[1].all");
	assert_string_equal(err.found, "16777217");
	kvfree(from.all);
}

/* A reader that has no use for them frees them */
static void folios_dropped(void **state)
{
	struct kstate_set *set = set_create(), *reader;
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct cache from, to = {};
	long pages = shim_live_pages();

	use(&no_cache);
	cache_fill(&from, 5, 2, 1);
	stream_save(stream, &cache_desc, &from, KSTATE_ID(1));
	reader = reader_of(set);
	assert_int_equal(kstate_stream_check(kstate_stream_find(reader, "test"), &no_cache, &to,
					     KSTATE_ID(1), &err), KSTATE_LOSSY);
	assert_fits(kstate_stream_restore(kstate_stream_find(reader, "test"), &no_cache, &to,
					  KSTATE_ID(1), &err));
	assert_int_equal(shim_live_pages(), pages);
	kstate_set_destroy(reader);
	kstate_set_destroy(set);
	cache_free(&from, false);
}

/* Kinds that are like others */

struct kinds {
	atomic_t atomic;
	struct folio *fixed[2];
	u8 nr_folios;
	struct folio **folios;
	u32 nr;
	u16 flexible[];
};

KSTATE_DESCRIBE_STATIC(kinds_desc, "kinds", 1,
	KSTATE_FIELD(struct kinds, atomic),
	KSTATE_FOLIO_ARRAY(fixed, struct kinds),
	KSTATE_FOLIO_VARRAY(folios, struct kinds, nr_folios, KSTATE_ALLOC),
	KSTATE_FLEX_ARRAY(flexible, struct kinds, nr));

static void like_others(void **state)
{
	struct kinds *from = kvzalloc(sizeof(*from) + 6, GFP_KERNEL);
	struct kinds *to = kvzalloc(sizeof(*to) + 6, GFP_KERNEL);
	struct folio *both[2] = { page_folio(alloc_pages(GFP_KERNEL, 0)), NULL };
	struct kstate_set *set = set_create(), *reader;
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);

	atomic_set(&from->atomic, -5);
	from->fixed[1] = page_folio(alloc_pages(GFP_KERNEL, 1));
	from->nr_folios = 2;
	from->folios = both;
	from->nr = 3;
	memcpy(from->flexible, (u16[]){ 1, 2, 3 }, 6);
	stream_save(stream, &kinds_desc, from, KSTATE_ID(1));
	reader = reader_of(set);
	stream = kstate_stream_find(reader, "test");
	to->nr = 2;
	assert_int_equal(stream_restore(stream, &kinds_desc, to, KSTATE_ID(1)), -ENOSPC);
	assert_string_equal(err.path, "kinds[1].flexible");
	to->nr = 3;
	assert_fits(stream_restore(stream, &kinds_desc, to, KSTATE_ID(1)));
	assert_int_equal(atomic_read(&to->atomic), -5);
	assert_null(to->fixed[0]);
	assert_ptr_equal(to->fixed[1], from->fixed[1]);
	assert_int_equal(to->nr_folios, 2);
	assert_ptr_equal(to->folios[0], both[0]);
	assert_null(to->folios[1]);
	assert_memory_equal(to->flexible, from->flexible, 6);
	kstate_set_destroy(reader);
	kstate_set_destroy(set);
	folio_put(to->fixed[1]);
	folio_put(to->folios[0]);
	kvfree(to->folios);
	kvfree(to);
	kvfree(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hook_refuses), TEST(together), TEST(together_or_not), TEST(taken_back),
		TEST(steps_without_memory), TEST(update), TEST(update_refused),
		TEST(update_of_a_length),
		TEST(update_of_a_group), TEST(folios),
		TEST(one_run), TEST(run_count), TEST(folios_refused),
		TEST(folios_far), TEST(folios_forged), TEST(folios_dropped),
		TEST(too_many_entries), TEST(like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
