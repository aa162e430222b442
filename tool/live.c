// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate check --live: the running kernel's state against the kernel that is to be
 * jumped to. The kernel itself does the checking.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/crc32c.h>
#include <linux/slab.h>
#include "findings.h"
#include "live.h"

/* The directory */

enum status sysfs_begin(const char *dir, struct trouble *t)
{
	struct stat st;

	if (stat(dir, &st))
		return trouble(t, STATUS_KERNEL,
			       "%s: %s: the running kernel lacks CONFIG_KSTATE, was started without kho=on, has KSTATE as a module that is not loaded (modprobe kstate), or /sys is not mounted",
			       dir, strerror(errno));
	return STATUS_OK;
}

/* Without kexec handover, there is a file in which that is done */
bool sysfs_rehearses(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/jump", dir);
	return !access(path, F_OK);
}

static enum status failed(const char *dir, const char *name, const char *what, struct trouble *t)
{
	const char *why = strerror(errno);

	if (errno == EACCES || errno == EPERM)
		return trouble(t, STATUS_INPUT, "%s/%s: cannot %s: %s: be root", dir, name, what,
			       why);
	if (errno == ENOENT)
		return trouble(t, STATUS_KERNEL,
			       "%s/%s: there is no such file: the running kernel's KSTATE is older than this command, or going away",
			       dir, name);
	return trouble(t, STATUS_KERNEL, "%s/%s: cannot %s: %s", dir, name, what, why);
}

static int sysfs_open(const char *dir, const char *name, int flags, struct trouble *t)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		failed(dir, name, "open it", t);
	return fd;
}

static FILE *sysfs_stream(const char *dir, const char *name, struct trouble *t)
{
	int fd = sysfs_open(dir, name, O_RDONLY, t);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !file) {
		close(fd);
		trouble(t, STATUS_SYSTEM, "no memory");
	}
	return file;
}

/* All of a file, or NULL and errno */
static char *read_all(FILE *file)
{
	char *text = NULL;
	size_t room = 0;

	errno = 0;
	/* There is no NUL in these files */
	if (getdelim(&text, &room, 0, file) >= 0 && !ferror(file))
		return text;
	free(text);
	return ferror(file) || errno ? NULL : strdup("");
}

/* How often to begin anew because somebody else reads the same file */
#define ATTEMPTS	50

char *sysfs_read(const char *dir, const char *name, struct trouble *t)
{
	int attempts = ATTEMPTS, code;
	char *text;
	FILE *file;

	do {
		file = sysfs_stream(dir, name, t);
		if (!file)
			return NULL;
		text = read_all(file);
		code = errno;
		fclose(file);
	} while (!text && code == EAGAIN && --attempts);
	errno = code;
	if (!text)
		failed(dir, name, "read it", t);
	errno = code;
	return text;
}

json_t *sysfs_json(const char *dir, const char *name, struct trouble *t)
{
	char *text = sysfs_read(dir, name, t);
	json_t *value = NULL;

	if (text && !*text)
		value = json_null();
	else if (text)
		value = json_loads(text, 0, NULL);
	if (text && !value)
		trouble(t, STATUS_KERNEL, "%s/%s: is not JSON", dir, name);
	free(text);
	return value;
}

/* What the kernel says of its file @about, if that was refused last; for json_decref() */
json_t *sysfs_error(const char *dir, const char *about)
{
	struct trouble none = {};
	json_t *gate = sysfs_json(dir, "gate", &none);
	json_t *err = json_incref(json_object_get(gate, "error"));
	const char *path = json_string_value(json_object_get(err, "path"));

	json_decref(gate);
	if (path && !strncmp(path, about, strlen(about)))
		return err;
	json_decref(err);
	return NULL;
}

/* Small files are written at once, as the kernel takes them */
enum status sysfs_write(const char *dir, const char *name, const char *text, struct trouble *t)
{
	int fd = sysfs_open(dir, name, O_WRONLY | O_TRUNC, t);
	size_t len = strlen(text);
	enum status status = STATUS_OK;

	if (fd < 0)
		return t->status;
	if (write(fd, text, len) != (ssize_t)len)
		status = failed(dir, name, "write it", t);
	close(fd);
	return status;
}

