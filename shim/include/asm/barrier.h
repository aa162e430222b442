/* SPDX-License-Identifier: GPL-2.0-only */
#define wmb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
