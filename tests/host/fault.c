// SPDX-License-Identifier: GPL-2.0-only
/* See fault.h. */
#include <sys/wait.h>
#include <unistd.h>
#include <linux/kexec_handover.h>
#include "fault.h"

#define SECONDS	60

static void show(FILE *log)
{
	char line[512];

	rewind(log);
	while (fgets(line, sizeof(line), log))
		if (strncmp(line, "[=", 2) && strncmp(line, "[ RUN", 5) &&
		    strncmp(line, "[  PASSED", 9) && strncmp(line, "[  FAILED", 9))
			print_error("%s", line);
}

void run_alone(void **state)
{
	const struct CMUnitTest test[] = {
		{ "alone", (CMUnitTestFunction)*state, test_begin, test_end, NULL },
	};
	FILE *log = tmpfile();
	int status;
	pid_t pid;

	assert_non_null(log);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(fileno(log), STDOUT_FILENO);
		dup2(fileno(log), STDERR_FILENO);
		alarm(SECONDS);
		cmocka_set_test_filter("*");
		exit(cmocka_run_group_tests(test, NULL, NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status) {
		shim_kho_reset();
		show(log);
	}
	fclose(log);
	if (WIFSIGNALED(status))
		fail_msg("killed by signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A path may go on to the element of a list or the like that is wrong */
static bool is_path(const char *path)
{
	size_t len = strlen(path);

	return !strncmp(err.path, path, len) &&
	       (!err.path[len] || (err.path[len] == '[' && !strpbrk(err.path + len, ".")) ||
		(err.path[len] == '.' && err.reason == KSTATE_BAD_DESCRIPTION));
}

void (error_is)(enum kstate_reason reason, const char *path, const char *found,
		const char *file, int line)
{
	if (err.code && (!reason || err.reason == reason) && is_path(path) && err.expected[0] &&
	    err.found[0] && (!found || strstr(err.found, found)))
		return;
	print_error("is:     %s\n", err.code ? text_of(&err) : "accepted");
	print_error("should: %s: %s: ... found %s\n", path,
		    reason ? kstate_reason_name(reason) : "...", found ?: "...");
	_fail(file, line);
}

void (description_refused)(struct kstate_description *desc, const char *path, const char *file,
			   int line)
{
	int ret;

	use(desc);
	memset(&err, 0, sizeof(err));
	ret = kstate_check_description(desc, &err);
	(error_is)(KSTATE_BAD_DESCRIPTION, path, NULL, file, line);
	assert_int_equal(ret, -EINVAL);
	assert_null(desc->schema);
}

void (save_refused)(struct kstate_description *desc, const void *obj, enum kstate_reason reason,
		    const char *path, const char *found, const char *file, int line)
{
	struct kstate_set *set = set_create();
	struct kstate_stream *stream = kstate_stream_create(set, "test", &err);
	long pages = shim_live_pages();

	use(desc);
	for (int again = 0; again < 2; again++) {
		memset(&err, 0, sizeof(err));
		kstate_stream_save(stream, desc, obj, KSTATE_ID(1), &err);
		(error_is)(reason, path, found, file, line);
		assert_int_equal(shim_live_pages(), pages);
		assert_int_equal(kstate_stream_drop(stream, desc, KSTATE_ID(1)), -ENOENT);
	}
	kstate_set_destroy(set);
}

void in_kernel(void (*kernel)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		check(!shim_boot());
		kernel();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int note_verdict(const struct kstate_finding *finding, void *arg)
{
	*(int *)arg = finding->verdict;
	return 0;
}

int foretold(struct kstate_set *set, struct kstate_description *reader)
{
	struct kstate_set *target;
	int found = -1;

	use(reader);
	target = catalogue_of(reader);
	assert_false(kstate_check_set(set, target, note_verdict, &found));
	kstate_set_destroy(target);
	return found;
}

void (both_fit)(struct kstate_description *writer, const void *from,
		struct kstate_description *reader, void *to, int expected, const char *file,
		int line)
{
	struct kstate_set *set = saved(writer, from);
	int before = foretold(set, reader);

	if (check_and_restore(set, reader, to)) {
		print_error("%s\n", text_of(&err));
		_fail(file, line);
	}
	if (expected == LOSSLESS && before == verdict && verdict < KSTATE_LOSSY)
		expected = verdict;
	if (verdict != expected || before != expected) {
		print_error("verdict %d, foretold %d, should be %d\n", verdict, before, expected);
		_fail(file, line);
	}
	kstate_set_destroy(set);
}

void (both_refuse)(struct kstate_description *writer, const void *from,
		   struct kstate_description *reader, void *to, size_t size,
		   enum kstate_reason reason, const char *path, const char *file, int line)
{
	struct kstate_set *set = saved(writer, from);
	int before = foretold(set, reader);
	char copy[ROOM];

	assert_true(size <= ROOM);
	memcpy(copy, to, size);
	if (!check_and_restore(set, reader, to)) {
		print_error("not refused at %s\n", path);
		_fail(file, line);
	}
	(error_is)(reason, path, NULL, file, line);
	assert_memory_equal(copy, to, size);
	if (before != KSTATE_REFUSED) {
		print_error("foretold: %d\n", before);
		_fail(file, line);
	}
	kstate_set_destroy(set);
}

/* Structs with @leaf in them */

const struct place_path place_paths[NR_PLACES] = {
	[BARE] = { "", "" }, [STRUCT] = { ".one", ".one" },
	[ARRAY] = { ".array[0]", ".array" }, [POINTER] = { ".pointer", ".pointer" },
	[VARRAY] = { ".varray[0]", ".varray" }, [POINTERS] = { ".pointers[1]", ".pointers" },
	[LIST] = { ".list[0]", ".list" }, [XARRAY] = { ".xarray[9]", ".xarray" },
	[UNION] = { ".u.arm", ".u.arm" }, [GROUP] = { ".group.one", ".group.one" },
};

static bool outer_needed(const void *obj)
{
	return ((const struct outer *)obj)->needed;
}

#define FIELD(_f, _kind) \
	.name = #_f, .offset = offsetof(struct outer, _f), .num = 1, .size = ROOM, \
	.ksd = leaf, .kind = _kind

void describe_in(struct placing *p, enum place place, const struct kstate_description *leaf,
		 u32 size)
{
	const struct kstate_field one = { FIELD(one, KS_STRUCT) };
	struct kstate_field *f = &p->fields[1];

	memset(p, 0, sizeof(*p));
	assert_true(size <= ROOM);
	p->desc = place == BARE ? *leaf :
		  (struct kstate_description){ .name = "outer", .fields = p->fields };
	p->fields[0] = (struct kstate_field){ .name = "head", .kind = KS_BASE_TYPE, .num = 1,
		.offset = offsetof(struct outer, head), .size = 8, .type = KS_U64 };
	p->fields[2] = (struct kstate_field){ .name = "end", .kind = KS_STRING, .num = 8,
		.offset = offsetof(struct outer, end), .size = 1, .type = KS_CHAR };
	p->fields[3].kind = KS_END;
	switch (place) {
	case ARRAY:
		*f = (struct kstate_field){ FIELD(array, KS_STRUCT), .modifiers = KS_ARRAY };
		f->num = 2;
		break;
	case POINTER:
		*f = (struct kstate_field){ FIELD(pointer, KS_STRUCT), .modifiers = KS_POINTER,
			.alloc = 1 };
		break;
	case VARRAY:
		*f = (struct kstate_field){ FIELD(varray, KS_STRUCT),
			.modifiers = KS_VARRAY | KS_POINTER, .alloc = 1,
			.length = { offsetof(struct outer, nr), KS_U32 } };
		break;
	case POINTERS:
		*f = (struct kstate_field){ FIELD(pointers, KS_STRUCT),
			.modifiers = KS_ARRAY_OF_POINTER, .alloc = 1 };
		f->num = 2;
		break;
	case LIST:
		*f = (struct kstate_field){ FIELD(list, KS_LIST),
			.link = offsetof(struct element, link) };
		f->size = sizeof(struct element);
		break;
	case XARRAY:
		*f = (struct kstate_field){ FIELD(xarray, KS_XARRAY) };
		break;
	case UNION:
		p->arms[0] = (struct kstate_arm){ "arm", 5, leaf };
		*f = (struct kstate_field){ FIELD(u, KS_UNION),
			.length = { offsetof(struct outer, tag), KS_U32 } };
		f->arms = p->arms;
		break;
	case GROUP:
		p->group_fields[0] = one;
		p->group_fields[0].has_default = 1;
		p->group_fields[1].kind = KS_END;
		p->group = (struct kstate_description){ .name = "group",
			.fields = p->group_fields };
		*f = (struct kstate_field){ .name = "group", .kind = KS_GROUP, .num = 1,
			.has_default = 1, .needed = outer_needed };
		f->ksd = &p->group;
		break;
	default:
		*f = one;
	}
}

/* Allocated as restoring would have done it, because the fill functions keep addresses */
static void fill_in(struct outer *o, enum place place, void (*fill)(void *obj))
{
	struct element *e;

	memset(o, 0, sizeof(*o));
	INIT_LIST_HEAD(&o->list);
	switch (place) {
	case ARRAY:
		fill(o->array[0]);
		fill(o->array[1]);
		break;
	case POINTER:
		o->pointer = kvzalloc(ROOM, GFP_KERNEL);
		fill(o->pointer);
		break;
	case VARRAY:
		o->nr = 1;
		o->varray = kvzalloc(ROOM, GFP_KERNEL);
		fill(o->varray);
		break;
	case POINTERS:
		o->pointers[1] = kvzalloc(ROOM, GFP_KERNEL);
		fill(o->pointers[1]);
		break;
	case LIST:
		e = kvzalloc(sizeof(*e), GFP_KERNEL);
		fill(e);
		list_add_tail(&e->link, &o->list);
		break;
	case XARRAY:
		e = kvzalloc(ROOM, GFP_KERNEL);
		fill(e);
		assert_null(xa_store(&o->xarray, 9, e, GFP_KERNEL));
		break;
	case UNION:
		o->tag = 5;
		fill(o->u);
		break;
	default:
		o->needed = true;
		fill(o->one);
	}
}

static void nothing(void *obj)
{
}

static void *find_in(struct outer *o, enum place place)
{
	switch (place) {
	case ARRAY:
		return o->array[0];
	case POINTER:
		return o->pointer;
	case VARRAY:
		return o->varray;
	case POINTERS:
		return o->pointers[1];
	case LIST:
		return list_first_entry(&o->list, struct element, link);
	case XARRAY:
		return xa_load(&o->xarray, 9);
	case UNION:
		return o->u;
	default:
		return o->one;
	}
}

static void empty_in(struct outer *o, enum place place, void (*empty)(void *obj))
{
	void *leaf = find_in(o, place);

	empty(leaf);
	if (place == ARRAY)
		empty(o->array[1]);
	if (place == LIST || place == XARRAY || place == POINTER || place == VARRAY ||
	    place == POINTERS)
		kvfree(leaf);
	xa_destroy(&o->xarray);
}

static const char *path_in(const struct placing *p, enum place place, const char *path,
			   bool value)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s%s%s%s%s", p->desc.name, value ? "[1]" : "",
		 value ? place_paths[place].value : place_paths[place].described,
		 path[0] && path[0] != '[' ? "." : "", path);
	return text;
}

void bad_description(const struct kstate_description *leaf, u32 size, const char *path)
{
	static struct placing p;

	for (enum place place = BARE; place < NR_PLACES; place++) {
		describe_in(&p, place, leaf, size);
		description_refused(&p.desc, path_in(&p, place, path, false));
		kstate_forget(&p.desc);
	}
}

void good_description(const struct kstate_description *leaf, u32 size)
{
	static struct placing p;

	for (enum place place = BARE; place < NR_PLACES; place++) {
		describe_in(&p, place, leaf, size);
		assert_fits(kstate_check_description(&p.desc, &err));
		kstate_forget(&p.desc);
	}
}

void bad_object(const struct kstate_description *leaf, u32 size, void (*fill)(void *obj),
		void (*empty)(void *obj), enum kstate_reason reason, const char *path,
		const char *found)
{
	static struct placing p;
	struct outer o;

	for (enum place place = BARE; place < NR_PLACES; place++) {
		describe_in(&p, place, leaf, size);
		fill_in(&o, place, fill);
		save_refused(&p.desc, place == BARE ? (void *)o.one : &o, reason,
			     path_in(&p, place, path, true), found);
		empty_in(&o, place, empty ?: nothing);
		kstate_forget(&p.desc);
	}
}

static void *bytes_of(struct placing *p, enum place place, void (*fill)(void *obj), size_t *size)
{
	struct kstate_set *set = set_create();
	struct outer o;

	fill_in(&o, place, fill);
	stream_save(kstate_stream_create(set, "test", &err), &p->desc,
		    place == BARE ? (void *)o.one : &o, KSTATE_ID(1));
	empty_in(&o, place, nothing);
	return set_bytes(set, size);
}

void same_bytes(const struct kstate_description *leaf, u32 size, void (*one)(void *obj),
		void (*other)(void *obj))
{
	static struct placing p;
	size_t one_size, other_size;
	void *one_bytes, *other_bytes;

	for (enum place place = BARE; place < NR_PLACES; place++) {
		describe_in(&p, place, leaf, size);
		one_bytes = bytes_of(&p, place, one, &one_size);
		other_bytes = bytes_of(&p, place, other, &other_size);
		assert_int_equal(one_size, other_size);
		assert_memory_equal(one_bytes, other_bytes, one_size);
		kvfree(one_bytes);
		kvfree(other_bytes);
		kstate_forget(&p.desc);
	}
}

/* Places where the reader's object can have the struct before it is restored */
static bool is_there(enum place place)
{
	return place != VARRAY && place != LIST && place != XARRAY;
}

static bool is_allocated(enum place place)
{
	return !is_there(place) || place == POINTER || place == POINTERS;
}

/* As restoring wants it, which is zeros where @fill is NULL */
static void prepare_in(struct outer *o, enum place place, void (*fill)(void *obj))
{
	if (fill || !is_allocated(place)) {
		fill_in(o, place, fill ?: nothing);
	} else {
		memset(o, 0, sizeof(*o));
		INIT_LIST_HEAD(&o->list);
	}
}

static void bad_record_in(struct bad_record *t, enum place place)
{
	static struct placing writer, reader, fits;
	struct outer from, to, before, leaf;
	struct kstate_set *set;
	void *obj = place == BARE ? (void *)to.one : &to;
	bool remote = t->bad && is_allocated(place);

	describe_in(&writer, place, t->writer, t->writer_size);
	describe_in(&reader, place, t->reader, t->reader_size);
	describe_in(&fits, place, t->fits ?: t->reader, t->reader_size);
	fill_in(&from, place, t->fill);
	set = saved(&writer.desc, place == BARE ? (void *)from.one : &from);

	prepare_in(&to, place, t->bad);
	before = to;
	if (remote)
		memcpy(&leaf, find_in(&to, place), ROOM);
	if (!check_and_restore(set, &reader.desc, obj))
		fail_msg("place %d: not refused", place);
	error_is(t->reason, path_in(&reader, place, t->path, true), NULL);
	assert_memory_equal(&to, &before, sizeof(to));
	if (remote)
		assert_memory_equal(find_in(&to, place), &leaf, ROOM);
	if (remote || t->empty_bad)
		empty_in(&to, place, t->empty_bad ?: nothing);

	prepare_in(&to, place, t->good);
	if (check_and_restore(set, &fits.desc, obj))
		fail_msg("place %d, the second time: %s", place, text_of(&err));
	if (t->same && !t->same(find_in(&to, place)))
		fail_msg("place %d: another object", place);
	empty_in(&to, place, t->empty ?: nothing);
	kstate_set_destroy(set);
	empty_in(&from, place, nothing);
	kstate_forget(&writer.desc);
	kstate_forget(&reader.desc);
	kstate_forget(&fits.desc);
}

void bad_record(struct bad_record t)
{
	for (enum place place = BARE; place < NR_PLACES; place++)
		if (!t.bad || is_there(place))
			bad_record_in(&t, place);
}