/* Commands that change the target take turns; the lock goes with the file */
int sysfs_lock(const char *dir, struct trouble *t)
{
	int fd = sysfs_open(dir, "target", O_WRONLY, t);

	if (fd >= 0 && flock(fd, LOCK_EX)) {
		failed(dir, "target", "lock it", t);
		close(fd);
		return -1;
	}
	return fd;
}

/* Target */

static bool read_machine(struct kstate_set *set, const char *words)
{
	return sscanf(words, KSTATE_MACHINE, &set->arch, &set->page_size) == 2;
}

static enum status refused_target(const struct live *live, const char *source, struct trouble *t)
{
	int code = errno;
	json_t *err = sysfs_error(live->sysfs, "target");
	struct kstate_set here, there;
	enum status status;

	if (code == EFBIG)
		status = trouble(t, STATUS_KERNEL,
				 "%s: has a larger catalogue than the kernel takes: name only the modules that will be loaded",
				 source);
	else if (read_machine(&here, json_member(err, "expected")) &&
		 read_machine(&there, json_member(err, "found")))
		status = source_same_machine("the running kernel", &here, source, &there, t);
	else if (err)
		status = trouble(t, code == EPROTONOSUPPORT ? STATUS_ARCH : STATUS_KERNEL,
				 "%s: the running kernel refuses it as the target: expected %s, found %s",
				 source, json_member(err, "expected"), json_member(err, "found"));
	else
		status = trouble(t, STATUS_KERNEL,
				 "%s: the running kernel refuses it as the target: %s", source,
				 strerror(code));
	json_decref(err);
	return status;
}

static enum status write_target(const struct live *live, const struct source *s, int fd,
				struct trouble *t)
{
	enum status status = STATUS_OK;
	size_t size, done = 0;
	void *blob;
	ssize_t n;

	if (kstate_set_export(s->set, &blob, &size))
		return trouble(t, STATUS_SYSTEM, "no memory");
	/* Sysfs knows no size; a file that a test made does */
	if (ftruncate(fd, 0))
		errno = 0;
	while (!status && done < size) {
		n = pwrite(fd, blob + done, size - done, done);
		if (n > 0)
			done += n;
		else if (errno != EINTR)
			status = refused_target(live, s->name, t);
	}
	kvfree(blob);
	return status;
}

/* What kexec can load: by the magic numbers of x86, of arm64 and of EFI zboot */
static bool is_bootable(const u8 *head, size_t size)
{
	return size >= 0x206 && (!memcmp(head + 0x202, "HdrS", 4) ||
				 !memcmp(head + 0x38, "ARM\x64", 4) || !memcmp(head + 4, "zimg", 4));
}

char *bootable_image(const struct live *live)
{
	char *names = source_join(live->names, live->nr), *rest = names, *name, *found = NULL;
	u8 head[0x240];

	while (!found && (name = strsep(&rest, ","))) {
		FILE *file = fopen(name, "re");

		if (file && is_bootable(head, fread(head, 1, sizeof(head), file)))
			found = strdup(name);
		if (file)
			fclose(file);
	}
	free(names);
	return found;
}

/* CRC-32C; false if it cannot be read */
static bool file_checksum(const char *path, u32 *checksum)
{
	FILE *file = fopen(path, "re");
	u8 data[65536];
	bool whole;
	size_t n;

	if (!file)
		return false;
	*checksum = ~0;
	while ((n = fread(data, 1, sizeof(data), file)))
		*checksum = crc32c(*checksum, data, n);
	*checksum = ~*checksum;
	whole = !ferror(file);
	fclose(file);
	return whole;
}

/* Without it, the kernel goes by the release; so do kernels that do not know the file */
static enum status write_image(const struct live *live, struct trouble *t)
{
	char *path = bootable_image(live);
	struct trouble no = {};
	char text[16];
	u32 checksum;
	bool known = path && file_checksum(path, &checksum);

	free(path);
	if (!known)
		return STATUS_OK;
	snprintf(text, sizeof(text), "%#x\n", checksum);
	if (sysfs_write(live->sysfs, "image", text, &no) && errno != ENOENT)
		return trouble(t, no.status, "%s", no.text);
	return STATUS_OK;
}

/* Hand over what the images of the target describe */
enum status set_target(const struct live *live, int fd, struct trouble *t)
{
	char *names = source_join(live->names, live->nr);
	struct source s = {};
	enum status status;

