# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What the page shows: its sections in their order, their rows with targets, and their plots."""

from collections import namedtuple

import plots
from figures import least, limit, share
from parts import HOST, HYPERVISORS

KINDS = (*HYPERVISORS, HOST)

# Of a row: the figure's name in the part's results, the page's words for it, and what hotbay must reach.
Row = namedtuple("Row", "figure words target", defaults=[None])
Plot = namedtuple("Plot", "file words draw")
Section = namedtuple("Section", "part title text rows plots")


def pull_rows(how):
    name = f"pull while {how}"
    failed = [Row(f"{name} to failed read", f"{how}: pull to failed read, s", limit(0.3))]
    bystander = [Row("longest read of the other drive in it", f"{how}: longest read of another drive, s")]
    rows = [
        Row(f"{name} to disk gone", f"{how}: pull to disk gone, s"),
        Row(f"{name}, request to last file closed", f"{how}: the kernel's request to last file closed, s",
            limit(0.2)),
        Row(f"{name} to host's slot free", f"{how}: pull to the host's slot free, s"),
        Row(f"{name} to DEVICE_DELETED", f"{how}: pull to `DEVICE_DELETED`, s"),
        Row(f"longest stall of the guest in a {name}", f"{how}: longest silence of the guest, s"),
    ]
    return failed + rows + bystander if how == "reading" else rows


def memory_rows():
    rows = []
    for size in ("1 GiB", "2 GiB", "8 GiB", "8 GiB of huge pages"):
        rows += [Row(f"first hot-add, {size}", f"first hot-add, {size}, s", limit(0.8)),
                 Row(f"longest silence in it, {size}", f"longest silence in it, {size}, s", limit(0.2)),
                 Row(f"resident then, {size}", f"resident before it, {size}, MiB")]
    return rows


def read_rows(kind, drive):
    goal = least(1.15) if kind.startswith("random") else None
    return [Row(f"{kind}, {drive}", f"{kind}, {drive}, reads a second"),
            Row(f"{kind}, {drive}, of the lab host's own", f"{kind}, {drive}, of the lab host's own", goal),
            Row(f"exits a read, {kind}, {drive}", f"{kind}, {drive}, exits a read"),
            Row(f"mmio_exits a read, {kind}, {drive}", f"{kind}, {drive}, MMIO exits a read", limit(0.005))]


def ioctl_rows(figures, what):
    """Whatever kinds there were, those that anybody used most first."""
    prefix = f"ioctls of {what}: "
    most = {}
    for names in figures.values():
        for name, (value, _) in names.items():
            if name.startswith(prefix):
                most[name] = max(most.get(name, 0), value)
    together = "route commits and interrupt calls"
    return [Row(f"{together} of {what}", f"{what}: {together}", limit(4)),
            Row(f"ioctls of {what}", f"{what}: all"),
            *(Row(name, f"{what}: `{name.removeprefix(prefix)}`")
              for name in sorted(most, key=lambda name: (-most[name], name)))]


def value_of(part, kind, name):
    """None when there is none; of an ioctl that a hypervisor did not use, 0."""
    figures = part["figures"].get(kind, {})
    kinds_of_ioctl = name.startswith("ioctls of ") and name.partition(":")[0] in figures
    return figures.get(name, (0 if kinds_of_ioctl else None, ""))[0]


def chart_lines(figure, x, y):
    return lambda path, part, titles: plots.lines(
        path, titles, (x, y), {kind: part["series"][kind][figure] for kind in KINDS
                               if figure in part["series"].get(kind, {})})


def chart_bars(groups, axis, kinds=KINDS, more=""):
    """groups: the words below the bars to the figure that they show."""
    return lambda path, part, titles: plots.bars(
        path, titles, axis, list(groups), {kind: [value_of(part, kind, name) for name in groups.values()]
                                           for kind in kinds if kind in part["figures"]}, more)


START = """
From the process's start to the first process of the guest. hotbay unpacks a kernel at its first start and takes it from
its cache at later ones, of which the median of three is shown; QEMU keeps nothing, and its guests unpack their kernel
each time. Memory is what is resident without the guest's own, no drive added."""

HOT_ADD = """
From the command to the disk in a guest of 1 GiB and one vCPU; the first one maps the guest's memory for DMA. The lab
host's own figures are a drive pushed into its slot, and its slot's button pressed: on both sides a removal has the five
seconds that a pressed button takes. A silence is the longest that a process in the guest slept that wants to sleep a
millisecond. A drive with 64 vectors is the same drive in a guest that could have 64 CPUs: its driver asks for a queue
and a vector for each, and unmasks those of CPUs that are there."""

PULL = """
The drive is taken out of the lab host's slot by surprise, idle or while the guest reads from it at random, one read at
a time. The lab host's own figures are the same pull with the drive in use by its own nvme driver; a silence is then one
of a process on the lab host."""

MANY = """
One after another: each is added when the disk before it is in the guest. All at once: 32 commands are sent without
waiting for an answer. The lab host's own figures are drives pushed into its slots."""

MEMORY = """
The first hot-add to guests of each size, when the hypervisor has stopped growing. The kernel pins all of a guest's
memory in it, page by page, and whoever gives a guest its memory only as it is touched has to find all of it, too. The
last rows are of a guest in the host's huge pages, populated at its start by all."""

