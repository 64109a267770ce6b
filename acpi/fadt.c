/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The Fixed ACPI Description Table, ACPI r6.5 §5.2.9: where the power management registers are.
 *
 * The machine is in ACPI mode from the start (no SMI command port), has a fixed-feature power
 * button, no sleep button, no real-time clock, no VGA and no keyboard controller. Each register
 * stands in the table twice, as a 32-bit port with a length in bytes and as a generic address with
 * a width in bits; ACPICA complains if the two differ (drivers/acpi/acpica/tbfadt.c, Linux 6.1).
 */

#include "acpi/table.h"
#include "acpi/tables.h"

#include <stddef.h>
#include <string.h>

#define PM1_EVENT_OFFSET   0
#define PM1_EVENT_LENGTH   4
#define PM1_CONTROL_OFFSET 4
#define PM1_CONTROL_LENGTH 2
#define PM_TIMER_OFFSET	   8
#define PM_TIMER_LENGTH	   4

/* Larger than what ACPI r6.5 §5.2.9 takes for a usable C2 and C3: the machine has neither. */
#define NO_C2_LATENCY 0x0fff
#define NO_C3_LATENCY 0x0fff

#define PROFILE_ENTERPRISE_SERVER 4
#define SPACE_SYSTEM_IO		  1

/* Fixed feature flags, ACPI r6.5 §5.2.9 */
enum {
	WBINVD = 1 << 0,
	PROC_C1 = 1 << 2,
	SLP_BUTTON = 1 << 5, /* no fixed-feature sleep button */
	FIX_RTC = 1 << 6,    /* no fixed-feature RTC wake status */
	TMR_VAL_EXT = 1 << 8,
	RESET_REG_SUP = 1 << 10,
};

/* IA-PC Boot Architecture Flags, ACPI r6.5 §5.2.9.3 */
enum {
	LEGACY_DEVICES = 1 << 0,
	VGA_NOT_PRESENT = 1 << 2,
	CMOS_RTC_NOT_PRESENT = 1 << 5,
};

typedef enum AccessSize {
	ACCESS_BYTE = 1,
	ACCESS_WORD = 2,
	ACCESS_DWORD = 3,
} AccessSize;

typedef struct __attribute__((packed)) Fadt {
	HbTableHeader header;
	guint32 firmware_ctrl;
	guint32 dsdt;
	guint8 reserved1;
	guint8 preferred_pm_profile;
	guint16 sci_int;
	guint32 smi_cmd;
	guint8 acpi_enable;
	guint8 acpi_disable;
	guint8 s4bios_req;
	guint8 pstate_cnt;
	guint32 pm1a_evt_blk;
	guint32 pm1b_evt_blk;
	guint32 pm1a_cnt_blk;
	guint32 pm1b_cnt_blk;
	guint32 pm2_cnt_blk;
	guint32 pm_tmr_blk;
	guint32 gpe0_blk;
	guint32 gpe1_blk;
	guint8 pm1_evt_len;
	guint8 pm1_cnt_len;
	guint8 pm2_cnt_len;
	guint8 pm_tmr_len;
	guint8 gpe0_blk_len;
	guint8 gpe1_blk_len;
	guint8 gpe1_base;
	guint8 cst_cnt;
	guint16 p_lvl2_lat;
	guint16 p_lvl3_lat;
	guint16 flush_size;
	guint16 flush_stride;
	guint8 duty_offset;
	guint8 duty_width;
	guint8 day_alrm;
	guint8 mon_alrm;
	guint8 century;
	guint16 iapc_boot_arch;
	guint8 reserved2;
	guint32 flags;
	HbGenericAddress reset_reg;
	guint8 reset_value;
	guint16 arm_boot_arch;
	guint8 minor_version;
	guint64 x_firmware_ctrl;
	guint64 x_dsdt;
	HbGenericAddress x_pm1a_evt_blk;
	HbGenericAddress x_pm1b_evt_blk;
	HbGenericAddress x_pm1a_cnt_blk;
	HbGenericAddress x_pm1b_cnt_blk;
	HbGenericAddress x_pm2_cnt_blk;
	HbGenericAddress x_pm_tmr_blk;
	HbGenericAddress x_gpe0_blk;
	HbGenericAddress x_gpe1_blk;
	HbGenericAddress sleep_control_reg;
	HbGenericAddress sleep_status_reg;
	char hypervisor_vendor[8];
} Fadt;
_Static_assert(sizeof(Fadt) == 276, "ACPI r6.5 §5.2.9");
_Static_assert(offsetof(Fadt, sci_int) == 46, "ACPI r6.5 §5.2.9");
_Static_assert(offsetof(Fadt, pm_tmr_blk) == 76, "ACPI r6.5 §5.2.9");
_Static_assert(offsetof(Fadt, flags) == 112, "ACPI r6.5 §5.2.9");
_Static_assert(offsetof(Fadt, x_dsdt) == 140, "ACPI r6.5 §5.2.9");
_Static_assert(offsetof(Fadt, hypervisor_vendor) == 268, "ACPI r6.5 §5.2.9");

