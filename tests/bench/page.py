# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""docs/benchmarks.md and its plots, from the figures that are kept. Nothing here is a figure."""

import os
import re
import textwrap

from figures import REPO, verdict
from parts import HOST, HYPERVISORS, PARTS
from sections import KINDS, SECTIONS, rows_of, value_of

PAGE = os.path.join(REPO, "docs/benchmarks.md")
PLOTS = os.path.join(REPO, "docs/benchmarks")
WIDTH = 118


def show(value):
    if value is None:
        return "–"
    if value == int(value) or value >= 1000:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def in_signs(words):
    return words.replace("<=", "≤").replace(">=", "≥").replace(" x ", " × ")


def mark(target, ours, theirs):
    words, met = verdict(target, ours, theirs)
    words = in_signs(words)
    return {True: f"{words}: met", False: f"{words}: **missed**", None: words}[met]


def titles_of(parts):
    """The hypervisors by name and version, as they told it when they were measured last."""
    titles = {"hotbay": "hotbay", HOST: "lab host"}
    for part in parts.values():
        for kind, text in part["versions"].items():
            if kind != "hotbay":
                titles[kind] = "QEMU " + re.search(r"version (\d+\.\d+)", text)[1]
    return titles


def table(part, name, rows, titles):
    lines = ["| what | " + " | ".join(titles[kind] for kind in KINDS) + " | hotbay ÷ " + titles["qemu"] +
             " | target | made by |", "|---|" + "---|" * (len(KINDS) + 3)]
    for row in rows:
        values = [value_of(part, kind, row.figure) for kind in KINDS]
        if all(value is None for value in values):
            continue
        ratio = values[0] / values[1] if values[0] is not None and values[1] else None
        lines.append(f"| {row.words} | " + " | ".join(map(show, values)) + f" | {show(ratio)} | "
                     f"{mark(row.target, values[0], values[1])} | `--only {name}` |")
    return lines


def draw(section, part, titles):
    """The section's plots, as lines of the page."""
    os.makedirs(PLOTS, exist_ok=True)
    lines = []
    for plot in section.plots:
        plot.draw(os.path.join(PLOTS, plot.file), part, titles)
        lines += ["", f"![{plot.words}](benchmarks/{plot.file})"]
    return lines


def summary(parts):
    """How many targets are met, and which are not."""
    met, missed, open_ones = 0, [], 0
    for section in SECTIONS:
        part = parts.get(section.part)
        for row in rows_of(section, part) if part else []:
            ours, theirs = (value_of(part, kind, row.figure) for kind in HYPERVISORS[:2])
            words, good = verdict(row.target, ours, theirs)
            met += good is True
            open_ones += bool(words) and good is None
            if good is False:
                missed.append(f"* {section.title}: {row.words}: {show(ours)} (QEMU {show(theirs)}), "
                              f"and the target is {in_signs(words)}")
    lines = [f"{met} of {met + len(missed) + open_ones} targets are met" + (", and these are not:" if missed else ".")]
    return lines + ([""] + missed if missed else [])


def origins(parts):
    lines = ["| part | commit | measured | command | minutes | load before |", "|---|---|---|---|---|---|"]
    for name, part in parts.items():
        lines.append(f"| {name} | {part['commit']} | {part['date']} | `{part['command']}` | {part['minutes']:.1f} | "
                     f"{part['load']:.1f} |")
    lines += ["", "The machines: " + "; ".join(sorted({part["machine"] for part in parts.values()})) + "."]
    for name, part in parts.items():
        lines += ["", *(f"* {name} was run again for {kind}: at first, this failed: {what}."
                        for kind, what in part["again"].items()),
                  *(f"* **{name} is not whole** for {kind}: this failed, twice: {what}."
                    for kind, what in part["failed"].items())]
    return [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]


INTRODUCTION = """# Benchmarks

hotbay beside the QEMU of Debian 12, a newer one, and what the lab host does by itself, without any guest: the floor.
All are given the same command line. `tests/bench/compare` measures all of it in the lab, and writes this page and its
plots from what it measured; do not edit it, but `tests/bench/sections.py`. `--only` and the part's name, in the last
column, measures the row again.

The lab's host is emulated, CPUs and drives: compare columns, not pages, and ratios rather than seconds. A dash is what
was not measured, or what there is not. What each part does is in `tests/lab/scenarios/bench-*.py`.
"""


def write_page(parts):
    parts = {name: parts[name] for name in PARTS if name in parts}
    titles = {"qemu": "QEMU", "qemu-newer": "newer QEMU", **titles_of(parts)}
    lines = [INTRODUCTION, *summary(parts)]
    for section in SECTIONS:
        part = parts.get(section.part)
        if part:
            lines += ["", f"## {section.title}", "", textwrap.fill(section.text.strip(), WIDTH), "",
                      *table(part, section.part, rows_of(section, part), titles), *draw(section, part, titles)]
    lines += ["", "## Where the figures are from", "", *origins(parts)]
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write("\n".join(lines).rstrip() + "\n")
