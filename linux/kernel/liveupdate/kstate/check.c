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
 *
 * Several images of the other kernel may describe one state, such as a driver and
 * its successor: what fits best counts.
 */

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "gate.h"

/* The errors of one record: all fields that are blocked */
struct errors {
	struct kstate_error *list;
	u32 nr;
	u32 room;
	struct kstate_error next;	/* not in the list yet */
};

/* How one description of the other kernel takes the records with one schema */
struct view {
	u8 key;			/* KEY_NUMBER, KEY_STRING, or both */
	enum kstate_verdict verdict;
	struct errors errs;
	struct kstate_resolution res;
};

#define KEY_NUMBER	1
#define KEY_STRING	2

/* What becomes of the records with one schema */
struct views {
	struct view *list;	/* at least one, once they are known */
	u32 nr;
};

/**
 * kstate_check_find() - find a description that takes records
 * @catalog: a catalogue
 * @name: of the state
 * @after: the one that was found before, or NULL
 *
 * Return: the first, or the next one, or NULL.
 */
const struct kstate_state *kstate_check_find(const struct kstate_set *catalog, const char *name,
					     const struct kstate_state *after)
{
	const struct kstate_state *state = after ?: list_entry(&catalog->states,
							       struct kstate_state, list);

	list_for_each_entry_continue(state, &catalog->states, list) {
		const struct kstate_schema *schema = kstate_known(catalog, state->schema)->schema;
		const struct kstate_wire_state *ws = (const void *)state->bytes;

		if (schema && (le32_to_cpu(ws->flags) & KSTATE_STATE_USED) &&
		    !strcmp(schema->name, name))
			return state;
	}
	return NULL;
}

/* kstate_fail() has filled the next error: keep it, and be ready for one more */
static int check_keep_error(struct errors *errs)
{
	u32 room = errs->room ? 2 * errs->room : 1;
	struct kstate_error *more;

	if (errs->nr == errs->room) {
		more = kvrealloc(errs->list, room * sizeof(*more), GFP_KERNEL);
		if (!more)
			return -ENOMEM;
		errs->list = more;
		errs->room = room;
	}
	errs->list[errs->nr++] = errs->next;
	errs->next.code = 0;
	return 0;
}

/* Called after each difference; without memory, the last error is left alone */
static void check_collect_blocked(const struct kstate_difference *diff, void *arg)
{
	struct errors *errs = arg;

	if (errs->next.code)
		check_keep_error(errs);
}

static int check_open_view(struct view *v, const struct kstate_schema *schema,
			   const struct kstate_set *target, const struct kstate_state *state)
{
	const struct kstate_wire_state *ws = (const void *)state->bytes;
	struct kstate_where where = { .state = schema->name, .err = &v->errs.next };
	int ret;

	v->key = le32_to_cpu(ws->flags) & KSTATE_STATE_STRING_KEY ? KEY_STRING : KEY_NUMBER;
	ret = kstate_resolve(schema, kstate_known(target, state->schema)->schema, &v->res, &where,
			     check_collect_blocked, &v->errs);
	v->verdict = ret ? KSTATE_REFUSED : v->res.verdict;
	return ret == -ENOMEM || v->errs.next.code ? -ENOMEM : 0;
}

/* A view that takes nothing, for a state that the other kernel does not know */
static int check_open_no_view(struct view *v, const struct kstate_schema *schema,
			      const struct kstate_set *target)
{
	struct kstate_where where = { .state = schema->name, .err = &v->errs.next };
	bool optional = schema->flags & KSTATE_SCHEMA_OPTIONAL;

	v->key = KEY_NUMBER | KEY_STRING;
	v->verdict = optional ? KSTATE_LOSSY : KSTATE_REFUSED;
	kstate_fail(&where, NULL, KSTATE_BLOCKED, -EPROTO, "a state that %s knows\n%s",
		    target->writer, optional ? "none: it is kept aside" : "none");
	return check_keep_error(&v->errs);
}

static int check_open_views(struct views *vs, const struct kstate_schema *schema,
			    const struct kstate_set *target)
{
	const struct kstate_state *state = NULL;
	int ret = 0;
	u32 nr = 0;

	while ((state = kstate_check_find(target, schema->name, state)))
		nr++;
	vs->nr = max(nr, 1U);
	vs->list = kvzalloc_objs(*vs->list, vs->nr);
	if (!vs->list)
		return -ENOMEM;
	if (!nr)
		return check_open_no_view(vs->list, schema, target);
	for (nr = 0; !ret && (state = kstate_check_find(target, schema->name, state)); nr++)
		ret = check_open_view(&vs->list[nr], schema, target, state);
	return ret;
}

static void check_free_views(struct views *vs)
{
	u32 i;

	for (i = 0; vs->list && i < vs->nr; i++) {
		kstate_resolution_free(&vs->list[i].res);
		kvfree(vs->list[i].errs.list);
	}
	kvfree(vs->list);
}

/* Where a check has got to, and the error of the record at hand */
struct check {
	struct kstate_set *target;
	u32 nr;			/* of @by_schema */
	struct views *by_schema;
	kstate_finding_fn report;
	void *arg;
	struct kstate_error err;
	struct kstate_error scratch;
	struct errors values[2];	/* of the best view so far, and of another one */
};

/* Without memory, the error that could not be kept is left alone */
static void check_collect_value(const struct kstate_error *err, void *arg)
{
	struct errors *errs = arg;

	if (errs->next.code)
		return;
	errs->next = *err;
	check_keep_error(errs);
}

