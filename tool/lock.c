// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate lock: keep the schemas of released kernels, and say what breaks them.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/minmax.h>
#include "compare.h"
#include "lockfile.h"

enum mode { NONE, ADD, VERIFY, DROP };

struct args {
	enum mode mode;
	const char *release;
	const char *against;
	bool complete;
	bool github;
	char **names;
	int nr;
};

enum { OPTION_ADD = 0x400, OPTION_VERIFY, OPTION_DROP, OPTION_RELEASE, OPTION_COMPLETE,
       OPTION_AGAINST, OPTION_GITHUB };

static const struct argp_option lock_options[] = {
	{ "add", OPTION_ADD, NULL, 0, "Add what SOURCE describes to FILE", 0 },
	{ "verify", OPTION_VERIFY, NULL, 0, "Tell what SOURCE breaks for releases in FILE", 0 },
	{ "drop", OPTION_DROP, "RELEASE", 0, "Take a release out of FILE", 0 },
	{ "release", OPTION_RELEASE, "RELEASE", 0, "Release to add (default: SOURCE's)", 1 },
	{ "against", OPTION_AGAINST, "REVISION", 0,
	  "Verify with FILE as it is in this revision of git", 1 },
	{ "complete", OPTION_COMPLETE, NULL, 0, "What SOURCE does not have is gone", 1 },
	{ "github", OPTION_GITHUB, NULL, 0, "Print annotations for GitHub Actions", -1 },
	{}
};

static error_t parse_lock(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case OPTION_ADD:
	case OPTION_VERIFY:
	case OPTION_DROP:
		if (a->mode)
			argp_error(state, "takes one of --add, --verify and --drop");
		a->mode = key - OPTION_ADD + ADD;
		if (key == OPTION_DROP)
			a->release = arg;
		return 0;
	case OPTION_RELEASE:
		a->release = arg;
		return 0;
	case OPTION_AGAINST:
		a->against = arg;
		return 0;
	case OPTION_GITHUB:
		a->github = true;
		return 0;
	case OPTION_COMPLETE:
		a->complete = true;
		return 0;
	case ARGP_KEY_ARGS:
		a->names = state->argv + state->next;
		a->nr = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!a->mode)
			argp_error(state, "needs --add, --verify or --drop");
		if (a->against && (a->mode != VERIFY || a->against[0] == '-' || !a->against[0]))
			argp_error(state, "takes --against=REVISION with --verify only");
		if (a->github && (a->mode != VERIFY || options.json))
			argp_error(state, "takes --github with --verify only, and without --json");
		if (a->mode == DROP ? a->nr != 1 : a->nr < 2)
			argp_error(state, a->mode == DROP ? "needs FILE" : "needs FILE and SOURCE");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp lock_argp = {
	.options = lock_options, .parser = parse_lock, .children = source_options,
	.args_doc = "--add FILE SOURCE...\n--verify FILE SOURCE...\n--drop RELEASE FILE",
	.doc = "Keep the schemas of released kernels in a file of text, and tell what breaks them.\vSOURCE is an image, a directory of modules, a catalogue, several of these with commas between, or 'running'.\nExit status: 0 nothing breaks, 3 something does.",
};

/* What breaks */

/**
 * struct breakage - something that breaks
 * @back: state of this kernel can never go back to a release
 * @state: name of the state
 * @type: its C type
 * @path: of the field in the state, or empty
 * @change: see change_of()
 * @text: what kstate check says of it
 * @sentence: what is said of it here, with %RELEASES in it
 * @line: of the lock file, where the state is
 * @with: the releases that it breaks with: true at their numbers
 * @releases: their names
 */
struct breakage {
	bool back;
	char *state;
	char *type;
	char *path;
	u32 change;
	char *text;
	char *sentence;
	u32 line;
	bool *with;
	char *releases;
};

struct breakages {
	const struct lockfile *lock;
	struct breakage *list;
	size_t nr;
};

static void breakage_free(struct breakage *b)
{
	free(b->state);
	free(b->type);
	free(b->path);
	free(b->text);
	free(b->sentence);
	free(b->with);
	free(b->releases);
}

static void breakages_free(struct breakages *all)
{
	for (size_t i = 0; i < all->nr; i++)
		breakage_free(&all->list[i]);
	free(all->list);
}

