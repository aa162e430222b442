// SPDX-License-Identifier: GPL-2.0
/*
 * Devices whose translation goes on while the kernel is replaced.
 *
 * Of each unit that has preserved devices, the root table and the context tables
 * that lead to them are handed over; of each domain, all its page tables; of each
 * device, which domain it has. From the moment when a device is preserved, nothing
 * that it can reach changes.
 *
 * At the jump translation stays on, and all other entries are cleared. The next
 * kernel looks at the records before it touches the hardware. A unit is adopted
 * if it is the same, still uses the tables that were handed over, and if these lead
 * to nothing but tables and memory that are preserved. Its entries are then copied
 * into a root table of this kernel. Devices that cannot be adopted are stopped
 * before translation goes off, or before their entry is left out: they would
 * write to memory that is somebody else's by then.
 *
 * An adopted device is attached to the domain that its new owner has filled only
 * if that translates as the old tables do. So the two halves of the entry can be
 * replaced one after the other, while the device goes on: any mix of them is right.
 *
 * Tables and entries are as in the specification of Intel VT-d, 9.1 (root entry), 9.3
 * (context entry) and 9.8 (second-stage paging entries). Only legacy mode is handled.
 */

#define pr_fmt(fmt) "DMAR: liveupdate: " fmt

#include <linux/kexec_handover.h>
#include <linux/kstate.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/slab.h>

#include "iommu.h"
#include "liveupdate.h"
#include "../iommu-pages.h"

/* Of one bus */
struct vtd_context {
	u8 bus;
	struct folio *table;
};

struct vtd_unit {
	u64 cap;
	u64 ecap;
	struct folio *root;
	u32 nr_contexts;
	struct vtd_context *contexts;

	struct intel_iommu *iommu;
	struct list_head list;
	u32 devices;
};

/* The tables are in the order in which walking them from the top finds them */
struct vtd_domain {
	u64 unit;
	u16 did;
	u8 aw;
	u64 nr_tables;
	struct kstate_folio_entry *tables;

	struct list_head list;
	u32 devices;
	bool incoming;		/* so that the tables are ours to free */
};

struct vtd_device {
	u64 unit;
	u16 did;

	struct list_head list;
	struct kstate_key key;
	struct vtd_unit *vtd_unit;
	struct vtd_domain *domain;
	bool incoming;		/* not attached by this kernel yet */
};

static KSTATE_DESCRIBE(vtd_context_state, "vtd_context", 1,
	KSTATE_FIELD(struct vtd_context, bus, KSTATE_HEX),
	KSTATE_FOLIO(table, struct vtd_context));

/* With the address of its registers as the key */
static KSTATE_DESCRIBE(vtd_unit_state, "vtd_unit", 1,
	KSTATE_FIELD(struct vtd_unit, cap, KSTATE_EQUAL, KSTATE_HEX),
	KSTATE_FIELD(struct vtd_unit, ecap, KSTATE_EQUAL, KSTATE_HEX),
	KSTATE_FOLIO(root, struct vtd_unit),
	KSTATE_FIELD(struct vtd_unit, nr_contexts),
	KSTATE_STRUCT_VARRAY(contexts, struct vtd_unit, nr_contexts, &vtd_context_state,
			     KSTATE_ALLOC),
	KSTATE_SKIP(iommu, struct vtd_unit, "this kernel's"),
	KSTATE_SKIP(list, struct vtd_unit, "this kernel's"),
	KSTATE_SKIP(devices, struct vtd_unit, "this kernel's"));

static KSTATE_DESCRIBE(vtd_domain_state, "vtd_domain", 1,
	KSTATE_FIELD(struct vtd_domain, unit, KSTATE_HEX),
	KSTATE_FIELD(struct vtd_domain, did),
	KSTATE_FIELD(struct vtd_domain, aw, KSTATE_RANGE(1, 3)),
	KSTATE_FIELD(struct vtd_domain, nr_tables),
	KSTATE_FOLIOS(tables, struct vtd_domain, nr_tables),
	KSTATE_SKIP(list, struct vtd_domain, "this kernel's"),
	KSTATE_SKIP(devices, struct vtd_domain, "this kernel's"),
	KSTATE_SKIP(incoming, struct vtd_domain, "this kernel's"));

