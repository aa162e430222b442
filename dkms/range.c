// SPDX-License-Identifier: GPL-2.0-only
/*
 * A range of memory that neither kernel uses, as what carries state across a kexec.
 */

/**
 * DOC: a range of memory
 *
 * Both kernels are told by memmap= to leave the range alone. At the jump the outgoing
 * set is written into it as a file, followed by copies of the memory that its records
 * hand over. The next kernel copies the file out, and each piece of memory when it is
 * restored; where it was is only a name by which its copy is found.
 *
 * Nothing but a checksum tells that a range still has what was written, and nothing at
 * all that it was written for this boot: an older jump may have been followed by
 * kernels that know nothing of it. So each jump has a token, which is on the command
 * line of the next kernel, and a range is opened once.
 */

#define pr_fmt(fmt) "kstate: " fmt

#include <asm/barrier.h>
#include <linux/align.h>
#include <linux/crc32c.h>
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#include "range.h"

/* Memory that is handed over: to the next kernel, or by the one before */
struct memory {
	struct kstate_edge edge;
	void *ptr;		/* outgoing */
	const u8 *copy;		/* incoming */
	u32 crc;
	bool good;		/* its checksum has been looked at */
};

static void *range;
static size_t range_size;
static char opened[KSTATE_MAX_TOKEN + 1];	/* the jump that led to this kernel */

/* By the page number of the address in their edge; each has a lock of its own */
static DEFINE_XARRAY(outgoing);
static DEFINE_XARRAY(incoming);
static atomic64_t outgoing_bytes;

static unsigned long memory_index(const struct kstate_edge *edge)
{
	return PHYS_PFN(le64_to_cpu(edge->addr));
}

static size_t memory_size(const struct memory *m)
{
	return le64_to_cpu(m->edge.size);
}

static void memory_forget(struct xarray *all)
{
	unsigned long index;
	struct memory *m;

	xa_for_each(all, index, m)
		kfree(m);
	xa_destroy(all);
}

/* Whether the next kernel can allocate it */
static bool memory_fits(const struct kstate_edge *edge)
{
	u64 size = le64_to_cpu(edge->size);

	if (!size || size % PAGE_SIZE)
		return false;
	switch (edge->kind) {
	case KSTATE_EDGE_FOLIO:
		return edge->order <= MAX_PAGE_ORDER && size == PAGE_SIZE << edge->order;
	case KSTATE_EDGE_PAGES:
		return size <= PAGE_SIZE << MAX_PAGE_ORDER;
	case KSTATE_EDGE_VMALLOC:
		return size == (u64)le32_to_cpu(edge->pages) << PAGE_SHIFT;
	}
	return false;
}

/* An area ends where nothing is mapped; a module cannot ask how large it is */
static size_t area_pages(const void *area)
{
	size_t nr = 0;

	while (is_vmalloc_addr(area + nr * PAGE_SIZE) && vmalloc_to_page(area + nr * PAGE_SIZE))
		nr++;
	return nr;
}

static int range_preserve(u8 kind, void *ptr, size_t nr, struct kstate_edge *edge)
{
	struct memory *m;
	int ret;

	*edge = (struct kstate_edge){ .kind = kind };
	if (kind == KSTATE_EDGE_VMALLOC) {
		nr = area_pages(ptr);
		edge->pages = cpu_to_le32(nr);
	}
	ret = kstate_memory_edge(kind, ptr, nr, edge);
	if (ret)
		return ret;
	if (!memory_fits(edge))
		return -EFBIG;
	m = kmalloc_obj(*m);
	if (!m)
		return -ENOMEM;
	*m = (struct memory){ .edge = *edge, .ptr = ptr };
	if (atomic64_add_return(memory_size(m), &outgoing_bytes) > range_size)
		ret = -ENOSPC;
	if (!ret)
		ret = xa_insert(&outgoing, memory_index(edge), m, GFP_KERNEL);
	if (ret) {
		atomic64_sub(memory_size(m), &outgoing_bytes);
		kfree(m);
	}
	return ret;
}

static void range_unpreserve(const struct kstate_edge *edge)
{
	struct memory *m = xa_erase(&outgoing, memory_index(edge));

	if (m)
		atomic64_sub(memory_size(m), &outgoing_bytes);
	kfree(m);
}

static int range_check(const struct kstate_edge *edge)
{
	struct memory *m = xa_load(&incoming, memory_index(edge));

	if (!m || memcmp(&m->edge, edge, sizeof(*edge)))
		return -ENOENT;
	if (!m->good && ~crc32c(~0, m->copy, memory_size(m)) != m->crc)
		return -EBADMSG;
	m->good = true;
	return 0;
}

