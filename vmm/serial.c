/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A 16550A UART (National Semiconductor PC16550D data sheet) that sends in no time: the transmitter
 * is empty whenever the guest looks, so a guest never polls twice for it, and each poll is an exit.
 * Reception has no time-out counter either: bytes below the FIFO's trigger level are reported as
 * timed out at once.
 *
 * The interrupt line is a pure function of the registers, worked out after each change of them.
 */

#include "vmm/serial.h"

#include <string.h>

#define FIFO_SIZE 16

/* Register offsets; the first two mean the divisor while LCR_DLAB is set. */
enum {
	REG_DATA,
	REG_IER,
	REG_IIR_FCR,
	REG_LCR,
	REG_MCR,
	REG_LSR,
	REG_MSR,
	REG_SCR,
};

#define IER_RDA	      0x01 /* received data available */
#define IER_THRE      0x02 /* transmitter holding register empty */
#define IER_RLS	      0x04 /* receiver line status */
#define IER_MASK      0x0f
#define IIR_NONE      0x01
#define IIR_THRE      0x02
#define IIR_RDA	      0x04
#define IIR_RLS	      0x06
#define IIR_TIMEOUT   0x0c
#define IIR_FIFOS     0xc0
#define FCR_ENABLE    0x01
#define FCR_CLEAR_RX  0x02
#define FCR_CLEAR_TX  0x04
#define LCR_DLAB      0x80
#define MCR_DTR	      0x01
#define MCR_RTS	      0x02
#define MCR_OUT1      0x04
#define MCR_OUT2      0x08
#define MCR_LOOP      0x10
#define MCR_MASK      0x1f
#define LSR_DR	      0x01
#define LSR_OE	      0x02
#define LSR_SENT      0x60 /* THRE and TEMT */
#define MSR_CTS	      0x10
#define MSR_DSR	      0x20
#define MSR_RI	      0x40
#define MSR_DCD	      0x80
#define MSR_CONNECTED (MSR_CTS | MSR_DSR | MSR_DCD)

struct HbSerial {
	const HbSerialOps *ops;
	gpointer opaque;
	GMutex lock; /* guards all below */
	guint8 ier;
	guint8 fcr;
	guint8 lcr;
	guint8 mcr;
	guint8 scr;
	guint8 divisor[2];
	gboolean overrun;
	gboolean sent; /* the THRE interrupt: something was sent since the guest was told */
	gboolean level;
	guint8 fifo[FIFO_SIZE];
	guint head;
	guint count;
};

static guint capacity(const HbSerial *serial)
{
	return serial->fcr & FCR_ENABLE ? FIFO_SIZE : 1;
}

static guint trigger_level(const HbSerial *serial)
{
	static const guint8 levels[] = { 1, 4, 8, 14 };

	return serial->fcr & FCR_ENABLE ? levels[serial->fcr >> 6] : 1;
}

/* The pending interrupt of the highest priority (PC16550D table IV). */
static guint8 identify(const HbSerial *serial)
{
	if ((serial->ier & IER_RLS) && serial->overrun)
		return IIR_RLS;
	if ((serial->ier & IER_RDA) && serial->count)
		return serial->count >= trigger_level(serial) ? IIR_RDA : IIR_TIMEOUT;
	if ((serial->ier & IER_THRE) && serial->sent)
		return IIR_THRE;
	return IIR_NONE;
}

static void update_line(HbSerial *serial)
{
	gboolean level = identify(serial) != IIR_NONE;

	if (level == serial->level)
		return;
	serial->level = level;
	serial->ops->set_irq(serial->opaque, level);
}

static void push(HbSerial *serial, guint8 byte)
{
	if (serial->count == capacity(serial)) {
		serial->overrun = TRUE;
		return;
	}
	serial->fifo[(serial->head + serial->count++) % FIFO_SIZE] = byte;
}

static guint8 pop(HbSerial *serial)
{
	if (serial->count == 0)
		return 0;
	guint8 byte = serial->fifo[serial->head];
	serial->head = (serial->head + 1) % FIFO_SIZE;
	serial->count--;
	return byte;
}

static void clear_input(HbSerial *serial)
{
	serial->head = serial->count = 0;
}

HbSerial *hb_serial_create(const HbSerialOps *ops, gpointer opaque)
{
	HbSerial *serial = g_new0(HbSerial, 1);

	serial->ops = ops;
	serial->opaque = opaque;
	serial->divisor[0] = 12; /* 9600 baud */
	g_mutex_init(&serial->lock);
	return serial;
}

void hb_serial_destroy(HbSerial *serial)
{
	if (serial == NULL)
		return;
	g_mutex_clear(&serial->lock);
	g_free(serial);
}

