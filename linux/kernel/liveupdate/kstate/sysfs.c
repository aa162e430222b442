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
 *	What was refused last, if anything was.
 * ``damage``
 *	The first damage that was found in the incoming set, if there is any.
 * ``finish``
 *	Write 1 when all that is wanted has been restored: see kstate_finish().
 * ``incoming``, ``outgoing``
 *	The sets as files, for tools.
 */

#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/mutex.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include "internal.h"

static struct kobject *kstate_kobj;

/* Files of any size are made when they are read from their start */
static DEFINE_MUTEX(snapshot_lock);

struct snapshot {
	void *data;
	size_t size;
};

static ssize_t snapshot_read(struct snapshot *s, int (*make)(struct snapshot *s),
			     char *buf, loff_t off, size_t count)
{
	int ret;

	guard(mutex)(&snapshot_lock);
	if (!off) {
		kvfree(s->data);
		*s = (struct snapshot){};
		ret = make(s);
		if (ret)
			return ret;
	}
	return memory_read_from_buffer(buf, count, &off, s->data, s->size);
}

/* Text of unknown length: tried with ever larger buffers */
static int make_text(struct snapshot *s, void (*print)(struct seq_buf *out))
{
	struct seq_buf out;
	size_t size;
	char *data;

	for (size = PAGE_SIZE;; size *= 2) {
		data = kvmalloc(size, GFP_KERNEL);
		if (!data)
			return -ENOMEM;
		seq_buf_init(&out, data, size);
		print(&out);
		if (!seq_buf_has_overflowed(&out))
			break;
		kvfree(data);
	}
	s->data = data;
	s->size = seq_buf_used(&out);
	return 0;
}

static const char *direction(const struct kstate_set *set)
{
	return set->incoming ? "in" : "out";
}

static void print_stream(struct seq_buf *out, struct kstate_stream *stream)
{
	u32 free = 0, dropped = 0, i;

	guard(mutex)(&stream->lock);
	for (i = 0; i < stream->index.nr; i++) {
		free += stream->index.slots[i].state == KSTATE_SLOT_FREE;
		dropped += stream->index.slots[i].state == KSTATE_SLOT_DROPPED;
	}
	seq_buf_printf(out, "%s %s id=%llu records=%u %s=%u bytes=%llu ns=%llu\n",
		       direction(stream->set), stream->name, stream->id,
		       stream->index.nr - dropped,
		       stream->set->incoming ? "unclaimed" : "saved", free, stream->bytes,
		       stream->ns);
}

static void print_records(struct seq_buf *out, struct kstate_stream *stream)
{
	static const char *const states[][2] = {
		[KSTATE_SLOT_FREE]	= { "saved", "unclaimed" },
		[KSTATE_SLOT_CLAIMED]	= { "claimed", "claimed" },
		[KSTATE_SLOT_DROPPED]	= { "dropped", "freed" },
	};
	u32 i;

	guard(mutex)(&stream->lock);
	for (i = 0; i < stream->index.nr; i++) {
		const struct kstate_slot *slot = &stream->index.slots[i];
		const struct kstate_record *record = slot->record;
		char name[2 * KSTATE_MAX_NAME + 8];

		kstate_record_text(stream, record, name, sizeof(name));
		seq_buf_printf(out, "%s %s %s %s%s bytes=%zu ns=%u\n",
			       direction(stream->set), stream->name, name,
			       states[slot->state][stream->set->incoming],
			       le16_to_cpu(record->flags) & KSTATE_RECORD_OPTIONAL ?
			       " optional" : "",
			       sizeof(*record) + le32_to_cpu(record->size), slot->ns);
	}
}

static void print_sets(struct seq_buf *out,
		       void (*print)(struct seq_buf *out, struct kstate_stream *stream))
{
	struct kstate_set *sets[] = { kstate_incoming(), kstate_outgoing() };
	struct kstate_stream *stream;
	int i;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		if (!sets[i])
			continue;
		guard(rwsem_write)(&sets[i]->use);
		list_for_each_entry(stream, &sets[i]->streams, list)
			print(out, stream);
	}
}

static void print_all_streams(struct seq_buf *out)
{
	print_sets(out, print_stream);
}

static void print_all_records(struct seq_buf *out)
{
	print_sets(out, print_records);
}

static int make_streams(struct snapshot *s)
{
	return make_text(s, print_all_streams);
}

