// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a description, as a developer writes it, to a schema.
 */

/**
 * DOC: descriptions become schemas
 *
 * The first use of a description checks it and makes its schema and its plan;
 * both stay until the module that holds it goes, or kstate_forget(). What is
 * wrong with a description is said then, with the name of the field, and not
 * when a jump depends on it.
 */

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "engine.h"

/* Protects kstate_description.schema of all descriptions, and the list */
static DEFINE_MUTEX(describe_lock);
static LIST_HEAD(described);
static u64 serial;

struct describe {
	const struct kstate_where *where;
	const struct kstate_path *path;
	const struct kstate_description *desc;
	u32 depth;
};

__printf(3, 4)
static int refuse(const struct describe *d, const struct kstate_field *field,
		  const char *fmt, ...)
{
	struct kstate_path path = { .up = d->path, .name = field ? field->name : NULL };
	char text[sizeof(d->where->err->expected) + sizeof(d->where->err->found)];
	va_list args;

	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return kstate_fail(d->where, path.name ? &path : d->path, KSTATE_BAD_DESCRIPTION,
			   -EINVAL, "%s", text);
}

static int check_name(const struct describe *d, const struct kstate_field *field,
		      const char *name)
{
	if (!name || !name[0] || strnlen(name, KSTATE_MAX_NAME + 1) > KSTATE_MAX_NAME)
		return refuse(d, NULL, "a name of 1 to %d bytes\n%s", KSTATE_MAX_NAME,
			      name ? name : "none");
	return 0;
}

/* Functions know a member, but not the one that holds its length */
static int check_functions(const struct describe *d, const struct kstate_field *field)
{
	if (!field->absent && !field->convert)
		return 0;
	if (field->kind == KS_LIST || field->kind == KS_HLIST || field->kind == KS_XARRAY ||
	    field->kind == KS_GROUP)
		return refuse(d, field, "a kind that can be copied, for its function\nanother");
	if (field->length.type)
		return refuse(d, field,
			      "no function where another member holds the length or the tag\none");
	return 0;
}

static int check_default(const struct describe *d, const struct kstate_field *field,
			 u8 type, int container)
{
	u8 as = kstate_is_signed(type) ? KS_S64 : KS_U64;

	if (!field->has_default)
		return 0;
	if (!kstate_is_int(type) || container > KS_C_ARRAY)
		return !field->dflt ? 0 :
			refuse(d, field, "0 as the default of what is not an integer\n%llu",
			       field->dflt);
	if (!kstate_int_fits(field->dflt, as, type))
		return refuse(d, field, "a default that fits\n%llu", field->dflt);
	if ((field->range && !kstate_within(field->dflt, field->min, field->max, type)) ||
	    (field->masked && (field->dflt & ~field->mask)))
		return refuse(d, field, "a default that meets the constraints\n%llu", field->dflt);
	return 0;
}

static bool is_bytes(const struct kstate_field *field, int container, u32 nr)
{
	return field->kind == KS_BASE_TYPE && field->type == KS_U8 && container == KS_C_ARRAY &&
	       field->num == nr;
}

/* Options of a field besides its kind */
static int check_options(const struct describe *d, const struct kstate_field *field,
			 u8 type, int container)
{
	bool ints = kstate_is_int(type) && field->kind == KS_BASE_TYPE;

	if (field->has_default && field->absent)
		return refuse(d, field, "a default or a function for when it is absent\nboth");
	if ((field->range || field->masked || field->flag_names) && !ints)
		return refuse(d, field, "constraints on integers\nanother kind");
	if (field->equal && (!ints || container > KS_C_ARRAY))
		return refuse(d, field, "KSTATE_EQUAL on an integer in the object\nanother kind");
	if (field->range && !kstate_within(field->min, field->min, field->max, type))
		return refuse(d, field, "a range that is not empty\n%llu to %llu",
			      field->min, field->max);
	if (field->alloc && !(field->modifiers & (KS_POINTER | KS_ARRAY_OF_POINTER)))
		return refuse(d, field, "KSTATE_ALLOC on a pointer\nanother kind");
	if (field->max_count && container < KS_C_SEQUENCE && type != KS_T_FOLIOS)
		return refuse(d, field, "KSTATE_MAX_COUNT on a number that varies\nanother kind");
	if (field->mac && !is_bytes(field, container, KSTATE_MAC_BYTES))
		return refuse(d, field, "KSTATE_MAC on an array of 6 u8\nanother kind");
	if (field->uuid && !is_bytes(field, container, KSTATE_UUID_BYTES))
		return refuse(d, field, "KSTATE_UUID on an array of 16 u8\nanother kind");
	return check_functions(d, field) ?: check_default(d, field, type, container);
}

