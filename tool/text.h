/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values and names as text that is safe on a terminal, and quickly.
 */
#ifndef _TEXT_H
#define _TEXT_H

#include "walk.h"
#include "tool.h"

/**
 * struct out - a buffered file, or a growing string
 * @file: where to; NULL: @more is all
 * @data: what has not been written yet
 * @len: bytes of it
 * @room: bytes that there is room for
 */
struct out {
	FILE *file;
	char *data;
	size_t len;
	size_t room;
};

void out_flush(struct out *o);
char *out_room(struct out *o, size_t bytes);
void out_free(struct out *o);
void out_printf(struct out *o, const char *fmt, ...) __printf(2, 3);
void out_u64(struct out *o, u64 val);
void out_hex(struct out *o, u64 val);
void out_escaped(struct out *o, const void *text, size_t len);
void out_hexdump(struct out *o, const u8 *data, u64 size, u64 offset, u32 indent);

static inline void out_bytes(struct out *o, const void *bytes, size_t len)
{
	char *p = len ? out_room(o, len) : NULL;

	if (p) {
		memcpy(p, bytes, len);
		o->len += len;
	}
}

static inline void out_char(struct out *o, char c)
{
	out_bytes(o, &c, 1);
}

static inline void out_text(struct out *o, const char *text)
{
	out_bytes(o, text, strlen(text));
}

size_t utf8_bytes(const u8 *p, size_t len, u32 *code);

void text_type(struct out *o, const struct node *n);
void text_field_type(struct out *o, const struct kstate_schema_field *f);
void text_constant(struct out *o, u8 type, u64 val);
void text_was(struct out *o, const struct kstate_schema_field *f);
void text_value(struct out *o, const struct node *n, bool all);

#define TEXT_ADDRESS	37

bool text_address(const struct node *n, char text[TEXT_ADDRESS]);
void text_int(struct out *o, const struct kstate_schema *schema,
	      const struct kstate_schema_field *f, u8 type, const u8 *at);
void text_record(struct out *o, const struct kstate_schema *schema,
		 const struct kstate_record *record, bool has_key);
const char *arch_name(u32 arch);

#endif /* _TEXT_H */
