/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_CHARDEV_H
#define VMM_CHARDEV_H

#include <glib.h>

typedef enum HbChardevKind {
	HB_CHARDEV_NULL,
	HB_CHARDEV_STDIO,
	HB_CHARDEV_FILE, /* output only */
	HB_CHARDEV_UNIX,
	HB_CHARDEV_PTY,
} HbChardevKind;

/** HbChardevOptions: where bytes go to and come from. */
typedef struct HbChardevOptions {
	HbChardevKind kind;
	char *path;	 /* of FILE and UNIX */
	gboolean server; /* of UNIX */
	gboolean wait;	 /* of a UNIX server: for its first client, before the guest starts */
} HbChardevOptions;

/**
 * hb_chardev_options_parse:
 * @text: "stdio", "null", "pty", "file:PATH", "unix:PATH[,server=on|off][,wait=on|off]"
 *
 * Returns: (transfer full) (nullable): NULL with %HB_ERROR_INVALID or %HB_ERROR_UNSUPPORTED
 */
HbChardevOptions *hb_chardev_options_parse(const char *text, GError **error);

void hb_chardev_options_free(HbChardevOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbChardevOptions, hb_chardev_options_free)

/**
 * HbChardev:
 *
 * One open stream of bytes. Never blocks a writer: what the other side does not take at once waits
 * in a bounded queue, and beyond that is dropped; with nobody connected it is dropped at once.
 */
typedef struct HbChardev HbChardev;

/**
 * HbChardevOps:
 * @can_receive: how many bytes @receive may be given now; asked again after hb_chardev_resume()
 * @receive: bytes from the other side. Both on the loop.
 */
typedef struct HbChardevOps {
	gsize (*can_receive)(gpointer opaque);
	void (*receive)(gpointer opaque, const guint8 *data, gsize length);
} HbChardevOps;

/**
 * hb_chardev_open:
 * @label: for messages, "serial0"
 *
 * A unix server replaces a socket file that nobody listens on, and takes one client after another.
 * With @wait this blocks until the first is there. Loop thread.
 *
 * Returns: (nullable): NULL with an error that names the file
 */
HbChardev *hb_chardev_open(const HbChardevOptions *options, const char *label,
			   const HbChardevOps *ops, gpointer opaque, GError **error);

/** hb_chardev_close: puts the terminal back as it was, removes the socket. Loop thread. Takes NULL.
 */
void hb_chardev_close(HbChardev *chardev);

/** hb_chardev_write: any thread; never blocks. */
void hb_chardev_write(HbChardev *chardev, const guint8 *data, gsize length);

/** hb_chardev_resume: @can_receive may say more than zero again. Any thread. */
void hb_chardev_resume(HbChardev *chardev);

#endif
