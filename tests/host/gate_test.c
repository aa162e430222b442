// SPDX-License-Identifier: GPL-2.0-only
/*
 * What another kernel would do with records, and the gate that asks before a
 * jump, over a simulated KHO. What is foretold is compared with what restoring
 * does.
 */
#include <sys/wait.h>
#include <unistd.h>
#include <linux/crc32c.h>
#include <linux/elf.h>
#include <linux/kexec.h>
#include <linux/module.h>
#include "host.h"

/* What a check reported */
struct found {
	enum kstate_verdict verdict;
	bool allowed;
	u32 nr_err;
	struct kstate_error last;
	char object[2 * KSTATE_MAX_NAME + 8];
	struct kstate_error err;
};

static struct found found[64];
static unsigned int nr_found;

static int note(const struct kstate_finding *finding, void *arg)
{
	struct found *f = &found[min_t(unsigned int, nr_found++, ARRAY_SIZE(found) - 1)];

	*f = (struct found){ .verdict = finding->verdict, .allowed = finding->allowed };
	if (finding->record)
		kstate_record_text(finding->stream, finding->record, f->object,
				   sizeof(f->object));
	f->nr_err = finding->nr_err;
	if (finding->err) {
		f->err = *finding->err;
		f->last = finding->err[finding->nr_err - 1];
	}
	return 0;
}

static int check_set(struct kstate_set *set, struct kstate_set *target)
{
	nr_found = 0;
	return kstate_check_set(set, target, note, NULL);
}

/* Records */

struct flat {
	u64 a;
	u32 b;
	u32 extra;
	u32 nr;
	u16 nr2;
	u16 list[4];
	u16 list2[4];
	char text[8];
	u32 *pointer;
};

#define HEAD								\
	KSTATE_BASE_TYPE(a, struct flat, u64),				\
	KSTATE_BASE_TYPE(b, struct flat, u32)

KSTATE_DESCRIBE_STATIC(flat, "flat", 1, HEAD);
KSTATE_DESCRIBE_STATIC(flat_more, "flat", 1,
	HEAD, KSTATE_BASE_TYPE(extra, struct flat, u32, KSTATE_DEFAULT(7)));
KSTATE_DESCRIBE_STATIC(flat_required, "flat", 1, HEAD, KSTATE_BASE_TYPE(extra, struct flat, u32));
KSTATE_DESCRIBE_STATIC(flat_extra, "flat", 1,
	HEAD, KSTATE_BASE_TYPE(extra, struct flat, u32, KSTATE_IGNORABLE));
KSTATE_DESCRIBE_STATIC(flat_range, "flat", 1,
	KSTATE_BASE_TYPE(a, struct flat, u64, KSTATE_RANGE(5, 10)),
	KSTATE_BASE_TYPE(b, struct flat, u32));
static KSTATE_DESCRIBE_OPTS(flat_version, "flat", (.version_id = 3, .min_version_id = 2), HEAD);
KSTATE_DESCRIBE_STATIC(lists, "flat", 1,
	KSTATE_VARRAY(list, struct flat, nr),
	KSTATE_VARRAY(list2, struct flat, nr2));
KSTATE_DESCRIBE_STATIC(lists_shared, "flat", 1,
	KSTATE_VARRAY(list, struct flat, nr),
	KSTATE_VARRAY(list2, struct flat, nr));
KSTATE_DESCRIBE_STATIC(text, "flat", 1, KSTATE_STRING(text, struct flat));
KSTATE_DESCRIBE_STATIC(chars, "flat", 1, KSTATE_BASE_TYPE(text, struct flat, char [8]));
KSTATE_DESCRIBE_STATIC(pointer, "flat", 1, KSTATE_POINTER(pointer, struct flat));

/* Narrower than their namesakes in struct flat */
struct small {
	u64 a;
	u16 b;
	u32 nr;
	u16 nr2;
	u16 list[2];
	u16 list2[4];
	char text[4];
};

KSTATE_DESCRIBE_STATIC(small, "flat", 1,
	KSTATE_BASE_TYPE(a, struct small, u64),
	KSTATE_BASE_TYPE(b, struct small, u16));
KSTATE_DESCRIBE_STATIC(small_lists, "flat", 1,
	KSTATE_VARRAY(list, struct small, nr),
	KSTATE_VARRAY(list2, struct small, nr2));
KSTATE_DESCRIBE_STATIC(small_text, "flat", 1, KSTATE_STRING(text, struct small));

static const struct kstate_field flat_fields_again[] = { HEAD, KSTATE_END_OF_LIST() };
static struct kstate_description flat_named = {
	.name = "flat", .version_id = 1, .min_version_id = 1, .string_key = true,
	.fields = flat_fields_again,
};
static struct kstate_description flat_optional = {
	.name = "optional", .optional = true, .fields = flat_fields_again,
};
KSTATE_DESCRIBE_STATIC(other, "other", 1, HEAD);

/* What is foretold of @from is @expected, and what restoring then does */
static void foretold_in(struct kstate_description *writer, const struct flat *from,
			struct kstate_description *reader, void *to, enum kstate_verdict expected,
			const char *file, int line)
{
	struct kstate_set *set = saved(writer, from), *target;
	int ret;

	use(reader);
	target = catalogue_of(reader);
	assert_false(check_set(set, target));
	_assert_int_equal(nr_found, 1, file, line);
	if (found[0].verdict != expected) {
		print_error("verdict %d: %s\n", found[0].verdict, text_of(&found[0].err));
		_fail(file, line);
	}
	assert_string_equal(found[0].object, "flat[1]");
	kstate_set_destroy(set);
	kstate_set_destroy(target);

	ret = carry(writer, from, reader, to);
	_assert_int_equal(!!ret, expected == KSTATE_REFUSED, file, line);
	if (!ret) {
		_assert_int_equal(verdict, expected, file, line);
		assert_int_equal(found[0].err.code, 0);
		return;
	}
	_assert_int_equal(found[0].err.reason, err.reason, file, line);
	_assert_string_equal(found[0].err.expected, err.expected, file, line);
	_assert_string_equal(found[0].err.found, err.found, file, line);
}

#define foretold(_writer, _from, _reader, _to, _expected) \
	foretold_in(_writer, _from, _reader, _to, _expected, __FILE__, __LINE__)

static void verdicts(void **state)
{
	const struct flat from = { .a = 70000, .b = 65535, .extra = 1 }, large = { .b = 65536 };
	struct flat to = {};
	struct small less = {};

	foretold(&flat, &from, &flat, &to, KSTATE_EXACT);
	foretold(&flat, &from, &flat_more, &to, KSTATE_DEFAULTED);
	foretold(&flat, &from, &flat_required, &to, KSTATE_REFUSED);
	foretold(&flat_extra, &from, &flat, &to, KSTATE_LOSSY);
	foretold(&flat_more, &from, &flat, &to, KSTATE_REFUSED);
	foretold(&flat, &from, &small, &less, KSTATE_CONVERTED);
	foretold(&flat, &large, &small, &less, KSTATE_REFUSED);
	foretold(&flat, &from, &flat_range, &to, KSTATE_REFUSED);
	foretold(&flat, &from, &flat_version, &to, KSTATE_REFUSED);
	assert_int_equal(found[0].err.reason, KSTATE_VERSION);
}

