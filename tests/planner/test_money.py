"""What a plan costs: it adds up exactly from pool to cloudspace to stack, is never a float, and moves no digest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rsspot.errors import UsageError
from rsspot.models.costs import HA_CONTROL_PLANE, ClassPrices, Measure, Rates
from rsspot.planner.codec import dump_plan, load_plan
from rsspot.planner.live import LiveState
from rsspot.planner.money import ObjectCost, Shift
from rsspot.planner.plan import Plan
from rsspot.planner.plan_document import schema
from rsspot.reports.text import render_plan
from rsspot.utils.serialization import Document
from support.stacks import plan_of, stacks, wanted_of, world_of

SHORT = settings(max_examples=40, deadline=None)
amounts = st.decimals("0.001", "9", places=6)


@st.composite
def rates(draw: st.DrawFn) -> Rates:
    """Prices of the classes of the generated stacks; some of them are not known."""
    known = st.builds(
        ClassPrices,
        market=st.none() | amounts,
        minimum=st.none() | amounts,
        on_demand=st.none() | amounts,
        recorded=st.lists(amounts, max_size=9).map(tuple),
    )
    return Rates(
        draw(st.dictionaries(st.sampled_from(["gp.small", "gp.large"]), known)), {HA_CONTROL_PLANE: Decimal(40)}
    )


def priced(desired: dict[Any, Document], live: dict[Any, Document], prices: Rates | None) -> Plan:
    """The plan of a stack at some prices."""
    world: LiveState = replace(world_of(live), rates=prices)
    return plan_of(wanted_of(desired), world)


def each_object(plan: Plan) -> list[ObjectCost]:
    """All objects of a plan that cost."""
    return [each for group in plan.cost.groups for each in group.objects] if plan.cost else []


@SHORT
@given(stacks(), stacks(), rates())
def test_money_adds_up(desired: dict[Any, Document], live: dict[Any, Document], prices: Rates) -> None:
    """Pool to cloudspace to stack, before and after, by the hour and by the month, to the last digit."""
    plan = priced(desired, live, prices)
    if plan.cost is None:
        assert not any(kind == "SpotNodePool" for kind, _, _ in {**desired, **live})
        return
    for side, measure, amount in product(("before", "after"), Measure, ("per_hour", "per_month")):
        groups = []
        for group in plan.cost.groups:
            groups.append(_summed([each.shift for each in group.objects], side, measure, amount))
            assert _summed([group.shift], side, measure, amount) == groups[-1]
        known = [found for found in groups if found is not None]
        whole = sum(known, Fraction(0)) if len(known) == len(groups) else None
        assert _summed([plan.cost.shift], side, measure, amount) == whole


def _summed(shifts: list[Shift], side: str, measure: Measure, amount: str) -> Fraction | None:
    """The sum of some costs as an exact fraction, worked out without the sums of the planner."""
    costs = [cost for shift in shifts if (cost := getattr(shift, side)) is not None]
    found = [getattr(cost, amount)(measure) for cost in costs]
    return None if None in found else sum(map(Fraction, found), Fraction(0))


@SHORT
@given(stacks(), stacks(), rates())
def test_the_cost_before_is_that_of_the_live_stack(
    desired: dict[Any, Document], live: dict[Any, Document], prices: Rates
) -> None:
    """Whatever the plan does; and the cost after is what the stack costs once it is applied."""
    plan, applied = priced(desired, live, prices), priced(desired, desired, prices)
    as_it_is = priced(live, live, prices)
    assert _hours(plan, "before") == _hours(as_it_is, "before")
    assert _hours(plan, "after") == _hours(applied, "after") == _hours(applied, "before")


def _hours(plan: Plan, side: str) -> list[Any]:
    cost = getattr(plan.cost.shift, side) if plan.cost else None
    return [cost.per_hour(measure) if cost else Decimal(0) for measure in Measure]


@SHORT
@given(stacks(), stacks(), rates())
def test_no_amount_is_a_float(desired: dict[Any, Document], live: dict[Any, Document], prices: Rates) -> None:
    """Neither in the values nor in the JSON, which fits the schema of a plan."""
    plan = priced(desired, live, prices)
    document = dump_plan(plan)
    assert not [value for value in leaves(document) if isinstance(value, float | Decimal)]
    assert all(
        type(amount) is Decimal
        for each in each_object(plan)
        for cost in (each.shift.before, each.shift.after)
        if cost
        for amount in (*map(cost.per_hour, Measure), *map(cost.per_month, Measure), *cost.fixed.values())
        if amount is not None
    )
    Draft202012Validator(schema()).validate(document)
    assert dump_plan(load_plan(json.loads(json.dumps(document)))) == document


def leaves(value: Any) -> Iterator[Any]:
    """Every value of a document that holds no others."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


@SHORT
@given(stacks(), stacks(), rates(), rates(), st.randoms(use_true_random=False))
def test_prices_move_no_digest(
    desired: dict[Any, Document], live: dict[Any, Document], now: Rates, later: Rates, chance: Any
) -> None:
    """A plan that was approved is the same an hour later; and the same prices give the same bytes in any order."""
    first = dump_plan(priced(desired, live, now))
    assert dump_plan(priced(desired, live, later))["digest"] == first["digest"]
    assert dump_plan(priced(desired, live, None))["digest"] == first["digest"]
    mixed = {key: live[key] for key in chance.sample(list(live), len(live))}
    assert render_plan(priced(desired, mixed, now)) == render_plan(priced(desired, live, now))
    assert json.dumps(dump_plan(priced(desired, mixed, now))) == json.dumps(first)


POOL: dict[Any, Document] = {
    ("CloudSpace", "edge", ""): {"region": "dfw", "kubernetesVersion": "1.33.0"},
    ("SpotNodePool", "workers", "edge"): {
        "cloudSpace": "edge",
        "serverClass": "gp.small",
        "desired": 2,
        "bidPrice": "0.03",
    },
}


def test_a_plan_without_prices_says_nothing_of_costs() -> None:
    """As those that older versions saved, which are read all the same."""
    document = dump_plan(priced(POOL, {}, None))
    assert "cost" not in document
    assert load_plan(document).cost is None


@pytest.mark.parametrize("amount", ["-1", "1e999", "much", True])
def test_a_forged_cost_is_no_cost(amount: object) -> None:
    """The digest does not cover it, so that its form is looked at with care."""
    document = dump_plan(priced(POOL, {}, Rates({"gp.small": ClassPrices(market=Decimal("0.02"))})))
    document["cost"]["groups"][0]["objects"][0]["after"]["perHour"]["floor"] = amount
    with pytest.raises(UsageError, match="not a saved plan"):
        load_plan(document)


def test_whoever_wants_more_is_shown_what_does_not_change() -> None:
    """A report that is verbose lists each object that costs."""
    plan = priced(POOL, POOL, Rates({"gp.small": ClassPrices(Decimal("0.02"))}))
    assert "    spotnodepool/edge/workers  " not in render_plan(plan)
    assert "    spotnodepool/edge/workers  " in render_plan(plan, verbose=True)
