// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write a stream of about so many bytes, as the core makes it: half of it many small
 * records, half of it a few large arrays.
 * usage: dump_make MEGABYTES FILE
 *        dump_make kinds FILE       (one record, of kinds that no golden stream has)
 *        dump_make many FILE        (10,000 records of one state, and that one)
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kstate.h>
#include <linux/mm.h>
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

struct entry {
	struct hlist_node node;
	u16 id;
};

struct kinds {
	struct hlist_head hash;
	struct kstate_folio_entry *folios;
	u32 nr_folios;
	s32 level;
	atomic_t users;
};

static const struct kstate_flag_name level_names[] = {
	{ -1, "unknown" }, { 0, "off" }, { 7, "full" }, { },
};

static KSTATE_DESCRIBE(entry_state, "entry", 1, KSTATE_FIELD(struct entry, id));

static KSTATE_DESCRIBE(kinds_state, "kinds", 1,
	KSTATE_HLIST(hash, struct kinds, struct entry, node, &entry_state),
	KSTATE_FOLIOS(folios, struct kinds, nr_folios),
	KSTATE_FIELD(struct kinds, level, KSTATE_ENUM_NAMES(level_names)),
	KSTATE_FIELD(struct kinds, users),
	KSTATE_REMOVED("speed", KSTATE_WAS(u16), KSTATE_DEFAULT(3)));

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

static void save_kinds(struct kstate_stream *stream)
{
	struct kstate_folio_entry folios[3] = {};
	struct entry entries[2] = { { .id = 5 }, { .id = 6 } };
	struct kinds kinds = { .folios = folios, .nr_folios = 3, .level = 7 };

	atomic_set(&kinds.users, 2);
	hlist_add_head(&entries[1].node, &kinds.hash);
	hlist_add_head(&entries[0].node, &kinds.hash);
	for (int i = 0; i < 3; i++) {
		folios[i].folio = folio_alloc(GFP_KERNEL, i == 2 ? 2 : 0);
		folios[i].index = 10 * i;
		folios[i].flags = i == 2 ? 5 : 0;
	}
	save(stream, &kinds_state, &kinds, 1);
}

static int write_out(struct kstate_set *set, const char *path)
{
	void *blob;
	size_t size;
	FILE *out;

	if (kstate_set_export(set, &blob, &size))
		return 1;
	out = fopen(path, "wb");
	return !out || fwrite(blob, 1, size, out) != size || fclose(out);
}

int main(int argc, char **argv)
{
	struct kstate_set *set = kstate_memory_create();
	struct kstate_stream *stream;
	struct large large = { .nr = ARRAY_BYTES / sizeof(u32) };
	struct small small = { .text = "a name" };
	u64 half, id;

	if (argc != 3)
		return 2;
	if (!strcmp(argv[1], "kinds")) {
		save_kinds(kstate_stream_create(set, "kinds", NULL));
		return write_out(set, argv[2]);
	}
	if (!strcmp(argv[1], "many")) {
		stream = kstate_stream_create(set, "many", NULL);
		for (id = 0; id < 10000; id++)
			save(stream, &entry_state, &(struct entry){ .id = id == 9999 ? 54321 : 7 }, id);
		save_kinds(stream);
		return write_out(set, argv[2]);
	}
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
	return write_out(set, argv[2]);
}