static void print_sentence(FILE *out, const struct breakage *b)
{
	fprintf(out, "%s: ", b->type[0] ? b->type : b->state);
	if (b->path[0])
		fprintf(out, "field \"%s\" ", b->path);
	else if (b->type[0])
		fprintf(out, "state \"%s\" ", b->state);
	for (const char *p = b->sentence; *p; p++) {
		if (*p == RELEASES)
			fputs(b->releases, out);
		else
			fputc(*p, out);
	}
}

static const char *advice(const struct breakage *b)
{
	return explain_advice(b->back ? VOICE_BACK : VOICE_FORWARD, b->change);
}

/* Finding it */

static bool name_releases(const struct lockfile *lock, struct breakage *b)
{
	const char *between = "";
	size_t size = 0;
	FILE *out;

	free(b->releases);
	b->releases = NULL;
	out = open_memstream(&b->releases, &size);
	if (!out)
		return false;
	for (u32 i = 0; i < lock->nr_releases; i++) {
		char *name = b->with[i] ? printable(lock->releases[i]) : NULL;

		if (name)
			fprintf(out, "%s%s", between, name);
		if (name)
			between = ", ";
		free(name);
	}
	return !fclose(out);
}

static bool says_the_same(const struct breakage *a, const struct breakage *b)
{
	return a->back == b->back && !strcmp(a->state, b->state) && !strcmp(a->type, b->type) &&
	       !strcmp(a->path, b->path) && !strcmp(a->sentence, b->sentence);
}

/* The same may break with several schemas of a state: then it is said once */
static bool join(struct breakages *all, struct breakage *b)
{
	struct breakage *list;

	for (size_t i = 0; i < all->nr; i++) {
		if (!says_the_same(&all->list[i], b))
			continue;
		for (u32 j = 0; j < all->lock->nr_releases; j++)
			all->list[i].with[j] |= b->with[j];
		breakage_free(b);
		return name_releases(all->lock, &all->list[i]);
	}
	list = reallocarray(all->list, all->nr + 1, sizeof(*list));
	if (!list) {
		breakage_free(b);
		return false;
	}
	all->list = list;
	all->list[all->nr++] = *b;
	return name_releases(all->lock, &all->list[all->nr - 1]);
}

static enum status add_breakage(struct breakages *all, const struct lock_part *part,
				const struct difference *d, bool back, struct trouble *t)
{
	const char *name = part->schema.name;
	struct breakage b = {
		.back = back,
		.state = printable(name),
		.type = printable(part->type),
		/* Only what follows the name of the state and a dot */
		.path = strdup(strlen(d->path) > strlen(name) ? d->path + strlen(name) + 1 : ""),
		.change = d->change,
		.line = part->line,
		.text = strdup(d->text),
		.sentence = strdup(d->sentence),
		.with = calloc(all->lock->nr_releases, sizeof(bool)),
	};

	if (!b.state || !b.type || !b.path || !b.text || !b.sentence || !b.with) {
		breakage_free(&b);
		return trouble(t, STATUS_SYSTEM, "no memory");
	}
	for (u32 i = 0; i < all->lock->nr_releases; i++)
		b.with[i] = lock_has(part, all->lock->releases[i]);
	return join(all, &b) ? STATUS_OK : trouble(t, STATUS_SYSTEM, "no memory");
}

/*
 * Going back, values may be refused: that is what the new features are for. What is left
 * out means its default, and names mean their values: both are kept although nothing is
 * refused. So is a name that a release has removed, and drops.
 */
static bool breaks(const struct difference *d, bool back)
{
	switch (d->change) {
	case KSTATE_CHANGE_DEFAULT:
	case KSTATE_CHANGE_FIRST_ARM:
	case KSTATE_CHANGE_NAMES:
	case CHANGE_SOME_NAMES:
		return !back;
	case KSTATE_CHANGE_REMOVED:
		return back;
	default:
		return d->outcome >= (back ? BLOCKED : SOME);
	}
}

static enum status note_breaks(struct breakages *all, const struct lock_part *part,
			       const struct compared *c, bool back, struct trouble *t)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < c->nr && !status; i++)
		if (breaks(&c->differences[i], back))
			status = add_breakage(all, part, &c->differences[i], back, t);
	return status;
}

static enum status verify_part(struct breakages *all, const struct lock_part *part,
			       const struct side *now, bool complete, bool *is_there,
			       struct trouble *t)
{
	struct state_info locked = {
		.schema = &part->schema, .type = part->type, .image = "",
		.flags = KSTATE_STATE_USED | (part->string_key ? KSTATE_STATE_STRING_KEY : 0),
	};
	const struct state_info *readers, *reader;
	struct compared c;
	enum status status;
	size_t nr;