/* With the same key as the PCI device */
static KSTATE_DESCRIBE(vtd_device_state, "vtd_device", 1,
	KSTATE_FIELD(struct vtd_device, unit, KSTATE_HEX),
	KSTATE_FIELD(struct vtd_device, did),
	KSTATE_SKIP(list, struct vtd_device, "this kernel's"),
	KSTATE_SKIP(key, struct vtd_device, "the key of the record"),
	KSTATE_SKIP(vtd_unit, struct vtd_device, "found by its address"),
	KSTATE_SKIP(domain, struct vtd_device, "found by unit and did"),
	KSTATE_SKIP(incoming, struct vtd_device, "this kernel's"));

/* Protects the lists and what is on them */
static DEFINE_MUTEX(vtd_lock);
static LIST_HEAD(vtd_units);
static LIST_HEAD(vtd_domains);
static LIST_HEAD(vtd_devices);

/*
 * What the previous kernel had, until the hardware does not use it any more. Those
 * that are not adopted have no vtd_unit.iommu.
 */
static LIST_HEAD(vtd_old_units);

/* Registers start at a page, and domain ids have 16 bits */
static struct kstate_key vtd_domain_key(u64 unit, u16 did)
{
	return KSTATE_ID(unit << 4 | did);
}

static u8 key_bus(struct kstate_key key)
{
	return PCI_BUS_NUM(key.id);
}

static u8 key_devfn(struct kstate_key key)
{
	return key.id & 0xff;
}

static struct vtd_unit *vtd_unit_find(struct list_head *units, u64 reg_phys)
{
	struct vtd_unit *unit;

	list_for_each_entry(unit, units, list)
		if (unit->iommu && unit->iommu->reg_phys == reg_phys)
			return unit;
	return NULL;
}

static struct vtd_domain *vtd_domain_find(u64 unit, u16 did)
{
	struct vtd_domain *domain;

	list_for_each_entry(domain, &vtd_domains, list)
		if (domain->unit == unit && domain->did == did)
			return domain;
	return NULL;
}

static struct vtd_device *vtd_device_find(struct kstate_key key)
{
	struct vtd_device *device;

	list_for_each_entry(device, &vtd_devices, list)
		if (device->key.id == key.id)
			return device;
	return NULL;
}

static struct intel_iommu *__init vtd_iommu_find(u64 reg_phys)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;

	for_each_active_iommu(iommu, drhd)
		if (iommu->reg_phys == reg_phys)
			return iommu;
	return NULL;
}

static struct vtd_context *vtd_unit_context(struct vtd_unit *unit, u8 bus)
{
	for (u32 i = 0; i < unit->nr_contexts; i++)
		if (unit->contexts[i].bus == bus)
			return &unit->contexts[i];
	return NULL;
}

/* Walking page tables */

static bool pte_is_table(const struct dma_pte *pte, int level)
{
	return level > 1 && dma_pte_present((struct dma_pte *)pte) &&
	       !(pte->val & DMA_PTE_LARGE_PAGE);
}

static u64 pte_address(const struct dma_pte *pte)
{
	return pte->val & VTD_PAGE_MASK & GENMASK_ULL(51, 0);
}

static int vtd_domain_collect(struct vtd_domain *domain, struct dma_pte *table, int level,
			      u64 *room)
{
	int err;

	if (domain->nr_tables == *room) {
		struct kstate_folio_entry *tables;

		*room += *room / 2 + 64;
		tables = kvrealloc(domain->tables, *room * sizeof(*tables), GFP_KERNEL);
		if (!tables)
			return -ENOMEM;
		domain->tables = tables;
	}
	domain->tables[domain->nr_tables] = (struct kstate_folio_entry) {
		.folio = virt_to_folio(table),
		.index = domain->nr_tables,
	};
	domain->nr_tables++;
	for (int i = 0; i < SZ_4K / sizeof(*table); i++) {
		if (!pte_is_table(&table[i], level))
			continue;
		err = vtd_domain_collect(domain, phys_to_virt(pte_address(&table[i])), level - 1,
					 room);
		if (err)
			return err;
	}
	return 0;
}

