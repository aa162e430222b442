/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_ELF_H
#define _SHIM_LINUX_ELF_H

#include <elf.h>

#if defined(__x86_64__)
#define ELF_ARCH	EM_X86_64
#elif defined(__aarch64__)
#define ELF_ARCH	EM_AARCH64
#elif defined(__riscv)
#define ELF_ARCH	EM_RISCV
#elif defined(__s390x__)
#define ELF_ARCH	EM_S390
#else
#define ELF_ARCH	EM_NONE
#endif

#endif
