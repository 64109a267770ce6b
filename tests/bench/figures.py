# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What side-by-side and compare share: the lab's results as figures, and targets against which they are held."""

import json
import os
from collections import namedtuple

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What hotbay must reach: a limit in the figure's own unit, or a share of QEMU's figure, each the most that it may be;
# or a least share of QEMU's.
Target = namedtuple("Target", "kind bound")


def limit(bound):
    return Target("limit", bound)


def share(bound):
    return Target("share", bound)


def least(bound):
    return Target("least", bound)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def by_hypervisor(results):
    """Of a run's results: hypervisor to {name: [value, unit]}."""
    figures = {}
    for entry in results["measurements"]:
        figures.setdefault(entry["hypervisor"], {})[entry["name"]] = [entry["value"], entry["unit"]]
    return figures


def verdict(target, ours, theirs):
    """The target in words, and whether it was met: None when there is none, or the figures are not all there."""
    if target is None:
        return "", None
    words = {"limit": f"<= {target.bound:g}", "share": f"<= {target.bound:g} x QEMU",
             "least": f">= {target.bound:g} x QEMU" if target.bound != 1 else ">= QEMU's"}[target.kind]
    if ours is None or (target.kind != "limit" and theirs is None):
        return words, None
    if target.kind == "limit":
        return words, ours <= target.bound
    return words, ours <= target.bound * theirs if target.kind == "share" else ours >= target.bound * theirs
