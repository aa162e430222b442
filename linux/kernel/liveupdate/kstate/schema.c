// SPDX-License-Identifier: GPL-2.0-only
/*
 * Schemas: what both sides of a jump know of a description, and its bytes.
 */

/**
 * DOC: schemas
 *
 * A schema is a description without what is private to one kernel: names,
 * types, counts and what may be done with a field, but no offsets in memory
 * and no functions. The offsets of the fixed part follow from it and are not
 * written. Schemas that stand inside others are written before them, so that
 * a stream cannot express a cycle.
 */

#include <linux/align.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include "engine.h"

/**
 * kstate_schema_free() - free a schema
 * @schema: the schema, or NULL. One that comes from a description owns those
 *	it refers to; one that comes from a stream shares them
 */
void kstate_schema_free(struct kstate_schema *schema)
{
	u32 i;

	if (!schema)
		return;
	for (i = 0; schema->desc && i < schema->nr_fields; i++)
		kstate_schema_free(schema->fields[i].ref);
	if (schema->resolution)
		kstate_resolution_free(schema->resolution);
	kvfree(schema->resolution);
	kvfree(schema->fields);
	kvfree(schema->hints);
	kvfree(schema);
}

/* Size of one element; what leaves the fixed part for the tail has it there */
static u32 element_size(const struct kstate_schema_field *f, u32 *align)
{
	u32 size;

	if (f->type == KS_T_STRUCT) {
		*align = f->ref->align;
		return f->ref->size;
	}
	if (kstate_is_edge(f->type)) {
		*align = 8;
		return sizeof(struct kstate_edge);
	}
	size = f->type >= KS_T_BITMAP ? sizeof(u32) : f->type & 0xf;
	*align = size;
	return size;
}

/**
 * kstate_schema_layout() - compute what follows from the fields
 * @schema: the schema; its fields are valid each by itself
 *
 * Sets the offset and size of each field, and size, align, depth, tree, tails
 * and edges of the schema.
 *
 * Return: false if any of them is beyond what is allowed.
 */
bool kstate_schema_layout(struct kstate_schema *schema)
{
	u64 size = 0;
	u32 i;

	schema->align = 1;
	schema->depth = 1;
	schema->tree = schema->nr_fields;
	for (i = 0; i < schema->nr_fields; i++) {
		struct kstate_schema_field *f = &schema->fields[i];
		u64 bytes = sizeof(u32);
		u32 align;

		if (f->ref) {
			schema->depth = max(schema->depth, f->ref->depth + 1);
			schema->edges |= f->ref->edges;
			schema->tails |= f->ref->tails;
			/* Whatever follows references takes time and stack: bound it here */
			schema->tree += f->ref->tree;
			if (schema->tree > KSTATE_MAX_TREE)
				return false;
		}
		if (!kstate_has_data(f))
			continue;

		f->size = element_size(f, &align);
		if (kstate_has_slot(f)) {
			schema->tails = true;
			align = sizeof(u32);
		} else {
			bytes = (u64)f->size * f->count;
		}
		/* Items may hold edges: only their bytes tell */
		schema->edges |= kstate_is_edge(f->type) || f->type == KS_T_ITEMS ||
				 f->type == KS_T_FOLIOS;

		size = ALIGN(size, align);
		f->offset = size;
		size += bytes;
		schema->align = max(schema->align, align);
		if (size > KSTATE_MAX_FIXED)
			return false;
	}
	schema->size = ALIGN(size, schema->align);
	return schema->depth <= KSTATE_MAX_DEPTH;
}

static u64 fnv1a(u64 hash, const void *data, size_t size)
{
	const u8 *p = data;

	while (size--)
		hash = (hash ^ *p++) * 0x100000001b3ULL;
	return hash;
}

static u64 fnv1a_u16(u64 hash, u16 val)
{
	__le16 le = cpu_to_le16(val);

	return fnv1a(hash, &le, sizeof(le));
}

static u64 fnv1a_u32(u64 hash, u32 val)
{
	__le32 le = cpu_to_le32(val);

	return fnv1a(hash, &le, sizeof(le));
}

static u64 fnv1a_u64(u64 hash, u64 val)
{
	__le64 le = cpu_to_le64(val);

	return fnv1a(hash, &le, sizeof(le));
}

