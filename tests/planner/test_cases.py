"""Every file under cases/ is manifests and a live world, and the plan (or the refusal) that comes of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import Problem
from rsspot.manifests.manifest import Default
from rsspot.manifests.parse import load
from rsspot.models.costs import Rates
from rsspot.models.money import parse_price
from rsspot.models.refs import Ref
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.order import order
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.reports.text import render_plan
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.services.pricing.rates import Past, rates_of
from rsspot.services.pricing.schemas import PricePoint
from rsspot.state.ledger.protocol import OwnedObject
from rsspot.utils.serialization import Document
from rsspot.workflows.prices import with_money

ROOM = Path(__file__).parent / "cases"
FILES = sorted(ROOM.rglob("*.yaml"))
KEYS = {
    "manifests",
    "region",
    "live",
    "owned",
    "incomplete",
    "claimed",
    "recorded",
    "options",
    "plan",
    "steps",
    "refused",
}
KEYS |= {"plan", "steps", "refused", "undeclared"}
ORGANIZATION = "org-tests"
STACK = "demo"


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(ROOM).with_suffix("")) for file in FILES])
def test_case(file: Path, tmp_path: Path) -> None:
    """The plan of a case is printed as the case says, or refused in its words, and its steps are in its order."""
    case = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert set(case) <= KEYS, "a case has a key that nothing reads"
    assert {"plan", "refused", "steps"} & set(case), "a case must expect something"
    plan = plan_of(case, tmp_path)
    said = "\n".join(f"{problem} ({problem.hint})" for problem in plan.refusals)
    for part in case.get("refused", []):
        assert part in said
    if "refused" not in case:
        assert not said
    if "plan" in case:
        assert printed(plan, tmp_path) == case["plan"].rstrip("\n")
    if "undeclared" in case:
        assert [each.address for each in plan.undeclared] == case["undeclared"]
    if "steps" in case:
        assert [f"{step.verb} {step.change.address}" for step in order(plan.changes)] == case["steps"]


def test_every_objection_names_a_way_out(tmp_path: Path) -> None:
    """Whoever is refused is told what to do next, and a program by which rule."""
    cases = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in FILES]
    refusals = [each for case in cases if "refused" in case for each in plan_of(case, tmp_path).refusals]
    silent = {problem.rule for problem in refusals if not problem.hint}
    assert not silent
    assert Problem("").rule not in {problem.rule for problem in refusals}


def test_there_is_a_case_for_every_subject() -> None:
    """No folder of cases is empty, so that none is forgotten in a move."""
    assert {folder.name for folder in ROOM.iterdir()} == {file.parent.name for file in FILES}


def plan_of(case: Document, folder: Path) -> Plan:
    """The plan of a case."""
    wanted = []
    # Limits of their own keep most cases to one subject.
    chosen = {"most_deletes": 100, **case.get("options", {})}
    options = PlanOptions(**{name: tuple(each) if isinstance(each, list) else each for name, each in chosen.items()})
    if case.get("manifests"):
        file = folder / "stack.yaml"
        file.write_text(case["manifests"], encoding="utf-8")
        region = Default(case["region"], "region from the profile") if "region" in case else None
        manifests = load([file], environ={}, region=lambda _: region)
        wanted = list(manifests.manifests)
        options = with_money(options, manifests)
    return build(wanted, world_of(case), kinds(), stack=STACK, scope="tests", options=options)


def printed(plan: Plan, folder: Path) -> str:
    """The plan as people see it, without the folder it was read from; how wide its columns are is not of interest."""
    words = {name: dict(kind.words) for name, kind in kinds().items()}
    lines = render_plan(plan, words).replace(f"{folder}/", "").splitlines()
    return "\n".join(re.sub(r"(?<=\S) {2,}", "  ", line).rstrip() for line in lines)


def world_of(case: Document) -> LiveState:
    """What a case says is live, beside a small catalog that is always there."""
    incomplete = case.get("incomplete", {})
    live: dict[str, dict[str, Document]] = {}
    for name, written in {**catalog(), **case.get("live", {})}.items():
        objects = [live_object(kinds()[name], each) for each in written]
        live[name] = {each["metadata"]["name"]: each for each in objects}
    owned = [owned_object(each) for each in case.get("owned", [])]
    claimed = frozenset(owned_object(each).ref for each in case.get("claimed", []))
    kept = {name: objects for name, objects in live.items() if name not in incomplete}
    world = LiveState(ORGANIZATION, kept, incomplete, {each.ref: each for each in owned}, claimed)
    return replace(world, rates=rates_of_case(case, live["ServerClass"])) if "recorded" in case else world


def rates_of_case(case: Document, classes: dict[str, Document]) -> Rates:
    """The prices of the catalog, and as `recorded` what each of the last hours cost, or why that is not known."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    past: dict[str, Past] = {
        name: each
        if isinstance(each, str)
        else [PricePoint(began + timedelta(hours=hour), parse_price(price)) for hour, price in enumerate(each)]
        for name, each in case["recorded"].items()
    }
    why = case.get("incomplete", {}).get("ServerClass")
    return rates_of(() if why else classes.values(), past, unread=why)


