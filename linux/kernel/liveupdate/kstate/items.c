// SPDX-License-Identifier: GPL-2.0-only
/*
 * The low-level API: typed values that functions put and get one by one.
 */

/**
 * DOC: items
 *
 * What is not a struct, or not like one, is saved by a function of its own: a
 * KSTATE_CUSTOM() field puts named and typed values, groups of values, and
 * memory that is handed over in place, and gets them back in the same order.
 * Bounds, checksums, unwinding and decoding are those of all other fields.
 *
 * An item that is asked for by another name than it has is not consumed:
 * kstate_get_u64() and the like return -ENOENT, and the function decides what
 * its absence means. Items that are left over make restoring fail, unless
 * kstate_get_skip() goes past them.
 */

#define pr_fmt(fmt) "kstate: " fmt

#include <linux/align.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include "engine.h"

/*
 * What @stream is doing, if the caller is one of the functions that it calls now.
 * Otherwise that function, or the log, gets an error, and nothing is touched.
 */
static struct kstate_save_ctx *saving(struct kstate_stream *stream)
{
	struct kstate_restore_ctx *other = kstate_stream_restoring(stream);
	struct kstate_save_ctx *w = kstate_stream_saving(stream);

	if (w && w->in_callback)
		return w;
	if (other && other->in_callback)
		kstate_fail(&other->where, NULL, KSTATE_BAD_CALL, -EINVAL,
			    "kstate_get_*() in a function that restores\nkstate_put_*()");
	else
		pr_err_ratelimited("kstate_put_*() outside of a function that saves\n");
	return NULL;
}

static struct kstate_restore_ctx *restoring(struct kstate_stream *stream)
{
	struct kstate_restore_ctx *w = kstate_stream_restoring(stream);
	struct kstate_save_ctx *other = kstate_stream_saving(stream);

	if (w && w->in_callback)
		return w;
	if (other && other->in_callback)
		kstate_fail(&other->where, NULL, KSTATE_BAD_CALL, -EINVAL,
			    "kstate_put_*() in a function that saves\nkstate_get_*()");
	else
		pr_err_ratelimited("kstate_get_*() outside of a function that restores\n");
	return NULL;
}

static int misuse(const struct kstate_where *where, const char *expected, const char *found)
{
	return kstate_fail(where, NULL, KSTATE_BAD_CALL, -EINVAL, "%s\n%s", expected, found);
}

/* Room for an item of @size bytes of value: the offset of the value, or an error */
static s64 put_item(struct kstate_save_ctx *w, u8 type, const char *name, size_t size)
{
	size_t len = strnlen(name, KSTATE_MAX_NAME + 1);
	struct kstate_item *item;
	s64 at;

	if (!len || len > KSTATE_MAX_NAME)
		return misuse(&w->where, "a short name of an item", name);
	if (size > KSTATE_MAX_RECORD)
		return misuse(&w->where, "an item that a record has room for", "a larger one");
	at = kstate_save_reserve(w, sizeof(*item) + ALIGN(len, 8) + ALIGN((u64)size, 8));
	if (at < 0)
		return at;
	item = (void *)(w->rec + at);
	item->type = type;
	item->name_len = len;
	item->size = cpu_to_le32(size);
	memcpy(item + 1, name, len);
	return at + sizeof(*item) + ALIGN(len, 8);
}

static int put_value(struct kstate_stream *stream, u8 type, const char *name, const void *data,
		     size_t size)
{
	struct kstate_save_ctx *w = saving(stream);
	s64 at = w ? put_item(w, type, name, size) : -EINVAL;

	if (at < 0)
		return at;
	memcpy(w->rec + at, data, size);
	return 0;
}

/**
 * kstate_put_u64() - save an unsigned integer
 * @stream: what the function was given
 * @name: name of the item
 * @val: its value
 *
 * Context: only in kstate_field.save.
 * Return: 0, or a negative error code.
 */
