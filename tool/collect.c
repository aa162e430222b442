// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate collect: find the descriptions in the object files of an image, and write
 * them as a catalogue.
 *
 * The kernel's build runs it on vmlinux.o and on each module before their final
 * link. A description is C tables with pointers between them, which in a relocatable
 * object are relocations: the data sections are loaded, relocated to where they are
 * in this process, and given to the same code that makes schemas in the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/align.h>
#include <linux/slab.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/kstrtox.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include "mistakes.h"
#include "source.h"

/* Addresses are compared with those of the tables' layout on 64-bit machines */
#define DESCRIPTION_SIZE	sizeof(struct kstate_description)

/* Room that each symbol without data has for itself: see struct object */
#define NOWHERE			16

/**
 * struct object - an object file in memory
 * @path: of the file
 * @elf: the file
 * @arch: ELF machine number
 * @absolute: its type of relocation for a pointer
 * @nr_sections: sections of the file
 * @sections: where each one is in @memory, NULL if it is not loaded
 * @sizes: their bytes
 * @loaded: those that are loaded, by address
 * @nr_loaded: how many
 * @memory: the data sections
 * @room: bytes of @memory
 * @nowhere: unreadable memory: what functions and undefined symbols are made to
 *	point to, %NOWHERE bytes for each symbol
 * @nr_symbols: symbols
 * @symbols: the address of each in this process
 * @objects: symbols of data, by address
 * @nr_objects: how many
 * @descriptions: what has been found, by address
 * @nr_descriptions: how many
 * @tables: their tables, by address: references from there are no use
 * @nr_tables: how many
 */
struct object {
	const char *path;
	Elf *elf;
	u32 arch;
	u32 absolute;
	size_t nr_sections;
	u8 **sections;
	u64 *sizes;
	struct extent *loaded;
	size_t nr_loaded;
	u8 *memory;
	size_t room;
	u8 *nowhere;
	size_t nr_symbols;
	Elf_Data *symbol_data;
	size_t strings;
	u8 **symbols;
	struct extent *objects;
	size_t nr_objects;
	struct found *descriptions;
	size_t nr_descriptions;
	struct extent *tables;
	size_t nr_tables;
};

struct extent {
	const u8 *start;
	const u8 *end;
};

struct found {
	struct kstate_description *desc;
	u32 flags;
};

struct relocation {
	size_t section;
	bool code;
	u64 offset;
	u32 type;
	u8 *target;
};

static enum status no_memory(struct trouble *t)
{
	return trouble(t, STATUS_SYSTEM, "no memory");
}

static enum status damaged(const struct object *o, struct trouble *t)
{
	return trouble(t, STATUS_DAMAGED, "%s: not a whole ELF file: %s; build it again", o->path,
		       elf_errmsg(-1));
}

