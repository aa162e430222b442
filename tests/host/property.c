// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random descriptions, random objects, and pairs of descriptions made by
 * editing one another. What restoring does is compared with a model of the
 * rules that shares nothing with the core: it works on trees of values and
 * knows neither bytes nor plans.
 *
 * usage: property [rounds]; KSTATE_SEED= repeats one round
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "host.h"

/* Random numbers; everything that a round allocates is freed at its end */

/* The seed is told by the parent if a round ends the program */
static u64 *shared_seed, state_of_random;
#define seed	(*shared_seed)

static u64 rnd(void)
{
	state_of_random ^= state_of_random << 13;
	state_of_random ^= state_of_random >> 7;
	state_of_random ^= state_of_random << 17;
	return state_of_random * 0x2545f4914f6cdd1dULL;
}

static u32 below(u32 n)
{
	return (rnd() >> 33) % n;
}

static bool one_in(u32 n)
{
	return below(n) == 0;
}

struct chunk {
	struct chunk *next;
	u64 data[];
};

static struct chunk *chunks;

static void *get(size_t size)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + size);

	chunk->next = chunks;
	chunks = chunk;
	return chunk->data;
}

static void free_chunks(void)
{
	struct chunk *chunk;

	while ((chunk = chunks)) {
		chunks = chunk->next;
		free(chunk);
	}
}

static void dump_specs(void);

#define check(_cond, ...) do {							\
	if (!(_cond)) {								\
		printf("%s:%d: %s\n", __FILE__, __LINE__, #_cond);		\
		printf(" " __VA_ARGS__);						\
		printf("\nKSTATE_SEED=%llu\n", (unsigned long long)seed);	\
		dump_specs();							\
		printf("%s", shim_log());					\
		exit(1);							\
	}									\
} while (0)

/* What a description says, as data that can be edited */

enum kind {
	INT, INTS, INT_POINTER, INT_VARRAY, INT_ROOM, INT_POINTERS,
	STRUCT, STRUCTS, STRUCT_POINTER, STRUCT_VARRAY, STRUCT_POINTERS,
	STRING, STRING_POINTER, BITMAP, LIST, XARRAY, UNION, GROUP, NR_KINDS,
};

#define MAX_FIELDS	8
#define MAX_ARMS	3
#define MAX_REMOVED	3

struct spec;

struct field {
	char name[8];
	char alias[8];
	enum kind kind;
	u8 type;
	u32 num;		/* elements, room, bits */
	bool has_default;
	bool ignorable;
	bool range;
	bool masked;
	s64 dflt, min, max;
	u64 mask;
	struct spec *sub;
	u32 nr_arms;
	struct {
		char name[8];
		u64 tag;
		struct spec *sub;
	} arms[MAX_ARMS];
};

struct spec {
	u32 version, min_version;
	u32 nr;
	struct field fields[MAX_FIELDS];
	u32 nr_removed;
	char removed[MAX_REMOVED][8];
};

static bool kind_of_int(enum kind kind)
{
	return kind <= INT_POINTERS;
}

static bool has_struct(enum kind kind)
{
	return (kind >= STRUCT && kind <= STRUCT_POINTERS) || kind == LIST || kind == XARRAY ||
	       kind == GROUP;
}

/* Integer types */

static const u8 int_types[] = {
	KS_U8, KS_U16, KS_U32, KS_U64, KS_S8, KS_S16, KS_S32, KS_S64, KS_BOOL, KS_CHAR,
};

static bool is_signed(u8 type)
{
	return (type >> 4) == 1;
}

static u32 bits_of(u8 type)
{
	return 8 * (type & 15);
}

static s64 lowest(u8 type)
{
	return is_signed(type) ? (s64)(~0ULL << (bits_of(type) - 1)) : 0;
}

static u64 highest(u8 type)
{
	return type == KS_BOOL ? 1 : ~0ULL >> (64 - bits_of(type) + is_signed(type));
}

/* Whether @val, a value of type @from, is one of type @type */
static bool in_type(u64 val, u8 from, u8 type)
{
	if (is_signed(from) && (s64)val < 0)
		return is_signed(type) && (s64)val >= lowest(type);
	return val <= highest(type);
}

enum fit { NEVER, ALWAYS, BY_VALUE };

static enum fit fit(u8 w, u8 r)
{
	if (w == r || w == KS_BOOL)
		return ALWAYS;
	if (is_signed(w))
		return !is_signed(r) ? NEVER : bits_of(r) > bits_of(w) ? ALWAYS : BY_VALUE;
	if (r == KS_BOOL)
		return BY_VALUE;
	if (is_signed(r))
		return bits_of(r) > bits_of(w) ? ALWAYS : NEVER;
	return bits_of(r) >= bits_of(w) ? ALWAYS : BY_VALUE;
}

static bool meets(const struct field *f, u64 val)
{
	if (f->range && (is_signed(f->type) ? (s64)val < f->min || (s64)val > f->max :
					      val < (u64)f->min || val > (u64)f->max))
		return false;
	return !f->masked || !(val & ~f->mask);
}

/* Making specs */

static bool name_used(const struct spec *s, const char *name)
{
	for (u32 i = 0; i < s->nr; i++)
		if (!strcmp(s->fields[i].name, name) || !strcmp(s->fields[i].alias, name))
			return true;
	for (u32 i = 0; i < s->nr_removed; i++)
		if (!strcmp(s->removed[i], name))
			return true;
	return false;
}

static void new_name(const struct spec *s, char *name)
{
	char fresh[8];

	/* @name may be one of @s's: it is used until it is changed */
	do
		snprintf(fresh, sizeof(fresh), "f%u", below(24));
	while (name_used(s, fresh));
	memcpy(name, fresh, sizeof(fresh));
}

static struct spec *make_spec(u32 depth, bool group);

/* Make the constraints and the default agree with the type and each other */
static void settle(struct field *f, u32 depth, bool group)
{
	if (f->kind == GROUP || group)
		f->has_default = true;
	if (!kind_of_int(f->kind))
		f->range = f->masked = false;
	if (f->kind == STRING || f->kind == STRING_POINTER)
		f->type = KS_CHAR;
	if (!in_type(f->min, f->type, f->type) || !in_type(f->max, f->type, f->type) ||
	    (is_signed(f->type) ? f->min > f->max : (u64)f->min > (u64)f->max))
		f->range = false;
	if (f->range || is_signed(f->type) || f->type == KS_BOOL || f->type == KS_CHAR)
		f->masked = false;
	if (f->kind != INT && f->kind != INTS)
		f->dflt = 0;
	if (!in_type(f->dflt, f->type, f->type) || !f->has_default)
		f->dflt = 0;
	/* Structs inside of others may be absent with them */
	if ((f->has_default || depth) && (f->kind == INT || f->kind == INTS) && !meets(f, f->dflt))
		f->range = f->masked = false;
}

static s64 interesting(u8 type)
{
	switch (below(6)) {
	case 0:
		return lowest(type);
	case 1:
		return highest(type);
	case 2:
		return type == KS_BOOL ? below(2) : below(100);
	case 3:
		return is_signed(type) ? -(s64)below(100) : 0;
	case 4:
		return type == KS_BOOL ? below(2) : is_signed(type) ?
			(s64)(rnd() << (64 - bits_of(type))) >> (64 - bits_of(type)) :
			(s64)(rnd() >> (64 - bits_of(type)));
	default:
		return 0;
	}
}

