# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The figures that tests/bench/side-by-side compares; asserts nothing of them."""
# lab: only by name

from measure import measure_all


def scenario(lab):
    measure_all(lab)
