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

#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "internal.h"

/* Protects kstate_description.schema of all descriptions, and the list */
static DEFINE_MUTEX(describe_lock);
static LIST_HEAD(described);
static u64 serial;

struct describe {
	const struct kstate_where *where;
	const struct kstate_path *path;
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

static u8 type_of(const struct kstate_field *field)
{
	switch (field->kind) {
	case KS_STRUCT:
	case KS_LIST:
	case KS_XARRAY:
	case KS_GROUP:
		return KS_T_STRUCT;
	case KS_CUSTOM:
		return KS_T_ITEMS;
	case KS_ADDRESS:
		return field->addr_type == KS_VMEMMAP_ADDR ? KS_T_VMEMMAP : KS_T_LINEAR;
	case KS_FOLIO:
		return KS_T_FOLIO;
	case KS_PAGES:
		return KS_T_PAGES;
	case KS_VMALLOC:
		return KS_T_VMALLOC;
	case KS_STRING:
		return KS_CHAR;
	case KS_BITMAP:
		return KS_T_BITMAP;
	case KS_UNION:
		return KS_T_UNION;
	case KS_REMOVED:
		return KS_T_REMOVED;
	default:
		return field->type;
	}
}

static int container_of_field(const struct kstate_field *field)
{
	switch (field->kind) {
	case KS_BASE_TYPE:
	case KS_STRUCT:
		switch (field->modifiers) {
		case 0:
			return KS_C_ONE;
		case KS_ARRAY:
			return KS_C_ARRAY;
		case KS_POINTER:
			return KS_C_OPTIONAL;
		case KS_VARRAY:
		case KS_VARRAY | KS_POINTER:
			return KS_C_SEQUENCE;
		case KS_ARRAY_OF_POINTER:
			return KS_C_POINTERS;
		}
		return -EINVAL;
	case KS_STRING:
		return field->modifiers & ~KS_POINTER ? -EINVAL : KS_C_SEQUENCE;
	case KS_LIST:
		return field->modifiers ? -EINVAL : KS_C_SEQUENCE;
	case KS_XARRAY:
		return field->modifiers ? -EINVAL : KS_C_MAP;
	case KS_GROUP:
		return field->modifiers ? -EINVAL : KS_C_OPTIONAL;
	default:
		return field->modifiers ? -EINVAL : KS_C_ONE;
	}
}

static int check_name(const struct describe *d, const struct kstate_field *field,
		      const char *name)
{
	if (!name || !name[0] || strnlen(name, KSTATE_MAX_NAME + 1) > KSTATE_MAX_NAME)
		return refuse(d, NULL, "a name of 1 to %d bytes\n%s", KSTATE_MAX_NAME,
			      name ? name : "none");
	return 0;
}

static bool within(u64 val, u64 min, u64 max, u8 type)
{
	if (kstate_is_signed(type))
		return (s64)val >= (s64)min && (s64)val <= (s64)max;
	return val >= min && val <= max;
}

/* What a field may be told besides its kind */
static int check_options(const struct describe *d, const struct kstate_field *field,
			 u8 type, int container)
{
	bool ints = kstate_is_int(type) && field->kind == KS_BASE_TYPE;
	bool scratch = field->kind != KS_LIST && field->kind != KS_XARRAY &&
		       field->kind != KS_GROUP;

	if (field->has_default && field->absent)
		return refuse(d, field, "a default or a function for when it is absent\nboth");
	if ((field->absent || field->convert) && !scratch)
		return refuse(d, field, "a kind that can be copied, for its function\nanother");
	if ((field->range || field->masked || field->flag_names) && !ints)
		return refuse(d, field, "constraints on integers\nanother kind");
	if (field->equal && (!ints || container > KS_C_ARRAY))
		return refuse(d, field, "KSTATE_EQUAL on an integer in the object\nanother kind");
	if (field->range && !within(field->min, field->min, field->max, type))
		return refuse(d, field, "a range that is not empty\n%llu to %llu",
			      field->min, field->max);
	if (field->alloc && !(field->modifiers & (KS_POINTER | KS_ARRAY_OF_POINTER)))
		return refuse(d, field, "KSTATE_ALLOC on a pointer\nanother kind");
	if (!field->has_default)
		return 0;

	if (kstate_is_int(type) && container <= KS_C_ARRAY) {
		u8 as = kstate_is_signed(type) ? KS_S64 : KS_U64;

		if (!kstate_int_fits(field->dflt, as, type))
			return refuse(d, field, "a default that fits\n%llu", field->dflt);
		if ((field->range && !within(field->dflt, field->min, field->max, type)) ||
		    (field->masked && (field->dflt & ~field->mask)))
			return refuse(d, field, "a default that meets the constraints\n%llu",
				      field->dflt);
	} else if (field->dflt) {
		return refuse(d, field, "0 as the default of what is not an integer\n%llu",
			      field->dflt);
	}
	return 0;
}

/* What the kind of a field needs */
static int check_kind(const struct describe *d, const struct kstate_field *field,
		      u8 type, int container)
{
	if (container < 0)
		return refuse(d, field, "modifiers that go together\n%#x", field->modifiers);
	if (field->kind == KS_BASE_TYPE && (!kstate_is_int(type) ||
					    field->size != __kstate_size(type)))
		return refuse(d, field, "an integer type and its size\n%#x of %u bytes",
			      type, field->size);
	if (field->kind == KS_STRING && (field->type & 0xf) != 1)
		return refuse(d, field, "an array of or pointer to char\n%#x", field->type);
	if ((field->kind == KS_STRUCT || field->kind == KS_LIST || field->kind == KS_XARRAY ||
	     field->kind == KS_GROUP) && !field->ksd)
		return refuse(d, field, "a description of the struct\nnone");
	if (field->kind == KS_CUSTOM && (!field->save || !field->restore))
		return refuse(d, field, "functions to save and to restore\nnone");
	if (field->kind == KS_GROUP && !field->needed)
		return refuse(d, field, "a function that says whether it is needed\nnone");
	if (field->kind == KS_UNION && (!field->arms || !field->arms[0].name ||
					!kstate_is_int(field->length.type)))
		return refuse(d, field, "arms and the member that selects one\nnone");
	if (field->kind == KS_PAGES && !kstate_is_int(field->length.type))
		return refuse(d, field, "the member that holds the number of pages\nnone");
	if ((field->modifiers & KS_VARRAY) &&
	    kstate_is_int(field->length.type) == !!field->count)
		return refuse(d, field, "a member or a function for the length\n%s",
			      field->count ? "both" : "none");
	if (field->length.type && !kstate_is_int(field->length.type))
		return refuse(d, field, "an integer for the length\n%#x", field->length.type);
	if ((container == KS_C_ARRAY || container == KS_C_POINTERS ||
	     (container == KS_C_SEQUENCE && field->kind != KS_LIST &&
	      !(field->modifiers & KS_POINTER)) || field->kind == KS_BITMAP) && !field->num)
		return refuse(d, field, "room for at least one element\n0");
	return 0;
}

static struct kstate_schema *describe(struct describe *d,
				      const struct kstate_description *desc);

static int describe_ref(struct describe *d, const struct kstate_field *field,
			const struct kstate_description *desc, struct kstate_schema_field *f)
{
	struct kstate_path path = { .up = d->path, .name = field->name };
	struct describe nested = { .where = d->where, .path = &path, .depth = d->depth + 1 };
	u32 i;

	f->ref = describe(&nested, desc);
	if (IS_ERR(f->ref)) {
		int ret = PTR_ERR(f->ref);

		f->ref = NULL;
		return ret;
	}
	if (!f->ref->size)
		return refuse(d, field, "a struct with data\none without");
	if (field->kind != KS_GROUP)
		return 0;
	for (i = 0; i < f->ref->nr_fields; i++) {
		struct kstate_schema_field *member = &f->ref->fields[i];

		if (kstate_has_data(member) &&
		    !(member->flags & (KSTATE_FIELD_DEFAULT | KSTATE_FIELD_HOOK)))
			return refuse(&nested, member->bind,
				      "a default, as all fields of a group have\nnone");
	}
	return 0;
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
	    (container == KS_C_SEQUENCE && field->kind != KS_LIST &&
	     !(field->modifiers & KS_POINTER)))
		room = field->num;
	if (field->kind != KS_UNION && field->length.type && field->length.type != KS_U64)
		room = min(room, (1ULL << (8 * __kstate_size(field->length.type) -
					   kstate_is_signed(field->length.type))) - 1);
	/* A record cannot hold more */
	return room < KSTATE_MAX_RECORD ? room : KSTATE_ANY_ROOM;
}

