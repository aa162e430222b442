// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate describe: the skeleton of a description, from the C struct.
 *
 * Each member gets a line. Where the type leaves a question open, the line is a guess, and
 * the question stands beside it; where what is missing has no name in the struct, the line
 * has words in capitals that do not compile.
 */
#include <dirent.h>
#include <stdarg.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <linux/array_size.h>
#include "ctypes.h"
#include "image.h"

#define RUNNING		"/sys/kernel/btf"
#define MAX_NESTING	16	/* structs without a name inside each other */
#define MAX_PATH	320	/* bytes of a member's name */

/**
 * struct skeleton - a description in the making
 * @types: of the image
 * @of: what the struct is called: "struct name", or a typedef
 * @name: that without "struct "
 * @members: a line each, as print_skeleton() shows them
 */
struct skeleton {
	const struct ctypes *types;
	const char *of;
	const char *name;
	json_t *members;
};

static enum status no_memory(struct trouble *t)
{
	return trouble(t, STATUS_SYSTEM, "no memory");
}

/* Names come from a file: what is no text in them must not reach a terminal */
static const char *plain(char *text)
{
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return text;
}

/* A member, its field, and what there is to decide: a sentence, or NULL */
__attribute__((format(printf, 4, 5)))
static void add(struct skeleton *s, const char *member, const char *decide, const char *fmt, ...)
{
	char text[1024], name[MAX_PATH];
	va_list args;

	snprintf(name, sizeof(name), "%s", member);
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	json_array_append_new(s->members, json_pack("{s:s, s:s, s:s?}", "member", plain(name),
						    "field", plain(text), "decide", decide));
}

static bool is_int(const struct ctypes *c, u32 id)
{
	static const char *const atomic[] = {
		"atomic_t", "atomic64_t", "refcount_t", "refcount_struct", NULL
	};
	const struct btf_type *type = ctypes_type(c, id);

	return type && (btf_is_int(type) || btf_is_any_enum(type) || ctypes_is(c, id, atomic));
}

static bool is_char(const struct ctypes *c, u32 id)
{
	const struct btf_type *type = ctypes_type(c, id);

	return type && btf_is_int(type) && !strcmp(ctypes_name(c, type->name_off), "char");
}

/* Its name, if it is "struct name" */
static const char *tag(const struct ctypes *c, u32 id)
{
	const struct btf_type *type = ctypes_type(c, id);
	const char *name = "";

	if (type && (btf_is_struct(type) || (btf_is_fwd(type) && !btf_kflag(type))))
		name = ctypes_name(c, type->name_off);
	return name[0] ? name : NULL;
}

static bool is_tag(const struct ctypes *c, u32 id, const char *name)
{
	const char *found = tag(c, id);

	return found && !strcmp(found, name);
}

static void add_pointer(struct skeleton *s, const char *m, u32 id)
{
	const struct btf_type *type = ctypes_type(s->types, id);
	const char *of = s->of, *name = tag(s->types, id);

	if (is_tag(s->types, id, "folio"))
		add(s, m, NULL, "KSTATE_FOLIO(%s, %s)", m, of);
	else if (is_tag(s->types, id, "page"))
		add(s, m, "which member holds the number of pages; or KSTATE_ADDRESS()",
		    "KSTATE_PAGES(%s, %s, NUMBER)", m, of);
	else if (is_tag(s->types, id, "kstate_folio_entry"))
		add(s, m, "which member holds their number",
		    "KSTATE_FOLIOS(%s, %s, NUMBER)", m, of);
	else if (is_char(s->types, id))
		add(s, m, "text? otherwise KSTATE_VARRAY() of bytes", "KSTATE_STRING(%s, %s)", m, of);
	else if (is_int(s->types, id))
		add(s, m, "one, or as many as a member says: KSTATE_VARRAY()? who allocates it: KSTATE_ALLOC?",
		    "KSTATE_POINTER(%s, %s)", m, of);
	else if (!type || !btf_kind(type))
		add(s, m, "memory handed over: KSTATE_VMALLOC() or KSTATE_ADDRESS()? otherwise, why not",
		    "KSTATE_SKIP(%s, %s, REASON)", m, of);
	else if (btf_is_func_proto(type))
		add(s, m, NULL, "KSTATE_SKIP(%s, %s, \"code of this kernel\")", m, of);
	else if (name)
		add(s, m, "part of the state: KSTATE_STRUCT_POINTER() or KSTATE_STRUCT_VARRAY()? otherwise, who sets it",
		    "KSTATE_SKIP(%s, %s, REASON)", m, of);
	else
		add(s, m, "what it leads to", "KSTATE_SKIP(%s, %s, REASON)", m, of);
}

