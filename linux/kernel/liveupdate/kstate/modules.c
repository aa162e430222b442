// SPDX-License-Identifier: GPL-2.0-only
/*
 * The catalogue of a module, and what is kept for its descriptions, come and go with it.
 */

#include <linux/module.h>
#include "gate.h"

#ifdef CONFIG_MODULES
static int kstate_module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct module *mod = data;

	switch (event) {
	case MODULE_STATE_COMING:
		return notifier_from_errno(kstate_catalog_add_module(mod, mod->kstate_catalog,
								     mod->kstate_catalog_size));
	case MODULE_STATE_GOING:
		kstate_catalog_remove_module(mod);
		kstate_forget_module(mod);
	}
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = kstate_module_event };

/**
 * kstate_modules_begin() - hear of modules from now on
 *
 * Return: 0, or a negative error code.
 */
int kstate_modules_begin(void)
{
	return register_module_notifier(&module_nb);
}

/**
 * kstate_modules_end() - hear of them no longer
 */
void kstate_modules_end(void)
{
	unregister_module_notifier(&module_nb);
}
#else
int kstate_modules_begin(void)
{
	return 0;
}

void kstate_modules_end(void)
{
}
#endif
