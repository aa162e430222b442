// SPDX-License-Identifier: GPL-2.0-only
/*
 * A description against the struct that it describes: what it says of each member,
 * and which members it says nothing of.
 *
 * Members are found by name, as the compiler has found them, and where that does not
 * work by their offset. Which bytes are described is kept in bits, so that members of
 * unions, of nested structs and of parts of arrays count as what they are. All loops
 * have a budget: types may be hostile.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <linux/array_size.h>
#include <linux/minmax.h>
#include "lint.h"

#define MAX_CANDIDATES	16	/* types with one name */
#define MAX_NESTING	24	/* structs inside each other */
#define MAX_PLACES	32	/* members that start at the same byte */
#define BUDGET		1200000	/* members to look at for one description: all that it can have, each for each field */

/* Bits that are described, in order and apart from each other */
struct cover {
	u64 start;
	u64 end;
};

/**
 * struct place - a member, or an element of one
 * @type: its type
 * @bit: where it starts
 * @bits: its size, of bitfields too
 * @room: of an element, how many there are from it on; otherwise 0
 * @bitfield: it is one
 * @owner: a type of this kernel's own that it is inside of, or NULL
 */
struct place {
	u32 type;
	u64 bit;
	u64 bits;
	u64 room;
	bool bitfield;
	const char *owner;
};

/**
 * struct check - one description and one struct
 * @all: all descriptions
 * @which: the description
 * @types: types of its image
 * @root: number of the struct
 * @findings: what was found
 * @budget: how many members may still be looked at
 * @cover: bits that are described
 * @nr_cover: entries of @cover
 * @room: entries that there is room for
 * @data_end: where the last member with a size ends
 * @flexible: where a member without a size is described, or %NOWHERE
 */
struct check {
	const struct catalogue *all;
	struct described *which;
	const struct ctypes *types;
	u32 root;
	struct findings findings;
	u32 budget;
	struct cover *cover;
	size_t nr_cover;
	size_t room;
	u64 data_end;
	u64 flexible;
};

#define NOWHERE		U64_MAX

static const char *const address_types[] = { "uintptr_t", NULL };

static bool spend(struct check *c)
{
	if (c->budget)
		c->budget--;
	return c->budget;
}

/* Bits that are described */

static void cover(struct check *c, u64 start, u64 bits)
{
	struct cover new = { .start = start, .end = start + bits };
	size_t i = 0, after;

	if (!bits || new.end < start)
		return;
	while (i < c->nr_cover && c->cover[i].end < new.start)
		i++;
	for (after = i; after < c->nr_cover && c->cover[after].start <= new.end; after++) {
		new.start = min(new.start, c->cover[after].start);
		new.end = max(new.end, c->cover[after].end);
	}
	if (after == i && c->nr_cover == c->room) {
		size_t room = c->room ? 2 * c->room : 64;
		struct cover *more = realloc(c->cover, room * sizeof(*more));

		if (!more) {
			c->findings.no_memory = true;
			return;
		}
		c->cover = more;
		c->room = room;
	}
	memmove(c->cover + i + 1, c->cover + after, (c->nr_cover - after) * sizeof(*c->cover));
	c->nr_cover += 1 + i - after;
	c->cover[i] = new;
}

/* The first bits of [@start, @end) that are not described */
static bool find_gap(const struct check *c, u64 start, u64 end, struct cover *gap)
{
	size_t i = 0;

	while (i < c->nr_cover && c->cover[i].end <= start)
		i++;
	if (i < c->nr_cover && c->cover[i].start <= start)
		start = c->cover[i++].end;
	if (start >= end)
		return false;
	gap->start = start;
	gap->end = i < c->nr_cover ? min(end, c->cover[i].start) : end;
	return true;
}

/* Findings */

static const char *type_text(const struct check *c, u32 type)
{
	static char text[2][112];
	static int which;

	which = !which;
	return ctypes_text(c->types, type, text[which], sizeof(text[which]));
}

/* A sentence that starts with the struct and the member */
__printf(6, 7)
static void find(struct check *c, const char *kind, bool blocked, const char *name,
		 const struct place *p, const char *fmt, ...)
{
	struct finding *f = add_finding(&c->findings, kind, blocked);
	char bit[32] = "";
	va_list args;
	size_t len;

	if (!f)
		return;
	snprintf(f->member, sizeof(f->member), "%s", name);
	f->offset = p->bit / 8;
	ctypes_text(c->types, p->type, f->ctype, sizeof(f->ctype));
	if (p->bitfield && p->bits == 1)
		snprintf(bit, sizeof(bit), ", bit %u", (u32)(p->bit % 8));
	else if (p->bitfield)
		snprintf(bit, sizeof(bit), ", bits %u to %u", (u32)(p->bit % 8),
			 (u32)(p->bit % 8 + p->bits - 1));
	snprintf(f->text, sizeof(f->text), "%s: member \"%s\" (%s, offset %lld%s) ",
		 c->which->d.type, f->member, f->ctype, (long long)f->offset, bit);
	len = strlen(f->text);
	va_start(args, fmt);
	vsnprintf(f->text + len, sizeof(f->text) - len, fmt, args);
	va_end(args);
}

