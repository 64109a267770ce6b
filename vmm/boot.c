/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Linux started without firmware, by its 64-bit boot protocol (Documentation/arch/x86/boot.rst): in
 * long mode, the first 4 GiB mapped one to one, boot_params in RSI. Guest memory then holds:
 *
 *   0x00000500  GDT, with the two segments that the protocol names
 *   0x00007000  boot_params, "the zero page"
 *   0x00009000  page tables: one PML4, one PDPT, four page directories of 2 MiB pages; one PML5
 *   0x00020000  the command line
 *   0x000e0000  ACPI tables, with RSDP first
 *   preferred   the kernel, usually at 16 MiB; it needs init_size bytes from there
 *               or, if it is loaded unpacked, anywhere from there to the initrd
 *   high        the initrd, ending where RAM below 4 GiB ends
 */

#include "vmm/boot.h"

#include "vmm/kernel-command.h"
#include "vmm/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <hotbay/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GDT_ADDRESS	   0x500
#define ZERO_PAGE	   0x7000
#define STACK		   0x8ff0
#define PML4		   0x9000
#define PDPT		   0xa000
#define DIRECTORIES	   0xb000 /* and three more behind it */
#define N_DIRECTORIES	   4
#define PML5		   0xf000
#define COMMAND_LINE	   0x20000
#define MAX_COMMAND	   0x40000
#define LOW_RAM_END	   0x9fc00
#define MIB		   0x100000
#define PAGE_SIZE	   4096
#define LARGE_PAGE	   (2 * MIB)
#define PTE_PRESENT	   0x3 /* and writable */
#define PTE_LARGE	   0x80
#define LOADER_UNKNOWN	   0xff /* type_of_loader without an id of its own */
#define E820_RAM_TYPE	   1
#define E820_RESERVED_TYPE 2

#define BOOT_CS 0x10 /* __BOOT_CS and __BOOT_DS of the protocol */
#define BOOT_DS 0x18

#define CR0_PE	  (1U << 0)
#define CR0_ET	  (1U << 4)
#define CR0_PG	  (1U << 31)
#define CR4_PAE	  (1U << 5)
#define CR4_LA57  (1U << 12)
#define EFER_LME  (1U << 8)
#define EFER_LMA  (1U << 10)
#define FLAGS_ONE (1U << 1) /* RFLAGS: always one */

_Static_assert(sizeof(struct boot_params) == PAGE_SIZE, "the zero page is one page");
_Static_assert(offsetof(struct boot_params, hdr) == 0x1f1, "the setup header's place");
_Static_assert(offsetof(struct boot_params, acpi_rsdp_addr) == 0x70, "boot protocol 2.14");

struct HbBoot {
	const HbMemory *memory;
	HbKernel *kernel;
	char *initrd_path;
	int initrd_fd; /* -1: none */
	guint64 initrd_size;
	char *command_line;
	HbKernelRoom room;
	HbKernelStart start;	/* since it was loaded */
	guint64 initrd_address; /* 0: none */
};

/* -- Placing. -- */

gboolean hb_boot_place_kernel(const struct setup_header *header, guint64 load_size, guint64 low_end,
			      guint64 *address, GError **error)
{
	guint64 size = MAX(header->init_size, load_size);

	*address = header->pref_address;
	if (*address >= MIB && size <= low_end && *address <= low_end - size)
		return TRUE;
	/* Anywhere that is aligned does for a kernel that can move itself. */
	guint64 alignment = MAX(header->kernel_alignment, PAGE_SIZE);
	*address = (MIB + alignment - 1) / alignment * alignment;
	if (header->relocatable_kernel && size <= low_end && *address <= low_end - size)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "-m: too small for the kernel, which needs %" G_GUINT64_FORMAT
		    " MiB from %" G_GUINT64_FORMAT " MiB on: give more",
		    size / MIB + 1, *address / MIB);
	return FALSE;
}

gboolean hb_boot_place_initrd(const struct setup_header *header, guint64 size, guint64 kernel_end,
			      guint64 low_end, guint64 *address, GError **error)
{
	guint64 end = MIN(low_end, (guint64)header->initrd_addr_max + 1);

	if (size <= end) {
		*address = (end - size) / PAGE_SIZE * PAGE_SIZE;
		if (*address >= kernel_end)
			return TRUE;
	}
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "-initrd: its %" G_GUINT64_FORMAT " MiB do not fit beside the kernel: give the "
		    "guest more memory with -m",
		    size / MIB + 1);
	return FALSE;
}

