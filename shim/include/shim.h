/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs that run KSTATE outside of a kernel can ask of the shim:
 * which allocations live, which one is to fail, what has been logged.
 */
#ifndef _SHIM_H
#define _SHIM_H

#include <stdbool.h>
#include <stddef.h>

/* What is one step for other tasks, because the kernel locks inside: the rest of a function */
#ifdef SHIM_THREADS
void shim_lock(void);
void shim_unlock(int *unused);
#define shim_atomic() \
	int __attribute__((cleanup(shim_unlock), unused)) __locked = (shim_lock(), 0)
#else
#define shim_atomic()		do { } while (0)
#endif

/**
 * shim_fail_at() - let one of the coming steps that can fail do so
 * @n: 1 for the next one; 0 for none
 *
 * Allocations and preservations of memory count alike.
 */
void shim_fail_at(long n);

/** shim_failed() - whether the step that shim_fail_at() named was reached */
bool shim_failed(void);

/** shim_may_fail() - for the shim itself: count a step, tell if it is the one */
bool shim_may_fail(void);

/** shim_live() - allocations that have not been freed, pages not included */
long shim_live(void);

/** shim_live_bytes() - their bytes */
size_t shim_live_bytes(void);

/** shim_log() - what pr_err(), pr_warn() and so on wrote, oldest first */
const char *shim_log(void);
void shim_log_clear(void);

/** shim_boot() - open what came, and run the initcalls; returns the first error */
int shim_boot(void);

/** shim_before_initcalls - called by shim_boot() between the two, or NULL */
extern void (*shim_before_initcalls)(void);

/** shim_shutdown() - run what would unload the modules */
void shim_shutdown(void);

/** shim_set_release() - name the running kernel; NULL asks the real one */
void shim_set_release(const char *release);

void shim_bug(const char *file, int line, const char *what) __attribute__((noreturn));

#endif