/* What is not about a member that there is */
__printf(5, 6)
static void find_other(struct check *c, const char *kind, const char *name, u32 offset,
		       const char *fmt, ...)
{
	struct finding *f = add_finding(&c->findings, kind, true);
	va_list args;
	size_t len;

	if (!f)
		return;
	snprintf(f->member, sizeof(f->member), "%s", name);
	f->offset = offset;
	snprintf(f->text, sizeof(f->text), "%s: field \"%s\" ", c->which->d.type, name);
	len = strlen(f->text);
	va_start(args, fmt);
	vsnprintf(f->text + len, sizeof(f->text) - len, fmt, args);
	va_end(args);
}

/* Finding members */

/* A member of the struct or union at @outer */
static void enter(const struct check *c, const struct place *outer, const struct btf_type *type,
		  u32 i, struct place *p)
{
	u32 bits = btf_member_bitfield_size(type, i);

	*p = (struct place){
		.type = btf_members(type)[i].type,
		.bit = outer->bit + btf_member_bit_offset(type, i),
		.bits = bits,
		.bitfield = bits,
		.owner = outer->owner,
	};
	if (!bits)
		p->bits = ctypes_bits(c->types, p->type);
	if (!p->owner)
		p->owner = ctypes_own(c->types, p->type);
}

/* Element @index of the array at @array */
static bool enter_array(const struct check *c, const struct place *array, u64 index,
			struct place *p)
{
	const struct btf_type *type = ctypes_type(c->types, array->type);
	u32 element;

	if (!type || !btf_is_array(type) || index >= btf_array(type)->nelems)
		return false;
	element = btf_array(type)->type;
	*p = (struct place){
		.type = element,
		.bits = ctypes_bits(c->types, element),
		.room = btf_array(type)->nelems - index,
		.owner = array->owner ?: ctypes_own(c->types, element),
	};
	p->bit = array->bit + index * p->bits;
	return p->bits;
}

static struct place root_place(const struct check *c)
{
	return (struct place){
		.type = c->root,
		.bits = ctypes_bits(c->types, c->root),
		.owner = ctypes_own(c->types, c->root),
	};
}

static const char *member_name(const struct check *c, const struct btf_type *type, u32 i)
{
	return ctypes_name(c->types, btf_members(type)[i].name_off);
}

/* Member @name of the struct at @p, also of an anonymous one in it */
static bool find_name(struct check *c, struct place *p, const char *name, size_t len, int depth)
{
	const struct btf_type *type = ctypes_type(c->types, p->type);
	struct place outer = *p;
	const char *found;
	u32 i;

	if (!ctypes_is_struct(type) || depth > MAX_NESTING)
		return false;
	for (i = 0; i < btf_vlen(type) && spend(c); i++) {
		found = member_name(c, type, i);
		enter(c, &outer, type, i, p);
		if (strlen(found) == len && !memcmp(found, name, len))
			return true;
		if (!found[0] && find_name(c, p, name, len, depth + 1))
			return true;
	}
	return false;
}

/* Whatever is between brackets, the element at or before @bit */
static bool find_element(const struct check *c, struct place *p, u64 bit)
{
	const struct btf_type *type = ctypes_type(c->types, p->type);
	struct place array = *p;
	u64 bits;

	if (!type || !btf_is_array(type))
		return false;
	bits = ctypes_bits(c->types, btf_array(type)->type);
	return bits && bit >= p->bit && enter_array(c, &array, (bit - p->bit) / bits, p);
}

/* What C would find: link.speed, or table[2].key */
static bool find_path(struct check *c, const char *path, u64 bit, struct place *p)
{
	size_t len;
	int level;

	*p = root_place(c);
	do {
		path += strspn(path, ". ");
		len = strcspn(path, ".[ ");
		if (!len || !find_name(c, p, path, len, 0))
			return false;
		path += len;
		/* Of several dimensions, BTF has one */
		for (level = 0; *path && *path != '.'; path++) {
			level += *path == '[';
			if (*path == '[' && level == 1 && path[-1] != ']' &&
			    !find_element(c, p, bit))
				return false;
			level -= *path == ']';
		}
	} while (*path);
	return true;
}

