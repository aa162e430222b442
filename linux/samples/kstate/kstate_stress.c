// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects by the thousand, and what can go wrong with them, for the tests.
 *
 * What an object holds follows from its number and the round, which is one more
 * after each jump: so the next kernel can tell whether all of it arrived.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hash.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/reboot.h>
#include <linux/slab.h>
/* Only to damage what is handed over: no client needs it */
#include "../../kernel/liveupdate/kstate/store.h"

static uint objects = 100;
module_param(objects, uint, 0400);
MODULE_PARM_DESC(objects, "How many there are");

static uint folios;
module_param(folios, uint, 0400);
MODULE_PARM_DESC(folios, "Every n-th owns a folio");

static bool optional;
module_param(optional, bool, 0400);
MODULE_PARM_DESC(optional, "A kernel without this module may go on without the objects");

static bool stream;
module_param(stream, bool, 0400);
MODULE_PARM_DESC(stream, "Save them now in a stream of their own, not at the jump");

static bool twice;
module_param(twice, bool, 0400);
MODULE_PARM_DESC(twice, "With stream, try to restore each a second time");

static uint round;
module_param(round, uint, 0400);
MODULE_PARM_DESC(round, "Of this kernel; restored objects must be of the one before");

static int fail = -1;
module_param(fail, int, 0600);
MODULE_PARM_DESC(fail, "Number of the object that refuses to be saved");

static int corrupt = -1;
module_param(corrupt, int, 0400);
MODULE_PARM_DESC(corrupt, "Number of the object in whose saved bytes a bit is flipped");

static uint flips;
module_param(flips, uint, 0600);
MODULE_PARM_DESC(flips, "How many bits are flipped of all that is handed over, once it is complete");

static uint flip_seed;
module_param(flip_seed, uint, 0600);
MODULE_PARM_DESC(flip_seed, "Which ones");

/* Results */
static uint restored, refused, wrong;
module_param(restored, uint, 0400);
module_param(refused, uint, 0400);
module_param(wrong, uint, 0400);

#define STRESS_VALUES	8
#define STRESS_PARTS	2

struct stress_part {
	struct list_head node;
	u64 value;
};

struct stress {
	u32 id;
	u32 round;
	u64 values[STRESS_VALUES];
	char *name;
	struct list_head parts;
	struct folio *folio;
};

static int stress_save(struct kstate_stream *out, void *obj, const struct kstate_field *field)
{
	u32 id = *(u32 *)obj;

	return id == (u32)fail ? -EIO : kstate_put_u64(out, "id", id);
}

static int stress_restore(struct kstate_stream *in, void *member,
			  const struct kstate_field *field)
{
	u64 id;
	int ret = kstate_get_u64(in, "id", &id);

	*(u32 *)member = id;
	return ret;
}

static const struct kstate_description stress_part_state = {
	.name = "stress_part",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_SKIP(node, struct stress_part, "restoring the list links it"),
		KSTATE_BASE_TYPE(value, struct stress_part, u64),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description stress_state = {
	.name = "sample,stress",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_CUSTOM(id, struct stress, stress_save, stress_restore),
		KSTATE_BASE_TYPE(round, struct stress, u32),
		KSTATE_BASE_TYPE(values, struct stress, u64 [STRESS_VALUES]),
		KSTATE_STRING(name, struct stress),
		KSTATE_LIST(parts, struct stress, struct stress_part, node, &stress_part_state),
		KSTATE_FOLIO(folio, struct stress),
		KSTATE_END_OF_LIST()
	},
};

static struct stress *all;
static struct kstate_stream *outgoing;

static u64 stress_value(const struct stress *s, u32 i)
{
	return hash_64(s->id, 64) ^ hash_64(((u64)s->round << 32) + i, 64);
}

static bool stress_has_folio(const struct stress *s)
{
	return folios && s->id % folios == 0;
}

/* A new object, empty but for the memory that the state consists of */
static int stress_create(struct stress *s, u32 id)
{
	struct stress_part *part;

	s->id = id;
	s->name = kasprintf(GFP_KERNEL, "object %u", id);
	if (!s->name)
		return -ENOMEM;
	for (int i = 0; i < STRESS_PARTS; i++) {
		part = kzalloc_obj(*part);
		if (!part)
			return -ENOMEM;
		list_add_tail(&part->node, &s->parts);
	}
	if (stress_has_folio(s)) {
		s->folio = folio_alloc(GFP_KERNEL, id % 3);
		if (!s->folio)
			return -ENOMEM;
	}
	return 0;
}

/* Set what @s holds, or compare: calls @fn for each value */
static bool stress_values(struct stress *s, bool (*fn)(u64 *value, u64 expected))
{
	struct stress_part *part;
	bool good = true;
	u32 i = 0;

	for (; i < STRESS_VALUES; i++)
		good &= fn(&s->values[i], stress_value(s, i));
	list_for_each_entry(part, &s->parts, node)
		good &= fn(&part->value, stress_value(s, i++));
	if (s->folio) {
		u64 *content = folio_address(s->folio);

		for (size_t at = 0; at < folio_size(s->folio) / 8; at++)
			good &= fn(&content[at], stress_value(s, i++));
	}
	return good;
}

static bool set(u64 *value, u64 expected)
{
	*value = expected;
	return true;
}

static bool equal(u64 *value, u64 expected)
{
	return *value == expected;
}

static bool stress_right(struct stress *s, u32 id)
{
	char name[32];

	snprintf(name, sizeof(name), "object %u", id);
	return s->id == id && s->round == round - 1 && s->name && !strcmp(s->name, name) &&
	       list_count_nodes(&s->parts) == STRESS_PARTS &&
	       !!s->folio == stress_has_folio(s) && stress_values(s, equal);
}

