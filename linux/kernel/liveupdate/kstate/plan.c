// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps become a plan.
 */

/**
 * DOC: plans
 *
 * A plan is built step by step, in the order of the tail. Copies do not depend on
 * other steps: what is adjacent on both sides becomes one copy, and a finished plan
 * has its copies first. Lengths and tags are last, once it is known how much there is.
 * All memory of a resolution hangs on one list, so that there is one place to free it.
 */

#include <linux/align.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/slab.h>
#include "resolve.h"

/* Head of everything that a resolution allocates */
struct chunk {
	struct list_head list;
	u64 data[];
};

void *kstate_build_alloc(struct build *b, size_t size)
{
	struct chunk *chunk = kvzalloc(sizeof(*chunk) + size, GFP_KERNEL);

	if (!chunk) {
		b->code = kstate_no_memory(&b->where, NULL);
		return NULL;
	}
	list_add(&chunk->list, &b->res->memory);
	return chunk->data;
}

/* Start a plan for the elements of what @b is at, which are found at @frame */
struct build kstate_build_nested(struct build *b, const struct kstate_frame *frame)
{
	struct build nested = {
		.res = b->res, .remote = b->remote, .defaults = b->defaults, .where = b->where,
		.report = b->report, .arg = b->arg, .code = b->code,
	};

	nested.where.frame = frame;
	nested.secret = frame && frame->path ? frame->path->secret : b->secret;
	return nested;
}

/* Lengths and tags go last: then all that a member is to be is known */
static int op_rank(const struct kstate_op *op)
{
	switch (op->code) {
	case KSTATE_OP_COPY:
		return 0;
	case KSTATE_OP_BOOL:
		return op->count == 1 ? 1 : 2;
	case KSTATE_OP_LENGTH:
		return 3;
	}
	return 2;
}

/* The word of @plan that has a byte, which is before @end */
static struct kstate_word *word_of(struct kstate_plan *plan, u32 byte, u32 end)
{
	struct kstate_word *word = plan->words;

	while (word < plan->words + plan->nr_words && byte - word->at >= 8)
		word++;
	if (word == plan->words + plan->nr_words) {
		plan->nr_words++;
		*word = (struct kstate_word){
			.at = min(ALIGN_DOWN(byte, 8), end - 8), .keep = ~0ULL,
		};
	}
	return word;
}

/* If saving can copy what is between the copies, too, and clear it then */
static void set_solid(struct kstate_plan *plan, u32 end)
{
	const struct kstate_op *first = plan->ops, *last = first + plan->copies, *op, *other;
	struct kstate_word *word;
	u32 byte;

	for (op = first + 1; op < last; op++) {
		byte = op[-1].wire + op[-1].count;
		if (op->wire - byte >= 8 || op->wire - op->mem != first->wire - first->mem)
			return;
		for (other = last; other < first + plan->nr; other++)
			if (other->wire >= byte && other->wire < op->wire)
				return;
	}
	for (op = first + 1; op < last; op++) {
		for (byte = op[-1].wire + op[-1].count; byte < op->wire; byte++) {
			word = word_of(plan, byte, end);
			((u8 *)&word->keep)[byte - word->at] = 0;
		}
	}
	plan->solid = end - first->wire;
}

static void set_quick(struct build *b, struct kstate_plan *plan)
{
	const struct kstate_op *op = plan->ops + plan->copies;
	u32 end = op[-1].wire + op[-1].count;
	struct kstate_word *word;

	if (end < 8)
		return;
	/* Padding behind a copy may be in two words, a bool is in one */
	plan->words = kstate_build_alloc(b, 2 * plan->nr * sizeof(*plan->words));
	if (!plan->words)
		return;
	set_solid(plan, end);
	for (; op < plan->ops + plan->nr && op_rank(op) == 1 && op->wire < end; op++) {
		word = word_of(plan, op->wire, end);
		((u8 *)&word->bad)[op->wire - word->at] = 0xfe;
		plan->quick++;
	}
}

/* The plan of @nested, for elements of @size bytes in the record */
struct kstate_plan *kstate_build_finish(struct build *b, struct build *nested, u32 size)
{
	struct kstate_plan *plan = NULL;
	const struct kstate_op *op;
	int rank;

