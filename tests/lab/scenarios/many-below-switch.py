# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Thirty-two drives below one switch, all added while the guest runs, and removed in any order."""
# lab: --drives 32 --memory 8192
# lab: only by name

from many import empty, fill
from switches import switch_options


def scenario(lab):
    with lab.step("a guest boots with 32 slots below a switch"):
        vm = lab.start(bays=0, extra=switch_options(32)).ready()
    fill(lab, vm)
    empty(lab, vm, lab.bays)
