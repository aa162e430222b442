/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kstate

#if !defined(_TRACE_KSTATE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_KSTATE_H

#include <linux/kstate.h>
#include <linux/tracepoint.h>

/* A record: its key is a number, or a name that is not empty. By address: BPF takes no structs. */
DECLARE_EVENT_CLASS(kstate_record,
	TP_PROTO(const char *state, const struct kstate_key *key, u32 bytes, u64 ns),
	TP_ARGS(state, key, bytes, ns),
	TP_STRUCT__entry(
		__string(state, state)
		__string(name, key->name ?: "")
		__field(u64, id)
		__field(u32, bytes)
		__field(u64, ns)
	),
	TP_fast_assign(
		__assign_str(state);
		__assign_str(name);
		__entry->id = key->name ? 0 : key->id;
		__entry->bytes = bytes;
		__entry->ns = ns;
	),
	TP_printk("state=%s id=%llu name=%s bytes=%u ns=%llu", __get_str(state), __entry->id,
		  __get_str(name), __entry->bytes, __entry->ns)
);

DEFINE_EVENT(kstate_record, kstate_save,
	TP_PROTO(const char *state, const struct kstate_key *key, u32 bytes, u64 ns),
	TP_ARGS(state, key, bytes, ns)
);

DEFINE_EVENT(kstate_record, kstate_restore,
	TP_PROTO(const char *state, const struct kstate_key *key, u32 bytes, u64 ns),
	TP_ARGS(state, key, bytes, ns)
);

/* What nobody has restored goes to the kernel after this one */
DEFINE_EVENT(kstate_record, kstate_hand_on,
	TP_PROTO(const char *state, const struct kstate_key *key, u32 bytes, u64 ns),
	TP_ARGS(state, key, bytes, ns)
);

/* Any call that fails, and why */
TRACE_EVENT(kstate_refuse,
	TP_PROTO(const char *doing, const struct kstate_error *err),
	TP_ARGS(doing, err),
	TP_STRUCT__entry(
		__string(doing, doing)
		__string(path, err->path)
		__string(reason, kstate_reason_name(err->reason))
		__field(int, code)
	),
	TP_fast_assign(
		__assign_str(doing);
		__assign_str(path);
		__assign_str(reason);
		__entry->code = err->code;
	),
	TP_printk("call=%s path=%s reason=%s code=%d", __get_str(doing), __get_str(path),
		  __get_str(reason), __entry->code)
);

/* A set, as a whole: made for the next kernel, or found from the one before */
DECLARE_EVENT_CLASS(kstate_set,
	TP_PROTO(const char *writer, u64 records, u64 bytes, int code),
	TP_ARGS(writer, records, bytes, code),
	TP_STRUCT__entry(
		__string(writer, writer)
		__field(u64, records)
		__field(u64, bytes)
		__field(int, code)
	),
	TP_fast_assign(
		__assign_str(writer);
		__entry->records = records;
		__entry->bytes = bytes;
		__entry->code = code;
	),
	TP_printk("writer=%s records=%llu bytes=%llu code=%d", __get_str(writer),
		  __entry->records, __entry->bytes, __entry->code)
);

DEFINE_EVENT(kstate_set, kstate_publish,
	TP_PROTO(const char *writer, u64 records, u64 bytes, int code),
	TP_ARGS(writer, records, bytes, code)
);

DEFINE_EVENT(kstate_set, kstate_open,
	TP_PROTO(const char *writer, u64 records, u64 bytes, int code),
	TP_ARGS(writer, records, bytes, code)
);

#endif

#include <trace/define_trace.h>
