# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The story that pull-reading and pull-writing share."""

from host import vfio_files, wait_released

# Twice the target that tests/bench/side-by-side judges by, for machines that are busy with other things.
PULL_SECONDS = 1.0


def pull_under_load(lab, mode):
    vm = lab.boot()
    guest = vm.guest
    bay, other = lab.bays[0], lab.bays[2]
    with lab.step("two drives are added and busy"):
        vm.add(bay)
        vm.add(other)
        files = vfio_files(vm.pid)
        busy = guest.probe(mode, guest.disk(bay.name))
        bystander = guest.probe("read", guest.disk(other.name))
        guest.synchronise()

    with lab.step("one is pulled: its I/O fails and the host has its slot back"):
        since, events = guest.mark(), vm.qmp.mark()
        pulled = bay.pull(vm.pid)
        released = wait_released(files, 100)
        empty = bay.wait_empty(100)
        failed = busy.result(100)
        guest.disk_removed(since, 100)
        vm.qmp.event("DEVICE_DELETED", 100, events, device="drive0")
        lab.measured(f"pull to failed {mode}", failed.time - pulled)
        lab.measured("pull to last file closed", released - pulled)
        lab.measured("pull to host's slot free", empty - pulled)
        assert failed.failed

    with lab.check("that took no longer than a pull may"):
        assert failed.time - pulled <= PULL_SECONDS, f"the {mode} failed after {failed.time - pulled:.2f} s"
        assert released - pulled <= PULL_SECONDS, f"last file closed after {released - pulled:.2f} s"

    with lab.check("the other drive's I/O went on"):
        result = bystander.stop()
        assert not result.failed
        lab.within("longest read of the other drive", result.longest, 1)

    with lab.step("a new drive in that slot works"):
        bay.push()
        vm.add(bay)
        guest.run(f"dd if=/dev/{guest.disk(bay.name)} of=/dev/null bs=4k count=64 2>/dev/null")

    with lab.check("the hypervisor holds what it held before, and no more"):
        assert len(vfio_files(vm.pid)) == len(files), vfio_files(vm.pid)
