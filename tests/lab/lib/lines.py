# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A two-way line of text to another program, with the time of arrival of every line that comes."""

import os
import re
import socket
import threading
import time


class LinesEnded(Exception):
    """The other end has gone."""


def connect(path, seconds=10):
    """Connects to a unix socket that may not be there yet."""
    deadline = time.monotonic() + seconds
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(path)
            return sock.detach()
        except (FileNotFoundError, ConnectionRefusedError):
            sock.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


class Lines:
    """Reads lines in a thread of its own; take(line, arrived) of the subclass sorts them, with the lock held."""

    unlogged = "^never$"

    def __init__(self, fd, log_path, name):
        self.name = name
        self.ended = False
        self.changed = threading.Condition()
        self._fd = fd
        self._log = open(log_path, "a", encoding="utf-8", buffering=1)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                data = b""
            arrived = time.monotonic()
            *whole, rest = (rest + data).split(b"\n")
            with self.changed:
                for line in whole:
                    text = line.decode("utf-8", "replace").rstrip("\r")
                    self._write_log("<", text, arrived)
                    self.take(text, arrived)
                self.ended = not data
                self.changed.notify_all()
            if not data:
                return

    def _write_log(self, way, text, when):
        if not re.search(self.unlogged, text):
            self._log.write(f"{when:.3f} {way} {text}\n")

    def send_bytes(self, data):
        with self.changed:
            self._write_log(">", data.decode("utf-8", "replace").rstrip(), time.monotonic())
        try:
            while data:
                data = data[os.write(self._fd, data):]
        except OSError as error:
            raise LinesEnded(f"{self.name} has gone: {error}") from error

    def wait(self, find, seconds, what):
        """What find() returns as soon as it is not None."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                found = find()
                if found is not None:
                    return found
                if self.ended:
                    raise LinesEnded(f"{self.name} ended while the lab waited for {what}")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"{self.name}: no {what} in {seconds} s")
                self.changed.wait(left)

    def close(self):
        """Hangs up; the reader then sees the end by itself."""
        if self._fd >= 0:
            try:
                socket.socket(fileno=os.dup(self._fd)).shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            fd, self._fd = self._fd, -1
            os.close(fd)
