/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine: descriptions, schemas, and objects to bytes and back.
 *
 *   description --describe.c--> schema --schema.c--> bytes of a schema record
 *   schema x schema --compare.c, resolve.c--> plan (plan.c)
 *   object x plan --save.c--> payload of a record --restore.c--> log --log.c--> object
 *
 * kinds.c has what differs from one kind of field to the next, wire.c reads a
 * payload by its schema alone, items.c and convert.c are for callbacks. The
 * engine knows neither streams nor sets: what it asks of them is at the end.
 */
#ifndef _KSTATE_ENGINE_H
#define _KSTATE_ENGINE_H

#include <linux/kstate.h>
#include "value.h"

/* Errors: error.c */

/*
 * A name on the way from an object to a field; nested structs chain them. It is secret if
 * the field, or one that it is in, is a secret of either kernel.
 */
struct kstate_path {
	const struct kstate_path *up;
	const char *name;
	bool secret;
};

/* A path and an index in it, on the stack of the function that walks an array */
struct kstate_frame {
	const struct kstate_frame *up;
	const struct kstate_path *path;
	s64 index;
};

/* What an error is about, as far as it is known */
struct kstate_where {
	const char *state;
	struct kstate_key key;
	bool has_key;
	const char *writer;
	const char *stream;
	const struct kstate_frame *frame;
	struct kstate_error *err;
};

/* The caller's error, or a local one, without an error yet */
static inline struct kstate_error *kstate_error_begin(struct kstate_error *err,
						      struct kstate_error *local)
{
	err = err ?: local;
	err->code = 0;
	err->reason = KSTATE_OK;
	return err;
}

__printf(5, 6)
int kstate_fail(const struct kstate_where *where, const struct kstate_path *path,
		enum kstate_reason reason, int code, const char *fmt, ...);
int kstate_no_memory(const struct kstate_where *where, const struct kstate_path *path);
int kstate_where_text(const struct kstate_where *where, const struct kstate_path *path,
		      char *buf, size_t size);
/* kstate_fail() hides what is found; expected values have to be hidden where they are known */
#define KSTATE_SECRET_TEXT	"a secret value"

bool kstate_is_secret(const struct kstate_where *where, const struct kstate_path *path);
int kstate_json_text(const char *s, char *buf, size_t size);
void kstate_error_log(const struct kstate_error *err, const char *doing);

/* Schemas: describe.c, schema.c */

/**
 * struct kstate_schema_field - a field as both sides of a jump see it
 * @name: its name
 * @type: &enum kstate_type
 * @container: &enum kstate_container
 * @flags: %KSTATE_FIELD_DEFAULT and the like
 * @count: elements of an array
 * @offset: in the fixed part
 * @size: bytes of one element
 * @dflt: see &struct kstate_wire_field
 * @min: see &struct kstate_wire_field
 * @max: see &struct kstate_wire_field
 * @mask: see &struct kstate_wire_field
 * @room: elements or bits that the struct has room for
 * @length: index, plus 1, of the first field that has the same member as its
 *	length or tag, or is that member itself; 0 if there is no such member,
 *	or if that is not known
 * @text: it ends with a NUL, and has no other
 * @group: it is fields of the object itself, which may not be needed
 * @secret: not to be shown
 * @names: values or bits have names: see the hints
 * @enumerated: the names are those of values, not of bits
 * @ref: schema of the elements
 * @bind: this kernel's field, if the schema comes from a description
 *
 * @room, @length, @text and @group are not known from streams, but from descriptions and
 * catalogues.
 */
struct kstate_schema_field {
	const char *name;
	u8 type;
	u8 container;
	u16 flags;
	u32 count;
	u32 offset;
	u32 size;
	u64 dflt;
	u64 min;
	u64 max;
	u64 mask;
	u64 room;
	u32 length;
	bool text;
	bool group;
	bool secret;
	bool names;
	bool enumerated;
	struct kstate_schema *ref;
	const struct kstate_field *bind;
};

#define KSTATE_ANY_ROOM		U64_MAX

