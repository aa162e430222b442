// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stream files, read in constant memory, and what can be read of damaged ones.
 *
 * The core opens them as the next kernel would, but without an index of the records
 * and hearing of every damage. What the core refuses as a whole is put right here
 * first: a header by which the rest can be found, made from what is still there.
 * What no stream refers to is looked for in the end, record by record.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/align.h>
#include <linux/crc32c.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include "stream.h"

/* Pages are given back in pieces of this many bytes */
#define PASS_BYTES	(4U * 1024 * 1024)

/* How far a file is searched for a schema if it does not begin like a stream */
#define SEARCH_BYTES	(1024 * 1024)

/**
 * stream_damage() - note damage
 * @s: the file
 * @at: the bytes that are damaged
 * @size: how many
 * @fmt: what is wrong with them
 */
void stream_damage(struct stream_file *s, const void *at, u64 size, const char *fmt, ...)
{
	char what[sizeof(s->first_what)];
	struct damage *more;
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (!s->damaged++) {
		s->first = stream_offset(s, at);
		strscpy(s->first_what, what, sizeof(s->first_what));
	}
	if (s->nr_damage == s->room) {
		more = realloc(s->damage, (2 * s->room + 8) * sizeof(*more));
		if (!more)
			return;
		s->damage = more;
		s->room = 2 * s->room + 8;
	}
	s->damage[s->nr_damage].at = stream_offset(s, at);
	s->damage[s->nr_damage].size = size;
	s->damage[s->nr_damage].what = strdup(what);
	s->nr_damage += !!s->damage[s->nr_damage].what;
}

/**
 * stream_forget_damage() - take out the damage that has been shown
 * @s: the file
 */
void stream_forget_damage(struct stream_file *s)
{
	while (s->nr_damage)
		free(s->damage[--s->nr_damage].what);
}

static void core_found_damage(const struct kstate_transport *transport, const void *at,
			      size_t size, const struct kstate_error *err)
{
	struct stream_file *s = container_of(transport, struct stream_file, transport);

	stream_damage(s, at, size, "%s: expected %s, found %s", err->path, err->expected,
		      err->found);
}

static void unmap_nothing(void *mem, const struct kstate_edge *edge)
{
}

/**
 * stream_status() - how reading a file ended
 * @s: the file
 * @t: where the sentence goes if it is damaged
 *
 * Return: %STATUS_OK or %STATUS_DAMAGED.
 */
enum status stream_status(const struct stream_file *s, struct trouble *t)
{
	if (!s->damaged)
		return STATUS_OK;
	return trouble(t, STATUS_DAMAGED,
		       "%s: damaged at offset %#llx: %s; damage in all: %llu; what can still be read has been shown",
		       s->name, s->first, s->first_what, s->damaged);
}

/* The header */

/* That of the header as it stands in the file, but with this magic */
static u32 header_checksum(const struct stream_file *s, u32 size)
{
	union {
		struct kstate_header header;
		u8 bytes[KSTATE_MAX_HEADER];
	} copy;

	memcpy(copy.bytes, s->data, size);
	memcpy(copy.bytes, KSTATE_MAGIC, KSTATE_MAGIC_LEN);
	return kstate_header_crc(&copy.header, size);
}

static bool is_root_record(const struct kstate_record *record)
{
	return le32_to_cpu(record->schema) >= KSTATE_RECORD_STATE;
}

/* Where the last record of a root segment ends that begins at @addr; 0 without any */
static u64 root_end(const struct stream_file *s, u64 addr, u64 limit)
{
	struct kstate_segment segment = {
		.data = s->data + addr, .used = ALIGN_DOWN(s->size - addr, 8),
	};
	const struct kstate_record *record;
	u64 at = 0, end = 0;

	while (at < segment.used && at < limit) {
		record = (void *)(segment.data + at);
		if (kstate_record_good(&segment, at) && is_root_record(record)) {
			at += sizeof(*record) + le32_to_cpu(record->size);
			end = at;
		} else {
			at += 8;
		}
	}
	return end;
}

