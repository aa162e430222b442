// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the files for userspace are: /sys/kernel/kstate.
 */

#include <linux/err.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>
#include "gate.h"

static struct kobject *kstate_kobj;

/**
 * kstate_directory_init() - make /sys/kernel/kstate
 *
 * Return: 0, or a negative error code.
 */
int kstate_directory_init(void)
{
	static struct lock_class_key key;
	const struct kstate_file *file;
	struct kernfs_node *node;

	kstate_kobj = kobject_create_and_add("kstate", kernel_kobj);
	if (!kstate_kobj)
		return -ENOMEM;
	for (file = kstate_files; file->name; file++) {
		node = __kernfs_create_file(kstate_kobj->sd, file->name, file->mode,
					    GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, 0, file->ops, NULL,
					    NULL, &key);
		if (IS_ERR(node)) {
			kstate_directory_exit();
			return PTR_ERR(node);
		}
	}
	return 0;
}

/**
 * kstate_directory_exit() - remove /sys/kernel/kstate
 */
void kstate_directory_exit(void)
{
	/* Removes the files too, and waits for those who use them */
	kobject_put(kstate_kobj);
	kstate_kobj = NULL;
}