/* All that starts at @bit, from the outermost to the innermost */
static void find_places(struct check *c, const struct place *outer, u64 bit,
			struct place *places, size_t *nr, int depth)
{
	const struct btf_type *type = ctypes_type(c->types, outer->type);
	struct place p = *outer;
	u32 i;

	if (depth > MAX_NESTING || !type)
		return;
	if (btf_is_array(type) && find_element(c, &p, bit)) {
		if (p.bit == bit && *nr < MAX_PLACES)
			places[(*nr)++] = p;
		find_places(c, &p, bit, places, nr, depth + 1);
	}
	if (!btf_is_composite(type))
		return;
	for (i = 0; i < btf_vlen(type) && spend(c); i++) {
		enter(c, outer, type, i, &p);
		if (p.bit > bit || (p.bit != bit && p.bit + p.bits <= bit))
			continue;
		if (p.bit == bit && *nr < MAX_PLACES)
			places[(*nr)++] = p;
		find_places(c, &p, bit, places, nr, depth + 1);
	}
}

/* Comparing a member with what is said of it */

static const char *int_name(u8 type)
{
	switch (type) {
	case KS_U8:
		return "u8";
	case KS_U16:
		return "u16";
	case KS_U32:
		return "u32";
	case KS_U64:
		return "u64";
	case KS_S8:
		return "s8";
	case KS_S16:
		return "s16";
	case KS_S32:
		return "s32";
	case KS_S64:
		return "s64";
	case KS_BOOL:
		return "bool";
	case KS_CHAR:
		return "char";
	}
	return "no integer";
}

static bool int_fits(const struct check *c, u32 id, u8 wanted)
{
	static const char *const atomic[] = { "atomic_t", "refcount_t", NULL };
	static const char *const atomic64[] = { "atomic64_t", NULL };
	const struct btf_type *type = ctypes_type(c->types, id);

	if (!type || type->size != __kstate_size(wanted))
		return false;
	if (ctypes_is(c->types, id, atomic))
		return wanted == KS_S32;
	if (ctypes_is(c->types, id, atomic64))
		return wanted == KS_S64;
	/* Before version 6 of Linux, BTF did not say whether an enum is signed */
	if (btf_is_any_enum(type))
		return wanted != KS_BOOL && wanted != KS_CHAR;
	if (!btf_is_int(type))
		return false;
	if (!(wanted == KS_BOOL) != !(btf_int_encoding(type) & BTF_INT_BOOL))
		return false;
	/* Whether char is signed depends on the architecture */
	if (wanted == KS_CHAR || !strcmp(ctypes_name(c->types, type->name_off), "char"))
		return true;
	return kstate_is_signed(wanted) == !!(btf_int_encoding(type) & BTF_INT_SIGNED);
}

/* What is said of a member, and what comes of it */
struct opinion {
	const struct kstate_wire_member *m;
	const char *name;
	const struct kstate_schema_field *field;
	u64 size;
	u64 num;
	const struct place *p;
	bool silent;		/* only try */
	u64 covers;
};

/* Say it, unless it is only tried */
#define wrong(c, o, kind, ...) \
	((o)->silent ? (void)0 : find(c, kind, true, (o)->name, (o)->p, __VA_ARGS__), false)

/* A type, its target or its elements: what the description has to be of */
static bool ref_fits(struct check *c, const struct kstate_schema *ref, u32 type,
		     const char **name)
{
	struct place at = { .type = type, .bits = ctypes_bits(c->types, type) };
	struct place places[MAX_PLACES] = { at };
	struct described *d = NULL;
	u32 ids[MAX_CANDIDATES];
	size_t nr = 1, i, j, found;
	bool known = false;

	/* What a struct starts with can stand for it, as can a member of a union */
	find_places(c, &at, 0, places, &nr, 0);
	while ((d = next_of_schema(c->all, c->which, ref, d))) {
		found = ctypes_find(c->types, d->d.type, ids, MAX_CANDIDATES);
		if (!found)
			return true;
		known = true;
		*name = d->d.type;
		for (i = 0; i < found; i++)
			for (j = 0; j < nr; j++)
				if (ctypes_id(c->types, ids[i]) ==
				    ctypes_id(c->types, places[j].type))
					return true;
	}
	return !known;
}

static bool struct_fits(struct check *c, struct opinion *o, u32 type)
{
	u64 bits = ctypes_bits(c->types, type);
	const char *name = NULL;

	if (bits != 8 * o->size)
		return wrong(c, o, "size", "is described as %llu bytes each, and %s has %llu: it is written by hand, or of another build",
			     (unsigned long long)o->size, type_text(c, type),
			     (unsigned long long)bits / 8);
	if (o->field && o->field->ref && !ref_fits(c, o->field->ref, type, &name))
		return wrong(c, o, "type", "is described by \"%s\", which is of %s: use a description of %s",
			     o->field->ref->name, name, type_text(c, type));
	return true;
}

