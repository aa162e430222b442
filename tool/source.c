// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an argument names: one kernel with its modules, or the streams of a jump.
 */
#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/array_size.h>
#include <linux/err.h>
#include <linux/slab.h>
#include "image.h"
#include "source.h"
#include "text.h"

/* The files that one argument names, in order */
struct files {
	char **paths;
	size_t nr;
};

static enum status add_file(struct files *files, const char *path, struct trouble *t)
{
	char **more = realloc(files->paths, (files->nr + 1) * sizeof(*more));

	if (more) {
		files->paths = more;
		more[files->nr] = strdup(path);
	}
	if (!more || !more[files->nr++])
		return trouble(t, STATUS_SYSTEM, "no memory");
	return STATUS_OK;
}

static void free_files(struct files *files)
{
	for (size_t i = 0; i < files->nr; i++)
		free(files->paths[i]);
	free(files->paths);
}

/* States */

bool source_state(const struct kstate_set *set, const struct kstate_state *state,
		  struct state_info *d)
{
	const struct kstate_wire_state *wire = (void *)state->bytes;
	u64 strings = le32_to_cpu(wire->strings), members = le32_to_cpu(wire->nr_members), i;
	const char *text;

	if (state->size < sizeof(*wire) + members * sizeof(*d->members) + strings || !strings ||
	    state->schema >= set->nr_known || !kstate_known(set, state->schema)->schema)
		return false;
	d->schema = kstate_known(set, state->schema)->schema;
	d->flags = le32_to_cpu(wire->flags);
	d->members = (void *)(wire + 1);
	d->nr_members = members;
	text = (char *)(d->members + members);
	d->strings = text;
	if (text[strings - 1] || le32_to_cpu(wire->image) >= strings ||
	    le32_to_cpu(wire->type) >= strings)
		return false;
	d->image = text + le32_to_cpu(wire->image);
	d->type = text + le32_to_cpu(wire->type);
	for (i = 0; i < members; i++) {
		u32 field = le32_to_cpu(d->members[i].field);

		if (le32_to_cpu(d->members[i].name) >= strings ||
		    le32_to_cpu(d->members[i].reason) >= strings ||
		    (field != KSTATE_NO_REF && field >= d->schema->nr_fields))
			return false;
	}
	return true;
}

const char *source_arch(u32 machine, char *buf, size_t size)
{
	const char *name = arch_name(machine);

	if (name)
		return name;
	snprintf(buf, size, "ELF machine %u", machine);
	return buf;
}

enum status source_same_machine(const char *a, const struct kstate_set *x, const char *b,
				const struct kstate_set *y, struct trouble *t)
{
	char one[32], other[32];

	if (x->arch != y->arch)
		return trouble(t, STATUS_ARCH,
			       "%s is for %s and %s for %s: state stays on its architecture", a,
			       source_arch(x->arch, one, sizeof(one)), b,
			       source_arch(y->arch, other, sizeof(other)));
	if (x->page_size != y->page_size)
		return trouble(t, STATUS_ARCH,
			       "%s has pages of %u bytes and %s of %u: memory is handed over in pages, which must be of one size",
			       a, x->page_size, b, y->page_size);
	return STATUS_OK;
}

/* Sides */

static int by_name_and_image(const void *a, const void *b)
{
	const struct state_info *x = a, *y = b;
	int order = strcmp(x->schema->name, y->schema->name);

	/* The schemas decide where names do not, so that output does not change */
	return order ?: strcmp(x->image, y->image) ?:
	       (x->schema->hash > y->schema->hash) - (x->schema->hash < y->schema->hash);
}

enum status side_init(struct side *side, const struct kstate_set *set, struct trouble *t)
{
	const struct kstate_state *state;
	size_t nr = 0;

	list_for_each_entry(state, &set->states, list)
		nr++;
	*side = (struct side){ .states = calloc(nr ?: 1, sizeof(*side->states)) };
	if (!side->states)
		return trouble(t, STATUS_SYSTEM, "no memory");
	list_for_each_entry(state, &set->states, list)
		if (source_state(set, state, &side->states[side->nr]) &&
		    side->states[side->nr].flags & KSTATE_STATE_USED)
			side->nr++;
	qsort(side->states, side->nr, sizeof(*side->states), by_name_and_image);
	return STATUS_OK;
}

void side_free(struct side *side)
{
	free(side->states);
	*side = (struct side){};
}

