// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/kstate: what was handed over, what was claimed, what went wrong.
 */

/**
 * DOC: sysfs
 *
 * All files are for root only.
 *
 * ``streams``
 *	One line per stream of the incoming and the outgoing set: records,
 *	records not yet claimed, bytes, nanoseconds spent on saving or restoring.
 * ``records``
 *	One line per record: state and key, whether it is claimed, bytes,
 *	nanoseconds.
 * ``last_error``, ``last_error.json``
 *	What was refused last, if anything was, by which call, and when: in seconds
 *	as the kernel log has them, and in JSON also as the time of day. The error
 *	of a jump is over when the gate is armed anew, or when a jump succeeds; that
 *	of an object when it is restored.
 * ``damage``
 *	The first damage that was found in the incoming set, if there is any; or why all
 *	of it cannot be read.
 * ``finish``
 *	Write 1 when all objects that are wanted have been restored: see
 *	kstate_finish(). Write "all" to free what is in streams of others, too.
 * ``incoming``, ``outgoing``
 *	The sets as files, for tools.
 * ``live``
 *	The registered objects as they would be saved now, as a file, for tools. Reading
 *	it saves them to where nothing is carried over; their functions are called.
 * ``objects``
 *	The same, but only one line of JSON per object: its name, and the bytes of its
 *	record and the nanoseconds it took, or the error that keeps it from being saved.
 * ``catalog``
 *	What this kernel and its modules describe, as a file, for tools.
 * ``target``
 *	Write the catalogue of the kernel that is to be jumped to, as ``catalog``
 *	of that kernel or the kstate command has it. What is wrong with it is in
 *	``gate``. An empty line, written at once, takes it back.
 * ``image``
 *	After ``target``, write the CRC-32C of the image that it was read from: an
 *	armed gate then takes that file only. Otherwise the release decides.
 * ``policy``
 *	Write lines ``must-come STATE`` and ``may-be-lost STATE``, all at once. A
 *	state that neither this kernel nor the target has is refused, unless
 *	``force`` comes before it. What is wrong with it is in ``gate``.
 * ``check``
 *	Reading it finds out what the target would do with everything as it is
 *	now: one line of JSON per object that it would not take as it is, with the
 *	first ``error`` and all ``errors`` if there are more, and one at last with
 *	how many objects there are of each verdict, and how long it took.
 * ``armed``
 *	Write ``on`` to have a kexec refused as long as the target would refuse
 *	anything, ``force`` to have that said only, ``off`` to have nothing checked.
 * ``gate``
 *	How the gate stands, what the last check found, at a jump or not, and what
 *	was wrong with the last target or policy.
 */

#include <linux/kernel.h>
#include <linux/kernfs.h>
#include <linux/kstrtox.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_helpers.h>
#include <linux/timekeeping.h>
#include "gate.h"

/* Streams and records */

static const char *direction(const struct kstate_set *set)
{
	return set->incoming ? "in" : "out";
}

/* In one word, because userspace names sessions of live update as it likes */
static void show_name(struct seq_file *m, const struct kstate_stream *stream)
{
	seq_printf(m, "%s ", direction(stream->set));
	seq_escape_str(m, stream->name, ESCAPE_OCTAL | ESCAPE_NAP | ESCAPE_APPEND, " \\");
}

static void kstate_show_stream(struct seq_file *m, struct kstate_stream *stream)
{
	u32 free = 0, dropped = 0, i;

	guard(mutex)(&stream->lock);
	for (i = 0; i < stream->index.nr; i++) {
		free += stream->index.slots[i].state == KSTATE_SLOT_FREE;
		dropped += stream->index.slots[i].state == KSTATE_SLOT_DROPPED;
	}
	show_name(m, stream);
	seq_printf(m, " id=%llu records=%u %s=%u bytes=%llu ns=%llu\n",
		   stream->id, stream->index.nr - dropped,
		   stream->set->incoming ? "unclaimed" : "saved", free, stream->bytes, stream->ns);
}

