// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kernels without KSTATE can take over, written beside what KSTATE hands over.
 */

/**
 * DOC: to a kernel without KSTATE
 *
 * When everything has been saved, a copy of the outgoing set is opened, and what the old
 * formats can express is restored from it and written again. So it does not matter who saved
 * it: sessions of this kernel, and those that it hands on. A file or session that cannot be
 * restored that way cannot be expressed, and the kexec is refused.
 *
 * Both sets of bytes speak of the same memory. The next kernel reads one of them. One with
 * KSTATE, and with this option, frees the other one.
 */

#define pr_fmt(fmt) "kstate: legacy: " fmt

#include <linux/err.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kstrtox.h>
#include <linux/libfdt.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "legacy.h"

static bool legacy_wanted __ro_after_init;

static int __init legacy_param(char *buf)
{
	return kstrtobool(buf, &legacy_wanted);
}
early_param("liveupdate_legacy", legacy_param);

/**
 * kstate_legacy_writes() - whether the next kernel may be one without KSTATE
 *
 * Return: true if so.
 */
bool kstate_legacy_writes(void)
{
	return legacy_wanted;
}

/* What has been written: memory that is preserved, and may be a subtree */
struct legacy_memory {
	struct list_head list;
	void *mem;
	struct kho_vmalloc area;	/* with a total, of an area */
	bool subtree;
};

static LIST_HEAD(legacy_written);

struct legacy_writer {
	struct kstate_set *set;
	struct kstate_error *err;
};

static struct kstate_where legacy_where(const struct kstate_stream *stream, const char *state,
					struct kstate_error *err)
{
	return (struct kstate_where){
		.state = state, .stream = kstate_stream_name(stream), .err = err,
	};
}

static int legacy_no_memory(struct kstate_error *err)
{
	return kstate_no_memory(&(struct kstate_where){ .state = "legacy", .err = err }, NULL);
}

/* A page, or an area of @size bytes; NULL without memory */
static struct legacy_memory *legacy_alloc(size_t size)
{
	struct legacy_memory *m = kzalloc_obj(*m);

	if (!m)
		return NULL;
	if (!size) {
		m->mem = kho_alloc_preserve(PAGE_SIZE);
		if (IS_ERR(m->mem))
			goto free;
	} else {
		m->mem = vzalloc(size);
		if (!m->mem || kho_preserve_vmalloc(m->mem, &m->area)) {
			vfree(m->mem);
			goto free;
		}
	}
	list_add(&m->list, &legacy_written);
	return m;
free:
	kfree(m);
	return NULL;
}

static void *legacy_alloc_page(void)
{
	struct legacy_memory *m = legacy_alloc(0);

	return m ? m->mem : NULL;
}

/**
 * kstate_legacy_undo() - undo kstate_legacy_write()
 */
void kstate_legacy_undo(void)
{
	struct legacy_memory *m, *next;

	list_for_each_entry_safe(m, next, &legacy_written, list) {
		if (m->subtree)
			kho_remove_subtree(m->mem);
		if (m->area.total_pages) {
			kho_unpreserve_vmalloc(&m->area);
			vfree(m->mem);
		} else {
			kho_unpreserve_free(m->mem);
		}
		list_del(&m->list);
		kfree(m);
	}
}

/* A page that the next kernel finds by a name */
static int legacy_publish(struct legacy_memory *m, const char *name, size_t size,
			  struct kstate_error *err)
{
	struct kstate_where where = { .state = name, .err = err };
	int ret = kho_add_subtree(name, m->mem, size);

	m->subtree = !ret;
	return ret ? kstate_fail(&where, NULL, KSTATE_NO_ROOM, ret,
				 "room for a subtree of KHO\nerror %d", ret) : 0;
}

/* Chains of blocks that grow */
struct legacy_chain {
	u64 first;
	size_t entry;
	struct legacy_block *block;
};

