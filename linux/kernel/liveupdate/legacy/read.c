// SPDX-License-Identifier: GPL-2.0-only
/*
 * A set of KSTATE from what a kernel without it handed over: nobody who restores needs to
 * know the difference.
 */

/**
 * DOC: from a kernel without KSTATE
 *
 * Nothing in the old formats has a checksum. Every address is therefore looked up in what KHO
 * has preserved before it is followed, and taken over at once: so a chain that comes back to
 * where it has been ends there, and no two files share a folio. Counts are held against the
 * memory that they are for, and strings have to end.
 *
 * What is wrong costs the file, session, FLB or reservation that it is found in. It is
 * reported as KSTATE reports; the record of a file then names a handler that nobody has, so
 * that its own retrieve call fails, too. Memory that only damaged bytes tell of is left alone:
 * it is lost until the next kexec.
 */

#define pr_fmt(fmt) "kstate: legacy: " fmt

#include <linux/align.h>
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/libfdt.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "legacy.h"

struct legacy_reader {
	const struct kstate_transport *kho;
	struct kstate_set *set;
};

/* The set owns memory that has been taken over already; its records are this kernel's own */

static void legacy_disown(const struct kstate_edge *edge)
{
}

/**
 * legacy_check() - whether an edge is for memory that is in this kernel
 * @edge: the edge; a set of this kernel has it
 *
 * Return: 0, or -EINVAL if it is for a kind of memory that the old formats do not have.
 */
int legacy_check(const struct kstate_edge *edge)
{
	return edge->kind == KSTATE_EDGE_VMALLOC ? -EINVAL : 0;
}

/**
 * legacy_take() - the memory of an edge
 * @edge: see legacy_check()
 * @ptr: set to the folio or the first page
 *
 * Return: 0.
 */
int legacy_take(const struct kstate_edge *edge, void **ptr)
{
	*ptr = pfn_to_page(PHYS_PFN(le64_to_cpu(edge->addr)));
	return 0;
}

static const struct kstate_transport legacy_transport = {
	.name = "this kernel",
	.file = true,
	.alloc = kstate_memory_alloc,
	.free = kstate_memory_free,
	.unmap = kstate_memory_unmap,
	.preserve = kstate_memory_edge,
	.unpreserve = legacy_disown,
	.check = legacy_check,
	.take = legacy_take,
	.release = kstate_release_memory,
};

static void legacy_report(struct legacy_reader *in, const struct kstate_error *err)
{
	if (err->code)
		kstate_report_error(in->set, err, "open");
}

static struct kstate_where legacy_where(struct legacy_reader *in, const char *stream,
					const char *state, struct kstate_error *err)
{
	return (struct kstate_where){
		.state = state, .stream = stream, .err = err,
		.writer = in->set ? in->set->writer : NULL,
	};
}

/* The stream, made where need be; NULL without memory */
static struct kstate_stream *legacy_stream(struct legacy_reader *in, const char *name)
{
	struct kstate_stream *stream = kstate_stream_find(in->set, name);

	if (!stream)
		stream = kstate_stream_create(in->set, name, NULL);
	return IS_ERR(stream) ? NULL : stream;
}

/* Take over what is preserved at an address, as long as it is preserved as one folio */
static struct folio *legacy_folio(u64 phys)
{
	return kho_preserved_order(phys) < 0 ? NULL : kho_restore_folio(phys);
}

/* A page, for legacy_put(); NULL if none is preserved there */
static void *legacy_page(u64 phys)
{
	return kho_preserved_order(phys) ? NULL : folio_address(kho_restore_folio(phys));
}

static void legacy_put(const void *mem)
{
	folio_put(virt_to_folio(mem));
}

/* What was handed over by a name, for legacy_put(), and how much can be read; or NULL */
static void *legacy_subtree(const char *name, size_t size, const struct kstate_where *where)
{
	phys_addr_t phys;
	size_t has;
	void *mem;

	if (kho_retrieve_subtree(name, &phys, &has))
		return NULL;
	if (has < size || has > PAGE_SIZE) {
		kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG, "%zu to %lu bytes\n%zu",
			    size, PAGE_SIZE, has);
		return NULL;
	}
	mem = legacy_page(phys);
	if (!mem)
		kstate_fail(where, NULL, KSTATE_EDGE, -ENOENT, "a page that is preserved\n%pa",
			    &phys);
	return mem;
}

