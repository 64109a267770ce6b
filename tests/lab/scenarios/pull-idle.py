# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A drive pulled from an idle guest is gone at once, and the slot takes the next one."""
# lab: matrix

from host import vfio_files, wait_released
from pulling import PULL_SECONDS


def scenario(lab):
    vm = lab.boot()
    guest = vm.guest
    bay = lab.bays[0]
    with lab.step("a drive is added"):
        vm.add(bay)
        files = vfio_files(vm.pid)
        guest.synchronise()

    with lab.step("pulled, it is gone from the guest, the hypervisor and the host"):
        since, events = guest.mark(), vm.qmp.mark()
        pulled = bay.pull(vm.pid)
        released = wait_released(files)
        gone = guest.disk_removed(since).time
        empty = bay.wait_empty()
        lab.measured("pull to last file closed", released - pulled)
        lab.measured("pull to host's slot free", empty - pulled)
        lab.measured("pull to disk gone", gone - pulled)
        vm.qmp.event("DEVICE_DELETED", since=events, device="drive0")

    with lab.check("that took no longer than a pull may"):
        assert gone - pulled <= PULL_SECONDS, f"disk gone after {gone - pulled:.2f} s"
        assert released - pulled <= PULL_SECONDS, f"last file closed after {released - pulled:.2f} s"

    with lab.check("the guest still runs, without complaint"):
        assert guest.disks() == {}
        assert guest.run("dmesg | grep -c -E 'BUG:|WARNING:|Oops|soft lockup'", check=False).text == "0"

    with lab.step("a new drive in that slot works"):
        bay.push()
        vm.add(bay)
        guest.run(f"dd if=/dev/{guest.disk(bay.name)} of=/dev/null bs=4k count=64 2>/dev/null")

    with lab.step("twice more in a row"):
        for _ in range(2):
            since = guest.mark()
            bay.pull(vm.pid)
            guest.disk_removed(since)
            bay.push()
            vm.add(bay)
