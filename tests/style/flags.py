#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""flags.py HOTBAY: docs/flags.md and the man page name every flag and property that there is in the
sources, and no other; and the program takes and refuses what docs/flags.md says."""

import re
import subprocess
import sys

from tree import Tap, read

PAGE, MANUAL = "docs/flags.md", "vmm/hotbay.1"
# Where properties are read, and in whose sections of the page they are.
READERS = {
    "options/port-options.c": ("-device pcie-root-port",),
    "options/device-options.c": ("-device x3130-upstream", "-device vfio-pci"),
    "vmm/machine-options.c": ("-machine", "-accel", "-smp", "-m"),
    "vmm/memory-options.c": ("-object memory-backend-memfd", "-object memory-backend-file"),
    "vmm/iommu-options.c": ("-object iommufd",),
    "vmm/options.c": ("-overcommit", "-name", "-global"),
    "vmm/chardev.c": ("-serial unix:",),
}
# How a property of a section is given: the flag, what stands before the list, what must be in it.
GLOBAL = {"driver": "ICH9-LPC", "property": "acpi-pci-hotplug-with-bridge-support", "value": "off"}
GIVEN = {
    "-machine": ("-machine", "", {}),
    "-accel": ("-accel", "", {"accel": "kvm"}),
    "-smp": ("-smp", "", {}),
    "-m": ("-m", "", {"size": "1G"}),
    "-object memory-backend-memfd": ("-object", "", {"qom-type": "memory-backend-memfd", "id": "m", "size": "1G",
                                                     "hugetlb": "on"}),
    "-object memory-backend-file": ("-object", "", {"qom-type": "memory-backend-file", "id": "m", "size": "1G"}),
    "-object iommufd": ("-object", "", {"qom-type": "iommufd", "id": "i"}),
    "-overcommit": ("-overcommit", "", {}),
    "-name": ("-name", "", {}),
    "-global": ("-global", "", GLOBAL),
    "-serial unix:": ("-serial", "unix:", {"path": "/s"}),
    "-device pcie-root-port": ("-device", "", {"driver": "pcie-root-port", "id": "p", "host-slot": "1"}),
    "-device x3130-upstream": ("-device", "", {"driver": "x3130-upstream", "id": "u", "bus": "p"}),
    "-device vfio-pci": ("-device", "", {"driver": "vfio-pci", "host": "01:00.0", "bus": "p"}),
}
WRONG = "no!"
WRONG_MESSAGE = {
    "switch": "Parameter '{}' expects 'on' or 'off', not 'no!'",
    "number": "Parameter '{}' expects a number from ",
    "size": "Parameter '{}' expects a size, ",
    "choice": "not supported",
    "id": "Parameter 'id' expects an identifier, not 'no!'",
    "place": "Parameter 'addr' expects DEVICE or DEVICE.FUNCTION in hexadecimal, up to 1f.7, not 'no!'",
    "address": "'no!' is no PCI address: ",
}


def flags_of_source(text):
    return set(re.findall(r'^\t\{ "([\w-]+)",', text, flags=re.MULTILINE))


def properties_of_source(text):
    """Names in calls that take a property, and in tables of them."""
    taken = re.findall(r'\b(?:\w*take\w*|refuse_window)\(\s*(?:properties|object),\s*"([^"]+)"', text)
    tabled = re.findall(r'\{ "([\w-]+)", &(?:config|port)->', text)
    implied = re.findall(r'hb_properties_parse\(\w+, "(\w+)"', text)
    renamed = re.findall(r'\bname = "(\w+)";', text)
    absent = re.search(r"\babsent\[\] = \{([^}]*)\}", text)
    return {*taken, *tabled, *implied, *renamed, *(re.findall(r'"(\w+)"', absent[1]) if absent else ())}


def defaults_of_ports(reader, config):
    """Property to its default as the page writes it, of those that are members of HbPortConfig."""
    macros = dict(re.findall(r"#define (DEFAULT_\w+)\s+(\([^)]*\)|\d+)", config))
    members = dict(re.findall(r"^\t\t\.(\w+) = (\w+),", config, flags=re.MULTILINE))
    found = {}
    for name, member in re.findall(r'"([\w-]+)",\s*&(?:port->)?config(?:->|\.)(\w+)', reader):
        value = members.get(member, "FALSE")
        value = {"TRUE": "on", "FALSE": "off"}.get(value, macros.get(value, value))
        found[name] = re.sub(r"\((\d+) \* MIB\)", r"\1M", value)
    return found


def cells_of(line):
    """A row's cells; a bar between backticks is text."""
    line = re.sub(r"`[^`]*`", lambda match: match[0].replace("|", "\0"), line)
    return [cell.strip().replace("\0", "|") for cell in line.strip().strip("|").split("|")]


