# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""lspci for guests, which their initrd does not have."""

import subprocess


def initrd_with_lspci(plan):
    """The path of the guest's initrd with guest/make-lspci's archive behind it."""
    path = "/tmp/initrd-with-lspci.cpio"
    subprocess.run([f"{plan['repo']}/tests/lab/guest/make-lspci", "/tmp/lspci.cpio"], check=True)
    with open(path, "wb") as whole:
        for part in (plan["initrd"], "/tmp/lspci.cpio"):
            with open(part, "rb") as archive:
                whole.write(archive.read())
    return path