static void kstate_show_stream_records(struct seq_file *m, struct kstate_stream *stream)
{
	static const char *const states[][2] = {
		[KSTATE_SLOT_FREE]	= { "saved", "unclaimed" },
		[KSTATE_SLOT_CLAIMED]	= { "claimed", "claimed" },
		[KSTATE_SLOT_DROPPED]	= { "dropped", "freed" },
	};
	u32 i;

	guard(mutex)(&stream->lock);
	for (i = 0; i < stream->index.nr && !seq_has_overflowed(m); i++) {
		const struct kstate_slot *slot = &stream->index.slots[i];
		const struct kstate_record *record = slot->record;
		char name[2 * KSTATE_MAX_NAME + 8];

		/* The slot of one that was dropped is for the next one */
		if (!record)
			continue;
		kstate_record_text(stream, record, name, sizeof(name));
		show_name(m, stream);
		seq_printf(m, " %s %s%s bytes=%u ns=%u\n", name,
			   states[slot->state][stream->set->incoming],
			   le16_to_cpu(record->flags) & KSTATE_RECORD_OPTIONAL ? " optional" : "",
			   kstate_record_bytes(record), slot->ns);
	}
}

static int kstate_show_sets(struct seq_file *m,
			    void (*show)(struct seq_file *m, struct kstate_stream *stream))
{
	struct kstate_set *sets[] = { kstate_incoming(), kstate_outgoing() };
	struct kstate_stream *stream;
	int i;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		if (!sets[i])
			continue;
		guard(rwsem_write)(&sets[i]->use);
		list_for_each_entry(stream, &sets[i]->streams, list)
			show(m, stream);
	}
	return 0;
}

static int kstate_show_streams(struct seq_file *m, void *v)
{
	return kstate_show_sets(m, kstate_show_stream);
}

static int kstate_show_records(struct seq_file *m, void *v)
{
	return kstate_show_sets(m, kstate_show_stream_records);
}

/* Sets as bytes, to be read, or a catalogue on its way in */

struct bytes {
	void *data;
	size_t size;
	size_t room;
};

static int kstate_bytes_open(struct kernfs_open_file *of)
{
	of->priv = kzalloc_obj(struct bytes);
	return of->priv ? 0 : -ENOMEM;
}

static void kstate_bytes_release(struct kernfs_open_file *of)
{
	struct bytes *bytes = of->priv;

	kvfree(bytes->data);
	kfree(bytes);
}

static ssize_t kstate_bytes_read(struct kernfs_open_file *of, char *buf, size_t size, loff_t off)
{
	const struct bytes *bytes = of->priv;

	return memory_read_from_buffer(buf, size, &off, bytes->data, bytes->size);
}

static int kstate_open_set(struct kernfs_open_file *of, struct kstate_set *set)
{
	struct bytes *bytes;
	int ret = kstate_bytes_open(of);

	if (ret || !set)
		return ret;
	bytes = of->priv;
	ret = kstate_set_export(set, &bytes->data, &bytes->size);
	if (ret)
		kfree(bytes);
	return ret;
}

static int kstate_open_in(struct kernfs_open_file *of)
{
	return kstate_open_set(of, kstate_incoming());
}

static int kstate_open_out(struct kernfs_open_file *of)
{
	return kstate_open_set(of, kstate_outgoing());
}

static int kstate_open_live(struct kernfs_open_file *of)
{
	struct bytes *bytes;
	int ret = kstate_bytes_open(of);

	if (ret)
		return ret;
	bytes = of->priv;
	ret = kstate_live_export(&bytes->data, &bytes->size);
	if (ret)
		kfree(bytes);
	return ret;
}

static int kstate_open_catalog(struct kernfs_open_file *of)
{
	struct kstate_error err = {};
	struct kstate_set *catalog = kstate_catalog_create(&err);
	int ret;

	if (IS_ERR(catalog)) {
		kstate_error_log(&err, "catalog");
		return PTR_ERR(catalog);
	}
	ret = kstate_open_set(of, catalog);
	kstate_set_destroy(catalog);
	return ret;
}

