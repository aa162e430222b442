/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Scenarios of the catalogue and the gate.
 */
#ifndef KSTATE_TESTS_VM_GATE_H
#define KSTATE_TESTS_VM_GATE_H

#include <signal.h>
#include "command.h"

#define CATALOG		KSTATE_SYS "catalog"

/* Linux has states of its own; a module's are there while it is loaded */
static void check_no_sample(void)
{
	kstate_says(0, "\"kexec_metadata\"", "catalog", "--json", "running");
	guest_check(!strstr(output, "\"sample,"));
}

/* What the running kernel describes is what its images describe, as modules come and go */
static void catalog(long boot)
{
	char *offline;

	check_no_sample();
	guest_ok(load("kstate_demo", ""));
	kstate_says(0, "\"sample,demo\"", "catalog", "--json", image("a", "kstate_demo"));
	/* By who refers to it */
	guest_check(strstr(strstr(output, "\"sample,demo\""), "\"saved\": true"));
	offline = strdup(output);
	kstate_says(0, "\"sample,demo\"", "catalog", "--json", "running");
	if (strcmp(offline, output)) {
		say("offline: %.800s", offline);
		say("running: %.800s", output);
		guest_fail("the catalogues differ");
	}
	load_stress("objects=1");
	kstate_says(0, "\"sample,stress\"", "catalog", "--json", "running");
	guest_ok(rmmod("kstate_stress"));
	kstate_says(0, "\"sample,demo\"", "catalog", "--json", "running");
	guest_check(!strcmp(offline, output));
	/* It is this kernel's, so nothing differs */
	kstate_says(0, " exact", "check", "running", image("a", "kstate_demo"));
	guest_ok(rmmod("kstate_demo"));
	check_no_sample();
	guest_pass();
}

/* One number of the error that a check foretold, or that restoring then met */
static unsigned int foretold(const char *where)
{
	const char *error = strstr(where, "sample,demo[0].mtu: ");
	unsigned int hash = 2166136261u;

	if (!error)
		guest_fail("no error of sample,demo[0].mtu in: %.600s", where);
	for (; *error && *error != '\n' && strncmp(error, " (written by", 12) &&
	       strncmp(error, "; the policy", 12); error++)
		hash = (hash ^ (unsigned char)*error) * 16777619u;
	return hash;
}

static void set_mtu(const char *mtu)
{
	guest_ok(write_file("/sys/kernel/debug/kstate_demo/mtu", mtu));
}

static void arm_and_be_refused(const char *target)
{
	kstate_says(3, "armed: a kexec is refused until", "arm", target);
	say_output();
	load_kernel("a", "");
	for (int i = 0; i < 3; i++) {
		int err = jump();

		if (err != -ERANGE)
			guest_fail("the jump failed with %s", strerror(-err));
		check_error("sample,demo[0].mtu: ");
	}
	/* The same that the check said, but for who is to refuse it */
	guest_check(foretold(text) == foretold(output));
	guest_check(kmsg_has("gate: 7.3.4-a would refuse 1 of the objects: no jump"));
	/* A slip in a policy is told apart from what kept the jump back */
	guest_check(write_file(KSTATE_SYS "policy", "must-come sample,dmo\n") == -EINVAL);
	guest_ok(read_file(KSTATE_SYS "gate", text, sizeof(text)));
	guest_check(strstr(text, "\"path\":\"policy[1]\"") && strstr(text, "\"found\":\"sample,dmo\""));
	check_error("sample,demo[0].mtu: ");
	guest_ok(write_file(KSTATE_SYS "policy", "force must-come sample,dmo\n"));
	guest_ok(write_file(KSTATE_SYS "policy", "\n"));
	kstate_says(0, "armed, for 7.3.4-a; worst of the last check: blocked", "status");
	/* By what, and when: a VM that has just been started knows no other day than today */
	guest_check(strstr(output, "; prepare, 20"));
	say_output();
	kstate_says(3, "armed: a kexec is refused until", "arm", target);
	kstate_says(0, "error     none", "status");
	kstate_says(3, ", 1 blocked", "check", "--live");
	kstate_says(64, "is armed for 7.3.4-a", "check", "--live", target);
}

/*
 * From b to a, which cannot take an mtu of 9000: refused; forced, and refused there
 * as foretold; let go by the policy, and the same; at last with another value.
 */
