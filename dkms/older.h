/* SPDX-License-Identifier: GPL-2.0-only */
/* What kernels that came after 6.12 have, and the last ones of its stable branch. */
#ifndef _KSTATE_OLDER_H
#define _KSTATE_OLDER_H

/* As the files have it that are compiled after this: the same again is no redefinition */
#define pr_fmt(fmt) "kstate: " fmt

#include <linux/slab.h>

#ifndef kmalloc_obj

/* The flags that are given, or else GFP_KERNEL: the last one there is */
#define older_flags(...)	((gfp_t[]){ GFP_KERNEL, ##__VA_ARGS__ })
#define older_gfp(...) \
	(older_flags(__VA_ARGS__)[ARRAY_SIZE(older_flags(__VA_ARGS__)) - 1])

#define kmalloc_obj(object, ...) \
	kmalloc(sizeof(object), older_gfp(__VA_ARGS__))
#define kzalloc_obj(object, ...) \
	kzalloc(sizeof(object), older_gfp(__VA_ARGS__))
#define kvzalloc_obj(object, ...) \
	kvzalloc(sizeof(object), older_gfp(__VA_ARGS__))
#define kvmalloc_objs(object, nr, ...) \
	kvmalloc_array(nr, sizeof(object), older_gfp(__VA_ARGS__))
#define kvzalloc_objs(object, nr, ...) \
	kvcalloc(nr, sizeof(object), older_gfp(__VA_ARGS__))

#endif

#endif /* _KSTATE_OLDER_H */
