// SPDX-License-Identifier: GPL-2.0-only
/* A range of memory as what carries state: copies, tokens, damage, room. */
#include <linux/crc32c.h>
#include <linux/mm.h>
#include "host.h"
#include "../../dkms/range.h"

#define ROOM	(256 * PAGE_SIZE)
#define NR_PAGES_HELD	3
#define NR_FOLIOS_HELD	4

struct held {
	u32 v;
	struct folio *folio;
	struct page *pages;
	u32 nr_pages;
	u8 *area;
	struct kstate_folio_entry *folios;
	u32 nr_folios;
};

static KSTATE_DESCRIBE(held_desc, "held", 1,
	KSTATE_BASE_TYPE(v, struct held, u32),
	KSTATE_FOLIO(folio, struct held),
	KSTATE_PAGES(pages, struct held, nr_pages),
	KSTATE_VMALLOC(area, struct held),
	KSTATE_FOLIOS(folios, struct held, nr_folios));

static u8 *range;

static void *page_memory(struct page *page)
{
	return page_address(page);
}

static void held_fill(struct held *h)
{
	*h = (struct held){
		.v = 0x12345678, .nr_pages = NR_PAGES_HELD, .nr_folios = NR_FOLIOS_HELD,
		.folio = folio_alloc(GFP_KERNEL, 2), .area = vmalloc(2 * PAGE_SIZE),
		.folios = kvzalloc(NR_FOLIOS_HELD * sizeof(*h->folios), GFP_KERNEL),
		.pages = virt_to_page(alloc_pages_exact(NR_PAGES_HELD * PAGE_SIZE, GFP_KERNEL)),
	};
	memset(folio_address(h->folio), 'f', folio_size(h->folio));
	memset(page_memory(h->pages), 'p', NR_PAGES_HELD * PAGE_SIZE);
	memset(h->area, 'a', 2 * PAGE_SIZE);
	for (u32 i = 0; i < h->nr_folios; i++) {
		/* The last one is larger */
		h->folios[i].folio = folio_alloc(GFP_KERNEL, i == NR_FOLIOS_HELD - 1);
		h->folios[i].index = 10 * i;
		memset(folio_address(h->folios[i].folio), '0' + i, folio_size(h->folios[i].folio));
	}
}

static void held_free(struct held *h)
{
	if (h->folio)
		folio_put(h->folio);
	for (u32 i = 0; h->pages && i < h->nr_pages; i++)
		__free_page(h->pages + i);
	vfree(h->area);
	for (u32 i = 0; h->folios && i < h->nr_folios; i++)
		folio_put(h->folios[i].folio);
	kvfree(h->folios);
	*h = (struct held){};
}

static bool all_is(const void *mem, u8 byte, size_t size)
{
	for (const u8 *p = mem; size--; p++)
		if (*p != byte)
			return false;
	return true;
}

/* What held_fill() made, wherever it is now */
static bool held_good(const struct held *h)
{
	if (h->v != 0x12345678 || h->nr_pages != NR_PAGES_HELD || h->nr_folios != NR_FOLIOS_HELD ||
	    !all_is(folio_address(h->folio), 'f', 4 * PAGE_SIZE) ||
	    !all_is(page_memory(h->pages), 'p', NR_PAGES_HELD * PAGE_SIZE) ||
	    !all_is(h->area, 'a', 2 * PAGE_SIZE))
		return false;
	for (u32 i = 0; i < h->nr_folios; i++)
		if (h->folios[i].index != 10 * i ||
		    folio_order(h->folios[i].folio) != (i == NR_FOLIOS_HELD - 1) ||
		    !all_is(folio_address(h->folios[i].folio), '0' + i,
			    folio_size(h->folios[i].folio)))
			return false;
	return true;
}

