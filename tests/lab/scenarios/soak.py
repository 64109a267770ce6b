# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Two hundred operations at random on four slots under I/O: nothing is lost, nothing leaks, no kernel complains."""
# lab: only by name
# lab: --timeout 3900

from soak import Soak

SECONDS = 3600


def scenario(lab):
    Soak(lab, operations=200, seed=None).run()
