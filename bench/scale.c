// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must not become slower per element when there are more of them, with
 * 1,000 to 100,000; very many folios; arrays whose elements change their size.
 * Prints lines for the script "report", tabs between:
 *
 *   growth  what  elements  nanoseconds (-1: stopped)  bytes kept (-1: of no interest)
 *   folios  what  folios    nanoseconds  bytes
 *   convert what  run       nanoseconds  nanoseconds of memcpy
 *
 * usage: scale [CASE]
 */
#include <malloc.h>
#include <sys/mman.h>
#include <linux/vmalloc.h>
#include "describe.h"
#include "store.h"
#include "kernels.h"

/* No kernel may take longer than this: what is quadratic would take hours */
#define SECONDS	5

/* What the kernels of a case tell the process that runs them */
static struct {
	struct kernel kernels[3];
	u64 ns;
	s64 bytes;
} *shared;

static void begin_work(void)
{
	shared->ns = clock_ns();
}

static void end_work(void)
{
	shared->ns = clock_ns() - shared->ns;
}

static const char *numbered(const char *what, u32 i)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s-%u", what, i);
	return name;
}

static struct kstate_stream *create(const char *name)
{
	struct kstate_stream *stream = kstate_stream_create(kstate_outgoing(), name, NULL);

	must(name, !IS_ERR(stream));
	return stream;
}

static struct kstate_stream *find(struct kstate_set *set, const char *name)
{
	struct kstate_stream *stream = kstate_stream_find(set, name);

	must(name, stream);
	return stream;
}

static void save(struct kstate_stream *stream, struct kstate_description *desc, const void *obj,
		 u64 key)
{
	must(desc->name, !kstate_stream_save(stream, desc, obj, KSTATE_ID(key), NULL));
}

static void restore(struct kstate_stream *stream, struct kstate_description *desc, void *obj,
		    u64 key)
{
	must(desc->name, !kstate_stream_restore(stream, desc, obj, KSTATE_ID(key), NULL));
}

static struct small small = { .addr = 1, .len = 2, .flags = 3 };

/* Folios of one record, which nobody restores in the next kernel */

static void save_held(u32 nr)
{
	LIST_HEAD(list);

	for (u32 i = 0; i < nr; i++) {
		struct held *held = calloc(1, sizeof(*held));

		held->folio = folio_alloc(GFP_KERNEL, 0);
		must("folio", held->folio);
		list_add_tail(&held->list, &list);
	}
	save(create("bench"), &holder_desc, &list, 1);
}

static void hand_on(u32 nr)
{
}

/* Streams by their names */

static void create_and_find(u32 nr)
{
	begin_work();
	for (u32 i = 0; i < nr; i++)
		create(numbered("stream", i));
	for (u32 i = 0; i < nr; i++)
		find(kstate_outgoing(), numbered("stream", i));
	end_work();
}

static void find_and_restore(u32 nr)
{
	begin_work();
	for (u32 i = 0; i < nr; i++)
		restore(find(kstate_incoming(), numbered("stream", i)), &small_desc, &small, 1);
	end_work();
}

static void save_streams(u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		save(create(numbered("stream", i)), &small_desc, &small, 1);
}

/* A record that is dropped and saved again, among others that stay */

static void drop_and_save(u32 nr)
{
	struct kstate_stream *stream = create("bench");
	s64 before;

	for (u32 i = 0; i < 100; i++)
		save(stream, &small_desc, &small, i);
	before = shim_live_pages() * PAGE_SIZE + shim_live_bytes();
	begin_work();
	for (u32 i = 0; i < nr; i++) {
		must("drop", !kstate_stream_drop(stream, &small_desc, KSTATE_ID(i % 100)));
		save(stream, &small_desc, &small, i % 100);
	}
	end_work();
	shared->bytes = shim_live_pages() * PAGE_SIZE + shim_live_bytes() - before;
}

/* Keys that differ in their high bits */

static u64 high_key(u32 i)
{
	return (u64)i << 47;
}

static void save_high(u32 nr)
{
	struct kstate_stream *stream = create("bench");

	for (u32 i = 0; i < nr; i++)
		save(stream, &small_desc, &small, high_key(i));
}

static void restore_high(u32 nr)
{
	struct kstate_stream *stream = find(kstate_incoming(), "bench");

	begin_work();
	for (u32 i = 0; i < nr; i++)
		restore(stream, &small_desc, &small, high_key(i));
	end_work();
}

/* Descriptions of many names */

