/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guest: takes frames from its rings, in order, and looks at each byte. It runs in
 * 32 bits without paging, at GUEST_CODE.
 */
#include "layout.h"

#define MSR_SYSENTER_EIP	0x176
#define MARK			0x4b535456
#define AT(label)		(GUEST_CODE + (label - guest_code))

	.section .rodata
	.code32
	.globl guest_code, guest_code_end
guest_code:
	mov	$GUEST_CODE, %esp
	lgdt	AT(gdtr)
	lidt	AT(idtr)
	mov	$MSR_SYSENTER_EIP, %ecx
	mov	$MARK, %eax
	xor	%edx, %edx
	wrmsr
	pxor	%xmm7, %xmm7

again:
	mov	$HEADER_RING, %esi
	mov	HEADER_RINGS, %ebx
1:	dec	%ebx
	js	2f
	call	drain
	add	$RING_SIZE, %esi
	jmp	1b
2:	mov	$MSR_SYSENTER_EIP, %ecx
	rdmsr
	cmp	$MARK, %eax
	je	3f
	incl	HEADER_LOST
3:	movq	%xmm7, HEADER_SUM
	/* Time does not go back */
	rdtsc
	mov	%eax, %ecx
	mov	%edx, %ebp
	sub	HEADER_TSC, %ecx
	sbb	HEADER_TSC + 4, %ebp
	jae	4f
	incl	HEADER_BACK
	mov	%ecx, HEADER_BY
	mov	%ebp, HEADER_BY + 4
4:	mov	%eax, HEADER_TSC
	mov	%edx, HEADER_TSC + 4
	sti
	hlt
	cli
	jmp	again

/* Take what the ring %esi has */
drain:
	mov	RING_HEAD(%esi), %edi
1:	mov	%edi, %eax
	shl	$4, %eax
	add	RING_DESCRIPTORS(%esi), %eax
	testb	$1, 12(%eax)
	jz	6f
	mov	%edi, %edx
	shl	$8, %edx
	add	RING_BUFFERS(%esi), %edx
	mov	FRAME_SEQ(%edx), %eax
	cmp	%eax, RING_SEEN(%esi)
	je	2f
	incl	RING_GAPS(%esi)
	mov	%eax, RING_SEEN(%esi)
2:	incl	RING_SEEN(%esi)
	movd	%eax, %xmm6
	paddq	%xmm6, %xmm7
	imul	$PATTERN_FACTOR, %eax, %eax
	mov	$(FRAME_PATTERN / 4), %ecx
3:	lea	(%eax, %ecx), %ebp
	cmp	%ebp, (%edx, %ecx, 4)
	jne	4f
	inc	%ecx
	cmp	$(FRAME_BYTES / 4), %ecx
	jb	3b
	jmp	5f
4:	incl	RING_BAD(%esi)
	/* Whoever looks on finds it in one of the two places */
5:	mov	%edi, %eax
	shl	$4, %eax
	add	RING_DESCRIPTORS(%esi), %eax
	movb	$0, 12(%eax)
	inc	%edi
	and	$(RING_ENTRIES - 1), %edi
	mov	%edi, RING_HEAD(%esi)
	test	$127, %edi
	jnz	1b
	call	check
	jmp	1b
6:	ret

/* Hand descriptors back, and see whether the device is as it was left */
check:
	mov	RING_PORT(%esi), %edx
	lea	-1(%edi), %eax
	and	$(RING_ENTRIES - 1), %eax
	add	$PORT_TAIL, %edx
	out	%eax, %dx
	sub	$PORT_TAIL, %edx
	mov	RING_CHECKS(%esi), %ecx
	and	$(NONCE_WORDS - 1), %ecx
	lea	E1000E_MTA(, %ecx, 4), %eax
	call	read
	mov	RING_NONCE(%esi), %ebp
	cmp	(%ebp, %ecx, 4), %eax
	jne	1f
	mov	$E1000E_RDBAL, %eax
	call	read
	cmp	RING_DESCRIPTORS(%esi), %eax
	jne	1f
	mov	$E1000E_RDLEN, %eax
	call	read
	cmp	$RING_BYTES, %eax
	jne	1f
	/* Its head is before ours by what has not been taken */
	mov	$E1000E_RDH, %eax
	call	read
	sub	%edi, %eax
	and	$(RING_ENTRIES - 1), %eax
	cmp	$(RING_ENTRIES - 256), %eax
	jb	2f
1:	incl	RING_RESETS(%esi)
2:	incl	RING_CHECKS(%esi)
	ret

/* The register %eax of the device at port %edx */
read:
	out	%eax, %dx
	add	$PORT_READ, %edx
	in	%dx, %eax
	sub	$PORT_READ, %edx
	ret

interrupt:
	incl	HEADER_INTERRUPTS
	iret

	.balign	8
gdt:
	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
idt:
	.fill	INTERRUPT_VECTOR, 8, 0
	.word	interrupt - guest_code, 8, 0x8e00, GUEST_CODE >> 16
end:
gdtr:
	.word	idt - gdt - 1
	.long	AT(gdt)
idtr:
	.word	end - idt - 1
	.long	AT(idt)
guest_code_end:

	.section .note.GNU-stack, "", @progbits
