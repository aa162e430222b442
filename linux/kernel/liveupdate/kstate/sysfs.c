// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/kstate: what was handed over, what was claimed, what went wrong.
 */

/**
 * DOC: sysfs
 *
 * All files are for root only. Each of them has one reader at a time: who is
 * overtaken by another gets -EAGAIN, and begins anew.
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
 * ``catalog``
 *	What this kernel and its modules describe, as a file, for tools.
 * ``target``
 *	Write the catalogue of the kernel that is to be jumped to, as ``catalog``
 *	of that kernel or the kstate command has it. What is wrong with it is in
 *	``last_error``. Nothing, written at once, takes it back.
 * ``policy``
 *	Write lines ``must-come STATE`` and ``may-be-lost STATE``, all at once.
 * ``check``
 *	Reading it finds out what the target would do with everything as it is
 *	now: one line of JSON per object that it would not take as it is, and one
 *	at last with how many objects there are of each verdict, and how long it
 *	took.
 * ``armed``
 *	Write ``on`` to have a kexec refused as long as the target would refuse
 *	anything, ``force`` to have that said only, ``off`` to have nothing checked.
 * ``gate``
 *	How the gate stands, and what the last check found, at a jump or not.
 */

#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include "gate.h"

static struct kobject *kstate_kobj;

/* Files of any size are made when they are read from their start */
static DEFINE_MUTEX(snapshot_lock);

struct snapshot {
	const struct file *reader;
	char *data;
	size_t size;
	size_t room;
	int err;
};

static void snapshot_clear(struct snapshot *s)
{
	kvfree(s->data);
	*s = (struct snapshot){};
}

static ssize_t snapshot_read(struct snapshot *s, int (*make)(struct snapshot *s),
			     const struct file *file, char *buf, loff_t off, size_t count)
{
	int ret;

	guard(mutex)(&snapshot_lock);
	/* What one reads must not begin with one snapshot and end with another's */
	if (off && s->reader != file)
		return -EAGAIN;
	if (!off) {
		snapshot_clear(s);
		s->reader = file;
		ret = make(s) ?: s->err;
		if (ret) {
			snapshot_clear(s);
			return ret;
		}
	}
	return memory_read_from_buffer(buf, count, &off, s->data, s->size);
}

/* Add a line; without memory, reading fails in the end */
static __printf(2, 3) void say(struct snapshot *s, const char *fmt, ...)
{
	va_list args;
	size_t room;
	char *data;
	int len;

	for (;;) {
		va_start(args, fmt);
		len = vsnprintf(s->data ? s->data + s->size : NULL, s->room - s->size, fmt, args);
		va_end(args);
		if (s->size + len < s->room)
			break;
		room = max(2 * s->room, PAGE_SIZE);
		data = kvrealloc(s->data, room, GFP_KERNEL);
		if (!data) {
			s->err = -ENOMEM;
			return;
		}
		s->data = data;
		s->room = room;
	}
	s->size += len;
}

static const char *direction(const struct kstate_set *set)
{
	return set->incoming ? "in" : "out";
}

static void print_stream(struct snapshot *out, struct kstate_stream *stream)
{
	u32 free = 0, dropped = 0, i;

	guard(mutex)(&stream->lock);
	for (i = 0; i < stream->index.nr; i++) {
		free += stream->index.slots[i].state == KSTATE_SLOT_FREE;
		dropped += stream->index.slots[i].state == KSTATE_SLOT_DROPPED;
	}
	say(out, "%s %s id=%llu records=%u %s=%u bytes=%llu ns=%llu\n",
	    direction(stream->set), stream->name, stream->id, stream->index.nr - dropped,
	    stream->set->incoming ? "unclaimed" : "saved", free, stream->bytes, stream->ns);
}

static void print_records(struct snapshot *out, struct kstate_stream *stream)
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

		if (!record)
			continue;
		kstate_record_text(stream, record, name, sizeof(name));
		say(out, "%s %s %s %s%s bytes=%zu ns=%u\n",
		    direction(stream->set), stream->name, name,
		    states[slot->state][stream->set->incoming],
		    le16_to_cpu(record->flags) & KSTATE_RECORD_OPTIONAL ? " optional" : "",
		    sizeof(*record) + le32_to_cpu(record->size), slot->ns);
	}
}