static bool base_fits(struct check *c, struct opinion *o, u32 type)
{
	const struct btf_type *t = ctypes_type(c->types, type);

	if (t && btf_is_ptr(t))
		return wrong(c, o, "pointer", "is a pointer, and copied as a number, which means nothing in the next kernel: describe what it points to, or skip it");
	if (!int_fits(c, type, o->m->type))
		return wrong(c, o, "type", "is described as %s, and %s is not that: describe it as what it is",
			     int_name(o->m->type), type_text(c, type));
	if (ctypes_is(c->types, type, address_types))
		return wrong(c, o, "pointer", "holds an address, and is copied as a number, which means nothing in the next kernel: describe what is there, or skip it; if it is no address, give it another type");
	if (o->p->owner && !(o->m->modifiers & cpu_to_le16(KS_POINTER)))
		return wrong(c, o, "own", "is inside of %s, which each kernel makes for itself: initialise it before restoring, and skip it",
			     o->p->owner);
	return true;
}

/* Elements in the member itself */
static bool elements_fit(struct check *c, struct opinion *o, u32 *type)
{
	const struct btf_type *t = ctypes_type(c->types, o->p->type);
	u64 room = o->p->room ?: 1, bits;
	int level = 0;

	*type = o->p->type;
	for (; t && btf_is_array(t) && level < MAX_NESTING; level++) {
		room = min_t(u64, room, U32_MAX) * btf_array(t)->nelems;
		*type = btf_array(t)->type;
		t = ctypes_type(c->types, *type);
	}
	if (t && btf_is_ptr(t) && !level && !o->p->room)
		return wrong(c, o, "pointer", "is a pointer, and what is described is in the struct: use the macro for what it points to");
	bits = ctypes_bits(c->types, *type);
	if (o->num * o->size * 8 > room * bits)
		return wrong(c, o, "size", "is described as %llu elements of %llu bytes, and has %llu bytes: it is written by hand, or of another build",
			     (unsigned long long)o->num, (unsigned long long)o->size,
			     (unsigned long long)(room * bits / 8));
	o->covers = min(o->num, room) * bits;
	return true;
}

/* Elements at the end of the object */
static bool flexible_fits(struct check *c, struct opinion *o, u32 *type)
{
	const struct btf_type *t = ctypes_type(c->types, o->p->type);

	if (!t || !btf_is_array(t) || o->p->bits)
		return wrong(c, o, "type", "is described as a flexible array: describe it as what it is");
	*type = btf_array(t)->type;
	return true;
}

/* Find the type of one element: in the member, or behind a pointer */
static bool find_elements(struct check *c, struct opinion *o, u32 *type)
{
	u16 modifiers = le16_to_cpu(o->m->modifiers);
	const struct btf_type *t;

	*type = o->p->type;
	o->covers = o->p->bits;
	t = ctypes_type(c->types, *type);
	if (modifiers & KS_POINTER) {
		if (!t || !btf_is_ptr(t))
			return wrong(c, o, "type", "is described as a pointer: describe it as what it is");
		*type = t->type;
		return true;
	}
	if (modifiers & KS_ARRAY_OF_POINTER) {
		u64 size = o->size;
		bool fit;

		o->size = 8;
		fit = elements_fit(c, o, type);
		o->size = size;
		t = ctypes_type(c->types, *type);
		if (fit && (!t || !btf_is_ptr(t)))
			return wrong(c, o, "type", "is described as an array of pointers: describe it as what it is");
		*type = fit ? t->type : 0;
		return fit;
	}
	if (modifiers & KS_FLEX)
		return flexible_fits(c, o, type);
	if (modifiers & (KS_ARRAY | KS_VARRAY) || wire_kind(o->m) == KS_STRING)
		return elements_fit(c, o, type);
	return true;
}

static bool bitmap_fits(struct check *c, struct opinion *o)
{
	u64 bits = o->num;
	u32 type;

	o->num = (bits + 63) / 64;
	o->size = 8;
	if (!elements_fit(c, o, &type))
		return false;
	if (!int_fits(c, type, KS_U64))
		return wrong(c, o, "type", "is described as a bitmap: bitmaps are of unsigned long");
	return true;
}

