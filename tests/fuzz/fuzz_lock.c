// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Fuzzing: arbitrary text as a lock file, as it is, and with its checksums believed, so
 * that mutations get past them. What can be read must say the same when it is written,
 * and its schemas must not harm who resolves them.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "lockfile.h"

static void resolve_all(const struct lockfile *lock)
{
	const struct lock_part *a, *b;

	for (a = lock->parts; a; a = a->next) {
		for (b = lock->parts; b; b = b->next) {
			struct kstate_error err = {};
			struct kstate_where where = { .state = a->schema.name, .err = &err };
			struct kstate_resolution res;

			/* A struct in itself has been refused; trees may still be large */
			if (a->schema.tree + b->schema.tree > 2000)
				continue;
			kstate_resolve(&a->schema, &b->schema, &res, &where, NULL, NULL);
			kstate_resolution_free(&res);
		}
	}
}

static void run(const uint8_t *data, size_t size)
{
	struct lockfile lock = {}, again = {};
	char *text = NULL, *text_again = NULL;
	size_t bytes, bytes_again;
	struct trouble t = {};

	if (!lock_parse(&lock, "input", (const char *)data, size, &t)) {
		resolve_all(&lock);
		if (lock_text(&lock, &text, &bytes, &t) ||
		    lock_parse(&again, "output", text, bytes, &t) ||
		    lock_text(&again, &text_again, &bytes_again, &t) ||
		    bytes != bytes_again || memcmp(text, text_again, bytes))
			abort();
	} else if (!t.text[0]) {
		abort();
	}
	free(text);
	free(text_again);
	lock_free(&lock);
	lock_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lock_any_checksum = false;
	run(data, size);
	lock_any_checksum = true;
	run(data, size);
	return 0;
}
