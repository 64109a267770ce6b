# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What is seen from outside of a guest that does not answer: whether its CPUs run, halt or spin, why they exit."""

import glob
import os
import subprocess
import time

DEBUG = "/sys/kernel/debug"
SECONDS = 2


def read_or_empty(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def counters(pid):
    """What KVM has counted for the machine and for each of its vCPUs."""
    paths = glob.glob(f"{DEBUG}/kvm/{pid}-*/**", recursive=True)
    return {path.split("/kvm/")[1]: int(text) for path in paths
            if os.path.isfile(path) and (text := read_or_empty(path)).lstrip("-").isdigit()}


def threads(pid):
    """Of each thread: its name and number, where it sleeps, and the clock ticks that it has run."""
    found = {}
    for task in glob.glob(f"/proc/{pid}/task/*"):
        fields = read_or_empty(f"{task}/stat").rpartition(")")[2].split()
        if len(fields) > 12:
            name = f"{read_or_empty(task + '/comm')} {os.path.basename(task)}"
            found[name] = (fields[0], read_or_empty(task + "/wchan"), int(fields[11]) + int(fields[12]))
    return found


def describe(pid):
    """In lines: what has changed within two seconds, and where each thread stands."""
    if not os.path.isdir(f"{DEBUG}/kvm"):
        subprocess.run(["mount", "-t", "debugfs", "debugfs", DEBUG], check=False)
    counted, ran = counters(pid), threads(pid)
    time.sleep(SECONDS)
    later = counters(pid)
    lines = [f"in {SECONDS} s, of {len(later)} counters of KVM:"]
    lines += [f"  {name} {later[name] - value:+d}" for name, value in sorted(counted.items())
              if later.get(name, value) != value]
    lines += ["threads: state, where it sleeps, clock ticks in that time"]
    lines += [f"  {name}: {state} {sleeps or '-'} {ticks - ran.get(name, (0, 0, ticks))[2]:+d}"
              for name, (state, sleeps, ticks) in sorted(threads(pid).items())]
    return "\n".join(lines) + "\n"
