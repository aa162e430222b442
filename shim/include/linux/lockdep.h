/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_LOCKDEP_H
#define _SHIM_LINUX_LOCKDEP_H

#include <shim.h>

#define lockdep_assert_held(m)						\
	do {								\
		if (!(m)->locked)					\
			shim_bug(__FILE__, __LINE__, "lock not held");	\
	} while (0)
#define lockdep_assert_not_held(m)	do { } while (0)
#define lockdep_set_class(m, key)	do { } while (0)
#define lockdep_register_key(key)	do { } while (0)
#define lockdep_unregister_key(key)	do { } while (0)
#define SINGLE_DEPTH_NESTING		1

struct lock_class_key {
	char unused;
};

#define SINGLE_DEPTH_NESTING		1
#define lockdep_set_subclass(lock, sub)	do { } while (0)

#endif
