// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that keeps its state across a live update, in two generations and one
 * that the build refuses.
 *
 * It has no device: at its first start it takes random values for its state.
 * After a kexec it finds that state again, also if the kernel before or after
 * has the other generation of the driver. /sys/kernel/debug/kstate_demo/values
 * shows the state; writing to it takes new random values.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/crc32c.h>
#include <linux/debugfs.h>
#include <linux/kstate.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define DEMO_FOLIO_ORDER	2
#define DEMO_RING_SIZE		(3 * PAGE_SIZE)
#define DEMO_QUEUES		100

struct demo;
static void demo_fill_own(struct demo *d);
static void demo_show_own(struct seq_file *m, struct demo *d);

#if CONFIG_SAMPLE_KSTATE_GENERATION == 1

struct demo_link {
	u32 speed;
	u8 lanes;
	bool up;
};

struct demo_rule {
	struct list_head node;
	u32 match;
	u16 prio;
};

struct demo {
	int i;
	unsigned long *p_ulong;
	char s[10];
	struct folio *folio;

	struct demo_link link;
	struct list_head rules;
	u16 nr_samples;
	s16 samples[16];
	char *label;
	DECLARE_BITMAP(queues, DEMO_QUEUES);
	u32 ring_size;
	void *ring;

	u32 bytes;
	u32 packets;
	u32 legacy_mode;
	u16 table[4];
};