static void fill_kind(struct field *f, u32 depth, bool group)
{
	f->kind = below(NR_KINDS);
	if (depth >= 3 && (has_struct(f->kind) || f->kind == UNION))
		f->kind = below(STRUCT);
	f->type = int_types[below(ARRAY_SIZE(int_types))];
	f->num = 1 + below(5);
	if (f->kind == STRING)
		f->num = 1 + below(12);
	if (f->kind == BITMAP)
		f->num = 1 + below(140);
	if (f->kind == INT || f->kind == STRUCT)
		f->num = 1;
	f->sub = has_struct(f->kind) ? make_spec(depth + 1, f->kind == GROUP) : NULL;
	f->nr_arms = f->kind == UNION ? 1 + below(MAX_ARMS) : 0;
	for (u32 i = 0; i < f->nr_arms; i++) {
		snprintf(f->arms[i].name, 8, "arm%c", (char)('a' + i));
		/* Zeros are the first arm: what a union is by default says nothing about its tag */
		f->arms[i].tag = i ? 10 * i + below(10) : 0;
		f->arms[i].sub = make_spec(depth + 1, false);
	}
	f->range = one_in(4);
	f->min = interesting(f->type);
	f->max = interesting(f->type);
	if (is_signed(f->type) ? f->min > f->max : (u64)f->min > (u64)f->max)
		swap(f->min, f->max);
	f->masked = one_in(8);
	f->mask = rnd();
	f->dflt = one_in(2) ? 0 : interesting(f->type);
	settle(f, depth, group);
}

static void add_field(struct spec *s, u32 depth, bool group)
{
	struct field f = {};

	new_name(s, f.name);
	if (one_in(6))
		do
			new_name(s, f.alias);
		while (!strcmp(f.alias, f.name));
	f.has_default = one_in(2);
	f.ignorable = one_in(8);
	fill_kind(&f, depth, group);
	s->fields[s->nr++] = f;
}

static struct spec *make_spec(u32 depth, bool group)
{
	struct spec *s = get(sizeof(*s));
	u32 nr = 1 + below(depth ? 2 : 5);

	s->version = 1 + below(3);
	s->min_version = 1;
	while (nr--)
		add_field(s, depth, group);
	if (one_in(6)) {
		new_name(s, s->removed[0]);
		s->nr_removed = 1;
	}
	return s;
}

static struct spec *clone(const struct spec *old)
{
	struct spec *s = get(sizeof(*s));

	*s = *old;
	for (u32 i = 0; i < s->nr; i++) {
		struct field *f = &s->fields[i];

		if (f->sub)
			f->sub = clone(f->sub);
		for (u32 j = 0; j < f->nr_arms; j++)
			f->arms[j].sub = clone(f->arms[j].sub);
	}
	return s;
}

static void edit(struct spec *s, u32 depth, bool group)
{
	struct field *f = &s->fields[below(s->nr)], old;
	u32 other;

	/* Go down, or edit here */
	if (f->sub && one_in(2)) {
		edit(f->sub, depth + 1, f->kind == GROUP);
		return;
	}
	if (f->nr_arms && one_in(2)) {
		edit(f->arms[below(f->nr_arms)].sub, depth + 1, false);
		return;
	}

	switch (below(16)) {
	case 0:
		if (s->nr == 1)
			break;
		*f = s->fields[--s->nr];
		break;
	case 1:
		if (s->nr < MAX_FIELDS)
			add_field(s, depth, group);
		break;
	case 2:
		new_name(s, f->name);
		break;
	case 3:
		strscpy(f->alias, f->name, sizeof(f->alias));
		new_name(s, f->name);
		break;
	case 4:
		other = below(s->nr);
		swap(*f, s->fields[other]);
		break;
	case 5:
	case 6:
		f->type = int_types[below(ARRAY_SIZE(int_types))];
		settle(f, depth, group);
		break;
	case 7:
		if (f->kind != INT && f->kind != STRUCT)
			f->num = 1 + below(f->kind == BITMAP ? 140 : 6);
		break;
	case 8:
		old = *f;
		fill_kind(f, depth, group);
		strscpy(f->name, old.name, sizeof(f->name));
		break;
	case 9:
		s->version += below(2);
		s->min_version = 1 + below(s->version);
		break;
	case 10:
		f->has_default = !f->has_default;
		settle(f, depth, group);
		break;
	case 11:
		f->ignorable = !f->ignorable;
		break;
	case 12:
		if (s->nr == 1 || s->nr_removed == MAX_REMOVED)
			break;
		strscpy(s->removed[s->nr_removed++], f->name, 8);
		*f = s->fields[--s->nr];
		break;
	case 13:
		f->range = !f->range;
		f->masked = one_in(4);
		settle(f, depth, group);
		break;
	case 15:
		f->dflt = interesting(f->type);
		settle(f, depth, group);
		break;
	case 14:
		if (f->nr_arms < 2)
			break;
		other = 1 + below(f->nr_arms - 1);
		if (one_in(2))
			f->arms[other].tag = 10 * other + below(10) + 100;
		else
			f->arms[other] = f->arms[--f->nr_arms];
		break;
	}
}

/* Specs for people */

static const char *const kind_names[] = {
	"int", "ints", "int_pointer", "int_varray", "int_room", "int_pointers",
	"struct", "structs", "struct_pointer", "struct_varray", "struct_pointers",
	"string", "string_pointer", "bitmap", "list", "xarray", "union", "group",
};

static void dump_spec(const struct spec *s, u32 depth)
{
	printf("%*sversion %u from %u", depth, "", s->version, s->min_version);
	for (u32 i = 0; i < s->nr_removed; i++)
		printf(", removed %s", s->removed[i]);
	printf("\n");
	for (u32 i = 0; i < s->nr; i++) {
		const struct field *f = &s->fields[i];

		printf("%*s%s: %s type %#x num %u", depth, "", f->name, kind_names[f->kind],
		       f->type, f->num);
		if (f->alias[0])
			printf(", alias %s", f->alias);
		if (f->has_default)
			printf(", default %lld", f->dflt);
		if (f->ignorable)
			printf(", ignorable");
		if (f->range)
			printf(", range %lld %lld", f->min, f->max);
		if (f->masked)
			printf(", mask %#llx", f->mask);
		printf("\n");
		if (f->sub)
			dump_spec(f->sub, depth + 4);
		for (u32 j = 0; j < f->nr_arms; j++) {
			printf("%*sarm %s = %llu\n", depth + 2, "", f->arms[j].name,
			       f->arms[j].tag);
			dump_spec(f->arms[j].sub, depth + 4);
		}
	}
}

static const struct spec *dump_writer, *dump_reader;

static void dump_specs(void)
{
	if (dump_writer) {
		printf("writer:\n");
		dump_spec(dump_writer, 2);
	}
	if (dump_reader) {
		printf("reader:\n");
		dump_spec(dump_reader, 2);
	}
}

/*
 * Values: what an object holds, without where. Integers, characters and bits
 * are in @ints; a string has its NUL, and none at all if it is NULL.
 */
struct value {
	u32 n;
	u64 *ints;
	struct values **subs;
	bool *present;
	u64 *index;
	u32 arm;
};

struct values {
	struct value v[MAX_FIELDS];
};