/* BTF makes one dimension of all */
static void add_array(struct skeleton *s, const char *m, u32 element, u32 count)
{
	const struct btf_type *type = ctypes_type(s->types, element);
	const char *of = s->of, *name = tag(s->types, element);
	char text[96];

	ctypes_text(s->types, element, text, sizeof(text));
	if (!count && is_int(s->types, element))
		add(s, m, "which member holds their number", "KSTATE_FLEX_ARRAY(%s, %s, NUMBER)", m,
		    of);
	else if (!count && name)
		add(s, m, "which member holds their number",
		    "KSTATE_STRUCT_FLEX_ARRAY(%s, %s, NUMBER, &%s_state)", m, of, name);
	else if (is_char(s->types, element))
		add(s, m, "text: KSTATE_STRING()?", "KSTATE_FIELD(%s, %s)", of, m);
	else if (is_int(s->types, element))
		add(s, m, strcmp(text, "long unsigned int") ? NULL : "bits: KSTATE_BITMAP()?",
		    "KSTATE_FIELD(%s, %s)", of, m);
	else if (name)
		add(s, m, "all, or as many as a member says: KSTATE_STRUCT_VARRAY()?",
		    "KSTATE_STRUCT_ARRAY(%s, %s, &%s_state)", m, of, name);
	else if (type && btf_is_ptr(type) && is_tag(s->types, type->type, "folio"))
		add(s, m, NULL, "KSTATE_FOLIO_ARRAY(%s, %s)", m, of);
	else if (type && btf_is_ptr(type) && is_int(s->types, type->type))
		add(s, m, "who allocates them: KSTATE_ALLOC?", "KSTATE_ARRAY_OF_POINTER(%s, %s)", m,
		    of);
	else if (type && btf_is_ptr(type) && tag(s->types, type->type))
		add(s, m, "part of the state: KSTATE_ARRAY_OF_STRUCT_POINTER()? otherwise, who sets them",
		    "KSTATE_SKIP(%s, %s, REASON)", m, of);
	else
		add(s, m, "how to save it: KSTATE_CUSTOM()? otherwise, why not",
		    "KSTATE_SKIP(%s, %s, REASON)", m, of);
}

static void add_members(struct skeleton *s, const struct btf_type *type, const char *prefix,
			int depth);

/* What has a name as a member, but not as a type: its members are those of the struct */
static void add_inside(struct skeleton *s, const char *m, const struct btf_type *type, int depth)
{
	char prefix[MAX_PATH];

	if (snprintf(prefix, sizeof(prefix), "%s.", m) < (int)sizeof(prefix))
		add_members(s, type, prefix, depth + 1);
}

