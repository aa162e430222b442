/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The scenario soak: kexecs in a loop, until a time. What each round does follows from seed= and its number,
 * as far as races allow:
 *
 *   a kernel makes objects, random ones, the sample driver's and files in sessions, with or without
 *   allocations that fail; others register, arm, read, unload and try to jump meanwhile; some jumps fail
 *   for want of memory; some bits of what is handed over are flipped at the last moment
 *   one kernel may lie in between, which takes a part of it and hands on the rest
 *   the next kernel takes all of it: each is right, or refused with an error
 *
 * Nothing is left behind: no record, no page, no memory that nobody points to. tests/soak/run runs it for as
 * long as one likes, and counts what its lines say.
 */
#ifndef KSTATE_TESTS_VM_SOAK_H
#define KSTATE_TESTS_VM_SOAK_H

#include "endure.h"
#include "gate.h"
#include "predict.h"

#define SOAK_SESSIONS	4
#define SOAK_FILES	3
#define SOAK_RACERS	5

/* Which of the things of a round */
enum { SOAK_STRESS = 1, SOAK_STATES = 2, SOAK_DEMO = 4, SOAK_LUO = 8, SOAK_ALL = 15 };

struct soak_plan {
	long round;
	unsigned long long seed;	/* of what is random otherwise */
	unsigned int what;		/* things that there are */
	unsigned int later;		/* of those, what the kernel in between leaves */
	unsigned int objects, folios, states;
	bool optional;
	unsigned int make_faults, take_faults;	/* each nth allocation fails; 0: none */
	unsigned int race_faults, race_seconds;
	unsigned int jump_faults[3];	/* of a jump, the nth allocation fails; 0: no such jump */
	unsigned int flips;
	bool armed;
};

static bool soak_chance(unsigned long long *seed, unsigned int percent)
{
	return endure_random(seed) % 100 < percent;
}

/* A number of any magnitude */
static unsigned int soak_number(unsigned long long *seed, unsigned int bits)
{
	return 1 + endure_random(seed) % (1u << (1 + endure_random(seed) % bits));
}

static unsigned int soak_every(unsigned long long *seed, unsigned int percent)
{
	return soak_chance(seed, percent) ? 10 + soak_number(seed, 9) : 0;
}

static struct soak_plan soak_plan(long seed, long round)
{
	struct soak_plan p = { .round = round };
	unsigned long long *r = &p.seed;

	p.seed = seed * 1000003ULL + round;
	for (int i = 0; i < 4; i++)
		endure_random(r);
	/* The object that refuses to be saved, and the flips, are stress's */
	p.what = SOAK_STRESS | endure_random(r) % 16;
	p.objects = soak_number(r, 11);
	p.folios = soak_chance(r, 70) ? soak_number(r, 6) : 0;
	p.optional = soak_chance(r, 50);
	p.states = soak_number(r, 6);
	p.make_faults = soak_every(r, 60);
	p.take_faults = soak_every(r, 60);
	p.race_faults = soak_every(r, 70);
	p.race_seconds = soak_chance(r, 60) ? 5 + endure_random(r) % 10 : 0;
	for (size_t i = 0; i < ARRAY_LENGTH(p.jump_faults); i++)
		p.jump_faults[i] = soak_chance(r, 60) ? soak_number(r, 11) : 0;
	p.flips = soak_chance(r, 35) ? soak_number(r, 3) : 0;
	/* Who hands on leaves behind what is damaged: then nobody knows of it */
	if (!p.flips && soak_chance(r, 40))
		p.later = p.what & endure_random(r) % 16;
	p.armed = soak_chance(r, 50);
	return p;
}

/* Allocations that fail, each nth of this process and of its children */

#define SOAK_MOST	1000000

static void soak_fault_attribute(const char *name, long value)
{
	static const char *const allocators[] = { "failslab", "fail_page_alloc" };
	char path[100], number[20];

	for (size_t i = 0; i < ARRAY_LENGTH(allocators); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", allocators[i], name);
		snprintf(number, sizeof(number), "%ld", value);
		guest_ok(write_file(path, number));
	}
}

