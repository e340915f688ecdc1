"""Prices are exact and sorted, and no credential is sent to the public feeds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.sync_client import SpotClient
from rsspot.errors import ConfigError, NotFound, ServerError, UsageError
from rsspot.models.money import price_text
from rsspot.services.pricing import schemas
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.recording import Overheard, overhearing, put, settings_of

FEEDS = "http://127.0.0.2:8123"
MEDIUM = "gp.vs1.medium-dfw"
WINDOW = 720


def feeding(document: Any, path: str) -> Any:
    """Answers requests for one feed with a document."""
    body = json.dumps(document).encode()
    return lambda request: httpx.Response(200, content=body) if request.url.path.startswith(path) else None


async def test_quotes_are_sorted_by_market_price(spot_client: AsyncSpotClient) -> None:
    """Classes without a price come last, equal prices are sorted by name."""
    quotes = await spot_client.pricing.list()
    assert len(quotes) == len(await spot_client.server_classes.list())
    keys = [(each.market is None, each.market or 0, each.server_class) for each in quotes]
    assert keys == sorted(keys)
    assert quotes[0].market == Decimal("0.001")


async def test_quotes_can_be_filtered_by_region(spot_client: AsyncSpotClient) -> None:
    """By its exact name. A region that does not exist is an error, which names those there are."""
    quotes = await spot_client.pricing.list(region="us-central-dfw-2")
    assert {each.region for each in quotes} == {"us-central-dfw-2"}
    assert all(each.server_class.endswith("-dfw2") for each in quotes)
    with pytest.raises(UsageError, match="no region 'us-central-dfw-9'") as caught:
        await spot_client.pricing.list(region="us-central-dfw-9")
    assert str(caught.value.hint).startswith("did you mean 'us-central-dfw-")
    assert "us-east-iad-1" in str(caught.value.hint)


async def test_a_quote_has_exact_prices(spot_client: AsyncSpotClient) -> None:
    """Without the service's trailing zeros."""
    quote = await spot_client.pricing.get("gp.vs1.large-iad")
    wanted = schemas.Quote(
        server_class="gp.vs1.large-iad",
        region="us-east-iad-1",
        category="General Purpose",
        cpu="4",
        memory="15GB",
        minimum=Decimal("0.01"),
        market=Decimal("0.005"),
        hammer=Decimal("0.01"),
        on_demand=Decimal("0.038"),
        available=120,
        display_name="General Virtual Server.Large",
    )
    assert quote == wanted
    assert [str(each) for each in (quote.minimum, quote.market, quote.on_demand)] == ["0.01", "0.005", "0.038"]


async def test_a_class_that_accepts_no_bids_has_no_minimum(spot_client: AsyncSpotClient) -> None:
    """Bare-metal classes have an empty string there."""
    assert (await spot_client.pricing.get("gp.bm2.small-iad")).minimum is None


