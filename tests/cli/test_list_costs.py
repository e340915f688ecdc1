"""What a long list costs for each of its objects: few calls, and no format takes one for each of its lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rsspot.cli.app import run
from rsspot.cli.options import CliOptions
from rsspot.cli.session import CliSession
from rsspot.testing import SimulatedSpot
from support.counting_calls import calls_counted
from support.recording import pool, put

FEW, MANY = 100, 300
NOTES = [{"manager": "somebody", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {"f:desired": {}}}}]
MOST_CALLS = {"json": 60, "yaml": 150, "table": 160, "csv": 145, "name": 65}
"""Calls for each object, in Python and in C. It has 27 lines of JSON, each of which would have calls of its own."""


@pytest.fixture
def account(spot_api: SimulatedSpot, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedSpot]:
    """A served service, whose own calls are in other threads, and the settings for it."""
    settings = spot_api.client().config
    names = {"ORG": "organization", "REFRESH_TOKEN": "refresh_token", "CLIENT_ID": "client_id"}
    for variable, name in names.items():
        monkeypatch.setenv(f"RSSPOT_{variable}", str(settings.get(name)))
    for variable in ("BASE_URL", "OAUTH_URL", "FEEDS_URL"):
        monkeypatch.setenv(f"RSSPOT_{variable}", spot_api.url)
    yield spot_api


def put_pools(spot: SimulatedSpot, start: int, end: int) -> None:
    """Pools with notes on their writers, as the service keeps them."""
    for number in range(start, end):
        body = pool(number)
        put(spot, "spotnodepools", {**body, "metadata": {**body["metadata"], "managedFields": NOTES}})


def calls_of(output: str) -> int:
    """How many functions a list calls in this thread."""
    with calls_counted() as counts:
        assert run(["spotnodepools", "list", "-o", output]) == 0
    return counts.total()


@pytest.mark.parametrize("output", MOST_CALLS)
def test_an_object_more_costs_few_calls(account: SimulatedSpot, output: str) -> None:
    """Neither a list in memory, nor its text, nor the stream that it is printed to is gone through value by value."""
    put_pools(account, 0, FEW)
    calls_of(output)
    few = calls_of(output)
    put_pools(account, FEW, MANY)
    each = (calls_of(output) - few) / (MANY - FEW)
    assert 0 < each <= MOST_CALLS[output], each


def test_the_result_of_a_command_is_never_made_a_text() -> None:
    """asyncio asks for the text of a task's result when it restores the handler of Ctrl-C."""

    class Result:
        def __repr__(self) -> str:
            raise AssertionError("nobody asked for it")

    async def work() -> Result:
        return Result()

    assert isinstance(CliSession(CliOptions()).run(work()), Result)