	readers = side_find(now, part->schema.name, &nr);
	*is_there = nr;
	if (!nr && !complete)
		return STATUS_OK;
	status = compare_state(&locked, readers, nr, VOICE_FORWARD, &c, t);
	reader = c.reader;
	status = status ?: note_breaks(all, part, &c, false, t);
	compared_free(&c);
	if (status || !reader)
		return status;
	status = compare_state(reader, &locked, 1, VOICE_BACK, &c, t);
	status = status ?: note_breaks(all, part, &c, true, t);
	compared_free(&c);
	return status;
}

/* Output */

static json_t *json_releases(const struct lockfile *lock, const struct breakage *b)
{
	json_t *list = json_array();

	for (u32 i = 0; i < lock->nr_releases; i++)
		if (b->with[i])
			json_array_append_new(list, json_printable(lock->releases[i]));
	return list;
}

/* Its sentence, for free(), or NULL without memory */
static char *sentence_of(const struct breakage *b)
{
	char *sentence = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&sentence, &size);

	if (!out)
		return NULL;
	print_sentence(out, b);
	return fclose(out) ? NULL : sentence;
}

static void annotate(const struct args *a, const struct breakage *b)
{
	char *sentence = sentence_of(b), *text = NULL;

	if (sentence && asprintf(&text, "%s\n%s", sentence, advice(b)) < 0)
		text = NULL;
	print_annotation("error", a->names[0], b->line, b->back ? "no way back" : "breaks a release",
			 text ?: "");
	free(text);
	free(sentence);
}

static json_t *json_breakage(const struct lockfile *lock, const struct breakage *b)
{
	char *sentence = sentence_of(b);
	json_t *value;

	if (!sentence)
		return NULL;
	value = json_pack("{s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:s}",
			  "direction", b->back ? "back" : "forward",
			  "releases", json_releases(lock, b),
			  "state", b->state, "type", b->type, "field", b->path, "text", b->text,
			  "sentence", sentence, "advice", advice(b));
	free(sentence);
	return value;
}

static enum status print_breakages(const struct args *a, const struct breakages *all,
				   size_t checked, size_t absent, struct trouble *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < all->nr; i++) {
		if (options.json) {
			json_array_append_new(list, json_breakage(all->lock, &all->list[i]));
			continue;
		}
		if (a->github) {
			annotate(a, &all->list[i]);
			continue;
		}
		fputs(colour(RED), stdout);
		print_sentence(stdout, &all->list[i]);
		printf("%s\n  %s\n", colour(PLAIN), advice(&all->list[i]));
	}
	if (options.json)
		return print_json(json_pack("{s:o,s:I,s:I,s:o}", "lock", json_printable(a->names[0]),
					    "checked", (json_int_t)checked,
					    "absent", (json_int_t)absent, "breaks", list), t);
	json_decref(list);
	printf("%zu locked schema%s checked, %zu not in what was given: %zu break%s\n", checked,
	       checked == 1 ? "" : "s", absent, all->nr, all->nr == 1 ? "" : "s");
	return STATUS_OK;
}

/* The modes */

static enum status verify(const struct args *a, const struct lockfile *lock,
			  const struct side *now, struct trouble *t)
{
	struct breakages all = { .lock = lock };
	size_t checked = 0, absent = 0;
	const struct lock_part *part;
	enum status status = STATUS_OK;
	bool is_there;

	for (part = lock->parts; part && !status; part = part->next) {
		if (!part->state)
			continue;
		status = verify_part(&all, part, now, a->complete, &is_there, t);
		checked += is_there;
		absent += !is_there;
	}
	status = status ?: print_breakages(a, &all, checked, absent, t);
	if (!status && all.nr)
		status = STATUS_BLOCKED;
	breakages_free(&all);
	return status;
}

static enum status add(const struct args *a, struct lockfile *lock, const struct side *now,
		       struct trouble *t)
{
	enum status status = STATUS_OK;
	char *release;

	for (size_t i = 0; i < now->nr && !status; i++)
		status = lock_add(lock, &now->states[i], a->release, t);
	status = status ?: lock_write(lock, t);
	if (!status && options.json)
		return print_json(json_pack("{s:o,s:o,s:I}", "lock", json_printable(a->names[0]),
					    "release", json_printable(a->release),
					    "states", (json_int_t)now->nr), t);
	release = printable(a->release);
	if (!status)
		printf("%s: %zu state%s of %s\n", a->names[0], now->nr, now->nr == 1 ? "" : "s",
		       release ?: "");
	free(release);
	return status;
}

