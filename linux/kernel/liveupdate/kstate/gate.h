/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate: what another kernel would do with the state of this one, asked before
 * the jump. check.c compares, gate.c decides, catalog.c says what this kernel
 * describes, sysfs.c is what userspace sees.
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
 * @err: why it is refused or lost, or NULL
 *
 * Without a record, an object could not be saved; @err says which.
 */
struct kstate_finding {
	const struct kstate_stream *stream;
	const struct kstate_record *record;
	enum kstate_verdict verdict;
	bool allowed;
	const struct kstate_error *err;
};

typedef int (*kstate_finding_fn)(const struct kstate_finding *finding, void *arg);

int kstate_check_set(struct kstate_set *set, struct kstate_set *target,
		     kstate_finding_fn report, void *arg);

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

int kstate_gate_set_target(const void *blob, size_t size, struct kstate_error *err);
int kstate_gate_set_policy(char *text, struct kstate_error *err);
int kstate_gate_arm(enum kstate_armed to);
enum kstate_armed kstate_gate_status(char *release, size_t size, struct kstate_tally *tally);
int kstate_gate_check(kstate_finding_fn report, void *arg, struct kstate_tally *tally);
int kstate_gate_jump(struct kstate_set *out, struct kstate_error *err);
void kstate_gate_exit(void);

/* What this kernel describes: catalog.c */

/* Set by the linker; absent without a catalogue, and in modules */
extern const u8 __start_kstate_catalog[] __weak;
extern const u8 __stop_kstate_catalog[] __weak;

int kstate_catalog_add_module(const struct module *mod);
void kstate_catalog_remove_module(const struct module *mod);
struct kstate_set *kstate_catalog_create(struct kstate_error *err);

/* sysfs.c */
int kstate_sysfs_init(void);
void kstate_sysfs_exit(void);

#endif /* _KSTATE_GATE_H */
