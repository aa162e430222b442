/* SPDX-License-Identifier: GPL-2.0-only */
/* See linux/tracepoint.h here. */
