/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store: records in streams, streams in sets, sets over transports.
 *
 * object.c saves and restores one object, stream.c keeps records, record.c finds
 * them, set.c keeps streams and schemas, preserve.c memory that is handed over in
 * place. publish.c puts a set together, open.c takes it apart, handon.c goes through
 * what was not claimed; kho.c and memory.c are where the bytes
 * live, registry.c has the sets of this kernel.
 */
#ifndef _KSTATE_STORE_H
#define _KSTATE_STORE_H

#include <linux/cleanup.h>
#include <linux/crc32c.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/rhashtable-types.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/xarray.h>
#include "engine.h"

struct task_struct;

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
 * @preserve_each: all of several single pages or none, for @unpreserve one by one; or NULL
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
	int (*preserve_each)(const unsigned long *pfns, unsigned long nr);
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
 * @next: number of the slot that is likely to be looked up
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
	u32 next;
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

/* Which pages of a part of the memory are preserved: see preserve.c */
struct kstate_chunk {
	unsigned long index;
	unsigned long *bits;
};

/**
 * struct kstate_set - all streams of one jump, or a catalogue
 * @transport: where they live
 * @incoming: written by another kernel, read by this one
 * @limits: its schemas have the hints that are for catalogues
 * @published: nothing can be saved any more; looked at under the locks of
 *	streams, see kstate_set_published()
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
 * @chunks: those that were used last
 * @areas: outgoing: vmalloc areas that are preserved, by the page number in their edge
 * @parked: memory that was taken for a record which could not be restored, by its
 *	page number: &struct kstate_parked
 * @writer: kernel release of the writer
 * @arch: its architecture, as an ELF machine number
 * @page_size: its page size
 * @root: incoming or published: schemas and directory
 * @header: published: the header
 * @blob: of a file: all bytes
 * @blob_size: how many
 * @opened: bytes of segments that have been opened
 * @last_error: what was refused last
 * @last_error_doing: by which call
 * @last_error_time: when, as the kernel log counts
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
	struct kstate_chunk chunks[8];
	struct xarray areas;
	struct xarray parked;
	char writer[80];
	u32 arch;
	u32 page_size;
	struct kstate_segment root;
	struct kstate_header *header;
	void *blob;
	size_t blob_size;
	u64 opened;
	struct kstate_error last_error;
	const char *last_error_doing;
	u64 last_error_time;
	struct kstate_error damage;
};

/**
 * struct kstate_used - a schema that a stream saves or restores with
 * @serial: of this kernel's schema, or 0
 * @id: outgoing: its number in the set; incoming: that of the schema that it
 *	restored from last, or %KSTATE_NO_REF
 * @name: number of its name
 * @res: how that is restored
 */
struct kstate_used {
	u64 serial;
	u32 id;
	u32 name;
	struct kstate_resolution *res;
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
 * @last_segment: outgoing: the one that records are added to, or NULL
 * @holes: outgoing: the first &struct kstate_hole of each size in units of 8 bytes
 * @index: the records
 * @max_key: per name of a state, the largest number used as a key, plus 1
 * @nr_max_key: entries of @max_key
 * @bytes: of its records
 * @ns: that saving or restoring them took
 * @used: some schemas: records of a few states may take turns
 * @last: the one of them that was used last
 * @last_ns: how long the last object took whose time was taken
 * @restored: how many objects have been restored
 * @in_transactions: how many records are in transactions that have not ended
 * @held: how often: see kstate_stream_hold()
 * @finished: what is not claimed, or no longer, is freed
 * @user: the task that saves or restores, or NULL
 * @saving: what it saves, or NULL
 * @restoring: what it restores, or NULL
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
	struct kstate_segment *last_segment;
	struct xarray holes;
	struct kstate_index index;
	u64 *max_key;
	u32 nr_max_key;
	u64 bytes;
	u64 ns;
	struct kstate_used used[4];
	struct kstate_used *last;
	u32 last_ns;
	u32 restored;
	u32 in_transactions;
	u32 held;
	bool finished;
	struct task_struct *user;
	struct kstate_save_ctx *saving;
	struct kstate_restore_ctx *restoring;
};

