/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI devices that go on while the kernel is replaced.
 */
#ifndef _LINUX_PCI_LIVEUPDATE_H
#define _LINUX_PCI_LIVEUPDATE_H

#include <linux/kstate.h>
#include <linux/pci.h>

/* What close restores, as pci_store_saved_state() keeps it */
struct pci_saved_cap {
	u16 id;
	bool extended;
	u32 size;
	u8 *data;
};

struct pci_saved_config {
	u32 header[16];
	u32 nr_caps;
	struct pci_saved_cap *caps;
};

#ifdef CONFIG_PCI_LIVEUPDATE

extern struct kstate_description pci_saved_config_state;

int pci_liveupdate_preserve(struct pci_dev *dev, const struct kstate_stream *stream);
const char *pci_liveupdate_memory(struct pci_dev *dev);
void pci_liveupdate_forget(struct pci_dev *dev);
void pci_liveupdate_refuse(struct pci_dev *dev, const char *why);
void pci_liveupdate_remove(struct pci_dev *dev);
void pci_liveupdate_setup(struct pci_dev *dev);
void pci_liveupdate_stop(const char *why);
void pci_liveupdate_close(void);
int pci_saved_config_from(struct pci_saved_config *config, const struct pci_saved_state *state);
struct pci_saved_state *pci_saved_config_to(const struct pci_saved_config *config);
void pci_saved_config_free(struct pci_saved_config *config);

/**
 * pci_liveupdate_preserved() - does the device go on over a kexec?
 * @dev: a device, or a bridge above one
 *
 * Return: true from pci_liveupdate_preserve() on, and in the next kernel from enumeration
 * on, until pci_liveupdate_forget().
 */
static inline bool pci_liveupdate_preserved(struct pci_dev *dev)
{
	return dev->liveupdate;
}

/* Where a device is, as the key of its records */
static inline struct kstate_key pci_liveupdate_key_at(u32 segment, u16 devid)
{
	return KSTATE_ID((u64)segment << 16 | devid);
}

static inline struct kstate_key pci_liveupdate_key(struct pci_dev *dev)
{
	return pci_liveupdate_key_at(pci_domain_nr(dev->bus), pci_dev_id(dev));
}

/* The device that is there, with a reference, or NULL */
static inline struct pci_dev *pci_liveupdate_dev(struct kstate_key key)
{
	return pci_get_domain_bus_and_slot(key.id >> 16, PCI_BUS_NUM(key.id), key.id & 0xff);
}

bool pci_liveupdate_incoming(struct pci_dev *dev);

#else

static inline bool pci_liveupdate_preserved(struct pci_dev *dev)
{
	return false;
}

static inline bool pci_liveupdate_incoming(struct pci_dev *dev)
{
	return false;
}

static inline void pci_liveupdate_setup(struct pci_dev *dev)
{
}

static inline void pci_liveupdate_remove(struct pci_dev *dev)
{
}

static inline void pci_liveupdate_stop(const char *why)
{
}

#endif /* CONFIG_PCI_LIVEUPDATE */

#endif
