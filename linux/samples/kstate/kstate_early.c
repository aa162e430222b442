// SPDX-License-Identifier: GPL-2.0-only
/*
 * State that is restored before the first initcall, and in the first of them.
 *
 * What was handed over can be restored as soon as there is a memory allocator.
 * Nothing can be saved yet; what is registered is saved at the jump all the same.
 * /sys/module/kstate_early/parameters shows what there was, for tests.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kstate.h>
#include <linux/moduleparam.h>
#include <linux/random.h>

struct early {
	u32 jumps;
	u64 values[4];
};

static struct kstate_description early_state = {
	.name = "sample,early",
	.version_id = 1,
	.min_version_id = 1,
	.fields = (const struct kstate_field[]) {
		KSTATE_BASE_TYPE(jumps, struct early, u32),
		KSTATE_BASE_TYPE(values, struct early, u64 [4]),
		KSTATE_END_OF_LIST()
	},
};

/* One is restored before all initcalls, the other one in an early_initcall */
static struct early early[2];
static bool restored[2];
static int saved = 1;

static char values[200];
module_param_string(values, values, sizeof(values), 0400);
module_param_array(restored, bool, NULL, 0400);
module_param(saved, int, 0400);

static void __init early_register(int nr)
{
	struct early *e = &early[nr];
	int ret;

	ret = kstate_register_key(&early_state, e, KSTATE_ID(nr), &restored[nr]);
	if (ret)
		pr_err("register %d: %d\n", nr, ret);
	if (restored[nr])
		e->jumps++;
	else
		get_random_bytes(e->values, sizeof(e->values));
}

/* As early as a caller can be that init/main.c does not name: console_init() */
static int __init early_restore_first(void)
{
	early_register(0);
	return 0;
}
console_initcall(early_restore_first);

static int __init early_restore_next(void)
{
	struct early other = {};

	early_register(1);
	saved = kstate_save_state(&early_state, &other, 2);
	return 0;
}
early_initcall(early_restore_next);

static int __init early_show(void)
{
	scnprintf(values, sizeof(values), "%32phN:%32phN", early[0].values, early[1].values);
	pr_info("%s, %s, %u jumps\n", restored[0] ? "restored" : "new",
		restored[1] ? "restored" : "new", early[0].jumps);
	return 0;
}
late_initcall(early_show);
