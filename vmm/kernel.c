/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The guest's kernel. It is a bzImage, which can unpack itself, or a vmlinux, the ELF image that it
 * unpacks itself to:
 *
 *   vmlinux   ------------------------------> loaded, moved to a random spot
 *   bzImage   --unpacked once, into a cache--> as above
 *             --anything in the way----------> loaded packed; the guest unpacks it, and moves it
 *
 * Unpacking takes most of the time that a guest needs to its userspace, and gives the same result
 * each time. A cache that cannot be used costs that time and nothing else.
 */

#include "vmm/kernel.h"

#include "vmm/elf-kernel.h"
#include "vmm/kernel-cache.h"
#include "vmm/kernel-payload.h"
#include "vmm/kernel-spot.h"

#include <errno.h>
#include <fcntl.h>
#include <hotbay/error.h>
#include <sys/random.h>
#include <unistd.h>

#define ENTRY_64	  0x200 /* behind the start of a bzImage's kernel proper */
#define MIB		  0x100000
#define BOOT_FLAG	  0xaa55
#define MAGIC		  0x53726448 /* "HdrS" */
#define VERSION		  0x020f     /* 2.15 */
#define READ_ONLY_ROOT	  1	     /* as Linux's build has it */
#define VIDEO_MODE_NORMAL 0xffff
#define COMMAND_LINE_SIZE 2047	     /* Linux's own, without the NUL */
#define INITRD_MAX	  0x7fffffff /* likewise */
#define LARGE_PAGE	  (2 * MIB)

struct HbKernel {
	char *path;
	struct setup_header header;
	HbBzImage *image;  /* NULL: a vmlinux was given */
	char *cache;	   /* NULL: there is none, or it was looked into */
	HbElfKernel *elf;  /* NULL: the guest unpacks it itself */
	gboolean can_move; /* a relocation table follows the ELF image */
};

/* -- Opening. -- */

/* What the setup header of a bzImage around it would say. */
static void make_header(HbKernel *kernel)
{
	const HbElfLayout *layout = &kernel->elf->layout;

	kernel->header = (struct setup_header){
		.root_flags = READ_ONLY_ROOT,
		.vid_mode = VIDEO_MODE_NORMAL,
		.boot_flag = BOOT_FLAG,
		.header = MAGIC,
		.version = VERSION,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = INITRD_MAX,
		.kernel_alignment = LARGE_PAGE,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = COMMAND_LINE_SIZE,
		.pref_address = layout->start,
		.init_size = (guint32)(layout->end - layout->start),
	};
}

static gboolean is_elf(const char *path)
{
	guint8 start[4];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	gssize length = fd < 0 ? 0 : pread(fd, start, sizeof(start), 0);

	if (fd >= 0)
		close(fd);
	return length == sizeof(start) && hb_elf_kernel_is_elf(start, sizeof(start));
}

/* What follows a vmlinux may be anything, and is nothing where a build left it. */
static void look_for_relocs(HbKernel *kernel)
{
	g_autoptr(GError) reason = NULL;

	kernel->can_move = hb_elf_kernel_check_relocs(kernel->elf, &reason);
	if (!kernel->can_move)
		g_info("-kernel: it starts as with nokaslr: %s", reason->message);
}

static gboolean open_vmlinux(HbKernel *kernel, GError **error)
{
	int fd = open(kernel->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "-kernel: %s: %s: name a readable file", kernel->path,
			    g_strerror(errno));
		return FALSE;
	}
	kernel->elf = hb_elf_kernel_open(fd, kernel->path, error);
	if (kernel->elf == NULL) {
		g_prefix_error(error, "-kernel: %s: ", kernel->path);
		return FALSE;
	}
	look_for_relocs(kernel);
	make_header(kernel);
	return TRUE;
}