/* A kernel that saves and ends; what saving or writing returned */
static int leave(const char *token, size_t *used)
{
	struct kstate_set *set = kstate_range_create();
	struct kstate_stream *stream;
	struct held h;
	int ret = -ENOMEM;

	held_fill(&h);
	memset(&err, 0, sizeof(err));
	if (set) {
		stream = kstate_stream_create(set, "s", &err);
		ret = PTR_ERR_OR_ZERO(stream) ?:
		      kstate_stream_save(stream, &held_desc, &h, KSTATE_ID(1), &err) ?:
		      kstate_range_write(set, token, used, &err);
	}
	kstate_set_destroy(set);
	held_free(&h);
	return ret;
}

/* The next kernel: what opening or restoring returned */
static int arrive(const char *token)
{
	struct kstate_stream *stream;
	struct held h = {};
	struct kstate_set *set;
	int ret;

	memset(&err, 0, sizeof(err));
	set = kstate_range_open(token, &err);
	if (IS_ERR_OR_NULL(set))
		return set ? PTR_ERR(set) : -ENOENT;
	stream = kstate_stream_find(set, "s");
	ret = stream ? kstate_stream_restore(stream, &held_desc, &h, KSTATE_ID(1), &err) : -EBADMSG;
	if (!ret)
		assert_true(held_good(&h));
	held_free(&h);
	kstate_set_destroy(set);
	return ret;
}

/* Each test has an empty range to begin with */
static void begin(void)
{
	static u8 memory[ROOM];

	range = memory;
	memset(range, 0, ROOM);
	kstate_range_init(range, ROOM);
	use(&held_desc);
}

static void copied(void **state)
{
	long live = shim_live(), pages = shim_live_pages();
	size_t used;

	begin();
	assert_int_equal(leave("one", &used), 0);
	/* 14 pages of content */
	assert_in_range(used, 15 * PAGE_SIZE, 18 * PAGE_SIZE);
	assert_fits(arrive("one"));
	kstate_forget(&held_desc);
	assert_int_equal(shim_live(), live);
	assert_int_equal(shim_live_pages(), pages);
	kstate_range_exit();
}

static void tokens(void **state)
{
	size_t used;

	begin();
	/* Nothing was written */
	assert_int_equal(arrive(""), -ENOENT);
	assert_error(arrive("one"), KSTATE_DAMAGED, -ENODATA, "range", "what jump one wrote",
		     "nothing");
	/* It was for another jump, and is gone with the attempt */
	assert_int_equal(leave("one", &used), 0);
	assert_error(arrive("two"), KSTATE_FOREIGN, -ESTALE, "range", "what jump two wrote",
		     "what one wrote");
	assert_int_equal(arrive("one"), -ENODATA);
	/* No jump led here */
	assert_int_equal(leave("one", &used), 0);
	assert_int_equal(arrive(""), -ENOENT);
	assert_int_equal(arrive("one"), -ENODATA);
	/* A module that is loaded a second time, and a later kernel with the same words */
	assert_int_equal(leave("one", &used), 0);
	assert_int_equal(arrive("one"), 0);
	assert_int_equal(arrive("one"), -ENOENT);
	/* Also after a jump that was rehearsed and taken back */
	assert_int_equal(leave("two", &used), 0);
	kstate_range_clear();
	assert_int_equal(arrive("one"), -ENOENT);
	assert_int_equal(arrive("two"), -ENODATA);
	kstate_range_exit();
}

static void room(void **state)
{
	struct kstate_set *set;
	struct kstate_stream *stream;
	size_t used, more;
	struct held h;

	begin();
	assert_int_equal(leave("one", &used), 0);
	/* All of it has to fit, to the last byte */
	kstate_range_init(range, used - PAGE_SIZE);
	assert_int_equal(leave("one", &more), -ENOSPC);
	assert_string_equal(err.path, "range");
	assert_int_equal(arrive("one"), -ENODATA);
	kstate_range_init(range, used);
	assert_int_equal(leave("one", &more), 0);
	assert_int_equal(more, used);

	/* What is more than the range is refused as soon as it is saved */
	kstate_range_init(range, 4 * PAGE_SIZE);
	set = kstate_range_create();
	stream = kstate_stream_create(set, "s", &err);
	held_fill(&h);
	assert_int_equal(kstate_stream_save(stream, &held_desc, &h, KSTATE_ID(1), &err), -ENOSPC);
	assert_string_equal(err.path, "held[1].pages");
	kstate_set_destroy(set);
	held_free(&h);
	kstate_range_exit();
}

