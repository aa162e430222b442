// SPDX-License-Identifier: GPL-2.0-only
/* Damage: every bit that flips and every end that is missing is found. */
#include <linux/crc32c.h>
#include "all.h"

#define RECORDS	4

struct small {
	u32 v;
};

static KSTATE_DESCRIBE(small, "small", 1, KSTATE_BASE_TYPE(v, struct small, u32));

static const struct kstate_field named_fields[] = {
	KSTATE_BASE_TYPE(v, struct small, u32), KSTATE_END_OF_LIST()
};

static struct kstate_description named = {
	.name = "named", .string_key = true, .fields = named_fields,
};

static struct all from;
static u8 *blob;
static size_t size;

static void make_blob(void)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "s", &err);
	struct kstate_stream *other = kstate_stream_create(set, "other", &err);
	struct small v = { 0x5a5a };

	all_fill(&from, 42);
	stream_save(stream, &small, &v, KSTATE_ID(1));
	stream_save(stream, &all_desc, &from, KSTATE_ID(2));
	stream_save(stream, &named, &v, KSTATE_NAME("three"));
	stream_save(other, &small, &v, KSTATE_ID(4));
	blob = set_bytes(set, &size);
}

static int restore_small(struct kstate_set *set, const char *name, struct kstate_description *desc,
			 struct kstate_key key)
{
	struct kstate_stream *stream = kstate_stream_find(set, name);
	struct small v = { 7 };
	int ret = stream ? kstate_stream_restore(stream, desc, &v, key, NULL) : -ENOENT;

	assert_int_equal(v.v, ret ? 7 : 0x5a5a);
	return ret;
}

static int restore_all(struct kstate_set *set)
{
	struct kstate_stream *stream = kstate_stream_find(set, "s");
	struct all to, before;
	int ret = -ENOENT;

	all_init(&to);
	before = to;
	if (stream)
		ret = kstate_stream_restore(stream, &all_desc, &to, KSTATE_ID(2), NULL);
	if (ret)
		assert_memory_equal(&to, &before, sizeof(to));
	else
		assert_true(all_equal(&from, &to));
	all_free(&to);
	return ret;
}

/* How many of the records cannot be restored; -1 if the set cannot be opened */
static int lost(const u8 *bytes, size_t nr, bool *damage)
{
	struct kstate_set *set = kstate_memory_open(bytes, nr, NULL);
	int ret = 0;

	*damage = false;
	if (IS_ERR(set))
		return -1;
	*damage = set->damage.code != 0;
	ret += !!restore_small(set, "s", &small, KSTATE_ID(1));
	ret += !!restore_all(set);
	ret += !!restore_small(set, "s", &named, KSTATE_NAME("three"));
	ret += !!restore_small(set, "other", &small, KSTATE_ID(4));
	kstate_set_destroy(set);
	return ret;
}

static void whole(void **state)
{
	bool damage;

	make_blob();
	assert_int_equal(lost(blob, size, &damage), 0);
	assert_false(damage);
	use(&small);
	kvfree(blob);
	all_free(&from);
}

static void every_bit(void **state)
{
	struct kstate_header *header;
	u64 root, root_end;
	bool damage;

	make_blob();
	header = (void *)blob;
	root = le64_to_cpu(header->root.edge.addr);
	root_end = root + le64_to_cpu(header->root.edge.size);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		int n;

		blob[bit / 8] ^= 1 << bit % 8;
		n = lost(blob, size, &damage);
		if (!n && !damage)
			fail_msg("bit %zu of byte %zu is not missed", bit % 8, bit / 8);
		if (bit / 8 < sizeof(*header))
			assert_int_equal(n, -1);
		/* A record takes no other record along */
		if (bit / 8 >= root_end && n != 1)
			fail_msg("bit %zu of byte %zu loses %d records", bit % 8, bit / 8, n);
		blob[bit / 8] ^= 1 << bit % 8;
	}
	kvfree(blob);
	all_free(&from);
}

