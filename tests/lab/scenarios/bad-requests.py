# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Every wrong request to a running machine is refused with a reason, and the machine runs on."""

import itertools
import time

from host import bind
from lines import connect
from qmp import Qmp, QmpError


def refused(vm, names, command, **arguments):
    """Asserts that QMP refuses the command, with a message that names one of these."""
    try:
        vm.qmp.execute(command, **arguments)
    except QmpError as error:
        assert any(name in str(error) for name in names), f"the error names none of {names}: {error}"
        return
    raise AssertionError(f"{command} {arguments} was accepted")


def scenario(lab):
    vm = lab.boot(bays=6)
    bay, other = lab.bays[0], lab.bays[1]
    free = lab.bays[2].give_to("vfio-pci")

    ids = (f"wanted{number}" for number in itertools.count(1))

    def add_refused(*names, **arguments):
        wanted = dict(driver="vfio-pci", host=free, id=next(ids), bus="bay2")
        refused(vm, names, "device_add", **{**wanted, **arguments})

    with lab.step("a drive is added"):
        vm.add(bay)

    with lab.check("a host address where nothing is"):
        add_refused("0000:77:00.0", host="0000:77:00.0")
    with lab.check("a host address that is none"):
        add_refused("nonsense", host="nonsense")
    with lab.check("a drive that the host's own driver has"):
        add_refused("vfio", host=other.drive())
    with lab.check("a drive that this machine has already"):
        add_refused(bay.drive(), host=bay.drive(), bus="bay4")
    with lab.check("a drive that shares its group with a function of the host's"):
        drive, companion = lab.host.shared_functions()
        bind(drive, "vfio-pci")
        add_refused("group", host=drive)

    with lab.check("a slot that does not exist"):
        add_refused("bay99", bus="bay99")
    with lab.check("an id that is taken"):
        add_refused("drive0", id="drive0")
    with lab.check("a device that does not exist"):
        add_refused("no-such-device", driver="no-such-device")
    with lab.check("a property that does not exist"):
        add_refused("no-such-property", no_such_property="1")
    with lab.check("no host address at all"):
        refused(vm, ["host"], "device_add", driver="vfio-pci", id=next(ids), bus="bay2")

    with lab.check("removal of an id that does not exist"):
        refused(vm, ["drive99"], "device_del", id="drive99")
    with lab.check("a command that does not exist"):
        refused(vm, ["no-such-command"], "no-such-command")
    with lab.check("a command without its argument"):
        refused(vm, ["id"], "device_del")

    with lab.check("garbage on the monitor"):
        assert "error" in vm.qmp.raw("this is no JSON\n")
        assert vm.qmp.execute("query-status")["running"]
    with lab.check("a client that vanishes in the middle of a line"):
        vm.qmp.send_bytes(b'{"execute": "quer')
        reconnect(vm)
    with lab.check("a client that vanishes with its answer on the way"):
        vm.qmp.send("query-pci")
        reconnect(vm)

    with lab.check("two removals in a row are one"):
        since = vm.qmp.mark()
        vm.ask_removal("drive0")
        time.sleep(0.5)
        try:
            vm.ask_removal("drive0")
        except QmpError:
            pass  # refused or joined to the first: both are answers
        vm.qmp.event("DEVICE_DELETED", since=since, device="drive0")
        time.sleep(1)
        deleted = [event for event in vm.qmp.events[since:] if event["event"] == "DEVICE_DELETED"]
        assert len([event for event in deleted if event["data"].get("device") == "drive0"]) == 1
    with lab.check("removal of a drive that is gone"):
        refused(vm, ["drive0"], "device_del", id="drive0")

    with lab.step("after all this a right request works"):
        vm.add(lab.bays[2], "right")
    with lab.check("a slot that is occupied"):
        add_refused("bay2", "slot 0", host=other.give_to("vfio-pci"), bus="bay2")
    with lab.check("a function that is no NVMe drive"):
        bind(companion, "vfio-pci")
        add_refused("NVMe", host=companion, bus="bay5")


def reconnect(vm):
    """The client goes without a word, and the next one is served."""
    vm.qmp.close()
    vm.qmp = Qmp(connect(f"{vm.folder}/qmp"), "/dev/null")
    vm.qmp.negotiate()
    assert vm.qmp.execute("query-status")["running"]