/* The first of the fields so far whose length is in the same member */
static u32 length_of(const struct kstate_schema *schema, const struct kstate_field *field)
{
	u32 i;

	for (i = 0; schema->fields[i].bind != field; i++)
		if (schema->fields[i].length &&
		    schema->fields[i].bind->length.offset == field->length.offset)
			break;
	return i + 1;
}

/* What the struct can take: other kernels learn it from the catalogue */
static void describe_limits(struct kstate_schema *schema, struct kstate_schema_field *f,
			    const struct kstate_field *field)
{
	f->room = room_of(field, f->container);
	if (f->room != KSTATE_ANY_ROOM)
		add_hint(schema, KSTATE_HINT_ROOM, f->room, "");
	f->text = field->kind == KS_STRING;
	if (f->text)
		add_hint(schema, KSTATE_HINT_TEXT, 0, "");
	if (!field->length.type || field->kind == KS_UNION)
		return;
	f->length = length_of(schema, field);
	add_hint(schema, KSTATE_HINT_LENGTH, f->length - 1, "");
}

/* Add @field, its aliases and arms, to fields that have room for them */
static int describe_field(struct describe *d, struct kstate_schema *schema,
			  const struct kstate_field *field)
{
	struct kstate_schema_field *f = &schema->fields[schema->nr_fields++];
	const struct kstate_flag_name *flag;
	const struct kstate_arm *arm;
	const char *const *alias;
	int container, ret;

	f->name = field->name;
	f->bind = field;
	f->type = type_of(field);
	f->count = 1;
	if (field->kind == KS_REMOVED)
		return 0;

	container = container_of_field(field);
	ret = check_kind(d, field, f->type, container);
	if (!ret)
		ret = check_options(d, field, f->type, container);
	if (ret)
		return ret;

	f->container = container;
	f->flags = (field->has_default ? KSTATE_FIELD_DEFAULT : 0) |
		   (field->absent ? KSTATE_FIELD_HOOK : 0) |
		   (field->ignorable ? KSTATE_FIELD_IGNORABLE : 0) |
		   (field->convert ? KSTATE_FIELD_CONVERT : 0) |
		   (field->range ? KSTATE_FIELD_RANGE : 0) |
		   (field->masked ? KSTATE_FIELD_MASK : 0) |
		   (field->equal ? KSTATE_FIELD_EQUAL : 0);
	f->dflt = field->dflt;
	f->min = field->min;
	f->max = field->max;
	f->mask = field->mask;
	if (container == KS_C_ARRAY)
		f->count = field->num;

	describe_limits(schema, f, field);
	f->secret = field->secret;
	if (field->hex)
		add_hint(schema, KSTATE_HINT_HEX, 0, "");
	if (field->secret)
		add_hint(schema, KSTATE_HINT_SECRET, 0, "");
	for (flag = field->flag_names; flag && flag->name; flag++) {
		ret = check_name(d, field, flag->name);
		if (ret)
			return ret;
		add_hint(schema, KSTATE_HINT_FLAG, flag->bits, flag->name);
	}

	if (f->type == KS_T_STRUCT) {
		ret = describe_ref(d, field, field->ksd, f);
		if (ret)
			return ret;
	}
	if (f->type == KS_T_UNION) {
		for (arm = field->arms; arm->name; arm++) {
			f = &schema->fields[schema->nr_fields++];
			f->name = arm->name;
			f->bind = field;
			f->type = KS_T_ARM;
			f->count = 1;
			f->dflt = arm->tag;
			ret = arm->ksd ? describe_ref(d, field, arm->ksd, f) : 0;
			if (ret)
				return ret;
		}
	}
	for (alias = field->aliases; alias && *alias; alias++) {
		f = &schema->fields[schema->nr_fields++];
		f->name = *alias;
		f->bind = field;
		f->type = KS_T_ALIAS;
		f->count = 1;
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
	u32 index;

	if (!field)
		return refuse(d, NULL, "fields\nnone");
	for (index = 0; field->kind != KS_END; field++, index++) {
		const struct kstate_flag_name *flag;
		const struct kstate_arm *arm;
		const char *const *alias;

		if (field->kind < KS_BASE_TYPE || field->kind > KS_END)
			return refuse(d, NULL,
				      "a known kind, or KSTATE_END_OF_LIST()\nkind %#x in field %u",
				      field->kind, index);
		if (field->kind == KS_SKIP)
			continue;
		++*nr_fields;
		/* Room, text and length are the others */
		*nr_hints += field->hex + field->secret + 3;
		for (alias = field->aliases; alias && *alias; alias++)
			++*nr_fields;
		for (flag = field->flag_names; flag && flag->name; flag++)
			++*nr_hints;
		for (arm = field->kind == KS_UNION ? field->arms : NULL; arm && arm->name; arm++)
			++*nr_fields;
		if (*nr_fields > KSTATE_MAX_FIELDS)
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
	ret = check_names(d, schema);
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

	schema = kstate_zalloc(sizeof(*schema));
	if (!schema)
		goto no_memory;
	schema->name = desc->name;
	schema->version = desc->version_id;
	schema->min_version = desc->min_version_id;
	schema->flags = desc->optional ? KSTATE_SCHEMA_OPTIONAL : 0;
	schema->desc = desc;
	schema->fields = kstate_zalloc((nr_fields + 1) * sizeof(*schema->fields));
	schema->hints = kstate_zalloc((nr_hints + 1) * sizeof(*schema->hints));
	if (!schema->fields || !schema->hints)
		goto no_memory;

	ret = fill_schema(d, schema, desc);
	if (!ret)
		return schema;
	kstate_schema_free(schema);
	return ERR_PTR(ret);

no_memory:
	kstate_schema_free(schema);
	kstate_fail(d->where, d->path, KSTATE_NO_MEMORY, -ENOMEM, "memory for a schema\nnone");
	return ERR_PTR(-ENOMEM);
}

static void forget(struct kstate_schema *schema)
{
	struct kstate_description *desc = (struct kstate_description *)schema->desc;

	list_del(&schema->list);
	desc->schema = NULL;
	kstate_schema_free(schema);
}

/**
 * kstate_describe() - schema and plan of a description
 * @desc: the description
 * @err: what is wrong with it
 *
 * Context: may sleep, unless the description has been used before.
 * Return: the schema, which stays with @desc, or an ERR_PTR().
 */
struct kstate_schema *kstate_describe(struct kstate_description *desc,
				      struct kstate_error *err)
{
	/* Pairs with the release below */
	struct kstate_schema *schema = smp_load_acquire(&desc->schema);
	struct kstate_where where = { .state = desc->name, .err = err };
	struct describe d = { .where = &where };
	int ret;

	if (likely(schema))
		return schema;

	guard(mutex)(&describe_lock);
	if (desc->schema)
		return desc->schema;
	schema = describe(&d, desc);
	if (IS_ERR(schema))
		return schema;

	schema->resolution = kstate_zalloc(sizeof(*schema->resolution));
	if (!schema->resolution)
		ret = kstate_fail(&where, NULL, KSTATE_NO_MEMORY, -ENOMEM,
				  "memory for a plan\nnone");
	else
		ret = kstate_resolve(schema, schema, schema->resolution, &where, NULL, NULL);
	if (ret) {
		kstate_schema_free(schema);
		return ERR_PTR(ret);
	}
	schema->serial = ++serial;
	list_add(&schema->list, &described);
	/* Whoever sees the schema sees it complete */
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
