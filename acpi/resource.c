/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The resource descriptors of ACPI r6.5 §6.4: small ones with a one-byte header (type and length),
 * large ones with a type byte and a 16-bit length. The address space descriptors share one shape in
 * three widths:
 *
 *	type  length16  resource-type  general-flags  type-flags  granularity min max translation
 *length
 *
 * No state, so any thread.
 */

#include "acpi/resource.h"

#include "acpi/bytes.h"

#define GIB_4 (G_GUINT64_CONSTANT(1) << 32)

enum {
	SMALL_IRQ_NO_FLAGS = 0x22,
	SMALL_IO = 0x47,
	LARGE_MEMORY32_FIXED = 0x86,
	LARGE_DWORD_ADDRESS = 0x87,
	LARGE_WORD_ADDRESS = 0x88,
	LARGE_QWORD_ADDRESS = 0x8a,
};

/* Resource Type, ACPI r6.5 §6.4.3.5 */
enum {
	TYPE_MEMORY = 0,
	TYPE_IO = 1,
	TYPE_BUS = 2,
};

/* General Flags, ibid. */
enum {
	CONSUMER = 1 << 0,
	MIN_FIXED = 1 << 2,
	MAX_FIXED = 1 << 3,
	PRODUCED = MIN_FIXED | MAX_FIXED,
	CONSUMED = MIN_FIXED | MAX_FIXED | CONSUMER,
};

/* Type Specific Flags, ACPI r6.5 §6.4.3.5.5 */
enum {
	MEMORY_READ_WRITE = 1 << 0,
	MEMORY_CACHEABLE = 1 << 1,
	IO_ENTIRE_RANGE = 3,
};

void hb_resource_append_io(GByteArray *descriptors, guint16 base, guint8 length)
{
	hb_bytes_append_u8(descriptors, SMALL_IO);
	hb_bytes_append_u8(descriptors, 1); /* decodes 16 bits */
	hb_bytes_append_u16(descriptors, base);
	hb_bytes_append_u16(descriptors, base);
	hb_bytes_append_u8(descriptors, 1); /* alignment */
	hb_bytes_append_u8(descriptors, length);
}

void hb_resource_append_irq(GByteArray *descriptors, guint irq)
{
	g_assert(irq < 16);
	hb_bytes_append_u8(descriptors, SMALL_IRQ_NO_FLAGS);
	hb_bytes_append_u16(descriptors, 1u << irq);
}

static void append_number(GByteArray *descriptors, guint width, guint64 value)
{
	if (width == 2)
		hb_bytes_append_u16(descriptors, value);
	else if (width == 4)
		hb_bytes_append_u32(descriptors, value);
	else
		hb_bytes_append_u64(descriptors, value);
}

typedef struct AddressSpace {
	guint8 descriptor;
	guint8 width; /* bytes of each of the five numbers */
	guint8 type;
	guint8 general_flags;
	guint8 type_flags;
} AddressSpace;

static void append_address_space(GByteArray *descriptors, const AddressSpace *space,
				 const HbAddressWindow *window)
{
	g_assert(window->size > 0);
	hb_bytes_append_u8(descriptors, space->descriptor);
	hb_bytes_append_u16(descriptors, 3 + 5 * space->width);
	hb_bytes_append_u8(descriptors, space->type);
	hb_bytes_append_u8(descriptors, space->general_flags);
	hb_bytes_append_u8(descriptors, space->type_flags);
	append_number(descriptors, space->width, 0);
	append_number(descriptors, space->width, window->base);
	append_number(descriptors, space->width, window->base + window->size - 1);
	append_number(descriptors, space->width, 0);
	append_number(descriptors, space->width, window->size);
}

void hb_resource_append_memory(GByteArray *descriptors, const HbAddressWindow *range)
{
	static const AddressSpace space = { LARGE_QWORD_ADDRESS, 8, TYPE_MEMORY, CONSUMED,
					    MEMORY_READ_WRITE };

	if (range->base + range->size > GIB_4) {
		append_address_space(descriptors, &space, range);
		return;
	}
	hb_bytes_append_u8(descriptors, LARGE_MEMORY32_FIXED);
	hb_bytes_append_u16(descriptors, 9);
	hb_bytes_append_u8(descriptors, MEMORY_READ_WRITE);
	hb_bytes_append_u32(descriptors, range->base);
	hb_bytes_append_u32(descriptors, range->size);
}

void hb_resource_append_bus_window(GByteArray *descriptors, guint n_buses)
{
	static const AddressSpace space = { LARGE_WORD_ADDRESS, 2, TYPE_BUS, PRODUCED, 0 };
	const HbAddressWindow window = { .base = 0, .size = n_buses };

	append_address_space(descriptors, &space, &window);
}

void hb_resource_append_io_window(GByteArray *descriptors, const HbAddressWindow *window)
{
	static const AddressSpace space = { LARGE_WORD_ADDRESS, 2, TYPE_IO, PRODUCED,
					    IO_ENTIRE_RANGE };

	append_address_space(descriptors, &space, window);
}

void hb_resource_append_mem32_window(GByteArray *descriptors, const HbAddressWindow *window)
{
	static const AddressSpace space = { LARGE_DWORD_ADDRESS, 4, TYPE_MEMORY, PRODUCED,
					    MEMORY_READ_WRITE };

	append_address_space(descriptors, &space, window);
}

/*
 * Not marked prefetchable: Linux (drivers/pci/bus.c, 6.1) would then keep 64-bit BARs that are not
 * prefetchable out of it. Cacheable says no more than that prefetchable BARs are welcome too.
 */
void hb_resource_append_mem64_window(GByteArray *descriptors, const HbAddressWindow *window)
{
	static const AddressSpace space = { LARGE_QWORD_ADDRESS, 8, TYPE_MEMORY, PRODUCED,
					    MEMORY_READ_WRITE | MEMORY_CACHEABLE };

	append_address_space(descriptors, &space, window);
}
