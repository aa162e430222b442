/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernels that take over from each other, as processes that share the simulated
 * memory, with KHO as the transport.
 */
#ifndef _BENCH_KERNELS_H
#define _BENCH_KERNELS_H

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
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
		fprintf(stderr, "bench: %s: %s\n%.2000s", _what, #_ok, shim_log()); \
		_exit(1);						\
	}								\
} while (0)

/* What a kernel does, and nanoseconds of the processor that it took */
struct kernel {
	void (*work)(u32 nr);
	u64 boot_ns;
	u64 jump_ns;
};

static inline u64 clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Boot, work, jump; 0, or the signal that ended it: SIGALRM after @seconds */
static inline int run_kernel(struct kernel *kernel, u32 nr, u32 seconds)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(seconds);
		kernel->boot_ns = clock_ns();
		must("boot", !shim_boot());
		kernel->boot_ns = clock_ns() - kernel->boot_ns;
		kernel->work(nr);
		fflush(stdout);
		kernel->jump_ns = clock_ns();
		must("jump", !shim_kexec_prepare());
		kernel->jump_ns = clock_ns() - kernel->jump_ns;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return SIGALRM;
	if (status)
		exit(1);
	shim_kho_jump();
	return 0;
}

#endif