/* A new entry, zeroed; NULL without memory */
static void *legacy_add(struct legacy_chain *c)
{
	u64 room = (PAGE_SIZE - sizeof(*c->block)) / c->entry;
	struct legacy_block *block = c->block;

	if (!block || block->count == room) {
		block = legacy_alloc_page();
		if (!block)
			return NULL;
		if (c->block)
			c->block->next = virt_to_phys(block);
		else
			c->first = virt_to_phys(block);
		c->block = block;
	}
	return (void *)(block + 1) + c->entry * block->count++;
}

/* Memfds */

static struct legacy_folio *legacy_write_folios(const struct legacy_folios_state *f,
						struct legacy_folio *to)
{
	const struct kstate_folio_entry *e;

	for (e = f->folios; e < f->folios + f->nr; e++, to++) {
		to->pfn = folio_pfn(e->folio);
		to->flags = LEGACY_FOLIO_DIRTY | LEGACY_FOLIO_UPTODATE;
		to->index = e->index;
	}
	return to;
}

static int legacy_write_memfd(struct kstate_stream *stream, struct kstate_key key, u64 *data,
			      struct kstate_error *err)
{
	struct legacy_folios_state late = {};
	struct legacy_memfd_state m = {};
	struct legacy_memory *area = NULL;
	struct legacy_memfd *to = NULL;
	int ret;

	ret = kstate_stream_restore(stream, &legacy_memfd_state, &m, key, err);
	if (!ret && m.has_late)
		ret = kstate_stream_restore(stream, &legacy_folios_state, &late, key, err);
	if (!ret) {
		to = legacy_alloc_page();
		if (m.folios.nr + late.nr)
			area = legacy_alloc((m.folios.nr + late.nr) * sizeof(struct legacy_folio));
		if (!to || !area != !(m.folios.nr + late.nr))
			ret = legacy_no_memory(err);
	}
	if (!ret) {
		to->pos = m.pos;
		to->size = m.size;
		to->seals = m.seals;
		to->nr = m.folios.nr + late.nr;
		if (area) {
			to->folios = area->area;
			legacy_write_folios(&late, legacy_write_folios(&m.folios, area->mem));
		}
		*data = virt_to_phys(to);
	}
	kvfree(m.folios.folios);
	kvfree(late.folios);
	return ret;
}

/* Live update */

struct legacy_files {
	struct legacy_writer *out;
	struct kstate_stream *stream;
	struct legacy_chain chain;
	u64 count;
};

static int legacy_write_file(struct kstate_key key, void *arg)
{
	struct legacy_files *files = arg;
	struct kstate_error *err = files->out->err;
	struct kstate_where where = legacy_where(files->stream, "luo_file", err);
	struct legacy_file_state file = {};
	struct legacy_file *to;
	int ret;

	where.key = key;
	where.has_key = true;
	ret = kstate_stream_restore(files->stream, &legacy_file_state, &file, key, err);
	if (ret)
		return ret;
	if (strcmp(file.compatible, "memfd"))
		return kstate_fail(&where, &(struct kstate_path){ .name = "compatible" },
				   KSTATE_BLOCKED, -EOPNOTSUPP,
				   "what a kernel without KSTATE has: \"memfd\"\n\"%s\"",
				   file.compatible);
	to = legacy_add(&files->chain);
	if (!to)
		return legacy_no_memory(err);
	files->count++;
	strscpy(to->compatible, LEGACY_MEMFD_COMPATIBLE);
	to->token = key.id;
	return legacy_write_memfd(files->stream, key, &to->data, err);
}

static int legacy_write_session(struct legacy_writer *out, struct kstate_stream *stream,
				struct legacy_chain *sessions)
{
	struct legacy_files files = {
		.out = out, .stream = stream, .chain.entry = sizeof(struct legacy_file),
	};
	struct legacy_session_state session;
	struct legacy_session *to;
	int ret;

