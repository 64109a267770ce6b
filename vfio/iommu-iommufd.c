/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * iommufd: /dev/iommu is the owner of I/O address spaces, of which a VM has one, and
 * /dev/vfio/devices/vfioN a function, without its group.
 *
 *     attach, with HbVfio's mutex                    undone
 *     1 IOAS_MAP: guest memory, if it is the first   by leave, of the last one
 *     open, without it
 *     2 the function's character device is opened    closed, by its owner
 *     3 BIND_IOMMUFD: the function is ours and reset by that close: reset, unbound
 *     4 ATTACH_IOMMUFD_PT: to the address space      by that close
 *
 * The kernel pins what is mapped while a function is attached, for all that share an IOMMU domain
 * once (drivers/iommu/iommufd/io_pagetable.c, Linux 6.12): so step 1 costs nothing, the first
 * step 4 pays, and a later one does not, but waits for the first by the kernel's own locks. It
 * would be unpinned with the last function; that takes as long as the close, so it is unmapped
 * meanwhile, as with type1.
 *
 * What open reads is the same for the backend's whole life.
 */

#include "vfio/iommu.h"

#include <hotbay/error.h>
#include <hotbay/pci.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

typedef struct Iommufd {
	HbIommu base;
	HbHost *host;
	char *root;
	int fd;
	guint32 ioas;
	gboolean mapped; /* guest memory is, all of it */
	guint attached;
	guint staying; /* of these, those that have not left */
} Iommufd;

struct HbIommuAttachment {
	gboolean left;
};

/* ---- finding ---- */

static char *control_path(const char *root)
{
	return g_build_filename(root, "dev/iommu", NULL);
}

/* NULL: VFIO has none for that function. */
static char *device_path(const char *root, const char *address)
{
	g_autofree char *folder =
		g_build_filename(root, "sys/bus/pci/devices", address, "vfio-dev", NULL);
	g_autoptr(GDir) names = g_dir_open(folder, 0, NULL);
	const char *name = names ? g_dir_read_name(names) : NULL;

	return name ? g_build_filename(root, "dev/vfio/devices", name, NULL) : NULL;
}

gboolean hb_iommu_iommufd_is_usable(const char *root, const char *address)
{
	g_autofree char *control = control_path(root);
	g_autofree char *device = device_path(root, address);

	return device && access(control, R_OK | W_OK) == 0 && access(device, R_OK | W_OK) == 0;
}

/* ---- guest memory ---- */

static void unmap_ram(Iommufd *iommufd)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = iommufd->ioas,
		.length = G_MAXUINT64, /* all there is */
	};

	if (ioctl(iommufd->fd, IOMMU_IOAS_UNMAP, &unmap) == 0)
		iommufd->mapped = FALSE;
}

static const char *remedy_of_map(int code)
{
	return code == ENOMEM ? "; raise the locked-memory limit (ulimit -l): with iommufd it "
				"counts what all VMs of a user have mapped"
	       : code == EINVAL || code == EADDRINUSE
		       ? "; the host's IOMMU cannot map that range for this drive: see "
			 "reserved_regions of its group in /sys/kernel/iommu_groups"
		       : "";
}

static gboolean map_ram(Iommufd *iommufd, GError **error)
{
	guint n;
	const HbRam *ram = hb_host_get_ram(iommufd->host, &n);

	if (iommufd->mapped)
		return TRUE;
	for (guint i = 0; i < n; i++) {
		struct iommu_ioas_map map = {
			.size = sizeof(map),
			.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
				 IOMMU_IOAS_MAP_WRITEABLE,
			.ioas_id = iommufd->ioas,
			.user_va = (guintptr)ram[i].hva,
			.length = ram[i].size,
			.iova = ram[i].gpa,
		};
		if (ioctl(iommufd->fd, IOMMU_IOAS_MAP, &map) == 0)
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "IOMMU_IOAS_MAP of %" G_GUINT64_FORMAT
			    " MiB of guest memory at 0x%" G_GINT64_MODIFIER "x: %s%s",
			    ram[i].size >> 20, ram[i].gpa, g_strerror(errno), remedy_of_map(errno));
		unmap_ram(iommufd);
		return FALSE;
	}
	iommufd->mapped = TRUE;
	return TRUE;
}

/* ---- functions ---- */

static int open_device(const Iommufd *iommufd, const char *address, GError **error)
{
	g_autofree char *path = device_path(iommufd->root, address);

	if (!path) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			"%s: VFIO shows no character device of it (vfio-dev in its sysfs folder): "
			"the host's kernel needs CONFIG_VFIO_DEVICE_CDEV; or use VFIO type1",
			address);
		return -1;
	}
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "%s: %s: %s; run as a user who may open it", address, path,
			    g_strerror(errno));
	return fd;
}

