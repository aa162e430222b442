// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of the next kernel: it has to say all that this kernel was told so that
 * state is carried.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "cmdline.h"
#include "live.h"

/* What a kernel without kexec handover carries state in; its size is 0 if this one has it */
struct range {
	json_int_t start;
	json_int_t size;
};

static enum status read_range(const char *dir, struct range *range, struct trouble *t)
{
	json_t *jump;

	*range = (struct range){};
	if (!sysfs_rehearses(dir))
		return STATUS_OK;
	jump = sysfs_json(dir, "jump", t);
	if (!jump)
		return t->status;
	range->start = json_number(jump, "start");
	range->size = json_number(jump, "size");
	json_decref(jump);
	return STATUS_OK;
}

/* The next word, in which quotes keep blanks together; NULL at the end */
static char *next_word(char **rest)
{
	bool quoted = false;
	char *word, *p;

	*rest += strspn(*rest, " \t\n");
	word = p = *rest;
	for (; *p && (quoted || !strchr(" \t\n", *p)); p++)
		quoted ^= *p == '"';
	*rest = p;
	if (*p) {
		*p = 0;
		++*rest;
	}
	return *word ? word : NULL;
}

static enum status add_word(struct command_line *c, const char *word, struct trouble *t)
{
	size_t len = strlen(c->text);

	if (len + strlen(word) + 2 > sizeof(c->text))
		return trouble(t, STATUS_USAGE, "the command line is longer than %zu bytes",
			       sizeof(c->text) - 1);
	snprintf(c->text + len, sizeof(c->text) - len, "%s%s", len ? " " : "", word);
	return STATUS_OK;
}

/* What a boot loader or an earlier jump said of this kernel alone */
static bool is_of_this_boot(const char *word)
{
	return !strncmp(word, "BOOT_IMAGE=", strlen("BOOT_IMAGE=")) ||
	       !strncmp(word, "kstate.from=", strlen("kstate.from="));
}

static enum status add_words(struct command_line *c, const char *words, struct trouble *t)
{
	char *copy = strdup(words), *rest = copy, *word = NULL;
	enum status status = copy ? STATUS_OK : trouble(t, STATUS_SYSTEM, "no memory");

	while (!status && (word = next_word(&rest)) && strcmp(word, "--"))
		if (!is_of_this_boot(word))
			status = add_word(c, word, t);
	/* No words of the kernel's, and what is added comes before */
	if (word && *rest) {
		free(c->init);
		c->init = strndup(rest, strcspn(rest, "\n"));
	}
	free(copy);
	return status;
}

/* As the kernel reads sizes and addresses */
static unsigned long long parse_bytes(const char *text, const char **end)
{
	static const char units[] = "KMGTPE";
	unsigned long long value;
	const char *unit;
	char *p;

	value = strtoull(text, &p, 0);
	unit = *p ? strchr(units, *p & ~0x20) : NULL;
	if (unit) {
		value <<= 10 * (unit - units + 1);
		p++;
	}
	*end = p;
	return value;
}

/* Whether words keep the range away from the kernel: memmap=SIZE$START, also several */
static bool is_kept(const char *words, const struct range *range)
{
	char *copy = strdup(words), *rest = copy, *word, *one;
	unsigned long long size, start;
	const char *end;
	bool kept = false;

	while (copy && !kept && (word = next_word(&rest))) {
		if (strncmp(word, "memmap=", strlen("memmap=")))
			continue;
		word += strlen("memmap=");
		while (!kept && (one = strsep(&word, ","))) {
			size = parse_bytes(one, &end);
			start = *end == '$' ? parse_bytes(end + 1, &end) : 0;
			kept = start && start <= (unsigned long long)range->start &&
			       size >= range->start + range->size - start;
		}
	}
	free(copy);
	return kept;
}

