# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The record of a run: TAP lines as it goes, results.json at every change."""

import json
import os


class Book:
    def __init__(self, out):
        self.out = out
        self._progress = open(f"{out}/progress.log", "a", encoding="utf-8")
        self._steps = []
        self._measurements = []
        self._series = []
        self._notes = {}

    def say(self, text):
        self._progress.write(text + "\n")
        self._progress.flush()

    def step(self, lab, name, passed, seconds, explanation=""):
        number = len(self._steps) + 1
        where = f"{lab.scenario} ({lab.variant})" if lab.variant else lab.scenario
        self._steps.append(dict(scenario=lab.scenario, hypervisor=lab.kind, name=name, ok=passed, seconds=seconds))
        self.say(f"{'ok' if passed else 'not ok'} {number} - {where}: {name} # {seconds:.1f} s")
        for line in explanation.splitlines():
            self.say(f"#   {line}")
        if not passed and not any(other["scenario"] == lab.scenario and not other["ok"] for other in self._steps[:-1]):
            self._tails(lab)
        self._save()

    def measurement(self, lab, name, value, unit):
        self._measurements.append(dict(scenario=lab.scenario, hypervisor=lab.kind, name=name, value=value, unit=unit))
        self.say(f"#   {name}: {value:.3f} {unit}")
        self._save()

    def series(self, lab, name, points, unit):
        self._series.append(dict(scenario=lab.scenario, hypervisor=lab.kind, name=name, points=points, unit=unit))
        self.say(f"#   {name}: {len(points)} points, the last {points[-1][1]:.3f} {unit}")
        self._save()

    def note(self, name, value):
        """Something about the run that is neither a verdict nor a figure, such as a seed."""
        self._notes[name] = value
        self.say(f"#   {name}: {value}")
        self._save()

    def finish(self):
        """Ends the record; returns whether everything passed."""
        failed = [step for step in self._steps if not step["ok"]]
        self.say(f"1..{len(self._steps)}")
        if failed:
            self.say(f"# {len(failed)} of {len(self._steps)} failed")
        return bool(self._steps) and not failed

    def _tails(self, lab):
        for name in sorted(os.listdir(lab.folder)):
            with open(f"{lab.folder}/{name}", encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()[-8:]
            self.say(f"#   end of {lab.scenario}/{name}:")
            for line in lines:
                self.say(f"#     {line[:200]}")

    def _save(self):
        with open(f"{self.out}/results.json", "w", encoding="utf-8") as file:
            json.dump(dict(steps=self._steps, measurements=self._measurements, series=self._series, notes=self._notes),
                      file, indent=1)
