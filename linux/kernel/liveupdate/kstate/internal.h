/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the steps of KSTATE share.
 *
 *   description --describe.c--> schema --schema.c--> bytes of a schema record
 *   schema x schema --resolve.c--> plan
 *   object x plan --save.c--> bytes of a record --restore.c--> object
 *
 * object.c does that for one object, stream.c keeps records, record.c finds them,
 * set.c keeps streams and schemas, preserve.c memory that is handed over in place.
 * publish.c puts a set together, open.c takes it apart, handon.c goes through what
 * nobody wanted; kho.c and memory.c are where the bytes live.
 */
#ifndef _KSTATE_INTERNAL_H
#define _KSTATE_INTERNAL_H

#include <linux/cleanup.h>
#include <linux/kstate.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/rhashtable-types.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/xarray.h>

/* Errors: error.c */

/* A name on the way from an object to a field; nested structs chain them */
struct kstate_path {
	const struct kstate_path *up;
	const char *name;
};

/* A path and an index in it, on the stack of whoever walks an array */
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

static inline int kstate_no_memory(const struct kstate_where *where)
{
	return kstate_fail(where, NULL, KSTATE_NO_MEMORY, -ENOMEM, "memory\nnone");
}

int kstate_where_text(const struct kstate_where *where, const struct kstate_path *path,
		      char *buf, size_t size);
int kstate_json_text(const char *s, char *buf, size_t size);
void kstate_error_log(const struct kstate_error *err, const char *doing);

/* Schemas: describe.c, schema.c */

void *kstate_zalloc(size_t size);
void kstate_free(const void *mem);

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
 * @length: index, plus 1, of the first field with the same member for its
 *	length; 0 if there is no such member, or if that is not known
 * @text: it ends with a NUL, and has no other
 * @secret: not to be shown
 * @ref: schema of the elements
 * @bind: this kernel's field, if the schema comes from a description
 *
 * @room, @length and @text are not known from streams, but from descriptions and
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
	bool secret;
	struct kstate_schema *ref;
	const struct kstate_field *bind;
};

#define KSTATE_ANY_ROOM		U64_MAX

struct kstate_resolution;
struct task_struct;

struct kstate_schema_hint {
	u16 field;
	u16 kind;
	const char *name;
	u64 value;
};

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
 * @tails: there may be bytes outside of the fixed part
 * @edges: there may be memory handed over in place
 * @nr_fields: fields, aliases, arms and removed ones
 * @nr_hints: hints
 * @hash: FNV-1a of the canonical bytes
 * @fields: the fields, and one of type %KS_NONE
 * @hints: how to show them
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
	bool tails;
	bool edges;
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

static inline bool kstate_is_int(u8 type)
{
	return type && type < KS_T_STRUCT;
}

static inline bool kstate_is_edge(u8 type)
{
	return type > KS_T_EDGE && type <= KS_T_VMALLOC;
}

/* Fields whose fixed part is a u32 that says how much follows in the tail */
static inline bool kstate_has_slot(const struct kstate_schema_field *f)
{
	return f->container >= KS_C_OPTIONAL ||
	       (f->type >= KS_T_BITMAP && f->type <= KS_T_ITEMS);
}

static inline bool kstate_is_signed(u8 type)
{
	return (type & 0xf0) == 0x10;
}

struct module;

struct kstate_schema *kstate_describe(struct kstate_description *desc,
				      struct kstate_error *err);
bool kstate_known_state(const char *name);
typedef int (*kstate_described_fn)(const struct kstate_schema *schema, void *arg);

int kstate_walk_described(kstate_described_fn fn, void *arg);
void kstate_forget_module(const struct module *mod);
void kstate_schema_free(struct kstate_schema *schema);
bool kstate_schema_layout(struct kstate_schema *schema);
void kstate_schema_hash(struct kstate_schema *schema);
bool kstate_schema_equal(const struct kstate_schema *a, const struct kstate_schema *b);
u32 kstate_schema_bytes(const struct kstate_schema *schema, bool limits);
void kstate_schema_encode(const struct kstate_schema *schema, bool limits, u8 *buf,
			  u32 (*ref_id)(const struct kstate_schema *ref, void *arg), void *arg);