static void add_member(struct skeleton *s, const char *m, u32 id, bool bitfield, int depth)
{
	const struct btf_type *type = ctypes_type(s->types, id);
	static const char *const addresses[] = { "uintptr_t", NULL };
	const char *of = s->of, *own = ctypes_own(s->types, id);

	if (bitfield) {
		add(s, m, "put it into a union with an integer, or save it by KSTATE_CUSTOM(): no macro can name it",
		    "BITFIELD(%s, %s)", m, of);
	} else if (is_tag(s->types, id, "list_head")) {
		add(s, m, "the head of a list of which struct, linked by which member? A link itself: KSTATE_SKIP(..., \"restoring links it\")",
		    "KSTATE_LIST(%s, %s, struct ENTRY, LINK, &ENTRY_state)", m, of);
	} else if (is_tag(s->types, id, "hlist_head")) {
		add(s, m, "a list of which struct, linked by which member",
		    "KSTATE_HLIST(%s, %s, struct ENTRY, LINK, &ENTRY_state)", m, of);
	} else if (is_tag(s->types, id, "hlist_node")) {
		add(s, m, NULL, "KSTATE_SKIP(%s, %s, \"restoring links it\")", m, of);
	} else if (is_tag(s->types, id, "xarray")) {
		add(s, m, "what its entries point to",
		    "KSTATE_XARRAY(%s, %s, struct ENTRY, &ENTRY_state)", m, of);
	} else if (ctypes_is(s->types, id, addresses)) {
		add(s, m, "an address, which means nothing in the next kernel: how to save what it leads to",
		    "KSTATE_SKIP(%s, %s, REASON)", m, of);
	} else if (is_int(s->types, id)) {
		add(s, m, NULL, "KSTATE_FIELD(%s, %s)", of, m);
	} else if (own) {
		add(s, m, NULL, "KSTATE_SKIP(%s, %s, \"initialised before restoring\")", m, of);
	} else if (type && btf_is_ptr(type)) {
		add_pointer(s, m, type->type);
	} else if (type && btf_is_array(type)) {
		add_array(s, m, btf_array(type)->type, btf_array(type)->nelems);
	} else if (tag(s->types, id) && btf_is_struct(type)) {
		add(s, m, NULL, "KSTATE_STRUCT(%s, %s, &%s_state)", m, of, tag(s->types, id));
	} else if (type && btf_is_struct(type)) {
		add_inside(s, m, type, depth);
	} else if (type && btf_is_union(type)) {
		add(s, m, "which member says which arm it is, and what the arms are; or describe one view of it",
		    "KSTATE_UNION(%s, %s, TAG, ARMS)", m, of);
	} else {
		add(s, m, "how to save it: KSTATE_CUSTOM()? otherwise, why not",
		    "KSTATE_SKIP(%s, %s, REASON)", m, of);
	}
}

static void add_members(struct skeleton *s, const struct btf_type *type, const char *prefix,
			int depth);

/* Say of a member that it is one of several that are at the same place */
static void note_view(struct skeleton *s, size_t i)
{
	static const char text[] =
		"one view of a union without a name: describe another where it cannot stand for all";
	json_t *member = json_array_get(s->members, i);
	const char *before = json_string_value(json_object_get(member, "decide"));

	json_object_set_new(member, "decide", before ? json_sprintf("%s; %s", text, before) :
						       json_string(text));
}

/* The members of a union without a name overlap: the first view with any stands for all */
static void add_union(struct skeleton *s, const struct btf_type *type, const char *prefix,
		      int depth)
{
	char path[MAX_PATH];

	for (u32 i = 0; i < btf_vlen(type) && depth < MAX_NESTING; i++) {
		const struct btf_member *m = &btf_members(type)[i];
		const struct btf_type *view = ctypes_type(s->types, m->type);
		const char *name = ctypes_name(s->types, m->name_off);
		size_t before = json_array_size(s->members);

		/* As struct_group() makes them */
		if (!name[0] && view && btf_is_struct(view))
			add_members(s, view, prefix, depth + 1);
		else if (!name[0] && ctypes_is_struct(view))
			add_union(s, view, prefix, depth + 1);
		else if (snprintf(path, sizeof(path), "%s%s", prefix, name) < (int)sizeof(path))
			add_member(s, path, m->type, btf_member_bitfield_size(type, i), depth);
		if (json_array_size(s->members) == before)
			continue;
		if (btf_vlen(type) > 1)
			note_view(s, before);
		return;
	}
}

