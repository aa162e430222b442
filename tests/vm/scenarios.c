// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Init of the VM tests: test= on the command line names a scenario, which is
 * called once in each kernel it goes through. tests/vm/run runs them.
 */
#include "early.h"
#include "endure.h"
#include "gate.h"
#include "holes.h"
#include "legacy.h"
#include "luo.h"
#include "memfd.h"
#include "luo_edges.h"
#include "luo_lost.h"
#include "luo_next.h"
#include "operate.h"
#include "predict.h"
#include "reserve.h"
#include "soak.h"
#include "steps.h"
#include "versions.h"

/*
 * Ten jumps with many objects. What each kernel has in use after it took over adds up if
 * something is left behind each time, at the least the stream. It varies by up to 8 MiB, with
 * the random places of kernel and initramfs: so the least of three jumps counts, and half of
 * seven streams, 10 MiB, are allowed for.
 */
static void ten_jumps(long boot)
{
	long used, least, first, bytes = 0;

	load_stress("objects=16000 folios=4");
	check_stress(boot ? 16000 : 0, 0);
	if (boot) {
		bytes = incoming_bytes();
		guest_check(boot == 1 || bytes == cmdline_number("bytes", 0));
		finish();
	}
	/* Of scripts/vm's 1 GiB: MemTotal is without what was preserved and nobody has taken */
	used = (1 << 20) - settled_memory();
	say("boot %ld: %ld KiB in use, the stream has %ld bytes", boot, used, bytes);
	least = boot == 1 || boot == 8 ? used : cmdline_number("least", used);
	if (used < least)
		least = used;
	first = boot == 3 ? least : cmdline_number("first", 0);
	if (boot == 10) {
		if (least - first > 7 * bytes / 2 / 1024)
			guest_fail("%ld KiB more in use than seven jumps ago", least - first);
		guest_pass();
	}
	leave_for("a", "bytes=%ld least=%ld first=%ld", bytes, least, first);
}

/* A callback fails at the jump: the machine runs on as if nobody had tried. Then it jumps. */
static void abort_jump(long boot)
{
	long before = 0, after;
	int err;

	if (boot) {
		load_stress("objects=200 folios=10");
		check_stress(200, 0);
		guest_pass();
	}
	load_stress("objects=200 folios=10");
	guest_ok(write_file(STRESS "fail", "157"));
	load_kernel("a", "");
	for (int i = 0; i < 50; i++) {
		if (i == 5)
			before = meminfo("MemFree");
		err = jump();
		if (err != -EIO)
			guest_fail("the jump failed with %s", strerror(-err));
	}
	check_error("sample,stress[157].id");
	after = meminfo("MemFree");
	say("%ld KiB free after 5 failed jumps, %ld KiB after 50", before, after);
	/* 45 times 20 folios and the stream would be 8 MiB. */
	guest_check(before - after < 4096);
	guest_ok(write_file(STRESS "fail", "-1"));
	guest_ok(jump());
}

/* One record is damaged: it is reported, and all others are restored. */
static void corrupt(long boot)
{
	guest_ok(load("kstate_demo", ""));
	if (!boot) {
		load_stress("stream=1 objects=20 folios=3 corrupt=7");
		leave_for("b", "");
	}
	load_stress("stream=1 objects=20 folios=3");
	check_stress(19, 1);
	check_error("sample,stress[7]");
	guest_check(kmsg_has("kstate_demo: generation 2, restored"));
	finish();
	guest_pass();
}

/* The kernel in between knows no KSTATE. What it was given it keeps unused; the next one has it all. */
static void plain(long boot)
{
	long free = meminfo("MemFree");

	say("boot %ld: %ld KiB free", boot, free);
	if (!boot) {
		load_stress("objects=4000 folios=1");
		leave_for("plain", "free=%ld", free);
	}
	if (boot == 1) {
		guest_check(access("/sys/kernel/kstate", F_OK));
		leave_for("a", "free=%ld", cmdline_number("free", 0));
	}
	load_stress("objects=4000 folios=1");
	check_stress(0, 0);
	/* The folios are 36 MiB; from boot to boot, 8 MiB differ. */
	guest_check(cmdline_number("free", 0) - free < 18432);
	guest_pass();
}

/* The kernel in between lacks both modules, and hands on what it got. */
static void lacks(long boot)
{
	if (boot == 1)
		leave_for("a", "demo=%s", cmdline_value("demo"));
	guest_ok(load("kstate_demo", ""));
	load_stress("objects=100 folios=5 optional=1 round=%d", !!boot);
	check_stress(boot ? 100 : 0, 0);
	if (!boot)
		leave_for("b", "demo=%u", demo_values());
	check_demo();
	guest_pass();
}

