"""A long list is written in pieces, which together are what one piece would be."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import yaml

from rsspot.utils.output import STEP, Plain, as_json, as_yaml, render
from support.counting_calls import calls_counted

MANY = STEP * 3 + 1
ROWS: list[dict[str, Any]] = [{"name": f"pool-{number}", "note": "a: b", "won": number} for number in range(MANY)]


@pytest.mark.parametrize("parsed", [True, False])
@pytest.mark.parametrize(("output", "write"), [("json", as_json), ("yaml", as_yaml)])
@pytest.mark.parametrize("count", [0, 1, STEP, STEP + 1, STEP * 2, MANY])
def test_the_pieces_of_a_list_are_the_list(output: str, write: Any, count: int, parsed: bool) -> None:
    """Wherever a piece ends."""
    rows = ROWS[:count]
    text = "".join(render(Plain(rows, parsed=parsed), output))
    assert text == write(rows)
    assert (json.loads if output == "json" else yaml.safe_load)(text) == rows


@pytest.mark.parametrize("count", [1, STEP, STEP + 1, MANY])
def test_the_pieces_of_csv_have_one_heading(count: int) -> None:
    """And a line for each row."""
    text = "".join(render(Plain(ROWS[:count]), "csv"))
    read = list(csv.DictReader(io.StringIO(text)))
    assert read == [{name: str(value) for name, value in row.items()} for row in ROWS[:count]]


@pytest.mark.parametrize("output", ["json", "yaml", "csv"])
def test_the_first_lines_do_not_wait_for_the_last_ones(output: str) -> None:
    """What is printed first costs a part of the whole."""
    pieces = render(Plain(ROWS), output)
    with calls_counted() as first:
        assert next(pieces)
    with calls_counted() as rest:
        assert list(pieces)
    assert first.total() < rest.total()


def test_json_that_is_cut_off_does_not_look_complete() -> None:
    """A reader that got some of the pieces cannot take them for the list."""
    *some, _ = render(Plain(ROWS), "json")
    with pytest.raises(ValueError, match="Expecting"):
        json.loads("".join(some))