/* The end of the preserved block that an address is in, and that is nobody's yet, or 0 */
static u64 preserved_end(u64 phys)
{
	for (unsigned int order = 0; order < BITS_PER_LONG - PAGE_SHIFT; order++) {
		u64 block = ALIGN_DOWN(phys, PAGE_SIZE << order);
		int found = kho_preserved_order(block);

		if (found >= (int)order)
			return block + (PAGE_SIZE << found);
	}
	return 0;
}

static bool memory_is_preserved(u64 phys, u64 size)
{
	u64 end = phys + size;

	while (phys && phys < end)
		phys = preserved_end(phys);
	return phys;
}

/* Do the tables lead to each other in their order, and to preserved memory? @at is the next. */
static bool vtd_domain_is_whole(const struct vtd_domain *domain, int level, u64 *at)
{
	const struct dma_pte *table = folio_address(domain->tables[(*at)++].folio);

	for (int i = 0; i < SZ_4K / sizeof(*table); i++) {
		const struct dma_pte *pte = &table[i];

		if (!dma_pte_present((struct dma_pte *)pte))
			continue;
		if (pte_is_table(pte, level)) {
			if (*at == domain->nr_tables ||
			    pte_address(pte) != PFN_PHYS(folio_pfn(domain->tables[*at].folio)) ||
			    !vtd_domain_is_whole(domain, level - 1, at))
				return false;
		} else if (level > 3 ||
			   !memory_is_preserved(pte_address(pte), SZ_4K << (9 * (level - 1)))) {
			return false;
		}
	}
	return true;
}

/* Do two entries translate alike? @iova is where they do not. */
static bool pte_translates_as(struct dma_pte a, struct dma_pte b, int level, u64 *iova)
{
	const u64 what = (VTD_PAGE_MASK & GENMASK_ULL(51, 0)) | DMA_PTE_READ | DMA_PTE_WRITE;
	u64 size = 1ULL << (VTD_PAGE_SHIFT + 9 * (level - 1));
	bool a_table = pte_is_table(&a, level), b_table = pte_is_table(&b, level);

	if (!a_table && !b_table)
		return dma_pte_present(&a) == dma_pte_present(&b) &&
		       (!dma_pte_present(&a) || !((a.val ^ b.val) & what));
	size >>= 9;
	for (int i = 0; i < 512; i++) {
		struct dma_pte below[2] = { a, b };

		for (int j = 0; j < 2; j++) {
			if (j ? b_table : a_table) {
				const struct dma_pte *table = phys_to_virt(pte_address(&below[j]));

				below[j] = table[i];
			} else if (dma_pte_present(&below[j])) {
				/* A part of the large page */
				below[j].val += i * size;
				if (level == 2)
					below[j].val &= ~DMA_PTE_LARGE_PAGE;
			}
		}
		if (!pte_translates_as(below[0], below[1], level - 1, iova)) {
			*iova += i * size;
			return false;
		}
	}
	return true;
}

/* Records of this kernel */

static void vtd_unit_put(struct vtd_unit *unit)
{
	if (--unit->devices)
		return;
	list_del(&unit->list);
	kstate_unregister(&vtd_unit_state, unit);
	kvfree(unit->contexts);
	kfree(unit);
}

static void vtd_unit_add_context(struct vtd_unit *unit, u8 bus)
{
	u64 root = unit->iommu->root_entry[bus].lo;
	struct vtd_context *context;

	if (vtd_unit_context(unit, bus))
		return;
	context = &unit->contexts[unit->nr_contexts];
	context->bus = bus;
	context->table = virt_to_folio(phys_to_virt(root & VTD_PAGE_MASK));
	/* A check may read it meanwhile */
	smp_store_release(&unit->nr_contexts, unit->nr_contexts + 1);
}

static struct vtd_unit *vtd_unit_get(struct intel_iommu *iommu, u8 bus)
{
	struct vtd_unit *unit = vtd_unit_find(&vtd_units, iommu->reg_phys);
	int err;

