/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_RWSEM_H
#define _SHIM_LINUX_RWSEM_H

#include <linux/mutex.h>

#ifdef SHIM_THREADS

struct rw_semaphore {
	pthread_rwlock_t real;
};

#define DECLARE_RWSEM(name)	struct rw_semaphore name = { PTHREAD_RWLOCK_INITIALIZER }
#define init_rwsem(s)		((void)pthread_rwlock_init(&(s)->real, NULL))
#define down_write(s)		pthread_rwlock_wrlock(&(s)->real)
#define up_write(s)		pthread_rwlock_unlock(&(s)->real)
#define down_read(s)		pthread_rwlock_rdlock(&(s)->real)
#define up_read(s)		pthread_rwlock_unlock(&(s)->real)

#else

struct rw_semaphore {
	struct mutex mutex;
};

#define DECLARE_RWSEM(name)	struct rw_semaphore name = { { 0 } }
#define init_rwsem(s)		mutex_init(&(s)->mutex)
#define down_write(s)		mutex_lock(&(s)->mutex)
#define up_write(s)		mutex_unlock(&(s)->mutex)
#define down_read(s)		mutex_lock(&(s)->mutex)
#define up_read(s)		mutex_unlock(&(s)->mutex)

#endif

DEFINE_GUARD(rwsem_read, struct rw_semaphore *, down_read(_T), up_read(_T))
DEFINE_GUARD(rwsem_write, struct rw_semaphore *, down_write(_T), up_write(_T))

#endif