static void *range_alloc_pages(size_t nr)
{
	unsigned int order = get_order(nr << PAGE_SHIFT);
	struct page *page = alloc_pages(GFP_KERNEL, order);
	size_t i;

	if (!page)
		return NULL;
	/* Each page is one of its own, and those that are too many go back */
	split_page(page, order);
	for (i = nr; i < 1UL << order; i++)
		__free_page(page + i);
	return page;
}

static int range_take(const struct kstate_edge *edge, void **ptr)
{
	struct memory *m = xa_load(&incoming, memory_index(edge));
	size_t size;
	void *to;

	if (!m)
		return -ENOENT;
	size = memory_size(m);
	switch (edge->kind) {
	case KSTATE_EDGE_FOLIO:
		*ptr = folio_alloc(GFP_KERNEL, edge->order);
		to = *ptr ? folio_address(*ptr) : NULL;
		break;
	case KSTATE_EDGE_PAGES:
		*ptr = range_alloc_pages(size >> PAGE_SHIFT);
		to = *ptr ? page_address((struct page *)*ptr) : NULL;
		break;
	default:
		*ptr = vmalloc(size);
		to = *ptr;
	}
	if (!to)
		return -ENOMEM;
	memcpy(to, m->copy, size);
	kfree(xa_erase(&incoming, memory_index(edge)));
	return 0;
}

static const struct kstate_transport range_transport = {
	.name = "a range of memory",
	.file = true,
	.alloc = kstate_memory_alloc,
	.free = kstate_memory_free,
	.unmap = kstate_memory_unmap,
	.preserve = range_preserve,
	.unpreserve = range_unpreserve,
	.check = range_check,
	.take = range_take,
	.release = kstate_release_memory,
};

/**
 * kstate_range_init() - have a range
 * @base: it
 * @size: bytes, a multiple of the page size
 */
void kstate_range_init(void *base, size_t size)
{
	range = base;
	range_size = size;
}

/**
 * kstate_range_exit() - have it no longer
 *
 * Context: all sets are gone.
 */
void kstate_range_exit(void)
{
	memory_forget(&outgoing);
	memory_forget(&incoming);
	range = NULL;
	range_size = 0;
	opened[0] = 0;
}

/**
 * kstate_range_create() - make the set that is written into the range
 *
 * Return: the set, for kstate_set_destroy(), or NULL.
 */
struct kstate_set *kstate_range_create(void)
{
	return kstate_set_create(&range_transport);
}

static u32 range_crc(const struct kstate_range_header *header)
{
	struct kstate_range_header copy = *header;

	copy.crc = 0;
	return ~crc32c(~0, &copy, sizeof(copy));
}

/**
 * kstate_range_clear() - what is in the range is not for the next kernel
 *
 * That this kernel has opened it stays known.
 */
void kstate_range_clear(void)
{
	struct kstate_range_header header = {};

	if (opened[0]) {
		memcpy(header.magic, KSTATE_RANGE_OPENED, sizeof(header.magic));
		memcpy(header.token, opened, sizeof(opened));
	}
	memcpy(range, &header, sizeof(header));
	/* Also if the machine ends now */
	wmb();
}

/* Where the table begins, behind a file of so many bytes */
static size_t range_table(size_t file)
{
	return ALIGN(sizeof(struct kstate_range_header) + file, 8);
}

/* Where the contents begin, if all that comes before them fits in */
static size_t range_contents(size_t file, size_t nr)
{
	return PAGE_ALIGN(range_table(file) + nr * sizeof(struct kstate_range_memory));
}

static void range_fill(struct kstate_range_memory *entry, size_t at)
{
	struct memory *m;
	unsigned long index;
	const void *from;

	xa_for_each(&outgoing, index, m) {
		from = m->ptr;
		if (m->edge.kind != KSTATE_EDGE_VMALLOC)
			from = page_address((struct page *)m->ptr);
		memcpy(range + at, from, memory_size(m));
		*entry++ = (struct kstate_range_memory){
			.edge = m->edge, .at = cpu_to_le64(at),
			.crc = cpu_to_le32(~crc32c(~0, from, memory_size(m))),
		};
		at += memory_size(m);
	}
}

