"""The endpoints of a controller, over HTTP on loopback."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rsspot.applier.events import Recap
from rsspot.controller.endpoints import LONGEST_SILENCE, MOST_FAILURES, Endpoints, Health
from rsspot.controller.metrics import Metrics
from rsspot.controller.rounds import DesiredState, Round, RoundOutcome
from rsspot.errors import UsageError
from rsspot.manifests.manifest import ManifestSet
from rsspot.models.costs import Cost
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Change, Edit
from rsspot.planner.money import GroupCost, ObjectCost, Shift, StackCost
from rsspot.planner.plan import Plan
from rsspot.simulator.clock import ManualClock
from rsspot.wire import httpx

ROUND = Round(1, "edge", datetime(2026, 1, 1, tzinfo=UTC), RoundOutcome.IN_SYNC, seconds=0.2)


async def asked(endpoints: Endpoints, path: str) -> tuple[int, str]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{endpoints.port}{path}")
    return answer.status_code, answer.text


def planned() -> Plan:
    """A plan with a drifted update and a create, which raise the expected cost from 1 to 3 dollars."""
    cost = Shift(Cost(Decimal(1), Decimal(1), Decimal(2)), Cost(Decimal(3), Decimal(3), Decimal(4)))
    moved = Edit(("spec", "webhook"), "theirs", "ours", drift=True)
    changes = (
        Change("cloudspace/edge", Action.UPDATE, Ref("CloudSpace", "edge"), "differs", edits=(moved,)),
        Change("spotnodepool/edge/workers", Action.CREATE, Ref("SpotNodePool", "workers"), "is not there"),
    )
    groups = (GroupCost("cloudspace/edge", (ObjectCost("spotnodepool/edge/workers", cost),)),)
    return Plan("scope", "org", "edge", "apply", changes, unchanged=4, cost=StackCost(groups))


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample as `name{labels}` -> value."""
    families = text_string_to_metric_families(metrics.text().decode())
    found = [each for family in families for each in family.samples]
    return {f"{each.name}{{{_labels(each.labels)}}}": each.value for each in found}


def _labels(labels: dict[str, str]) -> str:
    """As `stack=edge,action=update`."""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items(), reverse=True))


async def test_what_the_endpoints_answer() -> None:
    health, metrics = Health(), Metrics()
    endpoints = Endpoints("127.0.0.1", 0, health, metrics)
    async with endpoints.serving():
        assert await asked(endpoints, "/healthz") == (200, "ok\n")
        assert await asked(endpoints, "/readyz") == (503, "no round has come to its end yet\n")
        health.add(ROUND)
        metrics.add(ROUND)
        assert await asked(endpoints, "/readyz") == (200, "ok\n")
        status, text = await asked(endpoints, "/metrics?x=1")
        assert (status, await asked(endpoints, "/other")) == (200, (404, "not found\n"))
        assert 'rsspot_rounds_total{outcome="in-sync",stack="edge"} 1.0' in text
    with pytest.raises(httpx.ConnectError):
        await asked(endpoints, "/healthz")


async def test_a_port_in_use_is_a_mistake_of_the_caller() -> None:
    endpoints = Endpoints("127.0.0.1", 0, Health(), Metrics())
    async with endpoints.serving():
        with pytest.raises(UsageError, match=r"cannot listen on 127\.0\.0\.1:"):
            Endpoints("127.0.0.1", endpoints.port, Health(), Metrics())
        await asyncio.sleep(0)


def test_an_event_loop_that_stands_still_is_unhealthy() -> None:
    clock = ManualClock()
    health = Health(clock)
    clock.advance(LONGEST_SILENCE)
    assert health.trouble() == ""
    clock.advance(1)
    assert "stood still" in health.trouble()
    health.beat()
    assert health.trouble() == ""


def test_readiness_ends_with_failures_in_a_row_and_comes_back() -> None:
    health = Health()
    failed = replace(ROUND, outcome=RoundOutcome.FAILED)
    health.add(failed)
    assert health.unready() == "no round has come to its end yet"
    health.add(ROUND)
    for _ in range(MOST_FAILURES - 1):
        health.add(failed)
        assert health.unready() == ""
    health.add(failed)
    assert health.unready() == "the last 3 rounds failed"
    health.add(replace(ROUND, outcome=RoundOutcome.STANDBY))
    assert health.unready() == ""


def test_the_numbers_are_those_of_the_last_plan() -> None:
    metrics = Metrics()
    metrics.add(replace(ROUND, outcome=RoundOutcome.OUT_OF_SYNC, plan=planned()))
    found = samples(metrics)
    assert found["rsspot_planned_changes{stack=edge,action=update}"] == 1
    assert found["rsspot_planned_changes{stack=edge,action=delete}"] == 0
    assert found["rsspot_drifted_objects{stack=edge}"] == 1
    assert found["rsspot_unchanged_objects{stack=edge}"] == 4
    assert found["rsspot_cost_dollars_per_hour{stack=edge,measure=ceiling}"] == 2
    assert found["rsspot_leader{stack=edge}"] == 1
    metrics.add(
        replace(ROUND, outcome=RoundOutcome.APPLIED, plan=planned(), recap=Recap(7, {"created": 1, "updated": 1}))
    )
    found = samples(metrics)
    assert found["rsspot_planned_changes{stack=edge,action=update}"] == 0
    assert found["rsspot_drifted_objects{stack=edge}"] == 0
    assert found["rsspot_cost_dollars_per_hour{stack=edge,measure=ceiling}"] == 4
    assert found["rsspot_steps_total{stack=edge,result=created}"] == 1
    assert found["rsspot_round_seconds_count{stack=edge}"] == 2
    assert found["rsspot_last_round_timestamp_seconds{stack=edge,outcome=applied}"] == pytest.approx(1767225600.2)


def test_a_round_that_could_not_look_leaves_the_numbers() -> None:
    metrics = Metrics()
    metrics.add(replace(ROUND, outcome=RoundOutcome.OUT_OF_SYNC, plan=planned()))
    metrics.add(replace(ROUND, outcome=RoundOutcome.FAILED))
    assert samples(metrics)["rsspot_drifted_objects{stack=edge}"] == 1
    metrics.add(replace(ROUND, outcome=RoundOutcome.STANDBY))
    assert samples(metrics)["rsspot_leader{stack=edge}"] == 0
    stale = DesiredState(ManifestSet("edge", (), ()), "0123", "git is away")
    metrics.add(replace(ROUND, outcome=RoundOutcome.PAUSED, declared=stale))
    found = samples(metrics)
    assert (found["rsspot_paused{stack=edge}"], found["rsspot_source_stale{stack=edge}"]) == (1, 1)


def test_without_the_library_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(UsageError, match="prometheus-client") as refused:
        Metrics()
    assert refused.value.hint == "pip install 'rsspot[metrics]'"
