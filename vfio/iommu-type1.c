/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * VFIO type1: /dev/vfio/vfio is the container, /dev/vfio/N a group in it.
 *
 * The kernel drops the container's IOMMU and all its mappings when the last group leaves
 * (drivers/vfio/container.c, Linux 6.1), so the first group to enter sets the IOMMU and maps
 * guest memory. It would be unpinned when the last one goes; but that takes 0.1 s a GiB in the lab,
 * and so does the close of the drive before it, so it is unmapped while the drive is closed. A
 * group is open exactly once on a host: EBUSY from it means that another process, or another VM,
 * has the drive.
 */

#include "vfio/iommu.h"

#include "hw/host.h"

#include <hotbay/error.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

typedef struct Type1 {
	HbIommu base;
	HbHost *host;
	int container;	   /* -1 until the first attach */
	gboolean mapped;   /* guest memory is, all of it */
	GPtrArray *groups; /* of HbIommuAttachment, those in the container */
} Type1;

/* One open group; several functions of one group, each a drive of this VM, share it. */
struct HbIommuAttachment {
	guint group;
	guint users;
	int fd;
};

static gboolean open_container(Type1 *type1, GError **error)
{
	if (type1->container >= 0)
		return TRUE;

	int fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "/dev/vfio/vfio: %s; load the host's VFIO driver with `modprobe "
			    "vfio-pci` and run as a user who may open it",
			    g_strerror(errno));
		return FALSE;
	}
	if (ioctl(fd, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
	    ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "/dev/vfio/vfio: no type1v2 IOMMU; `modprobe vfio_iommu_type1`");
		close(fd);
		return FALSE;
	}
	type1->container = fd;
	return TRUE;
}

/* All or, where the kernel has no word for that, nothing; then it goes with the last group. */
static void unmap_ram(Type1 *type1)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.flags = VFIO_DMA_UNMAP_FLAG_ALL,
	};

	if (ioctl(type1->container, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL) == 1 &&
	    ioctl(type1->container, VFIO_IOMMU_UNMAP_DMA, &unmap) == 0)
		type1->mapped = FALSE;
}

static gboolean map(Type1 *type1, guint64 iova, guint64 size, gconstpointer hva)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (guintptr)hva,
		.iova = iova,
		.size = size,
	};

	return ioctl(type1->container, VFIO_IOMMU_MAP_DMA, &map) == 0;
}

static gboolean map_ram(Type1 *type1, GError **error)
{
	guint n;
	const HbRam *ram = hb_host_get_ram(type1->host, &n);

	if (type1->mapped)
		return TRUE;
	for (guint i = 0; i < n; i++) {
		if (map(type1, ram[i].gpa, ram[i].size, ram[i].hva))
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "VFIO_IOMMU_MAP_DMA of %" G_GUINT64_FORMAT
			    " MiB of guest memory at 0x%" G_GINT64_MODIFIER "x: %s%s",
			    ram[i].size >> 20, ram[i].gpa, g_strerror(errno),
			    errno == ENOMEM ? "; raise the locked-memory limit (ulimit -l) above it"
					    : "");
		unmap_ram(type1);
		return FALSE;
	}
	type1->mapped = TRUE;
	return TRUE;
}

static int open_group(guint group, const char *address, GError **error)
{
	g_autofree char *path = g_strdup_printf("/dev/vfio/%u", group);
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		g_set_error(error, HB_ERROR, errno == EBUSY ? HB_ERROR_BUSY : HB_ERROR_HOST,
			    "%s: %s: %s; %s", address, path, g_strerror(errno),
			    errno == EBUSY ? "another VM has the drive: remove it there first"
					   : "run as a user who may open it");
		return -1;
	}
	if (ioctl(fd, VFIO_GROUP_GET_STATUS, &status) == 0 &&
	    (status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return fd;
	g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
		    "%s: IOMMU group %u is not viable: another function of it is in use by the "
		    "host; bind all of /sys/kernel/iommu_groups/%u/devices to vfio-pci",
		    address, group, group);
	close(fd);
	return -1;
}

/*
 * The first group brings the IOMMU; one that comes later is refused to bring another. Which one is
 * the first the kernel says, because of a drive that was pulled it takes the group out of the
 * container by itself, as soon as the drive is closed (vfio_device_remove_group() in
 * drivers/vfio/vfio_main.c, Linux 6.1). That may be before its group has left here, and the next
 * drive finds a container without IOMMU and without mappings.
 */
