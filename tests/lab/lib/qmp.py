# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A QMP client: several commands in flight, and events with the time they came."""

import itertools
import json

from lines import Lines


class QmpError(Exception):
    """The command was answered with an error."""


class Qmp(Lines):
    def __init__(self, fd, log_path, name="QMP"):
        self.greeting = None
        self.events = []
        self._replies = {}
        self._ids = itertools.count(1)
        super().__init__(fd, log_path, name)

    def take(self, line, arrived):
        try:
            message = json.loads(line)
        except ValueError:
            return
        message["arrived"] = arrived
        if "event" in message:
            self.events.append(message)
        elif "QMP" in message:
            self.greeting = message
        else:
            self._replies[message.get("id")] = message

    def negotiate(self):
        return self.execute("qmp_capabilities")

    def send(self, command, **arguments):
        """Sends a command and returns its id, for answer()."""
        message = {"execute": command, "id": next(self._ids)}
        if arguments:
            message["arguments"] = {key.replace("_", "-"): value for key, value in arguments.items()}
        self.send_bytes(json.dumps(message).encode() + b"\n")
        return message["id"]

    def answer(self, number, seconds=30):
        """The reply's message, with its time of arrival; a refusal raises QmpError."""
        reply = self.wait(lambda: self._replies.pop(number, None), seconds, f"answer to command {number}")
        if "error" in reply:
            raise QmpError(reply["error"]["desc"])
        return reply

    def execute(self, command, seconds=30, **arguments):
        return self.answer(self.send(command, **arguments), seconds)["return"]

    def raw(self, text, seconds=5):
        """Sends text as it is and returns the next reply that carries no id."""
        self.send_bytes(text.encode())
        return self.wait(lambda: self._replies.pop(None, None), seconds, f"answer to {text!r}")

    def mark(self):
        """A place in the stream of events, for event(since=)."""
        return len(self.events)

    def event(self, name, seconds=30, since=0, **data):
        """The first event of that name, from the place on, whose data has these values."""
        def find():
            for event in self.events[since:]:
                found = event.get("data", {})
                if event["event"] == name and all(found.get(key) == value for key, value in data.items()):
                    return event
            return None
        return self.wait(find, seconds, f"event {name} {data or ''}")