static void soak_faults_begin(unsigned int every)
{
	if (!every)
		return;
	soak_fault_attribute("task-filter", 1);
	soak_fault_attribute("times", SOAK_MOST);
	soak_fault_attribute("interval", every);
	soak_fault_attribute("probability", 100);
	guest_ok(write_file("/proc/thread-self/make-it-fail", "1"));
}

/* This, too, may be what fails, but not for ever */
static void soak_spare_us(void)
{
	int err;

	do {
		err = write_file("/proc/thread-self/make-it-fail", "0");
	} while (err == -ENOMEM);
	guest_ok(err);
}

static void soak_faults_end(unsigned int every)
{
	long left = 0;

	if (!every)
		return;
	soak_spare_us();
	soak_fault_attribute("probability", 0);
	left = number_in("/sys/kernel/debug/failslab/times") +
	       number_in("/sys/kernel/debug/fail_page_alloc/times");
	say("soak: faults=%ld", 2 * SOAK_MOST - left);
}

#define soak_with_faults(_every, _call)						\
({										\
	soak_faults_begin(_every);						\
	long ret_ = (_call);							\
										\
	soak_faults_end(_every);						\
	ret_;									\
})

/* What a call may not have left behind when it failed: it is made again, and succeeds */
#define soak_do(_every, _call)							\
({										\
	long done_ = soak_with_faults(_every, _call);				\
										\
	if (done_ < 0 && (_every))						\
		done_ = (_call);						\
	if (done_ < 0)								\
		guest_fail("%s: %s", #_call, strerror(-done_));			\
	done_;									\
})

/* Things, made and taken */

static int soak_load_stress(const struct soak_plan *p, bool taken)
{
	char parameters[100];

	snprintf(parameters, sizeof(parameters), "objects=%u folios=%u optional=%d round=%ld", p->objects,
		 p->folios, p->optional, p->round + taken);
	return load("kstate_stress", parameters);
}

static int soak_load_random(const struct soak_plan *p, const char *side)
{
	char parameters[100];

	snprintf(parameters, sizeof(parameters), "side=%s seed=%llu states=%u", side,
		 p->seed % 1000000, p->states);
	return load("kstate_random", parameters);
}

static const char *soak_name(const struct soak_plan *p, int session)
{
	return endure_name(p->round, session);
}

static int soak_file(const struct soak_plan *p, int session, int file)
{
	int fd = memfd_create("soak", MFD_CLOEXEC);

	guest_check(fd >= 0);
	endure_write(fd, endure_seed(p->seed, session, file));
	return fd;
}

static void soak_make_sessions(const struct soak_plan *p)
{
	unsigned int every = p->make_faults;

	for (int i = 0; i < SOAK_SESSIONS; i++) {
		int session = soak_do(every, luo_open_session(LUO_CREATE_SESSION, soak_name(p, i)));

		for (int j = 0; j < SOAK_FILES; j++) {
			int fd = soak_file(p, i, j);

			soak_do(every, luo_try_preserve(session, fd, j));
			close(fd);
		}
	}
}

/* A driver does not ask whether debugfs has had the memory for its files */
static bool soak_demo_is_seen(unsigned int every)
{
	return !every || !access(DEMO_VALUES, F_OK);
}

static void soak_make_demo(const struct soak_plan *p)
{
	soak_do(p->make_faults, load("kstate_demo", ""));
	if (soak_demo_is_seen(p->make_faults))
		return;
	guest_ok(rmmod("kstate_demo"));
	guest_ok(load("kstate_demo", ""));
}

static long soak_module(const char *module, const char *parameter)
{
	char path[100];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, parameter);
	return number_in(path);
}

/* An object for which there was no memory is not registered: then the module goes, to be loaded again */
static bool soak_lacks_one(const struct soak_plan *p, const char *module)
{
	if (!p->make_faults || !soak_module(module, "refused"))
		return false;
	guest_ok(rmmod(module));
	return true;
}

