/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_SERIAL_H
#define VMM_SERIAL_H

#include <glib.h>

#define HB_SERIAL_PORTS 8

/**
 * HbSerialOps:
 * @set_irq: the interrupt line; called when it changes, with the UART's lock held
 * @output: bytes that the guest has sent. Without the lock.
 * @drained: there is room for input again. Without the lock.
 */
typedef struct HbSerialOps {
	void (*set_irq)(gpointer opaque, gboolean level);
	void (*output)(gpointer opaque, const guint8 *data, gsize length);
	void (*drained)(gpointer opaque);
} HbSerialOps;

/** HbSerial: a 16550A UART. Any thread may call anything here. */
typedef struct HbSerial HbSerial;

HbSerial *hb_serial_create(const HbSerialOps *ops, gpointer opaque);
void hb_serial_destroy(HbSerial *serial);

/** hb_serial_reset: as after power-on; the line goes low. */
void hb_serial_reset(HbSerial *serial);

/** hb_serial_read, hb_serial_write: the guest's access to register @offset, 0 to 7. */
guint8 hb_serial_read(HbSerial *serial, guint offset);
void hb_serial_write(HbSerial *serial, guint offset, guint8 value);

/** hb_serial_can_receive: Returns: how many bytes hb_serial_receive() takes now. */
gsize hb_serial_can_receive(HbSerial *serial);

/** hb_serial_receive: input for the guest; what there is no room for is an overrun. */
void hb_serial_receive(HbSerial *serial, const guint8 *data, gsize length);

#endif
