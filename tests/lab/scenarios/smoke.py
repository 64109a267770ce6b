# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The lab host has what hotbay needs: IOMMU groups, KVM and drives in slots."""

import os
import subprocess


def scenario(lab):
    with lab.check("there is a KVM"):
        assert os.path.exists("/dev/kvm")

    with lab.check("it does what the library asks of one"):
        test = subprocess.run([f"{lab.plan['repo']}/build/tests/unit/hw/kvm-test"], capture_output=True, text=True)
        assert test.returncode == 0 and "# SKIP" not in test.stdout, test.stdout + test.stderr

    with lab.check("every drive is alone in its IOMMU group"):
        for bay in lab.bays:
            group = f"/sys/kernel/iommu_groups/{bay.group()}/devices"
            assert os.listdir(group) == [bay.drive()]

    with lab.check("a drive goes to VFIO and comes back"):
        bay = lab.bays[0]
        group = bay.group()
        bay.give_to("vfio-pci")
        assert os.path.exists(f"/dev/vfio/{group}")
        bay.give_to("nvme")

    with lab.check("a drive can be pulled and another pushed in its place"):
        bay = lab.bays[0]
        pulled = bay.pull()
        lab.measured("host lets go of a pulled drive", bay.wait_empty() - pulled)
        bay.push()
        assert bay.driver() == "nvme"
