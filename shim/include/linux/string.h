/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_STRING_H
#define _SHIM_LINUX_STRING_H

#include <string.h>
#include <linux/overflow.h>
#include <linux/types.h>

ssize_t __shim_strscpy(char *to, const char *from, size_t size, bool pad);
void *memchr_inv(const void *p, int c, size_t size);
char *kstrdup(const char *s, gfp_t gfp);
const char *kstrdup_const(const char *s, gfp_t gfp);
void kfree_const(const void *p);
char *kstrndup(const char *s, size_t max, gfp_t gfp);
void *kmemdup(const void *p, size_t size, gfp_t gfp);
void *kvmemdup(const void *p, size_t size, gfp_t gfp);
char *kmemdup_nul(const char *s, size_t len, gfp_t gfp);
char *strim(char *s);
char *skip_spaces(const char *s);

#define __shim_third(a, b, c, ...)	c
#define __strscpy2(to, from)		__shim_strscpy(to, from, sizeof(to), false)
#define __strscpy3(to, from, size)	__shim_strscpy(to, from, size, false)
#define strscpy(to, ...) \
	__shim_third(__VA_ARGS__, __strscpy3, __strscpy2)(to, __VA_ARGS__)
#define __strscpy_pad2(to, from)	__shim_strscpy(to, from, sizeof(to), true)
#define __strscpy_pad3(to, from, size)	__shim_strscpy(to, from, size, true)
#define strscpy_pad(to, ...) \
	__shim_third(__VA_ARGS__, __strscpy_pad3, __strscpy_pad2)(to, __VA_ARGS__)

#define mem_is_zero(p, size)		(!memchr_inv(p, 0, size))
#define str_has_prefix(s, prefix) \
	(strncmp(s, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0)
#define strstarts(s, prefix)		(strncmp(s, prefix, strlen(prefix)) == 0)
#define memzero_explicit(p, size)	memset(p, 0, size)
#define kbasename(path)			(strrchr(path, '/') ? strrchr(path, '/') + 1 : (path))

static inline bool sysfs_streq(const char *a, const char *b)
{
	size_t len = strcspn(a, "\n");

	return len == strcspn(b, "\n") && !strncmp(a, b, len);
}

#endif