struct kstate_schema *kstate_schema_decode(const u8 *buf, u32 size,
					   const struct kstate_set *set,
					   const struct kstate_where *where);
bool kstate_state_valid(const u8 *buf, u32 size, const struct kstate_schema *schema);

/* Plans: resolve.c */

enum kstate_opcode {
	KSTATE_OP_COPY,		/* @count bytes */
	KSTATE_OP_INT,		/* @count integers from type @src to @dst */
	KSTATE_OP_BOOL,		/* @count bytes must be 0 or 1 */
	KSTATE_OP_LIMIT,	/* @count integers must meet the field's constraints */
	KSTATE_OP_FILL,		/* @count integers get the default */
	KSTATE_OP_ADDRESS,	/* @count addresses */
	KSTATE_OP_EDGE,		/* @count edges */
	KSTATE_OP_EACH,		/* @sub for @count structs in the fixed part */
	KSTATE_OP_TAIL,		/* @sub for each element in the tail; see @to->container */
	KSTATE_OP_BITMAP,
	KSTATE_OP_UNION,
	KSTATE_OP_ITEMS,
	KSTATE_OP_LENGTH,	/* set the member that holds the length or the tag */
	KSTATE_OP_ABSENT,	/* the reader's function decides */
	KSTATE_OP_CONVERT,	/* the reader's function converts */
	KSTATE_OP_DROP,		/* @count elements that the reader has no use for */
};

struct kstate_plan;

/* What to do with an arm of the writer's union: the reader's tag and plan */
struct kstate_arm_plan {
	const char *name;
	u64 tag;
	struct kstate_plan *plan;	/* NULL if the reader does not have the arm */
};

/**
 * struct kstate_op - one step between the bytes of a record and an object
 * @code: &enum kstate_opcode
 * @src: type of the integers in the record
 * @dst: type of the integers in the object
 * @strict: of a %KSTATE_OP_DROP: only if it is the default
 * @wire: offset in the fixed part
 * @mem: offset in the object; of a %KSTATE_OP_DROP, the first element
 * @count: see &enum kstate_opcode
 * @wsize: bytes from one element to the next in the record
 * @msize: bytes from one element to the next in the object
 * @sub: plan of the elements
 * @arms: of a union, one entry per arm of the writer
 * @none: of a group, what to do when it is not there
 * @schema: the writer's schema that @from is in
 * @from: the writer's field, NULL if it has none
 * @to: the reader's field, NULL if it has none
 * @path: of the field, for messages
 */
struct kstate_op {
	u8 code;
	u8 src;
	u8 dst;
	bool strict;
	u32 wire;
	u32 mem;
	u32 count;
	u32 wsize;
	u32 msize;
	struct kstate_plan *sub;
	union {
		struct kstate_arm_plan *arms;
		struct kstate_plan *none;
	};
	const struct kstate_schema *schema;
	const struct kstate_schema_field *from;
	const struct kstate_schema_field *to;
	const struct kstate_path *path;
};

/**
 * struct kstate_plan - the steps for one struct
 * @nr: number of steps
 * @bytes: if the only step is to copy all of it, how many bytes; otherwise 0
 * @ops: the steps, those that use the tail in the order of the tail
 */
struct kstate_plan {
	u32 nr;
	u32 bytes;
	struct kstate_op ops[];
};

/**
 * enum kstate_depends - what else decides whether restoring refuses
 * @KSTATE_DEPENDS_NOT: nothing
 * @KSTATE_DEPENDS_VALUE: the value; some that the writer may have are refused
 * @KSTATE_DEPENDS_OBJECT: what the reader's object holds
 * @KSTATE_DEPENDS_FUNCTION: a function of the reader
 */
