/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A kernel's ELF image, vmlinux: what a bzImage unpacks itself to. Its program headers say what
 * lies where in physical memory, and its entry, startup_64 of arch/x86/kernel/head_64.S in Linux,
 * is entered like that of a bzImage: in long mode, mapped one to one, boot_params in RSI. It runs
 * from wherever it is loaded, on a multiple of 2 MiB; its virtual addresses move with its
 * relocations only (vmm/kernel-relocs.c).
 *
 * The image's headers are not trusted: what is parsed is checked, and what is loaded was parsed.
 */

#include "vmm/elf-kernel.h"

#include "vmm/bzimage.h"
#include "vmm/kernel-relocs.h"

#include <elf.h>
#include <hotbay/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB	   0x100000
#define MAX_SPAN   (G_GUINT64_CONSTANT(1) << 30) /* Linux's own limit, KERNEL_IMAGE_SIZE */
#define MAX_RELOCS (64U << 20)

static gboolean refuse(GError **error, const char *what)
{
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "%s: give the vmlinux of a 64-bit x86 Linux, or its bzImage", what);
	return FALSE;
}

gboolean hb_elf_kernel_is_elf(const guint8 *start, gsize length)
{
	return length >= SELFMAG && memcmp(start, ELFMAG, SELFMAG) == 0;
}

static gboolean check_header(const Elf64_Ehdr *header, gsize length, GError **error)
{
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != EM_X86_64)
		return refuse(error, "an ELF file, but not for x86-64");
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return refuse(error, "an ELF file, but no executable");
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff > length ||
	    header->e_phnum > (length - header->e_phoff) / sizeof(Elf64_Phdr))
		return refuse(error, "an ELF file without program headers at its start");
	return TRUE;
}

/* Whether @length from @start on is below @limit. */
static gboolean is_within(guint64 start, guint64 length, guint64 limit)
{
	return start <= limit && length <= limit - start;
}

static gboolean overlaps(const HbElfLayout *layout, const HbElfSegment *segment)
{
	for (guint i = 0; i < layout->n_segments; i++) {
		const HbElfSegment *other = &layout->segments[i];

		if (segment->address < other->address + other->size &&
		    other->address < segment->address + segment->size)
			return TRUE;
	}
	return FALSE;
}

static gboolean add_segment(HbElfLayout *layout, const Elf64_Phdr *header, guint64 file_size,
			    GError **error)
{
	HbElfSegment segment = { header->p_offset, header->p_filesz, header->p_paddr,
				 header->p_memsz };

	if (segment.size == 0)
		return TRUE;
	if (layout->n_segments == HB_ELF_KERNEL_MAX_SEGMENTS)
		return refuse(error, "an ELF file with too many segments");
	if (!is_within(segment.offset, segment.file_size, file_size))
		return refuse(error, "an ELF file that ends before its segments do");
	if (segment.file_size > segment.size)
		return refuse(error, "an ELF file with a segment larger than its memory");
	if (segment.size > MAX_SPAN || segment.address > G_MAXUINT32)
		return refuse(error, "an ELF file with a segment that is too large, or too high");
	if (overlaps(layout, &segment))
		return refuse(error, "an ELF file with segments that overlap");
	if (segment.address < layout->start) {
		layout->start = segment.address;
		layout->link_address = header->p_vaddr;
	}
	layout->end = MAX(layout->end, segment.address + segment.size);
	layout->file_end = MAX(layout->file_end, segment.offset + segment.file_size);
	layout->segments[layout->n_segments++] = segment;
	return TRUE;
}

static gboolean is_code(const HbElfLayout *layout, guint64 address)
{
	for (guint i = 0; i < layout->n_segments; i++) {
		const HbElfSegment *segment = &layout->segments[i];

		if (address >= segment->address && address - segment->address < segment->file_size)
			return TRUE;
	}
	return FALSE;
}

static gboolean add_segments(const guint8 *head, const Elf64_Ehdr *header, guint64 file_size,
			     HbElfLayout *layout, GError **error)
{
	for (guint i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr segment;

		memcpy(&segment, head + header->e_phoff + i * sizeof(segment), sizeof(segment));
		if (segment.p_type == PT_LOAD && !add_segment(layout, &segment, file_size, error))
			return FALSE;
	}
	return TRUE;
}

