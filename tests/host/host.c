// SPDX-License-Identifier: GPL-2.0-only
#include "host.h"

struct kstate_error err;
int verdict;
bool failed;

static struct kstate_description *used[256];
static unsigned int nr_used;
static long live_before, pages_before;

const char *text_of(const struct kstate_error *e)
{
	static char text[sizeof(*e) + 128];

	return kstate_error_text(e, text, sizeof(text)) ? text : "ok";
}

void use(struct kstate_description *desc)
{
	for (unsigned int i = 0; i < nr_used; i++)
		if (used[i] == desc)
			return;
	assert_true(nr_used < ARRAY_SIZE(used));
	used[nr_used++] = desc;
}

int test_begin(void **state)
{
	shim_log_clear();
	shim_fail_at(0);
	shim_set_release(RELEASE);
	memset(&err, 0, sizeof(err));
	nr_used = 0;
	live_before = shim_live();
	pages_before = shim_live_pages();
	return 0;
}

int test_end(void **state)
{
	while (nr_used)
		kstate_forget(used[--nr_used]);
	if (shim_live() != live_before || shim_live_pages() != pages_before ||
	    shim_kho_preserved()) {
		print_error("left behind: %ld allocations, %ld pages, %ld preserved blocks\n",
			    shim_live() - live_before, shim_live_pages() - pages_before,
			    shim_kho_preserved());
		return -1;
	}
	return 0;
}

struct kstate_set *set_create(void)
{
	struct kstate_set *set = kstate_memory_create();

	assert_false(IS_ERR_OR_NULL(set));
	return set;
}

void stream_save(struct kstate_stream *stream, struct kstate_description *desc, const void *obj,
		 struct kstate_key key)
{
	use(desc);
	assert_fits(kstate_stream_save(stream, desc, obj, key, &err));
}

int stream_restore(struct kstate_stream *stream, struct kstate_description *desc, void *obj,
		   struct kstate_key key)
{
	use(desc);
	memset(&err, 0, sizeof(err));
	return kstate_stream_restore(stream, desc, obj, key, &err);
}

void *set_bytes(struct kstate_set *set, size_t *size)
{
	void *blob = NULL;

	assert_int_equal(kstate_set_export(set, &blob, size), 0);
	kstate_set_destroy(set);
	return blob;
}

struct kstate_set *set_jump(struct kstate_set *set)
{
	size_t size;
	void *blob = set_bytes(set, &size);

	memset(&err, 0, sizeof(err));
	set = kstate_memory_open(blob, size, &err);
	kvfree(blob);
	if (IS_ERR_OR_NULL(set))
		fail_msg("open: %s", text_of(&err));
	if (set->damage.code)
		fail_msg("open: %s", text_of(&set->damage));
	return set;
}

struct kstate_set *saved(struct kstate_description *desc, const void *obj)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);

	assert_false(IS_ERR_OR_NULL(stream));
	stream_save(stream, desc, obj, KSTATE_ID(1));
	return set_jump(set);
}

void catalogue_add(struct kstate_set *catalogue, struct kstate_description *desc)
{
	size_t size = sizeof(struct kstate_wire_state) + 8;
	struct kstate_wire_state *ws = kvzalloc(size, GFP_KERNEL);
	struct kstate_schema *schema;
	u32 id;

	schema = kstate_describe(desc, &err);
	if (IS_ERR(schema) || kstate_set_schema(catalogue, schema, &id, &err))
		fail_msg("%s", text_of(&err));
	ws->flags = cpu_to_le32(KSTATE_STATE_USED |
				(desc->string_key ? KSTATE_STATE_STRING_KEY : 0));
	ws->strings = cpu_to_le32(1);
	assert_false(kstate_set_add_state(catalogue, id, (u8 *)ws, size));
}

struct kstate_set *catalogue_of(struct kstate_description *desc)
{
	struct kstate_set *set = kstate_memory_create(), *read;
	size_t size;
	void *blob;

	set->limits = true;
	catalogue_add(set, desc);
	blob = set_bytes(set, &size);
	read = kstate_memory_open(blob, size, &err);
	kvfree(blob);
	if (IS_ERR(read))
		fail_msg("%s", text_of(&err));
	return read;
}

int check_and_restore(struct kstate_set *set, struct kstate_description *desc, void *obj)
{
	struct kstate_stream *stream = kstate_stream_find(set, "test");
	struct kstate_error check_err = {};
	int ret;

	assert_non_null(stream);
	use(desc);
	verdict = kstate_stream_check(stream, desc, obj, KSTATE_ID(1), &check_err);
	ret = stream_restore(stream, desc, obj, KSTATE_ID(1));
	if (ret ? verdict != ret : verdict < 0)
		fail_msg("check: %d (%s), but restore: %d (%s)", verdict, text_of(&check_err), ret,
			 ret ? err.path : "");
	if (ret) {
		assert_string_equal(check_err.path, err.path);
		assert_int_equal(check_err.reason, err.reason);
	}
	return ret;
}

int carry(struct kstate_description *writer, const void *from,
	  struct kstate_description *reader, void *to)
{
	struct kstate_set *set = saved(writer, from);
	int ret = check_and_restore(set, reader, to);

	if (!ret) {
		assert_int_equal(stream_restore(kstate_stream_find(set, "test"), reader, to,
						KSTATE_ID(1)), -EALREADY);
		assert_int_equal(err.reason, KSTATE_CLAIMED);
	}
	kstate_set_destroy(set);
	return ret;
}

void check_error(enum kstate_reason reason, int code, const char *path, const char *expected,
		 const char *found, const char *file, int line)
{
	if (err.reason != reason || err.code != code || strcmp(err.path, path) ||
	    strcmp(err.expected, expected) || strcmp(err.found, found)) {
		print_error("is:     %s\n", text_of(&err));
		print_error("should: %s: %s (%d): expected %s, found %s\n", path,
			    kstate_reason_name(reason), code, expected, found);
		_fail(file, line);
	}
}

/* directory.c is not part of the host tests */

int kstate_directory_init(void)
{
	return 0;
}

void kstate_directory_exit(void)
{
}