READS = """
A program that keeps so many direct reads in flight, on the lab host before the drive is given away, and then in the
guest; the median of three runs. Some drives of the lab are over nothing and read as zeroes, some are over a file. Exits
are KVM's count of all of them, from timers to interrupts, in the same runs. The lab's CPUs are emulated: what costs a
guest time there is not what does on hardware."""

IOCTLS = """
Those of the hypervisor's process from the command to the disk in the guest, without KVM_RUN: of a third drive, as the
first has the IOMMU to set up. Route commits and interrupt calls are KVM_SET_GSI_ROUTING and VFIO_DEVICE_SET_IRQS: each
is a wait, for all vCPUs or for the drive. KVM_IRQ_LINE is the guest's serial line."""

DMA = """
How long VFIO_IOMMU_MAP_DMA takes for the memory of a stopped guest of 2 GiB, all of it populated before."""

PAGE_SIZES = ("4 KiB pages", "transparent huge pages", "huge pages of 2 MiB")
READ_KINDS = {"4 KiB, 1": "random 4 KiB, depth 1", "4 KiB, 32": "random 4 KiB, depth 32",
              "128 KiB, 4": "sequential 128 KiB, depth 4"}
READ_DRIVES = ("over nothing", "over a file")

SECTIONS = [
    Section("boot", "Start", START, [
        Row("first start of this kernel to userspace", "first start of a kernel to userspace, s"),
        Row("process start to userspace", "later start to userspace, s", share(0.5)),
        Row("memory beyond the guest's", "resident memory beyond the guest's, MiB", limit(12)),
    ], []),
    Section("hot-add", "Hot-add and orderly removal", HOT_ADD, [
        Row("first hot-add", "first hot-add, s", limit(0.8)),
        Row("second drive", "second drive, s", share(0.5)),
        Row("later hot-add", "later hot-add, same drive, s", share(0.5)),
        Row("second drive, of 64 vectors", "second drive, of 64 vectors, s", share(0.5)),
        Row("orderly removal to disk gone", "orderly removal to disk gone, s"),
        Row("orderly removal to DEVICE_DELETED", "orderly removal to `DEVICE_DELETED`, s"),
        Row("longest silence in the first hot-add", "longest silence in the first hot-add, s", limit(0.2)),
        Row("longest silence in the second drive's", "longest silence in the second drive's, s"),
        Row("longest silence in a later hot-add", "longest silence in a later hot-add, s"),
        Row("longest silence in that of 64 vectors", "longest silence in that of 64 vectors, s"),
        Row("longest silence in the removal", "longest silence in the removal, s"),
    ], [
        Plot("hot-add.svg", "Hot-adds, seconds", chart_bars({
            "first": "first hot-add", "second drive": "second drive", "later": "later hot-add",
            "64 vectors": "second drive, of 64 vectors"}, "seconds")),
    ]),
    Section("pull", "A drive is pulled", PULL, [*pull_rows("idle"), *pull_rows("reading")], [
        Plot("pull.svg", "A pull while the drive is read: seconds, on a logarithmic axis", chart_bars({
            "read fails": "pull while reading to failed read", "disk gone": "pull while reading to disk gone",
            "host's slot free": "pull while reading to host's slot free"}, "seconds",
            more="set logscale y\nset yrange [0.01:300]")),
    ]),
    Section("many", "Thirty-two drives", MANY, [
        Row("32 drives one after another", "32 drives one after another, s"),
        Row("32 drives all at once", "32 drives all at once, s", share(0.4)),
        Row("32 drives all at once, the last command answered", "all at once: last command answered, s"),
        Row("longest silence in 32 drives all at once", "all at once: longest silence of the guest, s"),
    ], [
        Plot("one-after-another.svg", "Drives in the guest, one after another",
             chart_lines("32 drives one after another", "drives", "seconds")),
        Plot("all-at-once.svg", "Drives in the guest, all at once",
             chart_lines("32 drives all at once", "drives", "seconds")),
    ]),
    Section("memory", "The guest's memory", MEMORY, memory_rows(), [
        Plot("first-hot-add.svg", "First hot-add by the guest's memory",
             chart_lines("first hot-add by memory", "GiB", "seconds")),
        Plot("silence.svg", "Longest silence of the guest in it",
             chart_lines("longest silence by memory", "GiB", "seconds")),
    ]),
    Section("reads", "Reads", READS, [row for kind in READ_KINDS.values() for drive in READ_DRIVES
                                      for row in read_rows(kind, drive)], [
        Plot("reads.svg", "Reads in the guest, of the lab host's own", chart_bars({
            f"{short}, {drive}": f"{kind}, {drive}, of the lab host's own"
            for short, kind in READ_KINDS.items() for drive in READ_DRIVES}, "share of the lab host's own", HYPERVISORS,
            more="set xtics rotate by -20")),
    ]),
    Section("hot-add", "Ioctls of a hot-add", IOCTLS, None, []),
    Section("dma", "Memory mapped for DMA", DMA, [row for pages in PAGE_SIZES for row in (
        Row(f"DMA map, {pages}", f"{pages}, s a GiB"), Row(f"calls of it, {pages}", f"{pages}, calls"))], [
        Plot("dma.svg", "Memory mapped for DMA",
             chart_bars({pages: f"DMA map, {pages}" for pages in PAGE_SIZES}, "seconds a GiB")),
    ]),
]


def rows_of(section, part):
    """A section's rows; those of ioctls are whatever was counted."""
    if section.rows is not None:
        return section.rows
    return [row for what in ("a hot-add", "a hot-add of 64 vectors") for row in ioctl_rows(part["figures"], what)]