/* What the kind of a field needs */
static int check_kind(const struct describe *d, const struct kstate_field *field,
		      u8 type, int container)
{
	u8 needs = kstate_kind_of(field)->needs;

	if (container < 0)
		return refuse(d, field, "modifiers that go together\n%#x", field->modifiers);
	if (field->kind == KS_BASE_TYPE && (!kstate_is_int(type) ||
					    field->size != kstate_size(type)))
		return refuse(d, field, "an integer type and its size\n%#x of %u bytes",
			      type, field->size);
	if (field->kind == KS_STRING && kstate_size(field->type) != 1)
		return refuse(d, field, "an array of or pointer to char\n%#x", field->type);
	if ((needs & KSTATE_NEEDS_KSD) && !field->ksd)
		return refuse(d, field, "a description of the struct\nnone");
	if (field->kind == KS_CUSTOM && (!field->save || !field->restore))
		return refuse(d, field, "functions to save and to restore\nnone");
	if (field->kind == KS_GROUP && !field->needed)
		return refuse(d, field, "a function that says whether it is needed\nnone");
	if (field->kind == KS_UNION && (!field->arms || !field->arms[0].name ||
					!kstate_is_int(field->length.type)))
		return refuse(d, field, "arms and the member that selects one\nnone");
	if ((needs & KSTATE_NEEDS_LENGTH) && !kstate_is_int(field->length.type))
		return refuse(d, field, "the member that holds the number of %s\nnone",
			      kstate_type_name(type));
	if ((field->modifiers & KS_VARRAY) &&
	    kstate_is_int(field->length.type) == !!field->count)
		return refuse(d, field, "a member or a function for the length\n%s",
			      field->count ? "both" : "none");
	if (field->length.type && !kstate_is_int(field->length.type))
		return refuse(d, field, "an integer for the length\n%#x", field->length.type);
	if ((container == KS_C_ARRAY || container == KS_C_POINTERS || field->kind == KS_BITMAP ||
	     (field->kind == KS_STRING && !field->modifiers) || field->modifiers == KS_VARRAY) &&
	    !field->num)
		return refuse(d, field, "room for at least one element\n0");
	return 0;
}

/* Members of the object */

struct member_range {
	u64 start;
	u64 end;
	const struct kstate_field *group;
	const struct kstate_field *field;
	bool length;		/* of the field, not the field itself */
};

struct ranges {
	struct member_range *at;
	u32 nr;
};

static void add_member(struct ranges *r, const struct kstate_field *group,
		       const struct kstate_field *field, u64 start, u64 size, bool length)
{
	if (r->at)
		r->at[r->nr] = (struct member_range){ start, start + size, group, field, length };
	r->nr++;
}

/* All members that a description refers to, those of its groups among them */
static void add_members(struct ranges *r, const struct kstate_description *desc,
			const struct kstate_field *group)
{
	const struct kstate_field *field;

	for (field = desc->fields; field->kind != KS_END; field++) {
		if (field->kind == KS_SKIP || field->kind == KS_REMOVED)
			continue;
		if (field->kind == KS_GROUP) {
			add_members(r, field->ksd, field);
			continue;
		}
		/* One byte stands for a flexible array */
		add_member(r, group, field, field->offset, kstate_member_bytes(field) ?: 1, false);
		if (field->length.type)
			add_member(r, group, field, field->length.offset,
				   kstate_size(field->length.type), true);
	}
}

