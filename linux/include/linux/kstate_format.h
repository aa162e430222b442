/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes of KSTATE: what one kernel writes and the next one reads.
 *
 * Documentation/core-api/kstate/format.rst explains them; it is the
 * specification and this header its C form. Everything is little-endian and
 * naturally aligned, so that the structures have no holes.
 */
#ifndef _LINUX_KSTATE_FORMAT_H
#define _LINUX_KSTATE_FORMAT_H

#include <asm/byteorder.h>
#include <linux/types.h>

#define KSTATE_MAGIC		"KSTATE\x1a\n"
#define KSTATE_MAGIC_LEN	8
#define KSTATE_FORMAT		1

/* What a reader accepts, so that nothing it is given can exhaust it. */
#define KSTATE_MAX_HEADER	4096		/* bytes of the header */
#define KSTATE_MAX_NAME		127		/* bytes of a name or string key */
#define KSTATE_STREAM		"kernel"	/* of registered states */
#define KSTATE_MAX_FIELDS	1024		/* fields of one description */
#define KSTATE_MAX_HINTS	4096		/* their hints; a name is one */
#define KSTATE_MAX_DEPTH	8		/* descriptions inside each other */
#define KSTATE_MAX_TREE		(1U << 16)	/* fields with all those inside of them */
#define KSTATE_MAX_SCHEMAS	65536		/* of one handover */
#define KSTATE_MAX_FIXED	(1U << 24)	/* bytes of the fixed part */
#define KSTATE_MAX_RECORD	(1U << 30)	/* bytes of one record */
#define KSTATE_MAX_GROUPS	8		/* groups of items inside each other */
#define KSTATE_MAX_ELEMENTS	(1U << 24)	/* entries of one list or xarray */
#define KSTATE_MAX_ALLOC	(1U << 30)	/* bytes behind one pointer */
#define KSTATE_MAX_FOLIOS	(KSTATE_MAX_ALLOC / 24)	/* of one field of folios */

/**
 * struct kstate_edge - memory that is handed over in place
 * @addr: physical address of the first byte; for vmalloc areas that of the
 *	first &struct kho_vmalloc_chunk; in a file the offset from its start
 * @size: bytes
 * @pages: for vmalloc areas, their pages; otherwise 0
 * @kind: one of &enum kstate_edge_kind
 * @order: order of a folio, or of the pages of a vmalloc area
 * @flags: for vmalloc areas, the flags of &struct kho_vmalloc
 */
struct kstate_edge {
	__le64	addr;
	__le64	size;
	__le32	pages;
	__u8	kind;
	__u8	order;
	__le16	flags;
};

enum kstate_edge_kind {
	KSTATE_EDGE_NONE	= 0,	/* all bytes zero: a NULL pointer */
	KSTATE_EDGE_FOLIO	= 1,
	KSTATE_EDGE_PAGES	= 2,
	KSTATE_EDGE_VMALLOC	= 3,
	KSTATE_EDGE_FILE	= 4,	/* segments only: bytes of this file */
};

/**
 * struct kstate_folio_run - folios of one order at consecutive addresses
 * @place: bits 0 to 43: page frame number of the first; bits 44 to 49: order;
 *	bits 50 to 63: flags of each. 0 is no run: it is in records that are dropped
 *	or not complete
 * @index: bits 0 to 43: index of the first, in pages; those that follow have
 *	indices that follow; bits 44 to 63: number of folios minus 1
 */
struct kstate_folio_run {
	__le64	place;
	__le64	index;
};

#define KSTATE_RUN_BITS		44	/* of a page frame number, and of an index */
#define KSTATE_RUN_FLAGS	14	/* bits of flags */
#define KSTATE_RUN_MAX		(1U << 20)	/* folios of one run */

static inline u64 kstate_run_pfn(const struct kstate_folio_run *run)
{
	return le64_to_cpu(run->place) & ((1ULL << KSTATE_RUN_BITS) - 1);
}

static inline u32 kstate_run_order(const struct kstate_folio_run *run)
{
	return (le64_to_cpu(run->place) >> KSTATE_RUN_BITS) & 0x3f;
}

static inline u32 kstate_run_flags(const struct kstate_folio_run *run)
{
	return le64_to_cpu(run->place) >> 50;
}

static inline u64 kstate_run_index(const struct kstate_folio_run *run)
{
	return le64_to_cpu(run->index) & ((1ULL << KSTATE_RUN_BITS) - 1);
}

