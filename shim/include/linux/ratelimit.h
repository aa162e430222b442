/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_RATELIMIT_H
#define _SHIM_LINUX_RATELIMIT_H

#include <linux/printk.h>

/* Tests want to see all of them */
#define pr_err_ratelimited	pr_err
#define pr_warn_ratelimited	pr_warn

#endif
