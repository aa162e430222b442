/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ways to show a stream file, and the pieces that they share.
 */
#ifndef _DUMP_H
#define _DUMP_H

#include "stream.h"
#include "text.h"
#include "walk.h"

/**
 * struct dump_options - what is shown of a stream file
 * @stream: only this stream, NULL for all
 * @state: only records of this state
 * @key: only records with this key
 * @schemas: schemas too
 * @all: long values as a whole
 * @secrets: secrets too
 * @offsets: where in the file things are
 */
struct dump_options {
	const char *stream;
	const char *state;
	const char *key;
	bool schemas;
	bool all;
	bool secrets;
	bool offsets;
};

/**
 * struct seen - a record, and what can be made of it
 * @record: the record
 * @schema: its schema, NULL if that is not known
 * @bytes: of its payload that are in the file
 * @payload: its payload after the key, NULL if nothing of it is known
 * @size: of @payload, as far as it is in the file
 * @dropped: taken back by the writer
 * @problem: what is wrong with it, empty if nothing is
 */
struct seen {
	struct kstate_record *record;
	const struct kstate_schema *schema;
	u32 bytes;
	const u8 *payload;
	u32 size;
	bool dropped;
	char problem[160];
};

void dump_look(struct stream_file *s, struct kstate_record *record, struct seen *seen);
bool dump_wanted(const struct dump_options *opt, const struct kstate_stream *stream,
		 const struct seen *seen);

enum status dump_status(const struct stream_file *s, const struct dump_options *opt, u64 shown,
			struct trouble *t);

enum status dump_text(struct stream_file *s, const struct dump_options *opt, FILE *file,
		      struct trouble *t);
enum status dump_json(struct stream_file *s, const struct dump_options *opt, FILE *file,
		      struct trouble *t);
enum status dump_html(struct stream_file *s, const struct dump_options *opt, FILE *file,
		      struct trouble *t);

json_t *json_u64(u64 val);
json_t *json_text(const void *text, size_t len);
json_t *json_name(const void *name, size_t len);
json_t *json_hex(const u8 *data, u64 size);
json_t *json_key(const struct seen *seen);
json_t *json_int(u8 type, const u8 *at);
json_t *json_leaf(const struct node *n);
json_t *json_schema(const struct stream_file *s, u32 id);
json_t *json_header(const struct stream_file *s);

#endif /* _DUMP_H */
