# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What a kernel's log complains of."""

import re

SERIOUS = ("WARNING:|BUG:|Oops|general protection|soft lockup|hard LOCKUP|blocked for more than|Kernel panic|"
           "UBSAN|KASAN")


def complaints(log):
    return [line for line in log.splitlines() if re.search(SERIOUS, line)]


def guest_complaints(guest):
    """The guest greps, because its serial line is slow."""
    return guest.run(f"dmesg | grep -E '{SERIOUS}' | cut -c1-160", check=False).text.splitlines()