async def test_a_class_without_prices_is_listed_last(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """It is not left out, and its price is not zero."""
    spec = {"region": "us-east-iad-1", "resources": {}}
    put(spot_api, "serverclasses", {"metadata": {"name": "a-new-one", "namespace": ""}, "spec": spec})
    quote = (await spot_client.pricing.list())[-1]
    assert (quote.server_class, quote.market, quote.hammer, quote.on_demand) == ("a-new-one", None, None, None)


async def test_an_unknown_class_is_not_found(spot_api: SimulatedSpot) -> None:
    """Neither its quote nor its history; an empty name is refused."""
    client, wire = overhearing(spot_api)
    with pytest.raises(NotFound):
        await client.pricing.get("nothing")
    with pytest.raises(NotFound, match="no price history of 'nothing'"):
        await client.pricing.history("nothing")
    wire.requests.clear()
    with pytest.raises(UsageError):
        await client.pricing.get("")
    with pytest.raises(UsageError):
        await client.pricing.history("")
    assert wire.requests == []


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_any_status_for_a_missing_history_is_not_found(spot_api: SimulatedSpot, status: int) -> None:
    """S3 returns 403 for a missing file."""
    client, _ = overhearing(
        spot_api, lambda asked: httpx.Response(status) if asked.url.path.startswith("/history/") else None
    )
    with pytest.raises(NotFound):
        await client.pricing.history(MEDIUM)


async def test_a_feed_outage_is_not_not_found(spot_api: SimulatedSpot) -> None:
    """The caller may retry."""
    client, _ = overhearing(
        spot_api, lambda asked: httpx.Response(503) if asked.url.path.startswith("/history/") else None
    )
    with pytest.raises(ServerError):
        await client.pricing.history(MEDIUM)


async def test_a_class_name_stays_one_path_segment(spot_api: SimulatedSpot) -> None:
    """Whatever characters it has."""
    client, wire = overhearing(spot_api)
    for name in ("../percentiles.json", "a/b", "a?b", "a#b"):
        with pytest.raises(NotFound):
            await client.pricing.history(name)
    assert all(each.url.raw_path.startswith(b"/history/") for each in wire.requests)
    assert all(each.url.raw_path.count(b"/") == 2 and not each.url.query for each in wire.requests)


async def test_history_is_sorted_oldest_first(spot_api: SimulatedSpot) -> None:
    """Times are timezone-aware and prices exact."""
    client, _ = overhearing(spot_api)
    points = await client.pricing.history(MEDIUM)
    assert len(points) == WINDOW
    assert all(later.at - earlier.at == timedelta(hours=1) for earlier, later in pairwise(points))
    assert points[-1].at <= spot_api.clock.now()
    assert points[0].at.tzinfo is UTC
    assert all(each.price == each.price.quantize(Decimal("0.001")) for each in points)


UNREADABLE = [
    {"run_at": None, "hammer_price": 0.1},
    {"run_at": "soon", "hammer_price": 0.1},
    {"run_at": 1e18, "hammer_price": 0.1},
    {"run_at": -1e20, "hammer_price": 0.1},
    {"run_at": float("nan"), "hammer_price": 0.1},
    {"run_at": 1790000000, "hammer_price": None},
    {"run_at": 1790000000, "hammer_price": "none"},
    {"run_at": 1790000000, "hammer_price": -1},
    {"run_at": 1790000000, "hammer_price": 1e300},
    {"run_at": 1790000000, "hammer_price": float("inf")},
    {},
    None,
    "text",
    [],
]


async def test_an_unreadable_point_is_left_out(spot_api: SimulatedSpot) -> None:
    """The others stay."""
    points = [{"run_at": 2000, "hammer_price": 0.2}, *UNREADABLE, {"run_at": 1000, "hammer_price": "0.010000"}]
    client, _ = overhearing(spot_api, feeding({"history": points}, "/history/"))
    points = await client.pricing.history(MEDIUM)
    assert [(each.at, str(each.price)) for each in points] == [
        (datetime.fromtimestamp(1000, UTC), "0.01"),
        (datetime.fromtimestamp(2000, UTC), "0.2"),
    ]


@pytest.mark.parametrize("document", [{}, {"history": None}, {"history": []}])
async def test_an_empty_history_has_no_points(spot_api: SimulatedSpot, document: Any) -> None:
    """Such as of a new class."""
    client, _ = overhearing(spot_api, feeding(document, "/history/"))
    assert await client.pricing.history(MEDIUM) == []


async def test_percentiles_are_read_from_strings_and_floats(spot_api: SimulatedSpot) -> None:
    """The feed mixes both, and its floats have noise in the last digits."""
    mixed = {"market_price": "0.010000", "20_percentile": 0.051000000000000004, "50_percentile": 1, "80_percentile": ""}
    feed = {"regions": {"z": {"serverclasses": {"c": mixed, "b": {}}}, "a": {"serverclasses": None}, "b": None}}
    client, _ = overhearing(spot_api, feeding(feed, "/percentiles.json"))
    second, first = reversed(await client.pricing.percentiles())
    assert (first.server_class, first.region, first.market) == ("b", "z", None)
    shown = [None if each is None else str(each) for each in (second.market, second.p20, second.p50, second.p80)]
    assert shown == ["0.01", "0.051", "1", None]


async def test_percentiles_are_sorted_by_region_and_class(spot_client: AsyncSpotClient) -> None:
    """And p20, p50 and p80 ascend."""
    rows = await spot_client.pricing.percentiles()
    assert [(each.region, each.server_class) for each in rows] == sorted(
        (each.region, each.server_class) for each in rows
    )
    assert all(each.p20 and each.p50 and each.p80 and each.p20 <= each.p50 <= each.p80 for each in rows)
    here = await spot_client.pricing.percentiles(region="us-central-dfw-2")
    assert {each.region for each in here} == {"us-central-dfw-2"}
    assert len(here) < len(rows)


async def test_comparable_prices_lose_their_dollar_sign(spot_api: SimulatedSpot) -> None:
    """One row per cloud."""
    like = [{"cloud": "aws", "class": "m7i.large", "price": "$0.0960"}, {"cloud": "gcp", "class": "n2", "price": "$"}]
    feed = {"regions": {"a": {"c": {"hyperscaler_average_price": "$0.100", "comparables": like}, "d": None}, "b": None}}
    client, _ = overhearing(spot_api, feeding(feed, "/comparable_prices.json"))
    rows = await client.pricing.comparable()
    assert [(each.region, each.server_class, each.cloud, each.like) for each in rows] == [
        ("a", "c", "aws", "m7i.large"),
        ("a", "c", "gcp", "n2"),
    ]
    assert [(str(each.average), each.price and str(each.price)) for each in rows] == [("0.1", "0.096"), ("0.1", None)]
    assert await client.pricing.comparable(region="us-central-dfw-2") == []


async def test_every_class_has_comparable_prices(spot_client: AsyncSpotClient) -> None:
    """In three clouds each."""
    rows = await spot_client.pricing.comparable(region="us-east-iad-1")
    classes = [each.server_class for each in await spot_client.pricing.list(region="us-east-iad-1")]
    assert sorted(classes * 3) == sorted(each.server_class for each in rows)
    assert all(each.price and each.average for each in rows)


@pytest.mark.parametrize(
    "feed", [{"regions": []}, {"regions": {"a": ["x"]}}, {"regions": {"a": "x"}}, {"regions": {"a": {"c": "x"}}}]
)
async def test_malformed_feeds_are_empty(spot_api: SimulatedSpot, feed: Any) -> None:
    """They do not make a script fail."""
    client, _ = overhearing(spot_api, feeding(feed, "/"))
    assert await client.pricing.comparable() == []
    assert [each for each in await client.pricing.percentiles() if each.market is not None] == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.010000", "0.01"),
        (0.051000000000000004, "0.051"),
        ("$0.003", "0.003"),
        ("100", "100"),
        (100.0, "100"),
        ("1E+2", "100"),
        (0, "0"),
        ("0.0000004", "0"),
        ("", None),
        ("$", None),
        (None, None),
        ("free", None),
        (True, None),
        ([], None),
        ("-1", None),
        ("1e30", None),
    ],
)
def test_a_price_is_normalized(value: Any, shown: str | None) -> None:
    """No exponent, no trailing zeros, no float."""
    actual = schemas.price(value)
    assert (None if actual is None else str(actual)) == shown
    assert actual is None or price_text(actual) == shown


