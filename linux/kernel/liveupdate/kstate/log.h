/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of restoring: restore.c checks and fills the log, log.c applies it.
 */
#ifndef _KSTATE_LOG_H
#define _KSTATE_LOG_H

#include "engine.h"

enum log_what {
	LOG_WRITE,	/* @size bytes from @src */
	LOG_PLAN,	/* the copies of @plan, @size bytes, from the record at @src */
	LOG_STORE,	/* @val, an integer of @size bytes */
	LOG_ZERO,	/* @size bytes */
	LOG_INTS,	/* integers from @src, as @op says */
	LOG_COPY,	/* @size bytes from @src, a copy that a function filled */
	LOG_HEAD,	/* @size bytes: the head of a list, with @val: initialize it */
	LOG_LIST,	/* @first to @last are the entries of the list @dst */
	LOG_INDEX,	/* @src is an entry of the xarray @dst at @val */
	LOG_MEMORY,	/* @src was allocated */
	LOG_EDGE,	/* @memory was taken over for @edge */
	LOG_FOLIOS,	/* @val runs at @src: those are taken over that @dst has folios of */
	LOG_DROP,	/* a field of the record, which may hand over memory: @src, @tail */
	LOG_INIT,	/* initialize @dst, a struct with a description as @op says */
	LOG_FRAME,	/* where a function that follows is called: a copy of @frame */
	LOG_COUNT,	/* the function of the field counts @val elements */
	LOG_RESTORED,	/* @dst is complete */
};

struct kstate_log_entry {
	u8 what;
	u32 size;
	union {
		struct {
			void *dst;
			union {
				const struct kstate_op *op;
				const struct kstate_plan *plan;
			};
			union {
				struct {
					union {
						void *src;
						const struct kstate_frame *at;
					};
					u64 val;
				};
				struct {
					void **first;
					void **last;
				};
			};
		};
		struct {
			void *memory;
			struct kstate_edge edge;
		};
		struct kstate_frame frame;
	};
};

int kstate_log_put(struct kstate_restore_ctx *w, struct kstate_log_entry entry);
int kstate_log_write(struct kstate_restore_ctx *w, struct kstate_log_entry entry);

static inline int no_memory(struct kstate_restore_ctx *w, const struct kstate_op *op)
{
	return kstate_no_memory(&w->where, op ? op->path : NULL);
}

/* Elements that a %KSTATE_OP_DROP goes past, unless it is all of the field */
static inline u32 left_of(const struct kstate_op *op)
{
	return op->from->count > 1 ? op->from->count - op->mem : 1;
}

#endif /* _KSTATE_LOG_H */
