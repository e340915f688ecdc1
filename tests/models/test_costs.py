"""Costs are exact sums, an unknown amount stays unknown, and what the past says of a bid is counted, not guessed."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsspot.models.bids import CURRENT, RULES
from rsspot.models.costs import MONTH, ClassPrices, Cost, Measure, Rates, total, unknown_cost
from rsspot.models.percent import parse_percent, percent_text

SHORT = settings(max_examples=60, deadline=None)
prices = st.decimals("0.001", "99", places=3)
maybe = st.none() | prices
costs = st.builds(
    lambda hourly, fixed: Cost(*hourly, fixed=fixed, unknown=("why",) if None in hourly else ()),
    st.tuples(maybe, maybe, maybe),
    st.dictionaries(st.sampled_from(["haControlPlane", "loadBalancers"]), prices),
)


@SHORT
@given(st.lists(costs, max_size=8))
def test_sums_are_exact(each: list[Cost]) -> None:
    """As if they were fractions, in any order; one unknown amount makes its sum unknown."""
    summed, backwards = total(each), total(reversed(each))
    assert summed.fixed == backwards.fixed
    for measure in Measure:
        amounts = [cost.per_hour(measure) for cost in each]
        known = [Fraction(amount) for amount in amounts if amount is not None]
        hourly = summed.per_hour(measure)
        assert hourly == backwards.per_hour(measure)
        assert (hourly is None) == (len(known) < len(amounts))
        if hourly is not None:
            fixed = sum(Fraction(amount) for cost in each for amount in cost.fixed.values() if amount is not None)
            assert Fraction(hourly) == sum(known)
            assert Fraction(summed.per_month(measure) or 0) == sum(known) * MONTH + fixed


def test_an_unknown_fee_is_unknown_by_the_month_and_not_by_the_hour() -> None:
    """What is billed by the hour is still known."""
    cost = Cost(*[Decimal("0.1")] * 3, fixed={"haControlPlane": None}) + Cost(fixed={"loadBalancers": Decimal(10)})
    assert cost.per_hour(Measure.CEILING) == Decimal("0.1")
    assert cost.per_month(Measure.CEILING) is None


def test_a_reason_is_told_once() -> None:
    """However many objects have it."""
    assert total([unknown_cost("no answer")] * 3).unknown == ("no answer",)


@SHORT
@given(st.lists(prices, min_size=1, max_size=50), prices, st.integers(0, 100))
def test_risk_is_a_share_of_the_recorded_hours(hours: list[Decimal], bid: Decimal, percent: int) -> None:
    """A bid loses the hours above it; the lowest price for a risk is one that was paid, and no lower one would do."""
    past = ClassPrices(recorded=tuple(hours))
    assert past.hours_lost(bid) == sum(price > bid for price in hours)
    risk = Decimal(percent) / 100
    lowest = past.bid_for(risk)
    assert lowest in hours
    assert past.hours_lost(lowest) <= risk * len(hours)
    lower = [price for price in hours if price < lowest]
    assert not lower or past.hours_lost(max(lower)) > risk * len(hours)
    assert past.hours_lost(RULES[CURRENT](lowest)) <= risk * len(hours)


@SHORT
@given(st.lists(prices, min_size=1, max_size=50), st.integers(1, 100))
def test_percentiles_are_prices_that_were_paid(hours: list[Decimal], percent: int) -> None:
    """By nearest rank: at least that share of the hours was no dearer."""
    value = ClassPrices(recorded=tuple(hours)).percentile(percent)
    assert value in hours
    assert sum(price <= value for price in hours) * 100 >= percent * len(hours)


def test_what_is_not_recorded_is_unknown() -> None:
    """No hours, no percentile, no bid for a risk; no market, no bill."""
    nothing = ClassPrices()
    assert (nothing.percentile(50), nothing.usual, nothing.bid_for(Decimal(0)), nothing.billed) == (None,) * 4
    assert Rates().of("gp.small") == nothing


def test_nobody_pays_less_than_the_minimum() -> None:
    """The market may clear below it."""
    prices = ClassPrices(Decimal("0.001"), Decimal("0.01"), recorded=(Decimal("0.002"),))
    assert (prices.billed, prices.usual) == (Decimal("0.01"), Decimal("0.01"))


@pytest.mark.parametrize(("text", "share"), [("5%", "0.05"), ("0.5 %", "0.005"), ("100%", "1"), ("0%", "0")])
def test_a_percentage_is_written_with_its_sign(text: str, share: str) -> None:
    """So that 0.05 and 5 cannot be mixed up."""
    assert parse_percent(text) == Decimal(share)


@pytest.mark.parametrize("text", ["5", "0.05", "", "101%", "-1%", "%", "1e1%", "٥%", "5%%"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    """A number without a sign could mean either."""
    with pytest.raises(ValueError, match="percentage"):
        parse_percent(text)


def test_a_share_is_shown_to_a_tenth_of_a_percent() -> None:
    """Without zeros that say nothing."""
    assert [percent_text(parse_percent(text)) for text in ("5%", "6.547%", "100%", "0%")] == [
        "5 %",
        "6.5 %",
        "100 %",
        "0 %",
    ]