/*
 * EINVAL is how VFIO says that it is bound already (drivers/vfio/vfio_main.c, Linux 6.12). EPERM
 * has two causes: another owner of a function of the group (iommu_device_claim_dma_owner() in
 * drivers/iommu/iommu.c), and interrupts that are not remapped (drivers/iommu/iommufd/device.c).
 */
static const char *remedy_of_bind(int code)
{
	switch (code) {
	case EBUSY:
	case EINVAL:
		return "another VM has the drive, or a function of its IOMMU group: remove it "
		       "there first";
	case EPERM:
		return "either another VM has a function of its IOMMU group: remove it there "
		       "first; or the host's IOMMU does not remap interrupts: turn that on in its "
		       "firmware, or, if its guests are trusted, load the module iommufd with "
		       "allow_unsafe_interrupts=1";
	default:
		return "the host's kernel log says more";
	}
}

static gboolean bind_device(const Iommufd *iommufd, int fd, const char *address, GError **error)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd->fd };

	if (ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) == 0)
		return TRUE;
	gboolean busy = errno == EBUSY || errno == EINVAL;
	g_set_error(error, HB_ERROR, busy ? HB_ERROR_BUSY : HB_ERROR_HOST,
		    "%s: VFIO_DEVICE_BIND_IOMMUFD: %s; %s", address, g_strerror(errno),
		    remedy_of_bind(errno));
	return FALSE;
}

static gboolean attach_device(const Iommufd *iommufd, int fd, const char *address, GError **error)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach),
							.pt_id = iommufd->ioas };

	if (ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: VFIO_DEVICE_ATTACH_IOMMUFD_PT: %s%s",
		    address, g_strerror(errno), remedy_of_map(errno));
	return FALSE;
}

static HbIommuAttachment *attach(HbIommu *iommu, guint group, const char *address, GError **error)
{
	Iommufd *iommufd = (Iommufd *)iommu;

	if (!map_ram(iommufd, error))
		return NULL;
	iommufd->attached++;
	iommufd->staying++;
	return g_new0(HbIommuAttachment, 1);
}

static int open_function(HbIommu *iommu, const HbIommuAttachment *attachment, const char *address,
			 GError **error)
{
	const Iommufd *iommufd = (const Iommufd *)iommu;
	int fd = open_device(iommufd, address, error);

	if (fd < 0)
		return -1;
	if (bind_device(iommufd, fd, address, error) && attach_device(iommufd, fd, address, error))
		return fd;
	close(fd); /* detaches and unbinds it */
	return -1;
}

static void leave(HbIommu *iommu, HbIommuAttachment *attachment)
{
	Iommufd *iommufd = (Iommufd *)iommu;

	attachment->left = TRUE;
	if (--iommufd->staying == 0)
		unmap_ram(iommufd);
}

static void detach(HbIommu *iommu, HbIommuAttachment *attachment)
{
	Iommufd *iommufd = (Iommufd *)iommu;

	if (!attachment->left)
		leave(iommu, attachment);
	iommufd->attached--;
	g_free(attachment);
}

/* ---- the address space ---- */

static void destroy(HbIommu *iommu)
{
	Iommufd *iommufd = (Iommufd *)iommu;

	g_assert(iommufd->attached == 0);
	struct iommu_destroy ioas = { .size = sizeof(ioas), .id = iommufd->ioas };
	ioctl(iommufd->fd, IOMMU_DESTROY, &ioas); /* @fd may have other owners */
	close(iommufd->fd);
	g_free(iommufd->root);
	g_free(iommufd);
}

static const HbIommuOps iommufd_ops = {
	.name = "iommufd",
	.attach = attach,
	.open = open_function,
	.leave = leave,
	.detach = detach,
	.destroy = destroy,
};

static int open_control(const char *root, GError **error)
{
	g_autofree char *path = control_path(root);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED, "%s: %s; %s", path,
			    g_strerror(errno),
			    errno == ENOENT
				    ? "the host's kernel needs CONFIG_IOMMUFD, and `modprobe "
				      "iommufd`; or use VFIO type1"
				    : "run as a user who may open it, or use VFIO type1");
	return fd;
}

HbIommu *hb_iommu_iommufd_create(HbHost *host, const char *root, int fd, GError **error)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (fd < 0)
		fd = open_control(root, error);
	if (fd < 0)
		return NULL;
	if (ioctl(fd, IOMMU_IOAS_ALLOC, &alloc) < 0) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED, "IOMMU_IOAS_ALLOC: %s%s",
			    g_strerror(errno),
			    errno == ENOTTY ? "; this file descriptor is no iommufd: give one that "
					      "has /dev/iommu open"
					    : "");
		close(fd);
		return NULL;
	}
	Iommufd *iommufd = g_new0(Iommufd, 1);
	iommufd->base.ops = &iommufd_ops;
	iommufd->host = host;
	iommufd->root = g_strdup(root);
	iommufd->fd = fd;
	iommufd->ioas = alloc.out_ioas_id;
	return &iommufd->base;
}
