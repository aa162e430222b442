/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A simulated rhashtable: chains that are rehashed when they become long. It
 * keeps what users can see of the kernel's: that inserting may fail.
 */
#ifndef _SHIM_LINUX_RHASHTABLE_H
#define _SHIM_LINUX_RHASHTABLE_H

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/jhash.h>
#include <linux/types.h>

struct rhash_head {
	struct rhash_head *next;
};

struct rhashtable;

struct rhashtable_compare_arg {
	struct rhashtable *ht;
	const void *key;
};

struct rhashtable_params {
	u16 key_len;
	u16 key_offset;
	u16 head_offset;
	u16 min_size;
	bool automatic_shrinking;
	u32 (*hashfn)(const void *data, u32 len, u32 seed);
	u32 (*obj_hashfn)(const void *data, u32 len, u32 seed);
	int (*obj_cmpfn)(struct rhashtable_compare_arg *arg, const void *obj);
};

struct rhashtable {
	struct rhashtable_params p;
	struct rhash_head **buckets;
	u32 size;
	u32 nr;
};

int rhashtable_init(struct rhashtable *ht, const struct rhashtable_params *params);
void rhashtable_destroy(struct rhashtable *ht);
void *rhashtable_lookup_fast(struct rhashtable *ht, const void *key,
			     const struct rhashtable_params params);
int rhashtable_insert_fast(struct rhashtable *ht, struct rhash_head *obj,
			   const struct rhashtable_params params);
int rhashtable_lookup_insert_key(struct rhashtable *ht, const void *key, struct rhash_head *obj,
				 const struct rhashtable_params params);
int rhashtable_remove_fast(struct rhashtable *ht, struct rhash_head *obj,
			   const struct rhashtable_params params);

#endif
