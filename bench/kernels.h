/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernels that take over from each other, as processes that share the simulated
 * memory, with KHO as the transport.
 */
#ifndef _BENCH_KERNELS_H
#define _BENCH_KERNELS_H

#include <sys/wait.h>
#include <unistd.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kstate.h>
#include <linux/mm.h>
#include <shim.h>

/* Print what went wrong, and end this process */
#define must(_what, _ok) do {						\
	if (!(_ok)) {							\
		fprintf(stderr, "bench: %s: %s\n%s", _what, #_ok, shim_log()); \
		_exit(1);						\
	}								\
} while (0)

/* Boot, do @work, jump */
static inline void run_kernel(void (*work)(u32 nr), u32 nr)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		must("boot", !shim_boot());
		work(nr);
		must("jump", !shim_kexec_prepare());
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status)
		exit(1);
	shim_kho_jump();
}

#endif
