# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What a scenario is given: the lab host, machines to start, steps to tell, and a book for measurements."""

import os
import time
import traceback
from contextlib import contextmanager

from hypervisor import Hypervisor


class Failed(Exception):
    """A step failed and has been reported; the scenario is over."""


class Lab:
    def __init__(self, plan, host, book, scenario, kind):
        self.plan = plan
        self.host = host
        self.bays = host.bays
        self.kind = kind
        self.scenario = scenario
        self.folder = f"{book.out}/{scenario}" if kind == "hotbay" else f"{book.out}/{scenario}-{kind}"
        self.variant = ", ".join(word for word in (
            kind if kind != "hotbay" else "",
            f"guest {plan['guest_kernel']}" if plan["guest_kernel"] != "6.1" else "",
            f"{plan['slots']} slots" if plan["slots"] != "native" else "") if word)
        self._book = book
        self._machines = []
        self._folders = 0
        os.makedirs(self.folder, exist_ok=True)

    def new_machine(self):
        """A folder for a hypervisor's sockets, and the beginning of its logs' names."""
        self._folders += 1
        folder = f"/run/lab/{self.scenario}-{self.kind}-{self._folders}"
        os.makedirs(folder)
        return folder, f"{self.folder}/{self._folders}-"

    def start(self, **options):
        """Starts a hypervisor; see hypervisor.command_line for the options."""
        machine = Hypervisor(self, **options)
        self._machines.append(machine)
        return machine

    def boot(self, **options):
        """Starts a hypervisor and waits for its guest."""
        with self.step("a guest boots"):
            return self.start(**options).ready()

    @contextmanager
    def step(self, name):
        """One thing that has to work: told as it ends, timed, and the end of the scenario when it does not."""
        started = time.monotonic()
        try:
            yield
        except Exception as error:  # whatever it is, it is this step's failure
            seconds = time.monotonic() - started
            for machine in self._machines:
                machine.save_guest_log()
            self._book.step(self, name, False, seconds, explain(error))
            raise Failed(name) from error
        self._book.step(self, name, True, time.monotonic() - started)

    @contextmanager
    def check(self, name):
        """A step that the others do not depend on: the scenario goes on without it."""
        try:
            with self.step(name):
                yield
        except Failed:
            pass

    def measured(self, name, value, unit="s"):
        """Writes a figure down, and returns it."""
        self._book.measurement(self, name, value, unit)
        return value

    def charted(self, name, points, unit="s"):
        """Writes a row of figures down: pairs of where and how much."""
        self._book.series(self, name, points, unit)

    def noted(self, name, value):
        """Writes down something that is neither a verdict nor a figure, and returns it."""
        self._book.note(f"{self.scenario}: {name}", value)
        return value

    def within(self, name, seconds, limit):
        """Writes a time down and asserts that it is no longer than the limit."""
        self.measured(name, seconds)
        assert seconds <= limit, f"{name} took {seconds:.2f} s, more than {limit} s"

    def finish(self):
        for machine in self._machines:
            machine.stop()
        self.host.restore()


def explain(error):
    """The error, and the scenario's own lines on the way to it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "contextlib" not in frame.filename]
    places = [f"{os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}" for frame in frames[1:]]
    return "\n".join([f"{type(error).__name__}: {error}", *places])
