"""Words for people: suggestions for a mistyped word, and text that is safe to print."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str], *, closeness: float = 0.6) -> str | None:
    """A sentence naming the closest known word, or None when nothing is close. closeness: 1 is the same word."""
    import difflib

    choices = list(known)
    folded = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=closeness)
    return f"did you mean {folded[close[0]]!r}?" if close else None


def printable(text: str) -> str:
    """A text that cannot move a terminal's cursor, color it or hide behind it."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
