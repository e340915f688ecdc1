"""Requests: reads are retried, retries have a limit, and every request has a User-Agent."""

from __future__ import annotations

import json
import re

import pytest

from rsspot import AsyncSpotClient, Exchange, Hooks, RsspotError, ServerError, TransportError
from rsspot.testing import URL, SimulatedSpot
from rsspot.wire import httpx
from support.loopback_server import SPEC, failure


class FailingTransport(httpx.AsyncBaseTransport):
    """Fails the first API requests; each failure takes some seconds of simulated time."""

    def __init__(self, spot: SimulatedSpot, failure: type[Exception], times: int, seconds: float = 0.0) -> None:
        self.spot, self.failure, self.times, self.seconds = spot, failure, times, seconds
        self.received = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/apis"):
            self.received += 1
            if self.received <= self.times:
                timeout = request.extensions["timeout"]["read"]
                self.spot.advance(min(self.seconds, timeout))
                raise self.failure("broken")
        return await self.spot.transport.handle_async_request(request)


def client_of(spot: SimulatedSpot, transport: httpx.AsyncBaseTransport, **profile: object) -> AsyncSpotClient:
    """A client on the simulated clock."""
    account = {"org": "sandbox", "refreshToken": "sandbox-refresh-token", "baseUrl": URL, "oauthUrl": URL}
    config = {"profiles": {"default": {**account, **profile}}}
    return AsyncSpotClient(
        config=config, state_path=spot.folder / "state.db", transport=transport, clock=spot.clock, cache=False
    )


@pytest.mark.defect(22)
@pytest.mark.parametrize("code", [429, 503])
async def test_retry_after_is_respected(spot_api: SimulatedSpot, code: int):
    """Otherwise requests arrive before the service can respond, and keep it down."""
    client = client_of(spot_api, spot_api.transport)
    await client.whoami()
    spot_api.faults.add("status", "GET", "/regions$", status=code, retry_after=17, times=2)
    began = spot_api.clock.time()
    assert await client.regions.list()
    assert 34 <= spot_api.clock.time() - began < 60


@pytest.mark.defect(22)
async def test_a_retry_after_over_the_limit_fails_at_once(spot_api: SimulatedSpot):
    """The client gives up instead of retrying too early."""
    client = client_of(spot_api, spot_api.transport, retry={"maxRetryAfter": 10})
    await client.whoami()
    spot_api.faults.add("status", "GET", "/regions$", status=503, retry_after=11, times=9)
    began = spot_api.clock.time()
    with pytest.raises(ServerError):
        await client.regions.list()
    assert spot_api.clock.time() == began


@pytest.mark.defect(33)
@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectTimeout,
        httpx.ReadTimeout,
        httpx.WriteTimeout,
        httpx.PoolTimeout,
        httpx.ConnectError,
        httpx.ReadError,
        httpx.WriteError,
        httpx.RemoteProtocolError,
    ],
)
async def test_a_read_is_retried_after_every_kind_of_failure(spot_api: SimulatedSpot, failure: type[Exception]):
    """Otherwise one lost packet ends a program."""
    transport = FailingTransport(spot_api, failure, times=2)
    async with client_of(spot_api, transport) as client:
        assert await client.regions.list()
    assert transport.received == 3


@pytest.mark.defect(34)
@pytest.mark.parametrize("code", [408, 409, 425])
async def test_the_statuses_to_retry_are_configurable(spot_api: SimulatedSpot, code: int):
    """They can be added as well as removed."""
    for statuses, wanted in (([code], 2), ([], 1)):
        client = client_of(spot_api, spot_api.transport, retry={"statuses": statuses})
        spot_api.faults.script.clear()
        spot_api.faults.add("status", "GET", "/regions$", status=code)
        before = len(spot_api.requests())
        if wanted == 2:
            assert await client.regions.list()
        else:
            with pytest.raises(RsspotError):
                await client.regions.list()
        assert len(spot_api.requests()) - before == wanted


@pytest.mark.defect(46)
@pytest.mark.parametrize("deadline", [5.0, 45.0])
async def test_retries_end_at_the_deadline(spot_api: SimulatedSpot, deadline: float):
    """Otherwise an unreachable service blocks a command for minutes, whatever the timeout."""
    transport = FailingTransport(spot_api, httpx.ConnectTimeout, times=1000, seconds=30.0)
    client = client_of(spot_api, transport, timeout=30, retry={"deadline": deadline, "maxRetries": 50})
    await client.whoami()
    began = spot_api.clock.time()
    with pytest.raises(TransportError):
        await client.regions.list()
    assert spot_api.clock.time() - began <= deadline + 0.1


@pytest.mark.defect(51)
def test_every_request_has_correct_headers(account, rsspot):
    """The User-Agent names rsspot; Content-Type is sent only with a body."""
    assert rsspot("cloudspaces", "create", "web", json.dumps(SPEC)).code == 0
    requests = [request for request in account.requests if request.path.startswith("/apis")]
    assert {request.method for request in requests} == {"GET", "POST"}
    for request in requests:
        assert request.headers["user-agent"].startswith("rsspot/")
        assert ("content-type" in request.headers) is (request.method == "POST")


@pytest.mark.defect(51)
def test_every_login_has_a_user_agent(account, rsspot):
    """A login service may block unknown clients first."""
    assert rsspot("organizations", "list").code == 0
    (login,) = [request for request in account.requests if request.path == "/oauth/token"]
    assert login.headers.get("user-agent", "").startswith("rsspot/")


@pytest.mark.defect(51)
def test_verbose_prints_every_request(account, rsspot):
    """Otherwise a slow or failing command cannot be diagnosed."""
    account.answer("GET .*/regions$", failure(503))
    lines = rsspot("regions", "list", "-v").err.splitlines()
    requests = [line.split(" -> ")[0] for line in lines[:-1]]
    assert requests == ["POST /oauth/token", *["GET /apis/ngpc.rxt.io/v1/regions"] * 2]
    assert "503" in lines[1] and "attempt 2" in lines[2]
    assert re.fullmatch(r"rsspot regions list -v: \d+\.\d\d s, 3 requests, 1 retry", lines[-1])


@pytest.mark.defect(51)
async def test_hooks_report_every_request(spot_api: SimulatedSpot):
    """As values, for logs and metrics."""
    exchanges: list[Exchange] = []
    client = AsyncSpotClient(
        resolved=spot_api.client().config,
        transport=spot_api.transport,
        clock=spot_api.clock,
        hooks=Hooks(after=[exchanges.append]),
    )
    await client.regions.list()
    reported = [(exchange.method, exchange.status, exchange.attempt) for exchange in exchanges]
    assert reported == [("POST", 200, 1), ("GET", 200, 1)]