static bool is_plain_int(const struct kstate_field *field)
{
	return field->kind == KS_BASE_TYPE && !field->modifiers;
}

/* Two ranges that overlap: a length may be another length, or an integer field, beside it */
static bool may_share(const struct member_range *a, const struct member_range *b)
{
	const struct kstate_field *owner = a->length ? b->field : a->field;
	u8 type = a->length ? a->field->length.type : b->field->length.type;

	if (a->start != b->start || a->end != b->end || (!a->length && !b->length) ||
	    a->group != b->group)
		return false;
	if (a->length && b->length)
		return a->field->length.type == b->field->length.type;
	return is_plain_int(owner) && owner->type == type && !owner->absent && !owner->convert;
}

static int check_overlap(const struct describe *d, const struct ranges *r)
{
	const struct member_range *a, *b, *end = r->at + r->nr;

	for (a = r->at; a < end; a++) {
		for (b = a + 1; b < end; b++) {
			struct kstate_path path = { .up = d->path };
			struct describe at = { .where = d->where, .path = d->path };

			if (a->start >= b->end || b->start >= a->end || may_share(a, b))
				continue;
			if (b->group) {
				path.name = b->group->name;
				at.path = &path;
			}
			return refuse(&at, b->field, "members that do not overlap\n%s of %s",
				      a->length ? "the length" : "bytes", a->field->name);
		}
	}
	return 0;
}

/* Bytes of the link in the entries of a list */
static u32 link_bytes(const struct kstate_field *field)
{
	return field->kind == KS_LIST ? sizeof(struct list_head) : sizeof(struct hlist_node);
}

/*
 * Each byte of the object belongs to one field, or restoring would apply what it
 * has not checked. @link is of a list whose entries have the description @desc.
 */
static int check_members(const struct describe *d, struct kstate_schema *schema,
			 const struct kstate_description *desc, const struct kstate_field *link)
{
	struct ranges r = {};
	u32 i;
	int ret;

	add_members(&r, desc, NULL);
	r.at = kvcalloc(r.nr + 1, sizeof(*r.at), GFP_KERNEL);
	if (!r.at)
		return kstate_no_memory(d->where, d->path);
	r.nr = 0;
	add_members(&r, desc, NULL);
	if (link)
		add_member(&r, NULL, link, link->link, link_bytes(link), false);
	ret = check_overlap(d, &r);
	for (i = 0; i < r.nr; i++)
		schema->extent = max_t(u64, schema->extent, r.at[i].end);
	kvfree(r.at);
	return ret;
}

static struct kstate_schema *describe(struct describe *d,
				      const struct kstate_description *desc);

/* Absent fields get their defaults, which have to be values that can be saved again */
static int check_absent(const struct describe *d, const struct kstate_schema *ref)
{
	const struct kstate_schema_field *f;
	int ret = 0;

	for (f = ref->fields; f < ref->fields + ref->nr_fields && !ret; f++) {
		if (f->type == KS_T_STRUCT && f->container <= KS_C_ARRAY)
			ret = check_absent(d, f->ref);
		else if (f->type == KS_T_UNION && f[1].ref)
			ret = check_absent(d, f[1].ref);
		else if (kstate_is_int(f->type) && f->container <= KS_C_ARRAY &&
			 ((f->flags & KSTATE_FIELD_MASK && f->dflt & ~f->mask) ||
			  (f->flags & KSTATE_FIELD_RANGE &&
			   !kstate_within(f->dflt, f->min, f->max, f->type))))
			ret = refuse(d, f->bind, "a default that meets the constraints\n%llu",
				     f->dflt);
	}
	return ret;
}

