// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the subcommands speak: errors, colour, progress, JSON, files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <linux/array_size.h>
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
	/* Names in it may come from a hostile file, and go to a terminal */
	for (char *p = t->text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
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

static const char *const directories[] = { "/sys/kernel/kstate", "/proc/kstate" };

const char *kernel_directory(void)
{
	return directories[access(directories[0], F_OK) && !access(directories[1], F_OK)];
}

const char *kernel_file(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		size_t len = strlen(directories[i]);

		if (!strncmp(path, directories[i], len) && path[len] == '/')
			return path + len + 1;
	}
	return NULL;
}

const char *running_path(const char *word)
{
	static const char *const words[][2] = {
		{ "running", "catalog" }, { "incoming", "incoming" },
		{ "outgoing", "outgoing" }, { "live", "live" },
	};
	static char paths[ARRAY_SIZE(words)][64];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i][0]))
			continue;
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", kernel_directory(), words[i][1]);
		return paths[i];
	}
	return NULL;
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

/* Text of a workflow command; in @property, what ends one is escaped, too */
static void put_annotation(const char *text, bool property)
{
	for (; *text; text++) {
		unsigned char c = *text;

		if (c < ' ' || c == '%' || (property && (c == ':' || c == ',')))
			printf("%%%02X", c);
		else
			putchar(c);
	}
}

void print_annotation(const char *level, const char *file, unsigned int line, const char *title,
		      const char *text)
{
	printf("::%s ", level);
	if (file) {
		fputs("file=", stdout);
		put_annotation(file, true);
		printf(",line=%u,", line);
	}
	fputs("title=", stdout);
	put_annotation(title, true);
	fputs("::", stdout);
	put_annotation(text, false);
	putchar('\n');
}

enum status print_json(json_t *value, struct trouble *t)
{
	int ret = value ? json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : -1;

	json_decref(value);
	if (ret)
		return trouble(t, STATUS_SYSTEM, "cannot make JSON: no memory");
	putchar('\n');
	return STATUS_OK;
}

/* The command ends here, as it would by SIGPIPE: what it has found cannot be told */
static ssize_t write_stdout(void *cookie, const char *bytes, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = write(STDOUT_FILENO, bytes + done, size - done);
		if (n >= 0) {
			done += n;
			continue;
		}
		if (errno == EINTR)
			continue;
		/* A pipe that nobody reads any more is no news to who closed it */
		if (errno != EPIPE) {
			n = errno;
			progress_end();
			fprintf(stderr, "kstate: cannot write: %s\n", strerror(n));
		}
		_exit(STATUS_SYSTEM);
	}
	return size;
}

void output_begin(void)
{
	cookie_io_functions_t functions = { .write = write_stdout };
	bool terminal = isatty(STDOUT_FILENO);

	stdout = fopencookie(NULL, "w", functions);
	if (!stdout)
		_exit(STATUS_SYSTEM);
	setvbuf(stdout, NULL, terminal ? _IOLBF : _IOFBF, terminal ? BUFSIZ : 65536);
}

static bool write_all(int fd, const void *bytes, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = write(fd, bytes + done, size - done);
		if (n > 0)
			done += n;
		else if (n == 0 || errno != EINTR)
			return false;
	}
	return true;
}

/* A new file in the place of @path, which is not there yet or a regular one */
static bool replace_file(const char *path, mode_t mode, const void *bytes, size_t size)
{
	char *temporary = NULL;
	bool good = false;
	int fd, code;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return false;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd >= 0) {
		good = write_all(fd, bytes, size) && !fchmod(fd, mode) && !fsync(fd) &&
		       !rename(temporary, path);
		code = errno;
		close(fd);
		if (!good)
			unlink(temporary);
		errno = code;
	}
	free(temporary);
	return good;
}

enum status write_file(const char *path, const void *bytes, size_t size, struct trouble *t)
{
	mode_t mask = umask(0), mode = 0666 & ~mask;
	struct stat st;
	char *real;
	bool good;
	int fd;

	umask(mask);
	if (stat(path, &st)) {
		good = errno == ENOENT && replace_file(path, mode, bytes, size);
	} else if (S_ISREG(st.st_mode)) {
		/* The file that a link leads to, not the link */
		real = realpath(path, NULL);
		good = real && replace_file(real, st.st_mode & 07777, bytes, size);
		free(real);
	} else {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		good = fd >= 0 && write_all(fd, bytes, size);
		if (fd >= 0 && close(fd))
			good = false;
	}
	return good ? STATUS_OK : trouble(t, STATUS_SYSTEM, "%s: cannot be written: %s", path,
					  strerror(errno));
}

/* An earlier page, or nothing at all: anything else was named by mistake */
static bool may_be_page(const char *path)
{
	static const char doctype[] = "<!DOCTYPE html>";
	char head[sizeof(doctype) - 1];
	FILE *file;
	struct stat st;
	size_t n;

	if (stat(path, &st) || !S_ISREG(st.st_mode) || !st.st_size)
		return true;
	file = fopen(path, "re");
	n = file ? fread(head, 1, sizeof(head), file) : 0;
	if (file)
		fclose(file);
	return n == sizeof(head) && !memcmp(head, doctype, n);
}

enum status page_begin(struct page_file *page, const char *path, struct trouble *t)
{
	*page = (struct page_file){ .path = path, .file = stdout };
	if (!strcmp(path, "-"))
		return STATUS_OK;
	if (!may_be_page(path))
		return trouble(t, STATUS_USAGE,
			       "%s: is there, and is no page: name another file to write the page to",
			       path);
	page->file = open_memstream(&page->bytes, &page->size);
	return page->file ? STATUS_OK : trouble(t, STATUS_SYSTEM, "no memory");
}

enum status page_end(struct page_file *page, enum status status, struct trouble *t)
{
	struct trouble other = {};
	enum status written = STATUS_OK;

	if (page->file == stdout)
		return status;
	if (fclose(page->file))
		written = trouble(t, STATUS_SYSTEM, "no memory");
	else if (status < STATUS_USAGE || status == STATUS_DAMAGED)
		written = write_file(page->path, page->bytes, page->size, &other);
	if (other.text[0]) {
		/* It comes before what was wrong with a stream */
		t->text[0] = 0;
		trouble(t, written, "%s", other.text);
	}
	free(page->bytes);
	return written ?: status;
}
