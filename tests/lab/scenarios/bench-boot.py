# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""For tests/bench/compare: starts of a guest, and what the hypervisor needs beside its memory; asserts nothing."""
# lab: only by name

from bench import is_host
from measure import measure_boot


def scenario(lab):
    with lab.step("a guest is what this measures"):
        assert not is_host(lab), "the lab host has no figures of its own here"
    measure_boot(lab)