static gboolean enter_container(Type1 *type1, int group_fd, const char *address, GError **error)
{
	if (ioctl(group_fd, VFIO_GROUP_SET_CONTAINER, &type1->container) < 0) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: VFIO_GROUP_SET_CONTAINER: %s",
			    address, g_strerror(errno));
		return FALSE;
	}
	if (ioctl(type1->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) == 0) {
		type1->mapped = FALSE;
		return TRUE;
	}
	if (errno == EINVAL && type1->groups->len > 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "%s: VFIO_SET_IOMMU: %s; if the host's IOMMU cannot remap interrupts, its "
		    "vfio_iommu_type1 refuses all devices",
		    address, g_strerror(errno));
	return FALSE;
}

static int open_function(HbIommu *iommu, const HbIommuAttachment *attachment, const char *address,
			 GError **error)
{
	int fd = ioctl(attachment->fd, VFIO_GROUP_GET_DEVICE_FD, address);

	if (fd < 0)
		g_set_error(error, HB_ERROR, errno == EBUSY ? HB_ERROR_BUSY : HB_ERROR_HOST,
			    "%s: VFIO_GROUP_GET_DEVICE_FD: %s; the host's kernel log says more",
			    address, g_strerror(errno));
	return fd;
}

static HbIommuAttachment *find_group(Type1 *type1, guint group)
{
	for (guint i = 0; i < type1->groups->len; i++) {
		HbIommuAttachment *attachment = g_ptr_array_index(type1->groups, i);

		if (attachment->group == group)
			return attachment;
	}
	return NULL;
}

static HbIommuAttachment *enter_group(Type1 *type1, guint group, const char *address,
				      GError **error)
{
	int fd = open_group(group, address, error);

	if (fd < 0)
		return NULL;
	if (!enter_container(type1, fd, address, error)) {
		close(fd); /* leaves the container */
		return NULL;
	}
	HbIommuAttachment *attachment = g_new0(HbIommuAttachment, 1);
	attachment->group = group;
	attachment->fd = fd;
	g_ptr_array_add(type1->groups, attachment);
	return attachment;
}

static void leave_group(Type1 *type1, HbIommuAttachment *attachment)
{
	close(attachment->fd);
	g_ptr_array_remove(type1->groups, attachment);
	g_free(attachment);
	if (type1->groups->len == 0)
		type1->mapped = FALSE;
}

static HbIommuAttachment *attach(HbIommu *iommu, guint group, const char *address, GError **error)
{
	Type1 *type1 = (Type1 *)iommu;

	if (!open_container(type1, error))
		return NULL;
	HbIommuAttachment *attachment = find_group(type1, group);
	if (!attachment)
		attachment = enter_group(type1, group, address, error);
	if (!attachment)
		return NULL;
	if (!map_ram(type1, error)) {
		if (attachment->users == 0)
			leave_group(type1, attachment);
		return NULL;
	}
	attachment->users++;
	return attachment;
}

static void leave(HbIommu *iommu, HbIommuAttachment *attachment)
{
	Type1 *type1 = (Type1 *)iommu;

	if (type1->groups->len == 1 && attachment->users == 1)
		unmap_ram(type1);
}

static void detach(HbIommu *iommu, HbIommuAttachment *attachment)
{
	if (--attachment->users == 0)
		leave_group((Type1 *)iommu, attachment);
}

static gboolean map_window(HbIommu *iommu, guint64 iova, guint64 size, gpointer hva, GError **error)
{
	if (map((Type1 *)iommu, iova, size, hva))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "VFIO_IOMMU_MAP_DMA of 0x%" G_GINT64_MODIFIER "x bytes at 0x%" G_GINT64_MODIFIER
		    "x: %s",
		    size, iova, g_strerror(errno));
	return FALSE;
}

static void unmap_window(HbIommu *iommu, guint64 iova, guint64 size)
{
	const Type1 *type1 = (const Type1 *)iommu;
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = size,
	};

	if (ioctl(type1->container, VFIO_IOMMU_UNMAP_DMA, &unmap) < 0)
		hb_host_log(type1->host, G_LOG_LEVEL_WARNING,
			    "VFIO_IOMMU_UNMAP_DMA of a drive's BAR at 0x%" G_GINT64_MODIFIER
			    "x: %s",
			    iova, g_strerror(errno));
}

static void destroy(HbIommu *iommu)
{
	Type1 *type1 = (Type1 *)iommu;

	g_assert(type1->groups->len == 0);
	g_ptr_array_unref(type1->groups);
	if (type1->container >= 0)
		close(type1->container);
	g_free(type1);
}

static const HbIommuOps type1_ops = {
	.name = "type1",
	.attach = attach,
	.open = open_function,
	.leave = leave,
	.detach = detach,
	.map_window = map_window,
	.unmap_window = unmap_window,
	.destroy = destroy,
};

HbIommu *hb_iommu_type1_create(HbHost *host)
{
	Type1 *type1 = g_new0(Type1, 1);

	type1->base.ops = &type1_ops;
	type1->host = host;
	type1->container = -1;
	type1->groups = g_ptr_array_new();
	return &type1->base;
}
