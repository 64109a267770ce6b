# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Every wrong command line is refused before a guest starts, with a reason and without a crash."""

from hypervisor import command_line, start_refused

WITHOUT = "mount -t tmpfs tmpfs /dev && mkdir /dev/vfio && mknod /dev/null c 1 3 && mknod /dev/urandom c 1 9 && "
NO_KVM = ("unshare", "-m", "sh", "-c", WITHOUT + 'mknod /dev/vfio/vfio c 10 196 && exec "$@"', "sh")
NO_VFIO = ("unshare", "-m", "sh", "-c", WITHOUT + 'mknod /dev/kvm c 10 232 && exec "$@"', "sh")

NO_COUNT = ("unshare", "-m", "sh", "-c",
            'mkdir -p /run/hotbay && mount -t tmpfs -o ro tmpfs /run/hotbay && exec "$@"', "sh")


def scenario(lab):
    def refused(name, *names, change=None, extra=(), wrapper=()):
        with lab.check(name):
            folder, _ = lab.new_machine()
            words = command_line(lab.plan, lab.kind, folder, extra=extra)
            for option, value in (change or {}).items():
                words[words.index(option) + 1] = value
            status, text = start_refused(lab, words, wrapper=wrapper)
            assert 0 < status < 100, f"it ended with {status}: {text}"
            assert any(word in text for word in names), f"the message names none of {names}: {text}"

    def device(**properties):
        return ["-device", ",".join(["vfio-pci"] + [f"{key}={value}" for key, value in properties.items()])]

    drive = lab.bays[0].give_to("vfio-pci")
    refused("a kernel that is not there", "/no/kernel", change={"-kernel": "/no/kernel"})
    refused("a kernel that is none", "kernel", change={"-kernel": "/etc/passwd"})
    refused("an initrd that is not there", "/no/initrd", change={"-initrd": "/no/initrd"})
    refused("no memory", "memory", "RAM", "-m", change={"-m": "0"})
    refused("no CPU", "smp", "CPU", change={"-smp": "0"})
    refused("a machine that does not exist", "machine", change={"-machine": "no-such-machine"})
    refused("an option that does not exist", "no-such-option", extra=["-no-such-option"])
    refused("a device that does not exist", "no-such-device", extra=["-device", "no-such-device"])
    refused("a host address where nothing is", "0000:77:00.0", extra=device(host="0000:77:00.0", bus="bay0"))
    refused("a slot that does not exist", "bay99", extra=device(host=drive, bus="bay99"))
    refused("two drives in one slot", "bay0", "slot 0",
            extra=device(host=drive, bus="bay0") + device(host=lab.bays[1].give_to("vfio-pci"), bus="bay0"))
    refused("one drive in two slots", drive, extra=device(host=drive, bus="bay0") + device(host=drive, bus="bay1"))
    refused("a drive that the host's own driver has", "vfio",
            extra=device(host=lab.bays[2].drive(), bus="bay0"))
    refused("no /dev/kvm", "kvm", "KVM", wrapper=NO_KVM)
    refused("no /dev/vfio", "vfio", extra=device(host=drive, bus="bay0"), wrapper=NO_VFIO)
    if lab.kind == "hotbay":
        refused("nowhere to count interrupts", "/run/hotbay/vectors", wrapper=NO_COUNT)

    with lab.step("a drive that another machine has"):
        lab.start(extra=device(host=drive, id="drive0", bus="bay0"))
    refused("is refused to a second one", "busy", drive, extra=device(host=drive, bus="bay0"))