static bool legacy_ends(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

/* Chains of blocks, of which one at a time is mapped */
struct legacy_chain {
	struct legacy_reader *in;
	const struct kstate_where *where;
	const char *field;
	size_t entry;
	struct legacy_block *block;
	u64 next;
	u64 i;
};

static struct legacy_block *legacy_next_block(struct legacy_chain *c)
{
	u64 room = (PAGE_SIZE - sizeof(*c->block)) / c->entry;

	if (!c->next)
		return NULL;
	c->block = legacy_page(c->next);
	c->i = 0;
	if (!c->block) {
		legacy_fail(c->where, c->field, -ENOENT, "a block that is preserved\n%#llx",
			    c->next);
	} else {
		c->next = c->block->next;
		if (c->block->count && c->block->count <= room)
			return c->block;
		legacy_fail(c->where, c->field, -EBADMSG, "1 to %llu entries in a block\n%llu",
			    room, c->block->count);
		c->block->count = 0;
	}
	legacy_report(c->in, c->where->err);
	*c->where->err = (struct kstate_error){};
	return c->block;
}

/* The next entry, valid until the next call, or NULL */
static void *legacy_next(struct legacy_chain *c)
{
	while (!c->block || c->i == c->block->count) {
		if (c->block)
			legacy_put(c->block);
		c->block = NULL;
		if (!legacy_next_block(c))
			return NULL;
	}
	return (void *)(c->block + 1) + c->entry * c->i++;
}

/* Memfds */

static void legacy_put_folios(struct legacy_folios_state *f)
{
	while (f->nr)
		folio_put(f->folios[--f->nr].folio);
	kvfree(f->folios);
}

static int legacy_read_folio(const struct legacy_folio *old, struct legacy_folios_state *f,
			     const struct kstate_where *where)
{
	struct folio *folio;

	if (!old->pfn)
		return 0;
	if (old->flags & ~(LEGACY_FOLIO_DIRTY | LEGACY_FOLIO_UPTODATE))
		return legacy_fail(where, "folios.flags", -EBADMSG, "%#lx\n%#x",
				   LEGACY_FOLIO_DIRTY | LEGACY_FOLIO_UPTODATE, old->flags);
	folio = legacy_folio(PFN_PHYS((u64)old->pfn));
	if (!folio)
		return legacy_fail(where, "folios.pfn", -ENOENT,
				   "a folio that is preserved, once\n%#llx", (u64)old->pfn);
	if (!(old->flags & LEGACY_FOLIO_UPTODATE))
		folio_zero_range(folio, 0, folio_size(folio));
	f->folios[f->nr++] = (struct kstate_folio_entry){ folio, old->index };
	return 0;
}

/* Take over the area that says where the folios of a memfd are, for vfree() */
static int legacy_take_area(struct legacy_reader *in, const struct kho_vmalloc *v, void **area)
{
	struct kstate_edge edge = {
		.kind = KSTATE_EDGE_VMALLOC,
		.addr = cpu_to_le64(v->first.phys),
		.size = cpu_to_le64((u64)v->total_pages << PAGE_SHIFT),
		.pages = cpu_to_le32(v->total_pages),
		.order = min_t(u16, v->order, U8_MAX),
		.flags = cpu_to_le16(v->flags),
	};

	return in->kho->check(&edge) ?: in->kho->take(&edge, area);
}

static int legacy_read_folios(struct legacy_reader *in, const struct legacy_memfd *old,
			      struct legacy_folios_state *f, const struct kstate_where *where)
{
	struct kho_vmalloc v = old->folios;
	u64 room = ((u64)v.total_pages << PAGE_SHIFT) / sizeof(struct legacy_folio), i;
	struct kstate_error second = {};
	struct kstate_where quiet = *where;
	const struct legacy_folio *folios;
	void *area;
	int ret, bad;

	quiet.err = &second;
	/* Neither more than there is room for, nor so few that a smaller area would do */
	if (old->nr > room || old->nr + PAGE_SIZE / sizeof(*folios) <= room)
		return legacy_fail(where, "nr_folios", -EBADMSG,
				   "as many as there are in %u pages\n%llu",
				   v.total_pages, old->nr);
	if (!old->nr)
		return 0;
	f->folios = kvmalloc_objs(*f->folios, old->nr);
	if (!f->folios)
		return kstate_no_memory(where, NULL);
	ret = legacy_take_area(in, &v, &area);
	if (ret == -ENOMEM)
		return kstate_no_memory(where, NULL);
	if (ret)
		return legacy_fail(where, "folios", -ENOENT,
				   "an area that is preserved\n%u pages, the first at %#llx",
				   v.total_pages, v.first.phys);
	folios = area;
	for (i = 0; i < old->nr; i++) {
		bad = legacy_read_folio(&folios[i], f, ret ? &quiet : where);
		ret = ret ?: bad;
	}
	vfree(area);
	return ret;
}

static int legacy_check_memfd(const struct legacy_memfd *old, const struct kstate_where *where)
{
	if (old->pos > MAX_LFS_FILESIZE)
		return legacy_fail(where, "pos", -ERANGE, "0 to %lld\n%llu", MAX_LFS_FILESIZE,
				   old->pos);
	if (old->size > MAX_LFS_FILESIZE)
		return legacy_fail(where, "size", -ERANGE, "0 to %lld\n%llu", MAX_LFS_FILESIZE,
				   old->size);
	if (old->seals & ~LEGACY_SEALS)
		return legacy_fail(where, "seals", -EOPNOTSUPP, "seals in %#x\n%#x", LEGACY_SEALS,
				   old->seals);
	if (old->flags)
		return legacy_fail(where, "flags", -EOPNOTSUPP, "0\n%#x", old->flags);
	return 0;
}

static int legacy_read_memfd(struct legacy_reader *in, struct kstate_stream *stream,
			     const struct legacy_file *file, struct kstate_error *err)
{
	struct kstate_where where = legacy_where(in, kstate_stream_name(stream), "memfd", err);
	struct legacy_memfd_state m = {};
	struct legacy_memfd *old = legacy_page(file->data);
	int ret;

	where.key = KSTATE_ID(file->token);
	where.has_key = true;
	if (old) {
		/* Folios first: those of a file that is refused are freed */
		ret = legacy_read_folios(in, old, &m.folios, &where) ?:
		      legacy_check_memfd(old, &where);
		m.pos = old->pos;
		m.size = old->size;
		m.seals = old->seals;
		legacy_put(old);
	} else {
		ret = legacy_fail(&where, "data", -ENOENT, "a page that is preserved\n%#llx",
				  file->data);
	}
	legacy_report(in, err);
	if (!ret)
		ret = kstate_stream_save(stream, &legacy_memfd_state, &m, where.key, err);
	if (ret)
		legacy_put_folios(&m.folios);
	else
		kvfree(m.folios.folios);
	return ret;
}

/* Live update */

static void legacy_read_file(struct legacy_reader *in, struct kstate_stream *stream,
			     const struct legacy_file *old)
{
	struct kstate_error err = {};
	struct kstate_where where = legacy_where(in, kstate_stream_name(stream), "luo_file", &err);
	struct legacy_file_state file = {};
	const char *field;

	where.key = KSTATE_ID(old->token);
	where.has_key = true;
	if (!legacy_ends(old->compatible, sizeof(old->compatible))) {
		legacy_fail(&where, "compatible", -EBADMSG, "a string that ends\n%.*s",
			    (int)sizeof(old->compatible), old->compatible);
		legacy_report(in, &err);
		strscpy(file.compatible, "a bad name");
	} else if (strcmp(old->compatible, LEGACY_MEMFD_COMPATIBLE)) {
		strscpy(file.compatible, old->compatible);
	} else if (!legacy_read_memfd(in, stream, old, &err)) {
		strscpy(file.compatible, "memfd");
	} else {
		/* What retrieving says: "expected a handler for" this */
		field = strchr(err.path, '.');
		snprintf(file.compatible, sizeof(file.compatible), "%s with bad %s",
			 LEGACY_MEMFD_COMPATIBLE, field ? field + 1 : "data");
	}
	kstate_stream_save(stream, &legacy_file_state, &file, where.key, NULL);
}

static void legacy_read_session(struct legacy_reader *in, const struct legacy_session *old)
{
	char name[sizeof(LEGACY_SESSION_STREAM) + sizeof(old->name)];
	struct legacy_session_state session = { .count = old->count };
	struct kstate_error err = {};
	struct kstate_where where = legacy_where(in, name, "luo_session", &err);
	struct legacy_chain files = {
		.in = in, .where = &where, .field = "files", .entry = sizeof(struct legacy_file),
		.next = old->files,
	};
	const struct legacy_file *file;
	struct kstate_stream *stream;

	snprintf(name, sizeof(name), LEGACY_SESSION_STREAM "%.*s", (int)sizeof(old->name),
		 old->name);
	if (!old->name[0] || !legacy_ends(old->name, sizeof(old->name))) {
		legacy_fail(&where, "name", -EBADMSG, "a string of 1 to %zu bytes\n%.*s",
			    sizeof(old->name) - 1, (int)sizeof(old->name), old->name);
		legacy_report(in, &err);
		return;
	}
	stream = kstate_stream_create(in->set, name, NULL);
	if (IS_ERR(stream) ||
	    kstate_stream_save(stream, &legacy_session_state, &session, KSTATE_ID(0), NULL))
		return;
	/* Live update says itself if there are fewer than the session had */
	while ((file = legacy_next(&files)))
		legacy_read_file(in, stream, file);
}

static void legacy_read_flbs(struct legacy_reader *in, struct kstate_stream *stream, u64 phys)
{
	struct kstate_error err = {};
	struct kstate_where where = legacy_where(in, LEGACY_STREAM, "luo_flb", &err);
	struct folio *folio = phys ? legacy_folio(phys) : NULL;
	struct legacy_flb_state flb;
	struct legacy_flbs *flbs;
	struct legacy_flb *old;
	u64 room;

	if (!phys)
		return;
	if (!folio) {
		legacy_fail(&where, "flbs", -ENOENT, "memory that is preserved\n%#llx", phys);
		legacy_report(in, &err);
		return;
	}
	flbs = folio_address(folio);
	old = (void *)(flbs + 1);
	room = (folio_size(folio) - sizeof(*flbs)) / sizeof(*old);
	if (flbs->count > room) {
		legacy_fail(&where, "count", -EBADMSG, "at most %llu\n%llu", room, flbs->count);
		legacy_report(in, &err);
		flbs->count = 0;
	}
	for (; flbs->count; flbs->count--, old++) {
		err = (struct kstate_error){};
		flb.data = old->data;
		flb.count = old->count;
		if (!old->name[0] || !legacy_ends(old->name, sizeof(old->name)))
			legacy_fail(&where, "name", -EBADMSG, "a string of 1 to %zu bytes\n%.*s",
				    sizeof(old->name) - 1, (int)sizeof(old->name), old->name);
		else if (!old->count || old->count > INT_MAX)
			legacy_fail(&where, "count", -ERANGE, "1 to %d\n%llu", INT_MAX,
				    old->count);
		else
			kstate_stream_save(stream, &legacy_flb_state, &flb,
					   KSTATE_NAME(old->name), NULL);
		legacy_report(in, &err);
	}
	folio_put(folio);
}

static void legacy_read_luo(struct legacy_reader *in)
{
	struct kstate_error err = {};
	struct kstate_where where = legacy_where(in, LEGACY_STREAM, "luo", &err);
	struct legacy_luo *luo = legacy_subtree(LEGACY_LUO, sizeof(*luo), &where);
	struct legacy_chain sessions = {
		.in = in, .where = &where, .field = "sessions",
		.entry = sizeof(struct legacy_session),
	};
	const struct legacy_session *session;
	struct legacy_count_state count;
	struct kstate_stream *stream;

	if (luo && strncmp(luo->compatible, LEGACY_LUO_COMPATIBLE, sizeof(luo->compatible)))
		legacy_fail(&where, "compatible", -EPROTONOSUPPORT, "%s\n%.*s",
			    LEGACY_LUO_COMPATIBLE, (int)sizeof(luo->compatible), luo->compatible);
	if (!luo || err.code) {
		legacy_report(in, &err);
		return;
	}
	stream = legacy_stream(in, LEGACY_STREAM);
	if (!stream)
		return;
	count.liveupdate_num = luo->liveupdate_num;
	sessions.next = luo->sessions;
	kstate_stream_save(stream, &legacy_count_state, &count, KSTATE_ID(0), NULL);
	legacy_read_flbs(in, stream, luo->flbs);
	while ((session = legacy_next(&sessions)))
		legacy_read_session(in, session);
	legacy_put(luo);
}

/* Others */

static int legacy_get_u64(const void *fdt, int node, const char *name, u64 *val,
			  const struct kstate_where *where)
{
	int len;
	const void *prop = fdt_getprop(fdt, node, name, &len);

	if (!prop || len != sizeof(*val))
		return legacy_fail(where, name, -EBADMSG, "%zu bytes\n%d", sizeof(*val),
				   prop ? len : 0);
	memcpy(val, prop, sizeof(*val));
	return 0;
}

static int legacy_read_reserve(struct legacy_reader *in, const void *fdt, int node,
			       const struct kstate_where *where)
{
	struct kstate_edge edge = { .kind = KSTATE_EDGE_PAGES };
	struct legacy_reserve_state reserve;
	struct kstate_stream *stream;
	u64 start, size;
	void *pages;
	int ret;

	if (!where->key.name[0] || strlen(where->key.name) > KSTATE_MAX_NAME ||
	    fdt_node_check_compatible(fdt, node, LEGACY_RESERVE_COMPATIBLE))
		return legacy_fail(where, "compatible", -EPROTONOSUPPORT, "%s\nanother",
				   LEGACY_RESERVE_COMPATIBLE);
	ret = legacy_get_u64(fdt, node, "start", &start, where) ?:
	      legacy_get_u64(fdt, node, "size", &size, where);
	if (ret)
		return ret;
	/* Of a page that is not full, nothing was preserved */
	reserve.nr_pages = PHYS_PFN(size);
	edge.addr = cpu_to_le64(start);
	edge.size = cpu_to_le64(ALIGN_DOWN(size, PAGE_SIZE));
	if (in->kho->check(&edge) || in->kho->take(&edge, &pages))
		return legacy_fail(where, "start", -ENOENT, "%llu bytes that are preserved\n%#llx",
				   size, start);
	reserve.pages = pages;
	stream = legacy_stream(in, KSTATE_STREAM);
	if (!stream ||
	    kstate_stream_save(stream, &legacy_reserve_state, &reserve, where->key, NULL))
		kstate_release_memory(&edge, pages);
	return 0;
}

static void legacy_read_memblock(struct legacy_reader *in)
{
	struct kstate_error err = {};
	struct kstate_where where = legacy_where(in, NULL, "reserve_mem", &err);
	void *fdt = legacy_subtree(LEGACY_MEMBLOCK, FDT_V17_SIZE, &where);
	int node;

	if (fdt && (fdt_check_header(fdt) || fdt_totalsize(fdt) > PAGE_SIZE ||
		    fdt_node_check_compatible(fdt, 0, LEGACY_MEMBLOCK_COMPATIBLE)))
		legacy_fail(&where, "compatible", -EPROTONOSUPPORT, "%s\nanother",
			    LEGACY_MEMBLOCK_COMPATIBLE);
	legacy_report(in, &err);
	if (!fdt)
		return;
	if (!err.code) {
		where.has_key = true;
		fdt_for_each_subnode(node, fdt, 0) {
			err = (struct kstate_error){};
			where.key = KSTATE_NAME(fdt_get_name(fdt, node, NULL) ?: "");
			legacy_read_reserve(in, fdt, node, &where);
			legacy_report(in, &err);
		}
	}
	legacy_put(fdt);
}

static void legacy_read_metadata(struct legacy_reader *in)
{
	struct kstate_error err = {};
	struct kstate_where where = legacy_where(in, NULL, "kexec_metadata", &err);
	struct legacy_metadata *old = legacy_subtree(LEGACY_METADATA, sizeof(*old), &where);
	struct legacy_metadata_state m = {};
	struct kstate_stream *stream;

	if (old && old->version != LEGACY_METADATA_VERSION)
		legacy_fail(&where, "version", -EPROTONOSUPPORT, "%d\n%u", LEGACY_METADATA_VERSION,
			    old->version);
	else if (old && !legacy_ends(old->previous_release, sizeof(old->previous_release)))
		legacy_fail(&where, "previous_release", -EBADMSG, "a string that ends\n%.*s",
			    (int)sizeof(old->previous_release), old->previous_release);
	legacy_report(in, &err);
	if (!old)
		return;
	stream = err.code ? NULL : legacy_stream(in, KSTATE_STREAM);
	if (stream) {
		strscpy(m.previous_release, old->previous_release);
		strscpy(in->set->writer, old->previous_release);
		m.kexec_count = old->kexec_count;
		kstate_stream_save(stream, &legacy_metadata_state, &m, KSTATE_ID(0), NULL);
	}
	legacy_put(old);
}

/* What was written to make the incoming set. Its tables may wait for an interrupt to grow */
static struct kstate_set *legacy_made __initdata;

static int __init legacy_free_made(void)
{
	kstate_set_destroy(legacy_made);
	return 0;
}
early_initcall(legacy_free_made);

static bool __init legacy_has(const char *subtree)
{
	phys_addr_t phys;

	return !kho_retrieve_subtree(subtree, &phys, NULL);
}

/**
 * kstate_legacy_open() - open what a kernel without KSTATE handed over
 * @kho: KHO as a transport
 *
 * Context: as kstate_open_incoming().
 * Return: the set; NULL if nothing was handed over, or without memory.
 */
struct kstate_set * __init kstate_legacy_open(const struct kstate_transport *kho)
{
	struct legacy_reader in = { .kho = kho };
	struct kstate_set *set = NULL;
	struct kstate_error err = {};
	void *blob = NULL;
	size_t size;

	if (!legacy_has(LEGACY_LUO) && !legacy_has(LEGACY_MEMBLOCK) && !legacy_has(LEGACY_METADATA))
		return NULL;
	legacy_describe();
	in.set = kstate_set_create(&legacy_transport);
	legacy_made = in.set;
	if (!in.set)
		goto no_memory;
	in.set->arch = ELF_ARCH;
	strscpy(in.set->writer, "a kernel without KSTATE");
	legacy_read_metadata(&in);
	legacy_read_memblock(&in);
	legacy_read_luo(&in);

	if (!kstate_set_export(in.set, &blob, &size))
		set = kstate_set_open(&legacy_transport, blob, size, blob, &err);
	if (IS_ERR_OR_NULL(set)) {
		kvfree(blob);
		goto no_memory;
	}
	set->last_error = in.set->last_error;
	set->last_error_doing = in.set->last_error_doing;
	set->last_error_time = in.set->last_error_time;
	pr_info("%s handed over %zu streams\n", set->writer, list_count_nodes(&set->streams));
	goto out;
no_memory:
	pr_err("no memory: nothing is restored\n");
	set = NULL;
out:
	legacy_forget();
	return set;
}

static void __init legacy_discard_files(struct legacy_reader *in, u64 files,
					const struct kstate_where *where)
{
	struct legacy_chain chain = {
		.in = in, .where = where, .field = "files", .entry = sizeof(struct legacy_file),
		.next = files,
	};
	const struct legacy_file *file;
	struct legacy_memfd *memfd;
	struct kho_vmalloc v;
	void *area;

	while ((file = legacy_next(&chain))) {
		memfd = legacy_page(file->data);
		if (!memfd)
			continue;
		v = memfd->folios;
		if (memfd->nr && !legacy_take_area(in, &v, &area))
			vfree(area);
		legacy_put(memfd);
	}
}

/**
 * kstate_legacy_discard() - free what has been written for a kernel without KSTATE
 * @kho: KHO as a transport
 *
 * The files' own memory is in the set of KSTATE, and is left alone.
 *
 * Context: as kstate_open_incoming(), of a kernel that has such a set.
 */
void __init kstate_legacy_discard(const struct kstate_transport *kho)
{
	struct legacy_reader in = { .kho = kho };
	struct kstate_error err = {};
	struct kstate_where where = legacy_where(&in, NULL, "legacy", &err);
	struct legacy_chain sessions = {
		.in = &in, .where = &where, .field = "sessions",
		.entry = sizeof(struct legacy_session),
	};
	static const char *const others[] __initconst = { LEGACY_MEMBLOCK, LEGACY_METADATA };
	const struct legacy_session *session;
	struct legacy_luo *luo = legacy_subtree(LEGACY_LUO, sizeof(*luo), &where);
	struct folio *flbs;
	void *mem;

	if (luo) {
		sessions.next = luo->sessions;
		while ((session = legacy_next(&sessions)))
			legacy_discard_files(&in, session->files, &where);
		flbs = legacy_folio(luo->flbs);
		if (flbs)
			folio_put(flbs);
		legacy_put(luo);
	}
	for (u32 i = 0; i < ARRAY_SIZE(others); i++) {
		mem = legacy_subtree(others[i], 0, &where);
		if (mem)
			legacy_put(mem);
	}
}
