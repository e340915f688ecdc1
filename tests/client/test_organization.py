"""The configured organization, by whatever name, is resolved to its namespace."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.config.loader import Resolved
from rsspot.errors import ConfigError, NotFound
from rsspot.settings import Setting
from rsspot.simulator.accounts.people import SANDBOX_TOKEN, Tenant
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.front.inprocess import InProcessTransport
from rsspot.simulator.world import World
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx

ID = "org_Sandbox000000001"
NAMESPACE = "org-sandbox000000001"


def client_for(
    spot: SimulatedSpot, organization: str | None, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncSpotClient:
    """A client configured with an organization, or with none."""
    config = spot.client().config
    settings = {name: setting for name, setting in config.settings.items() if name != "organization"}
    if organization is not None:
        settings["organization"] = Setting(organization, "test")
    resolved = Resolved("test", settings, config.state_path)
    return AsyncSpotClient(resolved=resolved, transport=transport or spot.transport, clock=spot.clock)


@pytest.mark.parametrize("asked", ["sandbox", "Sandbox", "SANDBOX", ID, ID.lower(), NAMESPACE, None])
async def test_an_organization_is_found_by_name_id_or_namespace(spot_api: SimulatedSpot, asked: str | None) -> None:
    """In any case; without a setting it is the token's own."""
    async with client_for(spot_api, asked) as client:
        assert await client.organization.namespace() == NAMESPACE
        await client.cloudspaces.list()
    assert spot_api.requests("GET")[-1][1] == f"/apis/ngpc.rxt.io/v1/namespaces/{NAMESPACE}/cloudspaces"


@pytest.mark.parametrize("asked", [ID, NAMESPACE])
async def test_an_id_needs_no_lookup(spot_api: SimulatedSpot, asked: str) -> None:
    """The namespace is derived from it."""
    async with client_for(spot_api, asked) as client:
        await client.organization.namespace()
    assert spot_api.requests() == []


async def test_a_name_is_looked_up_once(spot_api: SimulatedSpot) -> None:
    """However many requests follow."""
    async with client_for(spot_api, "sandbox") as client:
        await client.cloudspaces.list()
        await client.vm_pools.list()
    assert sum("organizations" in path for _, path in spot_api.requests()) == 1


async def test_an_unknown_organization_is_not_found(spot_api: SimulatedSpot) -> None:
    """The error names it."""
    async with client_for(spot_api, "nobody") as client:
        with pytest.raises(NotFound, match="'nobody'"):
            await client.cloudspaces.list()


async def test_another_organization_than_the_tokens_may_be_chosen() -> None:
    """The service decides whether the token may access it."""
    organizations = [Tenant("org_One", "one", SANDBOX_TOKEN), Tenant("org_Two", "two", "other")]
    clock = ManualClock()
    world = World(clock=clock, organizations=organizations)
    url = "http://127.0.0.1"
    values = {
        "base_url": url,
        "oauth_url": url,
        "client_id": "t",
        "refresh_token": SANDBOX_TOKEN,
        "organization": "two",
    }
    settings = {name: Setting(value, "test") for name, value in values.items()}
    resolved = Resolved("test", settings, Path("/nowhere/state.db"))
    async with AsyncSpotClient(resolved=resolved, transport=InProcessTransport(Api(world)), clock=clock) as client:
        assert await client.organization.namespace() == "org-two"
        assert [each.name for each in await client.organizations.list()] == ["one", "two"]
    world.close()


async def test_an_ambiguous_organization_raises_with_the_choices(spot_api: SimulatedSpot) -> None:
    """An opaque token and two organizations: the user has to choose."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"id_token": "opaque"})
        return httpx.Response(200, json={"organizations": [{"id": "org_B", "name": "b"}, {"id": "org_A", "name": "a"}]})

    async with client_for(spot_api, None, httpx.MockTransport(answer)) as client:
        with pytest.raises(ConfigError) as caught:
            await client.cloudspaces.list()
    assert caught.value.hint == "set RSSPOT_ORG to one of: a, b"
