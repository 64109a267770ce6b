/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_ERROR_H
#define HOTBAY_ERROR_H

/** error.h: the library's errors. */

#include <glib.h>

G_BEGIN_DECLS

/**
 * HB_ERROR:
 *
 * The error domain of libhotbay. Messages name the thing (a PCI address, an id, a file or
 * an ioctl) and, after it, the remedy.
 */
#define HB_ERROR (hb_error_quark())

/** hb_error_quark: Returns: what %HB_ERROR stands for. Any thread. */
GQuark hb_error_quark(void);

/**
 * HbError:
 * @HB_ERROR_INVALID: an argument is malformed or outside its range
 * @HB_ERROR_NOT_FOUND: the named device, slot or file does not exist
 * @HB_ERROR_BUSY: the slot is occupied, or an operation on it is in flight
 * @HB_ERROR_UNSUPPORTED: the host, the device or the slot cannot do this
 * @HB_ERROR_HOST: the host kernel refused a system call
 * @HB_ERROR_GONE: the drive has left the host
 * @HB_ERROR_LIMIT: a documented limit or budget would be exceeded
 *
 * Codes of %HB_ERROR.
 */
typedef enum HbError {
	HB_ERROR_INVALID,
	HB_ERROR_NOT_FOUND,
	HB_ERROR_BUSY,
	HB_ERROR_UNSUPPORTED,
	HB_ERROR_HOST,
	HB_ERROR_GONE,
	HB_ERROR_LIMIT,
} HbError;

G_END_DECLS

#endif