/**
 * kstate_schema_hash() - compute the hash of a schema
 * @schema: the schema; those it refers to have theirs
 *
 * 64-bit FNV-1a (Fowler, Noll, Vo: draft-eastlake-fnv) over the canonical
 * bytes that the format specification defines.
 */
void kstate_schema_hash(struct kstate_schema *schema)
{
	u64 h = 0xcbf29ce484222325ULL;
	u32 i;

	h = fnv1a(h, schema->name, strlen(schema->name) + 1);
	h = fnv1a_u32(h, schema->version);
	h = fnv1a_u32(h, schema->min_version);
	h = fnv1a_u32(h, schema->flags);
	for (i = 0; i < schema->nr_fields; i++) {
		const struct kstate_schema_field *f = &schema->fields[i];

		h = fnv1a(h, f->name, strlen(f->name) + 1);
		h = fnv1a(h, &f->type, 1);
		h = fnv1a(h, &f->container, 1);
		h = fnv1a_u16(h, f->flags);
		h = fnv1a_u32(h, f->count);
		h = fnv1a_u64(h, f->dflt);
		h = fnv1a_u64(h, f->min);
		h = fnv1a_u64(h, f->max);
		h = fnv1a_u64(h, f->mask);
		h = fnv1a_u64(h, f->ref ? f->ref->hash : 0);
	}
	schema->hash = h;
}

/**
 * kstate_schema_name() - the next name of a value or of bits of a field
 * @schema: the schema
 * @f: one of its fields
 * @pos: where to look, 0 to begin with; moved behind the name
 *
 * Return: the hint with the name, or NULL if there are no more.
 */
const struct kstate_schema_hint *kstate_schema_name(const struct kstate_schema *schema,
						    const struct kstate_schema_field *f, u32 *pos)
{
	u32 index = f - schema->fields;

	while (f->names && *pos < schema->nr_hints) {
		const struct kstate_schema_hint *h = &schema->hints[(*pos)++];

		if (h->field == index && h->kind == (f->enumerated ? KSTATE_HINT_ENUM :
								     KSTATE_HINT_FLAG))
			return h;
	}
	return NULL;
}

static bool same_names(const struct kstate_schema *a, const struct kstate_schema_field *f,
		       const struct kstate_schema *b, const struct kstate_schema_field *g)
{
	const struct kstate_schema_hint *h, *i;
	u32 hpos = 0, ipos = 0;

	do {
		h = kstate_schema_name(a, f, &hpos);
		i = kstate_schema_name(b, g, &ipos);
		if (!h != !i || (h && (h->value != i->value || strcmp(h->name, i->name))))
			return false;
	} while (h);
	return f->enumerated == g->enumerated;
}

/**
 * kstate_schema_equal() - whether two schemas describe the same bytes
 * @a: one schema
 * @b: another
 *
 * Equal hashes are a hint, never a proof.
 *
 * Return: whether all that enters the hash is the same, and names of values.
 */
bool kstate_schema_equal(const struct kstate_schema *a, const struct kstate_schema *b)
{
	u32 i;

	if (a == b)
		return true;
	if (a->hash != b->hash || a->nr_fields != b->nr_fields || a->version != b->version ||
	    a->min_version != b->min_version || a->flags != b->flags || strcmp(a->name, b->name))
		return false;

	for (i = 0; i < a->nr_fields; i++) {
		const struct kstate_schema_field *f = &a->fields[i], *g = &b->fields[i];

		if (strcmp(f->name, g->name) || f->type != g->type ||
		    f->container != g->container || f->flags != g->flags ||
		    f->count != g->count || f->dflt != g->dflt || f->min != g->min ||
		    f->max != g->max || f->mask != g->mask || !f->ref != !g->ref)
			return false;
		if (f->ref && !kstate_schema_equal(f->ref, g->ref))
			return false;
		if ((f->names || g->names) && !same_names(a, f, b, g))
			return false;
	}
	return true;
}

/**
 * kstate_schema_same() - whether one schema can stand for the other in a set
 * @a: one schema
 * @b: another
 *
 * Return: whether they are equal, and keep the same secrets.
 */
