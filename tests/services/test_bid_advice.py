"""Proposed bids: valid on the ladder and as low as the risk allows; other classes only if as big and cheaper."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.sync_client import SpotClient
from rsspot.errors import UsageError
from rsspot.models.bids import CURRENT, MILL, RULES, objection
from rsspot.models.costs import ClassPrices
from rsspot.services.pricing.advice import Advice, advice, cheaper, equal_or_better, offers
from rsspot.services.pricing.schemas import Quote
from rsspot.testing import SimulatedSpot

LARGE = "gp.vs2.large-dfw2"
amounts = st.decimals("0.001", "3", places=3)


def quote(name: str = "a", minimum: str | None = "0.01", market: str | None = "0.01") -> Quote:
    """The current prices of a class."""
    least, now = (None if price is None else Decimal(price) for price in (minimum, market))
    return Quote(name, "dfw", None, "2", "4GB", least, now, None, None, None)


@settings(max_examples=80, deadline=None)
@given(st.lists(amounts, min_size=1, max_size=60), amounts, amounts, st.integers(0, 20))
def test_the_lowest_valid_bid_for_a_risk(past: list[Decimal], minimum: Decimal, market: Decimal, percent: int) -> None:
    """The service would take it, it loses no more than the risk, and the rung below fails at one of the two."""
    prices, risk = ClassPrices(recorded=tuple(past)), Decimal(percent) / 100
    found = advice(quote(minimum=str(minimum), market=str(market)), prices, risk)
    assert found.bid is not None and found.lost is not None
    assert objection(found.bid, minimum, market) is None
    assert found.lost == prices.hours_lost(found.bid) <= risk * len(past)
    below = max((rung for rung in _rungs(found.bid) if rung < found.bid), default=None)
    assert below is None or below < max(minimum, market) or prices.hours_lost(below) > risk * len(past)


def _rungs(upto: Decimal) -> list[Decimal]:
    """The ladder up to a rung."""
    rungs = [RULES[CURRENT](Decimal(0))]
    while rungs[-1] < upto:
        rungs.append(RULES[CURRENT](rungs[-1] + MILL))
    return rungs


@pytest.mark.parametrize(
    ("of", "recorded", "why"),
    [
        (quote(minimum=None), ("0.01",), "the class takes no bids: it has no minimum price"),
        (quote(), (), "no past prices were read"),
    ],
)
def test_no_bid_is_made_up(of: Quote, recorded: tuple[str, ...], why: str) -> None:
    """Where the service takes none, and where nothing is recorded."""
    found = advice(of, ClassPrices(recorded=tuple(map(Decimal, recorded))), Decimal("0.01"))
    assert (found.bid, found.lost, found.why_none) == (None, None, why)


def server_class(name: str, cpu: str = "4", memory: str = "16GB", region: str = "dfw", **spec: Any) -> dict[str, Any]:
    """A class as the service has it."""
    resources = {"cpu": cpu, "memory": memory} | ({"gpu": gpu} if (gpu := spec.pop("gpu", None)) else {})
    return {
        "metadata": {"name": name},
        "spec": {"region": region, "availability": "available", "resources": resources} | spec,
    }


REGIONS = [
    {"metadata": {"name": name}, "spec": {"country": country}}
    for name, country in (("dfw", "USA"), ("iad", "USA"), ("lon", "GBR"))
]
CLASSES = [
    server_class("wanted"),
    server_class("same"),
    server_class("bigger", "8", "32GB"),
    server_class("in-terabytes", "8", "1TB"),
    server_class("less-memory", "8", "15GB"),
    server_class("fewer-cores", "2", "64GB"),
    server_class("old", availability="deprecated"),
    server_class("unmeasured", "", ""),
    server_class("near", region="iad"),
    server_class("far", region="lon"),
    server_class("with-gpu", gpu="1"),
]


def test_classes_that_would_do() -> None:
    """At least as big, on offer, and in the same region; with regions, in the same country."""
    here = offers(CLASSES)
    found = [each.name for each in equal_or_better(here["wanted"], here.values())]
    assert found == ["same", "bigger", "in-terabytes", "with-gpu"]
    everywhere = offers(CLASSES, REGIONS)
    found = [each.name for each in equal_or_better(everywhere["wanted"], everywhere.values())]
    assert found == ["same", "bigger", "in-terabytes", "near", "with-gpu"]
    assert not list(equal_or_better(here["with-gpu"], here.values()))


def test_only_what_is_expected_to_cost_less_is_cheaper() -> None:
    """The cheapest first; one without a bid or a past is none."""

    def of(name: str, usual: str | None, bid: str | None = "0.1") -> Advice:
        middle, offer = (None if price is None else Decimal(price) for price in (usual, bid))
        return Advice(name, "dfw", offer, 1, 0, None, middle, None, middle)

    others = [
        of("b", "0.02"),
        of("a", "0.02"),
        of("low", "0.02", "0.03"),
        of("same", "0.05"),
        of("none", None),
        of("no", "0.01", None),
    ]
    assert [each.server_class for each in cheaper(of("wanted", "0.05"), others)] == ["low", "a", "b"]
    assert cheaper(of("wanted", None), others) == ()


async def test_advice_of_the_service(spot_client: AsyncSpotClient) -> None:
    """From the recorded prices; in other regions only when asked."""
    advised = (await spot_client.pricing.advise([LARGE], risk=Decimal("0.01")))[LARGE]
    assert advised.advice.hours == 672
    assert advised.advice.lost is not None and advised.advice.lost <= 6
    assert advised.cheaper == ()
    nearby = (await spot_client.pricing.advise([LARGE], risk=Decimal("0.01"), nearby=True))[LARGE]
    assert {each.region for each in nearby.cheaper} & {"us-east-iad-1", "us-central-dfw-1", "us-central-ord-1"}
    assert len(nearby.cheaper) == 3
    with pytest.raises(UsageError, match=r"no serverclass 'gp\.none'"):
        await spot_client.pricing.advise(["gp.none"], risk=Decimal("0.01"))


def test_the_past_is_asked_for_once_a_class(spot_api: SimulatedSpot, sync_spot_client: SpotClient) -> None:
    """However many pools have it, and without an event loop."""
    sync_spot_client.pricing.advise([LARGE, LARGE], risk=Decimal("0.01"))
    asked = [path for _, path in spot_api.requests("GET") if path.startswith("/history/")]
    assert sorted(set(asked)) == sorted(asked)
    assert f"/history/{LARGE}" in asked