static gboolean place(HbBoot *boot, GError **error)
{
	guint n;
	guint64 low_end = hb_memory_get_ranges(boot->memory, &n)[0].size;
	const struct setup_header *header = hb_kernel_get_header(boot->kernel);
	guint64 load_size = hb_kernel_get_load_size(boot->kernel);

	boot->room.limit = low_end;
	if (!hb_boot_place_kernel(header, load_size, low_end, &boot->room.address, error))
		return FALSE;
	guint64 kernel_end = boot->room.address + MAX(header->init_size, load_size);
	if (boot->initrd_fd < 0)
		return TRUE;
	if (!hb_boot_place_initrd(header, boot->initrd_size, kernel_end, low_end,
				  &boot->initrd_address, error))
		return FALSE;
	boot->room.limit = boot->initrd_address;
	return TRUE;
}

/* -- Opening. -- */

static gboolean open_initrd(HbBoot *boot, const char *path, GError **error)
{
	struct stat status;

	boot->initrd_path = g_strdup(path);
	boot->initrd_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (boot->initrd_fd < 0 || fstat(boot->initrd_fd, &status)) {
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "-initrd: %s: %s: name a readable file", path, g_strerror(errno));
		return FALSE;
	}
	if (!S_ISREG(status.st_mode) || status.st_size == 0) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "-initrd: %s: no regular file, or empty: give a cpio archive", path);
		return FALSE;
	}
	boot->initrd_size = (guint64)status.st_size;
	return TRUE;
}

static gboolean set_command_line(HbBoot *boot, const char *text, GError **error)
{
	gsize limit = MIN(hb_kernel_get_header(boot->kernel)->cmdline_size, MAX_COMMAND);

	boot->command_line = g_strdup(text ? text : "");
	if (strlen(boot->command_line) <= limit)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "-append: longer than the %" G_GSIZE_FORMAT
		    " characters that this kernel takes: shorten it",
		    limit);
	return FALSE;
}

HbBoot *hb_boot_create(const HbMemory *memory, const char *kernel, const char *kernel_cache,
		       const char *initrd, const char *command_line, GError **error)
{
	HbBoot *boot = g_new0(HbBoot, 1);

	boot->memory = memory;
	boot->initrd_fd = -1;
	boot->kernel = hb_kernel_open(kernel, kernel_cache, error);
	if (boot->kernel && (initrd == NULL || open_initrd(boot, initrd, error)) &&
	    set_command_line(boot, command_line, error) && place(boot, error))
		return boot;
	hb_boot_destroy(boot);
	return NULL;
}

void hb_boot_destroy(HbBoot *boot)
{
	if (boot == NULL)
		return;
	hb_kernel_close(boot->kernel);
	if (boot->initrd_fd >= 0)
		close(boot->initrd_fd);
	g_free(boot->initrd_path);
	g_free(boot->command_line);
	g_free(boot);
}

/* -- Loading. -- */

static void add_e820(struct boot_params *params, guint64 start, guint64 end, guint32 type)
{
	struct boot_e820_entry *entry = &params->e820_table[params->e820_entries];

	if (start >= end)
		return;
	*entry = (struct boot_e820_entry){ .addr = start, .size = end - start, .type = type };
	params->e820_entries++;
}

void hb_boot_fill_e820(const HbRam *ranges, guint n, struct boot_params *params)
{
	params->e820_entries = 0;
	add_e820(params, 0, LOW_RAM_END, E820_RAM_TYPE);
	add_e820(params, HB_LAYOUT_TABLES, HB_LAYOUT_TABLES + HB_LAYOUT_TABLES_SIZE,
		 E820_RESERVED_TYPE);
	add_e820(params, MIB, ranges[0].size, E820_RAM_TYPE);
	/* Linux takes ECAM only if it is reserved here or in ACPI's namespace. */
	add_e820(params, HB_LAYOUT_ECAM, (guint64)HB_LAYOUT_ECAM + HB_LAYOUT_ECAM_LIMIT,
		 E820_RESERVED_TYPE);
	add_e820(params, HB_LAYOUT_IDENTITY, HB_LAYOUT_HIGH, E820_RESERVED_TYPE);
	for (guint i = 1; i < n; i++)
		add_e820(params, ranges[i].gpa, ranges[i].gpa + ranges[i].size, E820_RAM_TYPE);
}

static void write_zero_page(const HbBoot *boot)
{
	struct boot_params *params = hb_memory_at(boot->memory, ZERO_PAGE, sizeof(*params));
	const HbRam *ranges;
	guint n;

	memset(params, 0, sizeof(*params));
	params->hdr = *hb_kernel_get_header(boot->kernel);
	params->hdr.type_of_loader = LOADER_UNKNOWN;
	params->hdr.loadflags |= boot->start.loadflags;
	params->hdr.cmd_line_ptr = COMMAND_LINE;
	params->hdr.ramdisk_image = (guint32)boot->initrd_address;
	params->hdr.ramdisk_size = (guint32)boot->initrd_size;
	params->hdr.code32_start = (guint32)boot->start.address;
	params->acpi_rsdp_addr = HB_LAYOUT_TABLES;
	ranges = hb_memory_get_ranges(boot->memory, &n);
	hb_boot_fill_e820(ranges, n, params);
}