static void add_members(struct skeleton *s, const struct btf_type *type, const char *prefix,
			int depth)
{
	const struct btf_type *inner;
	char path[MAX_PATH];
	u32 i;

	for (i = 0; i < btf_vlen(type) && depth < MAX_NESTING; i++) {
		const struct btf_member *m = &btf_members(type)[i];
		const char *name = ctypes_name(s->types, m->name_off);

		if (snprintf(path, sizeof(path), "%s%s", prefix, name) >= (int)sizeof(path))
			continue;
		inner = ctypes_type(s->types, m->type);
		if (name[0])
			add_member(s, path, m->type, btf_member_bitfield_size(type, i), depth);
		else if (inner && btf_is_struct(inner))
			add_members(s, inner, prefix, depth + 1);
		else if (ctypes_is_struct(inner))
			add_union(s, inner, prefix, depth + 1);
	}
}

/* The images, and the type in them */

struct types_file {
	struct image image;
	struct ctypes base;
	struct ctypes types;
};

static enum status open_file(struct types_file *f, const char *path, const struct ctypes *kernel,
			     struct trouble *t)
{
	const void *btf = NULL, *base = NULL;
	size_t size = 0, base_size = 0;
	enum status status = image_open(&f->image, path, t);
	struct btf_header magic = {};

	if (status)
		return status;
	memcpy(&magic, f->image.bytes, f->image.size < sizeof(magic) ? f->image.size : sizeof(magic));
	if (magic.magic == BTF_MAGIC) {
		/* As in /sys/kernel/btf */
		btf = f->image.bytes;
		size = f->image.size;
	} else {
		status = image_section(&f->image, ".BTF", &btf, &size, t);
		status = status ?: image_section(&f->image, ".BTF.base", &base, &base_size, t);
	}
	if (!status && !btf)
		return trouble(t, STATUS_NO_CATALOG,
			       "%s: has no BTF: build with CONFIG_DEBUG_INFO_BTF and CONFIG_DEBUG_INFO_BTF_MODULES, and name vmlinux, not a compressed image",
			       path);
	if (!status && base)
		status = ctypes_open(&f->base, base, base_size, NULL, path, t);
	if (status)
		return status;
	if (!ctypes_is_split(btf, size))
		kernel = NULL;
	else if (base)
		kernel = &f->base;
	else if (!kernel)
		return trouble(t, STATUS_USAGE,
			       "%s: its types build on those of its kernel: give that before it, as in vmlinux,%s",
			       path, path);
	return ctypes_open(&f->types, btf, size, kernel, path, t);
}

static void close_file(struct types_file *f)
{
	ctypes_close(&f->types);
	ctypes_close(&f->base);
	image_close(&f->image);
}

static void print_skeleton(const struct skeleton *s)
{
	size_t i, nr = json_array_size(s->members);

	printf("/* Made by \"kstate describe %s\": what stands in comments is to be decided */\n", s->of);
	printf("static KSTATE_DESCRIBE(%s_state, \"%s\", 1,\n", s->name, s->name);
	for (i = 0; i < nr; i++) {
		json_t *m = json_array_get(s->members, i);
		const char *decide = json_string_value(json_object_get(m, "decide"));

		if (decide)
			printf("\t/* %s: %s */\n", json_string_value(json_object_get(m, "member")), decide);
		printf("\t%s%s\n", json_string_value(json_object_get(m, "field")), i + 1 < nr ? "," : ");");
	}
}

static enum status show(struct skeleton *s, u32 id, struct trouble *t)
{
	enum status status = STATUS_OK;

	s->members = json_array();
	add_members(s, ctypes_type(s->types, id), "", 0);
	if (!json_array_size(s->members))
		status = trouble(t, STATUS_FOREIGN, "%s: has no members to describe", s->of);
	else if (options.json)
		status = print_json(json_pack("{s:s, s:s, s:O}", "type", s->of, "state", s->name,
					      "fields", s->members), t);
	else
		print_skeleton(s);
	json_decref(s->members);
	return status;
}