bool kstate_schema_same(const struct kstate_schema *a, const struct kstate_schema *b)
{
	u32 i;

	if (a == b)
		return true;
	if (!kstate_schema_equal(a, b))
		return false;
	for (i = 0; i < a->nr_fields; i++)
		if (a->fields[i].secret != b->fields[i].secret ||
		    (a->fields[i].ref && !kstate_schema_same(a->fields[i].ref, b->fields[i].ref)))
			return false;
	return true;
}

/* Streams do without what only helps to predict */
static bool is_wanted(const struct kstate_schema_hint *hint, bool limits)
{
	switch (hint->kind) {
	case KSTATE_HINT_ROOM:
	case KSTATE_HINT_LENGTH:
	case KSTATE_HINT_TEXT:
	case KSTATE_HINT_GROUP:
		return limits;
	}
	return true;
}

static u32 count_hints(const struct kstate_schema *schema, bool limits)
{
	u32 i, nr = 0;

	for (i = 0; i < schema->nr_hints; i++)
		nr += is_wanted(&schema->hints[i], limits);
	return nr;
}

static u32 strings_bytes(const struct kstate_schema *schema, bool limits)
{
	u32 i, bytes = strlen(schema->name) + 1;

	for (i = 0; i < schema->nr_fields; i++)
		bytes += strlen(schema->fields[i].name) + 1;
	for (i = 0; i < schema->nr_hints; i++)
		if (is_wanted(&schema->hints[i], limits))
			bytes += strlen(schema->hints[i].name) + 1;
	return bytes;
}

/**
 * kstate_schema_bytes() - size of the payload of a schema record
 * @schema: the schema
 * @limits: with the hints that are for catalogues
 *
 * Return: bytes.
 */
u32 kstate_schema_bytes(const struct kstate_schema *schema, bool limits)
{
	return ALIGN(sizeof(struct kstate_wire_schema) +
		     schema->nr_fields * sizeof(struct kstate_wire_field) +
		     count_hints(schema, limits) * sizeof(struct kstate_wire_hint) +
		     strings_bytes(schema, limits), 8);
}

static __le32 put_string(char *strings, u32 *pos, const char *s)
{
	u32 at = *pos;

	memcpy(strings + at, s, strlen(s) + 1);
	*pos += strlen(s) + 1;
	return cpu_to_le32(at);
}

/**
 * kstate_schema_encode() - write the payload of a schema record
 * @schema: the schema
 * @limits: with the hints that are for catalogues
 * @buf: kstate_schema_bytes() zeroed bytes, aligned to 8
 * @ref_id: number of a schema that @schema refers to
 * @arg: for @ref_id
 */
void kstate_schema_encode(const struct kstate_schema *schema, bool limits, u8 *buf,
			  u32 (*ref_id)(const struct kstate_schema *ref, void *arg), void *arg)
{
	struct kstate_wire_schema *ws = (void *)buf;
	struct kstate_wire_field *wf = (void *)(ws + 1);
	struct kstate_wire_hint *wh = (void *)(wf + schema->nr_fields);
	u32 nr_hints = count_hints(schema, limits);
	char *strings = (void *)(wh + nr_hints);
	u32 pos = 0, i;

	ws->hash = cpu_to_le64(schema->hash);
	ws->name = put_string(strings, &pos, schema->name);
	ws->version = cpu_to_le32(schema->version);
	ws->min_version = cpu_to_le32(schema->min_version);
	ws->flags = cpu_to_le32(schema->flags);
	ws->size = cpu_to_le32(schema->size);
	ws->nr_fields = cpu_to_le32(schema->nr_fields);
	ws->nr_hints = cpu_to_le32(nr_hints);
	ws->strings = cpu_to_le32(strings_bytes(schema, limits));

	for (i = 0; i < schema->nr_fields; i++, wf++) {
		const struct kstate_schema_field *f = &schema->fields[i];

		wf->name = put_string(strings, &pos, f->name);
		wf->type = f->type;
		wf->container = f->container;
		wf->flags = cpu_to_le16(f->flags);
		wf->count = cpu_to_le32(f->count);
		wf->ref = cpu_to_le32(f->ref ? ref_id(f->ref, arg) : KSTATE_NO_REF);
		wf->dflt = cpu_to_le64(f->dflt);
		wf->min = cpu_to_le64(f->min);
		wf->max = cpu_to_le64(f->max);
		wf->mask = cpu_to_le64(f->mask);
	}
	for (i = 0; i < schema->nr_hints; i++) {
		const struct kstate_schema_hint *h = &schema->hints[i];

		if (!is_wanted(h, limits))
			continue;
		wh->field = cpu_to_le16(h->field);
		wh->kind = cpu_to_le16(h->kind);
		wh->name = put_string(strings, &pos, h->name);
		wh->value = cpu_to_le64(h->value);
		wh++;
	}
}

