"""The JSON form of what a plan costs. Amounts are text, exact to the last digit; null is an unknown amount."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, PlainSerializer, WithJsonSchema

from rsspot.models.costs import MONTH, Cost, Measure
from rsspot.models.money import parse_price, price_text
from rsspot.planner.json_model import CONFIG
from rsspot.planner.money import GroupCost, ObjectCost, PlannedBid, Shift, StackCost

Amount = Annotated[
    Decimal,
    BeforeValidator(parse_price),
    PlainSerializer(price_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?$"}),
]


class _Json(BaseModel):
    model_config = CONFIG


class PlanAmounts(_Json):
    """Dollars: at the market price of the moment, at the median of the recorded prices, and at the bids."""

    floor: Amount | None
    expected: Amount | None
    ceiling: Amount | None


class PlanSum(_Json):
    """perHour: billed by the hour · fixed: billed by the month · perMonth: both · unknown: why amounts are null."""

    per_hour: PlanAmounts
    fixed: dict[str, Amount | None]
    per_month: PlanAmounts
    unknown: list[str]


class PlanShift(_Json):
    """null: it does not exist then, or costs nothing."""

    before: PlanSum | None
    after: PlanSum | None


class PlanObjectCost(PlanShift):
    """What one object costs."""

    address: str


class PlanGroupCost(PlanShift):
    """What an object such as a cloudspace and all that lives in it cost: the sum of `objects`."""

    address: str
    objects: list[PlanObjectCost]


class PlanBid(_Json):
    """What an object bids, in dollars an hour for one server of a class. before: null if it makes no bid yet."""

    address: str
    server_class: str
    before: Amount | None
    after: Amount


class PlanCost(PlanShift):
    """What the stack costs: the sum of `groups`, and of what could not be read.

    bids: what its objects bid · past: server class -> the highest price of each recorded hour, oldest first. Both are
    left out unless a report was made that draws them.
    """

    currency: str = "USD"
    hours_per_month: int = MONTH
    groups: list[PlanGroupCost]
    unseen: PlanShift
    warnings: list[str]
    bids: list[PlanBid] = []
    past: dict[str, list[Amount]] = {}


def dump_cost(cost: StackCost) -> PlanCost:
    """What a plan costs, for JSON."""
    shift = cost.shift
    return PlanCost(
        before=_dump(shift.before),
        after=_dump(shift.after),
        groups=[_dump_group(group) for group in cost.groups],
        unseen=PlanShift(**_shift(cost.unseen)),
        warnings=list(cost.warnings),
        bids=[PlanBid(**vars(bid)) for bid in cost.bids],
        past={name: list(prices) for name, prices in cost.past.items()},
    )


def load_cost(saved: PlanCost) -> StackCost:
    """What a saved plan was said to cost. Sums are worked out anew."""
    return StackCost(
        tuple(
            GroupCost(group.address, tuple(ObjectCost(each.address, _load(each)) for each in group.objects))
            for group in saved.groups
        ),
        _load(saved.unseen),
        tuple(saved.warnings),
        tuple(PlannedBid(bid.address, bid.server_class, bid.before, bid.after) for bid in saved.bids),
        {name: tuple(prices) for name, prices in saved.past.items()},
    )


def _dump_group(group: GroupCost) -> PlanGroupCost:
    objects = [PlanObjectCost(address=each.address, **_shift(each.shift)) for each in group.objects]
    return PlanGroupCost(address=group.address, objects=objects, **_shift(group.shift))


def _shift(shift: Shift) -> dict[str, PlanSum | None]:
    return {"before": _dump(shift.before), "after": _dump(shift.after)}


def _dump(cost: Cost | None) -> PlanSum | None:
    if cost is None:
        return None
    return PlanSum(
        per_hour=PlanAmounts(**{measure.value: cost.per_hour(measure) for measure in Measure}),
        fixed=dict(cost.fixed),
        per_month=PlanAmounts(**{measure.value: cost.per_month(measure) for measure in Measure}),
        unknown=list(cost.unknown),
    )


def _load(saved: PlanShift) -> Shift:
    return Shift(_load_sum(saved.before), _load_sum(saved.after))


def _load_sum(saved: PlanSum | None) -> Cost | None:
    if saved is None:
        return None
    hourly = saved.per_hour
    return Cost(hourly.floor, hourly.expected, hourly.ceiling, saved.fixed, tuple(saved.unknown))