static inline u32 kstate_run_count(const struct kstate_folio_run *run)
{
	return (u32)(le64_to_cpu(run->index) >> KSTATE_RUN_BITS) + 1;
}

/**
 * struct kstate_segment_ref - where a run of records is
 * @edge: its memory
 * @used: bytes of records in it, a multiple of 8
 */
struct kstate_segment_ref {
	struct kstate_edge edge;
	__le64	used;
};

/**
 * struct kstate_header - the first bytes; every version can read them
 * @magic: %KSTATE_MAGIC
 * @crc: CRC-32C of the @header_size bytes with this field taken as zero
 * @header_size: bytes of this structure; later versions may append
 * @format: %KSTATE_FORMAT; a reader refuses others
 * @flags: %KSTATE_HEADER_FILE or 0
 * @total_size: bytes of header and records
 * @records: number of records that the streams hold
 * @page_size: of the writer
 * @arch: of the writer, as an ELF machine number
 * @release: of the writer's kernel, terminated and padded with zeros
 * @root: the segment that holds the schemas and the directory of streams
 */
struct kstate_header {
	__u8	magic[KSTATE_MAGIC_LEN];
	__le32	crc;
	__le32	header_size;
	__le32	format;
	__le32	flags;
	__le64	total_size;
	__le64	records;
	__le32	page_size;
	__le32	arch;
	__u8	release[80];
	struct kstate_segment_ref root;
};

#define KSTATE_HEADER_FILE	1	/* segments are at offsets in this file */

/**
 * struct kstate_record - the header of a record
 * @hcrc: CRC-32C of the 28 bytes that follow this field
 * @pcrc: CRC-32C of the payload
 * @key: which instance; for string keys the CRC-32C of the string
 * @size: bytes of payload, a multiple of 8
 * @schema: number of the schema, or one of &enum kstate_record_kind
 * @place: offset of this header in its segment divided by 8, so that bytes
 *	which look like a header are not taken for one elsewhere
 * @key_len: bytes of the string key at the start of the payload, which is
 *	padded with zeros to a multiple of 8; 0 means that @key is the key
 * @flags: %KSTATE_RECORD_OPTIONAL, %KSTATE_RECORD_DROPPED
 */
struct kstate_record {
	__le32	hcrc;
	__le32	pcrc;
	__le64	key;
	__le32	size;
	__le32	schema;
	__le32	place;
	__le16	key_len;
	__le16	flags;
};

#define KSTATE_RECORD_OPTIONAL	1	/* a reader that does not know it may go on */
#define KSTATE_RECORD_DROPPED	2	/* taken back by the writer: skip it */

/*
 * Records of the root segment; @key is the number of the schema or stream, of a
 * %KSTATE_RECORD_STATE that of its schema.
 */
enum kstate_record_kind {
	KSTATE_RECORD_SCHEMA	= 0xffffffff,	/* struct kstate_wire_schema */
	KSTATE_RECORD_STREAM	= 0xfffffffe,	/* struct kstate_segment_ref[], name is the key */
	KSTATE_RECORD_STATE	= 0xfffffffd,	/* struct kstate_wire_state, in catalogues only */
};

/*
 * What one element of a field is. Integers carry their size in the low four
 * bits and their nature in the high ones.
 */
enum kstate_type {
	KS_NONE		= 0x00,
	KS_U8		= 0x01,
	KS_U16		= 0x02,
	KS_U32		= 0x04,
	KS_U64		= 0x08,
	KS_S8		= 0x11,
	KS_S16		= 0x12,
	KS_S32		= 0x14,
	KS_S64		= 0x18,
	KS_BOOL		= 0x21,	/* 0 or 1 */
	KS_CHAR		= 0x31,	/* a byte of text */
	/* Not integers: */
	KS_T_STRUCT	= 0x40,	/* @ref says which; inline, no header */
	KS_T_LINEAR	= 0x48,	/* u64: physical address, all ones for NULL */
	KS_T_VMEMMAP	= 0x58,	/* u64: page frame number, all ones for NULL */
	KS_T_EDGE	= 0x60,	/* struct kstate_edge; the low bits are its kind */
	KS_T_FOLIO	= KS_T_EDGE | KSTATE_EDGE_FOLIO,
	KS_T_PAGES	= KS_T_EDGE | KSTATE_EDGE_PAGES,
	KS_T_VMALLOC	= KS_T_EDGE | KSTATE_EDGE_VMALLOC,
	KS_T_BITMAP	= 0x70,	/* u32 slot: bits; tail: u64 words */
	KS_T_UNION	= 0x80,	/* u32 slot: which arm, from 1; tail: its struct */
	KS_T_ITEMS	= 0x90,	/* u32 slot: bytes; tail: struct kstate_item */
	KS_T_FOLIOS	= 0x98,	/* u32 slot: folios; tail: u64 runs, kstate_folio_run[] */
	/* No data, but a fact about the field before or about the schema: */
	KS_T_ALIAS	= 0xa0,	/* an earlier name of the field before */
	KS_T_ARM	= 0xb0,	/* an arm of the union before; @dflt is its tag */
	KS_T_REMOVED	= 0xc0,	/* a field that was; @min is what, @dflt its default */
};

