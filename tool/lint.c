// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate lint: what descriptions forget, and what they get wrong, by comparing them
 * with the C types of the same image.
 */
#include <stdlib.h>
#include <string.h>
#include "lint.h"

/**
 * struct file - a file of a source
 * @path: of the file
 * @image: name of the image that the catalogue in it is of
 * @module: it is a module
 * @btf: bytes of its BTF, or NULL
 * @size: of @btf
 * @base: of a module built apart from its kernel: bytes of what it needs of that
 * @base_size: of @base
 * @base_types: of @base
 * @types: once it is known what they are based on
 */
struct file {
	char *path;
	char *image;
	bool module;
	void *btf;
	size_t size;
	void *base;
	size_t base_size;
	struct ctypes base_types;
	struct ctypes types;
};

/**
 * struct lint - one source
 * @source: it
 * @files: the files it is made of, or those of the running kernel
 * @nr_files: how many
 * @c: its descriptions
 * @without: images without BTF, with commas between
 * @count: findings
 * @blocked: of these, how many are grave
 */
struct lint {
	struct source source;
	struct file *files;
	size_t nr_files;
	struct catalogue c;
	char without[256];
	size_t count;
	size_t blocked;
};

static enum status no_memory(struct trouble *t)
{
	return trouble(t, STATUS_SYSTEM, "no memory");
}

struct finding *add_finding(struct findings *findings, const char *kind, bool blocked)
{
	struct finding *more;

	/* Doubled at each power of two */
	if (!(findings->nr & (findings->nr - 1))) {
		more = realloc(findings->list, (2 * findings->nr ?: 1) * sizeof(*more));
		if (!more) {
			findings->no_memory = true;
			return NULL;
		}
		findings->list = more;
	}
	findings->list[findings->nr] = (struct finding){
		.kind = kind, .blocked = blocked, .offset = -1,
	};
	return &findings->list[findings->nr++];
}

/* Who refers to whom */

struct described *next_of_schema(const struct catalogue *c, const struct described *from,
				 const struct kstate_schema *schema, struct described *last)
{
	struct described *d = last ? last + 1 : c->list;

	for (; d < c->list + c->nr; d++)
		if (d->d.schema == schema && !strcmp(d->d.image, from->d.image))
			return d;
	return NULL;
}

struct described *group_of(const struct catalogue *c, const struct described *from,
			   const struct kstate_wire_member *m, struct described *last)
{
	u32 field = le32_to_cpu(m->field);

	if (field == KSTATE_NO_REF)
		return NULL;
	do {
		last = next_of_schema(c, from, from->d.schema->fields[field].ref, last);
	} while (last && strcmp(last->d.type, from->d.type));
	return last;
}

/* Of the same struct: collect sees to it */
static void note_groups(const struct catalogue *c, struct described *d,
			const struct kstate_wire_member *m)
{
	struct described *group = NULL;

	while ((group = group_of(c, d, m, group)))
		group->group = true;
}

/* What needs no types */

static void check_use(struct described *d)
{
	struct finding *f;

	if (d->d.flags & (KSTATE_STATE_USED | KSTATE_STATE_NESTED))
		return;
	f = add_finding(&d->findings, "unused", false);
	if (f)
		snprintf(f->text, sizeof(f->text),
			 "%s: no code and no other description refers to it: register it, or remove it",
			 d->d.type[0] ? d->d.type : "description");
}

static void check_reasons(struct described *d)
{
	struct finding *f;
	u32 i;

	for (i = 0; i < d->d.nr_members; i++) {
		const struct kstate_wire_member *m = &d->d.members[i];
		const char *reason = source_string(&d->d, m->reason);

		if (wire_kind(m) != KS_SKIP || reason[strspn(reason, " \t")])
			continue;
		f = add_finding(&d->findings, "reason", false);
		if (!f)
			return;
		f->offset = le32_to_cpu(m->offset);
		snprintf(f->member, sizeof(f->member), "%s", source_string(&d->d, m->name));
		snprintf(f->text, sizeof(f->text),
			 "%s: member \"%s\" is skipped for no reason: say why in its KSTATE_SKIP()",
			 d->d.type, f->member);
	}
}