struct kstate_schema_hint {
	u16 field;
	u16 kind;
	const char *name;
	u64 value;
};

struct kstate_resolution;

/**
 * struct kstate_schema - a description without what is private to a kernel
 * @name: of the state
 * @version: see &struct kstate_description
 * @min_version: see &struct kstate_description
 * @flags: %KSTATE_SCHEMA_OPTIONAL
 * @size: bytes of the fixed part
 * @align: of the fixed part
 * @depth: structs inside each other
 * @tree: number of fields, with those of structs inside each time they occur
 * @extent: described: bytes of the object that its fields reach to
 * @tails: there may be bytes outside of the fixed part
 * @edges: there may be memory handed over in place
 * @pointers: described: an object may hold pointers
 * @equal: described: something must equal what the object holds
 * @nr_fields: fields, aliases, arms and removed ones
 * @nr_hints: hints
 * @hash: FNV-1a of the canonical bytes
 * @fields: the fields, and one of type %KS_NONE
 * @hints: how to show them, and what the struct can take
 * @desc: the description, if the schema comes from one
 * @resolution: how to save, and to restore what has an equal schema
 * @list: in the list of all described schemas
 * @serial: unlike that of any other schema
 */
struct kstate_schema {
	const char *name;
	u32 version;
	u32 min_version;
	u32 flags;
	u32 size;
	u32 align;
	u32 depth;
	u32 tree;
	u32 extent;
	bool tails;
	bool edges;
	bool pointers;
	bool equal;
	u32 nr_fields;
	u32 nr_hints;
	u64 hash;
	struct kstate_schema_field *fields;
	struct kstate_schema_hint *hints;
	const struct kstate_description *desc;
	struct kstate_resolution *resolution;
	struct list_head list;
	u64 serial;
};

/* Fields that hold data, and not facts about others */
static inline bool kstate_has_data(const struct kstate_schema_field *f)
{
	return f->type < KS_T_ALIAS;
}

/* Fields whose fixed part is a u32 that says how much follows in the tail */
static inline bool kstate_has_slot(const struct kstate_schema_field *f)
{
	return f->container >= KS_C_OPTIONAL || (f->type >= KS_T_BITMAP && kstate_has_data(f));
}

/* What a removed field was: type and container; 0 if that is not told */
static inline u8 kstate_was_type(const struct kstate_schema_field *f)
{
	return f->min & 0xff;
}

struct module;

struct kstate_schema *kstate_describe_first(struct kstate_description *desc,
					    struct kstate_error *err);

/**
 * kstate_describe() - schema and plan of a description
 * @desc: the description
 * @err: what is wrong with it
 *
 * Context: may sleep, unless the description has been used before.
 * Return: the schema, which stays with @desc, or an ERR_PTR().
 */
static inline struct kstate_schema *kstate_describe(struct kstate_description *desc,
						    struct kstate_error *err)
{
	/* Pairs with the release in kstate_describe_first() */
	struct kstate_schema *schema = smp_load_acquire(&desc->schema);

	return likely(schema) ? schema : kstate_describe_first(desc, err);
}

bool kstate_known_state(const char *name);
typedef int (*kstate_described_fn)(const struct kstate_schema *schema, void *arg);

int kstate_walk_described(kstate_described_fn fn, void *arg);
void kstate_forget_module(const struct module *mod);
void kstate_schema_free(struct kstate_schema *schema);
bool kstate_schema_layout(struct kstate_schema *schema);
void kstate_schema_hash(struct kstate_schema *schema);
bool kstate_schema_equal(const struct kstate_schema *a, const struct kstate_schema *b);
bool kstate_schema_same(const struct kstate_schema *a, const struct kstate_schema *b);
const struct kstate_schema_hint *kstate_schema_name(const struct kstate_schema *schema,
						    const struct kstate_schema_field *f, u32 *pos);
u32 kstate_schema_bytes(const struct kstate_schema *schema, bool limits);
void kstate_schema_encode(const struct kstate_schema *schema, bool limits, u8 *buf,
			  u32 (*ref_id)(const struct kstate_schema *ref, void *arg), void *arg);
