// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values and names as text that is safe on a terminal, and quickly.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/unaligned.h>
#include "text.h"

#define OUT_BYTES	65536

/* What is shown of long values unless all is */
#define SHORT_INTS	16
#define SHORT_TEXT	256
#define SHORT_BYTES	64
#define SHORT_RANGES	32

/**
 * out_flush() - write what is in the buffer
 * @o: the output; errors stay with its file
 */
void out_flush(struct out *o)
{
	if (o->file && o->len) {
		fwrite(o->data, 1, o->len, o->file);
		o->len = 0;
	}
}

/**
 * out_room() - room for more
 * @o: the output
 * @bytes: how much
 *
 * Return: where to write to, or NULL without memory.
 */
char *out_room(struct out *o, size_t bytes)
{
	size_t room = max((size_t)OUT_BYTES, 2 * o->room);
	char *more;

	if (o->room - o->len >= bytes)
		return o->data + o->len;
	out_flush(o);
	if (o->room - o->len < bytes) {
		room = max(room, o->len + bytes);
		more = realloc(o->data, room);
		if (!more)
			return NULL;
		o->data = more;
		o->room = room;
	}
	return o->data + o->len;
}

/**
 * out_free() - write the rest and end
 * @o: the output
 */
void out_free(struct out *o)
{
	out_flush(o);
	free(o->data);
	*o = (struct out){};
}

void out_printf(struct out *o, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	out_bytes(o, text, min(len, (int)sizeof(text) - 1));
}

void out_u64(struct out *o, u64 val)
{
	static const char pairs[] =
		"0001020304050607080910111213141516171819"
		"2021222324252627282930313233343536373839"
		"4041424344454647484950515253545556575859"
		"6061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";
	char text[20], *p = text + sizeof(text);

	while (val >= 100) {
		p -= 2;
		memcpy(p, pairs + 2 * (val % 100), 2);
		val /= 100;
	}
	if (val >= 10) {
		p -= 2;
		memcpy(p, pairs + 2 * val, 2);
	} else {
		*--p = '0' + val;
	}
	out_bytes(o, p, text + sizeof(text) - p);
}

void out_hex(struct out *o, u64 val)
{
	char text[18], *p = text + sizeof(text);

	do {
		*--p = "0123456789abcdef"[val & 0xf];
		val >>= 4;
	} while (val);
	*--p = 'x';
	*--p = '0';
	out_bytes(o, p, text + sizeof(text) - p);
}

/**
 * utf8_bytes() - bytes of the first character of a text
 * @p: the text
 * @len: its length, at least 1
 * @code: set to the character
 *
 * Return: 1 to 4, or 0 if this is not UTF-8.
 */
size_t utf8_bytes(const u8 *p, size_t len, u32 *code)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;

	if (!n || n > len)
		return 0;
	*code = n == 1 ? *p : *p & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	return *code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0 : n;
}

/* Not what moves the cursor, changes the direction of text or cannot be seen */
static bool is_shown(u32 code)
{
	return (code >= 0x20 && code < 0x7f) ||
	       (code >= 0xa1 && code != 0xad && (code < 0x200b || code > 0x200f) &&
		(code < 0x2028 || code > 0x202e) && (code < 0x2060 || code > 0x206f) &&
		code != 0x61c && code != 0x180e && code != 0xfeff &&
		(code < 0xfff9 || code > 0xfffb) && code < 0xe0000);
}

/**
 * out_escaped() - text as in a C string
 * @o: the output
 * @text: the text
 * @len: its bytes
 */
void out_escaped(struct out *o, const void *text, size_t len)
{
	const u8 *p = text, *end = p + len;
	char octal[5];
	u32 code;
	size_t n;

	while (p < end) {
		n = utf8_bytes(p, end - p, &code);
		if (n && is_shown(code) && code != '"' && code != '\\') {
			out_bytes(o, p, n);
			p += n;
			continue;
		}
		n = n ?: 1;
		for (; n; n--, p++) {
			switch (*p) {
			case '"': case '\\':
				out_char(o, '\\');
				out_char(o, *p);
				break;
			case '\n':
				out_text(o, "\\n");
				break;
			case '\t':
				out_text(o, "\\t");
				break;
			default:
				/* Three digits, so that it ends there */
				snprintf(octal, sizeof(octal), "\\%03o", *p);
				out_text(o, octal);
			}
		}
	}
}