def tables(page):
    """(section, cells) of every row that is no head."""
    section = ""
    for line in page.splitlines():
        if line.startswith("#"):
            section = line.strip("# ")
        elif line.startswith("|") and not re.match(r"\|[-|]+$", line):
            yield section, cells_of(line)


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


class Property:
    """One of a table of properties."""

    def __init__(self, section, name, cells):
        self.section, self.name, self.default = section, name, cells[2]
        self.kind = re.match(r"\w+", cells[1])[0]
        self.only = (re.search(r", (\w+) only$", cells[1]) or (None, None))[1]
        self.choices = re.sub(r"^choice: ", "", cells[1]).split(", ") if self.kind == "choice" else []
        self.range = [int(end) for end in re.findall(r"\d+", cells[1])] if self.kind == "number" else []

    def accepted(self):
        values = {"switch": ["on", "off"], "size": ["1G"]}.get(self.kind, self.choices + self.range[:2])
        values = [self.only] if self.only else values
        return values + ([] if self.default == "–" else [self.default])

    def refused(self):
        """(value, what is said of it)"""
        if message := WRONG_MESSAGE.get(self.kind):
            if self.kind == "choice" and self.section.startswith("-device"):
                message = "Parameter '{}' expects one of " + ", ".join(self.choices) + ", not 'no!'"
            yield WRONG, message.format(self.name)
        if self.range:
            yield self.range[1] + 1, ""
        if self.only:
            yield {"off": "on", "on": "off", "0": "1M"}[self.only], "is not supported"


def properties_of_page(page):
    sections = {name for names in READERS.values() for name in names}
    for section, cells in tables(page):
        known = next((name for name in sections if re.match(re.escape(name) + r"(,|$| unix:)", section)), None)
        if section.startswith("-serial"):
            known = "-serial unix:"
        if known and cells[0] != "property":
            for name in quoted(cells[0]):
                yield Property(known, name, cells)


def flags_of_page(page):
    """(names, default, example) of the table of flags."""
    for section, cells in tables(page):
        if section == "Flags" and cells[0] != "flag":
            yield [name.lstrip("-") for name in quoted(cells[0])], cells[1], cells[2]


def differences(these, those, first, second):
    return ([f"{name}: in {first}, not in {second}" for name in sorted(these - those)]
            + [f"{name}: in {second}, not in {first}" for name in sorted(those - these)])


