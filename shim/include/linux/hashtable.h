/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_HASHTABLE_H
#define _SHIM_LINUX_HASHTABLE_H

#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/list.h>

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	if (n->next)
		n->next->pprev = &n->next;
	h->first = n;
	n->pprev = &h->first;
}

static inline void hash_del(struct hlist_node *n)
{
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
}

#define DEFINE_HASHTABLE(name, bits)	struct hlist_head name[1 << (bits)]
#define hash_bucket(table, key)						\
	(&(table)[((key) * 0x9e3779b97f4a7c15ULL >> 32) % ARRAY_SIZE(table)])
#define hash_add(table, node, key)	hlist_add_head(node, hash_bucket(table, key))

#define hlist_entry_safe(ptr, type, member) ({				\
	struct hlist_node *__node = (ptr);				\
	__node ? container_of(__node, type, member) : NULL; })
#define hash_for_each_possible(table, obj, member, key)			\
	for (obj = hlist_entry_safe(hash_bucket(table, key)->first, typeof(*obj), member); \
	     obj; obj = hlist_entry_safe(obj->member.next, typeof(*obj), member))

#endif