/* A pointer that is not followed */
static bool address_fits(struct check *c, struct opinion *o, u32 id, const char *what,
			 const char *const *targets)
{
	const struct btf_type *type = ctypes_type(c->types, id), *target;
	const char *name;
	bool page;

	if (!type || !btf_is_ptr(type))
		return wrong(c, o, "type", "is described as %s, and is no pointer: describe it as what it is",
			     what);
	target = ctypes_type(c->types, type->type);
	if (!target)
		return true;
	name = ctypes_name(c->types, target->name_off);
	page = (btf_is_struct(target) || btf_is_fwd(target)) &&
	       (!strcmp(name, "page") || !strcmp(name, "folio"));
	if (btf_is_func_proto(target) || (page && !targets))
		return wrong(c, o, "type", "is described as %s, which a %s is not: use the macro for that",
			     what, type_text(c, id));
	if (!targets)
		return true;
	/* Of a kind, or of none */
	if ((targets[1] && !btf_kind(target)) ||
	    (page && (!strcmp(name, targets[0]) || (targets[1] && !strcmp(name, targets[1])))))
		return true;
	return wrong(c, o, "type", "is described as %s, which a %s is not: use the macro for that",
		     what, type_text(c, id));
}

static bool linear_fits(struct check *c, struct opinion *o)
{
	static const char *const pages[] = { "page", "folio", NULL };

	if (o->field && o->field->type == KS_T_VMEMMAP)
		return address_fits(c, o, o->p->type, "a struct page", pages);
	return address_fits(c, o, o->p->type, "an address in the linear map", NULL);
}

static bool is_named(const struct check *c, u32 id, const char *name)
{
	const struct btf_type *type = ctypes_type(c->types, id);

	return type && btf_is_struct(type) && !strcmp(ctypes_name(c->types, type->name_off), name);
}

static bool folios_fit(struct check *c, struct opinion *o, u32 type)
{
	if (is_named(c, type, "kstate_folio_entry"))
		return true;
	return wrong(c, o, "type", "is described as folios with indices, and is no pointer to struct kstate_folio_entry: describe it as what it is");
}

/* Entries of lists and xarrays are of the struct that their description describes */
static bool entries_fit(struct check *c, struct opinion *o, const char *head)
{
	struct described *d = NULL;
	u32 ids[MAX_CANDIDATES];
	const char *name = NULL;
	size_t nr;

	if (!is_named(c, o->p->type, head))
		return wrong(c, o, "type", "is described as a struct %s: describe it as what it is",
			     head);
	while (o->field && (d = next_of_schema(c->all, c->which, o->field->ref, d))) {
		nr = ctypes_find(c->types, d->d.type, ids, MAX_CANDIDATES);
		if (!nr)
			return true;
		name = d->d.type;
		while (nr--)
			if (ctypes_bits(c->types, ids[nr]) == 8 * o->size)
				return true;
	}
	if (!name)
		return true;
	return wrong(c, o, "type", "has entries of %llu bytes, described by \"%s\", which is of %s: use a description of the entries",
		     (unsigned long long)o->size, o->field->ref->name, name);
}

static bool whole_fits(struct check *c, struct opinion *o)
{
	if (o->p->bits == 8 * o->size)
		return true;
	return wrong(c, o, "size", "is described as %llu bytes, and has %llu: it is written by hand, or of another build",
		     (unsigned long long)o->size, (unsigned long long)o->p->bits / 8);
}

/* Is that an arm for the member @name of type @type? */
static bool is_arm(struct check *c, const struct kstate_schema_field *arm, const char *name,
		   u32 type)
{
	struct described *d = NULL;
	u32 ids[MAX_CANDIDATES];
	size_t nr;

	if (!strcmp(arm->name, name))
		return true;
	while (arm->ref && (d = next_of_schema(c->all, c->which, arm->ref, d))) {
		nr = ctypes_find(c->types, d->d.type, ids, MAX_CANDIDATES);
		if (!nr)
			return true;
		while (nr--)
			if (ctypes_id(c->types, ids[nr]) == ctypes_id(c->types, type))
				return true;
	}
	return false;
}

/* Members of the union that are structs, and have no arm */
static void check_arms(struct check *c, struct opinion *o, const struct btf_type *type)
{
	const struct kstate_schema_field *arm;
	struct place p;
	u32 i;

	/* Who has nothing to save need not be called what the member is called */
	for (arm = o->field + 1; arm->type == KS_T_ARM; arm++)
		if (!arm->ref)
			return;
	for (i = 0; i < btf_vlen(type) && spend(c); i++) {
		const char *name = member_name(c, type, i);
		char path[160];

		enter(c, o->p, type, i, &p);
		if (!name[0] || !ctypes_is_struct(ctypes_type(c->types, p.type)))
			continue;
		for (arm = o->field + 1; arm->type == KS_T_ARM; arm++)
			if (is_arm(c, arm, name, p.type))
				break;
		if (arm->type == KS_T_ARM)
			continue;
		snprintf(path, sizeof(path), "%s.%s", o->name, name);
		find(c, "arm", false, path, &p,
		     "has no arm: add one to the arms of \"%s\", without a description if there is nothing to save",
		     o->name);
	}
}

