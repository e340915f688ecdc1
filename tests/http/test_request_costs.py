"""What one GET costs: nothing is made twice, or anew for each request if it is the same for all of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from rsspot import AsyncSpotClient, SpotClient
from rsspot.testing import SimulatedSpot
from support.counting_calls import calls_counted
from support.loopback_server import REGION

TIMES = {
    "httpx._models.Request.__init__": 1,
    "httpx._models.Response.__init__": 1,
    "json.decoder.JSONDecoder.decode": 1,
    "pydantic.main.BaseModel.model_validate": 1,
    "httpx._urlparse.urlparse": 0,
    "httpx._models.Headers.update": 0,
    "httpx._models.Response.aiter_raw": 0,
    "dataclasses.replace": 0,
}
"""How often a GET calls what takes long."""
MOST_OF_OURS = 110
"""Calls of our own functions a blocking GET. With an event loop, each time that a coroutine goes on counts as one."""


def options(spot: SimulatedSpot) -> dict[str, Any]:
    """The options of a client of a simulated service over HTTP, whose own calls are in other threads."""
    names = ("refresh_token", "organization", "client_id")
    settings = {name: spot.client().config.get(name) for name in names}
    return {**settings, "base_url": spot.url, "oauth_url": spot.url, "cache": False}


def calls_of_a_blocking_get(spot: SimulatedSpot) -> Counter[str]:
    """The calls of a GET that is not the first one."""
    with SpotClient(**options(spot)) as client:
        client.regions.get(REGION)
        with calls_counted() as counts:
            client.regions.get(REGION)
    return counts


def calls_of_an_async_get(spot: SimulatedSpot) -> Counter[str]:
    """The same with an event loop."""

    async def counted() -> Counter[str]:
        async with AsyncSpotClient(**options(spot)) as client:
            await client.regions.get(REGION)
            with calls_counted() as counts:
                await client.regions.get(REGION)
        return counts

    return asyncio.run(counted())


@pytest.mark.parametrize("calls_of", [calls_of_a_blocking_get, calls_of_an_async_get])
def test_a_get_makes_nothing_twice(spot_api: SimulatedSpot, calls_of: Any) -> None:
    """One request, one response, one text decoded, one model; its URL was parsed for the GET before it."""
    counts = calls_of(spot_api)
    assert {name: counts[name] for name in TIMES} == TIMES


def test_a_get_passes_through_few_functions(spot_api: SimulatedSpot) -> None:
    """A layer more, or a fact looked up once more, is a few calls more."""
    counts = calls_of_a_blocking_get(spot_api)
    ours = {name: count for name, count in counts.items() if name.startswith("rsspot.")}
    assert 0 < sum(ours.values()) <= MOST_OF_OURS, ours
