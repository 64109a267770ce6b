/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What a port is to be like: the defaults, and what makes no port. docs/architecture.md says why
 * these are the defaults.
 */

#include "hw/express.h"
#include "hw/port.h"

#include <hotbay/error.h>

#define MIB (G_GUINT64_CONSTANT(1) << 20)

#define DEFAULT_REMOVAL_TIMEOUT_MS	60000
#define DEFAULT_HOST_REMOVAL_TIMEOUT_MS 30000
#define DEFAULT_ACKNOWLEDGE_TIMEOUT_MS	60000
#define DEFAULT_MEM32_SIZE		(2 * MIB)
#define DEFAULT_MEM64_SIZE		(64 * MIB)
#define DEFAULT_POWER_LIMIT		25     /* what an SFF-8639 bay gives */
#define SLOT_NUMBER_LAST		0x1fff /* 13 bits, PCIe r6.0 §7.5.3.9 */

void hb_port_config_init(HbPortConfig *config)
{
	*config = (HbPortConfig){
		.hotplug = TRUE,
		.attention_button = TRUE,
		.power_controller = FALSE,
		.indicators = TRUE,
		.no_command_completed = TRUE,
		.surprise = TRUE,
		.slot_power_limit = DEFAULT_POWER_LIMIT,
		.link = HB_EXPRESS_DEFAULT_LINK,
		.removal_timeout_ms = DEFAULT_REMOVAL_TIMEOUT_MS,
		.host_removal_timeout_ms = DEFAULT_HOST_REMOVAL_TIMEOUT_MS,
		.acknowledge_timeout_ms = DEFAULT_ACKNOWLEDGE_TIMEOUT_MS,
		.guest_eject = TRUE,
		.mem32_size = DEFAULT_MEM32_SIZE,
		.mem64_size = DEFAULT_MEM64_SIZE,
	};
}

gboolean hb_port_config_check(const HbPortConfig *config, GError **error)
{
	if (!config->id || !*config->id)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "port at %02x.%x has no id: give it one", HB_PCI_DEVICE(config->devfn),
			    HB_PCI_FUNCTION(config->devfn));
	else if (config->slot > SLOT_NUMBER_LAST)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "port %s: slot number %u is too large: use 0 to %u", config->id,
			    config->slot, SLOT_NUMBER_LAST);
	else if (config->mem32_size % MIB || config->mem64_size % MIB)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "port %s: a window is no multiple of 1 MiB: round it up", config->id);
	else if (config->slot_power_limit > HB_SLOT_POWER_LIMIT_MAX)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "port %s: a slot power limit of %u W is too large: use 0 to %u",
			    config->id, config->slot_power_limit, HB_SLOT_POWER_LIMIT_MAX);
	else if (!hb_express_is_speed(config->link.speed) ||
		 !hb_express_is_width(config->link.width))
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "port %s: there is no link of speed %u and width %u: use speeds 1 to 6 "
			    "and widths 1, 2, 4, 8, 12, 16 and 32",
			    config->id, config->link.speed, config->link.width);
	else
		return TRUE;
	return FALSE;
}