const struct state_info *side_find(const struct side *side, const char *name, size_t *nr)
{
	size_t low = 0, high = side->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(side->states[middle].schema->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*nr = 0; low + *nr < side->nr; ++*nr)
		if (strcmp(side->states[low + *nr].schema->name, name))
			break;
	return &side->states[low];
}

/* Sets */

/* What the core refused, in the words of an exit status */
static enum status refused(const char *path, const struct kstate_error *err, struct trouble *t)
{
	enum status status = STATUS_DAMAGED;
	char text[512];

	if (err->reason == KSTATE_NO_MEMORY)
		status = STATUS_SYSTEM;
	else if (err->reason == KSTATE_FOREIGN)
		status = STATUS_FOREIGN;
	kstate_error_text(err, text, sizeof(text));
	return trouble(t, status, "%s: %s", path, text);
}

static enum status check_catalogue(const struct kstate_set *set, const char *path,
				   struct trouble *t)
{
	const struct kstate_state *state;
	struct state_info d;

	if (set->damage.code)
		return refused(path, &set->damage, t);
	list_for_each_entry(state, &set->states, list)
		if (!source_state(set, state, &d))
			return trouble(t, STATUS_DAMAGED,
				       "%s: the record of a state with schema %u makes no sense: get the file again",
				       path, state->schema);
	return STATUS_OK;
}

/* A kernel does not load modules of another, as a rule, so this is a mistake, as a rule */
static enum status check_release(const struct source *s, const struct kstate_set *set,
				 const char *path, struct trouble *t)
{
	if (options.mixed || !strcmp(s->set->writer, set->writer))
		return STATUS_OK;
	return trouble(t, STATUS_MIXED,
		       "%s: of release %s, what is named with it of %s: name one kernel, or take it as it is with --mixed",
		       path, set->writer, s->set->writer);
}

/* Catalogues become one, so that modules count with their kernel */
static enum status merge(struct source *s, struct kstate_set *set, const char *path,
			 struct trouble *t)
{
	struct kstate_error err = {};

	if (!s->set) {
		s->set = kstate_memory_create();
		if (!s->set)
			return trouble(t, STATUS_SYSTEM, "no memory");
		s->set->limits = true;
		strscpy(s->set->writer, set->writer, sizeof(s->set->writer));
		s->set->arch = set->arch;
		s->set->page_size = set->page_size;
	}
	if (source_same_machine(path, set, "what is named with it", s->set, t))
		return STATUS_ARCH;
	if (check_release(s, set, path, t))
		return STATUS_MIXED;
	if (kstate_set_merge(s->set, set, &err))
		return refused(path, &err, t);
	return STATUS_OK;
}

/* Two descriptions of one state that differ: which of them is going to be registered? */
static enum status check_twice(const struct source *s, struct trouble *t)
{
	const struct state_info *x;
	struct side side = {};
	enum status status = side_init(&side, s->set, t);

	for (size_t i = 1; i < side.nr && !status; i++) {
		x = &side.states[i - 1];
		if (!strcmp(x->schema->name, x[1].schema->name) &&
		    !kstate_schema_equal(x->schema, x[1].schema))
			status = trouble(t, STATUS_TWICE,
					 "%s: state \"%s\" is described by %s and, in another way, by %s: name what is loaded together, or let the one that fits best count with --mixed",
					 s->name, x->schema->name, x->image, x[1].image);
	}
	side_free(&side);
	return status;
}

static enum status add_set(struct source *s, struct kstate_set *set, bool alone,
			   const struct image *image, struct trouble *t)
{
	enum status status;

	if (!list_empty(&set->streams)) {
		if (!alone) {
			kstate_set_destroy(set);
			return trouble(t, STATUS_USAGE,
				       "%s: is a stream: name it alone, not with others or in a directory",
				       image->path);
		}
		s->set = set;
		s->stream = true;
		return STATUS_OK;
	}
	status = check_catalogue(set, image->path, t);
	if (!status && s->each)
		status = s->each(image, set, s->arg, t);
	status = status ?: merge(s, set, image->path, t);
	kstate_set_destroy(set);
	return status;
}

static enum status add_image(struct source *s, const struct image *image, bool alone,
			     struct trouble *t)
{
	struct kstate_error err = {};
	struct kstate_set *set;
	struct trouble no = {};
	enum status status;
	const void *bytes;
	size_t size;

