/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The C types of an image, from its BTF.
 */
#ifndef _TOOL_CTYPES_H
#define _TOOL_CTYPES_H

#include <linux/types.h>
#include <bpf/btf.h>
#include "tool.h"

/**
 * struct ctypes - the types of an image
 * @btf: they and those that they are based on
 * @first: number of the first one of its own
 * @strings: bytes of strings, its own and those that it is based on
 * @names: its own structs, unions and typedefs, by name
 * @nr_names: how many
 * @base: what it is based on, for a module, or NULL
 */
struct ctypes {
	struct btf *btf;
	u32 first;
	u32 strings;
	u32 *names;
	size_t nr_names;
	const struct ctypes *base;
};

/** ctypes_is_split() - whether BTF is that of a module, and needs that of its kernel */
bool ctypes_is_split(const void *bytes, size_t size);

/**
 * ctypes_open() - understand the BTF of an image
 * @c: filled; to be given to ctypes_close(), also after trouble
 * @bytes: of the section .BTF
 * @size: how many
 * @base: if it is split, the types of its kernel; outlives @c
 * @path: of the file, for messages
 * @t: what went wrong
 *
 * What it accepts has names that end and refers to types that there are.
 */
enum status ctypes_open(struct ctypes *c, const void *bytes, size_t size,
			const struct ctypes *base, const char *path, struct trouble *t);
void ctypes_close(struct ctypes *c);

/**
 * ctypes_find() - the types that a piece of C names
 * @c: the types
 * @text: "struct name", "union name" or the name of a typedef
 * @ids: set to their numbers: in a kernel, several may have a name
 * @room: entries of @ids
 *
 * Return: how many.
 */
size_t ctypes_find(const struct ctypes *c, const char *text, u32 *ids, size_t room);

/** ctypes_type() - a type by number, without its qualifiers and typedefs; or NULL */
const struct btf_type *ctypes_type(const struct ctypes *c, u32 id);

/** ctypes_id() - number of a type without its qualifiers and typedefs */
u32 ctypes_id(const struct ctypes *c, u32 id);

/** ctypes_name() - a name in the BTF, which may be empty */
const char *ctypes_name(const struct ctypes *c, u32 offset);

/** ctypes_bits() - size of a type in bits, 0 if it has none */
u64 ctypes_bits(const struct ctypes *c, u32 id);

/**
 * ctypes_is() - whether a type, or what it is a typedef of, has a name
 * @c: the types
 * @id: the type
 * @names: names, ended by NULL
 *
 * Return: the first that it has, or NULL.
 */
const char *ctypes_is(const struct ctypes *c, u32 id, const char *const *names);

/** ctypes_own() - its name, if a type is one that each kernel makes for itself, or NULL */
const char *ctypes_own(const struct ctypes *c, u32 id);

/** ctypes_text() - a type as C writes it, or nearly so */
const char *ctypes_text(const struct ctypes *c, u32 id, char *buf, size_t size);

static inline bool ctypes_is_struct(const struct btf_type *type)
{
	return type && btf_is_composite(type);
}

#endif /* _TOOL_CTYPES_H */
