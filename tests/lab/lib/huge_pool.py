# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The lab host's pool of huge pages."""

from contextlib import contextmanager

from host import read, write

POOL = "/sys/kernel/mm/hugepages/hugepages-2048kB"


@contextmanager
def pool(pages):
    """The host's pool of huge pages has that many, all free again at the end."""
    write(f"{POOL}/nr_hugepages", str(pages))
    assert int(read(f"{POOL}/nr_hugepages")) == pages, "the lab host has not that much memory in one piece"
    try:
        yield
        assert int(read(f"{POOL}/free_hugepages")) == pages, "some are still in use"
    finally:
        write(f"{POOL}/nr_hugepages", "0")
