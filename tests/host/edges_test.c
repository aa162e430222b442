// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is handed over in place, over a simulated KHO: what was in it is
 * in it afterwards, and nothing stays preserved or allocated that should not.
 *
 * Each kernel is a process of its own; they share the simulated memory.
 */
#include <sys/wait.h>
#include <unistd.h>
#include <linux/kexec.h>
#include "all.h"
#include "fault.h"

static long live_at_boot;

static void boot(void)
{
	shim_log_clear();
	live_at_boot = shim_live();
	check(!shim_boot());
}

/* Nothing of this kernel, or of the one before, may be left */
static void halt(void)
{
	shim_shutdown();
	check(!shim_kho_preserved());
	check(!shim_kho_unclaimed());
	check(!shim_live_pages());
}

static void run(void (*kernel)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		boot();
		kernel();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		shim_kho_reset();
	assert_int_equal(status, 0);
}

/* Run @kernel, which prepares to jump, and jump */
static void run_and_jump(void (*kernel)(void))
{
	run(kernel);
	shim_kho_jump();
}

static void jump(void)
{
	check(!shim_kexec_prepare());
}

/* An object with memory of every kind */

struct object {
	u32 number;
	struct folio *folio;
	struct folio *no_folio;
	struct page *pages;
	u16 nr_pages;
	void *area;
	u64 custom_nr;
	struct folio *custom;
	struct list_head list;
	struct list_head link;
};

static int custom_save(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	struct folio **folio = member;
	int ret = kstate_put_begin(s, "group");

	ret = ret ?: kstate_put_u64(s, "before", 3);
	ret = ret ?: kstate_put_folio(s, "folio", *folio);
	return ret ?: kstate_put_end(s);
}

static int custom_restore(struct kstate_stream *s, void *member, const struct kstate_field *field)
{
	u64 before;
	int ret = kstate_get_begin(s, "group");

	ret = ret ?: kstate_get_u64(s, "before", &before);
	ret = ret ?: kstate_get_folio(s, "folio", member);
	return ret ?: kstate_get_end(s);
}

KSTATE_DESCRIBE_STATIC(inner_desc, "inner", 1,
	KSTATE_BASE_TYPE(number, struct object, u32),
	KSTATE_FOLIO(folio, struct object));
#define FIELDS								\
	KSTATE_BASE_TYPE(number, struct object, u32),			\
	KSTATE_FOLIO(folio, struct object),				\
	KSTATE_FOLIO(no_folio, struct object),				\
	KSTATE_PAGES(pages, struct object, nr_pages),			\
	KSTATE_VMALLOC(area, struct object),				\
	KSTATE_CUSTOM(custom, struct object, custom_save, custom_restore), \
	KSTATE_LIST(list, struct object, struct object, link, &inner_desc)
KSTATE_DESCRIBE_STATIC(object_desc, "object", 1, FIELDS);
KSTATE_DESCRIBE_STATIC(blocked_desc, "object", 1,
	FIELDS, KSTATE_BASE_TYPE(custom_nr, struct object, u64));
KSTATE_DESCRIBE_STATIC(limited_desc, "object", 1,
	KSTATE_FOLIO(folio, struct object),
	KSTATE_FOLIO(no_folio, struct object),
	KSTATE_PAGES(pages, struct object, nr_pages),
	KSTATE_VMALLOC(area, struct object),
	KSTATE_CUSTOM(custom, struct object, custom_save, custom_restore),
	KSTATE_LIST(list, struct object, struct object, link, &inner_desc),
	KSTATE_BASE_TYPE(number, struct object, u32, KSTATE_RANGE(1000, 2000)));
KSTATE_DESCRIBE_STATIC(dropping_desc, "object", 1,
	KSTATE_BASE_TYPE(number, struct object, u32),
	KSTATE_REMOVED("folio"), KSTATE_REMOVED("no_folio"), KSTATE_REMOVED("pages"),
	KSTATE_REMOVED("area"), KSTATE_REMOVED("custom"), KSTATE_REMOVED("list"));

static const struct kstate_field optional_fields[] = { FIELDS, KSTATE_END_OF_LIST() };
static struct kstate_description optional_desc = {
	.name = "optional", .optional = true, .string_key = true, .fields = optional_fields,
};

static void fill_page(void *p, u32 number, u32 index)
{
	u32 *words = p;

	for (u32 i = 0; i < PAGE_SIZE / 4; i++)
		words[i] = number * 1000003 + index * 1009 + i;
}

static bool page_is_good(const void *p, u32 number, u32 index)
{
	const u32 *words = p;

	for (u32 i = 0; i < PAGE_SIZE / 4; i++)
		if (words[i] != number * 1000003 + index * 1009 + i)
			return false;
	return true;
}

/* @number decides how large everything is */
static u32 area_pages(u32 number)
{
	return number % 7 == 6 ? 1030 : 1 + number % 7;
}

static void object_fill(struct object *o, u32 number)
{
	u32 nr = 1 + number % 9;
	struct object *inner;

	memset(o, 0, sizeof(*o));
	INIT_LIST_HEAD(&o->list);
	o->number = number;
	o->folio = folio_alloc(GFP_KERNEL, number % 5);
	for (u32 i = 0; i < 1 << number % 5; i++)
		fill_page(folio_address(o->folio) + i * PAGE_SIZE, number, i);
	o->pages = virt_to_page(alloc_pages_exact(nr * PAGE_SIZE, GFP_KERNEL));
	o->nr_pages = nr;
	for (u32 i = 0; i < nr; i++)
		fill_page(page_address(o->pages + i), number, 100 + i);
	o->area = vmalloc(area_pages(number) * PAGE_SIZE);
	for (u32 i = 0; i < area_pages(number); i++)
		fill_page(o->area + i * PAGE_SIZE, number, 200 + i);
	o->custom = folio_alloc(GFP_KERNEL, 1);
	fill_page(folio_address(o->custom), number, 300);
	for (u32 i = 0; i < number % 3; i++) {
		inner = kvzalloc(sizeof(*inner), GFP_KERNEL);
		inner->number = i;
		inner->folio = folio_alloc(GFP_KERNEL, 0);
		fill_page(folio_address(inner->folio), number, 400 + i);
		list_add_tail(&inner->link, &o->list);
	}
}