/* What a catalogue knows of a struct beyond its fields */
static void limits(void **state)
{
	struct flat two = { .nr = 2, .nr2 = 2 }, three = { .nr = 3, .nr2 = 2 };
	struct flat longer = { .text = "abc" }, longest = { .text = "abcd" };
	struct flat no_end = { .text = { 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h' } };
	struct flat inside = { .text = { 'a', 0, 'b' } };
	struct small less = {};
	struct flat to = {};

	foretold(&lists, &two, &small_lists, &less, KSTATE_EXACT);
	foretold(&lists, &three, &small_lists, &less, KSTATE_REFUSED);
	assert_int_equal(found[0].err.reason, KSTATE_NO_ROOM);
	foretold(&lists, &two, &lists_shared, &to, KSTATE_EXACT);
	foretold(&lists, &three, &lists_shared, &to, KSTATE_REFUSED);
	foretold(&text, &longer, &small_text, &less, KSTATE_EXACT);
	foretold(&text, &longest, &small_text, &less, KSTATE_REFUSED);
	foretold(&chars, &longer, &text, &to, KSTATE_REFUSED);
	foretold(&chars, &no_end, &text, &to, KSTATE_REFUSED);
	foretold(&chars, &inside, &text, &to, KSTATE_REFUSED);
}

/* Verdict of the only record of @set, which goes */
static enum kstate_verdict only_verdict(struct kstate_set *set, struct kstate_description *reader)
{
	struct kstate_set *target;

	use(reader);
	target = catalogue_of(reader);
	assert_false(check_set(set, target));
	assert_int_equal(nr_found, 1);
	kstate_set_destroy(set);
	kstate_set_destroy(target);
	return found[0].verdict;
}

static void unknown(void **state)
{
	struct flat from = { .a = 1 };

	assert_int_equal(only_verdict(saved(&flat, &from), &other), KSTATE_REFUSED);
	assert_string_equal(found[0].err.path, "flat");
	assert_string_equal(found[0].err.expected, "a state that " RELEASE " knows");
	assert_int_equal(only_verdict(saved(&flat_optional, &from), &other), KSTATE_LOSSY);
	assert_int_equal(found[0].err.reason, KSTATE_BLOCKED);
}

static void key_kinds(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct flat from = {};

	assert_int_equal(only_verdict(saved(&flat, &from), &flat_named), KSTATE_REFUSED);
	assert_string_equal(found[0].err.expected, "a string as the key");
	stream_save(stream, &flat_named, &from, KSTATE_NAME("one"));
	assert_int_equal(only_verdict(set, &flat), KSTATE_REFUSED);
	assert_string_equal(found[0].err.path, "flat[\"one\"]");
	assert_string_equal(found[0].err.found, "a string");
}

/* Of several images that describe a state, the one that fits best counts, record by record */
static void several_images(void **state)
{
	struct flat from = { .b = 1 }, large = { .b = 65536 };
	struct kstate_set *set = set_create(), *target = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);

	stream_save(stream, &flat, &from, KSTATE_ID(1));
	stream_save(stream, &flat, &large, KSTATE_ID(2));
	target->limits = true;
	use(&flat_required);
	use(&small);
	use(&flat_named);
	catalogue_add(target, &flat_required);
	catalogue_add(target, &small);
	target = set_jump(target);
	assert_false(check_set(set, target));
	assert_int_equal(nr_found, 2);
	assert_int_equal(found[0].verdict, KSTATE_CONVERTED);
	assert_int_equal(found[0].nr_err, 0);
	/* None takes it: what the first one says */
	assert_int_equal(found[1].verdict, KSTATE_REFUSED);
	assert_string_equal(found[1].err.path, "flat.extra");
	kstate_set_destroy(target);

	/* The same of values: those that the second one refuses are not mixed with the first's */
	target = set_create();
	target->limits = true;
	use(&flat_range);
	catalogue_add(target, &small);
	catalogue_add(target, &flat_range);
	target = set_jump(target);
	assert_false(check_set(set, target));
	assert_int_equal(found[0].verdict, KSTATE_CONVERTED);
	assert_int_equal(found[1].verdict, KSTATE_REFUSED);
	assert_int_equal(found[1].nr_err, 1);
	assert_string_equal(found[1].err.path, "flat[2].b");
	kstate_set_destroy(target);

	target = set_create();
	target->limits = true;
	use(&flat);
	catalogue_add(target, &flat_named);
	catalogue_add(target, &small);
	catalogue_add(target, &flat);
	target = set_jump(target);
	assert_false(check_set(set, target));
	assert_int_equal(found[0].verdict, KSTATE_EXACT);
	assert_int_equal(found[1].verdict, KSTATE_EXACT);
	kstate_set_destroy(target);
	kstate_set_destroy(set);
}

KSTATE_DESCRIBE_STATIC(flat_demanding, "flat", 1, HEAD, KSTATE_BASE_TYPE(extra, struct flat, u32),
	KSTATE_BASE_TYPE(nr, struct flat, u32), KSTATE_BASE_TYPE(nr2, struct flat, u16));

/* All fields that are in the way are told, not only the first */
static void all_blocked(void **state)
{
	struct flat from = {};

	assert_int_equal(only_verdict(saved(&flat, &from), &flat_demanding), KSTATE_REFUSED);
	assert_int_equal(found[0].nr_err, 3);
	assert_string_equal(found[0].err.path, "flat.extra");
	assert_string_equal(found[0].last.path, "flat.nr2");
}

/* A description that only others use takes no records */
static void only_nested(void **state)
{
	struct flat from = {};
	struct kstate_set *set, *target;
	struct kstate_state *entry;

	use(&flat);
	target = catalogue_of(&flat);
	entry = list_first_entry(&target->states, struct kstate_state, list);
	((struct kstate_wire_state *)entry->bytes)->flags = cpu_to_le32(KSTATE_STATE_NESTED);
	set = saved(&flat, &from);
	assert_false(check_set(set, target));
	assert_int_equal(found[0].verdict, KSTATE_REFUSED);
	kstate_set_destroy(set);
	kstate_set_destroy(target);
}

static void damaged(void **state)
{
	struct flat from = { .a = 0x1122334455667788 };
	struct kstate_set *set = saved(&flat, &from);
	struct kstate_stream *stream = kstate_stream_find(set, "test");
	u64 *payload;
	void *blob;
	size_t size;

	payload = (u64 *)(stream->index.slots[0].record + 1);
	*payload ^= 1;
	assert_int_equal(only_verdict(set, &flat), KSTATE_REFUSED);
	assert_int_equal(found[0].err.reason, KSTATE_DAMAGED);
	assert_string_equal(found[0].err.path, "flat[1]");

	/* Now the schema, which comes first in the root segment */
	set = set_create();
	stream = kstate_stream_create(set, "test", &err);
	stream_save(stream, &flat, &from, KSTATE_ID(1));
	blob = set_bytes(set, &size);
	((u8 *)blob)[sizeof(struct kstate_header) + sizeof(struct kstate_record)] ^= 1;
	set = kstate_memory_open(blob, size, &err);
	assert_false(IS_ERR(set));
	kvfree(blob);
	assert_int_equal(only_verdict(set, &flat), KSTATE_REFUSED);
	assert_int_equal(found[0].err.reason, KSTATE_DAMAGED);
	assert_string_equal(found[0].err.path, "damaged schema[1]");
}

static int enough(const struct kstate_finding *finding, void *arg)
{
	return ++*(int *)arg == 2 ? -EINTR : 0;
}

/* Who listens can end the check; what is claimed or dropped is not looked at */
static void report_ends(void **state)
{
	struct kstate_set *set = set_create(), *target;
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	struct flat from = {};
	int nr = 0;

	use(&flat);
	target = catalogue_of(&flat);
	assert_false(check_set(set, target));
	assert_int_equal(nr_found, 0);
	for (u64 i = 0; i < 5; i++)
		stream_save(stream, &flat, &from, KSTATE_ID(i));
	assert_false(kstate_stream_drop(stream, &flat, KSTATE_ID(4)));
	assert_false(check_set(set, target));
	assert_int_equal(nr_found, 4);
	assert_int_equal(kstate_check_set(set, target, enough, &nr), -EINTR);
	assert_int_equal(nr, 2);

	set = set_jump(set);
	stream = kstate_stream_find(set, "test");
	assert_fits(stream_restore(stream, &flat, &from, KSTATE_ID(0)));
	assert_false(check_set(set, target));
	assert_int_equal(nr_found, 3);
	kstate_set_destroy(set);
	kstate_set_destroy(target);
}

/* The gate */

static struct {
	struct kstate_description *desc;
	void *obj;
} registered[5010];

static unsigned int nr_registered;

/* Until the test ends */
static void register_obj(struct kstate_description *desc, void *obj, u64 id)
{
	use(desc);
	assert_false(kstate_register_key(desc, obj, KSTATE_ID(id), NULL));
	assert_true(nr_registered < ARRAY_SIZE(registered));
	registered[nr_registered].desc = desc;
	registered[nr_registered++].obj = obj;
}

static int boot_begin(void **state)
{
	shim_kho_reset();
	shim_image = (struct kimage){ .file_mode = true };
	test_begin(state);
	nr_found = 0;
	assert_false(shim_boot());
	return 0;
}

static int boot_end(void **state)
{
	shim_fail_at(0);
	while (nr_registered--)
		kstate_unregister(registered[nr_registered].desc, registered[nr_registered].obj);
	nr_registered = 0;
	shim_shutdown();
	return test_end(state);
}

#define GATE_TEST(_fn)	cmocka_unit_test_setup_teardown(_fn, boot_begin, boot_end)

/* A kernel that describes these, up to a NULL, is to be jumped to */
static void set_target_to(struct kstate_description *const *descs)
{
	struct kstate_set *set = set_create();
	size_t size;
	void *blob;

	set->limits = true;
	for (; *descs; descs++) {
		use(*descs);
		catalogue_add(set, *descs);
	}
	blob = set_bytes(set, &size);
	assert_fits(kstate_gate_set_target(blob, size, &err));
	kvfree(blob);
}

#define set_target(...) \
	set_target_to((struct kstate_description *const []){ __VA_ARGS__, NULL })

static void set_policy(const char *lines)
{
	char *copy = strdup(lines);

	assert_fits(kstate_gate_set_policy(copy, &err));
	free(copy);
}

static struct kstate_tally tally;

/* How the gate stands; @release has room for the longest */
static enum kstate_armed gate_status(char *release, struct kstate_tally *t)
{
	struct kstate_gate_status status;

	kstate_gate_get_status(&status);
	strcpy(release, status.target);
	*t = status.tally;
	return status.armed;
}

static void check_live(void)
{
	nr_found = 0;
	assert_false(kstate_gate_check(note, NULL, &tally));
}

static void assert_tally(u32 exact, u32 converted, u32 lossy, u32 refused, u32 allowed)
{
	assert_int_equal(tally.nr[KSTATE_EXACT], exact);
	assert_int_equal(tally.nr[KSTATE_CONVERTED], converted);
	assert_int_equal(tally.nr[KSTATE_DEFAULTED], 0);
	assert_int_equal(tally.nr[KSTATE_LOSSY], lossy);
	assert_int_equal(tally.nr[KSTATE_REFUSED], refused);
	assert_int_equal(tally.allowed, allowed);
}

static void live_values(void **state)
{
	struct flat objs[3] = { { .b = 1 }, { .b = 2 }, { .b = 3 } }, kept = { .b = 4 };

	for (int i = 0; i < 3; i++)
		register_obj(&flat, &objs[i], i);
	use(&flat_optional);
	assert_false(kstate_save_state(&flat_optional, &kept, 9));
	assert_int_equal(kstate_gate_check(note, NULL, &tally), -ENODATA);

	set_target(&small);
	check_live();
	assert_tally(0, 3, 1, 0, 0);
	assert_string_equal(found[0].object, "flat[0]");
	assert_string_equal(found[3].object, "optional[9]");
	assert_true(tally.ns && tally.save_ns);

	/* The values count, as they are now */
	objs[1].b = 65536;
	check_live();
	assert_tally(0, 2, 1, 1, 0);
	assert_int_equal(found[1].verdict, KSTATE_REFUSED);
	assert_string_equal(found[1].err.path, "flat[1].b");

	/* Another target, another answer */
	set_target(&flat, &flat_optional);
	check_live();
	assert_tally(4, 0, 0, 0, 0);
	assert_false(kstate_unregister(&flat, &objs[1]));
	check_live();
	assert_tally(3, 0, 0, 0, 0);
}

static void many(void **state)
{
	static struct flat objs[5000];

	use(&flat);
	for (int i = 0; i < 5000; i++) {
		objs[i].b = i * 20;
		register_obj(&flat, &objs[i], i);
	}
	set_target(&small);
	check_live();
	assert_int_equal(nr_found, 5000);
	assert_tally(0, 3277, 0, 1723, 0);
}

/* More than fits into a batch, in a few objects */
struct big {
	u32 nr;
	u8 *bytes;
};

KSTATE_DESCRIBE_STATIC(big, "big", 1, KSTATE_VARRAY(bytes, struct big, nr));

static void large(void **state)
{
	struct big objs[10];

	for (int i = 0; i < ARRAY_SIZE(objs); i++) {
		objs[i] = (struct big){ 700000, kvzalloc(700000, GFP_KERNEL) };
		register_obj(&big, &objs[i], i);
	}
	set_target(&big);
	check_live();
	assert_tally(10, 0, 0, 0, 0);
	for (int i = 0; i < ARRAY_SIZE(objs); i++)
		kvfree(objs[i].bytes);
}

/* Memory that is handed over in place is neither preserved nor changed */

struct owner {
	struct folio *folio;
	struct page *pages;
	u16 nr_pages;
	void *area;
	struct folio *custom;
};

static int custom_save(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	return kstate_put_folio(s, "folio", *(struct folio **)member);
}

static int custom_restore(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	return kstate_get_folio(s, "folio", member);
}

KSTATE_DESCRIBE_STATIC(owner, "owner", 1,
	KSTATE_FOLIO(folio, struct owner),
	KSTATE_PAGES(pages, struct owner, nr_pages),
	KSTATE_VMALLOC(area, struct owner),
	KSTATE_CUSTOM(custom, struct owner, custom_save, custom_restore));

static void memory(void **state)
{
	struct owner o = {
		.folio = folio_alloc(GFP_KERNEL, 2), .nr_pages = 3,
		.pages = virt_to_page(alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL)),
		.area = vmalloc(5 * PAGE_SIZE), .custom = folio_alloc(GFP_KERNEL, 0),
	};
	struct owner before = o;
	long preserved = shim_kho_preserved(), pages = shim_live_pages();

	memset(folio_address(o.folio), 0x55, PAGE_SIZE << 2);
	memset(o.area, 0x66, 5 * PAGE_SIZE);
	register_obj(&owner, &o, 1);
	set_target(&owner);
	for (int i = 0; i < 3; i++) {
		check_live();
		assert_tally(1, 0, 0, 0, 0);
		assert_memory_equal(&o, &before, sizeof(o));
		assert_int_equal(shim_kho_preserved(), preserved);
		assert_int_equal(shim_live_pages(), pages);
	}
	for (int i = 0; i < PAGE_SIZE << 2; i++)
		assert_int_equal(((u8 *)folio_address(o.folio))[i], 0x55);
	for (int i = 0; i < 5 * PAGE_SIZE; i++)
		assert_int_equal(((u8 *)o.area)[i], 0x66);

	/* It can still be handed over */
	assert_fits(kstate_gate_arm(KSTATE_ARMED_ON));
	assert_false(shim_kexec_prepare());
	assert_true(shim_kho_preserved() > preserved);
	shim_kexec_abort();
	assert_false(kstate_unregister(&owner, &o));
	folio_put(o.folio);
	folio_put(o.custom);
	free_pages_exact(page_address(o.pages), 3 * PAGE_SIZE);
	vfree(o.area);
}

