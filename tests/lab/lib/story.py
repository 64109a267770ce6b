# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The story that a demonstration tells while it happens: a JSON object a line, for tests/tools/tell-demo."""

import json
import threading
import time

# How long an event waits for others that happened before it and are heard of later.
SETTLE = 0.5


class Story:
    """Chapters, in each what happened and when since its clock was started, how things stand, and figures."""

    def __init__(self, path):
        self._file = open(path, "a", encoding="utf-8")
        self._lock = threading.Lock()
        self._zero = time.monotonic()
        self._pending = []
        self._sources = []
        threading.Thread(target=self._watch, daemon=True).start()

    def write(self, kind, **members):
        with self._lock:
            self._gather()
            self._flush(time.monotonic() + SETTLE)
            self._write(kind, members)

    def _write(self, kind, members):
        self._file.write(json.dumps({"kind": kind, **members}) + "\n")
        self._file.flush()

    def chapter(self, title):
        self.write("chapter", title=title)

    def state(self, heading, **views):
        """How things stand, each view a list of lines."""
        self.write("state", heading=heading, views=views)

    def figure(self, name, value, unit="s"):
        self.write("figure", name=name, value=value, unit=unit)
        return value

    def start_clock(self):
        """Events are told with the time since now."""
        with self._lock:
            self._gather()
            self._flush(time.monotonic() + SETTLE)
            self._zero = time.monotonic()

    def happened(self, when, who, text):
        with self._lock:
            self._pending.append((when, who, text))

    def watch(self, source):
        """Tells what source() returns as it comes: tuples of when, who and text."""
        with self._lock:
            self._sources.append(source)

    def _watch(self):
        while True:
            time.sleep(0.1)
            with self._lock:
                self._gather()
                self._flush(time.monotonic())

    def _gather(self):
        for source in self._sources:
            self._pending += source()

    def _flush(self, now):
        self._pending.sort(key=lambda event: event[0])
        while self._pending and self._pending[0][0] < now - SETTLE:
            when, who, text = self._pending.pop(0)
            self._write("event", {"at": when - self._zero, "who": who, "text": text})
