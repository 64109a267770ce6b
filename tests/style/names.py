#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""names.py BUILD-FOLDER: what README.md and docs/ call by name exists: files, functions, types,
events, and the pages that links lead to."""

import os
import re
import sys

from tree import ROOT, Tap, files, read

ROOMS = ("include", "hw", "vfio", "acpi", "options", "vmm", "ctl", "tests", "docs", "build", ".ci")
FILE_NAME = re.compile(r"[\w.-]+\.(c|h|py|md|map)$")
PATH = re.compile(r"(\./)?[\w.*-]+(/[\w.*-]+)*/?$")
IDENTIFIER = re.compile(r"(hb_|HB_|HOTBAY_|x-hotbay-|Hb[A-Z])[\w-]*")


class Tree:
    """What there is to be named."""

    def __init__(self, build):
        self.build = build
        sources = files(".c", ".h")
        self.base_names = {os.path.basename(path) for path in files("")}
        text = "\n".join(read(path) for path in sources)
        self.words = set(re.findall(r"[\w-]+", text)) | set(re.findall(r"\w+", text))

    def has_path(self, path):
        path = path.removeprefix("./").rstrip("/")
        if "*" in path:
            return True
        folder = ROOT
        if path == "build" or path.startswith("build/"):
            folder, path = self.build, path.removeprefix("build").lstrip("/")
        whole = os.path.join(folder, path)
        return any(os.path.exists(whole + ending) for ending in ("", ".c", ".h"))


def code_words(text):
    """(line number, word) of everything between backticks; of fenced blocks only ./ commands."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            for word in re.findall(r"(?:^|\s)(\./[\w./-]+|(?:build|tests)/[\w./-]+)", line):
                yield number, word
        else:
            for quoted in re.findall(r"`([^`]+)`", line):
                for word in quoted.split():
                    yield number, word.strip(",;:")


def missing(tree, word):
    """What is wrong with a name, or None."""
    name = re.sub(r"\(.*\)?$", "", word)
    if IDENTIFIER.fullmatch(name):
        # vmm/events.c makes the names of events from the library's
        event = re.sub("^HOTBAY_(SLOT_)?", "HB_EVENT_", name)
        known = name in tree.words or event in tree.words
        return None if known or name.endswith("*") else "is nowhere in the sources"
    if not PATH.match(name):
        return None
    first = name.removeprefix("./").split("/")[0]
    if "/" in name and (first in ROOMS or name.startswith("./")):
        return None if tree.has_path(name) else "does not exist"
    if FILE_NAME.match(name) and "/" not in name:
        return None if name in tree.base_names else "is no file of this tree"
    return None


def broken_links(path, text):
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target and not os.path.exists(
                os.path.join(ROOT, os.path.dirname(path), target)):
            yield f"{path}: the link to {target} leads nowhere"


def complaints(tree, path, text):
    found = [f"{path}:{number}: {word} {reason}" for number, word in code_words(text)
             if (reason := missing(tree, word))]
    return found + list(broken_links(path, text))


WRONG = ("`hw/no-such.c`", "`hb_no_such_function()`", "`build/no-such-program`", "`./no-such-command`",
         "`no-such-file.c`", "`HbNoSuchType`", "[page](docs/no-such.md)", "`HOTBAY_NO_SUCH_EVENT`")


def main():
    tap = Tap()
    tree = Tree(sys.argv[1])
    for text in WRONG:
        caught = complaints(tree, "README.md", text)
        tap.check(f"{text} would be caught", [] if caught else ["it was not"])
    for path in ["README.md", *files(".md", under="docs")]:
        tap.check(f"what {path} names exists", complaints(tree, path, read(path)))
    tap.finish()


main()