static void set_root(struct stream_file *s, u64 addr, u64 used)
{
	s->header.root = (struct kstate_segment_ref){
		.edge.kind = KSTATE_EDGE_FILE, .edge.addr = cpu_to_le64(addr),
		.edge.size = cpu_to_le64(used), .used = cpu_to_le64(used),
	};
}

/* Find the root segment by its records: true if there are any */
static bool search_root(struct stream_file *s, u64 limit)
{
	u64 tries[] = {
		le64_to_cpu(s->header.root.edge.addr), le32_to_cpu(s->header.header_size),
		sizeof(s->header),
	};
	u64 used;

	for (int i = 0; i < ARRAY_SIZE(tries); i++) {
		if (tries[i] % 8 || tries[i] < sizeof(s->header) || tries[i] >= s->size)
			continue;
		used = root_end(s, tries[i], limit);
		if (used) {
			set_root(s, tries[i], used);
			return true;
		}
	}
	set_root(s, sizeof(s->header), 0);
	return false;
}

static bool root_is_usable(const struct stream_file *s)
{
	const struct kstate_segment_ref *root = &s->header.root;
	u64 used = le64_to_cpu(root->used), addr = le64_to_cpu(root->edge.addr);

	return root->edge.kind == KSTATE_EDGE_FILE && addr % 8 == 0 && used % 8 == 0 &&
	       used <= le64_to_cpu(root->edge.size) && (addr < s->size || !used);
}

static enum status foreign(const struct stream_file *s, struct trouble *t)
{
	return trouble(t, STATUS_FOREIGN,
		       "%s: not a KSTATE stream: give it a copy of /sys/kernel/kstate/incoming or outgoing",
		       s->name);
}

/* Whether the format is ours; the header is not damaged */
static enum status check_format(const struct stream_file *s, struct trouble *t)
{
	u32 format = le32_to_cpu(s->header.format), flags = le32_to_cpu(s->header.flags);

	if (format > KSTATE_FORMAT || (flags & ~KSTATE_HEADER_FILE))
		return trouble(t, STATUS_NEWER,
			       "%s: format %u with flags %#x: this program knows format %u; use that of kernel %.80s",
			       s->name, format, flags, KSTATE_FORMAT, s->header.release);
	if (format < KSTATE_FORMAT)
		return foreign(s, t);
	if (!flags)
		return trouble(t, STATUS_FOREIGN,
			       "%s: a header in the form that kernels use in memory, which refers to physical addresses: copy /sys/kernel/kstate/incoming or outgoing instead",
			       s->name);
	return STATUS_OK;
}

/* Leave a header by which the core can open the file */
static enum status read_header(struct stream_file *s, struct trouble *t)
{
	struct kstate_header *h = &s->header;
	u64 total, have = min(s->size, sizeof(*h));
	bool magic, whole;
	enum status status;
	u32 size;

	memcpy(h, s->data, have);
	magic = s->size && !memcmp(h->magic, KSTATE_MAGIC, min(have, KSTATE_MAGIC_LEN));
	if (have < sizeof(*h) && !magic)
		return foreign(s, t);
	if (have < sizeof(*h))
		return trouble(t, STATUS_DAMAGED,
			       "%s: cut: %llu of the %zu bytes of the header are there, and no record; get the whole file",
			       s->name, have, sizeof(*h));

	size = le32_to_cpu(h->header_size);
	whole = size % 8 == 0 && size >= sizeof(*h) && size <= min(s->size, KSTATE_MAX_HEADER) &&
		header_checksum(s, size) == le32_to_cpu(h->crc);
	s->good_header = whole && magic;
	s->header_bytes = whole ? size : sizeof(*h);
	if (s->good_header) {
		status = check_format(s, t);
		if (status)
			return status;
	}
	if (s->good_header && !root_is_usable(s)) {
		stream_damage(s, s->data + offsetof(struct kstate_header, root), sizeof(h->root),
			      "header: expected a root segment in the file, found none; records are looked for");
		search_root(s, s->size);
	} else if (!s->good_header) {
		if (!search_root(s, magic ? s->size : SEARCH_BYTES) && !magic && !whole)
			return foreign(s, t);
		stream_damage(s, s->data, s->header_bytes, "header: expected %s, found other bytes",
			      whole ? "the magic number" : "the right checksum");
	}
	total = le64_to_cpu(h->total_size);
	if (s->good_header && total > s->size)
		stream_damage(s, s->data + s->size, 0,
			      "file: expected %llu bytes, found %zu: it was cut", total, s->size);
	else if (s->good_header && total < s->size)
		stream_damage(s, s->data + total, s->size - total,
			      "file: expected %llu bytes, found %zu", total, s->size);

