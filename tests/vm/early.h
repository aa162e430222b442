/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * State that is there before the first initcall, in a kernel without a gate.
 */
#ifndef KSTATE_TESTS_VM_EARLY_H
#define KSTATE_TESTS_VM_EARLY_H

#include "steps.h"

#define EARLY		"/sys/module/kstate_early/parameters/"

static void early(long boot)
{
	char values[300];

	guest_check(access("/sys/kernel/kstate", F_OK));
	guest_ok(read_file(EARLY "restored", text, sizeof(text)));
	guest_check(!strcmp(text, boot ? "Y,Y\n" : "N,N\n"));
	/* Nothing could be saved by then: -EPROBE_DEFER */
	guest_check(number_in(EARLY "saved") == -517);
	guest_ok(read_file(EARLY "values", values, sizeof(values)));
	values[strcspn(values, "\n")] = 0;
	guest_check(strlen(values) == 4 * 32 + 1);
	if (boot) {
		guest_check(!strcmp(values, cmdline_value("values")));
		guest_check(kmsg_has("kstate_early: restored, restored, "));
	}
	/* Those who come later are none the worse for it */
	guest_ok(load("kstate_demo", ""));
	load_stress("objects=200 folios=5");
	check_stress(boot ? 200 : 0, 0);
	if (boot) {
		check_demo();
		guest_check(kmsg_has(boot == 1 ? ", 1 jumps" : ", 2 jumps"));
	}
	if (boot == 2)
		guest_pass();
	leave_for("early", "demo=%u values=%s", demo_values(), values);
}

#endif