/* Records go by the name of their state: two descriptions cannot both have it */
static void check_name(const struct catalogue *c, struct described *d)
{
	const struct described *other;
	struct finding *f;

	if (!(d->d.flags & KSTATE_STATE_USED))
		return;
	for (other = c->list; other < d; other++) {
		if (!(other->d.flags & KSTATE_STATE_USED) ||
		    other->d.schema == d->d.schema ||
		    strcmp(other->d.schema->name, d->d.schema->name))
			continue;
		f = add_finding(&d->findings, "name", true);
		if (f)
			snprintf(f->text, sizeof(f->text),
				 "%s: has the name of another state in use, that of %s in %s, and other fields: one takes what the other has saved: rename one",
				 d->d.type[0] ? d->d.type : "description",
				 other->d.type[0] ? other->d.type : "a description",
				 other->d.image);
		return;
	}
}

/* Reading */

static void *copy(const void *bytes, size_t size)
{
	void *p = malloc(size ?: 1);

	return p ? memcpy(p, bytes, size) : NULL;
}

/* The name of a module in a file's name and in sysfs may differ in this */
static char *copy_name(const char *name)
{
	char *p = strdup(name), *c;

	for (c = p; c && *c; c++)
		if (*c == '-')
			*c = '_';
	return p;
}

static struct file *add_file(struct lint *l, const char *path, const char *image, bool module)
{
	struct file *more = realloc(l->files, (l->nr_files + 1) * sizeof(*more));
	struct file *f;

	if (!more)
		return NULL;
	l->files = more;
	f = &more[l->nr_files++];
	*f = (struct file){
		.path = strdup(path), .image = copy_name(image), .module = module,
	};
	return f->path && f->image ? f : NULL;
}

static enum status copy_section(const struct image *image, const char *name, void **bytes,
				size_t *size, struct trouble *t)
{
	const void *found;
	enum status status = image_section(image, name, &found, size, t);

	if (status || !found)
		return status;
	*bytes = copy(found, *size);
	return *bytes ? STATUS_OK : no_memory(t);
}

static struct file *find_file(const struct lint *l, const char *name)
{
	char *image = copy_name(name);
	struct file *found = NULL;
	size_t i;

	for (i = 0; image && i < l->nr_files && !found; i++)
		if (!strcmp(l->files[i].image, image))
			found = &l->files[i];
	free(image);
	return found;
}

/* Types of the running kernel: one file for each image */
static enum status add_running(struct lint *l, const char *name, struct trouble *t)
{
	struct trouble none = {};
	struct image image = {};
	char path[512];
	struct file *f;

	f = add_file(l, "/sys/kernel/btf", name, strcmp(name, "vmlinux"));
	if (!f)
		return no_memory(t);
	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", f->image);
	/* Not there without CONFIG_DEBUG_INFO_BTF or CONFIG_DEBUG_INFO_BTF_MODULES */
	if (!strchr(f->image, '/') && !image_open(&image, path, &none)) {
		f->btf = copy(image.bytes, image.size);
		f->size = image.size;
	}
	image_close(&image);
	return STATUS_OK;
}

/* What names there are in a catalogue; @module: of a file that is one */
static enum status hear_image(const struct image *image, const struct kstate_set *set, void *arg,
			      struct trouble *t)
{
	bool running = !strncmp(image->path, "/sys/", 5);
	enum status status = STATUS_OK;
	const struct kstate_state *state;
	struct lint *l = arg;
	struct state_info d;
	struct file *f;

	if (running)
		status = add_running(l, "vmlinux", t);
	list_for_each_entry(state, &set->states, list) {
		if (status || !source_state(set, state, &d) || find_file(l, d.image))
			continue;
		if (running) {
			status = add_running(l, d.image, t);
			continue;
		}
		f = add_file(l, image->path, d.image, image->module);
		status = f ? copy_section(image, ".BTF", &f->btf, &f->size, t) : no_memory(t);
		if (!status && image->module)
			status = copy_section(image, ".BTF.base", &f->base, &f->base_size, t);
	}
	return status;
}

