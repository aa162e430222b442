/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lock files: the schemas of released kernels, as text.
 */
#ifndef _LOCKFILE_H
#define _LOCKFILE_H

#include "source.h"

/**
 * struct lock_part - a schema in a lock file
 * @next: in the order of the file
 * @schema: the schema; what it refers to are schemas of other parts
 * @state: kernels have records of it; otherwise it is a struct inside of others
 * @string_key: the keys of its records are strings
 * @type: C type that is described, or an empty string
 * @checksum: of its text
 * @releases: the kernels that have it: some of lockfile.releases, the same pointers
 * @nr_releases: how many
 * @line: where it begins in the file
 * @refs: what its fields refer to, until that has been found
 * @step: how far finding has come
 */
struct lock_part {
	struct lock_part *next;
	struct kstate_schema schema;
	bool state;
	bool string_key;
	const char *type;
	u32 checksum;
	const char **releases;
	u32 nr_releases;
	u32 line;
	struct lock_ref *refs;
	enum { PART_READ, PART_FINDING, PART_FOUND } step;
};

/**
 * struct lockfile - a lock file in memory
 * @name: of the file
 * @releases: the kernels it knows, in the order of their versions
 * @nr_releases: how many
 * @parts: the schemas, sorted by name
 * @memory: all that belongs to it
 */
struct lockfile {
	const char *name;
	const char **releases;
	u32 nr_releases;
	struct lock_part *parts;
	struct lock_memory *memory;
};

/* For fuzzers: believe a part whatever its checksum is */
extern bool lock_any_checksum;

/**
 * lock_has() - whether a release has a part
 * @part: the part
 * @release: the release, one of lockfile.releases
 */
bool lock_has(const struct lock_part *part, const char *release);

/**
 * lock_parse() - read the text of a lock file
 * @lock: what to fill; for lock_free(), also after trouble
 * @name: of the file, for messages
 * @text: the text
 * @size: its bytes
 * @t: what went wrong, with line and column
 */
enum status lock_parse(struct lockfile *lock, const char *name, const char *text, size_t size,
		       struct trouble *t);

/**
 * lock_read() - read a lock file
 * @lock: what to fill; for lock_free(), also after trouble
 * @name: of the file
 * @may_be_missing: then it is empty
 * @t: what went wrong
 */
enum status lock_read(struct lockfile *lock, const char *name, bool may_be_missing,
		      struct trouble *t);
void lock_free(struct lockfile *lock);

/**
 * lock_text() - the text of a lock file
 * @lock: the lock file
 * @text: set to the text, for free()
 * @size: set to its bytes
 * @t: what went wrong
 */
enum status lock_text(const struct lockfile *lock, char **text, size_t *size,
		      struct trouble *t);

/**
 * lock_write() - write a lock file
 * @lock: the lock file; either all of it is written or nothing
 * @t: what went wrong; also if the text would not say the same when it is read
 */
enum status lock_write(const struct lockfile *lock, struct trouble *t);

/**
 * lock_add() - note that a release has a state
 * @lock: the lock file
 * @info: the state
 * @release: the release
 * @t: what went wrong
 */
enum status lock_add(struct lockfile *lock, const struct state_info *info, const char *release,
		     struct trouble *t);

/**
 * lock_drop() - forget a release, and what only it had
 * @lock: the lock file
 * @release: the release
 * @t: what went wrong: there is no such release
 */
enum status lock_drop(struct lockfile *lock, const char *release, struct trouble *t);

#endif /* _LOCKFILE_H */