/* A group is nothing but its fields: each of them has to do without the stream */
static int check_group(const struct describe *d, const struct kstate_schema *ref)
{
	const struct kstate_schema_field *f;

	for (f = ref->fields; f < ref->fields + ref->nr_fields; f++)
		if (kstate_has_data(f) &&
		    !(f->flags & (KSTATE_FIELD_DEFAULT | KSTATE_FIELD_HOOK)))
			return refuse(d, f->bind,
				      "a default, as all fields of a group have\nnone");
	return check_absent(d, ref);
}

static int describe_ref(struct describe *d, const struct kstate_field *field,
			const struct kstate_description *desc, struct kstate_schema *schema,
			struct kstate_schema_field *f)
{
	struct kstate_path path = { .up = d->path, .name = field->name };
	struct kstate_path arm = { .up = &path, .name = f->name };
	struct describe nested = { .where = d->where, .depth = d->depth + 1,
				   .path = f->type == KS_T_ARM ? &arm : &path };
	bool list = field->kind == KS_LIST || field->kind == KS_HLIST;
	struct kstate_schema *ref = describe(&nested, desc);

	if (IS_ERR(ref))
		return PTR_ERR(ref);
	f->ref = ref;
	schema->pointers |= ref->pointers;
	if (!kstate_allocates(field))
		schema->equal |= ref->equal;
	if (!ref->size)
		return refuse(d, field, "a struct with data\none without");
	if (field->kind == KS_GROUP)
		return check_group(&nested, ref);
	if (ref->extent > field->size)
		return refuse(d, field, "a description of a struct of %u bytes\none of %u",
			      field->size, ref->extent);
	if (kstate_allocates(field) && ref->equal && !desc->init)
		return refuse(d, field,
			      ".init for what restoring allocates, which KSTATE_EQUAL is for\nnone");
	if (list && field->link + link_bytes(field) > field->size)
		return refuse(d, field, "a link in an entry of %u bytes\none at %u", field->size,
			      field->link);
	return list ? check_members(d, ref, desc, field) : 0;
}

static void add_hint(struct kstate_schema *schema, u16 kind, u64 value, const char *name)
{
	schema->hints[schema->nr_hints++] = (struct kstate_schema_hint){
		.field = schema->nr_fields - 1, .kind = kind, .value = value, .name = name,
	};
}

/* How many elements the object has room for */
static u64 room_of(const struct kstate_field *field, int container)
{
	u64 room = KSTATE_ANY_ROOM;

	if (container == KS_C_POINTERS || field->kind == KS_BITMAP ||
	    field->modifiers == KS_VARRAY || (field->kind == KS_STRING && !field->modifiers))
		room = field->num;
	if (field->kind != KS_UNION && field->length.type && field->length.type != KS_U64)
		room = min(room, (1ULL << (8 * kstate_size(field->length.type) -
					   kstate_is_signed(field->length.type))) - 1);
	if (field->max_count)
		room = min(room, (u64)field->max_count);
	/* A record cannot hold more */
	return room < KSTATE_MAX_RECORD ? room : KSTATE_ANY_ROOM;
}

/* Entries of a schema for one field: itself, its aliases and arms */
static u32 count_entries(const struct kstate_field *field)
{
	const struct kstate_arm *arm = field->kind == KS_UNION ? field->arms : NULL;
	const char *const *alias = field->aliases;
	u32 nr = field->kind != KS_SKIP;

	for (; alias && *alias && nr <= KSTATE_MAX_FIELDS; alias++)
		nr++;
	for (; arm && arm->name && nr <= KSTATE_MAX_FIELDS; arm++)
		nr++;
	return nr;
}

/*
 * The first field, plus 1, that is the member at @offset or has its length or tag
 * there. A member that only one field refers to is nothing to agree upon, but for
 * that of an array: how many it can count is of interest.
 */
static u32 first_with_member(const struct kstate_description *desc,
			     const struct kstate_field *self, u32 offset)
{
	const struct kstate_field *field;
	u32 index = 0, first = 0, nr = 0;

	for (field = desc->fields; field->kind != KS_END; index += count_entries(field++)) {
		bool is = is_plain_int(field) && field->offset == offset;

		if (field->kind == KS_SKIP ||
		    (!is && (!field->length.type || field->length.offset != offset)))
			continue;
		first = first ?: index + 1;
		nr++;
	}
	return nr > 1 || (self->length.type && self->kind != KS_UNION) ? first : 0;
}