struct kstate_schema *kstate_schema_decode(const u8 *buf, u32 size,
					   const struct kstate_set *set,
					   const struct kstate_where *where);
bool kstate_state_valid(const u8 *buf, u32 size, const struct kstate_schema *schema);
const char *kstate_type_name(u8 type);
const char *kstate_field_text(const struct kstate_schema_field *f, char *buf, size_t size);

/* Plans: compare.c, plan.c, resolve.c */

enum kstate_opcode {
	KSTATE_OP_COPY,		/* @count bytes */
	KSTATE_OP_INT,		/* @count integers from type @src to @dst */
	KSTATE_OP_BOOL,		/* @count bytes must be 0 or 1 */
	KSTATE_OP_LIMIT,	/* @count integers must meet the field's constraints */
	KSTATE_OP_NAMES,	/* @count integers whose names have other values */
	KSTATE_OP_ADDRESS,	/* @count addresses */
	KSTATE_OP_EDGE,		/* @count edges */
	KSTATE_OP_EACH,		/* @sub for @count structs in the fixed part */
	KSTATE_OP_TAIL,		/* @sub for each element in the tail; see @to->container */
	KSTATE_OP_BITMAP,
	KSTATE_OP_UNION,
	KSTATE_OP_ITEMS,
	KSTATE_OP_FOLIOS,
	KSTATE_OP_LENGTH,	/* the member that holds a length or a tag has one value */
	KSTATE_OP_DEFAULT,	/* @sub, from a record of defaults */
	KSTATE_OP_ZERO,		/* @count bytes of the object */
	KSTATE_OP_ABSENT,	/* the reader's function decides */
	KSTATE_OP_CONVERT,	/* the reader's function converts */
	KSTATE_OP_DROP,		/* @count elements that the reader has no use for */
	KSTATE_OP_RESTORED,	/* call kstate_description.restored */
};

struct kstate_plan;

/* A record of defaults, and what to do with it */
struct kstate_default {
	struct kstate_plan *plan;
	u8 *bytes;
};

/* What to do with an arm of the writer's union: the reader's tag and plan */
struct kstate_arm_plan {
	const char *name;
	u64 tag;
	struct kstate_plan *plan;	/* NULL if the reader does not have the arm */
	u8 *bytes;			/* of the first arm of a default: its record */
};

/* A name of the writer: its value there and here */
struct kstate_name_map {
	const char *name;
	u64 from;
	u64 to;
	bool known;
};

/* How a reader without the writer's field goes past it */
enum kstate_drop {
	KSTATE_DROP_ANY,	/* it is converted */
	KSTATE_DROP_LOSSY,	/* that loses it unless it is the default */
	KSTATE_DROP_STRICT,	/* only if it is the default */
};

/**
 * struct kstate_op - one step between the bytes of a record and an object
 * @code: &enum kstate_opcode
 * @src: type of the integers in the record
 * @dst: type of the integers in the object
 * @narrow: of a %KSTATE_OP_INT, that some values do not fit; of a %KSTATE_OP_DROP,
 *	&enum kstate_drop
 * @wire: offset in the fixed part
 * @mem: offset in the object; of a %KSTATE_OP_DROP, the first element
 * @count: see &enum kstate_opcode
 * @wsize: bytes from one element to the next in the record
 * @msize: bytes from one element to the next in the object
 * @sub: plan of the elements
 * @owner: of a %KSTATE_OP_LENGTH, the field that is the same member, or NULL
 * @arms: of a union, one entry per arm of the writer
 * @none: of a group, what to do when it is not there
 * @names: of a %KSTATE_OP_NAMES, @nr_names of them
 * @bytes: of a %KSTATE_OP_DEFAULT, the record of defaults
 * @desc: of a %KSTATE_OP_RESTORED, the description
 * @nr_names: see @names
 * @schema: the writer's schema that @from is in
 * @from: the writer's field, NULL if it has none
 * @to: the reader's field, NULL if it has none
 * @path: of the field, for messages
 */
