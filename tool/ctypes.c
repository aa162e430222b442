// SPDX-License-Identifier: GPL-2.0-only
/*
 * The C types of an image, from its BTF.
 *
 * libbpf reads it. It looks at no type before it is asked for one, so that all are
 * looked at here, once: what is damaged or hostile is refused before it is used.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include <linux/types.h>
#include "ctypes.h"

/* Qualifiers and typedefs around each other; and pointers, in text */
#define MAX_LAYERS	32

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static enum status damaged(const char *path, struct trouble *t)
{
	return trouble(t, STATUS_DAMAGED,
		       "%s: its BTF is cut or damaged: get the file again, or build it again", path);
}

static bool is_name(const struct ctypes *c, u32 offset)
{
	return btf__name_by_offset(c->btf, offset);
}

/* A module's names are in the middle of others if its kernel's strings are not these */
static bool starts_inside(const struct ctypes *c, u32 offset)
{
	u32 own = c->base ? c->base->strings : 0;

	return offset && offset != own && btf__name_by_offset(c->btf, offset)[-1];
}

static bool is_type(const struct ctypes *c, u32 id)
{
	return id < btf__type_cnt(c->btf);
}

static bool check_members(const struct ctypes *c, const struct btf_type *type, bool *inside)
{
	const struct btf_member *m = btf_members(type);

	for (u32 i = 0; i < btf_vlen(type); i++) {
		if (!is_name(c, m[i].name_off) || !is_type(c, m[i].type))
			return false;
		*inside |= starts_inside(c, m[i].name_off);
	}
	return true;
}

static bool check_type(const struct ctypes *c, const struct btf_type *type, bool *inside)
{
	if (!type || !is_name(c, type->name_off))
		return false;
	*inside |= starts_inside(c, type->name_off);
	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_FUNC_PROTO:
		return is_type(c, type->type);
	case BTF_KIND_ARRAY:
		return is_type(c, btf_array(type)->type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return check_members(c, type, inside);
	default:
		return true;
	}
}

static bool has_index(const struct btf_type *type)
{
	return (btf_is_composite(type) || btf_is_typedef(type)) && type->name_off;
}

/* Sorting has no argument for it */
static const struct ctypes *sorted;

static const char *name_of(const struct ctypes *c, u32 id)
{
	return ctypes_name(c, btf__type_by_id(c->btf, id)->name_off);
}

static int by_name(const void *a, const void *b)
{
	const u32 *x = a, *y = b;
	int order = strcmp(name_of(sorted, *x), name_of(sorted, *y));

	return order ?: *x < *y ? -1 : 1;
}

static enum status check_types(struct ctypes *c, const char *path, struct trouble *t)
{
	bool inside = false;
	u32 id, nr = btf__type_cnt(c->btf);

	c->first = c->base ? btf__type_cnt(c->base->btf) : 1;
	c->names = calloc(nr - c->first + 1, sizeof(*c->names));
	if (!c->names)
		return trouble(t, STATUS_SYSTEM, "no memory");
	for (id = c->first; id < nr; id++) {
		const struct btf_type *type = btf__type_by_id(c->btf, id);

		if (!check_type(c, type, &inside))
			return damaged(path, t);
		if (has_index(type))
			c->names[c->nr_names++] = id;
	}
	if (inside && c->base)
		return trouble(t, STATUS_DAMAGED,
			       "%s: its BTF builds on that of another kernel: give the vmlinux that it was built with",
			       path);
	sorted = c;
	qsort(c->names, c->nr_names, sizeof(*c->names), by_name);
	return STATUS_OK;
}

/* What libbpf does not look at */
static enum status check_header(const struct btf_header *header, size_t size, const char *path,
				struct trouble *t)
{
	if (size < sizeof(*header))
		return damaged(path, t);
	if (header->magic == __builtin_bswap16(BTF_MAGIC))
		return trouble(t, STATUS_ARCH,
			       "%s: its BTF is of the other byte order: look at it on a machine like its own",
			       path);
	if (header->magic != BTF_MAGIC || header->hdr_len < sizeof(*header) ||
	    header->hdr_len % 4 || header->type_off % 4)
		return damaged(path, t);
	return STATUS_OK;
}

