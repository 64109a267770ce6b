# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Runs the plan of tests/lab/run on the lab host: python3 -m runner OUTPUT."""

import importlib.util
import json
import signal
import sys
import time

from book import Book
from host import Host
from lab import Failed, Lab, explain

SCENARIO_SECONDS = 240  # unless the scenario's own SECONDS says otherwise


def load(repo, name):
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), f"{repo}/tests/lab/scenarios/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def on_alarm(_number, _frame):
    raise TimeoutError("the scenario took longer than it may")


def run_scenario(plan, host, book, name, kind):
    lab = Lab(plan, host, book, name, kind)
    started = time.monotonic()
    try:
        module = load(plan["repo"], name)
        signal.alarm(getattr(module, "SECONDS", SCENARIO_SECONDS))
        module.scenario(lab)
    except Failed:
        pass
    except Exception as error:  # not within a step: still a failure of this scenario, and not of the next
        book.step(lab, "outside any step", False, time.monotonic() - started, explain(error))
    finally:
        signal.alarm(0)
    try:
        lab.finish()
    except Exception as error:
        book.step(lab, "the lab host is as it was", False, 0, explain(error))
    book.say(f"# {name} took {time.monotonic() - started:.0f} s")


def main(out):
    with open(f"{out}/plan.json", encoding="utf-8") as file:
        plan = json.load(file)
    signal.signal(signal.SIGALRM, on_alarm)
    book = Book(out)
    book.say(f"# the lab host is up after {open('/proc/uptime', encoding='ascii').read().split()[0]} s")
    host = Host(plan["drives"], out)
    for kind in plan["hypervisors"]:
        for name in plan["scenarios"]:
            run_scenario(plan, host, book, name, kind)
    passed = book.finish()
    with open(f"{out}/status", "w", encoding="ascii") as file:
        file.write("0\n" if passed else "1\n")


main(sys.argv[1])
