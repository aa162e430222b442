# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Structs with descriptions, and what lint has to find in them.

Each case is a name, C code, and what is to be found, as "kind member" or "kind" where
there is no member. What is not named must not be found: half of the cases are there so
that nothing is. A case with BUILD in its code is compiled twice: its catalogue is that
of BUILD=1, and its types are those of BUILD=2.
"""

# The macros of kstate.h would not let these pass
HAND = """
#define HAND(_f, ...) { .name = #_f, .of = "struct s", .offset = offsetof(struct s, _f), \
	.size = 8, .num = 1, __VA_ARGS__ }
"""

CASES = [
    # What is described in full
    ("all_kinds", """
struct inner { u32 a; u8 b; };
struct entry { struct list_head link; u64 mac; };
struct arm_x { u32 x; };
struct arm_y { u64 y; };
struct s {
	int i; char text[10]; unsigned long *p; struct folio *folio; struct inner in;
	struct inner ins[3]; struct inner *pin; struct list_head list; struct xarray xa;
	u16 nr; s16 samples[16]; char *label; DECLARE_BITMAP(bits, 100);
	u32 ring_size; void *ring; u32 nr_pages; struct page *pages; u32 nr_ptr; u32 *ptr;
	u32 *ptrs[4]; struct inner *pins[4]; u8 tag; union { struct arm_x x; struct arm_y y; } u;
	struct page *page; void *linear; bool flag; u8 matrix[3][4]; u64 wide; void *custom;
};
static KSTATE_DESCRIBE(inner_state, "inner", 1,
	KSTATE_BASE_TYPE(a, struct inner, u32), KSTATE_BASE_TYPE(b, struct inner, u8));
static KSTATE_DESCRIBE(entry_state, "entry", 1,
	KSTATE_SKIP(link, struct entry, "restoring links it"),
	KSTATE_BASE_TYPE(mac, struct entry, u64));
static KSTATE_DESCRIBE(arm_x_state, "arm_x", 1, KSTATE_BASE_TYPE(x, struct arm_x, u32));
static KSTATE_DESCRIBE(arm_y_state, "arm_y", 1, KSTATE_BASE_TYPE(y, struct arm_y, u64));
static const struct kstate_arm arms[] = { { "x", 1, &arm_x_state }, { "y", 2, &arm_y_state }, {} };
int save(struct kstate_stream *, void *, const struct kstate_field *);
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(i, struct s, int), KSTATE_STRING(text, struct s),
	KSTATE_POINTER(p, struct s, KSTATE_ALLOC), KSTATE_FOLIO(folio, struct s),
	KSTATE_STRUCT(in, struct s, &inner_state), KSTATE_STRUCT_ARRAY(ins, struct s, &inner_state),
	KSTATE_STRUCT_POINTER(pin, struct s, &inner_state),
	KSTATE_LIST(list, struct s, struct entry, link, &entry_state),
	KSTATE_XARRAY(xa, struct s, struct inner, &inner_state),
	KSTATE_VARRAY(samples, struct s, nr), KSTATE_STRING(label, struct s),
	KSTATE_BITMAP(bits, struct s, 100), KSTATE_BASE_TYPE(ring_size, struct s, u32),
	KSTATE_VMALLOC(ring, struct s), KSTATE_PAGES(pages, struct s, nr_pages),
	KSTATE_VARRAY(ptr, struct s, nr_ptr), KSTATE_ARRAY_OF_POINTER(ptrs, struct s, KSTATE_ALLOC),
	KSTATE_ARRAY_OF_STRUCT_POINTER(pins, struct s, &inner_state),
	KSTATE_UNION(u, struct s, tag, arms), KSTATE_ADDRESS(page, struct s, KS_VMEMMAP_ADDR),
	KSTATE_ADDRESS(linear, struct s, KS_LINEAR_ADDR), KSTATE_BASE_TYPE(flag, struct s, bool),
	KSTATE_ARRAY(matrix, struct s, u8), KSTATE_BASE_TYPE(wide, struct s, u64),
	KSTATE_CUSTOM(custom, struct s, save, save));
USE(s)
""", []),
    ("all_of_the_short_form", """