# Feed addresses and credentials


async def test_feeds_are_requested_at_their_own_address_without_a_credential(spot_api: SimulatedSpot) -> None:
    """Not even a token is fetched."""
    client, wire = overhearing(spot_api, feeds_url=FEEDS)
    await client.pricing.percentiles()
    await client.pricing.comparable()
    await client.pricing.history(MEDIUM)
    assert [str(each.url) for each in wire.requests] == [
        f"{FEEDS}/percentiles.json",
        f"{FEEDS}/comparable_prices.json",
        f"{FEEDS}/history/{MEDIUM}",
    ]
    assert not any("authorization" in each.headers for each in wire.requests)


async def test_feeds_at_the_apis_address_get_no_credential_either(spot_api: SimulatedSpot) -> None:
    """Although API requests before and after have one."""
    client, wire = overhearing(spot_api)
    await client.regions.list()
    await client.pricing.percentiles()
    await client.pricing.list()
    signed = {each.url.path: "authorization" in each.headers for each in wire.requests}
    assert signed == {
        "/oauth/token": False,
        "/apis/ngpc.rxt.io/v1/regions": True,
        "/percentiles.json": False,
        "/apis/ngpc.rxt.io/v1/serverclasses": True,
    }


async def test_feeds_are_cached_until_their_ttl(spot_api: SimulatedSpot) -> None:
    """They change every hour."""
    client, wire = overhearing(spot_api, feeds_url=FEEDS, cache__enabled=True)
    for _ in range(3):
        await client.pricing.percentiles()
        await client.pricing.percentiles(region="us-east-iad-1")
    assert len(wire.requests) == 1
    spot_api.advance(301)
    await client.pricing.percentiles()
    assert len(wire.requests) == 2
    await client.aclose()


def test_the_synchronous_version_returns_the_same(spot_api: SimulatedSpot) -> None:
    """For all five methods."""
    wire = Overheard(spot_api.transport)
    config = replace(settings_of(spot_api, feeds_url=FEEDS))
    with SpotClient(resolved=config, transport=wire, clock=spot_api.clock) as client:
        cheapest = client.pricing.list()[0]
        assert client.pricing.get(cheapest.server_class) == cheapest
        assert client.pricing.history(cheapest.server_class)[-1].price
        assert client.pricing.percentiles()
        assert client.pricing.comparable()
    assert not any("authorization" in each.headers for each in wire.requests if each.url.host == "127.0.0.2")


@pytest.mark.parametrize(
    "url", ["http://feeds.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "ftp://x"]
)
def test_feeds_come_over_https(url: str) -> None:
    """Prices decide what is bid, so nobody on the way may change them."""
    with pytest.raises(ConfigError, match="is not https"):
        SpotClient(
            config={"profiles": {"default": {"feedsUrl": url, "refreshToken": "t", "organization": "o"}}},
        )
