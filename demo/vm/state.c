// SPDX-License-Identifier: GPL-2.0-only
/* The VMM's state, described. It is the kernel's own code that saves and restores it. */
#include "state.h"

#include <stdio.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kstate.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "store.h"

#define FIELD(_f, ...)	KSTATE_FIELD(STATE, _f, ##__VA_ARGS__)

#define STATE struct kvm_regs
static KSTATE_DESCRIBE(regs_state, "kvm_regs", 1,
	FIELD(rax), FIELD(rbx), FIELD(rcx), FIELD(rdx),
	FIELD(rsi), FIELD(rdi), FIELD(rsp), FIELD(rbp),
	FIELD(r8), FIELD(r9), FIELD(r10), FIELD(r11),
	FIELD(r12), FIELD(r13), FIELD(r14), FIELD(r15),
	FIELD(rip, KSTATE_HEX), FIELD(rflags, KSTATE_HEX));
#undef STATE

#define STATE struct kvm_segment
static KSTATE_DESCRIBE(segment_state, "kvm_segment", 1,
	FIELD(base, KSTATE_HEX), FIELD(limit, KSTATE_HEX), FIELD(selector, KSTATE_HEX), FIELD(type),
	FIELD(present), FIELD(dpl), FIELD(db), FIELD(s), FIELD(l), FIELD(g), FIELD(avl),
	FIELD(unusable));
#undef STATE

#define STATE struct kvm_dtable
static KSTATE_DESCRIBE(dtable_state, "kvm_dtable", 1,
	FIELD(base, KSTATE_HEX), FIELD(limit));
#undef STATE

#define STATE struct kvm_sregs
#define SEGMENT(_f)	KSTATE_STRUCT(_f, STATE, &segment_state)
static KSTATE_DESCRIBE(sregs_state, "kvm_sregs", 1,
	SEGMENT(cs), SEGMENT(ds), SEGMENT(es), SEGMENT(fs), SEGMENT(gs), SEGMENT(ss),
	SEGMENT(tr), SEGMENT(ldt),
	KSTATE_STRUCT(gdt, STATE, &dtable_state), KSTATE_STRUCT(idt, STATE, &dtable_state),
	FIELD(cr0, KSTATE_HEX), FIELD(cr2, KSTATE_HEX), FIELD(cr3, KSTATE_HEX),
	FIELD(cr4, KSTATE_HEX), FIELD(cr8), FIELD(efer, KSTATE_HEX), FIELD(apic_base, KSTATE_HEX),
	FIELD(interrupt_bitmap, KSTATE_HEX));
#undef STATE

#define STATE struct kvm_xcr
static KSTATE_DESCRIBE(xcr_state, "kvm_xcr", 1, FIELD(xcr), FIELD(value, KSTATE_HEX));
#undef STATE

#define STATE struct kvm_xcrs
static KSTATE_DESCRIBE(xcrs_state, "kvm_xcrs", 1,
	FIELD(nr_xcrs), FIELD(flags),
	KSTATE_STRUCT_VARRAY(xcrs, STATE, nr_xcrs, &xcr_state));
#undef STATE

#define STATE struct kvm_xsave
static KSTATE_DESCRIBE(xsave_state, "kvm_xsave", 1, FIELD(region, KSTATE_HEX));
#undef STATE

#define MEMBER(_f)	typeof(((struct kvm_vcpu_events *)0)->_f)

#define STATE MEMBER(exception)
static KSTATE_DESCRIBE(exception_state, "kvm_exception", 1,
	FIELD(injected), FIELD(nr), FIELD(has_error_code), FIELD(pending), FIELD(error_code));
#undef STATE

#define STATE MEMBER(interrupt)
static KSTATE_DESCRIBE(interrupt_state, "kvm_interrupt", 1,
	FIELD(injected), FIELD(nr), FIELD(soft), FIELD(shadow));
#undef STATE

#define STATE MEMBER(nmi)
static KSTATE_DESCRIBE(nmi_state, "kvm_nmi", 1, FIELD(injected), FIELD(pending), FIELD(masked));
#undef STATE

#define STATE MEMBER(smi)
static KSTATE_DESCRIBE(smi_state, "kvm_smi", 1,
	FIELD(smm), FIELD(pending), FIELD(smm_inside_nmi), FIELD(latched_init));
#undef STATE

#define STATE struct kvm_vcpu_events
static KSTATE_DESCRIBE(events_state, "kvm_vcpu_events", 1,
	KSTATE_STRUCT(exception, STATE, &exception_state),
	KSTATE_STRUCT(interrupt, STATE, &interrupt_state),
	KSTATE_STRUCT(nmi, STATE, &nmi_state),
	KSTATE_STRUCT(smi, STATE, &smi_state),
	FIELD(sipi_vector), FIELD(flags, KSTATE_HEX),
	FIELD(exception_has_payload), FIELD(exception_payload, KSTATE_HEX));
#undef STATE

#define STATE struct kvm_mp_state
static KSTATE_DESCRIBE(mp_state_state, "kvm_mp_state", 1, FIELD(mp_state));
#undef STATE

