// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors: what was refused, where, what was expected and what was found.
 */

/**
 * DOC: errors
 *
 * Whatever KSTATE refuses, it tells in one &struct kstate_error, like the
 * extended ack of netlink. The kernel log, sysfs and JSON show the
 * same object.
 */

#define pr_fmt(fmt) "kstate: " fmt

#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/string.h>
#include "engine.h"

/* A text that is cut where the buffer ends */
struct kstate_text {
	char *buf;
	size_t size;
	size_t len;
};

__printf(2, 3)
static void text_add(struct kstate_text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	t->len += vscnprintf(t->buf + t->len, t->size - t->len, fmt, args);
	va_end(args);
}

static void text_path(struct kstate_text *t, const struct kstate_path *path)
{
	if (!path)
		return;
	text_path(t, path->up);
	text_add(t, "%s%s", t->len ? "." : "", path->name);
}

static void text_frames(struct kstate_text *t, const struct kstate_frame *frame)
{
	if (!frame)
		return;
	text_frames(t, frame->up);
	text_path(t, frame->path);
	/* It may be a key */
	if (frame->index >= 0 && frame->path && frame->path->secret)
		text_add(t, "[?]");
	else if (frame->index >= 0)
		text_add(t, "[%lld]", frame->index);
}

/**
 * kstate_where_text() - say where something is
 * @where: the object and the arrays on the way
 * @path: the field in them, or NULL
 * @buf: where to
 * @size: of @buf
 *
 * Return: length of the text, without the NUL.
 */
int kstate_where_text(const struct kstate_where *where, const struct kstate_path *path,
		      char *buf, size_t size)
{
	struct kstate_text t = { .buf = buf, .size = size };

	buf[0] = 0;
	text_add(&t, "%s", where->state ?: "");
	if (where->has_key && where->key.name)
		text_add(&t, "[\"%s\"]", where->key.name);
	else if (where->has_key)
		text_add(&t, "[%llu]", where->key.id);
	text_frames(&t, where->frame);
	text_path(&t, path);
	return t.len;
}

/**
 * kstate_is_secret() - whether an error is about something that is not to be seen
 * @where: the object and the arrays on the way
 * @path: the field in them, or NULL
 *
 * Return: true if the field, or one that it is in, is a secret of either kernel.
 */
bool kstate_is_secret(const struct kstate_where *where, const struct kstate_path *path)
{
	const struct kstate_frame *frame;

	if (path && path->secret)
		return true;
	for (frame = where->frame; frame; frame = frame->up)
		if (frame->path && frame->path->secret)
			return true;
	return false;
}

/* Whether an error tells of values: the others tell of descriptions, keys and calls */
static bool tells_values(enum kstate_reason reason)
{
	switch (reason) {
	case KSTATE_DAMAGED:
	case KSTATE_VALUE:
	case KSTATE_NO_ROOM:
	case KSTATE_EDGE:
	case KSTATE_CALLBACK:
	case KSTATE_CHANGED:
		return true;
	default:
		return false;
	}
}

/**
 * kstate_fail() - fill an error
 * @where: what it is about; its err may be NULL
 * @path: the field, or NULL
 * @reason: why
 * @code: negative error code
 * @fmt: what was expected, a newline, and what was found
 *
 * The first error wins: nothing that follows from it hides it.
 *
 * Return: @code.
 */
int kstate_fail(const struct kstate_where *where, const struct kstate_path *path,
		enum kstate_reason reason, int code, const char *fmt, ...)
{
	struct kstate_error *err = where->err;
	char both[sizeof(err->expected) + sizeof(err->found)];
	va_list args;
	char *found;

	if (!err || err->code)
		return code;

	va_start(args, fmt);
	vscnprintf(both, sizeof(both), fmt, args);
	va_end(args);
	found = strchr(both, '\n');
	if (found)
		*found++ = 0;

	err->code = code;
	err->reason = reason;
	strscpy(err->expected, both, sizeof(err->expected));
	if (tells_values(reason) && kstate_is_secret(where, path))
		found = KSTATE_SECRET_TEXT;
	strscpy(err->found, found ?: "", sizeof(err->found));
	strscpy(err->writer, where->writer ?: "", sizeof(err->writer));
	/* Most states are in one stream: only another one is worth a word */
	if (where->stream && strcmp(where->stream, KSTATE_STREAM))
		strscpy(err->stream, where->stream, sizeof(err->stream));
	else
		err->stream[0] = 0;

	kstate_where_text(where, path, err->path, sizeof(err->path));
	return code;
}

