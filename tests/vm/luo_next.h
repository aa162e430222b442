/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Live update between kernels that differ in it, and what is damaged of it: each costs what it
 * is about, and nothing else.
 */
#ifndef KSTATE_TESTS_VM_LUO_NEXT_H
#define KSTATE_TESTS_VM_LUO_NEXT_H

#include <stdint.h>
#include "luo.h"

/*
 * The next kernel's sessions have a field more, its memfds have one less, and its FLBs have one
 * that this kernel does not understand. Both ways sessions and files come over; positions are
 * lost, and this kernel gives up the FLBs. The command foretells all of it.
 */
static void luo_next(long boot)
{
	int session;

	if (!boot) {
		kstate_says(2, "memfd", "check", "/kernels/a", "/kernels/next");
		say_output();
		guest_check(strstr(output, "luo_flb") && strstr(output, "luo_session"));
		session = luo_session(LUO_CREATE_SESSION, "vm");
		luo_preserve(session, 1);
		luo_preserve(session, 2);
		luo_preserve(luo_session(LUO_CREATE_SESSION, "later"), 3);
		luo_session(LUO_CREATE_SESSION, "empty");
		leave_for("next", "");
	}
	if (boot == 1) {
		session = luo_session(LUO_RETRIEVE_SESSION, "vm");
		luo_retrieve(session, 1, 0);
		luo_retrieve(session, 2, 0);
		luo_finish(session);
		guest_check(kmsg_has("Session [vm] of 0"));
		guest_check(luo_open_session(LUO_RETRIEVE_SESSION, "vm") == -ENOENT);
		/* "later" and "empty" have not been asked for, and are handed on */
		session = luo_session(LUO_CREATE_SESSION, "back");
		luo_preserve(session, 4);
		leave_for("a", "");
	}
	session = luo_session(LUO_RETRIEVE_SESSION, "back");
	luo_retrieve(session, 4, 0);
	luo_finish(session);
	/* Nobody here knows what FLBs are to the other kernel */
	guest_check(kmsg_has("luo_flb[\"liveupdate-test-flb-v0\"].kind"));
	session = luo_session(LUO_RETRIEVE_SESSION, "later");
	luo_retrieve(session, 3, LUO_BYTES);
	luo_finish(session);
	luo_finish(luo_session(LUO_RETRIEVE_SESSION, "empty"));
	guest_pass();
}

/* The kernel in between has no handler of memfds: asking tells, closing loses nothing. */
static void luo_nomemfd(long boot)
{
	int session;

	if (!boot) {
		session = luo_session(LUO_CREATE_SESSION, "vm");
		luo_preserve(session, 1);
		luo_preserve(session, 2);
		session = luo_session(LUO_CREATE_SESSION, "given up");
		luo_preserve(session, 1);
		leave_for("nomemfd", "");
	}
	if (boot == 1) {
		for (int i = 0; i < 2; i++) {
			session = luo_session(LUO_RETRIEVE_SESSION, "vm");
			guest_check(luo_try_retrieve(session, 1) == -EOPNOTSUPP);
			check_error("expected a handler for \"memfd");
			check_error("stream luo/vm");
			guest_check(luo_try_retrieve(session, 3) == -ENOENT);
			close(session);
		}
		luo_finish(luo_session(LUO_RETRIEVE_SESSION, "given up"));
		guest_check(luo_open_session(LUO_RETRIEVE_SESSION, "given up") == -ENOENT);
		leave_for("a", "");
	}
	session = luo_session(LUO_RETRIEVE_SESSION, "vm");
	luo_retrieve(session, 1, LUO_BYTES);
	luo_retrieve(session, 2, LUO_BYTES);
	luo_finish(session);
	guest_check(luo_open_session(LUO_RETRIEVE_SESSION, "given up") == -ENOENT);
	guest_pass();
}

/* Tokens of the files whose state is looked for in memory */
#define TOKEN_HIGH	0x7e57ab1eULL
#define TOKEN(n)	(TOKEN_HIGH << 32 | (n))

/* The key of a record's header of 32 bytes, 8 bytes into it; then come its size, schema, and place */
static bool is_record(const uint64_t *key)
{
	uint32_t size = key[1], schema = key[1] >> 32, no_string_no_flags = key[2] >> 32;

	return size && size < 4096 && !(size % 8) && schema < 1000 && !no_string_no_flags;
}

/* The token at the end of Linux's own struct luo_file_ser, after 48 bytes of name and a number */
static bool is_luo_file_ser(const uint64_t *token)
{
	return !memcmp(token - 7, "memfd-v", 7);
}

/*
 * Damage the state of the file TOKEN(0x11) and that of the handler of TOKEN(0x21), or, where
 * that is Linux's own, which has no record, the name of its handler, as far as it goes. What has
 * a token is in the order in which it was saved.
 */
static void damage_second_files(void)
{
	enum { WINDOW = 1 << 20 };
#ifdef __aarch64__
	/* QEMU's memory begins there, and scripts/vm's has this size; behind it is nothing */
	const uint64_t base = 1 << 30, end = base + (1 << 30);
#else
	/* What the kernel keeps for itself is not in MemTotal */
	const uint64_t base = 0, end = ((uint64_t)meminfo("MemTotal") << 10) + (128 << 20);
#endif
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC), first = 0, second = 0;
	uint64_t *words;

	guest_check(fd >= 0);
	for (uint64_t at = base + WINDOW; at < end; at += WINDOW) {
		words = mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
		guest_check(words != MAP_FAILED);
		for (uint64_t *w = words + 7; w < words + WINDOW / 8 - 4; w++) {
			if (*w != TOKEN(0x11) && *w != TOKEN(0x21))
				continue;
			if (is_luo_file_ser(w))
				memset(w - 7, 'x', 48);
			else if (!is_record(w))
				continue;
			else if ((*w == TOKEN(0x11) && !first) || (*w == TOKEN(0x21) && second == 1))
				w[3] ^= 1 << 5;
			first += *w == TOKEN(0x11);
			second += *w == TOKEN(0x21);
		}
		munmap(words, WINDOW);
	}
	close(fd);
	say("%d and %d places have the tokens", first, second);
	guest_check(first && second);
}

/*
 * Something is wrong with what came over of the second file of each session. That file is lost,
 * says so, and the others are there. Linux's own live update loses all sessions.
 */
static void luo_damage(long boot)
{
	int session, base;

	if (!boot) {
		for (int i = 0; i < 2; i++) {
			session = luo_session(LUO_CREATE_SESSION, i ? "second" : "first");
			for (int j = 0; j < 3; j++)
				luo_preserve(session, TOKEN(i * 0x10 + 0x10 + j));
		}
		leave_for(cmdline_value("to"), "to=%s", cmdline_value("to"));
	}
	damage_second_files();
	for (int i = 0; i < 2; i++) {
		session = luo_session(LUO_RETRIEVE_SESSION, i ? "second" : "first");
		base = i ? 0x20 : 0x10;
		luo_retrieve(session, TOKEN(base), LUO_BYTES);
		guest_check(luo_try_retrieve(session, TOKEN(base + 1)) == -EBADMSG);
		check_error(i ? "(stream luo/second)" : "(stream luo/first)");
		luo_retrieve(session, TOKEN(base + 2), LUO_BYTES);
		luo_finish(session);
	}
	guest_pass();
}

#endif
