// SPDX-License-Identifier: GPL-2.0-only
/*
 * KSTATE as a module for kernels as distributions build them.
 */

/**
 * DOC: kernels without kexec handover
 *
 * What has to cross is saved when the kernel hears of the reboot that a kexec is, before
 * devices are shut down. It is too late then to refuse: so whoever jumps has a rehearsal
 * first, in which everything is saved, judged by the gate, and written into the range,
 * and the result is thrown away. "kstate jump" does that.
 */

#define pr_fmt(fmt) "kstate: " fmt

#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/reboot.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include "gate.h"
#include "stock.h"

static char *range;
module_param(range, charp, 0444);
MODULE_PARM_DESC(range, "SIZE$START of memory that memmap= keeps away from this kernel and the next");

static char *from = "";
module_param(from, charp, 0444);
MODULE_PARM_DESC(from, "the jump that led to this kernel; kstate jump puts it on the command line");

static phys_addr_t range_start, range_size;
static void *range_base;

/* Protects what follows; taken before all locks of KSTATE */
static DEFINE_MUTEX(jump_lock);
static char jump_token[KSTATE_MAX_TOKEN + 1];	/* empty: no jump has been rehearsed */
static size_t jump_used;
static u64 jump_ns;

static int stock_save(const char *token, struct kstate_error *err)
{
	u64 start = local_clock();
	int ret = kstate_prepare(NULL, err);

	if (ret)
		return ret;
	ret = kstate_range_write(kstate_outgoing(), token, &jump_used, err);
	jump_ns = local_clock() - start;
	if (ret) {
		kstate_report_error(kstate_outgoing(), err, "prepare");
		kstate_abort();
	}
	return ret;
}

/**
 * kstate_stock_rehearse() - do all that a jump needs, and take it back
 * @token: of the jump: letters, digits, "-" and "_"; empty if none is to come
 *
 * Without a rehearsal that went well, a kexec hands nothing over.
 *
 * Context: may sleep long.
 * Return: 0, or a negative error code: then no jump is to come. What was wrong is the
 * last error.
 */
int kstate_stock_rehearse(const char *token)
{
	struct kstate_error err = {};
	const char *p;
	int ret;

	if (strlen(token) > KSTATE_MAX_TOKEN)
		return -EINVAL;
	for (p = token; *p; p++)
		if (!isalnum(*p) && *p != '-' && *p != '_')
			return -EINVAL;
	guard(mutex)(&jump_lock);
	jump_token[0] = 0;
	if (!*token)
		return 0;
	ret = stock_save(token, &err);
	if (ret)
		return ret;
	kstate_abort();
	kstate_range_clear();
	strscpy(jump_token, token);
	return 0;
}

/**
 * kstate_stock_show() - tell of range and jump
 * @m: where to
 *
 * Context: may sleep.
 */
void kstate_stock_show(struct seq_file *m)
{
	guard(mutex)(&jump_lock);
	seq_printf(m, "{\"start\":%llu,\"size\":%llu,\"jump\":\"%s\",\"used\":%zu,\"ns\":%llu}\n",
		   (u64)range_start, (u64)range_size, jump_token, jump_used, jump_ns);
}

static int stock_reboot(struct notifier_block *nb, unsigned long event, void *command)
{
	struct kstate_error err = {};

	/* As kernel_kexec() names it */
	if (event != SYS_RESTART || !command || strcmp(command, "kexec reboot"))
		return NOTIFY_DONE;
	guard(mutex)(&jump_lock);
	if (!jump_token[0])
		pr_warn("kexec: not by \"kstate jump\": nothing is handed over\n");
	else if (stock_save(jump_token, &err))
		pr_emerg("kexec: nothing is handed over\n");
	else
		pr_info("kexec: saved records=%llu bytes=%zu ns=%llu\n",
			le64_to_cpu(kstate_outgoing()->header->records), jump_used, jump_ns);
	return NOTIFY_OK;
}

