/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef OPTIONS_DEVICE_OPTIONS_H
#define OPTIONS_DEVICE_OPTIONS_H

#include <hotbay/options.h>

struct HbDeviceOptions {
	GPtrArray *ports;    /* of HbPortOptions, once checked in order of depth, bus and devfn */
	GPtrArray *switches; /* of HbSwitchOptions, in the order in which they were added */
	GPtrArray *drives;   /* of HbDriveOptions, likewise */
	char *reserved[32];  /* whose device of bus 0 it is; NULL: free for ports */
};

#endif