struct kstate_op {
	u8 code;
	u8 src;
	u8 dst;
	u8 narrow;
	u32 wire;
	u32 mem;
	u32 count;
	u32 wsize;
	u32 msize;
	union {
		struct kstate_plan *sub;
		const struct kstate_schema_field *owner;
	};
	union {
		struct kstate_arm_plan *arms;
		struct kstate_default *none;
		const struct kstate_name_map *names;
		u8 *bytes;
		const struct kstate_description *desc;
	};
	u32 nr_names;
	const struct kstate_schema *schema;
	const struct kstate_schema_field *from;
	const struct kstate_schema_field *to;
	const struct kstate_path *path;
};

/* Of the eight bytes at @at in the fixed part: what is not padding, and what bools do not have */
struct kstate_word {
	u32 at;
	u64 keep;
	u64 bad;
};

/**
 * struct kstate_plan - the steps for one struct
 * @nr: number of steps
 * @copies: how many of them are copies
 * @quick: how many of them are copies, or done if no bad bit of @words is set
 * @copied: bytes that these copy
 * @solid: bytes from the first of them to the last one, if there is nothing but
 *	padding between them in the record, and as much in the object; otherwise 0
 * @bytes: if the only step is to copy all of it, how many bytes; otherwise 0
 * @nr_words: entries of @words
 * @words: those with bools, and of a solid plan those with padding
 * @ops: the steps: copies first, then single bools, those that use the tail in the
 *	order of the tail, those that set lengths last
 */
struct kstate_plan {
	u32 nr;
	u32 copies;
	u32 quick;
	u32 copied;
	u32 solid;
	u32 bytes;
	u32 nr_words;
	struct kstate_word *words;
	struct kstate_op ops[];
};

/**
 * enum kstate_depends - what else decides what restoring does
 * @KSTATE_DEPENDS_NOT: nothing
 * @KSTATE_DEPENDS_VALUE: the value; some that the writer may have are refused
 * @KSTATE_DEPENDS_LOSS: the value; it is lost unless it is the default
 * @KSTATE_DEPENDS_OBJECT: what the reader's object holds
 * @KSTATE_DEPENDS_FUNCTION: a function of the reader
 */
enum kstate_depends {
	KSTATE_DEPENDS_NOT,
	KSTATE_DEPENDS_VALUE,
	KSTATE_DEPENDS_LOSS,
	KSTATE_DEPENDS_OBJECT,
	KSTATE_DEPENDS_FUNCTION,
};

/* How a pair of fields differs */
enum kstate_change {
	KSTATE_CHANGE_RENAMED,
	KSTATE_CHANGE_TYPE,		/* to one that takes all values */
	KSTATE_CHANGE_NARROWED,		/* to one that takes some */
	KSTATE_CHANGE_RANGE,
	KSTATE_CHANGE_MASK,
	KSTATE_CHANGE_EQUAL,
	KSTATE_CHANGE_ROOM,
	KSTATE_CHANGE_TEXT,
	KSTATE_CHANGE_GREW,
	KSTATE_CHANGE_SHRANK,
	KSTATE_CHANGE_ARM_GONE,		/* @name: the arm */
	KSTATE_CHANGE_ARM_DATA,		/* @name: the arm */
	KSTATE_CHANGE_REMOVED,
	KSTATE_CHANGE_REMOVED_REUSED,
	KSTATE_CHANGE_IGNORED,
	KSTATE_CHANGE_UNKNOWN,
	KSTATE_CHANGE_ABSENT,
	KSTATE_CHANGE_ABSENT_HOOK,
	KSTATE_CHANGE_FROM_LENGTH,	/* absent, but the length or tag of @name */
	KSTATE_CHANGE_REQUIRED,
	KSTATE_CHANGE_CONVERT,
	KSTATE_CHANGE_NO_WAY,
	KSTATE_CHANGE_LENGTH,		/* @name: the field with the same member */
	KSTATE_CHANGE_VERSION,
	KSTATE_CHANGE_DEFAULT,
	KSTATE_CHANGE_FIRST_ARM,
	KSTATE_CHANGE_NAMES,		/* names have other values */
	KSTATE_CHANGE_NAME_GONE,	/* @name: a name without a value here */
};