enum kstate_depends {
	KSTATE_DEPENDS_NOT,
	KSTATE_DEPENDS_VALUE,
	KSTATE_DEPENDS_OBJECT,
	KSTATE_DEPENDS_FUNCTION,
};

/**
 * struct kstate_difference - how writer and reader differ in one place
 * @verdict: what restoring does about it
 * @depends: &enum kstate_depends
 * @path: where
 * @text: a sentence about it
 */
struct kstate_difference {
	enum kstate_verdict verdict;
	enum kstate_depends depends;
	const char *path;
	const char *text;
};

typedef void (*kstate_report_fn)(const struct kstate_difference *diff, void *arg);

/* All that one resolution made, in one place to free */
struct kstate_resolution {
	struct kstate_plan *plan;
	enum kstate_verdict verdict;
	bool by_value;		/* some values are refused */
	struct list_head memory;
};

int kstate_resolve(const struct kstate_schema *writer, const struct kstate_schema *reader,
		   struct kstate_resolution *res, const struct kstate_where *where,
		   kstate_report_fn report, void *arg);
void kstate_resolution_free(struct kstate_resolution *res);

/* Integers on the wire: wire.c */

u64 kstate_int_load(const void *p, u8 type);
void kstate_int_store(void *p, u8 type, u64 val);
u64 kstate_mem_load(const void *p, u8 type);
void kstate_mem_store(void *p, u8 type, u64 val);
bool kstate_int_fits(u64 val, u8 src, u8 dst);

/* Most runs of equal fields are short: do without a call for them */
static inline void kstate_copy(void *to, const void *from, u32 bytes)
{
	switch (bytes) {
	case 1:
		*(u8 *)to = *(const u8 *)from;
		break;
	case 2:
		put_unaligned(get_unaligned((const u16 *)from), (u16 *)to);
		break;
	case 4:
		put_unaligned(get_unaligned((const u32 *)from), (u32 *)to);
		break;
	case 8:
		put_unaligned(get_unaligned((const u64 *)from), (u64 *)to);
		break;
	default:
		memcpy(to, from, bytes);
	}
}

/* The payload of a record and how far it has been read or written */
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
int kstate_wire_edges(const struct kstate_schema *schema, u8 *payload, u32 size,
		      kstate_edge_fn fn, void *arg);

/* Saving and restoring one object: save.c, restore.c, items.c */

/* What was acquired while checking, in the order in which applying uses it */
struct kstate_taken {
	enum { KSTATE_TAKEN_MEM, KSTATE_TAKEN_COPY, KSTATE_TAKEN_INDEX, KSTATE_TAKEN_EDGE } what;
	void *ptr;
	union {
		const struct kstate_field *field;	/* of a copy of a member */
		unsigned long index;			/* reserved in an xarray */
		struct kstate_edge edge;
	};
};

/* What a conversion function may look at */
struct kstate_value {
	const struct kstate_schema_field *field;
	const u8 *fixed;
	struct kstate_cursor tail;
};

/**
 * struct kstate_walk - an object on its way into or out of a record
 * @where: for messages
 * @stream: the stream
 * @tail: what is left of the payload
 * @measuring: saving: only add up @need
 * @need: bytes of the tail
 * @apply: restoring: everything is known to be good
 * @remote: checking: for another kernel, whose object is not at hand
 * @taken: restoring: what was acquired
 * @nr_taken: how many entries
 * @room_taken: how many there is room for
 * @next_taken: restoring: the next to use
 * @items: restoring: what is left of the items of a callback
 * @groups: open groups of items: their headers or ends
 * @nr_groups: how many
 */
struct kstate_walk {
	struct kstate_where where;
	struct kstate_stream *stream;
	struct kstate_cursor tail;
	bool measuring;
	u64 need;
	bool apply;
	bool remote;
	struct kstate_taken *taken;
	u32 nr_taken;
	u32 room_taken;
	u32 next_taken;
	struct kstate_cursor items;
	u8 *groups[KSTATE_MAX_GROUPS];
	u32 nr_groups;
};

int kstate_save_measure(struct kstate_walk *w, const struct kstate_schema *schema,
			const void *obj);
