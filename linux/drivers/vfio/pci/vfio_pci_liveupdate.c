// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that go on while the kernel is replaced.
 *
 * A device is preserved together with the memory that it can reach. It is neither
 * reset nor stopped on the way; only its interrupts have to be off, which userspace
 * does, and sends one of each kind to the VM when it has set them up again: what
 * came in between is not lost.
 *
 * What belongs to the device has a record with the address of the device as the
 * key. Once vfio-pci is bound, the device waits for whoever retrieves its token
 * from the session, and for no one else.
 * When it is attached, all that was handed over is this kernel's, and a jump needs
 * the device to be preserved anew. If nobody can attach it any more, the device is
 * stopped, before its memory is freed.
 */

#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/kexec.h>
#include <linux/kstate.h>
#include <linux/liveupdate.h>
#include <linux/pci_liveupdate.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "vfio_pci_liveupdate.h"

MODULE_IMPORT_NS("IOMMUFD");

/* @config is what close restores, and @reset_works whether it then resets the device */
struct vfio_pci_liveupdate {
	u64 token;
	bool reset_works;
	struct pci_saved_config config;

	struct kstate_key key;
	struct vfio_pci_core_device *vdev;
	struct list_head list;
	struct kstate_stream *stream;	/* of the session that it was retrieved from */
};

static KSTATE_DESCRIBE(vfio_pci_state, "vfio_pci", 1,
	KSTATE_FIELD(struct vfio_pci_liveupdate, token),
	KSTATE_FIELD(struct vfio_pci_liveupdate, reset_works),
	KSTATE_STRUCT(config, struct vfio_pci_liveupdate, &pci_saved_config_state),
	KSTATE_SKIP(key, struct vfio_pci_liveupdate, "the key of the record"),
	KSTATE_SKIP(vdev, struct vfio_pci_liveupdate, "this kernel's"),
	KSTATE_SKIP(list, struct vfio_pci_liveupdate, "this kernel's"),
	KSTATE_SKIP(stream, struct vfio_pci_liveupdate, "this kernel's"));

/*
 * Devices that were handed over, and that nobody has attached. Each is protected
 * by the lock of its set.
 */
static DEFINE_MUTEX(incoming_lock);
static LIST_HEAD(incoming_devices);

static struct vfio_pci_core_device *to_core(struct vfio_device *core_vdev)
{
	return container_of(core_vdev, struct vfio_pci_core_device, vdev);
}

static void vfio_pci_liveupdate_free(struct vfio_pci_liveupdate *lu)
{
	pci_saved_config_free(&lu->config);
	kfree(lu);
}

/* The device is this kernel's, or nobody's: a jump does not hand it over */
static void vfio_pci_liveupdate_forget(struct vfio_pci_liveupdate *lu)
{
	scoped_guard(mutex, &incoming_lock)
		list_del(&lu->list);
	kstate_unregister(&vfio_pci_state, lu);
	if (lu->vdev) {
		lu->vdev->vdev.handed_over = false;
		lu->vdev->liveupdate = NULL;
	}
	vfio_pci_liveupdate_free(lu);
}

/* It writes to nothing any more, before its memory is somebody else's */
static void vfio_pci_liveupdate_stop(struct vfio_pci_liveupdate *lu, const char *why)
{
	struct vfio_pci_core_device *vdev = lu->vdev;

	vfio_pci_liveupdate_forget(lu);
	if (!vdev->vdev.open_count) {
		kfree(vdev->pci_saved_state);
		vdev->pci_saved_state = NULL;
	}
	pci_liveupdate_refuse(vdev->pdev, why);
	iommu_unpreserve_device(&vdev->pdev->dev);
}

static struct vfio_pci_liveupdate *vfio_pci_liveupdate_find(struct kstate_key key)
{
	struct vfio_pci_liveupdate *lu;

	guard(mutex)(&incoming_lock);
	list_for_each_entry(lu, &incoming_devices, list)
		if (lu->key.id == key.id)
			return lu;
	return NULL;
}

