/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_JSON_SCANNER_H
#define VMM_JSON_SCANNER_H

#include <glib.h>

/** HB_JSON_SCANNER_MAX_SIZE: bytes of one value; a longer one is an error. */
#define HB_JSON_SCANNER_MAX_SIZE (1024 * 1024)

/** HB_JSON_SCANNER_MAX_NESTING: arrays and objects inside one another; one more is an error. */
#define HB_JSON_SCANNER_MAX_NESTING 256

/**
 * HbJsonScanner:
 *
 * Cuts a stream of bytes into JSON values (RFC 8259), which QMP sends with nothing in between. It
 * finds where a value ends and refuses what the parser after it would take although it is no JSON,
 * or would take the wrong way; the grammar in between is the parser's business. Any one thread.
 */
typedef struct HbJsonScanner HbJsonScanner;

/**
 * HbJsonScan:
 * @HB_JSON_SCAN_MORE: all bytes are consumed and no value has ended
 * @HB_JSON_SCAN_VALUE: a value has ended; see hb_json_scanner_get_text()
 * @HB_JSON_SCAN_ERROR: this cannot be JSON; see hb_json_scanner_get_error(). What follows is
 * skipped up to the next line.
 */
typedef enum HbJsonScan {
	HB_JSON_SCAN_MORE,
	HB_JSON_SCAN_VALUE,
	HB_JSON_SCAN_ERROR,
} HbJsonScan;

HbJsonScanner *hb_json_scanner_create(void);

/** hb_json_scanner_destroy: takes NULL. */
void hb_json_scanner_destroy(HbJsonScanner *scanner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbJsonScanner, hb_json_scanner_destroy)

/**
 * hb_json_scanner_feed:
 * @used: (out): how many of the @length bytes were consumed; call again with the rest
 *
 * Returns: what became of them
 */
HbJsonScan hb_json_scanner_feed(HbJsonScanner *scanner, const guint8 *data, gsize length,
				gsize *used);

/**
 * hb_json_scanner_get_text:
 * @length: (out): its bytes, without the final NUL
 *
 * After %HB_JSON_SCAN_VALUE. Strings are in double quotes, even if the stream has them in single
 * quotes. Not yet checked for UTF-8.
 *
 * Returns: (transfer none): the value; valid until the next feed
 */
const char *hb_json_scanner_get_text(HbJsonScanner *scanner, gsize *length);

/** hb_json_scanner_get_error: Returns: (transfer none): after %HB_JSON_SCAN_ERROR, what is wrong.
 */
const char *hb_json_scanner_get_error(HbJsonScanner *scanner);

#endif
