/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KSTATE: describe the state of kernel objects, carry it across a kexec and
 * restore it in the next kernel. See Documentation/core-api/kstate/.
 */
#ifndef _LINUX_KSTATE_H
#define _LINUX_KSTATE_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/kstate_format.h>
#include <linux/list.h>
#include <linux/refcount_types.h>
#include <linux/stddef.h>
#include <linux/stringify.h>
#include <linux/types.h>

struct folio;
struct kstate_description;
struct kstate_field;
struct kstate_schema;
struct kstate_set;
struct kstate_stream;
struct kstate_transaction;
struct kstate_value;
struct page;

/**
 * DOC: describing state
 *
 * KSTATE_DESCRIBE() names a kind of state and lists its fields; the macros of the
 * kinds make one &struct kstate_field each. After the arguments that every kind
 * needs, a macro takes any of these:
 *
 * * KSTATE_DEFAULT(v): what the field gets when the stream does not have it.
 *   Without it, the field is required.
 * * KSTATE_ABSENT(fn): a function decides instead.
 * * KSTATE_IGNORABLE: a kernel that does not know the field may drop it.
 * * KSTATE_ALIAS("old", ...): earlier names of the field.
 * * KSTATE_CONVERT(fn): a function takes over where the stream has the field
 *   with a type that does not fit.
 * * KSTATE_RANGE(min, max), KSTATE_MASK(bits): what values are accepted, when
 *   saving and when restoring; KSTATE_EQUAL: only the value that the object
 *   holds, when restoring.
 * * KSTATE_ALLOC: allocate what a pointer points to when restoring.
 * * KSTATE_MAX_COUNT(n): most elements, when saving and when restoring.
 * * KSTATE_FLAG_NAMES(table), KSTATE_ENUM_NAMES(table): what bits or values mean,
 *   see &struct kstate_flag_name.
 * * KSTATE_HEX, KSTATE_MAC, KSTATE_UUID, KSTATE_SECRET: how to show it. The second is
 *   for an array of 6 u8, the third for one of 16 u8, such as that in a uuid_t.
 */

/* "KS", the layout of the tables, and room for the kind */
#define KSTATE_TABLES	0x4b530200

/**
 * enum kstate_kind - what a field is
 * @KS_BASE_TYPE: an integer, a bool or a char, or an array of them
 * @KS_STRUCT: a struct with a description of its own
 * @KS_CUSTOM: whatever two functions write and read
 * @KS_ADDRESS: a pointer into the linear map or to a struct page, whose
 *	memory somebody else preserves
 * @KS_FOLIO: a folio, handed over in place
 * @KS_PAGES: physically contiguous pages, handed over in place
 * @KS_VMALLOC: a vmalloc area, handed over in place
 * @KS_STRING: text that ends with a NUL
 * @KS_BITMAP: bits in an array of unsigned long
 * @KS_LIST: a list_head and what is on it
 * @KS_XARRAY: an xarray and what is in it
 * @KS_UNION: one of several structs; another member says which
 * @KS_GROUP: fields of the same object that a predicate switches on
 * @KS_REMOVED: no member; the name of a field that may be dropped
 * @KS_SKIP: a member that is deliberately not saved
 * @KS_END: ends the list
 * @KS_FOLIOS: an array of &struct kstate_folio_entry, the folios handed over in
 *	place
 * @KS_HLIST: an hlist_head and what is on it
 *
 * The values tell a list of fields from other bytes of an object file, and
 * %KSTATE_TABLES changes with the layout of &struct kstate_field and &struct
 * kstate_description: tools that collect descriptions at build time check it.
 * The low bytes, and &enum kstate_modifier, are in catalogues: no value is ever
 * used for something else.
 */
enum kstate_kind {
	KS_BASE_TYPE = KSTATE_TABLES + 1,
	KS_STRUCT,
	KS_CUSTOM,
	KS_ADDRESS,
	KS_FOLIO,
	KS_PAGES,
	KS_VMALLOC,
	KS_STRING,
	KS_BITMAP,
	KS_LIST,
	KS_XARRAY,
	KS_UNION,
	KS_GROUP,
	KS_REMOVED,
	KS_SKIP,
	KS_END,
	KS_FOLIOS,
	KS_HLIST,
};

/**
 * enum kstate_modifier - where the elements of a field are
 * @KS_POINTER: the member points to them
 * @KS_ARRAY: there are kstate_field.num of them
 * @KS_VARRAY: another member, or a function, says how many there are
 * @KS_ARRAY_OF_POINTER: the member holds pointers to them; any may be NULL
 * @KS_FLEX: they are at the end of the object, in a flexible array member
 */
enum kstate_modifier {
	KS_POINTER		= BIT(0),
	KS_ARRAY		= BIT(1),
	KS_VARRAY		= BIT(2),
	KS_ARRAY_OF_POINTER	= BIT(3),
	KS_FLEX			= BIT(4),
};

/**
 * enum kstate_addr_type - what kind of address a %KS_ADDRESS is
 * @KS_VMEMMAP_ADDR: a struct page
 * @KS_LINEAR_ADDR: memory in the linear map
 */
enum kstate_addr_type {
	KS_VMEMMAP_ADDR,
	KS_LINEAR_ADDR,
};

/**
 * struct kstate_arm - one of the structs of a union
 * @name: name of the arm; NULL ends the list
 * @tag: value of the tag member that selects it
 * @ksd: description of the struct, or NULL if there is nothing to save
 */
struct kstate_arm {
	const char *name;
	u64 tag;
	const struct kstate_description *ksd;
};

/**
 * struct kstate_flag_name - name of some bits, or of a value, of a field
 * @bits: the bits, or the value
 * @name: their name; NULL ends the list
 */
struct kstate_flag_name {
	u64 bits;
	const char *name;
};

/**
 * struct kstate_folio_entry - one folio of a %KS_FOLIOS
 * @folio: the folio
 * @index: where it belongs, in pages: its index in a page cache, for instance; at most
 *	%KSTATE_RUN_BITS bits
 * @flags: whatever else there is to say about it, in %KSTATE_RUN_FLAGS bits
 */
struct kstate_folio_entry {
	struct folio *folio;
	u64 index;
	u32 flags;
};

/**
 * struct kstate_member - a member of the object that another field refers to
 * @offset: in bytes
 * @type: its integer type
 */
struct kstate_member {
	u32 offset;
	enum kstate_type type;
};

/**
 * struct kstate_field - a field of a description
 * @name: name of the field, for the stream and for messages
 * @of: the struct that it is a member of, for tools
 * @offset: of the member in the object, in bytes
 * @size: bytes of one element in memory
 * @kind: what it is
 * @modifiers: &enum kstate_modifier
 * @has_default: @dflt is what the member gets when the stream does not have it
 * @ignorable: a reader that does not know the field may drop it
 * @range: accept only @min to @max
 * @masked: accept only bits of @mask
 * @equal: accept only what the object already holds
 * @alloc: restoring allocates what the member points to, with kvzalloc()
 * @mac: show it as the address of a network card
 * @uuid: show it as a UUID
 * @hex: show it in hexadecimal
 * @secret: do not show it
 * @enumerated: @flag_names are names of values
 * @type: type of an element of a %KS_BASE_TYPE; of a %KS_REMOVED, what it was
 * @addr_type: of a %KS_ADDRESS
 * @num: elements of an array, or how many the member has room for
 * @link: offset of the list_head or hlist_node in the elements of a list
 * @max_count: most elements that are accepted, or 0
 * @ksd: description of the elements
 * @arms: of a union, ended by an arm without a name
 * @length: member that holds the number of elements, or the tag of a union
 * @count: instead of @length: number of elements of the member in @obj. It is
 *	called when saving; if the member is a pointer to memory, before
 *	restoring, to find out how much room there is; and after restoring,
 *	when it must count what was restored
 * @needed: of a group: whether @obj has something to save in it. A field
 *	that is not at its default is saved in any case
 * @save: of a %KS_CUSTOM: write the member to @stream with kstate_put_*()
 * @restore: of a %KS_CUSTOM: read it with kstate_get_*() into @member, a
 *	zeroed copy that replaces the member once all of the record is known
 *	to be good
 * @absent: fill @member, a zeroed copy, when the stream does not have it
 * @convert: fill @member, a zeroed copy, from @from, which has another type
 * @discard: free what @restore, @absent or @convert put into @member, because
 *	the record turned out to be bad after all
 * @dflt: value of KSTATE_DEFAULT()
 * @min: smallest accepted value
 * @max: largest accepted value
 * @mask: bits that may be set
 * @aliases: earlier names, ended by NULL
 * @flag_names: names of bits or values, ended by an entry without a name
 * @reason: of a %KS_SKIP: why the member is not saved
 *
 * Use the KSTATE_*() macros to fill it.
 *
 * All callbacks run in the context of the call that saves or restores, with
 * the lock of the stream held; they may sleep. They must not call KSTATE but by
 * kstate_put_*(), kstate_get_*() and kstate_value_*(), and locks that they take
 * must not be held by those who save or restore. They return 0 or a negative
 * error code, which ends saving or restoring of the object.
 */