int kstate_save_write(struct kstate_walk *w, const struct kstate_schema *schema, u8 *fixed,
		      const void *obj);
int kstate_check_bools(struct kstate_walk *w, const struct kstate_op *op, const u8 *p);
int kstate_check_limit(struct kstate_walk *w, const struct kstate_op *op, u32 index, u64 val,
		       const void *held);
u8 *kstate_save_take(struct kstate_walk *w, u64 bytes);
int kstate_save_edge(struct kstate_walk *w, const struct kstate_path *path, u8 type, void *ptr,
		     size_t nr, struct kstate_edge *edge);
int kstate_restore_check(struct kstate_walk *w, const struct kstate_plan *plan, u8 *fixed,
			 void *obj);
void kstate_restore_apply(struct kstate_walk *w, const struct kstate_plan *plan, u8 *fixed,
			  void *obj);
void kstate_restore_undo(struct kstate_walk *w);
struct kstate_taken *kstate_restore_take(struct kstate_walk *w);
int kstate_restore_edge(struct kstate_walk *w, const struct kstate_path *path, u8 type,
			const struct kstate_edge *edge, void **ptr);

/* Sets and streams: set.c, preserve.c, stream.c, record.c, publish.c, open.c, handon.c */

/**
 * struct kstate_transport - where bytes live and how memory is handed over
 * @name: for messages
 * @file: segments are at offsets in kstate_set.blob
 * @alloc: memory for a segment of at least @size bytes, zeroed; sets its edge
 * @free: frees it
 * @map: the bytes of a segment that another kernel wrote, or an ERR_PTR()
 * @unmap: frees them
 * @preserve: fills @edge with memory at @ptr (a folio, a page or an area) so
 *	that it survives
 * @unpreserve: undoes that
 * @check: 0 if @edge can be taken, or a negative error code
 * @take: takes over @edge; sets @ptr as it was given to @preserve
 * @release: frees what @take took
 * @lean: of a file that may be cut: opening it does not look at the records of its
 *	streams, which cannot be looked up; kstate_segment_next() goes through them
 * @damaged: hears of all damage, of which kstate_set.damage is the first: @size
 *	bytes at @at; or NULL
 */
struct kstate_transport {
	const char *name;
	bool file;
	bool lean;
	void *(*alloc)(size_t size, struct kstate_edge *edge);
	void (*free)(void *mem, const struct kstate_edge *edge);
	void *(*map)(const struct kstate_edge *edge);
	void (*unmap)(void *mem, const struct kstate_edge *edge);
	int (*preserve)(u8 kind, void *ptr, size_t nr, struct kstate_edge *edge);
	void (*unpreserve)(const struct kstate_edge *edge);
	int (*check)(const struct kstate_edge *edge);
	int (*take)(const struct kstate_edge *edge, void **ptr);
	void (*release)(const struct kstate_edge *edge, void *ptr);
	void (*damaged)(const struct kstate_transport *transport, const void *at, size_t size,
			const struct kstate_error *err);
};

/**
 * struct kstate_segment - a run of records
 * @list: in kstate_stream.segments
 * @data: its bytes
 * @size: how many
 * @used: bytes of records
 * @records: how many, also those that were dropped
 * @live: outgoing: how many were not dropped
 * @holes: outgoing: &struct kstate_hole
 * @edge: where it is, for the next kernel
 */
struct kstate_segment {
	struct list_head list;
	u8 *data;
	size_t size;
	size_t used;
	u32 records;
	u32 live;
	struct list_head holes;
	struct kstate_edge edge;
};

/**
 * struct kstate_hole - room that a dropped record has left
 * @list: in kstate_segment.holes
 * @same: others of the same size
 * @segment: the segment
 * @record: the record
 */
struct kstate_hole {
	struct list_head list;
	struct list_head same;
	struct kstate_segment *segment;
	struct kstate_record *record;
};

