/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_STRING_HELPERS_H
#define _SHIM_LINUX_STRING_HELPERS_H

#include <linux/string.h>

static inline const char *str_yes_no(bool v)
{
	return v ? "yes" : "no";
}

static inline const char *str_true_false(bool v)
{
	return v ? "true" : "false";
}

static inline const char *str_plural(size_t n)
{
	return n == 1 ? "" : "s";
}

#endif