struct kstate_field {
	const char *name;
	const char *of;
	u32 offset;
	u32 size;
	enum kstate_kind kind;
	u16 modifiers;
	u16 has_default:1;
	u16 ignorable:1;
	u16 range:1;
	u16 masked:1;
	u16 equal:1;
	u16 alloc:1;
	u16 hex:1;
	u16 mac:1;
	u16 uuid:1;
	u16 secret:1;
	u16 enumerated:1;
	enum kstate_type type;
	enum kstate_addr_type addr_type;
	u32 num;
	u32 link;
	u32 max_count;
	union {
		const struct kstate_description *ksd;
		const struct kstate_arm *arms;
	};
	struct kstate_member length;
	int (*count)(const void *obj);
	bool (*needed)(const void *obj);
	int (*save)(struct kstate_stream *stream, void *member,
		    const struct kstate_field *field);
	int (*restore)(struct kstate_stream *stream, void *member,
		       const struct kstate_field *field);
	int (*absent)(void *member, const struct kstate_field *field);
	int (*convert)(void *member, const struct kstate_value *from,
		       const struct kstate_field *field);
	void (*discard)(void *member, const struct kstate_field *field);
	u64 dflt;
	u64 min;
	u64 max;
	u64 mask;
	const char *const *aliases;
	const struct kstate_flag_name *flag_names;
	const char *reason;
};

/**
 * struct kstate_description - a kind of state
 * @name: its name, with a namespace if it is a vendor's: "vendor,thing"
 * @id: a number for the description's author; KSTATE goes by @name
 * @version_id: what the fields mean; raise it when a field keeps name and type
 *	but means something else. Adding, removing, renaming, reordering and
 *	widening fields needs no new version
 * @min_version_id: oldest version with which this one can exchange state: it
 *	takes streams of no older one and offers its own to no older one; 0 stands for
 *	@version_id
 * @optional: a kernel that does not know this state may go on without it
 * @string_key: instances are told apart by strings, not by numbers
 * @fields: the fields, ended by KSTATE_END_OF_LIST()
 * @init: initialize an object that restoring has allocated and zeroed: locks,
 *	xarrays and the like; or NULL. Must not allocate
 * @restored: called on the restored object, after everything has been written and
 *	before the record is claimed; an error undoes all of it. Those of structs
 *	inside the object are called first. Or NULL
 * @instance_id: counter of kstate_register()
 * @schema: private
 */
struct kstate_description {
	const char *name;
	int id;
	u32 version_id;
	u32 min_version_id;
	bool optional;
	bool string_key;
	const struct kstate_field *fields;
	void (*init)(void *obj);
	int (*restored)(void *obj);
	atomic_t instance_id;
	struct kstate_schema *schema;
};

/* Types, as constant expressions */

#define __kstate_size(_kstype)	((_kstype) & 0xf)

/* What is no integer. It has a size, so that nothing else fails before it is refused */
#define __KSTATE_NO_INT		0xf1

#define __kstate_long(_signed)						\
	((_signed) ? (sizeof(long) == 8 ? KS_S64 : KS_S32) :		\
		     (sizeof(long) == 8 ? KS_U64 : KS_U32))

/* Type of the value @_x */
#define __kstate_scalar(_x)						\
	_Generic((_x),							\
		 bool: KS_BOOL, char: KS_CHAR,				\
		 signed char: KS_S8, unsigned char: KS_U8,		\
		 short: KS_S16, unsigned short: KS_U16,			\
		 int: KS_S32, unsigned int: KS_U32,			\
		 long: __kstate_long(1), unsigned long: __kstate_long(0), \
		 long long: KS_S64, unsigned long long: KS_U64,		\
		 default: __KSTATE_NO_INT)

#define __kstate_is_int(_kstype)	((_kstype) != __KSTATE_NO_INT)

#define __kstate_member(_state, _f)	(((_state *)0)->_f)
#define __kstate_typeof(_state, _f)	typeof(__kstate_member(_state, _f))

/* The comma operator turns an array into a pointer and leaves the rest alone */
#define __kstate_is_array(_type)					\
	(!__builtin_types_compatible_p(_type,				\
				       typeof(((void)0, *(typeof(_type) *)0))))

/* Whether @_x has elements or a target; __builtin_classify_type() takes both for pointers */
#define __kstate_leads(_x)	(__builtin_classify_type(_x) == __KSTATE_POINTER_CLASS)
#define __KSTATE_POINTER_CLASS	__builtin_classify_type((void *)0)
#define __kstate_is_pointer(_x)	(__kstate_leads(_x) && !__kstate_is_array(typeof(_x)))

/*
 * What @_x leads to, or @_x itself if it leads nowhere. Where a void * leads to is given
 * a type that is neither an integer nor a struct.
 */
#define __kstate_target(_x)						\
	typeof(*__builtin_choose_expr(__kstate_leads(_x), (_x), &(_x)))
#define __kstate_is_void(_x)						\
	__builtin_types_compatible_p(__kstate_target(_x), void)
#define __kstate_element(_x)						\
	(*__builtin_choose_expr(__kstate_is_void(_x), (void *(*)[1])0,	\
				(__kstate_target(_x) *)0))

/* One dimension off an array; anything else as it is */
#define __kstate_strip(_x)						\
	(*__builtin_choose_expr(__kstate_is_array(typeof(_x)), (_x), &(_x)))

#define __kstate_is_aggregate(_x)					\
	(__builtin_classify_type(_x) == __builtin_classify_type(*(struct list_head *)0) || \
	 __builtin_classify_type(_x) == __builtin_classify_type(*(union { int i; } *)0))

/* After a flexible array member there is nothing but padding */
#define __kstate_is_flexible(_state, _f)				\
	(__kstate_is_array(__kstate_typeof(_state, _f)) &&		\
	 sizeof(_state) - offsetof(_state, _f) < __alignof__(_state))

#define __kstate_elem(_state, _f)	__kstate_element(__kstate_member(_state, _f))
#define __kstate_elem_elem(_state, _f)	__kstate_element(__kstate_elem(_state, _f))
#define __kstate_elem_type(_state, _f)	__kstate_scalar(__kstate_elem(_state, _f))

/* What the element of an array, or what a member points to, is */
#define __kstate_to_int(_state, _f)					\
	(__kstate_leads(__kstate_member(_state, _f)) &&			\
	 __kstate_is_int(__kstate_elem_type(_state, _f)))
#define __kstate_to_struct(_state, _f)					\
	(__kstate_leads(__kstate_member(_state, _f)) &&			\
	 __kstate_is_aggregate(__kstate_elem(_state, _f)))
#define __kstate_to_type(_state, _f, _type)				\
	(__kstate_leads(__kstate_member(_state, _f)) &&			\
	 __same_type(__kstate_elem(_state, _f), _type))
/* A pointer or an array of pointers */
#define __kstate_of_pointers(_state, _f)				\
	__kstate_is_pointer(__kstate_strip(__kstate_member(_state, _f)))
#define __kstate_member_is_array(_state, _f)				\
	__kstate_is_array(__kstate_typeof(_state, _f))
#define __kstate_member_is_pointer(_state, _f)				\
	__kstate_is_pointer(__kstate_member(_state, _f))

/* Type of an integer or of the elements of an array with one dimension */
#define __kstate_type_of(_type)						\
	__kstate_scalar(__kstate_strip(*(typeof(_type) *)0))

/*
 * Type of an integer or of the innermost elements of an array: what it is, is told from
 * a pointer to it, so that pointers are not taken for arrays.
 */