/**
 * struct kstate_difference - how writer and reader differ in one place
 * @verdict: what restoring does about it; of %KSTATE_DEPENDS_LOSS, at worst
 * @depends: &enum kstate_depends
 * @what: &enum kstate_change
 * @path: where
 * @w: the writer's field, or NULL
 * @r: the reader's field, or NULL
 * @name: see &enum kstate_change
 * @expected: if it is refused whatever the value, what was expected
 * @found: and what was found
 */
struct kstate_difference {
	enum kstate_verdict verdict;
	enum kstate_depends depends;
	enum kstate_change what;
	const char *path;
	const struct kstate_schema_field *w;
	const struct kstate_schema_field *r;
	const char *name;
	const char *expected;
	const char *found;
};

typedef void (*kstate_report_fn)(const struct kstate_difference *diff, void *arg);

/* All that one resolution made, in one place to free */
struct kstate_resolution {
	struct kstate_plan *plan;
	u32 fixed;		/* bytes that the writer's fixed part takes */
	enum kstate_verdict verdict;
	bool by_value;		/* some values are refused, or lost */
	struct list_head memory;
};

/* An integer and its sign; see kstate_bounds() */
struct kstate_bound {
	u64 val;
	bool is_signed;
};

int kstate_resolve(const struct kstate_schema *writer, const struct kstate_schema *reader,
		   struct kstate_resolution *res, const struct kstate_where *where,
		   kstate_report_fn report, void *arg);
void kstate_match_fields(const struct kstate_schema *w, const struct kstate_schema *r,
			 const struct kstate_schema_field **match);
const struct kstate_schema_field *kstate_find_arm(const struct kstate_schema_field *f,
						  const char *name);
void kstate_resolution_free(struct kstate_resolution *res);
int kstate_bound_compare(struct kstate_bound a, struct kstate_bound b);
void kstate_bounds(const struct kstate_schema_field *f, bool constraints,
		   struct kstate_bound *min, struct kstate_bound *max);

/* How many steps need not be gone through, once copies are done, with this fixed part */
static __always_inline u32 kstate_plan_quick(const struct kstate_plan *plan, const u8 *fixed)
{
	u64 bad = 0;
	u32 i;

	for (i = 0; i < plan->nr_words; i++)
		bad |= get_unaligned((u64 *)(fixed + plan->words[i].at)) & plan->words[i].bad;
	return unlikely(bad) ? plan->copies : plan->quick;
}

/* The payload of a record by its schema alone: wire.c */

/* The payload of a record and how far it has been read */
struct kstate_cursor {
	u8 *pos;
	u8 *end;
};

static inline u8 *kstate_cursor_take(struct kstate_cursor *c, u64 bytes)
{
	u8 *p = c->pos;

	/* Every chunk of the tail is padded to a multiple of 8 */
	bytes = (bytes + 7) & ~7ULL;
	if (bytes > (u64)(c->end - p))
		return NULL;
	c->pos += bytes;
	return p;
}

/* Bytes of a bitmap in the tail */
#define BITS_TO_WIRE(_bits)	(((u64)(_bits) + 63) / 64 * 8)

/**
 * struct kstate_span - the part of the tail that belongs to a field
 * @n: what its slot says: elements, bits, bytes, folios, or the number of the arm
 * @present: elements that follow, without those that are NULL; runs of folios
 * @before: presence bytes, indices or number of runs, or NULL
 * @chunk: the elements
 * @bytes: of @chunk
 * @arm: of a union
 * @bad: what was expected instead, if the bytes cannot be those of such a field
 * @found: and the number that was found
 */
struct kstate_span {
	u32 n;
	u32 present;
	u8 *before;
	u8 *chunk;
	u64 bytes;
	const struct kstate_schema_field *arm;
	const char *bad;
	u64 found;
};