	/* What the core refuses as a whole */
	memcpy(h->magic, KSTATE_MAGIC, KSTATE_MAGIC_LEN);
	h->header_size = cpu_to_le32(sizeof(*h));
	h->format = cpu_to_le32(KSTATE_FORMAT);
	h->flags = cpu_to_le32(KSTATE_HEADER_FILE);
	h->total_size = cpu_to_le64(s->size);
	h->release[sizeof(h->release) - 1] = 0;
	h->crc = cpu_to_le32(kstate_header_crc(h, sizeof(*h)));
	return STATUS_OK;
}

/* Whoever has a schema finds its number, and what is kept by number */
static enum status number_schemas(struct stream_file *s, struct trouble *t)
{
	s->secrets = calloc(s->set->nr_known + 1, sizeof(*s->secrets));
	if (!s->secrets)
		return trouble(t, STATUS_SYSTEM, "no memory");
	for (u32 i = 0; i < s->set->nr_known; i++) {
		struct kstate_schema *schema = kstate_known(s->set, i)->schema;

		if (!schema)
			continue;
		schema->serial = i;
		/* Those that it contains have smaller numbers */
		for (u32 j = 0; j < schema->nr_fields; j++)
			s->secrets[i] |= schema->fields[j].secret ||
					 (schema->fields[j].ref &&
					  has_secrets(s, schema->fields[j].ref));
	}
	return STATUS_OK;
}

/**
 * stream_open_bytes() - open a stream in memory
 * @s: the file; name may be set
 * @data: its bytes, aligned to 8; they stay where they are until stream_close()
 * @size: how many
 * @t: what went wrong
 *
 * Damage does not make this fail as long as there may be something to read.
 *
 * Return: %STATUS_OK, or why it cannot be read at all.
 */
enum status stream_open_bytes(struct stream_file *s, void *data, size_t size, struct trouble *t)
{
	struct kstate_error err = {};
	enum status status;

	s->data = data;
	s->size = size;
	s->transport = (struct kstate_transport){
		.name = "file", .file = true, .lean = true,
		.unmap = unmap_nothing, .damaged = core_found_damage,
	};
	status = read_header(s, t);
	if (status)
		return status;
	s->set = kstate_set_open(&s->transport, &s->header, size, data, &err);
	if (!IS_ERR(s->set))
		return number_schemas(s, t);
	s->set = NULL;
	return trouble(t, err.reason == KSTATE_NO_MEMORY ? STATUS_SYSTEM : STATUS_DAMAGED,
		       "%s: %s: expected %s, found %s", s->name, err.path, err.expected,
		       err.found);
}

/* Pipes and sysfs: into a file without a name, so that it can be mapped */
static int spool(int fd)
{
	FILE *file = tmpfile();
	char buf[65536];
	ssize_t got = -1;
	int copy = -1;

	while (file && (got = read(fd, buf, sizeof(buf))) > 0)
		if (fwrite(buf, 1, got, file) != (size_t)got)
			break;
	if (file && !got && !fflush(file))
		copy = dup(fileno(file));
	if (file)
		fclose(file);
	return copy;
}

static void file_shrank(int signal)
{
	static const char text[] = "kstate: the file was cut while it was read\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(STATUS_SYSTEM);
	_exit(STATUS_INPUT);
}

static void *map_fd(int fd, size_t *size)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
		return NULL;
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return NULL;
	*size = st.st_size;
	return data;
}

static enum status cannot_open(const char *path, struct trouble *t)
{
	if (errno == ENOENT && kernel_file(path))
		return trouble(t, STATUS_KERNEL,
			       "%s: the running kernel has no KSTATE, or one that lacks this; give a file",
			       path);
	if (errno == EACCES && kernel_file(path))
		return trouble(t, STATUS_INPUT, "%s: %s: be root", path, strerror(errno));
	return trouble(t, STATUS_INPUT, "%s: %s", path, strerror(errno));
}