	status = image_catalog(image, &bytes, &size, &no);
	if (status == STATUS_NO_CATALOG && image->module && image_registers(image))
		return trouble(t, status,
			       "%s: has state, but no catalogue: build it with CONFIG_KSTATE_CATALOG",
			       image->path);
	if (status == STATUS_NO_CATALOG && !alone &&
	    (image->module || image_lacks_kstate(image))) {
		/* Most modules describe nothing; nor does a kernel for which KSTATE is a module */
		s->silent++;
		if (!image->module)
			image_release(image, s->release, sizeof(s->release));
		return STATUS_OK;
	}
	if (status)
		return trouble(t, status, "%s", no.text);
	set = kstate_memory_open(bytes, size, &err);
	if (IS_ERR(set))
		return refused(image->path, &err, t);
	s->images++;
	return add_set(s, set, alone, image, t);
}

/* Directories */

/* What builds and distributions call kernels: ELF files first, which need no unpacking */
static const char *const kernels[] = {
	"vmlinux", "vmlinux-[0-9]*", "vmlinux.xz", "vmlinux.zst", "vmlinux.gz",
	"bzImage", "vmlinuz", "vmlinuz-*", "vmlinuz.efi", "Image", "Image-*", "Image.*z*",
};

#define ELF_KERNELS	5

static const char *const modules[] = { "*.ko", "*.ko.xz", "*.ko.zst", "*.ko.gz" };

static size_t match(const char *name, const char *const *patterns, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!fnmatch(patterns[i], name, 0))
			break;
	return i;
}

/* The best kernel so far, of the least rank, and another as good as it */
struct kernel {
	char *path;
	char *rival;
	size_t rank;
};

static enum status consider(struct kernel *kernel, const char *path, size_t rank,
			    struct trouble *t)
{
	char *copy;

	if (kernel->path && kernel->rank < rank)
		return STATUS_OK;
	copy = strdup(path);
	if (!copy)
		return trouble(t, STATUS_SYSTEM, "no memory");
	if (kernel->path && kernel->rank == rank) {
		free(kernel->rival);
		kernel->rival = copy;
		return STATUS_OK;
	}
	free(kernel->path);
	free(kernel->rival);
	*kernel = (struct kernel){ .path = copy, .rank = rank };
	return STATUS_OK;
}

static enum status visit(const FTSENT *entry, struct kernel *kernel, struct files *found,
			 struct trouble *t)
{
	size_t which;
	struct stat st;

	if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
		return trouble(t, STATUS_INPUT, "%s: %s", entry->fts_path,
			       strerror(entry->fts_errno));
	if (entry->fts_info != FTS_F && entry->fts_info != FTS_SL)
		return STATUS_OK;
	if (entry->fts_info == FTS_F &&
	    match(entry->fts_name, modules, ARRAY_SIZE(modules)) < ARRAY_SIZE(modules))
		return add_file(found, entry->fts_path, t);
	which = match(entry->fts_name, kernels, ARRAY_SIZE(kernels));
	if (which == ARRAY_SIZE(kernels) || stat(entry->fts_accpath, &st) || !S_ISREG(st.st_mode))
		return STATUS_OK;
	/* Builds have a decompressor further down that is called vmlinux, too */
	return consider(kernel, entry->fts_path,
			(which < ELF_KERNELS ? 0 : PATH_MAX) + entry->fts_level, t);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The kernel first, so that the source has its release */
static enum status take_found(const char *path, const struct kernel *kernel, struct files *found,
			      struct files *files, struct trouble *t)
{
	enum status status = STATUS_OK;
	size_t i;

	if (kernel->rival)
		return trouble(t, STATUS_USAGE,
			       "%s: has several kernels, such as %s and %s: name one", path,
			       kernel->path, kernel->rival);
	if (!kernel->path && !found->nr)
		return trouble(t, STATUS_FOREIGN, "%s: has no kernel image and no modules in it",
			       path);
	if (kernel->path)
		status = add_file(files, kernel->path, t);
	qsort(found->paths, found->nr, sizeof(*found->paths), compare_paths);
	for (i = 0; !status && i < found->nr; i++)
		status = add_file(files, found->paths[i], t);
	return status;
}

static enum status add_directory(const char *path, struct files *files, struct trouble *t)
{
	char *const roots[] = { (char *)path, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	enum status status = STATUS_OK;
	struct kernel kernel = {};
	struct files found = {};
	FTSENT *entry;

	if (!fts)
		return trouble(t, STATUS_INPUT, "%s: %s", path, strerror(errno));
	while (!status && (entry = fts_read(fts))) {
		progress("look for images", found.nr, 0);
		status = visit(entry, &kernel, &found, t);
	}
	status = status ?: take_found(path, &kernel, &found, files, t);
	fts_close(fts);
	free(kernel.path);
	free(kernel.rival);
	free_files(&found);
	return status;
}

/* Arguments */

static enum status add_part(const char *part, struct files *files, struct trouble *t)
{
	struct stat st;