	if (!names)
		return trouble(t, STATUS_SYSTEM, "no memory");
	status = source_open(&s, names, t);
	if (!status && s.stream)
		status = trouble(t, STATUS_USAGE,
				 "%s: is a stream: the target is a kernel image with its modules, or a catalogue",
				 names);
	if (!status && list_empty(&s.set->states))
		status = trouble(t, STATUS_NO_CATALOG,
				 "%s: describes no state at all: name its modules, too", names);
	status = status ?: write_target(live, &s, fd, t) ?: write_image(live, t);
	source_close(&s);
	free(names);
	return status;
}

/* What the kernel found */

static enum outcome outcome_named(const json_t *line)
{
	const char *verdict = json_member(line, "verdict");

	for (enum outcome o = EXACT; o < OUTCOMES; o++) {
		if (strcmp(verdict, outcome_names[o]))
			continue;
		/* Not a part of it is lost, but the target knows nothing of it */
		return o == LOSSY && json_object_get(line, "error") ? ASIDE : o;
	}
	return OUTCOMES;
}

static void take_finding(struct answer *a, json_t *line, enum outcome outcome)
{
	bool allowed = json_is_true(json_object_get(line, "allowed"));

	a->counts[outcome]++;
	a->worst = max(a->worst, allowed ? LOSSY : outcome);
	if (options.json) {
		json_object_set_new(line, "verdict", json_string(outcome_names[outcome]));
		fputs(a->shown ? ",\n    " : "\n    ", stdout);
		json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	} else if (outcome >= ASIDE || a->all) {
		findings_add(&a->findings, line, outcome, allowed);
	} else {
		return;
	}
	a->shown++;
}

static enum status take_line(struct answer *a, const char *text, struct trouble *t)
{
	json_t *line = json_loads(text, 0, NULL);
	enum status status = STATUS_OK;
	enum outcome outcome;

	if (json_object_get(line, "save_ns")) {
		a->counts[EXACT] = json_integer_value(json_object_get(line, "exact"));
		a->allowed = json_integer_value(json_object_get(line, "allowed"));
		a->ns = json_integer_value(json_object_get(line, "ns"));
		a->save_ns = json_integer_value(json_object_get(line, "save_ns"));
	} else {
		outcome = outcome_named(line);
		if (outcome < OUTCOMES)
			take_finding(a, line, outcome);
		else
			status = trouble(t, STATUS_KERNEL,
					 "the running kernel answers what this command does not know: use the one that belongs to it");
	}
	json_decref(line);
	return status;
}

static enum status ask(const struct live *live, struct answer *a, struct trouble *t)
{
	struct trouble no = {};
	char *text = sysfs_read(live->sysfs, "check", &no), *rest = text, *line;
	enum status status = STATUS_OK;
	size_t nr = 0;

	if (!text && errno == ENODATA)
		return trouble(t, STATUS_USAGE,
			       "the running kernel has not been told of a target: name the image of the next kernel");
	if (!text)
		return trouble(t, no.status, "%s", no.text);
	while (!status && (line = strsep(&rest, "\n")) && *line) {
		progress("objects", nr++, 0);
		status = take_line(a, line, t);
	}
	if (!status && !nr)
		status = trouble(t, STATUS_KERNEL, "%s/check: is empty", live->sysfs);
	progress_end();
	free(text);
	return status;
}

static enum status begin_answer(const struct live *live, struct answer *a, struct trouble *t)
{
	json_t *gate = sysfs_json(live->sysfs, "gate", t);
	char *target;

	if (!gate)
		return t->status;
	a->all = live->all;
	a->printed = true;
	if (options.json) {
		fputs("{\n  \"target\": ", stdout);
		json_dumpf(json_object_get(gate, "target"), stdout, JSON_ENCODE_ANY);
		fputs(",\n  \"objects\": [", stdout);
	} else {
		target = printable(json_member(gate, "target"));
		printf("%slive state, for %s%s\n", colour(BOLD), target ?: "", colour(PLAIN));
		free(target);
	}
	json_decref(gate);
	return STATUS_OK;
}

char *error_text(const json_t *err)
{
	char *path = printable(json_member(err, "path")), *expected = printable(json_member(err, "expected"));
	char *found = printable(json_member(err, "found")), *text = NULL;

	if (asprintf(&text, "%s: %s (%lld): expected %s, found %s", path ?: "",
		     json_member(err, "reason"),
		     json_number(err, "code"),
		     expected ?: "", found ?: "") < 0)
		text = NULL;
	free(path);
	free(expected);
	free(found);
	return text;
}

