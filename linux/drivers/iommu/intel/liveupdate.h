/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices whose translation goes on while the kernel is replaced.
 */
#ifndef _INTEL_IOMMU_LIVEUPDATE_H_
#define _INTEL_IOMMU_LIVEUPDATE_H_

#include <linux/crash_dump.h>
#include "iommu.h"

#ifdef CONFIG_INTEL_IOMMU_LIVEUPDATE

int vtd_liveupdate_preserve(struct device *dev, struct iommu_domain *domain);
void vtd_liveupdate_unpreserve(struct device *dev);
bool vtd_liveupdate_shutdown(struct intel_iommu *iommu);
void vtd_liveupdate_open(void);
bool vtd_liveupdate_incoming(struct intel_iommu *iommu);
int vtd_liveupdate_adopt(struct intel_iommu *iommu);
void vtd_liveupdate_adopted(void);
int vtd_liveupdate_compare(struct dmar_domain *domain, struct device *dev);
void vtd_liveupdate_replaced(struct device *dev);

/* Has the device a context entry of the previous kernel, which was not kdump's victim? */
static inline bool context_adopted(struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	return context_copied(iommu, bus, devfn) && !is_kdump_kernel();
}

#else

#define vtd_liveupdate_preserve NULL

static inline void vtd_liveupdate_unpreserve(struct device *dev) {}

static inline bool vtd_liveupdate_shutdown(struct intel_iommu *iommu)
{
	return false;
}

static inline void vtd_liveupdate_open(void) {}

static inline bool vtd_liveupdate_incoming(struct intel_iommu *iommu)
{
	return false;
}

static inline int vtd_liveupdate_adopt(struct intel_iommu *iommu)
{
	return -EOPNOTSUPP;
}

static inline void vtd_liveupdate_adopted(void) {}

static inline int vtd_liveupdate_compare(struct dmar_domain *domain, struct device *dev)
{
	return 0;
}

static inline void vtd_liveupdate_replaced(struct device *dev) {}

static inline bool context_adopted(struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	return false;
}

#endif
#endif
