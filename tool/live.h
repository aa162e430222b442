/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel, asked and told through /sys/kernel/kstate.
 */
#ifndef _LIVE_H
#define _LIVE_H

#include "findings.h"
#include "tool.h"

/**
 * struct live - what a command is to do with the running kernel
 * @sysfs: the directory; tests have another one
 * @names: images of the target and its modules; none leaves the target as it is
 * @nr: how many
 * @all: show what is converted and defaulted, too
 */
struct live {
	const char *sysfs;
	char **names;
	int nr;
	bool all;
};

/*
 * The hidden option --sysfs DIR, and the common ones: the child's input is a struct live.
 * The second is for those who name a target.
 */
extern const struct argp_child sysfs_options[], target_options[];

/**
 * struct answer - what has been found so far
 * @counts: objects with each outcome
 * @allowed: how many may be lost by the policy
 * @ns: what the check took
 * @save_ns: what saving took of it
 * @worst: outcome of all
 * @shown: objects that have been printed, as JSON
 * @all: show what is converted and defaulted, too
 * @findings: what is printed as text
 * @printed: JSON has begun
 */
struct answer {
	json_int_t counts[OUTCOMES];
	json_int_t allowed;
	json_int_t ns;
	json_int_t save_ns;
	enum outcome worst;
	size_t shown;
	bool all;
	struct findings findings;
	bool printed;
};

/** answer_blocked() - how many objects stand in the way of a jump */
static inline long long answer_blocked(const struct answer *answer)
{
	return answer->counts[BLOCKED] - answer->allowed;
}

/**
 * print_answer() - ask what the target would do, and print it
 * @live: the kernel
 * @answer: zeroed; filled
 * @t: what went wrong
 *
 * As JSON, the object that has been begun is the caller's to go on with and to close.
 */
enum status print_answer(const struct live *live, struct answer *answer, struct trouble *t);

/**
 * set_target() - tell the running kernel what the target takes
 * @live: the kernel, and the images of the target
 * @fd: of sysfs_lock()
 * @t: what went wrong
 */
enum status set_target(const struct live *live, int fd, struct trouble *t);

/**
 * bootable_image() - the first image that kexec can load
 * @live: the images
 *
 * Return: its path, for free(), or NULL if there is none.
 */
char *bootable_image(const struct live *live);

/**
 * check_live() - what the target would do with everything as it is now: kstate check --live
 * @live: what to do
 * @t: what went wrong
 *
 * Return: the exit status for the worst that was found.
 */
enum status check_live(const struct live *live, struct trouble *t);

/**
 * sysfs_begin() - look whether there is a kernel to speak to
 * @dir: its directory
 * @t: what went wrong
 */
enum status sysfs_begin(const char *dir, struct trouble *t);

/**
 * sysfs_rehearses() - whether a kernel has jumps rehearsed, because it cannot refuse them
 * @dir: its directory
 */
bool sysfs_rehearses(const char *dir);

/**
 * sysfs_read() - all of a file
 * @dir: the directory
 * @name: the file in it
 * @t: what went wrong
 *
 * Return: its text, for free(), or NULL and errno.
 */
char *sysfs_read(const char *dir, const char *name, struct trouble *t);

/**
 * sysfs_json() - a file that is empty or holds a JSON object
 * @dir: the directory
 * @name: the file in it
 * @t: what went wrong
 *
 * Return: the object, null for an empty file, or NULL.
 */
json_t *sysfs_json(const char *dir, const char *name, struct trouble *t);

/**
 * sysfs_error() - what the kernel says of what it refused last
 * @dir: the directory
 * @about: how the path in the error begins
 *
 * Return: the error, for json_decref(), or NULL if it is about something else.
 */
json_t *sysfs_error(const char *dir, const char *about);

/**
 * sysfs_write() - write a small file, at once
 * @dir: the directory
 * @name: the file in it
 * @text: what to write; not nothing
 * @t: what went wrong; errno is kept
 */
enum status sysfs_write(const char *dir, const char *name, const char *text, struct trouble *t);

/**
 * sysfs_lock() - have the target for oneself
 * @dir: the directory
 * @t: what went wrong
 *
 * Return: a descriptor of the target, whose lock goes when it is closed; or -1.
 */
int sysfs_lock(const char *dir, struct trouble *t);

/**
 * error_text() - an error of the kernel as a sentence
 * @err: the error, as JSON
 *
 * Return: the sentence, for free(), or NULL without memory.
 */
char *error_text(const json_t *err);

/**
 * print_duration() - print nanoseconds for people
 * @ns: how many
 */
void print_duration(uint64_t ns);

/* Arming: arm.c */

/**
 * struct arm - how to arm the gate
 * @live: the kernel, and the images of the target
 * @force: jump all the same
 * @policy: a file that says which states matter, or NULL
 */
struct arm {
	struct live live;
	bool force;
	const char *policy;
};

/* The options and arguments of kstate arm; the child's input is a struct arm */
extern const struct argp_child arm_children[];

/**
 * arm() - hand over target and policy, ask what would happen now, and arm the gate
 * @arm: how
 * @fd: of sysfs_lock()
 * @answer: zeroed; what would happen now, printed as by print_answer()
 * @t: what went wrong
 */
enum status arm(const struct arm *arm, int fd, struct answer *answer, struct trouble *t);

/**
 * add_what_is_armed() - say in an error how the gate stands
 * @dir: the kernel's directory
 * @t: the error
 */
void add_what_is_armed(const char *dir, struct trouble *t);

/**
 * forget_jump() - undo a rehearsal, and unload the kernel that was loaded for the jump
 * @dir: the kernel's directory, which has a file in which jumps are rehearsed
 */
void forget_jump(const char *dir);

/**
 * disarm() - undo arm()
 * @dir: the kernel's directory
 * @t: what went wrong
 */
enum status disarm(const char *dir, struct trouble *t);

#endif /* _LIVE_H */
