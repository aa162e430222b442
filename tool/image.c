// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the bytes of a file to those of the catalogue or stream in it.
 *
 * A file is unpacked layer by layer until what remains is an ELF file, a catalogue, a
 * stream, or something flat in which only the header of a catalogue can be looked for.
 * All of it may be hostile: sizes are compared with what is there before they are used.
 */
#include <bzlib.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <linux/array_size.h>
#include <linux/limits.h>
#include <linux/unaligned.h>
#include "image.h"
#include "store.h"

size_t image_limit = 1UL << 30;

/* Layers of compression or boot code around each other */
#define MAX_LAYERS	4

/* One layer: where it is read from, and where it is unpacked to */
struct unpack {
	const char *path;
	const char *what;
	const u8 *in;
	size_t in_size;
	size_t in_pos;
	u8 *out;
	size_t out_size;
	size_t out_pos;
};

/* Unpacking */

static enum status not_whole(const struct unpack *u, struct trouble *t)
{
	return trouble(t, STATUS_DAMAGED,
		       "%s: its %s data is cut or damaged at byte %zu of %zu: get the file again",
		       u->path, u->what, u->in_pos, u->in_size);
}

/* Make room for at least @more bytes of output */
static enum status make_room(struct unpack *u, size_t more, struct trouble *t)
{
	size_t size = u->out_size ?: 4 * u->in_size;
	u8 *out;

	progress("unpack", u->in_pos, u->in_size);
	if (u->out_size - u->out_pos >= more)
		return STATUS_OK;
	if (more > image_limit || u->out_pos > image_limit - more)
		return trouble(t, STATUS_DAMAGED,
			       "%s: its %s data unpacks to more than %zu bytes, which no kernel image does",
			       u->path, u->what, image_limit);
	while (size < u->out_pos + more)
		size *= 2;
	if (size > image_limit)
		size = image_limit;
	out = realloc(u->out, size);
	if (!out)
		return trouble(t, STATUS_SYSTEM, "%s: no memory to unpack it", u->path);
	u->out = out;
	u->out_size = size;
	return STATUS_OK;
}

/* Output is made in steps of this size at least */
#define STEP	65536U

/* What libraries count in 32 bits */
static unsigned int clamp(size_t size)
{
	return size > 1U << 30 ? 1U << 30 : size;
}

static enum status unpack_gzip(struct unpack *u, struct trouble *t)
{
	z_stream z = {};
	enum status status = STATUS_OK;
	int ret = Z_OK;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return trouble(t, STATUS_SYSTEM, "no memory");
	while (!status && ret == Z_OK) {
		status = make_room(u, STEP, t);
		if (status)
			break;
		z.next_in = (u8 *)u->in + u->in_pos;
		z.avail_in = clamp(u->in_size - u->in_pos);
		z.next_out = u->out + u->out_pos;
		z.avail_out = clamp(u->out_size - u->out_pos);
		ret = inflate(&z, Z_NO_FLUSH);
		u->in_pos = z.next_in - u->in;
		u->out_pos = z.next_out - u->out;
	}
	inflateEnd(&z);
	return status ?: ret == Z_STREAM_END ? STATUS_OK : not_whole(u, t);
}

static enum status unpack_bzip2(struct unpack *u, struct trouble *t)
{
	bz_stream z = {};
	enum status status = STATUS_OK;
	size_t in, out;
	int ret = BZ_OK;

	if (BZ2_bzDecompressInit(&z, 0, 0) != BZ_OK)
		return trouble(t, STATUS_SYSTEM, "no memory");
	while (!status && ret == BZ_OK) {
		status = make_room(u, STEP, t);
		if (status)
			break;
		in = u->in_pos;
		out = u->out_pos;
		z.next_in = (char *)u->in + in;
		z.avail_in = clamp(u->in_size - in);
		z.next_out = (char *)u->out + out;
		z.avail_out = clamp(u->out_size - out);
		ret = BZ2_bzDecompress(&z);
		u->in_pos = z.next_in - (char *)u->in;
		u->out_pos = z.next_out - (char *)u->out;
		/* Unlike the others, it says that all is well when nothing is left */
		if (ret == BZ_OK && in == u->in_pos && out == u->out_pos)
			break;
	}
	BZ2_bzDecompressEnd(&z);
	return status ?: ret == BZ_STREAM_END ? STATUS_OK : not_whole(u, t);
}

