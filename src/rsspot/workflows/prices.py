"""The prices that a plan needs to tell what its stack costs: read once, and only if something in it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.snapshot import Snapshot
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.models.costs import MONTH, Measure, Rates
from rsspot.planner.live import LiveState
from rsspot.planner.options import Extra, PlanOptions, SpendingLimit
from rsspot.planner.ownership import Owners
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import Document, at_path

PATIENCE = 10.0
"""Seconds to wait for the past prices of a class: a plan is good without them."""


async def read_rates(
    client: AsyncSpotClient, snapshot: Snapshot, state: LiveState, declared: Sequence[Manifest], stack: str
) -> Rates:
    """The prices of what is declared and of what the stack has. Sends nothing if none of it is of a class.

    Server classes are not listed again where the snapshot has them.
    """
    specs = [*((each.kind, each.spec) for each in declared), *_live(state, declared, stack)]
    classes = _kind_of_classes()
    classed = any(to.kind == classes and at_path(spec, path) for kind, spec in specs for path, to in kind.references)
    listed = snapshot.live.get(classes, None if classed else {})
    if why := snapshot.incomplete.get(classes):
        return Rates(unread=why)
    names = [str(name) for kind, spec in specs for name in _bid_on(kind, spec)]
    return await client.pricing.rates(names, None if listed is None else listed.values(), patience=PATIENCE)


def _kind_of_classes() -> str:
    """The kind that says what a server costs: that which numbers of servers are of."""
    return next(
        dict(kind.references)[servers.of].kind for kind in kinds().values() for _, servers in kind.server_counts
    )


def _live(state: LiveState, declared: Sequence[Manifest], stack: str) -> Iterator[tuple[Kind[Any], Document]]:
    """What the stack has, and what it may take over."""
    owners, known = Owners(stack, state), kinds()
    others: dict[tuple[str, str], Document] = {}
    for name, objects in state.live.items():
        kind = known[name]
        for live in objects.values() if kind.cost else ():
            if owners.is_ours(kind, live):
                yield kind, live.get("spec") or {}
            else:
                others[name, live["metadata"]["name"]] = live
    for each in declared if others else ():
        if found := others.get((each.kind.name, each.kind.wire_name(state.organization, each.name, each.spec))):
            yield each.kind, found.get("spec") or {}


def _bid_on(kind: Kind[Any], spec: Document) -> Iterable[object]:
    """What the bids of an object are for."""
    return filter(None, (at_path(spec, bid.of) for _, bid in kind.bids))


def with_money(options: PlanOptions, manifests: ManifestSet) -> PlanOptions:
    """The options with what the Stack says about money. Limits of the caller hold as well."""
    spec = manifests.stack_spec
    return replace(
        options,
        spending=(*_limits(manifests), *options.spending),
        warn_above=spec.risk.most,
        extras=tuple(
            Extra(address, fee, count, manifests.where_in_stack("extras", address))
            for address, extra in spec.extras.items()
            for fee, count in extra.model_dump(by_alias=True).items()
        ),
    )


def _limits(manifests: ManifestSet) -> Iterator[SpendingLimit]:
    budget = manifests.stack_spec.budget
    if budget is None:
        return
    for key, amount, hours in (("perHour", budget.per_hour, 1), ("perMonth", budget.per_month, MONTH)):
        if amount is not None:
            name, origin = f"spec.budget.{key} of the Stack", manifests.where_in_stack("budget", key)
            yield SpendingLimit(amount, hours, measure_of(manifests), name, origin)


def measure_of(manifests: ManifestSet) -> Measure:
    """What a limit is about: as the budget of the Stack says, or else the ceiling."""
    budget = manifests.stack_spec.budget
    return Measure(budget.of) if budget else Measure.CEILING
