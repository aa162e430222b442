/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The formats of kernels without KSTATE, and the same as described state.
 *
 * Integers are as the processor has them, addresses are physical.
 */
#ifndef _LIVEUPDATE_LEGACY_H
#define _LIVEUPDATE_LEGACY_H

#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kstate.h>
#include <linux/liveupdate.h>
#include <linux/mm.h>
#include <linux/utsname.h>
#include <uapi/linux/liveupdate.h>
#include <uapi/linux/memfd.h>
#include "../kstate/store.h"
#include "hooks.h"

/* Subtrees of KHO */
#define LEGACY_LUO		"LUO"
#define LEGACY_MEMBLOCK		"memblock"
#define LEGACY_METADATA		"kexec-metadata"

#define LEGACY_LUO_COMPATIBLE		"luo-v5"
#define LEGACY_MEMFD_COMPATIBLE		"memfd-v2"
#define LEGACY_MEMBLOCK_COMPATIBLE	"memblock-v1"
#define LEGACY_RESERVE_COMPATIBLE	"reserve-mem-v1"
#define LEGACY_METADATA_VERSION		1

/* Live update: the subtree has one of these */
struct legacy_luo {
	char compatible[8];
	u64 liveupdate_num;
	u64 sessions;		/* first block of struct legacy_session */
	u64 flbs;		/* struct legacy_flbs */
} __packed;

/* A page with entries behind it */
struct legacy_block {
	u64 next;		/* block, or 0 */
	u64 count;
} __packed;

struct legacy_session {
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	u64 files;		/* first block of struct legacy_file, 0 without any */
	u64 count;
} __packed;

struct legacy_file {
	char compatible[48];
	u64 data;		/* for the handler; of a memfd, struct legacy_memfd */
	u64 token;
} __packed;

/* Pages with struct legacy_flb behind it */
struct legacy_flbs {
	u64 pages;
	u64 count;
} __packed;

struct legacy_flb {
	char name[48];
	u64 data;
	u64 count;
} __packed;

struct legacy_memfd {
	u64 pos;
	u64 size;
	u32 seals;
	u32 flags;		/* 0 */
	u64 nr;
	struct kho_vmalloc folios;	/* area of struct legacy_folio */
} __packed;

#define LEGACY_FOLIO_DIRTY	BIT(0)
#define LEGACY_FOLIO_UPTODATE	BIT(1)

struct legacy_folio {
	u64 pfn:52;		/* 0 for none */
	u64 flags:12;
	u64 index;
} __packed;

struct legacy_metadata {
	u32 version;
	char previous_release[__NEW_UTS_LEN + 1];
	u32 kexec_count;
} __packed;

#define LEGACY_IN_PAGE(_header, _entry)	((PAGE_SIZE - sizeof(_header)) / sizeof(_entry))

#define LEGACY_SEALS	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | \
			 F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)

/* Streams of live update, as luo_internal.h and luo_session.c name them */
#define LEGACY_STREAM		"luo"
#define LEGACY_SESSION_STREAM	"luo/"

/* The same as described state: see states.c */

struct legacy_count_state {
	u64 liveupdate_num;
};

struct legacy_session_state {
	u64 count;
};

struct legacy_file_state {
	char compatible[48];
};

struct legacy_flb_state {
	u64 data;
	u64 count;
};

struct legacy_folios_state {
	u64 nr;
	struct kstate_folio_entry *folios;
};

struct legacy_memfd_state {
	loff_t pos;
	loff_t size;
	u32 seals;
	bool has_late;
	struct legacy_folios_state folios;
};

struct legacy_reserve_state {
	unsigned long nr_pages;
	struct page *pages;
};

struct legacy_metadata_state {
	char previous_release[__NEW_UTS_LEN + 1];
	u32 kexec_count;
};

extern struct kstate_description legacy_count_state, legacy_session_state, legacy_file_state,
	legacy_flb_state, legacy_folios_state, legacy_memfd_state, legacy_reserve_state,
	legacy_metadata_state;

/* Fail with the field that is wrong; what follows is as for kstate_fail() */
#define legacy_fail(_where, _field, _code, ...)						\
	kstate_fail(_where, &(struct kstate_path){ .name = (_field) }, KSTATE_DAMAGED,	\
		    _code, __VA_ARGS__)

void legacy_describe(void);
void legacy_forget(void);
int legacy_take(const struct kstate_edge *edge, void **ptr);
int legacy_check(const struct kstate_edge *edge);

#endif /* _LIVEUPDATE_LEGACY_H */