static enum status run_lzma(struct unpack *u, lzma_stream *z, struct trouble *t)
{
	enum status status = STATUS_OK;
	lzma_ret ret = LZMA_OK;

	while (!status && ret == LZMA_OK) {
		status = make_room(u, STEP, t);
		if (status)
			break;
		z->next_in = u->in + u->in_pos;
		z->avail_in = u->in_size - u->in_pos;
		z->next_out = u->out + u->out_pos;
		z->avail_out = u->out_size - u->out_pos;
		ret = lzma_code(z, LZMA_RUN);
		u->in_pos = z->next_in - u->in;
		u->out_pos = z->next_out - u->out;
	}
	lzma_end(z);
	return status ?: ret == LZMA_STREAM_END ? STATUS_OK : not_whole(u, t);
}

static enum status unpack_xz(struct unpack *u, struct trouble *t)
{
	lzma_stream z = LZMA_STREAM_INIT;

	if (lzma_stream_decoder(&z, image_limit, 0) != LZMA_OK)
		return trouble(t, STATUS_SYSTEM, "no memory");
	return run_lzma(u, &z, t);
}

static enum status unpack_lzma(struct unpack *u, struct trouble *t)
{
	lzma_stream z = LZMA_STREAM_INIT;

	if (lzma_alone_decoder(&z, image_limit) != LZMA_OK)
		return trouble(t, STATUS_SYSTEM, "no memory");
	return run_lzma(u, &z, t);
}

static enum status unpack_zstd(struct unpack *u, struct trouble *t)
{
	ZSTD_inBuffer in = { .src = u->in, .size = u->in_size };
	ZSTD_DCtx *context = ZSTD_createDCtx();
	enum status status = STATUS_OK;
	size_t ret = 1, before;

	if (!context)
		return trouble(t, STATUS_SYSTEM, "no memory");
	while (!status && ret) {
		ZSTD_outBuffer out;

		status = make_room(u, STEP, t);
		if (status)
			break;
		out = (ZSTD_outBuffer){ .dst = u->out, .size = u->out_size, .pos = u->out_pos };
		before = in.pos;
		ret = ZSTD_decompressStream(context, &out, &in);
		if (ZSTD_isError(ret) || (before == in.pos && u->out_pos == out.pos))
			break;
		u->in_pos = in.pos;
		u->out_pos = out.pos;
	}
	ZSTD_freeDCtx(context);
	return status ?: ret ? not_whole(u, t) : STATUS_OK;
}

/* Blocks of up to 8 MiB; at the end, an image has the size of what is unpacked */
static enum status unpack_lz4(struct unpack *u, struct trouble *t)
{
	const u32 block = 8 << 20;
	enum status status;
	u32 size;
	int ret;

	for (u->in_pos = 4; u->in_size - u->in_pos >= 4;) {
		size = get_unaligned_le32(u->in + u->in_pos);
		if (size == u->out_pos && u->in_size - u->in_pos == 4)
			break;
		if (!size || size > LZ4_COMPRESSBOUND(block) || size > u->in_size - u->in_pos - 4)
			return not_whole(u, t);
		status = make_room(u, block, t);
		if (status)
			return status;
		ret = LZ4_decompress_safe((const char *)u->in + u->in_pos + 4,
					  (char *)u->out + u->out_pos, size, block);
		if (ret < 0)
			return not_whole(u, t);
		u->in_pos += 4 + size;
		u->out_pos += ret;
	}
	return u->out_pos ? STATUS_OK : not_whole(u, t);
}

