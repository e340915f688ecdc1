"""Lengths of time as people type them."""

from __future__ import annotations

import pytest

from rsspot.utils.durations import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("12h", 43_200),
        ("30d", 2_592_000),
        ("8w", 4_838_400),
        ("1h30m", 5_400),
        ("1.5h", 5_400),
    ],
)
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    """In every unit, and in several."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1 d", "1D", "1y", "1d2", "1dd", "1e3s", "٣d", "9" * 400 + "d"])
def test_anything_else_is_refused(text: str) -> None:
    """Also what would be a number beyond all others."""
    with pytest.raises(ValueError, match="is not a valid duration"):
        seconds_of(text)