static int fails(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	return -EIO;
}

KSTATE_DESCRIBE_STATIC(failing_desc, "failing", 1, KSTATE_CUSTOM(a, struct flat, fails, fails));

/* What cannot be saved is refused here, not there, and both say the same */
static void cannot_be_saved(void **state)
{
	struct flat o = {}, good = {}, twice = {};
	struct kstate_error jump_err = {};

	register_obj(&failing_desc, &o, 3);
	register_obj(&flat, &good, 1);
	set_target(&failing_desc, &flat);
	check_live();
	assert_tally(1, 0, 0, 1, 0);
	assert_string_equal(found[0].err.path, "failing[3].a");
	assert_int_equal(found[0].err.code, -EIO);
	assert_int_equal(kstate_prepare(NULL, &jump_err), -EIO);
	assert_string_equal(jump_err.path, found[0].err.path);
	assert_false(kstate_unregister(&failing_desc, &o));

	/* A key that the jump would find in use */
	register_obj(&flat, &twice, 2);
	assert_false(kstate_save_state(&flat, &twice, 2));
	check_live();
	assert_tally(2, 0, 0, 1, 0);
	assert_int_equal(found[0].err.reason, KSTATE_DUPLICATE);
	jump_err = (struct kstate_error){};
	assert_int_equal(kstate_prepare(NULL, &jump_err), -EEXIST);
	assert_string_equal(jump_err.path, found[0].err.path);
	assert_false(kstate_drop_key(&flat, KSTATE_ID(2)));
	check_live();
	assert_tally(2, 0, 0, 0, 0);
}

