// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records that were not restored: handed on to the kernel after this one, or freed.
 */

/**
 * DOC: handing on
 *
 * Records that were not restored are handed on at the next jump. Once kstate_finish() has
 * been called, what is in the stream of registered objects is freed instead; only
 * optional states that this kernel does not know are kept aside and handed on even
 * then. Other streams have owners, who restore from them when it is time, or destroy
 * them; kstate_finish_all() is for an operator who knows better.
 */

#define pr_fmt(fmt) "kstate: " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched/clock.h>
#include <linux/string.h>
#include <trace/events/kstate.h>
#include "store.h"

static int hand_on_take(struct kstate_edge *edge, u8 type, void *arg)
{
	struct kstate_set *from = arg;
	void *ptr;
	int ret;

	if (kstate_set_parked(from, edge, false))
		return 0;
	ret = kstate_set_take(from, edge, &ptr);

	if (!ret)
		kstate_set_park(from, edge, ptr);
	return ret;
}

struct hand_on {
	struct kstate_set *from;
	struct kstate_set *to;
	const struct kstate_where *where;
	int ret;
};

/* Once one fails, all that follow become empty, so that undoing ends there */
static int hand_on_edge(struct kstate_edge *edge, u8 type, void *arg)
{
	struct hand_on *p = arg;
	struct kstate_edge made = {};

	if (!p->ret)
		p->ret = kstate_set_preserve(p->to, p->where, NULL, edge->kind,
					     kstate_set_parked(p->from, edge, false),
					     le64_to_cpu(edge->size) >> PAGE_SHIFT, &made);
	*edge = made;
	return 0;
}

static void hand_on_without(const struct kstate_stream *stream, const struct kstate_slot *slot,
			    const char *why)
{
	char name[2 * KSTATE_MAX_NAME + 8];

	kstate_record_text(stream, slot->record, name, sizeof(name));
	pr_warn("hand on: stream %s: %s is left behind: it is %s\n", stream->name, name, why);
}

static noinline void hand_on_trace(const char *state, struct kstate_record *record, u64 start)
{
	u32 len = le16_to_cpu(record->key_len);
	char name[KSTATE_MAX_NAME + 1];
	struct kstate_key key = KSTATE_ID(le64_to_cpu(record->key));

	memcpy(name, record + 1, len);
	name[len] = 0;
	if (len)
		key = KSTATE_NAME(name);
	trace_kstate_hand_on(state, &key, le32_to_cpu(record->size), local_clock() - start);
}

static int hand_on_record(struct kstate_stream *from, struct kstate_slot *slot,
			  struct kstate_stream *to, struct kstate_error *err)
{
	struct kstate_record *old = slot->record, *record;
	struct kstate_known *known = kstate_known(from->set, le32_to_cpu(old->schema));
	u32 size = le32_to_cpu(old->size), id;
	struct kstate_where where = { .err = err };
	struct hand_on again = { .from = from->set, .to = to->set, .where = &where };
	struct kstate_slot *anew;
	u64 *max_key, start = trace_kstate_hand_on_enabled() ? local_clock() : 0;
	int ret;

	if (!known->schema || !kstate_record_whole(old)) {
		hand_on_without(from, slot, "damaged");
		return 0;
	}
	where.state = known->schema->name;
	ret = kstate_set_schema(to->set, known->schema, &id, err);
	if (ret)
		return ret;
	anew = kstate_stream_lookup(to, kstate_known(to->set, id)->name, le64_to_cpu(old->key),
				    (char *)(old + 1), le16_to_cpu(old->key_len));
	if (IS_ERR(anew))
		return kstate_no_memory(&where, NULL);
	if (anew) {
		hand_on_without(from, slot, "saved anew");
		return 0;
	}

	ret = kstate_record_edges(from, old, hand_on_take, from->set);
	if (ret && ret != -ENOMEM) {
		/* That will not change: it must not stand in the way of all jumps */
		hand_on_without(from, slot, "without its memory");
		return 0;
	}
	if (ret)
		return kstate_no_memory(&where, NULL);
	max_key = kstate_stream_max_key(to, kstate_known(to->set, id)->name);
	if (!max_key)
		return kstate_no_memory(&where, NULL);
	*max_key = U64_MAX;
	record = (void *)kstate_stream_begin(to, sizeof(*record) + size);
	if (!record)
		return kstate_no_memory(&where, NULL);
	memcpy(record, old, sizeof(*record) + size);
	record->schema = cpu_to_le32(id);
	kstate_record_edges(to, record, hand_on_edge, &again);
	ret = again.ret;
	if (!ret && !kstate_stream_commit(to, record))
		ret = kstate_no_memory(&where, NULL);
	if (ret) {
		kstate_record_release(to, record);
		kstate_stream_cancel(to, record, size);
		if (ret != -EEXIST)
			return ret;
		*err = (struct kstate_error){};
		hand_on_without(from, slot, "without memory of its own");
	} else if (start) {
		hand_on_trace(where.state, old, start);
	}
	return 0;
}