static int bad(const struct kstate_where *where, const char *expected, u64 found)
{
	return kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG, "%s\n%llu", expected, found);
}

/* A string that starts at @at: terminated, of bounded length; NULL if not */
static const char *get_string(const char *strings, u32 size, __le32 at)
{
	u32 pos = le32_to_cpu(at);

	if (pos >= size || strnlen(strings + pos, size - pos) > KSTATE_MAX_NAME)
		return NULL;
	return strnlen(strings + pos, size - pos) < size - pos ? strings + pos : NULL;
}

static const char *const type_names[] = {
	[KS_U8] = "u8", [KS_U16] = "u16", [KS_U32] = "u32", [KS_U64] = "u64",
	[KS_S8] = "s8", [KS_S16] = "s16", [KS_S32] = "s32", [KS_S64] = "s64",
	[KS_BOOL] = "bool", [KS_CHAR] = "char",
	[KS_T_STRUCT] = "struct", [KS_T_LINEAR] = "linear", [KS_T_VMEMMAP] = "page",
	[KS_T_FOLIO] = "folio", [KS_T_PAGES] = "pages", [KS_T_VMALLOC] = "vmalloc",
	[KS_T_BITMAP] = "bitmap", [KS_T_UNION] = "union", [KS_T_ITEMS] = "custom",
	[KS_T_FOLIOS] = "folios",
	[KS_T_ALIAS] = "alias", [KS_T_ARM] = "arm", [KS_T_REMOVED] = "removed",
};

/**
 * kstate_type_name() - name of a type
 * @type: &enum kstate_type, or any other number
 *
 * Return: the name, or NULL if there is no such type.
 */
const char *kstate_type_name(u8 type)
{
	return type < ARRAY_SIZE(type_names) ? type_names[type] : NULL;
}

/**
 * kstate_field_text() - what a field is, in words: "u32[4]", "pointer to struct"
 * @f: the field
 * @buf: where to
 * @size: of @buf
 *
 * Return: @buf.
 */
const char *kstate_field_text(const struct kstate_schema_field *f, char *buf, size_t size)
{
	static const char *const containers[] = {
		[KS_C_ONE] = "", [KS_C_ARRAY] = "", [KS_C_OPTIONAL] = "pointer to ",
		[KS_C_SEQUENCE] = "sequence of ", [KS_C_POINTERS] = "array of pointers to ",
		[KS_C_MAP] = "xarray of ",
	};

	if (f->container == KS_C_ARRAY)
		snprintf(buf, size, "%s[%u]", kstate_type_name(f->type), f->count);
	else
		snprintf(buf, size, "%s%s", containers[f->container], kstate_type_name(f->type));
	return buf;
}

static int decode_field(const struct kstate_wire_field *wf, struct kstate_schema_field *f,
			const struct kstate_set *set, const struct kstate_where *where)
{
	u32 ref = le32_to_cpu(wf->ref);

	f->type = wf->type;
	f->container = wf->container;
	f->flags = le16_to_cpu(wf->flags);
	f->count = le32_to_cpu(wf->count);
	f->dflt = le64_to_cpu(wf->dflt);
	f->min = le64_to_cpu(wf->min);
	f->max = le64_to_cpu(wf->max);
	f->mask = le64_to_cpu(wf->mask);
	f->room = KSTATE_ANY_ROOM;

	if (!kstate_type_name(f->type))
		return bad(where, "a known type", f->type);
	if (f->container > KS_C_MAP || (f->type >= KS_T_BITMAP && f->container != KS_C_ONE))
		return bad(where, "a container for this type", f->container);
	if (f->flags & ~KSTATE_FIELD_FLAGS)
		return bad(where, "known flags", f->flags);
	if (f->container == KS_C_ARRAY ? !f->count || f->count > KSTATE_MAX_FIXED : f->count != 1)
		return bad(where, "a count for this container", f->count);

	if (f->type == KS_T_REMOVED && f->min &&
	    (!kstate_is_int(kstate_was_type(f)) || !kstate_type_name(kstate_was_type(f)) ||
	     f->min >> 8 > KS_C_ARRAY))
		return bad(where, "an integer or an array of them that was", f->min);
	if (f->type == KS_T_STRUCT || (f->type == KS_T_ARM && ref != KSTATE_NO_REF)) {
		f->ref = kstate_set_ref(set, ref);
		if (!f->ref)
			return bad(where, "a schema that was defined before", ref);
		if (!f->ref->size)
			return bad(where, "a struct that is not empty", ref);
	} else if (ref != KSTATE_NO_REF) {
		return bad(where, "no reference for this type", ref);
	}
	return 0;
}