/* Next big-endian number of an lzop file, or 0 at its end */
static u32 take(struct unpack *u, int bytes)
{
	u32 val = 0;

	if (u->in_size - u->in_pos < bytes) {
		u->in_pos = u->in_size;
		return 0;
	}
	while (bytes--)
		val = val << 8 | u->in[u->in_pos++];
	return val;
}

#define LZOP_NEW		0x0940	/* version from which on the header is longer */
#define LZOP_ADLER32		0x00000001
#define LZOP_ADLER32_PACKED	0x00000002
#define LZOP_CRC32		0x00000100
#define LZOP_CRC32_PACKED	0x00000200
#define LZOP_FILTER		0x00000800
#define LZOP_BLOCK		(64U << 20)

static u32 lzop_header(struct unpack *u)
{
	u32 version, flags;

	u->in_pos = 9;
	version = take(u, 2);
	take(u, version >= LZOP_NEW ? 4 : 2);
	/* Method and level */
	take(u, version >= LZOP_NEW ? 2 : 1);
	flags = take(u, 4);
	if (flags & LZOP_FILTER)
		take(u, 4);
	/* Mode and time, name and checksum */
	take(u, 4);
	take(u, 4);
	if (version >= LZOP_NEW)
		take(u, 4);
	for (u32 name = take(u, 1); name; name--)
		take(u, 1);
	take(u, 4);
	return flags;
}

static enum status lzop_block(struct unpack *u, u32 flags, u32 size, struct trouble *t)
{
	u32 packed = take(u, 4), adler = 1, crc = 0;
	enum status status;
	lzo_uint got = size;

	if (flags & LZOP_ADLER32)
		adler = take(u, 4);
	if (flags & LZOP_CRC32)
		crc = take(u, 4);
	if ((flags & LZOP_ADLER32_PACKED) && packed < size)
		take(u, 4);
	if ((flags & LZOP_CRC32_PACKED) && packed < size)
		take(u, 4);
	if (size > LZOP_BLOCK || packed > size || packed > u->in_size - u->in_pos)
		return not_whole(u, t);
	status = make_room(u, size, t);
	if (status)
		return status;
	if (packed == size)
		memcpy(u->out + u->out_pos, u->in + u->in_pos, size);
	else if (lzo1x_decompress_safe(u->in + u->in_pos, packed, u->out + u->out_pos, &got,
				       NULL) != LZO_E_OK || got != size)
		return not_whole(u, t);
	if (((flags & LZOP_ADLER32) && adler32(1, u->out + u->out_pos, size) != adler) ||
	    ((flags & LZOP_CRC32) && crc32(0, u->out + u->out_pos, size) != crc))
		return not_whole(u, t);
	u->in_pos += packed;
	u->out_pos += size;
	return STATUS_OK;
}

static enum status unpack_lzo(struct unpack *u, struct trouble *t)
{
	u32 flags = lzop_header(u), size;
	enum status status = STATUS_OK;

	while (!status && u->in_pos < u->in_size) {
		size = take(u, 4);
		if (!size)
			return u->out_pos ? STATUS_OK : not_whole(u, t);
		status = lzop_block(u, flags, size, t);
	}
	return status ?: not_whole(u, t);
}

static bool starts_with(const u8 *bytes, size_t size, const char *magic, size_t len)
{
	return size >= len && !memcmp(bytes, magic, len);
}

/* There is no magic: properties as all encoders write them, then the size or -1 */
static bool is_lzma(const u8 *bytes, size_t size)
{
	u64 unpacked;

	if (size < 13 || bytes[0] != 0x5d || bytes[1] || bytes[2])
		return false;
	unpacked = get_unaligned_le64(bytes + 5);
	return unpacked == U64_MAX || unpacked <= 1ULL << 32;
}

typedef enum status unpack_fn(struct unpack *u, struct trouble *t);

