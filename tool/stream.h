/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stream files, read in constant memory, and what can be read of damaged ones.
 */
#ifndef _STREAM_H
#define _STREAM_H

#include <linux/minmax.h>
#include "store.h"
#include "tool.h"

/**
 * struct damage - bytes that are not what a kernel wrote
 * @at: their offset in the file
 * @size: how many
 * @what: where in the stream, and what is wrong
 */
struct damage {
	u64 at;
	u64 size;
	char *what;
};

/**
 * struct stream_file - a stream file
 * @name: of the file, for messages
 * @data: its bytes
 * @size: how many
 * @mapped: they can be given back to the kernel as they have been read
 * @passed: up to where that has been done
 * @header: its header; where that is damaged, one by which the rest can be read
 * @header_bytes: bytes that the header has in the file
 * @good_header: the header is not damaged
 * @transport: by which the core opens it
 * @set: what the core opened
 * @secrets: by the number of a schema: records of it have something that is secret
 * @damage: what has been found so far; who shows it may take it out
 * @nr_damage: entries of @damage
 * @room: how many there is room for
 * @damaged: how much damage there was in all
 * @first: where the first one was
 * @first_what: what it was
 */
struct stream_file {
	const char *name;
	u8 *data;
	size_t size;
	bool mapped;
	size_t passed;
	struct kstate_header header;
	u32 header_bytes;
	bool good_header;
	struct kstate_transport transport;
	struct kstate_set *set;
	bool *secrets;
	struct damage *damage;
	size_t nr_damage;
	size_t room;
	u64 damaged;
	u64 first;
	char first_what[400];
};

/**
 * struct stream_visitor - who looks at all records of a file
 * @begin: a stream begins; NULL for records that no stream refers to
 * @record: a record with a good header; the rest may be damaged, or reach beyond the
 *	end of a file that was cut: see stream_record_bytes()
 * @end: the stream ends
 *
 * All return false to end the walk.
 */
struct stream_visitor {
	bool (*begin)(const struct kstate_stream *stream, void *arg);
	bool (*record)(const struct kstate_stream *stream, struct kstate_record *record,
		       void *arg);
	bool (*end)(const struct kstate_stream *stream, void *arg);
};

enum status stream_open(struct stream_file *s, const char *path, struct trouble *t);
enum status stream_open_bytes(struct stream_file *s, void *data, size_t size, struct trouble *t);
void stream_close(struct stream_file *s);
void stream_walk(struct stream_file *s, const struct stream_visitor *v, void *arg);
void stream_damage(struct stream_file *s, const void *at, u64 size, const char *fmt, ...)
	__printf(4, 5);
void stream_forget_damage(struct stream_file *s);
void stream_pass(struct stream_file *s, const void *at);
bool stream_record_whole(struct stream_file *s, const struct kstate_record *record);
enum status stream_status(const struct stream_file *s, struct trouble *t);

static inline u64 stream_offset(const struct stream_file *s, const void *p)
{
	return (const u8 *)p - s->data;
}

/* Bytes of the payload of a record that are in the file */
static inline u32 stream_record_bytes(const struct stream_file *s,
				      const struct kstate_record *record)
{
	return umin(le32_to_cpu(record->size), s->size - stream_offset(s, record + 1));
}

/* A schema of a file, or NULL if it is damaged or not there; its serial is its number */
static inline const struct kstate_schema *stream_schema(const struct stream_file *s, u32 id)
{
	return id < s->set->nr_known ? kstate_known(s->set, id)->schema : NULL;
}

/* Whether records of a schema of a file have anything that is secret */
static inline bool has_secrets(const struct stream_file *s, const struct kstate_schema *schema)
{
	return s->secrets[schema->serial];
}

#endif /* _STREAM_H */
