"""Draws how the cost of a plan grows with the number of objects: both axes in powers of ten, a line for each tool."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from rsspot.reports.svg import element, number, picture, standalone, text

WIDTH, HEIGHT = 760.0, 400.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 190.0, 20.0, 40.0
"""Around the plot: room for its axes, and on the right for the names of the lines."""
GAP = 15.0
"""Between two names."""
INKS = ("--price", "--before", "--ink", "--bid", "--create", "--delete")
TITLE = "CPU seconds to compare a stack of which nothing differs, by its number of objects"
Line = Mapping[int, float]


def lines_of(found: Mapping[str, Any]) -> dict[str, Line]:
    """What is drawn: name -> objects -> CPU seconds."""
    now, earlier = found["now"]["plan"], found["before"].get("plan", ())
    lines = {
        "rsspot plan": {each["objects"]: each["cpu"] for each in now if each["what"] == "plan"},
        "rsspot plan, before": {each["objects"]: each["cpu"] for each in earlier if each["what"] == "plan"},
        "fetch and parse only": {each["objects"]: each["cpu"] for each in now if each["what"] == "bare"},
    }
    names = {"object by object": "one GET an object", "kubectl": "kubectl diff", "ansible": "ansible --check"}
    for tool, name in names.items():
        compared = [each for each in found["now"]["beside"] if each["what"] == "compare" and each["tool"] == tool]
        lines[name] = {each["objects"]: each["cpu"] for each in compared}
    return {name: line for name, line in lines.items() if line}


class _Scale:
    """From objects and seconds to coordinates; the axes begin and end at powers of ten."""

    def __init__(self, lines: Mapping[str, Line]) -> None:
        counts = [math.log10(count) for line in lines.values() for count in line]
        seconds = [math.log10(spent) for line in lines.values() for spent in line.values()]
        self.counts = range(math.floor(min(counts)), math.ceil(max(counts)) + 1)
        self.seconds = range(math.floor(min(seconds)), math.ceil(max(seconds)) + 1)

    def x(self, count: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * _part(count, self.counts)

    def y(self, seconds: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * _part(seconds, self.seconds)


def _part(value: float, powers: range) -> float:
    return (math.log10(value) - powers[0]) / max(1, powers[-1] - powers[0])


def _grid(scale: _Scale) -> Iterator[str]:
    for power in scale.seconds:
        y = scale.y(10.0**power)
        yield element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
        yield _label(LEFT - 6, y + 4, f"{10.0**power:g} s", anchor="end")
    for power in scale.counts:
        x = scale.x(10.0**power)
        yield element("line", class_="grid", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM)
        yield _label(x, HEIGHT - BOTTOM + 18, f"{10**power:,}", anchor="middle")


def _curve(line: Line, scale: _Scale, ink: str) -> str:
    points = [f"{number(scale.x(count))} {number(scale.y(line[count]))}" for count in sorted(line)]
    return element("path", d="M" + "L".join(points), style=f"fill: none; stroke: var({ink}); stroke-width: 2")


def _names(lines: Mapping[str, Line], scale: _Scale, inks: Mapping[str, str]) -> Iterator[str]:
    """Beside the ends of the lines, from top to bottom, and never on each other."""
    ends = {name: scale.y(line[max(line)]) for name, line in lines.items()}
    lowest = TOP - GAP
    for name in sorted(ends, key=ends.__getitem__):
        lowest = max(ends[name], lowest + GAP)
        x = WIDTH - RIGHT + 24
        yield element("line", x1=x - 18, x2=x - 4, y1=lowest, y2=lowest, style=f"stroke: var({inks[name]})")
        yield _label(x, lowest + 4, name)


def _label(x: float, y: float, content: str, *, anchor: str = "start") -> str:
    return element("text", text(content), class_="label", x=x, y=y, text_anchor=anchor)


def drawing(found: Mapping[str, Any]) -> str:
    """The picture as a file."""
    lines = lines_of(found)
    scale, inks = _Scale(lines), dict(zip(lines, INKS, strict=False))
    curves = [_curve(line, scale, inks[name]) for name, line in lines.items()]
    parts = [*_grid(scale), *curves, *_names(lines, scale, inks)]
    return standalone(picture(TITLE, WIDTH, HEIGHT, *parts)) + "\n"
