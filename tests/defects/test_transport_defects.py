"""The way to the service: reads are patient, patience has an end, and every request says who asks."""

from __future__ import annotations

import json

import pytest

from rsspot import AsyncSpotClient, Exchange, Hooks, RsspotError, ServerError, TransportError
from rsspot.testing import URL, SimulatedSpot
from rsspot.wire import httpx
from support.loopback_server import SPEC, failure


class Broken(httpx.AsyncBaseTransport):
    """Fails the first API requests on their way; each failure takes some seconds of the world's time."""

    def __init__(self, spot: SimulatedSpot, failure: type[Exception], times: int, seconds: float = 0.0) -> None:
        self.spot, self.failure, self.times, self.seconds = spot, failure, times, seconds
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/apis"):
            self.asked += 1
            if self.asked <= self.times:
                timeout = request.extensions["timeout"]["read"]
                self.spot.advance(min(self.seconds, timeout))
                raise self.failure("broken")
        return await self.spot.transport.handle_async_request(request)


def client_of(spot: SimulatedSpot, transport: httpx.AsyncBaseTransport, **profile: object) -> AsyncSpotClient:
    """A client in the world's own time."""
    account = {"org": "sandbox", "refreshToken": "sandbox-refresh-token", "baseUrl": URL, "oauthUrl": URL}
    config = {"profiles": {"default": {**account, **profile}}}
    return AsyncSpotClient(
        config=config, state_path=spot.folder / "state.db", transport=transport, clock=spot.clock, cache=False
    )


@pytest.mark.defect(22)
@pytest.mark.parametrize("code", [429, 503])
async def test_the_service_says_when_to_ask_again(spot_api: SimulatedSpot, code: int):
    """Otherwise it is asked again before it can answer, and stays down."""
    client = client_of(spot_api, spot_api.transport)
    await client.whoami()
    spot_api.faults.add("status", "GET", "/regions$", status=code, retry_after=17, times=2)
    began = spot_api.clock.time()
    assert await client.regions.list()
    assert 34 <= spot_api.clock.time() - began < 60


@pytest.mark.defect(22)
async def test_a_pause_that_is_too_long_is_not_cut_short(spot_api: SimulatedSpot):
    """Who cannot wait gives up."""
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
async def test_a_read_outlasts_every_sort_of_trouble(spot_api: SimulatedSpot, failure: type[Exception]):
    """Otherwise one lost packet ends a program."""
    transport = Broken(spot_api, failure, times=2)
    async with client_of(spot_api, transport) as client:
        assert await client.regions.list()
    assert transport.asked == 3


@pytest.mark.defect(34)
@pytest.mark.parametrize("code", [408, 409, 425])
async def test_what_is_worth_another_attempt_can_be_said(spot_api: SimulatedSpot, code: int):
    """Otherwise the setting can only take away."""
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
async def test_patience_has_an_end(spot_api: SimulatedSpot, deadline: float):
    """Otherwise a black hole holds a command up for minutes, whatever the time-out says."""
    transport = Broken(spot_api, httpx.ConnectTimeout, times=1000, seconds=30.0)
    client = client_of(spot_api, transport, timeout=30, retry={"deadline": deadline, "maxRetries": 50})
    await client.whoami()
    began = spot_api.clock.time()
    with pytest.raises(TransportError):
        await client.regions.list()
    assert spot_api.clock.time() - began <= deadline + 0.1


@pytest.mark.defect(51)
def test_every_request_says_who_asks_and_nothing_untrue(account, rsspot):
    """Otherwise the service's people cannot tell what is hurting them."""
    assert rsspot("cloudspaces", "create", "web", json.dumps(SPEC)).code == 0
    asked = [each for each in account.requests if each.path.startswith("/apis")]
    assert {each.method for each in asked} == {"GET", "POST"}
    for request in asked:
        assert request.headers["user-agent"].startswith("rsspot/")
        assert ("content-type" in request.headers) is (request.method == "POST")


@pytest.mark.defect(51)
def test_every_login_says_who_asks(account, rsspot):
    """The login service is where an unknown client is shut out first."""
    assert rsspot("organizations", "list").code == 0
    (login,) = [each for each in account.requests if each.path == "/oauth/token"]
    assert login.headers.get("user-agent", "").startswith("rsspot/")


@pytest.mark.defect(51)
def test_what_is_sent_can_be_seen(account, rsspot):
    """Otherwise a slow or failing command is a riddle."""
    account.answer("GET .*/regions$", failure(503))
    said = rsspot("regions", "list", "-v").err.splitlines()
    assert [each.split(" -> ")[0] for each in said] == ["POST /oauth/token", *["GET /apis/ngpc.rxt.io/v1/regions"] * 2]
    assert "503" in said[1] and "attempt 2" in said[2]


@pytest.mark.defect(51)
async def test_a_program_can_see_what_is_sent(spot_api: SimulatedSpot):
    """The same as values, for logs and measurements."""
    seen: list[Exchange] = []
    client = AsyncSpotClient(
        resolved=spot_api.client().config,
        transport=spot_api.transport,
        clock=spot_api.clock,
        hooks=Hooks(after=[seen.append]),
    )
    await client.regions.list()
    assert [(each.method, each.status, each.attempt) for each in seen] == [("POST", 200, 1), ("GET", 200, 1)]
