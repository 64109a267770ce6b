/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef OPTIONS_PORT_OPTIONS_H
#define OPTIONS_PORT_OPTIONS_H

#include <hotbay/options.h>

/** hb_port_options_read: Returns: (transfer full) (nullable): the port that @properties describe.
 */
HbPortOptions *hb_port_options_read(HbProperties *properties, gboolean is_downstream,
				    GError **error);

/** hb_port_options_free: takes NULL. */
void hb_port_options_free(HbPortOptions *port);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbPortOptions, hb_port_options_free)

#endif