static unpack_fn *find_packer(const u8 *bytes, size_t size, const char **what)
{
	static const struct {
		const char *name;
		const char *magic;
		size_t len;
		unpack_fn *fn;
	} packers[] = {
		{ "gzip", "\x1f\x8b\x08", 3, unpack_gzip },
		{ "xz", "\3757zXZ\0", 6, unpack_xz },
		{ "zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd },
		{ "bzip2", "BZh", 3, unpack_bzip2 },
		{ "lz4", "\x02\x21\x4c\x18", 4, unpack_lz4 },
		{ "lzo", "\x89LZO\0\r\n\x1a\n", 9, unpack_lzo },
	};

	for (size_t i = 0; i < sizeof(packers) / sizeof(*packers); i++) {
		if (starts_with(bytes, size, packers[i].magic, packers[i].len)) {
			*what = packers[i].name;
			return packers[i].fn;
		}
	}
	*what = "lzma";
	return is_lzma(bytes, size) ? unpack_lzma : NULL;
}

/* Boot code with an image in it */

/* The x86 boot protocol: Documentation/arch/x86/boot.rst */
static bool is_bzimage(const u8 *bytes, size_t size)
{
	return size >= 0x250 && !memcmp(bytes + 0x202, "HdrS", 4) &&
	       get_unaligned_le16(bytes + 0x1fe) == 0xaa55;
}

static enum status enter(struct image *image, const char *what, u64 offset, u64 size,
			 struct trouble *t)
{
	if (offset > image->size || size > image->size - offset)
		return trouble(t, STATUS_DAMAGED,
			       "%s: is cut: its header says that the kernel is %llu bytes at offset %llu, and the %s has %zu: get the file again",
			       image->path, (unsigned long long)size, (unsigned long long)offset,
			       what, image->size);
	image->bytes += offset;
	image->size = size;
	return STATUS_OK;
}

static enum status enter_bzimage(struct image *image, struct trouble *t)
{
	const u8 *bytes = image->bytes;
	u32 sectors = bytes[0x1f1] ?: 4;

	/* Since protocol 2.08, Linux 2.6.26 */
	if (get_unaligned_le16(bytes + 0x206) < 0x208 || !get_unaligned_le32(bytes + 0x24c))
		return trouble(t, STATUS_FOREIGN,
			       "%s: an x86 boot image whose header does not say where the kernel is: too old to have a catalogue",
			       image->path);
	return enter(image, "bzImage",
		     (sectors + 1) * 512 + (u64)get_unaligned_le32(bytes + 0x248),
		     get_unaligned_le32(bytes + 0x24c), t);
}

/* EFI's own way to unpack, CONFIG_EFI_ZBOOT: see drivers/firmware/efi/libstub/zboot-header.S */
static bool is_zboot(const u8 *bytes, size_t size)
{
	return size >= 32 && !memcmp(bytes, "MZ", 2) && !memcmp(bytes + 4, "zimg", 4);
}

/* One layer less; *done when there is none */
static enum status unpack_layer(struct image *image, bool *done, struct trouble *t)
{
	struct unpack u = { .path = image->path };
	enum status status;
	unpack_fn *fn;

	if (is_bzimage(image->bytes, image->size))
		return enter_bzimage(image, t);
	if (is_zboot(image->bytes, image->size))
		return enter(image, "EFI image", get_unaligned_le32(image->bytes + 8),
			     get_unaligned_le32(image->bytes + 12), t);
	fn = find_packer(image->bytes, image->size, &u.what);
	*done = !fn;
	if (!fn)
		return STATUS_OK;
	u.in = image->bytes;
	u.in_size = image->size;
	status = fn(&u, t);
	/* What it was unpacked from may itself have been unpacked */
	free(image->memory);
	image->memory = u.out;
	image->bytes = u.out;
	image->size = u.out_pos;
	return status;
}

/* Of the ELF files in an image, only modules have yet to be linked */
static bool is_module(const u8 *bytes, size_t size)
{
	int big;

	if (!starts_with(bytes, size, ELFMAG, SELFMAG) || size < sizeof(Elf32_Ehdr))
		return false;
	big = bytes[EI_DATA] == ELFDATA2MSB;
	return bytes[EI_NIDENT + big] == ET_REL && !bytes[EI_NIDENT + !big];
}

enum status image_read(struct image *image, const void *bytes, size_t size, const char *path,
		       struct trouble *t)
{
	enum status status = STATUS_OK;
	bool done = false;

	image->path = path;
	image->bytes = bytes;
	image->size = size;
	/* A bzImage is two layers */
	for (int i = 0; !status && !done; i++) {
		if (i > 2 * MAX_LAYERS)
			return trouble(t, STATUS_DAMAGED,
				       "%s: packed more than %d times over, which no kernel image is",
				       path, MAX_LAYERS);
		status = unpack_layer(image, &done, t);
	}
	image->module = !status && is_module(image->bytes, image->size);
	return status;
}

/* Files */

/* What has no size before it is read: pipes, files in sysfs */
static enum status read_all(struct image *image, int fd, struct trouble *t)
{
	size_t room = 0;
	ssize_t ret;
	u8 *more;

	for (;;) {
		if (image->file_size == room) {
			room = room ? 2 * room : 65536;
			more = room <= image_limit ? realloc(image->file, room) : NULL;
			if (!more)
				return trouble(t, STATUS_SYSTEM, "%s: no memory for its %zu bytes",
					       image->path, room / 2);
			image->file = more;
		}
		ret = read(fd, image->file + image->file_size, room - image->file_size);
		if (ret < 0 && errno != EINTR)
			return trouble(t, STATUS_INPUT, "%s: %s", image->path, strerror(errno));
		if (!ret)
			return STATUS_OK;
		if (ret > 0)
			image->file_size += ret;
	}
}

static enum status read_file(struct image *image, int fd, struct trouble *t)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st))
		return trouble(t, STATUS_INPUT, "%s: %s", image->path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return trouble(t, STATUS_INPUT, "%s: is a directory", image->path);
	map = MAP_FAILED;
	if (S_ISREG(st.st_mode) && st.st_size > 0)
		map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return read_all(image, fd, t);
	image->mapped = true;
	image->file = map;
	image->file_size = st.st_size;
	return STATUS_OK;
}

