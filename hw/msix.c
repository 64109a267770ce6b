/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The MSI-X table (PCIe r6.0 §7.7.2.7), kept as the guest wrote it, and beside it what each vector
 * effectively delivers:
 *
 *   effective = enabled && !function mask && !vector mask ? message : nothing
 *
 * One guest access may change a thousand vectors (Message Control) or half of one (a doubleword of
 * its message). After each access the affected vectors are compared with what was last reported,
 * differences are reported, and one call of changed() closes the access. So a message programmed
 * under its mask, as Linux does, costs one report at the unmasking. What was pending is the
 * owner's to deliver then.
 */

#include "hw/msix.h"

#include <linux/pci_regs.h>
#include <string.h>

#define ENTRY_DWORDS (PCI_MSIX_ENTRY_SIZE / 4)
#define ADDRESS_LOW  (PCI_MSIX_ENTRY_LOWER_ADDR / 4)
#define ADDRESS_HIGH (PCI_MSIX_ENTRY_UPPER_ADDR / 4)
#define DATA	     (PCI_MSIX_ENTRY_DATA / 4)
#define CONTROL	     (PCI_MSIX_ENTRY_VECTOR_CTRL / 4)

typedef struct Vector {
	guint32 entry[ENTRY_DWORDS]; /* as the guest reads it */
	gboolean reported;	     /* delivers @message, as far as the owner knows */
	HbMsiMessage message;
} Vector;

struct HbMsix {
	HbConfigSpace *config;
	guint capability;
	const HbMsixOps *ops;
	gpointer opaque;
	gboolean reported_enabled;
	guint n_vectors;
	Vector vectors[]; /* n_vectors */
};

