# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Operations at random on all slots of a machine whose guest reads from all its drives, some two at a time.

What is done follows from the seed alone: the choice looks at the soak's own idea of what is where, never at a clock.
After each turn that idea is compared with the hypervisor's and the guest's, at the end with the host's too."""

import random
import time

from complaints import complaints, guest_complaints
from guest import GuestError
from holdings import KvmWitness, leaks, settled
from qmp import QmpError
from soaking import OPERATIONS, PULL_BESIDE_START_SECONDS, PULL_SECONDS, Place, reset

# Of a turn: that the whole machine is reset, that two operations overlap. And of each operation by weight.
RESET_SHARE = 0.04
PAIR_SHARE = 0.35
WEIGHTS = {"add": 6, "remove": 2, "pull": 3, "push": 5, "power-off": 1, "power-on": 3}


def weight(name, place):
    """A drive that no guest has is pulled seldom: there is little to see."""
    return WEIGHTS[name] / 6 if name == "pull" and place.state == "host" else WEIGHTS[name]


def choose(rng, places):
    """The next turn: a list of (operation's name, number of the place), or of ("reset", way)."""
    if rng.random() < RESET_SHARE:
        return [("reset", rng.choice(("system_reset", "reboot")))]
    turn, taken = [], set()
    for _ in range(2 if rng.random() < PAIR_SHARE else 1):
        possible = [(name, place) for place in places if place.number not in taken
                    for name in WEIGHTS if place.state in OPERATIONS[name].states]
        name, place = rng.choices(possible, [weight(*operation) for operation in possible])[0]
        number = place.number
        turn.append((name, number))
        taken.add(number)
    return turn


class Unasked:
    """The guest's starts that nobody asked for. The lab's emulator brings about some: it now and then raises an
    interrupt that nobody sent or loses one, and a guest ends in a triple fault, under any hypervisor."""

    def __init__(self, vm):
        self._vm = vm
        self.found = []
        self.start_over()

    def start_over(self):
        """The guest is up, and what was before has been told."""
        self._place = self._vm.guest.mark()
        self._events = self._vm.qmp.mark()
        self._time = time.monotonic()
        self._log = len(self._vm.log())

    def own_reset_is_over(self, when):
        """A reset that the soak asked for has been waited for: one start is its own."""
        if len(self._starts()) > 1:
            self.found.append(f"during {when}: the guest started {len(self._starts())} times")
        self.start_over()

    def _starts(self):
        return [event for event in self._vm.guest.events_since(self._place) if event.words == "up"]

    def recover(self):
        """Waits until the guest is up again."""
        self._vm.guest.event("ready", 120, self._place)
        self._vm.guest.synchronise()

    def look(self, when, seconds=0.0):
        """Whether the guest has started again since; written down with what there is to say about it."""
        deadline = time.monotonic() + seconds
        while True:
            events = self._vm.qmp.events[self._events:]
            resets = [event for event in events if event["event"] == "RESET"]
            starts = self._starts()
            if resets or starts or time.monotonic() >= deadline:
                break
            time.sleep(0.1)
        if not resets and not starts:
            return False
        panic = self._vm.guest.said(r"Kernel panic|BUG:|Oops|RIP:", self._time)
        fault = [line for line in self._vm.log()[self._log:].splitlines() if "triple" in line]
        told = [event["data"].get("reason", "") for event in resets] or ["no RESET event"]
        self.found.append(f"during {when}: {'; '.join(told + fault + panic[-3:])}")
        return True


def uptime():
    with open("/proc/uptime", encoding="ascii") as file:
        return float(file.read().split()[0])