#include <linux/refcount_types.h>
enum color { RED, GREEN }; enum level { LOW = -1, HIGH };
struct s {
	bool flag; char letter; u8 cube[2][3][4]; enum color color; enum level levels[2]; atomic_t a;
	atomic64_t a64; refcount_t refs; atomic_t counts[3]; volatile u32 seen; unsigned long ul;
};
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_FIELD(struct s, flag), KSTATE_FIELD(struct s, letter), KSTATE_FIELD(struct s, cube),
	KSTATE_FIELD(struct s, color), KSTATE_FIELD(struct s, levels), KSTATE_FIELD(struct s, a),
	KSTATE_FIELD(struct s, a64), KSTATE_FIELD(struct s, refs), KSTATE_FIELD(struct s, counts),
	KSTATE_FIELD(struct s, seen), KSTATE_FIELD(struct s, ul));
USE(s)
""", []),
    ("atomics_of_another_type", HAND + """
struct s { atomic_t a; atomic64_t b; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	HAND(a, .kind = KS_BASE_TYPE, .type = KS_U32, .size = 4),
	HAND(b, .kind = KS_BASE_TYPE, .type = KS_U64));
USE(s)
""", ["type a", "type b"]),
    ("folios_lists_and_flexible_arrays", """
struct e { struct hlist_node node; u64 mac; };
struct pair { u32 a, b; };
struct s {
	u32 nr; struct kstate_folio_entry *folios; struct folio *four[4]; u32 n; struct folio *some[8];
	u32 nr_more; struct folio **more; struct hlist_head hash; u32 nr_tail; u16 tail[];
};
struct p { u32 n; struct pair pairs[]; };
static KSTATE_DESCRIBE(e_state, "e", 1,
	KSTATE_SKIP(node, struct e, "restoring links it"), KSTATE_FIELD(struct e, mac));
static KSTATE_DESCRIBE(pair_state, "pair", 1,
	KSTATE_FIELD(struct pair, a), KSTATE_FIELD(struct pair, b));
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_FOLIOS(folios, struct s, nr), KSTATE_FOLIO_ARRAY(four, struct s),
	KSTATE_FOLIO_VARRAY(some, struct s, n), KSTATE_FOLIO_VARRAY(more, struct s, nr_more, KSTATE_ALLOC),
	KSTATE_HLIST(hash, struct s, struct e, node, &e_state, KSTATE_MAX_COUNT(100)),
	KSTATE_FLEX_ARRAY(tail, struct s, nr_tail));
static KSTATE_DESCRIBE(p_state, "p", 1, KSTATE_STRUCT_FLEX_ARRAY(pairs, struct p, n, &pair_state));
USE(s)
USE(p)
""", []),
    ("folios_lists_and_flexible_arrays_of_another_type", HAND + """
struct e { struct hlist_node node; u64 mac; };
struct s {
	u32 n; void *folios; struct page *four[4]; struct folio *one; struct list_head list;
	u16 tail[4];
};
#define COUNTED .length = { .offset = 0, .type = KS_U32 }
static KSTATE_DESCRIBE(e_state, "e", 1,
	KSTATE_SKIP(node, struct e, "restoring links it"), KSTATE_FIELD(struct e, mac));
static KSTATE_DESCRIBE(s_state, "s", 1,
	HAND(folios, .kind = KS_FOLIOS, .size = 24, .num = 0, .modifiers = KS_VARRAY | KS_POINTER,
	     .alloc = 1, COUNTED),
	HAND(four, .kind = KS_FOLIO, .num = 4, .modifiers = KS_ARRAY),
	HAND(one, .kind = KS_FOLIO, .num = 0, .modifiers = KS_VARRAY | KS_POINTER, COUNTED),
	HAND(list, .kind = KS_HLIST, .size = sizeof(struct e), .ksd = &e_state),
	HAND(tail, .kind = KS_BASE_TYPE, .type = KS_U16, .size = 2, .num = 0,
	     .modifiers = KS_VARRAY | KS_FLEX, COUNTED));
USE(s)
""", ["type folios", "type four", "type one", "type list", "type tail"]),
    ("forgotten_hlists", """
struct s { u32 a; struct hlist_head hash; struct hlist_node node; u32 tail[]; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_FIELD(struct s, a));
USE(s)
""", ["forgotten hash", "forgotten node", "forgotten tail"]),
    ("padding", """
struct s { u8 a; u64 b; u16 c; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u8), KSTATE_BASE_TYPE(b, struct s, u64),
	KSTATE_BASE_TYPE(c, struct s, u16));
USE(s)
""", []),
    ("typedefs_and_qualifiers", """