/* Takes @fd. The header has to be that of what was packed, and what follows it a table. */
static HbElfKernel *open_unpacked(const HbKernel *kernel, int fd, GError **error)
{
	g_autoptr(HbElfKernel) elf = hb_elf_kernel_open(fd, kernel->path, error);

	if (elf == NULL ||
	    (hb_elf_kernel_has_relocs(elf) && !hb_elf_kernel_check_relocs(elf, error)))
		return NULL;
	if (elf->layout.start == kernel->header.pref_address)
		return g_steal_pointer(&elf);
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "it is linked for another place than its header says");
	return NULL;
}

/* Into a draft of the cache, which is published if it is a kernel. */
static HbElfKernel *unpack(const HbKernel *kernel, const HbKernelCache *cache,
			   const HbKernelPayload *payload, GError **error)
{
	g_autoptr(HbKernelDraft) draft = hb_kernel_cache_draft(cache, payload->digest, error);

	if (draft == NULL ||
	    !hb_kernel_payload_unpack(payload, kernel->image, hb_kernel_draft_get_fd(draft), error))
		return NULL;
	int fd = hb_kernel_draft_open(draft, error);
	HbElfKernel *elf = fd < 0 ? NULL : open_unpacked(kernel, fd, error);
	if (elf) {
		GThread *publisher = hb_kernel_draft_publish(g_steal_pointer(&draft));

		/* A quit does not wait for a slow disk. */
		g_clear_pointer(&publisher, g_thread_unref);
	}
	return elf;
}

/* (nullable): of the cache. One that is no such kernel makes room for one that is. */
static HbElfKernel *find_kept(const HbKernel *kernel, const HbKernelCache *cache,
			      const HbKernelPayload *payload)
{
	g_autoptr(GError) reason = NULL;
	int fd = hb_kernel_cache_find(cache, payload->digest, payload->unpacked_size);
	HbElfKernel *elf = fd < 0 ? NULL : open_unpacked(kernel, fd, &reason);

	if (reason) {
		g_info("-kernel: %s: it is unpacked anew: %s", kernel->path, reason->message);
		hb_kernel_cache_discard(cache, payload->digest);
	}
	return elf;
}

static HbElfKernel *find_unpacked(HbKernel *kernel, const char *folder, GError **error)
{
	g_autoptr(HbKernelPayload) payload = hb_kernel_payload_find(kernel->image, error);
	g_autoptr(HbKernelCache) cache = payload ? hb_kernel_cache_open(folder, error) : NULL;

	if (cache == NULL)
		return NULL;
	HbElfKernel *elf = find_kept(kernel, cache, payload);
	return elf ? elf : unpack(kernel, cache, payload, error);
}

static void give_up_elf(HbKernel *kernel, const GError *reason)
{
	g_info("-kernel: %s: the guest unpacks it itself: %s", kernel->path, reason->message);
	g_clear_pointer(&kernel->elf, hb_elf_kernel_close);
}

/* Not before the kernel is loaded: a start that fails for another reason should do so soon. */
static void look_into_cache(HbKernel *kernel)
{
	g_autofree char *cache = g_steal_pointer(&kernel->cache);
	g_autoptr(GError) reason = NULL;

	if (cache == NULL)
		return;
	kernel->elf = find_unpacked(kernel, cache, &reason);
	if (kernel->elf)
		kernel->can_move = hb_elf_kernel_has_relocs(kernel->elf);
	else
		give_up_elf(kernel, reason);
}

static gboolean open_bzimage(HbKernel *kernel, const char *cache, GError **error)
{
	kernel->image = hb_bzimage_open(kernel->path, error);
	if (kernel->image == NULL)
		return FALSE;
	kernel->header = kernel->image->header;
	kernel->cache = g_strdup(cache);
	return TRUE;
}

HbKernel *hb_kernel_open(const char *path, const char *cache, GError **error)
{
	HbKernel *kernel = g_new0(HbKernel, 1);

	kernel->path = g_strdup(path);
	if (is_elf(path) ? open_vmlinux(kernel, error) : open_bzimage(kernel, cache, error))
		return kernel;
	hb_kernel_close(kernel);
	return NULL;
}