	if (!unit) {
		unit = kzalloc_obj(*unit);
		if (!unit)
			return ERR_PTR(-ENOMEM);
		unit->iommu = iommu;
		unit->cap = iommu->cap;
		unit->ecap = iommu->ecap;
		unit->root = virt_to_folio(iommu->root_entry);
		unit->contexts = kvzalloc_objs(*unit->contexts, 256);
		err = unit->contexts ? kstate_register_anew(&vtd_unit_state, unit,
							    KSTATE_ID(iommu->reg_phys)) : -ENOMEM;
		if (err) {
			kvfree(unit->contexts);
			kfree(unit);
			return ERR_PTR(err);
		}
		list_add(&unit->list, &vtd_units);
	}
	unit->devices++;
	vtd_unit_add_context(unit, bus);
	return unit;
}

static void vtd_domain_free(struct vtd_domain *domain)
{
	if (domain->incoming)
		for (u64 i = 0; i < domain->nr_tables; i++)
			folio_put(domain->tables[i].folio);
	kvfree(domain->tables);
	kfree(domain);
}

static void vtd_domain_put(struct vtd_domain *domain)
{
	if (--domain->devices)
		return;
	list_del(&domain->list);
	kstate_unregister(&vtd_domain_state, domain);
	vtd_domain_free(domain);
}

static struct vtd_domain *vtd_domain_get(struct intel_iommu *iommu, struct dmar_domain *dmar_domain)
{
	u16 did = domain_id_iommu(dmar_domain, iommu);
	struct vtd_domain *domain = vtd_domain_find(iommu->reg_phys, did);
	struct pt_iommu_vtdss_hw_info info;
	u64 room = 0;
	int err;

	if (domain) {
		domain->devices++;
		return domain;
	}
	domain = kzalloc_obj(*domain);
	if (!domain)
		return ERR_PTR(-ENOMEM);
	pt_iommu_vtdss_hw_info(&dmar_domain->sspt, &info);
	domain->unit = iommu->reg_phys;
	domain->did = did;
	domain->aw = info.aw;
	domain->devices = 1;
	err = vtd_domain_collect(domain, phys_to_virt(info.ssptptr), agaw_to_level(info.aw),
				 &room);
	if (!err)
		err = kstate_register_anew(&vtd_domain_state, domain,
					   vtd_domain_key(domain->unit, did));
	if (err) {
		vtd_domain_free(domain);
		return ERR_PTR(err);
	}
	list_add(&domain->list, &vtd_domains);
	return domain;
}

static void vtd_device_put(struct vtd_device *device)
{
	list_del(&device->list);
	kstate_unregister(&vtd_device_state, device);
	vtd_domain_put(device->domain);
	if (device->vtd_unit)
		vtd_unit_put(device->vtd_unit);
	kfree(device);
}

static int count_alias(struct pci_dev *pdev, u16 alias, void *count)
{
	++*(int *)count;
	return 0;
}

/* What is not handled, in the words of an error: what there should be, and what there is */
static const char *vtd_why_not(struct device *dev, struct iommu_domain *domain, const char **found)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	int aliases = 0;

	if (!dev_is_pci(dev)) {
		*found = "another one";
		return "a PCI device";
	}
	if (sm_supported(info->iommu)) {
		*found = "scalable mode: boot with intel_iommu=sm_off";
		return "an IOMMU in legacy mode";
	}
	if (!intel_domain_is_ss_paging(to_dmar_domain(domain))) {
		*found = "another kind";
		return "a domain with second-stage page tables";
	}
	if (info->ats_supported) {
		*found = "one that can have them";
		return "a device that has no translations of its own (ATS)";
	}
	if (dev_is_real_dma_subdevice(dev)) {
		*found = "one that goes by another's";
		return "a device with an entry of its own";
	}
	pci_for_each_dma_alias(to_pci_dev(dev), count_alias, &aliases);
	if (aliases != 1) {
		*found = "one that has aliases";
		return "a device with one requester id";
	}
	return NULL;
}

/**
 * vtd_liveupdate_preserve() - let the translation of a device go on over a kexec
 * @dev: the device
 * @domain: the domain that it is attached to, and that does not change from now on
 *
 * Context: may sleep.
 * Return: 0 or a negative error code.
 */