typedef u32 count_t; typedef count_t total_t;
struct s { const total_t a; volatile long b; signed char c; unsigned char d; char e; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, const u32), KSTATE_BASE_TYPE(b, struct s, volatile long),
	KSTATE_BASE_TYPE(c, struct s, signed char), KSTATE_BASE_TYPE(d, struct s, u8),
	KSTATE_BASE_TYPE(e, struct s, char));
USE(s)
""", []),
    ("typedef_of_struct", """
typedef struct { u32 a; u32 b; } pair_t;
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(a, pair_t, u32));
USE(s)
""", ["forgotten b"]),
    ("enums", """
enum mode { OFF, ON }; enum level { LOW = -1, HIGH };
struct s { enum mode mode; enum level level; enum mode tag; u64 data[2]; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(mode, struct s, enum mode),
	KSTATE_BASE_TYPE(level, struct s, enum level), KSTATE_VARRAY(data, struct s, tag));
USE(s)
""", []),
    ("atomics", """
struct s { atomic_t refs; atomic64_t bytes; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(refs.counter, struct s, int),
	KSTATE_BASE_TYPE(bytes.counter, struct s, s64));
USE(s)
""", []),
    ("skipped_lock", """
struct mutex_like { int owner; struct list_head waiters; };
struct s { struct mutex_like lock; u32 a; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_SKIP(lock, struct s, "made by probe"), KSTATE_BASE_TYPE(a, struct s, u32));
USE(s)
""", []),
    # What is forgotten
    ("forgotten", """
struct s { u32 a; u64 cookie; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(a, struct s, u32));
USE(s)
""", ["forgotten cookie"]),
    ("forgotten_of_each_kind", """
struct in { u32 x; };
struct s { u32 a; void *p; u8 array[3]; struct in in; union { u32 v; } u; void (*fn)(void); enum { A } e; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(a, struct s, u32));
USE(s)
""", ["forgotten p", "forgotten array", "forgotten in", "forgotten u", "forgotten fn", "forgotten e"]),
    ("first_and_last", """
struct s { u8 first; u32 a; u8 last; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(a, struct s, u32));
USE(s)
""", ["forgotten first", "forgotten last"]),
    ("link_of_a_list", """
struct entry { struct list_head link; u32 key; };
struct s { struct list_head list; };
static KSTATE_DESCRIBE(entry_state, "entry", 1, KSTATE_BASE_TYPE(key, struct entry, u32));
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_LIST(list, struct s, struct entry, link, &entry_state));
USE(s)
""", ["forgotten link"]),
    ("length_by_function", """
struct s { u16 nr; u32 *data; };
int count(const void *);
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_VARRAY_FN(data, struct s, count));
USE(s)
""", ["forgotten nr"]),
    ("flexible_array", """
struct s { u64 a; u32 n; u8 data[]; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u64), KSTATE_BASE_TYPE(n, struct s, u32));
USE(s)
""", ["forgotten data"]),
    ("flexible_array_skipped", """
struct s { u64 a; u32 n; u8 data[]; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u64), KSTATE_BASE_TYPE(n, struct s, u32),
	KSTATE_SKIP(data, struct s, "filled by the device"));
USE(s)
""", []),
    ("markers", """
struct empty {};
struct s { u64 a; u8 from_here[0]; u32 n; struct empty none; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u64), KSTATE_BASE_TYPE(n, struct s, u32));
USE(s)
""", []),
    # Bitfields
    ("bitfields", """
struct s { u32 a; u32 busy:1, idle:3; u8 c:4, :2, d:2; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(a, struct s, u32));
USE(s)
""", ["forgotten busy", "forgotten idle", "forgotten c", "forgotten d"]),
    ("bitfields_in_a_union", """
struct s { union { u32 flags; struct { u32 busy:1, idle:3, whole:8; }; }; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(flags, struct s, u32));
USE(s)
""", []),
    ("bitfields_beside_it", """
struct s { union { u8 flags; struct { u32 busy:1, idle:3, high:8; }; }; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(flags, struct s, u8));
USE(s)
""", ["forgotten high"]),
    # Structs inside
    ("anonymous", """
struct s { struct { u32 a; union { u64 b; u8 c; }; }; struct { u16 d; struct { u16 e; }; }; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u32), KSTATE_BASE_TYPE(e, struct s, u16));
USE(s)
""", ["forgotten b", "forgotten d"]),
    ("anonymous_described", """