/* What the struct can take: other kernels learn it from the catalogue */
static void describe_limits(struct describe *d, struct kstate_schema *schema,
			    struct kstate_schema_field *f, const struct kstate_field *field)
{
	f->room = room_of(field, f->container);
	if (f->room != KSTATE_ANY_ROOM)
		add_hint(schema, KSTATE_HINT_ROOM, f->room, "");
	f->text = field->kind == KS_STRING;
	if (f->text)
		add_hint(schema, KSTATE_HINT_TEXT, 0, "");
	f->group = field->kind == KS_GROUP;
	if (f->group)
		add_hint(schema, KSTATE_HINT_GROUP, 0, "");
	if (field->length.type)
		f->length = first_with_member(d->desc, field, field->length.offset);
	else if (is_plain_int(field))
		f->length = first_with_member(d->desc, field, field->offset);
	if (f->length)
		add_hint(schema, KSTATE_HINT_LENGTH, f->length - 1, "");
}

static int describe_names(struct describe *d, struct kstate_schema *schema,
			  struct kstate_schema_field *f, const struct kstate_field *field)
{
	const struct kstate_flag_name *name, *other;
	int ret;

	f->names = field->flag_names;
	f->enumerated = field->enumerated;
	for (name = field->flag_names; name && name->name; name++) {
		ret = check_name(d, field, name->name);
		if (ret)
			return ret;
		for (other = field->flag_names; other < name; other++)
			if (!strcmp(other->name, name->name))
				return refuse(d, field, "names that are unique\n%s twice",
					      name->name);
		add_hint(schema, field->enumerated ? KSTATE_HINT_ENUM : KSTATE_HINT_FLAG,
			 name->bits, name->name);
	}
	return 0;
}

static int describe_arms(struct describe *d, struct kstate_schema *schema,
			 const struct kstate_field *field)
{
	const struct kstate_arm *arm;
	int ret;

	for (arm = field->arms; arm->name; arm++) {
		struct kstate_schema_field *f = &schema->fields[schema->nr_fields++];
		u8 type = field->length.type;

		f->name = arm->name;
		f->bind = field;
		f->type = KS_T_ARM;
		f->count = 1;
		f->dflt = arm->tag;
		if (!kstate_int_fits(arm->tag, KS_U64, type) &&
		    !(kstate_is_signed(type) && kstate_int_fits(arm->tag, KS_S64, type)))
			return refuse(d, field, "tags that their member can hold\n%llu of %s",
				      arm->tag, arm->name);
		ret = arm->ksd ? describe_ref(d, field, arm->ksd, schema, f) : 0;
		if (ret)
			return ret;
	}
	return 0;
}

static u16 field_flags(const struct kstate_field *field)
{
	return (field->has_default ? KSTATE_FIELD_DEFAULT : 0) |
	       (field->absent ? KSTATE_FIELD_HOOK : 0) |
	       (field->ignorable ? KSTATE_FIELD_IGNORABLE : 0) |
	       (field->convert ? KSTATE_FIELD_CONVERT : 0) |
	       (field->range ? KSTATE_FIELD_RANGE : 0) |
	       (field->masked ? KSTATE_FIELD_MASK : 0) |
	       (field->equal ? KSTATE_FIELD_EQUAL : 0);
}

/* Whether an object may hold pointers in the member */
static bool has_pointers(const struct kstate_field *field, u8 type)
{
	return (field->modifiers & (KS_POINTER | KS_ARRAY_OF_POINTER)) || type == KS_T_ITEMS ||
	       (type > KS_T_STRUCT && type < KS_T_BITMAP) || field->kind == KS_LIST ||
	       field->kind == KS_HLIST || field->kind == KS_XARRAY;
}