static void print_sets(struct snapshot *out,
		       void (*print)(struct snapshot *out, struct kstate_stream *stream))
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

static int make_streams(struct snapshot *s)
{
	print_sets(s, print_stream);
	return 0;
}

static int make_records(struct snapshot *s)
{
	print_sets(s, print_records);
	return 0;
}

static int make_set(struct snapshot *s, struct kstate_set *set)
{
	void *blob;
	int ret;

	if (!set)
		return 0;
	ret = kstate_set_export(set, &blob, &s->size);
	if (!ret)
		s->data = blob;
	return ret;
}

static int make_incoming(struct snapshot *s)
{
	return make_set(s, kstate_incoming());
}

static int make_outgoing(struct snapshot *s)
{
	return make_set(s, kstate_outgoing());
}

static int make_catalog(struct snapshot *s)
{
	struct kstate_error err = {};
	struct kstate_set *catalog = kstate_catalog_create(&err);
	int ret;

	if (IS_ERR(catalog)) {
		kstate_error_log(&err, "catalog");
		return PTR_ERR(catalog);
	}
	ret = make_set(s, catalog);
	kstate_set_destroy(catalog);
	return ret;
}

static const char *const verdicts[] = {
	[KSTATE_EXACT]		= "exact",
	[KSTATE_CONVERTED]	= "converted",
	[KSTATE_DEFAULTED]	= "defaulted",
	[KSTATE_LOSSY]		= "lossy",
	[KSTATE_REFUSED]	= "blocked",
};

/* Names may hold anything: JSON takes up to six bytes for each of theirs */
static noinline_for_stack void say_name(struct snapshot *s, const char *what, const char *name)
{
	char json[6 * (2 * KSTATE_MAX_NAME + 8) + 3];

	kstate_json_text(name, json, sizeof(json));
	say(s, ",\"%s\":%s", what, json);
}

static noinline_for_stack void say_error(struct snapshot *s, const struct kstate_error *err)
{
	char json[2048];

	kstate_error_json(err, json, sizeof(json));
	say(s, ",\"error\":%s", json);
}

static int say_finding(const struct kstate_finding *finding, void *arg)
{
	char name[2 * KSTATE_MAX_NAME + 8];
	struct snapshot *s = arg;

	if (finding->verdict == KSTATE_EXACT)
		return 0;
	say(s, "{\"verdict\":\"%s\"", verdicts[finding->verdict]);
	say_name(s, "stream", finding->stream->name);
	if (finding->record) {
		kstate_record_text(finding->stream, finding->record, name, sizeof(name));
		say_name(s, "object", name);
	}
	if (finding->allowed)
		say(s, ",\"allowed\":true");
	if (finding->err)
		say_error(s, finding->err);
	say(s, "}\n");
	return s->err;
}

static void say_tally(struct snapshot *s, const struct kstate_tally *t)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(verdicts); i++)
		say(s, "\"%s\":%u,", verdicts[i], t->nr[i]);
	say(s, "\"allowed\":%u,\"ns\":%llu,\"save_ns\":%llu}\n", t->allowed, t->ns, t->save_ns);
}

static int make_check(struct snapshot *s)
{
	struct kstate_tally tally;
	int ret = kstate_gate_check(say_finding, s, &tally);

	if (!ret) {
		say(s, "{");
		say_tally(s, &tally);
	}
	return ret;
}

static const char *const armed_names[] = {
	[KSTATE_ARMED_OFF] = "off", [KSTATE_ARMED_ON] = "on", [KSTATE_ARMED_FORCE] = "force",
};

static int make_gate(struct snapshot *s)
{
	char release[sizeof_field(struct kstate_set, writer)];
	struct kstate_tally tally;
	enum kstate_armed armed = kstate_gate_status(release, sizeof(release), &tally);

	say(s, "{\"armed\":\"%s\"", armed_names[armed]);
	say_name(s, "target", release);
	say(s, ",");
	say_tally(s, &tally);
	return 0;
}