static void object_init(struct object *o)
{
	memset(o, 0, sizeof(*o));
	INIT_LIST_HEAD(&o->list);
}

static void object_free(struct object *o)
{
	struct object *inner, *next;

	if (o->folio)
		folio_put(o->folio);
	if (o->custom)
		folio_put(o->custom);
	if (o->pages)
		free_pages_exact(page_address(o->pages), o->nr_pages * PAGE_SIZE);
	vfree(o->area);
	list_for_each_entry_safe(inner, next, &o->list, link) {
		folio_put(inner->folio);
		kvfree(inner);
	}
	object_init(o);
}

static void check_object(const struct object *o, u32 number)
{
	struct object *inner;
	u32 nr = 0;

	check(o->number == number);
	check(o->folio && folio_order(o->folio) == number % 5);
	for (u32 i = 0; i < 1 << number % 5; i++)
		check(page_is_good(folio_address(o->folio) + i * PAGE_SIZE, number, i));
	check(!o->no_folio);
	check(o->nr_pages == 1 + number % 9);
	for (u32 i = 0; i < o->nr_pages; i++)
		check(page_is_good(page_address(o->pages + i), number, 100 + i));
	check(o->area);
	for (u32 i = 0; i < area_pages(number); i++)
		check(page_is_good(o->area + i * PAGE_SIZE, number, 200 + i));
	check(page_is_good(folio_address(o->custom), number, 300));
	list_for_each_entry(inner, &o->list, link) {
		check(inner->number == nr);
		check(page_is_good(folio_address(inner->folio), number, 400 + nr));
		nr++;
	}
	check(nr == number % 3);
}

/* Save, jump, restore */

#define OBJECTS	20

static void save_objects(void)
{
	static struct object objects[OBJECTS];

	for (u32 i = 0; i < OBJECTS; i++) {
		object_fill(&objects[i], i);
		check(!kstate_save_state(&object_desc, &objects[i], i));
	}
	jump();
}

static void restore_objects(void)
{
	struct object o;

	for (u32 i = OBJECTS; i-- > 0;) {
		object_init(&o);
		check(!kstate_restore(&object_desc, &o, i));
		check_object(&o, i);
		check(kstate_restore(&object_desc, &o, i) == -EALREADY);
		object_free(&o);
	}
	check(kstate_finish() == 0);
	halt();
}

static void carried(void **state)
{
	shim_kho_reset();
	run_and_jump(save_objects);
	run(restore_objects);
}

/* Objects that are registered */

static void register_objects(void)
{
	static struct object objects[3], named;
	bool restored;

	for (u32 i = 0; i < 3; i++) {
		object_fill(&objects[i], i);
		check(!kstate_register(&object_desc, &objects[i]));
	}
	object_fill(&named, 5);
	check(!kstate_register_key(&optional_desc, &named, KSTATE_NAME("five"), &restored));
	check(!restored);
	check(kstate_register_key(&optional_desc, &named, KSTATE_NAME("five"), NULL) == -EEXIST);
	jump();
}

static void register_again(void)
{
	struct object objects[3], named;
	bool restored;

	for (u32 i = 0; i < 3; i++) {
		object_init(&objects[i]);
		check(!kstate_register(&object_desc, &objects[i]));
		check_object(&objects[i], i);
	}
	object_init(&named);
	check(!kstate_register_key(&optional_desc, &named, KSTATE_NAME("five"), &restored));
	check(restored);
	check_object(&named, 5);
	check(kstate_finish() == 0);
	jump();
}

static void unregister_all(void)
{
	struct object objects[3];

	for (u32 i = 0; i < 3; i++) {
		object_init(&objects[i]);
		check(!kstate_register(&object_desc, &objects[i]));
		check_object(&objects[i], i);
	}
	for (u32 i = 0; i < 3; i++) {
		check(!kstate_unregister(&object_desc, &objects[i]));
		check(kstate_unregister(&object_desc, &objects[i]) == -ENOENT);
		object_free(&objects[i]);
	}
	/* Nobody claims the one with the name, which this kernel does not know */
	check(kstate_finish() == 0);
	halt();
}

static void registered(void **state)
{
	shim_kho_reset();
	run_and_jump(register_objects);
	for (int i = 0; i < 9; i++)
		run_and_jump(register_again);
	run(unregister_all);
}

/* An object that is of use without what it had before begins anew */

static void register_small(void)
{
	static struct object o;

	object_fill(&o, 7);
	check(!kstate_register_key(&object_desc, &o, KSTATE_ID(1), NULL));
	jump();
}

static void begin_anew(void)
{
	static struct object o, other;
	long unclaimed;

	object_init(&o);
	check(kstate_register_key(&limited_desc, &o, KSTATE_ID(1), NULL) == -ERANGE);
	object_fill(&o, 1003);
	object_fill(&other, 1004);
	unclaimed = shim_kho_unclaimed();
	check(!kstate_register_anew(&limited_desc, &o, KSTATE_ID(1)));
	/* What the record handed over is free, and it is not claimed any more */
	check(shim_kho_unclaimed() < unclaimed);
	check(kstate_register_anew(&limited_desc, &o, KSTATE_ID(1)) == -EEXIST);
	check(!kstate_register_anew(&limited_desc, &other, KSTATE_ID(2)));
	jump();
	shim_kexec_abort();
	check(!kstate_unregister(&limited_desc, &o));
	check(!kstate_register_key(&limited_desc, &o, KSTATE_ID(1), NULL));
	check(kstate_finish() == 0);
	jump();
}