#define __kstate_innermost(_x)						\
	_Generic(&__kstate_strip(__kstate_strip(__kstate_strip(_x))),	\
		 __KSTATE_MATCH_INTS, default: __KSTATE_NO_INT)
/* Of what a pointer leads to: also of a type that is declared only */
#define __kstate_plain(_x)						\
	_Generic((_x), void *: KS_U8, __KSTATE_MATCH_INTS, default: __KSTATE_NO_INT)
#define __KSTATE_MATCH_INTS						\
	__kstate_match(bool, KS_BOOL),					\
	__kstate_match(char, KS_CHAR),					\
	__kstate_match(signed char, KS_S8),				\
	__kstate_match(unsigned char, KS_U8),				\
	__kstate_match(short, KS_S16),					\
	__kstate_match(unsigned short, KS_U16),				\
	__kstate_match(int, KS_S32),					\
	__kstate_match(unsigned int, KS_U32),				\
	__kstate_match(long, __kstate_long(1)),				\
	__kstate_match(unsigned long, __kstate_long(0)),		\
	__kstate_match(long long, KS_S64),				\
	__kstate_match(unsigned long long, KS_U64),			\
	__kstate_match(atomic_t, KS_S32),				\
	__kstate_match(atomic64_t, KS_S64),				\
	__kstate_match(refcount_t, KS_S32)
#define __kstate_match(_type, _kstype)					\
	_type *: (_kstype), _type (*)[]: (_kstype),			\
	volatile _type *: (_kstype), volatile _type (*)[]: (_kstype)

/*
 * Mistakes are sentences of the compiler. Each stands in the macro that describes the
 * field, because a macro around it would only make the compiler say more:
 *
 *	sizeof(struct { _Static_assert(condition, "struct.member sentence"); })
 *
 * is 0 where there is no mistake.
 */
#define __KSTATE_FIELD(_f, _state, _kind)				\
	.name = #_f,							\
	.of = #_state,							\
	.kind = (_kind),						\
	.offset = offsetof(_state, _f)

/* An array is in the object, a pointer leads out of it */
#define __kstate_bytes(_f, _state)					\
	(__kstate_is_array(__kstate_typeof(_state, _f)) ? sizeof(__kstate_member(_state, _f)) : 0)
#define __kstate_room(_f, _state)					\
	(__kstate_bytes(_f, _state) / sizeof(__kstate_elem(_state, _f)))

#define __kstate_place(_f, _state)					\
	(__kstate_is_array(__kstate_typeof(_state, _f)) ? 0 : KS_POINTER)

#define __KSTATE_LENGTH(_state, _n)					\
	.length = {							\
		.offset = offsetof(_state, _n) + sizeof(struct { _Static_assert( \
			__kstate_is_int(__kstate_scalar(__kstate_member(_state, _n))), \
			#_state "." #_n " is no integer: "		\
			"it cannot hold a number of elements or a tag"); \
			}),						\
		.type = __kstate_scalar(__kstate_member(_state, _n)),	\
	}

/* Sentences that are said of more than one kind */
#define __KSTATE_IS_POINTER						\
	" is a pointer, whose value means nothing in the next kernel: "	\
	"use the macro for what it points to"
#define __KSTATE_NO_INTS	" is no array of integers, bools or chars, and no pointer to them"
#define __KSTATE_WHAT_IT_IS	": use the macro for what it is"

/*
 * An option does not know the member that it is given to. The macros of integers give
 * their options once more, inside of the parameters of a function type, where
 * __kstate_member_type is an array of as many bytes as the type has as a number:
 *
 *	0 * sizeof(void (*)(char (*__kstate_member_type)[KS_U8],
 *			    char (*)[sizeof((struct kstate_field) { options })]))
 *
 * Elsewhere it is u64, of which everything is a value. (What may be declared there
 * without a warning is a union, not a struct.)
 */
extern char (*__kstate_member_type)[KS_U64];

#define __kstate_top_bit						\
	((sizeof(*__kstate_member_type) == KS_BOOL ? 1 :		\
	  8 * __kstate_size(sizeof(*__kstate_member_type))) - 1)
#define __kstate_below_zero						\
	((sizeof(*__kstate_member_type) & 0xf0) == 0x10 ? 1ULL << __kstate_top_bit : 0)
#define __kstate_fits(_v)						\
	(((u64)(_v) + __kstate_below_zero) >> __kstate_top_bit >> 1 == 0)
#define __kstate_covers(_bits)						\
	((u64)(_bits) >> __kstate_top_bit >> 1 == 0 ||			\
	 ~(u64)(_bits) >> __kstate_top_bit >> 1 == 0)

/* What may follow the arguments of a kind */