int vtd_liveupdate_preserve(struct device *dev, struct iommu_domain *domain)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct vtd_device *device;
	const char *expected, *found;
	int err;

	expected = vtd_why_not(dev, domain, &found);
	if (expected)
		return kstate_refuse(kstate_outgoing(), "preserve", -EOPNOTSUPP, dev_name(dev),
				     expected, found);

	guard(mutex)(&vtd_lock);
	device = kzalloc_obj(*device);
	if (!device)
		return -ENOMEM;
	device->key = pci_liveupdate_key(to_pci_dev(dev));
	device->unit = info->iommu->reg_phys;
	device->vtd_unit = vtd_unit_get(info->iommu, info->bus);
	if (IS_ERR(device->vtd_unit)) {
		err = PTR_ERR(device->vtd_unit);
		goto err_free;
	}
	device->domain = vtd_domain_get(info->iommu, to_dmar_domain(domain));
	if (IS_ERR(device->domain)) {
		err = PTR_ERR(device->domain);
		goto err_unit;
	}
	device->did = device->domain->did;
	err = kstate_register_anew(&vtd_device_state, device, device->key);
	if (err)
		goto err_domain;
	list_add(&device->list, &vtd_devices);
	return 0;

err_domain:
	vtd_domain_put(device->domain);
err_unit:
	vtd_unit_put(device->vtd_unit);
err_free:
	kfree(device);
	return err;
}

/**
 * vtd_liveupdate_unpreserve() - the translation of a device does not go on any more
 * @dev: the device; if it was not attached since the kexec, it must not be master of the bus
 *
 * Context: may sleep.
 */
void vtd_liveupdate_unpreserve(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct vtd_device *device;

	if (!dev_is_pci(dev))
		return;
	guard(mutex)(&vtd_lock);
	device = vtd_device_find(pci_liveupdate_key(to_pci_dev(dev)));
	if (!device)
		return;
	if (device->incoming)
		intel_iommu_clear_adopted(info->iommu, info->bus, info->devfn);
	vtd_device_put(device);
}

/**
 * vtd_liveupdate_shutdown() - the last moment before the jump
 * @iommu: the unit
 *
 * Clears all entries but those of preserved devices: the tables behind them are not preserved.
 *
 * Context: one CPU, interrupts off.
 * Return: true if translation stays on.
 */
bool vtd_liveupdate_shutdown(struct intel_iommu *iommu)
{
	struct vtd_unit *unit = vtd_unit_find(&vtd_units, iommu->reg_phys);

	if (!unit)
		return false;
	for (int bus = 0; bus < 256; bus++) {
		struct vtd_context *context = vtd_unit_context(unit, bus);
		struct root_entry *root = &iommu->root_entry[bus];
		struct context_entry *entries;

		if (!context) {
			root->lo = 0;
			__iommu_flush_cache(iommu, root, sizeof(*root));
			continue;
		}
		entries = folio_address(context->table);
		for (int devfn = 0; devfn < 256; devfn++)
			if (!vtd_device_find(pci_liveupdate_key_at(iommu->segment,
								   PCI_DEVID(bus, devfn))))
				context_clear_entry(&entries[devfn]);
		__iommu_flush_cache(iommu, entries, SZ_4K);
	}
	iommu->flush.flush_context(iommu, 0, 0, 0, DMA_CCMD_GLOBAL_INVL);
	iommu->flush.flush_iotlb(iommu, 0, 0, 0, DMA_TLB_GLOBAL_FLUSH);
	return true;
}

/* In the next kernel */

static void __init vtd_old_unit_free(struct vtd_unit *unit)
{
	if (unit->root)
		folio_put(unit->root);
	for (u32 i = 0; i < unit->nr_contexts; i++)
		if (unit->contexts[i].table)
			folio_put(unit->contexts[i].table);
	kvfree(unit->contexts);
	kfree(unit);
}

