#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""symbols.py LIBRARY: what the library exports, what the public headers declare, and hotbay.map
are the same names."""

import re
import subprocess
import sys

from tree import Tap, public_headers, read, without_comments


def declared(text):
    """Functions that a header declares: not its macros, types or function pointers."""
    text = re.sub(r"^\s*#(.*\\\n)*.*$", "", without_comments(text), flags=re.MULTILINE)
    text = re.sub(r"\{[^{}]*\}", "", text)
    statements = [part for part in text.split(";") if not part.strip().startswith("typedef")]
    return {match[1] for part in statements if (match := re.search(r"\b(hb_\w+)\s*\(", part))}


def mapped(text):
    return set(re.findall(r"^\s*(hb_\w+);", text, flags=re.MULTILINE))


def exported(library):
    done = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True,
                          check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[2].split("@")[0] for row in rows if len(row) == 3 and row[1] != "A"}


def differences(these, those, first, second):
    return ([f"{name}: in {first}, not in {second}" for name in sorted(these - those)]
            + [f"{name}: in {second}, not in {first}" for name in sorted(those - these)])


EXAMPLE = """
/* hb_commented(); */
#define HB_MACRO(x) \\
	hb_macro(x)
typedef void (*HbDone)(hb_pointer(x));
const char *hb_one(void);
gboolean hb_two(int a,
		int b) G_GNUC_PRINTF(1, 2);
"""


def main():
    tap = Tap()
    tap.check("a header's functions are told from the rest",
              differences(declared(EXAMPLE), {"hb_one", "hb_two"}, "the answer", "the example"))
    headers = {name for path in public_headers() for name in declared(read(path))}
    names, symbols = mapped(read("hotbay.map")), exported(sys.argv[1])
    tap.check("there are functions to compare", [] if len(headers) > 20 else [str(sorted(headers))])
    tap.check("hotbay.map lists what the public headers declare",
              differences(headers, names, "include/hotbay", "hotbay.map"))
    tap.check("the library exports what the public headers declare",
              differences(headers, symbols, "include/hotbay", "the library"))
    tap.finish()


main()