	/* Only for what it may have that cannot be expressed */
	ret = kstate_stream_restore(stream, &legacy_session_state, &session, KSTATE_ID(0),
				    out->err);
	if (ret)
		return ret;
	to = legacy_add(sessions);
	if (!to)
		return legacy_no_memory(out->err);
	ret = kstate_stream_walk_keys(stream, &legacy_file_state, legacy_write_file, &files);
	strscpy(to->name, stream->name + strlen(LEGACY_SESSION_STREAM));
	to->files = files.chain.first;
	to->count = files.count;
	return ret;
}

struct legacy_flb_writer {
	struct legacy_writer *out;
	struct kstate_stream *stream;
	struct legacy_flbs *flbs;
};

static int legacy_write_flb(struct kstate_key key, void *arg)
{
	struct legacy_flb_writer *w = arg;
	struct kstate_where where = legacy_where(w->stream, "luo_flb", w->out->err);
	struct legacy_flb *to = (void *)(w->flbs + 1);
	struct legacy_flb_state flb;
	int ret;

	where.key = key;
	where.has_key = true;
	ret = kstate_stream_restore(w->stream, &legacy_flb_state, &flb, key, w->out->err);
	if (ret)
		return ret;
	if (w->flbs->count == LEGACY_IN_PAGE(*w->flbs, *to) ||
	    strlen(key.name) >= sizeof(to->name))
		return kstate_fail(&where, NULL, KSTATE_NO_ROOM, -ENOSPC,
				   "at most %zu FLBs with names of %zu bytes\nmore",
				   LEGACY_IN_PAGE(*w->flbs, *to), sizeof(to->name) - 1);
	to += w->flbs->count++;
	strscpy(to->name, key.name);
	to->data = flb.data;
	to->count = flb.count;
	return 0;
}

/* What this kernel knows of live update, and sessions that it may only hand on */
static int legacy_write_luo(struct legacy_writer *out)
{
	struct kstate_stream *stream = kstate_stream_find(out->set, LEGACY_STREAM);
	struct legacy_chain sessions = { .entry = sizeof(struct legacy_session) };
	struct legacy_flb_writer flbs = { .out = out, .stream = stream };
	struct legacy_count_state count = {};
	struct legacy_memory *page;
	struct legacy_luo *luo;
	int ret = 0;

	page = legacy_alloc(0);
	flbs.flbs = legacy_alloc_page();
	if (!page || !flbs.flbs)
		return legacy_no_memory(out->err);
	flbs.flbs->pages = 1;
	if (stream)
		ret = kstate_stream_restore(stream, &legacy_count_state, &count, KSTATE_ID(0),
					    out->err) ?:
		      kstate_stream_walk_keys(stream, &legacy_flb_state, legacy_write_flb, &flbs);
	list_for_each_entry(stream, &out->set->streams, list) {
		if (!ret && strstarts(stream->name, LEGACY_SESSION_STREAM))
			ret = legacy_write_session(out, stream, &sessions);
	}
	if (ret)
		return ret;
	luo = page->mem;
	strscpy(luo->compatible, LEGACY_LUO_COMPATIBLE);
	luo->liveupdate_num = count.liveupdate_num;
	luo->sessions = sessions.first;
	luo->flbs = virt_to_phys(flbs.flbs);
	return legacy_publish(page, LEGACY_LUO, sizeof(*luo), out->err);
}

/* Others */

struct legacy_reserve_writer {
	struct legacy_writer *out;
	struct kstate_stream *stream;
	struct legacy_memory *page;
};