enum kstate_slot_state {
	KSTATE_SLOT_FREE,	/* to be restored */
	KSTATE_SLOT_CLAIMED,	/* restored */
	KSTATE_SLOT_DROPPED,	/* taken back, or its memory was freed */
};

/**
 * struct kstate_slot - a record that can be looked up
 * @record: the record; NULL if the slot is free
 * @segment: where it is
 * @ns: what saving or restoring it took
 * @next: of a free slot, number of the next one plus 1, or 0
 * @state: &enum kstate_slot_state
 * @jump: it goes when the jump is called off
 */
struct kstate_slot {
	struct kstate_record *record;
	struct kstate_segment *segment;
	union {
		u32 ns;
		u32 next;
	};
	u16 state;
	u16 jump;
};

/**
 * struct kstate_index - records of a stream by state and key
 * @slots: the records
 * @nr: how many slots
 * @room: how many there is room for
 * @free: outgoing: number of the first free slot plus 1, or 0
 * @table: open addressing: numbers of slots plus 1, or 0
 * @size: entries of @table, a power of two
 * @filled: of those, how many are in use
 * @hashed: slots that are in @table; the others are added when it is used
 */
struct kstate_index {
	struct kstate_slot *slots;
	u32 nr;
	u32 room;
	u32 free;
	u32 *table;
	u32 size;
	u32 filled;
	u32 hashed;
};

/* Memory between two owners */
struct kstate_parked {
	struct kstate_edge edge;
	void *ptr;
};

/* How a description of this kernel restores from a schema of the set */
struct kstate_resolved {
	struct list_head list;
	u64 reader;
	struct kstate_resolution *resolution;
	struct kstate_resolution own;
};

/**
 * struct kstate_known - a schema of a set
 * @schema: the schema; NULL if it is damaged
 * @bytes: payload of its record
 * @size: of @bytes
 * @id: its number
 * @name: number of the first schema with the same name
 * @by_name: in kstate_set.names, if it is that one
 * @by_schema: in kstate_set.schemas
 * @resolved: &struct kstate_resolved
 */
struct kstate_known {
	struct kstate_schema *schema;
	u8 *bytes;
	u32 size;
	u32 id;
	u32 name;
	struct rhash_head by_name;
	struct rhash_head by_schema;
	struct list_head resolved;
};

/**
 * struct kstate_state - a description in a catalogue
 * @list: in kstate_set.states
 * @schema: number of its schema
 * @bytes: &struct kstate_wire_state and what follows it; of an incoming set, in
 *	its root segment
 * @size: of @bytes
 */
struct kstate_state {
	struct list_head list;
	u32 schema;
	u8 *bytes;
	u32 size;
};

/**
 * struct kstate_set - all streams of one jump, or a catalogue
 * @transport: where they live
 * @incoming: written by another kernel, read by this one
 * @limits: its schemas have the hints that are for catalogues
 * @published: nothing can be saved any more; looked at under the locks of
 *	streams
 * @beside: of a set that is only looked at: the one that its memory must not be in
 * @jumper: the task that saves what goes if the jump is called off, or NULL;
 *	it has @use
 * @use: held for reading while streams are made or destroyed, and for writing
 *	while all of them are looked at; the outgoing set's before the incoming
 *	one's, then kstate_stream.lock of an incoming and of an outgoing stream,
 *	then @lock
 * @lock: protects the members below
 * @streams: &struct kstate_stream
 * @stream_names: the same by name
 * @stream_ids: the same by number
 * @next_id: of the next stream
 * @states: of a catalogue: &struct kstate_state
 * @known: the schemas, by number: see kstate_known(); they never move
 * @nr_known: how many
 * @names: the first of each name
 * @schemas: all that are not damaged
 * @preserved: outgoing: bitmaps of the pages that are preserved
 * @chunk: the one that was used last
 * @chunk_index: its index
 * @areas: outgoing: vmalloc areas that are preserved, by the page number in their edge
 * @parked: memory that was taken for a record which could not be restored, by its
 *	page number: &struct kstate_parked
 * @writer: kernel release of the writer
 * @arch: its architecture, as an ELF machine number
 * @root: incoming or published: schemas and directory
 * @header: published: the header
 * @blob: of a file: all bytes
 * @blob_size: how many
 * @opened: bytes of segments that have been opened
 * @last_error: what was refused last
 * @last_error_time: when
 * @damage: the first damage that was found when the set was opened
 */