/* A target is written in parts: its header says how large it is */
#define TARGET_MAX	(64U << 20)

static int kstate_commit_target(const void *blob, size_t size)
{
	struct kstate_error err = {};

	return kstate_gate_set_target(blob, size, &err);
}

static int kstate_begin_target(struct bytes *bytes, const struct kstate_header *header)
{
	kvfree(bytes->data);
	bytes->size = 0;
	bytes->room = le64_to_cpu(header->total_size);
	if (bytes->room > TARGET_MAX)
		return -EFBIG;
	bytes->data = kvzalloc(max(bytes->room, sizeof(*header)), GFP_KERNEL);
	return bytes->data ? 0 : -ENOMEM;
}

static ssize_t kstate_write_target(struct kernfs_open_file *of, char *buf, size_t size, loff_t off)
{
	const struct kstate_header *header = (void *)buf;
	struct bytes *bytes = of->priv;
	int ret;

	if (!off && size == 1 && *buf == '\n')
		return kstate_commit_target(NULL, 0) ?: size;
	/* Without a header, what follows has no known size: it is refused as it is */
	if (!off && (size < sizeof(*header) ||
		     memcmp(header->magic, KSTATE_MAGIC, KSTATE_MAGIC_LEN)))
		return kstate_commit_target(buf, size) ?: size;
	ret = off ? 0 : kstate_begin_target(bytes, header);
	if (ret)
		return ret;
	if (!bytes->data || off != bytes->size || size > bytes->room - bytes->size)
		return -EINVAL;
	memcpy(bytes->data + bytes->size, buf, size);
	bytes->size += size;
	if (bytes->size == bytes->room)
		ret = kstate_commit_target(bytes->data, bytes->size);
	return ret ?: size;
}

/* JSON, written where the file has room; without room, seq_file begins anew with more */

static void kstate_show_text(struct seq_file *m, const char *name, const char *text)
{
	size_t room;
	char *buf;

	seq_printf(m, "\"%s\":", name);
	room = seq_get_buf(m, &buf);
	/* Each byte may need six, beside the quotes and the NUL */
	seq_commit(m, room < 6 * strlen(text) + 3 ? -1 : kstate_json_text(text, buf, room));
}

/* By kstate_error_json() or kstate_error_text() */
static void kstate_show_error(struct seq_file *m, const struct kstate_error *err,
			      int (*text)(const struct kstate_error *err, char *buf, size_t size))
{
	size_t room;
	char *buf;

	room = seq_get_buf(m, &buf);
	seq_commit(m, room < 6 * sizeof(*err) ? -1 : text(err, buf, room));
}

static int kstate_show_object(const struct kstate_description *desc, struct kstate_key key,
			      const struct kstate_slot *slot, const struct kstate_error *err,
			      void *arg)
{
	struct kstate_where where = { .state = desc->name, .key = key, .has_key = true };
	char name[2 * KSTATE_MAX_NAME + 8];
	struct seq_file *m = arg;

	kstate_where_text(&where, NULL, name, sizeof(name));
	seq_putc(m, '{');
	kstate_show_text(m, "object", name);
	if (slot) {
		seq_printf(m, ",\"bytes\":%u,\"ns\":%u}\n", kstate_record_bytes(slot->record),
			   slot->ns);
	} else {
		seq_puts(m, ",\"error\":");
		kstate_show_error(m, err, kstate_error_json);
		seq_puts(m, "}\n");
	}
	/* No need to look at the others before there is room */
	return seq_has_overflowed(m) ? -ENOBUFS : 0;
}

static int kstate_show_objects(struct seq_file *m, void *v)
{
	int ret = kstate_live_walk(kstate_show_object, m);

	return ret == -ENOBUFS ? 0 : ret;
}