static u64 make_int(const struct field *f)
{
	u64 val;

	for (int tries = 0; tries < 20; tries++) {
		val = one_in(3) && (f->kind == INT || f->kind == INTS) ? f->dflt :
			interesting(f->type);
		if (f->masked)
			val &= f->mask;
		if (meets(f, val))
			return val;
	}
	val = f->min;
	return f->masked ? val & f->mask : val;
}

static void size_value(struct value *v, u32 n)
{
	v->n = n;
	v->ints = get(n * sizeof(*v->ints));
	v->subs = get(n * sizeof(*v->subs));
	v->present = get(n);
	v->index = get(n * sizeof(*v->index));
}

static struct values *make_values(const struct spec *s)
{
	struct values *values = get(sizeof(*values));
	u64 index = 0;

	for (u32 i = 0; i < s->nr; i++) {
		const struct field *f = &s->fields[i];
		struct value *v = &values->v[i];
		u32 n = f->num;

		switch (f->kind) {
		case INT_POINTER:
		case STRUCT_POINTER:
		case GROUP:
			n = below(2);
			break;
		case INT_VARRAY:
		case STRUCT_VARRAY:
		case LIST:
		case XARRAY:
			n = below(5);
			break;
		case INT_ROOM:
			n = below(f->num + 1);
			break;
		case STRING:
			n = 1 + below(f->num);
			break;
		case STRING_POINTER:
			n = below(12);
			break;
		case UNION:
			n = 1;
			break;
		default:
			break;
		}
		size_value(v, n);
		v->arm = f->nr_arms ? below(f->nr_arms) : 0;
		for (u32 j = 0; j < n; j++) {
			v->present[j] = !one_in(3);
			index += 1 + (one_in(2) ? below(5) : rnd() >> 34);
			v->index[j] = index;
			if (f->kind == STRING || f->kind == STRING_POINTER)
				v->ints[j] = j + 1 < n ? 1 + below(255) : 0;
			else if (f->kind == BITMAP)
				v->ints[j] = one_in(8) && !one_in(3);
			else if (f->kind == UNION)
				v->subs[j] = make_values(f->arms[v->arm].sub);
			else if (f->sub)
				v->subs[j] = make_values(f->sub);
			else
				v->ints[j] = make_int(f);
		}
		/* A group that is off still has members */
		if (f->kind == GROUP && !n) {
			size_value(v, 1);
			v->n = 0;
			v->subs[0] = make_values(f->sub);
		}
		if (f->kind == BITMAP && one_in(3))
			memset(v->ints, 0, n * sizeof(*v->ints));
	}
	return values;
}

/* An in-place string that is empty is nothing, as in the stream */
static bool all_default(const struct spec *s, const struct values *values);

/* and a group that is off goes if it would not come back as it is */
static u32 wire_count(const struct field *f, const struct value *v)
{
	if (f->kind == GROUP)
		return v->n || !all_default(f->sub, v->subs[0]);
	return f->kind == STRING && v->n == 1 ? 0 : v->n;
}

/* The model */

struct prediction {
	bool blocked;
	int verdict;
	bool value;		/* -ERANGE may be the answer */
	bool room;		/* -ENOSPC may be the answer */
};

enum container { ONE, ARRAY, OPTIONAL, SEQUENCE, POINTERS, MAP, BITS, ARMS };

static enum container container(enum kind kind)
{
	static const u8 containers[] = {
		[INT] = ONE, [INTS] = ARRAY, [INT_POINTER] = OPTIONAL, [INT_VARRAY] = SEQUENCE,
		[INT_ROOM] = SEQUENCE, [INT_POINTERS] = POINTERS, [STRUCT] = ONE,
		[STRUCTS] = ARRAY, [STRUCT_POINTER] = OPTIONAL, [STRUCT_VARRAY] = SEQUENCE,
		[STRUCT_POINTERS] = POINTERS, [STRING] = SEQUENCE, [STRING_POINTER] = SEQUENCE,
		[BITMAP] = BITS, [LIST] = SEQUENCE, [XARRAY] = MAP, [UNION] = ARMS,
		[GROUP] = OPTIONAL,
	};

	return containers[kind];
}

static void raise_to(struct prediction *p, int verdict)
{
	p->verdict = max(p->verdict, verdict);
}

static const struct field *find(const struct spec *s, const char *name)
{
	for (u32 i = 0; i < s->nr; i++)
		if (!strcmp(s->fields[i].name, name))
			return &s->fields[i];
	return NULL;
}

/* The reader's field for one of the writer's */
static const struct field *match(const struct spec *w, const struct field *f,
				 const struct spec *r)
{
	const struct field *g = find(r, f->name);

	for (u32 i = 0; !g && i < r->nr; i++)
		if (!strcmp(r->fields[i].alias, f->name) && !find(w, r->fields[i].name))
			g = &r->fields[i];
	/* Renamed by the writer: by its old name, unless that is taken otherwise */
	if (!g && f->alias[0]) {
		const struct field *taken;

		g = find(r, f->alias);
		taken = g && g->alias[0] ? find(w, g->alias) : NULL;
		if (g && (find(w, g->name) || (taken && !find(r, taken->name))))
			g = NULL;
	}
	return g;
}

static void shape(const struct spec *w, const struct spec *r, struct prediction *p);

/* What the two fields mean for each other, whatever the values */
static void shape_field(const struct field *f, const struct field *g, struct prediction *p)
{
	if (container(f->kind) != container(g->kind) || !f->sub != !g->sub) {
		p->blocked = true;
		return;
	}
	if (f->kind == UNION) {
		for (u32 i = 0; i < f->nr_arms; i++) {
			u32 j;

			for (j = 0; j < g->nr_arms && strcmp(f->arms[i].name, g->arms[j].name); j++)
				;
			if (j < g->nr_arms)
				shape(f->arms[i].sub, g->arms[j].sub, p);
			else
				raise_to(p, KSTATE_CONVERTED);
		}
		return;
	}
	if (f->sub) {
		shape(f->sub, g->sub, p);
	} else if (f->kind != BITMAP) {
		if (fit(f->type, g->type) == NEVER) {
			p->blocked = true;
			return;
		}
		if (f->type != g->type)
			raise_to(p, KSTATE_CONVERTED);
	}
	if (container(f->kind) == ARRAY && f->num != g->num) {
		if (f->num < g->num && !g->has_default)
			p->blocked = true;
		raise_to(p, KSTATE_DEFAULTED);
	}
}

static bool removed(const struct spec *r, const char *name)
{
	for (u32 i = 0; i < r->nr_removed; i++)
		if (!strcmp(r->removed[i], name))
			return true;
	return false;
}

static void shape(const struct spec *w, const struct spec *r, struct prediction *p)
{
	if (w->version < r->min_version || r->version < w->min_version)
		p->blocked = true;
	for (u32 i = 0; i < w->nr; i++) {
		const struct field *f = &w->fields[i], *g = match(w, f, r);

		if (g)
			shape_field(f, g, p);
		else if (removed(r, f->name) || f->ignorable || f->has_default)
			raise_to(p, KSTATE_DEFAULTED);
		else
			p->blocked = true;
	}
	for (u32 i = 0; i < r->nr; i++) {
		const struct field *g = &r->fields[i];
		bool there = false;

		for (u32 j = 0; j < w->nr; j++)
			there |= match(w, &w->fields[j], r) == g;
		if (there)
			continue;
		if (!g->has_default)
			p->blocked = true;
		raise_to(p, KSTATE_DEFAULTED);
	}
}