static void live(long boot)
{
	const char *target = image("a", "kstate_demo");
	unsigned int error;

	if (boot % 2 && boot < 5) {
		guest_check(load("kstate_demo", "") == -ERANGE);
		check_error("sample,demo[0].mtu: ");
		guest_check(foretold(text) == strtoul(cmdline_value("error"), NULL, 0));
		leave_for("b", "demo=%s", cmdline_value("demo"));
	}
	guest_ok(load("kstate_demo", ""));
	if (boot == 5) {
		guest_check(kmsg_has("kstate_demo: generation 1, restored"));
		guest_pass();
	}
	if (boot)
		check_demo();
	if (!boot) {
		kstate_says(64, "has not been told of a target", "check", "--live");
		kstate_says(68, "has no catalogue", "check", "--live", "/modules/a/kunit.ko");
		kstate_says(3, "sample,demo", "check", "--live", "/kernels/a");
		kstate_says(1, ", 1 lossy", "check", "--live", target);
		set_mtu("9000");
		kstate_says(3, ", 1 blocked", "check", "--live", target);
		arm_and_be_refused(target);
		kstate_says(3, "armed, but forced", "arm", "--force", target);
	} else if (boot == 2) {
		new_file("/tmp/policy", "# a driver that can do without\nmay-be-lost sample,demo\n");
		kstate_says(1, "; the policy allows that", "arm", "--policy", "/tmp/policy", target);
	} else {
		kstate_says(3, "armed: a kexec is refused until", "arm", target);
		set_mtu("1500");
		kstate_says(1, ", 1 lossy", "check", "--live");
	}
	error = boot < 4 ? foretold(output) : 0;
	leave_for("a", "demo=%u error=%u", demo_values(), error);
}

static void load_and_be_refused(const char *kernel, const char *expected, const char *found)
{
	int err;

	load_kernel(kernel, "");
	err = jump();
	if (err != -ENOEXEC)
		guest_fail("the jump failed with %s", strerror(-err));
	check_error(expected);
	check_error(found);
}

/* kexec has loaded another kernel than the gate is armed for */
static void other_image(long boot)
{
	long crc;

	if (boot) {
		guest_check(!strcmp(variant(), boot == 1 ? "b" : "a"));
		guest_ok(load("kstate_demo", ""));
		guest_check(kmsg_has(boot == 1 ? "kstate_demo: generation 2, restored" :
				     "kstate_demo: generation 1, restored"));
		if (boot == 2)
			guest_pass();
		/* The armed one is loaded, and goes: by its catalogue, so by its release */
		kstate_says(0, "", "catalog", "--output", "/tmp/a.kstate", image("a", "kstate_demo"));
		kstate_says(0, "armed: ", "arm", "/tmp/a.kstate");
		load_and_be_refused("b", "7.3.4-a to be loaded", "found 7.3.4-b");
		leave_for("a", "");
	}
	guest_ok(load("kstate_demo", ""));
	kstate_says(0, "armed: ", "arm", image("a", "kstate_demo"));
	load_and_be_refused("b", "expected 7.3.4-a (image ", "found 7.3.4-b (image ");
	load_kernel("a", "");
	/* By another checksum, it is another one of that name */
	crc = strtoul(strstr(text, "7.3.4-a (image ") + strlen("7.3.4-a (image "), NULL, 16);
	guest_ok(write_file(KSTATE_SYS "image", "0x1234"));
	load_and_be_refused("a", "7.3.4-a (image 00001234)", "found 7.3.4-a (image ");
	guest_check(strtoul(strstr(text, "found 7.3.4-a (image ") + strlen("found 7.3.4-a (image "),
			    NULL, 16) == (unsigned long)crc);
	kstate_says(0, "armed, but forced", "arm", "--force", image("a", "kstate_demo"));
	leave_for("b", "");
}

/* kstate jump: one command from the question to the next kernel */

static void check_armed(const char *how)
{
	guest_ok(read_file(KSTATE_SYS "gate", text, sizeof(text)));
	if (!strstr(text, how))
		guest_fail("expected %s: %s", how, text);
}