static const char *const verdicts[] = {
	[KSTATE_EXACT]		= "exact",
	[KSTATE_CONVERTED]	= "converted",
	[KSTATE_DEFAULTED]	= "defaulted",
	[KSTATE_LOSSY]		= "lossy",
	[KSTATE_REFUSED]	= "blocked",
};

static int kstate_show_finding(const struct kstate_finding *finding, void *arg)
{
	char name[2 * KSTATE_MAX_NAME + 8];
	struct seq_file *m = arg;
	u32 i;

	if (finding->verdict == KSTATE_EXACT)
		return 0;
	seq_printf(m, "{\"verdict\":\"%s\",", verdicts[finding->verdict]);
	kstate_show_text(m, "stream", finding->stream->name);
	if (finding->record) {
		kstate_record_text(finding->stream, finding->record, name, sizeof(name));
		seq_putc(m, ',');
		kstate_show_text(m, "object", name);
	}
	if (finding->allowed)
		seq_puts(m, ",\"allowed\":true");
	if (finding->nr_err) {
		seq_puts(m, ",\"error\":");
		kstate_show_error(m, finding->err, kstate_error_json);
	}
	for (i = 0; finding->nr_err > 1 && i < finding->nr_err; i++) {
		seq_puts(m, i ? "," : ",\"errors\":[");
		kstate_show_error(m, &finding->err[i], kstate_error_json);
	}
	seq_puts(m, finding->nr_err > 1 ? "]}\n" : "}\n");
	/* No need to look at the others before there is room */
	return seq_has_overflowed(m) ? -ENOBUFS : 0;
}

static void kstate_show_tally(struct seq_file *m, const struct kstate_tally *t)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(verdicts); i++)
		seq_printf(m, "\"%s\":%u,", verdicts[i], t->nr[i]);
	seq_printf(m, "\"allowed\":%u,\"ns\":%llu,\"save_ns\":%llu", t->allowed, t->ns,
		   t->save_ns);
}

static int kstate_show_check(struct seq_file *m, void *v)
{
	struct kstate_tally tally;
	int ret = kstate_gate_check(kstate_show_finding, m, &tally);

	if (!ret) {
		seq_putc(m, '{');
		kstate_show_tally(m, &tally);
		seq_puts(m, "}\n");
	}
	return ret == -ENOBUFS ? 0 : ret;
}

static const char *const armed_names[] = {
	[KSTATE_ARMED_OFF] = "off", [KSTATE_ARMED_ON] = "on", [KSTATE_ARMED_FORCE] = "force",
};

static int kstate_show_gate(struct seq_file *m, void *v)
{
	struct kstate_gate_status status;

	kstate_gate_get_status(&status);
	seq_printf(m, "{\"armed\":\"%s\",", armed_names[status.armed]);
	kstate_show_text(m, "target", status.target);
	seq_putc(m, ',');
	kstate_show_tally(m, &status.tally);
	if (status.err.code) {
		seq_puts(m, ",\"error\":");
		kstate_show_error(m, &status.err, kstate_error_json);
	}
	seq_puts(m, "}\n");
	return 0;
}

static ssize_t kstate_write_armed(struct kernfs_open_file *of, char *buf, size_t size, loff_t off)
{
	int armed = sysfs_match_string(armed_names, buf);

	return armed < 0 ? armed : kstate_gate_arm(armed) ?: size;
}

static ssize_t kstate_write_image(struct kernfs_open_file *of, char *buf, size_t size, loff_t off)
{
	u32 crc;
	int ret = kstrtou32(buf, 0, &crc);

	return ret ?: kstate_gate_set_image(crc) ?: size;
}

static ssize_t kstate_write_policy(struct kernfs_open_file *of, char *buf, size_t size, loff_t off)
{
	struct kstate_error err = {};

	return kstate_gate_set_policy(buf, &err) ?: size;
}

static ssize_t kstate_write_finish(struct kernfs_open_file *of, char *buf, size_t size, loff_t off)
{
	bool yes;
	int ret;

	if (sysfs_streq(buf, "all")) {
		kstate_finish_all();
		return size;
	}
	ret = kstrtobool(buf, &yes);
	if (!ret && yes)
		kstate_finish();
	return ret ?: size;
}