static int compare_extents(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* The extent that @p is in */
static const struct extent *find_extent(const struct extent *extents, size_t nr, const u8 *p)
{
	size_t low = 0;

	while (low < nr) {
		size_t middle = low + (nr - low) / 2;

		if (extents[middle].start > p)
			nr = middle;
		else if (middle + 1 < nr && extents[middle + 1].start <= p)
			low = middle + 1;
		else
			return p < extents[middle].end ? &extents[middle] : NULL;
	}
	return NULL;
}

/* How many descriptions are before @p */
static size_t descriptions_before(const struct object *o, const u8 *p)
{
	size_t low = 0, high = o->nr_descriptions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((u8 *)o->descriptions[middle].desc < p)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The description that @p is in */
static struct found *find_description(const struct object *o, const u8 *p)
{
	size_t before = descriptions_before(o, p + 1);
	struct found *found = before ? &o->descriptions[before - 1] : NULL;

	return found && p < (u8 *)found->desc + DESCRIPTION_SIZE ? found : NULL;
}

/* Bytes that can be read at @p, to the end of its section */
static size_t readable(const struct object *o, const void *p)
{
	const struct extent *section = find_extent(o->loaded, o->nr_loaded, p);

	return section ? section->end - (const u8 *)p : 0;
}

/*
 * Entries of a table at @p, to its end if it has a symbol, that can be read: all tables are
 * of 64-bit numbers and pointers.
 */
static size_t entries(const struct object *o, const void *p, size_t size)
{
	const struct extent *symbol = find_extent(o->objects, o->nr_objects, p);
	size_t room = readable(o, p);

	if (symbol)
		room = min_t(size_t, room, symbol->end - (const u8 *)p);
	return (uintptr_t)p % sizeof(u64) ? 0 : room / size;
}

static bool is_description(const struct object *o, const struct kstate_description *desc)
{
	const struct found *found = find_description(o, (const u8 *)desc);

	return found && found->desc == desc;
}

static bool is_string(const struct object *o, const char *s)
{
	size_t room = readable(o, s);

	return room && strnlen(s, room) < room;
}

/* Loading */

static bool is_data(const GElf_Shdr *header)
{
	return (header->sh_flags & SHF_ALLOC) && !(header->sh_flags & SHF_EXECINSTR) &&
	       (header->sh_type == SHT_PROGBITS || header->sh_type == SHT_NOBITS);
}

/* Where each data section goes; one byte apart, so that no end is another's start */
static enum status place_sections(struct object *o, u64 *offsets, struct trouble *t)
{
	GElf_Shdr header;
	Elf_Scn *section;
	size_t i;

	for (i = 1; i < o->nr_sections; i++) {
		section = elf_getscn(o->elf, i);
		if (!section || !gelf_getshdr(section, &header))
			return damaged(o, t);
		if (!is_data(&header))
			continue;
		if (header.sh_addralign > 1UL << 21 || header.sh_size > 1ULL << 32)
			return trouble(t, STATUS_DAMAGED,
				       "%s: section %zu is larger than any kernel's; build it again",
				       o->path, i);
		o->room = ALIGN(o->room + 1, max_t(u64, header.sh_addralign, 16));
		offsets[i] = o->room;
		o->sizes[i] = header.sh_size;
		o->room += header.sh_size;
	}
	o->room = ALIGN(o->room + 1, 4096);
	return STATUS_OK;
}

static enum status load_sections(struct object *o, struct trouble *t)
{
	u64 *offsets = calloc(o->nr_sections, sizeof(*offsets));
	enum status status;
	size_t i;

	status = offsets ? place_sections(o, offsets, t) : no_memory(t);
	if (!status) {
		o->memory = mmap(NULL, o->room, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (o->memory == MAP_FAILED) {
			o->memory = NULL;
			status = no_memory(t);
		}
	}
	for (i = 1; !status && i < o->nr_sections; i++) {
		Elf_Data *data;

		if (!offsets[i])
			continue;
		o->sections[i] = o->memory + offsets[i];
		o->loaded[o->nr_loaded++] = (struct extent){
			.start = o->sections[i], .end = o->sections[i] + o->sizes[i],
		};
		data = elf_rawdata(elf_getscn(o->elf, i), NULL);
		if (data && data->d_buf)
			memcpy(o->sections[i], data->d_buf, min_t(u64, data->d_size, o->sizes[i]));
		else if (!data)
			status = damaged(o, t);
	}
	free(offsets);
	return status;
}

static void add_object(struct object *o, const GElf_Sym *symbol, u8 *address, size_t section)
{
	if (GELF_ST_TYPE(symbol->st_info) != STT_OBJECT || !symbol->st_size ||
	    symbol->st_size > o->sizes[section])
		return;
	o->objects[o->nr_objects++] = (struct extent){
		.start = address, .end = address + symbol->st_size,
	};
}

static enum status load_symbols(struct object *o, Elf_Data *indices, struct trouble *t)
{
	size_t i, section;
	GElf_Word index;
	GElf_Sym symbol;

	o->symbols = calloc(o->nr_symbols, sizeof(*o->symbols));
	o->objects = calloc(o->nr_symbols, sizeof(*o->objects));
	o->nowhere = mmap(NULL, o->nr_symbols * NOWHERE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (o->nowhere == MAP_FAILED)
		o->nowhere = NULL;
	if (!o->symbols || !o->objects || !o->nowhere)
		return no_memory(t);
	for (i = 1; i < o->nr_symbols; i++) {
		if (!gelf_getsymshndx(o->symbol_data, indices, i, &symbol, &index))
			return damaged(o, t);
		section = symbol.st_shndx == SHN_XINDEX ? index : symbol.st_shndx;
		if (section < o->nr_sections && o->sections[section] &&
		    symbol.st_value <= o->sizes[section]) {
			o->symbols[i] = o->sections[section] + symbol.st_value;
			add_object(o, &symbol, o->symbols[i], section);
		} else {
			o->symbols[i] = o->nowhere + i * NOWHERE;
		}
	}
	qsort(o->objects, o->nr_objects, sizeof(*o->objects), compare_extents);
	return STATUS_OK;
}

static enum status find_symbols(struct object *o, struct trouble *t)
{
	Elf_Data *indices = NULL;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(o->elf, section))) {
		if (!gelf_getshdr(section, &header))
			return damaged(o, t);
		if (header.sh_type == SHT_SYMTAB_SHNDX)
			indices = elf_getdata(section, NULL);
		if (header.sh_type != SHT_SYMTAB)
			continue;
		o->symbol_data = elf_getdata(section, NULL);
		o->strings = header.sh_link;
		if (!o->symbol_data)
			return damaged(o, t);
		o->nr_symbols = o->symbol_data->d_size /
				gelf_fsize(o->elf, ELF_T_SYM, 1, EV_CURRENT);
	}
	if (!o->nr_symbols)
		return trouble(t, STATUS_FOREIGN,
			       "%s: has no symbols: it must be collected from before it is stripped",
			       o->path);
	return load_symbols(o, indices, t);
}

/* Name of what was made to point to nowhere */
static const char *symbol_name(const struct object *o, const void *p)
{
	size_t i = (size_t)((const u8 *)p - o->nowhere) / NOWHERE;
	const char *name = NULL;
	GElf_Sym symbol;

	if ((const u8 *)p >= o->nowhere && i < o->nr_symbols &&
	    gelf_getsym(o->symbol_data, i, &symbol))
		name = elf_strptr(o->elf, o->strings, symbol.st_name);
	return name && name[0] ? name : "?";
}

/* Relocations */

typedef enum status relocation_fn(struct object *o, const struct relocation *r, struct trouble *t);

static enum status each_in_section(struct object *o, Elf_Scn *section, struct relocation *r,
				   relocation_fn *fn, struct trouble *t)
{
	Elf_Data *data = elf_getdata(section, NULL);
	enum status status = STATUS_OK;
	GElf_Rela rela;
	int i;

	if (!data)
		return damaged(o, t);
	for (i = 0; !status && gelf_getrela(data, i, &rela); i++) {
		size_t symbol = GELF_R_SYM(rela.r_info);

		if (!symbol || symbol >= o->nr_symbols)
			continue;
		r->offset = rela.r_offset;
		r->type = GELF_R_TYPE(rela.r_info);
		r->target = o->symbols[symbol];
		if (r->target < o->nowhere || r->target >= o->nowhere + o->nr_symbols * NOWHERE)
			r->target = (u8 *)((uintptr_t)r->target + rela.r_addend);
		status = fn(o, r, t);
	}
	return status;
}

/* Call @fn for each relocation of what is loaded into a kernel, and of exports */
static enum status each_relocation(struct object *o, relocation_fn *fn, struct trouble *t)
{
	enum status status = STATUS_OK;
	GElf_Shdr header, to;
	Elf_Scn *section = NULL;
	const char *name;
	size_t names;

	if (elf_getshdrstrndx(o->elf, &names))
		return damaged(o, t);
	while (!status && (section = elf_nextscn(o->elf, section))) {
		struct relocation r = {};

		if (!gelf_getshdr(section, &header))
			return damaged(o, t);
		if (header.sh_type != SHT_RELA)
			continue;
		r.section = header.sh_info;
		if (r.section >= o->nr_sections ||
		    !gelf_getshdr(elf_getscn(o->elf, r.section), &to))
			return damaged(o, t);
		name = elf_strptr(o->elf, names, to.sh_name);
		if (!(to.sh_flags & SHF_ALLOC) && (!name || strcmp(name, ".export_symbol")))
			continue;
		r.code = to.sh_flags & SHF_EXECINSTR;
		status = each_in_section(o, section, &r, fn, t);
	}
	return status;
}

static u8 *place_of(const struct object *o, const struct relocation *r, size_t size)
{
	if (!o->sections[r->section] || r->offset > o->sizes[r->section] ||
	    size > o->sizes[r->section] - r->offset)
		return NULL;
	return o->sections[r->section] + r->offset;
}

static enum status apply(struct object *o, const struct relocation *r, struct trouble *t)
{
	u8 *place = place_of(o, r, sizeof(void *));

	if (place && r->type == o->absolute)
		memcpy(place, &r->target, sizeof(void *));
	return STATUS_OK;
}

/* Finding descriptions */

/* Names in the namespace "kunit" are those of tests: no kernel hands them to another */
static bool is_test(const struct kstate_description *desc)
{
	return !strcmp(desc->name, "kunit") || !strncmp(desc->name, "kunit,", 6);
}

#define TABLES_MAGIC	0xffff0000

static bool is_kind(enum kstate_kind kind)
{
	return kind >= KS_BASE_TYPE && kind <= KS_HLIST;
}

/*
 * Entries of a list of fields with its end, or 0 if it is none. What has been
 * relocated points to where it should; what is just bytes does not.
 */
static size_t count_fields(const struct object *o, const struct kstate_field *fields)
{
	size_t room = entries(o, fields, sizeof(*fields)), i;

	for (i = 0; i < room; i++) {
		if (fields[i].kind == KS_END)
			return i + 1;
		if (!is_kind(fields[i].kind) || !is_string(o, fields[i].name))
			return 0;
	}
	return 0;
}

static bool is_bool(const bool *b)
{
	return *(const u8 *)b <= 1;
}

/* The description whose member fields is at @place, if it is one */
static struct kstate_description *description_at(const struct object *o, u8 *place)
{
	struct kstate_description *desc;

	desc = (void *)(place - offsetof(struct kstate_description, fields));
	if (!entries(o, desc, sizeof(*desc)) || desc->schema || !is_string(o, desc->name) ||
	    !is_bool(&desc->optional) || !is_bool(&desc->string_key))
		return NULL;
	return desc;
}

/* A variable that is as large as a description, with a table of fields where one has it */
static bool is_whole_description(const struct object *o, u8 *place)
{
	const struct extent *whole = find_extent(o->objects, o->nr_objects, place);
	const struct kstate_description *desc =
		(void *)(place - offsetof(struct kstate_description, fields));

	return whole && whole->start == (u8 *)desc && whole->end == (u8 *)(desc + 1) &&
	       !is_string(o, desc->name);
}

static enum status find(struct object *o, const struct relocation *r, struct trouble *t)
{
	u8 *place = place_of(o, r, sizeof(void *));
	const struct kstate_field *fields = (void *)r->target;
	struct kstate_description *desc;
	struct found *more;

	if (!place || r->type != o->absolute || !entries(o, fields, sizeof(*fields)) ||
	    (fields->kind & TABLES_MAGIC) != (KSTATE_TABLES & TABLES_MAGIC))
		return STATUS_OK;
	desc = description_at(o, place);
	if (!desc && is_whole_description(o, place))
		return trouble(t, STATUS_BLOCKED,
			       "%s: a description of field \"%s\" has no name that is text of this object: give it one, in quotation marks",
			       o->path, is_string(o, fields->name) ? fields->name : "?");
	/* Another relocation of the same place may have been the last */
	if (!desc || desc->fields != fields || is_test(desc))
		return STATUS_OK;
	if ((fields->kind & ~0xff) != KSTATE_TABLES)
		return trouble(t, STATUS_NEWER,
			       "%s: description %s: built with tables of layout %#x, this command knows %#x: build the command from the sources of that kernel",
			       o->path, desc->name, fields->kind & ~0xff, KSTATE_TABLES);
	if (!count_fields(o, fields))
		return trouble(t, STATUS_BLOCKED,
			       "%s: description %s: expected known kinds and names of fields, and KSTATE_END_OF_LIST() at the end, found other bytes",
			       o->path, desc->name);
	more = realloc(o->descriptions, (o->nr_descriptions + 1) * sizeof(*more));
	if (!more)
		return no_memory(t);
	o->descriptions = more;
	o->descriptions[o->nr_descriptions++] = (struct found){ .desc = desc };
	return STATUS_OK;
}

static int compare_descriptions(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->desc < y->desc ? -1 : x->desc > y->desc;
}

/* What descriptions point to must be there before anything reads it */

static enum status not_here(const struct object *o, const struct kstate_description *desc,
			    const struct kstate_field *field, const char *what, const void *p,
			    struct trouble *t)
{
	return trouble(t, STATUS_BLOCKED,
		       "%s: description %s, field %s: its %s (%s) is not in this object file: a description and all it refers to must be in one image",
		       o->path, desc->name, field->name, what, symbol_name(o, p));
}

static enum status no_end(const struct object *o, const struct kstate_description *desc,
			  const struct kstate_field *field, const char *what, struct trouble *t)
{
	return trouble(t, STATUS_BLOCKED,
		       "%s: description %s, field %s: its %s has no end: add an empty entry, {}, after the last",
		       o->path, desc->name, field->name, what);
}

static enum status check_arms(const struct object *o, const struct kstate_description *desc,
			      const struct kstate_field *field, size_t *nr, struct trouble *t)
{
	size_t room = entries(o, field->arms, sizeof(*field->arms));
	const struct kstate_arm *arm = field->arms;

	for (*nr = 0; *nr < room; ++*nr, arm++) {
		if (!arm->name)
			return STATUS_OK;
		if (!is_string(o, arm->name))
			return not_here(o, desc, field, "name of an arm", arm->name, t);
		if (arm->ksd && !is_description(o, arm->ksd))
			return not_here(o, desc, field, "description of an arm", arm->ksd, t);
	}
	return room ? no_end(o, desc, field, "list of arms", t) :
		      not_here(o, desc, field, "list of arms", field->arms, t);
}

static enum status check_flags(const struct object *o, const struct kstate_description *desc,
			       const struct kstate_field *field, struct trouble *t)
{
	const char *what = field->enumerated ? "table of names of values" : "table of flag names";
	const struct kstate_flag_name *flag = field->flag_names;
	size_t room = entries(o, flag, sizeof(*flag)), i;

	for (i = 0; i < room; i++, flag++) {
		if (!flag->name)
			return STATUS_OK;
		if (!is_string(o, flag->name))
			return not_here(o, desc, field, what, flag->name, t);
	}
	return room ? no_end(o, desc, field, what, t) :
		      not_here(o, desc, field, what, field->flag_names, t);
}

static bool aliases_are_here(const struct object *o, const char *const *alias)
{
	size_t room = entries(o, alias, sizeof(*alias));

	for (; room && *alias; room--, alias++)
		if (!is_string(o, *alias))
			return false;
	return room;
}

static void add_table(struct object *o, const void *start, size_t size)
{
	o->tables[o->nr_tables++] = (struct extent){ .start = start, .end = start + size };
}

/* No type, or an integer as the macros know them */
static bool is_type(enum kstate_type type)
{
	return !type || ((u32)type < KS_T_STRUCT && hweight32(__kstate_size(type)) == 1);
}

static enum status check_field(struct object *o, const struct kstate_description *desc,
			       const struct kstate_field *field, struct trouble *t)
{
	size_t arms = 0;
	enum status status;

	if (!is_type(field->type) || !is_type(field->length.type))
		return trouble(t, STATUS_BLOCKED,
			       "%s: description %s, field %s: expected integer types, found %#x and %#x: use the macros of linux/kstate.h",
			       o->path, desc->name, field->name, field->type, field->length.type);
	if (field->of && !is_string(o, field->of))
		return not_here(o, desc, field, "C type", field->of, t);
	if (field->reason && !is_string(o, field->reason))
		return not_here(o, desc, field, "reason", field->reason, t);
	if (field->aliases && !aliases_are_here(o, field->aliases))
		return not_here(o, desc, field, "list of aliases", field->aliases, t);
	status = field->flag_names ? check_flags(o, desc, field, t) : STATUS_OK;
	if (status)
		return status;
	if (field->kind == KS_UNION && field->arms) {
		status = check_arms(o, desc, field, &arms, t);
		if (status)
			return status;
		add_table(o, field->arms, (arms + 1) * sizeof(*field->arms));
	} else if (field->ksd && !is_description(o, field->ksd)) {
		return not_here(o, desc, field, "description", field->ksd, t);
	}
	return STATUS_OK;
}

static enum status check_descriptions(struct object *o, struct trouble *t)
{
	size_t i, j, nr = 0;
	enum status status;

	for (i = 0; i < o->nr_descriptions; i++)
		nr += 2 + count_fields(o, o->descriptions[i].desc->fields);
	o->tables = calloc(nr + 1, sizeof(*o->tables));
	if (!o->tables)
		return no_memory(t);
	for (i = 0; i < o->nr_descriptions; i++) {
		struct kstate_description *desc = o->descriptions[i].desc;

		nr = count_fields(o, desc->fields);
		add_table(o, desc, sizeof(*desc));
		add_table(o, desc->fields, nr * sizeof(*desc->fields));
		for (j = 0; j + 1 < nr; j++) {
			status = check_field(o, desc, &desc->fields[j], t);
			if (status)
				return status;
		}
	}
	qsort(o->tables, o->nr_tables, sizeof(*o->tables), compare_extents);
	return STATUS_OK;
}

/* Who uses them */

/* Relocations of instructions that count from their end, most often 4 bytes on */
static bool counts_from_end(const struct object *o, u32 type)
{
	return o->arch == EM_X86_64 &&
	       (type == R_X86_64_PC32 || type == R_X86_64_PLT32 || type == R_X86_64_GOTPCREL ||
		type == R_X86_64_GOTPCRELX || type == R_X86_64_REX_GOTPCRELX);
}

/* A reference to a struct or an array uses the descriptions in it */
static void use(struct object *o, const u8 *p)
{
	const struct extent *whole = find_extent(o->objects, o->nr_objects, p);
	struct found *found = find_description(o, p);
	size_t i;

	if (found)
		found->flags |= KSTATE_STATE_USED;
	if (!whole)
		return;
	for (i = descriptions_before(o, whole->start); i < o->nr_descriptions &&
	     (u8 *)o->descriptions[i].desc < whole->end; i++)
		o->descriptions[i].flags |= KSTATE_STATE_USED;
}

/*
 * A constant of up to 4 bytes may stand between the address and the end of the
 * instruction. What looks like the end of one object is then the start of the next; it
 * is, if the first one is a description, in whose last bytes no member starts.
 */
static void use_from_end(struct object *o, const u8 *target)
{
	const struct extent *whole = find_extent(o->objects, o->nr_objects, target + 4);
	bool last = whole && whole->end - (target + 4) <= 4;

	if (!last || !find_description(o, target + 4))
		use(o, target + 4);
	if (!whole || last)
		use(o, target + 8);
}

static enum status note_use(struct object *o, const struct relocation *r, struct trouble *t)
{
	u8 *place = place_of(o, r, 1);
	struct found *found;

	if (place && find_extent(o->tables, o->nr_tables, place)) {
		found = find_description(o, r->target);
		if (found)
			found->flags |= KSTATE_STATE_NESTED;
	} else if (r->code && counts_from_end(o, r->type)) {
		use_from_end(o, r->target);
	} else {
		use(o, r->target);
	}
	return STATUS_OK;
}

/* Writing */

struct text {
	char *bytes;
	size_t size;
};

static u32 add_text(struct text *text, const char *s)
{
	u32 at = text->size;

	if (!s || !s[0])
		return 0;
	text->size += strlen(s) + 1;
	memcpy(text->bytes + at, s, strlen(s) + 1);
	return at;
}

static void add_member(struct kstate_wire_member *m, struct text *text,
		       const struct kstate_field *field, const struct kstate_schema *schema)
{
	u32 i;

	*m = (struct kstate_wire_member){
		.name = cpu_to_le32(add_text(text, field->name)),
		.reason = cpu_to_le32(add_text(text, field->reason)),
		.offset = cpu_to_le32(field->offset),
		.size = cpu_to_le32(field->size),
		.num = cpu_to_le32(field->num ?: 1),
		.field = cpu_to_le32(KSTATE_NO_REF),
		.kind = field->kind & 0xff,
		.type = field->type,
		.modifiers = cpu_to_le16(field->modifiers),
	};
	for (i = 0; i < schema->nr_fields; i++)
		if (schema->fields[i].bind == field && kstate_has_data(&schema->fields[i])) {
			m->field = cpu_to_le32(i);
			break;
		}
}

/* The member that holds the length or the tag */
static void add_length(struct kstate_wire_member *m, const struct kstate_member *length)
{
	*m = (struct kstate_wire_member){
		.offset = cpu_to_le32(length->offset),
		.size = cpu_to_le32(__kstate_size(length->type)),
		.num = cpu_to_le32(1),
		.field = cpu_to_le32(KSTATE_NO_REF),
		.type = length->type,
	};
}

/* The payload of a state's record */
static u8 *state_bytes(const struct found *found, const struct kstate_schema *schema,
		       const char *image, u32 *size)
{
	const struct kstate_field *fields = found->desc->fields, *field;
	size_t room = strlen(image) + 3, nr = 0;
	struct kstate_wire_member *members;
	struct kstate_wire_state *state;
	const char *type = NULL;
	struct text text;
	u8 *bytes;

	for (field = fields; field->kind != KS_END; field++) {
		nr += 1 + !!field->length.type;
		room += strlen(field->name) + 1;
		room += field->reason ? strlen(field->reason) + 1 : 0;
		if (!type && field->of)
			type = field->of;
	}
	room += type ? strlen(type) + 1 : 0;
	bytes = kvzalloc(sizeof(*state) + nr * sizeof(*members) + ALIGN(room, 8), GFP_KERNEL);
	if (!bytes)
		return NULL;
	state = (void *)bytes;
	members = (void *)(state + 1);
	/* The first string is empty */
	text = (struct text){ .bytes = (char *)(members + nr), .size = 1 };

	state->flags = cpu_to_le32(found->flags | (found->desc->string_key ?
						   KSTATE_STATE_STRING_KEY : 0));
	state->image = cpu_to_le32(add_text(&text, image));
	state->type = cpu_to_le32(add_text(&text, type));
	nr = 0;
	for (field = fields; field->kind != KS_END; field++) {
		if (field->kind == KS_REMOVED)
			continue;
		add_member(&members[nr++], &text, field, schema);
		if (field->length.type)
			add_length(&members[nr++], &field->length);
	}
	/* Strings follow the members, of which there may be fewer than room for */
	memmove(members + nr, text.bytes, text.size);
	text.bytes = (char *)(members + nr);
	memset(text.bytes + text.size, 0, ALIGN(text.size, 8) - text.size);
	state->nr_members = cpu_to_le32(nr);
	state->strings = cpu_to_le32(text.size);
	*size = (u8 *)text.bytes + ALIGN(text.size, 8) - bytes;
	return bytes;
}

static enum status refused(const struct object *o, const struct kstate_error *err,
			   struct trouble *t)
{
	char text[512];

	if (err->reason == KSTATE_NO_MEMORY)
		return no_memory(t);
	kstate_error_text(err, text, sizeof(text));
	return trouble(t, STATUS_BLOCKED, "%s: %s", o->path, text);
}

static enum status add_state(const struct object *o, const struct found *found,
			     const char *image, struct kstate_set *set, struct trouble *t)
{
	/* What has been checked must stay as it is: have the core note its schema elsewhere */
	struct kstate_description copy = *found->desc;
	enum status status = STATUS_OK;
	struct kstate_error err = {};
	struct kstate_schema *schema;
	u8 *bytes = NULL;
	u32 id, size;

	schema = kstate_describe(&copy, &err);
	if (IS_ERR(schema))
		return refused(o, &err, t);
	if (kstate_set_schema(set, schema, &id, &err))
		status = refused(o, &err, t);
	else
		bytes = state_bytes(found, schema, image, &size);
	kstate_forget(&copy);
	if (status || (bytes && !kstate_set_add_state(set, id, bytes, size)))
		return status;
	kvfree(bytes);
	return no_memory(t);
}

static enum status add_states(const struct object *o, const char *image, struct kstate_set *set,
			      struct trouble *t)
{
	enum status status = STATUS_OK;
	size_t i;

	for (i = 0; !status && i < o->nr_descriptions; i++) {
		status = add_state(o, &o->descriptions[i], image, set, t);
		status = status ?: find_mistakes(o->descriptions[i].desc, o->path, t);
	}
	return status;
}

/* One object from file to states */

static enum status check_kind_of_file(struct object *o, struct trouble *t)
{
	GElf_Ehdr header;

	if (elf_kind(o->elf) != ELF_K_ELF || !gelf_getehdr(o->elf, &header))
		return trouble(t, STATUS_FOREIGN, "%s: not an ELF file", o->path);
	if (header.e_type != ET_REL)
		return trouble(t, STATUS_FOREIGN,
			       "%s: not an object file before its final link, as vmlinux.o is",
			       o->path);
	o->arch = header.e_machine;
	if (o->arch == EM_X86_64)
		o->absolute = R_X86_64_64;
	else if (o->arch == EM_AARCH64)
		o->absolute = R_AARCH64_ABS64;
	if (!o->absolute || gelf_getclass(o->elf) != ELFCLASS64 ||
	    header.e_ident[EI_DATA] != ELFDATA2LSB)
		return trouble(t, STATUS_ARCH,
			       "%s: of ELF machine %u, whose objects this command cannot read: it knows x86-64 and little-endian arm64",
			       o->path, o->arch);
	if (elf_getshdrnum(o->elf, &o->nr_sections))
		return damaged(o, t);
	o->sections = calloc(o->nr_sections + 1, sizeof(*o->sections));
	o->sizes = calloc(o->nr_sections + 1, sizeof(*o->sizes));
	o->loaded = calloc(o->nr_sections + 1, sizeof(*o->loaded));
	return o->sections && o->sizes && o->loaded ? STATUS_OK : no_memory(t);
}

static enum status read_object(struct object *o, struct trouble *t)
{
	enum status status = check_kind_of_file(o, t);

	status = status ?: load_sections(o, t);
	status = status ?: find_symbols(o, t);
	status = status ?: each_relocation(o, apply, t);
	status = status ?: each_relocation(o, find, t);
	if (status || !o->nr_descriptions)
		return status;
	qsort(o->descriptions, o->nr_descriptions, sizeof(*o->descriptions), compare_descriptions);
	status = check_descriptions(o, t);
	return status ?: each_relocation(o, note_use, t);
}

static void free_object(struct object *o)
{
	if (o->memory)
		munmap(o->memory, o->room);
	if (o->nowhere)
		munmap(o->nowhere, o->nr_symbols * NOWHERE);
	free(o->sections);
	free(o->sizes);
	free(o->loaded);
	free(o->symbols);
	free(o->objects);
	free(o->descriptions);
	free(o->tables);
	elf_end(o->elf);
}

static enum status collect_elf(int fd, const char *path, const char *image,
			       struct kstate_set *set, bool *registers, struct trouble *t)
{
	struct object o = { .path = path, .elf = elf_begin(fd, ELF_C_READ_MMAP, NULL) };
	enum status status;

	status = o.elf ? read_object(&o, t) : damaged(&o, t);
	if (!status && set->arch != EM_NONE && set->arch != o.arch)
		status = trouble(t, STATUS_ARCH, "%s: of another architecture than the others",
				 path);
	set->arch = o.arch;
	status = status ?: add_states(&o, image, set, t);
	*registers |= !status && elf_registers(o.elf);
	free_object(&o);
	return status;
}

static enum status collect(const char *path, const char *image, struct kstate_set *set,
			   bool *registers, struct trouble *t)
{
	const char *base = strrchr(path, '/');
	enum status status;
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "%s", image ?: base ? base + 1 : path);
	if (!image && strlen(name) > 2 && !strcmp(name + strlen(name) - 2, ".o"))
		name[strlen(name) - 2] = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return trouble(t, STATUS_INPUT, "%s: %s", path, strerror(errno));
	status = collect_elf(fd, path, name, set, registers, t);
	close(fd);
	return status;
}

/* No descriptions, no file: the build then links nothing in */
static enum status remove_catalogue(const char *path, struct trouble *t)
{
	struct stat st;

	/* Not devices */
	if ((!stat(path, &st) && !S_ISREG(st.st_mode)) || !unlink(path) || errno == ENOENT)
		return STATUS_OK;
	return trouble(t, STATUS_SYSTEM, "%s: cannot remove it: %s", path, strerror(errno));
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

enum { OPTION_RELEASE = 0x200, OPTION_IMAGE, OPTION_ALWAYS, OPTION_PAGE_SIZE };

static const struct argp_option collect_options[] = {
	{ "release", OPTION_RELEASE, "RELEASE", 0, "Release of the kernel, as uname -r has it", 0 },
	{ "image", OPTION_IMAGE, "NAME", 0,
	  "Name of the image: vmlinux, or that of a module (default: that of OBJECT)", 0 },
	{ "page-size", OPTION_PAGE_SIZE, "BYTES", 0,
	  "Page size of the kernel, which its objects do not tell (default: 4096)", 0 },
	{ "always", OPTION_ALWAYS, NULL, 0, "Write a catalogue also if nothing is described", 0 },
	{ "output", 'o', "FILE", 0, "Where the catalogue goes; removed if there is none", 0 },
	{}
};

struct collect_arguments {
	const char *release;
	const char *image;
	const char *output;
	u32 page_size;
	bool always;
	char **objects;
	int nr_objects;
};

static error_t parse_collect(int key, char *arg, struct argp_state *state)
{
	struct collect_arguments *a = state->input;

	switch (key) {
	case OPTION_RELEASE:
		a->release = arg;
		return 0;
	case OPTION_IMAGE:
		a->image = arg;
		return 0;
	case OPTION_PAGE_SIZE:
		if (kstrtou32(arg, 0, &a->page_size) || !is_power_of_2(a->page_size))
			argp_error(state, "takes a page size that is a power of two, not %s", arg);
		return 0;
	case OPTION_ALWAYS:
		a->always = true;
		return 0;
	case 'o':
		a->output = arg;
		return 0;
	case ARGP_KEY_ARGS:
		a->objects = state->argv + state->next;
		a->nr_objects = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!a->nr_objects || !a->output)
			argp_error(state, "needs -o FILE and at least one OBJECT");
		if (!a->release[0] || strlen(a->release) >= sizeof_field(struct kstate_header, release))
			argp_error(state, "takes a release of 1 to %zu bytes",
				   sizeof_field(struct kstate_header, release) - 1);
		for (int i = 0; i < a->nr_objects; i++)
			if (is_same_file(a->output, a->objects[i]))
				argp_error(state, "%s would be overwritten: -o needs a file of its own",
					   a->objects[i]);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp collect_argp = {
	.options = collect_options,
	.parser = parse_collect,
	.args_doc = "-o FILE OBJECT...",
	.doc = "Find the descriptions in object files (vmlinux.o, or a module's before its final link), check them, and write them to FILE as a catalogue.\vThe kernel's build does this: see CONFIG_KSTATE_CATALOG. A description that KSTATE would refuse when it runs makes the build fail.",
	.children = common_options,
};

enum status command_collect(int argc, char **argv, struct trouble *t)
{
	struct collect_arguments a = { .release = "unknown", .page_size = 4096 };
	enum status status = STATUS_OK;
	bool registers = false;
	struct kstate_set *set;
	int i;

	if (argp_parse(&collect_argp, argc, argv, 0, NULL, &a))
		return trouble(t, STATUS_SYSTEM, "no memory");
	if (sizeof(void *) != 8 || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return trouble(t, STATUS_ARCH,
			       "collect works on 64-bit little-endian machines only: build there");
	elf_version(EV_CURRENT);
	set = kstate_memory_create();
	if (!set)
		return no_memory(t);
	set->limits = true;
	set->arch = EM_NONE;
	set->page_size = a.page_size;
	strscpy(set->writer, a.release, sizeof(set->writer));
	for (i = 0; !status && i < a.nr_objects; i++)
		status = collect(a.objects[i], a.image, set, &registers, t);
	/* What it describes may be for tests, or made as it runs: then the catalogue is empty */
	if (!status && list_empty(&set->states) && !a.always && !registers)
		status = remove_catalogue(a.output, t);
	else if (!status)
		status = source_write(set, a.output, t);
	kstate_set_destroy(set);
	return status;
}