/* Defaults */

static struct values *zero_values(const struct spec *s, bool defaults);

/* What a field holds by default; @defaults is false where there are only zeros */
static void default_value(const struct field *g, struct value *v, bool defaults)
{
	u32 n = 0;

	switch (container(g->kind)) {
	case ONE:
	case ARRAY:
	case BITS:
	case POINTERS:
		n = g->num;
		break;
	case ARMS:
		n = 1;
		break;
	default:
		break;
	}
	size_value(v, n);
	for (u32 i = 0; i < n; i++) {
		if (g->kind == UNION)
			v->subs[i] = zero_values(g->arms[0].sub, defaults);
		else if (g->sub && container(g->kind) != POINTERS)
			v->subs[i] = zero_values(g->sub, defaults);
		else if (kind_of_int(g->kind) && container(g->kind) != POINTERS)
			v->ints[i] = defaults ? g->dflt : 0;
	}
	if (g->kind == GROUP) {
		v->subs = get(sizeof(*v->subs));
		v->subs[0] = zero_values(g->sub, defaults);
	}
	if (g->kind == STRING)
		size_value(v, 1);
}

static struct values *zero_values(const struct spec *s, bool defaults)
{
	struct values *values = get(sizeof(*values));

	for (u32 i = 0; i < s->nr; i++)
		default_value(&s->fields[i], &values->v[i], defaults);
	return values;
}

static bool is_default(const struct field *f, const struct value *v, u32 from)
{
	if (f->kind == GROUP)
		return !wire_count(f, v);
	for (u32 i = from; i < v->n; i++) {
		switch (container(f->kind)) {
		case ONE:
		case ARRAY:
			if (!f->sub && v->ints[i] != (u64)f->dflt)
				return false;
			for (u32 j = 0; f->sub && j < f->sub->nr; j++)
				if (!is_default(&f->sub->fields[j], &v->subs[i]->v[j], 0))
					return false;
			break;
		case BITS:
			if (v->ints[i])
				return false;
			break;
		case POINTERS:
			if (v->present[i])
				return false;
			break;
		case SEQUENCE:
			return !wire_count(f, v);
		case ARMS:
			/* The first arm, with its defaults */
			if (v->arm)
				return false;
			for (u32 j = 0; j < f->arms[0].sub->nr; j++)
				if (!is_default(&f->arms[0].sub->fields[j], &v->subs[i]->v[j], 0))
					return false;
			break;
		default:
			return false;
		}
	}
	return true;
}

static bool all_default(const struct spec *s, const struct values *values)
{
	for (u32 i = 0; i < s->nr; i++)
		if (!is_default(&s->fields[i], &values->v[i], 0))
			return false;
	return true;
}

/* What the reader's object holds afterwards, if it is restored at all */

static struct values *predict(const struct spec *w, const struct values *from,
			      const struct spec *r, struct prediction *p);

static u64 take_int(const struct field *f, u64 val, const struct field *g, struct prediction *p)
{
	if (!in_type(val, f->type, g->type) || !meets(g, val))
		p->value = true;
	return val;
}

static void predict_field(const struct field *f, const struct value *from, const struct field *g,
			  struct value *to, struct prediction *p)
{
	u32 n = wire_count(f, from), room = n, i;

	switch (g->kind) {
	case INT_ROOM:
	case STRING:
		if (n <= g->num)
			break;
		/* Which of several reasons is told depends on the order of checks */
		p->room = true;
		for (i = 0; i < n; i++) {
			take_int(f, from->ints[i], g, p);
			if (g->kind == STRING && !from->ints[i] != (i == n - 1))
				p->value = true;
		}
		return;
	case INTS:
	case STRUCTS:
	case INT_POINTERS:
	case STRUCT_POINTERS:
	case BITMAP:
		room = g->num;
		break;
	default:
		break;
	}

	default_value(g, to, true);
	/* Where the writer left out a group, its defaults are what it had */
	if (g->kind == GROUP && !n)
		to->subs[0] = predict(f->sub, zero_values(f->sub, true), g->sub, p);
	if (g->kind != GROUP || n) {
		struct value old = *to;
		u32 old_n = to->n;

		size_value(to, max(room, old_n));
		to->n = room;
		if (old_n)
			for (i = 0; i < old_n; i++) {
				to->ints[i] = old.ints[i];
				to->subs[i] = old.subs[i];
			}
	}
	if (g->kind == STRING && !n)
		to->n = 1;

	for (i = 0; i < n; i++) {
		bool there = container(f->kind) != POINTERS || from->present[i];

		if (i >= room) {
			if (container(f->kind) == POINTERS && there)
				p->room = true;
			if (g->kind == BITMAP && from->ints[i])
				p->value = true;
			continue;
		}
		to->present[i] = there;
		to->index[i] = from->index[i];
		if (!there)
			continue;
		if (g->kind == UNION) {
			u32 j;

			for (j = 0; j < g->nr_arms; j++)
				if (!strcmp(f->arms[from->arm].name, g->arms[j].name))
					break;
			if (j == g->nr_arms) {
				p->value = true;
				return;
			}
			to->arm = j;
			to->subs[i] = predict(f->arms[from->arm].sub, from->subs[i],
					      g->arms[j].sub, p);
		} else if (g->sub) {
			to->subs[i] = predict(f->sub, from->subs[i], g->sub, p);
		} else if (g->kind == BITMAP) {
			to->ints[i] = from->ints[i];
		} else {
			to->ints[i] = take_int(f, from->ints[i], g, p);
		}
	}
	if (container(f->kind) == ARRAY && n > g->num && !is_default(f, from, g->num))
		p->value = true;
	if (g->kind == STRING || g->kind == STRING_POINTER)
		for (i = 0; i < n; i++)
			if (!from->ints[i] != (i == n - 1))
				p->value = true;
}

static struct values *predict(const struct spec *w, const struct values *from,
			      const struct spec *r, struct prediction *p)
{
	struct values *to = get(sizeof(*to));

	for (u32 i = 0; i < r->nr; i++)
		default_value(&r->fields[i], &to->v[i], true);
	for (u32 i = 0; i < w->nr; i++) {
		const struct field *f = &w->fields[i], *g = match(w, f, r);

		if (g)
			predict_field(f, &from->v[i], g, &to->v[g - r->fields], p);
		else if (is_default(f, &from->v[i], 0))
			continue;
		else if (removed(r, f->name) || f->ignorable)
			raise_to(p, KSTATE_LOSSY);
		else
			p->value = true;
	}
	return to;
}

/* Whether the writer may save this */
static bool can_save(const struct spec *s, const struct values *values)
{
	for (u32 i = 0; i < s->nr; i++) {
		const struct field *f = &s->fields[i];
		const struct value *v = &values->v[i];

		for (u32 j = 0; j < wire_count(f, v); j++) {
			if (container(f->kind) == POINTERS && !v->present[j])
				continue;
			if (kind_of_int(f->kind) && !meets(f, v->ints[j]))
				return false;
			if (f->kind == UNION ? !can_save(f->arms[v->arm].sub, v->subs[j]) :
			    f->sub && !can_save(f->sub, v->subs[j]))
				return false;
		}
	}
	return true;
}

/* Memory: a description for a spec, with members at random places */