bool kstate_span_of(const struct kstate_schema *schema, const struct kstate_schema_field *f, u32 n,
		    struct kstate_cursor *tail, struct kstate_span *span);

typedef int (*kstate_edge_fn)(struct kstate_edge *edge, u8 type, void *arg);

/**
 * struct kstate_visit - what a walk over a field finds out
 * @edge: called for each edge that is not empty, or NULL
 * @arg: for @edge
 * @is_default: set to false if something is not its default
 */
struct kstate_visit {
	kstate_edge_fn edge;
	void *arg;
	bool is_default;
};

int kstate_wire_walk(const struct kstate_schema *schema, const struct kstate_schema_field *f,
		     u8 *fixed, u32 first, u32 count, struct kstate_cursor *tail,
		     struct kstate_visit *visit);
int kstate_wire_struct(const struct kstate_schema *schema, u8 *fixed,
		       struct kstate_cursor *tail, struct kstate_visit *visit);
int kstate_wire_edges(const struct kstate_schema *schema, u8 *payload, u32 size,
		      kstate_edge_fn fn, void *arg);
u32 kstate_run_edges(const struct kstate_folio_run *run);
void kstate_run_edge(const struct kstate_folio_run *run, u32 i, struct kstate_edge *edge);

/* What a conversion function may look at */
struct kstate_value {
	const struct kstate_schema_field *field;
	const u8 *fixed;
	struct kstate_cursor tail;
};

/* Values and their constraints: limits.c */

int kstate_check_bools(struct kstate_where *where, const struct kstate_op *op, const u8 *p);
int kstate_check_limit(struct kstate_where *where, const struct kstate_op *op,
		       const struct kstate_schema_field *f, u32 index, u64 val, const u64 *held);
int kstate_fail_int(struct kstate_where *where, const struct kstate_op *op, u32 index,
		    const char *expected, u64 val, u8 type);
void kstate_int_text(u64 val, u8 type, char *buf, size_t size);

/* Saving one object: save.c */

/**
 * struct kstate_save_ctx - an object on its way into a record
 * @where: for messages
 * @stream: the stream
 * @rec: the record, which moves when it grows
 * @used: bytes of it that are written or reserved
 * @room: bytes that there are at @rec
 * @in_callback: a function of the description may put items
 * @groups: open groups of items: offsets of their headers
 * @nr_groups: how many
 */
struct kstate_save_ctx {
	struct kstate_where where;
	struct kstate_stream *stream;
	u8 *rec;
	size_t used;
	size_t room;
	bool in_callback;
	u32 groups[KSTATE_MAX_GROUPS];
	u32 nr_groups;
};

/* The copies; how many steps need not be gone through then */
static __always_inline u32 kstate_save_copies(const struct kstate_plan *plan, u8 *fixed,
					      const void *obj)
{
	const struct kstate_op *op = plan->ops, *end = op + plan->copies;
	const struct kstate_word *word = plan->words, *last = word + plan->nr_words;
	u64 bad = 0, val;

	if (plan->solid)
		memcpy(fixed + op->wire, obj + op->mem, plan->solid);
	else
		for (; op < end; op++)
			kstate_copy(fixed + op->wire, obj + op->mem, op->count);
	for (; word < last; word++) {
		val = get_unaligned((u64 *)(fixed + word->at)) & word->keep;
		put_unaligned(val, (u64 *)(fixed + word->at));
		bad |= val & word->bad;
	}
	return unlikely(bad) ? plan->copies : plan->quick;
}

int kstate_save_steps(struct kstate_save_ctx *w, const struct kstate_plan *plan, u32 done,
		      u32 fixed, const void *obj);
int kstate_save_again(struct kstate_save_ctx *w, const struct kstate_schema *schema, u32 fixed,
		      const void *obj);
int kstate_save_at(struct kstate_save_ctx *w, const struct kstate_op *op, s64 index,
		   const struct kstate_plan *plan, u32 fixed, const void *obj);