static const char *__init vtd_unit_mismatch(struct vtd_unit *unit)
{
	u64 rtaddr = readq(unit->iommu->reg + DMAR_RTADDR_REG);
	struct root_entry *root;

	if (!(readl(unit->iommu->reg + DMAR_GSTS_REG) & DMA_GSTS_TES))
		return "translation is off";
	if (!unit->root || rtaddr != PFN_PHYS(folio_pfn(unit->root)) || sm_supported(unit->iommu))
		return "the unit uses another root table";
	root = folio_address(unit->root);
	for (u32 i = 0; i < unit->nr_contexts; i++) {
		const struct vtd_context *context = &unit->contexts[i];

		if (!context->table ||
		    (root[context->bus].lo & VTD_PAGE_MASK) != PFN_PHYS(folio_pfn(context->table)))
			return "the unit uses another context table";
	}
	return NULL;
}

static void __init vtd_open_unit(struct intel_iommu *iommu)
{
	struct vtd_unit *unit = kzalloc_obj(*unit);
	const char *why;

	if (!unit)
		return;
	unit->iommu = iommu;
	unit->cap = iommu->cap;
	unit->ecap = iommu->ecap;
	if (kstate_restore_key(&vtd_unit_state, unit, KSTATE_ID(iommu->reg_phys))) {
		kfree(unit);
		return;
	}
	why = vtd_unit_mismatch(unit);
	if (why) {
		pr_err("%s: not adopted: %s\n", iommu->name, why);
		/* The unit uses its tables until it gets others */
		unit->iommu = NULL;
	}
	list_add(&unit->list, &vtd_old_units);
}

static int __init vtd_open_domain(struct kstate_key key, void *unused)
{
	struct vtd_domain *domain = kzalloc_obj(*domain);
	u64 at = 0;

	if (!domain)
		return -ENOMEM;
	if (kstate_restore_key(&vtd_domain_state, domain, key)) {
		kfree(domain);
		return 0;
	}
	domain->incoming = true;
	if (vtd_domain_key(domain->unit, domain->did).id != key.id || !domain->nr_tables ||
	    !vtd_domain_is_whole(domain, agaw_to_level(domain->aw), &at) ||
	    at != domain->nr_tables) {
		pr_err("domain %#llx: not adopted: its tables lead elsewhere\n", key.id);
		/* Whoever uses it is stopped first */
		domain->did = 0;
	}
	list_add(&domain->list, &vtd_domains);
	return 0;
}

/* The entry that the hardware uses, or NULL */
static struct context_entry *__init vtd_old_entry(struct vtd_device *device)
{
	struct vtd_unit *unit = vtd_unit_find(&vtd_old_units, device->unit);
	struct vtd_context *context;

	if (!unit || device->key.id >> 16 != unit->iommu->segment)
		return NULL;
	context = vtd_unit_context(unit, key_bus(device->key));
	if (!context)
		return NULL;
	return (struct context_entry *)folio_address(context->table) + key_devfn(device->key);
}

static const char *__init vtd_device_mismatch(struct vtd_device *device)
{
	struct context_entry *entry = vtd_old_entry(device);

	if (!entry)
		return "its IOMMU is not adopted";
	device->domain = device->did ? vtd_domain_find(device->unit, device->did) : NULL;
	if (!device->domain)
		return "its domain is not adopted";
	if (!context_present(entry) || context_domain_id(entry) != device->did ||
	    (entry->hi & 7) != device->domain->aw ||
	    (entry->lo & VTD_PAGE_MASK) != PFN_PHYS(folio_pfn(device->domain->tables[0].folio)))
		return "its entry leads elsewhere";
	return NULL;
}

static int __init vtd_open_device(struct kstate_key key, void *unused)
{
	struct vtd_device *device = kzalloc_obj(*device);
	const char *why;

	if (!device)
		return -ENOMEM;
	device->key = key;
	if (kstate_restore_key(&vtd_device_state, device, key)) {
		kfree(device);
		return 0;
	}
	device->incoming = true;
	why = vtd_device_mismatch(device);
	if (why) {
		pr_err("device %04llx:%02x:%02x.%d: not adopted: %s\n", key.id >> 16, key_bus(key),
		       PCI_SLOT(key_devfn(key)), PCI_FUNC(key_devfn(key)), why);
		kfree(device);
		return 0;
	}
	device->domain->devices++;
	list_add(&device->list, &vtd_devices);
	return 0;
}

/* It has not been registered yet */
static void __init vtd_device_drop(struct vtd_device *device)
{
	device->domain->devices--;
	list_del(&device->list);
	kfree(device);
}