/* Returns what has to come along: the values of the sample driver */
static unsigned int soak_make(const struct soak_plan *p)
{
	soak_do(p->make_faults, soak_load_stress(p, false));
	if (soak_lacks_one(p, "kstate_stress"))
		guest_ok(soak_load_stress(p, false));
	if (p->what & SOAK_STATES) {
		soak_do(p->make_faults, soak_load_random(p, "writer"));
		if (soak_lacks_one(p, "kstate_random"))
			guest_ok(soak_load_random(p, "writer"));
	}
	if (p->what & SOAK_DEMO)
		soak_make_demo(p);
	if (p->what & SOAK_LUO)
		soak_make_sessions(p);
	return p->what & SOAK_DEMO ? demo_values() : 0;
}

/* Everything is right that is not refused, and it is all there: of @nr at least @least, and none is refused if it must not be */
static void soak_check(const struct soak_plan *p, const char *module, long nr, long least, bool refused)
{
	long is_restored = soak_module(module, "restored"), is_refused = soak_module(module, "refused");
	long is_wrong = soak_module(module, "wrong");

	say("soak: restored=%ld refused=%ld of %ld of %s", is_restored, is_refused, nr, module);
	if (is_wrong)
		guest_fail("round %ld: %s: %ld are wrong", p->round, module, is_wrong);
	if (is_refused && !refused)
		guest_fail("round %ld: %s: %ld are refused", p->round, module, is_refused);
	if (is_restored + is_refused < least)
		guest_fail("round %ld: %s: of %ld, %ld are restored and %ld refused", p->round, module, nr,
			   is_restored, is_refused);
}

/*
 * First with faults, then without. What had been handed memory over and was unloaded begins anew; all
 * else is restored again.
 */
static void soak_take_stress(const struct soak_plan *p)
{
	long least = p->objects;

	if (p->take_faults && !soak_with_faults(p->take_faults, soak_load_stress(p, true))) {
		soak_check(p, "kstate_stress", p->objects, least, true);
		guest_ok(rmmod("kstate_stress"));
	}
	if (p->take_faults && p->folios)
		least -= (p->objects + p->folios - 1) / p->folios;
	guest_ok(soak_load_stress(p, true));
	soak_check(p, "kstate_stress", p->objects, least, p->flips);
	guest_ok(rmmod("kstate_stress"));
}

static void soak_take_random(const struct soak_plan *p)
{
	long nr = p->states * OBJECTS;

	if (p->take_faults && !soak_with_faults(p->take_faults, soak_load_random(p, "heir"))) {
		soak_check(p, "kstate_random", nr, nr, true);
		guest_ok(rmmod("kstate_random"));
	}
	guest_ok(soak_load_random(p, "heir"));
	soak_check(p, "kstate_random", nr, nr, p->flips);
	guest_ok(rmmod("kstate_random"));
}

static void soak_take_demo(const struct soak_plan *p)
{
	bool tried = p->take_faults && soak_with_faults(p->take_faults, load("kstate_demo", ""));
	int err = 0;

	if (!p->take_faults || tried)
		err = load("kstate_demo", "");
	if (err && !p->flips)
		guest_fail("round %ld: the driver does not load: %s", p->round, strerror(-err));
	say("soak: restored=%d refused=%d of 1 of kstate_demo", !err, !!err);
	if (err)
		return;
	/* The memory that it was handed over went with the one that failed */
	if (!tried && soak_demo_is_seen(p->take_faults))
		check_demo();
	guest_ok(rmmod("kstate_demo"));
}

static void soak_take_files(const struct soak_plan *p, int nr, int session, int *lost)
{
	for (int i = 0; i < SOAK_FILES; i++) {
		int fd = soak_with_faults(p->take_faults, luo_try_retrieve(session, i)), same;

		if (fd < 0 && p->take_faults)
			fd = luo_try_retrieve(session, i);
		if (fd < 0) {
			say("soak: refused=1 file %d of session %d: %s", i, nr, strerror(-fd));
			*lost += 1;
			continue;
		}
		same = soak_file(p, nr, i);
		if (endure_checksum(0, fd) != endure_checksum(0, same))
			guest_fail("round %ld: file %d of session %d is wrong", p->round, i, nr);
		close(same);
		close(fd);
	}
}

