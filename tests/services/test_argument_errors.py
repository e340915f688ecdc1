"""Wrong arguments from untyped callers, and what `wait` must not take for ready."""

from __future__ import annotations

from typing import Any

import pytest

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import NotReady, UsageError
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx

SPEC = {"region": "us-central-dfw-1", "kubernetesVersion": "1.31.1"}


@pytest.mark.parametrize("name", [None, 5, ["a"]])
@pytest.mark.parametrize("verb", ["get", "patch", "delete", "wait", "wait_gone", "upgrade"])
@pytest.mark.parametrize("group", ["cloudspaces", "spot_nodepools"])
async def test_an_invalid_name_never_addresses_the_collection(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, group: str, verb: str, name: Any
) -> None:
    """`delete(os.environ.get("UNSET"))` would delete every object."""
    await spot_client.cloudspaces.create("edge", SPEC)
    collection = getattr(spot_client, group)
    if not hasattr(collection, verb):
        pytest.skip("cloudspaces only")
    before = len(spot_api.requests())
    more: dict[str, Any] = {"patch": {"spec": {"desired": 2}}, "upgrade": {"version": "1.32.0"}}.get(verb, {})
    if (group, verb) == ("cloudspaces", "patch"):
        more = {"spec": {"kubernetesVersion": "1.32.0"}}
    with pytest.raises(UsageError):
        await getattr(collection, verb)(name, **more)
    assert spot_api.requests()[before:] == []
    assert len(await spot_client.cloudspaces.list()) == 1


async def test_a_cloudspace_being_upgraded_is_not_ready(spot_api: SimulatedSpot, spot_client: AsyncSpotClient) -> None:
    """The caller waits for the new version."""
    await spot_client.cloudspaces.create("edge", SPEC)
    await spot_client.cloudspaces.wait("edge")
    await spot_client.cloudspaces.upgrade("edge", "1.32.0")
    ready = await spot_client.cloudspaces.wait("edge")
    assert ready.status is not None and ready.status.current_kubernetes_version == "1.32.0"


async def test_an_object_being_deleted_never_becomes_ready(spot_client: AsyncSpotClient) -> None:
    """A pipeline would otherwise continue with an object about to vanish."""
    await spot_client.cloudspaces.create("edge", SPEC)
    await spot_client.cloudspaces.wait("edge")
    await spot_client.cloudspaces.delete("edge")
    with pytest.raises(NotReady, match="being deleted"):
        await spot_client.cloudspaces.wait("edge")


@pytest.mark.parametrize("timeout", [1.0, 7.0])
async def test_a_wait_ends_at_its_timeout(
    spot_api: SimulatedSpot, spot_client: AsyncSpotClient, timeout: float
) -> None:
    """It does not sleep past it."""
    await spot_client.cloudspaces.create("edge", SPEC)
    began = spot_api.clock.time()
    with pytest.raises(NotReady):
        await spot_client.cloudspaces.wait_gone("edge", timeout=timeout)
    assert spot_api.clock.time() - began == pytest.approx(timeout, abs=0.1)


async def test_a_wait_for_an_unresponsive_service_ends_at_its_timeout(spot_api: SimulatedSpot) -> None:
    """The timeouts of single requests are not added to it."""

    async def silent(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return await spot_api.transport.handle_async_request(request)
        seconds = request.extensions["timeout"]["read"]
        spot_api.clock.advance(seconds)
        raise httpx.ReadTimeout("nothing", request=request)

    client = AsyncSpotClient(
        resolved=spot_api.client().config, transport=httpx.MockTransport(silent), clock=spot_api.clock
    )
    client.organization._namespace = "org-sandbox000000001"
    began = spot_api.clock.time()
    with pytest.raises(NotReady, match="could not be read in time"):
        await client.cloudspaces.wait("edge", timeout=20)
    assert spot_api.clock.time() - began <= 25
    await client.aclose()
