/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_MACHINE_OPTIONS_H
#define VMM_MACHINE_OPTIONS_H

#include "vmm/options.h"

/*
 * Each reads what follows one flag into @options. FALSE, with an error that does not name the flag
 * yet, if it cannot be.
 */
gboolean hb_machine_options_read_machine(HbOptions *options, const char *value, GError **error);
gboolean hb_machine_options_read_accel(HbOptions *options, const char *value, GError **error);
gboolean hb_machine_options_read_smp(HbOptions *options, const char *value, GError **error);
gboolean hb_machine_options_read_memory(HbOptions *options, const char *value, GError **error);

#endif
