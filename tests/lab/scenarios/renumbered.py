# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A host on which a device more has shifted all bus numbers: what is bound to a slot is still that slot's."""

# lab: --shift

import os

from host import read
from hotbayctl import Ctl, persistent_rule
from hypervisor import bound_ports


def scenario(lab):
    ctl = Ctl(lab)
    first, second = lab.bays[:2]

    with lab.step("the drives are in the slots they have always been in, at other addresses"):
        occupants = {name: bay["occupants"] for name, bay in ctl.bays().items()}
        for bay in lab.bays:
            assert bay.drive() != bay.usual_address, bay.drive()
            assert occupants[str(bay.number + 1)] == [bay.drive()], occupants
        others = {bay.usual_address for bay in lab.bays} & {bay.drive() for bay in lab.bays}
        assert others, "no drive has an address that another one usually has"

    with lab.step("what is to persist is the rule that it is without that device, and goes with the passthrough"):
        path, match = persistent_rule(first)
        ctl.run("passthrough", "on", str(first.number + 1), "--persist")
        assert match in read(path) and first.driver() == "vfio-pci"
        ctl.run("passthrough", "off", str(first.number + 1))
        assert not os.path.exists(path)

    second.pull()
    second.wait_empty()
    vm = lab.boot(bays=0, extra=bound_ports({0: "on", 1: "on"}))
    guest = vm.guest

    def addresses():
        """Slot to the host's address of its drive."""
        return {slot["id"]: slot["occupants"][0]["host"] for slot in vm.qmp.execute("x-hotbay-query-slots")
                if slot.get("occupants")}

    with lab.step("a drive that is there at the start is in the guest"):
        assert set(guest.disks()) == {first.name}
        assert addresses() == {"bay0": first.drive()}

    with lab.step("one that is pushed in, too"):
        since = guest.mark()
        second.push()
        guest.disk_added(since)
        place = guest.place(second.name)
        assert addresses() == {"bay0": first.drive(), "bay1": second.drive()}

    with lab.step("it is gone when it is pulled, and another takes its place"):
        since = guest.mark()
        second.pull(vm.pid)
        guest.disk_removed(since)
        second.wait_empty()
        assert set(guest.disks()) == {first.name}
        since = guest.mark()
        second.push(serial="other")
        guest.disk_added(since)
        assert guest.place("other") == place
