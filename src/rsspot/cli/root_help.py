"""The help of `rsspot` itself, laid out as the parser lays out that of a command, but without importing the parser."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from rsspot.cli.command_table import help_of, names
from rsspot.cli.examples import EXAMPLES
from rsspot.cli.options import GLOBAL_OPTIONS

TITLE = "Rackspace Spot: plan and apply YAML manifests, list and inspect live objects."
OPTIONS = (("--version", "Show the version."), ("-h, --help", "Show this message and exit."))
WIDEST = 80
"""Columns; longer lines are hard to read. The parser has the same limit."""
WIDEST_TERM = 30
"""Columns of the left side of a list. The description of a longer term starts on the next line."""


def root_help(width: int) -> str:
    """The whole text, for a terminal with this many columns."""
    width = min(width, WIDEST) - 2
    commands = [(name, help_of(name) or "") for name in names()]
    lines = ["Usage: rsspot [OPTIONS] COMMAND [ARGS]...", "", *_wrapped(TITLE, width, "  "), ""]
    lines += _section("Options", OPTIONS, width) + _section("Commands", commands, width)
    lines += ["Examples:", *(f"  {example}" for example in EXAMPLES[""]), ""]
    shown = [option.help_record for option in GLOBAL_OPTIONS if option.help]
    lines += _section("Global options, accepted anywhere on the line", shown, width)
    return "\n".join(lines[:-1])


def terminal_width() -> int:
    """The columns of the terminal; 80 if there is none."""
    try:
        return int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        pass
    for descriptor in (1, 2, 0):
        try:
            return os.get_terminal_size(descriptor).columns or WIDEST
        except OSError:
            continue
    return WIDEST


def _section(title: str, rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    pairs = list(rows)
    left = min(max(len(term) for term, _ in pairs), WIDEST_TERM) + 4
    lines = [f"{title}:"]
    for term, text in pairs:
        first, *more = _wrapped(text, width, " " * left)
        head = f"  {term}"
        lines += [head, first] if len(head) > left - 2 else [head.ljust(left) + first[left:]]
        lines += more
    return [*lines, ""]


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return [indent + line for line in _lines(text, max(width - len(indent), 10))]


def _lines(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
