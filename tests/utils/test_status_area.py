"""Lines at the bottom of a terminal are replaced in place, and taken away before anything else is printed."""

from __future__ import annotations

import io

import pytest

from rsspot.utils.status_area import StatusArea
from rsspot.utils.streams import SafeStream
from rsspot.utils.text import columns, shortened

CLEAR = "\r\x1b[J"


class Terminal(io.StringIO):
    """Text that believes to be on a terminal."""

    def isatty(self) -> bool:
        return True


def drawn(area: StatusArea, *lines: str, width: int = 80) -> str:
    """What is written to show lines."""
    written: list[str] = []
    area.draw(lines, width, written.append)
    return "".join(written)


def test_lines_replace_each_other() -> None:
    """The cursor goes up to the first of them and erases from there."""
    area = StatusArea()
    assert drawn(area, "one", "two") == "one\ntwo"
    assert drawn(area, "three") == "\r\x1b[1A\x1b[Jthree"
    assert drawn(area, "four") == f"{CLEAR}four"
    assert drawn(area) == CLEAR


def test_the_same_lines_are_not_written_again() -> None:
    """Unless the terminal has another width."""
    area = StatusArea()
    drawn(area, "one")
    assert drawn(area, "one") == ""
    assert drawn(area, "one", width=40) == f"{CLEAR}one"


def test_lines_are_cut_to_the_terminal() -> None:
    """A line that wraps could not be replaced."""
    assert drawn(StatusArea(), "x" * 100, width=20) == "x" * 16 + "..."
    assert drawn(StatusArea(), "x" * 100, width=2) == "."


def test_a_narrower_terminal_has_wrapped_what_was_shown() -> None:
    """All of its rows are erased."""
    area = StatusArea()
    drawn(area, "x" * 79)
    assert drawn(area, "y" * 79, width=40) == f"\r\x1b[1A\x1b[J{'y' * 36}..."


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("abcdef", 5), ("日本語日本語", 7), ("日本語", 2), ("", 0)])
def test_shortened_text_fits(text: str, width: int) -> None:
    """Counted in columns, not in characters."""
    assert columns(shortened(text, width)) <= max(width, 0)


def test_what_is_printed_takes_the_lines_away() -> None:
    """On either stream of the terminal."""
    terminal, area = Terminal(), StatusArea()
    out, err = SafeStream(terminal, area), SafeStream(terminal, area)
    out.draw(["bar"])
    err.write("warning\n")
    out.draw(["bar"])
    out.write("RECAP\n")
    assert terminal.getvalue() == f"bar{CLEAR}warning\nbar{CLEAR}RECAP\n"


def test_nothing_is_drawn_into_an_unfinished_line() -> None:
    """A prompt stays where it is."""
    terminal = Terminal()
    out = SafeStream(terminal, StatusArea())
    out.write("Type 'yes': ")
    out.draw(["bar"])
    assert terminal.getvalue() == ""


def test_drawn_lines_are_harmless() -> None:
    """Whoever wrote them: a note may come from the service."""
    terminal = Terminal()
    SafeStream(terminal).draw(["a\x1b[31m\r\nb"])
    assert terminal.getvalue() == "a\\x1b[31m\\r\\nb"


def test_a_terminal_that_went_away_ends_drawing() -> None:
    """The run goes on."""

    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise OSError(5, "gone")

    out = SafeStream(Gone())
    out.draw(["bar"])
    out.draw(["bar 2"])
    assert isinstance(out.failure, OSError)
