/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KSTATE calls for kernels without it. To drop all of this, remove the directory, its
 * lines in the Makefile and the Kconfig above it, and these calls.
 */
#ifndef _LIVEUPDATE_LEGACY_HOOKS_H
#define _LIVEUPDATE_LEGACY_HOOKS_H

#include <linux/types.h>

struct kstate_set;
struct kstate_transport;

#ifdef CONFIG_LIVEUPDATE_LEGACY
struct kstate_set *kstate_legacy_open(const struct kstate_transport *kho);
void kstate_legacy_discard(const struct kstate_transport *kho);
bool kstate_legacy_writes(void);
int kstate_legacy_write(struct kstate_set *out);
void kstate_legacy_undo(void);
#else
static inline struct kstate_set *kstate_legacy_open(const struct kstate_transport *kho)
{
	return NULL;
}

static inline void kstate_legacy_discard(const struct kstate_transport *kho) { }

static inline bool kstate_legacy_writes(void)
{
	return false;
}

static inline int kstate_legacy_write(struct kstate_set *out)
{
	return 0;
}

static inline void kstate_legacy_undo(void) { }
#endif

#endif /* _LIVEUPDATE_LEGACY_HOOKS_H */