static int make_records(struct snapshot *s)
{
	return make_text(s, print_all_records);
}

static int make_set(struct snapshot *s, struct kstate_set *set)
{
	return set ? kstate_set_export(set, &s->data, &s->size) : 0;
}

static int make_incoming(struct snapshot *s)
{
	return make_set(s, kstate_incoming());
}

static int make_outgoing(struct snapshot *s)
{
	return make_set(s, kstate_outgoing());
}

#define SNAPSHOT_FILE(_name)							\
static struct snapshot _name##_snapshot;					\
static ssize_t _name##_read(struct file *file, struct kobject *kobj,		\
			    const struct bin_attribute *attr, char *buf,	\
			    loff_t off, size_t count)				\
{										\
	return snapshot_read(&_name##_snapshot, make_##_name, buf, off, count);	\
}										\
static const struct bin_attribute bin_attr_##_name = {				\
	.attr = { .name = #_name, .mode = 0400 }, .read = _name##_read,		\
}

SNAPSHOT_FILE(streams);
SNAPSHOT_FILE(records);
SNAPSHOT_FILE(incoming);
SNAPSHOT_FILE(outgoing);

static struct snapshot *const snapshots[] = {
	&streams_snapshot, &records_snapshot, &incoming_snapshot, &outgoing_snapshot,
};

static const struct bin_attribute *const bin_attrs[] = {
	&bin_attr_streams, &bin_attr_records, &bin_attr_incoming, &bin_attr_outgoing, NULL,
};

/* The error that was later: incoming and outgoing sets have one each */
static struct kstate_error last_error(void)
{
	struct kstate_set *in = kstate_incoming(), *out = kstate_outgoing();
	struct kstate_error err = {};

	if (in && (!out || in->last_error_time > out->last_error_time)) {
		guard(mutex)(&in->lock);
		return in->last_error;
	}
	if (out) {
		guard(mutex)(&out->lock);
		return out->last_error;
	}
	return err;
}

static ssize_t show_error(const struct kstate_error *err, char *buf)
{
	int len = kstate_error_text(err, buf, PAGE_SIZE - 1);

	if (len)
		buf[len++] = '\n';
	return len;
}

static ssize_t last_error_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct kstate_error err = last_error();

	return show_error(&err, buf);
}

static struct kobj_attribute last_error_attr = __ATTR(last_error, 0400, last_error_show, NULL);

static ssize_t json_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct kstate_error err = last_error();
	int len = err.code ? kstate_error_json(&err, buf, PAGE_SIZE - 1) : 0;

	if (len)
		buf[len++] = '\n';
	return len;
}

static struct kobj_attribute json_attr = __ATTR(last_error.json, 0400, json_show, NULL);

static ssize_t damage_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return kstate_incoming() ? show_error(&kstate_incoming()->damage, buf) : 0;
}

static struct kobj_attribute damage_attr = __ATTR(damage, 0400, damage_show, NULL);

static ssize_t finish_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t count)
{
	bool yes;
	int ret = kstrtobool(buf, &yes);

	if (!ret && yes)
		kstate_finish();
	return ret ?: count;
}

static struct kobj_attribute finish_attr = __ATTR(finish, 0200, NULL, finish_store);

static struct attribute *attrs[] = {
	&last_error_attr.attr, &json_attr.attr, &damage_attr.attr, &finish_attr.attr, NULL,
};

static const struct attribute_group group = { .attrs = attrs, .bin_attrs = bin_attrs };

/**
 * kstate_sysfs_init() - make /sys/kernel/kstate
 *
 * Return: 0, or a negative error code.
 */
int kstate_sysfs_init(void)
{
	int ret;

	kstate_kobj = kobject_create_and_add("kstate", kernel_kobj);
	if (!kstate_kobj)
		return -ENOMEM;
	ret = sysfs_create_group(kstate_kobj, &group);
	if (ret)
		kstate_sysfs_exit();
	return ret;
}

/**
 * kstate_sysfs_exit() - remove /sys/kernel/kstate
 */
void kstate_sysfs_exit(void)
{
	int i;

	/* Removes the group too, and waits for readers */
	kobject_put(kstate_kobj);
	kstate_kobj = NULL;
	for (i = 0; i < ARRAY_SIZE(snapshots); i++) {
		kvfree(snapshots[i]->data);
		*snapshots[i] = (struct snapshot){};
	}
}
