/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_NOTIFIER_H
#define _SHIM_LINUX_NOTIFIER_H

#define NOTIFY_DONE	0
#define NOTIFY_OK	1
#define NOTIFY_BAD	0x8002

struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long action, void *data);
	struct notifier_block *next;
	int priority;
};

static inline int notifier_from_errno(int err)
{
	return err ? 0x8000 | (NOTIFY_OK - err) : NOTIFY_OK;
}

#endif
