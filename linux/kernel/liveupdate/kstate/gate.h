/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate: what another kernel would do with the state of this one, asked before
 * the jump. live.c saves objects to be looked at, check.c compares, gate.c decides,
 * catalog.c says what this kernel describes, sysfs.c is what userspace sees.
 */
#ifndef _KSTATE_GATE_H
#define _KSTATE_GATE_H

#include "store.h"

/* Checking for another kernel: check.c */

/**
 * struct kstate_finding - what another kernel would do with a record
 * @stream: its stream
 * @record: the record
 * @verdict: what
 * @allowed: it is refused, but the policy allows that
 * @err: why it is refused or lost: @nr_err errors, one for each field
 * @nr_err: how many; may be 0
 *
 * Without a record, an object could not be saved; @err says which.
 */
struct kstate_finding {
	const struct kstate_stream *stream;
	const struct kstate_record *record;
	enum kstate_verdict verdict;
	bool allowed;
	const struct kstate_error *err;
	u32 nr_err;
};

typedef int (*kstate_finding_fn)(const struct kstate_finding *finding, void *arg);

int kstate_check_set(struct kstate_set *set, struct kstate_set *target,
		     kstate_finding_fn report, void *arg);
const struct kstate_state *kstate_check_find(const struct kstate_set *catalog, const char *name,
					     const struct kstate_state *after);

/* The registered objects as they are now: live.c */

/**
 * struct kstate_live - objects, saved to where nothing is carried over
 * @set: the set
 * @stream: the stream in it
 */
struct kstate_live {
	struct kstate_set *set;
	struct kstate_stream *stream;
};

/* Called with the slot of its record, or with NULL and an error */
typedef int (*kstate_live_fn)(const struct kstate_description *desc, struct kstate_key key,
			      const struct kstate_slot *slot, const struct kstate_error *err,
			      void *arg);

int kstate_live_open(struct kstate_live *live);
void kstate_live_close(struct kstate_live *live);
void kstate_live_forget(struct kstate_live *live);
int kstate_live_is_saved(const char *name, const char *state, u64 key, const char *string,
			 u32 len);
int kstate_live_save(struct kstate_live *live, struct kstate_description *desc, const void *obj,
		     struct kstate_key key, const struct kstate_error *refused,
		     struct kstate_error *err);
int kstate_live_walk(kstate_live_fn fn, void *arg);
int kstate_live_export(void **blob, size_t *size);

/* The gate before a jump: gate.c */

enum kstate_armed {
	KSTATE_ARMED_OFF,	/* nothing is checked */
	KSTATE_ARMED_ON,	/* what the target would refuse, refuses the kexec */
	KSTATE_ARMED_FORCE,	/* it is only said */
};

/**
 * struct kstate_tally - what a check found
 * @nr: objects by &enum kstate_verdict
 * @allowed: of those that are refused, how many the policy allows to be lost
 * @ns: nanoseconds that the check took
 * @save_ns: of these, what saving took
 */
struct kstate_tally {
	u32 nr[KSTATE_REFUSED + 1];
	u32 allowed;
	u64 ns;
	u64 save_ns;
};

/**
 * struct kstate_gate_status - how the gate stands
 * @armed: &enum kstate_armed
 * @target: release of the target, empty if there is none
 * @tally: what was found last
 * @err: what was wrong with the target or the policy that was refused last; its
 *	code is 0 once one has been taken
 */
struct kstate_gate_status {
	enum kstate_armed armed;
	char target[80];
	struct kstate_tally tally;
	struct kstate_error err;
};

int kstate_gate_set_target(const void *blob, size_t size, struct kstate_error *err);
int kstate_gate_set_image(u32 crc);
int kstate_gate_set_policy(char *text, struct kstate_error *err);
int kstate_gate_arm(enum kstate_armed to);
void kstate_gate_get_status(struct kstate_gate_status *status);
int kstate_gate_check(kstate_finding_fn report, void *arg, struct kstate_tally *tally);

/* What this kernel describes: catalog.c */

/* Set by the linker; absent without a catalogue. A module on arm64 could not be loaded with them */
extern const u8 __start_kstate_catalog[] __weak;
extern const u8 __stop_kstate_catalog[] __weak;

struct kstate_set *kstate_catalog_create(struct kstate_error *err);

/* What userspace sees of it: sysfs.c has the files, directory.c has where they are */

struct kernfs_ops;

/**
 * struct kstate_file - a file for userspace
 * @name: its name
 * @mode: who may do what
 * @ops: what it does
 */
struct kstate_file {
	const char *name;
	umode_t mode;
	const struct kernfs_ops *ops;
};

extern const struct kstate_file kstate_files[];

/* What the layers below call of the gate */

#ifdef CONFIG_KSTATE_GATE
int kstate_catalog_add_module(const struct module *mod, const void *blob, size_t size);
void kstate_catalog_remove_module(const struct module *mod);
int kstate_gate_jump(struct kstate_set *out, const struct kstate_loaded *loaded,
		     struct kstate_error *err);
void kstate_gate_exit(void);
int kstate_directory_init(void);
void kstate_directory_exit(void);
#else
static inline int kstate_catalog_add_module(const struct module *mod, const void *blob,
					    size_t size)
{
	return 0;
}

static inline void kstate_catalog_remove_module(const struct module *mod)
{
}

static inline int kstate_gate_jump(struct kstate_set *out, const struct kstate_loaded *loaded,
				   struct kstate_error *err)
{
	return 0;
}

static inline void kstate_gate_exit(void)
{
}

static inline int kstate_directory_init(void)
{
	return 0;
}

static inline void kstate_directory_exit(void)
{
}
#endif

#endif /* _KSTATE_GATE_H */