static void __init vtd_stop_devices(void)
{
	struct vtd_device *device, *next;
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev)
		if (pdev->hdr_type == PCI_HEADER_TYPE_NORMAL && pci_liveupdate_incoming(pdev) &&
		    !vtd_device_find(pci_liveupdate_key(pdev)))
			pci_liveupdate_refuse(pdev, "its translation is not handed over");
	list_for_each_entry_safe(device, next, &vtd_devices, list) {
		pdev = pci_liveupdate_dev(device->key);
		if (!pdev || !pci_liveupdate_incoming(pdev)) {
			pr_err("%04llx:%02x:%02x.%d: PCI does not hand it over\n",
			       device->key.id >> 16, key_bus(device->key),
			       PCI_SLOT(key_devfn(device->key)), PCI_FUNC(key_devfn(device->key)));
			vtd_device_drop(device);
		}
		pci_dev_put(pdev);
	}
}

/**
 * vtd_liveupdate_open() - look at what was handed over, and stop devices that cannot go on
 *
 * Context: before any unit is touched, and after PCI has been enumerated.
 */
void __init vtd_liveupdate_open(void)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;

	guard(mutex)(&vtd_lock);
	for_each_active_iommu(iommu, drhd)
		vtd_open_unit(iommu);
	/* What these cannot read is not on the lists then */
	kstate_walk_keys(&vtd_domain_state, vtd_open_domain, NULL);
	kstate_walk_keys(&vtd_device_state, vtd_open_device, NULL);
	vtd_stop_devices();
}

/**
 * vtd_liveupdate_incoming() - has the previous kernel left translation on?
 * @iommu: the unit
 *
 * Then it stays on, also if no device is adopted: a device that could not be stopped,
 * because nobody has found it, reaches nothing by a new root table. The mode cannot be
 * changed that way.
 *
 * Return: true if translation has to stay on.
 */
bool __init vtd_liveupdate_incoming(struct intel_iommu *iommu)
{
	bool extended = readq(iommu->reg + DMAR_RTADDR_REG) & DMA_RTADDR_SMT;

	return is_kho_boot() && extended == sm_supported(iommu);
}

static int __init vtd_copy_entries(struct intel_iommu *iommu)
{
	struct vtd_device *device;

	iommu->copied_tables = bitmap_zalloc(BIT_ULL(16), GFP_KERNEL);
	if (!iommu->copied_tables)
		return -ENOMEM;
	list_for_each_entry(device, &vtd_devices, list) {
		u8 bus = key_bus(device->key), devfn = key_devfn(device->key);
		struct context_entry *to;

		if (device->unit != iommu->reg_phys)
			continue;
		to = iommu_context_addr(iommu, bus, devfn, 1);
		if (!to)
			return -ENOMEM;
		*to = *vtd_old_entry(device);
		__iommu_flush_cache(iommu, to, sizeof(*to));
		set_context_copied(iommu, bus, devfn);
		/* Devices may share one */
		if (ida_alloc_range(&iommu->domain_ida, device->did, device->did,
				    GFP_KERNEL) == -ENOMEM)
			return -ENOMEM;
		pr_info("%04llx:%02x:%02x.%d: adopted, domain id %u\n", device->key.id >> 16, bus,
			PCI_SLOT(devfn), PCI_FUNC(devfn), device->did);
	}
	return 0;
}

/**
 * vtd_liveupdate_adopt() - let the new root table lead to adopted devices
 * @iommu: the unit, which still uses the old root table
 *
 * Return: 0, or a negative error code: then its devices are stopped.
 */
int __init vtd_liveupdate_adopt(struct intel_iommu *iommu)
{
	struct vtd_device *device, *next;
	int err;

	guard(mutex)(&vtd_lock);
	err = vtd_copy_entries(iommu);
	if (!err)
		return 0;
	list_for_each_entry_safe(device, next, &vtd_devices, list) {
		struct context_entry *entry;
		struct pci_dev *pdev;

		if (device->unit != iommu->reg_phys)
			continue;
		pdev = pci_liveupdate_dev(device->key);
		pci_liveupdate_refuse(pdev, "its IOMMU cannot be adopted");
		pci_dev_put(pdev);
		entry = iommu_context_addr(iommu, key_bus(device->key), key_devfn(device->key), 1);
		if (entry) {
			context_clear_entry(entry);
			__iommu_flush_cache(iommu, entry, sizeof(*entry));
		}
		vtd_device_drop(device);
	}
	bitmap_free(iommu->copied_tables);
	iommu->copied_tables = NULL;
	return err;
}