static void jump_command(long boot)
{
	const char *next = boot == 1 ? "b" : "a";
	char append[32];

	guest_ok(load("kstate_demo", ""));
	if (boot && !kmsg_has("restored"))
		guest_fail("kernel %s has restored nothing", variant());
	if (boot == 2)
		guest_pass();
	guest_ok(initrd_again());
	if (!boot) {
		/* What would be refused stops it before anything is loaded, and leaves the gate as it was */
		set_mtu("9000");
		kstate_says(3, "nothing was loaded", "jump", "--initrd", GUEST_INITRD,
			    image(next, "kstate_demo"));
		guest_check(jump() == -EINVAL);
		check_armed("\"armed\":\"off\"");
		set_mtu("1500");
		kstate_says(66, "/none: No such file", "jump", "--initrd", "/none",
			    image(next, "kstate_demo"));
		check_armed("\"armed\":\"off\"");
		/* Told to stop, it takes back what it has done */
		stop_when = "\"armed\":\"on\"";
		kstate_says(71, "told to stop by a signal", "jump", "--stay", "--initrd", GUEST_INITRD,
			    image(next, "kstate_demo"));
		stop_when = NULL;
		check_armed("\"armed\":\"off\"");
		guest_check(jump() == -EINVAL);
		/* What becomes too much afterwards, the kernel refuses */
		kstate_says(1, "ready: ", "jump", "--stay", "--initrd", GUEST_INITRD,
			    image(next, "kstate_demo"));
		check_armed("\"armed\":\"on\"");
		set_mtu("9000");
		guest_check(jump() < 0);
		set_mtu("1500");
	}
	snprintf(append, sizeof(append), "boot=%ld", boot + 1);
	kstate("jump", "--initrd", GUEST_INITRD, "--append", append, image(next, "kstate_demo"));
	say_output();
	guest_fail("the jump did not come");
}

/*
 * What cannot take this kernel's memory at all is refused at each step: a kernel of another
 * architecture, which kexec does not load either, or with pages of another size.
 */
static void other_machine(long boot)
{
	const char *here = variant(), *words;
	char mine[50], other[50];
	int err;

	load_stress("objects=200 folios=3");
	check_stress(boot ? 200 : 0, 0);
	if (boot)
		guest_pass();
	snprintf(mine, sizeof(mine), "/kernels/%s", here);
	snprintf(other, sizeof(other), "/kernels/%s", cmdline_value("other"));
	words = strchr(other, '@') ? "state stays on its architecture" : "pages, which must be of one size";
	kstate_says(69, words, "check", mine, other);
	say_output();
	kstate_says(69, words, "check", other, "running");
	kstate_says(69, words, "check", "--live", other);
	kstate_says(69, words, "arm", other);
	say_output();
	kstate_says(64, "has not been told of a target", "check", "--live");
	err = kexec_into(other, NULL, "");
	guest_check(!err == !strchr(other, '@'));
	for (int i = 0; !err && i < 3; i++) {
		guest_check(jump() == -ENOEXEC);
		check_error("expected a kernel with pages of ");
	}
	leave_for(here, "");
}

/* Races: everybody does what they can, over and over, while jumps are refused */

struct race {
	unsigned long rounds[8];
	unsigned long by_gate;
	bool over;
};

static struct race *race;

static void race_modules(unsigned int *seed)
{
	const char *module = rand_r(seed) % 2 ? "kstate_demo" : "kstate_random";
	int err = load(module, "");

	/* What saves now may come while a jump is being prepared */
	if (err && err != -EBUSY)
		guest_fail("load %s: %s", module, strerror(-err));
	usleep(rand_r(seed) % 20000);
	if (!err)
		guest_ok(rmmod(module));
}

static void race_checks(unsigned int *seed)
{
	static char data[1 << 20];
	ssize_t n = read_file(KSTATE_SYS "check", data, sizeof(data));

	usleep(rand_r(seed) % 10000);
	if (n < 0)
		guest_fail("check: %s", strerror(-n));
	/* Whatever there was, it ends with the sum */
	guest_check(n > 10 && strstr(data, "\"save_ns\":"));
}

static void race_readers(unsigned int *seed)
{
	static const char *const files[] = { "catalog", "gate", "streams", "records", "outgoing",
					     "last_error", "last_error.json" };
	static char data[4 << 20];
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), KSTATE_SYS "%s", files[rand_r(seed) % ARRAY_LENGTH(files)]);
	n = read_file(path, data, sizeof(data));
	if (n < 0)
		guest_fail("%s: %s", path, strerror(-n));
}

/* None of the targets knows sample,stress, and no policy allows that to be lost */
static void race_targets(unsigned int *seed)
{
	const char *policies[] = { "\n", "must-come sample,demo\n", "may-be-lost sample,demo\n" };

	if (rand_r(seed) % 2)
		kstate_says(3, "blocked", "arm", image(variant(), "kstate_demo"));
	guest_ok(write_file(KSTATE_SYS "policy", policies[rand_r(seed) % 3]));
}

static void race_values(unsigned int *seed)
{
	guest_ok(write_file(STRESS "fail", rand_r(seed) % 3 ? "-1" : "7"));
	write_file("/sys/kernel/debug/kstate_demo/mtu", "9000");
	usleep(1000);
}

