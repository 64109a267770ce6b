# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""No interrupt is lost or doubled in a storm of masks, and a hot-added drive's cost few calls of the host's kernel."""

import math
import subprocess
import time

# Of VFIO, whatever the number of interrupts: one for all of them, three more if the guest is so slow that it has the
# drive's pin before its messages, and one for each of the two notifiers.
VECTOR_CALLS = (1, 4)
NOTIFIER_CALLS = 2
SETTLED_SECONDS = 1.5  # after its last change every route is in place


def counters(vm):
    time.sleep(SETTLED_SECONDS)
    return vm.qmp.execute("x-hotbay-query-counters")


def vectors(vm):
    """Interrupts of NVMe drives that the guest has."""
    return int(vm.guest.run("grep -c nvme /proc/interrupts"))


def with_real_kvm(lab, name):
    """A unit test that needs KVM, on the lab host's."""
    program = f"{lab.plan['repo']}/build/tests/unit/hw/{name}-test"
    done = subprocess.run([program], capture_output=True, text=True, timeout=120, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("# "):
            lab.noted(name, line[2:])
    verdicts = [line for line in done.stdout.splitlines() if line.startswith(("ok ", "not ok "))]
    assert verdicts and done.returncode == 0 and not any(line.startswith("not ok") for line in verdicts), \
        done.stdout + done.stderr


def scenario(lab):
    with lab.check("a vCPU that masks and unmasks gets each interrupt once"):
        with_real_kvm(lab, "irq-storm")
    with lab.check("what the KVM glue is tested for holds on this kernel"):
        with_real_kvm(lab, "kvm")
    for cpus in (3, 15):
        hot_add(lab, cpus)


def hot_add(lab, cpus):
    with lab.step(f"a guest of {cpus} vCPUs boots"):
        vm = lab.start(cpus=cpus).ready()
    with lab.step(f"it has a drive hot-added, with {cpus + 1} interrupts"):
        before = counters(vm)
        asked, disk = vm.add(lab.bays[0])
        lab.measured(f"hot-add with {cpus + 1} interrupts", disk.time - asked)
        after = counters(vm)
        assert vectors(vm) == cpus + 1, f"{vectors(vm)} interrupts"
    with lab.check("that cost few calls of the host's kernel, beside a connection for each"):
        cost = {name: after[name] - before[name] for name in after}
        for name, count in cost.items():
            lab.measured(f"{name}, {cpus + 1} interrupts", count, "calls")
        lab.measured(f"all but connections, {cpus + 1} interrupts",
                     sum(cost.values()) - cost["route-connections"], "calls")
        assert cost["vector-calls"] in VECTOR_CALLS and cost["notifier-calls"] == NOTIFIER_CALLS, cost
        # One, and one for each second of a start that is so slow that it has breaks.
        assert cost["route-commits"] <= 1 + math.ceil(disk.time - asked), cost
    vm.stop()
