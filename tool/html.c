// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream file as one page: a map of the bytes beside the tree of fields.
 *
 * page.html does the drawing; here is what it draws: the bytes, what each of them
 * belongs to, and the tree with the bytes of each field. All of it is data: nothing
 * of a stream is ever HTML.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/unaligned.h>
#include "dump.h"

/* What a browser draws readily */
#define PAGE_BYTES	(8U * 1024 * 1024)
#define PAGE_NODES	500000

asm(".section .rodata\n\t"
	".global kstate_page, kstate_page_end\n"
	"kstate_page:\n\t"
	".incbin \"page.html\"\n"
	"kstate_page_end:\n\t"
	".byte 0\n\t"
	".previous");

extern const char kstate_page[], kstate_page_end[];

/* What a byte belongs to, as in page.html */
enum mark {
	MARK_HEADER, MARK_RECORD, MARK_KEY, MARK_FIXED, MARK_TAIL, MARK_SCHEMA, MARK_DIRECTORY,
	MARK_DAMAGE, MARK_SECRET,
};

struct region {
	u64 from;
	u64 to;
};

struct page {
	struct stream_file *s;
	const struct dump_options *opt;
	struct out nodes;
	struct out marks;
	struct out regions;
	struct out text;	/* of one node */
	struct region *shown;
	size_t nr_shown;
	struct region *secrets;
	size_t nr_secrets;
	u64 nr_nodes;
	u64 records;
	u64 bytes;
	u32 depth;
	bool no_memory;
};

/* A string of JSON that cannot end a script either; @text is UTF-8 */
static void put_string(struct out *o, const char *text, size_t len)
{
	const char *end = text + len;

	out_char(o, '"');
	for (; text < end; text++) {
		u8 c = *text;

		if (c == '"' || c == '\\') {
			out_char(o, '\\');
			out_char(o, c);
		} else if (c < 0x20 || c == '<' || c == '>' || c == '&') {
			out_printf(o, "\\u%04x", c);
		} else {
			out_char(o, c);
		}
	}
	out_char(o, '"');
}

static void put_text(struct page *p, struct out *o)
{
	put_string(o, p->text.data ?: "", p->text.len);
	p->text.len = 0;
}

static void add_region(struct page *p, struct region **list, size_t *nr, const void *at, u64 size)
{
	u64 from = stream_offset(p->s, at);
	struct region *more;

	if (!size)
		return;
	if (*nr && (*list)[*nr - 1].to == from) {
		(*list)[*nr - 1].to += size;
		return;
	}
	/* In powers of two */
	if (!(*nr & (*nr - 1))) {
		more = realloc(*list, (*nr ? 2 * *nr : 1) * sizeof(*more));
		if (!more) {
			p->no_memory = true;
			return;
		}
		*list = more;
	}
	(*list)[(*nr)++] = (struct region){ from, from + size };
}

static void mark(struct page *p, const void *at, u64 size, enum mark what)
{
	u64 from = stream_offset(p->s, at);

	if (!size)
		return;
	out_printf(&p->marks, "%s[%llu,%llu,%d]", p->marks.len ? "," : "", from, from + size, what);
}

/*
 * A node: begin_node(), the name in p->text, put_type(), the type, put_value(), the
 * value, and end_node() with what bytes it has.
 */
static void begin_node(struct page *p)
{
	out_printf(&p->nodes, "%s\n[%u,", p->nr_nodes++ ? "," : "", p->depth);
}

static void next_part(struct page *p)
{
	put_text(p, &p->nodes);
	out_char(&p->nodes, ',');
}

static void range(struct page *p, const void *at, u64 size)
{
	if (size)
		out_printf(&p->nodes, "%s%llu,%llu",
			   p->nodes.data[p->nodes.len - 1] == '[' ? "" : ",",
			   stream_offset(p->s, at), size);
}