static enum status drop(const struct args *a, struct lockfile *lock, struct trouble *t)
{
	enum status status = lock_drop(lock, a->release, t);

	status = status ?: lock_write(lock, t);
	if (!status && options.json)
		return print_json(json_pack("{s:o,s:o}", "lock", json_printable(a->names[0]),
					    "dropped", json_printable(a->release)), t);
	return status;
}

/* All sources together are one kernel */
static enum status with_sources(struct args *a, struct lockfile *lock, struct trouble *t)
{
	char *names = source_join(a->names + 1, a->nr - 1);
	struct source s = {};
	struct side now = {};
	enum status status;

	status = names ? source_open(&s, names, t) : trouble(t, STATUS_SYSTEM, "no memory");
	if (!status && s.stream)
		status = trouble(t, STATUS_USAGE,
				 "%s is a stream: give the image or catalogue of its kernel", names);
	status = status ?: side_init(&now, s.set, t);
	if (!status && !a->release)
		a->release = s.set->writer;
	if (!status)
		status = a->mode == ADD ? add(a, lock, &now, t) : verify(a, lock, &now, t);
	side_free(&now);
	source_close(&s);
	free(names);
	return status;
}

/*
 * Commands that change a lock file take turns, from reading to writing it. The lock is on
 * the directory, since the file is replaced.
 */
static int take_turn(const char *name, struct trouble *t)
{
	char *copy = strdup(name);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0 && flock(fd, LOCK_EX)) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		trouble(t, STATUS_INPUT, "%s: cannot lock its directory: %s", name,
			strerror(errno));
	free(copy);
	return fd;
}

/* What git has of a file in a revision: its text, or NULL */
static char *text_of_revision(const char *name, const char *revision, size_t *size)
{
	char *copy = strdup(name), *base = strdup(name), *object = NULL, *all = NULL, *text = NULL;
	posix_spawn_file_actions_t actions;
	int ends[2], exit_status = -1;
	char buf[4096];
	ssize_t n = -1;
	FILE *out;
	pid_t pid;

	if (!copy || !base || asprintf(&object, "%s:./%s", revision, basename(base)) < 0 ||
	    pipe2(ends, O_CLOEXEC))
		goto out;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	exit_status = posix_spawnp(&pid, "git", &actions, NULL,
				   (char *[]){ "git", "-C", dirname(copy), "show", object, NULL },
				   environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	out = open_memstream(&all, size);
	while (!exit_status && out && (n = read(ends[0], buf, sizeof(buf))) > 0)
		fwrite(buf, 1, n, out);
	close(ends[0]);
	if (!exit_status)
		waitpid(pid, &exit_status, 0);
	if (out && !fclose(out) && !exit_status && !n)
		text = all;
out:
	if (!text)
		free(all);
	free(object);
	free(base);
	free(copy);
	return text;
}

/* @name and @text are for lock_free() and free() after that */
static enum status read_revision(struct lockfile *lock, const struct args *a, char **name,
				 char **text, struct trouble *t)
{
	size_t size = 0;

	*lock = (struct lockfile){};
	if (asprintf(name, "%s:%s", a->against, a->names[0]) < 0) {
		*name = NULL;
		return trouble(t, STATUS_SYSTEM, "no memory");
	}
	*text = text_of_revision(a->names[0], a->against, &size);
	if (!*text)
		return trouble(t, STATUS_INPUT,
			       "%s: git does not have it: see what git -C DIRECTORY show %s:./FILE says",
			       *name, a->against);
	return lock_parse(lock, *name, *text, size, t);
}

enum status command_lock(int argc, char **argv, struct trouble *t)
{
	char *name = NULL, *text = NULL;
	struct lockfile lock;
	enum status status;
	struct args a = {};
	int turn = -1;

	if (argp_parse(&lock_argp, argc, argv, 0, NULL, &a))
		return STATUS_USAGE;
	if (a.mode != VERIFY) {
		turn = take_turn(a.names[0], t);
		if (turn < 0)
			return t->status;
	}
	status = a.against ? read_revision(&lock, &a, &name, &text, t) :
			     lock_read(&lock, a.names[0], a.mode == ADD, t);
	if (!status)
		status = a.mode == DROP ? drop(&a, &lock, t) : with_sources(&a, &lock, t);
	lock_free(&lock);
	free(name);
	free(text);
	if (turn >= 0)
		close(turn);
	return status;
}