/*
 * libbpf 1.1 has btf__new_split() in its header, but not in the library: it takes what is
 * split from a file only.
 */
static struct btf *open_split(const void *bytes, size_t size, const struct ctypes *base)
{
	int fd = memfd_create("btf", MFD_CLOEXEC), error;
	struct btf *btf = NULL;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0 && write(fd, bytes, size) == size)
		btf = btf__parse_raw_split(path, base->btf);
	error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return btf;
}

/* Only the strings of a kernel start with an empty one */
bool ctypes_is_split(const void *bytes, size_t size)
{
	struct btf_header header;
	u64 strings;

	if (size < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	strings = (u64)header.hdr_len + header.str_off;
	return !header.str_len || (strings < size && ((const char *)bytes)[strings]);
}

enum status ctypes_open(struct ctypes *c, const void *bytes, size_t size,
			const struct ctypes *base, const char *path, struct trouble *t)
{
	struct btf_header header = {};
	enum status status;

	*c = (struct ctypes){ .base = base };
	libbpf_set_print(quiet);
	memcpy(&header, bytes, size < sizeof(header) ? size : sizeof(header));
	status = check_header(&header, size, path, t);
	if (status)
		return status;
	if (size > UINT32_MAX)
		return damaged(path, t);
	c->btf = base ? open_split(bytes, size, base) : btf__new(bytes, size);
	if (!c->btf && errno == ENOMEM)
		return trouble(t, STATUS_SYSTEM, "no memory");
	if (!c->btf)
		return damaged(path, t);
	/* The descriptions are those of a 64-bit machine: see collect.c */
	btf__set_pointer_size(c->btf, 8);
	c->strings = header.str_len + (base ? base->strings : 0);
	return check_types(c, path, t);
}

void ctypes_close(struct ctypes *c)
{
	free(c->names);
	btf__free(c->btf);
	*c = (struct ctypes){};
}

/* Names */

static bool kind_fits(const struct btf_type *type, const char *keyword)
{
	if (!strcmp(keyword, "struct"))
		return btf_is_struct(type);
	if (!strcmp(keyword, "union"))
		return btf_is_union(type);
	return btf_is_typedef(type);
}

static size_t find_own(const struct ctypes *c, const char *keyword, const char *name, u32 *ids,
		       size_t room)
{
	size_t low = 0, high = c->nr_names, nr = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(name_of(c, c->names[middle]), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; nr < room && low < c->nr_names && !strcmp(name_of(c, c->names[low]), name); low++)
		if (kind_fits(btf__type_by_id(c->btf, c->names[low]), keyword))
			ids[nr++] = c->names[low];
	return nr;
}

/* Next word of C, of at most 127 bytes */
static const char *next_word(const char *s, char *word)
{
	size_t len = 0;

	while (isspace((unsigned char)*s))
		s++;
	for (; isalnum((unsigned char)*s) || *s == '_'; s++)
		if (len < 127)
			word[len++] = *s;
	word[len] = 0;
	return s;
}

size_t ctypes_find(const struct ctypes *c, const char *text, u32 *ids, size_t room)
{
	char keyword[128], name[128];
	size_t nr = 0;

	do {
		text = next_word(text, keyword);
	} while (!strcmp(keyword, "const") || !strcmp(keyword, "volatile"));
	memcpy(name, keyword, sizeof(name));
	if (!strcmp(keyword, "struct") || !strcmp(keyword, "union"))
		next_word(text, name);
	for (; c && name[0] && nr < room; c = c->base)
		nr += find_own(c, keyword, name, ids + nr, room - nr);
	return nr;
}

const char *ctypes_name(const struct ctypes *c, u32 offset)
{
	return btf__name_by_offset(c->btf, offset);
}

/* Types */

static bool is_layer(const struct btf_type *type)
{
	return btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type);
}