static int __init vfio_pci_liveupdate_restore(struct kstate_key key, void *unused)
{
	struct vfio_pci_liveupdate *lu = kzalloc_obj(*lu);

	if (!lu)
		return -ENOMEM;
	lu->key = key;
	if (kstate_restore_key(&vfio_pci_state, lu, key) ||
	    kstate_register_anew(&vfio_pci_state, lu, key)) {
		vfio_pci_liveupdate_free(lu);
		return 0;
	}
	guard(mutex)(&incoming_lock);
	list_add(&lu->list, &incoming_devices);
	return 0;
}

/* Before any device is bound, and before anybody can say that all has been restored */
static int __init vfio_pci_liveupdate_open(void)
{
	kstate_walk_keys(&vfio_pci_state, vfio_pci_liveupdate_restore, NULL);
	return 0;
}
fs_initcall(vfio_pci_liveupdate_open);

/**
 * vfio_pci_liveupdate_probe() - find out whether the previous kernel handed over a device
 * @vdev: the device, which nobody can open yet
 *
 * If it did, but without a record that can be restored, the device is stopped.
 */
void vfio_pci_liveupdate_probe(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	struct vfio_pci_liveupdate *lu;

	if (!pci_liveupdate_incoming(pdev))
		return;
	lu = vfio_pci_liveupdate_find(pci_liveupdate_key(pdev));
	if (lu)
		vdev->pci_saved_state = pci_saved_config_to(&lu->config);
	if (!lu || !vdev->pci_saved_state) {
		pci_liveupdate_refuse(pdev, "vfio-pci cannot take it over");
		iommu_unpreserve_device(&pdev->dev);
		if (lu)
			vfio_pci_liveupdate_forget(lu);
		return;
	}
	vdev->reset_works = lu->reset_works;
	vdev->liveupdate = lu;
	vdev->vdev.handed_over = true;
	guard(mutex)(&incoming_lock);
	lu->vdev = vdev;
}

/**
 * vfio_pci_liveupdate_remove() - the driver gives up a device
 * @vdev: the device, which nobody can open any more
 */
void vfio_pci_liveupdate_remove(struct vfio_pci_core_device *vdev)
{
	struct vfio_device_set *set = vdev->vdev.dev_set;

	/* Without a set, it has never been there */
	if (set)
		mutex_lock(&set->lock);
	if (vdev->liveupdate)
		vfio_pci_liveupdate_stop(vdev->liveupdate, "its driver was unbound");
	if (set)
		mutex_unlock(&set->lock);
}

/**
 * vfio_pci_liveupdate_close() - a device has been closed
 * @core_vdev: the device; if it has not been attached, it is stopped
 */
void vfio_pci_liveupdate_close(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = to_core(core_vdev);

	lockdep_assert_held(&core_vdev->dev_set->lock);
	if (vdev->liveupdate)
		vfio_pci_liveupdate_stop(vdev->liveupdate, "it was closed before it was attached");
}

/**
 * vfio_pci_liveupdate_attach_ioas() - as vfio_iommufd_physical_attach_ioas()
 * @core_vdev: the device
 * @pt_id: of an IO address space or of page tables; of a device that goes on, of
 *	page tables that translate as before
 *
 * Return: 0 or a negative error code.
 */
int vfio_pci_liveupdate_attach_ioas(struct vfio_device *core_vdev, u32 *pt_id)
{
	struct vfio_pci_core_device *vdev = to_core(core_vdev);
	struct vfio_pci_liveupdate *lu = vdev->liveupdate;
	int err;

	lockdep_assert_held(&core_vdev->dev_set->lock);
	if (!core_vdev->handed_over)
		return vfio_iommufd_physical_attach_ioas(core_vdev, pt_id);
	if (kexec_in_progress)
		return -EBUSY;

	err = iommufd_device_attach_again(core_vdev->iommufd_device, pt_id, lu->stream,
					  KSTATE_ID(lu->token));
	if (!err) {
		core_vdev->iommufd_attached = true;
		kstate_report_error(kstate_incoming(), &(struct kstate_error) {}, "attach");
		iommufd_device_forget(lu->stream, KSTATE_ID(lu->token));
		vfio_pci_liveupdate_forget(lu);
		pci_liveupdate_forget(vdev->pdev);
	}
	return err;
}

