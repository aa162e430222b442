/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all host tests share: carry an object from one description to another
 * as a jump would, and look at what is left behind.
 */
#ifndef _TESTS_HOST_H
#define _TESTS_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <linux/kernel.h>
#include <linux/kexec_handover.h>
#include <linux/kstate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#include <shim.h>
#include "gate.h"

#define RELEASE "7.3.0-host"

/* The error that the last call of a helper below left */
extern struct kstate_error err;

/* What an error says, or "ok" */
const char *text_of(const struct kstate_error *e);

struct kstate_set *set_create(void);
void stream_save(struct kstate_stream *stream, struct kstate_description *desc, const void *obj,
		 struct kstate_key key);

/* As kstate_stream_restore(), and notes that @desc must be forgotten */
int stream_restore(struct kstate_stream *stream, struct kstate_description *desc, void *obj,
		   struct kstate_key key);

/* Export @set to bytes and destroy it */
void *set_bytes(struct kstate_set *set, size_t *size);

/* Export, destroy, and open what was exported */
struct kstate_set *set_jump(struct kstate_set *set);

/* An incoming set that holds @obj as number 1 in the stream "test" */
struct kstate_set *saved(struct kstate_description *desc, const void *obj);

/* What both kstate_stream_check() and kstate_stream_restore() say of the record 1 */
int check_and_restore(struct kstate_set *set, struct kstate_description *desc, void *obj);

/* Save @from and restore it to @to; kstate_stream_check() has to agree */
int carry(struct kstate_description *writer, const void *from,
	  struct kstate_description *reader, void *to);

/* The verdict for a carry(), or its error */
extern int verdict;

/* carry(), which has to succeed with @_verdict */
#define carry_ok(_writer, _from, _reader, _to, _verdict) do {		\
	if (carry(_writer, _from, _reader, _to))			\
		fail_msg("%s", text_of(&err));				\
	assert_int_equal(verdict, _verdict);				\
} while (0)

/* carry(), which has to be refused with @_reason and @_path, and leave @_to alone */
#define carry_refused(_writer, _from, _reader, _to, _reason, _path) do {	\
	char __before[sizeof(*(_to))];					\
									\
	memcpy(__before, _to, sizeof(*(_to)));				\
	if (!carry(_writer, _from, _reader, _to))			\
		fail_msg("not refused");				\
	if (err.reason != (_reason) || strcmp(err.path, _path))		\
		fail_msg("expected %s at %s: %s", kstate_reason_name(_reason), \
			 (const char *)_path, text_of(&err));		\
	assert_memory_equal(__before, _to, sizeof(*(_to)));		\
} while (0)

/* @_what has to be refused with @_reason, @_code, path, expected and found */
#define assert_error(_what, _reason, _code, _path, _expected, _found) do { \
	memset(&err, 0, sizeof(err));					\
	assert_int_equal(_what, _code);					\
	check_error(_reason, _code, _path, _expected, _found, __FILE__, __LINE__); \
} while (0)

void check_error(enum kstate_reason reason, int code, const char *path, const char *expected,
		 const char *found, const char *file, int line);

#define assert_fits(_what) do {						\
	memset(&err, 0, sizeof(err));					\
	if (_what)							\
		fail_msg("%s: %s", #_what, text_of(&err));		\
} while (0)

/* Add @desc to a catalogue, as what code uses */
void catalogue_add(struct kstate_set *catalogue, struct kstate_description *desc);

/* The catalogue of a kernel that uses @desc and nothing else, read from its bytes */
struct kstate_set *catalogue_of(struct kstate_description *desc);

/* Forget @desc when the test ends */
void use(struct kstate_description *desc);

/* Whether the last failing() reached the step that was to fail */
extern bool failed;

/* @_call with its n-th step failing */
#define failing(_n, _call) ({		\
	shim_fail_at(_n);		\
	__auto_type __ret = (_call);	\
	failed = shim_failed();		\
	shim_fail_at(0);		\
	__ret; })

/* For the first step, the second one, ... until there are no more */
#define for_each_step(_n)	for (long _n = (failed = true, 1); failed; _n++)

int test_begin(void **state);

/* Forget descriptions; nothing may be allocated or preserved any more */
int test_end(void **state);

#define TEST(_fn)	cmocka_unit_test_setup_teardown(_fn, test_begin, test_end)

#endif
