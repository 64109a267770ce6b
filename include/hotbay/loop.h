/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_LOOP_H
#define HOTBAY_LOOP_H

/** loop.h: the library's events behind one file descriptor. */

#include <glib.h>

G_BEGIN_DECLS

/**
 * HbLoop:
 *
 * The library's events as one file descriptor, for an embedder whose own loop is epoll, poll() or
 * io_uring and not GLib's. Its context goes to hb_host_create() or hb_kvm_create(); the embedder
 * watches the descriptor and calls hb_loop_dispatch(), and need not know what is behind it.
 *
 * An embedder that runs a #GMainContext does without: it passes that one.
 */
typedef struct HbLoop HbLoop;

/**
 * hb_loop_create:
 *
 * Any thread. The thread that dispatches it is "the loop" of the other headers.
 *
 * Returns: (transfer full) (nullable): NULL with %HB_ERROR_HOST if the process has no file
 *   descriptors left; free with hb_loop_destroy()
 */
HbLoop *hb_loop_create(GError **error);

/**
 * hb_loop_destroy: frees it, after everything that was created with its context, and not while it
 * is dispatched. Closes the descriptor. Takes NULL.
 */
void hb_loop_destroy(HbLoop *loop);

/** hb_loop_get_context: Returns: (transfer none): for the @context of other functions. Any thread.
 */
GMainContext *hb_loop_get_context(HbLoop *loop);

/**
 * hb_loop_get_fd:
 *
 * Returns: (transfer none): a descriptor that stays the same and is readable (POLLIN, EPOLLIN) for
 *   as long as there may be something to dispatch: news from another thread, a descriptor of a
 *   drive, or a timer that is due. It can be readable for nothing. Never read it, write it or close
 *   it. Any thread.
 */
int hb_loop_get_fd(HbLoop *loop);

/**
 * hb_loop_dispatch:
 *
 * Does what is due, and never waits for more: timers, drives' notifiers, and the embedder's
 * listeners, which are called from here. What becomes due meanwhile is done by this call or leaves
 * the descriptor readable. Always from the same thread, with none of the embedder's locks held that
 * a listener takes. Called from a listener it does nothing.
 */
void hb_loop_dispatch(HbLoop *loop);

G_END_DECLS

#endif