#define SNAPSHOT_FILE(_name)							\
static struct snapshot _name##_snapshot;					\
static ssize_t _name##_read(struct file *file, struct kobject *kobj,		\
			    const struct bin_attribute *attr, char *buf,	\
			    loff_t off, size_t count)				\
{										\
	return snapshot_read(&_name##_snapshot, make_##_name, file, buf, off,	\
			     count);						\
}										\
static const struct bin_attribute bin_attr_##_name = {				\
	.attr = { .name = #_name, .mode = 0400 }, .read = _name##_read,		\
}

SNAPSHOT_FILE(streams);
SNAPSHOT_FILE(records);
SNAPSHOT_FILE(incoming);
SNAPSHOT_FILE(outgoing);
SNAPSHOT_FILE(catalog);
SNAPSHOT_FILE(check);
SNAPSHOT_FILE(gate);

static struct snapshot *const snapshots[] = {
	&streams_snapshot, &records_snapshot, &incoming_snapshot, &outgoing_snapshot,
	&catalog_snapshot, &check_snapshot, &gate_snapshot,
};

/* What is written in parts: a catalogue says in its header how large it is */
#define TARGET_MAX	(64U << 20)

static struct snapshot written;

static int commit_target(const void *blob, size_t size)
{
	struct kstate_error err = {};
	int ret = kstate_gate_set_target(blob, size, &err);

	kstate_set_error(kstate_outgoing(), &err, "target");
	return ret;
}

static ssize_t target_write(struct file *file, struct kobject *kobj,
			    const struct bin_attribute *attr, char *buf, loff_t off, size_t count)
{
	const struct kstate_header *header = (void *)buf;
	int ret;

	guard(mutex)(&snapshot_lock);
	if (!off) {
		snapshot_clear(&written);
		if (count == 1 && *buf == '\n')
			return commit_target(NULL, 0) ?: count;
		/* What is too short to say its size is refused for what it is */
		if (count < sizeof(*header))
			return commit_target(buf, count) ?: count;
		written.room = le64_to_cpu(header->total_size);
		if (memcmp(header->magic, KSTATE_MAGIC, KSTATE_MAGIC_LEN))
			return commit_target(buf, count) ?: count;
		if (written.room > TARGET_MAX)
			return -EFBIG;
		written.data = kvzalloc(max(written.room, sizeof(*header)), GFP_KERNEL);
		if (!written.data)
			return -ENOMEM;
	}
	if (!written.data || off != written.size || count > written.room - written.size)
		return -EINVAL;
	memcpy(written.data + written.size, buf, count);
	written.size += count;
	if (written.size < written.room)
		return count;
	ret = commit_target(written.data, written.size);
	snapshot_clear(&written);
	return ret ?: count;
}

static const struct bin_attribute bin_attr_target = {
	.attr = { .name = "target", .mode = 0200 }, .write = target_write,
};

static const struct bin_attribute *const bin_attrs[] = {
	&bin_attr_streams, &bin_attr_records, &bin_attr_incoming, &bin_attr_outgoing,
	&bin_attr_catalog, &bin_attr_check, &bin_attr_gate, &bin_attr_target, NULL,
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

static ssize_t policy_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t count)
{
	struct kstate_error err = {};
	char *text = kstrdup(buf, GFP_KERNEL);
	int ret;

	if (!text)
		return -ENOMEM;
	ret = kstate_gate_set_policy(text, &err);
	kfree(text);
	kstate_set_error(kstate_outgoing(), &err, "policy");
	return ret ?: count;
}

static struct kobj_attribute policy_attr = __ATTR(policy, 0200, NULL, policy_store);

static ssize_t armed_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct kstate_tally tally;
	char release[2];

	return sysfs_emit(buf, "%s\n",
			  armed_names[kstate_gate_status(release, sizeof(release), &tally)]);
}

static ssize_t armed_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t count)
{
	int armed = sysfs_match_string(armed_names, buf);

	return armed < 0 ? armed : kstate_gate_arm(armed) ?: count;
}

static struct kobj_attribute armed_attr = __ATTR(armed, 0600, armed_show, armed_store);

static struct attribute *attrs[] = {
	&last_error_attr.attr, &json_attr.attr, &damage_attr.attr, &finish_attr.attr,
	&policy_attr.attr, &armed_attr.attr, NULL,
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
	for (i = 0; i < ARRAY_SIZE(snapshots); i++)
		snapshot_clear(snapshots[i]);
	snapshot_clear(&written);
}