/* How many elements a field has, and where they are. */
enum kstate_container {
	KS_C_ONE	= 0,	/* one, in the fixed part */
	KS_C_ARRAY	= 1,	/* @count of them, in the fixed part */
	KS_C_OPTIONAL	= 2,	/* u32 slot: 0 or 1; tail: the element */
	KS_C_SEQUENCE	= 3,	/* u32 slot: n; tail: n elements */
	KS_C_POINTERS	= 4,	/* u32 slot: n; tails: n bytes of 0 or 1; the elements with 1 */
	KS_C_MAP	= 5,	/* u32 slot: n; tails: n u64 indices; n elements */
};

/**
 * struct kstate_wire_field - a field in a schema
 * @name: offset of its name among the strings of the schema
 * @type: &enum kstate_type
 * @container: &enum kstate_container
 * @flags: %KSTATE_FIELD_DEFAULT and the like
 * @count: elements of a %KS_C_ARRAY, otherwise 1
 * @ref: number of the schema of a %KS_T_STRUCT or %KS_T_ARM, smaller than
 *	the number of the schema that it stands in; otherwise, and for an arm
 *	without data, %KSTATE_NO_REF
 * @dflt: value of each integer where %KSTATE_FIELD_DEFAULT is set; tag of a
 *	%KS_T_ARM
 * @min: smallest value that is accepted, where %KSTATE_FIELD_RANGE is set; of a
 *	%KS_T_REMOVED its type and its container << 8, or 0 if that is not told
 * @max: largest value that is accepted
 * @mask: bits that may be set, where %KSTATE_FIELD_MASK is set
 */
struct kstate_wire_field {
	__le32	name;
	__u8	type;
	__u8	container;
	__le16	flags;
	__le32	count;
	__le32	ref;
	__le64	dflt;
	__le64	min;
	__le64	max;
	__le64	mask;
};

#define KSTATE_NO_REF		0xffffffffU

#define KSTATE_FIELD_DEFAULT	0x0001	/* absent: @dflt, empty, NULL */
#define KSTATE_FIELD_HOOK	0x0002	/* absent: a function of the reader decides */
#define KSTATE_FIELD_IGNORABLE	0x0004	/* who does not know it may drop it */
#define KSTATE_FIELD_CONVERT	0x0008	/* another type: a function of the reader decides */
#define KSTATE_FIELD_RANGE	0x0010
#define KSTATE_FIELD_MASK	0x0020
#define KSTATE_FIELD_EQUAL	0x0040	/* must equal what the object holds */
#define KSTATE_FIELD_FLAGS	0x007f

/**
 * struct kstate_wire_schema - payload of a %KSTATE_RECORD_SCHEMA
 * @hash: FNV-1a (64 bits) of what the specification calls the canonical bytes
 * @name: offset of the name of the state among the strings
 * @version: of the meaning, see kstate_description.version_id
 * @min_version: oldest version that still means the same
 * @flags: %KSTATE_SCHEMA_OPTIONAL
 * @size: bytes of the fixed part of one object
 * @nr_fields: entries of &struct kstate_wire_field that follow
 * @nr_hints: entries of &struct kstate_wire_hint that follow them
 * @strings: bytes of strings that follow those, each terminated; the total is
 *	padded with zeros to a multiple of 8
 */
