# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What is seen from outside of a guest that does not answer: whether its CPUs run, halt or spin, why they exit."""

import glob
import os
import re
import subprocess
import time
from collections import Counter

from host import write

DEBUG = "/sys/kernel/debug"
TRACING = "/sys/kernel/tracing"
SECONDS = 2
MOST_PLACES = 16


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


def mount_tracing():
    if not os.path.exists(f"{TRACING}/trace"):
        subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACING], check=False)


def mount_debug():
    if not os.path.isdir(f"{DEBUG}/kvm"):
        subprocess.run(["mount", "-t", "debugfs", "debugfs", DEBUG], check=False)


def places():
    """Where the guest's CPUs were at their exits: each reason and instruction pointer with its count, most frequent
    first. The guest boots without address space randomisation, so /proc/kallsyms of another boot names them."""
    mount_tracing()
    instance = f"{TRACING}/instances/stalled"
    os.makedirs(instance, exist_ok=True)
    write(f"{instance}/events/kvm/kvm_exit/enable", "1")
    time.sleep(SECONDS)
    write(f"{instance}/events/kvm/kvm_exit/enable", "0")
    found = re.findall(r"kvm_exit: .*?reason (\S+).*? rip (0x[0-9a-f]+)", read_or_empty(f"{instance}/trace"))
    os.rmdir(instance)
    return Counter(found).most_common(MOST_PLACES)


def entry_of_host():
    """Where the lab host's own kernel enters guests: from and up to which address."""
    found = re.findall(r"^([0-9a-f]+) \S (\S+)", read_or_empty("/proc/kallsyms"), re.MULTILINE)
    symbols = sorted((int(address, 16), name) for address, name in found)
    names = [name for _, name in symbols]
    if "__svm_vcpu_run" not in names:
        return range(0)
    place = names.index("__svm_vcpu_run")
    return range(symbols[place][0], symbols[place + 1][0])


def verdict(where, entry):
    """A guest is never at an address of its host: there the emulator has stored the host's registers as the guest's,
    and every later entry fails."""
    if int(where, 16) not in entry:
        return ""
    return " = the lab host's own, behind VMRUN: the emulator mixed up host and guest"


def describe(pid):
    """In lines: what has changed within two seconds, where each thread stands, and where the guest's CPUs are."""
    mount_debug()
    counted, ran = counters(pid), threads(pid)
    time.sleep(SECONDS)
    later = counters(pid)
    lines = [f"in {SECONDS} s, of {len(later)} counters of KVM:"]
    lines += [f"  {name} {later[name] - value:+d}" for name, value in sorted(counted.items())
              if later.get(name, value) != value]
    lines += ["threads: state, where it sleeps, clock ticks in that time"]
    lines += [f"  {name}: {state} {sleeps or '-'} {ticks - ran.get(name, (0, 0, ticks))[2]:+d}"
              for name, (state, sleeps, ticks) in sorted(threads(pid).items())]
    lines += ["exits: reason, where, how often"]
    try:
        entry = entry_of_host()
        lines += [f"  {reason} {where} {count}{verdict(where, entry)}" for (reason, where), count in places()]
    except OSError as error:  # what else there is to say is not lost for it
        lines += [f"  {error}"]
    return "\n".join(lines) + "\n"