struct member {
	u32 offset;
	u32 length;		/* offset of the length or tag */
	u8 length_type;
	u32 bit;		/* of a group, in the first word of the object */
	struct layout *sub;
	struct layout *arms[MAX_ARMS];
};

struct layout {
	const struct spec *spec;
	struct kstate_description desc;
	struct member members[MAX_FIELDS];
	u32 size;
	u32 link;
	u32 nr_groups;
};

static bool group_on(const void *obj, u32 bit)
{
	return *(const u64 *)obj >> bit & 1;
}

#define NEEDED(_n) \
	static bool needed_##_n(const void *obj) { return group_on(obj, _n); }
NEEDED(0) NEEDED(1) NEEDED(2) NEEDED(3) NEEDED(4) NEEDED(5) NEEDED(6) NEEDED(7)
NEEDED(8) NEEDED(9) NEEDED(10) NEEDED(11) NEEDED(12) NEEDED(13) NEEDED(14) NEEDED(15)
NEEDED(16) NEEDED(17) NEEDED(18) NEEDED(19) NEEDED(20) NEEDED(21) NEEDED(22) NEEDED(23)
NEEDED(24) NEEDED(25) NEEDED(26) NEEDED(27) NEEDED(28) NEEDED(29) NEEDED(30) NEEDED(31)

static bool (*const needed[])(const void *obj) = {
	needed_0, needed_1, needed_2, needed_3, needed_4, needed_5, needed_6, needed_7,
	needed_8, needed_9, needed_10, needed_11, needed_12, needed_13, needed_14, needed_15,
	needed_16, needed_17, needed_18, needed_19, needed_20, needed_21, needed_22, needed_23,
	needed_24, needed_25, needed_26, needed_27, needed_28, needed_29, needed_30, needed_31,
};

static u32 place(struct layout *host, u32 size, u32 align)
{
	u32 offset;

	if (one_in(4))
		host->size += below(16);
	offset = ALIGN(host->size, align);
	host->size = offset + size;
	return offset;
}

static struct layout *lay_out(const struct spec *s, struct layout *host)
{
	static const u8 length_types[] = { KS_U8, KS_U16, KS_U32, KS_U64, KS_S32 };
	struct kstate_field *fields = get((MAX_FIELDS + MAX_REMOVED + 1) * sizeof(*fields));
	struct layout *l = get(sizeof(*l));
	u32 nr = 0;

	l->spec = s;
	l->desc = (struct kstate_description){
		.name = "random", .version_id = s->version, .min_version_id = s->min_version,
		.fields = fields,
	};
	if (!host)
		l->size = sizeof(u64);
	for (u32 i = 0; i < s->nr; i++) {
		const struct field *f = &s->fields[i];
		struct member *m = &l->members[i];
		struct kstate_field *k = &fields[nr++];
		struct layout *h = host ?: l;
		struct kstate_arm *arms;
		u32 size = f->type & 15, bytes;

		k->name = f->name;
		k->num = f->num;
		k->type = f->type;
		k->has_default = f->has_default;
		k->dflt = f->dflt;
		k->ignorable = f->ignorable;
		k->range = f->range;
		k->min = f->min;
		k->max = f->max;
		k->masked = f->masked;
		k->mask = f->mask;
		k->kind = KS_BASE_TYPE;
		if (f->alias[0]) {
			const char **aliases = get(2 * sizeof(*aliases));

			aliases[0] = f->alias;
			k->aliases = aliases;
		}
		if (f->kind == GROUP) {
			check(h->nr_groups < ARRAY_SIZE(needed));
			m->bit = h->nr_groups++;
			m->sub = lay_out(f->sub, h);
			k->kind = KS_GROUP;
			k->needed = needed[m->bit];
			k->ksd = &m->sub->desc;
			k->num = 1;
			k->type = 0;
			continue;
		}
		if (f->sub) {
			m->sub = lay_out(f->sub, NULL);
			k->kind = KS_STRUCT;
			k->ksd = &m->sub->desc;
			k->type = 0;
			size = m->sub->size;
		}
		bytes = size;
		switch (f->kind) {
		case INTS:
		case STRUCTS:
			k->modifiers = KS_ARRAY;
			bytes = f->num * size;
			break;
		case INT_POINTER:
		case STRUCT_POINTER:
			k->modifiers = KS_POINTER;
			k->alloc = 1;
			k->num = 1;
			break;
		case INT_VARRAY:
		case STRUCT_VARRAY:
			k->modifiers = KS_VARRAY | KS_POINTER;
			k->alloc = 1;
			k->num = 0;
			break;
		case INT_ROOM:
			k->modifiers = KS_VARRAY;
			bytes = f->num * size;
			break;
		case INT_POINTERS:
		case STRUCT_POINTERS:
			k->modifiers = KS_ARRAY_OF_POINTER;
			k->alloc = 1;
			bytes = f->num * sizeof(void *);
			break;
		case STRING:
			k->kind = KS_STRING;
			bytes = f->num;
			break;
		case STRING_POINTER:
			k->kind = KS_STRING;
			k->modifiers = KS_POINTER;
			k->num = 0;
			break;
		case BITMAP:
			k->kind = KS_BITMAP;
			size = sizeof(long);
			bytes = BITS_TO_LONGS(f->num) * size;
			k->type = 0;
			break;
		case LIST:
			k->kind = KS_LIST;
			k->link = m->sub->link;
			bytes = sizeof(struct list_head);
			break;
		case XARRAY:
			k->kind = KS_XARRAY;
			bytes = sizeof(struct xarray);
			break;
		case UNION:
			k->kind = KS_UNION;
			k->type = 0;
			k->num = 1;
			arms = get((MAX_ARMS + 1) * sizeof(*arms));
			k->arms = arms;
			bytes = 0;
			for (u32 j = 0; j < f->nr_arms; j++) {
				m->arms[j] = lay_out(f->arms[j].sub, NULL);
				arms[j] = (struct kstate_arm){
					f->arms[j].name, f->arms[j].tag, &m->arms[j]->desc,
				};
				bytes = max(bytes, m->arms[j]->size);
			}
			size = bytes;
			break;
		default:
			break;
		}
		k->size = size;
		if (k->modifiers & KS_POINTER)
			bytes = sizeof(void *);
		m->offset = place(h, bytes, kind_of_int(f->kind) && bytes == size ? size : 8);
		k->offset = m->offset;
		if (f->kind == UNION || k->modifiers & KS_VARRAY) {
			m->length_type = length_types[below(ARRAY_SIZE(length_types))];
			m->length = place(h, m->length_type & 15, m->length_type & 15);
			k->length.offset = m->length;
			k->length.type = m->length_type;
		}
	}
	for (u32 i = 0; i < s->nr_removed; i++)
		fields[nr++] = (struct kstate_field)KSTATE_REMOVED(s->removed[i]);
	fields[nr].kind = KS_END;
	if (!host) {
		l->link = place(l, sizeof(struct list_head), 8);
		l->size = ALIGN(l->size, 8);
	}
	return l;
}

/* Objects */

static u64 load(const void *p, u8 type)
{
	switch (type & 15) {
	case 1:
		return is_signed(type) ? (u64)*(const s8 *)p : *(const u8 *)p;
	case 2:
		return is_signed(type) ? (u64)*(const s16 *)p : *(const u16 *)p;
	case 4:
		return is_signed(type) ? (u64)*(const s32 *)p : *(const u32 *)p;
	default:
		return *(const u64 *)p;
	}
}