gboolean hb_elf_kernel_parse(const guint8 *head, gsize length, guint64 file_size,
			     HbElfLayout *layout, GError **error)
{
	Elf64_Ehdr header;

	*layout = (HbElfLayout){ .start = G_MAXUINT64 };
	if (length < sizeof(header) || !hb_elf_kernel_is_elf(head, length))
		return refuse(error, "no ELF file");
	memcpy(&header, head, sizeof(header));
	if (!check_header(&header, length, error) ||
	    !add_segments(head, &header, file_size, layout, error))
		return FALSE;
	if (layout->n_segments == 0 || !is_code(layout, header.e_entry))
		return refuse(error, "an ELF file without code at its entry");
	if (layout->start < MIB)
		return refuse(error, "an ELF file for memory below 1 MiB");
	if (layout->end - layout->start > MAX_SPAN)
		return refuse(error, "an ELF file that needs more than 1 GiB of memory");
	guint64 length_of_table = (guint64)header.e_shnum * header.e_shentsize;
	if (!is_within(header.e_shoff, length_of_table, file_size))
		return refuse(error, "an ELF file that ends before its section headers do");
	layout->entry = header.e_entry;
	layout->file_end = MAX(layout->file_end, header.e_shoff + length_of_table);
	return TRUE;
}

HbElfKernel *hb_elf_kernel_open(int fd, const char *path, GError **error)
{
	g_autoptr(HbElfKernel) kernel = g_new0(HbElfKernel, 1);
	g_autofree guint8 *head = g_malloc(HB_ELF_KERNEL_HEAD);
	struct stat status;

	kernel->path = g_strdup(path);
	kernel->fd = fd;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		refuse(error, "no regular file");
		return NULL;
	}
	kernel->file_size = (guint64)status.st_size;
	gsize length = MIN(kernel->file_size, HB_ELF_KERNEL_HEAD);
	if (!hb_bzimage_read_file(fd, path, head, length, 0, error) ||
	    !hb_elf_kernel_parse(head, length, kernel->file_size, &kernel->layout, error))
		return NULL;
	return g_steal_pointer(&kernel);
}

void hb_elf_kernel_close(HbElfKernel *kernel)
{
	if (kernel == NULL)
		return;
	close(kernel->fd);
	g_free(kernel->path);
	g_free(kernel);
}

gboolean hb_elf_kernel_load(const HbElfKernel *kernel, guint8 *target, GError **error)
{
	for (guint i = 0; i < kernel->layout.n_segments; i++) {
		const HbElfSegment *segment = &kernel->layout.segments[i];
		guint8 *at = target + (segment->address - kernel->layout.start);

		if (!hb_bzimage_read_file(kernel->fd, kernel->path, at, segment->file_size,
					  segment->offset, error))
			return FALSE;
		memset(at + segment->file_size, 0, segment->size - segment->file_size);
	}
	return TRUE;
}

gboolean hb_elf_kernel_has_relocs(const HbElfKernel *kernel)
{
	return kernel->file_size - kernel->layout.file_end >= sizeof(guint32);
}

/* (nullable): what follows the ELF image, as a table that points into the result; g_free(). */
static guint32 *read_relocs(const HbElfKernel *kernel, HbKernelRelocs *relocs, GError **error)
{
	guint64 size = kernel->file_size - kernel->layout.file_end;
	g_autofree guint32 *words = NULL;

	if (size <= MAX_RELOCS && size % sizeof(guint32) == 0) {
		words = g_malloc(size);
		if (!hb_bzimage_read_file(kernel->fd, kernel->path, words, size,
					  kernel->layout.file_end, error))
			return NULL;
		if (hb_kernel_relocs_parse(words, size / sizeof(guint32), relocs))
			return g_steal_pointer(&words);
	}
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "%s: what follows the kernel is no relocation table: replace the file",
		    kernel->path);
	return NULL;
}

gboolean hb_elf_kernel_check_relocs(const HbElfKernel *kernel, GError **error)
{
	const HbElfLayout *layout = &kernel->layout;
	HbKernelRelocs relocs;
	g_autofree guint32 *words = read_relocs(kernel, &relocs, error);

	return words && hb_kernel_relocs_check(&relocs, layout->end - layout->start,
					       layout->link_address, error);
}

gboolean hb_elf_kernel_relocate(const HbElfKernel *kernel, guint8 *target, guint64 delta,
				GError **error)
{
	const HbElfLayout *layout = &kernel->layout;
	HbKernelRelocs relocs;
	g_autofree guint32 *words = read_relocs(kernel, &relocs, error);

	return words && hb_kernel_relocs_apply(&relocs, target, layout->end - layout->start,
					       layout->link_address, delta, error);
}
