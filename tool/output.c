// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the subcommands speak: errors, colour, progress, JSON.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "tool.h"

struct options options;

enum status trouble(struct trouble *t, enum status status, const char *fmt, ...)
{
	va_list args;

	if (t->text[0])
		return status;
	t->status = status;
	va_start(args, fmt);
	vsnprintf(t->text, sizeof(t->text), fmt, args);
	va_end(args);
	return status;
}

enum { OPTION_NO_COLOR = 0x100 };

static const struct argp_option common[] = {
	{ "json", 'j', NULL, 0, "Print JSON", -2 },
	{ "quiet", 'q', NULL, 0, "Show no progress", -2 },
	{ "no-color", OPTION_NO_COLOR, NULL, 0, "Print without colour", -2 },
	{}
};

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	const char *term = getenv("TERM");

	switch (key) {
	case ARGP_KEY_INIT:
		options = (struct options){
			.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") &&
				  term && strcmp(term, "dumb"),
		};
		return 0;
	case 'j':
		options.json = true;
		options.colour = false;
		return 0;
	case 'q':
		options.quiet = true;
		return 0;
	case OPTION_NO_COLOR:
		options.colour = false;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp common_argp = { .options = common, .parser = parse_common };

const struct argp_child common_options[] = { { &common_argp, 0, NULL, 0 }, {} };

const char *colour(enum colour which)
{
	static const char *const sequences[] = {
		[PLAIN] = "\033[0m", [RED] = "\033[31m", [GREEN] = "\033[32m",
		[YELLOW] = "\033[33m", [BLUE] = "\033[34m", [DIM] = "\033[2m", [BOLD] = "\033[1m",
	};

	return options.colour ? sequences[which] : "";
}

static bool shown;

void progress(const char *what, uint64_t done, uint64_t total)
{
	static uint64_t last;
	struct timespec ts;
	uint64_t now;

	if (options.quiet || !isatty(STDERR_FILENO))
		return;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec * 10ULL + ts.tv_nsec / 100000000;
	if (now == last)
		return;
	last = now;
	shown = true;
	if (total)
		fprintf(stderr, "\r\033[K%s: %u %%", what, (unsigned int)(100.0 * done / total));
	else
		fprintf(stderr, "\r\033[K%s: %llu", what, (unsigned long long)done);
}

void progress_end(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

enum status print_json(json_t *value, struct trouble *t)
{
	int ret = value ? json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : -1;

	json_decref(value);
	if (ret)
		return trouble(t, STATUS_SYSTEM, "cannot make or write JSON: no memory, or no room");
	putchar('\n');
	return STATUS_OK;
}
