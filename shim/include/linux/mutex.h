/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_MUTEX_H
#define _SHIM_LINUX_MUTEX_H

#include <linux/cleanup.h>
#include <linux/lockdep.h>
#include <shim.h>

/* One thread: a mutex that would have to wait would wait forever */
/* With SHIM_THREADS, locks are real; otherwise all is one task, and they only count */
#ifdef SHIM_THREADS
#include <pthread.h>
#endif

struct mutex {
	int locked;
#ifdef SHIM_THREADS
	pthread_mutex_t real;
#endif
};

#define DEFINE_MUTEX(name)	struct mutex name = { 0 }
#define mutex_init(m)		((void)(*(m) = (struct mutex){ }))
#define mutex_is_locked(m)	((m)->locked != 0)
#define mutex_lock_nested(m, s)	mutex_lock(m)

#ifdef SHIM_FAST
/* For benchmarks: what the kernel executes when nobody else wants it */
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);
#else
static inline void mutex_lock(struct mutex *m)
{
#ifdef SHIM_THREADS
	pthread_mutex_lock(&m->real);
#endif
	if (m->locked++)
		shim_bug(__FILE__, __LINE__, "mutex taken twice");
}

static inline void mutex_unlock(struct mutex *m)
{
	if (--m->locked)
		shim_bug(__FILE__, __LINE__, "mutex not held");
#ifdef SHIM_THREADS
	pthread_mutex_unlock(&m->real);
#endif
}
#endif

static inline int mutex_lock_interruptible(struct mutex *m)
{
	mutex_lock(m);
	return 0;
}

static inline int mutex_lock_killable(struct mutex *m)
{
	mutex_lock(m);
	return 0;
}

static inline int mutex_trylock(struct mutex *m)
{
	if (m->locked)
		return 0;
	m->locked = 1;
	return 1;
}

static inline void mutex_destroy(struct mutex *m)
{
	if (m->locked)
		shim_bug(__FILE__, __LINE__, "mutex destroyed while held");
}

DEFINE_GUARD(mutex, struct mutex *, mutex_lock(_T), mutex_unlock(_T))

#define mutex_lock_nest_lock(m, outer)	mutex_lock(m)

#endif
