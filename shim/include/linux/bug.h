/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_BUG_H
#define _SHIM_LINUX_BUG_H

#include <linux/build_bug.h>
#include <shim.h>

/* A warning in the kernel is a bug there, so it ends the program here */
#define BUG()			shim_bug(__FILE__, __LINE__, "BUG")
#define BUG_ON(cond)		do { if (cond) shim_bug(__FILE__, __LINE__, #cond); } while (0)
#define WARN_ON(cond) ({						\
	bool __cond = !!(cond);						\
	if (__cond)							\
		shim_bug(__FILE__, __LINE__, #cond);			\
	__cond; })
#define WARN_ON_ONCE(cond)	WARN_ON(cond)
#define WARN(cond, ...)		WARN_ON(cond)
#define WARN_ONCE(cond, ...)	WARN_ON(cond)

#endif
