#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""groff has nothing to say of the manual pages."""

import shutil
import subprocess

from tree import Tap, files, read


def complaints(text):
    done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-z"], input=text, capture_output=True, text=True,
                          check=False)
    return done.stderr.splitlines() or (["groff failed"] if done.returncode else [])


def main():
    tap = Tap()
    pages = files(".1")
    tap.check("there are manual pages", [] if len(pages) >= 2 else pages)
    if not shutil.which("groff"):
        tap.skip("groff has nothing to say of them", "there is no groff")
        tap.finish()
    caught = complaints('.TH X 1\n.SH NAME\n.BR a " b\n.nosuch\n')
    tap.check("a macro that there is none of would be caught", [] if caught else ["it was not"])
    for path in pages:
        first = read(path).splitlines()[:2]
        licence = ['.\\" SPDX-License-Identifier: GPL-2.0-or-later', '.\\" Copyright the hotbay authors']
        tap.check(f"{path} has its licence lines", [] if first == licence else first)
        tap.check(f"groff has nothing to say of {path}",
                  complaints(read(path)))
    tap.finish()


main()