static const struct kstate_description demo_link_state = {
	.name = "demo_link",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(speed, struct demo_link, u32),
		KSTATE_BASE_TYPE(lanes, struct demo_link, u8, KSTATE_RANGE(1, 16)),
		KSTATE_BASE_TYPE(up, struct demo_link, bool),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_description demo_rule_state = {
	.name = "demo_rule",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(match, struct demo_rule, u32, KSTATE_HEX),
		KSTATE_BASE_TYPE(prio, struct demo_rule, u16),
		KSTATE_SKIP(node, struct demo_rule, "restoring the list links it"),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description demo_state = {
	.name = "sample,demo",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(i, struct demo, int),
		KSTATE_BASE_TYPE(s, struct demo, char [10]),
		KSTATE_POINTER(p_ulong, struct demo, KSTATE_ALLOC),
		KSTATE_FOLIO(folio, struct demo),
		KSTATE_STRUCT(link, struct demo, &demo_link_state),
		KSTATE_LIST(rules, struct demo, struct demo_rule, node, &demo_rule_state),
		KSTATE_VARRAY(samples, struct demo, nr_samples),
		KSTATE_STRING(label, struct demo),
		KSTATE_BITMAP(queues, struct demo, DEMO_QUEUES),
		KSTATE_BASE_TYPE(ring_size, struct demo, u32, KSTATE_EQUAL),
		KSTATE_VMALLOC(ring, struct demo),
		KSTATE_BASE_TYPE(bytes, struct demo, u32),
		/* Backported, so that one can go back from generation 2. */
		KSTATE_BASE_TYPE(packets, struct demo, u32, KSTATE_ALIAS("rx_packets")),
		KSTATE_BASE_TYPE(legacy_mode, struct demo, u32, KSTATE_DEFAULT(0)),
		KSTATE_BASE_TYPE(table, struct demo, u16 [4]),
		KSTATE_END_OF_LIST()
	},
};

static void demo_fill_own(struct demo *d)
{
	d->packets = get_random_u32();
	d->legacy_mode = get_random_u32_inclusive(1, 99);
}

static void demo_show_own(struct seq_file *m, struct demo *d)
{
	seq_printf(m, "packets=%u\n", d->packets);
	seq_printf(m, "legacy_mode=%u\n", d->legacy_mode);
}

#else /* a year later */

#if CONFIG_SAMPLE_KSTATE_GENERATION == 3
/* Who changes it like that does not know what there is in the field */
typedef u16 demo_count_t;
#else
typedef u32 demo_count_t;
#endif

struct demo_link {
	bool up;
	u8 lanes;
	u8 pause;		/* new */
	u64 speed;		/* was u32 */
};

struct demo_rule {
	u32 prio;		/* was u16 */
	u32 match;
	u8 log;			/* new */
	struct list_head node;
};

struct demo {
	struct list_head rules;
	DECLARE_BITMAP(queues, DEMO_QUEUES);
	u32 ring_size;
	void *ring;
	char *label;
	struct folio *folio;

	u64 bytes;		/* was u32 */
	demo_count_t rx_packets; /* was called packets */
	u16 mtu;		/* new */
	u32 wakeups;		/* new */
	u16 table[6];		/* was [4] */

	u32 nr_samples;		/* was u16 */
	s32 samples[24];	/* was s16 [16] */
	struct demo_link link;

	char s[10];
	unsigned long *p_ulong;
	int i;
};

static const struct kstate_description demo_link_state = {
	.name = "demo_link",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(up, struct demo_link, bool),
		KSTATE_BASE_TYPE(lanes, struct demo_link, u8, KSTATE_RANGE(1, 16)),
		KSTATE_BASE_TYPE(pause, struct demo_link, u8, KSTATE_DEFAULT(3)),
		KSTATE_BASE_TYPE(speed, struct demo_link, u64),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_description demo_rule_state = {
	.name = "demo_rule",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(prio, struct demo_rule, u32),
		KSTATE_BASE_TYPE(match, struct demo_rule, u32, KSTATE_HEX),
		KSTATE_BASE_TYPE(log, struct demo_rule, u8, KSTATE_DEFAULT(0)),
		KSTATE_SKIP(node, struct demo_rule, "restoring the list links it"),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description demo_state = {
	.name = "sample,demo",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_LIST(rules, struct demo, struct demo_rule, node, &demo_rule_state),
		KSTATE_BITMAP(queues, struct demo, DEMO_QUEUES),
		KSTATE_BASE_TYPE(ring_size, struct demo, u32, KSTATE_EQUAL),
		KSTATE_VMALLOC(ring, struct demo),
		KSTATE_STRING(label, struct demo),
		KSTATE_FOLIO(folio, struct demo),
		KSTATE_BASE_TYPE(bytes, struct demo, u64),
		KSTATE_BASE_TYPE(rx_packets, struct demo, demo_count_t, KSTATE_ALIAS("packets")),
		/* As long as it is the default, generation 1 can take over again. */
		KSTATE_BASE_TYPE(mtu, struct demo, u16, KSTATE_DEFAULT(1500)),
		/* Only statistics: generation 1 may always do without. */
		KSTATE_BASE_TYPE(wakeups, struct demo, u32, KSTATE_DEFAULT(0), KSTATE_IGNORABLE),
		KSTATE_REMOVED("legacy_mode"),
		KSTATE_BASE_TYPE(table, struct demo, u16 [6], KSTATE_DEFAULT(0)),
		KSTATE_VARRAY(samples, struct demo, nr_samples),
		KSTATE_STRUCT(link, struct demo, &demo_link_state),
		KSTATE_BASE_TYPE(s, struct demo, char [10]),
		KSTATE_POINTER(p_ulong, struct demo, KSTATE_ALLOC),
		KSTATE_BASE_TYPE(i, struct demo, int),
		KSTATE_END_OF_LIST()
	},
};

static void demo_fill_own(struct demo *d)
{
	d->rx_packets = get_random_u32();
	d->mtu = 1500;
	d->wakeups = get_random_u32();
	d->link.pause = 3;
}

static void demo_show_own(struct seq_file *m, struct demo *d)
{
	struct demo_rule *rule;

	seq_printf(m, "rx_packets=%u\n", d->rx_packets);
	seq_printf(m, "mtu=%u\n", d->mtu);
	seq_printf(m, "wakeups=%u\n", d->wakeups);
	seq_printf(m, "link.pause=%u\n", d->link.pause);
	seq_puts(m, "rules.log=");
	list_for_each_entry(rule, &d->rules, node)
		seq_printf(m, "%u ", rule->log);
	seq_putc(m, '\n');
}

#endif

/* From here on, the driver is the same in both generations. */

static struct demo demo = {
	.rules = LIST_HEAD_INIT(demo.rules),
	.ring_size = DEMO_RING_SIZE,
};

/* Protects demo while values are shown or changed. */
static DEFINE_MUTEX(demo_lock);

static struct dentry *demo_dir;

static void demo_free_rules(struct demo *d)
{
	struct demo_rule *rule, *next;

	list_for_each_entry_safe(rule, next, &d->rules, node)
		kvfree(rule);
	INIT_LIST_HEAD(&d->rules);
}

static void demo_free(struct demo *d)
{
	demo_free_rules(d);
	kvfree(d->label);
	kvfree(d->p_ulong);
	vfree(d->ring);
	if (d->folio)
		folio_put(d->folio);
}

/* Random values, all within what generation 1 has room for */
static int demo_fill(struct demo *d)
{
	static const char text[] = "abcdefghijklmnopqrstuvwxyz";
	u32 nr = get_random_u32_inclusive(2, 5);
	struct demo_rule *rule;

	d->i = get_random_u32();
	*d->p_ulong = get_random_long();
	strscpy(d->s, text + get_random_u32_inclusive(0, sizeof(text) - sizeof(d->s)));
	get_random_bytes(folio_address(d->folio), folio_size(d->folio));
	get_random_bytes(d->ring, d->ring_size);

	d->link.speed = get_random_u32();
	d->link.lanes = get_random_u32_inclusive(1, 16);
	d->link.up = get_random_u8() & 1;
	d->bytes = get_random_u32();
	for (int i = 0; i < 4; i++)
		d->table[i] = get_random_u16();
	get_random_bytes(d->queues, sizeof(d->queues));
	bitmap_clear(d->queues, DEMO_QUEUES, 8 * sizeof(d->queues) - DEMO_QUEUES);

	d->nr_samples = get_random_u32_inclusive(1, 16);
	for (int i = 0; i < d->nr_samples; i++)
		d->samples[i] = (s16)get_random_u16();

	kvfree(d->label);
	d->label = kasprintf(GFP_KERNEL, "demo%u:%s", get_random_u8(), d->s);
	if (!d->label)
		return -ENOMEM;

	demo_free_rules(d);
	while (nr--) {
		rule = kzalloc_obj(*rule);
		if (!rule)
			return -ENOMEM;
		rule->match = get_random_u32();
		rule->prio = get_random_u16();
		list_add_tail(&rule->node, &d->rules);
	}

	demo_fill_own(d);
	return 0;
}

/* The first start: the memory that the driver keeps as long as it lives, and values */
static int demo_create(struct demo *d)
{
	d->p_ulong = kzalloc_obj(*d->p_ulong);
	d->ring = vzalloc(d->ring_size);
	d->folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, DEMO_FOLIO_ORDER);
	return d->p_ulong && d->ring && d->folio ? demo_fill(d) : -ENOMEM;
}

static int demo_values_show(struct seq_file *m, void *unused)
{
	struct demo *d = &demo;
	struct demo_rule *rule;

	guard(mutex)(&demo_lock);

	seq_printf(m, "i=%d\n", d->i);
	seq_printf(m, "p_ulong=%#lx\n", *d->p_ulong);
	seq_printf(m, "s=%s\n", d->s);
	/* The same page frames: the contents were never copied. */
	seq_printf(m, "folio.pfn=%#lx\n", folio_pfn(d->folio));
	seq_printf(m, "folio.crc=%08x\n",
		   crc32c(~0, folio_address(d->folio), folio_size(d->folio)));

	seq_printf(m, "link.speed=%llu\n", (u64)d->link.speed);
	seq_printf(m, "link.lanes=%u\n", d->link.lanes);
	seq_printf(m, "link.up=%u\n", d->link.up);

	seq_puts(m, "rules=");
	list_for_each_entry(rule, &d->rules, node)
		seq_printf(m, "%#x/%u ", rule->match, rule->prio);
	seq_puts(m, "\nsamples=");
	for (int i = 0; i < d->nr_samples; i++)
		seq_printf(m, "%d ", d->samples[i]);
	seq_printf(m, "\nlabel=%s\n", d->label);
	seq_printf(m, "queues=%*pbl\n", DEMO_QUEUES, d->queues);

	seq_puts(m, "ring.pfn=");
	for (u32 at = 0; at < d->ring_size; at += PAGE_SIZE)
		seq_printf(m, "%#lx ", vmalloc_to_pfn(d->ring + at));
	seq_printf(m, "\nring.crc=%08x\n", crc32c(~0, d->ring, d->ring_size));

	seq_printf(m, "bytes=%llu\n", (u64)d->bytes);
	seq_puts(m, "table=");
	for (int i = 0; i < ARRAY_SIZE(d->table); i++)
		seq_printf(m, "%u ", d->table[i]);
	seq_putc(m, '\n');

	demo_show_own(m, d);
	return 0;
}

static ssize_t demo_values_write(struct file *file, const char __user *buf, size_t size,
				 loff_t *pos)
{
	int ret;

	guard(mutex)(&demo_lock);
	ret = demo_fill(&demo);
	return ret ?: size;
}
DEFINE_SHOW_STORE_ATTRIBUTE(demo_values);

static int __init demo_init(void)
{
	bool restored;
	int ret;

	ret = kstate_restore_key(&demo_state, &demo, KSTATE_ID(0));
	restored = !ret;
	/* The first start after a boot, or the second of this module */
	if (ret == -ENOENT || ret == -EALREADY)
		ret = demo_create(&demo);
	else if (!ret && (!demo.p_ulong || !demo.label || !demo.folio || !demo.ring))
		ret = -EINVAL; /* NULL is a value, too, but none of ours */
	/* From here on a jump saves it: it has to be complete */
	if (!ret)
		ret = kstate_register_anew(&demo_state, &demo, KSTATE_ID(0));
	if (ret) {
		demo_free(&demo);
		return ret;
	}
	pr_info("generation %d, %s\n", CONFIG_SAMPLE_KSTATE_GENERATION,
		restored ? "restored" : "first start");

	demo_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("values", 0600, demo_dir, NULL, &demo_values_fops);
#if CONFIG_SAMPLE_KSTATE_GENERATION > 1
	debugfs_create_u16("mtu", 0600, demo_dir, &demo.mtu);
#endif
	return 0;
}
module_init(demo_init);

static void __exit demo_exit(void)
{
	debugfs_remove(demo_dir);
	kstate_unregister(&demo_state, &demo);
	demo_free(&demo);
}
module_exit(demo_exit);

MODULE_DESCRIPTION("Sample driver that keeps its state across a live update");
MODULE_LICENSE("GPL");