/* First of all: what others do when they hear of it is not to be in what is saved */
static struct notifier_block reboot_nb = {
	.notifier_call = stock_reboot, .priority = INT_MAX,
};

/* A struct module of such a kernel has no place for it; kstate-catalog.sh makes the symbol */
static const struct kstate_header *stock_catalog(const struct module *mod)
{
	const struct mod_kallsyms *syms;
	unsigned int i;

	guard(rcu)();
	syms = rcu_dereference(mod->kallsyms);
	for (i = 0; i < syms->num_symtab; i++)
		if (syms->symtab[i].st_shndx != SHN_UNDEF &&
		    !strcmp(syms->strtab + syms->symtab[i].st_name, "kstate_catalog"))
			return (void *)syms->symtab[i].st_value;
	return NULL;
}

static int stock_module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct kstate_header *catalog;
	struct module *mod = data;

	switch (event) {
	case MODULE_STATE_COMING:
		catalog = stock_catalog(mod);
		return notifier_from_errno(kstate_catalog_add_module(mod, catalog,
				catalog ? le64_to_cpu(catalog->total_size) : 0));
	case MODULE_STATE_GOING:
		kstate_catalog_remove_module(mod);
		kstate_forget_module(mod);
	}
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = stock_module_event };

int kstate_modules_begin(void)
{
	return register_module_notifier(&module_nb);
}

void kstate_modules_end(void)
{
	unregister_module_notifier(&module_nb);
}

/* SIZE$START, or SIZE@START, which shells leave alone */
static int __init stock_parse_range(void)
{
	char *end;

	if (!range) {
		pr_err("range=SIZE$START is missing: the memory that memmap=SIZE$START keeps away from this kernel\n");
		return -EINVAL;
	}
	range_size = memparse(range, &end);
	if (*end == '$' || *end == '@')
		range_start = memparse(end + 1, &end);
	if (*end || !range_start || !range_size || range_start % PAGE_SIZE ||
	    range_size % PAGE_SIZE || range_start + range_size < range_start) {
		pr_err("range=%s: expected SIZE$START, multiples of %lu\n", range, PAGE_SIZE);
		return -EINVAL;
	}
	if (range_start + range_size - 1 > iomem_resource.end) {
		pr_err("range=%s: beyond what this machine can address\n", range);
		return -EINVAL;
	}
	if (region_intersects(range_start, range_size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		pr_err("range=%s: this kernel uses that memory: boot it, and the next one, with memmap=%s\n",
		       range, range);
		return -EBUSY;
	}
	return 0;
}

static int __init stock_open(void)
{
	struct kstate_error err = {};
	struct kstate_set *out;
	int ret = kstate_registry_begin();

	if (ret)
		return ret;
	kstate_registry_open(kstate_range_open(from, &err), &err);
	out = kstate_range_create();
	ret = out ? kstate_registry_init(out) : -ENOMEM;
	if (ret)
		kstate_set_destroy(out);
	return ret;
}

static void stock_close(void)
{
	kstate_registry_exit();
	kstate_range_exit();
	memunmap(range_base);
}

static int __init stock_init(void)
{
	int ret = stock_parse_range();

	if (ret)
		return ret;
	range_base = memremap(range_start, range_size, MEMREMAP_WB);
	if (!range_base) {
		pr_err("range=%s: it cannot be mapped\n", range);
		return -ENOMEM;
	}
	kstate_range_init(range_base, range_size);
	ret = stock_open();
	if (!ret)
		ret = kstate_directory_init();
	if (!ret) {
		ret = register_reboot_notifier(&reboot_nb);
		if (ret)
			kstate_directory_exit();
	}
	if (ret)
		stock_close();
	return ret;
}
module_init(stock_init);

static void __exit stock_exit(void)
{
	unregister_reboot_notifier(&reboot_nb);
	kstate_directory_exit();
	stock_close();
}
module_exit(stock_exit);

MODULE_DESCRIPTION("Describe kernel state and carry it across kexec, in a range of memory");
MODULE_LICENSE("GPL");