static void soak_take_sessions(const struct soak_plan *p)
{
	int lost = 0;

	for (int i = 0; i < SOAK_SESSIONS; i++) {
		int session = soak_with_faults(p->take_faults,
					       luo_open_session(LUO_RETRIEVE_SESSION, soak_name(p, i)));

		if (session < 0 && p->take_faults)
			session = luo_open_session(LUO_RETRIEVE_SESSION, soak_name(p, i));
		if (session < 0 && !p->flips)
			guest_fail("round %ld: session %d is lost: %s", p->round, i, strerror(-session));
		if (session < 0) {
			say("soak: refused=%d session %d: %s", SOAK_FILES, i, strerror(-session));
			lost += SOAK_FILES;
			continue;
		}
		soak_take_files(p, i, session, &lost);
		if (soak_with_faults(p->take_faults, luo_try_finish(session)) && !p->flips)
			guest_ok(luo_try_finish(session));
		close(session);
	}
	say("soak: restored=%d of %d files", SOAK_SESSIONS * SOAK_FILES - lost, SOAK_SESSIONS * SOAK_FILES);
	/* A file for which there was no memory may be lost, with an error */
	if (lost && !p->flips && !p->take_faults)
		guest_fail("round %ld: %d files are lost", p->round, lost);
}

static void soak_take(const struct soak_plan *p, unsigned int what)
{
	if (what & SOAK_STRESS)
		soak_take_stress(p);
	if (what & SOAK_STATES)
		soak_take_random(p);
	if (what & SOAK_DEMO)
		soak_take_demo(p);
	if (what & SOAK_LUO)
		soak_take_sessions(p);
}

/*
 * What its module has left when it went is there for it again, and is kept for it if it is
 * optional and the kernel does not know it any more: it must not be taken for the next round's.
 * Sessions that nobody can retrieve would be handed on for ever.
 */
static void soak_finish(const struct soak_plan *p)
{
	bool random = p->what & SOAK_STATES;

	guest_ok(soak_load_stress(p, true));
	if (random)
		guest_ok(soak_load_random(p, "heir"));
	guest_ok(write_file(KSTATE_SYS "finish", p->flips ? "all" : "1"));
	if (random)
		guest_ok(rmmod("kstate_random"));
	guest_ok(rmmod("kstate_stress"));
}

/* Races: children do anything at all. Whether it succeeds is not asked, but what it leaves */

struct soak_race {
	unsigned long done, failed;
	bool over;
};

static struct soak_race *soak_race;
static char soak_catalog[1 << 20];
static ssize_t soak_catalog_size;

static int soak_race_module(unsigned long long *seed)
{
	static const char *const modules[] = { "kstate_demo", "kstate_random" };
	const char *module = modules[endure_random(seed) % 2];
	int err = load(module, strcmp(module, "kstate_demo") ? "states=5 seed=77" : "");

	if (err)
		return err;
	usleep(endure_random(seed) % 20000);
	/* Another one's, perhaps, which is gone */
	do {
		err = rmmod(module);
		usleep(1000);
	} while (err && err != -ENOENT);
	return 0;
}

static int soak_race_read(unsigned long long *seed)
{
	static const char *const files[] = { "catalog", "gate", "streams", "records", "outgoing", "incoming",
					     "last_error", "last_error.json", "live", "objects", "check",
					     "damage" };
	static char data[4 << 20];
	char path[64];
	int n;

	snprintf(path, sizeof(path), KSTATE_SYS "%s", files[endure_random(seed) % ARRAY_LENGTH(files)]);
	n = read_file(path, data, sizeof(data));
	return n < 0 ? n : 0;
}

/* Of this kernel as it is: nothing can be refused */
static void soak_read_catalog(void)
{
	soak_catalog_size = read_file(KSTATE_SYS "catalog", soak_catalog, sizeof(soak_catalog));
	guest_ok(soak_catalog_size);
}

