"""Redacts a command line for the history. Keeps only words that are certainly not secret. Stores nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

PLAIN = re.compile(r"\.{1,2}/?|(\.{0,2}/)?[a-z0-9]([a-z0-9./_-]{0,62})?")
"""Names of commands, objects, files and folders. They are short and in lower case, unlike most tokens."""
NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")
OPTION = re.compile(r"--?[a-z][a-z-]{0,30}")
LONG_RUN = re.compile(r"[a-z0-9]{20,}")
"""A run of letters and digits this long may be a key."""
SHOWN_VALUES = frozenset(
    {
        "--profile",
        "-p",
        "--org",
        "--region",
        "--output",
        "-o",
        "--wait",
        "--wait-timeout",
        "--parallelism",
        "--deadline",
    }
    | {"--max-deletes", "--stack", "--limit", "--within", "--timeout", "--port", "--seed", "--time-scale"}
)
"""Options whose values are never secret."""
HIDDEN = "***"


def redacted(arguments: Sequence[str]) -> str:
    """The command line with every word masked that may be secret."""
    words: list[str] = []
    value_of: str | None = None
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if value_of is not None and not argument.startswith("--"):
            words.append(argument if value_of in SHOWN_VALUES and _plain(argument) else _positional(argument, value_of))
            value_of = None
        elif OPTION.fullmatch(name) and equals:
            words.append(f"{name}={value if name in SHOWN_VALUES and _plain(value) else HIDDEN}")
        elif OPTION.fullmatch(argument):
            words.append(argument)
            value_of = argument
        else:
            words.append(argument if _plain(argument) else HIDDEN)
            value_of = None
    return " ".join(words)


def _positional(argument: str, option: str) -> str:
    """The word after an option. It may be the option's value, so it is kept only if the option is a known flag."""
    known_flag = option in (
        "--sandbox",
        "--yes",
        "-y",
        "-v",
        "--verbose",
        "--prune",
        "--adopt",
        "--no-color",
        "--no-cache",
    )
    return argument if known_flag and _plain(argument) else HIDDEN


def _plain(text: str) -> bool:
    return bool(NUMBER.fullmatch(text) or (PLAIN.fullmatch(text) and not LONG_RUN.search(text)))