	if (running_path(part))
		return add_file(files, running_path(part), t);
	if (!*part)
		return trouble(t, STATUS_USAGE,
			       "nothing between two commas: name files or directories");
	if (!stat(part, &st) && S_ISDIR(st.st_mode))
		return add_directory(part, files, t);
	return add_file(files, part, t);
}

static enum status list_files(const char *arg, struct files *files, struct trouble *t)
{
	char *copy = strdup(arg), *rest = copy, *part;
	enum status status = copy ? STATUS_OK : trouble(t, STATUS_SYSTEM, "no memory");

	while (!status && (part = strsep(&rest, ",")))
		status = add_part(part, files, t);
	free(copy);
	return status;
}

static enum status open_file(struct source *s, const char *path, bool alone, struct trouble *t)
{
	struct image image;
	enum status status;

	if (kernel_file(path) && access(path, F_OK))
		return trouble(t, STATUS_KERNEL,
			       "the running kernel has no %s (%s): it was built without %s, KSTATE is a module that is not loaded, or /sys is not mounted",
			       kernel_file(path), path,
			       strcmp(path, running_path("running")) ? "CONFIG_KSTATE" :
								       "CONFIG_KSTATE_CATALOG");
	status = image_open(&image, path, t);
	status = status ?: add_image(s, &image, alone, t);
	image_close(&image);
	return status;
}

enum status source_open(struct source *s, const char *arg, struct trouble *t)
{
	return source_open_each(s, arg, NULL, NULL, t);
}

enum status source_open_each(struct source *s, const char *arg, source_image_fn *each,
			     void *each_arg, struct trouble *t)
{
	struct files files = {};
	enum status status;
	size_t i;

	*s = (struct source){ .name = arg, .each = each, .arg = each_arg };
	status = list_files(arg, &files, t);
	for (i = 0; !status && i < files.nr; i++) {
		if (files.nr > 1)
			progress("read images", i, files.nr);
		status = open_file(s, files.paths[i], files.nr == 1, t);
	}
	free_files(&files);
	if (!status && !s->set)
		return trouble(t, STATUS_NO_CATALOG,
			       "%s: none of its %zu images has a catalogue: build them with CONFIG_KSTATE_CATALOG",
			       arg, s->silent);
	if (!status && *s->release && strcmp(s->release, s->set->writer) && !options.mixed)
		status = trouble(t, STATUS_MIXED,
				 "%s: modules of release %s, a kernel of %s: name one kernel, or take it as it is with --mixed",
				 arg, s->set->writer, s->release);
	if (!status && !s->stream && !options.mixed)
		status = check_twice(s, t);
	return status;
}

char *source_join(char **names, int nr)
{
	size_t len = 1;
	char *all;

	for (int i = 0; i < nr; i++)
		len += strlen(names[i]) + 1;
	all = calloc(1, len);
	for (int i = 0; all && i < nr; i++) {
		strcat(all, i ? "," : "");
		strcat(all, names[i]);
	}
	return all;
}

/* The option of those who take sources for kernels */

enum { OPTION_MIXED = 0x500 };

static const struct argp_option mixed_options[] = {
	{ "mixed", OPTION_MIXED, NULL, 0,
	  "Take files for one kernel that are of several releases, or describe a state in two ways",
	  -3 },
	{}
};

static error_t parse_mixed(int key, char *arg, struct argp_state *state)
{
	if (key != OPTION_MIXED)
		return ARGP_ERR_UNKNOWN;
	options.mixed = true;
	return 0;
}

static const struct argp mixed_argp = {
	.options = mixed_options, .parser = parse_mixed, .children = common_options,
};

const struct argp_child source_options[] = { { &mixed_argp, 0, NULL, 0 }, {} };

void source_close(struct source *s)
{
	kstate_set_destroy(s->set);
	s->set = NULL;
}

enum status source_write(struct kstate_set *set, const char *path, struct trouble *t)
{
	enum status status;
	size_t size;
	void *blob;

	if (kstate_set_export(set, &blob, &size))
		return trouble(t, STATUS_SYSTEM, "no memory");
	status = write_file(path, blob, size, t);
	kvfree(blob);
	return status;
}
