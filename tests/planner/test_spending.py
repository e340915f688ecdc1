"""What a stack may cost: every limit is held, and what is told of a cost that is too much or is not known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from rsspot.models.costs import LOAD_BALANCERS, ClassPrices, Measure, Rates
from rsspot.planner.case import Rule
from rsspot.planner.money_guards import MOST_REASONS
from rsspot.planner.options import Extra, SpendingLimit
from support.pools import EDGE, POOL, Stack, objections, planned, pool, said
from support.stacks import world_of

HOURLY = SpendingLimit(Decimal("0.05"), 1, Measure.CEILING, "budget.perHour")
MONTHLY = SpendingLimit(Decimal(30), 730, Measure.CEILING, "budget.perMonth")
FREE = Rates({}, {})


def broken(wanted: Stack, live: Stack, rates: Rates | None, *limits: SpendingLimit, **options: object) -> list[str]:
    """What is said of the cost of a stack."""
    return said(Rule.BUDGET, wanted, replace(world_of(live), rates=rates), spending=limits, **options)


def test_every_limit_is_held() -> None:
    """Also where the one before it is broken, or where nothing is known."""
    wanted = {**EDGE, **pool("a", desired=2)}
    assert broken(wanted, {}, FREE, HOURLY, MONTHLY) == [
        "the stack would cost 0.06 USD an hour (ceiling), 0.01 more than allowed",
        "the stack would cost 43.8 USD in a month of 730 hours (ceiling), 13.8 more than allowed",
    ]
    unread = "what the stack costs is not known: no prices were read"
    assert broken(wanted, {}, None, HOURLY, MONTHLY) == [unread, unread]


def test_amounts_are_rounded_up_to_what_people_pay() -> None:
    """A tenth of a cent by the hour, and a cent by the month: what is too much is never nothing."""
    tight = replace(MONTHLY, amount=Decimal("21.899"))
    assert broken({**EDGE, **pool("a")}, {}, FREE, tight) == [
        "the stack would cost 21.9 USD in a month of 730 hours (ceiling), 0.01 more than allowed"
    ]
    tight = replace(HOURLY, amount=Decimal("0.0299"))
    assert broken({**EDGE, **pool("a")}, {}, FREE, tight) == [
        "the stack would cost 0.03 USD an hour (ceiling), 0.001 more than allowed"
    ]


@pytest.mark.parametrize("count", [MOST_REASONS - 1, MOST_REASONS, MOST_REASONS + 1, MOST_REASONS + 2])
def test_a_cost_that_is_not_known_has_three_reasons_at_most(count: int) -> None:
    """The rest are counted."""
    wanted: Stack = {**EDGE}
    for number in range(count):
        wanted |= pool(f"p{number}", serverClass=f"zz.{number}")
    expected = replace(HOURLY, of=Measure.EXPECTED)
    rates = Rates({f"zz.{number}": ClassPrices(market=Decimal("0.01")) for number in range(count)}, {})
    (message,) = broken(wanted, {}, rates, expected)
    assert message.startswith("the expected cost of the stack is not known: ")
    assert message.count("zz.") == min(count, 3)
    assert message.endswith(f"; and {count - 3} more") is (count > 3)


def test_what_is_billed_for_an_object_may_be_for_one_that_is_left_alone() -> None:
    """It is of the stack as long as it lives. Without prices nothing is billed, so nothing is said."""
    known = Rates({"gp.small": ClassPrices(market=Decimal("0.01"))}, {LOAD_BALANCERS: Decimal(10)})
    live = {**EDGE, **pool("a")}
    left = Extra("spotnodepool/edge/a", LOAD_BALANCERS, 1)
    assert broken(EDGE, live, known, extras=(left,)) == []
    nothing = Extra("zz", LOAD_BALANCERS, 1)
    assert broken(EDGE, live, None, extras=(nothing,)) == []
    world = replace(world_of(live), rates=known)
    (problem,) = objections(Rule.BUDGET, EDGE, world, extras=(nothing,))
    assert problem.message == "there is no object 'zz' in this stack"
    assert problem.hint == "name it as the plan does, such as cloudspace/edge"


def test_what_the_objects_of_a_stack_bid_is_told_with_past_prices() -> None:
    """Also that of a pool which stays; one that the service shows without a bid has none."""
    wanted = {**EDGE, **pool("a", bidPrice="0.05"), **pool("b")}
    silent = {key: value for key, value in POOL.items() if key != "bidPrice"}
    live: Stack = {**EDGE, **pool("b"), ("SpotNodePool", "c", "edge"): silent}
    past = ClassPrices(market=Decimal("0.01"), recorded=(Decimal("0.01"), Decimal("0.02")))
    world = replace(world_of(live), rates=Rates({"gp.small": past}, {}))
    cost = planned(wanted, world, history=True).cost
    assert cost is not None
    assert [(each.address.rpartition("/")[2], each.before, each.after) for each in cost.bids] == [
        ("a", None, Decimal("0.05")),
        ("b", Decimal("0.03"), Decimal("0.03")),
    ]
    assert cost.past == {"gp.small": past.recorded}
    assert planned(wanted, world).cost != cost
