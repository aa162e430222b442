/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A range of memory that neither kernel uses, as what carries state across a kexec.
 *
 * For kernels without kexec handover. What stays where it is on others is copied into
 * the range, and out of it by the next kernel.
 */
#ifndef _KSTATE_RANGE_H
#define _KSTATE_RANGE_H

#include "store.h"

#define KSTATE_RANGE_MAGIC	"KSTRANG\n"
#define KSTATE_RANGE_OPENED	"KSTOPEN\n"
#define KSTATE_RANGE_VERSION	1
#define KSTATE_MAX_TOKEN	63

/**
 * struct kstate_range_header - what is at the start of the range
 * @magic: %KSTATE_RANGE_MAGIC; %KSTATE_RANGE_OPENED if it has been opened, then only
 *	@token means anything; anything else in a range that is empty
 * @version: %KSTATE_RANGE_VERSION
 * @crc: CRC-32C of the header with this as zero
 * @token: names the jump, and is on the command line of the kernel that it is for
 * @release: of the writer
 * @page_size: of the writer, bytes
 * @arch: of the writer, an ELF machine number
 * @file: bytes of the file that follows the header
 * @nr: entries of the table that follows the file
 * @table_crc: CRC-32C of that
 * @reserved: zero
 * @used: bytes of the range that are in use
 *
 * All of it is little-endian. The file is one as format.rst has it. The table is
 * of &struct kstate_range_memory, and begins at the next multiple of eight.
 */
struct kstate_range_header {
	u8 magic[8];
	__le32 version;
	__le32 crc;
	u8 token[KSTATE_MAX_TOKEN + 1];
	u8 release[64];
	__le32 page_size;
	__le32 arch;
	__le64 file;
	__le32 nr;
	__le32 table_crc;
	__le64 reserved;
	__le64 used;
};

/**
 * struct kstate_range_memory - memory that a record hands over
 * @edge: as the record has it; its address is only a name here
 * @at: where in the range its content is, a multiple of the page size
 * @crc: CRC-32C of the content
 * @reserved: zero
 */
struct kstate_range_memory {
	struct kstate_edge edge;
	__le64 at;
	__le32 crc;
	__le32 reserved;
};

void kstate_range_init(void *base, size_t size);
void kstate_range_exit(void);
struct kstate_set *kstate_range_create(void);
struct kstate_set *kstate_range_open(const char *token, struct kstate_error *err);
int kstate_range_write(struct kstate_set *set, const char *token, size_t *used,
		       struct kstate_error *err);
void kstate_range_clear(void);

#endif /* _KSTATE_RANGE_H */
