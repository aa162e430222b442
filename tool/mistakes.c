// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mistakes that neither the compiler sees, which knows one field at a time, nor the
 * kernel, to which they are no nonsense.
 */
#include <string.h>
#include "mistakes.h"

/* The struct that a description is of; a description of nothing but groups has none */
static const char *struct_of(const struct kstate_description *desc)
{
	const struct kstate_field *field;

	for (field = desc->fields; field->kind != KS_END; field++)
		if (field->of)
			return field->of;
	return NULL;
}

static enum status check_struct(const struct kstate_description *desc,
				const struct kstate_field *field, const char *path,
				struct trouble *t)
{
	const char *of = struct_of(desc), *other = field->of;

	if (field->kind == KS_GROUP && field->ksd)
		other = struct_of(field->ksd);
	if (!of || !other || !strcmp(of, other))
		return STATUS_OK;
	return trouble(t, STATUS_BLOCKED,
		       "%s: description %s, field %s: is of %s, but the description is of %s: describe members of one struct, and others by KSTATE_STRUCT()",
		       path, desc->name, field->name, other, of);
}

static bool needs_target(const struct kstate_field *field)
{
	return (field->modifiers & (KS_POINTER | KS_ARRAY_OF_POINTER)) && !field->alloc &&
	       (field->kind == KS_BASE_TYPE || field->kind == KS_STRUCT);
}

/* A pointer, also in structs in the struct, that restoring follows; or NULL */
static const struct kstate_field *find_target(const struct kstate_description *desc, int depth)
{
	const struct kstate_field *field, *found = NULL;
	const struct kstate_arm *arm;

	/* The kernel refuses those in a circle */
	if (!desc || desc->init || depth == KSTATE_MAX_DEPTH)
		return NULL;
	for (field = desc->fields; field->kind != KS_END && !found; field++) {
		if (needs_target(field))
			return field;
		if (kstate_allocates(field))
			continue;
		if (field->kind == KS_STRUCT || field->kind == KS_GROUP)
			found = find_target(field->ksd, depth + 1);
		for (arm = field->kind == KS_UNION ? field->arms : NULL; arm && arm->name; arm++)
			if (!found)
				found = find_target(arm->ksd, depth + 1);
	}
	return found;
}

static enum status check_targets(const struct kstate_description *desc,
				 const struct kstate_field *field, const char *path,
				 struct trouble *t)
{
	const struct kstate_field *target = NULL;

	if (kstate_allocates(field))
		target = find_target(field->ksd, 0);
	if (!target)
		return STATUS_OK;
	return trouble(t, STATUS_BLOCKED,
		       "%s: description %s, field %s: restoring allocates what has the pointer %s of %s, which leads nowhere then: add KSTATE_ALLOC to it, or .init to description %s",
		       path, desc->name, field->name, target->name, target->of ?: "the struct",
		       field->ksd->name);
}

enum status find_mistakes(const struct kstate_description *desc, const char *path,
			  struct trouble *t)
{
	const struct kstate_field *field;
	enum status status = STATUS_OK;

	for (field = desc->fields; field->kind != KS_END && !status; field++) {
		status = check_struct(desc, field, path, t);
		status = status ?: check_targets(desc, field, path, t);
	}
	return status;
}