static void every_end(void **state)
{
	bool damage;

	make_blob();
	for (size_t n = 0; n < size; n++) {
		/* Exactly as large, so that the sanitizer sees what is read beyond */
		u8 *copy = malloc(n ?: 1);

		memcpy(copy, blob, n);
		assert_int_equal(lost(copy, n, &damage), -1);
		free(copy);
	}
	kvfree(blob);
	all_free(&from);
}

static u64 random_state = 88172645463325252ULL;

static u64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* More than bits: bytes, blocks that moved, zeros, rubbish */
static void worse(void **state)
{
	bool damage;
	u8 *copy;

	make_blob();
	copy = kvmalloc(size, GFP_KERNEL);
	for (int i = 0; i < 20000; i++) {
		size_t at = next_random() % size, n = 1 + next_random() % 64;
		size_t from_at = next_random() % size;

		if (at + n > size)
			n = size - at;
		if (from_at + n > size)
			from_at = size - n;
		memcpy(copy, blob, size);
		switch (next_random() % 3) {
		case 0:
			for (size_t j = 0; j < n; j++)
				copy[at + j] = next_random();
			break;
		case 1:
			memset(copy + at, 0, n);
			break;
		case 2:
			memmove(copy + at, blob + from_at, n);
			break;
		}
		if (!memcmp(copy, blob, size))
			continue;
		if (!lost(copy, size, &damage))
			assert_true(damage);
	}
	kvfree(copy);
	kvfree(blob);
	all_free(&from);
}

/* Set checksums right again: whoever writes such a stream means harm */
static void reseal(u8 *bytes, size_t nr)
{
	struct kstate_header *header = (void *)bytes;

	for (size_t at = sizeof(*header); at + sizeof(struct kstate_record) <= nr;) {
		struct kstate_record *record = (void *)(bytes + at);
		u32 payload = le32_to_cpu(record->size);

		if (payload % 8 || payload > nr - at - sizeof(*record))
			break;
		record->pcrc = cpu_to_le32(~crc32c(~0, record + 1, payload));
		record->hcrc = cpu_to_le32(~crc32c(~0, &record->pcrc, sizeof(*record) - 4));
		at += sizeof(*record) + payload;
	}
	header->crc = 0;
	header->crc = cpu_to_le32(~crc32c(~0, header, sizeof(*header)));
}

/* With checksums that match, anything may be restored, but nothing may break */
static void hostile(void **state)
{
	struct kstate_set *set;
	struct kstate_stream *stream;
	struct kstate_set *next;
	struct small v;
	struct all to;
	u8 *copy;

	make_blob();
	copy = kvmalloc(size, GFP_KERNEL);
	for (int i = 0; i < 40000; i++) {
		int changes = 1 + next_random() % 4;
		void *p;

		memcpy(copy, blob, size);
		while (changes--) {
			size_t at = next_random() % size;

			switch (next_random() % 4) {
			case 0:
				copy[at] ^= 1 << next_random() % 8;
				break;
			case 1:
				copy[at] = next_random();
				break;
			case 2:
				copy[at] = 0xff;
				break;
			case 3:
				memset(copy + at / 4 * 4, next_random() & 1 ? 0xff : 0,
				       min(size - at / 4 * 4, 4UL));
				break;
			}
		}
		reseal(copy, size);
		set = kstate_memory_open(copy, size, NULL);
		if (IS_ERR(set))
			continue;
		p = NULL;
		list_for_each_entry(stream, &set->streams, list) {
			kstate_stream_restore(stream, &small, &v, KSTATE_ID(1), NULL);
			kstate_stream_restore(stream, &named, &v, KSTATE_NAME("three"), NULL);
			all_init(&to);
			if (!kstate_stream_check(stream, &all_desc, &to, KSTATE_ID(2), NULL))
				p = stream;
		}
		if (p && !kstate_stream_restore(p, &all_desc, &to, KSTATE_ID(2), NULL))
			all_free(&to);
		/* Walked without a description as well */
		next = set_create();
		kstate_set_hand_on(set, next, NULL);
		kstate_set_finish(set, true);
		kstate_set_destroy(next);
		kstate_set_destroy(set);
	}
	kvfree(copy);
	kvfree(blob);
	all_free(&from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole),
		TEST(every_bit),
		TEST(every_end),
		TEST(worse),
		TEST(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
