"""A cloudspace and its pools written short, and what the guards say of a plan that makes one world of them another."""

from __future__ import annotations

from dataclasses import replace

from rsspot.errors import Problem
from rsspot.manifests.manifest import Manifest
from rsspot.planner.case import Rule
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import Document
from support.stacks import wanted_of, world_of

Stack = dict[tuple[str, str, str], Document]
SPACE: Document = {"region": "dfw", "kubernetesVersion": "1.33.0"}
POOL: Document = {"cloudSpace": "edge", "serverClass": "gp.small", "desired": 1, "bidPrice": "0.03"}
EDGE: Stack = {("CloudSpace", "edge", ""): SPACE}


def pool(name: str, **fields: object) -> Stack:
    """A spot pool of the cloudspace."""
    return {("SpotNodePool", name, "edge"): {**POOL, **fields}}


def space(**fields: object) -> Stack:
    """The cloudspace with other fields; one that is None is left out."""
    return {("CloudSpace", "edge", ""): {key: value for key, value in {**SPACE, **fields}.items() if value is not None}}


def planned(wanted: Stack | list[Manifest], world: LiveState, **options: object) -> Plan:
    """The plan of a stack."""
    manifests = wanted if isinstance(wanted, list) else wanted_of(wanted)
    chosen = PlanOptions(**{"most_deletes": 99, **options})  # type: ignore[arg-type]
    return build(manifests, world, kinds(), stack="default", scope="tests", options=chosen)


def said(rule: Rule, wanted: Stack | list[Manifest], live: Stack | LiveState, **options: object) -> list[str]:
    """The objections of one rule."""
    return [each.message for each in objections(rule, wanted, live, **options)]


def objections(rule: Rule, wanted: Stack | list[Manifest], live: Stack | LiveState, **options: object) -> list[Problem]:
    """The same with their places and ways out."""
    world = live if isinstance(live, LiveState) else world_of(live)
    return [each for each in planned(wanted, world, **options).refusals if each.rule is rule]


def classes(world: LiveState, **specs: Document) -> LiveState:
    """The world with other fields in its classes: `small` is the class gp.small."""
    changed = {
        f"gp.{name}": {"metadata": {"name": f"gp.{name}"}, "spec": {"minBidPricePerHour": "0.01", **spec}}
        for name, spec in specs.items()
    }
    return replace(world, live={**world.live, "ServerClass": {**world.live["ServerClass"], **changed}})
