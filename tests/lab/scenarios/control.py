# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""hotbayctl adds drives to a running guest, removes them, pulls one, and tells a script how each ended."""

import json

from hotbayctl import GUEST, NOT_FOUND, NO_VM, REFUSED, USAGE, Ctl


def scenario(lab):
    vm = lab.boot()
    guest, bay, other = vm.guest, lab.bays[0], lab.bays[1]
    ctl = Ctl(lab)

    def of_vm(*words, **how):
        return ctl.run("--vm", f"{vm.folder}/qmp", *words, **how)

    def occupants():
        slots = json.loads(of_vm("slots", "--json"))
        return {slot["id"]: slot["occupants"][0]["id"] for slot in slots if slot.get("occupants")}

    with lab.step("a drive that is not passed through is refused, and may be called by its bay"):
        of_vm("add", str(bay.number + 1), "bay0", status=REFUSED)
        ctl.run("passthrough", "on", str(bay.number + 1), other.drive())

    with lab.step("added drives become the guest's disks"):
        since = guest.mark()
        of_vm("add", str(bay.number + 1), "bay0", "--id", "data")
        guest.disk_added(since)
        since = guest.mark()
        of_vm("add", other.drive(), "bay1", "--id", "more")
        guest.disk_added(since)
        assert set(guest.disks()) == {bay.name, other.name}

    with lab.step("guest, VM and host tell the same story"):
        assert occupants() == {"bay0": "data", "bay1": "more"}
        assert {port: drive for port, drive in vm.slots().items() if drive} == occupants()
        in_vm = {address for address, drive in ctl.drives().items()
                 if [obstacle for obstacle in drive["obstacles"] if obstacle["kind"] == "vm"]}
        assert in_vm == {bay.drive(), other.drive()}

    with lab.step("top sees the interrupts of a drive that is read"):
        reader = guest.probe("read", guest.disk(bay.name))
        lines = of_vm("top", "--interval", "1", "--count", "3").splitlines()
        rates = [line.split()[-1] for line in lines if line.startswith("bay0")]
        assert len(rates) == 3 and rates[0] == "-" and float(rates[2]) > 0, lines
        reader.stop()

    with lab.check("a drive of a VM is not taken back"):
        ctl.refused("passthrough", "off", bay.drive(), saying=[bay.drive(), "has it", str(vm.pid)])
    with lab.check("an occupied slot, an unknown drive and a wrong line have statuses of their own"):
        of_vm("add", other.drive(), "bay0", status=REFUSED)
        of_vm("remove", "nothing", status=NOT_FOUND)
        of_vm("remove", "data", "--then-pull", status=USAGE)

    with lab.step("a guest that does not answer in time is told from one that does"):
        of_vm("remove", "data", "--timeout", "0.5", status=GUEST)
        assert occupants()["bay0"] == "data"

    with lab.step("what does not go by itself is pulled when the time is up"):
        since = guest.mark()
        text = of_vm("remove", "data", "--timeout", "1", "--then-pull")
        assert "pulled, as the guest did not let go" in text, text
        guest.disk_removed(since)
        assert occupants() == {"bay1": "more"} and set(guest.disks()) == {other.name}

    with lab.step("an orderly removal is waited for"):
        text = of_vm("remove", "bay1")
        assert "more: removed" in text, text
        assert occupants() == {} and not guest.disks()

    with lab.step("a drive is added again and pulled by command"):
        since = guest.mark()
        of_vm("add", bay.drive(), "bay0", "--id", "data")
        guest.disk_added(since)
        assert "data: pulled" in of_vm("pull", "data")
        guest.disk_removed(since)

    with lab.step("the host has its drives back"):
        ctl.run("passthrough", "off", bay.drive(), other.drive())
        assert [bay.driver(), other.driver()] == ["nvme"] * 2

    with lab.step("a VM that has ended has a status of its own"):
        vm.stop()
        of_vm("slots", status=NO_VM)
