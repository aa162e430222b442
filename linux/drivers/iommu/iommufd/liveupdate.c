// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device that goes on over a kexec has mapped.
 *
 * From the moment when the device is preserved, its IO address space does not
 * change. What is mapped is in the session: memfds that are preserved with it,
 * each by its token. In the next kernel an address space is made anew; the device
 * is attached to it only if it maps the same.
 */

#include <linux/iommufd.h>
#include <linux/kstate.h>
#include <linux/liveupdate.h>
#include <linux/slab.h>

#include "io_pagetable.h"
#include "iommufd_private.h"

/* @offset is in the file that has @token */
struct iommufd_kept_area {
	u64 iova;
	u64 length;
	u64 token;
	u64 offset;
	bool writable;
};

struct iommufd_kept_ioas {
	u32 nr;
	struct iommufd_kept_area *areas;
};

static KSTATE_DESCRIBE(iommufd_area_state, "iommufd_area", 1,
	KSTATE_FIELD(struct iommufd_kept_area, iova, KSTATE_EQUAL, KSTATE_HEX),
	KSTATE_FIELD(struct iommufd_kept_area, length, KSTATE_EQUAL, KSTATE_HEX),
	KSTATE_FIELD(struct iommufd_kept_area, token, KSTATE_EQUAL),
	KSTATE_FIELD(struct iommufd_kept_area, offset, KSTATE_EQUAL, KSTATE_HEX),
	KSTATE_FIELD(struct iommufd_kept_area, writable, KSTATE_EQUAL));

static KSTATE_DESCRIBE(iommufd_ioas_state, "iommufd_ioas", 1,
	KSTATE_FIELD(struct iommufd_kept_ioas, nr, KSTATE_EQUAL),
	KSTATE_STRUCT_VARRAY(areas, struct iommufd_kept_ioas, nr, &iommufd_area_state));

static void iopt_thaw(struct io_pagetable *iopt)
{
	guard(rwsem_write)(&iopt->iova_rwsem);
	iopt->frozen--;
}

static int iopt_keep_area(struct iopt_area *area, const struct kstate_stream *stream,
			  struct kstate_set *set, const char *doing, struct iommufd_kept_area *to)
{
	struct iopt_pages *pages = area->pages;
	char path[32];
	int err;

	/* Somebody maps, or unmaps, right now */
	if (!pages)
		return -EBUSY;
	err = pages->type != IOPT_ADDRESS_FILE ? -EOPNOTSUPP :
	      liveupdate_file_token(stream, pages->file, &to->token);
	if (err) {
		snprintf(path, sizeof(path), "iova %#lx", iopt_area_iova(area));
		return kstate_refuse(set, doing, err, path, "a memfd of the same session",
				     "other memory");
	}
	to->iova = iopt_area_iova(area);
	to->length = iopt_area_length(area);
	to->offset = pages->start + iopt_area_start_byte(area, iopt_area_iova(area));
	to->writable = area->iommu_prot & IOMMU_WRITE;
	return 0;
}

/* Nothing is mapped or unmapped from here on; iopt_thaw() undoes that */
static int iopt_freeze(struct io_pagetable *iopt, const struct kstate_stream *stream,
		       struct kstate_set *set, const char *doing, struct iommufd_kept_ioas *kept)
{
	struct iopt_area *area;
	u32 room = 0;
	int err = 0;

	*kept = (struct iommufd_kept_ioas) {};
	guard(rwsem_write)(&iopt->iova_rwsem);
	for (area = iopt_area_iter_first(iopt, 0, ULONG_MAX); area;
	     area = iopt_area_iter_next(area, 0, ULONG_MAX))
		room++;
	kept->areas = kvzalloc_objs(*kept->areas, room + 1);
	if (!kept->areas)
		return -ENOMEM;
	for (area = iopt_area_iter_first(iopt, 0, ULONG_MAX); area && !err;
	     area = iopt_area_iter_next(area, 0, ULONG_MAX))
		err = iopt_keep_area(area, stream, set, doing, &kept->areas[kept->nr++]);
	if (err) {
		kvfree(kept->areas);
		kept->areas = NULL;
		return err;
	}
	iopt->frozen++;
	return 0;
}