/* Whether what was written is there: a range may be where no memory is */
static bool range_holds(const struct kstate_range_header *header)
{
	const struct kstate_range_memory *entry;
	u32 nr = le32_to_cpu(header->nr), i, crc;

	entry = range + range_table(le64_to_cpu(header->file));
	if (memcmp(range, header, sizeof(*header)) ||
	    memcmp(range + sizeof(*header), KSTATE_MAGIC, KSTATE_MAGIC_LEN))
		return false;
	for (i = 0; i < nr; i++) {
		crc = ~crc32c(~0, range + le64_to_cpu(entry[i].at),
			      le64_to_cpu(entry[i].edge.size));
		if (crc != le32_to_cpu(entry[i].crc))
			return false;
	}
	return true;
}

/**
 * kstate_range_write() - write a set into the range
 * @set: it, published
 * @token: of the jump, at most %KSTATE_MAX_TOKEN bytes
 * @used: set to how many bytes of the range it takes
 * @err: what went wrong
 *
 * The memory that the records hand over is copied as it is now. What the kernel before
 * has written is gone with this: what is not restored by now has been handed on.
 *
 * Context: the set does not change; allocates.
 * Return: 0, or a negative error code: then the range is empty.
 */
int kstate_range_write(struct kstate_set *set, const char *token, size_t *used,
		       struct kstate_error *err)
{
	struct kstate_where where = { .state = "range", .err = err };
	struct kstate_range_header header = {
		.magic = KSTATE_RANGE_MAGIC,
		.version = cpu_to_le32(KSTATE_RANGE_VERSION),
		.page_size = cpu_to_le32(PAGE_SIZE),
		.arch = cpu_to_le32(ELF_ARCH),
	};
	size_t file, at, end, nr = 0;
	unsigned long index;
	struct memory *m;
	void *blob, *table;

	kstate_range_clear();
	memory_forget(&incoming);
	if (kstate_set_export(set, &blob, &file))
		return kstate_no_memory(&where, NULL);
	xa_for_each(&outgoing, index, m)
		nr++;
	at = range_contents(file, nr);
	end = at + atomic64_read(&outgoing_bytes);
	if (end > range_size) {
		kvfree(blob);
		return kstate_fail(&where, NULL, KSTATE_EDGE, -ENOSPC,
				   "at most %zu bytes, the size of the range\n%zu", range_size,
				   end);
	}
	memcpy(range + sizeof(header), blob, file);
	kvfree(blob);
	table = range + range_table(file);
	range_fill(table, at);

	strscpy((char *)header.token, token, sizeof(header.token));
	strscpy((char *)header.release, init_utsname()->release, sizeof(header.release));
	header.file = cpu_to_le64(file);
	header.nr = cpu_to_le32(nr);
	header.table_crc = cpu_to_le32(~crc32c(~0, table,
					       nr * sizeof(struct kstate_range_memory)));
	header.used = cpu_to_le64(end);
	header.crc = cpu_to_le32(range_crc(&header));
	/* What the header says is there when the header is */
	wmb();
	memcpy(range, &header, sizeof(header));
	if (!range_holds(&header)) {
		kstate_range_clear();
		return kstate_fail(&where, NULL, KSTATE_EDGE, -EIO,
				   "memory that keeps what is written\nother bytes: is it RAM?");
	}
	*used = end;
	return 0;
}

static int range_open_memory(const struct kstate_range_header *header,
			     const struct kstate_where *where)
{
	const struct kstate_range_memory *entry;
	size_t used = le64_to_cpu(header->used), size;
	u32 nr = le32_to_cpu(header->nr), i;
	struct memory *m;
	int ret;

	entry = range + range_table(le64_to_cpu(header->file));
	if (~crc32c(~0, entry, nr * sizeof(*entry)) != le32_to_cpu(header->table_crc))
		return kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "the checksum of the table of memory\nother bytes");
	for (i = 0; i < nr; i++, entry++) {
		size = le64_to_cpu(entry->edge.size);
		if (!memory_fits(&entry->edge) || le64_to_cpu(entry->at) > used ||
		    size > used - le64_to_cpu(entry->at))
			return kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG,
					   "memory within %zu bytes\n%zu bytes at %llu", used, size,
					   le64_to_cpu(entry->at));
		m = kmalloc_obj(*m);
		if (!m)
			return kstate_no_memory(where, NULL);
		*m = (struct memory){
			.edge = entry->edge, .crc = le32_to_cpu(entry->crc),
			.copy = range + le64_to_cpu(entry->at),
		};
		ret = xa_insert(&incoming, memory_index(&m->edge), m, GFP_KERNEL);
		if (ret) {
			kfree(m);
			return ret == -ENOMEM ? kstate_no_memory(where, NULL) :
				kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG,
					    "memory that is named once\n%llx a second time",
					    le64_to_cpu(entry->edge.addr));
		}
	}
	return 0;
}

