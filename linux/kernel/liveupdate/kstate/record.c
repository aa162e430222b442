// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records and how they are found by state and key.
 */

/**
 * DOC: records
 *
 * The header of a record has a checksum of its own, so that one can go from
 * record to record without reading them, and past one that is damaged. Which
 * record holds an object is found by hashing, unless it is the first one that has
 * not been restored. The index is not part of the stream: it is made again.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "store.h"

/**
 * kstate_record_text() - say which record it is
 * @stream: its stream
 * @record: the record
 * @buf: where to: state["key"]
 * @size: of @buf
 */
void kstate_record_text(const struct kstate_stream *stream, const struct kstate_record *record,
			char *buf, size_t size)
{
	const struct kstate_schema *schema =
		kstate_known(stream->set, le32_to_cpu(record->schema))->schema;
	const char *state = schema ? schema->name : "(damaged schema)";
	int len = le16_to_cpu(record->key_len);

	if (len)
		scnprintf(buf, size, "%s[\"%.*s\"]", state, len, (const char *)(record + 1));
	else
		scnprintf(buf, size, "%s[%llu]", state, le64_to_cpu(record->key));
}

/**
 * kstate_string_key() - what a string key has in place of a number
 * @s: the string
 * @len: its length
 *
 * Return: its checksum.
 */
u64 kstate_string_key(const char *s, u32 len)
{
	return ~crc32c(~0, s, len);
}

/* Twice, so that keys differ in the low bits of the result wherever they differ */
static u32 index_hash(u32 name, u64 key)
{
	u64 hash = (key ^ (u64)name << 48) * GOLDEN_RATIO_64;

	return hash_64(hash ^ hash >> 32, 32);
}

static u32 record_name(const struct kstate_stream *stream, const struct kstate_record *record)
{
	return kstate_known(stream->set, le32_to_cpu(record->schema))->name;
}

static bool record_matches(const struct kstate_stream *stream, const struct kstate_record *record,
			   u32 name, u64 key, const char *string, u32 len)
{
	return le64_to_cpu(record->key) == key && le16_to_cpu(record->key_len) == len &&
	       record_name(stream, record) == name && (!len || !memcmp(record + 1, string, len));
}

static void index_insert(struct kstate_stream *stream, u32 nr)
{
	struct kstate_index *index = &stream->index;
	const struct kstate_record *record = index->slots[nr].record;
	u32 name = record_name(stream, record), mask = index->size - 1, i;
	const struct kstate_slot *other;

	for (i = index_hash(name, le64_to_cpu(record->key)); index->table[i & mask]; i++) {
		other = &index->slots[index->table[i & mask] - 1];
		/* Of two with one key, which no writer makes, the first one counts */
		if (other->state != KSTATE_SLOT_DROPPED &&
		    record_matches(stream, other->record, name, le64_to_cpu(record->key),
				   (const char *)(record + 1), le16_to_cpu(record->key_len))) {
			if (other != &index->slots[nr])
				index->slots[nr].state = KSTATE_SLOT_DROPPED;
			return;
		}
	}
	index->table[i & mask] = nr + 1;
	index->filled++;
}

/**
 * kstate_index_update() - put all slots into the table; it is at most half full
 * @stream: the stream
 *
 * Where two have one key, the state of the second becomes %KSTATE_SLOT_DROPPED.
 *
 * Return: 0 or -ENOMEM.
 */
int kstate_index_update(struct kstate_stream *stream)
{
	struct kstate_index *index = &stream->index;

	if (index->hashed < index->nr &&
	    2 * ((u64)index->filled + index->nr - index->hashed) > index->size)
		kstate_index_forget(index);
	if (!index->table) {
		u32 size = max(4 * roundup_pow_of_two(index->nr + 1), 16UL);

		index->table = kvcalloc(size, sizeof(*index->table), GFP_KERNEL);
		if (!index->table)
			return -ENOMEM;
		index->size = size;
	}
	for (; index->hashed < index->nr; index->hashed++)
		if (index->slots[index->hashed].state != KSTATE_SLOT_DROPPED)
			index_insert(stream, index->hashed);
	return 0;
}

/**
 * kstate_index_forget() - free the table of an index; it is made again when it is used
 * @index: the index
 */
void kstate_index_forget(struct kstate_index *index)
{
	kvfree(index->table);
	index->table = NULL;
	index->size = 0;
	index->hashed = 0;
	index->filled = 0;
}

static struct kstate_slot *index_find(struct kstate_stream *stream, u32 name, u64 key,
				      const char *string, u32 len)
{
	struct kstate_index *index = &stream->index;
	struct kstate_slot *slot;
	u32 i;

	if (kstate_index_update(stream))
		return ERR_PTR(-ENOMEM);
	for (i = index_hash(name, key); index->table[i & (index->size - 1)]; i++) {
		slot = &index->slots[index->table[i & (index->size - 1)] - 1];
		if (slot->state != KSTATE_SLOT_DROPPED &&
		    record_matches(stream, slot->record, name, key, string, len))
			return slot;
	}
	return NULL;
}

/**
 * kstate_stream_lookup() - find a record
 * @stream: the stream
 * @name: number of the name of the state in the set
 * @key: the key, or the checksum of the string
 * @string: the string key, or NULL
 * @len: its length, or 0
 *
 * Context: kstate_stream.lock is held. Allocates if records have been added.
 * Return: the slot, NULL if there is none, or ERR_PTR(-ENOMEM).
 */
struct kstate_slot *kstate_stream_lookup(struct kstate_stream *stream, u32 name,
					 u64 key, const char *string, u32 len)
{
	struct kstate_index *index = &stream->index;
	struct kstate_slot *slot = &index->slots[index->next];

	/* Most readers ask for one record after the other */
	if (index->next == index->nr || slot->state != KSTATE_SLOT_FREE ||
	    !record_matches(stream, slot->record, name, key, string, len))
		slot = index_find(stream, name, key, string, len);
	if (!IS_ERR_OR_NULL(slot))
		index->next = slot - index->slots + 1;
	return slot;
}