enum status image_open(struct image *image, const char *path, struct trouble *t)
{
	enum status status;
	int fd;

	*image = (struct image){ .path = path };
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return trouble(t, STATUS_INPUT, "%s: %s", path, strerror(errno));
	status = read_file(image, fd, t);
	close(fd);
	if (!status && !image->file_size)
		return trouble(t, STATUS_FOREIGN, "%s: is empty: make or get it again", path);
	return status ?: image_read(image, image->file, image->file_size, path, t);
}

void image_close(struct image *image)
{
	free(image->memory);
	if (image->mapped)
		munmap(image->file, image->file_size);
	else
		free(image->file);
	*image = (struct image){};
}

/* The catalogue in what is unpacked */

/* A header whose checksum is right, whatever it says */
static bool is_header(const u8 *bytes, size_t size, struct kstate_header *header)
{
	union {
		struct kstate_header header;
		u8 bytes[KSTATE_MAX_HEADER];
	} copy;
	u32 header_size;

	if (size < sizeof(*header) || memcmp(bytes, KSTATE_MAGIC, KSTATE_MAGIC_LEN))
		return false;
	memcpy(header, bytes, sizeof(*header));
	header_size = le32_to_cpu(header->header_size);
	if (header_size < sizeof(*header) || header_size > sizeof(copy) || header_size > size)
		return false;
	/* In an image, it may stand anywhere */
	memcpy(copy.bytes, bytes, header_size);
	return kstate_header_crc(&copy.header, header_size) == le32_to_cpu(header->crc);
}