class Program:
    """hotbay, asked for its version behind a flag, so that nothing is started."""

    def __init__(self, path):
        self._path = path

    def say(self, *words):
        done = subprocess.run([self._path, *map(str, words)], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr.strip()

    def complaints(self, words, message):
        """@message None: it must be taken."""
        status, said = self.say(*words)
        line = " ".join(map(str, words))
        if message is None:
            return [f"{line}: {said}"] if status else []
        if status == 0:
            return [f"{line}: is not refused"]
        return [] if message in said else [f"{line}: says '{said}', not '{message}'"]

    def try_property(self, prop, value, message):
        flag, before, base = GIVEN[prop.section]
        both = ",".join(f"{name}={text}" for name, text in {**base, prop.name: value}.items())
        return self.complaints([flag, before + both, "-version"], message)


def check_names(tap, page, manual):
    flags = flags_of_source(read("vmm/options.c"))
    tap.check("there are flags to compare", [] if len(flags) > 20 else [str(sorted(flags))])
    named = {name for names, *_ in flags_of_page(page) for name in names}
    tap.check(f"{PAGE} has every flag, and no other", differences(named, flags, PAGE, "vmm/options.c"))
    manual = re.sub(r"\\f[BIR]", " ", manual).replace("\\-", "-")
    words = set(re.findall(r"(?<![\w-])-?[\w][\w-]*", manual))
    tap.check(f"{MANUAL} has every flag",
              [f"-{name}: is not there" for name in sorted(flags) if f"-{name}" not in words])
    properties = list(properties_of_page(page))
    for path, sections in READERS.items():
        names = {prop.name for prop in properties if prop.section in sections}
        found = properties_of_source(read(path))
        if path == "options/port-options.c":
            found |= {"driver"}
        if path == "vmm/options.c":  # those of objects: hb_memory_options_add() takes it
            found -= {"qom-type"}
        tap.check(f"{PAGE} has every property of {path}, and no other", differences(names, found, PAGE, path))
    devices = {prop.name for prop in properties if prop.section.startswith("-device")}
    tap.check(f"{MANUAL} has every property of a device",
              [f"{name}: is not there" for name in sorted(devices) if name not in words])
    ports = {prop.name: prop.default for prop in properties
             if prop.section == "-device pcie-root-port" and prop.default != "–" and not prop.only}
    tap.check(f"{MANUAL} has the defaults of {PAGE}",
              [f"{name}={default}: is not there" for name, default in sorted(ports.items())
               if not re.search(rf"\b{name}={default}\b", manual)])
    initial = defaults_of_ports(read("options/port-options.c"), read("hw/port-config.c"))
    tap.check("there are defaults to compare", [] if len(initial) > 10 else [str(initial)])
    tap.check(f"{PAGE} has the defaults of hw/port-config.c",
              [f"{name}: {ports.get(name)} in {PAGE}, and not {default}"
               for name, default in sorted(initial.items()) if ports.get(name) != default])


def check_values(tap, program, page):
    tap.check("an unknown flag would be caught", [] if program.complaints(["-none", "-version"], None) else ["no"])
    for prop in properties_of_page(page):
        found = [line for value in prop.accepted() for line in program.try_property(prop, value, None)]
        for value, message in prop.refused():
            found += program.try_property(prop, value, message)
        tap.check(f"{prop.section} takes {prop.name} as the page says", found)


def check_messages(tap, program, page):
    for names, default, example in flags_of_page(page):
        found = []
        for name in names:
            if quoted(default):
                found += program.complaints([f"-{name}", *quoted(default), "-version"], None)
            if example:
                *value, message = quoted(example)
                found += program.complaints([f"-{name}", *value, "-version"], message)
        tap.check(f"-{names[0]} takes its default and refuses the example", found)
    for section, cells in tables(page):
        if section == "What all flags together show" and quoted(cells[0]):
            line, message = quoted(cells[0])[0], quoted(cells[1])[0]
            tap.check(f"{line} is refused as the page says",
                      program.complaints(["-kernel", "k", *line.split()], message))


def check_the_rules(tap):
    source = '\t\tif (!hb_properties_take_bool(properties, "a", &a)) { "b", &config->b },'
    tap.check("properties are found in a source",
              differences(properties_of_source(source), {"a", "b"}, "the answer", "the example"))
    tap.check("a bar in a cell is no end of it",
              differences(set(cells_of("| `a|b` | c |")), {"`a|b`", "c"}, "the answer", "the example"))


def main():
    tap = Tap()
    program = Program(sys.argv[1])
    page, manual = read(PAGE), read(MANUAL)
    check_the_rules(tap)
    check_names(tap, page, manual)
    check_values(tap, program, page)
    check_messages(tap, program, page)
    tap.finish()


main()