static HbGenericAddress port(guint16 address, guint8 length, AccessSize access_size)
{
	return (HbGenericAddress){
		.space = SPACE_SYSTEM_IO,
		.bit_width = length * 8,
		.access_size = access_size,
		.address = GUINT64_TO_LE(address),
	};
}

/* PM1a event, PM1a control and the PM timer, ACPI r6.5 §4.8.3 */
static void fill_pm1(Fadt *fadt, const HbAcpiMachine *machine)
{
	guint16 event = machine->pm_base + PM1_EVENT_OFFSET;
	guint16 control = machine->pm_base + PM1_CONTROL_OFFSET;
	guint16 timer = machine->pm_base + PM_TIMER_OFFSET;

	fadt->sci_int = GUINT16_TO_LE(machine->sci);
	fadt->pm1a_evt_blk = GUINT32_TO_LE(event);
	fadt->pm1_evt_len = PM1_EVENT_LENGTH;
	fadt->x_pm1a_evt_blk = port(event, PM1_EVENT_LENGTH, ACCESS_WORD);
	fadt->pm1a_cnt_blk = GUINT32_TO_LE(control);
	fadt->pm1_cnt_len = PM1_CONTROL_LENGTH;
	fadt->x_pm1a_cnt_blk = port(control, PM1_CONTROL_LENGTH, ACCESS_WORD);
	fadt->pm_tmr_blk = GUINT32_TO_LE(timer);
	fadt->pm_tmr_len = PM_TIMER_LENGTH;
	fadt->x_pm_tmr_blk = port(timer, PM_TIMER_LENGTH, ACCESS_DWORD);
}

/* General-purpose events, ACPI r6.5 §4.8.4.1; the length is a multiple of two, at most 30. */
static void fill_gpe0(Fadt *fadt, const HbAcpiMachine *machine)
{
	if (machine->gpe0_length == 0)
		return;
	fadt->gpe0_blk = GUINT32_TO_LE(machine->gpe0_base);
	fadt->gpe0_blk_len = machine->gpe0_length;
	fadt->x_gpe0_blk = port(machine->gpe0_base, machine->gpe0_length, ACCESS_BYTE);
}

static void fill_features(Fadt *fadt, const HbAcpiMachine *machine)
{
	guint32 flags = WBINVD | PROC_C1 | SLP_BUTTON | FIX_RTC | TMR_VAL_EXT;
	guint16 boot = VGA_NOT_PRESENT | CMOS_RTC_NOT_PRESENT;

	if (machine->serial_port != 0)
		boot |= LEGACY_DEVICES;
	if (machine->reset_port != 0) {
		flags |= RESET_REG_SUP;
		fadt->reset_reg = port(machine->reset_port, 1, ACCESS_BYTE);
		fadt->reset_value = machine->reset_value;
	}
	fadt->flags = GUINT32_TO_LE(flags);
	fadt->iapc_boot_arch = GUINT16_TO_LE(boot);
	fadt->preferred_pm_profile = PROFILE_ENTERPRISE_SERVER;
	fadt->p_lvl2_lat = GUINT16_TO_LE(NO_C2_LATENCY);
	fadt->p_lvl3_lat = GUINT16_TO_LE(NO_C3_LATENCY);
	memcpy(fadt->hypervisor_vendor, "hotbay", strlen("hotbay"));
}

void hb_fadt_append(GByteArray *blob, const HbAcpiMachine *machine, guint32 facs, guint32 dsdt)
{
	gsize table = hb_table_begin(blob, "FACP", 6);
	Fadt fadt = { .minor_version = 5 };

	/* Below 4 GiB, so the 64-bit address of the FACS stays zero: only one may be set. */
	fadt.firmware_ctrl = GUINT32_TO_LE(facs);
	fadt.dsdt = GUINT32_TO_LE(dsdt);
	fadt.x_dsdt = GUINT64_TO_LE(dsdt);
	fill_pm1(&fadt, machine);
	fill_gpe0(&fadt, machine);
	fill_features(&fadt, machine);

	g_byte_array_append(blob, (const guint8 *)&fadt + sizeof(fadt.header),
			    sizeof(fadt) - sizeof(fadt.header));
	hb_table_end(blob, table);
}
