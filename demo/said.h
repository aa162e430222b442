/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a guest says for demo/table.
 */
#ifndef KSTATE_DEMO_SAID_H
#define KSTATE_DEMO_SAID_H

#include "command.h"

/* Each line of a file, with what it is in front */
static inline void demo_say(const char *what, const char *path)
{
	static char text[65536];
	char *line;

	guest_ok(read_file(path, text, sizeof(text)));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		say("demo: %s %s", what, line);
}

/* What the command printed last */
static inline void demo_said(void)
{
	char *rest = output, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			say("demo: said %s", line);
}

#endif
