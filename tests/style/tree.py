# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What the style tests share: the files of the tree, what C text means, and TAP."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What is made here rather than written: build folders, caches, git's own.
MADE = re.compile(r"(build(-.*)?|__pycache__|\..*)$")


def files(*endings, under=""):
    """Paths from the top of the tree, sorted, of files whose names end so."""
    found = []
    for folder, folders, names in os.walk(os.path.join(ROOT, under)):
        folders[:] = [name for name in folders if not MADE.match(name)]
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names
                  if name.endswith(endings)]
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def public_headers():
    return files(".h", under="include/hotbay")


def without_comments(text):
    """C text with comments gone and every line still where it was."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda match: "\n" * match[0].count("\n"), text,
                  flags=re.DOTALL)


class Tap:
    """TAP on stdout: one line a check, its complaints under it, the plan at the end."""

    def __init__(self):
        self._count = 0
        self._failed = 0

    def check(self, name, complaints):
        """Passes when there are no complaints."""
        self._count += 1
        self._failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {self._count} - {name}")
        for complaint in complaints:
            print(f"# {complaint}")
        sys.stdout.flush()

    def skip(self, name, reason):
        self._count += 1
        print(f"ok {self._count} - {name} # SKIP {reason}")

    def note(self, text):
        print(f"# {text}")

    def finish(self):
        print(f"1..{self._count}")
        sys.exit(1 if self._failed else 0)
