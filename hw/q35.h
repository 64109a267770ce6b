/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_Q35_H
#define HW_Q35_H

#include <hotbay/pci.h>

/* The function at 00:00.0 of a machine with @config. Its own release op frees it. */
HbPciFunction *hb_q35_create(const HbHostBridgeConfig *config);

#endif
