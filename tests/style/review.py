#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""docs/api-review.md has every function that the library exports in the table of its header, with a
reason, and none that it does not export."""

import os
import re

from tree import Tap, public_headers, read, without_comments

PAGE = "docs/api-review.md"


def exported(text):
    return set(re.findall(r"^\s*(hb_\w+);", text, flags=re.MULTILINE))


def reviewed(text):
    """Function to (headers of its section, reason), of all rows of the tables."""
    found = {}
    headers = []
    for line in text.splitlines():
        if line.startswith("## "):
            headers = re.findall(r"[\w-]+\.h", line)
        cells = [cell.strip() for cell in line.split("|")]
        if headers and len(cells) == 5:
            for name in re.findall(r"`(hb_\w+)`", cells[1]):
                found[name] = (headers, cells[2])
    return found


def complaints(page, names, declared):
    rows = reviewed(page)
    found = [f"{name}: is exported, and has no row" for name in sorted(names - rows.keys())]
    found += [f"{name}: has a row, and is not exported" for name in sorted(rows.keys() - names)]
    for name, (headers, reason) in sorted(rows.items()):
        if not reason:
            found.append(f"{name}: its row gives no reason")
        if not any(name in declared.get(header, set()) for header in headers):
            found.append(f"{name}: is in the section of {', '.join(headers)}, which does not declare it")
    return found


def check_the_rules(tap):
    row = "## a.h\n| `hb_one` | because | – |\n"
    declared = {"a.h": {"hb_one"}, "b.h": {"hb_two"}}
    caught = {
        "a function without a row": complaints(row, {"hb_one", "hb_two"}, declared),
        "a row without a function": complaints(row, set(), declared),
        "a row without a reason": complaints(row.replace("because", ""), {"hb_one"}, declared),
        "a row in another header's section": complaints(row.replace("a.h", "b.h"), {"hb_one"}, declared),
    }
    tap.check("a page that has everything is content", complaints(row, {"hb_one"}, declared))
    for name, found in caught.items():
        tap.check(f"{name} would be caught", [] if found else ["it was not"])


def main():
    tap = Tap()
    check_the_rules(tap)
    declared = {os.path.basename(path): set(re.findall(r"\bhb_\w+", without_comments(read(path))))
                for path in public_headers()}
    names = exported(read("hotbay.map"))
    tap.check("there are functions to look for", [] if len(names) > 20 else [str(sorted(names))])
    tap.check(f"{PAGE} has every exported function, and no other", complaints(read(PAGE), names, declared))
    tap.finish()


main()