struct s { struct { u32 a; union { u64 b; u8 c; }; }; struct { u16 d; struct { u16 e; }; }; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u32), KSTATE_BASE_TYPE(b, struct s, u64),
	KSTATE_BASE_TYPE(d, struct s, u16), KSTATE_BASE_TYPE(e, struct s, u16));
USE(s)
""", []),
    ("nested_in_part", """
struct link { u32 speed; u8 lanes; void *priv; };
struct s { struct link link; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(link.speed, struct s, u32));
USE(s)
""", ["forgotten link.lanes", "forgotten link.priv"]),
    ("nested_in_full", """
struct link { u32 speed; u8 lanes; void *priv; };
struct s { struct link link; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(link.speed, struct s, u32), KSTATE_BASE_TYPE(link.lanes, struct s, u8),
	KSTATE_SKIP(link.priv, struct s, "set by probe"));
USE(s)
""", []),
    ("nested_deeply", """
struct s { struct { struct { u8 x, y; } in[2]; } out; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(out.in[1].x, struct s, u8));
USE(s)
""", ["forgotten out.in", "forgotten out.in[1].y"]),
    ("element_of_an_array", """
#define LAST 2
struct s { u32 table[4]; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(table[0], struct s, u32), KSTATE_BASE_TYPE(table[LAST + 1], struct s, u32));
USE(s)
""", ["forgotten table"]),
    ("row_of_a_matrix", """
struct s { u8 table[2][3]; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_ARRAY(table[0], struct s, u8), KSTATE_BASE_TYPE(table[1], struct s, u8 [3]));
USE(s)
""", []),
    ("described_by_another", """
struct link { u32 speed; u32 lanes; };
struct s { struct link link; };
static KSTATE_DESCRIBE(link_state, "link", 1, KSTATE_BASE_TYPE(speed, struct link, u32));
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_STRUCT(link, struct s, &link_state));
USE(s)
""", ["forgotten lanes"]),
    ("two_of_one_struct", """
struct s { u32 a; u32 b; };
static KSTATE_DESCRIBE(one_state, "one", 1, KSTATE_BASE_TYPE(a, struct s, u32));
static KSTATE_DESCRIBE(two_state, "two", 1, KSTATE_BASE_TYPE(b, struct s, u32));
USE(one) USE(two)
""", ["forgotten b", "forgotten a"]),
    ("packed", """
struct s { u8 a; u32 b; u16 c; } __attribute__((packed));
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u8), KSTATE_BASE_TYPE(b, struct s, u32));
USE(s)
""", ["forgotten c"]),
    # Groups
    ("group", """
struct s { u32 a; u32 b; u32 c; };
bool needed(const void *);
static KSTATE_DESCRIBE(s_more_state, "s_more", 1,
	KSTATE_BASE_TYPE(b, struct s, u32, KSTATE_DEFAULT(0)));
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u32), KSTATE_GROUP(more, &s_more_state, needed));
USE(s)
""", ["forgotten c"]),
    ("group_in_a_group", """
struct s { u32 a; u32 b; u32 c; };
bool needed(const void *);
static KSTATE_DESCRIBE(s_most_state, "s_most", 1,
	KSTATE_BASE_TYPE(c, struct s, u32, KSTATE_DEFAULT(0)));
static KSTATE_DESCRIBE(s_more_state, "s_more", 1,
	KSTATE_BASE_TYPE(b, struct s, u32, KSTATE_DEFAULT(0)),
	KSTATE_GROUP(most, &s_most_state, needed));
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u32), KSTATE_GROUP(more, &s_more_state, needed));
USE(s)
""", []),
    # Unions
    ("union_views", """
struct s { union { u64 all; struct { u32 lo, hi; }; u8 bytes[8]; } u; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(u.all, struct s, u64));
USE(s)
""", []),
    ("union_in_part", """
struct s { union { u64 all; u32 lo; }; union { u32 raw; struct { u16 a, b; }; }; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(lo, struct s, u32), KSTATE_BASE_TYPE(a, struct s, u16));
USE(s)
""", ["forgotten all", "forgotten b"]),
    ("union_without_an_arm", """
struct x { u32 x; }; struct y { u64 y; };
struct s { u32 tag; union { struct x x; struct y y; u8 raw[8]; } u; };
static KSTATE_DESCRIBE(x_state, "x", 1, KSTATE_BASE_TYPE(x, struct x, u32));
static const struct kstate_arm arms[] = { { "first", 1, &x_state }, {} };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_UNION(u, struct s, tag, arms));
USE(s)
""", ["arm u.y"]),
    ("union_with_empty_arm", """