static enum status check_header(const struct image *image, const u8 *bytes, size_t size,
				const void **found, size_t *found_size, struct trouble *t)
{
	size_t offset = bytes - image->bytes;
	struct kstate_header header;
	u64 total;

	if (!is_header(bytes, size, &header))
		return trouble(t, STATUS_DAMAGED,
			       "%s: at offset %zu: the header of a catalogue or stream is cut or damaged: get the file again",
			       image->path, offset);
	if (le32_to_cpu(header.format) != KSTATE_FORMAT)
		return trouble(t, STATUS_NEWER,
			       "%s: at offset %zu: of format %u, and this command knows %u: use the command that belongs to the newer kernel",
			       image->path, offset, le32_to_cpu(header.format), KSTATE_FORMAT);
	total = le64_to_cpu(header.total_size);
	if (total > size || total < sizeof(header))
		return trouble(t, STATUS_DAMAGED,
			       "%s: at offset %zu: is cut: the header says %llu bytes, there are %zu: get the file again",
			       image->path, offset, (unsigned long long)total, size);
	*found = bytes;
	*found_size = total;
	return STATUS_OK;
}

static enum status not_elf(const struct image *image, struct trouble *t)
{
	return trouble(t, STATUS_DAMAGED, "%s: an ELF file that is cut or damaged: get it again",
		       image->path);
}

/* The bytes of a section, or NULL if there is none of that name */
static enum status find_section(const struct image *image, Elf *elf, const char *wanted,
				const void **bytes, size_t *size, struct trouble *t)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	GElf_Ehdr file;
	const char *name;
	size_t names, nr;

	*bytes = NULL;
	if (!elf || !gelf_getehdr(elf, &file) || elf_getshdrnum(elf, &nr) ||
	    elf_getshdrstrndx(elf, &names) || (file.e_shoff && !nr))
		return not_elf(image, t);
	while ((section = elf_nextscn(elf, section))) {
		name = gelf_getshdr(section, &header) ?
			elf_strptr(elf, names, header.sh_name) : NULL;
		if (!name)
			return not_elf(image, t);
		if (strcmp(name, wanted) || header.sh_type == SHT_NOBITS)
			continue;
		if (header.sh_offset > image->size ||
		    header.sh_size > image->size - header.sh_offset)
			return not_elf(image, t);
		*bytes = image->bytes + header.sh_offset;
		*size = header.sh_size;
		break;
	}
	return STATUS_OK;
}

enum status image_section(const struct image *image, const char *name, const void **bytes,
			  size_t *size, struct trouble *t)
{
	enum status status;
	Elf *elf;

	*bytes = NULL;
	if (!starts_with(image->bytes, image->size, ELFMAG, SELFMAG))
		return STATUS_OK;
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)image->bytes, image->size);
	status = find_section(image, elf, name, bytes, size, t);
	elf_end(elf);
	return status;
}

/* What only those call that describe something; each has a description for a parameter */
static bool is_call_with_state(const char *symbol)
{
	static const char *const calls[] = {
		"kstate_register", "kstate_register_key", "kstate_register_anew",
		"kstate_restore_key", "kstate_save_state_key", "kstate_stream_save",
		"kstate_stream_restore", "kstate_transaction_add",
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (!strcmp(symbol, calls[i]))
			return true;
	return false;
}

static bool has_call_with_state(Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	const char *name;
	GElf_Sym sym;

	for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
		name = sym.st_shndx == SHN_UNDEF ? elf_strptr(elf, header->sh_link, sym.st_name) :
						   NULL;
		if (name && is_call_with_state(name))
			return true;
	}
	return false;
}

bool elf_registers(Elf *elf)
{
	Elf_Scn *section = NULL;
	bool found = false;
	GElf_Shdr header;

	while (!found && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
			found = has_call_with_state(elf, section, &header);
	return found;
}

bool image_registers(const struct image *image)
{
	bool found;
	Elf *elf;

	if (!starts_with(image->bytes, image->size, ELFMAG, SELFMAG))
		return false;
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)image->bytes, image->size);
	found = elf && elf_registers(elf);
	elf_end(elf);
	return found;
}