/* Whether what is saved now would not be in what the next kernel reads */
static inline bool kstate_set_published(const struct kstate_set *set)
{
	/* Pairs with the release in kstate_set_unpublish(): all streams have been looked at */
	return smp_load_acquire(&set->published);
}

/* Whether this task prepares a jump, and has the set for itself */
static inline bool kstate_set_jumping(const struct kstate_set *set)
{
	return READ_ONCE(set->jumper) == current;
}

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

static inline u32 kstate_record_bytes(const struct kstate_record *record)
{
	return sizeof(*record) + le32_to_cpu(record->size);
}

/* Compute the checksums of a record that is at @place in its segment, and otherwise complete */
static inline void kstate_record_seal(struct kstate_record *record, u32 place)
{
	record->place = cpu_to_le32(place / 8);
	record->pcrc = cpu_to_le32(~crc32c(~0, record + 1, le32_to_cpu(record->size)));
	record->hcrc = cpu_to_le32(~crc32c(~0, &record->pcrc,
					   sizeof(*record) - sizeof(record->hcrc)));
}

/* Whether the payload is what was written, if the header is known to be good */
static inline bool kstate_record_whole(const struct kstate_record *record)
{
	return ~crc32c(~0, record + 1, le32_to_cpu(record->size)) == le32_to_cpu(record->pcrc);
}

/* The short way to the record after the one that was looked up before, or NULL */
static inline struct kstate_slot *kstate_stream_next(struct kstate_stream *stream, u64 key)
{
	struct kstate_index *index = &stream->index;
	struct kstate_slot *slot = &index->slots[index->next];

	if (index->next == index->nr || slot->state != KSTATE_SLOT_FREE ||
	    le32_to_cpu(slot->record->schema) != stream->last->id ||
	    le64_to_cpu(slot->record->key) != key || slot->record->key_len)
		return NULL;
	index->next++;
	return slot;
}

static inline void kstate_slot_init(const struct kstate_stream *stream, struct kstate_slot *slot,
				    struct kstate_segment *segment, struct kstate_record *record)
{
	*slot = (struct kstate_slot){
		.record = record, .segment = segment, .jump = kstate_set_jumping(stream->set),
	};
}

struct kstate_slot *kstate_stream_find_slot(struct kstate_stream *stream,
					    struct kstate_segment *segment,
					    struct kstate_record *record);

/* Make a record known to the index, whose lock is held; its slot, or NULL without memory */
static inline struct kstate_slot *kstate_stream_add_slot(struct kstate_stream *stream,
							 struct kstate_segment *segment,
							 struct kstate_record *record)
{
	struct kstate_index *index = &stream->index;
	struct kstate_slot *slot = &index->slots[index->nr];

	if (unlikely(index->free || index->nr == index->room))
		return kstate_stream_find_slot(stream, segment, record);
	index->nr++;
	kstate_slot_init(stream, slot, segment, record);
	return slot;
}

bool kstate_stream_fill_hole(struct kstate_stream *stream, struct kstate_slot *slot);

/**
 * kstate_stream_commit() - make a record part of the stream
 * @stream: the stream
 * @record: what kstate_stream_reserve() gave, filled; it may move to where a dropped
 *	one was
 *
 * Context: kstate_stream.lock is held; allocates.
 * Return: its slot; NULL without memory: then it is as it was.
 */
static inline struct kstate_slot *kstate_stream_commit(struct kstate_stream *stream,
						       struct kstate_record *record)
{
	struct kstate_segment *segment = stream->last_segment;
	struct kstate_slot *slot = kstate_stream_add_slot(stream, segment, record);
	u32 bytes = kstate_record_bytes(record);

	if (!slot)
		return NULL;
	stream->bytes += bytes;
	if (likely(xa_empty(&stream->holes)) || !kstate_stream_fill_hole(stream, slot)) {
		kstate_record_seal(record, segment->used);
		segment->used += bytes;
		segment->records++;
		segment->live++;
	}
	return slot;
}

u64 *kstate_stream_add_keys(struct kstate_stream *stream, u32 name);