static struct kstate_description *descriptions(u32 nr)
{
	struct kstate_description *descs = calloc(nr, sizeof(*descs));

	for (u32 i = 0; i < nr; i++) {
		descs[i] = small_desc;
		descs[i].name = strdup(numbered("state", i));
	}
	return descs;
}

static void save_states(u32 nr)
{
	struct kstate_description *descs = descriptions(nr);
	struct kstate_stream *stream = create("bench");

	begin_work();
	for (u32 i = 0; i < nr; i++)
		save(stream, &descs[i], &small, 1);
	end_work();
}

static void restore_states(u32 nr)
{
	struct kstate_description *descs = descriptions(nr);
	struct kstate_stream *stream = find(kstate_incoming(), "bench");

	begin_work();
	for (u32 i = 0; i < nr; i++)
		restore(stream, &descs[i], &small, 1);
	end_work();
}

/* What counts of the last kernel of a case, beside the work that it takes the time of */
enum { BOOT = 1, JUMP = 2 };

static const struct {
	const char *name;
	u32 max;
	u32 counts;
	void (*work[3])(u32 nr);
} cases[] = {
	{ "folios of one record, handed on", 100000, JUMP, { save_held, hand_on } },
	{ "streams, created and found by name", 100000, 0, { create_and_find } },
	{ "streams, opened, found, restored", 100000, BOOT, { save_streams, find_and_restore } },
	{ "streams, handed on one by one", 100000, JUMP, { save_streams, hand_on } },
	{ "a record dropped and saved again", 100000, 0, { drop_and_save } },
	{ "keys that differ in high bits", 100000, 0, { save_high, restore_high } },
	/* There can be 65,536 */
	{ "states by name, saved", 60000, JUMP, { save_states } },
	{ "states by name, opened and restored", 60000, BOOT, { save_states, restore_states } },
};

/* Nanoseconds, or -1 if it had to be stopped */
static s64 run_case(u32 c, u32 nr)
{
	struct kernel *kernel;

	shim_kho_reset();
	memset(shared, 0, sizeof(*shared));
	shared->bytes = -1;
	for (kernel = shared->kernels; cases[c].work[kernel - shared->kernels]; kernel++) {
		shared->ns = 0;
		kernel->work = cases[c].work[kernel - shared->kernels];
		if (run_kernel(kernel, nr, SECONDS))
			return -1;
	}
	kernel--;
	if (cases[c].counts & BOOT)
		shared->ns += kernel->boot_ns;
	if (cases[c].counts & JUMP)
		shared->ns += kernel->jump_ns;
	return shared->ns;
}

static void run_growth(u32 c)
{
	for (u32 nr = 1000; nr <= 100000; nr *= 10) {
		u32 elements = min(nr, cases[c].max);
		s64 best = -1;

		/* A few are over in no time: take the best of several */
		for (u32 i = 0; i < 5 && best < 100000000; i++) {
			s64 ns = run_case(c, elements);

			if (ns < 0)
				break;
			best = best < 0 ? ns : min(best, ns);
		}
		printf("growth\t%s\t%u\t%lld\t%lld\n", cases[c].name, elements, (long long)best,
		       (long long)shared->bytes);
	}
}

/* Very many folios, as a file in memory has them */

#define NR_FOLIOS	100000

static struct folio **scattered(void)
{
	struct folio **folios = calloc(NR_FOLIOS, sizeof(*folios));

	/* Every other page, so that no two of them are one run */
	for (u32 i = 0; i < 2 * NR_FOLIOS; i++) {
		struct folio *folio = folio_alloc(GFP_KERNEL, 0);

		must("folio", folio);
		if (!(i % 2))
			folios[i / 2] = folio;
	}
	return folios;
}

static struct folio **contiguous(void)
{
	struct folio **folios = calloc(NR_FOLIOS, sizeof(*folios));

	for (u32 i = 0; i < NR_FOLIOS; i++) {
		folios[i] = folio_alloc(GFP_KERNEL, 0);
		must("folio", folios[i]);
	}
	return folios;
}

struct file {
	struct kstate_folio_entry *entries;
	u32 nr;
};

static KSTATE_DESCRIBE(file_desc, "bench-file", 1, KSTATE_FOLIOS(entries, struct file, nr));

static void preserve(struct folio **file, s64 *bytes)
{
	struct kstate_stream *stream = create("bench");
	struct file obj = {
		.entries = kvmalloc_objs(*obj.entries, NR_FOLIOS),
		.nr = NR_FOLIOS,
	};

	for (u32 i = 0; i < NR_FOLIOS; i++) {
		folio_get(file[i]);
		obj.entries[i] = (struct kstate_folio_entry){ file[i], i, 3 };
	}
	save(stream, &file_desc, &obj, 1);
	kvfree(obj.entries);
	*bytes = stream->bytes;
}