struct kstate_set {
	const struct kstate_transport *transport;
	bool incoming;
	bool limits;
	bool published;
	struct kstate_set *beside;
	struct task_struct *jumper;
	struct rw_semaphore use;
	struct mutex lock;	/* protects what follows */
	struct list_head streams;
	struct rhashtable stream_names;
	struct xarray stream_ids;
	struct list_head states;
	u64 next_id;
	struct kstate_known **known[17];
	u32 nr_known;
	struct rhashtable names;
	struct rhashtable schemas;
	struct xarray preserved;
	unsigned long *chunk;
	unsigned long chunk_index;
	struct xarray areas;
	struct xarray parked;
	char writer[80];
	u32 arch;
	struct kstate_segment root;
	struct kstate_header *header;
	void *blob;
	size_t blob_size;
	u64 opened;
	struct kstate_error last_error;
	u64 last_error_time;
	struct kstate_error damage;
};

/**
 * struct kstate_stream - records with a life of their own
 * @list: in kstate_set.streams
 * @node: in kstate_set.stream_names
 * @set: the set
 * @id: number of the stream in the set
 * @name: its name
 * @transient: goes when the jump is called off
 * @lock: protects the members below
 * @segments: &struct kstate_segment
 * @holes: outgoing: the first &struct kstate_hole of each size in units of 8 bytes
 * @index: the records
 * @max_key: per name of a state, the largest number used as a key, plus 1
 * @nr_max_key: entries of @max_key
 * @bytes: of its records
 * @ns: that saving or restoring them took
 * @last: serial of the schema that was used last
 * @last_id: its number in the set
 * @last_name: number of its name
 * @last_res: how the last record was restored, from schema @last_res_id by the
 *	one with serial @last_res_reader
 * @last_res_id: see @last_res
 * @last_res_reader: see @last_res
 * @last_ns: how long the last object took whose time was taken
 * @restored: how many objects have been restored
 * @user: the task that saves or restores, or NULL
 * @walk: what it saves or restores, for callbacks
 */
struct kstate_stream {
	struct list_head list;
	struct rhash_head node;
	struct kstate_set *set;
	u64 id;
	char name[KSTATE_MAX_NAME + 1];
	bool transient;
	struct mutex lock;	/* protects what follows */
	struct list_head segments;
	struct xarray holes;
	struct kstate_index index;
	u64 *max_key;
	u32 nr_max_key;
	u64 bytes;
	u64 ns;
	u64 last;
	u32 last_id;
	u32 last_name;
	u32 last_res_id;
	struct kstate_resolution *last_res;
	u64 last_res_reader;
	u32 last_ns;
	u32 restored;
	struct task_struct *user;
	struct kstate_walk *walk;
};

/* A schema of a set by its number: chunk n holds 2^n of them */
static inline struct kstate_known *kstate_known(const struct kstate_set *set, u32 id)
{
	u32 chunk = ilog2(id + 1);

	return set->known[chunk][id + 1 - (1U << chunk)];
}

/* The payload of a record after its key */
static inline u32 kstate_key_bytes(const struct kstate_record *record)
{
	return (le16_to_cpu(record->key_len) + 7) & ~7U;
}

static inline u8 *kstate_record_payload(struct kstate_record *record)
{
	return (u8 *)(record + 1) + kstate_key_bytes(record);
}

struct kstate_set *kstate_set_create(const struct kstate_transport *transport);
void kstate_set_destroy(struct kstate_set *set);
int kstate_set_schema(struct kstate_set *set, const struct kstate_schema *schema, u32 *id,
		      struct kstate_error *err);
