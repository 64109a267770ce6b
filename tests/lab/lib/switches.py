# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Command lines with a PCIe switch."""


def switch_options(bays):
    """A switch whose downstream ports have the names of the bays."""
    words = ["-device", "pcie-root-port,id=rp0,chassis=1,slot=100,addr=4.0",
             "-device", "x3130-upstream,id=up0,bus=rp0"]
    for n in range(bays):
        words += ["-device", f"xio3130-downstream,id=bay{n},bus=up0,chassis=1,slot={n + 1},addr={n:x}.0"]
    return words