/**
 * kstate_stream_search() - find a record without memory for the table
 * @stream: the stream
 * @name: see kstate_stream_lookup()
 * @key: see kstate_stream_lookup()
 * @string: see kstate_stream_lookup()
 * @len: see kstate_stream_lookup()
 *
 * For what undoes something, and must not fail. It looks at all records.
 *
 * Context: kstate_stream.lock is held.
 * Return: the slot, or NULL if there is none.
 */
struct kstate_slot *kstate_stream_search(struct kstate_stream *stream, u32 name,
					 u64 key, const char *string, u32 len)
{
	struct kstate_slot *slot;

	for (slot = stream->index.slots; slot < stream->index.slots + stream->index.nr; slot++)
		if (slot->state != KSTATE_SLOT_DROPPED &&
		    record_matches(stream, slot->record, name, key, string, len))
			return slot;
	return NULL;
}

static noinline int index_grow(struct kstate_index *index)
{
	u32 room = index->room ? 2 * index->room : 8;
	struct kstate_slot *slots = kvmalloc_objs(*slots, room);

	if (!slots)
		return -ENOMEM;
	if (index->nr)
		memcpy(slots, index->slots, index->nr * sizeof(*slots));
	kvfree(index->slots);
	index->slots = slots;
	index->room = room;
	return 0;
}

/* The key of the next unclaimed record with state @name, from slot @i on */
static bool stream_next_key(struct kstate_stream *stream, u32 name, bool string_key, u32 *i,
			    struct kstate_key *key, char *string)
{
	const struct kstate_slot *slot;
	u32 len;

	guard(mutex)(&stream->lock);
	for (; *i < stream->index.nr; ++*i) {
		slot = &stream->index.slots[*i];
		if (slot->state != KSTATE_SLOT_FREE || record_name(stream, slot->record) != name)
			continue;
		len = le16_to_cpu(slot->record->key_len);
		if (!len == string_key)
			continue;
		memcpy(string, slot->record + 1, len);
		string[len] = 0;
		*key = len ? KSTATE_NAME(string) : KSTATE_ID(le64_to_cpu(slot->record->key));
		++*i;
		return true;
	}
	return false;
}

/**
 * kstate_stream_walk_keys() - find out which instances of a state there are
 * @stream: a stream of kstate_incoming(), or of another incoming set
 * @desc: the description
 * @fn: called with the key of each record that has not been restored or freed; a
 *	string is only there during the call. It may restore from the stream. What it
 *	returns other than 0 ends that
 * @arg: for @fn
 *
 * The keys come in no particular order.
 *
 * Context: may sleep; not from a function of a description.
 * Return: 0; what @fn returned; -EINVAL if @stream is not incoming; -EBADMSG after the
 * last call if there may have been more, in bytes that cannot be read.
 */
int kstate_stream_walk_keys(struct kstate_stream *stream, struct kstate_description *desc,
			    kstate_key_fn fn, void *arg)
{
	struct kstate_set *set = stream->set;
	char string[KSTATE_MAX_NAME + 1];
	struct kstate_key key;
	u32 i = 0, name;
	int ret;

	if (!set->incoming || READ_ONCE(stream->user) == current)
		return -EINVAL;
	name = kstate_set_name(set, desc->name);
	while (name != KSTATE_NO_REF &&
	       stream_next_key(stream, name, desc->string_key, &i, &key, string)) {
		ret = fn(key, arg);
		if (ret)
			return ret;
	}
	return set->damage.code ? -EBADMSG : 0;
}
EXPORT_SYMBOL_GPL(kstate_stream_walk_keys);

/* kstate_stream_add_slot() where that takes more than the next slot */
struct kstate_slot *kstate_stream_find_slot(struct kstate_stream *stream,
					    struct kstate_segment *segment,
					    struct kstate_record *record)
{
	struct kstate_index *index = &stream->index;
	u32 free = index->free;
	struct kstate_slot *slot;

	if (!free)
		return index_grow(index) ? NULL : kstate_stream_add_slot(stream, segment, record);
	slot = &index->slots[free - 1];
	index->free = slot->next;
	kstate_slot_init(stream, slot, segment, record);
	/* The entry of a slot that was used before is about another record */
	if (free <= index->hashed) {
		if (2 * ((u64)index->filled + 1) > index->size)
			kstate_index_forget(index);
		else
			index_insert(stream, free - 1);
	}
	return slot;
}

/**
 * kstate_stream_free_slot() - undo kstate_stream_add_slot()
 * @stream: the stream
 * @slot: the slot
 *
 * Context: kstate_stream.lock is held.
 */
void kstate_stream_free_slot(struct kstate_stream *stream, struct kstate_slot *slot)
{
	struct kstate_index *index = &stream->index;

	*slot = (struct kstate_slot){ .state = KSTATE_SLOT_DROPPED, .next = index->free };
	index->free = slot - index->slots + 1;
}

/* A state that the stream has no largest key of: see kstate_stream_max_key() */
u64 *kstate_stream_add_keys(struct kstate_stream *stream, u32 name)
{
	u32 nr = roundup_pow_of_two(name + 1);
	u64 *more = kvcalloc(nr, sizeof(*more), GFP_KERNEL);

	if (!more)
		return NULL;
	if (stream->nr_max_key)
		memcpy(more, stream->max_key, stream->nr_max_key * sizeof(*more));
	kvfree(stream->max_key);
	stream->max_key = more;
	stream->nr_max_key = nr;
	return &stream->max_key[name];
}
