/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an argument names: one kernel with its modules, or the streams of a jump.
 */
#ifndef _TOOL_SOURCE_H
#define _TOOL_SOURCE_H

#include "image.h"
#include "store.h"
#include "tool.h"

/**
 * typedef source_image_fn - hears of each file that a source is made of
 * @image: the file, until it returns
 * @set: the catalogue in it
 * @arg: as given to source_open_each()
 * @t: what went wrong
 */
typedef enum status source_image_fn(const struct image *image, const struct kstate_set *set,
				    void *arg, struct trouble *t);

/**
 * struct source - a catalogue or the streams of a jump
 * @name: the argument
 * @set: all of it; a catalogue has schemas and kstate_set.states, streams have
 *	kstate_set.streams, and kstate_set.damage if not all of them can be read
 * @stream: these are streams
 * @images: how many files with a catalogue there were
 * @silent: how many images without one there were
 * @release: of a kernel without one
 * @each: called for each file with a catalogue, or NULL
 * @arg: for @each
 */
struct source {
	const char *name;
	struct kstate_set *set;
	bool stream;
	size_t images;
	size_t silent;
	char release[80];
	source_image_fn *each;
	void *arg;
};

/**
 * source_open() - read what an argument names
 * @s: filled; to be given to source_close(), also after trouble
 * @arg: a file as image_open() takes it; a directory: the kernel in it and all modules;
 *	several of these with commas between; or what running_path() knows
 * @t: what went wrong
 *
 * Catalogues that belong together become one. It has the release of the first. Those that
 * do not belong together are refused unless options.mixed says that they do.
 */
enum status source_open(struct source *s, const char *arg, struct trouble *t);

/**
 * source_open_each() - source_open(), and look at the files themselves
 * @s: as for source_open()
 * @arg: as for source_open()
 * @each: called for each file with a catalogue
 * @each_arg: for @each
 * @t: what went wrong
 */
enum status source_open_each(struct source *s, const char *arg, source_image_fn *each,
			     void *each_arg, struct trouble *t);
void source_close(struct source *s);

/* Child of the argp of those who call it: --mixed, and the common ones */
extern const struct argp_child source_options[];

/**
 * source_join() - make one argument of several that are parts of one kernel
 * @names: the arguments
 * @nr: how many
 *
 * Return: them with commas between, for free(), or NULL without memory.
 */
char *source_join(char **names, int nr);

/**
 * struct state_info - a description, as a catalogue tells of it
 * @schema: its schema
 * @flags: %KSTATE_STATE_USED, %KSTATE_STATE_NESTED
 * @image: name of the image
 * @type: the C type that is described, or an empty string
 * @members: what it says of members of that type
 * @nr_members: how many
 * @strings: for source_string()
 */
struct state_info {
	const struct kstate_schema *schema;
	u32 flags;
	const char *image;
	const char *type;
	const struct kstate_wire_member *members;
	u32 nr_members;
	const char *strings;
};

/**
 * source_state() - what a record of a catalogue says
 * @set: the catalogue
 * @state: an entry of kstate_set.states
 * @d: filled
 *
 * Return: false if the record makes no sense; source_open() refuses those.
 */
bool source_state(const struct kstate_set *set, const struct kstate_state *state,
		  struct state_info *d);

/** source_string() - kstate_wire_member.name or .reason of a member of @d */
static inline const char *source_string(const struct state_info *d, __le32 offset)
{
	return d->strings + le32_to_cpu(offset);
}

/**
 * source_write() - write a catalogue to a file
 * @set: the catalogue
 * @path: of the file
 * @t: what went wrong; then there is no file
 */
enum status source_write(struct kstate_set *set, const char *path, struct trouble *t);

/**
 * source_same_machine() - whether memory of one kernel can be handed to the other
 * @a: name of the one
 * @x: its catalogue or stream
 * @b: name of the other
 * @y: its catalogue or stream
 * @t: why not
 *
 * Return: STATUS_OK or STATUS_ARCH.
 */
enum status source_same_machine(const char *a, const struct kstate_set *x, const char *b,
				const struct kstate_set *y, struct trouble *t);

/** source_arch() - name of the architecture of an ELF machine number */
const char *source_arch(u32 machine, char *buf, size_t size);

/**
 * struct side - what a kernel reads and writes
 * @states: its descriptions of states, sorted by name
 * @nr: how many
 */
struct side {
	struct state_info *states;
	size_t nr;
};

/**
 * side_init() - find the states of a catalogue of which there may be records
 * @side: what to fill, for side_free(); it refers to @set
 * @set: the catalogue, from source_open()
 * @t: what went wrong
 */
enum status side_init(struct side *side, const struct kstate_set *set, struct trouble *t);
void side_free(struct side *side);

/**
 * side_find() - states by name
 * @side: where to look
 * @name: of the state
 * @nr: set to how many there are: several images may describe one each
 *
 * Return: the first of them.
 */
const struct state_info *side_find(const struct side *side, const char *name, size_t *nr);

#endif /* _TOOL_SOURCE_H */
