#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""tests/lab/run matrix [--guest-kernel V] [--slots S] [NAME...]: scenarios on each guest kernel with each kind of
slots, and beside them QEMU's figures; writes docs/guests.md.

A column is a run of tests/lab/run of its own, with its results in build/lab/matrix/COLUMN, so that others may have the
lab in between. With a kernel, a kind or names given, only these are run, and the others are as the last time;
"--only-table" runs none, and "--adopt FOLDER" takes the results that another run of tests/lab/run has left; a folder
behind another one is of its failures, run again. What fails is run again by itself, twice at most, and so is what took
longer than it may: the table says so. The exit status says whether all cells are there, all passed, and all limits were
kept."""

import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import namedtuple

LAB = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REPO = os.path.dirname(os.path.dirname(LAB))
RESULTS = os.path.join(REPO, "build/lab/matrix")
PAGE = os.path.join(REPO, "docs/guests.md")

Cell = namedtuple("Cell", "hypervisor kernel slots")
Row = namedtuple("Row", "scenario figure words limits")
# Of one scenario in one cell: the run whose results stand, and how many it took.
Outcome = namedtuple("Outcome", "runs steps figures")

CELLS = [Cell("hotbay", kernel, slots) for slots in ("native", "acpi") for kernel in ("6.1", "6.12", "7.2")]
BESIDE = Cell("qemu", "6.1", "native")
BESIDE_SCENARIOS = ("hot-add", "orderly-removal", "pull-reading")
ATTEMPTS = 3

# What is shown of the figures, with the longest that each may be by kind of slots. A figure that a scenario takes
# several times is shown as the median.
ROWS = [
    Row("hot-add", "first hot-add", "first hot-add, asked to disk in the guest", {}),
    Row("hot-add", "later hot-add", "later hot-add", {}),
    Row("hot-add", "two drives at once", "two drives at once", {}),
    Row("orderly-removal", "disk gone", "orderly removal, asked to disk gone", {}),
    Row("orderly-removal", "DEVICE_DELETED", "orderly removal, asked to `DEVICE_DELETED`", {"acpi": 1.5}),
    Row("pull-idle", "pull to disk gone", "pull while idle to disk gone", {}),
    Row("pull-reading", "pull to failed read", "pull while reading to failed read", {"native": 0.3, "acpi": 0.3}),
    Row("pull-reading", "pull to host's slot free", "pull while reading to host's slot free", {}),
    Row("pull-writing", "pull to failed write", "pull while writing to failed write", {"native": 0.3, "acpi": 0.3}),
    Row("pull-writing", "pull to host's slot free", "pull while writing to host's slot free", {}),
    Row("soak-short", "longest pull to failed read", "soak: longest pull to failed read", {}),
]


def marks():
    """The scenarios of the matrix, to the kind of slots that each is for, "" for both."""
    found = {}
    for path in sorted(glob.glob(f"{LAB}/scenarios/*.py")):
        with open(path, encoding="utf-8") as file:
            mark = re.search(r"^# lab: matrix ?(.*)$", file.read(), re.MULTILINE)
        if mark:
            found[os.path.basename(path)[:-len(".py")]] = mark[1]
    return found


def belongs(cell, name):
    return marks().get(name, "") in ("", cell.slots)


def folder_of(cell):
    return os.path.join(RESULTS, "-".join(cell))


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def records(cell):
    """What is kept of a column: a scenario's name to {"about": what ran it, "runs": [its results, ...]}."""
    path = f"{folder_of(cell)}/records.json"
    return load(path) if os.path.exists(path) else {}


