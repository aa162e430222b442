// SPDX-License-Identifier: GPL-2.0
/*
 * PCI devices that go on while the kernel is replaced.
 *
 * Each device that is preserved, and each bridge above it, has a record: what
 * identifies it, and what it decodes. The next kernel compares it with what it
 * finds when it enumerates, before it writes to the device. Only if all is the
 * same does the device stay master of the bus. Whatever else is master of the
 * bus after a kexec is stopped: its driver starts it again when it knows where
 * the device writes to.
 *
 * A kernel that does not know of all this would let the device write to memory
 * that is somebody else's. So a jump is refused unless the gate has been armed.
 */

#define pr_fmt(fmt) "pci-liveupdate: " fmt

#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kstate.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/pci_liveupdate.h>
#include <linux/slab.h>

#include "pci.h"

/*
 * @decode is the header behind the class, which has BARs, bus numbers and windows;
 * @memory is the stream that hands over what the device can write to. The next
 * kernel keeps that as long as the device may write. @users counts the preserved
 * devices that this one is, or is above of.
 */
struct pci_liveupdate {
	u16 vendor;
	u16 device;
	u32 class;
	u8 hdr_type;
	u32 decode[8];
	char *memory;

	u32 users;
	struct kstate_stream *held;	/* of the previous kernel */
	bool incoming;
};

static KSTATE_DESCRIBE(pci_dev_state, "pci_dev", 1,
	KSTATE_FIELD(struct pci_liveupdate, vendor, KSTATE_EQUAL, KSTATE_HEX),
	KSTATE_FIELD(struct pci_liveupdate, device, KSTATE_EQUAL, KSTATE_HEX),
	KSTATE_FIELD(struct pci_liveupdate, class, KSTATE_EQUAL, KSTATE_HEX),
	KSTATE_FIELD(struct pci_liveupdate, hdr_type, KSTATE_EQUAL),
	KSTATE_FIELD(struct pci_liveupdate, decode, KSTATE_EQUAL, KSTATE_HEX),
	KSTATE_STRING(memory, struct pci_liveupdate),
	KSTATE_SKIP(users, struct pci_liveupdate, "counted anew"),
	KSTATE_SKIP(held, struct pci_liveupdate, "this kernel's"),
	KSTATE_SKIP(incoming, struct pci_liveupdate, "this kernel's"));

/* Protects pci_dev.liveupdate and what it points to */
static DEFINE_MUTEX(pci_liveupdate_lock);

static struct pci_liveupdate *pci_liveupdate_read(struct pci_dev *dev)
{
	struct pci_liveupdate *lu = kzalloc_obj(*lu);

	if (!lu)
		return NULL;
	lu->vendor = dev->vendor;
	lu->device = dev->device;
	lu->class = dev->class;
	lu->hdr_type = dev->hdr_type;
	for (int i = 0; i < ARRAY_SIZE(lu->decode); i++)
		pci_read_config_dword(dev, PCI_BASE_ADDRESS_0 + 4 * i, &lu->decode[i]);
	/* The upper half of this word is the status of the bus below */
	if (dev->hdr_type == PCI_HEADER_TYPE_BRIDGE)
		lu->decode[(PCI_IO_BASE - PCI_BASE_ADDRESS_0) / 4] &= 0xffff;
	return lu;
}

static void pci_liveupdate_free(struct pci_liveupdate *lu)
{
	if (!lu)
		return;
	if (lu->held)
		kstate_stream_hold(lu->held, false);
	kvfree(lu->memory);
	kfree(lu);
}

static void pci_liveupdate_drop(struct pci_dev *dev)
{
	struct pci_liveupdate *lu = dev->liveupdate;

	if (!lu)
		return;
	/* Too late to be handed over: the IOMMU does not know it any more */
	if (kexec_in_progress && dev->hdr_type == PCI_HEADER_TYPE_NORMAL)
		pci_clear_master(dev);
	dev->liveupdate = NULL;
	kstate_unregister(&pci_dev_state, lu);
	pci_liveupdate_free(lu);
}

static void pci_liveupdate_put(struct pci_dev *dev)
{
	if (dev->liveupdate && !--dev->liveupdate->users)
		pci_liveupdate_drop(dev);
}

