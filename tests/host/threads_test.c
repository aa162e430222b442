// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks at the same time, under ThreadSanitizer: each with streams of its own, several
 * with one stream, objects that come and go, and jumps that are prepared and called off.
 */
#include <pthread.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include "host.h"

enum { ROUNDS = 150, RECORDS = 12, PAIRS = 2 };

struct thing {
	u32 nr;
	u16 *values;
	struct folio *folio;
	u64 sum;
};

#define THING(_name) {								\
	.name = _name, .fields = (const struct kstate_field[]) {		\
		KSTATE_VARRAY(values, struct thing, nr, KSTATE_ALLOC),		\
		KSTATE_FOLIO(folio, struct thing),				\
		KSTATE_FIELD(struct thing, sum),				\
		KSTATE_END_OF_LIST() },						\
}

/* Each is described for the first time by whoever comes first */
static struct kstate_description shared_desc = THING("shared");
static struct kstate_description own_desc[PAIRS] = { THING("own 0"), THING("own 1") };
static struct kstate_description registered_desc[PAIRS] = { THING("reg 0"), THING("reg 1") };

static struct kstate_stream *shared_stream;
static bool jumping;
static int prepared;

/* For what is wrong in any task: it ends the program, so that others need not be joined */
#define must(_cond) do {							\
	if (!(_cond)) {								\
		fprintf(stderr, "%s:%d: %s\n%s", __FILE__, __LINE__, #_cond, shim_log()); \
		exit(1);							\
	}									\
} while (0)

static void thing_fill(struct thing *t, u32 seed)
{
	t->nr = seed % 300;
	t->values = kvzalloc(t->nr * sizeof(*t->values), GFP_KERNEL);
	t->folio = seed % 3 ? NULL : page_folio(alloc_pages(GFP_KERNEL, seed % 2));
	t->sum = seed;
	for (u32 i = 0; i < t->nr; i++) {
		t->values[i] = seed + i;
		t->sum += t->values[i];
	}
}

static void thing_free(struct thing *t)
{
	kvfree(t->values);
	if (t->folio)
		folio_put(t->folio);
}

/* Once a jump is prepared, nothing can be saved until it is called off */
static void save(struct kstate_stream *stream, struct kstate_description *desc,
		 struct thing *thing, u64 key)
{
	struct kstate_error e;
	int ret;

	do
		ret = kstate_stream_save(stream, desc, thing, KSTATE_ID(key), &e);
	while (ret == -EBUSY);
	must(!ret);
}

static void drop(struct kstate_stream *stream, struct kstate_description *desc, u64 key)
{
	int ret;

	do
		ret = kstate_stream_drop(stream, desc, KSTATE_ID(key));
	while (ret == -EBUSY);
	must(!ret);
}

/* Streams that come and go */
static void *own_streams(void *arg)
{
	struct kstate_description *desc = arg;
	struct thing things[RECORDS];
	struct kstate_stream *stream;
	struct kstate_error e;

	for (u32 i = 0; i < RECORDS; i++)
		thing_fill(&things[i], i);
	for (u32 round = 0; round < ROUNDS; round++) {
		stream = kstate_stream_create(kstate_outgoing(), desc->name, &e);
		must(!IS_ERR(stream));
		for (u32 i = 0; i < RECORDS; i++)
			save(stream, desc, &things[i], i);
		for (u32 i = round % 3; i < RECORDS; i += 3)
			drop(stream, desc, i);
		/*
		 * If a jump is being prepared, it goes when that is called off: its name
		 * first, its memory after that
		 */
		kstate_stream_destroy(stream);
		while (READ_ONCE(jumping))
			sched_yield();
	}
	for (u32 i = 0; i < RECORDS; i++)
		thing_free(&things[i]);
	return NULL;
}

/* Records in one stream */
static void *one_stream(void *arg)
{
	u64 first = (unsigned long)arg << 32;
	struct thing thing;

	for (u32 round = 0; round < ROUNDS * RECORDS; round++) {
		thing_fill(&thing, round);
		save(shared_stream, &shared_desc, &thing, first + round);
		thing.sum++;
		if (round % 2)
			kstate_stream_update(shared_stream, &shared_desc, &thing,
					     KSTATE_ID(first + round), NULL);
		drop(shared_stream, &shared_desc, first + round);
		thing_free(&thing);
	}
	return NULL;
}

static void *objects(void *arg)
{
	struct kstate_description *desc = arg;
	struct thing things[RECORDS];

	for (u32 round = 0; round < ROUNDS; round++) {
		for (u32 i = 0; i < RECORDS; i++) {
			thing_fill(&things[i], round + i);
			must(!kstate_register_key(desc, &things[i], KSTATE_ID(i), NULL));
		}
		for (u32 i = 0; i < RECORDS; i++) {
			must(!kstate_unregister(desc, &things[i]));
			/* What a jump has saved of it goes when that is called off */
			while (READ_ONCE(jumping))
				sched_yield();
			thing_free(&things[i]);
		}
	}
	return NULL;
}

static void *jumps(void *arg)
{
	for (u32 round = 0; round < ROUNDS; round++) {
		WRITE_ONCE(jumping, true);
		prepared += !shim_kexec_prepare();
		shim_kexec_abort();
		WRITE_ONCE(jumping, false);
		sched_yield();
	}
	return NULL;
}

static void at_the_same_time(void **state)
{
	pthread_t tasks[4 * PAIRS];
	struct thing last;
	long live;
	int nr = 0;

	shim_kho_reset();
	assert_int_equal(shim_boot(), 0);
	shared_stream = kstate_stream_create(kstate_outgoing(), "shared", &err);
	assert_false(IS_ERR(shared_stream));
	use(&shared_desc);
	for (int i = 0; i < PAIRS; i++) {
		use(&own_desc[i]);
		use(&registered_desc[i]);
	}
	live = shim_live_pages();
	for (unsigned long i = 0; i < PAIRS; i++) {
		pthread_create(&tasks[nr++], NULL, own_streams, &own_desc[i]);
		pthread_create(&tasks[nr++], NULL, one_stream, (void *)i);
		pthread_create(&tasks[nr++], NULL, objects, &registered_desc[i]);
	}
	pthread_create(&tasks[nr++], NULL, jumps, NULL);
	while (nr)
		pthread_join(tasks[--nr], NULL);

	/* All that came has gone, and a jump still succeeds */
	assert_true(prepared > 0);
	assert_int_equal(shared_stream->bytes, 0);
	thing_fill(&last, 9);
	assert_false(kstate_stream_save(shared_stream, &shared_desc, &last, KSTATE_ID(1), &err));
	assert_int_equal(shim_kexec_prepare(), 0);
	shim_kexec_abort();
	kstate_stream_destroy(shared_stream);
	thing_free(&last);
	assert_true(shim_live_pages() <= live);
	shim_shutdown();
	assert_int_equal(shim_kho_preserved(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(at_the_same_time) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