static bool union_fits(struct check *c, struct opinion *o)
{
	const struct btf_type *type = ctypes_type(c->types, o->p->type);
	const struct kstate_schema_field *arm;
	const char *name = NULL;

	if (!ctypes_is_struct(type))
		return wrong(c, o, "type", "is described as a union: describe it as what it is");
	if (!whole_fits(c, o) || !o->field)
		return !o->field;
	/* The list of fields ends with one of type 0 */
	for (arm = o->field + 1; arm->type == KS_T_ARM; arm++)
		if (arm->ref && !ref_fits(c, arm->ref, o->p->type, &name))
			return wrong(c, o, "type", "has an arm \"%s\", described by \"%s\", which is of %s: that is no member of the union",
				     arm->name, arm->ref->name, name);
	if (!o->silent && btf_is_union(type))
		check_arms(c, o, type);
	return true;
}

/* Whether the member at @o->p is what the description says */
static bool fits(struct check *c, struct opinion *o)
{
	static const char *const folio[] = { "folio", NULL }, *const page[] = { "page", NULL };
	u32 type;

	o->size = le32_to_cpu(o->m->size);
	o->num = le32_to_cpu(o->m->num);
	o->covers = o->p->bits;
	switch (wire_kind(o->m)) {
	case 0:
		if (int_fits(c, o->p->type, o->m->type))
			return true;
		if (!o->silent)
			find_other(c, "type", o->name, o->p->bit / 8,
				   "has its length or tag in a %s at offset %llu, where there is a %s: the description is of another build",
				   int_name(o->m->type), (unsigned long long)o->p->bit / 8,
				   type_text(c, o->p->type));
		return false;
	case KS_BASE_TYPE:
	case KS_STRING:
		return find_elements(c, o, &type) && base_fits(c, o, type);
	case KS_STRUCT:
		return find_elements(c, o, &type) && struct_fits(c, o, type);
	case KS_CUSTOM:
		return whole_fits(c, o);
	case KS_ADDRESS:
		return linear_fits(c, o);
	case KS_FOLIO:
		return find_elements(c, o, &type) && address_fits(c, o, type, "a folio", folio);
	case KS_FOLIOS:
		return find_elements(c, o, &type) && folios_fit(c, o, type);
	case KS_PAGES:
		return address_fits(c, o, o->p->type, "pages", page);
	case KS_VMALLOC:
		return address_fits(c, o, o->p->type, "a vmalloc area", NULL);
	case KS_BITMAP:
		return bitmap_fits(c, o);
	case KS_LIST:
		return entries_fit(c, o, "list_head");
	case KS_HLIST:
		return entries_fit(c, o, "hlist_head");
	case KS_XARRAY:
		return entries_fit(c, o, "xarray");
	case KS_UNION:
		return union_fits(c, o);
	}
	return true;
}

/* Members one by one */

/* Where the member is. May say that it is not where it should be */
static bool locate(struct check *c, struct opinion *o, struct place *p)
{
	u64 bit = 8ULL * le32_to_cpu(o->m->offset);
	struct place places[MAX_PLACES];
	struct place root = root_place(c);
	size_t nr = 0, i;

	if (wire_kind(o->m) && find_path(c, o->name, bit, p)) {
		if (p->bit == bit)
			return true;
		find(c, "offset", true, o->name, p,
		     "is described at offset %llu: the description is of another build",
		     (unsigned long long)bit / 8);
		cover(c, p->bit, p->bits);
		return false;
	}
	find_places(c, &root, bit, places, &nr, 0);
	if (!nr) {
		find_other(c, "offset", o->name, bit / 8,
			   "is at offset %llu, where no member starts: the description is of another build",
			   (unsigned long long)bit / 8);
		return false;
	}
	*p = places[0];
	o->silent = true;
	for (i = 0; i < nr; i++) {
		o->p = &places[i];
		if (fits(c, o)) {
			*p = places[i];
			break;
		}
	}
	o->silent = false;
	return true;
}

static void check_member(struct check *c, const struct described *of,
			 const struct kstate_wire_member *m, const char *name, bool quiet)
{
	u32 field = le32_to_cpu(m->field);
	struct opinion o = {
		.m = m,
		.name = name,
		.field = field == KSTATE_NO_REF ? NULL : &of->d.schema->fields[field],
	};
	size_t before = c->findings.nr;
	struct place p;

	if (locate(c, &o, &p)) {
		o.p = &p;
		/* One finding per member: what is described wrongly is not forgotten */
		if (!fits(c, &o))
			o.covers = p.bits;
		cover(c, p.bit, o.covers);
		if (!p.bits)
			c->flexible = p.bit;
	}
	/* Said of the group itself */
	if (quiet)
		c->findings.nr = before;
}