static void stress_free(struct stress *s)
{
	struct stress_part *part, *next;

	list_for_each_entry_safe(part, next, &s->parts, node)
		kvfree(part);
	kvfree(s->name);
	if (s->folio)
		folio_put(s->folio);
}

/* Returns whether the object was restored, or an error */
static int stress_take(struct kstate_stream *in, struct stress *s, u32 id)
{
	struct kstate_error err = {};
	bool found = false;
	int ret;

	if (!stream) {
		ret = kstate_register_key(&stress_state, s, KSTATE_ID(id), &found);
	} else {
		ret = in ? kstate_stream_restore(in, &stress_state, s, KSTATE_ID(id), &err) :
			   -ENOENT;
		found = !ret;
		if (ret == -ENOENT)
			ret = 0;
		/* Nobody gets it twice. */
		if (found && twice && kstate_stream_restore(in, &stress_state, s, KSTATE_ID(id),
							    &err) != -EALREADY)
			wrong++;
	}
	return ret ?: found;
}

/* The saved bytes of an object, damaged as no kernel should */
static void stress_corrupt(void)
{
	for (u32 i = 0; i < outgoing->index.nr; i++) {
		struct kstate_record *record = outgoing->index.slots[i].record;

		if (le64_to_cpu(record->key) == corrupt)
			*(u8 *)(record + 1) ^= 1;
	}
}

static int stress_save_all(void)
{
	struct kstate_error err = {};
	int ret;

	outgoing = kstate_stream_create(kstate_outgoing(), KBUILD_MODNAME, &err);
	if (IS_ERR(outgoing))
		return PTR_ERR(outgoing);
	for (u32 id = 0; id < objects; id++) {
		ret = kstate_stream_save(outgoing, &stress_state, &all[id], KSTATE_ID(id), &err);
		if (ret)
			return ret;
	}
	if (corrupt >= 0)
		stress_corrupt();
	return 0;
}

/* As in a memory module that fails: in a record, in the root or in the header */
static void stress_flip(struct rnd_state *rnd)
{
	struct kstate_set *set = kstate_outgoing();
	struct kstate_segment *segment = NULL, *other;
	struct kstate_stream *stream;
	const char *where = "header";
	u8 *data = (u8 *)set->header;
	size_t size = sizeof(*set->header), at;
	u32 nr = 0, chance = prandom_u32_state(rnd) % 10;

	if (chance) {
		where = "root";
		data = set->root.data;
		size = ALIGN_DOWN(le64_to_cpu(set->header->root.used), 8);
	}
	/* Each segment is as likely as the others */
	list_for_each_entry(stream, &set->streams, list) {
		list_for_each_entry(other, &stream->segments, list) {
			if (chance < 3 || !other->used || prandom_u32_state(rnd) % ++nr)
				continue;
			where = stream->name;
			segment = other;
		}
	}
	if (segment) {
		data = segment->data;
		size = segment->used;
	}
	at = prandom_u32_state(rnd) % size;
	data[at] ^= 1 << prandom_u32_state(rnd) % 8;
	pr_info("a bit is flipped in byte %zu of %zu of %s\n", at, size, where);
}

static int stress_reboot(struct notifier_block *nb, unsigned long event, void *data)
{
	struct kstate_set *set = kstate_outgoing();
	struct rnd_state rnd;

	if (event != SYS_RESTART || !set || !set->header)
		return NOTIFY_DONE;
	prandom_seed_state(&rnd, flip_seed);
	for (u32 i = 0; i < flips; i++)
		stress_flip(&rnd);
	return NOTIFY_DONE;
}

static struct notifier_block stress_reboot_nb = { .notifier_call = stress_reboot };

static void stress_exit(void)
{
	unregister_reboot_notifier(&stress_reboot_nb);
	if (!IS_ERR_OR_NULL(outgoing))
		kstate_stream_destroy(outgoing);
	for (u32 id = 0; id < objects; id++) {
		if (!stream)
			kstate_unregister(&stress_state, &all[id]);
		stress_free(&all[id]);
	}
	kvfree(all);
}
module_exit(stress_exit);

static int __init stress_init(void)
{
	struct kstate_stream *in = NULL;
	ktime_t start;
	int ret = 0;

	stress_state.optional = optional;
	all = kvcalloc(objects, sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	for (u32 id = 0; id < objects; id++)
		INIT_LIST_HEAD(&all[id].parts);

	if (stream && kstate_incoming())
		in = kstate_stream_find(kstate_incoming(), KBUILD_MODNAME);
	start = ktime_get();
	for (u32 id = 0; id < objects; id++) {
		ret = stress_take(in, &all[id], id);
		restored += ret > 0;
		refused += ret < 0;
	}
	pr_info("%u of %u restored, %u refused, in %lld ns\n", restored, objects, refused,
		ktime_to_ns(ktime_sub(ktime_get(), start)));

	for (u32 id = 0; id < objects; id++) {
		struct stress *s = &all[id];

		ret = 0;
		if (s->name)
			wrong += !stress_right(s, id);
		else
			ret = stress_create(s, id);
		if (ret)
			break;
		s->round = round;
		stress_values(s, set);
	}

	start = ktime_get();
	if (!ret && stream) {
		ret = stress_save_all();
		pr_info("%u saved in %lld ns\n", objects,
			ktime_to_ns(ktime_sub(ktime_get(), start)));
	}
	ret = ret ?: register_reboot_notifier(&stress_reboot_nb);
	if (ret)
		stress_exit();
	return ret;
}
module_init(stress_init);

MODULE_DESCRIPTION("Load and faults for the tests of KSTATE");
MODULE_LICENSE("GPL");
