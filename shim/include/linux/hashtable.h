/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_HASHTABLE_H
#define _SHIM_LINUX_HASHTABLE_H

#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/list.h>

static inline void hash_del(struct hlist_node *n)
{
	hlist_del_init(n);
}

#define DEFINE_HASHTABLE(name, bits)	struct hlist_head name[1 << (bits)]
#define hash_bucket(table, key)						\
	(&(table)[((key) * 0x9e3779b97f4a7c15ULL >> 32) % ARRAY_SIZE(table)])
#define hash_add(table, node, key)	hlist_add_head(node, hash_bucket(table, key))

#define hash_for_each_possible(table, obj, member, key)			\
	hlist_for_each_entry(obj, hash_bucket(table, key), member)

#endif
