// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write what two generations of a driver save of the same object, to be compared.
 * usage: diff_make before|after|changed|grown FILE
 *        (changed: the later one, with other values; grown: with what only it can express)
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kstate.h>
#include <linux/slab.h>
#include "store.h"

struct port {
	u32 speed;
};

struct card {
	u32 packets;
	u32 features;
	u8 mode;
	struct port port;
	unsigned long queues[2];
	u32 mtu;
};

static const struct kstate_flag_name old_features[] = { { 1, "csum" }, { 2, "gso" }, { } };
static const struct kstate_flag_name old_modes[] = { { 0, "off" }, { 1, "on" }, { } };

static KSTATE_DESCRIBE(old_port_state, "port", 1, KSTATE_FIELD(struct port, speed));

static KSTATE_DESCRIBE(old_state, "card", 1,
	KSTATE_FIELD(struct card, packets),
	KSTATE_FIELD(struct card, features, KSTATE_FLAG_NAMES(old_features)),
	KSTATE_FIELD(struct card, mode, KSTATE_ENUM_NAMES(old_modes)),
	KSTATE_STRUCT(port, struct card, &old_port_state),
	KSTATE_BITMAP(queues, struct card, 100));

/* The same members under other names, with other numbers, and one more of each */
struct new_port {
	u32 rate;
	u32 lanes;
};

struct new_card {
	u64 rx_packets;
	u32 features;
	u8 mode;
	struct new_port port;
	unsigned long queues[2];
	u32 mtu;
	u16 table[3];
};

static const struct kstate_flag_name new_features[] = {
	{ 1, "gso" }, { 2, "csum" }, { 4, "tso" }, { }
};

static const struct kstate_flag_name new_modes[] = {
	{ 0, "auto" }, { 1, "off" }, { 2, "on" }, { }
};

static KSTATE_DESCRIBE(new_port_state, "port", 1,
	KSTATE_FIELD(struct new_port, rate, KSTATE_ALIAS("speed")),
	KSTATE_FIELD(struct new_port, lanes, KSTATE_DEFAULT(4)));

static KSTATE_DESCRIBE(new_state, "card", 1,
	KSTATE_FIELD(struct new_card, mtu, KSTATE_DEFAULT(1500)),
	KSTATE_FIELD(struct new_card, rx_packets, KSTATE_ALIAS("packets")),
	KSTATE_FIELD(struct new_card, features, KSTATE_FLAG_NAMES(new_features)),
	KSTATE_FIELD(struct new_card, mode, KSTATE_ENUM_NAMES(new_modes)),
	KSTATE_STRUCT(port, struct new_card, &new_port_state),
	KSTATE_BITMAP(queues, struct new_card, 120),
	KSTATE_FIELD(struct new_card, table, KSTATE_DEFAULT(0)));

static void save(struct kstate_set *set, struct kstate_description *desc, void *obj)
{
	struct kstate_stream *stream = kstate_stream_create(set, "kernel", NULL);
	struct kstate_error err;
	char text[512];

	if (!kstate_stream_save(stream, desc, obj, KSTATE_ID(0), &err))
		return;
	kstate_error_text(&err, text, sizeof(text));
	fprintf(stderr, "diff_make: %s\n", text);
	exit(1);
}

int main(int argc, char **argv)
{
	struct card card = { .packets = 7, .features = 1, .mode = 1, .port = { 100 } };
	struct new_card new_card = {
		.rx_packets = 7, .features = 2, .mode = 2, .port = { 100, 4 }, .mtu = 1500,
	};
	struct kstate_set *set = kstate_memory_create();
	size_t size;
	void *blob;
	FILE *out;

	if (argc != 3)
		return 2;
	for (int i = 2; i < 90; i += 1 + (i > 4)) {
		__set_bit(i, card.queues);
		__set_bit(i, new_card.queues);
	}
	if (!strcmp(argv[1], "changed")) {
		new_card.rx_packets = 8;
		new_card.features = 6;
		new_card.mode = 0;
		new_card.port.rate = 10;
		__clear_bit(3, new_card.queues);
		__clear_bit(4, new_card.queues);
		__set_bit(0, new_card.queues);
		__set_bit(110, new_card.queues);
	} else if (!strcmp(argv[1], "grown")) {
		new_card.mtu = 9000;
		new_card.port.lanes = 8;
		new_card.table[1] = 5;
	}
	if (!strcmp(argv[1], "before"))
		save(set, &old_state, &card);
	else
		save(set, &new_state, &new_card);
	if (kstate_set_export(set, &blob, &size))
		return 1;
	out = fopen(argv[2], "wb");
	return !out || fwrite(blob, 1, size, out) != size || fclose(out);
}