/**
 * vtd_liveupdate_adopted() - all units use the root tables of this kernel
 *
 * From here on a jump hands the devices on, whether or not somebody has asked for them.
 */
void __init vtd_liveupdate_adopted(void)
{
	struct vtd_domain *domain, *next_domain;
	struct vtd_unit *unit, *next;
	struct vtd_device *device;
	int err;

	pci_liveupdate_close();
	guard(mutex)(&vtd_lock);
	list_for_each_entry_safe(unit, next, &vtd_old_units, list) {
		list_del(&unit->list);
		vtd_old_unit_free(unit);
	}
	list_for_each_entry_safe(domain, next_domain, &vtd_domains, list) {
		if (domain->devices) {
			err = kstate_register_anew(&vtd_domain_state, domain,
						   vtd_domain_key(domain->unit, domain->did));
			if (err)
				pr_err("domain %u: not handed on: %pe\n", domain->did,
				       ERR_PTR(err));
		} else {
			list_del(&domain->list);
			vtd_domain_free(domain);
		}
	}
	list_for_each_entry(device, &vtd_devices, list) {
		unit = vtd_unit_get(vtd_iommu_find(device->unit), key_bus(device->key));
		err = PTR_ERR_OR_ZERO(unit);
		if (!err) {
			device->vtd_unit = unit;
			err = kstate_register_anew(&vtd_device_state, device, device->key);
		}
		if (err)
			pr_err("%#llx: not handed on: %pe\n", device->key.id, ERR_PTR(err));
	}
}

/**
 * vtd_liveupdate_compare() - may a domain take the place of the old tables?
 * @domain: the domain; it does not change meanwhile
 * @dev: the device
 *
 * Context: may sleep.
 * Return: 0 if it translates as they do, or if @dev is not adopted; -EINVAL.
 */
int vtd_liveupdate_compare(struct dmar_domain *domain, struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct pt_iommu_vtdss_hw_info new;
	struct vtd_device *device;
	char found[64];
	u64 iova = 0;

	if (!context_adopted(info->iommu, info->bus, info->devfn))
		return 0;
	guard(mutex)(&vtd_lock);
	device = vtd_device_find(pci_liveupdate_key(to_pci_dev(dev)));
	if (!device || !intel_domain_is_ss_paging(domain))
		return -EINVAL;
	pt_iommu_vtdss_hw_info(&domain->sspt, &new);
	if (new.aw != device->domain->aw)
		return kstate_refuse(kstate_incoming(), "attach", -EINVAL, dev_name(dev),
				     "page tables of as many levels as before", "others");
	if (pte_translates_as((struct dma_pte) {
				PFN_PHYS(folio_pfn(device->domain->tables[0].folio)) |
				DMA_PTE_READ | DMA_PTE_WRITE },
			      (struct dma_pte) { new.ssptptr | DMA_PTE_READ | DMA_PTE_WRITE },
			      agaw_to_level(new.aw) + 1, &iova))
		return 0;
	snprintf(found, sizeof(found), "another one at %#llx", iova);
	return kstate_refuse(kstate_incoming(), "attach", -EINVAL, dev_name(dev),
			     "the translation that the device had in the previous kernel", found);
}

/**
 * vtd_liveupdate_replaced() - the hardware does not use the old tables any more
 * @dev: a device that has been attached
 *
 * Context: may sleep.
 */
void vtd_liveupdate_replaced(struct device *dev)
{
	struct vtd_device *device;

	if (!dev_is_pci(dev))
		return;
	guard(mutex)(&vtd_lock);
	device = vtd_device_find(pci_liveupdate_key(to_pci_dev(dev)));
	if (device && device->incoming)
		vtd_device_put(device);
}
