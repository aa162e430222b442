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

enum place {
	BARE, STRUCT, ARRAY, POINTER, VARRAY, POINTERS, LIST, XARRAY, UNION, GROUP, NR_PLACES,
};

/* How the path goes on where a value is wrong, and where fields or descriptions are */
extern const struct place_path {
	const char *value;
	const char *described;
} place_paths[NR_PLACES];

struct element {
	u64 bytes[ROOM / 8];
	struct list_head link;
};

/* A struct with another one in one of the places, and something before and behind it */
struct outer {
	u64 head;
	u64 one[ROOM / 8];
	u64 array[2][ROOM / 8];
	void *pointer;
	void *varray;
	u32 nr;
	u32 tag;
	void *pointers[2];
	struct list_head list;
	struct xarray xarray;
	u64 u[ROOM / 8];
	bool needed;
	char end[8];
};

/* Static where it is used: what a test has used is forgotten when it has ended */
struct placing {
	struct kstate_description desc;
	struct kstate_field fields[4];
	struct kstate_description group;
	struct kstate_field group_fields[2];
	struct kstate_arm arms[2];
};

/* The description of a struct outer with @leaf in @place; BARE: @leaf alone */
void describe_in(struct placing *p, enum place place, const struct kstate_description *leaf,
		 u32 size);

/* With @leaf in each place, the description has to be refused at @path ... */
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

/* ... or both ways to fill it are saved as the same bytes */
void same_bytes(const struct kstate_description *leaf, u32 size, void (*one)(void *obj),
		void (*other)(void *obj));

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
	const struct kstate_description *fits;	/* the second time, if not @reader */
	void (*bad)(void *obj);		/* NULL: as restoring wants it */
	void (*good)(void *obj);	/* NULL: zeros */
	bool (*same)(void *obj);
	void (*empty)(void *obj);	/* free what restoring has allocated */
	void (*empty_bad)(void *obj);	/* free what @bad has made */
	enum kstate_reason reason;
	const char *path;
};

void bad_record(struct bad_record t);

/* The verdict of the gate on the record in @set, if the next kernel has @reader */
int foretold(struct kstate_set *set, struct kstate_description *reader);

/* Any verdict that keeps the value */
#define LOSSLESS	-1

/* Gate, check and restoring agree on @_verdict, or refuse for @_reason at @_path */
void both_fit(struct kstate_description *writer, const void *from,
	      struct kstate_description *reader, void *to, int expected, const char *file,
	      int line);
#define both_fit(...)	(both_fit)(__VA_ARGS__, __FILE__, __LINE__)

void both_refuse(struct kstate_description *writer, const void *from,
		 struct kstate_description *reader, void *to, size_t size,
		 enum kstate_reason reason, const char *path, const char *file, int line);
#define both_refuse(_writer, _from, _reader, _to, _reason, _path) \
	(both_refuse)(_writer, _from, _reader, _to, sizeof(*(_to)), _reason, _path, \
		      __FILE__, __LINE__)

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

/* For code that is in_kernel(): a condition that has to hold */
#define check(_cond) do {						\
	if (!(_cond)) {							\
		fprintf(stderr, "%s:%d: %s\n%s", __FILE__, __LINE__, #_cond, shim_log()); \
		_exit(1);						\
	}								\
} while (0)

/* @kernel in a process of its own, after booting: the next one takes over what it hands on */
void in_kernel(void (*kernel)(void));

#endif