static int pci_liveupdate_get(struct pci_dev *dev, const char *memory)
{
	struct pci_liveupdate *lu = dev->liveupdate;
	int err = 0;

	if (lu) {
		lu->users++;
		return 0;
	}
	lu = pci_liveupdate_read(dev);
	if (!lu)
		return -ENOMEM;
	lu->users = 1;
	if (memory) {
		lu->memory = kstrdup(memory, GFP_KERNEL);
		if (!lu->memory)
			err = -ENOMEM;
	}
	if (!err)
		err = kstate_register_anew(&pci_dev_state, lu, pci_liveupdate_key(dev));
	if (err) {
		pci_liveupdate_free(lu);
		return err;
	}
	dev->liveupdate = lu;
	return 0;
}

/* The device, and the bridges above it */
static void pci_liveupdate_put_below(struct pci_dev *dev, struct pci_dev *end)
{
	for (; dev != end; dev = pci_upstream_bridge(dev))
		pci_liveupdate_put(dev);
}

/**
 * pci_liveupdate_preserve() - let a device be master of the bus over a kexec
 * @dev: the device; its driver is bound, and has switched it on
 * @stream: the stream that hands over all memory that the device can write to
 *
 * Context: may sleep.
 * Return: 0; -EBUSY if it is preserved already; -EOPNOTSUPP if it is a function that comes
 * and goes with another; another negative error code.
 */
