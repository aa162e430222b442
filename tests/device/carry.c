// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The VMM's state from one generation to another and back, without a VM.
 * usage: carry-N new FILE         (any values, where the generations agree)
 *        carry-N again FROM TO    (what this generation makes of a stream)
 */
#include <stdio.h>
#include <string.h>
#include "state.h"

static uint8_t bytes[1 << 20];
static struct vmm_state state;

static void fill(void *at, size_t size, uint32_t seed)
{
	uint8_t *byte = at;

	while (size--) {
		seed = seed * 1664525 + 1013904223;
		*byte++ = seed >> 24;
	}
}

#define FILL(_f, _seed)	fill(&state._f, sizeof(state._f), _seed)

static void make(void)
{
	FILL(vcpu, 1);
	FILL(devices, 2);
	FILL(interrupts, 3);
	FILL(injected, 4);
	state.jumps = 0xfffffff0;
	state.nr_devices = MAX_DEVICES;
	for (int i = 0; i < MAX_DEVICES; i++)
		snprintf(state.devices[i].address, sizeof(state.devices[i].address), "0000:00:%02d.0", i);
	state.vcpu.xcrs.nr_xcrs = KVM_MAX_XCRS;
	state.vcpu.nr_msrs = MAX_MSRS - 1;
	state.vcpu.nr_cpuid = MAX_CPUID - 1;
}

int main(int argc, char **argv)
{
	FILE *from, *to = argc > 2 ? fopen(argv[argc - 1], "wb") : NULL;
	long size;

	if (!to)
		return 2;
	if (argc == 3) {
		make();
	} else {
		from = fopen(argv[2], "rb");
		if (!from || state_restore(&state, bytes, fread(bytes, 1, sizeof(bytes), from)) < 0)
			return 1;
	}
	size = state_save(&state, bytes, sizeof(bytes));
	return size < 0 || fwrite(bytes, 1, size, to) != (size_t)size || fclose(to);
}