/* Bits of each doubleword of an entry that the guest may write. */
static const guint32 entry_writable[ENTRY_DWORDS] = {
	[ADDRESS_LOW] = 0xfffffffc,
	[ADDRESS_HIGH] = 0xffffffff,
	[DATA] = 0xffffffff,
	[CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT,
};

static guint16 get_control(const HbMsix *msix)
{
	return hb_config_space_get_u16(msix->config, msix->capability + PCI_MSIX_FLAGS);
}

static void clear_vector(Vector *vector)
{
	memset(vector->entry, 0, sizeof(vector->entry));
	vector->entry[CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

HbMsix *hb_msix_create(HbConfigSpace *config, guint capability, guint n_vectors,
		       const HbMsixOps *ops, gpointer opaque)
{
	HbMsix *msix = g_malloc0(sizeof(*msix) + n_vectors * sizeof(Vector));

	msix->config = config;
	msix->capability = capability;
	msix->n_vectors = n_vectors;
	msix->ops = ops;
	msix->opaque = opaque;
	for (guint i = 0; i < n_vectors; i++)
		clear_vector(&msix->vectors[i]);
	hb_config_space_set_u16(config, capability + PCI_MSIX_FLAGS, (guint16)(n_vectors - 1));
	hb_config_space_set_writable(config, capability + PCI_MSIX_FLAGS, 2,
				     PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	return msix;
}

void hb_msix_destroy(HbMsix *msix)
{
	g_free(msix);
}

guint hb_msix_get_n_vectors(const HbMsix *msix)
{
	return msix->n_vectors;
}

gboolean hb_msix_is_enabled(const HbMsix *msix)
{
	return !!(get_control(msix) & PCI_MSIX_FLAGS_ENABLE);
}

guint hb_msix_get_n_programmed(const HbMsix *msix)
{
	guint n = msix->n_vectors;

	while (n > 0 && !msix->vectors[n - 1].entry[ADDRESS_LOW] &&
	       !msix->vectors[n - 1].entry[ADDRESS_HIGH])
		n--;
	return n;
}

/* Reports what @index delivers now, if that is not what the owner knows. */
static gboolean report_vector(HbMsix *msix, guint index)
{
	Vector *vector = &msix->vectors[index];
	guint16 control = get_control(msix);
	gboolean delivers = control & PCI_MSIX_FLAGS_ENABLE &&
			    !(control & PCI_MSIX_FLAGS_MASKALL) &&
			    !(vector->entry[CONTROL] & PCI_MSIX_ENTRY_CTRL_MASKBIT);
	HbMsiMessage message = { 0 };

	if (delivers) {
		message.address =
			(guint64)vector->entry[ADDRESS_HIGH] << 32 | vector->entry[ADDRESS_LOW];
		message.data = vector->entry[DATA];
	}
	if (delivers == vector->reported && message.address == vector->message.address &&
	    message.data == vector->message.data)
		return FALSE;
	vector->reported = delivers;
	vector->message = message;
	msix->ops->vector_changed(msix->opaque, index, delivers ? &message : NULL);
	return TRUE;
}

/* Closes one guest access, which can have touched vectors @first to @end - 1. */
static void report(HbMsix *msix, guint first, guint end)
{
	gboolean enabled = hb_msix_is_enabled(msix);
	gboolean changed = enabled != msix->reported_enabled;

	for (guint i = first; i < end; i++)
		changed |= report_vector(msix, i);
	msix->reported_enabled = enabled;
	if (changed)
		msix->ops->changed(msix->opaque, enabled);
}

void hb_msix_control_written(HbMsix *msix)
{
	report(msix, 0, msix->n_vectors);
}

/* The doubleword that holds byte @offset of the table; NULL behind its end. */
static guint32 *find_dword(HbMsix *msix, guint64 offset)
{
	guint64 index = offset / PCI_MSIX_ENTRY_SIZE;

	if (index >= msix->n_vectors)
		return NULL;
	return &msix->vectors[index].entry[offset % PCI_MSIX_ENTRY_SIZE / 4];
}

guint64 hb_msix_table_read(HbMsix *msix, guint64 offset, guint size)
{
	guint64 value = 0;

	for (guint i = 0; i < size; i++) {
		const guint32 *dword = find_dword(msix, offset + i);
		guint64 byte = dword ? (*dword >> (8 * ((offset + i) % 4))) & 0xff : 0;

		value |= byte << (8 * i);
	}
	return value;
}

void hb_msix_table_write(HbMsix *msix, guint64 offset, guint size, guint64 value)
{
	for (guint i = 0; i < size; i++) {
		guint64 at = offset + i;
		guint32 *dword = find_dword(msix, at);
		guint shift = 8 * (at % 4);
		guint32 byte = (guint32)(value >> (8 * i)) & 0xff;

		if (!dword)
			break;
		guint32 mask = 0xffu << shift & entry_writable[at % PCI_MSIX_ENTRY_SIZE / 4];
		*dword = (*dword & ~mask) | (byte << shift & mask);
	}
	guint first = (guint)(offset / PCI_MSIX_ENTRY_SIZE);
	guint last = (guint)((offset + size - 1) / PCI_MSIX_ENTRY_SIZE);
	report(msix, MIN(first, msix->n_vectors), MIN(last + 1, msix->n_vectors));
}

guint64 hb_msix_pba_read(HbMsix *msix, guint64 offset, guint size)
{
	guint64 value = 0;

	for (guint i = 0; i < 8 * size; i++) {
		guint64 vector = 8 * offset + i;

		if (vector < msix->n_vectors && msix->ops->is_pending(msix->opaque, (guint)vector))
			value |= G_GUINT64_CONSTANT(1) << i;
	}
	return value;
}

void hb_msix_reset(HbMsix *msix)
{
	guint16 control = get_control(msix) & ~(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);

	hb_config_space_set_u16(msix->config, msix->capability + PCI_MSIX_FLAGS, control);
	for (guint i = 0; i < msix->n_vectors; i++)
		clear_vector(&msix->vectors[i]);
	report(msix, 0, msix->n_vectors);
}