static void run_folios(const char *name, struct folio **(*make)(void))
{
	int status;
	pid_t pid;

	for (u32 run = 0; run < 5; run++) {
		shim_kho_reset();
		fflush(stdout);
		pid = fork();
		if (!pid) {
			struct folio **file;
			s64 bytes;
			u64 ns;

			must("boot", !shim_boot());
			file = make();
			ns = clock_ns();
			preserve(file, &bytes);
			ns = clock_ns() - ns;
			printf("folios\t%s\t%u\t%llu\t%lld\n", name, NR_FOLIOS,
			       (unsigned long long)ns, (long long)bytes);
			fflush(stdout);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		if (status)
			exit(1);
	}
}

/* Arrays of 1 MiB whose elements become wider or narrower */

#define RUNS	9
#define BYTES	1048576

#define CONVERSION(_from, _to)						\
	struct _from##_to##_writer { _from a[BYTES / sizeof(_from)]; };	\
	struct _from##_to##_reader { _to a[BYTES / sizeof(_from)]; };	\
	static KSTATE_DESCRIBE(_from##_to##_writer_desc, #_from " to " #_to, 1, \
		KSTATE_FIELD(struct _from##_to##_writer, a));		\
	static KSTATE_DESCRIBE(_from##_to##_reader_desc, #_from " to " #_to, 1, \
		KSTATE_FIELD(struct _from##_to##_reader, a))

CONVERSION(u8, u16);
CONVERSION(u16, u32);
CONVERSION(u32, u64);
CONVERSION(u64, u32);

#define CONVERTED(_from, _to) \
	{ &_from##_to##_writer_desc, &_from##_to##_reader_desc, sizeof(struct _from##_to##_reader) }

static const struct {
	struct kstate_description *writer, *reader;
	size_t size;
} conversions[] = {
	CONVERTED(u8, u16), CONVERTED(u16, u32), CONVERTED(u32, u64), CONVERTED(u64, u32),
};

static void save_arrays(u32 nr)
{
	struct kstate_stream *stream = create("bench");
	u8 *from = calloc(1, BYTES);

	/* Small enough for the narrower type, whichever it is */
	for (u32 i = 0; i < BYTES; i++)
		from[i] = i % 8 < 4 ? i * 37 : 0;
	for (u32 c = 0; c < ARRAY_SIZE(conversions); c++)
		for (u32 run = 0; run <= RUNS; run++)
			save(stream, conversions[c].writer, from, run);
}

static void restore_arrays(u32 nr)
{
	struct kstate_stream *stream = find(kstate_incoming(), "bench");
	u8 *from = memset(malloc(2 * BYTES), 1, 2 * BYTES);
	u8 *to = memset(malloc(2 * BYTES), 1, 2 * BYTES);

	for (u32 c = 0; c < ARRAY_SIZE(conversions); c++)
		for (u32 run = 0; run <= RUNS; run++) {
			u64 ns, copy;

			/* Pages of the other process are mapped, and warm: so are memcpy()'s */
			must("check", kstate_stream_check(stream, conversions[c].reader, to,
							  KSTATE_ID(run), NULL) >= 0);
			ns = clock_ns();
			restore(stream, conversions[c].reader, to, run);
			ns = clock_ns() - ns;
			copy = clock_ns();
			memcpy(to, from, conversions[c].size);
			/* The copy has a use */
			__asm__ volatile("" : : "r" (to) : "memory");
			copy = clock_ns() - copy;
			/* Run 0 warms up */
			if (run)
				printf("convert\t%s\t%u\t%llu\t%llu\n",
				       conversions[c].reader->name, run, (unsigned long long)ns,
				       (unsigned long long)copy);
		}
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : "";

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	for (u32 c = 0; c < ARRAY_SIZE(cases); c++)
		if (strstr(cases[c].name, only))
			run_growth(c);
	if (strstr("folios", only)) {
		run_folios("scattered", scattered);
		run_folios("contiguous", contiguous);
	}
	if (strstr("convert", only)) {
		shim_kho_reset();
		run_kernel(&(struct kernel){ .work = save_arrays }, 0, 0);
		run_kernel(&(struct kernel){ .work = restore_arrays }, 0, 0);
	}
	return 0;
}