static void restore_anew(void)
{
	struct object o;

	for (u32 i = 1; i <= 2; i++) {
		object_init(&o);
		check(!kstate_restore(&limited_desc, &o, i));
		check_object(&o, 1002 + i);
		object_free(&o);
	}
	check(kstate_finish() == 0);
	halt();
}

static void registered_anew(void **state)
{
	shim_kho_reset();
	run_and_jump(register_small);
	run_and_jump(begin_anew);
	run(restore_anew);
}

/* A jump that is called off, then one that is not */

static void abort_then_jump(void)
{
	static struct object objects[4];
	long preserved, live, pages;

	for (u32 i = 0; i < 4; i++) {
		object_fill(&objects[i], i);
		if (i < 2)
			check(!kstate_save_state(&object_desc, &objects[i], i));
		else
			check(!kstate_register_key(&object_desc, &objects[i], KSTATE_ID(i), NULL));
	}
	/* The first one also makes what stays for the next ones */
	check(!shim_kexec_prepare());
	shim_kexec_abort();
	preserved = shim_kho_preserved();
	pages = shim_live_pages();
	live = shim_live();
	for (int i = 0; i < 5; i++) {
		check(!shim_kexec_prepare());
		check(shim_kho_preserved() > preserved);
		shim_kexec_abort();
		check(shim_kho_preserved() == preserved);
		check(shim_live_pages() == pages);
		check(shim_live() <= live);
	}
	jump();
}

static int restore_one_of_four(struct kstate_key key, void *arg)
{
	struct object o;

	object_init(&o);
	check(!kstate_restore_key(&object_desc, &o, key));
	check_object(&o, key.id);
	object_free(&o);
	++*(u32 *)arg;
	return 0;
}

static void restore_four(void)
{
	u32 nr = 0;

	check(!kstate_walk_keys(&object_desc, restore_one_of_four, &nr));
	check(nr == 4);
	halt();
}

static void aborted(void **state)
{
	shim_kho_reset();
	run_and_jump(abort_then_jump);
	run(restore_four);
}

/* Whatever fails on the way is undone, and the machine runs on */

static void fail_everywhere(void)
{
	static struct object objects[4];
	long preserved, pages, n;
	int ret;

	for (u32 i = 0; i < 4; i++)
		object_fill(&objects[i], i);
	check(!shim_kexec_prepare());
	shim_kexec_abort();
	check(!shim_kho_preserved());
	pages = shim_live_pages();
	for (u32 i = 0; i < 2; i++) {
		preserved = shim_kho_preserved();
		for (n = 1;; n++) {
			shim_fail_at(n);
			ret = kstate_save_state(&object_desc, &objects[i], i);
			if (!shim_failed())
				break;
			shim_fail_at(0);
			check(ret < 0);
			/* A segment more may have been made for it */
			check(shim_kho_preserved() <= preserved + 1);
			preserved = shim_kho_preserved();
		}
		shim_fail_at(0);
		check(!ret);
		check(n > 5);
	}
	for (u32 i = 2; i < 4; i++)
		check(!kstate_register_key(&object_desc, &objects[i], KSTATE_ID(i), NULL));
	preserved = shim_kho_preserved();
	pages = shim_live_pages();
	for (n = 1;; n++) {
		shim_fail_at(n);
		ret = shim_kexec_prepare();
		if (!shim_failed())
			break;
		shim_fail_at(0);
		check(ret < 0);
		check(shim_kho_preserved() <= preserved + 1);
		check(shim_live_pages() <= pages + 8);
	}
	shim_fail_at(0);
	check(!ret);
	check(n > 20);
}

static void failures_undone(void **state)
{
	shim_kho_reset();
	run_and_jump(fail_everywhere);
	run(restore_four);
}

/* ... and everything that was saved can be taken back */
static void save_and_drop(void)
{
	struct object objects[4];

	for (u32 i = 0; i < 4; i++) {
		object_fill(&objects[i], i);
		check(!kstate_save_state(&object_desc, &objects[i], i));
	}
	for (u32 i = 0; i < 4; i++) {
		check(!kstate_drop_key(&object_desc, KSTATE_ID(i)));
		check(kstate_drop_key(&object_desc, KSTATE_ID(i)) == -ENOENT);
		object_free(&objects[i]);
	}
	check(!shim_kexec_prepare());
	shim_kexec_abort();
	halt();
}

static void dropped(void **state)
{
	shim_kho_reset();
	run(save_and_drop);
}

/* The next kernel fails to restore in every way it can, then it succeeds */

static void restore_failing(void)
{
	struct object o, before;
	struct kstate_stream *stream = kstate_stream_find(kstate_incoming(), "kernel");
	struct kstate_error e;
	int ret;

	check(stream);
	for (u32 i = 0; i < OBJECTS; i++) {
		object_init(&o);
		before = o;
		check(kstate_restore(&blocked_desc, &o, i) == -EPROTO);
		check(kstate_restore(&limited_desc, &o, i) == -ERANGE);
		check(kstate_stream_check(stream, &object_desc, &o, KSTATE_ID(i), NULL) == 0);
		check(!memcmp(&o, &before, sizeof(o)));
		for (long n = 1;; n++) {
			memset(&e, 0, sizeof(e));
			shim_fail_at(n);
			ret = kstate_stream_restore(stream, &object_desc, &o, KSTATE_ID(i), &e);
			if (!shim_failed())
				break;
			shim_fail_at(0);
			check(ret == -ENOMEM);
			check(!memcmp(&o, &before, sizeof(o)));
		}
		shim_fail_at(0);
		check(!ret);
		check_object(&o, i);
		object_free(&o);
	}
	halt();
}

static void restored_at_last(void **state)
{
	shim_kho_reset();
	run_and_jump(save_objects);
	run(restore_failing);
}

/* Nobody wants it: finish frees it */