void out_hexdump(struct out *o, const u8 *data, u64 size, u64 offset, u32 indent)
{
	static const char digits[] = "0123456789abcdef";

	for (u64 at = 0; at < size; at += 16) {
		out_printf(o, "%*s%08llx ", indent, "", offset + at);
		for (u64 i = at; i < at + 16; i++) {
			if (i % 8 == 0)
				out_char(o, ' ');
			if (i < size) {
				out_char(o, digits[data[i] >> 4]);
				out_char(o, digits[data[i] & 0xf]);
			} else {
				out_text(o, "  ");
			}
			out_char(o, ' ');
		}
		out_char(o, ' ');
		for (u64 i = at; i < min(at + 16, size); i++)
			out_char(o, data[i] >= 0x20 && data[i] < 0x7f ? data[i] : '.');
		out_char(o, '\n');
	}
}

/* Types */

static void base_type(struct out *o, const struct kstate_schema_field *f)
{
	if (f->type == KS_T_STRUCT)
		out_escaped(o, f->ref->name, strlen(f->ref->name));
	else
		out_text(o, kstate_type_name(f->type));
}

/* What holds elements, and how many where that is known */
static void container(struct out *o, const struct kstate_schema_field *f, const u64 *count)
{
	switch (f->container) {
	case KS_C_ONE:
		if ((f->type == KS_T_BITMAP || f->type == KS_T_FOLIOS) && count)
			out_printf(o, "[%llu]", *count);
		break;
	case KS_C_ARRAY:
		out_printf(o, "[%u]", f->count);
		break;
	case KS_C_OPTIONAL:
		out_char(o, '*');
		break;
	case KS_C_POINTERS:
		out_char(o, '*');
		fallthrough;
	default:
		out_char(o, f->container == KS_C_MAP ? '{' : '[');
		if (count)
			out_u64(o, *count);
		out_char(o, f->container == KS_C_MAP ? '}' : ']');
	}
}

/**
 * text_field_type() - the type of a field, from its schema alone
 * @o: the output
 * @f: the field
 */
void text_field_type(struct out *o, const struct kstate_schema_field *f)
{
	base_type(o, f);
	container(o, f, NULL);
}

/**
 * text_constant() - a default, a limit or a named value
 * @o: the output
 * @type: the type of its field
 * @val: the value
 */
void text_constant(struct out *o, u8 type, u64 val)
{
	bool negative = kstate_is_signed(type) && (s64)val < 0;

	if (negative)
		out_char(o, '-');
	out_u64(o, negative ? -val : val);
}

/**
 * text_was() - what a removed field was, if that is told
 * @o: the output
 * @f: the field
 */
void text_was(struct out *o, const struct kstate_schema_field *f)
{
	u8 type = kstate_was_type(f);

	if (!type)
		return;
	out_printf(o, ": %s%s", kstate_type_name(type), f->min >> 8 == KS_C_ONE ? "" : "[]");
	if (f->flags & KSTATE_FIELD_DEFAULT) {
		out_text(o, ", default ");
		text_constant(o, type, f->dflt);
	}
}

/**
 * text_type() - the type of a field or item
 * @o: the output
 * @n: the node; not an element
 */
void text_type(struct out *o, const struct node *n)
{
	if (n->item) {
		out_text(o, n->kind == NODE_ITEMS ? "group" : n->kind == NODE_TEXT ? "text" :
			 n->kind == NODE_BYTES ? "bytes" : kstate_type_name(n->type));
		return;
	}
	base_type(o, n->f);
	container(o, n->f, n->kind == NODE_SECRET ? NULL : &n->count);
}

/* Values */

/* Bits and their names */
static void text_flags(struct out *o, const struct kstate_schema *schema,
		       const struct kstate_schema_field *f, u64 val)
{
	const struct kstate_schema_hint *h;
	u64 rest = val;
	u32 pos = 0;

	out_hex(o, val);
	while ((h = kstate_schema_name(schema, f, &pos))) {
		if (!(val & h->value))
			continue;
		out_text(o, rest == val ? " (" : ", ");
		out_escaped(o, h->name, strlen(h->name));
		if ((val & h->value) != h->value) {
			out_char(o, '=');
			out_hex(o, val & h->value);
		}
		rest &= ~h->value;
	}
	if (rest && rest != val) {
		out_text(o, ", ");
		out_hex(o, rest);
	}
	if (rest != val)
		out_char(o, ')');
}

/* The name of a value, if it has one */
static void text_enum(struct out *o, const struct kstate_schema *schema,
		      const struct kstate_schema_field *f, u64 val)
{
	const struct kstate_schema_hint *h;
	u32 pos = 0;

	while ((h = kstate_schema_name(schema, f, &pos)) && h->value != val)
		;
	if (!h)
		return;
	out_text(o, " (");
	out_escaped(o, h->name, strlen(h->name));
	out_char(o, ')');
}

