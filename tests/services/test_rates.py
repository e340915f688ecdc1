"""The prices that costs are worked out from: hour by hour from a feed of any grain, read once, unknown if not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsspot.client.async_client import AsyncSpotClient
from rsspot.models.costs import HA_CONTROL_PLANE, Cost, Rates
from rsspot.services.billing import Servers, budgeted, fee_if, rented, won_at_auction
from rsspot.services.pricing.rates import FEES, HOUR, WINDOW, hourly, rates_of
from rsspot.services.pricing.schemas import PricePoint
from rsspot.testing import SimulatedSpot

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MEDIUM, LARGE = "gp.vs2.medium-dfw2", "gp.vs2.large-dfw2"


def points(*pairs: tuple[float, str]) -> list[PricePoint]:
    """Auctions: hours after noon, and the price."""
    return [PricePoint(NOON + timedelta(hours=hours), Decimal(price)) for hours, price in pairs]


def test_one_auction_an_hour_is_one_price_an_hour() -> None:
    """As the simulator has them."""
    assert hourly(points((0, "0.01"), (1, "0.02"), (2, "0.01"))) == tuple(map(Decimal, ("0.01", "0.02", "0.01")))


def test_the_highest_price_of_an_hour_counts() -> None:
    """A bid that was too low for a minute has lost its servers."""
    assert hourly(points((0.1, "0.01"), (0.5, "0.09"), (0.6, "0.01"))) == (Decimal("0.09"),)


def test_a_price_holds_until_the_next_auction() -> None:
    """Also into the hour in which that takes place, and across a pause."""
    assert hourly(points((0.5, "0.05"), (3.5, "0.01"))) == (*[Decimal("0.05")] * 4,)


def test_only_the_last_weeks_count() -> None:
    """A price from long ago counts as far as it still held."""
    past = hourly(points((0, "0.09"), (24 * 60, "0.01"), (24 * 60 + 1, "0.02")))
    assert len(past) == WINDOW
    assert past[-2:] == (Decimal("0.01"), Decimal("0.02"))
    assert set(past[:-2]) == {Decimal("0.09")}


def test_no_auction_is_no_hour() -> None:
    """Nothing is made up."""
    assert hourly([]) == ()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100_000), st.sampled_from(["0.01", "0.02", "0.05"])), min_size=1, max_size=20))
def test_every_hour_from_the_first_auction_to_the_last_has_a_price(found: list[tuple[int, str]]) -> None:
    """One that some auction gave."""
    auctions = sorted(points(*((seconds / HOUR, price) for seconds, price in found)), key=lambda each: each.at)
    past = hourly(auctions)
    first, last = (int(each.at.timestamp()) // HOUR for each in (auctions[0], auctions[-1]))
    assert len(past) == last - first + 1
    assert set(past) <= {each.price for each in auctions}
    assert past[-1] >= auctions[-1].price


async def test_the_rates_of_the_service(spot_client: AsyncSpotClient) -> None:
    """What the classes say, and of those asked for what the feed says."""
    rates = await spot_client.pricing.rates([MEDIUM])
    assert len(rates.of(MEDIUM).recorded) == WINDOW
    assert rates.of(MEDIUM).minimum == Decimal("0.01")
    assert rates.of(LARGE).on_demand == Decimal("0.038")
    assert (rates.of(LARGE).recorded, rates.of(LARGE).unrecorded) == ((), "no past prices were read")
    assert rates.fees == FEES


def test_rates_can_be_read_without_an_event_loop(spot_api: SimulatedSpot) -> None:
    """One class after another."""
    with spot_api.sync_client() as client:
        rates = client.pricing.rates([MEDIUM, LARGE])
    assert [len(rates.of(name).recorded) for name in (MEDIUM, LARGE)] == [WINDOW, WINDOW]


async def test_what_cannot_be_read_is_unknown(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """And says why: the history of one class, or all classes."""
    rates = await spot_client.pricing.rates(["no.such-class"])
    assert "no price history" in rates.of("no.such-class").unrecorded
    spot_api.faults.say("GET serverclasses: 403 always")
    rates = await spot_client.pricing.rates([MEDIUM])
    assert rates.unread and rates.of(MEDIUM).minimum is None
    assert rates.of(MEDIUM).recorded


@pytest.mark.parametrize(
    ("interval", "known"), [("1h", True), ("1h0m0s", True), ("", True), ("24h", False), ("1m", False)]
)
def test_a_rent_for_another_time_than_an_hour_is_unknown(interval: str, known: bool) -> None:
    """It is not taken for one by the hour."""
    spec = {"region": "dfw", "onDemandPricing": {"cost": "0.05", "interval": interval}}
    rates = rates_of([{"metadata": {"name": "a"}, "spec": spec}], {})
    assert (rates.of("a").on_demand is not None) is known


def test_servers_of_an_autoscaled_pool() -> None:
    """Between its bounds; while autoscaling is off, they mean nothing."""
    autoscaling = {"enabled": True, "minNodes": 1, "maxNodes": 9}
    assert Servers.of({"desired": 4, "autoscaling": autoscaling}) == Servers(1, 4, 9)
    assert Servers.of({"desired": 4, "autoscaling": autoscaling | {"enabled": False}}) == Servers(4, 4, 4)


@settings(max_examples=50, deadline=None)
@given(
    st.decimals("0.001", "9", places=3),
    st.lists(st.decimals("0.001", "9", places=3), min_size=1, max_size=20),
    st.integers(1, 50),
    st.integers(0, 50),
)
def test_no_amount_is_above_the_ceiling(bid: Decimal, past: list[Decimal], least: int, more: int) -> None:
    """Whatever the market does, nobody pays more than the bid."""
    auctions = points(*((hour, str(price)) for hour, price in enumerate(past)))
    market = {"spotPricing": {"marketPricePerHour": str(past[-1])}}
    document = {"metadata": {"name": "a"}, "spec": {"minBidPricePerHour": "0.01"}, "status": market}
    autoscaling = {"enabled": True, "minNodes": least, "maxNodes": least + more}
    spec = {"serverClass": "a", "desired": least, "bidPrice": str(bid), "autoscaling": autoscaling}
    cost = won_at_auction(spec, rates_of([document], {"a": auctions}))
    assert cost.floor is not None and cost.expected is not None and cost.ceiling is not None
    assert max(cost.floor, cost.expected) <= cost.ceiling == bid * (least + more)


def test_what_a_spec_does_not_say_is_unknown() -> None:
    """An object that somebody else made may lack anything."""
    assert won_at_auction({}, Rates()).ceiling is None
    assert "None: a bid is missing" in won_at_auction({}, Rates()).unknown
    assert rented({"serverClass": "a", "desired": 2}, Rates(unread="no answer")).unknown == ("no answer",)
    assert budgeted({}, Rates()).unknown == ("there is no budget",)
    assert fee_if(True, HA_CONTROL_PLANE, Rates()).fixed_per_month is None
    assert fee_if(False, HA_CONTROL_PLANE, Rates()) == Cost()