/* The objects as they are now */

struct shown {
	char name[32];
	u32 bytes;
	int code;
};

static struct shown shown[8];
static unsigned int nr_shown;

static int note_shown(const struct kstate_description *desc, struct kstate_key key,
		      const struct kstate_slot *slot, const struct kstate_error *e, void *arg)
{
	struct shown *s = &shown[nr_shown++];

	assert_true(nr_shown <= ARRAY_SIZE(shown));
	*s = (struct shown){ .code = e->code };
	snprintf(s->name, sizeof(s->name), "%s[%llu]", desc->name, key.id);
	s->bytes = slot ? kstate_record_bytes(slot->record) : 0;
	assert_int_equal(!slot, !!e->code);
	return arg ? -ENOBUFS : 0;
}

static void live_objects(void **state)
{
	struct flat a = { .a = 7 }, b = {}, bad = {}, read;
	struct owner o = { .folio = folio_alloc(GFP_KERNEL, 0) };
	long preserved = shim_kho_preserved(), live;
	struct kstate_set *set;
	size_t size;
	void *blob;
	int ret;

	register_obj(&flat, &a, 1);
	register_obj(&flat, &b, 2);
	register_obj(&failing_desc, &bad, 3);
	register_obj(&owner, &o, 4);
	nr_shown = 0;
	assert_false(kstate_live_walk(note_shown, NULL));
	assert_int_equal(nr_shown, 4);
	assert_string_equal(shown[0].name, "flat[1]");
	assert_int_equal(shown[0].bytes, shown[1].bytes);
	assert_int_equal(shown[2].code, -EIO);
	assert_string_equal(shown[3].name, "owner[4]");
	assert_true(shown[3].bytes > shown[0].bytes);
	/* Who asks may have enough */
	nr_shown = 0;
	assert_int_equal(kstate_live_walk(note_shown, &a), -ENOBUFS);
	assert_int_equal(nr_shown, 1);

	/* What can be saved is in the stream, which reads like any other */
	assert_false(kstate_live_export(&blob, &size));
	set = kstate_memory_open(blob, size, &err);
	assert_false(IS_ERR(set));
	read = (struct flat){};
	assert_fits(kstate_stream_restore(kstate_stream_find(set, KSTATE_STREAM), &flat, &read,
					  KSTATE_ID(1), &err));
	assert_int_equal(read.a, 7);
	kstate_set_destroy(set);
	kvfree(blob);
	assert_int_equal(shim_kho_preserved(), preserved);

	for_each_step(n) {
		live = shim_live();
		nr_shown = 0;
		ret = failing(n, kstate_live_walk(note_shown, NULL));
		assert_int_equal(ret, failed ? -ENOMEM : 0);
		assert_int_equal(shim_live(), live);
	}
	for_each_step(n) {
		live = shim_live();
		blob = NULL;
		ret = failing(n, kstate_live_export(&blob, &size));
		assert_int_equal(ret, failed ? -ENOMEM : 0);
		kvfree(blob);
		assert_int_equal(shim_live(), live);
	}
	assert_false(kstate_unregister(&owner, &o));
	folio_put(o.folio);
}

/* Target */

static void refuse_target(const void *blob, size_t size, enum kstate_reason reason, int code)
{
	struct kstate_tally t;
	char release[80];

	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_gate_set_target(blob, size, &err), code);
	assert_int_equal(err.reason, reason);
	/* The one before stays */
	gate_status(release, &t);
	assert_string_equal(release, RELEASE);
}

static void reseal_header(struct kstate_header *header)
{
	header->crc = 0;
	header->crc = cpu_to_le32(~crc32c(~0, header, sizeof(*header)));
}

static void targets(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_header *header;
	struct kstate_tally t;
	char release[80];
	struct flat o = {};
	size_t size;
	u8 *blob;

	assert_int_equal(gate_status(release, &t), KSTATE_ARMED_OFF);
	assert_string_equal(release, "");
	assert_int_equal(kstate_gate_arm(KSTATE_ARMED_ON), -ENODATA);
	assert_int_equal(kstate_gate_arm(KSTATE_ARMED_FORCE), -ENODATA);
	assert_false(kstate_gate_arm(KSTATE_ARMED_OFF));
	set_target(&flat);

	stream_save(kstate_stream_create(set, "s", &err), &flat, &o, KSTATE_ID(1));
	blob = set_bytes(set, &size);
	refuse_target(blob, size, KSTATE_FOREIGN, -EPROTONOSUPPORT);
	assert_string_equal(err.expected, "a catalogue");
	kvfree(blob);

	set = set_create();
	strscpy(set->writer, "7.3.0-elsewhere");
	set->arch = ELF_ARCH + 1;
	catalogue_add(set, &flat);
	blob = set_bytes(set, &size);
	refuse_target(blob, size, KSTATE_FOREIGN, -EPROTONOSUPPORT);
	kvfree(blob);

	set = set_create();
	strscpy(set->writer, "7.3.0-elsewhere");
	set->page_size = 65536;
	catalogue_add(set, &flat);
	blob = set_bytes(set, &size);
	refuse_target(blob, size, KSTATE_FOREIGN, -EPROTONOSUPPORT);
	assert_non_null(strstr(err.found, "with pages of 65536 bytes"));
	kvfree(blob);

	set = set_create();
	catalogue_add(set, &flat);
	blob = set_bytes(set, &size);
	for (size_t cut = 0; cut < size; cut++)
		refuse_target(blob, cut, cut < sizeof(*header) ? KSTATE_FOREIGN : KSTATE_DAMAGED,
			      cut < sizeof(*header) ? -EPROTONOSUPPORT : -EBADMSG);
	for (size_t at = sizeof(*header); at < size; at++) {
		blob[at] ^= 0x10;
		refuse_target(blob, size, KSTATE_DAMAGED, -EBADMSG);
		blob[at] ^= 0x10;
	}
	header = (void *)blob;
	header->format = cpu_to_le32(KSTATE_FORMAT + 1);
	reseal_header(header);
	refuse_target(blob, size, KSTATE_FOREIGN, -EPROTONOSUPPORT);
	header->format = cpu_to_le32(KSTATE_FORMAT);
	reseal_header(header);
	assert_fits(kstate_gate_set_target(blob, size, &err));
	kvfree(blob);

	/* An armed gate keeps its target, or gets another */
	assert_false(kstate_gate_arm(KSTATE_ARMED_ON));
	refuse_target(NULL, 0, KSTATE_BAD_CALL, -EBUSY);
	set_target(&small);
	assert_false(kstate_gate_arm(KSTATE_ARMED_OFF));
	assert_fits(kstate_gate_set_target(NULL, 0, &err));
	gate_status(release, &t);
	assert_string_equal(release, "");
}

