/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the subcommands of kstate share: how they end, and how they speak.
 *
 * Everything below main.c returns an enum status and leaves the sentence in a
 * struct trouble, so that tests and fuzzers can call it.
 */
#ifndef _TOOL_H
#define _TOOL_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses; kstate(1) explains them */
enum status {
	STATUS_OK	= 0,
	STATUS_LOSSY	= 1,	/* check: something is lost; diff, lint: there is something */
	STATUS_VALUE	= 2,	/* check: some values would be refused */
	STATUS_BLOCKED	= 3,	/* check, arm, lock, list: refused whatever the values */
	STATUS_USAGE	= 64,	/* wrong arguments */
	STATUS_DAMAGED	= 65,	/* bytes are not what was written: cut, damaged, hostile */
	STATUS_INPUT	= 66,	/* cannot be opened or read */
	STATUS_FOREIGN	= 67,	/* no kernel image, catalogue or stream; or encrypted */
	STATUS_NO_CATALOG = 68,	/* an image without a catalogue */
	STATUS_ARCH	= 69,	/* of another architecture or page size */
	STATUS_NEWER	= 70,	/* of a newer format */
	STATUS_SYSTEM	= 71,	/* no memory, cannot write */
	STATUS_KERNEL	= 72,	/* the running kernel has no KSTATE, or refuses */
	STATUS_MIXED	= 73,	/* of several releases, but named as one kernel */
	STATUS_TWICE	= 74,	/* a state that one kernel describes in two ways */
};

/* What went wrong: one sentence that says where, and what to do */
struct trouble {
	enum status status;
	char text[768];
};

/**
 * trouble() - note what went wrong
 * @t: where to; the first trouble stays
 * @status: exit status
 * @fmt: the sentence, without "kstate: " and a final dot or newline
 *
 * Return: @status.
 */
enum status trouble(struct trouble *t, enum status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Set by the options that all subcommands have */
struct options {
	bool json;
	bool quiet;		/* no progress */
	bool colour;		/* stdout is a terminal that wants it */
	bool mixed;		/* what is named as one kernel is taken for one */
};

extern struct options options;

/* Child of each subcommand's argp: --json, --quiet, --no-color */
extern const struct argp_child common_options[];

/**
 * kernel_directory() - where the running kernel is asked and told
 *
 * Return: /sys/kernel/kstate; /proc/kstate if there is only that, as with a module for a
 * kernel that lacks kexec handover.
 */
const char *kernel_directory(void);

/**
 * kernel_file() - whether a path is one of the running kernel's files
 * @path: the path
 *
 * Return: the file's name in kernel_directory(), or NULL.
 */
const char *kernel_file(const char *path);

/**
 * running_path() - where the running kernel has what is called by a word
 * @word: running, incoming, outgoing, live; or anything else
 *
 * Return: the path of a file, or NULL.
 */
const char *running_path(const char *word);

/* SGR sequences, empty strings without colour */
enum colour { PLAIN, RED, GREEN, YELLOW, BLUE, DIM, BOLD };

const char *colour(enum colour which);

/**
 * progress() - show how far long work has come
 * @what: what is done
 * @done: how much
 * @total: of how much, 0 if nobody knows
 *
 * Only on a terminal, at most ten times a second; progress_end() clears it.
 */
void progress(const char *what, uint64_t done, uint64_t total);
void progress_end(void);

/**
 * print_annotation() - print a finding as GitHub Actions show it beside the code
 * @level: error, warning or notice
 * @file: which file it is about, or NULL
 * @line: which line of it
 * @title: in few words
 * @text: what is to be said
 *
 * The form is that of "Workflow commands for GitHub Actions", with its escapes.
 */
void print_annotation(const char *level, const char *file, unsigned int line, const char *title,
		      const char *text);

/* A member of a JSON object: its text, empty if there is none; its number, 0 if there is none */
static inline const char *json_member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static inline long long json_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/**
 * print_json() - write a JSON value and a newline to stdout
 * @value: the value, whose reference is taken
 */
enum status print_json(json_t *value, struct trouble *t);

/**
 * output_begin() - see to it that output arrives, or the command fails
 *
 * What stdout does not take ends the command with %STATUS_SYSTEM and a sentence, without
 * one if it is a closed pipe.
 */
void output_begin(void);

/**
 * write_file() - write a file: all of it, or it stays as it was
 * @path: the file; one that is no regular file is written in place
 * @bytes: what is to be in it
 * @size: how many bytes
 * @t: what went wrong
 */
enum status write_file(const char *path, const void *bytes, size_t size, struct trouble *t);

/**
 * struct page_file - a page that is being written
 * @file: where to write
 * @path: of the file, or "-" for standard output
 * @bytes: what has been written, until it is complete
 * @size: how many
 */
struct page_file {
	FILE *file;
	const char *path;
	char *bytes;
	size_t size;
};

/**
 * page_begin() - begin to write a page
 * @page: filled; for page_end(), unless there is trouble
 * @path: of the file, or "-" for standard output
 * @t: what went wrong: a file that is there and is no page is not overwritten
 */
enum status page_begin(struct page_file *page, const char *path, struct trouble *t);

/**
 * page_end() - write it, all of it, or leave the file as it was
 * @page: the page
 * @status: what came of it: after trouble, only that with a stream that is damaged leaves
 *	a page
 * @t: what went wrong
 *
 * Return: @status, or that of writing.
 */
enum status page_end(struct page_file *page, enum status status, struct trouble *t);

/* The subcommands */
typedef enum status command_fn(int argc, char **argv, struct trouble *t);

command_fn command_dump, command_diff, command_catalog, command_check, command_lint,
	   command_lock, command_status, command_arm, command_disarm, command_collect,
	   command_describe, command_jump, command_list;

#endif /* _TOOL_H */