int kstate_put_u64(struct kstate_stream *stream, const char *name, u64 val)
{
	__le64 le = cpu_to_le64(val);

	return put_value(stream, KS_U64, name, &le, sizeof(le));
}
EXPORT_SYMBOL_GPL(kstate_put_u64);

/**
 * kstate_put_s64() - save a signed integer
 * @stream: what the function was given
 * @name: name of the item
 * @val: its value
 *
 * Context: only in kstate_field.save.
 * Return: 0, or a negative error code.
 */
int kstate_put_s64(struct kstate_stream *stream, const char *name, s64 val)
{
	__le64 le = cpu_to_le64(val);

	return put_value(stream, KS_S64, name, &le, sizeof(le));
}
EXPORT_SYMBOL_GPL(kstate_put_s64);

/**
 * kstate_put_data() - save bytes that have no other type
 * @stream: what the function was given
 * @name: name of the item
 * @data: the bytes
 * @size: how many
 *
 * Context: only in kstate_field.save.
 * Return: 0, or a negative error code.
 */
int kstate_put_data(struct kstate_stream *stream, const char *name, const void *data, size_t size)
{
	return put_value(stream, KS_U8, name, data, size);
}
EXPORT_SYMBOL_GPL(kstate_put_data);

/**
 * kstate_put_string() - save text
 * @stream: what the function was given
 * @name: name of the item
 * @s: the text
 *
 * Context: only in kstate_field.save.
 * Return: 0, or a negative error code.
 */
int kstate_put_string(struct kstate_stream *stream, const char *name, const char *s)
{
	return put_value(stream, KS_CHAR, name, s, strlen(s) + 1);
}
EXPORT_SYMBOL_GPL(kstate_put_string);

static int put_edge(struct kstate_stream *stream, u8 type, const char *name, void *ptr, size_t nr)
{
	struct kstate_save_ctx *w = saving(stream);
	s64 at = w ? put_item(w, type, name, sizeof(struct kstate_edge)) : -EINVAL;

	if (at < 0)
		return at;
	return kstate_save_edge(w, NULL, type, ptr, min_t(size_t, nr, S64_MAX), at);
}

/**
 * kstate_put_folio() - hand over a folio
 * @stream: what the function was given
 * @name: name of the item
 * @folio: the folio, or NULL
 *
 * Context: only in kstate_field.save.
 * Return: 0, or a negative error code.
 */
int kstate_put_folio(struct kstate_stream *stream, const char *name, struct folio *folio)
{
	return put_edge(stream, KS_T_FOLIO, name, folio, 0);
}
EXPORT_SYMBOL_GPL(kstate_put_folio);

/**
 * kstate_put_pages() - hand over physically contiguous order-0 pages
 * @stream: what the function was given
 * @name: name of the item
 * @page: the first one, or NULL
 * @nr: how many
 *
 * Context: only in kstate_field.save.
 * Return: 0, or a negative error code.
 */
int kstate_put_pages(struct kstate_stream *stream, const char *name, struct page *page, size_t nr)
{
	return put_edge(stream, KS_T_PAGES, name, page, nr);
}
EXPORT_SYMBOL_GPL(kstate_put_pages);

/**
 * kstate_put_vmalloc() - hand over a vmalloc area
 * @stream: what the function was given
 * @name: name of the item
 * @area: the area, or NULL
 *
 * Context: only in kstate_field.save.
 * Return: 0, or a negative error code.
 */
int kstate_put_vmalloc(struct kstate_stream *stream, const char *name, void *area)
{
	return put_edge(stream, KS_T_VMALLOC, name, area, 0);
}
EXPORT_SYMBOL_GPL(kstate_put_vmalloc);

/**
 * kstate_put_begin() - begin a group of items
 * @stream: what the function was given
 * @name: name of the group
 *
 * Context: only in kstate_field.save; at most %KSTATE_MAX_GROUPS are open.
 * Return: 0, or a negative error code.
 */