/* Policy */

static void refuse_policy(const char *lines, const char *path)
{
	char *copy = strdup(lines);

	memset(&err, 0, sizeof(err));
	assert_int_equal(kstate_gate_set_policy(copy, &err), -EINVAL);
	assert_string_equal(err.path, path);
	free(copy);
}

static void policies(void **state)
{
	struct flat objs[2] = { { .b = 65536 }, { .b = 1 } }, kept = {}, extra = { .extra = 1 };
	char longest[KSTATE_MAX_NAME + 32];

	register_obj(&flat, &objs[0], 0);
	register_obj(&flat, &objs[1], 1);
	register_obj(&flat_optional, &kept, 0);
	set_target(&small);
	check_live();
	assert_tally(0, 1, 1, 1, 0);

	set_policy("# what matters\n\n  may-be-lost \tflat  \nmust-come optional");
	check_live();
	assert_tally(0, 1, 0, 2, 1);
	assert_true(found[0].allowed);
	assert_false(found[2].allowed);
	assert_string_equal(found[2].err.path, "optional");
	assert_int_equal(found[2].verdict, KSTATE_REFUSED);

	/* Refused as a whole: the one before stays */
	refuse_policy("may-be-lost flat\nmust-go flat\n", "policy[2]");
	refuse_policy("may-be-lost", "policy[1]");
	refuse_policy("\n\nmust-come \n", "policy[3]");
	refuse_policy("must-comeflat\n", "policy[1]");
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "must-come ", 10);
	longest[10 + KSTATE_MAX_NAME + 1] = 0;
	refuse_policy(longest, "policy[1]");
	longest[10 + KSTATE_MAX_NAME] = 0;
	check_live();
	assert_tally(0, 1, 0, 2, 1);

	/* A state that nobody has is refused, unless that is meant */
	refuse_policy("must-come flat\nmust-come flatt\n", "policy[2]");
	assert_string_equal(err.found, "flatt");
	refuse_policy(longest, "policy[1]");
	set_policy("must-come flat\nforce must-come flatt\nforce  may-be-lost nobody\n");
	refuse_policy("force flat", "policy[1]");
	refuse_policy("force ", "policy[1]");

	/* The last rule for a state counts */
	set_policy("must-come optional\nmust-come flat\nmay-be-lost flat\nmay-be-lost optional\n");
	check_live();
	assert_tally(0, 1, 1, 1, 1);
	set_policy("may-be-lost flat\nmust-come flat\n");
	check_live();
	assert_tally(0, 1, 1, 1, 0);
	set_policy("");
	check_live();
	assert_tally(0, 1, 1, 1, 0);

	/* What must come, comes, also without a field that may be dropped */
	assert_false(kstate_unregister(&flat, &objs[0]));
	assert_false(kstate_unregister(&flat, &objs[1]));
	register_obj(&flat_extra, &extra, 5);
	set_target(&flat, &flat_optional);
	set_policy("must-come flat\n");
	check_live();
	assert_tally(1, 0, 1, 0, 0);
}

/* At the jump */

static void jumps(void **state)
{
	struct flat objs[4] = { { .b = 1 }, { .b = 65536 }, { .b = 65537 }, { .b = 2 } };
	struct kstate_set *out = kstate_outgoing();
	struct kstate_tally t;
	char release[80];
	long preserved, live;

	for (int i = 0; i < 4; i++)
		register_obj(&flat, &objs[i], i);
	set_target(&small);
	/* Once, to make what stays; nobody asks a gate that is not armed */
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();
	preserved = shim_kho_preserved();
	live = shim_live();
	check_live();
	assert_tally(0, 2, 0, 2, 0);

	assert_false(kstate_gate_arm(KSTATE_ARMED_ON));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(shim_kexec_prepare(), -ERANGE);
		/* The first of those that are refused */
		assert_string_equal(out->last_error.path, "flat[1].b");
		assert_string_equal(out->last_error.path, found[1].err.path);
		assert_non_null(strstr(shim_log(), "would refuse 2 of the objects: no jump"));
		assert_int_equal(shim_kho_preserved(), preserved);
		assert_true(shim_live() <= live);
		assert_false(out->published);
		assert_int_equal(gate_status(release, &t),
				 KSTATE_ARMED_ON);
		assert_string_equal(release, RELEASE);
		assert_int_equal(t.nr[KSTATE_REFUSED], 2);
		assert_int_equal(t.nr[KSTATE_CONVERTED], 2);
	}

	/* The state changes, and it goes */
	objs[1].b = 1;
	assert_int_equal(shim_kexec_prepare(), -ERANGE);
	assert_string_equal(out->last_error.path, "flat[2].b");
	objs[2].b = 1;
	assert_false(shim_kexec_prepare());
	assert_true(shim_kho_preserved() > preserved);
	shim_kexec_abort();
	assert_int_equal(shim_kho_preserved(), preserved);

	/* Or is allowed to be lost, or forced */
	objs[3].b = 65536;
	assert_int_equal(shim_kexec_prepare(), -ERANGE);
	set_policy("may-be-lost flat");
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();
	gate_status(release, &t);
	assert_int_equal(t.allowed, 1);
	set_policy("");
	assert_false(kstate_gate_arm(KSTATE_ARMED_FORCE));
	shim_log_clear();
	assert_false(shim_kexec_prepare());
	assert_non_null(strstr(shim_log(), "would refuse 1 of the objects: the jump is forced"));
	shim_kexec_abort();
	assert_false(kstate_gate_arm(KSTATE_ARMED_OFF));
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();
}

static void load_image(const char *release, u32 crc, bool file_mode)
{
	shim_image.file_mode = file_mode;
	shim_image.kernel_crc = crc;
	strscpy(shim_image.kernel_release, release);
}

/* It could not take any memory, so it is refused whether the gate is armed or not, forced or not */
static void other_pages(void **state)
{
	struct kstate_set *out = kstate_outgoing();
	struct flat o = { .b = 1 };

	register_obj(&flat, &o, 0);
	set_target(&flat);
	shim_image.kernel_page_size = 16 * PAGE_SIZE;
	for (enum kstate_armed to = KSTATE_ARMED_OFF; to <= KSTATE_ARMED_FORCE; to++) {
		assert_false(kstate_gate_arm(to));
		assert_int_equal(shim_kexec_prepare(), -ENOEXEC);
		assert_string_equal(out->last_error.expected,
				    "a kernel with pages of 4096 bytes to be loaded");
		assert_string_equal(out->last_error.found, "of 65536 bytes");
		/* Objects are as they were: nothing is kept from being saved or taken back */
		assert_false(out->published);
	}
	shim_image.kernel_page_size = PAGE_SIZE;
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();
	shim_image.kernel_page_size = 0;
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();
	assert_false(kstate_gate_arm(KSTATE_ARMED_OFF));
	kstate_unregister(&flat, &o);
}