/* Add @field, its aliases and arms, to fields that have room for them */
static int describe_field(struct describe *d, struct kstate_schema *schema,
			  const struct kstate_field *field)
{
	struct kstate_schema_field *f = &schema->fields[schema->nr_fields++];
	const char *const *alias;
	int container, ret;

	f->name = field->name;
	f->bind = field;
	f->type = kstate_kind_type(field);
	f->count = 1;
	f->flags = field_flags(field);
	f->dflt = field->dflt;
	if (field->kind == KS_REMOVED) {
		if (field->type && field->has_default &&
		    !kstate_int_fits(field->dflt, kstate_is_signed(field->type) ? KS_S64 : KS_U64,
				     field->type))
			return refuse(d, field, "a default that fits\n%llu", field->dflt);
		if (field->type)
			f->min = field->type | (field->modifiers ? KS_C_ARRAY : KS_C_ONE) << 8;
		return 0;
	}

	container = kstate_kind_container(field);
	ret = check_kind(d, field, f->type, container) ?:
	      check_options(d, field, f->type, container);
	if (ret)
		return ret;
	f->container = container;
	f->min = field->min;
	f->max = field->max;
	f->mask = field->mask;
	if (container == KS_C_ARRAY)
		f->count = field->num;
	schema->pointers |= has_pointers(field, f->type);
	schema->equal |= field->equal;

	describe_limits(d, schema, f, field);
	f->secret = field->secret;
	if (field->hex)
		add_hint(schema, KSTATE_HINT_HEX, 0, "");
	if (field->mac)
		add_hint(schema, KSTATE_HINT_MAC, 0, "");
	if (field->uuid)
		add_hint(schema, KSTATE_HINT_UUID, 0, "");
	if (field->secret)
		add_hint(schema, KSTATE_HINT_SECRET, 0, "");
	ret = describe_names(d, schema, f, field);
	if (!ret && f->type == KS_T_STRUCT)
		ret = describe_ref(d, field, field->ksd, schema, f);
	if (!ret && f->type == KS_T_UNION)
		ret = describe_arms(d, schema, field);
	for (alias = field->aliases; !ret && alias && *alias; alias++) {
		f = &schema->fields[schema->nr_fields++];
		f->name = *alias;
		f->bind = field;
		f->type = KS_T_ALIAS;
		f->count = 1;
	}
	return ret;
}

/* A member that is a field and the length of others has one default */
static int check_lengths(struct describe *d, const struct kstate_schema *schema)
{
	const struct kstate_schema_field *f, *other;
	u64 dflt;

	for (f = schema->fields; f < schema->fields + schema->nr_fields; f++) {
		if (!f->length || !kstate_is_int(f->type) || f->container != KS_C_ONE ||
		    !(f->flags & KSTATE_FIELD_DEFAULT))
			continue;
		for (other = schema->fields; other < schema->fields + schema->nr_fields; other++) {
			if (other == f || other->length != f->length ||
			    !(other->flags & KSTATE_FIELD_DEFAULT))
				continue;
			dflt = other->type == KS_T_UNION ? other[1].dflt : 0;
			if (f->dflt != dflt)
				return refuse(d, f->bind,
					      "%llu as its default, as %s is absent then\n%llu",
					      dflt, other->name, f->dflt);
		}
	}
	return 0;
}

/* Names are unique: those of fields with their aliases, those of each union's arms */
static int check_names(struct describe *d, const struct kstate_schema *schema)
{
	u32 i, j;
	int ret;

	for (i = 0; i < schema->nr_fields; i++) {
		const struct kstate_schema_field *f = &schema->fields[i];

		ret = check_name(d, f->bind, f->name);
		if (ret)
			return ret;
		for (j = 0; j < i; j++) {
			const struct kstate_schema_field *g = &schema->fields[j];
			bool arms = f->type == KS_T_ARM, others = g->type == KS_T_ARM;

			if (arms != others || (arms && f->bind != g->bind))
				continue;
			if (!strcmp(f->name, g->name))
				return refuse(d, f->bind, "names that are unique\n%s twice",
					      f->name);
			if (arms && f->dflt == g->dflt)
				return refuse(d, f->bind, "tags that are unique\n%llu twice",
					      f->dflt);
		}
	}
	return 0;
}

