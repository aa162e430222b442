/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the VMM knows of its VM and hands to the VMM in the next kernel, beside the
 * guest's memory: a KSTATE stream, so that the next VMM may be another one.
 */
#ifndef DEMO_VM_STATE_H
#define DEMO_VM_STATE_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>
#include "layout.h"

#ifndef GENERATION
#define GENERATION	1
#endif

#define MAX_CPUID	128
#define MAX_MSRS	16
#define MAX_DEVICES	4

struct vcpu {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xcrs xcrs;
	struct kvm_xsave xsave;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
	struct kvm_debugregs debugregs;
	struct kvm_msr_entry msrs[MAX_MSRS];
	uint32_t nr_msrs;
	uint32_t nr_cpuid;
	struct kvm_cpuid_entry2 cpuid[MAX_CPUID];
};

/* What the driver in the guest has set: it is compared, not set once more */
struct device_state {
	char address[16];
	uint32_t nonce[NONCE_WORDS];
	uint32_t tail;		/* nvme: of the submission queue */
	uint32_t head;		/* nvme: of the completion queue */
};

/* The second generation has other types and fields, and another order */
struct vmm_state {
#if GENERATION >= 2
	uint64_t jumps;
	uint64_t port_exits;
#else
	uint32_t jumps;
#endif
	uint64_t interrupts;	/* that came from devices */
	uint64_t injected;
	uint32_t nr_devices;
	struct device_state devices[MAX_DEVICES];
	struct vcpu vcpu;
};

/*
 * Both return the bytes of the stream, or a negative errno and have said why on
 * standard error.
 */
long state_save(const struct vmm_state *state, void *stream, size_t room);
long state_restore(struct vmm_state *state, const void *stream, size_t room);

#endif