int kstate_put_begin(struct kstate_stream *stream, const char *name)
{
	struct kstate_save_ctx *w = saving(stream);
	s64 at;

	if (!w)
		return -EINVAL;
	if (w->nr_groups == KSTATE_MAX_GROUPS)
		return misuse(&w->where, "at most 8 groups inside each other", "more");
	at = put_item(w, KS_T_STRUCT, name, 0);
	if (at < 0)
		return at;
	/* Its size is known at the end of the group */
	w->groups[w->nr_groups++] = at - ALIGN(strlen(name), 8) - sizeof(struct kstate_item);
	return 0;
}
EXPORT_SYMBOL_GPL(kstate_put_begin);

/**
 * kstate_put_end() - end the group that was begun last
 * @stream: what the function was given
 *
 * Context: only in kstate_field.save.
 * Return: 0, or a negative error code.
 */
int kstate_put_end(struct kstate_stream *stream)
{
	struct kstate_save_ctx *w = saving(stream);
	struct kstate_item *item;
	u32 at;

	if (!w)
		return -EINVAL;
	if (!w->nr_groups)
		return misuse(&w->where, "a group that was begun", "none");
	at = w->groups[--w->nr_groups];
	item = (void *)(w->rec + at);
	item->size = cpu_to_le32(w->used - at - sizeof(*item) - ALIGN(item->name_len, 8));
	return 0;
}
EXPORT_SYMBOL_GPL(kstate_put_end);

static int bad_item(struct kstate_restore_ctx *w, const char *found)
{
	return kstate_fail(&w->where, NULL, KSTATE_DAMAGED, -EBADMSG, "an item\n%s", found);
}

/* The next item, all of which is there; its value and where the one after it begins */
static struct kstate_item *next_item(struct kstate_restore_ctx *w, u8 **value, u8 **after)
{
	struct kstate_item *item = (void *)w->items.pos;
	u64 left = w->items.end - w->items.pos, head, size;

	if (!left)
		return ERR_PTR(-ENOENT);
	head = left < sizeof(*item) ? 0 : sizeof(*item) + ALIGN(item->name_len, 8);
	if (!head || head > left || item->reserved ||
	    !item->name_len || item->name_len > KSTATE_MAX_NAME)
		return ERR_PTR(bad_item(w, "a header that goes beyond the end"));
	size = ALIGN((u64)le32_to_cpu(item->size), 8);
	if (size > left - head)
		return ERR_PTR(bad_item(w, "a value that goes beyond the end"));
	*value = w->items.pos + head;
	*after = *value + size;
	return item;
}

/* The value of the next item, if it has this name and type */
static u8 *get_item(struct kstate_stream *stream, const char *name, bool (*accept)(u8 type),
		    struct kstate_item **found)
{
	struct kstate_restore_ctx *w = restoring(stream);
	u8 *value, *after;
	struct kstate_item *item;

	if (!w)
		return ERR_PTR(-EINVAL);
	item = next_item(w, &value, &after);
	if (IS_ERR(item))
		return (void *)item;
	if (item->name_len != strlen(name) || memcmp(item + 1, name, item->name_len))
		return ERR_PTR(-ENOENT);
	if (!accept(item->type))
		return ERR_PTR(kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE,
					   "item %s of another type\n%#x", name, item->type));
	w->items.pos = after;
	*found = item;
	return value;
}

static bool is_integer(u8 type)
{
	return type == KS_U64 || type == KS_S64;
}

static int get_int(struct kstate_stream *stream, const char *name, u8 type, u64 *val)
{
	struct kstate_restore_ctx *w = kstate_stream_restoring(stream);
	struct kstate_item *item;
	u8 *value = get_item(stream, name, is_integer, &item);

	if (IS_ERR(value))
		return PTR_ERR(value);
	if (le32_to_cpu(item->size) != sizeof(u64))
		return bad_item(w, "an integer of another size");
	*val = get_unaligned_le64(value);
	if (item->type != type && (s64)*val < 0)
		return kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE,
				   "item %s that fits\n%#llx", name, *val);
	return 0;
}

