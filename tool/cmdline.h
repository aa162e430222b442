/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line of the next kernel.
 */
#ifndef _CMDLINE_H
#define _CMDLINE_H

#include "tool.h"

/**
 * struct command_line - what the next kernel is told
 * @text: all of it
 * @init: what follows "--" in it, for the first program; or NULL
 * @token: of a jump over a range of memory, or empty
 */
struct command_line {
	char text[4096];
	char *init;
	char token[17];
};

/**
 * command_line_make() - make it of that of this kernel
 * @c: zeroed; filled, for command_line_free(), also after trouble
 * @dir: the running kernel's directory
 * @given: another one, or NULL for that of this kernel
 * @append: words to add to it, or NULL
 * @t: what went wrong: also if the next kernel would not find the state, or use the memory
 *	that it is in
 */
enum status command_line_make(struct command_line *c, const char *dir, const char *given,
			      const char *append, struct trouble *t);
void command_line_free(struct command_line *c);

#endif /* _CMDLINE_H */
