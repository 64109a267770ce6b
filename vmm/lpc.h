/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_LPC_H
#define VMM_LPC_H

#include <hotbay/pci.h>

/** HB_LPC_DEVFN: 00:1f.0, where guests look for Q35's LPC bridge. */
#define HB_LPC_DEVFN HB_PCI_DEVFN(0x1f, 0)

/**
 * hb_lpc_create:
 *
 * The identity of Q35's LPC bridge: guests recognise the machine by it. It does nothing else.
 *
 * Returns: (transfer full): for hb_host_bridge_add()
 */
HbPciFunction *hb_lpc_create(void);

#endif