def live_object(kind: Kind[Any], short: Document) -> Document:
    """An object written short.

    given: what its author called it · annotations: besides that · name: on the wire, worked out when left out
    stack: whose it is, null for nobody's · successor: it has the name of a surge's new object
    deleting: it is on its way out · status: READY when left out
    """
    spec = short.get("spec", {})
    name = short.get("name") or wire_name(kind, short)
    metadata: Document = {"name": name, "uid": short.get("uid", f"uid-of-{name}"), "resourceVersion": "7"}
    stack = short.get("stack", STACK)
    metadata["labels"] = {**({STACK_LABEL: stack} if stack else {}), **short.get("labels", {})}
    annotations = {**({NAME_ANNOTATION: short["given"]} if "given" in short else {}), **short.get("annotations", {})}
    if annotations:
        metadata["annotations"] = annotations
    if short.get("deleting"):
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "spec": spec}
    return body | {"status": short.get("status", READY.get(kind.name, {}))}


READY: dict[str, Document] = {
    "CloudSpace": {"APIServerEndpoint": "edge.example.com"},
    "SpotNodePool": {"bidStatus": "Fulfilled", "wonCount": 100},
    "OnDemandNodePool": {"reservedCount": 100},
    "AutopilotNodePool": {"managedVCPUs": 100},
    "VMCloudSpace": {"phase": "Ready"},
    "VMPool": {"bidStatus": "Fulfilled", "wonCount": 100},
}
"""The status of an object that is ready; what a case does not say is."""


def owned_object(short: Document) -> OwnedObject:
    """A row of the ledger written short: kind, given or name, spec, applied."""
    kind = kinds()[short["kind"]]
    given = short.get("given") or short["name"]
    spec = short.get("spec", {})
    ref = Ref(kind.name, short.get("name") or wire_name(kind, short))
    return OwnedObject(ref, kind.address(given, spec), short.get("uid", f"uid-of-{ref.name}"), short.get("applied", {}))


def wire_name(kind: Kind[Any], short: Document) -> str:
    """The name that rsspot itself would have chosen."""
    spec = short.get("spec", {})
    return kind.wire_name(ORGANIZATION, short["given"], spec, successor=short.get("successor", False))


def catalog() -> dict[str, list[Document]]:
    """Two regions and five classes: markets under, at and above the minimum, a deprecated one, one of elsewhere."""
    classes = [
        ("gp.small", "dfw", "0.01", "0.001", "available"),
        ("gp.medium", "dfw", "0.01", "0.029", "available"),
        ("gp.large", "dfw", "0.02", "0.05", "available"),
        ("gp.small", "iad", "0.01", "0.001", "available"),
        ("bm.old", "dfw", "", "0.10", "deprecated"),
    ]
    return {
        "Region": [{"name": "dfw", "stack": None}, {"name": "iad", "stack": None}],
        "ServerClass": [
            {
                "name": f"{base}-{region}",
                "stack": None,
                "spec": {
                    "region": region,
                    "minBidPricePerHour": minimum,
                    "availability": state,
                    "onDemandPricing": {"cost": "0.05", "interval": "1h"} if minimum else {},
                },
                "status": {"spotPricing": {"marketPricePerHour": market}},
            }
            for base, region, minimum, market, state in classes
        ],
    }
