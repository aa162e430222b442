// SPDX-License-Identifier: GPL-2.0-only
/* See linux/rhashtable.h here. Keys are compared by obj_cmpfn only. */
#include <linux/rhashtable.h>
#include <linux/slab.h>

static void *object(const struct rhashtable *ht, struct rhash_head *head)
{
	return (char *)head - ht->p.head_offset;
}

static struct rhash_head **bucket(const struct rhashtable *ht, u32 hash)
{
	return &ht->buckets[hash & (ht->size - 1)];
}

int rhashtable_init(struct rhashtable *ht, const struct rhashtable_params *params)
{
	ht->p = *params;
	ht->nr = 0;
	ht->size = 4;
	ht->buckets = kvcalloc(ht->size, sizeof(*ht->buckets), GFP_KERNEL);
	return ht->buckets ? 0 : -ENOMEM;
}

/* Until then Linux may be moving entries in the background: they have to be there */
void rhashtable_destroy(struct rhashtable *ht)
{
	for (u32 i = 0; i < ht->size; i++)
		for (struct rhash_head *head = ht->buckets[i]; head; head = head->next)
			ht->p.obj_hashfn(object(ht, head), ht->p.key_len, 0);
	kvfree(ht->buckets);
}

void *rhashtable_lookup_fast(struct rhashtable *ht, const void *key,
			     const struct rhashtable_params params)
{
	struct rhashtable_compare_arg arg = { ht, key };
	struct rhash_head *head;

	shim_atomic();
	for (head = *bucket(ht, ht->p.hashfn(key, ht->p.key_len, 0)); head; head = head->next)
		if (!ht->p.obj_cmpfn(&arg, object(ht, head)))
			return object(ht, head);
	return NULL;
}

static void add(struct rhashtable *ht, struct rhash_head *head)
{
	struct rhash_head **to = bucket(ht, ht->p.obj_hashfn(object(ht, head), ht->p.key_len, 0));

	head->next = *to;
	*to = head;
}

static int grow(struct rhashtable *ht)
{
	struct rhash_head **old = ht->buckets, **more, *head, *next;
	u32 size = ht->size;

	more = kvcalloc(2 * size, sizeof(*more), GFP_KERNEL);
	if (!more)
		return -ENOMEM;
	ht->buckets = more;
	ht->size = 2 * size;
	for (u32 i = 0; i < size; i++) {
		for (head = old[i]; head; head = next) {
			next = head->next;
			add(ht, head);
		}
	}
	kvfree(old);
	return 0;
}

int rhashtable_insert_fast(struct rhashtable *ht, struct rhash_head *obj,
			   const struct rhashtable_params params)
{
	shim_atomic();
	if (shim_may_fail() || (ht->nr >= ht->size && grow(ht)))
		return -ENOMEM;
	add(ht, obj);
	ht->nr++;
	return 0;
}

int rhashtable_lookup_insert_key(struct rhashtable *ht, const void *key, struct rhash_head *obj,
				 const struct rhashtable_params params)
{
	shim_atomic();
	return rhashtable_lookup_fast(ht, key, params) ? -EEXIST :
	       rhashtable_insert_fast(ht, obj, params);
}

int rhashtable_remove_fast(struct rhashtable *ht, struct rhash_head *obj,
			   const struct rhashtable_params params)
{
	struct rhash_head **link = bucket(ht, ht->p.obj_hashfn(object(ht, obj), ht->p.key_len, 0));

	shim_atomic();
	while (*link && *link != obj)
		link = &(*link)->next;
	if (!*link)
		return -ENOENT;
	*link = obj->next;
	ht->nr--;
	return 0;
}
