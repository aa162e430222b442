// SPDX-License-Identifier: GPL-2.0-only
/*
 * Save and restore the same objects by several implementations, side by side
 * in each run. Prints a line for each measurement, for the script "report":
 *
 *   run case op impl objects data-bytes wire-bytes nanoseconds
 *
 * usage: bench RUNS [CASE [IMPL]]
 */
#include <malloc.h>
#include <sys/mman.h>
#include <time.h>
#include "bench.h"

struct flat *flat_from, *flat_to;
struct nested *nested_from, *nested_to;
struct array *array_from, *array_to;
LIST_HEAD(list_from);
LIST_HEAD(list_to);
u8 *room;

void fail(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

u64 now(void)
{
	struct timespec t;

	/* Not the time of others who want the processor too */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static u64 state = 1;

/* xorshift64*; small values are as frequent as large ones */
static u64 any(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL) >> (state & 63);
}

static void *get(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("no memory");
	/* As the kernel maps its memory */
	madvise(p, size, MADV_HUGEPAGE);
	/* The kernel does not fault on what it allocates: neither does this */
	memset(p, 1, size);
	memset(p, 0, size);
	return p;
}

#define FILL(_type, _name)	p->_name = (_type)any();

static void make_objects(void)
{
	room = get(ROOM);
	flat_from = get(NR_FLAT * sizeof(*flat_from));
	flat_to = get(NR_FLAT * sizeof(*flat_to));
	nested_from = get(NR_NESTED * sizeof(*nested_from));
	nested_to = get(NR_NESTED * sizeof(*nested_to));
	array_from = get(NR_ARRAY * sizeof(*array_from));
	array_to = get(NR_ARRAY * sizeof(*array_to));

	for (u32 i = 0; i < NR_FLAT; i++) {
		struct flat *p = &flat_from[i];

		FLAT_FIELDS(FILL)
	}
	for (u32 i = 0; i < NR_NESTED * NR_ELEMS; i++) {
		struct elem *p = &nested_from[i / NR_ELEMS].elems[i % NR_ELEMS];

		ELEM_FIELDS(FILL)
	}
	for (u32 i = 0; i < NR_ARRAY * ARRAY_BYTES / 8; i++)
		((u64 *)array_from)[i] = any();
	for (u32 i = 0; i < NR_ENTRIES; i++) {
		struct entry *p = calloc(1, sizeof(*p));

		ENTRY_FIELDS(FILL)
		list_add_tail(&p->list, &list_from);
	}
}

#define SAME(_type, _name)	&& a->_name == b->_name

static bool check_list(void)
{
	struct list_head *at = list_from.next;
	struct entry *a, *b;

	list_for_each_entry(a, &list_to, list) {
		b = list_entry(at, struct entry, list);
		if (at == &list_from || !(true ENTRY_FIELDS(SAME)))
			return false;
		at = at->next;
	}
	return at == &list_from;
}

static bool check(int c)
{
	switch (c) {
	case FLAT:
		return !memcmp(flat_from, flat_to, NR_FLAT * sizeof(*flat_to));
	case NESTED:
		return !memcmp(nested_from, nested_to, NR_NESTED * sizeof(*nested_to));
	case ARRAY:
		return !memcmp(array_from, array_to, NR_ARRAY * sizeof(*array_to));
	default:
		return check_list();
	}
}

/* What was restored goes, so that the next one cannot pass on it */
static void forget(int c)
{
	struct entry *entry, *next;

	switch (c) {
	case FLAT:
		memset(flat_to, 0, NR_FLAT * sizeof(*flat_to));
		break;
	case NESTED:
		memset(nested_to, 0, NR_NESTED * sizeof(*nested_to));
		break;
	case ARRAY:
		memset(array_to, 0, NR_ARRAY * sizeof(*array_to));
		break;
	case LIST:
		list_for_each_entry_safe(entry, next, &list_to, list)
			free(entry);
		INIT_LIST_HEAD(&list_to);
		break;
	}
}

static const struct {
	const char *name;
	u32 objects;
	size_t bytes;
} cases[NR_CASES] = {
	[FLAT]	 = { "flat", NR_FLAT, (size_t)NR_FLAT * FLAT_BYTES },
	[NESTED] = { "nested", NR_NESTED, (size_t)NR_NESTED * NR_ELEMS * ELEM_BYTES },
	[ARRAY]	 = { "array", NR_ARRAY, (size_t)NR_ARRAY * ARRAY_BYTES },
	[LIST]	 = { "list", NR_ENTRIES, (size_t)NR_ENTRIES * ENTRY_BYTES },
};

static const struct impl *const impls[] = {
	&impl_memcpy, &impl_fdt, &impl_protobuf, &impl_kstate, &impl_converted,
};

#define NR_IMPLS	(sizeof(impls) / sizeof(*impls))

/* Run 0 warms up: plans are compiled, malloc() has its memory */
static void print(int run, const char *name, const char *op, const char *impl, u32 objects,
		  size_t data, size_t wire, u64 ns)
{
	if (run)
		printf("%d %s %s %s %u %zu %zu %llu\n", run, name, op, impl, objects, data, wire,
		       (unsigned long long)ns);
}

static void run_once(int run, int c, const struct impl *impl)
{
	u64 start, saved, restored;
	size_t wire;

	forget(c);
	start = now();
	wire = impl->save[c]();
	saved = now() - start;
	start = now();
	impl->restore[c]();
	restored = now() - start;
	if (!(impl->check[c] ? impl->check[c]() : check(c))) {
		fprintf(stderr, "bench: %s: %s\n", impl->name, cases[c].name);
		fail("something else came back");
	}
	if (impl->clean)
		impl->clean();
	if (!impl->again)
		print(run, cases[c].name, "save", impl->name, cases[c].objects, cases[c].bytes,
		      wire, saved);
	print(run, cases[c].name, "restore", impl->name, cases[c].objects, cases[c].bytes, wire,
	      restored);
	if (impl->open)
		print(run, cases[c].name, "open", impl->name, cases[c].objects, cases[c].bytes,
		      wire, *impl->open);
}

/* What ran before is the same for all: itself */
static void run_case(int run, int c, const struct impl *impl)
{
	run_once(0, c, impl);
	run_once(run, c, impl);
}

/* Looking up */

#define MAX_SMALL	1000000
#define FDT_TRIES	200

static struct small *small_from, *small_to;
static u32 *order;

/* Keys that ascend, or that are spread over all numbers (a bijection) */
u64 lookup_key(u32 i, bool ascending)
{
	return ascending ? i + 1 : (i + 1) * 0xbf58476d1ce4e5b9ULL;
}

static void shuffle(u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		order[i] = i;
	for (u32 i = nr - 1; i; i--) {
		u32 j = (u32)(any() + (state >> 16)) % (i + 1), t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
}

static void run_lookup(int run, const char *impl, u32 nr, bool ascending)
{
	static const char *const ops[] = { "save", "open", "restore" };
	bool fdt = !strcmp(impl, "libfdt");
	u32 tries = fdt ? FDT_TRIES : nr;
	size_t wire;
	char name[32];
	u64 ns[3];

	snprintf(name, sizeof(name), ascending ? "lookup-%u" : "lookup-%u-spread", nr);
	memset(small_to, 0, nr * sizeof(*small_to));
	if (fdt)
		lookup_fdt(nr, tries, small_from, small_to, order, ns, &wire);
	else if (!strcmp(impl, "memcpy"))
		lookup_memcpy(nr, small_from, small_to, order, ns, &wire);
	else
		lookup_kstate(nr, small_from, small_to, order, ascending, ns, &wire);
	for (u32 i = 0; i < tries; i++)
		if (memcmp(&small_from[order[i]], &small_to[order[i]], sizeof(*small_to)))
			fail("another instance was found");
	for (u32 i = 0; i < 3; i++)
		print(run, name, ops[i], impl, i == 2 ? tries : nr,
		      (i == 2 ? tries : nr) * (size_t)SMALL_BYTES, wire, ns[i]);
}

static void run_lookups(int run)
{
	static const u32 counts[] = { 10000, 100000, 1000000 };
	static const u32 few[] = { 1000, 4000 };

	for (u32 i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		shuffle(counts[i]);
		run_lookup(run, "memcpy", counts[i], true);
		run_lookup(run, "kstate", counts[i], true);
		run_lookup(run, "kstate", counts[i], false);
	}
	for (u32 i = 0; i < sizeof(few) / sizeof(*few); i++) {
		shuffle(few[i]);
		run_lookup(run, "libfdt", few[i], true);
		run_lookup(run, "kstate", few[i], true);
	}
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 9;
	const char *only = argc > 2 ? argv[2] : NULL;
	const char *by = argc > 3 ? argv[3] : NULL;

	/* Memory that was freed stays mapped, as it does in the kernel */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 2047 << 20);
	mallopt(M_TOP_PAD, 64 << 20);
	make_objects();
	small_from = get(MAX_SMALL * sizeof(*small_from));
	small_to = get(MAX_SMALL * sizeof(*small_to));
	order = get(MAX_SMALL * sizeof(*order));
	for (u32 i = 0; i < MAX_SMALL; i++) {
		struct small *p = &small_from[i];

		SMALL_FIELDS(FILL)
	}

	for (int run = 0; run <= runs; run++) {
		for (int c = 0; c < NR_CASES; c++)
			for (u32 i = 0; i < NR_IMPLS; i++) {
				/* Each comes first, and each last, in some run */
				const struct impl *impl = impls[(i + run) % NR_IMPLS];

				if ((!only || !strcmp(only, cases[c].name)) &&
				    (!by || !strcmp(by, impl->name)))
					run_case(run, c, impl);
			}
		if (!only || !strcmp(only, "lookup"))
			run_lookups(run);
		fprintf(stderr, "\r%d of %d runs", run, runs);
	}
	fprintf(stderr, "\n");
	return 0;
}