static bool vfio_pci_can_preserve(struct liveupdate_file_handler *handler, struct file *file)
{
	struct vfio_device *core_vdev = vfio_device_from_file(file);

	return core_vdev && core_vdev->ops->attach_ioas == vfio_pci_liveupdate_attach_ioas;
}

static int vfio_pci_preserve_device(struct liveupdate_file_op_args *args,
				    struct vfio_pci_liveupdate *lu)
{
	struct vfio_pci_core_device *vdev = lu->vdev;
	int err;

	lockdep_assert_held(&vdev->vdev.dev_set->lock);
	if (!vfio_file_has_cdev(args->file) || !vdev->vdev.iommufd_attached ||
	    vdev->vdev.handed_over || !vdev->pci_saved_state)
		return kstate_refuse(kstate_outgoing(), "preserve", -EINVAL, pci_name(vdev->pdev),
				     "the file by which the device is attached",
				     "another one");
	lu->token = args->token;
	lu->reset_works = vdev->reset_works;
	err = pci_saved_config_from(&lu->config, vdev->pci_saved_state);
	if (err)
		return err;
	err = kstate_register_anew(&vfio_pci_state, lu, pci_liveupdate_key(vdev->pdev));
	if (err)
		return err;
	err = pci_liveupdate_preserve(vdev->pdev, args->stream);
	if (err)
		goto err_unregister;
	err = iommufd_device_preserve(vdev->vdev.iommufd_device, args->stream,
				      liveupdate_key(args));
	if (err)
		goto err_forget;
	vdev->vdev.preserved = true;
	return 0;

err_forget:
	pci_liveupdate_forget(vdev->pdev);
err_unregister:
	kstate_unregister(&vfio_pci_state, lu);
	return err;
}

static int vfio_pci_preserve(struct liveupdate_file_op_args *args)
{
	struct vfio_device *core_vdev = vfio_device_from_file(args->file);
	struct vfio_pci_liveupdate *lu = kzalloc_obj(*lu);
	int err;

	if (!lu)
		return -ENOMEM;
	lu->vdev = to_core(core_vdev);
	scoped_guard(mutex, &core_vdev->dev_set->lock)
		err = vfio_pci_preserve_device(args, lu);
	if (err)
		vfio_pci_liveupdate_free(lu);
	else
		args->private_data = lu;
	return err;
}

static void vfio_pci_unpreserve(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_liveupdate *lu = args->private_data;
	struct vfio_device *core_vdev = &lu->vdev->vdev;

	scoped_guard(mutex, &core_vdev->dev_set->lock) {
		core_vdev->preserved = false;
		iommufd_device_unpreserve(core_vdev->iommufd_device);
		pci_liveupdate_forget(lu->vdev->pdev);
		kstate_unregister(&vfio_pci_state, lu);
	}
	vfio_pci_liveupdate_free(lu);
}

/* From here on an interrupt would reach nobody, and the next kernel does not know its vector */
static int vfio_pci_freeze(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_liveupdate *lu = args->private_data;

	guard(mutex)(&lu->vdev->igate);
	if (lu->vdev->irq_type == VFIO_PCI_NUM_IRQS)
		return 0;
	return kstate_refuse(kstate_outgoing(), "freeze", -EBUSY, pci_name(lu->vdev->pdev),
			     "interrupts that are off (VFIO_DEVICE_SET_IRQS)", "interrupts");
}

/*
 * The device that a token is for, with a reference; NULL if it is attached, or not there
 * yet. @nr counts the devices of the session that are there, and not attached.
 */