/**
 * kstate_get_u64() - restore an unsigned integer
 * @stream: what the function was given
 * @name: name of the item
 * @val: set to its value
 *
 * Context: only in kstate_field.restore.
 * Return: 0, -ENOENT if the next item has another name or there is none, or
 * another negative error code.
 */
int kstate_get_u64(struct kstate_stream *stream, const char *name, u64 *val)
{
	return get_int(stream, name, KS_U64, val);
}
EXPORT_SYMBOL_GPL(kstate_get_u64);

/**
 * kstate_get_s64() - restore a signed integer
 * @stream: what the function was given
 * @name: name of the item
 * @val: set to its value
 *
 * Context: only in kstate_field.restore.
 * Return: as kstate_get_u64().
 */
int kstate_get_s64(struct kstate_stream *stream, const char *name, s64 *val)
{
	return get_int(stream, name, KS_S64, (u64 *)val);
}
EXPORT_SYMBOL_GPL(kstate_get_s64);

static bool is_bytes(u8 type)
{
	return type == KS_U8;
}

/**
 * kstate_get_data() - restore bytes
 * @stream: what the function was given
 * @name: name of the item
 * @data: where to put them
 * @size: how many there must be
 *
 * Context: only in kstate_field.restore.
 * Return: as kstate_get_u64().
 */
int kstate_get_data(struct kstate_stream *stream, const char *name, void *data, size_t size)
{
	struct kstate_restore_ctx *w = kstate_stream_restoring(stream);
	struct kstate_item *item;
	u8 *value = get_item(stream, name, is_bytes, &item);

	if (IS_ERR(value))
		return PTR_ERR(value);
	if (le32_to_cpu(item->size) != size)
		return kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE,
				   "item %s of %zu bytes\n%u", name, size,
				   le32_to_cpu(item->size));
	memcpy(data, value, size);
	return 0;
}
EXPORT_SYMBOL_GPL(kstate_get_data);

static bool is_text(u8 type)
{
	return type == KS_CHAR;
}

/**
 * kstate_get_string() - restore text
 * @stream: what the function was given
 * @name: name of the item
 *
 * Context: only in kstate_field.restore.
 * Return: the text, as long as the function runs; or an ERR_PTR(), as
 * kstate_get_u64().
 */
const char *kstate_get_string(struct kstate_stream *stream, const char *name)
{
	struct kstate_restore_ctx *w = kstate_stream_restoring(stream);
	struct kstate_item *item;
	u8 *value = get_item(stream, name, is_text, &item);
	u32 size;

	if (IS_ERR(value))
		return (const char *)value;
	size = le32_to_cpu(item->size);
	if (!size || strnlen((char *)value, size) != size - 1)
		return ERR_PTR(bad_item(w, "text that does not end with a NUL"));
	return (const char *)value;
}
EXPORT_SYMBOL_GPL(kstate_get_string);

static int get_edge(struct kstate_stream *stream, u8 type, const char *name, void **ptr,
		    size_t *nr)
{
	struct kstate_restore_ctx *w = kstate_stream_restoring(stream);
	struct kstate_item *item;
	u8 *value = get_item(stream, name, kstate_is_edge, &item);
	struct kstate_edge *edge = (void *)value;

	if (IS_ERR(value))
		return PTR_ERR(value);
	if (item->type != type || le32_to_cpu(item->size) != sizeof(*edge))
		return bad_item(w, "memory of another kind");
	if (nr)
		*nr = le64_to_cpu(edge->size) >> PAGE_SHIFT;
	return kstate_restore_edge(w, NULL, type, edge, ptr);
}

/**
 * kstate_get_folio() - take over a folio
 * @stream: what the function was given
 * @name: name of the item
 * @folio: set to the folio, or to NULL. It belongs to the object once the
 *	object is restored; if that fails, KSTATE keeps it for the next attempt
 *
 * Context: only in kstate_field.restore.
 * Return: as kstate_get_u64().
 */
