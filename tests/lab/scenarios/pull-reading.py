# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A drive pulled while the guest reads from it: the read fails at once, and nothing else notices."""
# lab: matrix

from pulling import pull_under_load


def scenario(lab):
    pull_under_load(lab, "read")
