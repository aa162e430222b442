// SPDX-License-Identifier: GPL-2.0-only
/* The idioms of describing.rst: the text of the document is compiled and run here. */
#include <linux/percpu.h>
#include <linux/timekeeping.h>
#include "host.h"

/* The clocks of a kernel */
static u64 since_boot, time_of_day;

#undef ktime_get_ns
#define ktime_get_ns()		since_boot
#define ktime_get_real_ns()	time_of_day

#include "describing-idioms.c"

/* Restore from the record of @from; what .restored says, no check can foretell */
static int restore(struct kstate_description *desc, const void *from, void *to)
{
	struct kstate_set *set = saved(desc, from);
	struct kstate_stream *stream = kstate_stream_find(set, "test");
	int ret = stream_restore(stream, desc, to, KSTATE_ID(1));

	/* What was refused is there for another attempt */
	if (ret)
		assert_int_equal(stream_restore(stream, desc, to, KSTATE_ID(1)), ret);
	kstate_set_destroy(set);
	return ret;
}

/* restore(), which .restored has to refuse with @_code, and leave @_to alone */
#define refused(_desc, _from, _to, _code, _path) do {			\
	char __before[sizeof(*(_to))];					\
									\
	memcpy(__before, _to, sizeof(*(_to)));				\
	assert_int_equal(restore(_desc, _from, _to), _code);		\
	assert_int_equal(err.reason, KSTATE_CALLBACK);			\
	assert_string_equal(err.path, _path);				\
	assert_memory_equal(__before, _to, sizeof(*(_to)));		\
} while (0)

static void whole_object(void **state)
{
	struct fifo good = { 8, 3, 5 }, bad = { 8, 3, 8 }, to = { 1, 0, 0 };

	refused(&fifo_state, &bad, &to, -EINVAL, "fifo[1]");
	assert_int_equal(restore(&fifo_state, &good, &to), 0);
	assert_memory_equal(&to, &good, sizeof(to));
}

/* The clock starts again, and the jump takes 2 seconds */
static void times(void **state)
{
	struct watchdog from, to = {};
	struct kstate_set *set;

	since_boot = 1000 * NSEC_PER_SEC;
	time_of_day = 50000 * NSEC_PER_SEC;
	from.deadline = since_boot + 10 * NSEC_PER_SEC;
	set = saved(&watchdog_state, &from);
	since_boot = 1 * NSEC_PER_SEC;
	time_of_day += 2 * NSEC_PER_SEC;
	assert_int_equal(stream_restore(kstate_stream_find(set, "test"), &watchdog_state, &to,
					KSTATE_ID(1)), 0);
	assert_int_equal(to.deadline - since_boot, 8 * NSEC_PER_SEC);
	kstate_set_destroy(set);
	/* One that has passed stays passed */
	from.deadline = since_boot - 1;
	set = saved(&watchdog_state, &from);
	since_boot = 0;
	assert_int_equal(stream_restore(kstate_stream_find(set, "test"), &watchdog_state, &to,
					KSTATE_ID(1)), 0);
	assert_true((s64)(to.deadline - since_boot) == -1);
	kstate_set_destroy(set);
}

/* Four CPUs, and then two */
static void per_cpu(void **state)
{
	struct port from = { .packets = alloc_percpu(u64), .packets_before = 100 };
	struct port to = { .packets = alloc_percpu(u64) };

	for (shim_cpus = 0; shim_cpus < 4; shim_cpus++)
		*per_cpu_ptr(from.packets, shim_cpus) = shim_cpus + 1;
	assert_int_equal(port_packets(&from), 110);
	assert_int_equal(restore(&port_state, &from, &to), 0);
	shim_cpus = 2;
	assert_int_equal(port_packets(&to), 110);
	*per_cpu_ptr(to.packets, 1) += 5;
	assert_int_equal(port_packets(&to), 115);
	free_percpu(from.packets);
	free_percpu(to.packets);
}

static void bit_fields(void **state)
{
	struct link from = { { .lanes = 9, .duplex = 1, .autoneg = 1 } };
	struct link to = { { .lanes = 6, .duplex = 0, .autoneg = 1 } };

	assert_int_equal(restore(&link_state, &from, &to), 0);
	assert_int_equal(to.mode.lanes, 9);
	assert_int_equal(to.mode.duplex, 1);
	assert_int_equal(to.mode.autoneg, 1);
}

static void references(void **state)
{
	struct owner owner = { 7 };
	struct client from = { .owner_id = 7, .owner = &owner }, to = {};

	refused(&client_state, &from, &to, -ENODEV, "client[1]");
	assert_null(xa_store(&owners, owner.id, &owner, GFP_KERNEL));
	assert_int_equal(restore(&client_state, &from, &to), 0);
	assert_ptr_equal(to.owner, &owner);
	assert_int_equal(to.owner_id, 7);
	xa_erase(&owners, owner.id);
	xa_destroy(&owners);
}

static void trees(void **state)
{
	struct folder nodes[] = { { 0, NULL, 1 }, { 0, NULL, 2 }, { 1, NULL, 3 }, { 1, NULL, 4 } };
	struct folders from = { ARRAY_SIZE(nodes), nodes }, to = {};

	assert_int_equal(restore(&folders_state, &from, &to), 0);
	assert_int_equal(to.nr, 4);
	assert_null(to.all[0].parent);
	assert_ptr_equal(to.all[1].parent, &to.all[0]);
	assert_ptr_equal(to.all[3].parent, &to.all[1]);
	assert_int_equal(to.all[3].parent->quota, 2);
	kvfree(to.all);
	/* Nobody is their own ancestor; what was allocated is freed again */
	nodes[1].parent_index = 3;
	to = (struct folders){};
	refused(&folders_state, &from, &to, -EINVAL, "folders[1]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_object),
		TEST(times),
		TEST(per_cpu),
		TEST(bit_fields),
		TEST(references),
		TEST(trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