/* Whether the header can be followed */
static int range_check_header(const struct kstate_range_header *header,
			      const struct kstate_where *where)
{
	size_t used = le64_to_cpu(header->used), file = le64_to_cpu(header->file);
	u32 nr = le32_to_cpu(header->nr);

	if (range_crc(header) != le32_to_cpu(header->crc))
		return kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "checksum %#010x of the header\nanother",
				   le32_to_cpu(header->crc));
	if (le32_to_cpu(header->version) != KSTATE_RANGE_VERSION)
		return kstate_fail(where, NULL, KSTATE_FOREIGN, -EPROTONOSUPPORT,
				   "version %u of a range\n%u", KSTATE_RANGE_VERSION,
				   le32_to_cpu(header->version));
	if (le32_to_cpu(header->page_size) != PAGE_SIZE || le32_to_cpu(header->arch) != ELF_ARCH)
		return kstate_fail(where, NULL, KSTATE_FOREIGN, -EPROTONOSUPPORT,
				   KSTATE_MACHINE "\n" KSTATE_MACHINE, ELF_ARCH, (u32)PAGE_SIZE,
				   le32_to_cpu(header->arch), le32_to_cpu(header->page_size));
	if (used > range_size || file > used || range_contents(file, nr) > used)
		return kstate_fail(where, NULL, KSTATE_DAMAGED, -EBADMSG,
				   "%zu bytes, the size of the range\n%zu", range_size, used);
	return 0;
}

/**
 * kstate_range_open() - open what the kernel before this one wrote
 * @token: of the jump that led to this kernel; empty if none did
 * @err: what went wrong
 *
 * Whatever is in the range, it can be opened once only. A module that is loaded a second
 * time finds nothing.
 *
 * Context: allocates.
 * Return: the set, for kstate_set_destroy(); NULL if there is none to be; an ERR_PTR()
 * if what the jump wrote is not there or cannot be read.
 */
struct kstate_set *kstate_range_open(const char *token, struct kstate_error *err)
{
	struct kstate_where where = { .state = "range", .err = err };
	struct kstate_range_header header;
	struct kstate_set *set;
	size_t size;
	void *blob;
	int ret;

	memcpy(&header, range, sizeof(header));
	if (!memcmp(header.magic, KSTATE_RANGE_OPENED, sizeof(header.magic)) &&
	    !strncmp((char *)header.token, token, sizeof(header.token))) {
		strscpy(opened, token);
		return NULL;
	}
	kstate_range_clear();
	if (!*token) {
		if (!memcmp(header.magic, KSTATE_RANGE_MAGIC, sizeof(header.magic)))
			pr_warn("open: no jump led to this kernel: what %.64s wrote for one is thrown away\n",
				header.release);
		return NULL;
	}
	if (memcmp(header.magic, KSTATE_RANGE_MAGIC, sizeof(header.magic)))
		return ERR_PTR(kstate_fail(&where, NULL, KSTATE_DAMAGED, -ENODATA,
					   "what jump %s wrote\nnothing", token));
	ret = range_check_header(&header, &where);
	if (ret)
		return ERR_PTR(ret);
	header.token[KSTATE_MAX_TOKEN] = 0;
	header.release[sizeof(header.release) - 1] = 0;
	where.writer = (char *)header.release;
	if (strcmp((char *)header.token, token))
		return ERR_PTR(kstate_fail(&where, NULL, KSTATE_FOREIGN, -ESTALE,
					   "what jump %s wrote\nwhat %s wrote", token,
					   (char *)header.token));
	strscpy(opened, token);
	kstate_range_clear();
	ret = range_open_memory(&header, &where);
	if (ret)
		goto forget;
	size = le64_to_cpu(header.file);
	blob = kvmalloc(max(size, sizeof(struct kstate_header)), GFP_KERNEL);
	if (!blob) {
		ret = kstate_no_memory(&where, NULL);
		goto forget;
	}
	memcpy(blob, range + sizeof(header), size);
	set = kstate_set_open(&range_transport, blob, size, blob, err);
	if (!IS_ERR(set))
		return set;
	ret = PTR_ERR(set);
	kvfree(blob);
forget:
	memory_forget(&incoming);
	return ERR_PTR(ret);
}