/**
 * stream_open() - open a stream file
 * @s: the file, zeroed
 * @path: where it is; "-" for standard input, or what running_path() knows
 * @t: what went wrong
 *
 * Return: %STATUS_OK, or why it cannot be read at all.
 */
enum status stream_open(struct stream_file *s, const char *path, struct trouble *t)
{
	enum status status;
	void *data = NULL;
	size_t size = 0;
	int fd, copy;

	s->name = running_path(path) ?: path;
	fd = strcmp(path, "-") ? open(s->name, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	if (fd < 0)
		return cannot_open(s->name, t);
	data = map_fd(fd, &size);
	if (!data) {
		copy = spool(fd);
		if (copy < 0) {
			status = trouble(t, STATUS_INPUT, "%s: %s", s->name, strerror(errno));
			close(fd);
			return status;
		}
		data = map_fd(copy, &size);
		close(copy);
	}
	close(fd);
	if (!data)
		return trouble(t, STATUS_FOREIGN, "%s: empty: there is no stream", s->name);
	s->mapped = true;
	signal(SIGBUS, file_shrank);
	return stream_open_bytes(s, data, size, t);
}

/**
 * stream_close() - end with a file
 * @s: the file, opened or not
 */
void stream_close(struct stream_file *s)
{
	if (s->set) {
		/* Its bytes are not the core's */
		s->set->blob = NULL;
		kstate_set_destroy(s->set);
	}
	stream_forget_damage(s);
	free(s->damage);
	free(s->secrets);
	if (s->mapped)
		munmap(s->data, s->size);
	*s = (struct stream_file){};
}

/**
 * stream_pass() - say how far a file has been read
 * @s: the file
 * @at: what comes before is not needed any more; if it is, it is read again
 */
void stream_pass(struct stream_file *s, const void *at)
{
	u64 offset = stream_offset(s, at);

	if (!s->mapped)
		return;
	if (offset < s->passed)
		s->passed = ALIGN_DOWN(offset, PASS_BYTES);
	if (offset - s->passed < PASS_BYTES)
		return;
	offset = ALIGN_DOWN(offset, PASS_BYTES);
	madvise(s->data + s->passed, offset - s->passed, MADV_DONTNEED);
	s->passed = offset;
	/* Where the output moves, nobody needs more of that */
	if (!isatty(STDOUT_FILENO))
		progress("read", offset, s->size);
}

/**
 * stream_record_whole() - whether the payload of a record is what was written
 * @s: the file
 * @record: the record
 *
 * Return: true if so.
 */
bool stream_record_whole(struct stream_file *s, const struct kstate_record *record)
{
	const u8 *p = (const u8 *)(record + 1);
	u32 size = le32_to_cpu(record->size), part, crc = ~0;

	for (; size; size -= part, p += part) {
		part = min(size, PASS_BYTES);
		crc = crc32c(crc, p, part);
		stream_pass(s, p);
	}
	/* It will be read again, to be shown, and then given back again */
	s->passed = umin(s->passed, ALIGN_DOWN(stream_offset(s, record), PASS_BYTES));
	return ~crc == le32_to_cpu(record->pcrc);
}

/* Records that no stream refers to */

struct range {
	u64 from;
	u64 to;
};

static int compare_ranges(const void *a, const void *b)
{
	const struct range *r = a, *q = b;

	return r->from < q->from ? -1 : r->from > q->from;
}

/* What the header and the directory account for, in order; NULL without memory */
static struct range *accounted(struct stream_file *s, size_t *nr)
{
	struct kstate_segment *segment;
	struct kstate_stream *stream;
	struct range *ranges;
	size_t n = 2;