/* A run of pages that the next kernel could not allocate */
static void too_long(void **state)
{
	struct held h = { .nr_pages = (1 << MAX_PAGE_ORDER) + 1 };
	struct kstate_set *set = kstate_range_create();
	struct kstate_stream *stream = kstate_stream_create(set, "s", &err);
	struct page *first = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);

	begin();
	h.pages = first;
	assert_int_equal(kstate_stream_save(stream, &held_desc, &h, KSTATE_ID(1), &err), -EFBIG);
	assert_string_equal(err.path, "held[1].pages");
	kstate_set_destroy(set);
	__free_pages(first, MAX_PAGE_ORDER);
	kstate_range_exit();
}

/* Without memory at any step, nothing is lost or leaked, and the next attempt succeeds */
static void no_memory(void **state)
{
	long live, pages;
	size_t used;
	int ret;

	begin();
	/* What is kept for a description */
	assert_int_equal(leave("one", &used), 0);
	assert_int_equal(arrive("one"), 0);
	live = shim_live();
	pages = shim_live_pages();
	for_each_step(n) {
		struct kstate_set *set = kstate_range_create();
		struct kstate_stream *stream = kstate_stream_create(set, "s", &err);
		struct held h;

		/* No jump led to this one */
		kstate_range_exit();
		kstate_range_init(range, ROOM);
		held_fill(&h);
		assert_int_equal(kstate_stream_save(stream, &held_desc, &h, KSTATE_ID(1), &err), 0);
		ret = failing(n, kstate_range_write(set, "one", &used, &err));
		assert_int_equal(ret, failed ? -ENOMEM : 0);
		kstate_set_destroy(set);
		held_free(&h);
		assert_int_equal(arrive("one"), ret ? -ENODATA : 0);
	}
	for_each_step(n) {
		assert_int_equal(leave("one", &used), 0);
		ret = failing(n, arrive("one"));
		if (!failed)
			assert_int_equal(ret, 0);
		else if (ret)
			assert_int_equal(ret, -ENOMEM);
	}
	kstate_range_exit();
	kstate_range_init(range, ROOM);
	assert_int_equal(shim_live(), live);
	assert_int_equal(shim_live_pages(), pages);
	kstate_range_exit();
}

/* Whatever bit flips, what comes is right, or does not come */
static void every_bit(void **state)
{
	static u8 copy[ROOM];
	size_t used, contents, table, bit, step;
	struct kstate_range_header header;
	long live, pages;
	int ret;

	begin();
	assert_int_equal(leave("one", &used), 0);
	memcpy(copy, range, ROOM);
	assert_int_equal(arrive("one"), 0);
	live = shim_live();
	pages = shim_live_pages();
	contents = used - 14 * PAGE_SIZE;
	memcpy(&header, copy, sizeof(header));
	table = ALIGN(sizeof(header) + le64_to_cpu(header.file), 8);
	for (bit = 0; bit < 8 * used; bit += step) {
		/* Of contents, some of each page */
		step = bit < 8 * contents ? 1 : 997;
		memcpy(range, copy, used);
		range[bit / 8] ^= 1 << bit % 8;
		ret = arrive("one");
		/* Neither in the file, in the table nor in what they lead to: between them */
		if (!ret && bit / 8 < sizeof(struct kstate_range_header))
			fail_msg("bit %zu of byte %zu of the header is not missed", bit % 8, bit / 8);
		if (!ret && bit / 8 >= table && bit / 8 < table +
		    le32_to_cpu(header.nr) * sizeof(struct kstate_range_memory))
			fail_msg("bit %zu of byte %zu of the table is not missed", bit % 8, bit / 8);
		if (!ret && bit >= 8 * contents)
			fail_msg("bit %zu of byte %zu of a copy is not missed", bit % 8, bit / 8);
		kstate_range_exit();
		kstate_range_init(range, ROOM);
		assert_int_equal(shim_live(), live);
		assert_int_equal(shim_live_pages(), pages);
	}
	kstate_range_exit();
}

