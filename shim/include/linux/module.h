/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_MODULE_H
#define _SHIM_LINUX_MODULE_H

#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>

struct module {
	char name[56];
	void *kstate_catalog;
	unsigned int kstate_catalog_size;
};

#define THIS_MODULE			((struct module *)0)
#define MODULE_LICENSE(x)
#define MODULE_AUTHOR(x)
#define MODULE_DESCRIPTION(x)
#define MODULE_IMPORT_NS(x)
#define module_param(n, t, p)
#define module_param_named(n, v, t, p)
#define MODULE_PARM_DESC(n, d)
#define within_module(addr, mod)	false
#define try_module_get(mod)		true
#define module_put(mod)			do { } while (0)
#define core_kernel_data(addr)		1

struct notifier_block;

static inline int register_module_notifier(struct notifier_block *nb)
{
	return 0;
}

static inline int unregister_module_notifier(struct notifier_block *nb)
{
	return 0;
}

#endif
