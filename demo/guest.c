// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Init of the demo: from kernel a to b and back, saying what the sample driver
 * and a memfd in a session of live update hold before and after each jump.
 * demo/table reads it from the console.
 */
#include "liveupdate.h"
#include "command.h"
#include "said.h"
#include <sys/random.h>

/* The kernel is to refuse the jump if the next one would refuse the state */
static void arm(const char *variant)
{
	guest_check(kstate("arm", image(variant, "kstate_demo")) < 3);
	say("demo: said $ kstate arm %s", image(variant, "kstate_demo"));
	demo_said();
}

/* The session and its memfd: what userspace itself carries */

#define SESSION		"vm"
#define TOKEN		1
#define MEMORY		(64 * 4096)

/* Other content and another position than before */
static void change_memory(int fd, long boot)
{
	static unsigned char data[MEMORY];

	guest_check(getrandom(data, sizeof(data), 0) == sizeof(data));
	guest_check(pwrite(fd, data, sizeof(data), 0) == sizeof(data));
	guest_check(lseek(fd, 4096 * (boot + 1), SEEK_SET) > 0);
}

static void say_memory(const char *when, int fd)
{
	unsigned char *data = mmap(NULL, MEMORY, PROT_READ, MAP_SHARED, fd, 0);
	unsigned long long page = 0;
	unsigned int hash = 2166136261u;
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	guest_check(data != MAP_FAILED && pagemap >= 0);
	for (int i = 0; i < MEMORY; i++)
		hash = (hash ^ data[i]) * 16777619u;
	guest_check(pread(pagemap, &page, sizeof(page), (uintptr_t)data / 4096 * 8) == sizeof(page));
	say("demo: %s memfd.pos=%lld", when, (long long)lseek(fd, 0, SEEK_CUR));
	say("demo: %s memfd.pfn=%#llx", when, page & ((1ULL << 55) - 1));
	say("demo: %s memfd.hash=%#x", when, hash);
	close(pagemap);
	munmap(data, MEMORY);
}

int main(void)
{
	int session, memory;
	long boot;

	guest_start();
	boot = cmdline_number("boot", 0);
	guest_ok(load("kstate_demo", ""));
	say("demo: kernel %s", kernel_release());
	if (boot) {
		session = luo_open_session(LUO_RETRIEVE_SESSION, SESSION);
		guest_ok(session);
		memory = luo_try_retrieve(session, TOKEN);
		guest_ok(memory);
		say_memory("after", memory);
		guest_ok(luo_try_finish(session));
		close(session);
		demo_say("after", DEMO_VALUES);
		demo_say("stats", KSTATE_SYS "streams");
		guest_ok(write_file(KSTATE_SYS "finish", "1"));
		/* What crosses next time is what this kernel made of it. */
		guest_ok(write_file(DEMO_VALUES, "1"));
	} else {
		memory = memfd_create("memory", MFD_CLOEXEC);
		guest_check(memory >= 0);
	}
	if (boot == 2)
		guest_pass();
	change_memory(memory, boot);
	say_memory("before", memory);
	session = luo_open_session(LUO_CREATE_SESSION, SESSION);
	guest_ok(session);
	guest_ok(luo_try_preserve(session, memory, TOKEN));
	demo_say("before", DEMO_VALUES);
	arm(boot ? "a" : "b");
	load_kernel(boot ? "a" : "b", "");
	say("demo: leave");
	guest_ok(jump());
	return 1;
}
