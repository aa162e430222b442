// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate: know before you jump.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tool.h"
#include "version.h"

static const struct command {
	const char *name;
	command_fn *run;
	const char *help;
	bool internal;
} commands[] = {
	{ "catalog", command_catalog, "what an image reads and writes" },
	{ "check", command_check, "whether one kernel takes the state of another, and back" },
	{ "describe", command_describe, "the skeleton of a description, from a struct" },
	{ "lint", command_lint, "members that descriptions forget" },
	{ "lock", command_lock, "keep released schemas, and fail a build that breaks them" },
	{ "dump", command_dump, "a stream as a tree of named values" },
	{ "diff", command_diff, "two streams, field by field" },
	{ "list", command_list, "the objects of the running kernel that would be saved" },
	{ "status", command_status, "what the running kernel has saved, restored and refused" },
	{ "arm", command_arm, "have the running kernel refuse a jump that would lose state" },
	{ "disarm", command_disarm, "let it jump again" },
	{ "jump", command_jump, "check, load, arm and kexec" },
	{ "collect", command_collect, "put the descriptions of object files into a catalogue",
	  .internal = true },
};

static void usage(FILE *out)
{
	fputs("Usage: kstate COMMAND [OPTION...] [ARGUMENT...]\n"
	      "       kstate COMMAND --help\n"
	      "Know whether another kernel can take over this one's state.\n\nCommands:\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!commands[i].internal)
			fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\nAll take --json. kstate(1) explains the exit statuses.\n", out);
}

/*
 * No file that is opened later may take the place of a closed one, and be written. Before
 * other constructors: the shim has one that opens memory.
 */
static void __attribute__((constructor(101))) fill_closed(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			_exit(STATUS_SYSTEM);
}

static enum status finish(enum status status, const struct trouble *t)
{
	progress_end();
	fflush(stdout);
	if (t->text[0])
		fprintf(stderr, "kstate: %s\n", t->text);
	if (t->text[0] && options.json) {
		json_t *error = json_pack("{s:{s:i,s:s}}", "error", "status", (int)status,
					  "message", t->text);

		/* Where the output is for a program, so is the error */
		if (error)
			json_dumpf(error, stderr, JSON_COMPACT);
		fputc('\n', stderr);
		json_decref(error);
	}
	return status;
}

int main(int argc, char **argv)
{
	struct trouble t = {};
	enum status status;
	char name[64];

	output_begin();
	argp_err_exit_status = STATUS_USAGE;
	argp_program_version = "kstate " KSTATE_VERSION;
	if (argc < 2) {
		usage(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help") || !strcmp(argv[1], "-?")) {
		usage(stdout);
		return finish(STATUS_OK, &t);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return finish(STATUS_OK, &t);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		/* What argp calls the program */
		snprintf(name, sizeof(name), "kstate %s", argv[1]);
		argv[1] = name;
		status = commands[i].run(argc - 1, argv + 1, &t);
		return finish(status, &t);
	}
	fprintf(stderr, "kstate: no command '%s'; kstate --help lists them\n", argv[1]);
	return STATUS_USAGE;
}