static void finish_only(void)
{
	struct object o;

	object_init(&o);
	check(!kstate_restore(&object_desc, &o, 7));
	check(kstate_finish() == OBJECTS - 1);
	check(strstr(shim_log(), "object[3]"));
	check(!strstr(shim_log(), "object[7]"));
	check(kstate_restore(&object_desc, &o, 3) == -ENOENT);
	check_object(&o, 7);
	object_free(&o);
	check(!shim_kho_preserved());
	halt();
}

static void finished(void **state)
{
	shim_kho_reset();
	run_and_jump(save_objects);
	run(finish_only);
}

/* A stream that somebody else owns is not finished with the objects of this kernel */

static void save_to_an_owner(void)
{
	static struct object objects[2];
	struct kstate_stream *stream = kstate_stream_create(kstate_outgoing(), "luo/vm", NULL);

	for (u32 i = 0; i < 2; i++) {
		object_fill(&objects[i], i);
		check(!kstate_stream_save(stream, &object_desc, &objects[i], KSTATE_ID(i), NULL));
	}
	jump();
}

static void owner_is_late(void)
{
	check(kstate_finish() == 0);
	check(!strstr(shim_log(), "nobody claimed"));
	jump();
}

static void owner_restores_one(void)
{
	struct kstate_stream *stream = kstate_stream_find(kstate_incoming(), "luo/vm");
	struct object o;

	check(kstate_finish() == 0);
	object_init(&o);
	check(!kstate_stream_restore(stream, &object_desc, &o, KSTATE_ID(1), NULL));
	check_object(&o, 1);
	object_free(&o);
	/* But a device still writes to its memory, or two of them */
	kstate_stream_hold(stream, true);
	kstate_stream_hold(stream, true);
	check(kstate_finish_all() == 0);
	check(strstr(shim_log(), "stream luo/vm: a device writes to its memory: it stays"));
	kstate_stream_hold(stream, false);
	check(kstate_stream_held(stream) && kstate_finish_all() == 0);
	kstate_stream_hold(stream, false);
	check(!kstate_stream_held(stream) && !kstate_stream_held(NULL));
	/* What its user refuses is in the same place as what KSTATE refuses */
	check(kstate_refuse(kstate_incoming(), "attach", -EBUSY, "vm", "one", "two") == -EBUSY);
	check(kstate_incoming()->last_error.code == -EBUSY &&
	      !strcmp(kstate_incoming()->last_error.found, "two"));
	/* The operator knows that nobody comes for the other one */
	check(kstate_finish_all() == 1);
	check(strstr(shim_log(), "stream luo/vm: nobody claimed object[0]"));
	check(kstate_stream_restore(stream, &object_desc, &o, KSTATE_ID(0), NULL) == -ENOENT);
	check(!shim_kho_preserved());
	halt();
}

/* Memory that a device writes to, and that has been restored, would be lost: no jump */
static void owner_restores_what_is_held(void)
{
	struct kstate_stream *stream = kstate_stream_find(kstate_incoming(), "luo/vm");
	struct object o;

	kstate_stream_hold(stream, true);
	jump();
	shim_kexec_abort();
	object_init(&o);
	check(!kstate_stream_restore(stream, &object_desc, &o, KSTATE_ID(1), NULL));
	check(shim_kexec_prepare() == -EBUSY);
	check(strstr(kstate_outgoing()->last_error.found, "attach or stop them first"));
	kstate_stream_hold(stream, false);
	jump();
	shim_kexec_abort();
	object_free(&o);
	kstate_finish_all();
	halt();
}

static void held_by_a_device(void **state)
{
	shim_kho_reset();
	run_and_jump(save_to_an_owner);
	run(owner_restores_what_is_held);
}

static void finished_but_for_others(void **state)
{
	shim_kho_reset();
	run_and_jump(save_to_an_owner);
	run_and_jump(owner_is_late);
	run(owner_restores_one);
}

/* Without finish, shutting down frees it all the same */
static void just_halt(void)
{
	halt();
}

static void not_finished(void **state)
{
	shim_kho_reset();
	run_and_jump(save_objects);
	run(just_halt);
}

/* Fields that were removed: their memory is freed */
static void restore_and_drop(void)
{
	struct object o;

	for (u32 i = 0; i < OBJECTS; i++) {
		object_init(&o);
		check(!kstate_restore(&dropping_desc, &o, i));
		check(o.number == i);
	}
	halt();
}

static void fields_removed(void **state)
{
	shim_kho_reset();
	run_and_jump(save_objects);
	run(restore_and_drop);
}

/* Unknown optional states go on, pages included, through kernels that know nothing */

static void save_optional(void)
{
	static struct object objects[6];
	char name[32];

	for (u32 i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "object %u", i);
		object_fill(&objects[i], i);
		check(!kstate_save_state(&optional_desc, &objects[i], name));
	}
	jump();
}

static void finish_and_jump(void)
{
	check(kstate_finish() == 0);
	jump();
}

static void only_jump(void)
{
	check(!shim_kexec_prepare());
	shim_kexec_abort();
	jump();
}

static void fail_to_hand_on(void)
{
	int ret;
	long n;

	for (n = 1;; n++) {
		shim_fail_at(n);
		ret = shim_kexec_prepare();
		if (!shim_failed())
			break;
		shim_fail_at(0);
		check(ret < 0);
	}
	shim_fail_at(0);
	check(!ret);
	check(n > 10);
}

static void restore_optional(void)
{
	struct object o;
	char name[32];

	for (u32 i = 6; i-- > 0;) {
		snprintf(name, sizeof(name), "object %u", i);
		object_init(&o);
		check(!kstate_restore(&optional_desc, &o, (const char *)name));
		check_object(&o, i);
		object_free(&o);
	}
	check(kstate_finish() == 0);
	halt();
}

static void handed_on(void **state)
{
	shim_kho_reset();
	run_and_jump(save_optional);
	run_and_jump(finish_and_jump);
	run_and_jump(only_jump);
	run_and_jump(fail_to_hand_on);
	run_and_jump(finish_and_jump);
	run(restore_optional);
}