/* Count entries, so that the schema can be allocated; also finds a missing end */
static int count_fields(struct describe *d, const struct kstate_description *desc,
			u32 *nr_fields, u32 *nr_hints)
{
	const struct kstate_field *field = desc->fields;
	const struct kstate_flag_name *name;
	u32 index;

	if (!field)
		return refuse(d, NULL, "fields\nnone");
	for (index = 0; field->kind != KS_END; field++, index++) {
		if (field->kind != KS_SKIP && !kstate_kind_of(field))
			return refuse(d, NULL,
				      "a known kind, or KSTATE_END_OF_LIST()\nkind %#x in field %u",
				      field->kind, index);
		*nr_fields += count_entries(field);
		/* Room, text or group, and length are the others */
		*nr_hints += field->hex + field->mac + field->uuid + field->secret + 3;
		for (name = field->flag_names; name && name->name; name++)
			++*nr_hints;
		if (*nr_fields > KSTATE_MAX_FIELDS || index > 2 * KSTATE_MAX_FIELDS)
			return refuse(d, NULL, "at most %u fields\nmore", KSTATE_MAX_FIELDS);
	}
	return 0;
}

static int fill_schema(struct describe *d, struct kstate_schema *schema,
		       const struct kstate_description *desc)
{
	const struct kstate_field *field;
	int ret;

	for (field = desc->fields; field->kind != KS_END; field++) {
		if (field->kind == KS_SKIP)
			continue;
		ret = check_name(d, field, field->name);
		if (!ret)
			ret = describe_field(d, schema, field);
		if (ret)
			return ret;
	}
	ret = check_names(d, schema) ?: check_lengths(d, schema) ?:
	      check_members(d, schema, desc, NULL);
	if (ret)
		return ret;
	if (!kstate_schema_layout(schema))
		return refuse(d, NULL, "at most %u bytes, %u levels and %u fields in all\nmore",
			      KSTATE_MAX_FIXED, KSTATE_MAX_DEPTH, KSTATE_MAX_TREE);
	kstate_schema_hash(schema);
	return 0;
}

static struct kstate_schema *describe(struct describe *d,
				      const struct kstate_description *desc)
{
	struct kstate_schema *schema;
	u32 nr_fields = 0, nr_hints = 0;
	int ret;

	d->desc = desc;
	if (d->depth >= KSTATE_MAX_DEPTH)
		return ERR_PTR(refuse(d, NULL,
				      "at most %u structs inside each other\nmore, or a cycle",
				      KSTATE_MAX_DEPTH));
	ret = check_name(d, NULL, desc->name);
	if (!ret && desc->min_version_id > desc->version_id)
		ret = refuse(d, NULL, "min_version_id of at most version_id\n%u of %u",
			     desc->min_version_id, desc->version_id);
	if (!ret)
		ret = count_fields(d, desc, &nr_fields, &nr_hints);
	if (ret)
		return ERR_PTR(ret);

	schema = kvzalloc_obj(*schema);
	if (!schema)
		goto no_memory;
	schema->name = desc->name;
	/* Left out of KSTATE_DESCRIBE_OPTS(), it must not make every version fit */
	schema->version = desc->version_id;
	schema->min_version = desc->min_version_id ?: desc->version_id;
	schema->flags = desc->optional ? KSTATE_SCHEMA_OPTIONAL : 0;
	schema->desc = desc;
	schema->fields = kvzalloc((nr_fields + 1) * sizeof(*schema->fields), GFP_KERNEL);
	schema->hints = kvzalloc((nr_hints + 1) * sizeof(*schema->hints), GFP_KERNEL);
	if (!schema->fields || !schema->hints)
		goto no_memory;

	ret = fill_schema(d, schema, desc);
	if (!ret && schema->nr_hints > KSTATE_MAX_HINTS)
		ret = refuse(d, NULL, "at most %u hints, names of values and bits included\n%u",
			     KSTATE_MAX_HINTS, schema->nr_hints);
	if (!ret)
		return schema;
	kstate_schema_free(schema);
	return ERR_PTR(ret);

no_memory:
	kstate_schema_free(schema);
	return ERR_PTR(kstate_no_memory(d->where, d->path));
}

