/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_CONFIG_H
#define VFIO_CONFIG_H

#include "hw/config-space.h"

/*
 * The configuration space of a passed-through drive, as its guest sees it: every register is passed
 * through, emulated or hidden, by the tables in config.c. @device_fd is VFIO's device, in which
 * configuration space begins at @offset.
 */
typedef struct HbVfioConfig {
	int device_fd;
	guint64 offset;
	HbConfigSpace space;		    /* the emulated bits, and constants */
	guint8 from_device[HB_CONFIG_SIZE]; /* bits that a guest read takes from the drive */
	guint8 to_device[HB_CONFIG_SIZE];   /* bits that a guest write changes in the drive */
	guint8 latched[HB_CONFIG_SIZE];	    /* of those: write-1-to-clear */
	guint8 dismissed[HB_CONFIG_SIZE]; /* of those: cleared by the guest, still set in the drive
					   */
	guint16 pm; /* offset of each capability that has a side effect; 0: none */
	guint16 express;
	guint16 msix;
	guint msix_bar;	       /* of the guest's own, for table and PBA */
	guint64 msix_bar_size; /* 0: there is none, they are where the drive has them */
	gboolean cut_off;      /* a bridge on the way to bus 0 passes on no DMA: the drive is no bus
				  master */
} HbVfioConfig;

/* Read the drive's registers once and lay the tables over them. Fails with the errno of the read.
 */
gboolean hb_vfio_config_init(HbVfioConfig *config, int device_fd, guint64 offset, GError **error);

/* Guest accesses; what a drive that has gone does not answer reads all-ones. */
guint32 hb_vfio_config_read(HbVfioConfig *config, guint offset, guint size);
void hb_vfio_config_write(HbVfioConfig *config, guint offset, guint size, guint32 value);

/* A function-level reset clears what is latched, in the drive itself. */
void hb_vfio_config_reset_latches(HbVfioConfig *config);

/*
 * Whether the bridges above pass on what the drive writes to memory, DMA and MSI alike (PCIe r6.0
 * §7.5.1.1.3, Bus Master Enable). While they do not, the drive itself has its Bus Master Enable
 * off, whatever the guest's copy says.
 */
void hb_vfio_config_set_path(HbVfioConfig *config, gboolean passes_dma);

/*
 * The drive's own Memory Space Enable, which the guest does not reach: set for as long as it is
 * open.
 */
void hb_vfio_config_enable_memory(const HbVfioConfig *config);

/* The drive's own Bus Master Enable off, if it answers. */
void hb_vfio_config_stop_dma(const HbVfioConfig *config);

/* The drive's own register, past the tables; FALSE if it cannot be read. */
gboolean hb_vfio_config_peek_u16(const HbVfioConfig *config, guint offset, guint16 *value);
gboolean hb_vfio_config_poke_u16(const HbVfioConfig *config, guint offset, guint16 value);

#endif
