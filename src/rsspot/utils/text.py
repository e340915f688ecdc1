"""Text for people: suggestions for mistyped words, and what is needed to print text of others."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

COMMAND_ANYWHERE = re.compile(r"##(?=\w*\[)")
"""What CI systems take for a command wherever in a line it stands: `##[error]`, `##vso[task.setvariable …]`."""

CUT = "..."


def did_you_mean(word: str, known: Iterable[str], *, closeness: float = 0.6) -> str | None:
    """A suggestion naming the closest known word, or None if none is close. closeness: from 0 to 1 (same word)."""
    close = closest(word, known, closeness=closeness)
    return f"did you mean {close!r}?" if close is not None else None


def closest(word: str, known: Iterable[str], *, closeness: float = 0.6) -> str | None:
    """The known word that is closest, whatever its capitals; None if none is close."""
    import difflib

    folded = {choice.lower(): choice for choice in known}
    close = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=closeness)
    return folded[close[0]] if close else None


def squashed(word: str) -> str:
    """A word without the differences between `server-class`, `server_class`, `serverClass` and `serverclass`."""
    return word.replace("-", "").replace("_", "").lower()


def choices(what: str, word: str, known: Iterable[str]) -> str:
    """A hint naming the closest known word, if one is close, then all of them. what: their name in the plural"""
    names = list(known)
    everything = f"{what}: {', '.join(names) or 'none'}"
    suggestion = did_you_mean(word, names)
    return f"{suggestion} {everything}" if suggestion else everything


def listed(words: Sequence[str], between: str = ", ", most: int = 10) -> str:
    """Words in a row; of more than `most`, the first ones and how many more there are."""
    more = [f"{len(words) - most} more"] if len(words) > most else []
    return between.join([*words[:most], *more])


def printable(text: str) -> str:
    """Escape the control and invisible characters of a text, so that it stays on its line and manipulates no terminal.

    Surrogates, which stand for bytes of file names and variables that are no text, are escaped too.
    """
    if not text.isprintable():
        # A text has few different characters: to look at each of them again and again takes longer.
        for each in set(text):
            if not each.isprintable():
                text = text.replace(each, _escaped(each))
    return text


def starts_command(line: str) -> bool:
    """Whether the runner of a GitHub workflow would obey a line. It ignores spaces before the colons."""
    return line.lstrip().startswith("::")


def padded(text: str, width: int) -> str:
    """A printable text with spaces after it, so that it fills this many columns of a terminal."""
    return text + " " * (width - columns(text))


def shortened(text: str, width: int, cut: str = CUT) -> str:
    """A printable text that fills at most this many columns. cut: stands for what was cut off"""
    if columns(text) <= width:
        return text
    end, room = 0, width - columns(cut)
    while end < len(text) and (room := room - columns(text[end])) >= 0:
        end += 1
    return text[:end] + cut[: max(0, width)]


def columns(text: str) -> int:
    """How many columns of a terminal a printable text fills. East Asian characters fill two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    # Vowels and final consonants of Hangul join the letter before them.
    if unicodedata.category(character) in ("Mn", "Me", "Cf") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