u32 ctypes_id(const struct ctypes *c, u32 id)
{
	const struct btf_type *type = btf__type_by_id(c->btf, id);

	for (int i = 0; i < MAX_LAYERS && type && is_layer(type); i++) {
		id = type->type;
		type = btf__type_by_id(c->btf, id);
	}
	return id;
}

const struct btf_type *ctypes_type(const struct ctypes *c, u32 id)
{
	return btf__type_by_id(c->btf, ctypes_id(c, id));
}

u64 ctypes_bits(const struct ctypes *c, u32 id)
{
	s64 size = btf__resolve_size(c->btf, id);

	return size > 0 ? 8 * (u64)size : 0;
}

const char *ctypes_is(const struct ctypes *c, u32 id, const char *const *names)
{
	const struct btf_type *type = btf__type_by_id(c->btf, id);

	for (int i = 0; i < MAX_LAYERS && type; i++) {
		const char *name = ctypes_name(c, type->name_off);

		for (const char *const *n = names; *n; n++)
			if (!strcmp(*n, name))
				return *n;
		if (!is_layer(type))
			break;
		type = btf__type_by_id(c->btf, type->type);
	}
	return NULL;
}

/* What restoring must not write to: it is made anew with the object */
static const char *const own_types[] = {
	"mutex", "spinlock", "raw_spinlock", "qspinlock", "rwlock_t", "qrwlock", "rw_semaphore",
	"rt_mutex", "rt_mutex_base", "ww_mutex", "percpu_rw_semaphore", "lockdep_map", "list_head",
	"hlist_head", "hlist_node", "hlist_bl_node", "llist_head", "llist_node", "rb_node",
	"rb_root", "rb_root_cached", "plist_node", "xarray", "wait_queue_head",
	"wait_queue_entry", "swait_queue_head", "work_struct", "delayed_work", "timer_list",
	"hrtimer", "callback_head", "task_struct", NULL
};

const char *ctypes_own(const struct ctypes *c, u32 id)
{
	return ctypes_is(c, id, own_types);
}

static void type_text(const struct ctypes *c, u32 id, char *buf, size_t size, int depth)
{
	const struct btf_type *type = btf__type_by_id(c->btf, id);
	const char *name = type ? ctypes_name(c, type->name_off) : "?";
	char inner[96];

	if (!type || !btf_kind(type)) {
		snprintf(buf, size, "void");
	} else if (depth > MAX_LAYERS) {
		snprintf(buf, size, "...");
	} else if (btf_is_composite(type)) {
		snprintf(buf, size, "%s %s", btf_is_struct(type) ? "struct" : "union",
			 name[0] ? name : "{...}");
	} else if (btf_is_any_enum(type)) {
		snprintf(buf, size, "enum %s", name[0] ? name : "{...}");
	} else if (btf_is_fwd(type)) {
		snprintf(buf, size, "%s %s", btf_kflag(type) ? "union" : "struct", name);
	} else if (btf_is_ptr(type)) {
		type_text(c, type->type, inner, sizeof(inner), depth + 1);
		snprintf(buf, size, "%s%s*", inner,
			 inner[0] && inner[strlen(inner) - 1] == '*' ? "" : " ");
	} else if (btf_is_array(type)) {
		type_text(c, btf_array(type)->type, inner, sizeof(inner), depth + 1);
		snprintf(buf, size, "%s [%u]", inner, btf_array(type)->nelems);
	} else if (btf_is_func_proto(type)) {
		snprintf(buf, size, "function");
	} else if (btf_is_const(type)) {
		type_text(c, type->type, inner, sizeof(inner), depth + 1);
		snprintf(buf, size, "const %s", inner);
	} else if (is_layer(type) && !btf_is_typedef(type)) {
		type_text(c, type->type, buf, size, depth + 1);
	} else {
		snprintf(buf, size, "%s", name);
	}
}

const char *ctypes_text(const struct ctypes *c, u32 id, char *buf, size_t size)
{
	type_text(c, id, buf, size, 0);
	return buf;
}