int kstate_set_know(struct kstate_set *set, struct kstate_schema *schema, u8 *bytes, u32 size);
int kstate_set_add_state(struct kstate_set *set, u32 schema, u8 *bytes, u32 size);
int kstate_set_merge(struct kstate_set *to, struct kstate_set *from, struct kstate_error *err);
u32 kstate_set_name(struct kstate_set *set, const char *name);
int kstate_set_resolve(struct kstate_set *set, u32 id, struct kstate_schema *reader,
		       const struct kstate_where *where, struct kstate_resolution **res);
int kstate_set_add_stream(struct kstate_set *set, struct kstate_stream *stream);
void kstate_set_remove_stream(struct kstate_set *set, struct kstate_stream *stream);
int kstate_set_renumber_stream(struct kstate_set *set, struct kstate_stream *stream, u64 id);
int kstate_set_preserve(struct kstate_set *set, const struct kstate_where *where,
			const struct kstate_path *path, u8 kind, void *ptr, size_t nr,
			struct kstate_edge *edge);
void kstate_set_unpreserve(struct kstate_set *set, const struct kstate_edge *edge);
void kstate_set_forget_memory(struct kstate_set *set);
int kstate_set_take(struct kstate_set *set, const struct kstate_edge *edge, void **ptr);
void kstate_set_park(struct kstate_set *set, const struct kstate_edge *edge, void *ptr);
void *kstate_set_parked(struct kstate_set *set, const struct kstate_edge *edge, bool take);
void kstate_set_discard_edge(struct kstate_set *set, struct kstate_edge *edge);
void kstate_set_error(struct kstate_set *set, const struct kstate_error *err, const char *doing);

void kstate_set_abandon(struct kstate_set *set);
void kstate_release_memory(const struct kstate_edge *edge, void *ptr);

void kstate_record_text(const struct kstate_stream *stream, const struct kstate_record *record,
			char *buf, size_t size);
void kstate_record_release(struct kstate_stream *stream, struct kstate_record *record);
u64 kstate_string_key(const char *s, u32 len);
void kstate_record_seal(struct kstate_record *record, u32 place);
bool kstate_record_whole(const struct kstate_record *record);
struct kstate_record *kstate_stream_unfinished(const struct kstate_stream *stream);
int kstate_stream_append(struct kstate_stream *stream, u32 size, struct kstate_record **record,
			 struct kstate_error *err);
struct kstate_slot *kstate_stream_add_slot(struct kstate_stream *stream,
					   struct kstate_segment *segment,
					   struct kstate_record *record);
void kstate_stream_free_slot(struct kstate_stream *stream, struct kstate_slot *slot);
void kstate_index_forget(struct kstate_index *index);
u8 *kstate_stream_reserve(struct kstate_stream *stream, u8 *at, size_t used, size_t need);
size_t kstate_stream_room(const struct kstate_stream *stream, const u8 *at);
struct kstate_slot *kstate_stream_commit(struct kstate_stream *stream,
					 struct kstate_record *record);
void kstate_stream_cancel(struct kstate_stream *stream, struct kstate_record *record, u32 size);
u64 *kstate_stream_max_key(struct kstate_stream *stream, u32 name);
void kstate_stream_undo(struct kstate_stream *stream);
void kstate_stream_empty(struct kstate_stream *stream);
void kstate_slot_drop(struct kstate_stream *stream, struct kstate_slot *slot);
struct kstate_slot *kstate_stream_lookup(struct kstate_stream *stream, u32 name,
					 u64 key, const char *string, u32 len);

u32 kstate_header_crc(const struct kstate_header *header, u32 size);
int kstate_set_publish(struct kstate_set *set, struct kstate_error *err);
void kstate_set_unpublish(struct kstate_set *set);
struct kstate_set *kstate_set_open(const struct kstate_transport *transport, void *header,
				   size_t size, void *blob, struct kstate_error *err);
bool kstate_record_good(const struct kstate_segment *segment, size_t at);
bool kstate_record_understood(const struct kstate_record *record);
struct kstate_record *kstate_segment_next(struct kstate_set *set,
					  const struct kstate_segment *segment,
					  const char *name, size_t *at);