/* Look for the type in @path, and note whether it is there */
static enum status try_file(struct types_file *f, const char *path, const struct ctypes *kernel,
			    const char *type, bool *found, struct trouble *t)
{
	enum status status = open_file(f, path, kernel, t);
	struct skeleton s = { .types = &f->types, .of = type };
	u32 ids[8];
	size_t nr;

	if (status)
		return status;
	nr = ctypes_find(&f->types, type, ids, ARRAY_SIZE(ids));
	while (nr && !ctypes_is_struct(ctypes_type(&f->types, ids[nr - 1])))
		nr--;
	if (!nr)
		return STATUS_OK;
	*found = true;
	s.name = strrchr(type, ' ');
	s.name = s.name ? s.name + 1 : type;
	return show(&s, ids[nr - 1], t);
}

static enum status try_files(char *paths, const char *type, bool *found, struct trouble *t)
{
	struct types_file kernel = {}, module;
	enum status status = STATUS_OK;
	char *path, *more;
	bool first = true;

	for (path = strtok_r(paths, ",", &more); path && !status && !*found;
	     path = strtok_r(NULL, ",", &more), first = false) {
		if (first) {
			status = try_file(&kernel, path, NULL, type, found, t);
			continue;
		}
		module = (struct types_file){};
		status = try_file(&module, path, &kernel.types, type, found, t);
		close_file(&module);
	}
	close_file(&kernel);
	return status;
}

/* The running kernel, then each of its modules */
static char *running_files(void)
{
	DIR *dir = opendir(RUNNING);
	char *paths = strdup(RUNNING "/vmlinux"), *more;
	struct dirent *entry;

	while (paths && dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "vmlinux"))
			continue;
		if (asprintf(&more, "%s," RUNNING "/%s", paths, entry->d_name) < 0)
			more = NULL;
		free(paths);
		paths = more;
	}
	if (dir)
		closedir(dir);
	return paths;
}

enum { OPTION_IMAGE = 0x300 };

static const struct argp_option describe_options[] = {
	{ "image", OPTION_IMAGE, "IMAGE", 0,
	  "vmlinux, or several files with commas between: vmlinux,driver.ko (default: the running kernel and its modules)", 0 },
	{}
};

struct describe_arguments {
	char *image;
	char type[160];
};

/* "struct NAME", or the NAME of a typedef */
static bool is_type(const char *type)
{
	const char *name = strncmp(type, "struct ", 7) && strncmp(type, "union ", 6) ? type :
			   strchr(type, ' ') + 1;

	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	while (isalnum((unsigned char)*name) || *name == '_')
		name++;
	return !*name;
}

static error_t parse_describe(int key, char *arg, struct argp_state *state)
{
	struct describe_arguments *a = state->input;
	size_t len = strlen(a->type);

	switch (key) {
	case OPTION_IMAGE:
		a->image = arg;
		return 0;
	case ARGP_KEY_ARG:
		snprintf(a->type + len, sizeof(a->type) - len, "%s%s", len ? " " : "", arg);
		return 0;
	case ARGP_KEY_END:
		if (!is_type(a->type))
			argp_error(state, "needs a type, such as struct demo");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp describe_argp = {
	.options = describe_options,
	.parser = parse_describe,
	.args_doc = "struct NAME",
	.doc = "Write the skeleton of a description of a struct: a line for each member, and what there is to decide. The struct is found in the BTF of an image.\vSee kstate-describe(1).",
	.children = common_options,
};

enum status command_describe(int argc, char **argv, struct trouble *t)
{
	struct describe_arguments a = {};
	enum status status;
	bool found = false;
	char *paths;

	if (argp_parse(&describe_argp, argc, argv, 0, NULL, &a))
		return no_memory(t);
	paths = a.image && strcmp(a.image, "running") ? strdup(a.image) : running_files();
	if (!paths)
		return no_memory(t);
	status = try_files(paths, a.type, &found, t);
	free(paths);
	if (!status && !found)
		status = trouble(t, STATUS_INPUT,
				 "%s: there is no such struct in %s: a struct that nothing uses yet is not in BTF; of a module, name vmlinux,module.ko",
				 a.type, a.image ?: "the running kernel and its modules");
	return status;
}