/* The next jump is written where the last one was: what was not restored by then is refused, or right */
static void overwritten(void **state)
{
	size_t used;

	begin();
	for_each_step(n) {
		struct kstate_stream *stream;
		struct kstate_set *set;
		struct held h = {};
		bool stopped;
		int ret;

		assert_int_equal(leave("one", &used), 0);
		set = kstate_range_open("one", &err);
		assert_false(IS_ERR_OR_NULL(set));
		stream = kstate_stream_find(set, "s");
		/* All of it has been looked at, and some of it taken, when memory runs out */
		ret = failing(n, kstate_stream_restore(stream, &held_desc, &h, KSTATE_ID(1), &err));
		stopped = failed;
		if (ret) {
			assert_int_equal(leave("two", &used), 0);
			memset(range + PAGE_SIZE, 0, used - PAGE_SIZE);
			ret = kstate_stream_restore(stream, &held_desc, &h, KSTATE_ID(1), &err);
		}
		if (!ret)
			assert_true(held_good(&h));
		held_free(&h);
		kstate_set_destroy(set);
		kstate_range_exit();
		kstate_range_init(range, ROOM);
		failed = stopped;
	}
	kstate_range_exit();
}

static void seal(struct kstate_range_header *header)
{
	struct kstate_range_memory *table = (void *)(range +
		ALIGN(sizeof(*header) + le64_to_cpu(header->file), 8));

	if (le32_to_cpu(header->nr) < 100)
		header->table_crc = cpu_to_le32(~crc32c(~0, table,
				le32_to_cpu(header->nr) * sizeof(*table)));
	header->crc = 0;
	header->crc = cpu_to_le32(~crc32c(~0, header, sizeof(*header)));
}

/* What lies under good checksums */
static void lies(void **state)
{
	struct kstate_range_header *header = (void *)range;
	struct kstate_range_memory *table;
	static u8 copy[ROOM];
	size_t used;

	begin();
	assert_int_equal(leave("one", &used), 0);
	memcpy(copy, range, ROOM);
	table = (void *)(range + ALIGN(sizeof(*header) + le64_to_cpu(header->file), 8));
#define lie(_what, _code) do {						\
	memcpy(range, copy, ROOM);					\
	_what;								\
	seal(header);							\
	assert_int_equal(arrive("one"), _code);				\
} while (0)
	lie((void)0, 0);
	lie(header->version = cpu_to_le32(2), -EPROTONOSUPPORT);
	lie(header->page_size = cpu_to_le32(65536), -EPROTONOSUPPORT);
	lie(header->arch = cpu_to_le32(183), -EPROTONOSUPPORT);
	lie(header->used = cpu_to_le64(ROOM + PAGE_SIZE), -EBADMSG);
	lie(header->file = cpu_to_le64(used + 1), -EBADMSG);
	lie(header->file = cpu_to_le64(-8), -EBADMSG);
	lie(header->nr = cpu_to_le32(U32_MAX), -EBADMSG);
	lie(header->nr = cpu_to_le32(1), -EIO);
	lie(table->at = cpu_to_le64(used), -EBADMSG);
	lie(table->at = cpu_to_le64(-PAGE_SIZE), -EBADMSG);
	lie(table->edge.size = cpu_to_le64(-PAGE_SIZE), -EBADMSG);
	lie(table->edge.size = cpu_to_le64(0), -EBADMSG);
	lie(table->edge.kind = 9, -EBADMSG);
	lie(table[1].edge.addr = table[0].edge.addr, -EBADMSG);
	/* Then the table is not where it was either */
	lie(header->file = cpu_to_le64(16), -EBADMSG);
	kstate_range_exit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(copied),
		TEST(tokens),
		TEST(room),
		TEST(too_long),
		TEST(no_memory),
		TEST(every_bit),
		TEST(overwritten),
		TEST(lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
