# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The parts of the comparison: what each measures, how it is measured, and the file that keeps it."""

import json
import os
import re
import shutil
import subprocess
import time
from collections import namedtuple

from figures import REPO, by_hypervisor, load

FIGURES = os.path.join(REPO, "docs/benchmarks/figures.json")
NEWER = "qemu-newer"
HYPERVISORS = ("hotbay", "qemu", NEWER)
HOST = "host"
ATTEMPTS = 2

# Of each part: what it measures, whether the lab host does it itself, too, and how long it may take.
Part = namedtuple("Part", "words host seconds")

PARTS = {
    "boot": Part("starts of a guest, and memory beside it", False, 700),
    "hot-add": Part("hot-adds, an orderly removal, their ioctls", True, 900),
    "pull": Part("a drive is pulled, idle and while it is read", True, 900),
    "many": Part("32 drives, one after another and all at once", True, 1300),
    "memory": Part("first hot-adds to guests of 1 to 8 GiB", False, 1200),
    "reads": Part("reads of a drive, and exits a read", False, 700),
    "dma": Part("guest memory mapped for DMA, by the size of its pages", False, 600),
}


def output(*words):
    return subprocess.run(words, cwd=REPO, capture_output=True, text=True, check=True).stdout.strip()


def commit():
    """What was measured: a commit, and whether the tree had more than that; or another program, by its name."""
    if "HOTBAY" in os.environ:
        return os.path.basename(os.environ["HOTBAY"])
    changed = output("git", "status", "--porcelain", "--", ".", ":!docs")
    return output("git", "rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")


def machine():
    """The machine that the lab is emulated on."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(re.search(r"MemTotal:\s+(\d+)", file.read())[1]) >> 20
    return f"{os.cpu_count()} CPUs ({model[1].strip() if model else 'unknown'}), {memory} GiB"


def has_newer_qemu():
    """Whether the lab could fetch one for itself (tests/lab/prepare)."""
    return os.path.exists(f"{REPO}/.cache/lab/qemu")


def has_own_lab_host(scenario):
    with open(f"{REPO}/tests/lab/scenarios/{scenario}.py", encoding="utf-8") as file:
        return re.search(r"^# lab: --", file.read(), re.MULTILINE)


def run_lab(scenario, kinds, seconds):
    """Runs a scenario under these hypervisors; its results, and whether the lab host came to its end."""
    folder = f"{REPO}/build/lab/bench"
    results = f"{folder}-{scenario}" if has_own_lab_host(scenario) else folder
    for path in (folder, results):
        shutil.rmtree(path, ignore_errors=True)
    subprocess.run([f"{REPO}/tests/lab/run", scenario, "--hypervisor", ",".join(kinds), "--timeout", str(seconds)],
                   env={**os.environ, "HOTBAY_LAB_OUT": folder}, check=False)
    found = dict(steps=[], measurements=[], series=[], notes={})
    if os.path.exists(f"{results}/results.json"):
        found = load(f"{results}/results.json")
    return found, os.path.exists(f"{results}/status")


def failures(results, whole, kinds):
    """Hypervisor to what went wrong, of those of whom not all figures are there."""
    found, last = {}, None
    for kind in kinds:
        steps = [step for step in results["steps"] if step["hypervisor"] == kind]
        last = kind if steps else last
        failed = [step["name"] for step in steps if not step["ok"]]
        if failed or not steps:
            found[kind] = ", ".join(failed) or "it was not reached"
    if not whole and last:
        found.setdefault(last, "the lab host went down")
    return found


def series_of(results):
    found = {}
    for entry in results["series"]:
        found.setdefault(entry["hypervisor"], {})[entry["name"]] = entry["points"]
    return found


def versions_of(results):
    return {match[1]: text for name, text in results["notes"].items()
            if (match := re.search(r"version of (\S+)$", name))}


def measure(name):
    """Measures a part, what fails once more, and returns what is to be kept of it."""
    part = PARTS[name]
    kinds = [*([HOST] if part.host else []), *HYPERVISORS]
    if not has_newer_qemu():
        kinds.remove(NEWER)
    started = time.monotonic()
    kept_part = dict(commit=commit(), date=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
                     command=f"tests/bench/compare --only {name}", machine=machine(), load=os.getloadavg()[0],
                     again={}, figures={}, series={}, versions={})
    for attempt in range(1, ATTEMPTS + 1):
        results, whole = run_lab(f"bench-{name}", kinds, part.seconds)
        for key, found in (("figures", by_hypervisor(results)), ("series", series_of(results)),
                           ("versions", versions_of(results))):
            kept_part[key].update(found)
        kept_part["failed"] = failures(results, whole, kinds)
        kinds = list(kept_part["failed"])
        if not kinds:
            break
        if attempt < ATTEMPTS:
            print(f"# again, for {', '.join(kinds)}: {kept_part['failed']}", flush=True)
            kept_part["again"] = kept_part["failed"]
    kept_part["minutes"] = (time.monotonic() - started) / 60
    return kept_part


def kept():
    """All parts that there are."""
    return load(FIGURES) if os.path.exists(FIGURES) else {}


def keep(name, part):
    parts = {**kept(), name: part}
    os.makedirs(os.path.dirname(FIGURES), exist_ok=True)
    with open(FIGURES + ".part", "w", encoding="utf-8") as file:
        json.dump({name: parts[name] for name in PARTS if name in parts}, file, indent=1)
        file.write("\n")
    os.replace(FIGURES + ".part", FIGURES)