def keep(cell, kept):
    with open(f"{folder_of(cell)}/records.json", "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=1)


def run(cell, folder, names):
    """One run of the lab; yields each scenario's name and results. Some scenarios have a lab host of their own."""
    command = [os.path.join(LAB, "run"), "--hypervisor", cell.hypervisor, "--guest-kernel", cell.kernel,
               "--slots", cell.slots, *names]
    subprocess.run(command, env={**os.environ, "HOTBAY_LAB_OUT": folder}, check=False)
    for name in names:
        own = f"{folder}-{name}"
        yield name, results(own if os.path.exists(own) else folder, name)


def results(folder, name):
    """One scenario's part of a run: its kernel, steps and figures. No steps are those of a run that died."""
    if not os.path.exists(f"{folder}/status"):
        return {"kernel": "", "steps": [], "figures": {}}
    found = load(f"{folder}/results.json")
    figures = {}
    for entry in found["measurements"]:
        if entry["scenario"] == name:
            figures.setdefault(entry["name"], []).append(entry["value"])
    return {"kernel": re.search(r"\d+\.\d+\.\d+[^/]*(?=-amd64)", load(f"{folder}/plan.json")["kernel"])[0],
            "steps": [step for step in found["steps"] if step["scenario"] == name],
            "figures": {key: sorted(values)[len(values) // 2] for key, values in figures.items()}}


def all_outcomes(cell):
    """A scenario's name and its Outcome, for each run that it was in, in their order."""
    for name, record in records(cell).items():
        for number, found in enumerate(record["runs"], 1):
            yield name, Outcome(number, found["steps"], found["figures"])


def outcomes(cell):
    """Scenario to its Outcome, of the last run that it was in."""
    return dict(all_outcomes(cell))


def failed_steps(found):
    """No steps at all are those of a run that died."""
    return [step["name"] for step in found.steps if not step["ok"]] if found.steps else ["the run did not end"]


def excesses(cell, name, found):
    """The rows whose limit one scenario's figures exceed, or that it owes."""
    return [row for row in ROWS if row.scenario == name and cell.slots in row.limits
            and found.figures.get(row.figure, 1e9) > row.limits[cell.slots]]


def run_cell(cell, names):
    """Runs the scenarios, and those again that were not as they should be."""
    shutil.rmtree(f"{folder_of(cell)}/last", ignore_errors=True)
    os.makedirs(folder_of(cell), exist_ok=True)
    kept = records(cell)
    about = dict(date=time.strftime("%Y-%m-%d"), version=version(cell, present_commit()))
    kept.update({name: dict(about=about, runs=[]) for name in names})
    for attempt in range(1, (ATTEMPTS if cell != BESIDE else 1) + 1):
        print(f"# {title(cell)}: {' '.join(names)}", flush=True)
        for name, found in run(cell, f"{folder_of(cell)}/last/{attempt}", names):
            kept[name]["runs"].append(found)
        keep(cell, kept)
        found = outcomes(cell)
        names = [name for name in names if failed_steps(found[name]) or excesses(cell, name, found[name])]
        if not names:
            break


def adopt(folder, adopted):
    """Takes the scenarios of another run into the columns that they belong to. adopted: those taken before."""
    plan = load(f"{folder}/plan.json")
    cell = Cell(plan["hypervisors"][0], plan["guest_kernel"], plan["slots"])
    assert len(plan["hypervisors"]) == 1 and cell in (*CELLS, BESIDE), f"{folder} is of no column"
    os.makedirs(folder_of(cell), exist_ok=True)
    about = dict(date=time.strftime("%Y-%m-%d", time.localtime(os.path.getmtime(f"{folder}/plan.json"))),
                 version=version(cell, plan["commit"]))
    kept = records(cell)
    for name in plan["scenarios"]:
        if name in marks() and belongs(cell, name):
            if (cell, name) not in adopted:
                kept[name] = dict(about=about, runs=[])
            adopted.add((cell, name))
            kept[name]["runs"].append(results(folder, name))
    keep(cell, kept)


def version(cell, commit):
    """Of the hypervisor, in a line."""
    binary = os.environ.get("HOTBAY", f"{REPO}/build/vmm/hotbay")
    words = [binary if cell.hypervisor == "hotbay" else "qemu-system-x86_64", "--version"]
    text = subprocess.run(words, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout.splitlines()[0]
    if cell.hypervisor != "hotbay":
        return "QEMU " + re.search(r"version ([\d.]+)", text)[1]
    return f"{text} ({commit})" if commit else text


def present_commit():
    return subprocess.run(["git", "-C", REPO, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, check=False,
                          encoding="utf-8").stdout.strip()


def title(cell):
    return f"{cell.hypervisor}, guest {cell.kernel}, {cell.slots}"


def verdict_text(cell, name, found):
    if not found:
        return "–" if belongs(cell, name) else ""
    failed = failed_steps(found)
    runs = f", run {found.runs}" if found.runs > 1 else ""
    return f"**{len(failed)} failed**{runs}" if failed else f"ok{runs}"


def figure_text(cell, row, found):
    if not found or row.figure not in found.figures:
        return "–"
    value = found.figures[row.figure]
    if cell == BESIDE or cell.slots not in row.limits:
        return f"{value:.2f}"
    return f"{value:.2f}" if value <= row.limits[cell.slots] else f"**{value:.2f}**"


def limit_text(row):
    limits = sorted(set(row.limits.values()))
    if not limits:
        return ""
    only = f" ({next(iter(row.limits)).upper()})" if len(row.limits) == 1 else ""
    return f"≤ {limits[0]:g}{only}"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def said_of(cell):
    """Who ran the column, in lines; more than one where its scenarios were run at several times."""
    names = {}
    for name, record in records(cell).items():
        kernel = next((found["kernel"] for found in record["runs"] if found["kernel"]), cell.kernel)
        what = f"Linux {kernel} under {record['about']['version']}, on {record['about']['date']}"
        names.setdefault(what, []).append(name)
    if len(names) <= 1:
        return [f"* {title(cell)}: {next(iter(names), 'not run')}"]
    return [f"* {title(cell)}: {what}: {', '.join(sorted(which))}" for what, which in sorted(names.items())]


def shortcomings(cell, name, result):
    """In lines, why a scenario is run again."""
    steps = failed_steps(result)
    if steps:
        return [f"* {title(cell)}: {name}: {'; '.join(steps)}"]
    return [f"* {title(cell)}: {row.words}: {figure_text(cell, row, result)} s, {limit_text(row)}"
            for row in excesses(cell, name, result)]


def failures(found):
    return [line for cell in CELLS for name, result in sorted(found[cell].items())
            for line in shortcomings(cell, name, result)]


def earlier_failures(found):
    """Of runs that were not the last of their scenario."""
    return [f"{line} (run {result.runs})" for cell in CELLS for name, result in all_outcomes(cell)
            if result.runs != found[cell][name].runs for line in shortcomings(cell, name, result)]


PROSE = """# Guests: which kernels, which kind of slots

Hot-plug is the guest kernel's work as much as ours, and it changes from release to release. The same scenarios are
run on three of Debian's kernels, with native slots (`hotbay`'s default, run by the guest's PCIe hot-plug driver) and
with ACPI slots (`-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=on`). `tests/lab/run matrix` does that and
writes this page; do not edit it, but `tests/lab/lib/matrix.py`.

The lab is a host under an emulator, which now and then loses an interrupt or brings a guest down that did nothing
wrong. So what fails, or takes longer than it may, is run again by itself on a fresh lab host, twice at most; "run 2"
or "run 3" says that this happened, and the last run counts. Seconds are the emulator's: compare columns, not pages.
A dash is a cell that was not run, an empty cell a scenario that such slots have no use for. What each scenario does is
the first line of its file in `tests/lab/scenarios/`.
"""


def page(found):
    names = sorted(marks().keys() | {name for cell in CELLS for name in found[cell]})
    header = [f"{cell.kernel} {cell.slots}" for cell in CELLS]
    verdicts = [[f"`{name}`"] + [verdict_text(cell, name, found[cell].get(name)) for cell in CELLS] for name in names]
    figures = [[row.words, limit_text(row)] + [figure_text(cell, row, found[cell].get(row.scenario))
                                               for cell in (*CELLS, BESIDE)] for row in ROWS]
    parts = [PROSE, "## Verdicts\n", table(["scenario", *header], verdicts), "",
             "## Seconds\n", table(["what", "limit", *header, f"QEMU, {BESIDE.kernel} {BESIDE.slots}"], figures), ""]
    failed = failures(found)
    if failed:
        parts += ["## What failed\n", *failed, ""]
    again = earlier_failures(found)
    if again:
        parts += ["## What failed at first\n", *again, ""]
    parts += ["## What was run\n", *[line for cell in (*CELLS, BESIDE) for line in said_of(cell)], ""]
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--guest-kernel", choices=sorted({cell.kernel for cell in CELLS}))
    parser.add_argument("--slots", choices=sorted({cell.slots for cell in CELLS}))
    parser.add_argument("--only-table", action="store_true")
    parser.add_argument("--adopt", action="append", default=[], metavar="FOLDER")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    wanted = [cell for cell in CELLS if options.guest_kernel in (None, cell.kernel)
              and options.slots in (None, cell.slots)]
    adopted = set()
    for folder in options.adopt:
        adopt(folder, adopted)
    for cell in [] if options.only_table else wanted:
        run_cell(cell, [name for name in options.names or marks() if belongs(cell, name)])
    if not options.only_table and BESIDE[1:] in [cell[1:] for cell in wanted]:
        run_cell(BESIDE, [name for name in BESIDE_SCENARIOS if name in (options.names or marks())])
    found = {cell: outcomes(cell) for cell in (*CELLS, BESIDE)}
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(page(found))
    complete = all(name in found[cell] for cell in CELLS for name in marks() if belongs(cell, name))
    print(f"# {os.path.relpath(PAGE, REPO)} is written")
    return 0 if complete and not failures(found) else 1


if __name__ == "__main__":
    sys.exit(main())
