"""Every kind supports the whole cycle on the simulator: plan, apply, empty plan, destroy."""

from pathlib import Path

from rsspot.applier.events import Event, Recap
from rsspot.manifests.parse import load
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.testing import SimulatedSpot
from rsspot.workflows.reconcile import apply_plan, make_plan

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"


async def outcome(spot: SimulatedSpot, plan: Plan) -> Recap:
    """Apply a plan and return the recap."""
    client = spot.client()
    events: list[Event] = [event async for event in apply_plan(client, client.ledger, plan)]
    assert isinstance(events[-1], Recap)
    return events[-1]


async def planned(spot: SimulatedSpot, **options: bool) -> Plan:
    """The plan of the shipped manifests, or of the destruction of their stack."""
    client = spot.client()
    manifests = None if options.get("destroy") else load([MANIFESTS])
    return await make_plan(client, client.ledger, manifests, stack="demo", options=PlanOptions(**options))


def test_every_authored_kind_is_in_the_shipped_manifests() -> None:
    """They are the first example for new users, and the input of the tests below."""
    shown = {manifest.kind.name for manifest in load([MANIFESTS]).manifests}
    assert shown == {kind.name for kind in kinds().values() if kind.authored and (kind.manageable or kind.expand)}


async def test_the_whole_cycle_of_every_kind(spot_api: SimulatedSpot, monkeypatch) -> None:
    """Created from a manifest, unchanged by the second plan, and destroyed."""
    monkeypatch.chdir(ROOT)
    first = await planned(spot_api)
    assert {change.action for change in first.changes} == {"create"}
    assert (await outcome(spot_api, first)).outcome == "ok"

    second = await planned(spot_api)
    assert second.empty and second.unchanged == len(first.changes) + 1  # one Registration, two machines

    last = await planned(spot_api, prune=True, destroy=True)
    assert (await outcome(spot_api, last)).outcome == "ok"
    assert (await planned(spot_api, prune=True, destroy=True)).empty
    for plural in (kind.plural for kind in kinds().values() if kind.authored and kind.manageable):
        assert spot_api.world.store.objects(plural) == []


async def test_a_plan_reads_each_kind_once_and_writes_nothing(spot_api: SimulatedSpot) -> None:
    """One LIST per kind, however many objects there are, and only GET requests."""
    await planned(spot_api, prune=True)
    assert spot_api.requests("POST", "PATCH", "PUT", "DELETE") == []
    paths = [path for _, path in spot_api.requests("GET") if "namespaces" in path or "serverclasses" in path]
    assert len(paths) == len(set(paths))