static void finish_then_halt(void)
{
	check(kstate_finish() == 0);
	halt();
}

static void handed_on_and_freed(void **state)
{
	shim_kho_reset();
	run_and_jump(save_optional);
	run_and_jump(finish_and_jump);
	run(finish_then_halt);
}

/* A kernel that does not look at it loses it, but the one after works again */
static void no_kstate(void **state)
{
	shim_kho_reset();
	run_and_jump(save_objects);
	shim_kho_jump();
	run_and_jump(save_objects);
	run(restore_objects);
}

/* Who unloads KSTATE loses what nobody has claimed, and is told */

static void halt_at_once(void)
{
	halt();
	check(strstr(shim_log(), "finish: nobody claimed "));
}

static void finish_and_halt(void)
{
	check(kstate_finish() > 0);
	shim_log_clear();
	halt();
	check(!strstr(shim_log(), "nobody claimed"));
}

static void unloaded(void **state)
{
	shim_kho_reset();
	run_and_jump(save_objects);
	run(halt_at_once);
	run_and_jump(save_objects);
	run(finish_and_halt);
}

/* A header that cannot be read: its error is there until somebody has finished with it */

static void open_nothing(void)
{
	struct kstate_error bad = { .code = -EBADMSG, .path = "handover" };

	check(!kstate_incoming_error()->code);
	kstate_registry_open(ERR_PTR(-EBADMSG), &bad);
	check(kstate_incoming_error()->code == -EBADMSG && !kstate_incoming());
	check(strstr(shim_log(), "handover"));
	kstate_finish();
	check(!kstate_incoming_error()->code);
	halt();
}

static void unreadable(void **state)
{
	shim_kho_reset();
	run(open_nothing);
}

/* Records so large that their segment is a vmalloc area */

struct large {
	u32 nr;
	u32 *words;
};

KSTATE_DESCRIBE_STATIC(large_desc, "large", 1,
	KSTATE_VARRAY(words, struct large, nr, KSTATE_ALLOC));

#define WORDS	(3U << 18)

static void save_large(void)
{
	struct large large = { .nr = WORDS };

	large.words = kvmalloc_array(WORDS, sizeof(u32), GFP_KERNEL);
	for (u32 i = 0; i < WORDS; i++)
		large.words[i] = i * 2654435761U;
	check(!kstate_save_state(&large_desc, &large, 1));
	check(!kstate_save_state(&large_desc, &large, 2));
	check(!kstate_drop_key(&large_desc, KSTATE_ID(2)));
	check(!shim_kexec_prepare());
	shim_kexec_abort();
	jump();
}

static void restore_large(void)
{
	struct large large = {};

	check(!kstate_restore(&large_desc, &large, 1));
	check(large.nr == WORDS);
	for (u32 i = 0; i < WORDS; i++)
		check(large.words[i] == i * 2654435761U);
	kvfree(large.words);
	check(kstate_restore(&large_desc, &large, 2) == -ENOENT);
	halt();
}

static void large_records(void **state)
{
	shim_kho_reset();
	run_and_jump(save_large);
	run_and_jump(only_jump);
	run(restore_large);
}