static void store(void *p, u8 type, u64 val)
{
	switch (type & 15) {
	case 1:
		*(u8 *)p = val;
		break;
	case 2:
		*(u16 *)p = val;
		break;
	case 4:
		*(u32 *)p = val;
		break;
	default:
		*(u64 *)p = val;
	}
}

static void store_bit(unsigned long *p, u32 bit, bool val)
{
	if (val)
		__set_bit(bit, p);
	else
		__clear_bit(bit, p);
}

/* Empty containers, and rubbish in everything else if @dirty */
static void init_object(const struct layout *l, void *obj, bool dirty)
{
	for (u32 i = 0; i < l->spec->nr; i++) {
		const struct field *f = &l->spec->fields[i];
		const struct member *m = &l->members[i];
		u32 size = f->type & 15, room = f->num;
		void *p = obj + m->offset;

		switch (f->kind) {
		case INT:
		case INTS:
		case INT_ROOM:
		case STRING:
			for (u32 j = 0; dirty && j < f->num * size; j++)
				((u8 *)p)[j] = f->type == KS_BOOL ? below(2) : rnd();
			break;
		case BITMAP:
			for (u32 j = 0; dirty && j < f->num; j++)
				store_bit(p, j, below(2));
			break;
		case STRUCT:
		case STRUCTS:
			for (u32 j = 0; j < f->num; j++)
				init_object(m->sub, p + j * m->sub->size, dirty);
			break;
		case GROUP:
			init_object(m->sub, obj, dirty);
			break;
		case LIST:
			INIT_LIST_HEAD(p);
			break;
		case XARRAY:
			xa_init(p);
			break;
		case UNION:
			store(obj + m->length, m->length_type, f->arms[0].tag);
			continue;
		default:
			break;
		}
		if (m->length_type)
			store(obj + m->length, m->length_type, dirty ? below(room + 1) : 0);
	}
}

static void fill_object(const struct layout *l, void *obj, const struct values *values);

static void *new_element(const struct field *f, const struct member *m, const struct value *v,
			 u32 i)
{
	void *elem = kvzalloc(m->sub ? m->sub->size : f->type & 15, GFP_KERNEL);

	if (m->sub) {
		init_object(m->sub, elem, false);
		fill_object(m->sub, elem, v->subs[i]);
	} else {
		store(elem, f->type, v->ints[i]);
	}
	return elem;
}

static void fill_object(const struct layout *l, void *obj, const struct values *values)
{
	for (u32 i = 0; i < l->spec->nr; i++) {
		const struct field *f = &l->spec->fields[i];
		const struct member *m = &l->members[i];
		const struct value *v = &values->v[i];
		u32 size = m->sub ? m->sub->size : f->type & 15;
		void *p = obj + m->offset, *elem;

		if (m->length_type)
			store(obj + m->length, m->length_type,
			      f->kind == UNION ? f->arms[v->arm].tag : v->n);
		if (f->kind == GROUP) {
			if (v->n)
				*(u64 *)obj |= 1ULL << m->bit;
			fill_object(m->sub, obj, v->subs[0]);
			continue;
		}
		if (f->kind == UNION) {
			init_object(m->arms[v->arm], p, false);
			fill_object(m->arms[v->arm], p, v->subs[0]);
			continue;
		}
		if (v->n && (f->kind == INT_VARRAY || f->kind == STRUCT_VARRAY ||
			     f->kind == STRING_POINTER)) {
			*(void **)p = kvcalloc(v->n, size, GFP_KERNEL);
			p = *(void **)p;
		}
		for (u32 j = 0; j < v->n; j++) {
			switch (f->kind) {
			case BITMAP:
				store_bit(p, j, v->ints[j]);
				break;
			case STRUCT:
			case STRUCTS:
			case STRUCT_VARRAY:
				init_object(m->sub, p + j * size, false);
				fill_object(m->sub, p + j * size, v->subs[j]);
				break;
			case INT_POINTER:
			case STRUCT_POINTER:
				*(void **)p = new_element(f, m, v, j);
				break;
			case INT_POINTERS:
			case STRUCT_POINTERS:
				((void **)p)[j] = v->present[j] ? new_element(f, m, v, j) : NULL;
				break;
			case LIST:
				elem = new_element(f, m, v, j);
				list_add_tail(elem + m->sub->link, p);
				break;
			case XARRAY:
				xa_store(p, v->index[j], new_element(f, m, v, j), GFP_KERNEL);
				break;
			default:
				store(p + j * size, f->type, v->ints[j]);
			}
		}
	}
}

static struct values *read_object(const struct layout *l, void *obj);

static void read_element(const struct field *f, const struct member *m, struct value *v, u32 i,
			 void *elem)
{
	v->present[i] = true;
	if (m->sub)
		v->subs[i] = read_object(m->sub, elem);
	else
		v->ints[i] = load(elem, f->type);
}

static struct values *read_object(const struct layout *l, void *obj)
{
	struct values *values = get(sizeof(*values));

	for (u32 i = 0; i < l->spec->nr; i++) {
		const struct field *f = &l->spec->fields[i];
		const struct member *m = &l->members[i];
		struct value *v = &values->v[i];
		u32 size = m->sub ? m->sub->size : f->type & 15, n = f->num, j = 0;
		void *p = obj + m->offset, *elem;
		struct list_head *link;
		unsigned long index;

		if (f->kind == INT_ROOM || f->kind == INT_VARRAY || f->kind == STRUCT_VARRAY)
			n = load(obj + m->length, m->length_type);
		if (f->kind == INT_VARRAY || f->kind == STRUCT_VARRAY || f->kind == STRING_POINTER)
			p = *(void **)p;
		switch (f->kind) {
		case INT_POINTER:
		case STRUCT_POINTER:
			n = *(void **)p != NULL;
			break;
		case STRING:
			n = strnlen(p, f->num) + 1;
			check(n <= f->num);
			break;
		case STRING_POINTER:
			n = p ? strlen(p) + 1 : 0;
			break;
		case LIST:
			n = ((struct list_head *)p)->next ? list_count_nodes(p) : 0;
			break;
		case XARRAY:
			n = 0;
			xa_for_each((struct xarray *)p, index, elem)
				n++;
			break;
		case GROUP:
			size_value(v, 1);
			v->n = group_on(obj, m->bit);
			v->subs[0] = read_object(m->sub, obj);
			continue;
		case UNION:
			size_value(v, 1);
			for (j = 0; j < f->nr_arms; j++)
				if (f->arms[j].tag == load(obj + m->length, m->length_type))
					break;
			check(j < f->nr_arms);
			v->arm = j;
			v->subs[0] = read_object(m->arms[j], p);
			continue;
		default:
			break;
		}
		size_value(v, n);
		switch (f->kind) {
		case LIST:
			if (n)
				list_for_each(link, (struct list_head *)p)
					read_element(f, m, v, j++, (void *)link - m->sub->link);
			break;
		case XARRAY:
			xa_for_each((struct xarray *)p, index, elem) {
				v->index[j] = index;
				read_element(f, m, v, j++, elem);
			}
			break;
		case INT_POINTER:
		case STRUCT_POINTER:
			if (n)
				read_element(f, m, v, 0, *(void **)p);
			break;
		case INT_POINTERS:
		case STRUCT_POINTERS:
			for (; j < n; j++)
				if (((void **)p)[j])
					read_element(f, m, v, j, ((void **)p)[j]);
			break;
		case BITMAP:
			for (; j < n; j++)
				v->ints[j] = test_bit(j, p);
			break;
		default:
			for (; j < n; j++)
				read_element(f, m, v, j, p + j * size);
		}
	}
	return values;
}