/* Should it come that far, the next kernel takes nothing of it */
static void refuse_machine(struct kstate_header *header, size_t size)
{
	static const struct kstate_transport memory = { .name = "memory" };

	reseal_header(header);
	assert_int_equal(PTR_ERR(kstate_set_open(&memory, header, size, NULL, &err)),
			 -EPROTONOSUPPORT);
	assert_int_equal(err.reason, KSTATE_FOREIGN);
	assert_non_null(strstr(err.expected, "with pages of 4096 bytes"));
}

static void from_another_machine(void **state)
{
	struct kstate_set *set = set_create();
	struct kstate_header *header;
	size_t size;

	use(&flat);
	catalogue_add(set, &flat);
	header = (void *)set_bytes(set, &size);
	header->flags = 0;
	header->page_size = cpu_to_le32(65536);
	refuse_machine(header, size);
	assert_non_null(strstr(err.found, "with pages of 65536 bytes"));
	header->page_size = cpu_to_le32(PAGE_SIZE);
	header->arch = cpu_to_le32(ELF_ARCH + 1);
	refuse_machine(header, size);
	kvfree(header);
}

/* Another kernel than the target is loaded */
static void other_image(void **state)
{
	struct kstate_set *out = kstate_outgoing();
	struct flat o = { .b = 1 };

	register_obj(&flat, &o, 0);
	assert_int_equal(kstate_gate_set_image(7), -ENODATA);
	set_target(&small);
	load_image("7.3.0-other", 0x77, true);
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();

	/* The release tells them apart */
	assert_false(kstate_gate_arm(KSTATE_ARMED_ON));
	assert_int_equal(shim_kexec_prepare(), -ENOEXEC);
	assert_string_equal(out->last_error.expected, RELEASE " to be loaded");
	assert_string_equal(out->last_error.found, "7.3.0-other");
	load_image(RELEASE, 0x77, true);
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();

	/* Or the very file, whatever it is called */
	assert_false(kstate_gate_set_image(0x78));
	assert_int_equal(shim_kexec_prepare(), -ENOEXEC);
	assert_string_equal(out->last_error.expected, RELEASE " (image 00000078) to be loaded");
	assert_string_equal(out->last_error.found, RELEASE " (image 00000077)");
	load_image("", 0x78, true);
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();

	/* A new target may be another image */
	set_target(&small);
	assert_int_equal(shim_kexec_prepare(), -ENOEXEC);
	assert_string_equal(out->last_error.found, "an image without a release");
	load_image(RELEASE, 0x78, false);
	assert_int_equal(shim_kexec_prepare(), -ENOEXEC);

	/* Forced, it goes, but what it would refuse is still told */
	assert_false(kstate_gate_arm(KSTATE_ARMED_FORCE));
	load_image("7.3.0-other", 0x78, true);
	shim_log_clear();
	assert_false(shim_kexec_prepare());
	assert_non_null(strstr(shim_log(), "armed for " RELEASE ", jumping to 7.3.0-other"));
	assert_int_equal(out->last_error.code, 0);
	shim_kexec_abort();
}

/* An error is over when what failed succeeds, or when the gate is armed anew */
static void errors_end(void **state)
{
	struct kstate_set *out = kstate_outgoing();
	struct kstate_gate_status status;
	struct flat o = { .b = 65536 };

	register_obj(&flat, &o, 0);
	set_target(&small);
	assert_false(kstate_gate_arm(KSTATE_ARMED_ON));
	assert_int_equal(shim_kexec_prepare(), -ERANGE);
	assert_int_equal(out->last_error.code, -ERANGE);
	assert_string_equal(out->last_error_doing, "prepare");
	assert_true(out->last_error_time);

	/* What userspace does wrong is told apart */
	refuse_policy("must-go flat\n", "policy[1]");
	assert_int_equal(out->last_error.code, -ERANGE);
	kstate_gate_get_status(&status);
	assert_int_equal(status.err.code, -EINVAL);
	assert_string_equal(status.err.path, "policy[1]");
	set_policy("must-come flat\n");
	kstate_gate_get_status(&status);
	assert_int_equal(status.err.code, 0);
	assert_int_equal(out->last_error.code, -ERANGE);

	assert_false(kstate_gate_arm(KSTATE_ARMED_ON));
	assert_int_equal(out->last_error.code, 0);
	assert_int_equal(shim_kexec_prepare(), -ERANGE);
	o.b = 1;
	assert_false(shim_kexec_prepare());
	assert_int_equal(out->last_error.code, 0);
	shim_kexec_abort();
}

/* Records that the next kernel would get in the stream of registered objects */
static u32 nr_saved(void)
{
	struct kstate_stream *stream = kstate_stream_find(kstate_outgoing(), KSTATE_STREAM);
	u32 nr = 0;

	for (u32 i = 0; i < stream->index.nr; i++)
		nr += stream->index.slots[i].state == KSTATE_SLOT_FREE;
	return nr;
}

/* The numbers of kstate_register() */
static void numbers(void **state)
{
	struct flat objs[5] = { { .b = 1 }, { .b = 2 }, { .b = 3 }, { .b = 4 }, { .b = 5 } };
	struct kstate_set *out = kstate_outgoing();

	use(&flat);
	atomic_set(&flat.instance_id, 0);
	for (int i = 0; i < 3; i++)
		assert_false(kstate_register(&flat, &objs[i]));
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();
	/* The last ones may go: the next kernel counts the others alike */
	assert_false(kstate_unregister(&flat, &objs[2]));
	assert_false(shim_kexec_prepare());
	assert_int_equal(nr_saved(), 2);
	shim_kexec_abort();
	/* But their numbers do not come back */
	assert_false(kstate_register(&flat, &objs[3]));
	assert_int_equal(shim_kexec_prepare(), -EINVAL);
	assert_int_equal(out->last_error.reason, KSTATE_BAD_CALL);
	assert_string_equal(out->last_error.path, "flat[4]");
	assert_string_equal(out->last_error.found, "no number 3");
	assert_non_null(strstr(out->last_error.expected, "kstate_register_key()"));
	/* The check says the same beforehand */
	set_target(&flat);
	check_live();
	assert_tally(2, 0, 0, 1, 0);
	assert_string_equal(found[0].err.found, "no number 3");
	assert_false(kstate_unregister(&flat, &objs[3]));
	assert_false(kstate_unregister(&flat, &objs[0]));
	assert_int_equal(shim_kexec_prepare(), -EINVAL);
	assert_string_equal(out->last_error.path, "flat[2]");
	assert_false(kstate_unregister(&flat, &objs[1]));
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();
}

static void leave_three(void)
{
	static struct flat objs[3] = { { .b = 1 }, { .b = 65536 }, { .b = 3 } };

	atomic_set(&flat.instance_id, 0);
	for (int i = 0; i < 3; i++)
		kstate_register(&flat, &objs[i]);
}

static void boot_after(void (*fn)(void));

/* What cannot be restored does not leave its number, and its record, to the next one */
static void numbers_after_failure(void **state)
{
	struct small narrow = {};
	struct flat second = {}, third = {};

	boot_after(leave_three);
	use(&flat);
	use(&small);
	atomic_set(&flat.instance_id, 0);
	assert_false(kstate_register(&flat, &second));
	assert_int_equal(second.b, 1);
	/* The same state by another name in C: 65536 does not fit */
	atomic_set(&small.instance_id, 1);
	assert_int_equal(kstate_register(&small, &narrow), -ERANGE);
	assert_int_equal(atomic_read(&small.instance_id), 2);
	assert_int_equal(kstate_incoming()->last_error.code, -ERANGE);
	/* Restoring it after all mends the error */
	assert_false(kstate_register(&flat, &third));
	assert_int_equal(third.b, 65536);
	assert_int_equal(kstate_incoming()->last_error.code, 0);
	assert_false(kstate_unregister(&flat, &second));
	assert_false(kstate_unregister(&flat, &third));
}

/* Before the first initcall */