/**
 * iommufd_device_preserve() - let what a device has mapped stay as it is
 * @idev: the device, attached to page tables of an IO address space
 * @stream: the stream of the session that preserves what is mapped
 * @key: the key of the record in it
 *
 * From here on nothing is mapped in the address space or unmapped, and the translation
 * goes on over a kexec.
 *
 * Context: may sleep.
 * Return: 0 or a negative error code.
 */
int iommufd_device_preserve(struct iommufd_device *idev, struct kstate_stream *stream,
			    struct kstate_key key)
{
	struct iommufd_hwpt_paging *paging = iommufd_device_only_paging(idev);
	struct iommufd_kept_ioas kept;
	int err;

	if (!paging)
		return kstate_refuse(kstate_outgoing(), "preserve", -EINVAL, dev_name(idev->dev),
				     "a device that is attached to one IO address space",
				     "another one");
	err = iopt_freeze(&paging->ioas->iopt, stream, kstate_outgoing(), "preserve", &kept);
	if (err)
		return err;
	err = kstate_stream_save(stream, &iommufd_ioas_state, &kept, key, NULL);
	kvfree(kept.areas);
	if (!err) {
		err = iommu_preserve_device(idev->dev, paging->common.domain);
		if (err)
			kstate_stream_drop(stream, &iommufd_ioas_state, key);
	}
	if (err)
		iopt_thaw(&paging->ioas->iopt);
	return err;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_preserve, "IOMMUFD");

/**
 * iommufd_device_unpreserve() - undo iommufd_device_preserve()
 * @idev: the device, whose record is gone already
 */
void iommufd_device_unpreserve(struct iommufd_device *idev)
{
	iommu_unpreserve_device(idev->dev);
	iopt_thaw(&iommufd_device_only_paging(idev)->ioas->iopt);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unpreserve, "IOMMUFD");

/**
 * iommufd_device_attach_again() - attach a device that goes on since the previous kernel
 * @idev: the device
 * @pt_id: page tables, which map already what the device had mapped
 * @stream: the stream of the session that preserved that
 * @key: the key of the record in it
 *
 * Context: may sleep.
 * Return: 0; -EINVAL if something else is mapped; another negative error code.
 */
int iommufd_device_attach_again(struct iommufd_device *idev, u32 *pt_id,
				struct kstate_stream *stream, struct kstate_key key)
{
	struct iommufd_hwpt_paging *paging;
	struct iommufd_kept_ioas kept;
	struct iommufd_object *obj;
	int err;

	/* Whoever attaches to an address space gets page tables that are empty for a moment */
	obj = iommufd_get_object(idev->ictx, *pt_id, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(obj))
		return kstate_refuse(kstate_incoming(), "attach", PTR_ERR(obj),
				     dev_name(idev->dev),
				     "page tables that are filled (IOMMU_HWPT_ALLOC)",
				     "another object");
	paging = container_of(obj, struct iommufd_hwpt_paging, common.obj);
	err = iopt_freeze(&paging->ioas->iopt, stream, kstate_incoming(), "attach", &kept);
	if (err)
		goto out_put;
	err = kstate_stream_check(stream, &iommufd_ioas_state, &kept, key, NULL);
	kvfree(kept.areas);
	if (err >= 0)
		err = iommufd_device_attach(idev, IOMMU_NO_PASID, pt_id);
	iopt_thaw(&paging->ioas->iopt);
out_put:
	iommufd_put_object(idev->ictx, obj);
	return err;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_attach_again, "IOMMUFD");

/**
 * iommufd_device_forget() - nobody attaches the device any more
 * @stream: the stream of the session
 * @key: the key of the record in it, which is freed
 */
void iommufd_device_forget(struct kstate_stream *stream, struct kstate_key key)
{
	kstate_stream_drop(stream, &iommufd_ioas_state, key);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_forget, "IOMMUFD");
