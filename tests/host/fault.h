/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults, wherever a struct can be: descriptions, objects and records that have
 * to be refused. Each test is a process of its own, so that a crash, a leak or a
 * loop without end is the failure of one test.
 */
#ifndef _TESTS_FAULT_H
#define _TESTS_FAULT_H

#include "host.h"

/* Bytes that a struct under test has at most */
#define ROOM	256

/* A test that runs in a child; what it prints is shown if it fails */
#define ALONE(_fn)	{ #_fn, run_alone, NULL, NULL, (void *)(_fn) }

void run_alone(void **state);

/* Run those of the tests whose names contain argv[1] */
#define run_all_tests(_tests, _argc, _argv) ({				\
	if ((_argc) > 1)						\
		cmocka_set_test_filter((_argv)[1]);			\
	cmocka_run_group_tests(_tests, NULL, NULL); })

enum place {
	BARE, STRUCT, ARRAY, POINTER, VARRAY, POINTERS, LIST, XARRAY, UNION, GROUP, NR_PLACES,
};

/*
 * Where @leaf is a struct that is filled by @fill, hostile() calls for each place
 * are these: the whole description has to be refused at @path ...
 */
void bad_description(const struct kstate_description *leaf, u32 size, const char *path);

/* ... or is accepted */
void good_description(const struct kstate_description *leaf, u32 size);

/*
 * ... or saving is refused with @reason at @path, with @found in what was found. The
 * live check has to say the same. @empty frees what @fill has made.
 */
void bad_object(const struct kstate_description *leaf, u32 size, void (*fill)(void *obj),
		void (*empty)(void *obj), enum kstate_reason reason, const char *path,
		const char *found);

/*
 * ... or restoring into what @bad has filled is refused, and leaves it as it was; then
 * restoring into what @good has filled succeeds, as @same says
 */
struct bad_record {
	const struct kstate_description *writer;
	const struct kstate_description *reader;
	u32 writer_size;
	u32 reader_size;
	void (*fill)(void *obj);	/* the writer's object */
	void (*bad)(void *obj);
	void (*good)(void *obj);	/* NULL: zeros */
	bool (*same)(void *obj);
	void (*empty)(void *obj);	/* free what restoring has allocated */
	void (*empty_bad)(void *obj);	/* free what @bad has made */
	enum kstate_reason reason;
	const char *path;
};

void bad_record(struct bad_record t);

/* What both kstate_stream_check() and kstate_stream_restore() say of the record 1 */
int check_and_restore(struct kstate_set *set, struct kstate_description *desc, void *obj);

/* Save @obj with @desc: refused with @_reason at @_path; nothing stays preserved */
void save_refused(struct kstate_description *desc, const void *obj, enum kstate_reason reason,
		  const char *path, const char *found, const char *file, int line);
#define save_refused(...)	(save_refused)(__VA_ARGS__, __FILE__, __LINE__)

void description_refused(struct kstate_description *desc, const char *path, const char *file,
			 int line);
#define description_refused(...)	(description_refused)(__VA_ARGS__, __FILE__, __LINE__)

/* The error of the last call: @_reason at @_path, with something expected and found */
void error_is(enum kstate_reason reason, const char *path, const char *found, const char *file,
	      int line);
#define error_is(...)	(error_is)(__VA_ARGS__, __FILE__, __LINE__)

#endif