void hb_kernel_close(HbKernel *kernel)
{
	if (kernel == NULL)
		return;
	hb_elf_kernel_close(kernel->elf);
	hb_bzimage_close(kernel->image);
	g_free(kernel->cache);
	g_free(kernel->path);
	g_free(kernel);
}

const struct setup_header *hb_kernel_get_header(const HbKernel *kernel)
{
	return &kernel->header;
}

guint64 hb_kernel_get_load_size(const HbKernel *kernel)
{
	return kernel->image ? hb_bzimage_get_load_size(kernel->image) : kernel->header.init_size;
}

/* -- Loading. -- */

static gboolean get_random(guint64 random[2], GError **error)
{
	gsize size = 2 * sizeof(random[0]);

	if (getrandom(random, size, 0) == (gssize)size)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "getrandom: %s: say nokaslr in -append",
		    g_strerror(errno));
	return FALSE;
}

static gboolean choose_spot(const HbKernel *kernel, const HbKernelRoom *room,
			    const char *command_line, HbKernelSpot *spot, GError **error)
{
	const HbElfLayout *layout = &kernel->elf->layout;
	HbKernelNeed need = {
		.start = layout->start,
		.size = layout->end - layout->start,
		.alignment = kernel->header.kernel_alignment,
		.limit = room->limit,
	};
	guint64 random[2];
	gboolean moves = kernel->can_move && hb_kernel_spot_wants_random(command_line);

	if (moves && !get_random(random, error))
		return FALSE;
	if (hb_kernel_spot_choose(&need, command_line, moves ? random : NULL, spot))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "-m: too small for the kernel, which is linked for %" G_GUINT64_FORMAT
		    " MiB: give more",
		    need.start / MIB);
	return FALSE;
}

static gboolean load_unpacked(const HbKernel *kernel, const HbMemory *memory,
			      const HbKernelRoom *room, const char *command_line,
			      HbKernelStart *start, GError **error)
{
	const HbElfLayout *layout = &kernel->elf->layout;
	HbKernelSpot spot;

	if (!choose_spot(kernel, room, command_line, &spot, error))
		return FALSE;
	guint8 *target = hb_memory_at(memory, spot.address, layout->end - layout->start);
	if (!hb_elf_kernel_load(kernel->elf, target, error) ||
	    (spot.random && !hb_elf_kernel_relocate(kernel->elf, target, spot.delta, error)))
		return FALSE;
	*start = (HbKernelStart){
		.address = spot.address,
		.entry = spot.address + (layout->entry - layout->start),
		.loadflags = spot.random ? KASLR_FLAG : 0,
		.unpacked = TRUE,
	};
	return TRUE;
}

static gboolean load_packed(const HbKernel *kernel, const HbMemory *memory,
			    const HbKernelRoom *room, HbKernelStart *start, GError **error)
{
	guint64 size = hb_bzimage_get_load_size(kernel->image);

	*start = (HbKernelStart){ .address = room->address, .entry = room->address + ENTRY_64 };
	return hb_bzimage_load(kernel->image, hb_memory_at(memory, room->address, size), error);
}

gboolean hb_kernel_load(HbKernel *kernel, const HbMemory *memory, const HbKernelRoom *room,
			const char *command_line, HbKernelStart *start, GError **error)
{
	g_autoptr(GError) reason = NULL;

	look_into_cache(kernel);
	if (kernel->elf == NULL)
		return load_packed(kernel, memory, room, start, error);
	if (kernel->image == NULL)
		return load_unpacked(kernel, memory, room, command_line, start, error);
	if (load_unpacked(kernel, memory, room, command_line, start, &reason))
		return TRUE;
	give_up_elf(kernel, reason);
	return load_packed(kernel, memory, room, start, error);
}
