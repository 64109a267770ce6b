/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * VFIO regions 0 to 5 are the BARs. The kernel says which of them may be mapped, in part
 * (VFIO_REGION_INFO_CAP_SPARSE_MMAP) or whole. Pages in which the guest finds its MSI-X table and
 * PBA are not mapped, whatever it allows: what the guest writes there is for hw/msix. Where it
 * finds them in a BAR of its own (vfio/msix-place), the drive's own table is mapped with what is
 * around.
 */

#include "vfio/regions.h"

#include <hotbay/error.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ull

typedef struct Region {
	guint64 offset; /* in the device's descriptor */
	guint64 size;	/* 0: there is no such BAR, or it is not offered */
	gboolean is_64bit;
	gboolean prefetchable;
	GArray *mappings; /* of HbBarMapping */
} Region;

struct HbVfioRegions {
	int device_fd;
	Region bars[HB_BAR_COUNT];
};

/* The kernel returns a structure as long as it likes, with capabilities behind it. */
static struct vfio_region_info *get_info(int device_fd, guint index)
{
	guint32 size = sizeof(struct vfio_region_info);

	for (int tries = 0; tries < 3; tries++) {
		struct vfio_region_info *info = g_malloc0(size);
		info->argsz = size;
		info->index = index;
		if (ioctl(device_fd, VFIO_DEVICE_GET_REGION_INFO, info) < 0) {
			g_free(info);
			return NULL;
		}
		if (info->argsz <= size)
			return info;
		size = info->argsz;
		g_free(info);
	}
	return NULL;
}

static const struct vfio_info_cap_header *find_capability(const struct vfio_region_info *info,
							  guint16 id)
{
	guint32 offset = info->flags & VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0;

	while (offset && offset + sizeof(struct vfio_info_cap_header) <= info->argsz) {
		const struct vfio_info_cap_header *header =
			(const void *)((const char *)info + offset);

		if (header->id == id)
			return header;
		offset = header->next;
	}
	return NULL;
}

/* BAR @index: what VFIO offers of it, and in @kind its low bits. NULL if there is none. */
static struct vfio_region_info *read_bar(int device_fd, const HbVfioConfig *config, guint index,
					 guint16 *kind)
{
	g_autofree struct vfio_region_info *info = get_info(device_fd, index);

	*kind = 0;
	if (!info || info->size == 0)
		return NULL;
	hb_vfio_config_peek_u16(config, PCI_BASE_ADDRESS_0 + 4 * index, kind);
	return g_steal_pointer(&info);
}

static gboolean is_64bit(guint16 kind)
{
	return !(kind & PCI_BASE_ADDRESS_SPACE_IO) &&
	       (kind & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
}

void hb_vfio_regions_look(int device_fd, const HbVfioConfig *config,
			  HbVfioBarInfo bars[HB_BAR_COUNT])
{
	for (guint i = 0; i < HB_BAR_COUNT; i++) {
		guint16 kind;
		g_autofree struct vfio_region_info *info = read_bar(device_fd, config, i, &kind);

		bars[i] = (HbVfioBarInfo){ 0 };
		if (!info)
			continue;
		bars[i].size = info->size;
		bars[i].is_64bit = is_64bit(kind);
		bars[i].is_msix_mappable =
			find_capability(info, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE) != NULL;
	}
}

static GArray *mappable_areas(const struct vfio_region_info *info)
{
	GArray *areas = g_array_new(FALSE, FALSE, sizeof(HbBarMapping));
	const struct vfio_region_info_cap_sparse_mmap *sparse =
		(const void *)find_capability(info, VFIO_REGION_INFO_CAP_SPARSE_MMAP);

	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return areas;
	if (!sparse) {
		HbBarMapping whole = { .offset = 0, .size = info->size & ~(PAGE - 1) };
		if (whole.size)
			g_array_append_val(areas, whole);
		return areas;
	}
	for (guint i = 0; i < sparse->nr_areas; i++) {
		HbBarMapping area = { .offset = sparse->areas[i].offset,
				      .size = sparse->areas[i].size };
		if (area.size)
			g_array_append_val(areas, area);
	}
	return areas;
}

GArray *hb_vfio_regions_subtract(GArray *areas, guint64 trap_offset, guint64 trap_size)
{
	GArray *left = g_array_new(FALSE, FALSE, sizeof(HbBarMapping));
	guint64 start = trap_offset & ~(PAGE - 1);
	guint64 end = (trap_offset + trap_size + PAGE - 1) & ~(PAGE - 1);

	for (guint i = 0; i < areas->len; i++) {
		const HbBarMapping *area = &g_array_index(areas, HbBarMapping, i);
		guint64 area_end = area->offset + area->size;
		HbBarMapping before = { .offset = area->offset };
		HbBarMapping after = { .offset = MAX(area->offset, end) };

		before.size = MIN(area_end, start) > area->offset
				      ? MIN(area_end, start) - area->offset
				      : 0;
		after.size = area_end > after.offset ? area_end - after.offset : 0;
		if (before.size)
			g_array_append_val(left, before);
		if (after.size)
			g_array_append_val(left, after);
	}
	return left;
}

static gboolean map_areas(Region *region, guint index, int device_fd, GError **error)
{
	for (guint i = 0; i < region->mappings->len; i++) {
		HbBarMapping *area = &g_array_index(region->mappings, HbBarMapping, i);

		area->hva = mmap(NULL, area->size, PROT_READ | PROT_WRITE, MAP_SHARED, device_fd,
				 (off_t)(region->offset + area->offset));
		if (area->hva != MAP_FAILED)
			continue;
		area->hva = NULL;
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "mmap of BAR %u, 0x%" G_GINT64_MODIFIER "x bytes: %s", index,
			    area->size, g_strerror(errno));
		return FALSE;
	}
	return TRUE;
}