s64 kstate_save_reserve(struct kstate_save_ctx *w, u64 bytes);
int kstate_save_edge(struct kstate_save_ctx *w, const struct kstate_path *path, u8 type,
		     void *ptr, s64 nr, u32 at);

/* Restoring one object: restore.c, log.c */

struct kstate_log_chunk;
struct kstate_log_entry;

/**
 * struct kstate_restore_ctx - a record on its way into an object
 * @where: for messages
 * @stream: the stream
 * @tail: what is left of the payload
 * @remote: for another kernel, whose object is not at hand
 * @fresh: the object was allocated by this restore: write to it at once
 * @blank: the object will be zero by then, whatever it holds now
 * @defaults: what is read is a record of defaults, which has no tail
 * @keep: whether applying can be taken back
 * @applied: the log has been applied
 * @calls: the log has functions to call
 * @verdict: what the values made of it
 * @refused: remote: called for each value that is refused, which then does not end
 *	the check, or NULL
 * @arg: for @refused
 * @nr_refused: how often
 * @log: what to write and what was acquired, the last chunk first
 * @first: its first chunk
 * @old: bytes that were overwritten
 * @old_size: how many
 * @items: what is left of the items of a callback
 * @in_callback: a function of the description may get items
 * @groups: open groups of items: their ends
 * @nr_groups: how many
 */
struct kstate_restore_ctx {
	struct kstate_where where;
	struct kstate_stream *stream;
	struct kstate_cursor tail;
	bool remote;
	bool fresh;
	bool blank;
	bool defaults;
	bool keep;
	bool applied;
	bool calls;
	bool in_callback;
	enum kstate_verdict verdict;
	void (*refused)(const struct kstate_error *err, void *arg);
	void *arg;
	u32 nr_refused;
	struct kstate_log_chunk *log;
	u64 first[32];
	u8 *old;
	u64 old_size;
	struct kstate_cursor items;
	u8 *groups[KSTATE_MAX_GROUPS];
	u32 nr_groups;
};

static __always_inline void kstate_restore_copies(const struct kstate_plan *plan, const u8 *fixed,
						  void *obj)
{
	const struct kstate_op *op, *end = plan->ops + plan->copies;

	for (op = plan->ops; op < end; op++)
		kstate_copy(obj + op->mem, fixed + op->wire, op->count);
}

int kstate_restore_check(struct kstate_restore_ctx *w, const struct kstate_plan *plan,
			 u8 *fixed, void *obj);
int kstate_restore_apply(struct kstate_restore_ctx *w);
void kstate_restore_done(struct kstate_restore_ctx *w);
void kstate_restore_undo(struct kstate_restore_ctx *w);
int kstate_restore_edge(struct kstate_restore_ctx *w, const struct kstate_path *path, u8 type,
			const struct kstate_edge *edge, void **ptr);
u64 kstate_length_of(const struct kstate_op *op, const u8 *fixed);
bool kstate_translate(const struct kstate_op *op, u64 *val, const char **unknown);

/* For kinds.c */

/* The first pointer of what is at @mem now */
static inline void *kstate_held(const struct kstate_restore_ctx *w, const void *mem)
{
	return w->blank ? NULL : *(void *const *)mem;
}

int kstate_restore_at(struct kstate_restore_ctx *w, const struct kstate_op *op, s64 index,
		      u8 *fixed, void *obj, bool fresh);
void *kstate_restore_alloc(struct kstate_restore_ctx *w, const struct kstate_op *op, u32 n,
			   bool keep);
int kstate_restore_store(struct kstate_restore_ctx *w, void *dst, u64 val, u32 size);
int kstate_restore_write(struct kstate_restore_ctx *w, void *dst, const void *src, u32 size);
int kstate_restore_zero(struct kstate_restore_ctx *w, void *dst, u32 size);
struct kstate_log_entry *kstate_restore_list(struct kstate_restore_ctx *w,
					     const struct kstate_op *op, void *head);
