/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices that go on while the kernel is replaced.
 */
#ifndef VFIO_PCI_LIVEUPDATE_H
#define VFIO_PCI_LIVEUPDATE_H

#include <linux/vfio_pci_core.h>

#ifdef CONFIG_VFIO_PCI_LIVEUPDATE

void vfio_pci_liveupdate_probe(struct vfio_pci_core_device *vdev);
void vfio_pci_liveupdate_remove(struct vfio_pci_core_device *vdev);
void vfio_pci_liveupdate_close(struct vfio_device *core_vdev);
int vfio_pci_liveupdate_attach_ioas(struct vfio_device *core_vdev, u32 *pt_id);

#else

static inline void vfio_pci_liveupdate_probe(struct vfio_pci_core_device *vdev) {}
static inline void vfio_pci_liveupdate_remove(struct vfio_pci_core_device *vdev) {}
static inline void vfio_pci_liveupdate_close(struct vfio_device *core_vdev) {}
#define vfio_pci_liveupdate_attach_ioas vfio_iommufd_physical_attach_ioas

#endif
#endif
