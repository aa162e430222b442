// SPDX-License-Identifier: GPL-2.0-only
/* Hash tables that grow. As in the kernel, only the first table must be had. */
#include <linux/errno.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#define SEED	0x9747b28c

static void *object_of(const struct rhashtable *ht, struct rhash_head *head)
{
	return (u8 *)head - ht->p.head_offset;
}

static struct rhash_head **bucket(struct rhashtable *ht, u32 hash)
{
	return &ht->buckets[hash % ht->size];
}

int rhashtable_init(struct rhashtable *ht, const struct rhashtable_params *params)
{
	*ht = (struct rhashtable){ .size = 64, .p = *params };
	ht->buckets = kvcalloc(ht->size, sizeof(*ht->buckets), GFP_KERNEL);
	return ht->buckets ? 0 : -ENOMEM;
}

void rhashtable_destroy(struct rhashtable *ht)
{
	kvfree(ht->buckets);
	*ht = (struct rhashtable){};
}

void *rhashtable_lookup_fast(struct rhashtable *ht, const void *key,
			     const struct rhashtable_params params)
{
	struct rhashtable_compare_arg arg = { .ht = ht, .key = key };
	struct rhash_head *head;

	for (head = *bucket(ht, params.hashfn(key, 0, SEED)); head; head = head->next)
		if (!params.obj_cmpfn(&arg, object_of(ht, head)))
			return object_of(ht, head);
	return NULL;
}

static void grow(struct rhashtable *ht)
{
	struct rhashtable more = { .size = 2 * ht->size, .p = ht->p };
	struct rhash_head *head, *next, **to;
	u32 i;

	more.buckets = kvcalloc(more.size, sizeof(*more.buckets), GFP_KERNEL);
	if (!more.buckets)
		return;
	for (i = 0; i < ht->size; i++) {
		for (head = ht->buckets[i]; head; head = next) {
			next = head->next;
			to = bucket(&more, ht->p.obj_hashfn(object_of(ht, head), 0, SEED));
			head->next = *to;
			*to = head;
		}
	}
	kvfree(ht->buckets);
	ht->buckets = more.buckets;
	ht->size = more.size;
}

int rhashtable_insert_fast(struct rhashtable *ht, struct rhash_head *obj,
			   const struct rhashtable_params params)
{
	struct rhash_head **to;

	if (ht->nelems == ht->size)
		grow(ht);
	to = bucket(ht, params.obj_hashfn(object_of(ht, obj), 0, SEED));
	obj->next = *to;
	*to = obj;
	ht->nelems++;
	return 0;
}

int rhashtable_lookup_insert_key(struct rhashtable *ht, const void *key, struct rhash_head *obj,
				 const struct rhashtable_params params)
{
	if (rhashtable_lookup_fast(ht, key, params))
		return -EEXIST;
	return rhashtable_insert_fast(ht, obj, params);
}

int rhashtable_remove_fast(struct rhashtable *ht, struct rhash_head *obj,
			   const struct rhashtable_params params)
{
	struct rhash_head **link = bucket(ht, params.obj_hashfn(object_of(ht, obj), 0, SEED));

	while (*link && *link != obj)
		link = &(*link)->next;
	if (!*link)
		return -ENOENT;
	*link = obj->next;
	ht->nelems--;
	return 0;
}