static int decode_hint(struct kstate_schema *schema, const struct kstate_schema_hint *h,
		       const struct kstate_where *where)
{
	struct kstate_schema_field *f = &schema->fields[h->field];

	switch (h->kind) {
	case KSTATE_HINT_SECRET:
		f->secret = true;
		break;
	case KSTATE_HINT_ROOM:
		f->room = h->value;
		break;
	case KSTATE_HINT_LENGTH:
		if (h->value > h->field)
			return bad(where, "this field or one before", h->value);
		f->length = h->value + 1;
		break;
	case KSTATE_HINT_TEXT:
		if (f->type != KS_CHAR || f->container != KS_C_SEQUENCE)
			return bad(where, "a sequence of chars as text", h->field);
		f->text = true;
		break;
	case KSTATE_HINT_GROUP:
		if (f->type != KS_T_STRUCT || f->container != KS_C_OPTIONAL)
			return bad(where, "an optional struct as a group", h->field);
		f->group = true;
		break;
	case KSTATE_HINT_MAC:
	case KSTATE_HINT_UUID:
		if (f->type != KS_U8 || f->container != KS_C_ARRAY ||
		    f->count != (h->kind == KSTATE_HINT_MAC ? KSTATE_MAC_BYTES : KSTATE_UUID_BYTES))
			return bad(where, "an array of bytes as a MAC address or a UUID", h->field);
		break;
	case KSTATE_HINT_ENUM:
		f->enumerated = true;
		fallthrough;
	case KSTATE_HINT_FLAG:
		f->names = true;
		break;
	}
	return 0;
}

static int decode(struct kstate_schema *schema, const u8 *buf, u32 size,
		  const struct kstate_set *set, const struct kstate_where *where)
{
	const struct kstate_wire_schema *ws = (const void *)buf;
	const struct kstate_wire_field *wf = (const void *)(ws + 1);
	const struct kstate_wire_hint *wh;
	u32 strings_size = le32_to_cpu(ws->strings), i;
	const char *strings;
	int ret;

	wh = (const void *)(wf + schema->nr_fields);
	strings = (const void *)(wh + schema->nr_hints);

	schema->name = get_string(strings, strings_size, ws->name);
	if (!schema->name || !schema->name[0])
		return bad(where, "a name", le32_to_cpu(ws->name));
	schema->version = le32_to_cpu(ws->version);
	schema->min_version = le32_to_cpu(ws->min_version);
	schema->flags = le32_to_cpu(ws->flags);
	if (schema->flags & ~KSTATE_SCHEMA_OPTIONAL)
		return bad(where, "known flags", schema->flags);

	for (i = 0; i < schema->nr_fields; i++) {
		struct kstate_schema_field *f = &schema->fields[i];

		f->name = get_string(strings, strings_size, wf[i].name);
		if (!f->name || !f->name[0])
			return bad(where, "a name", le32_to_cpu(wf[i].name));
		ret = decode_field(&wf[i], f, set, where);
		if (ret)
			return ret;
		if ((f->type == KS_T_ALIAS && !i) ||
		    (f->type == KS_T_ARM && (!i || (f[-1].type != KS_T_ARM &&
						    f[-1].type != KS_T_UNION))))
			return bad(where, "a field before this one", i);
	}
	for (i = 0; i < schema->nr_hints; i++) {
		struct kstate_schema_hint *h = &schema->hints[i];

		h->field = le16_to_cpu(wh[i].field);
		h->kind = le16_to_cpu(wh[i].kind);
		h->value = le64_to_cpu(wh[i].value);
		h->name = get_string(strings, strings_size, wh[i].name);
		if (!h->name || h->field >= schema->nr_fields)
			return bad(where, "a hint for a field", h->field);
		ret = decode_hint(schema, h, where);
		if (ret)
			return ret;
	}

	if (!kstate_schema_layout(schema) || schema->size != le32_to_cpu(ws->size))
		return bad(where, "a size that follows from the fields", le32_to_cpu(ws->size));
	kstate_schema_hash(schema);
	if (schema->hash != le64_to_cpu(ws->hash))
		return bad(where, "a hash that follows from the fields", le64_to_cpu(ws->hash));
	return 0;
}