static struct flat early_obj, early_new;
static int early_ret[6];
static bool early_restored[2];

static void early(void)
{
	struct flat o = {};

	/* The kernel before */
	if (!kstate_incoming())
		return;
	early_ret[0] = kstate_register_key(&flat, &early_obj, KSTATE_ID(1), &early_restored[0]);
	early_ret[1] = kstate_register_key(&flat, &early_new, KSTATE_ID(7), &early_restored[1]);
	early_ret[2] = kstate_save_state(&flat, &o, 8);
	early_ret[3] = kstate_restore(&flat, &o, 2);
	early_ret[4] = o.b;
	early_ret[5] = PTR_ERR(kstate_outgoing());
}

static void leave_early(void)
{
	static struct flat objs[2] = { { .a = 0x1122334455667788, .b = 1 }, { .b = 2 } };

	kstate_save_state(&flat, &objs[0], 1);
	kstate_save_state(&flat, &objs[1], 2);
}

static void before_initcalls(void **state)
{
	struct flat o = {};

	/* When nothing is open yet, nothing counts */
	shim_shutdown();
	use(&flat);
	atomic_set(&flat.instance_id, 0);
	assert_int_equal(kstate_register(&flat, &o), -EPROBE_DEFER);
	assert_int_equal(kstate_register_key(&flat, &o, KSTATE_ID(1), NULL), -EPROBE_DEFER);
	assert_int_equal(kstate_unregister(&flat, &o), -ENOENT);
	assert_int_equal(kstate_restore(&flat, &o, 1), -EPROBE_DEFER);
	assert_int_equal(atomic_read(&flat.instance_id), 0);
	assert_false(shim_boot());

	shim_before_initcalls = early;
	boot_after(leave_early);
	shim_before_initcalls = NULL;
	assert_int_equal(early_ret[0], 0);
	assert_true(early_restored[0]);
	assert_int_equal(early_obj.a, 0x1122334455667788);
	assert_int_equal(early_ret[1], 0);
	assert_false(early_restored[1]);
	assert_int_equal(early_ret[2], -EPROBE_DEFER);
	assert_int_equal(early_ret[3], 0);
	assert_int_equal(early_ret[4], 2);
	assert_int_equal(early_ret[5], 0);

	/* The saving half has waited */
	assert_false(kstate_save_state(&flat, &o, 8));
	early_new.b = 9;
	assert_false(shim_kexec_prepare());
	assert_int_equal(nr_saved(), 3);
	shim_kexec_abort();
	assert_false(kstate_unregister(&flat, &early_obj));
	assert_false(kstate_unregister(&flat, &early_new));
}

/* A probe that is deferred takes its restore back, and the object is registered another time */
static void deferred_probe(void **state)
{
	struct flat o = {}, again = {}, anew = {};
	struct kstate_transaction *t;
	struct kstate_stream *stream;
	bool restored = false;

	boot_after(leave_early);
	use(&flat);
	stream = kstate_stream_find(kstate_incoming(), KSTATE_STREAM);
	t = kstate_transaction_begin(stream);
	assert_false(kstate_transaction_add(t, &flat, &o, KSTATE_ID(1), &err));
	assert_false(kstate_transaction_apply(t, &err));
	assert_int_equal(o.b, 1);
	kstate_transaction_cancel(t);
	assert_int_equal(o.b, 0);

	/* Or it has been registered, and is unregistered */
	assert_false(kstate_register_key(&flat, &o, KSTATE_ID(1), &restored));
	assert_true(restored);
	assert_false(kstate_unregister(&flat, &o));
	restored = false;
	assert_false(kstate_register_key(&flat, &again, KSTATE_ID(1), &restored));
	assert_true(restored);
	assert_int_equal(again.a, 0x1122334455667788);

	/* Committed, it is registered as it has been restored */
	t = kstate_transaction_begin(stream);
	assert_false(kstate_transaction_add(t, &flat, &o, KSTATE_ID(2), &err));
	assert_false(kstate_transaction_apply(t, &err));
	kstate_transaction_commit(t);
	assert_false(kstate_register_key(&flat, &o, KSTATE_ID(2), &restored));
	assert_false(restored);
	assert_int_equal(o.b, 2);
	assert_false(shim_kexec_prepare());
	assert_int_equal(nr_saved(), 2);
	shim_kexec_abort();
	assert_false(kstate_unregister(&flat, &o));

	/* After the end it begins anew */
	assert_int_equal(kstate_finish(), 0);
	assert_false(kstate_unregister(&flat, &again));
	assert_false(kstate_register_key(&flat, &anew, KSTATE_ID(1), &restored));
	assert_false(restored);
	assert_false(kstate_unregister(&flat, &anew));
}

/* An optional state that must come keeps the machine where it is */
static void must_come(void **state)
{
	struct flat o = {};

	register_obj(&flat_optional, &o, 1);
	set_target(&other);
	assert_false(kstate_gate_arm(KSTATE_ARMED_ON));
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();
	set_policy("must-come optional");
	assert_int_equal(shim_kexec_prepare(), -EPROTO);
	assert_string_equal(kstate_outgoing()->last_error.path, "optional");
}

/* What the kernel before left and nobody has claimed */

static void leave_behind(void)
{
	static struct flat objs[4] = { { .b = 1 }, { .b = 65536 }, { .b = 2 }, { .b = 3 } };
	struct kstate_stream *mine;

	for (u64 i = 0; i < 4; i++)
		kstate_save_state_key(&flat, &objs[i], KSTATE_ID(i));
	mine = kstate_stream_create(kstate_outgoing(), "mine", NULL);
	kstate_stream_save(mine, &flat_optional, &objs[0], KSTATE_ID(1), NULL);
}

