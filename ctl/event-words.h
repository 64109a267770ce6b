/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef CTL_EVENT_WORDS_H
#define CTL_EVENT_WORDS_H

#include <json-glib/json-glib.h>

/** hb_event_words_make: Returns: (transfer full): "TIME NAME key=value ...", in local time. */
char *hb_event_words_make(JsonObject *event);

#endif
