/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_IOMMU_OPTIONS_H
#define VMM_IOMMU_OPTIONS_H

#include <hotbay/hotbay.h>

/** HbIommuOptions: what -object iommufd, and x-hotbay-iommu= and x-hotbay-peer-to-peer=, say. */
typedef struct HbIommuOptions {
	HbVfioIommu iommu;
	char *id;	       /* of the iommufd; NULL: there is no such object */
	int fd;		       /* that the iommufd is; -1: none */
	gboolean peer_to_peer; /* drives reach each other's BARs */
} HbIommuOptions;

void hb_iommu_options_init(HbIommuOptions *options);
void hb_iommu_options_finish(HbIommuOptions *options);

/** hb_iommu_options_add: @object: of one -object iommufd. */
gboolean hb_iommu_options_add(HbIommuOptions *options, HbProperties *object, GError **error);

/** hb_iommu_options_choose: @name: that of x-hotbay-iommu=. */
gboolean hb_iommu_options_choose(HbIommuOptions *options, const char *name, GError **error);

/** hb_iommu_options_check_drive: does the object exist that the drive names, if it does? */
gboolean hb_iommu_options_check_drive(const HbIommuOptions *options, const HbDriveOptions *drive,
				      GError **error);

/**
 * hb_iommu_options_settle:
 * @drives: can the machine have drives at all?
 *
 * After the last flag. Returns: FALSE with an error that starts with the flag to blame
 */
gboolean hb_iommu_options_settle(HbIommuOptions *options, const HbDeviceOptions *devices,
				 gboolean drives, GError **error);

#endif