void print_duration(uint64_t ns)
{
	printf(ns < 10000000 ? "%.3f ms" : "%.0f ms", ns / 1e6);
}

static void print_counts(const struct answer *a)
{
	json_int_t nr = 0;

	for (int i = 0; i < OUTCOMES; i++)
		nr += a->counts[i];
	printf("  %lld object%s", (long long)nr, nr == 1 ? "" : "s");
	for (int i = OUTCOMES - 1; i >= 0; i--)
		if (a->counts[i])
			printf(", %s%lld %s%s", colour(outcome_colour(i)), (long long)a->counts[i],
			       outcome_names[i], colour(PLAIN));
	if (a->allowed)
		printf(" (%lld may be lost)", (long long)a->allowed);
	fputs("; checked in ", stdout);
	print_duration(a->ns);
	fputs(", saving was ", stdout);
	print_duration(a->save_ns);
	fputs(" of it\n", stdout);
}

static void print_counts_json(const struct answer *a)
{
	fputs(a->shown ? "\n  ],\n  \"summary\": {" : "],\n  \"summary\": {", stdout);
	for (int i = 0; i < OUTCOMES; i++)
		printf("%s\"%s\": %lld", i ? ", " : "", outcome_names[i], (long long)a->counts[i]);
	printf("},\n  \"allowed\": %lld,\n  \"ns\": %lld,\n  \"save_ns\": %lld,\n",
	       (long long)a->allowed, (long long)a->ns, (long long)a->save_ns);
	printf("  \"worst\": \"%s\"", outcome_names[a->worst]);
}

enum status print_answer(const struct live *live, struct answer *a, struct trouble *t)
{
	enum status status = begin_answer(live, a, t);

	if (status)
		return status;
	status = ask(live, a, t);
	findings_print(&a->findings);
	findings_free(&a->findings);
	/* Also after trouble, so that what was printed is whole */
	if (options.json)
		print_counts_json(a);
	else if (!status)
		print_counts(a);
	return status;
}

/* Whoever armed the gate relies on its target */
static enum status leave_armed(const struct live *live, struct trouble *t)
{
	json_t *gate = sysfs_json(live->sysfs, "gate", t);
	enum status status = STATUS_OK;

	if (!gate)
		return t->status;
	if (strcmp(json_member(gate, "armed"), "off"))
		status = trouble(t, STATUS_USAGE,
				 "the gate is armed for %s, and would wait for another kernel: leave the image away to check for that one, or kstate disarm",
				 json_member(gate, "target"));
	json_decref(gate);
	return status;
}

enum status check_live(const struct live *live, struct trouble *t)
{
	enum status status = sysfs_begin(live->sysfs, t);
	struct answer a = {};
	int lock;

	if (status)
		return status;
	lock = sysfs_lock(live->sysfs, t);
	if (lock < 0)
		return t->status;
	if (live->nr)
		status = leave_armed(live, t) ?: set_target(live, lock, t);
	if (!status) {
		status = print_answer(live, &a, t);
		if (options.json)
			puts("\n}");
	}
	close(lock);
	return status ?: outcome_status(a.worst);
}

/* Options */

enum { OPTION_SYSFS = 0x400 };

static const struct argp_option sysfs_option[] = {
	{ "sysfs", OPTION_SYSFS, "DIR", OPTION_HIDDEN, NULL, 0 },
	{}
};

static error_t parse_sysfs(int key, char *arg, struct argp_state *state)
{
	struct live *live = state->input;

	if (key == ARGP_KEY_INIT && !live->sysfs)
		live->sysfs = kernel_directory();
	if (key != OPTION_SYSFS)
		return ARGP_ERR_UNKNOWN;
	live->sysfs = arg;
	return 0;
}

static const struct argp sysfs_argp = {
	.options = sysfs_option, .parser = parse_sysfs, .children = common_options,
};

static const struct argp target_argp = {
	.options = sysfs_option, .parser = parse_sysfs, .children = source_options,
};

const struct argp_child sysfs_options[] = { { &sysfs_argp, 0, NULL, 0 }, {} };
const struct argp_child target_options[] = { { &target_argp, 0, NULL, 0 }, {} };
