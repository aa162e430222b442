// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random descriptions and random edits of them, for the tests: is what a check
 * foretells what restoring then does?
 *
 * With side=writer it registers or saves objects with random values. With
 * side=heir and the same seed it restores them, and compares the values. With
 * side=reader and the same seed the descriptions are those of another kernel:
 * some edited in one to three places, some unknown. It tries to restore, and
 * tells the outcome of each object in debugfs, in kstate_random/results. With
 * nothing to restore it only makes the descriptions known, for the catalogue.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kstate.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

static char *side = "writer";
module_param(side, charp, 0400);
MODULE_PARM_DESC(side, "writer, heir or reader");

static ulong seed;
module_param(seed, ulong, 0400);
MODULE_PARM_DESC(seed, "What follows from it is the same in every kernel");

static uint states = 150;
module_param(states, uint, 0400);
MODULE_PARM_DESC(states, "How many descriptions there are");

/* Results */
static uint edited, restored, refused, wrong;
module_param(edited, uint, 0400);
module_param(restored, uint, 0400);
module_param(refused, uint, 0400);
module_param(wrong, uint, 0400);

#define OBJECTS		4	/* of each description */
#define MAX_FIELDS	10
#define MAX_NAMES	64
#define MAX_INTS	5
#define MAX_TEXT	32
#define MAX_BITS	128
#define MAX_INNERS	3

/* Each field has a slot of its own, with the length of a varray at its end */
#define INNER_SLOT	48
#define INNER_SIZE	(MAX_FIELDS * INNER_SLOT)
#define SLOT		(MAX_INNERS * INNER_SIZE)
#define OBJECT_SIZE	(MAX_FIELDS * SLOT)

enum shape { INT, INTS, VARRAY, TEXT, BITS, INNER, INNERS, GONE };

struct field_spec {
	enum shape shape;
	enum kstate_type type;
	u32 name;
	u32 alias;		/* 0 for none */
	u32 num;
	bool has_default;
	bool hook;
	bool convert;
	bool ignorable;
	bool range;
	bool masked;
	u64 dflt, min, max, mask;
};

struct spec {
	u32 version;
	u32 min_version;
	u32 nr;
	u32 next_name;
	struct field_spec fields[MAX_FIELDS];
};

struct tables {
	struct kstate_description desc;
	struct kstate_field fields[MAX_FIELDS + 1];
	const char *aliases[MAX_FIELDS][2];
	char name[32];
};

struct outcome {
	int verdict;
	enum kstate_reason reason;
	bool tried;
};

struct state {
	struct spec top, inner;
	struct tables top_tables, inner_tables;
	bool optional;
	bool string_key;
	bool known;
	u8 *objs[OBJECTS];
	struct outcome outcomes[OBJECTS];
};

static struct state *all;
static char names[MAX_NAMES][4];
static char keys[OBJECTS][4];
static struct dentry *dir;

/* Random numbers */

struct rnd {
	u64 x;
};