static gboolean open_region(Region *region, guint index, int device_fd, const HbVfioConfig *config,
			    const HbVfioTrap *traps, guint n_traps, GError **error)
{
	guint16 kind;
	g_autofree struct vfio_region_info *info = read_bar(device_fd, config, index, &kind);

	if (!info || kind & PCI_BASE_ADDRESS_SPACE_IO)
		return TRUE;
	region->offset = info->offset;
	region->size = info->size;
	region->is_64bit = is_64bit(kind);
	region->prefetchable = (kind & PCI_BASE_ADDRESS_MEM_PREFETCH) != 0;
	region->mappings = mappable_areas(info);
	for (guint i = 0; i < n_traps; i++) {
		if (traps[i].bar != index)
			continue;
		GArray *left =
			hb_vfio_regions_subtract(region->mappings, traps[i].offset, traps[i].size);
		g_array_unref(region->mappings);
		region->mappings = left;
	}
	return map_areas(region, index, device_fd, error);
}

HbVfioRegions *hb_vfio_regions_open(int device_fd, const HbVfioConfig *config,
				    const HbVfioTrap *traps, guint n_traps, GError **error)
{
	HbVfioRegions *regions = g_new0(HbVfioRegions, 1);

	regions->device_fd = device_fd;
	for (guint i = 0; i < HB_BAR_COUNT; i++) {
		if (open_region(&regions->bars[i], i, device_fd, config, traps, n_traps, error))
			continue;
		hb_vfio_regions_close(regions);
		return NULL;
	}
	return regions;
}

void hb_vfio_regions_close(HbVfioRegions *regions)
{
	if (!regions)
		return;
	for (guint i = 0; i < HB_BAR_COUNT; i++) {
		GArray *mappings = regions->bars[i].mappings;

		for (guint j = 0; mappings && j < mappings->len; j++) {
			const HbBarMapping *area = &g_array_index(mappings, HbBarMapping, j);

			if (area->hva)
				munmap(area->hva, area->size);
		}
		g_clear_pointer(&regions->bars[i].mappings, g_array_unref);
	}
	g_free(regions);
}

void hb_vfio_regions_describe(const HbVfioRegions *regions, HbBars *bars)
{
	for (guint i = 0; i < HB_BAR_COUNT; i++) {
		const Region *region = &regions->bars[i];

		if (region->size == 0)
			continue;
		HbBarDescription description = {
			.size = MAX(region->size, PAGE),
			.is_64bit = region->is_64bit,
			.prefetchable = region->prefetchable,
			.mappings = (const HbBarMapping *)(gpointer)region->mappings->data,
			.n_mappings = region->mappings->len,
		};
		hb_bars_add(bars, i, &description);
	}
}

guint64 hb_vfio_regions_read(const HbVfioRegions *regions, guint bar, guint64 offset, guint size)
{
	const Region *region = &regions->bars[bar];
	guint64 value = 0;

	if (offset + size > region->size ||
	    pread(regions->device_fd, &value, size, (off_t)(region->offset + offset)) !=
		    (ssize_t)size)
		return G_MAXUINT64;
	return GUINT64_FROM_LE(value);
}

void hb_vfio_regions_write(const HbVfioRegions *regions, guint bar, guint64 offset, guint size,
			   guint64 value)
{
	const Region *region = &regions->bars[bar];
	guint64 bytes = GUINT64_TO_LE(value);

	if (offset + size > region->size)
		return;
	/* A write that fails went to a drive that has gone, which its notifier tells. */
	ssize_t n = pwrite(regions->device_fd, &bytes, size, (off_t)(region->offset + offset));
	(void)n;
}
