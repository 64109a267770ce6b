#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Each public header compiles alone, twice, and from C++, with every compiler that is there."""

import os
import shutil
import subprocess

from tree import ROOT, Tap, public_headers

FLAGS = ["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
LANGUAGES = {"C": ["-x", "c", "-std=gnu17", "-Wstrict-prototypes"], "C++": ["-x", "c++", "-std=c++17"]}
COMPILERS = {"C": ("gcc", "clang"), "C++": ("g++", "clang++")}


def glib_flags():
    done = subprocess.run(["pkg-config", "--cflags", "glib-2.0"], capture_output=True, text=True,
                          check=True)
    return done.stdout.split()


def compile_text(compiler, language, flags, text):
    """What the compiler said, as lines; none when it was content."""
    words = [compiler, *LANGUAGES[language], *FLAGS, f"-I{ROOT}/include", *flags, "-"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    return (done.stderr.splitlines() or ["it failed without a word"]) if done.returncode else []


def main():
    tap = Tap()
    flags = glib_flags()
    for language, compilers in COMPILERS.items():
        for compiler in compilers:
            if not shutil.which(compiler):
                tap.skip(f"headers with {compiler}", f"there is no {compiler}")
                continue
            broken = compile_text(compiler, language, flags, "#include <hotbay/none.h>\n")
            tap.check(f"{compiler} refuses a header that is not there", [] if broken else ["it did not"])
            for path in public_headers():
                line = f"#include <{os.path.relpath(path, 'include')}>\n"
                tap.check(f"{path} compiles alone and twice as {language} with {compiler}",
                          compile_text(compiler, language, flags, line)
                          + compile_text(compiler, language, flags, line * 2))
    tap.finish()


main()
