"""What of a command line the history may keep. Every word is hidden unless its meaning is known to be harmless.

Two nets, one behind the other. By meaning: the value of an option or argument is hidden unless its declaration is
marked, `shown(typer.Option(…))` or `name: Annotated[str, SHOWN]`. By look: even a marked value is hidden if it may be
a key or a password. Stores nothing, and parses nothing: `cli.recording` says what each word means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeVar

PLAIN = re.compile(r"\.{1,2}/?|(\.{0,2}/)?[a-z0-9]([a-z0-9./_-]{0,62})?")
"""Names of commands, objects, files and folders. They are short and in lower case, unlike most tokens."""
NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")
LONG_RUN = re.compile(r"[a-z0-9]{20,}")
"""A run of letters and digits this long may be a key."""
HIDDEN = "***"
SHOWN: Final = "shown in the history"
"""Marks an option or argument whose value is never secret: `name: Annotated[str, SHOWN]`."""

T = TypeVar("T")


def shown(declaration: T) -> T:
    """Mark the declaration of an option or argument whose value is never secret: `shown(typer.Option(…))`."""
    vars(declaration)[SHOWN] = True
    return declaration


def is_shown(declaration: Any) -> bool:
    """Whether a declaration or an annotation is marked."""
    return SHOWN in getattr(declaration, "__metadata__", ()) or SHOWN in getattr(declaration, "__dict__", {})


class Word(NamedTuple):
    """One word of a command line.

    ours: a word or beginning of our own, such as `plan` or `--out=` · value: what follows that its user chose, if
    anything · shown: whether what it means is never secret
    """

    ours: str = ""
    value: str | None = None
    shown: bool = False


def redacted(words: Iterable[Word]) -> str:
    """The command line with every word masked that may be secret."""
    return " ".join(_redacted(word) for word in words)


def _redacted(word: Word) -> str:
    if word.value is None:
        return word.ours
    return word.ours + (word.value if word.shown and _plain(word.value) else HIDDEN)


def _plain(text: str) -> bool:
    return bool(NUMBER.fullmatch(text) or (PLAIN.fullmatch(text) and not LONG_RUN.search(text)))
