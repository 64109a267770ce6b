/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_TABLES_H
#define VMM_TABLES_H

#include "vmm/options.h"

/**
 * hb_tables_build:
 * @bridge: what the host bridge was created with
 *
 * The ACPI tables of the machine that @options describe, made for %HB_LAYOUT_TABLES. Pure.
 *
 * Returns: (transfer full) (nullable): NULL with the library's error
 */
GByteArray *hb_tables_build(const HbOptions *options, const HbHostBridgeConfig *bridge,
			    GError **error);

#endif
