#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""docs/api/make-pages complains of every symbol, member and parameter of a public header that is not documented, or
that is documented and does not exist. The build makes the pages of the real headers, and fails if it complains."""

import os
import shutil
import subprocess
import sys
import tempfile

from tree import ROOT, Tap

HEADER = """#ifndef HOTBAY_LAMP_H
#define HOTBAY_LAMP_H

/** lamp.h: lamps. */

#include <glib.h>

/** HB_LAMP_MAX: how many lamps there are at most. */
#define HB_LAMP_MAX 8

/** HbLamp: a lamp. */
typedef struct HbLamp HbLamp;

/**
 * HbLampColour:
 * @HB_LAMP_RED: like a rose
 * @HB_LAMP_BLUE: like the sky
 *
 * What it looks like.
 */
typedef enum HbLampColour {
	HB_LAMP_RED,
	HB_LAMP_BLUE,
} HbLampColour;

/**
 * HbLampConfig:
 * @colour: a #HbLampColour
 * @names: (array length=n_names) (nullable): what it is called
 * @switched: (nullable): told when it is switched
 *
 * A lamp to be.
 */
typedef struct HbLampConfig {
	guint8 colour;
	const char *const *names;
	guint n_names;
	void (*switched)(HbLamp *lamp, gboolean on);
} HbLampConfig;

/**
 * HbLampListener:
 * @level: how bright it is now
 *
 * Called when it has changed.
 */
typedef void (*HbLampListener)(HbLamp *lamp, guint level, gpointer data);

/**
 * hb_lamp_create:
 * @config: at most %HB_LAMP_MAX; copied
 *
 * Makes a lamp. Any thread.
 *
 * Returns: (transfer full): NULL with an error: see hb_lamp_dim()
 */
HbLamp *hb_lamp_create(const HbLampConfig *config, GError **error);

/**
 * hb_lamp_dim:
 * @level: percent
 * @listener: (nullable): called with @data
 *
 * Makes it darker. <linux/lamp.h> and \\\\_SB.LAMP are nothing special here.
 */
void hb_lamp_dim(HbLamp *lamp, guint level, HbLampListener listener, gpointer data);

/** hb_lamp_get_level: Returns: percent. Any thread. */
guint hb_lamp_get_level(const HbLamp *lamp);

#endif
"""
FAULTS = {
    "a header that is not introduced": ("/** lamp.h: lamps. */", ""),
    "a function without a comment": ("/** hb_lamp_get_level: Returns: percent. Any thread. */", ""),
    "a type without a comment": ("/** HbLamp: a lamp. */", ""),
    "a macro without a comment": ("/** HB_LAMP_MAX: how many lamps there are at most. */", ""),
    "a function of which only the result is told": (" * Makes a lamp. Any thread.\n", ""),
    "a result that is not told of": ("Returns: percent", "in percent"),
    "a parameter that is not told of": (" * @level: percent\n", ""),
    "a parameter that does not exist": ("@level: percent", "@level: percent\n * @speed: of it"),
    "a parameter that was renamed": ("guint level, HbLampListener", "guint brightness, HbLampListener"),
    "a callback's parameter that is not told of": (" * @level: how bright it is now\n", ""),
    "a callback's parameter that does not exist": ("@level: how", "@level: so\n * @speed: how"),
    "a member that is not told of": (" * @colour: a #HbLampColour\n", ""),
    "a member that does not exist": ("@colour: a", "@shade: dark\n * @colour: a"),
    "a value that is not told of": (" * @HB_LAMP_BLUE: like the sky\n", ""),
    "a value that does not exist": ("@HB_LAMP_BLUE: like", "@HB_LAMP_GREEN: grass\n * @HB_LAMP_BLUE: like"),
    "a comment that is about another function": ("hb_lamp_get_level: Returns", "hb_lamp_get_height: Returns"),
    "a reference to no type": ("#HbLampColour\n", "#HbLampColor\n"),
    "a reference to no constant": ("%HB_LAMP_MAX", "%HB_LAMP_MIN"),
    "a reference to no function": ("hb_lamp_dim()", "hb_lamp_dimm()"),
}


def numbered(text, number):
    """The same header of another thing, so that many can be read at once."""
    for word in ("lamp", "Lamp", "LAMP"):
        text = text.replace(word, f"{word}{number}")
    return text


def complaints(texts):
    """Of each text, what is said of it when all are read together."""
    with tempfile.TemporaryDirectory(prefix="hotbay-pages.") as folder:
        headers = os.path.join(folder, "hotbay")
        os.mkdir(headers)
        for number, text in enumerate(texts):
            with open(f"{headers}/lamp{number}.h", "w", encoding="utf-8") as file:
                file.write(numbered(text, number))
        words = [sys.executable, "-B", f"{ROOT}/docs/api/make-pages", "doxygen", headers, f"{ROOT}/examples", folder]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        made = os.path.exists(f"{folder}/html/lamp0_8h.html")
    lines = done.stderr.splitlines() if done.returncode else []
    return made, [[line for line in lines if f"/lamp{number}.h:" in line] for number in range(len(texts))]


def main():
    tap = Tap()
    if not shutil.which("doxygen"):
        tap.skip("pages of the interface", "there is no doxygen")
        tap.finish()
    made, (of_right, *of_wrong) = complaints([HEADER] + [HEADER.replace(*fault) for fault in FAULTS.values()])
    tap.check("there is a page", [] if made else ["there is none"])
    tap.check("a header that has everything is content", of_right)
    for (name, (right, _)), said in zip(FAULTS.items(), of_wrong):
        found = [] if said else ["it was not"]
        tap.check(f"{name} would be caught", found if HEADER.count(right) == 1 else ["this test has lost its text"])
    tap.finish()


main()
