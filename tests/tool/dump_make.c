// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write a stream of about so many bytes, as the core makes it: half of it many small
 * records, half of it a few large arrays.
 * usage: dump_make MEGABYTES FILE
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kstate.h>
#include <linux/slab.h>
#include "store.h"

#define ARRAY_BYTES	(4 << 20)

struct queue {
	u16 size;
	u16 head;
	bool enabled;
};

struct small {
	u64 id;
	u32 flags;
	s32 balance;
	u8 mode;
	bool up;
	char label[16];
	u64 bytes;
	u64 packets;
	u32 errors;
	s16 level;
	struct queue queues[2];
	char *text;
};

struct large {
	u64 generation;
	u32 *values;
	u32 nr;
};

static struct kstate_description queue_state = {
	.name = "queue", .version_id = 1, .min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(size, struct queue, u16),
		KSTATE_BASE_TYPE(head, struct queue, u16),
		KSTATE_BASE_TYPE(enabled, struct queue, bool),
		KSTATE_END_OF_LIST()
	},
};

static const struct kstate_flag_name flag_names[] = {
	{ 1, "ready" }, { 2, "busy" }, { 0x30, "mode" }, { },
};

static struct kstate_description small_state = {
	.name = "bench,small", .version_id = 1, .min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(id, struct small, u64),
		KSTATE_BASE_TYPE(flags, struct small, u32, KSTATE_FLAG_NAMES(flag_names)),
		KSTATE_BASE_TYPE(balance, struct small, s32),
		KSTATE_BASE_TYPE(mode, struct small, u8, KSTATE_HEX),
		KSTATE_BASE_TYPE(up, struct small, bool),
		KSTATE_BASE_TYPE(label, struct small, char [16]),
		KSTATE_BASE_TYPE(bytes, struct small, u64),
		KSTATE_BASE_TYPE(packets, struct small, u64),
		KSTATE_BASE_TYPE(errors, struct small, u32),
		KSTATE_BASE_TYPE(level, struct small, s16),
		KSTATE_STRUCT_ARRAY(queues, struct small, &queue_state),
		KSTATE_STRING(text, struct small),
		KSTATE_END_OF_LIST()
	},
};

static struct kstate_description large_state = {
	.name = "bench,large", .version_id = 1, .min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(generation, struct large, u64),
		KSTATE_VARRAY(values, struct large, nr, KSTATE_ALLOC),
		KSTATE_END_OF_LIST()
	},
};

static void save(struct kstate_stream *stream, struct kstate_description *desc, void *obj, u64 id)
{
	struct kstate_error err;
	char text[512];

	if (!kstate_stream_save(stream, desc, obj, KSTATE_ID(id), &err))
		return;
	kstate_error_text(&err, text, sizeof(text));
	fprintf(stderr, "dump_make: %s\n", text);
	exit(1);
}

int main(int argc, char **argv)
{
	struct kstate_set *set = kstate_memory_create();
	struct kstate_stream *stream;
	struct large large = { .nr = ARRAY_BYTES / sizeof(u32) };
	struct small small = { .text = "a name" };
	u64 half, id;
	void *blob;
	size_t size;
	FILE *out;

	if (argc != 3)
		return 2;
	half = strtoull(argv[1], NULL, 10) << 19;
	stream = kstate_stream_create(set, "many", NULL);
	for (id = 0; stream->bytes < half; id++) {
		small.id = id;
		small.flags = id & 0x37;
		small.balance = id & 1 ? -id : id;
		small.mode = id;
		small.up = id & 2;
		snprintf(small.label, sizeof(small.label), "eth%llu", id % 1000);
		small.bytes = id * 1500;
		small.packets = id * 3;
		small.queues[id & 1].head = id;
		save(stream, &small_state, &small, id);
	}
	stream = kstate_stream_create(set, "large", NULL);
	large.values = kvmalloc(ARRAY_BYTES, GFP_KERNEL);
	for (id = 0; id < large.nr; id++)
		large.values[id] = id;
	for (id = 0; stream->bytes < half; id++)
		save(stream, &large_state, &large, id);
	if (kstate_set_export(set, &blob, &size))
		return 1;
	out = fopen(argv[2], "wb");
	return !out || fwrite(blob, 1, size, out) != size || fclose(out);
}