	if (!nested->code)
		plan = kstate_build_alloc(nested, struct_size(plan, ops, nested->nr));
	for (rank = 0; plan && rank < 4; rank++) {
		for (op = nested->ops; op < nested->ops + nested->nr; op++) {
			if (op_rank(op) != rank)
				continue;
			plan->ops[plan->nr++] = *op;
			plan->copies += !rank;
			plan->copied += rank ? 0 : op->count;
		}
	}
	if (plan)
		plan->quick = plan->copies;
	if (plan && plan->copies)
		set_quick(nested, plan);
	if (plan && plan->nr == 1 && plan->copied == size && !plan->ops->wire && !plan->ops->mem)
		plan->bytes = size;
	kvfree(nested->ops);
	b->code = nested->code;
	return plan;
}

/* Whether a step can refuse a value, or has to go past it, without an object */
static bool is_remote(const struct kstate_op *op)
{
	switch (op->code) {
	case KSTATE_OP_COPY:
	case KSTATE_OP_ADDRESS:
	case KSTATE_OP_EDGE:
	case KSTATE_OP_DEFAULT:
	case KSTATE_OP_ZERO:
	case KSTATE_OP_ABSENT:
	case KSTATE_OP_RESTORED:
		return false;
	case KSTATE_OP_INT:
		return op->narrow;
	case KSTATE_OP_EACH:
		return op->sub && op->sub->nr;
	}
	return true;
}

void kstate_add_op(struct build *b, struct kstate_op op)
{
	u32 room = b->room ? 2 * b->room : 8;
	struct kstate_op *ops;

	if (b->code || (b->remote && !is_remote(&op)))
		return;
	if (b->nr == b->room) {
		ops = kvcalloc(room, sizeof(*ops), GFP_KERNEL);
		if (!ops) {
			b->code = kstate_no_memory(&b->where, op.path);
			return;
		}
		if (b->nr)
			memcpy(ops, b->ops, b->nr * sizeof(*ops));
		kvfree(b->ops);
		b->ops = ops;
		b->room = room;
	}
	b->ops[b->nr++] = op;
}

/* Look at the object before anything is written to it */
void kstate_last_first(struct build *b)
{
	struct kstate_op op;

	if (b->code || b->remote)
		return;
	op = b->ops[b->nr - 1];
	memmove(&b->ops[1], &b->ops[0], (b->nr - 1) * sizeof(op));
	b->ops[0] = op;
	b->last_copy += !!b->last_copy;
}

/* Copies do not depend on other steps: extend the last one where possible */
void kstate_add_copy(struct build *b, u32 wire, u32 mem, u32 bytes)
{
	struct kstate_op *last = b->last_copy ? &b->ops[b->last_copy - 1] : NULL;

	if (last && last->wire + last->count == wire && last->mem + last->count == mem) {
		last->count += bytes;
		return;
	}
	kstate_add_op(b, (struct kstate_op){
		.code = KSTATE_OP_COPY, .wire = wire, .mem = mem, .count = bytes });
	if (!b->code && !b->remote)
		b->last_copy = b->nr;
}

/* A small array of structs that are only copied goes the same way; false if it is not one */
bool kstate_add_each_copy(struct build *b, const struct kstate_op *op)
{
	const struct kstate_plan *sub = op->sub;
	u32 i, j;

	if (sub->nr != sub->copies)
		return false;
	if (sub->bytes && sub->bytes == op->msize && op->msize == op->wsize) {
		kstate_add_copy(b, op->wire, op->mem, op->count * op->msize);
		return true;
	}
	if ((u64)op->count * sub->nr > 32)
		return false;
	for (i = 0; i < op->count; i++)
		for (j = 0; j < sub->nr; j++)
			kstate_add_copy(b, op->wire + i * op->wsize + sub->ops[j].wire,
					op->mem + i * op->msize + sub->ops[j].mem,
					sub->ops[j].count);
	return true;
}

const struct kstate_path *kstate_add_path(struct build *b, const struct kstate_path *up,
					  const char *name, bool secret)
{
	struct kstate_path *path = kstate_build_alloc(b, sizeof(*path));

	if (path)
		*path = (struct kstate_path){
			.up = up, .name = name,
			.secret = secret || (up ? up->secret : b->secret),
		};
	return path;
}

/**
 * kstate_resolution_free() - free a resolution
 * @res: the resolution; may be zero or freed before
 */
void kstate_resolution_free(struct kstate_resolution *res)
{
	struct chunk *chunk, *next;

	if (!res->memory.next)
		return;
	list_for_each_entry_safe(chunk, next, &res->memory, list)
		kvfree(chunk);
	INIT_LIST_HEAD(&res->memory);
	res->plan = NULL;
}