static void free_object(const struct layout *l, void *obj)
{
	for (u32 i = 0; i < l->spec->nr; i++) {
		const struct field *f = &l->spec->fields[i];
		const struct member *m = &l->members[i];
		void *p = obj + m->offset, *elem;
		struct list_head *link, *next;
		unsigned long index;
		u32 n = f->num;

		switch (f->kind) {
		case STRUCT_VARRAY:
			n = *(void **)p ? load(obj + m->length, m->length_type) : 0;
			for (u32 j = 0; j < n; j++)
				free_object(m->sub, *(void **)p + j * m->sub->size);
			kvfree(*(void **)p);
			break;
		case INT_POINTER:
		case INT_VARRAY:
		case STRING_POINTER:
			kvfree(*(void **)p);
			break;
		case STRUCT_POINTER:
			n = 1;
			fallthrough;
		case INT_POINTERS:
		case STRUCT_POINTERS:
			for (u32 j = 0; j < n; j++) {
				if (m->sub && ((void **)p)[j])
					free_object(m->sub, ((void **)p)[j]);
				kvfree(((void **)p)[j]);
			}
			break;
		case STRUCT:
		case STRUCTS:
			for (u32 j = 0; j < n; j++)
				free_object(m->sub, p + j * m->sub->size);
			break;
		case GROUP:
			free_object(m->sub, obj);
			break;
		case LIST:
			if (((struct list_head *)p)->next)
				list_for_each_safe(link, next, (struct list_head *)p) {
					free_object(m->sub, (void *)link - m->sub->link);
					kvfree((void *)link - m->sub->link);
				}
			break;
		case XARRAY:
			xa_for_each((struct xarray *)p, index, elem) {
				free_object(m->sub, elem);
				kvfree(elem);
			}
			xa_destroy(p);
			break;
		case UNION:
			for (u32 j = 0; j < f->nr_arms; j++)
				if (f->arms[j].tag == load(obj + m->length, m->length_type))
					free_object(m->arms[j], p);
			break;
		default:
			break;
		}
	}
}

/* The name of the first field that differs, or NULL */
static const char *differs(const struct spec *s, const struct values *a, const struct values *b)
{
	for (u32 i = 0; i < s->nr; i++) {
		const struct field *f = &s->fields[i];
		const struct value *x = &a->v[i], *y = &b->v[i];

		/* A group is its members, on or off */
		if (f->kind == GROUP) {
			if (differs(f->sub, x->subs[0], y->subs[0]))
				return f->name;
			continue;
		}
		if (x->n != y->n || x->arm != y->arm)
			return f->name;
		for (u32 j = 0; j < x->n; j++) {
			if (container(f->kind) == POINTERS && x->present[j] != y->present[j])
				return f->name;
			if (container(f->kind) == POINTERS && !x->present[j])
				continue;
			if (f->kind == XARRAY && x->index[j] != y->index[j])
				return f->name;
			if (f->kind == UNION) {
				if (differs(f->arms[x->arm].sub, x->subs[j], y->subs[j]))
					return f->name;
			} else if (f->sub) {
				if (differs(f->sub, x->subs[j], y->subs[j]))
					return f->name;
			} else if (x->ints[j] != y->ints[j]) {
				return f->name;
			}
		}
	}
	return NULL;
}

/* The properties */

static u32 nr_equal, nr_taken, nr_blocked, nr_value, nr_flips, nr_clear;

static struct kstate_set *save(struct layout *l, const void *obj, void **blob, size_t *size)
{
	struct kstate_set *set = kstate_memory_create();
	struct kstate_stream *stream = kstate_stream_create(set, "s", NULL);
	struct kstate_error e = {};

	check(!kstate_stream_save(stream, &l->desc, obj, KSTATE_ID(1), &e), "%s", text_of(&e));
	check(!kstate_set_export(set, blob, size));
	kstate_set_destroy(set);
	set = kstate_memory_open(*blob, *size, &e);
	check(!IS_ERR(set), "%s", text_of(&e));
	check(!set->damage.code, "%s", text_of(&set->damage));
	return set;
}

/* What the core's resolver says about the descriptions alone */
static void check_resolver(struct layout *w, struct layout *r, const struct prediction *p)
{
	struct kstate_error e = {};
	struct kstate_schema *writer = kstate_describe(&w->desc, &e), *reader;
	struct kstate_where where = { .state = "random", .err = &e };
	struct kstate_resolution res;
	int ret;

	check(!IS_ERR(writer), "%s", text_of(&e));
	reader = kstate_describe(&r->desc, &e);
	check(!IS_ERR(reader), "%s", text_of(&e));
	ret = kstate_resolve(writer, reader, &res, &where, NULL, NULL);
	check(ret == (p->blocked ? -EPROTO : 0), "resolve: %d, %s", ret, text_of(&e));
	if (!ret)
		check(res.verdict == p->verdict, "verdict %d, predicted %d", res.verdict,
		      p->verdict);
	kstate_resolution_free(&res);
}

static struct kstate_error foreseen_error;

static int foresee(const struct kstate_finding *finding, void *arg)
{
	*(enum kstate_verdict *)arg = finding->verdict;
	foreseen_error = finding->err ? *finding->err : (struct kstate_error){};
	return 0;
}

static void hear(const struct kstate_difference *diff, void *arg)
{
	u32 *seen = arg;

	*seen |= diff->verdict == KSTATE_REFUSED ? 1 : diff->depends == KSTATE_DEPENDS_VALUE ? 2 :
		 diff->depends == KSTATE_DEPENDS_LOSS ? 4 : 0;
}

/*
 * What another kernel can know before the jump: from the catalogues alone, and
 * from the catalogue of the reader and the record. It must be what restoring did.
 */
static void check_foresight(struct layout *w, struct layout *r, struct kstate_set *set, int ret,
			    enum kstate_verdict verdict)
{
	struct kstate_set *writer = catalogue_of(&w->desc), *reader = catalogue_of(&r->desc);
	struct kstate_error e = {};
	struct kstate_where where = { .state = "random", .err = &e };
	enum kstate_verdict foreseen = KSTATE_EXACT;
	struct kstate_resolution res;
	u32 seen = 0;
	int blocked;

	blocked = kstate_resolve(kstate_known(writer, writer->nr_known - 1)->schema,
				 kstate_known(reader, reader->nr_known - 1)->schema, &res, &where,
				 hear, &seen);
	check(!blocked == !(seen & 1), "blocked: %d, reported: %u", blocked, seen);
	if (blocked)
		check(ret == -EPROTO, "catalogues say blocked, restoring says %d", ret);
	else
		check(!ret || (seen & 2), "refused (%d), but no value was said to be", ret);
	if (!ret)
		check(res.verdict == verdict || (verdict == KSTATE_LOSSY && seen & 4),
		      "catalogues: %d, restoring: %d", res.verdict, verdict);
	nr_clear += !blocked && !(seen & 2);
	kstate_resolution_free(&res);

	check(!kstate_check_set(set, reader, foresee, &foreseen));
	check(foreseen == (ret ? KSTATE_REFUSED : verdict), "foreseen: %d, %s, found: %d, %d",
	      foreseen, text_of(&foreseen_error), ret, verdict);
	kstate_set_destroy(writer);
	kstate_set_destroy(reader);
}