/* Errors */

/* The set whose error was later: incoming and outgoing sets have one each */
static struct kstate_set *last_failed(void)
{
	struct kstate_set *in = kstate_incoming(), *out = kstate_outgoing();

	if (!in || !out)
		return in ?: out;
	return out->last_error.code && (!in->last_error.code ||
					out->last_error_time > in->last_error_time) ? out : in;
}

static int kstate_show_last_error(struct seq_file *m, void *v)
{
	struct kstate_set *set = last_failed();
	u32 ns;

	if (!set)
		return 0;
	guard(mutex)(&set->lock);
	if (!set->last_error.code)
		return 0;
	seq_printf(m, "[%5llu.", div_u64_rem(set->last_error_time, NSEC_PER_SEC, &ns));
	seq_printf(m, "%06lu] %s: ", ns / NSEC_PER_USEC, set->last_error_doing);
	kstate_show_error(m, &set->last_error, kstate_error_text);
	seq_putc(m, '\n');
	return 0;
}

static int kstate_show_last_error_json(struct seq_file *m, void *v)
{
	struct kstate_set *set = last_failed();

	if (!set)
		return 0;
	guard(mutex)(&set->lock);
	if (!set->last_error.code)
		return 0;
	kstate_show_error(m, &set->last_error, kstate_error_json);
	/* Go on inside of its braces */
	if (!seq_has_overflowed(m))
		m->count--;
	seq_printf(m, ",\"doing\":\"%s\",\"log_ns\":%llu,\"time\":%llu}\n", set->last_error_doing,
		   set->last_error_time, ktime_get_real_seconds() -
		   div_u64(local_clock() - set->last_error_time, NSEC_PER_SEC));
	return 0;
}

static int kstate_show_damage(struct seq_file *m, void *v)
{
	const struct kstate_error *err = kstate_incoming() ? &kstate_incoming()->damage :
							    kstate_incoming_error();

	if (!err->code)
		return 0;
	kstate_show_error(m, err, kstate_error_text);
	seq_putc(m, '\n');
	return 0;
}

/* The files */

#define SET_OPS(_open) \
	{ .open = _open, .release = kstate_bytes_release, .read = kstate_bytes_read }

#define TARGET_OPS \
	{ .open = kstate_bytes_open, .release = kstate_bytes_release, .write = kstate_write_target }

#define FILE(_name, _mode, ...) \
	{ .name = _name, .mode = _mode, .ops = &(const struct kernfs_ops)__VA_ARGS__ }

const struct kstate_file kstate_files[] = {
	FILE("streams", 0400, { .seq_show = kstate_show_streams }),
	FILE("records", 0400, { .seq_show = kstate_show_records }),
	FILE("incoming", 0400, SET_OPS(kstate_open_in)),
	FILE("outgoing", 0400, SET_OPS(kstate_open_out)),
	FILE("live", 0400, SET_OPS(kstate_open_live)),
	FILE("objects", 0400, { .seq_show = kstate_show_objects }),
	FILE("catalog", 0400, SET_OPS(kstate_open_catalog)),
	FILE("last_error", 0400, { .seq_show = kstate_show_last_error }),
	FILE("last_error.json", 0400, { .seq_show = kstate_show_last_error_json }),
	FILE("damage", 0400, { .seq_show = kstate_show_damage }),
	FILE("finish", 0200, { .write = kstate_write_finish }),
	FILE("target", 0200, TARGET_OPS),
	FILE("image", 0200, { .write = kstate_write_image }),
	FILE("policy", 0200, { .write = kstate_write_policy, .atomic_write_len = 1 << 16 }),
	FILE("check", 0400, { .seq_show = kstate_show_check }),
	FILE("gate", 0400, { .seq_show = kstate_show_gate }),
	FILE("armed", 0200, { .write = kstate_write_armed }),
	{}
};
