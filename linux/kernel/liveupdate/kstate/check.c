// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records of one kernel against the catalogue of another: what would restoring
 * do there?
 */

/**
 * DOC: checking for another kernel
 *
 * The schema of each record is resolved against the description that the other
 * kernel has of the same state, once for all records with that schema. Where
 * that depends on values, the checking half of restoring goes through each
 * record, without an object: with the same code and so to the same end as in
 * the other kernel. What only that kernel's objects and functions know is taken
 * to be well: that a pointer has memory or KSTATE_ALLOC, that a KSTATE_EQUAL()
 * is met, that a list is empty, that a function succeeds.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "gate.h"

/* What becomes of the records with one schema */
struct outlook {
	bool known;
	bool string_key;
	enum kstate_verdict verdict;
	struct kstate_error err;
	struct kstate_resolution res;
};

static const struct kstate_state *find_state(const struct kstate_set *target, const char *name)
{
	const struct kstate_state *state;
	const struct kstate_schema *schema;
	const struct kstate_wire_state *ws;

	list_for_each_entry(state, &target->states, list) {
		schema = kstate_known(target, state->schema)->schema;
		ws = (const void *)state->bytes;
		if (schema && (le32_to_cpu(ws->flags) & KSTATE_STATE_USED) &&
		    !strcmp(schema->name, name))
			return state;
	}
	return NULL;
}

static int look_out(struct outlook *o, const struct kstate_schema *schema,
		    const struct kstate_set *target)
{
	const struct kstate_state *state = find_state(target, schema->name);
	struct kstate_where where = { .state = schema->name, .err = &o->err };
	int ret;

	if (!state) {
		bool optional = schema->flags & KSTATE_SCHEMA_OPTIONAL;

		o->verdict = optional ? KSTATE_LOSSY : KSTATE_REFUSED;
		kstate_fail(&where, NULL, KSTATE_BLOCKED, -EPROTO, "a state that %s knows\n%s",
			    target->writer, optional ? "none: it is kept aside" : "none");
		return 0;
	}
	o->known = true;
	o->string_key = le32_to_cpu(((const struct kstate_wire_state *)state->bytes)->flags) &
			KSTATE_STATE_STRING_KEY;
	ret = kstate_resolve(schema, kstate_known(target, state->schema)->schema, &o->res, &where,
			     NULL, NULL);
	o->verdict = ret ? KSTATE_REFUSED : o->res.verdict;
	return ret == -ENOMEM ? ret : 0;
}

static int check_values(const struct kstate_stream *stream, struct kstate_record *record,
			const struct kstate_schema *schema, const struct outlook *o,
			const struct kstate_where *where)
{
	u32 fixed_bytes = ALIGN(schema->size, 8);
	u8 *fixed = kstate_record_payload(record);
	struct kstate_walk w = {
		.where = *where,
		.stream = (struct kstate_stream *)stream,
		.remote = true,
	};

	w.tail.end = (u8 *)(record + 1) + le32_to_cpu(record->size);
	if (w.tail.end - fixed < fixed_bytes)
		return kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG, "at least %u bytes\n%td",
				   fixed_bytes, w.tail.end - fixed);
	w.tail.pos = fixed + fixed_bytes;
	return kstate_restore_check(&w, o->res.plan, fixed, NULL);
}

static noinline_for_stack enum kstate_verdict
check_record(const struct kstate_stream *stream, struct kstate_record *record,
	     const struct outlook *o, struct kstate_error *err)
{
	const struct kstate_schema *schema =
		kstate_known(stream->set, le32_to_cpu(record->schema))->schema;
	u32 len = le16_to_cpu(record->key_len);
	char name[KSTATE_MAX_NAME + 1];
	struct kstate_where where = { .err = err, .has_key = true };

	where.state = schema ? schema->name : "damaged schema";
	where.key.id = le64_to_cpu(record->key);
	if (len) {
		memcpy(name, record + 1, len);
		name[len] = 0;
		where.key.name = name;
	}
	if (!schema || !kstate_record_whole(record)) {
		kstate_fail(&where, NULL, KSTATE_DAMAGED, -EBADMSG, "bytes as they were written\n"
			    "others");
		return KSTATE_REFUSED;
	}
	/* Who asks with the other kind of key does not even find it */
	if (o->known && o->string_key != !!len) {
		kstate_fail(&where, NULL, KSTATE_BLOCKED, -EPROTO, "%s as the key\n%s",
			    o->string_key ? "a string" : "a number", len ? "a string" : "a number");
		return KSTATE_REFUSED;
	}
	if (o->err.code) {
		*err = o->err;
		return o->verdict;
	}
	if (o->res.by_value && check_values(stream, record, schema, o, &where))
		return KSTATE_REFUSED;
	return o->verdict;
}

static int check_stream(struct kstate_stream *stream, struct kstate_set *target,
			struct outlook *outlooks, kstate_finding_fn report, void *arg)
{
	struct kstate_error err = {};
	u32 i;
	int ret;

	guard(mutex)(&stream->lock);
	for (i = 0; i < stream->index.nr; i++) {
		const struct kstate_slot *slot = &stream->index.slots[i];
		struct kstate_record *record = slot->record;
		struct kstate_finding finding = { .stream = stream, .record = record };
		const struct kstate_schema *schema;
		struct outlook *o;
		u32 id;

		if (slot->state != KSTATE_SLOT_FREE)
			continue;
		id = le32_to_cpu(record->schema);
		schema = kstate_known(stream->set, id)->schema;
		o = &outlooks[id];
		if (schema && !o->known && !o->err.code) {
			ret = look_out(o, schema, target);
			if (ret)
				return ret;
		}
		if (err.code)
			err = (struct kstate_error){};
		finding.verdict = check_record(stream, record, o, &err);
		finding.err = err.code ? &err : NULL;
		ret = report(&finding, arg);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * kstate_check_set() - what another kernel would do with the records of a set
 * @set: the set; records that have been restored or dropped are left out
 * @target: catalogue of the other kernel
 * @report: called for each record; what it returns other than 0 ends the check
 * @arg: for @report
 *
 * Context: no stream is made or destroyed; takes kstate_stream.lock; allocates.
 * Return: 0, -ENOMEM, or what @report returned.
 */
int kstate_check_set(struct kstate_set *set, struct kstate_set *target,
		     kstate_finding_fn report, void *arg)
{
	u32 nr = set->nr_known, i;
	struct kstate_stream *stream;
	struct outlook *outlooks;
	int ret = 0;

	if (!nr)
		return 0;
	outlooks = kstate_zalloc(nr * sizeof(*outlooks));
	if (!outlooks)
		return -ENOMEM;
	list_for_each_entry(stream, &set->streams, list) {
		ret = check_stream(stream, target, outlooks, report, arg);
		if (ret)
			break;
	}
	for (i = 0; i < nr; i++)
		kstate_resolution_free(&outlooks[i].res);
	kstate_free(outlooks);
	return ret;
}