/* It would export this, and the names of what is exported are in the image as they are */
bool image_lacks_kstate(const struct image *image)
{
	static const char name[] = "\0kstate_register_key";

	return !image->module && !memmem(image->bytes, image->size, name, sizeof(name));
}

void image_release(const struct image *image, char *release, size_t size)
{
	static const char banner[] = "Linux version ";
	const char *end = (const char *)image->bytes + image->size, *p = (const char *)image->bytes;

	*release = 0;
	while ((p = memmem(p, end - p, banner, strlen(banner)))) {
		p += strlen(banner);
		/* The words also stand in formats */
		if (p == end || *p < '0' || *p > '9')
			continue;
		snprintf(release, size, "%.*s", (int)strnlen(p, end - p < 64 ? end - p : 64), p);
		release[strcspn(release, " ")] = 0;
		return;
	}
}

static enum status elf_catalog(const struct image *image, const void **bytes, size_t *size,
			       struct trouble *t)
{
	enum status status = image_section(image, ".kstate_catalog", bytes, size, t);

	if (status)
		return status;
	if (*bytes && !*size)
		return trouble(t, STATUS_NO_CATALOG, "%s: has an empty catalogue: build it again",
			       image->path);
	if (*bytes)
		return check_header(image, *bytes, *size, bytes, size, t);
	if (image->module)
		return trouble(t, STATUS_NO_CATALOG,
			       "%s: has no catalogue: it describes no state, or was built without CONFIG_KSTATE_CATALOG",
			       image->path);
	return trouble(t, STATUS_NO_CATALOG,
		       image_lacks_kstate(image) ?
				"%s: has no KSTATE in it: name the modules that describe state, too, or build it with CONFIG_KSTATE_CATALOG" :
				"%s: has no catalogue: build it with CONFIG_KSTATE_CATALOG, or give a catalogue file for it",
		       image->path);
}

/* Linux's own flat images say what they are */
static bool is_flat_kernel(const u8 *bytes, size_t size)
{
	return size >= 64 && (!memcmp(bytes + 0x38, "ARM\x64", 4) ||
			      !memcmp(bytes + 0x38, "RSC\x05", 4));
}

static enum status flat_catalog(const struct image *image, const void **bytes, size_t *size,
				struct trouble *t)
{
	struct kstate_header header;
	size_t at;

	for (at = 0; at + sizeof(header) <= image->size; at += 8)
		if (is_header(image->bytes + at, image->size - at, &header))
			return check_header(image, image->bytes + at, image->size - at, bytes,
					    size, t);
	if (is_flat_kernel(image->bytes, image->size))
		return trouble(t, STATUS_NO_CATALOG,
			       "%s: has no catalogue: build it with CONFIG_KSTATE_CATALOG, or give a catalogue file for it",
			       image->path);
	return trouble(t, STATUS_FOREIGN,
		       "%s: not a kernel image, a module, a catalogue or a stream, or it is encrypted",
		       image->path);
}

enum status image_catalog(const struct image *image, const void **bytes, size_t *size,
			  struct trouble *t)
{
	enum status status;

	if (starts_with(image->bytes, image->size, KSTATE_MAGIC, KSTATE_MAGIC_LEN)) {
		status = check_header(image, image->bytes, image->size, bytes, size, t);
		if (!status && *size != image->size)
			return trouble(t, STATUS_DAMAGED,
				       "%s: %zu bytes follow what its header says it has: name several catalogues with commas between",
				       image->path, image->size - *size);
		return status;
	}
	if (starts_with(image->bytes, image->size, ELFMAG, SELFMAG))
		return elf_catalog(image, bytes, size, t);
	return flat_catalog(image, bytes, size, t);
}
