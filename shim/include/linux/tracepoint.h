/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints of a kernel without CONFIG_TRACEPOINTS: nothing is left of them. */
#ifndef _SHIM_LINUX_TRACEPOINT_H
#define _SHIM_LINUX_TRACEPOINT_H

#include <linux/types.h>

#define TP_PROTO(...)		__VA_ARGS__
#define DECLARE_EVENT_CLASS(...)
#define DEFINE_EVENT(_class, _name, _proto, ...)			\
	static inline void trace_##_name(_proto) { }			\
	static inline bool trace_##_name##_enabled(void) { return false; }
#define TRACE_EVENT(_name, _proto, ...)	DEFINE_EVENT(, _name, TP_PROTO(_proto), )

#endif