/* All values of a record that the other kernel refuses; 0 or -ENOMEM */
static int check_values(struct errors *values, const struct view *v,
			struct kstate_record *record, const struct kstate_schema *schema,
			const struct kstate_where *where, struct kstate_finding *f)
{
	u32 fixed_bytes = ALIGN(schema->size, 8);
	u8 *fixed = kstate_record_payload(record);
	struct kstate_restore_ctx w = {
		.where = *where,
		.stream = (struct kstate_stream *)f->stream,
		.remote = true,
		.refused = check_collect_value,
		.arg = values,
	};
	int ret;

	values->nr = 0;
	values->next.code = 0;
	w.tail.end = (u8 *)(record + 1) + le32_to_cpu(record->size);
	if (w.tail.end - fixed < fixed_bytes) {
		kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG, "at least %u bytes\n%td",
			    fixed_bytes, w.tail.end - fixed);
		return 0;
	}
	w.tail.pos = fixed + fixed_bytes;
	ret = kstate_restore_check(&w, v->res.plan, fixed, NULL);
	f->verdict = max(f->verdict, w.verdict);
	if (w.nr_refused) {
		/* The error that ended the check is one more of them */
		if (ret)
			check_collect_value(where->err, values);
		where->err->code = 0;
		f->verdict = KSTATE_REFUSED;
		f->err = values->list;
		f->nr_err = values->nr;
	}
	kstate_restore_undo(&w);
	return values->next.code ? -ENOMEM : 0;
}

static int check_view(struct check *c, const struct view *v, struct kstate_record *record,
		      const struct kstate_schema *schema, struct kstate_where *where,
		      struct kstate_finding *best)
{
	struct kstate_finding f = *best;
	int ret = 0;

	/* The first error stays, unless a view after it fits better */
	where->err = best->nr_err ? &c->scratch : &c->err;
	where->err->code = 0;
	f.verdict = v->verdict;
	f.err = v->errs.list;
	f.nr_err = v->errs.nr;
	/* Restoring does not find a record that has the other kind of key */
	if (!(v->key & (record->key_len ? KEY_STRING : KEY_NUMBER)))
		kstate_fail(where, NULL, KSTATE_BLOCKED, -EPROTO, "a %s as the key\na %s",
			    record->key_len ? "number" : "string",
			    record->key_len ? "string" : "number");
	else if (!f.nr_err && v->res.by_value)
		ret = check_values(&c->values[best->nr_err && best->err == c->values[0].list], v,
				   record, schema, where, &f);
	if (where->err->code) {
		f.verdict = KSTATE_REFUSED;
		f.err = where->err;
		f.nr_err = 1;
	}
	if (f.verdict < best->verdict)
		*best = f;
	return ret;
}

static int check_record(struct check *c, struct kstate_record *record, const struct views *vs,
			const struct kstate_schema *schema, struct kstate_finding *f)
{
	u32 len = le16_to_cpu(record->key_len), i;
	char name[KSTATE_MAX_NAME + 1];
	struct kstate_where where = {
		.state = schema ? schema->name : "damaged schema",
		.key = { .id = le64_to_cpu(record->key), .name = len ? name : NULL },
		.has_key = true, .err = &c->err,
	};
	int ret = 0;

	memcpy(name, record + 1, len);
	name[len] = 0;
	if (schema && kstate_record_whole(record)) {
		f->verdict = KSTATE_REFUSED + 1;
		for (i = 0; !ret && i < vs->nr; i++)
			ret = check_view(c, &vs->list[i], record, schema, &where, f);
		return ret;
	}
	c->err.code = 0;
	kstate_fail(&where, NULL, KSTATE_DAMAGED, -EBADMSG, "bytes as they were written\nothers");
	f->verdict = KSTATE_REFUSED;
	f->err = &c->err;
	f->nr_err = 1;
	return 0;
}

static int check_stream(struct check *c, struct kstate_stream *stream)
{
	u32 i;
	int ret;

	guard(mutex)(&stream->lock);
	for (i = 0; i < stream->index.nr; i++) {
		const struct kstate_slot *slot = &stream->index.slots[i];
		struct kstate_finding finding = { .stream = stream, .record = slot->record };
		const struct kstate_schema *schema;
		struct views *vs;
		u32 id;

		if (slot->state != KSTATE_SLOT_FREE)
			continue;
		id = le32_to_cpu(slot->record->schema);
		/* The first of its kind, saved since the check began: for the next one */
		if (id >= c->nr)
			continue;
		schema = kstate_known(stream->set, id)->schema;
		vs = &c->by_schema[id];
		ret = schema && !vs->list ? check_open_views(vs, schema, c->target) : 0;
		if (!ret)
			ret = check_record(c, slot->record, vs, schema, &finding);
		if (ret)
			return ret;
		ret = c->report(&finding, c->arg);
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
	struct check *c;
	int ret = 0;

	if (!nr)
		return 0;
	/* Too large for the stack */
	c = kzalloc_obj(*c);
	if (!c)
		return -ENOMEM;
	c->nr = nr;
	c->target = target;
	c->report = report;
	c->arg = arg;
	c->by_schema = kvzalloc_objs(*c->by_schema, nr);
	if (!c->by_schema) {
		kfree(c);
		return -ENOMEM;
	}
	list_for_each_entry(stream, &set->streams, list) {
		ret = check_stream(c, stream);
		if (ret)
			break;
	}
	for (i = 0; i < nr; i++)
		check_free_views(&c->by_schema[i]);
	kvfree(c->by_schema);
	for (i = 0; i < ARRAY_SIZE(c->values); i++)
		kvfree(c->values[i].list);
	kfree(c);
	return ret;
}