/* Groups describe members of the same struct */
static void check_all(struct check *c, const struct described *of, bool quiet, int depth)
{
	const char *name = "";
	u32 i;

	for (i = 0; i < of->d.nr_members; i++) {
		const struct kstate_wire_member *m = &of->d.members[i];
		struct described *group = NULL;

		/* What holds the length of a field has no name of its own */
		if (wire_kind(m))
			name = source_string(&of->d, m->name);
		if (wire_kind(m) != KS_GROUP)
			check_member(c, of, m, name, quiet);
		while (wire_kind(m) == KS_GROUP && depth < KSTATE_MAX_DEPTH && spend(c) &&
		       (group = group_of(c->all, of, m, group)))
			check_all(c, group, true, depth + 1);
	}
}

/* What is not described */

static void forgotten(struct check *c, const char *name, const struct place *p)
{
	cover(c, p->bit, p->bits);
	if (p->bitfield)
		find(c, "forgotten", false, name, p,
		     "is neither described nor skipped, and no macro can name a bitfield: put it into a struct that a KSTATE_CUSTOM() copies, or into a union with an integer, and describe or skip that");
	else if (!p->bits)
		find(c, "forgotten", false, name, p,
		     "is neither described nor skipped: add a KSTATE_FLEX_ARRAY() or KSTATE_SKIP(%s, %s, \"why\")",
		     name, c->which->d.type);
	else if (is_named(c, p->type, "list_head"))
		find(c, "forgotten", false, name, p,
		     "is neither described nor skipped: add a KSTATE_LIST() or, for a link, KSTATE_SKIP(%s, %s, \"restoring links it\")",
		     name, c->which->d.type);
	else if (is_named(c, p->type, "hlist_head"))
		find(c, "forgotten", false, name, p,
		     "is neither described nor skipped: add a KSTATE_HLIST() or KSTATE_SKIP(%s, %s, \"why\")",
		     name, c->which->d.type);
	else if (is_named(c, p->type, "hlist_node"))
		find(c, "forgotten", false, name, p,
		     "is neither described nor skipped: add KSTATE_SKIP(%s, %s, \"restoring links it\")",
		     name, c->which->d.type);
	else
		find(c, "forgotten", false, name, p,
		     "is neither described nor skipped: add a field or KSTATE_SKIP(%s, %s, \"why\")",
		     name, c->which->d.type);
}

static void find_forgotten(struct check *c, const struct place *outer, const char *prefix,
			   int depth);

/* Part of a member is described */
static void partly(struct check *c, const char *name, const struct place *p, int depth)
{
	const struct btf_type *type = ctypes_type(c->types, p->type);
	u64 at = p->bit, end = p->bit + p->bits, first, last;
	struct cover gap;
	struct place e;
	char path[160];

	if (ctypes_is_struct(type)) {
		snprintf(path, sizeof(path), "%s.", name);
		find_forgotten(c, p, path, depth + 1);
		return;
	}
	if (!type || !btf_is_array(type) || !enter_array(c, p, 0, &e)) {
		if (find_gap(c, at, end, &gap)) {
			find(c, "forgotten", false, name, p,
			     "is described only in part: bytes %llu to %llu are not",
			     (unsigned long long)(gap.start - at) / 8,
			     (unsigned long long)(gap.end - at - 1) / 8);
			cover(c, p->bit, p->bits);
		}
		return;
	}
	while (spend(c) && find_gap(c, at, end, &gap)) {
		first = (gap.start - p->bit) / e.bits;
		last = (gap.end - p->bit) / e.bits;
		if ((gap.start - p->bit) % e.bits || last == first) {
			enter_array(c, p, first, &e);
			snprintf(path, sizeof(path), "%s[%llu]", name, (unsigned long long)first);
			partly(c, path, &e, depth + 1);
			at = e.bit + e.bits;
			continue;
		}
		find(c, "forgotten", false, name, p,
		     "is described only in part: elements %llu to %llu are not: describe or skip them",
		     (unsigned long long)first, (unsigned long long)last - 1);
		at = p->bit + last * e.bits;
		cover(c, gap.start, at - gap.start);
	}
}