/**
 * kstate_no_memory() - fill an error: an allocation failed
 * @where: what it is about
 * @path: the field, or NULL
 *
 * Return: -ENOMEM.
 */
int kstate_no_memory(const struct kstate_where *where, const struct kstate_path *path)
{
	return kstate_fail(where, path, KSTATE_NO_MEMORY, -ENOMEM, "memory\nnone");
}

static const char *const reason_names[] = {
	[KSTATE_OK]		= "ok",
	[KSTATE_BAD_DESCRIPTION] = "bad-description",
	[KSTATE_BAD_CALL]	= "bad-call",
	[KSTATE_NO_RECORD]	= "no-record",
	[KSTATE_DUPLICATE]	= "duplicate",
	[KSTATE_CLAIMED]	= "claimed",
	[KSTATE_DAMAGED]	= "damaged",
	[KSTATE_FOREIGN]	= "foreign",
	[KSTATE_VERSION]	= "version",
	[KSTATE_BLOCKED]	= "blocked",
	[KSTATE_VALUE]		= "value",
	[KSTATE_NO_ROOM]	= "no-room",
	[KSTATE_NO_MEMORY]	= "no-memory",
	[KSTATE_EDGE]		= "edge",
	[KSTATE_CALLBACK]	= "callback",
	[KSTATE_CHANGED]	= "changed",
};

/**
 * kstate_reason_name() - name of a reason, for programs
 * @reason: the reason
 *
 * Return: a name that never changes.
 */
const char *kstate_reason_name(enum kstate_reason reason)
{
	return reason < ARRAY_SIZE(reason_names) ? reason_names[reason] : "unknown";
}
EXPORT_SYMBOL_GPL(kstate_reason_name);

/**
 * kstate_error_text() - an error as one line of text
 * @err: the error
 * @buf: where to
 * @size: of @buf
 *
 * Return: length of the text, without the NUL; 0 if there is no error.
 */
int kstate_error_text(const struct kstate_error *err, char *buf, size_t size)
{
	struct kstate_text t = { .buf = buf, .size = size };

	buf[0] = 0;
	if (!err->code)
		return 0;
	text_add(&t, "%s: %s (%d): expected %s, found %s", err->path,
		 kstate_reason_name(err->reason), err->code, err->expected, err->found);
	if (err->stream[0])
		text_add(&t, " (stream %s)", err->stream);
	if (err->writer[0])
		text_add(&t, " (written by %s)", err->writer);
	return t.len;
}
EXPORT_SYMBOL_GPL(kstate_error_text);

static void json_text(struct kstate_text *t, const char *s)
{
	text_add(t, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			text_add(t, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			text_add(t, "\\u%04x", (unsigned char)*s);
		else
			text_add(t, "%c", *s);
	}
	text_add(t, "\"");
}

static void json_string(struct kstate_text *t, const char *name, const char *s)
{
	text_add(t, ",\"%s\":", name);
	json_text(t, s);
}

/**
 * kstate_json_text() - a text as a JSON string
 * @s: the text
 * @buf: where to; six times the length of @s and 3 bytes are always enough
 * @size: of @buf
 *
 * Return: length of the string, without the NUL.
 */
int kstate_json_text(const char *s, char *buf, size_t size)
{
	struct kstate_text t = { .buf = buf, .size = size };

	json_text(&t, s);
	return t.len;
}

/**
 * kstate_error_json() - an error as a JSON object
 * @err: the error
 * @buf: where to; 2 KiB are enough for any error that is not all quotes
 * @size: of @buf
 *
 * Return: length of the text, without the NUL.
 */
int kstate_error_json(const struct kstate_error *err, char *buf, size_t size)
{
	struct kstate_text t = { .buf = buf, .size = size };

	text_add(&t, "{\"code\":%d", err->code);
	json_string(&t, "reason", kstate_reason_name(err->reason));
	json_string(&t, "path", err->path);
	json_string(&t, "expected", err->expected);
	json_string(&t, "found", err->found);
	json_string(&t, "writer", err->writer);
	if (err->stream[0])
		json_string(&t, "stream", err->stream);
	text_add(&t, "}");
	return t.len;
}
EXPORT_SYMBOL_GPL(kstate_error_json);

/**
 * kstate_error_log() - put an error into the kernel log
 * @err: the error
 * @doing: what failed: "save", "restore"
 */
void kstate_error_log(const struct kstate_error *err, const char *doing)
{
	char text[sizeof(*err) + 64];

	kstate_error_text(err, text, sizeof(text));
	pr_err_ratelimited("%s: %s\n", doing, text);
}