static void write_page_tables(const HbBoot *boot)
{
	guint64 *pml4 = hb_memory_at(boot->memory, PML4, PAGE_SIZE);
	guint64 *pdpt = hb_memory_at(boot->memory, PDPT, PAGE_SIZE);
	guint64 *directories =
		hb_memory_at(boot->memory, DIRECTORIES, (guint64)N_DIRECTORIES * PAGE_SIZE);
	guint64 *pml5 = hb_memory_at(boot->memory, PML5, PAGE_SIZE);

	memset(pml5, 0, PAGE_SIZE);
	memset(pml4, 0, PAGE_SIZE);
	memset(pdpt, 0, PAGE_SIZE);
	pml5[0] = PML4 | PTE_PRESENT;
	pml4[0] = PDPT | PTE_PRESENT;
	for (guint64 i = 0; i < N_DIRECTORIES; i++)
		pdpt[i] = (DIRECTORIES + i * PAGE_SIZE) | PTE_PRESENT;
	for (guint64 i = 0; i < N_DIRECTORIES * PAGE_SIZE / sizeof(guint64); i++)
		directories[i] = (i * LARGE_PAGE) | PTE_PRESENT | PTE_LARGE;
}

/* Flat segments: long-mode code, and data. */
static const guint64 gdt[] = { 0, 0, G_GUINT64_CONSTANT(0x00af9b000000ffff),
			       G_GUINT64_CONSTANT(0x00cf93000000ffff) };

gboolean hb_boot_load(HbBoot *boot, const GByteArray *tables, GError **error)
{
	gsize command_size = strlen(boot->command_line) + 1;

	memcpy(hb_memory_at(boot->memory, GDT_ADDRESS, sizeof(gdt)), gdt, sizeof(gdt));
	write_page_tables(boot);
	memcpy(hb_memory_at(boot->memory, COMMAND_LINE, command_size), boot->command_line,
	       command_size);
	if (tables->len)
		memcpy(hb_memory_at(boot->memory, HB_LAYOUT_TABLES, tables->len), tables->data,
		       tables->len);
	if (!hb_kernel_load(boot->kernel, boot->memory, &boot->room, boot->command_line,
			    &boot->start, error))
		return FALSE;
	write_zero_page(boot);
	return boot->initrd_fd < 0 ||
	       hb_bzimage_read_file(
		       boot->initrd_fd, boot->initrd_path,
		       hb_memory_at(boot->memory, boot->initrd_address, boot->initrd_size),
		       boot->initrd_size, 0, error);
}

static struct kvm_segment data_segment(void)
{
	return (struct kvm_segment){
		.limit = G_MAXUINT32,
		.selector = BOOT_DS,
		.type = 3, /* data, writable, accessed */
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

/* Linux's own unpacker switches to five levels where it can; the kernel proper stays with what it
 * finds. */
static gboolean starts_with_five_levels(const HbBoot *boot)
{
	return boot->start.unpacked &&
	       (hb_kernel_get_header(boot->kernel)->xloadflags & XLF_5LEVEL_ENABLED) &&
	       !hb_kernel_command_has_word(boot->command_line, "no5lvl");
}

void hb_boot_set_registers(const HbBoot *boot, gboolean five_levels, struct kvm_sregs *sregs,
			   struct kvm_regs *regs)
{
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data_segment();
	sregs->cs = data_segment();
	sregs->cs.selector = BOOT_CS;
	sregs->cs.type = 11; /* code, readable, accessed */
	sregs->cs.db = 0;
	sregs->cs.l = 1;
	sregs->gdt.base = GDT_ADDRESS;
	sregs->gdt.limit = sizeof(gdt) - 1;
	sregs->idt.base = 0;
	sregs->idt.limit = 0;
	sregs->cr3 = PML4;
	sregs->cr4 |= CR4_PAE;
	sregs->cr0 = CR0_PE | CR0_ET | CR0_PG;
	sregs->efer |= EFER_LME | EFER_LMA;
	if (five_levels && starts_with_five_levels(boot)) {
		sregs->cr3 = PML5;
		sregs->cr4 |= CR4_LA57;
	}
	*regs = (struct kvm_regs){
		.rip = boot->start.entry,
		.rsi = ZERO_PAGE,
		.rsp = STACK,
		.rflags = FLAGS_ONE,
	};
}
