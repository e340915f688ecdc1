"""A few lines at the bottom of a terminal that are replaced in place, and erased before anything else is printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rsspot.utils.text import columns, shortened

ERASE_DOWN = "\x1b[J"


class StatusArea:
    """What is drawn, and how to take it away again. Streams that end up on one terminal share it."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._width = 0
        self._write: Callable[[str], None] = lambda _: None

    def draw(self, lines: Sequence[str], width: int, write: Callable[[str], None]) -> None:
        """Show printable lines in place of those shown now. width: columns of the terminal at this moment"""
        # The last column stays free: some terminals wrap as soon as it is filled.
        cut = [shortened(line, max(1, width - 1)) for line in lines]
        if (cut, width) == (self._lines, self._width):
            return
        text = self._erasing(width) + "\n".join(cut)
        self._lines, self._width, self._write = cut, width, write
        write(text)

    def erase(self) -> None:
        """Take away what is shown, so that the cursor is where it was before."""
        if self._lines:
            text = self._erasing(self._width)
            self._lines = []
            self._write(text)

    def _erasing(self, width: int) -> str:
        """Terminals wrap what is shown anew when they become narrower, so that it takes more rows than lines."""
        if not self._lines:
            return ""
        rows = sum(max(1, -(-columns(line) // width)) for line in self._lines)
        up = f"\x1b[{rows - 1}A" if rows > 1 else ""
        return f"\r{up}{ERASE_DOWN}"
