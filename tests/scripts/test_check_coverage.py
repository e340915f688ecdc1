"""The script that compares what is uncovered with the list of what may be."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from check_coverage import LIST, differences, gaps

SOURCE = """def sign(number):
    if number < 0:
        return "-"
    if number > 0:
        return "+"
    return ""


def unused():
    print("never")
    print("run")
"""


@pytest.fixture
def report(tmp_path: Path) -> dict[str, Any]:
    """What coverage.py tells of a file whose first condition never held, and of one elsewhere."""
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "signs.py").write_text(SOURCE)
    measured = {"missing_lines": [3, 10, 11], "missing_branches": [[2, 3]]}
    return {"files": {"room/signs.py": measured, "elsewhere.py": measured}}


def test_a_gap_is_where_a_branch_begins_or_a_line_is_not_run(report: dict[str, Any], tmp_path: Path) -> None:
    """Of the rooms alone; what comes of a missing branch is not told again."""
    assert gaps(report, ["room/"], tmp_path) == Counter(
        {
            ("room/signs.py", "if number < 0:"): 1,
            ("room/signs.py", 'print("never")'): 1,
            ("room/signs.py", 'print("run")'): 1,
        }
    )


def test_a_file_that_is_covered_has_no_gap(tmp_path: Path) -> None:
    """Nor one that was not measured."""
    (tmp_path / "whole.py").write_text(SOURCE)
    report = {"files": {"whole.py": {"missing_lines": [], "missing_branches": []}}}
    assert not gaps(report, ["whole.py"], tmp_path)


def test_both_sides_of_the_list_are_told() -> None:
    """Twice the same line is two gaps, of which one may be allowed."""
    line, other = ("a.py", "raise"), ("b.py", "return")
    assert differences(Counter({line: 1}), Counter({line: 1})) == []
    assert differences(Counter({line: 2}), Counter({line: 1, other: 1})) == [
        "a.py: not covered: raise",
        "b.py: covered, so it leaves the list: return",
    ]


def test_each_gap_on_the_list_is_argued_and_of_its_rooms() -> None:
    """And is a line of the code as it is now."""
    listed = tomllib.loads(LIST.read_text())
    for each in listed["allowed"]:
        assert each["reason"].strip()
        assert each["file"].startswith(tuple(listed["rooms"]))
        written = (LIST.parents[1] / each["file"]).read_text().splitlines()
        assert each["line"] in {line.strip() for line in written}
