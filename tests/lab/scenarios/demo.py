# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The story of ./demo: a drive added, removed in order and added again; another pulled while the guest reads it."""
# lab: only by name

import re
import time

from host import vfio_files, wait_released
from lspci import initrd_with_lspci
from measure import forget_kernels
from story import Story

# The drive that keeps data is a file on the build machine; the one that is pulled under load is made of nothing
# (null-co), which the outer emulator takes better.
KEEPER, VICTIM = 1, 0
REGISTERS = "DLActive|Control: AttnInd|PresDet.*Interlock"
TOLD = r"(add|remove) (block|pci) |probe \w+ \w+ failed"


def scenario(lab):
    lab.plan = dict(lab.plan, initrd=initrd_with_lspci(lab.plan))
    story = Story(f"{lab.folder}/story.jsonl")
    story.write("begin", hypervisor=lab.kind)
    demo = Demo(lab, story)
    for chapter in (demo.boot, demo.hot_add, demo.orderly_removal, demo.add_again, demo.second_drive, demo.pull,
                    demo.new_drive):
        chapter()
    story.write("end")


class Demo:
    def __init__(self, lab, story):
        self.lab = lab
        self.story = story
        self.keeper, self.victim = lab.bays[KEEPER], lab.bays[VICTIM]
        self.vm = None
        self._listed = []

    def _watch(self):
        """Has the story tell what guest and hypervisor say, as they say it."""
        vm = self.vm
        seen = {"guest": vm.guest.mark(), "qmp": vm.qmp.mark()}

        def news():
            events = vm.guest.events_since(seen["guest"])
            messages = vm.qmp.events[seen["qmp"]:]
            seen["guest"] += len(events)
            seen["qmp"] += len(messages)
            return ([(event.time, "guest", guest_words(event.words)) for event in events if re.match(TOLD, event.words)]
                    + [(message["arrived"], *qmp_words(message)) for message in messages])
        self.story.watch(news)

    def _ask(self, command, text):
        """Starts the chapter's clock at the command that it is about."""
        self.story.start_clock()
        self.story.happened(time.monotonic(), "you", f"{command} {text}")

    def _show(self, heading, *bays):
        """How things stand: what the guest lists, beyond what it listed before, its disks, and these slots."""
        listed = self.vm.guest.run("lspci").splitlines()
        lines = [f"- {line}" for line in self._listed if line not in listed]
        lines += [("+ " if self._listed else "  ") + line for line in listed if line not in self._listed]
        self._listed = listed
        disks = [f"{disk}  1 GiB, serial {serial}" for serial, disk in sorted(self.vm.guest.disks().items())]
        slots = [line for bay in bays for line in self._slot(bay)]
        self.story.state(heading, lspci=lines or ["as before"], disks=disks or ["none"], slot=slots)

    def _slot(self, bay):
        """A slot from both sides: its registers as the guest reads them, and the hypervisor's table."""
        port = bay.port[5:]
        text = self.vm.guest.run(f"lspci -vvs {port} 2>/dev/null | grep -E '{REGISTERS}'")
        link = re.search(r"DLActive(.)", text)[1] == "+"
        present = re.search(r"PresDet(.)", text)[1] == "+"
        power = re.search(r"Power([+-]) ", text)[1] == "-"
        led = re.search(r"PwrInd (\w+)", text)[1].lower()
        return [f"{bay.name}  guest: presence {'yes' if present else 'no'}, link {'up' if link else 'down'}, "
                f"power {'on' if power else 'off'}, power indicator {led}",
                f"      QMP:   {self._occupant(bay)}"]

    def _occupant(self, bay):
        if self.lab.kind == "hotbay":
            slot = next(slot for slot in self.vm.qmp.execute("x-hotbay-query-slots") if slot["id"] == bay.name)
            held = [f"{drive['id']} = {drive['host']} {drive['state']}" for drive in slot.get("occupants", [])]
            return f"{slot['state']}, {', '.join(held) or 'no drive'}"
        return self.vm.slots()[bay.name] or "no drive"

    def _add(self, bay, title):
        """One hot-add; returns from command to disk."""
        drive = bay.give_to("vfio-pci")
        self._ask("device_add", f"vfio-pci,host={drive},bus={bay.name}")
        asked, disk = self.vm.add(bay)
        return self.story.figure(title, disk.time - asked)

    def _start(self, title):
        vm = self.lab.start()
        self.story.figure(title, vm.guest.arrival("up", 120) - vm.started)
        return vm

    def boot(self):
        self.story.chapter("A guest boots; its four hot-plug slots are empty")
        self.story.start_clock()
        with self.lab.step("a guest boots"):
            forget_kernels()
            self._start("first start of this kernel to guest userspace").stop()
            self.story.start_clock()
            self.vm = self._start("process start to guest userspace")
            self.vm.ready()
        self._watch()
        self._show("now", self.keeper)

    def hot_add(self):
        self.story.chapter("A drive of the host is added to a slot; the guest writes to it")
        with self.lab.step("a drive is hot-added"):
            self._add(self.keeper, "first hot-add: command to guest's disk")
            self.vm.guest.fill(self.vm.guest.disk(self.keeper.name), seed=5)
            self.story.happened(time.monotonic(), "guest", "has written 64 blocks")
            self._show("after", self.keeper)

    def orderly_removal(self):
        self.story.chapter("It is removed in order: the guest is asked, and takes its five seconds")
        with self.lab.step("it is removed in order"):
            events, drive = self.vm.qmp.mark(), f"drive{KEEPER}"
            self._ask("device_del", drive)
            asked = self.vm.ask_removal(drive)
            time.sleep(1)
            self.story.state("a second later", slot=self._slot(self.keeper))
            deleted = self.vm.qmp.event("DEVICE_DELETED", since=events, device=drive)
            self.story.figure("orderly removal: command to DEVICE_DELETED", deleted["arrived"] - asked)
            self.keeper.give_to("nvme")
            self.story.happened(time.monotonic(), "host", "uses the drive with its own nvme driver")
            self._show("after", self.keeper)

    def add_again(self):
        self.story.chapter("Added again, it still has its data")
        with self.lab.step("added again, it still has its data"):
            self._add(self.keeper, "later hot-add: command to guest's disk")
            self.vm.guest.verify(self.vm.guest.disk(self.keeper.name), seed=5)
            self.story.happened(time.monotonic(), "guest", "has read 64 blocks: what it wrote before the removal")
            self._show("after", self.keeper)

    def second_drive(self):
        self.story.chapter("A second drive comes into another slot")
        with self.lab.step("a second drive comes"):
            self._add(self.victim, "second drive: command to guest's disk")
            self._show("after", self.victim)

    def pull(self):
        self.story.chapter("The second drive is pulled out of the host while the guest reads from it")
        vm, drive = self.vm, f"drive{VICTIM}"
        with self.lab.step("a drive is pulled under reads"):
            reader = vm.guest.probe("read", vm.guest.disk(self.victim.name))
            bystander = vm.guest.probe("read", vm.guest.disk(self.keeper.name))
            files, events, since = vfio_files(vm.pid), vm.qmp.mark(), vm.guest.mark()
            vm.guest.synchronise()
            time.sleep(1)
            self.story.start_clock()
            pulled = self.victim.pull(vm.pid)
            self.story.happened(pulled, "you", f"pull {self.victim.name}'s drive out of the host")
            released = wait_released(files, 100)
            self.story.happened(released, "host", "the hypervisor has closed the drive's last file")
            empty = self.victim.wait_empty(100)
            self.story.happened(empty, "host", "its slot is free")
            failed = reader.result(100)
            assert failed.failed
            gone = vm.guest.disk_removed(since, 100)
            vm.qmp.event("DEVICE_DELETED", 100, events, device=drive)
            self.story.figure("pull: the guest's read fails after", failed.time - pulled)
            self.story.figure("pull: the guest's disk is gone after", gone.time - pulled)
            self.story.figure("pull: the host's slot is free after", empty - pulled)
            other = bystander.stop()
            assert not other.failed
            self.story.happened(time.monotonic(), "guest", f"has gone on reading the other drive: {other.count} reads, "
                                f"none failed, the longest took {other.longest:.2f} s")
            self.story.figure("pull: the other drive's longest read", other.longest)
            self._show("after", self.victim)

    def new_drive(self):
        self.story.chapter("A new drive is pushed into the empty host slot and added: the guest's slot takes it")
        with self.lab.step("a new drive comes into the slot"):
            self.story.start_clock()
            pushed = self.victim.push()
            self.story.happened(pushed, "you", f"push a drive into {self.victim.name}")
            self._add(self.victim, "new drive in the pulled one's slot: command to guest's disk")
            self.vm.guest.run(f"dd if=/dev/{self.vm.guest.disk(self.victim.name)} of=/dev/null bs=4k count=16")
            self.story.happened(time.monotonic(), "guest", "reads it")
            self._show("after", self.keeper, self.victim)


def guest_words(words):
    """An event of guest/agent.c or guest/probe.c as a reader would have it."""
    if match := re.match(r"probe (\w+) (\w+) failed (\d+)", words):
        return f"{match[1]} of {match[2]} FAILED, errno {match[3]}"
    action, kind, name = words.split()
    names = {("add", "pci"): "finds PCI function", ("remove", "pci"): "loses PCI function",
             ("add", "block"): "has disk", ("remove", "block"): "loses disk"}
    return f"{names[action, kind]} {name}"


def qmp_words(message):
    """Who said it, and in which words."""
    data = message.get("data", {})
    words = [message["event"]]
    words += [data[key] for key in ("device", "bus", "reason") if isinstance(data.get(key), str)]
    if "power-indicator" in data:
        words.append(f"power {data['power-indicator']}")
    return "QMP", " ".join(words)