/* A kernel that runs @fn and jumps; then the next one boots in this process */
static void boot_after(void (*fn)(void))
{
	int status;
	pid_t pid;

	shim_shutdown();
	pid = fork();
	if (!pid) {
		if (shim_boot())
			_exit(1);
		fn();
		_exit(!!shim_kexec_prepare());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	shim_kho_jump();
	assert_false(shim_boot());
	assert_non_null(kstate_incoming());
}

static void unclaimed(void **state)
{
	struct flat o = {}, again = { .b = 5 };
	struct kstate_stream *in;

	boot_after(leave_behind);
	set_target(&small);
	check_live();
	assert_tally(0, 3, 1, 1, 0);

	/* What is restored is this kernel's */
	use(&flat);
	assert_false(kstate_restore(&flat, &o, 1));
	check_live();
	assert_tally(0, 3, 1, 0, 0);

	/* What is saved anew takes the place of what came, and what is damaged goes nowhere */
	assert_false(kstate_save_state(&flat, &again, 0));
	again.b = 65536;
	assert_false(kstate_save_state(&flat, &again, 2));
	check_live();
	assert_tally(0, 2, 1, 1, 0);
	in = kstate_stream_find(kstate_incoming(), KSTATE_STREAM);
	*(u8 *)(in->index.slots[3].record + 1) ^= 1;
	check_live();
	assert_tally(0, 1, 1, 1, 0);

	/* The jump finds the same */
	assert_false(kstate_gate_arm(KSTATE_ARMED_FORCE));
	assert_false(shim_kexec_prepare());
	shim_kexec_abort();
	gate_status(found[0].object, &tally);
	assert_tally(0, 1, 1, 1, 0);
}

static void leave_one(void)
{
	static struct flat o = { .b = 1 };

	kstate_save_state_key(&pointer, &(struct flat){ .pointer = &o.b }, KSTATE_ID(1));
}

static int seen_while_restoring;

static int note_and_end(const struct kstate_finding *finding, void *arg)
{
	note(finding, arg);
	return -EINTR;
}

/* Restoring calls this, and holds the stream: the check must not go on to that one */
static int absent(void *member, const struct kstate_field *field)
{
	seen_while_restoring = kstate_gate_check(note_and_end, NULL, &tally);
	return 0;
}

KSTATE_DESCRIBE_STATIC(slow, "flat", 1,
	KSTATE_POINTER(pointer, struct flat),
	KSTATE_BASE_TYPE(a, struct flat, u64, KSTATE_ABSENT(absent)));

static void being_restored(void **state)
{
	u32 there = 0;
	struct flat o = { .pointer = &there };

	boot_after(leave_one);
	set_target(&flat);
	use(&slow);
	nr_found = 0;
	seen_while_restoring = 0;
	register_obj(&slow, &o, 1);
	assert_int_equal(there, 1);
	assert_int_equal(seen_while_restoring, -EINTR);
	assert_int_equal(found[0].verdict, KSTATE_REFUSED);
	assert_int_equal(found[0].err.reason, KSTATE_CHANGED);
	assert_string_equal(found[0].err.path, "flat[1]");
}

/* Memory runs out */

static void no_memory(void **state)
{
	struct flat objs[3] = { { .b = 1 }, { .b = 65536 } }, kept = {};
	struct kstate_set *set = set_create();
	struct kstate_tally t, last;
	char release[80], *rules;
	size_t size;
	void *blob;
	long live;
	int ret;

	register_obj(&flat, &objs[0], 0);
	register_obj(&flat_optional, &kept, 0);
	register_obj(&flat, &objs[1], 1);
	use(&small);
	use(&flat_optional);
	set->limits = true;
	catalogue_add(set, &small);
	blob = set_bytes(set, &size);
	for_each_step(n) {
		live = shim_live();
		memset(&err, 0, sizeof(err));
		ret = failing(n, kstate_gate_set_target(blob, size, &err));
		assert_int_equal(ret, failed ? -ENOMEM : 0);
		assert_int_equal(err.reason, failed ? KSTATE_NO_MEMORY : KSTATE_OK);
		if (failed)
			assert_int_equal(shim_live(), live);
	}
	kvfree(blob);

	for_each_step(n) {
		rules = strdup("must-come flat\nmay-be-lost flat\n");
		memset(&err, 0, sizeof(err));
		ret = failing(n, kstate_gate_set_policy(rules, &err));
		assert_int_equal(ret, failed ? -ENOMEM : 0);
		free(rules);
	}
	set_policy("");

	check_live();
	for_each_step(n) {
		gate_status(release, &last);
		live = shim_live();
		ret = failing(n, kstate_gate_check(note, NULL, &t));
		assert_int_equal(ret, failed ? -ENOMEM : 0);
		assert_int_equal(shim_live(), live);
		if (failed) {
			gate_status(release, &t);
			assert_memory_equal(&t, &last, sizeof(t));
		}
	}
	assert_int_equal(t.nr[KSTATE_CONVERTED], 1);
	assert_int_equal(t.nr[KSTATE_LOSSY], 1);
	assert_int_equal(t.nr[KSTATE_REFUSED], 1);

	/* Whatever fails at the jump, it does not go; and with enough memory it goes */
	objs[1].b = 1;
	assert_false(kstate_gate_arm(KSTATE_ARMED_ON));
	for_each_step(n) {
		ret = failing(n, shim_kexec_prepare());
		if (ret && ret != -ENOMEM)
			fail_msg("step %ld: %d: %s", n, ret,
				 text_of(&kstate_outgoing()->last_error));
		assert_int_equal(!!ret, failed);
		shim_kexec_abort();
	}
}

/* The catalogue of the running kernel */

static unsigned int count_states(struct kstate_set *set, const char *name)
{
	const struct kstate_state *entry;
	unsigned int nr = 0;

	list_for_each_entry(entry, &set->states, list)
		nr += !strcmp(kstate_known(set, entry->schema)->schema->name, name);
	return nr;
}

static void catalogues(void **state)
{
	struct kstate_set *set = set_create(), *catalogue;
	struct module mod = { .name = "mod" }, none = { .name = "none" }, broken;
	struct big empty = {};
	struct flat o = {};
	unsigned int before;
	size_t size;
	long live;

	catalogue = kstate_catalog_create(&err);
	assert_false(IS_ERR(catalogue));
	before = list_count_nodes(&catalogue->states);
	kstate_set_destroy(catalogue);

	set->limits = true;
	use(&flat);
	use(&other);
	catalogue_add(set, &flat);
	catalogue_add(set, &other);
	kstate_forget(&other);
	mod.kstate_catalog = set_bytes(set, &size);
	mod.kstate_catalog_size = size;
	assert_false(kstate_catalog_add_module(&none, NULL, 0));
	for_each_step(n) {
		int ret = failing(n, kstate_catalog_add_module(&mod, mod.kstate_catalog,
							 mod.kstate_catalog_size));

		assert_int_equal(ret, failed ? -ENOMEM : 0);
	}

	/* What is in use and in no image is added; what is in one is there once */
	register_obj(&flat, &o, 1);
	register_obj(&big, &empty, 1);
	for_each_step(n) {
		live = shim_live();
		memset(&err, 0, sizeof(err));
		catalogue = failing(n, kstate_catalog_create(&err));
		assert_int_equal(PTR_ERR_OR_ZERO(catalogue), failed ? -ENOMEM : 0);
		assert_int_equal(err.code, failed ? -ENOMEM : 0);
		if (failed)
			assert_int_equal(shim_live(), live);
	}
	assert_int_equal(count_states(catalogue, "flat"), 1);
	assert_int_equal(count_states(catalogue, "other"), 1);
	assert_int_equal(count_states(catalogue, "big"), 1);
	assert_int_equal(list_count_nodes(&catalogue->states), before + 3);
	kstate_set_destroy(catalogue);

	/* It goes with the module, but for what is still in use */
	kstate_catalog_remove_module(&none);
	kstate_catalog_remove_module(&mod);
	catalogue = kstate_catalog_create(&err);
	assert_false(IS_ERR(catalogue));
	assert_int_equal(count_states(catalogue, "flat"), 1);
	assert_int_equal(count_states(catalogue, "other"), 0);
	kstate_set_destroy(catalogue);

	broken = mod;
	((u8 *)broken.kstate_catalog)[size - 1] ^= 1;
	assert_false(kstate_catalog_add_module(&broken, broken.kstate_catalog,
					       broken.kstate_catalog_size));
	memset(&err, 0, sizeof(err));
	assert_int_equal(PTR_ERR_OR_ZERO(kstate_catalog_create(&err)), -EBADMSG);
	assert_int_equal(err.reason, KSTATE_DAMAGED);
	kstate_catalog_remove_module(&broken);
	kvfree(mod.kstate_catalog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(verdicts),
		TEST(limits),
		TEST(unknown),
		TEST(key_kinds),
		TEST(only_nested),
		TEST(several_images),
		TEST(all_blocked),
		TEST(damaged),
		TEST(report_ends),
		GATE_TEST(live_values),
		GATE_TEST(many),
		GATE_TEST(large),
		GATE_TEST(memory),
		GATE_TEST(cannot_be_saved),
		GATE_TEST(live_objects),
		GATE_TEST(targets),
		GATE_TEST(policies),
		GATE_TEST(jumps),
		GATE_TEST(other_image),
		GATE_TEST(other_pages),
		GATE_TEST(from_another_machine),
		GATE_TEST(errors_end),
		GATE_TEST(numbers),
		GATE_TEST(numbers_after_failure),
		GATE_TEST(before_initcalls),
		GATE_TEST(deferred_probe),
		GATE_TEST(must_come),
		GATE_TEST(unclaimed),
		GATE_TEST(being_restored),
		GATE_TEST(no_memory),
		GATE_TEST(catalogues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