/* Types */

static struct ctypes *types_of_kernel(struct lint *lints, size_t nr, struct lint *first)
{
	size_t i, j;

	for (i = 0; i <= nr; i++) {
		struct lint *l = i ? &lints[i - 1] : first;

		for (j = 0; j < l->nr_files; j++)
			if (!l->files[j].module && l->files[j].types.btf)
				return &l->files[j].types;
	}
	return NULL;
}

static enum status open_types(struct lint *l, struct file *f, const struct ctypes *kernel,
			      struct trouble *t)
{
	enum status status;

	if (f->base) {
		status = ctypes_open(&f->base_types, f->base, f->base_size, NULL, f->path, t);
		if (status)
			return status;
		kernel = &f->base_types;
	}
	if (!ctypes_is_split(f->btf, f->size))
		kernel = NULL;
	else if (!kernel)
		return STATUS_OK;
	return ctypes_open(&f->types, f->btf, f->size, kernel, f->path, t);
}

/* Types of kernels first: those of modules are based on them */
static enum status open_all_types(struct lint *lints, size_t nr, struct trouble *t)
{
	enum status status = STATUS_OK;
	size_t i, j;
	int modules;

	for (modules = 0; modules < 2; modules++) {
		for (i = 0; !status && i < nr; i++) {
			struct lint *l = &lints[i];

			for (j = 0; !status && j < l->nr_files; j++) {
				struct file *f = &l->files[j];

				progress("read types", j, l->nr_files);
				if (f->btf && f->module == !!modules)
					status = open_types(l, f,
							    types_of_kernel(lints, nr, l), t);
			}
		}
	}
	return status;
}

static void note_without(struct lint *l, const char *image)
{
	size_t len = strlen(l->without);

	snprintf(l->without + len, sizeof(l->without) - len, "%s%s", len ? ", " : "", image);
}

/* Linting */

static int by_image(const void *a, const void *b)
{
	const struct described *x = a, *y = b;

	return strcmp(x->d.image, y->d.image) ?: strcmp(x->d.schema->name, y->d.schema->name) ?:
	       strcmp(x->d.type, y->d.type);
}

static enum status list_descriptions(struct lint *l, struct trouble *t)
{
	const struct kstate_state *state;
	struct described *d;
	size_t nr = 0;

	list_for_each_entry(state, &l->source.set->states, list)
		nr++;
	l->c.list = calloc(nr + 1, sizeof(*l->c.list));
	if (!l->c.list)
		return no_memory(t);
	list_for_each_entry(state, &l->source.set->states, list) {
		d = &l->c.list[l->c.nr];
		l->c.nr += source_state(l->source.set, state, &d->d);
	}
	qsort(l->c.list, l->c.nr, sizeof(*l->c.list), by_image);
	for (d = l->c.list; d < l->c.list + l->c.nr; d++) {
		struct file *f = find_file(l, d->d.image);

		if (f && f->types.btf)
			d->types = &f->types;
		else if (d == l->c.list || strcmp(d->d.image, d[-1].d.image))
			note_without(l, d->d.image);
	}
	return STATUS_OK;
}

static enum status lint_source(struct lint *l, struct trouble *t)
{
	enum status status = list_descriptions(l, t);
	struct described *d, *end = l->c.list + l->c.nr;
	size_t i;

	for (d = l->c.list; !status && d < end; d++)
		for (i = 0; i < d->d.nr_members; i++)
			if (wire_kind(&d->d.members[i]) == KS_GROUP)
				note_groups(&l->c, d, &d->d.members[i]);
	for (d = l->c.list; !status && d < end; d++) {
		progress("compare descriptions", d - l->c.list, l->c.nr);
		check_use(d);
		check_name(&l->c, d);
		check_reasons(d);
		if (d->types)
			check_members(&l->c, d);
		if (d->findings.no_memory)
			status = no_memory(t);
		l->count += d->findings.nr;
		for (i = 0; i < d->findings.nr; i++)
			l->blocked += d->findings.list[i].blocked;
	}
	progress_end();
	return status;
}

