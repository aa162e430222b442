/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_KEXEC_H
#define _SHIM_LINUX_KEXEC_H

/* The flags of the system calls */
#include_next <linux/kexec.h>

#include <linux/notifier.h>
#include <linux/types.h>

enum {
	KEXEC_PREPARE,
	KEXEC_ABORT,
};

/* Which kernel kexec has loaded */
struct kimage {
	unsigned int file_mode : 1;
	u32 kernel_crc;
	char kernel_release[65];
	u32 kernel_page_size;
};

int register_kexec_notifier(struct notifier_block *nb);
int unregister_kexec_notifier(struct notifier_block *nb);

/* For tests: by default, kexec has loaded this kernel's release */
extern struct kimage shim_image;

/* What the kernel does before it jumps, and if it then does not */
int shim_kexec_prepare(void);
void shim_kexec_abort(void);

#endif