/* The kernel in between lacks both modules and finishes: what is optional is handed on, what is not is freed. */
static void lacks_finish(long boot)
{
	if (boot == 1) {
		finish();
		guest_check(kmsg_has("sample,demo"));
		guest_check(!kmsg_has("sample,stress"));
		leave_for("a", "");
	}
	guest_ok(load("kstate_demo", ""));
	load_stress("objects=100 folios=5 optional=1 round=%d", !!boot);
	check_stress(boot ? 100 : 0, 0);
	if (!boot)
		leave_for("b", "");
	guest_check(kmsg_has("kstate_demo: generation 1, first start"));
	guest_pass();
}

/* Nobody wants what came: finishing says so and frees it, 18 MiB of folios, and it is gone for good. */
static void unclaimed(long boot)
{
	long before = meminfo("MemFree"), freed;

	if (boot == 1) {
		finish();
		freed = meminfo("MemFree") - before;
		say("%ld KiB freed", freed);
		guest_check(kmsg_has("nobody claimed 2000 records"));
		guest_check(freed > 9216);
		leave_for("a", "");
	}
	load_stress("objects=2000 folios=1");
	check_stress(0, 0);
	if (!boot)
		leave_for("a", "");
	guest_pass();
}

/* The older driver has no room for what the newer one uses: it does not load, and nothing is lost. */
static void refused(long boot)
{
	if (boot == 1) {
		guest_check(load("kstate_demo", "") == -ERANGE);
		check_error("sample,demo[0].mtu");
		leave_for("b", "demo=%s", cmdline_value("demo"));
	}
	guest_ok(load("kstate_demo", ""));
	if (!boot) {
		guest_ok(write_file("/sys/kernel/debug/kstate_demo/mtu", "9000"));
		leave_for("a", "demo=%u", demo_values());
	}
	check_demo();
	guest_pass();
}

/* A module that goes and comes again in the same kernel starts anew: nothing is restored twice. */
static void reload(long boot)
{
	unsigned int values;

	guest_ok(load("kstate_demo", ""));
	values = demo_values();
	if (boot) {
		check_demo();
		guest_ok(rmmod("kstate_demo"));
		guest_ok(load("kstate_demo", ""));
		guest_check(demo_values() != values);
		guest_ok(rmmod("kstate_demo"));
		load_stress("stream=1 objects=20 twice=1");
		check_stress(20, 0);
		guest_ok(rmmod("kstate_stress"));
		guest_pass();
	}
	for (int i = 0; i < 20; i++) {
		guest_ok(rmmod("kstate_demo"));
		guest_ok(load("kstate_demo", ""));
		guest_check(demo_values() != values);
	}
	load_stress("stream=1 objects=20");
	guest_ok(rmmod("kstate_stress"));
	load_stress("stream=1 objects=20");
	leave_for("a", "demo=%u", demo_values());
}

static void objects_100000(long boot)
{
	load_stress("objects=100000");
	if (!boot)
		leave_for("a", "");
	check_stress(100000, 0);
	guest_ok(read_file(KSTATE_SYS "streams", text, sizeof(text)));
	say("%s", text);
	guest_pass();
}

/* What a kernel wrote, and what the driver had, for the second reader: tests/vm/reader */
static void reader(long boot)
{
	static unsigned char data[1 << 20];
	ssize_t size = 0;
	char *rest = text, *line;

	if (boot) {
		size = read_file(KSTATE_SYS "incoming", (char *)data, sizeof(data));
		guest_ok(size);
	}
	guest_ok(load("kstate_demo", ""));
	load_stress("stream=1 objects=20 folios=3");
	if (!boot)
		leave_for(variant(), "");
	check_stress(20, 0);
	for (ssize_t at = 0; at < size; at += 400) {
		char hex[2 * 400 + 1];

		for (ssize_t i = 0; i < 400 && at + i < size; i++)
			sprintf(hex + 2 * i, "%02x", data[at + i]);
		say("stream: %s", hex);
	}
	guest_ok(read_file(DEMO_VALUES, text, sizeof(text)));
	while ((line = strsep(&rest, "\n")))
		say("driver: %s", line);
	guest_pass();
}