struct x { u32 x; }; struct y { u64 y; };
struct s { u32 tag; union { struct x x; struct y y; } u; };
static KSTATE_DESCRIBE(x_state, "x", 1, KSTATE_BASE_TYPE(x, struct x, u32));
static const struct kstate_arm arms[] = { { "x", 1, &x_state }, { "none", 2, NULL }, {} };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_UNION(u, struct s, tag, arms));
USE(s)
""", []),
    ("union_with_foreign_arm", """
struct x { u32 x; }; struct z { u32 z; };
struct s { u32 tag; union { struct x x; } u; };
static KSTATE_DESCRIBE(z_state, "z", 1, KSTATE_BASE_TYPE(z, struct z, u32));
static const struct kstate_arm arms[] = { { "x", 1, &z_state }, {} };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_UNION(u, struct s, tag, arms));
USE(s)
""", ["type u"]),
    # Types
    ("array_of_another_type", HAND + """
struct s { u32 a[4]; struct { u8 x, y; } b[3]; void *c[2]; };
#define U8S(_f) HAND(_f, .kind = KS_BASE_TYPE, .type = KS_U8, .size = 1, \
		     .num = sizeof(((struct s *)0)->_f), .modifiers = KS_ARRAY)
static KSTATE_DESCRIBE(s_state, "s", 1,
	U8S(a), U8S(b),
	HAND(c, .kind = KS_BASE_TYPE, .type = KS_U64, .num = 2, .modifiers = KS_ARRAY));
USE(s)
""", ["type a", "type b", "pointer c"]),
    ("array_of_chars", """
struct s { char a[4]; unsigned char b[3]; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_ARRAY(a, struct s, u8), KSTATE_ARRAY(b, struct s, u8));
USE(s)
""", []),
    ("written_by_hand", """
struct s { u32 a; u64 b; bool c; s16 d; };
#define HAND(_f, _size, _type) { .name = #_f, .of = "struct s", .kind = KS_BASE_TYPE, \\
	.offset = offsetof(struct s, _f), .size = _size, .type = _type, .num = 1 }
static KSTATE_DESCRIBE(s_state, "s", 1,
	HAND(a, 8, KS_U64), HAND(b, 4, KS_U32), HAND(c, 1, KS_U8), HAND(d, 2, KS_U16));
USE(s)
""", ["type a", "type b", "type c", "type d"]),
    ("pointer_by_hand", """
struct s { void *dev; u64 *count; };
#define HAND(_f) { .name = #_f, .of = "struct s", .kind = KS_BASE_TYPE, \\
	.offset = offsetof(struct s, _f), .size = 8, .type = KS_U64, .num = 1 }
static KSTATE_DESCRIBE(s_state, "s", 1, HAND(dev), HAND(count));
USE(s)
""", ["pointer dev", "pointer count"]),
    ("too_many_elements", """
struct s { u32 a[4]; u32 gap; u32 b; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	{ .name = "a", .of = "struct s", .kind = KS_BASE_TYPE, .modifiers = KS_ARRAY,
	.offset = 0, .size = 4, .type = KS_U32, .num = 5 }, KSTATE_SKIP(gap, struct s, "unused"),
	KSTATE_BASE_TYPE(b, struct s, u32));
USE(s)
""", ["size a"]),
    ("too_few_elements", """
struct s { u32 a[4]; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	{ .name = "a", .of = "struct s", .kind = KS_BASE_TYPE, .modifiers = KS_ARRAY,
	.offset = 0, .size = 4, .type = KS_U32, .num = 3 });
USE(s)
""", ["forgotten a"]),
    ("no_member_there", """
struct s { u64 a; u64 b; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u64), { .name = "c", .of = "struct s",
	.kind = KS_BASE_TYPE, .offset = 12, .size = 4, .type = KS_U32, .num = 1 });
USE(s)
""", ["offset c", "forgotten b"]),
    ("another_name", """
struct s { u64 a; u64 b; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u64), { .name = "c", .of = "struct s",
	.kind = KS_BASE_TYPE, .offset = 8, .size = 8, .type = KS_U64, .num = 1 });
USE(s)
""", []),
    ("another_build", """