static int soak_write_target(void)
{
	int fd = open(KSTATE_SYS "target", O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	for (ssize_t at = 0, done; at < soak_catalog_size; at += done) {
		done = pwrite(fd, soak_catalog + at, soak_catalog_size - at, at);
		if (done <= 0) {
			err = -errno;
			break;
		}
	}
	close(fd);
	return err;
}

static int soak_race_gate(unsigned long long *seed)
{
	static const char *const policies[] = {
		"\n", "must-come sample,demo\n", "force may-be-lost sample,demo\n", "must-come nothing\n",
	};
	static const char *const armed[] = { "on", "force", "off" };

	switch (endure_random(seed) % 4) {
	case 0:
		return soak_write_target();
	case 1:
		return write_file(KSTATE_SYS "target", "\n");
	case 2:
		return write_file(KSTATE_SYS "policy", policies[endure_random(seed) % 4]);
	}
	return write_file(KSTATE_SYS "armed", armed[endure_random(seed) % 3]);
}

static int soak_race_session(unsigned long long *seed)
{
	int session, fd, err = 0;

	session = luo_open_session(LUO_CREATE_SESSION, fault_session("race", getpid()));
	if (session < 0)
		return session;
	for (int i = 0; i < 2 && !err; i++) {
		fd = memfd_create("race", MFD_CLOEXEC);
		if (fd < 0)
			break;
		if (ftruncate(fd, 1 << 16) || pwrite(fd, "x", 1, endure_random(seed) % (1 << 16)) != 1)
			err = -errno;
		else
			err = luo_try_preserve(session, fd, i);
		close(fd);
	}
	usleep(endure_random(seed) % 20000);
	close(session);
	return err;
}

/* One of the objects refuses */
static int soak_race_jump(unsigned long long *seed)
{
	int err = jump_now();

	usleep(endure_random(seed) % 50000);
	return err;
}

static void soak_race_child(int nr, unsigned long long seed, unsigned int every)
{
	static int (*const races[SOAK_RACERS])(unsigned long long *seed) = {
		soak_race_module, soak_race_read, soak_race_gate, soak_race_session, soak_race_jump,
	};

	seed += nr;
	if (every)
		write_file("/proc/thread-self/make-it-fail", "1");
	while (!soak_race->over) {
		/* Of what one is best at, most; of everything, something */
		int what = soak_chance(&seed, 60) ? nr : endure_random(&seed) % SOAK_RACERS;
		int err = races[what](&seed);

		__atomic_add_fetch(err ? &soak_race->failed : &soak_race->done, 1, __ATOMIC_RELAXED);
	}
	_exit(0);
}

/* Streams and records that wait for the jump, as one number */
static long soak_outgoing(void)
{
	long sum = 0;

	guest_ok(read_file(KSTATE_SYS "streams", text, sizeof(text)));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char *records = strstr(line, " records=");

		if (!strncmp(line, "out ", 4) && records)
			sum += 1000000 + atol(records + strlen(" records="));
	}
	return sum;
}

static void soak_disarm(void)
{
	guest_ok(write_file(KSTATE_SYS "armed", "off"));
	guest_ok(write_file(KSTATE_SYS "policy", "\n"));
	guest_ok(write_file(KSTATE_SYS "target", "\n"));
}