/* Showing */

/* Names come from a file: what is no text in them must not reach a terminal */
static const char *printable(char *s)
{
	for (char *c = s; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return s;
}

static void print_finding(const struct described *d, struct finding *f)
{
	char where[160];

	snprintf(where, sizeof(where), "%s: %s", d->d.image, d->d.schema->name);
	printf("%s%s:%s %s%s%s\n", colour(DIM), printable(where), colour(PLAIN),
	       colour(f->blocked ? RED : YELLOW), printable(f->text), colour(PLAIN));
}

static void annotate(const struct described *d, struct finding *f)
{
	char title[160];

	snprintf(title, sizeof(title), "%s, %s: %s", f->kind, d->d.image, d->d.schema->name);
	print_annotation(f->blocked ? "error" : "warning", NULL, 0, printable(title),
			 printable(f->text));
}

static void print_source(const struct lint *l, bool github)
{
	size_t i, j;

	for (i = 0; i < l->c.nr; i++)
		for (j = 0; j < l->c.list[i].findings.nr; j++)
			if (github)
				annotate(&l->c.list[i], &l->c.list[i].findings.list[j]);
			else
				print_finding(&l->c.list[i], &l->c.list[i].findings.list[j]);
	printf("%s%s (%s): %zu description%s: ", colour(BOLD), l->source.name,
	       l->source.set->writer, l->c.nr, l->c.nr == 1 ? "" : "s");
	if (l->count)
		printf("%zu finding%s, %zu of them grave%s\n", l->count, l->count == 1 ? "" : "s",
		       l->blocked, colour(PLAIN));
	else
		printf("nothing found%s%s\n", l->without[0] ? " without types" : "", colour(PLAIN));
}

static json_t *finding_json(const struct described *d, struct finding *f)
{
	char image[80], state[80], type[160];
	json_t *json;

	snprintf(image, sizeof(image), "%s", d->d.image);
	snprintf(state, sizeof(state), "%s", d->d.schema->name);
	snprintf(type, sizeof(type), "%s", d->d.type);
	json = json_pack("{s:s, s:s, s:s, s:s, s:b}", "image", printable(image),
			 "state", printable(state), "type", printable(type),
			 "kind", f->kind, "grave", (int)f->blocked);
	if (json && f->member[0])
		json_object_set_new(json, "member", json_string(printable(f->member)));
	if (json && f->ctype[0])
		json_object_set_new(json, "member_type", json_string(printable(f->ctype)));
	if (json && f->offset >= 0)
		json_object_set_new(json, "offset", json_integer(f->offset));
	if (json)
		json_object_set_new(json, "text", json_string(printable(f->text)));
	return json;
}

static json_t *source_json(const struct lint *l)
{
	json_t *findings = json_array(), *without = json_array();
	size_t i, j;

	for (i = 0; i < l->c.nr; i++) {
		const struct described *d = &l->c.list[i];

		if (!d->types && (!i || strcmp(d->d.image, d[-1].d.image)))
			json_array_append_new(without, json_string(d->d.image));
		for (j = 0; j < d->findings.nr; j++)
			json_array_append_new(findings,
					      finding_json(d, &d->findings.list[j]));
	}
	return json_pack("{s:s, s:s, s:I, s:o, s:o}", "source", l->source.name,
			 "release", l->source.set->writer, "descriptions", (json_int_t)l->c.nr,
			 "without_types", without, "findings", findings);
}

static enum status show(const struct lint *lints, size_t nr, bool github, struct trouble *t)
{
	enum status status = STATUS_OK;
	json_t *sources = NULL;
	size_t i;

	if (options.json)
		sources = json_array();
	for (i = 0; i < nr; i++) {
		if (options.json)
			json_array_append_new(sources, source_json(&lints[i]));
		else
			print_source(&lints[i], github);
		if (lints[i].count && !status)
			status = STATUS_LOSSY;
		if (lints[i].blocked)
			status = STATUS_BLOCKED;
	}
	return options.json ? print_json(json_pack("{s:o}", "sources", sources), t) ?: status :
			      status;
}

/* Half a check must not look like a whole one */
static enum status complain_without(const struct lint *lints, size_t nr, enum status status,
				    struct trouble *t)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!lints[i].without[0])
			continue;
		trouble(t, STATUS_NO_CATALOG,
			"%s: no BTF for %s, so that members were not compared: build with CONFIG_DEBUG_INFO_BTF and CONFIG_DEBUG_INFO_BTF_MODULES, name the images and not their catalogue, and vmlinux with its modules",
			lints[i].source.name, lints[i].without);
		return status == STATUS_BLOCKED ? status : STATUS_NO_CATALOG;
	}
	return status;
}

