"""Text for people: suggestions for mistyped words, and escaping for terminals."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str], *, closeness: float = 0.6) -> str | None:
    """A suggestion naming the closest known word, or None if none is close. closeness: from 0 to 1 (same word)."""
    import difflib

    choices = list(known)
    folded = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=closeness)
    return f"did you mean {folded[close[0]]!r}?" if close else None


def printable(text: str) -> str:
    """Escape text that contains control or invisible characters, so that it cannot manipulate a terminal."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