#define KSTATE_DEFAULT(_v)						\
	.has_default = 1,						\
	.dflt = (u64)(_v) + sizeof(union { _Static_assert(__kstate_fits(_v), \
		"KSTATE_DEFAULT(" #_v ") is no value of the type of the member"); })
#define KSTATE_ABSENT(_fn)	.absent = (_fn)
#define KSTATE_IGNORABLE	.ignorable = 1
#define KSTATE_ALIAS(...)						\
	.aliases = (const char *const[]) { __VA_ARGS__, NULL }
#define KSTATE_CONVERT(_fn)	.convert = (_fn)
#define KSTATE_DISCARD(_fn)	.discard = (_fn)
#define KSTATE_RANGE(_min, _max)					\
	.range = 1, .max = (u64)(_max),					\
	.min = (u64)(_min) + sizeof(union { _Static_assert(		\
		__kstate_fits(_min) && __kstate_fits(_max),		\
		"KSTATE_RANGE(" #_min ", " #_max ") has values that "	\
		"the type of the member has not"); })
#define KSTATE_MASK(_bits)						\
	.masked = 1,							\
	.mask = (_bits) + sizeof(union { _Static_assert(__kstate_covers(_bits), \
		"KSTATE_MASK(" #_bits ") has bits that the member has not"); })
#define KSTATE_EQUAL		.equal = 1
#define KSTATE_ALLOC		.alloc = 1
#define KSTATE_MAX_COUNT(_n)	.max_count = (_n)
#define KSTATE_HEX		.hex = 1
#define KSTATE_MAC		.mac = 1
#define KSTATE_UUID		.uuid = 1
#define KSTATE_SECRET		.secret = 1
#define KSTATE_FLAG_NAMES(_table)	.flag_names = (_table)
#define KSTATE_ENUM_NAMES(_table)	.flag_names = (_table), .enumerated = 1

/* Of a KSTATE_REMOVED(): the type that its member had */
#define KSTATE_WAS(_type)						\
	.type = __kstate_type_of(_type) + sizeof(struct { _Static_assert( \
		__kstate_is_int(__kstate_type_of(_type)),		\
		"KSTATE_WAS(" #_type ") is no integer, bool or char, and no array of them"); }), \
	.num = sizeof(_type) / __kstate_size(__kstate_type_of(_type)),	\
	.modifiers = __kstate_is_array(_type) ? KS_ARRAY : 0

/* The kinds of fields */

/**
 * KSTATE_FIELD() - an integer, a bool, a char, an enum, an atomic_t, atomic64_t or
 *	refcount_t, or an array of them with up to four dimensions
 * @_state: the struct
 * @_f: the member, whose type says what the field is
 */
#define KSTATE_FIELD(_state, _f, ...) {					\
	__KSTATE_FIELD(_f, _state, KS_BASE_TYPE),			\
	.type = __kstate_innermost(__kstate_member(_state, _f)),	\
	.size = __kstate_size(__kstate_innermost(__kstate_member(_state, _f))) + sizeof(struct { \
		_Static_assert(!__kstate_of_pointers(_state, _f),	\
			#_state "." #_f __KSTATE_IS_POINTER);		\
		_Static_assert(__kstate_is_int(__kstate_innermost(__kstate_member(_state, _f))) || \
			       __kstate_of_pointers(_state, _f),	\
			#_state "." #_f " is no integer, bool, char, enum or atomic, " \
			"and no array of them"				\
			__KSTATE_WHAT_IT_IS);				\
		}),							\
	.num = sizeof(__kstate_member(_state, _f)) /			\
	       __kstate_size(__kstate_innermost(__kstate_member(_state, _f))) + \
	       0 * sizeof(void (*)(					\
		char (*__kstate_member_type)[__kstate_innermost(__kstate_member(_state, _f))], \
		char (*)[sizeof((struct kstate_field) { __VA_ARGS__ })])), \
	.modifiers = __kstate_member_is_array(_state, _f) ? KS_ARRAY : 0, \
	##__VA_ARGS__							\
}

/**
 * KSTATE_BASE_TYPE() - an integer, a bool or a char, or an array of them
 * @_f: the member
 * @_state: the struct
 * @_type: type of the member, once more
 */
#define KSTATE_BASE_TYPE(_f, _state, _type, ...) {			\
	__KSTATE_FIELD(_f, _state, KS_BASE_TYPE),			\
	.type = __kstate_type_of(_type),				\
	.size = __kstate_size(__kstate_type_of(_type)) + sizeof(struct { \
		_Static_assert(!__kstate_of_pointers(_state, _f),	\
			#_state "." #_f __KSTATE_IS_POINTER);		\
		_Static_assert(__same_type(__kstate_typeof(_state, _f), _type) || \
			       __kstate_of_pointers(_state, _f),	\
			#_state "." #_f " is described as " #_type ", and has another type"); \
		_Static_assert(__kstate_is_int(__kstate_type_of(_type)) || \
			       !__same_type(__kstate_typeof(_state, _f), _type) || \
			       __kstate_of_pointers(_state, _f),	\
			#_state "." #_f " is no integer, bool or char, and no array of them" \
			__KSTATE_WHAT_IT_IS);				\
		}),							\
	.num = sizeof(_type) / __kstate_size(__kstate_type_of(_type)) +	\
	       0 * sizeof(void (*)(					\
		char (*__kstate_member_type)[__kstate_type_of(_type)],	\
		char (*)[sizeof((struct kstate_field) { __VA_ARGS__ })])), \
	.modifiers = __kstate_is_array(_type) ? KS_ARRAY : 0,		\
	##__VA_ARGS__							\
}

/**
 * KSTATE_ARRAY() - an array of integers with any number of dimensions
 * @_f: the member
 * @_state: the struct
 * @_type: integer type of the innermost elements
 */
#define KSTATE_ARRAY(_f, _state, _type, ...) {				\
	__KSTATE_FIELD(_f, _state, KS_BASE_TYPE),			\
	.type = __kstate_scalar(*(typeof(_type) *)0),			\
	.size = sizeof(_type) + sizeof(struct {				\
		_Static_assert(__kstate_member_is_array(_state, _f),	\
			#_state "." #_f " is no array: use KSTATE_FIELD(), " \
			"or the macro for what it points to");		\
		_Static_assert(!__kstate_member_is_array(_state, _f) ||	\
			       __kstate_innermost(__kstate_member(_state, _f)) == \
			       __kstate_scalar(*(typeof(_type) *)0) ||	\
			       (__kstate_innermost(__kstate_member(_state, _f)) == KS_CHAR && \
				sizeof(_type) == 1),			\
			#_state "." #_f " is described as an array of " #_type \
			", and has other elements");			\
		}),							\
	.num = sizeof(__kstate_member(_state, _f)) /			\
	       __kstate_size(__kstate_scalar(*(typeof(_type) *)0)) +	\
	       0 * sizeof(void (*)(					\
		char (*__kstate_member_type)[__kstate_scalar(*(typeof(_type) *)0)], \
		char (*)[sizeof((struct kstate_field) { __VA_ARGS__ })])), \
	.modifiers = KS_ARRAY,						\
	##__VA_ARGS__							\
}

/**
 * KSTATE_POINTER() - a pointer to an integer, or NULL
 * @_f: the member
 * @_state: the struct
 *
 * Restoring writes to what the member points to; if it is NULL, restoring
 * needs KSTATE_ALLOC.
 */
#define KSTATE_POINTER(_f, _state, ...) {				\
	__KSTATE_FIELD(_f, _state, KS_BASE_TYPE),			\
	.type = __kstate_elem_type(_state, _f),				\
	.size = sizeof(__kstate_elem(_state, _f)) + sizeof(struct {	\
		_Static_assert(__kstate_member_is_pointer(_state, _f) && \
			       __kstate_to_int(_state, _f),		\
			#_state "." #_f " is no pointer to an integer, bool or char" \
			__KSTATE_WHAT_IT_IS);				\
		}),							\
	.num = 1 +							\
	       0 * sizeof(void (*)(					\
		char (*__kstate_member_type)[__kstate_elem_type(_state, _f)], \
		char (*)[sizeof((struct kstate_field) { __VA_ARGS__ })])), \
	.modifiers = KS_POINTER,					\
	##__VA_ARGS__							\
}

/* Integers in an array, or behind a pointer */
#define __KSTATE_INTS(_f, _state)					\
	.type = __kstate_elem_type(_state, _f),				\
	.size = sizeof(__kstate_elem(_state, _f))

/**
 * KSTATE_VARRAY() - integers, as many as another member says
 * @_f: the member: an array with room for them, or a pointer
 * @_state: the struct
 * @_n: the member that holds their number
 *
 * Restoring into a pointer that is not NULL takes @_n as the room there is.
 */
#define KSTATE_VARRAY(_f, _state, _n, ...) {				\
	__KSTATE_FIELD(_f, _state, KS_BASE_TYPE),			\
	__KSTATE_INTS(_f, _state) + sizeof(struct {			\
		_Static_assert(__kstate_to_int(_state, _f),		\
			#_state "." #_f __KSTATE_NO_INTS);		\
		}),							\
	.num = __kstate_room(_f, _state) +				\
	       0 * sizeof(void (*)(					\
		char (*__kstate_member_type)[__kstate_elem_type(_state, _f)], \
		char (*)[sizeof((struct kstate_field) { __VA_ARGS__ })])), \
	__KSTATE_LENGTH(_state, _n),					\
	.modifiers = KS_VARRAY | __kstate_place(_f, _state),		\
	##__VA_ARGS__							\
}

/**
 * KSTATE_VARRAY_FN() - integers, as many as a function says
 * @_f: the member: an array with room for them, or a pointer
 * @_state: the struct
 * @_count: see kstate_field.count
 */
#define KSTATE_VARRAY_FN(_f, _state, _count, ...) {			\
	__KSTATE_FIELD(_f, _state, KS_BASE_TYPE),			\
	__KSTATE_INTS(_f, _state) + sizeof(struct {			\
		_Static_assert(__kstate_to_int(_state, _f),		\
			#_state "." #_f __KSTATE_NO_INTS);		\
		}),							\
	.num = __kstate_room(_f, _state) +				\
	       0 * sizeof(void (*)(					\
		char (*__kstate_member_type)[__kstate_elem_type(_state, _f)], \
		char (*)[sizeof((struct kstate_field) { __VA_ARGS__ })])), \
	.count = (_count),						\
	.modifiers = KS_VARRAY | __kstate_place(_f, _state),		\
	##__VA_ARGS__							\
}

/**
 * KSTATE_FLEX_ARRAY() - integers in a flexible array member
 * @_f: the member, the last one of the object
 * @_state: the struct
 * @_n: the member that holds their number
 *
 * Restoring takes @_n as the number that the object was allocated for.
 */
#define KSTATE_FLEX_ARRAY(_f, _state, _n, ...) {			\
	__KSTATE_FIELD(_f, _state, KS_BASE_TYPE),			\
	__KSTATE_INTS(_f, _state) + sizeof(struct {			\
		_Static_assert(__kstate_is_flexible(_state, _f) && __kstate_to_int(_state, _f), \
			#_state "." #_f " is no flexible array of integers, bools or chars"); \
		}),							\
	.num = 0 * sizeof(void (*)(					\
		char (*__kstate_member_type)[__kstate_elem_type(_state, _f)], \
		char (*)[sizeof((struct kstate_field) { __VA_ARGS__ })])), \
	__KSTATE_LENGTH(_state, _n),					\
	.modifiers = KS_VARRAY | KS_FLEX,				\
	##__VA_ARGS__							\
}

/**
 * KSTATE_ARRAY_OF_POINTER() - an array of pointers to integers
 * @_f: the member
 * @_state: the struct
 *
 * Any of them may be NULL. Give ".length" or ".count" if not all entries of
 * the array are in use.
 */
#define KSTATE_ARRAY_OF_POINTER(_f, _state, ...) {			\
	__KSTATE_FIELD(_f, _state, KS_BASE_TYPE),			\
	.type = __kstate_scalar(__kstate_elem_elem(_state, _f)),	\
	.size = sizeof(__kstate_elem_elem(_state, _f)) +		\
		sizeof(struct {						\
		_Static_assert(__kstate_member_is_array(_state, _f) &&	\
			       __kstate_of_pointers(_state, _f) &&	\
			       __kstate_is_int(__kstate_scalar(__kstate_elem_elem(_state, _f))), \
			#_state "." #_f " is no array of pointers to integers, bools or chars"); \
		}),							\
	.num = __kstate_room(_f, _state) +				\
	       0 * sizeof(void (*)(					\
		char (*__kstate_member_type)[__kstate_scalar(__kstate_elem_elem(_state, _f))], \
		char (*)[sizeof((struct kstate_field) { __VA_ARGS__ })])), \
	.modifiers = KS_ARRAY_OF_POINTER,				\
	##__VA_ARGS__							\
}

/**
 * KSTATE_STRUCT() - a struct inside the object
 * @_f: the member
 * @_state: the struct
 * @_ksd: &struct kstate_description of the member
 */
#define KSTATE_STRUCT(_f, _state, _ksd, ...) {				\
	__KSTATE_FIELD(_f, _state, KS_STRUCT),				\
	.size = sizeof(__kstate_member(_state, _f)) + sizeof(struct {	\
		_Static_assert(__kstate_is_aggregate(__kstate_member(_state, _f)), \
			#_state "." #_f " is no struct in the object: use " \
			"KSTATE_STRUCT_POINTER(), KSTATE_STRUCT_ARRAY(), or what it is"); \
		}),							\
	.num = 1,							\
	.ksd = (_ksd),							\
	##__VA_ARGS__							\
}

/* Structs in an array, or behind a pointer */
#define __KSTATE_STRUCTS(_f, _state, _ksd)				\
	.ksd = (_ksd),							\
	.size = sizeof(__kstate_elem(_state, _f))

/**
 * KSTATE_STRUCT_ARRAY() - an array of structs inside the object
 * @_f: the member
 * @_state: the struct
 * @_ksd: &struct kstate_description of the elements
 */
#define KSTATE_STRUCT_ARRAY(_f, _state, _ksd, ...) {			\
	__KSTATE_FIELD(_f, _state, KS_STRUCT),				\
	__KSTATE_STRUCTS(_f, _state, _ksd) + sizeof(struct {		\
		_Static_assert(__kstate_member_is_array(_state, _f) &&	\
			       __kstate_to_struct(_state, _f),		\
			#_state "." #_f " is no array of structs"	\
			__KSTATE_WHAT_IT_IS);				\
		}),							\
	.num = __kstate_room(_f, _state),				\
	.modifiers = KS_ARRAY,						\
	##__VA_ARGS__							\
}

/**
 * KSTATE_STRUCT_POINTER() - a pointer to a struct, or NULL
 * @_f: the member
 * @_state: the struct
 * @_ksd: &struct kstate_description of the struct
 */
#define KSTATE_STRUCT_POINTER(_f, _state, _ksd, ...) {			\
	__KSTATE_FIELD(_f, _state, KS_STRUCT),				\
	__KSTATE_STRUCTS(_f, _state, _ksd) + sizeof(struct {		\
		_Static_assert(__kstate_member_is_pointer(_state, _f) && \
			       __kstate_to_struct(_state, _f),		\
			#_state "." #_f " is no pointer to a struct"	\
			__KSTATE_WHAT_IT_IS);				\
		}),							\
	.num = 1,							\
	.modifiers = KS_POINTER,					\
	##__VA_ARGS__							\
}

/**
 * KSTATE_STRUCT_VARRAY() - structs, as many as another member says
 * @_f: the member: an array with room for them, or a pointer
 * @_state: the struct
 * @_n: the member that holds their number
 * @_ksd: &struct kstate_description of the elements
 */
#define KSTATE_STRUCT_VARRAY(_f, _state, _n, _ksd, ...) {		\
	__KSTATE_FIELD(_f, _state, KS_STRUCT),				\
	__KSTATE_STRUCTS(_f, _state, _ksd) + sizeof(struct {		\
		_Static_assert(__kstate_to_struct(_state, _f),		\
			#_state "." #_f " is no array of structs, and no pointer to them"); \
		}),							\
	.num = __kstate_room(_f, _state),				\
	__KSTATE_LENGTH(_state, _n),					\
	.modifiers = KS_VARRAY | __kstate_place(_f, _state),		\
	##__VA_ARGS__							\
}

/**
 * KSTATE_STRUCT_FLEX_ARRAY() - structs in a flexible array member
 * @_f: the member, the last one of the object
 * @_state: the struct
 * @_n: the member that holds their number
 * @_ksd: &struct kstate_description of the elements
 *
 * Restoring takes @_n as the number that the object was allocated for.
 */
#define KSTATE_STRUCT_FLEX_ARRAY(_f, _state, _n, _ksd, ...) {		\
	__KSTATE_FIELD(_f, _state, KS_STRUCT),				\
	__KSTATE_STRUCTS(_f, _state, _ksd) + sizeof(struct {		\
		_Static_assert(__kstate_is_flexible(_state, _f) && __kstate_to_struct(_state, _f), \
			#_state "." #_f " is no flexible array of structs"); \
		}),							\
	__KSTATE_LENGTH(_state, _n),					\
	.modifiers = KS_VARRAY | KS_FLEX,				\
	##__VA_ARGS__							\
}

/**
 * KSTATE_ARRAY_OF_STRUCT_POINTER() - an array of pointers to structs
 * @_f: the member
 * @_state: the struct
 * @_ksd: &struct kstate_description of the structs
 */
#define KSTATE_ARRAY_OF_STRUCT_POINTER(_f, _state, _ksd, ...) {		\
	__KSTATE_FIELD(_f, _state, KS_STRUCT),				\
	.size = sizeof(__kstate_elem_elem(_state, _f)) +		\
		sizeof(struct {						\
		_Static_assert(__kstate_member_is_array(_state, _f) &&	\
			       __kstate_of_pointers(_state, _f) &&	\
			       __kstate_is_aggregate(__kstate_elem_elem(_state, _f)), \
			#_state "." #_f " is no array of pointers to structs"); \
		}),							\
	.num = __kstate_room(_f, _state),				\
	.ksd = (_ksd),							\
	.modifiers = KS_ARRAY_OF_POINTER,				\
	##__VA_ARGS__							\
}

/**
 * KSTATE_CUSTOM() - whatever two functions write and read
 * @_f: the member
 * @_state: the struct
 * @_save: see kstate_field.save
 * @_restore: see kstate_field.restore
 */
#define KSTATE_CUSTOM(_f, _state, _save, _restore, ...) {		\
	__KSTATE_FIELD(_f, _state, KS_CUSTOM),				\
	.size = sizeof(__kstate_member(_state, _f)),			\
	.num = 1,							\
	.save = (_save),						\
	.restore = (_restore),						\
	##__VA_ARGS__							\
}

/**
 * KSTATE_ADDRESS() - a pointer whose target somebody else preserves
 * @_f: the member
 * @_state: the struct
 * @_addr_type: %KS_LINEAR_ADDR or %KS_VMEMMAP_ADDR
 */
#define KSTATE_ADDRESS(_f, _state, _addr_type, ...) {			\
	__KSTATE_FIELD(_f, _state, KS_ADDRESS),				\
	.size = sizeof(__kstate_member(_state, _f)) + sizeof(struct {	\
		_Static_assert(__kstate_member_is_pointer(_state, _f),	\
			#_state "." #_f " is no pointer, and cannot hold an address"); \
		}),							\
	.num = 1,							\
	.addr_type = (_addr_type),					\
	##__VA_ARGS__							\
}

/**
 * KSTATE_FOLIO() - a folio, handed over in place
 * @_f: the member, a pointer to &struct folio or NULL
 * @_state: the struct
 */
#define KSTATE_FOLIO(_f, _state, ...) {					\
	__KSTATE_FIELD(_f, _state, KS_FOLIO),				\
	.size = sizeof(__kstate_member(_state, _f)) + sizeof(struct {	\
		_Static_assert(__same_type(__kstate_typeof(_state, _f), struct folio *), \
			#_state "." #_f " is no struct folio *");	\
		}),							\
	.num = 1,							\
	##__VA_ARGS__							\
}

/**
 * KSTATE_FOLIO_ARRAY() - an array of folios, each handed over in place
 * @_f: the member, an array of pointers to &struct folio; any may be NULL
 * @_state: the struct
 */
#define KSTATE_FOLIO_ARRAY(_f, _state, ...) {				\
	__KSTATE_FIELD(_f, _state, KS_FOLIO),				\
	.size = sizeof(struct folio *) + sizeof(struct {		\
		_Static_assert(__kstate_member_is_array(_state, _f) &&	\
			       __kstate_to_type(_state, _f, struct folio *), \
			#_state "." #_f " is no array of struct folio *"); \
		}),							\
	.num = __kstate_bytes(_f, _state) / sizeof(struct folio *),	\
	.modifiers = KS_ARRAY,						\
	##__VA_ARGS__							\
}

/**
 * KSTATE_FOLIO_VARRAY() - folios, as many as another member says
 * @_f: the member: an array of pointers to &struct folio, or a pointer to them;
 *	any may be NULL
 * @_state: the struct
 * @_n: the member that holds their number
 */
#define KSTATE_FOLIO_VARRAY(_f, _state, _n, ...) {			\
	__KSTATE_FIELD(_f, _state, KS_FOLIO),				\
	.size = sizeof(struct folio *) + sizeof(struct {		\
		_Static_assert(__kstate_to_type(_state, _f, struct folio *), \
			#_state "." #_f " is no array of struct folio *, and no pointer to them"); \
		}),							\
	.num = __kstate_bytes(_f, _state) / sizeof(struct folio *),	\
	__KSTATE_LENGTH(_state, _n),					\
	.modifiers = KS_VARRAY | __kstate_place(_f, _state),		\
	##__VA_ARGS__							\
}

/**
 * KSTATE_FOLIOS() - very many folios with their indices
 * @_f: the member, a pointer to &struct kstate_folio_entry or NULL
 * @_state: the struct
 * @_n: the member that holds their number
 *
 * Neighbours in memory with neighbouring indices take no more room than one.
 * Restoring allocates the entries with kvzalloc(); the pointer must be NULL
 * before.
 */
#define KSTATE_FOLIOS(_f, _state, _n, ...) {				\
	__KSTATE_FIELD(_f, _state, KS_FOLIOS),				\
	.size = sizeof(struct kstate_folio_entry) + sizeof(struct {	\
		_Static_assert(__same_type(__kstate_typeof(_state, _f),	\
					   struct kstate_folio_entry *), \
			#_state "." #_f " is no struct kstate_folio_entry *"); \
		}),							\
	__KSTATE_LENGTH(_state, _n),					\
	.alloc = 1,							\
	.modifiers = KS_VARRAY | KS_POINTER,				\
	##__VA_ARGS__							\
}

/**
 * KSTATE_PAGES() - physically contiguous order-0 pages, handed over in place
 * @_f: the member, a pointer to &struct page or NULL
 * @_state: the struct
 * @_n: the member that holds the number of pages
 */
#define KSTATE_PAGES(_f, _state, _n, ...) {				\
	__KSTATE_FIELD(_f, _state, KS_PAGES),				\
	.size = sizeof(__kstate_member(_state, _f)) + sizeof(struct {	\
		_Static_assert(__same_type(__kstate_typeof(_state, _f), struct page *), \
			#_state "." #_f " is no struct page *");	\
		}),							\
	.num = 1,							\
	__KSTATE_LENGTH(_state, _n),					\
	##__VA_ARGS__							\
}

/**
 * KSTATE_VMALLOC() - a vmalloc area, handed over in place
 * @_f: the member, a pointer from vmalloc() or NULL
 * @_state: the struct
 */
#define KSTATE_VMALLOC(_f, _state, ...) {				\
	__KSTATE_FIELD(_f, _state, KS_VMALLOC),				\
	.size = sizeof(__kstate_member(_state, _f)) + sizeof(struct {	\
		_Static_assert(__kstate_member_is_pointer(_state, _f),	\
			#_state "." #_f " is no pointer, and cannot hold a vmalloc area"); \
		_Static_assert(!__kstate_member_is_pointer(_state, _f) || \
			       __kstate_is_int(__kstate_plain(__kstate_member(_state, _f))), \
			#_state "." #_f " leads neither to bytes nor to integers: " \
			"use KSTATE_STRUCT_VARRAY(), or void * for plain bytes"); \
		}),							\
	.num = 1,							\
	##__VA_ARGS__							\
}

/**
 * KSTATE_STRING() - text that ends with a NUL
 * @_f: the member: a char array, or a pointer, which may be NULL
 * @_state: the struct
 *
 * Restoring into a pointer allocates the text with kvzalloc(); the pointer
 * must be NULL before.
 */
#define KSTATE_STRING(_f, _state, ...) {				\
	__KSTATE_FIELD(_f, _state, KS_STRING),				\
	__KSTATE_INTS(_f, _state) + sizeof(struct {			\
		_Static_assert(__kstate_to_int(_state, _f) &&		\
			       sizeof(__kstate_elem(_state, _f)) == 1,	\
			#_state "." #_f " is no array of char, and no pointer to char"); \
		}),							\
	.num = __kstate_room(_f, _state),				\
	.modifiers = __kstate_place(_f, _state),			\
	##__VA_ARGS__							\
}

/**
 * KSTATE_BITMAP() - bits in an array of unsigned long
 * @_f: the member, an array
 * @_state: the struct
 * @_bits: how many, a constant
 */
#define KSTATE_BITMAP(_f, _state, _bits, ...) {				\
	__KSTATE_FIELD(_f, _state, KS_BITMAP),				\
	.size = sizeof(long) + sizeof(struct {				\
		_Static_assert(__kstate_member_is_array(_state, _f) &&	\
			       __kstate_to_type(_state, _f, unsigned long), \
			#_state "." #_f " is no array of unsigned long, which bitmaps are"); \
		_Static_assert((_bits) <= 8 * sizeof(__kstate_member(_state, _f)) || \
			       !__kstate_member_is_array(_state, _f),	\
			#_state "." #_f " has room for fewer than " #_bits " bits"); \
		}),							\
	.num = (_bits),							\
	##__VA_ARGS__							\
}

#define __KSTATE_CHAIN(_kind, _head, _node, _f, _state, _elem, _link, _ksd, ...) { \
	__KSTATE_FIELD(_f, _state, _kind),				\
	.size = sizeof(_elem) + sizeof(struct {				\
		_Static_assert(__same_type(__kstate_typeof(_state, _f), struct _head), \
			#_state "." #_f " is no struct " #_head);	\
		_Static_assert(__same_type(__kstate_typeof(_elem, _link), struct _node), \
			#_elem "." #_link " is no struct " #_node	\
			": it cannot link the entries of " #_state "." #_f); \
		}),							\
	.link = offsetof(_elem, _link),					\
	.ksd = (_ksd),							\
	##__VA_ARGS__							\
}

/**
 * KSTATE_LIST() - a list_head and what is on it
 * @_f: the member, a &struct list_head
 * @_state: the struct
 * @_elem: struct of the entries
 * @_link: their member of type &struct list_head
 * @_ksd: their &struct kstate_description
 *
 * Restoring allocates the entries with kvzalloc(); the list must be empty
 * before.
 */
#define KSTATE_LIST(_f, _state, _elem, _link, _ksd, ...)		\
	__KSTATE_CHAIN(KS_LIST, list_head, list_head, _f, _state, _elem, _link, _ksd, \
		       ##__VA_ARGS__)

/**
 * KSTATE_HLIST() - an hlist_head and what is on it
 * @_f: the member, a &struct hlist_head
 * @_state: the struct
 * @_elem: struct of the entries
 * @_link: their member of type &struct hlist_node
 * @_ksd: their &struct kstate_description
 *
 * As KSTATE_LIST().
 */
#define KSTATE_HLIST(_f, _state, _elem, _link, _ksd, ...)		\
	__KSTATE_CHAIN(KS_HLIST, hlist_head, hlist_node, _f, _state, _elem, _link, _ksd, \
		       ##__VA_ARGS__)

/**
 * KSTATE_XARRAY() - an xarray and what its entries point to
 * @_f: the member, a &struct xarray
 * @_state: the struct
 * @_elem: struct of the entries
 * @_ksd: their &struct kstate_description
 *
 * Restoring allocates the entries with kvzalloc(); the xarray must be empty
 * before.
 */
#define KSTATE_XARRAY(_f, _state, _elem, _ksd, ...) {			\
	__KSTATE_FIELD(_f, _state, KS_XARRAY),				\
	.size = sizeof(_elem) + sizeof(struct {				\
		_Static_assert(__same_type(__kstate_typeof(_state, _f), struct xarray), \
			#_state "." #_f " is no struct xarray");	\
		}),							\
	.ksd = (_ksd),							\
	##__VA_ARGS__							\
}

/**
 * KSTATE_UNION() - one of several structs
 * @_f: the member, a union
 * @_state: the struct
 * @_tag: the member that says which
 * @_arms: array of &struct kstate_arm
 *
 * Arms are known by name: their tags may change between kernels. Restoring
 * sets @_tag.
 */
#define KSTATE_UNION(_f, _state, _tag, _arms, ...) {			\
	__KSTATE_FIELD(_f, _state, KS_UNION),				\
	.size = sizeof(__kstate_member(_state, _f)) + sizeof(struct {	\
		_Static_assert(__kstate_is_aggregate(__kstate_member(_state, _f)), \
			#_state "." #_f " is no union in the object");	\
		}),							\
	.num = 1,							\
	__KSTATE_LENGTH(_state, _tag),					\
	.arms = (_arms),						\
	##__VA_ARGS__							\
}

/**
 * KSTATE_GROUP() - fields of the same object that a predicate switches on
 * @_name: name of the group, an identifier
 * @_ksd: &struct kstate_description with members of the same struct; each of
 *	its fields says what it gets when the group is absent
 * @_needed: see kstate_field.needed
 */
#define KSTATE_GROUP(_name, _ksd, _needed, ...) {			\
	.name = __stringify(_name),					\
	.kind = KS_GROUP,						\
	.num = 1,							\
	.ksd = (_ksd),							\
	.needed = (_needed),						\
	.has_default = 1,						\
	##__VA_ARGS__							\
}

/**
 * KSTATE_REMOVED() - a field that there once was and that may be dropped
 * @_name: its name, a string
 *
 * With KSTATE_WAS() and KSTATE_DEFAULT() it says what the field was: only that is
 * dropped, and nothing is lost by it if it is at its default.
 */
#define KSTATE_REMOVED(_name, ...) { .name = (_name), .kind = KS_REMOVED, ##__VA_ARGS__ }

/**
 * KSTATE_SKIP() - a member that is deliberately not saved
 * @_f: the member
 * @_state: the struct
 * @_reason: why, a string
 */
#define KSTATE_SKIP(_f, _state, _reason) {				\
	__KSTATE_FIELD(_f, _state, KS_SKIP),				\
	.reason = (_reason),						\
}

/** KSTATE_END_OF_LIST() - ends the fields of a description */
#define KSTATE_END_OF_LIST() { .kind = KS_END }

/**
 * KSTATE_DESCRIBE() - define a &struct kstate_description
 * @_var: its name in C
 * @_name: see kstate_description.name
 * @_version: see kstate_description.version_id; min_version_id is the same
 *
 * The fields follow, separated by commas. Outside of functions; "static" may
 * stand before it.
 */
#define KSTATE_DESCRIBE(_var, _name, _version, ...)			\
	struct kstate_description _var = {				\
		.name = (_name),					\
		.version_id = (_version),				\
		.min_version_id = (_version),				\
		.fields = (const struct kstate_field[]) {		\
			__VA_ARGS__, KSTATE_END_OF_LIST()		\
		},							\
	}

/**
 * KSTATE_DESCRIBE_OPTS() - define a &struct kstate_description, with options
 * @_var: its name in C
 * @_name: see kstate_description.name
 * @_opts: initializers of its other members, in parentheses:
 *	(.version_id = 3, .min_version_id = 2, .optional = true)
 *
 * As KSTATE_DESCRIBE(). Without .min_version_id it is the same as .version_id, without
 * .version_id that is 0.
 */
#define KSTATE_DESCRIBE_OPTS(_var, _name, _opts, ...)			\
	struct kstate_description _var = {				\
		.name = (_name),					\
		__kstate_unwrap _opts,					\
		.fields = (const struct kstate_field[]) {		\
			__VA_ARGS__, KSTATE_END_OF_LIST()		\
		},							\
	}
#define __kstate_unwrap(...)	__VA_ARGS__

/**
 * KSTATE_DESCRIBE_STATIC() - define a static &struct kstate_description, also
 *	inside of a function
 * @_var: its name in C
 * @_name: see kstate_description.name
 * @_version: see kstate_description.version_id; min_version_id is the same
 */
#define KSTATE_DESCRIBE_STATIC(_var, _name, _version, ...)		\
	static const struct kstate_field _var##_fields[] = {		\
		__VA_ARGS__, KSTATE_END_OF_LIST()			\
	};								\
	static struct kstate_description _var = {			\
		.name = (_name),					\
		.version_id = (_version),				\
		.min_version_id = (_version),				\
		.fields = _var##_fields,				\
	}

/**
 * struct kstate_key - which instance of a state
 * @id: a number, if @name is NULL
 * @name: a string of at most %KSTATE_MAX_NAME bytes
 */
struct kstate_key {
	u64 id;
	const char *name;
};

#define KSTATE_ID(_id)		((struct kstate_key){ .id = (_id) })
#define KSTATE_NAME(_name)	((struct kstate_key){ .name = (_name) })

/**
 * enum kstate_reason - why something was refused
 * @KSTATE_OK: it was not
 * @KSTATE_BAD_DESCRIPTION: a description makes no sense (-EINVAL)
 * @KSTATE_BAD_CALL: arguments make no sense (-EINVAL)
 * @KSTATE_NO_RECORD: there is no such record (-ENOENT)
 * @KSTATE_DUPLICATE: there is such a record already (-EEXIST)
 * @KSTATE_CLAIMED: the record has been restored before (-EALREADY)
 * @KSTATE_DAMAGED: bytes are not those that were written (-EBADMSG)
 * @KSTATE_FOREIGN: not a stream, or of another format (-EPROTONOSUPPORT)
 * @KSTATE_VERSION: version_id and min_version_id exclude each other (-EPROTO)
 * @KSTATE_BLOCKED: writer's and reader's fields do not fit (-EPROTO)
 * @KSTATE_VALUE: this value does not fit (-ERANGE)
 * @KSTATE_NO_ROOM: the object cannot take it as it is (-ENOSPC)
 * @KSTATE_NO_MEMORY: an allocation failed (-ENOMEM)
 * @KSTATE_EDGE: memory could not be preserved or is not preserved (its code)
 * @KSTATE_CALLBACK: a function of the description failed (its code)
 * @KSTATE_CHANGED: the object changed while it was saved (-EAGAIN)
 */
enum kstate_reason {
	KSTATE_OK,
	KSTATE_BAD_DESCRIPTION,
	KSTATE_BAD_CALL,
	KSTATE_NO_RECORD,
	KSTATE_DUPLICATE,
	KSTATE_CLAIMED,
	KSTATE_DAMAGED,
	KSTATE_FOREIGN,
	KSTATE_VERSION,
	KSTATE_BLOCKED,
	KSTATE_VALUE,
	KSTATE_NO_ROOM,
	KSTATE_NO_MEMORY,
	KSTATE_EDGE,
	KSTATE_CALLBACK,
	KSTATE_CHANGED,
};

/**
 * struct kstate_error - what was refused, and why
 * @code: negative error code, or 0
 * @reason: why, for programs
 * @path: where: state["key"].field[3].field
 * @expected: what was expected there
 * @found: what was found
 * @writer: kernel release of the stream's writer, if there is a stream
 * @stream: which stream, if it is not the one of registered states
 */
struct kstate_error {
	int code;
	enum kstate_reason reason;
	char path[288];
	char expected[112];
	char found[112];
	char writer[80];
	char stream[KSTATE_MAX_NAME + 1];
};

int kstate_error_text(const struct kstate_error *err, char *buf, size_t size);
int kstate_error_json(const struct kstate_error *err, char *buf, size_t size);
const char *kstate_reason_name(enum kstate_reason reason);
void kstate_report_error(struct kstate_set *set, const struct kstate_error *err, const char *doing);
bool kstate_gate_armed(void);
int kstate_refuse(struct kstate_set *set, const char *doing, int code, const char *path,
		  const char *expected, const char *found);

/**
 * enum kstate_verdict - what restoring does with a difference
 * @KSTATE_EXACT: takes it as it is
 * @KSTATE_CONVERTED: takes it in another form
 * @KSTATE_DEFAULTED: uses or drops a default
 * @KSTATE_LOSSY: drops something that the writer allowed to be dropped
 * @KSTATE_REFUSED: refuses
 */
enum kstate_verdict {
	KSTATE_EXACT,
	KSTATE_CONVERTED,
	KSTATE_DEFAULTED,
	KSTATE_LOSSY,
	KSTATE_REFUSED,
};

/* Streams: see stream.c and object.c */

struct kstate_stream *kstate_stream_create(struct kstate_set *set, const char *name,
					   struct kstate_error *err);
struct kstate_stream *kstate_stream_find(struct kstate_set *set, const char *name);
struct kstate_stream *kstate_stream_by_id(struct kstate_set *set, u64 id);
u64 kstate_stream_id(const struct kstate_stream *stream);
const char *kstate_stream_name(const struct kstate_stream *stream);
void kstate_stream_hold(struct kstate_stream *stream, bool hold);
u32 kstate_stream_held(struct kstate_stream *stream);
void kstate_stream_destroy(struct kstate_stream *stream);
int kstate_stream_save(struct kstate_stream *stream, struct kstate_description *desc,
		       const void *obj, struct kstate_key key, struct kstate_error *err);
int kstate_stream_update(struct kstate_stream *stream, struct kstate_description *desc,
			 const void *obj, struct kstate_key key, struct kstate_error *err);
int kstate_stream_drop(struct kstate_stream *stream, struct kstate_description *desc,
		       struct kstate_key key);
int kstate_stream_restore(struct kstate_stream *stream, struct kstate_description *desc,
			  void *obj, struct kstate_key key, struct kstate_error *err);
int kstate_stream_check(struct kstate_stream *stream, struct kstate_description *desc,
			const void *obj, struct kstate_key key, struct kstate_error *err);
void kstate_stream_unclaim(struct kstate_stream *stream, struct kstate_description *desc,
			   struct kstate_key key);
struct kstate_transaction *kstate_transaction_begin(struct kstate_stream *stream);
int kstate_transaction_add(struct kstate_transaction *t, struct kstate_description *desc,
			   void *obj, struct kstate_key key, struct kstate_error *err);
int kstate_transaction_apply(struct kstate_transaction *t, struct kstate_error *err);
void kstate_transaction_commit(struct kstate_transaction *t);
void kstate_transaction_cancel(struct kstate_transaction *t);
typedef int (*kstate_key_fn)(struct kstate_key key, void *arg);

int kstate_stream_walk_keys(struct kstate_stream *stream, struct kstate_description *desc,
			    kstate_key_fn fn, void *arg);
int kstate_check_description(struct kstate_description *desc, struct kstate_error *err);
void kstate_forget(struct kstate_description *desc);

/* Inside kstate_field.save and kstate_field.restore: see items.c */

int kstate_put_u64(struct kstate_stream *stream, const char *name, u64 val);
int kstate_put_s64(struct kstate_stream *stream, const char *name, s64 val);
int kstate_put_data(struct kstate_stream *stream, const char *name, const void *data, size_t size);
int kstate_put_string(struct kstate_stream *stream, const char *name, const char *s);
int kstate_put_folio(struct kstate_stream *stream, const char *name, struct folio *folio);
int kstate_put_pages(struct kstate_stream *stream, const char *name, struct page *page, size_t nr);
int kstate_put_vmalloc(struct kstate_stream *stream, const char *name, void *area);
int kstate_put_begin(struct kstate_stream *stream, const char *name);
int kstate_put_end(struct kstate_stream *stream);
int kstate_get_u64(struct kstate_stream *stream, const char *name, u64 *val);
int kstate_get_s64(struct kstate_stream *stream, const char *name, s64 *val);
int kstate_get_data(struct kstate_stream *stream, const char *name, void *data, size_t size);
const char *kstate_get_string(struct kstate_stream *stream, const char *name);
int kstate_get_folio(struct kstate_stream *stream, const char *name, struct folio **folio);
int kstate_get_pages(struct kstate_stream *stream, const char *name, struct page **page,
		     size_t *nr);
int kstate_get_vmalloc(struct kstate_stream *stream, const char *name, void **area);
int kstate_get_begin(struct kstate_stream *stream, const char *name);
int kstate_get_end(struct kstate_stream *stream);
int kstate_get_skip(struct kstate_stream *stream);

/* Inside kstate_field.convert: see convert.c */

enum kstate_type kstate_value_type(const struct kstate_value *from);
u32 kstate_value_count(const struct kstate_value *from);
int kstate_value_u64(const struct kstate_value *from, u32 index, u64 *val);
int kstate_value_s64(const struct kstate_value *from, u32 index, s64 *val);
const char *kstate_value_text(const struct kstate_value *from, u32 *len);

/* The state of this kernel: see registry.c and kho.c */

#if IS_REACHABLE(CONFIG_KSTATE)

struct kstate_set *kstate_outgoing(void);
struct kstate_set *kstate_incoming(void);
int kstate_register_key(struct kstate_description *desc, void *obj, struct kstate_key key,
			bool *restored);
int kstate_register_anew(struct kstate_description *desc, void *obj, struct kstate_key key);
int kstate_register(struct kstate_description *desc, void *obj);
int kstate_unregister(struct kstate_description *desc, void *obj);
int kstate_save_state_key(struct kstate_description *desc, const void *obj, struct kstate_key key);
int kstate_restore_key(struct kstate_description *desc, void *obj, struct kstate_key key);
int kstate_drop_key(struct kstate_description *desc, struct kstate_key key);
int kstate_walk_keys(struct kstate_description *desc, kstate_key_fn fn, void *arg);
int kstate_finish(void);

#else

/* Without KSTATE there is nothing to restore, and nothing is handed over */

static inline struct kstate_set *kstate_outgoing(void)
{
	return NULL;
}

static inline struct kstate_set *kstate_incoming(void)
{
	return NULL;
}

static inline int kstate_register_key(struct kstate_description *desc, void *obj,
				      struct kstate_key key, bool *restored)
{
	if (restored)
		*restored = false;
	return 0;
}

static inline int kstate_register_anew(struct kstate_description *desc, void *obj,
				       struct kstate_key key)
{
	return 0;
}

static inline int kstate_register(struct kstate_description *desc, void *obj)
{
	return 0;
}

static inline int kstate_unregister(struct kstate_description *desc, void *obj)
{
	return 0;
}

static inline int kstate_save_state_key(struct kstate_description *desc, const void *obj,
					struct kstate_key key)
{
	return -EOPNOTSUPP;
}

static inline int kstate_restore_key(struct kstate_description *desc, void *obj,
				     struct kstate_key key)
{
	return -ENOENT;
}

static inline int kstate_drop_key(struct kstate_description *desc, struct kstate_key key)
{
	return -ENOENT;
}

static inline int kstate_walk_keys(struct kstate_description *desc, kstate_key_fn fn,
				   void *arg)
{
	return 0;
}

static inline int kstate_finish(void)
{
	return 0;
}

#endif

#if IS_BUILTIN(CONFIG_KSTATE)
void kstate_open_incoming(void);
#else
static inline void kstate_open_incoming(void)
{
}
#endif

static inline struct kstate_key kstate_key_id(u64 id)
{
	return KSTATE_ID(id);
}

static inline struct kstate_key kstate_key_name(const char *name)
{
	return KSTATE_NAME(name);
}

/* A number or a string as the key */
#define kstate_key(_id)							\
	_Generic((_id),							\
		 char *: kstate_key_name,				\
		 const char *: kstate_key_name,				\
		 default: kstate_key_id)(_id)

#define kstate_save_state(_desc, _obj, _id) \
	kstate_save_state_key(_desc, _obj, kstate_key(_id))
#define kstate_restore(_desc, _obj, _id) \
	kstate_restore_key(_desc, _obj, kstate_key(_id))

#endif /* _LINUX_KSTATE_H */