static int legacy_write_reserve(struct kstate_key key, void *arg)
{
	struct legacy_reserve_writer *w = arg;
	struct legacy_reserve_state reserve = {};
	u64 start, size;
	void *fdt;
	int ret;

	ret = kstate_stream_restore(w->stream, &legacy_reserve_state, &reserve, key, w->out->err);
	if (ret)
		return ret;
	if (!w->page) {
		w->page = legacy_alloc(0);
		if (!w->page)
			return legacy_no_memory(w->out->err);
		fdt = w->page->mem;
		ret = fdt_create(fdt, PAGE_SIZE) ?: fdt_finish_reservemap(fdt) ?:
		      fdt_begin_node(fdt, "") ?:
		      fdt_property_string(fdt, "compatible", LEGACY_MEMBLOCK_COMPATIBLE);
	}
	fdt = w->page->mem;
	start = page_to_phys(reserve.pages);
	size = PFN_PHYS((u64)reserve.nr_pages);
	ret = ret ?: fdt_begin_node(fdt, key.name) ?:
	      fdt_property_string(fdt, "compatible", LEGACY_RESERVE_COMPATIBLE) ?:
	      fdt_property(fdt, "start", &start, sizeof(start)) ?:
	      fdt_property(fdt, "size", &size, sizeof(size)) ?:
	      fdt_end_node(fdt);
	return ret ? legacy_no_memory(w->out->err) : 0;
}

static int legacy_write_kernel(struct legacy_writer *out)
{
	struct kstate_stream *stream = kstate_stream_find(out->set, KSTATE_STREAM);
	struct legacy_reserve_writer w = { .out = out, .stream = stream };
	struct legacy_metadata_state m = {};
	struct legacy_metadata *to;
	struct legacy_memory *page;
	int ret;

	if (!stream)
		return 0;
	ret = kstate_stream_walk_keys(stream, &legacy_reserve_state, legacy_write_reserve, &w);
	if (ret)
		return ret;
	if (w.page) {
		void *fdt = w.page->mem;

		if (fdt_end_node(fdt) || fdt_finish(fdt))
			return legacy_no_memory(out->err);
		ret = legacy_publish(w.page, LEGACY_MEMBLOCK, fdt_totalsize(fdt), out->err);
		if (ret)
			return ret;
	}
	ret = kstate_stream_restore(stream, &legacy_metadata_state, &m, KSTATE_ID(0), out->err);
	if (ret)
		return ret;
	page = legacy_alloc(0);
	if (!page)
		return legacy_no_memory(out->err);
	to = page->mem;
	to->version = LEGACY_METADATA_VERSION;
	strscpy(to->previous_release, m.previous_release);
	to->kexec_count = m.kexec_count;
	return legacy_publish(page, LEGACY_METADATA, sizeof(*to), out->err);
}

/* A copy that is only looked at: its memory is somebody else's */

static void legacy_leave(const struct kstate_edge *edge, void *ptr)
{
}

static const struct kstate_transport legacy_copy = {
	.name = "a copy",
	.file = true,
	.unmap = kstate_memory_unmap,
	.check = legacy_check,
	.take = legacy_take,
	.release = legacy_leave,
};

/**
 * kstate_legacy_write() - write a published set in the formats of kernels without KSTATE
 * @out: the set
 *
 * Context: may sleep.
 * Return: 0, also if that is not wanted, or a negative error code: then all has been undone.
 */
int kstate_legacy_write(struct kstate_set *out)
{
	struct kstate_error err = {};
	struct legacy_writer w = { .err = &err };
	void *blob = NULL;
	size_t size;
	int ret;

	if (!legacy_wanted)
		return 0;
	legacy_describe();
	ret = kstate_set_export(out, &blob, &size);
	if (ret) {
		legacy_no_memory(&err);
	} else {
		w.set = kstate_set_open(&legacy_copy, blob, size, blob, &err);
		ret = PTR_ERR_OR_ZERO(w.set);
		if (ret)
			kvfree(blob);
	}
	if (!ret) {
		ret = legacy_write_luo(&w) ?: legacy_write_kernel(&w);
		kstate_set_destroy(w.set);
	}
	legacy_forget();
	if (ret) {
		kstate_legacy_undo();
		kstate_report_error(out, &err, "legacy");
	}
	return ret;
}