static void forget(struct kstate_schema *schema)
{
	struct kstate_description *desc = (struct kstate_description *)schema->desc;

	list_del(&schema->list);
	desc->schema = NULL;
	kstate_schema_free(schema);
}

/* A description that is used for the first time, or by several tasks at once */
struct kstate_schema *kstate_describe_first(struct kstate_description *desc,
					    struct kstate_error *err)
{
	struct kstate_where where = { .state = desc->name, .err = err };
	struct describe d = { .where = &where };
	struct kstate_schema *schema;
	int ret;

	guard(mutex)(&describe_lock);
	if (desc->schema)
		return desc->schema;
	schema = describe(&d, desc);
	if (IS_ERR(schema))
		return schema;

	schema->resolution = kvzalloc_obj(*schema->resolution);
	if (!schema->resolution)
		ret = kstate_no_memory(&where, NULL);
	else
		ret = kstate_resolve(schema, schema, schema->resolution, &where, NULL, NULL);
	if (ret) {
		kstate_schema_free(schema);
		return ERR_PTR(ret);
	}
	schema->serial = ++serial;
	list_add(&schema->list, &described);
	/* Readers of the pointer see a complete schema */
	smp_store_release(&desc->schema, schema);
	return schema;
}

/**
 * kstate_check_description() - check a description before it is needed
 * @desc: the description
 * @err: what is wrong with it, or NULL
 *
 * Context: may sleep.
 * Return: 0, or a negative error code.
 */
int kstate_check_description(struct kstate_description *desc, struct kstate_error *err)
{
	struct kstate_error local;
	struct kstate_schema *schema;

	err = kstate_error_begin(err, &local);
	schema = kstate_describe(desc, err);
	if (!IS_ERR(schema))
		return 0;
	kstate_error_log(err, "check");
	return PTR_ERR(schema);
}
EXPORT_SYMBOL_GPL(kstate_check_description);

/**
 * kstate_known_state() - whether this kernel has used a description
 * @name: name of the state
 *
 * Return: true if so.
 */
bool kstate_known_state(const char *name)
{
	struct kstate_schema *schema;

	guard(mutex)(&describe_lock);
	list_for_each_entry(schema, &described, list)
		if (!strcmp(schema->name, name))
			return true;
	return false;
}

/**
 * kstate_walk_described() - go through the descriptions in use
 * @fn: called for the schema of each; what it returns other than 0 ends that
 * @arg: for @fn
 *
 * Return: 0, or what @fn returned.
 */
int kstate_walk_described(kstate_described_fn fn, void *arg)
{
	struct kstate_schema *schema;
	int ret;

	guard(mutex)(&describe_lock);
	list_for_each_entry(schema, &described, list) {
		ret = fn(schema, arg);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * kstate_forget() - free what KSTATE keeps for a description
 * @desc: the description, which is about to go away, as are all objects that
 *	are registered with it. For those in modules this happens by itself
 *
 * Context: may sleep.
 */
void kstate_forget(struct kstate_description *desc)
{
	guard(mutex)(&describe_lock);
	if (desc->schema)
		forget(desc->schema);
}
EXPORT_SYMBOL_GPL(kstate_forget);

/**
 * kstate_forget_module() - kstate_forget() for all descriptions of a module
 * @mod: the module
 */
void kstate_forget_module(const struct module *mod)
{
	struct kstate_schema *schema, *next;

	guard(mutex)(&describe_lock);
	list_for_each_entry_safe(schema, next, &described, list)
		if (within_module((unsigned long)schema->desc, mod))
			forget(schema);
}