struct s {
#if BUILD == 1
	u32 a; u32 b; u16 n; u16 data[3];
#else
	u32 a; u32 new; u32 b; u16 n; u16 data[3];
#endif
};
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u32), KSTATE_BASE_TYPE(b, struct s, u32),
	KSTATE_VARRAY(data, struct s, n));
USE(s)
""", ["offset b", "offset data", "type data", "forgotten new", "forgotten n"]),
    ("struct_for_a_pointer", HAND + """
struct in { u64 a; };
struct s { struct in *in; };
static KSTATE_DESCRIBE(in_state, "in", 1, KSTATE_BASE_TYPE(a, struct in, u64));
static KSTATE_DESCRIBE(s_state, "s", 1, HAND(in, .kind = KS_STRUCT, .ksd = &in_state));
USE(s)
""", ["type in"]),
    ("another_struct", """
struct in { u64 a; }; struct other { u64 a; };
struct s { struct in in; struct in *p; struct in array[2]; };
static KSTATE_DESCRIBE(other_state, "other", 1, KSTATE_BASE_TYPE(a, struct other, u64));
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_STRUCT(in, struct s, &other_state), KSTATE_STRUCT_POINTER(p, struct s, &other_state),
	KSTATE_STRUCT_ARRAY(array, struct s, &other_state));
USE(s)
""", ["type in", "type p", "type array"]),
    ("first_member_stands_for_all", """
struct base { u64 a; }; struct derived { struct base base; u32 cache; };
struct s { struct derived d; struct derived *p; };
static KSTATE_DESCRIBE(base_state, "base", 1, KSTATE_BASE_TYPE(a, struct base, u64));
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_STRUCT(d, struct s, &base_state), KSTATE_STRUCT_POINTER(p, struct s, &base_state));
USE(s)
""", []),
    ("void_pointer_to_a_struct", HAND + """
struct in { u64 a; };
struct s { void *p; };
static KSTATE_DESCRIBE(in_state, "in", 1, KSTATE_BASE_TYPE(a, struct in, u64));
static KSTATE_DESCRIBE(s_state, "s", 1,
	HAND(p, .kind = KS_STRUCT, .ksd = &in_state, .modifiers = KS_POINTER, KSTATE_ALLOC));
USE(s)
""", ["size p"]),
    ("entries_of_another_struct", """
struct entry { struct list_head link; u64 key; };
struct other { struct list_head link; u32 x; u32 unused[4]; };
struct s { struct list_head list; struct xarray xa; };
static KSTATE_DESCRIBE(other_state, "other", 1,
	KSTATE_SKIP(link, struct other, "restoring links it"), KSTATE_FIELD(struct other, x),
	KSTATE_SKIP(unused, struct other, "no use"));
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_LIST(list, struct s, struct entry, link, &other_state),
	KSTATE_XARRAY(xa, struct s, struct entry, &other_state));
USE(s)
""", ["type list", "type xa"]),
    ("equal_schemas", """
struct a { u32 x; }; struct b { u64 pad; u32 x; };
struct s { struct a a; struct b b; };
static const struct kstate_field a_fields[] = { KSTATE_BASE_TYPE(x, struct a, u32), KSTATE_END_OF_LIST() };
static const struct kstate_field b_fields[] = { KSTATE_BASE_TYPE(x, struct b, u32),
	KSTATE_SKIP(pad, struct b, "unused"), KSTATE_END_OF_LIST() };
static struct kstate_description a_state = { .name = "in", .fields = a_fields };
static struct kstate_description b_state = { .name = "in", .fields = b_fields };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_STRUCT(a, struct s, &a_state), KSTATE_STRUCT(b, struct s, &b_state));
USE(s)
""", []),
    # Pointers and addresses
    ("uintptr", """
#include <stdint.h>
struct s { uintptr_t where; unsigned long value; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(where, struct s, uintptr_t), KSTATE_BASE_TYPE(value, struct s, unsigned long));
USE(s)
""", ["pointer where"]),
    ("bitmap_pointer", HAND + """
struct s { unsigned long *bits; };
static KSTATE_DESCRIBE(s_state, "s", 1, HAND(bits, .kind = KS_BITMAP, .num = 64));
USE(s)
""", ["pointer bits"]),
    ("bitmap_in_part", """
struct s { unsigned long bits[4]; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BITMAP(bits, struct s, 130));
USE(s)
""", ["forgotten bits"]),
    ("addresses", """