	list_for_each_entry(stream, &s->set->streams, list)
		n += list_count_nodes(&stream->segments);
	ranges = calloc(n, sizeof(*ranges));
	if (!ranges)
		return NULL;
	ranges[0] = (struct range){ 0, s->header_bytes };
	ranges[1].from = stream_offset(s, s->set->root.data);
	ranges[1].to = ranges[1].from + s->set->root.size;
	n = 2;
	list_for_each_entry(stream, &s->set->streams, list)
		list_for_each_entry(segment, &stream->segments, list) {
			ranges[n].from = stream_offset(s, segment->data);
			ranges[n].to = ranges[n].from + segment->size;
			n++;
		}
	qsort(ranges, n, sizeof(*ranges), compare_ranges);
	*nr = n;
	return ranges;
}

/* A record of a segment that lies in the gap as a whole, wherever that begins */
static bool lost_record(struct stream_file *s, struct range gap, u64 at)
{
	const struct kstate_record *record = (void *)(s->data + at);
	struct kstate_segment segment;
	u64 place;

	if (gap.to - at < sizeof(*record))
		return false;
	place = 8ULL * le32_to_cpu(record->place);
	if (place > at - gap.from)
		return false;
	segment.data = s->data + at - place;
	segment.used = gap.to - (at - place);
	return kstate_record_good(&segment, place);
}

static bool walk_gap(struct stream_file *s, struct range gap, const struct stream_visitor *v,
		     void *arg, bool *begun)
{
	u64 at = ALIGN(gap.from, 8), bad = at;
	struct kstate_record *record;
	bool go_on = true;

	gap.to = ALIGN_DOWN(gap.to, 8);
	while (go_on && at <= gap.to) {
		bool good = at < gap.to && lost_record(s, gap, at);

		if ((good || at == gap.to) && at > bad)
			stream_damage(s, s->data + bad, at - bad,
				      "%llu bytes that no stream refers to", at - bad);
		if (!good) {
			at += 8;
			stream_pass(s, s->data + min(at, gap.to));
			continue;
		}
		record = (void *)(s->data + at);
		stream_damage(s, record, sizeof(*record) + le32_to_cpu(record->size),
			      "a record that no stream refers to");
		if (!*begun)
			go_on = v->begin(NULL, arg);
		*begun = true;
		go_on = go_on && v->record(NULL, record, arg);
		at += sizeof(*record) + le32_to_cpu(record->size);
		bad = at;
	}
	return go_on;
}

static void walk_lost(struct stream_file *s, const struct stream_visitor *v, void *arg)
{
	struct range *ranges;
	bool begun = false, go_on = true;
	u64 end = 0;
	size_t nr;

	ranges = accounted(s, &nr);
	for (size_t i = 0; ranges && go_on && i <= nr; i++) {
		u64 from = i < nr ? ranges[i].from : s->size;

		if (from > end)
			go_on = walk_gap(s, (struct range){ end, from }, v, arg, &begun);
		if (i < nr)
			end = max(end, ranges[i].to);
	}
	free(ranges);
	if (begun && go_on)
		v->end(NULL, arg);
}

/* The record at which a file was cut, NULL if it was not, or not there */
static struct kstate_record *cut_record(struct stream_file *s, const struct kstate_segment *segment,
					size_t at)
{
	struct kstate_segment whole = { .data = segment->data, .used = SIZE_MAX };

	if (segment->used - at < sizeof(struct kstate_record) ||
	    stream_offset(s, segment->data) + segment->used != ALIGN_DOWN(s->size, 8) ||
	    !kstate_record_good(&whole, at))
		return NULL;
	return (void *)(segment->data + at);
}

/**
 * stream_walk() - look at all records of a file in order
 * @s: the file
 * @v: who looks
 * @arg: for @v
 */
void stream_walk(struct stream_file *s, const struct stream_visitor *v, void *arg)
{
	struct kstate_segment *segment;
	struct kstate_record *record;
	struct kstate_stream *stream;
	size_t at, before;

	list_for_each_entry(stream, &s->set->streams, list) {
		if (!v->begin(stream, arg))
			return;
		list_for_each_entry(segment, &stream->segments, list) {
			at = 0;
			do {
				before = at;
				record = kstate_segment_next(s->set, segment, stream->name, &at) ?:
					 cut_record(s, segment, before);
				stream_pass(s, segment->data + before);
				if (record && !v->record(stream, record, arg))
					return;
			} while (at < segment->used);
		}
		if (!v->end(stream, arg))
			return;
	}
	walk_lost(s, v, arg);
}
