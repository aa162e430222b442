// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to count instructions of, under valgrind --tool=callgrind: each part
 * dumps its own counts. The script "instructions" runs this for N and for 2N,
 * so that their difference has nothing in it that there is once.
 *
 * usage: count N
 */
#include <valgrind/callgrind.h>
#include "describe.h"
#include "kernels.h"

static struct flat flat = { .start = 1, .port = 2, .enabled = true, .cookie = ~0ULL };
static struct nested nested;

static void counted(void)
{
	CALLGRIND_ZERO_STATS;
	CALLGRIND_TOGGLE_COLLECT;
}

#define dump(_name) do {						\
	CALLGRIND_TOGGLE_COLLECT;					\
	CALLGRIND_DUMP_STATS_AT(_name);					\
} while (0)

static struct kstate_stream *stream;

static void save(struct kstate_description *desc, const void *obj, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		must(desc->name, !kstate_stream_save(stream, desc, obj, KSTATE_ID(i), NULL));
}

static void restore(struct kstate_description *desc, void *obj, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		must(desc->name, !kstate_stream_restore(stream, desc, obj, KSTATE_ID(i), NULL));
}

/* Records of a kind have a stream of their own, and so an index */
static void create(const char *name)
{
	stream = kstate_stream_create(kstate_outgoing(), name, NULL);
	must(name, !IS_ERR(stream));
}

static void find(const char *name)
{
	stream = kstate_stream_find(kstate_incoming(), name);
	must(name, stream);
}

static void writer(u32 nr)
{
	LIST_HEAD(entries);
	LIST_HEAD(folios);

	for (u32 i = 0; i < nr; i++) {
		struct entry *entry = calloc(1, sizeof(*entry));
		struct held *held = calloc(1, sizeof(*held));

		list_add_tail(&entry->list, &entries);
		held->folio = folio_alloc(GFP_KERNEL, 0);
		list_add_tail(&held->list, &folios);
	}

	create("flat");
	counted();
	save(&flat_desc, &flat, nr);
	dump("flat save");
	create("nested");
	counted();
	save(&nested_desc, &nested, nr);
	dump("nested save");
	create("list");
	counted();
	save(&list_desc, &entries, 1);
	dump("list save");
	create("folio");
	counted();
	save(&holder_desc, &folios, 1);
	dump("folio save");
}

static void reader(u32 nr)
{
	LIST_HEAD(entries);
	LIST_HEAD(folios);

	find("flat");
	counted();
	restore(&flat_desc, &flat, nr);
	dump("flat restore");
	find("nested");
	counted();
	restore(&nested_desc, &nested, nr);
	dump("nested restore");
	find("list");
	counted();
	restore(&list_desc, &entries, 1);
	dump("list restore");
	find("folio");
	counted();
	restore(&holder_desc, &folios, 1);
	dump("folio restore");
}

int main(int argc, char **argv)
{
	u32 nr = argc > 1 ? atoi(argv[1]) : 1000;

	run_kernel(&(struct kernel){ .work = writer }, nr, 0);
	run_kernel(&(struct kernel){ .work = reader }, nr, 0);
	return 0;
}
