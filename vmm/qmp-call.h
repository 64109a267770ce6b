/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_QMP_CALL_H
#define VMM_QMP_CALL_H

#include "vmm/qmp-client.h"
#include "vmm/qmp-message.h"

/* The part of a call that only the QMP server sees; qmp.h has the rest. */

/* Takes @request; it is kept until the call ends, which is told by hb_qmp_client_finish_call(). */
HbQmpCall *hb_qmp_call_create(HbQmpClient *client, HbQmpRequest *request);

/* The client goes; the call need not reply any more. */
void hb_qmp_call_orphan(HbQmpCall *call);

/* NULL once orphaned. */
HbQmpClient *hb_qmp_call_get_client(HbQmpCall *call);

#endif
