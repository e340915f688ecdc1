"""Reports as a user asks for them: many files from one read, saved plans shown offline, and what is refused."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from support.shell import Command

STACK = """apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: mine}
spec: {}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-2, webhook: "https://hooks.example.com/canary-9c41"}
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers, labels: {team: red}}
spec: {cloudSpace: edge, serverClass: gp.vs2.medium-dfw2, desired: 2, bidPrice: 0.06}
"""
FILE = Path("stack.yaml")
EVERY = ("text", "markdown", "html", "sarif", "junit", "json", "yaml")


@pytest.fixture(autouse=True)
def stack(here: Path) -> None:
    FILE.write_text(STACK)


def test_many_reports_come_from_one_read(rsspot: Command) -> None:
    """With the requests of a plan without any."""
    alone = rsspot("plan stack.yaml -v")
    many = rsspot("plan stack.yaml -v " + " ".join(f"--report {name}=out/{name}" for name in EVERY))
    assert alone.count("GET /") == many.count("GET /") > 0
    assert sorted(path.name for path in Path("out").iterdir()) == sorted(EVERY)
    for name in EVERY:
        assert stat.S_IMODE(Path("out", name).stat().st_mode) == 0o600
        assert "workers" in Path("out", name).read_text() or name == "sarif"
        assert "canary" not in Path("out", name).read_text()


@pytest.mark.parametrize("name", [*EVERY, "md"])
def test_a_saved_plan_is_shown_as_it_was_written(rsspot: Command, name: str) -> None:
    """Byte by byte, and without a single request."""
    rsspot(f"plan stack.yaml --report json=plan.json --report {name}=report")
    shown, written = rsspot(f"show plan.json -o {name}"), Path("report").read_text()
    if name in ("json", "yaml"):
        # The seal of a secret is another one each time.
        shown, written = (re.sub(r"scrypt:[^\s\"]+", "SEAL", text) for text in (shown, written))
    assert shown == written
    assert "GET" not in rsspot(f"show plan.json -o {name} -v").removeprefix(shown)


def test_a_plan_of_out_is_shown(rsspot: Command) -> None:
    """As `plan` printed it."""
    printed = rsspot("plan stack.yaml --out plan.json")
    assert rsspot("show plan.json") == printed
    assert rsspot("show plan.json --compact") == rsspot("plan stack.yaml --compact")
    assert rsspot("show plan.json --full") == rsspot("plan stack.yaml --full")
    assert json.loads(rsspot("show plan.json -o json"))["digest"] == json.loads(Path("plan.json").read_text())["digest"]


@pytest.mark.parametrize("option", ["--report md", "--report md=-", "-o md", "-o markdown", "--report markdown"])
def test_a_report_may_take_the_place_of_the_printed_plan(rsspot: Command, option: str) -> None:
    """By only its name, by a hyphen, or as the output format."""
    assert rsspot(f"plan stack.yaml {option}").startswith("<!-- rsspot:plan:mine -->\n")


def test_past_prices_are_kept_only_for_a_page(rsspot: Command) -> None:
    """And then a saved plan has them too, so that they are drawn later."""
    rsspot("plan stack.yaml --report json=without.json")
    rsspot("plan stack.yaml --report html=plan.html --out with.json")
    without, with_prices = (json.loads(Path(name).read_text())["cost"] for name in ("without.json", "with.json"))
    assert {"bids", "past"}.isdisjoint(without)
    assert with_prices["bids"] == [
        {"address": "spotnodepool/edge/workers", "serverClass": "gp.vs2.medium-dfw2", "before": None, "after": "0.06"}
    ]
    assert len(with_prices["past"]["gp.vs2.medium-dfw2"]) > 600
    assert Path("plan.html").read_text() == rsspot("show with.json -o html")
    assert "Prices and bids" in rsspot("show with.json -o html")
    assert "Prices and bids" not in rsspot("show without.json -o html")


def test_a_saved_plan_with_past_prices_can_be_applied(rsspot: Command) -> None:
    """They are no part of what it does."""
    rsspot("plan stack.yaml --report html=plan.html --out plan.json")
    assert "exit=0" in rsspot("apply --plan plan.json --yes --wait none")


def test_a_refused_plan_is_written_too(rsspot: Command) -> None:
    """With why it is refused, and what would be gone; the code is that of the refusal."""
    rsspot("apply stack.yaml --yes --wait none")
    FILE.write_text(STACK.replace("us-central-dfw-2", "us-central-dfw-1").replace("dfw2", "dfw"))
    options = " ".join(f"--report {name}={name}" for name in EVERY)
    told = rsspot(f"plan stack.yaml --max-deletes 0 {options}", 5)
    assert told.rstrip().endswith("nothing was sent")
    for name in EVERY:
        assert "--max-deletes" in Path(name).read_text(), name
    levels = [each["level"] for each in json.loads(Path("sarif").read_text())["runs"][0]["results"]]
    assert {"error", "warning"} == set(levels)
    assert "<failure " in Path("junit").read_text()


def test_sarif_of_a_refused_plan_is_one_document(rsspot: Command) -> None:
    """Nothing else is printed beside it."""
    FILE.write_text(STACK.replace("0.06", "0.001"))
    run = json.loads(rsspot("plan stack.yaml -o sarif", 5))["runs"][0]
    assert run["results"]


@pytest.mark.parametrize("command", ["apply stack.yaml --yes --wait none", "destroy stack.yaml --yes --wait none"])
def test_a_run_writes_the_plan_that_it_carries_out(rsspot: Command, command: str) -> None:
    """Also where it prints only events."""
    rsspot("apply stack.yaml --yes --wait none")
    FILE.write_text(STACK.replace("desired: 2", "desired: 3"))
    rsspot(f"{command} -o json --report md=plan.md --report html=plan.html")
    assert "spotnodepool/edge/workers" in Path("plan.md").read_text()
    assert Path("plan.html").read_text().startswith("<!doctype html>")


def test_drift_is_written_in_every_format(rsspot: Command) -> None:
    """By a plan that compares with the last apply alone."""
    rsspot("apply stack.yaml --yes --wait none")
    rsspot("spotnodepools patch edge/workers '{\"desired\": 5}'")
    rsspot("plan stack.yaml --refresh-only --report md=drift.md --report html=drift.html --report json=drift.json")
    assert "1 drifted" in Path("drift.md").read_text()
    assert '"verb":"drifted"' in Path("drift.html").read_text()
    assert "1 drifted" in rsspot("show drift.json")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("plan stack.yaml --report makrdown=x", "did you mean 'markdown'?"),
        ("plan stack.yaml --report github=x", "unknown format 'github' of a report"),
        ("plan stack.yaml --report md=", "names no file"),
        ("plan stack.yaml --report md=a --report html=a", "the same file"),
        ("plan stack.yaml --report md --report html", "only one report can go to standard output"),
        ("plan stack.yaml --report md -o json", "only one report can go to standard output"),
        ("plan stack.yaml --report md=stack.yaml/x", "cannot write stack.yaml/x"),
        ("plan stack.yaml --compact --full", "cannot combine --compact with --full"),
        ("apply stack.yaml --yes --report md", "standard output is for the run"),
        ("destroy stack.yaml --yes --report html", "standard output is for the run"),
        ("apply stack.yaml --yes -o markdown", "a plan or a run cannot be printed with -o markdown"),
        ("show stack.yaml", "not a saved plan"),
        ("show nothing.json", "cannot read"),
        ("show plan.json -o csv", "a saved plan cannot be printed with -o csv"),
        ("regions list -o html", "-o html is for plans and runs"),
        ("regions list -o mermaid", "-o mermaid is for pictures"),
    ],
)
def test_what_cannot_be_is_a_usage_error(rsspot: Command, line: str, said: str) -> None:
    """It says what would do."""
    assert said in rsspot(line, 3)


def test_an_unknown_format_is_refused_before_anything_is_read(rsspot: Command) -> None:
    """Neither a manifest nor the service."""
    told = rsspot("plan nothing.yaml --report nonsense=x -v", 3)
    assert "cannot read" not in told and "0 requests" in told


def test_a_report_never_replaces_half_a_file(rsspot: Command) -> None:
    """What was there stays until all of it is written, and no other file is left."""
    Path("plan.md").write_text("before")
    rsspot("plan stack.yaml --report md=plan.md")
    assert Path("plan.md").read_text().endswith("\n")
    assert {path.name for path in Path().iterdir()} == {"stack.yaml", "plan.md"}