struct s { struct page *page; struct folio *folio; void *p; u8 *bytes; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_ADDRESS(page, struct s, KS_VMEMMAP_ADDR),
	KSTATE_ADDRESS(folio, struct s, KS_VMEMMAP_ADDR),
	KSTATE_ADDRESS(p, struct s, KS_VMEMMAP_ADDR),
	KSTATE_ADDRESS(bytes, struct s, KS_LINEAR_ADDR));
USE(s)
""", []),
    ("addresses_of_another_kind", HAND + """
struct dev; struct s { struct page *page; struct dev *dev; void (*fn)(void); u64 number;
	struct page *area; void (*area_fn)(void); };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_ADDRESS(page, struct s, KS_LINEAR_ADDR), KSTATE_ADDRESS(dev, struct s, KS_VMEMMAP_ADDR),
	KSTATE_ADDRESS(fn, struct s, KS_LINEAR_ADDR), HAND(area, .kind = KS_VMALLOC),
	HAND(number, .kind = KS_ADDRESS, .addr_type = KS_LINEAR_ADDR),
	HAND(area_fn, .kind = KS_VMALLOC));
USE(s)
""", ["type page", "type dev", "type fn", "type number", "type area", "type area_fn"]),
    ("edges_by_hand", """
struct s { struct page *a; struct folio *b; u32 n; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	{ .name = "a", .of = "struct s", .kind = KS_FOLIO, .offset = 0, .size = 8, .num = 1 },
	{ .name = "b", .of = "struct s", .kind = KS_PAGES, .offset = 8, .size = 8, .num = 1,
	  .length = { .offset = 16, .type = KS_U32 } });
USE(s)
""", ["type a", "type b"]),
    # This kernel's own
    ("inside_of_own_types", """
struct mutex { int owner; }; struct timer_list { unsigned long expires; };
struct s { struct mutex lock; struct timer_list timer; struct { u32 x; } other; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(lock.owner, struct s, int), KSTATE_BASE_TYPE(timer.expires, struct s, unsigned long),
	KSTATE_BASE_TYPE(other.x, struct s, u32));
USE(s)
""", ["own lock.owner", "own timer.expires"]),
    ("custom_may_do_that", """
struct timer_list { unsigned long expires; };
struct s { struct timer_list timer; };
int save(struct kstate_stream *, void *, const struct kstate_field *);
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_CUSTOM(timer, struct s, save, save));
USE(s)
""", []),
    # What needs no types
    ("unused", """
struct s { u32 a; };
static KSTATE_DESCRIBE(s_state, "s", 1, KSTATE_BASE_TYPE(a, struct s, u32));
static struct kstate_description *const keep __attribute__((used, section(".discard"))) = NULL;
KSTATE_DESCRIBE(alone_state, "alone", 1, KSTATE_BASE_TYPE(a, struct s, u32));
USE(s)
""", ["unused"]),
    ("one_name_for_two", """
struct a { u32 x; }; struct b { u64 y; };
static KSTATE_DESCRIBE(a_state, "same", 1, KSTATE_BASE_TYPE(x, struct a, u32));
static KSTATE_DESCRIBE(b_state, "same", 1, KSTATE_BASE_TYPE(y, struct b, u64));
USE(a) USE(b)
""", ["name"]),
    ("one_name_and_schema_for_two", """
struct a { u32 x; }; struct b { u32 x; };
static KSTATE_DESCRIBE(a_state, "same", 1, KSTATE_BASE_TYPE(x, struct a, u32));
static KSTATE_DESCRIBE(b_state, "same", 1, KSTATE_BASE_TYPE(x, struct b, u32));
USE(a) USE(b)
""", []),
    ("no_reason", """
struct s { u32 a; u32 b; u32 c; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u32), KSTATE_SKIP(b, struct s, " "), KSTATE_SKIP(c, struct s, ""));
USE(s)
""", ["reason b", "reason c"]),
    ("only_removed", """
struct s { u32 a; };
static KSTATE_DESCRIBE(s_state, "s", 1,
	KSTATE_BASE_TYPE(a, struct s, u32, KSTATE_ALIAS("was")), KSTATE_REMOVED("gone"));
USE(s)
""", []),
    ("type_that_is_not_there", """
static KSTATE_DESCRIBE(s_state, "s", 1,
	{ .name = "a", .of = "struct gone", .kind = KS_BASE_TYPE, .offset = 0, .size = 4,
	.type = KS_U32, .num = 1 });
USE(s)
""", ["unchecked"]),
]
