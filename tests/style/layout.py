#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""How files look: licence lines, width, clang-format; and how long files and functions are."""

import os
import re
import shutil
import subprocess

from tree import ROOT, Tap, files, read

COLUMNS = {".c": 100, ".h": 100, "meson.build": 100, ".py": 120, "": 120}
LICENCE = re.compile(r"(/\*|#) SPDX-License-Identifier: GPL-2\.0-or-later( \*/)?$")
HOLDER = re.compile(r"(/\*|#) Copyright the hotbay authors( \*/)?$")
# A function or file beyond the compass is told of; one beyond the limit fails.
FUNCTION_COMPASS, FUNCTION_LIMIT = 60, 90
FILE_COMPASS, FILE_LIMIT = 700, 900


def scripts():
    """Files without an ending that an interpreter runs."""
    return [path for path in files("") if "." not in os.path.basename(path)
            and os.access(os.path.join(ROOT, path), os.X_OK) and read(path).startswith("#!")]


def unlicensed(path, text):
    lines = [line for line in text.splitlines()[:4]
             if not line.startswith(("#!", "# shellcheck", "# -*-"))]
    if not lines or not LICENCE.match(lines[0]):
        return [f"{path}: does not open with its SPDX-License-Identifier"]
    if not path.endswith("meson.build") and not (len(lines) > 1 and HOLDER.match(lines[1])):
        return [f"{path}: does not say whose it is in its second line"]
    return []


def too_wide(path, text):
    limit = next(columns for ending, columns in COLUMNS.items() if path.endswith(ending))
    return [f"{path}:{number}: {len(line.expandtabs(8))} columns, more than {limit}"
            for number, line in enumerate(text.splitlines(), 1) if len(line.expandtabs(8)) > limit]


def functions(text):
    """(line, length) of every function body: between braces that open and close a line."""
    opened = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            opened = number
        elif line == "}" and opened:
            yield opened, number - opened + 1
            opened = None


def too_long(path, text, function_lines, file_lines):
    found = [f"{path}:{number}: a function of {length} lines, more than {function_lines}"
             for number, length in functions(text) if length > function_lines]
    if text.count("\n") > file_lines:
        found.append(f"{path}: {text.count(chr(10))} lines, more than {file_lines}")
    return found


def unformatted(paths):
    words = ["clang-format", "--dry-run", "-Werror", "--style=file", *paths]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    places = [line.split(":")[:2] for line in done.stderr.splitlines() if "error:" in line]
    return [f"{path}: {sum(path == place[0] for place in places)} places, the first in line {line}; "
            "run clang-format -i" for path, line in {place[0]: place[1] for place in reversed(places)}.items()]


def check_the_rules(tap):
    """What each rule is there to catch."""
    long_function = "{\n" + "\tx();\n" * FUNCTION_LIMIT + "}\n"
    caught = {
        "a file without a licence": unlicensed("hw/x.c", "#include <glib.h>\n"),
        "a file without a holder": unlicensed("a.py", "# SPDX-License-Identifier: GPL-2.0-or-later\n"),
        "a line of 13 tabs": too_wide("hw/x.c", "\t" * 13 + "\n"),
        "a long function": too_long("hw/x.c", long_function, FUNCTION_LIMIT, FILE_LIMIT),
        "a long file": too_long("hw/x.c", "\n" * (FILE_LIMIT + 1), FUNCTION_LIMIT, FILE_LIMIT),
    }
    for name, complaints in caught.items():
        tap.check(f"{name} would be caught", [] if complaints else ["it was not"])


def main():
    tap = Tap()
    check_the_rules(tap)
    c_files = files(".c", ".h")
    written = c_files + files(".py", "meson.build") + scripts()
    texts = {path: read(path) for path in written}
    tap.check("every file has its licence lines", sum((unlicensed(*item) for item in texts.items()), []))
    tap.check("no line is too wide", sum((too_wide(*item) for item in texts.items()), []))
    for path in c_files:
        for line in too_long(path, texts[path], FUNCTION_COMPASS, FILE_COMPASS):
            tap.note(f"for the reader's sake: {line}")
    tap.check("no function and no file is beyond all measure",
              sum((too_long(path, texts[path], FUNCTION_LIMIT, FILE_LIMIT) for path in c_files), []))
    if shutil.which("clang-format"):
        tap.check("clang-format has nothing to change", unformatted(c_files))
    else:
        tap.skip("clang-format has nothing to change", "there is no clang-format")
    tap.finish()


main()