int kstate_set_export(struct kstate_set *set, void **blob, size_t *size);
int kstate_set_hand_on(struct kstate_set *from, struct kstate_set *to, struct kstate_error *err);
u32 kstate_set_finish(struct kstate_set *set);

/* Checking for another kernel: check.c */

/**
 * struct kstate_finding - what another kernel would do with a record
 * @stream: its stream
 * @record: the record
 * @verdict: what
 * @allowed: it is refused, but the policy allows that
 * @err: why it is refused or lost, or NULL
 *
 * Without a record, an object could not be saved; @err says which.
 */
struct kstate_finding {
	const struct kstate_stream *stream;
	const struct kstate_record *record;
	enum kstate_verdict verdict;
	bool allowed;
	const struct kstate_error *err;
};

typedef int (*kstate_finding_fn)(const struct kstate_finding *finding, void *arg);

int kstate_check_set(struct kstate_set *set, struct kstate_set *target,
		     kstate_finding_fn report, void *arg);

/* The gate before a jump: gate.c */

enum kstate_armed {
	KSTATE_ARMED_OFF,	/* nothing is checked */
	KSTATE_ARMED_ON,	/* what the target would refuse, refuses the kexec */
	KSTATE_ARMED_FORCE,	/* it is only said */
};

/**
 * struct kstate_tally - what a check found
 * @nr: objects by &enum kstate_verdict
 * @allowed: of those that are refused, how many the policy allows to be lost
 * @ns: nanoseconds that the check took
 * @save_ns: of these, what saving took
 */
struct kstate_tally {
	u32 nr[KSTATE_REFUSED + 1];
	u32 allowed;
	u64 ns;
	u64 save_ns;
};

int kstate_gate_set_target(const void *blob, size_t size, struct kstate_error *err);
int kstate_gate_set_policy(char *text, struct kstate_error *err);
int kstate_gate_arm(enum kstate_armed to);
enum kstate_armed kstate_gate_status(char *release, size_t size, struct kstate_tally *tally);
int kstate_gate_check(kstate_finding_fn report, void *arg, struct kstate_tally *tally);
int kstate_gate_jump(struct kstate_set *out, struct kstate_error *err);
void kstate_gate_exit(void);

/* What this kernel describes: catalog.c */

/* Set by the linker; absent without a catalogue, and in modules */
extern const u8 __start_kstate_catalog[] __weak;
extern const u8 __stop_kstate_catalog[] __weak;

int kstate_catalog_add_module(const struct module *mod);
void kstate_catalog_remove_module(const struct module *mod);
struct kstate_set *kstate_catalog_create(struct kstate_error *err);

/* memory.c: sets that stay in this kernel, or come from a file */
struct kstate_set *kstate_memory_create(void);
struct kstate_set *kstate_scratch_create(void);
struct kstate_set *kstate_memory_open(const void *blob, size_t size, struct kstate_error *err);

/* registry.c: the sets of this kernel */

/* The stream of registered states and of kstate_save_state() */
#define KSTATE_STREAM	"kernel"

int kstate_registry_init(struct kstate_set *out);
void kstate_registry_open(struct kstate_set *in);
void kstate_registry_exit(void);
int kstate_prepare(struct kstate_error *err);
void kstate_abort(void);
void kstate_registry_lock(void);
void kstate_registry_unlock(void);
typedef int (*kstate_object_fn)(struct kstate_description *desc, const void *obj,
				struct kstate_key key, void *arg);

int kstate_walk_objects(kstate_object_fn fn, void *arg);

/* Nothing is registered, unregistered or prepared, and no stream is made or destroyed */
DEFINE_LOCK_GUARD_0(registry, kstate_registry_lock(), kstate_registry_unlock())

/* sysfs.c */
int kstate_sysfs_init(void);
void kstate_sysfs_exit(void);

#endif /* _KSTATE_INTERNAL_H */