#define STATE struct kvm_debugregs
static KSTATE_DESCRIBE(debugregs_state, "kvm_debugregs", 1,
	FIELD(db, KSTATE_HEX), FIELD(dr6, KSTATE_HEX), FIELD(dr7, KSTATE_HEX), FIELD(flags));
#undef STATE

#define STATE struct kvm_msr_entry
static KSTATE_DESCRIBE(msr_state, "kvm_msr", 1, FIELD(index, KSTATE_HEX), FIELD(data, KSTATE_HEX));
#undef STATE

#define STATE struct kvm_cpuid_entry2
static KSTATE_DESCRIBE(cpuid_state, "kvm_cpuid", 1,
	FIELD(function, KSTATE_HEX), FIELD(index), FIELD(flags, KSTATE_HEX),
	FIELD(eax, KSTATE_HEX), FIELD(ebx, KSTATE_HEX), FIELD(ecx, KSTATE_HEX), FIELD(edx, KSTATE_HEX));
#undef STATE

#define STATE struct vcpu
static KSTATE_DESCRIBE(vcpu_state, "vcpu", 1,
#if GENERATION >= 2
	KSTATE_STRUCT_VARRAY(msrs, STATE, nr_msrs, &msr_state),
	KSTATE_STRUCT_VARRAY(cpuid, STATE, nr_cpuid, &cpuid_state),
	KSTATE_STRUCT(events, STATE, &events_state),
	KSTATE_STRUCT(debugregs, STATE, &debugregs_state),
	KSTATE_STRUCT(mp_state, STATE, &mp_state_state),
	KSTATE_STRUCT(xcrs, STATE, &xcrs_state),
	KSTATE_STRUCT(xsave, STATE, &xsave_state),
	KSTATE_STRUCT(sregs, STATE, &sregs_state),
	KSTATE_STRUCT(regs, STATE, &regs_state));
#else
	KSTATE_STRUCT(regs, STATE, &regs_state),
	KSTATE_STRUCT(sregs, STATE, &sregs_state),
	KSTATE_STRUCT(xcrs, STATE, &xcrs_state),
	KSTATE_STRUCT(xsave, STATE, &xsave_state),
	KSTATE_STRUCT(events, STATE, &events_state),
	KSTATE_STRUCT(mp_state, STATE, &mp_state_state),
	KSTATE_STRUCT(debugregs, STATE, &debugregs_state),
	KSTATE_STRUCT_VARRAY(msrs, STATE, nr_msrs, &msr_state),
	KSTATE_STRUCT_VARRAY(cpuid, STATE, nr_cpuid, &cpuid_state));
#endif
#undef STATE

#define STATE struct device_state
static KSTATE_DESCRIBE(device_state, "device", 1,
	KSTATE_STRING(address, STATE), FIELD(nonce, KSTATE_HEX), FIELD(tail), FIELD(head));
#undef STATE

#define STATE struct vmm_state
static KSTATE_DESCRIBE(vmm_state, "vmm", 1,
#if GENERATION >= 2
	FIELD(port_exits, KSTATE_DEFAULT(0), KSTATE_IGNORABLE),
#endif
	FIELD(jumps), FIELD(interrupts), FIELD(injected),
	KSTATE_STRUCT_VARRAY(devices, STATE, nr_devices, &device_state),
	KSTATE_STRUCT(vcpu, STATE, &vcpu_state));
#undef STATE

static long failed(const struct kstate_error *err)
{
	char text[sizeof(*err) + 128];

	kstate_error_text(err, text, sizeof(text));
	fprintf(stderr, "vmm: %s\n", text);
	return err->code;
}

static int save(struct kstate_set *set, const struct vmm_state *state, struct kstate_error *err)
{
	struct kstate_stream *stream = kstate_stream_create(set, "vmm", err);

	return IS_ERR(stream) ? PTR_ERR(stream) :
		kstate_stream_save(stream, &vmm_state, state, KSTATE_ID(0), err);
}

long state_save(const struct vmm_state *state, void *to, size_t room)
{
	struct kstate_set *set = kstate_memory_create();
	struct kstate_error err = {};
	void *bytes = NULL;
	size_t size;
	long ret;

	if (IS_ERR(set))
		return PTR_ERR(set);
	ret = save(set, state, &err);
	if (ret)
		failed(&err);
	else
		ret = kstate_set_export(set, &bytes, &size);
	kstate_set_destroy(set);
	if (ret)
		return ret;
	ret = size <= room ? size : -ENOSPC;
	if (ret > 0)
		memcpy(to, bytes, size);
	kvfree(bytes);
	return ret;
}

long state_restore(struct vmm_state *state, const void *from, size_t size)
{
	struct kstate_error err = {};
	struct kstate_set *set = kstate_memory_open(from, size, &err);
	struct kstate_stream *stream;
	long ret;

	if (IS_ERR(set))
		return failed(&err);
	stream = kstate_stream_find(set, "vmm");
	ret = !stream ? -ENOENT :
		kstate_stream_restore(stream, &vmm_state, state, KSTATE_ID(0), &err);
	if (err.code)
		failed(&err);
	kstate_set_destroy(set);
	return ret ? ret : size;
}

/* What a program does not have */

int kstate_sysfs_init(void)
{
	return 0;
}

void kstate_sysfs_exit(void)
{
}
