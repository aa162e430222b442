/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From one version of Linux to another and back, with drivers and with a session of
 * live update.
 */
#ifndef KSTATE_TESTS_VM_VERSIONS_H
#define KSTATE_TESTS_VM_VERSIONS_H

#include "luo.h"

/* A kernel's image with the modules that are used here, as an argument */
static void images(char buf[300], const char *kernel)
{
	snprintf(buf, 300, "/kernels/%s,/modules/%s/kstate_demo.ko,/modules/%s/kstate_stress.ko",
		 kernel, kernel, kernel);
}

static void versions(long boot)
{
	const char *next = strchr(variant(), '@') ? "a" : "a@7.2";
	char this_images[300], next_images[300];
	int session, first;

	images(this_images, variant());
	images(next_images, next);
	guest_ok(load("kstate_demo", ""));
	load_stress("objects=50 folios=3");
	check_stress(boot ? 50 : 0, 0);
	if (boot) {
		check_demo();
		session = luo_session(LUO_RETRIEVE_SESSION, "kept");
		luo_retrieve(session, 1, 100 + boot - 1);
		luo_retrieve(session, 2, LUO_BYTES);
		luo_finish(session);
		session = luo_session(LUO_RETRIEVE_SESSION, "empty");
		luo_finish(session);
		finish();
	}
	say("%s has what it was given", kernel_release());
	if (boot == 2)
		guest_pass();

	session = luo_session(LUO_CREATE_SESSION, "kept");
	first = luo_preserve(session, 1);
	luo_preserve(session, 2);
	guest_check(lseek(first, 100 + boot, SEEK_SET) == 100 + boot);
	luo_session(LUO_CREATE_SESSION, "empty");

	/* What is said beforehand, of the images and of what is there, is what comes */
	kstate_says(0, " exact", "check", this_images, next_images);
	say_output();
	guest_check(!strstr(output, "lossy") && !strstr(output, "value"));
	kstate_says(0, " exact", "arm", next_images);
	guest_check(!strstr(output, "lossy"));
	leave_for(next, "demo=%u", demo_values());
}

#endif