/* Beside what has been made, of which one object cannot be saved: so that no jump succeeds */
static void soak_races(const struct soak_plan *p)
{
	long before = soak_outgoing(), after;
	int status;

	soak_race = mmap(NULL, sizeof(*soak_race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	guest_check(soak_race != MAP_FAILED);
	guest_ok(write_file(STRESS "fail", "0"));
	for (int i = 0; i < SOAK_RACERS; i++) {
		pid_t pid = fork();

		if (!pid)
			soak_race_child(i, p->seed, p->race_faults);
		guest_check(pid > 0);
	}
	/* This process itself does without */
	soak_faults_begin(p->race_faults);
	soak_spare_us();
	sleep(p->race_seconds);
	soak_race->over = true;
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			guest_fail("round %ld: a racer ended with %#x", p->round, status);
	soak_faults_end(p->race_faults);
	guest_ok(write_file(STRESS "fail", "-1"));
	soak_disarm();
	say("soak: races=%lu refused=%lu", soak_race->done, soak_race->failed);
	munmap(soak_race, sizeof(*soak_race));
	after = soak_outgoing();
	if (after != before)
		guest_fail("round %ld: outgoing streams and records were %ld, are %ld", p->round, before, after);
}

/* The kernel itself has nothing to say against us */
static void soak_kernel_is_well(const char *when)
{
	long tainted = number_in("/proc/sys/kernel/tainted");
	const char *locks;

	if (tainted)
		guest_fail("%s: the kernel is tainted: %#lx", when, tainted);
	if (read_file("/proc/lockdep_stats", text, sizeof(text)) < 0)
		return;
	locks = strstr(text, "debug_locks:");
	guest_check(locks);
	if (atol(locks + strlen("debug_locks:")) != 1)
		guest_fail("%s: lockdep has found something", when);
}

/* Jumps for which there is no memory: most are refused, and what there is goes on */
static void soak_failing_jumps(const struct soak_plan *p)
{
	for (size_t i = 0; i < ARRAY_LENGTH(p->jump_faults); i++) {
		bool failed;
		int err;

		if (!p->jump_faults[i])
			continue;
		err = with_fault(p->jump_faults[i], failed, jump_now());
		say("soak: faults=1 refused=1 jump: %s", strerror(-err));
		if (!failed)
			guest_fail("round %ld: a jump fails without a cause: %s", p->round, strerror(-err));
	}
}

static void soak_leave(const struct soak_plan *p, bool flip)
{
	char number[20];

	check_kmemleak();
	if (flip) {
		snprintf(number, sizeof(number), "%u", (unsigned int)p->seed);
		guest_ok(write_file(STRESS "flip_seed", number));
		snprintf(number, sizeof(number), "%u", p->flips);
		guest_ok(write_file(STRESS "flips", number));
		say("soak: flips=%u", p->flips);
	}
	soak_failing_jumps(p);
	check_kmemleak();
	soak_kernel_is_well("before the jump");
	guest_ok(jump());
}

/*
 * MemTotal lacks what was preserved and nobody has taken, to the page: so what has been forgotten
 * is seen. Where bits were flipped, nobody knows what belongs to what could not be read.
 */
static long soak_check_memory(const struct soak_plan *p, long total)
{
	long now = meminfo("MemTotal");

	say("soak: MemTotal %ld KiB, %ld KiB are free", now, settled_memory());
	if (p->flips)
		return total;
	if (total - now > 64)
		guest_fail("round %ld: MemTotal was %ld KiB, is %ld KiB", p->round, total, now);
	return now > total ? now : total;
}

static void soak(long boot)
{
	long seed = cmdline_number("seed", 1), round = cmdline_number("round", 1);
	long total = cmdline_number("total", 0), until = cmdline_number("until", 0);
	unsigned int left = cmdline_number("left", 0), now, demo;
	struct soak_plan p = soak_plan(seed, round);

	soak_kernel_is_well("at the start");
	prepare_faults();
	if (boot) {
		now = left ?: p.what & ~p.later;
		soak_take(&p, now);
		left = left ? 0 : p.later;
		if (left) {
			say("soak: round %ld hands on", round);
			load_kernel(variant(), "seed=%ld round=%ld until=%ld total=%ld left=%u demo=%s", seed,
				    round, until, total, left, cmdline_value("demo"));
			soak_leave(&p, false);
		}
		soak_finish(&p);
		total = soak_check_memory(&p, total);
		say("soak: rounds=1 round %ld is over", round);
		/* A test has this many, a soak as much time */
		if (until ? time(NULL) >= until : round >= cmdline_number("last", 6)) {
			check_kmemleak();
			soak_kernel_is_well("at the end");
			guest_pass();
		}
		p = soak_plan(seed, ++round);
	}
	say("soak: round %ld: things %#x, later %#x, %u objects, %u states, faults %u %u %u, %u s of races, jumps %u %u %u, %u flips",
	    round, p.what, p.later, p.objects, p.states, p.make_faults, p.race_faults, p.take_faults,
	    p.race_seconds, p.jump_faults[0], p.jump_faults[1], p.jump_faults[2], p.flips);
	demo = soak_make(&p);
	load_kernel(variant(), "seed=%ld round=%ld until=%ld total=%ld demo=%u", seed, round, until, total, demo);
	soak_read_catalog();
	if (p.race_seconds)
		soak_races(&p);
	if (p.armed) {
		guest_ok(soak_write_target());
		guest_ok(write_file(KSTATE_SYS "armed", "on"));
	}
	soak_leave(&p, p.flips);
}

#endif