static bool has_hint(const struct kstate_schema *schema, const struct kstate_schema_field *f,
		     u16 kind)
{
	for (u32 i = 0; f && i < schema->nr_hints; i++)
		if (schema->hints[i].field == f - schema->fields && schema->hints[i].kind == kind)
			return true;
	return false;
}

/**
 * text_address() - a MAC address or a UUID as text
 * @n: a leaf
 * @text: filled
 *
 * Return: false if it is neither.
 */
bool text_address(const struct node *n, char text[TEXT_ADDRESS])
{
	const u8 *b = n->at;

	if (n->kind != NODE_INTS || n->one || n->type != KS_U8)
		return false;
	if (n->count == KSTATE_MAC_BYTES && has_hint(n->schema, n->f, KSTATE_HINT_MAC)) {
		snprintf(text, TEXT_ADDRESS, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2],
			 b[3], b[4], b[5]);
		return true;
	}
	if (n->count != KSTATE_UUID_BYTES || !has_hint(n->schema, n->f, KSTATE_HINT_UUID))
		return false;
	snprintf(text, TEXT_ADDRESS,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
	return true;
}

/**
 * text_int() - an integer by its type and hints
 * @o: the output
 * @schema: the schema of its field
 * @f: its field, or NULL
 * @type: its type
 * @at: where it is
 */
void text_int(struct out *o, const struct kstate_schema *schema,
	      const struct kstate_schema_field *f, u8 type, const u8 *at)
{
	u64 val = kstate_int_load(at, type), bits = ~0ULL >> (64 - 8 * kstate_size(type));

	if (type == KS_T_LINEAR || type == KS_T_VMEMMAP) {
		if (val == ~0ULL) {
			out_text(o, "NULL");
			return;
		}
		out_text(o, type == KS_T_VMEMMAP ? "pfn " : "");
		out_hex(o, val);
		return;
	}
	if (type == KS_CHAR) {
		out_char(o, '\'');
		out_escaped(o, at, 1);
		out_char(o, '\'');
		return;
	}
	if (type == KS_BOOL && val <= 1) {
		out_text(o, val ? "true" : "false");
		return;
	}
	if (f && f->names && !f->enumerated) {
		text_flags(o, schema, f, val & bits);
		return;
	}
	if (f && has_hint(schema, f, KSTATE_HINT_HEX)) {
		out_hex(o, val & bits);
	} else {
		text_constant(o, type, val);
	}
	if (f && f->enumerated)
		text_enum(o, schema, f, val);
	if (type == KS_BOOL)
		out_text(o, " (neither true nor false)");
}

static void left_out(struct out *o, u64 nr, const char *what)
{
	out_text(o, "... ");
	out_u64(o, nr);
	out_text(o, " more");
	out_text(o, what);
}

static void text_ints(struct out *o, const struct node *n, bool all)
{
	u32 size = kstate_size(n->type);
	u64 nr = all || n->count <= SHORT_INTS ? n->count : SHORT_INTS / 2;
	char address[TEXT_ADDRESS];

	if (text_address(n, address)) {
		out_text(o, address);
		return;
	}
	if (n->one) {
		text_int(o, n->schema, n->f, n->type, n->at);
		return;
	}
	out_char(o, '[');
	for (u64 i = 0; i < nr; i++) {
		if (i)
			out_text(o, ", ");
		text_int(o, n->schema, n->f, n->type, n->at + i * size);
	}
	if (nr < n->count) {
		out_text(o, ", ");
		left_out(o, n->count - nr, "");
	}
	out_char(o, ']');
}

static void text_text(struct out *o, const struct node *n, bool all)
{
	u64 len = n->bytes, shown;

	if (!len) {
		out_text(o, n->slot ? "NULL" : "\"\"");
		return;
	}
	/* One that ends the text, or all that fill the array */
	if (n->f && n->f->container == KS_C_ARRAY)
		while (len && !n->at[len - 1])
			len--;
	else
		len -= !n->at[len - 1];
	shown = all ? len : min(len, (u64)SHORT_TEXT);
	out_char(o, '"');
	out_escaped(o, n->at, shown);
	out_char(o, '"');
	if (shown < len)
		left_out(o, len - shown, " bytes");
}

