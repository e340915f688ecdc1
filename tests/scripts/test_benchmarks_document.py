"""docs/benchmarks.md and its picture are what `make benchmarks` writes: their structure, whatever the figures are."""

import re
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
COST = {"cpu": 2.0, "wall": 3.0, "memory": 40.0, "server": 0.5, "first": 0.25}
SIZES = (10, 1_000, 2_000, 10_000)
TOOLS = ("rsspot", "object by object", "kubectl", "ansible")
PROFILES = ("plan", "plan, all changed", "apply", "apply, by the clock")
CALLS = ("one GET, async, to a model", "one GET, sync, to a model", "100 GETs at once")


def results() -> dict[str, list[dict[str, object]]]:
    """What the benchmarks of one rsspot print."""
    plans = [{"what": what, "objects": size, "requests": 10} for what in ("bare", "plan", "changed") for size in SIZES]
    plans += [{"what": "start", "objects": 2_000, "cpu": 0.5}]
    compared = [{"what": what, "tool": tool, "objects": 1_000} for what in ("create", "compare") for tool in TOOLS]
    called = [{"what": what, "tool": tool} for what in CALLS for tool in ("rsspot", "httpx")]
    return {
        "startup": [{"what": "rsspot --help", "milliseconds": 30.0, "instructions": 113_000_000}],
        "plan": [COST | each for each in plans],
        "apply": [{"what": "creates", "objects": 1_000, "ideal": 1.5625} | COST],
        "lists": [{"what": what, "objects": 10_000} | COST for what in ("bare", "json", "yaml", "table", "csv")],
        "sdk": [*(COST | each for each in called), MODELS],
        "beside": [COST | each for each in compared],
        "released": [{"what": "GET of a pool by the SDK", "tool": tool} | COST for tool in ("0.3.0", "rsspot")],
        "rooms": [{"what": what, "room": "rsspot.state", "share": 0.25} for what in PROFILES],
    }


MODELS = {"what": "memory", "kind": "models", "objects": 10_000, "kept": 36.0, "peak": 41.0}
MACHINE = {"processors": 2, "model": "a processor", "memory": 8, "system": "Linux 6", "python": "3.11.2"}


@pytest.fixture
def found():
    """All results of one run, with those of an earlier commit."""
    return {
        "machine": MACHINE,
        "versions": {"rsspot": "1.0.0"},
        "load": 0.5,
        "commit": "4567def",
        "now": results(),
        "before": {"commit": "0123abc", **results()},
        "simulator": "among 10,000 pools",
    }


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return import_module


def structure(page: str) -> list[str]:
    """The headings of a page and the heads of its tables."""
    lines = page.splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if re.fullmatch(r"\|(---\|)+", line)}
    return [line for number, line in enumerate(lines) if line.startswith("#") or number in heads]


def test_the_page_has_the_structure_that_is_written(module, found):
    """The same sections and tables, in the same order."""
    written = module("document").page(found)
    assert structure((ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")) == structure(written)


def test_the_page_first_says_that_seconds_are_not_stable(module, found):
    """And names neither a machine nor a folder."""
    committed = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for page in (committed, module("document").page(found)):
        assert page.splitlines()[2].startswith("Seconds on this page are not stable")
        assert not re.search(r"/(home|root|tmp|usr|work)/", page)


def test_a_missed_aim_is_told_with_its_amount_and_a_way(module, found):
    """An aim that is met is not."""
    told = list(module("aims").missed(found["now"]))
    aims = {aim.subject: aim for aim in module("aims").AIMS}
    ledger = "apply, 1,000 creates: the ledger's share of the client's CPU"
    assert f"{ledger}: 25 %, 2.50 times the aim of 10.00 %. {aims[ledger].way}." in told
    assert not [each for each in told if each.startswith("10,000 typed models")]


def test_what_was_not_measured_is_left_out(module, found):
    """Without an earlier commit, and without tools that are not installed."""
    found["before"] = {}
    found["now"]["beside"] = [each for each in found["now"]["beside"] if each["tool"] == "rsspot"]
    found["now"]["beside"].append({"what": "skipped", "tool": "kubectl"})
    found["now"]["released"] = [{"what": "skipped", "tool": "rsspot 0.3.0"}]
    page = module("document").page(found)
    assert "kubectl was skipped: it is not installed." in page
    assert "It was skipped: rsspot 0.3.0 is not installed." in page
    assert "| plan of 1,000 pools beside kubectl diff: times as fast | ≥ 20 × |  |  | not measured |" in page


def test_the_picture_has_a_line_for_each_tool(module, found):
    """With its name at its end, and what it shows in words."""
    growth = module("growth")
    lines = growth.lines_of(found)
    drawn = ElementTree.fromstring(growth.drawing(found))
    named = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}path"))) == len(lines) == 6
    assert lines.keys() <= named
    assert drawn[0].text == growth.TITLE


def test_the_committed_picture_is_one(module):
    """It can be read, and says what it shows."""
    drawn = ElementTree.parse(ROOT / "docs" / "benchmarks.svg").getroot()
    assert drawn[0].text == module("growth").TITLE
