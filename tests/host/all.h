/* SPDX-License-Identifier: GPL-2.0-only */
/* A struct with a member of every kind, but for memory that is handed over in place. */
#ifndef _TESTS_HOST_ALL_H
#define _TESTS_HOST_ALL_H

#include "host.h"

struct leaf {
	u8 small;
	u64 big;
	char *name;
	struct list_head link;
};

struct arm_a {
	u32 x;
	u16 y;
};

struct arm_b {
	u8 bytes[24];
	char *text;
};

enum { ARM_A = 7, ARM_B = 9 };

struct all {
	u8 b8;
	u16 b16;
	u32 b32;
	u64 b64;
	s8 i8;
	s16 i16;
	s32 i32;
	s64 i64;
	bool flag;
	char letter;
	unsigned long word;
	long sword;

	u16 ints[5];
	char text[10];
	u8 matrix[2][3][4];
	bool flags[3];
	u32 *pointer;
	u32 *null_pointer;
	u8 nr_fixed;
	u32 fixed[6];
	u32 nr_varray;
	u64 *varray;
	u16 by_fn[8];
	u16 nr_by_fn;
	s16 *pointers[4];

	struct leaf leaf;
	struct leaf leaves[3];
	struct leaf *leaf_pointer;
	u16 nr_leaf_varray;
	struct leaf *leaf_varray;
	struct leaf *leaf_pointers[3];

	u64 custom[2];
	void *linear;
	struct page *vmemmap;
	void *null_address;
	char string[16];
	char *string_pointer;
	char *null_string;
	unsigned long bitmap[3];
	struct list_head list;
	struct xarray xarray;
	u8 tag;
	union {
		struct arm_a a;
		struct arm_b b;
	} u;
	bool group_needed;
	u32 group_a;
	char *group_b;

	struct list_head link;
};

extern struct kstate_description all_desc;
extern const struct kstate_description leaf_desc;

/* As it must be before something is restored into it */
void all_init(struct all *a);
void all_fill(struct all *a, unsigned int seed);
bool all_equal(struct all *a, struct all *b);
void all_free(struct all *a);

#endif