/* A node of one range; @closed: it is not unfolded at first */
__printf(7, 8)
static void simple_node(struct page *p, const char *name, const char *type, const void *at,
			u64 size, bool closed, const char *fmt, ...)
{
	char value[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	begin_node(p);
	out_text(&p->text, name);
	next_part(p);
	out_text(&p->text, type);
	next_part(p);
	out_escaped(&p->text, value, strlen(value));
	next_part(p);
	out_char(&p->nodes, '[');
	range(p, at, size);
	out_text(&p->nodes, closed ? "],1]" : "]]");
}

#define FIELD(_p, _s, _m, _type, _fmt, ...) \
	simple_node(_p, #_m, _type, &(_s)->_m, sizeof((_s)->_m), false, _fmt, ##__VA_ARGS__)

static void show_header(struct page *p)
{
	const struct kstate_header *h = (void *)p->s->data;

	simple_node(p, "header", "", h, p->s->header_bytes, p->s->good_header, "%s", "");
	mark(p, h, p->s->header_bytes, MARK_HEADER);
	p->depth++;
	simple_node(p, "magic", "bytes", h->magic, sizeof(h->magic), false, "%.6s", h->magic);
	FIELD(p, h, crc, "u32", "%#x", le32_to_cpu(h->crc));
	FIELD(p, h, header_size, "u32", "%u", le32_to_cpu(h->header_size));
	FIELD(p, h, format, "u32", "%u", le32_to_cpu(h->format));
	FIELD(p, h, flags, "u32", "%#x", le32_to_cpu(h->flags));
	FIELD(p, h, total_size, "u64", "%llu", le64_to_cpu(h->total_size));
	FIELD(p, h, records, "u64", "%llu", le64_to_cpu(h->records));
	FIELD(p, h, page_size, "u32", "%u", le32_to_cpu(h->page_size));
	FIELD(p, h, arch, "u32", "%u%s%s", le32_to_cpu(h->arch),
	      arch_name(le32_to_cpu(h->arch)) ? ", " : "", arch_name(le32_to_cpu(h->arch)) ?: "");
	FIELD(p, h, release, "char[80]", "%.80s", h->release);
	FIELD(p, h, root, "segment", "%llu bytes at %#llx", le64_to_cpu(h->root.used),
	      le64_to_cpu(h->root.edge.addr));
	p->depth--;
}

static void show_record_header(struct page *p, const struct kstate_record *r)
{
	mark(p, r, sizeof(*r), MARK_RECORD);
	simple_node(p, "record header", "", r, sizeof(*r), true, "%s", "");
	p->depth++;
	FIELD(p, r, hcrc, "u32", "%#x", le32_to_cpu(r->hcrc));
	FIELD(p, r, pcrc, "u32", "%#x", le32_to_cpu(r->pcrc));
	FIELD(p, r, key, "u64", "%llu", le64_to_cpu(r->key));
	FIELD(p, r, size, "u32", "%u", le32_to_cpu(r->size));
	FIELD(p, r, schema, "u32", "%#x", le32_to_cpu(r->schema));
	FIELD(p, r, place, "u32", "%u", le32_to_cpu(r->place));
	FIELD(p, r, key_len, "u16", "%u", le16_to_cpu(r->key_len));
	FIELD(p, r, flags, "u16", "%#x", le16_to_cpu(r->flags));
	p->depth--;
}

static void show_key(struct page *p, const struct kstate_record *record)
{
	u32 len = le16_to_cpu(record->key_len);

	if (!len)
		return;
	simple_node(p, "key", "text", record + 1, kstate_key_bytes(record), false, "%.*s", (int)len,
		    (char *)(record + 1));
	mark(p, record + 1, kstate_key_bytes(record), MARK_KEY);
}

/* The root segment */

static void show_schema_parts(struct page *p, const struct kstate_schema *schema, const void *at)
{
	const struct kstate_wire_schema *ws = at;
	const struct kstate_wire_field *wf = (void *)(ws + 1);
	const struct kstate_wire_hint *wh = (void *)(wf + schema->nr_fields);

	FIELD(p, ws, hash, "u64", "%#llx", le64_to_cpu(ws->hash));
	FIELD(p, ws, name, "u32", "%s", schema->name);
	FIELD(p, ws, version, "u32", "%u", schema->version);
	FIELD(p, ws, min_version, "u32", "%u", schema->min_version);
	FIELD(p, ws, flags, "u32", "%#x", schema->flags);
	FIELD(p, ws, size, "u32", "%u", schema->size);
	FIELD(p, ws, nr_fields, "u32", "%u", schema->nr_fields);
	FIELD(p, ws, nr_hints, "u32", "%u", schema->nr_hints);
	FIELD(p, ws, strings, "u32", "%u", le32_to_cpu(ws->strings));
	for (u32 i = 0; i < schema->nr_fields; i++) {
		const struct kstate_schema_field *f = &schema->fields[i];

		begin_node(p);
		out_printf(&p->text, "field %u: ", i);
		out_escaped(&p->text, f->name, strlen(f->name));
		next_part(p);
		text_field_type(&p->text, f);
		next_part(p);
		next_part(p);
		out_char(&p->nodes, '[');
		range(p, &wf[i], sizeof(*wf));
		out_text(&p->nodes, "]]");
	}
	for (u32 i = 0; i < schema->nr_hints; i++)
		simple_node(p, "hint", "", &wh[i], sizeof(*wh), false, "%s: kind %u %s %#llx",
			    schema->fields[schema->hints[i].field].name, schema->hints[i].kind,
			    schema->hints[i].name, schema->hints[i].value);
	simple_node(p, "strings", "bytes", wh + schema->nr_hints, le32_to_cpu(ws->strings), false,
		    "%s", "");
}

static void show_directory_parts(struct page *p, const struct kstate_record *record)
{
	const struct kstate_segment_ref *ref = (void *)((u8 *)(record + 1) +
							kstate_key_bytes(record));
	u32 size = le32_to_cpu(record->size) - kstate_key_bytes(record);

	show_key(p, record);
	for (; size >= sizeof(*ref); size -= sizeof(*ref), ref++)
		simple_node(p, "segment", "", ref, sizeof(*ref), false, "%llu bytes at %#llx",
			    le64_to_cpu(ref->used), le64_to_cpu(ref->edge.addr));
}

static void show_root_record(struct page *p, const struct kstate_record *record)
{
	u32 kind = le32_to_cpu(record->schema), size = le32_to_cpu(record->size);
	const struct kstate_schema *schema = NULL;
	u64 key = le64_to_cpu(record->key);
	bool known;

	known = kind == KSTATE_RECORD_STREAM && kstate_record_understood(record);
	if (kind == KSTATE_RECORD_SCHEMA && key < p->s->set->nr_known &&
	    kstate_known(p->s->set, key)->bytes == (u8 *)(record + 1))
		schema = stream_schema(p->s, key);
	if (schema)
		simple_node(p, "schema", "", record, sizeof(*record) + size, true, "%llu, %s", key,
			    schema->name);
	else if (known)
		simple_node(p, "stream directory", "", record, sizeof(*record) + size, true,
			    "%llu, %.*s", key, le16_to_cpu(record->key_len), (char *)(record + 1));
	else
		simple_node(p, kind == KSTATE_RECORD_SCHEMA ? "schema, damaged" :
			    kind == KSTATE_RECORD_STATE ? "description" : "unknown record", "",
			    record, sizeof(*record) + size, true, "%llu", key);
	mark(p, record + 1, size, known ? MARK_DIRECTORY : MARK_SCHEMA);
	p->depth++;
	show_record_header(p, record);
	if (schema)
		show_schema_parts(p, schema, record + 1);
	else if (known)
		show_directory_parts(p, record);
	p->depth--;
}

static void show_root(struct page *p)
{
	const struct kstate_segment *root = &p->s->set->root;
	const struct kstate_record *record;
	size_t at = 0;

	/* Its damage has been noted when it was opened */
	while (at < root->used) {
		record = (void *)(root->data + at);
		if (!kstate_record_good(root, at)) {
			at += 8;
			continue;
		}
		show_root_record(p, record);
		at += sizeof(*record) + le32_to_cpu(record->size);
	}
}

/* Records */

static void put_node(struct page *p, const struct node *n)
{
	/* One record may have more values than all that a page takes */
	if (p->nr_nodes > PAGE_NODES)
		return;
	begin_node(p);
	if (n->element) {
		out_printf(&p->text, "[%llu]", n->index);
		next_part(p);
		if (n->type == KS_T_STRUCT && n->ref)
			out_escaped(&p->text, n->ref->name, strlen(n->ref->name));
		else
			out_text(&p->text, kstate_type_name(n->type));
	} else {
		out_escaped(&p->text, n->name, n->name_len);
		next_part(p);
		if (n->f && n->f->type == KS_T_ARM)
			out_escaped(&p->text, n->f->ref->name, strlen(n->f->ref->name));
		else
			text_type(&p->text, n);
	}
	next_part(p);
	if (n->kind == NODE_UNION)
		out_escaped(&p->text, n->arm, strlen(n->arm));
	else if (!node_is_group(n))
		text_value(&p->text, n, p->opt->all);
	next_part(p);
	out_char(&p->nodes, '[');
	if (n->slot)
		range(p, n->slot, sizeof(u32));
	if (n->tail)
		range(p, n->tail, n->tail_bytes);
	range(p, n->at, n->bytes);
	out_text(&p->nodes, "]]");
}

static void page_open(void *arg, const struct node *n)
{
	struct page *p = arg;

	put_node(p, n);
	p->depth++;
}

static void page_leaf(void *arg, const struct node *n)
{
	struct page *p = arg;

	put_node(p, n);
	if (n->kind != NODE_SECRET)
		return;
	mark(p, n->at, n->bytes, MARK_SECRET);
	mark(p, n->tail, n->tail_bytes, MARK_SECRET);
	add_region(p, &p->secrets, &p->nr_secrets, n->at, n->bytes);
	add_region(p, &p->secrets, &p->nr_secrets, n->tail, n->tail_bytes);
}

static void page_close(void *arg, const struct node *n)
{
	((struct page *)arg)->depth--;
}

static const struct walker page_walker = {
	.open = page_open, .leaf = page_leaf, .close = page_close,
};

static void show_values(struct page *p, struct seen *seen)
{
	struct walk w = {
		.walker = &page_walker, .arg = p, .limit = U64_MAX, .secrets = p->opt->secrets,
	};
	u32 fixed = min(seen->size, ALIGN(seen->schema->size, 8)), depth = p->depth;
	u64 rest;

	mark(p, seen->payload, fixed, MARK_FIXED);
	mark(p, seen->payload + fixed, seen->size - fixed, MARK_TAIL);
	if (walk_payload(&w, seen->schema, seen->payload, seen->size))
		return;
	p->depth = depth;
	rest = seen->payload + seen->size - w.bad;
	if (!seen->problem[0])
		stream_damage(p->s, w.bad, rest, "%s: %s", seen->schema->name, w.what);
	simple_node(p, "the rest cannot be read", "damage", w.bad, rest, false, "%s", w.what);
	/* Where the secrets are, nobody knows any more */
	if (!p->opt->secrets && has_secrets(p->s, seen->schema)) {
		mark(p, seen->payload, seen->size, MARK_SECRET);
		add_region(p, &p->secrets, &p->nr_secrets, seen->payload, seen->size);
	}
}

static bool too_large(const struct page *p)
{
	return p->nr_nodes > PAGE_NODES || p->bytes > PAGE_BYTES || p->no_memory;
}

static bool show_record(const struct kstate_stream *stream, struct kstate_record *record,
			void *arg)
{
	struct page *p = arg;
	struct seen seen;
	u64 size;

	dump_look(p->s, record, &seen);
	if (!dump_wanted(p->opt, stream, &seen))
		return true;
	size = sizeof(*record) + seen.bytes;
	p->records++;
	p->bytes += size;
	if (too_large(p))
		return false;
	add_region(p, &p->shown, &p->nr_shown, record, size);
	begin_node(p);
	if (seen.dropped)
		out_text(&p->text, "(taken back)");
	else
		text_record(&p->text, seen.schema, record, seen.payload);
	next_part(p);
	out_text(&p->text, seen.problem[0] ? "damage" : "");
	next_part(p);
	out_text(&p->text, seen.problem);
	next_part(p);
	out_char(&p->nodes, '[');
	range(p, record, size);
	out_text(&p->nodes, "]]");
	p->depth++;
	show_record_header(p, record);
	if (seen.payload)
		show_key(p, record);
	if (seen.schema)
		show_values(p, &seen);
	p->depth--;
	return true;
}

static bool begin_stream(const struct kstate_stream *stream, void *arg)
{
	struct page *p = arg;

	if (!stream)
		simple_node(p, "no stream refers to these", "", NULL, 0, false, "%s", "");
	else
		simple_node(p, "stream", "", NULL, 0, false, "%s", stream->name);
	p->depth++;
	return true;
}

static bool end_stream(const struct kstate_stream *stream, void *arg)
{
	((struct page *)arg)->depth--;
	return true;
}

static const struct stream_visitor visitor = {
	.begin = begin_stream, .record = show_record, .end = end_stream,
};

static bool any_secrets(const struct stream_file *s)
{
	for (u32 i = 0; i < s->set->nr_known; i++)
		if (s->secrets[i])
			return true;
	return false;
}

static void show_damage(struct page *p)
{
	/* They may be anywhere in what cannot be read */
	bool hide = !p->opt->secrets && any_secrets(p->s);
	const struct damage *d;

	if (!p->s->nr_damage)
		return;
	simple_node(p, "damage", "damage", NULL, 0, false, "%s", "");
	p->depth++;
	for (d = p->s->damage; d < p->s->damage + p->s->nr_damage && !too_large(p); d++) {
		const u8 *at = p->s->data + d->at;

		mark(p, at, d->size, MARK_DAMAGE);
		begin_node(p);
		out_escaped(&p->text, d->what, strlen(d->what));
		next_part(p);
		out_text(&p->text, "damage");
		next_part(p);
		next_part(p);
		out_char(&p->nodes, '[');
		range(p, at, d->size);
		/* Its bytes belong to other nodes, which show more */
		out_text(&p->nodes, "],2]");
		if (hide)
			add_region(p, &p->secrets, &p->nr_secrets, at, d->size);
	}
	p->depth--;
}

/* The bytes, without the secrets */

static void put_base64(struct out *o, const u8 *data, u64 size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	u64 i;

	for (i = 0; i < size; i += 3) {
		u32 left = min(size - i, 3ULL), v = data[i] << 16;
		char four[4] = "====";

		v |= left > 1 ? data[i + 1] << 8 : 0;
		v |= left > 2 ? data[i + 2] : 0;
		for (u32 j = 0; j <= left; j++)
			four[j] = digits[v >> (18 - 6 * j) & 0x3f];
		out_bytes(o, four, 4);
	}
}

static void put_region(struct page *p, const struct region *r)
{
	u64 size = r->to - r->from;
	u8 *copy = malloc(size);

	if (!copy) {
		p->no_memory = true;
		return;
	}
	memcpy(copy, p->s->data + r->from, size);
	for (size_t i = 0; i < p->nr_secrets; i++) {
		u64 from = max(p->secrets[i].from, r->from), to = min(p->secrets[i].to, r->to);

		if (from < to)
			memset(copy + from - r->from, 0, to - from);
	}
	out_printf(&p->regions, "%s[%llu,\"", p->regions.len ? "," : "", r->from);
	put_base64(&p->regions, copy, size);
	out_text(&p->regions, "\"]");
	free(copy);
}

static void put_regions(struct page *p, bool all)
{
	struct region whole = { 0, p->s->size };

	if (all) {
		put_region(p, &whole);
		return;
	}
	for (size_t i = 0; i < p->nr_shown; i++)
		put_region(p, &p->shown[i]);
}

static void put_page(struct page *p, FILE *file)
{
	const char *data = memmem(kstate_page, kstate_page_end - kstate_page, "@DATA@", 6);
	const struct kstate_header *h = (void *)p->s->data;
	const char *name = strrchr(p->s->name, '/') ? strrchr(p->s->name, '/') + 1 : p->s->name;
	struct out o = { .file = file };

	out_bytes(&o, kstate_page, data - kstate_page);
	out_text(&o, "{\"file\":");
	out_escaped(&p->text, name, strlen(name));
	put_text(p, &o);
	out_text(&o, ",\"about\":");
	out_printf(&p->text, "written by ");
	out_escaped(&p->text, h->release, strnlen((char *)h->release, sizeof(h->release)));
	if (arch_name(le32_to_cpu(h->arch)))
		out_printf(&p->text, " on %s", arch_name(le32_to_cpu(h->arch)));
	out_printf(&p->text, ", %zu bytes, %llu record%s", p->s->size, le64_to_cpu(h->records),
		   le64_to_cpu(h->records) == 1 ? "" : "s");
	put_text(p, &o);
	out_printf(&o, ",\"damage\":%llu,\n\"marks\":[", p->s->damaged);
	out_bytes(&o, p->marks.data, p->marks.len);
	out_text(&o, "],\n\"regions\":[");
	out_bytes(&o, p->regions.data, p->regions.len);
	out_text(&o, "],\n\"nodes\":[");
	out_bytes(&o, p->nodes.data, p->nodes.len);
	out_text(&o, "]}");
	out_bytes(&o, data + 6, kstate_page_end - data - 6);
	out_free(&o);
}

/**
 * dump_html() - a stream file as a page
 * @s: the file
 * @opt: what to show
 * @file: where to
 * @t: what went wrong
 */
enum status dump_html(struct stream_file *s, const struct dump_options *opt, FILE *file,
		      struct trouble *t)
{
	bool all = !opt->stream && !opt->state && !opt->key;
	struct page p = { .s = s, .opt = opt };
	enum status status;

	p.bytes = s->header_bytes + s->set->root.used;
	add_region(&p, &p.shown, &p.nr_shown, s->data, s->header_bytes);
	add_region(&p, &p.shown, &p.nr_shown, s->set->root.data, s->set->root.used);
	show_header(&p);
	show_root(&p);
	if (all && s->size > PAGE_BYTES)
		p.bytes = s->size;
	else
		stream_walk(s, &visitor, &p);
	show_damage(&p);
	if (!too_large(&p))
		put_regions(&p, all);
	if (p.no_memory) {
		status = trouble(t, STATUS_SYSTEM, "no memory");
	} else if (too_large(&p)) {
		status = trouble(t, STATUS_USAGE,
				 "%s: too much for a page, which takes %u bytes and %u fields: choose records with --stream, --state or --key",
				 s->name, PAGE_BYTES, PAGE_NODES);
	} else {
		put_page(&p, file);
		status = dump_status(s, opt, p.records, t);
	}
	out_free(&p.nodes);
	out_free(&p.marks);
	out_free(&p.regions);
	out_free(&p.text);
	free(p.shown);
	free(p.secrets);
	return status;
}