/**
 * kstate_schema_decode() - read the payload of a schema record
 * @buf: the payload, aligned to 8; names will point into it
 * @size: its size
 * @set: the set whose schemas it may refer to
 * @where: for messages
 *
 * Return: the schema, for kstate_schema_free(), or an ERR_PTR().
 */
struct kstate_schema *kstate_schema_decode(const u8 *buf, u32 size,
					   const struct kstate_set *set,
					   const struct kstate_where *where)
{
	const struct kstate_wire_schema *ws = (const void *)buf;
	struct kstate_schema *schema;
	u32 nr_fields, nr_hints;
	u64 need;
	int ret;

	if (size < sizeof(*ws))
		return ERR_PTR(bad(where, "a whole schema", size));
	nr_fields = le32_to_cpu(ws->nr_fields);
	nr_hints = le32_to_cpu(ws->nr_hints);
	need = sizeof(*ws) + (u64)nr_fields * sizeof(struct kstate_wire_field) +
	       (u64)nr_hints * sizeof(struct kstate_wire_hint) + le32_to_cpu(ws->strings);
	if (nr_fields > KSTATE_MAX_FIELDS || ALIGN(need, 8) != size)
		return ERR_PTR(bad(where, "fields that fill the record", nr_fields));
	if (nr_hints > KSTATE_MAX_HINTS)
		return ERR_PTR(bad(where, "hints within their limit", nr_hints));

	schema = kvzalloc_obj(*schema);
	if (!schema)
		goto no_memory;
	schema->nr_fields = nr_fields;
	schema->nr_hints = nr_hints;
	schema->fields = kvzalloc((nr_fields + 1) * sizeof(*schema->fields), GFP_KERNEL);
	schema->hints = kvzalloc((nr_hints + 1) * sizeof(*schema->hints), GFP_KERNEL);
	if (!schema->fields || !schema->hints)
		goto no_memory;

	ret = decode(schema, buf, size, set, where);
	if (!ret)
		return schema;
	kstate_schema_free(schema);
	return ERR_PTR(ret);

no_memory:
	kstate_schema_free(schema);
	return ERR_PTR(kstate_no_memory(where, NULL));
}

/**
 * kstate_state_valid() - whether all that a STATE record points to is there
 * @buf: the payload, aligned to 8
 * @size: its size
 * @schema: the schema of the state
 *
 * Return: whether counts, offsets of strings and numbers of fields can be used
 * without another look.
 */
bool kstate_state_valid(const u8 *buf, u32 size, const struct kstate_schema *schema)
{
	const struct kstate_wire_state *ws = (const void *)buf;
	const struct kstate_wire_member *wm = (const void *)(ws + 1);
	u32 nr, strings, field, i;
	u64 need;

	if (size < sizeof(*ws))
		return false;
	nr = le32_to_cpu(ws->nr_members);
	strings = le32_to_cpu(ws->strings);
	need = sizeof(*ws) + (u64)nr * sizeof(*wm);
	if (ALIGN(need + strings, 8) != size || buf[need + strings - 1] ||
	    (le32_to_cpu(ws->flags) & ~KSTATE_STATE_FLAGS) || ws->reserved ||
	    le32_to_cpu(ws->image) >= strings || le32_to_cpu(ws->type) >= strings)
		return false;

	for (i = 0; i < nr; i++, wm++) {
		field = le32_to_cpu(wm->field);
		if (le32_to_cpu(wm->name) >= strings || le32_to_cpu(wm->reason) >= strings ||
		    (field != KSTATE_NO_REF && field >= schema->nr_fields) ||
		    (wm->type && (wm->type > KS_CHAR || !kstate_type_name(wm->type))) ||
		    wm->reserved)
			return false;
	}
	return true;
}