static void look_at(struct check *c, const struct place *p, const char *prefix, const char *name,
		    int depth)
{
	const struct btf_type *type = ctypes_type(c->types, p->type);
	struct cover gap;
	char path[160];

	/* Of bitfields without a name, nothing is known: they are padding */
	if (!name[0]) {
		if (ctypes_is_struct(type))
			find_forgotten(c, p, prefix, depth + 1);
		return;
	}
	snprintf(path, sizeof(path), "%s%s", prefix, name);
	/* Elsewhere than at the end, an array without elements is a marker */
	if (!p->bits && type && btf_is_array(type) && ctypes_bits(c->types, btf_array(type)->type) &&
	    p->bit >= c->data_end && c->flexible != p->bit) {
		forgotten(c, path, p);
		c->flexible = p->bit;
	}
	if (!p->bits || !find_gap(c, p->bit, p->bit + p->bits, &gap))
		return;
	if (gap.start == p->bit && gap.end == p->bit + p->bits)
		forgotten(c, path, p);
	else
		partly(c, path, p, depth);
}

/*
 * When to look at a member: of a union, first at what speaks for all of it, and last at
 * what others say more precisely.
 */
static int turn_of(const struct check *c, const struct place *outer, const struct place *p,
		   const char *name)
{
	struct cover gap;

	if (!btf_is_union(ctypes_type(c->types, outer->type)))
		return 0;
	if (p->bits < outer->bits || !name[0])
		return 1;
	if (find_gap(c, p->bit, p->bit + p->bits, &gap) && gap.end - gap.start == p->bits)
		return 0;
	return ctypes_is_struct(ctypes_type(c->types, p->type)) ? 1 : 2;
}

static void find_forgotten(struct check *c, const struct place *outer, const char *prefix,
			   int depth)
{
	const struct btf_type *type = ctypes_type(c->types, outer->type);
	int turn, turns;
	struct place p;
	u32 i;

	if (!ctypes_is_struct(type) || depth > MAX_NESTING)
		return;
	turns = btf_is_union(type) ? 3 : 1;
	for (turn = 0; turn < turns; turn++) {
		for (i = 0; i < btf_vlen(type) && spend(c); i++) {
			const char *name = member_name(c, type, i);

			enter(c, outer, type, i, &p);
			if (turn_of(c, outer, &p, name) <= turn)
				look_at(c, &p, prefix, name, depth);
		}
	}
}

static u64 end_of_data(struct check *c)
{
	const struct btf_type *type = ctypes_type(c->types, c->root);
	struct place root = root_place(c), p;
	u64 end = 0;
	u32 i;

	for (i = 0; ctypes_is_struct(type) && i < btf_vlen(type); i++) {
		enter(c, &root, type, i, &p);
		if (p.bits)
			end = max(end, p.bit + p.bits);
	}
	return end;
}

/* Against one of the types with that name */
static struct findings check_type(const struct catalogue *all, struct described *which, u32 type)
{
	struct check c = {
		.all = all,
		.which = which,
		.types = which->types,
		.root = type,
		.budget = BUDGET,
		.flexible = NOWHERE,
	};
	struct place root = root_place(&c);
	struct finding *f;

	c.data_end = end_of_data(&c);
	check_all(&c, which, false, 0);
	if (!which->group)
		find_forgotten(&c, &root, "", 0);
	if (!c.budget) {
		c.findings.nr = 0;
		f = add_finding(&c.findings, "unchecked", false);
		if (f)
			snprintf(f->text, sizeof(f->text),
				 "%s: has more members than any struct of C: its BTF is damaged",
				 which->d.type);
	}
	free(c.cover);
	return c.findings;
}

static size_t weigh(const struct findings *findings)
{
	size_t weight = 0, i;

	for (i = 0; i < findings->nr; i++)
		weight += findings->list[i].blocked ? 1000 : 1;
	return weight;
}

void check_members(const struct catalogue *c, struct described *which)
{
	struct findings best = {}, found;
	u32 ids[MAX_CANDIDATES];
	struct finding *f;
	size_t nr, i;

	if (!which->d.type[0])
		return;
	nr = ctypes_find(which->types, which->d.type, ids, MAX_CANDIDATES);
	if (!nr) {
		f = add_finding(&which->findings, "unchecked", false);
		if (f)
			snprintf(f->text, sizeof(f->text),
				 "%s: is not in the BTF of %s: its members cannot be compared",
				 which->d.type, which->d.image);
		return;
	}
	/* Files may each have a struct of their own with that name: take what fits best */
	for (i = 0; i < nr; i++) {
		found = check_type(c, which, ids[i]);
		if (i && weigh(&found) >= weigh(&best)) {
			free(found.list);
			continue;
		}
		free(best.list);
		best = found;
	}
	for (i = 0; i < best.nr; i++) {
		f = add_finding(&which->findings, best.list[i].kind, best.list[i].blocked);
		if (f)
			*f = best.list[i];
	}
	which->findings.no_memory |= best.no_memory;
	free(best.list);
}