/* Restore @set, which holds @from, into @r; returns the object or NULL */
static void *restore(struct kstate_set *set, struct layout *w, const struct values *from,
		     struct layout *r)
{
	struct kstate_stream *stream = kstate_stream_find(set, "s");
	struct kstate_error e = {}, checked = {};
	struct prediction p = { .verdict = KSTATE_EXACT };
	struct values *expected = NULL, *got;
	void *obj = calloc(1, r->size), *before = malloc(r->size);
	const char *where;
	int ret, verdict;
	long live;

	shape(w->spec, r->spec, &p);
	check_resolver(w, r, &p);
	if (!p.blocked)
		expected = predict(w->spec, from, r->spec, &p);

	init_object(r, obj, true);
	memcpy(before, obj, r->size);
	verdict = kstate_stream_check(stream, &r->desc, obj, KSTATE_ID(1), &checked);
	check(!memcmp(before, obj, r->size), "check changed the object");
	check_foresight(w, r, set, min(verdict, 0), verdict);
	/* The second look for a record makes an index, which stays */
	kstate_stream_check(stream, &r->desc, obj, KSTATE_ID(1), NULL);
	live = shim_live();
	ret = kstate_stream_restore(stream, &r->desc, obj, KSTATE_ID(1), &e);
	if (ret)
		check(verdict == ret, "check: %d, restore: %d", verdict, ret);
	else
		check(verdict == (int)p.verdict, "check: %d, predicted %d", verdict, p.verdict);

	if (ret) {
		check(!memcmp(before, obj, r->size), "a refused restore changed the object");
		check(shim_live() == live, "a refused restore leaks");
		check(p.blocked ? ret == -EPROTO :
		      (p.value && ret == -ERANGE) || (p.room && ret == -ENOSPC),
		      "restore: %s; predicted%s%s%s", text_of(&e), p.blocked ? " blocked" : "",
		      p.value ? " value" : "", p.room ? " room" : "");
		nr_blocked += p.blocked;
		nr_value += !p.blocked;
		free_object(r, obj);
		free(obj);
		obj = NULL;
	} else {
		check(!p.blocked && !p.value && !p.room, "restored; predicted%s%s%s",
		      p.blocked ? " blocked" : "", p.value ? " value" : "", p.room ? " room" : "");
		got = read_object(r, obj);
		where = differs(r->spec, expected, got);
		check(!where, "field %s differs", where);
		ret = kstate_stream_restore(stream, &r->desc, obj, KSTATE_ID(1), NULL);
		check(ret == -EALREADY);
		nr_taken++;
	}
	free(before);
	return obj;
}

/* Damage of any kind is found, and harms nothing */
static void flip(struct layout *w, const struct values *from, const void *blob, size_t size)
{
	u8 *copy = malloc(size);
	size_t n = size, at = below(size);
	struct kstate_set *set;
	struct kstate_stream *stream;
	void *obj = calloc(1, w->size), *before = malloc(w->size);
	int ret = -1;

	memcpy(copy, blob, size);
	switch (below(4)) {
	case 0:
		n = at;
		break;
	case 1:
		for (size_t i = at; i < min(at + 1 + below(40), size); i++)
			copy[i] = rnd();
		break;
	default:
		copy[at] ^= 1 << below(8);
	}
	if (n == size && !memcmp(copy, blob, size))
		copy[at] ^= 0x10;
	init_object(w, obj, true);
	memcpy(before, obj, w->size);
	set = kstate_memory_open(copy, n, NULL);
	if (!IS_ERR(set)) {
		bool damage = set->damage.code;

		stream = kstate_stream_find(set, "s");
		if (stream)
			ret = kstate_stream_restore(stream, &w->desc, obj, KSTATE_ID(1), NULL);
		check(ret || damage, "damage at byte %zu of %zu is not found", at, size);
		if (ret)
			check(!memcmp(before, obj, w->size));
		else
			check(!differs(w->spec, from, read_object(w, obj)));
		kstate_set_destroy(set);
	}
	free_object(w, obj);
	free(before);
	free(obj);
	free(copy);
	nr_flips++;
}

static void round_of_test(void)
{
	struct spec *ws, *rs;
	struct layout *w, *r;
	struct values *from, *back;
	struct kstate_set *set;
	void *obj, *same, *blob, *changed;
	size_t size;
	u32 edits;

	dump_writer = dump_reader = NULL;
	ws = make_spec(0, false);
	dump_writer = ws;
	rs = clone(ws);
	for (edits = below(5); edits; edits--)
		edit(rs, 0, false);
	if (one_in(2)) {
		swap(ws, rs);
		dump_writer = ws;
	}
	w = lay_out(ws, NULL);
	r = lay_out(rs, NULL);
	from = make_values(ws);
	obj = calloc(1, w->size);
	init_object(w, obj, false);
	fill_object(w, obj, from);
	check(!differs(ws, from, read_object(w, obj)), "the test itself is wrong");

	/* The same description */
	set = save(w, obj, &blob, &size);
	dump_reader = ws;
	same = restore(set, w, from, w);
	check(same, "what was saved is not restored");
	free_object(w, same);
	free(same);
	nr_equal++;
	kstate_set_destroy(set);

	/* Another one, and back from it */
	dump_reader = rs;
	set = kstate_memory_open(blob, size, NULL);
	changed = restore(set, w, from, r);
	kstate_set_destroy(set);
	for (u32 i = 0; i < 8; i++)
		flip(w, from, blob, size);
	kvfree(blob);
	if (changed) {
		*(u64 *)changed = rnd();
		back = read_object(r, changed);
		if (can_save(rs, back)) {
			set = save(r, changed, &blob, &size);
			kvfree(blob);
			dump_writer = rs;
			dump_reader = ws;
			same = restore(set, r, back, w);
			if (same)
				free_object(w, same);
			free(same);
			kstate_set_destroy(set);
		}
		free_object(r, changed);
		free(changed);
	}
	free_object(w, obj);
	free(obj);
	kstate_forget(&w->desc);
	kstate_forget(&r->desc);
	check(!shim_live(), "%ld allocations are left", shim_live());
}

static int run_rounds(int argc, char **argv)
{
	const char *given = getenv("KSTATE_SEED");
	u32 rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 3000, i;
	struct timespec now;

	shim_set_release(RELEASE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 0) : now.tv_sec * 1000003ULL + now.tv_nsec;
	if (given)
		rounds = 1;
	for (i = 0; i < rounds; i++, seed++) {
		state_of_random = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
		shim_log_clear();
		round_of_test();
		free_chunks();
	}
	printf("%u rounds: %u equal, %u taken, %u blocked, %u refused by value, %u damaged, "
	       "%u certain from catalogues alone\n",
	       i, nr_equal, nr_taken, nr_blocked, nr_value, nr_flips, nr_clear);
	printf("[  PASSED  ] %u test(s).\n", rounds);
	return 0;
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	shared_seed = mmap(NULL, sizeof(seed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			   -1, 0);
	if (shared_seed == MAP_FAILED)
		return 1;
	pid = fork();
	if (!pid)
		return run_rounds(argc, argv);
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	if (status)
		printf("KSTATE_SEED=%llu\n", (unsigned long long)seed);
	return !!status;
}