/* Largest number that is a key of state @name, plus 1; NULL without memory */
static inline u64 *kstate_stream_max_key(struct kstate_stream *stream, u32 name)
{
	return likely(name < stream->nr_max_key) ? &stream->max_key[name] :
						   kstate_stream_add_keys(stream, name);
}

/* Room for a record of @need bytes; see kstate_stream_reserve() */
static inline u8 *kstate_stream_begin(struct kstate_stream *stream, size_t need)
{
	const struct kstate_segment *segment = stream->last_segment;

	return likely(segment && need <= segment->size - segment->used) ?
	       segment->data + segment->used : kstate_stream_reserve(stream, NULL, 0, need);
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

void kstate_set_abandon(struct kstate_set *set);
void kstate_release_memory(const struct kstate_edge *edge, void *ptr);

void kstate_record_text(const struct kstate_stream *stream, const struct kstate_record *record,
			char *buf, size_t size);
int kstate_record_edges(struct kstate_stream *stream, struct kstate_record *record,
			kstate_edge_fn fn, void *arg);
void kstate_record_release(struct kstate_stream *stream, struct kstate_record *record);
u64 kstate_string_key(const char *s, u32 len);
struct kstate_record *kstate_stream_unfinished(const struct kstate_stream *stream);
void kstate_stream_free_slot(struct kstate_stream *stream, struct kstate_slot *slot);
int kstate_index_update(struct kstate_stream *stream);
void kstate_index_forget(struct kstate_index *index);
void kstate_stream_cancel(struct kstate_stream *stream, struct kstate_record *record, u32 size);
void kstate_stream_undo(struct kstate_stream *stream);
void kstate_stream_empty(struct kstate_stream *stream);
void kstate_slot_drop(struct kstate_stream *stream, struct kstate_slot *slot);
struct kstate_slot *kstate_stream_search(struct kstate_stream *stream, u32 name,
					 u64 key, const char *string, u32 len);
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
u32 kstate_stream_finish(struct kstate_stream *stream);
u32 kstate_set_finish(struct kstate_set *set, bool all);
int kstate_finish_all(void);

/* memory.c: sets that stay in this kernel, or come from a file */
void *kstate_memory_alloc(size_t size, struct kstate_edge *edge);
void kstate_memory_free(void *mem, const struct kstate_edge *edge);
void kstate_memory_unmap(void *mem, const struct kstate_edge *edge);
int kstate_memory_edge(u8 kind, void *ptr, size_t nr, struct kstate_edge *edge);
struct kstate_set *kstate_memory_create(void);
struct kstate_set *kstate_scratch_create(void);
struct kstate_set *kstate_memory_open(const void *blob, size_t size, struct kstate_error *err);

/* For errors: what kernels must have in common, so that one takes the memory of the other */
#define KSTATE_MACHINE	"ELF machine %u with pages of %u bytes"

/* registry.c: the sets of this kernel */

/**
 * struct kstate_loaded - what kexec has loaded
 * @release: of the kernel; empty if its image has none, NULL if it was loaded by
 *	kexec_load(2), which does not tell
 * @crc: CRC-32C of the file
 * @page_size: of the kernel, or 0 if its image does not tell
 */
struct kstate_loaded {
	const char *release;
	u32 crc;
	u32 page_size;
};

int kstate_registry_begin(void);
void kstate_registry_open(struct kstate_set *in, const struct kstate_error *err);
const struct kstate_error *kstate_incoming_error(void);
int kstate_registry_init(struct kstate_set *out);
void kstate_registry_exit(void);
int kstate_prepare(const struct kstate_loaded *loaded, struct kstate_error *err);
void kstate_abort(void);
void kstate_registry_lock(void);
void kstate_registry_unlock(void);
typedef int (*kstate_object_fn)(struct kstate_description *desc, const void *obj,
				struct kstate_key key, const struct kstate_error *err, void *arg);

int kstate_walk_objects(kstate_object_fn fn, void *arg);

/* modules.c: what comes and goes with modules */
int kstate_modules_begin(void);
void kstate_modules_end(void);

/* Nothing is registered, unregistered or prepared, and no stream is made or destroyed */
DEFINE_LOCK_GUARD_0(registry, kstate_registry_lock(), kstate_registry_unlock())

#endif /* _KSTATE_STORE_H */