/* KSTATE itself is a module. */
static void module(long boot)
{
	guest_ok(load("kstate", ""));
	guest_ok(load("kstate_demo", ""));
	load_stress("objects=500 folios=5");
	if (boot) {
		check_demo();
		check_stress(500, 0);
		finish();
	}
	if (boot == 2) {
		guest_ok(rmmod("kstate_demo"));
		guest_ok(rmmod("kstate_stress"));
		guest_pass();
	}
	leave_for("module", "demo=%u", demo_values());
}

/* A kernel that was started with trace_event=kstate:* shows what it did. */
static void check_trace(const char *event, const char *words)
{
	const char *line;

	guest_ok(read_file("/sys/kernel/tracing/trace", text, sizeof(text)));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, event) && strstr(line, words))
			break;
	if (!line)
		guest_fail("trace: no %s with \"%s\"", event, words);
	say("trace: %s", line);
}

/* There and back with everything that finds bugs switched on. */
static void checked(long boot)
{
	if (mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL))
		guest_fail("mount tracefs: %s", strerror(errno));
	guest_ok(load("kstate_demo", ""));
	load_stress("objects=200 folios=3");
	if (boot) {
		check_demo();
		check_stress(200, 0);
		finish();
		check_trace("kstate_restore:", "state=sample,demo id=0");
	}
	if (boot == 2) {
		guest_ok(rmmod("kstate_demo"));
		guest_ok(rmmod("kstate_stress"));
		check_kmemleak();
		guest_pass();
	}
	guest_ok(write_file(STRESS "fail", "3"));
	load_kernel(variant(), "");
	guest_check(jump() == -EIO);
	check_trace("kstate_save:", "ns=");
	check_trace("kstate_refuse:", "call=prepare");
	guest_ok(write_file(STRESS "fail", "-1"));
	leave_for(variant(), "demo=%u", demo_values());
}

static void kunit(long boot)
{
	guest_ok(load("kunit", "enable=1 autorun=1"));
	guest_ok(load("kstate_kunit", ""));
	guest_ok(load("kstate_foreign_kunit", ""));
	guest_ok(rmmod("kstate_foreign_kunit"));
	guest_ok(rmmod("kstate_kunit"));
	check_kmemleak();
	guest_pass();
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(long boot);
	} scenarios[] = {
		{ "abort_jump", abort_jump },
		{ "catalog", catalog },
		{ "checked", checked },
		{ "corrupt", corrupt },
		{ "early", early },
		{ "endurance", endurance },
		{ "hole", hole },
		{ "gate_races", gate_races },
		{ "kunit", kunit },
		{ "lacks", lacks },
		{ "lacks_finish", lacks_finish },
		{ "legacy", legacy },
		{ "legacy_damage", legacy_damage },
		{ "live", live },
		{ "live_100000", live_100000 },
		{ "luo", luo },
		{ "luo_edges", luo_edges },
		{ "luo_faults", luo_faults },
		{ "luo_back", luo_back },
		{ "luo_flb_left", luo_flb_left },
		{ "luo_half", luo_half },
		{ "luo_held", luo_held },
		{ "luo_last_byte", luo_last_byte },
		{ "luo_names", luo_names },
		{ "luo_noexec", luo_noexec },
		{ "luo_lost_file", luo_lost_file },
		{ "luo_lost_session", luo_lost_session },
		{ "luo_lost_room", luo_lost_room },
		{ "luo_busy", luo_busy },
		{ "memfd", memfd },
		{ "memfd_race", memfd_race },
		{ "luo_damage", luo_damage },
		{ "luo_next", luo_next },
		{ "luo_nomemfd", luo_nomemfd },
		{ "module", module },
		{ "objects_100000", objects_100000 },
		{ "operate", operate },
		{ "other_image", other_image },
		{ "jump_command", jump_command },
		{ "other_machine", other_machine },
		{ "plain", plain },
		{ "predict", predict },
		{ "reader", reader },
		{ "refused", refused },
		{ "reload", reload },
		{ "reserve_mem", reserve_mem },
		{ "soak", soak },
		{ "ten_jumps", ten_jumps },
		{ "unclaimed", unclaimed },
		{ "versions", versions },
	};
	const char *test;

	guest_start();
	test = cmdline_value("test");
	for (size_t i = 0; test && i < ARRAY_LENGTH(scenarios); i++) {
		char name[50];

		snprintf(name, sizeof(name), "%s", test);
		if (!strcmp(name, scenarios[i].name))
			scenarios[i].run(cmdline_number("boot", 0));
	}
	guest_fail("there is no test %s", test ?: "named by test=");
}