int kstate_get_folio(struct kstate_stream *stream, const char *name, struct folio **folio)
{
	return get_edge(stream, KS_T_FOLIO, name, (void **)folio, NULL);
}
EXPORT_SYMBOL_GPL(kstate_get_folio);

/**
 * kstate_get_pages() - take over pages
 * @stream: what the function was given
 * @name: name of the item
 * @page: set to the first one, or to NULL; see kstate_get_folio()
 * @nr: set to their number
 *
 * Context: only in kstate_field.restore.
 * Return: as kstate_get_u64().
 */
int kstate_get_pages(struct kstate_stream *stream, const char *name, struct page **page,
		     size_t *nr)
{
	return get_edge(stream, KS_T_PAGES, name, (void **)page, nr);
}
EXPORT_SYMBOL_GPL(kstate_get_pages);

/**
 * kstate_get_vmalloc() - take over a vmalloc area
 * @stream: what the function was given
 * @name: name of the item
 * @area: set to the area, or to NULL; see kstate_get_folio()
 *
 * Context: only in kstate_field.restore.
 * Return: as kstate_get_u64().
 */
int kstate_get_vmalloc(struct kstate_stream *stream, const char *name, void **area)
{
	return get_edge(stream, KS_T_VMALLOC, name, area, NULL);
}
EXPORT_SYMBOL_GPL(kstate_get_vmalloc);

static bool is_group(u8 type)
{
	return type == KS_T_STRUCT;
}

/**
 * kstate_get_begin() - enter a group of items
 * @stream: what the function was given
 * @name: name of the group
 *
 * Context: only in kstate_field.restore.
 * Return: as kstate_get_u64().
 */
int kstate_get_begin(struct kstate_stream *stream, const char *name)
{
	struct kstate_restore_ctx *w = restoring(stream);
	struct kstate_item *item;
	u8 *value;

	if (!w)
		return -EINVAL;
	if (w->nr_groups == KSTATE_MAX_GROUPS)
		return misuse(&w->where, "at most 8 groups inside each other", "more");
	value = get_item(stream, name, is_group, &item);
	if (IS_ERR(value))
		return PTR_ERR(value);
	w->groups[w->nr_groups++] = w->items.end;
	w->items.end = w->items.pos;
	w->items.pos = value;
	return 0;
}
EXPORT_SYMBOL_GPL(kstate_get_begin);

/**
 * kstate_get_end() - leave the group that was entered last
 * @stream: what the function was given
 *
 * Context: only in kstate_field.restore.
 * Return: 0, or -ERANGE if there are items left in it.
 */
int kstate_get_end(struct kstate_stream *stream)
{
	struct kstate_restore_ctx *w = restoring(stream);

	if (!w)
		return -EINVAL;
	if (!w->nr_groups)
		return misuse(&w->where, "a group that was entered", "none");
	if (w->items.pos != w->items.end)
		return kstate_fail(&w->where, NULL, KSTATE_VALUE, -ERANGE,
				   "a function that takes all items of the group\nitems left");
	w->items.end = w->groups[--w->nr_groups];
	return 0;
}
EXPORT_SYMBOL_GPL(kstate_get_end);

/**
 * kstate_get_skip() - go past the next item, whatever it is
 * @stream: what the function was given
 *
 * An item that is or holds memory that was handed over cannot be skipped.
 *
 * Context: only in kstate_field.restore.
 * Return: 0, -ENOENT if there is none, or another negative error code.
 */
int kstate_get_skip(struct kstate_stream *stream)
{
	struct kstate_restore_ctx *w = restoring(stream);
	u8 *value, *after;
	struct kstate_item *item;

	if (!w)
		return -EINVAL;
	item = next_item(w, &value, &after);
	if (IS_ERR(item))
		return PTR_ERR(item);
	if (kstate_is_edge(item->type) || item->type == KS_T_STRUCT)
		return misuse(&w->where, "an item that can be skipped", "memory or a group");
	w->items.pos = after;
	return 0;
}
EXPORT_SYMBOL_GPL(kstate_get_skip);