/* Opening fails for want of memory: what is not found is never taken for absent */
static void booting_fails(void **state)
{
	int status;
	pid_t pid;

	shim_kho_reset();
	run_and_jump(save_objects);
	pid = fork();
	if (!pid) {
		live_at_boot = shim_live();
		for (long n = 1;; n++) {
			bool opened;

			shim_fail_at(n);
			opened = !shim_boot() && kstate_incoming();
			if (!shim_failed()) {
				check(opened);
				break;
			}
			shim_fail_at(0);
			/* What was opened all the same must not be thrown away */
			if (opened)
				break;
			shim_shutdown();
		}
		shim_fail_at(0);
		for (u32 i = 0; i < OBJECTS; i++) {
			struct object o;
			int ret;

			object_init(&o);
			ret = kstate_restore(&object_desc, &o, i);
			check(ret != -ENOENT);
			if (ret)
				continue;
			check_object(&o, i);
			object_free(&o);
		}
		kstate_finish();
		shim_shutdown();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The memory transport: edges stay where they are */
static void in_memory(void **state)
{
	struct object from, to;
	struct kstate_set *out = set_create(), *in;
	struct kstate_stream *stream = kstate_stream_create(out, "s", &err);
	struct page *pages;
	void *blob, *area;
	size_t size;

	shim_kho_reset();
	object_fill(&from, 12);
	stream_save(stream, &object_desc, &from, KSTATE_ID(1));
	assert_int_equal(kstate_set_export(out, &blob, &size), 0);
	in = kstate_memory_open(blob, size, &err);
	kvfree(blob);
	assert_false(IS_ERR(in));
	object_init(&to);
	pages = from.pages;
	area = from.area;
	assert_fits(stream_restore(kstate_stream_find(in, "s"), &object_desc, &to, KSTATE_ID(1)));
	assert_ptr_equal(to.folio, from.folio);
	assert_ptr_equal(to.pages, pages);
	assert_ptr_equal(to.area, area);
	assert_int_equal(to.nr_pages, from.nr_pages);
	kstate_set_destroy(in);
	kstate_set_destroy(out);
	check_object(&to, 12);
	object_free(&to);
}

/* The same memory twice: KHO would drop it with the first of the two */

struct two {
	struct folio *first;
	struct page *pages;
	u16 nr_pages;
	struct folio *second;
	void *area;
};

KSTATE_DESCRIBE_STATIC(two_desc, "two", 1,
	KSTATE_FOLIO(first, struct two),
	KSTATE_PAGES(pages, struct two, nr_pages),
	KSTATE_FOLIO(second, struct two),
	KSTATE_VMALLOC(area, struct two));

/* Saving @t as @id is refused: @path is that of @before already; nothing else changes */
#define check_twice(_t, _id, _path, _before) do {			\
	struct kstate_error __e = {};					\
	long __preserved = shim_kho_preserved();			\
									\
	check(kstate_stream_save(out, &two_desc, _t, KSTATE_ID(_id), &__e) == -EEXIST); \
	check(__e.reason == KSTATE_EDGE);				\
	check(!strcmp(__e.path, _path));				\
	check(!strcmp(__e.expected, "memory that nothing else hands over")); \
	check(!strcmp(__e.found, _before));				\
	check(shim_kho_preserved() <= __preserved + 1);			\
} while (0)

static void save_twice(void)
{
	struct kstate_stream *out = kstate_stream_create(kstate_outgoing(), "twice", NULL);
	struct kstate_stream *other = kstate_stream_create(kstate_outgoing(), "other", NULL);
	struct page *pages = virt_to_page(alloc_pages_exact(8 * PAGE_SIZE, GFP_KERNEL));
	struct folio *folio = folio_alloc(GFP_KERNEL, 3), *single = folio_alloc(GFP_KERNEL, 0);
	void *area = vmalloc(5 * PAGE_SIZE);
	struct two t = { .first = folio, .second = folio };

	fill_page(folio_address(folio), 1, 1);
	fill_page(folio_address(single), 2, 2);
	fill_page(area + 4 * PAGE_SIZE, 3, 3);
	fill_page(page_address(pages + 6), 4, 4);

	/* Two fields of one record */
	check_twice(&t, 1, "two[1].second", "two[1].first");
	check(!shim_kho_preserved());

	/* Two records; the second one's own memory is its own again */
	t.second = NULL;
	check(!kstate_stream_save(out, &two_desc, &t, KSTATE_ID(1), NULL));
	t = (struct two){ .first = single, .second = folio };
	check_twice(&t, 2, "two[2].second", "two[1].first");
	t.second = NULL;
	check(!kstate_stream_save(other, &two_desc, &t, KSTATE_ID(2), NULL));

	/* A page of a range, a range of a folio's pages, pages of an area */
	t = (struct two){ .pages = pages, .nr_pages = 8, .area = area };
	check(!kstate_stream_save(out, &two_desc, &t, KSTATE_ID(3), NULL));
	t = (struct two){ .second = page_folio(pages + 6) };
	check_twice(&t, 4, "two[4].second", "two[3].pages");
	t = (struct two){ .pages = pages + 3, .nr_pages = 2 };
	check_twice(&t, 4, "two[4].pages", "two[3].pages");
	t = (struct two){ .pages = &folio->page + 7, .nr_pages = 1 };
	check_twice(&t, 4, "two[4].pages", "two[1].first");
	t = (struct two){ .first = page_folio(vmalloc_to_page(area + 4 * PAGE_SIZE)) };
	check_twice(&t, 4, "two[4].first", "two[3].area");
	t = (struct two){ .area = area };
	check_twice(&t, 4, "two[4].area", "two[3].area");
	t = (struct two){ .first = single };
	check_twice(&t, 4, "two[4].first", "two[2].first");

	/* What is taken back may be handed over again */
	check(!kstate_stream_drop(out, &two_desc, KSTATE_ID(3)));
	t = (struct two){ .area = area };
	check(!kstate_stream_save(out, &two_desc, &t, KSTATE_ID(3), NULL));
	t = (struct two){ .pages = pages, .nr_pages = 8 };
	check(!kstate_stream_save(out, &two_desc, &t, KSTATE_ID(4), NULL));
	kstate_stream_destroy(other);
	t = (struct two){ .first = single };
	check(!kstate_stream_save(out, &two_desc, &t, KSTATE_ID(2), NULL));

	/* A jump that is called off gives back what was saved for it */
	t = (struct two){ .first = folio_alloc(GFP_KERNEL, 0) };
	check(!kstate_register_key(&two_desc, &t, KSTATE_ID(5), NULL));
	for (int i = 0; i < 3; i++) {
		check(!shim_kexec_prepare());
		shim_kexec_abort();
	}
	jump();
}

static void restore_twice(void)
{
	struct kstate_stream *in = kstate_stream_find(kstate_incoming(), "twice");
	struct two t = {};

	check(!kstate_stream_restore(in, &two_desc, &t, KSTATE_ID(1), NULL));
	check(page_is_good(folio_address(t.first), 1, 1));
	folio_put(t.first);
	t.first = NULL;
	check(!kstate_stream_restore(in, &two_desc, &t, KSTATE_ID(2), NULL));
	check(page_is_good(folio_address(t.first), 2, 2));
	folio_put(t.first);
	t.first = NULL;
	check(!kstate_stream_restore(in, &two_desc, &t, KSTATE_ID(3), NULL));
	check(page_is_good(t.area + 4 * PAGE_SIZE, 3, 3));
	vfree(t.area);
	t.area = NULL;
	check(!kstate_stream_restore(in, &two_desc, &t, KSTATE_ID(4), NULL));
	check(page_is_good(page_address(t.pages + 6), 4, 4));
	free_pages_exact(page_address(t.pages), 8 * PAGE_SIZE);
	t = (struct two){};
	check(!kstate_restore(&two_desc, &t, 5));
	folio_put(t.first);
	check(!kstate_finish());
	halt();
}

static void same_memory_twice(void **state)
{
	shim_kho_reset();
	run_and_jump(save_twice);
	run(restore_twice);
}

/* ... also when one of the two is handed on, and nobody has looked at it */

static void save_one(void)
{
	struct two t = { .first = folio_alloc(GFP_KERNEL, 2) };

	fill_page(folio_address(t.first), 1, 1);
	check(!kstate_save_state(&two_desc, &t, 1));
	jump();
}

/* Take the memory from the record behind its back, as a damaged record would have it */
static void hand_on_and_save(void)
{
	struct kstate_stream *in = kstate_stream_find(kstate_incoming(), "kernel");
	struct kstate_record *record = in->index.slots[0].record;
	struct kstate_edge *edge = (void *)kstate_record_payload(record);
	struct two t = {};

	check(!kstate_set_take(kstate_incoming(), edge, (void **)&t.first));
	kstate_set_park(kstate_incoming(), edge, t.first);
	check(!kstate_register_key(&two_desc, &t, KSTATE_ID(2), NULL));
	check(shim_kexec_prepare() == -EEXIST);
	check(strstr(shim_log(), "two[2].first"));
	check(strstr(shim_log(), "found two[1].first"));
	check(!kstate_unregister(&two_desc, &t));
	jump();
}

static void restore_one(void)
{
	struct two t = {};

	check(!kstate_restore(&two_desc, &t, 1));
	check(page_is_good(folio_address(t.first), 1, 1));
	folio_put(t.first);
	halt();
}

/* Folios by the hundred: what looks like a run of them and is none, and failures on the way */

#define MANY	100

struct many {
	u32 nr;
	struct kstate_folio_entry *folios;
};

KSTATE_DESCRIBE_STATIC(many_desc, "many", 1, KSTATE_FOLIOS(folios, struct many, nr));

enum { MANY_FLAGS = 40, MANY_LARGE = 60 };

/* Every other page; two that differ in their flags only, and one with a large folio behind it */
static void many_fill(struct many *m)
{
	struct folio *folio;

	m->nr = MANY;
	m->folios = kvzalloc(MANY * sizeof(*m->folios), GFP_KERNEL);
	for (u32 i = 0; i < MANY; i++) {
		if (i != MANY_FLAGS + 1 && i != MANY_LARGE + 1)
			folio_alloc(GFP_KERNEL, 0);
		folio = folio_alloc(GFP_KERNEL, i == MANY_LARGE + 1);
		/* Two pages can be right behind it */
		if (i == MANY_LARGE && folio_pfn(folio) % 2 == 0)
			folio = folio_alloc(GFP_KERNEL, 0);
		m->folios[i] = (struct kstate_folio_entry){
			.folio = folio, .index = i, .flags = i == MANY_FLAGS,
		};
		fill_page(folio_address(folio), 1, i);
	}
	check(folio_pfn(m->folios[MANY_FLAGS + 1].folio) ==
	      folio_pfn(m->folios[MANY_FLAGS].folio) + 1);
	check(folio_pfn(m->folios[MANY_LARGE + 1].folio) ==
	      folio_pfn(m->folios[MANY_LARGE].folio) + 1);
}

static void save_many(void)
{
	struct two page = { .nr_pages = 1 };
	bool failed = true;
	struct many m;
	long before;
	int ret;

	many_fill(&m);
	for (int n = 1; failed; n++) {
		before = shim_kho_preserved();
		shim_fail_at(n);
		ret = kstate_save_state(&many_desc, &m, 1);
		failed = shim_failed();
		shim_fail_at(0);
		/* What fails among many is tried again for itself: so saving may go well */
		check(!ret || (failed && ret == -ENOMEM));
		if (!ret)
			check(!kstate_drop_key(&many_desc, KSTATE_ID(1)));
		/* A segment may stay */
		check(shim_kho_preserved() <= before + 1);
		check(n < 1000);
	}
	check(!kstate_save_state(&many_desc, &m, 1));
	page.pages = folio_page(m.folios[MANY_LARGE + 1].folio, 1);
	check(kstate_save_state(&two_desc, &page, 1) == -EEXIST);
	jump();
}

static void restore_many(void)
{
	struct many m = {};

	check(!kstate_restore(&many_desc, &m, 1));
	check(m.nr == MANY);
	for (u32 i = 0; i < MANY; i++) {
		check(m.folios[i].index == i);
		check(m.folios[i].flags == (i == MANY_FLAGS));
		check(folio_order(m.folios[i].folio) == (i == MANY_LARGE + 1));
		check(page_is_good(folio_address(m.folios[i].folio), 1, i));
		folio_put(m.folios[i].folio);
	}
	check(!shim_kho_unclaimed());
	halt();
}

static void very_many(void **state)
{
	shim_kho_reset();
	run_and_jump(save_many);
	run(restore_many);
}

/* Runs of any length and order, one after the other or not: a number says which, to both kernels */

struct entry {
	u64 index;
	u32 flags;
	u32 order;
	u32 number;
	bool gap;
};

static u32 seed;

static u32 any(u32 below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below;
}

static u32 entries_make(struct entry *entries)
{
	u32 nr = 1 + any(MANY), left = 0, order = 0, flags = 0, i;
	u64 index = 0;

	for (i = 0; i < nr; i++) {
		entries[i] = (struct entry){ .number = i, .gap = !left };
		/* Two pages, which are few, and many are as frequent as one */
		if (!left) {
			left = 1 + (any(3) ? any(3) : any(40));
			order = any(4) ? 0 : any(3);
			flags = any(4);
			index += any(3);
		}
		left--;
		/* What follows in memory does not always follow in the file */
		index += !any(10);
		entries[i].index = index;
		entries[i].flags = any(20) ? flags : any(1 << 14);
		entries[i].order = order;
		index += 1 << order;
	}
	for (i = any(4); i; i--) {
		u32 a = any(nr), b = any(nr);

		swap(entries[a], entries[b]);
	}
	return nr;
}

static void save_any(void)
{
	struct entry entries[MANY];
	struct folio *folios[MANY];
	u32 order[MANY] = {};
	bool gap[MANY] = {};
	struct many m = { .nr = entries_make(entries) };

	for (u32 i = 0; i < m.nr; i++) {
		order[entries[i].number] = entries[i].order;
		gap[entries[i].number] = entries[i].gap;
	}
	for (u32 i = 0; i < m.nr; i++) {
		if (gap[i])
			folio_alloc(GFP_KERNEL, 0);
		folios[i] = folio_alloc(GFP_KERNEL, order[i]);
		fill_page(folio_address(folios[i]), 1, i);
	}
	m.folios = kvzalloc(m.nr * sizeof(*m.folios), GFP_KERNEL);
	for (u32 i = 0; i < m.nr; i++)
		m.folios[i] = (struct kstate_folio_entry){
			folios[entries[i].number], entries[i].index, entries[i].flags };
	check(!kstate_save_state(&many_desc, &m, 1));
	jump();
}

static void restore_any(void)
{
	struct entry entries[MANY];
	u32 nr = entries_make(entries);
	struct many m = {};

	check(!kstate_restore(&many_desc, &m, 1));
	check(m.nr == nr);
	for (u32 i = 0; i < nr; i++) {
		check(m.folios[i].index == entries[i].index);
		check(m.folios[i].flags == entries[i].flags);
		check(folio_order(m.folios[i].folio) == entries[i].order);
		check(page_is_good(folio_address(m.folios[i].folio), 1, entries[i].number));
		folio_put(m.folios[i].folio);
	}
	check(!shim_kho_unclaimed());
	halt();
}

static void any_runs(void **state)
{
	for (u32 i = 1; i <= 100; i++) {
		shim_kho_reset();
		seed = i;
		run_and_jump(save_any);
		run(restore_any);
	}
}

/* An object that goes and comes back: what counts is what its record has, not what it could have */

static void save_two_kinds(void)
{
	struct two with = { .first = folio_alloc(GFP_KERNEL, 0) }, without = {};

	fill_page(folio_address(with.first), 1, 1);
	check(!kstate_save_state(&two_desc, &with, 1));
	check(!kstate_save_state(&two_desc, &without, 2));
	jump();
}

static void come_back(void)
{
	struct two with = {}, without = {};
	bool restored;

	for (int i = 0; i < 2; i++) {
		check(!kstate_register_key(&two_desc, &with, KSTATE_ID(1), &restored));
		check(restored == !i);
		check(!kstate_register_key(&two_desc, &without, KSTATE_ID(2), &restored));
		check(restored);
		check(!kstate_unregister(&two_desc, &with));
		check(!kstate_unregister(&two_desc, &without));
		if (with.first)
			folio_put(with.first);
		with.first = NULL;
	}
	/* The one without memory is there for somebody else */
	check(kstate_finish() == 1);
	halt();
}

static void comes_back(void **state)
{
	shim_kho_reset();
	run_and_jump(save_two_kinds);
	run(come_back);
}

static void handed_on_twice(void **state)
{
	shim_kho_reset();
	run_and_jump(save_one);
	run_and_jump(hand_on_and_save);
	run(restore_one);
}

/* The live check, which frees its records batch by batch, sees the same */
static void scratch_twice(void **state)
{
	struct kstate_set *set = kstate_scratch_create();
	struct kstate_stream *out = kstate_stream_create(set, "s", NULL);
	struct two t = {};

	shim_kho_reset();
	t.first = folio_alloc(GFP_KERNEL, 2);
	stream_save(out, &two_desc, &t, KSTATE_ID(1));
	assert_int_equal(kstate_stream_save(out, &two_desc, &t, KSTATE_ID(2), &err), -EEXIST);
	assert_string_equal(err.found, "two[1].first");
	out->index.nr = 0;
	kstate_stream_empty(out);
	assert_int_equal(kstate_stream_save(out, &two_desc, &t, KSTATE_ID(3), &err), -EEXIST);
	assert_string_equal(err.path, "two[3].first");
	assert_string_equal(err.found, "another record");
	assert_int_equal(shim_kho_preserved(), 0);
	kstate_set_destroy(set);
	folio_put(t.first);
}

static void save_beside(void)
{
	struct kstate_set *set;
	struct kstate_stream *out;
	struct kstate_error e = {};
	struct two t = {
		.first = folio_alloc(GFP_KERNEL, 2), .second = folio_alloc(GFP_KERNEL, 0),
	}, other;
	struct many m;

	check(!kstate_save_state(&two_desc, &t, 1));
	set = kstate_scratch_create();
	out = kstate_stream_create(set, "s", NULL);
	check(kstate_stream_save(out, &two_desc, &t, KSTATE_ID(2), &e) == -EEXIST);
	check(!strcmp(e.path, "two[2].first"));
	check(!strcmp(e.found, "two[1].first"));
	/* Also behind memory of its own */
	other = (struct two){ .first = folio_alloc(GFP_KERNEL, 0), .second = t.first };
	check(kstate_stream_save(out, &two_desc, &other, KSTATE_ID(3), &e) == -EEXIST);
	check(!strcmp(e.path, "two[3].second"));
	check(!strcmp(e.found, "two[1].first"));
	many_fill(&m);
	m.folios[MANY - 1].folio = t.second;
	check(kstate_stream_save(out, &many_desc, &m, KSTATE_ID(4), &e) == -EEXIST);
	check(!strcmp(e.path, "many[4].folios[99]"));
	check(!strcmp(e.found, "two[1].second"));
	kvfree(m.folios);
	kstate_set_destroy(set);
	jump();
}

static void scratch_beside_outgoing(void **state)
{
	shim_kho_reset();
	run_and_jump(save_beside);
	run(just_halt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(carried),
		TEST(registered),
		TEST(registered_anew),
		TEST(aborted),
		TEST(failures_undone),
		TEST(dropped),
		TEST(restored_at_last),
		TEST(finished),
		TEST(finished_but_for_others),
		TEST(held_by_a_device),
		TEST(not_finished),
		TEST(fields_removed),
		TEST(handed_on),
		TEST(handed_on_and_freed),
		TEST(no_kstate),
		TEST(unloaded),
		TEST(unreadable),
		TEST(large_records),
		TEST(booting_fails),
		TEST(in_memory),
		TEST(same_memory_twice),
		TEST(handed_on_twice),
		TEST(very_many), TEST(any_runs),
		TEST(comes_back),
		TEST(scratch_twice),
		TEST(scratch_beside_outgoing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