static void race_jumps(unsigned int *seed)
{
	int err = jump();

	/* By the gate; by the object that fails; because one is being registered */
	if (err != -EPROTO && err != -EIO && err != -EAGAIN)
		guest_fail("the jump failed with %s", strerror(-err));
	race->by_gate += err == -EPROTO;
}

static void (*const racers[])(unsigned int *seed) = {
	race_modules, race_checks, race_readers, race_targets, race_values, race_jumps,
};

/* Rounds count whatever comes of them: to wait for luck could take any time */
static bool all_raced(void)
{
	for (int i = 0; i < (int)ARRAY_LENGTH(racers); i++)
		if (race->rounds[i] < 3)
			return false;
	return true;
}

/* In a debug kernel the quick ones would keep the others from their locks forever */
static void race_child(int nr)
{
	unsigned int seed = nr;

	for (; !race->over; race->rounds[nr]++) {
		racers[nr](&seed);
		while (race->rounds[nr] >= 20 && !all_raced() && !race->over)
			usleep(100000);
	}
	_exit(0);
}

static void gate_races(long boot)
{
	const char *here = variant();
	int status;

	if (boot) {
		load_stress("objects=50 folios=5");
		check_stress(50, 0);
		finish();
		guest_pass();
	}
	load_stress("objects=50 folios=5");
	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	kstate_says(3, "50 blocked", "arm", image(here, "kstate_demo"));
	load_kernel(here, "");
	for (int i = 0; i < (int)ARRAY_LENGTH(racers); i++) {
		pid_t pid = fork();

		if (!pid)
			race_child(i);
		guest_check(pid > 0);
	}
	/* A debug kernel needs longer; the time that the scenario may take is the limit */
	for (int second = 0; second < 10 || !all_raced(); second++)
		sleep(1);
	race->over = true;
	while (wait(&status) > 0)
		guest_check(WIFEXITED(status) && !WEXITSTATUS(status));
	say("modules %lu, checks %lu, reads %lu, targets %lu, values %lu, jumps %lu, by the gate %lu",
	    race->rounds[0], race->rounds[1], race->rounds[2], race->rounds[3], race->rounds[4],
	    race->rounds[5], race->by_gate);

	/* It was all in vain, and nothing is the worse for it */
	guest_ok(write_file(STRESS "fail", "-1"));
	guest_check(jump() == -EPROTO);
	kstate_says(0, " exact", "arm", image(here, "kstate_stress"));
	guest_ok(jump());
}

static long number_after(const char *where, const char *name)
{
	const char *number = strstr(where, name);

	if (!number)
		guest_fail("no %s in: %.600s", name, where);
	return strtol(number + strlen(name), NULL, 10);
}

/* A check that has far more to say than any buffer holds at first; returns its lines */
static long lines_of_check(const char *target)
{
	static char data[1 << 16];
	long lines = 0;
	ssize_t n;
	int fd;

	kstate_says(0, "", "catalog", "--output", "/tmp/target", target);
	n = read_file("/tmp/target", data, sizeof(data));
	guest_ok(n);
	fd = open(KSTATE_SYS "target", O_WRONLY | O_CLOEXEC);
	for (ssize_t at = 0, done; at < n; at += done) {
		done = pwrite(fd, data + at, n - at, at);
		guest_check(done > 0);
	}
	close(fd);
	fd = open(KSTATE_SYS "check", O_RDONLY | O_CLOEXEC);
	while ((n = read(fd, data, sizeof(data))) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += data[i] == '\n';
	if (n < 0)
		guest_fail("check: %s", strerror(errno));
	close(fd);
	return lines;
}

/* What a live check costs; tests/vm/run compares it with what the jump then takes to save */
static void live_100000(long boot)
{
	long ns, save_ns;

	load_stress("objects=100000");
	if (boot) {
		check_stress(100000, 0);
		guest_pass();
	}
	/* Linux has states of its own */
	kstate_says(0, "\"worst\": \"exact\"", "check", "--live", "--json", image("a", "kstate_stress"));
	ns = number_after(output, "\"ns\": ");
	save_ns = number_after(output, "\"save_ns\": ");
	say("live check: ns=%ld save_ns=%ld", ns, save_ns);
	guest_check(ns > save_ns && save_ns > 0);
	/* None of them is known there: a line for each, and the sum */
	guest_check(lines_of_check(image("a", "kstate_demo")) == 100001);
	leave_for("a", "");
}

#endif