int pci_liveupdate_preserve(struct pci_dev *dev, const struct kstate_stream *stream)
{
	struct pci_dev *at;
	int err;

	if (dev->is_virtfn || pci_num_vf(dev) || dev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return kstate_refuse(kstate_outgoing(), "preserve", -EOPNOTSUPP, pci_name(dev),
				     "a device without virtual functions, and no bridge", "one");
	guard(mutex)(&pci_liveupdate_lock);
	if (dev->liveupdate)
		return -EBUSY;
	for (at = dev; at; at = pci_upstream_bridge(at)) {
		err = pci_liveupdate_get(at, at == dev ? kstate_stream_name(stream) : NULL);
		if (err) {
			pci_liveupdate_put_below(dev, at);
			return err;
		}
	}
	return 0;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_preserve);

/**
 * pci_liveupdate_forget() - a device does not go on any more
 * @dev: a device that is preserved, in the old kernel or in the new one
 *
 * It stays master of the bus until a driver, or the next kexec, ends that.
 *
 * Context: may sleep.
 */
void pci_liveupdate_forget(struct pci_dev *dev)
{
	guard(mutex)(&pci_liveupdate_lock);
	if (dev->liveupdate)
		pci_liveupdate_put_below(dev, NULL);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_forget);

/**
 * pci_liveupdate_refuse() - stop a device that nobody can take over
 * @dev: a device that is preserved
 * @why: what is wrong, for the log
 *
 * Context: may sleep.
 */
void pci_liveupdate_refuse(struct pci_dev *dev, const char *why)
{
	u16 command;

	pci_err(dev, "stopped: %s\n", why);
	pci_clear_master(dev);
	/* What it has sent before arrives before the answer */
	pci_read_config_word(dev, PCI_COMMAND, &command);
	pci_wait_for_pending_transaction(dev);
	pci_liveupdate_forget(dev);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_refuse);

/**
 * pci_liveupdate_remove() - a device goes away
 * @dev: a device, or a bridge, below which nothing is left
 */
void pci_liveupdate_remove(struct pci_dev *dev)
{
	if (dev->hdr_type != PCI_HEADER_TYPE_NORMAL) {
		guard(mutex)(&pci_liveupdate_lock);
		pci_liveupdate_drop(dev);
	} else if (pci_liveupdate_preserved(dev)) {
		pci_liveupdate_refuse(dev, "it is removed");
	}
}

/**
 * pci_liveupdate_incoming() - has the previous kernel handed over this device?
 * @dev: the device
 *
 * Return: true until pci_liveupdate_forget().
 */
bool pci_liveupdate_incoming(struct pci_dev *dev)
{
	guard(mutex)(&pci_liveupdate_lock);
	return dev->liveupdate && dev->liveupdate->incoming;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_incoming);

/**
 * pci_liveupdate_memory() - which stream hands over what a device can write to?
 * @dev: a device that was handed over
 *
 * Return: its name; the device's until pci_liveupdate_forget().
 */
const char *pci_liveupdate_memory(struct pci_dev *dev)
{
	return dev->liveupdate->memory;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_memory);

/* The memory stays as long as the device may write to it */
static int pci_liveupdate_hold(struct pci_liveupdate *lu)
{
	if (!lu->memory)
		return -EINVAL;
	lu->held = kstate_stream_find(kstate_incoming(), lu->memory);
	if (!lu->held)
		return -ENOENT;
	kstate_stream_hold(lu->held, true);
	return 0;
}

/* When the IOMMUs have been set up, it is too late for a device that was not there */
static bool pci_liveupdate_closed;

static int pci_liveupdate_restore(struct pci_dev *dev, struct pci_liveupdate *lu)
{
	int err = kstate_restore_key(&pci_dev_state, lu, pci_liveupdate_key(dev));

	if (!err && pci_liveupdate_closed)
		err = -EBUSY;
	if (!err && dev->hdr_type == PCI_HEADER_TYPE_NORMAL) {
		struct pci_dev *up = dev;

		while ((up = pci_upstream_bridge(up)))
			if (!up->liveupdate)
				return -ENXIO;
		err = pci_liveupdate_hold(lu);
	}
	return err ?: kstate_register_anew(&pci_dev_state, lu, pci_liveupdate_key(dev));
}

/**
 * pci_liveupdate_setup() - take over a device, or stop it
 * @dev: the device, of which not more is known than its identity; bridges above it
 *	have been set up
 *
 * Context: enumeration, before BARs are looked at.
 */
void pci_liveupdate_setup(struct pci_dev *dev)
{
	struct pci_liveupdate *lu;
	u16 command;
	int err;

	if (!is_kho_boot())
		return;
	guard(mutex)(&pci_liveupdate_lock);
	lu = pci_liveupdate_read(dev);
	err = lu ? pci_liveupdate_restore(dev, lu) : -ENOMEM;
	if (!err) {
		lu->incoming = true;
		dev->liveupdate = lu;
		if (dev->hdr_type == PCI_HEADER_TYPE_NORMAL)
			for (; dev; dev = pci_upstream_bridge(dev))
				dev->liveupdate->users++;
		return;
	}
	pci_liveupdate_free(lu);

	pci_read_config_word(dev, PCI_COMMAND, &command);
	if (command & PCI_COMMAND_MASTER) {
		pci_write_config_word(dev, PCI_COMMAND, command & ~PCI_COMMAND_MASTER);
		pci_warn(dev, "stopped: it was master of the bus, and is not handed over (%pe)\n",
			 ERR_PTR(err));
	}
}

/**
 * pci_liveupdate_close() - devices that come from now on have not been handed over
 *
 * Bridges above no device that goes on are as all others.
 *
 * Context: once, before any driver is bound.
 */
void __init pci_liveupdate_close(void)
{
	struct pci_dev *dev = NULL;

	guard(mutex)(&pci_liveupdate_lock);
	pci_liveupdate_closed = true;
	for_each_pci_dev(dev)
		if (dev->liveupdate && !dev->liveupdate->users)
			pci_liveupdate_drop(dev);
}

/**
 * pci_liveupdate_stop() - stop all devices that were handed over
 * @why: for the log
 *
 * Context: before translation goes off.
 */
void __init pci_liveupdate_stop(const char *why)
{
	struct pci_dev *dev = NULL;

	for_each_pci_dev(dev)
		if (dev->hdr_type == PCI_HEADER_TYPE_NORMAL && pci_liveupdate_incoming(dev))
			pci_liveupdate_refuse(dev, why);
}

/* If no IOMMU driver has looked at what was handed over, nobody knows where devices write to */
static int __init pci_liveupdate_no_iommu(void)
{
	if (pci_liveupdate_closed)
		return 0;
	pci_liveupdate_stop("no IOMMU has adopted it");
	pci_liveupdate_close();
	return 0;
}
device_initcall(pci_liveupdate_no_iommu);	/* before drivers are bound */

static int pci_liveupdate_kexec(struct notifier_block *nb, unsigned long event, void *image)
{
	struct pci_dev *dev = NULL;

	if (event != KEXEC_PREPARE || kstate_gate_armed())
		return NOTIFY_OK;
	for_each_pci_dev(dev) {
		if (!pci_liveupdate_preserved(dev))
			continue;
		kstate_refuse(kstate_outgoing(), "kexec", -EPROTO, pci_name(dev),
			      "an armed gate (kstate arm), for a device that goes on",
			      "a target of which nothing is known");
		pci_dev_put(dev);
		return notifier_from_errno(-EPROTO);
	}
	return NOTIFY_OK;
}

static struct notifier_block pci_liveupdate_nb = { .notifier_call = pci_liveupdate_kexec };

static int __init pci_liveupdate_init(void)
{
	return register_kexec_notifier(&pci_liveupdate_nb);
}
core_initcall(pci_liveupdate_init);

/* What closing the device restores */

static KSTATE_DESCRIBE(pci_saved_cap_state, "pci_saved_cap", 1,
	KSTATE_FIELD(struct pci_saved_cap, id, KSTATE_HEX),
	KSTATE_FIELD(struct pci_saved_cap, extended),
	KSTATE_FIELD(struct pci_saved_cap, size, KSTATE_RANGE(1, PCI_CFG_SPACE_EXP_SIZE)),
	KSTATE_VARRAY(data, struct pci_saved_cap, size, KSTATE_ALLOC));

KSTATE_DESCRIBE(pci_saved_config_state, "pci_saved_config", 1,
	KSTATE_FIELD(struct pci_saved_config, header, KSTATE_HEX),
	KSTATE_FIELD(struct pci_saved_config, nr_caps),
	KSTATE_STRUCT_VARRAY(caps, struct pci_saved_config, nr_caps, &pci_saved_cap_state,
			     KSTATE_ALLOC));

/**
 * pci_saved_config_free() - free what pci_saved_config_from(), or restoring, allocated
 * @config: where it is; not freed itself
 */
void pci_saved_config_free(struct pci_saved_config *config)
{
	for (u32 i = 0; config->caps && i < config->nr_caps; i++)
		kvfree(config->caps[i].data);
	kvfree(config->caps);
	config->caps = NULL;
}
EXPORT_SYMBOL_GPL(pci_saved_config_free);

static const struct pci_cap_saved_data *pci_saved_next(const struct pci_cap_saved_data *cap)
{
	return (const void *)cap->data + cap->size;
}

/**
 * pci_saved_config_from() - what a stored state holds, in a form that can be described
 * @config: what it holds; to be freed with pci_saved_config_free(), also on failure
 * @state: the stored state
 *
 * Return: 0 or -ENOMEM.
 */
int pci_saved_config_from(struct pci_saved_config *config, const struct pci_saved_state *state)
{
	const struct pci_cap_saved_data *cap;
	struct pci_saved_cap *to;

	*config = (struct pci_saved_config) {};
	memcpy(config->header, state->config_space, sizeof(config->header));
	for (cap = state->cap; cap->size; cap = pci_saved_next(cap))
		config->nr_caps++;
	config->caps = kvzalloc_objs(*config->caps, config->nr_caps);
	if (!config->caps)
		return -ENOMEM;
	for (cap = state->cap, to = config->caps; cap->size; cap = pci_saved_next(cap), to++) {
		to->id = cap->cap_nr;
		to->extended = cap->cap_extended;
		to->size = cap->size;
		to->data = kvmemdup(cap->data, cap->size, GFP_KERNEL);
		if (!to->data)
			return -ENOMEM;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(pci_saved_config_from);

/**
 * pci_saved_config_to() - make a stored state again
 * @config: what it holds
 *
 * Return: what pci_load_and_free_saved_state() takes, or NULL if there is no memory.
 */
struct pci_saved_state *pci_saved_config_to(const struct pci_saved_config *config)
{
	size_t size = sizeof(struct pci_saved_state) + sizeof(struct pci_cap_saved_data);
	struct pci_saved_state *state;
	struct pci_cap_saved_data *to;

	for (u32 i = 0; i < config->nr_caps; i++)
		size += sizeof(*to) + config->caps[i].size;
	state = kzalloc(size, GFP_KERNEL);
	if (!state)
		return NULL;
	memcpy(state->config_space, config->header, sizeof(config->header));
	to = state->cap;
	for (u32 i = 0; i < config->nr_caps; i++) {
		const struct pci_saved_cap *cap = &config->caps[i];

		to->cap_nr = cap->id;
		to->cap_extended = cap->extended;
		to->size = cap->size;
		memcpy(to->data, cap->data, cap->size);
		to = (struct pci_cap_saved_data *)((void *)to->data + to->size);
	}
	return state;
}
EXPORT_SYMBOL_GPL(pci_saved_config_to);