static void text_bits(struct out *o, const struct node *n, bool all)
{
	u64 i = 0, end, ranges = 0, left = 0;

	while (i < n->count) {
		if (!n->at[i / 8]) {
			i = (i / 8 + 1) * 8;
			continue;
		}
		if (!(n->at[i / 8] >> i % 8 & 1)) {
			i++;
			continue;
		}
		for (end = i; end + 1 < n->count && (n->at[(end + 1) / 8] >> (end + 1) % 8 & 1);)
			end++;
		if (all || ranges < SHORT_RANGES) {
			out_text(o, ranges++ ? "," : "");
			out_u64(o, i);
			if (end > i) {
				out_char(o, '-');
				out_u64(o, end);
			}
		} else {
			left += end - i + 1;
		}
		i = end + 1;
	}
	if (!ranges)
		out_text(o, "none");
	if (left) {
		out_char(o, ' ');
		left_out(o, left, " bits");
	}
}

static void text_edge(struct out *o, const struct kstate_edge *edge)
{
	switch (edge->kind) {
	case KSTATE_EDGE_NONE:
		out_text(o, "NULL");
		return;
	case KSTATE_EDGE_FOLIO:
		out_printf(o, "%llu bytes at %#llx, order %u", le64_to_cpu(edge->size),
			   le64_to_cpu(edge->addr), edge->order);
		return;
	case KSTATE_EDGE_VMALLOC:
		out_printf(o, "%llu bytes in %u pages of order %u, first chunk at %#llx, flags %#x",
			   le64_to_cpu(edge->size), le32_to_cpu(edge->pages), edge->order,
			   le64_to_cpu(edge->addr), le16_to_cpu(edge->flags));
		return;
	default:
		out_printf(o, "%llu bytes at %#llx", le64_to_cpu(edge->size),
			   le64_to_cpu(edge->addr));
	}
}

static void text_run(struct out *o, const struct kstate_folio_run *run)
{
	u32 count = kstate_run_count(run);

	if (!run->place) {
		out_text(o, "nothing");
		return;
	}
	out_printf(o, "%u folio%s of order %u at pfn %#llx, index %llu", count,
		   count == 1 ? "" : "s", kstate_run_order(run), kstate_run_pfn(run),
		   kstate_run_index(run));
	if (kstate_run_flags(run))
		out_printf(o, ", flags %#x", kstate_run_flags(run));
}

/**
 * text_value() - the value of a leaf
 * @o: the output
 * @n: the leaf
 * @all: long ones are not made short
 */
void text_value(struct out *o, const struct node *n, bool all)
{
	u64 shown;

	switch (n->kind) {
	case NODE_INTS:
		text_ints(o, n, all);
		break;
	case NODE_TEXT:
		text_text(o, n, all);
		break;
	case NODE_BITS:
		text_bits(o, n, all);
		break;
	case NODE_EDGE:
		text_edge(o, (const void *)n->at);
		break;
	case NODE_RUN:
		text_run(o, (const void *)n->at);
		break;
	case NODE_BYTES:
		shown = all ? n->bytes : min(n->bytes, (u64)SHORT_BYTES);
		for (u64 i = 0; i < shown; i++)
			out_printf(o, "%02x", n->at[i]);
		if (shown < n->bytes)
			left_out(o, n->bytes - shown, " bytes");
		break;
	case NODE_NULL:
		out_text(o, "NULL");
		break;
	case NODE_SECRET:
		out_text(o, "(secret)");
		break;
	case NODE_MORE:
		left_out(o, n->count, "");
		break;
	}
}

/**
 * text_record() - say which record it is
 * @o: the output
 * @schema: its schema, or NULL
 * @record: the record
 * @has_key: its key can be read
 */
void text_record(struct out *o, const struct kstate_schema *schema,
		 const struct kstate_record *record, bool has_key)
{
	u32 len = has_key ? le16_to_cpu(record->key_len) : 0;

	if (schema)
		out_escaped(o, schema->name, strlen(schema->name));
	else
		out_printf(o, "(schema %u)", le32_to_cpu(record->schema));
	out_char(o, '[');
	if (len) {
		out_char(o, '"');
		out_escaped(o, record + 1, len);
		out_char(o, '"');
	} else {
		out_u64(o, le64_to_cpu(record->key));
	}
	out_char(o, ']');
}

/**
 * arch_name() - what Linux calls an architecture
 * @arch: ELF machine number
 *
 * Return: its name, or NULL.
 */
const char *arch_name(u32 arch)
{
	switch (arch) {
	case 3: return "i386";
	case 20: return "ppc";
	case 21: return "ppc64";
	case 22: return "s390";
	case 40: return "arm";
	case 62: return "x86_64";
	case 183: return "arm64";
	case 243: return "riscv";
	case 258: return "loongarch";
	}
	return NULL;
}