class Soak:
    """The machine, its places, and what is known of them. A seed of None is any."""

    def __init__(self, lab, operations, seed):
        self.lab = lab
        self.operations = int(lab.plan.get("operations") or operations)
        self.seed = lab.noted("seed", int(lab.plan.get("seed") or seed or random.SystemRandom().randrange(10**6)))
        self.rng = random.Random(self.seed)
        self.done = 0
        self.log = open(f"{lab.folder}/operations.log", "w", encoding="utf-8", buffering=1)
        self.witness = KvmWitness()
        self.host_log = uptime()
        self.guest_said = []
        self.vm = self.places = self.unasked = None

    def run(self):
        lab = self.lab
        self.vm = lab.boot()
        self.places = [Place(self.vm, bay) for bay in lab.bays]
        self.unasked = Unasked(self.vm)
        with lab.step("every slot has had a drive"):
            before = self.occupy_and_vacate()
        with lab.step(f"{self.operations} operations with the seed {self.seed}"):
            self.work()
        with lab.check("guest, hypervisor and host agree on what is where"):
            self.agree()
        with lab.check("what is held at the end is what was held at the beginning"):
            self.compare(before)
        self.judge()

    def judge(self):
        lab = self.lab
        failing = [place.longest for place in self.places if place.longest]
        if failing:
            lab.measured("longest pull to failed read", max(failing))
        with lab.check("no kernel complained"):
            self.guest_said += guest_complaints(self.vm.guest)
            assert not self.guest_said, "\n".join(["guest:"] + self.guest_said)
            said = complaints(self.lab.host.kernel_log(self.host_log))
            assert not said, "\n".join(["lab host:"] + said)
        with lab.check("the guest was never reset but when it was asked to"):
            assert not self.unasked.found, "\n".join(["resets that nobody asked for"] + self.unasked.found)

    def occupy_and_vacate(self):
        """What the hypervisor holds with all places occupied and with none, after each has been used once."""
        for place in self.places:
            place.start("add")()
        full = settled(self.vm.pid, self.witness)
        self.vacate()
        empty = settled(self.vm.pid, self.witness)
        self.log.write(f"holds with a drive in every slot: {full}\nand in none: {empty}\n")
        assert full.memory_slots > empty.memory_slots and full.irqfds > empty.irqfds, "the witness of KVM sees nothing"
        return full, empty

    def vacate(self):
        """All at once, because a guest waits five seconds for each."""
        for finish in [place.start("remove") for place in self.places]:
            finish()

    def work(self):
        while self.done < self.operations:
            turn = choose(self.rng, self.places)
            self.log.write(f"{time.monotonic():.3f} {self.done:4} {turn}\n")
            when = f"operation {self.done + 1}, {turn}"
            try:
                self.take_turn(turn, when)
                self.glance()
            except (AssertionError, TimeoutError, GuestError, QmpError) as error:
                if not self.unasked.look(when, 5):
                    raise AssertionError(f"{when}: {error}") from error
                self.log.write(f"{time.monotonic():.3f} {self.unasked.found[-1]}\n")
                self.start_over()
            else:
                if self.unasked.look(when):
                    self.start_over()
            self.done += len(turn)

    def take_turn(self, turn, when):
        name, argument = turn[0]
        if name == "reset":
            self.guest_said += guest_complaints(self.vm.guest)
            reset(self.vm, self.places, argument)
            self.unasked.own_reset_is_over(when)
            return
        starts = any(name in ("add", "power-on") for name, _ in turn)
        limit = PULL_BESIDE_START_SECONDS[self.lab.plan["slots"]] if starts else PULL_SECONDS
        started = []
        for name, number in turn:
            self.places[number].pull_seconds = limit
            started.append(self.places[number].start(name))
        for finish in started:
            finish()

    def start_over(self):
        """After a reset that nobody asked for: learns what is where from the hypervisor, and goes on."""
        self.unasked.recover()
        time.sleep(3)  # what was under way ends, one way or another
        slots = self.vm.slots()
        for place in self.places:
            place.learn(slots)
        self.unasked.start_over()

    def glance(self):
        """Hypervisor and guest have what the soak thinks they have."""
        slots = self.vm.slots()
        wrong = [f"{place.name} is {place.state} and query-pci has {slots[place.name]}" for place in self.places
                 if (slots[place.name] is not None) != place.occupied()]
        assert not wrong, "; ".join(wrong)
        disks = set(self.vm.guest.disks())
        wanted = {place.name for place in self.places if place.state == "on"}
        assert disks == wanted, f"the guest has {sorted(disks)}, not {sorted(wanted)}"

    def agree(self):
        self.glance()
        for place in self.places:
            place.check_host()
            place.check_guest()
        drives = [kind for kind, _ in self.vm.guest.functions().values() if kind == "0x010802"]
        assert len(drives) == sum(place.state == "on" for place in self.places), f"the guest lists {len(drives)} drives"

    def compare(self, before):
        for place in self.places:
            for name in {"out": ("push", "add"), "host": ("add",), "off": ("power-on",), "on": ()}[place.state]:
                place.start(name)()
        found = leaks(before[0], settled(self.vm.pid, self.witness, before[0]))
        assert not found, f"with a drive in every slot: {', '.join(found)}"
        self.vacate()
        found = leaks(before[1], settled(self.vm.pid, self.witness, before[1]))
        assert not found, f"with every slot empty: {', '.join(found)}"
