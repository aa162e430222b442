/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel, asked and told through /sys/kernel/kstate.
 */
#ifndef _LIVE_H
#define _LIVE_H

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

#endif /* _LIVE_H */