static u64 rnd64(struct rnd *r)
{
	u64 z = r->x += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static u32 rnd(struct rnd *r, u32 below)
{
	return (u32)rnd64(r) % below;
}

static bool percent(struct rnd *r, u32 how_many)
{
	return rnd(r, 100) < how_many;
}

/* Any number of bits: most differences between types matter for a few values only */
static u64 random_int(struct rnd *r, enum kstate_type type)
{
	bool is_signed = (type & 0xf0) == 0x10;
	u32 bits = 1 + rnd(r, 8 * __kstate_size(type) - is_signed);
	u64 val = rnd64(r) >> (64 - bits);

	if (type == KS_BOOL)
		return val & 1;
	return is_signed && percent(r, 40) ? -val - 1 : val;
}

/* Descriptions */

static const enum kstate_type types[] = {
	KS_U8, KS_U16, KS_U32, KS_U64, KS_S8, KS_S16, KS_S32, KS_S64, KS_BOOL, KS_CHAR,
};

static bool is_int(const struct field_spec *f)
{
	return f->shape <= VARRAY;
}

static bool less(const struct field_spec *f, u64 a, u64 b)
{
	return (f->type & 0xf0) == 0x10 ? (s64)a < (s64)b : a < b;
}

static void random_limits(struct rnd *r, struct field_spec *f)
{
	u64 a = random_int(r, f->type), b = random_int(r, f->type);

	f->range = percent(r, 60);
	f->masked = !f->range;
	f->min = less(f, a, b) ? a : b;
	f->max = less(f, a, b) ? b : a;
	f->mask = a | 1;
	if (f->range && (less(f, f->dflt, f->min) || less(f, f->max, f->dflt)))
		f->dflt = f->min;
	if (f->masked)
		f->dflt &= f->mask;
}

static void random_type(struct rnd *r, struct field_spec *f)
{
	f->type = types[rnd(r, ARRAY_SIZE(types))];
	f->range = false;
	f->masked = false;
	f->dflt = f->shape == VARRAY || percent(r, 50) ? 0 : random_int(r, f->type);
	if (percent(r, 20))
		random_limits(r, f);
	if (f->shape == VARRAY)
		f->dflt = 0;
}

static void random_num(struct rnd *r, struct field_spec *f)
{
	static const u32 most[] = {
		[INT] = 1, [INTS] = MAX_INTS, [VARRAY] = MAX_INTS, [TEXT] = MAX_TEXT,
		[BITS] = MAX_BITS, [INNER] = 1, [INNERS] = MAX_INNERS, [GONE] = 1,
	};

	f->num = 1 + rnd(r, most[f->shape]);
}

static void random_field(struct rnd *r, struct field_spec *f, u32 name, bool inner)
{
	*f = (struct field_spec){ .name = name, .shape = rnd(r, inner ? BITS + 1 : INNERS + 1) };
	if (percent(r, 30))
		f->shape = INT;
	random_num(r, f);
	if (is_int(f))
		random_type(r, f);
	f->has_default = percent(r, 60);
	f->ignorable = percent(r, 15);
}

static void random_spec(struct rnd *r, struct spec *s, bool inner)
{
	s->version = 1 + rnd(r, 3);
	s->min_version = 1 + rnd(r, s->version);
	s->nr = 1 + rnd(r, inner ? 4 : 7);
	/* 0 is for no alias */
	s->next_name = 1;
	for (u32 i = 0; i < s->nr; i++)
		random_field(r, &s->fields[i], s->next_name++, inner);
}

/* Edits */

static struct field_spec *add_field(struct rnd *r, struct spec *s, bool inner)
{
	struct field_spec *f;

	if (s->nr == MAX_FIELDS || s->next_name == MAX_NAMES)
		return NULL;
	f = &s->fields[s->nr++];
	random_field(r, f, s->next_name++, inner);
	return f;
}

static void remove_field(struct rnd *r, struct spec *s, struct field_spec *f)
{
	if (percent(r, 40))
		*f = (struct field_spec){ .name = f->name, .shape = GONE };
	else if (s->nr > 1)
		*f = s->fields[--s->nr];
}

/* What is left must hold something */
static void ensure_data(struct rnd *r, struct spec *s, bool inner)
{
	for (u32 i = 0; i < s->nr; i++)
		if (s->fields[i].shape != GONE)
			return;
	random_field(r, &s->fields[0], s->fields[0].name, inner);
}

static void rename_field(struct rnd *r, struct spec *s, struct field_spec *f)
{
	if (f->shape == GONE || f->alias || s->next_name == MAX_NAMES)
		return;
	f->alias = percent(r, 70) ? f->name : 0;
	f->name = s->next_name++;
}

static void edit(struct rnd *r, struct spec *s, struct spec *inner)
{
	struct field_spec *f = &s->fields[rnd(r, s->nr)], *g = &s->fields[rnd(r, s->nr)];

	switch (rnd(r, 14)) {
	case 0:
		remove_field(r, s, f);
		break;
	case 1:
	case 2:
		f = add_field(r, s, !inner);
		if (f && percent(r, 30)) {
			f->hook = true;
			f->has_default = false;
		}
		break;
	case 3:
	case 4:
	case 5:
		if (is_int(f))
			random_type(r, f);
		break;
	case 6:
		rename_field(r, s, f);
		break;
	case 7:
		random_num(r, f);
		break;
	case 8:
		f->has_default = f->shape != GONE && !f->hook && !f->has_default;
		break;
	case 9:
		if (is_int(f))
			random_limits(r, f);
		if (f->shape == VARRAY)
			f->dflt = 0;
		break;
	case 10:
		random_field(r, f, f->name, !inner);
		f->convert = percent(r, 40);
		break;
	case 11:
		swap(*f, *g);
		break;
	case 12:
		s->version += rnd(r, 3);
		s->min_version = 1 + rnd(r, s->version);
		break;
	case 13:
		if (inner)
			edit(r, inner, NULL);
		break;
	}
}

/* Tables as KSTATE takes them */

static int absent(void *member, const struct kstate_field *field)
{
	return 0;
}

static int convert(void *member, const struct kstate_value *from,
		   const struct kstate_field *field)
{
	return 0;
}

static void make_field(struct kstate_field *k, const struct field_spec *f, u32 offset, u32 slot,
		       const struct kstate_description *inner)
{
	static const enum kstate_kind kinds[] = {
		[INT] = KS_BASE_TYPE, [INTS] = KS_BASE_TYPE, [VARRAY] = KS_BASE_TYPE,
		[TEXT] = KS_STRING, [BITS] = KS_BITMAP, [INNER] = KS_STRUCT,
		[INNERS] = KS_STRUCT, [GONE] = KS_REMOVED,
	};
	static const u16 modifiers[] = {
		[INTS] = KS_ARRAY, [VARRAY] = KS_VARRAY, [INNERS] = KS_ARRAY, [GONE] = 0,
	};

	*k = (struct kstate_field){
		.name = names[f->name], .kind = kinds[f->shape], .offset = offset, .num = f->num,
		.modifiers = modifiers[f->shape], .has_default = f->has_default,
		.ignorable = f->ignorable, .range = f->range, .masked = f->masked,
		.min = f->min, .max = f->max, .mask = f->mask,
		.absent = f->hook ? absent : NULL, .convert = f->convert ? convert : NULL,
	};
	switch (f->shape) {
	case VARRAY:
		/* Functions do not know the member that holds the length */
		k->absent = NULL;
		k->convert = NULL;
		k->length.offset = offset + slot - sizeof(u32);
		k->length.type = KS_U32;
		fallthrough;
	case INT:
	case INTS:
		k->type = f->type;
		k->size = __kstate_size(f->type);
		k->dflt = f->has_default ? f->dflt : 0;
		break;
	case TEXT:
		k->type = KS_CHAR;
		k->size = 1;
		break;
	case BITS:
		k->size = sizeof(long);
		break;
	case INNER:
	case INNERS:
		k->size = INNER_SIZE;
		k->ksd = inner;
		break;
	case GONE:
		break;
	}
}

static void make_tables(struct tables *t, const struct spec *s, u32 slot,
			const struct kstate_description *inner)
{
	for (u32 i = 0; i < s->nr; i++) {
		make_field(&t->fields[i], &s->fields[i], i * slot, slot, inner);
		if (!s->fields[i].alias)
			continue;
		t->aliases[i][0] = names[s->fields[i].alias];
		t->fields[i].aliases = t->aliases[i];
	}
	t->fields[s->nr].kind = KS_END;
	t->desc = (struct kstate_description){
		.name = t->name, .version_id = s->version, .min_version_id = s->min_version,
		.fields = t->fields,
	};
}

static struct kstate_key key_of(const struct state *state, u32 i)
{
	return state->string_key ? KSTATE_NAME(keys[i]) : KSTATE_ID(i);
}

static struct rnd rnd_of(u32 nr, u32 what)
{
	return (struct rnd){ .x = seed * 1000003 + nr * 4 + what };
}

static void make_state(u32 nr, bool reader)
{
	struct state *s = &all[nr];
	struct rnd r = rnd_of(nr, 0);

	random_spec(&r, &s->top, false);
	random_spec(&r, &s->inner, true);
	s->optional = percent(&r, 25);
	s->string_key = percent(&r, 25);
	s->known = true;
	if (reader) {
		u32 edits;

		r = rnd_of(nr, 1);
		edits = rnd(&r, 4);
		edited += !!edits;
		while (edits--)
			edit(&r, &s->top, &s->inner);
		ensure_data(&r, &s->top, false);
		ensure_data(&r, &s->inner, true);
		s->known = percent(&r, 94);
		if (percent(&r, 3))
			s->string_key = !s->string_key;
	}
	snprintf(s->top_tables.name, sizeof(s->top_tables.name), "random%lu,%u", seed, nr);
	snprintf(s->inner_tables.name, sizeof(s->inner_tables.name), "inner%lu,%u", seed, nr);
	make_tables(&s->inner_tables, &s->inner, INNER_SLOT, NULL);
	make_tables(&s->top_tables, &s->top, SLOT, &s->inner_tables.desc);
	s->top_tables.desc.optional = s->optional;
	s->top_tables.desc.string_key = s->string_key;
}

/* Values */

static void store(u8 *at, u32 size, u64 val)
{
	u8 one = val;
	u16 two = val;
	u32 four = val;

	memcpy(at, size == 1 ? (void *)&one : size == 2 ? (void *)&two :
		   size == 4 ? (void *)&four : (void *)&val, size);
}

static u64 value_of(struct rnd *r, const struct field_spec *f)
{
	u64 val = random_int(r, f->type), span = f->max - f->min + 1;

	if (f->range && span)
		val = f->min + val % span;
	return f->masked ? val & f->mask : val;
}

static void fill(struct rnd *r, const struct spec *s, u32 slot, const struct spec *inner, u8 *obj)
{
	for (u32 i = 0; i < s->nr; i++, obj += slot) {
		const struct field_spec *f = &s->fields[i];
		u32 size = __kstate_size(f->type), count = f->num;
		bool is_default = f->has_default && percent(r, 50);

		switch (f->shape) {
		case VARRAY:
			count = is_default ? 0 : rnd(r, f->num + 1);
			store(obj + slot - sizeof(u32), sizeof(u32), count);
			fallthrough;
		case INT:
		case INTS:
			for (u32 n = 0; n < count; n++)
				store(obj + n * size, size, is_default ? f->dflt : value_of(r, f));
			break;
		case TEXT:
			count = is_default ? 0 : rnd(r, f->num);
			memset(obj, 'a' + rnd(r, 26), count);
			break;
		case BITS:
			if (!is_default)
				__set_bit(rnd(r, f->num), (unsigned long *)obj);
			break;
		case INNER:
		case INNERS:
			for (u32 n = 0; n < count; n++)
				fill(r, inner, INNER_SLOT, NULL, obj + n * INNER_SIZE);
			break;
		case GONE:
			break;
		}
	}
}

/* The two sides */

/* Half of them are saved now, the others at the jump */
static int write_objects(u32 nr)
{
	struct state *s = &all[nr];
	struct rnd r = rnd_of(nr, 2);
	int ret = 0;

	for (u32 i = 0; i < OBJECTS && !ret; i++) {
		fill(&r, &s->top, SLOT, &s->inner, s->objs[i]);
		if (i % 2)
			ret = kstate_save_state_key(&s->top_tables.desc, s->objs[i], key_of(s, i));
		else
			ret = kstate_register_key(&s->top_tables.desc, s->objs[i], key_of(s, i),
						  NULL);
	}
	return ret;
}

/* What is restored must be what was written, and what is not must have an error */
static int inherit_objects(u32 nr)
{
	struct state *s = &all[nr];
	struct rnd r = rnd_of(nr, 2);
	u8 *written;

	for (u32 i = 0; i < OBJECTS; i++) {
		bool found = false;
		int ret;

		written = kvzalloc(OBJECT_SIZE, GFP_KERNEL);
		if (!written)
			return -ENOMEM;
		fill(&r, &s->top, SLOT, &s->inner, written);
		ret = kstate_register_key(&s->top_tables.desc, s->objs[i], key_of(s, i), &found);
		if (ret)
			memset(written, 0, OBJECT_SIZE);
		restored += found;
		refused += !!ret;
		wrong += (!ret && !found) || memcmp(written, s->objs[i], OBJECT_SIZE);
		kvfree(written);
	}
	return 0;
}

static void read_object(struct kstate_stream *in, struct state *s, u32 i)
{
	struct kstate_description *desc = &s->top_tables.desc;
	struct outcome *o = &s->outcomes[i];
	struct kstate_error err = {};
	int ret;

	o->verdict = kstate_stream_check(in, desc, s->objs[i], key_of(s, i), &err);
	o->reason = err.reason;
	o->tried = true;
	ret = kstate_stream_restore(in, desc, s->objs[i], key_of(s, i), &err);
	if (ret ? ret != o->verdict || err.reason != o->reason : o->verdict < 0)
		wrong++;
	restored += !ret;
	refused += !!ret;
}

static int read_objects(u32 nr)
{
	struct kstate_stream *in = kstate_stream_find(kstate_incoming(), "kernel");
	struct state *s = &all[nr];
	int ret;

	if (!s->known)
		return 0;
	ret = kstate_check_description(&s->top_tables.desc, NULL);
	for (u32 i = 0; i < OBJECTS && in && !ret; i++)
		read_object(in, s, i);
	return ret;
}

static int results_show(struct seq_file *m, void *v)
{
	static const char *const verdicts[] = { "exact", "converted", "defaulted", "lossy" };

	for (u32 i = 0; i < states * OBJECTS; i++) {
		const struct state *s = &all[i / OBJECTS];
		const struct outcome *o = &s->outcomes[i % OBJECTS];

		seq_printf(m, s->string_key ? "%s[\"%s\"] " : "%s[%.1s] ", s->top_tables.name,
			   s->string_key ? keys[i % OBJECTS] : keys[i % OBJECTS] + 1);
		if (!o->tried)
			seq_puts(m, "unknown\n");
		else if (o->verdict < 0)
			seq_printf(m, "blocked %s\n", kstate_reason_name(o->reason));
		else
			seq_printf(m, "%s\n", verdicts[o->verdict]);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(results);

static void states_exit(void)
{
	debugfs_remove(dir);
	for (u32 i = 0; i < states; i++) {
		struct state *s = &all[i];

		for (u32 n = 0; n < OBJECTS; n++) {
			kstate_unregister(&s->top_tables.desc, s->objs[n]);
			/* A jump may be in preparation, and be called off */
			while (kstate_drop_key(&s->top_tables.desc, key_of(s, n)) == -EBUSY)
				msleep(20);
			kvfree(s->objs[n]);
		}
		kstate_forget(&s->top_tables.desc);
		kstate_forget(&s->inner_tables.desc);
	}
	kvfree(all);
}
module_exit(states_exit);

static int __init states_init(void)
{
	bool reader = !strcmp(side, "reader"), heir = !strcmp(side, "heir");
	int ret = 0;

	for (u32 i = 0; i < MAX_NAMES; i++)
		snprintf(names[i], sizeof(names[i]), "f%u", i);
	for (u32 i = 0; i < OBJECTS; i++)
		snprintf(keys[i], sizeof(keys[i]), "k%u", i);
	all = kvcalloc(states, sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	for (u32 i = 0; i < states; i++) {
		make_state(i, reader);
		for (u32 n = 0; n < OBJECTS && !ret; n++) {
			all[i].objs[n] = kvzalloc(OBJECT_SIZE, GFP_KERNEL);
			ret = all[i].objs[n] ? 0 : -ENOMEM;
		}
	}
	for (u32 i = 0; i < states && !ret; i++)
		ret = reader ? read_objects(i) : heir ? inherit_objects(i) : write_objects(i);
	if (ret) {
		states_exit();
		return ret;
	}
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("results", 0400, dir, NULL, &results_fops);
	pr_info("%s: %u states, %u edited, %u objects restored, %u refused, %u wrong\n", side,
		states, edited, restored, refused, wrong);
	return 0;
}
module_init(states_init);

MODULE_DESCRIPTION("Random states and edits of them, for the tests of KSTATE");
MODULE_LICENSE("GPL");
