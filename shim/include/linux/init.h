/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_INIT_H
#define _SHIM_LINUX_INIT_H

#include <linux/compiler.h>

/* What runs at boot runs when the program calls shim_boot() */
#define __shim_call(fn, section) \
	static int (*const __##section##_##fn)(void) __used __section(#section) = (void *)(fn)
#define early_initcall(fn)	__shim_call(fn, shim_init)
#define core_initcall(fn)	__shim_call(fn, shim_init)
#define subsys_initcall(fn)	__shim_call(fn, shim_init)
#define fs_initcall(fn)		__shim_call(fn, shim_init)
#define fs_initcall_sync(fn)	__shim_call(fn, shim_init)
#define device_initcall(fn)	__shim_call(fn, shim_init)
#define late_initcall(fn)	__shim_call(fn, shim_init)
#define module_init(fn)		__shim_call(fn, shim_init)
#define module_exit(fn)		__shim_call(fn, shim_exit)
#define early_param(name, fn)
#define __setup(name, fn)

#endif