static struct vfio_device *vfio_pci_incoming(struct liveupdate_file_op_args *args, u32 *nr)
{
	const char *stream = kstate_stream_name(args->stream);
	struct vfio_device *found = NULL;
	struct vfio_pci_liveupdate *lu;

	guard(mutex)(&incoming_lock);
	list_for_each_entry(lu, &incoming_devices, list) {
		struct vfio_device *core_vdev = lu->vdev ? &lu->vdev->vdev : NULL;

		if (!core_vdev || !READ_ONCE(core_vdev->dev_set) ||
		    strcmp(pci_liveupdate_memory(lu->vdev->pdev), stream))
			continue;
		++*nr;
		if (lu->token == args->token && !found) {
			get_device(&core_vdev->device);
			found = core_vdev;
		}
	}
	return found;
}

static int vfio_pci_retrieve(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_liveupdate *lu = NULL;
	struct vfio_device *core_vdev;
	char path[32];
	u32 nr = 0;

	core_vdev = vfio_pci_incoming(args, &nr);
	if (core_vdev) {
		args->file = ERR_PTR(-EAGAIN);
		scoped_guard(mutex, &core_vdev->dev_set->lock) {
			lu = to_core(core_vdev)->liveupdate;
			if (lu) {
				lu->stream = args->stream;
				args->file = vfio_device_retrieve(core_vdev);
			}
		}
		put_device(&core_vdev->device);
	}
	if (lu && !IS_ERR(args->file)) {
		kstate_report_error(kstate_incoming(), &(struct kstate_error) {}, "retrieve");
		return 0;
	}
	snprintf(path, sizeof(path), "vfio_pci token %llu", args->token);
	return kstate_refuse(kstate_incoming(), "retrieve", -EAGAIN, path,
			     "a device that goes on, and is bound to vfio-pci", "none");
}

/*
 * Called before any file of the session is finished, and memory freed with it: devices
 * that nobody has attached are stopped now, or all of them stay.
 */
static bool vfio_pci_can_finish(struct liveupdate_file_op_args *args)
{
	struct vfio_device *core_vdev;
	u32 nr = 0;

	core_vdev = vfio_pci_incoming(args, &nr);
	if (!core_vdev)
		return true;
	if (kstate_stream_held(args->stream) > nr) {
		put_device(&core_vdev->device);
		return false;
	}
	scoped_guard(mutex, &core_vdev->dev_set->lock)
		if (to_core(core_vdev)->liveupdate)
			vfio_pci_liveupdate_stop(to_core(core_vdev)->liveupdate,
						 "nobody has attached it");
	put_device(&core_vdev->device);
	return true;
}

static void vfio_pci_finish(struct liveupdate_file_op_args *args)
{
	iommufd_device_forget(args->stream, liveupdate_key(args));
}

static const struct liveupdate_file_ops vfio_pci_liveupdate_file_ops = {
	.can_preserve = vfio_pci_can_preserve,
	.preserve = vfio_pci_preserve,
	.unpreserve = vfio_pci_unpreserve,
	.freeze = vfio_pci_freeze,
	.retrieve = vfio_pci_retrieve,
	.can_finish = vfio_pci_can_finish,
	.finish = vfio_pci_finish,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler vfio_pci_liveupdate_handler = {
	.ops = &vfio_pci_liveupdate_file_ops,
	.compatible = "vfio-pci",
};

static int __init vfio_pci_liveupdate_init(void)
{
	int err = liveupdate_register_file_handler(&vfio_pci_liveupdate_handler);
	struct vfio_pci_liveupdate *lu, *next;

	/* Devices that have been stopped, or that are gone */
	list_for_each_entry_safe(lu, next, &incoming_devices, list) {
		struct pci_dev *pdev = pci_liveupdate_dev(lu->key);

		if (!pdev || !pci_liveupdate_incoming(pdev))
			vfio_pci_liveupdate_forget(lu);
		pci_dev_put(pdev);
	}
	return err == -EOPNOTSUPP ? 0 : err;
}
late_initcall(vfio_pci_liveupdate_init);
