# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The page's plots: SVG, by gnuplot."""

import subprocess

COLOURS = {"hotbay": "#0b6e4f", "qemu": "#c1440e", "qemu-newer": "#e08e45", "host": "#5c6b73"}
TERMINAL = "set terminal svg size 720,400 font 'sans,12' background '#ffffff'"


def quoted(text):
    """As gnuplot takes it word for word."""
    return "'" + text.replace("'", "''") + "'"


def draw(path, script, blocks):
    """Runs gnuplot with blocks of data, by name, and then the script."""
    data = "".join(f"${name} << EOD\n" + "".join(" ".join(map(str, row)) + "\n" for row in rows) + "EOD\n"
                   for name, rows in blocks.items())
    setting = f"{TERMINAL}\nset output {quoted(path)}\nset border 3\nset tics nomirror\nset key above\n"
    subprocess.run(["gnuplot"], input=f"{setting}{data}{script}\n", text=True, check=True)


def lines(path, titles, axes, series, more=""):
    """Lines over a number: series is hypervisor to points."""
    blocks = {f"d{number}": points for number, points in enumerate(series.values())}
    plots = [f"$d{number} with linespoints pt 7 ps 0.5 lw 2 lc rgb '{COLOURS[kind]}' title {quoted(titles[kind])}"
             for number, kind in enumerate(series)]
    draw(path, f"set xlabel {quoted(axes[0])}\nset ylabel {quoted(axes[1])}\nset yrange [0:*]\nset grid y\n{more}\n"
               f"plot {', '.join(plots)}", blocks)


def bars(path, titles, axis, groups, values, more=""):
    """Bars in groups: values is hypervisor to one figure a group, None where there is none."""
    rows = [[f'"{group}"', *("NaN" if values[kind][place] is None else values[kind][place] for kind in values)]
            for place, group in enumerate(groups)]
    plots = [f"$d using {column}:xtic(1) lc rgb '{COLOURS[kind]}' title {quoted(titles[kind])}"
             for column, kind in enumerate(values, 2)]
    draw(path, "set style data histograms\nset style histogram cluster gap 1\nset style fill solid\n"
               f"set ylabel {quoted(axis)}\nset yrange [0:*]\nset grid y\n{more}\nplot {', '.join(plots)}",
         {"d": rows})
