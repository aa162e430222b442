// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the formats without KSTATE can express, described as live update, memfds, memblock
 * and KHO describe it. When those change, this stays as it is, as an older kernel's.
 *
 * Catalogues have the descriptions of those, and not these: they are made at run time, and
 * forgotten when they have been used.
 */

#include "legacy.h"

static const struct kstate_field count_fields[] = {
	KSTATE_FIELD(struct legacy_count_state, liveupdate_num),
	KSTATE_END_OF_LIST()
};

static const struct kstate_field session_fields[] = {
	KSTATE_FIELD(struct legacy_session_state, count),
	KSTATE_END_OF_LIST()
};

static const struct kstate_field file_fields[] = {
	KSTATE_STRING(compatible, struct legacy_file_state),
	KSTATE_END_OF_LIST()
};

static const struct kstate_field flb_fields[] = {
	KSTATE_FIELD(struct legacy_flb_state, data),
	KSTATE_FIELD(struct legacy_flb_state, count, KSTATE_RANGE(1, INT_MAX)),
	KSTATE_END_OF_LIST()
};

static const struct kstate_field folios_fields[] = {
	KSTATE_FIELD(struct legacy_folios_state, nr),
	KSTATE_FOLIOS(folios, struct legacy_folios_state, nr),
	KSTATE_END_OF_LIST()
};

static const struct kstate_field memfd_fields[] = {
	KSTATE_FIELD(struct legacy_memfd_state, pos, KSTATE_RANGE(0, MAX_LFS_FILESIZE)),
	KSTATE_FIELD(struct legacy_memfd_state, size, KSTATE_RANGE(0, MAX_LFS_FILESIZE)),
	KSTATE_FIELD(struct legacy_memfd_state, seals, KSTATE_MASK(LEGACY_SEALS)),
	KSTATE_FIELD(struct legacy_memfd_state, has_late, KSTATE_DEFAULT(false)),
	KSTATE_STRUCT(folios, struct legacy_memfd_state, &legacy_folios_state),
	KSTATE_END_OF_LIST()
};

static const struct kstate_field reserve_fields[] = {
	KSTATE_FIELD(struct legacy_reserve_state, nr_pages),
	KSTATE_PAGES(pages, struct legacy_reserve_state, nr_pages),
	KSTATE_END_OF_LIST()
};

static const struct kstate_field metadata_fields[] = {
	KSTATE_STRING(previous_release, struct legacy_metadata_state),
	KSTATE_FIELD(struct legacy_metadata_state, kexec_count),
	KSTATE_END_OF_LIST()
};

struct kstate_description legacy_count_state, legacy_session_state, legacy_file_state,
	legacy_flb_state, legacy_folios_state, legacy_memfd_state, legacy_reserve_state,
	legacy_metadata_state;

static const struct {
	const char *name;
	struct kstate_description *desc;
	const struct kstate_field *fields;
	bool string_key;
	bool optional;
} legacy_states[] = {
	{ "luo", &legacy_count_state, count_fields },
	{ "luo_session", &legacy_session_state, session_fields },
	{ "luo_file", &legacy_file_state, file_fields },
	{ "luo_flb", &legacy_flb_state, flb_fields, .string_key = true },
	{ "memfd_folios", &legacy_folios_state, folios_fields },
	{ "memfd", &legacy_memfd_state, memfd_fields },
	{ "reserve_mem", &legacy_reserve_state, reserve_fields,
	  .string_key = true, .optional = true },
	{ "kexec_metadata", &legacy_metadata_state, metadata_fields, .optional = true },
};

/**
 * legacy_describe() - make the descriptions
 */
void legacy_describe(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(legacy_states); i++)
		*legacy_states[i].desc = (struct kstate_description){
			.name = legacy_states[i].name,
			.version_id = 1,
			.min_version_id = 1,
			.fields = legacy_states[i].fields,
			.string_key = legacy_states[i].string_key,
			.optional = legacy_states[i].optional,
		};
}

/**
 * legacy_forget() - undo legacy_describe(); no set has what it has made of them any more
 */
void legacy_forget(void)
{
	for (u32 i = ARRAY_SIZE(legacy_states); i-- > 0;)
		kstate_forget(legacy_states[i].desc);
}
