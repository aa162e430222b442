/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Put checksums right, so that mutations get past them.
 */
#ifndef _FUZZ_REPAIR_H
#define _FUZZ_REPAIR_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/crc32c.h>
#include "store.h"

static uint32_t crc(const void *data, size_t size)
{
	return ~crc32c(~0, data, size);
}

static void repair_records(uint8_t *root, uint64_t used)
{
	for (uint64_t at = 0; at + sizeof(struct kstate_record) <= used;) {
		struct kstate_record *record = (void *)(root + at);
		uint64_t left = used - at - sizeof(*record), bytes = le32_to_cpu(record->size);

		bytes = bytes & ~7ULL;
		if (bytes > left)
			bytes = left & ~7ULL;
		record->size = cpu_to_le32(bytes);
		kstate_record_seal(record, at);
		at += sizeof(*record) + bytes;
	}
}

/* Header and records of the catalogue at @p, so that they are whole */
static void repair(uint8_t *p, size_t size)
{
	struct kstate_header header;
	uint64_t used;

	memcpy(&header, p, sizeof(header));
	header.header_size = cpu_to_le32(sizeof(header));
	header.flags = cpu_to_le32(KSTATE_HEADER_FILE);
	if (le64_to_cpu(header.total_size) > size)
		header.total_size = cpu_to_le64(size);
	used = le64_to_cpu(header.total_size);
	used = used > sizeof(header) ? (used - sizeof(header)) & ~7ULL : 0;
	header.root.used = cpu_to_le64(used);
	header.root.edge.addr = cpu_to_le64(sizeof(header));
	header.root.edge.size = cpu_to_le64(used);
	header.crc = 0;
	header.crc = cpu_to_le32(crc(&header, sizeof(header)));
	memcpy(p, &header, sizeof(header));
	repair_records(p + sizeof(header), used);
}

/* The same bytes with a catalogue that is whole, or NULL if there is no catalogue */
static uint8_t *repair_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	for (size_t at = 0; at + sizeof(struct kstate_header) <= size; at += 8) {
		if (memcmp(copy + at, KSTATE_MAGIC, KSTATE_MAGIC_LEN))
			continue;
		repair(copy + at, size - at);
		return copy;
	}
	free(copy);
	return NULL;
}

#endif /* _FUZZ_REPAIR_H */
