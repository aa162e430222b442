// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that reserve_mem= reserves: what is at a name, for tests.
 *
 * /sys/module/kstate_reserve/parameters has
 *   name	which reservation the others are about
 *   found	its address, size, checksum, and how many of its pages are reserved
 *   fill	write a number to fill it with a sequence that begins with it
 *   release	write anything to give it back
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crc32.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/sysfs.h>

static char name[16];
module_param_string(name, name, sizeof(name), 0600);

static int found_get(char *buf, const struct kernel_param *kp)
{
	phys_addr_t start, size, at;
	unsigned long reserved = 0;

	if (!reserve_mem_find_by_name(name, &start, &size))
		return sysfs_emit(buf, "nothing\n");
	for (at = start; at < start + size; at += PAGE_SIZE)
		reserved += PageReserved(phys_to_page(at));
	return sysfs_emit(buf, "%#llx %#llx %#x %lu\n", (u64)start, (u64)size,
			  crc32_le(0, phys_to_virt(start), size), reserved);
}

static const struct kernel_param_ops found_ops = { .get = found_get };
module_param_cb(found, &found_ops, NULL, 0400);

static int fill_set(const char *val, const struct kernel_param *kp)
{
	phys_addr_t start, size;
	struct rnd_state state;
	u64 seed;
	int ret = kstrtou64(val, 0, &seed);

	if (ret)
		return ret;
	if (!reserve_mem_find_by_name(name, &start, &size))
		return -ENOENT;
	prandom_seed_state(&state, seed);
	prandom_bytes_state(&state, phys_to_virt(start), size);
	return 0;
}

static const struct kernel_param_ops fill_ops = { .set = fill_set };
module_param_cb(fill, &fill_ops, NULL, 0200);

static int release_set(const char *val, const struct kernel_param *kp)
{
	return reserve_mem_release_by_name(name) ? 0 : -ENOENT;
}

static const struct kernel_param_ops release_ops = { .set = release_set };
module_param_cb(release, &release_ops, NULL, 0200);