/* Would a record of a stream that is held be missing in the next kernel? */
static bool hand_on_loses(const struct kstate_stream *stream, const struct kstate_slot *slot)
{
	u32 schema = le32_to_cpu(slot->record->schema);

	return slot->state == KSTATE_SLOT_CLAIMED ||
	       (slot->state == KSTATE_SLOT_FREE &&
		(!kstate_known(stream->set, schema)->schema || !kstate_record_whole(slot->record)));
}

static int hand_on_stream(struct kstate_stream *stream, struct kstate_set *to,
			  struct kstate_error *err)
{
	struct kstate_where where = { .state = stream->name, .err = err };
	struct kstate_stream *target = kstate_stream_find(to, stream->name);
	int ret = 0;
	u32 i;

	guard(mutex)(&stream->lock);
	for (i = 0; i < stream->index.nr && !ret; i++) {
		struct kstate_slot *slot = &stream->index.slots[i];

		/* A device writes to memory that this jump would not preserve */
		if (stream->held && hand_on_loses(stream, slot))
			return kstate_fail(&where, NULL, KSTATE_BAD_CALL, -EBUSY,
					   "all that devices need\nsome that is %s",
					   slot->state == KSTATE_SLOT_CLAIMED ?
					   "restored: attach or stop them first" : "damaged");
		if (slot->state != KSTATE_SLOT_FREE)
			continue;
		if (!target) {
			target = kstate_stream_create(to, stream->name, err);
			if (IS_ERR(target))
				return PTR_ERR(target);
			/* The next kernel finds it by the number that this one was told */
			if (kstate_set_renumber_stream(to, target, stream->id))
				return kstate_no_memory(&where, NULL);
		}
		guard(mutex)(&target->lock);
		ret = hand_on_record(stream, slot, target, err);
	}
	return ret;
}

/**
 * kstate_set_hand_on() - save unclaimed records for the kernel after this one
 * @from: the incoming set, or NULL
 * @to: the outgoing set; its streams remember how much was theirs before
 * @err: what went wrong
 *
 * Context: allocates.
 * Return: 0, or a negative error code; kstate_abort() undoes what was done.
 */
int kstate_set_hand_on(struct kstate_set *from, struct kstate_set *to, struct kstate_error *err)
{
	struct kstate_stream *stream;
	int ret;

	if (!from)
		return 0;
	guard(rwsem_write)(&from->use);
	list_for_each_entry(stream, &from->streams, list) {
		ret = hand_on_stream(stream, to, err);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * kstate_stream_finish() - free unclaimed records, now and when a transaction is cancelled
 * @stream: an incoming stream
 *
 * Context: kstate_stream.lock is held.
 * Return: how many records were lost to this kernel.
 */
u32 kstate_stream_finish(struct kstate_stream *stream)
{
	char name[2 * KSTATE_MAX_NAME + 8];
	u32 lost = 0, kept = 0, i;

	stream->finished = true;
	for (i = 0; i < stream->index.nr; i++) {
		struct kstate_slot *slot = &stream->index.slots[i];
		struct kstate_schema *schema =
			kstate_known(stream->set, le32_to_cpu(slot->record->schema))->schema;

		if (slot->state != KSTATE_SLOT_FREE)
			continue;
		if (schema && !kstate_known_state(schema->name) &&
		    (le16_to_cpu(slot->record->flags) & KSTATE_RECORD_OPTIONAL)) {
			kept++;
			continue;
		}
		kstate_record_text(stream, slot->record, name, sizeof(name));
		pr_warn_ratelimited("finish: stream %s: nobody claimed %s: its %u bytes are freed\n",
				    stream->name, name, le32_to_cpu(slot->record->size));
		kstate_slot_drop(stream, slot);
		lost++;
	}
	/* Transactions still read from their records */
	if (!kept && !stream->in_transactions)
		kstate_stream_empty(stream);
	return lost;
}

/**
 * kstate_set_finish() - free unclaimed records
 * @set: the incoming set
 * @all: in all streams; otherwise in that of registered objects: what is in others
 *	waits for their owners, or is handed on
 *
 * Context: may sleep.
 * Return: how many records were lost to this kernel.
 */
u32 kstate_set_finish(struct kstate_set *set, bool all)
{
	struct kstate_stream *stream;
	u32 lost = 0;

	guard(rwsem_write)(&set->use);
	set->damage.code = 0;
	list_for_each_entry(stream, &set->streams, list) {
		if (!all && strcmp(stream->name, KSTATE_STREAM))
			continue;
		guard(mutex)(&stream->lock);
		if (stream->held) {
			pr_warn("finish: stream %s: a device writes to its memory: it stays\n",
				stream->name);
			continue;
		}
		lost += kstate_stream_finish(stream);
	}
	if (lost)
		pr_warn("finish: nobody claimed %u records: they are freed\n", lost);
	return lost;
}