static void close_lint(struct lint *l)
{
	size_t i;

	for (i = 0; i < l->c.nr; i++)
		free(l->c.list[i].findings.list);
	free(l->c.list);
	for (i = 0; i < l->nr_files; i++) {
		ctypes_close(&l->files[i].types);
		ctypes_close(&l->files[i].base_types);
		free(l->files[i].btf);
		free(l->files[i].base);
		free(l->files[i].path);
		free(l->files[i].image);
	}
	free(l->files);
	source_close(&l->source);
}

struct lint_arguments {
	char **sources;
	size_t nr;
	bool github;
};

enum { OPTION_GITHUB = 0x500 };

static const struct argp_option lint_options[] = {
	{ "github", OPTION_GITHUB, NULL, 0, "Print annotations for GitHub Actions", -1 },
	{}
};

static error_t parse_lint(int key, char *arg, struct argp_state *state)
{
	struct lint_arguments *a = state->input;

	switch (key) {
	case OPTION_GITHUB:
		a->github = true;
		return 0;
	case ARGP_KEY_ARGS:
		a->sources = state->argv + state->next;
		a->nr = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!a->nr)
			argp_error(state, "needs a SOURCE, such as vmlinux");
		if (a->github && options.json)
			argp_error(state, "takes one of --json and --github");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp lint_argp = {
	.options = lint_options, .parser = parse_lint,
	.args_doc = "SOURCE...",
	.doc = "Compare the descriptions of kernels and modules with the C structs that they describe: members that are neither described nor skipped, types that differ, pointers copied as numbers, descriptions that nobody uses.\vA SOURCE is an image with BTF, a directory with a kernel and its modules, several files with commas between, or \"running\". Exit status: 0 nothing found, 1 something, 3 something grave, 68 no BTF. See kstate-lint(1).",
	.children = common_options,
};

enum status command_lint(int argc, char **argv, struct trouble *t)
{
	enum status status = STATUS_OK;
	struct lint_arguments a = {};
	struct lint *lints;
	size_t i, nr;

	if (argp_parse(&lint_argp, argc, argv, 0, NULL, &a))
		return no_memory(t);
	/* It looks at each file by itself, and finds what describes a state twice */
	options.mixed = true;
	lints = calloc(a.nr, sizeof(*lints));
	if (!lints)
		return no_memory(t);
	for (nr = 0; !status && nr < a.nr; nr++) {
		status = source_open_each(&lints[nr].source, a.sources[nr], hear_image,
					  &lints[nr], t);
		if (!status && lints[nr].source.stream)
			status = trouble(t, STATUS_USAGE,
					 "%s: is a stream, which has no C types: give an image",
					 a.sources[nr]);
	}
	status = status ?: open_all_types(lints, nr, t);
	for (i = 0; !status && i < nr; i++)
		status = lint_source(&lints[i], t);
	if (!status) {
		status = show(lints, nr, a.github, t);
		if (status <= STATUS_BLOCKED)
			status = complain_without(lints, nr, status, t);
	}
	for (i = nr; i--;)
		close_lint(&lints[i]);
	free(lints);
	return status;
}
