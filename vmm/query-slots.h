/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_QUERY_SLOTS_H
#define VMM_QUERY_SLOTS_H

#include "vmm/machine.h"

/** hb_query_slots_list: Returns: (transfer full): what x-hotbay-query-slots returns. */
JsonNode *hb_query_slots_list(HbMachine *machine);

#endif
