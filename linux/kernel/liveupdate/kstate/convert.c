// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a conversion function may look at: the writer's field, of another type.
 */

#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/unaligned.h>
#include "engine.h"

/* Where the elements of the field are: behind it, or in the tail */
static const u8 *elements(const struct kstate_value *from)
{
	return kstate_has_slot(from->field) ? from->tail.pos : from->fixed + from->field->offset;
}

/**
 * kstate_value_type() - type of the elements of the writer's field
 * @from: what the function was given
 *
 * Return: the type.
 */
enum kstate_type kstate_value_type(const struct kstate_value *from)
{
	return from->field->type;
}
EXPORT_SYMBOL_GPL(kstate_value_type);

/**
 * kstate_value_count() - number of elements of the writer's field
 * @from: what the function was given
 *
 * Return: how many integers kstate_value_u64() can get; bits of a bitmap.
 */
u32 kstate_value_count(const struct kstate_value *from)
{
	return kstate_has_slot(from->field) ?
		get_unaligned_le32(from->fixed + from->field->offset) : from->field->count;
}
EXPORT_SYMBOL_GPL(kstate_value_count);

static int value_int(const struct kstate_value *from, u32 index, u64 *val)
{
	const struct kstate_schema_field *f = from->field;

	if (!kstate_is_int(f->type) || f->container > KS_C_SEQUENCE ||
	    index >= kstate_value_count(from))
		return -EINVAL;
	*val = kstate_int_load(elements(from) + (size_t)index * f->size, f->type);
	return 0;
}

/**
 * kstate_value_u64() - an integer of the writer's field
 * @from: what the function was given
 * @index: which element; 0 if there is only one
 * @val: set to it
 *
 * Return: 0, -EINVAL if there is no such integer, -ERANGE if it is negative.
 */
int kstate_value_u64(const struct kstate_value *from, u32 index, u64 *val)
{
	int ret = value_int(from, index, val);

	return !ret && kstate_is_signed(from->field->type) && (s64)*val < 0 ? -ERANGE : ret;
}
EXPORT_SYMBOL_GPL(kstate_value_u64);

/**
 * kstate_value_s64() - an integer of the writer's field
 * @from: what the function was given
 * @index: which element; 0 if there is only one
 * @val: set to it
 *
 * Return: 0, -EINVAL if there is no such integer, -ERANGE if it is too large.
 */
int kstate_value_s64(const struct kstate_value *from, u32 index, s64 *val)
{
	int ret = value_int(from, index, (u64 *)val);

	return !ret && !kstate_is_signed(from->field->type) && *val < 0 ? -ERANGE : ret;
}
EXPORT_SYMBOL_GPL(kstate_value_s64);

/**
 * kstate_value_text() - text of the writer's field
 * @from: what the function was given
 * @len: set to its length; it need not end with a NUL
 *
 * Return: the text, or NULL if the field is not made of chars.
 */
const char *kstate_value_text(const struct kstate_value *from, u32 *len)
{
	if (from->field->type != KS_CHAR || from->field->container > KS_C_SEQUENCE)
		return NULL;
	*len = kstate_value_count(from);
	return (const char *)elements(from);
}
EXPORT_SYMBOL_GPL(kstate_value_text);