void kstate_restore_link(struct kstate_log_entry *list, void *elem);
int kstate_restore_reserve(struct kstate_restore_ctx *w, const struct kstate_op *op, void *xa,
			   unsigned long index, void *elem);
int kstate_restore_head(struct kstate_restore_ctx *w, void *head, u32 size);
int kstate_restore_count(struct kstate_restore_ctx *w, const struct kstate_op *op, void *member,
			 u32 n);
int kstate_occupied(struct kstate_restore_ctx *w, const struct kstate_op *op, s64 index,
		    const char *expected, const char *found);
int kstate_refuse_value(struct kstate_restore_ctx *w, int ret);
int kstate_damaged(struct kstate_restore_ctx *w, const struct kstate_op *op,
		   const char *expected, u64 found);

/* What differs from one kind to the next: kinds.c */

/* The elements of a field one after another */
struct kstate_elements {
	const struct kstate_field *field;
	const void *base;
	const void *at;
	unsigned long index;
	u32 i;
	u32 n;
};

/**
 * struct kstate_kind_row - what is particular to a kind of field
 * @type: type of its elements on the wire; 0: that of the field
 * @fixed: it has one container; otherwise the modifiers tell
 * @container: the one
 * @needs: %KSTATE_NEEDS_KSD and the like
 * @member: bytes of the member, where modifiers and size do not tell
 * @shapes: combinations of modifiers that it takes, as bits
 * @count: elements that an object has; negative: an error
 * @next: the next element, or NULL
 * @restore: put @span's elements into @member
 */
struct kstate_kind_row {
	u8 type;
	bool fixed;
	u8 container;
	u8 needs;
	u8 member;
	u32 shapes;
	s64 (*count)(struct kstate_save_ctx *w, const struct kstate_op *op, const void *member);
	const void *(*next)(struct kstate_elements *e);
	int (*restore)(struct kstate_restore_ctx *w, const struct kstate_op *op,
		       const struct kstate_span *span, void *member);
};

#define KSTATE_NEEDS_KSD	1	/* a description of the elements */
#define KSTATE_NEEDS_LENGTH	2	/* a member with the length or the tag */

const void *kstate_array_next(struct kstate_elements *e);
const struct kstate_kind_row *kstate_kind_of(const struct kstate_field *field);
u8 kstate_kind_type(const struct kstate_field *field);
int kstate_kind_container(const struct kstate_field *field);
u32 kstate_member_bytes(const struct kstate_field *field);

/* Whether restoring allocates the elements */
static inline bool kstate_allocates(const struct kstate_field *field)
{
	return field->alloc || field->kind == KS_LIST || field->kind == KS_HLIST ||
	       field->kind == KS_XARRAY;
}

/* What the engine asks of the store: stream.c, set.c, preserve.c, object.c */

struct kstate_schema *kstate_set_ref(const struct kstate_set *set, u32 id);
u8 *kstate_stream_reserve(struct kstate_stream *stream, u8 *at, size_t used, size_t need);
size_t kstate_stream_room(const struct kstate_stream *stream, const u8 *at);
struct kstate_save_ctx *kstate_stream_saving(struct kstate_stream *stream);
struct kstate_restore_ctx *kstate_stream_restoring(struct kstate_stream *stream);
int kstate_stream_preserve(struct kstate_stream *stream, const struct kstate_where *where,
			   const struct kstate_path *path, u8 kind, void *ptr, size_t nr,
			   struct kstate_edge *edge);
/* How many runs are preserved in one go, at most */
#define KSTATE_RUNS_AT_ONCE	32

u32 kstate_stream_preserve_runs(struct kstate_stream *stream, const struct kstate_folio_run *runs,
				u32 nr);
int kstate_stream_take(struct kstate_stream *stream, const struct kstate_edge *edge, void **ptr);
void kstate_stream_park(struct kstate_stream *stream, const struct kstate_edge *edge, void *ptr);
void kstate_stream_discard(struct kstate_stream *stream, struct kstate_edge *edge);

#endif /* _KSTATE_ENGINE_H */
