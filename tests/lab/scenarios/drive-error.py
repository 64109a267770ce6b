# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A drive that fails on the host leaves its guest, whose log says why; everything else goes on."""
# lab: matrix

from host import vfio_files, wait_released, wait_until


def scenario(lab):
    vm = lab.boot()
    guest = vm.guest
    bystander = lab.bays[2]
    with lab.step("two drives are added, one for the other's sake"):
        vm.add(bystander)
    reader = guest.probe("read", guest.disk(bystander.name))

    for bay, severity, error in ((lab.bays[0], "non-fatal", "COMP_TIME"), (lab.bays[1], "fatal", "MALF_TLP")):
        fails_and_returns(lab, vm, bay, severity, error)

    falls_silent(lab, vm, lab.bays[3])

    with lab.check("the other drive's I/O went on"):
        result = reader.stop()
        assert not result.failed
        lab.within("longest read of the other drive", result.longest, 2)

    with lab.check("the guest tried to recover no link, and complains of nothing else"):
        assert guest.run("dmesg | grep -c -E 'BUG:|WARNING:|Oops|soft lockup|reset failed'", check=False).text == "0"


def contained(vm, since, bay):
    """What told of the error, by the one event that says so."""
    found = [event["data"] for event in vm.qmp.events[since:] if event["event"] == "HOTBAY_SLOT_ERROR_CONTAINED"]
    assert [data["bus"] for data in found] == [bay.name], found
    return found[0]["failure"]


def fails_and_returns(lab, vm, bay, severity, error):
    guest = vm.guest
    with lab.step(f"a drive has a {severity} error under I/O"):
        vm.add(bay)
        _, port = guest.place(bay.name)
        files = vfio_files(vm.pid)
        busy = guest.probe("read", guest.disk(bay.name))
        guest.synchronise()

    with lab.step(f"it is taken from its guest at once ({severity})"):
        since, events = guest.mark(), vm.qmp.mark()
        at = bay.fail(error)
        severed = vm.qmp.event("HOTBAY_SLOT_SEVERED", 10, events, bus=bay.name)
        assert severed["data"]["reason"] == "error", severed
        assert contained(vm, events, bay) == "internal"
        lab.measured(f"{severity} error to SEVERED", severed["arrived"] - at)
        failed = busy.result(30)
        lab.measured(f"{severity} error to failed read", failed.time - at)
        assert failed.failed
        lab.measured(f"{severity} error to disk gone", guest.disk_removed(since).time - at)
        lab.measured(f"{severity} error to last file closed", wait_released(files, 20) - at)
        vm.qmp.event("DEVICE_DELETED", 20, events, device=f"drive{bay.number}")
        assert vm.alive() and vm.qmp.execute("query-status")["running"]

    with lab.check(f"the guest's log says what happened ({severity})"):
        log = guest.run(f"dmesg | grep {port} | grep -E 'AER|PCIe Bus Error|UncorrIntErr|\\[22\\]'", check=False).text
        assert "AER" in log and "PCIe Bus Error" in log, log
        assert "Non-Fatal" in log, log

    with lab.check(f"the drive can be added again ({severity})"):
        wait_until(bay.drive, 20, f"{bay.name}'s drive is there")
        vm.add(bay)
        guest.run(f"dd if=/dev/{guest.disk(bay.name)} of=/dev/null bs=4k count=64 2>/dev/null")
        vm.remove(f"drive{bay.number}")


def falls_silent(lab, vm, bay):
    with lab.step("a drive stops answering, of which nobody tells"):
        vm.add(bay)
        _, port = vm.guest.place(bay.name)
        vm.guest.synchronise()
        since, events = vm.guest.mark(), vm.qmp.mark()
        with bay.silent() as at:
            severed = vm.qmp.event("HOTBAY_SLOT_SEVERED", 10, events, bus=bay.name)
        assert severed["data"]["reason"] == "error", severed
        assert contained(vm, events, bay) == "silent"
        lab.within("silence to SEVERED", severed["arrived"] - at, 3)
        lab.measured("silence to disk gone", vm.guest.disk_removed(since).time - at)
        vm.qmp.event("DEVICE_DELETED", 20, events, device=f"drive{bay.number}")

    with lab.check("the guest's log calls that a timeout, and the drive can be added again"):
        assert "CmpltTO" in vm.guest.run(f"dmesg | grep {port} | tail -n 12")
        vm.add(bay)
        vm.remove(f"drive{bay.number}")
