"""The pipeline's stage `price`: asks each kind what its objects cost, before and after, and what their bids risk.

A surge has a moment with both objects, which is not counted: before is before the apply, and after is after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from rsspot.models.bids import price_at
from rsspot.models.costs import ZERO, Cost, Rates, unknown_cost
from rsspot.models.money import price_text
from rsspot.models.percent import percent_text
from rsspot.planner.change import REMOVALS, Change
from rsspot.planner.diff import SPEC
from rsspot.planner.draft import Draft, PlanContext
from rsspot.planner.money import GroupCost, ObjectCost, PlannedBid, Shift, StackCost
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document, at_path

NOTHING = Cost()


def price(draft: Draft, context: PlanContext) -> Draft:
    """What the stack costs, if prices were read and anything in it costs."""
    rates = context.state.rates
    if rates is None:
        return draft
    objects = sorted(_objects(draft, context), key=lambda each: (each.address, each.name))
    groups: dict[str, list[ObjectCost]] = defaultdict(list)
    for each in objects:
        shift = _shift(each, rates, context)
        # An object that costs nothing, such as a plain control plane, is no line of a bill.
        if shift.before or shift.after:
            groups[each.group].append(ObjectCost(each.address, shift))
    unseen = _unseen(context)
    if not groups and unseen.before is None:
        return draft
    sums = tuple(GroupCost(address, tuple(groups[address])) for address in sorted(groups))
    warnings = tuple(warning for each in objects for warning in _warnings(each, rates, context))
    bids = tuple(bid for each in objects for bid in _bids(each)) if context.options.history else ()
    past = {name: rates.of(name).recorded for name in sorted({bid.server_class for bid in bids})}
    return replace(draft, cost=StackCost(sums, unseen, warnings, bids, past))


@dataclass(frozen=True)
class _Object:
    """An object of the stack. before, after: its spec, None where it does not exist."""

    kind: Kind[Any]
    address: str
    name: str
    before: Document | None
    after: Document | None

    @property
    def group(self) -> str:
        return self.kind.parent_address(self.after or self.before or {}) or self.address


def _objects(draft: Draft, context: PlanContext) -> Iterator[_Object]:
    """Every object that the stack has before or after, each once."""
    changes = {(c.ref.kind, c.base.name): c for c in draft.changes if c.base}
    declared = {(m.manifest.kind.name, m.live["metadata"]["name"]): m for m in draft.matches if m.live}
    ours = {
        (kind, live["metadata"]["name"]): (address, live)
        for kind, by_address in context.ours.items()
        for address, of_address in by_address.items()
        for live in of_address
    }
    for key in {*ours, *declared}:
        kind, name = context.kinds[key[0]], key[1]
        match = declared.get(key)
        address, live = (match.manifest.address, match.live) if match and match.live else ours[key]
        spec = live.get(SPEC) or {}
        yield _Object(kind, address, name, spec, _after(spec, live, changes.get(key)))
    for change in draft.changes:
        if change.base is None and change.body is not None and not change.deferred:
            yield _Object(context.kinds[change.ref.kind], change.address, change.ref.name, None, change.body[SPEC])


def _after(spec: Document, live: Document, change: Change | None) -> Document | None:
    if change is None:
        return None if live["metadata"].get("deletionTimestamp") else spec
    if change.action in REMOVALS:
        return None
    if change.body is not None:
        after: Document = change.body[SPEC]
        return after
    return _merged(spec, change.merge_patch.get(SPEC) or {})


def _merged(value: Mapping[str, Any], patch: Mapping[str, Any]) -> Document:
    """A spec with an RFC 7386 patch applied."""
    merged = dict(value)
    for key, inner in patch.items():
        if inner is None:
            merged.pop(key, None)
        elif isinstance(inner, Mapping):
            held = merged.get(key)
            merged[key] = _merged(held if isinstance(held, Mapping) else {}, inner)
        else:
            merged[key] = inner
    return merged


def _shift(each: _Object, rates: Rates, context: PlanContext) -> Shift:
    extras = _extras(each.address, rates, context)
    before = _cost(each.kind, each.before, rates, extras)
    return Shift(before, before if each.after is each.before else _cost(each.kind, each.after, rates, extras))


def _cost(kind: Kind[Any], spec: Document | None, rates: Rates, extras: Cost) -> Cost | None:
    if spec is None or kind.cost is None:
        return None
    cost = kind.cost(spec, rates)
    cost = cost if extras is NOTHING else cost + extras
    return None if cost == NOTHING else cost


def _extras(address: str, rates: Rates, context: PlanContext) -> Cost:
    """What else is billed for an object, by the word of the Stack."""
    cost = NOTHING
    for extra in context.options.extras:
        if extra.address == address and extra.count:
            fee = rates.fees.get(extra.fee)
            unknown = () if fee is not None else (f"no price of {extra.fee} is on record",)
            cost += Cost(fixed={extra.fee: None if fee is None else fee * extra.count}, unknown=unknown)
    return cost


def _unseen(context: PlanContext) -> Shift:
    """What may be there of kinds that cost and could not be read."""
    hidden = [
        unknown_cost(f"the live {context.kinds[kind].plural} could not be read: {why}")
        for kind, why in sorted(context.state.incomplete.items())
        if context.kinds[kind].cost
    ]
    cost = sum(hidden[1:], hidden[0]) if hidden else None
    return Shift(cost, cost)


def _bids(each: _Object) -> Iterator[PlannedBid]:
    """What an object bids that is there after the apply."""
    for path, of in each.kind.bids if each.after else ():
        bid = price_at(each.after or {}, path)
        if bid is not None:
            name = str(at_path(each.after, of.of))
            yield PlannedBid(each.address, name, price_at(each.before or {}, path), bid)


def _warnings(each: _Object, rates: Rates, context: PlanContext) -> Iterator[str]:
    """The bids of an object that were too low for more of the recorded hours than is accepted."""
    for path, of in each.kind.bids if each.after else ():
        bid, name = price_at(each.after or {}, path), at_path(each.after, of.of)
        prices = rates.of(name)
        hours = len(prices.recorded)
        if bid is None or (lost := prices.hours_lost(bid)) <= context.options.warn_above * hours:
            continue
        figures = ", ".join(f"p{percent} {price_text(prices.percentile(percent) or ZERO)}" for percent in (50, 80))
        yield (
            f"{each.address}: a bid of {price_text(bid)} would have lost its servers in {lost} of the last {hours}"
            f" recorded hours, {percent_text(Decimal(lost) / hours)} ({name}: {figures});"
            " `rsspot bid advise` proposes another"
        )