/* The last value of a word NAME=VALUE, in @value; false if there is none */
static bool last_value(const char *words, const char *name, char *value, size_t size)
{
	char *copy = strdup(words), *rest = copy, *word;
	size_t len = strlen(name);
	bool found = false;

	while (copy && (word = next_word(&rest))) {
		if (strncmp(word, name, len) || word[len] != '=')
			continue;
		snprintf(value, size, "%s", word + len + 1);
		found = true;
	}
	free(copy);
	return found;
}

/* What this kernel was told, so that it can carry state, the next one has to be told as well */
static enum status check_same(const struct command_line *c, const char *running, const char *name,
			      struct trouble *t)
{
	char here[80] = "", there[80] = "";

	if (!last_value(running, name, here, sizeof(here)))
		return STATUS_OK;
	if (last_value(c->text, name, there, sizeof(there)) && !strcmp(here, there))
		return STATUS_OK;
	return trouble(t, STATUS_USAGE,
		       "the next kernel would not take the state: its command line needs %s=%s, as this kernel's has, and has %s%s%s",
		       name, here, *there ? name : "none", *there ? "=" : "", there);
}

/* One of the numbers of an entry of the firmware's map of memory; false if there is none */
static bool firmware_number(int entry, const char *name, unsigned long long *value)
{
	struct trouble no = {};
	char path[64], *text;

	snprintf(path, sizeof(path), "/sys/firmware/memmap/%d", entry);
	text = access(path, F_OK) ? NULL : sysfs_read(path, name, &no);
	*value = text ? strtoull(text, NULL, 0) : 0;
	/* A type is a word */
	if (text && !strcmp(name, "type"))
		*value = !strncmp(text, "System RAM", strlen("System RAM"));
	free(text);
	return text;
}

/* Whether firmware calls all of the range RAM; what it does not tell is taken for granted */
static bool is_memory(const struct range *range)
{
	unsigned long long first = range->start, last = first + range->size - 1, start, end, ram;
	int i;

	for (i = 0; firmware_number(i, "start", &start) && firmware_number(i, "end", &end) &&
	     firmware_number(i, "type", &ram); i++)
		if (ram && start <= first && end >= last)
			return true;
	return !i;
}

static enum status make_token(struct command_line *c, struct trouble *t)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return trouble(t, STATUS_SYSTEM, "getrandom: %s", strerror(errno));
	snprintf(c->token, sizeof(c->token), "%016llx", (unsigned long long)random);
	return STATUS_OK;
}

static enum status add_init(struct command_line *c, struct trouble *t)
{
	return c->init ? add_word(c, "--", t) ?: add_word(c, c->init, t) : STATUS_OK;
}

enum status command_line_make(struct command_line *c, const char *dir, const char *given,
			      const char *append, struct trouble *t)
{
	char running[4096] = "", word[64];
	FILE *file = fopen("/proc/cmdline", "re");
	struct range range;
	enum status status;

	if (file) {
		running[fread(running, 1, sizeof(running) - 1, file)] = 0;
		fclose(file);
	}
	if (!given && !*running)
		return trouble(t, STATUS_INPUT,
			       "/proc/cmdline: cannot read it: give --command-line");
	status = read_range(dir, &range, t);
	status = status ?: add_words(c, given ?: running, t);
	status = status ?: add_words(c, append ?: "", t);
	status = status ?: check_same(c, running, range.size ? "kstate.range" : "kho", t);
	if (status || !range.size)
		return status ?: add_init(c, t);
	if (!is_memory(&range))
		return trouble(t, STATUS_USAGE,
			       "the range of %lld KiB at %#llx is not all RAM: see /sys/firmware/memmap, and take another",
			       (long long)range.size >> 10, (long long)range.start);
	if (!is_kept(c->text, &range))
		return trouble(t, STATUS_USAGE,
			       "the next kernel would use the memory in which the state is carried: its command line needs memmap=%lldK$%#llx",
			       (long long)range.size >> 10, (long long)range.start);
	status = make_token(c, t);
	snprintf(word, sizeof(word), "kstate.from=%s", c->token);
	return status ?: add_word(c, word, t) ?: add_init(c, t);
}

void command_line_free(struct command_line *c)
{
	free(c->init);
}
