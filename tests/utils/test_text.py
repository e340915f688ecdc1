"""Text for terminals: what is escaped, and how many columns it fills."""

from __future__ import annotations

import pytest

from rsspot.utils.text import columns, padded, printable, starts_command


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Zoë 東京", "Zoë 東京"),
        ("Zoë\n\x1b[2J", "Zoë\\n\\x1b[2J"),
        ("\x9b31m\x7f\u202e\u200b\U000e0001", "\\x9b31m\\x7f\\u202e\\u200b\\U000e0001"),
        ("byte \udcff", "byte \\udcff"),
    ],
)
def test_only_what_cannot_be_seen_is_escaped(text: str, shown: str) -> None:
    """Letters of any language stay as they are."""
    assert printable(text) == shown


@pytest.mark.parametrize(("text", "count"), [("ab", 2), ("東京", 4), ("e\u0301", 1), ("", 0), ("\u0301", 0)])
def test_columns_of_a_terminal(text: str, count: int) -> None:
    """East Asian characters fill two, combining marks none."""
    assert columns(text) == count
    assert columns(padded(text, 6)) == 6


@pytest.mark.parametrize(("line", "obeyed"), [("::error::x", True), ("  ::error::x", True), ("a ::error::x", False)])
def test_lines_that_a_workflow_runner_obeys(line: str, obeyed: bool) -> None:
    """A runner of GitHub passes over leading spaces."""
    assert starts_command(line) is obeyed
