"""Every format of a plan at 0, 1, 50 and 10,000 changes, as recorded; `RSSPOT_RECORD=1` records it anew."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rsspot.constants import VERSION
from rsspot.planner.codec import dump_plan, load_plan
from rsspot.reports.protocol import Detail
from rsspot.reports.registry import PLAN_FORMATS, REPORTS, SHORT_NAMES, plan_report_for
from rsspot.utils.text import printable
from support.amount import FULL
from support.plans import HOSTILE, SECRET, plan_of_size
from support.recorded import same_as_recorded

FOLDER = Path(__file__).parent / "recorded"
SUFFIXES = {"markdown": "md", "html": "html", "junit": "xml", "sarif": "json", "json": "json", "yaml": "yaml"}
FORMATS = tuple({**REPORTS, **PLAN_FORMATS})
SIZES = (0, 1, 50)
MANY = 10_000
FAST = tuple(name for name in FORMATS if name != "yaml" or FULL)
"""YAML is the document of JSON, and takes half a minute for that many changes: `make chaos` writes it."""
LONG = [("json", 50), ("yaml", 50), *((name, MANY) for name in FAST)]
"""What is recorded by its digest."""
SHORT = [(name, count) for name in FORMATS for count in SIZES if (name, count) not in LONG]


def rendered(name: str, count: int, **options: Any) -> str:
    """A plan of this size in a format, without what changes from version to version, or each time."""
    text = plan_report_for(name, **options).plan(plan_of_size(count))
    text = text.replace(VERSION, "VERSION")
    text = re.sub(r"scrypt:\d+:[0-9a-f]+:[0-9a-f]+", "SEAL", text)
    return re.sub(r'("?digest"?: "?)sha256:[0-9a-f]{64}', r"\1DIGEST", text)


def without_parts(page: str) -> str:
    """A page without its style, script and their hashes, which the recorded ones need not repeat."""
    page = re.sub(r"'sha256-[^']+'", "'HASH'", page)
    return re.sub(r"(<style>|<script>).*?(</style>|</script>)", r"\1\2", page, flags=re.DOTALL)


def recorded(name: str, count: int) -> str:
    """What is kept of a format: the text, without what it would only repeat."""
    text = rendered(name, count)
    return without_parts(text) if name == "html" else text


@pytest.mark.parametrize(("name", "count"), SHORT)
def test_a_format_is_as_recorded(name: str, count: int) -> None:
    """With hostile names, values and messages in every place."""
    same_as_recorded(FOLDER / f"{name}_{count}.{SUFFIXES.get(name, 'txt')}", recorded(name, count) + "\n")


@pytest.mark.parametrize(("name", "count"), LONG)
def test_a_long_format_is_as_recorded(name: str, count: int) -> None:
    """By its digest: the text itself would fill thousands of lines."""
    text = recorded(name, count)
    told = f"{len(text)} characters, {len(text.splitlines())} lines, {hashlib.sha256(text.encode()).hexdigest()}\n"
    same_as_recorded(FOLDER / f"{name}_{count}.txt", told)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("detail", list(Detail))
def test_no_format_shows_a_secret(name: str, detail: Detail) -> None:
    """Neither of an object to create, nor one that is replaced by another."""
    text = rendered(name, 50, detail=detail, verbose=True)
    assert SECRET not in text
    if name not in ("sarif",) and detail is not Detail.COMPACT:
        assert "(secret #1)" in text


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_text_that_obeys_nobody(name: str) -> None:
    """No character moves a cursor, turns text around or hides; no line is a command to a runner of workflows."""
    lines = rendered(name, 50).split("\n")
    if name == "html":
        lines = without_parts("\n".join(lines)).split("\n")
    assert [line for line in lines if not line.isprintable()] == []
    assert [line for line in lines if line.lstrip().startswith("::")] == []


@pytest.mark.parametrize("name", [*FORMATS, *SHORT_NAMES])
@pytest.mark.parametrize("count", SIZES)
def test_a_saved_plan_is_shown_as_it_was_made(name: str, count: int) -> None:
    """Byte by byte, but for surrogates, which no JSON file can hold."""
    plan = plan_of_size(count)
    saved = json.loads(json.dumps(dump_plan(plan)))
    again = plan_report_for(name).plan(load_plan(saved))
    assert again == plan_report_for(name).plan(plan)


@pytest.mark.parametrize("name", FAST)
def test_the_work_grows_with_the_plan_and_no_faster(name: str) -> None:
    """Counted in calls, not in time: ten times the changes are ten times the work."""
    few, many = calls(name, 100), calls(name, 1_000)
    assert many < 11 * few


def calls(name: str, count: int) -> int:
    """How many functions are called to render a plan of this size."""
    plan, report, made = plan_of_size(count), plan_report_for(name), 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal made
        made += event == "call"

    report.plan(plan_of_size(1))
    sys.setprofile(note)
    try:
        report.plan(plan)
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("count", SIZES)
def test_json_is_valid_by_the_schema_that_is_shipped(count: int) -> None:
    """With past prices too, which only plans for a page have."""
    schema = json.loads((files("rsspot.planner") / "plan.schema.json").read_text(encoding="utf-8"))
    document = json.loads(plan_report_for("json").plan(plan_of_size(count)))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert ("past" in document.get("cost", {})) is bool(count)


def test_every_hostile_text_is_somewhere_in_the_text_report() -> None:
    """Escaped, and not left out."""
    text = rendered("text", 50, detail=Detail.FULL)
    assert [each for each in HOSTILE if printable(each) not in text] == []