struct kstate_wire_schema {
	__le64	hash;
	__le32	name;
	__le32	version;
	__le32	min_version;
	__le32	flags;
	__le32	size;
	__le32	nr_fields;
	__le32	nr_hints;
	__le32	strings;
};

#define KSTATE_SCHEMA_OPTIONAL	1

/**
 * struct kstate_wire_hint - more about a field; not part of the hash
 * @field: index of the field
 * @kind: &enum kstate_hint
 * @name: for %KSTATE_HINT_FLAG and %KSTATE_HINT_ENUM, offset of the name of the
 *	bits in @value or of the value @value
 * @value: for %KSTATE_HINT_ROOM and %KSTATE_HINT_LENGTH see there
 */
struct kstate_wire_hint {
	__le16	field;
	__le16	kind;
	__le32	name;
	__le64	value;
};

#define KSTATE_MAC_BYTES	6
#define KSTATE_UUID_BYTES	16

enum kstate_hint {
	/* How to show it: */
	KSTATE_HINT_HEX		= 1,
	KSTATE_HINT_SECRET	= 2,
	KSTATE_HINT_FLAG	= 3,	/* @name is that of the bits @value */
	/* What the struct can take, in catalogues only: */
	KSTATE_HINT_ROOM	= 4,	/* at most @value elements or bits */
	KSTATE_HINT_LENGTH	= 5,	/* a member is or has its length or tag; at field @value */
	KSTATE_HINT_TEXT	= 6,	/* it ends with a NUL, and has no other */
	/* What values mean: */
	KSTATE_HINT_ENUM	= 7,	/* @name is that of the value @value */
	/* In catalogues only: */
	KSTATE_HINT_GROUP	= 8,	/* of an optional struct: fields of the object itself */
	/* How to show it: */
	KSTATE_HINT_MAC		= 9,	/* as the address of a network card */
	KSTATE_HINT_UUID	= 10,	/* as a UUID; the first byte comes first */
};

/**
 * struct kstate_wire_state - payload of a %KSTATE_RECORD_STATE: a description
 * @flags: %KSTATE_STATE_USED and the like
 * @image: offset of the name of the image among the strings: "vmlinux", or the
 *	name of a module
 * @type: offset of the C type that is described, empty if that is not known
 * @nr_members: entries of &struct kstate_wire_member that follow
 * @strings: bytes of strings that follow those, each terminated; the total is
 *	padded with zeros to a multiple of 8
 * @reserved: zero
 */
struct kstate_wire_state {
	__le32	flags;
	__le32	image;
	__le32	type;
	__le32	nr_members;
	__le32	strings;
	__le32	reserved;
};

#define KSTATE_STATE_USED	1	/* code refers to it: there may be records of it */
#define KSTATE_STATE_NESTED	2	/* another description refers to it */
#define KSTATE_STATE_STRING_KEY	4	/* its keys are strings */
#define KSTATE_STATE_FLAGS	7

/**
 * struct kstate_wire_member - what a description says of a member of its struct
 * @name: offset of its name among the strings
 * @reason: offset of the reason why it is skipped, otherwise of an empty string
 * @offset: of the member in the struct, in bytes
 * @size: bytes of one element in memory, 0 if not known
 * @num: elements in the member, or 1
 * @field: index of the field in the schema, or %KSTATE_NO_REF
 * @kind: low byte of &enum kstate_kind
 * @type: &enum kstate_type of an integer, or 0
 * @modifiers: &enum kstate_modifier
 * @reserved: zero
 *
 * For the member that holds the length or the tag of the one before, @kind is 0.
 */
struct kstate_wire_member {
	__le32	name;
	__le32	reason;
	__le32	offset;
	__le32	size;
	__le32	num;
	__le32	field;
	__u8	kind;
	__u8	type;
	__le16	modifiers;
	__le32	reserved;
};

/**
 * struct kstate_item - one value written by a callback
 * @type: integer type, %KS_T_EDGE and its kind, %KS_CHAR for text, %KS_U8
 *	with more than one byte for raw bytes, %KS_T_STRUCT for a group
 * @name_len: bytes of the name that follows, padded with zeros to 8
 * @reserved: zero
 * @size: bytes of the value that follows the name, padded with zeros to 8;
 *	for a group those of all items in it
 */
struct kstate_item {
	__u8	type;
	__u8	name_len;
	__le16	reserved;
	__le32	size;
};

#endif /* _LINUX_KSTATE_FORMAT_H */
