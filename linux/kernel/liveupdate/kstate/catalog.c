// SPDX-License-Identifier: GPL-2.0-only
/*
 * The catalogue of the running kernel: what its image and its modules describe.
 */

/**
 * DOC: catalogues
 *
 * The build puts the catalogue of an image into its section .kstate_catalog. The
 * running kernel has those of itself and of the modules that are loaded; to them
 * it adds descriptions that are in use but in none of these, because they were
 * made at run time, or because the image was built without a catalogue.
 */

#include <linux/align.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>
#include "gate.h"

struct image {
	const void *blob;
	size_t size;
};

/* Catalogues by the address of their module; protected by the mutex as long as they are used */
static DEFINE_MUTEX(images_lock);
static DEFINE_XARRAY(images);

/**
 * kstate_catalog_add_module() - a module has been loaded
 * @mod: the module
 * @blob: its catalogue, which goes with it, or NULL
 * @size: of @blob
 *
 * Return: 0 or -ENOMEM.
 */
int kstate_catalog_add_module(const struct module *mod, const void *blob, size_t size)
{
	struct image *image;
	int ret;

	if (!blob)
		return 0;
	image = kmalloc_obj(*image);
	if (!image)
		return -ENOMEM;
	*image = (struct image){ .blob = blob, .size = size };
	ret = xa_err(xa_store(&images, (unsigned long)mod, image, GFP_KERNEL));
	if (ret)
		kfree(image);
	return ret;
}

/**
 * kstate_catalog_remove_module() - a module goes
 * @mod: the module; may have no catalogue
 */
void kstate_catalog_remove_module(const struct module *mod)
{
	guard(mutex)(&images_lock);
	kfree(xa_erase(&images, (unsigned long)mod));
}

static int catalog_add_image(struct kstate_set *catalog, const void *blob, size_t size,
			     struct kstate_error *err)
{
	struct kstate_set *set;
	int ret;

	if (!size)
		return 0;
	set = kstate_memory_open(blob, size, err);
	if (IS_ERR(set))
		return PTR_ERR(set);
	if (set->damage.code)
		*err = set->damage;
	ret = err->code ?: kstate_set_merge(catalog, set, err);
	kstate_set_destroy(set);
	return ret;
}

/* A description that is in use, unless an image has it */
static int catalog_add_used(const struct kstate_schema *schema, void *arg)
{
	struct kstate_set *catalog = arg;
	struct kstate_error err = {};
	struct kstate_wire_state *ws;
	struct kstate_state *state;
	/* An empty string for the image and the type */
	size_t size = sizeof(*ws) + 8;
	int ret;
	u32 id;

	ret = kstate_set_schema(catalog, schema, &id, &err);
	if (ret)
		return ret;
	list_for_each_entry(state, &catalog->states, list) {
		ws = (void *)state->bytes;
		if (state->schema == id && (le32_to_cpu(ws->flags) & KSTATE_STATE_USED))
			return 0;
	}
	ws = kvzalloc(size, GFP_KERNEL);
	if (!ws)
		return -ENOMEM;
	ws->flags = cpu_to_le32(KSTATE_STATE_USED |
				(schema->desc->string_key ? KSTATE_STATE_STRING_KEY : 0));
	ws->strings = cpu_to_le32(1);
	ret = kstate_set_add_state(catalog, id, (u8 *)ws, size);
	if (ret)
		kvfree(ws);
	return ret;
}

/**
 * kstate_catalog_create() - all that this kernel describes
 * @err: what went wrong
 *
 * Context: may sleep.
 * Return: a set, for kstate_set_destroy(), or an ERR_PTR().
 */
struct kstate_set *kstate_catalog_create(struct kstate_error *err)
{
	struct kstate_where where = { .state = "catalogue", .err = err };
	struct kstate_set *catalog = kstate_memory_create();
	const struct image *image;
	unsigned long index;
	int ret = 0;

	if (!catalog) {
		kstate_fail(&where, NULL, KSTATE_NO_MEMORY, -ENOMEM, "memory\nnone");
		return ERR_PTR(-ENOMEM);
	}
	catalog->limits = true;
	if (!IS_MODULE(CONFIG_KSTATE))
		ret = catalog_add_image(catalog, __start_kstate_catalog,
					__stop_kstate_catalog - __start_kstate_catalog, err);
	if (!ret) {
		guard(mutex)(&images_lock);
		xa_for_each(&images, index, image) {
			ret = catalog_add_image(catalog, image->blob, image->size, err);
			if (ret)
				break;
		}
	}
	if (!ret)
		ret = kstate_walk_described(catalog_add_used, catalog);
	if (!ret)
		return catalog;
	kstate_fail(&where, NULL, KSTATE_NO_MEMORY, ret, "memory\nnone");
	kstate_set_destroy(catalog);
	return ERR_PTR(ret);
}