void hb_serial_reset(HbSerial *serial)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&serial->lock);

	serial->ier = serial->fcr = serial->lcr = serial->mcr = 0;
	serial->overrun = serial->sent = FALSE;
	clear_input(serial);
	update_line(serial);
}

/* In loopback the modem's control outputs are its inputs (PC16550D §8.5). */
static guint8 modem_status(const HbSerial *serial)
{
	if (!(serial->mcr & MCR_LOOP))
		return MSR_CONNECTED;
	return (guint8)((serial->mcr & MCR_RTS ? MSR_CTS : 0) |
			(serial->mcr & MCR_DTR ? MSR_DSR : 0) |
			(serial->mcr & MCR_OUT1 ? MSR_RI : 0) |
			(serial->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static guint8 read_iir(HbSerial *serial)
{
	guint8 iir = identify(serial);

	if (iir == IIR_THRE)
		serial->sent = FALSE; /* reading it is what acknowledges this one */
	return iir | (serial->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static guint8 read_lsr(HbSerial *serial)
{
	guint8 lsr = LSR_SENT | (serial->count ? LSR_DR : 0) | (serial->overrun ? LSR_OE : 0);

	serial->overrun = FALSE;
	return lsr;
}

static guint8 read_register(HbSerial *serial, guint offset)
{
	switch (offset) {
	case REG_DATA:
		return serial->lcr & LCR_DLAB ? serial->divisor[0] : pop(serial);
	case REG_IER:
		return serial->lcr & LCR_DLAB ? serial->divisor[1] : serial->ier;
	case REG_IIR_FCR:
		return read_iir(serial);
	case REG_LCR:
		return serial->lcr;
	case REG_MCR:
		return serial->mcr;
	case REG_LSR:
		return read_lsr(serial);
	case REG_MSR:
		return modem_status(serial);
	case REG_SCR:
		return serial->scr;
	}
	return 0xff;
}

guint8 hb_serial_read(HbSerial *serial, guint offset)
{
	g_mutex_lock(&serial->lock);
	guint before = serial->count;
	guint8 value = read_register(serial, offset);
	gboolean drained = serial->count < before;
	update_line(serial);
	g_mutex_unlock(&serial->lock);
	if (drained)
		serial->ops->drained(serial->opaque);
	return value;
}

static void write_ier(HbSerial *serial, guint8 value)
{
	/* Enabling the interrupt while the transmitter is empty raises it, PC16550D §8.6.1. */
	if ((value & IER_THRE) && !(serial->ier & IER_THRE))
		serial->sent = TRUE;
	serial->ier = value & IER_MASK;
}

static void write_fcr(HbSerial *serial, guint8 value)
{
	if ((value & FCR_CLEAR_RX) || ((value ^ serial->fcr) & FCR_ENABLE))
		clear_input(serial);
	if (value & FCR_CLEAR_TX)
		serial->sent = TRUE;
	serial->fcr = value & (guint8) ~(FCR_CLEAR_RX | FCR_CLEAR_TX);
}

static void send_byte(HbSerial *serial, guint8 byte)
{
	serial->sent = TRUE;
	if (serial->mcr & MCR_LOOP)
		push(serial, byte);
}

static void write_register(HbSerial *serial, guint offset, guint8 value)
{
	switch (offset) {
	case REG_DATA:
		if (serial->lcr & LCR_DLAB)
			serial->divisor[0] = value;
		else
			send_byte(serial, value);
		break;
	case REG_IER:
		if (serial->lcr & LCR_DLAB)
			serial->divisor[1] = value;
		else
			write_ier(serial, value);
		break;
	case REG_IIR_FCR:
		write_fcr(serial, value);
		break;
	case REG_LCR:
		serial->lcr = value;
		break;
	case REG_MCR:
		serial->mcr = value & MCR_MASK;
		break;
	case REG_SCR:
		serial->scr = value;
		break;
	}
}

void hb_serial_write(HbSerial *serial, guint offset, guint8 value)
{
	g_mutex_lock(&serial->lock);
	gboolean sends =
		offset == REG_DATA && !(serial->lcr & LCR_DLAB) && !(serial->mcr & MCR_LOOP);
	guint before = serial->count;
	write_register(serial, offset, value);
	gboolean drained = serial->count < before;
	update_line(serial);
	g_mutex_unlock(&serial->lock);
	if (sends)
		serial->ops->output(serial->opaque, &value, 1);
	if (drained)
		serial->ops->drained(serial->opaque);
}

gsize hb_serial_can_receive(HbSerial *serial)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&serial->lock);

	/* While looped back the receiver is cut off from the line. */
	return serial->mcr & MCR_LOOP ? 0 : capacity(serial) - serial->count;
}

void hb_serial_receive(HbSerial *serial, const guint8 *data, gsize length)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&serial->lock);

	for (gsize i = 0; i < length; i++)
		push(serial, data[i]);
	update_line(serial);
}
