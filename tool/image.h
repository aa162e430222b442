/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the bytes of a file to those of the catalogue or stream in it.
 */
#ifndef _TOOL_IMAGE_H
#define _TOOL_IMAGE_H

#include <gelf.h>
#include <linux/types.h>
#include "tool.h"

/**
 * struct image - a file without the compression around what is in it
 * @path: of the file, for messages; the caller's
 * @bytes: what is in it: an ELF file, a flat image, a catalogue or a stream
 * @size: how many bytes
 * @module: it is a kernel module
 * @memory: what has been unpacked, or NULL
 * @file: what has been read of the file, or mapped
 * @file_size: how many bytes
 * @mapped: it is mapped
 */
struct image {
	const char *path;
	const u8 *bytes;
	size_t size;
	bool module;
	u8 *memory;
	u8 *file;
	size_t file_size;
	bool mapped;
};

/* What a file may unpack to, at most; fuzzing lowers it */
extern size_t image_limit;

/**
 * image_open() - read a file and unpack what is in it
 * @image: filled; to be given to image_close(), also after trouble
 * @path: the file: vmlinux, a bzImage or other kernel image, a module, a catalogue or
 *	a stream, each also compressed as distributions do it
 * @t: what went wrong
 */
enum status image_open(struct image *image, const char *path, struct trouble *t);

/**
 * image_read() - image_open() for bytes that are in memory already
 * @image: filled; to be given to image_close(), also after trouble
 * @bytes: the bytes, which the caller keeps until image_close()
 * @size: how many
 * @path: name for messages
 * @t: what went wrong
 */
enum status image_read(struct image *image, const void *bytes, size_t size, const char *path,
		       struct trouble *t);
void image_close(struct image *image);

/**
 * image_catalog() - find the catalogue or stream in an image
 * @image: the image
 * @bytes: set to its first byte, in the image
 * @size: set to how many
 * @t: what went wrong: without one, it is %STATUS_NO_CATALOG
 *
 * Only the header is checked.
 */
enum status image_catalog(const struct image *image, const void **bytes, size_t *size,
			  struct trouble *t);

/**
 * image_lacks_kstate() - whether an image is a kernel that has no KSTATE in it
 * @image: the image, of a kernel
 *
 * Return: true if so: then only its modules can describe state.
 */
bool image_lacks_kstate(const struct image *image);

/**
 * image_release() - the release of a kernel
 * @image: the image, of a kernel
 * @release: set to it, or to an empty string if the image does not say
 * @size: room in @release
 */
void image_release(const struct image *image, char *release, size_t size);

/**
 * image_section() - find a section of an image that is an ELF file
 * @image: the image
 * @name: of the section
 * @bytes: set to its first byte, in the image; NULL if there is no such section
 * @size: set to how many
 * @t: what went wrong
 */
enum status image_section(const struct image *image, const char *name, const void **bytes,
			  size_t *size, struct trouble *t);

/**
 * image_registers() - whether a module without a catalogue has state all the same
 * @image: the image
 *
 * The build gives those a catalogue, if only an empty one: see elf_registers().
 * Return: true if it calls what registers or saves objects.
 */
bool image_registers(const struct image *image);
bool elf_registers(Elf *elf);

#endif /* _TOOL_IMAGE_H */
