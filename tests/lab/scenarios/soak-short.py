# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The beginning of a soak: the same operations in the same order each time."""
# lab: matrix
# lab: only by name

from soak import Soak

SECONDS = 480  # a minute and a half on a machine that does nothing else


def scenario(lab):
    Soak(lab, operations=16, seed=21).run()
